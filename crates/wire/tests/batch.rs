//! Batch files in and out: formats, bad rows, chunks, any bytes.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod soap_support;

use dancu_domain::birth::Precision;
use dancu_domain::ids::SubjectId;
use dancu_domain::refusal::Reason;
use dancu_domain::service::{Field, FieldSet};
use dancu_gate::jobs::types::{
    BadPage, BadRow, ItemOutcome, ItemResult, Page, ROW_BYTES_MAX, ReadRow,
};
use dancu_gate::query::{ClaimResult, ClaimValue, Disclosed};
use dancu_wire::batch::{
    BATCH_CSV_HEADER, BatchReader, FileError, Format, bad_csv, bad_page, list_csv_header,
    result_csv, result_ndjson, results_page,
};
use jiff::civil::date;
use proptest::prelude::*;
use soap_support::person;

fn read(format: Format, chunks: &[&[u8]]) -> Result<Vec<ReadRow>, FileError> {
    let mut reader = BatchReader::new(format, date(2026, 3, 2));
    let mut rows = vec![];
    for chunk in chunks {
        reader.push(chunk, &mut rows)?;
    }
    reader.finish(&mut rows)?;
    Ok(rows)
}

fn csv(text: &str) -> Vec<ReadRow> {
    read(Format::Csv, &[text.as_bytes()]).unwrap()
}

fn ndjson(text: &str) -> Vec<ReadRow> {
    read(Format::Ndjson, &[text.as_bytes()]).unwrap()
}

fn refused(bytes: &[u8]) -> FileError {
    let error = read(Format::Csv, &[bytes]).unwrap_err();
    assert!(!error.message_vi().is_empty() && !error.message().is_empty());
    error
}

/// A row without what the program compares by identity only.
fn seen(row: &ReadRow) -> String {
    format!("{row:?}")
}

fn bad(row: &ReadRow) -> (u32, &str, &str) {
    match row {
        ReadRow::Bad(bad) => (bad.row, bad.field.as_str(), bad.reason_vi.as_str()),
        ReadRow::Good(item) => panic!("row {} is good", item.row),
    }
}

fn id(row: &ReadRow) -> (u32, String) {
    match row {
        ReadRow::Good(item) => (
            item.row,
            match item.subject.id {
                SubjectId::Personal(id) => format!("{:012}", id.number()),
                SubjectId::Old(id) => format!("{:09}", id.number()),
            },
        ),
        ReadRow::Bad(bad) => panic!("row {} is bad: {}", bad.row, bad.reason_vi),
    }
}

const HEADER: &str = "personalId,fullName,dateOfBirth\n";

#[test]
fn both_languages_separators_and_line_ends() {
    let expected = (1, "099200012345".to_owned());
    for text in [
        "personalId,fullName,dateOfBirth\n099200012345,Nguyễn Văn Bình,2000-01-31\n",
        "SoDinhDanh;HoVaTen;NgayThangNamSinh\r\n099200012345;NGUYEN VAN BINH;20000131\r\n",
        "\u{feff}sodinhdanh\tHOVATEN\tngaythangnamsinh\n099200012345\tNGUYENVANBINH\t2000",
        "\"fullName\" , dateOfBirth,\"personalId\"\n \"Nguyễn Văn Bình\" ,2000, 099200012345\n\n",
        "oldId,SoDinhDanh,fullName,dateOfBirth\n,099200012345,Nguyễn Văn Bình,2000\n,,,\n",
        // Both ids: the personal id decides.
        "oldId,SoDinhDanh,fullName,dateOfBirth\n012345678,099200012345,Bình,2000\n",
    ] {
        let rows = csv(text);
        assert_eq!(rows.len(), 1, "{text}");
        assert_eq!(id(&rows[0]), expected, "{text}");
    }
    let old = csv("SoCMND,HoVaTen,NgayThangNamSinh\n012345678,Trần Thị Hòa,1970\n");
    assert_eq!(id(&old[0]), (1, "012345678".to_owned()));
}

#[test]
fn rows_are_numbered_below_the_header_and_empty_ones_count() {
    let rows =
        csv("\n\npersonalId,fullName,dateOfBirth\n\n099200012345,Bình,2000\r\n  \nx,Bình,2000\n");
    assert_eq!(id(&rows[0]).0, 2);
    assert_eq!(bad(&rows[1]).0, 4);
    assert_eq!(rows.len(), 2);
}

