//! Answers, problems and views of REST, and the document that describes them.

#![expect(clippy::unwrap_used, reason = "a test stops where its ground is missing")]

use std::time::Instant;

use dancu_domain::birth::{BirthDate, Precision};
use dancu_domain::ids::{AccountId, Login, OldId, PersonalId};
use dancu_domain::moment::Moment;
use dancu_domain::name::FullName;
use dancu_domain::person::{
    Address, BloodGroup, Country, Dataset, HouseholdRef, HouseholdRole, MaritalStatus, Person,
    Relative, Sex, Source, Sources, Stamp, VitalStatus,
};
use dancu_domain::refusal::{Reason, Refusal};
use dancu_domain::service::{Field, FieldSet, Service, Window};
use dancu_gate::query::{
    Answer, ClaimResult, CorrelationId, Denied, Disclosed, DisclosedHousehold, FieldError, Reply,
    Usage,
};
use dancu_wire::rest::{
    AccountLabel, AccountUse, ClockView, Endpoint, EntryAnswer, EntryDecision, Health, HttpProblem,
    JSON, JournalEntryView, JournalPage, LineUse, LockView, OauthError, OffHoursTotal,
    PROBLEM_JSON, RefusalView, Rendered, TokenView, UsageView, docs_css, docs_html, errors_html,
    http_problem, openapi, parse, public_reason, render,
};
use jiff::civil::date;
use serde_json::{Value, json};

const ID: CorrelationId = CorrelationId([0xab; 16]);
const HEX: &str = "abababababababababababababababab";

fn reply(result: Result<Answer, Denied>) -> Reply {
    let resets_at = Moment::parse_rfc3339("2026-03-03T07:00:00+07:00").unwrap();
    Reply {
        correlation: ID,
        journal_index: Some(41),
        usage: Some(Usage { remaining: 7, resets_at }),
        result,
    }
}

fn json_of(rendered: &Rendered) -> Value {
    serde_json::from_str(&rendered.body).unwrap()
}

/// The answer without the tail that all of them have.
fn body(endpoint: Endpoint, answer: Answer) -> Value {
    let rendered = render(endpoint, "YC-\"1\"", &reply(Ok(answer)));
    assert_eq!((rendered.status, rendered.content_type), (200, JSON));
    let mut value = json_of(&rendered);
    let object = value.as_object_mut().unwrap();
    assert_eq!(object.remove("requestId"), Some(json!("YC-\"1\"")));
    assert_eq!(object.remove("journal"), Some(json!({"index": 41})));
    assert_eq!(object.remove("correlationId"), Some(json!(HEX)));
    let usage = json!({"remaining": 7, "resetsAt": "2026-03-03T07:00:00+07:00"});
    assert_eq!(object.remove("usage"), Some(usage));
    value
}

fn person() -> Person {
    let relative = Relative {
        full_name: FullName::parse("Nguyễn Văn An").unwrap(),
        personal_id: PersonalId::from_number(99_054_000_001),
        old_id: None,
        nationality: Country::VN,
    };
    let address = Address {
        province: 1,
        commune: 4,
        detail: "Số 12, \"ngõ\" 5".to_owned(),
        country: Country::VN,
        dataset: Dataset::Y2026,
    };
    Person {
        personal_id: PersonalId::from_number(99_184_012_345).unwrap(),
        old_ids: vec![OldId::from_number(99_123_456).unwrap()],
        full_name: FullName::parse("Nguyễn Thị Bình").unwrap(),
        other_name: None,
        birth: BirthDate::Year(1984),
        sex: Sex::Female,
        ethnicity: 1,
        religion: 0,
        nationality: Country::VN,
        marital: MaritalStatus::Single,
        blood: BloodGroup::A,
        birth_place: Some(Address { province: 0, commune: 0, ..address.clone() }),
        birth_registration: None,
        origin: None,
        permanent: Some(address),
        temporary: None,
        current: None,
        father: Some(relative.clone()),
        mother: None,
        spouse: None,
        guardian: None,
        household: Some(HouseholdRef {
            key: 1,
            number: "HK-1".to_owned(),
            role: HouseholdRole::Head,
            head: relative,
        }),
        vital: VitalStatus::Alive,
        sources: Sources {
            default: Stamp { source: Source::CivilStatus, on: date(2025, 1, 1) },
            own: vec![],
        },
    }
}

