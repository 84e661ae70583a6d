//! Provincial JSON: bodies to questions, replies to each shape, refusals in each shape.

#![expect(clippy::needless_pass_by_value, reason = "bodies are written where they are used")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod soap_support;

use dancu_domain::birth::Precision;
use dancu_domain::ids::SubjectId;
use dancu_domain::person::{BloodGroup, MaritalStatus};
use dancu_domain::refusal::{Reason, Refusal};
use dancu_domain::registration::VerifyShape;
use dancu_domain::service::{Field, FieldSet, Service};
use dancu_gate::query::{Answer, Ask, ClaimResult, Denied, Relation};
use dancu_wire::lgsp::{Shape, no_shape, operation, parse, path_name, refuse, render};
use dancu_wire::rest::BODY_MAX;
use dancu_wire::soap::{Operation, SoapCall, SoapUnreadable};
use proptest::prelude::*;
use serde_json::{Value, json};
use soap_support::{TODAY, checked, citizen, denied, household, matched, reply, system, verify};

/// What public clients send.
fn body() -> Value {
    json!({
        "maYeuCau": "yc-1", "maDVC": "1.004194", "maCanBo": "can.bo.mot",
        "soDinhDanh": "099301012345", "soCMND": "", "hoVaTen": "NGUYỄN THỊ MẪU",
        "ngayThangNam": "20010215", "userNameService": "lgsp.tinh",
    })
}

fn with(changes: Value) -> Value {
    let mut all = body();
    for (key, value) in changes.as_object().unwrap() {
        all[key] = value.clone();
    }
    all
}

fn read(name: &str, body: &Value) -> Result<SoapCall, Box<SoapUnreadable>> {
    parse(name, body.to_string().as_bytes(), &system(), TODAY)
}

fn ok(name: &str, changes: Value) -> SoapCall {
    read(name, &with(changes)).unwrap()
}

const VERIFY: &str = "xacThucThongTinCongDan";
const LOOKUP: &str = "traCuuThongTinCongDan";

/// The fields that errors name; every message is Vietnamese and none repeats a value.
fn wrong(name: &str, body: impl AsRef<[u8]>) -> Vec<String> {
    let unread = parse(name, body.as_ref(), &system(), TODAY).expect_err("an error was expected");
    assert!(!unread.unreadable.errors.is_empty());
    for error in &unread.unreadable.errors {
        assert!(!error.message_vi.is_ascii(), "{error:?}");
        assert!(!error.message_vi.contains("SoDinhDanh"), "{error:?}");
    }
    unread.unreadable.errors.into_iter().map(|e| e.field).collect()
}

fn wrong_with(changes: Value) -> Vec<String> {
    wrong(VERIFY, with(changes).to_string())
}

// --- requests ------------------------------------------------------------------------------------

#[test]
fn a_request_asks_what_the_soap_request_asks() {
    let call = ok(VERIFY, json!({}));
    assert_eq!(call.operation, Operation::Verify);
    let query = &call.query;
    assert_eq!(query.request_id.as_str(), "yc-1");
    assert_eq!(query.officer.as_str(), "can.bo.mot");
    assert_eq!(query.procedure.as_str(), "1.004194");
    assert!(query.purpose.is_none() && query.case.is_none() && query.unit.is_none());
    assert_eq!(query.service, Service::CitizenVerify);
    assert!(matches!(&query.ask, Ask::Verify(claims) if claims.is_empty()));
    let soap = soap_support::read(verify(&[])).unwrap().query;
    assert_eq!(query.subject.id, soap.subject.id);
    assert_eq!(query.subject.birth, soap.subject.birth);
    let more = json!({
        "maHoSo": "HS-1/2026", "maDonVi": "H26.009", "taiKhoan": "canbo.motcua",
        "soDienThoai": "0900000000", "truongLa": {"bất kỳ": [1, null]},
    });
    let query = ok(LOOKUP, more).query;
    assert_eq!(query.case.unwrap().as_str(), "HS-1/2026");
    assert_eq!(query.unit.unwrap().as_str(), "H26.009");
    assert_eq!(query.officer.as_str(), "canbo.motcua");
}

