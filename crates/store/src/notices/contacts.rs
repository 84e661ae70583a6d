//! Where a person is mailed, and how. A record of its own, so that what a mail server says about an
//! address changes nothing of who the person is and ends no session.

use std::collections::HashSet;
use std::fmt;

use dancu_domain::moment::Moment;
use dancu_domain::notices::Preference;
use dancu_domain::people::PersonId;
use serde::{Deserialize, Serialize};

use super::Notices;
use crate::engine::{Row, ToValue as _, Tx};
use crate::error::Result;
use crate::keys::{Key, Keyring, Purpose};
use crate::people::sealed::{self, Place};
use crate::values;

/// Wrong codes after which an address has to be asked for anew: one of 100 million digits is not
/// found in five tries.
pub const CODE_TRIES: u8 = 5;

/// People whom one statement asks about: it has one text, however many there are.
const PEOPLE: usize = 16;
const OF_PEOPLE: &str = "SELECT person, sealed FROM portal_contact WHERE person IN \
     ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
const OF_PERSON: &str = "SELECT person, sealed FROM portal_contact WHERE person = $1";

/// Where a person is mailed. Debug output shows nothing of it.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Contact {
    /// The address that was confirmed.
    pub address: Option<String>,
    /// An address whose code was not typed yet.
    pub pending: Option<Pending>,
    /// How the person wants to be mailed.
    pub preference: Preference,
    /// Since when mail to the address comes back.
    pub failing: Option<Moment>,
    /// When the address was confirmed: what was due before went elsewhere.
    pub confirmed: Option<Moment>,
    /// When codes were mailed of late, the oldest first: they stay when an address goes.
    pub codes: Vec<Moment>,
}

/// An address that is to be confirmed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The address.
    pub address: String,
    /// The code that was mailed to it.
    pub code: String,
    /// Until when it is good.
    pub until: Moment,
    /// Wrong codes so far.
    pub tries: u8,
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Contact(***)")
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pending(***)")
    }
}

/// Where a person is mailed; nobody is mailed who said nothing.
pub fn contact(tx: &mut Tx<'_>, keys: &Keyring, person: PersonId) -> Result<Contact> {
    let key = sealed::key(keys)?;
    Ok(tx.optional(OF_PERSON, values![person.0], |r| read(r, &key))?.unwrap_or_default())
}

/// Stores it.
pub fn save_contact(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    person: PersonId,
    contact: &Contact,
) -> Result<()> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let sealed = place(person.0).seal(&key, contact, &[])?;
    let sql = "INSERT INTO portal_contact (person, sealed) VALUES ($1, $2) \
               ON CONFLICT (person) DO UPDATE SET sealed = excluded.sealed";
    tx.execute(sql, values![person.0, sealed])?;
    Ok(())
}

impl Notices<'_> {
    /// [`contact`].
    pub async fn contact(self, person: PersonId) -> Result<Contact> {
        let key = sealed::key(&self.store.keys)?;
        let found = self.store.look(OF_PERSON, values![person.0], |r| read(r, &key)).await?;
        Ok(found.into_iter().next().unwrap_or_default())
    }

    /// To whom of these people mail comes back; sixteen by one statement.
    pub async fn failing(self, people: &[PersonId]) -> Result<HashSet<PersonId>> {
        let key = sealed::key(&self.store.keys)?;
        let mut all = HashSet::new();
        for some in people.chunks(PEOPLE) {
            // The last one fills what is left of the statement.
            let filled = some.iter().chain(std::iter::repeat(&some[some.len() - 1]));
            let values: Vec<_> = filled.take(PEOPLE).map(|id| id.0.value()).collect();
            let read = |r: &Row<'_>| Ok((PersonId(r.get(0)?), read(r, &key)?.failing.is_some()));
            let found = self.store.look(OF_PEOPLE, &values, read).await?;
            all.extend(found.into_iter().filter(|(_, failing)| *failing).map(|(id, _)| id));
        }
        Ok(all)
    }
}

fn read(r: &Row<'_>, key: &Key) -> Result<Contact> {
    Ok(place(r.get(0)?).open(key, r, 1)?.record)
}

fn place(person: u32) -> Place {
    Place::numbered("portal_contact.sealed", person.into())
}
