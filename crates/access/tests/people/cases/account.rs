//! What people do with their own account.

use dancu_access::people::{Answer, FactorRef, Look, Outcome, Proof, totp};
use dancu_domain::people::factors::FactorKind;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::session::{Cause, FRESH_MFA_MS};
use dancu_domain::people::sign_in::Step;
use dancu_domain::people::totp::Step as TotpStep;
use dancu_store::people::EventKind;

use crate::support::{Browser, Desk, SENTENCE, World, asked, done, mark, no, refused, remembered};

const NEW: &str = "trời mưa bong bóng phập phồng";

#[tokio::test(flavor = "multi_thread")]
async fn rule_e2_what_changes_the_way_in_needs_a_fresh_factor() {
    let (world, Desk { id, browser, session, .. }) = World::at_desk().await;
    world.pass(FRESH_MFA_MS);
    let present = world.present(&session.cookie).await;
    let visit = world.visit(&browser);
    let engine = &world.engine;
    let stale = PortalReason::FreshMfaNeeded;
    assert_eq!(engine.new_recovery_codes(&visit, &present).await.unwrap(), Err(stale));
    let removed = engine.remove_factor(&visit, &present, &FactorRef::Totp).await.unwrap();
    assert_eq!(removed, no(stale));
    assert_eq!(engine.add_totp(&visit, &present).await.unwrap().err(), Some(stale));
    assert_eq!(engine.add_key(&visit, &present, false).await.unwrap().err(), Some(stale));

    let wrong = engine.confirm(&visit, &present, Proof::Totp("000000")).await.unwrap();
    assert_eq!(wrong, no(PortalReason::WrongCode));
    let code = world.code();
    let right = engine.confirm(&visit, &present, Proof::Totp(&code)).await.unwrap();
    assert_eq!(right, Answer::Done);
    let again = engine.confirm(&visit, &present, Proof::Totp(&code)).await.unwrap();
    assert_eq!(again, no(PortalReason::WrongCode), "used");

    let present = world.present(&session.cookie).await;
    assert!(present.session().is_fresh(world.machine()));
    let codes = engine.new_recovery_codes(&visit, &present).await.unwrap().unwrap();
    assert_eq!(codes.len(), 10);
    let renewed = engine.new_recovery_codes(&visit, &present).await.unwrap().unwrap();
    let void = engine.confirm(&visit, &present, Proof::typed(&codes[0])).await.unwrap();
    assert_eq!(void, no(PortalReason::WrongCode), "of the set before");
    let good = engine.confirm(&visit, &present, Proof::typed(&renewed[9])).await.unwrap();
    assert_eq!(good, Answer::Done);
    let twice = engine.confirm(&visit, &present, Proof::typed(&renewed[9])).await.unwrap();
    assert_eq!(twice, no(PortalReason::RecoveryCodeUsed));

    let last = engine.remove_factor(&visit, &present, &FactorRef::Totp).await.unwrap();
    assert_eq!(last, no(PortalReason::NotInThisState), "the last one stays");
    assert!(world.person(id).await.secrets.totp.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_phone_takes_the_place_of_the_first() {
    let (world, Desk { id, browser, present, .. }) = World::at_desk().await;
    let (visit, engine) = (world.visit(&browser), &world.engine);
    let (shown, ticket) = engine.add_totp(&visit, &present).await.unwrap().unwrap();
    let secret = totp::from_base32(&shown.secret).unwrap();
    let code = totp::code(&secret, TotpStep::at(world.machine()));
    let wrong = engine.add_totp_done(&visit, &present, &ticket, "12").await.unwrap();
    assert_eq!(wrong, no(PortalReason::WrongCode));
    let added = engine.add_totp_done(&visit, &present, &ticket, &code).await.unwrap();
    assert_eq!(added, Answer::Done);
    let again = engine.add_totp_done(&visit, &present, &ticket, &code).await.unwrap();
    assert_eq!(again, no(PortalReason::SignInExpired), "a page serves once");
    assert_eq!(world.person(id).await.secrets.totp.unwrap().secret, secret);
    // The ticket of one session is none of another.
    let (_, ticket) = engine.add_totp(&visit, &present).await.unwrap().unwrap();
    world.pass(30_000);
    let elsewhere = asked(world.begin(&browser, "canbo.mot", SENTENCE).await);
    let next = totp::code(&secret, TotpStep::at(world.machine()));
    let other = done(world.factor(&browser, &elsewhere, &next).await);
    let other = world.present(&other.cookie).await;
    let foreign = engine.add_totp_done(&visit, &other, &ticket, &code).await.unwrap();
    assert_eq!(foreign, no(PortalReason::SignInExpired));
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e2_the_own_password() {
    let world = World::new();
    let id = world.active("canbo.mot").await;
    let (desk, _) = remembered(&world, Browser::at("10.1.2.3"), "canbo.mot").await;
    // A second device, then at the desk again.
    let (laptop, _) = remembered(&world, Browser::at("10.1.2.4"), "canbo.mot").await;
    let session = done(world.begin(&desk, "canbo.mot", SENTENCE).await);

    let present = world.present(&session.cookie).await;
    let (visit, engine) = (world.visit(&desk), &world.engine);
    let stale = engine.change_own_password(&visit, &present, (SENTENCE, NEW)).await.unwrap();
    assert_eq!(stale, no(PortalReason::FreshMfaNeeded));
    let code = world.code();
    let confirmed = engine.confirm(&visit, &present, Proof::Totp(&code)).await.unwrap();
    assert_eq!(confirmed, Answer::Done);
    let present = world.present(&session.cookie).await;
    for (old, new, reason) in [
        ("không phải", NEW, PortalReason::WrongCredentials),
        (SENTENCE, SENTENCE, PortalReason::PasswordReused),
        (SENTENCE, "12345678", PortalReason::PasswordCommon),
    ] {
        let answer = engine.change_own_password(&visit, &present, (old, new)).await.unwrap();
        assert_eq!(answer, no(reason));
    }
    let new = (SENTENCE, NEW);
    let changed = engine.change_own_password(&visit, &present, new).await.unwrap();
    assert_eq!(changed, Answer::Done);
    // The session and the desk go on; the laptop is a stranger.
    world.present(&session.cookie).await;
    let known = done(world.begin(&desk, "canbo.mot", NEW).await);
    asked(world.begin(&laptop, "canbo.mot", NEW).await);
    assert_eq!(world.person(id).await.secrets.devices.len(), 1);
    let old = world.begin(&desk, "canbo.mot", SENTENCE).await;
    assert_eq!(refused(old).0, PortalReason::WrongCredentials);

    // The desk is forgotten by its person.
    let present = world.present(&known.cookie).await;
    let device = mark(desk.device.as_deref().unwrap());
    let forgotten = engine.remove_device(&visit, &present, device).await.unwrap();
    assert_eq!(forgotten, Answer::Done);
    let twice = engine.remove_device(&visit, &present, device).await.unwrap();
    assert_eq!(twice, no(PortalReason::AlreadyDecided));
    asked(world.begin(&desk, "canbo.mot", NEW).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_see_what_happened_to_their_account() {
    let world = World::new();
    let id = world.active("canbo.mot").await;
    let browser = Browser::at("10.1.2.3");
    let _ = world.begin(&browser, "canbo.mot", "wrong").await;
    let session = world.sign_in(&browser, "canbo.mot").await;
    let present = world.present(&session.cookie).await;
    assert!(!present.person.secrets.factors().enrolled.contains(FactorKind::Passkey));
    world.engine.sign_out(&world.visit(&browser), &present).await.unwrap();
    for _ in 0..200 {
        let events = world.store().people().events(id, 10).await.unwrap();
        let kinds: Vec<_> = events.iter().map(|e| e.kind).collect();
        // The failure is written beside the answer, so that its time does not tell.
        if kinds == [EventKind::SignedOut, EventKind::SignedIn, EventKind::WrongPassword] {
            assert!(events.iter().all(|e| e.source == Some(browser.source)));
            return;
        }
        assert!(kinds.len() < 3, "{kinds:?}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the failure is not there");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_happens_in_a_session_that_was_replaced() {
    let (world, Desk { browser, session, present, .. }) = World::at_desk().await;
    let _other = world.sign_in(&Browser::at("10.1.2.9"), "canbo.mot").await;
    let visit = world.visit(&browser);
    let codes = world.engine.new_recovery_codes(&visit, &present).await.unwrap();
    assert_eq!(codes, Err(PortalReason::SessionReplaced));
    let opened = world.engine.unlock(&visit, &present, SENTENCE).await.unwrap();
    assert_eq!(opened, no(PortalReason::SessionReplaced));
    let before = world.person(present.person.id).await;
    let changed = world.engine.change_own_password(&visit, &present, (SENTENCE, NEW)).await;
    assert_eq!(changed.unwrap(), no(PortalReason::SessionReplaced));
    assert!(world.person(present.person.id).await == before, "nor the password");
    assert!(matches!(world.look(&session.cookie, Cause::Page).await, Look::Ended(_)));
}

/// F1: who proved what, when, stands in the journal.
#[tokio::test(flavor = "multi_thread")]
async fn rule_e2_what_is_proved_in_a_session_is_journaled() {
    let (world, Desk { id, browser, present, .. }) = World::at_desk().await;
    let (visit, engine) = (world.visit(&browser), &world.engine);
    let codes = engine.new_recovery_codes(&visit, &present).await.unwrap().unwrap();
    let code = world.code();
    let confirmed = engine.confirm(&visit, &present, Proof::Totp(&code)).await.unwrap();
    assert_eq!(confirmed, Answer::Done);
    engine.lock(&present, world.at()).await.unwrap();
    assert_eq!(engine.unlock(&visit, &present, SENTENCE).await.unwrap(), Answer::Done);
    // A recovery code on the way to a page that comes before the session.
    world.edit(id, |p| p.account.password.as_mut().unwrap().given = true).await;
    let ticket = asked(world.begin(&browser, "canbo.mot", SENTENCE).await);
    let outcome = world.factor(&browser, &ticket, &codes[0]).await;
    assert!(matches!(outcome, Outcome::Next { step: Step::ChangePassword(_), .. }));
    let kinds = world.kinds();
    let expected =
        ["person.signIn", "person.recoveryCodes", "person.factorGiven", "person.screenUnlocked"];
    assert_eq!(kinds[..4], expected);
    assert_eq!(kinds[4..], ["person.factorGiven"]);
}
