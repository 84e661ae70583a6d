//! Who is put on the list, and what is changed of who is on it (B6, E1).

use dancu_domain::ids::{AccountId, Login, SystemId};
use dancu_domain::people::PersonId;
use dancu_domain::people::account::{Account as Portal, Phase};
use dancu_domain::people::grants::{Grant, Grants, Scope};
use dancu_domain::people::roles::{Class, Role};
use dancu_domain::registration::{Account, AccountKind, AccountState, DateRange};
use dancu_domain::service::{Service, ServiceSet};
use dancu_store::engine::Tx;
use dancu_store::people::{self, EventKind, Person, Revision, Secrets};
use dancu_store::policy::accounts::{self, Listed};

use super::check::{self, Effect, Wanted, Wrong};
use super::{HeadDesk, Inside, Who, field};
use crate::act::{Done, Entry, Refused, carry_out, note};
use crate::notices::contact;
use dancu_papers::sheet::{Column, Raw, Row};

/// An officer to be added.
pub struct New<'a> {
    /// The system on whose list.
    pub system: SystemId,
    /// What was typed.
    pub raw: &'a Raw,
    /// Functions of the task (E1).
    pub services: ServiceSet,
    /// Hash of the password that is given with the invitation to the portal; none: the officer
    /// works in the agency's own software only.
    pub invited: Option<String>,
    /// Address of e-mail for notices of who is invited; may be empty.
    pub email: &'a str,
}

/// Who was added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Added {
    /// The account on the list.
    pub account: AccountId,
    /// The person who was invited; none where nobody was, because the person has an account of the
    /// portal already or because none was wanted.
    pub invited: Option<PersonId>,
}

/// Adds an officer: an account on the list of a system, and an invitation to the portal (B6, E1).
///
/// # Errors
/// [`Refused::Field`] names the first value that does not go with the list; as [`invite`] where the
/// officer is invited.
pub async fn add(desk: &HeadDesk<'_>, new: New<'_>) -> Result<(Done, Added), Refused> {
    let inside = desk.inside()?;
    let New { system, raw, services, invited, email } = new;
    let (raw, email) = (raw.clone(), email.to_owned());
    let entry = Entry::new("officer.added", desk.by, Some(system));
    let added = carry_out((desk.store, desk.now), entry, move |tx, _| {
        let owner = inside.system(tx, system)?;
        let services = within(services, owner.services)?;
        let known = accounts::of_system(tx, &inside.keys, system)?;
        let row = Row { line: 0, raw, formulas: vec![] };
        let logins = inside.profile.accounts.logins();
        let wanted = match check::plan(&[row], &known, &logins).pop() {
            Some(Effect::Add(wanted)) => wanted,
            Some(Effect::Wrong(faults)) => return Err(first(&faults)),
            _ => return Err(field("login", &Wrong::LoginTaken)),
        };
        let listed = new_listed(&wanted, services);
        let account = accounts::insert(tx, &inside.keys, system, &[listed])?.pop();
        let account = account.ok_or(Refused::Gone)?;
        inside.tell_list(tx, &owner)?;
        let invited = match invited {
            Some(phc) => inside.welcome(tx, &wanted, phc)?,
            None => None,
        };
        if let Some(person) = invited {
            contact::of_invited(tx, &inside.keys, person, &email)?;
        }
        let told = invited.map_or(String::new(), |p| format!(", mời vào cổng #{}", p.0));
        let detail = format!("{} #{}: {} lượt/ngày{told}", owner.code, account.0, wanted.daily);
        Ok((detail, Added { account, invited }))
    });
    added.await
}

