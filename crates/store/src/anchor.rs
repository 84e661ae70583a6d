//! The anchor: where the journal stood, told outside of the database, so that an older copy of the
//! database is recognised.
//!
//! A small file (`head.anchor` in the data folder, or elsewhere by configuration) names the log,
//! its newest index and the commitment of the newest entry, under a MAC. A serving process writes
//! it each second while there are commits, and when it stops. At opening the database must hold
//! that entry: one whose journal ends before it, or has another entry there, is an older copy.
//!
//! The log's name is random and made with the database. Its **generation** is raised each time an
//! older copy is taken into use all the same ([`Store::accept_copy`]): from there on indexes are
//! given a second time, and an anchor of the generation before tells nothing about them.
//!
//! **Invariant:** the anchor never names an entry that is not durable: it is read from the
//! database, by another connection than the one that commits.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use dancu_domain::moment::Moment;
use dancu_journal::commit::MacKey;
use dancu_journal::{Act, Body};
use hmac::Mac as _;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::engine::Tx;
use crate::error::{Error, Result};
use crate::keys::{Keyring, Purpose, random};
use crate::store::Store;
use crate::values;

/// Name of the anchor in the data folder.
pub const ANCHOR_FILE: &str = "head.anchor";

/// Fact of the database: random name of the log.
const ORIGIN: &str = "log.origin";
/// Fact of the database: how often an older copy was taken into use.
const GENERATION: &str = "log.generation";
/// Fact of a restored database that was not accepted yet.
const RESTORED: &str = "log.restored";
/// The format that this program writes and reads.
const FORMAT: u32 = 1;

/// Where a store's anchor is, and what an older copy is opened for.
#[derive(Clone, Default, Debug)]
pub struct Anchoring {
    /// Path of the anchor; `None` = [`ANCHOR_FILE`] in the data folder.
    pub path: Option<PathBuf>,
    /// Open an older copy too, for [`Store::accept_copy`] and nothing else.
    pub accept: bool,
}

impl Anchoring {
    pub(crate) fn path_in(&self, dir: &Path) -> PathBuf {
        self.path.clone().unwrap_or_else(|| dir.join(ANCHOR_FILE))
    }
}

/// The log of a database.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Log {
    /// Random name, 32 hex digits.
    pub origin: String,
    /// How often an older copy was taken into use.
    pub generation: u32,
}

/// Where a journal stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// The next index.
    pub next_index: u64,
    /// Journaled time of the last entry, ms since 1970 UTC.
    pub last_at: i64,
    /// Commitment of the last entry.
    pub commitment: Option<[u8; 32]>,
}

/// A backup that a database was restored from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// Name of the backup.
    pub backup: String,
    /// When it was made.
    pub made_at: String,
}

/// What the file holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Anchor {
    format: u32,
    origin: String,
    generation: u32,
    next_index: u64,
    last_at: i64,
    commitment: String,
    /// Period of the key of the MAC.
    key: u32,
    mac: String,
}

/// How a database compares with its anchor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// No anchor was found: nothing is known.
    Unknown,
    /// The database holds what the anchor names.
    Fits,
    /// The database ends before the entry that the anchor names.
    Behind {
        /// The next index by the anchor.
        anchor: u64,
        /// Time of the anchor's last entry.
        at: Moment,
    },
    /// The database has another entry where the anchor stands, or is of an older generation.
    Forked {
        /// The next index by the anchor.
        anchor: u64,
        /// Time of the anchor's last entry.
        at: Moment,
    },
    /// The anchor is of another database, or its MAC is wrong.
    Foreign,
}

/// Where a store's anchor is, and what it was found to say.
pub(crate) struct Holder {
    path: PathBuf,
    standing: Standing,
    restored: Option<Origin>,
    /// What the file holds.
    written: Mutex<Option<Anchor>>,
}

/// What [`Store::accept_copy`] did.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Accepted {
    /// Index of the act.
    pub index: u64,
    /// The new generation of the log.
    pub generation: u32,
    /// Entries that the anchor knew and this database does not; `None` = not known.
    pub lost: Option<u64>,
    /// The backup that the database was restored from, where it was restored here.
    pub backup: Option<String>,
}

fn meta(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>> {
    tx.optional("SELECT value FROM meta WHERE name = $1", values![name], |r| r.get(0))
}

fn set_meta(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO meta (name, value) VALUES ($1, $2) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        values![name, value],
    )?;
    Ok(())
}

/// Gives a new database's log its name.
pub(crate) fn make_origin(tx: &mut Tx<'_>) -> Result<()> {
    if meta(tx, ORIGIN)?.is_none() {
        let mut name = [0; 16];
        random(&mut name)?;
        set_meta(tx, ORIGIN, &hex::encode(name))?;
        set_meta(tx, GENERATION, "0")?;
    }
    Ok(())
}

/// The log of a database.
pub(crate) fn log(tx: &mut Tx<'_>) -> Result<Log> {
    let origin = meta(tx, ORIGIN)?.ok_or(Error::Damaged("log.origin: run `dancu migrate`"))?;
    let generation = meta(tx, GENERATION)?.and_then(|t| t.parse().ok());
    Ok(Log { origin, generation: generation.ok_or(Error::Damaged(GENERATION))? })
}