#[test]
fn every_offered_operation_has_a_path() {
    for offered in Operation::OFFERED {
        let name = path_name(*offered);
        assert!(name.starts_with(|c: char| c.is_ascii_lowercase()), "{name}");
        assert_eq!(operation(&name), Some(*offered));
        let asked = json!({
            "nguoiLienQuan": { "hoVaTen": "Trần Thị Hoà" },
            "diaChi": { "maTinhThanh": "01" },
            "tinhTrang": "1",
        });
        let call = ok(&name, asked);
        assert_eq!((call.operation, call.query.service), (*offered, offered.service()));
    }
    assert_eq!(operation("xacThucThongTinCongDanRequest"), Some(Operation::Verify));
    assert_eq!(wrong("khongCo", "{}"), ["operation"]);
    assert_eq!(wrong("", "{}"), ["operation"]);
}

#[test]
fn what_operations_need_besides() {
    let relative = json!({"nguoiLienQuan": {
        "soDinhDanh": "099070000001", "hoVaTen": "Nguyễn Văn Đức", "ngayThangNam": "1970",
    }});
    let Ask::Relation(kinds, other) = ok("xacMinhThongTinNhanThan", relative).query.ask else {
        panic!("a relation was expected");
    };
    assert_eq!(kinds, [Relation::Father, Relation::Mother, Relation::Spouse]);
    assert!(other.personal_id.is_some() && other.old_id.is_none());
    assert_eq!(other.birth.unwrap().year(), 1970);
    let old = json!({"diaChi": {"maTinhThanh": "01", "maQuanHuyen": "001", "maPhuongXa": "00004"}});
    let Ask::Residence(address) = ok("xacMinhThongTinNoiOHienTai", old).query.ask else {
        panic!("an address was expected");
    };
    let place = address.place().unwrap();
    assert_eq!((place.province, place.district, place.commune), (1, 1, 4));
    for state in [json!("2"), json!(2)] {
        let asked = json!({ "tinhTrang": state });
        let ask = ok("xacMinhTinhTrangHonNhan", asked.clone()).query.ask;
        assert!(matches!(ask, Ask::Marital(MaritalStatus::Married)));
        assert!(matches!(ok("xacMinhTinhTrangChetMatTich", asked).query.ask, Ask::Vital(2)));
    }
    for (name, missing) in [
        ("xacMinhThongTinNguoiGiamHo", "nguoiLienQuan"),
        ("xacMinhThongTinNoiOHienTai", "diaChi"),
        ("xacMinhTinhTrangHonNhan", "tinhTrang"),
    ] {
        assert_eq!(wrong(name, body().to_string()), [missing]);
    }
}

#[test]
fn ids_and_dates_come_in_every_habit() {
    let old = ok(VERIFY, json!({"soDinhDanh": null, "soCMND": "012345678"}));
    assert!(matches!(old.query.subject.id, SubjectId::Old(_)));
    assert_eq!(
        ok(VERIFY, json!({"maYeuCau": 1_772_000_000_000_u64})).query.request_id.as_str(),
        "1772000000000"
    );
    for date in ["20010215", "2001-02-15", " 20010215 "] {
        let query = ok(VERIFY, json!({"ngayThangNam": date})).query;
        assert_eq!(query.subject.birth.compact(), "20010215", "{date}");
    }
    for (nested, read) in [
        (json!("2001-02-15"), "20010215"),
        (json!({"ngayThangNam": "20010215", "nam": "2001"}), "20010215"),
        (json!({"ngayThangNam": "", "nam": "2001"}), "2001"),
    ] {
        let query = ok(VERIFY, json!({"ngayThangNam": null, "ngayThangNamSinh": nested})).query;
        assert_eq!(query.subject.birth.compact(), read);
    }
}

#[test]
fn a_service_code_is_checked_where_it_is_sent() {
    for code in ["003", "033", ""] {
        assert!(read(VERIFY, &with(json!({ "maTichHop": code }))).is_ok(), "{code}");
    }
    assert_eq!(wrong_with(json!({"maTichHop": "037"})), ["maTichHop"]);
    assert_eq!(wrong_with(json!({"maDichVu": "abc"})), ["maDichVu"]);
    assert!(read(LOOKUP, &with(json!({"maTichHop": "037"}))).is_ok());
}

