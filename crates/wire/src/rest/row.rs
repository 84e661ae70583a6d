//! One person of a batch: the same keys and claims as in a verification, read by the same readers,
//! from a JSON object of its own or from the cells of a table.

use std::borrow::Cow;

use dancu_domain::service::Field;
use dancu_gate::query::{Claim, FieldError, Subject};
use jiff::civil::Date;

use super::bodies::{
    AddressBody, ClaimKind, ClaimList, RawClaim, RelativeBody, SubjectBody, claim_kind,
};
use super::fields::{self, At, Reader};
use super::parse;
use super::raw::{Nested, Raw, body};
use super::shapes;

body! {
    /// A line of an NDJSON file: the keys of `subject`, and `claims` beside them.
    RowBody<'a> {
        /// Số định danh.
        personal_id: "personalId", Raw<'a>, Optional, shapes::personal_id;
        /// Số CMND.
        old_id: "oldId", Raw<'a>, Optional, shapes::old_id;
        /// Họ và tên.
        full_name: "fullName", Raw<'a>, Required, shapes::full_name;
        /// Ngày sinh.
        birth: "dateOfBirth", Raw<'a>, Required, shapes::date_of_birth;
        /// Claims about fields.
        claims: "claims", Nested<ClaimList<'a>>, Optional, shapes::claims;
    }
}

/// Whom a row asks about and what it claims, or what is wrong with it.
pub(crate) type ReadRow = Result<(Subject, Vec<Claim>), RowErrors>;

/// What is wrong with a row. None of it holds a value of the row.
pub(crate) enum RowErrors {
    /// The row itself: Vietnamese, English.
    Row(String, String),
    /// Its fields: all that are wrong, by their paths in REST.
    Fields(Vec<FieldError>),
}

/// Names of the members that a line of an NDJSON file may have, in the order of the document.
pub(super) fn members() -> &'static [shapes::FieldDoc] {
    RowBody::FIELDS
}

/// Reads one line of an NDJSON file. Errors name the member, never its value.
pub(crate) fn json(text: &str, today: Date) -> ReadRow {
    let mut reader = Reader { today, errors: vec![] };
    let row = match serde_json::from_str::<Nested<RowBody<'_>>>(text) {
        Ok(Nested::Given(row)) => row,
        Ok(_) => {
            return whole("Mỗi dòng phải là một đối tượng JSON {…}.", "A row is a JSON object.");
        }
        Err(e) if e.is_eof() => return whole("JSON bị cắt cụt.", "The JSON is cut off."),
        Err(e) => {
            let at = e.column();
            let vi = format!("JSON sai cú pháp ở cột {at}.");
            return whole(&vi, &format!("The JSON is malformed at column {at}."));
        }
    };
    reader.issues(None, &row.issues);
    let RowBody { personal_id, old_id, full_name, birth, claims, .. } = row;
    let subject = SubjectBody { personal_id, old_id, full_name, birth, ..SubjectBody::default() };
    finish(reader, subject, &claims)
}

fn whole(vi: &str, en: &str) -> ReadRow {
    Err(RowErrors::Row(vi.to_owned(), en.to_owned()))
}

fn finish(mut reader: Reader, subject: SubjectBody<'_>, claims: &Nested<ClaimList<'_>>) -> ReadRow {
    let subject = parse::subject(&mut reader, &Nested::Given(subject));
    let claims = parse::claims(&mut reader, claims);
    match subject {
        Some(subject) if reader.errors.is_empty() => Ok((subject, claims)),
        _ => Err(RowErrors::Fields(reader.errors)),
    }
}

/// A key of the subject.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Key {
    /// Số định danh.
    PersonalId,
    /// Số CMND.
    OldId,
    /// Họ và tên.
    Name,
    /// Ngày sinh.
    Birth,
}

/// A part of a claim that has parts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    /// Of an address: province.
    Province,
    /// Of an address: commune.
    Commune,
    /// Of an address: house and street.
    Detail,
    /// Of an address: country.
    Country,
    /// Of an address: date by which its codes are read.
    Dataset,
    /// Of a relative: name.
    Name,
    /// Of a relative: personal id.
    PersonalId,
    /// Of a relative: old id.
    OldId,
    /// Of a relative: nationality.
    Nationality,
    /// Of a relative: birth.
    Birth,
}

/// What a column of a table holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Column {
    /// A key of the subject.
    Subject(Key),
    /// A claim that is one value.
    Scalar(Field),
    /// A part of an address or relative.
    Part(Field, Part),
}

