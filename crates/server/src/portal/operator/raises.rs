//! Raises that heads ask for: granted by one operator, above the factor by two (D8).

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use dancu_domain::people::PersonId;
use dancu_domain::people::may::Target;
use dancu_domain::people::powers::Power;
use dancu_domain::registration::{Snapshot, System};
use dancu_office::act::{Place, places};
use dancu_office::{Refused, act, raises};
use dancu_portal::operator::{RaiseRow, Raises, Said};
use dancu_portal::parts::FieldError;
use dancu_store::desks::{RaiseRequest, Requests};

use super::{actor, may_on, registered, store, word};
use crate::portal::form::Form;
use crate::portal::frame::Told;
use crate::portal::signed::Signed;
use crate::portal::{frame, words};

/// Requests of one page: more wait for nobody who reads each.
const SHOWN: usize = 100;

/// `GET /operate/raises`
pub async fn list(signed: Signed, Query(told): Query<Told>) -> Response {
    let key = told.key(&[
        ("granted", "raises-granted"),
        ("half", "raises-half"),
        ("refused", "raises-refused"),
    ]);
    let said = key.map(|key| Said::done(signed.text().get(key)));
    page(&signed, said, vec![]).await
}

async fn page(signed: &Signed, said: Option<Said>, errors: Vec<FieldError>) -> Response {
    let rows = match rows(signed).await {
        Ok(rows) => rows,
        Err(error) => return words::unread(signed, &error),
    };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let body = Raises { t: signed.text(), s: signed.shell(), said, errors, rows };
    frame::page_with(status, &body)
}

async fn rows(signed: &Signed) -> dancu_store::Result<Vec<RaiseRow>> {
    let snapshot = registered(signed).await?;
    let (mut rows, mut after) = (vec![], 0);
    loop {
        let which = Requests::Waiting { now: signed.now, after };
        let waiting = store(signed).desks().raise_requests(which, SHOWN as u32).await?;
        let Some(last) = waiting.last() else { return Ok(rows) };
        after = last.id;
        for request in &waiting {
            // A line that was taken away meanwhile cannot be raised; its request waits for its
            // head, and holds up no other.
            let Some((system, place)) = line_of(&snapshot, request) else { continue };
            if may_on(signed, Power::ManageSystems, system) {
                rows.push(row(signed, request, (system, &place)).await?);
            }
            if rows.len() == SHOWN {
                return Ok(rows);
            }
        }
    }
}

fn line_of<'a>(snapshot: &'a Snapshot, request: &RaiseRequest) -> Option<(&'a System, Place<'a>)> {
    let system = snapshot.by_id(request.system)?;
    let place = places(system).find(|place| place.line.id == request.line)?;
    Some((system, place))
}

async fn row(
    signed: &Signed,
    request: &RaiseRequest,
    (system, place): (&System, &Place<'_>),
) -> dancu_store::Result<RaiseRow> {
    let factor = store(signed).profiles().at(signed.now).two_approvers_above;
    let raise = raises::raise_of(request, signed.now);
    let registered = place.line.limit(signed.now).count;
    let me = signed.person.id;
    let first = match request.approvals.first() {
        Some(signature) => {
            Some(format!("{}, {}", name(signed, signature.by).await?, frame::stamp(signature.at)))
        }
        None => None,
    };
    let asked = name(signed, request.asked_by).await?;
    Ok(RaiseRow {
        number: request.id,
        system: system.code.as_str().to_owned(),
        line: words::place(&signed.text(), place.service, place.window),
        registered: registered.into(),
        wanted: registered.saturating_add(request.extra).into(),
        period: format!("{} – {}", frame::stamp(request.from), frame::stamp(request.to)),
        reason: request.reason.clone(),
        asked: format!("{asked}, {}", frame::stamp(request.asked_at)),
        two: !request.approvals.is_empty() || raises::needs_two(place.line, &raise, factor),
        mine: request.asked_by != me && request.approvals.iter().all(|s| s.by != me),
        first,
    })
}

/// A person's name; the number of an account that is gone.
async fn name(signed: &Signed, person: PersonId) -> dancu_store::Result<String> {
    let found = store(signed).people().person_by_id(person).await?;
    Ok(found.map_or_else(|| format!("#{}", person.0), |person| person.name))
}

/// `POST /operate/raises/{id}`
pub async fn decide(signed: Signed, Path(id): Path<i64>, form: Form) -> Response {
    let found = match store(&signed).desks().raise_request(id).await {
        Ok(found) => found,
        Err(error) => return words::unread(&signed, &error),
    };
    let snapshot = match registered(&signed).await {
        Ok(snapshot) => snapshot,
        Err(error) => return words::unread(&signed, &error),
    };
    let found = found.as_ref().and_then(|r| line_of(&snapshot, r).map(|line| (r, line)));
    let Some((request, (system, place))) = found else { return frame::missing(&signed) };
    let unit = Target::Unit(std::slice::from_ref(&system.unit));
    if let Err(reason) = signed.may(Power::GrantRaise, unit) {
        return frame::refused(&signed, reason);
    }
    let by = actor(&signed);
    let done = if form.get("act") == "grant" {
        let desk = word(&signed, &snapshot, &by, &request.reason).on(system);
        raises::approve(&desk, &place, id).await.map(|(_, decided)| decided)
    } else {
        let Ok(reason) = act::reason(form.get("reason")) else {
            let sentence = signed.text().get("raises-refuse-missing");
            return page(&signed, None, vec![frame::wrong(field(), sentence)]).await;
        };
        let desk = word(&signed, &snapshot, &by, reason).on(system);
        raises::refuse(&desk, &place, id).await.map(|_| raises::Decided::Refused)
    };
    match done {
        Ok(raises::Decided::InForce) => frame::to("/operate/raises?told=granted"),
        Ok(raises::Decided::FirstOfTwo) => frame::to("/operate/raises?told=half"),
        Ok(raises::Decided::Refused) => frame::to("/operate/raises?told=refused"),
        Err(refused) => wrong(&signed, &refused).await,
    }
}

/// Where an error of a decision leads: the list, since each request has its own form.
const fn field() -> &'static str {
    "main"
}

async fn wrong(signed: &Signed, refused: &Refused) -> Response {
    match words::refused(signed, refused) {
        Some(sentence) => page(signed, None, vec![frame::wrong(field(), sentence)]).await,
        None => words::failed(signed, refused),
    }
}
