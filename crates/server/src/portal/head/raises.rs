//! Requests for a temporary raise (D8).

use axum::extract::Query;
use axum::http::StatusCode;
use dancu_domain::ids::LineId;
use dancu_domain::moment::Moment;
use dancu_domain::people::powers::Power;
use dancu_domain::service::Window;
use dancu_office::act::places;
use dancu_office::locks::Today;
use dancu_office::raise_requests::{self, Wanted};
use dancu_portal::head::{RaiseForm, RaiseRow, Raises};
use dancu_portal::parts::{FieldError, LineUse, State, states};
use dancu_store::desks::{RaiseRequest, RequestState};

use super::{Unit, allowed, answered, as_errors};
use crate::portal::form::{self, Form};
use crate::portal::frame::Told;
use crate::portal::once::Sent;
use crate::portal::signed::Signed;
use crate::portal::{frame, line_use, words};
use crate::stop::Handled;

/// `GET /unit/raises`.
pub(super) async fn list(signed: Signed, Query(told): Query<Told>) -> Handled {
    let unit = allowed(&signed, Power::RequestRaise).await?;
    let all = match raise_requests::list(&unit.desk()).await {
        Ok(all) => all,
        Err(refused) => return Ok(answered(&signed, &refused)),
    };
    Ok(frame::page(&Raises {
        t: signed.text(),
        s: signed.shell(),
        rows: all.iter().map(|request| row(&signed, &unit, request)).collect(),
        told: told
            .key(&[("asked", "raiselist-told-asked"), ("withdrawn", "raiselist-told-withdrawn")]),
    }))
}

fn row(signed: &Signed, unit: &Unit, request: &RaiseRequest) -> RaiseRow {
    let t = signed.text();
    let system = unit.snapshot.by_id(request.system);
    let place = system.and_then(|s| places(s).find(|place| place.line.id == request.line));
    // The last day is the one on which it ends at 07:00, without that morning.
    let last = request.to.plus_ms(-1);
    let last = frame::date(unit.store.profiles().at(signed.now).hours.duty(last).day.date());
    RaiseRow {
        id: request.id.to_string(),
        system: system.map(|s| s.code.as_str().to_owned()).unwrap_or_default(),
        service: place.as_ref().map(|p| words::service(&t, p.service)).unwrap_or_default(),
        window_key: words::window_key(place.map_or(Window::InHours, |place| place.window)),
        extra: request.extra.into(),
        period: format!("{} – {last}", frame::day(request.from)),
        reason: request.reason.clone(),
        asked: frame::stamp(request.asked_at),
        state: state(request, signed.now),
        answer: request.answer.clone(),
        open: raise_requests::is_open(request, signed.now),
    }
}

fn state(request: &RaiseRequest, now: Moment) -> State {
    match request.state {
        RequestState::Waiting if raise_requests::is_open(request, now) => states::WAITING,
        RequestState::Waiting => states::OVER,
        RequestState::Granted => states::GRANTED,
        RequestState::Refused => states::REFUSED,
        RequestState::Withdrawn => states::WITHDRAWN,
    }
}

/// What was typed.
#[derive(Default)]
struct Typed {
    lines: Vec<String>,
    from: String,
    to: String,
    wanted: String,
    reason: String,
}

/// `GET /unit/raises/new`.
pub(super) async fn form(signed: Signed) -> Handled {
    let unit = allowed(&signed, Power::RequestRaise).await?;
    let today = frame::date(signed.today());
    let typed = Typed { from: today, ..Typed::default() };
    Ok(frame::page(&form_page(&signed, &unit, &typed, vec![])))
}

/// `POST /unit/raises`.
pub(super) async fn ask(signed: Signed, form: Form) -> Handled {
    let unit = allowed(&signed, Power::RequestRaise).await?;
    let typed = Typed {
        lines: form.all("line").into_iter().map(str::to_owned).collect(),
        from: form.get("from").to_owned(),
        to: form.get("to").to_owned(),
        wanted: form.get("wanted").to_owned(),
        reason: form.raw("reason").to_owned(),
    };
    let wrong = |errors| {
        let page = form_page(&signed, &unit, &typed, errors);
        frame::page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
    };
    let wanted = match read(&signed, &unit, &typed) {
        Ok(wanted) => wanted,
        Err(errors) => return Ok(wrong(errors)),
    };
    let asking = unit.clone();
    let act = async move { raise_requests::ask(&asking.desk(), wanted).await };
    Ok(match form.carry_out(&signed, act).await? {
        Sent::First(Err(refused)) => wrong(as_errors(&signed, &refused, "lines")?),
        _ => frame::to("/unit/raises?told=asked"),
    })
}

/// `POST /unit/raises/withdraw`.
pub(super) async fn withdraw(signed: Signed, form: Form) -> Handled {
    let unit = allowed(&signed, Power::RequestRaise).await?;
    let Ok(id) = form.get("request").parse() else { return Ok(frame::missing(&signed)) };
    Ok(match raise_requests::withdraw(&unit.desk(), id).await {
        Ok(_) => frame::to("/unit/raises?told=withdrawn"),
        Err(refused) => answered(&signed, &refused),
    })
}

fn read(signed: &Signed, unit: &Unit, typed: &Typed) -> Result<Wanted, Vec<FieldError>> {
    let t = signed.text();
    let mut errors = vec![];
    let mut wrong = |field, key: &str| errors.push(frame::wrong(field, t.get(key)));
    let lines: Vec<LineId> =
        typed.lines.iter().filter_map(|text| text.parse().ok()).map(LineId).collect();
    let systems = unit.systems();
    let owner =
        |line: LineId| systems.iter().find(|s| places(s).any(|p| p.line.id == line)).map(|s| s.id);
    let first = lines.first().and_then(|line| owner(*line));
    if lines.iter().any(|line| owner(*line) != first) {
        wrong("lines", "raise-one-system");
    } else if first.is_none() {
        wrong("lines", "raise-lines-missing");
    }
    let (from, to) = (frame::parse_day(&typed.from), frame::parse_day(&typed.to));
    if from.is_none() {
        wrong("from", "raise-date-wrong");
    }
    if to.is_none() {
        wrong("to", "raise-date-wrong");
    }
    let digits = typed.wanted.replace(['.', ' '], "");
    let count = digits.parse::<u32>().ok().filter(|n| *n > 0);
    if count.is_none() {
        wrong("wanted", "raise-wanted-wrong");
    }
    match (first, from, to, count) {
        (Some(system), Some(from), Some(to), Some(count)) if errors.is_empty() => {
            let reason = typed.reason.clone();
            Ok(Wanted { system, lines, count, from, to, reason })
        }
        _ => Err(errors),
    }
}

fn form_page(signed: &Signed, unit: &Unit, typed: &Typed, errors: Vec<FieldError>) -> RaiseForm {
    let t = signed.text();
    let mut lines: Vec<(String, bool, LineUse)> = vec![];
    let today = Today::of(&unit.store, signed.now);
    for system in unit.systems() {
        unit.store.ledger().lines(|counts| {
            for place in places(&system) {
                let id = place.line.id.0.to_string();
                let chosen = typed.lines.contains(&id);
                lines.push((id, chosen, line_use::today(&t, &system, &place, counts, today)));
            }
        });
    }
    RaiseForm {
        errors,
        lines,
        from: typed.from.clone(),
        to: typed.to.clone(),
        wanted: typed.wanted.clone(),
        reason: typed.reason.clone(),
        once: form::once(),
        s: signed.shell(),
        t,
    }
}
