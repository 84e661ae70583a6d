//! Batches inside an approved plan (D5): submission as a stream, status, results, cancelling.

use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use dancu_domain::ids::SystemId;
use dancu_domain::refusal::Reason;
use dancu_domain::registration::{Channel, ConnectionState, System};
use dancu_gate::Caller;
use dancu_gate::jobs::Intake;
use dancu_gate::jobs::types::{BODY_BYTES_MAX, JobId, JobKind, PAGE_MAX, ReadRow, Submitted};
use dancu_gate::path::Protocol;
use dancu_gate::query::{Denied, FieldError, Unreadable};
use dancu_wire::batch::{self, BatchReader, Format};
use dancu_wire::rest::batches::{BatchJob, BatchList, parse_batch, parse_page};
use dancu_wire::rest::{HttpProblem, Rendered, denied_as, input_problem};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::peer::Peer;
use super::rest::{authenticated, denied};
use super::{problem, respond, text};
use crate::app::{App, Shared, loose_correlation};

/// A body may pause this long: an upload over a poor line goes on after it, a dead one is let go.
const BODY_PAUSE: Duration = Duration::from_secs(30);

/// `POST /api/v1/batches`.
pub async fn submit(
    State(app): State<Shared>,
    peer: Peer,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let arrival = app.clock.now();
    let system = match authenticated(&app, peer, &headers, arrival).await {
        Ok(system) => system,
        Err(response) => return response,
    };
    if let Err(response) = app.reads.admit(system.id, arrival) {
        return response;
    }
    let caller = Caller {
        system: system.id,
        protocol: Protocol::Rest,
        channel: Channel::Api,
        source: peer.ip(),
        arrival,
        credential_version: system.credential_version,
        header: None,
    };
    let format = text(&headers, header::CONTENT_TYPE).and_then(Format::from_content_type);
    let Some(format) = format else {
        let unreadable = unreadable(HttpProblem::UnsupportedMediaType);
        let reply = app.gate.refuse_unreadable(&caller, &unreadable).await;
        return refused_as(HttpProblem::UnsupportedMediaType, &reply);
    };
    let new = match parse_batch(query.as_deref().unwrap_or_default(), format) {
        Ok(new) => new,
        Err(unreadable) => {
            return respond(denied(&app.gate.refuse_unreadable(&caller, &unreadable).await));
        }
    };
    let Some(_place) = app.jobs.upload() else { return problem(HttpProblem::Unavailable) };
    let mut intake = match app.gate.begin_job(&caller, new).await {
        Ok(intake) => intake,
        Err(reply) => return respond(denied(&reply)),
    };
    let reader = BatchReader::new(format, arrival.viet_nam_date());
    let now = match read(&app, &mut intake, reader, body).await {
        Ok(()) => return submitted(intake.finish(app.clock.now()).await),
        Err(stop) => (stop, app.clock.now()),
    };
    match now {
        (Stop::Broken, at) => {
            let [_, title_vi, _] = HttpProblem::BadRequest.texts();
            let errors = vec![FieldError { field: "body".into(), message_vi: title_vi.into() }];
            let reply = intake.refuse(at, Reason::InvalidInput, errors).await;
            refused_as(HttpProblem::BadRequest, &reply)
        }
        (Stop::Refused(reason, errors), at) => {
            respond(denied(&intake.refuse(at, reason, errors).await))
        }
    }
}

/// Why a body is read no further.
enum Stop {
    /// It broke off or stood still.
    Broken,
    /// It is not what may be sent.
    Refused(Reason, Vec<FieldError>),
}

/// Takes the rows as their bytes arrive; the whole body is never in memory.
async fn read(
    app: &App,
    intake: &mut Intake<'_>,
    mut reader: BatchReader,
    body: Body,
) -> Result<(), Stop> {
    let file =
        |error: batch::FileError| Stop::Refused(Reason::InvalidInput, vec![error.field_error()]);
    let mut chunks = body.into_data_stream();
    let (mut rows, mut bytes) = (Vec::<ReadRow>::new(), 0u64);
    loop {
        let next = tokio::time::timeout(BODY_PAUSE, chunks.next()).await;
        let chunk = match next {
            Ok(Some(Ok(chunk))) => chunk,
            Ok(None) => break,
            _ => return Err(Stop::Broken),
        };
        bytes += chunk.len() as u64;
        if bytes > BODY_BYTES_MAX {
            return Err(Stop::Refused(Reason::JobTooLarge, vec![]));
        }
        reader.push(&chunk, &mut rows).map_err(file)?;
        take(app, intake, &mut rows).await?;
        app.jobs.yield_to_questions().await;
    }
    reader.finish(&mut rows).map_err(file)?;
    take(app, intake, &mut rows).await
}

