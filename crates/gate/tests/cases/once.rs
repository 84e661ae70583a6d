//! What may be used once, after a restart too: headers of requests that leave no entry, and client
//! assertions; and proofs that do not hold any more when something is given for them.

use std::net::IpAddr;
use std::sync::Arc;

use dancu_access::AuthFailure;
use dancu_access::client::ProvedClient;
use dancu_access::soap::{SoapProof, may_reuse};
use dancu_domain::registration::System;
use dancu_gate::query::Reply;
use dancu_gate::{Caller, Gate};
use dancu_journal::{Act, Body};
use dancu_store::used::UsedAssertion;

use crate::support::*;

const SYSTEM: TestSystem = TestSystem(1);
/// The machine's clock.
const MACHINE: i64 = 1_772_416_800_000;
const UNTIL: i64 = MACHINE + 300_000;
const SOURCE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 1, 2, 3));

async fn world() -> TestWorld {
    TestWorld::build().with_system(SystemSpec::verify(10, 10)).start().await
}

fn system(world: &TestWorld, reuse_from: Vec<IpAddr>) -> Arc<System> {
    with_soap(world.gate().snapshot().by_id(SYSTEM.id()).unwrap(), reuse_from)
}

fn proof(world: &TestWorld, triple: u8) -> SoapProof {
    SoapProof { system: system(world, vec![]), triple: [triple; 16], until: UNTIL, secret: 0 }
}

/// Reads something with a header, as the handler does.
async fn read(world: &TestWorld, proof: &SoapProof, body: u8) -> Result<bool, AuthFailure> {
    let gate: &Gate = world.gate();
    let used = gate.use_header(proof, [body; 16], SOURCE, MACHINE)?;
    let caller = Caller { header: Some(used), ..world.caller(&SYSTEM.plan()) };
    Ok(gate.use_up(&caller).await)
}

async fn ask(world: &TestWorld, proof: &SoapProof, body: u8) -> Result<Reply, AuthFailure> {
    let mut query = world.verify(&SYSTEM.plan(), &world.people[0]);
    query.body = [body; 16];
    let used = world.gate().use_header(proof, query.body, SOURCE, MACHINE)?;
    let caller = Caller { header: Some(used), ..world.caller(&SYSTEM.plan()) };
    Ok(world.gate().ask(&caller, &query).await)
}

