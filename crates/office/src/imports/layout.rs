//! The sheets of the workbook and their columns: those of the forms of 2021 and 2025 (documents
//! 6318 and 6383), and before them the code of the system that a row belongs to. Accounts may stand
//! in the columns of either form: the head tells which.

use dancu_domain::text::fold;
use dancu_papers::book::{self, Line, Table};
use dancu_papers::sheet::{self, Column, Layout};

use super::Wrong;
use crate::act::Refused;
use dancu_domain::rule::RuleId;

/// A sheet: its name and the heads of its columns; a head that begins with `*` has to be there.
pub struct Sheet {
    /// Name.
    pub name: &'static str,
    /// Heads.
    pub columns: &'static [&'static str],
}

pub(super) const SYSTEMS: usize = 0;
pub(super) const LINES: usize = 1;
pub(super) const ACCOUNTS: usize = 2;
pub(super) const PROCEDURES: usize = 3;

/// What the columns of the sheet of accounts are in the forms.
const ACCOUNT_COLUMNS: [Option<Column>; 9] = [
    None,
    Some(Column::Login),
    Some(Column::Name),
    Some(Column::PersonalId),
    Some(Column::OfficerCode),
    Some(Column::Phone),
    Some(Column::Role),
    Some(Column::Daily),
    None,
];

/// Every sheet.
pub const SHEETS: [Sheet; 4] = [
    Sheet {
        name: "Hệ thống",
        columns: &[
            "*Mã hệ thống",
            "*Mã đơn vị",
            "Kênh",
            "Tên hệ thống",
            "Chức năng, nhiệm vụ, quyền hạn",
            "Mục đích",
            "Phạm vi",
            "Nội dung",
            "Mô tả kỹ thuật",
            "Cấp độ an toàn",
            "Cán bộ đầu mối",
            "Chức vụ",
            "Số điện thoại",
            "Email",
            "Đơn vị công tác",
            "Người đại diện",
            "Chức vụ người đại diện",
            "SOAP: tên truy cập",
            "SOAP: khóa bí mật",
        ],
    },
    Sheet {
        name: "Dịch vụ",
        columns: &[
            "*Mã hệ thống",
            "*Dịch vụ",
            "*Khung giờ",
            "*Số lượt truy vấn (theo ngày)",
            "*Mục đích sử dụng",
            "Trường thông tin",
            "Mã thủ tục",
        ],
    },
    Sheet {
        name: "Tài khoản",
        columns: &[
            "*Mã hệ thống",
            "*Tên tài khoản đăng nhập",
            "*Họ và tên",
            "*Số CCCD",
            "Mã cán bộ (nếu có)",
            "*Số điện thoại",
            "Vai trò",
            "*Số lần truy vấn trong ngày",
            "Loại tài khoản",
        ],
    },
    Sheet {
        name: "Thủ tục",
        columns: &[
            "*Mã hệ thống",
            "*Mã thủ tục",
            "*Mục đích",
            "*Số hồ sơ mỗi ngày",
            "*Số lượt mỗi hồ sơ",
            "Bắt buộc mã hồ sơ",
        ],
    },
];

impl Sheet {
    /// The head of a column.
    pub(super) fn head(&self, column: usize) -> &'static str {
        self.columns[column].trim_start_matches('*')
    }
}

/// An empty workbook in this layout.
///
/// # Errors
/// It could not be written.
pub fn template() -> Result<Vec<u8>, Refused> {
    let tables: Vec<_> = SHEETS.iter().zip(heads()).map(|(s, rows)| (s.name, rows)).collect();
    book::write(&tables).map_err(|_| unreadable("Không tạo được tệp mẫu.", "No template."))
}

/// The heads of every sheet, each as its first row.
pub(super) fn heads() -> [Vec<Vec<String>>; 4] {
    SHEETS.map(|s| vec![(0..s.columns.len()).map(|c| s.head(c).to_owned()).collect()])
}

fn unreadable(vi: &str, en: &str) -> Refused {
    Refused::Field { field: "file", vi: vi.to_owned(), en: en.to_owned() }
}

/// A sheet as it was found.
pub(super) struct Found {
    sheet: usize,
    lines: Vec<Line>,
    at: Vec<Option<usize>>,
    /// As which form accounts are laid out.
    layout: Layout,
}

/// A row of it.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    found: &'a Found,
    line: &'a Line,
}

impl Found {
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.lines.iter().map(|line| Row { found: self, line })
    }

    /// The head of a column in the form as which the sheet is laid out.
    pub(super) fn head(&self, column: usize) -> &'static str {
        match (self.layout, ACCOUNT_COLUMNS.get(column)) {
            (Layout::Of2021, Some(Some(column))) => self.layout.title(*column),
            _ => SHEETS[self.sheet].head(column),
        }
    }

    /// Whether it has a column.
    pub(super) fn has(&self, column: usize) -> bool {
        self.at[column].is_some()
    }
}

