//! Lists and jobs over SOAP: what is read from envelopes, and what is answered.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod soap_support;

use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use dancu_domain::ids::{OfficerRef, ProcedureCode, RequestId, SystemId};
use dancu_domain::moment::Moment;
use dancu_domain::person::{BloodGroup, Dataset, Sex};
use dancu_domain::refusal::Reason;
use dancu_domain::service::{Field, FieldSet, Service};
use dancu_gate::jobs::types::{
    ItemOutcome, ItemResult, JobCounts, JobHead, JobId, JobKind, JobState, JobStatus, ListFilter,
    ListPlace, Page,
};
use dancu_gate::path::Protocol;
use dancu_gate::query::{CorrelationId, Denied, FieldError};
use dancu_wire::batch::Format;
use dancu_wire::soap::{
    JobAnswer, JobAsk, JobCall, JobOperation, Operation, Paging, SoapUnreadable, parse, parse_job,
    render_job, render_job_denied, render_unreadable, schema, wsdl,
};
use proptest::prelude::*;
use soap_support::{TODAY, denied, envelope, person, shown, system};

const HEAD: &str = "<MaYeuCau>yc-1</MaYeuCau><MaDVC>1.004194</MaDVC><MaTichHop>045</MaTichHop>\
                    <MaDonVi>H26.001</MaDonVi><MaCanBo>onestop.kehoach</MaCanBo>";
const JOB: &str = "0123456789abcdef0123456789abcdef";

fn read(operation: &str, more: &str) -> Result<JobCall, Box<SoapUnreadable>> {
    let body = envelope(operation, &format!("{HEAD}{more}"));
    parse_job(body.as_bytes(), Some("text/xml"), &system(), TODAY)
}

fn filter(operation: &str, more: &str) -> ListFilter {
    match read(operation, more).unwrap().ask {
        JobAsk::List(filter) => filter,
        other => panic!("{other:?}"),
    }
}

fn wrong(operation: &str, more: &str) -> Vec<String> {
    let unread = read(operation, more).expect_err("an error was expected");
    assert_eq!(unread.operation, Some(Operation::List));
    assert_eq!(unread.unreadable.service, Some(Service::CitizenList));
    assert!(unread.unreadable.reason.is_none());
    unread.unreadable.errors.into_iter().map(|e| e.field).collect()
}

#[test]
fn every_list_reads_its_criterion() {
    let place = ListPlace { province: 1, commune: 4, dataset: Dataset::Y2026 };
    let by_place = "<DiaChi><MaTinhThanh>01</MaTinhThanh><MaPhuongXa>00004</MaPhuongXa></DiaChi>";
    for (operation, more, expected) in [
        (
            "CungCapDanhSachTheoDiaPhuong",
            by_place,
            ListFilter { place: Some(place), ..ListFilter::default() },
        ),
        (
            "CungCapDanhSachTheoDiaPhuong",
            "<DiaChi><MaTinhThanh>2</MaTinhThanh><NgayDuLieu>20240101</NgayDuLieu></DiaChi>",
            ListFilter {
                place: Some(ListPlace { province: 2, commune: 0, dataset: Dataset::Y2024 }),
                ..ListFilter::default()
            },
        ),
        (
            "CungCapDanhSachTheoDoTuoi",
            "<TuTuoi>18</TuTuoi><DenTuoi>60</DenTuoi>",
            ListFilter { ages: Some((18, 60)), ..ListFilter::default() },
        ),
        (
            "CungCapDanhSachTheoNhomMau",
            "<NhomMau>04</NhomMau>",
            ListFilter { blood: Some(BloodGroup::O), ..ListFilter::default() },
        ),
        (
            "CungCapDanhSachTheoGioiTinh",
            "<GioiTinh>2</GioiTinh>",
            ListFilter { sex: Some(Sex::Female), ..ListFilter::default() },
        ),
        (
            "CungCapDanhSachTheoDanToc",
            "<DanToc>01</DanToc>",
            ListFilter { ethnicity: Some(1), ..ListFilter::default() },
        ),
        (
            "CungCapDanhSachTheoTonGiao",
            "<TonGiao>00</TonGiao>",
            ListFilter { religion: Some(0), ..ListFilter::default() },
        ),
    ] {
        assert_eq!(filter(operation, more), expected, "{operation}");
    }
    let both = filter("CungCapDanhSachTheoGioiTinh", &format!("<GioiTinh>1</GioiTinh>{by_place}"));
    assert_eq!(
        (both.sex, both.place),
        (Some(Sex::Male), Some(place)),
        "criteria narrow each other"
    );
}

