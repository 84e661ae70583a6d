//! The registry looked through in slices, for lists: a slice is short, so that whoever scans can
//! let questions pass between two of them, and the place to go on is one number.

use dancu_domain::person::Person;

use super::Registry;
use super::current::{Current, OUTDATED};
use crate::error::{Error, Result};
use crate::values;

/// What a slice held.
pub struct Slice {
    /// The citizens who were kept, in storage order.
    pub kept: Vec<Person>,
    /// After which record to go on; `None` = the registry ends here.
    pub next: Option<i64>,
    /// Records that could not be opened; each is named in the log.
    pub damaged: u32,
}

impl Registry {
    /// Opens the `records` records after `after` (0 = from the start) and keeps those that `keep`
    /// says. One read; not for the threads of questions, since opening a record takes some 5 µs.
    ///
    /// # Errors
    /// The registry could not be read. A record that cannot be opened is counted.
    pub fn slice(&self, after: i64, records: u32, keep: impl Fn(&Person) -> bool) -> Result<Slice> {
        let read = |keys: &Current, patient: bool| {
            self.with(|tx| {
                tx.query(SLICE, values![after, records], |r| {
                    let id: i64 = r.get(0)?;
                    match person_of(keys, id, r.get(1)?, r.get(2)?) {
                        Ok(person) => Ok((id, Ok(Some(person).filter(&keep)))),
                        // Keys that another node made are looked for before it is given up.
                        Err(Error::Damaged(OUTDATED)) if patient => Err(Error::Damaged(OUTDATED)),
                        Err(error @ (Error::Crypto(_) | Error::Damaged(_))) => Ok((id, Err(error))),
                        Err(error) => Err(error),
                    }
                })
            })
        };
        let rows = match self.settled(|keys| read(keys, true)) {
            Err(Error::Damaged(OUTDATED)) => {
                let keys = self.current()?;
                read(&keys, false)
            }
            done => done,
        }?;
        let full = rows.len() == records as usize;
        let next = rows.last().map(|(id, _)| *id).filter(|_| full);
        let mut slice = Slice { kept: vec![], next, damaged: 0 };
        let mut first = None;
        for (id, found) in rows {
            match found {
                Ok(person) => slice.kept.extend(person),
                Err(error) => {
                    slice.damaged += 1;
                    first.get_or_insert((id, error));
                }
            }
        }
        // One line a slice: a key that is lost damages every record.
        if let Some((record, error)) = first {
            let damaged = slice.damaged;
            tracing::error!(error = %error, record, damaged, "registry.person cannot be opened");
        }
        Ok(slice)
    }
}

fn person_of(keys: &Current, id: i64, key_number: u32, sealed: &[u8]) -> Result<Person> {
    let plain = keys.opened("person", id, key_number, sealed)?;
    postcard::from_bytes(&plain).map_err(|_| Error::Damaged("person"))
}

const SLICE: &str = "SELECT id, key_number, sealed FROM person WHERE id > $1 ORDER BY id LIMIT $2";
