//! What is kept with a dossier: documents of the centre, paper copies; and the page on which a head
//! confirms individual commitments (B7).

use askama::Template;

use crate::parts::{Choice, FieldError, State};
use crate::shell::Shell;
use crate::text::Text;

/// What the scanner said of a file.
pub mod scans {
    use crate::parts::State;

    /// There is no scanner.
    pub const UNASKED: State = State { class: "", icon: "circle-minus", key: "scan-unasked" };
    /// Nothing was found.
    pub const CLEAN: State = State { class: "good", icon: "shield-check", key: "scan-clean" };
    /// No answer.
    pub const UNDECIDED: State =
        State { class: "warn", icon: "circle-alert", key: "scan-undecided" };
}

/// Whether an officer has a commitment.
pub mod committed {
    use crate::parts::State;

    /// One was confirmed.
    pub const YES: State = State { class: "good", icon: "check", key: "commitment-yes" };
    /// None was.
    pub const NO: State = State { class: "warn", icon: "circle-alert", key: "commitment-no" };
}

/// A document of the centre.
pub struct DocumentRow {
    /// Key of its kind.
    pub key: String,
    /// Number and sign.
    pub number: String,
    /// Its day.
    pub date: String,
    /// Dossier or system that it is about.
    pub about: String,
    /// Page of that dossier; empty: it is about a system.
    pub about_href: String,
    /// The unit.
    pub unit: String,
    /// Where it is had.
    pub href: String,
}

/// A paper copy.
pub struct CopyRow {
    /// Its number here.
    pub id: i64,
    /// Key of the part.
    pub part: String,
    /// Number of the paper.
    pub number: String,
    /// Its day.
    pub date: String,
    /// Where the unit keeps it.
    pub kept: String,
    /// Who told of it, and when.
    pub told: String,
    /// Who received it, when, where it lies; empty: nobody.
    pub received: String,
    /// Whether this person may receipt it now.
    pub receives: bool,
}

/// What a dossier's page shows of all that.
pub struct Kept {
    /// Documents, the newest first.
    pub documents: Vec<DocumentRow>,
    /// Paper copies.
    pub copies: Vec<CopyRow>,
    /// Parts that the unit may tell a copy of; empty: this person tells of none.
    pub parts: Vec<Choice>,
    /// What was typed: number, day, place.
    pub typed: [String; 3],
}

/// Documents of a unit, or of all.
#[derive(Template)]
#[template(path = "dossier/documents.html")]
pub struct Documents {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Rows.
    pub rows: Vec<DocumentRow>,
    /// Whether the centre looks.
    pub centre: bool,
    /// Where the list goes on.
    pub more: Option<String>,
}

/// An officer and the commitment.
pub struct OfficerRow {
    /// Number of the account.
    pub id: u32,
    /// Name.
    pub name: String,
    /// Login.
    pub login: String,
    /// Whether there is one.
    pub state: State,
    /// Edition, day and list; empty: none.
    pub told: String,
    /// Where the signed list is had; empty: there is none.
    pub href: String,
}

/// Individual commitments of a system's officers.
#[derive(Template)]
#[template(path = "head/commitments.html")]
pub struct Commitments {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// What was done a moment ago.
    pub told: Option<String>,
    /// Systems to choose from.
    pub systems: Vec<Choice>,
    /// The one that is shown.
    pub system: u32,
    /// Edition of the wording.
    pub edition: String,
    /// Where the forms are printed.
    pub papers: &'static str,
    /// Officers, those without one first.
    pub rows: Vec<OfficerRow>,
    /// How many have none.
    pub none: u64,
    /// Against confirming twice.
    pub once: String,
}
