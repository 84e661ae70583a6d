//! The desk of the head of a unit: officers, import, use, raise.

use askama::Template;

use crate::chart::DayChart;
use crate::parts::{Choice, FieldError, Level, LineUse, Pager, SavedView, State, percent};
use crate::shell::Shell;
use crate::text::Text;

/// One officer of the unit.
pub struct Officer {
    /// Full name.
    pub name: String,
    /// Login.
    pub login: String,
    /// Role in words.
    pub role: String,
    /// State of the account.
    pub state: State,
    /// Declared daily count.
    pub daily: u64,
    /// Used today.
    pub used: u64,
    /// Mean of a working day in the last three months.
    pub mean: u64,
    /// Last use, `dd/mm/yyyy`; empty when never.
    pub last: String,
    /// The officer's page.
    pub href: String,
    /// The list of today's queries.
    pub used_href: String,
}

impl Officer {
    /// Share of the declared count, for the bar.
    #[must_use]
    pub fn share(&self) -> u64 {
        percent(self.used, self.daily)
    }

    /// How near the declared count is.
    #[must_use]
    pub fn level(&self) -> Level {
        Level::of(self.used, self.daily)
    }
}

/// List of officers.
#[derive(Template)]
#[template(path = "head/officers.html")]
pub struct Officers {
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
    pub rows: Vec<Officer>,
    /// Sum of the declared counts.
    pub daily: u64,
    /// Sum of today's use.
    pub used: u64,
    /// Which part is shown.
    pub pager: Pager,
    /// Whether filters are set, so that an empty list says the right thing.
    pub filtered: bool,
    /// Day by which the quarterly review is due (rules B9, E4).
    pub review_due: Option<String>,
}

/// One officer: a form to add or change, and the acts that end or move an account (rule E3).
#[derive(Template)]
#[template(path = "head/officer.html")]
pub struct OfficerPage {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// Whether the account exists already.
    pub existing: bool,
    /// State of the account.
    pub state: State,
    /// Full name.
    pub name: String,
    /// Login.
    pub login: String,
    /// Citizen id; masked but for the last three digits once it is stored.
    pub personal_id: String,
    /// Phone.
    pub phone: String,
    /// Declared daily count, as typed.
    pub daily: String,
    /// Tasks to choose from.
    pub roles: Vec<Choice>,
    /// Suspend, transfer, revoke, open again: those that fit the state.
    pub acts: Vec<Choice>,
}

/// What an imported row would do.
pub struct ImportRow {
    /// Row in the sheet.
    pub line: u64,
    /// Name as read.
    pub name: String,
    /// Login as read.
    pub login: String,
    /// Daily count as read.
    pub daily: String,
    /// Added, changed, the same, wrong.
    pub change: State,
    /// Column and sentence.
    pub errors: Vec<(String, String)>,
}

/// Preview of an import; nothing has been changed yet.
#[derive(Template)]
#[template(path = "head/import.html")]
pub struct Import {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// File as named by the person.
    pub file: String,
    /// Accounts that would be added.
    pub added: u64,
    /// Accounts that would change.
    pub changed: u64,
    /// Accounts that stay.
    pub same: u64,
    /// Rows that cannot be read.
    pub wrong: u64,
    /// Rows, wrong ones first.
    pub rows: Vec<ImportRow>,
    /// Token of the kept file.
    pub token: String,
}

/// Use per hour, per line and per officer.
#[derive(Template)]
#[template(path = "head/usage.html")]
pub struct Usage {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Duty day, `dd/mm/yyyy`.
    pub duty_day: String,
    /// Chart.
    pub chart: DayChart,
    /// Lines.
    pub lines: Vec<LineUse>,
    /// Officers with use.
    pub officers: Vec<Officer>,
}

/// Request for a temporary raise (rule D8).
#[derive(Template)]
#[template(path = "head/raise.html")]
pub struct RaiseForm {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// Lines with use.
    pub lines: Vec<LineUse>,
    /// First day, `dd/mm/yyyy` as typed.
    pub from: String,
    /// Last day.
    pub to: String,
    /// Wanted count.
    pub wanted: String,
    /// Reason.
    pub reason: String,
}

/// Somebody who stands in for somebody else, with dates (rule E3).
pub struct Substitute {
    /// Who stands in.
    pub substitute: String,
    /// For whom.
    pub absent: String,
    /// From and to, in words.
    pub period: String,
    /// Running, planned, over.
    pub state: State,
    /// Whether it can be ended now.
    pub open: bool,
    /// Id for the form that ends it.
    pub id: String,
}

/// Substitutes with the form for a new one.
#[derive(Template)]
#[template(path = "head/substitutes.html")]
pub struct Substitutes {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// Rows, running ones first.
    pub rows: Vec<Substitute>,
    /// Officers of the unit.
    pub officers: Vec<Choice>,
    /// First day as typed.
    pub from: String,
    /// Last day as typed.
    pub to: String,
}

/// What died with an account (rule E3).
#[derive(Template)]
#[template(path = "head/revoked.html")]
pub struct Revoked {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Whose account.
    pub name: String,
    /// When, `HH:MM dd/mm/yyyy`.
    pub time: String,
    /// Key of what died and a word to it.
    pub died: Vec<(&'static str, String)>,
    /// Who runs the agency's own software and must confirm.
    pub told: String,
    /// By when.
    pub due: String,
}
