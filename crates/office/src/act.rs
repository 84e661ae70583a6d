//! What every act shares: who acts, what was done, why it is refused, and the one transaction.

use std::sync::Arc;

use dancu_domain::dossier::Blocked;
use dancu_domain::forms::FormText;
use dancu_domain::ids::{Login, SystemId};
use dancu_domain::moment::Moment;
use dancu_domain::people::account::InvalidTransition;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::{MachineTime, PersonId};
use dancu_domain::registration::{Line, System};
use dancu_domain::service::{Service, Window};
use dancu_domain::text::is_storable;
use dancu_journal::{Act, Body};
use dancu_store::engine::Tx;
use dancu_store::ledger::Counts;
use dancu_store::{Error, Store};
use parking_lot::Mutex;

/// Who acts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Actor {
    /// A signed-in person.
    Person(PersonId, Login),
    /// Who decided by the word of `dancu operate`.
    Named {
        /// Each name once, as the command was told.
        names: Vec<String>,
        /// The account of the operating system that ran it, which nobody types.
        account: String,
    },
}

impl Actor {
    /// As the journal names them: a login, or `names [account of the operating system]`.
    #[must_use]
    pub fn journaled(&self) -> String {
        match self {
            Self::Person(_, login) => login.as_str().to_owned(),
            Self::Named { names, account } => format!("{} [{account}]", names.join(", ")),
        }
    }

    /// The same where people read it who may not see personal data: a login may be a citizen id
    /// (B6).
    #[must_use]
    pub fn told(&self) -> String {
        match self {
            Self::Person(person, login) if login.is_personal_data() => {
                format!("#{}", person.0)
            }
            _ => self.journaled(),
        }
    }

    /// The signed-in person.
    #[must_use]
    pub const fn person(&self) -> Option<PersonId> {
        match self {
            Self::Person(person, _) => Some(*person),
            Self::Named { .. } => None,
        }
    }

    /// The number that stands where a record names who did it: 0 for who has none, since people
    /// are numbered from 1.
    #[must_use]
    pub const fn number(&self) -> PersonId {
        match self {
            Self::Person(person, _) => *person,
            Self::Named { .. } => PersonId(0),
        }
    }
}

/// The names and the account of the operating system in what the journal calls the actor of an act
/// of `dancu operate`; none for anybody else, whose login holds no bracket.
#[must_use]
pub fn operated(actor: &str) -> Option<(&str, &str)> {
    actor.strip_suffix(']')?.rsplit_once(" [")
}

/// A sentence in Vietnamese and in English.
pub(crate) fn both(vi: &str, en: &str) -> (String, String) {
    (vi.to_owned(), en.to_owned())
}

/// What an act did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Done {
    /// Index of its journal entry.
    pub index: u64,
    /// What the entry says of it.
    pub detail: String,
}

