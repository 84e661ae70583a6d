//! Webhooks: how an agency's own software is told what its unit is told of its system (D2, D3, D6,
//! E3), without asking for it. Who is told, at which addresses, stands in the store; how it is
//! signed and sent, in the server.
//!
//! **Invariant:** what is sent holds no personal data, no login and no id of a person: it is made
//! of notices, which hold none, and of what they say about one system alone.
//!
//! To add a kind: a row **at the end** of the table of [`Kind`] (its number stands in the store),
//! its arm in [`Event::of`], its texts `hook-kind-…` in both languages, and its row in
//! `docs/webhooks.md`.

mod address;
mod health;

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

pub use self::address::{ADDRESS_MAX, Address, Policy, WrongAddress, is_public};
pub use self::health::{Cause, Follows, Health, Outcome};
use crate::appeals::AppealStep;
use crate::dossier::DossierNumber;
use crate::ids::SystemCode;
use crate::moment::{DAY_MS, HOUR_MS, Moment};
use crate::notices::{Audience, DossierDeed, LineAt, Notice, RETRY_FOR_MS};
use crate::plans::Deed;
use crate::rule::RuleId;

/// Addresses of one system (*ours*): its software, the one that follows it, and a log.
pub const ADDRESSES_MAX: usize = 3;
/// How long the secret before is good beside a new one, ms (*ours*): a day to change software.
pub const OVERLAP_MS: i64 = DAY_MS;
/// How long an address fails before its integrators are told, ms (*ours*): a night's outage is
/// nobody's news.
pub const TOLD_AFTER_MS: i64 = DAY_MS;
/// How long an address fails before it is switched off, ms: as long as anything is tried again.
pub const OFF_AFTER_MS: i64 = RETRY_FOR_MS;
/// The status by which a receiver says that it is gone for good (RFC 9110, 15.5.11).
pub const GONE: u16 = 410;
/// Between two test events for one address, ms (*ours*): nobody is flooded from here.
pub const TESTS_APART_MS: i64 = 10_000;
/// The first pause of an address after a try that failed, ms; each next one is twice as long.
const FIRST_REST_MS: i64 = 5_000;
/// The longest pause: an address that works again is found within the hour.
const LONGEST_REST_MS: i64 = HOUR_MS / 2;

/// How long an address is left alone after so many tries that failed, one after the other, ms.
/// Whatever waits for it waits with it, so that one that is down costs a try now and then.
pub fn rest_ms(failures: u32) -> i64 {
    let doubled = FIRST_REST_MS.saturating_mul(1 << failures.saturating_sub(1).min(20));
    doubled.min(LONGEST_REST_MS)
}

macro_rules! kinds {
    ($($kind:ident = $number:literal $code:literal,)*) => {
        /// What an event is about. Stored by its number: rows are added at the end.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum Kind { $(#[doc = $code] $kind = $number),* }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// Its name in what is sent.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$kind => $code),* }
            }
        }
    };
}
kinds! {
    Test = 0 "test",
    LineWarned = 1 "line.warned",
    LineExceeded = 2 "line.exceeded",
    LineLocked = 3 "line.locked",
    LineUnlocked = 4 "line.unlocked",
    ConnectionLocked = 5 "connection.locked",
    ConnectionUnlocked = 6 "connection.unlocked",
    AppealUpdated = 7 "appeal.updated",
    RaiseGranted = 8 "raise.granted",
    RaiseRefused = 9 "raise.refused",
    RaiseEnding = 10 "raise.ending",
    CredentialEnding = 11 "credential.ending",
    ListWaiting = 12 "list.waiting",
    ListChanged = 13 "list.changed",
    RevocationWaiting = 14 "revocation.waiting",
    PlanUpdated = 15 "plan.updated",
    DossierUpdated = 16 "dossier.updated",
    StatementReady = 17 "statement.ready",
    Announced = 18 "announcement.published",
}

impl Kind {
    /// From its number in the store.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| *kind as u8 == number)
    }

    /// From its name.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.code() == code)
    }

    /// Those that an address may be registered for: a test is sent to any.
    pub fn chosen() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|kind| *kind != Self::Test)
    }
}

/// The kinds for which an address is registered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Kinds(i64);

impl Kinds {
    /// Every kind, also those that later versions add.
    pub const EVERY: Self = Self(i64::MAX);

