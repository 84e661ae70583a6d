//! The account list as a spreadsheet in the layout of the registration form (B6): written for
//! download, read for import. There are two layouts: that of 2025 (form of document 6383, "Danh
//! sách tài khoản") and that of 2021 (form of document 6318, "Phiếu đăng ký sử dụng dịch vụ"); a
//! file's head tells which it is ([`Layout`]).
//!
//! A file that comes in is taken for hostile until it is read: macros, encryption and document
//! types are refused, nothing is unpacked beyond a limit, no formula is computed, and no figure in
//! the file decides how much memory is taken.

use dancu_domain::editions::Edition;

mod package;
mod read;
pub mod services;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use package::{check as look, texts};
pub use read::{named, read};
pub(crate) use write::RISKY;
pub use write::{Contact, Form, write};

/// Bytes of a file that is read: a list of 5,000 accounts takes about 400 KB.
pub const FILE_BYTES_MAX: usize = 5 << 20;
/// Bytes of all its parts when unpacked: 5,000 rows are about 4 MB of XML, and a list that was
/// kept in a much styled workbook several times that.
pub const UNPACKED_BYTES_MAX: u64 = 32 << 20;
/// Parts of a package: an empty workbook has about 12, each sheet and picture one or two more.
pub const PARTS_MAX: usize = 512;
/// Accounts of a list: the largest unit known has some hundred counters.
pub const ROWS_MAX: usize = 5_000;
/// Rows above the table in which its head is looked for: the form has 12.
pub const HEAD_ROWS: u32 = 40;
/// Columns that are looked at: the form has 7.
pub const COLUMNS_MAX: u32 = 32;
/// Characters of a cell that are kept: the longest value that fits any column has 100.
pub const CELL_CHARS_MAX: usize = 200;

/// As which form a list is laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    /// Document 6318: role and purpose, neither citizen id nor officer code.
    Of2021,
    /// Document 6383.
    Of2025,
}

impl Layout {
    /// That of an edition of the list.
    #[must_use]
    pub fn of(edition: &Edition) -> Self {
        if edition.name == "2021" { Self::Of2021 } else { Self::Of2025 }
    }

    /// Its columns, in the order of the form.
    #[must_use]
    pub const fn columns(self) -> [Column; 6] {
        match self {
            Self::Of2021 => [
                Column::Name,
                Column::Login,
                Column::Phone,
                Column::Role,
                Column::Daily,
                Column::Purpose,
            ],
            Self::Of2025 => Column::ALL,
        }
    }

    /// The head of a column, word by word; of one that this form lacks, as the other has it.
    #[must_use]
    pub const fn head(self, column: Column) -> &'static str {
        match (self, column) {
            (Self::Of2021, Column::Name) => "Họ tên ²",
            (Self::Of2021, Column::Login) => "Tài khoản đăng nhập ³",
            (Self::Of2021, Column::Phone) => "SĐT",
            (Self::Of2021, Column::Daily) => "Số lần truy vấn trong ngày ⁵",
            _ => column.head(),
        }
    }

    /// The head without the mark of its note, as sentences name the column.
    #[must_use]
    pub fn title(self, column: Column) -> &'static str {
        self.head(column).trim_end_matches(|c: char| c.is_numeric() || c == ' ')
    }
}

/// A column of the list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Column {
    /// Tên tài khoản đăng nhập.
    Login,
    /// Họ và tên.
    Name,
    /// Số CCCD.
    PersonalId,
    /// Mã cán bộ (nếu có).
    OfficerCode,
    /// Số điện thoại.
    Phone,
    /// Số lần truy vấn trong ngày.
    Daily,
    /// Vai trò trách nhiệm (2021).
    Role,
    /// Mục đích sử dụng (2021).
    Purpose,
}

impl Column {
    /// Every column of an account as it is registered: those of the form of 2025, in its order.
    pub const ALL: [Self; 6] =
        [Self::Login, Self::Name, Self::PersonalId, Self::OfficerCode, Self::Phone, Self::Daily];

    /// Its head in the form of 2025; of one that only the form of 2021 has, in that one.
    #[must_use]
    pub const fn head(self) -> &'static str {
        match self {
            Self::Login => "Tên tài khoản đăng nhập",
            Self::Name => "Họ và tên",
            Self::PersonalId => "Số CCCD",
            Self::OfficerCode => "Mã cán bộ (nếu có)",
            Self::Phone => "Số điện thoại",
            Self::Daily => "Số lần truy vấn trong ngày",
            Self::Role => "Vai trò trách nhiệm ⁴",
            Self::Purpose => "Mục đích sử dụng ⁶",
        }
    }

    /// Its head in English, for who reads the page in it.
    #[must_use]
    pub const fn head_en(self) -> &'static str {
        match self {
            Self::Login => "Login",
            Self::Name => "Full name",
            Self::PersonalId => "Citizen id",
            Self::OfficerCode => "Officer code",
            Self::Phone => "Telephone",
            Self::Daily => "Queries a day",
            Self::Role => "Role",
            Self::Purpose => "Purpose",
        }
    }

    /// The field of the form on the page.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Name => "name",
            Self::PersonalId => "personalId",
            Self::OfficerCode => "officerCode",
            Self::Phone => "phone",
            Self::Daily => "daily",
            Self::Role => "role",
            Self::Purpose => "purpose",
        }
    }

    const fn index(self) -> usize {
        self as usize
    }
}

