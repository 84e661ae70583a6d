//! Rows of a CSV file, as spreadsheets save it: UTF-8 with or without its mark; `;`, `,` or a tab
//! between the cells; quoted cells; `="012"`, by which a spreadsheet keeps noughts.

use csv::{ReaderBuilder, Terminator};
use dancu_domain::text::composed;

use crate::sheet::Unreadable;

/// The mark at the beginning of a file, by which some programs know UTF-8.
const MARK: &[u8] = "\u{feff}".as_bytes();
/// What stands between cells, the most usual here first.
const BETWEEN: [u8; 3] = *b";,\t";
/// Lines in which it is looked for.
const LOOKED_AT: usize = 40;
/// First bytes of files that are no texts: packages, compound files, PDF.
const OTHERS: [&[u8]; 3] = [b"PK", &[0xd0, 0xcf, 0x11, 0xe0], b"%PDF"];

/// A cell that holds anything.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Row, from 0, as a spreadsheet counts them.
    pub row: u32,
    /// Column, from 0.
    pub column: u32,
    /// Its text in NFC, without blanks at its ends.
    pub text: String,
    /// Whether it is a formula; its text is empty then.
    pub formula: bool,
    /// Whether it may be a number that has lost its noughts.
    pub bare: bool,
}

/// It may hold personal data.
impl std::fmt::Debug for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cell({}, {})", self.row, self.column)
    }
}

/// Whether a file may be a text.
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    !bytes.is_empty() && !bytes.contains(&0) && OTHERS.iter().all(|other| !bytes.starts_with(other))
}

/// Its cells, row by row; of each at most so many characters are kept, of each row so many columns.
///
/// # Errors
/// [`Unreadable::NotUtf8`]; [`Unreadable::NotASpreadsheet`] where no row has two cells.
pub(crate) fn cells(
    bytes: &[u8],
    (columns_max, chars_max): (u32, usize),
    mut take: impl FnMut(Cell) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    let bytes = bytes.strip_prefix(MARK).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| Unreadable::NotUtf8)?;
    let (between, skipped, text) = between(text).ok_or(Unreadable::NotASpreadsheet)?;
    // A row that ends by half is read as none, or as two.
    let lone =
        |(at, byte): (usize, &u8)| *byte == b'\r' && text.as_bytes().get(at + 1) != Some(&b'\n');
    if text.bytes().enumerate().any(|(at, byte)| lone((at, &byte))) {
        return Err(Unreadable::Damaged);
    }
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(between)
        .terminator(Terminator::CRLF)
        .from_reader(text.as_bytes());
    // Lines up to a row; a cell of several lines is one row of a spreadsheet.
    let (mut record, mut counted) = (csv::StringRecord::new(), 0);
    let (mut above, mut inside) = (skipped, 0);
    while reader.read_record(&mut record).map_err(|_| Unreadable::Damaged)? {
        let start = record.position().map_or(0, |p| p.byte() as usize);
        let rest = text.as_bytes().get(start..).unwrap_or_default();
        let start = start + rest.iter().take_while(|byte| b"\r\n".contains(byte)).count();
        above += lines(text.as_bytes().get(counted..start).unwrap_or_default());
        counted = start;
        let row = above - inside;
        for (column, raw) in (0..columns_max).zip(&record) {
            let (text, formula, bare) = plain(raw, chars_max);
            if formula || !text.is_empty() {
                take(Cell { row, column, text, formula, bare })?;
            }
        }
        inside += record.iter().map(|raw| lines(raw.as_bytes())).sum::<u32>();
    }
    Ok(())
}

fn lines(bytes: &[u8]) -> u32 {
    bytes.split(|byte| *byte == b'\n').skip(1).count() as u32
}

