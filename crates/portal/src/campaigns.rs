//! Campaigns of dossiers (B4): the list with the form for a new one, and how far one is.

use askama::Template;

use crate::centre::Field;
use crate::parts::{Choice, FieldError, Pager, State};
use crate::shell::Shell;
use crate::text::Text;

/// States that only these pages show.
pub mod states {
    use crate::parts::State;

    /// The unit has to bring it up to date.
    pub const UNIT: State = State { class: "warn", icon: "pencil", key: "campaign-of-unit" };
    /// Handed in: the centre's turn.
    pub const CENTRE: State = State { class: "info", icon: "clock", key: "campaign-of-centre" };
    /// Up to date.
    pub const DONE: State = State { class: "good", icon: "circle-check", key: "campaign-done" };
    /// Overdue.
    pub const LOCKED: State = State { class: "bad", icon: "lock", key: "campaign-locked" };
    /// Out of the campaign.
    pub const LEFT: State = State { class: "", icon: "ban", key: "campaign-left" };
}

/// How far a campaign is.
#[derive(Clone, Copy, Default)]
pub struct Tally {
    /// Dossiers.
    pub total: u64,
    /// Up to date.
    pub done: u64,
    /// The centre's turn.
    pub centre: u64,
    /// The unit's turn.
    pub unit: u64,
    /// Locked.
    pub locked: u64,
    /// Percent that is up to date.
    pub share: u64,
}

impl Tally {
    /// Class of its bar.
    #[must_use]
    pub const fn level(&self) -> &'static str {
        if self.locked > 0 { "bad" } else { "" }
    }
}

/// A campaign in the list.
pub struct CampaignRow {
    /// Number.
    pub id: String,
    /// Name.
    pub name: String,
    /// Document and date.
    pub ground: String,
    /// Last day.
    pub deadline: String,
    /// How far.
    pub tally: Tally,
    /// Its page.
    pub href: String,
}

/// The list.
#[derive(Template)]
#[template(path = "centre/campaigns.html")]
pub struct Campaigns {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong in the form.
    pub errors: Vec<FieldError>,
    /// Rows.
    pub rows: Vec<CampaignRow>,
    /// The form's fields.
    pub fields: Vec<Field>,
    /// Parts to choose.
    pub parts: Vec<Choice>,
    /// What the campaign would be for, line by line; the form then begins it.
    pub preview: Vec<String>,
    /// Digest of what was looked at, for the form that begins it.
    pub seen: String,
    /// Against beginning it twice.
    pub once: String,
}

/// A province with its tally; none: no dossier of it is in the campaign.
pub struct Tile {
    /// Name.
    pub name: String,
    /// How far.
    pub tally: Tally,
    /// The list of its dossiers.
    pub href: String,
}

/// A dossier of a campaign.
pub struct TaskRow {
    /// Its number.
    pub dossier: String,
    /// Its page.
    pub href: String,
    /// Its unit by name.
    pub unit: String,
    /// Its system.
    pub system: String,
    /// Where the dossier stands, in words.
    pub stage: String,
    /// Its last day.
    pub deadline: String,
    /// How often it was extended.
    pub extended: u64,
    /// How far it is.
    pub state: State,
}

/// One campaign.
#[derive(Template)]
#[template(path = "centre/campaign.html")]
pub struct Campaign {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong in the form.
    pub errors: Vec<FieldError>,
    /// What was done a moment ago.
    pub told: Option<&'static str>,
    /// Number.
    pub id: String,
    /// Name.
    pub name: String,
    /// What is known of it: key of the label, value.
    pub facts: Vec<(&'static str, String)>,
    /// All of it.
    pub whole: Tally,
    /// Dossiers not done with, by stage: its word, how many.
    pub stages: Vec<(&'static str, u64)>,
    /// Every province of the present list, and what has no place.
    pub tiles: Vec<Tile>,
    /// The province whose dossiers are listed; empty: all.
    pub chosen: String,
    /// Dossiers.
    pub rows: Vec<TaskRow>,
    /// Which of them are shown.
    pub pager: Pager,
    /// Whether anything of it is open.
    pub runs: bool,
    /// The form of an extension.
    pub fields: Vec<Field>,
    /// Why it is stopped, as typed.
    pub why: String,
    /// Against extending twice.
    pub once: String,
}

/// What is live already enters from one workbook.
#[derive(Template)]
#[template(path = "centre/import.html")]
pub struct Import {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong in the form.
    pub errors: Vec<FieldError>,
    /// What was done a moment ago.
    pub told: Option<&'static str>,
    /// The form's fields.
    pub fields: Vec<Field>,
    /// What was seen in the workbook; empty before one was read.
    pub sums: Vec<String>,
    /// Rows that are wrong, each in a sentence.
    pub wrong: Vec<String>,
    /// Names the workbook that waits to be applied; empty where none does.
    pub token: String,
    /// Against applying it twice.
    pub once: String,
}
