//! The walk of a sign-in.

use dancu_access::people::{Outcome, Proof, TICKET_MS, forget_factors, totp};
use dancu_domain::people::PersonId;
use dancu_domain::people::account::{Phase, RevokeCause};
use dancu_domain::people::factors::{Kinds, SeenInPerson, Voucher};
use dancu_domain::people::password::ChangeDue;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::session::Cause;
use dancu_domain::people::sign_in::{Second, Step};
use dancu_domain::people::totp::Step as TotpStep;

use crate::support::{Browser, Desk, SENTENCE, World, asked, done, refused, word};

const OFFICE: PersonId = PersonId(1_000_000);

fn ticket_of(outcome: Outcome, expected: &Step) -> String {
    match outcome {
        Outcome::Next { step, ticket } if step == *expected => ticket,
        other => panic!("{}", word(&other)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e2_the_first_sign_in() {
    let world = World::new();
    let (id, given) = world.invited("thao.sttt01").await;
    let browser = Browser::at("10.1.2.3");
    let visit = world.visit(&browser);

    // The given password opens one page: the one on which it is changed.
    let changing = Step::ChangePassword(ChangeDue::Given);
    let ticket = ticket_of(world.begin(&browser, "THAO.sttt01", &given).await, &changing);
    for (bad, reason) in [
        ("ngắn", PortalReason::PasswordTooShort),
        ("matkhau123", PortalReason::PasswordCommon),
        ("PhuongThao1990", PortalReason::PasswordCommon),
        ("x.thao.sttt01.x", PortalReason::PasswordHoldsLogin),
        (&*given, PortalReason::PasswordReused),
    ] {
        let outcome = world.engine.change_password(&visit, &ticket, bad).await.unwrap();
        assert_eq!(refused(outcome), (reason, true), "{bad}");
    }
    let enrolling = Step::Enrol { kinds: Kinds::ENROLLABLE, by_voucher: false };
    let changed = world.engine.change_password(&visit, &ticket, SENTENCE).await.unwrap();
    let ticket = ticket_of(changed, &enrolling);

    // A secret for the phone, and its first code.
    let (shown, ticket) = world.engine.enrol_totp(&visit, &ticket).await.unwrap().unwrap();
    let secret = totp::from_base32(&shown.secret).unwrap();
    let code = totp::code(&secret, TotpStep::at(world.machine()));
    for bad in ["", "12345", "abcdef"] {
        let outcome = world.engine.enrol_totp_done(&visit, &ticket, bad).await.unwrap();
        assert_eq!(refused(outcome), (PortalReason::WrongCode, true));
    }
    let enrolled = world.engine.enrol_totp_done(&visit, &ticket, &code).await.unwrap();
    let Outcome::Codes { codes, ticket: after } = enrolled else { panic!("no codes") };
    assert_eq!(codes.len(), 10);
    assert!(codes.iter().all(|c| c.len() == 19));
    // The page of the secret is of no use any more.
    let again = world.engine.enrol_totp_done(&visit, &ticket, &code).await.unwrap();
    assert_eq!(refused(again), (PortalReason::SignInExpired, false));

    let signed_in = done(world.engine.go_on(&visit, &after).await.unwrap());
    assert!(signed_in.done.activates && signed_in.done.offer_device);
    assert!(signed_in.replaced.is_none() && signed_in.device_cookie.is_none());
    let person = world.person(id).await;
    assert_eq!(*signed_in.person, person);
    assert!(matches!(person.account.phase, Phase::Open(_)));
    assert_eq!(person.secrets.history.len(), 2);
    assert_eq!(person.secrets.recovery.as_ref().unwrap().left.left(), 10);
    assert_eq!(world.present(&signed_in.cookie).await.person.id, id);
    let kinds = ["person.passwordChanged", "person.factorEnrolled", "person.signIn"];
    assert_eq!(world.kinds(), kinds);
    // The page of the codes leads to no second session, on another node neither, ended or not.
    let present = world.present(&signed_in.cookie).await;
    let other = world.another_node();
    for engine in [&*world.engine, &other] {
        let outcome = engine.go_on(&visit, &after).await.unwrap();
        assert_eq!(refused(outcome), (PortalReason::SignInExpired, false));
    }
    other.sign_out(&visit, &present).await.unwrap();
    let outcome = other.go_on(&visit, &after).await.unwrap();
    assert_eq!(refused(outcome), (PortalReason::SignInExpired, false));

    // The given password is nobody's, and the code of the enrolment is used.
    let old = world.begin(&browser, "thao.sttt01", &given).await;
    assert_eq!(refused(old).0, PortalReason::WrongCredentials);
    let ticket = asked(world.begin(&browser, "thao.sttt01", SENTENCE).await);
    let used = world.factor(&browser, &ticket, &code).await;
    assert_eq!(refused(used), (PortalReason::WrongCode, true));
    // A recovery code that was shown lets in, once.
    let in_again = done(world.factor(&browser, &ticket, &codes[3]).await);
    assert_eq!(world.person(id).await.secrets.recovery.unwrap().left.left(), 9);
    assert!(in_again.replaced.is_none(), "that one was signed out");
}

/// A code from somebody who waits as long as the page says.
async fn patient(world: &World, browser: &Browser, ticket: &str, typed: &str) -> Outcome {
    loop {
        match world.factor(browser, ticket, typed).await {
            Outcome::Held(held) => world.pass(held.wait_ms),
            outcome => return outcome,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e2_codes_and_clocks() {
    let world = World::new();
    world.active("canbo.mot").await;
    let browser = Browser::at("10.1.2.3");
    let now = TotpStep::at(world.machine()).0;
    let code = |step: i64| totp::code(crate::support::SECRET, TotpStep(step));
    let ticket = asked(world.begin(&browser, "canbo.mot", SENTENCE).await);
    for wrong in [code(now - 2), code(now + 2), String::new(), "1".into(), "000 00a".into()] {
        let outcome = patient(&world, &browser, &ticket, &wrong).await;
        assert_eq!(refused(outcome), (PortalReason::WrongCode, true), "{wrong}");
    }
    assert_eq!(TotpStep::at(world.machine()).0, now, "all within one step");
    // Half a minute slow, then exact, then half a minute fast: each later than the one before.
    for step in [now - 1, now, now + 1] {
        let ticket = asked(world.begin(&browser, "canbo.mot", SENTENCE).await);
        done(patient(&world, &browser, &ticket, &code(step)).await);
        let ticket = asked(world.begin(&browser, "canbo.mot", SENTENCE).await);
        let reused = world.factor(&browser, &ticket, &code(step)).await;
        assert_eq!(refused(reused).0, PortalReason::WrongCode, "{step}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_one_instant_do_not_use_one_code() {
    let world = World::new();
    world.active("canbo.mot").await;
    let (one, two) = (Browser::at("10.1.2.3"), Browser::at("10.1.2.4"));
    let first = asked(world.begin(&one, "canbo.mot", SENTENCE).await);
    let second = asked(world.begin(&two, "canbo.mot", SENTENCE).await);
    let code = world.code();
    let (a, b) =
        tokio::join!(world.factor(&one, &first, &code), world.factor(&two, &second, &code));
    let mut words = [word(&a), word(&b)];
    words.sort();
    assert_eq!(words, ["WrongCode true", "done"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_of_one_browser_one_sign_in_and_five_minutes() {
    let world = World::new();
    let id = world.active("canbo.mot").await;
    let (mine, thief) = (Browser::at("10.1.2.3"), Browser::at("10.1.2.3"));
    let ticket = asked(world.begin(&mine, "canbo.mot", SENTENCE).await);
    let expired = (PortalReason::SignInExpired, false);
    let stolen = world.factor(&thief, &ticket, &world.code()).await;
    assert_eq!(refused(stolen), expired);
    for forged in ["", "AAAA", &ticket[1..], &format!("{ticket}A")] {
        assert_eq!(refused(world.factor(&mine, forged, &world.code()).await), expired);
    }
    // A page of one step is none of another.
    let visit = world.visit(&mine);
    let skipped = world.engine.go_on(&visit, &ticket).await.unwrap();
    assert!(matches!(skipped, Outcome::Next { step: Step::SecondFactor(_), .. }));
    let change = world.engine.change_password(&visit, &ticket, "một câu dài khác").await.unwrap();
    assert_eq!(refused(change), expired);
    let enrol = world.engine.enrol_totp(&visit, &ticket).await.unwrap();
    assert_eq!(enrol.err(), Some(PortalReason::SignInExpired));

    // Asking again gives no more time.
    world.pass(TICKET_MS - 1);
    let visit = world.visit(&mine);
    let again = world.engine.go_on(&visit, &ticket).await.unwrap();
    let Outcome::Next { ticket: prolonged, .. } = again else { panic!("{}", word(&again)) };
    world.pass(1);
    assert_eq!(refused(world.factor(&mine, &prolonged, &world.code()).await), expired);
    assert_eq!(refused(world.factor(&mine, &ticket, &world.code()).await), expired);
    let ticket = asked(world.begin(&mine, "canbo.mot", SENTENCE).await);
    done(world.factor(&mine, &ticket, &world.code()).await);
    world.pass(30_000);
    let again = world.factor(&mine, &ticket, &world.code()).await;
    assert_eq!(refused(again), expired, "it led to a session");
    // Rights that change meanwhile end it.
    let ticket = asked(world.begin(&mine, "canbo.mot", SENTENCE).await);
    world
        .edit(id, |p| {
            let cause = dancu_domain::people::account::Cause::Head;
            p.account = p.account.clone().suspend(cause).unwrap();
        })
        .await;
    assert_eq!(refused(world.factor(&mine, &ticket, &world.code()).await), expired);
    let told = world.begin(&mine, "canbo.mot", SENTENCE).await;
    assert_eq!(refused(told), (PortalReason::SuspendedByHead, false));
    let other = world.begin(&mine, "canbo.mot", "something else").await;
    assert_eq!(refused(other).0, PortalReason::WrongCredentials, "only who knows the password");
    // A browser without our cookie begins nothing.
    let bare = Browser { cookie: String::new(), ..mine };
    assert_eq!(refused(world.begin(&bare, "canbo.mot", SENTENCE).await), expired);
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e2_a_device_is_asked_once_a_working_day() {
    let world = World::new();
    let id = world.active("canbo.mot").await;
    let mut browser = Browser::at("10.1.2.3");
    let ticket = asked(world.begin(&browser, "canbo.mot", SENTENCE).await);
    let visit = world.visit(&browser);
    let proof = Proof::typed("000000");
    let wrong = world.engine.second_factor(&visit, &ticket, proof, None, true).await.unwrap();
    assert_eq!(refused(wrong).0, PortalReason::WrongCode);
    assert!(world.person(id).await.secrets.devices.is_empty());
    let code = world.code();
    let right =
        world.engine.second_factor(&visit, &ticket, Proof::typed(&code), None, true).await.unwrap();
    let signed_in = done(right);
    browser.device = Some(signed_in.device_cookie.unwrap());
    let again = done(world.begin(&browser, "canbo.mot", SENTENCE).await);
    assert_eq!(again.done.second, Second::Today);
    assert!(!again.done.offer_device && again.device_cookie.is_none());
    assert!(!again.session.is_fresh(world.machine()), "nothing was given just now");
    // Elsewhere always; on the next working day here too.
    let elsewhere = Browser::at("10.1.2.3");
    asked(world.begin(&elsewhere, "canbo.mot", SENTENCE).await);
    world.pass(24 * 3_600_000);
    asked(world.begin(&browser, "canbo.mot", SENTENCE).await);
    // No more devices than five, the least used go.
    for _ in 0..6 {
        let browser = Browser::at("10.1.2.9");
        world.pass(60_000);
        let ticket = asked(world.begin(&browser, "canbo.mot", SENTENCE).await);
        let (visit, code) = (world.visit(&browser), world.code());
        let proof = Proof::typed(&code);
        done(world.engine.second_factor(&visit, &ticket, proof, None, true).await.unwrap());
    }
    let devices = world.person(id).await.secrets.devices;
    assert_eq!(devices.len(), 5);
    assert!(devices.iter().all(|d| Some(d.mark) != browser.device.as_deref().map(mark_of)));
}

fn mark_of(cookie: &str) -> [u8; 32] {
    crate::support::mark(cookie).0
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e2_a_lost_factor_comes_back_on_the_heads_word_alone() {
    let (world, Desk { id, browser, session, .. }) = World::at_desk().await;
    let visit = world.visit(&browser);
    world
        .edit(id, |p| {
            p.account = p.account.clone().factor_lost().unwrap();
            forget_factors(p);
        })
        .await;
    let look = world.look(&session.cookie, Cause::Person).await;
    assert!(matches!(look, dancu_access::people::Look::Ended(PortalReason::SessionRevoked)));
    let lost = world.begin(&browser, "canbo.mot", SENTENCE).await;
    assert_eq!(refused(lost), (PortalReason::FactorMissing, false));
    let at = world.at();
    world
        .edit(id, move |p| {
            let seen = SeenInPerson::CitizenCard;
            p.secrets.voucher = Some(Voucher::given(p.id, OFFICE, at, seen).unwrap());
        })
        .await;
    let enrolling = Step::Enrol { kinds: Kinds::ENROLLABLE, by_voucher: true };
    let ticket = ticket_of(world.begin(&browser, "canbo.mot", SENTENCE).await, &enrolling);
    let (shown, ticket) = world.engine.enrol_totp(&visit, &ticket).await.unwrap().unwrap();
    let secret = totp::from_base32(&shown.secret).unwrap();
    let code = totp::code(&secret, TotpStep::at(visit.machine));
    let enrolled = world.engine.enrol_totp_done(&visit, &ticket, &code).await.unwrap();
    let Outcome::Codes { ticket, .. } = enrolled else { panic!("{}", word(&enrolled)) };
    assert_eq!(world.person(id).await.secrets.voucher, None, "spent");
    done(world.engine.go_on(&visit, &ticket).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e3_the_dead_and_the_unknown_are_answered_alike() {
    let world = World::new();
    let id = world.active("canbo.mot").await;
    let at = world.at();
    world
        .edit(id, move |p| {
            p.account = p.account.clone().revoke(RevokeCause::Left, OFFICE, at).unwrap();
        })
        .await;
    for (login, password) in [
        ("canbo.mot", SENTENCE),
        ("canbo.mot", "wrong password"),
        ("canbo.khong", SENTENCE),
        ("not a login ở đây", SENTENCE),
        ("", ""),
        ("canbo.mot", &"x".repeat(1 << 20)),
    ] {
        let browser = Browser::at("10.1.2.3");
        let outcome = world.begin(&browser, login, password).await;
        assert_eq!(refused(outcome), (PortalReason::WrongCredentials, true), "{login}");
    }
    assert!(world.kinds().is_empty());
    assert_eq!(world.failures.load(std::sync::atomic::Ordering::Relaxed), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e2_an_old_password_is_changed_on_the_way() {
    let world = World::new();
    let id = world.active("canbo.mot").await;
    let browser = Browser::at("10.1.2.3");
    for _ in 0..3 {
        // Ninety days; used meanwhile, so not idle.
        world.pass(30 * 24 * 3_600_000);
        let at = world.at();
        world.edit(id, move |p| p.account = p.account.clone().seen(at)).await;
    }
    let ticket = asked(world.begin(&browser, "canbo.mot", SENTENCE).await);
    let code = world.code();
    let changing = Step::ChangePassword(ChangeDue::Aged { days: 90 });
    let ticket = ticket_of(world.factor(&browser, &ticket, &code).await, &changing);
    let visit = world.visit(&browser);
    let reused = world.engine.change_password(&visit, &ticket, SENTENCE).await.unwrap();
    assert_eq!(refused(reused), (PortalReason::PasswordReused, true));
    let new = "trời mưa bong bóng phập phồng";
    let signed_in = done(world.engine.change_password(&visit, &ticket, new).await.unwrap());
    assert!(signed_in.session.is_fresh(world.machine()));
    // The code that was given before the change is used up.
    let ticket = asked(world.begin(&browser, "canbo.mot", new).await);
    let used = world.factor(&browser, &ticket, &code).await;
    assert_eq!(refused(used).0, PortalReason::WrongCode);
}
