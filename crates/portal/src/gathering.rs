//! Gathering (B8): what a focal point sees of its units, one unit, and what was handed up.

use askama::Template;

use crate::campaigns::Tile;
use crate::parts::{Choice, FieldError, Pager, SavedView, State};
use crate::shell::Shell;
use crate::text::Text;

/// How far behind a unit is.
pub mod states {
    use crate::parts::State;

    /// A campaign locked a connection.
    pub const LOCKED: State = State { class: "bad", icon: "lock", key: "gather-locked" };
    /// Past the deadline.
    pub const OVERDUE: State = State { class: "bad", icon: "clock", key: "gather-overdue" };
    /// A campaign waits for it.
    pub const DUE: State = State { class: "warn", icon: "clock", key: "gather-due" };
    /// A dossier waits for it.
    pub const WAITS: State = State { class: "warn", icon: "pencil", key: "gather-waits" };
    /// Others have to do something.
    pub const ELSEWHERE: State = State { class: "info", icon: "clock", key: "gather-elsewhere" };
    /// What it has is stopped.
    pub const STOPPED: State = State { class: "warn", icon: "lock", key: "gather-halted" };
    /// Nothing is open.
    pub const FINE: State = State { class: "good", icon: "circle-check", key: "gather-fine" };
    /// Neither system nor dossier.
    pub const NOTHING: State = State { class: "", icon: "minus", key: "gather-nothing" };
}

/// A unit in a list.
pub struct UnitRow {
    /// Name.
    pub name: String,
    /// Code.
    pub code: String,
    /// Its page; empty: it has none.
    pub href: String,
    /// How far behind.
    pub state: State,
    /// Systems in use, incomplete, locked.
    pub systems: [u64; 3],
    /// Accounts.
    pub accounts: u64,
    /// Stage of its dossier and whose turn it is; empty: none is under way.
    pub dossier: String,
    /// Parts that are not complete.
    pub lacks: String,
    /// Last day of a campaign.
    pub deadline: String,
    /// When it was urged last.
    pub urged: String,
}

impl UnitRow {
    /// What is counted, with the keys of the labels.
    fn counts(&self) -> [(&'static str, u64); 4] {
        let [live, incomplete, stopped] = self.systems;
        [
            ("gather-live-short", live),
            ("gather-incomplete-short", incomplete),
            ("gather-stopped-short", stopped),
            ("gather-accounts", self.accounts),
        ]
    }
}

/// A bar of the chart: units of a level.
pub struct Bar {
    /// The level.
    pub state: State,
    /// Units.
    pub count: u64,
    /// Percent of all units.
    pub share: u64,
    /// The list of them.
    pub href: String,
}

/// What is gathered at a focal point below.
pub struct Part {
    /// Its name.
    pub name: String,
    /// The list of its units.
    pub href: String,
    /// Units.
    pub units: u64,
    /// Units that have to do something.
    pub behind: u64,
    /// Percent that has not.
    pub share: u64,
}

/// A receipt in a list.
pub struct ReceiptRow {
    /// Number.
    pub number: String,
    /// Who handed it up.
    pub unit: String,
    /// Day of the figures.
    pub day: String,
    /// Which one of the day.
    pub version: u64,
    /// When it was handed up.
    pub at: String,
    /// Its page.
    pub href: String,
}

/// The page of a focal point.
#[derive(Template)]
#[template(path = "gathering/list.html")]
pub struct Gathering {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong in a form.
    pub errors: Vec<FieldError>,
    /// What was done a moment ago.
    pub told: Option<&'static str>,
    /// The focal point by name.
    pub name: String,
    /// Where the person gathers besides.
    pub desks: Vec<SavedView>,
    /// Totals: key of the label, number.
    pub totals: Vec<(&'static str, u64)>,
    /// Units by level.
    pub bars: Vec<Bar>,
    /// Provinces, where the line goes beyond one.
    pub tiles: Vec<Tile>,
    /// Focal points below.
    pub parts: Vec<Part>,
    /// Words searched for.
    pub search: String,
    /// Which of several focal points.
    pub at: String,
    /// Whose units are listed, where it is a focal point below.
    pub from: String,
    /// Levels to filter by.
    pub levels: Vec<Choice>,
    /// Provinces to filter by; empty: the line has one.
    pub provinces: Vec<Choice>,
    /// Whether anything is filtered.
    pub filtered: bool,
    /// Units.
    pub rows: Vec<UnitRow>,
    /// Which of them are shown.
    pub pager: Pager,
    /// The filters, for the files: `?…`.
    pub query: String,
    /// Units that can be urged today; none: the person does not urge.
    pub left: Option<u64>,
    /// What is said to them, as typed.
    pub words: String,
    /// To whom the summary goes; none: it is handed to nobody.
    pub to: Option<String>,
    /// Handed up.
    pub handed: Vec<ReceiptRow>,
    /// Received.
    pub received: Vec<ReceiptRow>,
    /// Against doing something twice.
    pub once: [String; 2],
}

/// A dossier of a unit.
pub struct DossierRow {
    /// Number.
    pub number: String,
    /// Name of its system.
    pub name: String,
    /// Stage.
    pub stage: &'static str,
    /// Key of whose turn it is; empty: nobody's.
    pub whose: String,
    /// Since when.
    pub since: String,
    /// Last day of its campaign; empty: it is in none.
    pub deadline: String,
    /// What the unit has still to do, each in a sentence.
    pub missing: Vec<String>,
}

/// A unit of the line.
#[derive(Template)]
#[template(path = "gathering/unit.html")]
pub struct Unit {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong in the form.
    pub errors: Vec<FieldError>,
    /// What was done a moment ago.
    pub told: Option<&'static str>,
    /// The list it belongs to.
    pub list: String,
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// How far behind.
    pub state: State,
    /// Key of the label, value.
    pub facts: Vec<(&'static str, String)>,
    /// Systems: code, state, accounts.
    pub systems: Vec<(String, State, u64)>,
    /// Dossiers.
    pub dossiers: Vec<DossierRow>,
    /// Whether it may be urged now.
    pub urges: bool,
    /// Which of several focal points.
    pub at: String,
    /// What is said to it, as typed.
    pub words: String,
    /// Against urging twice.
    pub once: String,
}

/// What was handed up, as it was then.
#[derive(Template)]
#[template(path = "gathering/handed.html")]
pub struct Handed {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong; a page that only shows has nothing.
    pub errors: Vec<FieldError>,
    /// What was done a moment ago.
    pub told: Option<&'static str>,
    /// The list it belongs to.
    pub list: String,
    /// Number.
    pub number: String,
    /// Its page, without what follows.
    pub path: String,
    /// Which of several focal points: `?…` or empty.
    pub query: String,
    /// Key of the label, value.
    pub facts: Vec<(&'static str, String)>,
    /// SHA-256 in hex digits.
    pub digest: String,
    /// Totals: key of the label, number.
    pub totals: Vec<(&'static str, u64)>,
    /// Units.
    pub rows: Vec<UnitRow>,
    /// Which of them are shown.
    pub pager: Pager,
}
