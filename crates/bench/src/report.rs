//! Figures as they are printed and written: Markdown for people, JSON for machines.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use serde::Serialize;

use crate::histogram::Histogram;
use crate::load::LoadReport;

/// Figures of one handler under one load. Times in milliseconds, CPU in microseconds.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Answers.
    pub requests: u64,
    /// Answers per second.
    pub per_second: f64,
    /// Half of the answers took at most this.
    pub p50_ms: f64,
    /// 90 %.
    pub p90_ms: f64,
    /// 99 %.
    pub p99_ms: f64,
    /// 99.9 %.
    pub p999_ms: f64,
    /// The slowest answer.
    pub max_ms: f64,
    /// CPU of the server's process per answer.
    pub cpu_micros: f64,
    /// CPU of the load generator per answer.
    pub client_cpu_micros: f64,
    /// Answers per HTTP status.
    pub statuses: BTreeMap<u16, u64>,
    /// Answers of status 200 with another content than expected.
    pub wrong: u64,
    /// Connections that broke.
    pub errors: u64,
    /// Requests without an answer.
    pub unanswered: u64,
    /// The load ended early for want of fresh SOAP stamps.
    pub exhausted: bool,
}

impl Row {
    /// The figures of a load.
    pub fn of(report: &LoadReport) -> Self {
        let at = |share| millis(report.latency.quantile(share));
        Self {
            requests: report.requests,
            per_second: report.rate(),
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            max_ms: millis(report.latency.max()),
            cpu_micros: report.cpu_micros(),
            client_cpu_micros: report.client_cpu.as_secs_f64() * 1e6
                / report.requests.max(1) as f64,
            statuses: report.statuses.clone(),
            wrong: report.wrong,
            errors: report.errors,
            unanswered: report.unanswered,
            exhausted: report.exhausted,
        }
    }

    /// One line per figure, for a single load.
    pub fn lines(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "requests      {} ({:.0}/s)", self.requests, self.per_second);
        let _ = writeln!(
            text,
            "latency ms    p50 {:.3}  p90 {:.3}  p99 {:.3}  p99.9 {:.3}  max {:.3}",
            self.p50_ms, self.p90_ms, self.p99_ms, self.p999_ms, self.max_ms
        );
        let _ = writeln!(
            text,
            "CPU us/answer server {:.1}, this generator {:.1}",
            self.cpu_micros, self.client_cpu_micros
        );
        let _ = writeln!(
            text,
            "statuses      {:?}; wrong {}, broken {}, unanswered {}",
            self.statuses, self.wrong, self.errors, self.unanswered
        );
        text
    }
}

/// A disk's own times, in milliseconds.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Disk {
    /// Appends of 4 KiB, each with fdatasync.
    pub samples: u64,
    /// Half of them took at most this.
    pub p50_ms: f64,
    /// 99 %.
    pub p99_ms: f64,
    /// The slowest.
    pub max_ms: f64,
}

impl Disk {
    /// The figures of a measurement.
    pub fn of(histogram: &Histogram) -> Self {
        Self {
            samples: histogram.count(),
            p50_ms: millis(histogram.quantile(0.5)),
            p99_ms: millis(histogram.quantile(0.99)),
            max_ms: millis(histogram.max()),
        }
    }
}

/// A program and an empty handler under the same closed loop.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClosedPair {
    /// Connections kept busy.
    pub connections: usize,
    /// The empty handler, all rounds together.
    pub empty: Row,
    /// The governed verification, all rounds together.
    pub governed: Row,
    /// CPU per answer, governed / empty.
    pub ratio: f64,
    /// The smallest ratio of one round.
    pub ratio_min: f64,
    /// The largest ratio of one round.
    pub ratio_max: f64,
}

/// Both under the same schedule of arrivals, with the disk measured around it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenPair {
    /// Arrivals per second.
    pub rate: u32,
    /// Connections they are spread over.
    pub connections: usize,
    /// The empty handler.
    pub empty: Row,
    /// The governed verification.
    pub governed: Row,
    /// The disk just before.
    pub disk_before: Disk,
    /// The disk just after.
    pub disk_after: Disk,
    /// 3 ms + 2 × p99 of the disk, before and after taken together.
    pub limit_ms: f64,
}

