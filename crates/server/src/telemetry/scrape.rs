//! `GET /metrics`: everything counted, in the Prometheus text format 0.0.4.
//!
//! [`CATALOGUE`] names every figure once; the dashboard and the alerts in `packaging/` are held
//! against it. To add a figure: a row there and one line where it is measured.

use std::fmt::{Display, Write as _};
use std::sync::Arc;
use std::time::Duration;

use dancu_domain::moment::Moment;
use dancu_domain::service::Service;
use dancu_store::Store;
use dancu_store::ledger::figures::HistogramCounts;
use tokio::sync::Semaphore;

use super::lines::LineFigures;
use super::process;
use super::requests::{self, BOUNDS_US, BUCKETS, CLASSES};
use crate::app::App;
use crate::clock::machine_ms;
use crate::tls::counts::counts;
use crate::{readiness, webhooks};

/// Name, kind and meaning of each figure.
pub const CATALOGUE: &[(&str, &str, &str)] = &[
    ("dancu_build_info", "gauge", "Always 1; the version is a label."),
    ("dancu_ready", "gauge", "1 where queries are answered."),
    ("dancu_http_requests_total", "counter", "Answers by route and class of status."),
    ("dancu_http_request_seconds", "histogram", "Time to answer, by route."),
    ("dancu_http_requests_under_way", "gauge", "Requests taken up and not answered yet."),
    ("dancu_connections_accepted_total", "counter", "Network connections accepted."),
    ("dancu_connections_open", "gauge", "Network connections open now."),
    ("dancu_connections_cut_total", "counter", "Network connections closed, by cause."),
    ("dancu_tls_handshakes_total", "counter", "TLS handshakes by how they ended."),
    ("dancu_tls_reloads_total", "counter", "New certificate files, taken or refused."),
    ("dancu_tls_certificate_until_seconds", "gauge", "End of the certificate; 0 without TLS."),
    ("dancu_journal_entries_total", "counter", "Entries in the journal."),
    ("dancu_ledger_queued", "gauge", "Questions and acts that wait for the next commit."),
    ("dancu_ledger_batch_entries", "histogram", "Entries of each durable batch."),
    ("dancu_ledger_commit_seconds", "histogram", "Time to write and commit a batch."),
    ("dancu_ledger_batches_failed_total", "counter", "Batches that could not be committed."),
    ("dancu_policy_epoch", "gauge", "Epoch of what is registered."),
    ("dancu_search_tail_items", "gauge", "Journal items not yet in a search run."),
    ("dancu_requests_remembered", "gauge", "Answered request ids that are remembered."),
    ("dancu_registry_citizens", "gauge", "Citizens in the registry."),
    ("dancu_registered_systems", "gauge", "Registered systems by state of their connection."),
    ("dancu_lines", "gauge", "Registered lines."),
    ("dancu_lines_locked", "gauge", "Lines that a lock stops."),
    ("dancu_locks_in_force", "gauge", "Locks by what they stop: a line or its connection."),
    ("dancu_lines_near_count", "gauge", "Lines at 80 % of the day's count or more, by service."),
    ("dancu_lines_used_up", "gauge", "Lines whose count of the day is used up."),
    ("dancu_credentials_ending", "gauge", "Credentials of systems, ending in 30 days or over."),
    ("dancu_webhook_tries_total", "counter", "Events sent to systems, by what became of it."),
    ("dancu_clock_ahead_seconds", "gauge", "Product clock ahead of the machine's."),
    ("dancu_data_file_bytes", "gauge", "Size of the database files."),
    ("dancu_disk_free_bytes", "gauge", "Space left for the data folder."),
    ("process_resident_memory_bytes", "gauge", "Memory in use."),
    ("process_cpu_seconds_total", "counter", "Processor time used."),
    ("process_open_fds", "gauge", "Open files and sockets."),
    ("process_max_fds", "gauge", "Limit of open files and sockets."),
    ("process_threads", "gauge", "Threads."),
];

/// Microseconds in a second.
const MICROS: f64 = 1e6;

