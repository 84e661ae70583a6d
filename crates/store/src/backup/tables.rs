//! Which tables a backup holds and how each is cut into parts: the one list of them.
//!
//! Names, columns and keys are read from the schema itself (`latest.sql`), so that a new column is
//! never forgotten; a new table must be given a line in [`KEPT`], which a test holds.

use crate::engine::Value;
use crate::sqlite::Area;

/// Journal indexes of one part: about 400 MB of sealed entries, so that a part that has to be
/// written again is a matter of seconds.
pub const JOURNAL_BLOCK: u64 = 1 << 20;
/// Row ids of one part of the citizens: about 100 MB of sealed records.
pub const PERSON_BLOCK: u64 = 1 << 18;
/// Row ids of one part of the households, which have few rows and wide gaps between their ids.
pub const HOUSEHOLD_BLOCK: u64 = 1 << 22;
/// Row ids of one part of the bytes of files: 64 files, of at most 20 MiB each.
pub const FILE_BLOCK: u64 = 64 << 10;
/// Parts of the registry's digests, by their first four bits: 600 MB each for 100 million people.
pub const DIGEST_PARTS: u8 = 16;

/// How a table is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kept {
    /// Whole, in one part.
    Rows,
    /// By month and block of journal indexes.
    Months,
    /// By block of so many row ids.
    Numbered(u64),
    /// By the first bits of the digest.
    Digests,
    /// In the file of keys, never among the data.
    Keys,
    /// Left out: derived, or of running processes only.
    Left,
}

/// Every table of core and registry.
pub const KEPT: &[(&str, Kept)] = &[
    ("meta", Kept::Rows),
    ("crypto_key", Kept::Keys),
    ("ledger_head", Kept::Rows),
    // What running nodes tell each other; a restored database begins without running nodes.
    ("ledger_batch", Kept::Left),
    ("lease", Kept::Left),
    ("entry_chunk", Kept::Months),
    ("request_batch", Kept::Rows),
    ("used_once", Kept::Rows),
    ("line_day", Kept::Rows),
    ("account_day", Kept::Rows),
    ("plan_day", Kept::Rows),
    ("line_lock", Kept::Rows),
    ("system", Kept::Rows),
    ("service_grant", Kept::Rows),
    ("line", Kept::Rows),
    ("raise", Kept::Rows),
    ("account", Kept::Rows),
    ("shared_officer", Kept::Rows),
    ("procedure", Kept::Rows),
    ("plan", Kept::Rows),
    // A restored job goes on: whoever worked on it has lost its lease.
    ("job", Kept::Rows),
    ("job_part", Kept::Rows),
    // A rotation that was under way goes on; the file of keys is of the same snapshot.
    ("key_rotation", Kept::Rows),
    ("portal_person", Kept::Rows),
    // One that was ended after the backup would live again: everybody signs in anew.
    ("portal_session", Kept::Left),
    ("portal_event", Kept::Rows),
    ("raise_request", Kept::Rows),
    ("announcement", Kept::Rows),
    ("credential_use", Kept::Rows),
    ("revocation_notice", Kept::Rows),
    ("account_suspension", Kept::Rows),
    ("portal_help", Kept::Rows),
    ("unit_event", Kept::Rows),
    ("dossier", Kept::Rows),
    ("dossier_version", Kept::Rows),
    ("dossier_event", Kept::Rows),
    ("system_clearance", Kept::Rows),
    ("job_plan", Kept::Rows),
    ("plan_clock", Kept::Rows),
    ("account_changes", Kept::Rows),
    ("notice", Kept::Rows),
    ("notice_reader", Kept::Rows),
    // Mail that waited is sent by whoever restores: a notice too much is better than none.
    ("mail_job", Kept::Rows),
    ("portal_contact", Kept::Rows),
    ("campaign", Kept::Rows),
    ("campaign_task", Kept::Rows),
    ("kept_file", Kept::Rows),
    // Files never change: a part of the base is taken over whole.
    ("kept_file_part", Kept::Numbered(FILE_BLOCK)),
    ("issued_document", Kept::Rows),
    ("paper_copy", Kept::Rows),
    ("commitment_list", Kept::Rows),
    ("commitment", Kept::Rows),
    ("statement", Kept::Rows),
    ("statement_month", Kept::Rows),
    ("gathering_urged", Kept::Rows),
    ("gathering_handed", Kept::Rows),
    ("gathering_receiver", Kept::Rows),
    ("mail_bounce", Kept::Rows),
    ("lock_appeal", Kept::Rows),
    // As mail that waited.
    ("webhook", Kept::Rows),
    ("webhook_delivery", Kept::Rows),
    ("person", Kept::Numbered(PERSON_BLOCK)),
    ("person_key", Kept::Digests),
    ("household", Kept::Numbered(HOUSEHOLD_BLOCK)),
    ("registry_meta", Kept::Rows),
];

