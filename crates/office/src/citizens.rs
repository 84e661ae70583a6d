//! The citizen's acts: seeing one's own data, and who looked at it. Each is journaled before
//! anything is shown (I1, I3).
//!
//! **Invariant:** a citizen sees what belongs to the personal id of the own account and nothing
//! else: no act here takes an id from its caller.

use dancu_domain::ids::{PersonalId, SubjectId};
use dancu_domain::moment::Moment;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::person::Person as Record;
use dancu_journal::{Body, Entry, Query};
use dancu_store::entries::Pseudonyms;
use dancu_store::people::Person;
use dancu_store::{SearchBy, Store};

use crate::act::{Actor, Entry as ActEntry, Refused, note};

/// Looks that one page shows: years of an ordinary life.
pub const LOOKS_MAX: usize = 500;

/// What an entry says in place of a province where it was asked by an old id
/// ([`Features`](dancu_journal::Features)).
const BY_OLD_ID: u16 = u16::MAX;

/// A citizen who asks.
#[derive(Clone, Copy)]
pub struct Citizen<'a> {
    /// The open data.
    pub store: &'a Store,
    /// The product's time.
    pub now: Moment,
    /// Whose account.
    pub person: &'a Person,
}

/// That a citizen asked who looked: only the journaled act gives it.
pub struct Asked {
    ids: Vec<SubjectId>,
}

/// Somebody looked, or asked and was refused.
#[derive(Debug)]
pub struct Look {
    /// Time of the question, ms since 1970 UTC.
    pub at: i64,
    /// The question as it was journaled.
    pub query: Box<Query>,
    /// Whether data of the citizen was told.
    pub told: bool,
    /// Whether the question was about somebody else, and told of the citizen beside them: a member
    /// of the household, a relative.
    pub beside: bool,
}

/// Who looked, the newest first.
#[derive(Debug)]
pub struct Looks {
    /// At most [`LOOKS_MAX`].
    pub looks: Vec<Look>,
    /// Whether there are older ones.
    pub more: bool,
}

impl Citizen<'_> {
    fn id(&self) -> Result<PersonalId, Refused> {
        self.person.personal_id.ok_or(Refused::Reason(PortalReason::IdentityDiffers))
    }

    async fn journal(&self, kind: &'static str) -> Result<(), Refused> {
        let actor = Actor::Person(self.person.id, self.person.login.clone());
        let entry = ActEntry::new(kind, &actor, None);
        note((self.store, self.now), entry, |_| Ok((String::new(), ()))).await?;
        Ok(())
    }

    /// The citizen's own record, whole.
    ///
    /// # Errors
    /// [`PortalReason::IdentityDiffers`] where the registry has none under the id any more;
    /// [`Refused::Store`] where it could not be read or journaled: nothing is shown then.
    pub async fn own_data(&self) -> Result<Record, Refused> {
        let id = self.id()?;
        self.journal("citizen.ownData").await?;
        let found = self.store.registry().look_up(id).await?;
        let found = found.ok_or(Refused::Reason(PortalReason::IdentityDiffers))?;
        Ok(found.person()?)
    }

    /// Journals that the citizen asks who looked. What was asked by an old id counts as well, as
    /// far as no other citizen has it.
    ///
    /// # Errors
    /// As [`Citizen::own_data`].
    pub async fn ask_looks(&self) -> Result<Asked, Refused> {
        let id = self.id()?;
        self.journal("citizen.ownLooks").await?;
        let mut ids = vec![SubjectId::Personal(id)];
        let registry = self.store.registry();
        let record = registry.look_up(id).await?;
        for old in record.iter().flat_map(|record| &record.keys.old_ids) {
            // Some old ids were issued twice: what was asked by them may be about the other one.
            if registry.look_up_old(*old).await?.len() == 1 {
                ids.push(SubjectId::Old(*old));
            }
        }
        Ok(Asked { ids })
    }

    /// Reads who looked. Waits for the database.
    ///
    /// # Errors
    /// Of the store.
    pub fn looks(&self, asked: &Asked) -> Result<Looks, Refused> {
        let mut newest = vec![];
        for id in &asked.ids {
            newest.extend(self.store.last_entries_by(&SearchBy::Subject(*id), LOOKS_MAX + 1)?);
        }
        newest.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.index));
        newest.dedup_by_key(|entry| entry.index);
        let more = newest.len() > LOOKS_MAX;
        newest.truncate(LOOKS_MAX);
        let looks = newest.into_iter().filter_map(|entry| self.look(entry, &asked.ids));
        Ok(Looks { looks: looks.collect(), more })
    }

    fn look(&self, entry: Entry, ids: &[SubjectId]) -> Option<Look> {
        let Body::Query(query) = entry.body else { return None };
        let mine = |subject: &dancu_journal::Subject| {
            let year = Pseudonyms::of_year(self.store.keys(), subject.epoch);
            year.is_some_and(|year| {
                ids.iter().any(|id| year.subject(*id, false).pseudonym == subject.pseudonym)
            })
        };
        let at = query.subjects.iter().position(mine)?;
        let told = query.subjects.iter().any(|subject| subject.delivered && mine(subject));
        // Of a question by an old id the citizen's own entry stands second.
        let first = usize::from(query.features.province == BY_OLD_ID);
        Some(Look { at: entry.arrival, told, beside: at > first, query })
    }
}