#[expect(clippy::option_option, reason = "as in the answer: not granted, or missing")]
fn matched(alive: Option<Option<bool>>, precision: Precision) -> Answer {
    Answer::Match { precision, alive, claims: vec![], sources: vec![] }
}

#[test]
fn verify_answers() {
    let verify = |answer| body(Endpoint::Verify, answer);
    assert_eq!(verify(Answer::NoMatch), json!({"result": "noMatch"}));
    assert_eq!(verify(matched(None, Precision::Day)), json!({"result": "match"}));
    let alive = matched(Some(Some(false)), Precision::Year);
    assert_eq!(verify(alive), json!({"result": "match", "alive": false, "precision": "year"}));
    let missing = matched(Some(None), Precision::Day);
    assert_eq!(verify(missing), json!({"result": "match", "alive": null}));
    let claims = Answer::Match {
        precision: Precision::Day,
        alive: Some(Some(true)),
        claims: vec![
            (Field::Sex, ClaimResult::Match),
            (Field::Origin, ClaimResult::Unknown),
            (Field::Spouse, ClaimResult::Mismatch),
        ],
        sources: vec![],
    };
    let results = json!({"sex": "match", "origin": "unknown", "spouse": "mismatch"});
    assert_eq!(verify(claims), json!({"result": "match", "alive": true, "claims": results}));
}

#[test]
fn lookup_answers_hold_granted_fields_only() {
    let citizen = |fields| Answer::Citizen {
        precision: Precision::Day,
        citizen: Box::new(Disclosed::new(person(), fields, None)),
    };
    assert_eq!(body(Endpoint::Lookup, Answer::NoMatch), json!({"citizen": null}));
    let some = FieldSet::of(&[Field::FullName, Field::OtherName, Field::Mother]);
    assert_eq!(
        body(Endpoint::Lookup, citizen(some)),
        json!({"citizen": {"fullName": "Nguyễn Thị Bình", "otherName": null, "mother": null}})
    );
    assert_eq!(body(Endpoint::Lookup, citizen(FieldSet::EMPTY)), json!({"citizen": {}}));
    let all = body(Endpoint::Lookup, citizen(FieldSet::ALL));
    let father = json!({"fullName": "Nguyễn Văn An", "personalId": "099054000001", "oldId": null,
        "nationality": "VN"});
    assert_eq!(
        all["citizen"],
        json!({
            "personalId": "099184012345", "oldId": "099123456", "fullName": "Nguyễn Thị Bình",
            "otherName": null, "dateOfBirth": "1984", "sex": "2", "ethnicity": "01",
            "religion": "00", "nationality": "VN", "maritalStatus": "1", "bloodGroup": "01",
            "birthPlace": {"provinceCode": null, "communeCode": null,
                "detail": "Số 12, \"ngõ\" 5", "country": "VN", "datasetDate": "2026-04-30"},
            "birthRegistration": null, "origin": null,
            "permanentResidence": {"provinceCode": "01", "communeCode": "00004",
                "detail": "Số 12, \"ngõ\" 5", "country": "VN", "datasetDate": "2026-04-30"},
            "temporaryResidence": null, "currentResidence": null,
            "father": father.clone(), "mother": null, "spouse": null, "guardian": null,
            "householdHead": father, "householdRole": "CH01", "householdNumber": "HK-1",
            "vitalStatus": "1",
        })
    );
}

#[test]
fn household_and_relation_answers() {
    let fields = FieldSet::of(&[Field::FullName, Field::HouseholdRole]);
    let members = vec![Disclosed::new(person(), fields, None); 2];
    let household = Some(DisclosedHousehold { number: None, size: members.len(), members });
    let answer = Answer::Household { precision: Precision::Day, household };
    let member = json!({"fullName": "Nguyễn Thị Bình", "householdRole": "CH01"});
    assert_eq!(
        body(Endpoint::Household, answer),
        json!({"household": {"number": null, "members": [member.clone(), member]}})
    );
    let none = Answer::Household { precision: Precision::Day, household: None };
    assert_eq!(body(Endpoint::Household, none), json!({"household": null}));
    assert_eq!(body(Endpoint::Household, Answer::NoMatch), json!({"household": null}));
    for (result, word) in [
        (ClaimResult::Match, "match"),
        (ClaimResult::Mismatch, "noMatch"),
        (ClaimResult::Unknown, "unknown"),
    ] {
        let answer = Answer::Checked { precision: Precision::Day, result };
        assert_eq!(body(Endpoint::Relation, answer), json!({"result": word}));
    }
    assert_eq!(body(Endpoint::Relation, Answer::NoMatch), json!({"result": "noMatch"}));
}

