//! The database files from outside, read-only, also beside a process that serves them: structure,
//! journal mode, schema version, space that they hold without using it.

use std::path::Path;

use dancu_store::inspect::{FileReport, inspect};
use dancu_store::sqlite::Area;

use super::{Check, State};

/// Files up to this size are read through without `--full`: a few seconds, during which the
/// write-ahead log of a serving centre cannot begin anew.
const READ_THROUGH_BYTES: u64 = 1 << 30;
/// Unused pages below this are not worth a word: a day of journal is larger.
const FREE_BYTES: u64 = 1 << 30;

type Reports = Vec<(Area, dancu_store::Result<FileReport>)>;

/// One check each; nothing where there are no files, as before the first start or on PostgreSQL.
pub fn checks(data: &Path, full: bool) -> Vec<Check> {
    let limit = if full { u64::MAX } else { READ_THROUGH_BYTES };
    let reports = inspect(data, limit);
    if reports.is_empty() {
        return vec![];
    }
    vec![structure(&reports), mode(&reports), schema(&reports), unused(&reports)]
}

const STRUCTURE: [&str; 3] = [
    "structure",
    "cấu trúc tệp (structure of the files)",
    "Không phục vụ tiếp: giữ nguyên thư mục, kiểm tra đĩa và bộ nhớ, khôi phục từ bản sao lưu (do \
     not go on: keep the folder, check disk and memory, restore from a backup).",
];

/// `PRAGMA quick_check` of each file that is small enough, or of all.
fn structure(reports: &Reports) -> Check {
    let (mut wrong, mut read, mut left) = (vec![], 0, vec![]);
    for (area, report) in reports {
        match report.as_ref().map(|r| r.problems.as_deref()) {
            Ok(Some([])) => read += 1,
            Ok(Some([first, ..])) => wrong.push(format!("{}: {first}", area.file())),
            Ok(None) => left.push(area.file()),
            Err(error) => wrong.push(format!("{}: {error}", area.file())),
        }
    }
    if !wrong.is_empty() {
        return Check::new(STRUCTURE, State::Fail, wrong.join("; "));
    }
    let mut found = format!("{read} tệp nguyên vẹn (files are whole)");
    if !left.is_empty() {
        found.push_str("; lớn, cần --full để đọc hết (large, --full): ");
        found.push_str(&left.join(", "));
    }
    Check::new(STRUCTURE, State::Ok, found)
}

const MODE: [&str; 3] = [
    "journalMode",
    "chế độ ghi (journal mode)",
    "Dừng dancu rồi chạy lại: khi mở, dancu đặt lại chế độ WAL; không đổi tệp bằng công cụ khác \
     (start dancu again, it sets WAL; do not change the files with other tools).",
];

/// Every file is in WAL mode: readers and the writer do not wait for each other.
fn mode(reports: &Reports) -> Check {
    let other = reports.iter().filter_map(|(area, report)| {
        let mode = &report.as_ref().ok()?.journal_mode;
        (mode != "wal").then(|| format!("{}: {mode}", area.file()))
    });
    let other: Vec<String> = other.collect();
    if other.is_empty() {
        return Check::new(MODE, State::Ok, "wal, mỗi lần ghi được đồng bộ (each commit synced)");
    }
    Check::new(MODE, State::Warn, other.join(", "))
}

const SCHEMA: [&str; 3] = [
    "schema",
    "phiên bản lược đồ (schema version)",
    "Tệp cũ hơn: dừng dancu, sao lưu, `dancu migrate`. Tệp mới hơn: dùng bản dancu mới hơn (older \
     files: migrate; newer files: use a newer dancu).",
];

/// Every file has the version that this program needs.
fn schema(reports: &Reports) -> Check {
    let found: Vec<String> = reports
        .iter()
        .filter_map(|(area, report)| {
            let (version, wanted) = (report.as_ref().ok()?.version, area.version());
            let told = format!("{} {version}", area.file());
            Some(if version == wanted { told } else { format!("{told}, cần (needs) {wanted}") })
        })
        .collect();
    let fits = |(area, report): &(Area, dancu_store::Result<FileReport>)| {
        report.as_ref().map_or(true, |r| r.version == area.version())
    };
    let state = if reports.iter().all(fits) { State::Ok } else { State::Fail };
    Check::new(SCHEMA, state, found.join(", "))
}

const UNUSED: [&str; 3] = [
    "unusedPages",
    "trang trống (unused pages)",
    "Chỗ này được dùng lại; muốn trả cho đĩa thì dừng dancu và chạy VACUUM khi đủ chỗ cho một bản \
     sao (it is used again; VACUUM while stopped gives it back, with room for a copy).",
];

/// Space in the files that holds nothing, as after much was forgotten or imported anew.
fn unused(reports: &Reports) -> Check {
    let known = || reports.iter().filter_map(|(_, report)| report.as_ref().ok());
    let free: u64 = known().map(|r| r.free_bytes).sum();
    let all: u64 = known().map(|r| r.bytes).sum();
    let state = if free > FREE_BYTES && free > all / 2 { State::Warn } else { State::Ok };
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let found = format!("{:.1} MiB trong {:.1} MiB (unused, of all)", mib(free), mib(all));
    Check::new(UNUSED, state, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> FileReport {
        FileReport {
            bytes: 4 << 30,
            wal_bytes: 0,
            journal_mode: "wal".into(),
            version: Area::Core.version(),
            free_bytes: 0,
            problems: Some(vec![]),
        }
    }

    fn of(report: FileReport) -> [State; 4] {
        let reports = vec![(Area::Core, Ok(report))];
        [structure(&reports), mode(&reports), schema(&reports), unused(&reports)].map(|c| c.state)
    }

    #[test]
    fn each_fault_is_told_by_its_own_check() {
        use State::{Fail, Ok, Warn};
        assert_eq!(of(report()), [Ok; 4]);
        let torn = Some(vec!["Tree 5 page 9: btreeInitPage() returns error code 11".to_owned()]);
        assert_eq!(of(FileReport { problems: torn, ..report() }), [Fail, Ok, Ok, Ok]);
        let by_hand = FileReport { journal_mode: "delete".into(), ..report() };
        assert_eq!(of(by_hand), [Ok, Warn, Ok, Ok]);
        for version in [0, Area::Core.version() + 1] {
            assert_eq!(of(FileReport { version, ..report() }), [Ok, Ok, Fail, Ok], "{version}");
        }
        assert_eq!(of(FileReport { free_bytes: 3 << 30, ..report() }), [Ok, Ok, Ok, Warn]);
        let unread = vec![(Area::Core, Err(dancu_store::Error::Damaged("core.db")))];
        assert_eq!(structure(&unread).state, Fail);
    }

    #[test]
    fn a_large_file_says_that_it_was_not_read_through() {
        let reports = vec![(Area::Core, Ok(FileReport { problems: None, ..report() }))];
        let check = structure(&reports);
        assert!(check.state == State::Ok && check.found.contains("--full"), "{}", check.found);
    }
}
