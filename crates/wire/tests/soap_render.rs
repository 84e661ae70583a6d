//! SOAP answers and faults, byte for byte, and how long reading and writing take.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod soap_support;

use dancu_domain::birth::{BirthDate, Precision};
use dancu_domain::person::{BloodGroup, Person};
use dancu_domain::refusal::{Reason, Refusal};
use dancu_domain::registration::VerifyShape;
use dancu_domain::service::{Field, FieldSet};
use dancu_gate::query::{Answer, ClaimResult, Denied, DisclosedHousehold, FieldError, Reply};
use dancu_wire::soap::{
    Operation, SoapUnreadable, render, render_unreadable, schema, unauthenticated, wsdl,
};
use soap_support::{
    SOAP, ask, checked, citizen, denied, envelope, fields, household, matched, person, read, reply,
    shown, system, verify,
};

const NS1: &str = "xmlns:ns1=\"http://www.mic.gov.vn/dancu/1.0\"";
const NS2: &str = "xmlns:ns2=\"http://dancuquocgia.bca\"";

/// The body's content of the answer to an operation.
fn answered(operation: &str, result: Answer) -> String {
    let more = [
        ("NguoiLienQuan", Some("<HoVaTen>A</HoVaTen>")),
        ("DiaChi", Some("<MaTinhThanh>01</MaTinhThanh>")),
        ("TinhTrang", Some("1")),
        (
            "MaTichHop",
            match operation {
                "XacThucThongTinCongDan" => Some("003"),
                "TraCuuThongTinCongDan" => Some("037"),
                _ => None,
            },
        ),
    ];
    let call = read(envelope(operation, &fields(&more))).unwrap();
    let answer = render(&call, &system(), &reply(Ok(result)));
    assert_eq!(answer.status, 200);
    content(&answer.body)
}

fn content(body: &str) -> String {
    let head = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"{SOAP}\">"
    );
    let inner = body.strip_prefix(&head).unwrap();
    let (_, inner) = inner.split_once("<soapenv:Body>").unwrap();
    inner.strip_suffix("</soapenv:Body></soapenv:Envelope>").unwrap().to_owned()
}

#[test]
fn verification() {
    let both = |precision: &str, tells, count| {
        format!(
            "<ns1:XacThucThongTinCongDanResponse {NS1} {NS2}{precision}><ns2:TonTai>{tells}\
             </ns2:TonTai><ns1:SoLuongCongDan>{count}</ns1:SoLuongCongDan>\
             </ns1:XacThucThongTinCongDanResponse>"
        )
    };
    let operation = "XacThucThongTinCongDan";
    assert_eq!(answered(operation, matched(Precision::Day)), both("", "true", 1));
    let year = answered(operation, matched(Precision::Year));
    assert_eq!(year, both(" precision=\"year\"", "true", 1));
    assert_eq!(answered(operation, Answer::NoMatch), both("", "false", 0));
    let mut pinned = system();
    pinned.verify_shape = VerifyShape::KetQuaXacThuc;
    let call = read(verify(&[])).unwrap();
    let answer = render(&call, &pinned, &reply(Ok(Answer::NoMatch)));
    assert_eq!(
        content(&answer.body),
        format!(
            "<ns2:KetQuaXacThucResponse {NS2}><ns2:TonTai>false</ns2:TonTai>\
                 </ns2:KetQuaXacThucResponse>"
        )
    );
}

#[test]
fn checks() {
    let told = |agrees| {
        format!(
            "<ns1:KetQuaXacMinh {NS1}><ns1:KhopDuLieu>{agrees}</ns1:KhopDuLieu>\
                 </ns1:KetQuaXacMinh>"
        )
    };
    for operation in [
        "XacMinhThongTinNhanThan",
        "XacMinhThongTinNguoiGiamHo",
        "XacMinhThongTinChuHo",
        "XacMinhThongTinNoiOHienTai",
        "XacMinhTinhTrangHonNhan",
        "XacMinhTinhTrangChetMatTich",
    ] {
        assert_eq!(answered(operation, checked(ClaimResult::Match)), told(true));
        assert_eq!(answered(operation, checked(ClaimResult::Mismatch)), told(false));
        assert_eq!(answered(operation, checked(ClaimResult::Unknown)), told(false));
        assert_eq!(answered(operation, Answer::NoMatch), told(false));
    }
}

