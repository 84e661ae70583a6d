//! The service registration form as a spreadsheet (B5; form of document 6383, "Phiếu đăng ký"): its
//! two tables written for download, read with what is wrong cell by cell.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Reader as _, Xlsx, XlsxError};
use dancu_domain::service::{Service, Window};
use dancu_domain::text::fold;
use jiff::civil::Date;
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet,
    XlsxError as WriteError,
};

use super::read::{text_of, unescaped};
use super::write::RISKY;
use super::{COLUMNS_MAX, FILE_BYTES_MAX, Unreadable, both, cell_name, package};
use crate::forms::{About, Registered};

/// Columns: TT, service, count, purpose.
const WIDTHS: [f64; 4] = [5.0, 40.0, 18.0, 50.0];
/// Heads of the table, as the form has them.
const HEADS: [&str; 4] =
    ["TT", "Dịch vụ đăng ký", "Số lượt truy vấn (theo ngày)", "Mục đích sử dụng"];
/// Rows of both tables: twelve services with a purpose or two each.
const ROWS_MAX: usize = 200;
/// The largest count that is read: the whole country asks 1.4 million times a day.
const DAILY_MAX: u32 = 1_000_000;
/// A4.
const PAPER_A4: u8 = 9;

/// A line of the form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// Its number in the sheet, from 1.
    pub row: u32,
    /// Which table it stands in.
    pub window: Window,
    /// Dịch vụ đăng ký.
    pub service: Service,
    /// Số lượt truy vấn (theo ngày).
    pub daily: u32,
    /// Mục đích sử dụng.
    pub purpose: String,
}

/// What is wrong with a cell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The cell, e.g. `C12`.
    pub cell: String,
    /// The sentence in Vietnamese and in English.
    pub sentence: (String, String),
}

/// What a form holds: its lines, or what is wrong with them.
pub type Lines = Result<Vec<Line>, Vec<Fault>>;

/// The file. `lines`: in hours, off hours.
///
/// # Errors
/// A text is longer than a cell holds.
pub fn write(about: &About, lines: [&[Registered]; 2], day: Date) -> Result<Vec<u8>, WriteError> {
    let mut book = Workbook::new();
    let made = ExcelDateTime::from_ymd(
        day.year().unsigned_abs(),
        day.month().unsigned_abs(),
        day.day().unsigned_abs(),
    )?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&made));
    let sheet = book.add_worksheet();
    sheet.set_name("Phiếu đăng ký dịch vụ")?;
    sheet.set_paper_size(PAPER_A4).set_print_fit_to_pages(1, 0);
    for (column, width) in WIDTHS.into_iter().enumerate() {
        sheet.set_column_width(column as u16, width)?;
    }
    let contact = &about.contact;
    let top = [
        "PHIẾU ĐĂNG KÝ SỬ DỤNG DỊCH VỤ TRONG CSDL QUỐC GIA VỀ DÂN CƯ".to_owned(),
        "PHỤC VỤ GIẢI QUYẾT THỦ TỤC HÀNH CHÍNH".to_owned(),
        format!("1. Đơn vị đăng ký: {}", about.unit),
        format!("2. Tên Hệ thống thông tin, CSDL: {}", about.system),
        "3. Đầu mối liên hệ:".to_owned(),
        format!("Họ tên: {}   Chức vụ: {}", contact.name, contact.position),
        format!("Số điện thoại: {}   Email: {}", contact.phone, contact.email),
        format!("Đơn vị công tác: {}", about.unit),
    ];
    let plain = Format::new();
    let bold = Format::new().set_bold().set_align(FormatAlign::Center);
    for (at, text) in (0..).zip(&top) {
        let style = if at < 2 { &bold } else { &plain };
        sheet.merge_range(at, 0, at, 3, text, style)?;
    }
    let inside = "4. Thông tin dịch vụ đăng ký sử dụng trong giờ hành chính của đơn vị:";
    let outside = "5. Thông tin dịch vụ đăng ký sử dụng ngoài giờ hành chính của đơn vị:";
    let row = table(sheet, top.len() as u32, inside, lines[0])?;
    let row = table(sheet, row, outside, lines[1])?;
    let right = Format::new().set_text_wrap().set_align(FormatAlign::Right);
    let sign = "NGƯỜI ĐẠI DIỆN ĐƠN VỊ\n(Ký, ghi rõ họ tên, đóng dấu)";
    sheet.merge_range(row, 0, row, 3, sign, &right)?;
    sheet.set_row_height(row, 40)?;
    book.save_to_buffer()
}

