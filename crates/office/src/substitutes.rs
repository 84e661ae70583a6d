//! Who stands in for whom, between two days (E3). A stand-in works with the own account and holds
//! the role of who is absent: the head's as a deputy, an officer's as an officer.
//!
//! **Invariant:** a stand-in never sees or does more than who is absent, ends by itself, and with
//! who is absent where that one is revoked.
//! **Invariant:** on one day nobody is stood in for by two, nor stands in for two.

use dancu_domain::moment::Moment;
use dancu_domain::people::PersonId;
use dancu_domain::people::account::{InvalidTransition, Phase, Standing};
use dancu_domain::people::grants::{Grant, Grants};
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::roles::Role;
use dancu_domain::registration::DateRange;
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::people::{self, EventKind, Person};
use jiff::civil::Date;

use crate::act::{Done, Entry, Refused, note};
use crate::officers::HeadDesk;

/// Longest time that somebody is stood in for, days (*ours*): longer than that is a transfer.
pub const DAYS_MAX: i32 = 366;

/// A stand-in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StandIn {
    /// Who stands in.
    pub substitute: PersonId,
    /// For whom.
    pub absent: PersonId,
    /// As what.
    pub role: Role,
    /// First day.
    pub from: Date,
    /// Last day.
    pub to: Date,
}

impl StandIn {
    fn of(person: &Person, grant: &Grant) -> Option<Self> {
        Some(Self {
            substitute: person.id,
            absent: grant.in_place_of?,
            role: grant.role,
            from: grant.valid.from?,
            to: grant.valid.to?,
        })
    }

    fn overlaps(&self, from: Date, to: Date) -> bool {
        self.from <= to && from <= self.to
    }
}

/// Names somebody to stand in for somebody else of the unit, from a first to a last day.
///
/// # Errors
/// [`Refused::Field`] names what is wrong: `absent`, `substitute`, `from`, `to`; the table of roles
/// has the last word ([`PortalReason::RolesConflict`], [`PortalReason::TooManyRoles`]).
pub async fn appoint(
    desk: &HeadDesk<'_>,
    absent: PersonId,
    substitute: PersonId,
    (from, to): (Date, Date),
) -> Result<Done, Refused> {
    let (now, unit, keys) = (desk.now, desk.unit.clone(), desk.store.keys().clone());
    let profile = desk.store.profiles().at(now).clone();
    dates(now.viet_nam_date(), from, to)?;
    if absent == substitute {
        return Err(wrong(
            "substitute",
            "Chọn người khác với người vắng mặt.",
            "Somebody else than who is absent.",
        ));
    }
    let entry = Entry::new("person.substituteAppointed", desk.by, None);
    let done = note((desk.store, now), entry, move |tx| {
        let all = people::of_unit(tx, &keys, &unit)?;
        let find = |id: PersonId| all.iter().find(|p| p.id == id).ok_or(Refused::Gone);
        let (gone, person) = (find(absent)?, find(substitute)?);
        if is_gone(gone) {
            return Err(wrong(
                "absent",
                "Tài khoản của người này đã thu hồi: không ai thay.",
                "This person's account is revoked: nobody stands in for them.",
            ));
        }
        if person.account.standing(now, &profile) != Standing::Active {
            return Err(wrong(
                "substitute",
                "Người thay thế phải có tài khoản đang hoạt động.",
                "Who stands in needs an account in use.",
            ));
        }
        free(&all, absent, substitute, (from, to))?;
        let grant = grant_of(gone, from, to)?;
        let role = grant.role;
        let mut after = person.clone();
        after.grants = after.grants.with(grant)?;
        follow(&mut after, now.viet_nam_date(), &person.grants)?;
        save(tx, &keys, &after, now)?;
        let word = role.row().code;
        Ok((format!("#{} thay #{} ({word}) {from} – {to}", substitute.0, absent.0), ()))
    });
    done.await.map(|(done, ())| done)
}

/// Ends a stand-in now: one that is planned is struck out, one that runs ended yesterday.
///
/// # Errors
/// [`Refused::Gone`] where it is over or there is none.
pub async fn end(
    desk: &HeadDesk<'_>,
    substitute: PersonId,
    absent: PersonId,
    began: Date,
) -> Result<Done, Refused> {
    let (now, unit, keys) = (desk.now, desk.unit.clone(), desk.store.keys().clone());
    let entry = Entry::new("person.substituteEnded", desk.by, None);
    let done = note((desk.store, now), entry, move |tx| {
        let person = people::by_id(tx, &keys, substitute)?.ok_or(Refused::Gone)?;
        if person.unit != unit {
            return Err(Refused::Gone);
        }
        let after = without(&person, absent, Some(began), now.viet_nam_date())?;
        save(tx, &keys, &after.ok_or(Refused::Gone)?, now)?;
        Ok((format!("#{} thay #{} từ {began}", substitute.0, absent.0), ()))
    });
    done.await.map(|(done, ())| done)
}

/// A person who stands in for somebody no more, from now on: as it began then, or in all; none
/// where they do not. What ran stays on record until yesterday, what never ran leaves no trace
/// here.
fn without(
    person: &Person,
    absent: PersonId,
    began: Option<Date>,
    today: Date,
) -> Result<Option<Person>, Refused> {
    let mut ended = false;
    let mut kept = Grants::default();
    for grant in person.grants.all() {
        let is_it = grant.in_place_of == Some(absent)
            && (began.is_none() || grant.valid.from == began)
            && grant.valid.to.is_some_and(|to| to >= today);
        if !is_it {
            kept = kept.with(grant.clone())?;
            continue;
        }
        ended = true;
        let yesterday = today.yesterday().ok();
        if let Some((from, to)) = grant.valid.from.zip(yesterday).filter(|(from, to)| to >= from) {
            let valid = DateRange { from: Some(from), to: Some(to) };
            let Grant { role, scope, .. } = grant.clone();
            kept = kept.with(Grant::new(role, scope, valid, Some(absent))?)?;
        }
    }
    if !ended {
        return Ok(None);
    }
    let mut after = person.clone();
    after.grants = kept;
    follow(&mut after, today, &person.grants)?;
    Ok(Some(after))
}