/// A table of the schema.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Where it is.
    pub area: Area,
    /// How it is kept. A table without a line in [`KEPT`] is kept whole.
    pub kept: Kept,
    /// Its columns, in order.
    pub columns: Vec<&'static str>,
    /// The columns of its primary key.
    pub key: Vec<&'static str>,
}

impl Table {
    /// The columns, separated by commas.
    pub fn column_list(&self) -> String {
        self.columns.join(", ")
    }

    /// Reads the rows of a range in the order of the key; values of [`Range::bounds`].
    pub(super) fn select(&self, range: Range) -> String {
        let (columns, key) = (self.column_list(), self.key.join(", "));
        let condition = match range {
            Range::All => "",
            Range::Month { .. } => "WHERE first_idx >= $1 AND first_idx < $2 AND month = $3 ",
            Range::Block { .. } => "WHERE id >= $1 AND id < $2 ",
            Range::Nibble(_) => "WHERE digest >= $1 AND digest < $2 ",
        };
        format!("SELECT {columns} FROM {} {condition}ORDER BY {key}", self.name)
    }
}

/// The tables of core and registry in the order of the schema: what a table refers to comes first.
pub fn tables() -> Vec<Table> {
    [Area::Core, Area::Registry].into_iter().flat_map(tables_of).collect()
}

/// A table by its name.
pub(super) fn table(name: &str) -> Option<Table> {
    tables().into_iter().find(|t| t.name == name)
}

fn tables_of(area: Area) -> Vec<Table> {
    let mut out: Vec<Table> = vec![];
    let mut open = false;
    for line in area.latest().lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
            let name = rest.split([' ', '(']).next().unwrap_or(rest);
            let kept = KEPT.iter().find(|(n, _)| *n == name).map_or(Kept::Rows, |(_, k)| *k);
            out.push(Table { name, area, kept, columns: vec![], key: vec![] });
            open = true;
        } else if line.starts_with(')') {
            open = false;
        } else if let (true, Some(table)) = (open, out.last_mut()) {
            column(line, table);
        }
    }
    out
}

/// One line of a table: a column, its key, or something that a backup need not know.
fn column(line: &'static str, table: &mut Table) {
    let word = line.split([' ', '(']).next().unwrap_or(line);
    match word {
        "--" | "UNIQUE" | "FOREIGN" | "CHECK" | "CONSTRAINT" | "REFERENCES" | "" => {}
        "PRIMARY" => {
            let inside = line.split(['(', ')']).nth(1).unwrap_or("");
            table.key = inside.split(',').map(str::trim).collect();
        }
        _ => {
            table.columns.push(word);
            if line.contains("@BIGKEY@") || line.contains("PRIMARY KEY") {
                table.key = vec![word];
            }
        }
    }
}

/// The rows of one part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Range {
    /// All of them.
    All,
    /// Entries of a month (yyyymm) whose index lies in a block.
    Month {
        /// The month of their keys.
        month: u32,
        /// Number of the block.
        block: u64,
    },
    /// Row ids of a block.
    Block {
        /// Number of the block.
        block: u64,
        /// Row ids of each block.
        size: u64,
    },
    /// Digests that begin with these four bits.
    Nibble(u8),
}

/// A bound of a range.
pub(super) enum Bound {
    Int(i64),
    Bytes(Vec<u8>),
}

impl Bound {
    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Self::Int(n) => Value::Int(*n),
            Self::Bytes(b) => Value::Bytes(b),
        }
    }
}