async fn take(app: &App, intake: &mut Intake<'_>, rows: &mut Vec<ReadRow>) -> Result<(), Stop> {
    let taken = intake.take(app.clock.now(), rows).await;
    taken.map_err(|reason| Stop::Refused(reason, vec![]))
}

fn submitted(submitted: Submitted) -> Response {
    let (job, status) = match submitted {
        Submitted::New(job) => (job, 202),
        Submitted::Same(job) => (job, 200),
        Submitted::Refused(reply) => return respond(denied(&reply)),
    };
    let view = BatchJob::of(&job);
    let mut response = respond(view.render(status));
    if let Ok(url) = HeaderValue::from_str(&view.status_url) {
        response.headers_mut().insert(header::LOCATION, url);
    }
    response
}

fn unreadable(kind: HttpProblem) -> Unreadable {
    let [_, title_vi, _] = kind.texts();
    Unreadable {
        errors: vec![FieldError { field: "body".into(), message_vi: title_vi.into() }],
        service: Some(JobKind::BatchVerify.service()),
        ..Unreadable::default()
    }
}

/// A journaled refusal under the status of HTTP's own.
fn refused_as(kind: HttpProblem, reply: &dancu_gate::query::Reply) -> Response {
    respond(match &reply.result {
        Err(why) if reply.journal_index.is_some() => {
            denied_as(kind.status(), why, reply.correlation, reply.usage, reply.journal_index)
        }
        _ => denied(reply),
    })
}

/// `GET /api/v1/batches`.
pub async fn list(State(app): State<Shared>, peer: Peer, headers: HeaderMap) -> Response {
    let system = match admitted(&app, peer, &headers).await {
        Ok(system) => system.id,
        Err(response) => return response,
    };
    let reader = app.clone();
    match app.reads.long(move || reader.gate.jobs(system)).await {
        Ok(Ok(jobs)) => respond(BatchList::of(&jobs).render()),
        Ok(Err(error)) => failed(&error),
        Err(response) => response,
    }
}

/// `GET /api/v1/batches/{id}`.
pub async fn status(
    State(app): State<Shared>,
    peer: Peer,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let (system, id) = match named(&app, peer, &headers, id).await {
        Ok(named) => named,
        Err(response) => return response,
    };
    let reader = app.clone();
    match app.reads.long(move || reader.gate.job(system, id)).await {
        Ok(Ok(Some(job))) => respond(BatchJob::of(&job).render(200)),
        Ok(Ok(None)) => problem(HttpProblem::NotFound),
        Ok(Err(error)) => failed(&error),
        Err(response) => response,
    }
}

/// `DELETE /api/v1/batches/{id}`.
pub async fn cancel(
    State(app): State<Shared>,
    peer: Peer,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let (system, id) = match named(&app, peer, &headers, id).await {
        Ok(named) => named,
        Err(response) => return response,
    };
    let now = app.clock.now();
    let ended = match app.gate.delete_job(now, system, id).await {
        Ok(true) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            return response;
        }
        Ok(false) => app.gate.cancel_job(now, system, id).await,
        Err(error) => Err(error),
    };
    match ended {
        Ok(Some(job)) => respond(BatchJob::of(&job).render(200)),
        Ok(None) => problem(HttpProblem::NotFound),
        Err(error) => failed(&error),
    }
}

/// `GET /api/v1/batches/{id}/results`.
pub async fn results(
    State(app): State<Shared>,
    peer: Peer,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    page(&app, peer, id, query, &headers, |app, system, id, from, limit| {
        let page = app.gate.job_results(system, id, from, limit)?;
        Ok(page.map(|page| batch::results_page(&page)))
    })
    .await
}

/// `GET /api/v1/batches/{id}/errors`.
pub async fn errors(
    State(app): State<Shared>,
    peer: Peer,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    page(&app, peer, id, query, &headers, |app, system, id, from, limit| {
        let page = app.gate.job_bad_rows(system, id, from, limit)?;
        Ok(page.map(|page| batch::bad_page(&page)))
    })
    .await
}

async fn page(
    app: &Shared,
    peer: Peer,
    id: Result<Path<String>, PathRejection>,
    query: Option<String>,
    headers: &HeaderMap,
    read: fn(&App, SystemId, JobId, u32, u32) -> dancu_store::Result<Option<String>>,
) -> Response {
    let (system, id) = match named_live(app, peer, headers, id).await {
        Ok(named) => named,
        Err(response) => return response,
    };
    let (from, limit) = match parse_page(query.as_deref().unwrap_or_default()) {
        Ok(page) => page,
        Err(unreadable) => return respond(input_problem(&unreadable, loose_correlation())),
    };
    let reader = app.clone();
    match app.reads.long(move || read(&reader, system, id, from, limit)).await {
        Ok(Ok(Some(body))) => respond(Rendered {
            status: 200,
            content_type: dancu_wire::rest::JSON,
            body,
            retry_after: None,
            www_authenticate: None,
        }),
        Ok(Ok(None)) => problem(HttpProblem::NotFound),
        Ok(Err(error)) => failed(&error),
        Err(response) => response,
    }
}

