//! What is live already enters from one workbook (B3, B4): read, looked at row by row, applied.

use std::sync::Arc;

use axum::extract::Query;
use axum::http::StatusCode;
use dancu_domain::campaigns::{Campaign, Plan, Scope};
use dancu_domain::dossier::{Mark, Part};
use dancu_domain::moment::MINUTE_MS;
use dancu_domain::people::may::Target;
use dancu_domain::people::powers::Power;
use dancu_domain::people::{MachineTime, PersonId};
use dancu_office::imports::{self, ImportDesk, Look};
use dancu_office::{act, campaigns};
use dancu_portal::campaigns::Import;
use dancu_portal::centre::Field;
use dancu_portal::parts::FieldError;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::campaigns::{errors as of_refusal, no_day};
use super::known;
use crate::portal::form::{self, Form, Upload};
use crate::portal::frame::{self, Told};
use crate::portal::head::say;
use crate::portal::once::Sent;
use crate::portal::operator::{actor, store};
use crate::portal::signed::Signed;
use crate::stop::{Handled, Stop};

/// A workbook that was looked at waits so long to be applied, ms.
const KEPT_MS: i64 = 30 * MINUTE_MS;
/// Workbooks that wait on a node, one of a person: each takes some MB.
const KEPT_MAX: usize = 4;
/// Wrong rows that a page shows: what somebody mends in one go.
const WRONG_MAX: usize = 200;
/// Days before the deadline on which units are reminded, where there are so many.
const REMIND: [u16; 3] = [30, 7, 1];
/// What a spreadsheet is sent as.
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Workbooks that wait to be applied, on this node.
pub struct Kept {
    kept: Mutex<Vec<Waiting>>,
    readers: Arc<Semaphore>,
}

impl Default for Kept {
    fn default() -> Self {
        // One at a time: each may take a core and some MB.
        Self { kept: Mutex::default(), readers: Arc::new(Semaphore::new(1)) }
    }
}

#[derive(Clone)]
struct Waiting {
    token: String,
    person: PersonId,
    until: MachineTime,
    look: Arc<Look>,
    plan: Plan,
    reason: String,
    /// What was typed, where it cannot be applied.
    typed: Form,
}

impl Kept {
    /// Keeps one in the place of the person's own before, and of the oldest where all are held.
    fn keep(&self, waiting: Waiting, now: MachineTime) {
        let mut kept = self.kept.lock();
        kept.retain(|w| w.until > now && w.person != waiting.person);
        if kept.len() >= KEPT_MAX {
            kept.remove(0);
        }
        kept.push(waiting);
    }

    fn find(&self, token: &str, person: PersonId, now: MachineTime) -> Option<Waiting> {
        let kept = self.kept.lock();
        kept.iter().find(|w| w.token == token && w.person == person && w.until > now).cloned()
    }

    fn forget(&self, person: PersonId) {
        self.kept.lock().retain(|w| w.person != person);
    }
}

fn allowed(signed: &Signed) -> Result<(), Stop> {
    let may = signed.may(Power::ImportLive, Target::Centre).map(drop);
    may.map_err(|reason| frame::refused(signed, reason).into())
}

/// `GET /centre/import`
pub(super) async fn choose(signed: Signed, Query(told): Query<Told>) -> Handled {
    allowed(&signed)?;
    let told = told.key(&[("same", "import-live-same")]);
    Ok(page(&signed, told, vec![], &Form::default(), None))
}

/// `GET /centre/import/template.xlsx`: empty, in the layout that is read.
pub(super) async fn template(signed: Signed) -> Handled {
    allowed(&signed)?;
    match imports::template() {
        Ok(bytes) => Ok(frame::file("nhap-ket-noi.xlsx", XLSX, bytes)),
        Err(refused) => Ok(crate::portal::words::failed(&signed, &refused)),
    }
}

