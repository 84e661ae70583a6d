//! Files of a backup: rows, compressed, sealed in numbered frames.
//!
//! A file is `magic (8) ‖ salt (32)`, then frames: length with the mark of the last one in its
//! highest bit (4, big-endian), then `nonce ‖ ciphertext ‖ tag`. The key of a file is
//! `HMAC-SHA-256(backup key, "dancu backup part 1" ‖ salt)`, so that each file has its own and the
//! frame's number can be the nonce. Table, range, number and mark stand in the associated data:
//! frames cannot be left out, exchanged, cut off or put into another part.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use hmac::Mac as _;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::row::{self, ROW_MAX};
use crate::NONCE_BYTES;
use crate::engine::{Row, Value};
use crate::error::{Error, Result};
use crate::keys::{Key, SealKey, random};

/// Begins each file of a backup, format 1.
const MAGIC: &[u8; 8] = b"DANCUBK1";
/// Bytes of the salt that makes a file's key.
const SALT: usize = 32;
/// Plain bytes of a frame: 1 MiB, so that a file of any size is written and read in little memory.
pub(super) const FRAME: usize = 1 << 20;
/// What sealing adds to a frame: nonce and tag.
const SEALED_MORE: usize = NONCE_BYTES + 16;
/// The mark of the last frame, in its length.
const LAST: u32 = 1 << 31;
/// Level of zstd: most bytes are sealed and cannot be compressed, so the fastest.
const ZSTD_LEVEL: i32 = 1;
/// Bytes handed to the file at once.
const BUFFER: usize = 256 << 10;

/// What a part holds: bound to its frames.
#[derive(Clone, Copy)]
pub(super) struct Name<'a> {
    pub(super) table: &'a str,
    pub(super) label: &'a str,
}

impl Name<'_> {
    pub(super) fn file(self) -> String {
        format!("{}-{}.part", self.table, self.label)
    }
}

/// What a finished part is known by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Sums {
    /// Rows in it.
    pub(super) rows: u64,
    /// Bytes of the file.
    pub(super) bytes: u64,
    /// SHA-256 of the file.
    pub(super) file: String,
    /// SHA-256 of the rows as they are encoded, whatever they are sealed with.
    pub(super) content: String,
}

/// Numbers frames and seals or opens them.
struct Frames {
    seal: SealKey,
    aad: Vec<u8>,
    next: u64,
}

impl Frames {
    fn new(key: &Key, salt: &[u8; SALT], name: Name<'_>) -> Result<Self> {
        let mut mac = key.mac.clone();
        mac.update(b"dancu backup part 1");
        mac.update(salt);
        let raw: Zeroizing<[u8; 32]> = Zeroizing::new(mac.finalize().into_bytes().into());
        let mut aad = vec![0; 9];
        aad.extend_from_slice(format!("{} {}", name.table, name.label).as_bytes());
        Ok(Self { seal: SealKey::new(&raw)?, aad, next: 0 })
    }

    /// Associated data and nonce of the next frame.
    fn turn(&mut self, last: bool) -> [u8; NONCE_BYTES] {
        self.aad[..8].copy_from_slice(&self.next.to_be_bytes());
        self.aad[8] = last.into();
        let mut nonce = [0; NONCE_BYTES];
        nonce[4..].copy_from_slice(&self.next.to_be_bytes());
        self.next += 1;
        nonce
    }
}

/// Seals what is written to it, frame by frame.
struct FrameWriter {
    file: BufWriter<File>,
    sum: Sha256,
    bytes: u64,
    frames: Frames,
    /// Nonce and plain bytes of the frame that is being filled.
    frame: Vec<u8>,
}

