//! The path of a query over a real store with PostgreSQL: the same cases as on SQLite, and what
//! only several nodes or a server that fails can show.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test world that cannot be set up fails the test"
)]

mod cases;
mod nodes;

mod support;

/// Which engine the worlds of this binary run on.
const ENGINE: dancu_store::engine::Engine = dancu_store::engine::Engine::Postgres;