#[test]
fn nobody_is_an_empty_collection() {
    let empty = format!("<ns1:CongdanCollection {NS1}/>");
    for operation in [
        "TraCuuThongTinCongDan",
        "CungCapThongTinCongDan",
        "CungCapThongTinHoGiaDinh",
        "CungCapThongTinNhomMau",
    ] {
        assert_eq!(answered(operation, Answer::NoMatch), empty);
    }
}

/// One CongDan, the prefix left out.
fn plain(text: &str) -> String {
    text.replace("ns1:", "").replace(&NS1.replace("ns1:", ""), "").replace(" >", ">")
}

#[test]
fn a_citizen_with_everything() {
    let found = answered("TraCuuThongTinCongDan", citizen(FieldSet::ALL, Precision::Day));
    assert!(
        found.starts_with(&format!("<ns1:CongdanCollection {NS1}><ns1:CongDan><ns1:SoDinhDanh>"))
    );
    let father = "<HoVaTen>NGUYỄN VĂN ĐỨC</HoVaTen><QuocTich>VN</QuocTich>\
                  <SoDinhDanh>099070000001</SoDinhDanh><SoCMND/>";
    let mother = "<HoVaTen>TRẦN THỊ HOÀ</HoVaTen><QuocTich>VN</QuocTich><SoDinhDanh/><SoCMND/>";
    let expected = [
        "<CongdanCollection><CongDan><SoDinhDanh>099301012345</SoDinhDanh>",
        "<SoCMND>012345678</SoCMND>",
        "<HoVaTen><Ho/><ChuDem/><Ten>NGUYỄN THỊ MẪU</Ten></HoVaTen>",
        "<GioiTinh>2</GioiTinh><DanToc>01</DanToc><TonGiao>00</TonGiao>",
        "<TinhTrangHonNhan>2</TinhTrangHonNhan><NhomMau>04</NhomMau>",
        "<NgayThangNamSinh><Nam>2001</Nam><NgayThangNam>20010215</NgayThangNam>",
        "</NgayThangNamSinh><NoiDangKyKhaiSinh><MaTinhThanh>01</MaTinhThanh>",
        "<MaQuanHuyen>001</MaQuanHuyen><MaPhuongXa>00004</MaPhuongXa><ChiTiet/>",
        "<QuocGia>VN</QuocGia></NoiDangKyKhaiSinh><QuocTich>VN</QuocTich>",
        "<QueQuan><MaTinhThanh>79</MaTinhThanh><MaPhuongXa>26740</MaPhuongXa><ChiTiet/>",
        "<QuocGia>VN</QuocGia></QueQuan><ThuongTru><MaTinhThanh>01</MaTinhThanh>",
        "<MaPhuongXa>00004</MaPhuongXa><ChiTiet>Số 1 &lt;ngõ 2&gt; &amp; 'hẻm'</ChiTiet>",
        "<QuocGia>VN</QuocGia></ThuongTru><NoiOHienTai/>",
        &format!("<Cha>{father}</Cha><Me>{mother}</Me>"),
        "<VoChong/><NguoiDaiDien/>",
        "<ChuHo><QuanHe>CH03</QuanHe><SoDinhDanh>099070000001</SoDinhDanh><SoCMND/>",
        "<HoVaTen>NGUYỄN VĂN ĐỨC</HoVaTen></ChuHo><SoSoHoKhau>H0001</SoSoHoKhau>",
        "</CongDan></CongdanCollection>",
    ];
    assert_eq!(plain(&found), expected.concat());
}

#[test]
fn what_is_not_granted_is_present_and_empty() {
    let fields = FieldSet::of(&[Field::FullName, Field::HouseholdRole]);
    let found = answered("CungCapThongTinCongDan", citizen(fields, Precision::Year));
    assert_eq!(
        plain(&found),
        "<CongdanCollection  precision=\"year\"><CongDan><SoDinhDanh/><SoCMND/><HoVaTen><Ho/>\
         <ChuDem/><Ten>NGUYỄN THỊ MẪU</Ten></HoVaTen><GioiTinh/><DanToc/><TonGiao/>\
         <TinhTrangHonNhan/><NhomMau/><NgayThangNamSinh/><NoiDangKyKhaiSinh/><QuocTich/>\
         <QueQuan/><ThuongTru/><NoiOHienTai/><Cha/><Me/><VoChong/><NguoiDaiDien/><ChuHo>\
         <QuanHe>CH03</QuanHe><SoDinhDanh/><SoCMND/><HoVaTen/></ChuHo><SoSoHoKhau/></CongDan>\
         </CongdanCollection>"
    );
}