#[test]
fn refusals_are_problems() {
    let refusal = Refusal { reason: Reason::PaceRequests, retry_after_s: Some(12) };
    let denied = Denied { refusal, errors: vec![] };
    let rendered = render(Endpoint::Verify, "1", &reply(Err(denied)));
    assert_eq!((rendered.status, rendered.content_type), (429, PROBLEM_JSON));
    assert_eq!(rendered.retry_after, Some(12));
    let problem = json_of(&rendered);
    assert_eq!(problem["type"], "/docs/errors#D7");
    assert_eq!(problem["ruleId"], "D7");
    assert_eq!(problem["status"], 429);
    assert_eq!(problem["retryAfter"], 12);
    assert_eq!(problem["correlationId"], HEX);
    assert_eq!(problem["usage"]["remaining"], 7);
    assert!(problem.get("errors").is_none());
    for reason in Reason::ALL {
        let rendered = render(Endpoint::Lookup, "1", &reply(Err(Denied::from(*reason))));
        let problem = json_of(&rendered);
        assert_eq!(rendered.status, reason.text().kind.http_status());
        for key in ["titleVi", "title", "whatToDoVi", "ruleId", "correlationId"] {
            assert!(problem[key].as_str().is_some_and(|t| !t.is_empty()), "{key}");
        }
    }
    let alike = |reason: Reason| render(Endpoint::Verify, "1", &reply(Err(Denied::from(reason))));
    assert_eq!(alike(Reason::AccountUnknown), alike(Reason::AccountWithoutService));
    assert_eq!(public_reason(Reason::AccountUnknown), public_reason(Reason::AccountWithoutService));
}

#[test]
fn input_errors_are_listed() {
    let errors = vec![FieldError { field: "a\"b".into(), message_vi: "Sai.".into() }];
    let denied = Denied { errors, ..Denied::from(Reason::InvalidInput) };
    let rendered = render(Endpoint::Verify, "1", &reply(Err(denied)));
    assert_eq!(rendered.status, 422);
    assert_eq!(json_of(&rendered)["errors"], json!([{"field": "a\"b", "messageVi": "Sai."}]));
}

#[test]
fn problems_of_the_http_layer() {
    for kind in HttpProblem::ALL {
        let rendered = http_problem(kind, Some(ID));
        let problem = json_of(&rendered);
        // The pace of a system beside its questions is a matter of D7; the others are of HTTP.
        let (page, rule) = match kind {
            HttpProblem::TooOften => ("/docs/errors#D7", json!("D7")),
            _ => ("about:blank", Value::Null),
        };
        assert_eq!((&problem["type"], &problem["ruleId"]), (&json!(page), &rule));
        assert_eq!(problem["status"], kind.status());
        assert_eq!(problem["correlationId"], HEX);
        assert_eq!(rendered.www_authenticate.is_some(), kind == HttpProblem::Unauthorized);
        assert!(json_of(&http_problem(kind, None)).get("correlationId").is_none());
    }
}

fn usage_view() -> UsageView {
    let at = Moment::parse_rfc3339("2026-03-03T07:00:00+07:00").unwrap();
    UsageView {
        duty_day: "2026-03-02".into(),
        window: Window::InHours,
        lines: vec![LineUse {
            service: Service::CitizenVerify,
            window: Window::OffHours,
            registered: 500,
            used: 3,
            left: 497,
            resets_at: at,
            exceedances: 1,
            locked: Some(LockView { since: at, rule_id: "D3", until: None }),
        }],
        off_hours_total: OffHoursTotal { cap: 1000, used: 3 },
        accounts: vec![AccountUse {
            login: "canbo.motcua".into(),
            daily: 50,
            used: 3,
            hard_stop: 100,
        }],
    }
}

