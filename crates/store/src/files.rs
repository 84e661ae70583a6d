//! Kept files: what each is, and its bytes, sealed in parts (B2, B7).
//!
//! A file comes in part by part, some of them a transaction, so that questions wait for none of it;
//! it is kept by the transaction of the act that it belongs to, and by nothing else. What was begun
//! and not kept is nobody's file: whoever failed takes it away, housekeeping what a stop left.
//!
//! **Invariant:** nothing is read of a file that is not kept. **Invariant:** a file is given whole
//! and as it came, by its digest, or not at all.

use std::sync::Arc;

use dancu_domain::dossier::DossierNumber;
use dancu_domain::files::{About, FileId};
use dancu_domain::ids::SystemId;
use dancu_domain::moment::{DAY_MS, Moment};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::engine::{Row, Tx};
use crate::error::{Error, Result};
use crate::keys::{Key, Keyring};
use crate::people::sealed::{self, Place};
use crate::store::Store;
use crate::values;

mod copies;
mod documents;
mod lists;

pub use copies::{copies_of, copy, insert_copy, save_copy};
pub use documents::{Issued, NewDocument, insert_document, next_document};
pub use lists::{ListedCommitment, confirm};

/// Bytes of a part before it is sealed.
const PART_BYTES: usize = 256 << 10;
/// Parts of a file at most: 256 MiB, more than any kind of file may have.
const PARTS_MAX: i64 = 1024;
/// Parts that one transaction writes: 1 MiB, a few ms of the ledger's thread.
const PARTS_A_WRITE: usize = 4;
/// A file that came in so long ago and was not kept was left by a stop, ms.
const COMING_MS: i64 = DAY_MS;

const BY_ID: &str =
    "SELECT id, dossier, system, bytes, sealed FROM kept_file WHERE id = $1 AND state = 1";
const OF_DOSSIER: &str = "SELECT id, dossier, system, bytes, sealed FROM kept_file \
    WHERE dossier = $1 AND state = 1 ORDER BY id";
const PART: &str = "SELECT sealed FROM kept_file_part WHERE id = $1";

/// A file whose bytes are stored and that nothing keeps yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Staged {
    /// Its number.
    pub id: FileId,
    /// Digest of its bytes.
    pub sha256: [u8; 32],
    /// Bytes.
    pub bytes: u64,
}

/// Whose a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// Of a dossier.
    Dossier(DossierNumber),
    /// Of a system.
    System(SystemId),
}

/// A kept file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// Its number.
    pub id: FileId,
    /// Whose it is.
    pub whose: Whose,
    /// Bytes.
    pub bytes: u64,
    /// Digest of its bytes.
    pub sha256: [u8; 32],
    /// What is known of it.
    pub about: About,
}

/// As it is sealed in `kept_file.sealed`.
#[derive(Serialize, Deserialize)]
struct Record {
    sha256: [u8; 32],
    about: About,
}

impl Store {
    /// Stores the bytes of a file, for an act to [`keep`] it.
    pub async fn stage_file(&self, at: Moment, bytes: &[u8]) -> Result<Staged> {
        let begin = move |tx: &mut Tx<'_>| Ok((begin(tx, at)?, None));
        let id = self.job_change(at, begin).await?;
        let staged = self.stage_parts(at, id, bytes).await;
        if staged.is_err() {
            self.drop_staged(at, id).await;
        }
        staged
    }

    async fn stage_parts(&self, at: Moment, id: FileId, bytes: &[u8]) -> Result<Staged> {
        let (key, mut digest) = (sealed::key(&self.keys)?, Sha256::new());
        for (write, some) in bytes.chunks(PART_BYTES * PARTS_A_WRITE).enumerate() {
            digest.update(some);
            let parts = Arc::new(seal(&key, id, (write * PARTS_A_WRITE) as i64, some)?);
            self.job_change(at, move |tx| {
                // Nothing is put to what was taken away meanwhile.
                let sql = "SELECT COUNT(*) FROM kept_file WHERE id = $1 AND state = 0";
                if tx.one(sql, values![id.0], |r| r.get::<i64>(0))? == 0 {
                    return Err(Error::Unavailable("the upload took too long"));
                }
                put(tx, &parts)?;
                Ok(((), None))
            })
            .await?;
        }
        Ok(Staged { id, sha256: digest.finalize().into(), bytes: bytes.len() as u64 })
    }

