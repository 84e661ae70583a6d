//! Locks at once, what stands, and unlocking (D3, D6).

use dancu_domain::ids::{AccountId, PersonalId, SubjectId, SystemId};
use dancu_domain::people::PersonId;
use dancu_domain::people::account::{Account, Cause, Phase, RevokeCause, Standing as Stands};
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::roles::Class;
use dancu_domain::people::session::SESSION_MS;
use dancu_domain::registration::{AccountState, ConnectionState};
use dancu_journal::{Act, Body};
use dancu_office::decisions::Did;
use dancu_office::locks::{self, Evidence, LockKey, Today, Word};
use dancu_office::officers::{New, Who, add, resume, suspend};
use dancu_office::{Done, Refused, decisions, states};
use dancu_store::people;

use super::officers;
use super::world::*;

async fn lock(world: &World, by: PersonId) -> Result<u32, Refused> {
    let (snapshot, by) = (world.snapshot(), actor(by));
    states::lock_account(&desk(world, &snapshot, &by), ACCOUNT)
        .await
        .map(|(_, ended)| ended.sessions)
}

async fn unlock(world: &World, by: PersonId, key: LockKey) -> Result<Done, Refused> {
    let (snapshot, by) = (world.snapshot(), actor(by));
    locks::unlock(&word(world, &snapshot, &by), key).await
}

