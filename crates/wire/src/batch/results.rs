//! Results as files: CSV and NDJSON, row by row, so that a result is never in memory as a whole.
//!
//! **Invariant:** no cell of a CSV begins with a sign by which a spreadsheet takes it for a
//! formula: such a text gets an apostrophe in front.

use std::fmt::Write;

use dancu_domain::birth::Precision;
use dancu_domain::ids::PersonalId;
use dancu_domain::person::{
    Address, BloodGroup, HouseholdRole, MaritalStatus, Relative, Sex, VitalStatus,
};
use dancu_domain::refusal::Reason;
use dancu_domain::service::Field;
use dancu_gate::jobs::types::{BadPage, BadRow, ItemOutcome, ItemResult, Page};
use dancu_gate::query::{ClaimResult, CorrelationId, Disclosed};

use crate::rest::results;
use crate::rest::row::{self, Part};

/// Header of the bad rows as CSV, with its line end.
pub const BAD_CSV_HEADER: &str = "row,field,reasonVi,reason\r\n";

/// Header of a batch's results as CSV, with its line end. `claims` holds `field=result` pairs.
pub const BATCH_CSV_HEADER: &str =
    "row,result,alive,precision,claims,ruleId,titleVi,journalIndex,correlationId\r\n";

/// Parts of an address and of a relative, in the order of their columns.
const ADDRESS: [&str; 5] = ["provinceCode", "communeCode", "detail", "country", "datasetDate"];
const RELATIVE: [&str; 4] = ["fullName", "personalId", "oldId", "nationality"];

/// Header of a list's results as CSV, with its line end: every field there is, whatever is
/// granted, so that columns do not move; what is not granted or not known is empty.
pub fn list_csv_header() -> String {
    let mut out = "row,result".to_owned();
    for field in Field::ALL {
        let parts: &[&str] = match kind(*field) {
            Kind::Address => &ADDRESS,
            Kind::Relative => &RELATIVE,
            Kind::Scalar => &[],
        };
        for part in parts {
            let _ = write!(out, ",{}.{part}", field.code());
        }
        if parts.is_empty() {
            let _ = write!(out, ",{}", field.code());
        }
    }
    out.push_str(",ruleId,titleVi,journalIndex,correlationId\r\n");
    out
}

/// Appends one result as a line of CSV under [`BATCH_CSV_HEADER`], or under [`list_csv_header`]
/// where `list`.
pub fn result_csv(out: &mut String, item: &ItemResult, list: bool) {
    let mut line = Csv { out, first: true };
    line.number(u64::from(item.row), 1);
    let word = match &item.outcome {
        ItemOutcome::NoMatch => "noMatch",
        ItemOutcome::Match { .. } => "match",
        ItemOutcome::Listed(_) => "listed",
        ItemOutcome::Refused(_) => "refused",
    };
    line.text(word);
    match (&item.outcome, list) {
        (ItemOutcome::Listed(citizen), true) => line.citizen(Some(citizen)),
        (_, true) => line.citizen(None),
        (ItemOutcome::Match { precision, alive, claims }, false) => {
            line.verified(*precision, *alive, claims);
        }
        (_, false) => (0..3).for_each(|_| line.text("")),
    }
    let reason = match item.outcome {
        ItemOutcome::Refused(number) => Reason::from_number(number),
        _ => None,
    };
    line.text(reason.map_or("", |r| r.rule().code()));
    line.text(reason.map_or("", |r| r.text().title_vi));
    line.number(item.journal_index, 1);
    line.text(&CorrelationId(item.correlation).to_string());
    line.end();
}

/// Appends one result as a line of NDJSON.
pub fn result_ndjson(out: &mut String, item: &ItemResult) {
    results::item(out, item);
    out.push('\n');
}

/// A page of results as one JSON object: `{"results":[…], "next":N or null}`.
pub fn results_page(page: &Page) -> String {
    results::page(page)
}

/// Appends one bad row as a line of CSV under [`BAD_CSV_HEADER`].
pub fn bad_csv(out: &mut String, bad: &BadRow) {
    let mut line = Csv { out, first: true };
    line.number(u64::from(bad.row), 1);
    line.text(&bad.field);
    line.text(&bad.reason_vi);
    line.text(&bad.reason);
    line.end();
}

/// Appends one bad row as a line of NDJSON.
pub fn bad_ndjson(out: &mut String, bad: &BadRow) {
    results::bad_row(out, bad);
    out.push('\n');
}

/// A page of bad rows as one JSON object: `{"badRows":[…], "next":N or null}`.
pub fn bad_page(page: &BadPage) -> String {
    results::bad_page(page)
}

enum Kind {
    Scalar,
    Address,
    Relative,
}

/// The same kinds as claims have: a column that can be claimed can be told.
fn kind(field: Field) -> Kind {
    if row::Column::claim(field, Some(Part::Province)).is_some() {
        Kind::Address
    } else if row::Column::claim(field, Some(Part::Name)).is_some() {
        Kind::Relative
    } else {
        Kind::Scalar
    }
}

