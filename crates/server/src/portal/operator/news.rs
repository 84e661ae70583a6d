//! Announcements and maintenance windows (J2).

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use dancu_domain::moment::Moment;
use dancu_domain::people::may::Target;
use dancu_domain::people::powers::Power;
use dancu_office::Refused;
use dancu_office::news::{self, Draft, Stage};
use dancu_portal::operator::{Announcement, Announcements, Said, states as desk};
use dancu_portal::parts::{Choice, FieldError, State, states};
use dancu_portal::text::Text;
use dancu_store::desks::{self, News};

use super::{actor, store};
use crate::portal::form::{self, Form};
use crate::portal::frame::Told;
use crate::portal::once::Sent;
use crate::portal::signed::Signed;
use crate::portal::{frame, words};

/// Ended ones that are looked through for those of the last day.
const PAST_LOOKED: u32 = 50;
/// Kinds with their words in forms.
const KINDS: [(News, &str); 3] = [
    (News::Notice, "kind-notice"),
    (News::Maintenance, "kind-maintenance"),
    (News::Incident, "kind-incident"),
];

/// `GET /operate/announcements`
pub async fn list(signed: Signed, Query(told): Query<Told>) -> Response {
    if let Err(reason) = signed.may(Power::Announce, Target::Centre) {
        return frame::refused(&signed, reason);
    }
    let key = told.key(&[("published", "news-done"), ("ended", "news-ended")]);
    let said = key.map(|key| Said::done(signed.text().get(key)));
    page(&signed, said, vec![], &Form::default()).await
}

async fn page(
    signed: &Signed,
    said: Option<Said>,
    errors: Vec<FieldError>,
    typed: &Form,
) -> Response {
    let all = match shown(store(signed), signed.now).await {
        Ok(all) => all,
        Err(error) => return words::unread(signed, &error),
    };
    let t = signed.text();
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let chosen = typed.get("kind");
    let choice = |(kind, key): (News, &str)| Choice {
        value: kind.code().to_owned(),
        label: t.get(key),
        chosen: kind.code() == chosen,
    };
    let body = Announcements {
        said,
        errors,
        rows: all.iter().map(|news| row(&t, news, signed.now, true)).collect(),
        kinds: KINDS.into_iter().map(choice).collect(),
        once: form::once(),
        typed: ["heading", "text", "from", "to"].map(|field| typed.get(field).to_owned()),
        s: signed.shell(),
        t,
    };
    frame::page_with(status, &body)
}

/// What is shown now: running, planned, and what ended within a day.
///
/// # Errors
/// Of the store.
pub async fn shown(
    store: &dancu_store::Store,
    now: Moment,
) -> dancu_store::Result<Vec<desks::Announcement>> {
    let mut all = store.desks().announcements(now).await?;
    all.extend(store.desks().past_announcements(now, PAST_LOOKED).await?);
    Ok(news::shown(all, now))
}

/// One announcement as pages show it; `ours`: with the form that ends it.
pub fn row(t: &Text, news: &desks::Announcement, now: Moment, ours: bool) -> Announcement {
    let stage = news::stage(news, now);
    let from = frame::stamp(news.from);
    let period = match (news.ended_at, news.to) {
        (Some(ended), _) => t.with("news-over", "to", frame::stamp(ended)),
        (None, Some(to)) => format!("{from} – {}", frame::stamp(to)),
        (None, None) => t.with("news-open", "from", from),
    };
    Announcement {
        heading: news.title.clone(),
        lines: news.text.lines().filter(|l| !l.trim().is_empty()).map(str::to_owned).collect(),
        period,
        state: state(news.kind, stage),
        end: (ours && stage != Stage::Over)
            .then(|| format!("/operate/announcements/{}/end", news.id)),
    }
}

const fn state(kind: News, stage: Stage) -> State {
    match (stage, kind) {
        (Stage::Over, _) => states::OVER,
        (Stage::Planned, _) => desk::PLANNED,
        (Stage::Running, News::Notice) => desk::RUNNING,
        (Stage::Running, News::Maintenance) => desk::MAINTAINED,
        (Stage::Running, News::Incident) => desk::INCIDENT,
    }
}

/// `POST /operate/announcements`
pub async fn publish(signed: Signed, form: Form) -> Response {
    if let Err(reason) = signed.may(Power::Announce, Target::Centre) {
        return frame::refused(&signed, reason);
    }
    let (draft, mut errors) = draft(&signed, &form);
    for refused in news::wrong(&draft, signed.now) {
        if let Refused::Field { field, .. } = &refused
            && errors.iter().all(|known| known.field != *field)
            && let Some(sentence) = words::refused(&signed, &refused)
        {
            errors.push(frame::wrong(field, sentence));
        }
    }
    if !errors.is_empty() {
        return page(&signed, None, errors, &form).await;
    }
    let (open, now, by) = (store(&signed).clone(), signed.now, actor(&signed));
    let act = async move { news::publish((&open, now), &by, &draft).await };
    match form.carry_out(&signed, act).await {
        Ok(Sent::First(Err(refused))) => wrong(&signed, &refused, &form).await,
        Ok(_) => {
            signed.portal().status.forget();
            frame::to("/operate/announcements?told=published")
        }
        Err(stop) => stop.into_response(),
    }
}

async fn wrong(signed: &Signed, refused: &Refused, form: &Form) -> Response {
    match words::refused(signed, refused) {
        Some(sentence) => page(signed, None, vec![frame::wrong("heading", sentence)], form).await,
        None => words::failed(signed, refused),
    }
}

/// What was typed, and the moments in it that cannot be read.
fn draft(signed: &Signed, form: &Form) -> (Draft, Vec<FieldError>) {
    let mut errors = vec![];
    let mut moment = |field: &'static str| {
        let text = form.get(field);
        let read = frame::parse_stamp(text);
        if read.is_none() && !text.is_empty() {
            errors.push(frame::wrong(field, signed.text().get("news-moment-wrong")));
        }
        read
    };
    let (from, to) = (moment("from"), moment("to"));
    let chosen = form.get("kind");
    let kind = News::ALL.into_iter().find(|kind| kind.code() == chosen);
    let draft = Draft {
        kind: kind.unwrap_or(News::Notice),
        title: form.get("heading").to_owned(),
        text: form.get("text").replace("\r\n", "\n").replace('\r', "\n"),
        from,
        to,
    };
    (draft, errors)
}

/// `POST /operate/announcements/{id}/end`
pub async fn end(signed: Signed, Path(id): Path<i64>) -> Response {
    if let Err(reason) = signed.may(Power::Announce, Target::Centre) {
        return frame::refused(&signed, reason);
    }
    match news::end((store(&signed), signed.now), &actor(&signed), id).await {
        Ok(_) => {
            signed.portal().status.forget();
            frame::to("/operate/announcements?told=ended")
        }
        Err(refused) => wrong(&signed, &refused, &Form::default()).await,
    }
}
