//! What holds for every person, whatever happens: properties over many roles, accounts, sign-ins,
//! sessions, failures and codes (A4, A6, E1-E6).
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashSet;

use dancu_domain::ids::UnitCode;
use dancu_domain::moment::{DAY_MS, HOUR_MS, Hours, MINUTE_MS, Moment};
use dancu_domain::people::account::{
    Account, Cause, Lock, LockCause, Phase, RevokeCause, Standing,
};
use dancu_domain::people::factors::{
    Device, FactorKind, Factors, Kinds, RecoveryCodes, SeenInPerson, Voucher,
};
use dancu_domain::people::failures::{
    DEVICE_DELAY_MAX_MS, DEVICE_FAILURES_MAX, Failures, Hold, LoginDigest, NETWORK_DELAY_MAX_MS,
    Source,
};
use dancu_domain::people::grants::{Grant, Grants, Scope};
use dancu_domain::people::may::{Actor, Ground, Target, may};
use dancu_domain::people::powers::{Mfa, Power, Shows};
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::roles::{Class, Home, Reach, Role, Sight};
use dancu_domain::people::session::{
    Cause as By, InForce, Key, Look, SESSION_MS, Session, SessionNumber, idle_ms,
};
use dancu_domain::people::sign_in::{Facts, First, Second, Step, next_step};
use dancu_domain::people::totp::{self, STEP_MS, WINDOW};
use dancu_domain::people::{Epoch, MachineTime, PersonId};
use dancu_domain::profile::{DEFAULT_PROFILE, Profile, Profiles};
use dancu_domain::registration::DateRange;
use jiff::civil::{Date, date};
use proptest::prelude::*;

const ME: PersonId = PersonId(7);
const HEAD: PersonId = PersonId(1);
/// 2026-03-02T07:00:00+07:00, a Monday.
const T0: i64 = 1_772_409_600_000;

fn profile() -> Profile {
    Profiles::parse(DEFAULT_PROFILE).unwrap().versions().last().unwrap().clone()
}

fn unit(code: &str) -> UnitCode {
    UnitCode::parse(code).unwrap()
}

fn day(n: u8) -> Date {
    date(2026, 3, 1).saturating_add(jiff::Span::new().days(i64::from(n)))
}

fn scope(reach: Reach, unit_code: &str) -> Scope {
    match reach {
        Reach::Person => Scope::Person,
        Reach::Unit => Scope::Unit(unit(unit_code)),
        Reach::Below => Scope::Below(unit(unit_code)),
        Reach::All => Scope::All,
    }
}

// --- roles ---------------------------------------------------------------------------------------

/// What each role may do, counted: a row that is added or taken away shows up here.
#[test]
fn the_table_of_roles_and_powers() {
    let counts: Vec<_> = Role::ALL.iter().map(|r| (r.row().code, r.powers().count())).collect();
    assert_eq!(
        counts,
        [
            ("officer", 13),
            ("head", 28),
            ("deputy", 27),
            ("focalPoint", 9),
            ("integrator", 14),
            ("operator", 32),
            ("dossierReviewer", 12),
            ("jobPlanApprover", 7),
            ("securityAssessor", 8),
            ("auditor", 9),
            ("independentAuditor", 11),
            ("policeFocalPoint", 8),
            ("sourceOfficer", 8),
            ("recordsClerk", 9),
            ("incidentLead", 9),
            ("support", 6),
            ("citizen", 7),
        ]
    );
}

#[test]
fn rule_a6_who_sees_personal_data() {
    let sees: Vec<_> = Role::ALL
        .iter()
        .filter(|r| r.powers().any(|p| p.row().shows == Shows::Persons))
        .map(|r| r.row().code)
        .collect();
    assert_eq!(
        sees,
        [
            "officer",
            "head",
            "deputy",
            "operator",
            "auditor",
            "independentAuditor",
            "sourceOfficer",
            "recordsClerk",
            "citizen",
        ]
    );
}

