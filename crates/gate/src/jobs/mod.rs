//! Jobs: many questions inside an approved plan (D5), asked one by one in the background.
//!
//! A job is taken in (`intake.rs`, `taking.rs`), run by whoever holds its lease (`claim.rs` says
//! whose turn it is, `run.rs` asks its rows, `scan.rs` finds those of a list) and read by the
//! system that it belongs to (`own.rs`, `listed.rs`, `results.rs`).
//!
//! **Invariant:** a row is an ordinary question: the same path decides, counts and journals it.
//! **Invariant:** a rule that holds a job makes no refusals of it; its rows wait.

mod claim;
mod code;
mod earlier;
mod intake;
mod listed;
pub mod lists;
mod own;
mod results;
mod run;
mod scan;
mod taking;
pub mod types;

pub use claim::{LEASE_MS, PAUSED_MAX_MS, TURN_MS};
pub(crate) use code::is_damage;
pub use earlier::ENTRIES_READ;
pub use own::{Ended, JOBS_LISTED};
pub use results::{NotRead, Reading};
pub use run::{DAMAGE_TRIES, DAMAGED_MAX, JobRun, Step};
pub use taking::Intake;
