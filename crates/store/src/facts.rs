//! Small facts by name: of the core (`meta`) and of the registry (`registry_meta`).

use crate::engine::Tx;
use crate::error::Result;
use crate::values;

/// A fact of the core.
pub(crate) fn core(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>> {
    tx.optional("SELECT value FROM meta WHERE name = $1", values![name], |r| r.get(0))
}

/// Stores a fact of the core, in the place of the one before.
pub(crate) fn set_core(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<()> {
    let sql = "INSERT INTO meta (name, value) VALUES ($1, $2) \
               ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    tx.execute(sql, values![name, value]).map(|_| ())
}

/// Takes a fact of the core away.
pub(crate) fn forget_core(tx: &mut Tx<'_>, name: &str) -> Result<()> {
    tx.execute("DELETE FROM meta WHERE name = $1", values![name]).map(|_| ())
}

/// A fact of the registry.
pub(crate) fn registry(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>> {
    tx.optional("SELECT value FROM registry_meta WHERE name = $1", values![name], |r| r.get(0))
}

/// Stores a fact of the registry, in the place of the one before.
pub(crate) fn set_registry(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<()> {
    let sql = "INSERT INTO registry_meta (name, value) VALUES ($1, $2) \
               ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    tx.execute(sql, values![name, value]).map(|_| ())
}
