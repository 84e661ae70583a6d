//! Faults: what callers are told when they are told no answer.

use dancu_domain::refusal::Kind;
use dancu_gate::query::{CorrelationId, Denied, FieldError};

use super::answer::Xml;
use super::chars::push_escaped;
use super::{NS_REQUEST, SoapAnswer, XRoadEcho};

/// Input errors that are repeated in the faultstring, which is all that many clients log.
const MAX_SPOKEN: usize = 3;

/// The facade code of failed authentication: ours.
const NOT_AUTHENTICATED: &str = "001";

/// What the detail of a fault says.
struct Detail<'a> {
    code: &'a str,
    rule: Option<&'a str>,
    correlation: Option<&'a CorrelationId>,
    title_vi: &'a str,
    title: &'a str,
    what_to_do_vi: Option<&'a str>,
    retry_after_s: Option<u32>,
    errors: &'a [FieldError],
}

/// A refusal. `errors` are used where the refusal itself carries none.
pub(super) fn refused(
    denied: &Denied,
    errors: &[FieldError],
    correlation: &CorrelationId,
    echo: Option<&XRoadEcho>,
) -> SoapAnswer {
    let text = denied.refusal.reason.text();
    let errors = match text.kind {
        Kind::Input | Kind::TooLarge | Kind::NotOffered if denied.errors.is_empty() => errors,
        _ => &denied.errors,
    };
    let detail = Detail {
        code: text.soap_code,
        rule: Some(text.rule.code()),
        correlation: Some(correlation),
        title_vi: text.title_vi,
        title: text.title,
        what_to_do_vi: Some(text.what_to_do_vi),
        retry_after_s: denied.refusal.retry_after_s,
        errors,
    };
    // Nothing is wrong with a question that could not be journaled.
    let side = if text.kind == Kind::Unavailable { "Server" } else { "Client" };
    let status = if text.kind == Kind::TooLarge { 413 } else { 500 };
    SoapAnswer { status, body: write(side, &detail, echo) }
}

/// HTTP 401. It names no rule: there is no system yet whose rights could be looked at.
pub(super) fn unauthenticated(message_vi: &str, correlation: Option<&CorrelationId>) -> SoapAnswer {
    let detail = Detail {
        code: NOT_AUTHENTICATED,
        rule: None,
        correlation,
        title_vi: message_vi,
        title: "The system could not be authenticated.",
        what_to_do_vi: None,
        retry_after_s: None,
        errors: &[],
    };
    SoapAnswer { status: 401, body: write("Client", &detail, None) }
}

fn write(side: &str, detail: &Detail<'_>, echo: Option<&XRoadEcho>) -> String {
    let mut xml = Xml::new(1536, echo);
    let out = &mut xml.out;
    out.push_str("<soapenv:Fault><faultcode>soapenv:");
    out.push_str(side);
    out.push_str("</faultcode><faultstring>");
    push_escaped(out, detail.title_vi);
    if let Some(todo) = detail.what_to_do_vi {
        out.push(' ');
        push_escaped(out, todo);
    }
    for error in detail.errors.iter().take(MAX_SPOKEN) {
        out.push(' ');
        push_escaped(out, &error.field);
        out.push_str(": ");
        push_escaped(out, &error.message_vi);
    }
    out.push_str("</faultstring><detail><dc:dancuFault xmlns:dc=\"");
    out.push_str(NS_REQUEST);
    out.push_str("\">");
    push(out, "code", detail.code);
    if let Some(rule) = detail.rule {
        push(out, "ruleId", rule);
    }
    if let Some(correlation) = detail.correlation {
        push(out, "correlationId", &correlation.to_string());
    }
    push(out, "titleVi", detail.title_vi);
    push(out, "title", detail.title);
    if let Some(todo) = detail.what_to_do_vi {
        push(out, "whatToDoVi", todo);
    }
    if let Some(seconds) = detail.retry_after_s {
        push(out, "retryAfter", &seconds.to_string());
    }
    if !detail.errors.is_empty() {
        out.push_str("<dc:errors>");
        for error in detail.errors {
            out.push_str("<dc:error>");
            push(out, "field", &error.field);
            push(out, "messageVi", &error.message_vi);
            out.push_str("</dc:error>");
        }
        out.push_str("</dc:errors>");
    }
    out.push_str("</dc:dancuFault></detail></soapenv:Fault>");
    xml.finish()
}

fn push(out: &mut String, name: &str, text: &str) {
    out.push_str("<dc:");
    out.push_str(name);
    out.push('>');
    push_escaped(out, text);
    out.push_str("</dc:");
    out.push_str(name);
    out.push('>');
}
