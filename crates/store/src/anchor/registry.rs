//! The registry's state: how often it was changed as a whole, told by both databases, so that an
//! older `registry.db` beside a current `core.db` is recognised.
//!
//! Each load and each rotation that ends names a new state in `registry_meta`: a number, a random
//! name, and the name before. `core.db` follows in its next transaction about it. The registry is
//! written first: cut off between the two it is one step ahead, which a start takes over if the
//! core has the keys that open it. Anything else beside a core that names a state is another
//! registry or an older one.

use std::path::Path;

use crate::engine::Tx;
use crate::error::{Error, Result};
use crate::facts;
use crate::keys::{Keyring, Purpose, random};
use crate::open::none_lost;
use crate::registry::{EPOCH, epoch};
use crate::sqlite::{self, Area};

/// Name of the state, in `registry_meta` and in `meta`.
const STATE: &str = "registry.state";

/// A state of the registry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct State {
    number: u64,
    name: String,
    /// Name of the state before; `-` = there was none.
    before: String,
}

/// How the registry compares with what the core knows of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Match {
    /// They name the same state, or the core names none yet.
    Fits,
    /// The registry is one step ahead: the core has to follow.
    Ahead,
    /// The registry has a state that it had before, or another's: both numbers.
    Older(u64, u64),
    /// The same, and there is no registry at all, or nobody in it.
    Empty(u64, u64),
    /// The registry is more than a step ahead, or the core has no key that opens it: the core
    /// is older, or the registry another's.
    Other(u64, u64),
}

impl Match {
    /// For the journal: what was found beside an older copy that is taken into use.
    pub(super) fn told(self) -> String {
        match self {
            Self::Fits | Self::Ahead => "khớp (fits)".into(),
            Self::Older(registry, core) | Self::Other(registry, core) => {
                format!("trạng thái (state) {registry}, core.db {core}")
            }
            Self::Empty(registry, core) => format!(
                "trạng thái (state) {registry}, core.db {core}; trống, phải nhập lại dân số \
                 (empty: the population has to be imported again)"
            ),
        }
    }
}

impl State {
    /// The state after another.
    fn after(before: Option<&Self>) -> Result<Self> {
        let mut name = [0; 16];
        random(&mut name)?;
        Ok(Self {
            number: before.map_or(0, |b| b.number) + 1,
            name: hex::encode(name),
            before: before.map_or_else(|| "-".to_owned(), |b| b.name.clone()),
        })
    }

    fn parse(text: &str) -> Result<Self> {
        let mut words = text.split(' ');
        let number = words.next().and_then(|n| n.parse().ok());
        match (number, words.next(), words.next(), words.next()) {
            (Some(number), Some(name), Some(before), None) => {
                Ok(Self { number, name: name.to_owned(), before: before.to_owned() })
            }
            _ => Err(Error::Damaged(STATE)),
        }
    }

    fn text(&self) -> String {
        format!("{} {} {}", self.number, self.name, self.before)
    }
}

/// The state that the registry names.
pub(crate) fn of_registry(tx: &mut Tx<'_>) -> Result<Option<State>> {
    facts::registry(tx, STATE)?.as_deref().map(State::parse).transpose()
}

/// The same of a file; none where there is no registry in it.
pub(crate) fn of_file(path: &Path) -> Result<Option<State>> {
    if !path.exists() {
        return Ok(None);
    }
    let db = sqlite::reader(path)?;
    if sqlite::version(&db)? == 0 {
        return Ok(None);
    }
    of_registry(&mut Tx::from(&db))
}

/// The state that the core knows.
pub(crate) fn of_core(tx: &mut Tx<'_>) -> Result<Option<State>> {
    facts::core(tx, STATE)?.as_deref().map(State::parse).transpose()
}

/// The state that a fact of either database tells; none where it is another fact.
pub(crate) fn stored(name: &str, value: &str) -> Result<Option<State>> {
    (name == STATE).then(|| State::parse(value)).transpose()
}

/// How they compare.
pub(crate) fn compare(core: Option<&State>, registry: Option<&State>) -> Match {
    match (core, registry) {
        (None, None) => Match::Fits,
        (None, Some(_)) => Match::Ahead,
        (Some(core), None) => Match::Older(0, core.number),
        (Some(core), Some(registry)) if core.name == registry.name => Match::Fits,
        (Some(core), Some(registry)) if core.name == registry.before => Match::Ahead,
        (Some(core), Some(registry)) if registry.number <= core.number => {
            Match::Older(registry.number, core.number)
        }
        (Some(core), Some(registry)) => Match::Other(registry.number, core.number),
    }
}

fn save(tx: &mut Tx<'_>, state: &State) -> Result<()> {
    facts::set_registry(tx, STATE, &state.text())
}

/// Names a new state in a transaction that writes the registry, unless the core has yet to follow
/// the one that is named: then a process before this one was cut off right after it.
pub(crate) fn step(tx: &mut Tx<'_>, core: Option<&State>) -> Result<State> {
    let now = of_registry(tx)?;
    match now {
        Some(state) if compare(core, Some(&state)) == Match::Ahead => Ok(state),
        now => {
            let next = State::after(now.as_ref())?;
            save(tx, &next)?;
            Ok(next)
        }
    }
}

