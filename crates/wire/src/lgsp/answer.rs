//! Answers and refusals in the registered shape: one adapter per shape.

use dancu_domain::refusal::{Kind, Reason, Text};
use dancu_domain::registration::System;
use dancu_gate::query::{Answer, Denied, FieldError, Reply};
use serde::Serialize;

use super::Shape;
use super::spelled::{CITIZENS, Node, PRECISION, spell};
use crate::rest::{self, HttpProblem, Rendered};
use crate::soap::{self, Operation, SoapCall, SoapUnreadable};

/// The `status` of an answer, beside which refusals have the code of SOAP faults.
const ANSWERED: &str = "000";

/// Writes the reply to a question. `system` is the asker, whose registration may pin the answer
/// of a verification.
pub fn render(shape: Shape, call: &SoapCall, system: &System, reply: &Reply) -> Rendered {
    let soap = soap::render(call, system, reply);
    match &reply.result {
        Ok(answer) => answered(shape, call.operation, answer, &soap.body, reply),
        Err(why) => refused(shape, why, &[], &soap.body, reply, None),
    }
}

/// Writes the refusal of a body that could not be read. `status` stands for that of the HTTP
/// layer (415, 400) where the refusal itself has none of its own.
pub fn refuse(
    shape: Shape,
    unread: &SoapUnreadable,
    reply: &Reply,
    status: Option<u16>,
) -> Rendered {
    let soap = soap::render_unreadable(unread, reply);
    // The gate answers no unreadable question; should it, nothing of the answer is shown.
    let other = Denied::from(unread.unreadable.reason.unwrap_or(Reason::InvalidInput));
    let why = reply.result.as_ref().err().unwrap_or(&other);
    refused(shape, why, &unread.unreadable.errors, &soap.body, reply, status)
}

/// `{"data": …}`; `precision` beside it only where the year alone was compared.
#[derive(Serialize)]
struct DataAnswer<'a> {
    data: &'a Node,
    #[serde(skip_serializing_if = "Option::is_none")]
    precision: Option<&'a Node>,
}

/// A refusal has no `data`, so that nothing in it can be read as an answer.
#[derive(Serialize)]
struct DataRefusal<'a> {
    error: Refused<'a>,
}

/// `{"code","status","correlationId","response":{…}}`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a, T> {
    code: u16,
    status: &'a str,
    correlation_id: &'a str,
    response: T,
}

/// `{"message":"<soap…>"}`.
#[derive(Serialize)]
struct Message<'a> {
    message: &'a str,
}

/// What a refusal says (A3).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Refused<'a> {
    code: &'static str,
    rule_id: &'static str,
    correlation_id: &'a str,
    title_vi: &'static str,
    title: &'static str,
    what_to_do_vi: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: Vec<InputError<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InputError<'a> {
    field: &'a str,
    message_vi: &'a str,
}

fn answered(
    shape: Shape,
    operation: Operation,
    answer: &Answer,
    soap: &str,
    reply: &Reply,
) -> Rendered {
    if shape == Shape::Soap {
        return Rendered::ok(json(&Message { message: soap }));
    }
    // An answer of ours that cannot be spelled back is our fault; `null` would say "no such
    // citizen".
    let internal = || rest::http_problem(HttpProblem::Internal, Some(reply.correlation));
    let Some((name, root)) = spell(soap) else { return internal() };
    if shape == Shape::Data {
        let Some(data) = data(operation, &root) else { return internal() };
        let precision = root.get(PRECISION);
        return Rendered::ok(json(&DataAnswer { data: &data, precision }));
    }
    let members = [Some((name, root)), alive(answer)];
    let response = Node::Object(members.into_iter().flatten().collect());
    let correlation = reply.correlation.to_string();
    Rendered::ok(json(&Envelope {
        code: 200,
        status: ANSWERED,
        correlation_id: &correlation,
        response,
    }))
}

/// A boolean for what is verified; all members of a household; else the one citizen, or `null`.
/// `None`: it is no answer of ours.
fn data(operation: Operation, root: &Node) -> Option<Node> {
    match root.get(CITIZENS) {
        Some(Node::List(citizens)) if operation != Operation::Household => {
            Some(citizens.first().cloned().unwrap_or(Node::Null))
        }
        Some(citizens) => Some(citizens.clone()),
        None => ["tonTai", "khopDuLieu"].iter().find_map(|name| root.get(name).cloned()),
    }
}

/// Whether the citizen is alive stands on every match where it is granted; `null` is missing.
fn alive(answer: &Answer) -> Option<(String, Node)> {
    let Answer::Match { alive: Some(alive), .. } = answer else { return None };
    Some(("conSong".to_owned(), alive.map_or(Node::Null, Node::Bool)))
}

/// `errors` are used where the refusal itself carries none.
fn refused(
    shape: Shape,
    why: &Denied,
    errors: &[FieldError],
    soap: &str,
    reply: &Reply,
    status: Option<u16>,
) -> Rendered {
    let text: Text = why.refusal.reason.text();
    // A refusal of the HTTP layer is journaled as bad input; any other speaks for itself.
    let status = status.filter(|_| text.kind == Kind::Input);
    let status = status.unwrap_or_else(|| text.kind.http_status());
    let errors = match text.kind {
        Kind::Input | Kind::TooLarge | Kind::NotOffered if why.errors.is_empty() => errors,
        _ => &why.errors,
    };
    let correlation = reply.correlation.to_string();
    let refused = Refused {
        code: text.soap_code,
        rule_id: text.rule.code(),
        correlation_id: &correlation,
        title_vi: text.title_vi,
        title: text.title,
        what_to_do_vi: text.what_to_do_vi,
        retry_after: why.refusal.retry_after_s,
        errors: errors
            .iter()
            .map(|e| InputError { field: &e.field, message_vi: &e.message_vi })
            .collect(),
    };
    let body = match shape {
        Shape::Data => json(&DataRefusal { error: refused }),
        Shape::Soap => json(&Message { message: soap }),
        Shape::Envelope => json(&Envelope {
            code: status,
            status: text.soap_code,
            correlation_id: &correlation,
            response: refused,
        }),
    };
    Rendered { retry_after: why.refusal.retry_after_s, ..Rendered::json(status, body) }
}

/// A tree of texts, booleans and numbers always serializes.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use dancu_gate::query::CorrelationId;

    use super::*;

    #[test]
    fn an_answer_that_cannot_be_spelled_back_is_no_missing_citizen() {
        let reply = Reply {
            correlation: CorrelationId([0xab; 16]),
            journal_index: Some(1),
            usage: None,
            result: Ok(Answer::NoMatch),
        };
        let strange = "<e:Envelope><e:Body><X><la>1</la></X></e:Body></e:Envelope>";
        for (shape, soap) in [
            (Shape::Data, "<e:Envelope><e:Body><X"),
            (Shape::Data, strange),
            (Shape::Envelope, "<e:Envelope><e:Body><X"),
        ] {
            let rendered = answered(shape, Operation::Lookup, &Answer::NoMatch, soap, &reply);
            assert_eq!(rendered.status, 500, "{shape:?} {soap}");
            assert!(rendered.body.contains(&"ab".repeat(16)) && !rendered.body.contains("data"));
        }
        let known = "<e:Envelope><e:Body><CongdanCollection/></e:Body></e:Envelope>";
        let rendered = answered(Shape::Data, Operation::Lookup, &Answer::NoMatch, known, &reply);
        assert_eq!((rendered.status, rendered.body.as_str()), (200, "{\"data\":null}"));
    }
}
