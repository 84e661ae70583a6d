//! Keys changed while the store is in use.
//!
//! A rotation of data, blind or month keys is a row of `key_rotation` with its entry in the
//! journal; whoever runs a [`Runner`] brings it to its end in slices. What a slice changed and how
//! far it came are one transaction, so that a process that is killed goes on where it was. The
//! master key is changed in one transaction ([`change_master`]).
//!
//! **Invariant:** one rotation at a time, and on PostgreSQL on one node at a time (a lease).
//! **Invariant:** a key is retired only when nothing sealed by it is left, and what a reader may
//! still hold opens. **Invariant:** answers are the same at every moment of a rotation.

mod blind;
mod data;
mod master;
mod month;
mod progress;

use dancu_domain::moment::Moment;
use dancu_journal::{Act, Body};

pub use self::master::{MasterChange, MasterTarget, change_master};
use self::progress::Progress;
use crate::anchor::registry;
use crate::engine::{Db, Row, Tx};
use crate::error::{Error, Result};
use crate::keys::ring::{highest, in_force, list};
use crate::keys::{KeyInfo, MASTER_KEY_NEXT_FILE, MasterId, MasterInfo, Purpose};
use crate::lease::Lease;
use crate::store::Store;
use crate::values;

/// Name and time of the lease under which slices run: longer than a slice may take on a database
/// that is busy, shorter than anybody waits for a node that died.
const LEASE: &str = "keys";
const LEASE_MS: i64 = 60_000;
/// Slices after which a registry file's WAL is copied back: some 3 MiB of records, or 11 MiB of
/// pages of digests, so that no commit of the ledger waits long for the same disk.
const CHECKPOINT_SLICES: u32 = 16;
/// Records of the registry that a slice seals anew: some 5 ms on the registry's own writer.
const SLICE_RECORDS: u32 = 256;

/// What a rotation changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The key of records: a new key number.
    Data,
    /// The key of digests: a new epoch.
    Blind,
    /// The key of a month's entries.
    Month,
}

impl Kind {
    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Blind => "blind",
            Self::Month => "month",
        }
    }

    pub(crate) const fn purpose(self) -> Purpose {
        match self {
            Self::Data => Purpose::Data,
            Self::Blind => Purpose::Blind,
            Self::Month => Purpose::Journal,
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        [Self::Data, Self::Blind, Self::Month].into_iter().find(|k| k.name() == name)
    }
}

/// A rotation under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rotation {
    /// What it changes.
    pub kind: Kind,
    /// The period that it ends.
    pub old: u32,
    /// The period that it begins.
    pub new: u32,
    /// Its step: data 1 persons, 2 households, 3 and 4 checked, 5 end; blind 1 digests written,
    /// 2 put in force, 3 told, 4 old ones deleted, 5 end; month 1 entries.
    pub step: u8,
    /// Rows done in this step.
    pub done: u64,
    /// When it began.
    pub started_at: Moment,
    /// Month: the row to go on with, and the index behind the last one.
    next_row: i64,
    upto: i64,
}

/// What there is to know of keys; never a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// Every key.
    pub keys: Vec<KeyInfo>,
    /// The rotation under way.
    pub rotation: Option<Rotation>,
    /// The master that wraps new keys.
    pub master: Option<MasterId>,
    /// Masters within reach of this process.
    pub masters: Vec<MasterInfo>,
    /// A next master key waits in the folder and nothing is wrapped by it.
    pub next_waits: bool,
}

/// What a slice did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// There is no rotation.
    Idle,
    /// Another node is at it.
    Elsewhere,
    /// It did a part.
    Worked,
    /// The rotation has ended.
    Finished(Rotation),
}

/// Runs slices of the rotation under way, in a thread that may wait for the database.
#[derive(Default)]
pub struct Runner {
    lease: Option<Lease>,
    /// To the registry.
    db: Option<Db>,
    slices: u32,
}

/// Whether other processes may use the same data: then each has a folder of its own with the master
/// key.
pub fn is_shared(store: &Store) -> bool {
    store.reads.is_some()
}

/// What there is to know of keys.
pub fn status(store: &Store) -> Result<Status> {
    let masters = store.keys().masters()?;
    let (keys, rotation, master) = store.readers.read(|tx| {
        // What the rotation of the registry's keys has done stands there; on a server it is the
        // same database.
        Ok((list(tx)?, current(tx)?, in_force(tx)?))
    })?;
    let rotation = rotation.map(|r| progress::shown(store, r)).transpose()?;
    let next = |m: &MasterInfo| m.place == MASTER_KEY_NEXT_FILE && Some(m.id) != master;
    let next_waits = masters.iter().any(next);
    Ok(Status { keys, rotation, master, masters, next_waits })
}

