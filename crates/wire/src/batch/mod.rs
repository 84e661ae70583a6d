//! Batch files: people to verify, as CSV or NDJSON, read from a stream of bytes.
//!
//! A file may hold a million rows and is never in memory: bytes go in as they arrive, rows come
//! out. A row that cannot be read is reported with its number and every reason; the others go on.
//! A file that is not what it says (UTF-16, no header, unknown columns) is refused as a whole
//! before its first row.
//!
//! **CSV.** UTF-8, with or without a byte order mark; separated by commas, semicolons or tabs, as
//! the header shows; quotes as in RFC 4180, but a line end always ends a row. The header names the
//! columns in English (`personalId`, `oldId`, `fullName`, `dateOfBirth`) or as SOAP does
//! (`SoDinhDanh`, `SoCMND`, `HoVaTen`, `NgayThangNamSinh`), in any order and case. Claims are
//! further columns: `sex`, `permanentResidence.provinceCode`, `father.fullName`, … An empty cell
//! states nothing; where both ids stand, the personal id decides.
//!
//! **NDJSON.** One object per line: the members of `subject` in a REST verification, and `claims`.
//!
//! **Invariant:** any bytes give rows or an error, never a panic. **Invariant:** how the bytes are
//! cut into chunks does not matter. **Invariant:** no error holds a value of the file.
//!
//! ```
//! use dancu_gate::jobs::types::ReadRow;
//! use dancu_wire::batch::{BatchReader, Format};
//!
//! let mut reader = BatchReader::new(Format::Csv, jiff::civil::date(2026, 3, 2));
//! let mut rows = vec![];
//! reader.push(b"SoDinhDanh;HoVaTen;NgayThangNamSinh\n099200", &mut rows).unwrap();
//! reader.push("012345;Nguyễn Văn Bình;2000-02-30\n".as_bytes(), &mut rows).unwrap();
//! reader.finish(&mut rows).unwrap();
//! let ReadRow::Bad(bad) = &rows[0] else { panic!() };
//! assert_eq!((bad.row, bad.field.as_str()), (1, "NgayThangNamSinh"));
//! assert_eq!(bad.reason_vi, "Ngày sinh không có trong lịch.");
//! ```

mod cells;
mod header;
mod lines;
mod reasons;
mod results;

use std::borrow::Cow;

use dancu_gate::jobs::types::{BatchItem, ReadRow};
use dancu_gate::query::FieldError;
use jiff::civil::Date;

use self::header::Header;
use self::lines::{Line, Lines};
pub use self::results::{
    BAD_CSV_HEADER, BATCH_CSV_HEADER, bad_csv, bad_ndjson, bad_page, list_csv_header, result_csv,
    result_ndjson, results_page,
};
use crate::rest::row::{self, RowErrors};

/// How a batch file is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// `text/csv`: a table with a header row.
    Csv,
    /// `application/x-ndjson`: one JSON object per line.
    Ndjson,
}

impl Format {
    /// By the media type; `None` for another one, and for a charset that is not UTF-8.
    pub fn from_content_type(content_type: &str) -> Option<Self> {
        let (kind, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
        let utf8 = parameters.split(';').filter_map(|p| p.split_once('=')).all(|(name, value)| {
            let value = value.trim().trim_matches('"');
            !name.trim().eq_ignore_ascii_case("charset") || value.eq_ignore_ascii_case("utf-8")
        });
        let kind = kind.trim().to_ascii_lowercase();
        let format = match kind.as_str() {
            "text/csv" => Some(Self::Csv),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => {
                Some(Self::Ndjson)
            }
            _ => None,
        };
        format.filter(|_| utf8)
    }

    /// The media type of files and results.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
        }
    }
}

/// Why a file is refused as a whole. None of it holds a text of the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FileError {
    /// UTF-16, by its byte order mark or its zero bytes.
    Utf16,
    /// Nothing but white space.
    Empty,
    /// The header row is longer than [`ROW_BYTES_MAX`](dancu_gate::jobs::types::ROW_BYTES_MAX).
    HeaderTooLong,
    /// The header row is not UTF-8.
    HeaderNotUtf8,
    /// A quote in the header row stands where none may, or is never closed.
    HeaderQuotes,
    /// No column of the first row is known: there is no header.
    NoHeader,
    /// More columns than there are names.
    TooManyColumns,
    /// Columns that are not known, by position from 1: an unknown name could be personal data.
    UnknownColumns(Vec<usize>),
    /// A column that stands twice, in whichever language; its name.
    DoubledColumn(String),
    /// A column that is needed; its names.
    MissingColumn(&'static str),
}

impl FileError {
    /// What is wrong and what to do, in Vietnamese.
    pub fn message_vi(&self) -> String {
        match self {
            Self::Utf16 => "Tệp được lưu theo UTF-16. Hãy lưu lại theo UTF-8 rồi gửi lại.".into(),
            Self::Empty => "Tệp không có dòng nào.".into(),
            Self::HeaderTooLong => "Dòng tiêu đề dài quá 8 KiB; tệp có thể không phải CSV.".into(),
            Self::HeaderNotUtf8 => "Dòng tiêu đề không phải UTF-8. Hãy lưu tệp theo UTF-8.".into(),
            Self::HeaderQuotes => "Dòng tiêu đề có dấu nháy kép sai chỗ hoặc thiếu.".into(),
            Self::NoHeader => {
                "Dòng đầu tiên phải là tiêu đề: personalId (SoDinhDanh), oldId (SoCMND), \
                 fullName (HoVaTen), dateOfBirth (NgayThangNamSinh)."
                    .into()
            }
            Self::TooManyColumns => "Tệp có quá nhiều cột.".into(),
            Self::UnknownColumns(at) => {
                format!("Tên cột không được hỗ trợ, ở cột thứ: {}.", positions(at))
            }
            Self::DoubledColumn(name) => format!("Cột {name} xuất hiện hai lần."),
            Self::MissingColumn(names) => format!("Thiếu cột {names}."),
        }
    }

