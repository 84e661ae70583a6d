//! A PDF by its words: names, numbers and streams as they stand in the file and in its packed
//! objects. Cross references are not followed: they could leave out what a reader finds.

use std::collections::HashSet;
use std::io::Read as _;

use super::{Document, PAGES_MAX, Refusal, signed};

/// Bytes of all packed objects when unpacked: 200 pages have some hundred KB of them.
const UNPACKED_MAX: u64 = 32 << 20;
/// Packed streams of a document: one of 200 pages has some dozen of a hundred objects each.
const PACKED_MAX: usize = 4_096;
/// Signatures of a document: a letter has one or a few.
const RANGES_MAX: usize = 16;
/// Bytes that a signature takes up in a file: 64 KB with its authorities and their revocation
/// lists, and four times that.
const GAP_MAX: u64 = 256 << 10;
/// Names of what runs, calls, brings along or fills in: JavaScript, programs, files within the
/// file, files of data, dynamic forms, media (ISO 32000-1, 7.11.4, 12.6.4, 12.7.8, 13).
const ACTIVE: [&[u8]; 12] = [
    b"JavaScript",
    b"Launch",
    b"ImportData",
    b"XFA",
    b"RichMedia",
    b"EmbeddedFiles",
    b"EmbeddedFile",
    b"EF",
    b"FileAttachment",
    b"GoToE",
    b"Movie",
    b"Sound",
];
/// Shorter names stand in packed data by chance: in one of 30 files of 10 MB where of two letters.
const SHORT: usize = 2;

/// What is known of the document.
///
/// # Errors
/// Why it is not taken.
pub(super) fn read(bytes: &[u8]) -> Result<Document, Refusal> {
    let mut seen = Seen::default();
    seen.scan(bytes, true)?;
    // What a reader finds by its own ways may lie where no word was looked for.
    if holds_active(bytes) {
        return Err(Refusal::Scripted);
    }
    match seen.pages.len() + seen.packed_pages {
        0 => Err(Refusal::Damaged),
        pages if pages > PAGES_MAX => Err(Refusal::TooManyPages(pages)),
        pages => {
            let signatures = seen.ranges.iter().filter_map(|range| signed::read(bytes, *range));
            Ok(Document { pages, signatures: signatures.collect() })
        }
    }
}

/// Whether a name of [`ACTIVE`] stands anywhere, with `#xx` read.
fn holds_active(bytes: &[u8]) -> bool {
    let slashes = bytes.iter().enumerate().filter(|(_, b)| **b == b'/');
    slashes.into_iter().any(|(at, _)| {
        let name = Words { bytes, at: at + 1 }.name();
        name.len() > SHORT && ACTIVE.contains(&name.as_slice())
    })
}

/// A word of the file.
#[derive(PartialEq, Debug)]
enum Word<'a> {
    /// With `#xx` read.
    Name(Vec<u8>),
    Number(u64),
    Keyword(&'a [u8]),
    Text,
    Open,
    Close,
    Other,
}

/// What was met so far.
#[derive(Default)]
struct Seen {
    /// Numbers of objects that are pages: a later version of one counts once.
    pages: HashSet<u64>,
    packed_pages: usize,
    packed: usize,
    ranges: Vec<[u64; 4]>,
    unpacked: u64,
}

/// What the dictionary before a stream says of it.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word that stands there or not")]
struct Stream {
    packed_objects: bool,
    flate: bool,
    other_filter: bool,
    predicted: bool,
}

impl Seen {
    /// `whole`: the file; else objects that were packed in it, which hold no streams.
    fn scan(&mut self, bytes: &[u8], whole: bool) -> Result<(), Refusal> {
        let mut words = Words { bytes, at: 0 };
        let (mut numbers, mut object) = (vec![], 0);
        let mut stream = Stream::default();
        let (mut before, mut range) = (Word::Other, None);
        while let Some(word) = words.next() {
            match &word {
                Word::Name(name) => {
                    if ACTIVE.contains(&name.as_slice()) {
                        return Err(Refusal::Scripted);
                    }
                    match name.as_slice() {
                        b"Encrypt" if whole => return Err(Refusal::Encrypted),
                        b"ByteRange" => range = Some(vec![]),
                        b"Page" if before == Word::Name(b"Type".to_vec()) => {
                            self.page(object, whole);
                        }
                        b"ObjStm" => stream.packed_objects = true,
                        b"FlateDecode" | b"Fl" => stream.flate = true,
                        b"Predictor" => stream.predicted = true,
                        other => stream.other_filter |= other.ends_with(b"Decode"),
                    }
                }
                Word::Number(n) => {
                    if numbers.len() == 2 {
                        numbers.remove(0);
                    }
                    numbers.push(*n);
                    if let Some(range) = range.as_mut().filter(|r: &&mut Vec<u64>| r.len() < 4) {
                        range.push(*n);
                    }
                }
                Word::Keyword(b"obj") => {
                    object = numbers.first().copied().unwrap_or_default();
                    stream = Stream::default();
                }
                Word::Keyword(b"stream") if whole => {
                    let data = words.stream();
                    if std::mem::take(&mut stream).holds_objects()? {
                        self.unpack(data)?;
                    }
                }
                _ => {}
            }
            if let Some(&[a, b, c, d]) = range.as_deref() {
                if self.ranges.len() == RANGES_MAX || c.saturating_sub(b) > GAP_MAX {
                    return Err(Refusal::Damaged);
                }
                self.ranges.push([a, b, c, d]);
                range = None;
            }
            before = word;
        }
        Ok(())
    }

