//! Writes every citizen of the registry into a population file.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;

use anyhow::{Context as _, bail};
use dancu_store::Store;

use super::csv::write;

/// Text handed to the thread that compresses and writes: about 900 rows.
const CHUNK_BYTES: usize = 1 << 20;
/// Chunks that may wait for it.
const CHUNKS_WAITING: usize = 4;
/// zstd's own default: a file of a tenth, faster than rows are unsealed.
const ZSTD_LEVEL: i32 = 3;
/// Only the owner reads a file of personal data.
const MODE: u32 = 0o600;

/// Writes all citizens to `to`, compressed where the name ends in `.zst`, and returns how many.
/// The file gets its name only when it is complete and on disk; until then it is `<name>.part`.
/// `progress` gets the count so far.
pub fn run(store: &Store, to: &Path, progress: &dyn Fn(u64)) -> anyhow::Result<u64> {
    let part = part_name(to)?;
    let result = write_part(store, to, &part, progress);
    if result.is_err() {
        // An incomplete file of personal data is not left behind.
        let _ = std::fs::remove_file(&part);
    }
    result
}

fn write_part(
    store: &Store,
    to: &Path,
    part: &Path,
    progress: &dyn Fn(u64),
) -> anyhow::Result<u64> {
    // Made anew, so that it has our mode and is no link to somewhere else.
    let _ = std::fs::remove_file(part);
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(part)
        .with_context(|| format!("không tạo được tệp {} (cannot create)", part.display()))?;
    let (sender, receiver) = sync_channel::<String>(CHUNKS_WAITING);
    let compress = to.extension().is_some_and(|e| e.eq_ignore_ascii_case("zst"));
    let persons = std::thread::scope(|scope| {
        let writer = scope.spawn(move || drain(file, compress, receiver.into_iter()));
        let persons = rows(store, progress, |chunk| sender.send(chunk).is_ok());
        drop(sender);
        let written = writer.join().unwrap_or_else(|_| bail!("luồng ghi tệp bị dừng"));
        // Where the writer failed, its error says why.
        written.context("không ghi được tệp (cannot write)")?;
        persons
    })?;
    std::fs::rename(part, to)
        .with_context(|| format!("không đặt được tên {} (cannot rename)", to.display()))?;
    let folder = to.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()?;
    Ok(persons)
}

fn part_name(to: &Path) -> anyhow::Result<PathBuf> {
    let Some(name) = to.file_name() else {
        bail!("{} không phải tên tệp (not a file name)", to.display());
    };
    let mut name = name.to_owned();
    name.push(".part");
    Ok(to.with_file_name(name))
}

/// Formats all rows; `send` says whether there is still somebody to take them.
fn rows(
    store: &Store,
    progress: &dyn Fn(u64),
    send: impl Fn(String) -> bool,
) -> anyhow::Result<u64> {
    let mut chunk = write::header();
    let (mut persons, mut unwritable, mut gone) = (0_u64, 0_u64, false);
    store.registry().scan(|person| {
        if gone {
            return Ok(());
        }
        unwritable += u64::from(!write::line(&person, &mut chunk));
        persons += 1;
        if chunk.len() >= CHUNK_BYTES {
            let next = String::with_capacity(CHUNK_BYTES + (CHUNK_BYTES >> 3));
            gone = !send(std::mem::replace(&mut chunk, next));
            progress(persons);
        }
        Ok(())
    })?;
    if unwritable > 0 {
        bail!("{unwritable} hồ sơ có xuống dòng trong văn bản, không xuất được (line breaks)");
    }
    send(chunk);
    progress(persons);
    Ok(persons)
}

/// Writes the chunks and brings the file to disk.
fn drain(file: File, compress: bool, chunks: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let file = if compress {
        let mut encoder = zstd::Encoder::new(BufWriter::new(file), ZSTD_LEVEL)?;
        encoder.include_checksum(true)?;
        for chunk in chunks {
            encoder.write_all(chunk.as_bytes())?;
        }
        encoder.finish()?.into_inner().map_err(std::io::IntoInnerError::into_error)?
    } else {
        let mut file = file;
        for chunk in chunks {
            file.write_all(chunk.as_bytes())?;
        }
        file
    };
    file.sync_all()?;
    Ok(())
}
