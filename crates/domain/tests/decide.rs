//! Every refusal of `decide`, one by one, over a small registration; quotes are of the rules.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashSet;

use dancu_domain::decide::{Question, Refused, decide, names_too};
use dancu_domain::ids::{
    AccountId, CaseCode, LineId, Login, OfficerCode, PersonalId, PlanId, ProcedureCode, Purpose,
    SystemCode, SystemId, UnitCode,
};
use dancu_domain::lines::{Intent, LineLock, Lines, Row};
use dancu_domain::moment::Moment;
use dancu_domain::outlook::{Outlook, outlook};
use dancu_domain::plans::ClockRange;
use dancu_domain::profile::{DEFAULT_PROFILE, Profile, Profiles};
use dancu_domain::refusal::{Kind, Reason};
use dancu_domain::registration::{
    Account, AccountKind, AccountList, AccountState, Channel, ConnectionState, DateRange, Group,
    Line, Plan, Procedure, Raise, ServiceGrant, SharedOfficer, System,
};
use dancu_domain::service::{Field, FieldSet, Service, ServiceSet, Window};
use jiff::civil::{Date, date};

const OFFICER: AccountId = AccountId(1);
const PORTAL: AccountId = AccountId(2);
const RUN: AccountId = AccountId(3);
const CLERK: AccountId = AccountId(4);
const DEPUTY: AccountId = AccountId(5);
const GRANTED: FieldSet = FieldSet::of(&[
    Field::PersonalId,
    Field::FullName,
    Field::DateOfBirth,
    Field::MaritalStatus,
    Field::Religion,
]);
const OF_PROCEDURE: FieldSet = FieldSet::of(&[
    Field::PersonalId,
    Field::FullName,
    Field::DateOfBirth,
    Field::MaritalStatus,
    Field::BloodGroup,
]);
const PURPOSE: &str = "Đăng ký thường trú";

fn profile() -> Profile {
    Profiles::parse(DEFAULT_PROFILE).unwrap().versions().last().unwrap().clone()
}

fn at(text: &str) -> Moment {
    Moment::parse_rfc3339(text).unwrap()
}

fn days(from: Date, to: Date) -> DateRange {
    DateRange { from: Some(from), to: Some(to) }
}

fn account(id: AccountId, login: &str, kind: AccountKind) -> Account {
    Account {
        daily: 40,
        services: ServiceSet::ALL,
        ..Account::new(id, Login::parse(login).unwrap(), kind)
    }
}

fn accounts() -> Vec<Account> {
    vec![
        Account {
            officer_code: Some(OfficerCode::parse("CB-017").unwrap()),
            citizen_id: Some(PersonalId::parse("099084012345").unwrap()),
            ..account(OFFICER, "NguyenVanA.sttt", AccountKind::Officer)
        },
        account(PORTAL, "HANOI_CONGDVC", AccountKind::System),
        Account { plan: Some(PlanId(7)), ..account(RUN, "kehoach.doisoat", AccountKind::Plan) },
        Account {
            services: ServiceSet::of(&[Service::CitizenVerify]),
            ..account(CLERK, "motcua.01", AccountKind::Officer)
        },
        Account {
            valid: days(date(2026, 3, 2), date(2026, 3, 4)),
            ..account(DEPUTY, "nguoithay.01", AccountKind::Officer)
        },
    ]
}

fn grant(service: Service, line: u32, windows: &[Window]) -> ServiceGrant {
    let mut lines = [None, None];
    for window in windows {
        let id = LineId(line + *window as u32);
        lines[*window as usize] = Some(Line { id, daily: 500, raises: vec![] });
    }
    let ma_tich_hop = service.default_ma_tich_hop().to_owned();
    ServiceGrant { service, ma_tich_hop, fields: GRANTED, lines }
}

fn procedure(code: &str, change: impl FnOnce(&mut Procedure)) -> (ProcedureCode, Procedure) {
    let code = ProcedureCode::parse(code).unwrap();
    let mut procedure = Procedure {
        code: code.clone(),
        purpose: Some(Purpose::parse(PURPOSE).unwrap()),
        services: ServiceSet::ALL,
        fields: OF_PROCEDURE,
        valid: days(date(2026, 1, 1), date(2026, 3, 31)),
        case_required: false,
    };
    change(&mut procedure);
    (code, procedure)
}