#[test]
fn the_head_is_read_and_the_body_is_digested() {
    let call = read("CungCapDanhSachTheoGioiTinh", "<GioiTinh>1</GioiTinh>").unwrap();
    assert_eq!(call.operation, JobOperation::BySex);
    assert_eq!(call.head.request_id.as_str(), "yc-1");
    assert_eq!(call.head.officer.as_str(), "onestop.kehoach");
    let other = read("CungCapDanhSachTheoGioiTinh", "<GioiTinh>2</GioiTinh>").unwrap();
    assert_ne!(call.body, other.body);
    let same = read("CungCapDanhSachTheoGioiTinh", "  <GioiTinh>1</GioiTinh>\n").unwrap();
    assert_eq!(call.body, same.body);
    let named = read("GetRequests", "<TaiKhoan>onestop.kehoach2</TaiKhoan><MaHoSo>HS.1-2</MaHoSo>")
        .unwrap();
    assert_eq!(named.head.officer.as_str(), "onestop.kehoach2");
    assert_eq!(named.second_name.unwrap().as_str(), "onestop.kehoach");
    assert_eq!(named.head.case.unwrap().as_str(), "HS.1-2");
}

#[test]
fn criteria_that_are_missing_or_impossible_are_named() {
    for (operation, more, fields) in [
        ("CungCapDanhSachTheoDiaPhuong", "", &["DiaChi"][..]),
        ("CungCapDanhSachTheoDiaPhuong", "<DiaChi/>", &["DiaChi/MaTinhThanh"]),
        (
            "CungCapDanhSachTheoDiaPhuong",
            "<DiaChi><MaTinhThanh>99</MaTinhThanh></DiaChi>",
            &["DiaChi"],
        ),
        (
            "CungCapDanhSachTheoDiaPhuong",
            "<DiaChi><MaTinhThanh>79</MaTinhThanh><MaPhuongXa>00004</MaPhuongXa></DiaChi>",
            &["DiaChi"],
        ),
        (
            "CungCapDanhSachTheoDiaPhuong",
            "<DiaChi><MaTinhThanh>01</MaTinhThanh><MaQuanHuyen>001</MaQuanHuyen></DiaChi>",
            &["DiaChi/MaQuanHuyen"],
        ),
        ("CungCapDanhSachTheoDoTuoi", "<TuTuoi>1</TuTuoi>", &["DenTuoi"]),
        ("CungCapDanhSachTheoDoTuoi", "", &["TuTuoi", "DenTuoi"]),
        ("CungCapDanhSachTheoDoTuoi", "<TuTuoi>9</TuTuoi><DenTuoi>8</DenTuoi>", &["TuTuoi"]),
        (
            "CungCapDanhSachTheoDoTuoi",
            "<TuTuoi>-1</TuTuoi><DenTuoi>151</DenTuoi>",
            &["TuTuoi", "DenTuoi"],
        ),
        ("CungCapDanhSachTheoNhomMau", "<NhomMau>A</NhomMau>", &["NhomMau"]),
        ("CungCapDanhSachTheoNhomMau", "<GioiTinh>1</GioiTinh>", &["NhomMau"]),
        ("CungCapDanhSachTheoDanToc", "<DanToc>77</DanToc>", &["DanToc"]),
        ("CungCapDanhSachTheoTonGiao", "<TonGiao>15</TonGiao>", &["TonGiao"]),
        ("CungCapDanhSachTheoTonGiao", "<TonGiao>1</TonGiao><TonGiao>2</TonGiao>", &["TonGiao"]),
        ("GetRequestStatus", "", &["MaCongViec"]),
        ("DeleteRequest", "<MaCongViec>ABC</MaCongViec>", &["MaCongViec"]),
        ("GetRequests", "<Trang>0</Trang><SoBanGhi>101</SoBanGhi>", &["Trang", "SoBanGhi"]),
        (
            "GetRequests",
            "<TuNgay>20260230</TuNgay><DenNgay>hôm nay</DenNgay>",
            &["TuNgay", "DenNgay"],
        ),
    ] {
        assert_eq!(wrong(operation, more), fields, "{operation} {more}");
    }
    let none = envelope("GetRequests", "<MaTichHop>003</MaTichHop>");
    let unread = parse_job(none.as_bytes(), None, &system(), TODAY).unwrap_err();
    let fields: Vec<_> = unread.unreadable.errors.iter().map(|e| e.field.as_str()).collect();
    assert_eq!(fields, ["MaYeuCau", "MaDVC", "MaCanBo", "MaTichHop"]);
}

