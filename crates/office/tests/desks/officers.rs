//! Officers of a unit: added, changed, stopped, ended (B6, E1-E3), alone and as a list.

use dancu_domain::editions::{Edition, Form};
use dancu_domain::ids::{LineId, PersonalId, SystemCode, SystemId, UnitCode};
use dancu_domain::moment::{DAY_MS, Moment};
use dancu_domain::people::account::{Phase, RevokeCause, Standing, Stops};
use dancu_domain::people::factors::SeenInPerson;
use dancu_domain::people::grants::{Grant, Grants, Scope};
use dancu_domain::people::password::PasswordAge;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::roles::Role;
use dancu_domain::people::session::{Look, Session};
use dancu_domain::people::{MachineTime, PersonId, session};
use dancu_domain::registration::{AccountList, AccountState, DateRange, Snapshot};
use dancu_domain::service::{Service, ServiceSet};
use dancu_office::officers::check::{Effect, Wrong};
use dancu_office::officers::{
    self, Died, HeadDesk, Held, Import, New, Officer, State, Who, add, change, confirm_revocation,
    export, give_password, invite, list, open_notices, preview, reenable, resume, revoke, suspend,
    train, vouch,
};
use dancu_office::papers::{self, Whose};
use dancu_office::substitutes::appoint;
use dancu_office::{Actor, Done, Refused};
use dancu_papers::sheet::{self, Column, Contact, Layout, List, Raw};
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::people::{self, Person};
use dancu_store::{Store, policy};

use super::world::*;

pub fn unit() -> UnitCode {
    UnitCode::parse("H26.001").unwrap()
}

/// What a desk borrows.
pub struct Place {
    by: Actor,
    unit: UnitCode,
    snapshot: Snapshot,
}

impl Place {
    pub fn new(store: &Store, by: PersonId) -> Self {
        Self { by: actor(by), unit: unit(), snapshot: store.snapshot(clock()).unwrap() }
    }

    pub fn desk<'a>(&'a self, store: &'a Store) -> HeadDesk<'a> {
        HeadDesk {
            store,
            now: clock(),
            machine: MachineTime(clock().0),
            by: &self.by,
            unit: &self.unit,
            snapshot: &self.snapshot,
        }
    }
}

pub fn raw(login: &str, id: &str) -> Raw {
    Raw::default()
        .with(Column::Login, login)
        .with(Column::Name, "Trần Thị Thử")
        .with(Column::PersonalId, id)
        .with(Column::Phone, "0900000009")
        .with(Column::Daily, "50")
}

pub fn verify() -> ServiceSet {
    ServiceSet::of(&[Service::CitizenVerify])
}

pub async fn added(store: &Store, login: &str, id: &str) -> Result<officers::Added, Refused> {
    let place = Place::new(store, HEAD);
    let raw = raw(login, id);
    let invited = Some("$argon2id$thu".to_owned());
    let new = New { system: SYSTEM, raw: &raw, services: verify(), invited, email: "" };
    add(&place.desk(store), new).await.map(|(_, added)| added)
}

fn field<T: std::fmt::Debug>(result: Result<T, Refused>) -> &'static str {
    match result.unwrap_err() {
        Refused::Field { field, vi, en } => {
            assert!(!vi.is_empty() && !en.is_empty());
            field
        }
        other => panic!("{other}"),
    }
}

fn reason<T: std::fmt::Debug>(result: Result<T, Refused>) -> PortalReason {
    match result.unwrap_err() {
        Refused::Reason(reason) => reason,
        other => panic!("{other}"),
    }
}

async fn by_login(world: &World, name: &str) -> Person {
    world.store.people().person_by_login(&login(name)).await.unwrap().unwrap()
}

/// Changes somebody directly, as a night or another desk would have.
pub async fn with(world: &World, id: PersonId, change: impl FnOnce(&mut Person) + Send + 'static) {
    let done = world.change(move |tx, keys| {
        let mut person = people::by_id(tx, keys, id)?.expect("somebody of this world");
        change(&mut person);
        people::save(tx, keys, &person)
    });
    done.await;
}

async fn officers_of(world: &World) -> Vec<Officer> {
    list(&Place::new(&world.store, HEAD).desk(&world.store)).await.unwrap()
}