fn system() -> System {
    let mut services: [Option<ServiceGrant>; 12] = [const { None }; 12];
    let both = [Window::InHours, Window::OffHours];
    services[Service::CitizenVerify.index()] = Some(grant(Service::CitizenVerify, 10, &both));
    services[Service::CitizenLookup.index()] =
        Some(grant(Service::CitizenLookup, 20, &[Window::InHours]));
    System {
        state: ConnectionState::Live,
        services,
        procedures: hashbrown::HashMap::from([
            procedure("1.004194", |_| ()),
            procedure("1.000001", |p| p.purpose = None),
            procedure("1.000002", |p| {
                p.services = ServiceSet::of(&[Service::CitizenLookup]);
            }),
            procedure("1.000003", |p| p.case_required = true),
        ]),
        accounts: AccountList::new(accounts()),
        plans: vec![Plan {
            id: PlanId(7),
            services: ServiceSet::of(&[Service::CitizenVerify]),
            hours: [None, Some(ClockRange::WHOLE)],
            own_count: Some(300),
            valid: days(date(2026, 3, 1), date(2026, 3, 10)),
        }],
        shared_officers: vec![SharedOfficer {
            value: "dungchung".to_owned(),
            account: PORTAL,
            until: date(2026, 3, 15),
        }],
        ..System::new(
            SystemId(1),
            SystemCode::parse("ONESTOP").unwrap(),
            UnitCode::parse("H26.001").unwrap(),
            Group::State,
        )
    }
}

/// A question that is granted as it stands; each case changes one thing.
#[derive(Clone)]
struct Asked {
    at: Moment,
    channel: Channel,
    service: Service,
    officer: &'static str,
    procedure: &'static str,
    purpose: Option<&'static str>,
    case: Option<&'static str>,
    fields: FieldSet,
}

fn asked() -> Asked {
    Asked {
        at: at("2026-03-02T09:00:00+07:00"),
        channel: Channel::Api,
        service: Service::CitizenVerify,
        officer: "nguyenvana.sttt",
        procedure: "1.004194",
        purpose: None,
        case: None,
        fields: FieldSet::EMPTY,
    }
}

/// What a grant says, without its borrows.
#[derive(PartialEq, Debug)]
struct Granted {
    account: AccountId,
    purpose: String,
    fields: FieldSet,
    plan: Option<PlanId>,
}

fn ask_for(system: &System, a: &Asked) -> Result<(Granted, Intent), Refused> {
    let purpose = a.purpose.map(|p| Purpose::parse(p).unwrap());
    let case = a.case.map(|c| CaseCode::parse(c).unwrap());
    let question = Question {
        at: a.at,
        channel: a.channel,
        service: a.service,
        officer: a.officer,
        procedure: &ProcedureCode::parse(a.procedure).unwrap(),
        purpose: purpose.as_ref(),
        case: case.as_ref(),
        fields: a.fields,
        items: 1,
    };
    let grant = decide(&profile(), system, &question)?;
    let granted = Granted {
        account: grant.account.id,
        purpose: grant.purpose.to_string(),
        fields: grant.fields,
        plan: grant.plan.map(|p| p.id),
    };
    Ok((granted, grant.intent))
}

fn ask(system: &System, a: &Asked) -> Result<Granted, Reason> {
    ask_for(system, a).map(|(granted, _)| granted).map_err(|(reason, _)| reason)
}

fn ask_as(a: &Asked) -> Result<AccountId, Reason> {
    ask(&system(), a).map(|g| g.account)
}

#[test]
fn what_is_registered_is_granted_and_counted_on_its_line() {
    let (granted, intent) = ask_for(&system(), &asked()).unwrap();
    assert_eq!(granted.account, OFFICER);
    assert_eq!((granted.plan, intent.own_plan), (None, None));
    assert_eq!((intent.system, intent.line), (SystemId(1), LineId(10)));
    assert_eq!((intent.limit.count, intent.account_daily, intent.items), (500, 40, 1));
    assert!(!intent.repeat && !intent.unread);
    assert_eq!(intent.duty.window, Window::InHours);

    // D1: "The time of arrival at the gate decides."
    let evening = Asked { at: at("2026-03-02T18:00:00+07:00"), ..asked() };
    assert_eq!(ask_for(&system(), &evening).unwrap().1.line, LineId(11));
    let late = Asked { at: at("2026-03-02T17:59:59.999+07:00"), ..asked() };
    assert_eq!(ask_for(&system(), &late).unwrap().1.line, LineId(10));
}