/// Where the journal stands in this transaction.
pub(crate) fn head(tx: &mut Tx<'_>) -> Result<Head> {
    let sql = "SELECT next_index, last_at FROM ledger_head WHERE id = 1";
    let found = tx.optional(sql, &[], |r| Ok((r.get::<i64>(0)?.cast_unsigned(), r.get(1)?)))?;
    let (next_index, last_at) = found.unwrap_or((0, 0));
    let commitment = match next_index.checked_sub(1) {
        Some(last) => commitment_of(tx, last)?,
        None => None,
    };
    Ok(Head { next_index, last_at, commitment })
}

fn commitment_of(tx: &mut Tx<'_>, index: u64) -> Result<Option<[u8; 32]>> {
    let sql = "SELECT first_idx, commitments FROM entry_chunk WHERE first_idx <= $1 \
               ORDER BY first_idx DESC LIMIT 1";
    let found = tx.optional(sql, values![index.cast_signed()], |r| {
        let first = r.get::<i64>(0)?.cast_unsigned();
        let (each, _) = r.get::<&[u8]>(1)?.as_chunks::<32>();
        Ok(each.get((index - first) as usize).copied())
    })?;
    Ok(found.flatten())
}

/// Marks a database as a restored copy: it must be accepted before it is served.
pub(crate) fn mark_restored(tx: &mut Tx<'_>, backup: &str, made_at: &str) -> Result<()> {
    let origin = Origin { backup: backup.to_owned(), made_at: made_at.to_owned() };
    let text = serde_json::to_string(&origin).map_err(|_| Error::Damaged(RESTORED))?;
    set_meta(tx, RESTORED, &text)
}

