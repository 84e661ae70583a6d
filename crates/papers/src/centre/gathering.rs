//! What a focal point gathered, as a paper and as a spreadsheet (B8).

use jiff::civil::Date;
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::{Issued, texts, title, written};
use crate::forms::thousands;
use crate::layout::{Block, Table};
use crate::sheet::RISKY;
use crate::wording::Known;
use crate::{Failed, Pdf};

/// Lines of the title, on both.
const TITLE: [&str; 2] = ["BẢNG TỔNG HỢP", "TÌNH HÌNH KẾT NỐI CƠ SỞ DỮ LIỆU QUỐC GIA VỀ DÂN CƯ"];
/// The columns; their widths in the paper, in shares, and in the spreadsheet, in characters.
const COLUMNS: [(&str, f32, f64); 11] = [
    ("TT", 9.0, 5.0),
    ("Đơn vị", 36.0, 42.0),
    ("Mã đơn vị", 19.0, 14.0),
    ("Đang dùng", 12.0, 9.0),
    ("Chưa đủ", 12.0, 9.0),
    ("Bị khóa", 12.0, 9.0),
    ("Tài khoản", 13.0, 10.0),
    ("Hồ sơ", 24.0, 28.0),
    ("Còn thiếu", 24.0, 34.0),
    ("Hạn", 20.0, 12.0),
    ("Tình trạng", 22.0, 24.0),
];
/// Where numbers stand.
const NUMBERS: std::ops::RangeInclusive<usize> = 3..=6;
/// Paper of Viet Nam's offices: A4.
const PAPER_A4: u8 = 9;

/// A unit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gathered {
    /// Name.
    pub name: String,
    /// Code.
    pub code: String,
    /// Systems in use, incomplete, locked; accounts.
    pub counts: [u32; 4],
    /// Where its dossier stands and whose turn it is, in words.
    pub dossier: String,
    /// Parts that are not complete, in words.
    pub lacks: String,
    /// The last day of a campaign.
    pub deadline: Option<Date>,
    /// How far it is, in words.
    pub level: String,
}

/// A summary.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gathering {
    /// The body above the focal point, and the focal point.
    pub agency: [String; 2],
    /// Where it is issued; empty: for the pen.
    pub place: String,
    /// The day of the figures.
    pub day: Date,
    /// Which units, where not all of the line are listed; may be empty.
    pub scope: String,
    /// Number and digest of its receipt, as they are written; empty where it was not handed up.
    pub receipt: String,
    /// Units.
    pub rows: Vec<Gathered>,
}

impl Gathering {
    /// What stands between title and table.
    fn lines(&self) -> Vec<String> {
        let day = written(self.day);
        let mut lines = vec![format!("Đầu mối tổng hợp: {}. Số liệu ngày {day}.", self.agency[1])];
        for line in [&self.scope, &self.receipt].into_iter().filter(|line| !line.is_empty()) {
            lines.push(line.clone());
        }
        lines
    }

    fn total(&self) -> [u32; 4] {
        let zero = [0; 4];
        self.rows
            .iter()
            .fold(zero, |sum, row| std::array::from_fn(|at| sum[at].saturating_add(row.counts[at])))
    }
}

/// The texts of a row from the third column on, but the numbers.
fn words(row: &Gathered) -> [String; 4] {
    let deadline = row.deadline.map(written).unwrap_or_default();
    [row.dossier.clone(), row.lacks.clone(), deadline, row.level.clone()]
}

