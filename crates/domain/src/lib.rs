//! **domain**: the vocabulary and the rules of the platform, as plain values and pure functions.
//!
//! It knows no I/O, no clock, no randomness, no engine and no wire format: times and registrations
//! come in as arguments, decisions go out as values that name their rule ids.
//!
//! **Invariant:** an identifier that exists is valid. **Invariant:** every refusal names a rule of
//! `docs/glossary.md`. **Invariant:** a figure of the law stands in the regulation profile only.

pub mod appeals;
pub mod birth;
pub mod campaigns;
pub mod conformance;
pub mod credentials;
pub mod decide;
pub mod dossier;
pub mod editions;
pub mod files;
pub mod forms;
pub mod gathering;
pub mod geo;
pub mod ids;
pub mod lines;
pub mod lists;
pub mod moment;
pub mod name;
pub mod network;
pub mod notices;
pub mod outlook;
pub mod pace;
pub mod people;
pub mod person;
pub mod plans;
pub mod profile;
pub mod refusal;
pub mod registration;
pub mod rule;
pub mod scan;
pub mod service;
pub mod statements;
pub mod text;
pub mod units;
pub mod webhooks;
