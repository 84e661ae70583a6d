//! Another master key: every key wrapped anew in one transaction with its journal entry. Before
//! it the new master is durable where it is kept; after it the folder's files follow.

use dancu_domain::moment::Moment;

use super::act;
use crate::error::{Error, Result};
use crate::keys::master::{Masters, make_next};
use crate::keys::ring::in_force;
use crate::keys::{MASTER_KEY_NEXT_FILE, MasterId};
use crate::store::Store;

/// Where the next master key is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MasterTarget {
    /// `master.key.next` of the folder, made where it is not there; with the key in the
    /// environment, the variable of the next one.
    Local,
    /// The device of the configuration; made there unless a key waits that wraps nothing yet.
    Device,
}

/// What a change of the master did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MasterChange {
    /// The master before. Backups of that time need it.
    pub old: MasterId,
    /// The master in force now.
    pub new: MasterId,
    /// Keys that were wrapped anew.
    pub keys: u64,
    /// Index of its journal entry.
    pub index: u64,
}

/// Changes the master key. Can be called again after it was cut off: it goes on with the next key
/// that is there.
///
/// # Errors
/// [`Error::MasterKey`]: a key is missing, or another node changed the master at the same moment;
/// the text says which and what to do.
pub async fn change_master(
    store: &Store,
    now: Moment,
    target: MasterTarget,
    actor: &str,
) -> Result<MasterChange> {
    let none = || Error::Damaged("keys.master");
    let old = store.readers.read(in_force)?.ok_or_else(none)?;
    let keys = store.keys().clone();
    let to = keys.with_masters(|masters| {
        let id = match target {
            MasterTarget::Local => local(masters)?,
            MasterTarget::Device => device(masters, old)?,
        };
        masters.by_id(id)
    })?;
    let new = to.id();
    if new == old {
        return Err(Error::MasterKey(format!(
            "khóa {new} đang được dùng rồi: khóa mới phải khác khóa cũ (already in force)"
        )));
    }
    let (ring, actor) = (keys.clone(), actor.to_owned());
    let wrapped = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let count = wrapped.clone();
    let index = store
        .ledger()
        .note(now, move |tx| {
            // Under the head's lock: what was read before may have been changed by another node.
            let found = in_force(tx)?.ok_or_else(none)?;
            if found != old {
                return Err(Error::MasterKey(format!(
                    "khóa chủ vừa được nút khác đổi sang {found}: xem `dancu keys status` rồi chạy \
                     lại (another node changed the master key a moment ago: look, then run again)"
                )));
            }
            let n = ring.wrap_all(tx, &*to)?;
            count.store(n, std::sync::atomic::Ordering::Release);
            let place = to.place();
            Ok(act("key.master", &actor, format!("{old} -> {new} ({place}), {n}")))
        })
        .await?;
    keys.with_masters(|masters| masters.settle(new))?;
    let keys = wrapped.load(std::sync::atomic::Ordering::Acquire);
    Ok(MasterChange { old, new, keys, index })
}

fn local(masters: &mut Masters) -> Result<MasterId> {
    if masters.source().environment.is_some() {
        let next = masters.source().environment_next.is_some();
        let found = masters.known().iter().filter(|m| !m.is_device()).nth(1);
        return found.filter(|_| next).map(|m| m.id()).ok_or_else(|| {
            Error::MasterKey(
                "khóa chủ ở biến môi trường: đặt khóa mới vào DANCU_MASTER_KEY_NEXT rồi khởi động \
                 lại (put the new key into DANCU_MASTER_KEY_NEXT and start again)"
                    .into(),
            )
        });
    }
    let dir = masters.dir().ok_or_else(|| Error::MasterKey(MASTER_KEY_NEXT_FILE.into()))?;
    let id = make_next(dir)?;
    masters.read_again()?;
    Ok(id)
}

fn device(masters: &mut Masters, old: MasterId) -> Result<MasterId> {
    let waiting = |masters: &Masters| {
        masters.known().iter().find(|m| m.is_device() && m.id() != old).map(|m| m.id())
    };
    let was_on_device = masters.known().iter().any(|m| m.is_device() && m.id() == old);
    // A key that wrapped everything once is not taken again: from device to device a new one.
    if let Some(id) = waiting(masters).filter(|_| !was_on_device) {
        return Ok(id);
    }
    let before: Vec<MasterId> = masters.known().iter().map(|m| m.id()).collect();
    masters.make_in_device()?;
    let made = masters.known().iter().map(|m| m.id()).find(|id| !before.contains(id));
    made.ok_or_else(|| Error::MasterKey("thiết bị không giữ khóa vừa tạo (key not kept)".into()))
}
