//! Writing a list in the layout of the form.

use jiff::civil::Date;
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::{Column, Raw};

/// First characters by which a spreadsheet takes a text for a formula, or for a command of one.
pub(crate) const RISKY: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];
/// Columns of the table: TT and those of [`Column`].
const WIDTHS: [f64; 7] = [5.0, 28.0, 30.0, 16.0, 16.0, 16.0, 14.0];
/// Paper of Viet Nam's offices: A4.
const PAPER_A4: u8 = 9;

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
}

impl Styles {
    fn new() -> Self {
        let cell = || Format::new().set_border(FormatBorder::Thin).set_num_format("@");
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
            foot: Format::new().set_text_wrap().set_align(FormatAlign::Top),
        }
    }
}

/// The file.
///
/// # Errors
/// A text is longer than a cell holds.
pub fn write(form: &Form<'_>) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let made = ExcelDateTime::from_ymd(
        form.day.year().unsigned_abs(),
        form.day.month().unsigned_abs(),
        form.day.day().unsigned_abs(),
    )?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&made));
    let sheet = book.add_worksheet();
    let styles = Styles::new();
    sheet.set_name("Danh sách tài khoản")?;
    sheet.set_paper_size(PAPER_A4).set_landscape().set_print_fit_to_pages(1, 0);
    for (column, width) in WIDTHS.into_iter().enumerate() {
        sheet.set_column_width(column as u16, width)?;
    }
    let head = top(sheet, &styles, form)?;
    for (at, row) in form.rows.iter().enumerate() {
        table_row(sheet, &styles, head + 1 + at as u32, at + 1, row)?;
    }
    bottom(sheet, &styles, head + form.rows.len() as u32 + 2)?;
    sheet.set_freeze_panes(head + 1, 0)?;
    sheet.set_repeat_rows(head, head)?;
    book.save_to_buffer()
}

/// What stands above the table; gives the row of its head.
fn top(sheet: &mut Worksheet, styles: &Styles, form: &Form<'_>) -> Result<u32, XlsxError> {
    let contact = &form.contact;
    let lines = [
        (&styles.title, "DANH SÁCH TÀI KHOẢN ĐĂNG KÝ".to_owned()),
        (&styles.title, "SỬ DỤNG KHAI THÁC DỊCH VỤ DÂN CƯ".to_owned()),
        (&styles.plain, format!("1. Đơn vị đăng ký: {}", form.unit)),
        (&styles.plain, format!("2. Tên Hệ thống thông tin, CSDL: {}", form.system)),
        (&styles.plain, "3. Đầu mối liên hệ:".to_owned()),
        (&styles.plain, format!("Họ tên: {}   Chức vụ: {}", contact.name, contact.position)),
        (&styles.plain, format!("Số điện thoại: {}   Email: {}", contact.phone, contact.email)),
        (&styles.plain, format!("Đơn vị công tác: {}", form.unit)),
        (
            &styles.plain,
            format!(
                "4. Danh sách tài khoản đăng ký (đến ngày {:02}/{:02}/{})",
                form.day.day(),
                form.day.month(),
                form.day.year()
            ),
        ),
    ];
    for (row, (style, text)) in lines.iter().enumerate() {
        sheet.merge_range(row as u32, 0, row as u32, 6, text, style)?;
    }
    let head = lines.len() as u32;
    sheet.set_row_height(head, 32)?;
    sheet.write_string_with_format(head, 0, "TT", &styles.head)?;
    for column in Column::ALL {
        let at = column.index() as u16 + 1;
        sheet.write_string_with_format(head, at, column.head(), &styles.head)?;
    }
    Ok(head)
}

fn table_row(
    sheet: &mut Worksheet,
    styles: &Styles,
    row: u32,
    number: usize,
    raw: &Raw,
) -> Result<(), XlsxError> {
    sheet.write_number_with_format(row, 0, number as f64, &styles.number)?;
    for column in Column::ALL {
        let (at, value) = (column.index() as u16 + 1, raw.get(column));
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

fn bottom(sheet: &mut Worksheet, styles: &Styles, row: u32) -> Result<(), XlsxError> {
    let note = "(Lưu ý khi có bất cứ thay đổi về cán bộ đều cần thực hiện thông báo đến cơ quan \
                quản lý dữ liệu, định kỳ 3 tháng thực hiện rà soát danh sách đăng ký và nhu cầu \
                thực tế gửi lại cơ quan quản lý dữ liệu)";
    sheet.merge_range(row, 0, row, 6, note, &styles.foot)?;
    sheet.set_row_height(row, 48)?;
    let sign = "NGƯỜI ĐẠI DIỆN ĐƠN VỊ\n(Ký, ghi rõ họ tên, đóng dấu)";
    let right = styles.foot.clone().set_align(FormatAlign::Right);
    sheet.merge_range(row + 2, 0, row + 2, 6, sign, &right)?;
    sheet.set_row_height(row + 2, 40)?;
    Ok(())
}
