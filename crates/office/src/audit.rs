//! The auditor's acts: searching the journal and revealing what is masked, each with its ground and
//! each journaled before anything is shown (A6, F3).
//!
//! **Invariant:** nothing is read before the act that says so is durable: what reads takes the
//! [`Journaled`] that only a journaled act gives.

use dancu_domain::ids::{AccountId, Login, OldId, PersonalId, SubjectId};
use dancu_domain::moment::Moment;
use dancu_domain::people::PersonId;
use dancu_domain::people::may::{Ground, may_audit};
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::registration::Snapshot;
use dancu_journal::{Body, Entry};
use dancu_store::entries::{Pseudonyms, Scanned};
use dancu_store::keys::{Purpose, random};
use dancu_store::people::Person;
use dancu_store::{Error, NONCE_BYTES, SearchBy, Store};
use serde::{Deserialize, Serialize};

use crate::act::{Actor, Entry as ActEntry, Refused, note, operated};

/// Entries of one page.
pub const PAGE: usize = 50;
/// Entries of the journal that one page of the staff's acts looks through: no search finds acts by
/// who is of the staff, and opening this many takes about a tenth of a second.
pub const STAFF_WINDOW: u64 = 20_000;
/// How long a search goes on by its ticket, ms of the product's clock: an afternoon.
const TICKET_MS: i64 = 4 * 3_600_000;
/// Bytes of a case's code at most.
const CASE_MAX: usize = 64;

/// What is searched for. It names people: debug output says only by what.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sought {
    /// By the login of an account, in every system that has it.
    Account(Login),
    /// By a case's code.
    Case(String),
    /// By a citizen's id.
    Subject(SubjectId),
}

impl std::fmt::Debug for Sought {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sought({})", self.kind())
    }
}

impl Sought {
    /// Reads a form's two fields; ids may stand in groups.
    ///
    /// # Errors
    /// [`Refused::Field`] of the field `term`.
    pub fn parse(kind: &str, term: &str) -> Result<Self, Refused> {
        let term = term.trim();
        let wrong = |vi: &str, en: &str| Refused::Field {
            field: "term",
            vi: vi.to_owned(),
            en: en.to_owned(),
        };
        match kind {
            "account" => Login::parse(term).map(Self::Account).map_err(|_| {
                wrong("Ghi đúng tên đăng nhập của tài khoản.", "Write the login of the account.")
            }),
            "subject" => {
                let digits: String = term.chars().filter(|c| !matches!(c, ' ' | '.')).collect();
                let personal = PersonalId::parse(&digits).map(SubjectId::Personal);
                let found = personal.or_else(|_| OldId::parse(&digits).map(SubjectId::Old));
                found.map(Self::Subject).map_err(|_| {
                    wrong(
                        "Ghi số định danh 12 chữ số hoặc số CMND 9 chữ số.",
                        "Write the 12 digits of a personal id or the 9 of an old one.",
                    )
                })
            }
            _ if term.is_empty() || term.len() > CASE_MAX => {
                Err(wrong("Ghi mã hồ sơ.", "Write the code of the case."))
            }
            _ => Ok(Self::Case(term.to_owned())),
        }
    }

