//! What stands around every page, and the answers that are no page of a desk: elsewhere, refused,
//! missing, busy.

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use dancu_domain::moment::{MINUTE_MS, Moment, VIET_NAM_OFFSET_MS};
use dancu_domain::people::MachineTime;
use dancu_domain::people::reasons::{Answer, PortalReason};
use dancu_domain::people::session::idle_ms;
use dancu_domain::service::Window;
use dancu_portal::Page;
use dancu_portal::entry::Refused;
use dancu_portal::error::{ErrorPage, Wrong};
use dancu_portal::parts::{FieldError, Refusal};
use dancu_portal::shell::{MOST_ENTRIES, NavItem, Shell};
use dancu_portal::text::{Language, Text};
use jiff::civil::Date;
use serde::Deserialize;

use super::assets::BUILD;
use super::entry::confirm;
use super::kept::Kept;
use super::signed::{Facts, Framed, Signed};
use crate::app::{App, loose_correlation};

/// Seconds after which a busy answer is worth another try.
pub(super) const RETRY_S: u32 = 2;

static VIETNAMESE: LazyLock<Text> = LazyLock::new(|| Text::new(Language::Vietnamese));
static ENGLISH: LazyLock<Text> = LazyLock::new(|| Text::new(Language::English));

/// The texts of a language, read once.
pub fn text(lang: Language) -> Text {
    match lang {
        Language::Vietnamese => VIETNAMESE.clone(),
        Language::English => ENGLISH.clone(),
    }
}

/// A page.
pub fn page(page: &impl Page) -> Response {
    page_with(StatusCode::OK, page)
}

/// A page with another status: 422 for a form with errors.
pub fn page_with(status: StatusCode, page: &impl Page) -> Response {
    let Ok(html) = page.html() else {
        tracing::error!("a page could not be written");
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        return response;
    };
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// Leads to a path of this portal: after a post, or where something else comes first.
pub fn to(path: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let place = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(header::LOCATION, place);
    response
}

/// What was done a moment ago, by its word in the address: `?told=changed`. After a post the page
/// is loaded anew, and says so.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Told {
    told: String,
}

