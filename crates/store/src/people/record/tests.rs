//! Any person comes back from the document as it went in.

use dancu_domain::moment::DAY_MS;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

use super::*;

const ME: PersonId = PersonId(7);

fn moment() -> impl Strategy<Value = Moment> {
    (0_i64..4_102_444_800_000).prop_map(Moment)
}

fn other() -> impl Strategy<Value = PersonId> {
    (8..u32::MAX).prop_map(PersonId)
}

fn unit() -> impl Strategy<Value = UnitCode> {
    "[A-Z][0-9]{2}\\.[0-9]{3}".prop_map(|text| UnitCode::parse(&text).unwrap())
}

/// A set of which any codes are used.
fn codes() -> impl Strategy<Value = RecoveryCodes> {
    any::<u16>().prop_map(RecoveryCodes::from_bits)
}

fn phase() -> impl Strategy<Value = Phase> {
    let cause = prop::sample::select(vec![
        LockCause::AbnormalUse,
        LockCause::Reported,
        LockCause::Decision,
    ]);
    let lock = (cause, option::of(other()), moment());
    let lock = lock.prop_map(|(cause, by, at)| Lock { cause, by, at });
    let stops = (any::<u8>(), option::of(moment()), option::of(lock));
    let revoked = prop::sample::select(vec![
        RevokeCause::Left,
        RevokeCause::Transferred,
        RevokeCause::Duplicate,
        RevokeCause::Misused,
    ]);
    prop_oneof![
        (other(), moment()).prop_map(|(by, at)| Phase::Invited { by, at }),
        stops.prop_map(|(causes, idle, lock)| {
            Phase::Open(Stops { causes: Causes::from_bits(causes), idle, lock })
        }),
        (revoked, other(), moment(), option::of((other(), moment()))).prop_map(
            |(cause, by, at, confirmed)| {
                Phase::Revoked(Revocation { cause, by, at, confirmed })
            }
        ),
    ]
}

fn account() -> impl Strategy<Value = Account> {
    let class = prop::sample::select(vec![Class::Staff, Class::Administrator, Class::Citizen]);
    let password = option::of((moment(), any::<bool>()));
    (class, any::<u32>(), phase(), password, moment(), moment()).prop_map(
        |(class, epoch, phase, password, used, trained)| Account {
            person: ME,
            class,
            epoch: Epoch(epoch),
            phase,
            password: password.map(|(at, given)| PasswordAge { set_on: at.viet_nam_date(), given }),
            used,
            trained: trained.viet_nam_date(),
        },
    )
}

/// Whatever of some grants may be given together.
fn some_grants() -> impl Strategy<Value = Grants> {
    let scope = prop_oneof![
        Just(Scope::Person),
        unit().prop_map(Scope::Unit),
        unit().prop_map(Scope::Below),
        Just(Scope::All),
    ];
    let days = option::of((moment(), 0_i64..90));
    let grant = (prop::sample::select(Role::ALL), scope, days, option::of(other()));
    vec(grant, 0..6).prop_map(|wanted| {
        wanted.into_iter().fold(Grants::default(), |held, (role, scope, days, in_place_of)| {
            let valid = days.map_or_else(DateRange::default, |(from, length)| DateRange {
                from: Some(from.viet_nam_date()),
                to: Some(from.plus_ms(length * DAY_MS).viet_nam_date()),
            });
            let grant = Grant::new(role, scope, valid, in_place_of);
            grant.and_then(|grant| held.clone().with(grant)).unwrap_or(held)
        })
    })
}

fn passkey() -> impl Strategy<Value = Passkey> {
    let bytes = || vec(any::<u8>(), 0..200);
    (bytes(), ".*", any::<bool>(), bytes(), moment(), option::of(moment())).prop_map(
        |(id, name, security_key, credential, since, last)| Passkey {
            id,
            name,
            security_key,
            credential,
            since,
            last,
        },
    )
}

fn device() -> impl Strategy<Value = KnownDevice> {
    (any::<[u8; 32]>(), ".*", any::<u32>(), any::<u32>(), moment(), option::of(moment())).prop_map(
        |(mark, name, person, epoch, used, mfa)| KnownDevice {
            mark,
            name,
            device: Device { person: PersonId(person), epoch: Epoch(epoch), used, mfa },
        },
    )
}

