//! The account list of a dossier, row by row (B6); whole by a spreadsheet ([`super::files`]).

use dancu_domain::dossier::{AccountRow, Content, Item};
use dancu_domain::registration::AccountKind;
use dancu_domain::service::ServiceSet;
use dancu_domain::text::composed;
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
    let mut wrong = looked.lacks_by_row(Item::Accounts);
    let listed = all.iter().enumerate();
    let mut rows: Vec<sheets::AccountRow> =
        listed.map(|(at, a)| row(at, a, wrong.remove(&at).unwrap_or_default())).collect();
    rows.sort_by_key(|row| row.wrong.is_empty());
    let more = rows.len().saturating_sub(SHOWN);
    rows.truncate(SHOWN);
    let changed = place(all, &looked.asked.row);
    Accounts {
        errors,
        rows,
        more: more as u64,
        count: all.len() as u64,
        total: all.iter().map(|a| u64::from(a.daily)).sum(),
        wrong: looked.lacks(Item::Accounts, None),
        remarks: looked.remarks(&[Item::Accounts]),
        fields: fields(looked, changed.and_then(|at| all.get(at))),
        row: changed.map(|at| format!("{at} {}", all[at].login)).unwrap_or_default(),
        sheet: looked.sheet("accounts"),
        s: looked.signed.shell(),
        t: looked.signed.text(),
    }
}

/// The place of a row that a form names by its place and login: `3 canbo.moi1`. An address names
/// its place alone, since a login may be a citizen id (A6).
fn place(all: &[AccountRow], named: &str) -> Option<usize> {
    let (at, login) = named.split_once(' ').map_or((named, None), |(at, l)| (at, Some(l)));
    let same = |a: &AccountRow| login.is_none_or(|login| composed(a.login.trim()) == login);
    let at = at.parse::<usize>().ok()?;
    if all.get(at).is_some_and(same) { Some(at) } else { all.iter().position(same) }
}

fn row(at: usize, a: &AccountRow, wrong: Vec<String>) -> sheets::AccountRow {
    let values = [&a.login, &a.full_name, &a.citizen_id, &a.officer_code, &a.phone, &a.role];
    sheets::AccountRow {
        index: at as u64,
        values: values.map(Clone::clone),
        kind: format!("dossier-kind-{}", a.kind.code()),
        daily: a.daily.into(),
        wrong,
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
        text("officerCode", "dossier-officer-code", "", known.map(|a| &a.officer_code)),
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

/// Fields of a row. None has a name that is left out where a form is kept or known again: what is
/// typed would be lost.
const TEXTS: [&str; 6] = ["login", "name", "id", "officerCode", "phone", "role"];

/// What was typed, over what stood there: a row more, another, or one less.
///
/// # Errors
/// [`Refused::Field`] where the count cannot be read, or the row is not there any more.
pub(super) fn read(form: &Form, before: &Content) -> Result<Content, Refused> {
    let mut content = before.clone();
    if form.has("remove") {
        let at = place(&content.accounts, form.get("remove")).ok_or_else(gone)?;
        content.accounts.remove(at);
        return Ok(content);
    }
    let texts = TEXTS.map(|name| form.get(name));
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
    if form.get("row").is_empty() {
        content.accounts.push(row);
    } else {
        let at = place(&content.accounts, form.get("row")).ok_or_else(gone)?;
        let known = &mut content.accounts[at];
        // Which services it may use stays as it was.
        *known = AccountRow { services: known.services, ..row };
    }
    Ok(content)
}

/// Somebody took the row away meanwhile.
fn gone() -> Refused {
    Refused::Field {
        field: "accounts",
        vi: "Danh sách vừa thay đổi, không còn dòng này (B6). Hãy xem lại danh sách.".into(),
        en: "The list was changed meanwhile and has no such row (B6). Look at it again.".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portal::kept::NOT_KEPT;

    #[test]
    fn rule_b6_a_row_is_named_by_its_login_wherever_it_stands_now() {
        let row = |login: &str| AccountRow {
            login: login.to_owned(),
            full_name: String::new(),
            citizen_id: String::new(),
            officer_code: String::new(),
            phone: String::new(),
            role: String::new(),
            kind: AccountKind::Officer,
            daily: 0,
            services: ServiceSet::default(),
        };
        let all = ["canbo.mot", "canbo.hai", "canbo.hai"].map(row);
        assert_eq!(place(&all, "0 canbo.mot"), Some(0));
        assert_eq!(place(&all, "2 canbo.hai"), Some(2), "of two alike the one that was meant");
        assert_eq!(place(&all, "7 canbo.hai"), Some(1), "it stands elsewhere now");
        assert_eq!(place(&all, "0 canbo.ba"), None, "another row is not taken for it");
        assert_eq!((place(&all, "1"), place(&all, "")), (Some(1), None));
    }

    #[test]
    fn an_officer_code_is_kept_and_a_form_with_another_is_another() {
        assert!(TEXTS.iter().all(|name| !NOT_KEPT.contains(name)));
        let typed = Form::parse(b"login=canbo.mau1&name=A&officerCode=CB7&kind=officer&daily=5");
        let content = read(&typed.unwrap(), &Content::default()).unwrap();
        assert_eq!(content.accounts[0].officer_code, "CB7");
    }
}
