//! Files of a dossier (B2): brought by the unit, taken away, looked at.
//!
//! **Invariant:** a file and the version that names it are stored in one transaction; what was not
//! attached is nobody's. **Invariant:** nobody has a byte before the look is journaled.

use dancu_domain::dossier::{self, Attachment, Blocked, Dossier, DossierNumber, Part, Stage};
use dancu_domain::files::{About, DOSSIER_BYTES_MAX, FileId, Role, Scan, named};
use dancu_domain::people::powers::Power;
use dancu_domain::people::reasons::PortalReason;
use dancu_store::engine::Tx;
use dancu_store::files::{self, Kept, Staged, Whose};

use super::{At, DossierDesk, Inside, Side, Went, only_files_of};
use crate::act::{Entry, Refused, note};

/// A file that is brought.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Brought<B> {
    /// Its name as the browser said it.
    pub name: String,
    /// What it is by its content, e.g. `pdf`.
    pub kind: &'static str,
    /// Its bytes.
    pub bytes: B,
    /// What the scanner said.
    pub scan: Scan,
}

/// A file to be handed out; its look stands in the journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fetched {
    /// What is known of it.
    pub kept: Kept,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Puts a file to a paper.
///
/// # Errors
/// As [`save`](super::save); [`Blocked::FilesTooLarge`]. Nothing of the file is kept then.
pub async fn attach(
    desk: &DossierDesk<'_>,
    at: At,
    part: Part,
    brought: Brought<impl AsRef<[u8]>>,
) -> Result<Went, Refused> {
    only_files_of(desk, part)?;
    let mark = desk.mark()?;
    desk.entry(at, "dossier.attached").await?;
    let about = About {
        name: named(&brought.name),
        kind: brought.kind.to_owned(),
        role: Role::Paper(part),
        scan: brought.scan,
        by: mark.by,
        at: mark.at,
    };
    let staged = desk.store.stage_file(desk.now, brought.bytes.as_ref()).await?;
    let attached = desk.look_and_step(at, "dossier.attached", move |tx, dossier, inside| {
        let all = named_by(tx, &dossier, inside)?;
        let all = all.iter().fold(staged.bytes, |sum, file| sum + file.bytes);
        if all > DOSSIER_BYTES_MAX {
            return Err(Blocked::FilesTooLarge.into());
        }
        files::keep(tx, &inside.keys, &staged, Whose::Dossier(dossier.number()), &about)?;
        let file = attachment(&staged, &about.kind);
        let what = format!("{} tệp {}", part.code(), told(&staged, &about));
        Ok((dossier.attach(inside.mark, part, file)?, what))
    });
    let attached = attached.await;
    if attached.is_err() {
        desk.store.drop_staged(desk.now, staged.id).await;
    }
    attached
}

fn attachment(staged: &Staged, kind: &str) -> Attachment {
    Attachment {
        id: staged.id.0.cast_unsigned(),
        kind: kind.to_owned(),
        sha256: staged.sha256,
        size: staged.bytes,
    }
}

/// A file as entries tell it: nothing of its name.
pub(crate) fn told(staged: &Staged, about: &About) -> String {
    format!(
        "{} {} {} byte SHA-256 {} quét {}",
        staged.id,
        about.kind,
        staged.bytes,
        hex::encode(staged.sha256),
        about.scan.code()
    )
}

/// Takes a file away from a paper. Its bytes go with it, unless an older version names it.
///
/// # Errors
/// As [`save`](super::save).
pub async fn detach(
    desk: &DossierDesk<'_>,
    at: At,
    part: Part,
    file: u64,
) -> Result<Went, Refused> {
    only_files_of(desk, part)?;
    let detached = desk.look_and_step(at, "dossier.detached", move |tx, dossier, inside| {
        let after = dossier.detach(inside.mark, part, file)?;
        if !after.names(file) {
            files::take_away(tx, after.number(), FileId(file.cast_signed()))?;
        }
        Ok((after, format!("{} tệp #{file}", part.code())))
    });
    detached.await
}

/// Files that papers of a dossier name: what a round held that was turned back, and what the centre
/// issued, takes no room of the unit's.
fn named_by(tx: &mut Tx<'_>, dossier: &Dossier, inside: &Inside) -> Result<Vec<Kept>, Refused> {
    let mut known = files::of_dossier(tx, &inside.keys, dossier.number())?;
    known.retain(|file| dossier.names(file.id.0.cast_unsigned()));
    Ok(known)
}

