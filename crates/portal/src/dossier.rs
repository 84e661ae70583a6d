//! Connection dossiers (B1-B7): lists, the track of stages, the sheets that a unit fills in, and
//! what reviewers read and compare.

pub mod kept;
pub mod sheets;

use askama::Template;

use crate::centre::Field;
use crate::parts::{Choice, FieldError, Pager, SavedView, State};
use crate::shell::Shell;
use crate::text::Text;

/// States that only these pages show.
pub mod states {
    use crate::parts::State;

    /// By number of the stage.
    pub const STAGES: [State; 9] = [
        State { class: "", icon: "pencil", key: "dossier-stage-draft" },
        State { class: "info", icon: "inbox", key: "dossier-stage-submitted" },
        State { class: "warn", icon: "refresh-cw", key: "dossier-stage-changes" },
        State { class: "info", icon: "clock", key: "dossier-stage-accepted" },
        State { class: "good", icon: "check", key: "dossier-stage-approved" },
        State { class: "good", icon: "circle-check", key: "dossier-stage-live" },
        State { class: "bad", icon: "circle-x", key: "dossier-stage-refused" },
        State { class: "", icon: "circle-minus", key: "dossier-stage-withdrawn" },
        State { class: "", icon: "ban", key: "dossier-stage-closed" },
    ];
    /// A comment that waits for the unit's answer.
    pub const OPEN: State = State { class: "warn", icon: "circle-alert", key: "dossier-note-open" };
    /// A comment that was answered.
    pub const ANSWERED: State =
        State { class: "info", icon: "check", key: "dossier-note-answered" };
    /// A comment whose matter is done.
    pub const RESOLVED: State = State { class: "good", icon: "check", key: "dossier-note-done" };
}

/// A dossier in a list.
pub struct Row {
    /// Number.
    pub number: String,
    /// Name of the system, or that it has none yet.
    pub name: String,
    /// Code of the system.
    pub code: String,
    /// The unit, on the centre's list.
    pub unit: String,
    /// Where it stands.
    pub state: State,
    /// Whose turn it is.
    pub turn: String,
    /// Days at this stage.
    pub days: u64,
    /// Since when.
    pub since: String,
    /// Whether its connection goes on meanwhile.
    pub connected: bool,
    /// Its page.
    pub href: String,
}

/// Dossiers of a unit.
#[derive(Template)]
#[template(path = "dossier/list.html")]
pub struct List {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong with beginning one.
    pub errors: Vec<FieldError>,
    /// Rows.
    pub rows: Vec<Row>,
    /// Where the list goes on.
    pub more: Option<String>,
    /// Channels to begin with; empty where this person begins none.
    pub channels: Vec<Choice>,
    /// Against beginning twice.
    pub once: String,
}

/// The queue of the centre.
#[derive(Template)]
#[template(path = "dossier/queue.html")]
pub struct Queue {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// A view for each stage, with how many stand there.
    pub views: Vec<SavedView>,
    /// Words searched for.
    pub search: String,
    /// Whose turn to filter by.
    pub turns: Vec<Choice>,
    /// The stage, as the form keeps it.
    pub stage: String,
    /// Rows.
    pub rows: Vec<Row>,
    /// Days of the oldest row.
    pub oldest: u64,
    /// Which part is shown.
    pub pager: Pager,
}

/// A station of the track.
pub struct Station {
    /// Class of the sheet: `done`, `now`, `ahead`, `left-out` or `end`.
    pub class: &'static str,
    /// Icon of the sprite.
    pub icon: &'static str,
    /// Key of its name.
    pub key: String,
    /// Key of how it stands, for who sees no colour.
    pub state_key: &'static str,
    /// Whether it runs beside its neighbours.
    pub beside: bool,
    /// Facts: when, who, on what evidence.
    pub facts: Vec<String>,
}

/// Something that the dossier lacks.
pub struct Lack {
    /// The field.
    pub place: String,
    /// The sentence.
    pub sentence: String,
    /// The rule.
    pub rule: &'static str,
    /// Whose turn it is.
    pub turn: String,
    /// Its field; empty: none of this person's.
    pub href: String,
}

/// One of the four parts.
pub struct PartRow {
    /// Its word.
    pub code: &'static str,
    /// Key of its name.
    pub key: String,
    /// Version, with the edition of its form.
    pub version: String,
    /// Who filled it in, and when.
    pub filled: String,
    /// Who signed, and when; empty: nobody.
    pub signed: String,
    /// Who checked, and when; empty: nobody.
    pub checked: String,
    /// What it lacks.
    pub lacks: u64,
    /// Its sheets: key of the name, address.
    pub sheets: Vec<(String, String)>,
    /// Whether this person may sign it now.
    pub signs: bool,
    /// Whether this person may check it now.
    pub checks: bool,
}

