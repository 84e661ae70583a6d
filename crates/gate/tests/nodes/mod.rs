//! Several nodes on one database, and a database that goes away.

mod failover;
mod headers;
mod jobs;
mod pace;
mod proofs;
mod trouble;

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use dancu_domain::moment::Moment;
use dancu_domain::refusal::Reason;
use dancu_domain::registration::ConnectionState;
use dancu_domain::service::{Service, Window};
use dancu_gate::Gate;
use dancu_gate::query::{Query, Reply};
use dancu_journal::{Body, Decision};
use dancu_store::Store;
use dancu_testdb::{Options, Server};

use crate::support::engine::{Place, clock, fill};
use crate::support::*;

const SYSTEM: TestSystem = TestSystem(1);

/// A further node on the database of a world, with a folder and the same master key.
struct Node {
    gate: Arc<Gate>,
    _folder: Folder,
}

impl Node {
    fn of(world: &TestWorld) -> Self {
        Self::with_clock(world, clock)
    }

    fn with_clock(world: &TestWorld, clock: fn() -> Moment) -> Self {
        let folder = Folder::new();
        let key = "master.key";
        std::fs::copy(world.dir().join(key), folder.path().join(key)).unwrap();
        let store = Store::open(folder.path(), world.options_with_clock(clock)).unwrap();
        let gate = Arc::new(Gate::open(Arc::new(store), world.now()).unwrap());
        Self { gate, _folder: folder }
    }

    async fn ask(&self, world: &TestWorld, query: &Query) -> Reply {
        self.gate.ask(&world.caller(&SYSTEM.plan()), query).await
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.gate.store().stop();
    }
}

/// Waits until the world's own node has taken over what the others journaled: its memory is
/// compared with the journal at the end.
async fn caught_up(world: &TestWorld) {
    let entries = world.entries().len() as u64;
    let ledger = world.store().ledger();
    until("the first node catches up", || std::future::ready(ledger.next_index() == entries)).await;
}

