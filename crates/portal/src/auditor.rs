//! The auditor's desk: a ground first, then a search of the journal.

use askama::Template;

use crate::parts::{Choice, FieldError, Pager, State};
use crate::shell::Shell;
use crate::text::Text;

/// One journal entry, without personal data of the person asked about.
pub struct EntryRow {
    /// Position in the journal.
    pub index: u64,
    /// When.
    pub time: String,
    /// System.
    pub system: String,
    /// Login.
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

/// Search of the journal; also the list of the centre's own staff.
#[derive(Template)]
#[template(path = "auditor/search.html")]
pub struct Search {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// Whether the list is that of the centre's own staff.
    pub staff: bool,
    /// By account, case or subject.
    pub kinds: Vec<Choice>,
    /// What is searched for; a subject's id is never shown again.
    pub term: String,
    /// Ground as stated.
    pub ground: String,
    /// Found; none before a search.
    pub rows: Option<Vec<EntryRow>>,
    /// Which part is shown.
    pub pager: Pager,
}
