//! Making a backup, while the database is used.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use dancu_domain::moment::Moment;
use rustix::fs::FlockOperation;
use serde::Serialize;

use super::keyfile::{self, KeyFile};
use super::manifest::{FORMAT, Head, Manifest, PARTS, Part, Versions};
use super::part::{ContentSum, Name, PartWriter, sum_of};
use super::snapshot::Snapshot;
use super::tables::{Bound, DIGEST_PARTS, JOURNAL_BLOCK, Kept, Range, Table, tables};
use super::{Progress, Site, sync_dir, sync_parent};
use crate::anchor;
use crate::engine::{Engine, Tx, Value};
use crate::error::{Error, Result};
use crate::keys::{Key, Keyring, Purpose, random};
use crate::sqlite::Area;
use crate::values;

/// Held by the process that writes a backup; a finished one has none.
const WRITING: &str = "WRITING";

/// A backup to be made.
pub struct Making<'a> {
    /// The database. A process may serve it meanwhile.
    pub site: &'a Site,
    /// A keyring under its master key.
    pub keys: &'a Keyring,
    /// The folder to make; it must not be there.
    pub to: &'a Path,
    /// An earlier backup, whose unchanged parts are taken over.
    pub base: Option<&'a Path>,
    /// Name the base's folder in the manifest instead of linking or copying its parts.
    pub by_path: bool,
    /// Where the wrapped keys go; not inside `to`.
    pub keys_to: Option<&'a Path>,
    /// The machine's time.
    pub now: Moment,
    /// Version of the program.
    pub program: &'a str,
}

/// A finished backup.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Made {
    /// Its name.
    pub id: String,
    /// Files of it.
    pub parts: u64,
    /// Files taken over from the base.
    pub shared: u64,
    /// Rows in it.
    pub rows: u64,
    /// Bytes of its files.
    pub bytes: u64,
    /// Bytes written for it.
    pub written: u64,
    /// The next index of the journal in the snapshot.
    pub next_index: u64,
    /// What an operator should know.
    pub warnings: Vec<String>,
}

/// Makes a backup. What goes wrong leaves nothing behind that could be taken for one.
///
/// # Errors
/// [`Error::Backup`] for a wrong use or a base that is damaged, [`Error::File`] for a full disk.
pub fn make(making: &Making<'_>, progress: &mut dyn FnMut(Progress)) -> Result<Made> {
    let place = Folder::begin(making.to, making.keys_to)?;
    let written = Maker::begin(making, &place).and_then(|maker| maker.run(progress));
    match written.and_then(|made| place.finish(making.keys_to).map(|()| made)) {
        Ok(made) => Ok(made),
        Err(error) => {
            place.discard();
            if let Some(path) = making.keys_to {
                keyfile::discard(path);
            }
            Err(error)
        }
    }
}

/// The folder that is being written, under another name than the one it will have.
struct Folder {
    partial: PathBuf,
    to: PathBuf,
    _lock: File,
}

