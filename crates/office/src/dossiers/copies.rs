//! Paper copies of a dossier (B7): the unit tells which there are and where they lie, the centre
//! receipts what came.

use dancu_domain::dossier::{DossierNumber, Mark, Part};
use dancu_domain::files::PaperCopy;
use dancu_store::files;
use jiff::civil::Date;

use super::{DossierDesk, only_centre, only_unit};
use crate::act::{Done, Entry, Refused, note};

/// Paper copies of one dossier at most: a few of each part and version (*ours*).
const COPIES_MAX: usize = 60;
/// Characters of a number or a place.
const TEXT_MAX: usize = 200;

/// A paper copy that a unit tells of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewCopy {
    /// Of which part.
    pub part: Part,
    /// Number of the paper.
    pub number: String,
    /// Its day.
    pub date: Date,
    /// Where the unit keeps its copy.
    pub kept: String,
}

/// Tells of a paper copy; gives its number. In every stage: paper is signed when it is signed.
///
/// # Errors
/// [`Refused::Gone`]; [`Refused::Field`]; nobody but head and deputies tells.
pub async fn tell_of_copy(
    desk: &DossierDesk<'_>,
    number: DossierNumber,
    new: NewCopy,
) -> Result<(Done, i64), Refused> {
    only_unit(desk)?;
    let mark = desk.mark()?;
    if new.date > mark.at.viet_nam_date() {
        return Err(Refused::Field {
            field: "copyDate",
            vi: "Ngày của bản giấy không thể ở sau hôm nay (B7).".into(),
            en: "The day of a paper copy cannot lie ahead (B7).".into(),
        });
    }
    let copy = PaperCopy {
        part: new.part,
        number: text("copyNumber", &new.number)?,
        date: new.date,
        kept: text("copyKept", &new.kept)?,
        told: mark,
        received: None,
    };
    in_dossier(desk, number, "paper.told", move |tx, keys| {
        if files::copies_of(tx, keys, number)?.len() >= COPIES_MAX {
            return Err(Refused::Field {
                field: "copyNumber",
                vi: "Hồ sơ đã có quá nhiều bản giấy (B7).".into(),
                en: "The dossier has too many paper copies (B7).".into(),
            });
        }
        let id = files::insert_copy(tx, keys, number, &copy)?;
        Ok((format!("{} bản giấy #{id} ngày {}", copy.part.code(), copy.date), id))
    })
    .await
}

/// Receipts a paper copy at the centre, once.
///
/// # Errors
/// [`Refused::Gone`] where it is not there or was receipted; nobody but the centre receipts.
pub async fn receive_copy(
    desk: &DossierDesk<'_>,
    (number, copy): (DossierNumber, i64),
    place: &str,
) -> Result<(Done, i64), Refused> {
    only_centre(desk)?;
    let (mark, place): (Mark, String) = (desk.mark()?, text("copyPlace", place)?);
    in_dossier(desk, number, "paper.received", move |tx, keys| {
        let found = files::copy(tx, keys, (number, copy))?.filter(|c| c.received.is_none());
        let found = found.ok_or(Refused::Gone)?;
        let what = format!("{} bản giấy #{copy} ngày {}", found.part.code(), found.date);
        let received = PaperCopy { received: Some((mark, place)), ..found };
        files::save_copy(tx, keys, copy, &received)?;
        Ok((what, copy))
    })
    .await
}

/// One entry about a dossier of this desk, and one event of its history; its revision stays.
async fn in_dossier(
    desk: &DossierDesk<'_>,
    number: DossierNumber,
    kind: &'static str,
    change: impl FnOnce(
        &mut dancu_store::engine::Tx<'_>,
        &dancu_store::keys::Keyring,
    ) -> Result<(String, i64), Refused>
    + Send
    + 'static,
) -> Result<(Done, i64), Refused> {
    let found = desk.store.dossiers().by_number(number).await?;
    let found = found.filter(|f| desk.side.covers(f.dossier.unit())).ok_or(Refused::Gone)?;
    let at = super::At { number, revision: found.revision };
    let entry = Entry::new(kind, desk.by, found.dossier.system());
    let inside = desk.inside(at, kind)?;
    let head = format!("{number} {} {}", found.dossier.unit(), found.dossier.stage().code());
    let done = note((desk.store, desk.now), entry, move |tx| {
        let (what, id) = change(tx, &inside.keys)?;
        let detail = format!("{head}; {what}");
        inside.tell(tx, &detail)?;
        Ok((detail, id))
    });
    done.await
}

fn text(field: &'static str, typed: &str) -> Result<String, Refused> {
    let text = typed.trim();
    let fits = !text.is_empty()
        && text.chars().count() <= TEXT_MAX
        && text.chars().all(dancu_domain::text::is_storable);
    if fits {
        Ok(text.to_owned())
    } else {
        Err(Refused::Field {
            field,
            vi: "Nhập nội dung này, tối đa 200 ký tự (B7).".into(),
            en: "Fill this in, at most 200 characters (B7).".into(),
        })
    }
}