#[test]
fn lists_are_known_and_not_offered() {
    for name in ["cungCapDanhSachTheoDiaPhuong", "getRequests", "deleteRequest"] {
        let unread = read(name, &body()).expect_err("lists are not offered");
        assert_eq!(unread.unreadable.reason, Some(Reason::NotOffered), "{name}");
        assert_eq!(unread.unreadable.errors[0].field, "operation");
        assert!(unread.unreadable.request_id.is_some());
    }
}

#[test]
fn everything_wrong_is_named_at_once_by_its_json_name() {
    let all = ["hoVaTen", "maCanBo", "maDVC", "maYeuCau", "ngayThangNam", "soDinhDanh"];
    let mut found = wrong(VERIFY, "{}");
    found.sort();
    assert_eq!(found, all);
    for (key, value) in [
        ("maYeuCau", json!("x".repeat(41))),
        ("maDVC", json!("")),
        ("maDVC", json!("a b")),
        ("maCanBo", json!(["x"])),
        ("maCanBo", json!(7)),
        ("soDinhDanh", json!("09930101234")),
        ("soDinhDanh", json!("0993010123456")),
        ("soDinhDanh", json!("09930101234a")),
        ("soDinhDanh", json!(99_301_012_345_u64)),
        ("soCMND", json!("12345678")),
        ("hoVaTen", json!("x".repeat(1000))),
        ("hoVaTen", json!("Nguyễn\u{1}A")),
        ("hoVaTen", json!("Nguyễn\nA")),
        ("hoVaTen", json!({"ten": "A"})),
        ("hoVaTen", json!("<b>")),
        ("ngayThangNam", json!("20010229")),
        ("ngayThangNam", json!("21000101")),
        ("ngayThangNam", json!(20_010_215)),
        ("ngayThangNamSinh", json!("20010215")),
        ("userNameService", json!(true)),
        ("nguoiLienQuan", json!("x")),
        ("maHoSo", json!("a")),
        ("taiKhoan", json!("ngan")),
    ] {
        let mut changes = json!({});
        changes[key] = value.clone();
        assert_eq!(wrong_with(changes), [key], "{value}");
    }
    let relative = json!({"nguoiLienQuan": {"soDinhDanh": "1", "ngayThangNam": "x"}});
    let mut found = wrong("xacMinhThongTinChuHo", with(relative).to_string());
    found.sort();
    assert_eq!(
        found,
        ["nguoiLienQuan.hoVaTen", "nguoiLienQuan.ngayThangNam", "nguoiLienQuan.soDinhDanh"]
    );
}

#[test]
fn bodies_that_are_no_json() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100), "]".repeat(100));
    let utf16: Vec<u8> = "{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let bom = ["\u{feff}".as_bytes(), body().to_string().as_bytes()].concat();
    let invalid = [b"{\"hoVaTen\":\"\xff\"}".as_slice()].concat();
    let bodies: [&[u8]; 9] =
        [b"", b" ", b"{", b"[]", b"{} x", deep.as_bytes(), &utf16, &bom, &invalid];
    for body in bodies {
        assert_eq!(wrong(VERIFY, body), ["body"]);
    }
    let large = vec![b' '; BODY_MAX + 1];
    let unread = parse(VERIFY, &large, &system(), TODAY).expect_err("too large");
    assert_eq!(unread.unreadable.reason, Some(Reason::TooLarge));
    assert_eq!(unread.service(), Some(Service::CitizenVerify));
    let text = body().to_string();
    let doubled = text.replacen('{', "{\"maDVC\":\"1.004194\",", 1);
    assert_eq!(wrong(VERIFY, doubled), ["maDVC"]);
    let doubled = text.replacen('{', "{\"lạ\":1,\"lạ\":1,", 1);
    assert_eq!(wrong(VERIFY, doubled), ["?"]);
}

#[test]
fn a_refused_body_keeps_its_head_for_the_journal() {
    let unread = read(VERIFY, &with(json!({"userNameService": 1}))).expect_err("a number");
    let kept = &unread.unreadable;
    assert_eq!(kept.request_id.as_ref().unwrap().as_str(), "yc-1");
    assert_eq!(kept.officer.as_ref().unwrap().as_str(), "can.bo.mot");
    assert_eq!(kept.service, Some(Service::CitizenVerify));
}

