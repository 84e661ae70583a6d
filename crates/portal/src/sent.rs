//! Account lists that the unit's systems sent (rule B6), for the head to approve.

use askama::Template;

use crate::parts::{Choice, FieldError, State};
use crate::shell::Shell;
use crate::text::Text;

/// A row of the difference.
pub struct SentRow {
    /// Name of its box: `row`, or `gone` of who is missing.
    pub field: &'static str,
    /// Number of the row, or of the account.
    pub value: String,
    /// Whether it is ticked.
    pub chosen: bool,
    /// Full name.
    pub name: String,
    /// Login.
    pub login: String,
    /// Role as sent.
    pub role: String,
    /// Daily count.
    pub daily: String,
    /// Purpose as sent.
    pub purpose: String,
    /// Added, changed, revoked, wrong.
    pub change: State,
}

/// A list that waits.
pub struct SentList {
    /// Its number.
    pub number: i64,
    /// System code.
    pub system: String,
    /// When it came.
    pub sent: String,
    /// Digest of the list that it was compared with.
    pub over: String,
    /// How many accounts would be added.
    pub added: u64,
    /// Changed.
    pub changed: u64,
    /// Revoked.
    pub missing: u64,
    /// Left as they are.
    pub same: u64,
    /// Rows that cannot be carried out any more.
    pub wrong: u64,
    /// Rows that are not shown.
    pub more: u64,
    /// Whether most officers would be revoked.
    pub takes_most: bool,
    /// Whether that was confirmed already.
    pub most: bool,
    /// Functions of accounts that are added (rule E1).
    pub services: Vec<Choice>,
    /// What differs.
    pub rows: Vec<SentRow>,
}

/// Lists of the unit's systems that wait.
#[derive(Template)]
#[template(path = "head/sent.html")]
pub struct Sent {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// The lists.
    pub lists: Vec<SentList>,
    /// Key of what was done a moment ago.
    pub told: Option<&'static str>,
}