impl Range {
    /// Name of the range within its table, part of the file's name.
    pub fn label(self) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::Month { month, block } => format!("{month}-{block:06}"),
            Self::Block { block, .. } => format!("{block:06}"),
            Self::Nibble(nibble) => format!("{nibble:x}"),
        }
    }

    pub(super) fn bounds(self) -> Vec<Bound> {
        let block = |n: u64, size: u64| {
            [Bound::Int((n * size).cast_signed()), Bound::Int(((n + 1) * size).cast_signed())]
        };
        match self {
            Self::All => vec![],
            Self::Month { month, block: n } => {
                let mut out = Vec::from(block(n, JOURNAL_BLOCK));
                out.push(Bound::Int(month.into()));
                out
            }
            Self::Block { block: n, size } => Vec::from(block(n, size)),
            Self::Nibble(nibble) => {
                // Longer than any digest, so that the last range has an end too.
                let end = if nibble + 1 < DIGEST_PARTS {
                    vec![(nibble + 1) << 4]
                } else {
                    vec![0xff; 64]
                };
                vec![Bound::Bytes(vec![nibble << 4]), Bound::Bytes(end)]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::sqlite::{self, for_sqlite};

    /// What SQLite itself says of the schema: table, columns in order, columns of the key.
    fn schema(area: Area) -> Vec<(String, Vec<String>, Vec<String>)> {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(&for_sqlite(area.latest())).unwrap();
        let mut tables = db
            .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid")
            .unwrap();
        let names = tables.query_map([], |r| r.get::<_, String>(0)).unwrap();
        names
            .map(|name| {
                let name = name.unwrap();
                let columns = |sql: &str| -> Vec<String> {
                    let mut rows = db.prepare(sql).unwrap();
                    let names = rows.query_map([&name], |r| r.get(0)).unwrap();
                    names.map(Result::unwrap).collect()
                };
                let all = columns("SELECT name FROM pragma_table_info(?1) ORDER BY cid");
                let key =
                    columns("SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk");
                (name, all, key)
            })
            .collect()
    }

    #[test]
    fn every_table_of_the_schema_is_decided_on() {
        let mut known: Vec<&str> = vec![];
        for area in [Area::Core, Area::Registry] {
            let ours = tables_of(area);
            let theirs = schema(area);
            assert_eq!(ours.len(), theirs.len(), "{area:?}");
            for (ours, (name, columns, key)) in ours.iter().zip(&theirs) {
                assert_eq!(
                    (ours.name, &ours.columns, &ours.key),
                    (
                        &**name,
                        &columns.iter().map(String::as_str).collect(),
                        &key.iter().map(String::as_str).collect()
                    )
                );
                assert!(
                    KEPT.iter().any(|(n, _)| n == name),
                    "{name}: is it backed up? Give it a line in KEPT"
                );
                known.push(ours.name);
            }
        }
        let gone: Vec<_> = KEPT.iter().filter(|(n, _)| !known.contains(n)).collect();
        assert!(gone.is_empty(), "no such table: {gone:?}");
        let mut twice: Vec<_> = KEPT.iter().map(|(n, _)| n).collect();
        twice.sort_unstable();
        twice.dedup();
        assert_eq!(twice.len(), KEPT.len());
        // Keys stand in their own file, and nothing but keys does.
        let keys: Vec<_> = KEPT.iter().filter(|(_, k)| *k == Kept::Keys).map(|(n, _)| *n).collect();
        assert_eq!(keys, ["crypto_key"]);
    }

    #[test]
    fn ranges_of_a_table_hold_each_row_once() {
        let mut db = Connection::open_in_memory().unwrap();
        sqlite::migrate(&mut db, Area::Registry).unwrap();
        for i in 0..=255u8 {
            let digest = [vec![i], vec![0xff; 15]].concat();
            db.execute(
                "INSERT INTO person_key (kind, epoch, digest, person) VALUES (1, 0, ?1, ?2)",
                rusqlite::params![digest, i],
            )
            .unwrap();
        }
        let table = table("person_key").unwrap();
        let mut tx = crate::engine::Tx::from(&db);
        let mut all = vec![];
        for n in 0..DIGEST_PARTS {
            let range = Range::Nibble(n);
            let bounds = range.bounds();
            let values: Vec<Value<'_>> = bounds.iter().map(Bound::value).collect();
            let some = tx.query(&table.select(range), &values, |r| r.get::<i64>(3)).unwrap();
            assert_eq!(some.len(), 16);
            all.extend(some);
        }
        assert_eq!(all, (0..256).collect::<Vec<i64>>());
    }
}
