//! A whole list at once, in and out, in the layout of a form (B6).
//!
//! The form of 2021 has no column for citizen id and officer code: accounts that are on the list
//! keep theirs, one that is added needs its citizen id, for which the unit adds the column. Role
//! and purpose, which only that form has, are no part of an account: the role is the dossier's, the
//! purpose that of the procedures (A5); they are written and not taken.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use dancu_domain::editions::Edition;
use dancu_domain::ids::{Login, SystemId};
use dancu_domain::registration::{AccountKind, AccountState};
use dancu_domain::service::ServiceSet;
use dancu_store::policy::accounts::{self, Listed};

use super::add::{changed_to, new_listed};
use super::check::{self, Effect, Wrong};
use super::{HeadDesk, Inside};
use crate::act::{Done, Entry, Refused, carry_out, note};
use crate::papers::Further;
use dancu_papers::sheet::{self, Column, Contact, Form, Layout, List, Raw, Row};
use hashbrown::HashMap;

/// A file that was read.
#[derive(Clone, Debug)]
pub struct Import {
    /// The system whose list it is.
    pub system: SystemId,
    /// What it says.
    pub list: List,
    /// Functions of accounts that are added (E1); the form has no column for them.
    pub services: ServiceSet,
}

/// What an import would do; nothing has been changed.
#[derive(Clone, Debug)]
pub struct Preview {
    /// By row of the file.
    pub effects: Vec<Effect>,
}

/// How many accounts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Applied {
    /// Added.
    pub added: usize,
    /// Changed.
    pub changed: usize,
    /// As they were.
    pub same: usize,
    /// Rows that cannot be carried out.
    pub wrong: usize,
}

impl Preview {
    /// Sums.
    #[must_use]
    pub fn sums(&self) -> Applied {
        let mut sums = Applied::default();
        for effect in &self.effects {
            *match effect {
                Effect::Add(_) => &mut sums.added,
                Effect::Change(..) => &mut sums.changed,
                Effect::Same(_) => &mut sums.same,
                Effect::Wrong(_) => &mut sums.wrong,
            } += 1;
        }
        sums
    }

    /// Whether it can be applied: every row is right, and something changes.
    #[must_use]
    pub fn may_be_applied(&self) -> bool {
        let sums = self.sums();
        sums.wrong == 0 && sums.added + sums.changed > 0
    }

    /// Whether both would do the same: the kind of each row's effect, and to which account.
    fn is_like(&self, other: &Self) -> bool {
        let kind = |e: &Effect| match e {
            Effect::Add(_) => (1, 0),
            Effect::Change(id, _) => (2, id.0),
            Effect::Same(id) => (3, id.0),
            Effect::Wrong(_) => (4, 0),
        };
        self.effects.len() == other.effects.len()
            && self.effects.iter().map(kind).eq(other.effects.iter().map(kind))
    }
}

/// What an import would do to the list as it is now.
///
/// # Errors
/// [`Refused::Gone`] where the system is not the unit's.
pub async fn preview(desk: &HeadDesk<'_>, import: &Import) -> Result<Preview, Refused> {
    own_system(desk, import.system)?;
    let known = desk.store.account_list(import.system).await?;
    let logins = desk.profile().accounts.logins();
    Ok(Preview { effects: effects(&import.list, &known, &logins) })
}

/// What each row would do: what the file has no column for stays as it is.
fn effects(list: &List, known: &[Listed], logins: &RangeInclusive<usize>) -> Vec<Effect> {
    let rows = if list.has(Column::OfficerCode) {
        Cow::Borrowed(&list.rows)
    } else {
        Cow::Owned(with_codes(&list.rows, known))
    };
    let mut effects = check::plan(&rows, known, logins);
    if !list.has(Column::PersonalId) {
        let wrong = effects.iter_mut().filter_map(|effect| match effect {
            Effect::Wrong(faults) => Some(faults),
            _ => None,
        });
        for fault in wrong.flatten().filter(|f| **f == (Column::PersonalId, Wrong::Missing)) {
            fault.1 = Wrong::NoColumn;
        }
    }
    effects
}

/// Rows with the officer codes of the accounts that they name.
fn with_codes(rows: &[Row], known: &[Listed]) -> Vec<Row> {
    let codes: HashMap<String, &str> = known
        .iter()
        .filter_map(|k| Some((k.account.login.folded(), k.account.officer_code.as_ref()?.as_str())))
        .collect();
    let with_code = |row: &Row| {
        let login = Login::parse(row.raw.get(Column::Login)).ok();
        let code = login.and_then(|login| codes.get(&login.folded()).copied());
        let raw = row.raw.clone().with(Column::OfficerCode, code.unwrap_or_default());
        Row { raw, ..row.clone() }
    };
    rows.iter().map(with_code).collect()
}

