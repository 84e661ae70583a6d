//! Every transition of an account, and the edges of its days.

use super::*;
use crate::profile::{DEFAULT_PROFILE, Profiles};
use jiff::civil::date;

const ME: PersonId = PersonId(7);
const HEAD: PersonId = PersonId(1);

fn at(text: &str) -> Moment {
    Moment::parse_rfc3339(text).unwrap()
}

fn profile() -> Profile {
    Profiles::parse(DEFAULT_PROFILE).unwrap().versions().last().unwrap().clone()
}

fn suspending() -> Profile {
    let text = DEFAULT_PROFILE.replace("trainingLapse = \"warn\"", "trainingLapse = \"suspend\"");
    Profiles::parse(&text).unwrap().versions().last().unwrap().clone()
}

const BEGAN: &str = "2026-03-02T08:00:00+07:00";

fn active() -> Account {
    let invited = Account::invite(ME, Class::Staff, HEAD, at(BEGAN));
    let changed = invited.password_changed(at(BEGAN).viet_nam_date()).unwrap();
    changed.activate(at(BEGAN), &profile()).unwrap()
}

fn lock() -> Lock {
    Lock { cause: LockCause::AbnormalUse, by: None, at: at(BEGAN) }
}

#[test]
fn rule_e2_from_invitation_to_use() {
    let invited = Account::invite(ME, Class::Staff, HEAD, at(BEGAN));
    assert!(invited.password.unwrap().given);
    assert_eq!(invited.standing(at(BEGAN), &profile()), Standing::Invited);
    let late = at(BEGAN).plus_ms(INVITATION_MS);
    assert_eq!(invited.standing(late.plus_ms(-1), &profile()), Standing::Invited);
    assert_eq!(invited.standing(late, &profile()), Standing::InvitationExpired);
    let refused = invited.clone().activate(late, &profile());
    assert_eq!(refused, Err(InvalidTransition::State(Act::Activate)));
    let again = invited.clone().reinvite(HEAD, late).unwrap();
    assert_eq!(again.standing(late, &profile()), Standing::Invited);
    assert_ne!(again.epoch, invited.epoch, "what the old invitation began is dead");
    let withdrawn = invited.clone().withdraw(at(BEGAN)).unwrap();
    assert_eq!(withdrawn.standing(at(BEGAN), &profile()), Standing::InvitationExpired);
    assert!(withdrawn.password.is_none() && withdrawn.epoch != invited.epoch);
    // A sign-in that arrived before and is decided now does not find it open.
    let arrived = at(BEGAN).plus_ms(-30_000);
    assert_eq!(withdrawn.standing(arrived, &profile()), Standing::InvitationExpired);
    let decided = withdrawn.clone().activate(arrived, &profile());
    assert_eq!(decided, Err(InvalidTransition::State(Act::Activate)));
    let twice = withdrawn.clone().withdraw(at(BEGAN));
    assert_eq!(twice, Err(InvalidTransition::State(Act::Withdraw)));
    assert!(withdrawn.reinvite(HEAD, at(BEGAN)).unwrap().password.is_some());
    let open = active();
    assert_eq!(open.clone().withdraw(late), Err(InvalidTransition::State(Act::Withdraw)));
    assert_eq!(open.standing(at(BEGAN), &profile()), Standing::Active);
    assert!(!open.password.unwrap().given);
    let refused = open.clone().reinvite(HEAD, late);
    assert_eq!(refused, Err(InvalidTransition::State(Act::Reinvite)));
    let refused = open.activate(late, &profile());
    assert_eq!(refused, Err(InvalidTransition::State(Act::Activate)));
}

#[test]
fn rule_e2_a_given_password_does_not_outlive_the_first_sign_in() {
    let invited = Account::invite(ME, Class::Staff, HEAD, at(BEGAN));
    // The person came by an electronic identity and never typed it.
    assert_eq!(invited.activate(at(BEGAN), &profile()).unwrap().password, None);
}

