//! What a file or a form may say of a list, without a store.

use dancu_domain::ids::{AccountId, Login, OfficerCode, PersonalId};
use dancu_domain::moment::DutyDay;
use dancu_domain::profile::{DEFAULT_PROFILE, Profiles};
use dancu_domain::registration::{Account, AccountKind, AccountState};
use dancu_domain::service::ServiceSet;
use dancu_store::policy::accounts::Listed;

use super::check::{DAILY_MAX, Effect, Faults, Wrong, plan, read};
use super::working_days;
use dancu_papers::sheet::{Column, Raw, Row};

const LOGINS: std::ops::RangeInclusive<usize> = 8..=60;

fn listed(id: u32, login: &str, personal_id: Option<&str>, state: AccountState) -> Listed {
    Listed {
        account: Account {
            state,
            daily: 100,
            services: ServiceSet::ALL,
            officer_code: Some(OfficerCode::parse(&format!("CB{id}")).unwrap()),
            citizen_id: personal_id.map(|text| PersonalId::parse(text).unwrap()),
            ..Account::new(AccountId(id), Login::parse(login).unwrap(), AccountKind::Officer)
        },
        full_name: "Trần Văn Thử".into(),
        phone: "0900000001".into(),
    }
}

fn row(line: u32, login: &str, personal_id: &str, code: &str) -> Row {
    let raw = Raw::default()
        .with(Column::Login, login)
        .with(Column::Name, "Trần Văn Thử")
        .with(Column::PersonalId, personal_id)
        .with(Column::OfficerCode, code)
        .with(Column::Phone, "0900000001")
        .with(Column::Daily, "100");
    Row { line, raw, formulas: vec![] }
}

fn wrong(effect: &Effect) -> &Faults {
    match effect {
        Effect::Wrong(faults) => faults,
        other => panic!("{other:?}"),
    }
}

#[test]
fn rule_b6_values_of_an_account() {
    let good = row(1, "onestop.canbo1", "099 301 012 345", "CB-1").raw;
    let read_it = |column, text: &str| read(&good.clone().with(column, text), &LOGINS);
    let wanted = read(&good, &LOGINS).unwrap();
    assert_eq!((wanted.daily, wanted.phone.as_str()), (100, "0900000001"));
    assert_eq!(format!("{wanted:?}"), "Wanted(***)");
    let faults = [
        (Column::Login, "", Wrong::Missing),
        (Column::Login, "short", Wrong::LoginLength(8, 60)),
        (Column::Login, "cán.bộ.một", Wrong::LoginCharacters),
        (Column::Login, "<script>alert", Wrong::LoginCharacters),
        (Column::Name, "", Wrong::Missing),
        (Column::Name, "Robert'); DROP TABLE account;--", Wrong::Name),
        (Column::Name, "=1+1", Wrong::Name),
        (Column::PersonalId, "12345678901", Wrong::PersonalId),
        (Column::OfficerCode, "123456789012345678901", Wrong::OfficerCode),
        (Column::Phone, "gọi sau", Wrong::Phone),
        (Column::Phone, "123456", Wrong::Phone),
        (Column::Daily, "", Wrong::Missing),
        (Column::Daily, "0", Wrong::Daily),
        (Column::Daily, "-5", Wrong::Daily),
        (Column::Daily, "12,5", Wrong::Daily),
        (Column::Daily, "99999", Wrong::Daily),
    ];
    for (column, text, expected) in faults {
        assert_eq!(read_it(column, text).unwrap_err(), [(column, expected)], "{text}");
    }
    assert_eq!(read_it(Column::Daily, "1.250").unwrap().daily, 1_250);
    assert_eq!(read_it(Column::Daily, &DAILY_MAX.to_string()).unwrap().daily, DAILY_MAX);
    assert_eq!(read_it(Column::Phone, "+84 (900) 000-001").unwrap().phone, "+84900000001");
    let all = read(&Raw::default(), &LOGINS).unwrap_err();
    assert_eq!(
        all.iter().map(|f| f.0).collect::<Vec<_>>(),
        [Column::Login, Column::Name, Column::Daily]
    );
}

