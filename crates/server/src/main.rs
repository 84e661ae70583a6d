//! **dancu**: one binary, one sub-command per role.
//!
//! It knows every room and wires them together: command line, configuration, routes, background
//! work. **Invariant:** it decides nothing about queries; that is `domain`'s and `gate`'s.

mod app;
mod background;
mod backup;
mod cli;
mod clock;
mod config;
mod control;
mod demo;
mod doctor;
mod handlers;
mod jobs;
mod keys;
mod leftover;
mod log_key;
mod mail;
mod operate;
mod outgoing;
mod places;
mod population;
mod portal;
mod proxy;
mod readiness;
mod refused;
mod routes;
mod sandbox;
mod scanner;
mod serve;
mod statements;
mod stop;
mod telemetry;
mod tls;
mod unit_names;
mod webhooks;

use std::process::ExitCode;

/// Small allocations cost less than with the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
