//! A look into the package before anybody reads it: what it is, how large it becomes, whether it
//! carries what a list has no use for.

use std::io::{Cursor, Read as _};

use super::{PARTS_MAX, UNPACKED_BYTES_MAX, Unreadable};

/// First bytes of a compound file: `.xls`, or an encrypted `.xlsx`.
const COMPOUND: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
/// Digits of a count of texts: the reader makes room for as many as the file says, so that the
/// file must not say much more than it can hold.
const COUNT_DIGITS: usize = 6;
/// Bytes at the start of a part in which its encoding is declared.
const DECLARATION: usize = 200;

/// Checks a package.
///
/// # Errors
/// Why it is not read.
pub(crate) fn check(bytes: &[u8]) -> Result<(), Unreadable> {
    if bytes.starts_with(COMPOUND) {
        return Err(Unreadable::Encrypted);
    }
    let mut package = zip::ZipArchive::new(Cursor::new(bytes));
    let package = package.as_mut().map_err(|_| Unreadable::NotASpreadsheet)?;
    if package.len() > PARTS_MAX {
        return Err(Unreadable::TooLarge);
    }
    let (mut left, mut is_workbook) = (UNPACKED_BYTES_MAX, false);
    let mut part = Vec::new();
    for at in 0..package.len() {
        let file = package.by_index(at).map_err(|_| Unreadable::Damaged)?;
        let name = file.name().map_err(|_| Unreadable::Damaged)?.to_ascii_lowercase();
        if name.contains("vbaproject") || name.contains("macrosheet") {
            return Err(Unreadable::Macros);
        }
        part.clear();
        // What the package says of its sizes is not believed.
        file.take(left + 1).read_to_end(&mut part).map_err(|_| Unreadable::Damaged)?;
        left = left.checked_sub(part.len() as u64).ok_or(Unreadable::TooLarge)?;
        if matches!(name.rsplit('.').next(), Some("xml" | "rels")) {
            check_xml(&part)?;
        }
        if name == "[content_types].xml" {
            if holds(&part, b"macroEnabled") {
                return Err(Unreadable::Macros);
            }
            is_workbook = true;
        }
    }
    if is_workbook { Ok(()) } else { Err(Unreadable::NotASpreadsheet) }
}

/// A text file: its name without folder and ending, and what it holds.
type Text = (String, Vec<u8>);

/// The text files of an archive that is no workbook; none where there are none.
///
/// # Errors
/// As [`check`].
pub(crate) fn texts(bytes: &[u8]) -> Result<Option<Vec<Text>>, Unreadable> {
    let Ok(mut package) = zip::ZipArchive::new(Cursor::new(bytes)) else { return Ok(None) };
    if package.len() > PARTS_MAX {
        return Err(Unreadable::TooLarge);
    }
    let (mut left, mut found) = (UNPACKED_BYTES_MAX, vec![]);
    for at in 0..package.len() {
        let file = package.by_index(at).map_err(|_| Unreadable::Damaged)?;
        let name = file.name().map_err(|_| Unreadable::Damaged)?.into_owned();
        if name.eq_ignore_ascii_case("[content_types].xml") {
            return Ok(None);
        }
        let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
        // Some systems put a hidden file beside each.
        let Some((stem, ending)) = last.rsplit_once('.').filter(|_| !last.starts_with('.')) else {
            continue;
        };
        if !["csv", "txt", "tsv"].iter().any(|known| ending.eq_ignore_ascii_case(known)) {
            continue;
        }
        let stem = stem.to_owned();
        let mut part = vec![];
        file.take(left + 1).read_to_end(&mut part).map_err(|_| Unreadable::Damaged)?;
        left = left.checked_sub(part.len() as u64).ok_or(Unreadable::TooLarge)?;
        found.push((stem, part));
    }
    Ok(Some(found).filter(|found| !found.is_empty()))
}

/// Spreadsheets are XML in UTF-8 without a document type; any other could say what is not seen
/// here.
fn check_xml(part: &[u8]) -> Result<(), Unreadable> {
    let text = std::str::from_utf8(part).map_err(|_| Unreadable::Damaged)?;
    let start = text.get(..text.floor_char_boundary(DECLARATION)).unwrap_or_default();
    let declared = start.find("encoding").map(|at| &start[at..]);
    let utf8 = |text: &str| {
        let value = text["encoding".len()..].trim_start().trim_start_matches('=').trim_start();
        let value = value.trim_start_matches(['"', '\'']);
        value.get(..5).is_some_and(|v| v.eq_ignore_ascii_case("utf-8"))
    };
    if declared.is_some_and(|d| !utf8(d)) || text.contains("<!DOCTYPE") {
        return Err(Unreadable::Damaged);
    }
    for (at, word) in text.match_indices("uniqueCount") {
        let rest = text[at + word.len()..].trim_start().trim_start_matches('=').trim_start();
        let rest = rest.trim_start_matches(['"', '\'']);
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let closed = rest[digits..].starts_with(['"', '\'']);
        if digits == 0 || digits > COUNT_DIGITS || !closed {
            return Err(Unreadable::Damaged);
        }
    }
    Ok(())
}

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|w| w == word)
}