impl Anchor {
    fn read(path: &Path) -> Result<Option<Self>> {
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
        Self { format, origin, generation, next_index, last_at, commitment, key, mac }
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

    fn is_genuine(&self, keys: &Keyring) -> bool {
        let mac = hex::decode(&self.mac).unwrap_or_default();
        self.format == FORMAT
            && self.mac_under(keys).is_ok_and(|under| under.verify_slice(&mac).is_ok())
    }

    fn of(log: Log, head: &Head, keys: &Keyring) -> Result<Self> {
        let mut anchor = Self {
            format: FORMAT,
            origin: log.origin,
            generation: log.generation,
            next_index: head.next_index,
            last_at: head.last_at,
            commitment: head.commitment.map(hex::encode).unwrap_or_default(),
            key: keys.newest(Purpose::Backup).ok_or(Error::Crypto("anchor"))?,
            mac: String::new(),
        };
        anchor.mac = hex::encode(anchor.mac_under(keys)?.finalize().into_bytes());
        Ok(anchor)
    }

    /// Writes it whole or not at all, durable.
    fn write(&self, path: &Path) -> Result<()> {
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

    /// How a database compares with this anchor.
    fn compare(&self, tx: &mut Tx<'_>, keys: &Keyring) -> Result<Standing> {
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
        let Some(last) = anchor.checked_sub(1) else { return Ok(Standing::Fits) };
        let here = commitment_of(tx, last)?.map(hex::encode);
        // A month whose rows were erased by plan holds no commitment to compare.
        let same = here.is_none_or(|here| here == self.commitment);
        Ok(if same { Standing::Fits } else { Standing::Forked { anchor, at } })
    }
}

/// What is refused, and the way out.
fn refusal(holder: &Holder, head: &Head) -> Option<Error> {
    let found = format!("cơ sở dữ liệu đến mục {}, neo {}", head.next_index, holder.path.display());
    let way = "Lấy lại dữ liệu mới nhất; nếu không còn, chạy `dancu restore accept` để nhận bản \
               này và ghi vào nhật ký phần đã mất (bring the newest data back, or accept this copy \
               with `dancu restore accept`, which journals what is lost)";
    let text = match (&holder.restored, &holder.standing) {
        (Some(origin), standing) => {
            let lost = match standing {
                Standing::Behind { anchor, .. } => {
                    format!("; thiếu {} mục theo neo (entries lost)", anchor - head.next_index)
                }
                _ => String::new(),
            };
            format!(
                "được khôi phục từ bản sao lưu {} lúc {}, đến mục {} và chưa được chấp nhận \
                 (restored from a backup, not accepted yet){lost}. Chạy `dancu restore accept` \
                 (run it to go on)",
                origin.backup, origin.made_at, head.next_index
            )
        }
        (None, Standing::Unknown | Standing::Fits) => return None,
        (None, Standing::Behind { anchor, at }) => format!(
            "{found} đã đến mục {anchor} lúc {} (the database ends before its anchor). {way}",
            at.rfc3339()
        ),
        (None, Standing::Forked { anchor, at }) => format!(
            "{found} ở mục {anchor} lúc {} có nội dung khác (the database has another entry at its \
             anchor). {way}",
            at.rfc3339()
        ),
        (None, Standing::Foreign) => format!(
            "{found} là của kho khác hoặc đã hỏng (the anchor is of another database, or damaged). \
             {way}"
        ),
    };
    Some(Error::OlderCopy(text))
}

impl Store {
    /// Compares the database with its anchor and with the mark of a restored copy; unless it is
    /// opened to be accepted, an older copy is refused.
    pub(crate) fn hold(&self, path: &Path, accept: bool) -> Result<()> {
        let anchor = Anchor::read(path)?;
        let (standing, restored, head) = self.readers.read_state(|tx| {
            let standing = match &anchor {
                Some(anchor) => anchor.compare(tx, &self.keys)?,
                None => Standing::Unknown,
            };
            let restored = meta(tx, RESTORED)?;
            let restored = restored.map(|t| serde_json::from_str(&t)).transpose();
            let restored = restored.map_err(|_| Error::Damaged(RESTORED))?;
            Ok((standing, restored, head(tx)?))
        })?;
        let written = Mutex::new(anchor);
        let holder = Holder { path: path.to_owned(), standing, restored, written };
        let refusal = refusal(&holder, &head);
        match refusal {
            Some(error) if !accept => Err(error),
            refusal => {
                if refusal.is_none() {
                    let _ = self.anchor.set(holder);
                } else {
                    // Only `accept_copy` may write the anchor of a copy.
                    *self.copy.lock() = Some(holder);
                }
                Ok(())
            }
        }
    }

    /// Writes the anchor if the journal went on since the last time. Call it each second while
    /// serving; [`Store::stop`] does so too.
    ///
    /// # Errors
    /// [`Error::OlderCopy`] where the database fell behind its own anchor while it was served: a
    /// standby was promoted without the last commits, or an older copy was put in its place. The
    /// anchor stays as it is, and nothing more is journaled.
    pub fn refresh_anchor(&self) -> Result<()> {
        let Some(holder) = self.anchor.get() else { return Ok(()) };
        let mut written = holder.written.lock();
        let (log, head, standing) = self.readers.read_state(|tx| {
            let standing = match &*written {
                Some(anchor) => anchor.compare(tx, &self.keys)?,
                None => Standing::Unknown,
            };
            Ok((log(tx)?, head(tx)?, standing))
        })?;
        if !matches!(standing, Standing::Unknown | Standing::Fits) {
            self.ledger.stop();
            let path = holder.path.clone();
            let now = Holder { path, standing, restored: None, written: Mutex::new(None) };
            return refusal(&now, &head).map_or(Ok(()), Err);
        }
        let next = Anchor::of(log, &head, &self.keys)?;
        if written.as_ref() != Some(&next) {
            next.write(&holder.path)?;
            *written = Some(next);
        }
        Ok(())
    }

    /// Takes an older copy into use: journals who decided it, why, from which backup and how many
    /// entries are known to be lost, gives the log a new generation and writes the anchor. Locks
    /// and counts stay as the copy has them.
    ///
    /// # Errors
    /// [`Error::OlderCopy`] where the store is no older copy, or was not opened to be accepted.
    pub async fn accept_copy(&self, at: Moment, actor: &str, reason: &str) -> Result<Accepted> {
        let Some(holder) = self.copy.lock().take() else {
            let text = "không có gì phải chấp nhận (this is no older copy: nothing to accept)";
            return Err(Error::OlderCopy(text.into()));
        };
        let (log, head) = self.readers.read_state(|tx| Ok((log(tx)?, head(tx)?)))?;
        let anchored = Anchor::read(&holder.path)?
            .filter(|a| a.is_genuine(&self.keys) && a.origin == log.origin);
        // An anchor of a later generation: the copy is older than an acceptance before this one.
        let known = anchored.as_ref().map_or(0, |a| a.generation);
        let generation = log.generation.max(known) + 1;
        let lost = match holder.standing {
            Standing::Behind { anchor, .. } => Some(anchor - head.next_index),
            Standing::Fits => Some(0),
            Standing::Forked { .. } | Standing::Foreign | Standing::Unknown => None,
        };
        let backup = holder.restored.as_ref().map(|r| r.backup.clone());
        let detail = format!(
            "bản sao lưu (backup): {}; mục kế tiếp (next index): {}; mục đã mất theo neo (entries \
             lost): {}; thế hệ nhật ký (log generation): {} -> {generation}; lý do: {reason}",
            backup.as_deref().unwrap_or("-"),
            head.next_index,
            lost.map_or("không rõ (unknown)".to_owned(), |n| n.to_string()),
            log.generation
        );
        let act = Act { kind: "restore.accepted".into(), actor: actor.into(), system: 0, detail };
        let changed = self.ledger.act(at, move |tx, _| {
            set_meta(tx, GENERATION, &generation.to_string())?;
            tx.execute("DELETE FROM meta WHERE name = $1", values![RESTORED])?;
            Ok(Body::Act(act))
        });
        let index = changed.await?;
        let (log, head) = self.readers.read_state(|tx| Ok((self::log(tx)?, self::head(tx)?)))?;
        Anchor::of(log, &head, &self.keys)?.write(&holder.path)?;
        Ok(Accepted { index, generation, lost, backup })
    }
}