/// `GET /centre/import/export.xlsx`: what is connected in the same layout, without secrets;
/// journaled.
pub(super) async fn export(signed: Signed) -> Handled {
    allowed(&signed)?;
    let Ok(turn) = signed.portal().live.readers.clone().try_acquire_owned() else {
        return Ok(frame::unavailable(&signed));
    };
    let (open, now, by) = (store(&signed).clone(), signed.now, actor(&signed));
    let runtime = tokio::runtime::Handle::current();
    // Every dossier of the country is opened, and a workbook of many MB written.
    let writing = move || {
        let _turn = turn;
        let reason = "tải bảng tính các kết nối đang dùng";
        let desk = ImportDesk { store: &open, now, by: &by, reason };
        runtime.block_on(imports::export(&desk))
    };
    match tokio::task::spawn_blocking(writing).await {
        Ok(Ok((_, bytes))) => Ok(frame::file("ket-noi-dang-dung.xlsx", XLSX, bytes)),
        Ok(Err(refused)) => Ok(crate::portal::words::failed(&signed, &refused)),
        Err(_) => Ok(frame::unavailable(&signed)),
    }
}

fn page(
    signed: &Signed,
    told: Option<&'static str>,
    errors: Vec<FieldError>,
    typed: &Form,
    looked: Option<(&Look, &str)>,
) -> axum::response::Response {
    let t = signed.text();
    let field = |id: &'static str, key, hint| Field {
        id,
        key,
        hint,
        value: typed.get(id).to_owned(),
        choices: vec![],
    };
    let wrong = looked.map_or(&[][..], |(look, _)| look.wrong.as_slice());
    let sums = looked.map(|(look, _)| {
        let (lines, accounts) = look.sums();
        let num = |n: usize| t.num(n as u64);
        vec![
            t.with("import-live-new", "count", num(look.entering.len())),
            t.with_two("import-live-rows", "lines", num(lines), "accounts", num(accounts)),
            t.with("import-live-known", "count", num(look.known.len())),
            t.with("import-live-wrong", "count", num(wrong.len())),
        ]
    });
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let body = Import {
        told,
        fields: vec![
            field("document", "campaign-document", "import-live-document-hint"),
            field("dated", "campaign-dated", "common-date-hint"),
            field("deadline", "import-live-deadline", "common-date-hint"),
            field("reason", "unit-reason", ""),
        ],
        sums: sums.unwrap_or_default(),
        wrong: wrong.iter().take(WRONG_MAX).map(|w| say(signed.lang, w.sentence())).collect(),
        token: looked.map(|(_, token)| token.to_owned()).unwrap_or_default(),
        once: form::once(),
        errors,
        s: signed.shell(),
        t,
    };
    frame::page_with(status, &body)
}

/// `POST /centre/import`: reads the workbook and shows what would enter.
pub(super) async fn read(signed: Signed, upload: Upload) -> Handled {
    allowed(&signed)?;
    let typed = &upload.form;
    let wrong = |errors| Ok(page(&signed, None, errors, typed, None));
    let (plan, reason) = match plan(&signed, typed) {
        Ok(read) => read,
        Err(errors) => return wrong(errors),
    };
    // What cannot be begun is said before anything is read, not once all of it is to enter.
    let mark = Mark { by: actor(&signed).number(), at: signed.now };
    if let Err(why) = Campaign::begin(plan.clone(), mark) {
        return wrong(of_refusal(&signed, &campaigns::refused(why))?);
    }
    let Some(part) = upload.file.as_ref().filter(|part| !part.bytes.is_empty()) else {
        return wrong(vec![frame::wrong("file", signed.text().get("importfile-missing"))]);
    };
    let kept = &signed.portal().live;
    let Ok(turn) = kept.readers.clone().try_acquire_owned() else {
        return wrong(vec![frame::wrong("file", signed.text().get("importfile-busy"))]);
    };
    let (open, now, bytes) = (store(&signed).clone(), signed.now, part.bytes.clone());
    let (snapshot, known) = (signed.app.gate.snapshot(), known(&signed).await?);
    let runtime = tokio::runtime::Handle::current();
    // The turn ends with the work: a browser that goes away does not stop it.
    let reading = move || {
        let _turn = turn;
        let book = imports::open(&bytes)?;
        runtime.block_on(imports::look((&open, &snapshot, &known.tree), now, &book))
    };
    let Ok(look) = tokio::task::spawn_blocking(reading).await else {
        return wrong(vec![frame::wrong("file", signed.text().get("importfile-broken"))]);
    };
    let look = match look {
        Ok(look) => Arc::new(look),
        Err(refused) => return wrong(of_refusal(&signed, &refused)?),
    };
    let token = if look.wrong.is_empty() { form::once() } else { String::new() };
    if !token.is_empty() {
        let (person, until) = (signed.person.id, signed.machine.plus_ms(KEPT_MS));
        let (token, look) = (token.clone(), look.clone());
        let typed = typed.clone();
        kept.keep(Waiting { token, person, until, look, plan, reason, typed }, signed.machine);
    }
    Ok(page(&signed, None, vec![], typed, Some((&look, &token))))
}