/// Administration has the tighter figures of E2 wherever somebody decides over others.
#[test]
fn rule_e2_who_administers() {
    let who: Vec<_> = Role::ALL.iter().filter(|r| r.administers()).map(|r| r.row().code).collect();
    assert_eq!(
        who,
        ["operator", "dossierReviewer", "jobPlanApprover", "securityAssessor", "incidentLead"]
    );
}

#[test]
fn conflicts_are_mutual() {
    for a in Role::ALL {
        assert!(a.stands_beside(*a));
        for b in Role::ALL {
            assert_eq!(a.stands_beside(*b), b.stands_beside(*a), "{a:?} {b:?}");
            let centre = |r: &Role| r.row().home == Home::Centre;
            if (a.audits() && centre(b)) || (a == &Role::Citizen && b != a) {
                assert!(!a.stands_beside(*b), "{a:?} {b:?}");
            }
        }
    }
    assert!(Role::Officer.stands_beside(Role::Head));
    assert!(Role::Operator.stands_beside(Role::IncidentLead));
    assert!(Role::DossierReviewer.stands_beside(Role::JobPlanApprover));
}

fn any_role() -> impl Strategy<Value = Role> {
    (0..Role::ALL.len()).prop_map(|n| Role::ALL[n])
}

prop_compose! {
    /// A grant of any role, as wide as it may be, on some days of a month.
    fn any_grant()(role in any_role(), from in 0u8..30, days in 0u8..30) -> Grant {
        let valid = DateRange { from: Some(day(from)), to: Some(day(from + days)) };
        Grant::new(role, scope(role.row().reach, "H26"), valid, None).unwrap()
    }
}

proptest! {
    /// A6 over every mix of roles that can be given: who holds one of the four never sees.
    #[test]
    fn rule_a6_holds_for_every_mix_of_roles(
        offered in proptest::collection::vec(any_grant(), 0..12),
        on in 0u8..60,
    ) {
        let mut grants = Grants::default();
        for grant in offered {
            grants = match grants.clone().with(grant) {
                Ok(next) => next,
                Err(reason) => {
                    prop_assert_eq!(reason, PortalReason::RolesConflict);
                    grants
                }
            };
        }
        let today = day(on);
        let held: Vec<_> = grants.on(today).map(|g| g.role).collect();
        let never = held.iter().any(|r| r.row().sight == Sight::Never);
        let ground = Ground::parse("Quyết định thanh tra số 12").unwrap();
        let actor = Actor {
            person: ME, grants: &grants, on_account_list: true, fresh: true, ground: Some(&ground),
        };
        let path = [unit("H26.001"), unit("H26")];
        for power in Power::ALL {
            for target in [Target::Unit(&path), Target::Centre, Target::Person(ME)] {
                let given = may(*power, &actor, target, today);
                if let Ok(grant) = &given {
                    prop_assert!(held.contains(&grant.role));
                    prop_assert!(power.row().roles.contains(grant.role));
                    prop_assert!(!(never && power.row().shows == Shows::Persons), "{:?}", power);
                }
                // Without a fresh factor and a ground there is never more than with them.
                let bare = Actor { fresh: false, ground: None, ..actor };
                let less = may(*power, &bare, target, today);
                prop_assert!(less.is_err() || given.is_ok());
                prop_assert!(less.is_err() || power.row().mfa == Mfa::SignIn);
            }
        }
        if held.is_empty() {
            prop_assert_eq!(grants.class(today), Class::Citizen);
        }
    }
}

// --- accounts ------------------------------------------------------------------------------------

#[derive(Clone, Debug)]
enum Event {
    Activate,
    Reinvite,
    Suspend(Cause),
    Resume(Cause),
    Lock,
    Unlock,
    Reenable,
    Revoke,
    Confirm,
    Password,
    Given,
    LoseFactor,
    Train,
    Seen,
    Night,
}

