//! Papers of the unit (rules B2, B5, B6, B7), as they are offered.

use askama::Template;

use crate::shell::Shell;
use crate::text::Text;

/// Papers of the unit (B2), filled from what is registered.
#[derive(Template)]
#[template(path = "head/papers.html")]
pub struct Papers {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Of the unit.
    pub unit: Vec<Paper>,
    /// Of its systems.
    pub systems: Vec<SystemPapers>,
}

/// Papers of a system.
pub struct SystemPapers {
    /// System code.
    pub system: String,
    /// Papers.
    pub rows: Vec<Paper>,
    /// Spreadsheets in the layout of the forms.
    pub sheets: Vec<Spreadsheet>,
}

/// A spreadsheet that can be had.
pub struct Spreadsheet {
    /// Key of its words.
    pub key: &'static str,
    /// Where it is.
    pub href: String,
    /// Whose layout, in words.
    pub edition: String,
}

/// A paper that can be had.
pub struct Paper {
    /// In words.
    pub name: String,
    /// Where it is.
    pub href: String,
    /// Whose wording, in words.
    pub edition: String,
    /// What it cites that is in force no more, a sentence each.
    pub expired: Vec<String>,
    /// Which of several files: the numbers of officers.
    pub part: Option<String>,
}