/// D8: "in force at once, ends by itself".
#[test]
fn rule_d8_a_raise_is_part_of_the_limit_while_it_lasts() {
    let mut s = system();
    let (from, to) = (at("2026-03-02T08:00:00+07:00"), at("2026-03-02T10:00:00+07:00"));
    let approved_at = at("2026-03-02T08:30:00+07:00");
    let line = s.services[Service::CitizenVerify.index()].as_mut().unwrap();
    line.lines[0].as_mut().unwrap().raises.push(Raise { extra: 70, approved_at, from, to });
    let count = |time: &str| {
        let limit = ask_for(&s, &Asked { at: at(time), ..asked() }).unwrap().1.limit;
        (limit.count, limit.raise_began.is_some())
    };
    assert_eq!(count("2026-03-02T08:29:59.999+07:00"), (500, false));
    assert_eq!(count("2026-03-02T08:30:00+07:00"), (570, true));
    assert_eq!(count("2026-03-02T09:59:59.999+07:00"), (570, true));
    assert_eq!(count("2026-03-02T10:00:00+07:00"), (500, true));
}

/// B3: "approved → live → suspended/locked → closed"; contract: "Connection not live: 403, B3".
#[test]
fn rule_b3_only_a_live_connection_asks() {
    for (state, expected) in [
        (ConnectionState::Preparing, Some(Reason::ConnectionNotLive)),
        (ConnectionState::Live, None),
        (ConnectionState::Suspended, Some(Reason::ConnectionNotLive)),
        (ConnectionState::Locked, Some(Reason::ConnectionNotLive)),
        (ConnectionState::Closed, Some(Reason::ConnectionNotLive)),
    ] {
        let system = System { state, ..system() };
        assert_eq!(ask(&system, &asked()).err(), expected, "{state:?}");
    }
    // Nothing else is looked at, and no account is named, while the connection is not live.
    let closed = System { state: ConnectionState::Closed, ..system() };
    let wrong = Asked { officer: "ai.do.khac", channel: Channel::Sms, ..asked() };
    assert_eq!(ask_for(&closed, &wrong).unwrap_err(), (Reason::ConnectionNotLive, None));
}

/// A2: "Default: 1: API, portals, one-stop systems, written request, national document exchange
/// axis; 2: portals, written request, API on approval; 3: own data only, by portal, SMS, written
/// request; 4: written request. … an approved exception per unit is possible."
#[test]
fn rule_a2_group_by_channel() {
    use Channel::{Api, DocumentAxis, OneStop, Portal, Sms, WrittenRequest};
    let all = [Api, Portal, OneStop, WrittenRequest, DocumentAxis, Sms];
    for (group, allowed) in [
        (Group::State, &[Api, Portal, OneStop, WrittenRequest, DocumentAxis][..]),
        (Group::PublicService, &[Portal, WrittenRequest]),
        (Group::Citizen, &[Portal, Sms, WrittenRequest]),
        (Group::Other, &[WrittenRequest]),
    ] {
        for channel in all {
            let system = System { group, ..system() };
            let expected = (!allowed.contains(&channel)).then_some(Reason::ChannelNotAllowed);
            let a = Asked { channel, ..asked() };
            assert_eq!(ask(&system, &a).err(), expected, "{group:?} {channel:?}");

            let excepted = System { channel_exceptions: vec![channel], ..system };
            assert_eq!(ask(&excepted, &a).err(), None, "{group:?} {channel:?} by exception");
        }
    }
    // An exception is for its channel only.
    let bank =
        System { group: Group::PublicService, channel_exceptions: vec![Channel::Api], ..system() };
    let other = Asked { channel: Channel::OneStop, ..asked() };
    assert_eq!(ask(&bank, &other), Err(Reason::ChannelNotAllowed));
}

