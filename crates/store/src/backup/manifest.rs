//! The manifest: what a backup holds, under a MAC.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use hmac::Mac as _;
use serde::{Deserialize, Serialize};

use super::tables::Table;
use crate::error::{Error, Result};
use crate::keys::{Key, Keyring, Purpose};

/// Name of the manifest in a backup's folder.
pub const MANIFEST_FILE: &str = "manifest.json";
/// Folder of the parts in a backup's folder.
pub const PARTS: &str = "parts";
/// The format that this program writes and reads.
pub const FORMAT: u32 = 1;

/// What a backup holds. Times are RFC 3339, sums are SHA-256 in hex.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// Format of manifest and parts.
    pub format: u32,
    /// Random name of this backup, 32 hex digits.
    pub id: String,
    /// When it was made, by the machine's clock.
    pub made_at: String,
    /// Version of the program that made it.
    pub program: String,
    /// Engine that it was made from: `sqlite` or `postgresql`. It restores into either.
    pub engine: String,
    /// Versions of the schema.
    pub schema: Versions,
    /// The log, as its anchor names it.
    pub origin: String,
    /// Generation of the log: raised each time an older copy was taken into use.
    pub generation: u32,
    /// Where the journal stood in the snapshot.
    pub head: Head,
    /// The earlier backup whose unchanged parts were taken over; empty = none.
    pub base: String,
    /// Period of the backup key.
    pub key: u32,
    /// The parts, in the order in which they are restored.
    pub parts: Vec<Part>,
    /// HMAC-SHA-256 over all of the above, in hex.
    pub mac: String,
}

/// Versions of the schema, by area.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Versions {
    /// Policy, counts, journal.
    pub core: u32,
    /// Sealed people.
    pub registry: u32,
}

/// Head of the journal.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Head {
    /// The next index.
    pub next_index: u64,
    /// Journaled time of the last entry, ms since 1970 UTC.
    pub last_at: i64,
    /// Commitment of the last entry in hex; empty where there is none.
    pub commitment: String,
}

/// One file of a backup.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Part {
    /// Its table.
    pub table: String,
    /// Which rows: `all`, `202603-000000` (month and block), `000000` (block), `a` (digests).
    pub label: String,
    /// The columns of each row.
    pub columns: String,
    /// How many rows.
    pub rows: u64,
    /// Of the journal: how many entries.
    pub entries: u64,
    /// Of the journal: index of the first entry.
    pub first_index: u64,
    /// Of the journal: index after the last entry.
    pub end_index: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// SHA-256 of the file.
    pub sha256: String,
    /// SHA-256 of its rows, before they are sealed.
    pub content: String,
    /// The backup that wrote the file.
    pub written_by: String,
    /// Folder of the file where it is not in this backup's own folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
}

impl Part {
    /// Name of its file.
    pub fn file(&self) -> String {
        super::part::Name { table: &self.table, label: &self.label }.file()
    }

    /// Where its file is, for the backup in `dir`.
    pub fn path(&self, dir: &Path) -> PathBuf {
        let own = || dir.join(PARTS);
        self.folder.clone().unwrap_or_else(own).join(self.file())
    }

    /// Whether it is a part of this table, column by column.
    pub(super) fn fits(&self, table: &Table) -> bool {
        self.table == table.name && self.columns == table.column_list()
    }
}

impl Manifest {
    /// Reads the manifest of a folder.
    pub fn read(dir: &Path) -> Result<Self> {
        let path = dir.join(MANIFEST_FILE);
        let text = std::fs::read_to_string(&path).map_err(|e| {
            Error::Backup(format!(
                "{}: không phải một bản sao lưu hoàn chỉnh (not a finished backup): {e}",
                path.display()
            ))
        })?;
        let manifest: Self = serde_json::from_str(&text)
            .map_err(|e| Error::Backup(format!("{}: hỏng (damaged): {e}", path.display())))?;
        if manifest.format != FORMAT {
            return Err(Error::Backup(format!(
                "định dạng {} của bản sao lưu, chương trình đọc được {FORMAT} (format of the \
                 backup)",
                manifest.format
            )));
        }
        Ok(manifest)
    }

    /// The backup key that it names, or what is wrong with its MAC.
    pub(super) fn checked_key(&self, keys: &Keyring) -> Result<std::sync::Arc<Key>> {
        let missing = || {
            Error::Backup("tệp khóa không có khóa của bản sao lưu này (the key is missing)".into())
        };
        let key = keys.get(Purpose::Backup, self.key).ok_or_else(missing)?;
        let mac = hex::decode(&self.mac).unwrap_or_default();
        self.mac_under(&key)?.verify_slice(&mac).map_err(|_| {
            Error::Backup(
                "manifest.json đã bị sửa, hoặc khóa không phải của bản sao lưu này (the manifest \
                 was changed, or the key is another's)"
                    .into(),
            )
        })?;
        Ok(key)
    }

    fn mac_under(&self, key: &Key) -> Result<dancu_journal::commit::MacKey> {
        let unsigned = Self { mac: String::new(), ..self.clone() };
        let bytes = serde_json::to_vec(&unsigned).map_err(|_| Error::Damaged("manifest"))?;
        let mut mac = key.mac.clone();
        mac.update(b"dancu backup manifest 1");
        mac.update(&bytes);
        Ok(mac)
    }

    /// Puts the MAC on it and writes it, durable.
    pub(super) fn write(&mut self, dir: &Path, key: &Key) -> Result<()> {
        self.mac = hex::encode(self.mac_under(key)?.finalize().into_bytes());
        let text = serde_json::to_vec_pretty(self).map_err(|_| Error::Damaged("manifest"))?;
        let path = dir.join(MANIFEST_FILE);
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(&text)?;
        file.sync_all()?;
        Ok(())
    }

    /// Bytes of all parts.
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|p| p.bytes).sum()
    }

    /// Rows of all parts.
    pub fn rows(&self) -> u64 {
        self.parts.iter().map(|p| p.rows).sum()
    }
}
