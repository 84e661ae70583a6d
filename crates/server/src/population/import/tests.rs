//! Files in, files out, and everything that can be wrong with them.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use dancu_domain::moment::Moment;
use dancu_domain::person::{Country, Household, HouseholdRole, Person, Source};
use dancu_domain::profile::Profiles;
use dancu_store::{OpenOptions, Store};
use dancu_world::PopulationSpec;
use jiff::civil::{Date, date};

use super::{Report, run};
use crate::population::csv::read::draft;
use crate::population::csv::{COLUMNS, Header, Row, write};
use crate::population::{export, fill, stats};

const TODAY: Date = date(2026, 6, 1);

/// A data folder that goes when it is dropped.
struct Folder {
    path: PathBuf,
    store: Option<Store>,
}

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("dancu-population-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&path);
        let profile = include_str!("../../../../domain/regulation.toml");
        let options = OpenOptions {
            profiles: Arc::new(Profiles::parse(profile).expect("profile")),
            master_key: <_>::default(),
            now: Moment(1_780_300_000_000),
            migrate: true,
            database: None,
        };
        let store = Some(Store::open(&path, options).expect("store"));
        Self { path, store }
    }

    fn filled(persons: u64) -> Self {
        let folder = Self::new();
        let spec = PopulationSpec { seed: 7, persons, today: TODAY };
        fill::run(folder.store(), &spec, &|_| {}).expect("fill");
        folder
    }

    fn store(&self) -> &Store {
        self.store.as_ref().expect("open")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn export(&self, name: &str) -> PathBuf {
        let to = self.file(name);
        export::run(self.store(), &to, &|_| {}).expect("export");
        to
    }

    fn import(&self, from: &Path, skip_bad: bool) -> anyhow::Result<Report> {
        run(self.store(), from, TODAY, skip_bad, &|_| {})
    }

    fn import_text(&self, text: impl AsRef<[u8]>, skip_bad: bool) -> anyhow::Result<Report> {
        let from = self.file("in.csv");
        std::fs::write(&from, text).expect("write");
        self.import(&from, skip_bad)
    }

    fn persons(&self) -> Vec<Person> {
        let mut persons = vec![];
        let each = |p| {
            persons.push(p);
            Ok(())
        };
        self.store().registry().scan(each).expect("scan");
        persons
    }

    fn household_of(&self, person: &Person) -> Option<Household> {
        let key = person.household.as_ref()?.key;
        self.store().registry().household(key).expect("household")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(store) = self.store.take() {
            store.stop();
        }
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// A row from its columns by name, under the header of all columns.
fn row(values: &[(&str, &str)]) -> String {
    let values: HashMap<_, _> = values.iter().copied().collect();
    let value = |name: &&str| values.get(name).copied().unwrap_or_default().to_owned();
    COLUMNS.iter().map(value).collect::<Vec<_>>().join(",") + "\n"
}

fn file(rows: &[&[(&str, &str)]]) -> String {
    write::header() + &rows.iter().map(|r| row(r)).collect::<String>()
}

const BINH: [(&str, &str); 4] = [
    ("personal_id", "099184000001"),
    ("full_name", "Nguyễn Thị Bình"),
    ("date_of_birth", "1984-02-29"),
    ("sex", "2"),
];

/// Bình with other values.
fn binh<'a>(others: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    BINH.into_iter().chain(others.iter().copied()).collect()
}

#[test]
fn two_thousand_people_survive_unchanged() {
    let first = Folder::filled(2_000);
    let (second, third) = (Folder::new(), Folder::new());
    let plain = first.export("a.csv");
    let report = second.import(&plain, false).unwrap();
    assert_eq!((report.rows, report.loaded, report.bad), (2_000, 2_000, 0), "{report}");
    let packed = second.export("b.csv.zst");
    // The name does not decide how a file is read.
    let renamed = second.file("b.csv");
    std::fs::rename(&packed, &renamed).unwrap();
    assert!(third.import(&renamed, false).unwrap().is_clean());
    let (before, after) = (first.persons(), third.persons());
    for (before, after) in before.iter().zip(&after) {
        let mut with_key = after.clone();
        if let (Some(mine), Some(theirs)) = (&mut with_key.household, &before.household) {
            mine.key = theirs.key;
        }
        assert!(with_key == *before, "a record changed");
        let (old, new) = (first.household_of(before), third.household_of(after));
        assert_eq!(old.map(|h| (h.number, h.members)), new.map(|h| (h.number, h.members)));
        let found = third.store().registry().by_personal_id(before.personal_id).unwrap();
        assert!(found.map(|r| r.person().unwrap()).as_ref() == Some(after));
    }
    let text = std::fs::read(&plain).unwrap();
    assert!(text == std::fs::read(third.export("c.csv")).unwrap());
    assert_eq!(text.split(|b| *b == b'\n').count(), 2_002);
    let (one, three) =
        (stats::run(first.store(), TODAY).unwrap(), stats::run(third.store(), TODAY).unwrap());
    assert_eq!(stats::json(&one), stats::json(&three));
    assert_eq!(one.persons, 2_000);
    assert!(one.households > 400 && stats::json(&one).contains("\"livingMen\":"));
}

#[test]
fn a_file_is_private_and_complete_or_absent() {
    let folder = Folder::filled(100);
    std::fs::write(folder.file("a.csv.part"), "left behind").unwrap();
    let to = folder.export("a.csv");
    assert_eq!(std::fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!folder.file("a.csv.part").exists());
    let nowhere = folder.file("no/such/folder/a.csv");
    assert!(export::run(folder.store(), &nowhere, &|_| {}).is_err());
    assert!(export::run(folder.store(), Path::new("/"), &|_| {}).is_err());
}

#[test]
fn unusual_records_survive() {
    let header = Header::parse(write::header().trim_end().as_bytes()).unwrap();
    let mut people: Vec<Person> =
        dancu_world::households(&PopulationSpec { seed: 3, persons: 300, today: TODAY })
            .flat_map(|h| h.members)
            .collect();
    for (i, person) in people.iter_mut().enumerate() {
        person.household = None;
        if let Some(address) = &mut person.birth_place {
            let details = ["", "\"", "a,\"b\",", "Ngõ 1, \"Nhà đỏ\"", "=1+1", "x\u{301}", "東京"];
            details[i % details.len()].clone_into(&mut address.detail);
            if i % 3 == 0 {
                (address.province, address.commune) = (0, 0);
                address.country = Country::parse("JP").unwrap();
            }
        }
        if i % 4 == 0 {
            (person.permanent, person.current, person.origin) = (None, None, None);
            person.nationality = Country::parse("LA").unwrap();
            person.sources.default.source = Source::Manual;
            person.sources.own.truncate(i % 3);
        }
        if let Some(father) = &mut person.father {
            father.nationality = Country::parse("FR").unwrap();
            father.personal_id = None;
        }
        let mut text = String::new();
        assert!(write::line(person, &mut text));
        let row = Row::read(&header, text.trim_end().as_bytes()).ok().unwrap();
        let read = draft(&row, TODAY).ok().unwrap();
        assert!(read.person == *person && read.household.is_none(), "record {i}");
    }
    people[0].birth_place.as_mut().unwrap().detail = "a\nb".into();
    assert!(!write::line(&people[0], &mut String::new()));
}

#[test]
fn few_columns_in_any_order_are_enough() {
    let folder = Folder::new();
    let text = "\u{feff}sex,full_name,personal_id,date_of_birth\r\n\
                2, nguyễn  thị bình ,099184000001,1984\r\n\r\n\
                1,\"Lê Văn An\",099084000002,19840101";
    let report = folder.import_text(text, false).unwrap();
    assert_eq!((report.rows, report.loaded), (2, 2), "{report}");
    let people = folder.persons();
    assert_eq!(people[0].full_name.as_str(), "nguyễn thị bình");
    assert_eq!(people[0].ethnicity, 99);
    assert_eq!(people[0].sources.default.source, Source::Manual);
    assert_eq!(people[0].sources.default.on, TODAY);
    assert_eq!(people[1].birth.to_string(), "1984-01-01");
    assert!(report.to_string().contains("Đã nạp 2 người"));
    // A second import is refused, and nothing is lost.
    let refused = folder.import_text(text, false).unwrap_err();
    assert!(refused.to_string().contains("thư mục mới"));
    assert_eq!(folder.persons().len(), 2);
}

#[test]
fn every_fault_names_line_and_column_and_no_value() {
    let folder = Folder::new();
    let long = "Đường ".repeat(60);
    #[rustfmt::skip]
    let wrong = [
        ("personal_id", "09918400000"), ("personal_id", "09918400000x"), ("old_ids", "12345678"),
        ("old_ids", "123456789 123456789"), ("full_name", "B1nh"), ("full_name", ""),
        ("other_name", "?"), ("date_of_birth", "29/02/1984"), ("date_of_birth", "1983-02-29"),
        ("date_of_birth", "2026-06-02"), ("date_of_birth", "1849"), ("sex", "4"), ("sex", "M"),
        ("ethnicity", "5x"), ("religion", "015"), ("household_number", "1\u{ffff}"),
        ("nationality", "VNM"), ("marital_status", "9"),
        ("blood_group", "005"), ("permanent_province", "1"), ("vital_status", "4"),
        ("vital_date", "2020-01-01"), ("father_personal_id", "099184000002"),
        ("household_role", "CH01"), ("head_name", "Lê Văn An"), ("sources", "residence"),
        ("sources", "residence@2026-06-02"), ("sources", "residence@2020-01-01 sex"),
        ("sources", "residence@2020-01-01 sex=health@2020-01-01 sex=health@2020-01-01"),
        ("sources", "neighbour@2020-01-01"), ("sources", "manual@2020-1-01"),
    ];
    let expected = |column: &str| match column {
        "permanent_province" => "permanent_dataset".to_owned(),
        "father_personal_id" => "father_name".to_owned(),
        "household_role" | "head_name" => "household_number".to_owned(),
        other => other.to_owned(),
    };
    let ids: Vec<String> = (0..wrong.len()).map(|i| format!("0991840001{i:02}")).collect();
    let mut text = file(&[]);
    for (i, (column, value)) in wrong.iter().enumerate() {
        text += &row(&binh(&[("personal_id", &ids[i]), (column, value)]));
    }
    let report = folder.import_text(&text, false).unwrap();
    assert_eq!(report.bad, wrong.len() as u64, "{report}");
    for (i, (error, (column, value))) in report.errors.iter().zip(wrong).enumerate() {
        assert_eq!((error.row, error.column), (i as u64 + 2, &*expected(column)), "{value}");
        assert!(value.len() < 4 || !error.message_vi.contains(value));
    }
    #[rustfmt::skip]
    let addresses: [(&str, &[(&str, &str)]); 8] = [
        ("origin_dataset", &[("origin_province", "01"), ("origin_dataset", "2025")]),
        ("origin_province", &[("origin_province", "97"), ("origin_dataset", "2026")]),
        ("origin_province", &[("origin_province", "300"), ("origin_dataset", "2026")]),
        ("origin_province",
            &[("origin_province", "01"), ("origin_country", "FR"), ("origin_dataset", "2026")]),
        ("origin_commune",
            &[("origin_commune", "99999"), ("origin_province", "01"), ("origin_dataset", "2026")]),
        ("origin_commune",
            &[("origin_commune", "00004"), ("origin_province", "79"), ("origin_dataset", "2026")]),
        ("origin_commune", &[("origin_commune", "0000x"), ("origin_dataset", "2026")]),
        ("origin_detail", &[("origin_detail", &long), ("origin_dataset", "2026")]),
    ];
    for (column, values) in addresses {
        let report = folder.import_text(file(&[&binh(values)]), false).unwrap();
        assert_eq!(report.errors.first().map(|e| e.column), Some(column), "{values:?}");
    }
    assert!(report.json().contains("\"column\":\"sex\"") && report.to_string().contains("dòng 2"));
    assert!(folder.persons().is_empty());
}

#[test]
fn broken_lines_spoil_themselves_only() {
    let folder = Folder::new();
    let mut text = b"personal_id,full_name,date_of_birth,sex\n".to_vec();
    text.extend_from_slice("099184000001,\"Nguyễn Thị Bình,1984,2\n".as_bytes());
    text.extend_from_slice(b"099184000002,Nguy\xe1\xbb,1984,2\n");
    text.extend_from_slice(b"099184000003,Binh,1984\n\n099184000004,Binh,1984,2,\n");
    text.extend_from_slice(format!("099184000005,{},1984,2\n", "B".repeat(200_000)).as_bytes());
    text.extend_from_slice(b"099184000006,Bi\0nh,1984,2\n099184000007,Binh,1984,2\n");
    text.extend_from_slice(b"099184000007,Binh,1984,2\n099184000008,Binh,1984,2");
    let report = folder.import_text(&text, true).unwrap();
    let errors: Vec<_> = report.errors.iter().map(|e| (e.row, e.column)).collect();
    let name = "full_name";
    assert_eq!(
        errors,
        [(2, name), (3, name), (4, ""), (6, ""), (7, ""), (8, name), (10, "personal_id")]
    );
    assert_eq!((report.rows, report.bad, report.loaded), (9, 7, 2));
    assert!(!report.is_clean() && report.to_string().contains("bỏ 7 dòng sai"));
    let ids: Vec<_> = folder.persons().iter().map(|p| p.personal_id.to_string()).collect();
    assert_eq!(ids, ["099184000007", "099184000008"]);
    assert_eq!(folder.store().registry().count().unwrap(), 2);
}

fn member(
    id: &'static str,
    number: &'static str,
    role: &'static str,
) -> Vec<(&'static str, &'static str)> {
    binh(&[("personal_id", id), ("household_number", number), ("household_role", role)])
}

#[test]
fn households_have_one_head() {
    let folder = Folder::new();
    let with = |mut row: Vec<(&'static str, &'static str)>, head_id| {
        row.extend([("head_name", "Nguyễn Thị Bình"), ("head_personal_id", head_id)]);
        row
    };
    let rows = [
        member("099184000001", "A", "CH02"),
        member("099184000002", "A", "CH01"),
        with(member("099184000003", "A", "CH03"), "099184000002"),
        with(member("099184000004", "A", "CH03"), "099184000001"),
        member("099184000005", "B", "CH03"),
        member("099184000006", "C", "CH01"),
        member("099184000007", "C", "CH01"),
        with(member("099184000008", "D", "CH01"), "099184000001"),
        member("099184000009", "D", "CH03"),
        member("099184000010", "", ""),
        member("099184000011", "E", "CH8"),
    ];
    let rows: Vec<&[_]> = rows.iter().map(Vec::as_slice).collect();
    let report = folder.import_text(file(&rows), false).unwrap();
    let errors: Vec<_> = report.errors.iter().map(|e| (e.row, e.column)).collect();
    let role = "household_role";
    let head = "head_name";
    assert_eq!(
        errors,
        [(5, head), (6, role), (7, role), (8, role), (9, head), (10, role), (12, role)]
    );
    assert_eq!((report.loaded, folder.persons().len()), (0, 0));
    assert!(report.to_string().contains("chưa nạp gì"));
    let report = folder.import_text(file(&rows), true).unwrap();
    assert_eq!((report.loaded, report.bad), (4, 7));
    let people = folder.persons();
    let household = folder.household_of(&people[0]).unwrap();
    let members: Vec<_> =
        household.members.iter().map(|(id, role)| (id.to_string(), *role)).collect();
    let expected = [
        ("099184000002", HouseholdRole::Head),
        ("099184000001", HouseholdRole::Spouse),
        ("099184000003", HouseholdRole::Child),
    ];
    assert_eq!(members, expected.map(|(id, role)| (id.to_owned(), role)));
    assert_eq!(household.number, "A");
    let head = people[0].household.as_ref().unwrap().head.personal_id.unwrap();
    assert_eq!(head.to_string(), "099184000002");
    assert!(people[3].household.is_none());
}

#[test]
fn many_wrong_rows_are_counted_and_the_first_listed() {
    let folder = Folder::new();
    let header = "personal_id,full_name,date_of_birth,sex\n".to_owned();
    let rows = (0..2_500).map(|i| {
        let sex = if i % 2 == 0 { 7 } else { 2 };
        format!("09918400{i:04},Binh,1984,{sex}\n")
    });
    let text = header + &rows.collect::<String>();
    let report = folder.import_text(&text, true).unwrap();
    assert_eq!((report.rows, report.bad, report.loaded), (2_500, 1_250, 1_250));
    assert_eq!(report.errors.len(), 1_000);
    assert_eq!(report.errors.last().map(|e| e.row), Some(2_000));
    assert!(report.to_string().contains("250 dòng sai nữa"));
}

#[test]
fn files_that_are_none() {
    let folder = Folder::new();
    let refused = |bytes: &[u8]| format!("{:#}", folder.import_text(bytes, true).unwrap_err());
    assert!(refused(b"\xff\xfep\0").contains("UTF-16"));
    assert!(refused(b"PK\x03\x04").contains("bảng tính"));
    assert!(refused(b"\x1f\x8b\x08").contains("gzip"));
    assert!(refused(b"").contains("thứ 1"));
    assert!(refused(&vec![b'a'; 300_000]).contains("quá dài"));
    assert!(refused(b"personal_id,full_name,sex\n").contains("date_of_birth"));
    let mut packed = zstd::encode_all(file(&[&BINH]).repeat(50).as_bytes(), 3).unwrap();
    packed.truncate(packed.len() - 20);
    assert!(refused(&packed).contains("tệp hỏng"));
    assert!(folder.import(&folder.path, true).is_err());
    assert!(folder.import(&folder.file("missing.csv"), true).is_err());
    let empty = folder.import_text(file(&[]), false).unwrap();
    assert_eq!((empty.rows, empty.loaded, empty.is_clean()), (0, 0, true));
}

#[test]
fn odd_rows_are_loaded_and_counted() {
    let folder = Folder::new();
    let rows = [
        member("099184000001", "A", "CH01"),
        member("099184000002", "A", "CH08"),
        binh(&[("personal_id", "098184000003"), ("ethnicity", "77"), ("religion", "15")]),
        binh(&[("personal_id", "099084000004")]),
    ];
    let rows: Vec<&[_]> = rows.iter().map(Vec::as_slice).collect();
    let report = folder.import_text(file(&rows), false).unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.loaded, 4);
    let found: Vec<_> = report.warnings.iter().map(|w| (w.column, w.rows)).collect();
    assert_eq!(
        found,
        [
            ("personal_id", 1),
            ("personal_id", 1),
            ("ethnicity", 1),
            ("religion", 1),
            ("household_role", 1)
        ]
    );
    assert!(report.to_string().contains("lưu ý: 1 dòng, cột ethnicity"));
    assert!(report.json().contains("\"warnings\":[{"));
    let people = folder.persons();
    let odd = people.iter().find(|p| p.ethnicity == 77).unwrap();
    assert_eq!(odd.religion, 15);
    assert!(
        people.iter().filter_map(|p| p.household.as_ref()).any(|h| h.role.code() == "CH08"),
        "the role passes through"
    );
}
