//! What was proved on one node and does not hold any more on another: headers used by requests that
//! leave no entry, assertions, credentials that were changed meanwhile.

use dancu_access::AuthFailure;
use dancu_access::client::ProvedClient;
use dancu_access::soap::SoapProof;
use dancu_gate::Caller;
use dancu_gate::path::unavailable;
use dancu_journal::Act;
use dancu_store::used::UsedAssertion;

use super::*;

const SOURCE: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
const BOTH: [usize; 2] = [0, 1];

async fn world() -> (TestWorld, Node) {
    let world = TestWorld::build().with_system(SystemSpec::verify(500, 10)).start().await;
    let node = Node::of(&world);
    (world, node)
}

fn proof(world: &TestWorld, triple: u8) -> SoapProof {
    let system = world.gate().snapshot().by_id(SYSTEM.id()).unwrap().clone();
    SoapProof { system, triple: [triple; 16], until: clock().0 + 300_000, secret: 0 }
}

/// Reads something with a header, as the handler does.
async fn read(world: &TestWorld, gate: &Gate, triple: u8, body: u8) -> Result<(), AuthFailure> {
    let used = gate.use_header(&proof(world, triple), [body; 16], SOURCE, clock().0)?;
    let caller = Caller { header: Some(used), ..world.caller(&SYSTEM.plan()) };
    let told = gate.use_up(&caller).await;
    gate.unless_replayed(&caller, unavailable())?;
    assert!(told, "neither used up nor replayed");
    Ok(())
}

/// Asks with one, which leaves an entry.
async fn ask(world: &TestWorld, gate: &Gate, triple: u8, body: u8) -> Result<(), AuthFailure> {
    let mut query = world.verify(&SYSTEM.plan(), &world.people[0]);
    query.body = [body; 16];
    let used = gate.use_header(&proof(world, triple), query.body, SOURCE, clock().0)?;
    let caller = Caller { header: Some(used), ..world.caller(&SYSTEM.plan()) };
    let reply = gate.ask(&caller, &query).await;
    gate.unless_replayed(&caller, reply).map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_that_left_no_entry_is_refused_with_another_body_on_another_node() {
    let (world, node) = world().await;
    let gates = [world.gate().clone(), node.gate.clone()];
    let replayed = Err(AuthFailure::Replayed);
    // At once, before the other node has looked by itself: settling finds it.
    assert_eq!(read(&world, &gates[0], 1, 1).await, Ok(()));
    assert_eq!(read(&world, &gates[1], 1, 2).await, replayed);
    assert_eq!(read(&world, &gates[0], 2, 1).await, Ok(()));
    assert_eq!(ask(&world, &gates[1], 2, 2).await, replayed, "nor for a question");
    assert_eq!(ask(&world, &gates[0], 3, 1).await, Ok(()));
    assert_eq!(read(&world, &gates[1], 3, 2).await, replayed, "nor after one");
    let entries = world.entries().len();
    // The body that it is bound to is answered everywhere, again and again.
    for at in [0, 1, 1, 0] {
        assert_eq!(read(&world, &gates[at], 1, 1).await, Ok(()));
    }
    assert_eq!(world.entries().len(), entries);
    // A node that comes later, and one that starts anew, know it too.
    let late = Node::of(&world);
    for (triple, other) in [(1, 2), (2, 2), (3, 2)] {
        assert_eq!(read(&world, &late.gate, triple, other).await, replayed);
    }
    // Both at once, another body each: one is refused, on both nodes from then on.
    for triple in 10..40 {
        let [a, b] = BOTH.map(|at| read(&world, &gates[at], triple, 1 + at as u8));
        let (one, two) = tokio::join!(a, b);
        assert!(one.is_ok() != two.is_ok(), "round {triple}");
        let (won, lost) = if one.is_ok() { (1, 2) } else { (2, 1) };
        for gate in &gates {
            assert_eq!(read(&world, gate, triple, won).await, Ok(()), "round {triple}");
            assert_eq!(read(&world, gate, triple, lost).await, replayed, "round {triple}");
        }
    }
    caught_up(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assertion_gives_one_token_over_all_nodes() {
    let (world, node) = world().await;
    let gates = [world.gate(), &node.gate];
    let system = world.gate().snapshot().by_id(SYSTEM.id()).unwrap().clone();
    let entries = world.entries().len();
    for mark in 0..20 {
        let assertion = UsedAssertion { mark: [mark; 16], until: clock().0 + 600_000 };
        let assertion = Some(assertion);
        let client = ProvedClient { assertion, ..by_secret(system.clone()) };
        let [a, b] =
            BOTH.map(|at| gates[at].issue_token(&client, None, SOURCE, world.now(), clock().0));
        let (one, two) = tokio::join!(a, b);
        let refused = [one.err(), two.err()].into_iter().flatten().collect::<Vec<_>>();
        assert_eq!(refused, [AuthFailure::Replayed], "round {mark}");
    }
    assert_eq!(world.entries().len(), entries + 20);
    caught_up(&world).await;
}

/// Credentials that are changed on one node open nothing on another from then on: no token, and no
/// read, which passes no ledger.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e3_a_caller_revoked_on_one_node_reads_nothing_on_another() {
    let (world, node) = world().await;
    for version in 2..12u32 {
        let gate = &node.gate;
        let known = gate.snapshot().by_id(SYSTEM.id()).unwrap().clone();
        assert!(gate.fresh(&known, world.now()).await.is_ok(), "round {version}");
        let act = world.store().ledger().act(world.now(), move |tx, _| {
            let sql = "UPDATE system SET credential_version = $1";
            tx.execute(sql, dancu_store::values![version])?;
            let (kind, actor) = ("system.credentials".into(), "thử nghiệm".into());
            Ok(Body::Act(Act { kind, actor, system: 1, detail: String::new() }))
        });
        act.await.unwrap();
        // At once: the node has not looked by itself, which it does every half second.
        let read = gate.fresh(&known, world.now()).await;
        assert_eq!(read.err(), Some(AuthFailure::Wrong), "round {version}");
        let old = by_secret(known);
        let issued = gate.issue_token(&old, None, SOURCE, world.now(), clock().0).await;
        assert_eq!(issued.err(), Some(AuthFailure::Wrong), "round {version}");
    }
    // What else is registered is read as it is now, too.
    let state = ConnectionState::Suspended;
    world.act("system.state", move |db, _| db.set_system_state(SYSTEM, state)).await;
    let known = node.gate.snapshot().by_id(SYSTEM.id()).unwrap().clone();
    assert_eq!(known.state, ConnectionState::Live);
    assert_eq!(node.gate.fresh(&known, world.now()).await.unwrap().state, state);
    caught_up(&world).await;
}
