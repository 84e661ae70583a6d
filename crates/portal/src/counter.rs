//! The officer's counter: one field, one verdict, rows, and how to go on when there is none.

use askama::Template;

use crate::parts::{Choice, FieldError, Meter, Refusal};
use crate::shell::Shell;
use crate::text::Text;

/// Why the officer asks: chosen first and remembered for the next person.
pub struct Reason {
    /// Systems that the officer may ask through; shown where there are several.
    pub systems: Vec<Choice>,
    /// Procedures the system is registered for (rule B10).
    pub procedures: Vec<Choice>,
    /// Case file, as typed.
    pub case_code: String,
    /// Whether the registration asks for a case file (rule A5).
    pub case_required: bool,
    /// Registered purposes (rule A5); the first is that of whatever procedure is chosen.
    pub purposes: Vec<Choice>,
}

/// A field that may be compared beside the three keys.
pub struct Compare {
    /// Its id in the form.
    pub id: &'static str,
    /// Key of the field's name.
    pub key: &'static str,
    /// What was typed.
    pub value: String,
    /// What may be chosen, "not compared" first; empty where it is typed.
    pub choices: Vec<Choice>,
    /// Key of a hint; empty where it needs none.
    pub hint: &'static str,
}

/// The page.
#[derive(Template)]
#[template(path = "counter/counter.html")]
pub struct Counter {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Procedure, case, purpose.
    pub reason: Reason,
    /// What is left.
    pub meter: Meter,
    /// The field as it was sent; empty for the next person.
    pub subject: String,
    /// What else may be compared, as far as it is granted.
    pub compare: Vec<Compare>,
    /// Mark of this form: sent twice, it is the same question, counted once (rule D6).
    pub once: String,
    /// What is wrong with the question.
    pub errors: Vec<FieldError>,
    /// What came of it.
    pub outcome: Outcome,
}

impl Counter {
    /// Whether the next step is the next person.
    #[must_use]
    pub fn done(&self) -> bool {
        matches!(self.outcome, Outcome::Answered(_))
    }

    /// Whether something is compared beside the three keys, or went wrong there.
    #[must_use]
    pub fn compares(&self) -> bool {
        let wrong = |id| self.errors.iter().any(|error| error.field == id);
        self.compare.iter().any(|field| !field.value.is_empty() || wrong(field.id))
    }

    /// The procedure that is chosen, in words; empty where there is none.
    #[must_use]
    pub fn chosen(&self) -> &str {
        let chosen = self.reason.procedures.iter().find(|choice| choice.chosen);
        chosen.map_or("", |choice| choice.label.as_str())
    }

    /// Whether the reason stands open where it is folded otherwise: something in it is missing.
    #[must_use]
    pub fn unfolds(&self) -> bool {
        let parts = ["system", "procedure", "case", "purpose"];
        let missing = self.reason.case_required && self.reason.case_code.is_empty();
        missing || self.errors.iter().any(|error| parts.contains(&error.field))
    }

    /// Key of the hint beside the case file.
    #[must_use]
    pub fn case_hint(&self) -> &'static str {
        if self.reason.case_required { "counter-case-required" } else { "counter-case-optional" }
    }
}

/// What came of a question.
pub enum Outcome {
    /// Nothing was asked yet.
    Ready,
    /// The gate answered.
    Answered(Box<Answered>),
    /// The gate refused.
    Refused(Refusal),
    /// Nobody can be asked now: how to serve the person in front of the glass all the same.
    Outage(Outage),
}

/// The verdict in one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Id, name and birth agree, and all claims.
    Match,
    /// The three keys agree, a claim does not.
    Partly,
    /// The three keys agree, the registry has no data for a claim.
    Unknown,
    /// The three keys do not agree.
    NoMatch,
}

impl Verdict {
    /// Class of the sheet.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Self::Match => "good",
            Self::Partly | Self::NoMatch => "bad",
            Self::Unknown => "",
        }
    }

    /// Icon of the sprite.
    #[must_use]
    pub fn icon(self) -> &'static str {
        match self {
            Self::Match => "circle-check",
            Self::Partly | Self::NoMatch => "circle-x",
            Self::Unknown => "circle-minus",
        }
    }

    /// Key of its words; `-why` beside it says what it means.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Match => "verdict-match",
            Self::Partly => "verdict-partly",
            Self::Unknown => "verdict-unknown",
            Self::NoMatch => "verdict-none",
        }
    }

    /// Key of the sentence under it.
    #[must_use]
    pub fn why(self) -> String {
        format!("{}-why", self.key())
    }

    /// Key of what stands small under the one verdict that counts: the person is dead.
    #[must_use]
    pub fn quiet(self) -> String {
        if self == Self::Match { "verdict-match-quiet".to_owned() } else { self.why() }
    }
}

/// Answer for one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The registry has the same.
    Match,
    /// The registry has another value.
    Mismatch,
    /// The registry has none.
    Unknown,
}

impl Answer {
    /// Class of the sheet.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Self::Match => "good",
            Self::Mismatch => "bad",
            Self::Unknown => "none",
        }
    }

    /// Icon of the sprite.
    #[must_use]
    pub fn icon(self) -> &'static str {
        match self {
            Self::Match => "check",
            Self::Mismatch => "x",
            Self::Unknown => "minus",
        }
    }

    /// Key of its words.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Match => "answer-match",
            Self::Mismatch => "answer-mismatch",
            Self::Unknown => "answer-unknown",
        }
    }
}

