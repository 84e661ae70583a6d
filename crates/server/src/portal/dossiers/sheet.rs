//! The sheets that a unit fills in. What is half-filled is saved; what is wrong with it stands
//! beside its field.

use std::collections::HashMap;

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use dancu_domain::dossier::{Content, Item, Part};
use dancu_domain::people::powers::Power;
use dancu_office::Refused;
use dancu_office::dossiers::read::{Act, Open};
use dancu_office::dossiers::{self as office, At};
use dancu_portal::dossier::Remark;
use dancu_portal::dossier::sheets::Sheet;
use dancu_portal::parts::FieldError;
use serde::Deserialize;

use super::told::{self, Names};
use super::{Place, accounts, at, at_unit, carried, errors, fields, open, opened, services, texts};
use crate::portal::form::{self, Form};
use crate::portal::frame;
use crate::portal::signed::Signed;
use crate::stop::{Handled, Stop};

/// Sheets in their order, with what each is for and the rule behind it.
const SHEETS: [(&str, &str, &str); 6] = [
    ("commitment", "dossier-why-commitment", "B7"),
    ("about", "dossier-why-about", "B1"),
    ("services", "dossier-why-services", "B5"),
    ("fields", "dossier-why-fields", "A4"),
    ("accounts", "dossier-why-accounts", "B6"),
    ("security", "dossier-why-security", "C1"),
];

/// What was done a moment ago, whether what is missing is shown, and which row is changed.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(super) struct Asked {
    told: String,
    check: String,
    pub(super) row: String,
}

/// A sheet while it is looked at or sent.
pub(super) struct Looked<'a> {
    pub(super) signed: &'a Signed,
    pub(super) place: &'a Place,
    pub(super) open: &'a Open,
    pub(super) names: &'a Names,
    /// What it says: as it stands, or as it was typed.
    pub(super) content: &'a Content,
    /// What was typed, where something of it could not be taken.
    pub(super) typed: Option<&'a Form>,
    pub(super) asked: &'a Asked,
}

impl Looked<'_> {
    /// What an item lacks, where that is to be shown: of one row, or of the whole.
    pub(super) fn lacks(&self, item: Item, row: Option<usize>) -> Vec<String> {
        let fits = self.open.missing.iter().filter(|m| m.item == item && m.row == row);
        // What concerns a signature or a file is no matter of a field.
        let fits = fits.filter(|_| self.checks());
        fits.map(|m| self.signed.say(m.vi, m.en).to_owned()).collect()
    }

    /// What the rows of an item lack, by row, where that is to be shown.
    pub(super) fn lacks_by_row(&self, item: Item) -> HashMap<usize, Vec<String>> {
        let mut rows: HashMap<usize, Vec<String>> = HashMap::new();
        for m in self.open.missing.iter().filter(|m| m.item == item && self.checks()) {
            if let Some(row) = m.row {
                rows.entry(row).or_default().push(self.signed.say(m.vi, m.en).to_owned());
            }
        }
        rows
    }

    /// A sheet that was only opened is not judged yet.
    fn checks(&self) -> bool {
        !self.asked.check.is_empty() || self.asked.told == "saved"
    }

    /// Comments on items.
    pub(super) fn remarks(&self, items: &[Item]) -> Vec<Remark> {
        let base = self.place.page(self.open.dossier.number());
        let of = (self.place, self.names);
        let fits = |item| items.contains(&item);
        let mut all = told::remarks(self.signed, of, (&base, self.open), fits);
        for remark in &mut all {
            let typed = self.typed_or(&format!("answer-{}", remark.index), "");
            // What was taken already, before something else was refused, is not sent again.
            remark.typed = if typed.trim() == remark.answer { String::new() } else { typed };
        }
        all
    }

    /// Whether this person may save now.
    pub(super) fn editable(&self) -> bool {
        self.open.acts.contains(&Act::Edit)
    }

    /// A value: as typed where something was, else as it stands.
    pub(super) fn typed_or(&self, name: &str, stands: impl Into<String>) -> String {
        match self.typed {
            Some(form) if form.has(name) => form.get(name).to_owned(),
            _ => stands.into(),
        }
    }

    /// What all sheets share.
    pub(super) fn sheet(&self, code: &'static str) -> Sheet {
        let base = self.place.page(self.open.dossier.number());
        let why = SHEETS.iter().find(|(known, ..)| *known == code);
        let (_, why, rule) = why.copied().unwrap_or(SHEETS[0]);
        let open_to = |sheet: &str| !self.place.integrator || matches!(sheet, "about" | "security");
        let all = SHEETS.iter().filter(|(sheet, ..)| open_to(sheet)).map(|(sheet, ..)| {
            (format!("dossier-sheet-{sheet}"), format!("{base}/{sheet}"), *sheet == code)
        });
        Sheet {
            code,
            key: format!("dossier-sheet-{code}"),
            why,
            rule,
            sheets: all.collect(),
            number: self.open.dossier.number().to_string(),
            name: open::named(self.signed, &self.open.dossier),
            editable: self.editable(),
            revision: self.open.revision,
            told: (self.asked.told == "saved").then_some("dossier-told-saved"),
            once: form::once(),
            base,
        }
    }
}