/// A line of CSV that is being written.
struct Csv<'o> {
    out: &'o mut String,
    first: bool,
}

impl Csv<'_> {
    fn next(&mut self) {
        if !self.first {
            self.out.push(',');
        }
        self.first = false;
    }

    fn end(self) {
        self.out.push_str("\r\n");
    }

    fn text(&mut self, text: &str) {
        self.next();
        let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let quoted = text.contains([',', ';', '"', '\n', '\r', '\t']);
        if quoted {
            self.out.push('"');
        }
        if formula {
            self.out.push('\'');
        }
        if quoted {
            self.out.push_str(&text.replace('"', "\"\""));
            self.out.push('"');
        } else {
            self.out.push_str(text);
        }
    }

    /// A number of at least so many digits.
    fn number(&mut self, number: u64, digits: usize) {
        self.next();
        // Writing to a String cannot fail.
        let _ = write!(self.out, "{number:0digits$}");
    }

    fn code(&mut self, code: Option<u8>, digits: usize) {
        self.id(code.map(u64::from), digits);
    }

    fn id(&mut self, id: Option<u64>, digits: usize) {
        match id {
            Some(id) => self.number(id, digits),
            None => self.text(""),
        }
    }

    #[expect(clippy::option_option, reason = "not granted, missing and known are three answers")]
    fn verified(
        &mut self,
        precision: Precision,
        alive: Option<Option<bool>>,
        claims: &[(Field, ClaimResult)],
    ) {
        self.text(match alive {
            None => "",
            Some(Some(true)) => "true",
            Some(Some(false)) => "false",
            Some(None) => "null",
        });
        self.text(if precision == Precision::Year { "year" } else { "" });
        let pair =
            |(field, result): &(Field, ClaimResult)| format!("{}={}", field.code(), result.code());
        self.text(&claims.iter().map(pair).collect::<Vec<_>>().join(" "));
    }

    fn citizen(&mut self, citizen: Option<&Disclosed>) {
        for field in Field::ALL {
            match citizen {
                Some(citizen) => self.field(citizen, *field),
                None => match kind(*field) {
                    Kind::Address => self.address(None),
                    Kind::Relative => self.relative(None),
                    Kind::Scalar => self.text(""),
                },
            }
        }
    }

    fn field(&mut self, p: &Disclosed, field: Field) {
        match field {
            Field::PersonalId => self.id(p.personal_id().map(PersonalId::number), 12),
            Field::OldId => self.id(p.old_id().map(|id| u64::from(id.number())), 9),
            Field::FullName => self.text(p.full_name().unwrap_or_default()),
            Field::OtherName => self.text(p.other_name().unwrap_or_default()),
            Field::DateOfBirth => self.text(&p.birth().map_or_else(String::new, |b| b.to_string())),
            Field::Sex => self.code(p.sex().map(Sex::code), 1),
            Field::Ethnicity => self.code(p.ethnicity(), 2),
            Field::Religion => self.code(p.religion(), 2),
            Field::Nationality => self.text(p.nationality().unwrap_or_default()),
            Field::MaritalStatus => self.code(p.marital().map(MaritalStatus::code), 1),
            Field::BloodGroup => self.code(p.blood().map(BloodGroup::code), 2),
            Field::BirthPlace => self.address(p.birth_place()),
            Field::BirthRegistration => self.address(p.birth_registration()),
            Field::Origin => self.address(p.origin()),
            Field::PermanentResidence => self.address(p.permanent()),
            Field::TemporaryResidence => self.address(p.temporary()),
            Field::CurrentResidence => self.address(p.current()),
            Field::Father => self.relative(p.father()),
            Field::Mother => self.relative(p.mother()),
            Field::Spouse => self.relative(p.spouse()),
            Field::Guardian => self.relative(p.guardian()),
            Field::HouseholdHead => self.relative(p.household_head()),
            Field::HouseholdRole => {
                self.text(p.household_role().map_or("", HouseholdRole::code));
            }
            Field::HouseholdNumber => self.text(p.household_number().unwrap_or_default()),
            Field::VitalStatus => self.code(p.vital().map(VitalStatus::code), 1),
        }
    }

    fn address(&mut self, address: Option<&Address>) {
        let Some(a) = address else {
            return ADDRESS.iter().for_each(|_| self.text(""));
        };
        self.code(Some(a.province).filter(|p| *p != 0), 2);
        self.id(Some(a.commune).filter(|c| *c != 0).map(u64::from), 5);
        self.text(&a.detail);
        self.text(a.country.as_str());
        self.text(a.dataset.date());
    }

    fn relative(&mut self, relative: Option<&Relative>) {
        let Some(r) = relative else {
            return RELATIVE.iter().for_each(|_| self.text(""));
        };
        self.text(r.full_name.as_str());
        self.id(r.personal_id.map(PersonalId::number), 12);
        self.id(r.old_id.map(|id| u64::from(id.number())), 9);
        self.text(r.nationality.as_str());
    }
}