/// Reading database and disk may take this long: then a scrape goes without what they would tell.
/// A scraper waits ten seconds.
const READ_MAX: Duration = Duration::from_secs(2);
/// One such read at a time: a database that hangs keeps one thread busy, not one per scrape.
static READING: Semaphore = Semaphore::const_new(1);

/// What has to be read; what could not be is left out rather than told as 0.
#[derive(Default)]
struct Stored {
    tail_items: Option<u64>,
    citizens: Option<u64>,
    files: Vec<(String, u64)>,
    free: Option<u64>,
}

impl Stored {
    fn read(store: &Store) -> Self {
        Self {
            tail_items: store.tail_items().ok(),
            citizens: store.registry().count().ok(),
            files: process::database_files(store.dir()),
            free: dancu_store::free_bytes(store.dir()).ok(),
        }
    }

    /// Away from the threads that questions run on, in time or not at all.
    async fn in_time(store: Arc<Store>) -> Self {
        let read = async {
            let place = READING.acquire().await.ok()?;
            let reading = tokio::task::spawn_blocking(move || {
                let _place = place;
                Self::read(&store)
            });
            reading.await.ok()
        };
        tokio::time::timeout(READ_MAX, read).await.ok().flatten().unwrap_or_default()
    }
}

/// The text of a scrape.
pub async fn page(app: &App) -> String {
    let stored = Stored::in_time(app.gate.store().clone()).await;
    render(app, &stored)
}

fn render(app: &App, stored: &Stored) -> String {
    let mut page = Page(String::with_capacity(32 << 10));
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    page.head("dancu_build_info").row("dancu_build_info", &version, 1);
    page.one("dancu_ready", u64::from(readiness::reasons(app).is_empty()));
    routes(&mut page);
    front(&mut page);
    store(&mut page, app, stored);
    lines(&mut page, &LineFigures::of(app));
    page.head("dancu_data_file_bytes");
    for (file, bytes) in &stored.files {
        page.row("dancu_data_file_bytes", &[("file", file)], bytes);
    }
    page.some("dancu_disk_free_bytes", stored.free);
    page.some("process_resident_memory_bytes", process::resident_bytes());
    page.one("process_cpu_seconds_total", process::cpu_seconds());
    page.some("process_open_fds", process::open_files());
    page.some("process_max_fds", process::open_files_max());
    page.some("process_threads", process::threads());
    page.0
}

fn routes(page: &mut Page) {
    let figures = requests::figures();
    page.head("dancu_http_requests_total");
    for f in &figures {
        for (class, status) in CLASSES.iter().enumerate() {
            let labels = [("method", f.method), ("route", f.path), ("status", status)];
            page.row("dancu_http_requests_total", &labels, f.of_class(class));
        }
    }
    page.head("dancu_http_request_seconds");
    for f in &figures {
        let below = BOUNDS_US.iter().enumerate().map(|(n, us)| (*us, f.in_bucket(n)));
        let counts = HistogramCounts {
            below: below.collect(),
            above: f.in_bucket(BUCKETS - 1),
            sum: f.micros,
        };
        let labels = [("method", f.method), ("route", f.path)];
        page.histogram("dancu_http_request_seconds", &labels, &counts, MICROS);
    }
    page.one("dancu_http_requests_under_way", requests::under_way());
}

/// Connections and handshakes, as the front door counts them.
fn front(page: &mut Page) {
    let counts = counts();
    page.one("dancu_connections_accepted_total", counts.accepted);
    page.one("dancu_connections_open", counts.open);
    page.by(
        "dancu_connections_cut_total",
        "cause",
        &[
            ("slowHeader", counts.cut_slow),
            ("idle", counts.closed_idle),
            ("certificate", counts.closed_certificate),
        ],
    );
    page.by(
        "dancu_tls_handshakes_total",
        "outcome",
        &[
            ("ok", counts.handshakes),
            ("late", counts.handshakes_late),
            ("incompatible", counts.handshakes_incompatible),
            ("certificate", counts.handshakes_certificate),
            ("broken", counts.handshakes_broken),
        ],
    );
    page.by(
        "dancu_tls_reloads_total",
        "outcome",
        &[("taken", counts.reloads), ("refused", counts.reloads_refused)],
    );
    page.one("dancu_tls_certificate_until_seconds", counts.certificate_until_ms / 1_000);
}

