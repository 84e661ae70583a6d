//! Documents of the centre, issued by the acts that they tell of (A3, A4, B3, D6).
//!
//! **Invariant:** number, file and digest are stored in the transaction of the act: no number is
//! left out, and none is given to what was undone. **Invariant:** of one thing a kind is issued
//! once.
//!
//! To add one: its kind in `dancu_domain::files`, its layout in `dancu_papers::centre`, a function
//! here that the act calls, its texts `document-…`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use dancu_domain::dossier::{Dossier, LineRow, Mark, Part};
use dancu_domain::files::{About, DocumentKind, FileId, Role, Scan};
use dancu_domain::ids::{SystemId, UnitCode};
use dancu_domain::moment::Moment;
use dancu_domain::notices::{Audience, Notice};
use dancu_domain::service::Window;
use dancu_domain::units::{Change, standing};
use dancu_papers::centre::{self, Connection, LockNotice, Receipt, Refusal};
use dancu_papers::{Failed, Pdf};
use dancu_store::engine::Tx;
use dancu_store::files::{self, Issued, Kept, NewDocument, Whose};
use dancu_store::keys::Keyring;
use dancu_store::{Error, Store, units};

use crate::act::{Actor, Entry, Refused, note};
use crate::notices::tell;

/// Where an entry begins to tell a document that its act issued.
const BEHIND: &str = "; kèm ";
/// Where it begins to tell the file.
const FILE: &str = " (tệp ";

/// What an entry told before it named the document that its act issued at its end.
pub(crate) fn before(detail: &str) -> &str {
    match detail.rsplit_once(BEHIND) {
        Some((before, rest)) if rest.contains(FILE) && rest.ends_with(')') => before,
        _ => detail,
    }
}

/// What an entry tells, without the digest of the document that its act issued: for people.
#[must_use]
pub fn in_words(detail: &str) -> String {
    let Some((before, rest)) = detail.split_once(FILE) else { return detail.to_owned() };
    match rest.split_once(')') {
        Some((file, after)) if file.contains(", SHA-256 ") => format!("{before}{after}"),
        _ => detail.to_owned(),
    }
}

/// What every document needs: where it is stored, who issues it by which act, when.
#[derive(Clone, Copy)]
pub(crate) struct Issuing<'a> {
    pub(crate) keys: &'a Keyring,
    pub(crate) mark: Mark,
}

/// What a document is about.
struct Subject<'a> {
    kind: DocumentKind,
    /// The thing, which a kind is issued of once.
    about: String,
    whose: Whose,
    unit: &'a UnitCode,
}

