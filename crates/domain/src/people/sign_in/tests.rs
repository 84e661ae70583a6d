//! The pages of a sign-in, in their order.

use super::*;
use crate::people::PersonId;
use crate::people::account::{Cause, Lock, LockCause, RevokeCause};
use crate::people::factors::{RecoveryCodes, SeenInPerson};
use crate::people::roles::Class;
use crate::profile::{DEFAULT_PROFILE, Profiles};

const ME: PersonId = PersonId(7);
const HEAD: PersonId = PersonId(1);
const BEGAN: &str = "2026-03-02T08:00:00+07:00";

fn at(text: &str) -> Moment {
    Moment::parse_rfc3339(text).unwrap()
}

fn profile() -> Profile {
    Profiles::parse(DEFAULT_PROFILE).unwrap().versions().last().unwrap().clone()
}

fn invited() -> Account {
    Account::invite(ME, Class::Staff, HEAD, at(BEGAN))
}

fn active() -> Account {
    let changed = invited().password_changed(at(BEGAN).viet_nam_date()).unwrap();
    changed.activate(at(BEGAN), &profile()).unwrap()
}

fn totp() -> Factors {
    let enrolled = Kinds::NONE.with(FactorKind::Totp);
    Factors { enrolled, recovery: RecoveryCodes::issued() }
}

fn facts(account: Option<&Account>) -> Facts<'_> {
    Facts {
        account,
        factors: totp(),
        device: None,
        voucher: None,
        first: First::Password,
        second: None,
    }
}

fn device(account: &Account, mfa: &str) -> Device {
    let used = at(mfa);
    Device { person: ME, epoch: account.epoch, used, mfa: Some(used) }
}

fn step(facts: &Facts<'_>, now: &str) -> Step {
    next_step(facts, at(now), &profile())
}

fn done(step: Step) -> Done {
    match step {
        Step::Done(done) => done,
        other => panic!("{other:?}"),
    }
}

#[test]
fn rule_e2_unknown_wrong_and_dead_look_alike() {
    let dead = active().revoke(RevokeCause::Left, HEAD, at(BEGAN)).unwrap();
    let open = active();
    let wrong = Step::Refused(PortalReason::WrongCredentials);
    for account in [None, Some(&open), Some(&dead)] {
        let nothing = Facts { first: First::Nothing, ..facts(account) };
        assert_eq!(step(&nothing, BEGAN), Step::Password);
        let bad = Facts { first: First::Wrong, ..facts(account) };
        assert_eq!(step(&bad, BEGAN), wrong);
    }
    assert_eq!(step(&facts(None), BEGAN), wrong);
    assert_eq!(step(&facts(Some(&dead)), BEGAN), wrong);
}

#[test]
fn rule_e2_what_stops_an_account_is_told_after_the_password_only() {
    let lock = Lock { cause: LockCause::Reported, by: Some(HEAD), at: at(BEGAN) };
    for (account, reason) in [
        (active().suspend(Cause::Head).unwrap(), PortalReason::SuspendedByHead),
        (active().suspend(Cause::Centre).unwrap(), PortalReason::SuspendedByCentre),
        (active().suspend(Cause::Unreviewed).unwrap(), PortalReason::SuspendedUnreviewed),
        (active().suspend(Cause::Untrained).unwrap(), PortalReason::SuspendedUntrained),
        (active().lock(lock).unwrap(), PortalReason::LockedForSecurity),
    ] {
        let known = facts(Some(&account));
        assert_eq!(step(&known, BEGAN), Step::Refused(reason));
        let wrong = Facts { first: First::Wrong, ..known };
        assert_eq!(step(&wrong, BEGAN), Step::Refused(PortalReason::WrongCredentials));
    }
    let (idle, late) = (active(), "2026-04-17T08:00:00+07:00");
    let refused = step(&facts(Some(&idle)), late);
    assert_eq!(refused, Step::Refused(PortalReason::DisabledIdle));
    let refused = step(&facts(Some(&invited())), "2026-03-09T08:00:00+07:00");
    assert_eq!(refused, Step::Refused(PortalReason::InvitationExpired));
}

