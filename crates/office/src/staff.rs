//! Who holds which role of the centre, and who is the first head of a unit: invited by the centre,
//! ended by the centre (E1, E3). Officers are invited by their head:
//! [`officers`](crate::officers).

use dancu_domain::ids::{Login, PersonalId, UnitCode};
use dancu_domain::moment::Moment;
use dancu_domain::name::FullName;
use dancu_domain::people::account::{Account, InvalidTransition, Phase};
use dancu_domain::people::grants::{Grant, Grants, Scope};
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::roles::{Class, Reach, Role};
use dancu_domain::people::{PersonId, UNIT_OF_CITIZENS};
use dancu_domain::registration::{AccountState, DateRange};
use dancu_domain::units::{Tree, UnitRefusal};
use dancu_store::engine::Tx;
use dancu_store::people::{self, EventKind, Person, Revision, Secrets};
use dancu_store::{Error, Store, units};
use jiff::civil::Date;

use crate::act::{Actor, Done, Entry, Refused, note};
use crate::notices::contact;
use crate::units::refused;

/// Roles that the centre gives and ends.
pub const GIVEN: [Role; 11] = Role::GIVEN;

/// Who acts on staff, and why.
#[derive(Clone, Copy)]
pub struct StaffDesk<'a> {
    /// The open data.
    pub store: &'a Store,
    /// The product's time.
    pub now: Moment,
    /// Who acts.
    pub actor: &'a Actor,
    /// Why ([`reason`](crate::act::reason)).
    pub reason: &'a str,
}

/// Somebody to be invited.
#[derive(Clone)]
pub struct New {
    /// Login.
    pub login: Login,
    /// Full name.
    pub name: FullName,
    /// Số CCCD: of several roles of the centre nobody holds two under two names.
    pub personal_id: PersonalId,
    /// Unit.
    pub unit: UnitCode,
    /// Role, one of [`GIVEN`].
    pub role: Role,
    /// Telephone; may be empty.
    pub phone: String,
    /// Address of e-mail for notices; may be empty.
    pub email: String,
}

/// Invites somebody with a role; `phc`: hash of the code that is handed over.
///
/// # Errors
/// [`PortalReason::NoPower`] for a role that the centre does not give; [`Refused::Field`] names
/// `unit`, `login`, `personalId` or `email`.
pub async fn invite(
    desk: &StaffDesk<'_>,
    new: New,
    phc: String,
) -> Result<(Done, PersonId), Refused> {
    if !GIVEN.contains(&new.role) {
        return Err(PortalReason::NoPower.into());
    }
    let (now, keys, by) = (desk.now, desk.store.keys().clone(), desk.actor.number());
    let because = desk.reason.to_owned();
    let entry = Entry::new("person.invited", desk.actor, None);
    let invited = note((desk.store, now), entry, move |tx| {
        let known: Vec<_> = units::all(tx, &keys)?.into_iter().map(|w| w.event).collect();
        let tree = Tree::on(&known, now.viet_nam_date());
        let tree = tree.map_err(|_| Error::Damaged("unit_event"))?;
        // An old code leads to the unit that took over (B4).
        let unit = tree.resolve(&new.unit).ok_or_else(|| refused(UnitRefusal::Unknown))?;
        let unit = unit.code.clone();
        if people::by_login(tx, &keys, &new.login)?.is_some() {
            return Err(taken());
        }
        // One person alone does not become two approvers (A4, D8). A citizen's own account is none.
        let works = |p: &Person| {
            p.unit.as_str() != UNIT_OF_CITIZENS && !matches!(p.account.phase, Phase::Revoked(_))
        };
        if people::of_personal_id(tx, &keys, new.personal_id)?.iter().any(works) {
            return Err(known_already());
        }
        let id = people::next_id(tx)?;
        let row = new.role.row();
        let scope = match row.reach {
            Reach::Person => Scope::Person,
            Reach::Unit => Scope::Unit(unit.clone()),
            Reach::Below => Scope::Below(unit.clone()),
            Reach::All => Scope::All,
        };
        let grant = Grant::new(new.role, scope, DateRange::default(), None)?;
        let mut person = Person {
            id,
            login: new.login,
            name: new.name.as_str().to_owned(),
            unit: unit.clone(),
            phone: new.phone,
            personal_id: Some(new.personal_id),
            account: Account::invite(id, Class::of([new.role]), by, now),
            grants: Grants::default().with(grant)?,
            secrets: Secrets::default(),
            revision: Revision::NEW,
        };
        dancu_access::people::set_password(&mut person, phc);
        people::insert(tx, &keys, &person)?;
        contact::of_invited(tx, &keys, id, &new.email)?;
        people::note_event(tx, &keys, id, now, EventKind::Invited, None, "")?;
        Ok((format!("#{} {} tại {unit}; lý do: {because}", id.0, row.code), id))
    });
    invited.await
}

/// A new invitation for who was invited with a role of the centre and never came; the code of
/// before ends. `phc`: hash of the new one.
///
/// # Errors
/// [`Refused::Gone`] for who holds no such role; the reason where the person is in already, is
/// oneself, or where an account of the login is locked or suspended.
pub async fn reinvite(
    desk: &StaffDesk<'_>,
    person: PersonId,
    phc: String,
) -> Result<(Done, Person), Refused> {
    let (now, keys, by) = (desk.now, desk.store.keys().clone(), desk.actor.number());
    let today = now.viet_nam_date();
    let entry = Entry::new("person.reinvited", desk.actor, None);
    let invited = note((desk.store, now), entry, move |tx| {
        let mut found = people::by_id(tx, &keys, person)?.ok_or(Refused::Gone)?;
        if !found.grants.since(today).any(|g| GIVEN.contains(&g.role)) {
            return Err(Refused::Gone);
        }
        for (_, listed) in crate::officers::accounts_of(tx, &keys, &found.unit, &found.login)? {
            match listed.account.state {
                AccountState::Locked => return Err(PortalReason::InviteLocked.into()),
                AccountState::Suspended => return Err(PortalReason::InviteSuspended.into()),
                _ => {}
            }
        }
        found.account = found.account.reinvite(by, now).map_err(InvalidTransition::reason)?;
        dancu_access::people::set_password(&mut found, phc);
        people::save(tx, &keys, &found)?;
        people::note_event(tx, &keys, person, now, EventKind::Invited, None, "")?;
        Ok((format!("#{}: mã mời mới, mã trước hết hiệu lực", person.0), found))
    });
    invited.await
}