    /// By what, as forms and entries name it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Account(_) => "account",
            Self::Case(_) => "case",
            Self::Subject(_) => "subject",
        }
    }

    /// What may be shown of it again: never a citizen's id.
    #[must_use]
    pub fn shown(&self) -> &str {
        match self {
            Self::Account(login) => login.as_str(),
            Self::Case(case) => case,
            Self::Subject(_) => "",
        }
    }

    /// The accounts that it names.
    fn accounts(&self, snapshot: &Snapshot) -> Vec<AccountId> {
        let Self::Account(login) = self else { return vec![] };
        let folded = login.folded();
        let all = snapshot.systems().iter().flat_map(|s| s.accounts.iter());
        all.filter(|a| a.login.folded() == folded).map(|a| a.id).collect()
    }

    /// As the journal tells it: a citizen by pseudonym.
    fn journaled(&self, snapshot: &Snapshot, pseudonyms: &Pseudonyms) -> String {
        match self {
            Self::Account(_) => {
                let ids: Vec<String> =
                    self.accounts(snapshot).iter().map(|id| format!("#{}", id.0)).collect();
                format!("account {}", ids.join(" "))
            }
            Self::Case(case) => format!("case {case}"),
            Self::Subject(id) => {
                let subject = pseudonyms.subject(*id, false);
                format!("subject {} {}", subject.epoch, hex::encode(subject.pseudonym))
            }
        }
    }

    /// Whether a question's entry is one of those that this search finds.
    fn finds(&self, store: &Store, snapshot: &Snapshot, q: &dancu_journal::Query) -> bool {
        match self {
            Self::Account(_) => self.accounts(snapshot).contains(&AccountId(q.account)),
            Self::Case(case) => q.case == *case,
            Self::Subject(id) => q.subjects.iter().any(|subject| {
                Pseudonyms::of_year(store.keys(), subject.epoch)
                    .is_some_and(|p| p.subject(*id, false).pseudonym == subject.pseudonym)
            }),
        }
    }
}

/// A search that goes on: what was stated and what is sought. It is handed to the browser sealed
/// and for this auditor only, so that the id of a citizen is neither shown nor kept there.
#[derive(Serialize, Deserialize)]
struct Ticket {
    ground: String,
    sought: Sought,
    at: Moment,
}

fn ticket_aad(auditor: PersonId) -> Vec<u8> {
    format!("dancu audit ticket {}", auditor.0).into_bytes()
}

/// Seals a search for its next pages, as text for a form.
///
/// # Errors
/// [`Refused::Store`] where nothing can be sealed.
pub fn ticket(
    (store, now): (&Store, Moment),
    auditor: PersonId,
    ground: &Ground,
    sought: &Sought,
) -> Result<String, Refused> {
    let ticket = Ticket { ground: ground.as_str().to_owned(), sought: sought.clone(), at: now };
    let plain = postcard::to_stdvec(&ticket).map_err(|_| Error::Damaged("ticket"))?;
    let key = store.keys().get(Purpose::Policy, 0).ok_or(Error::Crypto("policy key"))?;
    let mut nonce = [0; NONCE_BYTES];
    random(&mut nonce)?;
    let sealed = key.seal.seal(nonce, &ticket_aad(auditor), &plain)?;
    Ok(hex::encode(sealed))
}

/// Opens a ticket of this auditor.
///
/// # Errors
/// [`PortalReason::GroundMissing`] where it is none of theirs, or too old: the ground is stated
/// again.
pub fn open_ticket(
    (store, now): (&Store, Moment),
    auditor: PersonId,
    text: &str,
) -> Result<(Ground, Sought), Refused> {
    let missing = || Refused::Reason(PortalReason::GroundMissing);
    let mut sealed = from_hex(text).ok_or_else(missing)?;
    let key = store.keys().get(Purpose::Policy, 0).ok_or(Error::Crypto("policy key"))?;
    let plain = key.seal.open(&ticket_aad(auditor), &mut sealed).map_err(|_| missing())?;
    let ticket: Ticket = postcard::from_bytes(plain).map_err(|_| missing())?;
    let age = now.0.saturating_sub(ticket.at.0);
    if age > TICKET_MS {
        return Err(missing());
    }
    Ok((Ground::parse(&ticket.ground)?, ticket.sought))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16).map(|d| d as u8);
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

/// Who audits, with the ground.
#[derive(Clone, Copy)]
pub struct Audit<'a> {
    /// The open data.
    pub store: &'a Store,
    /// What is registered.
    pub snapshot: &'a Snapshot,
    /// The product's time.
    pub now: Moment,
    /// Who.
    pub auditor: &'a Person,
    /// The ground as it was stated.
    pub ground: &'a Ground,
}

