//! Signing in by what an identity provider vouches for.

use dancu_access::oidc::{Identity, Kind, STATE_MS, Wanted};
use dancu_access::people::{OnRecord, Outcome, Proof};
use dancu_domain::birth::BirthDate;
use dancu_domain::ids::{Login, PersonalId, UnitCode};
use dancu_domain::name::{FullName, NameQuery};
use dancu_domain::people::account::{Cause, Lock, LockCause, RevokeCause};
use dancu_domain::people::grants::{Grant, Grants, Scope};
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::roles::{Class, Home, Reach, Role};
use dancu_domain::people::session::Cause as Click;
use dancu_domain::people::sign_in::{Second, Step};
use dancu_domain::people::{PersonId, UNIT_OF_CITIZENS};
use dancu_domain::registration::DateRange;
use dancu_store::people;
use jiff::civil::{Date, date};

use crate::support::{Browser, World, done, new_person, refused, word};

const OFFICE: PersonId = PersonId(1_000_000);
const ISSUER: &str = "https://dinhdanh.example.vn";
const ID: &str = "099301012345";

fn id(text: &str) -> PersonalId {
    PersonalId::parse(text).unwrap()
}

fn identity(subject: &str, personal_id: &str) -> Identity {
    Identity {
        issuer: ISSUER.into(),
        subject: subject.into(),
        personal_id: Some(id(personal_id)),
        name: NameQuery::parse("NGUYỄN THỊ MẪU").ok(),
        birth: Some(BirthDate::Day(date(2001, 2, 3))),
        kind: Kind::Citizen,
    }
}

/// The day of the tests.
const TODAY: Date = date(2026, 3, 2);

/// A role between two days.
fn held(role: Role, from: Date, to: Date) -> Grant {
    let unit = UnitCode::parse("H26.001").unwrap();
    let scope = match role.row().reach {
        Reach::Person => Scope::Person,
        Reach::Unit | Reach::Below => Scope::Unit(unit),
        Reach::All => Scope::All,
    };
    Grant::new(role, scope, DateRange { from: Some(from), to: Some(to) }, None).unwrap()
}

fn grants(all: impl IntoIterator<Item = Grant>) -> Grants {
    all.into_iter().fold(Grants::default(), |grants, grant| grants.with(grant).unwrap())
}

fn record() -> OnRecord {
    OnRecord {
        personal_id: id(ID),
        name: FullName::parse("Nguyễn Thị Mẫu").unwrap(),
        birth: BirthDate::Day(date(2001, 2, 3)),
        alive: true,
    }
}

impl World {
    async fn staff(&self, browser: &Browser, identity: &Identity, strong: bool) -> Outcome {
        self.engine.identity_of_staff(&self.visit(browser), identity, strong).await.unwrap()
    }

    async fn citizen(&self, browser: &Browser, identity: &Identity, record: OnRecord) -> Outcome {
        let visit = self.visit(browser);
        let signed = self.engine.identity_of_citizen(&visit, identity, Some(&record), true);
        signed.await.unwrap()
    }

    /// An active officer with a personal id.
    async fn known(&self, login: &str, personal_id: &str) -> PersonId {
        let person = self.active(login).await;
        let personal_id = id(personal_id);
        self.edit(person, move |p| {
            p.personal_id = Some(personal_id);
            p.grants = grants([held(Role::Officer, TODAY, TODAY)]);
        })
        .await;
        person
    }

