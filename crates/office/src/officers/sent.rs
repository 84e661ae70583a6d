//! Account lists that a system sends over its own interface (B6, E1): compared with the list as it
//! is, stored until the head of the unit decides, and applied by what applies a spreadsheet.
//!
//! **Invariant:** nothing of a list is in force before the head approves it.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use dancu_domain::ids::{AccountId, SystemId};
use dancu_domain::moment::Moment;
use dancu_domain::notices::{Audience, Notice};
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::registration::{AccountKind, AccountState, System};
use dancu_domain::service::ServiceSet;
use dancu_papers::sheet::{Column, Raw, Row};
use dancu_store::Store;
use dancu_store::desks::{self, AccountChanges, ChangesState, SentRow};
use dancu_store::keys::{Keyring, Purpose};
use dancu_store::policy::accounts::{self, Listed};

use super::check::{self, Effect, Faults};
use super::import::Preview;
use super::{Applied, HeadDesk};
use crate::act::{Done, Entry, Refused, carry_out, note, reason};

/// What a list that was sent would do to the list as it is.
#[derive(Clone, Debug)]
pub struct Difference {
    /// By row of the list.
    pub effects: Vec<Effect>,
    /// Officers whom the list does not name: to be revoked.
    pub missing: Vec<Listed>,
    /// Officers who are on the list now.
    pub now: usize,
    /// Digest of the list that it was compared with.
    pub over: [u8; 16],
}

impl Difference {
    fn of(rows: &[SentRow], known: &[Listed], by: &By<'_>) -> Self {
        let rows = lines(rows);
        let named: HashSet<String> =
            rows.iter().map(|row| row.raw.get(Column::Login).to_ascii_lowercase()).collect();
        let officers = || known.iter().filter(|k| is_listed(k));
        let gone = |k: &&Listed| !named.contains(&k.account.login.folded());
        let missing: Vec<Listed> = officers().filter(gone).cloned().collect();
        let left = without(known, &missing.iter().map(|k| k.account.id).collect());
        Self {
            effects: check::plan(&rows, &left, &by.logins),
            missing,
            now: officers().count(),
            over: by.digest(known),
        }
    }

    /// Whether the list is as it is already.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.missing.is_empty() && self.effects.iter().all(|e| matches!(e, Effect::Same(_)))
    }

    /// Whether more than half of the officers would be revoked (*ours*: more likely a broken export
    /// than a unit that lost them).
    #[must_use]
    pub fn takes_most(&self) -> bool {
        self.missing.len() * 2 > self.now
    }

    /// How many rows do what.
    #[must_use]
    pub fn sums(&self) -> Applied {
        Preview { effects: self.effects.clone() }.sums()
    }

    fn wrong(&self) -> Vec<(u32, Faults)> {
        let faults = (1..).zip(&self.effects).filter_map(|(line, effect)| match effect {
            Effect::Wrong(faults) => Some((line, faults.clone())),
            _ => None,
        });
        faults.collect()
    }
}

/// By what lists are compared.
struct By<'a> {
    logins: RangeInclusive<usize>,
    keys: &'a Keyring,
}

impl<'a> By<'a> {
    fn of(store: &'a Store, now: Moment) -> Self {
        Self { logins: store.profiles().at(now).accounts.logins(), keys: store.keys() }
    }

    /// Digest of what a list says of officers.
    fn digest(&self, known: &[Listed]) -> [u8; 16] {
        let Some(key) = self.keys.get(Purpose::Policy, 0) else { return [0; 16] };
        let mut text = String::from("account list\0");
        for k in known.iter().filter(|k| is_listed(k)) {
            let a = &k.account;
            let id = a.citizen_id.map(|id| id.to_string()).unwrap_or_default();
            let code = a.officer_code.as_ref().map_or("", |code| code.as_str());
            let parts = [a.login.as_str(), &k.full_name, &id, code, &k.phone];
            text.extend([parts.join("\0"), format!("\0{}\0{}\n", a.daily, a.state as u8)]);
        }
        key.digest16(&[text.as_bytes()])
    }
}

