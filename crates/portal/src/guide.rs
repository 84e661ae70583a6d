//! The guide for people: one page, a part for each role.

use askama::Template;

use crate::counter::Verdict;
use crate::shell::Shell;
use crate::text::Text;

/// What a refusal means and what to do about it.
pub struct Advice {
    /// The sentences of the refusals that ask for the same.
    pub sentences: Vec<String>,
    /// What to do.
    pub what_to_do: String,
    /// Ids of their rules.
    pub rules: Vec<&'static str>,
}

/// The page.
#[derive(Template)]
#[template(path = "guide.html")]
pub struct Guide {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What the counter may be refused.
    pub refusals: Vec<Advice>,
}

/// One role's part.
pub struct Part {
    /// Its id in the page.
    pub id: &'static str,
    /// Key of its heading.
    pub head: &'static str,
    /// Keys of its sentences.
    pub lines: &'static [&'static str],
}

/// The roles beside the counter.
const PARTS: [Part; 5] = [
    Part {
        id: "unit",
        head: "guide-unit",
        lines: &["guide-unit-1", "guide-unit-2", "guide-unit-3", "guide-unit-4"],
    },
    Part {
        id: "operator",
        head: "guide-operator",
        lines: &["guide-operator-1", "guide-operator-2", "guide-operator-3", "guide-operator-4"],
    },
    Part { id: "auditor", head: "guide-auditor", lines: &["guide-auditor-1", "guide-auditor-2"] },
    Part {
        id: "citizen",
        head: "guide-citizen",
        lines: &["guide-citizen-1", "guide-citizen-2", "guide-citizen-3"],
    },
    Part {
        id: "integrator",
        head: "guide-integrator",
        lines: &["guide-integrator-1", "guide-integrator-2"],
    },
];

impl Guide {
    /// The roles beside the counter.
    #[must_use]
    pub fn parts(&self) -> &'static [Part] {
        &PARTS
    }

    /// Each verdict with the key of what to do then.
    #[must_use]
    pub fn verdicts(&self) -> [(Verdict, &'static str); 4] {
        [
            (Verdict::Match, "guide-do-match"),
            (Verdict::Partly, "guide-do-partly"),
            (Verdict::Unknown, "guide-do-unknown"),
            (Verdict::NoMatch, "guide-do-none"),
        ]
    }
}