fn journal_page() -> JournalPage {
    JournalPage {
        entries: vec![JournalEntryView {
            index: 41,
            at: Moment::parse_rfc3339("2026-03-02T08:00:00+07:00").unwrap(),
            decision: EntryDecision::Accepted,
            rule_id: None,
            reason: None,
            service: Some(Service::CitizenVerify),
            window: Window::InHours,
            duty_day: "2026-03-02".into(),
            account: Some(AccountLabel::of(&Login::parse("099084012345").unwrap(), AccountId(5))),
            procedure: Some("1.004194".into()),
            case_code: None,
            purpose: Some("Cư trú".into()),
            counted: 1,
            channel: "rest",
            request_id_digest: Some(HEX.into()),
            answer: Some(EntryAnswer::NoMatch),
            correlation_id: ID,
        }],
        next: None,
    }
}

#[test]
fn views() {
    let usage = json_of(&usage_view().render());
    assert_eq!(
        usage,
        json!({"dutyDay": "2026-03-02", "window": "inHours", "lines": [{
            "service": "citizen.verify", "window": "offHours", "registered": 500, "used": 3,
            "left": 497, "resetsAt": "2026-03-03T07:00:00+07:00", "exceedances": 1,
            "locked": {"since": "2026-03-03T07:00:00+07:00", "ruleId": "D3", "until": null}}],
            "offHoursTotal": {"cap": 1000, "used": 3},
            "accounts": [{"login": "canbo.motcua", "daily": 50, "used": 3, "hardStop": 100}]})
    );
    let page = json_of(&journal_page().render());
    let entry = &page["entries"][0];
    assert_eq!(page["next"], Value::Null);
    assert_eq!(entry["account"], "#5", "a login that is a citizen id is never shown");
    assert_eq!(entry["decision"], "accepted");
    assert_eq!(entry["answer"], "noMatch");
    assert!(entry.get("ruleId").is_none() && entry.get("caseCode").is_none());
    let refusal = RefusalView {
        correlation: ID,
        reason: Reason::LineUsedUp,
        at: Moment(0),
        service: None,
        journal_index: 9,
    };
    let refusal = json_of(&refusal.render());
    assert_eq!(refusal["ruleId"], "D2");
    assert_eq!(refusal["journal"]["index"], 9);
    assert!(refusal["contactVi"].as_str().is_some_and(|t| t.starts_with("Liên hệ")));
    let token = json_of(&TokenView::bearer("t".into(), 300).render());
    assert_eq!(token, json!({"access_token": "t", "token_type": "Bearer", "expires_in": 300}));
    let client = OauthError::InvalidClient.render();
    assert_eq!((client.status, client.www_authenticate.is_some()), (401, true));
    assert_eq!(json_of(&client)["error"], "invalid_client");
    assert_eq!(OauthError::UnsupportedGrantType.render().status, 400);
    let clock = ClockView { now: Moment(0), offset_ms: -5 };
    assert_eq!(
        json_of(&clock.render()),
        json!({"now": "1970-01-01T07:00:00+07:00", "offsetMs": -5})
    );
    assert_eq!(Health::render(false).status, 503);
}

fn document() -> Value {
    serde_json::from_str(&openapi("https://dancu.example/")).unwrap()
}

#[test]
fn the_document_is_whole() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["servers"][0]["url"], "https://dancu.example");
    for (path, method) in [
        ("/api/v1/citizens/verify", "post"),
        ("/api/v1/citizens/lookup", "post"),
        ("/api/v1/households/lookup", "post"),
        ("/api/v1/relations/verify", "post"),
        ("/api/v1/usage", "get"),
        ("/api/v1/refusals/{correlationId}", "get"),
        ("/api/v1/journal", "get"),
        ("/api/v1/accounts", "put"),
        ("/api/v1/accounts/changes/{id}", "get"),
        ("/oauth/token", "post"),
        ("/healthz", "get"),
        ("/readyz", "get"),
        ("/sandbox/clock", "put"),
        ("/openapi.json", "get"),
    ] {
        let operation = &document["paths"][path][method];
        assert!(operation["responses"]["200"].is_object(), "{path}");
        assert!(operation["summary"].as_str().unwrap().contains(" · "), "{path}");
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut references = vec![];
    collect_references(&document, &mut references);
    for name in &references {
        assert!(schemas.contains_key(name), "{name} is referred to and missing");
    }
    for name in schemas.keys() {
        assert!(references.contains(name), "{name} is never referred to");
    }
}

fn collect_references(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(target)) = map.get("$ref") {
                out.push(target.rsplit('/').next().unwrap().to_owned());
            }
            map.values().for_each(|v| collect_references(v, out));
        }
        Value::Array(items) => items.iter().for_each(|v| collect_references(v, out)),
        _ => {}
    }
}

