//! The way of every request to a page: who it is, whether the screen is open, whether the post
//! comes from a page of ours, whether a role gives the power, whether the second factor is fresh.
//! Whatever a desk does, it does behind this.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use dancu_access::people::{Look, Mark, Trouble, new_cookie};
use dancu_domain::people::powers::Mfa;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::session::Cause;
use dancu_domain::people::{MachineTime, PersonId};
use dancu_portal::entry::Bounce;
use dancu_portal::error::Wrong;
use dancu_portal::text::Language;
use dancu_wire::rest::HttpProblem;

use super::cookies::Cookie;
use super::entry::{confirm, lock, pace};
use super::form::{Form, Upload};
use super::kept::Kept;
use super::signed::{Facts, Signed, Visitor};
use super::table::{Access, FORM_MAX, Reads, Row};
use super::{Portal, frame, paths};
use crate::app::Shared;
use crate::clock::machine_ms;
use crate::handlers::{problem, text};
use crate::places::Place;
use crate::stop::Stop;
use crate::tls::connection::Secure;

/// A form, and a file of 5 MiB, may take this long to arrive.
const BODY_WAIT: std::time::Duration = std::time::Duration::from_mins(1);
/// A larger file may take as long as a line of somewhat less than 1 Mbit/s needs, bytes a second: a
/// scan of 20 MiB has three minutes and a half.
const SLOWEST: usize = 100_000;
/// What was found before a body came holds this long; after a longer wait it is found again, since
/// who was revoked meanwhile does nothing more (E3).
const FOUND_HOLDS_MS: i64 = 500;
/// Characters of `User-Agent` that are looked at.
const AGENT_MAX: usize = 512;

/// The policy of every page (crates/portal/README.md).
const POLICY: &str = "default-src 'self'; form-action 'self'; frame-ancestors 'none'; \
                      base-uri 'none'; object-src 'none'";
/// Headers of every answer, unless the handler set them itself.
const HEADERS: [(&str, &str); 8] = [
    ("cache-control", "no-store"),
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
];

/// What was being typed before the screen locked; only the unlocking puts it on a request.
#[derive(Clone)]
pub struct PutBack(pub Vec<(String, String)>);

/// A request that may go on to its handler.
pub struct Passed {
    /// With who it is, and the form.
    pub request: Request,
    /// A cookie that the browser does not have yet.
    pub cookie: Option<HeaderValue>,
    /// The place of a file that was read, until its handler is done.
    pub upload: Option<Place<PersonId>>,
}

/// Adds what every answer carries.
pub fn finished(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        let name = HeaderName::from_static(name);
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Some(cookie) = cookie {
        headers.append(header::SET_COOKIE, cookie);
    }
    response
}

