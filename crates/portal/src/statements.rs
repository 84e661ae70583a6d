//! Monthly statements (rule A7), as they are listed for the unit and for the centre.

use askama::Template;

use crate::parts::Choice;
use crate::shell::Shell;
use crate::text::Text;

/// Statements of a system.
#[derive(Template)]
#[template(path = "head/statements.html")]
pub struct Statements {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Whose; none where the unit has no system.
    pub system: Option<String>,
    /// Systems to choose from; empty where there is one, or it was chosen elsewhere.
    pub systems: Vec<Choice>,
    /// The page above, at the centre's desk.
    pub above: Option<String>,
    /// The newest first.
    pub rows: Vec<StatementRow>,
    /// The line by which signatures are checked.
    pub key: String,
}

/// A statement.
pub struct StatementRow {
    /// Its number.
    pub number: String,
    /// `MM/YYYY`.
    pub month: String,
    /// When it was made, `HH:MM dd/mm/yyyy`.
    pub made: String,
    /// Persons that were counted; none where it cannot be read.
    pub persons: u64,
    /// Questions that were refused.
    pub refused: u64,
    /// Locks.
    pub locks: u64,
    /// The number of the one that it replaces.
    pub replaces: Option<String>,
    /// Whether a later one replaces it.
    pub replaced: bool,
    /// Where its files are: the address without `.pdf`, `.json`, `.note`.
    pub href: String,
}