impl Issuing<'_> {
    /// Giấy tiếp nhận, as a dossier is received (B3).
    ///
    /// # Errors
    /// Of the store; it could not be made.
    pub(crate) fn receipt(&self, tx: &mut Tx<'_>, dossier: &Dossier) -> Result<String, Refused> {
        let content = dossier.content();
        let rows = |count: usize, what: &str| format!("{count} {what}");
        let size = |part| match part {
            Part::Accounts => rows(content.accounts.len(), "dòng"),
            Part::Registration => rows(content.lines.len(), "dòng"),
            Part::Commitment | Part::Security => rows(dossier.paper(part).attachments.len(), "tệp"),
        };
        let parts = Part::ALL.map(|part| [part.name_vi().to_owned(), size(part)]).into();
        self.issue(tx, &of_dossier(DocumentKind::Receipt, dossier), |issued, unit| {
            let receipt = Receipt {
                unit,
                system: content.system_name.trim().to_owned(),
                dossier: dossier.number().to_string(),
                received: stamp(dossier.since()),
                parts,
                due: None,
            };
            centre::receipt(issued, &receipt)
        })
    }

    /// Văn bản từ chối, as a dossier is refused (A3, J3).
    ///
    /// # Errors
    /// As [`Self::receipt`].
    pub(crate) fn refusal(
        &self,
        tx: &mut Tx<'_>,
        dossier: &Dossier,
        refusal: &dancu_domain::dossier::Refusal,
    ) -> Result<String, Refused> {
        self.issue(tx, &of_dossier(DocumentKind::Refusal, dossier), |issued, unit| {
            let paper = Refusal {
                unit,
                what: what(dossier),
                request: request(dossier),
                ground: refusal.reason.clone(),
                provision: format!(
                    "quy tắc {} của hệ thống, theo Thông tư số 46/2022/TT-BCA và văn bản số 6383",
                    refusal.rule
                ),
                remedy: refusal.what_to_do.clone(),
            };
            centre::refusal(issued, &paper)
        })
    }

    /// Văn bản chấp thuận, as a dossier is approved whole (A4, B3).
    ///
    /// # Errors
    /// As [`Self::receipt`].
    pub(crate) fn consent(&self, tx: &mut Tx<'_>, dossier: &Dossier) -> Result<String, Refused> {
        let content = dossier.content();
        let lines = content.lines.iter();
        let in_hours = |line: &LineRow| line.window == Window::InHours;
        let lines = lines.map(|l| (l.service.name_vi().to_owned(), in_hours(l), l.daily)).collect();
        self.issue(tx, &of_dossier(DocumentKind::Consent, dossier), |issued, unit| {
            let paper = Connection {
                unit,
                request: request(dossier),
                system: content.system_name.trim().to_owned(),
                purpose: content.purpose.trim().to_owned(),
                lines,
            };
            centre::connection(issued, &paper)
        })
    }

    /// Thông báo khóa hoặc tạm ngừng, as a connection is stopped by a named act or by a campaign
    /// (B4, D6). `what`: the system's code, and what is done to it.
    ///
    /// # Errors
    /// As [`Self::receipt`].
    pub(crate) fn lock(
        &self,
        tx: &mut Tx<'_>,
        (system, unit): (SystemId, &UnitCode),
        (code, what): (&str, &str),
        (reason, ends): (&str, &str),
    ) -> Result<String, Refused> {
        let subject = Subject {
            kind: DocumentKind::Lock,
            about: format!("lock {} {}", system.0, self.mark.at.0),
            whose: Whose::System(system),
            unit,
        };
        self.issue(tx, &subject, |issued, unit| {
            let paper = LockNotice {
                unit,
                system: code.to_owned(),
                what: what.to_owned(),
                since: stamp(self.mark.at),
                reason: reason.to_owned(),
                evidence: "nhật ký của Trung tâm, mục có số của thông báo này.".to_owned(),
                ends: ends.to_owned(),
            };
            centre::lock_notice(issued, &paper)
        })
    }

    /// Prints, keeps and tells of a document; gives what the entry of the act says of it, nothing
    /// where it was issued before.
    fn issue(
        &self,
        tx: &mut Tx<'_>,
        subject: &Subject<'_>,
        print: impl FnOnce(&centre::Issued, String) -> Result<Pdf, Failed>,
    ) -> Result<String, Refused> {
        let (kind, day, at) = (subject.kind, self.mark.at.viet_nam_date(), self.mark.at);
        let Some(number) = files::next_document(tx, kind, day.year(), &subject.about)? else {
            return Ok(String::new());
        };
        let sign = kind.sign(number);
        let issued = centre::Issued { number: sign.clone(), ..centre::Issued::by_centre(day) };
        let unit = unit_name(tx, self.keys, at, subject.unit)?;
        // The thread that journals everything must outlive a fault of a layout.
        let printed = catch_unwind(AssertUnwindSafe(|| print(&issued, unit)));
        let pdf = printed.ok().and_then(Result::ok).ok_or(Error::Damaged("document"))?;
        let about = About {
            name: format!("{}.pdf", sign.replace('/', "-")),
            kind: "pdf".into(),
            role: Role::Document(kind),
            // Printed here: it never was outside.
            scan: Scan::Clean,
            by: self.mark.by,
            at,
        };
        let staged = files::insert(tx, self.keys, &pdf.bytes, subject.whose, &about)?;
        let (dossier, system) = match subject.whose {
            Whose::Dossier(number) => (Some(number), None),
            Whose::System(system) => (None, Some(system)),
        };
        let (year, of) = (day.year(), &subject.about);
        let new = NewDocument { kind, year, number, about: of, dossier, system, at };
        files::insert_document(tx, &new, staged.id)?;
        let notice = Notice::DossierStep {
            number: match subject.whose {
                Whose::Dossier(number) => number.to_string(),
                Whose::System(_) => "kết nối".to_owned(),
            },
            step: format!("đã cấp {} số {sign}", kind.name_vi()),
            turn: "thủ trưởng đơn vị".to_owned(),
            text: "Tải văn bản tại mục Văn bản của Trung tâm.".to_owned(),
            link: "/unit/documents".to_owned(),
        };
        let to = [Audience::Heads(subject.unit.clone(), None)];
        tell(tx, self.keys, at, &to, &notice)?;
        let digest = hex::encode(staged.sha256);
        let name = kind.name_vi();
        Ok(format!("{BEHIND}{name} số {sign}{FILE}{}, SHA-256 {digest})", staged.id))
    }
}