/// Begins a rotation: the new key is made and used from now on, its act is journaled. `month` as
/// yyyymm for [`Kind::Month`]; `actor` is who decided.
///
/// # Errors
/// [`Error::Rotation`]: one is under way, or there is nothing to change.
pub async fn begin(
    store: &Store,
    now: Moment,
    kind: Kind,
    month: Option<u32>,
    actor: &str,
) -> Result<Rotation> {
    if let Some(running) = store.readers.read(current)? {
        return Err(under_way(running.kind));
    }
    let (keys, actor) = (store.keys().clone(), actor.to_owned());
    // The core knows the registry as it is now: the rotation's end is one step after it.
    let state = registry::of_registry(&mut store.registry().writer()?.tx())?;
    let first = match (kind, month) {
        (Kind::Month, Some(month)) => month::first_row(store, month)?,
        (Kind::Month, None) => return Err(Error::Rotation("thiếu tháng (no month)".into())),
        _ => 0,
    };
    store
        .ledger()
        .note(now, move |tx| {
            if let Some(running) = current(tx)? {
                return Err(under_way(running.kind));
            }
            let (old, new) = match month {
                Some(month) if kind == Kind::Month => month::periods(tx, month)?,
                _ => {
                    let newest = highest(tx, kind.purpose())?.unwrap_or(0);
                    (newest, newest + 1)
                }
            };
            keys.get_or_make(tx, kind.purpose(), new)?;
            if kind != Kind::Month {
                registry::follow(tx, state.as_ref())?;
            }
            tx.execute(
                "INSERT INTO key_rotation (id, kind, old_period, new_period, next_row, upto, \
                 done, started_at) VALUES (1, $1, $2, $3, $4, \
                 (SELECT MAX(next_index) FROM ledger_head), 0, $5)",
                values![kind.name(), old, new, first, now.0],
            )?;
            Ok(act("key.rotate.begin", &actor, format!("{} {old} -> {new}", kind.name())))
        })
        .await?;
    store.readers.read(current)?.ok_or(Error::Damaged("key_rotation"))
}

fn under_way(kind: Kind) -> Error {
    Error::Rotation(format!(
        "đang xoay khóa {0}; mỗi lúc một việc: dancu keys status (a rotation of {0} is under way)",
        kind.name()
    ))
}

fn act(kind: &str, actor: &str, detail: String) -> Body {
    Body::Act(Act { kind: kind.into(), actor: actor.into(), system: 0, detail })
}

/// The rotation under way, as core.db tells it.
pub(crate) fn current(tx: &mut Tx<'_>) -> Result<Option<Rotation>> {
    let sql = "SELECT kind, old_period, new_period, next_row, upto, done, started_at \
               FROM key_rotation WHERE id = 1";
    tx.optional(sql, &[], rotation_row)
}

fn rotation_row(r: &Row<'_>) -> Result<Rotation> {
    Ok(Rotation {
        kind: Kind::of_name(r.get(0)?).ok_or(Error::Damaged("key_rotation"))?,
        old: r.get(1)?,
        new: r.get(2)?,
        step: 1,
        next_row: r.get(3)?,
        upto: r.get(4)?,
        done: r.get::<i64>(5)?.cast_unsigned(),
        started_at: Moment(r.get(6)?),
    })
}

impl Runner {
    /// Does the next slice. What fails may be tried again: nothing of it was kept.
    pub async fn slice(&mut self, store: &Store, now: Moment) -> Result<Step> {
        let Some(rotation) = store.readers.read(current)? else {
            self.rest()?;
            return Ok(Step::Idle);
        };
        let held = if let Some(lease) = &self.lease {
            lease.renew()?
        } else {
            self.lease = store.leases().acquire(LEASE, LEASE_MS)?;
            self.lease.is_some()
        };
        let Some(lease) = self.lease.clone().filter(|_| held) else {
            self.lease = None;
            return Ok(Step::Elsewhere);
        };
        if store.keys().get(rotation.kind.purpose(), rotation.new).is_none() {
            // Another node made it a moment ago.
            store.readers.read(|tx| store.keys().load(tx))?;
        }
        let ended = match rotation.kind {
            Kind::Month => month::slice(store, &lease, now, &rotation).await?,
            Kind::Data | Kind::Blind => {
                self.registry_slice(store, &lease, &rotation)?;
                let progress = self.progress(store, &rotation)?;
                if rotation.kind == Kind::Blind && progress.step == blind::TOLD {
                    blind::tell(store, &lease, now, &rotation).await?;
                    self.advance(store, &lease, &rotation, blind::TOLD + 1)?;
                }
                progress.step == progress::END
            }
        };
        if !ended {
            return Ok(Step::Worked);
        }
        self.end(store, lease, now, rotation).await?;
        Ok(Step::Finished(rotation))
    }

