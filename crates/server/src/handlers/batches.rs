//! Batches inside an approved plan (D5): submission as a stream, status, results, cancelling.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use dancu_domain::moment::Moment;
use dancu_domain::refusal::Reason;
use dancu_domain::service::Service;
use dancu_gate::Caller;
use dancu_gate::jobs::types::{
    JobDenied, JobId, JobKind, NewJob, PAGE_MAX, Page, ReadRow, Submitted,
};
use dancu_gate::jobs::{Ended, Intake, NotRead, Reading};
use dancu_gate::path::Protocol;
use dancu_gate::query::FieldError;
use dancu_wire::batch::{self, BatchReader, Format};
use dancu_wire::rest::batches::{BatchJob, BatchList, parse_batch, parse_page};
use dancu_wire::rest::{HttpProblem, Rendered, input_problem};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::peer::Peer;
use super::reads::{self, admitted};
use super::rest::{denied, refused_as, unreadable};
use super::uploads::{Stop, Upload};
use super::{problem, respond, text};
use crate::app::{App, Shared, loose_correlation};
use crate::places::NoPlace;

/// `POST /api/v1/batches`.
pub async fn submit(
    State(app): State<Shared>,
    peer: Peer,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let caller = match reader(&app, peer, &headers).await {
        Ok(caller) => caller,
        Err(response) => return response,
    };
    let format = text(&headers, header::CONTENT_TYPE).and_then(Format::from_content_type);
    let Some(format) = format else {
        let unreadable = unreadable(HttpProblem::UnsupportedMediaType, Service::CitizenBatchVerify);
        let reply = app.gate.refuse_unreadable(&caller, &unreadable).await;
        return refused_as(HttpProblem::UnsupportedMediaType, &reply);
    };
    let new = match parse_batch(query.as_deref().unwrap_or_default(), format) {
        Ok(new) => new,
        Err(unreadable) => {
            return respond(denied(&app.gate.refuse_unreadable(&caller, &unreadable).await));
        }
    };
    let _place = match app.uploads.take(caller.system) {
        Ok(place) => place,
        Err(NoPlace::Held) => return sending(&app, &caller, &new).await,
        Err(NoPlace::Full) => return problem(HttpProblem::Unavailable),
    };
    let mut intake = match app.gate.begin_job(&caller, new).await {
        Ok(intake) => intake,
        Err(reply) => return respond(denied(&reply)),
    };
    let reader = BatchReader::new(format, caller.arrival.viet_nam_date());
    match read(&app, &mut intake, reader, body).await {
        Ok(()) => submitted(intake.finish(app.clock.now()).await),
        Err(why) => unread(intake, app.clock.now(), why).await,
    }
}

/// Takes the rows as their bytes arrive.
async fn read(
    app: &App,
    intake: &mut Intake<'_>,
    mut reader: BatchReader,
    body: Body,
) -> Result<(), Unread> {
    let mut upload = Upload::new(body);
    let mut rows = Vec::<ReadRow>::new();
    while let Some(chunk) = upload.next().await? {
        reader.push(&chunk, &mut rows)?;
        intake.take(app.clock.now(), &mut rows).await?;
        app.jobs.yield_to_questions().await;
    }
    reader.finish(&mut rows)?;
    Ok(intake.take(app.clock.now(), &mut rows).await?)
}

/// Why a body is read no further.
enum Unread {
    /// It did not come.
    Stopped(Stop),
    /// It is not what may be sent.
    Denied(JobDenied),
}

impl From<Stop> for Unread {
    fn from(stop: Stop) -> Self {
        Self::Stopped(stop)
    }
}

impl From<JobDenied> for Unread {
    fn from(denied: JobDenied) -> Self {
        Self::Denied(denied)
    }
}

impl From<batch::FileError> for Unread {
    fn from(error: batch::FileError) -> Self {
        let errors = vec![error.field_error()];
        Self::Denied(JobDenied { refusal: Reason::InvalidInput.into(), errors })
    }
}

