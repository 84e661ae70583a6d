//! The integrator's desk: credentials of a system, the debugger, and the last calls. The head and
//! the operator see the state and may revoke. No page of it shows anything about a citizen (A6).

use askama::Template;

use crate::parts::{Choice, FieldError, Pager, State};
use crate::shell::Shell;
use crate::text::Text;

/// States of credentials.
pub mod states {
    use crate::parts::State;

    /// Valid.
    pub const VALID: State = State { class: "good", icon: "circle-check", key: "cred-state-valid" };
    /// Valid, and its end is near.
    pub const ENDING: State = State { class: "warn", icon: "clock", key: "cred-state-ending" };
    /// Not valid any more.
    pub const ENDED: State = State { class: "", icon: "minus", key: "cred-state-ended" };
    /// A check that is right.
    pub const RIGHT: State = State { class: "good", icon: "check", key: "dbg-right" };
    /// A check that is wrong.
    pub const WRONG: State = State { class: "bad", icon: "x", key: "dbg-wrong" };
    /// A check that says nothing by itself.
    pub const OPEN: State = State { class: "", icon: "minus", key: "dbg-open" };
}

/// A system in the list.
pub struct SystemRow {
    /// Code.
    pub code: String,
    /// Unit.
    pub unit: String,
    /// State of the connection.
    pub state: State,
    /// How many credentials end soon or have ended.
    pub ending: u64,
    /// The nearest end, `dd/mm/yyyy`; empty where there is none.
    pub end: String,
    /// Its page.
    pub href: String,
}

/// The systems whose credentials the person may see.
#[derive(Template)]
#[template(path = "integrator/systems.html")]
pub struct Systems {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Words searched for.
    pub search: String,
    /// Rows; those with an end that is near come first.
    pub rows: Vec<SystemRow>,
    /// Which part is shown.
    pub pager: Pager,
    /// Whether the person may make test systems here.
    pub sandbox: bool,
}

/// The parts of a system's desk.
pub struct Tabs {
    /// Code of the system.
    pub code: String,
    /// State of the connection.
    pub state: State,
    /// Whether the person may debug.
    pub debug: bool,
    /// Whether systems are told of events here.
    pub hooks: bool,
}

/// A credential; never what it is.
pub struct Credential {
    /// What it is called: its name, or its number.
    pub label: String,
    /// What can be told of it: kind of key, beginning of a fingerprint; empty for secrets.
    pub detail: String,
    /// Registered, `dd/mm/yyyy`; empty where it is not known.
    pub since: String,
    /// Its end, `dd/mm/yyyy`; empty where there is none.
    pub until: String,
    /// Last use, to the hour; empty where there was none.
    pub last: String,
    /// Valid, ending, ended.
    pub state: State,
    /// The page that revokes it; empty where the person may not.
    pub revoke: String,
}

/// Credentials of one kind.
pub struct Group {
    /// Word of the kind: also the anchor.
    pub kind: &'static str,
    /// Key of its heading.
    pub head: &'static str,
    /// What a client names itself by: SOAP user or client_id; empty where there is none.
    pub user: String,
    /// Whether the system is registered for this way to connect.
    pub registered: bool,
    /// Rows.
    pub rows: Vec<Credential>,
}

/// What was typed into the forms.
#[derive(Clone, Default)]
pub struct Typed {
    /// Name of the new secret.
    pub name: String,
    /// A key or certificate.
    pub material: String,
    /// Addresses.
    pub sources: String,
}

/// Credentials of a system.
#[derive(Template)]
#[template(path = "integrator/system.html")]
pub struct System {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Parts of the desk.
    pub tabs: Tabs,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// Key of what was done a moment ago.
    pub told: Option<&'static str>,
    /// What ends soon: its name and the day.
    pub ending: Vec<(String, String)>,
    /// Secrets of SOAP and OAuth, keys, certificates.
    pub groups: Vec<Group>,
    /// Whether a certificate has to be shown: key of the sentence.
    pub mode_key: &'static str,
    /// Networks from which the system calls, as they are registered.
    pub sources: Vec<String>,
    /// Whether the person may issue and change.
    pub manage: bool,
    /// Ways to connect for a new secret.
    pub kinds: Vec<Choice>,
    /// Days for which the secret before stays valid.
    pub overlaps: Vec<Choice>,
    /// What was typed.
    pub typed: Typed,
    /// The last number that was given when this page was drawn.
    pub seen: String,
    /// Token against a doubled post.
    pub once: String,
}

