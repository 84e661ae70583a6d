//! Bodies of REST: a question or everything that is wrong, and always JSON as an answer.

use dancu_gate::query::{Answer, CorrelationId, Unreadable};
use dancu_wire::rest::{BODY_MAX, Endpoint, input_problem, parse, parse_clock, parse_from, render};

use crate::people::{TODAY, assert_json, assert_no_id, refusals, reply};

/// Reads a body; its first byte chooses the endpoint, then comes the body.
///
/// # Panics
/// Where a law is broken.
pub fn run(data: &[u8]) {
    let Some((choice, body)) = data.split_first() else { return };
    match choice {
        b'0'..=b'3' => question(Endpoint::ALL[usize::from(choice - b'0')], body),
        b'4' => match parse_clock(body) {
            Ok(at) => assert!(at.0 < 253_402_300_800_000, "beyond the calendar"),
            Err(unread) => unreadable(&unread),
        },
        _ => {
            let Ok(text) = std::str::from_utf8(body) else { return };
            match parse_from(Some(text)) {
                Ok(from) => assert_eq!(format!("{from:0width$}", width = text.len()), text),
                Err(unread) => unreadable(&unread),
            }
        }
    }
}

fn unreadable(unread: &Unreadable) {
    assert!(!unread.errors.is_empty());
    for error in &unread.errors {
        assert_no_id(&error.field);
        assert_no_id(&error.message_vi);
    }
    assert_json(&input_problem(unread, CorrelationId([7; 16])).body);
}

fn question(endpoint: Endpoint, body: &[u8]) {
    let query = match parse(endpoint, body, TODAY) {
        Ok(query) => query,
        Err(unread) => return unreadable(&unread),
    };
    assert_eq!(query.service, endpoint.service());
    assert!(body.len() <= BODY_MAX);
    let count = refusals().count().max(1);
    for reply in [reply(Answer::NoMatch)].into_iter().chain(refusals().nth(body.len() % count)) {
        assert_json(&render(endpoint, query.request_id.as_str(), &reply).body);
    }
    // Another reader takes it for JSON too, and its own writing of it means the same.
    let value: serde_json::Value = serde_json::from_slice(body).expect("accepted what is not JSON");
    let again = serde_json::to_vec_pretty(&value).expect("a value can be written");
    if again.len() <= BODY_MAX {
        let again = parse(endpoint, &again, TODAY).expect("the same question");
        assert_eq!(again.body, query.body, "another digest of the same value");
    }
}