impl Told {
    /// The key of its sentence among those of a page; none for a word that is none of them.
    pub fn key(&self, of: &[(&str, &'static str)]) -> Option<&'static str> {
        of.iter().find(|(word, _)| *word == self.told).map(|(_, key)| *key)
    }
}

/// Leads to the person's desk: the first entry of the left column.
pub fn to_desk(signed: &Signed) -> Response {
    let desk = signed.portal().entries.iter().find(|entry| signed.holds(entry.power));
    to(desk.map_or("/account/factors", |entry| entry.href))
}

/// A file to be stored; `name` in ASCII.
pub fn file(name: &str, kind: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let place = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    headers.insert(
        header::CONTENT_DISPOSITION,
        place.unwrap_or(HeaderValue::from_static("attachment")),
    );
    response
}

/// A refusal as a page: its status, the sentence, the rule, what to do, whom to call. Where a fresh
/// factor is missing it is the page that asks for it.
pub fn refused(signed: &Signed, reason: PortalReason) -> Response {
    if reason == PortalReason::FreshMfaNeeded {
        return confirm::ask(signed, &Kept::page(&signed.here));
    }
    refused_as(signed, reason)
}

/// The same for a visitor, who cannot be asked for a factor.
pub fn refused_as(who: &impl Framed, reason: PortalReason) -> Response {
    let body = Refused { t: who.text(), s: who.shell(), refusal: refusal(who, reason) };
    let answer = reason.text().answer;
    let status = StatusCode::from_u16(answer.http_status()).unwrap_or(StatusCode::FORBIDDEN);
    let mut response = page_with(status, &body);
    if matches!(answer, Answer::Busy | Answer::Later) {
        retry_after(&mut response, RETRY_S);
    }
    as_a_whole(who, response)
}

/// A refusal as a part of a page.
pub fn refusal(facts: &Facts, reason: PortalReason) -> Refusal {
    let text = reason.text();
    Refusal {
        sentence: facts.say(text.text_vi, text.text).to_owned(),
        what_to_do: facts.say(text.what_to_do_vi, text.what_to_do).to_owned(),
        whom: help_phone(facts),
        rule: text.rule.code().to_owned(),
        code: loose_correlation().to_string(),
    }
}

/// There is no such page.
pub fn missing(who: &impl Framed) -> Response {
    wrong_page(who, Wrong::Missing, None)
}

/// We cannot answer just now; the caller of this logs why.
pub fn unavailable(who: &impl Framed) -> Response {
    let mut response = wrong_page(who, Wrong::Busy, None);
    retry_after(&mut response, RETRY_S);
    response
}

/// Something went wrong as a whole. `wait_s`: seconds until another try makes sense.
pub fn wrong_page(who: &impl Framed, what: Wrong, wait_s: Option<u32>) -> Response {
    error_page(who, who.shell(), what, wait_s)
}

pub(super) fn error_page(facts: &Facts, s: Shell, what: Wrong, wait_s: Option<u32>) -> Response {
    let again = wait_s.map(|s| time(facts.now.plus_ms(i64::from(s) * 1_000)));
    let code = loose_correlation().to_string();
    let body = ErrorPage { t: facts.text(), s, wrong: what, again, code };
    let status = StatusCode::from_u16(what.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = page_with(status, &body);
    if let Some(seconds) = wait_s {
        retry_after(&mut response, seconds);
    }
    as_a_whole(facts, response)
}

/// Says when to try again.
pub fn retry_after(response: &mut Response, seconds: u32) {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
}

/// Makes an answer stand in the place of the whole page where it was asked for as a part of one.
pub(super) fn as_a_whole(facts: &Facts, mut response: Response) -> Response {
    if facts.htmx {
        let mut set = |name, value| {
            response
                .headers_mut()
                .insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        };
        set("hx-retarget", "body");
        set("hx-reswap", "innerHTML");
        // What the form would cut out of the answer is not in this page.
        set("hx-reselect", "unset");
        set("hx-push-url", "false");
    }
    response
}

/// An error beside a field.
pub fn wrong(field: &'static str, sentence: impl Into<String>) -> FieldError {
    FieldError { field, sentence: sentence.into() }
}

/// A reason as an error beside a field: what is wrong and what to do.
pub fn reason_error(lang: Language, field: &'static str, reason: PortalReason) -> FieldError {
    wrong(field, sentences(lang, reason))
}

/// A reason and what to do, as running text.
pub fn sentences(lang: Language, reason: PortalReason) -> String {
    let text = reason.text();
    match lang {
        Language::Vietnamese => format!("{} {}", text.text_vi, text.what_to_do_vi),
        Language::English => format!("{} {}", text.text, text.what_to_do),
    }
}

// --- the frame -----------------------------------------------------------------------------------

/// The frame without a person.
pub fn shell(facts: &Facts) -> Shell {
    let hours = &facts.app.gate.store().profiles().at(facts.now).hours;
    let in_hours = hours.duty(facts.now).window == Window::InHours;
    let ends = if in_hours { hours.to_minute } else { hours.from_minute };
    Shell {
        language: facts.lang,
        theme: facts.theme,
        sandbox: facts.app.clock.is_sandbox(),
        person: None,
        clock: time(facts.now),
        moment: facts.now.rfc3339(),
        day: day(facts.now),
        in_hours,
        until: format!("{:02}:{:02}", ends / 60, ends % 60),
        entries: vec![],
        csrf: facts.csrf.clone(),
        kept: vec![],
        unread: None,
        idle_seconds: 0,
        here: facts.here.clone(),
        help_phone: help_phone(facts),
        version: BUILD.clone(),
        warn_at: warn_at(facts),
    }
}

/// The first warning of D2; a profile without warnings has its end alone.
fn warn_at(facts: &Facts) -> u8 {
    let counts = &facts.app.gate.store().profiles().at(facts.now).counts;
    counts.warn_at_percent.first().copied().unwrap_or(100)
}

fn help_phone(facts: &Facts) -> String {
    facts.portal().help_phone(&facts.text())
}

/// The left column: what the person's roles of today open, the own account last.
pub(super) fn entries(signed: &Signed) -> Vec<NavItem> {
    let path = signed.here.split('?').next().unwrap_or_default();
    let inside = |href: &str| {
        path.strip_prefix(href).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let held = signed.portal().entries.iter().filter(|entry| signed.holds(entry.power));
    let mut items: Vec<_> = held
        .take(MOST_ENTRIES - 1)
        .map(|entry| NavItem {
            href: entry.href.to_owned(),
            icon: entry.icon,
            key: entry.key,
            current: inside(entry.href),
        })
        .collect();
    items.push(NavItem {
        href: "/account/factors".into(),
        icon: "user",
        key: "nav-account",
        current: inside("/account"),
    });
    items
}

/// Seconds without a key until the screen locks (E2).
pub(super) fn idle_seconds(signed: &Signed) -> u32 {
    let profile = signed.app.gate.store().profiles().at(signed.now);
    let ms = idle_ms(signed.session.class, &profile.sign_in);
    u32::try_from(ms / 1_000).unwrap_or(u32::MAX)
}

// --- times ---------------------------------------------------------------------------------------

/// `dd/mm/yyyy` in Viet Nam.
pub fn day(at: Moment) -> String {
    date(at.viet_nam_date())
}

/// `dd/mm/yyyy`.
pub fn date(day: Date) -> String {
    format!("{:02}/{:02}/{:04}", day.day(), day.month(), day.year())
}

/// `HH:MM` in Viet Nam.
pub fn time(at: Moment) -> String {
    let minutes = (at.0 + VIET_NAM_OFFSET_MS).div_euclid(MINUTE_MS).rem_euclid(24 * 60);
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// `HH:MM dd/mm/yyyy` in Viet Nam.
pub fn stamp(at: Moment) -> String {
    format!("{} {}", time(at), day(at))
}

/// An instant of the machine's clock as the product's clock would have shown it now.
pub fn of_machine(app: &App, at: MachineTime) -> Moment {
    Moment(at.0.saturating_add(app.clock.offset_ms()))
}

/// Reads `dd/mm/yyyy`, with or without leading zeros.
pub fn parse_day(text: &str) -> Option<Date> {
    let mut parts = text.trim().split(['/', '-', '.']);
    let mut number = |longest: usize| -> Option<i16> {
        let part = parts.next()?.trim();
        let digits =
            (1..=longest).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        if digits { part.parse().ok() } else { None }
    };
    let (day, month, year) = (number(2)?, number(2)?, number(4)?);
    if parts.next().is_some() || year < 1900 {
        return None;
    }
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// Reads `HH:MM dd/mm/yyyy`, an instant in Viet Nam.
pub fn parse_stamp(text: &str) -> Option<Moment> {
    let (clock, day) = text.trim().split_once(char::is_whitespace)?;
    let day = parse_day(day)?;
    let (hour, minute) = clock.split_once([':', 'h'])?;
    let whole = |part: &str, below: i64| -> Option<i64> {
        let digits = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        let number: i64 = part.parse().ok().filter(|_| digits)?;
        (number < below).then_some(number)
    };
    let minutes = whole(hour, 24)? * 60 + whole(minute, 60)?;
    let midnight = Moment::parse_rfc3339(&format!("{day}T00:00:00+07:00"))?;
    Some(midnight.plus_ms(minutes * MINUTE_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_page_does_is_told() {
        let of = [("changed", "officer-told-changed"), ("", "never")];
        let told = |word: &str| Told { told: word.into() }.key(&of[..1]);
        assert_eq!(told("changed"), Some("officer-told-changed"));
        assert_eq!((told("revoked"), told("")), (None, None));
    }

    #[test]
    fn times_are_written_and_read() {
        let at = Moment::parse_rfc3339("2026-03-01T17:05:09Z").unwrap();
        assert_eq!(stamp(at), "00:05 02/03/2026");
        assert_eq!(parse_stamp("00:05 02/03/2026"), Some(at.plus_ms(-9_000)));
        assert_eq!(parse_stamp("0:05  2/3/2026"), Some(at.plus_ms(-9_000)));
        assert_eq!(parse_stamp("7h30 2/3/2026").map(time), Some("07:30".into()));
        for wrong in ["", "24:00 02/03/2026", "00:60 02/03/2026", "02/03/2026", "+1:00 1/1/2026"] {
            assert_eq!(parse_stamp(wrong), None, "{wrong}");
        }
        for wrong in ["31/02/2026", "1/1/26", "2026/1/1", "1/1/2026/1", "a/1/2026", "1/+1/2026"] {
            assert_eq!(parse_day(wrong), None, "{wrong}");
        }
        assert_eq!(parse_day(" 29-2-2028 ").map(date), Some("29/02/2028".into()));
    }
}