/// Changes what the list says of an account, and the person with it.
///
/// # Errors
/// As [`add`]; [`Refused::Gone`] where the account is revoked.
pub async fn change(
    desk: &HeadDesk<'_>,
    account: AccountId,
    raw: &Raw,
    services: ServiceSet,
) -> Result<Done, Refused> {
    let inside = desk.inside()?;
    let raw = raw.clone();
    let system = desk.store.listed_account(account).await?.ok_or(Refused::Gone)?.0;
    let entry = Entry::new("officer.changed", desk.by, Some(system));
    let changed = carry_out((desk.store, desk.now), entry, move |tx, _| {
        let owner = inside.system(tx, system)?;
        let services = within(services, owner.services)?;
        let known = accounts::of_system(tx, &inside.keys, system)?;
        let before = known.iter().find(|k| k.account.id == account).ok_or(Refused::Gone)?;
        // The login is what the account is known by everywhere: it never changes.
        let raw = raw.with(Column::Login, before.account.login.as_str());
        let row = Row { line: 0, raw, formulas: vec![] };
        let logins = inside.profile.accounts.logins();
        let mut after = before.clone();
        match check::plan(&[row], &known, &logins).pop() {
            Some(Effect::Change(_, wanted)) => after = changed_to(before, &wanted),
            Some(Effect::Same(_)) => {}
            Some(Effect::Wrong(faults)) => return Err(first(&faults)),
            _ => return Err(Refused::Gone),
        }
        after.account.services = services;
        accounts::change(tx, &inside.keys, &after)?;
        inside.rename(tx, &after)?;
        inside.tell_list(tx, &owner)?;
        let detail = format!("{} #{}: {}", owner.code, account.0, differences(before, &after));
        Ok((detail, ()))
    });
    changed.await.map(|(done, ())| done)
}

/// Invites who is on the list into the portal.
///
/// # Errors
/// [`Refused::Field`] where the login is somebody's already; the reason where an account of it is
/// locked or suspended ([`PortalReason::InviteLocked`]).
///
/// [`PortalReason::InviteLocked`]: dancu_domain::people::reasons::PortalReason::InviteLocked
pub async fn invite(
    desk: &HeadDesk<'_>,
    who: Who,
    phc: String,
) -> Result<(Done, PersonId), Refused> {
    let inside = desk.inside()?;
    let entry = Entry::new("officer.invited", desk.by, None);
    let invited = note((desk.store, desk.now), entry, move |tx| {
        let found = inside.find(tx, who)?;
        let live = |k: &&Listed| k.account.state != AccountState::Revoked;
        let listed = found.accounts.iter().map(|(_, k)| k).find(live).ok_or(Refused::Gone)?;
        let person = inside.new_person(
            &found.login,
            &listed.full_name,
            &listed.phone,
            listed.account.citizen_id,
        );
        let invited = inside.enter(tx, person, phc)?;
        let invited = invited.ok_or_else(|| field("act", &Wrong::LoginElsewhere))?;
        Ok((format!("#{} → cổng #{}", listed.account.id.0, invited.0), invited))
    });
    invited.await
}

/// The first fault as the page's form tells it.
fn first(faults: &check::Faults) -> Refused {
    faults.first().map_or(Refused::Gone, |(column, wrong)| field(column.field(), wrong))
}

/// Services of an account are among those of its system (E1).
fn within(wanted: ServiceSet, registered: ServiceSet) -> Result<ServiceSet, Refused> {
    let both = ServiceSet(wanted.0 & registered.0);
    if both.0 == 0 {
        return Err(Refused::Field {
            field: "services",
            vi: "Chọn ít nhất một dịch vụ mà hệ thống đã đăng ký (E1).".into(),
            en: "Choose at least one service that the system is registered for (E1).".into(),
        });
    }
    Ok(both)
}

/// An account with what is wanted of it. A row without a citizen id keeps the one that is stored.
pub(super) fn changed_to(before: &Listed, wanted: &Wanted) -> Listed {
    let mut after = before.clone();
    wanted.name.as_str().clone_into(&mut after.full_name);
    after.phone.clone_from(&wanted.phone);
    after.account.daily = wanted.daily;
    after.account.officer_code.clone_from(&wanted.officer_code);
    after.account.citizen_id = wanted.personal_id.or(before.account.citizen_id);
    after
}

