//! Opened registry records: read, written and shown without a panic, whatever stands in them.
//!
//! The seal vouches for these bytes, so reading checks their form only, and no more is asked of
//! the answers here than that they are written.

use dancu_domain::person::{Household, Person, PersonKeys};
use dancu_wire::rest::Endpoint;

use crate::people::{answers, reply};
use crate::population::csv::write;

/// Reads a record and a household as the registry does.
///
/// # Panics
/// Where a law is broken.
pub fn run(data: &[u8]) {
    if let Ok(household) = postcard::from_bytes::<Household>(data) {
        let bytes = postcard::to_stdvec(&household).expect("what was read can be written");
        assert!(postcard::from_bytes(&bytes) == Ok(household));
    }
    let keys = postcard::take_from_bytes::<PersonKeys>(data);
    let Ok(person) = postcard::from_bytes::<Person>(data) else { return };
    let (keys, _) = keys.expect("a record begins with its keys");
    assert_eq!(keys.personal_id, person.personal_id);
    assert!(keys.full_name == person.full_name && keys.birth == person.birth);
    assert!(keys.old_ids == person.old_ids && keys.vital == person.vital);
    let bytes = postcard::to_stdvec(&person).expect("what was read can be written");
    assert!(postcard::from_bytes::<Person>(&bytes).is_ok_and(|again| again == person));
    let _ = (keys.full_name.fold(), keys.full_name.upper());
    write::line(&person, &mut String::new());
    for answer in answers(&person) {
        let reply = reply(answer);
        for endpoint in Endpoint::ALL {
            let _ = dancu_wire::rest::render(endpoint, "1", &reply);
        }
        for call in crate::wire_answer::calls() {
            let _ = dancu_wire::soap::render(call, &crate::people::SYSTEM, &reply);
        }
    }
}
