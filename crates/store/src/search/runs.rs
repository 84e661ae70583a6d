//! The runs in their file: finding, writing, merging.

use rusqlite::{Connection, params};

use super::{CHUNK_ITEMS, FAN_IN, ITEM, Key, bytes, index_of, item, key_of};
use crate::error::{Error, Result};

/// Indexes of items with a digest, rising, from an index on, at most `limit`, in every run.
pub(super) fn find_in_runs(
    db: &Connection,
    kind: u8,
    digest: &[u8; 16],
    from: u64,
    limit: usize,
) -> Result<Vec<u64>> {
    // One state of the file: a merge meanwhile takes runs away and puts their items elsewhere.
    let state = db.unchecked_transaction()?;
    let ids: Vec<i64> = {
        let mut runs =
            state.prepare_cached("SELECT id FROM run WHERE end_index > $1 ORDER BY first_index")?;
        let ids = runs.query_map([from.cast_signed()], |r| r.get(0))?;
        ids.collect::<Result<_, rusqlite::Error>>()?
    };
    let mut found = vec![];
    for run in ids {
        find_in_run(&state, run, kind, digest, from, limit, &mut found)?;
        if found.len() >= limit {
            break;
        }
    }
    Ok(found)
}

/// The same in one run, added to `found`.
pub(super) fn find_in_run(
    db: &Connection,
    run: i64,
    kind: u8,
    digest: &[u8; 16],
    from: u64,
    limit: usize,
    found: &mut Vec<u64>,
) -> Result<()> {
    let first = item(kind, digest, from);
    let last = item(kind, digest, u64::MAX);
    // The chunk that may begin before the key, then those that begin within it.
    let mut statement = db.prepare_cached(
        "SELECT items FROM run_chunk WHERE run = $1 AND first_key <= $2 AND first_key >= \
         COALESCE((SELECT first_key FROM run_chunk WHERE run = $1 AND first_key <= $3 \
         ORDER BY first_key DESC LIMIT 1), $3) \
         ORDER BY first_key",
    )?;
    let mut rows = statement.query(params![run, &last[..], &first[..]])?;
    while let Some(r) = rows.next()? {
        let items = r.get_ref(0)?.as_blob().map_err(|_| Error::Damaged("run_chunk"))?;
        let (items, _) = items.as_chunks::<ITEM>();
        let start = items.partition_point(|i| *i < first);
        for hit in items[start..].iter().take_while(|i| **i <= last) {
            found.push(index_of(hit));
            if found.len() >= limit {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Binds the runs to the journal: the last entry that they cover has this commitment.
pub(super) fn bind(db: &Connection, end: u64, commitment: &[u8]) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO run_origin (id, end_index, commitment) VALUES (1, $1, $2) \
         ON CONFLICT (id) DO UPDATE SET end_index = excluded.end_index, \
         commitment = excluded.commitment",
    )?
    .execute(params![end.cast_signed(), commitment])?;
    Ok(())
}

/// Adds a run and gives its row.
pub(super) fn new_run(
    db: &Connection,
    level: i64,
    first: u64,
    end: u64,
    items: i64,
) -> Result<i64> {
    db.execute(
        "INSERT INTO run (level, first_index, end_index, items) VALUES ($1, $2, $3, $4)",
        params![level, first.cast_signed(), end.cast_signed(), items],
    )?;
    Ok(db.last_insert_rowid())
}

/// Adds a chunk of a run, in key order.
pub(super) fn write_chunk(db: &Connection, run: i64, items: &[u8]) -> Result<()> {
    db.prepare_cached("INSERT INTO run_chunk (run, first_key, items) VALUES ($1, $2, $3)")?
        .execute(params![run, &items[..ITEM], items])?;
    Ok(())
}

/// Merges every level that has enough runs, from the lowest up.
pub(super) fn merge(db: &Connection) -> Result<()> {
    for level in 0.. {
        let mut statement = db.prepare_cached(
            "SELECT id, first_index, end_index, items FROM run WHERE level = $1 \
             ORDER BY first_index LIMIT $2",
        )?;
        let runs: Vec<(i64, i64, i64, i64)> = statement
            .query_map(params![level, FAN_IN as i64], |r| {
                Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?))
            })?
            .collect::<Result<_, rusqlite::Error>>()?;
        if runs.len() < FAN_IN {
            return Ok(());
        }
        let first = runs[0].1.cast_unsigned();
        let end = runs[runs.len() - 1].2.cast_unsigned();
        let run = new_run(db, level + 1, first, end, runs.iter().map(|r| r.3).sum())?;
        let ids: Vec<i64> = runs.iter().map(|r| r.0).collect();
        merge_into(db, run, &ids)?;
        for id in ids {
            db.prepare_cached("DELETE FROM run_chunk WHERE run = $1")?.execute([id])?;
            db.prepare_cached("DELETE FROM run WHERE id = $1")?.execute([id])?;
        }
    }
    Ok(())
}

/// One source of a merge: its current chunk and the place in it.
struct Source {
    run: i64,
    chunk: Vec<u8>,
    at: usize,
    head: Option<Key>,
}

impl Source {
    fn advance(&mut self, db: &Connection) -> Result<()> {
        self.at += ITEM;
        if self.at >= self.chunk.len() {
            let first = self.chunk.get(..ITEM).map(<[u8]>::to_vec).unwrap_or_default();
            self.load_after(db, &first)?;
        }
        self.head = self.chunk[self.at..].first_chunk::<ITEM>().map(key_of);
        Ok(())
    }

    fn load_after(&mut self, db: &Connection, first_key: &[u8]) -> Result<()> {
        let mut statement = db.prepare_cached(
            "SELECT items FROM run_chunk WHERE run = $1 AND first_key > $2 \
             ORDER BY first_key LIMIT 1",
        )?;
        let mut rows = statement.query(params![self.run, first_key])?;
        self.at = 0;
        self.chunk = match rows.next()? {
            Some(r) => r.get(0)?,
            None => vec![],
        };
        Ok(())
    }
}

fn merge_into(db: &Connection, run: i64, ids: &[i64]) -> Result<()> {
    let mut sources = vec![];
    for id in ids {
        let mut source = Source { run: *id, chunk: vec![], at: 0, head: None };
        source.advance(db)?;
        sources.push(source);
    }
    let mut out = Vec::with_capacity(CHUNK_ITEMS * ITEM);
    loop {
        let heads = sources.iter().enumerate().filter_map(|(i, s)| s.head.map(|h| (h, i)));
        let Some((least, next)) = heads.min() else { break };
        out.extend_from_slice(&bytes(&least));
        sources[next].advance(db)?;
        if out.len() == CHUNK_ITEMS * ITEM {
            write_chunk(db, run, &out)?;
            out.clear();
        }
    }
    if out.is_empty() { Ok(()) } else { write_chunk(db, run, &out) }
}