#[test]
fn households_and_blood_groups() {
    let found = plain(&answered("CungCapThongTinHoGiaDinh", household()));
    assert_eq!(found.matches("<CongDan>").count(), 2);
    assert!(found.ends_with("</CongDan><SoCongDan>2</SoCongDan></CongdanCollection>"));
    assert!(found.contains("<Nam>1970</Nam><NgayThangNam/>"));
    // A household that is larger than told says so.
    let Answer::Household { precision, household: Some(told) } = household() else {
        panic!("not a household")
    };
    let larger = DisclosedHousehold { size: 63, ..told };
    let answer = Answer::Household { precision, household: Some(larger) };
    let found = plain(&answered("CungCapThongTinHoGiaDinh", answer));
    assert!(found.contains("<SoCongDan>2</SoCongDan><GhiChu>Hộ có 63 thành viên;"), "{found}");
    let none = Answer::Household { precision: Precision::Day, household: None };
    assert_eq!(
        plain(&answered("CungCapThongTinHoGiaDinh", none)),
        "<CongdanCollection></CongdanCollection>"
    );
    let blood = Answer::Blood { precision: Precision::Day, group: BloodGroup::Ab };
    let found = plain(&answered("CungCapThongTinNhomMau", blood));
    assert!(found.contains("<CongDan><SoDinhDanh>099301012345</SoDinhDanh><SoCMND/>"));
    assert!(found.contains("<NhomMau>03</NhomMau><NgayThangNamSinh/>"));
}

#[test]
fn a_year_only_record() {
    let person = Person { birth: BirthDate::Year(1950), ..person() };
    let shown = Box::new(shown(person, FieldSet::ALL));
    let answer = Answer::Citizen { precision: Precision::Day, citizen: shown };
    let found = plain(&answered("TraCuuThongTinCongDan", answer));
    assert!(found.contains("<NgayThangNamSinh><Nam>1950</Nam><NgayThangNam/></NgayThangNamSinh>"));
}

#[test]
fn a_refusal() {
    let call = ask("CungCapThongTinCongDan", &[]).unwrap();
    let answer = render(&call, &system(), &denied(Reason::ServiceNotGranted));
    assert_eq!(answer.status, 500);
    let text = Reason::ServiceNotGranted.text();
    assert_eq!(
        content(&answer.body),
        format!(
            "<soapenv:Fault><faultcode>soapenv:Client</faultcode><faultstring>{vi} {todo}\
             </faultstring><detail><dc:dancuFault xmlns:dc=\"http://dancuquocgia.bca\">\
             <dc:code>004</dc:code><dc:ruleId>A4</dc:ruleId><dc:correlationId>{id}\
             </dc:correlationId><dc:titleVi>{vi}</dc:titleVi><dc:title>{en}</dc:title>\
             <dc:whatToDoVi>{todo}</dc:whatToDoVi></dc:dancuFault></detail></soapenv:Fault>",
            vi = text.title_vi,
            en = text.title,
            todo = text.what_to_do_vi,
            id = "ab".repeat(16),
        )
    );
    let later = Refusal { reason: Reason::PaceRequests, retry_after_s: Some(7) };
    let later = reply(Err(Denied { refusal: later, errors: vec![] }));
    let answer = render(&call, &system(), &later);
    assert!(answer.body.contains("<dc:retryAfter>7</dc:retryAfter></dc:dancuFault>"));
    let answer = render(&call, &system(), &denied(Reason::CannotJournal));
    assert!(answer.body.contains("<faultcode>soapenv:Server</faultcode>"));
    assert_eq!(answer.status, 500);
}