#[test]
fn jobs_and_pages() {
    let id = JobId::from_str(JOB).unwrap();
    let job = format!("<MaCongViec>{JOB}</MaCongViec>");
    for operation in [
        "GetRequestStatus",
        "GetRequestDetail",
        "GetRequestHistory",
        "GetRequestResult",
        "DeleteRequest",
    ] {
        let call = read(operation, &job).unwrap();
        assert_eq!(call.ask, JobAsk::Job(id));
        assert_eq!(call.operation.name(), operation);
    }
    let records = read("GetResultDetailAsRecords", &format!("{job}<Trang>3</Trang>")).unwrap();
    let JobAsk::Records(_, paging) = records.ask else { panic!() };
    assert_eq!((paging.first_row(), paging.pages(201)), (201, 3));
    let file = "<SoBanGhi>1000</SoBanGhi><DinhDang>NDJSON</DinhDang>";
    let file = read("GetResultDetailAsFile", &format!("{job}{file}")).unwrap().ask;
    assert_eq!(file, JobAsk::File(id, Paging { page: 1, size: 1_000 }, Format::Ndjson));
    let more = "<TuNgay>2026-03-01</TuNgay><DenNgay>20260302</DenNgay>";
    let JobAsk::Jobs { from, to, .. } = read("GetRequests", more).unwrap().ask else { panic!() };
    let at = |text| Moment::parse_rfc3339(text);
    assert_eq!(from, at("2026-03-01T00:00:00+07:00"));
    assert_eq!(to, at("2026-03-03T00:00:00+07:00"), "the last day belongs");
    let epoch = "<TuNgay>1772416800000</TuNgay>";
    let JobAsk::Jobs { from, .. } = read("GetRequests", epoch).unwrap().ask else { panic!() };
    assert_eq!(from, Some(Moment(1_772_416_800_000)));
}

#[test]
fn questions_are_no_jobs_and_jobs_no_questions() {
    let question = envelope("TraCuuThongTinCongDan", HEAD);
    let unread = parse_job(question.as_bytes(), None, &system(), TODAY).unwrap_err();
    assert_eq!(unread.operation, Some(Operation::Lookup));
    for operation in JobOperation::ALL {
        assert_eq!(Operation::from_name(operation.name()), Some(Operation::List));
        let body = envelope(operation.name(), HEAD);
        let unread = parse(body.as_bytes(), None, &system(), TODAY).unwrap_err();
        assert_eq!(unread.operation, Some(Operation::List));
        assert_eq!(render_unreadable(&unread, &denied(Reason::NotOffered)).status, 500);
        let declared = wsdl("https://dancu.example");
        assert!(declared.contains(&format!("<wsdl:operation name=\"{}\">", operation.name())));
        for (name, element) in [("request", operation.name()), ("response", operation.answer())] {
            let declaration = format!("<xs:element name=\"{element}\"");
            assert!(schema(name).unwrap().contains(&declaration), "{element}");
        }
    }
}

fn status(state: JobState) -> JobStatus {
    let place = ListPlace { province: 1, commune: 4, dataset: Dataset::Y2026 };
    let filter = ListFilter { place: Some(place), ages: Some((18, 60)), ..ListFilter::default() };
    let at = |text| Moment::parse_rfc3339(text).unwrap();
    JobStatus {
        id: JobId::from_str(JOB).unwrap(),
        system: SystemId(1),
        kind: JobKind::List(filter),
        head: JobHead {
            request_id: RequestId::parse("yc-<1>").unwrap(),
            officer: OfficerRef::parse("onestop.kehoach").unwrap(),
            procedure: ProcedureCode::parse("1.004194").unwrap(),
            purpose: None,
            case: None,
            unit: None,
            x_road_user: None,
        },
        protocol: Protocol::Soap,
        source: IpAddr::V4(Ipv4Addr::LOCALHOST),
        state,
        counts: JobCounts { rows: 250, items: 250, done: 100, matched: 99, ..JobCounts::default() },
        position: 0,
        submitted_at: at("2026-03-02T09:00:00+07:00"),
        started_at: Some(at("2026-03-02T09:00:01+07:00")),
        changed_at: at("2026-03-02T09:00:05+07:00"),
        ended_at: state.is_over().then(|| at("2026-03-02T09:00:05+07:00")),
        deleted_at: None,
        journal_index: 41,
    }
}

fn answered(operation: &str, more: &str, answer: &JobAnswer) -> String {
    let call = read(operation, more).unwrap();
    let answer = render_job(&call, answer, &CorrelationId([1; 16]));
    assert_eq!(answer.status, 200);
    answer.body
}