fn of_dossier(kind: DocumentKind, dossier: &Dossier) -> Subject<'_> {
    let (number, version) = (dossier.number(), dossier.version());
    Subject {
        kind,
        about: format!("{} {number} {version}", kind.code()),
        whose: Whose::Dossier(number),
        unit: dossier.unit(),
    }
}

fn request(dossier: &Dossier) -> String {
    format!("hồ sơ số {}, lần nộp {}", dossier.number(), dossier.version())
}

fn what(dossier: &Dossier) -> String {
    let name = dossier.content().system_name.trim();
    format!("kết nối hệ thống “{name}” với Cơ sở dữ liệu quốc gia về dân cư")
}

/// `07 giờ 30 phút, ngày 02/03/2026`.
fn stamp(at: Moment) -> String {
    let (day, time) = (at.viet_nam_date(), at.rfc3339());
    let (hour, minute) = (&time[11..13], &time[14..16]);
    format!("{hour} giờ {minute} phút, ngày {:02}/{:02}/{}", day.day(), day.month(), day.year())
}

/// The unit's name on that day; its code where it has none.
fn unit_name(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    at: Moment,
    unit: &UnitCode,
) -> Result<String, Refused> {
    let own: Vec<_> = units::of(tx, keys, unit)?.into_iter().map(|w| w.event).collect();
    let day = at.viet_nam_date();
    let standing = standing(&own).map_err(|_| Error::Damaged("unit_event"))?;
    let mut own: Vec<_> = standing.into_iter().map(|place| &own[place]).collect();
    own.retain(|event| event.day <= day);
    own.sort_by_key(|event| event.day);
    let name = own.iter().rev().find_map(|event| match &event.change {
        Change::Founded { name, .. } | Change::Renamed(name) => Some(name.as_str()),
        _ => None,
    });
    Ok(name.unwrap_or(unit.as_str()).to_owned())
}

/// Hands a document out to its unit (`own`), or to the centre (none), and journals the look.
///
/// # Errors
/// [`Refused::Gone`] where there is none, or it is another unit's.
pub async fn fetch(
    (store, now): (&Store, Moment),
    by: &Actor,
    own: Option<&UnitCode>,
    file: FileId,
) -> Result<(Issued, Kept, Vec<u8>), Refused> {
    let issued = store.document(file).await?.filter(|i| own.is_none_or(|own| i.unit == *own));
    let issued = issued.ok_or(Refused::Gone)?;
    let kept = store.file(file).await?.ok_or(Refused::Gone)?;
    let bytes = store.file_bytes(&kept).await?;
    let detail = format!("{} {} tệp {file}", issued.kind.code(), issued.kind.sign(issued.number));
    let entry = Entry::new("document.read", by, issued.system);
    note((store, now), entry, move |_| Ok((detail, ()))).await?;
    Ok((issued, kept, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_the_number_and_not_the_digest() {
        let told = "lý do: A; kèm giấy tiếp nhận số 1/TTDLDC-TN (tệp #5, SHA-256 00ff); DCN-001";
        assert_eq!(in_words(told), "lý do: A; kèm giấy tiếp nhận số 1/TTDLDC-TN; DCN-001");
        for whole in ["lý do: A", "lý do: B (tệp hỏng)", "lý do: C (tệp "] {
            assert_eq!(in_words(whole), whole);
            assert_eq!(before(whole), whole);
        }
        let told = "A; kèm theo B; kèm thông báo khóa số 1/TTDLDC-TBK (tệp #5, SHA-256 00ff)";
        assert_eq!(before(told), "A; kèm theo B");
        assert_eq!(before("A; kèm theo B"), "A; kèm theo B");
    }
}
