//! SOAP requests: every habit of clients in use, every bad input, the digest, and no panic.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod soap_support;

use dancu_domain::ids::SubjectId;
use dancu_domain::person::{DETAIL_MAX, Dataset, MaritalStatus};
use dancu_domain::refusal::Reason;
use dancu_domain::service::Service;
use dancu_gate::query::Ask;
use dancu_gate::query::Relation::{Father, Guardian, HouseholdHead, Mother, Spouse};
use dancu_wire::soap::{Operation, Reading, parse};
use proptest::prelude::*;
use soap_support::{DC, SOAP, TODAY, ask, envelope, fields, read, system, verify, wrong};

#[test]
fn a_usual_request() {
    let call = read(verify(&[("MaHoSo", Some("HS.2026/1"))])).unwrap();
    assert_eq!(call.operation, Operation::Verify);
    let query = &call.query;
    assert_eq!(query.service, Service::CitizenVerify);
    assert_eq!(query.request_id.as_str(), "yc-1");
    assert_eq!(query.procedure.as_str(), "1.004194");
    assert_eq!(query.officer.as_str(), "can.bo.mot");
    assert_eq!(query.unit.as_ref().unwrap().as_str(), "H26.001");
    assert_eq!(query.case.as_ref().unwrap().as_str(), "HS.2026/1");
    assert!(matches!(query.subject.id, SubjectId::Personal(id) if id.number() == 99_301_012_345));
    assert_eq!(query.subject.name.fold(), "NGUYENTHIMAU");
    assert_eq!(query.subject.birth.to_string(), "2001-02-15");
    assert!(matches!(&query.ask, Ask::Verify(claims) if claims.is_empty()));
    assert!(query.x_road_user.is_none() && call.echo.is_none());
    assert!(!format!("{call:?}").contains("099301012345"));
}

#[test]
fn prefixes_namespaces_and_order() {
    let same = read(verify(&[])).unwrap().query.body;
    let inner = fields(&[]);
    let prefixed = inner.replace("</", "\u{1}").replace('<', "<d:").replace('\u{1}', "</d:");
    for (text, equal) in [
        // Prefixed, declared on the envelope, with white space, comments and instructions.
        (
            format!(
                "\n<S:Envelope xmlns:S='{SOAP}' xmlns:d='{DC}'>\n <S:Body >\n\
                 <d:XacThucThongTinCongDan\n>{}</d:XacThucThongTinCongDan ></S:Body>\
                 </S:Envelope><!-- end -->\n",
                prefixed.replace("><d:", "> \r\n <!-- c --><?pi x?><d:")
            ),
            true,
        ),
        // SOAP as the default namespace, CDATA and references as text.
        (
            format!(
                "<Envelope xmlns=\"{SOAP}\"><Body><x:XacThucThongTinCongDan xmlns:x=\"{DC}\" \
                 xmlns=\"{DC}\">{}</x:XacThucThongTinCongDan></Body></Envelope>",
                inner.replace("Thị", "<![CDATA[Th]]>&#x1ecb;").replace("yc-1", "y<!-- -->c&#45;1")
            ),
            true,
        ),
        // Children in no namespace are another infoset.
        (
            format!(
                "<s:Envelope xmlns:s=\"{SOAP}\"><s:Body><x:XacThucThongTinCongDan \
                 xmlns:x=\"{DC}\">{inner}</x:XacThucThongTinCongDan></s:Body></s:Envelope>"
            ),
            false,
        ),
        (verify(&[]).replace(DC, "http://gtel.vn/qldc"), false),
        // Another order is another infoset.
        (verify(&[("MaYeuCau", None), ("MaYeuCau ", Some("yc-1"))]), false),
    ] {
        let call = read(&text).unwrap_or_else(|e| panic!("{text}\n{:?}", e.unreadable.errors));
        assert_eq!(call.query.subject.name.fold(), "NGUYENTHIMAU");
        assert_eq!(call.query.request_id.as_str(), "yc-1");
        assert_eq!(call.query.body == same, equal, "{text}");
    }
}

