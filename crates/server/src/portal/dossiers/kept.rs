//! Kept files: looked at before they are kept, shown, and handed out (B2, B7).

use axum::extract::Path;
use axum::response::Response;
use bytes::Bytes;
use dancu_domain::dossier::Part;
use dancu_domain::files::{FileId, Scan};
use dancu_domain::people::powers::Power;
use dancu_office::dossiers::read::Open;
use dancu_office::dossiers::{self, Brought};
use dancu_papers::sniff::{Kind, sniff};
use dancu_portal::dossier::kept::scans;
use dancu_portal::dossier::sheets::FileRow;
use dancu_portal::parts::State;
use dancu_store::files::Kept as KeptFile;

use super::{Place, at_centre, at_unit, opened};
use crate::config::dossiers::DossierConfig;
use crate::places::Places;
use crate::portal::frame;
use crate::portal::head::say;
use crate::portal::signed::Signed;
use crate::portal::words;
use crate::scanner::{Scanner, Verdict};
use crate::stop::{Handled, Stop};

/// Files that are handed out at a time, of 20 MiB each and one of a person.
const DOWNLOADS: usize = 4;

/// What dossiers have beside the store.
pub(crate) struct Kept {
    bytes_max: usize,
    scanner: Option<Scanner>,
    downloads: Places<dancu_domain::people::PersonId>,
}

impl Default for Kept {
    fn default() -> Self {
        Self::of(&DossierConfig::default())
    }
}

/// Why a file that came is not kept.
pub(in crate::portal) enum Unfit {
    /// In a sentence.
    Sentence(String),
    /// The scanner refused what has this digest.
    Scanner([u8; 32]),
}

impl Kept {
    /// As a configuration says.
    #[must_use]
    pub(crate) fn of(config: &DossierConfig) -> Self {
        Self {
            bytes_max: (config.file_megabytes as usize) << 20,
            scanner: Scanner::of(config),
            downloads: Places::new(DOWNLOADS),
        }
    }

    /// Looks at a file that came: its size, what it is by its content, and what the scanner says.
    ///
    /// # Errors
    /// The page that answers instead: nobody could look at it now.
    pub(in crate::portal) async fn looked_at(
        &self,
        signed: &Signed,
        name: String,
        bytes: Bytes,
    ) -> Result<Result<Brought<Bytes>, Unfit>, Stop> {
        if bytes.len() > self.bytes_max {
            let t = signed.text();
            let sentence = t.with("dossier-file-large", "most", self.bytes_max >> 20);
            return Ok(Err(Unfit::Sentence(sentence)));
        }
        let seen = bytes.clone();
        let kind = signed.app.reads.long(move || sniff(&seen)).await;
        let kind = match kind.map_err(|_| Stop::from(frame::unavailable(signed)))? {
            Ok(Kind::Pdf(_)) => "pdf",
            Ok(Kind::Jpeg(_)) => "jpeg",
            Ok(Kind::Png(_)) => "png",
            Ok(Kind::Xlsx) => {
                return Ok(Err(Unfit::Sentence(signed.text().get("dossier-file-kind"))));
            }
            Err(refusal) => {
                return Ok(Err(Unfit::Sentence(say(signed.lang, refusal.sentence()))));
            }
        };
        let scan = match &self.scanner {
            None => Scan::Unasked,
            Some(scanner) => match scanner.scan(bytes.clone()).await {
                Verdict::Clean => Scan::Clean,
                Verdict::Undecided => Scan::Undecided,
                Verdict::Refused => {
                    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
                    let mut sha256 = [0; 32];
                    sha256.copy_from_slice(digest.as_ref());
                    return Ok(Err(Unfit::Scanner(sha256)));
                }
            },
        };
        Ok(Ok(Brought { name, kind, bytes, scan }))
    }
}

/// Files of a part, as its sheet shows them.
pub(super) fn rows(signed: &Signed, place: &Place, open: &Open, part: Part) -> Vec<FileRow> {
    let base = place.page(open.dossier.number());
    let t = signed.text();
    let attached = open.dossier.paper(part).attachments.iter();
    attached
        .map(|file| {
            // One of before files were kept has its digest alone.
            let kept = open.files.iter().find(|k| k.id.0.cast_unsigned() == file.id);
            FileRow {
                id: file.id,
                kind: file.kind.to_uppercase(),
                name: kept.map(|k| k.about.name.clone()).unwrap_or_default(),
                size: t.with("dossier-file-size", "size", t.num(file.size.div_ceil(1024))),
                digest: hex::encode(file.sha256),
                scan: scan(kept.map_or(Scan::Unasked, |k| k.about.scan)),
                href: kept.map(|_| format!("{base}/files/{}", file.id)).unwrap_or_default(),
            }
        })
        .collect()
}

const fn scan(scan: Scan) -> State {
    match scan {
        Scan::Unasked => scans::UNASKED,
        Scan::Clean => scans::CLEAN,
        Scan::Undecided => scans::UNDECIDED,
    }
}

/// `GET /unit/dossiers/{number}/files/{file}`; journaled.
pub(super) async fn of_unit(signed: Signed, Path(which): Path<(String, String)>) -> Handled {
    let place = at_unit(&signed, Power::EditDossier)?;
    handed(&signed, &place, which).await
}

/// `GET /centre/dossiers/{number}/files/{file}`; journaled.
pub(super) async fn of_centre(signed: Signed, Path(which): Path<(String, String)>) -> Handled {
    let place = at_centre(&signed, Power::SeeDossiers)?;
    handed(&signed, &place, which).await
}

async fn handed(signed: &Signed, place: &Place, (number, file): (String, String)) -> Handled {
    let number = opened(signed, place, &number).await?.dossier.number();
    let Some(file) = file.parse().ok().map(FileId) else { return Ok(frame::missing(signed)) };
    let _place = turn(signed)?;
    let may = |power| signed.holds(power);
    match dossiers::fetch(&place.desk(), number, file, may).await {
        Ok(found) => Ok(sent(&number.to_string(), &found.kept, found.bytes)),
        Err(refused) => Ok(words::answered(signed, &refused)),
    }
}

/// A place in which a file is handed out.
///
/// # Errors
/// The page that says that all are held.
pub(in crate::portal) fn turn(
    signed: &Signed,
) -> Result<crate::places::Place<dancu_domain::people::PersonId>, Stop> {
    let places = &signed.portal().dossiers.downloads;
    places.take(signed.person.id).map_err(|_| frame::unavailable(signed).into())
}

/// A file to be stored, never shown as a page; its own name stands on the page alone.
pub(in crate::portal) fn sent(of: &str, file: &KeptFile, bytes: Vec<u8>) -> Response {
    let (kind, end) = match file.about.kind.as_str() {
        "pdf" => ("application/pdf", "pdf"),
        "jpeg" => ("image/jpeg", "jpg"),
        "png" => ("image/png", "png"),
        _ => ("application/octet-stream", "bin"),
    };
    let name = format!("{of}-{}.{end}", file.id.0);
    frame::file(&name, kind, bytes)
}
