//! The cells of one line of a table.

use std::borrow::Cow;

/// What stands between cells: a comma, or what spreadsheets in Vietnamese write instead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Separator(u8);

impl Separator {
    /// The first of `,` `;` and tab that stands outside quotes in the header; else the comma.
    pub(super) fn of(header: &str) -> Self {
        let mut quoted = false;
        for byte in header.bytes() {
            match byte {
                b'"' => quoted = !quoted,
                b',' | b';' | b'\t' if !quoted => return Self(byte),
                _ => {}
            }
        }
        Self(b',')
    }
}

/// A quote where none may stand, or one that is never closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Quotes;

/// Appends the cells of a line, without the white space around them.
pub(super) fn split<'a>(
    line: &'a str,
    separator: Separator,
    out: &mut Vec<Cow<'a, str>>,
) -> Result<(), Quotes> {
    let separator = char::from(separator.0);
    let mut rest = Some(line);
    while let Some(text) = rest {
        let text = text.trim_start_matches(' ');
        rest = if let Some(quoted) = text.strip_prefix('"') {
            let (cell, after) = closed(quoted)?;
            out.push(cell);
            let after = after.trim_start_matches(' ');
            match after.strip_prefix(separator) {
                None if after.is_empty() => None,
                None => return Err(Quotes),
                more => more,
            }
        } else {
            let (cell, more) = match text.split_once(separator) {
                Some((cell, more)) => (cell, Some(more)),
                None => (text, None),
            };
            if cell.contains('"') {
                return Err(Quotes);
            }
            out.push(Cow::Borrowed(cell.trim()));
            more
        };
    }
    Ok(())
}

/// The text up to the closing quote, doubled quotes read as one, and what stands after it.
fn closed(text: &str) -> Result<(Cow<'_, str>, &str), Quotes> {
    let mut owned = String::new();
    let mut rest = text;
    loop {
        let (part, after) = rest.split_once('"').ok_or(Quotes)?;
        match after.strip_prefix('"') {
            Some(more) => {
                owned.push_str(part);
                owned.push('"');
                rest = more;
            }
            None if owned.is_empty() => return Ok((Cow::Borrowed(part.trim()), after)),
            None => {
                owned.push_str(part);
                return Ok((Cow::Owned(owned.trim().to_owned()), after));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(line: &str) -> Result<Vec<String>, Quotes> {
        let mut out = vec![];
        split(line, Separator::of(line), &mut out)?;
        Ok(out.into_iter().map(Cow::into_owned).collect())
    }

    #[test]
    fn quotes_and_separators() {
        assert_eq!(cells("a,b ,, c").unwrap(), ["a", "b", "", "c"]);
        assert_eq!(cells("a;\"b;,\"\"c\"\"\" ;").unwrap(), ["a", "b;,\"c\"", ""]);
        assert_eq!(cells("\"a,b\"\tc").unwrap(), ["a,b", "c"]);
        assert_eq!(cells("").unwrap(), [""]);
        assert_eq!(cells("\"\"").unwrap(), [""]);
        for bad in ["\"a", "a\"b,c", "\"a\"b,c", "a,\"", "\"a\"\""] {
            assert_eq!(cells(bad), Err(Quotes), "{bad}");
        }
    }
}
