//! A site in a folder of its own with one person per role, and a browser that keeps cookies.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, StatusCode, header};
use dancu_access::people::{Hasher, set_password, totp};
use dancu_domain::ids::{Login, UnitCode};
use dancu_domain::moment::{DAY_MS, Moment};
use dancu_domain::people::account::Account;
use dancu_domain::people::factors::RecoveryCodes;
use dancu_domain::people::grants::{Grant, Grants, Scope};
use dancu_domain::people::password::PasswordAge;
use dancu_domain::people::roles::{Class, Reach, Role, Term};
use dancu_domain::people::totp::Step;
use dancu_domain::people::{MachineTime, PersonId};
use dancu_domain::profile::{DEFAULT_PROFILE, Profiles};
use dancu_domain::registration::DateRange;
use dancu_gate::Gate;
use dancu_store::people::{self, Person, Recovery, Revision, Secrets, Totp};
use dancu_store::{OpenOptions, Store};
use tower_service::Service as _;

use crate::app::{App, Shared};
use crate::clock::{Clock, machine_ms};
use crate::config::PortalConfig;
use crate::config::dossiers::DossierConfig;
use crate::config::identity::IdentityConfig;
use crate::portal::Portal;
use crate::tls::connection::Secure;

/// Password of every person here.
pub const PASSWORD: &str = "ngựa vằn uống trà sen";
/// What somebody chooses in place of a password that was given.
pub const CHOSEN: &str = "thuyền giấy trôi ngang sông";
/// Secret of every person's app.
pub const SECRET: &[u8; 20] = b"12345678901234567890";

/// A running site.
pub struct Site {
    /// The program.
    pub app: Shared,
    router: Router,
    dir: PathBuf,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.app.gate.store().stop();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// The login of a role's person.
pub fn login(role: Role) -> String {
    format!("vai.{}", role.row().code.to_ascii_lowercase())
}

impl Site {
    /// A new one, with a person for every role.
    pub async fn new() -> Self {
        Self::with_identity(&IdentityConfig::default()).await
    }

    /// With an identity provider.
    pub async fn with_identity(identity: &IdentityConfig) -> Self {
        Self::with(identity, &DossierConfig::default()).await
    }

    /// With a script as the scanner of files.
    pub async fn scanning(script: &str) -> Self {
        let scanner = ["/bin/sh", "-c", script].map(str::to_owned).into();
        let dossiers = DossierConfig { scanner, ..DossierConfig::default() };
        Self::with(&<_>::default(), &dossiers).await
    }

    async fn with(identity: &IdentityConfig, dossiers: &DossierConfig) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("dancu-portal-{}-{number}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        let now = Moment(machine_ms());
        let options = OpenOptions {
            profiles: Arc::new(Profiles::parse(DEFAULT_PROFILE).unwrap()),
            master_key: <_>::default(),
            now,
            migrate: true,
            database: None,
        };
        let store = Arc::new(Store::open(&dir, options).unwrap());
        insert_people(&store, now).await;
        let gate = Gate::open(store.clone(), now).unwrap();
        let url = "http://localhost:8080";
        let portal = Portal::open(&PortalConfig::default(), store, url);
        let portal = portal.unwrap().with_identity(identity).unwrap().with_dossiers(dossiers);
        let app = App::new(gate, Clock::new(0, now, false), url.into());
        let app = Arc::new(app.with_portal(Some(portal)));
        app.set_ready(true);
        let router = crate::routes::router(app.clone());
        Self { app, router, dir }
    }

    /// A browser on loopback that was never here.
    pub fn browser(&self) -> Browser {
        Browser {
            router: self.router.clone(),
            cookies: BTreeMap::new(),
            secure: false,
            source: IpAddr::V4(Ipv4Addr::LOCALHOST),
            csrf: String::new(),
            headers: vec![],
        }
    }