#[test]
fn any_change_of_content_changes_the_digest() {
    let base = verify(&[("La", Some("<A x=\"1\" y=\"2\">t<B/></A>"))]);
    let digest = |text: &str| read(text).unwrap().query.body;
    let same = [
        base.replace("<A x=\"1\" y=\"2\">", "<A y='2'  x='&#49;' >"),
        base.replace("<B/>", "<B></B >"),
        base.replace("<A ", "<A xmlns:unused=\"urn:u\" "),
        base.replace("t<B/>", "<![CDATA[t]]><B/>\n"),
        base.replace("<soapenv:Header/>", ""),
    ];
    for text in &same {
        assert_eq!(digest(text), digest(&base), "{text}");
    }
    let other = [
        base.replace("x=\"1\"", "x=\"2\""),
        base.replace("x=\"1\"", "z=\"1\""),
        base.replace("<B/>", ""),
        base.replace("t<B/>", "<B/>t"),
        base.replace("t<B/>", "<B>t</B>"),
        base.replace("t<B/>", "t <B/>"),
        base.replace("<B/>", "<B xmlns=\"\"/>"),
        base.replace("<B/>", "<B xmlns=\"urn:x\"/>"),
        base.replace("<La>", "<La2>").replace("</La>", "</La2>"),
        base.replace("yc-1", "yc-2"),
        base.replace("yc-1", " yc-1"),
    ];
    let mut all: Vec<_> = other.iter().map(|text| digest(text)).collect();
    all.push(digest(&base));
    all.sort_unstable();
    let count = all.len();
    all.dedup();
    assert_eq!(all.len(), count);
}

#[test]
fn codes_fix_nothing_but_must_be_right() {
    let code = |operation: &str, code: Option<&str>| {
        read(envelope(operation, &fields(&[("MaTichHop", code)]))).map_err(|e| e.unreadable.errors)
    };
    assert!(code("XacThucThongTinCongDan", Some("003")).is_ok());
    assert!(code("XacThucThongTinCongDan", Some("033")).is_ok());
    assert!(code("XacThucThongTinCongDanRequest", Some("033")).is_ok());
    assert!(code("TraCuuThongTinCongDan", Some("037")).is_ok());
    assert!(code("CungCapThongTinCongDan", Some("038")).is_ok());
    assert!(code("CungCapThongTinCongDan", None).is_ok());
    for (operation, sent) in [
        ("XacThucThongTinCongDan", Some("037")),
        ("XacThucThongTinCongDan", None),
        ("TraCuuThongTinCongDan", Some("003")),
        ("TraCuuThongTinCongDan", None),
        ("CungCapThongTinCongDan", Some("037")),
        ("XacThucThongTinCongDan", Some("x03")),
        ("XacThucThongTinCongDan", Some("999999999999999999999")),
    ] {
        let errors = code(operation, sent).unwrap_err();
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].field, "MaTichHop", "{operation} {sent:?}");
    }
    let variant = fields(&[("MaTichHop", None), ("MaDichVu", Some("033"))]);
    assert!(read(envelope("XacThucThongTinCongDanRequest", &variant)).is_ok());
    // A system without the service has no right code; the gate says so.
    let mut bare = system();
    bare.services[Service::CitizenLookup.index()] = None;
    let body = envelope("TraCuuThongTinCongDan", &fields(&[("MaTichHop", None)]));
    assert!(parse(body.as_bytes(), None, &bare, TODAY).is_ok());
    // A registered code of the system's own is taken beside the public ones.
    let grant = bare.services[Service::CitizenVerify.index()].as_mut().unwrap();
    "1003".clone_into(&mut grant.ma_tich_hop);
    for sent in ["1003", "003", "033"] {
        let body = verify(&[("MaTichHop", Some(sent))]);
        assert!(parse(body.as_bytes(), None, &bare, TODAY).is_ok());
    }
}

