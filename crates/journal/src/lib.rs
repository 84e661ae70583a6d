//! **journal**: the entry format and its commitments (F1-F3, T46 art. 8).
//!
//! It knows bytes and hashes; it knows neither keys, nor storage, nor time. Sealing, search and
//! the log live elsewhere.
//!
//! **Invariant:** one entry has one encoding. [`Entry::encode`] and [`Entry::decode`] are inverse,
//! and bytes that decode re-encode to themselves. **Invariant:** version 1 never changes; what is
//! needed later gets a new version byte, because entries cannot be migrated.
//!
//! The format is described for readers without this code in `docs/journal-format.md`.

mod bytes;
pub mod commit;
pub mod entry;
pub mod tree;

pub use bytes::DecodeError;
pub use entry::{Act, Aggregate, Body, Decision, Entry, Features, Query, Subject};