#[test]
fn every_reason_of_a_row_is_told_and_the_others_go_on() {
    let text = format!(
        "{HEADER}09920001234,,2000-02-30\n099200012345,Bình,2000\n099200012345,Bình,2027-01-01\n\
         099200012345,Bình\n\"099200012345,Bình,2000\n099200012345,B\u{7}nh,2000\n"
    );
    let rows = csv(&text);
    let (row, field, reason) = bad(&rows[0]);
    assert_eq!((row, field), (1, "personalId, fullName, dateOfBirth"));
    assert!(reason.contains("personalId: Số định danh gồm đúng 12 chữ số."), "{reason}");
    assert!(reason.contains("fullName: Bắt buộc"), "{reason}");
    assert!(reason.contains("dateOfBirth: Ngày sinh không có trong lịch."), "{reason}");
    assert_eq!(id(&rows[1]).0, 2);
    assert_eq!(bad(&rows[2]), (3, "dateOfBirth", "Ngày sinh ở tương lai."));
    assert_eq!(bad(&rows[3]), (4, "row", "Dòng có 2 ô, tiêu đề có 3 cột."));
    assert_eq!(bad(&rows[4]).1, "row", "a quote that is never closed spoils its own row only");
    assert_eq!(bad(&rows[5]).1, "fullName");
    assert_eq!(rows.len(), 6);
    for row in &rows {
        if let ReadRow::Bad(bad) = row {
            assert!(bad.reason.is_ascii() && bad.reason.len() > 10, "{}", bad.reason);
            assert!(!format!("{bad:?}").contains("0992000"), "no error holds a value");
        }
    }
}

#[test]
fn a_broken_row_in_other_bytes_is_reported() {
    let mut bytes = HEADER.as_bytes().to_vec();
    bytes.extend_from_slice(b"099200012345,Nguy\xe3n,2000\n099200012345,Binh,2000\n");
    let rows = read(Format::Csv, &[&bytes]).unwrap();
    assert_eq!(bad(&rows[0]), (1, "row", "Dòng không phải UTF-8 hợp lệ."));
    assert_eq!(id(&rows[1]).0, 2);
}

#[test]
fn a_row_may_have_so_many_bytes_and_no_more() {
    let name = |length: usize| {
        let fixed = "099200012345,,2000".len();
        format!(
            "{HEADER}099200012345,{},2000\r\n099200012345,Bình,2000",
            "a".repeat(length - fixed)
        )
    };
    let rows = csv(&name(ROW_BYTES_MAX));
    assert_eq!(bad(&rows[0]).1, "fullName", "within the limit it is the name that is too long");
    let rows = csv(&name(ROW_BYTES_MAX + 1));
    assert_eq!(bad(&rows[0]), (1, "row", "Dòng dài quá 8 KiB."));
    assert_eq!(id(&rows[1]).0, 2);
    let endless = vec![b'x'; 10 * ROW_BYTES_MAX];
    assert_eq!(refused(&endless), FileError::HeaderTooLong);
    let mut late = HEADER.as_bytes().to_vec();
    late.extend_from_slice(&endless);
    let rows = read(Format::Csv, &[&late]).unwrap();
    assert_eq!(bad(&rows[0]).1, "row");
}

#[test]
fn utf_16_is_refused_at_once() {
    let text = "personalId,fullName,dateOfBirth\n099200012345,Bình,2000\n";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [
        little.clone(),
        big.clone(),
        [&b"\xff\xfe"[..], &little].concat(),
        [&b"\xfe\xff"[..], &big].concat(),
    ] {
        for format in [Format::Csv, Format::Ndjson] {
            let mut reader = BatchReader::new(format, date(2026, 3, 2));
            let mut rows = vec![];
            let first =
                bytes.iter().position(|b| reader.push(&[*b], &mut rows) == Err(FileError::Utf16));
            assert!(first.is_some_and(|at| at < 2), "by its second byte");
            assert!(rows.is_empty());
        }
    }
    assert!(FileError::Utf16.message_vi().contains("UTF-16"));
    assert!(FileError::Utf16.message().contains("UTF-16"));
}

