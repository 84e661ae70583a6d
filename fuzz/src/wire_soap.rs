//! SOAP envelopes: a question or everything that is wrong, and always a well-formed answer.

use dancu_gate::query::{Answer, Query, Reply};
use dancu_wire::soap::{SoapCall, parse, render, render_unreadable};
use roxmltree::{Document, Node};

use crate::people::{SYSTEM, TODAY, assert_no_id, assert_xml, refusals, reply};

/// Reads an envelope. Where it begins with `charset=…` and a line break, that is its content type.
///
/// # Panics
/// Where a law is broken.
pub fn run(data: &[u8]) {
    let (content_type, body) = content_type(data);
    match parse(body, content_type.as_deref(), &SYSTEM, TODAY) {
        Ok(call) => question(&call, body),
        Err(unread) => {
            assert!(!unread.unreadable.errors.is_empty());
            for error in &unread.unreadable.errors {
                assert_no_id(&error.field);
                assert_no_id(&error.message_vi);
            }
            for refusal in replies(body.len()) {
                assert_xml(&render_unreadable(&unread, &refusal).body);
            }
        }
    }
}

fn content_type(data: &[u8]) -> (Option<String>, &[u8]) {
    let end = data.iter().position(|b| *b == b'\n').unwrap_or(0);
    match std::str::from_utf8(&data[..end]) {
        Ok(line) if line.starts_with("charset=") => {
            (Some(format!("text/xml; {line}")), &data[end + 1..])
        }
        _ => (None, data),
    }
}

/// A no-match, and one refusal that differs from input to input.
fn replies(choice: usize) -> impl Iterator<Item = Reply> {
    let count = refusals().count().max(1);
    std::iter::once(reply(Answer::NoMatch)).chain(refusals().nth(choice % count))
}

fn question(call: &SoapCall, body: &[u8]) {
    for reply in replies(body.len()) {
        assert_xml(&render(call, &SYSTEM, &reply).body);
    }
    let text = std::str::from_utf8(body).expect("a question is UTF-8");
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    same_meaning(&call.query, &format!("{text}<!-- end --> \r\n"));
    same_meaning(&call.query, &format!("\n {text}"));
    // White space before the declaration is an old client's habit, which XML does not know.
    match Document::parse(text.trim_start_matches([' ', '\t', '\r', '\n'])) {
        Ok(document) => second_reading(call, &document),
        Err(error) => panic!("accepted what is not well-formed: {error}\n{text}"),
    }
}

/// White space and comments around the document change nothing.
fn same_meaning(query: &Query, text: &str) {
    let again = parse(text.as_bytes(), None, &SYSTEM, TODAY).expect("the same question");
    assert_eq!(again.query.body, query.body, "another digest of the same body");
    assert_eq!(again.query.request_id, query.request_id);
}

/// Another reader finds the same operation and the same values in their elements.
fn second_reading(call: &SoapCall, document: &Document<'_>) {
    let element = |n: &Node<'_, '_>| n.is_element();
    let body = document.root_element().children().filter(element);
    let body = body.filter(|n| n.tag_name().name() == "Body").last().expect("a body");
    let operation = body.children().find(element).expect("an operation");
    let name = operation.tag_name().name();
    assert!(name == call.operation.name() || name == "XacThucThongTinCongDanRequest");
    let query = &call.query;
    let subject = match query.subject.id {
        dancu_domain::ids::SubjectId::Personal(id) => ("SoDinhDanh", id.to_string()),
        dancu_domain::ids::SubjectId::Old(id) => ("SoCMND", id.to_string()),
    };
    let expected = [
        ("MaYeuCau", query.request_id.to_string()),
        ("MaDVC", query.procedure.to_string()),
        subject,
    ];
    for (name, value) in expected {
        let mut found = operation.children().filter(|n| n.tag_name().name() == name);
        let says = |n: Node<'_, '_>| {
            let texts = n.children().filter(Node::is_text).filter_map(|t| t.text());
            texts.collect::<String>().trim() == value
        };
        assert!(found.any(says), "{name} was read from elsewhere");
    }
}
