//! Lists that were made in good faith, and files that were not.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use dancu_domain::editions::{self, Edition};
use jiff::civil::date;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::*;

/// A package of these parts.
fn package(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(vec![]));
    for (name, bytes) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

const TYPES: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Types \
    xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>";
const RELS: &str = "<Relationships \
    xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"r1\" \
    Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" \
    Target=\"xl/workbook.xml\"/></Relationships>";
const BOOK: &str = "<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" \
    xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets>\
    <sheet name=\"S\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>";
const BOOK_RELS: &str = "<Relationships \
    xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"r1\" \
    Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" \
    Target=\"worksheets/sheet1.xml\"/></Relationships>";

fn book(sheet: &str, further: &[(&str, &[u8])]) -> Vec<u8> {
    let mut parts: Vec<(&str, &[u8])> = vec![
        ("[Content_Types].xml", TYPES.as_bytes()),
        ("_rels/.rels", RELS.as_bytes()),
        ("xl/workbook.xml", BOOK.as_bytes()),
        ("xl/_rels/workbook.xml.rels", BOOK_RELS.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ];
    parts.extend_from_slice(further);
    package(&parts)
}

fn sheet(rows: &str) -> String {
    format!(
        "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\">\
         <sheetData>{rows}</sheetData></worksheet>"
    )
}

/// A row of inline texts.
fn texts(number: u32, values: &[&str]) -> String {
    let mut row = format!("<row r=\"{number}\">");
    for (at, value) in values.iter().enumerate() {
        let name = cell_name(number - 1, at as u32);
        let _ = write!(row, "<c r=\"{name}\" t=\"inlineStr\"><is><t>{value}</t></is></c>");
    }
    row + "</row>"
}

fn head() -> String {
    let mut heads = vec!["TT"];
    heads.extend(Column::ALL.map(Column::head));
    texts(1, &heads)
}

fn row(login: &str, phone: &str) -> Raw {
    Raw::default()
        .with(Column::Login, login)
        .with(Column::Name, "Nguyễn Thị Bình")
        .with(Column::PersonalId, "099301012345")
        .with(Column::OfficerCode, "@CB-1")
        .with(Column::Phone, phone)
        .with(Column::Daily, "120")
}

/// The edition of a year.
fn edition(name: &str) -> &'static Edition {
    let list = |e: &&Edition| e.form == editions::Form::AccountList && e.name == name;
    editions::ALL.iter().find(list).unwrap()
}

#[test]
fn what_is_written_is_read_again() {
    let rows = [row("onestop.canbo1", "+84900000001"), row("=HYPERLINK", "0900000002")];
    let form = Form {
        edition: edition("2025"),
        unit: "H26.001",
        system: "ONESTOP",
        contact: Contact::default(),
        day: date(2026, 11, 24),
        rows: &rows,
    };
    let bytes = write(&form).unwrap();
    let List { layout, rows: read, .. } = read(&bytes).unwrap();
    assert_eq!(layout, Layout::Of2025);
    assert_eq!(read.iter().map(|r| r.raw.clone()).collect::<Vec<_>>(), rows);
    // The head stands in the tenth row; no value became a formula.
    assert_eq!(read.iter().map(|r| r.line).collect::<Vec<_>>(), [11, 12]);
    assert!(read.iter().all(|r| r.formulas.is_empty()));
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut xml = String::new();
    let mut part = zip.by_name("xl/worksheets/sheet1.xml").unwrap();
    std::io::Read::read_to_string(&mut part, &mut xml).unwrap();
    assert!(!xml.contains("<f>"), "a value was written as a formula");
    drop(part);
    let mut styles = String::new();
    std::io::Read::read_to_string(&mut zip.by_name("xl/styles.xml").unwrap(), &mut styles).unwrap();
    assert!(styles.contains("quotePrefix=\"1\""), "risky texts are marked");
}

#[test]
fn numbers_formulas_and_escapes_are_read_as_what_they_are() {
    let cells = "<row r=\"2\"><c r=\"B2\" t=\"inlineStr\"><is><t>'=canbo.thu</t></is></c>\
        <c r=\"C2\" t=\"str\"><f>A1&amp;A2</f><v>Trần</v></c><c r=\"D2\"><v>99301012345</v></c>\
        <c r=\"F2\"><v>900000001</v></c><c r=\"G2\"><v>120</v></c></row>";
    let found = read(&book(&sheet(&(head() + cells)), &[])).unwrap().rows;
    let row = &found[0];
    assert_eq!(row.raw.get(Column::Login), "=canbo.thu");
    assert_eq!(row.raw.get(Column::PersonalId), "099301012345");
    assert_eq!(row.raw.get(Column::Phone), "0900000001");
    assert_eq!(row.raw.get(Column::Daily), "120");
    assert_eq!(row.raw.get(Column::Name), "");
    assert_eq!(row.formulas, [(Column::Name, "C2".to_owned())]);
}