#[test]
fn documented_fields_are_the_parsed_ones() {
    let document = document();
    let today = date(2026, 3, 10);
    for (endpoint, name) in [
        (Endpoint::Verify, "VerifyQuestion"),
        (Endpoint::Lookup, "LookupQuestion"),
        (Endpoint::Household, "HouseholdQuestion"),
        (Endpoint::Relation, "RelationQuestion"),
    ] {
        let schema = &document["components"]["schemas"][name];
        assert_eq!(schema["additionalProperties"], false);
        let missing = parse(endpoint, b"{}", today).unwrap_err();
        let mut missing: Vec<_> = missing.errors.iter().map(|e| json!(e.field)).collect();
        let mut required = schema["required"].as_array().unwrap().clone();
        missing.sort_by_key(ToString::to_string);
        required.sort_by_key(ToString::to_string);
        assert_eq!(required, missing, "{name}");
        for field in schema["properties"].as_object().unwrap().keys() {
            let body = format!("{{\"{field}\":[]}}");
            let errors = parse(endpoint, body.as_bytes(), today).unwrap_err().errors;
            let error = errors.iter().find(|e| &e.field == field).unwrap();
            assert_ne!(error.message_vi, "Không có trường này.", "{name}.{field}");
        }
    }
}

#[test]
fn pages_need_no_script_and_no_inline_style() {
    let page = docs_html(&openapi("https://dancu.example"));
    for forbidden in ["<script", "style=", "<style", "onclick", "http://", "javascript:"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    for wanted in
        ["lang=\"vi\"", "/api/v1/citizens/verify", "Xác thực thông tin công dân", "id=\"D2\""]
    {
        assert!(page.contains(wanted), "{wanted}");
    }
    // It grows with what is described, 8 KiB an operation.
    let operations = page.matches("<section").count();
    assert!(page.len() < operations * 8 * 1024, "{} of {operations}", page.len());
    let errors = errors_html();
    for reason in Reason::ALL {
        assert!(errors.contains(&format!("id=\"{}\"", reason.rule())), "{reason:?}");
        assert!(errors.contains(reason.text().title_vi), "{reason:?}");
    }
    assert!(docs_css().contains("#a4161a"));
    assert!(docs_html("not json").contains("<main>"));
}

/// Writes what other tools can look at where a folder is named.
#[test]
fn written_out_on_demand() {
    let Ok(folder) = std::env::var("DANCU_DOCS_OUT") else {
        return;
    };
    let document = openapi("http://127.0.0.1:8080");
    std::fs::write(format!("{folder}/index.html"), docs_html(&document)).unwrap();
    std::fs::write(format!("{folder}/openapi.json"), document).unwrap();
    std::fs::write(format!("{folder}/errors.html"), errors_html()).unwrap();
    std::fs::write(format!("{folder}/style.css"), docs_css()).unwrap();
    std::fs::write(format!("{folder}/usage.json"), usage_view().render().body).unwrap();
    std::fs::write(format!("{folder}/journal.json"), journal_page().render().body).unwrap();
}

/// Printed for the record; the bound is loose because test machines are.
#[test]
#[expect(clippy::disallowed_methods, reason = "a timing needs the clock")]
fn timing() {
    const ROUNDS: u32 = 20_000;
    let claims = vec![(Field::Sex, ClaimResult::Match), (Field::Origin, ClaimResult::Match)];
    let (precision, alive, sources) = (Precision::Day, Some(Some(true)), vec![]);
    let answer = Answer::Match { precision, alive, claims, sources };
    let citizen = Box::new(Disclosed::new(person(), FieldSet::ALL, None));
    let look = Answer::Citizen { precision: Precision::Day, citizen };
    let refused = Denied::from(Reason::LineUsedUp);
    for (what, endpoint, reply) in [
        ("verify", Endpoint::Verify, reply(Ok(answer))),
        ("lookup", Endpoint::Lookup, reply(Ok(look))),
        ("refusal", Endpoint::Verify, reply(Err(refused))),
    ] {
        let start = Instant::now();
        for _ in 0..ROUNDS {
            std::hint::black_box(render(endpoint, "YC-1", std::hint::black_box(&reply)));
        }
        let each = start.elapsed() / ROUNDS;
        println!("render {what}: {} bytes, {each:?}", render(endpoint, "YC-1", &reply).body.len());
        assert!(each.as_micros() < 100);
    }
}
