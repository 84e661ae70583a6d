//! A primary that dies and its standby that takes over; a pool in which every place is taken.

use super::*;

fn ask_in_background(
    gate: &Arc<Gate>,
    world: &TestWorld,
    person: usize,
) -> (String, tokio::task::JoinHandle<Reply>) {
    let query = world.verify(&SYSTEM.plan(), &world.people[person % 300]);
    let (id, gate) = (query.request_id.to_string(), gate.clone());
    let caller = world.caller(&SYSTEM.plan());
    (id, tokio::spawn(async move { gate.ask(&caller, &query).await }))
}

/// Everything that was told before the primary died stands in the standby's journal, which both
/// nodes find by the list of hosts in their URL, without a restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_f1_a_promoted_standby_has_all_that_was_told() {
    let primary = Server::start(&Options { durable: true, tcp: true, ..Options::default() });
    fill(&primary.url("postgres")).unwrap();
    let standby = primary.synchronous_standby();
    let hosts = format!("127.0.0.1:{},127.0.0.1:{}", primary.port(), standby.port());
    let place = Place::Url(format!("postgres://dancu@{hosts}/postgres"));
    let world =
        TestWorld::build().place(place).with_system(SystemSpec::verify(100_000, 10)).start().await;
    let node = Node::of(&world);
    let gates = [world.gate().clone(), node.gate.clone()];
    let mut started = vec![];
    for i in 0..800 {
        started.push(ask_in_background(&gates[i % 2], &world, i));
        if i % 50 == 49 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    primary.stop_immediate();
    standby.promote();
    let mut replies = vec![];
    for (id, task) in started {
        replies.push((id, task.await.unwrap()));
    }
    let told = replies.iter().filter(|(_, r)| r.journal_index.is_some()).count();
    assert!(told > 0, "nothing was told before the primary died");
    for gate in &gates {
        until("a node commits on the promoted standby", || async {
            let (id, task) = ask_in_background(gate, &world, 0);
            let reply = task.await.unwrap();
            let answered = reason(&reply).is_none();
            assert!(answered || reply.journal_index.is_none(), "{id}");
            answered
        })
        .await;
    }
    // Own reads too, whose connections nobody used since the primary died.
    for gate in &gates {
        assert!(gate.store().entry(0).unwrap().is_some());
        assert!(!gate.store().entries_of_system(SYSTEM.0, 0, 10).unwrap().is_empty());
    }
    caught_up(&world).await;
    hold_true(&world, &replies);
    let port = standby.sql("postgres", "SELECT COUNT(*) > 0 FROM entry_chunk");
    assert_eq!(port, "t", "the journal is the promoted one's");
}

/// Look-ups beyond the pool's places are refused soon, and the node goes on when there is room.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_without_a_place_answers_503_soon() {
    let server = Server::start(&Options { durable: true, ..Options::default() });
    fill(&server.url("postgres")).unwrap();
    let place = Place::Url(server.url("postgres"));
    let world =
        TestWorld::build().place(place).with_system(SystemSpec::verify(1_000, 10)).start().await;
    // Every look-up waits for this table, four groups at a time; the others wait 800 ms for a
    // place.
    let mut held = crate::support::engine::connect(&server.url("postgres"));
    held.begin(dancu_store::engine::Mode::Write).unwrap();
    held.tx().batch("LOCK TABLE person IN ACCESS EXCLUSIVE MODE").unwrap();
    let began = clock();
    let started: Vec<_> = (0..300).map(|i| ask_in_background(world.gate(), &world, i)).collect();
    let release = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(3)).await;
        held.rollback();
    });
    let (mut shed, mut answered) = (0, 0);
    for (_, task) in started {
        let reply = task.await.unwrap();
        let took = clock().0 - began.0;
        match reason(&reply) {
            Some(Reason::CannotJournal) => {
                shed += 1;
                assert_eq!(reply.journal_index, None);
            }
            None => {
                answered += 1;
                assert!(took >= 3_000, "answered while the table was locked");
            }
            other => panic!("{other:?}"),
        }
        assert!(took < 8_000, "a question waited {took} ms");
    }
    assert_eq!(shed + answered, 300);
    assert!(shed >= 16 && answered >= 4, "{shed} refused, {answered} answered");
    release.await.unwrap();
    assert_eq!(reason(&world.ask_verify(&SYSTEM.plan(), &world.people[0]).await), None);
}
