//! Refusals of the gate in words for the counter: one sentence, the rule, what to do, whom to
//! call. And the outage: how to serve the person all the same.

use std::sync::atomic::{AtomicI64, Ordering};

use axum::http::StatusCode;
use dancu_domain::moment::Moment;
use dancu_domain::people::account::Phase;
use dancu_domain::people::roles::Role;
use dancu_domain::refusal::{Kind, Reason};
use dancu_gate::query::{Denied, Reply};
use dancu_portal::counter::{Outage, Outcome};
use dancu_portal::parts::Refusal;
use dancu_portal::text::Text;
use dancu_store::desks::News;

use super::code;
use crate::portal::frame;
use crate::portal::signed::Signed;

/// Since when nothing could be journaled on this node, ms; 0 while it can.
static DOWN_SINCE: AtomicI64 = AtomicI64::new(0);

/// From this many seconds on a wait is told in minutes.
const MINUTES_FROM_S: u32 = 120;

/// Notes whether questions are answered: the outage page says since when they are not.
pub(super) fn note_health(reply: &Reply, at: Moment) {
    if is_outage(reply) {
        let _ = DOWN_SINCE.compare_exchange(0, at.0, Ordering::Relaxed, Ordering::Relaxed);
    } else {
        DOWN_SINCE.store(0, Ordering::Relaxed);
    }
}

fn is_outage(reply: &Reply) -> bool {
    let kind = |denied: &Denied| denied.refusal.reason.text().kind;
    reply.result.as_ref().is_err_and(|denied| kind(denied) == Kind::Unavailable)
}

/// A refusal or an outage, with its status.
pub(super) async fn outcome(
    signed: &Signed,
    denied: &Denied,
    reply: &Reply,
    at: Moment,
    text: &Text,
) -> (StatusCode, Outcome) {
    let kind = denied.refusal.reason.text().kind;
    let status = StatusCode::from_u16(kind.http_status()).unwrap_or(StatusCode::FORBIDDEN);
    if is_outage(reply) {
        return (status, Outcome::Outage(outage(signed, reply, at).await));
    }
    (status, Outcome::Refused(refusal(signed, denied, reply, text).await))
}

/// The sentence with what belongs to it.
pub(super) async fn refusal(
    signed: &Signed,
    denied: &Denied,
    reply: &Reply,
    text: &Text,
) -> Refusal {
    let reason = denied.refusal.reason;
    let words = reason.text();
    let wait = denied.refusal.retry_after_s.map(|seconds| wait(seconds, text));
    let resets = reply.usage.map_or_else(|| resets(signed), |usage| frame::stamp(usage.resets_at));
    let centre = signed.shell().help_phone;
    let whom = match helper(reason) {
        Helper::Head => head(signed).await.unwrap_or(centre),
        Helper::Centre => centre,
    };
    Refusal {
        sentence: signed.say(words.title_vi, words.title).to_owned(),
        what_to_do: what_to_do(reason, wait.as_deref(), &resets, text),
        whom,
        rule: words.rule.code().to_owned(),
        code: code::of(reply.correlation),
    }
}

/// When counts begin anew.
fn resets(signed: &Signed) -> String {
    let profile = signed.app.gate.store().profiles().at(signed.now);
    frame::stamp(profile.hours.duty(signed.now).resets_at)
}

fn wait(seconds: u32, text: &Text) -> String {
    if seconds < MINUTES_FROM_S {
        text.with("refusal-seconds", "count", seconds)
    } else {
        text.with("refusal-minutes", "count", seconds.div_ceil(60))
    }
}

/// Who can help.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Helper {
    Head,
    Centre,
}

/// The head answers for what is registered; the centre for what should not happen.
const fn helper(reason: Reason) -> Helper {
    match key(reason).as_bytes() {
        b"refusal-do-again" | b"refusal-do-pace" => Helper::Centre,
        _ => Helper::Head,
    }
}

/// Whether an officer may meet it, and can do more about it than ask again.
pub(super) fn is_of_the_counter(reason: Reason) -> bool {
    let of_systems = matches!(
        reason,
        Reason::SystemAccountVerifiesOnly | Reason::PlanDoesNotCover | Reason::PlanUsedUp
    );
    !of_systems && key(reason) != "refusal-do-again"
}