fn is_listed(listed: &Listed) -> bool {
    let a = &listed.account;
    a.kind == AccountKind::Officer && a.state != AccountState::Revoked
}

/// The list as it is once these are revoked: their ids and codes are free then.
fn without(known: &[Listed], gone: &HashSet<AccountId>) -> Vec<Listed> {
    let mut left = known.to_vec();
    for k in left.iter_mut().filter(|k| gone.contains(&k.account.id)) {
        k.account.state = AccountState::Revoked;
    }
    left
}

fn lines(rows: &[SentRow]) -> Vec<Row> {
    let raw = |row: &SentRow| {
        let cells = Column::ALL.into_iter().zip(&row.cells);
        cells.fold(Raw::default(), |raw, (column, cell)| raw.with(column, cell.trim()))
    };
    (1..).zip(rows).map(|(line, row)| Row { line, raw: raw(row), formulas: vec![] }).collect()
}

/// What became of a list that was sent.
#[derive(Debug)]
pub enum Sent {
    /// Rows are wrong: nothing was kept.
    Wrong(Vec<(u32, Faults)>),
    /// The list is as it is already.
    Same,
    /// It waits for the head.
    Waits(AccountChanges, Difference),
}

/// Takes a list of a system: the whole of it. The same list again is the one that waits already;
/// another one takes its place.
///
/// # Errors
/// The store could not be read or written.
pub async fn send(
    (store, now): (&Store, Moment),
    system: &System,
    rows: Vec<SentRow>,
) -> Result<Sent, Refused> {
    let known = store.account_list(system.id).await?;
    let difference = Difference::of(&rows, &known, &By::of(store, now));
    let wrong = difference.wrong();
    if !wrong.is_empty() {
        return Ok(Sent::Wrong(wrong));
    }
    let before = store.desks().newest_changes(system.id).await?;
    let before = before.filter(|before| before.state == ChangesState::Waiting);
    let same = difference.is_none();
    match before {
        None if same => return Ok(Sent::Same),
        Some(before) if !same && before.rows == rows => {
            return Ok(Sent::Waits(before, difference));
        }
        _ => {}
    }
    let changes = AccountChanges {
        id: 0,
        system: system.id,
        sent_at: now,
        rows,
        over: difference.over,
        state: ChangesState::Waiting,
        decided: None,
        answer: String::new(),
    };
    let told = format!("{}: {}", system.code, words(&difference.sums(), difference.missing.len()));
    let (keys, code, unit) = (store.keys().clone(), system.code.clone(), system.unit.clone());
    let actor = code.as_str().to_owned();
    let entry = Entry { kind: "accounts.sent", actor, system: Some(system.id) };
    let (_, changes) = note((store, now), entry, move |tx| {
        if same {
            desks::replace_waiting_changes(tx, &keys, changes.system)?;
            return Ok((told, changes));
        }
        let id = desks::insert_account_changes(tx, &keys, &changes)?;
        let waits = Notice::ListWaits { system: code };
        crate::notices::tell(tx, &keys, now, &[Audience::Heads(unit, None)], &waits)?;
        Ok((format!("{told}, danh sách #{id}"), AccountChanges { id, ..changes }))
    })
    .await?;
    Ok(if same { Sent::Same } else { Sent::Waits(changes, difference) })
}

/// What a list that waits would do now.
///
/// # Errors
/// The store could not be read.
pub async fn difference(
    (store, now): (&Store, Moment),
    changes: &AccountChanges,
) -> Result<Difference, Refused> {
    let known = store.account_list(changes.system).await?;
    Ok(Difference::of(&changes.rows, &known, &By::of(store, now)))
}