fn any_event() -> impl Strategy<Value = Event> {
    let cause = prop_oneof![
        Just(Cause::Head),
        Just(Cause::Unreviewed),
        Just(Cause::Untrained),
        Just(Cause::Centre)
    ];
    prop_oneof![
        3 => Just(Event::Activate),
        1 => Just(Event::Reinvite),
        2 => cause.clone().prop_map(Event::Suspend),
        3 => cause.prop_map(Event::Resume),
        2 => Just(Event::Lock),
        3 => Just(Event::Unlock),
        3 => Just(Event::Reenable),
        1 => Just(Event::Revoke),
        1 => Just(Event::Confirm),
        1 => Just(Event::Password),
        1 => Just(Event::Given),
        1 => Just(Event::LoseFactor),
        1 => Just(Event::Train),
        3 => Just(Event::Seen),
        3 => Just(Event::Night),
    ]
}

fn happen(account: Account, event: &Event, now: Moment, profile: &Profile) -> Option<Account> {
    let today = now.viet_nam_date();
    let lock = Lock { cause: LockCause::Decision, by: Some(HEAD), at: now };
    match event {
        Event::Activate => account.activate(now, profile).ok(),
        Event::Reinvite => account.reinvite(HEAD, now).ok(),
        Event::Suspend(cause) => account.suspend(*cause).ok(),
        Event::Resume(cause) => account.resume(*cause, HEAD).ok(),
        Event::Lock => account.lock(lock).ok(),
        Event::Unlock => account.unlock(HEAD).ok(),
        Event::Reenable => account.reenable(HEAD, now, profile).ok(),
        Event::Revoke => account.revoke(RevokeCause::Left, HEAD, now).ok(),
        Event::Confirm => account.confirm_revocation(HEAD, now).ok(),
        Event::Password => account.password_changed(today).ok(),
        Event::Given => account.password_given(HEAD, today).ok(),
        Event::LoseFactor => account.factor_lost().ok(),
        Event::Train => account.train(today, now, profile).ok(),
        Event::Seen => Some(account.seen(now)),
        Event::Night => account.aged(now, profile),
    }
}

/// The stops of an account, kept apart as sets by the simplest means.
#[derive(Default)]
struct Model {
    open: bool,
    revoked: bool,
    locked: bool,
    causes: HashSet<&'static str>,
}

impl Model {
    fn follow(&mut self, event: &Event) {
        let name = |cause: &Cause| match cause {
            Cause::Head => "head",
            Cause::Centre => "centre",
            Cause::Unreviewed => "unreviewed",
            Cause::Untrained => "untrained",
        };
        match event {
            Event::Activate => self.open = true,
            Event::Suspend(cause) => {
                self.causes.insert(name(cause));
            }
            Event::Resume(cause) => {
                self.causes.remove(name(cause));
            }
            Event::Train => {
                self.causes.remove("untrained");
            }
            Event::Lock => self.locked = true,
            Event::Unlock => self.locked = false,
            Event::Revoke => self.revoked = true,
            _ => {}
        }
    }
}

proptest! {
    /// No path opens what is stopped: an account is active only where every stop has been ended by
    /// its own act, and whatever stops it makes a new epoch (E2, E3, D6).
    #[test]
    fn no_path_opens_what_is_stopped(
        events in proptest::collection::vec((any_event(), 0i64..30), 1..60),
    ) {
        let profile = profile();
        let mut now = Moment(T0);
        let mut account = Account::invite(ME, Class::Staff, HEAD, now);
        let mut model = Model::default();
        for (event, days) in events {
            now = now.plus_ms(days * DAY_MS);
            let before = account.standing(now, &profile);
            let epoch = account.epoch;
            let Some(next) = happen(account.clone(), &event, now, &profile) else {
                continue;
            };
            model.follow(&event);
            account = next;
            let standing = account.standing(now, &profile);
            prop_assert_eq!(standing == Standing::Revoked, model.revoked);
            if standing == Standing::Active {
                prop_assert!(model.open && !model.locked && model.causes.is_empty());
                prop_assert!(!account.is_idle(now, &profile));
            }
            if before == Standing::Active && standing != Standing::Active {
                prop_assert_ne!(account.epoch, epoch, "{:?} ended nothing", event);
            }
            if before == Standing::Disabled && standing == Standing::Active {
                prop_assert!(matches!(event, Event::Reenable | Event::Seen), "{:?}", event);
            }
            // What the night would write down changes no answer.
            if let Some(aged) = account.aged(now, &profile) {
                prop_assert_eq!(aged.standing(now, &profile), standing);
            }
        }
    }
}

