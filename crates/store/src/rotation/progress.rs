//! How far a rotation of the registry's keys came, kept beside what it changed.

use super::{Kind, Rotation};
use crate::engine::Tx;
use crate::error::{Error, Result};
use crate::facts;
use crate::store::Store;

/// Fact of the registry that holds it.
const FACT: &str = "rotation";
/// The step after the last one.
pub(super) const END: u8 = 5;

/// Step and place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Progress {
    pub(super) step: u8,
    /// Records up to this row are done in this step.
    pub(super) after: i64,
    /// Digests up to this one are done in this step.
    pub(super) digest: Vec<u8>,
    /// Rows done in this step.
    pub(super) done: u64,
}

impl Progress {
    /// From the registry. What belongs to another rotation, or to a registry that was replaced,
    /// counts as nothing: every step may be done again.
    pub(super) fn of(tx: &mut Tx<'_>, rotation: &Rotation) -> Result<Self> {
        let stored = facts::registry(tx, FACT)?;
        let mut words = stored.as_deref().unwrap_or("").split(' ');
        if words.next() != Some(rotation.kind.name())
            || words.next() != Some(rotation.new.to_string().as_str())
        {
            return Ok(Self::at(1));
        }
        let mut number = || words.next().and_then(|w| w.parse::<i64>().ok());
        let damaged = Error::Damaged("registry_meta.rotation");
        let read = number().zip(number()).zip(number());
        let Some(((step, after), done)) = read else { return Err(damaged) };
        let digest = hex::decode(words.next().unwrap_or(""));
        let (Ok(step), Ok(digest)) = (u8::try_from(step), digest) else { return Err(damaged) };
        Ok(Self { step, after, digest, done: done.cast_unsigned() })
    }

    /// The beginning of a step.
    pub(super) fn at(step: u8) -> Self {
        Self { step, after: 0, digest: vec![], done: 0 }
    }

    /// Into the registry, in the transaction of what was done.
    pub(super) fn save(&self, tx: &mut Tx<'_>, rotation: &Rotation) -> Result<()> {
        let Self { step, after, done, digest } = self;
        let (kind, new) = (rotation.kind.name(), rotation.new);
        let text = format!("{kind} {new} {step} {after} {done} {}", hex::encode(digest));
        facts::set_registry(tx, FACT, &text)
    }
}

/// A rotation with what the registry tells of it.
pub(super) fn shown(store: &Store, rotation: Rotation) -> Result<Rotation> {
    if rotation.kind == Kind::Month {
        return Ok(rotation);
    }
    let progress = Progress::of(&mut store.registry().writer()?.tx(), &rotation)?;
    Ok(Rotation { step: progress.step, done: progress.done, ..rotation })
}