/// In the order of the journal a line takes everything until it is full and nothing afterwards.
fn exact(world: &TestWorld, limit: u32) {
    let mut used = 0;
    for entry in world.entries() {
        let Body::Query(q) = &entry.body else { continue };
        match q.decision {
            Decision::Accepted => used += q.counted,
            Decision::Repeat => {}
            Decision::Refused => assert_eq!(used, limit, "entry {} is refused", entry.index),
        }
        assert!(used <= limit, "entry {} is beyond the count", entry.index);
    }
    assert_eq!(used, limit);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d2_nodes_count_one_line_exactly() {
    let world = TestWorld::build().with_system(SystemSpec::verify(500, 10)).start().await;
    let nodes = [Node::of(&world), Node::of(&world)];
    let gates = [world.gate().clone(), nodes[0].gate.clone(), nodes[1].gate.clone()];
    let mut started = vec![];
    for i in 0..700 {
        let query = world.verify(&SYSTEM.plan(), &world.people[i % 300]);
        let (gate, caller) = (gates[i % 3].clone(), world.caller(&SYSTEM.plan()));
        started.push(tokio::spawn(async move { gate.ask(&caller, &query).await }));
        if i % 50 == 0 {
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    }
    let mut answered = 0;
    for task in started {
        match reason(&task.await.unwrap()) {
            None => answered += 1,
            other => assert_eq!(other, Some(Reason::LineUsedUp)),
        }
    }
    assert_eq!(answered, 500);
    exact(&world, 500);
    caught_up(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d3_a_lock_on_one_node_is_in_force_on_the_other() {
    let world = TestWorld::build()
        .profile("reading = \"twoEpisodes\"", "reading = \"everyRefusal\"")
        .with_system(SystemSpec::verify(3, 10))
        .start()
        .await;
    let node = Node::of(&world);
    let account = SYSTEM.plan();
    for i in 0..20 {
        let reply = world.ask_verify(&account, &world.people[i]).await;
        if reason(&reply) == Some(Reason::LineLocked) {
            break;
        }
    }
    let line = SYSTEM.line(Service::CitizenVerify, Window::InHours);
    assert!(world.lines(|l| l.lock(line)).is_some(), "the line was never locked");
    let reply = node.ask(&world, &world.verify(&account, &world.people[0])).await;
    assert_eq!(reason(&reply), Some(Reason::LineLocked));
    // Lifted on the other node, it is open on this one at once for what is repeated.
    let (now, day) =
        (world.now(), world.store().profiles().at(world.now()).hours.duty(world.now()));
    let lifted = node.gate.store().ledger().act(now, move |_, counts| {
        assert!(counts.lines().lift(SYSTEM.id(), line, day.day, now));
        let (kind, actor) = ("line.lifted".into(), "thử nghiệm".into());
        Ok(Body::Act(dancu_journal::Act { kind, actor, system: 1, detail: String::new() }))
    });
    lifted.await.unwrap();
    let reply = world.ask_verify(&account, &world.people[1]).await;
    assert_eq!(reason(&reply), Some(Reason::LineUsedUp), "no lock, but no count either");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b3_an_act_on_one_node_is_in_force_on_the_other() {
    let world = TestWorld::build().with_system(SystemSpec::verify(100, 10)).start().await;
    let node = Node::of(&world);
    for (state, answered) in [(ConnectionState::Suspended, false), (ConnectionState::Live, true)] {
        world.act("system.state", move |db, _| db.set_system_state(SYSTEM, state)).await;
        let query = world.verify(&SYSTEM.plan(), &world.people[0]);
        let reply = node.ask(&world, &query).await;
        assert_eq!(reason(&reply).is_none(), answered, "{state:?}");
        assert!(reply.journal_index.is_some());
    }
    caught_up(&world).await;
}

/// Two nodes ask while a third act suspends the system and lets it live again: whatever snapshot a
/// question was decided by, the journal shows none that was answered after the act.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b3_no_stale_snapshot_passes_an_act_of_another_node() {
    let world = TestWorld::build().with_system(SystemSpec::verify(5_000, 10)).start().await;
    let node = Node::of(&world);
    let mut acts = vec![];
    for round in 0..8 {
        let mut started = vec![];
        for i in 0..60 {
            let query = world.verify(&SYSTEM.plan(), &world.people[i]);
            let (gate, caller) = (node.gate.clone(), world.caller(&SYSTEM.plan()));
            started.push(tokio::spawn(async move { gate.ask(&caller, &query).await }));
            if i % 5 == 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            if i == 20 + round {
                let state = ConnectionState::Suspended;
                let act =
                    world.act("system.state", move |db, _| db.set_system_state(SYSTEM, state));
                acts.push((act.await, false));
            }
        }
        for task in started {
            task.await.unwrap();
        }
        let state = ConnectionState::Live;
        let act = world.act("system.state", move |db, _| db.set_system_state(SYSTEM, state));
        acts.push((act.await, true));
    }
    let (mut live, mut answered, mut refused) = (true, 0, 0);
    for entry in world.entries() {
        if let Some((_, state)) = acts.iter().find(|(index, _)| *index == entry.index) {
            live = *state;
        }
        let Body::Query(q) = &entry.body else { continue };
        let accepted = q.decision == Decision::Accepted;
        assert_eq!(accepted, live, "entry {} goes by an old snapshot", entry.index);
        *(if accepted { &mut answered } else { &mut refused }) += 1;
    }
    assert!(answered > 100 && refused > 20, "{answered} answered, {refused} refused");
    caught_up(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d6_one_request_id_on_two_nodes_is_answered_once() {
    let world = TestWorld::build().with_system(SystemSpec::verify(200, 10)).start().await;
    let node = Node::of(&world);
    for i in 0..60u32 {
        let query = world.verify(&SYSTEM.plan(), &world.people[i as usize]);
        let mut other = query.clone();
        if i % 2 == 1 {
            other.body = [0xee; 16];
        }
        let (caller, id) = (world.caller(&SYSTEM.plan()), query.request_id.to_string());
        let (one, two) = tokio::join!(world.gate().ask(&caller, &query), node.ask(&world, &other));
        let entries = world.entries();
        let of_id: Vec<_> = entries
            .iter()
            .filter_map(|e| match &e.body {
                Body::Query(q) if q.request_id == id => Some(q.decision),
                _ => None,
            })
            .collect();
        assert_eq!(of_id.len(), 2, "round {i}");
        assert_eq!(of_id[0], Decision::Accepted, "round {i}");
        if i % 2 == 0 {
            assert_eq!(of_id[1], Decision::Repeat, "round {i}");
            assert_eq!((reason(&one), reason(&two)), (None, None));
        } else {
            assert_eq!(of_id[1], Decision::Refused, "round {i}");
            let reasons = [reason(&one), reason(&two)];
            assert!(reasons.contains(&Some(Reason::RequestIdConflict)) && reasons.contains(&None));
        }
        caught_up(&world).await;
        assert_eq!(world.used(SYSTEM.line(Service::CitizenVerify, Window::InHours)), i + 1);
    }
}

/// Each reply that names an entry stands in the journal as it was told, and each question at most
/// once as answered.
fn hold_true(world: &TestWorld, replies: &[(String, Reply)]) {
    let entries = world.entries();
    let mut answered: HashMap<&str, u32> = HashMap::new();
    for entry in &entries {
        let Body::Query(q) = &entry.body else { continue };
        if q.decision == Decision::Accepted {
            *answered.entry(&q.request_id).or_default() += 1;
        }
    }
    assert!(answered.values().all(|n| *n == 1), "a question was counted twice");
    for (id, reply) in replies {
        let Some(index) = reply.journal_index else {
            assert_eq!(reason(reply), Some(Reason::CannotJournal), "{id}");
            continue;
        };
        let q = query_of(&entries[index as usize]);
        assert_eq!(&q.request_id, id);
        assert_eq!(q.decision == Decision::Accepted, reply.result.is_ok(), "{id}");
        assert_eq!(reply.correlation.0[8..], entries[index as usize].nonce);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_f1_a_server_that_is_killed_under_load_loses_nothing_that_was_told() {
    let server = Server::start(&Options { durable: true, ..Options::default() });
    fill(&server.url("postgres")).unwrap();
    let place = Place::Url(server.url("postgres"));
    let world =
        TestWorld::build().place(place).with_system(SystemSpec::verify(100_000, 10)).start().await;
    let mut replies = vec![];
    let mut told = 0;
    for wait_ms in [20, 60, 110] {
        let mut started = vec![];
        for i in 0..900 {
            let query = world.verify(&SYSTEM.plan(), &world.people[i % 300]);
            let id = query.request_id.to_string();
            started.push((id, world.start(world.caller(&SYSTEM.plan()), query)));
            if i % 100 == 99 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        server.stop_immediate();
        server.start_again();
        for (id, task) in started {
            replies.push((id, task.await.unwrap()));
        }
        told = replies.iter().filter(|(_, r)| r.journal_index.is_some()).count();
        // It serves again without a restart of the node.
        let again = world.verify(&SYSTEM.plan(), &world.people[0]);
        let (id, gate) = (again.request_id.to_string(), world.gate().clone());
        let caller = world.caller(&SYSTEM.plan());
        until("the ledger commits again", || async {
            reason(&gate.ask(&caller, &again).await).is_none()
        })
        .await;
        assert!(!id.is_empty());
        hold_true(&world, &replies);
    }
    assert!(told > 0, "nothing was told before a stop");
}

/// Milliseconds by which the clock of the next test's node is ahead.
static AHEAD: AtomicI64 = AtomicI64::new(0);

fn clock_of_node() -> Moment {
    clock().plus_ms(AHEAD.load(Ordering::Acquire))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_clock_is_off_journals_nothing_until_it_is_set() {
    let world = TestWorld::build().with_system(SystemSpec::verify(100, 10)).start().await;
    let node = Node::with_clock(&world, clock_of_node);
    let query = || world.verify(&SYSTEM.plan(), &world.people[0]);
    assert_eq!(reason(&node.ask(&world, &query()).await), None);
    // Told by the next transaction, not by a look now and then; in either direction.
    for ahead in [3_000, -3_000] {
        AHEAD.store(ahead, Ordering::Release);
        let reply = node.ask(&world, &query()).await;
        assert_eq!((reason(&reply), reply.journal_index), (Some(Reason::CannotJournal), None));
        assert!(!node.gate.store().ledger().is_well());
        assert_eq!(reason(&world.ask(&SYSTEM.plan(), &query()).await), None, "the other goes on");
        AHEAD.store(1_000, Ordering::Release);
        assert_eq!(reason(&node.ask(&world, &query()).await), None, "a second is no difference");
        assert!(node.gate.store().ledger().is_well());
    }
    // A node that nobody asks says so too, and comes back by itself.
    let well = || std::future::ready(node.gate.store().ledger().is_well());
    AHEAD.store(3_000, Ordering::Release);
    until("the idle node is not well", || async { !well().await }).await;
    AHEAD.store(0, Ordering::Release);
    until("the idle node is well again", well).await;
    assert_eq!(reason(&node.ask(&world, &query()).await), None);
    caught_up(&world).await;
}

/// What the proxy does with the next batch that it sees.
const PASS: u8 = 0;
const CUT_BEFORE: u8 = 1;
const CUT_AFTER: u8 = 2;

/// A way to a server that can cut a connection at a COMMIT, before or after it went through.
fn proxy(to: u16, order: Arc<AtomicU8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(("127.0.0.1", to)) else { continue };
            let (back, out) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            let cut = Arc::new(AtomicBool::new(false));
            let (told, committed) = mpsc::channel();
            let on_the_way_back = cut.clone();
            std::thread::spawn(move || answer(back, out, &on_the_way_back, &told));
            let order = order.clone();
            std::thread::spawn(move || forward(client, server, &order, &cut, &committed));
        }
    });
    own
}

/// The way back. Once it is `cut` nothing comes through, and that the server has committed is told.
fn answer(mut server: TcpStream, mut client: TcpStream, cut: &AtomicBool, told: &Sender<()>) {
    let mut buffer = vec![0; 65_536];
    while let Ok(n @ 1..) = server.read(&mut buffer) {
        if cut.load(Ordering::Acquire) {
            if buffer[..n].windows(7).any(|w| w == b"COMMIT\0") {
                let _ = told.send(());
            }
        } else if client.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
}

fn forward(
    mut client: TcpStream,
    mut server: TcpStream,
    order: &AtomicU8,
    cut: &AtomicBool,
    committed: &Receiver<()>,
) {
    let mut buffer = vec![0; 65_536];
    while let Ok(n @ 1..) = client.read(&mut buffer) {
        // A batch carries its sealed entries along with COMMIT; reads end with a COMMIT alone.
        let batch = n > 500 && buffer[..n].windows(6).any(|w| w == b"COMMIT");
        let order = if batch { order.swap(PASS, Ordering::AcqRel) } else { PASS };
        if order == CUT_BEFORE {
            let _ = client.shutdown(Shutdown::Both);
            let _ = server.shutdown(Shutdown::Both);
            return;
        }
        if order == CUT_AFTER {
            // The answer must not come through: the way back is closed first. The rest of what
            // was sent may come in a read of its own.
            cut.store(true, Ordering::Release);
            let _ = client.shutdown(Shutdown::Write);
        }
        if server.write_all(&buffer[..n]).is_err() {
            return;
        }
    }
    if cut.load(Ordering::Acquire) {
        // A server that cannot send its answers rolls back: it keeps its connection until it has
        // committed.
        let _ = committed.recv_timeout(Duration::from_secs(20));
    }
    let _ = server.shutdown(Shutdown::Both);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_f1_a_commit_whose_answer_is_lost_is_asked_for() {
    let server = Server::start(&Options { durable: true, tcp: true, ..Options::default() });
    fill(&server.url("postgres")).unwrap();
    let order = Arc::new(AtomicU8::new(PASS));
    let port = proxy(server.port(), order.clone());
    let place = Place::Url(format!("postgres://dancu@127.0.0.1:{port}/postgres"));
    let world =
        TestWorld::build().place(place).with_system(SystemSpec::verify(10_000, 10)).start().await;
    let mut replies = vec![];
    for round in 0..24 {
        let cut = if round % 2 == 0 { CUT_AFTER } else { CUT_BEFORE };
        order.store(cut, Ordering::Release);
        let query = world.verify(&SYSTEM.plan(), &world.people[round]);
        let reply = world.ask(&SYSTEM.plan(), &query).await;
        assert_eq!(order.load(Ordering::Acquire), PASS, "round {round}: no COMMIT was cut");
        assert_eq!(reason(&reply), None, "round {round}: it is known what became of it");
        replies.push((query.request_id.to_string(), reply));
    }
    hold_true(&world, &replies);
    assert_eq!(world.used(SYSTEM.line(Service::CitizenVerify, Window::InHours)), 24);
    // An act in doubt too.
    order.store(CUT_AFTER, Ordering::Release);
    let before = world.store().ledger().next_index();
    let index = world
        .act("system.suspended", |db, _| db.set_system_state(SYSTEM, ConnectionState::Suspended))
        .await;
    assert_eq!((index, world.entries().len() as u64), (before, before + 1));
}
