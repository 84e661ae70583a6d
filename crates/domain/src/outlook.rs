//! Whether a job may ask its next question now, later, or never (D5).
//!
//! A job waits where a person would be refused: it is held before it asks, so that a count that is
//! used up is no exceedance of it (D3) and a closed window no refusal.

use crate::decide::{Grant, Question, decide};
use crate::lines::Lines;
use crate::moment::{DAY_MS, HOUR_MS, Hours, MINUTE_MS, Moment};
use crate::profile::Profiles;
use crate::refusal::Reason;
use crate::registration::{AccountKind, AccountState, ConnectionState, System};

/// How far ahead an end of the hindrance is looked for: a holiday, a plan of the next month.
const AHEAD_MS: i64 = 31 * DAY_MS;
/// Viet Nam time.
const VIET_NAM_MS: i64 = 7 * HOUR_MS;

/// What a job's next question can expect.
#[derive(Clone, Debug)]
pub enum Outlook<'a> {
    /// It may be asked now.
    Open(Box<Grant<'a>>),
    /// Something holds it that ends by itself or by a named act.
    Waits {
        /// What.
        reason: Reason,
        /// When it ends by itself at the latest, as far as it is known now.
        until: Option<Moment>,
    },
    /// Something that does not end: asking again would be refused again.
    Never(Reason),
}

/// Looks at everything that decides on a question of a job: [`decide`], that a plan covers its
/// account (D5), and counts and locks as they stand, without counting anything.
pub fn outlook<'a>(
    profiles: &Profiles,
    lines: &Lines,
    system: &'a System,
    q: &Question<'_>,
) -> Outlook<'a> {
    let reason = match open(profiles, lines, system, q) {
        Ok(grant) => return Outlook::Open(grant),
        Err(reason) => reason,
    };
    // What a named act takes away may hold it at another hour than this one.
    let mut by_act = ends_by_an_act(reason, system, q).then_some(reason);
    let end = Moment(q.at.0.saturating_add(AHEAD_MS));
    let begins = plan_begins(system, q.officer);
    let mut at = q.at;
    loop {
        at = next_edge(&profiles.at(at).hours, at, &begins);
        if at > end {
            break;
        }
        match open(profiles, lines, system, &Question { at, ..*q }) {
            Ok(_) => return Outlook::Waits { reason, until: Some(at) },
            Err(then) if ends_by_an_act(then, system, q) => by_act = by_act.or(Some(then)),
            Err(_) => {}
        }
    }
    by_act.map_or(Outlook::Never(reason), |reason| Outlook::Waits { reason, until: None })
}

fn open<'a>(
    profiles: &Profiles,
    lines: &Lines,
    system: &'a System,
    q: &Question<'_>,
) -> Result<Box<Grant<'a>>, Reason> {
    let profile = profiles.at(q.at);
    let grant = decide(profile, system, q).map_err(|(reason, _)| reason)?;
    if grant.account.kind != AccountKind::Plan {
        return Err(Reason::PlanDoesNotCover);
    }
    match lines.peek(profile, &grant.intent) {
        Some(reason) => Err(reason),
        None => Ok(Box::new(grant)),
    }
}

/// Hindrances without a date that a named act takes away: a suspended or locked connection, a
/// suspended account (B9), a lock of the line that only a person lifts (D3). A locked or revoked
/// account, a withdrawn grant and a plan that is over end the job.
fn ends_by_an_act(reason: Reason, system: &System, q: &Question<'_>) -> bool {
    match reason {
        Reason::ConnectionNotLive => system.state != ConnectionState::Closed,
        Reason::ConnectionLocked | Reason::LineLocked => true,
        Reason::AccountUnknown => {
            let account = system.accounts.find(q.officer);
            account.is_some_and(|a| a.state == AccountState::Suspended)
        }
        _ => false,
    }
}

/// Minutes of the duty day from which the account's plan covers it.
fn plan_begins(system: &System, officer: &str) -> Vec<u16> {
    let plan = system.accounts.find(officer).and_then(|account| account.plan);
    let plan = system.plans.iter().find(|p| Some(p.id) == plan);
    plan.iter().flat_map(|p| p.hours.iter().flatten()).map(|range| range.from()).collect()
}

/// The next instant at which a window, a duty day, a calendar day or one of these minutes of the
/// duty day begins.
fn next_edge(hours: &Hours, at: Moment, begins: &[u16]) -> Moment {
    let duty = hours.duty(at);
    let midnight = (at.0 + VIET_NAM_MS).div_euclid(DAY_MS) * DAY_MS + DAY_MS - VIET_NAM_MS;
    let closes = i64::from(duty.day.0) * DAY_MS + i64::from(hours.to_minute) * MINUTE_MS;
    let mut edge = duty.resets_at.0.min(midnight);
    if at.0 < closes - VIET_NAM_MS {
        edge = edge.min(closes - VIET_NAM_MS);
    }
    let day_began = duty.resets_at.0 - DAY_MS;
    let begins = begins.iter().map(|minute| day_began + i64::from(*minute) * MINUTE_MS);
    Moment(begins.filter(|begin| *begin > at.0).fold(edge, i64::min))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_d1_edges_are_windows_and_days() {
        let hours =
            Hours { from_minute: 420, to_minute: 1080, weekends_off: false, off_days: vec![] };
        let at = |text| Moment::parse_rfc3339(text).unwrap();
        for (from, edge) in [
            ("2026-03-02T09:00:00+07:00", "2026-03-02T18:00:00+07:00"),
            ("2026-03-02T18:00:00+07:00", "2026-03-03T00:00:00+07:00"),
            ("2026-03-03T00:00:00+07:00", "2026-03-03T07:00:00+07:00"),
            ("2026-03-03T06:59:59.999+07:00", "2026-03-03T07:00:00+07:00"),
        ] {
            assert_eq!(next_edge(&hours, at(from), &[]), at(edge), "{from}");
        }
        // A plan from 22:00 on, 15 hours after the duty day began.
        let from = |text| next_edge(&hours, at(text), &[15 * 60]);
        assert_eq!(from("2026-03-02T19:00:00+07:00"), at("2026-03-02T22:00:00+07:00"));
        assert_eq!(from("2026-03-02T22:00:00+07:00"), at("2026-03-03T00:00:00+07:00"));
    }
}