/// Once the night has written it down, use does not end idleness.
#[test]
fn rule_e2_idleness_that_was_written_down_ends_by_the_head_only() {
    let profile = profile();
    let begun = Moment(T0);
    let account = Account::invite(ME, Class::Staff, HEAD, begun);
    let account = account.activate(begun, &profile).unwrap();
    let late = begun.plus_ms(46 * DAY_MS);
    let aged = account.aged(late, &profile).unwrap();
    assert_eq!(aged.clone().seen(late).standing(late, &profile), Standing::Disabled);
    assert!(matches!(&aged.phase, Phase::Open(stops) if stops.idle == Some(late)));
}

// --- sign-in -------------------------------------------------------------------------------------

fn any_first() -> impl Strategy<Value = First> {
    prop_oneof![
        Just(First::Nothing),
        Just(First::Wrong),
        Just(First::Password),
        Just(First::Passkey),
        any::<bool>().prop_map(|strong| First::Identity { strong }),
    ]
}

fn any_kinds() -> impl Strategy<Value = Kinds> {
    (0u8..8).prop_map(|bits| {
        let some = FactorKind::ALL.into_iter().enumerate().filter(|(n, _)| bits & (1 << n) != 0);
        some.fold(Kinds::NONE, |set, (_, kind)| set.with(kind))
    })
}

fn any_second() -> impl Strategy<Value = Option<FactorKind>> {
    proptest::option::of((0..4usize).prop_map(|n| FactorKind::ALL[n]))
}