/// Takes a request to its handler, or answers it.
pub async fn pass(app: &Shared, row: Row, request: Request) -> Result<Passed, Stop> {
    let (mut parts, body) = request.into_parts();
    let Some(portal) = app.portal.clone() else {
        return Err(problem(HttpProblem::NotFound).into());
    };
    let (facts, cookie) = facts(app, portal, &parts);
    if !facts.secure && !facts.source.to_canonical().is_loopback() {
        return Err(error(&facts, Wrong::Insecure).into());
    }
    let session = Cookie::Session.read(&parts.headers, facts.secure).map(ToOwned::to_owned);
    let here = Here { row, parts: &parts, facts: &facts, session: session.as_deref() };
    if row.method == "POST" && here.is_foreign() {
        return Err(error(&facts, Wrong::Forged).into());
    }
    let found = here.look().await?;
    here.paced(&found)?;
    // All that headers and cookie say is settled before anything is read.
    let mut verdict = here.paid(here.judge(found)?);
    let upload = here.place(&verdict)?;
    let sent = here.read(body, &verdict).await?;
    if let Some(sent) = &sent
        && row.method == "POST"
        && !here.is_ours(sent)
    {
        return Err(error(&facts, Wrong::Forged).into());
    }
    let sent = sent.unwrap_or_default();
    let machine = MachineTime(machine_ms());
    // Only who was let in is judged again: nobody is let in without the place and the token.
    if matches!(verdict, Verdict::On(_)) && machine.since(facts.machine) > FOUND_HOLDS_MS {
        let facts = Facts { now: app.clock.now(), machine, ..facts.clone() };
        let here = Here { facts: &facts, ..here };
        verdict = here.judge(here.look().await?)?;
    }
    match here.decided(verdict, &sent)? {
        Who::Signed(mut signed) => {
            if let Some(PutBack(kept)) = parts.extensions.remove() {
                signed.kept = kept;
            }
            // A form that is shown again is a whole page too.
            if !facts.htmx {
                let unread = app.gate.store().notices().unread(signed.person.id).await;
                // A page without its bell is better than none.
                signed.unread = unread.unwrap_or_default();
            }
            parts.extensions.insert(*signed);
        }
        Who::Visitor(visitor) => {
            parts.extensions.insert(*visitor);
        }
    }
    parts.extensions.insert(sent.form.clone());
    if let Some(upload) = sent.upload {
        parts.extensions.insert(upload);
    }
    let request = Request::from_parts(parts, Body::from(sent.bytes));
    let cookie = cookie.filter(|_| row.access == Access::Public);
    Ok(Passed { request, cookie, upload })
}

/// What the request says before anybody is known, and the browser's cookie where it is new.
pub(super) fn facts(
    app: &Shared,
    portal: Arc<Portal>,
    parts: &Parts,
) -> (Facts, Option<HeaderValue>) {
    let secure = parts.extensions.get::<Secure>().is_some();
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let source = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(a)| a.ip());
    let headers = &parts.headers;
    let (lang, theme) = chosen(Cookie::Look.read(headers, secure).unwrap_or_default());
    let sent = Cookie::Browser.read(headers, secure).filter(|c| Mark::of(c).is_some());
    let (browser, cookie) = if let Some(cookie) = sent {
        (cookie.to_owned(), None)
    } else {
        let made = new_cookie().unwrap_or_default();
        let header = Cookie::Browser.set(&made, secure).filter(|_| !made.is_empty());
        (made, header)
    };
    let csrf = Mark::of(&browser).map(|mark| portal.people.csrf(mark)).unwrap_or_default();
    let here = parts.uri.path_and_query().map_or("/", |p| p.as_str());
    let facts = Facts {
        app: app.clone(),
        lang,
        theme,
        csrf,
        now: app.clock.now(),
        machine: MachineTime(machine_ms()),
        source,
        agent: text(headers, header::USER_AGENT)
            .unwrap_or_default()
            .chars()
            .take(AGENT_MAX)
            .collect(),
        here: paths::local(here).unwrap_or("/").to_owned(),
        htmx: headers.contains_key("hx-request"),
        secure,
        device: Cookie::Device.read(headers, secure).map(ToOwned::to_owned),
        browser,
        portal,
    };
    (facts, cookie)
}

/// Language and theme of the cookie `vi.dark`.
fn chosen(look: &str) -> (Language, &'static str) {
    let (lang, theme) = look.split_once('.').unwrap_or((look, ""));
    let theme = ["light", "dark"].into_iter().find(|name| *name == theme).unwrap_or("");
    (Language::from_tag(lang).unwrap_or(Language::Vietnamese), theme)
}

fn error(facts: &Facts, what: Wrong) -> Response {
    frame::error_page(facts, facts.bare(), what, None)
}

/// A request under way.
struct Here<'a> {
    row: Row,
    parts: &'a Parts,
    facts: &'a Facts,
    session: Option<&'a str>,
}

/// Who was found.
enum Found {
    /// Nobody, or a session that is over, and why.
    Nobody(Option<PortalReason>),
    /// Somebody whose screen is locked.
    Locked(Box<Signed>),
    /// Somebody at work.
    Open(Box<Signed>),
}