/// What changed, without the values that are personal data.
fn differences(before: &Listed, after: &Listed) -> String {
    let (b, a) = (&before.account, &after.account);
    let mut told = vec![];
    if b.daily != a.daily {
        told.push(format!("{} → {} lượt/ngày", b.daily, a.daily));
    }
    if b.services != a.services {
        let codes: Vec<&str> = a.services.iter().map(Service::code).collect();
        told.push(format!("dịch vụ {}", codes.join(" ")));
    }
    let named = [
        (before.full_name != after.full_name, "họ tên"),
        (b.citizen_id != a.citizen_id, "số CCCD"),
        (b.officer_code != a.officer_code, "mã cán bộ"),
        (before.phone != after.phone, "điện thoại"),
    ];
    told.extend(named.into_iter().filter(|(changed, _)| *changed).map(|(_, w)| w.to_owned()));
    if told.is_empty() { "không đổi".to_owned() } else { told.join(", ") }
}

/// A new account of an officer; the store gives it its number.
pub(super) fn new_listed(wanted: &Wanted, services: ServiceSet) -> Listed {
    Listed {
        account: Account {
            daily: wanted.daily,
            services,
            officer_code: wanted.officer_code.clone(),
            citizen_id: wanted.personal_id,
            ..Account::new(AccountId(0), wanted.login.clone(), AccountKind::Officer)
        },
        full_name: wanted.name.as_str().to_owned(),
        phone: wanted.phone.clone(),
    }
}

impl Inside {
    fn welcome(
        &self,
        tx: &mut Tx<'_>,
        wanted: &Wanted,
        phc: String,
    ) -> Result<Option<PersonId>, Refused> {
        let person =
            self.new_person(&wanted.login, wanted.name.as_str(), &wanted.phone, wanted.personal_id);
        self.enter(tx, person, phc)
    }

    /// Somebody of the unit, not yet numbered.
    fn new_person(
        &self,
        login: &Login,
        name: &str,
        phone: &str,
        personal_id: Option<dancu_domain::ids::PersonalId>,
    ) -> Person {
        let id = PersonId(0);
        Person {
            id,
            login: login.clone(),
            name: name.to_owned(),
            unit: self.unit.clone(),
            phone: phone.to_owned(),
            personal_id,
            account: Portal::invite(id, Class::Staff, self.by, self.now),
            grants: Grants::default(),
            secrets: Secrets::default(),
            revision: Revision::NEW,
        }
    }

    /// Makes the person known with an officer's role; none where the unit has a person of the
    /// login already, who goes on as before.
    fn enter(
        &self,
        tx: &mut Tx<'_>,
        mut person: Person,
        phc: String,
    ) -> Result<Option<PersonId>, Refused> {
        if let Some(other) = people::by_login(tx, &self.keys, &person.login)? {
            let stays =
                other.unit == self.unit && !matches!(other.account.phase, Phase::Revoked(_));
            return if stays { Ok(None) } else { Err(field("login", &Wrong::LoginElsewhere)) };
        }
        self.may_invite(tx, &person.login, None)?;
        let id = people::next_id(tx)?;
        let scope = Scope::Unit(self.unit.clone());
        let grant = Grant::new(Role::Officer, scope, DateRange::default(), None)?;
        person.id = id;
        person.account.person = id;
        person.grants = person.grants.with(grant)?;
        dancu_access::people::set_password(&mut person, phc);
        people::insert(tx, &self.keys, &person)?;
        people::note_event(tx, &self.keys, id, self.now, EventKind::Invited, None, "")?;
        Ok(Some(id))
    }

    /// Name and telephone of a person follow the list. The citizen id does so only until the person
    /// is in: whoever has the electronic identity of that id signs in as the person, so that
    /// writing another one would be a way in (decision 46).
    pub(super) fn rename(&self, tx: &mut Tx<'_>, listed: &Listed) -> Result<(), Refused> {
        let found = people::by_login(tx, &self.keys, &listed.account.login)?;
        let Some(mut person) = found.filter(|p| p.unit == self.unit) else { return Ok(()) };
        let is_in = !matches!(person.account.phase, Phase::Invited { .. });
        let id = listed.account.citizen_id.filter(|_| !is_in).or(person.personal_id);
        let as_listed = (&listed.full_name, &listed.phone, id);
        if (&person.name, &person.phone, person.personal_id) == as_listed {
            return Ok(());
        }
        person.name.clone_from(&listed.full_name);
        person.phone.clone_from(&listed.phone);
        person.personal_id = id;
        people::save(tx, &self.keys, &person)?;
        Ok(())
    }
}
