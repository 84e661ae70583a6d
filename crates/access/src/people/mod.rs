//! **people**: how a person signs in to the portal and stays signed in (A6, C5b, E2, E3).
//!
//! What comes next in a sign-in, how long a failure delays, when a session ends: all of that is
//! decided by [`dancu_domain::people`]. Here passwords, codes and keys are checked, cookies and
//! tickets made, and what was decided is written down in one transaction of the ledger each.
//!
//! A sign-in is a walk of pages. [`People::begin`] takes login and password; what it or a further
//! step answers ([`Outcome`]) is the next page with its ticket, a session, or why it does not go
//! on. Nothing is kept on the server meanwhile ([`tickets`]).
//!
//! **Invariant:** an unknown login, a wrong password and a dead account cost the same work and are
//! answered alike. **Invariant:** a one-time code, a recovery code and a voucher are used up in the
//! transaction that lets the person in. **Invariant:** no cookie, password, code or key is stored
//! as it is: only what it is compared with.

mod account;
pub mod captcha;
mod engine;
mod enrol;
mod enter;
pub mod hasher;
mod identity;
mod keys;
mod marks;
mod networks;
mod once;
pub mod password;
pub mod qr;
mod recovery;
mod sessions;
mod steps;
mod throttle;
mod tickets;
pub mod totp;
pub mod webauthn;

use std::net::IpAddr;
use std::sync::Arc;

use dancu_domain::moment::Moment;
use dancu_domain::people::MachineTime;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::session::Session;
use dancu_domain::people::sign_in::{Done, Step};
use dancu_store::people::{Person, SessionRow};

pub use self::account::{FactorRef, forget_factors};
pub use self::captcha::{Captcha, Challenge};
pub use self::engine::{People, Settings, actor};
pub use self::hasher::{Hasher, QUEUE};
pub use self::identity::OnRecord;
pub use self::marks::{Mark, new_cookie};
pub use self::password::set_password;
pub use self::qr::{Qr, qr};
pub use self::sessions::{Look, Present};
pub use self::tickets::TICKET_MS;
pub use self::totp::TotpEnrolment;
pub use self::webauthn::Site;

/// Whoever was told [`Trouble::Busy`] comes back after this, seconds: by then the queue, which
/// drains in little more than one, has room.
pub const RETRY_S: u32 = 2;

/// Why nothing could be said. Nothing was counted against anybody.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The pool of password checks is full: 503, `PortalReason::Busy`, after [`RETRY_S`].
    #[error("the queue of password checks is full")]
    Busy,
    /// The store could not be read or written: 503.
    #[error(transparent)]
    Store(#[from] dancu_store::Error),
}

/// A request, and where and when it came from.
#[derive(Clone, Copy)]
pub struct Visit<'a> {
    /// The caller's address, behind trusted proxies the real one.
    pub source: IpAddr,
    /// `User-Agent`, as long as it is.
    pub agent: &'a str,
    /// Value of the browser's cookie, which the page before set: tickets are bound to it.
    pub browser: &'a str,
    /// Value of the device's cookie, where one was sent.
    pub device: Option<&'a str>,
    /// The product's clock.
    pub at: Moment,
    /// The machine's clock.
    pub machine: MachineTime,
}

impl Visit<'_> {
    fn device(&self) -> Option<Mark> {
        self.device.and_then(Mark::of)
    }
}

/// What a step of a sign-in led to.
pub enum Outcome {
    /// The next page, with the ticket that it sends back.
    Next {
        /// `SecondFactor`, `ChangePassword` or `Enrol`.
        step: Step,
        /// For a hidden field.
        ticket: String,
    },
    /// A factor was enrolled; these are the recovery codes, shown this once. Then
    /// [`People::go_on`].
    Codes {
        /// In groups of four.
        codes: Vec<String>,
        /// For a hidden field.
        ticket: String,
    },
    /// The person is signed in.
    Done(Box<SignedIn>),
    /// It does not go on.
    Refused {
        /// Why.
        reason: PortalReason,
        /// Whether the same page with the same ticket may try again; else it begins anew.
        again: bool,
    },
    /// Not yet. Nothing was checked.
    Held(Held),
}

/// What has to come before the next try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Held {
    /// `TooSoon` or `CaptchaNeeded`.
    pub reason: PortalReason,
    /// Milliseconds to wait; 0: none.
    pub wait_ms: i64,
    /// Whether the next try needs a solved captcha.
    pub captcha: bool,
}

/// A person who is signed in.
pub struct SignedIn {
    /// Value of the session's cookie: new, whatever the browser brought.
    pub cookie: String,
    /// Value of a new device's cookie, where the person enrolled this one.
    pub device_cookie: Option<String>,
    /// Who.
    pub person: Arc<Person>,
    /// The session.
    pub session: Session,
    /// What to offer and to tell.
    pub done: Done,
    /// The session elsewhere that this one ended: the person is told.
    pub replaced: Option<SessionRow>,
}

/// What an act of a person on the own session or account led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Done.
    Done,
    /// Not done, and why.
    Refused(PortalReason),
    /// Not yet. Nothing was checked.
    Held(Held),
}

/// A second factor as it was given.
#[derive(Clone, Copy)]
pub enum Proof<'a> {
    /// Six digits.
    Totp(&'a str),
    /// A recovery code.
    Recovery(&'a str),
    /// The answer of a passkey or security key: JSON of `navigator.credentials.get`. Its ticket is
    /// that of [`People::key_options`].
    Key(&'a str),
}

impl<'a> Proof<'a> {
    /// What was typed into the one field: digits are a code of the application, all else is read
    /// as a recovery code.
    pub fn typed(text: &'a str) -> Self {
        let digits = text.bytes().filter(|b| *b != b' ').all(|b| b.is_ascii_digit());
        let short = text.len() < RECOVERY_LEAST;
        if digits && short { Self::Totp(text) } else { Self::Recovery(text) }
    }
}

/// No recovery code is shorter, and no code of an application with its blanks is as long.
const RECOVERY_LEAST: usize = 16;
