//! Checking a backup without restoring it.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;

use super::Progress;
use super::manifest::{Manifest, Part, Versions};
use super::needs::{self, Needs, States};
use super::part::{Name, PartReader, Sums, sum_of};
use super::tables::{Kept, Table, table, tables};
use crate::engine::{FromValue, Value};
use crate::entries::Chunk;
use crate::error::{Error, Result};
use crate::keys::{Key, Keyring};
use crate::sqlite::Area;

/// Problems that are told one by one; more are counted.
const TOLD_MAX: usize = 50;

/// What a check found.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// Name of the backup.
    pub id: String,
    /// When it was made.
    pub made_at: String,
    /// Whether keys were at hand: every frame, row and entry was opened. Without them only the
    /// sums of the files were compared, and nothing says that the manifest is genuine.
    pub opened: bool,
    /// Files.
    pub parts: u64,
    /// Rows in them.
    pub rows: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Entries that were opened and fit their commitments.
    pub entries: u64,
    /// Months (yyyymm) without any key at hand: erased, or not in the file of keys.
    pub months_without_key: Vec<u32>,
    /// Index of the first entry.
    pub first_index: u64,
    /// The next index.
    pub next_index: u64,
    /// What is wrong; empty = the backup is sound.
    pub problems: Vec<String>,
}

impl Checked {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    fn problem(&mut self, text: String) {
        if self.problems.len() < TOLD_MAX {
            self.problems.push(text);
        }
    }
}

