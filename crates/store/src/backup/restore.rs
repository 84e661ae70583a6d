//! Restoring a backup into an empty data folder or an empty database.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use rusqlite::Connection;
use serde::Serialize;

use super::manifest::{Manifest, Part};
use super::tables::{Kept, Table, tables};
use super::verify::{fits, read_part, verify};
use super::{KeyFile, NO_LIMITS, Progress, Site, sync_dir};
use crate::anchor;
use crate::engine::{Db, Engine, Mode, Postgres, Tx, migrate};
use crate::error::{Error, Result};
use crate::keys::ring::follow_rows;
use crate::keys::{Key, Keyring};
use crate::sqlite::{self, Area};

/// Ending of a database file that is being restored; a folder that has one is not served.
pub const RESTORING: &str = "restoring";

/// What was restored.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Restored {
    /// Name of the backup.
    pub id: String,
    /// When it was made.
    pub made_at: String,
    /// Rows.
    pub rows: u64,
    /// Bytes of its files.
    pub bytes: u64,
    /// The next index of the journal.
    pub next_index: u64,
}

/// Checks a backup whole, then restores it into an empty place and marks it as a copy that must be
/// accepted before it is served. `keys` has unwrapped `key_file`.
///
/// # Errors
/// [`Error::Backup`] for a backup that is not sound, another schema, or a place that is not empty;
/// nothing is touched then. Interrupted, it leaves a place that is not served and can be restored
/// into again: files without their names, or a database with a mark that stands before its first
/// row.
pub fn restore(
    dir: &Path,
    site: &Site,
    keys: &Keyring,
    key_file: &KeyFile,
    progress: &mut dyn FnMut(&'static str, Progress),
) -> Result<Restored> {
    let manifest = Manifest::read(dir)?;
    fits(&manifest)?;
    empty(site)?;
    let checked = verify(dir, Some(keys), &mut |now| progress("verify", now))?;
    if !checked.is_sound() {
        return Err(Error::Backup(checked.problems.join("; ")));
    }
    let key = manifest.checked_key(keys)?;
    let mut job = Job { dir, manifest: &manifest, key: &key, key_file, now: Progress::default() };
    job.now.of = manifest.parts.len() as u64;
    let mut told = |now| progress("restore", now);
    match site {
        Site::Folder(folder) => job.fill_folder(folder, &mut told)?,
        Site::Server(settings) => {
            let mut db = Db::from(Postgres::connect(settings)?);
            migrate::migrate(&mut db, Area::Core)?;
            // Before the rest of the schema: until then no program takes it for a database.
            db.write(|tx| anchor::begin_restoring(tx, &manifest.id))?;
            for area in migrate::AREAS {
                migrate::migrate(&mut db, area)?;
            }
            job.fill_server(&mut db, &mut told)?;
        }
    }
    Ok(Restored {
        id: manifest.id.clone(),
        made_at: manifest.made_at.clone(),
        rows: manifest.rows(),
        bytes: manifest.bytes(),
        next_index: manifest.head.next_index,
    })
}

/// Refuses a folder in which a restoring was not finished.
pub fn unfinished(dir: &Path) -> Result<()> {
    let left = [Area::Core, Area::Registry].iter().any(|a| restoring(dir, *a).exists());
    if !left {
        return Ok(());
    }
    Err(Error::OlderCopy(
        "khôi phục vào thư mục này chưa xong: chạy lại `dancu restore` (a restoring into this \
         folder was not finished: run `dancu restore` again)"
            .into(),
    ))
}

fn restoring(dir: &Path, area: Area) -> std::path::PathBuf {
    dir.join(format!("{}.{RESTORING}", area.file()))
}

/// Whether write-ahead logs lie there: the engine would play them over what is restored.
fn left_behind(dir: &Path) -> bool {
    let names = [Area::Core, Area::Registry, Area::Search].map(Area::file);
    let sides = ["-wal", "-shm", "-journal"];
    names.iter().any(|name| sides.iter().any(|side| dir.join(format!("{name}{side}")).exists()))
}

/// Refuses a place that holds data.
fn empty(site: &Site) -> Result<()> {
    let holds = match site {
        Site::Folder(dir) => {
            let there = |area: Area| dir.join(area.file()).exists();
            // Between its two renames a restoring was cut off: the core has no name yet.
            there(Area::Core)
                || left_behind(dir)
                || (unfinished(dir).is_ok() && (there(Area::Registry) || there(Area::Search)))
        }
        Site::Server(settings) => {
            let mut db = Db::from(Postgres::connect(settings)?);
            db.read(holds_data)?
        }
    };
    if !holds {
        return Ok(());
    }
    Err(Error::Backup(
        "nơi khôi phục đã có dữ liệu; chỉ khôi phục vào thư mục mới hoặc cơ sở dữ liệu trống (the \
         place holds data already: restore into a new folder or an empty database)"
            .into(),
    ))
}

/// Whether a database holds any row of ours, but for the mark of a restoring that was cut off.
fn holds_data(tx: &mut Tx<'_>) -> Result<bool> {
    for table in tables() {
        let known = format!("SELECT to_regclass('{}') IS NOT NULL", table.name);
        if !tx.one(&known, &[], |r| r.get::<bool>(0))? {
            continue;
        }
        if table.name == "meta" {
            if anchor::holds_facts(tx)? {
                return Ok(true);
            }
            continue;
        }
        let sql = format!("SELECT 1 FROM {} LIMIT 1", table.name);
        if tx.optional(&sql, &[], |r| r.get::<i64>(0))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// PostgreSQL gives some row ids itself: it goes on after those that were restored.
fn go_on_counting(tx: &mut Tx<'_>, table: &Table) -> Result<()> {
    let [key] = table.key[..] else { return Ok(()) };
    let name = table.name;
    let sql = format!("SELECT pg_get_serial_sequence('{name}', '{key}') IS NOT NULL");
    if !tx.one(&sql, &[], |r| r.get::<bool>(0))? {
        return Ok(());
    }
    let sql = format!(
        "SELECT setval(pg_get_serial_sequence('{name}', '{key}'), COALESCE(MAX({key}), 0) + 1, \
         false) FROM {name}"
    );
    tx.one(&sql, &[], |r| r.get::<i64>(0)).map(drop)
}

struct Job<'a> {
    dir: &'a Path,
    manifest: &'a Manifest,
    key: &'a Key,
    key_file: &'a KeyFile,
    now: Progress,
}

impl Job<'_> {
    /// Both files are written beside their places and on disk before either gets its name; the
    /// core, without which nothing opens, is the last.
    fn fill_folder(&mut self, folder: &Path, told: &mut dyn FnMut(Progress)) -> Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let _lock = crate::open::lock(folder)?;
        for area in [Area::Core, Area::Registry] {
            let path = restoring(folder, area);
            for leftover in ["", "-journal", "-wal", "-shm"] {
                let mut name = path.clone().into_os_string();
                name.push(leftover);
                let _ = std::fs::remove_file(name);
            }
            let mut db = Connection::open(&path)?;
            // Not a database before it is complete and on disk.
            db.pragma_update(None, "journal_mode", "OFF")?;
            db.pragma_update(None, "synchronous", "OFF")?;
            db.pragma_update(None, "cache_size", -131_072)?;
            sqlite::migrate(&mut db, area)?;
            let mut db = Db::from(db);
            db.write(|tx| self.load(tx, &[area], told))?;
            let Db::Sqlite(db) = db else { return Err(Error::Damaged("engine")) };
            db.pragma_update(None, "journal_mode", "WAL")?;
            db.close().map_err(|(_, e)| Error::from(e))?;
            std::fs::File::open(&path)?.sync_all()?;
        }
        sync_dir(folder)?;
        for area in [Area::Registry, Area::Core] {
            std::fs::rename(restoring(folder, area), folder.join(area.file()))?;
            sync_dir(folder)?;
        }
        Ok(())
    }

    /// One transaction: whoever looks sees a database with nothing but the mark of a restoring, or
    /// the whole copy without it.
    fn fill_server(&mut self, db: &mut Db, told: &mut dyn FnMut(Progress)) -> Result<()> {
        db.begin(Mode::Write)?;
        let mut tx = db.tx();
        let loaded = tx.batch(NO_LIMITS).and_then(|()| {
            if holds_data(&mut tx)? {
                return Err(Error::Backup("cơ sở dữ liệu vừa có dữ liệu (not empty)".into()));
            }
            self.load(&mut tx, &[Area::Core, Area::Registry], told)?;
            anchor::end_restoring(&mut tx)
        });
        let done = loaded.and_then(|()| db.commit());
        if done.is_err() {
            db.rollback();
        }
        done
    }

    fn load(
        &mut self,
        tx: &mut Tx<'_>,
        areas: &[Area],
        told: &mut dyn FnMut(Progress),
    ) -> Result<()> {
        for table in tables().into_iter().filter(|t| areas.contains(&t.area)) {
            let parts = self.manifest.parts.iter().filter(|p| p.table == table.name);
            for part in parts {
                self.part(tx, &table, part)?;
                self.now.parts += 1;
                self.now.bytes += part.bytes;
                told(self.now);
            }
            if tx.engine() == Engine::Postgres {
                go_on_counting(tx, &table)?;
            }
            if table.kept == Kept::Keys {
                let (name, columns) = self.key_file.place()?;
                tx.load(name, columns, |take| self.key_file.each(|row| take(row)).map(drop))?;
            }
        }
        if areas.contains(&Area::Core) {
            // The file of keys may be from after a change of the master key.
            follow_rows(tx)?;
            anchor::mark_restored(tx, &self.manifest.id, &self.manifest.made_at)?;
        }
        Ok(())
    }

    fn part(&self, tx: &mut Tx<'_>, table: &Table, part: &Part) -> Result<()> {
        if !part.fits(table) {
            return Err(Error::Damaged("columns of a part"));
        }
        if table.kept == Kept::Months {
            let month = part.label.split('-').next().and_then(|m| m.parse().ok());
            crate::month::make_ready(tx, month.ok_or(Error::Damaged("month of a part"))?)?;
        }
        let columns = table.columns.len();
        let rows = tx.load(table.name, &part.columns, |take| {
            read_part(self.dir, part, self.key, columns, |row| take(row))
        })?;
        if rows == part.rows { Ok(()) } else { Err(Error::Damaged("number of rows")) }
    }
}