/// Takes away the files of a round that ends and was never handed in, as [`detach`] would have;
/// what the entry says of it. What the centre has had in hand is kept though no paper names it any
/// more: it is what a refusal was decided on (A3).
pub(super) fn take_back(
    tx: &mut Tx<'_>,
    (before, after): (&Dossier, &Dossier),
    inside: &Inside,
) -> Result<String, Refused> {
    if *before.stage() != Stage::Draft {
        return Ok(String::new());
    }
    let mut all = named_by(tx, before, inside)?;
    all.retain(|file| !after.names(file.id.0.cast_unsigned()));
    for file in &all {
        files::take_away(tx, after.number(), file.id)?;
    }
    let told: Vec<String> = all.iter().map(|file| format!("; bỏ tệp {}", file.id)).collect();
    Ok(told.concat())
}

/// Journals that the scanner refused a file, which is not kept.
///
/// # Errors
/// As [`save`](super::save).
pub async fn refused_by_scanner(
    desk: &DossierDesk<'_>,
    at: At,
    part: Part,
    sha256: [u8; 32],
) -> Result<(), Refused> {
    only_files_of(desk, part)?;
    let kind = "dossier.fileRefused";
    let (entry, inside) = (desk.entry(at, kind).await?, desk.inside(at, kind)?);
    let digest = hex::encode(sha256);
    let told = note((desk.store, desk.now), entry, move |tx| {
        let found = inside.load(tx)?.dossier;
        let (unit, stage) = (found.unit(), found.stage().code());
        let of = format!("{} {unit} {stage}; {}", inside.at.number, part.code());
        let detail = format!("{of} tệp SHA-256 {digest}: phần mềm quét từ chối");
        inside.tell(tx, &detail)?;
        Ok((detail, ()))
    });
    told.await.map(drop)
}

/// Refuses what counts only when it was scanned, and was not (B2).
pub(super) fn scanned(tx: &mut Tx<'_>, dossier: &Dossier, inside: &Inside) -> Result<(), Refused> {
    let known = files::of_dossier(tx, &inside.keys, dossier.number())?;
    let lacks = dossier::unscanned(dossier, &scans(&known), &inside.profile);
    if lacks.is_empty() { Ok(()) } else { Err(Blocked::FilesNotScanned.into()) }
}

/// What the scanner said of files, by their numbers.
pub(super) fn scans(known: &[Kept]) -> Vec<(u64, Scan)> {
    known.iter().map(|file| (file.id.0.cast_unsigned(), file.about.scan)).collect()
}

/// Hands a file of a dossier out, and journals the look. `may` says which powers the person has:
/// of the centre, assessors read the papers of the assessment alone, and nobody but operators what
/// names officers (A6).
///
/// # Errors
/// [`Refused::Gone`] where there is no such file of this dossier; [`PortalReason::NoPower`];
/// nothing could be journaled.
pub async fn fetch(
    desk: &DossierDesk<'_>,
    number: DossierNumber,
    file: FileId,
    may: impl Fn(Power) -> bool,
) -> Result<Fetched, Refused> {
    let found = desk.store.dossiers().by_number(number).await?;
    let found = found.filter(|f| desk.side.covers(f.dossier.unit())).ok_or(Refused::Gone)?.dossier;
    let kept = desk.store.file(file).await?;
    let kept = kept.filter(|k| k.whose == Whose::Dossier(number)).ok_or(Refused::Gone)?;
    let allowed = match (desk.side, kept.about.role) {
        (Side::Unit(_), _) | (_, Role::Document(_)) => true,
        (Side::Integrator(_), _) => false,
        (Side::Centre, Role::Paper(Part::Security)) => {
            [Power::ReviewDossier, Power::RecordAssessment, Power::ManageSystems].map(may)
                != [false; 3]
        }
        (Side::Centre, Role::Paper(Part::Accounts) | Role::Commitments) => {
            may(Power::ManageSystems)
        }
        (Side::Centre, Role::Paper(_)) => may(Power::ReviewDossier) || may(Power::ManageSystems),
    };
    if !allowed {
        return Err(PortalReason::NoPower.into());
    }
    let bytes = desk.store.file_bytes(&kept).await?;
    let entry = Entry::new("dossier.fileRead", desk.by, found.system());
    let role = match kept.about.role {
        Role::Paper(part) => part.code(),
        Role::Commitments => "commitments",
        Role::Document(kind) => kind.code(),
    };
    let detail = format!("{number} {} {}; {role} tệp {file}", found.unit(), found.stage().code());
    note((desk.store, desk.now), entry, move |_| Ok((detail, ()))).await?;
    Ok(Fetched { kept, bytes })
}
