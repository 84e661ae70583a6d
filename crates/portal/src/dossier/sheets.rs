//! The sheets that a unit fills in: texts, services with their calculator, fields, accounts.

use askama::Template;

use super::Remark;
use crate::centre::Field;
use crate::parts::{Choice, FieldError, State};
use crate::shell::Shell;
use crate::text::Text;

/// A field of a sheet.
pub struct Entry {
    /// Its name and id.
    pub id: &'static str,
    /// Key of its label.
    pub key: String,
    /// Key of its hint, or empty.
    pub hint: &'static str,
    /// What stands in it.
    pub value: String,
    /// Whether it is a long text.
    pub long: bool,
    /// What there is to choose; empty for text.
    pub choices: Vec<Choice>,
    /// Whether this person only reads it.
    pub fixed: bool,
    /// What it lacks.
    pub wrong: Vec<String>,
    /// Comments on it.
    pub remarks: Vec<Remark>,
}

/// What all sheets share.
pub struct Sheet {
    /// Word of the sheet in its address.
    pub code: &'static str,
    /// Key of its name.
    pub key: String,
    /// Key of what it is for.
    pub why: &'static str,
    /// The rule behind it.
    pub rule: &'static str,
    /// The dossier's page.
    pub base: String,
    /// Its number.
    pub number: String,
    /// Name of the system.
    pub name: String,
    /// Every sheet: key of the name, address, whether it is this one.
    pub sheets: Vec<(String, String, bool)>,
    /// Whether it may be saved now.
    pub editable: bool,
    /// The revision that was looked at.
    pub revision: i64,
    /// What was done a moment ago.
    pub told: Option<&'static str>,
    /// Against saving twice.
    pub once: String,
}

/// A file of a paper.
pub struct FileRow {
    /// Its number.
    pub id: u64,
    /// What it is.
    pub kind: String,
    /// Its name as it came; empty: it had none.
    pub name: String,
    /// Its size in words.
    pub size: String,
    /// Its digest in hex.
    pub digest: String,
    /// What the scanner said.
    pub scan: State,
    /// Where it is had; empty: nowhere for this person.
    pub href: String,
}

/// A sheet of texts.
#[derive(Template)]
#[template(path = "dossier/texts.html")]
pub struct Texts {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// The sheet.
    pub sheet: Sheet,
    /// Its fields.
    pub entries: Vec<Entry>,
    /// Files, where the paper has some.
    pub files: Option<Vec<FileRow>>,
    /// Word of the item that they are.
    pub files_item: &'static str,
    /// What the files lack.
    pub files_wrong: Vec<String>,
    /// Comments on the files.
    pub files_remarks: Vec<Remark>,
}

/// A row of the two tables of services.
pub struct LineRow {
    /// Names of its fields begin with this.
    pub id: String,
    /// Service in words.
    pub service: String,
    /// Daily count as typed.
    pub daily: String,
    /// Purpose as typed.
    pub purpose: String,
    /// What procedures suggest.
    pub suggested: u64,
    /// What it lacks.
    pub wrong: Vec<String>,
}

/// One of the two tables.
pub struct Lines {
    /// Its anchor.
    pub id: &'static str,
    /// Key of its heading.
    pub key: &'static str,
    /// Rows, one for each service.
    pub rows: Vec<LineRow>,
    /// Their sum.
    pub total: u64,
    /// The most that the sum may be; 0: no cap.
    pub cap: u64,
    /// What the table lacks as a whole.
    pub wrong: Vec<String>,
    /// Comments on it.
    pub remarks: Vec<Remark>,
}

/// A row of the table of procedures.
pub struct ProcedureRow {
    /// Names of its fields begin with this.
    pub id: String,
    /// Code, purpose, cases a day, queries a case, as typed.
    pub values: [String; 4],
    /// Whether a case code is required.
    pub case: bool,
    /// Queries a day.
    pub product: u64,
    /// What it lacks.
    pub wrong: Vec<String>,
}

/// Services, counts and procedures (B5, B10, D4).
#[derive(Template)]
#[template(path = "dossier/services.html")]
pub struct Services {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// The sheet.
    pub sheet: Sheet,
    /// Procedures.
    pub procedures: Vec<ProcedureRow>,
    /// What procedures lack as a whole.
    pub procedures_wrong: Vec<String>,
    /// Comments on procedures.
    pub procedures_remarks: Vec<Remark>,
    /// Queries a day that they need together.
    pub needed: u64,
    /// In hours, off hours.
    pub tables: Vec<Lines>,
}

/// Wanted fields of a service.
pub struct UseRow {
    /// Names of its fields begin with this.
    pub id: String,
    /// Service in words.
    pub service: String,
    /// What for, as typed.
    pub purpose: String,
    /// Codes of procedures, as typed.
    pub procedures: String,
    /// Ordinary fields.
    pub ordinary: Vec<Choice>,
    /// Sensitive fields.
    pub sensitive: Vec<Choice>,
    /// What it lacks.
    pub wrong: Vec<String>,
}

/// Wanted fields by service (A4, B10).
#[derive(Template)]
#[template(path = "dossier/fields.html")]
pub struct Fields {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// The sheet.
    pub sheet: Sheet,
    /// A card for each registered service.
    pub rows: Vec<UseRow>,
    /// Codes of the dossier's procedures.
    pub procedures: String,
    /// What is lacking as a whole.
    pub wrong: Vec<String>,
    /// Comments.
    pub remarks: Vec<Remark>,
}

/// A row of the account list.
pub struct AccountRow {
    /// Its place in the list.
    pub index: u64,
    /// Login, name, citizen id, officer code, telephone, role.
    pub values: [String; 6],
    /// Key of its kind.
    pub kind: String,
    /// Daily count.
    pub daily: u64,
    /// What it lacks.
    pub wrong: Vec<String>,
}

/// The account list (B6).
#[derive(Template)]
#[template(path = "dossier/accounts.html")]
pub struct Accounts {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// The sheet.
    pub sheet: Sheet,
    /// Rows, those that lack something first.
    pub rows: Vec<AccountRow>,
    /// Rows that are not shown.
    pub more: u64,
    /// Rows in all.
    pub count: u64,
    /// Their counts together.
    pub total: u64,
    /// What the list lacks as a whole.
    pub wrong: Vec<String>,
    /// Comments.
    pub remarks: Vec<Remark>,
    /// The form of one row.
    pub fields: Vec<Field>,
    /// Which row it changes; empty: it adds one.
    pub row: String,
}

impl Accounts {
    /// Whether a comment may be answered now.
    fn answers(&self) -> bool {
        self.remarks.iter().any(|remark| remark.answers)
    }
}
