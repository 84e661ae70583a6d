//! Jobs: many questions inside an approved plan (D5), asked one by one in the background.
//!
//! A job is taken in (`intake.rs`), run by whoever holds its lease (`run.rs`) and read by the
//! system that it belongs to (`own.rs`).
//!
//! **Invariant:** a row is an ordinary question: the same path decides, counts and journals it.
//! **Invariant:** a rule that holds a job makes no refusals of it; its rows wait.

mod code;
mod intake;
pub mod lists;
mod own;
mod run;
pub mod types;

pub use intake::Intake;
pub use own::JOBS_LISTED;
pub use run::{JobRun, LEASE_MS, Step};