/// E1: "One officer, one account per system"; B6: logins are "case-insensitive"; wire: an officer
/// is named by login, officer code or citizen id.
#[test]
fn rule_e1_an_account_is_found_by_its_three_names() {
    for officer in ["nguyenvana.sttt", "NguyenVanA.sttt", "NGUYENVANA.STTT"] {
        assert_eq!(ask_as(&Asked { officer, ..asked() }), Ok(OFFICER), "{officer}");
    }
    for officer in ["CB-017", "cb-017", "099084012345"] {
        assert_eq!(ask_as(&Asked { officer, ..asked() }), Ok(OFFICER), "{officer}");
    }
    for officer in ["", "nguyenvana", "nguyenvana.sttt ", "CB-01", "99084012345", "ＣＢ-017"] {
        let got = ask_as(&Asked { officer, ..asked() });
        assert_eq!(got, Err(Reason::AccountUnknown), "{officer:?}");
    }
}

/// A login wins over another's officer code, and that over a citizen id: one name, one account.
#[test]
fn rule_e1_a_name_means_one_account() {
    let id = "099084012345";
    let login = Account {
        officer_code: Some(OfficerCode::parse("nguyenvana.sttt").unwrap()),
        ..account(AccountId(8), id, AccountKind::Officer)
    };
    let mut list = vec![login];
    list.extend(accounts());
    let system = System { accounts: AccountList::new(list), ..system() };
    let who = |officer| ask(&system, &Asked { officer, ..asked() }).unwrap().account;
    assert_eq!(who(id), AccountId(8));
    assert_eq!(who("nguyenvana.sttt"), OFFICER);
}

/// Contract: "Unknown, foreign or dead account: 403, E1 (005), the three indistinguishable."
#[test]
fn rule_e1_unknown_foreign_and_dead_accounts_look_alike() {
    let unknown = ask_for(&system(), &Asked { officer: "khongcoai.01", ..asked() }).unwrap_err();
    assert_eq!(unknown, (Reason::AccountUnknown, None));

    // Foreign: registered for another system only.
    let elsewhere = vec![account(AccountId(9), "donvikhac.01", AccountKind::Officer)];
    let other = System { id: SystemId(2), accounts: AccountList::new(elsewhere), ..system() };
    let foreign = Asked { officer: "donvikhac.01", ..asked() };
    assert!(ask(&other, &foreign).is_ok());
    assert_eq!(ask_for(&system(), &foreign).unwrap_err(), unknown);

    for state in [AccountState::Suspended, AccountState::Locked, AccountState::Revoked] {
        let list = accounts().into_iter().map(|a| Account { state, ..a }).collect();
        let system = System { accounts: AccountList::new(list), ..system() };
        for officer in ["nguyenvana.sttt", "CB-017", "099084012345"] {
            let dead = ask_for(&system, &Asked { officer, ..asked() }).unwrap_err();
            assert_eq!(dead, unknown, "{state:?} {officer}");
        }
    }
    let text = unknown.0.text();
    assert_eq!((text.rule.code(), text.kind, text.soap_code), ("E1", Kind::Forbidden, "005"));
}

/// E3: "Deputies and substitutes with dates", the first and the last day inclusive, in Viet Nam.
#[test]
fn rule_e3_a_deputy_asks_on_the_days_named() {
    for (time, expected) in [
        ("2026-03-01T23:59:59.999+07:00", Err(Reason::AccountUnknown)),
        ("2026-03-02T00:00:00+07:00", Ok(DEPUTY)),
        ("2026-03-04T23:59:59.999+07:00", Ok(DEPUTY)),
        ("2026-03-05T00:00:00+07:00", Err(Reason::AccountUnknown)),
    ] {
        let a = Asked { officer: "nguoithay.01", at: at(time), ..asked() };
        assert_eq!(ask_as(&a), expected, "{time}");
    }
}

