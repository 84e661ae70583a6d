//! The anchor's file.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use dancu_domain::moment::Moment;
use dancu_journal::commit::MacKey;
use hmac::Mac as _;
use serde::{Deserialize, Serialize};

use super::{Head, Log, Standing, head, log};
use crate::engine::Tx;
use crate::entries::commitment_of;
use crate::error::{Error, Result};
use crate::keys::{Keyring, Purpose};
use crate::ledger::follow::{Seen, continues};

/// The format that this program writes and reads.
const FORMAT: u32 = 1;

/// What the file holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Anchor {
    format: u32,
    pub(super) origin: String,
    pub(super) generation: u32,
    pub(super) next_index: u64,
    last_at: i64,
    commitment: String,
    /// What a node saw in a history that its database did not have any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stopped: Option<Stopped>,
    /// Period of the key of the MAC.
    key: u32,
    mac: String,
}

/// Why a node stopped: the last transaction that it had seen, and the next index by it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Stopped {
    transaction: u64,
    id: Option<String>,
    next_index: u64,
}

impl Stopped {
    /// Whether a database has the history again in which that was seen.
    fn is_over(&self, tx: &mut Tx<'_>) -> Result<bool> {
        let mut id = [0; 16];
        let read = self.id.as_ref().map(|text| hex::decode_to_slice(text, &mut id));
        read.transpose().map_err(|_| Error::Damaged("anchor"))?;
        continues(tx, Seen { generation: self.transaction, id: self.id.is_some().then_some(id) })
    }
}

impl Anchor {
    pub(super) fn read(path: &Path) -> Result<Option<Self>> {
        match std::fs::read_to_string(path) {
            // What cannot be read is not of this database, as one with a wrong MAC.
            Ok(text) => {
                Ok(Some(serde_json::from_str(&text).unwrap_or_else(|_| Self::unreadable())))
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    fn unreadable() -> Self {
        let (origin, commitment, mac) = (String::new(), String::new(), String::new());
        let (format, generation, next_index, last_at, key) = (0, 0, 0, 0, 0);
        let stopped = None;
        Self { format, origin, generation, next_index, last_at, commitment, stopped, key, mac }
    }

    fn mac_under(&self, keys: &Keyring) -> Result<MacKey> {
        let key = keys.get(Purpose::Backup, self.key).ok_or(Error::Crypto("anchor"))?;
        let unsigned = Self { mac: String::new(), ..self.clone() };
        let bytes = serde_json::to_vec(&unsigned).map_err(|_| Error::Damaged("anchor"))?;
        let mut mac = key.mac.clone();
        mac.update(b"dancu anchor 1");
        mac.update(&bytes);
        Ok(mac)
    }

    pub(super) fn is_genuine(&self, keys: &Keyring) -> bool {
        let mac = hex::decode(&self.mac).unwrap_or_default();
        self.format == FORMAT
            && self.mac_under(keys).is_ok_and(|under| under.verify_slice(&mac).is_ok())
    }

    pub(super) fn of(log: Log, head: &Head, keys: &Keyring) -> Result<Self> {
        let mut anchor = Self {
            format: FORMAT,
            origin: log.origin,
            generation: log.generation,
            next_index: head.next_index,
            last_at: head.last_at,
            commitment: head.commitment.map(hex::encode).unwrap_or_default(),
            stopped: None,
            key: keys.newest(Purpose::Backup).ok_or(Error::Crypto("anchor"))?,
            mac: String::new(),
        };
        anchor.sign(keys)?;
        Ok(anchor)
    }

    fn sign(&mut self, keys: &Keyring) -> Result<()> {
        self.mac = hex::encode(self.mac_under(keys)?.finalize().into_bytes());
        Ok(())
    }

    /// Whether it already tells why a node stopped.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// The same with what a node had seen, up to the next index.
    pub(super) fn stopped_at(mut self, seen: Seen, next: u64, keys: &Keyring) -> Result<Self> {
        let id = seen.id.map(hex::encode);
        self.stopped = Some(Stopped { transaction: seen.generation, id, next_index: next });
        self.sign(keys)?;
        Ok(self)
    }

    /// Writes it whole or not at all, durable.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        let text = serde_json::to_vec(self).map_err(|_| Error::Damaged("anchor"))?;
        let mut options = File::options();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(&text)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)?;
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(())
    }

    /// How a database compares with this anchor; its keys must be loaded.
    pub(super) fn compare(&self, tx: &mut Tx<'_>, keys: &Keyring) -> Result<Standing> {
        let (log, head) = (log(tx)?, head(tx)?);
        if !self.is_genuine(keys) || self.origin != log.origin {
            return Ok(Standing::Foreign);
        }
        let (anchor, at) = (self.next_index, Moment(self.last_at));
        if self.generation != log.generation {
            // The database went on: its own journal says since when and why.
            let later = self.generation < log.generation;
            return Ok(if later { Standing::Fits } else { Standing::Forked { anchor, at } });
        }
        if head.next_index < anchor {
            return Ok(Standing::Behind { anchor, at });
        }
        if let Some(last) = anchor.checked_sub(1) {
            let here = commitment_of(tx, last)?.map(hex::encode);
            // A month whose rows were erased by plan holds no commitment to compare.
            if here.is_some_and(|here| here != self.commitment) {
                return Ok(Standing::Forked { anchor, at });
            }
        }
        match &self.stopped {
            Some(stopped) if !stopped.is_over(tx)? => {
                let anchor = stopped.next_index;
                let behind = head.next_index < anchor;
                Ok(if behind {
                    Standing::Behind { anchor, at }
                } else {
                    Standing::Forked { anchor, at }
                })
            }
            _ => Ok(Standing::Fits),
        }
    }
}