/// What stands in a row or was typed into the form, by column; not yet looked at.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Raw([String; 8]);

impl Raw {
    /// With a value more.
    #[must_use]
    pub fn with(mut self, column: Column, value: impl Into<String>) -> Self {
        self.0[column.index()] = value.into();
        self
    }

    /// What stands in a column; empty where nothing does.
    #[must_use]
    pub fn get(&self, column: Column) -> &str {
        &self.0[column.index()]
    }
}

/// Names, ids and telephones are personal data.
impl std::fmt::Debug for Raw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Raw(***)")
    }
}

/// A row of the table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Its number in the sheet, from 1.
    pub line: u32,
    /// Values.
    pub raw: Raw,
    /// Cells that hold a formula, by name (`D12`); their values are not taken.
    pub formulas: Vec<(Column, String)>,
}

/// A list as it was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct List {
    /// As which form it is laid out, by its head.
    pub layout: Layout,
    /// Columns that it has, in their order.
    pub columns: Vec<Column>,
    /// Rows.
    pub rows: Vec<Row>,
}

impl List {
    /// Whether it has a column: of what it has none for, it says nothing.
    #[must_use]
    pub fn has(&self, column: Column) -> bool {
        self.columns.contains(&column)
    }
}

/// Why a file cannot be read as a list. Nothing of what it holds is told.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unreadable {
    /// Not an `.xlsx` file.
    #[error("not an xlsx file")]
    NotASpreadsheet,
    /// A text in another encoding than UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// Protected by a password, or of the format before 2007.
    #[error("encrypted, or xls")]
    Encrypted,
    /// It carries macros.
    #[error("macros")]
    Macros,
    /// Unpacked it is larger than is read, or of too many parts.
    #[error("too large")]
    TooLarge,
    /// More rows than a list has.
    #[error("too many rows")]
    TooManyRows,
    /// The table's head was not found, or these columns of a form are missing.
    #[error("columns missing")]
    Missing(Layout, Vec<Column>),
    /// A column twice, or one that the form does not have; the cell.
    #[error("a column that the form does not have: {0}")]
    Odd(String),
    /// The table has no row.
    #[error("empty")]
    Empty,
    /// Damaged.
    #[error("damaged")]
    Damaged,
}

impl Unreadable {
    /// One sentence that says what to do, in Vietnamese and in English.
    #[must_use]
    pub fn sentence(&self) -> (String, String) {
        match self {
            Self::NotASpreadsheet => both(
                "Tệp không phải bảng tính .xlsx hoặc CSV; mở bằng phần mềm bảng tính và lưu lại \
                 dạng .xlsx.",
                "This is neither an .xlsx spreadsheet nor CSV; open it and save it as .xlsx.",
            ),
            Self::NotUtf8 => both(
                "Tệp CSV không ở bảng mã UTF-8; lưu lại dạng CSV UTF-8 hoặc .xlsx.",
                "The CSV file is not UTF-8; save it as CSV UTF-8 or .xlsx.",
            ),
            Self::Encrypted => both(
                "Tệp có mật khẩu hoặc ở dạng .xls cũ; bỏ mật khẩu và lưu lại dạng .xlsx.",
                "The file has a password or is an old .xls; remove it and save as .xlsx.",
            ),
            Self::Macros => both(
                "Tệp có macro nên không được nhận; lưu lại dạng .xlsx không macro.",
                "The file holds macros and is not taken; save it as .xlsx without them.",
            ),
            Self::TooLarge => both(
                "Tệp quá lớn; chỉ giữ lại trang có danh sách tài khoản, tối đa 5 MB.",
                "The file is too large; keep only the sheet with the list, at most 5 MB.",
            ),
            Self::TooManyRows => both(
                "Danh sách có quá 5.000 dòng; chia thành nhiều tệp.",
                "The list has more than 5,000 rows; divide it.",
            ),
            Self::Missing(layout, columns) => {
                let heads = |head: &dyn Fn(Column) -> &'static str| {
                    let heads: Vec<_> = columns.iter().map(|c| format!("“{}”", head(*c))).collect();
                    heads.join(", ")
                };
                (
                    format!("Không tìm thấy cột {}; dùng tệp mẫu.", heads(&|c| layout.title(c))),
                    format!("Columns not found: {}; use the form.", heads(&Column::head_en)),
                )
            }
            Self::Odd(cell) => (
                format!("Ô {cell} là tiêu đề cột không có trong mẫu hoặc bị lặp; bỏ cột đó."),
                format!("Cell {cell} heads a column that the form lacks or has once; remove it."),
            ),
            Self::Empty => both(
                "Không có dòng nào dưới tiêu đề bảng.",
                "There is no row below the head of the table.",
            ),
            Self::Damaged => both(
                "Tệp bị hỏng; mở bằng phần mềm bảng tính và lưu lại.",
                "The file is damaged; open it and save it again.",
            ),
        }
    }
}

/// `(0, 0)` is `A1`.
fn cell_name(row: u32, column: u32) -> String {
    let mut letters = vec![];
    let mut n = column;
    loop {
        letters.push((b'A' + (n % 26) as u8) as char);
        if n < 26 {
            break;
        }
        n = n / 26 - 1;
    }
    letters.iter().rev().collect::<String>() + &(row + 1).to_string()
}

fn both(vi: &str, en: &str) -> (String, String) {
    (vi.to_owned(), en.to_owned())
}
