//! Writing a list in the layout of the form: its words are those of the printed one.

use dancu_domain::editions::Edition;
use jiff::civil::Date;
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::{Column, Layout, Raw};
use crate::forms::{About, wording};
use crate::layout::text::Span;
use crate::layout::{Block, Prompt, Table};
use crate::wording::blocks;

/// First characters by which a spreadsheet takes a text for a formula, or for a command of one.
pub(crate) const RISKY: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];
/// Paper of Viet Nam's offices: A4.
const PAPER_A4: u8 = 9;
/// The last column: TT and six of a layout.
const LAST: u16 = 6;
/// Characters of a line that reaches over all columns, and its height in points.
const LINE: (usize, f64) = (110, 16.0);

/// Whom the centre calls about the list; empty parts are left for the pen.
#[derive(Clone, Default)]
pub struct Contact {
    /// Họ tên.
    pub name: String,
    /// Chức vụ.
    pub position: String,
    /// Số điện thoại.
    pub phone: String,
    /// Email.
    pub email: String,
}

/// A list to be written.
pub struct Form<'a> {
    /// In whose words and layout.
    pub edition: &'static Edition,
    /// Đơn vị đăng ký.
    pub unit: &'a str,
    /// Tên hệ thống thông tin, CSDL.
    pub system: &'a str,
    /// Đầu mối liên hệ.
    pub contact: Contact,
    /// Day of the list by the product's clock.
    pub day: Date,
    /// Accounts.
    pub rows: &'a [Raw],
}

struct Styles {
    title: Format,
    plain: Format,
    head: Format,
    text: Format,
    /// A text that begins like a formula: marked as text by the spreadsheet's own sign.
    quoted: Format,
    number: Format,
    foot: Format,
    sign: Format,
}

impl Styles {
    fn new() -> Self {
        let cell = || Format::new().set_border(FormatBorder::Thin).set_num_format("@");
        let foot = Format::new().set_text_wrap().set_align(FormatAlign::Top);
        Self {
            title: Format::new().set_bold().set_align(FormatAlign::Center),
            plain: Format::new(),
            head: Format::new()
                .set_bold()
                .set_text_wrap()
                .set_align(FormatAlign::Center)
                .set_align(FormatAlign::VerticalCenter)
                .set_border(FormatBorder::Thin),
            text: cell(),
            quoted: cell().set_quote_prefix(),
            number: Format::new().set_border(FormatBorder::Thin).set_num_format("0"),
            sign: foot.clone().set_align(FormatAlign::Right),
            foot,
        }
    }
}

/// The file.
///
/// # Errors
/// A text is longer than a cell holds.
pub fn write(form: &Form<'_>) -> Result<Vec<u8>, XlsxError> {
    let layout = Layout::of(form.edition);
    let mut book = Workbook::new();
    let day = form.day;
    let made = ExcelDateTime::from_ymd(
        day.year().unsigned_abs(),
        day.month().unsigned_abs(),
        day.day().unsigned_abs(),
    )?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&made));
    let sheet = book.add_worksheet();
    let styles = Styles::new();
    sheet.set_name("Danh sách tài khoản")?;
    sheet.set_paper_size(PAPER_A4).set_landscape().set_print_fit_to_pages(1, 0);
    sheet.set_footer(day.strftime("&LĐến ngày %d/%m/%Y&R&P/&N").to_string());
    sheet.set_column_width(0, 5.0)?;
    for (at, column) in (1..).zip(layout.columns()) {
        sheet.set_column_width(at, width(column))?;
    }
    let about = About {
        unit: form.unit.to_owned(),
        system: form.system.to_owned(),
        contact: form.contact.clone(),
    };
    let parts = blocks(wording(form.edition), &about.known(), |_| Some(Table::default()));
    let mut row = 0;
    for part in &parts {
        match part {
            // A spreadsheet to be filled in begins with what it is.
            Block::Motto => {}
            Block::Table(_) => row = table(sheet, &styles, (row, layout), form.rows)?,
            other => row = words(sheet, &styles, row, other)?,
        }
    }
    book.save_to_buffer()
}