/// Why an act is not carried out: nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// What the rules for people say.
    #[error("{} ({})", .0.text().text_vi, .0.text().text)]
    Reason(PortalReason),
    /// No reason was given, or one of too many characters.
    #[error("cần lý do (a reason is needed)")]
    NoReason,
    /// What it is about is not there, or not any more.
    #[error("không tìm thấy, hoặc không còn nữa (not found, or gone)")]
    Gone,
    /// The line is open.
    #[error("dòng này không bị khóa (the line is not locked)")]
    NotLocked,
    /// A raise that gives nothing.
    #[error("số lượt thêm phải lớn hơn 0 (a raise must be above 0, D8)")]
    NoExtra,
    /// A raise for no time, or for longer than one may last.
    #[error("thời hạn từ 1 đến {0} ngày (a raise lasts 1 to {0} days, D8)")]
    Term(u32),
    /// A raise to more than so many times the registered count, by one person.
    #[error(
        "dòng sẽ thành {limit} lượt, trên {factor} lần số đăng ký {daily}: cần hai người duyệt \
         khác nhau (two different approvers above {factor} times the registered count, D8)"
    )]
    TwoApprovers {
        /// What the line would become.
        limit: u32,
        /// Above how many times the registered count (the profile).
        factor: u32,
        /// Registered count.
        daily: u32,
    },
    /// What was asked for has passed already.
    #[error("thời hạn đề nghị đã qua (its last day has passed)")]
    Over,
    /// What the rules for dossiers say.
    #[error(transparent)]
    Dossier(#[from] Blocked),
    /// One that names a field of a form: the field and the sentence in both languages.
    #[error("{vi} ({en})")]
    Field {
        /// The field.
        field: &'static str,
        /// Vietnamese.
        vi: String,
        /// English.
        en: String,
    },
    /// The store says no, or could not.
    #[error(transparent)]
    Store(#[from] Error),
}

impl From<PortalReason> for Refused {
    fn from(reason: PortalReason) -> Self {
        Self::Reason(reason)
    }
}

/// A refusal as a form and a command tell it.
#[must_use]
pub fn refused(why: impl Into<FormText>) -> Refused {
    refused_with(why, "")
}

/// The same, ahead of it what it is about.
pub(crate) fn refused_with(why: impl Into<FormText>, about: &str) -> Refused {
    let FormText { rule, field, text_vi, text } = why.into();
    let (vi, en) = (format!("{about}{text_vi} ({rule})"), format!("{about}{text} ({rule})"));
    Refused::Field { field, vi, en }
}

impl From<InvalidTransition> for Refused {
    fn from(error: InvalidTransition) -> Self {
        Self::Reason(error.reason())
    }
}

/// What may be done and journaled in one transaction.
pub(crate) struct Entry {
    /// Kind, e.g. `line.lift`.
    pub(crate) kind: &'static str,
    /// Who.
    pub(crate) actor: String,
    /// The system it concerns; none: the centre.
    pub(crate) system: Option<SystemId>,
}

impl Entry {
    pub(crate) fn new(kind: &'static str, actor: &Actor, system: Option<SystemId>) -> Self {
        Self { kind, actor: actor.journaled(), system }
    }

    fn body(self, detail: String) -> Body {
        let system = self.system.map_or(0, |s| s.0);
        Body::Act(Act { kind: self.kind.into(), actor: self.actor, system, detail })
    }
}

/// Carries an act out with its entry, in force for the next question: policy, locks and people's
/// rights. `change` runs once, on the writer's thread; it says what the entry tells, and gives
/// what the caller wants of it.
///
/// # Errors
/// What `change` says, and where nothing could be journaled: it is undone then.
pub(crate) async fn carry_out<T, C>(
    (store, now): (&Store, Moment),
    entry: Entry,
    change: C,
) -> Result<(Done, T), Refused>
where
    T: Send + 'static,
    C: FnOnce(&mut Tx<'_>, &mut Counts<'_>) -> Result<(String, T), Refused> + Send + 'static,
{
    let slot = Slot::default();
    let told = slot.clone();
    let done = store
        .ledger()
        .act(now, move |tx, counts| told.keep(change(tx, counts)).map(|detail| entry.body(detail)));
    slot.take(done.await)
}

/// The same for what changes no policy.
///
/// # Errors
/// As [`carry_out`].
pub(crate) async fn note<T: Send + 'static>(
    (store, now): (&Store, Moment),
    entry: Entry,
    change: impl FnOnce(&mut Tx<'_>) -> Result<(String, T), Refused> + Send + 'static,
) -> Result<(Done, T), Refused> {
    let slot = Slot::default();
    let told = slot.clone();
    let done =
        store.ledger().note(now, move |tx| told.keep(change(tx)).map(|detail| entry.body(detail)));
    slot.take(done.await)
}

/// What a change gave, handed over from the writer's thread.
struct Slot<T>(Arc<Mutex<Option<Changed<T>>>>);

/// The detail for the journal and what the caller is told, or why nothing was changed.
type Changed<T> = Result<(String, T), Refused>;

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(None)))
    }
}

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Slot<T> {
    /// Keeps what was done or refused; the ledger is told to undo what was refused. An error of the
    /// store goes to the ledger itself, which has to know a lost connection.
    fn keep(&self, changed: Result<(String, T), Refused>) -> Result<String, Error> {
        match changed {
            Ok((detail, given)) => {
                *self.0.lock() = Some(Ok((detail.clone(), given)));
                Ok(detail)
            }
            Err(Refused::Store(error)) => Err(error),
            Err(refused) => {
                let text = refused.to_string();
                *self.0.lock() = Some(Err(refused));
                Err(Error::Refused(text))
            }
        }
    }

    fn take(&self, done: Result<u64, Error>) -> Result<(Done, T), Refused> {
        match (done, self.0.lock().take()) {
            (Ok(index), Some(Ok((detail, given)))) => Ok((Done { index, detail }, given)),
            (Err(Error::Refused(_)), Some(Err(refused))) => Err(refused),
            (Err(error), _) => Err(Refused::Store(error)),
            (Ok(_), _) => Err(Refused::Store(Error::Damaged("act without an outcome"))),
        }
    }
}

