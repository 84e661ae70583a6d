//! The last calls of a system, by the journal, and the sign-ins that this node refused. Nothing of
//! whom a call was about (A6): no subject, no case, no officer.

use axum::extract::{Path, Query};
use dancu_access::AuthFailure;
use dancu_domain::moment::Moment;
use dancu_domain::people::powers::Power;
use dancu_domain::refusal::Reason;
use dancu_domain::service::Service;
use dancu_gate::query::CorrelationId;
use dancu_journal::{Body, Decision, Entry};
use dancu_portal::integrator::{Call, Calls, RefusedSignIn};
use dancu_portal::parts::{State, states};
use serde::Deserialize;

use super::Own;
use crate::portal::signed::Signed;
use crate::portal::{frame, words};
use crate::refused::{Row, Way};
use crate::stop::Handled;

/// Calls that are shown.
const CALLS: usize = 100;
/// Answered once more, not counted.
const REPEATED: State = State { class: "info", icon: "refresh-cw", key: "calls-repeat" };

/// The filter, in the address.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Filter {
    show: String,
}

/// `GET /integrator/{code}/calls`
pub(super) async fn show(
    signed: Signed,
    Path(code): Path<String>,
    Query(filter): Query<Filter>,
) -> Handled {
    let own = Own::find(&signed, &code, Power::DebugCalls).await?;
    let (store, id) = (signed.app.gate.store().clone(), own.system.id);
    let read = move || store.last_entries_of_system(id.0, CALLS);
    let entries = match signed.app.reads.long(read).await {
        Ok(Ok(entries)) => entries,
        Ok(Err(error)) => return Ok(words::unread(&signed, &error)),
        Err(_) => return Ok(frame::unavailable(&signed)),
    };
    let refused_only = filter.show == "refused";
    let calls = entries.iter().filter_map(|entry| call(&signed, entry));
    let sign_ins = signed.app.refused.of(id);
    Ok(frame::page(&Calls {
        tabs: own.tabs(&signed),
        refused_only,
        calls: calls.filter(|call| !refused_only || !call.reason.is_empty()).collect(),
        sign_ins: sign_ins.iter().map(sign_in).collect(),
        s: signed.shell(),
        t: signed.text(),
    }))
}

fn call(signed: &Signed, entry: &Entry) -> Option<Call> {
    let Body::Query(query) = &entry.body else { return None };
    let t = signed.text();
    let reason = Reason::from_number(query.reason).filter(|_| query.decision == Decision::Refused);
    let text = reason.map(Reason::text);
    let mut correlation = [0; 16];
    correlation[..8].copy_from_slice(&entry.index.to_be_bytes());
    correlation[8..].copy_from_slice(&entry.nonce);
    // What to do is told in Vietnamese only, as it is to the systems themselves.
    Some(Call {
        time: moment(Moment(entry.arrival)),
        way: match query.protocol {
            1 => "SOAP",
            3 => "LGSP",
            4 => "Portal",
            _ => "REST",
        },
        service: Service::from_index(query.service)
            .map(|service| words::service(&t, service))
            .unwrap_or_default(),
        state: match query.decision {
            Decision::Accepted => states::ANSWERED,
            Decision::Repeat => REPEATED,
            Decision::Refused => states::REFUSED,
        },
        reason: text
            .map(|text| signed.say(text.title_vi, text.title).to_owned())
            .unwrap_or_default(),
        what_to_do: text
            .map(|text| signed.say(text.what_to_do_vi, text.what_to_do).to_owned())
            .unwrap_or_default(),
        rule: text.map(|text| text.rule.code().to_owned()).unwrap_or_default(),
        request: query.request_id.clone(),
        correlation: CorrelationId(correlation).to_string(),
    })
}

/// `HH:MM:SS dd/mm/yyyy` in Viet Nam.
fn moment(at: Moment) -> String {
    let second = at.0.div_euclid(1_000).rem_euclid(60);
    format!("{}:{second:02} {}", frame::time(at), frame::day(at))
}

fn sign_in(row: &Row) -> RefusedSignIn {
    RefusedSignIn {
        last: moment(row.last),
        way: match row.way {
            Way::Soap => "calls-way-soap",
            Way::Token => "calls-way-token",
            Way::Client => "calls-way-client",
        },
        key: match row.failure {
            AuthFailure::Missing => "calls-why-missing",
            AuthFailure::Malformed => "calls-why-malformed",
            AuthFailure::Wrong | AuthFailure::Unavailable => "calls-why-wrong",
            AuthFailure::Stale => "calls-why-stale",
            AuthFailure::Replayed => "calls-why-replayed",
            AuthFailure::ForeignSubsystem => "calls-why-subsystem",
            AuthFailure::ForeignCertificate => "calls-why-certificate",
            AuthFailure::ForeignSource => "calls-why-source",
        },
        source: row.source.map(|source| source.to_string()).unwrap_or_default(),
        count: row.count,
        clock: row.clock_off_ms.map(difference).unwrap_or_default(),
    }
}

/// `+0:07:00` where the sender's clock is ahead.
fn difference(behind_ms: i64) -> String {
    let sign = match behind_ms / 1_000 {
        0 => "",
        1.. => "−",
        _ => "+",
    };
    let seconds = behind_ms.unsigned_abs() / 1_000;
    format!("{sign}{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}