#[test]
fn the_table_is_found_below_what_the_form_says_first() {
    let cover = texts(1, &["DANH SÁCH TÀI KHOẢN", "", "Họ tên: A", "Số điện thoại: 0900"]);
    let heads = ["STT", "Login", "Họ và tên", "CCCD", "Điện thoại", "Số lượt truy vấn"];
    let table = texts(2, &heads) + &texts(3, &["1", "canbo.mot", "A", "", "", "5"]);
    let found = read(&book(&sheet(&(cover + &table)), &[])).unwrap().rows;
    assert_eq!((found.len(), found[0].line), (1, 3));
    assert_eq!(found[0].raw.get(Column::Daily), "5");
}

#[test]
fn wrong_columns_are_named() {
    let missing = texts(1, &["TT", "Tên tài khoản đăng nhập", "Họ và tên", "Số điện thoại"]);
    let refused = read(&book(&sheet(&missing), &[])).unwrap_err();
    assert_eq!(
        refused,
        Unreadable::Missing(Layout::Of2025, vec![Column::PersonalId, Column::Daily])
    );
    let (vi, en) = refused.sentence();
    assert!(vi.contains("“Số CCCD”") && en.contains("“Queries a day”"), "{vi} {en}");
    for further in ["Họ và tên", "Ghi chú"] {
        let mut heads = Column::ALL.map(Column::head).to_vec();
        heads.push(further);
        let refused = read(&book(&sheet(&texts(1, &heads)), &[])).unwrap_err();
        assert_eq!(refused, Unreadable::Odd("G1".into()), "{further}");
    }
    assert_eq!(read(&book(&sheet(&head()), &[])).unwrap_err(), Unreadable::Empty);
    let nothing = read(&book(&sheet(""), &[])).unwrap_err();
    assert_eq!(nothing, Unreadable::Missing(Layout::Of2025, Column::ALL.to_vec()));
}

#[test]
fn what_a_list_has_no_use_for_is_refused() {
    let good = sheet(&(head() + &texts(2, &["1", "canbo.mot"])));
    assert!(read(&book(&good, &[])).is_ok());
    let macros = book(&good, &[("xl/vbaProject.bin", b"x")]);
    assert_eq!(read(&macros).unwrap_err(), Unreadable::Macros);
    let types = TYPES.replace("<Types ", "<Types a=\"macroEnabled.main+xml\" ");
    let parts = [("[Content_Types].xml", types.as_bytes())];
    assert_eq!(read(&package(&parts)).unwrap_err(), Unreadable::Macros);
    assert_eq!(
        read(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, 0]).unwrap_err(),
        Unreadable::Encrypted
    );
    for bytes in [&b""[..], b"login", b"PK\x03\x04"] {
        assert_eq!(read(bytes).unwrap_err(), Unreadable::NotASpreadsheet);
    }
    let other = package(&[("word/document.xml", b"<a/>")]);
    assert_eq!(read(&other).unwrap_err(), Unreadable::NotASpreadsheet);
    let entities = format!("<!DOCTYPE a [<!ENTITY x \"y\">]>{good}");
    let wide: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for part in [entities.as_bytes(), &wide, b"<?xml version='1.0' encoding='utf-16'?><a/>"] {
        let bytes = book(&good, &[("xl/theme/theme1.xml", part)]);
        assert_eq!(read(&bytes).unwrap_err(), Unreadable::Damaged);
    }
    let large = vec![0; FILE_BYTES_MAX + 1];
    assert_eq!(read(&large).unwrap_err(), Unreadable::TooLarge);
}

#[test]
fn nothing_in_a_file_decides_how_much_memory_is_taken() {
    // A count of texts for which the reader would make room.
    for count in ["18446744073709551615", "99999999", "", "1&#48;"] {
        let strings = format!("<sst uniqueCount=\"{count}\"><si><t>a</t></si></sst>");
        let bytes = book(&sheet(&head()), &[("xl/sharedStrings.xml", strings.as_bytes())]);
        assert_eq!(read(&bytes).unwrap_err(), Unreadable::Damaged, "{count}");
    }
    // 40 MB of blanks take 40 KB in the package.
    let blanks = vec![b' '; (UNPACKED_BYTES_MAX + (8 << 20)) as usize];
    let bomb = book(&sheet(&head()), &[("xl/media/a.xml", &blanks)]);
    assert!(bomb.len() < FILE_BYTES_MAX);
    assert_eq!(read(&bomb).unwrap_err(), Unreadable::TooLarge);
    // The far corner of a sheet, and a shared formula of a large number.
    let far = "<row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row>";
    let formula = "<row r=\"2\"><c r=\"B2\"><f t=\"shared\" si=\"99999999999\" ref=\"B2:B9\">1</f>\
                   <v>1</v></c></row>";
    let found = read(&book(&sheet(&(head() + formula + far)), &[])).unwrap().rows;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].formulas, [(Column::Login, "B2".to_owned())]);
    let many: Vec<(String, &[u8])> =
        (0..=PARTS_MAX).map(|n| (format!("a{n}"), &b"x"[..])).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(n, b)| (n.as_str(), *b)).collect();
    assert_eq!(read(&package(&many)).unwrap_err(), Unreadable::TooLarge);
}

