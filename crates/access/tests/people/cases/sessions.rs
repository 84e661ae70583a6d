//! Sessions.

use dancu_access::people::{Answer, Look};
use dancu_domain::moment::MINUTE_MS;
use dancu_domain::people::PersonId;
use dancu_domain::people::account::RevokeCause;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::session::{Cause, SESSION_MS};

use crate::support::{Browser, Desk, SENTENCE, World, asked, mark, no, refused};

async fn ended(world: &World, cookie: &str) -> PortalReason {
    match world.look(cookie, Cause::Person).await {
        Look::Ended(reason) => reason,
        Look::Nobody => panic!("nobody"),
        Look::Locked(_) | Look::Open(_) => panic!("it goes on"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e2_a_second_session_ends_the_first_and_tells_both() {
    let world = World::new();
    world.active("canbo.mot").await;
    let (one, two) = (Browser::at("10.1.2.3"), Browser::at("10.9.9.9"));
    let first = world.sign_in(&one, "canbo.mot").await;
    assert!(first.replaced.is_none());
    world.present(&first.cookie).await;
    let second = world.sign_in(&two, "canbo.mot").await;
    assert_eq!(second.replaced.unwrap().source, one.source);
    assert_eq!(ended(&world, &first.cookie).await, PortalReason::SessionReplaced);
    let present = world.present(&second.cookie).await;
    let listed = world.engine.sessions(&present).await.unwrap();
    assert_eq!(listed.iter().map(|row| row.mark).collect::<Vec<_>>(), [present.mark.0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e3_a_revocation_ends_it_at_once() {
    let (world, Desk { id, browser, session, present }) = World::at_desk().await;
    let at = world.at();
    world
        .edit(id, move |p| {
            let by = PersonId(1_000_000);
            p.account = p.account.clone().revoke(RevokeCause::Left, by, at).unwrap();
        })
        .await;
    assert_eq!(ended(&world, &session.cookie).await, PortalReason::SessionRevoked);
    // What was under way in it is not done.
    let visit = world.visit(&browser);
    let codes = world.engine.new_recovery_codes(&visit, &present).await.unwrap();
    assert_eq!(codes, Err(PortalReason::SessionRevoked));
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e2_the_screen_locks_and_opens_again() {
    let (world, Desk { browser, session, .. }) = World::at_desk().await;
    // Clicks keep it open, a page that refreshes does not.
    for _ in 0..4 {
        world.pass(14 * MINUTE_MS);
        world.present(&session.cookie).await;
    }
    world.pass(14 * MINUTE_MS);
    assert!(matches!(world.look(&session.cookie, Cause::Page).await, Look::Open(_)));
    world.pass(MINUTE_MS);
    let Look::Locked(present) = world.look(&session.cookie, Cause::Person).await else {
        panic!("not locked")
    };
    let visit = world.visit(&browser);
    let wrong = world.engine.unlock(&visit, &present, "không phải").await.unwrap();
    assert_eq!(wrong, no(PortalReason::WrongCredentials));
    let codes = world.engine.new_recovery_codes(&visit, &present).await.unwrap();
    assert_eq!(codes, Err(PortalReason::ScreenLocked));
    let right = world.engine.unlock(&visit, &present, SENTENCE).await.unwrap();
    assert_eq!(right, Answer::Done);
    let present = world.present(&session.cookie).await;
    // By wish, and for everybody who has the cookie.
    world.engine.lock(&present, world.at()).await.unwrap();
    assert!(matches!(world.look(&session.cookie, Cause::Person).await, Look::Locked(_)));
    // The twelve hours go on.
    world.pass(SESSION_MS);
    assert_eq!(ended(&world, &session.cookie).await, PortalReason::SessionOver);
    let late = world.engine.unlock(&world.visit(&browser), &present, SENTENCE).await;
    assert_eq!(late.unwrap(), no(PortalReason::SessionOver));
}

/// What others in the same network fail keeps no screen locked.
#[tokio::test(flavor = "multi_thread")]
async fn rule_c5_a_session_opens_whatever_its_network_does() {
    let (world, Desk { browser, present, .. }) = World::at_desk().await;
    let (engine, visit) = (&world.engine, world.visit(&browser));
    for n in 0..30 {
        let _ = world.begin(&Browser::at(&format!("10.1.2.{n}")), "canbo.mot", "wrong").await;
    }
    engine.lock(&present, world.at()).await.unwrap();
    assert_eq!(engine.unlock(&visit, &present, SENTENCE).await.unwrap(), Answer::Done);
    // Whoever stands at the screen and guesses waits longer each time.
    engine.lock(&present, world.at()).await.unwrap();
    let mut held = 0;
    for _ in 0..10 {
        match engine.unlock(&visit, &present, "không phải").await.unwrap() {
            Answer::Held(_) => held += 1,
            other => assert_eq!(other, no(PortalReason::WrongCredentials)),
        }
    }
    assert_eq!(held, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_seen_is_written_down_now_and_then() {
    let world = World::new();
    world.active("canbo.mot").await;
    let session = world.sign_in(&Browser::at("10.1.2.3"), "canbo.mot").await;
    let stored = async || {
        let people = world.store().people();
        people.session(&mark(&session.cookie).0).await.unwrap().unwrap().0.session.seen
    };
    let first = stored().await;
    for _ in 0..5 {
        world.pass(5_000);
        let shown = world.present(&session.cookie).await;
        assert_eq!(shown.session().seen, world.machine());
    }
    assert_eq!(stored().await, first, "no transaction for each click");
    world.pass(MINUTE_MS);
    world.present(&session.cookie).await;
    // It is written beside the answer.
    for _ in 0..200 {
        if stored().await == world.machine() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("not written down");
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out() {
    let (world, Desk { id, browser, session, present }) = World::at_desk().await;
    let visit = world.visit(&browser);
    world.engine.sign_out(&visit, &present).await.unwrap();
    assert!(matches!(world.look(&session.cookie, Cause::Person).await, Look::Nobody));
    // Twice is once.
    world.engine.sign_out(&visit, &present).await.unwrap();
    assert_eq!(world.kinds(), ["person.signIn", "person.signOut"]);
    // Nothing goes on in it.
    let codes = world.engine.new_recovery_codes(&visit, &present).await.unwrap();
    assert_eq!(codes, Err(PortalReason::SignedOut));

    let session = world.sign_in(&browser, "canbo.mot").await;
    let present = world.present(&session.cookie).await;
    let elsewhere = Browser::at("10.9.9.9");
    let ticket = asked(world.begin(&elsewhere, "canbo.mot", SENTENCE).await);
    let everywhere = world.engine.sign_out_everywhere(&world.visit(&browser), &present).await;
    assert_eq!(everywhere.unwrap(), Answer::Done);
    let begun = world.factor(&elsewhere, &ticket, &world.code()).await;
    assert_eq!(refused(begun), (PortalReason::SignInExpired, false), "what was begun too");
    assert!(matches!(world.look(&session.cookie, Cause::Person).await, Look::Nobody));
    assert!(world.store().people().sessions_of(id).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_of_others_are_nobodys() {
    let world = World::new();
    world.active("canbo.mot").await;
    world.active("canbo.hai").await;
    let (one, two) = (Browser::at("10.1.2.3"), Browser::at("10.1.2.4"));
    let mine = world.sign_in(&one, "canbo.mot").await;
    let other = world.sign_in(&two, "canbo.hai").await;
    for cookie in ["", "AAAA", &one.cookie, &mine.cookie[1..], &"é".repeat(22)] {
        assert!(matches!(world.look(cookie, Cause::Person).await, Look::Nobody), "{cookie}");
    }
    let none = world.engine.look(None, Cause::Person, world.at(), world.machine()).await;
    assert!(matches!(none.unwrap(), Look::Nobody));
    // Nobody ends somebody else's.
    let present = world.present(&mine.cookie).await;
    let visit = world.visit(&one);
    let ended = world.engine.end_session(&visit, &present, mark(&other.cookie)).await.unwrap();
    assert_eq!(ended, no(PortalReason::AlreadyDecided));
    world.present(&other.cookie).await;
    let own = world.engine.end_session(&visit, &present, present.mark).await.unwrap();
    assert_eq!(own, Answer::Done);
    assert!(matches!(world.look(&mine.cookie, Cause::Person).await, Look::Nobody));
    // Forms of one session are none of another.
    let (a, b) = (mark(&mine.cookie), mark(&other.cookie));
    let token = world.engine.csrf(a);
    assert!(world.engine.csrf_fits(a, &token));
    for (mark, sent) in [(b, &*token), (a, ""), (a, "xyz"), (a, &token[2..])] {
        assert!(!world.engine.csrf_fits(mark, sent));
    }
}
