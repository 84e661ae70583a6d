//! Account lists that systems send (B6): they wait, sealed, for the head of the unit.

use dancu_domain::ids::SystemId;
use dancu_domain::moment::Moment;
use dancu_domain::people::PersonId;
use serde::{Deserialize, Serialize};

use super::{Desks, constrained, next};
use crate::engine::{Row, Tx};
use crate::error::{Error, Result};
use crate::keys::{Key, Keyring, Purpose};
use crate::people::sealed::{self, Opened, Place};
use crate::values;

const BY_ID: &str = "SELECT id, system, state, sealed FROM account_changes WHERE id = $1";
const NEWEST: &str = "SELECT id, system, state, sealed FROM account_changes \
    WHERE system = $1 ORDER BY id DESC LIMIT 1";

/// Where a list that was sent stands. All but the first are final.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum ChangesState {
    /// Not decided.
    Waiting = 0,
    /// Applied, whole or in part.
    Applied = 1,
    /// Refused.
    Refused = 2,
    /// A newer list of the system took its place.
    Replaced = 3,
}

impl ChangesState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Applied, Self::Refused, Self::Replaced];

    /// From its number in the store.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|state| *state as u8 == number)
    }

    /// The word of the interface.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Applied => "applied",
            Self::Refused => "refused",
            Self::Replaced => "replaced",
        }
    }
}

/// A row of a list as it was sent: the columns of the form as text, in their order, role, purpose.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentRow {
    /// Cells, one for each column.
    pub cells: Vec<String>,
    /// Nhiệm vụ.
    pub role: String,
    /// Mục đích sử dụng.
    pub purpose: String,
}

/// A list that a system sent. Debug output leaves its rows out.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountChanges {
    /// The row id; whatever stands here before it is stored does not count.
    pub id: i64,
    /// Whose list.
    pub system: SystemId,
    /// When it came.
    pub sent_at: Moment,
    /// The whole list.
    pub rows: Vec<SentRow>,
    /// Digest of the list that it was compared with: another one means that it changed meanwhile.
    pub over: [u8; 16],
    /// Where it stands.
    pub state: ChangesState,
    /// Who decided, and when.
    pub decided: Option<(PersonId, Moment)>,
    /// What was applied, or why not; empty while it waits.
    pub answer: String,
}

impl std::fmt::Debug for AccountChanges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AccountChanges({}, {:?})", self.id, self.state)
    }
}

/// A list as it is sealed in `account_changes.sealed`.
#[derive(Serialize, Deserialize)]
struct ChangesRecord {
    system: u32,
    state: u8,
    sent_at: i64,
    rows: Vec<SentRow>,
    over: [u8; 16],
    decided: Option<(u32, i64)>,
    answer: String,
}

/// Stores a list that waits; gives its number. The list of the system that waited until now is
/// replaced, and its rows are forgotten.
pub fn insert_account_changes(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    changes: &AccountChanges,
) -> Result<i64> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    replace_waiting_changes(tx, keys, changes.system)?;
    let id = next(tx, "SELECT COALESCE(MAX(id), 0) FROM account_changes")?;
    let sealed = place(id).seal(&key, &ChangesRecord::of(changes), &[])?;
    let inserted = tx.execute(
        "INSERT INTO account_changes (id, system, state, sealed) VALUES ($1, $2, $3, $4)",
        values![id, changes.system.0, changes.state as u8, sealed],
    );
    inserted.map_err(constrained)?;
    Ok(id)
}

/// The list of a system that waits is one no more: a newer one came.
pub fn replace_waiting_changes(tx: &mut Tx<'_>, keys: &Keyring, system: SystemId) -> Result<()> {
    let waiting = newest_changes(tx, keys, system)?;
    match waiting.filter(|changes| changes.state == ChangesState::Waiting) {
        Some(before) => {
            let state = ChangesState::Replaced;
            save_account_changes(tx, keys, &AccountChanges { state, rows: vec![], ..before })
        }
        None => Ok(()),
    }
}

/// Stores a list that was decided.
///
/// # Errors
/// [`Error::Final`] where it is decided or there is none.
pub fn save_account_changes(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    changes: &AccountChanges,
) -> Result<()> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let found = tx.lock_row(BY_ID, values![changes.id], |r| stored(r, &key))?;
    let before = found.ok_or(Error::Final("không có danh sách này (no such list)"))?;
    let waits = before.record.state == ChangesState::Waiting as u8;
    if !waits || before.record.system != changes.system.0 {
        return Err(Error::Final("danh sách đã được quyết định (the list is decided)"));
    }
    let sealed = place(changes.id).seal(&key, &ChangesRecord::of(changes), before.rest())?;
    let sql = "UPDATE account_changes SET state = $1, sealed = $2 WHERE id = $3";
    tx.execute(sql, values![changes.state as u8, sealed, changes.id])?;
    Ok(())
}

/// A list.
pub fn account_changes(tx: &mut Tx<'_>, keys: &Keyring, id: i64) -> Result<Option<AccountChanges>> {
    let key = sealed::key(keys)?;
    tx.optional(BY_ID, values![id], |r| read(r, &key))
}

/// The last list that a system sent.
pub fn newest_changes(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    system: SystemId,
) -> Result<Option<AccountChanges>> {
    let key = sealed::key(keys)?;
    tx.optional(NEWEST, values![system.0], |r| read(r, &key))
}

impl Desks<'_> {
    /// [`account_changes`].
    pub async fn account_changes(self, id: i64) -> Result<Option<AccountChanges>> {
        let key = sealed::key(&self.store.keys)?;
        Ok(self.store.look(BY_ID, values![id], |r| read(r, &key)).await?.pop())
    }

    /// [`newest_changes`].
    pub async fn newest_changes(self, system: SystemId) -> Result<Option<AccountChanges>> {
        let key = sealed::key(&self.store.keys)?;
        Ok(self.store.look(NEWEST, values![system.0], |r| read(r, &key)).await?.pop())
    }
}

impl ChangesRecord {
    fn of(changes: &AccountChanges) -> Self {
        Self {
            system: changes.system.0,
            state: changes.state as u8,
            sent_at: changes.sent_at.0,
            rows: changes.rows.clone(),
            over: changes.over,
            decided: changes.decided.map(|(by, at)| (by.0, at.0)),
            answer: changes.answer.clone(),
        }
    }
}

/// The document of a row; what stands beside it says the same.
fn stored(r: &Row<'_>, key: &Key) -> Result<Opened<ChangesRecord>> {
    let place = place(r.get(0)?);
    let opened = place.open::<ChangesRecord>(key, r, 3)?;
    if (opened.record.system, opened.record.state) != (r.get(1)?, r.get(2)?) {
        return Err(place.damaged());
    }
    Ok(opened)
}

fn read(r: &Row<'_>, key: &Key) -> Result<AccountChanges> {
    let record = stored(r, key)?.record;
    Ok(AccountChanges {
        id: r.get(0)?,
        system: SystemId(record.system),
        sent_at: Moment(record.sent_at),
        rows: record.rows,
        over: record.over,
        state: ChangesState::from_number(record.state)
            .ok_or(Error::Damaged("account_changes.state"))?,
        decided: record.decided.map(|(by, at)| (PersonId(by), Moment(at))),
        answer: record.answer,
    })
}

fn place(id: i64) -> Place {
    Place::numbered("account_changes.sealed", id)
}
