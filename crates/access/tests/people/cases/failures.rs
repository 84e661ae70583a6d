//! Failures, and what they do not do to others.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dancu_access::people::{Outcome, QUEUE, Trouble};
use dancu_domain::people::failures::CAPTCHA_FROM;
use dancu_domain::people::reasons::PortalReason;
use dancu_store::people;

use crate::support::{
    Browser, SENTENCE, World, active_person, asked, done, join, remembered, solve, word,
};

/// The same work for one: the stored text names its own figures, and these are the least.
const CHEAP: &str = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$";

#[tokio::test(flavor = "multi_thread")]
async fn rule_c5_delays_do_not_tell_who_exists() {
    let world = World::new();
    world.active("canbo.mot").await;
    let mut told = vec![];
    for login in ["canbo.mot", "canbo.khong"] {
        let browser = Browser::at("10.1.2.3");
        let mut words = vec![];
        for _ in 0..8 {
            let outcome = world.begin(&browser, login, "wrong").await;
            if let Outcome::Held(held) = outcome {
                assert_eq!(held.reason, PortalReason::TooSoon);
                world.pass(held.wait_ms);
            }
            words.push(word(&outcome));
        }
        told.push(words);
    }
    assert!(told[0].iter().any(|w| w.contains("TooSoon")), "{told:?}");
    assert_eq!(told[0], told[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_c5_strangers_cause_a_captcha_and_no_lock() {
    let world = World::new();
    world.active("canbo.mot").await;
    let (desk, _) = remembered(&world, Browser::at("10.1.2.3"), "canbo.mot").await;

    for n in 0..CAPTCHA_FROM {
        let stranger = Browser::at(&format!("203.0.{n}.1"));
        let outcome = world.begin(&stranger, "canbo.mot", "wrong").await;
        assert_eq!(word(&outcome), "WrongCredentials true");
    }
    // The known device goes on, without a captcha.
    done(world.begin(&desk, "canbo.mot", SENTENCE).await);
    // Elsewhere there is one, and with its solution it goes on at once.
    let home = Browser::at("198.51.100.7");
    let visit = world.visit(&home);
    assert!(world.engine.captcha_needed(&visit, "canbo.mot"));
    assert!(!world.engine.captcha_needed(&visit, "canbo.hai"));
    let Outcome::Held(held) = world.begin(&home, "canbo.mot", SENTENCE).await else {
        panic!("no captcha")
    };
    assert_eq!((held.reason, held.captcha), (PortalReason::CaptchaNeeded, true));
    let engine = &world.engine;
    let wrong = engine.begin(&visit, "canbo.mot", SENTENCE, Some("e30="), false).await.unwrap();
    assert!(matches!(wrong, Outcome::Held(_)));
    let solved = solve(&engine.captcha().challenge(world.machine()).unwrap());
    let right = engine.begin(&visit, "canbo.mot", SENTENCE, Some(&solved), false).await.unwrap();
    asked(right);
    let again = engine.begin(&visit, "canbo.mot", SENTENCE, Some(&solved), false).await.unwrap();
    assert!(matches!(again, Outcome::Held(_)), "a solution works once");
}

/// What has to be waited for uses no solution up.
#[tokio::test(flavor = "multi_thread")]
async fn a_solution_outlives_the_wait() {
    let world = World::new();
    world.active("canbo.mot").await;
    for n in 0..CAPTCHA_FROM {
        let _ = world.begin(&Browser::at(&format!("203.0.{n}.1")), "canbo.mot", "wrong").await;
    }
    let home = Browser::at("198.51.100.7");
    let (engine, visit) = (&world.engine, world.visit(&home));
    let solved = || solve(&engine.captcha().challenge(world.machine()).unwrap());
    for _ in 0..4 {
        let sent = solved();
        let wrong = engine.begin(&visit, "canbo.mot", "wrong", Some(&sent), false).await.unwrap();
        assert_eq!(word(&wrong), "WrongCredentials true");
    }
    let sent = solved();
    let early = engine.begin(&visit, "canbo.mot", SENTENCE, Some(&sent), false).await.unwrap();
    let Outcome::Held(held) = early else { panic!("{}", word(&early)) };
    assert_eq!((held.reason, held.captcha), (PortalReason::TooSoon, true));
    world.pass(held.wait_ms);
    let visit = world.visit(&home);
    asked(engine.begin(&visit, "canbo.mot", SENTENCE, Some(&sent), false).await.unwrap());
}

/// Who knows the password guesses no code: typing the password again forgets no wrong code.
#[tokio::test(flavor = "multi_thread")]
async fn rule_c5_codes_are_not_guessed_between_passwords() {
    let world = World::new();
    world.active("canbo.mot").await;
    let browser = Browser::at("10.1.2.3");
    let mut held = 0;
    for _ in 0..10 {
        let ticket = asked(world.begin(&browser, "canbo.mot", SENTENCE).await);
        if let Outcome::Held(_) = world.factor(&browser, &ticket, "000000").await {
            held += 1;
        }
    }
    assert!(held >= 6, "{held}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_c5_a_device_that_fails_and_fails_is_forgotten() {
    let world = World::new();
    let id = world.active("canbo.mot").await;
    let (desk, _) = remembered(&world, Browser::at("10.1.2.3"), "canbo.mot").await;
    let mut failed = 0;
    while !world.person(id).await.secrets.devices.is_empty() {
        match world.begin(&desk, "canbo.mot", "wrong").await {
            Outcome::Held(held) => world.pass(held.wait_ms),
            _ => failed += 1,
        }
        assert!(failed < 50);
    }
    assert_eq!(failed, 21, "twenty on the device, and the one that it is forgotten with");
    assert!(world.kinds().contains(&"person.deviceForgotten".to_owned()));
    asked(world.begin(&desk, "canbo.mot", SENTENCE).await);
}

/// 07:50: everybody comes at once, one in fifty mistypes first.
#[tokio::test(flavor = "multi_thread")]
async fn rule_c5_three_thousand_officers_behind_one_address() {
    const OFFICERS: u32 = 3_000;
    const AT_ONCE: u32 = 40;
    let world = World::new();
    let hash = cheap(SENTENCE);
    let (at, profiles) = (world.at(), world.store().profiles().clone());
    world
        .office(move |tx, keys| {
            for n in 1..=OFFICERS {
                let login = format!("canbo.{n:06}");
                let person = active_person(n, &login, hash.clone(), at, &profiles);
                people::insert(tx, keys, &person)?;
            }
            Ok(())
        })
        .await;
    let code = world.code();
    for first in (1..=OFFICERS).step_by(AT_ONCE as usize) {
        let all = (first..first + AT_ONCE).map(|n| {
            let (world, code) = (&world, &code);
            async move {
                let (browser, login) = (Browser::at("203.0.113.7"), format!("canbo.{n:06}"));
                if n % 50 == 0 {
                    let slip = world.begin(&browser, &login, "sai mật khẩu").await;
                    assert_eq!(word(&slip), "WrongCredentials true");
                }
                let ticket = asked(world.begin(&browser, &login, SENTENCE).await);
                done(world.factor(&browser, &ticket, code).await);
            }
        });
        join(all).await;
    }
    assert_eq!(world.failures.load(Ordering::Relaxed), OFFICERS / 50);
    assert_eq!(world.kinds().len(), OFFICERS as usize);
}

fn cheap(password: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD_NO_PAD;
    let params = argon2::Params::new(8, 1, 1, None).unwrap();
    let argon = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let (mut blocks, mut output) = (vec![argon2::Block::new(); 8], [0; 32]);
    let (text, salt) = (password.as_bytes(), b"somesaltsomesalt");
    argon.hash_password_into_with_memory(text, salt, &mut output, &mut blocks[..]).unwrap();
    format!("{CHEAP}{}", STANDARD_NO_PAD.encode(output))
}

/// What the time alone would show on a quiet machine only: a login that nobody has waits for a hash
/// like every other, and there are more of them than places to wait.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_login_is_hashed_too() {
    const AT_ONCE: usize = 6 * QUEUE;
    let world = World::new();
    let (busy, wrong) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let all = (0..AT_ONCE).map(|n| {
        let (world, busy, wrong) = (&world, &busy, &wrong);
        async move {
            let browser = Browser::at(&format!("203.{}.{}.1", n / 256, n % 256));
            let (visit, login) = (world.visit(&browser), format!("canbo.khong{n}"));
            let counted = match world.engine.begin(&visit, &login, "wrong", None, false).await {
                Err(Trouble::Busy) => busy,
                Ok(outcome) => {
                    assert_eq!(word(&outcome), "WrongCredentials true");
                    wrong
                }
                Err(trouble) => panic!("{trouble}"),
            };
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    join(all).await;
    let [busy, wrong] = [busy, wrong].map(AtomicUsize::into_inner);
    assert!(busy > 0 && wrong >= QUEUE, "{busy} {wrong}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_login_takes_the_time_of_a_known_one() {
    let world = World::new();
    world.active("canbo.mot").await;
    let mut took = [vec![], vec![]];
    for n in 0..9 {
        for (login, times) in ["canbo.mot", "canbo.khong"].into_iter().zip(&mut took) {
            let browser = Browser::at(&format!("203.0.{n}.1"));
            let began = steady();
            let outcome = world.begin(&browser, login, "wrong").await;
            times.push(began.elapsed());
            assert_eq!(word(&outcome), "WrongCredentials true");
        }
    }
    let [known, unknown] = took.map(|mut times| {
        times.sort();
        times[times.len() / 2]
    });
    assert!(unknown > Duration::from_millis(2), "{unknown:?} is no hash of 19 MiB");
    assert!(unknown * 2 > known && known * 2 > unknown, "{known:?} {unknown:?}");
}

#[expect(clippy::disallowed_methods, reason = "the test measures")]
fn steady() -> std::time::Instant {
    std::time::Instant::now()
}
