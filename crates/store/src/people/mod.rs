//! People with an account of the portal: who they are, what they prove themselves with, their
//! sessions, and what happened to their account lately.
//!
//! Nothing is decided here: what may become of an account or a session says
//! [`dancu_domain::people`]. Writes run inside a transaction of the ledger: `Ledger::act` where
//! rights change, `Ledger::note` where it is only journaled, `Ledger::tidy` for
//! [`seen_session`]. Reads outside of one go through [`Store::people`](crate::Store::people).
//!
//! **Invariant:** nothing of a person stands in clear. A person, a session, an event is one sealed
//! document, bound to its table and row; logins, units and ids are found by keyed digests,
//! sessions by the digest of their cookie.
//! **Invariant:** one person per login, and a login is never given a second time.
//! **Invariant:** what is saved was read a moment ago: [`save`] refuses what another transaction
//! changed meanwhile ([`CHANGED`]), and an epoch that would go back.
//!
//! ```no_run
//! # use dancu_domain::{moment::Moment, people::PersonId};
//! # async fn example(store: &dancu_store::Store, me: PersonId, now: Moment,
//! #     entry: dancu_journal::Body) -> dancu_store::Result<()> {
//! use dancu_store::people;
//!
//! let keys = store.keys().clone();
//! store
//!     .ledger()
//!     .note(now, move |tx| {
//!         let Some(mut person) = people::by_id(tx, &keys, me)? else { return Ok(entry) };
//!         person.account = person.account.seen(now);
//!         people::save(tx, &keys, &person)?;
//!         Ok(entry)
//!     })
//!     .await?;
//! # Ok(())
//! # }
//! ```

mod codes;
mod events;
mod kinds;
mod mend;
mod reads;
mod record;
mod rows;
pub(crate) mod sealed;
mod sessions;

use std::fmt;
use std::net::IpAddr;

use dancu_domain::ids::{Login, PersonalId, UnitCode};
use dancu_domain::moment::Moment;
use dancu_domain::people::PersonId;
use dancu_domain::people::account::Account;
use dancu_domain::people::factors::{Device, FactorKind, Factors, Kinds, RecoveryCodes, Voucher};
use dancu_domain::people::grants::Grants;
use dancu_domain::people::session::Session;
use dancu_domain::people::totp::Step;

pub use self::codes::{answer_challenge, code_failures, save_code_failures};
pub use self::events::{EVENTS_KEPT, FAILURES_KEPT, events, note_event};
pub use self::kinds::EventKind;
pub use self::reads::People;
pub use self::rows::{
    CHANGED, LOGIN_TAKEN, OF_PERSONAL_ID_MAX, all, by_id, by_login, insert, leaders_of, next_id,
    of_personal_id, of_unit, save,
};
pub use self::sessions::{
    SESSION_OVER, SESSIONS_READ, alive, begin_session, end_session, end_sessions, forget_sessions,
    in_force, next_session_number, save_session, seen_session, session, sessions_of,
};

/// Longest name of a browser that is kept, bytes (*ours*): enough to tell one's devices apart.
pub const AGENT_BYTES: usize = 256;

/// A person with an account of the portal. Debug output tells only the number.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// The row id; `account.person` is the same.
    pub id: PersonId,
    /// How the person signs in (B6); found without regard to case.
    pub login: Login,
    /// Full name, as the account list has it (B6).
    pub name: String,
    /// The unit the person belongs to.
    pub unit: UnitCode,
    /// Telephone (B6); empty where none is known.
    pub phone: String,
    /// Personal id (B6); operators of the centre need none.
    pub personal_id: Option<PersonalId>,
    /// The account as a state (E1-E5).
    pub account: Account,
    /// Roles with scope and days.
    pub grants: Grants,
    /// What the person proves to be the person with.
    pub secrets: Secrets,
    /// Which state of the row this is: as it was read, [`Revision::NEW`] for a new person.
    pub revision: Revision,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Person({})", self.id.0)
    }
}

/// How often a person's row was changed. Nobody but [`save`] compares it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Revision(pub(crate) u32);

impl Revision {
    /// Of a person who is not stored yet.
    pub const NEW: Self = Self(0);
}