#[test]
fn input_errors() {
    let bad = verify(&[("SoDinhDanh", Some("09930101234")), ("HoVaTen", None)]);
    let unread = read(bad).unwrap_err();
    let answer = render_unreadable(&unread, &denied(Reason::InvalidInput));
    assert_eq!(answer.status, 500);
    assert!(answer.body.contains("<dc:code>017</dc:code><dc:ruleId>A3</dc:ruleId>"));
    assert!(
        answer.body.contains("<dc:errors><dc:error><dc:field>SoDinhDanh</dc:field><dc:messageVi>")
    );
    assert!(answer.body.contains("<dc:field>HoVaTen</dc:field>"));
    assert!(!answer.body.contains("09930101234"));
    let own = FieldError { field: "X".to_owned(), message_vi: "Y".to_owned() };
    let denied_with =
        reply(Err(Denied { refusal: Reason::InvalidInput.into(), errors: vec![own] }));
    let answer = render_unreadable(&unread, &denied_with);
    assert!(answer.body.contains("<dc:field>X</dc:field>"));
    assert!(!answer.body.contains("HoVaTen"));
    let large = render_unreadable(&SoapUnreadable::too_large(), &denied(Reason::TooLarge));
    assert_eq!(large.status, 413);
    let list = read(envelope("GetRequests", "")).unwrap_err();
    let answer = render_unreadable(&list, &denied(Reason::NotOffered));
    assert!(answer.body.contains("<faultstring>Thao tác này chưa được cung cấp."));
    let answer = unauthenticated("Không xác thực được hệ thống.", None);
    assert_eq!(answer.status, 401);
    assert!(answer.body.contains("<dc:code>001</dc:code><dc:titleVi>Không"));
}

#[test]
fn x_road_headers_are_sent_back_unchanged() {
    let blocks = "<xro:client id:objectType=\"SUBSYSTEM\">\n <id:memberCode>H&amp;26 <!-- c -->\
                  </id:memberCode></xro:client><xro:userId>VN099</xro:userId>";
    let head = format!(
        "<e:Envelope xmlns:e=\"{SOAP}\" xmlns:id=\"http://x-road.eu/xsd/identifiers\"><e:Header \
         xmlns:xro=\"http://x-road.eu/xsd/xroad.xsd\"><a xmlns=\"urn:a\">no</a>{blocks}\
         <xro:issue xmlns:xro=\"http://x-road.eu/xsd/xroad.xsd\" /></e:Header>"
    );
    let body = verify(&[]).replace("soapenv:", "e:");
    let at = body.find("<e:Header/>").unwrap();
    let text = head + &body[at + "<e:Header/>".len()..];
    let call = read(&text).unwrap();
    let answer = render(&call, &system(), &reply(Ok(Answer::NoMatch)));
    let expected = format!(
        "<e:Header xmlns:e=\"{SOAP}\" xmlns:id=\"http://x-road.eu/xsd/identifiers\" \
         xmlns:xro=\"http://x-road.eu/xsd/xroad.xsd\">{blocks}\
         <xro:issue xmlns:xro=\"http://x-road.eu/xsd/xroad.xsd\" /></e:Header><soapenv:Body>"
    );
    assert!(answer.body.contains(&expected), "{}", answer.body);
    let unread = read(text.replace("yc-1", "")).unwrap_err();
    let answer = render_unreadable(&unread, &denied(Reason::InvalidInput));
    assert!(answer.body.contains(&expected));
}

#[test]
fn the_description_names_every_operation() {
    let text = wsdl("https://dancu.example/");
    for operation in Operation::OFFERED {
        assert!(text.contains(&format!("<wsdl:operation name=\"{}\">", operation.name())));
        assert!(schema("request").unwrap().contains(&format!("name=\"{}\"", operation.name())));
        assert!(schema("response").unwrap().contains(&format!("name=\"{}\"", operation.answer())));
    }
    assert!(text.contains("<soap:address location=\"https://dancu.example/soap/dancu\"/>"));
    assert!(
        !text.contains("schemaLocation")
            && !text.contains("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xs")
    );
    assert!(schema("other").is_none());
}