/// That a look was journaled, and what it may see: only an act gives it.
pub struct Journaled(Look);

enum Look {
    Search(Sought, u64),
    Entry(Sought, u64),
    /// Before which index, and who is of the centre: logins, folded.
    Staff(u64, Vec<String>),
}

/// One page of what was found.
#[derive(Debug)]
pub struct Page {
    /// Entries, rising for searches, falling for the staff's acts.
    pub entries: Vec<Entry>,
    /// Entries of the auditor's own unit on the way, which are not shown (F3).
    pub withheld: u64,
    /// From which index the next page goes on.
    pub next: Option<u64>,
}

impl Audit<'_> {
    async fn journal(&self, kind: &'static str, what: String) -> Result<(), Refused> {
        let actor = Actor::Person(self.auditor.id, self.auditor.login.clone());
        let detail = format!("{what}; căn cứ: {}", self.ground.as_str());
        let entry = ActEntry::new(kind, &actor, None);
        note((self.store, self.now), entry, move |_| Ok((detail, ()))).await?;
        Ok(())
    }

    /// Journals a search, and gives what [`Audit::found`] takes; `from` is 0, or where the page
    /// before ended.
    ///
    /// # Errors
    /// [`Refused::Store`] where it cannot be journaled: nothing is shown then.
    pub async fn search(&self, sought: Sought, from: u64) -> Result<Journaled, Refused> {
        let what = sought.journaled(self.snapshot, &self.store.pseudonyms(self.now)?);
        self.journal("audit.search", format!("{what}, từ mục {from}")).await?;
        Ok(Journaled(Look::Search(sought, from)))
    }

    /// Journals that one entry's masked parts are shown.
    ///
    /// # Errors
    /// As [`Audit::search`].
    pub async fn reveal(&self, sought: Sought, index: u64) -> Result<Journaled, Refused> {
        self.journal("audit.reveal", format!("mục {index}")).await?;
        Ok(Journaled(Look::Entry(sought, index)))
    }

    /// Journals a look at what the centre's own staff did, before an index.
    ///
    /// # Errors
    /// As [`Audit::search`], and [`PortalReason::OwnAudit`] where the auditor belongs to the
    /// centre.
    pub async fn staff(&self, before: u64) -> Result<Journaled, Refused> {
        let people = self.store.people().of_centre().await?;
        for person in &people {
            may_audit((self.auditor.id, &self.auditor.unit), (person.id, &person.unit))?;
        }
        let staff = people.iter().map(|person| person.login.folded()).collect();
        let before = before.min(self.store.ledger().next_index());
        self.journal("audit.staff", format!("trước mục {before}")).await?;
        Ok(Journaled(Look::Staff(before, staff)))
    }

    /// Reads what a journaled look may see. Waits for the database.
    ///
    /// # Errors
    /// [`PortalReason::OwnAudit`] for an entry of the own unit; [`Refused::Gone`] where an entry is
    /// not of the search.
    pub fn found(&self, look: &Journaled) -> Result<Page, Refused> {
        match &look.0 {
            Look::Search(sought, from) => self.page(sought, *from),
            Look::Entry(sought, index) => self.entry(sought, *index),
            Look::Staff(before, staff) => self.acts(*before, staff),
        }
    }

    fn page(&self, sought: &Sought, from: u64) -> Result<Page, Refused> {
        let mut entries = vec![];
        let accounts = sought.accounts(self.snapshot);
        let by: Vec<SearchBy<'_>> = match sought {
            Sought::Account(_) => accounts.iter().map(|id| SearchBy::Account(id.0)).collect(),
            Sought::Case(case) => vec![SearchBy::Case(case)],
            Sought::Subject(id) => vec![SearchBy::Subject(*id)],
        };
        for by in &by {
            entries.extend(self.store.entries_by(by, from, PAGE + 1)?);
        }
        entries.sort_unstable_by_key(|e| e.index);
        entries.dedup_by_key(|e| e.index);
        let next = entries.get(PAGE).map(|e| e.index);
        entries.truncate(PAGE);
        let all = entries.len();
        entries.retain(|entry| self.may_see(entry).is_ok());
        Ok(Page { withheld: (all - entries.len()) as u64, entries, next })
    }

    fn entry(&self, sought: &Sought, index: u64) -> Result<Page, Refused> {
        let entry = self.store.entry(index)?.ok_or(Refused::Gone)?;
        match &entry.body {
            Body::Query(q) if sought.finds(self.store, self.snapshot, q) => {}
            _ => return Err(Refused::Gone),
        }
        self.may_see(&entry)?;
        Ok(Page { entries: vec![entry], withheld: 0, next: None })
    }

    /// Nobody looks into what they or their own unit asked (F3).
    fn may_see(&self, entry: &Entry) -> Result<(), PortalReason> {
        let Body::Query(q) = &entry.body else { return Ok(()) };
        let system = self.snapshot.systems().iter().find(|s| s.id.0 == q.system);
        let Some(system) = system else { return Ok(()) };
        let account = system.accounts.by_id(AccountId(q.account));
        let own = account.is_some_and(|a| a.login.folded() == self.auditor.login.folded());
        // Of others only the unit counts: no person is numbered like that.
        let audited = if own { self.auditor.id } else { PersonId(u32::MAX) };
        may_audit((self.auditor.id, &self.auditor.unit), (audited, &system.unit))
    }

    /// What the centre's staff did, newest first, in the window before an index.
    fn acts(&self, before: u64, staff: &[String]) -> Result<Page, Refused> {
        let from = before.saturating_sub(STAFF_WINDOW);
        let mut entries = vec![];
        self.store.scan_past(from, |scanned| {
            if let Scanned::Entry(entry) = scanned {
                if entry.index >= before {
                    return Ok(false);
                }
                if is_act_of_staff(&entry, staff) {
                    entries.push(entry);
                }
            }
            Ok(true)
        })?;
        entries.reverse();
        let more = entries.get(PAGE).is_some();
        entries.truncate(PAGE);
        let last = if more { entries.last().map(|e| e.index) } else { Some(from) };
        Ok(Page { entries, withheld: 0, next: last.filter(|next| *next > 0) })
    }
}