/// E1: "Older clients that send one shared MaCanBo may be mapped to a system account until a
/// stated date, verify only."
#[test]
fn rule_e1_a_shared_officer_verifies_until_its_date() {
    let shared = Asked { officer: "DungChung", ..asked() };
    for (time, expected) in [
        ("2026-03-15T09:00:00+07:00", Ok(PORTAL)),
        ("2026-03-15T23:59:59.999+07:00", Ok(PORTAL)),
        ("2026-03-16T00:00:00+07:00", Err(Reason::AccountUnknown)),
    ] {
        assert_eq!(ask_as(&Asked { at: at(time), ..shared.clone() }), expected, "{time}");
    }
    let lookup = Asked { service: Service::CitizenLookup, ..shared.clone() };
    assert_eq!(ask_as(&lookup), Err(Reason::AccountUnknown));

    // It stands for a live account of the system, or for nobody.
    let without = System { accounts: AccountList::new(vec![]), ..system() };
    assert_eq!(ask(&without, &shared), Err(Reason::AccountUnknown));
    let dead = accounts().into_iter().map(|a| Account { state: AccountState::Locked, ..a });
    let locked = System { accounts: AccountList::new(dead.collect()), ..system() };
    assert_eq!(ask(&locked, &shared), Err(Reason::AccountUnknown));

    // An account that bears the shared value as its login is asked itself, also when dead.
    let mut own = account(AccountId(8), "dungchung", AccountKind::Officer);
    let named = |own: Account| System {
        accounts: AccountList::new(accounts().into_iter().chain([own]).collect()),
        ..system()
    };
    assert_eq!(ask(&named(own.clone()), &shared).unwrap().account, AccountId(8));
    own.state = AccountState::Revoked;
    assert_eq!(ask(&named(own), &shared), Err(Reason::AccountUnknown));
}

/// B6: "System account (e.g. HANOI_CONGDVC): for sign-up checks, verify services only".
#[test]
fn rule_b6_a_system_account_only_verifies() {
    let whole = |service| {
        let mut services = system().services;
        services[service as usize] = Some(grant(service, 30, &[Window::InHours]));
        System { services, ..system() }
    };
    let may = [
        Service::CitizenVerify,
        Service::RelationVerify,
        Service::ResidenceVerify,
        Service::MaritalVerify,
        Service::VitalStatusVerify,
    ];
    for service in Service::ALL {
        let a = Asked { officer: "hanoi_congdvc", service, ..asked() };
        let expected = if may.contains(&service) {
            Ok(PORTAL)
        } else {
            Err(Reason::SystemAccountVerifiesOnly)
        };
        assert_eq!(ask(&whole(service), &a).map(|g| g.account), expected, "{service:?}");
    }
}

/// E1: "with the functions of the task".
#[test]
fn rule_e1_an_officer_has_the_functions_of_the_task() {
    let clerk = Asked { officer: "motcua.01", ..asked() };
    assert_eq!(ask_as(&clerk), Ok(CLERK));
    let lookup = Asked { service: Service::CitizenLookup, ..clerk };
    let refused = ask_for(&system(), &lookup).unwrap_err();
    assert_eq!(refused, (Reason::AccountWithoutService, Some(CLERK)));
}

/// A4: "Grants are per field and start empty; a field needs purpose and procedure"; contract:
/// "Not granted service or field: 403, A4 (SOAP detail code 004)".
#[test]
fn rule_a4_service_and_fields() {
    let household = Asked { service: Service::HouseholdLookup, ..asked() };
    let refused = ask_for(&system(), &household).unwrap_err();
    assert_eq!(refused, (Reason::ServiceNotGranted, Some(OFFICER)));

    // Answered: what the system and the procedure both may see.
    let granted = ask(&system(), &asked()).unwrap().fields;
    assert_eq!(granted, GRANTED.and(OF_PROCEDURE));
    for field in Field::ALL {
        let a = Asked { fields: FieldSet::of(&[Field::FullName, *field]), ..asked() };
        let expected = (!granted.contains(*field)).then_some(Reason::FieldNotGranted);
        assert_eq!(ask(&system(), &a).err(), expected, "{field:?}");
    }
    assert!(!granted.contains(Field::Religion), "granted to the system, not to the procedure");
    assert!(!granted.contains(Field::BloodGroup), "of the procedure, not granted to the system");

    // A new grant has no field: nothing can be claimed and nothing is answered.
    let mut services = system().services;
    services[0].as_mut().unwrap().fields = FieldSet::default();
    let fresh = System { services, ..system() };
    assert_eq!(ask(&fresh, &asked()).unwrap().fields, FieldSet::EMPTY);
    let claim = Asked { fields: FieldSet::of(&[Field::FullName]), ..asked() };
    assert_eq!(ask(&fresh, &claim), Err(Reason::FieldNotGranted));
    for reason in [Reason::ServiceNotGranted, Reason::FieldNotGranted] {
        let text = reason.text();
        assert_eq!((text.rule.code(), text.kind, text.soap_code), ("A4", Kind::Forbidden, "004"));
    }
}