#[test]
fn rows_are_bounded() {
    let mut rows = head();
    for number in 2..=100_001 {
        let _ = write!(rows, "<row r=\"{number}\"><c r=\"B{number}\"><v>1</v></c></row>");
    }
    assert_eq!(read(&book(&sheet(&rows), &[])).unwrap_err(), Unreadable::TooManyRows);
    // Rows that only have a style are none.
    let mut rows = head() + &texts(2, &["1", "canbo.mot"]);
    for number in 3..=20_000 {
        let _ = write!(rows, "<row r=\"{number}\"><c r=\"B{number}\" s=\"1\"/></row>");
    }
    assert_eq!(read(&book(&sheet(&rows), &[])).unwrap().rows.len(), 1);
    let back = head() + &texts(3, &["1", "a"]) + &texts(2, &["1", "b"]);
    assert_eq!(read(&book(&sheet(&back), &[])).unwrap_err(), Unreadable::Damaged);
}

/// Damage anywhere is an answer, never a panic that gets out or a long time.
#[test]
fn damaged_files_are_answered() {
    let good = sheet(&(head() + &texts(2, &["1", "canbo.mot", "A", "099301012345", "", "", "5"])));
    let mut state = 20_261_122_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let odd = ["\"", "<", "&", "r=\"A99999999999999999999\"", "t=\"s\"", "<f>", "</row>", "-1"];
    let mut read_well = 0;
    for _ in 0..400 {
        let mut text = good.clone();
        for _ in 0..=random(3) {
            let at = text.floor_char_boundary(random(text.len()));
            let to = text.ceil_char_boundary((at + random(6)).min(text.len()));
            text.replace_range(at..to, odd[random(odd.len())]);
        }
        read_well += usize::from(read(&book(&text, &[])).is_ok());
        let mut bytes = book(&good, &[]);
        let at = random(bytes.len());
        bytes[at] ^= 1 << random(8);
        let _ = read(&bytes);
    }
    assert!(read_well > 0, "some damage is harmless");
}

#[test]
fn cells_are_named_as_in_a_spreadsheet() {
    let names = [(0, 0, "A1"), (9, 25, "Z10"), (0, 26, "AA1"), (0, 701, "ZZ1"), (0, 702, "AAA1")];
    for (row, column, name) in names {
        assert_eq!(cell_name(row, column), name);
    }
}

#[test]
fn a_row_never_shows_itself_in_debug_output() {
    let text = format!("{:?}", row("onestop.canbo1", "0900000001"));
    assert!(!text.contains("099301012345") && !text.contains("Bình"), "{text}");
}

/// 50,000 cells share one text of 8 MB: copied whole each time, this would take hours.
#[test]
fn a_long_text_that_many_cells_share_costs_little() {
    let mut rows = String::new();
    for row in 1..=2_000 {
        let _ = write!(rows, "<row r=\"{row}\">");
        for column in 0..25 {
            let name = cell_name(row - 1, column);
            let _ = write!(rows, "<c r=\"{name}\" t=\"s\"><v>0</v></c>");
        }
        rows += "</row>";
    }
    let shared = format!(
        "<sst xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" count=\"1\" \
         uniqueCount=\"1\"><si><t>{}</t></si></sst>",
        "a".repeat(8_000_000)
    );
    let bytes = book(&sheet(&rows), &[("xl/sharedStrings.xml", shared.as_bytes())]);
    assert!(matches!(read(&bytes), Err(Unreadable::Missing(..))));
}

#[test]
fn a_csv_file_is_read_as_the_list_that_it_is() {
    let heads =
        "TT;Tên tài khoản đăng nhập;Họ và tên;Số CCCD;Số điện thoại;Số lần truy vấn trong ngày";
    let text = format!(
        "\u{feff}Danh sách tài khoản\r\n{heads}\r\n1;canbo.mau1;Nguyễn Thị Mẫu;=\"099301012345\";\
         900000001;50\r\n2;canbo.mau2;\"Trần; Mẫu\";099301012346;'0900000002;=5*10\r\n"
    );
    let rows = read(text.as_bytes()).unwrap().rows;
    let of = |at: usize, column| rows[at].raw.get(column).to_owned();
    assert_eq!((rows.len(), rows[0].line), (2, 3));
    assert_eq!(of(0, Column::PersonalId), "099301012345");
    assert_eq!(of(0, Column::Phone), "0900000001");
    assert_eq!(of(1, Column::Name), "Trần; Mẫu");
    assert_eq!(rows[1].formulas, [(Column::Daily, "F4".to_owned())]);
    let less = text.replace("Số CCCD", "Số");
    assert!(
        matches!(read(less.as_bytes()), Err(Unreadable::Missing(_, c)) if c == [Column::PersonalId])
    );
}

