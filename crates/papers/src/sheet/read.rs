//! Reading a list: the table is found by its head, whatever stands above it.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Reader as _, Xlsx, XlsxError};
use dancu_domain::text::{composed, fold};

use super::{
    CELL_CHARS_MAX, COLUMNS_MAX, Column, FILE_BYTES_MAX, HEAD_ROWS, Layout, List, ROWS_MAX, Raw,
    Row, Unreadable, cell_name, package,
};
use crate::delimited;

/// The table of the first sheet that has one, without rows in which no column holds anything.
///
/// # Errors
/// Why the file is not read.
pub fn read(bytes: &[u8]) -> Result<List, Unreadable> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(Unreadable::TooLarge);
    }
    if delimited::is_text(bytes) {
        return text_table(bytes);
    }
    package::check(bytes)?;
    // The reader was written for files that were made in good faith: what it stumbles over is a
    // damaged file to us.
    let rows = catch_unwind(AssertUnwindSafe(|| sheets(bytes)));
    rows.map_err(|_| Unreadable::Damaged)?
}

/// The table of a text file.
fn text_table(bytes: &[u8]) -> Result<List, Unreadable> {
    let mut table = Table::default();
    delimited::cells(bytes, (COLUMNS_MAX, CELL_CHARS_MAX + 1), |cell| {
        let delimited::Cell { row, column, text, formula, bare } = cell;
        // What is no number is kept as it is all the same.
        let number = bare && text.bytes().all(|b| b.is_ascii_digit());
        table.take(Cell { row, column, text, number, formula })
    })?;
    table.end()
}

fn sheets(bytes: &[u8]) -> Result<List, Unreadable> {
    let mut book = Xlsx::new(Cursor::new(bytes)).map_err(|e| match e {
        XlsxError::Password => Unreadable::Encrypted,
        _ => Unreadable::Damaged,
    })?;
    let mut nothing = nothing();
    for name in book.sheet_names().into_iter().take(SHEETS_MAX) {
        match table(&mut book, &name) {
            // Another sheet may hold the table: the explanation of a form, a cover.
            Err(Unreadable::Missing(layout, columns)) => {
                if matches!(&nothing, Unreadable::Missing(_, known) if columns.len() < known.len())
                {
                    nothing = Unreadable::Missing(layout, columns);
                }
            }
            done => return done,
        }
    }
    Err(nothing)
}

/// No column of the form was found.
fn nothing() -> Unreadable {
    Unreadable::Missing(Layout::Of2025, Column::ALL.to_vec())
}

/// Sheets of a file that are looked at: a form has one, with a cover and an explanation three.
const SHEETS_MAX: usize = 8;
/// Characters that one may be composed of: a letter with marks of tone and shape, and some more.
const COMPOSED_OF: usize = 4;

/// One cell: a formula's value is not taken.
struct Cell {
    row: u32,
    column: u32,
    text: String,
    number: bool,
    formula: bool,
}

fn table(book: &mut Xlsx<Cursor<&[u8]>>, name: &str) -> Result<List, Unreadable> {
    let mut reader = match book.worksheet_cells_reader(name) {
        Ok(reader) => reader,
        Err(XlsxError::NotAWorksheet(_)) => return Err(nothing()),
        Err(_) => return Err(Unreadable::Damaged),
    };
    let mut table = Table::default();
    // A cell at a time: a sheet that says it has a million rows and columns takes no room.
    while let Some(found) =
        reader.next_cell_with_formula_metadata().map_err(|_| Unreadable::Damaged)?
    {
        let (row, column) = found.pos;
        if column >= COLUMNS_MAX {
            continue;
        }
        let formula = found.formula.is_some();
        let (text, number) = text_of(&found.value);
        if formula || !text.is_empty() {
            table.take(Cell { row, column, text, number, formula })?;
        }
    }
    table.end()
}

/// The table as it is found, cell by cell, in the order of the sheet.
#[derive(Default)]
struct Table {
    /// Cells of the row that may be the head.
    candidate: Vec<Cell>,
    /// Which column of the sheet is which of the form; empty until the head is found.
    columns: Vec<(u32, Column)>,
    head: u32,
    fewest: Option<(Layout, Vec<Column>)>,
    rows: Vec<Row>,
}