#[test]
fn rule_e2_idle_accounts_are_disabled_and_the_head_re_enables() {
    let used = active();
    // 45 whole days without use: 3 March to 16 April.
    for (now, standing) in [
        ("2026-04-16T23:59:59.999+07:00", Standing::Active),
        ("2026-04-17T00:00:00+07:00", Standing::Disabled),
    ] {
        assert_eq!(used.standing(at(now), &profile()), standing, "{now}");
    }
    let now = at("2026-04-17T07:30:00+07:00");
    let disabled = used.aged(now, &profile()).unwrap();
    assert_ne!(disabled.epoch, used.epoch);
    assert_eq!(disabled.aged(now, &profile()), None, "once is enough");
    // Use does not bring it back, the head does; and nobody for themselves.
    let seen = disabled.clone().seen(now);
    assert_eq!(seen.standing(now, &profile()), Standing::Disabled);
    let own = disabled.clone().reenable(ME, now, &profile());
    assert_eq!(own, Err(InvalidTransition::Oneself(Act::Reenable)));
    let back = disabled.reenable(HEAD, now, &profile()).unwrap();
    assert_eq!(back.standing(now, &profile()), Standing::Active);
    let refused = back.reenable(HEAD, now, &profile());
    assert_eq!(refused, Err(InvalidTransition::State(Act::Reenable)));
    // A query by any channel is use; an earlier one that is told late changes nothing.
    let queried = used.clone().seen(at("2026-04-16T12:00:00+07:00"));
    let told_late = queried.seen(at("2026-03-10T12:00:00+07:00"));
    assert_eq!(told_late.standing(now, &profile()), Standing::Active);
    let citizen = Account { class: Class::Citizen, ..used };
    assert_eq!(citizen.standing(at("2036-01-01T00:00:00+07:00"), &profile()), Standing::Active);
}

#[test]
fn rule_e2_idle_days_over_a_leap_day() {
    let used = Account { used: at("2028-02-01T23:59:00+07:00"), ..active() };
    assert!(!used.is_idle(at("2028-03-17T23:59:59+07:00"), &profile()));
    assert!(used.is_idle(at("2028-03-18T00:00:00+07:00"), &profile()));
    let used = Account { used: at("2026-02-01T23:59:00+07:00"), ..used };
    assert!(!used.is_idle(at("2026-03-18T23:59:59+07:00"), &profile()));
    assert!(used.is_idle(at("2026-03-19T00:00:00+07:00"), &profile()));
}

#[test]
fn rule_e5_a_lapse_warns_or_suspends_by_profile() {
    let trained = Account { trained: date(2024, 2, 29), ..active() };
    assert_eq!(trained.trained_until(&profile()), Some(date(2025, 2, 28)));
    let now = at(BEGAN);
    assert!(trained.training_lapsed(now, &profile()));
    assert_eq!(trained.standing(now, &profile()), Standing::Active);
    let stopped = Standing::Suspended(Cause::Untrained);
    assert_eq!(trained.standing(now, &suspending()), stopped);
    let written = trained.aged(now, &suspending()).unwrap();
    assert_eq!(written.standing(now, &profile()), stopped, "a milder profile mends nothing past");
    // An old training does not end it, a new one does, one of tomorrow is none.
    let old = written.clone().train(date(2025, 1, 1), now, &suspending()).unwrap();
    assert_eq!(old.standing(now, &suspending()), stopped);
    let tomorrow = written.clone().train(date(2026, 3, 3), now, &suspending());
    assert_eq!(tomorrow, Err(InvalidTransition::State(Act::Train)));
    let new = written.train(date(2026, 3, 2), now, &suspending()).unwrap();
    assert_eq!(new.standing(now, &suspending()), Standing::Active);
    // The last day is a good day.
    let last = Account { trained: date(2025, 3, 2), ..active() };
    assert!(!last.training_lapsed(at("2026-03-02T23:59:59+07:00"), &profile()));
    assert!(last.training_lapsed(at("2026-03-03T00:00:00+07:00"), &profile()));
}

#[test]
fn stops_are_independent() {
    let now = at(BEGAN);
    let account = active().suspend(Cause::Head).unwrap().suspend(Cause::Unreviewed).unwrap();
    let locked = account.lock(lock()).unwrap();
    assert_eq!(locked.standing(now, &profile()), Standing::Locked);
    let unlocked = locked.unlock(HEAD).unwrap();
    assert_eq!(unlocked.standing(now, &profile()), Standing::Suspended(Cause::Head));
    let reviewed = unlocked.resume(Cause::Head, HEAD).unwrap();
    assert_eq!(reviewed.standing(now, &profile()), Standing::Suspended(Cause::Unreviewed));
    let back = reviewed.resume(Cause::Unreviewed, HEAD).unwrap();
    assert_eq!(back.standing(now, &profile()), Standing::Active);
}