#[test]
fn the_same_json_value_is_the_same_body() {
    let digest =
        |name: &str, text: &str| parse(name, text.as_bytes(), &system(), TODAY).unwrap().query.body;
    let one = body().to_string();
    let pretty = serde_json::to_string_pretty(&body()).unwrap();
    assert_eq!(digest(VERIFY, &one), digest(VERIFY, &pretty));
    let escaped = one.replace("NGUYỄN", "NGUY\\u1ec4N");
    assert_ne!(one, escaped);
    assert_eq!(digest(VERIFY, &one), digest(VERIFY, &escaped));
    assert_ne!(digest(VERIFY, &one), digest(LOOKUP, &one));
    for changes in [json!({"maHoSo": "HS-1"}), json!({"lạ": 1}), json!({"soCMND": null})] {
        assert_ne!(digest(VERIFY, &one), digest(VERIFY, &with(changes).to_string()));
    }
}

proptest! {
    /// Any bytes give a question or errors, and every refusal can be written in every shape.
    #[test]
    fn parsing_is_total(
        name in "[a-zA-Z]{0,30}",
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        for name in [name.as_str(), VERIFY] {
            if let Err(unread) = parse(name, &bytes, &system(), TODAY) {
                prop_assert!(!unread.unreadable.errors.is_empty());
                for shape in Shape::ALL {
                    refuse(shape, &unread, &denied(Reason::InvalidInput), None);
                }
            }
        }
    }

    /// Texts of any kind in any member: never a panic, never a fault of the spelled envelope, and
    /// no value in an error.
    #[test]
    fn texts_cannot_break_out(
        key in 0..8usize,
        value in "\\PC{0,30}(<|&|\"|]]>|</HoVaTen>)\\PC{0,10}",
    ) {
        let keys = ["maYeuCau", "maDVC", "maCanBo", "soDinhDanh", "soCMND", "hoVaTen",
            "ngayThangNam", "userNameService"];
        let mut all = body();
        all[keys[key]] = json!(value);
        match read(VERIFY, &all) {
            Ok(call) => {
                if keys[key] == "maYeuCau" && value.is_ascii() {
                    prop_assert_eq!(call.query.request_id.as_str(), value.trim_ascii());
                }
            }
            Err(unread) => {
                for error in &unread.unreadable.errors {
                    prop_assert_eq!(error.field.as_str(), keys[key]);
                }
            }
        }
    }

    /// Two bodies are the same exactly when their values are.
    #[test]
    fn digests_follow_values(a in "[a-z]{3,6}", b in "[a-z]{3,6}") {
        let digest = |case: &str| ok(VERIFY, json!({ "maHoSo": case })).query.body;
        prop_assert_eq!(digest(&a) == digest(&b), a == b);
    }
}

// --- answers -------------------------------------------------------------------------------------

fn asked(name: &str) -> SoapCall {
    let more = json!({
        "nguoiLienQuan": { "hoVaTen": "A" }, "diaChi": { "maTinhThanh": "01" }, "tinhTrang": "1",
    });
    ok(name, more)
}

fn answered(shape: Shape, name: &str, answer: Answer) -> Value {
    let rendered = render(shape, &asked(name), &system(), &reply(Ok(answer)));
    assert_eq!((rendered.status, rendered.content_type), (200, "application/json"));
    serde_json::from_str(&rendered.body).unwrap()
}

fn enveloped(response: &Value) -> Value {
    json!({
        "code": 200, "status": "000", "correlationId": "ab".repeat(16), "response": response,
    })
}

#[test]
fn verification_in_every_shape() {
    let yes = || matched(Precision::Day);
    assert_eq!(answered(Shape::Data, VERIFY, yes()), json!({"data": true}));
    assert_eq!(answered(Shape::Data, VERIFY, Answer::NoMatch), json!({"data": false}));
    let year = answered(Shape::Data, VERIFY, matched(Precision::Year));
    assert_eq!(year, json!({"data": true, "precision": "year"}));
    let root = |exists: bool| {
        let count = if exists { "1" } else { "0" };
        json!({ "tonTai": exists, "soLuongCongDan": count })
    };
    let response = json!({"xacThucThongTinCongDanResponse": root(true), "conSong": true});
    assert_eq!(answered(Shape::Envelope, VERIFY, yes()), enveloped(&response));
    let response = json!({"xacThucThongTinCongDanResponse": root(false)});
    assert_eq!(answered(Shape::Envelope, VERIFY, Answer::NoMatch), enveloped(&response));
    let (precision, claims, sources) = (Precision::Day, vec![], vec![]);
    let missing = Answer::Match { precision, alive: Some(None), claims, sources };
    assert_eq!(answered(Shape::Envelope, VERIFY, missing)["response"]["conSong"], Value::Null);
    let mut pinned = system();
    pinned.verify_shape = VerifyShape::KetQuaXacThuc;
    let rendered = render(Shape::Envelope, &asked(VERIFY), &pinned, &reply(Ok(Answer::NoMatch)));
    let body: Value = serde_json::from_str(&rendered.body).unwrap();
    assert_eq!(body["response"], json!({"ketQuaXacThucResponse": {"tonTai": false}}));
}

