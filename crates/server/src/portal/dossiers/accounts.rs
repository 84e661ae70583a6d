//! The account list of a dossier, row by row (B6); whole by a spreadsheet ([`super::files`]).

use dancu_domain::dossier::{AccountRow, Content, Item};
use dancu_domain::registration::AccountKind;
use dancu_domain::service::ServiceSet;
use dancu_office::Refused;
use dancu_portal::centre::Field;
use dancu_portal::dossier::sheets::{self, Accounts};
use dancu_portal::parts::{Choice, FieldError};

use super::sheet::{Looked, count, no_count, shown};
use crate::portal::form::Form;

/// Rows that the page shows, those that lack something first.
const SHOWN: usize = 200;
/// Kinds that are typed; a job plan opens its account itself.
const KINDS: [AccountKind; 2] = [AccountKind::Officer, AccountKind::System];

/// The page.
pub(super) fn page(looked: &Looked<'_>, errors: Vec<FieldError>) -> Accounts {
    let all = &looked.content.accounts;
    let mut rows: Vec<sheets::AccountRow> =
        all.iter().enumerate().map(|(at, account)| row(looked, at, account)).collect();
    rows.sort_by_key(|row| row.wrong.is_empty());
    let more = rows.len().saturating_sub(SHOWN);
    rows.truncate(SHOWN);
    let changed = looked.asked.row.parse::<usize>().ok().and_then(|at| all.get(at));
    Accounts {
        errors,
        rows,
        more: more as u64,
        count: all.len() as u64,
        total: all.iter().map(|a| u64::from(a.daily)).sum(),
        wrong: looked.lacks(Item::Accounts, None),
        remarks: looked.remarks(&[Item::Accounts]),
        fields: fields(looked, changed),
        row: if changed.is_some() { looked.asked.row.clone() } else { String::new() },
        sheet: looked.sheet("accounts"),
        s: looked.signed.shell(),
        t: looked.signed.text(),
    }
}

fn row(looked: &Looked<'_>, at: usize, a: &AccountRow) -> sheets::AccountRow {
    let values = [&a.login, &a.full_name, &a.citizen_id, &a.officer_code, &a.phone, &a.role];
    sheets::AccountRow {
        index: at as u64,
        values: values.map(Clone::clone),
        kind: format!("dossier-kind-{}", a.kind.code()),
        daily: a.daily.into(),
        wrong: looked.lacks(Item::Accounts, Some(at)),
    }
}

fn fields(looked: &Looked<'_>, known: Option<&AccountRow>) -> Vec<Field> {
    let t = looked.signed.text();
    let text = |id: &'static str, key, hint, value: Option<&String>| Field {
        id,
        key,
        hint,
        value: looked.typed_or(id, value.cloned().unwrap_or_default()),
        choices: vec![],
    };
    let kind = looked.typed_or("kind", known.map_or("officer", |a| a.kind.code()));
    let kinds = KINDS.map(|one| Choice {
        value: one.code().to_owned(),
        label: t.get(format!("dossier-kind-{}", one.code())),
        chosen: one.code() == kind,
    });
    let daily = known.map(|a| shown(a.daily)).unwrap_or_default();
    vec![
        text("login", "col-login", "staff-login-hint", known.map(|a| &a.login)),
        text("name", "col-name", "dossier-hint-account-name", known.map(|a| &a.full_name)),
        text("id", "field-personalId", "", known.map(|a| &a.citizen_id)),
        text("code", "dossier-officer-code", "", known.map(|a| &a.officer_code)),
        text("phone", "unit-phone", "", known.map(|a| &a.phone)),
        text("role", "staff-role", "", known.map(|a| &a.role)),
        Field {
            id: "kind",
            key: "dossier-kind",
            hint: "dossier-hint-kind",
            value: String::new(),
            choices: kinds.into(),
        },
        text("daily", "dossier-daily", "dossier-hint-daily", Some(&daily)),
    ]
}

/// What was typed, over what stood there: a row more, another, or one less.
///
/// # Errors
/// [`Refused::Field`] where the count cannot be read.
pub(super) fn read(form: &Form, before: &Content) -> Result<Content, Refused> {
    let mut content = before.clone();
    if let Ok(at) = form.get("remove").parse::<usize>() {
        if at < content.accounts.len() {
            content.accounts.remove(at);
        }
        return Ok(content);
    }
    let texts = ["login", "name", "id", "code", "phone", "role"].map(|name| form.get(name));
    if texts.iter().all(|text| text.is_empty()) {
        // Comments alone were answered.
        return Ok(content);
    }
    let [login, full_name, citizen_id, officer_code, phone, role] = texts.map(ToOwned::to_owned);
    let kind = KINDS.into_iter().find(|kind| kind.code() == form.get("kind"));
    let daily = count(form.get("daily")).ok_or_else(|| no_count("daily"))?;
    let row = AccountRow {
        login,
        full_name,
        citizen_id,
        officer_code,
        phone,
        role,
        kind: kind.unwrap_or(AccountKind::Officer),
        daily,
        services: ServiceSet::default(),
    };
    match form.get("row").parse::<usize>().ok().and_then(|at| content.accounts.get_mut(at)) {
        // Which services it may use stays as it was.
        Some(known) => *known = AccountRow { services: known.services, ..row },
        None => content.accounts.push(row),
    }
    Ok(content)
}
