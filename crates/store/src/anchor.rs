//! The anchor: where the journal stood, told outside of the database, so that an older copy of the
//! database is recognised.
//!
//! A small file (`head.anchor` in the data folder, or elsewhere by configuration) names the log,
//! its newest index and the commitment of the newest entry, under a MAC. A serving process writes
//! it each second while there are commits, and when it stops. At opening the database must hold
//! that entry: one whose journal ends before it, or has another entry there, is an older copy.
//!
//! The registry's file is held by its state ([`registry`]), which core and registry both name.
//!
//! The log's name is random and made with the database. Its **generation** is raised each time an
//! older copy is taken into use all the same ([`Store::accept_copy`]): from there on indexes are
//! given a second time, and an anchor of the generation before tells nothing about them.
//!
//! **Invariant:** the anchor never names an entry that is not durable: it is read from the
//! database, by another connection than the one that commits.

mod file;
mod look;
pub(crate) mod registry;

use std::path::{Path, PathBuf};

use dancu_domain::moment::Moment;
use dancu_journal::{Act, Body};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use self::file::Anchor;
use self::look::{Found, look, refusal};
pub(crate) use self::look::{before_change, finished, nothing_expected};
use self::registry::Match;
use crate::engine::checks::is_standby;
use crate::engine::{Db, Tx};
use crate::entries::commitment_of;
use crate::error::{Error, Result};
use crate::facts;
use crate::keys::random;
use crate::ledger::follow::STOPPED;
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
/// Fact of a database into which a backup is being restored: stored before its first row, removed
/// with its last one.
const UNFINISHED: &str = "restore.unfinished";

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
    /// There is an anchor, but the database is from before any was kept.
    Unnamed,
}

