//! **gate**: THE path that each query takes, readable in one file: [`path`].
//!
//! It knows what is asked and what is told ([`query`]); it knows no HTTP, no XML, no JSON and no
//! engine. **Invariant:** it takes no decision that `domain` could take. **Invariant:** no reply
//! exists before its journal entry is durable. **Invariant:** a refusal decided before the answer
//! never reads the registry; a late one drops the answer.

mod answer;
mod authenticate;
mod draft;
mod failures;
pub mod jobs;
mod known;
mod pace;
pub mod path;
pub mod query;
mod refuse;
mod round;
mod ruling;
mod uses;

pub use path::{Caller, Gate, UsedHeader};