pub async fn stop(world: &World, by: PersonId, who: Who) -> Result<(Done, Died), Refused> {
    let place = Place::new(&world.store, by);
    revoke(&place.desk(&world.store), who, RevokeCause::Left, "nghỉ việc").await
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b6_one_act_adds_account_and_person() {
    for world in World::both("added").await {
        let epoch = world.store.ledger().epoch();
        let new = added(&world.store, "canbo.moi1", "099301012345").await.unwrap();
        assert_eq!(world.store.ledger().epoch(), epoch + 1);
        let act = world.last_act();
        assert_eq!((act.kind.as_str(), act.actor.as_str()), ("officer.added", "thutruong.mau"));
        assert!(!act.detail.contains("099301012345") && !act.detail.contains("Thử"));
        // For the gate, for the portal, and for who keeps the list.
        let snapshot = world.snapshot();
        let account = snapshot.by_id(SYSTEM).unwrap().accounts.find("CANBO.MOI1").unwrap().clone();
        assert_eq!((account.id, account.daily, account.services), (new.account, 50, verify()));
        let person = by_login(&world, "canbo.moi1").await;
        assert_eq!(Some(person.id), new.invited);
        assert!(matches!(person.account.phase, Phase::Invited { by: HEAD, .. }));
        assert_eq!(person.secrets.password.as_deref(), Some("$argon2id$thu"));
        assert_eq!(person.personal_id, PersonalId::parse("099301012345").ok());
        let all = officers_of(&world).await;
        let row = all.iter().find(|o| o.who == Who::Account(new.account)).unwrap();
        assert_eq!((row.state, row.name(), row.daily()), (State::Invited, "Trần Thị Thử", 50));
        assert!(all.iter().any(|o| o.who == Who::Person(HEAD)), "people on no list are shown too");
        // E1: the same login, the same person.
        let again = added(&world.store, "Canbo.Moi1", "099301012346").await;
        assert_eq!(field(again), "login");
        assert_eq!(field(added(&world.store, "canbo.moi2", "099301012345").await), "personalId");
        // A login of another unit's person, and services that the system has not.
        assert_eq!(field(added(&world.store, "vanhanh1.mau", "099301012347").await), "login");
        let place = Place::new(&world.store, HEAD);
        let (raw, services) =
            (raw("canbo.moi3", "099301012348"), ServiceSet::of(&[Service::CitizenLookup]));
        let new = New { system: SYSTEM, raw: &raw, services, invited: None, email: "" };
        assert_eq!(field(add(&place.desk(&world.store), new).await), "services");
        let other = Place { unit: UnitCode::parse("H26.002").unwrap(), ..place };
        let new = New { system: SYSTEM, raw: &raw, services: verify(), invited: None, email: "" };
        assert!(matches!(add(&other.desk(&world.store), new).await, Err(Refused::Gone)));
        // Nothing of what was refused was kept.
        assert_eq!(world.snapshot().by_id(SYSTEM).unwrap().accounts.iter().count(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_reaches_the_person_and_never_the_login() {
    for world in World::both("changed").await {
        let place = Place::new(&world.store, HEAD);
        let desk = place.desk(&world.store);
        let wanted = raw("somebody.else", "099301012345").with(Column::OfficerCode, "CB-7");
        change(&desk, ACCOUNT, &wanted, verify()).await.unwrap();
        let (system, listed) = world.store.listed_account(ACCOUNT).await.unwrap().unwrap();
        assert_eq!((system, listed.account.login.as_str()), (SYSTEM, "canbo.mau"));
        assert_eq!((listed.phone.as_str(), listed.account.daily), ("0900000009", 50));
        let person = world.person(OFFICER).await;
        assert_eq!((person.name.as_str(), person.phone.as_str()), ("Trần Thị Thử", "0900000009"));
        // Without a citizen id the one that is stored stays.
        change(&desk, ACCOUNT, &raw("x", "").with(Column::Daily, "60"), verify()).await.unwrap();
        let (_, listed) = world.store.listed_account(ACCOUNT).await.unwrap().unwrap();
        assert_eq!(listed.account.citizen_id, PersonalId::parse("099301012345").ok());
        assert!(world.last_act().detail.contains("50 → 60"), "{}", world.last_act().detail);
        let bad = change(&desk, ACCOUNT, &raw("x", "").with(Column::Daily, "0"), verify()).await;
        assert_eq!(field(bad), "daily");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e3_a_revocation_ends_everything_at_once() {
    for world in World::both("revoked").await {
        world.begin_session(OFFICER).await;
        let row = world.store.people().sessions_of(OFFICER).await.unwrap().remove(0);
        let open = |world: &World, session: Session, in_force| {
            let figures = world.store.profiles().at(clock()).sign_in.clone();
            session.request(session::Cause::Person, in_force, MachineTime(clock().0), &figures)
        };
        let in_force = world.store.people().in_force(OFFICER).await.unwrap().unwrap();
        assert!(matches!(open(&world, row.session, in_force), Look::Open(_)));
        let (done, died) = stop(&world, HEAD, Who::Account(ACCOUNT)).await.unwrap();
        assert_eq!((died.sessions, died.person), (1, Some(OFFICER)));
        assert_eq!(died.accounts.len(), 1);
        assert!(done.detail.contains("nghỉ việc") && done.detail.contains("left"));
        // In mid-click: the next request of the session finds it over, and why.
        let (row, in_force) = world.store.people().session(&row.mark).await.unwrap().unwrap();
        let look = open(&world, row.session, in_force);
        assert_eq!(look, Look::Ended(PortalReason::SessionRevoked));
        assert_eq!(world.account_state(), AccountState::Revoked);
        let person = world.person(OFFICER).await;
        assert!(matches!(person.account.phase, Phase::Revoked(r) if r.by == HEAD));
        assert!(person.secrets.password.is_none() && person.secrets.devices.is_empty());
        // Final.
        let again = stop(&world, HEAD, Who::Account(ACCOUNT)).await;
        assert_eq!(reason(again), PortalReason::NotInThisState);
        // The operator of the agency's own software is told, and confirms once.
        let place = Place::new(&world.store, FIRST);
        let desk = place.desk(&world.store);
        let notices = open_notices(&desk).await.unwrap();
        assert_eq!(notices.len(), 1);
        assert_eq!((notices[0].person, notices[0].by), (OFFICER, HEAD));
        confirm_revocation(&desk, notices[0].id).await.unwrap();
        assert!(open_notices(&desk).await.unwrap().is_empty());
        let twice = confirm_revocation(&desk, notices[0].id).await;
        assert_eq!(reason(twice), PortalReason::AlreadyDecided);
        let person = world.person(OFFICER).await;
        assert!(matches!(person.account.phase, Phase::Revoked(r) if r.confirmed.is_some()));
        // The login is nobody's again.
        assert_eq!(field(added(&world.store, "canbo.mau", "099301012349").await), "login");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_ends_themselves_the_last_head_or_the_centre() {
    for world in World::both("guarded").await {
        let head = Who::Person(HEAD);
        assert_eq!(field(stop(&world, HEAD, head).await), "act");
        let place = Place::new(&world.store, HEAD);
        let own = suspend(&place.desk(&world.store), head, "thử").await;
        assert_eq!(field(own), "act");
        // Who is no head does not end the head, a deputy neither.
        assert_eq!(reason(stop(&world, OFFICER, head).await), PortalReason::NoPower);
        // Nor makes the way to the head's account: no new password, no lost factor.
        let deputy = Place::new(&world.store, OFFICER);
        let desk = deputy.desk(&world.store);
        let given = give_password(&desk, head, "$argon2id$ba".into()).await;
        assert_eq!(reason(given), PortalReason::NoPower);
        let vouched = vouch(&desk, head, SeenInPerson::CitizenCard).await;
        assert_eq!(reason(vouched), PortalReason::NoPower);
        // With a second head in use the first may go.
        with(&world, OFFICER, |p| {
            let scope = Scope::Unit(p.unit.clone());
            let grant = Grant::new(Role::Head, scope, DateRange::default(), None).unwrap();
            p.grants = Grants::default().with(grant).unwrap();
        })
        .await;
        let (_, died) = stop(&world, OFFICER, head).await.unwrap();
        assert_eq!(died.person, Some(HEAD));
        // Not the other one, who is the last now, and nobody of another unit.
        let officer = Who::Account(ACCOUNT);
        assert_eq!(field(stop(&world, OFFICER, officer).await), "act");
        assert!(matches!(stop(&world, OFFICER, Who::Person(FIRST)).await, Err(Refused::Gone)));
        let unknown = stop(&world, OFFICER, Who::Account(dancu_domain::ids::AccountId(99))).await;
        assert!(matches!(unknown, Err(Refused::Gone)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspension_ends_by_the_heads_word_and_a_lock_does_not() {
    for world in World::both("suspended").await {
        let who = Who::Account(ACCOUNT);
        let place = Place::new(&world.store, HEAD);
        let desk = place.desk(&world.store);
        assert!(matches!(suspend(&desk, who, " ").await, Err(Refused::NoReason)));
        world.begin_session(OFFICER).await;
        let (_, died) = suspend(&desk, who, "nghỉ phép").await.unwrap();
        assert_eq!((died.sessions, world.account_state()), (1, AccountState::Suspended));
        let profile = world.store.profiles().at(clock()).clone();
        let stands = |p: Person| p.account.standing(clock(), &profile);
        assert!(matches!(stands(world.person(OFFICER).await), Standing::Suspended(_)));
        assert_eq!(reason(suspend(&desk, who, "nữa").await), PortalReason::NotInThisState);
        let (done, resumed) = resume(&desk, who, "đã về").await.unwrap();
        assert_eq!(done.detail, "MAU #1, cổng #4; lý do: đã về");
        assert!(resumed.held.is_empty() && resumed.person == Some(OFFICER));
        assert_eq!(resumed.accounts.len(), 1);
        assert_eq!(world.account_state(), AccountState::Live);
        assert_eq!(stands(world.person(OFFICER).await), Standing::Active);
        let locked = world
            .change(|tx, _| policy::write::set_account_state(tx, ACCOUNT, AccountState::Locked));
        locked.await;
        assert_eq!(reason(resume(&desk, who, "mở").await), PortalReason::NotInThisState);
        assert_eq!(world.account_state(), AccountState::Locked);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e3_a_head_does_not_end_the_centres_suspension() {
    for world in World::both("above").await {
        let who = Who::Account(ACCOUNT);
        let place = Place::new(&world.store, HEAD);
        let head = place.desk(&world.store);
        let (snapshot, by) = (world.snapshot(), operator());
        let centre = desk(&world, &snapshot, &by);
        let set = async |state| {
            dancu_office::states::account(&centre, ACCOUNT, state, RevokeCause::Left).await
        };
        set(AccountState::Suspended).await.unwrap();
        assert_eq!(reason(resume(&head, who, "đã về").await), PortalReason::HeldByCentre);
        assert_eq!(world.account_state(), AccountState::Suspended);
        // Both did: each ends the own word, and the centre's reaches further.
        suspend(&head, who, "nghỉ phép").await.unwrap();
        let (done, resumed) = resume(&head, who, "đã về").await.unwrap();
        assert_eq!(world.account_state(), AccountState::Suspended);
        // What is not in use is not told as resumed, neither the account nor the person.
        assert!(resumed.accounts.is_empty() && resumed.person.is_none());
        assert_eq!(resumed.held.iter().map(|(_, by)| *by).collect::<Vec<_>>(), [Held::Centre; 2]);
        let told = "MAU #1 Trung tâm còn tạm ngừng, cổng #4 Trung tâm còn tạm ngừng; lý do: đã về";
        assert_eq!(done.detail, told);
        suspend(&head, who, "nghỉ phép").await.unwrap();
        set(AccountState::Live).await.unwrap();
        let profile = world.store.profiles().at(clock()).clone();
        let standing = world.person(OFFICER).await.account.standing(clock(), &profile);
        assert_eq!((world.account_state(), standing), (AccountState::Live, Standing::Active));
        assert_eq!(reason(resume(&head, who, "nữa").await), PortalReason::NotInThisState);
        // Suspended before it was kept by whom: the centre's.
        let before = world
            .change(|tx, _| policy::write::set_account_state(tx, ACCOUNT, AccountState::Suspended));
        before.await;
        assert_eq!(reason(resume(&head, who, "mở").await), PortalReason::HeldByCentre);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e3_who_stood_in_for_a_revoked_head_stands_in_no_more() {
    for world in World::both("deputy").await {
        let place = Place::new(&world.store, HEAD);
        let today = clock().viet_nam_date();
        let later = clock().plus_ms(9 * DAY_MS).viet_nam_date();
        let desk = place.desk(&world.store);
        appoint(&desk, HEAD, OFFICER, (today, later)).await.unwrap();
        // The centre ends the head: nobody else leads the unit.
        let second = PersonId(9);
        enter_head(&world, second).await;
        world.begin_session(OFFICER).await;
        let by = Place { by: Actor::Person(second, login("thutruong2.mau")), ..place };
        let why = "nghỉ việc";
        let desk = by.desk(&world.store);
        let (done, died) = revoke(&desk, Who::Person(HEAD), RevokeCause::Left, why).await.unwrap();
        assert_eq!(died.substitutes, [OFFICER]);
        assert!(done.detail.contains("thôi thay: #4"), "{}", done.detail);
        let deputy = world.person(OFFICER).await;
        assert!(deputy.grants.on(today).all(|g| g.role != Role::Deputy));
        assert!(deputy.grants.on(later).all(|g| g.role != Role::Deputy));
        assert!(deputy.grants.on(today).any(|g| g.role == Role::Officer), "the own role stays");
        let in_force = world.store.people().in_force(OFFICER).await.unwrap().unwrap();
        let row = world.store.people().sessions_of(OFFICER).await.unwrap().remove(0);
        assert_ne!(row.session.epoch, in_force.epoch, "what was open as a deputy ended");
    }
}

/// A second head of the unit.
async fn enter_head(world: &World, id: PersonId) {
    let mut person = world.person(HEAD).await;
    person.id = id;
    person.account.person = id;
    person.login = login("thutruong2.mau");
    person.revision = people::Revision::NEW;
    world.change(move |tx, keys| people::insert(tx, keys, &person)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e2_a_password_and_a_lost_factor_are_not_helped_by_one_hand() {
    for world in World::both("hands").await {
        enter_head(&world, PersonId(9)).await;
        let who = Who::Account(ACCOUNT);
        let place = Place::new(&world.store, HEAD);
        let other = Actor::Person(PersonId(9), login("thutruong2.mau"));
        let other = Place { by: other, ..Place::new(&world.store, HEAD) };
        let (one, two) = (place.desk(&world.store), other.desk(&world.store));
        let seen = SeenInPerson::CitizenCard;
        let phc = || "$argon2id$hai".to_owned();
        give_password(&one, who, phc()).await.unwrap();
        give_password(&one, who, phc()).await.unwrap();
        let epoch = world.person(OFFICER).await.account.epoch;
        assert_eq!(reason(vouch(&one, who, seen).await), PortalReason::TwoHandsNeeded);
        let person = world.person(OFFICER).await;
        assert!(person.account.epoch == epoch && person.secrets.voucher.is_none());
        // Somebody else's hand, or a day later.
        vouch(&two, who, seen).await.unwrap();
        assert_eq!(reason(give_password(&two, who, phc()).await), PortalReason::TwoHandsNeeded);
        let later = |ms| HeadDesk { now: clock().plus_ms(ms), ..two };
        let soon = give_password(&later(officers::APART_MS - 60_000), who, phc()).await;
        assert_eq!(reason(soon), PortalReason::TwoHandsNeeded);
        assert!(give_password(&one, who, phc()).await.is_ok(), "the first hand gave no word");
    }
}

/// A lock stays above: the head's word ends under it, and nothing is told as in use.
#[tokio::test(flavor = "multi_thread")]
async fn rule_d6_a_resumption_names_what_is_still_locked() {
    for world in World::both("still").await {
        let who = Who::Account(ACCOUNT);
        let place = Place::new(&world.store, HEAD);
        let head = place.desk(&world.store);
        suspend(&head, who, "nghỉ phép").await.unwrap();
        let (snapshot, by) = (world.snapshot(), actor(FIRST));
        dancu_office::states::lock_account(&desk(&world, &snapshot, &by), ACCOUNT).await.unwrap();
        let (done, resumed) = resume(&head, who, "đã về").await.unwrap();
        assert_eq!(done.detail, "MAU #1 còn bị khóa, cổng #4 còn bị khóa; lý do: đã về");
        assert_eq!(resumed.held.iter().map(|(_, by)| *by).collect::<Vec<_>>(), [Held::Locked; 2]);
        assert_eq!(reason(resume(&head, who, "nữa").await), PortalReason::NotInThisState);
        dancu_office::states::unlock_account(&desk(&world, &snapshot, &by), ACCOUNT).await.unwrap();
        assert_eq!(world.account_state(), AccountState::Live, "the head's word has ended");
    }
}

/// The centre's word names whose stand-ins ended, too.
#[tokio::test(flavor = "multi_thread")]
async fn rule_e3_the_centres_revocation_names_who_stands_in_no_more() {
    for world in World::both("named").await {
        let new = added(&world.store, "canbo.moi1", "099301012345").await.unwrap();
        let id = new.invited.unwrap();
        with(&world, id, |p| p.account.phase = Phase::Open(Stops::default())).await;
        let place = Place::new(&world.store, HEAD);
        let today = clock().viet_nam_date();
        appoint(&place.desk(&world.store), OFFICER, id, (today, today)).await.unwrap();
        let (snapshot, by) = (world.snapshot(), operator());
        let centre = desk(&world, &snapshot, &by);
        let (state, cause) = (AccountState::Revoked, RevokeCause::Left);
        let done = dancu_office::states::account(&centre, ACCOUNT, state, cause).await.unwrap();
        let told = format!("MAU #1 revoked, cổng #4, thôi thay: #{}; lý do: cao điểm", id.0);
        assert_eq!(done.detail, told);
        assert!(world.person(id).await.grants.on(today).all(|g| g.in_place_of.is_none()));
    }
}

/// Every node loads what is registered anew with each policy epoch: only what changes it raises it.
#[tokio::test(flavor = "multi_thread")]
async fn acts_on_people_alone_leave_what_is_registered() {
    for world in World::both("quiet").await {
        let who = Who::Account(ACCOUNT);
        let raw = raw("canbo.moi4", "099301012348");
        let place = Place::new(&world.store, HEAD);
        let head = place.desk(&world.store);
        let new = New { system: SYSTEM, raw: &raw, services: verify(), invited: None, email: "" };
        let (_, new) = add(&head, new).await.unwrap();
        stop(&world, HEAD, Who::Account(new.account)).await.unwrap();
        let new = added(&world.store, "canbo.moi5", "099301012349").await.unwrap();
        with(&world, OFFICER, |p| p.account.used = Moment(clock().0 - 60 * DAY_MS)).await;
        let place = Place::new(&world.store, HEAD);
        let head = place.desk(&world.store);
        let (snapshot, by) = (world.snapshot(), actor(FIRST));
        let word = word(&world, &snapshot, &by);
        let (epoch, today) = (world.store.ledger().epoch(), clock().viet_nam_date());
        reenable(&head, who).await.unwrap();
        train(&head, who, today).await.unwrap();
        give_password(&head, Who::Account(new.account), "$argon2id$hai".into()).await.unwrap();
        vouch(&head, who, SeenInPerson::CitizenCard).await.unwrap();
        appoint(&head, HEAD, OFFICER, (today, today)).await.unwrap();
        dancu_office::substitutes::end(&head, OFFICER, HEAD, today).await.unwrap();
        let notices = open_notices(&head).await.unwrap();
        confirm_revocation(&head, notices[0].id).await.unwrap();
        dancu_office::states::lock_person(&word, &login("vanhanh2.mau")).await.unwrap();
        dancu_office::states::unlock_person(&word, SECOND).await.unwrap();
        assert_eq!(world.store.ledger().epoch(), epoch);
        suspend(&head, who, "nghỉ phép").await.unwrap();
        assert_eq!(world.store.ledger().epoch(), epoch + 1, "an account changed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e5_a_training_is_recorded() {
    for world in World::both("trained").await {
        let who = Who::Account(ACCOUNT);
        let place = Place::new(&world.store, HEAD);
        let desk = place.desk(&world.store);
        with(&world, OFFICER, |p| p.account.trained = jiff::civil::date(2020, 1, 1)).await;
        let profile = world.store.profiles().at(clock()).clone();
        assert!(world.person(OFFICER).await.account.training_lapsed(clock(), &profile));
        let tomorrow = clock().plus_ms(DAY_MS).viet_nam_date();
        assert_eq!(field(train(&desk, who, tomorrow).await), "trained");
        train(&desk, who, clock().viet_nam_date()).await.unwrap();
        assert!(!world.person(OFFICER).await.account.training_lapsed(clock(), &profile));
        assert_eq!(world.last_act().kind, "officer.trained");
        let events = world.store.people().events(OFFICER, 1).await.unwrap();
        assert_eq!(events[0].kind, people::EventKind::Trained);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e2_ways_back_in() {
    for world in World::both("back").await {
        let who = Who::Account(ACCOUNT);
        let place = Place::new(&world.store, HEAD);
        let desk = place.desk(&world.store);
        let profile = world.store.profiles().at(clock()).clone();
        assert_eq!(reason(reenable(&desk, who).await), PortalReason::NotInThisState);
        with(&world, OFFICER, |p| p.account.used = Moment(clock().0 - 60 * DAY_MS)).await;
        let idle = world.person(OFFICER).await;
        assert_eq!(idle.account.standing(clock(), &profile), Standing::Disabled);
        assert_eq!(officers::one(&desk, who).await.unwrap().unwrap().state, State::Disabled);
        reenable(&desk, who).await.unwrap();
        let person = world.person(OFFICER).await;
        assert_eq!(person.account.standing(clock(), &profile), Standing::Active);
        // A forgotten password.
        world.begin_session(OFFICER).await;
        let (_, ended) = give_password(&desk, who, "$argon2id$hai".into()).await.unwrap();
        let person = world.person(OFFICER).await;
        assert_eq!((ended, person.account.password.map(|p| p.given)), (1, Some(true)));
        assert_eq!(person.secrets.password.as_deref(), Some("$argon2id$hai"));
        assert_eq!(person.secrets.history.len(), 1);
        // A lost factor: the head's word, not one's own, and a day after the password.
        let desk = HeadDesk { now: clock().plus_ms(officers::APART_MS), ..desk };
        // A given password has no end: while nobody changed it, its hand opens no other way.
        let unused = vouch(&desk, who, SeenInPerson::CitizenCard).await;
        assert_eq!(reason(unused), PortalReason::TwoHandsNeeded);
        let own = |p: &mut Person| {
            p.account.password = p.account.password.map(|age| PasswordAge { given: false, ..age });
        };
        with(&world, OFFICER, own).await;
        let person = world.person(OFFICER).await;
        let epoch = person.account.epoch;
        vouch(&desk, who, SeenInPerson::CitizenCard).await.unwrap();
        let person = world.person(OFFICER).await;
        let voucher = person.secrets.voucher.unwrap();
        assert!(voucher.holds(OFFICER, desk.now).is_ok() && person.account.epoch != epoch);
        assert_eq!(voucher.word().0, HEAD);
        let own = vouch(&desk, Who::Person(HEAD), SeenInPerson::CitizenCard).await;
        assert_eq!(reason(own), PortalReason::OwnVoucher);
        assert_eq!(
            reason(give_password(&desk, Who::Person(HEAD), "x".into()).await),
            PortalReason::OwnRequest
        );
        // Who is on the list only is invited later; who is in the portal is not invited twice.
        let raw = raw("canbo.moi4", "099301012348");
        let new = New { system: SYSTEM, raw: &raw, services: verify(), invited: None, email: "" };
        let (_, new) = add(&desk, new).await.unwrap();
        assert_eq!(new.invited, None);
        let epoch = world.store.ledger().epoch();
        let (_, id) =
            invite(&desk, Who::Account(new.account), "$argon2id$ba".into()).await.unwrap();
        assert_eq!(world.store.ledger().epoch(), epoch, "nothing registered changed");
        assert!(matches!(world.person(id).await.account.phase, Phase::Invited { .. }));
        assert!(invite(&desk, Who::Account(new.account), "x".into()).await.is_err());
        with(&world, id, |p| p.account.phase = Phase::Open(Stops::default())).await;
    }
}

/// A stop that nobody came under yet stands as the account's: no head undoes it by inviting.
#[tokio::test(flavor = "multi_thread")]
async fn rule_d6_a_head_invites_nobody_whose_account_is_locked_or_suspended() {
    for world in World::both("uninvited").await {
        let new = added(&world.store, "canbo.moi1", "099301012345").await.unwrap();
        let (who, id) = (Who::Account(new.account), new.invited.unwrap());
        let raw = raw("canbo.moi2", "099301012346");
        let place = Place::new(&world.store, HEAD);
        let only = New { system: SYSTEM, raw: &raw, services: verify(), invited: None, email: "" };
        let (_, only) = add(&place.desk(&world.store), only).await.unwrap();
        let listed = Who::Account(only.account);
        let (snapshot, by) = (world.snapshot(), actor(FIRST));
        let centre = desk(&world, &snapshot, &by);
        let profile = world.store.profiles().at(clock()).clone();
        let refused = async |why: PortalReason| {
            // What is registered now: the page offers nothing that is refused.
            let place = Place::new(&world.store, HEAD);
            let head = place.desk(&world.store);
            for who in [who, listed] {
                assert!(!officers::one(&head, who).await.unwrap().unwrap().invitable, "{why:?}");
            }
            let all = list(&head).await.unwrap();
            assert!(all.iter().filter(|o| [who, listed].contains(&o.who)).all(|o| !o.invitable));
            let again = give_password(&head, who, "$argon2id$hai".into()).await;
            assert_eq!(reason(again), why);
            let first = invite(&head, listed, "$argon2id$hai".into()).await;
            assert_eq!(reason(first), why);
            let person = world.person(id).await;
            let standing = person.account.standing(clock(), &profile);
            assert_eq!((standing, person.secrets.password), (Standing::InvitationExpired, None));
            let nobody = world.store.people().person_by_login(&login("canbo.moi2")).await.unwrap();
            assert!(nobody.is_none());
        };
        let centre_says = async |state| {
            for account in [new.account, only.account] {
                let cause = RevokeCause::Left;
                dancu_office::states::account(&centre, account, state, cause).await.unwrap();
            }
        };
        let invited_again = async || {
            let place = Place::new(&world.store, HEAD);
            let head = place.desk(&world.store);
            assert!(officers::one(&head, who).await.unwrap().unwrap().invitable);
            give_password(&head, who, "$argon2id$hai".into()).await.unwrap();
            let standing = world.person(id).await.account.standing(clock(), &profile);
            assert_eq!(standing, Standing::Invited);
        };
        centre_says(AccountState::Locked).await;
        refused(PortalReason::InviteLocked).await;
        centre_says(AccountState::Live).await;
        invited_again().await;
        // A suspension withdraws the invitation like a lock, whoever's word it is.
        centre_says(AccountState::Suspended).await;
        let events = world.store.people().events(id, 9).await.unwrap();
        let gone = |kind| kind == people::EventKind::InvitationWithdrawn;
        assert_eq!(events.iter().filter(|e| gone(e.kind)).count(), 2, "by the lock, and by this");
        refused(PortalReason::HeldByCentre).await;
        centre_says(AccountState::Live).await;
        invited_again().await;
        let place = Place::new(&world.store, HEAD);
        let head = place.desk(&world.store);
        let (done, died) = suspend(&head, who, "nghỉ phép").await.unwrap();
        assert!(died.invitation && died.person == Some(id));
        let told = format!("MAU #{}, cổng #{}, thu hồi lời mời, ", new.account.0, id.0);
        assert!(done.detail.starts_with(&told), "{}", done.detail);
        suspend(&head, listed, "nghỉ phép").await.unwrap();
        refused(PortalReason::InviteSuspended).await;
        // The centre's above it is told first.
        centre_says(AccountState::Suspended).await;
        refused(PortalReason::HeldByCentre).await;
        centre_says(AccountState::Live).await;
        invited_again().await;
        suspend(&head, who, "nghỉ phép").await.unwrap();
        resume(&head, who, "đã về").await.unwrap();
        let standing = world.person(id).await.account.standing(clock(), &profile);
        assert_eq!(standing, Standing::InvitationExpired, "the end of a stop is no invitation");
        invited_again().await;
    }
}

/// Of who is on two lists one account locked is enough, on whichever list.
#[tokio::test(flavor = "multi_thread")]
async fn rule_d6_an_account_on_another_list_is_no_way_around_a_lock() {
    for world in World::both("around").await {
        let raw = raw("canbo.moi3", "099301012347");
        let place = Place::new(&world.store, HEAD);
        let new = New { system: SYSTEM, raw: &raw, services: verify(), invited: None, email: "" };
        let (_, listed) = add(&place.desk(&world.store), new).await.unwrap();
        let second = second_system(&world).await;
        let (snapshot, by) = (world.snapshot(), actor(FIRST));
        let centre = desk(&world, &snapshot, &by);
        dancu_office::states::lock_account(&centre, listed.account).await.unwrap();
        let place = Place::new(&world.store, HEAD);
        let head = place.desk(&world.store);
        let phc = || Some("$argon2id$hai".to_owned());
        let new =
            |invited| New { system: second, raw: &raw, services: verify(), invited, email: "" };
        assert_eq!(reason(add(&head, new(phc())).await), PortalReason::InviteLocked);
        let (_, other) = add(&head, new(None)).await.unwrap();
        let around = invite(&head, Who::Account(other.account), "$argon2id$hai".into()).await;
        assert_eq!(reason(around), PortalReason::InviteLocked);
    }
}

/// A second system of the unit, like the first, without accounts.
pub async fn second_system(world: &World) -> SystemId {
    let id = SystemId(2);
    let mut system = world.snapshot().by_id(SYSTEM).unwrap().as_ref().clone();
    system.id = id;
    system.code = SystemCode::parse("MAU2").unwrap();
    system.accounts = AccountList::default();
    for line in system.services.iter_mut().flatten().flat_map(|g| g.lines.iter_mut().flatten()) {
        line.id = LineId(line.id.0 + 100);
    }
    let insert = move |tx: &mut Tx<'_>, keys: &Keyring| {
        policy::write::insert_cleared(tx, keys, (&system, &[]), &clearance())
    };
    world.change(insert).await;
    id
}

/// The electronic identity of an id signs in as whoever has it: no list hands that over.
#[tokio::test(flavor = "multi_thread")]
async fn rule_e2_the_citizen_id_of_who_is_in_follows_no_list() {
    for world in World::both("ids").await {
        let place = Place::new(&world.store, HEAD);
        let desk = place.desk(&world.store);
        let before = world.person(OFFICER).await;
        let listed = raw(before.login.as_str(), "099301019999");
        change(&desk, ACCOUNT, &listed, verify()).await.unwrap();
        let all = list(&desk).await.unwrap();
        let on_list =
            all.iter().filter_map(|o| o.listed.as_ref()).find(|k| k.account.id == ACCOUNT);
        let on_list = on_list.unwrap().account.citizen_id.unwrap().to_string();
        assert_eq!(
            (on_list.as_str(), world.person(OFFICER).await.personal_id),
            ("099301019999", before.personal_id)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_goes_out_and_comes_in_whole_or_not_at_all() {
    for world in World::both("imported").await {
        let place = Place::new(&world.store, HEAD);
        let desk = place.desk(&world.store);
        change(&desk, ACCOUNT, &raw("x", "099301012341"), verify()).await.unwrap();
        added(&world.store, "canbo.hai1", "099301012342").await.unwrap();
        let (_, file) = export(&desk, SYSTEM, Contact::default(), edition(2025)).await.unwrap();
        let act = world.last_act();
        assert_eq!(
            (act.kind.as_str(), act.detail.as_str()),
            ("accounts.exported", "MAU: 2 tài khoản")
        );
        // What went out comes in as it is.
        let list = sheet::read(&file).unwrap();
        let rows = list.rows.clone();
        let import = |rows| Import {
            system: SYSTEM,
            list: List { rows, ..list.clone() },
            services: verify(),
        };
        let same = preview(&desk, &import(rows.clone())).await.unwrap();
        assert_eq!((same.sums().same, same.effects.len()), (2, 2));
        assert_eq!(field(officers::apply(&desk, import(rows.clone()), same).await), "file");
        // Changed and longer.
        let mut longer = rows.clone();
        longer[0].raw = longer[0].raw.clone().with(Column::Daily, "75");
        for n in 0..40_u32 {
            let raw = raw(&format!("canbo.nhieu{n:02}"), &format!("0993010200{n:02}"));
            longer.push(sheet::Row { line: 20 + n, raw, formulas: vec![] });
        }
        let epoch = world.store.ledger().epoch();
        let shown = preview(&desk, &import(longer.clone())).await.unwrap();
        let (_, sums) =
            officers::apply(&desk, import(longer.clone()), shown.clone()).await.unwrap();
        assert_eq!((sums.added, sums.changed, sums.same), (40, 1, 1));
        assert_eq!(world.store.ledger().epoch(), epoch + 1, "one act");
        let listed = world.store.account_list(SYSTEM).await.unwrap();
        assert_eq!(listed.len(), 42);
        assert_eq!(listed.iter().find(|k| k.account.id == ACCOUNT).unwrap().account.daily, 75);
        // Sent twice it is done once.
        let twice = officers::apply(&desk, import(longer.clone()), shown.clone()).await;
        assert_eq!(field(twice), "file");
        // Somebody else changed the list between preview and act.
        longer[1].raw = longer[1].raw.clone().with(Column::Daily, "80");
        let shown = preview(&desk, &import(longer.clone())).await.unwrap();
        let who = Who::Account(
            listed.iter().find(|k| k.account.login.as_str() == "canbo.nhieu07").unwrap().account.id,
        );
        stop(&world, HEAD, who).await.unwrap();
        let late = officers::apply(&desk, import(longer.clone()), shown).await;
        assert_eq!(field(late), "file");
        // One wrong row: nothing of it is carried out.
        longer[2].raw = longer[2].raw.clone().with(Column::Daily, "nhiều");
        let shown = preview(&desk, &import(longer.clone())).await.unwrap();
        assert_eq!(field(officers::apply(&desk, import(longer), shown).await), "file");
        let after = world.store.account_list(SYSTEM).await.unwrap();
        assert!(after.iter().all(|k| k.account.daily != 80));
    }
}

/// What the form of 2021 has no column for stays as it is.
#[tokio::test(flavor = "multi_thread")]
async fn rule_b6_the_list_of_2021_goes_out_and_comes_in() {
    for world in World::both("imported-2021").await {
        let place = Place::new(&world.store, HEAD);
        let desk = place.desk(&world.store);
        let first = raw("x", "099301012341").with(Column::OfficerCode, "CB-1");
        change(&desk, ACCOUNT, &first, verify()).await.unwrap();
        let contact = Contact::default;
        let (_, file) = export(&desk, SYSTEM, contact(), edition(2021)).await.unwrap();
        let list = sheet::read(&file).unwrap();
        assert_eq!((list.layout, list.has(Column::PersonalId)), (Layout::Of2021, false));
        let import = |list: List| Import { system: SYSTEM, list, services: verify() };
        let same = preview(&desk, &import(list.clone())).await.unwrap();
        assert_eq!((same.sums().same, same.effects.len()), (1, 1));
        // One more: without a citizen id it is not added, with the column it is.
        let mut more = list.clone();
        more.rows[0].raw = more.rows[0].raw.clone().with(Column::Daily, "75");
        let new = raw("canbo.moi21", "").with(Column::Role, "Cán bộ một cửa");
        more.rows.push(sheet::Row { line: 20, raw: new.clone(), formulas: vec![] });
        let shown = preview(&desk, &import(more.clone())).await.unwrap();
        let Effect::Wrong(faults) = &shown.effects[1] else { panic!("{:?}", shown.effects) };
        assert_eq!(faults[..], [(Column::PersonalId, Wrong::NoColumn)]);
        assert_eq!(field(officers::apply(&desk, import(more.clone()), shown).await), "file");
        more.columns.push(Column::PersonalId);
        more.rows[1].raw = new.with(Column::PersonalId, "099301012342");
        let shown = preview(&desk, &import(more.clone())).await.unwrap();
        let (_, sums) = officers::apply(&desk, import(more), shown).await.unwrap();
        assert_eq!((sums.added, sums.changed), (1, 1));
        let kept = world.store.account_list(SYSTEM).await.unwrap();
        let kept = &kept.iter().find(|k| k.account.id == ACCOUNT).unwrap().account;
        assert_eq!(kept.daily, 75);
        assert_eq!(kept.officer_code.as_ref().unwrap().as_str(), "CB-1");
        assert_eq!(kept.citizen_id.unwrap().to_string(), "099301012341");
    }
}

/// The edition of the list in a year.
fn edition(year: i16) -> &'static Edition {
    Edition::at(Form::AccountList, jiff::civil::date(year, 12, 31)).unwrap()
}

/// Of two nodes at the same time the second act builds on the first.
#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_at_once() {
    let [_, world] = World::both("nodes").await;
    let other = world.another().unwrap();
    let (a, b) = tokio::join!(
        added(&world.store, "canbo.dua1", "099301012345"),
        added(&other, "Canbo.Dua1", "099301012346"),
    );
    assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1, "{a:?} {b:?}");
    assert_eq!(field(if a.is_ok() { b } else { a }), "login");
    let (here, there) = (Place::new(&world.store, HEAD), Place::new(&other, HEAD));
    let (here, there) = (here.desk(&world.store), there.desk(&other));
    let who = Who::Account(ACCOUNT);
    let (a, b) = tokio::join!(
        revoke(&here, who, RevokeCause::Left, "một"),
        revoke(&there, who, RevokeCause::Misused, "hai"),
    );
    assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1);
    assert_eq!(open_notices(&there).await.unwrap().len(), 1, "told once");
    other.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b6_papers_with_personal_data_are_journaled_before_anybody_has_them() {
    for world in World::both("papers").await {
        let place = Place::new(&world.store, HEAD);
        let desk = place.desk(&world.store);
        let list = papers::account_list(&desk, SYSTEM, Contact::default()).await.unwrap();
        let paper = list.print().unwrap().hand_out(&desk).await.unwrap();
        assert!(paper.bytes.starts_with(b"%PDF-1.7"));
        let told = |kind: &str, detail: &str| {
            let act = world.last_act();
            assert_eq!((act.kind.as_str(), act.detail.as_str()), (kind, detail));
        };
        told("accounts.exported", "MAU: 1 tài khoản, PDF");
        let all = papers::individual_commitments(&desk, SYSTEM, Whose::Part(0)).await.unwrap();
        all.print().unwrap().hand_out(&desk).await.unwrap();
        told("commitments.exported", "MAU: 1 cán bộ");
        let one = papers::individual_commitments(&desk, SYSTEM, Whose::One(ACCOUNT)).await.unwrap();
        one.print().unwrap().hand_out(&desk).await.unwrap();
        told("commitments.exported", &format!("MAU: #{}", ACCOUNT.0));
        // What holds none is not: the last act stays.
        let services = papers::service_registration(&desk, SYSTEM, Contact::default(), |service| {
            service.code().to_owned()
        });
        services.await.unwrap().print().unwrap().hand_out(&desk).await.unwrap();
        told("commitments.exported", &format!("MAU: #{}", ACCOUNT.0));
        let none = papers::individual_commitments(&desk, SYSTEM, Whose::Part(1)).await;
        assert!(matches!(none, Err(Refused::Gone)));
        let other = papers::account_list(&desk, SystemId(99), Contact::default()).await;
        assert!(matches!(other, Err(Refused::Gone)));
    }
}