#[test]
fn officers_ids_and_dates_in_every_habit() {
    let officer = |changes| read(verify(changes)).unwrap().query.officer.as_str().to_owned();
    assert_eq!(officer(&[("TaiKhoan", Some("can.bo.hai"))]), "can.bo.hai");
    assert_eq!(officer(&[("MaCanBo", None), ("TaiKhoan", Some("can.bo.hai"))]), "can.bo.hai");
    assert_eq!(officer(&[("MaCanBo", Some("099070000001"))]), "099070000001");
    // Beside TaiKhoan MaCanBo is kept: the gate sees that both name one account.
    let both = read(verify(&[("TaiKhoan", Some("can.bo.hai"))])).unwrap().query;
    assert_eq!(both.second_name.unwrap().as_str(), "can.bo.mot");
    assert!(read(verify(&[])).unwrap().query.second_name.is_none());
    // Lengths of logins are the profile's.
    let narrow = || Reading { today: TODAY, logins: 11..=20 };
    let body = verify(&[("TaiKhoan", Some("can.bo.hai"))]);
    let unread = parse(body.as_bytes(), None, &system(), narrow()).unwrap_err();
    assert_eq!(unread.unreadable.errors[0].field, "TaiKhoan");
    assert!(unread.unreadable.errors[0].message_vi.contains("11-20"));
    let body = verify(&[("TaiKhoan", Some("can.bo.hai1"))]);
    assert!(parse(body.as_bytes(), None, &system(), narrow()).is_ok());
    let old = [("SoDinhDanh", Some("")), ("SoCMND", Some("012345678"))];
    let call = read(verify(&old)).unwrap();
    assert!(matches!(call.query.subject.id, SubjectId::Old(id) if id.number() == 12_345_678));
    let call = read(verify(&[("SoCMND", Some("012345678"))])).unwrap();
    assert!(matches!(call.query.subject.id, SubjectId::Personal(_)));
    assert!(read(verify(&[("SoCMND", Some(" "))])).is_ok());
    for (form, expected) in [
        ("<NgayThangNam>20010215</NgayThangNam>", "2001-02-15"),
        (" <Nam>2001</Nam> <NgayThangNam>2001-02-15</NgayThangNam> ", "2001-02-15"),
        ("<Nam/><NgayThangNam>2001-02-15</NgayThangNam>", "2001-02-15"),
        ("<NgayThangNam/><Nam>2001</Nam>", "2001"),
        ("<Nam>2001</Nam>", "2001"),
        ("20010215", "2001-02-15"),
        ("2001-02-15", "2001-02-15"),
        ("2001", "2001"),
    ] {
        let call = read(verify(&[("NgayThangNamSinh", Some(form))])).unwrap();
        assert_eq!(call.query.subject.birth.to_string(), expected, "{form}");
    }
    assert!(read(verify(&[("MaDonVi", None)])).unwrap().query.unit.is_none());
    let nested = "<HoVaTen>Người Khác</HoVaTen><Sau><SoDinhDanh>1</SoDinhDanh></Sau>";
    let call = read(verify(&[("Moi", Some("1")), ("MoRong", Some(nested))])).unwrap();
    assert_eq!(call.query.subject.name.fold(), "NGUYENTHIMAU");
}

#[test]
fn what_each_operation_asks() {
    let other = "<SoDinhDanh>099070000001</SoDinhDanh><HoVaTen>NGUYEN VAN DUC</HoVaTen>\
                 <NgayThangNamSinh><Nam>1970</Nam></NgayThangNamSinh><QuocTich>LA</QuocTich>";
    let kin = [("NguoiLienQuan", Some(other))];
    let relations = |operation| match ask(operation, &kin).unwrap().query.ask {
        Ask::Relation(relations, other) => {
            assert_eq!(other.name.fold(), "NGUYENVANDUC");
            assert!(other.personal_id.is_some() && other.old_id.is_none());
            assert_eq!(other.birth.unwrap().to_string(), "1970");
            assert_eq!(other.nationality.unwrap().as_str(), "LA");
            relations
        }
        _ => panic!("not a relation"),
    };
    assert_eq!(relations("XacMinhThongTinNhanThan"), [Father, Mother, Spouse]);
    assert_eq!(relations("XacMinhThongTinNguoiGiamHo"), [Guardian]);
    assert_eq!(relations("XacMinhThongTinChuHo"), [HouseholdHead]);
    assert!(matches!(ask("CungCapThongTinCongDan", &[]).unwrap().query.ask, Ask::Lookup));
    assert!(matches!(ask("CungCapThongTinHoGiaDinh", &[]).unwrap().query.ask, Ask::Household));
    assert!(matches!(ask("CungCapThongTinNhomMau", &[]).unwrap().query.ask, Ask::BloodGroup));
    let marital = ask("XacMinhTinhTrangHonNhan", &[("TinhTrang", Some("2"))]).unwrap();
    assert!(matches!(marital.query.ask, Ask::Marital(MaritalStatus::Married)));
    let vital = ask("XacMinhTinhTrangChetMatTich", &[("TinhTrang", Some("3"))]).unwrap();
    assert!(matches!(vital.query.ask, Ask::Vital(3)));
    for operation in Operation::OFFERED {
        assert_eq!(Operation::from_name(operation.name()), Some(*operation));
    }
}