/// The lists of a unit's systems that wait.
///
/// # Errors
/// The store could not be read.
pub async fn waiting(desk: &HeadDesk<'_>) -> Result<Vec<(AccountChanges, Difference)>, Refused> {
    let mut all = vec![];
    for system in desk.snapshot.systems().iter().filter(|s| s.unit == *desk.unit) {
        let newest = desk.store.desks().newest_changes(system.id).await?;
        if let Some(changes) = newest.filter(|changes| changes.state == ChangesState::Waiting) {
            let difference = difference((desk.store, desk.now), &changes).await?;
            all.push((changes, difference));
        }
    }
    Ok(all)
}

/// What the head approves of a list.
#[derive(Clone, Debug)]
pub struct Approval {
    /// Rows, from 1.
    pub rows: HashSet<u32>,
    /// Officers to be revoked.
    pub revoked: HashSet<AccountId>,
    /// Functions of accounts that are added (E1); the list has none.
    pub services: ServiceSet,
    /// Digest of the list that the page showed the difference to.
    pub over: [u8; 16],
    /// Whether it was said twice that most officers are to be revoked.
    pub takes_most: bool,
}

/// Applies what the head chose of a list, whole or not at all. What was not chosen is gone with it:
/// the system may send it again.
///
/// # Errors
/// [`Refused::Field`] of `list`: a row is wrong now, the list changed meanwhile, most officers
/// would go; [`PortalReason::AlreadyDecided`]; as a revocation by the head.
pub async fn approve(
    desk: &HeadDesk<'_>,
    id: i64,
    approval: Approval,
) -> Result<(Done, Applied), Refused> {
    let inside = desk.inside()?;
    let system = desk.store.desks().account_changes(id).await?.ok_or(Refused::Gone)?.system;
    let entry = Entry::new("accounts.changesApplied", desk.by, Some(system));
    let logins = inside.profile.accounts.logins();
    let done = carry_out((desk.store, desk.now), entry, move |tx, _| {
        let owner = inside.system(tx, system)?;
        let changes = desks::account_changes(tx, &inside.keys, id)?.ok_or(Refused::Gone)?;
        if changes.state != ChangesState::Waiting {
            return Err(PortalReason::AlreadyDecided.into());
        }
        let known = accounts::of_system(tx, &inside.keys, system)?;
        let by = By { logins: logins.clone(), keys: &inside.keys };
        let difference = Difference::of(&changes.rows, &known, &by);
        let revoked = approval.chosen(&difference)?;
        let services = ServiceSet(approval.services.0 & owner.services.0);
        let mut rows = lines(&changes.rows);
        rows.retain(|row| approval.rows.contains(&row.line));
        let left = without(&known, &revoked.iter().copied().collect());
        let now = Preview { effects: check::plan(&rows, &left, &logins) };
        let sums = now.sums();
        may(sums, revoked.len(), services)?;
        for account in &revoked {
            inside.revoke_from(tx, system, *account)?;
        }
        let touched = numbers(&revoked, &now.effects);
        inside.carry(tx, system, &known, now, services)?;
        inside.tell_list(tx, &owner)?;
        let told = words(&sums, revoked.len());
        let decided = AccountChanges {
            state: ChangesState::Applied,
            rows: vec![],
            decided: Some((inside.by, inside.now)),
            answer: told.clone(),
            ..changes
        };
        desks::save_account_changes(tx, &inside.keys, &decided)?;
        Ok((format!("{} danh sách #{id}: {told}{touched}", owner.code), sums))
    });
    done.await
}