impl FrameWriter {
    fn create(path: &Path, key: &Key, name: Name<'_>) -> Result<Self> {
        let file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
        let mut salt = [0; SALT];
        random(&mut salt)?;
        let mut out = Self {
            file: BufWriter::with_capacity(BUFFER, file),
            sum: Sha256::new(),
            bytes: 0,
            frames: Frames::new(key, &salt, name)?,
            frame: Vec::with_capacity(FRAME + SEALED_MORE),
        };
        out.frame.extend_from_slice(&[0; NONCE_BYTES]);
        out.put(MAGIC)?;
        out.put(&salt)?;
        Ok(out)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sum.update(bytes);
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes)
    }

    fn seal(&mut self, last: bool) -> io::Result<()> {
        let nonce = self.frames.turn(last);
        let mut frame = std::mem::take(&mut self.frame);
        frame[..NONCE_BYTES].copy_from_slice(&nonce);
        let sealed = self.frames.seal.seal_after_nonce(&self.frames.aad, &mut frame);
        sealed.map_err(io::Error::other)?;
        let length = frame.len() as u32 | if last { LAST } else { 0 };
        self.put(&length.to_be_bytes())?;
        self.put(&frame)?;
        frame.truncate(NONCE_BYTES);
        self.frame = frame;
        Ok(())
    }
}

