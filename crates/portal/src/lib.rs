//! The portal's look: what each page shows and how it is drawn.
//!
//! This room knows templates, texts in two languages and the geometry of charts. It does not know
//! the store, the gate, sessions or HTTP: a handler fills a page's struct with finished words and
//! numbers and renders it.
//!
//! **Invariant:** no text for people stands in a template or in this code; all of it lies in
//! `locales/*.ftl`, one key per sentence, the same keys in each language (`tests/texts.rs`).
//!
//! **Invariant:** no page carries an inline script or style, so that the policy
//! `default-src 'self'` holds without exceptions.
//!
//! To add a page, see README.md.

pub mod account;
pub mod auditor;
pub mod campaigns;
pub mod centre;
pub mod changes;
pub mod chart;
pub mod citizen;
pub mod counter;
pub mod dossier;
pub mod entry;
pub mod error;
pub mod files;
pub mod gathering;
pub mod guide;
pub mod head;
pub mod integrator;
pub mod notices;
pub mod operator;
mod page;
pub mod papers;
pub mod parts;
pub mod plans;
pub mod rules;
pub mod sandbox;
pub mod sent;
pub mod shell;
pub mod statements;
pub mod text;
pub mod webhooks;

pub use self::page::Page;