#[test]
fn checks_in_every_shape() {
    for name in [
        "xacMinhThongTinNhanThan",
        "xacMinhThongTinNguoiGiamHo",
        "xacMinhThongTinChuHo",
        "xacMinhThongTinNoiOHienTai",
        "xacMinhTinhTrangHonNhan",
        "xacMinhTinhTrangChetMatTich",
    ] {
        for (answer, agrees) in [
            (checked(ClaimResult::Match), true),
            (checked(ClaimResult::Mismatch), false),
            (checked(ClaimResult::Unknown), false),
            (Answer::NoMatch, false),
        ] {
            let data = answered(Shape::Data, name, answer.clone());
            assert_eq!(data, json!({ "data": agrees }));
            let response = json!({"ketQuaXacMinh": {"khopDuLieu": agrees}});
            assert_eq!(answered(Shape::Envelope, name, answer), enveloped(&response));
        }
    }
}

#[test]
fn a_citizen_has_the_fields_of_the_soap_answer() {
    let found = answered(Shape::Data, LOOKUP, citizen(FieldSet::ALL, Precision::Day));
    let person = &found["data"];
    let names: Vec<_> = person.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names.len(), 20);
    assert_eq!(person["soDinhDanh"], "099301012345");
    assert_eq!(person["soCMND"], "012345678");
    let name = json!({"ho": null, "chuDem": null, "ten": "NGUYỄN THỊ MẪU"});
    assert_eq!(person["hoVaTen"], name);
    assert_eq!(person["ngayThangNamSinh"], json!({"nam": "2001", "ngayThangNam": "20010215"}));
    assert_eq!(person["danToc"], "01");
    assert_eq!(person["thuongTru"]["chiTiet"], "Số 1 <ngõ 2> & 'hẻm'");
    assert_eq!(person["noiDangKyKhaiSinh"]["maQuanHuyen"], "001");
    assert!(person["thuongTru"].get("maQuanHuyen").is_none());
    assert_eq!(person["chuHo"]["quanHe"], "CH03");
    assert_eq!(person["voChong"], Value::Null);
    let some = FieldSet::of(&[Field::PersonalId]);
    let few = answered(Shape::Data, LOOKUP, citizen(some, Precision::Day));
    let told = few["data"].as_object().unwrap();
    assert_eq!(told.len(), 20);
    assert_eq!(told.values().filter(|v| !v.is_null()).count(), 1);
    let response = answered(Shape::Envelope, LOOKUP, citizen(FieldSet::ALL, Precision::Year));
    let collection = &response["response"]["congdanCollection"];
    assert_eq!(collection["congDan"], json!([person]));
    assert_eq!(collection["precision"], "year");
}

#[test]
fn nobody_found_is_an_answer() {
    for name in [LOOKUP, "cungCapThongTinCongDan", "cungCapThongTinNhomMau"] {
        assert_eq!(answered(Shape::Data, name, Answer::NoMatch), json!({"data": null}));
        let response = json!({"congdanCollection": {"congDan": []}});
        assert_eq!(answered(Shape::Envelope, name, Answer::NoMatch), enveloped(&response));
    }
    let household = "cungCapThongTinHoGiaDinh";
    assert_eq!(answered(Shape::Data, household, Answer::NoMatch), json!({"data": []}));
}

