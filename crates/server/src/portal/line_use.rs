//! The lines of a system with their use, and its day as a chart: the same on every desk (B5, D2).

use dancu_domain::lines::Lines;
use dancu_domain::moment::{DAY_MS, Hours, Moment};
use dancu_domain::registration::{Line, System};
use dancu_domain::service::Window;
use dancu_office::act::{Place, places};
use dancu_office::locks::Today;
use dancu_portal::chart::{DayChart, Marks};
use dancu_portal::operator::states as desk;
use dancu_portal::parts::{LineUse, State, states};
use dancu_portal::text::Text;

use super::words;

/// A line with its use today.
pub fn today(
    t: &Text,
    system: &System,
    place: &Place<'_>,
    counts: &Lines,
    today: Today,
) -> LineUse {
    let day = counts.line_day(place.line.id, today.day);
    LineUse {
        registered: place.line.limit(today.now).count.into(),
        standing: Some((day.exceedances.into(), state(system, place, counts, today))),
        ..past(t, system, place, day.used)
    }
}

/// A line with its use on a day that is over, against what it is registered for: raises that ended
/// are not kept beside it.
pub fn past(t: &Text, system: &System, place: &Place<'_>, used: u32) -> LineUse {
    LineUse {
        system: system.code.as_str().to_owned(),
        service: words::service(t, place.service),
        window_key: words::window_key(place.window),
        registered: place.line.daily.into(),
        used: used.into(),
        standing: None,
    }
}

/// Locked before raised before exceeded before open.
pub fn state(system: &System, place: &Place<'_>, counts: &Lines, today: Today) -> State {
    if counts.lock_in_force(system.id, place.line.id, today.now).is_some() {
        states::LOCKED
    } else if place.line.limit(today.now).count > place.line.daily {
        states::RAISED
    } else if counts.line_day(place.line.id, today.day).exceedances > 0 {
        desk::EXCEEDED
    } else {
        states::ACTIVE
    }
}

/// A day of a system by hours, against everything that it may ask at an instant of it; of a day
/// that is over against what it is registered for, as the lines beside it ([`past`]).
pub fn chart(
    system: &System,
    used: &[Option<u64>; 24],
    (at, hours): (Moment, &Hours),
    is_over: bool,
) -> DayChart {
    let count = |line: &Line| if is_over { line.daily } else { line.limit(at).count };
    let sum = |window: Window| {
        let of = places(system).filter(|place| place.window == window);
        of.map(|place| u64::from(count(place.line))).sum()
    };
    DayChart::new(used, (sum(Window::InHours), sum(Window::OffHours)), marks(hours, at))
}

/// Where the duty day of an instant and its off-hours part begin (D1): on a day off at once.
pub fn marks(hours: &Hours, at: Moment) -> Marks {
    let begins = hours.duty(at).resets_at.plus_ms(-DAY_MS);
    let off = hours.duty(begins).window == Window::OffHours;
    Marks { from: hours.from_minute, to: if off { hours.from_minute } else { hours.to_minute } }
}

#[cfg(test)]
mod tests {
    use dancu_domain::ids::{LineId, SystemCode, SystemId, UnitCode};
    use dancu_domain::registration::{Group, Raise, ServiceGrant};
    use dancu_domain::service::{FieldSet, Service};
    use dancu_portal::text::Language;

    use super::*;

    /// Table and chart of a day stand against the same counts.
    #[test]
    fn rule_d2_a_day_that_is_over_is_shown_against_what_is_registered() {
        let at = Moment::parse_rfc3339("2026-03-02T09:00:00+07:00").unwrap();
        let raise = Raise { extra: 50, approved_at: at, from: at, to: at.plus_ms(DAY_MS) };
        let line = Line { id: LineId(1), daily: 100, raises: vec![raise] };
        let (code, unit) = (SystemCode::parse("MAU"), UnitCode::parse("H26.001"));
        let mut system = System::new(SystemId(1), code.unwrap(), unit.unwrap(), Group::State);
        let service = Service::CitizenVerify;
        system.services[service.index()] = Some(ServiceGrant {
            service,
            ma_tich_hop: "001".into(),
            fields: FieldSet::ALL,
            lines: [Some(line), None],
        });
        let hours =
            Hours { from_minute: 420, to_minute: 1_080, weekends_off: false, off_days: vec![] };
        let drawn = |is_over| chart(&system, &[None; 24], (at, &hours), is_over).in_hours;
        assert_eq!((drawn(false), drawn(true)), (150, 100));
        let t = crate::portal::frame::text(Language::Vietnamese);
        let place = places(&system).next().unwrap();
        assert_eq!(past(&t, &system, &place, 7).registered, drawn(true));
    }

    #[test]
    fn rule_d1_a_day_off_has_no_part_in_hours() {
        let hours =
            Hours { from_minute: 420, to_minute: 1_080, weekends_off: true, off_days: vec![] };
        let evening = |text: &str| marks(&hours, Moment::parse_rfc3339(text).unwrap()).to;
        assert_eq!(evening("2026-03-06T09:00:00+07:00"), 1_080, "Friday");
        assert_eq!(evening("2026-03-07T06:59:59+07:00"), 1_080, "still Friday's duty day");
        assert_eq!(evening("2026-03-07T07:00:00+07:00"), 420);
        assert_eq!(evening("2026-03-09T06:59:59+07:00"), 420, "still Sunday's");
        assert_eq!(evening("2026-03-09T07:00:00+07:00"), 1_080);
    }
}
