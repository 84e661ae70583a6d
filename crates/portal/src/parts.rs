//! Small things that several pages show.

use askama::Template;

use crate::shell::Shell;
use crate::text::Text;

/// One choice of a list.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Value sent.
    pub value: String,
    /// Words shown.
    pub label: String,
    /// Whether it is chosen.
    pub chosen: bool,
}

/// What is wrong with one field, said once at the top and once beside it in the same words.
#[derive(Clone, Debug)]
pub struct FieldError {
    /// Id of the field in the page.
    pub field: &'static str,
    /// The sentence.
    pub sentence: String,
}

/// The sentence about `field`, if something is wrong with it.
#[must_use]
pub fn wrong<'a>(errors: &'a [FieldError], field: &str) -> Option<&'a str> {
    errors.iter().find(|error| error.field == field).map(|error| error.sentence.as_str())
}

/// How near a count is to its end; colour, icon and word follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Below the first warning.
    Calm,
    /// From the first warning on (rule D2).
    Near,
    /// Used up.
    Full,
}

impl Level {
    /// The level of `used` out of `limit`, with the first warning of the frame. Nothing out of
    /// nothing is no end that was reached.
    #[must_use]
    pub fn of(used: u64, limit: u64, s: &Shell) -> Self {
        if used == 0 && limit == 0 {
            Self::Calm
        } else if used >= limit {
            Self::Full
        } else if used * 100 >= limit * u64::from(s.warn_at) {
            Self::Near
        } else {
            Self::Calm
        }
    }

    /// Class of the sheet.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Self::Calm => "good",
            Self::Near => "warn",
            Self::Full => "bad",
        }
    }
}

/// Share of `used` in `limit` in whole percent, at most 100 for a bar.
#[must_use]
pub fn percent(used: u64, limit: u64) -> u64 {
    match (used * 100).checked_div(limit) {
        Some(share) => share.min(100),
        None if used == 0 => 0,
        None => 100,
    }
}

/// Remaining count, drawn as a ring with the number inside.
#[derive(Clone, Debug)]
pub struct Meter {
    /// What is left of the count that ends first.
    pub left: u64,
    /// The whole of that count.
    pub of: u64,
    /// Which count that is, in words.
    pub binds: String,
    /// When it begins anew, `HH:MM dd/mm`.
    pub resets: String,
    /// What is left of the other counts, each in one line.
    pub others: Vec<String>,
}

impl Meter {
    /// Share left in percent, for the ring's dash.
    #[must_use]
    pub fn share(&self) -> u64 {
        percent(self.left, self.of)
    }

    /// How near the end is.
    #[must_use]
    pub fn level(&self, s: &Shell) -> Level {
        Level::of(self.of.saturating_sub(self.left), self.of, s)
    }
}

/// A state in a table: icon, word and colour together, never colour alone.
#[derive(Clone, Copy, Debug)]
pub struct State {
    /// Class of the sheet: `good`, `warn`, `bad`, `info` or empty.
    pub class: &'static str,
    /// Icon of the sprite.
    pub icon: &'static str,
    /// Key of its words.
    pub key: &'static str,
}

/// States that several desks show.
pub mod states {
    use super::State;

    /// Working.
    pub const ACTIVE: State = State { class: "good", icon: "circle-check", key: "state-active" };
    /// Administrative, ends with its cause.
    pub const SUSPENDED: State =
        State { class: "warn", icon: "circle-minus", key: "state-suspended" };
    /// Security or count, ends by a named act (or rule D3).
    pub const LOCKED: State = State { class: "bad", icon: "lock", key: "state-locked" };
    /// Final.
    pub const REVOKED: State = State { class: "", icon: "ban", key: "state-revoked" };
    /// Has to change the password at first sign-in.
    pub const NEW: State = State { class: "info", icon: "user-plus", key: "state-new" };
    /// Waits for somebody.
    pub const WAITING: State = State { class: "info", icon: "clock", key: "state-waiting" };
    /// Ended.
    pub const OVER: State = State { class: "", icon: "check", key: "state-over" };
    /// Out.
    pub const DOWN: State = State { class: "bad", icon: "circle-x", key: "state-down" };
    /// The session in use.
    pub const HERE: State = State { class: "good", icon: "circle-check", key: "state-here" };
    /// Would be added by an import.
    pub const ADDED: State = State { class: "good", icon: "plus", key: "state-added" };
    /// Would be changed by an import.
    pub const CHANGED: State = State { class: "info", icon: "pencil", key: "state-changed" };
    /// Stays as it is.
    pub const SAME: State = State { class: "", icon: "minus", key: "state-same" };
    /// Cannot be read.
    pub const WRONG: State = State { class: "bad", icon: "x", key: "state-wrong" };
    /// A temporary raise is in force.
    pub const RAISED: State = State { class: "info", icon: "trending-up", key: "state-raised" };
    /// Done.
    pub const DONE: State = State { class: "good", icon: "check", key: "state-done" };
    /// Failed.
    pub const FAILED: State = State { class: "bad", icon: "x", key: "state-failed" };
    /// Answered.
    pub const ANSWERED: State = State { class: "good", icon: "check", key: "state-answered" };
    /// Refused.
    pub const REFUSED: State = State { class: "bad", icon: "ban", key: "state-refused" };
    /// Granted.
    pub const GRANTED: State = State { class: "good", icon: "check", key: "state-granted" };
    /// Taken back by who asked.
    pub const WITHDRAWN: State = State { class: "", icon: "minus", key: "state-withdrawn" };
    /// Invited too long ago.
    pub const EXPIRED_INVITATION: State =
        State { class: "warn", icon: "clock", key: "state-expired-invitation" };
    /// Disabled by idleness (rule E2).
    pub const DISABLED: State =
        State { class: "warn", icon: "circle-minus", key: "state-disabled" };
    /// Waits for longer than it should.
    pub const OVERDUE: State = State { class: "bad", icon: "clock", key: "state-overdue" };
}