/// A5: "Each query serves a registered purpose: stated by the caller (REST, portal) or derived
/// from the registered procedure → purpose table (SOAP, LGSP; no entry: refused)."
#[test]
fn rule_a5_purpose_stated_derived_wrong_missing() {
    assert_eq!(ask(&system(), &asked()).unwrap().purpose, PURPOSE, "derived");
    let stated = Asked { purpose: Some(PURPOSE), ..asked() };
    assert_eq!(ask(&system(), &stated).unwrap().purpose, PURPOSE, "stated");
    let wrong = Asked { purpose: Some("Thu hồi nợ"), ..asked() };
    let refused = ask_for(&system(), &wrong).unwrap_err();
    assert_eq!(refused, (Reason::PurposeNotRegistered, Some(OFFICER)));
    for purpose in [None, Some(PURPOSE)] {
        let missing = Asked { procedure: "1.000001", purpose, ..asked() };
        assert_eq!(ask(&system(), &missing), Err(Reason::ProcedureWithoutPurpose));
    }
    assert_eq!(Reason::ProcedureWithoutPurpose.rule().code(), "A5");
    assert_eq!(Reason::PurposeNotRegistered.rule().code(), "A5");
}

/// A5: "The case code is required where the registration says so".
#[test]
fn rule_a5_case_code_where_required() {
    let without = Asked { procedure: "1.000003", ..asked() };
    assert_eq!(ask(&system(), &without), Err(Reason::CaseCodeMissing));
    assert_eq!(Reason::CaseCodeMissing.text().kind, Kind::Input);
    let with = Asked { case: Some("H26.001/2026-03_17"), ..without };
    assert!(ask(&system(), &with).is_ok());
    // Where it is not required it may be missing.
    assert!(ask(&system(), &asked()).is_ok());
}

/// B10: "dated procedure codes, the services and fields each may use"; contract: "Procedure
/// without purpose or service: 403, A5 or B10 (004)".
#[test]
fn rule_b10_procedures_are_known_dated_and_limited() {
    let unknown = Asked { procedure: "9.999999", ..asked() };
    assert_eq!(ask(&system(), &unknown), Err(Reason::ProcedureUnknown));
    for (time, expected) in [
        ("2025-12-31T23:59:59.999+07:00", Some(Reason::ProcedureUnknown)),
        ("2026-01-01T00:00:00+07:00", None),
        ("2026-03-31T23:59:59.999+07:00", None),
        ("2026-04-01T00:00:00+07:00", Some(Reason::ProcedureUnknown)),
    ] {
        let a = Asked { at: at(time), ..asked() };
        assert_eq!(ask(&system(), &a).err(), expected, "{time}");
    }
    let other = Asked { procedure: "1.000002", ..asked() };
    assert_eq!(ask(&system(), &other), Err(Reason::ProcedureWithoutService));
    assert!(ask(&system(), &Asked { service: Service::CitizenLookup, ..other }).is_ok());
}

/// B5: "two tables, in hours and off hours: service, daily count, purpose" - a service that stands
/// in one only is not registered for the other.
#[test]
fn rule_b5_a_window_without_a_line() {
    let lookup = Asked { service: Service::CitizenLookup, ..asked() };
    for (time, expected) in [
        ("2026-03-02T06:59:59.999+07:00", Some(Reason::WindowNotRegistered)),
        ("2026-03-02T07:00:00+07:00", None),
        ("2026-03-02T17:59:59.999+07:00", None),
        ("2026-03-02T18:00:00+07:00", Some(Reason::WindowNotRegistered)),
    ] {
        let a = Asked { at: at(time), ..lookup.clone() };
        assert_eq!(ask(&system(), &a).err(), expected, "{time}");
    }
}

