//! Documents as they stand sealed: a version byte and records one after the other.
//!
//! The first record is of the layout that the version names. What a later version adds is a record
//! behind it: a node of the version before reads what it knows and, where it writes the document
//! anew, keeps the rest as it is. So both work beside each other during an upgrade. Another layout
//! of the first record is another version byte, which older programs refuse.

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::engine::Row;
use crate::error::{Error, Result};
use crate::keys::{Key, Keyring, Purpose, random};

/// The layout of the first record that this program reads and writes.
const VERSION: u8 = 1;

/// Binds a sealed column to its table and row: moved to another place it does not open.
pub(crate) struct Place {
    /// The column, as errors name it.
    column: &'static str,
    aad: Vec<u8>,
}

impl Place {
    /// Of a row that is found by a number.
    pub(crate) fn numbered(column: &'static str, id: i64) -> Self {
        Self { column, aad: format!("dancu {column} {id}").into_bytes() }
    }

    /// Of a row that is found by bytes.
    pub(crate) fn marked(column: &'static str, mark: &[u8]) -> Self {
        Self { column, aad: [b"dancu ", column.as_bytes(), b" ", mark].concat() }
    }

    /// Seals a record, and behind it what a later version wrote there.
    pub(crate) fn seal(&self, key: &Key, record: &impl Serialize, rest: &[u8]) -> Result<Vec<u8>> {
        self.seal_plain(key, &self.plain(record, rest)?)
    }

    /// The plain text of a document.
    pub(crate) fn plain(&self, record: &impl Serialize, rest: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let plain = postcard::to_extend(record, vec![VERSION]);
        let mut plain = Zeroizing::new(plain.map_err(|_| self.damaged())?);
        plain.extend_from_slice(rest);
        Ok(plain)
    }

    /// Seals a plain text.
    pub(crate) fn seal_plain(&self, key: &Key, plain: &[u8]) -> Result<Vec<u8>> {
        let mut nonce = [0; crate::NONCE_BYTES];
        random(&mut nonce)?;
        key.seal.seal(nonce, &self.aad, plain)
    }

    /// Opens a column of a row.
    pub(crate) fn open<T: DeserializeOwned>(
        &self,
        key: &Key,
        row: &Row<'_>,
        column: usize,
    ) -> Result<Opened<T>> {
        let plain = self.open_plain(key, row, column)?;
        let Some((&VERSION, records)) = plain.split_first() else { return Err(self.damaged()) };
        let (record, rest) = postcard::take_from_bytes(records).map_err(|_| self.damaged())?;
        let rest_from = plain.len() - rest.len();
        Ok(Opened { record, plain, rest_from })
    }

    /// Opens a column that [`Place::seal_plain`] sealed.
    pub(crate) fn open_plain(
        &self,
        key: &Key,
        row: &Row<'_>,
        column: usize,
    ) -> Result<Zeroizing<Vec<u8>>> {
        let mut sealed = Zeroizing::new(row.get::<Vec<u8>>(column)?);
        Ok(Zeroizing::new(key.seal.open(&self.aad, &mut sealed)?.to_vec()))
    }

    /// What it holds does not fit.
    pub(crate) const fn damaged(&self) -> Error {
        Error::Damaged(self.column)
    }
}

/// A document that was opened.
pub(crate) struct Opened<T> {
    /// The record that this program knows.
    pub(crate) record: T,
    /// The whole plain text.
    pub(crate) plain: Zeroizing<Vec<u8>>,
    rest_from: usize,
}

impl<T> Opened<T> {
    /// What a later version wrote behind the record.
    pub(crate) fn rest(&self) -> &[u8] {
        &self.plain[self.rest_from..]
    }
}

/// The key of what is registered: people, their sessions and desks are sealed under it, and found
/// by digests under it. It is wrapped anew with a new master key and never replaced, so that every
/// digest stays what it was.
pub(crate) fn key(keys: &Keyring) -> Result<std::sync::Arc<Key>> {
    keys.get(Purpose::Policy, 0).ok_or(Error::Damaged("key is missing"))
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::engine::Tx;
    use crate::values;

    const PLACE: &str = "portal_person.sealed";

    fn opened(key: &Key, place: &Place, sealed: &[u8]) -> Result<(String, Vec<u8>)> {
        let db = Connection::open_in_memory().unwrap();
        Tx::from(&db).one("SELECT $1", values![sealed], |r| {
            let opened = place.open::<(u32, String)>(key, r, 0)?;
            assert_eq!(opened.record.0, 7);
            Ok((opened.record.1.clone(), opened.rest().to_vec()))
        })
    }

    fn keyring() -> std::sync::Arc<Key> {
        let mut db = Connection::open_in_memory().unwrap();
        crate::sqlite::migrate(&mut db, crate::sqlite::Area::Core).unwrap();
        let keys = Keyring::new(&[9; 32]).unwrap();
        keys.get_or_make(&mut Tx::from(&db), Purpose::Policy, 0).unwrap()
    }

    #[test]
    fn versions_before_and_after_read_each_other() {
        let (key, place) = (keyring(), Place::numbered(PLACE, 7));
        let record = (7u32, "mẫu".to_owned());
        // As this version writes it, and as a later one does, with a record behind.
        let sealed = place.seal(&key, &record, &[]).unwrap();
        assert_eq!(opened(&key, &place, &sealed).unwrap(), ("mẫu".into(), vec![]));
        let later = postcard::to_stdvec(&(1u8, "thêm")).unwrap();
        let sealed = place.seal(&key, &record, &later).unwrap();
        let (text, rest) = opened(&key, &place, &sealed).unwrap();
        assert_eq!((text.as_str(), &rest), ("mẫu", &later), "what is not known is kept");
        // Another layout is refused, not misread; so is what was cut off.
        let plain = place.plain(&record, &[]).unwrap();
        let other = [&[VERSION + 1], &plain[1..]].concat();
        for bad in (0..plain.len()).map(|cut| plain[..cut].to_vec()).chain([other]) {
            let sealed = place.seal_plain(&key, &bad).unwrap();
            assert!(matches!(opened(&key, &place, &sealed), Err(Error::Damaged(PLACE))));
        }
    }

    #[test]
    fn a_document_opens_only_in_its_place() {
        let key = keyring();
        let record = (7u32, "mẫu".to_owned());
        let sealed = Place::numbered(PLACE, 7).seal(&key, &record, &[]).unwrap();
        let others = [
            Place::numbered(PLACE, 8),
            Place::numbered("raise_request.sealed", 7),
            Place::marked(PLACE, &[7]),
        ];
        for other in others {
            assert!(matches!(opened(&key, &other, &sealed), Err(Error::Crypto(_))));
        }
    }
}