#[test]
fn a_job_is_told_in_vietnamese_words() {
    let job = format!("<MaCongViec>{JOB}</MaCongViec>");
    let paused = JobState::Paused { reason: Reason::LineUsedUp, until: None };
    let paused = JobAnswer::Job(Box::new(status(paused)));
    let told = answered("GetRequestStatus", &job, &paused);
    assert!(told.contains("<ns1:TrangThai>TAM_DUNG</ns1:TrangThai><ns1:MaQuyTac>D2"), "{told}");
    assert!(told.contains("<ns1:MaYeuCau>yc-&lt;1&gt;</ns1:MaYeuCau>"), "{told}");
    let history = answered("GetRequestHistory", &job, &paused);
    let states: Vec<_> = history.matches("<ns1:LichSu>").collect();
    assert_eq!(states.len(), 3, "{history}");
    let done = JobAnswer::Job(Box::new(status(JobState::Done)));
    // 250 rows, but empty lines among them: the last one is row 812.
    let pages = JobAnswer::Pages(Box::new(status(JobState::Done)), 812);
    let result = answered("GetRequestResult", &job, &pages);
    assert!(result.contains("<ns1:SoTrang>9</ns1:SoTrang>"), "{result}");
    assert!(result.contains("<ns1:TongSoBanGhi>250</ns1:TongSoBanGhi>"), "{result}");
    let detail = answered("GetRequestDetail", &job, &done);
    assert!(detail.contains("<ns1:MaPhuongXa>00004</ns1:MaPhuongXa>"), "{detail}");
    assert!(detail.contains("<ns1:ChiSoNhatKy>41</ns1:ChiSoNhatKy>"), "{detail}");
    let call = read("GetRequestStatus", &job).unwrap();
    let none = render_job(&call, &JobAnswer::NoSuchJob, &CorrelationId([1; 16]));
    assert_eq!(none.status, 500);
    assert!(
        none.body.contains("MaCongViec") && none.body.contains("<dc:code>017"),
        "{}",
        none.body
    );
    let errors = vec![FieldError { field: "caseCode".into(), message_vi: "Thiếu.".into() }];
    let missing = Denied { refusal: Reason::CaseCodeMissing.into(), errors };
    let missing = render_job_denied(&call, &missing, &CorrelationId([1; 16]));
    assert!(missing.body.contains("<dc:field>MaHoSo</dc:field>"), "{}", missing.body);
}

#[test]
fn records_and_files_hold_granted_fields_only() {
    let fields = FieldSet::of(&[Field::PersonalId, Field::FullName]);
    let item = |row, outcome| ItemResult { row, journal_index: 9, correlation: [7; 16], outcome };
    let results = vec![
        item(1, ItemOutcome::Listed(Box::new(shown(person(), fields)))),
        item(2, ItemOutcome::Refused(Reason::LineLocked as u8)),
        item(3, ItemOutcome::NoMatch),
    ];
    let page = Page { results, next: Some(4) };
    let answer = JobAnswer::Page(Box::new(status(JobState::Running)), page);
    let job = format!("<MaCongViec>{JOB}</MaCongViec>");
    let records = answered("GetResultDetailAsRecords", &job, &answer);
    assert_eq!(records.matches("<ns1:CongDan>").count(), 1);
    assert!(records.contains("<ns1:SoDinhDanh>099301012345</ns1:SoDinhDanh><ns1:SoCMND/>"));
    assert!(records.contains("<ns1:ThuongTru/>"), "{records}");
    assert!(records.contains("<ns1:ConTrang>true</ns1:ConTrang>"), "{records}");
    let file = answered("GetResultDetailAsFile", &job, &answer);
    let text = file.split("<ns1:NoiDung>").nth(1).unwrap().split('<').next().unwrap();
    assert!(text.len() > 1_000 && text.bytes().all(|b| b.is_ascii_graphic() && b != b'<'));
    assert!(file.contains(&format!("<ns1:TenTep>{JOB}-1.csv</ns1:TenTep>")), "{file}");
}

proptest! {
    #[test]
    fn any_texts_are_read_or_refused(
        operation in prop::sample::select(JobOperation::ALL),
        texts in proptest::collection::vec((0..14usize, "[0-9A-Za-z:/ -]{0,20}"), 0..10),
    ) {
        const NAMES: [&str; 14] = [
            "TuTuoi", "DenTuoi", "NhomMau", "GioiTinh", "DanToc", "TonGiao", "MaCongViec",
            "TuNgay", "DenNgay", "Trang", "SoBanGhi", "DinhDang", "DiaChi", "MaCanBo",
        ];
        let more = texts.iter().fold(String::new(), |more, (at, text)| {
            let name = NAMES[*at];
            more + &format!("<{name}>{text}</{name}>")
        });
        match read(operation.name(), &more) {
            Ok(call) => prop_assert_eq!(call.operation, operation),
            Err(unread) => prop_assert!(!unread.unreadable.errors.is_empty()),
        }
    }
}
