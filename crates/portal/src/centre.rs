//! Units and the centre's staff: the operator's pages, and a head's page of the own unit.

use askama::Template;

use crate::parts::{Choice, FieldError, Pager, SavedView, State};
use crate::shell::Shell;
use crate::text::Text;

/// States that only these pages show.
pub mod states {
    use crate::parts::State;

    /// A unit that was merged, split or dissolved.
    pub const ENDED: State = State { class: "", icon: "ban", key: "unit-ended" };
    /// An event whose day has not come.
    pub const AHEAD: State = State { class: "info", icon: "clock", key: "unit-ahead" };
    /// A commune that was divided among several.
    pub const DIVIDED: State =
        State { class: "warn", icon: "triangle-alert", key: "proposals-divided" };
    /// An event that was annulled before its day.
    pub const ANNULLED: State = State { class: "", icon: "ban", key: "unit-annulled" };
}

/// A unit in the list.
pub struct UnitRow {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Kind in words.
    pub kind: String,
    /// The unit above, by name.
    pub above: String,
    /// Connected systems.
    pub systems: u64,
    /// Active or ended.
    pub state: State,
    /// Its page.
    pub href: String,
}

/// Units.
#[derive(Template)]
#[template(path = "centre/units.html")]
pub struct Units {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What was done a moment ago.
    pub told: Option<&'static str>,
    /// Saved views.
    pub views: Vec<SavedView>,
    /// Words searched for.
    pub search: String,
    /// Provinces to filter by.
    pub provinces: Vec<Choice>,
    /// Kinds to filter by.
    pub kinds: Vec<Choice>,
    /// Rows.
    pub rows: Vec<UnitRow>,
    /// What units told of themselves lately (B9).
    pub news: Vec<EventRow>,
    /// What is dated ahead, the nearest first.
    pub ahead: Vec<EventRow>,
    /// Which part is shown.
    pub pager: Pager,
}

/// A unit in the tree.
pub struct Branch {
    /// How many units stand above it.
    pub depth: usize,
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Living units directly below it.
    pub below: u64,
    /// Whether those are shown.
    pub open: bool,
    /// The unit that the page opens next: this one, or to close it the one above.
    pub toggle: String,
}

/// Units as a tree.
#[derive(Template)]
#[template(path = "centre/tree.html")]
pub struct TreePage {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Saved views.
    pub views: Vec<SavedView>,
    /// Units in the order of the tree.
    pub rows: Vec<Branch>,
    /// Units of long levels that are left out.
    pub left: u64,
}

/// A unit of a commune of before, with who may take over.
pub struct ProposalRow {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// The commune of before, in words.
    pub old: String,
    /// Whether that was divided among several.
    pub divided: bool,
    /// Living units that may take over; none is chosen beforehand.
    pub choices: Vec<Choice>,
}

/// Units of communes of before.
#[derive(Template)]
#[template(path = "centre/proposals.html")]
pub struct Proposals {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Rows.
    pub rows: Vec<ProposalRow>,
    /// Which part is shown.
    pub pager: Pager,
}

/// An event of a unit.
pub struct EventRow {
    /// Its number.
    pub number: String,
    /// The unit's code.
    pub unit: String,
    /// From which day.
    pub day: String,
    /// What, in words.
    pub what: String,
    /// When it was written down.
    pub written: String,
    /// Ahead of its day, or annulled; none: in force.
    pub state: Option<State>,
    /// The form that annuls it, where it may be.
    pub annul: Option<String>,
}

/// A value of a form.
pub struct Field {
    /// Its name and id.
    pub id: &'static str,
    /// Key of its label.
    pub key: &'static str,
    /// Key of its hint, or empty.
    pub hint: &'static str,
    /// What stands in it.
    pub value: String,
    /// What there is to choose; empty for a line of text.
    pub choices: Vec<Choice>,
}

impl Field {
    /// Whether it takes several lines: a list of codes that is pasted.
    pub fn is_long(&self) -> bool {
        matches!(self.id, "merged" | "parts")
    }
}

/// A form that writes an event down.
pub struct EventForm {
    /// The word of the act.
    pub act: &'static str,
    /// Key of its heading.
    pub head: &'static str,
    /// Its fields.
    pub fields: Vec<Field>,
    /// What a merge would move, line by line; the form then carries it out.
    pub preview: Vec<String>,
    /// Whether what it does is looked at before.
    pub previewed: bool,
    /// What was looked at, sent along.
    pub seen: String,
    /// Against doing it twice.
    pub once: String,
    /// Where it is sent.
    pub to: String,
}

/// One unit, for the centre or for its own head.
#[derive(Template)]
#[template(path = "centre/unit.html")]
pub struct Unit {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong in the form.
    pub errors: Vec<FieldError>,
    /// What was done a moment ago.
    pub told: Option<&'static str>,
    /// Whether its own head looks at it.
    pub own: bool,
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Active or ended.
    pub state: State,
    /// What is known of it: key of the label, value.
    pub facts: Vec<(&'static str, String)>,
    /// Names with the day each begins on.
    pub names: Vec<(String, String)>,
    /// Units directly below: name, page.
    pub below: Vec<(String, String)>,
    /// Its systems: code, page.
    pub systems: Vec<(String, String)>,
    /// Who was invited and never came, with the page that gives a new code.
    pub waiting: Vec<(String, String)>,
    /// People who have two accounts in it.
    pub twice: Vec<String>,
    /// What happened, the latest first.
    pub events: Vec<EventRow>,
    /// Forms to choose: key of the name, address, whether it is the one shown.
    pub acts: Vec<(&'static str, String, bool)>,
    /// The form that was chosen.
    pub form: Option<EventForm>,
}

/// A role that somebody holds.
pub struct StaffRow {
    /// The person.
    pub id: String,
    /// Full name.
    pub name: String,
    /// Login, shortened where it is a citizen id.
    pub login: String,
    /// Unit.
    pub unit: String,
    /// Role in words.
    pub role: String,
    /// The role's word.
    pub code: &'static str,
    /// Days.
    pub period: String,
    /// Of the account.
    pub state: State,
    /// Whether this person may end it.
    pub ends: bool,
    /// Whether a new invitation may be given: the person never came.
    pub again: bool,
}

/// Who holds which role of the centre.
#[derive(Template)]
#[template(path = "centre/staff.html")]
pub struct Staff {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong in the form.
    pub errors: Vec<FieldError>,
    /// What was done a moment ago.
    pub told: Option<&'static str>,
    /// Roles to filter by.
    pub roles: Vec<Choice>,
    /// Words that the unit is searched by.
    pub unit: String,
    /// The filters as a query, which the forms of the list keep.
    pub query: String,
    /// Rows.
    pub rows: Vec<StaffRow>,
    /// Which part is shown.
    pub pager: Pager,
    /// Who was invited just now: name, login, code, last day. It is shown this once.
    pub given: Option<(String, String, String, String)>,
    /// The form that invites.
    pub fields: Vec<Field>,
    /// Why somebody's role ends, as typed.
    pub reason: String,
    /// Against inviting twice.
    pub once: String,
}

impl Unit {
    fn count_below(&self) -> u64 {
        self.below.len() as u64
    }
}
