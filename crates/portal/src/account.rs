//! My account: factors, sessions, history, password.

use askama::Template;

use crate::parts::{FieldError, State};
use crate::shell::Shell;
use crate::text::Text;

/// A factor of the person.
pub struct Factor {
    /// Icon of the sprite.
    pub icon: &'static str,
    /// Key of its kind.
    pub key: &'static str,
    /// Name given by the person.
    pub name: String,
    /// Enrolled, `dd/mm/yyyy`.
    pub since: String,
    /// Last used.
    pub last: String,
    /// Id for the form that removes it.
    pub id: String,
}

/// Factors.
#[derive(Template)]
#[template(path = "account/factors.html")]
pub struct Factors {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Rows.
    pub rows: Vec<Factor>,
    /// Recovery codes left.
    pub codes_left: u64,
    /// What is wrong with the last act.
    pub errors: Vec<FieldError>,
}

/// A device on which one second factor a working day is enough (rule E2).
pub struct Device {
    /// Browser and system in words.
    pub name: String,
    /// When somebody last signed in on it.
    pub used: String,
    /// Whether it is this one.
    pub here: bool,
    /// Id for the form that forgets it.
    pub id: String,
}

/// A session.
pub struct Session {
    /// Browser and system in words.
    pub device: String,
    /// Network in words.
    pub place: String,
    /// Signed in.
    pub since: String,
    /// Last act.
    pub last: String,
    /// Whether it is the one in use.
    pub current: bool,
    /// Id for the form that ends it.
    pub id: String,
}

/// Sessions and enrolled devices.
#[derive(Template)]
#[template(path = "account/sessions.html")]
pub struct Sessions {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Rows.
    pub rows: Vec<Session>,
    /// Devices that are remembered.
    pub devices: Vec<Device>,
}

/// An event of the account.
pub struct Event {
    /// When.
    pub time: String,
    /// Key of what.
    pub key: &'static str,
    /// Device and network in words, at most a line.
    pub place: String,
    /// State.
    pub state: State,
}

/// History.
#[derive(Template)]
#[template(path = "account/history.html")]
pub struct History {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Rows, newest first.
    pub rows: Vec<Event>,
}