/// One row: field, what was asked, what came.
pub struct Row {
    /// Key of the field's name.
    pub key: &'static str,
    /// What was asked.
    pub asked: String,
    /// Whether it is an id, shown in groups.
    pub is_id: bool,
    /// Answer.
    pub answer: Answer,
    /// The registry's own value, only when granted and asked for.
    pub own: Option<String>,
    /// Where the registry has it from, with the date.
    pub source: String,
}

/// A sensitive field: apart, on demand, journaled as shown (rule A4).
pub struct Sensitive {
    /// Key of the field's name.
    pub key: &'static str,
    /// Name of the field as in a grant.
    pub field: &'static str,
    /// Its value once it was asked for.
    pub shown: Option<String>,
}

/// An answer.
pub struct Answered {
    /// In one line.
    pub verdict: Verdict,
    /// Whether the birth agreed by year only.
    pub year_only: bool,
    /// Day of death when the person is dead, `dd/mm/yyyy`; empty text when the day is unknown.
    pub deceased: Option<String>,
    /// Whether the person was declared missing.
    pub missing: bool,
    /// Rows.
    pub rows: Vec<Row>,
    /// Sensitive fields granted.
    pub sensitive: Vec<Sensitive>,
    /// Time of the answer, `HH:MM:SS dd/mm/yyyy`.
    pub time: String,
    /// Code of the answer.
    pub code: String,
    /// Words of the watermark: officer, unit, time.
    pub watermark: String,
    /// Result slip; none where the store has no key for its mark.
    pub slip: Option<String>,
    /// Whether a look-up in full is granted.
    pub lookup: bool,
    /// The person as the next form names them: sealed, nobody reads it in the page.
    pub sealed: String,
}

/// Nobody can be asked.
pub struct Outage {
    /// Since when, `HH:MM`.
    pub since: String,
    /// When it is expected back, if known.
    pub expected: Option<String>,
    /// Whom to call.
    pub whom: String,
    /// Code of the attempt.
    pub code: String,
}

/// The result slip for the case file: no personal data, not even the officer's name.
#[derive(Template)]
#[template(path = "counter/slip.html")]
pub struct Slip {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Unit that asked.
    pub unit: String,
    /// What is left.
    pub meter: Meter,
    /// Case file.
    pub case_code: String,
    /// Procedure in words.
    pub procedure: String,
    /// Time of the answer.
    pub time: String,
    /// Code of the answer.
    pub code: String,
    /// Position in the journal.
    pub journal: u64,
    /// Verdict.
    pub verdict: Verdict,
    /// Whether the registry knows the person as dead.
    pub deceased: bool,
    /// Field key and answer; none where nobody matched.
    pub rows: Vec<(&'static str, Answer)>,
    /// Path of an SVG with the QR code's dark squares, one unit each.
    pub qr_path: String,
    /// Width of the QR code in squares, quiet zone included.
    pub qr_size: u32,
    /// Address where a code is typed; the QR code opens it with the slip's own mark.
    pub check_url: String,
}

/// Whether a result slip is genuine: for whoever holds one, without a name.
#[derive(Template)]
#[template(path = "counter/check.html")]
pub struct Check {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong with the code.
    pub errors: Vec<FieldError>,
    /// The code asked about, as typed.
    pub code: String,
    /// What is known of it.
    pub found: Option<Checked>,
}

/// A result that was given.
pub struct Checked {
    /// Code of the answer.
    pub code: String,
    /// Time of the answer.
    pub time: String,
    /// Unit that asked.
    pub unit: String,
    /// Key of the verdict's words; the rows stand only where the slip's own address was opened.
    pub verdict: &'static str,
    /// Whether nobody matched.
    pub nobody: bool,
    /// Whether only the code was typed: what the rows said is not known then.
    pub typed: bool,
    /// Whether the registry knew the person as dead.
    pub deceased: bool,
    /// Field key and answer.
    pub rows: Vec<(&'static str, Answer)>,
}

/// Look-up in full: a fresh reason first, then the record.
#[derive(Template)]
#[template(path = "counter/lookup.html")]
pub struct Lookup {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong with the reason.
    pub errors: Vec<FieldError>,
    /// The id of the person asked about.
    pub personal_id: String,
    /// Name of the person asked about, as it was asked.
    pub name: String,
    /// What is left of the line that look-ups count on.
    pub meter: Meter,
    /// Whether a sensitive field was opened rather than the record.
    pub reveals: bool,
    /// The reason as it was typed.
    pub reason: String,
    /// The person, sealed.
    pub sealed: String,
    /// Mark of this form, as on the counter.
    pub once: String,
    /// The record once the reason is given; what was told before stays while more is opened.
    pub record: Option<Record>,
    /// Why there is none, or nothing more.
    pub refused: Option<Refusal>,
}

/// A record as granted.
pub struct Record {
    /// Key of the field's name, value, source with date.
    pub facts: Vec<(&'static str, String, String)>,
    /// Sensitive fields.
    pub sensitive: Vec<Sensitive>,
    /// Day of death, as in [`Answered`].
    pub deceased: Option<String>,
    /// Whether the three keys fit nobody any more.
    pub nobody: bool,
    /// Words of the watermark.
    pub watermark: String,
    /// Time.
    pub time: String,
    /// Code.
    pub code: String,
    /// When it leaves the screen, `HH:MM`.
    pub cleared: String,
}