#[test]
fn headers_that_are_none() {
    assert_eq!(refused(b""), FileError::Empty);
    assert_eq!(refused(b"\xef\xbb\xbf\r\n \n"), FileError::Empty);
    assert_eq!(refused("099200012345,Bình,2000\n".as_bytes()), FileError::NoHeader);
    assert_eq!(
        refused(b"personalId,note,fullName,dateOfBirth,\n"),
        FileError::UnknownColumns(vec![2, 5])
    );
    assert_eq!(
        refused(b"personalId,SoDinhDanh,fullName,dateOfBirth\n"),
        FileError::DoubledColumn("SoDinhDanh".to_owned())
    );
    for missing in ["fullName,dateOfBirth", "personalId,dateOfBirth", "oldId,fullName"] {
        let error = refused(missing.as_bytes());
        assert!(matches!(error, FileError::MissingColumn(_)), "{missing}");
        assert!(error.field_error().message_vi.contains(" · "), "both languages");
    }
    assert_eq!(refused(b"personalId,\"fullName\n"), FileError::HeaderQuotes);
    assert_eq!(refused(b"personalId,fullN\xe3me\n"), FileError::HeaderNotUtf8);
    assert_eq!(refused(&b"sex,".repeat(200)), FileError::TooManyColumns);
    // A name that is not known could be a person's: it is told by its place only.
    let shown = format!("{:?} {}", refused(b"personalId,NguyenVanBinh\n"), {
        refused(b"personalId,NguyenVanBinh\n").message()
    });
    assert!(!shown.contains("Nguyen"), "{shown}");
}

#[test]
fn claims_are_columns() {
    let text = "personalId,fullName,dateOfBirth,GioiTinh,DanToc,claims.oldId,ThuongTru.MaTinhThanh,\
                permanentResidence.communeCode,father.fullName,Cha.SoDinhDanh,QuanHeVoiChuHo\n\
                099200012345,Bình,2000,1,1,012345678,01,00004,Nguyễn Văn An,099070000001,CH01\n\
                099200012345,Bình,2000,,,,,,,,\n\
                099200012345,Bình,2000,9,x,1,1,4,,099070000001,Con\n";
    let rows = csv(text);
    let ReadRow::Good(item) = &rows[0] else { panic!("{:?}", rows[0]) };
    let fields: Vec<_> = item.claims.iter().map(|c| c.field).collect();
    assert_eq!(
        fields,
        [
            Field::Sex,
            Field::Ethnicity,
            Field::OldId,
            Field::PermanentResidence,
            Field::Father,
            Field::HouseholdRole
        ]
    );
    assert!(matches!(item.claims[1].value, ClaimValue::Code(1)), "a dropped zero is put up with");
    assert!(matches!(&item.claims[3].value, ClaimValue::Address(a) if a.commune == 4));
    let ReadRow::Good(none) = &rows[1] else { panic!() };
    assert!(none.claims.is_empty(), "an empty cell states nothing");
    let (_, fields, _) = bad(&rows[2]);
    assert_eq!(
        fields,
        "GioiTinh, DanToc, claims.oldId, ThuongTru.MaTinhThanh, permanentResidence.communeCode, \
         permanentResidence, father.fullName, QuanHeVoiChuHo"
            .replace("permanentResidence, ", "")
    );
}

#[test]
fn ndjson_rows() {
    let rows = ndjson(concat!(
        "\u{feff}{\"personalId\":\"099200012345\",\"fullName\":\"Bình\",",
        "\"dateOfBirth\":\"2000\"}\r\n",
        "\n",
        "{\"oldId\":\"012345678\",\"fullName\":\"Bình\",\"dateOfBirth\":\"2000\",",
        "\"claims\":{\"sex\":\"1\"}}\n",
        "{\"personalId\":\"1\",\"dateOfBirth\":\"20000230\",\"extra\":1}\n",
        "[]\n{\n{\"a\":\n",
        "{\"personalId\":\"099200012345\",\"oldId\":\"012345678\",\"fullName\":\"Bình\",",
        "\"dateOfBirth\":\"2000\"}\n",
        "{\"personalId\":\"099200012345\",\"fullName\":\"Bình\",\"dateOfBirth\":\"2000\"}"
    ));
    assert_eq!(id(&rows[0]).0, 1);
    let ReadRow::Good(item) = &rows[1] else { panic!() };
    assert_eq!((item.row, item.claims.len()), (3, 1));
    assert_eq!(bad(&rows[2]).1, "extra, personalId, fullName, dateOfBirth");
    assert_eq!(bad(&rows[3]), (5, "row", "Mỗi dòng phải là một đối tượng JSON {…}."));
    assert_eq!(bad(&rows[4]), (6, "row", "JSON bị cắt cụt."));
    assert_eq!(bad(&rows[6]).2, "Chỉ gửi một trong hai: personalId hoặc oldId.");
    assert_eq!(id(&rows[7]).0, 9);
    assert_eq!(read(Format::Ndjson, &[b" \n\r\n"]).unwrap_err(), FileError::Empty);
    let deep = format!("{{\"claims\":{}\n", "[".repeat(5_000));
    assert_eq!(bad(&ndjson(&deep)[0]).1, "row");
}