fn store(page: &mut Page, app: &App, stored: &Stored) {
    let store = app.gate.store();
    page.one("dancu_journal_entries_total", store.ledger().next_index());
    let ledger = store.ledger().figures();
    page.one("dancu_ledger_queued", ledger.queued);
    page.head("dancu_ledger_batch_entries");
    page.histogram("dancu_ledger_batch_entries", &[], &ledger.sizes, 1.0);
    page.head("dancu_ledger_commit_seconds");
    page.histogram("dancu_ledger_commit_seconds", &[], &ledger.commit_us, MICROS);
    page.one("dancu_ledger_batches_failed_total", ledger.failed);
    page.one("dancu_policy_epoch", store.ledger().epoch());
    page.some("dancu_search_tail_items", stored.tail_items);
    page.one("dancu_requests_remembered", store.requests().len());
    page.some("dancu_registry_citizens", stored.citizens);
    let Moment(now) = app.clock.now();
    let ahead = now - machine_ms() - app.clock.offset_ms();
    page.one("dancu_clock_ahead_seconds", ahead.max(0) as f64 / 1e3);
}

fn lines(page: &mut Page, figures: &LineFigures) {
    page.by("dancu_registered_systems", "state", &figures.systems);
    page.one("dancu_lines", figures.lines);
    page.one("dancu_lines_locked", figures.locked);
    let (line, connection) = figures.locks;
    let scopes = [("line", line), ("connection", connection)];
    page.by("dancu_locks_in_force", "scope", &scopes);
    let near = Service::ALL.map(|service| (service.code(), figures.near[service.index()]));
    page.by("dancu_lines_near_count", "service", &near);
    page.one("dancu_lines_used_up", figures.used_up);
    page.by("dancu_credentials_ending", "state", &figures.credentials);
    page.by("dancu_webhook_tries_total", "outcome", &webhooks::counts::counts());
}

/// The text under way.
struct Page(String);

impl Page {
    /// Meaning and kind, once before a figure's rows.
    fn head(&mut self, name: &str) -> &mut Self {
        if let Some((_, kind, help)) = CATALOGUE.iter().find(|row| row.0 == name) {
            let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        }
        self
    }

