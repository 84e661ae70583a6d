//! The monthly statement of the services that were provided to a system (A7).

use super::{Issued, item, texts, title, written};
use crate::forms::thousands;
use crate::layout::{Block, Table};
use crate::wording::Known;
use crate::{Failed, Pdf};
use jiff::civil::Date;

/// What a system was given of one service in a window.
pub struct Served {
    /// Service.
    pub service: String,
    /// `Trong giờ`, `Ngoài giờ`.
    pub window: String,
    /// Registered purpose.
    pub purpose: String,
    /// Registered count a day.
    pub daily: u32,
    /// Queries of the month that were counted (D2).
    pub counted: u32,
}

/// Refused questions by reason.
pub struct Refusals {
    /// Why, in words.
    pub reason: String,
    /// Rule.
    pub rule: String,
    /// How many.
    pub count: u32,
}

/// A lock of the month.
pub struct Lock {
    /// What was locked.
    pub what: String,
    /// Since when, as it is written.
    pub since: String,
    /// Until when; empty where it goes on.
    pub until: String,
    /// Why.
    pub reason: String,
}

/// A month of a system.
pub struct Statement {
    /// Whose.
    pub unit: String,
    /// Which system.
    pub system: String,
    /// First and last duty day.
    pub days: [Date; 2],
    /// Services.
    pub served: Vec<Served>,
    /// Refusals.
    pub refused: Vec<Refusals>,
    /// Locks.
    pub locks: Vec<Lock>,
    /// First and last index of the journal that it was made from; none: nothing was journaled.
    pub entries: Option<[u64; 2]>,
    /// What it replaces, in words; empty where it is no correction.
    pub replaces: String,
    /// The tree that covers the journal: how many entries, and its root hash in hex.
    pub tree: (u64, String),
    /// SHA-256 of the JSON that this paper shows, in hex.
    pub sha256: String,
    /// Where that and its signature are fetched and checked.
    pub check: String,
}

/// Bản xác nhận dịch vụ đã cung cấp.
///
/// # Errors
/// The file could not be made.
pub fn statement(issued: &Issued, of: &Statement) -> Result<Pdf, Failed> {
    let known = Known::default()
        .with("unit", &of.unit)
        .with("system", &of.system)
        .with("from", &written(of.days[0]))
        .with("to", &written(of.days[1]))
        .with("replaces", &of.replaces)
        .with("first", &of.entries.map_or(0, |[first, _]| first).to_string())
        .with("last", &of.entries.map_or(0, |[_, last]| last).to_string())
        .with("size", &of.tree.0.to_string())
        .with("root", &spaced(&of.tree.1))
        .with("sha256", &spaced(&of.sha256))
        .with("check", &of.check);
    let mut body = texts(
        &["Trung tâm dữ liệu quốc gia về dân cư xác nhận các dịch vụ đã cung cấp cho hệ thống \
             **{system}** của **{unit}** từ ngày {from} đến hết ngày {to}, mỗi ngày tính từ 07:00 \
             đến 07:00 ngày hôm sau."],
        &known,
    );
    if !of.replaces.is_empty() {
        body.extend(texts(&["Bản này thay bản {replaces}"], &known));
    }
    body.extend(texts(&["**1. Dịch vụ đã cung cấp**"], &known));
    body.push(Block::Table(served(&of.served)));
    body.extend(texts(&["**2. Truy vấn bị từ chối**"], &known));
    body.push(refused(&of.refused, &known));
    body.extend(texts(&["**3. Khóa trong tháng**"], &known));
    body.push(locks(&of.locks, &known));
    let from = if of.entries.is_some() {
        "Số liệu được lập từ nhật ký của Trung tâm, các mục từ số {first} đến số {last}. Truy vấn \
         bị từ chối không tính vào số lượt đã đăng ký."
    } else {
        "Trong tháng, nhật ký của Trung tâm không có mục nào."
    };
    body.extend(texts(
        &[
            from,
            "Gốc của cây nhật ký gồm {size} mục: {root}.",
            "Giấy này trình bày tệp có ký số của Trung tâm, mã kiểm tra SHA-256: {sha256}. Tệp, \
             chữ ký và cách kiểm tra: {check}./.",
        ],
        &known,
    ));
    let titles = ["BẢN XÁC NHẬN", "DỊCH VỤ DÂN CƯ ĐÃ CUNG CẤP TRONG THÁNG"];
    issued.paper("", title(&titles), body, "Bản xác nhận dịch vụ đã cung cấp")
}

/// A long hash in groups, so that its line can break.
fn spaced(hash: &str) -> String {
    let digits: Vec<char> = hash.chars().collect();
    let groups: Vec<String> = digits.chunks(8).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}

fn columns(all: &[(&str, f32)]) -> Vec<(String, f32)> {
    all.iter().map(|(head, share)| ((*head).to_owned(), *share)).collect()
}

fn served(all: &[Served]) -> Table {
    let row = |(at, s): (usize, &Served)| {
        vec![
            (at + 1).to_string(),
            s.service.clone(),
            s.window.clone(),
            s.purpose.clone(),
            thousands(s.daily),
            thousands(s.counted),
        ]
    };
    let sum = all.iter().map(|s| s.counted).fold(0, u32::saturating_add);
    let mut rows: Vec<Vec<String>> = all.iter().enumerate().map(row).collect();
    let total = ["", "Cộng", "", "", "", &thousands(sum)].map(str::to_owned);
    rows.push(total.to_vec());
    Table {
        columns: columns(&[
            ("TT", 8.0),
            ("Dịch vụ", 36.0),
            ("Khung giờ", 20.0),
            ("Mục đích sử dụng", 42.0),
            ("Số lượt đăng ký trong ngày", 22.0),
            ("Số lượt trong tháng", 22.0),
        ]),
        centred: vec![true, false, true, false, true, true],
        rows,
    }
}

fn refused(all: &[Refusals], known: &Known) -> Block {
    if all.is_empty() {
        return item("Không có.", known);
    }
    let row = |(at, r): (usize, &Refusals)| {
        vec![(at + 1).to_string(), r.reason.clone(), r.rule.clone(), thousands(r.count)]
    };
    Block::Table(Table {
        columns: columns(&[("TT", 8.0), ("Lý do", 90.0), ("Quy tắc", 20.0), ("Số lượt", 24.0)]),
        centred: vec![true, false, true, true],
        rows: all.iter().enumerate().map(row).collect(),
    })
}

fn locks(all: &[Lock], known: &Known) -> Block {
    if all.is_empty() {
        return item("Không có.", known);
    }
    let row = |(at, l): (usize, &Lock)| {
        let until = if l.until.is_empty() { "chưa kết thúc" } else { &l.until };
        vec![(at + 1).to_string(), l.what.clone(), l.since.clone(), until.into(), l.reason.clone()]
    };
    Block::Table(Table {
        columns: columns(&[
            ("TT", 8.0),
            ("Phạm vi", 40.0),
            ("Từ", 24.0),
            ("Đến", 24.0),
            ("Lý do", 46.0),
        ]),
        centred: vec![true, false, true, true, false],
        rows: all.iter().enumerate().map(row).collect(),
    })
}