/// Refuses a submission whose body was not read to its end.
async fn unread(intake: Intake<'_>, at: Moment, why: Unread) -> Response {
    match why {
        Unread::Denied(JobDenied { refusal, errors }) => {
            respond(denied(&intake.refuse(at, refusal.reason, errors).await))
        }
        Unread::Stopped(stop @ Stop::TooLarge) => {
            let errors = vec![stop.field_error()];
            respond(denied(&intake.refuse(at, Reason::JobTooLarge, errors).await))
        }
        Unread::Stopped(stop) => {
            let reply = intake.refuse(at, Reason::InvalidInput, vec![stop.field_error()]).await;
            refused_as(HttpProblem::BadRequest, &reply)
        }
    }
}

/// Refuses a second file of a system while its first one comes in.
async fn sending(app: &App, caller: &Caller, new: &NewJob) -> Response {
    let message_vi =
        "Hệ thống đang gửi một tệp khác; mỗi lúc chỉ nhận một tệp của một hệ thống. · \
                      Another file of this system is coming in; one at a time."
            .to_owned();
    let errors = vec![FieldError { field: "body".into(), message_vi }];
    respond(denied(&app.gate.refuse_job(caller, new, Reason::JobsOpen, errors).await))
}

/// The answer to a submission.
pub(super) fn submitted(submitted: Submitted) -> Response {
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

/// `GET /api/v1/batches`.
pub async fn list(State(app): State<Shared>, peer: Peer, headers: HeaderMap) -> Response {
    let found = reads::own(&app, peer, &headers, |app, system| {
        let jobs = app.gate.jobs(system.id)?;
        Ok(Some(BatchList::of(&jobs).render()))
    });
    told(found.await)
}

/// `GET /api/v1/batches/{id}`.
pub async fn status(
    State(app): State<Shared>,
    peer: Peer,
    id: Named,
    headers: HeaderMap,
) -> Response {
    let found = reads::own(&app, peer, &headers, move |app, system| {
        let Some(id) = job_id(&id) else { return Ok(None) };
        let job = app.gate.job(system.id, id)?;
        Ok(job.map(|job| BatchJob::of(&job).render(200)))
    });
    told(found.await)
}

/// `DELETE /api/v1/batches/{id}`.
pub async fn cancel(
    State(app): State<Shared>,
    peer: Peer,
    id: Named,
    headers: HeaderMap,
) -> Response {
    let system = match admitted(&app, peer, &headers).await {
        Ok(system) => system.id,
        Err(response) => return response,
    };
    let Some(id) = job_id(&id) else { return problem(HttpProblem::NotFound) };
    let now = app.clock.now();
    let ended = match app.gate.delete_job(now, system, id).await {
        Ok(true) => return no_content(),
        Ok(false) => app.gate.cancel_job(now, system, id).await,
        Err(error) => Err(error),
    };
    match ended {
        Ok(Some(Ended::Told(job))) => respond(BatchJob::of(&job).render(200)),
        // It is over, and there is nothing to tell of it.
        Ok(Some(Ended::Untold)) => no_content(),
        Ok(None) => problem(HttpProblem::NotFound),
        Err(error) => reads::failed(&error),
    }
}

fn no_content() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// `GET /api/v1/batches/{id}/errors`: about the system's own file, nothing of the population.
pub async fn errors(
    State(app): State<Shared>,
    peer: Peer,
    id: Named,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let found = reads::own(&app, peer, &headers, move |app, system| {
        let Some(id) = job_id(&id) else { return Ok(None) };
        let (from, limit) = match parse_page(query.as_deref().unwrap_or_default()) {
            Ok(page) => page,
            Err(unreadable) => return Ok(Some(input_problem(&unreadable, loose_correlation()))),
        };
        let page = app.gate.job_bad_rows(system.id, id, from, limit)?;
        Ok(page.map(|page| json(batch::bad_page(&page))))
    });
    told(found.await)
}

/// `GET /api/v1/batches/{id}/results`.
pub async fn results(
    State(app): State<Shared>,
    peer: Peer,
    id: Named,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    told(results_page(&app, peer, &id, query, &headers).await)
}

async fn results_page(
    app: &Shared,
    peer: Peer,
    id: &Named,
    query: Option<String>,
    headers: &HeaderMap,
) -> Result<Rendered, Response> {
    let caller = reader(app, peer, headers).await?;
    let id = job_id(id).ok_or_else(|| problem(HttpProblem::NotFound))?;
    let (from, limit) = parse_page(query.as_deref().unwrap_or_default())
        .map_err(|unreadable| respond(input_problem(&unreadable, loose_correlation())))?;
    let rows = (from, Some(limit));
    let reading = app.gate.read_results(&caller, id, rows, "page", None).await;
    let (own, reading) = (app.clone(), reading.map_err(|why| not_read(&why))?);
    let at = caller.arrival;
    let read = move || own.gate.results(&reading, at, from, limit);
    match app.reads.long(read).await? {
        Ok(Some(page)) => Ok(json(batch::results_page(&page))),
        Ok(None) => Err(problem(HttpProblem::NotFound)),
        Err(error) => Err(reads::failed(&error)),
    }
}

/// `GET /api/v1/batches/{id}/results.csv`.
pub async fn results_csv(
    State(app): State<Shared>,
    peer: Peer,
    id: Named,
    headers: HeaderMap,
) -> Response {
    let file = file(&app, peer, &id, &headers, Format::Csv).await;
    file.unwrap_or_else(|response| response)
}

/// `GET /api/v1/batches/{id}/results.ndjson`.
pub async fn results_ndjson(
    State(app): State<Shared>,
    peer: Peer,
    id: Named,
    headers: HeaderMap,
) -> Response {
    let file = file(&app, peer, &id, &headers, Format::Ndjson).await;
    file.unwrap_or_else(|response| response)
}

async fn file(
    app: &Shared,
    peer: Peer,
    id: &Named,
    headers: &HeaderMap,
    format: Format,
) -> Result<Response, Response> {
    let caller = reader(app, peer, headers).await?;
    let id = job_id(id).ok_or_else(|| problem(HttpProblem::NotFound))?;
    let extension = if format == Format::Csv { "csv" } else { "ndjson" };
    let reading = app.gate.read_results(&caller, id, (1, None), extension, None).await;
    let reading = Arc::new(reading.map_err(|why| not_read(&why))?);
    let is_list = matches!(reading.job().kind, JobKind::List(_));
    let head = match (format, is_list) {
        (Format::Ndjson, _) => String::new(),
        (Format::Csv, false) => batch::BATCH_CSV_HEADER.to_owned(),
        (Format::Csv, true) => batch::list_csv_header(),
    };
    let app = app.clone();
    let rows = stream::try_unfold(Some(1), move |from| {
        let (app, reading) = (app.clone(), reading.clone());
        async move {
            let Some(from) = from else { return Ok(None) };
            let page = page_of_file(&app, reading, from).await?;
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
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{id}.{extension}\""))
    {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// The next rows of a file, judged by what is registered by now (E3). Where they may not be read
/// any more, or the job was deleted meanwhile, the file ends short and its caller is told so.
async fn page_of_file(
    app: &Shared,
    reading: Arc<Reading>,
    from: u32,
) -> Result<Page, std::io::Error> {
    let now = app.clock.now();
    app.gate.reload(now).await.map_err(std::io::Error::other)?;
    let own = app.clone();
    let read = move || own.gate.results(&reading, now, from, PAGE_MAX);
    let page = app.reads.page_of_file(read).await;
    let page = page.map_err(|_| std::io::Error::other("no turn came"))?;
    let page = page.map_err(std::io::Error::other)?;
    page.ok_or_else(|| std::io::Error::other("the job is gone"))
}

/// The id in a path.
type Named = Result<Path<String>, PathRejection>;

/// The job that a path names; one that is no id names none.
fn job_id(id: &Named) -> Option<JobId> {
    id.as_ref().ok().and_then(|Path(id)| id.parse().ok())
}

/// Whoever asks, if it may ask now.
pub(super) async fn reader(app: &App, peer: Peer, headers: &HeaderMap) -> Result<Caller, Response> {
    let arrival = app.clock.now();
    let system = admitted(app, peer, headers).await?;
    Ok(Caller::by_api(&system, Protocol::Rest, peer.ip(), arrival))
}

fn json(body: String) -> Rendered {
    Rendered {
        status: 200,
        content_type: dancu_wire::rest::JSON,
        body,
        retry_after: None,
        www_authenticate: None,
    }
}

fn told(found: Result<Rendered, Response>) -> Response {
    found.map_or_else(|response| response, respond)
}

fn not_read(why: &NotRead) -> Response {
    match why {
        NotRead::NoSuchJob => problem(HttpProblem::NotFound),
        NotRead::Refused(reply) => respond(denied(reply)),
        NotRead::Failed(error) => reads::failed(error),
    }
}
