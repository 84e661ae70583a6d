//! Notices: told with the act that they are about ([`tell`]), handed out and mailed afterwards.
//!
//! **Invariant:** nobody is told of what was not done: a notice is written in the transaction of
//! its act. **Invariant:** settling a question writes none: what became of lines is found out by
//! looking at the counts ([`watch`]).

pub mod contact;
pub mod spread;
pub mod watch;

use dancu_domain::moment::Moment;
use dancu_domain::notices::{Audience, LineAt, Notice};
use dancu_domain::people::PersonId;
use dancu_domain::registration::System;
use dancu_store::Store;
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::notices;

use crate::act::{Place, Refused};

/// Tells somebody something, in the transaction of the act that it is about.
///
/// # Errors
/// Of the store.
pub fn tell(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    at: Moment,
    to: &[Audience],
    notice: &Notice,
) -> Result<(), Refused> {
    notices::insert(tx, keys, at, None, (to, notice))?;
    Ok(())
}

/// A line as notices name it.
pub(crate) fn line(system: &System, place: &Place<'_>) -> LineAt {
    LineAt { system: system.code.clone(), service: place.service, window: place.window }
}

/// Whoever answers for the lines of a system, and the centre: but not who did it.
pub(crate) fn answers_for(system: &System, by: Option<PersonId>) -> Vec<Audience> {
    vec![
        Audience::Heads(system.unit.clone(), by),
        Audience::Integrators(system.unit.clone()),
        Audience::Operators(by),
    ]
}

/// Marks a notice of a person as read, or with none everything up to the last one that was seen.
/// It changes nothing but what the person has seen, and is not journaled.
///
/// # Errors
/// Of the store.
pub async fn mark_read(
    (store, now): (&Store, Moment),
    person: PersonId,
    which: Read,
) -> Result<(), Refused> {
    let marked = store.ledger().tidy(now, move |tx| match which {
        Read::One(id) => notices::mark_read(tx, person, id, now),
        Read::UpTo(id) => notices::mark_all_read(tx, person, id, now),
    });
    Ok(marked.await?)
}

/// What was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Read {
    /// One notice.
    One(i64),
    /// All up to one.
    UpTo(i64),
}
