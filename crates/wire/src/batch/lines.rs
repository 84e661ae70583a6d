//! A stream of bytes, cut into lines however its chunks fall.
//!
//! A line end always ends a row, inside quotes too: no column can hold a line break, and so a quote
//! that is never closed spoils one row and not the rest of the file.

use dancu_gate::jobs::types::ROW_BYTES_MAX;

use super::FileError;

/// One line without its end.
pub(super) enum Line<'a> {
    /// Its bytes.
    Bytes(&'a [u8]),
    /// Longer than [`ROW_BYTES_MAX`].
    TooLong,
}

/// The line that is being gathered.
pub(super) struct Lines {
    buffer: Vec<u8>,
    /// Lines that ended; a body of 512 MiB has room for fewer than a u32 counts.
    number: u32,
}

impl Lines {
    /// Bytes of a line that are kept: one over the limit, and the `\r` that may stand at its end.
    const KEPT: usize = ROW_BYTES_MAX + 2;

    pub(super) const fn new() -> Self {
        Self { buffer: Vec::new(), number: 0 }
    }

    /// Takes the next bytes and hands out each line that ends in them, with its number from 1.
    pub(super) fn push(
        &mut self,
        chunk: &[u8],
        each: &mut impl FnMut(u32, Line<'_>) -> Result<(), FileError>,
    ) -> Result<(), FileError> {
        let mut rest = chunk;
        while let Some(at) = rest.iter().position(|b| *b == b'\n') {
            self.take(&rest[..at])?;
            self.end(each)?;
            rest = &rest[at + 1..];
        }
        self.take(rest)
    }

    /// Hands out what follows the last line end.
    pub(super) fn finish(
        &mut self,
        each: &mut impl FnMut(u32, Line<'_>) -> Result<(), FileError>,
    ) -> Result<(), FileError> {
        if self.buffer.is_empty() { Ok(()) } else { self.end(each) }
    }

    fn take(&mut self, part: &[u8]) -> Result<(), FileError> {
        let room = Self::KEPT - self.buffer.len();
        self.buffer.extend_from_slice(&part[..part.len().min(room)]);
        // UTF-16 shows in the first line: by its mark, or the zero byte beside each ASCII letter.
        let marked = self.buffer.starts_with(b"\xff\xfe") || self.buffer.starts_with(b"\xfe\xff");
        if self.number == 0 && (marked || part.contains(&0)) {
            return Err(FileError::Utf16);
        }
        Ok(())
    }

    fn end(
        &mut self,
        each: &mut impl FnMut(u32, Line<'_>) -> Result<(), FileError>,
    ) -> Result<(), FileError> {
        self.number = self.number.saturating_add(1);
        let mut line = self.buffer.strip_suffix(b"\r").unwrap_or(&self.buffer);
        if self.number == 1 {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        let line = if line.len() > ROW_BYTES_MAX { Line::TooLong } else { Line::Bytes(line) };
        let result = each(self.number, line);
        self.buffer.clear();
        result
    }
}