impl Write for FrameWriter {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        // Sealed only when more comes: the last frame is then the one that is open at the end.
        if self.frame.len() == NONCE_BYTES + FRAME {
            self.seal(false)?;
        }
        let taken = buffer.len().min(NONCE_BYTES + FRAME - self.frame.len());
        self.frame.extend_from_slice(&buffer[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a part.
pub(super) struct PartWriter {
    encoder: zstd::Encoder<'static, FrameWriter>,
    content: Sha256,
    rows: u64,
    row: Vec<u8>,
}

impl PartWriter {
    /// Begins a new file; one of this name must not be there.
    pub(super) fn create(path: &Path, key: &Key, name: Name<'_>) -> Result<Self> {
        let encoder = zstd::Encoder::new(FrameWriter::create(path, key, name)?, ZSTD_LEVEL)?;
        Ok(Self { encoder, content: Sha256::new(), rows: 0, row: vec![] })
    }

    /// Adds a row.
    pub(super) fn row(&mut self, row: &Row<'_>, columns: usize) -> Result<()> {
        self.row.clear();
        row::encode(row, columns, &mut self.row)?;
        self.content.update(&self.row);
        self.encoder.write_all(&self.row)?;
        self.rows += 1;
        Ok(())
    }

    /// Seals the last frame and brings the file to disk.
    pub(super) fn finish(self) -> Result<Sums> {
        let mut out = self.encoder.finish()?;
        out.seal(true)?;
        let file = out.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        let (file, content) =
            (hex::encode(out.sum.finalize()), hex::encode(self.content.finalize()));
        Ok(Sums { rows: self.rows, bytes: out.bytes, file, content })
    }
}

/// Opens frame after frame.
struct FrameReader {
    file: BufReader<File>,
    sum: Sha256,
    bytes: u64,
    frames: Frames,
    frame: Vec<u8>,
    /// Plain bytes of the frame that are not yet given out.
    open: std::ops::Range<usize>,
    ended: bool,
}

fn broken(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl FrameReader {
    fn open(path: &Path, key: &Key, name: Name<'_>) -> Result<Self> {
        let mut file = BufReader::with_capacity(BUFFER, File::open(path)?);
        let mut head = [0; MAGIC.len() + SALT];
        file.read_exact(&mut head)?;
        let (magic, salt) = head.split_first_chunk::<8>().ok_or(Error::Damaged("part"))?;
        if magic != MAGIC {
            return Err(Error::Damaged("not a part of a backup"));
        }
        let mut all = [0; SALT];
        all.copy_from_slice(salt);
        let frames = Frames::new(key, &all, name)?;
        let mut sum = Sha256::new();
        sum.update(head);
        let (frame, open) = (Vec::with_capacity(FRAME + SEALED_MORE), 0..0);
        Ok(Self { file, sum, bytes: head.len() as u64, frames, frame, open, ended: false })
    }

    fn take(&mut self, length: usize) -> io::Result<()> {
        self.frame.resize(length, 0);
        self.file.read_exact(&mut self.frame)?;
        self.sum.update(&self.frame);
        self.bytes += length as u64;
        Ok(())
    }

    fn next(&mut self) -> io::Result<()> {
        self.take(4)?;
        let mut length = [0; 4];
        length.copy_from_slice(&self.frame);
        let length = u32::from_be_bytes(length);
        let (last, length) = (length & LAST != 0, (length & !LAST) as usize);
        if !(SEALED_MORE..=FRAME + SEALED_MORE).contains(&length) {
            return Err(broken("length of a frame"));
        }
        self.take(length)?;
        let nonce = self.frames.turn(last);
        if self.frame[..NONCE_BYTES] != nonce {
            return Err(broken("number of a frame"));
        }
        let opened = self.frames.seal.open(&self.frames.aad, &mut self.frame);
        let length =
            opened.map_err(|_| broken("a frame does not open: damage or a wrong key"))?.len();
        self.open = NONCE_BYTES..NONCE_BYTES + length;
        if last {
            self.ended = true;
            if self.file.read(&mut [0])? != 0 {
                return Err(broken("bytes after the last frame"));
            }
        }
        Ok(())
    }
}

impl Read for FrameReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.open.is_empty() {
            if self.ended {
                return Ok(0);
            }
            self.next()?;
        }
        let length = buffer.len().min(self.open.len());
        let from = self.open.start;
        buffer[..length].copy_from_slice(&self.frame[from..from + length]);
        self.open.start += length;
        Ok(length)
    }
}

/// Reads a part's rows.
pub(super) struct PartReader {
    decoder: zstd::Decoder<'static, BufReader<FrameReader>>,
    columns: usize,
    content: Sha256,
    rows: u64,
    row: Vec<u8>,
}

impl PartReader {
    /// Opens a part of a table with so many columns.
    pub(super) fn open(path: &Path, key: &Key, name: Name<'_>, columns: usize) -> Result<Self> {
        let frames = BufReader::with_capacity(BUFFER, FrameReader::open(path, key, name)?);
        let decoder = zstd::Decoder::with_buffer(frames)?;
        Ok(Self { decoder, columns, content: Sha256::new(), rows: 0, row: vec![] })
    }

    /// The next row; `None` at the end.
    pub(super) fn row(&mut self) -> Result<Option<Vec<Value<'_>>>> {
        let mut length = [0; 4];
        if self.decoder.read(&mut length[..1])? == 0 {
            return Ok(None);
        }
        self.decoder.read_exact(&mut length[1..])?;
        let size = u32::from_be_bytes(length) as usize;
        if size > ROW_MAX {
            return Err(Error::Damaged("length of a row"));
        }
        self.row.resize(size, 0);
        self.decoder.read_exact(&mut self.row)?;
        self.content.update(length);
        self.content.update(&self.row);
        self.rows += 1;
        row::decode(&self.row, self.columns).map(Some).ok_or(Error::Damaged("row"))
    }

    /// What was read; the last frame must have come.
    pub(super) fn finish(self) -> Result<Sums> {
        let mut frames = self.decoder.finish();
        if io::copy(&mut frames, &mut io::sink())? > 0 {
            return Err(Error::Damaged("bytes after the last row"));
        }
        let frames = frames.into_inner();
        let (file, content) =
            (hex::encode(frames.sum.finalize()), hex::encode(self.content.finalize()));
        Ok(Sums { rows: self.rows, bytes: frames.bytes, file, content })
    }
}

/// SHA-256 and length of a file.
pub(super) fn sum_of(path: &Path) -> Result<(String, u64)> {
    let (mut file, mut sum) = (File::open(path)?, Sha256::new());
    let (mut buffer, mut bytes) = (vec![0; FRAME], 0);
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok((hex::encode(sum.finalize()), bytes));
        }
        sum.update(&buffer[..n]);
        bytes += n as u64;
    }
}

/// SHA-256 of rows as a part would tell it, without writing one.
pub(super) struct ContentSum {
    content: Sha256,
    rows: u64,
    row: Vec<u8>,
}

impl ContentSum {
    pub(super) fn new() -> Self {
        Self { content: Sha256::new(), rows: 0, row: vec![] }
    }

    /// Adds a row and tells how many there are now.
    pub(super) fn row(&mut self, row: &Row<'_>, columns: usize) -> Result<u64> {
        self.row.clear();
        row::encode(row, columns, &mut self.row)?;
        self.content.update(&self.row);
        self.rows += 1;
        Ok(self.rows)
    }

    pub(super) fn finish(self) -> (u64, String) {
        (self.rows, hex::encode(self.content.finalize()))
    }
}
