//! Jobs on several nodes: who has to be yielded to, and changes that the database asks to repeat.

use dancu_gate::jobs::types::JobState;

use super::*;
use crate::cases::jobs::{acts, batches, drive, status, submit};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_on_another_node_is_yielded_to() {
    let world = TestWorld::build().with_system(batches(500, 10)).start().await;
    let node = Node::of(&world);
    let before = world.gate().asked();
    // What is asked under a plan is a job there, or something else that nobody waits for.
    let query = world.verify(&SYSTEM.plan(), &world.people[0]);
    assert_eq!(reason(&node.ask(&world, &query).await), None);
    caught_up(&world).await;
    assert_eq!(world.gate().asked(), before);
    for person in &world.people[..5] {
        let query = world.verify(&SYSTEM.officer(), person);
        let reply = node.gate.ask(&world.caller(&SYSTEM.officer()), &query).await;
        assert_eq!(reason(&reply), None);
    }
    caught_up(&world).await;
    assert_eq!(world.gate().asked(), before + 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_a_job_that_is_to_be_repeated_is_repeated() {
    let world = TestWorld::build().with_system(batches(500, 10)).start().await;
    // The first two tries of every change are a conflict; a sequence is not taken back. Each change
    // has one statement on these columns.
    let fault = "CREATE SEQUENCE tries; \
                 CREATE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 IF nextval('tries') % 3 <> 0 THEN \
                 RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END IF; RETURN NULL; END $$; \
                 CREATE TRIGGER conflict BEFORE INSERT OR UPDATE OF bytes, state, row_count \
                 ON job FOR EACH STATEMENT EXECUTE FUNCTION conflict()";
    world.core().tx().batch(fault).unwrap();
    let id = submit(&world, 30).await;
    drive(&world, [1; 16]).await;
    let job = status(&world, id);
    assert_eq!((job.state, job.counts.accepted), (JobState::Done, 29));
    assert_eq!((acts(&world, "job.submitted"), acts(&world, "job.done")), (1, 1));
}
