//! Today's exceedances (D3).

use axum::extract::Query;
use axum::response::Response;
use dancu_domain::lines::Lines;
use dancu_domain::moment::Moment;
use dancu_domain::registration::System;
use dancu_office::act::places;
use dancu_office::locks::Today;
use dancu_portal::operator::{Exceedance, Exceedances};
use dancu_portal::text::Text;
use serde::Deserialize;

use super::{registered, store, system};
use crate::portal::signed::Signed;
use crate::portal::{frame, line_use, words};

/// The filter, in the address.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Filter {
    system: String,
}

/// `GET /operate/exceedances`
pub async fn show(signed: Signed, Query(filter): Query<Filter>) -> Response {
    let snapshot = match registered(&signed).await {
        Ok(snapshot) => snapshot,
        Err(error) => return words::unread(&signed, &error),
    };
    let only = system(&snapshot, &filter.system);
    let (t, today) = (signed.text(), Today::of(store(&signed), signed.now));
    let mut found: Vec<(Option<Moment>, Exceedance)> = store(&signed).ledger().lines(|counts| {
        let all = snapshot.systems().iter().filter(|s| only.is_none_or(|o| o.id == s.id));
        all.flat_map(|system| of_system(&t, system, counts, today)).collect()
    });
    // The newest first.
    found.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    frame::page(&Exceedances {
        duty_day: frame::date(today.day.date()),
        system: only.map(|s| s.code.as_str().to_owned()),
        rows: found.into_iter().map(|(_, row)| row).collect(),
        s: signed.shell(),
        t,
    })
}

fn of_system(
    t: &Text,
    system: &System,
    counts: &Lines,
    today: Today,
) -> Vec<(Option<Moment>, Exceedance)> {
    let exceeded = places(system).filter_map(|place| {
        let day = counts.line_day(place.line.id, today.day);
        (day.exceedances > 0).then_some((place, day))
    });
    exceeded
        .map(|(place, day)| {
            let at = day.exceeded_at.or(day.episode_at);
            let row = Exceedance {
                time: at.map_or_else(|| "–".into(), frame::time),
                system: system.code.as_str().to_owned(),
                service: words::place(t, place.service, place.window),
                number: day.exceedances.into(),
                registered: place.line.limit(today.now).count.into(),
                refused: day.refused.into(),
                most: busiest(system, counts, today),
                state: line_use::state(system, &place, counts, today),
                href: format!("/operate/systems/{}", system.code.as_str()),
            };
            (at, row)
        })
        .collect()
}

/// The account of a system that asked most today, by login.
fn busiest(system: &System, counts: &Lines, today: Today) -> String {
    let used = |id| counts.account_used(id, today.day);
    let most = system.accounts.iter().max_by_key(|account| used(account.id));
    most.filter(|account| used(account.id) > 0)
        .map_or_else(|| "–".into(), |account| words::login(&account.login))
}