/// What stands between the cells, the rows that say so and are left out, and the rest.
fn between(text: &str) -> Option<(u8, u32, &str)> {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    // As some spreadsheets write it.
    if let Some(told) = first.trim_end().strip_prefix("sep=") {
        let told = told.bytes().next().filter(|byte| BETWEEN.contains(byte));
        return told.map(|byte| (byte, 1, rest));
    }
    // A title may stand above the table: the widest row tells.
    let count = |byte: &u8| text.lines().take(LOOKED_AT).map(|line| within(line, *byte)).max();
    let most = BETWEEN.iter().rev().max_by_key(|byte| count(byte))?;
    (count(most) > Some(0)).then_some((*most, 0, text))
}

/// How often a byte stands in a line, quoted cells aside.
fn within(line: &str, byte: u8) -> usize {
    let mut quoted = false;
    let counts = line.bytes().filter(|b| {
        quoted ^= *b == b'"';
        !quoted && *b == byte
    });
    counts.count()
}

/// The text of a cell, whether it is a formula, and whether it stands as it is.
fn plain(raw: &str, chars_max: usize) -> (String, bool, bool) {
    let raw = raw.trim();
    let kept = |text: &str| {
        let kept: String = text.trim().chars().take(chars_max).collect();
        composed(&kept).into_owned()
    };
    let quoted = raw.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    match quoted {
        Some(text) => (kept(&text.replace("\"\"", "\"")), false, false),
        None if raw.starts_with('=') => (String::new(), true, false),
        None => (kept(raw), false, true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Vec<(u32, u32, String, bool)>, Unreadable> {
        let mut all = vec![];
        cells(text, (4, 20), |c| {
            all.push((c.row, c.column, c.text, c.formula));
            Ok(())
        })?;
        Ok(all)
    }

    #[test]
    fn a_row_that_ends_by_half_swallows_none() {
        for text in ["a;b\r\n1;2\r3;4\r\n", "a;b\r1;2\r"] {
            assert_eq!(read(text.as_bytes()), Err(Unreadable::Damaged), "{text:?}");
        }
    }

    #[test]
    fn files_of_every_separator_say_the_same() {
        let expected = read("a;b;c\n1;\"x, y\";\"p\"\"q\"\n".as_bytes()).unwrap();
        assert_eq!(expected[4], (1, 1, "x, y".into(), false));
        assert_eq!(expected[5].2, "p\"q");
        for text in [
            "\u{feff}a;b;c\r\n1;\"x, y\";\"p\"\"q\"\r\n",
            "a,b,c\n1,\"x, y\",\"p\"\"q\"",
            "a\tb\tc\n1\tx, y\t\"p\"\"q\"\n",
        ] {
            assert_eq!(read(text.as_bytes()).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn rows_are_counted_as_a_spreadsheet_counts_them() {
        let cells = read("a;b\n\n\"two\nlines\";x\n;y\n".as_bytes()).unwrap();
        let at: Vec<_> = cells.iter().map(|c| (c.0, c.1)).collect();
        assert_eq!(at, [(0, 0), (0, 1), (2, 0), (2, 1), (3, 1)]);
        let cells = read(b"sep=;\r\na;b\r\n1;2\r\n").unwrap();
        assert_eq!(cells.last().map(|c| (c.0, c.1)), Some((2, 1)));
    }

    #[test]
    fn noughts_are_kept_and_formulas_are_told() {
        let cells = read("a;b;c\n=\"099\";\"=\"\"0991\"\"\";=1+1\n".as_bytes()).unwrap();
        let texts: Vec<_> = cells[3..].iter().map(|c| (c.2.as_str(), c.3)).collect();
        assert_eq!(texts, [("099", false), ("0991", false), ("", true)]);
    }

    #[test]
    fn what_is_no_such_file_is_refused() {
        assert_eq!(read(b"no table"), Err(Unreadable::NotASpreadsheet));
        assert_eq!(read(b"T\xean;h\xf4\n"), Err(Unreadable::NotUtf8));
        assert!(!is_text(b"PK\x03\x04") && !is_text(b"") && !is_text(b"a\0;b\0"));
        assert!(is_text(b"a;b"));
    }
}
