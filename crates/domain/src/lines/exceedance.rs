//! Exceedances (D3) and warnings (D2) of a count.

use super::{Event, Intent, LineDay};
use crate::profile::{Counts, Profile, Reading};

/// The second exceedance in each reading of "vượt quá ngưỡng 02 lần/ngày".
pub(super) fn exceedance(profile: &Profile, i: &Intent, day: &mut LineDay) -> Option<Event> {
    let rule = &profile.exceedance;
    let Some(exceeded_at) = day.exceeded_at else {
        day.exceedances += 1;
        day.exceeded_at = Some(i.at);
        day.episode_at = Some(i.at);
        return Some(if day.exceedances >= 2 { Event::Locked } else { Event::Exceeded });
    };
    let raised = i.limit.raise_began.is_some_and(|began| began > exceeded_at);
    let again = raised
        || match rule.reading {
            Reading::EveryRefusal => true,
            Reading::TwiceVolume => {
                u64::from(day.used) + u64::from(day.refused) > 2 * u64::from(i.limit.count)
            }
            Reading::TwoEpisodes => {
                let from = day.episode_at.unwrap_or(exceeded_at).plus_ms(rule.grace_ms);
                if i.at >= from {
                    day.refused_after = day.refused_after.saturating_add(1);
                }
                let sent = u64::from(day.refused_after);
                sent > u64::from(rule.refused_floor)
                    && sent * 100 > u64::from(i.limit.count) * u64::from(rule.refused_percent)
            }
        };
    again.then(|| {
        day.exceedances += 1;
        day.exceeded_at = Some(i.at);
        Event::Locked
    })
}

impl Counts {
    /// The highest threshold passed by going from `before` to `after` of `count`, percent (D2).
    pub fn warning(&self, before: u32, after: u32, count: u32) -> Option<u8> {
        let reaches =
            |used: u32, percent: u8| u64::from(used) * 100 >= u64::from(count) * u64::from(percent);
        self.warn_at_percent
            .iter()
            .rev()
            .copied()
            .find(|p| count > 0 && !reaches(before, *p) && reaches(after, *p))
    }
}