/// Whether an account is revoked. Who is gone holds no power any more, and so no place either.
#[must_use]
pub fn is_gone(person: &Person) -> bool {
    matches!(person.account.phase, Phase::Revoked(_))
}

/// Ends whoever stands in for somebody who is gone, or was to. Gives who did.
pub(crate) fn end_all_of(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    absent: &Person,
    now: Moment,
) -> Result<Vec<PersonId>, Refused> {
    let mut ended = vec![];
    for person in people::of_unit(tx, keys, &absent.unit)? {
        if is_gone(&person) {
            continue;
        }
        if let Some(after) = without(&person, absent.id, None, now.viet_nam_date())? {
            save(tx, keys, &after, now)?;
            ended.push(person.id);
        }
    }
    Ok(ended)
}

/// Stand-ins of a unit: those that run or are planned, then those that are over, the latest first.
#[must_use]
pub fn of(people: &[Person], today: Date) -> Vec<StandIn> {
    let mut all: Vec<StandIn> = people.iter().flat_map(of_person).collect();
    all.sort_by_key(|s| (s.to < today, if s.to < today { s.to } else { s.from }));
    let open = all.iter().take_while(|s| s.to >= today).count();
    if let Some(over) = all.get_mut(open..) {
        over.reverse();
    }
    all
}

fn of_person(person: &Person) -> impl Iterator<Item = StandIn> + '_ {
    person.grants.all().iter().filter_map(|g| StandIn::of(person, g))
}

fn dates(today: Date, from: Date, to: Date) -> Result<(), Refused> {
    if from < today {
        return Err(wrong("from", "Ngày bắt đầu đã qua.", "The first day has passed."));
    }
    if to < from {
        return Err(wrong(
            "to",
            "Ngày kết thúc trước ngày bắt đầu.",
            "The last day is before the first.",
        ));
    }
    if to.duration_since(from).as_hours() / 24 >= i64::from(DAYS_MAX) {
        return Err(wrong(
            "to",
            "Thay thế tối đa một năm; lâu hơn thì điều chuyển.",
            "A year at most; longer than that is a transfer.",
        ));
    }
    Ok(())
}

/// On one day nobody is stood in for by two, nor stands in for two, nor is absent while standing
/// in.
fn free(
    all: &[Person],
    absent: PersonId,
    substitute: PersonId,
    (from, to): (Date, Date),
) -> Result<(), Refused> {
    let stand_ins = all.iter().filter(|p| !is_gone(p)).flat_map(of_person);
    for other in stand_ins.filter(|s| s.overlaps(from, to)) {
        if other.absent == absent {
            return Err(wrong(
                "absent",
                "Người này đã có người thay trong thời gian này.",
                "Somebody stands in for this person on these days.",
            ));
        }
        if other.substitute == substitute {
            return Err(wrong(
                "substitute",
                "Người thay thế đã thay người khác trong thời gian này.",
                "This person stands in for somebody else on these days.",
            ));
        }
        if other.absent == substitute {
            return Err(wrong(
                "substitute",
                "Người này vắng mặt trong thời gian này.",
                "This person is absent on these days.",
            ));
        }
    }
    Ok(())
}

/// What who stands in holds: the head's powers as a deputy, an officer's as an officer, where the
/// absent person holds them. Nobody stands in for a stand-in.
fn grant_of(absent: &Person, from: Date, to: Date) -> Result<Grant, Refused> {
    let own = |role: Role| {
        let holds = |g: &&Grant| {
            g.role == role
                && g.in_place_of.is_none()
                && g.valid.contains(from)
                && g.valid.contains(to)
        };
        absent.grants.all().iter().find(holds)
    };
    let (role, held) = match (own(Role::Head), own(Role::Officer)) {
        (Some(held), _) => (Role::Deputy, held),
        (None, Some(held)) => (Role::Officer, held),
        (None, None) => {
            return Err(wrong(
                "absent",
                "Chỉ thay cho thủ trưởng hoặc cán bộ khai thác của đơn vị.",
                "Only the head and the officers of the unit are stood in for.",
            ));
        }
    };
    let valid = DateRange { from: Some(from), to: Some(to) };
    Ok(Grant::new(role, held.scope.clone(), valid, Some(absent.id))?)
}

/// What changes on this day ends what was open under the old roles; what is only planned ends
/// nothing, and of who is gone nothing is open.
fn follow(after: &mut Person, today: Date, before: &Grants) -> Result<(), PortalReason> {
    if is_gone(after) || before.on(today).eq(after.grants.on(today)) {
        return Ok(());
    }
    let class = after.grants.class(today);
    after.account =
        after.account.clone().rights_changed(class).map_err(InvalidTransition::reason)?;
    Ok(())
}

fn save(tx: &mut Tx<'_>, keys: &Keyring, person: &Person, now: Moment) -> Result<(), Refused> {
    people::save(tx, keys, person)?;
    people::note_event(tx, keys, person.id, now, EventKind::RolesChanged, None, "")?;
    Ok(())
}

fn wrong(field: &'static str, vi: &str, en: &str) -> Refused {
    Refused::Field { field, vi: vi.to_owned(), en: en.to_owned() }
}