/// A secret, shown this once.
#[derive(Template)]
#[template(path = "integrator/secret.html")]
pub struct Secret {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Code of the system.
    pub code: String,
    /// Key of the kind's heading.
    pub head: &'static str,
    /// SOAP user or client_id.
    pub user: String,
    /// The secret.
    pub secret: String,
    /// Until when the one before is valid, `dd/mm/yyyy`; empty where there was none.
    pub before: String,
}

/// The question before a credential is revoked.
#[derive(Template)]
#[template(path = "integrator/revoke.html")]
pub struct Revoke {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Code of the system.
    pub code: String,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// Word of its kind.
    pub kind: &'static str,
    /// Key of the kind's heading.
    pub head: &'static str,
    /// Its number.
    pub number: String,
    /// What it is called.
    pub label: String,
    /// Last use, to the hour; empty where there was none.
    pub last_use: String,
    /// Whether nobody gets in by this way once it is gone.
    pub is_last: bool,
    /// Reason as typed.
    pub why: String,
}

/// One check of the debugger.
pub struct Check {
    /// Key of what was checked.
    pub key: String,
    /// Right, wrong, open.
    pub state: State,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub got: String,
    /// The sentence on what is probably the matter; empty where there is none.
    pub hint: String,
}

/// What the debugger found.
pub struct Explained {
    /// Key of the way it was read.
    pub way: String,
    /// Whether it would be let in.
    pub admitted: bool,
    /// The checks.
    pub checks: Vec<Check>,
    /// What is wrong with the envelope: field and sentence (in Vietnamese, as systems are told);
    /// none: it was not pasted.
    pub envelope: Option<Vec<(String, String)>>,
}

/// The debugger.
#[derive(Template)]
#[template(path = "integrator/debug.html")]
pub struct Debug {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Parts of the desk.
    pub tabs: Tabs,
    /// What is wrong with the form.
    pub errors: Vec<FieldError>,
    /// Address as typed.
    pub source: String,
    /// What was found; what was pasted is never shown again.
    pub explained: Option<Explained>,
}

/// One of the last calls.
pub struct Call {
    /// `HH:MM:SS dd/mm/yyyy`.
    pub time: String,
    /// SOAP, REST, LGSP, portal.
    pub way: &'static str,
    /// Service in words.
    pub service: String,
    /// Answered, refused, repeated.
    pub state: State,
    /// Why it was refused, in one sentence; empty where it was answered.
    pub reason: String,
    /// What to do; empty where it was answered.
    pub what_to_do: String,
    /// The rule; empty where it was answered.
    pub rule: String,
    /// The caller's request id.
    pub request: String,
    /// Correlation id.
    pub correlation: String,
}

/// Refused sign-ins of one kind and address.
pub struct RefusedSignIn {
    /// Last time.
    pub last: String,
    /// Key of the way.
    pub way: &'static str,
    /// Key of the sentence.
    pub key: &'static str,
    /// Address; empty: several.
    pub source: String,
    /// How often.
    pub count: u64,
    /// How far the clock was off, as `+0:07:00`; empty where it was not seen.
    pub clock: String,
}

/// The last calls, and refused sign-ins of this node.
#[derive(Template)]
#[template(path = "integrator/calls.html")]
pub struct Calls {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Parts of the desk.
    pub tabs: Tabs,
    /// Whether refused ones only are shown.
    pub refused_only: bool,
    /// Calls.
    pub calls: Vec<Call>,
    /// Sign-ins that were refused.
    pub sign_ins: Vec<RefusedSignIn>,
}