#[test]
fn rule_d6_a_lock_ends_by_a_named_act_of_another() {
    let locked = active().lock(lock()).unwrap();
    let far = at("2027-03-02T08:00:00+07:00");
    assert_eq!(locked.standing(far, &profile()), Standing::Locked, "never by itself");
    assert_eq!(locked.clone().unlock(ME), Err(InvalidTransition::Oneself(Act::Unlock)));
    assert_eq!(locked.clone().lock(lock()), Err(InvalidTransition::State(Act::Lock)));
    let open = locked.unlock(HEAD).unwrap();
    assert_eq!(open.unlock(HEAD), Err(InvalidTransition::State(Act::Unlock)));
}

#[test]
fn rule_e3_revoked_is_final() {
    let now = at(BEGAN);
    let open = active();
    let epoch = open.epoch;
    let own = open.clone().revoke(RevokeCause::Left, ME, now);
    assert_eq!(own, Err(InvalidTransition::Oneself(Act::Revoke)));
    let dead = open.revoke(RevokeCause::Transferred, HEAD, now).unwrap();
    assert_ne!(dead.epoch, epoch);
    assert_eq!(dead.standing(now, &profile()).reason(), Some(PortalReason::WrongCredentials));
    let day = now.viet_nam_date();
    for (act, next) in [
        (Act::Suspend(Cause::Head), dead.clone().suspend(Cause::Head)),
        (Act::Resume(Cause::Head), dead.clone().resume(Cause::Head, HEAD)),
        (Act::Lock, dead.clone().lock(lock())),
        (Act::Unlock, dead.clone().unlock(HEAD)),
        (Act::Reenable, dead.clone().reenable(HEAD, now, &profile())),
        (Act::Revoke, dead.clone().revoke(RevokeCause::Left, HEAD, now)),
        (Act::Reinvite, dead.clone().reinvite(HEAD, now)),
        (Act::Activate, dead.clone().activate(now, &profile())),
        (Act::Password, dead.clone().password_changed(day)),
        (Act::Password, dead.clone().password_given(HEAD, day)),
        (Act::LoseFactor, dead.clone().factor_lost()),
        (Act::Train, dead.clone().train(day, now, &profile())),
        (Act::Rights, dead.clone().rights_changed(Class::Administrator)),
    ] {
        assert_eq!(next, Err(InvalidTransition::State(act)));
    }
    assert_eq!(dead.aged(at("2036-01-01T00:00:00+07:00"), &suspending()), None);
    // The operator of the agency's own software confirms, once.
    let confirmed = dead.confirm_revocation(PersonId(9), now).unwrap();
    let Phase::Revoked(end) = &confirmed.phase else { panic!("{confirmed:?}") };
    assert_eq!(end.confirmed, Some((PersonId(9), now)));
    let twice = confirmed.confirm_revocation(PersonId(9), now);
    assert_eq!(twice, Err(InvalidTransition::State(Act::Confirm)));
    let open = active().confirm_revocation(PersonId(9), now);
    assert_eq!(open, Err(InvalidTransition::State(Act::Confirm)));
}

#[test]
fn rule_e3_what_ends_rights_is_a_new_epoch() {
    let (open, day) = (active(), at(BEGAN).viet_nam_date());
    for next in [
        open.clone().suspend(Cause::Head),
        open.clone().lock(lock()),
        open.clone().revoke(RevokeCause::Left, HEAD, at(BEGAN)),
        open.clone().password_changed(day),
        open.clone().password_given(HEAD, day),
        open.clone().factor_lost(),
        open.clone().rights_changed(Class::Administrator),
    ] {
        assert_ne!(next.unwrap().epoch, open.epoch);
    }
    assert_eq!(open.clone().seen(at(BEGAN)).epoch, open.epoch);
    let reset = open.clone().password_given(HEAD, day).unwrap();
    assert!(reset.password.unwrap().given);
    let own = open.password_given(ME, day);
    assert_eq!(own, Err(InvalidTransition::Oneself(Act::Password)));
}

#[test]
fn causes_read_back() {
    for cause in RevokeCause::ALL {
        assert_eq!(RevokeCause::from_code(cause.code()), Some(cause));
    }
    assert_eq!(RevokeCause::from_code("transfer"), None);
    let all = Causes::default().with(Cause::Head).with(Cause::Untrained);
    assert_eq!(Causes::from_bits(all.bits()), all);
    assert_eq!(Causes::from_bits(0xff).bits(), 0b1111);
    assert_eq!(InvalidTransition::State(Act::Lock).reason(), PortalReason::NotInThisState);
    assert_eq!(InvalidTransition::Oneself(Act::Lock).reason(), PortalReason::OwnRequest);
}
