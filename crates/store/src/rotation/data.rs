//! Records sealed anew under the next data key. Each row names its key, so that it is read
//! meanwhile whichever it has.

use super::progress::{END, Progress};
use super::{Rotation, SLICE_RECORDS};
use crate::engine::Tx;
use crate::error::{Error, Result};
use crate::keys::{Keyring, Purpose};
use crate::registry::load::seal;
use crate::registry::opened_by;
use crate::values;

/// Rows that one slice checks: only their key numbers are read.
const CHECKED: u32 = 4_096;

/// A table of the registry and its texts.
struct Table {
    name: &'static str,
    read: &'static str,
    write: &'static str,
    check: &'static str,
}

const PERSON: Table = Table {
    name: "person",
    read: "SELECT id, key_number, sealed FROM person WHERE id > $1 ORDER BY id LIMIT $2",
    write: "UPDATE person SET key_number = $1, sealed = $2 WHERE id = $3 AND key_number = $4",
    check: "SELECT id, key_number FROM person WHERE id > $1 ORDER BY id LIMIT $2",
};
const HOUSEHOLD: Table = Table {
    name: "household",
    read: "SELECT id, key_number, sealed FROM household WHERE id > $1 ORDER BY id LIMIT $2",
    write: "UPDATE household SET key_number = $1, sealed = $2 WHERE id = $3 AND key_number = $4",
    check: "SELECT id, key_number FROM household WHERE id > $1 ORDER BY id LIMIT $2",
};

/// Steps 1 and 2 seal persons and households, 3 and 4 look whether any was left: where one was,
/// it begins anew.
pub(super) fn slice(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    r: &Rotation,
    progress: &mut Progress,
) -> Result<()> {
    match progress.step {
        1 => sealed(tx, keys, r, progress, &PERSON),
        2 => sealed(tx, keys, r, progress, &HOUSEHOLD),
        3 => checked(tx, r, progress, &PERSON),
        4 => checked(tx, r, progress, &HOUSEHOLD),
        _ => {
            *progress = Progress::at(END);
            Ok(())
        }
    }
}

fn sealed(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    r: &Rotation,
    progress: &mut Progress,
    table: &Table,
) -> Result<()> {
    let rows = tx.query(table.read, values![progress.after, SLICE_RECORDS], |r| {
        Ok((r.get::<i64>(0)?, r.get::<u32>(1)?, r.get::<Vec<u8>>(2)?))
    })?;
    let missing = || Error::Damaged("data key");
    let new = keys.get(Purpose::Data, r.new).ok_or_else(missing)?;
    let full = rows.len() == SLICE_RECORDS as usize;
    progress.done += rows.len() as u64;
    for (id, number, blob) in rows {
        progress.after = id;
        if number == r.new {
            continue;
        }
        let old = keys.get(Purpose::Data, number).ok_or_else(missing)?;
        let plain = zeroize::Zeroizing::new(opened_by(&old, table.name, id, number, &blob)?);
        let blob = seal(&new, r.new, table.name, id, &plain)?;
        tx.queue(table.write, values![r.new, blob, id, number])?;
    }
    if !full {
        *progress = Progress::at(progress.step + 1);
    }
    Ok(())
}

fn checked(tx: &mut Tx<'_>, r: &Rotation, progress: &mut Progress, table: &Table) -> Result<()> {
    let rows = tx.query(table.check, values![progress.after, CHECKED], |r| {
        Ok((r.get::<i64>(0)?, r.get::<u32>(1)?))
    })?;
    if rows.iter().any(|(_, number)| *number != r.new) {
        tracing::warn!(table = table.name, "a record was left under the old key: once more");
        *progress = Progress::at(1);
        return Ok(());
    }
    progress.done += rows.len() as u64;
    match rows.last() {
        Some((last, _)) if rows.len() == CHECKED as usize => progress.after = *last,
        _ => *progress = Progress::at(progress.step + 1),
    }
    Ok(())
}