#[test]
fn rule_e1_one_officer_one_account() {
    let live = AccountState::Live;
    let known = [
        listed(1, "onestop.canbo1", Some("099301012341"), live),
        listed(2, "onestop.canbo2", Some("099301012342"), live),
        listed(3, "onestop.canbo3", Some("099301012343"), AccountState::Revoked),
        Listed {
            account: Account {
                kind: AccountKind::System,
                ..listed(4, "onestop.cong", None, live).account
            },
            ..listed(4, "onestop.cong", None, live)
        },
    ];
    let rows = [
        row(10, "ONESTOP.canbo1", "", "CB1"),
        row(11, "onestop.canbo2", "099301012349", "CB2"),
        row(12, "onestop.canbo9", "099301012343", ""),
        row(13, "onestop.canbo8", "099301012341", ""),
        row(14, "onestop.canbo3", "099301012344", ""),
        row(15, "onestop.cong", "099301012345", ""),
        row(16, "onestop.canbo7", "", ""),
        row(17, "onestop.canbo6", "099301012346", "onestop.canbo2"),
        row(18, "OneStop.Canbo9", "099301012347", ""),
    ];
    let effects = plan(&rows, &known, &LOGINS);
    assert!(matches!(effects[0], Effect::Same(AccountId(1))), "the id that is stored stays");
    assert!(matches!(effects[1], Effect::Change(AccountId(2), _)));
    // Whoever left may come back with a new account: the revoked one does not count.
    assert!(matches!(&effects[2], Effect::Add(w) if w.login.as_str() == "onestop.canbo9"));
    assert_eq!(*wrong(&effects[3]), [(Column::PersonalId, Wrong::PersonalIdTaken)]);
    assert_eq!(*wrong(&effects[4]), [(Column::Login, Wrong::LoginRevoked)]);
    assert_eq!(*wrong(&effects[5]), [(Column::Login, Wrong::LoginNotOfficer)]);
    assert_eq!(*wrong(&effects[6]), [(Column::PersonalId, Wrong::Missing)]);
    assert_eq!(*wrong(&effects[7]), [(Column::OfficerCode, Wrong::OfficerCodeTaken)]);
    assert_eq!(*wrong(&effects[8]), [(Column::Login, Wrong::Twice(12))]);
}

#[test]
fn rule_e1_a_new_login_is_nobodys_code() {
    let mut known = [
        listed(1, "onestop.canbo1", Some("099301012341"), AccountState::Live),
        listed(2, "onestop.canbo2", Some("099301012342"), AccountState::Live),
    ];
    known[0].account.officer_code = Some(OfficerCode::parse("Onestop.Canbo8").unwrap());
    let rows = [
        row(10, "onestop.canbo8", "099301012348", ""),
        row(11, "099301012342", "099301012347", ""),
        row(12, "onestop.canbo7", "099301012346", "Onestop.canbo6"),
        row(13, "onestop.canbo6", "099301012345", ""),
    ];
    let effects = plan(&rows, &known, &LOGINS);
    for taken in &effects[..2] {
        assert_eq!(*wrong(taken), [(Column::Login, Wrong::LoginIsCode)]);
    }
    assert_eq!(*wrong(&effects[2]), [(Column::OfficerCode, Wrong::OfficerCodeTaken)]);
    assert!(matches!(effects[3], Effect::Add(_)));
    // Whose code it was may give it up in the same file; who has left is called by none.
    let rows = [&rows[..1], &[row(14, "onestop.canbo1", "", "CB1")]].concat();
    let effects = plan(&rows, &known, &LOGINS);
    assert!(matches!((&effects[0], &effects[1]), (Effect::Add(_), Effect::Change(..))));
    known[0].account.state = AccountState::Revoked;
    assert!(matches!(plan(&rows[..1], &known, &LOGINS)[..], [Effect::Add(_)]));
}

#[test]
fn what_comes_twice_is_told_with_its_row() {
    let rows =
        [row(2, "canbo.mot", "099301012341", "A1"), row(3, "canbo.hai", "099301012341", "a1")];
    let effects = plan(&rows, &[], &LOGINS);
    assert!(matches!(effects[0], Effect::Add(_)));
    assert_eq!(
        *wrong(&effects[1]),
        [(Column::PersonalId, Wrong::Twice(2)), (Column::OfficerCode, Wrong::Twice(2))]
    );
    let mut formula = row(4, "canbo.ba1", "099301012349", "");
    formula.raw = formula.raw.with(Column::Daily, "");
    formula.formulas = vec![(Column::Daily, "G4".into())];
    let effects = plan(&[formula], &[], &LOGINS);
    assert_eq!(*wrong(&effects[0]), [(Column::Daily, Wrong::Formula("G4".into()))]);
    for (_, fault) in wrong(&effects[0]) {
        let (vi, en) = fault.sentence();
        assert!(vi.contains("G4") && en.contains("G4"));
    }
}

#[test]
fn five_thousand_rows_take_no_time() {
    let rows: Vec<Row> = (0..5_000_u32)
        .map(|n| row(n, &format!("canbo.{n:06}"), &format!("0993010{n:05}"), ""))
        .collect();
    let known: Vec<Listed> =
        (0..5_000).map(|n| listed(n, &format!("canbo.{n:06}"), None, AccountState::Live)).collect();
    let effects = plan(&rows, &known, &LOGINS);
    assert!(effects.iter().all(|e| matches!(e, Effect::Change(..))));
}

#[test]
fn means_are_of_working_days() {
    let profiles = Profiles::parse(DEFAULT_PROFILE).unwrap();
    let hours = &profiles.versions()[0].hours;
    // 2026-03-02 is a Monday.
    let monday = DutyDay(20_514);
    assert_eq!(monday.date(), jiff::civil::date(2026, 3, 2));
    let days = working_days(hours, monday, 6);
    let dates: Vec<i8> = days.iter().map(|d| d.date().day()).collect();
    assert_eq!(dates, [27, 26, 25, 24, 23, 20]);
}