proptest! {
    /// Nobody is let in without two factors, on any path; and an enrolment offers one that needs
    /// no phone (E2).
    #[test]
    fn nobody_gets_in_with_one_factor(
        first in any_first(),
        second in any_second(),
        enrolled in any_kinds(),
        codes in any::<u16>(),
        state in 0u8..6,
        device_mfa in proptest::option::of(-3 * DAY_MS..3 * DAY_MS),
        device_mine in any::<bool>(),
        vouched in proptest::option::of(0..3 * DAY_MS),
        at_ms in 0i64..DAY_MS,
    ) {
        let profile = profile();
        let now = Moment(T0 + 200 * DAY_MS + at_ms);
        let began = now.plus_ms(-10 * DAY_MS);
        let invited = Account::invite(ME, Class::Staff, HEAD, now.plus_ms(-DAY_MS));
        let open = Account::invite(ME, Class::Staff, HEAD, began)
            .password_changed(began.viet_nam_date())
            .and_then(|a| a.activate(began, &profile))
            .unwrap();
        let account = match state {
            0 => None,
            1 => Some(invited),
            2 => Some(open.suspend(Cause::Head).unwrap()),
            3 => Some(open.revoke(RevokeCause::Left, HEAD, began).unwrap()),
            _ => Some(open),
        };
        let device = device_mfa.map(|ms| Device {
            person: if device_mine { ME } else { HEAD },
            epoch: account.as_ref().map_or(Epoch(0), |a| a.epoch),
            used: now.plus_ms(-HOUR_MS),
            mfa: Some(now.plus_ms(ms)),
        });
        let seen = SeenInPerson::KnownInPerson;
        let voucher = vouched.map(|ms| Voucher::given(ME, HEAD, now.plus_ms(-ms), seen).unwrap());
        let factors = Factors { enrolled, recovery: RecoveryCodes::from_bits(codes) };
        let facts = Facts {
            account: account.as_ref(), factors, device: device.as_ref(),
            voucher: voucher.as_ref(), first, second,
        };
        let proved = !matches!(first, First::Nothing | First::Wrong);
        match next_step(&facts, now, &profile) {
            Step::Password => prop_assert_eq!(first, First::Nothing),
            Step::Refused(reason) => {
                let uniform = reason == PortalReason::WrongCredentials;
                prop_assert!(first != First::Nothing);
                prop_assert!(proved || uniform);
            }
            Step::Done(done) => {
                prop_assert!(proved);
                let standing = account.as_ref().unwrap().standing(now, &profile);
                prop_assert!(matches!(standing, Standing::Active | Standing::Invited));
                match done.second {
                    Second::Identity => prop_assert_eq!(first, First::Identity { strong: true }),
                    Second::Given(FactorKind::Passkey) if first == First::Passkey => {}
                    Second::Given(kind) => {
                        prop_assert_eq!(second, Some(kind));
                        prop_assert!(!enrolled.is_empty());
                        let spare = kind == FactorKind::RecoveryCode;
                        prop_assert!(spare || enrolled.contains(kind));
                    }
                    Second::Today => {
                        let mfa = device.and_then(|d| d.mfa).unwrap();
                        prop_assert!(device_mine);
                        prop_assert_eq!(
                            profile.hours.duty(mfa).day, profile.hours.duty(now).day
                        );
                    }
                }
            }
            Step::SecondFactor(kinds) => {
                prop_assert!(proved && !kinds.is_empty());
                prop_assert!(kinds.iter().all(|k| factors.usable().contains(k)));
            }
            Step::Enrol { kinds, by_voucher } => {
                prop_assert!(kinds.iter().any(FactorKind::without_phone));
                prop_assert!(enrolled.is_empty());
                prop_assert_eq!(by_voucher, state != 1);
                prop_assert!(!by_voucher || vouched.is_some_and(|ms| ms < DAY_MS));
            }
            Step::ChangePassword(_) => prop_assert_eq!(first, First::Password),
        }
    }

    /// A working day is a duty day, on weekends and holidays as on others (D1, E2).
    #[test]
    fn one_factor_holds_for_one_duty_day(mfa_ms in 0i64..400 * DAY_MS, later in 0i64..2 * DAY_MS) {
        // Tết Bính Ngọ and the days around it, off by profile, with the weekends.
        let tet = (14..=22).map(|d| date(2026, 2, d)).collect();
        let hours = Hours { from_minute: 420, to_minute: 1080, weekends_off: true, off_days: tet };
        // From 2026-01-01T00:00:00+07:00.
        let mfa = Moment(1_767_200_400_000 + mfa_ms);
        let now = mfa.plus_ms(later);
        let device = Device { person: ME, epoch: Epoch(1), used: mfa, mfa: Some(mfa) };
        // The oracle counts from 07:00 in Viet Nam, which is midnight UTC.
        let same = mfa.0.div_euclid(DAY_MS) == now.0.div_euclid(DAY_MS);
        prop_assert_eq!(device.mfa_today(&hours, now), same);
    }
}

// --- sessions ------------------------------------------------------------------------------------

#[derive(Clone, Debug)]
enum Act {
    Click(i64),
    Poll(i64),
    Unlock(i64, bool),
    Lock,
    NewEpoch,
    Second,
}