    async fn grant(&self, person: PersonId, all: impl IntoIterator<Item = Grant>) {
        let grants = grants(all);
        self.edit(person, move |p| {
            p.account.class = grants.class(TODAY);
            p.grants = grants;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e2_a_strong_identity_stands_for_both_factors() {
    let world = World::new();
    let officer = world.known("lan.mau01", ID).await;
    let browser = Browser::at("10.1.2.3");
    let signed = done(world.staff(&browser, &identity("s-1", ID), true).await);
    assert_eq!((signed.person.id, signed.done.second), (officer, Second::Identity));
    assert!(signed.session.is_fresh(world.machine()), "it was proved just now");
    let look = world.engine.look(Some(&signed.cookie), Click::Person, world.at(), world.machine());
    assert!(matches!(look.await.unwrap(), dancu_access::people::Look::Open(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e2_a_weak_identity_needs_the_own_factor() {
    let world = World::new();
    world.known("lan.mau01", ID).await;
    let browser = Browser::at("10.1.2.3");
    let outcome = world.staff(&browser, &identity("s-1", ID), false).await;
    let Outcome::Next { step: Step::SecondFactor(_), ticket } = outcome else {
        panic!("{}", word(&outcome));
    };
    let wrong = world.factor(&browser, &ticket, "000000").await;
    assert_eq!(refused(wrong), (PortalReason::WrongCode, true));
    world.pass(60_000);
    let code = world.code();
    let visit = world.visit(&browser);
    let right = world.engine.second_factor(&visit, &ticket, Proof::typed(&code), None, false);
    done(right.await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_becomes_staff_by_signing_in() {
    let world = World::new();
    let browser = Browser::at("10.1.2.3");
    let unknown = (PortalReason::IdentityUnknown, false);
    let nobody = identity("s-1", ID);
    assert_eq!(refused(world.staff(&browser, &nobody, true).await), unknown);
    let unnamed = Identity { personal_id: None, ..identity("s-1", ID) };
    assert_eq!(refused(world.staff(&browser, &unnamed, true).await), unknown);
    let organisation = Identity { kind: Kind::Organisation, ..identity("s-1", ID) };
    let reason = (PortalReason::IdentityOrganisation, false);
    assert_eq!(refused(world.staff(&browser, &organisation, true).await), reason);
    // A citizen's own account is no staff account.
    done(world.citizen(&browser, &identity("s-1", ID), record()).await);
    assert_eq!(refused(world.staff(&browser, &nobody, true).await), unknown);
    // An agency's own provider knows no kinds.
    world.known("lan.mau01", ID).await;
    let unsaid = Identity { kind: Kind::Unsaid, ..identity("s-1", ID) };
    done(world.staff(&browser, &unsaid, true).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e1_a_provider_without_kinds_opens_accounts_of_units_only() {
    let world = World::new();
    let browser = Browser::at("10.1.2.3");
    let unsaid = Identity { kind: Kind::Unsaid, ..identity("s-1", ID) };
    let unknown = (PortalReason::IdentityUnknown, false);
    let desk = world.known("lan.mau01", ID).await;
    for role in Role::ALL {
        world.grant(desk, [held(*role, TODAY, TODAY)]).await;
        let opens = [unsaid.clone(), identity("s-1", ID)].map(|who| (who.kind, who));
        for (kind, who) in opens {
            let outcome = world.staff(&browser, &who, true).await;
            let home = role.row().home;
            if home == Home::Unit || (kind == Kind::Citizen && home != Home::Citizen) {
                assert_eq!(done(outcome).person.id, desk, "{role:?} {kind:?}");
            } else {
                assert_eq!(refused(outcome), unknown, "{role:?} {kind:?}");
            }
        }
    }
    // What counts is what the person may do from now on, and it is not nothing.
    let (before, after) = (TODAY.yesterday().unwrap(), TODAY.tomorrow().unwrap());
    let officer = || held(Role::Officer, TODAY, after);
    world.grant(desk, [officer(), held(Role::Operator, after, after)]).await;
    assert_eq!(refused(world.staff(&browser, &unsaid, true).await), unknown, "to come");
    world.grant(desk, [officer(), held(Role::Operator, before, before)]).await;
    assert_eq!(done(world.staff(&browser, &unsaid, true).await).person.id, desk, "ended");
    for ended in [vec![], vec![held(Role::Officer, before, before)]] {
        world.grant(desk, ended).await;
        world.edit(desk, |p| p.account.class = Class::Staff).await;
        assert_eq!(refused(world.staff(&browser, &unsaid, true).await), unknown, "nothing");
    }
    // The same person's account of the centre is not confused with that of the agency.
    world.grant(desk, [officer()]).await;
    let centre = world.known("quantri.mau", ID).await;
    world.grant(centre, [held(Role::Operator, TODAY, TODAY)]).await;
    assert_eq!(done(world.staff(&browser, &unsaid, true).await).person.id, desk);
}

/// What was revoked is no account: however much of it there is, the one that lives is found.
#[tokio::test(flavor = "multi_thread")]
async fn rule_e1_revoked_accounts_shut_nobody_out() {
    let world = World::new();
    let browser = Browser::at("10.1.2.3");
    let at = world.at();
    let revoked = |first: u32| {
        world.office(move |tx, keys| {
            for n in first..first + people::OF_PERSONAL_ID_MAX + 6 {
                let mut person = new_person(n, &format!("lan.cu{n:03}"), at);
                person.account = person.account.revoke(RevokeCause::Left, OFFICE, at).unwrap();
                person.personal_id = Some(id(ID));
                people::insert(tx, keys, &person)?;
            }
            Ok(())
        })
    };
    revoked(1).await;
    let who = identity("s-1", ID);
    let unknown = (PortalReason::IdentityUnknown, false);
    assert_eq!(refused(world.staff(&browser, &who, true).await), unknown);
    let living = world.known("lan.mau01", ID).await;
    revoked(200).await;
    assert_eq!(done(world.staff(&browser, &who, true).await).person.id, living);
    world.known("lan.mau02", ID).await;
    let twice = (PortalReason::IdentityTwice, false);
    assert_eq!(refused(world.staff(&browser, &who, true).await), twice);
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e1_two_accounts_of_one_id_are_not_guessed_between() {
    let world = World::new();
    let browser = Browser::at("10.1.2.3");
    let first = world.known("lan.mau01", ID).await;
    world.known("lan.mau02", ID).await;
    let nobody = identity("s-1", ID);
    let twice = (PortalReason::IdentityTwice, false);
    assert_eq!(refused(world.staff(&browser, &nobody, true).await), twice);
    // The one that goes on is meant once the other is revoked.
    let at = world.at();
    world
        .edit(first, move |p| {
            p.account = p.account.clone().revoke(RevokeCause::Transferred, OFFICE, at).unwrap();
        })
        .await;
    let signed = done(world.staff(&browser, &nobody, true).await);
    assert_eq!(signed.person.login.as_str(), "lan.mau02");
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e3_what_stops_an_account_stops_it_here() {
    let world = World::new();
    let browser = Browser::at("10.1.2.3");
    let officer = world.known("lan.mau01", ID).await;
    let at = world.at();
    let who = identity("s-1", ID);
    world.edit(officer, |p| p.account = p.account.clone().suspend(Cause::Head).unwrap()).await;
    let reason = refused(world.staff(&browser, &who, true).await).0;
    assert_eq!(reason, PortalReason::SuspendedByHead);
    let lock = Lock { cause: LockCause::Reported, by: Some(OFFICE), at };
    world.edit(officer, move |p| p.account = p.account.clone().lock(lock).unwrap()).await;
    let reason = refused(world.staff(&browser, &who, true).await).0;
    assert_eq!(reason, PortalReason::LockedForSecurity);
    world
        .edit(officer, move |p| {
            p.account = p.account.clone().revoke(RevokeCause::Left, OFFICE, at).unwrap();
        })
        .await;
    let reason = refused(world.staff(&browser, &who, true).await).0;
    assert_eq!(reason, PortalReason::IdentityUnknown, "like one that never was");
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_i1_a_citizen_has_one_account_of_their_own() {
    let world = World::new();
    let browser = Browser::at("10.1.2.3");
    let first = done(world.citizen(&browser, &identity("s-1", ID), record()).await);
    let person = &first.person;
    assert_eq!(person.account.class, Class::Citizen);
    assert_eq!((person.name.as_str(), person.personal_id), ("Nguyễn Thị Mẫu", Some(id(ID))));
    assert_eq!(person.unit.as_str(), UNIT_OF_CITIZENS);
    let roles: Vec<_> = person.grants.all().iter().map(|grant| grant.role).collect();
    assert_eq!(roles, [Role::Citizen]);
    assert!(Login::is_of_citizen(person.login.as_str()));
    assert!(!person.login.as_str().contains("s-1"), "the provider's name stands nowhere");
    // The next time it is the same account, and the session before ends.
    let again = done(world.citizen(&browser, &identity("s-1", ID), record()).await);
    assert_eq!(again.person.id, first.person.id);
    assert!(again.replaced.is_some());
    // Another name at the provider is another account, nobody's before.
    let other = done(world.citizen(&browser, &identity("s-2", ID), record()).await);
    assert_ne!(other.person.id, first.person.id);
    let elsewhere = Identity { issuer: "https://khac.vn".into(), ..identity("s-1", ID) };
    let other = done(world.citizen(&browser, &elsewhere, record()).await);
    assert_ne!(other.person.id, first.person.id);
    // No password leads there.
    let tried = world.begin(&browser, first.person.login.as_str(), "").await;
    assert_eq!(refused(tried).0, PortalReason::WrongCredentials);
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_i1_who_is_not_the_person_on_record_is_refused() {
    let world = World::new();
    let browser = Browser::at("10.1.2.3");
    let differs = (PortalReason::IdentityDiffers, false);
    let good = || identity("s-1", ID);
    for wrong in [
        Identity { name: NameQuery::parse("NGUYỄN THỊ MẬU").ok(), ..good() },
        Identity { name: None, ..good() },
        Identity { birth: Some(BirthDate::Day(date(2001, 2, 4))), ..good() },
        Identity { birth: None, ..good() },
        Identity { personal_id: None, ..good() },
        identity("s-1", "099301012346"),
    ] {
        assert_eq!(refused(world.citizen(&browser, &wrong, record()).await), differs);
    }
    let dead = OnRecord { alive: false, ..record() };
    assert_eq!(refused(world.citizen(&browser, &good(), dead).await), differs);
    let visit = world.visit(&browser);
    let unknown = world.engine.identity_of_citizen(&visit, &good(), None, true).await.unwrap();
    assert_eq!(refused(unknown), differs);
    for kind in [Kind::Organisation, Kind::Unsaid] {
        let wrong = Identity { kind, ..good() };
        let reason = refused(world.citizen(&browser, &wrong, record()).await).0;
        assert_eq!(reason, PortalReason::IdentityOrganisation);
    }
    let (who, on_record) = (good(), record());
    let weak = world.engine.identity_of_citizen(&visit, &who, Some(&on_record), false);
    assert_eq!(refused(weak.await.unwrap()).0, PortalReason::AssuranceTooLow);
    let opened = world.store().people().of_personal_id(id(ID), PersonId(0)).await.unwrap();
    assert!(opened.is_empty());

    // The provider's name of one citizen never becomes another's.
    done(world.citizen(&browser, &good(), record()).await);
    let moved = OnRecord { personal_id: id("099301012346"), ..record() };
    let moved = world.citizen(&browser, &identity("s-1", "099301012346"), moved).await;
    assert_eq!(refused(moved), differs);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_comes_back_once_and_from_its_browser() {
    let world = World::new();
    let (mine, other) = (Browser::at("10.1.2.3"), Browser::at("10.1.2.3"));
    let begin = || {
        let wanted = (Wanted::Citizen, "/me");
        let begun = world.engine.begin_identity(&world.visit(&mine), wanted, false);
        begun.unwrap().unwrap().state
    };
    let open = |browser: &Browser, text: &str| {
        world.engine.identity_state(&world.visit(browser), text).map(|state| state.next)
    };
    let expired = Err(PortalReason::SignInExpired);
    let state = begin();
    assert_eq!(open(&other, &state), expired, "a link that somebody else began");
    assert_eq!(open(&mine, &state), Ok("/me".into()));
    let visit = world.visit(&mine);
    let opened = world.engine.identity_state(&visit, &state).unwrap();
    assert_eq!(world.engine.identity_answered(&visit, &opened), Ok(()));
    let again = world.engine.identity_answered(&visit, &opened);
    assert_eq!(again, Err(PortalReason::SignInExpired), "of two at once one is first");
    assert_eq!(open(&mine, &state), expired, "a second time");
    let state = begin();
    let opened = world.engine.identity_state(&visit, &state).unwrap();
    let tried = || world.engine.identity_tried(&visit, &opened);
    assert_eq!([tried(), tried()], [Ok(()); 2], "once more where the first came to nothing");
    assert_eq!([tried(), tried()], [Err(PortalReason::SignInExpired); 2]);
    let other = world.engine.identity_state(&visit, &begin()).unwrap();
    assert_eq!(world.engine.identity_tried(&visit, &other), Ok(()), "another sign-in");
    world.pass(STATE_MS);
    assert_eq!(open(&mine, &state), expired, "too late");
    assert_eq!(open(&mine, "x"), expired);
    let nowhere = Browser { cookie: "x".into(), ..mine.clone() };
    let visit = world.visit(&nowhere);
    assert!(world.engine.begin_identity(&visit, (Wanted::Officer, ""), false).unwrap().is_none());
    // Failures of the network count like those of passwords.
    world.engine.network_failed(&world.visit(&mine));
    assert_eq!(world.failures.load(std::sync::atomic::Ordering::Relaxed), 1);
}
