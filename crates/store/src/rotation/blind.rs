//! A new epoch of digests written beside the old one, put in force when it is complete, and the
//! old one deleted.
//!
//! Digests go in their order and whole, so that of two citizens under one old id never one alone
//! is found.

use dancu_domain::moment::Moment;
use dancu_domain::person::Person;

use super::progress::{END, Progress};
use super::{Rotation, act};
use crate::engine::Tx;
use crate::error::{Error, Result};
use crate::facts;
use crate::keys::{Keyring, Purpose};
use crate::lease::Lease;
use crate::registry::load::digests;
use crate::registry::{EPOCH, opened_by};
use crate::store::Store;
use crate::values;

/// The step that puts the new epoch in force.
pub(super) const SWITCH: u8 = 2;
/// The step that journals it and tells the other nodes.
pub(super) const TOLD: u8 = 3;
/// Citizens whose digests one slice writes: each falls into a page of its own, 0.7 MiB in all.
const WRITTEN: u32 = 64;
/// Rows looked at by one slice of deleting: half of them go.
const LOOKED_AT: u32 = 1_024;

/// Steps 1, 2 and 4; the third is [`tell`].
pub(super) fn slice(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    r: &Rotation,
    progress: &mut Progress,
) -> Result<()> {
    match progress.step {
        1 => written(tx, keys, r, progress),
        SWITCH => {
            facts::set_registry(tx, EPOCH, &r.new.to_string())?;
            *progress = Progress::at(TOLD);
            Ok(())
        }
        TOLD => Ok(()),
        4 => deleted(tx, r, progress),
        _ => {
            *progress = Progress::at(END);
            Ok(())
        }
    }
}

fn written(tx: &mut Tx<'_>, keys: &Keyring, r: &Rotation, progress: &mut Progress) -> Result<()> {
    let sql = "SELECT id, key_number, sealed FROM person WHERE id > $1 ORDER BY id LIMIT $2";
    let rows = tx.query(sql, values![progress.after, WRITTEN], |r| {
        Ok((r.get::<i64>(0)?, r.get::<u32>(1)?, r.get::<Vec<u8>>(2)?))
    })?;
    let blind = keys.get(Purpose::Blind, r.new).ok_or(Error::Damaged("blind key"))?;
    let full = rows.len() == WRITTEN as usize;
    progress.done += rows.len() as u64;
    let mut found = vec![];
    for (id, number, blob) in rows {
        progress.after = id;
        let data = keys.get(Purpose::Data, number).ok_or(Error::Damaged("data key"))?;
        let plain = zeroize::Zeroizing::new(opened_by(&data, "person", id, number, &blob)?);
        let person: Person = postcard::from_bytes(&plain).map_err(|_| Error::Damaged("person"))?;
        found.extend(digests(&blind, &person).into_iter().map(|(kind, d)| (d, kind, id)));
    }
    // In the order of the table: rows that fall into one page are written together.
    found.sort_unstable();
    for (digest, kind, person) in found {
        tx.queue(
            "INSERT INTO person_key (kind, epoch, digest, person) VALUES ($1, $2, $3, $4) \
             ON CONFLICT DO NOTHING",
            values![kind, r.new, digest, person],
        )?;
    }
    if !full {
        *progress = Progress::at(SWITCH);
    }
    Ok(())
}

fn deleted(tx: &mut Tx<'_>, r: &Rotation, progress: &mut Progress) -> Result<()> {
    let sql = "SELECT digest FROM person_key WHERE digest > $1 \
               ORDER BY digest, kind, epoch, person LIMIT $2";
    let seen = tx.query(sql, values![progress.digest, LOOKED_AT], |r| r.get::<Vec<u8>>(0))?;
    let Some(last) = seen.last() else {
        *progress = Progress::at(END);
        return Ok(());
    };
    progress.done += tx.execute(
        "DELETE FROM person_key WHERE digest > $1 AND digest <= $2 AND epoch <> $3",
        values![progress.digest, last, r.new],
    )?;
    progress.digest.clone_from(last);
    Ok(())
}

/// Journals that the new epoch is in force, so that other nodes look their keys up again.
pub(super) async fn tell(store: &Store, lease: &Lease, now: Moment, r: &Rotation) -> Result<()> {
    let (lease, keys, new) = (lease.clone(), store.keys().clone(), r.new);
    store
        .ledger()
        .note(now, move |tx| {
            lease.hold(tx)?;
            keys.tell_nodes();
            Ok(act("key.blind.inForce", "dancu", format!("blind {new}")))
        })
        .await?;
    Ok(())
}
