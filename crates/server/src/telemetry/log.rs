//! Structured logs on stderr: text for people, JSON for machines. No personal data: events carry
//! durations, counts, causes and indexes, never what was asked or answered.
//!
//! **Invariant:** logging never fails a caller. A line that cannot be written, as on a full disk
//! under a redirected stderr, is lost; the thread that logged it goes on.

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::config::{Log, LogFormat};

/// Short variable for the level; it stands above the configuration.
const VARIABLE: &str = "DANCU_LOG";

/// The filter of a level's text.
pub fn filter(level: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::builder().parse(level)
}

/// Starts logging. A broken `DANCU_LOG` is told and the configured level holds.
pub fn start(log: &Log) -> anyhow::Result<()> {
    let short = std::env::var(VARIABLE).ok().filter(|text| !text.is_empty());
    let chosen = short.as_deref().map_or_else(|| filter(&log.level), filter);
    let broken = chosen.is_err();
    let filter = chosen.or_else(|_| filter(&log.level))?;
    // Errors of its own would be told by `eprintln!`, which panics where stderr fails.
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .log_internal_errors(false)
        .with_writer(|| Unfailing(io::stderr()));
    match log.format {
        LogFormat::Text => logs.with_ansi(false).init(),
        LogFormat::Json => logs.json().flatten_event(true).with_ansi(false).init(),
    }
    if broken {
        tracing::warn!(variable = VARIABLE, "log.level of the environment cannot be read");
    }
    std::panic::set_hook(Box::new(panicked));
    Ok(())
}

/// Writes what can be written and loses the rest.
struct Unfailing<W>(W);

impl<W: Write> Write for Unfailing<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let _ = self.0.write_all(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = self.0.flush();
        Ok(())
    }
}

/// A panic as one event. Its text is left out where it was formatted: it may hold a value of the
/// query it happened in; what is written in the source holds none.
fn panicked(panic: &std::panic::PanicHookInfo<'_>) {
    let text = panic.payload().downcast_ref::<&'static str>().unwrap_or(&"(withheld)");
    let (file, line) = panic.location().map_or(("", 0), |l| (l.file(), l.line()));
    tracing::error!(panic.file = file, panic.line = line, panic.text = text, "panicked");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_cannot_be_written_fails_nobody() {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let mut log = Unfailing(full);
        assert!(log.0.write_all(b"line\n").is_err(), "the device is full");
        writeln!(log, "line").unwrap();
        log.flush().unwrap();
    }
}
