//! What a node says of itself while something stands in its way, and how it goes on afterwards.

use std::sync::OnceLock;
use std::time::Instant;

use dancu_access::AuthFailure;
use dancu_store::engine::{Db, Mode, Postgres, Settings};
use dancu_store::ledger::health::{STALLED, Trouble};

use super::*;

/// The machine's clock of tokens.
const MACHINE: i64 = 1_772_416_800_000;

/// A steady clock that runs as the file system's does.
static BEGAN: OnceLock<(Instant, Moment)> = OnceLock::new();

fn steady() -> Instant {
    let (instant, at) = *BEGAN.get().unwrap();
    instant + Duration::from_millis(clock().0.saturating_sub(at.0).max(0).unsigned_abs())
}

async fn world_on(server: &Server) -> TestWorld {
    fill(&server.url("postgres")).unwrap();
    let place = Place::Url(server.url("postgres"));
    TestWorld::build().place(place).with_system(SystemSpec::verify(1_000, 10)).start().await
}

fn trouble(world: &TestWorld) -> Option<Trouble> {
    world.store().ledger().trouble()
}

fn ask_beside(world: &TestWorld, person: usize) -> (Query, tokio::task::JoinHandle<Reply>) {
    let query = world.verify(&SYSTEM.plan(), &world.people[person]);
    (query.clone(), world.start(world.caller(&SYSTEM.plan()), query))
}

fn line() -> dancu_domain::ids::LineId {
    SYSTEM.line(Service::CitizenVerify, Window::InHours)
}

/// A COMMIT has no limit on its time: while it waits for a standby that is not there, the node says
/// that it cannot be asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_waits_for_a_missing_standby_is_told_while_it_waits() {
    let server = Server::start(&Options { durable: true, ..Options::default() });
    let world = world_on(&server).await;
    let now = tokio::time::sleep(Duration::ZERO).deadline().into_std();
    BEGAN.get_or_init(|| (now, clock()));
    world.store().ledger().measure(steady);
    let set = |sql: &str| {
        server.sql("postgres", sql);
        server.sql("postgres", "SELECT pg_reload_conf()");
    };
    set("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (nobody)'");
    // The server takes its settings over a moment later.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let began = clock();
    let (_, asked) = ask_beside(&world, 0);
    until("the stall is told", || async { trouble(&world) == Some(Trouble::Stalled) }).await;
    assert!(clock().0 - began.0 >= STALLED.as_millis() as i64 - 600);
    assert!(!asked.is_finished());
    set("ALTER SYSTEM RESET synchronous_standby_names");
    assert_eq!(reason(&asked.await.unwrap()), None);
    until("it is well again", || async { trouble(&world).is_none() }).await;
    assert_eq!(world.used(line()), 1);
}

/// A lock that stays in the way of every batch is no conflict to be tried for ever: callers are
/// refused soon, and the node says so until the lock is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conflicts_that_go_on_are_told() {
    let server = Server::start(&Options { durable: true, ..Options::default() });
    let world = world_on(&server).await;
    assert_eq!(reason(&world.ask_verify(&SYSTEM.plan(), &world.people[0]).await), None);
    let mut settings = Settings::new(&server.url("postgres")).unwrap();
    settings.idle_in_transaction_timeout = Duration::from_mins(2);
    let mut held: Db = Postgres::connect(&settings).unwrap().into();
    held.begin(Mode::Write).unwrap();
    held.tx().batch("LOCK TABLE entry_chunk IN SHARE MODE").unwrap();
    let reply = world.ask_verify(&SYSTEM.plan(), &world.people[1]).await;
    assert_eq!((reason(&reply), reply.journal_index), (Some(Reason::CannotJournal), None));
    assert_eq!(trouble(&world), Some(Trouble::Failing));
    // Nobody asks: that the head can be written does not make it well.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(trouble(&world), Some(Trouble::Failing));
    held.rollback();
    until("it is well again", || async { trouble(&world).is_none() }).await;
    assert_eq!(reason(&world.ask_verify(&SYSTEM.plan(), &world.people[1]).await), None);
    assert_eq!(world.used(line()), 2);
}

/// A way to a server that can be closed: connections are then cut as they are made.
fn gate_to(to: u16, order: Arc<AtomicU8>, closed: Arc<AtomicBool>) -> u16 {
    let inner = proxy(to, order);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            if closed.load(Ordering::Acquire) {
                continue;
            }
            let Ok(mut server) = TcpStream::connect(("127.0.0.1", inner)) else { continue };
            let (mut back, mut out) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut back, &mut out);
                let _ = out.shutdown(Shutdown::Both);
            });
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut client, &mut server);
                let _ = server.shutdown(Shutdown::Both);
            });
        }
    });
    own
}