#[test]
fn addresses_are_read_by_their_list() {
    let address = |inner: &str, more: &[(&str, Option<&str>)]| {
        let mut changes = vec![("DiaChi", Some(inner))];
        changes.extend_from_slice(more);
        match ask("XacMinhThongTinNoiOHienTai", &changes).map(|call| call.query.ask) {
            Ok(Ask::Residence(address)) => Ok(address),
            Ok(_) => panic!("not a residence"),
            Err(unread) => Err(unread.unreadable.errors),
        }
    };
    let now = "<MaTinhThanh>01</MaTinhThanh><MaPhuongXa>00004</MaPhuongXa>";
    let found = address(now, &[]).unwrap();
    assert_eq!((found.province, found.commune, found.detail), (1, 4, None));
    assert_eq!(found.dataset, Dataset::Y2026);
    let before = format!("{now}<MaQuanHuyen>001</MaQuanHuyen><ChiTiet>Số 1</ChiTiet>");
    let found = address(&before, &[]).unwrap();
    assert_eq!((found.dataset, found.detail.as_deref()), (Dataset::Y2024, Some("Số 1")));
    assert_eq!((found.district, found.country), (1, None));
    let alone = "<MaQuanHuyen>001</MaQuanHuyen><QuocGia>la</QuocGia>";
    let found = address(alone, &[]).unwrap();
    assert_eq!((found.district, found.commune, found.dataset), (1, 0, Dataset::Y2024));
    assert_eq!(found.country.unwrap().as_str(), "LA");
    assert_eq!(address(now, &[("NgayDuLieu", Some("20250630"))]).unwrap().dataset, Dataset::Y2024);
    let dated = format!("{before}<NgayDuLieu>2025-07-01</NgayDuLieu>");
    assert_eq!(address(&dated, &[]).unwrap().dataset, Dataset::Y2026);
    for (bad, field) in [
        ("", "DiaChi"),
        ("<MaTinhThanh>1x</MaTinhThanh>", "DiaChi/MaTinhThanh"),
        ("<MaTinhThanh>001</MaTinhThanh>", "DiaChi/MaTinhThanh"),
        ("<MaTinhThanh>01</MaTinhThanh><MaPhuongXa>000004</MaPhuongXa>", "DiaChi/MaPhuongXa"),
        ("<MaTinhThanh>01</MaTinhThanh><NgayDuLieu>nay</NgayDuLieu>", "DiaChi/NgayDuLieu"),
        ("<MaTinhThanh>01</MaTinhThanh><QuocGia>Lào</QuocGia>", "DiaChi/QuocGia"),
    ] {
        let errors = address(bad, &[]).unwrap_err();
        assert!(errors.iter().any(|e| e.field == field), "{bad} {errors:?}");
    }
    let detail = |n: usize| format!("<ChiTiet>{}</ChiTiet>", "ố".repeat(n));
    assert!(address(&detail(DETAIL_MAX), &[]).is_ok());
    let errors = address(&detail(DETAIL_MAX + 1), &[]).unwrap_err();
    assert!(errors[0].message_vi.contains(&format!("{DETAIL_MAX} ký tự")), "{errors:?}");
}