fn taken() -> Refused {
    Refused::Field {
        field: "login",
        vi: "Tên đăng nhập này đã có người dùng (B6).".into(),
        en: "Somebody has this login already (B6).".into(),
    }
}

fn known_already() -> Refused {
    Refused::Field {
        field: "personalId",
        vi: "Người này đã có tài khoản khác; mỗi người một tài khoản (E1).".into(),
        en: "This person has another account; one person, one account (E1).".into(),
    }
}

/// People who hold a role that the centre gives, on some day.
///
/// # Errors
/// The store could not be read.
pub async fn list(store: &Store) -> Result<Vec<Person>, Error> {
    store.people().by_centre().await
}

/// Ends a role that the centre gave: sessions under it end at once (E3). What was held stays on
/// record until yesterday; an invitation that nobody took up is withdrawn with its last role.
///
/// # Errors
/// [`PortalReason::NoPower`] for a role that the centre does not give; [`Refused::Field`] where it
/// is one's own, or the last operator would go; [`Refused::Gone`] where it is not held.
pub async fn end(desk: &StaffDesk<'_>, person: PersonId, role: Role) -> Result<Done, Refused> {
    if !GIVEN.contains(&role) {
        return Err(PortalReason::NoPower.into());
    }
    if desk.actor.person() == Some(person) {
        return Err(wrong(
            "Không tự kết thúc vai trò của mình (E3).",
            "Nobody ends one's own role (E3).",
        ));
    }
    let (now, keys, because) = (desk.now, desk.store.keys().clone(), desk.reason.to_owned());
    let today = now.viet_nam_date();
    // Others who hold it; whether they still do is not asked twice: two who end each other at once
    // are found by the second one.
    let others: Vec<PersonId> =
        list(desk.store).await?.into_iter().filter(|p| p.id != person).map(|p| p.id).collect();
    let entry = Entry::new("person.roleEnded", desk.actor, None);
    let done = note((desk.store, now), entry, move |tx| {
        let mut found = people::by_id(tx, &keys, person)?.ok_or(Refused::Gone)?;
        if !found.grants.since(today).any(|g| g.role == role) {
            return Err(Refused::Gone);
        }
        let holds = |p: &Person| {
            matches!(p.account.phase, Phase::Open(_)) && p.grants.on(today).any(|g| g.role == role)
        };
        if role == Role::Operator
            && !any(tx, &others, |tx, id| {
                Ok(people::by_id(tx, &keys, id)?.is_some_and(|p| holds(&p)))
            })?
        {
            return Err(wrong(
                "Đây là quản trị viên cuối cùng; mời người khác trước (E3).",
                "This is the last operator; invite another one first (E3).",
            ));
        }
        found.grants = ended(&found.grants, |held| held == role, today)?;
        follow_roles(&mut found, now)?;
        people::save(tx, &keys, &found)?;
        people::note_event(tx, &keys, person, now, EventKind::RolesChanged, None, "")?;
        Ok((format!("#{} {}; lý do: {because}", person.0, role.row().code), ()))
    });
    done.await.map(|(done, ())| done)
}

fn any(
    tx: &mut Tx<'_>,
    ids: &[PersonId],
    mut test: impl FnMut(&mut Tx<'_>, PersonId) -> Result<bool, Refused>,
) -> Result<bool, Refused> {
    for id in ids {
        if test(tx, *id)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The account follows the roles that are left.
pub(crate) fn follow_roles(person: &mut Person, now: Moment) -> Result<(), Refused> {
    let today = now.viet_nam_date();
    if matches!(person.account.phase, Phase::Revoked(_)) {
        return Ok(());
    }
    let account = person.account.clone().rights_changed(person.grants.class(today));
    person.account = account.map_err(InvalidTransition::reason)?;
    let idle = person.grants.since(today).next().is_none();
    // An account that is in use, or an invitation that is too old, has none to withdraw.
    if idle && let Ok(withdrawn) = person.account.clone().withdraw(now) {
        person.account = withdrawn;
    }
    Ok(())
}

/// Roles of which some ended yesterday; what never began is struck out.
pub(crate) fn ended(
    grants: &Grants,
    ends: impl Fn(Role) -> bool,
    today: Date,
) -> Result<Grants, PortalReason> {
    let mut kept = Grants::default();
    let yesterday = today.yesterday().ok();
    for grant in grants.all() {
        let over = grant.valid.to.is_some_and(|to| to < today);
        if over || !ends(grant.role) {
            kept = kept.with(grant.clone())?;
        } else if grant.valid.from.is_none_or(|from| yesterday.is_some_and(|to| from <= to)) {
            let valid = DateRange { from: grant.valid.from, to: yesterday };
            kept = kept.with(Grant { valid, ..grant.clone() })?;
        }
    }
    Ok(kept)
}

fn wrong(vi: &str, en: &str) -> Refused {
    Refused::Field { field: "role", vi: vi.into(), en: en.into() }
}
