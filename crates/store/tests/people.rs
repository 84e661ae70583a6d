//! People of the portal, their sessions, the desks' papers and dossiers, on both engines.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
#[path = "people/desks.rs"]
mod desks;
#[path = "people/dossiers.rs"]
mod dossiers;
#[path = "people/files.rs"]
mod files;
#[path = "people/notices.rs"]
mod notices;
#[path = "people/papers.rs"]
mod papers;
#[path = "people/rows.rs"]
mod rows;
#[path = "people/sessions.rs"]
mod sessions;
#[path = "people/units.rs"]
mod units;
#[path = "people/upgrade.rs"]
mod upgrade;
#[path = "people/webhooks.rs"]
mod webhooks;
#[path = "people/world.rs"]
mod world;