/// Who goes on.
enum Who {
    Signed(Box<Signed>),
    Visitor(Box<Visitor>),
}

/// What is known of a request before its body is read.
enum Verdict {
    /// It goes on.
    On(Who),
    /// The screen is locked.
    Locked(Box<Signed>),
    /// No role gives the power.
    NoPower(Box<Signed>),
    /// A fresh second factor comes first.
    Stale(Box<Signed>),
    /// A proof of work comes first, or so many seconds.
    Unproved(Box<Signed>, u32),
}

/// A body that was read.
#[derive(Default)]
struct Sent {
    bytes: Bytes,
    form: Form,
    upload: Option<Upload>,
}

impl Here<'_> {
    /// Whether the browser says that a page of another site sent it. `Origin` cannot be asked:
    /// with `no-referrer` browsers send `null`.
    fn is_foreign(&self) -> bool {
        let site = text(&self.parts.headers, "sec-fetch-site");
        site.is_some_and(|site| site != "same-origin" && site != "none")
    }

    async fn look(&self) -> Result<Found, Stop> {
        let facts = self.facts;
        // A public page keeps no screen open.
        let public = self.row.access == Access::Public;
        let cause = if public { Cause::Page } else { Cause::Person };
        match facts.people().look(self.session, cause, facts.now, facts.machine).await {
            Ok(Look::Nobody) => Ok(Found::Nobody(None)),
            Ok(Look::Ended(reason)) => Ok(Found::Nobody(Some(reason))),
            Ok(Look::Locked(present)) => {
                Ok(Found::Locked(Signed::new(facts.clone(), present).into()))
            }
            Ok(Look::Open(present)) => {
                // Whoever was handed over to another unit a moment ago (B4) belongs to it in what
                // is registered too: no question need have come since.
                if let Err(error) = Box::pin(facts.app.gate.reload(facts.now)).await {
                    tracing::warn!(error = %error, "what is registered could not be loaded");
                }
                Ok(Found::Open(Signed::new(facts.clone(), present).into()))
            }
            // Public pages say what is going on even now.
            Err(_) if public => Ok(Found::Nobody(None)),
            Err(trouble) => Err(self.troubled(&trouble).into()),
        }
    }

    fn troubled(&self, trouble: &Trouble) -> Response {
        if let Trouble::Store(error) = trouble {
            tracing::warn!(error = %error, "a session could not be looked up");
        }
        self.busy()
    }

    /// Who is signed in is limited by the account, whoever else by the address, in what is posted.
    fn paced(&self, found: &Found) -> Result<(), Stop> {
        let (portal, facts) = (self.facts.portal(), self.facts);
        let admitted = match found {
            // Nobody is kept from locking or leaving.
            Found::Open(_) | Found::Locked(_) if matches!(self.row.path, "/lock" | "/sign-out") => {
                Ok(())
            }
            Found::Open(signed) | Found::Locked(signed) => {
                portal.pace.admit(signed.person.id, facts.machine)
            }
            Found::Nobody(_) if self.row.method == "POST" => {
                portal.throttle.admit(facts.source, &portal.networks, facts.machine)
            }
            Found::Nobody(_) => Ok(()),
        };
        admitted.map_err(|wait| {
            let s = match found {
                Found::Open(signed) => signed.shell(),
                Found::Locked(_) | Found::Nobody(_) => facts.bare(),
            };
            frame::error_page(facts, s, Wrong::TooMany, Some(wait)).into()
        })
    }

    /// The place in which a file is read, where one may be sent.
    fn place(&self, verdict: &Verdict) -> Result<Option<Place<PersonId>>, Stop> {
        let (Reads::File(_), Verdict::On(Who::Signed(signed))) = (self.row.reads, verdict) else {
            return Ok(None);
        };
        let place = self.facts.portal().uploads.take(signed.person.id);
        place.map(Some).map_err(|_| self.busy().into())
    }

    fn busy(&self) -> Response {
        let mut response = error(self.facts, Wrong::Busy);
        frame::retry_after(&mut response, frame::RETRY_S);
        response
    }

    /// Reads the body. Whoever is not let in sends no file: a form's bytes are enough for its
    /// token, and more are not read (`None`).
    async fn read(&self, body: Body, verdict: &Verdict) -> Result<Option<Sent>, Stop> {
        let file = match (self.row.reads, verdict) {
            (Reads::Nothing, _) => return Ok(Some(Sent::default())),
            (Reads::File(most), Verdict::On(_)) | (Reads::Form(most), _) => Ok(most),
            (Reads::File(_), _) => Err(FORM_MAX),
        };
        let (Ok(most) | Err(most)) = file;
        let said = body.size_hint().upper();
        if file.is_err() && said.is_none_or(|said| said > most as u64) {
            return Ok(None);
        }
        let wait = std::time::Duration::from_secs((most / SLOWEST) as u64).max(BODY_WAIT);
        let read = tokio::time::timeout(wait, to_bytes(body, most)).await;
        let bytes = match read {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(cause)) => {
                let over = cause.into_inner().to_string().contains("length limit");
                let what = if over { Wrong::TooLarge } else { Wrong::Unreadable };
                return Err(error(self.facts, what).into());
            }
            Err(_) => return Err(error(self.facts, Wrong::Unreadable).into()),
        };
        self.taken_apart(bytes).map(Some)
    }

    fn taken_apart(&self, bytes: Bytes) -> Result<Sent, Stop> {
        let kind = text(&self.parts.headers, header::CONTENT_TYPE).unwrap_or_default();
        let is_file = matches!(self.row.reads, Reads::File(_));
        let unreadable = || Stop::from(error(self.facts, Wrong::Unreadable));
        if is_file && kind.starts_with("multipart/form-data") {
            let upload = Upload::parse(kind, &bytes).ok_or_else(unreadable)?;
            let form = upload.form.clone();
            return Ok(Sent { bytes, form, upload: Some(upload) });
        }
        if !kind.starts_with("application/x-www-form-urlencoded") {
            return Ok(Sent { bytes, form: Form::default(), upload: None });
        }
        let form = Form::parse(&bytes).ok_or_else(unreadable)?;
        Ok(Sent { bytes, form, upload: None })
    }

    /// Whether the post carries the token of its session, or on public pages of its browser.
    fn is_ours(&self, sent: &Sent) -> bool {
        let token = text(&self.parts.headers, "x-csrf-token").unwrap_or(sent.form.raw("csrf"));
        let fits = |cookie: &str| {
            Mark::of(cookie).is_some_and(|mark| self.facts.people().csrf_fits(mark, token))
        };
        let public = self.row.access == Access::Public;
        self.session.is_some_and(fits) || (public && fits(&self.facts.browser))
    }

    /// What session, role and factor say; nobody on a route for people is asked to sign in.
    fn judge(&self, found: Found) -> Result<Verdict, Stop> {
        let access = self.row.access;
        if access == Access::Public {
            let mut visitor = Visitor::new(self.facts.clone(), None);
            match found {
                Found::Open(signed) => visitor = Visitor::new(self.facts.clone(), Some(*signed)),
                Found::Locked(_) => visitor.locked = true,
                Found::Nobody(_) => {}
            }
            return Ok(Verdict::On(Who::Visitor(visitor.into())));
        }
        let signed = match found {
            Found::Nobody(why) => return Err(self.sign_in_first(why).into()),
            Found::Locked(signed) | Found::Open(signed) if access == Access::Locked => {
                return Ok(Verdict::On(Who::Signed(signed)));
            }
            Found::Locked(signed) => return Ok(Verdict::Locked(signed)),
            Found::Open(signed) => signed,
        };
        if let Access::May(power) = access {
            if !signed.holds(power) {
                return Ok(Verdict::NoPower(signed));
            }
            if power.row().mfa == Mfa::Fresh && !signed.is_fresh() {
                return Ok(Verdict::Stale(signed));
            }
        }
        Ok(Verdict::On(Who::Signed(signed)))
    }

    /// The same with the soft pace, which who is let in pays once.
    fn paid(&self, verdict: Verdict) -> Verdict {
        let free = matches!(self.row.access, Access::Public | Access::Locked);
        match verdict {
            Verdict::On(Who::Signed(signed)) if !free && self.row.path != pace::PATH => {
                let pace = &self.facts.portal().pace;
                match pace.admit_unproved(signed.person.id, self.facts.machine) {
                    Ok(()) => Verdict::On(Who::Signed(signed)),
                    Err(wait) => Verdict::Unproved(signed, wait),
                }
            }
            other => other,
        }
    }

    /// Who goes on, or the answer, with what was sent kept in it.
    fn decided(&self, verdict: Verdict, sent: &Sent) -> Result<Who, Stop> {
        Err(match verdict {
            Verdict::On(who) => return Ok(who),
            Verdict::Locked(signed) => lock::page(&signed, &self.kept(sent)),
            Verdict::NoPower(signed) => frame::refused_as(&*signed, PortalReason::NoPower),
            Verdict::Stale(signed) => confirm::ask(&signed, &self.kept(sent)),
            Verdict::Unproved(signed, wait) => pace::ask(&signed, &self.kept(sent), wait),
        }
        .into())
    }

    /// What comes back after unlocking, confirming or proving: the page, or the form that was
    /// sent. Files are chosen again.
    fn kept(&self, sent: &Sent) -> Kept {
        match self.row.reads {
            Reads::Form(_) => Kept::sent(&self.facts.here, &sent.form),
            Reads::Nothing | Reads::File(_) => Kept::page(&self.page()),
        }
    }

    /// The page that the request comes from or asks for.
    fn page(&self) -> String {
        let address = text(&self.parts.headers, "hx-current-url").filter(|_| self.facts.htmx);
        let of_address = |address: &str| {
            let (_, rest) = address.split_once("://")?;
            paths::back(&rest[rest.find('/')?..]).map(ToOwned::to_owned)
        };
        match address {
            Some(address) => of_address(address).unwrap_or_else(|| "/".into()),
            None if self.row.method == "GET" => self.facts.here.clone(),
            None => "/".into(),
        }
    }

    fn sign_in_first(&self, why: Option<PortalReason>) -> Response {
        let headers = &self.parts.headers;
        let facts = self.facts;
        // A session's cookie does not travel with a link of another site: from here it does.
        let from_elsewhere = text(headers, "sec-fetch-site") == Some("cross-site");
        if self.session.is_none() && from_elsewhere && self.row.method == "GET" && !facts.htmx {
            return frame::page(&Bounce { t: facts.text(), to: facts.here.clone() });
        }
        let page = self.page();
        let mut path = "/sign-in".to_owned();
        if let Some(back) = paths::back(&page).filter(|page| *page != "/") {
            path.extend(["?next=", &paths::escaped(back)]);
        }
        if let Some(why) = why {
            path.extend([if path.contains('?') { "&" } else { "?" }, "why=", why.name()]);
        }
        let mut response = frame::to(&path);
        if facts.htmx {
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            if let Ok(place) = HeaderValue::from_str(&path) {
                response.headers_mut().remove(header::LOCATION);
                response.headers_mut().insert(HeaderName::from_static("hx-redirect"), place);
            }
        }
        if self.session.is_some()
            && let Some(clear) = Cookie::Session.clear(facts.secure)
        {
            response.headers_mut().append(header::SET_COOKIE, clear);
        }
        response
    }
}