/// Checks a backup: sums of every file; with keys also the manifest's MAC, every frame and row,
/// counts, that the journal has no gap, every entry against its commitment, and that the keys that
/// records, digests, months and a rotation under way need are at hand.
///
/// # Errors
/// The folder is not a finished backup, its manifest is not genuine, or the keys are another's.
/// What is wrong with single parts stands in [`Checked::problems`].
pub fn verify(
    dir: &Path,
    keys: Option<&Keyring>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Checked> {
    let manifest = Manifest::read(dir)?;
    let key = keys.map(|k| manifest.checked_key(k)).transpose()?;
    let mut out = Checked {
        id: manifest.id.clone(),
        made_at: manifest.made_at.clone(),
        opened: keys.is_some(),
        next_index: manifest.head.next_index,
        ..Checked::default()
    };
    let (mut journal, mut states) = (Journal::default(), States::default());
    let mut now = Progress { of: manifest.parts.len() as u64, ..Progress::default() };
    for part in &manifest.parts {
        let checked = match (&key, keys) {
            (Some(key), Some(keys)) => open(dir, part, (key, keys), &mut journal, &mut states),
            _ => compare(dir, part),
        };
        if let Err(error) = checked {
            out.problem(format!("{}: {error}", part.file()));
        }
        journal.follow(part, &mut out);
        now.parts += 1;
        now.bytes += part.bytes;
        out.rows += part.rows;
        progress(now);
    }
    (out.parts, out.bytes, out.entries) = (now.parts, now.bytes, journal.opened);
    out.first_index = journal.first.unwrap_or(manifest.head.next_index);
    out.months_without_key = journal.closed.iter().copied().collect();
    whole(&manifest, &journal, &mut out);
    let lacking = keys.map(needs::without_any).into_iter().flatten();
    lacking.chain(states.problem()).for_each(|problem| out.problem(problem));
    Ok(out)
}

/// Whether the versions are this program's.
pub(super) fn fits(manifest: &Manifest) -> Result<()> {
    let ours = Versions { core: Area::Core.version(), registry: Area::Registry.version() };
    if manifest.schema == ours {
        return Ok(());
    }
    Err(Error::Backup(format!(
        "bản sao lưu có lược đồ {}/{}, chương trình cần {}/{}: khôi phục bằng dancu {}, rồi chạy \
         `dancu restore accept` bằng bản này, lệnh đó cũng nâng lược đồ (restore with the program \
         that made it, then accept with this one, which migrates it)",
        manifest.schema.core, manifest.schema.registry, ours.core, ours.registry, manifest.program
    )))
}

/// What the parts say together.
fn whole(manifest: &Manifest, journal: &Journal, out: &mut Checked) {
    if journal.next.is_some_and(|next| next != manifest.head.next_index)
        || (journal.next.is_none() && manifest.head.next_index > 0)
    {
        out.problem("nhật ký không đến đầu đã ghi (the journal does not reach its head)".into());
    }
    let last = journal.last.map(hex::encode);
    if last.is_some_and(|last| last != manifest.head.commitment) {
        out.problem("cam kết của mục cuối khác (commitment of the last entry differs)".into());
    }
    if manifest.schema.core == Area::Core.version() {
        for table in tables().iter().filter(|t| t.kept == Kept::Rows) {
            if !manifest.parts.iter().any(|p| p.table == table.name) {
                out.problem(format!("thiếu bảng {} (a table is missing)", table.name));
            }
        }
    }
}

/// Without keys: the file is what the manifest says.
fn compare(dir: &Path, part: &Part) -> Result<()> {
    let (sum, bytes) = sum_of(&part.path(dir))?;
    if sum == part.sha256 && bytes == part.bytes { Ok(()) } else { Err(differs()) }
}

fn differs() -> Error {
    Error::Backup(
        "tổng kiểm không khớp, tệp đã hỏng (checksum differs, the file is damaged)".into(),
    )
}

/// Reads a part to its end and gives each row to `take`; the file must be what the manifest says.
pub(super) fn read_part(
    dir: &Path,
    part: &Part,
    key: &Key,
    columns: usize,
    mut take: impl FnMut(&[Value<'_>]) -> Result<()>,
) -> Result<()> {
    let name = Name { table: &part.table, label: &part.label };
    let mut reader = PartReader::open(&part.path(dir), key, name, columns)?;
    while let Some(row) = reader.row()? {
        take(&row)?;
    }
    let found = reader.finish()?;
    let (rows, bytes) = (part.rows, part.bytes);
    let wanted = Sums { rows, bytes, file: part.sha256.clone(), content: part.content.clone() };
    if found == wanted { Ok(()) } else { Err(differs()) }
}

fn open(
    dir: &Path,
    part: &Part,
    (key, keys): (&Key, &Keyring),
    journal: &mut Journal,
    states: &mut States,
) -> Result<()> {
    let known = table(&part.table).filter(|t| part.fits(t));
    let columns = part.columns.split(',').count();
    let place = known.as_ref().filter(|t| t.kept == Kept::Months).map(ChunkColumns::of);
    let mut needs = known.as_ref().map_or(Needs::Nothing, Needs::of);
    let mut next = part.first_index;
    read_part(dir, part, key, columns, |row| {
        needs.check(row, keys, states)?;
        if let Some(place) = &place {
            next = journal.chunk(place.chunk(row)?, next, keys)?;
        }
        Ok(())
    })?;
    if place.is_some() && next != part.end_index {
        return Err(Error::Damaged("number of entries"));
    }
    Ok(())
}

/// Where a chunk's columns stand.
struct ChunkColumns([usize; 6]);

impl ChunkColumns {
    fn of(table: &Table) -> Self {
        let names = ["first_idx", "entries", "month", "commitments", "sealed", "key_number"];
        let at = |name| table.columns.iter().position(|c| *c == name).unwrap_or(usize::MAX);
        Self(names.map(at))
    }

    fn chunk(&self, row: &[Value<'_>]) -> Result<Chunk> {
        let [first, entries, month, commitments, sealed, key_number] = self.0;
        Ok(Chunk {
            first: column::<i64>(row, first)?.cast_unsigned(),
            entries: column(row, entries)?,
            month: column(row, month)?,
            commitments: column(row, commitments)?,
            sealed: column(row, sealed)?,
            key_number: column(row, key_number)?,
        })
    }
}

pub(super) fn column<'a, T: FromValue<'a>>(row: &[Value<'a>], at: usize) -> Result<T> {
    row.get(at).and_then(|v| T::from_value(*v)).ok_or(Error::Damaged("column of a chunk"))
}

/// The journal as it is read, part by part.
#[derive(Default)]
struct Journal {
    first: Option<u64>,
    next: Option<u64>,
    /// Commitment of the last entry read.
    last: Option<[u8; 32]>,
    opened: u64,
    closed: BTreeSet<u32>,
}

impl Journal {
    /// A part of the journal begins where the one before it ended.
    fn follow(&mut self, part: &Part, out: &mut Checked) {
        if table(&part.table).is_none_or(|t| t.kept != Kept::Months) {
            return;
        }
        self.first.get_or_insert(part.first_index);
        if self.next.is_some_and(|next| next != part.first_index) {
            out.problem(format!(
                "{}: nhật ký thiếu mục (a gap in the journal before index {})",
                part.file(),
                part.first_index
            ));
        }
        self.next = Some(part.end_index);
    }

    /// Checks a chunk and gives the index after it.
    fn chunk(&mut self, chunk: Chunk, next: u64, keys: &Keyring) -> Result<u64> {
        if chunk.first != next {
            return Err(Error::Damaged("a gap in the journal"));
        }
        let (each, []) = chunk.commitments.as_chunks::<32>() else {
            return Err(Error::Damaged("commitments"));
        };
        if each.len() != chunk.entries as usize {
            return Err(Error::Damaged("commitments"));
        }
        self.last = each.last().copied();
        let (month, end) = (chunk.month, chunk.first + u64::from(chunk.entries));
        if needs::month_opens(&chunk, keys)? {
            self.opened += chunk.open(keys, next)?.len() as u64;
        } else {
            self.closed.insert(month);
        }
        Ok(end)
    }
}