/// A table with its title; gives the row below it.
fn table(
    sheet: &mut Worksheet,
    first: u32,
    title: &str,
    lines: &[Registered],
) -> Result<u32, WriteError> {
    sheet.merge_range(first, 0, first, 3, title, &Format::new())?;
    let head = Format::new()
        .set_bold()
        .set_text_wrap()
        .set_align(FormatAlign::Center)
        .set_border(FormatBorder::Thin);
    for (column, text) in (0..).zip(HEADS) {
        sheet.write_string_with_format(first + 1, column, text, &head)?;
    }
    let cell = Format::new().set_border(FormatBorder::Thin).set_text_wrap();
    let quoted = cell.clone().set_quote_prefix();
    let mut row = first + 2;
    for (number, line) in (1_u32..).zip(lines) {
        sheet.write_number_with_format(row, 0, f64::from(number), &cell)?;
        sheet.write_number_with_format(row, 2, line.daily, &cell)?;
        for (column, text) in [(1, &line.service), (3, &line.purpose)] {
            let style = if text.starts_with(RISKY) { &quoted } else { &cell };
            sheet.write_string_with_format(row, column, text, style)?;
        }
        row += 1;
    }
    Ok(row + 1)
}

/// Reads a form; `service` gives the service of a name.
///
/// # Errors
/// Why the file is not read.
pub fn read(bytes: &[u8], service: impl Fn(&str) -> Option<Service>) -> Result<Lines, Unreadable> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(Unreadable::TooLarge);
    }
    package::check(bytes)?;
    // As with account lists: what the reader stumbles over is a damaged file to us.
    let cells = catch_unwind(AssertUnwindSafe(|| cells(bytes)));
    let cells = cells.map_err(|_| Unreadable::Damaged)??;
    Ok(lines(&cells, service))
}

/// A row of the tables: its number from 0, the window, texts by column of [`HEADS`].
type Row = (u32, Window, [String; 4]);

/// Rows below the heads, with anything in them.
fn cells(bytes: &[u8]) -> Result<Vec<Row>, Unreadable> {
    let mut book = Xlsx::new(Cursor::new(bytes)).map_err(|e| match e {
        XlsxError::Password => Unreadable::Encrypted,
        _ => Unreadable::Damaged,
    })?;
    let name = book.sheet_names().into_iter().next().ok_or(Unreadable::Empty)?;
    let mut reader = book.worksheet_cells_reader(&name).map_err(|_| Unreadable::Damaged)?;
    let mut window = None;
    let mut rows: Vec<Row> = vec![];
    while let Some(found) =
        reader.next_cell_with_formula_metadata().map_err(|_| Unreadable::Damaged)?
    {
        let (row, column) = found.pos;
        let (mut text, _) = text_of(&found.value);
        if matches!(found.value, DataRef::Float(f) if f.fract() != 0.0) {
            // As it is shown here: its point groups no digits.
            text = text.replace('.', ",");
        }
        if column >= COLUMNS_MAX || (text.is_empty() && found.formula.is_none()) {
            continue;
        }
        // The second column's head begins a table; what stands in the first one is a number or a
        // title.
        if column == 1 && fold(&text) == fold(HEADS[1]) {
            window = Some(if window.is_none() { Window::InHours } else { Window::OffHours });
            continue;
        }
        let (Some(window), 1..=3) = (window, column) else { continue };
        if HEADS.iter().any(|head| fold(head) == fold(&text)) {
            continue;
        }
        if rows.last().is_none_or(|(last, ..)| *last != row) {
            if rows.len() >= ROWS_MAX {
                return Err(Unreadable::TooManyRows);
            }
            rows.push((row, window, Default::default()));
        }
        if let Some((_, _, texts)) = rows.last_mut() {
            // A formula's value is not taken: the cell counts as wrong where it needs one.
            texts[column as usize] =
                if found.formula.is_some() { String::new() } else { unescaped(text) };
        }
    }
    if rows.is_empty() { Err(Unreadable::Empty) } else { Ok(rows) }
}