/// Key of what to do.
const fn key(reason: Reason) -> &'static str {
    match reason {
        Reason::ConnectionNotLive => "refusal-do-connection",
        Reason::ConnectionLocked | Reason::LineLocked => "refusal-do-locked",
        Reason::ChannelNotAllowed => "refusal-do-channel",
        Reason::AccountUnknown
        | Reason::AccountWithoutService
        | Reason::SystemAccountVerifiesOnly
        | Reason::PlanDoesNotCover => "refusal-do-account",
        Reason::ServiceNotGranted
        | Reason::ProcedureWithoutService
        | Reason::WindowNotRegistered => "refusal-do-service",
        Reason::FieldNotGranted => "refusal-do-field",
        Reason::ProcedureUnknown
        | Reason::ProcedureWithoutPurpose
        | Reason::PurposeNotRegistered => "refusal-do-procedure",
        Reason::CaseCodeMissing => "refusal-do-case",
        Reason::LineUsedUp | Reason::OffHoursUsedUp | Reason::PlanUsedUp => "refusal-do-count",
        Reason::AccountHardStop => "refusal-do-own",
        Reason::PaceRequests | Reason::PacePersons => "refusal-do-pace",
        Reason::RequestIdConflict
        | Reason::InvalidInput
        | Reason::NotOffered
        | Reason::TooLarge
        | Reason::JobsOpen
        | Reason::JobTooLarge
        | Reason::ShapeNotRegistered
        | Reason::CannotJournal
        | Reason::RecordDamaged
        | Reason::JournalInDoubt => "refusal-do-again",
    }
}

/// What to do about a refusal. `wait`: how long it lasts, where that is known; `resets`: when
/// counts begin anew.
pub(super) fn what_to_do(reason: Reason, wait: Option<&str>, resets: &str, text: &Text) -> String {
    match (key(reason), wait) {
        ("refusal-do-locked", Some(wait)) => text.with("refusal-do-locked-until", "wait", wait),
        ("refusal-do-pace", Some(wait)) => text.with("refusal-do-pace", "wait", wait),
        ("refusal-do-pace", None) => text.get("refusal-do-again"),
        (key @ ("refusal-do-count" | "refusal-do-own"), _) => text.with(key, "time", resets),
        (key, _) => text.get(key),
    }
}

/// The head of the unit with the telephone number; none where nobody holds the role today or the
/// store does not answer.
async fn head(signed: &Signed) -> Option<String> {
    let people = signed.app.gate.store().people().leaders_of(&signed.person.unit).await;
    let people = people.map_err(|error| {
        tracing::warn!(error = %error, "counter.refusal could not read who leads the unit");
    });
    let today = signed.today();
    let leads = people.ok()?.into_iter().find(|person| {
        matches!(person.account.phase, Phase::Open(_))
            && person.grants.on(today).any(|grant| grant.role == Role::Head)
    })?;
    let parts = [leads.name, leads.phone];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    Some(parts.join(" – "))
}

async fn outage(signed: &Signed, reply: &Reply, at: Moment) -> Outage {
    let since = match DOWN_SINCE.load(Ordering::Relaxed) {
        0 => at,
        ms => Moment(ms),
    };
    Outage {
        since: frame::time(since),
        expected: expected(signed).await,
        whom: signed.shell().help_phone,
        code: code::of(reply.correlation),
    }
}

/// When an announced maintenance or incident is to be over; none where none is announced, or even
/// that cannot be read.
async fn expected(signed: &Signed) -> Option<String> {
    let now = signed.now;
    let announced = signed.app.gate.store().desks().announcements(now).await.ok()?;
    let running = announced.into_iter().filter(|news| {
        matches!(news.kind, News::Maintenance | News::Incident)
            && news.from <= now
            && news.ended_at.is_none()
    });
    running.filter_map(|news| news.to).filter(|to| *to > now).max().map(frame::time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dancu_portal::text::Language;

    #[test]
    fn rule_a3_each_refusal_says_what_to_do_in_both_languages() {
        for language in [Language::Vietnamese, Language::English] {
            let text = Text::new(language);
            for reason in Reason::ALL {
                for wait in [None, Some("3 s")] {
                    let said = what_to_do(*reason, wait, "07:00 03/03/2026", &text);
                    assert!(said.ends_with('.') && !said.contains(['{', '[']), "{reason:?} {said}");
                }
            }
            assert!(wait(30, &text).starts_with("30 ") && wait(150, &text).starts_with("3 "));
        }
    }
}