/// Nobody can be asked what became of the COMMIT: the caller is told just that, and whoever asks
/// again with the same request id is counted once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d6_a_commit_that_stays_in_doubt_is_told_as_such_and_counted_once() {
    let server = Server::start(&Options { durable: true, tcp: true, ..Options::default() });
    fill(&server.url("postgres")).unwrap();
    let (order, closed) = (Arc::new(AtomicU8::new(PASS)), Arc::new(AtomicBool::new(false)));
    let port = gate_to(server.port(), order.clone(), closed.clone());
    let place = Place::Url(format!("postgres://dancu@127.0.0.1:{port}/postgres"));
    let world =
        TestWorld::build().place(place).with_system(SystemSpec::verify(1_000, 10)).start().await;
    // Look-ups have their connection from here on.
    assert_eq!(reason(&world.ask_verify(&SYSTEM.plan(), &world.people[9]).await), None);
    for (round, cut, decisions) in [
        (0, CUT_AFTER, vec![Decision::Accepted, Decision::Repeat]),
        (1, CUT_BEFORE, vec![Decision::Accepted]),
    ] {
        order.store(cut, Ordering::Release);
        closed.store(true, Ordering::Release);
        let (query, asked) = ask_beside(&world, round);
        until("the doubt is told", || async { trouble(&world) == Some(Trouble::InDoubt) }).await;
        let reply = asked.await.unwrap();
        assert_eq!((reason(&reply), reply.journal_index), (Some(Reason::JournalInDoubt), None));
        let text = Reason::JournalInDoubt.text();
        assert!(text.what_to_do_vi.contains("cùng mã yêu cầu") && text.kind.http_status() == 503);
        assert!(!world.store().ledger().is_well());
        closed.store(false, Ordering::Release);
        until("it is well again", || async { trouble(&world).is_none() }).await;
        assert_eq!(reason(&world.ask(&SYSTEM.plan(), &query).await), None);
        let id = query.request_id.to_string();
        let told: Vec<Decision> = world
            .entries()
            .iter()
            .filter_map(|e| match &e.body {
                Body::Query(q) if q.request_id == id => Some(q.decision),
                _ => None,
            })
            .collect();
        assert_eq!(told, decisions, "round {round}");
        assert_eq!(world.used(line()), round as u32 + 2);
    }
}

/// A transaction that this node saw is gone from the log: it journals nothing on top of another
/// history, answers no reads either, and does not come back by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_stops_where_the_database_has_another_history() {
    let other_id = "decode(repeat('0f', 16), 'hex')";
    let newest = "(SELECT MAX(generation) FROM ledger_batch)";
    let same_number =
        format!("UPDATE ledger_batch SET id = {other_id} WHERE generation = {newest}");
    let gone_on = format!(
        "INSERT INTO ledger_batch SELECT generation + 1, {other_id}, first_idx, changes \
         FROM ledger_batch WHERE generation = {newest}; \
         UPDATE ledger_batch SET id = {other_id} WHERE generation = {newest} - 1; \
         UPDATE ledger_head SET generation = generation + 1"
    );
    let went_back = "UPDATE ledger_head SET generation = generation - 1".to_owned();
    for change in [same_number, gone_on, went_back] {
        let world = TestWorld::build().with_system(SystemSpec::verify(100, 10)).start().await;
        let ask = |n: usize| world.verify(&SYSTEM.plan(), &world.people[n]);
        assert_eq!(reason(&world.ask(&SYSTEM.plan(), &ask(0)).await), None);
        let token = token(world.gate(), &world).await;
        let entries = world.store().ledger().next_index();
        world.core().tx().batch(&change).unwrap();
        let reply = world.ask(&SYSTEM.plan(), &ask(1)).await;
        assert_eq!(reason(&reply), Some(Reason::CannotJournal), "{change}");
        assert_eq!(trouble(&world), Some(Trouble::OlderCopy), "{change}");
        assert_eq!(shown(world.gate(), &world, &token).await, Err(AuthFailure::Unavailable));
        let act = world.store().ledger().tidy(world.now(), |_| Ok(())).await.unwrap_err();
        assert!(act.to_string().contains("dancu restore accept"), "{act}");
        // Idle looks and probes do not bring it back.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        assert_eq!(trouble(&world), Some(Trouble::OlderCopy));
        assert_eq!(world.store().ledger().next_index(), entries);
    }
}

async fn token(gate: &Gate, world: &TestWorld) -> String {
    let client = by_secret(gate.snapshot().by_id(SYSTEM.id()).unwrap().clone());
    let source = std::net::IpAddr::from([127, 0, 0, 1]);
    let issued = gate.issue_token(&client, None, source, world.now(), MACHINE).await;
    format!("Bearer {}", issued.unwrap().0)
}

async fn shown(gate: &Gate, world: &TestWorld, token: &str) -> Result<u32, AuthFailure> {
    let source = std::net::IpAddr::from([127, 0, 0, 1]);
    let arrival = dancu_access::Arrival { source, at: world.now(), machine: MACHINE + 1 };
    let proved = gate.authenticate_bearer(Some(token), None, &arrival).await;
    proved.map(|system| system.id.0)
}

/// Milliseconds by which the clock of the next test's node is ahead.
static FAST: AtomicI64 = AtomicI64::new(0);

fn fast_clock() -> Moment {
    clock().plus_ms(FAST.load(Ordering::Acquire))
}

/// Usage, journal and results of jobs pass no ledger: a node whose clock is off answers them no
/// more than questions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_clock_is_off_answers_no_reads_either() {
    let world = TestWorld::build().with_system(SystemSpec::verify(100, 10)).start().await;
    let node = Node::with_clock(&world, fast_clock);
    let token = token(&node.gate, &world).await;
    assert_eq!(shown(&node.gate, &world, &token).await, Ok(SYSTEM.0));
    FAST.store(3_000, Ordering::Release);
    let ledger = node.gate.store().ledger();
    until("the clock is seen", || async { ledger.trouble() == Some(Trouble::Clock) }).await;
    assert_eq!(shown(&node.gate, &world, &token).await, Err(AuthFailure::Unavailable));
    FAST.store(0, Ordering::Release);
    until("it is well again", || async { ledger.is_well() }).await;
    assert_eq!(shown(&node.gate, &world, &token).await, Ok(SYSTEM.0));
}