/// A whole number, written plainly or in groups of three: a fraction is none.
fn whole(text: &str) -> Option<u32> {
    let groups: Vec<&str> = text.split(['.', ' ']).collect();
    let (first, rest) = groups.split_first()?;
    let fits = rest.is_empty() || first.len() <= 3 && rest.iter().all(|group| group.len() == 3);
    if fits { groups.concat().parse().ok() } else { None }
}

fn lines(rows: &[Row], service: impl Fn(&str) -> Option<Service>) -> Lines {
    let (mut lines, mut faults) = (vec![], vec![]);
    for (row, window, [_, name, count, purpose]) in rows {
        let mut wrong = |column: u32, vi: &str, en: &str| {
            let cell = cell_name(*row, column);
            let (vi, en) = both(vi, en);
            let vi = format!("Dòng {}, cột “{}”: {vi}", row + 1, HEADS[column as usize]);
            let en = format!("Row {}, column “{}”: {en}", row + 1, HEADS[column as usize]);
            faults.push(Fault { cell, sentence: (vi, en) });
        };
        let service = service(name);
        if service.is_none() {
            wrong(1, "không có dịch vụ tên này; chọn tên trong danh mục.", "no such service.");
        }
        let daily = whole(count).filter(|n| (1..=DAILY_MAX).contains(n));
        if daily.is_none() {
            let vi = "ghi số nguyên từ 1 đến 1.000.000, không dùng công thức.";
            wrong(2, vi, "a whole number from 1 to 1,000,000, no formula.");
        }
        if purpose.is_empty() {
            wrong(3, "ghi mục đích sử dụng (quy tắc A5).", "state the purpose (rule A5).");
        }
        if let (Some(service), Some(daily)) = (service, daily) {
            let purpose = purpose.clone();
            lines.push(Line { row: row + 1, window: *window, service, daily, purpose });
        }
    }
    if faults.is_empty() { Ok(lines) } else { Err(faults) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Date = jiff::civil::date(2026, 3, 9);

    fn registered(service: &str, daily: u32, purpose: &str) -> Registered {
        Registered { service: service.into(), daily, purpose: purpose.into() }
    }

    fn named(text: &str) -> Option<Service> {
        (fold(text) == fold("Xác thực")).then_some(Service::CitizenVerify)
    }

    #[test]
    fn rule_b5_what_is_written_is_read_again() {
        let lines = [registered("Xác thực", 1_500, "=Một cửa"), registered("xác thực", 2, "Khác")];
        let off = [registered("Xác thực", 100, "Trực")];
        let file = write(&About::default(), [&lines, &off], DAY).unwrap();
        assert_eq!(file, write(&About::default(), [&lines, &off], DAY).unwrap());
        let read = read(&file, named).unwrap().unwrap();
        let shown: Vec<_> = read.iter().map(|l| (l.window, l.daily, l.purpose.as_str())).collect();
        assert_eq!(
            shown,
            [
                (Window::InHours, 1_500, "=Một cửa"),
                (Window::InHours, 2, "Khác"),
                (Window::OffHours, 100, "Trực"),
            ]
        );
        assert_eq!(read[0].row, 11);
    }

    #[test]
    fn rule_b5_each_wrong_cell_has_its_sentence() {
        let lines = [registered("Xem bói", 0, ""), registered("Xác thực", 5, "Một cửa")];
        let file = write(&About::default(), [&lines, &[]], DAY).unwrap();
        let faults = read(&file, named).unwrap().unwrap_err();
        let cells: Vec<_> = faults.iter().map(|f| f.cell.as_str()).collect();
        assert_eq!(cells, ["B11", "C11", "D11"]);
        for (text, read) in
            [("1500", Some(1_500)), ("1.500", Some(1_500)), ("12 000", Some(12_000))]
                .into_iter()
                .chain(["1.5", "1,5", "1.50", "0001.500", ""].map(|text| (text, None)))
        {
            assert_eq!(whole(text), read, "{text}");
        }
        assert!(faults[0].sentence.0.starts_with("Dòng 11, cột “Dịch vụ đăng ký”: "));
        let empty = write(&About::default(), [&[], &[]], DAY).unwrap();
        assert_eq!(read(&empty, named), Err(Unreadable::Empty));
    }
}
