//! SOAP 1.1: the service that existing agency software calls.
//!
//! [`parse`] reads one envelope in one pass and gives a [`SoapCall`] or everything that is wrong
//! with it; [`render`] writes the answer in exactly the shape known clients read. The WSDL and
//! its schemas are ours; every answer is valid against them.

mod answer;
mod ask;
mod chars;
mod envelope;
mod fault;
mod infoset;
mod input;
mod jobs;
mod markup;
mod operation;
mod parse;
mod scope;
mod slots;
mod wsdl;

use dancu_domain::refusal::Reason;
use dancu_domain::registration::System;
use dancu_domain::service::Service;
use dancu_gate::query::{CorrelationId, Denied, FieldError, Query, Reply, Unreadable};

pub use jobs::{
    FILE_RECORDS_MAX, JOBS_MAX, JobAnswer, JobAsk, JobCall, JobOperation, Paging, RECORDS_MAX,
    parse_job, render_job, render_job_denied,
};
pub use operation::Operation;
pub use parse::{Reading, parse};
pub use wsdl::{schema, wsdl};

/// The namespace of SOAP 1.1 envelopes.
pub const NS_SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// The namespace of requests, of TonTai and of fault details.
pub const NS_REQUEST: &str = "http://dancuquocgia.bca";
/// The request namespace that some old clients send.
pub const NS_REQUEST_OLD: &str = "http://gtel.vn/qldc";
/// The namespace of answers, prefix `ns1`.
pub const NS_ANSWER: &str = "http://www.mic.gov.vn/dancu/1.0";
/// The content type of every answer.
pub const CONTENT_TYPE: &str = "text/xml; charset=utf-8";

/// A question as read from an envelope.
#[derive(Clone, Debug)]
pub struct SoapCall {
    /// The element under soap:Body.
    pub operation: Operation,
    /// What is asked.
    pub query: Query,
    /// X-Road headers to send back.
    pub echo: Option<XRoadEcho>,
}

/// An envelope that gave no question.
#[derive(Clone, Debug)]
pub struct SoapUnreadable {
    /// What is wrong, and what could be read for the journal.
    pub unreadable: Unreadable,
    /// The operation, where known.
    pub operation: Option<Operation>,
    /// X-Road headers to send back, where they could be read.
    pub echo: Option<XRoadEcho>,
}

impl SoapUnreadable {
    /// A body over the limit, which is not read at all.
    pub fn too_large() -> Self {
        let errors = vec![FieldError {
            field: "Envelope".to_owned(),
            message_vi: "Nội dung yêu cầu vượt quá 64 KiB.".to_owned(),
        }];
        let unreadable =
            Unreadable { errors, reason: Some(Reason::TooLarge), ..Unreadable::default() };
        Self { unreadable, operation: None, echo: None }
    }

    /// The service that was asked, where known.
    pub fn service(&self) -> Option<Service> {
        self.operation.map(Operation::service)
    }
}

/// The X-Road headers of a request as one soap:Header element, unchanged and with every namespace
/// declaration that was in scope.
#[derive(Clone, PartialEq, Eq)]
pub struct XRoadEcho(String);

/// `userId` may be personal data: debug output never shows it.
impl std::fmt::Debug for XRoadEcho {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("XRoadEcho(***)")
    }
}

/// An answer as it goes out, with [`CONTENT_TYPE`].
#[derive(Clone, PartialEq, Eq)]
pub struct SoapAnswer {
    /// HTTP status: 200, 401 (not authenticated), 413 (too large) or 500 (any other fault).
    pub status: u16,
    /// The envelope.
    pub body: String,
}

/// Bodies hold personal data: debug output never shows them.
impl std::fmt::Debug for SoapAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SoapAnswer({}, {} bytes)", self.status, self.body.len())
    }
}

/// Writes the reply to a question. `system` is the asker, whose registration may pin a shape.
pub fn render(call: &SoapCall, system: &System, reply: &Reply) -> SoapAnswer {
    match &reply.result {
        Ok(found) => answer::render(call, system, found),
        Err(denied) => fault::refused(denied, &[], &reply.correlation, call.echo.as_ref()),
    }
}

/// Writes the refusal of an envelope that could not be read.
pub fn render_unreadable(unread: &SoapUnreadable, reply: &Reply) -> SoapAnswer {
    let errors = &unread.unreadable.errors;
    // The gate answers no unreadable question; should it, nothing of the answer is shown.
    let reason = unread.unreadable.reason.unwrap_or(Reason::InvalidInput);
    let other = Denied::from(reason);
    let denied = reply.result.as_ref().err().unwrap_or(&other);
    fault::refused(denied, errors, &reply.correlation, unread.echo.as_ref())
}

/// HTTP 401 with a Fault that tells nothing but `message_vi`.
pub fn unauthenticated(message_vi: &str, correlation: Option<&CorrelationId>) -> SoapAnswer {
    fault::unauthenticated(message_vi, correlation)
}

/// The fault of a refusal, as the reference pages show it.
pub(crate) fn example_fault(why: &Denied, correlation: &CorrelationId) -> String {
    fault::refused(why, &[], correlation, None).body
}