/// The campaign and the reason as they were typed; whether they fit is judged again when applied.
fn plan(signed: &Signed, form: &Form) -> Result<(Plan, String), Vec<FieldError>> {
    let mut wrong = vec![];
    let mut day = |field| {
        let read = frame::parse_day(form.get(field));
        if read.is_none() {
            wrong.push(frame::wrong(field, no_day(signed)));
        }
        read.unwrap_or(jiff::civil::Date::ZERO)
    };
    let (dated, deadline) = (day("dated"), day("deadline"));
    if act::reason(form.get("reason")).is_err() {
        wrong.push(frame::wrong("reason", signed.text().get("reason-missing")));
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let left = deadline.duration_since(signed.today()).as_hours() / 24;
    let plan = Plan {
        name: "Hoàn thiện hồ sơ của kết nối có từ trước".to_owned(),
        document: form.get("document").to_owned(),
        dated,
        scope: Scope { imported: true, ..Scope::default() },
        deadline,
        remind: REMIND.into_iter().filter(|days| i64::from(*days) <= left).collect(),
        parts: Part::ALL.to_vec(),
    };
    Ok((plan, form.get("reason").to_owned()))
}

/// `POST /centre/import/apply`: all of it or nothing; sent twice, it is done once.
pub(super) async fn apply(signed: Signed, form: Form) -> Handled {
    allowed(&signed)?;
    let kept = &signed.portal().live;
    let Some(waiting) = kept.find(form.get("file"), signed.person.id, signed.machine) else {
        let errors = vec![frame::wrong("file", signed.text().get("import-gone"))];
        return Ok(page(&signed, None, errors, &form, None));
    };
    let (open, now, by) = (store(&signed).clone(), signed.now, actor(&signed));
    let (shown, typed, token) =
        (waiting.look.clone(), waiting.typed.clone(), waiting.token.clone());
    let act = async move {
        let desk = ImportDesk { store: &open, now, by: &by, reason: &waiting.reason };
        imports::import(&desk, Look::clone(&waiting.look), waiting.plan.clone()).await
    };
    match form.carry_out(&signed, act).await? {
        Sent::First(Err(refused)) => {
            let errors = of_refusal(&signed, &refused)?;
            // It waits on: what is in the way may be mended, and it is applied then.
            Ok(page(&signed, None, errors, &typed, Some((&shown, &token))))
        }
        Sent::First(Ok(Some((_, entered)))) => {
            kept.forget(signed.person.id);
            Ok(frame::to(&format!("/centre/campaigns/{}?told=begun", entered.campaign.0)))
        }
        Sent::First(Ok(None)) => Ok(frame::to("/centre/import?told=same")),
        _ => Ok(frame::to("/centre/campaigns")),
    }
}