#[test]
fn bad_fields_are_all_named() {
    let long = "Ô".repeat(1000);
    for (field, value) in [
        ("SoDinhDanh", Some("09912345")),
        ("SoDinhDanh", Some("0991234567")),
        ("SoDinhDanh", Some("09912345678")),
        ("SoDinhDanh", Some("0991234567890")),
        ("SoDinhDanh", Some("09912345678A")),
        ("SoDinhDanh", Some("٠٩٩١٢٣٤٥٦٧٨٩")),
        ("SoDinhDanh", None),
        ("SoCMND", Some("12345678")),
        ("SoCMND", Some("1234567890")),
        ("NgayThangNamSinh", Some("19900230")),
        ("NgayThangNamSinh", Some("2031")),
        ("NgayThangNamSinh", Some("01/02/1990")),
        ("NgayThangNamSinh", Some("")),
        ("NgayThangNamSinh", None),
        ("NgayThangNamSinh/NgayThangNam", Some("2026-03-11")),
        ("NgayThangNamSinh/Nam", Some("19900101")),
        ("HoVaTen", Some(&long)),
        ("HoVaTen", Some("An\u{85}Bình")),
        ("HoVaTen", Some(" ")),
        ("HoVaTen", None),
        ("MaYeuCau", None),
        ("MaYeuCau", Some("&#9;x&#127;")),
        ("MaDVC", None),
        ("MaDVC", Some("1 2")),
        ("MaCanBo", None),
        ("TaiKhoan", Some("ngan")),
        ("MaDonVi", Some("H 26")),
        ("MaHoSo", Some("ab")),
    ] {
        let nested = field.rsplit_once('/').map(|(outer, inner)| {
            (outer, format!("<{inner}>{}</{inner}>", value.unwrap_or_default()))
        });
        let change = match &nested {
            Some((outer, inner)) => (*outer, Some(inner.as_str())),
            None => (field, value),
        };
        let body = verify(&[change]);
        assert_eq!(wrong(&body), [field], "{body}");
        let unread = read(&body).unwrap_err();
        let message = &unread.unreadable.errors[0].message_vi;
        assert!(value.is_none_or(|v| v.trim().is_empty() || !message.contains(v)), "{message}");
    }
    let many = verify(&[
        ("MaYeuCau", None),
        ("MaCanBo", None),
        ("SoDinhDanh", Some("1")),
        ("HoVaTen", Some("1")),
        ("NgayThangNamSinh", Some("x")),
    ]);
    let expected = ["MaYeuCau", "MaCanBo", "SoDinhDanh", "HoVaTen", "NgayThangNamSinh"];
    assert_eq!(wrong(&many), expected);
    let state = envelope(
        "XacMinhTinhTrangHonNhan",
        &fields(&[("MaTichHop", Some("042")), ("TinhTrang", Some("4"))]),
    );
    assert_eq!(wrong(state), ["TinhTrang"]);
    let alone = envelope("XacMinhThongTinChuHo", &fields(&[("MaTichHop", None)]));
    assert_eq!(wrong(alone), ["NguoiLienQuan"]);
}

#[test]
fn doubled_elements_are_refused() {
    for name in ["MaYeuCau", "SoDinhDanh", "HoVaTen", "NgayThangNamSinh", "MaCanBo", "MaDVC"] {
        let twice = format!("<{name}/>");
        let body = verify(&[]).replace("</XacThuc", &format!("{twice}</XacThuc"));
        assert_eq!(wrong(body), [name]);
    }
    let nested = "<Nam>2001</Nam><Nam>2001</Nam>";
    assert_eq!(wrong(verify(&[("NgayThangNamSinh", Some(nested))])), ["NgayThangNamSinh/Nam"]);
    let two = verify(&[]).replace("<soapenv:Header/>", "<soapenv:Header/><soapenv:Header/>");
    assert_eq!(wrong(two), ["Header"]);
    let two = verify(&[]).replace("</soapenv:Body>", "</soapenv:Body><soapenv:Body/>");
    assert_eq!(wrong(two), ["Body"]);
}