    /// Takes away what was stored of a file that no act kept. What cannot be taken away now,
    /// housekeeping takes.
    pub async fn drop_staged(&self, at: Moment, id: FileId) {
        let gone = self.ledger().tidy(at, move |tx| remove(tx, id, 0));
        if let Err(error) = gone.await {
            tracing::warn!(error = %error, "what came of a file could not be taken away yet");
        }
    }

    /// Takes away what stops left of files that came in.
    pub async fn forget_staged(&self, at: Moment) -> Result<()> {
        let sql = "SELECT id FROM kept_file WHERE state = 0 AND begun_at < $1 LIMIT 10";
        let old = at.plus_ms(-COMING_MS).0;
        for id in self.look(sql, values![old], |r| r.get(0).map(FileId)).await? {
            self.ledger().tidy(at, move |tx| remove(tx, id, 0)).await?;
        }
        Ok(())
    }

    /// A kept file, without its bytes.
    pub async fn file(&self, id: FileId) -> Result<Option<Kept>> {
        let key = sealed::key(&self.keys)?;
        Ok(self.look(BY_ID, values![id.0], |r| read(r, &key)).await?.pop())
    }

    /// Files of a dossier, in the order in which they came.
    pub async fn files_of(&self, dossier: DossierNumber) -> Result<Vec<Kept>> {
        let key = sealed::key(&self.keys)?;
        self.look(OF_DOSSIER, values![dossier.0], |r| read(r, &key)).await
    }

    /// The bytes of a kept file, checked by its digest; 20 MiB at most.
    ///
    /// # Errors
    /// [`Error::Damaged`] where they are not as they came.
    pub async fn file_bytes(&self, file: &Kept) -> Result<Vec<u8>> {
        let (key, mut bytes) = (sealed::key(&self.keys)?, Vec::with_capacity(file.bytes as usize));
        let mut digest = Sha256::new();
        for at in 0..(file.bytes as usize).div_ceil(PART_BYTES) {
            let part = part_id(file.id, at as i64);
            let read = |r: &Row<'_>| part_place(part).open_plain(&key, r, 0);
            let found = self.look(PART, values![part], read).await?.pop();
            let found = found.ok_or(Error::Damaged("kept_file_part"))?;
            digest.update(&found);
            bytes.extend_from_slice(&found);
            // Others have their turn between two parts.
            tokio::task::yield_now().await;
        }
        let digest: [u8; 32] = digest.finalize().into();
        if bytes.len() as u64 == file.bytes && digest == file.sha256 {
            Ok(bytes)
        } else {
            Err(Error::Damaged("kept_file_part"))
        }
    }
}

/// Keeps a file that was stored, in the transaction of its act.
///
/// # Errors
/// [`Error::Unavailable`] where it is not there any more.
pub fn keep(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    staged: &Staged,
    whose: Whose,
    about: &About,
) -> Result<()> {
    let key = sealed::key(keys)?;
    let record = Record { sha256: staged.sha256, about: about.clone() };
    let sealed = place(staged.id).seal(&key, &record, &[])?;
    let (dossier, system) = match whose {
        Whose::Dossier(number) => (Some(number.0), None),
        Whose::System(system) => (None, Some(system.0)),
    };
    let kept = tx.execute(
        "UPDATE kept_file SET state = 1, dossier = $1, system = $2, bytes = $3, sealed = $4 \
         WHERE id = $5 AND state = 0",
        values![dossier, system, staged.bytes as i64, sealed, staged.id.0],
    )?;
    if kept == 0 { Err(Error::Unavailable("the upload took too long")) } else { Ok(()) }
}

