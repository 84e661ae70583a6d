//! Asking the process that serves a folder.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::{SOCKET, address};

/// An act waits for the journal, and a change of the master key for a device: a minute is far more
/// than either takes.
const PATIENCE: Duration = Duration::from_mins(1);
/// Largest answer: the keys of a century are 300 KB.
const ANSWER_MAX: u64 = 4 << 20;

/// What the serving process said.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON; null where there is none.
    pub body: Value,
}

impl Answer {
    /// The body of an answer that says yes.
    ///
    /// # Errors
    /// The text of one that says no.
    pub fn into_body(self) -> anyhow::Result<Value> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        match self.body["error"].as_str() {
            Some(text) => bail!("{text}"),
            None => bail!("tiến trình đang phục vụ trả lời {} (it answered so)", self.status),
        }
    }
}

/// Asks the process that serves a data folder; `None` = nobody serves it. Waits for the answer.
///
/// # Errors
/// The process could not be asked, or was cut off while it answered: what was asked for may have
/// been done.
pub fn call(
    dir: &Path,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> anyhow::Result<Option<Answer>> {
    if !dir.join(SOCKET).exists() {
        return Ok(None);
    }
    // Nobody else's socket is asked.
    crate::keys::folder::is_ours(dir)?;
    let (_open, address) = address(dir, SOCKET)?;
    let mut stream = match UnixStream::connect(address) {
        Ok(stream) => stream,
        // Left by a process that was killed.
        Err(e) if matches!(e.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound) => {
            return Ok(None);
        }
        Err(error) => {
            let socket = dir.join(SOCKET);
            return Err(error).with_context(|| {
                format!("không kết nối được {} (control socket)", socket.display())
            });
        }
    };
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let body = body.map_or_else(String::new, Value::to_string);
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: dancu\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )?;
    let mut answer = vec![];
    stream.take(ANSWER_MAX).read_to_end(&mut answer).context(
        "tiến trình đang phục vụ không trả lời kịp; việc có thể đã được làm, hãy xem trước khi \
             làm lại (no answer in time; it may have been done: look before doing it again)",
    )?;
    parse(&answer).map(Some)
}

/// An answer with its whole body behind its head, as the socket's handlers give it.
pub(super) fn parse(answer: &[u8]) -> anyhow::Result<Answer> {
    let cut = "trả lời bị cắt ngang; việc có thể đã được làm, hãy xem trước khi làm lại (the \
               answer was cut off; it may have been done: look before doing it again)";
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").context(cut)?;
    let (head, body) = (std::str::from_utf8(&answer[..end]).context(cut)?, &answer[end + 4..]);
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).context(cut)?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    if length.is_some_and(|length| length != body.len()) {
        bail!(cut);
    }
    let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(body)? };
    Ok(Answer { status, body })
}