/// A list as the form of 2021 has it: what that form lacks is not said.
fn row_2021(login: &str) -> Raw {
    Raw::default()
        .with(Column::Login, login)
        .with(Column::Name, "Nguyễn Thị Bình")
        .with(Column::Phone, "0900000001")
        .with(Column::Role, "Cán bộ một cửa")
        .with(Column::Daily, "150")
        .with(Column::Purpose, "Xác minh thông tin công dân tại bộ phận một cửa")
}

/// Texts of the first sheet, row by row.
fn shown(bytes: &[u8]) -> Vec<String> {
    let tables = crate::book::read(bytes).unwrap();
    tables[0].lines.iter().map(|line| line.cells.join("\t")).collect()
}

#[test]
fn rule_b6_the_list_of_2021_is_written_in_the_words_of_its_letter() {
    let form = Form {
        edition: edition("2021"),
        unit: "",
        system: "",
        contact: Contact::default(),
        day: date(2026, 11, 24),
        rows: &[],
    };
    let found = shown(&write(&form).unwrap());
    let plain =
        |text: &str| text.chars().filter(|c| !c.is_whitespace() && *c != '*').collect::<String>();
    let letter = include_str!("../../tests/wording/accounts_2021.txt");
    // The motto, and the numbers of empty rows, are left out of a spreadsheet.
    let mut lines: Vec<String> = letter.lines().skip(2).map(plain).collect();
    lines.retain(|line| !line.is_empty() && line.parse::<u8>().is_err());
    let found: Vec<String> = found.iter().map(|line| plain(line)).collect();
    assert_eq!(found, lines);
}

#[test]
fn rule_b6_the_list_of_2021_is_read_again() {
    let rows = [row_2021("HANOI_CONGDVC"), row_2021("=nguyenvana.sttt")];
    let form = Form {
        edition: edition("2021"),
        unit: "Ủy ban nhân dân xã Mẫu",
        system: "ONESTOP",
        contact: Contact { name: "Trần Thị Thử".into(), ..Contact::default() },
        day: date(2026, 11, 24),
        rows: &rows,
    };
    let bytes = write(&form).unwrap();
    assert_eq!(shown(&bytes)[3], "1. Đơn vị đăng ký: Ủy ban nhân dân xã Mẫu");
    assert_eq!(shown(&bytes)[6], "Họ tên: Trần Thị Thử;   chức vụ:");
    let list = read(&bytes).unwrap();
    assert_eq!((list.layout, list.columns.as_slice()), (Layout::Of2021, &form_2021()[..]));
    assert_eq!(list.rows.iter().map(|r| r.raw.clone()).collect::<Vec<_>>(), rows);
    assert!(!list.has(Column::PersonalId));
}

fn form_2021() -> [Column; 6] {
    Layout::Of2021.columns()
}

#[test]
fn rule_b6_a_head_tells_which_form_it_is_of() {
    let read_heads = |heads: &[&str]| {
        let text = format!("{}\nx{}\n", heads.join(";"), ";x".repeat(heads.len() - 1));
        read(text.as_bytes()).map(|list| list.layout)
    };
    // As they are typed again: notes as digits, in brackets, or left out.
    let heads = ["TT", "Họ tên 2", "Tài khoản đăng nhập (3)", "SĐT", "Vai trò, trách nhiệm"];
    let of_2021 = [&heads[..], &["Số lần truy vấn trong ngày ⁵", "Mục đích sử dụng"]].concat();
    assert_eq!(read_heads(&of_2021), Ok(Layout::Of2021));
    // A unit may add what the form of 2025 asks for.
    assert_eq!(read_heads(&[&of_2021[..], &["Số CCCD"]].concat()), Ok(Layout::Of2021));
    let less: Vec<&str> = of_2021.iter().copied().filter(|h| !h.starts_with("Họ")).collect();
    let refused = read_heads(&less).unwrap_err();
    assert_eq!(refused, Unreadable::Missing(Layout::Of2021, vec![Column::Name]));
    assert!(refused.sentence().0.contains("“Họ tên”"), "{:?}", refused.sentence());
    let of_2025 = Column::ALL.map(Column::head);
    assert_eq!(read_heads(&of_2025), Ok(Layout::Of2025));
    let more = [&of_2025[..], &["Vai trò"]].concat();
    assert_eq!(read_heads(&more), Err(Unreadable::Odd("G1".into())));
}