/// Stores and keeps a small file at once.
pub fn insert(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    bytes: &[u8],
    whose: Whose,
    about: &About,
) -> Result<Staged> {
    let id = begin(tx, about.at)?;
    put(tx, &seal(&*sealed::key(keys)?, id, 0, bytes)?)?;
    let staged = Staged { id, sha256: Sha256::digest(bytes).into(), bytes: bytes.len() as u64 };
    keep(tx, keys, &staged, whose, about)?;
    Ok(staged)
}

/// Takes a kept file of a dossier away; its number is not given again.
pub fn take_away(tx: &mut Tx<'_>, dossier: DossierNumber, id: FileId) -> Result<()> {
    let sql = "SELECT COUNT(*) FROM kept_file WHERE id = $1 AND dossier = $2";
    if tx.one(sql, values![id.0, dossier.0], |r| r.get::<i64>(0))? > 0 {
        remove(tx, id, 1)?;
    }
    Ok(())
}

/// Files of a dossier.
pub fn of_dossier(tx: &mut Tx<'_>, keys: &Keyring, dossier: DossierNumber) -> Result<Vec<Kept>> {
    let key = sealed::key(keys)?;
    tx.query(OF_DOSSIER, values![dossier.0], |r| read(r, &key))
}

/// Room for a file that comes in.
fn begin(tx: &mut Tx<'_>, at: Moment) -> Result<FileId> {
    let id = tx.one("SELECT COALESCE(MAX(id), 0) + 1 FROM kept_file", &[], |r| r.get(0))?;
    tx.execute(
        "INSERT INTO kept_file (id, state, begun_at, bytes, sealed) VALUES ($1, 0, $2, 0, $3)",
        values![id, at.0, [0u8; 0]],
    )?;
    Ok(FileId(id))
}

/// Takes the bytes of a file in a state away; the row stays, so that its number does.
fn remove(tx: &mut Tx<'_>, id: FileId, state: i64) -> Result<()> {
    let sql = "UPDATE kept_file SET state = 2 WHERE id = $1 AND state = $2";
    if tx.execute(sql, values![id.0, state])? > 0 {
        let sql = "DELETE FROM kept_file_part WHERE id >= $1 AND id < $2";
        tx.execute(sql, values![part_id(id, 0), part_id(id, PARTS_MAX)])?;
    }
    Ok(())
}

fn seal(key: &Key, id: FileId, first: i64, bytes: &[u8]) -> Result<Vec<(i64, Vec<u8>)>> {
    let parts = (first..).zip(bytes.chunks(PART_BYTES));
    parts
        .map(|(at, part)| {
            if at >= PARTS_MAX {
                return Err(Error::Damaged("kept_file_part.id"));
            }
            let id = part_id(id, at);
            Ok((id, part_place(id).seal_plain(key, part)?))
        })
        .collect()
}

fn put(tx: &mut Tx<'_>, parts: &[(i64, Vec<u8>)]) -> Result<()> {
    parts.iter().try_for_each(|(id, sealed)| {
        tx.queue("INSERT INTO kept_file_part (id, sealed) VALUES ($1, $2)", values![id, sealed])
    })
}

fn read(r: &Row<'_>, key: &Key) -> Result<Kept> {
    let id = FileId(r.get(0)?);
    let Record { sha256, about } = place(id).open(key, r, 4)?.record;
    let whose = match (r.get::<Option<u32>>(1)?, r.get::<Option<u32>>(2)?) {
        (Some(dossier), None) => Whose::Dossier(DossierNumber(dossier)),
        (None, Some(system)) => Whose::System(SystemId(system)),
        _ => return Err(place(id).damaged()),
    };
    Ok(Kept { id, whose, bytes: r.get::<i64>(3)?.unsigned_abs(), sha256, about })
}

const fn part_id(id: FileId, at: i64) -> i64 {
    id.0 * PARTS_MAX + at
}

fn place(id: FileId) -> Place {
    Place::numbered("kept_file.sealed", id.0)
}

fn part_place(id: i64) -> Place {
    Place::numbered("kept_file_part.sealed", id)
}
