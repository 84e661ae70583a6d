//! Monthly statements (A7) for the unit, and for the centre's operators from the system's page.

use axum::response::Response;
use dancu_domain::registration::System;
use dancu_domain::statements::{Month, StatementNumber};
use dancu_portal::parts::Choice;
use dancu_portal::statements::{StatementRow, Statements};
use dancu_store::statements::Stored;

use super::signed::Signed;
use super::{frame, words};
use crate::log_key::LogKey;
use crate::statements::{paper, parse};
use crate::stop::Handled;

/// The list of a system's statements; `base` is its address, files stand below it.
pub async fn list(
    signed: &Signed,
    system: Option<&System>,
    systems: Vec<Choice>,
    (base, above): (&str, Option<String>),
) -> Handled {
    let store = signed.app.gate.store();
    let found = match system {
        Some(system) => store.statements().of_system(system.id).await,
        None => Ok(vec![]),
    };
    let found = match found {
        Ok(found) => found,
        Err(error) => return Ok(words::unread(signed, &error)),
    };
    let key = match LogKey::of(store) {
        Ok(key) => key.line(),
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "the log's key cannot be read");
            return Ok(frame::unavailable(signed));
        }
    };
    let newest = |of: &Stored| found.iter().all(|s| s.month != of.month || s.version <= of.version);
    Ok(frame::page(&Statements {
        system: system.map(|system| system.code.as_str().to_owned()),
        systems,
        above,
        rows: found.iter().filter_map(|s| row(s, !newest(s), base)).collect(),
        key,
        s: signed.shell(),
        t: signed.text(),
    }))
}

fn row(stored: &Stored, replaced: bool, base: &str) -> Option<StatementRow> {
    let statement = parse(&stored.document.json).ok()?;
    Some(StatementRow {
        number: stored.number.to_string(),
        month: written(stored.month),
        made: frame::stamp(stored.document.made_at),
        persons: statement.services.iter().map(|row| row.count.persons).sum(),
        refused: statement.refused.iter().map(|row| row.questions).sum(),
        locks: statement.locks.len() as u64,
        replaces: statement.replaces.map(|old| old.number),
        replaced,
        href: format!("{base}/{}", stored.number),
    })
}

/// `MM/YYYY`.
fn written(month: Month) -> String {
    let [first, _] = month.days();
    format!("{:02}/{}", first.month(), first.year())
}

/// A file of a statement: `XN-2026-00012.pdf`, `.json`, `.note`; of who `own` says yes to.
pub async fn file(signed: &Signed, name: &str, own: impl Fn(&Stored) -> bool) -> Handled {
    let wanted = name
        .rsplit_once('.')
        .and_then(|(number, kind)| Some((StatementNumber::parse(number)?, kind)));
    let Some((number, kind)) = wanted else { return Ok(frame::missing(signed)) };
    let found = match signed.app.gate.store().statements().by_number(number).await {
        Ok(found) => found.filter(own),
        Err(error) => return Ok(words::unread(signed, &error)),
    };
    let Some(stored) = found else { return Ok(frame::missing(signed)) };
    Ok(match kind {
        "json" => frame::file(name, "application/json", stored.document.json.into_bytes()),
        "note" => frame::file(name, "text/plain; charset=utf-8", stored.document.note.into()),
        "pdf" => printed(signed, name, stored).await,
        _ => frame::missing(signed),
    })
}

/// Prints beside the threads that answer.
async fn printed(signed: &Signed, name: &str, stored: Stored) -> Response {
    match tokio::task::spawn_blocking(move || paper::print(&stored)).await {
        Ok(Ok(pdf)) => frame::file(name, "application/pdf", pdf.bytes),
        Ok(Err(error)) => {
            tracing::error!(error = format!("{error:#}"), "a statement could not be printed");
            frame::unavailable(signed)
        }
        Err(_) => frame::unavailable(signed),
    }
}
