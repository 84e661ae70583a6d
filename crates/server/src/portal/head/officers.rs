//! The list of officers.

use axum::extract::Query;
use dancu_domain::people::PersonId;
use dancu_domain::people::powers::Power;
use dancu_domain::people::roles::Role;
use dancu_domain::text::fold;
use dancu_office::commitments;
use dancu_office::officers::{self, Officer, State};
use dancu_portal::head::{Officer as Shown, Officers};
use dancu_portal::parts::{Choice, Pager};
use dancu_portal::text::{Language, Text};
use jiff::civil::Date;
use serde::Deserialize;

use super::{Unit, allowed, answered, ways};
use crate::portal::frame::{self, Told};
use crate::portal::signed::Signed;
use crate::portal::words;
use crate::stop::{Handled, Stop};

/// Rows of a page.
const PAGE: usize = 50;
/// What is told as done.
const TOLD: [(&str, &str); 3] = [
    ("added", "officers-told-added"),
    ("invited", "officers-told-invited"),
    ("imported", "officers-told-imported"),
];

/// Filters, in the address.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Filter {
    q: String,
    state: String,
    page: usize,
}

/// `GET /unit/officers`.
pub(super) async fn show(
    signed: Signed,
    Query(filter): Query<Filter>,
    Query(told): Query<Told>,
) -> Handled {
    let unit = allowed(&signed, Power::ManageOfficers).await?;
    let all = match officers::list(&unit.desk()).await {
        Ok(all) => all,
        Err(refused) => return Ok(answered(&signed, &refused)),
    };
    let uncommitted = match commitments::wanting(&unit.desk()).await {
        Ok(count) => count,
        Err(refused) => return Ok(answered(&signed, &refused)),
    };
    let page = page(&signed, &unit, &all, &filter).await?;
    Ok(frame::page(&Officers { told: told.key(&TOLD), uncommitted, ..page }))
}

async fn page(
    signed: &Signed,
    unit: &Unit,
    all: &[Officer],
    filter: &Filter,
) -> Result<Officers, Stop> {
    let t = signed.text();
    let search = fold(&filter.q);
    let wanted = State::ALL.into_iter().find(|s| ways::word(*s) == filter.state);
    let found: Vec<&Officer> = all
        .iter()
        .filter(|o| wanted.is_none_or(|state| o.state == state))
        .filter(|o| search.is_empty() || matches(o, &search))
        .collect();
    let filtered = wanted.is_some() || !search.is_empty();
    let from = filter.page.saturating_sub(1).saturating_mul(PAGE);
    let from = if from < found.len() { from } else { 0 };
    let listed = found.iter().skip(from).take(PAGE);
    let people: Vec<PersonId> =
        listed.clone().filter_map(|o| Some(o.person.as_ref()?.id)).collect();
    let failing = unit.store.notices().failing(&people).await;
    let failing = failing.map_err(|error| Stop::from(words::unread(signed, &error)))?;
    let on = |o: &&Officer| Shown {
        mail_fails: o.person.as_ref().is_some_and(|person| failing.contains(&person.id)),
        ..shown(&t, o, signed.today())
    };
    let rows: Vec<Shown> = listed.map(on).collect();
    let total = found.len();
    let several = unit.systems();
    Ok(Officers {
        search: filter.q.clone(),
        states: states(&t, wanted),
        // What was declared for an account that is revoked counts for nobody any more.
        daily: found
            .iter()
            .filter(|o| o.state != State::Revoked)
            .map(|o| u64::from(o.daily()))
            .sum(),
        used: found.iter().map(|o| u64::from(o.used)).sum(),
        pager: pager(filter, from, rows.len(), total),
        rows,
        filtered,
        exports: several
            .iter()
            .map(|s| (format!("/unit/officers.xlsx?system={}", s.id.0), s.code.as_str().to_owned()))
            .collect(),
        uncommitted: 0,
        told: None,
        s: signed.shell(),
        t,
    })
}

fn matches(officer: &Officer, search: &str) -> bool {
    let code = officer.listed.as_ref().and_then(|k| k.account.officer_code.as_ref());
    let texts = [officer.name(), officer.login(), code.map_or("", |c| c.as_str())];
    texts.into_iter().any(|text| fold(text).contains(search))
}

/// A row as it is shown, with the roles of the day.
pub(super) fn shown(t: &Text, officer: &Officer, today: Date) -> Shown {
    let lang = t.language();
    let roles: Vec<_> = match &officer.person {
        Some(person) => person.grants.on(today).map(|grant| grant.role).collect(),
        // Whoever is only on the list asks through the unit's software.
        None => vec![Role::Officer],
    };
    let names = roles.iter().map(|role| role.row()).map(|row| match lang {
        Language::Vietnamese => row.name_vi,
        Language::English => row.name,
    });
    let role = names.collect::<Vec<_>>().join(", ");
    let system = officer.system.as_ref().map(|s| s.code.as_str().to_owned()).unwrap_or_default();
    Shown {
        name: officer.name().to_owned(),
        login: officer.login().to_owned(),
        system,
        role,
        state: ways::state(officer.state),
        mail_fails: false,
        daily: officer.daily().into(),
        used: officer.used.into(),
        mean: officer.mean.into(),
        last: officer.last.map(frame::day).unwrap_or_default(),
        href: format!("/unit/officers/{}", officer.who),
        used_href: officer
            .system
            .as_ref()
            .map_or_else(|| "/unit/usage".into(), |s| format!("/unit/usage?system={}", s.id.0)),
    }
}

fn states(t: &Text, wanted: Option<State>) -> Vec<Choice> {
    let all = Choice {
        value: String::new(),
        label: t.get("officers-all-states"),
        chosen: wanted.is_none(),
    };
    let each = State::ALL.into_iter().map(|state| Choice {
        value: ways::word(state).to_owned(),
        label: t.get(ways::state(state).key),
        chosen: wanted == Some(state),
    });
    std::iter::once(all).chain(each).collect()
}

fn pager(filter: &Filter, from: usize, rows: usize, total: usize) -> Pager {
    let number = from / PAGE + 1;
    let href = |page: usize| {
        format!(
            "/unit/officers?q={}&state={}&page={page}",
            encoded(&filter.q),
            encoded(&filter.state)
        )
    };
    Pager {
        from: if rows == 0 { 0 } else { from as u64 + 1 },
        to: (from + rows) as u64,
        total: total as u64,
        before: (number > 1).then(|| href(number - 1)),
        after: (from + rows < total).then(|| href(number + 1)),
    }
}

/// A value in an address.
fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            out.push(byte as char);
        } else {
            // Writing to a text never fails.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