impl Folder {
    fn begin(to: &Path, keys_to: Option<&Path>) -> Result<Self> {
        let refused = |text: &str| Err(Error::Backup(format!("{}: {text}", to.display())));
        let Some(name) = to.file_name() else {
            return refused("không phải tên thư mục (a folder)");
        };
        if to.exists() {
            return refused("đã có, chọn tên khác (it is there already)");
        }
        if keys_to.is_some_and(|k| k.starts_with(to)) {
            return refused("tệp khóa phải nằm ngoài bản sao lưu (keys must lie elsewhere)");
        }
        let mut partial = name.to_owned();
        partial.push(".partial");
        let partial = to.with_file_name(partial);
        let open = |path: &Path, new| File::options().create(new).append(true).open(path);
        if partial.exists() {
            // Whoever writes there holds the lock; whoever was interrupted does not.
            let Ok(lock) = open(&partial.join(WRITING), false) else {
                return refused(".partial có sẵn, không phải của lệnh này (not of a backup)");
            };
            if rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
                return refused("một lệnh khác đang sao lưu vào đây (another backup is writing)");
            }
            tracing::warn!("the rest of an interrupted backup is removed");
            std::fs::remove_dir_all(&partial)?;
        }
        DirBuilder::new().mode(0o700).recursive(true).create(partial.join(PARTS))?;
        let lock = open(&partial.join(WRITING), true)?;
        rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(std::io::Error::from)?;
        Ok(Self { partial, to: to.to_owned(), _lock: lock })
    }

    /// Everything is on disk before the folder gets its name.
    fn finish(&self, keys_to: Option<&Path>) -> Result<()> {
        sync_dir(&self.partial.join(PARTS))?;
        if let Some(path) = keys_to {
            keyfile::put_in_place(path)?;
        }
        // Last before its name: a folder without this mark is no rest that may be removed.
        std::fs::remove_file(self.partial.join(WRITING))?;
        sync_dir(&self.partial)?;
        // An empty folder made meanwhile is replaced; a full one is an error.
        std::fs::rename(&self.partial, &self.to)?;
        sync_parent(&self.to)
    }

    fn discard(self) {
        // Also on a full disk files can be removed.
        let _ = std::fs::remove_dir_all(&self.partial);
    }
}

/// Chunks, entries and first index of a part of the journal.
type Chunks = (u64, u64, u64);

/// One part to be written.
struct Planned {
    table: Table,
    range: Range,
    /// Of the journal only.
    journal: Option<Chunks>,
}

struct Maker<'a> {
    making: &'a Making<'a>,
    dir: PathBuf,
    snapshot: Snapshot,
    key: std::sync::Arc<Key>,
    base: Option<(PathBuf, Manifest)>,
    manifest: Manifest,
    made: Made,
}

impl<'a> Maker<'a> {
    fn begin(making: &'a Making<'a>, place: &Folder) -> Result<Self> {
        let mut snapshot = Snapshot::begin(making.site)?;
        let mut core = snapshot.tx(Area::Core)?;
        making.keys.load(&mut core)?;
        let period = making.keys.newest(Purpose::Backup);
        let found = period.and_then(|p| making.keys.get(Purpose::Backup, p).map(|k| (p, k)));
        let (period, key) = found.ok_or_else(|| {
            Error::Backup("chưa có khóa sao lưu: chạy `dancu migrate` (no backup key yet)".into())
        })?;
        let mut id = [0; 16];
        random(&mut id)?;
        let id = hex::encode(id);
        let log = anchor::log(&mut core)?;
        let engine = match core.engine() {
            Engine::Sqlite => "sqlite",
            Engine::Postgres => "postgresql",
        };
        let manifest = Manifest {
            format: FORMAT,
            id: id.clone(),
            made_at: making.now.rfc3339(),
            program: making.program.to_owned(),
            engine: engine.to_owned(),
            schema: Versions { core: Area::Core.version(), registry: Area::Registry.version() },
            origin: log.origin,
            generation: log.generation,
            head: head(&mut core)?,
            base: String::new(),
            key: period,
            parts: vec![],
            mac: String::new(),
        };
        if let Some(path) = making.keys_to {
            KeyFile::of(&mut core, &manifest.origin, &manifest.made_at)?.write(path)?;
        }
        let next_index = manifest.head.next_index;
        let made = Made { id, next_index, ..Made::none() };
        let dir = place.partial.clone();
        let mut maker = Self { making, dir, snapshot, key, base: None, manifest, made };
        maker.take_base()?;
        Ok(maker)
    }

    /// Reads the base's manifest; its parts can only be taken over under keys that are known.
    fn take_base(&mut self) -> Result<()> {
        let Some(dir) = self.making.base else { return Ok(()) };
        let base = Manifest::read(dir)?;
        base.checked_key(self.making.keys)?;
        if base.origin != self.manifest.origin {
            let text = "bản --base là của kho khác (the base is of another database)";
            return Err(Error::Backup(text.into()));
        }
        self.manifest.base.clone_from(&base.id);
        self.base = Some((dir.canonicalize()?, base));
        Ok(())
    }

