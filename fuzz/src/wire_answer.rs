//! Answers about anybody that a population file can bring in: well-formed in both protocols.

use std::sync::LazyLock;

use dancu_wire::rest::Endpoint;
use dancu_wire::soap::{SoapCall, parse};

use crate::people::{SYSTEM, TODAY, answers, assert_json, assert_xml, reply};
use crate::population_row::people;

/// Two questions: one with headers that are sent back, one without.
static CALLS: LazyLock<Vec<SoapCall>> = LazyLock::new(|| {
    let seeds = [
        include_bytes!("../seeds/wire_soap/verify.xml").as_slice(),
        include_bytes!("../seeds/wire_soap/xroad.xml").as_slice(),
    ];
    seeds.map(|seed| parse(seed, None, &SYSTEM, TODAY).expect("a seed is a question")).into()
});

/// The questions that are answered.
pub fn calls() -> &'static [SoapCall] {
    &CALLS
}

/// Reads a population file and answers about its people.
///
/// # Panics
/// Where an answer cannot be read.
pub fn run(data: &[u8]) {
    for person in people(data) {
        for answer in answers(&person) {
            let reply = reply(answer);
            for endpoint in Endpoint::ALL {
                assert_json(&dancu_wire::rest::render(endpoint, "\"\u{1f}\\", &reply).body);
            }
            for call in calls() {
                assert_xml(&dancu_wire::soap::render(call, &SYSTEM, &reply).body);
            }
        }
    }
}