/// A refusal for people (rule A3): what happened, why, what to do, whom to call.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// One sentence: what happened and why.
    pub sentence: String,
    /// What to do now.
    pub what_to_do: String,
    /// Whom to call, with the number.
    pub whom: String,
    /// The rule behind it.
    pub rule: String,
    /// Code under which the centre finds this refusal.
    pub code: String,
}

/// One line of a registration with its use on a day.
#[derive(Clone, Debug)]
pub struct LineUse {
    /// System code, where several systems are listed.
    pub system: String,
    /// Service in words.
    pub service: String,
    /// Key of the window's words.
    pub window_key: &'static str,
    /// Today's count, the raises in force included; of a day that is over the registered one.
    pub registered: u64,
    /// Used in the duty day.
    pub used: u64,
    /// Exceedances today (rule D3), and open, locked, raised or exceeded; none of a day that is
    /// over.
    pub standing: Option<(u64, State)>,
}

impl LineUse {
    /// Width of the bar, 0 to 100.
    #[must_use]
    pub fn share(&self) -> u64 {
        percent(self.used, self.registered)
    }

    /// How near the end is.
    #[must_use]
    pub fn level(&self, s: &Shell) -> Level {
        Level::of(self.used, self.registered, s)
    }
}

/// Which part of a list is shown.
#[derive(Clone, Debug)]
pub struct Pager {
    /// First row shown, from 1.
    pub from: u64,
    /// Last row shown.
    pub to: u64,
    /// Rows in all.
    pub total: u64,
    /// Page before.
    pub before: Option<String>,
    /// Page after.
    pub after: Option<String>,
}

/// A saved view of a list: a name for a set of filters.
#[derive(Clone, Debug)]
pub struct SavedView {
    /// Its name.
    pub name: String,
    /// Its address with the filters.
    pub href: String,
    /// Whether it is shown.
    pub current: bool,
}

/// An icon of the sprite; use `m::icon` in templates.
#[derive(Template)]
#[template(path = "parts.html", block = "icon")]
pub(crate) struct Icon<'a> {
    name: &'a str,
    extra: &'a str,
}

pub(crate) fn icon<'a>(name: &'a str, extra: &'a str) -> Icon<'a> {
    Icon { name, extra }
}

/// Everything that is wrong with a form, at its top; `m::error_summary` in templates.
#[derive(Template)]
#[template(path = "parts.html", block = "error_summary")]
pub(crate) struct ErrorSummary<'a> {
    t: &'a Text,
    errors: &'a [FieldError],
}

pub(crate) fn error_summary<'a>(t: &'a Text, errors: &'a [FieldError]) -> ErrorSummary<'a> {
    ErrorSummary { t, errors }
}

/// The words of a control, its hint, and what is wrong with it; `m::label` in templates.
#[derive(Template)]
#[template(path = "parts.html", block = "label")]
pub(crate) struct Label<'a> {
    t: &'a Text,
    s: &'a Shell,
    errors: &'a [FieldError],
    id: &'a str,
    key: &'a str,
    hint: &'a str,
}

pub(crate) fn label<'a>(
    t: &'a Text,
    s: &'a Shell,
    errors: &'a [FieldError],
    id: &'a str,
    key: &'a str,
    hint: &'a str,
) -> Label<'a> {
    Label { t, s, errors, id, key, hint }
}

/// What ties a control to its hint and its error, as attributes; `id` is a token of ours.
pub(crate) fn tied(errors: &[FieldError], id: &str, hint: &str) -> String {
    match (wrong(errors, id), hint.is_empty()) {
        (Some(_), false) => {
            format!(r#" aria-invalid="true" aria-describedby="{id}-wrong {id}-hint""#)
        }
        (Some(_), true) => format!(r#" aria-invalid="true" aria-describedby="{id}-wrong""#),
        (None, false) => format!(r#" aria-describedby="{id}-hint""#),
        (None, true) => String::new(),
    }
}

/// Which rows of a list are shown, and the way to the others; `m::pages` in templates.
#[derive(Template)]
#[template(path = "parts.html", block = "pages")]
pub(crate) struct Pages<'a> {
    t: &'a Text,
    pager: &'a Pager,
}

pub(crate) fn pages<'a>(t: &'a Text, pager: &'a Pager) -> Pages<'a> {
    Pages { t, pager }
}
