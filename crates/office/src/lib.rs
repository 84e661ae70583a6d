//! **office**: the acts of people and of `dancu operate`, one function each (A3, B, D3, D6, D8, E).
//!
//! An act loads what it is about, lets `domain` decide over it, and carries it out in one
//! transaction of the ledger that changes the state and journals who did it and why ([`act`]). It
//! knows no HTTP and no HTML; whoever calls has asked `domain` whether the person may.
//!
//! **Invariant:** nothing is changed without its journal entry, and neither without the other.
//! **Invariant:** what an act changes is decided inside its transaction, over what is registered
//! then: of two acts at the same time the second one builds on the first.
//! **Invariant:** whoever asked does not decide: the acts look at it again themselves (A4, D8).
//!
//! To add an act: a function in the module of its desk that ends in [`act::carry_out`], its kind in
//! `docs/journal-format.md`, and its refusals as variants of [`act::Refused`].

pub mod act;
pub mod appeals;
pub mod audit;
pub mod campaigns;
pub mod certificates;
pub mod citizens;
pub mod commitments;
pub mod credentials;
pub mod decisions;
pub mod documents;
pub mod dossiers;
pub mod gathering;
pub mod hours;
pub mod imports;
pub mod locks;
pub mod news;
pub mod notices;
pub mod officers;
pub mod papers;
pub mod plans;
mod program;
pub mod raise_requests;
pub mod raises;
pub mod sandbox;
pub mod staff;
pub mod statements;
pub mod states;
pub mod substitutes;
pub mod units;
pub mod webhooks;

pub use act::{Actor, Done, Refused};