fn secrets() -> impl Strategy<Value = Secrets> {
    let totp = (vec(any::<u8>(), 0..64), option::of(any::<i64>()), moment());
    let totp = totp.prop_map(|(secret, last, since)| Totp { secret, last: last.map(Step), since });
    let recovery = (vec(any::<[u8; 32]>(), 0..11), codes());
    let recovery = recovery.prop_map(|(codes, left)| Recovery { codes, left });
    let seen = prop::sample::select(vec![
        SeenInPerson::CitizenCard,
        SeenInPerson::ServiceCard,
        SeenInPerson::KnownInPerson,
    ]);
    let voucher = (other(), moment(), seen)
        .prop_map(|(by, at, seen)| Voucher::given(ME, by, at, seen).unwrap());
    (
        option::of(".*"),
        vec(".*", 0..10),
        option::of(totp),
        option::of(recovery),
        vec(passkey(), 0..4),
        vec(device(), 0..5),
        option::of(voucher),
    )
        .prop_map(|(password, history, totp, recovery, passkeys, devices, voucher)| Secrets {
            password,
            history,
            totp,
            recovery,
            passkeys,
            devices,
            voucher,
        })
}

fn person() -> impl Strategy<Value = Person> {
    let login = "[a-zA-Z0-9._@-]{8,60}".prop_map(|text| Login::parse(&text).unwrap());
    let id = option::of((0_u64..1_000_000_000).prop_map(|n| 99_000_000_000 + n));
    let id = id.prop_map(|n| n.and_then(PersonalId::from_number));
    let revision = any::<u32>().prop_map(Revision);
    let whole = (login, ".*", unit(), "[0-9 +]{0,15}", id, account(), some_grants(), secrets());
    (whole, revision).prop_map(|(whole, revision)| {
        let (login, name, unit, phone, personal_id, account, grants, secrets) = whole;
        let id = ME;
        Person { id, login, name, unit, phone, personal_id, account, grants, secrets, revision }
    })
}

fn bytes(person: &Person) -> Vec<u8> {
    postcard::to_stdvec(&PersonRecord::of(person).unwrap()).unwrap()
}

fn read(bytes: &[u8], revision: Revision) -> Option<Person> {
    postcard::from_bytes::<PersonRecord>(bytes).unwrap().person(ME, revision)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_person_comes_back(person in person()) {
        let bytes = bytes(&person);
        let read = read(&bytes, person.revision).unwrap();
        // Debug output tells nothing: a failure names the part that differs.
        prop_assert!(read.account == person.account, "account");
        prop_assert!(read.grants == person.grants, "grants");
        prop_assert!(read.secrets == person.secrets, "secrets");
        prop_assert!(read == person, "person");
        for cut in 0..bytes.len() {
            prop_assert!(postcard::from_bytes::<PersonRecord>(&bytes[..cut]).is_err(), "cut");
        }
    }
}

fn with_grants(grants: Vec<GrantRecord>) -> PersonRecord {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let some = person().new_tree(&mut runner).unwrap().current();
    PersonRecord { grants, ..PersonRecord::of(&some).unwrap() }
}

fn grant(role: u8, unit: &str) -> GrantRecord {
    let scope = ScopeRecord::Unit(UnitCode::parse(unit).unwrap());
    GrantRecord { role, scope, from: None, to: None, in_place_of: None }
}

/// A role that only a later version knows, and one that the tables no longer allow beside the
/// others, give nothing here; a node of this version that writes the document keeps them.
#[test]
fn roles_that_cannot_be_taken_over_give_nothing_and_are_kept() {
    let (officer, integrator) = (Role::Officer as u8, Role::Integrator as u8);
    let stored = || {
        let all = vec![grant(officer, "H26"), grant(250, "H26"), grant(integrator, "H26")];
        with_grants(all)
    };
    let person = stored().person(ME, Revision(3)).unwrap();
    let roles: Vec<_> = person.grants.all().iter().map(|g| g.role).collect();
    assert_eq!(roles, [Role::Officer]);
    let mut saved = PersonRecord::of(&person).unwrap();
    saved.keep_unknown(stored());
    let roles: Vec<_> = saved.grants.iter().map(|g| g.role).collect();
    assert_eq!(roles, [officer, 250, integrator]);
}

#[test]
fn what_does_not_fit_is_no_person() {
    let fine = || with_grants(vec![grant(Role::Officer as u8, "H26")]);
    assert!(fine().person(ME, Revision(1)).is_some());
    let mut bad: Vec<PersonRecord> = (0..5).map(|_| fine()).collect();
    bad[0].account.class = 9;
    bad[1].account.trained = "2026-02-30".into();
    bad[2].account.phase = PhaseRecord::Revoked { cause: 9, by: 1, at: 1, confirmed: None };
    bad[3].grants[0].from = Some("hôm qua".into());
    // A voucher is never the person's own.
    bad[4].secrets.voucher = Some(VoucherRecord { by: ME.0, at: 1, seen: 0 });
    for (n, record) in bad.into_iter().enumerate() {
        assert!(record.person(ME, Revision(1)).is_none(), "{n}");
    }
}
