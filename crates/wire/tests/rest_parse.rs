//! Bodies of REST questions: what is read, what is refused, and with which errors.

#![expect(clippy::unwrap_used, reason = "a test stops where its ground is missing")]

use std::time::Instant;

use dancu_domain::ids::SubjectId;
use dancu_domain::person::{DETAIL_MAX, HOUSEHOLD_NUMBER_MAX};
use dancu_domain::refusal::Reason;
use dancu_domain::service::{Field, Service};
use dancu_gate::query::{Ask, ClaimValue, Query, Relation, Unreadable};
use dancu_wire::rest::{Endpoint, parse, parse_clock, parse_from};
use jiff::civil::{Date, date};

const TODAY: Date = date(2026, 3, 10);

const VERIFY: &str = r#"{"requestId":"YC-1","procedureCode":"1.004194","purpose":"Cư trú",
"caseCode":"H26.001/1","account":"canbo.motcua","subject":{"personalId":"099084012345",
"fullName":"Nguyễn Thị Bình","dateOfBirth":"1984-02-29"},"claims":{"maritalStatus":"2","sex":2,
"permanentResidence":{"provinceCode":"01","communeCode":"00004"},
"father":{"fullName":"Nguyễn Văn An","personalId":"099054000001"}}}"#;

fn verify(body: &str) -> Result<Query, Box<Unreadable>> {
    parse(Endpoint::Verify, body.as_bytes(), TODAY)
}

/// The paths of all errors.
fn wrong(endpoint: Endpoint, body: &[u8]) -> Vec<String> {
    let unreadable = parse(endpoint, body, TODAY).unwrap_err();
    assert!(!unreadable.errors.is_empty());
    assert_eq!(unreadable.service, Some(endpoint.service()));
    unreadable.errors.iter().map(|e| e.field.clone()).collect()
}