/// Every shape of answer and the descriptions are well-formed documents of one root.
#[test]
fn every_shape_is_well_formed() {
    well_formed("wsdl", &wsdl("http://127.0.0.1:8199"));
    well_formed("request.xsd", schema("request").unwrap());
    well_formed("response.xsd", schema("response").unwrap());
    let show = |operation: &str, reply: &Reply| {
        let more = [
            ("NguoiLienQuan", Some("<HoVaTen>A</HoVaTen>")),
            ("DiaChi", Some("<MaTinhThanh>01</MaTinhThanh>")),
            ("TinhTrang", Some("1")),
        ];
        let call = ask(operation, &more).or_else(|_| read(verify(&[]))).unwrap();
        well_formed(operation, &render(&call, &system(), reply).body);
    };
    show("XacThucThongTinCongDan", &reply(Ok(matched(Precision::Year))));
    show("XacThucThongTinCongDan", &reply(Ok(Answer::NoMatch)));
    show("CungCapThongTinCongDan", &reply(Ok(citizen(FieldSet::ALL, Precision::Year))));
    show("CungCapThongTinCongDan", &reply(Ok(citizen(FieldSet::EMPTY, Precision::Day))));
    show("CungCapThongTinCongDan", &reply(Ok(Answer::NoMatch)));
    show("CungCapThongTinHoGiaDinh", &reply(Ok(household())));
    let blood = Answer::Blood { precision: Precision::Day, group: BloodGroup::O };
    show("CungCapThongTinNhomMau", &reply(Ok(blood)));
    show("XacMinhThongTinChuHo", &reply(Ok(checked(ClaimResult::Match))));
    show("XacMinhThongTinChuHo", &denied(Reason::LineUsedUp));
    let unread = read(verify(&[("HoVaTen", None)])).unwrap_err();
    well_formed("fault", &render_unreadable(&unread, &denied(Reason::InvalidInput)).body);
    well_formed("401", &unauthenticated("Không xác thực được.", None).body);
    let mut pinned = system();
    pinned.verify_shape = VerifyShape::KetQuaXacThuc;
    let call = read(verify(&[])).unwrap();
    well_formed("pinned", &render(&call, &pinned, &reply(Ok(Answer::NoMatch))).body);
}

fn well_formed(name: &str, document: &str) {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(document);
    let (mut depth, mut roots) = (0u32, 0u32);
    loop {
        match reader.read_event() {
            Ok(Event::Start(_)) => {
                roots += u32::from(depth == 0);
                depth += 1;
            }
            Ok(Event::Empty(_)) => roots += u32::from(depth == 0),
            Ok(Event::End(_)) => depth -= 1,
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(error) => panic!("{name}: {error}"),
        }
    }
    assert_eq!((depth, roots), (0, 1), "{name}");
}

/// Prints microseconds per request; asserts nothing, as machines differ.
#[test]
#[expect(clippy::disallowed_methods, reason = "a measurement")]
fn measure() {
    const ROUNDS: u32 = 20_000;
    let body = verify(&[("MaHoSo", Some("HS.2026-0001")), ("GhiChu", Some(&"x".repeat(440)))]);
    let system = system();
    let time = |what: &str, run: &mut dyn FnMut()| {
        let mut best = f64::MAX;
        for _ in 0..5 {
            let start = std::time::Instant::now();
            (0..ROUNDS).for_each(|_| run());
            best = best.min(start.elapsed().as_secs_f64() / f64::from(ROUNDS) * 1e6);
        }
        println!("{what}: {best:.2} us");
    };
    println!("request of {} bytes", body.len());
    time("parse", &mut || {
        std::hint::black_box(dancu_wire::soap::parse(
            std::hint::black_box(body.as_bytes()),
            Some("text/xml; charset=utf-8"),
            &system,
            soap_support::TODAY,
        ))
        .unwrap();
    });
    time("of which the name", &mut || {
        let name = dancu_domain::name::NameQuery::parse(std::hint::black_box("Nguyễn Thị Mẫu"));
        std::hint::black_box(name).unwrap();
    });
    let call = read(&body).unwrap();
    let yes = reply(Ok(matched(Precision::Day)));
    time("render a verification", &mut || {
        std::hint::black_box(render(&call, &system, &yes));
    });
    let all = reply(Ok(citizen(FieldSet::ALL, Precision::Day)));
    time("render a citizen", &mut || {
        std::hint::black_box(render(&call, &system, &all));
    });
    let no = denied(Reason::LineUsedUp);
    time("render a refusal", &mut || {
        std::hint::black_box(render(&call, &system, &no));
    });
}
