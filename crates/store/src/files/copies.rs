//! Paper copies of a dossier (B7).

use dancu_domain::dossier::DossierNumber;
use dancu_domain::files::PaperCopy;

use crate::engine::{Row, Tx};
use crate::error::Result;
use crate::keys::{Key, Keyring};
use crate::people::sealed::{self, Place};
use crate::store::Store;
use crate::values;

const OF_DOSSIER: &str = "SELECT id, sealed FROM paper_copy WHERE dossier = $1 ORDER BY id";
const BY_ID: &str = "SELECT id, sealed FROM paper_copy WHERE id = $1 AND dossier = $2";

impl Store {
    /// Paper copies of a dossier with their numbers, in the order in which they were told of.
    pub async fn paper_copies(&self, dossier: DossierNumber) -> Result<Vec<(i64, PaperCopy)>> {
        let key = sealed::key(&self.keys)?;
        self.look(OF_DOSSIER, values![dossier.0], |r| read(r, &key)).await
    }
}

/// Paper copies of a dossier with their numbers.
pub fn copies_of(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    dossier: DossierNumber,
) -> Result<Vec<(i64, PaperCopy)>> {
    let key = sealed::key(keys)?;
    tx.query(OF_DOSSIER, values![dossier.0], |r| read(r, &key))
}

/// A paper copy of a dossier.
pub fn copy(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    (dossier, id): (DossierNumber, i64),
) -> Result<Option<PaperCopy>> {
    let key = sealed::key(keys)?;
    Ok(tx.optional(BY_ID, values![id, dossier.0], |r| read(r, &key))?.map(|(_, copy)| copy))
}

/// Stores a paper copy; gives its number.
pub fn insert_copy(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    dossier: DossierNumber,
    copy: &PaperCopy,
) -> Result<i64> {
    let key = sealed::key(keys)?;
    let id = tx.one("SELECT COALESCE(MAX(id), 0) + 1 FROM paper_copy", &[], |r| r.get(0))?;
    let sealed = place(id).seal(&key, copy, &[])?;
    let sql = "INSERT INTO paper_copy (id, dossier, sealed) VALUES ($1, $2, $3)";
    tx.execute(sql, values![id, dossier.0, sealed])?;
    Ok(id)
}

/// Stores a paper copy that was read in this transaction.
pub fn save_copy(tx: &mut Tx<'_>, keys: &Keyring, id: i64, copy: &PaperCopy) -> Result<()> {
    let sealed = place(id).seal(&*sealed::key(keys)?, copy, &[])?;
    tx.execute("UPDATE paper_copy SET sealed = $1 WHERE id = $2", values![sealed, id])?;
    Ok(())
}

fn read(r: &Row<'_>, key: &Key) -> Result<(i64, PaperCopy)> {
    let id = r.get(0)?;
    Ok((id, place(id).open(key, r, 1)?.record))
}

fn place(id: i64) -> Place {
    Place::numbered("paper_copy.sealed", id)
}
