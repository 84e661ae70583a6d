//! Dossiers of the own unit, and beginning one (B1).

use axum::extract::Query;
use axum::http::StatusCode;
use dancu_domain::dossier::DossierNumber;
use dancu_domain::people::powers::Power;
use dancu_domain::registration::{Channel, Group};
use dancu_office::dossiers::{self, read};
use dancu_portal::dossier::{List, Row, states};
use dancu_portal::parts::{Choice, FieldError};
use dancu_store::dossiers::{LISTED, Summary};
use serde::Deserialize;

use super::{Place, at_unit, errors, told};
use crate::portal::form::{self, Form};
use crate::portal::once::Sent;
use crate::portal::signed::Signed;
use crate::portal::{frame, words};
use crate::stop::{Handled, Stop};

/// Ways that a dossier asks for (A2), with the word in the form.
const CHANNELS: [(&str, Channel); 4] = [
    ("api", Channel::Api),
    ("oneStop", Channel::OneStop),
    ("portal", Channel::Portal),
    ("documentAxis", Channel::DocumentAxis),
];

/// Where the list goes on.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Which {
    before: String,
}

/// `GET /unit/dossiers`
pub(super) async fn show(signed: Signed, Query(which): Query<Which>) -> Handled {
    let place = at_unit(&signed, Power::EditDossier)?;
    page(&signed, &place, &which.before, vec![]).await
}

async fn page(signed: &Signed, place: &Place, before: &str, errors: Vec<FieldError>) -> Handled {
    let own = signed.own_unit();
    let found = read::of_unit(&place.desk(), &own[0], DossierNumber::parse(before)).await;
    let found = found.map_err(|refused| Stop::from(words::failed(signed, &refused)))?;
    let last = found.last().filter(|_| found.len() == LISTED as usize);
    let t = signed.text();
    let channels = CHANNELS.map(|(value, _)| Choice {
        value: value.to_owned(),
        label: t.get(format!("dossier-channel-{value}")),
        chosen: false,
    });
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = List {
        errors,
        more: last.map(|row| format!("/unit/dossiers?before={}", row.number)),
        rows: found.iter().map(|found| row(signed, place, found)).collect(),
        channels: if place.integrator { vec![] } else { channels.into() },
        once: form::once(),
        s: signed.shell(),
        t,
    };
    Ok(frame::page_with(status, &page))
}

/// A row of a list.
pub(super) fn row(signed: &Signed, place: &Place, found: &Summary) -> Row {
    let t = signed.text();
    let name = found.name.trim();
    let unit = if place.unit.is_none() { signed.unit_named(&found.unit) } else { String::new() };
    let stage = usize::from(found.stage).min(states::STAGES.len() - 1);
    Row {
        number: found.number.to_string(),
        name: if name.is_empty() { t.get("dossier-unnamed") } else { name.to_owned() },
        code: found.code.trim().to_owned(),
        unit,
        state: states::STAGES[stage],
        turn: told::turns(&t, &found.turns),
        days: read::age_days(found, signed.now).unsigned_abs(),
        since: frame::day(found.since),
        connected: found.connected,
        href: place.page(found.number),
    }
}

/// `POST /unit/dossiers`: the group is that of the unit (A1).
pub(super) async fn begin(signed: Signed, form: Form) -> Handled {
    let place = at_unit(&signed, Power::EditDossier)?;
    let chosen = CHANNELS.iter().find(|(word, _)| *word == form.get("channel"));
    let Some((_, channel)) = chosen else { return Ok(frame::missing(&signed)) };
    let known = signed.app.units.now(signed.app.gate.store(), signed.now).await;
    let known = known.map_err(|error| Stop::from(words::unread(&signed, &error)))?;
    let [unit] = signed.own_unit();
    let group = known.tree.resolve(&unit).map_or(Group::State, |unit| unit.about.group);
    let (beginning, channel) = (place.clone(), *channel);
    let act = async move { dossiers::begin(&beginning.desk(), (group, channel)).await };
    Ok(match form.carry_out(&signed, act).await? {
        Sent::First(Ok((_, number))) => frame::to(&format!("{}?told=begun", place.page(number))),
        Sent::First(Err(refused)) => {
            let errors = errors(&signed, &refused, "channel")?;
            return page(&signed, &place, "", errors).await;
        }
        _ => frame::to("/unit/dossiers"),
    })
}

/// The word of a channel; those that no dossier asks for share one.
pub(super) fn channel_word(channel: Channel) -> &'static str {
    CHANNELS.iter().find(|(_, known)| *known == channel).map_or("other", |(word, _)| word)
}