/// Bảng tổng hợp, as a paper.
///
/// # Errors
/// The file could not be made.
pub fn gathering(of: &Gathering) -> Result<Pdf, Failed> {
    let issued = Issued {
        agency: of.agency.clone().map(|name| name.to_uppercase()),
        number: String::new(),
        place: if of.place.is_empty() { "…………".into() } else { of.place.clone() },
        day: of.day,
        office: "THỦ TRƯỞNG ĐƠN VỊ".into(),
        signer: String::new(),
    };
    let mut body = vec![];
    for line in of.lines() {
        body.extend(texts(&["{line}"], &Known::default().with("line", &line)));
    }
    let row = |(at, row): (usize, &Gathered)| {
        let mut cells = vec![(at + 1).to_string(), row.name.clone(), row.code.clone()];
        cells.extend(row.counts.map(thousands));
        cells.extend(words(row));
        cells
    };
    let mut rows: Vec<Vec<String>> = of.rows.iter().enumerate().map(row).collect();
    let mut total = vec![String::new(), format!("Cộng {} đơn vị", of.rows.len()), String::new()];
    total.extend(of.total().map(thousands));
    total.resize(COLUMNS.len(), String::new());
    rows.push(total);
    body.push(Block::Table(Table {
        columns: COLUMNS.map(|(head, share, _)| (head.to_owned(), share)).to_vec(),
        centred: (0..COLUMNS.len()).map(|at| at == 0 || NUMBERS.contains(&at)).collect(),
        rows,
    }));
    issued.paper("", title(&TITLE), body, "Bảng tổng hợp tình hình kết nối")
}

/// The same as a spreadsheet.
///
/// # Errors
/// A text is longer than a cell holds.
pub fn gathering_sheet(of: &Gathering) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let made = ExcelDateTime::from_ymd(
        of.day.year().unsigned_abs(),
        of.day.month().unsigned_abs(),
        of.day.day().unsigned_abs(),
    )?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&made));
    let sheet = book.add_worksheet();
    sheet.set_name("Tổng hợp")?;
    sheet.set_paper_size(PAPER_A4).set_landscape().set_print_fit_to_pages(1, 0);
    let cell = || Format::new().set_border(FormatBorder::Thin).set_text_wrap();
    let styles = Styles {
        head: cell()
            .set_bold()
            .set_align(FormatAlign::Center)
            .set_align(FormatAlign::VerticalCenter),
        text: cell().set_num_format("@"),
        quoted: cell().set_num_format("@").set_quote_prefix(),
        number: cell().set_num_format("#,##0"),
    };
    let head = top(sheet, of)?;
    for (at, (name, _, width)) in (0u16..).zip(COLUMNS) {
        sheet.set_column_width(at, width)?;
        sheet.write_string_with_format(head, at, name, &styles.head)?;
    }
    let mut line = head;
    for (at, row) in of.rows.iter().enumerate() {
        line += 1;
        sheet.write_number_with_format(line, 0, at as f64 + 1.0, &styles.number)?;
        styles.row(sheet, line, [&row.name, &row.code], row.counts, &words(row))?;
    }
    let all = format!("Cộng {} đơn vị", of.rows.len());
    line += 1;
    sheet.write_string_with_format(line, 0, "", &styles.text)?;
    styles.row(sheet, line, [&all, ""], of.total(), &Default::default())?;
    let last = COLUMNS.len() as u16 - 1;
    let sign = Format::new().set_bold().set_text_wrap().set_align(FormatAlign::Center);
    let sign_at = "THỦ TRƯỞNG ĐƠN VỊ\n(Ký, ghi rõ họ tên, đóng dấu)";
    sheet.merge_range(line + 2, last - 3, line + 2, last, sign_at, &sign)?;
    sheet.set_row_height(line + 2, 40)?;
    sheet.set_freeze_panes(head + 1, 2)?;
    sheet.set_repeat_rows(head, head)?;
    book.save_to_buffer()
}

struct Styles {
    head: Format,
    text: Format,
    /// A text that begins like a formula.
    quoted: Format,
    number: Format,
}

impl Styles {
    fn row(
        &self,
        sheet: &mut Worksheet,
        line: u32,
        names: [&str; 2],
        counts: [u32; 4],
        words: &[String; 4],
    ) -> Result<(), XlsxError> {
        let texts = (1u16..).zip(names).chain((7u16..).zip(words.iter().map(String::as_str)));
        for (at, text) in texts {
            let style = if text.starts_with(RISKY) { &self.quoted } else { &self.text };
            sheet.write_string_with_format(line, at, text, style)?;
        }
        for (at, count) in (3u16..).zip(counts) {
            sheet.write_number_with_format(line, at, count, &self.number)?;
        }
        Ok(())
    }
}

