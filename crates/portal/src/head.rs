//! The desk of the head of a unit: officers, import, use, raise.

use askama::Template;

use crate::chart::DayChart;
use crate::parts::{Choice, FieldError, Level, LineUse, Pager, State, percent};
use crate::shell::Shell;
use crate::text::Text;

/// One officer of the unit.
pub struct Officer {
    /// Full name.
    pub name: String,
    /// Login.
    pub login: String,
    /// Code of the system whose list it stands on; empty for who stands on none.
    pub system: String,
    /// Roles in words.
    pub role: String,
    /// State of the account.
    pub state: State,
    /// Whether mail to the officer comes back.
    pub mail_fails: bool,
    /// Declared daily count.
    pub daily: u64,
    /// Used today.
    pub used: u64,
    /// Mean of the last working days that were counted.
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
    pub fn level(&self, s: &Shell) -> Level {
        Level::of(self.used, self.daily, s)
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
    /// Lists to take home as a spreadsheet: address and system; the system is named where there
    /// are several.
    pub exports: Vec<(String, String)>,
    /// Officers without an individual commitment (rule B7).
    pub uncommitted: u64,
    /// Key of what was done a moment ago.
    pub told: Option<&'static str>,
}

/// A way back into the portal that the head opens for somebody (rule E2).
pub struct WayBack {
    /// Where its form goes.
    pub action: String,
    /// Key of what it does.
    pub key: &'static str,
    /// Key of what comes of it.
    pub why: &'static str,
    /// What has to be chosen; empty: nothing.
    pub choices: Vec<Choice>,
}

/// The training of an officer (E5).
pub struct Training {
    /// The last day on which it is good, `dd/mm/yyyy`.
    pub until: String,
    /// Whether that day has passed.
    pub lapsed: bool,
    /// The day of a training as it was typed.
    pub on: String,
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
    /// Where the form goes; what it does further is below it.
    pub action: String,
    /// Whether the account exists already.
    pub existing: bool,
    /// Since when mail to the officer comes back; empty: it does not.
    pub mail_fails: String,
    /// Whether the officer is on a list: a person who is on none has nothing to change here.
    pub listed: bool,
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
    /// Officer code.
    pub officer_code: String,
    /// Systems to choose from for a new one; the system's code for one who exists.
    pub systems: Vec<Choice>,
    /// Functions of the task: services of the system (rule E1).
    pub services: Vec<Choice>,
    /// Whether a new one is invited into the portal.
    pub invite: bool,
    /// Address of e-mail of who is invited, as typed.
    pub email: String,
    /// Suspend, transfer, revoke, open again: those that fit the state.
    pub acts: Vec<Choice>,
    /// Reason as typed.
    pub reason: String,
    /// Invite, give a password, re-enable, vouch: those that fit the state.
    pub ways: Vec<WayBack>,
    /// The training and the form that records one; none for who is no person of the portal.
    pub training: Option<Training>,
    /// What the centre did to the account last, with when and why.
    pub centre: Option<String>,
    /// Key of what was done a moment ago.
    pub told: Option<&'static str>,
    /// Key of what was done in part only, as the sentence says.
    pub partly: Option<&'static str>,
    /// Token against a doubled post.
    pub once: String,
}

impl OfficerPage {
    /// Whether the system is to be chosen first: the unit has several, and none was named.
    fn choose(&self) -> bool {
        !self.existing && self.systems.len() > 1 && self.systems.iter().all(|s| !s.chosen)
    }