/// The form that a head is of: role and purpose are columns of 2021, to which a unit may have added
/// citizen id and officer code.
fn layout(columns: &[(u32, Column)]) -> Layout {
    let has = |column| columns.iter().any(|(_, known)| *known == column);
    match (has(Column::Role), has(Column::Purpose)) {
        (true, true) => Layout::Of2021,
        (false, false) => Layout::Of2025,
        _ if has(Column::PersonalId) => Layout::Of2025,
        _ => Layout::Of2021,
    }
}

impl Table {
    fn take(&mut self, cell: Cell) -> Result<(), Unreadable> {
        if self.columns.is_empty() {
            if self.candidate.last().is_some_and(|c| c.row != cell.row) {
                self.close_candidate()?;
            }
            if self.columns.is_empty() {
                if cell.row < HEAD_ROWS {
                    self.candidate.push(cell);
                }
                return Ok(());
            }
        }
        let found = self.columns.iter().find(|(column, _)| *column == cell.column);
        let Some((_, column)) = found.copied() else { return Ok(()) };
        if cell.row <= self.head {
            return Ok(());
        }
        self.keep(column, cell)
    }

    /// Whether the row that ended is the head of the table. The form's own title says what a
    /// column says too: a head has at least two.
    fn close_candidate(&mut self) -> Result<(), Unreadable> {
        let cells = std::mem::take(&mut self.candidate);
        let mut columns: Vec<(u32, Column)> = vec![];
        let mut odd = None;
        for cell in &cells {
            match heading(&cell.text) {
                Heading::Of(column) if columns.iter().all(|(_, known)| *known != column) => {
                    columns.push((cell.column, column));
                }
                Heading::Number => {}
                Heading::Of(_) | Heading::Odd => {
                    odd = odd.or_else(|| Some(cell_name(cell.row, cell.column)));
                }
            }
        }
        if columns.len() < 2 {
            return Ok(());
        }
        let layout = layout(&columns);
        let needed = layout.columns().into_iter().filter(|c| *c != Column::OfficerCode);
        let missing: Vec<Column> =
            needed.filter(|c| columns.iter().all(|(_, known)| known != c)).collect();
        if !missing.is_empty() {
            if self.fewest.as_ref().is_none_or(|(_, f)| missing.len() < f.len()) {
                self.fewest = Some((layout, missing));
            }
            return Ok(());
        }
        if layout == Layout::Of2025 {
            // One of the two alone is no column of this form.
            let other = |c: &&(u32, Column)| matches!(c.1, Column::Role | Column::Purpose);
            let other = columns.iter().find(other).map(|(column, _)| *column);
            let row = cells.last().map_or(0, |c| c.row);
            odd = odd.or_else(|| other.map(|column| cell_name(row, column)));
        }
        if let Some(cell) = odd {
            return Err(Unreadable::Odd(cell));
        }
        self.head = cells.last().map_or(0, |c| c.row);
        self.columns = columns;
        Ok(())
    }

    fn keep(&mut self, column: Column, cell: Cell) -> Result<(), Unreadable> {
        let line = cell.row + 1;
        if self.rows.last().is_none_or(|row| row.line != line) {
            if self.rows.len() >= ROWS_MAX {
                return Err(Unreadable::TooManyRows);
            }
            // A sheet's rows follow each other; one that comes again is put together by hand.
            if self.rows.last().is_some_and(|row| row.line > line) {
                return Err(Unreadable::Damaged);
            }
            self.rows.push(Row { line, raw: Raw::default(), formulas: vec![] });
        }
        let Some(row) = self.rows.last_mut() else { return Ok(()) };
        if cell.formula {
            row.formulas.push((column, cell_name(cell.row, cell.column)));
        } else {
            let text = if cell.number { padded(column, cell.text) } else { unescaped(cell.text) };
            row.raw.0[column.index()] = text;
        }
        Ok(())
    }