/// D5: "job plan: system, service, window, count, contact, purpose … Automation without a plan is
/// abnormal." D4: "an agreed job plan has its own count outside it."
#[test]
fn rule_d5_a_run_needs_a_plan_that_covers_it() {
    let run = Asked { officer: "kehoach.doisoat", at: at("2026-03-02T20:00:00+07:00"), ..asked() };
    let (granted, intent) = ask_for(&system(), &run).unwrap();
    assert_eq!((granted.account, granted.plan), (RUN, Some(PlanId(7))));
    assert_eq!(intent.own_plan, Some((PlanId(7), 300)));
    let uncovered = Err(Reason::PlanDoesNotCover);

    // Window: off hours only. Service: verify only.
    let by_day = Asked { at: at("2026-03-02T09:00:00+07:00"), ..run.clone() };
    assert_eq!(ask_as(&by_day), uncovered);
    let lookup = Asked { service: Service::CitizenLookup, ..run.clone() };
    assert_eq!(ask_as(&lookup), uncovered);
    // Days: an off-hours window belongs to the date it began on (D1).
    for (time, expected) in [
        ("2026-03-01T06:59:59.999+07:00", uncovered),
        ("2026-03-01T18:00:00+07:00", Ok(RUN)),
        ("2026-03-11T06:59:59.999+07:00", Ok(RUN)),
        ("2026-03-11T18:00:00+07:00", uncovered),
    ] {
        assert_eq!(ask_as(&Asked { at: at(time), ..run.clone() }), expected, "{time}");
    }
    // Another's plan covers nobody else, and an officer needs none.
    for plan in [None, Some(PlanId(8))] {
        let list = accounts().into_iter().map(|a| Account { plan, ..a }).collect();
        let system = System { accounts: AccountList::new(list), ..system() };
        assert_eq!(ask(&system, &run), Err(Reason::PlanDoesNotCover), "{plan:?}");
    }
    assert_eq!(ask(&system(), &asked()).unwrap().plan, None);

    // Outside its hours a plan covers nothing, though the window is right: 18:00-22:00 here.
    let mut evening = system();
    evening.plans[0].hours = [None, ClockRange::new(11 * 60, 15 * 60)];
    for (time, covered) in
        [("2026-03-02T21:59:59.999+07:00", true), ("2026-03-02T22:00:00+07:00", false)]
    {
        assert_eq!(
            ask(&evening, &Asked { at: at(time), ..run.clone() }).is_ok(),
            covered,
            "{time}"
        );
    }

    // Without a count of its own a plan counts on the ordinary lines.
    let mut system = system();
    system.plans[0].own_count = None;
    system.plans[0].hours = [Some(ClockRange::WHOLE); 2];
    let (granted, intent) = ask_for(&system, &by_day).unwrap();
    assert_eq!((granted.plan, intent.own_plan, intent.line), (Some(PlanId(7)), None, LineId(10)));
}

/// Where several things are wrong, the first in the order of the law is named.
#[test]
fn the_order_of_the_law() {
    let mut system = system();
    system.state = ConnectionState::Suspended;
    system.group = Group::Other;
    let mut a = Asked {
        officer: "khongcoai.01",
        service: Service::HouseholdLookup,
        procedure: "1.000002",
        purpose: Some("Thu hồi nợ"),
        fields: FieldSet::of(&[Field::Religion]),
        at: at("2026-03-02T20:00:00+07:00"),
        ..asked()
    };
    let expect = |system: &System, a: &Asked, reason| assert_eq!(ask(system, a), Err(reason));
    expect(&system, &a, Reason::ConnectionNotLive);
    system.state = ConnectionState::Live;
    expect(&system, &a, Reason::ChannelNotAllowed);
    system.group = Group::State;
    expect(&system, &a, Reason::AccountUnknown);
    a.officer = "motcua.01";
    expect(&system, &a, Reason::ServiceNotGranted);
    a.service = Service::CitizenLookup;
    expect(&system, &a, Reason::AccountWithoutService);
    a.officer = "CB-017";
    expect(&system, &Asked { procedure: "9.9", ..a.clone() }, Reason::ProcedureUnknown);
    let verify = Asked { service: Service::CitizenVerify, ..a.clone() };
    expect(&system, &verify, Reason::ProcedureWithoutService);
    expect(&system, &a, Reason::PurposeNotRegistered);
    a.purpose = None;
    expect(&system, &a, Reason::FieldNotGranted);
    a.fields = FieldSet::EMPTY;
    expect(&system, &a, Reason::WindowNotRegistered);
    a.at = at("2026-03-02T09:00:00+07:00");
    assert!(ask(&system, &a).is_ok());
}

