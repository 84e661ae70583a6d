//! The file of wrapped keys that belongs to backups and lies apart from them.
//!
//! Each key in it is sealed by the master key and bound to its purpose and period, so the file is
//! worth nothing without the master key. A newer file of the same database opens older backups
//! too, except the months whose keys were erased meanwhile: what is erased is erased in every
//! backup once the older files of keys are gone.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::row;
use super::tables::{Kept, Table, tables};
use crate::engine::{Tx, Value};
use crate::error::{Error, Result};
use crate::keys::Keyring;
use crate::sqlite::{self, Area};

/// What begins the file's first field: nobody's other file is overwritten.
const KIND: &str = "dancu wrapped keys 1";

/// The wrapped keys of a database, as they stand in its table.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyFile {
    kind: String,
    /// The log of the database that they are of.
    origin: String,
    made_at: String,
    columns: String,
    /// Each row as the parts encode it, in hex.
    rows: Vec<String>,
    /// SHA-256 of the rows.
    sha256: String,
}

/// The table of keys.
fn key_table() -> Result<Table> {
    let found = tables().into_iter().find(|t| t.kept == Kept::Keys);
    found.ok_or(Error::Damaged("crypto_key"))
}

fn sum(rows: &[String]) -> String {
    let mut sum = Sha256::new();
    for row in rows {
        sum.update(row);
        sum.update([b'\n']);
    }
    hex::encode(sum.finalize())
}

impl KeyFile {
    /// The keys of a database.
    pub(super) fn of(tx: &mut Tx<'_>, origin: &str, made_at: &str) -> Result<Self> {
        let table = key_table()?;
        let sql = table.select(super::tables::Range::All);
        let rows = tx.query(&sql, &[], |r| {
            let mut out = vec![];
            row::encode(r, table.columns.len(), &mut out)?;
            Ok(hex::encode(out))
        })?;
        let (columns, sha256) = (table.column_list(), sum(&rows));
        let (kind, origin, made_at) = (KIND.to_owned(), origin.to_owned(), made_at.to_owned());
        Ok(Self { kind, origin, made_at, columns, rows, sha256 })
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self> {
        let told = |what: String| Error::Backup(format!("tệp khóa {}: {what}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|e| told(e.to_string()))?;
        let file: Self = serde_json::from_str(&text)
            .map_err(|e| told(format!("hỏng hoặc không phải tệp khóa (damaged): {e}")))?;
        if file.kind != KIND || file.columns != key_table()?.column_list() {
            return Err(told("không phải tệp khóa của phiên bản này (not of this version)".into()));
        }
        if file.sha256 != sum(&file.rows) {
            return Err(told("hỏng: tổng kiểm không khớp (checksum differs)".into()));
        }
        Ok(file)
    }

    /// Writes it beside its place, durable; [`put_in_place`] then gives it its name. A file of
    /// something else, or the keys of another database, are never overwritten.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        if path.exists() && Self::read(path)?.origin != self.origin {
            return Err(Error::Backup(format!(
                "tệp khóa {} là của kho khác, không ghi đè: chọn tên khác (this file holds the \
                 keys of another database: choose another name)",
                path.display()
            )));
        }
        let text = serde_json::to_vec_pretty(self).map_err(|_| Error::Damaged("keys"))?;
        let beside = beside(path);
        let _ = std::fs::remove_file(&beside);
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(&text)?;
        file.sync_all()?;
        Ok(())
    }

    /// Calls `take` with each row's values in the order of the columns.
    pub(super) fn each(&self, mut take: impl FnMut(&[Value<'_>]) -> Result<()>) -> Result<u64> {
        let columns = self.columns.split(',').count();
        for text in &self.rows {
            let bytes = hex::decode(text).map_err(|_| Error::Damaged("keys"))?;
            let row = bytes.get(4..).and_then(|row| row::decode(row, columns));
            take(&row.ok_or(Error::Damaged("keys"))?)?;
        }
        Ok(self.rows.len() as u64)
    }

    /// Table and columns of its rows.
    pub(super) fn place(&self) -> Result<(&'static str, &str)> {
        Ok((key_table()?.name, &self.columns))
    }

    /// Unwraps every key into a keyring.
    ///
    /// # Errors
    /// [`Error::MasterKey`]: the master key is another's.
    pub fn unwrap_into(&self, keys: &Keyring) -> Result<()> {
        // The keyring reads them from a table: here one in memory.
        let mut db = Connection::open_in_memory()?;
        sqlite::migrate(&mut db, Area::Core)?;
        let mut tx = Tx::from(&db);
        let (table, columns) = self.place()?;
        tx.load(table, columns, |take| self.each(|values| take(values)).map(drop))?;
        keys.load(&mut tx)
    }
}

fn beside(path: &Path) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

/// Gives the written file its name.
pub(super) fn put_in_place(path: &Path) -> Result<()> {
    std::fs::rename(beside(path), path)?;
    super::sync_parent(path)
}

/// Takes back what was written.
pub(super) fn discard(path: &Path) {
    let _ = std::fs::remove_file(beside(path));
}