    /// These. All that there are today is [`Kinds::EVERY`].
    pub fn of(kinds: &[Kind]) -> Self {
        if Kind::chosen().all(|kind| kinds.contains(&kind)) {
            return Self::EVERY;
        }
        Self(kinds.iter().fold(0, |bits, kind| bits | Self::bit(*kind)))
    }

    /// From its bits in the store.
    pub const fn from_bits(bits: i64) -> Self {
        Self(bits)
    }

    /// As they stand in the store: one bit of each kind, by its number.
    pub const fn bits(self) -> i64 {
        self.0
    }

    /// The bit of a kind.
    pub const fn bit(kind: Kind) -> i64 {
        1 << kind as u8
    }

    /// Whether it is one of them.
    pub const fn has(self, kind: Kind) -> bool {
        self.0 & Self::bit(kind) != 0
    }
}

/// Whose addresses are told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Subject {
    /// Those of a system.
    System(SystemCode),
    /// Those of the system that a dossier is about, where it is live already.
    Dossier(DossierNumber),
    /// All of them.
    Everybody,
}

/// A value of an event.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A word of a list, a number of a paper, a heading that is public.
    Text(String),
    /// A count or a number.
    Number(u32),
    /// Yes or no.
    Flag(bool),
    /// A moment, RFC 3339 in Viet Nam time; null: by a named act alone.
    Time(#[serde(serialize_with = "time")] Option<Moment>),
}

#[expect(clippy::ref_option, reason = "serde hands a reference to the field")]
fn time<S: Serializer>(at: &Option<Moment>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.serialize_str(&at.rfc3339()),
        None => serializer.serialize_none(),
    }
}

/// The values of an event, by name; a JSON object.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Data(Vec<(&'static str, Value)>);

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// What a system is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// What it is about.
    pub kind: Kind,
    /// Whose addresses.
    pub subject: Subject,
    /// More of it.
    pub data: Data,
    /// The rule that asks for it.
    pub rule: RuleId,
}

impl Event {
    /// The event of a notice; none where it names no system (accounts and mail of people,
    /// campaigns, urging), is about one person's account, is nothing that the unit waits for, or is
    /// about webhooks themselves.
    pub fn of(notice: &Notice) -> Option<Self> {
        use self::Kind as K;
        let (kind, subject, data) = match notice {
            Notice::LineWarned { line, percent, count } => {
                let more = [("percent", number(u32::from(*percent))), ("count", number(*count))];
                of_line(K::LineWarned, line, more)
            }
            Notice::LineExceeded { line, count } => {
                of_line(K::LineExceeded, line, [("count", number(*count))])
            }
            Notice::LineLocked { line, connection, until } => {
                let more =
                    [("connection", Value::Flag(*connection)), ("until", Value::Time(*until))];
                of_line(K::LineLocked, line, more)
            }
            Notice::LineLifted { line } => of_line(K::LineUnlocked, line, []),
            Notice::RaiseGranted { line, to } => {
                of_line(K::RaiseGranted, line, [("until", Value::Time(Some(*to)))])
            }
            Notice::RaiseRefused { line } => of_line(K::RaiseRefused, line, []),
            Notice::RaiseEnding { line, to } => {
                of_line(K::RaiseEnding, line, [("until", Value::Time(Some(*to)))])
            }
            Notice::Connection { system, locked } => {
                let kind = if *locked { K::ConnectionLocked } else { K::ConnectionUnlocked };
                of_system(kind, system, [])
            }
            Notice::Appeal { system, step, .. } => {
                of_system(K::AppealUpdated, system, [("step", text(appeal_step(*step)?))])
            }
            Notice::CredentialEnding { system, number: which, until } => {
                let more = [("number", number(*which)), ("until", Value::Time(Some(*until)))];
                of_system(K::CredentialEnding, system, more)
            }
            Notice::ListWaits { system } => of_system(K::ListWaiting, system, []),
            Notice::ListChanged { system } => of_system(K::ListChanged, system, []),
            Notice::RevocationToConfirm { system } => of_system(K::RevocationWaiting, system, []),
            Notice::Plan { system, deed } => {
                of_system(K::PlanUpdated, system, [("step", text(plan_step(*deed)))])
            }
            Notice::Dossier { number, deed } => {
                let data = vec![("number", text(number)), ("step", text(dossier_step(*deed)))];
                (K::DossierUpdated, Subject::Dossier(DossierNumber::parse(number)?), Data(data))
            }
            Notice::Statement { system, month } => {
                of_system(K::StatementReady, system, [("month", text(month))])
            }
            Notice::Announced { title, incident } => {
                let data = vec![("title", text(title)), ("incident", Value::Flag(*incident))];
                (K::Announced, Subject::Everybody, Data(data))
            }
            Notice::Account(_)
            | Notice::AccountWarned { .. }
            | Notice::RaiseAsked { .. }
            | Notice::DossierStep { .. }
            | Notice::CampaignReminder { .. }
            | Notice::MailFailing { .. }
            | Notice::Urged { .. }
            | Notice::Campaign { .. }
            | Notice::HandedUp { .. }
            | Notice::WebhookFailing { .. } => return None,
        };
        Some(Self { kind, subject, data, rule: notice.row().rule })
    }