    /// Where the officer's own commitment is had (B7), for who stands on a list.
    fn commitment(&self) -> Option<String> {
        let account = self.action.strip_prefix("/unit/officers/a").filter(|_| self.existing)?;
        Some(format!("/unit/papers/individual.pdf?account={account}"))
    }
}

/// A password that was given, shown this once (rule E2).
#[derive(Template)]
#[template(path = "head/given.html")]
pub struct Given {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Full name.
    pub name: String,
    /// Login.
    pub login: String,
    /// The password.
    pub password: String,
    /// Whether it is an invitation, with its last day.
    pub until: String,
    /// The officer's page.
    pub href: String,
}

/// Choosing a file to import.
#[derive(Template)]
#[template(path = "head/import_file.html")]
pub struct ImportFile {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// Whether the system is to be chosen first: the unit has several.
    pub choose: bool,
    /// Systems to choose from.
    pub systems: Vec<Choice>,
    /// Functions of accounts that are added (rule E1).
    pub services: Vec<Choice>,
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
    /// Code of the system whose list it is.
    pub system: String,
    /// What is wrong with the file as a whole.
    pub errors: Vec<FieldError>,
    /// Rows, wrong ones first.
    pub rows: Vec<ImportRow>,
    /// Rows of the file that are not shown.
    pub more: u64,
    /// Whether the file is laid out as the form of 2021.
    pub of_2021: bool,
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
    /// Systems to choose from, where there are several.
    pub systems: Vec<Choice>,
    /// Whether the day is over: nothing of today stands beside it.
    pub past: bool,
    /// Until when the chart counts, `HH:MM`, where it is behind.
    pub until: Option<String>,
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
    /// Lines with use: their numbers, whether they are chosen.
    pub lines: Vec<Raisable>,
    /// First day, `dd/mm/yyyy` as typed.
    pub from: String,
    /// Last day.
    pub to: String,
    /// Wanted count.
    pub wanted: String,
    /// Reason.
    pub reason: String,
    /// Token against a doubled post.
    pub once: String,
}

/// A line that can be raised: its number, whether it is chosen, the line.
type Raisable = (String, bool, LineUse);
/// What stands under names, in the order of the names.
type Named<'a, T> = Vec<(&'a str, Vec<T>)>;

impl RaiseForm {
    /// The lines by system and service, so that the windows of a service stand beside each other.
    fn systems(&self) -> Named<'_, (&str, Vec<&Raisable>)> {
        let mut all: Named<'_, (&str, Vec<&Raisable>)> = vec![];
        for raisable in &self.lines {
            let line = &raisable.2;
            let services = of(&mut all, &line.system);
            of(services, &line.service).push(raisable);
        }
        all
    }
}

/// What stands under `name`, a new place at the end where there is none.
fn of<'a, 'b, T>(all: &'b mut Named<'a, T>, name: &'a str) -> &'b mut Vec<T> {
    let at = all.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
        all.push((name, vec![]));
        all.len() - 1
    });
    &mut all[at].1
}

/// A request for a raise as its unit sees it.
pub struct RaiseRow {
    /// Number.
    pub id: String,
    /// System code.
    pub system: String,
    /// Service in words.
    pub service: String,
    /// Key of the window's words.
    pub window_key: &'static str,
    /// What is wanted on top of the registered count.
    pub extra: u64,
    /// From and to, in words.
    pub period: String,
    /// Why.
    pub reason: String,
    /// When it was asked for.
    pub asked: String,
    /// Where it stands.
    pub state: State,
    /// What the centre wrote.
    pub answer: String,
    /// Whether it can be withdrawn.
    pub open: bool,
}

/// Requests of the unit.
#[derive(Template)]
#[template(path = "head/raises.html")]
pub struct Raises {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Rows, the newest first.
    pub rows: Vec<RaiseRow>,
    /// Key of what was done a moment ago.
    pub told: Option<&'static str>,
}

/// A revocation that the operator of the agency's own software has to confirm (rule E3).
pub struct RevocationRow {
    /// Number.
    pub id: String,
    /// System code.
    pub system: String,
    /// Login that was revoked.
    pub login: String,
    /// When.
    pub time: String,
    /// By when it is to be confirmed.
    pub due: String,
    /// Waiting or overdue.
    pub state: State,
}

/// Revocations to confirm.
#[derive(Template)]
#[template(path = "head/revocations.html")]
pub struct Revocations {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Rows, the oldest first.
    pub rows: Vec<RevocationRow>,
    /// Key of what was done a moment ago.
    pub told: Option<&'static str>,
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
    /// Who may be stood in for.
    pub absent: Vec<Choice>,
    /// Who may stand in.
    pub substitutes: Vec<Choice>,
    /// First day as typed.
    pub from: String,
    /// Last day as typed.
    pub to: String,
    /// One for each time the form is shown: a doubled post is done once.
    pub once: String,
    /// Key of what was done a moment ago.
    pub told: Option<&'static str>,
}

/// What died with an account that was revoked, or stopped with one that was suspended (rule E3).
#[derive(Template)]
#[template(path = "head/revoked.html")]
pub struct Revoked {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Whether the account was suspended only.
    pub suspended: bool,
    /// The officer's page, for who was suspended.
    pub href: String,
    /// Whose account.
    pub name: String,
    /// When, `HH:MM dd/mm/yyyy`.
    pub time: String,
    /// Key of what died and a word to it.
    pub died: Vec<(&'static str, String)>,
    /// Who runs the agency's own software and must confirm; empty: nobody is known.
    pub told: String,
    /// By when; empty: nothing is to be confirmed.
    pub due: String,
}
