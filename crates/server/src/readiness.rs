//! Whether questions are answered, and if not, why: what `/readyz`, the figures and jobs go by; and
//! what looks at the database while it is served.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dancu_domain::ids::PersonalId;
use dancu_store::Database;
use dancu_store::engine::checks::Finding;
use dancu_store::ledger::health::Trouble;

use crate::app::{App, Shared};
use crate::clock::steady;

/// How often it is looked whether the ledger connected anew, and whether a look-up gets its turn.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Looks after which the server is examined again though nothing connected anew: a minute, since
/// somebody may have changed its settings.
const FIT_LOOKS: u32 = 60;
/// The same while it was found unfit, or could not be asked: whoever mends it waits for this.
const UNFIT_LOOKS: u32 = 5;
/// A look-up that has no answer after this long would be answered 503: a question waits 2 s for its
/// turn, and an answer takes milliseconds.
const LOOK_UP_MAX: Duration = Duration::from_secs(3);
/// Without any answer for this long the node says that look-ups fail. A busy node refuses some
/// questions and answers others: one that is taken out for it leaves its load to the others, which
/// follow. A new connection after a failover takes less.
const LOOK_UPS_SILENT: Duration = Duration::from_secs(10);

/// What was found out beside the ledger's own state.
#[derive(Default)]
pub struct Readiness {
    unfit: AtomicBool,
    no_look_ups: AtomicBool,
}

/// Why no questions are answered, a word each (docs/operate.md); empty where they are.
pub fn reasons(app: &App) -> Vec<&'static str> {
    let store = app.gate.store();
    let trouble = store.ledger().trouble();
    let mut reasons = vec![];
    if !app.is_ready() && !matches!(trouble, Some(Trouble::OlderCopy | Trouble::Dead)) {
        // Nothing listens before the app is ready: what is not ready any more is stopping.
        reasons.push("stopping");
    }
    if store.is_stopped() {
        reasons.push("storeStopped");
    }
    reasons.extend(trouble.map(Trouble::word));
    let found = &app.readiness;
    if found.unfit.load(Ordering::Acquire) {
        reasons.push("databaseUnfit");
    }
    if found.no_look_ups.load(Ordering::Acquire) {
        reasons.push("lookupsUnavailable");
    }
    reasons
}

/// Starts what looks at the database while it is served; nothing where the data is in the folder,
/// whose settings are made at each opening.
pub fn start(app: &Shared, database: Option<Database>) {
    let Some(database) = database else { return };
    tokio::spawn(examine_again(app.clone(), Arc::new(database)));
    tokio::spawn(look_up_again(app.clone()));
}

/// Examines the server as every start does: soon after each new connection of the ledger, which may
/// lead to another server, and once a minute.
async fn examine_again(app: Shared, database: Arc<Database>) {
    let ledger = app.gate.store().ledger();
    let (mut connections, mut left) = (ledger.connections(), FIT_LOOKS);
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if app.gate.store().is_stopped() {
            return;
        }
        left = left.saturating_sub(1);
        let now = ledger.connections();
        if now == connections && left > 0 {
            continue;
        }
        connections = now;
        let examined = database.clone();
        let report = tokio::task::spawn_blocking(move || examined.examine()).await;
        let known = match report {
            Ok(Ok(report)) => Some(app.readiness.note_findings(&report.findings)),
            // Whether it can be reached at all the ledger says itself.
            Ok(Err(error)) => {
                tracing::warn!(error = %error, "the database server could not be examined");
                None
            }
            Err(_) => None,
        };
        left = if known == Some(true) { FIT_LOOKS } else { UNFIT_LOOKS };
    }
}

/// Looks somebody up who cannot be there, as questions do: over the pool, with its limits.
async fn look_up_again(app: Shared) {
    // Prefixes of the registry begin with 001: there is no 000.
    let Some(nobody) = PersonalId::from_number(0) else { return };
    let mut answered = steady();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let store = app.gate.store();
        if store.is_stopped() {
            return;
        }
        let looked = tokio::time::timeout(LOOK_UP_MAX, store.registry().look_up(nobody)).await;
        if looked.is_ok_and(|found| found.is_ok()) {
            answered = steady();
        }
        app.readiness.note_look_ups(answered.elapsed() < LOOK_UPS_SILENT);
    }
}