/// Where a store's anchor is, and what it was found to say.
pub(crate) struct Holder {
    path: PathBuf,
    standing: Standing,
    restored: Option<Origin>,
    registry: Match,
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

/// Gives a new database's log its name.
pub(crate) fn make_origin(tx: &mut Tx<'_>) -> Result<()> {
    if facts::core(tx, ORIGIN)?.is_none() {
        let mut name = [0; 16];
        random(&mut name)?;
        facts::set_core(tx, ORIGIN, &hex::encode(name))?;
        facts::set_core(tx, GENERATION, "0")?;
    }
    Ok(())
}

/// The log of a database.
pub(crate) fn log(tx: &mut Tx<'_>) -> Result<Log> {
    let origin =
        facts::core(tx, ORIGIN)?.ok_or(Error::Damaged("log.origin: run `dancu migrate`"))?;
    let generation = facts::core(tx, GENERATION)?.and_then(|t| t.parse().ok());
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

/// Marks a database as a restored copy: it must be accepted before it is served.
pub(crate) fn mark_restored(tx: &mut Tx<'_>, backup: &str, made_at: &str) -> Result<()> {
    let origin = Origin { backup: backup.to_owned(), made_at: made_at.to_owned() };
    let text = serde_json::to_string(&origin).map_err(|_| Error::Damaged(RESTORED))?;
    facts::set_core(tx, RESTORED, &text)
}

/// Marks a database into which a backup is going to be restored, before any of its rows.
pub(crate) fn begin_restoring(tx: &mut Tx<'_>, backup: &str) -> Result<()> {
    facts::set_core(tx, UNFINISHED, backup)
}

/// Takes that mark away, with the last row.
pub(crate) fn end_restoring(tx: &mut Tx<'_>) -> Result<()> {
    facts::forget_core(tx, UNFINISHED)
}

/// Whether `meta` holds anything but that mark.
pub(crate) fn holds_facts(tx: &mut Tx<'_>) -> Result<bool> {
    let sql = "SELECT 1 FROM meta WHERE name <> $1 LIMIT 1";
    Ok(tx.optional(sql, values![UNFINISHED], |r| r.get::<i64>(0))?.is_some())
}

/// Lets the core of a folder follow its registry, where a process was cut off between the two.
pub(crate) fn follow_registry(db: &mut Db, dir: &Path) -> Result<()> {
    let state = registry::of_file(&registry::file(dir))?;
    let core = registry::of_core(&mut db.tx())?;
    if registry::compare(core.as_ref(), state.as_ref()) != Match::Ahead {
        return Ok(());
    }
    db.write(|tx| registry::follow(tx, state.as_ref()))
}

impl Store {
    /// Compares the database with its anchor and with the mark of a restored copy; unless it is
    /// opened to be accepted, an older copy is refused.
    pub(crate) fn hold(&self, path: &Path, accept: bool) -> Result<()> {
        let anchor = Anchor::read(path)?;
        let registry = self.checkpoint.is_some().then(|| registry::file(&self.dir));
        let found = self
            .readers
            .read_state(|tx| look(tx, &self.keys, anchor.as_ref(), registry.as_deref()))?;
        let refused = refusal(path, &found);
        let Found { standing, restored, registry, .. } = found;
        let (path, written) = (path.to_owned(), Mutex::new(anchor));
        let holder = Holder { path, standing, restored, registry, written };
        match refused {
            Some(error) if !accept => return Err(error),
            // Only `accept_copy` may write the anchor of a copy.
            Some(_) => *self.copy.lock() = Some(holder),
            None => {
                let _ = self.anchor.set(holder);
            }
        }
        Ok(())
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
        if let Some(seen) = self.ledger.lost() {
            // The next start has to find it, also where the anchor is older than what was lost.
            let before = if let Some(anchor) = written.clone() {
                anchor
            } else {
                let (log, head) = self.readers.read_state(|tx| Ok((log(tx)?, head(tx)?)))?;
                Anchor::of(log, &head, &self.keys)?
            };
            let told = before.is_stopped();
            let next = before.stopped_at(seen, self.ledger.next_index(), &self.keys)?;
            if !told {
                next.write(&holder.path)?;
            }
            *written = Some(next);
            return Err(Error::OlderCopy(STOPPED.to_owned()));
        }
        let (log, head, standing) = self.readers.read_state(|tx| {
            let standing = match &*written {
                Some(anchor) => anchor.compare(tx, &self.keys)?,
                None => Standing::Unknown,
            };
            if !matches!(standing, Standing::Unknown | Standing::Fits) && is_standby(tx)? {
                return Err(Error::Unavailable("standby"));
            }
            Ok((log(tx)?, head(tx)?, standing))
        })?;
        if !matches!(standing, Standing::Unknown | Standing::Fits) {
            self.ledger.stop_for_older_copy();
            let now = Found { standing, restored: None, registry: Match::Fits, head };
            return refusal(&holder.path, &now).map_or(Ok(()), Err);
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
    /// and counts stay as the copy has them; the registry that is there is the one from now on.
    ///
    /// # Errors
    /// [`Error::OlderCopy`] where the store is no older copy, or was not opened to be accepted, or
    /// where the keys do not open its registry: nobody could be looked up.
    pub async fn accept_copy(&self, at: Moment, actor: &str, reason: &str) -> Result<Accepted> {
        let Some(holder) = self.copy.lock().take() else {
            let text = "không có gì phải chấp nhận (this is no older copy: nothing to accept)";
            return Err(Error::OlderCopy(text.into()));
        };
        let (log, head) = self.readers.read_state(|tx| Ok((log(tx)?, head(tx)?)))?;
        let registry = self.registry_to_accept()?;
        let anchored = Anchor::read(&holder.path)?
            .filter(|a| a.is_genuine(&self.keys) && a.origin == log.origin);
        // An anchor of a later generation: the copy is older than an acceptance before this one.
        let known = anchored.as_ref().map_or(0, |a| a.generation);
        let generation = log.generation.max(known) + 1;
        let lost = match holder.standing {
            Standing::Behind { anchor, .. } => Some(anchor - head.next_index),
            Standing::Fits => Some(0),
            Standing::Forked { .. } | Standing::Foreign | Standing::Unknown | Standing::Unnamed => {
                None
            }
        };
        let backup = holder.restored.as_ref().map(|r| r.backup.clone());
        let detail = format!(
            "bản sao lưu (backup): {}; mục kế tiếp (next index): {}; mục đã mất theo neo (entries \
             lost): {}; thế hệ nhật ký (log generation): {} -> {generation}; registry.db: {}; lý \
             do: {reason}",
            backup.as_deref().unwrap_or("-"),
            head.next_index,
            lost.map_or("không rõ (unknown)".to_owned(), |n| n.to_string()),
            log.generation,
            holder.registry.told()
        );
        let act = Act { kind: "restore.accepted".into(), actor: actor.into(), system: 0, detail };
        let changed = self.ledger.act(at, move |tx, _| {
            facts::set_core(tx, GENERATION, &generation.to_string())?;
            facts::forget_core(tx, RESTORED)?;
            registry::follow(tx, registry.as_ref())?;
            Ok(Body::Act(act))
        });
        let index = changed.await?;
        let (log, head) = self.readers.read_state(|tx| Ok((self::log(tx)?, self::head(tx)?)))?;
        Anchor::of(log, &head, &self.keys)?.write(&holder.path)?;
        Ok(Accepted { index, generation, lost, backup })
    }

    /// The state of the registry beside a copy, which its keys have to open.
    fn registry_to_accept(&self) -> Result<Option<registry::State>> {
        let mut db = self.registry.writer()?;
        if registry::opens(&mut db.tx(), &self.keys)? {
            return registry::of_registry(&mut db.tx());
        }
        Err(Error::OlderCopy(
            "registry.db này được niêm phong bằng khóa đã hủy hoặc của kho khác: khôi phục từ bản \
             sao lưu cùng tệp khóa của nó (this registry is sealed by keys that are not here: \
             restore a backup with its own file of keys)"
                .into(),
        ))
    }
}
