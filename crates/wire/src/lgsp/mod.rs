//! Provincial JSON (LGSP): the SOAP operations as JSON bodies behind a bearer token.
//!
//! It is a spelling, not a second set of rules: a body is spelled as the SOAP operation of its
//! path and read by [`crate::soap::parse`], an answer is written by [`crate::soap::render`] and
//! spelled back. So both facades ask, decide and answer alike, whatever becomes of an operation.
//!
//! The answer is wrapped in the shape that the system is registered with ([`Shape`]): one
//! adapter per shape. What was seen in the field and what is ours stands in `docs/lgsp.md`.
//!
//! To add a field: a row in `members.rs` (the reader and the OpenAPI document follow). To add a
//! shape: a variant here, its adapter in `answer.rs`, its schema in the OpenAPI document.

mod answer;
mod json;
pub(crate) mod members;
mod parse;
mod spelled;

use dancu_domain::refusal::Reason;
use dancu_gate::query::{FieldError, Unreadable};

use crate::soap::{Operation, SoapUnreadable};

pub use answer::{refuse, render};
pub use parse::parse;

/// Where the operations stand; `{operation}` is the SOAP operation in camelCase.
pub const PATH: &str = "/lgsp/v1/{operation}";

/// The form of an answer, by the name that stands in the system's registration.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Shape {
    /// `{"data": …}`: a boolean for what is verified, the citizen for what is looked up.
    Data,
    /// `{"code","status","correlationId","response":{…}}`.
    Envelope,
    /// `{"message":"<soap…>"}`: the SOAP answer as a text.
    Soap,
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Data, Self::Envelope, Self::Soap];

    /// The name in registrations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Envelope => "envelope",
            Self::Soap => "soap",
        }
    }

    /// From the name in a registration; `None` for none and for one that is not known.
    pub fn of(registered: Option<&str>) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| Some(shape.name()) == registered)
    }
}

/// The name of an operation in the path.
pub fn path_name(operation: Operation) -> String {
    spelled::lower_first(operation.name())
}

/// The operation of a path, offered or not; its SOAP element with a capital is taken as well.
pub fn operation(name: &str) -> Option<Operation> {
    Operation::from_name(&spelled::upper_first(name))
}

/// The refusal of a system that is registered without a shape, or with one that this program does
/// not know: its dossier does not describe the connection (B1). Nothing of its body is read.
pub fn no_shape(operation_name: &str) -> Unreadable {
    let message = "Hệ thống chưa đăng ký dạng trả lời cho giao diện JSON này (data, envelope hoặc \
                   soap); dùng SOAP hay REST, hoặc bổ sung vào hồ sơ kết nối.";
    Unreadable {
        reason: Some(Reason::ShapeNotRegistered),
        service: operation(operation_name).map(Operation::service),
        ..unreadable("lgsp.shape", message)
    }
}

/// A body that is not read at all: too large, of another type, or broken off.
pub fn unread(
    operation_name: &str,
    field: &str,
    message_vi: &str,
    reason: Option<Reason>,
) -> SoapUnreadable {
    let operation = operation(operation_name);
    let service = operation.map(Operation::service);
    let unreadable = Unreadable { reason, service, ..unreadable(field, message_vi) };
    SoapUnreadable { unreadable, operation, echo: None }
}

fn unreadable(field: &str, message_vi: &str) -> Unreadable {
    let error = FieldError { field: field.to_owned(), message_vi: message_vi.to_owned() };
    Unreadable { errors: vec![error], ..Unreadable::default() }
}
