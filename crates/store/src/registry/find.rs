//! A citizen by a keyed digest, in one read of two B-trees.

use std::sync::Arc;

use super::current::{Current, OUTDATED, ROUNDS, epoch};
use super::grouped::Grouped;
use super::{KeyKind, Record, Registry, Source, digest};
use crate::engine::{Row, Tx};
use crate::error::{Error, Result};
use crate::values;

/// Persons that one old id may lead to: old ids were issued twice, not more often.
const SAME_OLD_ID_MAX: usize = 8;

const BY_KEY: &str = "SELECT p.id, p.key_number, p.sealed FROM person_key k \
    JOIN person p ON p.id = k.person WHERE k.kind = $1 AND k.epoch = $2 AND k.digest = $3";

impl Registry {
    pub(super) async fn find(&self, kind: KeyKind, input: &[u8]) -> Result<Vec<Record>> {
        match &self.source {
            Source::File(readers) => {
                self.settled(|current| readers.with(|db| find_in_file(current, db, kind, input)))
            }
            // Boxed: the future of a question on SQLite is not made larger by it.
            Source::Server(server) => Box::pin(self.find_on(&server.grouped, kind, input)).await,
        }
    }

    /// Repeats the read while what it found needs other keys than it had.
    async fn find_on(
        &self,
        grouped: &Arc<Grouped>,
        kind: KeyKind,
        input: &[u8],
    ) -> Result<Vec<Record>> {
        let mut current = self.current()?;
        for _ in 0..ROUNDS {
            match find_with(grouped, &current, kind, input).await {
                Err(Error::Damaged(OUTDATED)) => current = self.renew(true)?,
                done => return done,
            }
        }
        find_with(grouped, &current, kind, input).await
    }

    pub(super) fn find_in(&self, kind: KeyKind, input: &[u8]) -> Result<Vec<Record>> {
        self.settled(|current| {
            self.with(|tx| {
                let digest = digest(&current.blind, kind, input);
                let mut found =
                    tx.query(BY_KEY, values![kind as u8, current.epoch, digest], |r| {
                        record(current, r)
                    })?;
                if found.is_empty() && epoch(tx)? > current.epoch {
                    return Err(Error::Damaged(OUTDATED));
                }
                found.truncate(SAME_OLD_ID_MAX);
                Ok(found)
            })
        })
    }
}

async fn find_with(
    grouped: &Arc<Grouped>,
    current: &Current,
    kind: KeyKind,
    input: &[u8],
) -> Result<Vec<Record>> {
    let digest = digest(&current.blind, kind, input);
    let found = grouped.look_up(kind, current.epoch, digest).await?;
    // Nothing was found: that may be because the digests are those of a later epoch by now. A
    // reader that still sees an earlier one sees this epoch complete: it was put in force later.
    if found.epoch_in_force.is_some_and(|epoch| epoch > current.epoch) {
        return Err(Error::Damaged(OUTDATED));
    }
    let records = found.records.into_iter().take(SAME_OLD_ID_MAX);
    let opened = records.map(|r| current.opened("person", r.id, r.key_number, &r.bytes));
    opened.map(|plain| Record::new(plain?)).collect()
}

/// The same as [`Registry::find_in`] without the layer between: the look-up of each question.
fn find_in_file(
    current: &Current,
    db: &rusqlite::Connection,
    kind: KeyKind,
    input: &[u8],
) -> Result<Vec<Record>> {
    let mut found = vec![];
    let digest = digest(&current.blind, kind, input);
    let mut statement = db.prepare_cached(BY_KEY)?;
    let mut rows = statement.query((kind as u8, current.epoch, &digest[..]))?;
    while let Some(row) = rows.next()? {
        let sealed = row.get_ref(2)?.as_blob().map_err(|_| Error::Damaged("person"))?;
        let plain = current.opened("person", row.get(0)?, row.get(1)?, sealed)?;
        found.push(Record::new(plain)?);
        if found.len() == SAME_OLD_ID_MAX {
            return Ok(found);
        }
    }
    if found.is_empty() && epoch(&mut Tx::from(db))? > current.epoch {
        return Err(Error::Damaged(OUTDATED));
    }
    Ok(found)
}

fn record(current: &Current, r: &Row<'_>) -> Result<Record> {
    Record::new(current.opened("person", r.get(0)?, r.get(1)?, r.get(2)?)?)
}