#[test]
fn broken_envelopes_are_refused() {
    let good = verify(&[]);
    let doctype = |text: &str| good.replacen("?>", &format!("?>{text}"), 1).into_bytes();
    let in_name = |text: &str| good.replace("<HoVaTen>", &format!("<HoVaTen>{text}")).into_bytes();
    let mut invalid = in_name("#");
    let at = invalid.iter().position(|b| *b == b'#').unwrap();
    invalid[at] = 0xff;
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(good.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let many = (0..70).fold(String::new(), |all, n| all + &format!(" a{n}='1'"));
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("empty", vec![]),
        ("blank", b" \n".to_vec()),
        ("not XML", b"hello".to_vec()),
        ("JSON", b"{\"a\": 1}".to_vec()),
        ("truncated", good.as_bytes()[..good.len() / 2].to_vec()),
        ("truncated in a tag", good.as_bytes()[..good.len() - 3].to_vec()),
        ("more after the end", [good.as_bytes(), b"<more/>"].concat()),
        ("text after the end", [good.as_bytes(), b"more"].concat()),
        ("data after the end", [good.as_bytes(), b"<![CDATA[]]>"].concat()),
        ("reference after the end", [good.as_bytes(), b"&#32;"].concat()),
        ("unclosed", good.replace("</HoVaTen>", "").into_bytes()),
        ("unbound prefix", in_name("<zz:a/>")),
        ("unbound attribute", in_name("<a zz:a=''/>")),
        ("doubled attribute", in_name("<a b='' b=''/>")),
        ("doubled expanded", in_name("<a xmlns:x='u' xmlns:y='u' x:b='' y:b=''/>")),
        ("doubled declaration", in_name("<a xmlns:x='u' xmlns:x='v'/>")),
        ("reserved prefix", in_name("<a xmlns:xmlns='u'/>")),
        ("undeclared prefix", in_name("<a xmlns:x=''/>")),
        ("bad attribute", in_name("<a b=1/>")),
        ("less-than in attribute", in_name("<a b='<'/>")),
        ("attributes", in_name(&format!("<a{many}/>"))),
        ("bad names", in_name("<1a/>")),
        ("no name of XML", in_name("<a\u{a0}b/>")),
        ("no name of XML, attribute", in_name("<a b\u{2019}='1'/>")),
        ("end of a section in text", in_name("a]]>b")),
        ("no space between attributes", in_name("<a b='1'c='2'/>")),
        ("instruction without a target", in_name("<? x?>")),
        ("instruction with a bad target", in_name("<?1a x?>")),
        ("instruction with a prefix", in_name("<?a:b x?>")),
        ("reserved instruction", in_name("<?XML x?>")),
        (
            "end of a section in a header",
            good.replace("<soapenv:Header/>", "<soapenv:Header>]]></soapenv:Header>").into_bytes(),
        ),
        (
            "no space in the declaration",
            good.replace("\"1.0\" encoding", "\"1.0\"encoding").into_bytes(),
        ),
        (
            "declaration in disorder",
            good.replace(
                "version=\"1.0\" encoding=\"UTF-8\"",
                "encoding=\"UTF-8\" version=\"1.0\"",
            )
            .into_bytes(),
        ),
        ("bare ampersand", in_name("a & b")),
        ("declaration inside", in_name("<?xml version='1.0'?>")),
        ("comment", in_name("<!-- a -- b -->")),
        ("harmless DTD", doctype("<!DOCTYPE x>")),
        ("entity", doctype("<!DOCTYPE x [<!ENTITY e \"Nguyen\">]>")),
        ("external", doctype("<!DOCTYPE x SYSTEM \"file:///etc/hostname\">")),
        ("DTD inside", in_name("<!DOCTYPE x>")),
        ("unknown entity", in_name("&nope;")),
        ("entity in attribute", in_name("<a b='&nope;'/>")),
        ("invalid UTF-8", invalid),
        ("NUL", in_name("\0")),
        ("control character", in_name("&#1;")),
        ("control in attribute", in_name("<a b='&#1;'/>")),
        ("surrogate", in_name("&#xd800;")),
        ("non-character", in_name("\u{fffe}")),
        ("100 deep", in_name(&("<a>".repeat(100) + &"</a>".repeat(100)))),
        ("8000 deep", in_name(&"<a>".repeat(8000))),
        ("no envelope", format!("<XacThucThongTinCongDan xmlns='{DC}'/>").into_bytes()),
        ("wrong root", good.replace("Envelope", "Envelop").into_bytes()),
        ("wrong namespace", good.replace(SOAP, "urn:nobody").into_bytes()),
        ("declared Latin-1", good.replace("UTF-8", "ISO-8859-1").into_bytes()),
        ("UTF-16", utf16),
    ];
    for (what, body) in bodies {
        assert_eq!(wrong(body), ["Envelope"], "{what}");
    }
    let soap12 = good.replace(SOAP, "http://www.w3.org/2003/05/soap-envelope");
    let unread = read(soap12).unwrap_err();
    assert!(unread.unreadable.errors[0].message_vi.contains("SOAP 1.2"));
}