fn any_act() -> impl Strategy<Value = Act> {
    let gap = || prop_oneof![0..5 * MINUTE_MS, 0..20 * MINUTE_MS, 0..3 * HOUR_MS];
    prop_oneof![
        8 => gap().prop_map(Act::Click),
        4 => gap().prop_map(Act::Poll),
        4 => (gap(), any::<bool>()).prop_map(|(ms, passkey)| Act::Unlock(ms, passkey)),
        1 => Just(Act::Lock),
        1 => Just(Act::NewEpoch),
        1 => Just(Act::Second),
    ]
}

proptest! {
    /// A screen is open only if the person did something within the idle time, the session is
    /// younger than 12 hours, and it is the person's only one in the present epoch (E2, E3).
    #[test]
    fn an_open_screen_has_a_person_before_it(
        acts in proptest::collection::vec(any_act(), 1..80),
        administrator in any::<bool>(),
    ) {
        let figures = profile().sign_in;
        let class = if administrator { Class::Administrator } else { Class::Staff };
        let account = Account::invite(ME, class, HEAD, Moment(T0));
        let began = MachineTime(T0);
        let mut session =
            Session::begin(SessionNumber(1), &account, began, true, None).session;
        let mut in_force = InForce { epoch: account.epoch, number: SessionNumber(1) };
        let (mut now, mut last, mut alive) = (began, began, true);
        for act in acts {
            let (ms, by) = match act {
                Act::Click(ms) => (ms, By::Person),
                Act::Poll(ms) => (ms, By::Page),
                Act::Unlock(ms, passkey) => {
                    now = now.plus_ms(ms);
                    let key = if passkey { Key::Passkey } else { Key::Password };
                    match session.unlock(key, in_force, now) {
                        Ok(next) => {
                            session = next;
                            last = now;
                        }
                        Err(_) => prop_assert!(!alive || now.since(began) >= SESSION_MS),
                    }
                    continue;
                }
                Act::Lock => {
                    session = session.lock();
                    continue;
                }
                Act::NewEpoch => {
                    in_force.epoch = in_force.epoch.next();
                    alive = false;
                    continue;
                }
                Act::Second => {
                    in_force.number = SessionNumber(2);
                    alive = false;
                    continue;
                }
            };
            now = now.plus_ms(ms);
            match session.request(by, in_force, now, &figures) {
                Look::Open(next) => {
                    prop_assert!(alive && now.since(began) < SESSION_MS);
                    prop_assert!(now.since(last) < idle_ms(class, &figures));
                    prop_assert!(!session.locked);
                    session = next;
                    if by == By::Person {
                        last = now;
                    }
                }
                Look::Locked(next) => {
                    prop_assert!(alive && next.locked);
                    session = next;
                }
                Look::Ended(reason) => {
                    prop_assert!(!alive || now.since(began) >= SESSION_MS);
                    prop_assert!(alive || reason != PortalReason::SessionOver);
                }
            }
        }
    }
}

// --- failures ------------------------------------------------------------------------------------