    /// Lets another node go on, and the registry's file be.
    fn rest(&mut self) -> Result<()> {
        self.db = None;
        self.slices = 0;
        self.lease.take().map_or(Ok(()), Lease::release)
    }

    fn db(&mut self, store: &Store) -> Result<&mut Db> {
        let db = match &mut self.db {
            Some(db) => db,
            none => none.insert(store.registry().writer()?),
        };
        if db.is_lost() {
            db.reconnect()?;
        }
        Ok(db)
    }

    fn progress(&mut self, store: &Store, rotation: &Rotation) -> Result<Progress> {
        Progress::of(&mut self.db(store)?.tx(), rotation)
    }

    /// Goes to a step that is reached outside of the registry's transactions.
    fn advance(&mut self, store: &Store, lease: &Lease, r: &Rotation, step: u8) -> Result<()> {
        self.db(store)?.write(|tx| {
            lease.hold(tx)?;
            Progress { step, ..Progress::of(tx, r)? }.save(tx, r)
        })
    }

    fn registry_slice(&mut self, store: &Store, lease: &Lease, r: &Rotation) -> Result<()> {
        let before = self.progress(store, r)?.step;
        if r.kind == Kind::Blind && before == blind::SWITCH {
            // Every reader sees the new epoch complete before it is put in force.
            store.registry().refresh();
        }
        let keys = store.keys().clone();
        self.db(store)?.write(|tx| {
            lease.hold(tx)?;
            let mut progress = Progress::of(tx, r)?;
            match r.kind {
                Kind::Data => data::slice(tx, &keys, r, &mut progress)?,
                _ => blind::slice(tx, &keys, r, &mut progress)?,
            }
            progress.save(tx, r)
        })?;
        let after = self.progress(store, r)?.step;
        self.slices += 1;
        if after != before || self.slices >= CHECKPOINT_SLICES {
            self.slices = 0;
            store.registry().refresh();
            // Keys by which the registry is read are looked up again.
            store.keys().changed();
            if let Db::Sqlite(db) = self.db(store)? {
                // What a reader still holds is copied back the next time.
                db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
            }
        }
        Ok(())
    }

    /// Retires the old keys and ends the rotation, in one transaction with its entry.
    async fn end(
        &mut self,
        store: &Store,
        lease: Lease,
        now: Moment,
        rotation: Rotation,
    ) -> Result<()> {
        // What was read before the last slice is read to its end with the old key.
        store.registry().refresh();
        let state = self.new_state(store, &lease, &rotation)?;
        let keys = store.keys().clone();
        store
            .ledger()
            .note(now, move |tx| {
                lease.hold(tx)?;
                let purpose = rotation.kind.purpose();
                for period in ended(tx, &rotation)? {
                    keys.retire(tx, (purpose, period), now)?;
                }
                if state.is_some() {
                    registry::follow(tx, state.as_ref())?;
                }
                tx.execute("DELETE FROM key_rotation WHERE id = 1", &[])?;
                let Rotation { kind, old, new, .. } = rotation;
                Ok(act("key.rotate.end", "dancu", format!("{} {old} -> {new}", kind.name())))
            })
            .await?;
        self.rest()
    }
}

impl Runner {
    /// Names a new state of the registry where its keys were changed: one from before opens by the
    /// retired keys alone, and is recognised by it. `None` = the registry was not changed.
    fn new_state(
        &mut self,
        store: &Store,
        lease: &Lease,
        r: &Rotation,
    ) -> Result<Option<registry::State>> {
        if r.kind == Kind::Month {
            return Ok(None);
        }
        let core = store.readers.read(registry::of_core)?;
        self.db(store)?.write(|tx| {
            lease.hold(tx)?;
            registry::step(tx, core.as_ref()).map(Some)
        })
    }
}

/// The periods that a rotation that is done ends: with the old one also those that an earlier
/// rotation left, if any.
fn ended(tx: &mut Tx<'_>, r: &Rotation) -> Result<Vec<u32>> {
    let sql = "SELECT period FROM crypto_key WHERE purpose = $1 AND period < $2 \
               AND retired_at IS NULL ORDER BY period";
    let live = tx.query(sql, values![r.kind.purpose().name(), r.new], |r| r.get::<u32>(0))?;
    let same =
        |n: &u32| r.kind != Kind::Month || n % crate::keys::MONTHS == r.new % crate::keys::MONTHS;
    Ok(live.into_iter().filter(same).collect())
}
