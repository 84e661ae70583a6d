//! The pace of an account (D7), asked of two nodes.

use futures_util::future::join_all;

use super::*;

/// Burst and distinct persons of an officer, as the profile ships them.
const BURST: usize = 10;
const PERSONS: usize = 20;

async fn world() -> (TestWorld, Node) {
    let world = TestWorld::build().with_system(SystemSpec::verify(1_000, 1_000)).start().await;
    let node = Node::of(&world);
    (world, node)
}

/// Waits until the other node has taken over what this world's own one committed.
async fn followed(world: &TestWorld, node: &Node) {
    let (ours, theirs) = (world.store().ledger(), node.gate.store().ledger());
    until("the other node follows", || {
        std::future::ready(ours.next_index() == theirs.next_index())
    })
    .await;
}

/// How many of these questions are answered; the others are refused for the pace.
async fn answered(world: &TestWorld, gate: &Gate, people: std::ops::Range<usize>) -> usize {
    let mut answered = 0;
    for n in people {
        let query = world.verify(&SYSTEM.officer(), &world.people[n]);
        match reason(&gate.ask(&world.caller(&SYSTEM.officer()), &query).await) {
            None => answered += 1,
            other => assert_eq!(other, Some(Reason::PaceRequests)),
        }
    }
    answered
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d7_two_nodes_have_one_burst() {
    let (world, node) = world().await;
    assert_eq!(answered(&world, world.gate(), 0..7).await, 7);
    followed(&world, &node).await;
    assert_eq!(answered(&world, &node.gate, 7..17).await, BURST - 7);
    followed(&world, &node).await;
    assert_eq!(answered(&world, world.gate(), 0..1).await, 0, "and back");
    // One more each two seconds, whichever node is asked.
    let (now, mut more) = (world.now(), 0);
    for second in 1..=10 {
        world.set_clock(now.plus_ms(second * 1_000));
        more += answered(&world, world.gate(), 0..1).await;
        caught_up(&world).await;
        followed(&world, &node).await;
        more += answered(&world, &node.gate, 0..1).await;
        caught_up(&world).await;
        followed(&world, &node).await;
    }
    assert_eq!(more, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d7_persons_of_a_minute_are_those_of_all_nodes() {
    let (world, node) = world().await;
    let (now, officer) = (world.now(), SYSTEM.officer());
    let mut told = 0;
    let mut refused = vec![];
    // 30 a minute, by turns: the pace of requests never stands in the way.
    for n in 0..28 {
        world.set_clock(now.plus_ms(n as i64 * 2_001));
        let gate = if n % 2 == 0 { world.gate() } else { &node.gate };
        let query = world.verify(&officer, &world.people[n]);
        match reason(&gate.ask(&world.caller(&officer), &query).await) {
            None => told += 1,
            other => refused.push(other),
        }
        caught_up(&world).await;
        followed(&world, &node).await;
    }
    assert_eq!(told, PERSONS);
    assert!(refused.iter().all(|r| *r == Some(Reason::PacePersons)), "{refused:?}");
    // Somebody who was asked about on the other node is no further person.
    let known = world.verify(&officer, &world.people[19]);
    assert_eq!(reason(&world.ask(&officer, &known).await), None);
    caught_up(&world).await;
}

/// Asked at once, before any node knows of the other: at most one burst each, and no more for it
/// later, since what was too much is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d7_what_two_nodes_admit_at_once_is_bounded_and_made_up_for() {
    let (world, node) = world().await;
    let now = world.now();
    let both = [answered(&world, world.gate(), 0..15), answered(&world, &node.gate, 0..15)];
    let told: usize = join_all(both).await.into_iter().sum();
    assert!((BURST..=2 * BURST).contains(&told), "{told}");
    caught_up(&world).await;
    followed(&world, &node).await;
    // Nothing before the debt is paid, at 30 a minute.
    let paid = now.plus_ms((told - BURST) as i64 * 2_000);
    world.set_clock(paid.plus_ms(-1));
    for gate in [world.gate(), &node.gate] {
        assert_eq!(answered(&world, gate, 0..1).await, 0);
    }
    world.set_clock(paid.plus_ms(2_001));
    assert_eq!(answered(&world, world.gate(), 0..1).await, 1);
    followed(&world, &node).await;
    assert_eq!(answered(&world, &node.gate, 0..1).await, 0);
    caught_up(&world).await;
}

/// A client that repeats a refused question fills the journal on all nodes no faster than on one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d7_a_flood_of_refusals_is_one_for_all_nodes() {
    let (world, node) = world().await;
    let (person, revoked) = (&world.people[0], SYSTEM.revoked());
    for _ in 0..20 {
        let asked = (0..500).map(|_| world.ask_verify(&revoked, person));
        for reply in join_all(asked).await {
            assert_eq!(reason(&reply), Some(Reason::AccountUnknown));
        }
    }
    followed(&world, &node).await;
    let query = world.verify(&revoked, person);
    let shed = node.gate.ask(&world.caller(&revoked), &query).await;
    assert_eq!((reason(&shed), shed.journal_index), (Some(Reason::PaceRequests), None));
    // What is in order is answered there all the same.
    assert_eq!(reason(&node.ask(&world, &world.verify(&SYSTEM.plan(), person)).await), None);
    caught_up(&world).await;
}