/// Refuses a list; its system reads the reason.
///
/// # Errors
/// [`Refused::Gone`], [`PortalReason::AlreadyDecided`], [`Refused::NoReason`].
pub async fn refuse(desk: &HeadDesk<'_>, id: i64, why: &str) -> Result<Done, Refused> {
    let (inside, why) = (desk.inside()?, reason(why)?.to_owned());
    let system = desk.store.desks().account_changes(id).await?.ok_or(Refused::Gone)?.system;
    let entry = Entry::new("accounts.changesRefused", desk.by, Some(system));
    let done = note((desk.store, desk.now), entry, move |tx| {
        let owner = inside.system(tx, system)?;
        let changes = desks::account_changes(tx, &inside.keys, id)?.ok_or(Refused::Gone)?;
        if changes.state != ChangesState::Waiting {
            return Err(PortalReason::AlreadyDecided.into());
        }
        let decided = AccountChanges {
            state: ChangesState::Refused,
            rows: vec![],
            decided: Some((inside.by, inside.now)),
            answer: why.clone(),
            ..changes
        };
        desks::save_account_changes(tx, &inside.keys, &decided)?;
        Ok((format!("{} danh sách #{id}; lý do: {why}", owner.code), ()))
    });
    Ok(done.await?.0)
}

impl Approval {
    /// Whom the head revokes of those who are missing.
    fn chosen(&self, now: &Difference) -> Result<Vec<AccountId>, Refused> {
        if now.over != self.over {
            return Err(list(
                "Danh sách tài khoản vừa thay đổi; đã so lại, hãy xem rồi duyệt.",
                "The list changed meanwhile; it was compared anew, look at it again.",
            ));
        }
        let missing = now.missing.iter().map(|k| k.account.id);
        let revoked: Vec<AccountId> = missing.filter(|id| self.revoked.contains(id)).collect();
        if revoked.len() * 2 > now.now && !self.takes_most {
            return Err(list(
                "Hơn một nửa số cán bộ sẽ bị thu hồi; đánh dấu xác nhận nếu đúng như vậy.",
                "More than half of the officers would be revoked; confirm it if that is right.",
            ));
        }
        Ok(revoked)
    }
}

fn may(sums: Applied, revoked: usize, services: ServiceSet) -> Result<(), Refused> {
    if sums.wrong > 0 {
        return Err(list(
            "Có dòng không còn thực hiện được; bỏ chọn dòng đó.",
            "A row cannot be carried out any more; leave it out.",
        ));
    }
    if sums.added + sums.changed + revoked == 0 {
        return Err(list("Chọn ít nhất một thay đổi.", "Choose at least one change."));
    }
    if sums.added > 0 && services.0 == 0 {
        return Err(list(
            "Chọn ít nhất một dịch vụ cho tài khoản mới (E1).",
            "Choose at least one service for new accounts (E1).",
        ));
    }
    Ok(())
}

/// What entries and answers tell: numbers, never names.
fn words(sums: &Applied, revoked: usize) -> String {
    format!("thêm {}, đổi {}, thu hồi {revoked}", sums.added, sums.changed)
}

/// Which accounts were revoked and changed: the rows of the list are forgotten.
fn numbers(revoked: &[AccountId], effects: &[Effect]) -> String {
    let changed = effects.iter().filter_map(|effect| match effect {
        Effect::Change(id, ..) => Some(id),
        _ => None,
    });
    let named = |what: &str, ids: Vec<String>| {
        if ids.is_empty() { String::new() } else { format!("; {what} {}", ids.join(" ")) }
    };
    let number = |id: &AccountId| format!("#{}", id.0);
    let (revoked, changed) = (revoked.iter().map(number), changed.map(number));
    named("đổi", changed.collect()) + &named("thu hồi", revoked.collect())
}

fn list(vi: &str, en: &str) -> Refused {
    Refused::Field { field: "list", vi: vi.to_owned(), en: en.to_owned() }
}

/// The system whose list it is, where it is of the unit.
///
/// # Errors
/// [`Refused::Gone`].
pub async fn of_unit(desk: &HeadDesk<'_>, id: i64) -> Result<(AccountChanges, SystemId), Refused> {
    let changes = desk.store.desks().account_changes(id).await?.ok_or(Refused::Gone)?;
    let system = desk.snapshot.by_id(changes.system).filter(|s| s.unit == *desk.unit);
    let system = system.ok_or(Refused::Gone)?.id;
    Ok((changes, system))
}