proptest! {
    /// Whatever strangers do, from wherever and whenever, the person's own device is asked for
    /// nothing and waits for nothing; and nobody anywhere waits longer than the longest delay,
    /// after which the try goes through (C5b).
    #[test]
    fn failing_slows_and_never_locks(
        strangers in proptest::collection::vec(
            (0u64..40, 0i64..20 * MINUTE_MS, any::<bool>()), 1..200,
        ),
        slips in 0u32..4,
        clock_back in 0i64..400 * DAY_MS,
    ) {
        let (login, device) = (LoginDigest(1), Source::Device(5));
        let mut failures = Failures::default();
        let mut now = MachineTime(T0);
        for (network, ms, captcha) in strangers {
            now = now.plus_ms(ms);
            let source = Source::Network(network);
            if let Err(Hold::Wait(wait)) = failures.attempt(login, source, captcha, now) {
                prop_assert!((1..=NETWORK_DELAY_MAX_MS).contains(&wait));
                let after = failures.attempt(login, source, true, now.plus_ms(wait));
                prop_assert!(after.is_ok());
            }
        }
        for _ in 0..slips {
            prop_assert!(failures.attempt(login, device, false, now).is_ok());
        }
        let tried = failures.attempt(login, device, false, now);
        prop_assert!(tried.is_ok());
        failures.succeeded(tried.unwrap(), now);
        // Then the machine's clock is set back.
        now = now.plus_ms(-clock_back);
        for network in 0..40 {
            let source = Source::Network(network);
            match failures.attempt(login, source, true, now) {
                Ok(_) => {}
                Err(Hold::Wait(wait)) => {
                    prop_assert!(wait <= NETWORK_DELAY_MAX_MS);
                    let after = failures.attempt(login, source, true, now.plus_ms(wait));
                    prop_assert!(after.is_ok());
                }
                Err(other) => prop_assert!(false, "{:?}", other),
            }
        }
    }

    /// Two logins with the same history get the same answers: whether one of them exists has no
    /// way in. A third one is not touched by either.
    #[test]
    fn known_and_unknown_logins_are_answered_alike(
        tries in proptest::collection::vec(
            (0u64..3, 0i64..MINUTE_MS, any::<bool>(), any::<bool>()), 1..80,
        ),
    ) {
        let (known, unknown, other) = (LoginDigest(1), LoginDigest(2), LoginDigest(3));
        let mut failures = Failures::default();
        let mut now = MachineTime(T0);
        for (network, ms, captcha, busy) in tries {
            now = now.plus_ms(ms);
            let source = Source::Network(network);
            let a = failures.attempt(known, source, captcha, now);
            let b = failures.attempt(unknown, source, captcha, now);
            prop_assert_eq!(a.as_ref().err(), b.as_ref().err());
            prop_assert_eq!(
                failures.captcha_needed(known, source, now),
                failures.captcha_needed(unknown, source, now)
            );
            if let (true, Ok(a), Ok(b)) = (busy, a, b) {
                failures.withdrawn(a, now);
                failures.withdrawn(b, now);
            }
            let tried = failures.attempt(other, source, false, now);
            prop_assert!(tried.is_ok());
            failures.withdrawn(tried.unwrap(), now);
        }
    }
}

#[test]
fn rule_c5_a_device_waits_a_minute_at_most_until_it_is_forgotten() {
    let (login, device) = (LoginDigest(1), Source::Device(5));
    let mut failures = Failures::default();
    let (mut now, mut tries) = (MachineTime(T0), 0);
    loop {
        match failures.attempt(login, device, false, now) {
            Ok(_) => tries += 1,
            Err(Hold::Wait(wait)) => {
                assert!(wait <= DEVICE_DELAY_MAX_MS);
                now = now.plus_ms(wait);
            }
            Err(hold) => {
                assert_eq!(hold, Hold::ForgetDevice);
                break;
            }
        }
    }
    assert_eq!(tries, DEVICE_FAILURES_MAX);
}

// --- one-time codes ------------------------------------------------------------------------------

proptest! {
    /// No step is accepted twice or outside the window, however the clock moves (E2).
    #[test]
    fn a_step_is_accepted_once(
        codes in proptest::collection::vec((-90_000i64..90_000, -3i64..=3), 1..100),
    ) {
        let mut now = MachineTime(T0);
        let (mut last, mut used) = (None, HashSet::new());
        for (ms, off) in codes {
            now = now.plus_ms(ms);
            let current = now.0.div_euclid(STEP_MS);
            let matched = totp::Step(current + off);
            match totp::accept(last, matched, now) {
                Ok(step) => {
                    prop_assert_eq!(step, matched);
                    prop_assert!(off.abs() <= WINDOW);
                    prop_assert!(used.insert(step));
                    last = Some(step);
                }
                Err(reason) => {
                    prop_assert_eq!(reason, PortalReason::WrongCode);
                    let later = last.is_none_or(|l| matched > l);
                    prop_assert!(off.abs() > WINDOW || !later);
                }
            }
        }
    }
}
