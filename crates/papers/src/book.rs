//! A workbook of several tables, one to a sheet, each with its head in the first row: for what
//! comes in at once and goes out in the same layout; or the same tables as CSV files, one alone or
//! several in an archive. What holds for account lists holds here too:
//! no formula is computed, nothing is unpacked beyond a limit ([`crate::sheet`]).

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Reader as _, Xlsx, XlsxError};
use dancu_domain::text::composed;
use rust_xlsxwriter::{Format, Workbook};

use crate::delimited;
use crate::sheet::{FILE_BYTES_MAX, RISKY, Unreadable, look, texts};

/// Rows of one sheet: four of the largest account lists (*ours*).
pub const ROWS_MAX: usize = 20_000;
/// Columns that are looked at: the widest table has 20.
const COLUMNS_MAX: u32 = 32;
/// Characters of a cell that are kept: what the longest field of a dossier holds, and one more, by
/// which it is seen to be too long.
const CELL_CHARS_MAX: usize = 6_001;
/// Sheets that are looked at.
const SHEETS_MAX: usize = 8;

/// A row of a table.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// Its number in the sheet, from 1.
    pub number: u32,
    /// Texts by column, in NFC; shorter than the head where the last are empty.
    pub cells: Vec<String>,
}

/// It may hold personal data.
impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Line({})", self.number)
    }
}

/// A table.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Table {
    /// Name of the sheet.
    pub name: String,
    /// Rows that hold anything, the head first.
    pub lines: Vec<Line>,
    /// The first cell that holds a formula, whose value is not taken: row and column from 0.
    pub formula: Option<(u32, u32)>,
    /// Whether it was a text file, whose name need not say what it is.
    pub is_text: bool,
}

/// Reads every sheet.
///
/// # Errors
/// Why the file is not read.
pub fn read(bytes: &[u8]) -> Result<Vec<Table>, Unreadable> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(Unreadable::TooLarge);
    }
    if delimited::is_text(bytes) {
        return Ok(vec![text_table(String::new(), bytes)?]);
    }
    if let Some(texts) = texts(bytes)? {
        let texts = texts.into_iter().take(SHEETS_MAX);
        return texts.map(|(name, bytes)| text_table(name, &bytes)).collect();
    }
    look(bytes)?;
    // What the reader stumbles over is a damaged file to us.
    catch_unwind(AssertUnwindSafe(|| tables(bytes))).map_err(|_| Unreadable::Damaged)?
}

fn text_table(name: String, bytes: &[u8]) -> Result<Table, Unreadable> {
    let mut table = Table { name, is_text: true, ..Table::default() };
    delimited::cells(bytes, (COLUMNS_MAX, CELL_CHARS_MAX), |cell| {
        if cell.formula {
            table.formula.get_or_insert((cell.row, cell.column));
            return Ok(());
        }
        table.put((cell.row, cell.column), unescaped(cell.text))
    })?;
    Ok(table)
}

fn tables(bytes: &[u8]) -> Result<Vec<Table>, Unreadable> {
    let mut book = Xlsx::new(Cursor::new(bytes)).map_err(|e| match e {
        XlsxError::Password => Unreadable::Encrypted,
        _ => Unreadable::Damaged,
    })?;
    let names = book.sheet_names();
    names.into_iter().take(SHEETS_MAX).map(|name| table(&mut book, name)).collect()
}

fn table(book: &mut Xlsx<Cursor<&[u8]>>, name: String) -> Result<Table, Unreadable> {
    let mut reader = book.worksheet_cells_reader(&name).map_err(|_| Unreadable::Damaged)?;
    let mut table = Table { name, ..Table::default() };
    while let Some(found) =
        reader.next_cell_with_formula_metadata().map_err(|_| Unreadable::Damaged)?
    {
        let (row, column) = found.pos;
        if column >= COLUMNS_MAX {
            continue;
        }
        if found.formula.is_some() {
            table.formula.get_or_insert((row, column));
            continue;
        }
        let text = text_of(&found.value);
        if text.is_empty() {
            continue;
        }
        table.put((row, column), text)?;
    }
    Ok(table)
}

impl Table {
    /// Takes the next cell.
    fn put(&mut self, (row, column): (u32, u32), text: String) -> Result<(), Unreadable> {
        let number = row + 1;
        match self.lines.last() {
            Some(last) if last.number > number => return Err(Unreadable::Damaged),
            Some(last) if last.number == number => {}
            _ if self.lines.len() > ROWS_MAX => return Err(Unreadable::TooManyRows),
            _ => self.lines.push(Line { number, cells: vec![] }),
        }
        if let Some(line) = self.lines.last_mut() {
            line.cells.resize(column as usize, String::new());
            line.cells.push(text);
        }
        Ok(())
    }
}

fn text_of(value: &DataRef<'_>) -> String {
    let kept = |text: &str| text.chars().take(CELL_CHARS_MAX).collect::<String>();
    let text = match value {
        DataRef::Int(n) => n.to_string(),
        // Beyond 2^53 not every whole number is one.
        DataRef::Float(f) if f.fract() == 0.0 && f.abs() < 9.0e15 => format!("{f:.0}"),
        DataRef::Float(f) => f.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            kept(text)
        }
        DataRef::SharedString(text) => kept(text),
        DataRef::Bool(b) => b.to_string(),
        DataRef::DateTime(d) => d.as_f64().to_string(),
        DataRef::Error(_) => "#".to_owned(),
        DataRef::Empty => String::new(),
    };
    unescaped(composed(text.trim()).into_owned())
}

fn unescaped(text: String) -> String {
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(RISKY) => rest.to_owned(),
        _ => text,
    }
}

/// Files by their names in one archive, as several tables are sent at once.
///
/// # Errors
/// It could not be written.
pub fn archive(files: &[(String, Vec<u8>)]) -> Result<Vec<u8>, zip::result::ZipError> {
    let mut archive = zip::ZipWriter::new(Cursor::new(vec![]));
    for (name, bytes) in files {
        archive.start_file(name.as_str(), zip::write::SimpleFileOptions::default())?;
        std::io::Write::write_all(&mut archive, bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}

/// Writes tables, every cell as a text.
///
/// # Errors
/// A text is longer than a cell holds, or a name is none of a sheet.
pub fn write(tables: &[(&str, Vec<Vec<String>>)]) -> Result<Vec<u8>, rust_xlsxwriter::XlsxError> {
    let mut book = Workbook::new();
    let head = Format::new().set_bold().set_text_wrap();
    let text = Format::new().set_num_format("@");
    let quoted = Format::new().set_num_format("@").set_quote_prefix();
    for (name, rows) in tables {
        let sheet = book.add_worksheet();
        sheet.set_name(*name)?.set_freeze_panes(1, 0)?;
        for (row, cells) in (0u32..).zip(rows) {
            for (column, cell) in (0u16..).zip(cells) {
                let style = match row {
                    0 => &head,
                    _ if cell.starts_with(RISKY) => &quoted,
                    _ => &text,
                };
                sheet.set_column_width(column, 22.0)?;
                sheet.write_string_with_format(row, column, cell, style)?;
            }
        }
    }
    book.save_to_buffer()
}
