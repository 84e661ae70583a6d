//! People signing in over a real store with PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test world that cannot be set up fails the test")]

#[path = "people/cases/mod.rs"]
mod cases;
#[expect(dead_code, reason = "other kinds of keys are for the tests of the signatures")]
#[path = "people/key.rs"]
mod key;
#[path = "people/support.rs"]
mod support;

/// Which engine the worlds of this binary run on.
const ENGINE: dancu_store::engine::Engine = dancu_store::engine::Engine::Postgres;