/// What stands above the table, as documents of the administration have it; gives the row of its
/// head.
fn top(sheet: &mut Worksheet, of: &Gathering) -> Result<u32, XlsxError> {
    let last = COLUMNS.len() as u16 - 1;
    let centred = Format::new().set_align(FormatAlign::Center);
    let bold = centred.clone().set_bold();
    let left = [(of.agency[0].to_uppercase(), &centred), (of.agency[1].to_uppercase(), &bold)];
    let motto = ["CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc"];
    for (row, ((name, style), line)) in (0u32..).zip(left.iter().zip(motto)) {
        sheet.merge_range(row, 0, row, 5, name, style)?;
        sheet.merge_range(row, 6, row, last, line, &bold)?;
    }
    let mut row = 3;
    for line in TITLE {
        sheet.merge_range(row, 0, row, last, line, &bold)?;
        row += 1;
    }
    for line in of.lines() {
        sheet.merge_range(row, 0, row, last, &line, &centred)?;
        row += 1;
    }
    Ok(row + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book;
    use jiff::civil::date;

    fn row(n: u32) -> Gathered {
        Gathered {
            name: format!("Ủy ban nhân dân phường Mẫu {n}"),
            code: format!("H26.{n:03}"),
            counts: [n, 1, 0, 12],
            dossier: "Cần bổ sung (chờ đơn vị)".into(),
            lacks: "cam kết, kiểm tra an ninh".into(),
            deadline: n.is_multiple_of(2).then(|| date(2026, 3, 31)),
            level: "Chờ đơn vị".into(),
        }
    }

    fn summary(rows: u32) -> Gathering {
        Gathering {
            agency: ["Ủy ban nhân dân thành phố Mẫu".into(), "Công an thành phố Mẫu".into()],
            place: "Mẫu".into(),
            day: date(2026, 3, 2),
            scope: "=Tỉnh, thành phố: Mẫu".into(),
            receipt: "Biên nhận TH-00001".into(),
            rows: (1..=rows).map(row).collect(),
        }
    }

    #[test]
    fn rule_b8_the_spreadsheet_reads_back_as_it_was_written() {
        let of = summary(3);
        let bytes = gathering_sheet(&of).unwrap();
        assert_eq!(bytes, gathering_sheet(&of).unwrap(), "the same input, the same bytes");
        let table = book::read(&bytes).unwrap().remove(0);
        assert!(table.formula.is_none(), "what looks like a formula is none");
        let cells: Vec<&[String]> = table.lines.iter().map(|line| line.cells.as_slice()).collect();
        let at = cells.iter().position(|cells| cells[0] == "TT").unwrap();
        let heads = COLUMNS.map(|(head, ..)| head.to_owned());
        assert_eq!(cells[at], heads);
        let of = |cells: &[&str]| cells.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>();
        let (dossier, lacks) = ("Cần bổ sung (chờ đơn vị)", "cam kết, kiểm tra an ninh");
        let name = "Ủy ban nhân dân phường Mẫu 2";
        let second = ["2", name, "H26.002", "2", "1", "0", "12", dossier, lacks, "31/03/2026"];
        assert_eq!(cells[at + 2], [of(&second), of(&["Chờ đơn vị"])].concat());
        assert_eq!(cells[at + 4][1..7], of(&["Cộng 3 đơn vị", "", "6", "3", "0", "36"]));
        assert!(cells.iter().any(|cells| cells[0].contains("Biên nhận TH-00001")));
        assert!(cells[at + 5].last().unwrap().starts_with("THỦ TRƯỞNG ĐƠN VỊ"));
    }

    #[test]
    fn rule_b8_the_paper_goes_over_as_many_pages_as_it_needs() {
        let one = gathering(&summary(2)).unwrap();
        assert!(one.bytes.starts_with(b"%PDF-") && one.pages == 1);
        let many = gathering(&summary(300)).unwrap();
        assert!(many.pages > 10, "{}", many.pages);
        assert!(gathering(&summary(0)).is_ok(), "a line without units");
    }
}