    fn run(mut self, progress: &mut dyn FnMut(Progress)) -> Result<Made> {
        let planned = self.plan()?;
        let mut now = Progress { of: planned.len() as u64, ..Progress::default() };
        for planned in planned {
            if planned.table.area == Area::Registry {
                self.snapshot.end_core();
            }
            let part = self.part(&planned)?;
            now.parts += 1;
            now.bytes += part.bytes;
            self.made.rows += part.rows;
            self.manifest.parts.push(part);
            progress(now);
        }
        (self.made.parts, self.made.bytes) = (now.parts, now.bytes);
        self.manifest.write(&self.dir, &self.key)?;
        Ok(self.made)
    }

    fn plan(&mut self) -> Result<Vec<Planned>> {
        let next_index = self.manifest.head.next_index;
        let mut out = vec![];
        for table in tables() {
            let ranges: Vec<_> = match table.kept {
                Kept::Keys | Kept::Left => vec![],
                Kept::Rows => vec![(Range::All, None)],
                Kept::Digests => (0..DIGEST_PARTS).map(|n| (Range::Nibble(n), None)).collect(),
                Kept::Numbered(size) => {
                    let found = blocks(&mut self.snapshot.tx(table.area)?, table.name, size)?;
                    found.into_iter().map(|range| (range, None)).collect()
                }
                Kept::Months => months(&mut self.snapshot.tx(table.area)?, next_index)?,
            };
            for (range, journal) in ranges {
                out.push(Planned { table: table.clone(), range, journal });
            }
        }
        Ok(out)
    }

    fn part(&mut self, planned: &Planned) -> Result<Part> {
        if let Some(part) = self.unchanged(planned)? {
            self.made.shared += 1;
            return Ok(part);
        }
        let label = planned.range.label();
        let (table, columns) = (&planned.table, planned.table.columns.len());
        let name = Name { table: table.name, label: &label };
        let path = self.dir.join(PARTS).join(name.file());
        let mut writer = PartWriter::create(&path, &self.key, name)?;
        let mut tx = self.snapshot.tx(table.area)?;
        read(&mut tx, planned, |row| writer.row(row, columns).map(|()| true))?;
        let sums = writer.finish()?;
        self.made.written += sums.bytes;
        let (chunks, entries, first_index) = planned.journal.unwrap_or((sums.rows, 0, 0));
        if chunks != sums.rows {
            return Err(Error::Damaged("the journal was read twice and differs"));
        }
        Ok(Part {
            table: table.name.to_owned(),
            label,
            columns: table.column_list(),
            rows: sums.rows,
            entries,
            first_index,
            end_index: first_index + entries,
            bytes: sums.bytes,
            sha256: sums.file,
            content: sums.content,
            written_by: self.manifest.id.clone(),
            folder: None,
        })
    }

    /// The base's part where it holds just these rows and its file is as it was written; then it
    /// is linked, copied or named.
    fn unchanged(&mut self, planned: &Planned) -> Result<Option<Part>> {
        let Some((dir, base)) = &self.base else { return Ok(None) };
        let label = planned.range.label();
        let same = |p: &&Part| p.fits(&planned.table) && p.label == label;
        let Some(part) = base.parts.iter().find(same) else { return Ok(None) };
        let journal = (part.rows, part.entries, part.first_index);
        if planned.journal.is_some_and(|found| found != journal) {
            return Ok(None);
        }
        let (path, part) = (part.path(dir), part.clone());
        let mut content = ContentSum::new();
        let columns = planned.table.columns.len();
        let mut tx = self.snapshot.tx(planned.table.area)?;
        read(&mut tx, planned, |row| Ok(content.row(row, columns)? <= part.rows))?;
        if content.finish() != (part.rows, part.content.clone()) {
            return Ok(None);
        }
        if sum_of(&path).ok() != Some((part.sha256.clone(), part.bytes)) {
            self.made.warnings.push(format!(
                "{} của bản trước đã hỏng, được ghi lại (a damaged part of the base is written \
                 anew)",
                part.file()
            ));
            return Ok(None);
        }
        self.take_over(&path, part).map(Some)
    }