/// `GET /unit/dossiers/{number}/{sheet}`
pub(super) async fn show(
    signed: Signed,
    Path((number, sheet)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Handled {
    let place = at_unit(&signed, Power::EditDossier)?;
    let code = known(&signed, &place, &sheet)?;
    let open = opened(&signed, &place, &number).await?;
    let content = open.dossier.content();
    drawn(&signed, (&place, &open, code), (content, None, vec![]), &asked).await
}

/// The sheet of a word, where this person fills it in (A6).
pub(super) fn known(signed: &Signed, place: &Place, word: &str) -> Result<&'static str, Stop> {
    let found = SHEETS.iter().map(|(code, ..)| *code).find(|code| *code == word);
    let found = found.filter(|code| !place.integrator || matches!(*code, "about" | "security"));
    found.ok_or_else(|| frame::missing(signed).into())
}

/// The page of a sheet.
pub(super) async fn drawn(
    signed: &Signed,
    (place, open, code): (&Place, &Open, &'static str),
    (content, typed, errors): (&Content, Option<&Form>, Vec<FieldError>),
    asked: &Asked,
) -> Result<Response, Stop> {
    let names = Names::of(signed, place, open).await?;
    let looked = Looked { signed, place, open, names: &names, content, typed, asked };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok(match code {
        "services" => frame::page_with(status, &services::page(&looked, errors)),
        "fields" => frame::page_with(status, &fields::page(&looked, errors)),
        "accounts" => frame::page_with(status, &accounts::page(&looked, errors)),
        _ => frame::page_with(status, &texts::page(&looked, code, errors)),
    })
}

/// `POST /unit/dossiers/{number}/{sheet}`: saves what was typed, answers comments beside it.
pub(super) async fn save(
    signed: Signed,
    Path((number, sheet)): Path<(String, String)>,
    form: Form,
) -> Handled {
    let place = at_unit(&signed, Power::EditDossier)?;
    let code = known(&signed, &place, &sheet)?;
    let open = opened(&signed, &place, &number).await?;
    let at = at(open.dossier.number(), &form);
    let before = open.dossier.content();
    let read = match code {
        "services" => services::read(&form, before),
        "fields" => Ok(fields::read(&form, before)),
        "accounts" => accounts::read(&form, before),
        _ => Ok(texts::read(&form, code, before)),
    };
    let asked = Asked { check: "1".into(), row: form.get("row").to_owned(), ..Asked::default() };
    let content = match read {
        Ok(content) => content,
        Err(refused) => {
            let field = match &refused {
                Refused::Field { field, .. } => *field,
                _ => "sheet",
            };
            let errors = errors(&signed, &refused, field)?;
            let typed = (before, Some(&form), errors);
            return drawn(&signed, (&place, &open, code), typed, &asked).await;
        }
    };
    let (doing, answers) = (place.clone(), answers(&form));
    let detach = form.get("detach").parse().ok().zip(files_of(code));
    let sent = content.clone();
    let sent = (content != *before).then_some(sent);
    let act = async move { put(&doing, at, sent, answers, detach).await };
    match Box::pin(carried(&signed, &form, act)).await? {
        Ok(()) => {
            let page = place.page(open.dossier.number());
            Ok(frame::to(&format!("{page}/{code}?told=saved")))
        }
        Err(refused) => {
            let errors = errors(&signed, &refused, "sheet")?;
            // Something of it may have been saved, and somebody else may have been faster.
            let open = opened(&signed, &place, &number).await?;
            // A row is typed over the list as it stands: what was not saved is in no list.
            let content = if code == "accounts" { open.dossier.content() } else { &content };
            let typed = (content, Some(&form), errors);
            drawn(&signed, (&place, &open, code), typed, &asked).await
        }
    }
}

/// Saves the content, takes a file away, answers comments: each an act with its own entry.
async fn put(
    place: &Place,
    mut at: At,
    content: Option<Content>,
    answers: Vec<(usize, String)>,
    detach: Option<(u64, Part)>,
) -> Result<(), Refused> {
    let desk = place.desk();
    if let Some(content) = content {
        at.revision = office::save(&desk, at, content).await?.revision;
    }
    if let Some((file, part)) = detach {
        at.revision = office::detach(&desk, at, part, file).await?.revision;
    }
    for (comment, text) in answers {
        at.revision = office::answer(&desk, at, comment, &text).await?.revision;
    }
    Ok(())
}

/// The part whose files a sheet shows.
pub(super) fn files_of(code: &str) -> Option<Part> {
    match code {
        "commitment" => Some(Part::Commitment),
        "security" => Some(Part::Security),
        _ => None,
    }
}

/// Answers that were typed: fields `answer-3`.
fn answers(form: &Form) -> Vec<(usize, String)> {
    let typed = form.fields().filter_map(|(name, value)| {
        let comment = name.strip_prefix("answer-")?.parse().ok()?;
        (!value.trim().is_empty()).then(|| (comment, value.trim().to_owned()))
    });
    typed.collect()
}

/// A count as people type it, with one kind of mark before groups of three digits; `None` where it
/// is none. A decimal number is none.
pub(super) fn count(text: &str) -> Option<u32> {
    let text = text.trim();
    if text.is_empty() {
        return Some(0);
    }
    let mark = text.chars().find(|c| !c.is_ascii_digit());
    if mark.is_some_and(|mark| !matches!(mark, '.' | ',' | ' ' | '\u{a0}')) {
        return None;
    }
    let groups: Vec<&str> = text.split(|c| Some(c) == mark).collect();
    let first = 1..=if mark.is_some() { 3 } else { text.len() };
    let fits = groups.iter().enumerate().all(|(at, group)| {
        let whole = if at == 0 { first.contains(&group.len()) } else { group.len() == 3 };
        whole && group.bytes().all(|byte| byte.is_ascii_digit())
    });
    if fits { groups.concat().parse().ok() } else { None }
}

/// A count as a field shows it: nothing for none.
pub(super) fn shown(count: u32) -> String {
    if count == 0 { String::new() } else { count.to_string() }
}

/// The error of a count that cannot be read.
pub(super) fn no_count(field: &'static str) -> Refused {
    Refused::Field {
        field,
        vi: "Số lượt là số nguyên, ví dụ 1.500 (B5, B6); phần đã nhập vẫn còn nguyên.".into(),
        en: "Counts are whole numbers, as 1,500 (B5, B6); what was typed is still here.".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn rule_b5_a_count_is_whole_and_marks_stand_before_three_digits() {
        for (text, read) in [("", 0), (" 15 ", 15), ("1500", 1_500), ("1.500", 1_500)] {
            assert_eq!(count(text), Some(read), "{text}");
        }
        assert_eq!((count("12,000"), count("1 234 567")), (Some(12_000), Some(1_234_567)));
        for text in ["1,5", "1.5", "1.50", "1.5000", "1234.567", "1.234,567", ".500", "1.", "-1"] {
            assert_eq!(count(text), None, "{text}");
        }
        assert_eq!((count("1.234.5"), count("99999999999"), count("nhiều")), (None, None, None));
    }
}