#[test]
fn households_and_blood_groups() {
    let name = "cungCapThongTinHoGiaDinh";
    let data = answered(Shape::Data, name, household());
    assert_eq!(data["data"].as_array().unwrap().len(), 2);
    assert_eq!(data["data"][0]["ngayThangNamSinh"], json!({"nam": "1970", "ngayThangNam": null}));
    let collection = &answered(Shape::Envelope, name, household())["response"];
    assert_eq!(collection["congdanCollection"]["soCongDan"], "2");
    let name = "cungCapThongTinNhomMau";
    let blood = || Answer::Blood { precision: Precision::Day, group: BloodGroup::O };
    let data = &answered(Shape::Data, name, blood())["data"];
    assert_eq!((&data["nhomMau"], &data["soDinhDanh"]), (&json!("04"), &json!("099301012345")));
    assert_eq!(data["hoVaTen"], Value::Null);
}

#[test]
fn the_soap_shape_is_the_soap_answer() {
    for (name, answer) in [
        (VERIFY, matched(Precision::Year)),
        (LOOKUP, citizen(FieldSet::ALL, Precision::Day)),
        ("cungCapThongTinHoGiaDinh", household()),
    ] {
        let call = asked(name);
        let soap = dancu_wire::soap::render(&call, &system(), &reply(Ok(answer.clone())));
        assert_eq!(answered(Shape::Soap, name, answer), json!({ "message": soap.body }));
    }
}

// --- refusals ------------------------------------------------------------------------------------

#[test]
fn every_refusal_names_rule_and_correlation_in_every_shape() {
    for reason in Reason::ALL {
        let text = reason.text();
        let refusal = Refusal { reason: *reason, retry_after_s: Some(7) };
        let refused = reply(Err(Denied { refusal, errors: vec![] }));
        for shape in Shape::ALL {
            let rendered = render(shape, &asked(VERIFY), &system(), &refused);
            assert_eq!(rendered.status, text.kind.http_status(), "{reason:?}");
            assert_eq!(rendered.retry_after, Some(7));
            assert_eq!(rendered.content_type, "application/json");
            let body: Value = serde_json::from_str(&rendered.body).unwrap();
            let told = match shape {
                Shape::Data => {
                    assert!(body.get("data").is_none(), "a refusal is no answer");
                    &body["error"]
                }
                Shape::Envelope => {
                    assert_eq!(body["code"], rendered.status);
                    assert_eq!(body["status"], text.soap_code);
                    assert_eq!(body["correlationId"], "ab".repeat(16));
                    &body["response"]
                }
                Shape::Soap => {
                    let message = body["message"].as_str().unwrap();
                    assert!(message.contains(&format!("<dc:ruleId>{}</dc:ruleId>", text.rule)));
                    assert!(message.contains(&"ab".repeat(16)) && message.contains(text.title_vi));
                    continue;
                }
            };
            assert_eq!(told["code"], text.soap_code);
            assert_eq!(told["ruleId"], text.rule.code());
            assert_eq!(told["correlationId"], "ab".repeat(16));
            assert_eq!(told["titleVi"], text.title_vi);
            assert_eq!(told["retryAfter"], 7);
        }
    }
}

#[test]
fn input_errors_stand_in_every_shape() {
    let unread = parse(VERIFY, b"{}", &system(), TODAY).expect_err("nothing is there");
    for shape in Shape::ALL {
        let rendered = refuse(shape, &unread, &denied(Reason::InvalidInput), None);
        assert_eq!(rendered.status, 422);
        for field in ["maYeuCau", "maDVC", "maCanBo", "hoVaTen", "ngayThangNam", "soDinhDanh"] {
            assert!(rendered.body.contains(field), "{shape:?} {field}");
        }
        let other = refuse(shape, &unread, &denied(Reason::InvalidInput), Some(415));
        assert_eq!(other.status, 415);
        let locked = refuse(shape, &unread, &denied(Reason::CannotJournal), Some(415));
        assert_eq!(locked.status, 503);
    }
}

#[test]
fn shapes_by_their_names() {
    for shape in Shape::ALL {
        assert_eq!(Shape::of(Some(shape.name())), Some(shape));
    }
    for none in [None, Some(""), Some("Data"), Some("xml")] {
        assert_eq!(Shape::of(none), None);
    }
    let refused = no_shape(LOOKUP);
    assert_eq!(refused.reason, Some(Reason::ShapeNotRegistered));
    assert_eq!(refused.service, Some(Service::CitizenLookup));
    assert_eq!(refused.errors.len(), 1);
}
