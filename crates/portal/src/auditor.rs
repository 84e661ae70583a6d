//! The auditor's desk: a ground first, then a search of the journal.

use askama::Template;

use crate::parts::{Choice, FieldError, State};
use crate::shell::Shell;
use crate::text::Text;

/// One journal entry; what may name a person is masked until it is revealed.
pub struct EntryRow {
    /// Position in the journal.
    pub index: u64,
    /// When.
    pub time: String,
    /// System.
    pub system: String,
    /// Login, masked.
    pub account: String,
    /// Service and purpose in words.
    pub what: String,
    /// Case file.
    pub case_code: String,
    /// Answered, refused.
    pub state: State,
    /// Rule of a refusal.
    pub rule: Option<String>,
}

/// What was masked in one entry: key of its name, value.
pub struct Revealed {
    /// Position in the journal.
    pub index: u64,
    /// Names and values.
    pub facts: Vec<(&'static str, String)>,
}

/// What was found.
pub struct Found {
    /// Rows.
    pub rows: Vec<EntryRow>,
    /// Entries of the auditor's own unit, which are not shown.
    pub withheld: u64,
    /// Carries the search to its next page and to what is revealed.
    pub ticket: String,
    /// Index at which this page begins.
    pub from: u64,
    /// Index at which the next page begins.
    pub next: Option<u64>,
}

/// Search of the journal.
#[derive(Template)]
#[template(path = "auditor/search.html")]
pub struct Search {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// By account, case or subject.
    pub kinds: Vec<Choice>,
    /// What is searched for; a subject's id is never shown again.
    pub term: String,
    /// Ground as stated.
    pub ground: String,
    /// Found; none before a search.
    pub found: Option<Found>,
    /// What was revealed of one of them.
    pub revealed: Option<Revealed>,
    /// Who looks, when: drawn across the page.
    pub mark: String,
}

/// One act of the centre's staff.
pub struct ActRow {
    /// Position in the journal.
    pub index: u64,
    /// When.
    pub time: String,
    /// Who: a login, or the names that were given to the command of the centre's machine.
    pub by: String,
    /// The account of the operating system that ran the command; none for acts of the portal.
    pub account: Option<String>,
    /// What it was, in words.
    pub said: String,
    /// Kind, as the journal names it.
    pub kind: String,
    /// System.
    pub system: String,
    /// What the journal says of it, in words, with the reason.
    pub detail: String,
}

/// Acts of the centre's own staff.
#[derive(Template)]
#[template(path = "auditor/staff.html")]
pub struct Staff {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// Ground as stated.
    pub ground: String,
    /// Found; none before a ground was stated.
    pub rows: Option<Vec<ActRow>>,
    /// Entries of the journal looked through: from, to.
    pub range: (u64, u64),
    /// Where older ones end.
    pub next: Option<u64>,
    /// Who looks, when: drawn across the page.
    pub mark: String,
}