/// Names the state of a registry that a load makes, in its transaction. `replaced` is the file
/// whose place it takes; none on a server.
pub(crate) fn loaded(tx: &mut Tx<'_>, replaced: Option<&Path>) -> Result<()> {
    let before = match replaced {
        Some(path) => of_file(path)?,
        None => of_registry(tx)?,
    };
    save(tx, &State::after(before.as_ref())?)
}

/// Lets the core know the registry's state, in a transaction that writes the core.
pub(crate) fn follow(tx: &mut Tx<'_>, state: Option<&State>) -> Result<()> {
    if let Some(state) = state {
        return facts::set_core(tx, STATE, &state.text());
    }
    facts::forget_core(tx, STATE)
}

/// Whether the keys that are at hand open a registry: its digests, its first and its last record.
pub(crate) fn opens(tx: &mut Tx<'_>, keys: &Keyring) -> Result<bool> {
    let mut opens = keys.get(Purpose::Blind, epoch(tx)?).is_some();
    for sql in [
        "SELECT key_number FROM person ORDER BY id LIMIT 1",
        "SELECT key_number FROM person ORDER BY id DESC LIMIT 1",
    ] {
        let number: Option<u32> = tx.optional(sql, &[], |r| r.get(0))?;
        opens &= number.is_none_or(|n| keys.get(Purpose::Data, n).is_some());
    }
    Ok(opens)
}

/// How the registry's file compares with the core, with what only their keys and rows can tell:
/// a core that was never given the key of a registry one step ahead is older than it, and a
/// registry without anybody in it is told apart from an older one. `named` = the core's schema has
/// what keys are loaded by.
pub(super) fn beside(tx: &mut Tx<'_>, keys: &Keyring, named: bool, path: &Path) -> Result<Match> {
    let (core, registry) = (of_core(tx)?, of_file(path)?);
    let number = |state: &Option<State>| state.as_ref().map_or(0, |s| s.number);
    match compare(core.as_ref(), registry.as_ref()) {
        Match::Ahead => {
            let mut opened = false;
            if named {
                keys.load(tx)?;
                // That keys are gone is what has to be said first.
                none_lost(tx)?;
                opened = opens(&mut Tx::from(&sqlite::reader(path)?), keys)?;
            }
            let other = Match::Other(number(&registry), number(&core));
            Ok(if opened { Match::Ahead } else { other })
        }
        Match::Older(its, known) if is_empty_file(path)? => Ok(Match::Empty(its, known)),
        found => Ok(found),
    }
}

fn is_empty_file(path: &Path) -> Result<bool> {
    if !path.exists() {
        return Ok(true);
    }
    let db = sqlite::reader(path)?;
    Ok(sqlite::version(&db)? == 0 || is_empty(&mut Tx::from(&db))?)
}

fn is_empty(tx: &mut Tx<'_>) -> Result<bool> {
    Ok(tx.optional("SELECT 1 FROM person LIMIT 1", &[], |r| r.get::<i64>(0))?.is_none())
}

/// Lets a registry that holds nobody begin with the newest blind key, where the one that it names
/// was retired: one that is made in the place of a lost one names the first.
pub(crate) fn begin_empty(tx: &mut Tx<'_>, keys: &Keyring) -> Result<()> {
    if !is_empty(tx)? || opens(tx, keys)? {
        return Ok(());
    }
    let newest = keys.newest(Purpose::Blind).ok_or(Error::Damaged(EPOCH))?;
    facts::set_registry(tx, EPOCH, &newest.to_string())
}

/// The registry's file of a data folder.
pub(crate) fn file(dir: &Path) -> std::path::PathBuf {
    dir.join(Area::Registry.file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_step_ahead_is_followed() {
        let first = State::after(None).unwrap();
        let second = State::after(Some(&first)).unwrap();
        let third = State::after(Some(&second)).unwrap();
        let fork = State::after(Some(&first)).unwrap();
        assert_eq!((first.number, third.number), (1, 3));
        let of = |core: Option<&State>, registry: Option<&State>| compare(core, registry);
        assert_eq!(of(None, None), Match::Fits);
        assert_eq!(of(None, Some(&third)), Match::Ahead);
        assert_eq!(of(Some(&second), Some(&second)), Match::Fits);
        assert_eq!(of(Some(&second), Some(&third)), Match::Ahead);
        assert_eq!(of(Some(&second), None), Match::Older(0, 2));
        assert_eq!(of(Some(&second), Some(&first)), Match::Older(1, 2));
        assert_eq!(of(Some(&second), Some(&fork)), Match::Older(2, 2));
        assert_eq!(of(Some(&first), Some(&third)), Match::Other(3, 1));
        assert_eq!(State::parse(&third.text()).unwrap(), third);
        assert!(State::parse("3 a").is_err() && State::parse("x a b").is_err());
    }

    #[test]
    fn a_step_that_was_cut_off_is_not_taken_twice() {
        let mut db = rusqlite::Connection::open_in_memory().unwrap();
        sqlite::migrate(&mut db, Area::Registry).unwrap();
        let mut tx = Tx::from(&db);
        let first = step(&mut tx, None).unwrap();
        // The core did not follow: the same state is told again.
        assert_eq!(step(&mut tx, None).unwrap(), first);
        let second = step(&mut tx, Some(&first)).unwrap();
        assert_eq!(second.before, first.name);
        assert_eq!(step(&mut tx, Some(&first)).unwrap(), second);
        assert_eq!(of_registry(&mut tx).unwrap(), Some(second));
    }
}
