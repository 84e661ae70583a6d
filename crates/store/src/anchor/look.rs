//! What a look at a database says of it, before anything in it is changed; what is refused, and
//! the way out.

use std::path::Path;

use super::file::Anchor;
use super::registry::{self, Match};
use super::{Anchoring, Head, ORIGIN, Origin, RESTORED, Standing, UNFINISHED, head};
use crate::engine::{Db, Tx, migrate};
use crate::error::{Error, Result};
use crate::facts;
use crate::keys::Keyring;
use crate::open::none_lost;
use crate::sqlite::Area;

/// What a look found.
pub(super) struct Found {
    pub(super) standing: Standing,
    pub(super) restored: Option<Origin>,
    pub(super) registry: Match,
    pub(super) head: Head,
}

/// Compares a database with its anchor, its mark of a restored copy and its registry's file, which
/// a server has none of.
pub(super) fn look(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    anchor: Option<&Anchor>,
    registry: Option<&Path>,
) -> Result<Found> {
    let named = facts::core(tx, ORIGIN)?.is_some();
    let standing = match anchor {
        None => Standing::Unknown,
        Some(_) if !named => Standing::Unnamed,
        Some(anchor) => {
            keys.load(tx)?;
            // Without its key no anchor is genuine: that keys are gone is what has to be said.
            none_lost(tx)?;
            anchor.compare(tx, keys)?
        }
    };
    let registry = match registry {
        None => Match::Fits,
        Some(path) => registry::beside(tx, keys, named, path)?,
    };
    let restored = facts::core(tx, RESTORED)?;
    let restored = restored.map(|t| serde_json::from_str(&t)).transpose();
    let restored = restored.map_err(|_| Error::Damaged(RESTORED))?;
    Ok(Found { standing, restored, registry, head: head(tx)? })
}

/// Looks at a database before its schema is brought to this program's, and before keys are made in
/// it: an older copy that is refused stays as it is. Returns whether it is one that was opened to
/// be accepted, whose schema may be older too. It needs no column that version 1 lacks, but for
/// the keys of an anchor, which version 1 has none of.
///
/// # Errors
/// [`Error::OlderCopy`] names what was found and the way out.
pub(crate) fn before_change(
    db: &mut Db,
    keys: &Keyring,
    dir: &Path,
    anchoring: &Anchoring,
) -> Result<bool> {
    let path = anchoring.path_in(dir);
    if migrate::version(db, Area::Core)? == 0 {
        nothing_expected(dir, anchoring)?;
        return Ok(false);
    }
    let anchor = Anchor::read(&path)?;
    let registry = matches!(db, Db::Sqlite(_)).then(|| registry::file(dir));
    let found = db.read(|tx| look(tx, keys, anchor.as_ref(), registry.as_deref()))?;
    match refusal(&path, &found) {
        Some(error) if !anchoring.accept => Err(error),
        refused => Ok(refused.is_some()),
    }
}

/// Refuses to make a new database where an anchor says that there was one.
pub(crate) fn nothing_expected(dir: &Path, anchoring: &Anchoring) -> Result<()> {
    let path = anchoring.path_in(dir);
    let Some(anchor) = Anchor::read(&path)? else { return Ok(()) };
    Err(Error::OlderCopy(format!(
        "chưa có cơ sở dữ liệu, nhưng neo {} cho biết đã có một nhật ký đến mục {}: đưa dữ liệu về \
         hoặc `dancu restore`; nếu lập kho mới thì cất tệp neo đi nơi khác (there is no database, \
         but its anchor says that there was one: bring the data back or restore it; for a new one \
         put the anchor away)",
        path.display(),
        anchor.next_index
    )))
}