#[test]
fn rule_e2_the_first_sign_in() {
    let none = Factors::default();
    let account = invited();
    let known = Facts { factors: none, ..facts(Some(&account)) };
    assert_eq!(step(&known, BEGAN), Step::ChangePassword(ChangeDue::Given));
    let account = account.password_changed(at(BEGAN).viet_nam_date()).unwrap();
    let known = Facts { factors: none, ..facts(Some(&account)) };
    let enrol = Step::Enrol { kinds: Kinds::ENROLLABLE, by_voucher: false };
    assert_eq!(step(&known, BEGAN), enrol);
    let known = Facts { second: Some(FactorKind::Totp), ..facts(Some(&account)) };
    let end = done(step(&known, BEGAN));
    assert_eq!(
        (end.second, end.activates, end.offer_device),
        (Second::Given(FactorKind::Totp), true, true)
    );
    assert!(account.activate(at(BEGAN), &profile()).is_ok());
}

#[test]
fn rule_e2_elsewhere_a_second_factor_every_time() {
    let account = active();
    let known = facts(Some(&account));
    let kinds = Kinds::NONE.with(FactorKind::Totp).with(FactorKind::RecoveryCode);
    assert_eq!(step(&known, BEGAN), Step::SecondFactor(kinds));
    let given = Facts { second: Some(FactorKind::Totp), ..known };
    assert!(done(step(&given, BEGAN)).offer_device);
    // A kind that is not enrolled proves nothing.
    let given = Facts { second: Some(FactorKind::SecurityKey), ..known };
    assert_eq!(step(&given, BEGAN), Step::SecondFactor(kinds));
    // Somebody else's device is elsewhere, and so is one of another epoch.
    let mine = device(&account, BEGAN);
    for other in [Device { person: HEAD, ..mine }, Device { epoch: mine.epoch.next(), ..mine }] {
        let there = Facts { device: Some(&other), ..known };
        assert_eq!(step(&there, BEGAN), Step::SecondFactor(kinds));
    }
}

#[test]
fn rule_e2_once_per_working_day_on_an_enrolled_device() {
    let account = active();
    let mine = device(&account, "2026-03-02T08:00:00+07:00");
    let known = Facts { device: Some(&mine), ..facts(Some(&account)) };
    for now in ["2026-03-02T17:00:00+07:00", "2026-03-03T06:59:59.999+07:00"] {
        let end = done(step(&known, now));
        assert_eq!((end.second, end.offer_device), (Second::Today, false), "{now}");
    }
    let next_day = step(&known, "2026-03-03T07:00:00+07:00");
    assert!(matches!(next_day, Step::SecondFactor(_)));
    // The profile can ask every time.
    let text = DEFAULT_PROFILE.replace("\"workingDay\"", "\"everySignIn\"");
    let strict = Profiles::parse(&text).unwrap().versions().last().unwrap().clone();
    let asked = next_step(&known, at("2026-03-02T09:00:00+07:00"), &strict);
    assert!(matches!(asked, Step::SecondFactor(_)));
}

#[test]
fn rule_e2_passkeys_and_identities() {
    let account = active();
    let known = Facts { first: First::Passkey, ..facts(Some(&account)) };
    assert_eq!(done(step(&known, BEGAN)).second, Second::Given(FactorKind::Passkey));
    let strong = Facts { first: First::Identity { strong: true }, ..known };
    assert_eq!(done(step(&strong, BEGAN)).second, Second::Identity);
    let weak = Facts { first: First::Identity { strong: false }, ..known };
    assert!(matches!(step(&weak, BEGAN), Step::SecondFactor(_)));
    let bare = Facts { factors: Factors::default(), ..weak };
    assert_eq!(step(&bare, BEGAN), Step::Refused(PortalReason::AssuranceTooLow));
    // A password that is old hinders nobody who does not use it.
    let old = "2026-06-01T08:00:00+07:00";
    let account = account.seen(at("2026-05-30T08:00:00+07:00"));
    let with_password = Facts { second: Some(FactorKind::Totp), ..facts(Some(&account)) };
    assert_eq!(step(&with_password, old), Step::ChangePassword(ChangeDue::Aged { days: 90 }));
    let with_passkey = Facts { first: First::Passkey, ..facts(Some(&account)) };
    done(step(&with_passkey, old));
}