/// The reasons that `decide` can give; the tests above and this list name the same ones.
#[test]
fn every_reason_of_decide_has_a_case() {
    let reasons = [
        Reason::ConnectionNotLive,
        Reason::ChannelNotAllowed,
        Reason::AccountUnknown,
        Reason::ServiceNotGranted,
        Reason::FieldNotGranted,
        Reason::ProcedureUnknown,
        Reason::ProcedureWithoutService,
        Reason::ProcedureWithoutPurpose,
        Reason::PurposeNotRegistered,
        Reason::CaseCodeMissing,
        Reason::SystemAccountVerifiesOnly,
        Reason::AccountWithoutService,
        Reason::WindowNotRegistered,
        Reason::PlanDoesNotCover,
    ];
    let night = at("2026-03-02T20:00:00+07:00");
    let lookup = Asked { service: Service::CitizenLookup, ..asked() };
    let claim = FieldSet::of(&[Field::Religion]);
    let cases = [
        Asked { channel: Channel::Sms, ..asked() },
        Asked { officer: "khongcoai.01", ..asked() },
        Asked { service: Service::HouseholdLookup, ..asked() },
        Asked { fields: claim, ..asked() },
        Asked { procedure: "9.999999", ..asked() },
        Asked { procedure: "1.000002", ..asked() },
        Asked { procedure: "1.000001", ..asked() },
        Asked { purpose: Some("Thu hồi nợ"), ..asked() },
        Asked { procedure: "1.000003", ..asked() },
        Asked { officer: "hanoi_congdvc", ..lookup.clone() },
        Asked { officer: "motcua.01", ..lookup.clone() },
        Asked { at: night, ..lookup },
        Asked { officer: "kehoach.doisoat", ..asked() },
    ];
    let mut reached: HashSet<Reason> =
        cases.iter().map(|a| ask(&system(), a).unwrap_err()).collect();
    let closed = System { state: ConnectionState::Closed, ..system() };
    reached.insert(ask(&closed, &asked()).unwrap_err());
    assert_eq!(reached, HashSet::from(reasons));
}

/// E1: MaCanBo beside TaiKhoan names the same officer, or a shared value in force.
#[test]
fn rule_e1_a_second_name_names_the_same_account() {
    let system = system();
    let on = |day: &str| at(&format!("{day}T09:00:00+07:00"));
    let names = |second: &str, day: &str| names_too(&system, OFFICER, second, on(day));
    assert!(names("NGUYENVANA.sttt", "2026-03-02"));
    let officer = system.accounts.by_id(OFFICER).unwrap();
    if let Some(code) = &officer.officer_code {
        assert!(names(code.as_str(), "2026-03-02"));
    }
    for other in system.accounts.iter().filter(|a| a.id != OFFICER) {
        assert!(!names(other.login.as_str(), "2026-03-02"), "{}", other.login);
    }
    assert!(!names("nobody.here", "2026-03-02"));
    assert!(names("DUNGCHUNG", "2026-03-15"));
    assert!(!names("dungchung", "2026-03-16"));
}

/// A plan for the nights and a line that only a person unlocks: at noon it is the window that
/// refuses, and the job waits for the person all the same.
#[test]
fn rule_d5_a_job_waits_for_an_act_whatever_the_hour() {
    let mut system = system();
    system.plans[0].own_count = None;
    let profiles = Profiles::parse(DEFAULT_PROFILE).unwrap();
    let lock = |until| {
        let since = at("2026-03-02T20:00:00+07:00");
        let lock = LineLock { system: SystemId(1), since, until, connection: false };
        Lines::load([Row::Lock(LineId(11), Some(lock))])
    };
    let ask = |hour: &str, lines: &Lines| {
        let at = at(&format!("2026-03-03T{hour}:00+07:00"));
        let question = Question {
            at,
            channel: Channel::Api,
            service: Service::CitizenVerify,
            officer: "kehoach.doisoat",
            procedure: &ProcedureCode::parse("1.004194").unwrap(),
            purpose: None,
            case: None,
            fields: FieldSet::EMPTY,
            items: 1,
        };
        match outlook(&profiles, lines, &system, &question) {
            Outlook::Open(_) => "open".to_owned(),
            Outlook::Waits { reason, until } => format!("{reason:?} {}", until.is_some()),
            Outlook::Never(reason) => format!("never {reason:?}"),
        }
    };
    assert_eq!(ask("12:00", &Lines::load([])), "PlanDoesNotCover true");
    assert_eq!(ask("20:00", &Lines::load([])), "open");
    let locked = lock(None);
    assert_eq!(ask("20:00", &locked), "LineLocked false");
    assert_eq!(ask("12:00", &locked), "LineLocked false");
}