/// Carries an import out, whole or not at all, if it does what the preview showed.
///
/// # Errors
/// [`Refused::Field`] of `file` where a row is wrong, where the list changed since the preview, or
/// where there is nothing to do: so that an import that is sent twice changes nothing.
pub async fn apply(
    desk: &HeadDesk<'_>,
    import: Import,
    shown: Preview,
) -> Result<(Done, Applied), Refused> {
    let inside = desk.inside()?;
    let entry = Entry::new("accounts.imported", desk.by, Some(import.system));
    let done = carry_out((desk.store, desk.now), entry, move |tx, _| {
        let owner = inside.system(tx, import.system)?;
        let services = ServiceSet(import.services.0 & owner.services.0);
        let known = accounts::of_system(tx, &inside.keys, import.system)?;
        let logins = inside.profile.accounts.logins();
        let now = Preview { effects: effects(&import.list, &known, &logins) };
        let sums = now.sums();
        may_apply(&now, &shown, sums, services)?;
        inside.carry(tx, import.system, &known, now, services)?;
        inside.tell_list(tx, &owner)?;
        let Applied { added, changed, same, .. } = sums;
        Ok((format!("{}: thêm {added}, đổi {changed}, giữ {same}", owner.code), sums))
    });
    done.await
}

fn may_apply(
    now: &Preview,
    shown: &Preview,
    sums: Applied,
    services: ServiceSet,
) -> Result<(), Refused> {
    let file = |vi: &str, en: &str| {
        Err(Refused::Field { field: "file", vi: vi.to_owned(), en: en.to_owned() })
    };
    if sums.wrong > 0 {
        return file("Còn dòng cần sửa trong tệp.", "Some rows are still wrong.");
    }
    if sums.added + sums.changed == 0 {
        return file("Danh sách đã đúng như tệp.", "The list is as the file says already.");
    }
    if !now.is_like(shown) {
        return file(
            "Danh sách vừa được người khác thay đổi; xem trước lại.",
            "Somebody else changed the list meanwhile; look at the preview again.",
        );
    }
    if sums.added > 0 && services.0 == 0 {
        return file(
            "Chọn ít nhất một dịch vụ cho tài khoản mới (E1).",
            "Choose at least one service for new accounts (E1).",
        );
    }
    Ok(())
}

impl Inside {
    pub(super) fn carry(
        &self,
        tx: &mut dancu_store::engine::Tx<'_>,
        system: SystemId,
        known: &[Listed],
        preview: Preview,
        services: ServiceSet,
    ) -> Result<(), Refused> {
        let mut added = vec![];
        for effect in preview.effects {
            match effect {
                Effect::Add(wanted) => added.push(new_listed(&wanted, services)),
                Effect::Change(id, wanted) => {
                    // By number, as the list was read.
                    let at = known.binary_search_by_key(&id, |k| k.account.id);
                    let before = at.ok().and_then(|at| known.get(at)).ok_or(Refused::Gone)?;
                    let after = changed_to(before, &wanted);
                    accounts::change(tx, &self.keys, &after)?;
                    self.rename(tx, &after)?;
                }
                Effect::Same(_) | Effect::Wrong(_) => {}
            }
        }
        accounts::insert(tx, &self.keys, system, &added)?;
        Ok(())
    }
}

/// The list of a system as a file in the layout of an edition of the form, journaled: accounts of
/// officers that are not revoked, by number. It holds personal data.
///
/// # Errors
/// [`Refused::Gone`] where the system is not the unit's.
pub async fn export(
    desk: &HeadDesk<'_>,
    system: SystemId,
    contact: Contact,
    edition: &'static Edition,
) -> Result<(Done, Vec<u8>), Refused> {
    let code = own_system(desk, system)?;
    let known = desk.store.account_list(system).await?;
    let listed = known.iter().filter(|k| is_listed(k));
    let rows: Vec<Raw> = match Layout::of(edition) {
        Layout::Of2025 => listed.map(raw).collect(),
        Layout::Of2021 => {
            let further = Further::of(desk, system).await?;
            let with = |k: &Listed| {
                raw(k).with(Column::Role, further.role(k)).with(Column::Purpose, further.purpose(k))
            };
            listed.map(with).collect()
        }
    };
    let told = format!("{code}: {} tài khoản", rows.len());
    let units = crate::units::known(desk.store, desk.now.viet_nam_date()).await?;
    let form = Form {
        edition,
        unit: units.tree.get(desk.unit).map_or(desk.unit.as_str(), |unit| unit.name()),
        system: &code,
        contact,
        day: desk.now.viet_nam_date(),
        rows: &rows,
    };
    // Names and ids have lengths that a cell holds: what does not is damage.
    let file = sheet::write(&form)
        .map_err(|_| Refused::Store(dancu_store::Error::Damaged("account list")))?;
    let entry = Entry::new("accounts.exported", desk.by, Some(system));
    let (done, ()) = note((desk.store, desk.now), entry, move |_| Ok((told, ()))).await?;
    Ok((done, file))
}

fn is_listed(listed: &Listed) -> bool {
    let a = &listed.account;
    a.kind == AccountKind::Officer && a.state != AccountState::Revoked
}

/// An account as it is registered.
fn raw(listed: &Listed) -> Raw {
    let a = &listed.account;
    Raw::default()
        .with(Column::Login, a.login.as_str())
        .with(Column::Name, listed.full_name.as_str())
        .with(Column::PersonalId, a.citizen_id.map(|id| id.to_string()).unwrap_or_default())
        .with(Column::OfficerCode, a.officer_code.as_ref().map_or("", |c| c.as_str()))
        .with(Column::Phone, listed.phone.as_str())
        .with(Column::Daily, a.daily.to_string())
}

/// The code of a system of the unit.
fn own_system(desk: &HeadDesk<'_>, system: SystemId) -> Result<String, Refused> {
    let found =
        desk.snapshot.by_id(system).filter(|s| s.unit == *desk.unit).ok_or(Refused::Gone)?;
    Ok(found.code.as_str().to_owned())
}
