//! Sheets of texts: the commitment (B7), what B1 asks for, security (C1, C5, B2).

use dancu_domain::dossier::{Content, Item};
use dancu_portal::dossier::sheets::{Entry, Texts};
use dancu_portal::parts::{Choice, FieldError};

use super::sheet::{self, Looked};
use super::{kept, told};
use crate::portal::form::Form;

/// Items of each sheet with their hints.
const COMMITMENT: [(Item, &str); 2] =
    [(Item::Representative, "dossier-hint-representative"), (Item::RepresentativePosition, "")];
const ABOUT: [(Item, &str); 12] = [
    (Item::SystemName, "dossier-hint-name"),
    (Item::SystemCode, "dossier-hint-code"),
    (Item::Functions, "dossier-hint-functions"),
    (Item::OfficerName, ""),
    (Item::OfficerPosition, ""),
    (Item::OfficerPhone, ""),
    (Item::OfficerEmail, ""),
    (Item::OfficerWorkplace, ""),
    (Item::Purpose, ""),
    (Item::Scope, "dossier-hint-scope"),
    (Item::Matter, "dossier-hint-matter"),
    (Item::Technical, "dossier-hint-technical"),
];
const SECURITY: [(Item, &str); 8] = [
    (Item::SecurityLevel, "dossier-hint-level"),
    (Item::ConfirmationNumber, "dossier-hint-number"),
    (Item::ConfirmationDate, "common-date-hint"),
    (Item::ConfirmationBody, "dossier-hint-body"),
    (Item::Mfa, "dossier-hint-measure"),
    (Item::Captcha, ""),
    (Item::Limits, ""),
    (Item::Scraping, ""),
];

fn items(code: &str) -> &'static [(Item, &'static str)] {
    match code {
        "commitment" => &COMMITMENT,
        "about" => &ABOUT,
        _ => &SECURITY,
    }
}

/// The page of such a sheet.
pub(super) fn page(looked: &Looked<'_>, code: &'static str, errors: Vec<FieldError>) -> Texts {
    // A6: the papers name people, so integrators have nothing of them.
    let part = sheet::files_of(code).filter(|_| !looked.place.integrator);
    let files = part.map(|part| kept::rows(looked.signed, looked.place, looked.open, part));
    let of_files: &[Item] = match code {
        "security" => &[Item::SecurityFile],
        "commitment" => &[Item::CommitmentFile],
        _ => &[],
    };
    Texts {
        errors,
        entries: items(code).iter().map(|(item, hint)| entry(looked, *item, hint)).collect(),
        files,
        files_item: of_files.first().map_or("", |item| item.code()),
        files_wrong: of_files.iter().flat_map(|item| looked.lacks(*item, None)).collect(),
        files_remarks: looked.remarks(of_files),
        sheet: looked.sheet(code),
        s: looked.signed.shell(),
        t: looked.signed.text(),
    }
}

fn entry(looked: &Looked<'_>, item: Item, hint: &'static str) -> Entry {
    let mut content = looked.content.clone();
    let value = slot(&mut content, item).map(|text| text.clone()).unwrap_or_default();
    let levels = (item == Item::SecurityLevel).then(|| {
        let chosen = looked.content.security_level;
        (0..=5u8).map(move |level| Choice {
            value: level.to_string(),
            label: if level == 0 { "–".to_owned() } else { level.to_string() },
            chosen: level == chosen,
        })
    });
    Entry {
        id: item.code(),
        key: told::item_key(item),
        hint,
        value,
        long: is_long(item),
        choices: levels.map(Iterator::collect).unwrap_or_default(),
        fixed: !looked.editable() || (looked.place.integrator && !item.is_technical()),
        wrong: looked.lacks(item, None),
        remarks: looked.remarks(&[item]),
    }
}

const fn is_long(item: Item) -> bool {
    matches!(
        item,
        Item::Functions
            | Item::Purpose
            | Item::Scope
            | Item::Matter
            | Item::Technical
            | Item::Mfa
            | Item::Captcha
            | Item::Limits
            | Item::Scraping
    )
}

/// What was typed, over what stood there.
pub(super) fn read(form: &Form, code: &str, before: &Content) -> Content {
    let mut content = before.clone();
    for (item, _) in items(code) {
        if !form.has(item.code()) {
            continue;
        }
        if *item == Item::SecurityLevel {
            content.security_level = form.get(item.code()).parse().unwrap_or(0);
        } else if let Some(text) = slot(&mut content, *item) {
            // Browsers send line ends as two characters.
            *text = form.get(item.code()).replace("\r\n", "\n");
        }
    }
    content
}

/// Where the text of an item stands.
fn slot(c: &mut Content, item: Item) -> Option<&mut String> {
    Some(match item {
        Item::Representative => &mut c.representative,
        Item::RepresentativePosition => &mut c.representative_position,
        Item::SystemName => &mut c.system_name,
        Item::SystemCode => &mut c.system_code,
        Item::Functions => &mut c.functions,
        Item::OfficerName => &mut c.officer.name,
        Item::OfficerPosition => &mut c.officer.position,
        Item::OfficerPhone => &mut c.officer.phone,
        Item::OfficerEmail => &mut c.officer.email,
        Item::OfficerWorkplace => &mut c.officer.workplace,
        Item::Purpose => &mut c.purpose,
        Item::Scope => &mut c.scope,
        Item::Matter => &mut c.matter,
        Item::Technical => &mut c.technical,
        Item::ConfirmationNumber => &mut c.confirmation.number,
        Item::ConfirmationDate => &mut c.confirmation.date,
        Item::ConfirmationBody => &mut c.confirmation.body,
        Item::Mfa => &mut c.protection[0],
        Item::Captcha => &mut c.protection[1],
        Item::Limits => &mut c.protection[2],
        Item::Scraping => &mut c.protection[3],
        _ => return None,
    })
}
