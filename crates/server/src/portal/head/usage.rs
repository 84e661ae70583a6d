//! Use of the unit: per hour, per line, per officer (D2).

use std::sync::Arc;

use axum::extract::Query;
use dancu_domain::moment::DutyDay;
use dancu_domain::people::powers::Power;
use dancu_domain::registration::System;
use dancu_office::act::{Place, places};
use dancu_office::hours::DayHours;
use dancu_office::locks::Today;
use dancu_office::officers::{self, Officer};
use dancu_office::raise_requests::{begins, duty_day};
use dancu_portal::chart::DayChart;
use dancu_portal::head::{Officer as Shown, Usage};
use dancu_portal::parts::LineUse;
use serde::Deserialize;

use super::{Unit, allowed, answered, system_choices};
use crate::portal::frame;
use crate::portal::signed::Signed;
use crate::portal::{head::officers::shown, line_use, words};
use crate::stop::{Handled, Stop};

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
pub(super) async fn show(signed: Signed, Query(which): Query<Which>) -> Handled {
    let unit = allowed(&signed, Power::SeeUnitUse).await?;
    let hours = signed.app.gate.store().profiles().at(signed.now).hours.clone();
    let now = Today::of(signed.app.gate.store(), signed.now);
    let today = now.day;
    let asked = frame::parse_day(&which.day).map(duty_day);
    // Days to come have no use; what cannot be read is today.
    let day = asked.filter(|day| *day <= today).unwrap_or(today);
    let past = day != today;
    let chosen = unit.shown(&which.system);
    if chosen.is_none() && !which.system.is_empty() {
        return Ok(frame::missing(&signed));
    }
    let counted = match &chosen {
        Some(system) => counted(&signed, &unit, system, day).await?,
        None => DayHours::default(),
    };
    let people = match people(&unit, chosen.as_ref(), day, today).await {
        Ok(people) => people,
        Err(refused) => return Ok(answered(&signed, &refused)),
    };
    let lines = match lines(&signed, &unit, chosen.as_ref(), day, now).await {
        Ok(lines) => lines,
        Err(refused) => return Ok(answered(&signed, &refused)),
    };
    let at = if past { begins(&hours, day) } else { signed.now };
    let used = counted.shown(begins(&hours, day));
    let chart = match &chosen {
        Some(system) => line_use::chart(system, &used, (at, &hours), past),
        None => DayChart::new(&used, (0, 0), line_use::marks(&hours, at)),
    };
    let t = signed.text();
    let ends = begins(&hours, DutyDay(day.0 + 1));
    let behind = counted.until < signed.now.min(ends) && chosen.is_some();
    let all = unit.systems();
    let several = if all.len() > 1 { all.as_slice() } else { &[] };
    Ok(frame::page(&Usage {
        duty_day: frame::date(day.date()),
        past,
        systems: system_choices(several, chosen.as_ref().map_or(0, |s| s.id.0)),
        until: behind.then(|| frame::time(counted.until)),
        chart,
        lines,
        officers: people.iter().map(|o| shown(&t, o, signed.today())).collect::<Vec<Shown>>(),
        s: signed.shell(),
        t,
    }))
}

async fn counted(
    signed: &Signed,
    unit: &Unit,
    system: &Arc<System>,
    day: DutyDay,
) -> Result<DayHours, Stop> {
    let (kept, store, id) = (signed.portal().head.hours.clone(), unit.store.clone(), system.id);
    let (hours, now) = (store.profiles().at(signed.now).hours.clone(), signed.now);
    let look = move || kept.look(&store, (id, day), &hours, now);
    match tokio::task::spawn_blocking(look).await {
        Ok(Ok(counted)) => Ok(counted),
        Ok(Err(error)) => Err(words::unread(signed, &error).into()),
        Err(_) => Err(frame::unavailable(signed).into()),
    }
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
    today: Today,
) -> Result<Vec<LineUse>, dancu_office::Refused> {
    let Some(system) = system else { return Ok(vec![]) };
    let t = signed.text();
    if day == today.day {
        let all = places(system);
        return Ok(unit.store.ledger().lines(|counts| {
            all.map(|place| line_use::today(&t, system, &place, counts, today)).collect()
        }));
    }
    let counts = unit.store.use_of_lines(system.id, &[day]).await?.pop().unwrap_or_default();
    let used = |place: &Place<'_>| counts.get(&place.line.id).copied().unwrap_or(0);
    Ok(places(system).map(|place| line_use::past(&t, system, &place, used(&place))).collect())
}
