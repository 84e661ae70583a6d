//! Use of the unit: per hour, per line, per officer (D2).

use std::sync::Arc;

use axum::extract::Query;
use axum::response::Response;
use dancu_domain::moment::{DutyDay, Moment};
use dancu_domain::people::powers::Power;
use dancu_domain::registration::{Line, System};
use dancu_domain::service::Window;
use dancu_office::hours::DayHours;
use dancu_office::officers::{self, Officer};
use dancu_office::raise_requests::{begins, duty_day};
use dancu_portal::chart::DayChart;
use dancu_portal::head::{Officer as Shown, Usage};
use dancu_portal::parts::{LineUse, State, states};
use dancu_portal::text::Text;
use serde::Deserialize;

use super::{Unit, allowed, answered, system_choices};
use crate::portal::frame;
use crate::portal::signed::Signed;
use crate::portal::{head::officers::shown, words};

/// Officers that the page lists: those who used most.
const OFFICERS: usize = 50;

/// Which day of which system.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Which {
    day: String,
    system: String,
}

/// `GET /unit/usage`.
pub(super) async fn show(signed: Signed, Query(which): Query<Which>) -> Response {
    let unit = match allowed(&signed, Power::SeeUnitUse).await {
        Ok(unit) => unit,
        Err(response) => return *response,
    };
    let hours = signed.app.gate.store().profiles().at(signed.now).hours.clone();
    let today = hours.duty(signed.now).day;
    let asked = frame::parse_day(&which.day).map(duty_day);
    // Days to come have no use; what cannot be read is today.
    let day = asked.filter(|day| *day <= today).unwrap_or(today);
    let chosen = unit.shown(&which.system);
    if chosen.is_none() && !which.system.is_empty() {
        return frame::missing(&signed);
    }
    let counted = match &chosen {
        Some(system) => match counted(&signed, &unit, system, day).await {
            Ok(counted) => counted,
            Err(response) => return *response,
        },
        None => DayHours::default(),
    };
    let people = match people(&unit, chosen.as_ref(), day, today).await {
        Ok(people) => people,
        Err(refused) => return answered(&signed, &refused),
    };
    let lines = match lines(&signed, &unit, chosen.as_ref(), day, today).await {
        Ok(lines) => lines,
        Err(refused) => return answered(&signed, &refused),
    };
    let t = signed.text();
    let ends = begins(&hours, DutyDay(day.0 + 1));
    let behind = counted.until < signed.now.min(ends) && chosen.is_some();
    let all = unit.systems();
    let several = if all.len() > 1 { all.as_slice() } else { &[] };
    frame::page(&Usage {
        duty_day: frame::date(day.date()),
        systems: system_choices(several, chosen.as_ref().map_or(0, |s| s.id.0)),
        until: behind.then(|| frame::time(counted.until)),
        chart: chart(chosen.as_deref(), &counted, begins(&hours, day)),
        lines,
        officers: people.iter().map(|o| shown(&t, o)).collect::<Vec<Shown>>(),
        s: signed.shell(),
        t,
    })
}

async fn counted(
    signed: &Signed,
    unit: &Unit,
    system: &Arc<System>,
    day: DutyDay,
) -> Result<DayHours, Box<Response>> {
    let (kept, store, id) = (signed.portal().head.hours.clone(), unit.store.clone(), system.id);
    let (hours, now) = (store.profiles().at(signed.now).hours.clone(), signed.now);
    let look = move || kept.look(&store, (id, day), &hours, now);
    match tokio::task::spawn_blocking(look).await {
        Ok(Ok(counted)) => Ok(counted),
        Ok(Err(error)) => Err(Box::new(words::unread(signed, &error))),
        Err(_) => Err(Box::new(frame::unavailable(signed))),
    }
}

/// The chart of a system's day against what it is registered for.
fn chart(system: Option<&System>, counted: &DayHours, began: Moment) -> DayChart {
    let sum = |window: Window| -> u64 {
        let grants = system.into_iter().flat_map(|s| s.services.iter().flatten());
        grants.filter_map(|g| g.line(window)).map(|line| u64::from(line.daily)).sum()
    };
    DayChart::new(&counted.shown(began), sum(Window::InHours), sum(Window::OffHours))
}

/// Officers with use on the day, those with the most first.
async fn people(
    unit: &Unit,
    system: Option<&Arc<System>>,
    day: DutyDay,
    today: DutyDay,
) -> Result<Vec<Officer>, dancu_office::Refused> {
    let Some(system) = system else { return Ok(vec![]) };
    let mut all = officers::list(&unit.desk()).await?;
    all.retain(|o| o.system.as_ref().is_some_and(|s| s.id == system.id));
    if day != today {
        let counts = unit.store.use_of_accounts(system.id, &[day]).await?.pop().unwrap_or_default();
        for officer in &mut all {
            let id = officer.listed.as_ref().map(|k| k.account.id);
            officer.used = id.and_then(|id| counts.get(&id)).copied().unwrap_or(0);
        }
    }
    all.retain(|o| o.used > 0);
    all.sort_by_key(|o| std::cmp::Reverse(o.used));
    all.truncate(OFFICERS);
    Ok(all)
}

/// Lines of a system with their use on a day.
async fn lines(
    signed: &Signed,
    unit: &Unit,
    system: Option<&Arc<System>>,
    day: DutyDay,
    today: DutyDay,
) -> Result<Vec<LineUse>, dancu_office::Refused> {
    let Some(system) = system else { return Ok(vec![]) };
    let past =
        if day == today { None } else { unit.store.use_of_lines(system.id, &[day]).await?.pop() };
    let all = of_system(&signed.text(), unit, system, signed.now);
    Ok(all
        .into_iter()
        .map(|(line, shown)| match &past {
            Some(counts) => {
                LineUse { used: counts.get(&line.id).copied().unwrap_or(0).into(), ..shown }
            }
            None => shown,
        })
        .collect())
}

/// Lines of a system with their use today.
pub(super) fn of_system(
    t: &Text,
    unit: &Unit,
    system: &System,
    now: Moment,
) -> Vec<(Line, LineUse)> {
    let day = unit.store.profiles().at(now).hours.duty(now).day;
    let mut all = vec![];
    for grant in system.services.iter().flatten() {
        for window in [Window::InHours, Window::OffHours] {
            let Some(line) = grant.line(window) else { continue };
            let (counts, locked) = unit.store.ledger().lines(|lines| {
                let locked = lines.lock_in_force(system.id, line.id, now).is_some();
                (lines.line_day(line.id, day), locked)
            });
            let limit = line.limit(now).count;
            let shown = LineUse {
                system: system.code.as_str().to_owned(),
                service: words::service(t, grant.service),
                window_key: words::window_key(window),
                registered: limit.into(),
                used: counts.used.into(),
                exceedances: counts.exceedances.into(),
                state: state(locked, limit > line.daily),
                href: format!("/unit/usage?system={}", system.id.0),
            };
            all.push((line.clone(), shown));
        }
    }
    all
}

const fn state(locked: bool, raised: bool) -> State {
    if locked {
        states::LOCKED
    } else if raised {
        states::RAISED
    } else {
        states::ACTIVE
    }
}
