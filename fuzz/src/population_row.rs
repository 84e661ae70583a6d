//! Rows of population files: a person that is read is written and read back the same.

use dancu_domain::person::{HouseholdRef, HouseholdRole, Person};

use crate::people::TODAY;
use crate::population::csv::read::{as_head, draft};
use crate::population::csv::{COLUMNS, Header, Row, write};

/// Reads a header line and the rows after it.
///
/// # Panics
/// Where a law is broken.
pub fn run(data: &[u8]) {
    for person in people(data) {
        let mut text = String::new();
        assert!(write::line(&person, &mut text), "a text has a line break");
        let again = [write::header().into_bytes(), text.into_bytes()].concat();
        let again = people(&again);
        assert!(again.len() == 1 && again[0] == person, "another person came back");
    }
}

/// The people of a file, each in its household.
///
/// # Panics
/// Where an error names no column.
pub fn people(file: &[u8]) -> Vec<Person> {
    let mut lines = file.split(|b| *b == b'\n');
    let Ok(header) = Header::parse(lines.next().unwrap_or_default()) else { return vec![] };
    let mut found = vec![];
    for (line, number) in lines.filter(|l| !l.is_empty()).zip(2..) {
        match Row::read(&header, line).and_then(|row| draft(&row, TODAY)) {
            Ok(draft) => {
                let mut person = draft.person;
                person.household = draft.household.map(|h| HouseholdRef {
                    key: 0,
                    number: h.number,
                    role: h.role,
                    head: match h.head {
                        Some(head) if h.role != HouseholdRole::Head => head,
                        _ => as_head(&person),
                    },
                });
                found.push(person);
            }
            Err(fault) => {
                let error = fault.at(number);
                assert!(error.column.is_empty() || COLUMNS.contains(&error.column));
                assert!(!error.message_vi.is_empty());
            }
        }
    }
    found
}
