//! Connection dossiers (B1-B7, B10, A4, D4): a unit's pages, where it fills in, signs and submits,
//! and the centre's, where it is reviewed, assessed, approved and set live. Everything is decided
//! and carried out by `dancu_office`.

mod accounts;
mod acts;
mod compare;
mod copies;
mod documents;
mod fields;
mod files;
mod forms;
mod kept;
mod list;
mod open;
mod queue;
mod review;
mod services;
mod sheet;
mod texts;
mod told;
mod track;

use std::sync::Arc;

use dancu_domain::dossier::DossierNumber;
use dancu_domain::ids::UnitCode;
use dancu_domain::moment::Moment;
use dancu_domain::people::may::Target;
use dancu_domain::people::powers::Power;
use dancu_office::dossiers::read::{self, Open};
use dancu_office::dossiers::{At, DossierDesk, Side};
use dancu_office::{Actor, Refused};
use dancu_papers::sheet::FILE_BYTES_MAX;
use dancu_portal::parts::FieldError;
use dancu_store::Store;

use super::form::Form;
use super::frame;
use super::once::Sent;
use super::operator::{actor, store};
use super::signed::Signed;
use super::table::Table;
use super::words;
use crate::stop::Stop;

/// Bytes of a sheet: seven long texts of 6,000 letters, at up to three bytes that are sent as nine.
const SHEET_MAX: usize = 512 * 1024;
pub(super) use self::kept::{Kept, Unfit, sent, turn};

/// Bytes of a form with a report: each of its bytes may be sent as three.
const FORM_MAX: usize = 4 * crate::sandbox::REPORT_MAX;
/// Bytes around a file: the fields beside it and the parts' heads.
const AROUND_FILE: usize = 64 * 1024;

/// Bytes of a form with a paper.
pub(super) const PAPER_MAX: usize = dancu_papers::sniff::BYTES_MAX + AROUND_FILE;

/// Its routes.
pub fn routes(table: Table) -> Table {
    let (edit, see, review) = (Power::EditDossier, Power::SeeDossiers, Power::ReviewDossier);
    let sign = Power::SignDossier;
    let table = table
        .entry("/unit/dossiers", "list", "nav-unit-dossiers", edit)
        .entry("/centre/dossiers", "inbox", "nav-dossiers", review)
        .entry("/centre/dossiers", "inbox", "nav-dossiers", Power::RecordAssessment)
        .get("/unit/dossiers", edit, list::show)
        .post("/unit/dossiers", edit, list::begin)
        .get("/unit/dossiers/{number}", edit, open::of_unit)
        .post("/unit/dossiers/{number}/sign", sign, acts::sign)
        .post("/unit/dossiers/{number}/submit", sign, acts::submit)
        .post_large("/unit/dossiers/{number}/report", edit, FORM_MAX, acts::report)
        .post("/unit/dossiers/{number}/withdraw", sign, acts::withdraw)
        .post("/unit/dossiers/{number}/reopen", sign, acts::reopen)
        .get("/unit/dossiers/{number}/compare", edit, compare::of_unit)
        .get("/unit/dossiers/{number}/{sheet}", edit, sheet::show)
        .post_large("/unit/dossiers/{number}/{sheet}", edit, SHEET_MAX, sheet::save);
    let most = FILE_BYTES_MAX + AROUND_FILE;
    table
        .upload("/unit/dossiers/{number}/accounts/file", edit, most, files::accounts)
        .upload("/unit/dossiers/{number}/security/file", edit, PAPER_MAX, files::security)
        .upload("/unit/dossiers/{number}/commitment/file", edit, PAPER_MAX, files::commitment)
        .get("/unit/dossiers/{number}/files/{file}", edit, kept::of_unit)
        .post("/unit/dossiers/{number}/copies", edit, copies::tell)
        .get("/unit/documents", see, documents::of_unit)
        .get("/unit/documents/{file}", see, documents::file_of_unit)
        .get("/centre/documents", see, documents::of_centre)
        .get("/centre/documents/{file}", see, documents::file_of_centre)
        .get("/centre/dossiers/{number}/files/{file}", see, kept::of_centre)
        .post("/centre/dossiers/{number}/copies", review, copies::receive)
        .get("/centre/dossiers", see, queue::show)
        .get("/centre/dossiers/{number}", see, open::of_centre)
        .get("/centre/dossiers/{number}/compare", see, compare::of_centre)
        .get("/centre/dossiers/{number}/review", see, review::show)
        .post_large("/centre/dossiers/{number}/review", review, SHEET_MAX, review::ask)
        .post_large("/centre/dossiers/{number}/step", review, FORM_MAX, acts::step)
        .post("/centre/dossiers/{number}/assess", Power::RecordAssessment, acts::assess)
        .post("/centre/dossiers/{number}/exempt", Power::RecordExemption, acts::exempt)
        .post("/centre/dossiers/{number}/approve", Power::ApproveDossier, acts::approve)
        .post("/centre/dossiers/{number}/live", Power::ManageSystems, acts::live)
}