fn with_subject(subject: &str) -> String {
    format!(r#"{{"requestId":"1","procedureCode":"1","account":"a","subject":{subject}}}"#)
}

fn with_claims(claims: &str) -> String {
    with_subject(r#"{"oldId":"099123456","fullName":"An","dateOfBirth":"1950"}"#).replacen(
        '{',
        &format!(r#"{{"claims":{claims},"#),
        1,
    )
}

#[test]
fn a_full_verify_is_read() {
    let q = verify(VERIFY).unwrap();
    assert_eq!(q.service, Service::CitizenVerify);
    assert_eq!(q.request_id.as_str(), "YC-1");
    assert_eq!(q.officer.as_str(), "canbo.motcua");
    assert_eq!(q.purpose.unwrap().as_str(), "Cư trú");
    assert_eq!(q.case.unwrap().as_str(), "H26.001/1");
    assert!(matches!(q.subject.id, SubjectId::Personal(id) if id.to_string() == "099084012345"));
    assert_eq!(q.subject.birth.to_string(), "1984-02-29");
    let Ask::Verify(claims) = q.ask else { panic!("not a verify") };
    let fields: Vec<_> = claims.iter().map(|c| c.field).collect();
    assert_eq!(
        fields,
        [Field::MaritalStatus, Field::Sex, Field::PermanentResidence, Field::Father],
        "in the order asked"
    );
    assert!(
        matches!(&claims[2].value, ClaimValue::Address(a) if a.province == 1 && a.commune == 4)
    );
}

#[test]
fn every_kind_of_claim_is_read() {
    let claims = r#"{"personalId":"099084012345","oldId":"099123456","fullName":"An",
        "otherName":"Bé",
        "dateOfBirth":"19840229","sex":"1","ethnicity":"01","religion":0,"nationality":"VN",
        "maritalStatus":3,"bloodGroup":"04",
        "birthPlace":{"detail":"Thôn 1","country":"VN","datasetDate":"2024-01-01"},
        "birthRegistration":{"provinceCode":"01"},"origin":{"communeCode":"00004"},
        "permanentResidence":{"detail":"1"},"temporaryResidence":{"detail":"1"},
        "currentResidence":{"detail":"1"},
        "father":{"fullName":"A"},"mother":{"fullName":"B","dateOfBirth":"1950"},
        "spouse":{"fullName":"C","oldId":null},"guardian":{"fullName":"D","nationality":"VN"},
        "householdHead":{"fullName":"E"},"householdRole":"CH01","householdNumber":"HK 1",
        "vitalStatus":"1"}"#;
    let Ask::Verify(claims) = verify(&with_claims(claims)).unwrap().ask else { panic!("verify") };
    assert_eq!(claims.len(), Field::ALL.len());
}

#[test]
fn other_endpoints() {
    let head =
        with_subject(r#"{"personalId":"099084012345","fullName":"An","dateOfBirth":"1950"}"#);
    let look = parse(Endpoint::Lookup, head.as_bytes(), TODAY).unwrap();
    assert!(matches!(look.ask, Ask::Lookup) && look.service == Service::CitizenLookup);
    let house = parse(Endpoint::Household, head.as_bytes(), TODAY).unwrap();
    assert!(matches!(house.ask, Ask::Household) && house.service == Service::HouseholdLookup);
    assert_ne!(look.body, house.body, "the endpoint is part of the digest");
    let tail =
        r#","relation":"householdHead","other":{"fullName":"Trần Văn Cả","dateOfBirth":"1950"}}"#;
    let body = format!("{}{tail}", head.strip_suffix('}').unwrap());
    let q = parse(Endpoint::Relation, body.as_bytes(), TODAY).unwrap();
    let Ask::Relation(kinds, other) = q.ask else { panic!("relation") };
    assert_eq!(kinds, [Relation::HouseholdHead]);
    assert!(other.birth.is_some() && other.personal_id.is_none());
    assert_eq!(wrong(Endpoint::Lookup, body.as_bytes()), ["relation", "other"]);
    assert_eq!(wrong(Endpoint::Relation, head.as_bytes()), ["relation", "other"]);
    let odd = body.replace("\"dateOfBirth\":\"1950\"}}", "\"nationality\":\"VN\"}}");
    assert_eq!(wrong(Endpoint::Relation, odd.as_bytes()), ["other.nationality"]);
}

#[test]
fn all_errors_come_at_once() {
    let body = r#"{"requestId":"","procedureCode":7,"acount":"x","caseCode":"a b","purpose":["x"],
        "subject":{"personalId":"12","oldId":true,"fullName":"A1",
        "dateOfBirth":"2027","dateOfBirth":"1950"},
        "claims":{"sex":"9","colour":"red","spouse":"An","birthPlace":{}}}"#;
    let fields = wrong(Endpoint::Verify, body.as_bytes());
    for field in [
        "requestId",
        "procedureCode",
        "acount",
        "account",
        "caseCode",
        "purpose",
        "subject.dateOfBirth",
        "subject.personalId",
        "subject.oldId",
        "subject.fullName",
        "subject",
        "claims.colour",
        "claims.sex",
        "claims.spouse",
        "claims.birthPlace",
    ] {
        assert!(fields.iter().any(|f| f == field), "{field} in {fields:?}");
    }
    assert_eq!(fields.iter().filter(|f| *f == "subject.dateOfBirth").count(), 2);
}

#[test]
fn bad_subjects_are_named_and_not_repeated() {
    for (subject, field) in [
        (r#"{"personalId":"09908401","fullName":"An","dateOfBirth":"1950"}"#, "subject.personalId"),
        (
            r#"{"personalId":"0990840123","fullName":"An","dateOfBirth":"1950"}"#,
            "subject.personalId",
        ),
        (
            r#"{"personalId":"09908401234","fullName":"An","dateOfBirth":"1950"}"#,
            "subject.personalId",
        ),
        (
            r#"{"personalId":"0990840123456","fullName":"An","dateOfBirth":"1950"}"#,
            "subject.personalId",
        ),
        (
            r#"{"personalId":"09908401234x","fullName":"An","dateOfBirth":"1950"}"#,
            "subject.personalId",
        ),
        (
            r#"{"personalId":99084012345,"fullName":"An","dateOfBirth":"1950"}"#,
            "subject.personalId",
        ),
        (r#"{"oldId":"09912345","fullName":"An","dateOfBirth":"1950"}"#, "subject.oldId"),
        (r#"{"oldId":"0991234567","fullName":"An","dateOfBirth":"1950"}"#, "subject.oldId"),
        (
            r#"{"oldId":"099123456","fullName":"An","dateOfBirth":"2023-02-29"}"#,
            "subject.dateOfBirth",
        ),
        (
            r#"{"oldId":"099123456","fullName":"An","dateOfBirth":"2026-03-11"}"#,
            "subject.dateOfBirth",
        ),
        (r#"{"oldId":"099123456","fullName":"An","dateOfBirth":"1849"}"#, "subject.dateOfBirth"),
        (r#"{"oldId":"099123456","fullName":"An","dateOfBirth":" 1950"}"#, "subject.dateOfBirth"),
        (r#"{"oldId":"099123456","fullName":"An","dateOfBirth":1950}"#, "subject.dateOfBirth"),
        (r#"{"oldId":"099123456","fullName":"","dateOfBirth":"1950"}"#, "subject.fullName"),
        (r#"{"oldId":"099123456","fullName":"An\u0000","dateOfBirth":"1950"}"#, "subject.fullName"),
        (r#"{"oldId":"099123456","fullName":"An\n","dateOfBirth":"1950"}"#, "subject.fullName"),
        (r#"{"oldId":"099123456","fullName":{"a":1},"dateOfBirth":"1950"}"#, "subject.fullName"),
        (
            r#"{"personalId":"099084012345","oldId":"099123456","fullName":"A",
                "dateOfBirth":"1950"}"#,
            "subject",
        ),
        (r#"{"fullName":"An","dateOfBirth":"1950"}"#, "subject"),
        ("[]", "subject"),
        ("null", "subject"),
        ("\"099084012345\"", "subject"),
    ] {
        assert_eq!(wrong(Endpoint::Verify, with_subject(subject).as_bytes()), [field], "{subject}");
    }
}

#[test]
fn long_names_and_misplaced_values() {
    let long = "A".repeat(1000);
    let body = with_subject(&format!(
        r#"{{"oldId":"099123456","fullName":"{long}","dateOfBirth":"1950"}}"#
    ));
    assert_eq!(wrong(Endpoint::Verify, body.as_bytes()), ["subject.fullName"]);
    let unreadable =
        verify(&with_subject(r#"{"personalId":"09908401234x","099084012345":1}"#)).unwrap_err();
    let all = format!("{:?}", unreadable.errors);
    assert!(!all.contains("0990840"), "no value, not even as a key: {all}");
    assert_eq!(unreadable.request_id.unwrap().as_str(), "1", "the readable head is kept");
    assert_eq!(unreadable.officer.unwrap().as_str(), "a");
    assert_eq!(unreadable.procedure.unwrap().as_str(), "1");
}

#[test]
fn bad_claims() {
    for (claims, field) in [
        (r#"{"sex":4}"#, "claims.sex"),
        (r#"{"sex":"01"}"#, "claims.sex"),
        (r#"{"sex":1.0}"#, "claims.sex"),
        (r#"{"sex":-1}"#, "claims.sex"),
        (r#"{"sex":null}"#, "claims.sex"),
        (r#"{"sex":"1","sex":"1"}"#, "claims.sex"),
        (r#"{"ethnicity":"1"}"#, "claims.ethnicity"),
        (r#"{"bloodGroup":"05"}"#, "claims.bloodGroup"),
        (r#"{"vitalStatus":"0"}"#, "claims.vitalStatus"),
        (r#"{"householdRole":"CH8"}"#, "claims.householdRole"),
        (r#"{"nationality":"VNM"}"#, "claims.nationality"),
        (r#"{"origin":"Hà Nội"}"#, "claims.origin"),
        (r#"{"origin":null}"#, "claims.origin"),
        (r#"{"origin":{"country":"VN"}}"#, "claims.origin"),
        (r#"{"origin":{"provinceCode":1}}"#, "claims.origin.provinceCode"),
        (r#"{"origin":{"provinceCode":"001"}}"#, "claims.origin.provinceCode"),
        (r#"{"origin":{"communeCode":"4"}}"#, "claims.origin.communeCode"),
        (r#"{"origin":{"detail":"x","datasetDate":"2024-13-01"}}"#, "claims.origin.datasetDate"),
        (r#"{"father":{}}"#, "claims.father.fullName"),
        (r#"{"father":{"fullName":"A","age":1}}"#, "claims.father.age"),
        (r#"{"alive":true}"#, "claims.alive"),
        (r#"["sex"]"#, "claims"),
    ] {
        assert_eq!(wrong(Endpoint::Verify, with_claims(claims).as_bytes()), [field], "{claims}");
    }
    assert!(matches!(verify(&with_claims("{}")).unwrap().ask, Ask::Verify(c) if c.is_empty()));
    assert!(verify(&with_claims("null")).is_ok());
}

#[test]
fn bad_bodies() {
    let mut bad: Vec<Vec<u8>> = [
        "",
        " ",
        "null",
        "[]",
        "\"x\"",
        "1",
        "{",
        "{\"requestId\":\"1\"",
        "{}x",
        "{\"a\":}",
        "{'a':1}",
        "{}{}",
        "NaN",
        "{\"requestId\":\"\\ud800\"}",
        "<a/>",
        "{\"requestId\":1e999}",
        "// x",
        "{\"requestId\":\"a\u{1}\"}",
    ]
    .iter()
    .map(|s| s.as_bytes().to_vec())
    .collect();
    bad.push([b"\xef\xbb\xbf", VERIFY.as_bytes()].concat());
    bad.push(VERIFY.replace("Bình", "B\u{1}nh").into_bytes());
    bad.push([b"{\"requestId\":\"", b"\xff\xfe".as_slice(), b"\"}"].concat());
    bad.push(VERIFY.encode_utf16().flat_map(u16::to_le_bytes).collect());
    bad.push(VERIFY.as_bytes()[..VERIFY.len() - 3].to_vec());
    for body in &bad {
        assert_eq!(wrong(Endpoint::Verify, body)[0], "body", "{}", String::from_utf8_lossy(body));
        let errors = parse(Endpoint::Verify, body, TODAY).unwrap_err();
        assert_eq!(errors.reason, None);
    }
    let large = vec![b' '; 64 * 1024 + 1];
    let refused = parse(Endpoint::Verify, &large, TODAY).unwrap_err();
    assert_eq!(refused.reason, Some(Reason::TooLarge));
}

/// What a record may hold may be asked about; SOAP takes the same.
#[test]
fn the_longest_detail_and_household_number_on_record_can_be_claimed() {
    for (field, longest, claim) in [
        ("origin.detail", DETAIL_MAX, r#"{"origin":{"detail":"?"}}"#),
        ("householdNumber", HOUSEHOLD_NUMBER_MAX, r#"{"householdNumber":"?"}"#),
    ] {
        let of = |n: usize| with_claims(&claim.replace('?', &"ố".repeat(n)));
        assert!(verify(&of(longest)).is_ok(), "{field}");
        let path = format!("claims.{field}");
        assert_eq!(wrong(Endpoint::Verify, of(longest + 1).as_bytes()), [path]);
        let told = verify(&of(longest + 1)).unwrap_err().errors.remove(0).message_vi;
        assert!(told.contains(&format!("1-{longest} ký tự")), "{told}");
    }
}

#[test]
fn deep_nesting_is_named() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for depth in [100, 10_000] {
            let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let body = VERIFY.replace("\"YC-1\"", &deep);
            let fields = wrong(Endpoint::Verify, body.as_bytes());
            assert!(fields.contains(&"body".to_owned()), "{fields:?}");
            assert!(wrong(Endpoint::Verify, deep.as_bytes()).contains(&"body".to_owned()));
        }
    }
    let shallow = VERIFY.replace("\"YC-1\"", "[[1]]");
    assert_eq!(wrong(Endpoint::Verify, shallow.as_bytes()), ["requestId"]);
}

#[test]
fn thousands_of_errors_stay_a_short_list() {
    let keys: String = (0..5000).map(|_| "\"zz\":1,").collect();
    let body = VERIFY.replacen('{', &format!("{{{keys}"), 1);
    assert!(wrong(Endpoint::Verify, body.as_bytes()).len() <= 50);
}

#[test]
fn the_digest_is_of_the_value() {
    let digest = |body: &str| verify(body).unwrap().body;
    let same = digest(VERIFY);
    let spaced = VERIFY.replace(':', " : ").replace(',', " ,\n");
    assert_eq!(digest(&spaced), same);
    assert_eq!(
        digest(&VERIFY.replace("YC-1", "\\u0059C-1").replace("H26.001/1", "H26.001\\/1")),
        same
    );
    assert_eq!(digest(&VERIFY.replace("Bình", "B\\u00ecnh")), same);
    let reordered =
        VERIFY.replace(r#""maritalStatus":"2","sex":2,"#, r#""sex":2,"maritalStatus":"2","#);
    assert_ne!(reordered, VERIFY);
    assert_eq!(digest(&reordered), same);
    let moved = VERIFY.replacen(
        r#"{"requestId":"YC-1","procedureCode":"1.004194","#,
        r#"{"procedureCode":"1.004194","requestId":"YC-1","#,
        1,
    );
    assert_ne!(moved, VERIFY);
    assert_eq!(digest(&moved), same);
    for (from, to) in [
        ("YC-1", "YC-2"),
        ("\"sex\":2", "\"sex\":\"2\""),
        ("\"sex\":2", "\"sex\":1"),
        ("Bình", "Binh"),
        ("Bình", "Bi\u{300}nh"),
        ("1984-02-29", "19840229"),
        ("\"purpose\":\"Cư trú\",", ""),
        ("\"purpose\":\"Cư trú\",", "\"purpose\":null,"),
        ("\"sex\":2,", ""),
        ("permanentResidence", "temporaryResidence"),
        ("father", "mother"),
    ] {
        assert_ne!(digest(&VERIFY.replace(from, to)), same, "{from} → {to}");
    }
}

#[test]
fn clock_and_index() {
    let at = parse_clock(br#"{"now":"2026-03-02T18:00:00+07:00"}"#).unwrap();
    assert_eq!(at.rfc3339(), "2026-03-02T18:00:00+07:00");
    for bad in [
        "{}",
        "{\"now\":1}",
        "{\"now\":\"today\"}",
        "[]",
        "{\"now\":null}",
        "{\"now\":\"2026-03-02T18:00:00Z\",\"x\":1}",
    ] {
        assert!(!parse_clock(bad.as_bytes()).unwrap_err().errors.is_empty(), "{bad}");
    }
    assert_eq!(parse_from(None).unwrap(), 0);
    assert_eq!(parse_from(Some("42")).unwrap(), 42);
    for bad in ["", "-1", "+1", "x", "1.5", "99999999999999999999"] {
        assert!(parse_from(Some(bad)).is_err(), "{bad}");
    }
}

proptest::proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(body: Vec<u8>) {
        for endpoint in Endpoint::ALL {
            let _ = parse(endpoint, &body, TODAY);
        }
    }

    #[test]
    fn cut_and_changed_bodies_never_panic(at in 0usize..400, byte: u8, cut in 0usize..500) {
        let mut body = VERIFY.as_bytes().to_vec();
        let at = at % body.len();
        body[at] = byte;
        body.truncate(cut.max(1));
        for endpoint in Endpoint::ALL {
            let _ = parse(endpoint, &body, TODAY);
        }
    }

    #[test]
    fn json_like_texts_never_panic(text in "[{}\\[\\]\":,a-c0-9\\\\ ]{0,80}") {
        let _ = verify(&text);
        let _ = verify(&with_claims(&text));
        let _ = verify(&with_subject(&text));
    }
}

/// Printed for the record; the bound is loose because test machines are.
#[test]
#[expect(clippy::disallowed_methods, reason = "a timing needs the clock")]
fn timing() {
    const ROUNDS: u32 = 20_000;
    let plain = with_subject(
        r#"{"personalId":"099084012345","fullName":"Nguyễn Thị Bình","dateOfBirth":"1984-02-29"}"#,
    );
    for (what, body) in [("verify with 4 claims", VERIFY), ("verify", &plain)] {
        let start = Instant::now();
        for _ in 0..ROUNDS {
            std::hint::black_box(verify(std::hint::black_box(body)).unwrap());
        }
        let each = start.elapsed() / ROUNDS;
        println!("parse {what}: {} bytes, {each:?}", body.len());
        assert!(each.as_micros() < 100);
    }
}
