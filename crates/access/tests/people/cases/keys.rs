//! Passkeys and security keys.

use dancu_access::people::{Answer, FactorRef, Look, Outcome, Proof};
use dancu_domain::people::factors::FactorKind;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::session::{Cause, FRESH_MFA_MS};
use dancu_domain::people::sign_in::Second;

use crate::key::{ID, Key, PRESENT, challenge};
use crate::support::{Browser, Desk, ORIGIN, SENTENCE, World, asked, done, no, refused};

/// Adds a key to a person in a session.
async fn added(world: &World, browser: &Browser, cookie: &str, security_key: bool) -> Key {
    let present = world.present(cookie).await;
    let (visit, engine) = (world.visit(browser), &world.engine);
    let (options, ticket) = engine.add_key(&visit, &present, security_key).await.unwrap().unwrap();
    let mut key = Key::p256(ORIGIN, challenge(&options));
    key.user = present.person.id.0;
    if security_key {
        key.flags = PRESENT;
    }
    let made = (&*key.made(), "Khóa thử");
    let answer = engine.add_key_done(&visit, &present, &ticket, made).await.unwrap();
    assert_eq!(answer, Answer::Done);
    key
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e2_a_passkey_is_both_factors() {
    let (world, Desk { id, browser, session, .. }) = World::at_desk().await;
    let mut key = added(&world, &browser, &session.cookie, false).await;
    let engine = &world.engine;

    // Without login or password.
    let visit = world.visit(&browser);
    let (options, ticket) = engine.key_options(&visit, None).await.unwrap().unwrap();
    key.challenge = challenge(&options);
    key.counter = 1;
    let signed = key.signed();
    let thief = Browser::at("10.1.2.3");
    let stolen = engine.begin_passkey(&world.visit(&thief), &ticket, &signed, false).await.unwrap();
    assert_eq!(refused(stolen), (PortalReason::SignInExpired, false));
    let signed_in = done(engine.begin_passkey(&visit, &ticket, &signed, false).await.unwrap());
    assert_eq!(signed_in.done.second, Second::Given(FactorKind::Passkey));
    assert_eq!(signed_in.person.id, id);
    assert!(signed_in.session.is_fresh(world.machine()));
    let again = engine.begin_passkey(&visit, &ticket, &signed, false).await.unwrap();
    assert_eq!(refused(again).0, PortalReason::SignInExpired, "once");

    // A copy whose counter did not rise, a key of nobody, an unverified one.
    for wrong in 0..3 {
        let (options, ticket) = engine.key_options(&visit, None).await.unwrap().unwrap();
        let mut wrong = match wrong {
            0 => Key { challenge: challenge(&options), ..key },
            1 => Key { user: 999, counter: 9, challenge: challenge(&options), ..key },
            _ => Key {
                flags: PRESENT,
                user: id.0,
                counter: 9,
                challenge: challenge(&options),
                ..key
            },
        };
        let outcome = engine.begin_passkey(&visit, &ticket, &wrong.signed(), false).await.unwrap();
        assert_eq!(refused(outcome), (PortalReason::WrongCredentials, false));
        wrong.counter = 1;
        key = wrong;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e2_a_security_key_is_the_second_factor_alone() {
    let (world, Desk { id, browser, session, .. }) = World::at_desk().await;
    let mut key = added(&world, &browser, &session.cookie, true).await;
    let (visit, engine) = (world.visit(&browser), &world.engine);

    let (options, ticket) = engine.key_options(&visit, None).await.unwrap().unwrap();
    key.challenge = challenge(&options);
    let alone = engine.begin_passkey(&visit, &ticket, &key.signed(), false).await.unwrap();
    assert_eq!(refused(alone).0, PortalReason::WrongCredentials);

    let ticket = asked(world.begin(&browser, "canbo.mot", SENTENCE).await);
    let (options, asking) = engine.key_options(&visit, Some(&ticket)).await.unwrap().unwrap();
    key.challenge = challenge(&options);
    let proof = key.signed();
    let proof = Proof::Key(&proof);
    // The page before asked for nothing that a key could sign.
    let early = engine.second_factor(&visit, &ticket, proof, None, false).await.unwrap();
    assert_eq!(refused(early), (PortalReason::WrongCode, true));
    let signed_in = done(engine.second_factor(&visit, &asking, proof, None, false).await.unwrap());
    assert_eq!(signed_in.done.second, Second::Given(FactorKind::SecurityKey));
    assert!(world.person(id).await.secrets.passkeys[0].last.is_some());

    // Fresh again by the key; it opens no locked screen.
    world.pass(FRESH_MFA_MS);
    let present = world.present(&signed_in.cookie).await;
    let visit = world.visit(&browser);
    let (options, ticket) = engine.key_options_for(&visit, &present).unwrap().unwrap();
    key.challenge = challenge(&options);
    let confirmed = engine.confirm_key(&visit, &present, &ticket, &key.signed()).await.unwrap();
    assert_eq!(confirmed, Answer::Done);
    let twice = engine.confirm_key(&visit, &present, &ticket, &key.signed()).await.unwrap();
    assert_eq!(twice, no(PortalReason::SignInExpired));
    engine.lock(&present, world.at()).await.unwrap();
    let (options, ticket) = engine.key_options_for(&visit, &present).unwrap().unwrap();
    key.challenge = challenge(&options);
    let opened = engine.unlock_key(&visit, &present, &ticket, &key.signed()).await.unwrap();
    assert_eq!(opened, no(PortalReason::WrongCode));
    assert!(matches!(world.look(&signed_in.cookie, Cause::Person).await, Look::Locked(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e2_a_passkey_opens_the_screen_and_can_be_the_only_factor() {
    let world = World::new();
    let (id, given) = world.invited("canbo.moi").await;
    let browser = Browser::at("10.1.2.3");
    let (visit, engine) = (world.visit(&browser), &world.engine);
    let Outcome::Next { ticket, .. } = world.begin(&browser, "canbo.moi", &given).await else {
        panic!("no page")
    };
    let changed = engine.change_password(&visit, &ticket, SENTENCE).await.unwrap();
    let Outcome::Next { ticket, .. } = changed else { panic!("no page") };
    // No phone needed (E2).
    let (options, ticket) = engine.enrol_key(&visit, &ticket, false).await.unwrap().unwrap();
    let mut key = Key::p256(ORIGIN, challenge(&options));
    key.user = id.0;
    let enrolled = engine.enrol_key_done(&visit, &ticket, &key.made(), "Máy cơ quan").await;
    let Outcome::Codes { ticket, codes } = enrolled.unwrap() else { panic!("no codes") };
    assert_eq!(codes.len(), 10);
    let signed_in = done(engine.go_on(&visit, &ticket).await.unwrap());
    let present = world.present(&signed_in.cookie).await;
    assert_eq!(present.person.secrets.passkeys[0].name, "Máy cơ quan");
    engine.lock(&present, world.at()).await.unwrap();
    let (options, ticket) = engine.key_options_for(&visit, &present).unwrap().unwrap();
    key.challenge = challenge(&options);
    let opened = engine.unlock_key(&visit, &present, &ticket, &key.signed()).await.unwrap();
    assert_eq!(opened, Answer::Done);
    let present = world.present(&signed_in.cookie).await;
    let only = FactorRef::Key(ID.to_vec());
    let removed = engine.remove_factor(&visit, &present, &only).await.unwrap();
    assert_eq!(removed, no(PortalReason::NotInThisState));
}

/// C5: a key's answer is good once, on whichever node.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_a_key_is_of_no_use_on_another_node() {
    let (world, Desk { browser, session, .. }) = World::at_desk().await;
    // It counts nothing, like most passkeys.
    let mut key = added(&world, &browser, &session.cookie, false).await;
    let (engine, other, visit) = (&world.engine, world.another_node(), world.visit(&browser));
    let (options, ticket) = engine.key_options(&visit, None).await.unwrap().unwrap();
    key.challenge = challenge(&options);
    let signed = key.signed();
    let signed_in = done(engine.begin_passkey(&visit, &ticket, &signed, false).await.unwrap());
    let again = other.begin_passkey(&visit, &ticket, &signed, false).await.unwrap();
    assert_eq!(refused(again), (PortalReason::SignInExpired, false));

    let present = world.present(&signed_in.cookie).await;
    let (options, ticket) = engine.key_options_for(&visit, &present).unwrap().unwrap();
    key.challenge = challenge(&options);
    let signed = key.signed();
    let confirmed = other.confirm_key(&visit, &present, &ticket, &signed).await.unwrap();
    assert_eq!(confirmed, Answer::Done);
    let again = engine.confirm_key(&visit, &present, &ticket, &signed).await.unwrap();
    assert_eq!(again, no(PortalReason::SignInExpired));
    let unlocked = engine.unlock_key(&visit, &present, &ticket, &signed).await.unwrap();
    assert_eq!(unlocked, no(PortalReason::SignInExpired));
}

/// Strangers who answer what they cannot sign take nobody's room.
#[tokio::test(flavor = "multi_thread")]
async fn strangers_fill_no_memory_of_keys() {
    let (world, Desk { browser, session, .. }) = World::at_desk().await;
    let mut key = added(&world, &browser, &session.cookie, false).await;
    let (engine, visit) = (&world.engine, world.visit(&browser));
    // More than are remembered.
    for _ in 0..65_600 {
        let (_, ticket) = engine.key_options(&visit, None).await.unwrap().unwrap();
        let outcome = engine.begin_passkey(&visit, &ticket, "{}", false).await.unwrap();
        assert_eq!(refused(outcome).0, PortalReason::WrongCredentials);
    }
    let (options, ticket) = engine.key_options(&visit, None).await.unwrap().unwrap();
    key.challenge = challenge(&options);
    let signed_in = engine.begin_passkey(&visit, &ticket, &key.signed(), false).await.unwrap();
    let present = world.present(&done(signed_in).cookie).await;
    let (options, ticket) = engine.key_options_for(&visit, &present).unwrap().unwrap();
    key.challenge = challenge(&options);
    let confirmed = engine.confirm_key(&visit, &present, &ticket, &key.signed()).await.unwrap();
    assert_eq!(confirmed, Answer::Done);
}