#[test]
fn rule_e2_an_old_password_is_changed_after_the_second_factor() {
    let account = active().seen(at("2026-05-30T08:00:00+07:00"));
    let known = facts(Some(&account));
    assert!(matches!(step(&known, "2026-05-31T08:00:00+07:00"), Step::SecondFactor(_)));
    let given = Facts { second: Some(FactorKind::Totp), ..known };
    // Set on 2 March: the 90th day after it is 31 May, from midnight on.
    let end = done(step(&given, "2026-05-30T23:59:59+07:00"));
    assert_eq!(end.notices, [Notice::PasswordDays(1)]);
    let due = step(&given, "2026-05-31T00:00:00+07:00");
    assert_eq!(due, Step::ChangePassword(ChangeDue::Aged { days: 90 }));
}

#[test]
fn rule_e2_a_lost_factor_needs_the_head_in_person() {
    let account = active().factor_lost().unwrap();
    // Recovery codes left over do not help: the head does.
    let left = Factors { enrolled: Kinds::NONE, recovery: RecoveryCodes::issued() };
    let known = Facts { factors: left, ..facts(Some(&account)) };
    let now = "2026-03-03T10:00:00+07:00";
    assert_eq!(step(&known, now), Step::Refused(PortalReason::FactorMissing));
    let redeemed = Facts { second: Some(FactorKind::RecoveryCode), ..known };
    assert_eq!(step(&redeemed, now), Step::Refused(PortalReason::FactorMissing));
    let given = Voucher::given(ME, HEAD, at(now), SeenInPerson::ServiceCard).unwrap();
    let vouched = Facts { voucher: Some(&given), ..known };
    let enrol = Step::Enrol { kinds: Kinds::ENROLLABLE, by_voucher: true };
    assert_eq!(step(&vouched, "2026-03-04T09:59:59+07:00"), enrol);
    let late = step(&vouched, "2026-03-04T10:00:00+07:00");
    assert_eq!(late, Step::Refused(PortalReason::VoucherExpired));
    // The word for somebody else is none for me.
    let other = Voucher::given(PersonId(8), HEAD, at(now), SeenInPerson::ServiceCard).unwrap();
    let vouched = Facts { voucher: Some(&other), ..known };
    assert_eq!(step(&vouched, now), Step::Refused(PortalReason::FactorMissing));
}

#[test]
fn rule_e2_the_last_recovery_code_lets_in_and_is_told() {
    let account = active();
    let spent = Factors { recovery: RecoveryCodes::default(), ..totp() };
    let known = Facts { factors: spent, ..facts(Some(&account)) };
    let redeemed = Facts { second: Some(FactorKind::RecoveryCode), ..known };
    let end = done(step(&redeemed, BEGAN));
    assert_eq!(end.second, Second::Given(FactorKind::RecoveryCode));
    assert_eq!(end.notices, [Notice::RecoveryCodes(0)]);
}

#[test]
fn rule_e5_a_lapse_is_told() {
    let account = Account { trained: jiff::civil::date(2025, 2, 1), ..active() };
    let known = Facts { second: Some(FactorKind::Totp), ..facts(Some(&account)) };
    let end = done(step(&known, BEGAN));
    let notice = Notice::TrainingLapsed(jiff::civil::date(2026, 2, 1));
    assert_eq!(end.notices, [notice]);
    assert!(notice.text_vi().contains("01/02/2026"));
    for notice in [Notice::PasswordDays(3), Notice::RecoveryCodes(0), Notice::RecoveryCodes(2)] {
        assert!(notice.text_vi().ends_with('.') && notice.text().ends_with('.'));
    }
}
