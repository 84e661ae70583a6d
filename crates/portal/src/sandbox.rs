//! The sandbox stage (B3): test systems, conformance runs, and persons for every edge. All of it
//! about synthetic people.

use askama::Template;

use crate::parts::{FieldError, State};
use crate::shell::Shell;
use crate::text::Text;

/// States of cases.
pub mod states {
    use crate::parts::State;

    /// Shown.
    pub const SHOWN: State = State { class: "good", icon: "circle-check", key: "sandbox-shown" };
    /// Still to be shown.
    pub const OPEN: State = State { class: "", icon: "minus", key: "sandbox-open" };
}

/// The test systems of a person.
#[derive(Template)]
#[template(path = "sandbox/tenants.html")]
pub struct Tenants {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// Key of what was done a moment ago.
    pub told: Option<&'static str>,
    /// Codes.
    pub codes: Vec<String>,
    /// Token against a doubled post.
    pub once: String,
}

/// A system that was made, with its secrets, shown this once.
#[derive(Template)]
#[template(path = "sandbox/laid.html")]
pub struct Laid {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Code.
    pub code: String,
    /// User of SOAP and its secret.
    pub soap: (String, String),
    /// Client of OAuth and its secret.
    pub client: (String, String),
    /// Logins: two officers, a system account.
    pub accounts: [String; 3],
    /// The first call, to be copied.
    pub call: String,
}

/// A case of a run.
pub struct Case {
    /// Name.
    pub name: String,
    /// Shown or open.
    pub state: State,
    /// Indexes of its entries; empty: none yet.
    pub entries: String,
    /// What is to be sent; empty once it is shown.
    pub send: String,
}

/// A refusal that no case asked for.
pub struct Other {
    /// Index of its entry.
    pub index: String,
    /// Reason.
    pub reason: String,
    /// What to do, in Vietnamese, as systems are told.
    pub what_to_do: String,
    /// Rule.
    pub rule: &'static str,
}

/// A conformance run, or the form that begins one.
#[derive(Template)]
#[template(path = "sandbox/run.html")]
pub struct Run {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Code of the system.
    pub code: String,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// Client software as typed.
    pub client: String,
    /// Code of the system that it is for, as typed.
    pub system: String,
    /// The run.
    pub run: Option<Shown>,
}

/// A run as it stands.
pub struct Shown {
    /// `KT-<index>`.
    pub number: String,
    /// Client software.
    pub client: String,
    /// Code of the system that it is for; empty: none was stated.
    pub for_system: String,
    /// Number of the dossier whose step the report closed; empty: of none.
    pub closed: String,
    /// Minutes that are left.
    pub minutes: i64,
    /// How many cases are shown, and how many there are.
    pub passed: (u64, u64),
    /// The cases.
    pub cases: Vec<Case>,
    /// Refusals that no case asked for.
    pub others: Vec<Other>,
    /// The signed report; empty before every case is shown.
    pub signed: String,
}

/// A persona with its samples.
pub struct Persona {
    /// Name.
    pub name: &'static str,
    /// What comes back.
    pub expect: &'static str,
    /// Số định danh.
    pub personal_id: String,
    /// Số CMND; empty: none.
    pub old_id: String,
    /// Name of the person.
    pub full_name: String,
    /// `YYYY-MM-DD` or `YYYY`.
    pub birth: String,
    /// Body of a verification by REST.
    pub rest: String,
    /// Envelope of one by SOAP.
    pub soap: String,
}

/// Persons, accounts and systems for every edge.
#[derive(Template)]
#[template(path = "sandbox/personas.html")]
pub struct Personas {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// The personas.
    pub rows: Vec<Persona>,
}