    /// A browser in which the role's person signed in, with a code of `step` half minutes from now.
    pub async fn signed_in(&self, role: Role, step: i64) -> Browser {
        let mut browser = self.browser();
        let answer = browser.sign_in(&login(role), step).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{role:?}: {}", answer.body);
        browser
    }
}

async fn insert_people(store: &Store, now: Moment) {
    let phc = Hasher::new(1).unwrap().hash(PASSWORD).await.unwrap();
    let made: Vec<_> = (1..).zip(Role::ALL).map(|(n, role)| person(n, *role, &phc, now)).collect();
    let mut made = made;
    made.push(invited(made.len() as u32 + 1, &phc, now));
    let keys = store.keys().clone();
    let act = store.ledger().act(now, move |tx, _| {
        for person in &made {
            people::insert(tx, &keys, person)?;
        }
        let (kind, actor) = ("person.invited".into(), "test".into());
        let act = dancu_journal::Act { kind, actor, system: 0, detail: String::new() };
        Ok(dancu_journal::Body::Act(act))
    });
    act.await.unwrap();
}

fn person(number: u32, role: Role, phc: &str, now: Moment) -> Person {
    let id = PersonId(number);
    let unit = UnitCode::parse("H26.001").unwrap();
    let scope = match role.row().reach {
        Reach::Person => Scope::Person,
        Reach::Unit => Scope::Unit(unit.clone()),
        Reach::Below => Scope::Below(unit.clone()),
        Reach::All => Scope::All,
    };
    let today = now.viet_nam_date();
    let month = now.plus_ms(30 * DAY_MS).viet_nam_date();
    let valid = match role.row().term {
        Term::Open => DateRange::default(),
        Term::Dated => DateRange { from: Some(today), to: Some(month) },
    };
    let profiles = Profiles::parse(DEFAULT_PROFILE).unwrap();
    let account = Account::invite(id, Class::of([role]), PersonId(0), now);
    let mut account = account.activate(now, profiles.at(now)).unwrap();
    account.password = Some(PasswordAge { set_on: today, given: false });
    let mut person = Person {
        id,
        login: Login::parse(&login(role)).unwrap(),
        name: format!("Người Mẫu {number}"),
        unit,
        phone: String::new(),
        personal_id: None,
        account,
        grants: Grants::default().with(Grant::new(role, scope, valid, None).unwrap()).unwrap(),
        secrets: Secrets {
            totp: Some(Totp { secret: SECRET.to_vec(), last: None, since: now }),
            recovery: Some(Recovery { codes: vec![[7; 32]; 10], left: RecoveryCodes::issued() }),
            ..Secrets::default()
        },
        revision: Revision::NEW,
    };
    set_password(&mut person, phc.to_owned());
    person
}

/// Login of somebody who was invited and never signed in; the given password is [`PASSWORD`].
pub const INVITED: &str = "vai.moi.den";

fn invited(number: u32, phc: &str, now: Moment) -> Person {
    let named = person(number, Role::Officer, phc, now);
    let account = Account::invite(named.id, Class::Staff, PersonId(0), now);
    let secrets = Secrets { totp: None, recovery: None, ..named.secrets };
    Person { login: Login::parse(INVITED).unwrap(), account, secrets, ..named }
}

/// A code `step` half minutes from now.
pub fn code(step: i64) -> String {
    code_of(&totp::base32(SECRET), step)
}

/// A code of an app with this secret.
pub fn code_of(secret: &str, step: i64) -> String {
    let now = Step::at(MachineTime(machine_ms()));
    totp::code(&totp::from_base32(secret).unwrap(), Step(now.0 + step))
}

/// A browser.
#[derive(Clone)]
pub struct Browser {
    router: Router,
    /// Its cookies.
    pub cookies: BTreeMap<String, String>,
    /// Whether it comes over TLS.
    pub secure: bool,
    /// Its address.
    pub source: IpAddr,
    /// The token of the last page.
    pub csrf: String,
    /// Headers of each request.
    pub headers: Vec<(&'static str, String)>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body as text.
    pub body: String,
}

impl Answer {
    /// A header as text, empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    /// Where it leads.
    pub fn to(&self) -> &str {
        self.header("location")
    }