    /// What is told to people, and to their software with them: what goes to the centre alone (a
    /// raise that is asked for, a dossier that was handed in) is no event.
    pub fn of_told(to: &[Audience], notice: &Notice) -> Option<Self> {
        let of_unit = |audience: &Audience| {
            matches!(
                audience,
                Audience::Heads(..)
                    | Audience::HeadsOf(_)
                    | Audience::Integrators(_)
                    | Audience::Everybody
            )
        };
        to.iter().any(of_unit).then(|| Self::of(notice)).flatten()
    }

    /// A test, to one address of a system.
    pub fn test(system: &SystemCode) -> Self {
        let (kind, subject, data) = of_system(Kind::Test, system, []);
        Self { kind, subject, data, rule: RuleId::J2 }
    }

    /// What is sent.
    pub fn body<'a>(&'a self, id: &'a str, at: Moment, system: &'a SystemCode) -> Sent<'a> {
        Sent {
            id,
            kind: self.kind.code(),
            time: at.rfc3339(),
            system: system.as_str(),
            data: &self.data,
            rule: self.rule.code(),
        }
    }
}

/// The body of a request.
#[derive(Debug, Serialize)]
pub struct Sent<'a> {
    /// The same at each try.
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    /// When it happened, RFC 3339 in Viet Nam time.
    time: String,
    system: &'a str,
    data: &'a Data,
    rule: &'static str,
}

type Parts = (Kind, Subject, Data);

fn of_system<const N: usize>(
    kind: Kind,
    system: &SystemCode,
    more: [(&'static str, Value); N],
) -> Parts {
    (kind, Subject::System(system.clone()), Data(more.into()))
}

fn of_line<const N: usize>(kind: Kind, line: &LineAt, more: [(&'static str, Value); N]) -> Parts {
    let place = [("service", text(line.service.code())), ("window", text(line.window.code()))];
    let data = place.into_iter().chain(more).collect();
    (kind, Subject::System(line.system.clone()), Data(data))
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

const fn number(number: u32) -> Value {
    Value::Number(number)
}

/// None of what the centre alone waits for.
const fn appeal_step(step: AppealStep) -> Option<&'static str> {
    match step {
        AppealStep::Acknowledged => Some("acknowledged"),
        AppealStep::Lifted => Some("lifted"),
        AppealStep::Kept => Some("kept"),
        AppealStep::Made | AppealStep::Late => None,
    }
}

const fn plan_step(deed: Deed) -> &'static str {
    match deed {
        Deed::Announced => "announced",
        Deed::Acknowledged => "acknowledged",
        Deed::Agreed => "agreed",
        Deed::Refused => "refused",
        Deed::Withdrawn => "withdrawn",
        Deed::Ended => "ended",
    }
}

const fn dossier_step(deed: DossierDeed) -> &'static str {
    match deed {
        DossierDeed::Submitted => "submitted",
        DossierDeed::Accepted => "accepted",
        DossierDeed::ChangesAsked => "changesAsked",
        DossierDeed::StepsClosed => "stepsClosed",
        DossierDeed::Approved => "approved",
        DossierDeed::Live => "live",
        DossierDeed::Refused => "refused",
        DossierDeed::Withdrawn => "withdrawn",
    }
}

#[cfg(test)]
mod tests;
