//! Which keys the rows of a backup need, and whether they are at hand: a file of keys from another
//! time may have lost one by a rotation, or not have it yet. Restored under it, the data would not
//! open.

use super::tables::{Kept, Table};
use super::verify::column;
use crate::anchor::registry::{Match, State, compare, stored};
use crate::engine::Value;
use crate::entries::Chunk;
use crate::error::{Error, Result};
use crate::keys::{Keyring, Purpose};
use crate::open::FIRST_KEYS;
use crate::registry::EPOCH;
use crate::rotation::Kind;

/// What core and registry say of the registry's state.
#[derive(Default)]
pub(super) struct States {
    core: Option<State>,
    registry: Option<State>,
}

impl States {
    /// What is wrong with them together.
    pub(super) fn problem(&self) -> Option<String> {
        match compare(self.core.as_ref(), self.registry.as_ref()) {
            Match::Fits | Match::Ahead => None,
            Match::Older(registry, core)
            | Match::Empty(registry, core)
            | Match::Other(registry, core) => Some(format!(
                "kho công dân ở trạng thái {registry}, phần còn lại cần trạng thái {core} (the \
                 registry is not of the same state as the rest)"
            )),
        }
    }
}

/// What to look at in the rows of a table.
pub(super) enum Needs {
    /// Column of the data key's number, and the last number that was found.
    Data(usize, Option<u32>),
    /// Column of the digests' epoch, and the last one that was found.
    Blind(usize, Option<u32>),
    /// Columns of name and value.
    Facts([usize; 2], Area),
    /// Columns of kind, old and new period.
    Rotation([usize; 3]),
    /// Nothing.
    Nothing,
}

/// Whose facts a table holds.
#[derive(Clone, Copy)]
pub(super) enum Area {
    Core,
    Registry,
}

impl Needs {
    pub(super) fn of(table: &Table) -> Self {
        let at = |name| table.columns.iter().position(|c| *c == name).unwrap_or(usize::MAX);
        match (table.name, table.kept) {
            ("person" | "household", _) => Self::Data(at("key_number"), None),
            (_, Kept::Digests) => Self::Blind(at("epoch"), None),
            ("meta", _) => Self::Facts(["name", "value"].map(at), Area::Core),
            ("registry_meta", _) => Self::Facts(["name", "value"].map(at), Area::Registry),
            ("key_rotation", _) => Self::Rotation(["kind", "old_period", "new_period"].map(at)),
            _ => Self::Nothing,
        }
    }

    /// Refuses a row whose keys are not at hand.
    pub(super) fn check(
        &mut self,
        row: &[Value<'_>],
        keys: &Keyring,
        states: &mut States,
    ) -> Result<()> {
        match self {
            Self::Data(at, last) => once(keys, Purpose::Data, column(row, *at)?, last),
            Self::Blind(at, last) => once(keys, Purpose::Blind, column(row, *at)?, last),
            Self::Facts([name, value], area) => {
                let (name, value) = (column::<&str>(row, *name)?, column::<&str>(row, *value)?);
                match area {
                    Area::Core => states.core = stored(name, value)?.or(states.core.take()),
                    Area::Registry => {
                        states.registry = stored(name, value)?.or(states.registry.take());
                    }
                }
                if name == EPOCH {
                    let epoch = value.parse().map_err(|_| Error::Damaged(EPOCH))?;
                    has(keys, Purpose::Blind, epoch)?;
                }
                Ok(())
            }
            Self::Rotation([kind, old, new]) => {
                let kind = Kind::of_name(column(row, *kind)?);
                let purpose = kind.ok_or(Error::Damaged("key_rotation"))?.purpose();
                has(keys, purpose, column(row, *old)?)?;
                has(keys, purpose, column(row, *new)?)
            }
            Self::Nothing => Ok(()),
        }
    }
}

/// The same key is not looked up for every row.
fn once(keys: &Keyring, purpose: Purpose, period: u32, last: &mut Option<u32>) -> Result<()> {
    if *last == Some(period) {
        return Ok(());
    }
    has(keys, purpose, period)?;
    *last = Some(period);
    Ok(())
}

fn has(keys: &Keyring, purpose: Purpose, period: u32) -> Result<()> {
    if keys.get(purpose, period).is_some() { Ok(()) } else { Err(lacks(purpose, period)) }
}

fn lacks(purpose: Purpose, period: u32) -> Error {
    Error::Backup(format!(
        "cần khóa {0} {period}, không có trong tệp khóa này: dùng tệp khóa được lập cùng bản sao \
         lưu (needs the key {0} {period}, which this file of keys lacks: use the one made with the \
         backup)",
        purpose.name()
    ))
}

/// Whether the entries of a chunk can be opened: both keys of its month are there. Where both are
/// gone the month was erased.
///
/// # Errors
/// One of them alone is gone: the file of keys is of another time.
pub(super) fn month_opens(chunk: &Chunk, keys: &Keyring) -> Result<bool> {
    let sealed_by = keys.get(Purpose::Journal, chunk.period()).is_some();
    match (sealed_by, keys.get(Purpose::Salt, chunk.month).is_some()) {
        (true, true) => Ok(true),
        (false, false) => Ok(false),
        (false, true) => Err(lacks(Purpose::Journal, chunk.period())),
        (true, false) => Err(lacks(Purpose::Salt, chunk.month)),
    }
}

/// Purposes of which a file of keys has none, though every database has.
pub(super) fn without_any(keys: &Keyring) -> Vec<String> {
    let missing = FIRST_KEYS.into_iter().filter(|p| keys.newest(*p).is_none());
    missing
        .map(|p| {
            format!("tệp khóa không có khóa {0} nào (no key {0} in the file of keys)", p.name())
        })
        .collect()
}
