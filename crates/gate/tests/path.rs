//! The path of a query over a real store with SQLite: one binary, so that it is linked once.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test world that cannot be set up fails the test"
)]

mod cases;
#[expect(dead_code, reason = "some of it is for several nodes, which need PostgreSQL")]
mod support;

/// Which engine the worlds of this binary run on.
const ENGINE: dancu_store::engine::Engine = dancu_store::engine::Engine::Sqlite;