    fn take_over(&mut self, path: &Path, mut part: Part) -> Result<Part> {
        if self.making.by_path {
            part.folder = path.parent().map(Path::to_owned);
            return Ok(part);
        }
        part.folder = None;
        let own = self.dir.join(PARTS).join(part.file());
        // Another file system takes no link.
        if std::fs::hard_link(path, &own).is_err() {
            std::fs::copy(path, &own)?;
            File::open(&own)?.sync_all()?;
            self.made.written += part.bytes;
        }
        Ok(part)
    }
}

impl Made {
    fn none() -> Self {
        let (id, warnings) = (String::new(), vec![]);
        let (parts, shared, rows, bytes, written, next_index) = (0, 0, 0, 0, 0, 0);
        Self { id, parts, shared, rows, bytes, written, next_index, warnings }
    }
}

/// Reads the rows of a planned part until `each` says stop.
fn read(
    tx: &mut Tx<'_>,
    planned: &Planned,
    each: impl FnMut(&crate::engine::Row<'_>) -> Result<bool>,
) -> Result<()> {
    let bounds = planned.range.bounds();
    let values: Vec<Value<'_>> = bounds.iter().map(Bound::value).collect();
    tx.each(&planned.table.select(planned.range), &values, each)
}

/// The journal's head in this transaction.
fn head(tx: &mut Tx<'_>) -> Result<Head> {
    let found = anchor::head(tx)?;
    let commitment = found.commitment.map(hex::encode).unwrap_or_default();
    Ok(Head { next_index: found.next_index, last_at: found.last_at, commitment })
}

/// The blocks of row ids that hold rows.
fn blocks(tx: &mut Tx<'_>, table: &str, size: u64) -> Result<Vec<Range>> {
    let sql = format!("SELECT MIN(id) FROM {table} WHERE id >= $1");
    let (mut out, mut from) = (vec![], 0u64);
    while let Some(next) = tx.one(&sql, values![from.cast_signed()], |r| r.get::<Option<i64>>(0))? {
        let block = next.cast_unsigned() / size;
        out.push(Range::Block { block, size });
        from = (block + 1) * size;
    }
    Ok(out)
}

/// The parts of the journal: chunks, entries and first index of each month in each block.
fn months(tx: &mut Tx<'_>, next_index: u64) -> Result<Vec<(Range, Option<Chunks>)>> {
    let first = "SELECT COALESCE(MIN(first_idx), 0) FROM entry_chunk";
    let first = tx.one(first, &[], |r| Ok(r.get::<i64>(0)?.cast_unsigned()))?;
    let sql = "SELECT month, COUNT(*), CAST(SUM(entries) AS BIGINT), MIN(first_idx) \
               FROM entry_chunk WHERE first_idx >= $1 AND first_idx < $2 \
               GROUP BY month ORDER BY 4";
    let mut out = vec![];
    for block in first / JOURNAL_BLOCK..next_index.div_ceil(JOURNAL_BLOCK) {
        let from = (block * JOURNAL_BLOCK).cast_signed();
        let to = ((block + 1) * JOURNAL_BLOCK).cast_signed();
        let values = values![from, to];
        out.extend(tx.query(sql, values, |r| {
            let n = |column| Ok::<_, Error>(r.get::<i64>(column)?.cast_unsigned());
            let range = Range::Month { month: r.get(0)?, block };
            Ok((range, Some((n(1)?, n(2)?, n(3)?))))
        })?);
    }
    Ok(out)
}