fn rows(world: &TestWorld) -> i64 {
    world.core().tx().one("SELECT COUNT(*) FROM used_once", &[], |r| r.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_that_left_no_entry_is_used_after_a_restart_too() {
    let mut world = world().await;
    let entries = world.entries().len();
    assert_eq!(read(&world, &proof(&world, 1), 7).await, Ok(true));
    assert!(ask(&world, &proof(&world, 2), 8).await.is_ok());
    assert_eq!((world.entries().len(), rows(&world)), (entries + 1, 1), "no entry of its own");
    for _ in 0..2 {
        world.reopen();
        for other in [8, 9] {
            let replayed = Err(AuthFailure::Replayed);
            assert_eq!(read(&world, &proof(&world, 1), other).await, replayed);
            assert!(ask(&world, &proof(&world, 1), other).await.is_err());
        }
        assert_eq!(read(&world, &proof(&world, 2), 9).await, Err(AuthFailure::Replayed));
        // The body that it is bound to may come again.
        assert_eq!(read(&world, &proof(&world, 1), 7).await, Ok(true));
    }
    assert_eq!(rows(&world), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_brought_to_disk_is_not_used_up() {
    let world = world().await;
    let fault = fault_on("used_once", "INSERT");
    let tidy = |sql: String| world.store().ledger().tidy(world.now(), move |tx| tx.batch(&sql));
    tidy(fault).await.unwrap();
    assert_eq!(read(&world, &proof(&world, 1), 7).await, Ok(false));
    let shed = world.gate().failures.take(None);
    assert_eq!(shed.iter().map(|a| a.count).sum::<u32>(), 1, "told as shed, like any question");
    tidy(no_fault_on("used_once")).await.unwrap();
    assert_eq!(read(&world, &proof(&world, 1), 7).await, Ok(true));
    assert_eq!(rows(&world), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn used_headers_and_assertions_go_when_they_are_stale() {
    let world = world().await;
    let client = |n: u8| ProvedClient {
        assertion: Some(UsedAssertion { mark: [n; 16], until: UNTIL + 60_000 }),
        ..by_secret(world.gate().snapshot().by_id(SYSTEM.id()).unwrap().clone())
    };
    let issue =
        async |n| world.gate().issue_token(&client(n), None, SOURCE, world.now(), MACHINE).await;
    for n in 0..4 {
        assert_eq!(read(&world, &proof(&world, n), 7).await, Ok(true));
        assert!(issue(n).await.is_ok());
    }
    let forget = async |at| world.store().forget_used(world.now(), at).await.unwrap();
    assert_eq!(forget(UNTIL + 10_000).await, 0, "nodes' clocks differ");
    assert_eq!(forget(UNTIL + 10_001).await, 4);
    assert_eq!(issue(1).await.unwrap_err(), AuthFailure::Replayed, "an assertion lasts longer");
    assert_eq!(forget(UNTIL + 70_001).await, 4);
    assert_eq!(rows(&world), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assertion_gives_one_token_also_after_a_restart() {
    let mut world = world().await;
    let entries = world.entries().len();
    let proved = |world: &TestWorld| ProvedClient {
        assertion: Some(UsedAssertion { mark: [1; 16], until: UNTIL }),
        ..by_secret(world.gate().snapshot().by_id(SYSTEM.id()).unwrap().clone())
    };
    let issue = async |world: &TestWorld, client: ProvedClient| {
        let issued = world.gate().issue_token(&client, None, SOURCE, world.now(), MACHINE).await;
        issued.map(drop)
    };
    assert_eq!(issue(&world, proved(&world)).await, Ok(()));
    assert_eq!(issue(&world, proved(&world)).await, Err(AuthFailure::Replayed));
    world.reopen();
    assert_eq!(issue(&world, proved(&world)).await, Err(AuthFailure::Replayed));
    assert_eq!(world.entries().len(), entries + 1, "who gets no token leaves no entry");
    // A secret may be used again and again.
    for _ in 0..2 {
        assert_eq!(issue(&world, by_secret(proved(&world).system)).await, Ok(()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e3_a_secret_revoked_since_it_was_compared_gets_no_token() {
    let world = world().await;
    let client = by_secret(world.gate().snapshot().by_id(SYSTEM.id()).unwrap().clone());
    let act = world.store().ledger().act(world.now(), |tx, _| {
        tx.execute("UPDATE system SET credential_version = 2", &[])?;
        let (kind, actor) = ("system.credentials".into(), "thử nghiệm".into());
        Ok(Body::Act(Act { kind, actor, system: 1, detail: String::new() }))
    });
    act.await.unwrap();
    let entries = world.entries().len();
    let issued = world.gate().issue_token(&client, None, SOURCE, world.now(), MACHINE).await;
    assert_eq!(issued.unwrap_err(), AuthFailure::Wrong);
    assert_eq!(world.entries().len(), entries);
    // Nor is anything read for it.
    let fresh = world.gate().fresh(&client.system, world.now()).await;
    assert_eq!(fresh.err(), Some(AuthFailure::Wrong));
    let current = world.gate().snapshot().by_id(SYSTEM.id()).unwrap().clone();
    assert!(world.gate().fresh(&current, world.now()).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_mapped_into_ipv6_is_the_one_that_is_registered() {
    let world = world().await;
    let mapped: IpAddr = "::ffff:10.1.2.3".parse().unwrap();
    for registered in [SOURCE, mapped] {
        let system = system(&world, vec![registered]);
        assert!(may_reuse(&system, SOURCE) && may_reuse(&system, mapped));
        assert!(!may_reuse(&system, "10.1.2.4".parse().unwrap()));
        let proof = SoapProof { system, triple: [1; 16], until: UNTIL, secret: 0 };
        for body in [1, 2] {
            assert!(world.gate().use_header(&proof, [body; 16], mapped, MACHINE).is_ok());
        }
    }
    assert!(!may_reuse(&system(&world, vec![]), SOURCE));
}
