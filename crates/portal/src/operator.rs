//! The desk of the centre's operators: systems, lines, exceedances, locks, raises, announcements.

use askama::Template;

use crate::chart::DayChart;
use crate::parts::{Choice, FieldError, LineUse, Pager, SavedView, State};
use crate::shell::Shell;
use crate::text::Text;

/// States that only this desk shows.
pub mod states {
    use crate::parts::State;

    /// An appeal that waits.
    pub const APPEALED: State = State { class: "info", icon: "clock", key: "appeal-waiting" };
    /// An appeal of which a step is late.
    pub const LATE: State = State { class: "bad", icon: "clock", key: "appeal-late" };

    /// A line was exceeded and is still open.
    pub const EXCEEDED: State =
        State { class: "warn", icon: "triangle-alert", key: "state-exceeded" };
    /// A connection that is not live yet.
    pub const PREPARING: State = State { class: "info", icon: "clock", key: "state-preparing" };
    /// A connection that was closed for good.
    pub const CLOSED: State = State { class: "", icon: "ban", key: "state-closed" };
    /// An announcement that runs.
    pub const RUNNING: State = State { class: "info", icon: "megaphone", key: "state-running" };
    /// Maintenance that runs.
    pub const MAINTAINED: State = State { class: "warn", icon: "clock", key: "state-maintenance" };
    /// An incident that lasts.
    pub const INCIDENT: State =
        State { class: "bad", icon: "triangle-alert", key: "state-incident" };
    /// Announced for later.
    pub const PLANNED: State = State { class: "info", icon: "clock", key: "state-planned" };
}

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
    /// When the duty day began, `HH:MM` (D1).
    pub from: String,
    /// Up to when today is counted, `HH:MM`, where the count is behind.
    pub until: Option<String>,
    /// Which part is shown.
    pub pager: Pager,
}

/// Lines of one system, with the chart of the day and the forms that lock at once.
#[derive(Template)]
#[template(path = "operator/lines.html")]
pub struct Lines {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong with a lock.
    pub errors: Vec<FieldError>,
    /// Code.
    pub system: String,
    /// Unit.
    pub unit: String,
    /// State.
    pub state: State,
    /// The heads of the unit with their phones; empty where none has an account.
    pub contact: String,
    /// Chart.
    pub chart: DayChart,
    /// Up to when today is counted, `HH:MM`, where the count is behind.
    pub until: Option<String>,
    /// Lines.
    pub lines: Vec<LineUse>,
    /// Used of the off-hours total.
    pub night_used: u64,
    /// Its cap (rule D4).
    pub night_cap: u64,
    /// Whether this person may lock.
    pub may_lock: bool,
    /// Whether the connection may be locked: it is live.
    pub live: bool,
    /// Login as typed.
    pub login: String,
    /// Reason as typed.
    pub reason: String,
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
    /// Refused for the count since the last unlock.
    pub refused: u64,
    /// Account that asked most today, by login.
    pub most: String,
    /// Exceeded, locked, raised.
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
    /// The system that the list is narrowed to.
    pub system: Option<String>,
    /// Rows.
    pub rows: Vec<Exceedance>,
}

/// One lock in a list.
pub struct LockRow {
    /// Its name in forms and addresses.
    pub key: String,
    /// Since, `HH:MM dd/mm/yyyy`; none where nothing tells it.
    pub since: Option<String>,
    /// When it ends by itself, `HH:MM dd/mm/yyyy`.
    pub until: Option<String>,
    /// Key of what it locks: line, account, connection, person.
    pub scope_key: &'static str,
    /// What it locks.
    pub what: String,
    /// Rule.
    pub rule: &'static str,
    /// An appeal against it that waits, or is late, and until when its next step is due.
    pub appeal: Option<(State, String)>,
    /// Evidence in one sentence.
    pub evidence: String,
    /// Its page.
    pub href: String,
}