/// All figures of one protocol.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProtocolFigures {
    /// `REST` or `SOAP`.
    pub protocol: &'static str,
    /// Length of the answer, of both handlers.
    pub answer_bytes: usize,
    /// Closed loops, per number of connections.
    pub closed: Vec<ClosedPair>,
    /// The open loop.
    pub open: OpenPair,
}

/// Everything a run of `verify` found.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// The program's commit.
    pub commit: String,
    /// Processor, cores, memory, kernel.
    pub machine: String,
    /// How this tool was started.
    pub command: String,
    /// The program's build profile, where the caller named it.
    pub profile: String,
    /// Rounds per row and length of each, as text.
    pub load: String,
    /// REST, SOAP.
    pub protocols: Vec<ProtocolFigures>,
}

impl Figures {
    /// The largest ratio of CPU per answer of a protocol over its numbers of connections.
    pub fn ratio(&self, protocol: &str) -> Option<f64> {
        let figures = self.protocols.iter().find(|figures| figures.protocol == protocol)?;
        figures.closed.iter().map(|pair| pair.ratio).reduce(f64::max)
    }

    /// The tables. The line with the ratio is not part of it.
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "commit {} ({}) · {}\n\n`{}`\n\n{}\n\n",
            self.commit, self.profile, self.machine, self.command, self.load
        );
        text.push_str(
            "| protocol | connections | handler | requests/s | p50 ms | p99 ms \
             | CPU µs/request | ratio (rounds) |\n|---|--:|---|--:|--:|--:|--:|--:|\n",
        );
        for figures in &self.protocols {
            for pair in &figures.closed {
                closed_rows(&mut text, figures.protocol, pair);
            }
        }
        text.push_str(
            "\n| protocol | arrivals/s | handler | answers/s | p50 ms | p99 ms | p99.9 ms \
             | max ms | CPU µs/request |\n|---|--:|---|--:|--:|--:|--:|--:|--:|\n",
        );
        for figures in &self.protocols {
            open_rows(&mut text, figures.protocol, &figures.open);
        }
        text.push('\n');
        for figures in &self.protocols {
            limit_line(&mut text, figures);
        }
        text
    }
}

fn closed_rows(text: &mut String, protocol: &str, pair: &ClosedPair) {
    let spread = format!("{:.2} ({:.2}-{:.2})", pair.ratio, pair.ratio_min, pair.ratio_max);
    for (name, row, ratio) in [("empty", &pair.empty, ""), ("governed", &pair.governed, &spread)] {
        let _ = writeln!(
            text,
            "| {protocol} | {} | {name} | {:.0} | {:.2} | {:.2} | {:.1} | {ratio} |",
            pair.connections, row.per_second, row.p50_ms, row.p99_ms, row.cpu_micros
        );
    }
}

fn open_rows(text: &mut String, protocol: &str, pair: &OpenPair) {
    for (name, row) in [("empty", &pair.empty), ("governed", &pair.governed)] {
        let _ = writeln!(
            text,
            "| {protocol} | {} | {name} | {:.0} | {:.2} | {:.2} | {:.2} | {:.2} | {:.1} |",
            pair.rate,
            row.per_second,
            row.p50_ms,
            row.p99_ms,
            row.p999_ms,
            row.max_ms,
            row.cpu_micros
        );
    }
}

fn limit_line(text: &mut String, figures: &ProtocolFigures) {
    let open = &figures.open;
    let verdict = if open.governed.p99_ms <= open.limit_ms { "within" } else { "OVER" };
    let _ = writeln!(
        text,
        "{}: p99 {:.2} ms at {}/s, {verdict} 3 ms + 2 × p99 of fdatasync = {:.2} ms \
         (fdatasync p50/p99 before {:.2}/{:.2}, after {:.2}/{:.2} ms, {} samples each); \
         answers of {} bytes",
        figures.protocol,
        open.governed.p99_ms,
        open.rate,
        open.limit_ms,
        open.disk_before.p50_ms,
        open.disk_before.p99_ms,
        open.disk_after.p50_ms,
        open.disk_after.p99_ms,
        open.disk_after.samples,
        figures.answer_bytes
    );
    let closed = figures.closed.iter().any(|pair| pair.governed.exhausted);
    if closed || open.governed.exhausted {
        text.push_str("Some rounds ended early: every SOAP timestamp within reach was used.\n");
    }
}

/// A duration in milliseconds.
pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