    /// The same in English.
    pub fn message(&self) -> String {
        match self {
            Self::Utf16 => "The file is UTF-16. Save it as UTF-8 and send it again.".into(),
            Self::Empty => "The file has no rows.".into(),
            Self::HeaderTooLong => "The header row is longer than 8 KiB; is this CSV?".into(),
            Self::HeaderNotUtf8 => "The header row is not UTF-8. Save the file as UTF-8.".into(),
            Self::HeaderQuotes => "A quote in the header row is misplaced or missing.".into(),
            Self::NoHeader => "The first row must be a header with the names of columns.".into(),
            Self::TooManyColumns => "The file has too many columns.".into(),
            Self::UnknownColumns(at) => format!("Unknown columns at positions {}.", positions(at)),
            Self::DoubledColumn(name) => format!("The column {name} stands twice."),
            Self::MissingColumn(names) => format!("The column {names} is missing."),
        }
    }

    /// Both as one input error, for a refusal that lists such errors.
    pub fn field_error(&self) -> FieldError {
        let message_vi = format!("{} · {}", self.message_vi(), self.message());
        FieldError { field: "body".to_owned(), message_vi }
    }
}

fn positions(at: &[usize]) -> String {
    at.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}

/// Reads a file as its bytes arrive.
pub struct BatchReader {
    lines: Lines,
    rows: Rows,
}

/// Turns lines into rows.
struct Rows {
    format: Format,
    today: Date,
    /// Of a table, once its first line was read.
    header: Option<Header>,
    /// Whether there was a line that is not empty.
    any: bool,
}

impl BatchReader {
    /// A reader of a new file. `today` is the date in Viet Nam.
    pub fn new(format: Format, today: Date) -> Self {
        let rows = Rows { format, today, header: None, any: false };
        Self { lines: Lines::new(), rows }
    }

    /// Takes the next bytes of the file and appends the rows that end in them. After an error the
    /// file is refused and nothing more is read from it.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<ReadRow>) -> Result<(), FileError> {
        let rows = &mut self.rows;
        self.lines.push(chunk, &mut |number, line| rows.line(number, &line, out))
    }

    /// The file is complete: appends a last row that has no line end.
    pub fn finish(mut self, out: &mut Vec<ReadRow>) -> Result<(), FileError> {
        let rows = &mut self.rows;
        self.lines.finish(&mut |number, line| rows.line(number, &line, out))?;
        if rows.any { Ok(()) } else { Err(FileError::Empty) }
    }
}

impl Rows {
    fn line(
        &mut self,
        number: u32,
        line: &Line<'_>,
        out: &mut Vec<ReadRow>,
    ) -> Result<(), FileError> {
        let is_header = self.format == Format::Csv && self.header.is_none();
        let text = match line {
            Line::TooLong if is_header => return Err(FileError::HeaderTooLong),
            Line::TooLong => Err(row_error("Dòng dài quá 8 KiB.", "The row is over 8 KiB.")),
            Line::Bytes(bytes) if bytes.trim_ascii().is_empty() => return Ok(()),
            Line::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Err(_) if is_header => return Err(FileError::HeaderNotUtf8),
                Err(_) => {
                    Err(row_error("Dòng không phải UTF-8 hợp lệ.", "The row is not valid UTF-8."))
                }
                Ok(text) => Ok(text),
            },
        };
        self.any = true;
        let read = match (text, &self.header) {
            (Err(error), _) => Err(error),
            (Ok(text), None) if is_header => {
                self.header = Some(Header::read(text, number)?);
                return Ok(());
            }
            (Ok(text), Some(header)) => match table_row(text, header, self.today) {
                Some(read) => read,
                None => return Ok(()),
            },
            (Ok(text), None) => row::json(text, self.today),
        };
        // Rows of a table are numbered from the one below the header.
        let row = number - self.header.as_ref().map_or(0, |h| h.line);
        out.push(match read {
            Ok((subject, claims)) => ReadRow::Good(BatchItem { row, subject, claims }),
            Err(errors) => ReadRow::Bad(reasons::bad_row(row, errors, self.header.as_ref())),
        });
        Ok(())
    }
}

fn row_error(vi: &str, en: &str) -> RowErrors {
    RowErrors::Row(vi.to_owned(), en.to_owned())
}

/// Reads a row of a table; `None` where every cell is empty, as spreadsheets leave below a table.
fn table_row(text: &str, header: &Header, today: Date) -> Option<row::ReadRow> {
    let mut cells: Vec<Cow<'_, str>> = Vec::with_capacity(header.columns.len());
    if cells::split(text, header.separator, &mut cells).is_err() {
        return Some(Err(row_error(
            "Dấu nháy kép sai chỗ hoặc thiếu dấu nháy đóng.",
            "A quote is misplaced or never closed.",
        )));
    }
    if header::is_blank(&cells) {
        return None;
    }
    let (has, needs) = (cells.len(), header.columns.len());
    if has != needs {
        return Some(Err(row_error(
            &format!("Dòng có {has} ô, tiêu đề có {needs} cột."),
            &format!("The row has {has} cells, the header {needs} columns."),
        )));
    }
    let mut row = row::Cells::default();
    for (named, cell) in header.columns.iter().zip(cells) {
        if !cell.is_empty() {
            row.put(named.column, cell);
        }
    }
    Some(row.read(today))
}