/// A comment of a reviewer.
pub struct Remark {
    /// Its place in the dossier.
    pub index: u64,
    /// The field, in words.
    pub place: String,
    /// Where the field is; empty: nowhere for this person.
    pub href: String,
    /// What is to change.
    pub text: String,
    /// Who said it, when.
    pub made: String,
    /// What the unit answered; empty: nothing.
    pub answer: String,
    /// Who answered, when.
    pub answered: String,
    /// An answer as typed that was not taken yet.
    pub typed: String,
    /// Open, answered or done.
    pub state: State,
    /// Whether this person may answer it now.
    pub answers: bool,
    /// Whether this person may find it done now.
    pub resolves: bool,
}

/// A form of an act.
pub struct ActForm {
    /// Its word: the last part of the address, or the value of `act`.
    pub act: &'static str,
    /// Where it is sent.
    pub to: String,
    /// Key of its heading and button.
    pub key: &'static str,
    /// Key of what it means; empty: nothing to say.
    pub why: &'static str,
    /// Icon.
    pub icon: &'static str,
    /// Its fields.
    pub fields: Vec<Field>,
    /// Its fields of many lines, below the others.
    pub areas: Vec<Field>,
    /// A box to tick: name, sentence.
    pub tick: Option<(&'static str, String)>,
    /// Hidden values.
    pub hidden: Vec<(&'static str, &'static str)>,
    /// Lists that are decided on: key of the heading, what; the second apart.
    pub lists: Vec<(&'static str, Vec<String>)>,
    /// Whether it is the one main act; the others are folded.
    pub main: bool,
    /// Whether it was sent, and stays open.
    pub open: bool,
}

/// A line of what happened.
pub struct Happened {
    /// When.
    pub time: String,
    /// Who.
    pub who: String,
    /// Key of what.
    pub key: String,
    /// Details.
    pub detail: String,
}

/// A note above the page.
pub struct Note {
    /// Class of the sheet.
    pub class: &'static str,
    /// Key of its heading.
    pub key: &'static str,
    /// Sentences.
    pub lines: Vec<String>,
    /// The rule behind it.
    pub rule: &'static str,
}

/// A dossier, for its unit or for the centre.
#[derive(Template)]
#[template(path = "dossier/dossier.html")]
pub struct Dossier {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong with an act.
    pub errors: Vec<FieldError>,
    /// What was done a moment ago.
    pub told: Option<&'static str>,
    /// Whether the centre looks at it.
    pub centre: bool,
    /// Its page.
    pub base: String,
    /// The list it stands in.
    pub list: &'static str,
    /// Number.
    pub number: String,
    /// Name of the system.
    pub name: String,
    /// Where it stands.
    pub state: State,
    /// The connection's own state, where its system is registered.
    pub connection: Option<State>,
    /// What is known of it: key of the label, value.
    pub facts: Vec<(&'static str, String)>,
    /// Notes.
    pub notes: Vec<Note>,
    /// Whose turn it is; empty: nobody's.
    pub turn: String,
    /// The track.
    pub track: Vec<Station>,
    /// What it lacks.
    pub lacks: Vec<Lack>,
    /// How much more it lacks.
    pub more_lacks: u64,
    /// The four parts.
    pub parts: Vec<PartRow>,
    /// Comments.
    pub remarks: Vec<Remark>,
    /// What this person may do.
    pub acts: Vec<ActForm>,
    /// What happened, the newest first.
    pub history: Vec<Happened>,
    /// Documents of the centre and paper copies.
    pub kept: kept::Kept,
    /// Where versions are compared; empty: there is nothing to compare.
    pub compare: String,
    /// The revision that an act names.
    pub revision: i64,
    /// Against doing it twice.
    pub once: String,
}

/// An item as a reviewer reads it.
pub struct Item {
    /// Its word.
    pub code: &'static str,
    /// Key of its name.
    pub key: String,
    /// What it says, line by line; empty: nothing.
    pub lines: Vec<String>,
    /// Files to be had.
    pub files: Vec<sheets::FileRow>,
    /// Whether it differs from what was looked at last.
    pub changed: bool,
    /// Comments on it.
    pub remarks: Vec<Remark>,
    /// The comment as typed.
    pub typed: String,
}

/// A dossier as a reviewer reads it and asks for changes field by field.
#[derive(Template)]
#[template(path = "dossier/review.html")]
pub struct Review {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// Its page.
    pub base: String,
    /// Number.
    pub number: String,
    /// Name of the system.
    pub name: String,
    /// By part: key of its name, items.
    pub parts: Vec<(String, Vec<Item>)>,
    /// Whether this person may ask for changes now.
    pub asks: bool,
    /// The revision that was looked at.
    pub revision: i64,
    /// Against asking twice.
    pub once: String,
}

/// Lines of one side of a comparison, and whether each is in that side alone.
pub type Lines = Vec<(String, bool)>;

/// Two versions side by side.
#[derive(Template)]
#[template(path = "dossier/compare.html")]
pub struct Compare {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// The dossier's page.
    pub base: String,
    /// Number.
    pub number: String,
    /// Texts to choose as the one before.
    pub before: Vec<Choice>,
    /// Texts to choose as the one after.
    pub after: Vec<Choice>,
    /// Name of the one before, of the one after.
    pub names: (String, String),
    /// Fields that differ: key of the name, lines before, lines after; of a line whether it is in
    /// one of the two alone.
    pub rows: Vec<(String, Lines, Lines)>,
}
