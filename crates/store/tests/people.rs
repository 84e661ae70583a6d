//! People of the portal, their sessions and the desks' papers, on both engines.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
#[path = "people/desks.rs"]
mod desks;
#[path = "people/notices.rs"]
mod notices;
#[path = "people/rows.rs"]
mod rows;
#[path = "people/sessions.rs"]
mod sessions;
#[path = "people/upgrade.rs"]
mod upgrade;
#[path = "people/world.rs"]
mod world;
