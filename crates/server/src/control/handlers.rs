//! What the socket answers. Everything is done by the functions that the commands use themselves.

use axum::body::Bytes;
use axum::extract::{ConnectInfo, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Caller;
use crate::app::Shared;
use crate::stop::{Handled, Stop};
use crate::{cli, keys, mail, operate};

/// `GET /keys`: every key and the rotation under way.
pub async fn keys(State(app): State<Shared>) -> Response {
    answer(run(app, |app| keys::status(app.gate.store())).await)
}

/// `POST /keys/rotate`.
pub async fn rotate(State(app): State<Shared>, body: Bytes) -> Handled {
    let asked: keys::Asked = read(&body)?;
    let runtime = tokio::runtime::Handle::current();
    let done = run(app, move |app| {
        let now = app.clock.now();
        runtime.block_on(keys::rotate(app.gate.store(), now, &asked))
    });
    Ok(answer(done.await))
}

/// `POST /operate`: an act of the operator, in force for the next query.
pub async fn operate(
    State(app): State<Shared>,
    ConnectInfo(Caller(caller)): ConnectInfo<Caller>,
    body: Bytes,
) -> Handled {
    let Some((uid, pid)) = caller else {
        return Ok(answer(Err(anyhow::anyhow!("không biết ai gọi (the kernel names no caller)"))));
    };
    let command: operate::Command = read(&body)?;
    let runtime = tokio::runtime::Handle::current();
    let done = run(app, move |app| {
        let now = app.clock.now();
        let account = operate::user::of(uid, pid);
        let act = operate::carry_out((app.gate.store(), now), &command, &account);
        let done = runtime.block_on(act)?;
        Ok(serde_json::to_value(done)?)
    });
    Ok(answer(done.await))
}

/// `POST /mail/bounce`: a mail came back.
pub async fn bounce(State(app): State<Shared>, body: Bytes) -> Handled {
    let came: mail::command::Came = read(&body)?;
    Ok(answer(mail::command::take((app.gate.store(), app.clock.now()), &came).await))
}

/// Runs what may wait for a disk, a database or a device, in a thread of its own.
async fn run(
    app: Shared,
    work: impl FnOnce(&Shared) -> anyhow::Result<Value> + Send + 'static,
) -> anyhow::Result<Value> {
    tokio::task::spawn_blocking(move || work(&app)).await?
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Stop> {
    serde_json::from_slice(body).map_err(|error| {
        let text = format!("thân yêu cầu không hợp lệ (invalid body): {error}");
        Stop::from(say(StatusCode::BAD_REQUEST, &json!({ "error": text })))
    })
}

fn answer(done: anyhow::Result<Value>) -> Response {
    match done {
        Ok(body) => say(StatusCode::OK, &body),
        Err(error) => say(StatusCode::CONFLICT, &json!({ "error": cli::told(&error) })),
    }
}

fn say(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
