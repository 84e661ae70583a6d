//! **store**: the only room that names a database.
//!
//! It knows engines, files, keys and transactions; it decides nothing. Areas: `policy` (what is
//! registered), `registry` (sealed citizens), `ledger` (counts and journal in one commit),
//! `entries` (sealed journal), `search` (derived runs), `requests` (ids of the last 24 hours),
//! `people` (accounts and sessions of the portal), `desks` (what its desks hand to each other).
//!
//! **Invariant:** nothing in the data folder but demo.json holds an id or a name in clear.
//! **Invariant:** one process per data folder; on PostgreSQL it keeps only the lock and the master
//! key, and several processes with folders of their own share a database.
//! **Invariant:** SQL is one text for both engines: `$1…$n` in order, types by the words of
//! [`sqlite::for_sqlite`].

pub mod anchor;
pub mod backup;
pub mod campaigns;
pub mod charges;
pub mod credential_use;
pub mod desks;
pub mod dossiers;
pub mod engine;
pub mod entries;
mod error;
mod facts;
pub mod files;
pub mod gathering;
pub mod inspect;
pub mod jobs;
pub mod keys;
mod latest;
pub mod lease;
pub mod ledger;
mod month;
pub mod notices;
mod open;
pub mod people;
pub mod policy;
mod readers;
pub mod registry;
pub mod requests;
pub mod rotation;
pub mod search;
pub mod sqlite;
pub mod statements;
mod store;
pub mod units;
pub mod used;
pub mod webhooks;

pub use error::{Error, Result};
pub use open::{Database, OpenOptions, Viewer, holder};
pub use store::{FORGET_BATCHES, SANDBOX_CLOCK, SearchBy, Store, free_bytes};

/// File of policy, counts and journal.
pub const CORE_FILE: &str = "core.db";
/// Bytes of an AES-GCM nonce, in front of every sealed blob.
pub const NONCE_BYTES: usize = 12;