    /// Labels are routes, states and file names of this program: nothing in them is escaped.
    fn row(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (i, (label, text)) in labels.iter().enumerate() {
            let _ = write!(self.0, "{}{label}=\"{text}\"", if i == 0 { '{' } else { ',' });
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    fn one(&mut self, name: &str, value: impl Display) {
        self.head(name).row(name, &[], value);
    }

    /// A figure by the values of one label.
    fn by(&mut self, name: &str, label: &str, values: &[(&str, u64)]) {
        self.head(name);
        for (of, value) in values {
            self.row(name, &[(label, of)], value);
        }
    }

    /// The rows of a histogram whose values are counted in `1 / units` of what is shown.
    fn histogram(
        &mut self,
        name: &str,
        labels: &[(&str, &str)],
        counts: &HistogramCounts,
        units: f64,
    ) {
        let (bucket, mut sum) = (format!("{name}_bucket"), 0);
        let last = [(None, counts.above)];
        for (bound, n) in counts.below.iter().map(|(bound, n)| (Some(*bound), *n)).chain(last) {
            sum += n;
            let le = bound.map_or("+Inf".to_owned(), |b| (b as f64 / units).to_string());
            let labels = [labels, &[("le", &le)]].concat();
            self.row(&bucket, &labels, sum);
        }
        self.row(&format!("{name}_sum"), labels, counts.sum as f64 / units);
        self.row(&format!("{name}_count"), labels, sum);
    }

    /// A figure that this system may not tell.
    fn some(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.one(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use dancu_domain::profile::{DEFAULT_PROFILE, Profiles};
    use dancu_gate::Gate;

    use super::*;
    use crate::clock::Clock;

    /// Names of figures in a text, without what a histogram appends.
    fn named(text: &str) -> BTreeSet<&str> {
        text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .filter(|w| ["dancu_", "process_"].iter().any(|start| w.starts_with(start)))
            .map(|w| {
                let of_histogram = ["_bucket", "_sum", "_count"];
                let base = of_histogram.iter().find_map(|end| w.strip_suffix(end));
                let kind = |name: &str| CATALOGUE.iter().find(|row| row.0 == name).map(|r| r.1);
                base.filter(|name| kind(name) == Some("histogram")).unwrap_or(w)
            })
            .collect()
    }

    #[test]
    fn dashboard_and_alerts_name_figures_that_exist() {
        let known: BTreeSet<&str> = CATALOGUE.iter().map(|row| row.0).collect();
        let dashboard = include_str!("../../../../packaging/grafana/dancu.json");
        let shown = named(dashboard);
        assert_eq!(shown, known, "the dashboard shows every figure");
        let alerts = named(include_str!("../../../../packaging/prometheus/alerts.yml"));
        assert!(alerts.len() > 5 && alerts.is_subset(&known), "{alerts:?}");
        assert!(serde_json::from_str::<serde_json::Value>(dashboard).is_ok());
    }

    /// A database that does not answer neither holds a scrape up nor shows as one without people.
    #[tokio::test]
    async fn what_cannot_be_read_in_time_is_left_out() {
        let dir = std::env::temp_dir().join(format!("dancu-scrape-{}", std::process::id()));
        let now = Moment(machine_ms());
        let options = dancu_store::OpenOptions {
            profiles: Arc::new(Profiles::parse(DEFAULT_PROFILE).unwrap()),
            master_key: <_>::default(),
            now,
            migrate: true,
            database: None,
        };
        let gate = Gate::open(Arc::new(Store::open(&dir, options).unwrap()), now).unwrap();
        let app = App::new(gate, Clock::new(0, now, false), "http://localhost".into());
        let read = ["dancu_search_tail_items 0", "dancu_registry_citizens 0"];
        let whole = page(&app).await;
        assert!(read.iter().all(|figure| whole.contains(figure)), "{whole}");
        let held = READING.acquire().await.unwrap();
        let without = page(&app).await;
        drop(held);
        for figure in read {
            let name = figure.split(' ').next().unwrap();
            assert!(!without.contains(name), "{name}");
        }
        assert!(without.contains("dancu_journal_entries_total 0"));
        app.gate.store().stop();
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn the_catalogue_follows_the_conventions() {
        for (name, kind, help) in CATALOGUE {
            assert_eq!(*kind == "counter", name.ends_with("_total"), "{name}");
            assert!(help.ends_with('.') && help.len() > 7, "{name}");
        }
        let mut page = Page(String::new());
        page.by("dancu_registered_systems", "state", &[("live", 2)]);
        page.some("process_threads", None::<u64>);
        let expected = "# HELP dancu_registered_systems Registered systems by state of their \
                        connection.\n# TYPE dancu_registered_systems gauge\n\
                        dancu_registered_systems{state=\"live\"} 2\n";
        assert_eq!(page.0, expected);
    }

    #[test]
    fn a_histogram_counts_upwards() {
        let counts = HistogramCounts { below: vec![(500, 2), (1_000_000, 3)], above: 1, sum: 7 };
        let mut page = Page(String::new());
        page.histogram("h", &[("route", "/a")], &counts, MICROS);
        let expected = "h_bucket{route=\"/a\",le=\"0.0005\"} 2\n\
                        h_bucket{route=\"/a\",le=\"1\"} 5\n\
                        h_bucket{route=\"/a\",le=\"+Inf\"} 6\n\
                        h_sum{route=\"/a\"} 0.000007\nh_count{route=\"/a\"} 6\n";
        assert_eq!(page.0, expected);
    }
}