fn keys_standing(world: &World) -> Vec<LockKey> {
    let snapshot = world.snapshot();
    let today = Today::of(&world.store, clock());
    let found = world.store.ledger().lines(|lines| {
        let all = snapshot.systems().iter();
        all.flat_map(|system| locks::of_system(system, lines, today)).collect::<Vec<_>>()
    });
    found.iter().map(|lock| lock.key).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e3_a_locked_account_takes_the_officer_and_the_sessions_along() {
    for world in World::both("account").await {
        world.begin_session(OFFICER).await;
        assert_eq!(world.sessions(OFFICER).await, 1);
        assert_eq!(lock(&world, FIRST).await.unwrap(), 1);
        let act = world.last_act();
        assert_eq!((act.kind.as_str(), act.actor.as_str()), ("account.state", "vanhanh1.mau"));
        assert_eq!(act.detail, "MAU #1 locked, cổng #4; lý do: cao điểm");
        assert_eq!(world.account_state(), AccountState::Locked);
        assert_eq!(world.sessions(OFFICER).await, 0);
        let standing = locks::of_person(&world.person(OFFICER).await).unwrap();
        assert!(matches!(standing.evidence, Evidence::Person(_, lock) if lock.by == Some(FIRST)));
        assert_eq!(keys_standing(&world), [LockKey::Account(ACCOUNT)]);
        // A second lock changes nothing, and nobody unlocks themselves.
        let again = lock(&world, SECOND).await;
        assert!(matches!(again, Err(Refused::Reason(PortalReason::NotInThisState))));
        let own = unlock(&world, OFFICER, LockKey::Account(ACCOUNT)).await;
        assert!(matches!(own, Err(Refused::Reason(PortalReason::OwnRequest))));
        assert_eq!(world.account_state(), AccountState::Locked);
        unlock(&world, SECOND, LockKey::Account(ACCOUNT)).await.unwrap();
        assert_eq!(world.account_state(), AccountState::Live);
        assert!(locks::of_person(&world.person(OFFICER).await).is_none());
        let twice = unlock(&world, SECOND, LockKey::Account(ACCOUNT)).await;
        assert!(matches!(twice, Err(Refused::NotLocked)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_lock_does_not_end_the_heads_suspension() {
    for world in World::both("suspended").await {
        let suspended = world.change(|tx, keys| {
            let mut person = people::by_id(tx, keys, OFFICER)?.expect("the officer");
            person.account = person.account.suspend(Cause::Head).expect("an open account");
            people::save(tx, keys, &person)?;
            dancu_store::policy::write::set_account_state(tx, ACCOUNT, AccountState::Suspended)
        });
        suspended.await;
        lock(&world, FIRST).await.unwrap();
        assert_eq!(world.account_state(), AccountState::Locked);
        unlock(&world, FIRST, LockKey::Account(ACCOUNT)).await.unwrap();
        assert_eq!(world.account_state(), AccountState::Suspended);
    }
}

/// By `dancu operate account`, whoever's name was given.
async fn operate(world: &World, state: AccountState) -> Result<Done, Refused> {
    let (snapshot, by) = (world.snapshot(), operator());
    states::account(&desk(world, &snapshot, &by), ACCOUNT, state, RevokeCause::Left).await
}

async fn stands(world: &World) -> Stands {
    let profile = world.store.profiles().at(clock()).clone();
    world.person(OFFICER).await.account.standing(clock(), &profile)
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e3_the_centres_command_takes_the_officer_along() {
    for world in World::both("operate").await {
        world.begin_session(OFFICER).await;
        operate(&world, AccountState::Suspended).await.unwrap();
        assert_eq!(world.account_state(), AccountState::Suspended);
        assert_eq!(stands(&world).await, Stands::Suspended(Cause::Centre));
        assert_eq!(world.sessions(OFFICER).await, 0);
        let act = world.last_act();
        assert_eq!(act.actor, "Trần Văn A [root]");
        assert_eq!(act.detail, "MAU #1 suspended, cổng #4; lý do: cao điểm");
        let again = operate(&world, AccountState::Suspended).await;
        assert!(matches!(again, Err(Refused::Reason(PortalReason::NotInThisState))));
        // A lock above it, and both end by one word.
        operate(&world, AccountState::Locked).await.unwrap();
        assert_eq!(stands(&world).await, Stands::Locked);
        unlock(&world, FIRST, LockKey::Account(ACCOUNT)).await.unwrap();
        assert_eq!(world.account_state(), AccountState::Suspended, "as before the lock");
        operate(&world, AccountState::Locked).await.unwrap();
        operate(&world, AccountState::Live).await.unwrap();
        assert_eq!(
            (world.account_state(), stands(&world).await),
            (AccountState::Live, Stands::Active)
        );
        world.begin_session(OFFICER).await;
        operate(&world, AccountState::Revoked).await.unwrap();
        let person = world.person(OFFICER).await;
        assert!(matches!(person.account.phase, Phase::Revoked(r) if r.cause == RevokeCause::Left));
        assert!(person.secrets.password.is_none());
        assert_eq!(world.sessions(OFFICER).await, 0);
        let notices = world.store.desks().open_notices(SYSTEM).await.unwrap();
        assert_eq!((notices.len(), notices[0].person), (1, OFFICER));
        for state in [AccountState::Live, AccountState::Suspended, AccountState::Revoked] {
            let after = operate(&world, state).await;
            assert!(matches!(after, Err(Refused::Store(_))), "{state:?} {after:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_who_are_locked_are_found_without_opening_the_others() {
    for world in World::both("who").await {
        assert!(locks::of_people(&world.store).await.unwrap().is_empty());
        let (snapshot, by) = (world.snapshot(), actor(FIRST));
        states::lock_person(&word(&world, &snapshot, &by), &login("vanhanh2.mau")).await.unwrap();
        // A record that nobody has to open may be damaged.
        damage(&world, AUDITOR).await;
        let found = locks::of_people(&world.store).await.unwrap();
        let keys: Vec<_> = found.iter().map(|(_, lock)| lock.key).collect();
        assert_eq!(keys, [LockKey::Person(SECOND)]);
        unlock(&world, FIRST, LockKey::Person(SECOND)).await.unwrap();
        assert!(locks::of_people(&world.store).await.unwrap().is_empty());
        damage(&world, OFFICER).await;
        let heads = world.store.people().leaders_of(&super::officers::unit()).await.unwrap();
        assert_eq!(heads.iter().map(|p| p.id).collect::<Vec<_>>(), [HEAD]);
    }
}

async fn damage(world: &World, id: PersonId) {
    let done = world.change(move |tx, _| {
        let sql = "UPDATE portal_person SET sealed = login WHERE id = $1";
        tx.execute(sql, dancu_store::values![id.0]).map(drop)
    });
    done.await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_locked_and_unlocked_by_named_acts() {
    for world in World::both("connection").await {
        let by = actor(FIRST);
        let snapshot = world.snapshot();
        states::lock_connection(&desk(&world, &snapshot, &by)).await.unwrap();
        assert_eq!(keys_standing(&world), [LockKey::Connection(SYSTEM)]);
        // Over the snapshot of before it is live.
        let again = states::lock_connection(&desk(&world, &snapshot, &by)).await;
        assert!(matches!(again, Err(Refused::Reason(PortalReason::NotInThisState))));
        unlock(&world, SECOND, LockKey::Connection(SYSTEM)).await.unwrap();
        assert_eq!(world.snapshot().by_id(SYSTEM).unwrap().state, ConnectionState::Live);
        assert_eq!(world.last_act().detail, "MAU live; lý do: cao điểm");
        let twice = unlock(&world, SECOND, LockKey::Connection(SYSTEM)).await;
        assert!(matches!(twice, Err(Refused::NotLocked)));
        let line = unlock(&world, SECOND, LockKey::Line(dancu_domain::ids::LineId(1))).await;
        assert!(matches!(line, Err(Refused::NotLocked)));
        let nowhere = unlock(&world, SECOND, LockKey::Line(dancu_domain::ids::LineId(9))).await;
        assert!(matches!(nowhere, Err(Refused::Gone)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_without_a_registered_account_are_locked_by_login() {
    for world in World::both("person").await {
        world.begin_session(SECOND).await;
        let (snapshot, by) = (world.snapshot(), actor(FIRST));
        let word = word(&world, &snapshot, &by);
        let nobody = states::lock_person(&word, &login("khongco.mau")).await;
        assert!(matches!(nobody, Err(Refused::Gone)));
        let (_, ended) = states::lock_person(&word, &login("vanhanh2.mau")).await.unwrap();
        assert_eq!((ended.sessions, ended.invitation), (1, false));
        assert_eq!(world.sessions(SECOND).await, 0);
        let own = unlock(&world, SECOND, LockKey::Person(SECOND)).await;
        assert!(matches!(own, Err(Refused::Reason(PortalReason::OwnRequest))));
        unlock(&world, FIRST, LockKey::Person(SECOND)).await.unwrap();
        assert!(locks::of_person(&world.person(SECOND).await).is_none());
        assert_eq!(world.last_act().detail, "#3; lý do: cao điểm");
    }
}

/// An account without its password is nothing yet, but an invitation is a way in.
#[tokio::test(flavor = "multi_thread")]
async fn rule_d6_an_invitation_is_withdrawn_by_a_lock() {
    for world in World::both("invited").await {
        let invited = officers::added(&world.store, "canbo.moi1", "099301012345").await.unwrap();
        let (account, id) = (invited.account, invited.invited.unwrap());
        let profile = world.store.profiles().at(clock()).clone();
        let (snapshot, by) = (world.snapshot(), actor(FIRST));
        let word = word(&world, &snapshot, &by);
        let of = word.on(snapshot.by_id(SYSTEM).unwrap());
        let (_, ended) = states::lock_account(&of, account).await.unwrap();
        assert_eq!((ended.sessions, ended.invitation), (0, true));
        let told = format!("MAU #{} locked, cổng #{}, thu hồi lời mời; ", account.0, id.0);
        assert!(world.last_act().detail.starts_with(&told), "{}", world.last_act().detail);
        let person = world.person(id).await;
        assert_eq!(person.account.standing(clock(), &profile), Stands::InvitationExpired);
        assert!(person.secrets.password.is_none() && person.account.password.is_none());
        let events = world.store.people().events(id, 1).await.unwrap();
        assert_eq!(events[0].kind, people::EventKind::InvitationWithdrawn);
        let twice = states::lock_person(&word, &login("canbo.moi1")).await;
        assert!(matches!(twice, Err(Refused::Reason(PortalReason::NotInThisState))));
        // The end of the lock is no new invitation.
        states::unlock_account(&of, account).await.unwrap();
        let standing = world.person(id).await.account.standing(clock(), &profile);
        assert_eq!(standing, Stands::InvitationExpired);
        // An invitation is revoked like an account.
        let set = states::account(&of, account, AccountState::Revoked, RevokeCause::Duplicate);
        set.await.unwrap();
        assert!(matches!(world.person(id).await.account.phase, Phase::Revoked(_)));
    }
}

/// Somebody of the unit who was invited and stands on no list.
const UNLISTED: PersonId = PersonId(9);

async fn invite_unlisted(world: &World) {
    let mut person = world.person(OFFICER).await;
    person.id = UNLISTED;
    person.login = login("khongten.mau");
    person.account = Account::invite(UNLISTED, Class::Staff, HEAD, clock());
    person.secrets.password = Some("$argon2id$thu".into());
    person.revision = people::Revision::NEW;
    world.change(move |tx, keys| people::insert(tx, keys, &person)).await;
}

/// Nothing of who never came and is on no list can be locked: it is told as what it was.
#[tokio::test(flavor = "multi_thread")]
async fn rule_d6_the_invitation_of_who_is_on_no_list_is_withdrawn_and_no_lock_stands() {
    for world in World::both("unlisted").await {
        invite_unlisted(&world).await;
        let profile = world.store.profiles().at(clock()).clone();
        let (snapshot, by) = (world.snapshot(), actor(FIRST));
        let word = word(&world, &snapshot, &by);
        let (done, ended) = states::lock_person(&word, &login("khongten.mau")).await.unwrap();
        assert_eq!(ended, states::Ended { sessions: 0, invitation: true });
        assert_eq!(done.detail, "#9; thu hồi lời mời; lý do: cao điểm");
        let person = world.person(UNLISTED).await;
        assert_eq!(person.account.standing(clock(), &profile), Stands::InvitationExpired);
        assert!(person.secrets.password.is_none());
        assert!(keys_standing(&world).is_empty());
        assert!(locks::of_people(&world.store).await.unwrap().is_empty());
        let twice = states::lock_person(&word, &login("khongten.mau")).await;
        assert!(matches!(twice, Err(Refused::Reason(PortalReason::NotInThisState))));
    }
}

/// The acts that the standing locks began with: by whom, and why.
async fn began(world: &World) -> Vec<(LockKey, String, String)> {
    let snapshot = world.snapshot();
    let today = Today::of(&world.store, clock());
    let mut all = world.store.ledger().lines(|lines| {
        let all = snapshot.systems().iter();
        all.flat_map(|system| locks::of_system(system, lines, today)).collect::<Vec<_>>()
    });
    let people = locks::of_people(&world.store).await.unwrap();
    all.extend(people.into_iter().map(|(_, lock)| lock));
    let found = decisions::of_locks(&world.store, &snapshot, &all).unwrap();
    let told = found.into_iter().map(|(key, decision)| {
        let why = decision.reason().unwrap_or_default().to_owned();
        (key, decision.act.actor, why)
    });
    told.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_d6_the_act_that_a_lock_began_with_is_found() {
    for world in World::both("began").await {
        assert_eq!(began(&world).await, []);
        let (first, second) = ("vanhanh1.mau".to_owned(), "vanhanh2.mau".to_owned());
        let (account, why) = (LockKey::Account(ACCOUNT), "cao điểm".to_owned());
        let person = LockKey::Person(OFFICER);
        lock(&world, FIRST).await.unwrap();
        // Whatever else is done to what is locked began nothing, nor do other accounts' acts.
        let (snapshot, by) = (world.snapshot(), actor(SECOND));
        let on = desk(&world, &snapshot, &by);
        let suspended = AccountState::Suspended;
        states::account(&on, ACCOUNT, suspended, RevokeCause::Left).await.unwrap();
        let told = "MAU #1 suspended (locked), cổng #4; lý do: cao điểm";
        assert_eq!(world.last_act().detail, told);
        for n in 0..100 {
            world.ask(SubjectId::Personal(PersonalId::parse("099090000123").unwrap()), "1").await;
            world.begin_session_of(HEAD, n).await;
        }
        let expected = |by: &String| {
            vec![(account, by.clone(), why.clone()), (person, by.clone(), why.clone())]
        };
        assert_eq!(began(&world).await, expected(&first));
        unlock(&world, SECOND, account).await.unwrap();
        assert_eq!(began(&world).await, []);
        let last = decisions::of_account(&world.store, SYSTEM, (ACCOUNT, suspended));
        let last = last.unwrap().unwrap();
        assert_eq!((last.0, last.1), (Did::Unlocked, suspended));
        assert_eq!(last.2.act.actor, second);
        assert!(last.2.act.detail.starts_with("MAU #1 unlocked (suspended), cổng #4; "));
        // A lock after it began anew.
        lock(&world, SECOND).await.unwrap();
        assert_eq!(began(&world).await, expected(&second));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_d6_the_act_of_a_connections_lock_and_of_a_person_alone_is_found() {
    for world in World::both("began-alone").await {
        let (snapshot, by) = (world.snapshot(), actor(FIRST));
        states::lock_connection(&desk(&world, &snapshot, &by)).await.unwrap();
        let login = world.person(SECOND).await.login;
        states::lock_person(&word(&world, &snapshot, &by), &login).await.unwrap();
        let (actor, why) = ("vanhanh1.mau".to_owned(), "cao điểm".to_owned());
        let told = |key| (key, actor.clone(), why.clone());
        let (connection, person) = (LockKey::Connection(SYSTEM), LockKey::Person(SECOND));
        assert_eq!(began(&world).await, [told(connection), told(person)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e2_only_the_session_that_goes_on_is_told_as_ended() {
    for world in World::both("alive").await {
        for n in 0..3 {
            world.begin_session_of(OFFICER, n).await;
        }
        assert_eq!(world.sessions(OFFICER).await, 3);
        assert_eq!(lock(&world, FIRST).await.unwrap(), 1);
    }
}

/// Of an account in use nobody looks through years of other accounts' acts.
#[tokio::test(flavor = "multi_thread")]
async fn what_ended_long_ago_is_not_looked_for_under_an_account_in_use() {
    for world in World::both("long-ago").await {
        lock(&world, FIRST).await.unwrap();
        let found = |state| {
            let last = decisions::of_account(&world.store, SYSTEM, (ACCOUNT, state));
            last.unwrap().map(|(did, ..)| did)
        };
        let (live, locked) = (AccountState::Live, AccountState::Locked);
        assert_eq!((found(live), found(locked)), (Some(Did::Locked), Some(Did::Locked)));
        for _ in 0..64 {
            let (kind, actor) = ("account.state".into(), "dancu".into());
            let act = Act { kind, actor, system: SYSTEM.0, detail: "MAU #9 locked".into() };
            let noted = world.store.ledger().note(clock(), move |_| Ok(Body::Act(act)));
            noted.await.unwrap();
        }
        assert_eq!((found(live), found(locked)), (None, Some(Did::Locked)));
    }
}

/// A session whose 12 hours are over was none any more.
#[tokio::test(flavor = "multi_thread")]
async fn rule_e2_a_session_that_is_over_is_not_told_as_ended() {
    for world in World::both("over").await {
        world.begin_session(SECOND).await;
        let (snapshot, by) = (world.snapshot(), actor(FIRST));
        let word = word(&world, &snapshot, &by);
        let later = Word { machine: word.machine.plus_ms(SESSION_MS), ..word };
        let (_, ended) = states::lock_person(&later, &login("vanhanh2.mau")).await.unwrap();
        assert_eq!(ended.sessions, 0);
    }
}

/// An account of the officer on the list of a second system.
async fn another_account(world: &World) -> (SystemId, AccountId) {
    let system = officers::second_system(world).await;
    let raw = officers::raw(world.person(OFFICER).await.login.as_str(), "099301012345");
    let place = officers::Place::new(&world.store, HEAD);
    let services = officers::verify();
    let new = New { system, raw: &raw, services, invited: None, email: "" };
    (system, add(&place.desk(&world.store), new).await.unwrap().1.account)
}

/// The person goes on while another account does; with the end of that one nobody goes on.
#[tokio::test(flavor = "multi_thread")]
async fn rule_e3_who_has_no_account_in_use_any_more_is_stopped() {
    for world in World::both("none-left").await {
        let (system, other) = another_account(&world).await;
        world.begin_session(OFFICER).await;
        let (snapshot, by) = (world.snapshot(), operator());
        let on = word(&world, &snapshot, &by).on(snapshot.by_id(system).unwrap());
        let set = async |state| states::account(&on, other, state, RevokeCause::Left).await;
        set(AccountState::Suspended).await.unwrap();
        assert_eq!((stands(&world).await, world.sessions(OFFICER).await), (Stands::Active, 1));
        let done = operate(&world, AccountState::Revoked).await.unwrap();
        assert_eq!(stands(&world).await, Stands::Suspended(Cause::Centre));
        assert_eq!(world.sessions(OFFICER).await, 0);
        assert_eq!(done.detail, "MAU #1 revoked, cổng #4 suspended; lý do: cao điểm");
        let again = operate(&world, AccountState::Revoked).await;
        assert!(matches!(again, Err(Refused::Store(_))), "{again:?}");
        set(AccountState::Live).await.unwrap();
        assert_eq!(stands(&world).await, Stands::Active);
        set(AccountState::Revoked).await.unwrap();
        assert_eq!(stands(&world).await, Stands::Revoked);
    }
}

/// What the head suspended the head resumes, whatever the centre revoked beside it.
#[tokio::test(flavor = "multi_thread")]
async fn rule_e3_a_revocation_leaves_the_heads_suspension_to_the_head() {
    for world in World::both("heads").await {
        let (_, other) = another_account(&world).await;
        let who = Who::Account(other);
        let place = officers::Place::new(&world.store, HEAD);
        suspend(&place.desk(&world.store), who, "nghỉ phép").await.unwrap();
        operate(&world, AccountState::Revoked).await.unwrap();
        assert_eq!(stands(&world).await, Stands::Suspended(Cause::Head));
        let place = officers::Place::new(&world.store, HEAD);
        resume(&place.desk(&world.store), who, "đã về").await.unwrap();
        assert_eq!(stands(&world).await, Stands::Active);
    }
}
