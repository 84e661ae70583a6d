//! Two versions side by side, field by field.

use std::fmt::Write as _;

use hashbrown::HashMap;

use super::{Content, Item};
use crate::service::{FieldSet, Window};

/// A field that differs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// Which.
    pub item: Item,
    /// What it said.
    pub before: String,
    /// What it says.
    pub after: String,
}

/// Fields that differ, in the order of the form. Of the account list only numbers are told (A6).
#[must_use]
pub fn compare(before: &Content, after: &Content) -> Vec<Difference> {
    let differs = |item: &Item| {
        if *item == Item::Accounts && before.accounts != after.accounts {
            let (before, after) = (accounts(before), changed(before, after));
            return Some(Difference { item: *item, before, after });
        }
        let (before, after) = (told(before, *item), told(after, *item));
        (before != after).then_some(Difference { item: *item, before, after })
    };
    Item::ALL.iter().filter_map(differs).collect()
}

fn told(c: &Content, item: Item) -> String {
    let o = &c.officer;
    match item {
        Item::Functions => c.functions.clone(),
        Item::SystemCode => c.system_code.clone(),
        Item::SystemName => c.system_name.clone(),
        Item::OfficerName => o.name.clone(),
        Item::OfficerPosition => o.position.clone(),
        Item::OfficerPhone => o.phone.clone(),
        Item::OfficerEmail => o.email.clone(),
        Item::OfficerWorkplace => o.workplace.clone(),
        Item::Representative => c.representative.clone(),
        Item::RepresentativePosition => c.representative_position.clone(),
        Item::Purpose => c.purpose.clone(),
        Item::Scope => c.scope.clone(),
        Item::Matter => c.matter.clone(),
        Item::Technical => c.technical.clone(),
        Item::SecurityLevel => c.security_level.to_string(),
        Item::ConfirmationNumber => c.confirmation.number.clone(),
        Item::ConfirmationDate => c.confirmation.date.clone(),
        Item::ConfirmationBody => c.confirmation.body.clone(),
        Item::Mfa => c.protection[0].clone(),
        Item::Captcha => c.protection[1].clone(),
        Item::Limits => c.protection[2].clone(),
        Item::Scraping => c.protection[3].clone(),
        Item::InHours => lines(c, Window::InHours),
        Item::OffHours => lines(c, Window::OffHours),
        Item::Fields => uses(c, FieldSet::ALL.without(FieldSet::SENSITIVE)),
        Item::Sensitive => uses(c, FieldSet::SENSITIVE),
        Item::Procedures => procedures(c),
        Item::Accounts => accounts(c),
        Item::CommitmentFile | Item::SecurityFile => String::new(),
    }
}

fn lines(c: &Content, window: Window) -> String {
    let rows = c.lines.iter().filter(|l| l.window == window);
    let told = rows.map(|l| format!("{}: {} ({})", l.service.code(), l.daily, l.purpose));
    told.collect::<Vec<_>>().join("\n")
}

fn uses(c: &Content, of: FieldSet) -> String {
    let told = c.uses.iter().filter(|u| !u.fields.and(of).is_empty() || of.contains_all(u.fields));
    let told = told.map(|u| {
        let fields: Vec<_> = u.fields.and(of).iter().map(crate::service::Field::code).collect();
        let codes = u.procedures.join(", ");
        format!("{}: {} ({}; {codes})", u.service.code(), fields.join(", "), u.purpose)
    });
    told.collect::<Vec<_>>().join("\n")
}

fn procedures(c: &Content) -> String {
    let mut out = String::new();
    for p in &c.procedures {
        let case = if p.case_required { ", cần mã hồ sơ" } else { "" };
        let (code, purpose) = (&p.code, &p.purpose);
        let _ = writeln!(out, "{code}: {purpose}, {} × {}{case}", p.cases, p.queries);
    }
    out.trim_end().to_owned()
}

/// How many, and their counts together.
fn accounts(c: &Content) -> String {
    let total = c.accounts.iter().fold(0u64, |sum, a| sum + u64::from(a.daily));
    format!("{} tài khoản, cộng {total} lượt/ngày", c.accounts.len())
}

/// The same of a list that changed, and how many rows came, went and say something else.
fn changed(before: &Content, after: &Content) -> String {
    let by_login = |c: &'_ Content| {
        let rows = c.accounts.iter().map(|a| (a.login.trim().to_lowercase(), a.clone()));
        rows.collect::<HashMap<_, _>>()
    };
    let (old, new) = (by_login(before), by_login(after));
    let added = new.keys().filter(|login| !old.contains_key(*login)).count();
    let gone = old.keys().filter(|login| !new.contains_key(*login)).count();
    let other = new.iter().filter(|(login, row)| old.get(*login).is_some_and(|o| o != *row));
    format!("{}; thêm {added}, bớt {gone}, sửa {}", accounts(after), other.count())
}