/// A member that does not exist is named only where it looks like a name of a field, and few of
/// many errors are told: ten thousand bad rows are kept.
#[test]
fn what_is_told_of_a_bad_row_is_bounded_and_clean() {
    let keys = |row: &str| format!("{{\"fullName\":\"Bình\",\"dateOfBirth\":\"2000\",{row}}}\n");
    let many: Vec<_> = (0..600).map(|n| format!("\"k{n}\":1")).collect();
    let claims: Vec<_> = ["birthPlace", "origin", "father", "mother", "spouse"]
        .map(|field| {
            format!(
                "\"{field}\":{{{}}}",
                (100..140).map(|n| format!("\"x{n}\":1")).collect::<Vec<_>>().join(",")
            )
        })
        .into();
    let file = [
        keys(&many.join(",")),
        keys(&format!("\"claims\":{{{}}}", claims.join(","))),
        keys("\"099200012345\":1"),
        keys("\"Nguyễn Văn <b>Bình</b>\":1"),
        keys(&format!("\"{}\":1", "n".repeat(5_000))),
    ];
    let rows = ndjson(&file.concat());
    assert_eq!(rows.len(), 5);
    for row in &rows {
        let ReadRow::Bad(bad) = row else { panic!("{row:?}") };
        let told = format!("{} {} {}", bad.field, bad.reason_vi, bad.reason);
        assert!(told.len() < 2_000, "{} bytes", told.len());
        assert!(bad.field.split(", ").count() <= 10, "{}", bad.field);
        for unclean in ["0992", "Nguyễn", "<b>", "nnnnnnnn"] {
            assert!(!told.contains(unclean), "{told}");
        }
    }
    let ReadRow::Bad(first) = &rows[0] else { panic!() };
    assert!(first.reason_vi.ends_with("Và 11 lỗi khác."), "{}", first.reason_vi);
    assert!(first.reason.ends_with("And 11 more."), "{}", first.reason);
    let ReadRow::Bad(unshown) = &rows[2] else { panic!() };
    assert!(unshown.reason.contains("?: There is no such member."), "{}", unshown.reason);
}

#[test]
fn media_types() {
    for (text, format) in [
        ("text/csv", Some(Format::Csv)),
        ("Text/CSV; charset=UTF-8; header=present", Some(Format::Csv)),
        ("application/x-ndjson", Some(Format::Ndjson)),
        ("application/jsonl;charset=\"utf-8\"", Some(Format::Ndjson)),
        ("text/csv; charset=utf-16", None),
        ("application/json", None),
        ("", None),
    ] {
        assert_eq!(Format::from_content_type(text), format, "{text}");
    }
}

fn item(row: u32, outcome: ItemOutcome) -> ItemResult {
    ItemResult { row, journal_index: 7, correlation: [0xab; 16], outcome }
}

fn listed(fields: FieldSet, detail: &str) -> ItemResult {
    let mut person = person();
    detail.clone_into(&mut person.permanent.as_mut().unwrap().detail);
    item(1, ItemOutcome::Listed(Box::new(Disclosed::new(person, fields, None))))
}

#[test]
fn results_as_files_and_pages() {
    let claims = vec![(Field::Sex, ClaimResult::Match), (Field::Spouse, ClaimResult::Unknown)];
    let outcome =
        ItemOutcome::Match { precision: Precision::Year, alive: Some(Some(true)), claims };
    let items = [
        item(1, outcome),
        item(2, ItemOutcome::NoMatch),
        item(3, ItemOutcome::Refused(Reason::FieldNotGranted as u8)),
    ];
    let (mut csv, mut json) = (BATCH_CSV_HEADER.to_owned(), String::new());
    for one in &items {
        result_csv(&mut csv, one, false);
        result_ndjson(&mut json, one);
    }
    let lines: Vec<_> = csv.split("\r\n").collect();
    let correlation = "ab".repeat(16);
    assert_eq!(lines[1], format!("1,match,true,year,sex=match spouse=unknown,,,7,{correlation}"));
    assert_eq!(lines[2], format!("2,noMatch,,,,,,7,{correlation}"));
    assert!(lines[3].starts_with("3,refused,,,,A4,Có trường"), "{}", lines[3]);
    let columns = |line: &str| line.split(',').count();
    assert!(lines[..4].iter().all(|l| columns(l) == columns(lines[0])));
    let rows: Vec<serde_json::Value> =
        json.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(rows[0]["claims"]["spouse"], "unknown");
    assert_eq!((&rows[0]["alive"], &rows[0]["precision"]), (&true.into(), &"year".into()));
    assert_eq!((&rows[2]["result"], &rows[2]["ruleId"]), (&"refused".into(), &"A4".into()));
    assert_eq!(rows[1]["journal"]["index"], 7);
    let page = results_page(&Page { results: items.to_vec(), next: Some(4) });
    let page: serde_json::Value = serde_json::from_str(&page).unwrap();
    assert_eq!((page["results"].as_array().unwrap().len(), &page["next"]), (3, &4.into()));
}

