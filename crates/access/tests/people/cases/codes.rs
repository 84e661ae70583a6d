//! One-time codes are not guessed, by whoever has the password too.

use dancu_access::people::{Outcome, Proof, totp};
use dancu_domain::moment::{HOUR_MS, MINUTE_MS};
use dancu_domain::people::codes::{CODE_FALLS_MS, CODES_FREE};
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::totp::Step;

use crate::support::{
    Browser, SECRET, SENTENCE, World, asked, done, join, refused, remembered, solve, word,
};

/// A code of another time.
fn wrong_code(world: &World) -> String {
    totp::code(SECRET, Step(Step::at(world.machine()).0 + 9))
}

/// One try with the right password from a network of its own, captcha and all.
async fn stranger(world: &World, n: u32, code: &str) -> Outcome {
    let browser = Browser::at(&format!("2001:db8:{:x}:{:x}::1", n >> 16, n & 0xffff));
    let visit = world.visit(&browser);
    let engine = &world.engine;
    let solved = || solve(&engine.captcha().challenge(world.machine()).unwrap());
    let (first, second) = (solved(), solved());
    let begun = engine.begin(&visit, "canbo.mot", SENTENCE, Some(&first), false).await.unwrap();
    let (ticket, proof) = (asked(begun), Proof::Totp(code));
    engine.second_factor(&visit, &ticket, proof, Some(&second), false).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_c5_codes_are_not_guessed_from_many_networks() {
    let world = World::new();
    world.active("canbo.mot").await;
    let (desk, _) = remembered(&world, Browser::at("10.1.2.3"), "canbo.mot").await;
    let (mut compared, mut last) = (0, None);
    for n in 0..40 {
        match stranger(&world, n, &wrong_code(&world)).await {
            Outcome::Held(held) => {
                assert_eq!((held.reason, held.captcha), (PortalReason::TooSoon, false));
                assert!(held.wait_ms <= MINUTE_MS);
                last = Some(held);
            }
            outcome => {
                assert_eq!(refused(outcome), (PortalReason::WrongCode, true));
                compared += 1;
            }
        }
    }
    assert_eq!(compared, CODES_FREE + 1, "over all networks");
    let wait = last.unwrap().wait_ms;
    // The right one is not looked at either, on no node, and its answer is the same.
    let right = world.code();
    assert_eq!(word(&stranger(&world, 99, &right).await), word(&Outcome::Held(last.unwrap())));
    let (other, home) = (world.another_node(), Browser::at("198.51.100.7"));
    let visit = world.visit(&home);
    let begun = other.begin(&visit, "canbo.mot", SENTENCE, None, false).await.unwrap();
    let ticket = asked(begun);
    let proof = Proof::Totp(&right);
    let held = other.second_factor(&visit, &ticket, proof, None, false).await.unwrap();
    assert!(matches!(held, Outcome::Held(_)), "{}", word(&held));
    // The known device goes on at once, with its own code where one is asked for.
    world.pass(24 * HOUR_MS - wait);
    for n in 100..140 {
        let _ = stranger(&world, n, &wrong_code(&world)).await;
    }
    let ticket = asked(world.begin(&desk, "canbo.mot", SENTENCE).await);
    done(world.factor(&desk, &ticket, &world.code()).await);
    // Who waits gets in, with a code of then.
    world.pass(CODE_FALLS_MS);
    let code = world.code();
    done(stranger(&world, 200, &code).await);
}

/// However many come at one instant: each is decided after the one before.
#[tokio::test(flavor = "multi_thread")]
async fn rule_c5_codes_at_one_instant_wait_for_their_turn() {
    let world = World::new();
    world.active("canbo.mot").await;
    let wrong = wrong_code(&world);
    for n in 0..CODES_FREE {
        assert_eq!(word(&stranger(&world, n, &wrong).await), "WrongCode true");
    }
    let said = std::sync::Mutex::new(vec![]);
    let all = (10..30).map(|n| {
        let (world, wrong, said) = (&world, &wrong, &said);
        async move {
            let outcome = stranger(world, n, wrong).await;
            said.lock().unwrap().push(matches!(outcome, Outcome::Held(_)));
        }
    });
    join(all).await;
    let said = said.into_inner().unwrap();
    assert_eq!((said.len(), said.iter().filter(|held| !**held).count()), (20, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_c5_five_wrong_codes_end_a_sign_in_in_progress() {
    let world = World::new();
    world.active("canbo.mot").await;
    let browser = Browser::at("10.1.2.3");
    let ticket = asked(world.begin(&browser, "canbo.mot", SENTENCE).await);
    let mut wrong = 0;
    while wrong < 5 {
        match world.factor(&browser, &ticket, "12345").await {
            Outcome::Held(held) => world.pass(held.wait_ms),
            outcome => {
                assert_eq!(refused(outcome), (PortalReason::WrongCode, true));
                wrong += 1;
            }
        }
    }
    world.pass(10_000);
    let dead = world.factor(&browser, &ticket, &world.code()).await;
    assert_eq!(refused(dead), (PortalReason::SignInExpired, false));
    let ticket = asked(world.begin(&browser, "canbo.mot", SENTENCE).await);
    done(world.factor(&browser, &ticket, &world.code()).await);
}