/// `GET /api/v1/batches/{id}/results.csv`.
pub async fn results_csv(
    State(app): State<Shared>,
    peer: Peer,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    file(&app, peer, id, &headers, Format::Csv).await
}

/// `GET /api/v1/batches/{id}/results.ndjson`.
pub async fn results_ndjson(
    State(app): State<Shared>,
    peer: Peer,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    file(&app, peer, id, &headers, Format::Ndjson).await
}

async fn file(
    app: &Shared,
    peer: Peer,
    id: Result<Path<String>, PathRejection>,
    headers: &HeaderMap,
    format: Format,
) -> Response {
    let (system, id) = match named_live(app, peer, headers, id).await {
        Ok(named) => named,
        Err(response) => return response,
    };
    let reader = app.clone();
    let is_list = match app.reads.long(move || reader.gate.job(system, id)).await {
        Ok(Ok(Some(job))) => matches!(job.kind, JobKind::List(_)),
        Ok(Ok(None)) => return problem(HttpProblem::NotFound),
        Ok(Err(error)) => return failed(&error),
        Err(response) => return response,
    };
    let head = match (format, is_list) {
        (Format::Ndjson, _) => String::new(),
        (Format::Csv, false) => batch::BATCH_CSV_HEADER.to_owned(),
        (Format::Csv, true) => batch::list_csv_header(),
    };
    let (name, extension) = (id, if format == Format::Csv { "csv" } else { "ndjson" });
    let app = app.clone();
    let rows = stream::try_unfold(Some(1), move |from| {
        let app = app.clone();
        async move {
            let Some(from) = from else { return Ok(None) };
            let read = tokio::task::spawn_blocking(move || {
                app.gate.job_results(system, id, from, PAGE_MAX)
            });
            let page = read.await.map_err(std::io::Error::other)?.map_err(std::io::Error::other)?;
            // Deleted while it was read: the file ends short, and its caller is told so.
            let page = page.ok_or_else(|| std::io::Error::other("the job is gone"))?;
            let mut out = String::with_capacity(page.results.len() * 128);
            for item in &page.results {
                match format {
                    Format::Csv => batch::result_csv(&mut out, item, is_list),
                    Format::Ndjson => batch::result_ndjson(&mut out, item),
                }
            }
            Ok::<_, std::io::Error>(Some((Bytes::from(out), page.next)))
        }
    });
    let head = stream::once(async move { Ok(Bytes::from(head)) });
    let rows = head.chain(rows).try_filter(|part| std::future::ready(!part.is_empty()));
    let mut response = Response::new(Body::from_stream(rows));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(value) =
        HeaderValue::from_str(&format!("attachment; filename=\"{name}.{extension}\""))
    {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

/// The system and the job that it names; a path that is no id names none.
async fn named(
    app: &App,
    peer: Peer,
    headers: &HeaderMap,
    id: Result<Path<String>, PathRejection>,
) -> Result<(SystemId, JobId), Response> {
    let system = admitted(app, peer, headers).await?;
    let id = id.ok().and_then(|Path(id)| id.parse().ok());
    id.map(|id| (system.id, id)).ok_or_else(|| problem(HttpProblem::NotFound))
}

/// The same for results: they are personal data, so the connection must be live (B3).
async fn named_live(
    app: &App,
    peer: Peer,
    headers: &HeaderMap,
    id: Result<Path<String>, PathRejection>,
) -> Result<(SystemId, JobId), Response> {
    let named = named(app, peer, headers, id).await?;
    let snapshot = app.gate.snapshot();
    let state = snapshot.by_id(named.0).map(|s| s.state);
    if state == Some(ConnectionState::Live) {
        return Ok(named);
    }
    let why = Denied::from(Reason::ConnectionNotLive);
    Err(respond(dancu_wire::rest::denied(&why, loose_correlation(), None, None)))
}

/// The system that asks about its jobs, if it may now.
async fn admitted(
    app: &App,
    peer: Peer,
    headers: &HeaderMap,
) -> Result<std::sync::Arc<System>, Response> {
    let now = app.clock.now();
    let system = authenticated(app, peer, headers, now).await?;
    app.reads.admit(system.id, now)?;
    Ok(system)
}

fn failed(error: &dancu_store::Error) -> Response {
    tracing::error!(error = %error, "a job could not be read");
    problem(HttpProblem::Unavailable)
}