impl Readiness {
    /// Takes over what an examination of the server found; whether it is fit. Told once, when it
    /// changes.
    fn note_findings(&self, findings: &[Finding]) -> bool {
        let refused: Vec<&Finding> = findings.iter().filter(|f| f.refuses).collect();
        let was_unfit = self.unfit.swap(!refused.is_empty(), Ordering::AcqRel);
        if refused.is_empty() && was_unfit {
            tracing::info!("the database server is fit again (máy chủ cơ sở dữ liệu đã đạt)");
        }
        for finding in refused.iter().filter(|_| !was_unfit) {
            tracing::error!(
                id = finding.id,
                mend = finding.mend,
                "the database server is not fit: {} ({})",
                finding.vi,
                finding.en
            );
        }
        refused.is_empty()
    }

    fn note_look_ups(&self, work: bool) {
        if self.no_look_ups.swap(!work, Ordering::AcqRel) == work {
            if work {
                tracing::info!("look-ups are answered again (đã tra cứu được)");
            } else {
                tracing::error!("look-ups get no answer in time (tra cứu không kịp trả lời)");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use dancu_domain::moment::Moment;
    use dancu_domain::profile::{DEFAULT_PROFILE, Profiles};
    use dancu_gate::Gate;
    use dancu_store::engine::{Db, Mode, PoolSettings, Postgres, Settings};
    use dancu_store::{OpenOptions, Store};
    use dancu_testdb::{Options, Server};

    use super::*;
    use crate::clock::{Clock, machine_ms};

    fn database(url: &str) -> Database {
        let wait = Duration::from_millis(300);
        let pool = PoolSettings { connections: 1, under_way: 1, wait };
        let clock = || Moment(machine_ms());
        Database { settings: Settings::new(url).unwrap(), nodes: 1, clock, pool }
    }

    fn app(url: &str, dir: &std::path::Path) -> Shared {
        let now = Moment(machine_ms());
        let options = OpenOptions {
            profiles: Arc::new(Profiles::parse(DEFAULT_PROFILE).unwrap()),
            master_key: <_>::default(),
            now,
            migrate: true,
            database: Some(database(url)),
        };
        let gate = Gate::open(Arc::new(Store::open(dir, options).unwrap()), now).unwrap();
        let app = Arc::new(App::new(gate, Clock::new(0, now, false), "http://localhost".into()));
        app.set_ready(true);
        app
    }

    async fn until(app: &App, wanted: &[&str]) {
        for _ in 0..300 {
            if reasons(app) == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{:?} instead of {wanted:?}", reasons(app));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_is_wrong_with_the_server_takes_the_node_out_while_it_lasts() {
        let server = Server::start(&Options { durable: true, ..Options::default() });
        let url = server.url("postgres");
        let dir = std::env::temp_dir().join(format!("dancu-ready-{}", std::process::id()));
        let app = app(&url, &dir);
        start(&app, Some(database(&url)));
        until(&app, &[]).await;
        // Somebody changed a setting, and a new connection shows it.
        let set = |value: &str| {
            server.sql("postgres", &format!("ALTER SYSTEM SET fsync = {value}"));
            server.sql("postgres", "SELECT pg_reload_conf()");
        };
        let cut = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity \
                   WHERE application_name = 'dancu'";
        set("off");
        server.sql("postgres", cut);
        until(&app, &["databaseUnfit"]).await;
        set("on");
        until(&app, &[]).await;
        // Every look-up waits for this table: the only place of the pool is taken.
        let mut held: Db = Postgres::connect(&Settings::new(&url).unwrap()).unwrap().into();
        held.begin(Mode::Write).unwrap();
        held.tx().batch("LOCK TABLE person, person_key IN ACCESS EXCLUSIVE MODE").unwrap();
        // A busy moment takes no node out.
        let began = steady();
        until(&app, &["lookupsUnavailable"]).await;
        assert!(began.elapsed() + LOOK_EVERY + LOOK_UP_MAX >= LOOK_UPS_SILENT);
        held.rollback();
        until(&app, &[]).await;
        let store = app.gate.store().clone();
        tokio::task::spawn_blocking(move || store.stop()).await.unwrap();
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
