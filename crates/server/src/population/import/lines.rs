//! Lines of a file in batches, worked on by all cores, taken in order.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Seek as _};
use std::sync::mpsc::sync_channel;

use anyhow::{Context as _, bail};

use crate::population::csv::{Fault, Header, Row};

/// Longest line in bytes: all columns at their longest take about 20 KB.
const LINE_MAX: usize = 64 << 10;
/// Text of a batch, about 250 rows.
const BATCH_BYTES: usize = 256 << 10;
/// Batches that may wait before and after each worker: 2 × 2 × 256 KiB and the records in them.
const BATCHES_WAITING: usize = 2;
/// Bytes read at once.
const BUFFER_BYTES: usize = 128 << 10;
/// Why the next line could not be had.
const DAMAGED: &str = "tệp hỏng hoặc bị cắt (damaged or cut off)";

/// A file's lines after its header.
pub struct Lines {
    reader: Box<dyn BufRead + Send>,
    /// Number of the next line.
    next: u64,
}

/// Some lines in a row.
pub struct Batch {
    /// Number of the first line; the header is line 1.
    pub first: u64,
    /// What the dispatcher adds for the workers.
    pub tag: u64,
    text: Vec<u8>,
    ends: Vec<usize>,
}

/// Opens a file from its start and reads its header.
pub fn open(mut file: &File) -> anyhow::Result<(Header, Lines)> {
    let mut magic = [0; 4];
    file.rewind()?;
    let got = file.take(4).read(&mut magic)?;
    file.rewind()?;
    let file = file.try_clone()?;
    let mut reader: Box<dyn BufRead + Send> = match &magic[..got] {
        [0x28, 0xb5, 0x2f, 0xfd] => {
            Box::new(BufReader::with_capacity(BUFFER_BYTES, zstd::Decoder::new(file)?))
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => bail!("tệp phải là UTF-8, không phải UTF-16"),
        [0x1f, 0x8b, ..] | [b'P', b'K', ..] => {
            bail!("tệp phải là CSV hoặc CSV nén zstd, không phải gzip, zip hay bảng tính")
        }
        _ => Box::new(BufReader::with_capacity(BUFFER_BYTES, file)),
    };
    let mut line = vec![];
    read_line(&mut *reader, &mut line).context(DAMAGED)?;
    let header = trimmed(line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line));
    if header.len() > LINE_MAX {
        bail!("dòng tiêu đề quá dài (the header is too long)");
    }
    Ok((Header::parse(header)?, Lines { reader, next: 2 }))
}

impl Lines {
    /// The next batch; none at the end of the file.
    pub fn batch(&mut self) -> anyhow::Result<Option<Batch>> {
        let text = Vec::with_capacity(BATCH_BYTES + LINE_MAX);
        let mut batch = Batch { first: self.next, tag: 0, text, ends: vec![] };
        while batch.text.len() < BATCH_BYTES {
            let more = read_line(&mut *self.reader, &mut batch.text)
                .with_context(|| format!("dòng {}: {DAMAGED}", self.next))?;
            if !more {
                break;
            }
            batch.ends.push(batch.text.len());
            self.next += 1;
        }
        Ok((!batch.ends.is_empty()).then_some(batch))
    }
}

/// Appends the next line; of a line that is too long its start, which is too long still.
fn read_line(reader: &mut dyn BufRead, text: &mut Vec<u8>) -> std::io::Result<bool> {
    let got = (&mut *reader).take(LINE_MAX as u64 + 3).read_until(b'\n', text)?;
    if got > LINE_MAX + 2 && !text.ends_with(b"\n") {
        skip_line(reader)?;
    }
    Ok(got > 0)
}

fn skip_line(reader: &mut dyn BufRead) -> std::io::Result<()> {
    loop {
        let here = reader.fill_buf()?;
        let (used, done) = match here.iter().position(|b| *b == b'\n') {
            Some(at) => (at + 1, true),
            None => (here.len(), here.is_empty()),
        };
        reader.consume(used);
        if done {
            return Ok(());
        }
    }
}

/// A line without its line end.
fn trimmed(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

impl Batch {
    /// The lines with their numbers, without line ends.
    pub fn lines(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let lines = starts.zip(&self.ends).map(|(start, end)| trimmed(&self.text[start..*end]));
        (self.first..).zip(lines)
    }

    /// How many lines.
    pub fn len(&self) -> u64 {
        self.ends.len() as u64
    }
}

/// A line as a row.
pub fn row<'a>(header: &'a Header, line: &'a [u8]) -> Result<Row<'a>, Fault> {
    if line.len() > LINE_MAX {
        return Err(Fault::row("dòng dài quá 64 KiB"));
    }
    Row::read(header, line)
}

/// Whether a line holds nothing: such lines are no rows.
pub fn is_blank(line: &[u8]) -> bool {
    line.trim_ascii().is_empty()
}

/// Works on batches with all cores; `take` gets the results in the order of the file. Each worker
/// has its own queues, filled and emptied in turn, so nothing piles up behind a slow one.
pub fn in_order<T: Send>(
    mut next: impl FnMut() -> anyhow::Result<Option<Batch>> + Send,
    work: impl Fn(&Batch) -> T + Sync,
    mut take: impl FnMut(T) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        let (mut inputs, mut outputs) = (vec![], vec![]);
        for _ in 0..threads {
            let (input, batches) = sync_channel::<Batch>(BATCHES_WAITING);
            let (done, output) = sync_channel(BATCHES_WAITING);
            let work = &work;
            scope.spawn(move || {
                // Ends when the reader has no more, or when nobody takes the results.
                batches.iter().all(|batch| done.send(work(&batch)).is_ok());
            });
            inputs.push(input);
            outputs.push(output);
        }
        let reader = scope.spawn(move || -> anyhow::Result<()> {
            for input in inputs.iter().cycle() {
                let Some(batch) = next()? else { break };
                if input.send(batch).is_err() {
                    break;
                }
            }
            Ok(())
        });
        let mut taken = Ok(());
        for output in outputs.iter().cycle() {
            // The worker whose turn it is has nothing left: the file has ended.
            let Ok(result) = output.recv() else { break };
            taken = take(result);
            if taken.is_err() {
                break;
            }
        }
        drop(outputs);
        let read = reader.join().unwrap_or_else(|_| bail!("luồng đọc tệp bị dừng"));
        taken.and(read)
    })
}