/// Locks that stand; also the forms of the bulk unlock and of a lock at once.
#[derive(Template)]
#[template(path = "operator/locks.html")]
pub struct Locks {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What the post before led to.
    pub said: Option<Said>,
    /// Rows.
    pub rows: Vec<LockRow>,
    /// The system that the list is narrowed to.
    pub system: Option<String>,
    /// Whether this person may unlock.
    pub may_unlock: bool,
    /// Whether this person may lock.
    pub may_lock: bool,
    /// What is wrong with the bulk unlock or the lock at once.
    pub errors: Vec<FieldError>,
    /// Reason of the bulk unlock as typed.
    pub reason: String,
    /// Login to be locked as typed.
    pub login: String,
    /// Reason of that lock as typed.
    pub why: String,
}

/// A named act that led to a lock, or came after it.
pub struct LockAct {
    /// When.
    pub time: String,
    /// Who.
    pub by: String,
    /// What was done, in words.
    pub what: String,
    /// Why, where that was told.
    pub reason: Option<String>,
    /// Index of its journal entry.
    pub index: u64,
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
    /// The system, and its page.
    pub system: Option<(String, String)>,
    /// Measured, against what is registered or allowed: key, measured, expected.
    pub measured: Vec<(&'static str, String, String)>,
    /// The act that the lock began with, or the last one on a line.
    pub act: Option<LockAct>,
    /// The heads of the unit with their phones, who are to be told by telephone; empty where none
    /// is known. None for what belongs to no system.
    pub heads: Option<String>,
    /// Chart of the system's day, where the whole connection is locked.
    pub chart: Option<DayChart>,
    /// Whether this person may unlock.
    pub may_unlock: bool,
    /// Reason as typed.
    pub reason: String,
    /// What was done a moment ago.
    pub told: Option<&'static str>,
    /// The last appeal against it.
    pub appeal: Option<AppealNote>,
    /// Whether the reader may appeal: the head of the unit, while none waits.
    pub may_appeal: bool,
    /// What was typed as an appeal.
    pub words: String,
    /// Why the lock stays, as typed.
    pub keep_why: String,
    /// Against sending twice.
    pub once: String,
}

/// An appeal against a lock (D6).
pub struct AppealNote {
    /// What the head says.
    pub words: String,
    /// Key of a label and a time.
    pub clocks: Vec<(&'static str, String)>,
    /// Whether its next step is late.
    pub late: bool,
    /// How it ended: key of what was decided, and why.
    pub answer: Option<(&'static str, String)>,
    /// Whether the reader may acknowledge it.
    pub may_acknowledge: bool,
    /// Whether the reader may answer it.
    pub may_decide: bool,
}

/// A raise asked for.
pub struct RaiseRow {
    /// Number.
    pub number: i64,
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
    /// Whether this person may decide it: neither who asked nor the first approver.
    pub mine: bool,
}

/// What a post led to.
pub struct Said {
    /// A finished sentence.
    pub sentence: String,
    /// Whether all of it was done.
    pub done: bool,
}

impl Said {
    /// All was done.
    pub const fn done(sentence: String) -> Self {
        Self { sentence, done: true }
    }

    /// Nothing was, or not all.
    pub const fn not_all(sentence: String) -> Self {
        Self { sentence, done: false }
    }
}

/// Raises that wait.
#[derive(Template)]
#[template(path = "operator/raises.html")]
pub struct Raises {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What the post before led to.
    pub said: Option<Said>,
    /// What is wrong with a decision.
    pub errors: Vec<FieldError>,
    /// Rows.
    pub rows: Vec<RaiseRow>,
}

/// An announcement or maintenance window.
pub struct Announcement {
    /// Heading.
    pub heading: String,
    /// Lines of its text.
    pub lines: Vec<String>,
    /// Period in words.
    pub period: String,
    /// Running, planned, over.
    pub state: State,
    /// Where it is ended by a post; none where it is over, or on the public page.
    pub end: Option<String>,
}

/// Announcements with the form for a new one.
#[derive(Template)]
#[template(path = "operator/announcements.html")]
pub struct Announcements {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What the post before led to.
    pub said: Option<Said>,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// Rows.
    pub rows: Vec<Announcement>,
    /// What it may be.
    pub kinds: Vec<Choice>,
    /// Against a doubled post.
    pub once: String,
    /// As typed: heading, text, from, to.
    pub typed: [String; 4],
}

/// A part of the service on the public status page.
pub struct Part {
    /// Key of its name.
    pub key: &'static str,
    /// State.
    pub state: State,
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