/// Refuses a database into which a restoring was not finished.
pub(crate) fn finished(db: &mut Db) -> Result<()> {
    if migrate::version(db, Area::Core)? == 0 {
        return Ok(());
    }
    match db.read(|tx| facts::core(tx, UNFINISHED))? {
        None => Ok(()),
        Some(backup) => Err(Error::OlderCopy(format!(
            "khôi phục bản sao lưu {backup} vào cơ sở dữ liệu này chưa xong: chạy lại `dancu \
             restore`, hoặc lập cơ sở dữ liệu khác (a restoring into this database was not \
             finished: run `dancu restore` again, or make another database)"
        ))),
    }
}

/// What to do about an older copy.
const WAY: &str = "Lấy lại dữ liệu mới nhất; nếu không còn, chạy `dancu restore accept` để nhận \
                   bản này và ghi vào nhật ký phần đã mất (bring the newest data back, or accept \
                   this copy with `dancu restore accept`, which journals what is lost)";

/// What is refused, and the way out.
pub(super) fn refusal(path: &Path, found: &Found) -> Option<Error> {
    let head = &found.head;
    let told = format!("cơ sở dữ liệu đến mục {}, neo {}", head.next_index, path.display());
    let text = match (&found.restored, &found.standing) {
        (Some(origin), standing) => restored(origin, standing, head),
        (None, Standing::Unknown | Standing::Fits) => return other_registry(found.registry),
        (None, Standing::Behind { anchor, at }) => format!(
            "{told} đã đến mục {anchor} lúc {} (the database ends before its anchor). {WAY}",
            at.rfc3339()
        ),
        (None, Standing::Forked { anchor, at }) => format!(
            "{told} ở mục {anchor} lúc {} có nội dung khác (the database has another entry at its \
             anchor). {WAY}",
            at.rfc3339()
        ),
        (None, Standing::Foreign) => format!(
            "{told} là của kho khác hoặc đã hỏng (the anchor is of another database, or damaged). \
             {WAY}"
        ),
        (None, Standing::Unnamed) => format!(
            "{told} có sau cơ sở dữ liệu này: đây là bản từ trước lần nâng cấp, hoặc của kho khác \
             (the database is from before its anchor was kept, or another's). {WAY}"
        ),
    };
    Some(Error::OlderCopy(text))
}

fn restored(origin: &Origin, standing: &Standing, head: &Head) -> String {
    let lost = match standing {
        Standing::Behind { anchor, .. } => {
            format!("; thiếu {} mục theo neo (entries lost)", anchor - head.next_index)
        }
        _ => String::new(),
    };
    format!(
        "được khôi phục từ bản sao lưu {} lúc {}, đến mục {} và chưa được chấp nhận (restored from \
         a backup, not accepted yet){lost}. Chạy `dancu restore accept` (run it to go on)",
        origin.backup, origin.made_at, head.next_index
    )
}

/// A registry that is not the one that the core knows.
fn other_registry(found: Match) -> Option<Error> {
    let text = match found {
        Match::Fits | Match::Ahead => return None,
        Match::Older(registry, core) => format!(
            "registry.db ở trạng thái {registry}, core.db cần trạng thái {core}: registry.db là \
             bản cũ hoặc của kho khác (registry.db is older than core.db, or another's). {WAY}"
        ),
        Match::Empty(_, core) => format!(
            "thiếu registry.db hoặc chưa có ai trong đó, core.db cần trạng thái {core}: đưa \
             registry.db mới nhất về, hoặc khôi phục bản sao lưu; nếu không còn, chạy `dancu \
             restore accept` để nhận kho công dân trống rồi nhập lại bằng `dancu population \
             import` (registry.db is missing or empty: bring the newest one back or restore a \
             backup; if there is none, `dancu restore accept` takes an empty one, and `dancu \
             population import` fills it again)"
        ),
        Match::Other(registry, core) => format!(
            "registry.db ở trạng thái {registry}, core.db chỉ biết đến trạng thái {core}: core.db \
             là bản cũ, hoặc registry.db của kho khác (core.db is older than registry.db, or one \
             of them is another's). {WAY}"
        ),
    };
    Some(Error::OlderCopy(text))
}