/// Where somebody works on dossiers; [`Place::desk`] is what the office's functions take.
#[derive(Clone)]
struct Place {
    store: Arc<Store>,
    by: Actor,
    now: Moment,
    /// The own unit; none at the centre.
    unit: Option<UnitCode>,
    /// Whether only technical items are open (A6).
    integrator: bool,
}

impl Place {
    fn desk(&self) -> DossierDesk<'_> {
        let side = match &self.unit {
            Some(unit) if self.integrator => Side::Integrator(unit),
            Some(unit) => Side::Unit(unit),
            None => Side::Centre,
        };
        DossierDesk { store: &self.store, now: self.now, by: &self.by, side }
    }

    /// The list that its dossiers stand in.
    const fn list(&self) -> &'static str {
        if self.unit.is_some() { "/unit/dossiers" } else { "/centre/dossiers" }
    }

    fn page(&self, number: DossierNumber) -> String {
        format!("{}/{number}", self.list())
    }
}

/// The own unit of who is signed in, where they may do this in it.
///
/// # Errors
/// The page that refuses.
fn at_unit(signed: &Signed, power: Power) -> Result<Place, Stop> {
    let own = signed.own_unit();
    signed
        .may(power, Target::Unit(&own))
        .map_err(|reason| Stop::from(frame::refused(signed, reason)))?;
    let [unit] = own;
    // A6: who may sign is head or deputy, and no integrator.
    let integrator = !signed.holds(Power::SignDossier);
    Ok(Place { unit: Some(unit), integrator, ..place(signed) })
}

/// The centre, where they may do this about every unit.
///
/// # Errors
/// The page that refuses.
fn at_centre(signed: &Signed, power: Power) -> Result<Place, Stop> {
    let may = signed.may(power, Target::Centre).map(drop);
    may.map_err(|reason| Stop::from(frame::refused(signed, reason)))?;
    Ok(place(signed))
}

fn place(signed: &Signed) -> Place {
    Place {
        store: store(signed).clone(),
        by: actor(signed),
        now: signed.now,
        unit: None,
        integrator: false,
    }
}

/// The dossier of a number in an address, as this person works on it.
///
/// # Errors
/// The page that answers instead: there is none, or it could not be read.
async fn opened(signed: &Signed, place: &Place, number: &str) -> Result<Open, Stop> {
    let missing = || Stop::from(frame::missing(signed));
    let number = DossierNumber::parse(number).ok_or_else(missing)?;
    match read::open(&place.desk(), number, |power| signed.holds(power)).await {
        Ok(Some(open)) => Ok(open),
        Ok(None) => Err(missing()),
        Err(refused) => Err(words::failed(signed, &refused).into()),
    }
}

/// The dossier that a form is about, at the revision that was looked at.
fn at(number: DossierNumber, form: &Form) -> At {
    // What is no revision is none that the dossier has.
    At { number, revision: form.get("revision").parse().unwrap_or(-1) }
}

/// Carries an act out once for the form.
///
/// # Errors
/// The page that answers instead.
async fn carried<T: Send + 'static>(
    signed: &Signed,
    form: &Form,
    act: impl Future<Output = Result<T, Refused>> + Send + 'static,
) -> Result<Result<(), Refused>, Stop> {
    Ok(match form.carry_out(signed, act).await? {
        Sent::First(done) => done.map(drop),
        _ => Ok(()),
    })
}

/// What was refused, as an error of a form.
///
/// # Errors
/// The page that answers instead.
fn errors(
    signed: &Signed,
    refused: &Refused,
    field: &'static str,
) -> Result<Vec<FieldError>, Stop> {
    match refused {
        Refused::Gone => Err(frame::missing(signed).into()),
        Refused::Reason(reason) => Err(frame::refused(signed, *reason).into()),
        other => match words::refused(signed, other) {
            Some(sentence) => Ok(vec![frame::wrong(field, sentence)]),
            None => Err(words::failed(signed, other).into()),
        },
    }
}