#[test]
fn lists_tell_granted_fields_and_no_formula() {
    let header = list_csv_header();
    let fields = FieldSet::of(&[Field::FullName, Field::PermanentResidence]);
    let one = listed(fields, "=cmd|' /C calc'!A0, \"x\"");
    let mut line = String::new();
    result_csv(&mut line, &one, true);
    assert!(line.contains(",\"'=cmd|' /C calc'!A0, \"\"x\"\"\","), "{line}");
    let at = header.split(',').position(|c| c == "personalId").unwrap();
    assert_eq!(line.split(',').nth(at), Some(""), "what is not granted is empty");
    let mut refused = String::new();
    result_csv(&mut refused, &item(2, ItemOutcome::Refused(Reason::LineUsedUp as u8)), true);
    assert_eq!(refused.split(',').count(), header.split(',').count());
    for sign in ["=", "+", "-", "@", "\t", "\r"] {
        let mut line = String::new();
        result_csv(&mut line, &listed(fields, &format!("{sign}1")), true);
        assert!(line.contains(&format!("'{sign}1")), "{sign:?}");
    }
    let mut json = String::new();
    result_ndjson(&mut json, &one);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["citizen"].as_object().unwrap().len(), 2);
}

#[test]
fn bad_rows_as_files_and_pages() {
    let bad = BadRow {
        row: 9,
        field: "-x".into(),
        reason_vi: "Sai, \"thiếu\".".into(),
        reason: "Wrong.".into(),
    };
    let mut line = String::new();
    bad_csv(&mut line, &bad);
    assert_eq!(line, "9,'-x,\"Sai, \"\"thiếu\"\".\",Wrong.\r\n");
    let page = bad_page(&BadPage { rows: vec![bad], next: None });
    let page: serde_json::Value = serde_json::from_str(&page).unwrap();
    assert_eq!((&page["badRows"][0]["row"], &page["next"]), (&9.into(), &serde_json::Value::Null));
}

/// Texts that look like files, with every kind of fault.
fn file() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"099200012345".to_vec()),
        Just("Nguyễn Văn Bình".as_bytes().to_vec()),
        Just(b"2000-02-30".to_vec()),
        Just(b"\"".to_vec()),
        Just(b",".to_vec()),
        Just(b";".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"{\"personalId\":\"1\"}".to_vec()),
        Just(b"\xef\xbb\xbf".to_vec()),
        Just(vec![0]),
        Just(vec![b'x'; ROW_BYTES_MAX]),
        proptest::collection::vec(any::<u8>(), 0..8),
    ];
    let start = prop_oneof![
        Just(b"personalId,fullName,dateOfBirth\n".to_vec()),
        Just(b"\xef\xbb\xbfSoCMND;HoVaTen;NgayThangNamSinh;sex\r\n".to_vec()),
        Just(vec![]),
    ];
    (start, proptest::collection::vec(piece, 0..24)).prop_map(|(mut bytes, pieces)| {
        bytes.extend(pieces.concat());
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn chunks_do_not_matter(
        bytes in file(),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
        single in any::<bool>(),
    ) {
        let mut at: Vec<_> = cuts.iter().map(|i| i.index(bytes.len() + 1)).collect();
        at.extend([0, bytes.len()]);
        at.sort_unstable();
        let mut chunks: Vec<&[u8]> = at.windows(2).map(|w| &bytes[w[0]..w[1]]).collect();
        if single && bytes.len() < 4_000 {
            chunks = bytes.chunks(1).collect();
        }
        for format in [Format::Csv, Format::Ndjson] {
            let whole = read(format, &[&bytes]).map(|r| r.iter().map(seen).collect::<Vec<_>>());
            let cut = read(format, &chunks).map(|r| r.iter().map(seen).collect::<Vec<_>>());
            prop_assert_eq!(whole, cut);
        }
    }

    #[test]
    fn any_bytes_give_rows_in_order(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        for format in [Format::Csv, Format::Ndjson] {
            let Ok(rows) = read(format, &[&bytes]) else { continue };
            let numbers: Vec<_> = rows
                .iter()
                .map(|row| match row {
                    ReadRow::Good(item) => item.row,
                    ReadRow::Bad(bad) => bad.row,
                })
                .collect();
            prop_assert!(numbers.windows(2).all(|w| w[0] < w[1]));
        }
    }
}
