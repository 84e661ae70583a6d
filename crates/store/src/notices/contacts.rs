//! Where a person is mailed, and how. A record of its own, so that what a mail server says about an
//! address changes nothing of who the person is and ends no session.

use std::collections::HashSet;
use std::fmt;

use dancu_domain::moment::{DAY_MS, Moment};
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

/// How long an address from which mail came back is not tried again, ms (*ours*): a box that is
/// full is emptied within days, one that does not exist stays away.
pub const BOUNCE_KEPT_MS: i64 = 7 * DAY_MS;

/// Writes down that mail to an address came back; what is older than [`BOUNCE_KEPT_MS`] goes.
pub fn note_bounce(tx: &mut Tx<'_>, keys: &Keyring, address: &str, at: Moment) -> Result<()> {
    let digest = bounce_digest(keys, address)?;
    let sql = "DELETE FROM mail_bounce WHERE bounced_at <= $1";
    tx.execute(sql, values![at.plus_ms(-BOUNCE_KEPT_MS).0])?;
    let sql = "INSERT INTO mail_bounce (digest, bounced_at) VALUES ($1, $2) \
               ON CONFLICT (digest) DO UPDATE SET bounced_at = excluded.bounced_at";
    tx.execute(sql, values![digest, at.0])?;
    Ok(())
}

/// When mail to an address came back, where that was of late, whoever was mailed.
pub fn bounced_at(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    address: &str,
    now: Moment,
) -> Result<Option<Moment>> {
    let digest = bounce_digest(keys, address)?;
    let sql = "SELECT bounced_at FROM mail_bounce WHERE digest = $1 AND bounced_at > $2";
    let since = now.plus_ms(-BOUNCE_KEPT_MS).0;
    tx.optional(sql, values![digest, since], |r| Ok(Moment(r.get(0)?)))
}

/// Of an address, whatever the case of its letters: servers tell them in either.
fn bounce_digest(keys: &Keyring, address: &str) -> Result<[u8; 16]> {
    let key = sealed::key(keys)?;
    Ok(key.digest16(&[b"mail_bounce.digest\0", address.to_lowercase().as_bytes()]))
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