#[test]
fn wrong_operations_are_told_the_right_ones() {
    let good = verify(&[]);
    for body in [
        good.replace("XacThucThongTinCongDan", "XoaCongDan"),
        good.replace(DC, "urn:nobody"),
        good.replace("</soapenv:Body>", &format!("<x xmlns='{DC}'/></soapenv:Body>")),
        format!("<s:Envelope xmlns:s='{SOAP}'><s:Body/></s:Envelope>"),
        format!("<s:Envelope xmlns:s='{SOAP}'/>"),
    ] {
        let unread = read(&body).unwrap_err();
        let error = &unread.unreadable.errors[0];
        assert_eq!(error.field, "Body", "{body}");
        assert!(error.message_vi.contains("TraCuuThongTinCongDan"));
        assert!(unread.unreadable.reason.is_none());
    }
}

#[test]
fn charsets() {
    let good = verify(&[]);
    let with = |content_type| parse(good.as_bytes(), content_type, &system(), TODAY).is_ok();
    for fine in [
        None,
        Some("text/xml"),
        Some("application/xml;charset=\"utf-8\""),
        Some("text/xml; action=x; Charset=UTF-8"),
    ] {
        assert!(with(fine), "{fine:?}");
    }
    assert!(!with(Some("text/xml; charset=iso-8859-1")));
    assert!(read([b"\xef\xbb\xbf", good.as_bytes()].concat()).is_ok());
    assert!(read(good.replace("UTF-8", "utf-8")).is_ok());
    assert!(read(good.replace(" encoding=\"UTF-8\"", "")).is_ok());
    assert!(read(good.replacen("<soapenv:Env", "\n<!-- c --><?pi?><soapenv:Env", 1)).is_ok());
}

#[test]
fn nesting_up_to_32_is_read() {
    // Envelope, Body, the operation and 29 more.
    let deep = |n: usize| verify(&[("S", Some(&("<a>".repeat(n) + &"</a>".repeat(n))))]);
    assert!(read(deep(28)).is_ok());
    assert_eq!(wrong(deep(29)), ["Envelope"]);
}

#[test]
fn what_can_be_read_is_kept_for_the_journal() {
    let good = verify(&[("MaHoSo", Some("HS.1")), ("HoVaTen", Some("1"))]);
    let unread = read(&good).unwrap_err().unreadable;
    assert_eq!(unread.service, Some(Service::CitizenVerify));
    assert_eq!(unread.request_id.unwrap().as_str(), "yc-1");
    assert_eq!(unread.officer.unwrap().as_str(), "can.bo.mot");
    assert_eq!(unread.procedure.unwrap().as_str(), "1.004194");
    assert_eq!(unread.case.unwrap().as_str(), "HS.1");
    let cut = &good[..good.find("<MaCanBo>").unwrap()];
    let unread = read(cut).unwrap_err().unreadable;
    assert_eq!(unread.errors.len(), 1);
    assert_eq!(unread.service, Some(Service::CitizenVerify));
    assert!(unread.request_id.is_some() && unread.officer.is_none());
}

#[test]
fn lists_and_jobs_are_known_and_no_questions() {
    for operation in ["CungCapDanhSachTheoDoTuoi", "GetRequestStatus"] {
        let unread = read(envelope(operation, "<MaYeuCau>yc-9</MaYeuCau>")).unwrap_err();
        assert_eq!(unread.operation, Some(Operation::List));
        assert_eq!(unread.unreadable.reason, Some(Reason::NotOffered));
        assert_eq!(unread.unreadable.service, Some(Service::CitizenList));
        assert_eq!(unread.unreadable.request_id.unwrap().as_str(), "yc-9");
        assert!(!unread.unreadable.errors.is_empty());
    }
}

