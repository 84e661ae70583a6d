//! REST/JSON of our own: bodies to questions, replies to bodies, refusals to RFC 9457 problems,
//! and the OpenAPI 3.1 document with its reference page.
//!
//! It knows no store and no HTTP library: routes and headers belong to the server.
//!
//! **Invariant:** the structs that are parsed are the structs that are documented. **Invariant:**
//! no error holds the value that caused it. **Invariant:** an ungranted field is absent from an
//! answer, a granted field without data is `null`.
//!
//! To add a field to a body: add its row in `bodies.rs` (parser, digest and document follow), its
//! form in `shapes.rs`, its reader in `fields.rs`, and use it in `parse.rs`.

mod access;
mod accounts;
pub mod batches;
mod bodies;
mod conformance;
mod docs;
mod fields;
mod head;
mod json;
mod openapi;
mod parse;
mod problem;
mod raw;
mod render;
pub(crate) mod results;
pub(crate) mod row;
mod shapes;
mod statements;
mod views;

use dancu_domain::service::Service;

pub use access::{ClockView, Health, OauthError, OauthErrorView, TokenView};
pub use accounts::{
    ACCOUNTS_BODY_MAX, ACCOUNTS_MAX, AccountChangesView, SentAccount, account_error, parse_accounts,
};
pub use conformance::{ConformanceCase, ConformanceView, OtherRefusal, PersonaView};
pub use docs::{docs_css, docs_html, error_html, errors_html};
pub use openapi::openapi;
pub use parse::{parse, parse_clock, parse_from};
pub use problem::{HttpProblem, denied, denied_as, http_problem, input_problem};
pub use render::render;
pub use statements::{StatementRef, StatementsView};
pub use views::{
    AccountLabel, AccountUse, EntryAnswer, EntryDecision, JournalEntryView, JournalPage,
    JournalRef, LineUse, LockView, OffHoursTotal, RefusalView, UsageView, public_reason,
};

/// Largest body of a request, bytes: 64 KiB, a hundred times a question with every claim.
pub const BODY_MAX: usize = 64 * 1024;

/// Media type of answers.
pub const JSON: &str = "application/json";
/// Media type of refusals (RFC 9457).
pub const PROBLEM_JSON: &str = "application/problem+json";

/// The four questions of REST.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Endpoint {
    /// `POST /api/v1/citizens/verify`.
    Verify = 0,
    /// `POST /api/v1/citizens/lookup`.
    Lookup = 1,
    /// `POST /api/v1/households/lookup`.
    Household = 2,
    /// `POST /api/v1/relations/verify`.
    Relation = 3,
}

impl Endpoint {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Verify, Self::Lookup, Self::Household, Self::Relation];

    /// The path of its route.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Verify => "/api/v1/citizens/verify",
            Self::Lookup => "/api/v1/citizens/lookup",
            Self::Household => "/api/v1/households/lookup",
            Self::Relation => "/api/v1/relations/verify",
        }
    }

    /// The service that it uses.
    pub const fn service(self) -> Service {
        match self {
            Self::Verify => Service::CitizenVerify,
            Self::Lookup => Service::CitizenLookup,
            Self::Household => Service::HouseholdLookup,
            Self::Relation => Service::RelationVerify,
        }
    }
}

/// A finished answer: what the server puts into its HTTP response.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
    /// `Retry-After`, seconds, where one applies.
    pub retry_after: Option<u32>,
    /// `WWW-Authenticate`, on 401 only.
    pub www_authenticate: Option<&'static str>,
}

/// Answers hold personal data: debug output never shows them.
impl std::fmt::Debug for Rendered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rendered({}, {}, {} bytes)", self.status, self.content_type, self.body.len())
    }
}

impl Rendered {
    /// 200 with a JSON body.
    pub(crate) fn ok(body: String) -> Self {
        Self::json(200, body)
    }

    /// A JSON body under any status.
    pub fn json(status: u16, body: String) -> Self {
        Self { status, content_type: JSON, body, retry_after: None, www_authenticate: None }
    }
}