    /// The first value that a hidden field of this name has.
    pub fn hidden(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let values = self.body.split(&mark).skip(1).map(|rest| rest.split('"').next().unwrap());
        values.into_iter().find(|value| !value.is_empty()).unwrap_or_default().to_owned()
    }
}

impl Browser {
    /// `GET`.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// `POST` of a form, with the token of the last page.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = self.csrf.clone();
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend_from_slice(fields);
        self.post_bare(path, &all).await
    }

    /// `POST` of these fields only.
    pub async fn post_bare(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body: Vec<String> =
            fields.iter().map(|(n, v)| format!("{}={}", escaped(n), escaped(v))).collect();
        let kind = "application/x-www-form-urlencoded";
        let request = Request::post(path).header(header::CONTENT_TYPE, kind);
        self.send(request.body(Body::from(body.join("&"))).unwrap()).await
    }

    /// Any request; takes cookies and the token of the page that answers.
    pub async fn send(&mut self, mut request: Request) -> Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT, "text/html".parse().unwrap());
        if !cookies.is_empty() {
            headers.insert(header::COOKIE, cookies.join("; ").parse().unwrap());
        }
        for (name, value) in &self.headers {
            headers.insert(*name, value.parse().unwrap());
        }
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(self.source, 4_711)));
        if self.secure {
            request.extensions_mut().insert(Secure);
        }
        let Ok(response) = self.router.call(request).await;
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let body = String::from_utf8_lossy(&body).into_owned();
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let text = cookie.to_str().unwrap();
            let (name, value) = text.split(';').next().unwrap().split_once('=').unwrap();
            if text.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let csrf = answer.hidden("csrf");
        if !csrf.is_empty() {
            self.csrf = csrf;
        }
        answer
    }

    /// Signs in with a password that was given, and chooses [`CHOSEN`] in its place; the last
    /// answer.
    pub async fn sign_in_given(&mut self, login: &str, given: &str, step: i64) -> Answer {
        let asked = self.with_password(login, given, step).await;
        let ticket = asked.hidden("ticket");
        let fields = [("ticket", ticket.as_str()), ("fresh", CHOSEN), ("again", CHOSEN)];
        self.post("/sign-in/password", &fields).await
    }

    /// Signs in with a password and a code; what answers the code.
    pub async fn with_password(&mut self, login: &str, password: &str, step: i64) -> Answer {
        self.get("/sign-in").await;
        let asked = self.post("/sign-in", &[("login", login), ("password", password)]).await;
        let (ticket, has, code) = (asked.hidden("ticket"), asked.hidden("has"), code(step));
        let fields = [("ticket", ticket.as_str()), ("has", &has), ("code", &code)];
        self.post("/sign-in/factor", &fields).await
    }

    /// Signs in with password and code; the last answer.
    pub async fn sign_in(&mut self, login: &str, step: i64) -> Answer {
        self.get("/sign-in").await;
        let asked = self.post("/sign-in", &[("login", login), ("password", PASSWORD)]).await;
        assert_eq!(asked.status, StatusCode::OK, "{}", asked.body);
        let ticket = asked.hidden("ticket");
        let (has, code) = (asked.hidden("has"), code(step));
        let fields = [("ticket", ticket.as_str()), ("has", &has), ("code", &code)];
        let answer = self.post("/sign-in/factor", &fields).await;
        if answer.status == StatusCode::SEE_OTHER {
            self.get("/account/factors").await;
        }
        answer
    }
}

/// A value in a form.
pub fn escaped(text: &str) -> String {
    crate::portal::paths::escaped(text).replace('/', "%2F")
}
