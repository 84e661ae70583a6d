//! What a system reads about itself: usage, refusals, its own journal (F1).
//!
//! These reads leave no entry of their own. F1 asks to journal every connection, sharing and use:
//! the connection is journaled with its token (who, from where, when), and nothing of the
//! population is shared or used here - the journal itself is told without personal data. An entry
//! per read would let a reader fill the journal, which grows by every look at it.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use dancu_domain::ids::AccountId;
use dancu_domain::refusal::Reason;
use dancu_domain::registration::System;
use dancu_domain::rule::RuleId;
use dancu_domain::service::{Service, Window};
use dancu_gate::query::CorrelationId;
use dancu_journal::{Body, Decision, Entry, Query};
use dancu_wire::rest::{
    AccountLabel, AccountUse, EntryAnswer, EntryDecision, JournalEntryView, JournalPage, LineUse,
    LockView, OffHoursTotal, RefusalView, UsageView, input_problem, parse_from, public_reason,
};

use super::peer::Peer;
use super::reads::{self, admitted};
use super::respond;
use crate::app::{App, Shared, loose_correlation};

/// Entries of one journal page.
const PAGE: usize = 500;

/// `GET /api/v1/usage`.
pub async fn usage(State(app): State<Shared>, peer: Peer, headers: HeaderMap) -> Response {
    match admitted(&app, peer, &headers).await {
        Ok(system) => respond(view(&app, &system).render()),
        Err(response) => response,
    }
}

fn view(app: &App, system: &System) -> UsageView {
    let now = app.clock.now();
    let store = app.gate.store();
    let profile = store.profiles().at(now);
    let duty = profile.hours.duty(now);
    store.ledger().lines(|counts| {
        let mut lines = vec![];
        for grant in system.services.iter().flatten() {
            for window in [Window::InHours, Window::OffHours] {
                let Some(line) = grant.line(window) else { continue };
                let day = counts.line_day(line.id, duty.day);
                let registered = line.limit(now).count;
                let lock = counts.lock_in_force(system.id, line.id, now);
                lines.push(LineUse {
                    service: grant.service,
                    window,
                    registered,
                    used: day.used,
                    left: registered.saturating_sub(day.used),
                    resets_at: duty.resets_at,
                    exceedances: day.exceedances,
                    locked: lock.map(|l| LockView {
                        since: l.since,
                        rule_id: RuleId::D3.code(),
                        until: l.until,
                    }),
                });
            }
        }
        let factor = profile.counts.account_hard_stop_factor;
        let accounts = system.accounts.iter().map(|a| AccountUse {
            login: a.login.as_str().to_owned(),
            daily: a.daily,
            used: counts.account_used(a.id, duty.day),
            hard_stop: a.daily.saturating_mul(factor),
        });
        UsageView {
            duty_day: duty.day.date().to_string(),
            window: duty.window,
            lines,
            off_hours_total: OffHoursTotal {
                cap: profile.counts.off_hours_cap,
                used: counts.off_hours_used(system.id, duty.day),
            },
            accounts: accounts.collect(),
        }
    })
}

/// `GET /api/v1/refusals/{correlationId}`.
pub async fn refusal(
    State(app): State<Shared>,
    peer: Peer,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let found = reads::own(&app, peer, &headers, move |app, system| {
        let mut bytes = [0; 16];
        // A path that is no text names no refusal either.
        if !id.is_ok_and(|Path(id)| hex::decode_to_slice(&id, &mut bytes).is_ok()) {
            return Ok(None);
        }
        let correlation = CorrelationId(bytes);
        let entry = app.gate.refusal(system.id, correlation)?;
        Ok(entry.and_then(|entry| refused(&entry, correlation)))
    });
    found.await.map_or_else(|response| response, |view| respond(view.render()))
}

fn refused(entry: &Entry, correlation: CorrelationId) -> Option<RefusalView> {
    let Body::Query(q) = &entry.body else { return None };
    Some(RefusalView {
        correlation,
        reason: Reason::from_number(q.reason)?,
        at: dancu_domain::moment::Moment(entry.arrival),
        service: Service::from_index(q.service),
        journal_index: entry.index,
    })
}

/// `GET /api/v1/journal?from=N`.
pub async fn journal(
    State(app): State<Shared>,
    peer: Peer,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let from = query.split('&').find_map(|p| p.strip_prefix("from="));
    let from = match parse_from(from) {
        Ok(from) => from,
        Err(unreadable) => {
            // Only who may ask learns what was wrong.
            let refused = respond(input_problem(&unreadable, loose_correlation()));
            return admitted(&app, peer, &headers).await.err().unwrap_or(refused);
        }
    };
    let found =
        reads::own(&app, peer, &headers, move |app, system| page(app, system, from).map(Some));
    found.await.map_or_else(|response| response, |page| respond(page.render()))
}

fn page(app: &App, system: &System, from: u64) -> dancu_store::Result<JournalPage> {
    let mut entries = app.gate.store().entries_of_system(system.id.0, from, PAGE + 1)?;
    let next = entries.get(PAGE).map(|e| e.index);
    entries.truncate(PAGE);
    let entries = entries.iter().filter_map(|e| entry_view(system, e)).collect();
    Ok(JournalPage { entries, next })
}

fn entry_view(system: &System, entry: &Entry) -> Option<JournalEntryView> {
    let Body::Query(q) = &entry.body else { return None };
    // Whatever a search says: nobody is shown another system's entries.
    if q.system != system.id.0 {
        return None;
    }
    let mut correlation = [0; 16];
    correlation[..8].copy_from_slice(&entry.index.to_be_bytes());
    correlation[8..].copy_from_slice(&entry.nonce);
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Some(JournalEntryView {
        index: entry.index,
        at: dancu_domain::moment::Moment(entry.arrival),
        decision: match q.decision {
            Decision::Accepted => EntryDecision::Accepted,
            Decision::Refused => EntryDecision::Refused,
            Decision::Repeat => EntryDecision::Repeat,
        },
        rule_id: RuleId::from_code(&q.rule).map(RuleId::code),
        reason: Reason::from_number(q.reason).map(public_reason),
        service: Service::from_index(q.service),
        window: Window::from_index(q.window).unwrap_or(Window::InHours),
        duty_day: dancu_domain::moment::DutyDay(q.duty_day).date().to_string(),
        account: account_label(system, q),
        procedure: some(&q.procedure),
        case_code: some(&q.case),
        purpose: some(&q.purpose),
        counted: q.counted,
        channel: match q.protocol {
            1 => "soap",
            3 => "lgsp",
            4 => "portal",
            _ => "rest",
        },
        request_id_digest: some(&q.request_id).map(|id| {
            let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, id.as_bytes());
            hex::encode(&digest.as_ref()[..16])
        }),
        answer: answer_class(q.answer),
        correlation_id: CorrelationId(correlation),
    })
}

fn account_label(system: &System, q: &Query) -> Option<AccountLabel> {
    let id = AccountId(q.account);
    match (q.account, system.accounts.by_id(id)) {
        (0, _) => None,
        (_, Some(account)) => Some(AccountLabel::of(&account.login, id)),
        (_, None) => Some(AccountLabel::row(id)),
    }
}

/// Classes of answer, as numbered in the journal format.
fn answer_class(class: u8) -> Option<EntryAnswer> {
    match class {
        1 | 5 => Some(EntryAnswer::Match),
        2 => Some(EntryAnswer::NoMatch),
        3 | 4 | 8 => Some(EntryAnswer::Delivered),
        6 => Some(EntryAnswer::Mismatch),
        7 => Some(EntryAnswer::Unknown),
        _ => None,
    }
}