impl<'a> Row<'a> {
    /// What stands in a column.
    pub(super) fn get(&self, column: usize) -> &'a str {
        let at = self.found.at[column];
        at.and_then(|at| self.line.cells.get(at)).map_or("", String::as_str)
    }

    /// Its number in the sheet.
    pub(super) const fn number(&self) -> u32 {
        self.line.number
    }

    pub(super) fn wrong(
        &self,
        column: usize,
        (vi, en): (&'static str, &'static str),
        rule: RuleId,
    ) -> Wrong {
        let (sheet, column) = (SHEETS[self.found.sheet].name, self.found.head(column));
        Wrong { sheet, line: self.number(), column, vi, en, rule }
    }
}

/// The four sheets by their names; a sheet that is not there has no rows, save the first.
///
/// # Errors
/// [`Refused::Field`]: the file is none, a sheet is missing or twice, a column is missing, a
/// cell holds a formula.
pub(super) fn found(bytes: &[u8]) -> Result<Vec<Found>, Refused> {
    let tables = book::read(bytes).map_err(|why| {
        let (vi, en) = why.sentence();
        unreadable(&vi, &en)
    })?;
    let mut by_sheet: [Option<&Table>; 4] = [None; 4];
    for table in &tables {
        let Some(sheet) = sheet_of(table) else { continue };
        if by_sheet[sheet].replace(table).is_some() {
            let name = SHEETS[sheet].name;
            return Err(unreadable(
                &format!("Có hai bảng “{name}”; gộp lại làm một."),
                &format!("There are two tables “{name}”; put them together."),
            ));
        }
    }
    if by_sheet[SYSTEMS].is_none() {
        return Err(unreadable(
            "Không có trang “Hệ thống”; dùng tệp mẫu, hoặc nén các tệp CSV của mọi trang vào một \
             tệp .zip.",
            "There is no sheet “Hệ thống”; use the template, or one archive of all CSV files.",
        ));
    }
    by_sheet.into_iter().enumerate().map(|(sheet, table)| columns(sheet, table)).collect()
}

/// The sheet that a table is: by its name, a text file by the heads that it shares with one.
fn sheet_of(table: &Table) -> Option<usize> {
    let named = SHEETS.iter().position(|sheet| fold(sheet.name) == fold(&table.name));
    if named.is_some() || !table.is_text {
        return named;
    }
    let heads = &table.lines.first()?.cells;
    let shared = |sheet: &usize| {
        let columns = 0..SHEETS[*sheet].columns.len();
        columns.filter(|c| heads.iter().any(|text| is(*sheet, *c, text))).count()
    };
    (0..SHEETS.len()).rev().max_by_key(shared).filter(|sheet| shared(sheet) > 1)
}

/// Whether a head names a column of a sheet.
fn is(sheet: usize, column: usize, head: &str) -> bool {
    let asked = ACCOUNT_COLUMNS.get(column).copied().flatten().filter(|_| sheet == ACCOUNTS);
    fold(head) == fold(SHEETS[sheet].head(column)) || asked.is_some() && sheet::named(head) == asked
}

fn columns(sheet: usize, table: Option<&Table>) -> Result<Found, Refused> {
    let of = &SHEETS[sheet];
    let Some(table) = table else {
        let at = vec![None; of.columns.len()];
        return Ok(Found { sheet, lines: vec![], at, layout: Layout::Of2025 });
    };
    if let Some((row, column)) = table.formula {
        let (row, column) = (row + 1, column + 1);
        return Err(unreadable(
            &format!("{}: ô ở dòng {row}, cột {column} là công thức; dán giá trị.", of.name),
            &format!("{}: row {row}, column {column} holds a formula.", of.name),
        ));
    }
    let (head, lines) = table.lines.split_first().unzip();
    let heads = head.map(|line| line.cells.as_slice()).unwrap_or_default();
    let has = |column| heads.iter().any(|text| sheet::named(text) == Some(column));
    // The form of 2021 has a purpose for each account, and no citizen id.
    let is_2021 = sheet == ACCOUNTS && has(Column::Purpose);
    let layout = if is_2021 { Layout::Of2021 } else { Layout::Of2025 };
    let mut at = vec![];
    for (column, named) in of.columns.iter().enumerate() {
        let head = of.head(column);
        let place = heads.iter().position(|text| is(sheet, column, text));
        let lacks = is_2021 && ACCOUNT_COLUMNS[column] == Some(Column::PersonalId);
        if place.is_none() && named.starts_with('*') && !lacks {
            return Err(unreadable(
                &format!("{}: không tìm thấy cột “{head}”; dùng tệp mẫu.", of.name),
                &format!("{}: no column “{head}”; use the template.", of.name),
            ));
        }
        at.push(place);
    }
    Ok(Found { sheet, lines: lines.map(<[Line]>::to_vec).unwrap_or_default(), at, layout })
}
