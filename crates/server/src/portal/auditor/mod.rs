//! The auditor's desk, first version: a ground, then a search of the journal; what may name a
//! person is masked until it is revealed, and each look is journaled before it is shown (A6, F3).

mod rows;
pub mod told;

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use dancu_domain::people::may::{Ground, Target};
use dancu_domain::people::powers::Power;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::registration::Snapshot;
use dancu_office::Refused;
use dancu_office::audit::{self, Audit, Journaled, Page, Sought};
use dancu_portal::auditor::{Found, Revealed, Search, Staff};
use dancu_portal::parts::{Choice, FieldError};
use dancu_store::Store;
use dancu_store::people::Person;

use super::form::Form;
use super::operator::registered;
use super::signed::Signed;
use super::table::Table;
use super::{frame, words};
use crate::stop::{Handled, Stop};

/// Kinds of search with their words.
const KINDS: [(&str, &str); 3] =
    [("case", "kind-case"), ("account", "kind-account"), ("subject", "kind-subject")];

/// Routes of the auditor's desk.
pub fn routes(table: Table) -> Table {
    table
        .entry("/audit", "search", "nav-audit", Power::SearchJournal)
        .get("/audit", Power::SearchJournal, blank)
        .post("/audit", Power::SearchJournal, search)
        .post("/audit/more", Power::SearchJournal, more)
        .post("/audit/reveal", Power::SearchJournal, reveal)
        .get("/audit/staff", Power::SeeStaffJournal, staff_blank)
        .post("/audit/staff", Power::SeeStaffJournal, staff)
}

/// A search as it was typed, or as it goes on.
#[derive(Default)]
struct Typed {
    ground: String,
    kind: String,
    term: String,
}

impl Typed {
    fn of(ground: &Ground, sought: &Sought) -> Self {
        Self {
            ground: ground.as_str().to_owned(),
            kind: sought.kind().to_owned(),
            term: sought.shown().to_owned(),
        }
    }
}

/// `GET /audit`
async fn blank(signed: Signed) -> Response {
    page(&signed, Typed::default(), vec![], None, None)
}

fn page(
    signed: &Signed,
    typed: Typed,
    errors: Vec<FieldError>,
    found: Option<Found>,
    revealed: Option<Revealed>,
) -> Response {
    let t = signed.text();
    let chosen = if typed.kind.is_empty() { KINDS[0].0 } else { typed.kind.as_str() };
    let kinds = KINDS.into_iter().map(|(value, key)| Choice {
        value: value.to_owned(),
        label: t.get(key),
        chosen: value == chosen,
    });
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let body = Search {
        errors,
        kinds: kinds.collect(),
        // An id that was typed wrongly is not shown again either.
        term: if typed.kind == "subject" { String::new() } else { typed.term },
        ground: typed.ground,
        found,
        revealed,
        mark: mark(signed),
        s: signed.shell(),
        t,
    };
    frame::page_with(status, &body)
}

/// Who looks, when: drawn across what is shown.
fn mark(signed: &Signed) -> String {
    let person = &signed.person;
    format!("{} · {} · {}", person.name, person.login, frame::stamp(signed.now))
}

/// What a look needs on another thread.
struct Desk {
    store: Arc<Store>,
    snapshot: Arc<Snapshot>,
    auditor: Arc<Person>,
    ground: Ground,
    now: dancu_domain::moment::Moment,
}

impl Desk {
    async fn of(signed: &Signed, ground: Ground) -> dancu_store::Result<Self> {
        Ok(Self {
            store: signed.app.gate.store().clone(),
            snapshot: registered(signed).await?,
            auditor: signed.person.clone(),
            ground,
            now: signed.now,
        })
    }

    fn audit(&self) -> Audit<'_> {
        let Self { store, snapshot, auditor, ground, now } = self;
        Audit { store, snapshot, now: *now, auditor, ground }
    }

    /// Reads what was journaled, away from the threads that questions run on.
    async fn found(self, look: Journaled) -> Result<Page, Refused> {
        let read = tokio::task::spawn_blocking(move || self.audit().found(&look));
        read.await.map_err(|_| dancu_store::Error::Unavailable("journal"))?
    }
}

/// Whether the person may look with this ground.
fn may(signed: &Signed, power: Power, ground: &Ground) -> Result<(), PortalReason> {
    signed.may_with_ground(power, Target::Centre, ground).map(|_| ())
}

/// `POST /audit`
async fn search(signed: Signed, form: Form) -> Response {
    let typed = Typed {
        ground: form.get("ground").to_owned(),
        kind: form.get("kind").to_owned(),
        term: form.get("term").to_owned(),
    };
    let mut errors = vec![];
    let ground = Ground::parse(&typed.ground);
    if let Err(reason) = ground {
        errors.push(frame::reason_error(signed.lang, "ground", reason));
    }
    let sought = Sought::parse(&typed.kind, &typed.term);
    if let Err(refused) = &sought {
        errors.extend(words::refused(&signed, refused).map(|s| frame::wrong("term", s)));
    }
    let (Ok(ground), Ok(sought)) = (ground, sought) else {
        return page(&signed, typed, errors, None, None);
    };
    if let Err(reason) = may(&signed, Power::SearchJournal, &ground) {
        return frame::refused(&signed, reason);
    }
    let ticket =
        audit::ticket((signed.app.gate.store(), signed.now), signed.person.id, &ground, &sought);
    match ticket {
        Ok(ticket) => results(&signed, (ground, sought), ticket, 0, None).await,
        Err(refused) => words::failed(&signed, &refused),
    }
}

