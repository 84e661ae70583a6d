//! Documents of the centre.

use jiff::civil::date;

use super::*;

const DAY: Date = date(2026, 3, 9);

#[test]
fn rule_a4_consent_names_receiver_scope_and_end() {
    let asked = Consent {
        unit: "Sở Tư pháp".into(),
        request: "số 12/STP ngày 01/03/2026".into(),
        receiver: "Công ty Thử".into(),
        fields: vec!["họ và tên".into(), "ngày sinh".into()],
        purpose: "trả kết quả".into(),
        days: [DAY, date(2026, 9, 9)],
    };
    let issued = Issued { number: "7/TTDLDC".into(), ..Issued::by_centre(DAY) };
    let first = consent(&issued, &asked).unwrap();
    assert_eq!(first.pages, 1);
    assert!(first == consent(&issued, &asked).unwrap());
    assert!(first.bytes.starts_with(b"%PDF-1.7"));
}

#[test]
fn rule_a7_a_statement_of_an_empty_month_is_a_page() {
    let of = Statement {
        unit: "Sở Tư pháp".into(),
        system: "HT-01".into(),
        days: [date(2026, 2, 1), date(2026, 2, 28)],
        served: vec![],
        refused: vec![],
        locks: vec![],
        entries: Some([1, 2]),
        replaces: String::new(),
        tree: (48_908, "0f".repeat(32)),
        sha256: "a1".repeat(32),
        check: "/unit/statements".into(),
    };
    assert_eq!(statement(&Issued::by_centre(DAY), &of).unwrap().pages, 1);
}

#[test]
fn rule_a4_a_consent_to_connect_is_laid_out_whatever_was_typed() {
    let of = |purpose: String, rows: usize| Connection {
        unit: "Sở Tư pháp".into(),
        request: "hồ sơ số HS-00001, lần nộp 1".into(),
        system: "{unit} ***hệ thống*** || <b>".into(),
        purpose,
        lines: vec![("Xác thực thông tin công dân".into(), true, 500); rows],
    };
    let issued = Issued { number: "7/TTDLDC-CT".into(), ..Issued::by_centre(DAY) };
    assert_eq!(connection(&issued, &of("Một cửa".into(), 2)).unwrap().pages, 1);
    assert!(connection(&issued, &of("Một cửa ".repeat(750), 24)).unwrap().pages > 1);
    assert!(connection(&issued, &of(String::new(), 0)).is_ok());
}
