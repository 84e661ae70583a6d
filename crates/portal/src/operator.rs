//! The desk of the centre's operators: systems, lines, exceedances, locks, raises, announcements.

use askama::Template;

use crate::chart::DayChart;
use crate::parts::{Choice, FieldError, LineUse, Pager, SavedView, State};
use crate::shell::Shell;
use crate::text::Text;

/// A connected system in the list.
pub struct SystemRow {
    /// Code.
    pub code: String,
    /// Unit.
    pub unit: String,
    /// Group of rule A1.
    pub group: u8,
    /// State of the connection.
    pub state: State,
    /// Answered today.
    pub answered: u64,
    /// Refused today.
    pub refused: u64,
    /// Exceedances today.
    pub exceedances: u64,
    /// Locks that stand.
    pub locks: u64,
    /// Its page.
    pub href: String,
}

/// Connected systems.
#[derive(Template)]
#[template(path = "operator/systems.html")]
pub struct Systems {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Saved views.
    pub views: Vec<SavedView>,
    /// Words searched for.
    pub search: String,
    /// States to filter by.
    pub states: Vec<Choice>,
    /// Rows.
    pub rows: Vec<SystemRow>,
    /// Sum of answers.
    pub answered: u64,
    /// Sum of refusals.
    pub refused: u64,
    /// Which part is shown.
    pub pager: Pager,
}

/// Lines of one system, with the chart of the day.
#[derive(Template)]
#[template(path = "operator/lines.html")]
pub struct Lines {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Code.
    pub system: String,
    /// Unit.
    pub unit: String,
    /// State.
    pub state: State,
    /// Officer in charge and phone.
    pub contact: String,
    /// Chart.
    pub chart: DayChart,
    /// Lines.
    pub lines: Vec<LineUse>,
    /// Used of the off-hours total.
    pub night_used: u64,
    /// Its cap (rule D4).
    pub night_cap: u64,
}

/// One exceedance (rule D3).
pub struct Exceedance {
    /// When, `HH:MM`.
    pub time: String,
    /// System.
    pub system: String,
    /// Service.
    pub service: String,
    /// First or second of the day.
    pub number: u64,
    /// Registered.
    pub registered: u64,
    /// Refused since.
    pub refused: u64,
    /// Officer who sent most, by login.
    pub most: String,
    /// Told, locked, raised.
    pub state: State,
    /// Its page.
    pub href: String,
}

/// Exceedances of a day.
#[derive(Template)]
#[template(path = "operator/exceedances.html")]
pub struct Exceedances {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Duty day.
    pub duty_day: String,
    /// Rows.
    pub rows: Vec<Exceedance>,
}

/// One lock in a list.
pub struct LockRow {
    /// Number.
    pub number: u64,
    /// Since, `HH:MM dd/mm`.
    pub since: String,
    /// Key of what it locks: line, account, connection.
    pub scope_key: &'static str,
    /// What it locks.
    pub what: String,
    /// Rule.
    pub rule: String,
    /// Evidence in one sentence.
    pub evidence: String,
    /// Appealed: minutes left of the 15 or the 2 hours (rule D6), in words.
    pub appeal: Option<String>,
    /// Its page.
    pub href: String,
}

/// Locks that stand; also the form of the bulk unlock.
#[derive(Template)]
#[template(path = "operator/locks.html")]
pub struct Locks {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Rows, appeals first.
    pub rows: Vec<LockRow>,
    /// What is wrong with the bulk unlock.
    pub errors: Vec<FieldError>,
}

/// One lock with its evidence and the unlock form.
#[derive(Template)]
#[template(path = "operator/lock.html")]
pub struct LockPage {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// The lock.
    pub lock: LockRow,
    /// Who was told, when.
    pub told: Vec<(String, String)>,
    /// Measured, against expected: key, measured, expected.
    pub measured: Vec<(&'static str, String, String)>,
    /// The queries behind it.
    pub queries_href: String,
    /// How many.
    pub queries: u64,
    /// The appeal in the unit's words.
    pub appeal: Option<(String, String, String)>,
    /// Chart.
    pub chart: DayChart,
    /// Whether the second factor has to be given again.
    pub fresh_factor: bool,
}

/// A raise asked for.
pub struct RaiseRow {
    /// Number.
    pub number: u64,
    /// System.
    pub system: String,
    /// Service and window in words.
    pub line: String,
    /// Registered.
    pub registered: u64,
    /// Asked for.
    pub wanted: u64,
    /// Period in words.
    pub period: String,
    /// Reason.
    pub reason: String,
    /// Who asked, when.
    pub asked: String,
    /// Whether two approvers are needed (above 2×).
    pub two: bool,
    /// The first approver's name, when one has approved.
    pub first: Option<String>,
}

/// Raises that wait.
#[derive(Template)]
#[template(path = "operator/raises.html")]
pub struct Raises {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Rows.
    pub rows: Vec<RaiseRow>,
}

/// An announcement or maintenance window.
pub struct Announcement {
    /// Heading.
    pub heading: String,
    /// Text.
    pub text: String,
    /// Period in words.
    pub period: String,
    /// Running, planned, over.
    pub state: State,
}

/// Announcements with the form for a new one.
#[derive(Template)]
#[template(path = "operator/announcements.html")]
pub struct Announcements {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// Rows.
    pub rows: Vec<Announcement>,
}

/// A part of the service on the public status page.
pub struct Part {
    /// Key of its name.
    pub key: &'static str,
    /// State.
    pub state: State,
    /// Answers within the promised time in the last 24 hours, in words.
    pub figure: String,
}

/// Status, open to everybody.
#[derive(Template)]
#[template(path = "operator/status.html")]
pub struct Status {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Parts.
    pub parts: Vec<Part>,
    /// Whether all is well.
    pub all_well: bool,
    /// Running and planned announcements.
    pub news: Vec<Announcement>,
}
