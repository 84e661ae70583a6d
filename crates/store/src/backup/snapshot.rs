//! One state of the database for a backup, however many files it is in.

use super::{NO_LIMITS, Site};
use crate::anchor;
use crate::anchor::registry::{self, Match};
use crate::engine::{Db, Engine, Mode, Tx, migrate};
use crate::error::{Error, Result};
use crate::sqlite::Area;

/// Snapshots of the two files that are tried. They differ only where a load or a rotation ends in
/// the milliseconds between them, which is once in a rotation.
const SNAPSHOTS: u32 = 5;

/// One state of the database, read by one transaction per file.
pub(super) struct Snapshot {
    core: Option<Db>,
    registry: Option<Db>,
}

impl Snapshot {
    pub(super) fn begin(site: &Site) -> Result<Self> {
        let mut core = site.reader(Area::Core)?;
        if core.engine() == Engine::Postgres {
            anchor::finished(&mut core)?;
            for area in [Area::Core, Area::Registry] {
                migrate::check(&mut core, area)?;
            }
            core.begin(Mode::Read)?;
            core.tx().batch(NO_LIMITS)?;
            return Ok(Self { core: Some(core), registry: None });
        }
        let mut registry = site.reader(Area::Registry)?;
        migrate::check(&mut registry, Area::Registry)?;
        migrate::check(&mut core, Area::Core)?;
        Self::of_files(core, registry, || Ok(()))
    }

    /// Of two files, each with a transaction of its own. `between` runs between their beginnings.
    fn of_files(
        mut core: Db,
        mut registry: Db,
        mut between: impl FnMut() -> Result<()>,
    ) -> Result<Self> {
        for _ in 0..SNAPSHOTS {
            // The registry first: keys are stored before anything is sealed with them, so that the
            // core read after it knows each of the registry's keys, unless one was retired
            // meanwhile. Then the core names a later state of the registry: both are read again.
            registry.begin(Mode::Read)?;
            let of_registry = registry::of_registry(&mut registry.tx())?;
            between()?;
            core.begin(Mode::Read)?;
            let of_core = registry::of_core(&mut core.tx())?;
            match registry::compare(of_core.as_ref(), of_registry.as_ref()) {
                Match::Fits | Match::Ahead => {
                    return Ok(Self { core: Some(core), registry: Some(registry) });
                }
                Match::Older(..) | Match::Empty(..) | Match::Other(..) => {
                    registry.rollback();
                    core.rollback();
                }
            }
        }
        Err(Error::Backup(
            "registry.db và core.db không cùng một trạng thái: chạy lại; nếu vẫn vậy, một trong \
             hai tệp là bản cũ (registry.db and core.db are not of one state: run it again; if it \
             stays so, one of them is older)"
                .into(),
        ))
    }

    pub(super) fn tx(&mut self, area: Area) -> Result<Tx<'_>> {
        let ended = Error::Damaged("snapshot");
        match (area, &mut self.registry) {
            (Area::Registry, Some(db)) => Ok(db.tx()),
            _ => self.core.as_mut().map(Db::tx).ok_or(ended),
        }
    }

    /// Core is read: a service on SQLite may begin its WAL anew.
    pub(super) fn end_core(&mut self) {
        if self.registry.is_some() {
            self.core = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite;

    fn files() -> [Db; 2] {
        [Area::Core, Area::Registry].map(|area| {
            let name = format!("dancu-make-{}-{}", std::process::id(), area.file());
            let path = std::env::temp_dir().join(name);
            let _ = std::fs::remove_file(&path);
            let mut db = sqlite::writer(&path).unwrap();
            sqlite::migrate(&mut db, area).unwrap();
            db.into()
        })
    }

    fn reader(area: Area) -> Db {
        let name = format!("dancu-make-{}-{}", std::process::id(), area.file());
        sqlite::reader(&std::env::temp_dir().join(name)).unwrap().into()
    }

    /// What the end of a rotation does: the registry names a new state, the core follows.
    fn rotation_ends([core, registry]: &mut [Db; 2]) {
        let known = registry::of_core(&mut core.tx()).unwrap();
        let state = registry::step(&mut registry.tx(), known.as_ref()).unwrap();
        registry::follow(&mut core.tx(), Some(&state)).unwrap();
    }

    #[test]
    fn a_rotation_that_ends_between_the_two_snapshots_is_seen() {
        let mut files = files();
        rotation_ends(&mut files);
        let mut times = 0;
        let mut snapshot = Snapshot::of_files(reader(Area::Core), reader(Area::Registry), || {
            times += 1;
            if times == 1 {
                rotation_ends(&mut files);
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(times, 2, "both are read again");
        let of_registry = registry::of_registry(&mut snapshot.tx(Area::Registry).unwrap()).unwrap();
        let of_core = registry::of_core(&mut snapshot.tx(Area::Core).unwrap()).unwrap();
        assert!(of_registry.is_some() && of_registry == of_core);
        drop(snapshot);
        // Files that never fit are no backup.
        let none = Snapshot::of_files(reader(Area::Core), reader(Area::Registry), || {
            rotation_ends(&mut files);
            Ok(())
        });
        assert!(matches!(none, Err(Error::Backup(_))));
        for area in [Area::Core, Area::Registry] {
            let name = format!("dancu-make-{}-{}", std::process::id(), area.file());
            for side in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(std::env::temp_dir().join(format!("{name}{side}")));
            }
        }
    }
}
