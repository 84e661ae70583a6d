//! The citizen's pages: one's own data with where each part comes from, and who looked at it. They
//! read like a letter: few words, nothing to click that is not needed.

use askama::Template;

use crate::parts::Refusal;
use crate::shell::Shell;
use crate::text::Text;

/// One's own data.
#[derive(Template)]
#[template(path = "citizen/data.html")]
pub struct Data {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Key of a field's name, value, where it comes from.
    pub facts: Vec<(&'static str, String, String)>,
    /// Why there is nothing to show.
    pub refusal: Option<Refusal>,
}

/// Somebody looked, or asked and was told nothing.
pub struct Look {
    /// `HH:MM dd/mm/yyyy`.
    pub time: String,
    /// Who: the unit.
    pub unit: String,
    /// By which system.
    pub system: String,
    /// Key of the sentence that says what was done; it takes the unit.
    pub key: &'static str,
    /// The service in words.
    pub service: String,
    /// For which purpose, as registered; empty where none was stated.
    pub purpose: String,
    /// For which case file; empty where none was stated.
    pub case_code: String,
    /// Keys of the fields that were told.
    pub fields: Vec<&'static str>,
}

/// Looks of one month.
pub struct Month {
    /// `mm/yyyy`.
    pub name: String,
    /// The newest first.
    pub looks: Vec<Look>,
}

/// Who looked at one's data.
#[derive(Template)]
#[template(path = "citizen/looks.html")]
pub struct Looks {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// The newest first.
    pub months: Vec<Month>,
    /// Looks shown.
    pub count: u64,
    /// Whether there are older ones, which are not shown.
    pub more: bool,
}
