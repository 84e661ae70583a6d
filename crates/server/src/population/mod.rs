//! `dancu population generate|import|export|stats`.

mod csv;
pub mod export;
pub mod fill;
pub mod import;
pub mod stats;
