//! Engines that fail: nothing is answered unjournaled, nothing is counted, nothing needs a restart.

use std::process::Command;

use dancu_domain::ids::SubjectId;
use dancu_domain::refusal::Reason;
use dancu_domain::service::{Service, Window};
use dancu_gate::path::Cause;
use dancu_gate::query::{Answer, Ask};
use dancu_journal::Decision;

use crate::support::*;

const SYSTEM: TestSystem = TestSystem(1);
const CANNOT: Option<Reason> = Some(Reason::CannotJournal);

fn line() -> dancu_domain::ids::LineId {
    SYSTEM.line(Service::CitizenVerify, Window::InHours)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_before_the_answer_does_not_read_the_registry() {
    let world = TestWorld::build().with_system(SystemSpec::verify(2, 10)).start().await;
    let account = SYSTEM.plan();
    let person = &world.people[0];
    world.ask_verify(&account, person).await;
    world.registry_goes();
    let revoked = world.ask_verify(&SYSTEM.revoked(), person).await;
    assert_eq!(reason(&revoked), Some(Reason::AccountUnknown));
    let lookup = world.query(&account, by_personal_id(person), Ask::Lookup);
    let reply = world.ask(&account, &lookup).await;
    assert_eq!(reason(&reply), Some(Reason::ServiceNotGranted));
    assert!(reply.journal_index.is_some());
    let (next, used) = (world.store().ledger().next_index(), world.used(line()));
    let question = world.verify(&account, person);
    for _ in 0..3 {
        let reply = world.ask(&account, &question).await;
        assert_eq!(reason(&reply), CANNOT);
        assert_eq!((reply.journal_index, reply.usage), (None, None));
    }
    assert_eq!((world.store().ledger().next_index(), world.used(line())), (next, used));
    world.registry_comes();
    assert_eq!(reason(&world.ask(&account, &question).await), None);
    assert_eq!(world.last_query().decision, Decision::Accepted);
    // The line is full now: refused without a look, again with no registry.
    world.registry_goes();
    let full = world.ask_verify(&account, person).await;
    assert_eq!(reason(&full), Some(Reason::LineUsedUp));
    world.registry_comes();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_commit_answers_nothing_and_counts_nothing() {
    let world = TestWorld::build().with_system(SystemSpec::verify(10, 10)).start().await;
    let account = SYSTEM.plan();
    world.ask_verify(&account, &world.people[0]).await;
    let question = world.verify(&account, &world.people[1]);
    world.commits_fail().await;
    for _ in 0..3 {
        let reply = world.ask(&account, &question).await;
        assert_eq!((reason(&reply), reply.journal_index), (CANNOT, None));
        let refused = world.ask_verify(&SYSTEM.revoked(), &world.people[1]).await;
        assert_eq!(reason(&refused), CANNOT, "refusals are journaled too");
    }
    assert_eq!((world.store().ledger().next_index(), world.used(line())), (2, 1));
    assert_eq!(world.store().requests().len(), 1);
    // What was shed is told apart later, by minute, source and cause.
    let shed = world.gate().failures.take(None);
    let [shed] = &shed[..] else { panic!("{shed:?}") };
    assert_eq!((shed.cause, shed.count), (Cause::Shed as u8, 6));
    world.commits_work().await;
    let reply = world.ask(&account, &question).await;
    assert_eq!((reason(&reply), reply.journal_index), (None, Some(2)));
    assert_eq!(world.last_query().decision, Decision::Accepted);
    assert_eq!(reply.usage.unwrap().remaining, 8);
}

/// A client that repeats a refused question cannot fill the journal; the others go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d7_refusals_in_a_flood_are_journaled_together() {
    let specs = (SystemSpec::verify(10, 10), SystemSpec::verify(10, 10));
    let world = TestWorld::build().with_system(specs.0).with_system(specs.1).start().await;
    let (person, revoked) = (&world.people[0], SYSTEM.revoked());
    for _ in 0..20 {
        let asked = (0..500).map(|_| world.ask_verify(&revoked, person));
        for reply in futures_util::future::join_all(asked).await {
            assert_eq!(reason(&reply), Some(Reason::AccountUnknown));
            assert!(reply.journal_index.is_some());
        }
    }
    let next = world.store().ledger().next_index();
    let shed = world.ask_verify(&SYSTEM.revoked(), person).await;
    assert_eq!((reason(&shed), shed.journal_index), (Some(Reason::PaceRequests), None));
    assert_eq!(shed.result.unwrap_err().refusal.retry_after_s, Some(1));
    assert_eq!(world.store().ledger().next_index(), next);
    let aggregate = world.gate().failures.take(None);
    let [aggregate] = &aggregate[..] else { panic!("{aggregate:?}") };
    assert_eq!((aggregate.cause, aggregate.count), (Cause::Refusals as u8, 1));
    // What is in order is answered, to the same system and to another.
    for system in [SYSTEM, TestSystem(2)] {
        assert_eq!(reason(&world.ask_verify(&system.plan(), person).await), None);
    }
    assert_eq!(
        reason(&world.ask_verify(&TestSystem(2).revoked(), person).await),
        Some(Reason::AccountUnknown)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_act_changes_nothing() {
    let world = TestWorld::build().with_system(SystemSpec::verify(10, 10)).start().await;
    world.commits_fail().await;
    let epoch = world.store().ledger().epoch();
    let suspended = dancu_domain::registration::ConnectionState::Suspended;
    let act = world.store().ledger().act(world.now(), move |db, _| {
        dancu_store::policy::write::set_system_state(db, SYSTEM.id(), suspended)?;
        Err(dancu_store::Error::Damaged("fault of the test"))
    });
    assert!(act.await.is_err());
    world.commits_work().await;
    assert_eq!(world.store().ledger().epoch(), epoch);
    assert_eq!(reason(&world.ask_verify(&SYSTEM.plan(), &world.people[0]).await), None);
}

/// The journal stays readable while nothing can be written: that is when it is looked at.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_journal_is_readable_while_commits_fail() {
    let world = TestWorld::build().with_system(SystemSpec::verify(10, 10)).start().await;
    let reply = world.ask_verify(&SYSTEM.plan(), &world.people[0]).await;
    world.commits_fail().await;
    world.ask_verify(&SYSTEM.plan(), &world.people[1]).await;
    let entry = world.store().entry(reply.journal_index.unwrap());
    let id = SubjectId::Personal(world.people[0].personal_id);
    let about = world.store().entries_about(id, 10);
    world.commits_work().await;
    assert!(entry.is_ok(), "{:?}", entry.err());
    assert_eq!(about.unwrap().len(), 1);
}

/// The same at the end of a month: the next commit brings back the keys of its own month only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn last_months_journal_is_readable_after_a_failed_commit() {
    let world = TestWorld::build().with_system(SystemSpec::verify(10, 10)).start().await;
    let reply = world.ask_verify(&SYSTEM.plan(), &world.people[0]).await;
    world.commits_fail().await;
    world.ask_verify(&SYSTEM.plan(), &world.people[1]).await;
    world.commits_work().await;
    world.set_clock(at("2026-04-01T09:00:00+07:00"));
    assert_eq!(reason(&world.ask_verify(&SYSTEM.plan(), &world.people[1]).await), None);
    let entry = world.store().entry(reply.journal_index.unwrap());
    assert!(entry.is_ok(), "{:?}", entry.err());
}

/// A year's pseudonym key that was made in a commit that failed must not be used: after a restart
/// it would be gone, and with it the way to find whom the entries are about.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pseudonym_key_of_a_failed_commit_is_not_used() {
    let mut world = TestWorld::build().with_system(SystemSpec::verify(10, 10)).start().await;
    let account = SYSTEM.plan();
    let person = world.people[0].clone();
    // 2026 and 2027 are made at the start; 2029 and 2030 are missing.
    world.set_clock(at("2029-01-02T09:00:00+07:00"));
    world.commits_fail().await;
    assert_eq!(reason(&world.ask_verify(&account, &person).await), CANNOT);
    world.commits_work().await;
    let reply = world.ask_verify(&account, &person).await;
    assert_eq!(reason(&reply), None);
    world.reopen();
    let id = SubjectId::Personal(person.personal_id);
    let found = world.store().entries_about(id, 10).unwrap();
    let found: Vec<_> = found.iter().map(|e| e.index).collect();
    assert_eq!(found, [reply.journal_index.unwrap()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_key_of_a_failed_commit_is_made_again() {
    let mut world = TestWorld::build().with_system(SystemSpec::verify(10, 10)).start().await;
    let account = SYSTEM.plan();
    world.set_clock(at("2026-07-01T09:00:00+07:00"));
    world.commits_fail().await;
    assert_eq!(reason(&world.ask_verify(&account, &world.people[0]).await), CANNOT);
    world.commits_work().await;
    assert_eq!(reason(&world.ask_verify(&account, &world.people[0]).await), None);
    world.reopen();
    assert_eq!(world.entries().len(), 2);
}

/// The search is derived: if it cannot be written, the store still stops, and finds it again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_stops_although_its_search_cannot_be_written() {
    let mut world = TestWorld::build().with_system(SystemSpec::verify(10, 10)).start().await;
    let mut faulty = world.search();
    faulty.tx().batch(&fault_on("run", "INSERT")).unwrap();
    let reply = world.ask_verify(&SYSTEM.plan(), &world.people[0]).await;
    let (store, (ended, told)) = (world.store().clone(), std::sync::mpsc::channel());
    let stopper = std::thread::spawn(move || {
        store.stop();
        drop(store);
        let _ = ended.send(());
    });
    let in_time = told.recv_timeout(std::time::Duration::from_secs(5)).is_ok();
    // Lets the thread end either way, before the test says what it saw.
    faulty.tx().batch(&no_fault_on("run")).unwrap();
    drop(faulty);
    stopper.join().unwrap();
    assert!(in_time, "the store did not stop within 5 s");
    world.reopen();
    let id = SubjectId::Personal(world.people[0].personal_id);
    let found = world.store().entries_about(id, 10).unwrap();
    assert_eq!(found.iter().map(|e| Some(e.index)).collect::<Vec<_>>(), [reply.journal_index]);
}

/// On a small disk of its own, which only an administrator may mount; elsewhere the next test shows
/// the same with files that may not grow.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_answers_nothing_and_needs_no_restart() {
    if crate::ENGINE != dancu_store::engine::Engine::Sqlite {
        // The disk is the server's: there the engine's own tests look at its fault.
        return;
    }
    let Ok(folder) = Folder::small_disk(24) else { return };
    let filler = |world: &TestWorld| world.dir().join("filler");
    without_room(folder, |w| fill_up(&filler(w)), |w| std::fs::remove_file(filler(w)).unwrap())
        .await;
}

/// Tells the child of the next test what it is.
const LIMITED: &str = "DANCU_TEST_LIMITED";

/// The same where the process may not write beyond a size: that limit is of a whole process, so it
/// runs in one of its own, with the limit's signal ignored.
#[test]
fn files_that_may_not_grow_answer_nothing_and_need_no_restart() {
    if crate::ENGINE != dancu_store::engine::Engine::Sqlite {
        return;
    }
    let ignoring = ["-c", "trap '' XFSZ; exec \"$0\" \"$@\""];
    let done = Command::new("/bin/sh")
        .args(ignoring)
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "cases::faults::with_files_that_may_not_grow"])
        .env(LIMITED, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the test before it runs it, in a process whose files are limited"]
async fn with_files_that_may_not_grow() {
    if std::env::var_os(LIMITED).is_none() {
        return;
    }
    let limit = |world: &TestWorld| {
        let wal = world.dir().join(format!("{}-wal", dancu_store::CORE_FILE));
        may_grow_to(&(std::fs::metadata(wal).unwrap().len() + 65_536).to_string());
    };
    without_room(Folder::new(), limit, |_| may_grow_to("unlimited")).await;
}

/// Sets the size beyond which this process may write no file.
fn may_grow_to(bytes: &str) {
    let own = std::process::id().to_string();
    let set = Command::new("prlimit").args(["--pid", &own, &format!("--fsize={bytes}:")]).status();
    assert!(set.unwrap().success());
}

/// Nothing is answered or counted while there is no room, and nothing needs a restart afterwards.
async fn without_room(
    folder: Folder,
    take_room: impl FnOnce(&TestWorld),
    give_room: impl FnOnce(&TestWorld),
) {
    let mut world = TestWorld::build()
        .folder(folder)
        .with_system(SystemSpec::verify(100_000, 10))
        .start()
        .await;
    let account = SYSTEM.plan();
    assert_eq!(reason(&world.ask_verify(&account, &world.people[0]).await), None);
    take_room(&world);
    // The log of the engine may still have room of its own: ask until it has not.
    let mut refused = 0;
    for i in 0..20_000 {
        let reply = world.ask_verify(&account, &world.people[i % 300]).await;
        match reason(&reply) {
            None => assert_eq!(refused, 0, "answered again although there is no room"),
            reason => {
                assert_eq!((reason, reply.journal_index), (CANNOT, None));
                refused += 1;
            }
        }
        if refused == 20 {
            break;
        }
    }
    assert_eq!(refused, 20, "there was always room");
    let (next, used) = (world.store().ledger().next_index(), world.used(line()));
    let question = world.verify(&account, &world.people[0]);
    assert_eq!(reason(&world.ask(&account, &question).await), CANNOT);
    assert_eq!((world.store().ledger().next_index(), world.used(line())), (next, used));
    give_room(&world);
    let reply = world.ask(&account, &question).await;
    assert!(matches!(reply.result, Ok(Answer::Match { .. })), "{reply:?}");
    assert_eq!(reply.journal_index, Some(next));
    let id = SubjectId::Personal(world.people[0].personal_id);
    let before = world.store().entries_about(id, 100_000).unwrap().len();
    world.reopen();
    assert_eq!(world.store().entries_about(id, 100_000).unwrap().len(), before);
}

fn fill_up(path: &std::path::Path) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(path).unwrap();
    for size in [65_536, 4_096, 512, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}
