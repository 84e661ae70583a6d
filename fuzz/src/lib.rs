//! **fuzz**: what has to hold for any bytes that come from outside or from disk, one module per
//! target. `run` takes the bytes and panics where a law is broken.
//!
//! **Invariant:** a target needs no network, no file and no secret, and knows synthetic people
//! only. **Invariant:** the laws say what the parsers promise; a second reader, written by others,
//! judges XML and JSON.
//!
//! To add a target: a module here, a file in `targets/`, its `[[bin]]` in `Cargo.toml`, at least
//! one seed in `seeds/<target>/`. `bench/fuzz.sh` and `tests/seeds.rs` find it by its folder.
#![forbid(unsafe_code)]

pub mod access_client;
pub mod access_soap;
pub mod access_token;
pub mod domain_ids;
pub mod domain_name;
pub mod domain_profile;
pub mod journal_entry;
pub mod papers_sniff;
pub mod people;
pub mod population_header;
pub mod population_row;
pub mod store_record;
pub mod store_request_item;
pub mod wire_answer;
pub mod wire_rest;
pub mod wire_soap;

/// The reader and writer of population files. They belong to the program, which is no library, so
/// their sources are compiled in here.
#[path = "../../crates/server/src/population"]
pub mod population {
    pub mod csv;
}

/// A target's name and what it runs.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 15] = [
    ("access_client", access_client::run),
    ("access_soap", access_soap::run),
    ("access_token", access_token::run),
    ("domain_ids", domain_ids::run),
    ("domain_name", domain_name::run),
    ("domain_profile", domain_profile::run),
    ("journal_entry", journal_entry::run),
    ("papers_sniff", papers_sniff::run),
    ("population_header", population_header::run),
    ("population_row", population_row::run),
    ("store_record", store_record::run),
    ("store_request_item", store_request_item::run),
    ("wire_answer", wire_answer::run),
    ("wire_rest", wire_rest::run),
    ("wire_soap", wire_soap::run),
];