/// An act of the centre's people, and whatever was done by `dancu operate`, whoever's name was
/// given to it: only the centre's machine has it.
fn is_act_of_staff(entry: &Entry, staff: &[String]) -> bool {
    let Body::Act(act) = &entry.body else { return false };
    operated(&act.actor).is_some() || staff.contains(&act.actor.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sought_is_read_and_never_shown_in_debug_output() {
        let subject = Sought::parse("subject", " 099 090 000 123 ").unwrap();
        assert_eq!(format!("{subject:?}"), "Sought(subject)");
        assert_eq!(subject.shown(), "");
        assert!(matches!(
            Sought::parse("subject", "012345678"),
            Ok(Sought::Subject(SubjectId::Old(_)))
        ));
        assert_eq!(Sought::parse("case", "H26.1/7").unwrap().shown(), "H26.1/7");
        let account = Sought::parse("account", "onestop.canbo1").unwrap();
        assert_eq!((account.kind(), account.shown()), ("account", "onestop.canbo1"));
        for (kind, term) in [("subject", "09909000012"), ("account", ""), ("case", " ")] {
            let refused = Sought::parse(kind, term).unwrap_err();
            assert!(matches!(refused, Refused::Field { field: "term", .. }), "{kind}");
        }
    }

    #[test]
    fn hex_is_read_or_refused() {
        assert_eq!(from_hex("00ff7a"), Some(vec![0, 255, 0x7a]));
        for wrong in ["0", "0g", "é"] {
            assert_eq!(from_hex(wrong), None);
        }
    }
}
