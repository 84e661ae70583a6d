//! Headers of population files: read, or refused without repeating an id. A file without header
//! begins with a person.

use crate::people::assert_no_id;
use crate::population::csv::Header;

/// Reads a header line.
///
/// # Panics
/// Where an error repeats an id.
pub fn run(data: &[u8]) {
    if let Err(error) = Header::parse(data) {
        assert_no_id(&error.to_string());
    }
}
