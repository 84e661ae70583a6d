//! The account list that a system sends of itself (B6, E1). It waits for the head of the unit, who
//! decides in the portal; nothing is in force before.

use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use dancu_domain::registration::System;
use dancu_gate::query::Unreadable;
use dancu_office::Refused;
use dancu_office::officers::check::Effect;
use dancu_office::officers::sent::{self, Difference, Sent};
use dancu_store::desks::{AccountChanges, ChangesState, SentRow};
use dancu_wire::body::is_json;
use dancu_wire::rest::{
    ACCOUNTS_BODY_MAX, AccountChangesView, HttpProblem, SentAccount, account_error, input_problem,
    parse_accounts,
};

use super::peer::Peer;
use super::reads::{admitted, failed};
use super::{BodyError, problem, read_body_within, respond, text};
use crate::app::{App, Shared, loose_correlation};

/// A list may take this long to arrive: 2.5 MB at 42 KB a second.
const WAIT: Duration = Duration::from_mins(1);
/// Errors that one answer lists.
const ERRORS_MAX: usize = 50;

/// `PUT /api/v1/accounts`.
pub async fn put(
    State(app): State<Shared>,
    peer: Peer,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let system = match admitted(&app, peer, &headers).await {
        Ok(system) => system,
        Err(response) => return response,
    };
    if !is_json(text(&headers, header::CONTENT_TYPE)) {
        return problem(HttpProblem::UnsupportedMediaType);
    }
    if let Err(response) = app.reads.admit_list(system.id, app.clock.now()) {
        return response;
    }
    let body = match read_body_within(body, ACCOUNTS_BODY_MAX, WAIT).await {
        Ok(body) => body,
        Err(BodyError::TooLarge) => return problem(HttpProblem::TooLarge),
        Err(BodyError::Broken) => return problem(HttpProblem::BadRequest),
    };
    // Reading and comparing thousands of rows keeps a core busy, that questions run on.
    let (reader, runtime) = (app.clone(), tokio::runtime::Handle::current());
    let taken = app.reads.long(move || match parse_accounts(&body) {
        Ok(list) => runtime.block_on(take(&reader, &system, list)),
        Err(unreadable) => respond(input_problem(&unreadable, loose_correlation())),
    });
    taken.await.unwrap_or_else(|response| response)
}

async fn take(app: &App, system: &System, list: Vec<SentAccount>) -> Response {
    let row = |SentAccount { cells, role, purpose }| SentRow { cells: cells.into(), role, purpose };
    let rows = list.into_iter().map(row).collect();
    let at = (app.gate.store().as_ref(), app.clock.now());
    match sent::send(at, system, rows).await {
        Ok(Sent::Same) => respond(view(None, None).render(200)),
        Ok(Sent::Waits(changes, difference)) => {
            respond(view(Some(&changes), Some(&difference)).render(202))
        }
        Ok(Sent::Wrong(wrong)) => {
            let errors = wrong.into_iter().flat_map(|(number, faults)| {
                faults.into_iter().map(move |(column, wrong)| {
                    account_error(number, column as usize, wrong.sentence().0)
                })
            });
            let errors = errors.take(ERRORS_MAX).collect();
            let unreadable = Unreadable { errors, ..Unreadable::default() };
            respond(input_problem(&unreadable, loose_correlation()))
        }
        Err(refused) => unanswered(&refused),
    }
}

/// `GET /api/v1/accounts/changes/{id}`.
pub async fn changes(
    State(app): State<Shared>,
    peer: Peer,
    id: Result<Path<i64>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let system = match admitted(&app, peer, &headers).await {
        Ok(system) => system,
        Err(response) => return response,
    };
    let Ok(Path(id)) = id else { return problem(HttpProblem::NotFound) };
    let store = app.gate.store();
    let found = match store.desks().account_changes(id).await {
        Ok(found) => found.filter(|changes| changes.system == system.id),
        Err(error) => return failed(&error),
    };
    let Some(found) = found else { return problem(HttpProblem::NotFound) };
    if found.state != ChangesState::Waiting {
        return respond(view(Some(&found), None).render(200));
    }
    // As long a comparison as when it was sent.
    let (reader, runtime) = (app.clone(), tokio::runtime::Handle::current());
    let compared = app.reads.long(move || {
        let at = (reader.gate.store().as_ref(), reader.clock.now());
        match runtime.block_on(sent::difference(at, &found)) {
            Ok(difference) => respond(view(Some(&found), Some(&difference)).render(200)),
            Err(refused) => unanswered(&refused),
        }
    });
    compared.await.unwrap_or_else(|response| response)
}

fn unanswered(refused: &Refused) -> Response {
    match refused {
        Refused::Store(error) => failed(error),
        // Sending refuses for the store alone; anything else is our fault.
        _ => problem(HttpProblem::Internal),
    }
}

fn view(changes: Option<&AccountChanges>, difference: Option<&Difference>) -> AccountChangesView {
    let rows = changes.zip(difference).map_or_else(Vec::new, |(changes, difference)| {
        changes.rows.iter().zip(&difference.effects).collect()
    });
    let logins = |of: fn(&Effect) -> bool| {
        let rows = rows.iter().filter(|(_, effect)| of(effect));
        rows.filter_map(|(row, _)| row.cells.first().cloned()).collect()
    };
    let missing = difference.map_or(&[][..], |difference| &difference.missing);
    AccountChangesView {
        id: changes.map(|changes| changes.id),
        state: changes.map_or("unchanged", |changes| changes.state.code()),
        sent_at: changes.map(|changes| changes.sent_at),
        decided_at: changes.and_then(|changes| changes.decided).map(|(_, at)| at),
        answer_vi: changes.map(|c| c.answer.clone()).filter(|answer| !answer.is_empty()),
        added: logins(|effect| matches!(effect, Effect::Add(_))),
        changed: logins(|effect| matches!(effect, Effect::Change(..))),
        missing: missing.iter().map(|k| k.account.login.as_str().to_owned()).collect(),
    }
}