#[test]
fn x_road_headers_are_read() {
    let user = "VN".to_owned() + &"9".repeat(80);
    let header = format!(
        "<soapenv:Header xmlns:x=\"http://x-road.eu/xsd/xroad.xsd\"><x:userId>{user}</x:userId>\
         <other>1</other><x:issue> HS-7 </x:issue></soapenv:Header>"
    );
    let with = |text: &str| read(text.replace("<soapenv:Header/>", &header)).unwrap();
    let call = with(&verify(&[]));
    assert_eq!(call.query.x_road_user.as_deref(), Some(&user[..60]));
    assert_eq!(call.query.case.as_ref().unwrap().as_str(), "HS-7");
    assert!(call.echo.is_some() && !format!("{:?}", call.echo).contains("VN9"));
    // The headers are no part of the body; a case of the body's own wins.
    assert_eq!(call.query.body, read(verify(&[])).unwrap().query.body);
    let call = with(&verify(&[("MaHoSo", Some("HS-8"))]));
    assert_eq!(call.query.case.unwrap().as_str(), "HS-8");
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(2_000)
    })]

    #[test]
    fn random_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(body);
    }

    #[test]
    fn mutated_requests_never_panic(
        edits in proptest::collection::vec((any::<u16>(), any::<u8>(), any::<u8>()), 1..6),
    ) {
        let header = "<soapenv:Header><x:userId xmlns:x=\"http://x-road.eu/\">a</x:userId>\
                      </soapenv:Header>";
        let more = [("La", Some("<A b='1&amp;'>t&#13;<![CDATA[ ]]><!-- c --></A>"))];
        let mut body = verify(&more).replace("<soapenv:Header/>", header).into_bytes();
        for (at, byte, how) in edits {
            let at = usize::from(at) % body.len();
            match how % 4 {
                0 => body[at] = byte,
                1 => drop(body.remove(at)),
                2 => body.insert(at, b"<>/&;\"'= !?[]-:x\r"[usize::from(byte) % 17]),
                _ => {
                    let to = (at + usize::from(byte)).min(body.len());
                    let part = body[at..to].to_vec();
                    body.splice(at..at, part);
                }
            }
        }
        let _ = read(body);
    }
}

/// Without a date and a district the list of the day is meant, as in REST.
#[test]
fn the_list_in_force_is_the_default() {
    let body = envelope(
        "XacMinhThongTinNoiOHienTai",
        &fields(&[("MaTichHop", None), ("DiaChi", Some("<MaTinhThanh>01</MaTinhThanh>"))]),
    );
    for (today, list) in [
        (jiff::civil::date(2025, 6, 30), Dataset::Y2024),
        (jiff::civil::date(2025, 7, 1), Dataset::Y2026),
    ] {
        let call = parse(body.as_bytes(), None, &system(), today).unwrap();
        assert!(matches!(call.query.ask, Ask::Residence(a) if a.dataset == list), "{today}");
    }
}

/// Numbers instead of names keep different namespaces apart and spellings together.
#[test]
fn namespaces_by_number_are_exact() {
    let digest = |inner: &str| {
        let body = verify(&[]).replace("</XacThuc", &format!("{inner}</XacThuc"));
        read(&body).unwrap_or_else(|e| panic!("{inner} {:?}", e.unreadable.errors)).query.body
    };
    let one = digest("<p:a xmlns:p='u' xmlns:q='v' q:x='1' p:x='2'><q:a/><p:a/></p:a>");
    for same in [
        "<b:a xmlns:a='v' xmlns:b='u' b:x='2' a:x='1'><a:a/><b:a/></b:a>",
        "<a xmlns='u' xmlns:q='v' xmlns:p='u' q:x='1' p:x='2'><a xmlns='v'/><p:a/></a>",
    ] {
        assert_eq!(digest(same), one, "{same}");
    }
    for other in [
        "<p:a xmlns:p='u' xmlns:q='v' q:x='2' p:x='1'><q:a/><p:a/></p:a>",
        "<p:a xmlns:p='u' xmlns:q='v' q:x='1' p:x='2'><p:a/><q:a/></p:a>",
        "<p:a xmlns:p='u' xmlns:q='w' q:x='1' p:x='2'><q:a/><p:a/></p:a>",
        "<p:a xmlns:p='u' xmlns:q='v' q:x='1' p:x='2'><q:a/><a/></p:a>",
    ] {
        assert_ne!(digest(other), one, "{other}");
    }
}

#[test]
fn lists_of_errors_end_at_50() {
    let twice = "<MaYeuCau>x</MaYeuCau>".repeat(2_000);
    let body = verify(&[]).replace("</XacThuc", &format!("{twice}</XacThuc"));
    assert_eq!(wrong(body).iter().filter(|field| *field == "MaYeuCau").count(), 1);
    let unread = read(envelope("XacThucThongTinCongDan", &twice)).unwrap_err();
    assert!(unread.unreadable.errors.len() <= 50);
}