impl Column {
    /// A claim about a field; `None` where the field is claimed otherwise.
    pub(crate) fn claim(field: Field, part: Option<Part>) -> Option<Self> {
        use Part::{
            Birth, Commune, Country, Dataset, Detail, Name, Nationality, OldId, PersonalId,
            Province,
        };
        match (claim_kind(field), part) {
            (ClaimKind::Scalar, None) => Some(Self::Scalar(field)),
            (
                ClaimKind::Address,
                Some(part @ (Province | Commune | Detail | Country | Dataset)),
            )
            | (
                ClaimKind::Relative,
                Some(part @ (Name | PersonalId | OldId | Nationality | Birth)),
            ) => Some(Self::Part(field, part)),
            _ => None,
        }
    }
}

/// The cells of one row of a table, being read.
#[derive(Default)]
pub(crate) struct Cells<'a> {
    subject: SubjectBody<'a>,
    claims: ClaimList<'a>,
}

impl<'a> Cells<'a> {
    /// Takes the text of a cell that is not empty. Each column comes once.
    pub(crate) fn put(&mut self, column: Column, text: Cow<'a, str>) {
        match column {
            Column::Subject(key) => {
                let slot = match key {
                    Key::PersonalId => &mut self.subject.personal_id,
                    Key::OldId => &mut self.subject.old_id,
                    Key::Name => &mut self.subject.full_name,
                    Key::Birth => &mut self.subject.birth,
                };
                *slot = Raw::Text(text);
            }
            Column::Scalar(field) => {
                let claim = RawClaim::Scalar(scalar(field, text));
                self.claims.list.push((field, claim));
            }
            Column::Part(field, part) => self.part(field, part, text),
        }
    }

    fn part(&mut self, field: Field, part: Part, text: Cow<'a, str>) {
        let list = &mut self.claims.list;
        let at = list.iter().position(|(f, _)| *f == field).unwrap_or_else(|| {
            let empty = match claim_kind(field) {
                ClaimKind::Address => RawClaim::Address(Nested::Given(AddressBody::default())),
                _ => RawClaim::Relative(Nested::Given(RelativeBody::default())),
            };
            list.push((field, empty));
            list.len() - 1
        });
        let slot = match (&mut list[at].1, part) {
            (RawClaim::Address(Nested::Given(a)), Part::Province) => &mut a.province,
            (RawClaim::Address(Nested::Given(a)), Part::Commune) => &mut a.commune,
            (RawClaim::Address(Nested::Given(a)), Part::Detail) => &mut a.detail,
            (RawClaim::Address(Nested::Given(a)), Part::Country) => &mut a.country,
            (RawClaim::Address(Nested::Given(a)), Part::Dataset) => &mut a.dataset,
            (RawClaim::Relative(Nested::Given(r)), Part::Name) => &mut r.full_name,
            (RawClaim::Relative(Nested::Given(r)), Part::PersonalId) => &mut r.personal_id,
            (RawClaim::Relative(Nested::Given(r)), Part::OldId) => &mut r.old_id,
            (RawClaim::Relative(Nested::Given(r)), Part::Nationality) => &mut r.nationality,
            (RawClaim::Relative(Nested::Given(r)), Part::Birth) => &mut r.birth,
            // Columns are made by `Column::claim`, which pairs each field with its own parts.
            _ => return,
        };
        *slot = Raw::Text(text);
    }

    /// Reads the row. Tables often carry both ids: the personal id decides, as over SOAP, and a
    /// wrong one is never passed over for the old id.
    pub(crate) fn read(mut self, today: Date) -> ReadRow {
        let mut reader = Reader { today, errors: vec![] };
        if matches!(self.subject.personal_id, Raw::Text(_)) {
            let old = std::mem::take(&mut self.subject.old_id);
            let subject = At::root("subject");
            reader.optional(&old, subject.then("oldId"), fields::old_id);
        }
        finish(reader, self.subject, &Nested::Given(self.claims))
    }
}

/// A code as a table holds it: spreadsheets drop leading zeros, so digits are taken as a number.
fn scalar(field: Field, text: Cow<'_, str>) -> Raw<'_> {
    let is_code = matches!(
        field,
        Field::Sex
            | Field::Ethnicity
            | Field::Religion
            | Field::MaritalStatus
            | Field::BloodGroup
            | Field::VitalStatus
    );
    let short = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(number) if is_code && short => Raw::Number(number),
        _ => Raw::Text(text),
    }
}