/// What a person proves to be the person with (E2). Debug output shows nothing of it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secrets {
    /// The password's hash as a PHC string.
    pub password: Option<String>,
    /// Hashes of passwords that may not come again, the newest first, the present one among them
    /// ([`HISTORY`](dancu_domain::people::password::HISTORY)).
    pub history: Vec<String>,
    /// One-time codes by time.
    pub totp: Option<Totp>,
    /// Recovery codes.
    pub recovery: Option<Recovery>,
    /// Passkeys and security keys.
    pub passkeys: Vec<Passkey>,
    /// Enrolled devices.
    pub devices: Vec<KnownDevice>,
    /// The head's word for somebody who lost a factor; whoever keeps it spends it.
    pub voucher: Option<Voucher>,
}

impl Secrets {
    /// What is enrolled, as the domain asks for it.
    pub fn factors(&self) -> Factors {
        let kinds = self
            .passkeys
            .iter()
            .map(|p| if p.security_key { FactorKind::SecurityKey } else { FactorKind::Passkey });
        let totp = self.totp.iter().map(|_| FactorKind::Totp);
        Factors {
            enrolled: totp.chain(kinds).fold(Kinds::NONE, Kinds::with),
            recovery: self.recovery.as_ref().map_or_else(RecoveryCodes::default, |r| r.left),
        }
    }
}

/// One-time codes by time (RFC 6238).
#[derive(Clone, PartialEq, Eq)]
pub struct Totp {
    /// The shared secret, bytes.
    pub secret: Vec<u8>,
    /// The last step that was accepted: no code is good twice.
    pub last: Option<Step>,
    /// When it was enrolled, by the product's clock.
    pub since: Moment,
}

/// A set of recovery codes.
#[derive(Clone, PartialEq, Eq)]
pub struct Recovery {
    /// Keyed digests of the codes; the place in the list is the code's number.
    pub codes: Vec<[u8; 32]>,
    /// Those that are still good.
    pub left: RecoveryCodes,
}

/// A passkey or security key (WebAuthn).
#[derive(Clone, PartialEq, Eq)]
pub struct Passkey {
    /// Credential id.
    pub id: Vec<u8>,
    /// How the person calls it.
    pub name: String,
    /// Whether it is a thing to plug in.
    pub security_key: bool,
    /// The credential as whoever checks it wrote it down: public key, counter.
    pub credential: Vec<u8>,
    /// When it was enrolled, by the product's clock.
    pub since: Moment,
    /// When it was last used, by the product's clock.
    pub last: Option<Moment>,
}

/// A device that the person enrolled.
#[derive(Clone, PartialEq, Eq)]
pub struct KnownDevice {
    /// Digest of the device's cookie.
    pub mark: [u8; 32],
    /// How it is called in the list of devices.
    pub name: String,
    /// What the domain knows of it.
    pub device: Device,
}

/// A session as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Digest of the session's cookie; the cookie itself is nowhere.
    pub mark: [u8; 32],
    /// What the domain knows of it.
    pub session: Session,
    /// The address that it began from.
    pub source: IpAddr,
    /// The browser as it names itself, at most [`AGENT_BYTES`].
    pub agent: String,
    /// The enrolled device that it is used on, by the digest of that cookie.
    pub device: Option<[u8; 32]>,
}

impl fmt::Debug for SessionRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionRow({}, {:?})", self.session.person.0, self.session.number)
    }
}

/// Something that happened to a person's account, for the person to look at.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    /// When, by the product's clock.
    pub at: Moment,
    /// What.
    pub kind: EventKind,
    /// The address it came from; none where somebody else did it.
    pub source: Option<IpAddr>,
    /// The browser as it named itself; empty where somebody else did it.
    pub agent: String,
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Event({:?})", self.kind)
    }
}

macro_rules! redacted_debug {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(***)"))
            }
        }
    )*};
}
redacted_debug!(Secrets, Totp, Recovery, Passkey, KnownDevice);

/// The part of a browser's name that is kept.
fn agent(text: &str) -> &str {
    &text[..text.floor_char_boundary(AGENT_BYTES)]
}