const fn width(column: Column) -> f64 {
    match column {
        Column::Login => 28.0,
        Column::Name => 30.0,
        Column::Purpose => 36.0,
        Column::PersonalId | Column::OfficerCode | Column::Phone | Column::Role => 16.0,
        Column::Daily => 14.0,
    }
}

/// A table with its head, and a row below it that stays empty; gives the row that follows.
fn table(
    sheet: &mut Worksheet,
    styles: &Styles,
    (head, layout): (u32, Layout),
    rows: &[Raw],
) -> Result<u32, XlsxError> {
    sheet.set_row_height(head, 32)?;
    sheet.write_string_with_format(head, 0, "TT", &styles.head)?;
    for (at, column) in (1..).zip(layout.columns()) {
        sheet.write_string_with_format(head, at, layout.head(column), &styles.head)?;
    }
    let mut row = head + 1;
    for (number, raw) in (1..).zip(rows) {
        table_row(sheet, styles, (row, layout), number, raw)?;
        row += 1;
    }
    sheet.set_freeze_panes(head + 1, 0)?;
    sheet.set_repeat_rows(head, head)?;
    Ok(row + 1)
}

fn table_row(
    sheet: &mut Worksheet,
    styles: &Styles,
    (row, layout): (u32, Layout),
    number: u32,
    raw: &Raw,
) -> Result<(), XlsxError> {
    sheet.write_number_with_format(row, 0, number, &styles.number)?;
    for (at, column) in (1..).zip(layout.columns()) {
        let value = raw.get(column);
        match (column, value.parse::<u32>()) {
            (Column::Daily, Ok(daily)) => {
                sheet.write_number_with_format(row, at, daily, &styles.number)?
            }
            // Always as a text, so that no noughts are lost and nothing is computed.
            _ if value.starts_with(RISKY) => {
                sheet.write_string_with_format(row, at, value, &styles.quoted)?
            }
            _ => sheet.write_string_with_format(row, at, value, &styles.text)?,
        };
    }
    Ok(())
}

/// What stands above or below the table, each line in a row; gives the row that follows.
fn words(
    sheet: &mut Worksheet,
    styles: &Styles,
    first: u32,
    block: &Block,
) -> Result<u32, XlsxError> {
    let (style, lines) = match block {
        Block::Title { lines, .. } => (&styles.title, lines.clone()),
        Block::Prompts(prompts) => {
            let all: Vec<String> = prompts.iter().map(prompt).collect();
            (&styles.plain, vec![all.join("   ")])
        }
        Block::Text { spans, .. } | Block::Heading(spans) => (&styles.foot, vec![plain(spans)]),
        Block::Notes(notes) => (&styles.foot, notes.clone()),
        Block::Signatures([_, right]) => {
            let lines: Vec<String> = right.iter().map(|line| plain(line)).collect();
            (&styles.sign, vec![lines.join("\n")])
        }
        Block::Motto | Block::Head { .. } | Block::Table(_) => (&styles.plain, vec![]),
    };
    let mut row = first;
    for line in &lines {
        let height: usize = line.lines().map(|l| l.chars().count().div_ceil(LINE.0).max(1)).sum();
        if height > 1 {
            sheet.set_row_height(row, height as f64 * LINE.1)?;
        }
        sheet.merge_range(row, 0, row, LAST, line, style)?;
        row += 1;
    }
    Ok(row)
}

fn prompt(prompt: &Prompt) -> String {
    let value = prompt.value.as_deref().unwrap_or_default();
    let text = format!("{}{value}{}", plain(&prompt.before), prompt.behind);
    text.trim_end().to_owned()
}

fn plain(spans: &[Span]) -> String {
    spans.iter().map(|span| span.text.as_str()).collect()
}