/// `POST /audit/more`: the next page of a search.
async fn more(signed: Signed, form: Form) -> Handled {
    let (ground, sought) = opened(&signed, &form)?;
    if let Err(reason) = may(&signed, Power::SearchJournal, &ground) {
        return Ok(frame::refused(&signed, reason));
    }
    let from = form.get("from").parse().unwrap_or(0);
    Ok(results(&signed, (ground, sought), form.get("ticket").to_owned(), from, None).await)
}

/// The search that a form carries, or the form anew.
fn opened(signed: &Signed, form: &Form) -> Result<(Ground, Sought), Stop> {
    let store = signed.app.gate.store();
    let opened = audit::open_ticket((store, signed.now), signed.person.id, form.get("ticket"));
    opened.map_err(|refused| {
        Stop::from(match refused {
            Refused::Reason(reason) => {
                let wrong = frame::reason_error(signed.lang, "ground", reason);
                page(signed, Typed::default(), vec![wrong], None, None)
            }
            other => words::failed(signed, &other),
        })
    })
}

/// Journals the search, then reads and shows it.
async fn results(
    signed: &Signed,
    (ground, sought): (Ground, Sought),
    ticket: String,
    from: u64,
    revealed: Option<Revealed>,
) -> Response {
    let typed = Typed::of(&ground, &sought);
    let desk = match Desk::of(signed, ground).await {
        Ok(desk) => desk,
        Err(error) => return words::unread(signed, &error),
    };
    let snapshot = desk.snapshot.clone();
    let look = match desk.audit().search(sought, from).await {
        Ok(look) => look,
        Err(refused) => return words::failed(signed, &refused),
    };
    match desk.found(look).await {
        Ok(read) => {
            let t = signed.text();
            let rows = read.entries.iter().filter_map(|e| rows::entry(&t, &snapshot, e));
            let found = Found {
                rows: rows.collect(),
                withheld: read.withheld,
                ticket,
                from,
                next: read.next,
            };
            page(signed, typed, vec![], Some(found), revealed)
        }
        Err(refused) => words::failed(signed, &refused),
    }
}

/// `POST /audit/reveal`: what is masked in one entry of a search.
async fn reveal(signed: Signed, form: Form) -> Handled {
    let (ground, sought) = opened(&signed, &form)?;
    if let Err(reason) = may(&signed, Power::SeePersonalData, &ground) {
        return Ok(frame::refused(&signed, reason));
    }
    let Ok(index) = form.get("index").parse::<u64>() else { return Ok(frame::missing(&signed)) };
    let desk = match Desk::of(&signed, ground.clone()).await {
        Ok(desk) => desk,
        Err(error) => return Ok(words::unread(&signed, &error)),
    };
    let snapshot = desk.snapshot.clone();
    let look = match desk.audit().reveal(sought.clone(), index).await {
        Ok(look) => look,
        Err(refused) => return Ok(words::failed(&signed, &refused)),
    };
    let revealed = match desk.found(look).await {
        Ok(read) => {
            read.entries.first().and_then(|entry| rows::revealed(&signed, &snapshot, entry))
        }
        Err(Refused::Reason(reason)) => return Ok(frame::refused(&signed, reason)),
        Err(Refused::Gone) => return Ok(frame::missing(&signed)),
        Err(refused) => return Ok(words::failed(&signed, &refused)),
    };
    let from = form.get("from").parse().unwrap_or(0);
    Ok(results(&signed, (ground, sought), form.get("ticket").to_owned(), from, revealed).await)
}

/// `GET /audit/staff`
async fn staff_blank(signed: Signed) -> Response {
    staff_page(&signed, String::new(), vec![], None)
}

/// What a look at the staff's acts gave: the page, and where it began.
type Acts = (Page, Arc<Snapshot>, u64);

fn staff_page(
    signed: &Signed,
    ground: String,
    errors: Vec<FieldError>,
    acts: Option<Acts>,
) -> Response {
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let (mut range, mut next, mut rows) = ((0, 0), None, None);
    if let Some((read, snapshot, before)) = acts {
        range = (read.next.unwrap_or(0), before.saturating_sub(1));
        next = read.next;
        let t = signed.text();
        rows = Some(read.entries.iter().filter_map(|e| rows::act(&t, &snapshot, e)).collect());
    }
    let body = Staff {
        t: signed.text(),
        s: signed.shell(),
        errors,
        ground,
        rows,
        range,
        next,
        mark: mark(signed),
    };
    frame::page_with(status, &body)
}

/// `POST /audit/staff`
async fn staff(signed: Signed, form: Form) -> Response {
    let typed = form.get("ground").to_owned();
    let ground = match Ground::parse(&typed) {
        Ok(ground) => ground,
        Err(reason) => {
            let wrong = frame::reason_error(signed.lang, "ground", reason);
            return staff_page(&signed, typed, vec![wrong], None);
        }
    };
    if let Err(reason) = may(&signed, Power::SeeStaffJournal, &ground) {
        return frame::refused(&signed, reason);
    }
    let desk = match Desk::of(&signed, ground).await {
        Ok(desk) => desk,
        Err(error) => return words::unread(&signed, &error),
    };
    let (snapshot, head) = (desk.snapshot.clone(), desk.store.ledger().next_index());
    let before = form.get("before").parse().unwrap_or(head).min(head);
    let look = match desk.audit().staff(before).await {
        Ok(look) => look,
        Err(Refused::Reason(reason)) => return frame::refused(&signed, reason),
        Err(refused) => return words::failed(&signed, &refused),
    };
    match desk.found(look).await {
        Ok(read) => staff_page(&signed, typed, vec![], Some((read, snapshot, before))),
        Err(refused) => words::failed(&signed, &refused),
    }
}