    fn end(mut self) -> Result<List, Unreadable> {
        if self.columns.is_empty() {
            self.close_candidate()?;
        }
        if self.columns.is_empty() {
            let (layout, missing) = self.fewest.ok_or_else(nothing)?;
            return Err(Unreadable::Missing(layout, missing));
        }
        if self.rows.is_empty() {
            return Err(Unreadable::Empty);
        }
        let layout = layout(&self.columns);
        let columns = self.columns.into_iter().map(|(_, column)| column).collect();
        Ok(List { layout, columns, rows: self.rows })
    }
}

enum Heading {
    Of(Column),
    /// TT: the number of the row, which is not read.
    Number,
    Odd,
}

fn heading(text: &str) -> Heading {
    match (named(text), fold(text).as_str()) {
        (Some(column), _) => Heading::Of(column),
        (None, "tt" | "stt" | "sothutu") => Heading::Number,
        _ => Heading::Odd,
    }
}

/// The column that a head names: by the form of 2025, that of 2021, whose heads end with the mark
/// of a note, and short forms of both.
#[must_use]
pub fn named(head: &str) -> Option<Column> {
    Some(match fold(head).trim_end_matches(char::is_numeric) {
        "tentaikhoandangnhap"
        | "taikhoandangnhap"
        | "tentaikhoan"
        | "taikhoan"
        | "tendangnhap"
        | "login" => Column::Login,
        "hovaten" | "hoten" | "hovatencanbo" | "fullname" => Column::Name,
        "socccd" | "cccd" | "socancuoc" | "sodinhdanh" | "sodinhdanhcanhan" | "citizenid" => {
            Column::PersonalId
        }
        "macanbo" | "macanboneuco" | "officercode" => Column::OfficerCode,
        "sodienthoai" | "dienthoai" | "sdt" | "telephone" => Column::Phone,
        "solantruyvantrongngay"
        | "soluottruyvantrongngay"
        | "soluottruyvantheongay"
        | "soluottruyvan"
        | "solantruyvan"
        | "queriesaday" => Column::Daily,
        "vaitrotrachnhiem" | "vaitro" | "role" => Column::Role,
        "mucdichsudung" | "mucdich" | "purpose" => Column::Purpose,
        _ => return None,
    })
}

/// A cell's text in NFC, without blanks at its ends; whether it was a number.
pub(super) fn text_of(value: &DataRef<'_>) -> (String, bool) {
    let (text, number) = match value {
        DataRef::Int(n) => (n.to_string(), true),
        // Beyond 2^53 not every whole number is one: such a cell is shown as it would be read.
        DataRef::Float(f) if f.fract() == 0.0 && f.abs() < 9.0e15 => (format!("{f:.0}"), true),
        DataRef::Float(f) => (f.to_string(), false),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            (beginning(text), false)
        }
        DataRef::SharedString(text) => (beginning(text), false),
        DataRef::Bool(b) => (b.to_string(), false),
        DataRef::DateTime(d) => (d.as_f64().to_string(), false),
        DataRef::Error(_) => ("#".to_owned(), false),
        DataRef::Empty => (String::new(), false),
    };
    let text = composed(text.trim());
    (text.chars().take(CELL_CHARS_MAX + 1).collect(), number)
}

/// As much of a text as can matter: many cells may share one that is very long.
fn beginning(text: &str) -> String {
    text.chars().take(CELL_CHARS_MAX * COMPOSED_OF).collect()
}

/// A spreadsheet drops the noughts in front of a number: a citizen id has 12 digits, a telephone
/// begins with one.
fn padded(column: Column, text: String) -> String {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    match column {
        Column::PersonalId if digits && (10..12).contains(&text.len()) => format!("{text:0>12}"),
        Column::Phone if digits && text.len() == 9 => format!("0{text}"),
        _ => text,
    }
}

/// A mark that keeps a value from being taken for a formula is not part of it.
pub(super) fn unescaped(text: String) -> String {
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(super::write::RISKY) => rest.to_owned(),
        _ => text,
    }
}