/// Characters of a reason: the units that it concerns read it, and the journal keeps it.
pub const REASON_MAX: usize = 500;

/// A reason as it is journaled: without blanks at its ends.
///
/// # Errors
/// [`Refused::NoReason`] where it says nothing, is too long or holds what no text holds.
pub fn reason(text: &str) -> Result<&str, Refused> {
    let text = text.trim();
    let fits = !text.is_empty() && text.chars().count() <= REASON_MAX;
    if fits && text.chars().all(|c| is_storable(c) || c == '\n' || c == '\r') {
        Ok(text)
    } else {
        Err(Refused::NoReason)
    }
}

/// An act on one system: who does it now, and why.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    /// The open data.
    pub store: &'a Store,
    /// The system as it was registered a moment ago; what decides is read again inside.
    pub system: &'a System,
    /// The product's time.
    pub now: Moment,
    /// The machine's time: which sessions are alive.
    pub machine: MachineTime,
    /// Who acts.
    pub actor: &'a Actor,
    /// Why ([`reason`]).
    pub reason: &'a str,
}

impl Desk<'_> {
    /// Runs a change of this system with its entry; `change` says what it did.
    ///
    /// # Errors
    /// As [`carry_out`].
    pub(crate) async fn carry_out<T, C>(
        &self,
        kind: &'static str,
        change: C,
    ) -> Result<(Done, T), Refused>
    where
        T: Send + 'static,
        C: FnOnce(&mut Tx<'_>, &mut Counts<'_>) -> Result<(String, T), Refused> + Send + 'static,
    {
        let with = |tx: &mut Tx<'_>, counts: &mut Counts<'_>| {
            change(tx, counts).map(|(what, given)| (what, String::new(), given))
        };
        self.carry_out_with(kind, with).await
    }

    /// The same with more that the entry says behind the reason.
    ///
    /// # Errors
    /// As [`carry_out`].
    pub(crate) async fn carry_out_with<T, C>(
        &self,
        kind: &'static str,
        change: C,
    ) -> Result<(Done, T), Refused>
    where
        T: Send + 'static,
        C: FnOnce(&mut Tx<'_>, &mut Counts<'_>) -> Result<(String, String, T), Refused>
            + Send
            + 'static,
    {
        let entry = Entry::new(kind, self.actor, Some(self.system.id));
        let (code, reason) = (self.system.code.clone(), self.reason.to_owned());
        let whole = move |tx: &mut Tx<'_>, counts: &mut Counts<'_>| {
            let (what, more, given) = change(tx, counts)?;
            Ok((format!("{code} {what}; lý do: {reason}{more}"), given))
        };
        carry_out((self.store, self.now), entry, whole).await
    }
}

/// A line with the service and window that it stands for.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// Service.
    pub service: Service,
    /// Window.
    pub window: Window,
    /// The line.
    pub line: &'a Line,
}

impl Place<'_> {
    /// As entries tell it: `citizen.verify inHours`.
    #[must_use]
    pub fn code(&self) -> String {
        format!("{} {}", self.service.code(), self.window.code())
    }
}

/// The lines of a system, in the order of the services, in hours first.
pub fn places(system: &System) -> impl Iterator<Item = Place<'_>> {
    system.services.iter().flatten().flat_map(|grant| {
        [Window::InHours, Window::OffHours].into_iter().filter_map(|window| {
            let line = grant.line(window)?;
            Some(Place { service: grant.service, window, line })
        })
    })
}