    fn page(&mut self, object: u64, whole: bool) {
        if whole {
            self.pages.insert(object);
        } else {
            self.packed_pages += 1;
        }
    }

    /// Objects that are packed in a stream (ISO 32000-1, 7.5.7).
    fn unpack(&mut self, data: &[u8]) -> Result<(), Refusal> {
        self.packed += 1;
        if self.packed > PACKED_MAX {
            return Err(Refusal::Damaged);
        }
        let left = UNPACKED_MAX - self.unpacked;
        let mut out = vec![];
        let mut reader = flate2::read::ZlibDecoder::new(data).take(left + 1);
        // A stream that ends too early is read as far as it goes, as readers do.
        let _ = reader.read_to_end(&mut out);
        if out.len() as u64 > left {
            return Err(Refusal::Damaged);
        }
        self.unpacked += out.len() as u64;
        self.scan(&out, false)
    }
}

impl Stream {
    /// # Errors
    /// Objects that are packed in a way that is not read here: what they hold is not known.
    fn holds_objects(self) -> Result<bool, Refusal> {
        if !self.packed_objects {
            return Ok(false);
        }
        if self.flate && !self.other_filter && !self.predicted {
            Ok(true)
        } else {
            Err(Refusal::Damaged)
        }
    }
}

struct Words<'a> {
    bytes: &'a [u8],
    at: usize,
}

const fn is_blank(b: u8) -> bool {
    matches!(b, 0 | b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

const fn is_regular(b: u8) -> bool {
    !is_blank(b)
        && !matches!(b, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<Word<'a>> {
        let bytes = self.bytes;
        loop {
            let b = *bytes.get(self.at)?;
            if is_blank(b) {
                self.at += 1;
            } else if b == b'%' {
                let end = bytes[self.at..].iter().position(|b| matches!(b, b'\r' | b'\n'));
                self.at = end.map_or(bytes.len(), |n| self.at + n);
            } else {
                break;
            }
        }
        let start = self.at;
        self.at += 1;
        Some(match bytes[start] {
            b'/' => Word::Name(self.name()),
            b'(' => {
                self.skip_text();
                Word::Text
            }
            b'<' if bytes.get(self.at) == Some(&b'<') => {
                self.at += 1;
                Word::Open
            }
            b'<' => {
                let end = bytes[self.at..].iter().position(|b| *b == b'>');
                self.at = end.map_or(bytes.len(), |n| self.at + n + 1);
                Word::Text
            }
            b'>' if bytes.get(self.at) == Some(&b'>') => {
                self.at += 1;
                Word::Close
            }
            b if is_regular(b) => {
                while bytes.get(self.at).is_some_and(|b| is_regular(*b)) {
                    self.at += 1;
                }
                let word = &bytes[start..self.at];
                let number = std::str::from_utf8(word).ok().and_then(|t| t.parse().ok());
                number.map_or(Word::Keyword(word), Word::Number)
            }
            _ => Word::Other,
        })
    }

    fn name(&mut self) -> Vec<u8> {
        let mut out = vec![];
        while let Some(b) = self.bytes.get(self.at).copied().filter(|b| is_regular(*b)) {
            self.at += 1;
            let hex = self.bytes.get(self.at..self.at + 2);
            let code = hex.and_then(|h| u8::from_str_radix(std::str::from_utf8(h).ok()?, 16).ok());
            match (b, code) {
                (b'#', Some(code)) => {
                    out.push(code);
                    self.at += 2;
                }
                _ => out.push(b),
            }
        }
        out
    }

    /// To the bracket that closes a text; brackets within it are even or escaped.
    fn skip_text(&mut self) {
        let mut depth = 1;
        while let Some(b) = self.bytes.get(self.at) {
            self.at += 1;
            match b {
                b'\\' => self.at += 1,
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// The bytes up to `endstream`.
    fn stream(&mut self) -> &'a [u8] {
        let rest = &self.bytes[self.at.min(self.bytes.len())..];
        let rest = rest.strip_prefix(b"\r\n").or(rest.strip_prefix(b"\n")).unwrap_or(rest);
        let end = find(rest, b"endstream").unwrap_or(rest.len());
        self.at = self.bytes.len() - rest.len() + end;
        &rest[..end]
    }
}

fn find(bytes: &[u8], word: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|b| *b == word[0]) {
        if bytes[from + at..].starts_with(word) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}
