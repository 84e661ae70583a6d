//! Who asks: what was proved holds only as long as the registration does, and is journaled.

use std::net::IpAddr;

use dancu_access::client::ProvedClient;
use dancu_access::soap::SoapProof;
use dancu_access::{Arrival, AuthFailure};
use dancu_domain::moment::Moment;
use dancu_domain::refusal::Reason;
use dancu_domain::registration::{CertificateMode, Certificates};
use dancu_domain::service::{Field, FieldSet};
use dancu_gate::query::{FieldError, Unreadable};
use dancu_gate::{Caller, UsedHeader};
use dancu_journal::{Act, Body};
use dancu_store::policy::write;

use crate::support::*;

const SYSTEM: TestSystem = TestSystem(1);
/// The machine's clock.
const MACHINE: i64 = 1_772_416_800_000;
const SOURCE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 1, 2, 3));

async fn world() -> TestWorld {
    TestWorld::build().with_system(SystemSpec::verify(10, 10)).start().await
}

fn arrival(at: Moment) -> Arrival {
    Arrival { source: SOURCE, at, machine: MACHINE + 1 }
}

async fn token(world: &TestWorld) -> Result<String, AuthFailure> {
    let snapshot = world.gate().snapshot();
    let client = by_secret(snapshot.by_id(SYSTEM.id()).unwrap().clone());
    let issued = world.gate().issue_token(&client, None, SOURCE, world.now(), MACHINE).await;
    issued.map(|(token, _)| format!("Bearer {token}"))
}

async fn shown(world: &TestWorld, token: &str) -> Result<u32, AuthFailure> {
    let proved = world.gate().authenticate_bearer(Some(token), None, &arrival(world.now())).await;
    proved.map(|s| s.id.0)
}

/// New credentials, as an act of the operator.
async fn new_credentials(world: &TestWorld) {
    let act = world.store().ledger().act(world.now(), |tx, _| {
        tx.execute("UPDATE system SET credential_version = 2", &[])?;
        let (kind, actor) = ("system.credentials".into(), "thử nghiệm".into());
        Ok(Body::Act(Act { kind, actor, system: 1, detail: String::new() }))
    });
    act.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e3_tokens_of_old_credentials_end_with_the_act() {
    let world = world().await;
    let old = token(&world).await.unwrap();
    assert_eq!(shown(&world, &old).await, Ok(SYSTEM.0));
    let before = world.caller(&SYSTEM.plan());
    new_credentials(&world).await;
    // Nobody asked anything in between: the act alone ends them.
    assert_eq!(shown(&world, &old).await, Err(AuthFailure::Wrong));
    let new = token(&world).await.unwrap();
    assert_eq!(shown(&world, &new).await, Ok(SYSTEM.0));
    // Proved before the act, asked after it.
    let entries = world.entries().len();
    let query = world.verify(&SYSTEM.plan(), &world.people[0]);
    let reply = world.gate().ask(&before, &query).await;
    assert_eq!((reason(&reply), reply.journal_index), (Some(Reason::CannotJournal), None));
    let bad = Unreadable {
        errors: vec![FieldError { field: "subject".into(), message_vi: "thiếu".into() }],
        ..Unreadable::default()
    };
    assert_eq!(world.gate().refuse_unreadable(&before, &bad).await.journal_index, None);
    assert_eq!(world.entries().len(), entries);
    assert_eq!(world.gate().failures.take(None).iter().map(|a| a.count).sum::<u32>(), 2);
    let now = Caller { credential_version: 2, ..before };
    assert_eq!(reason(&world.gate().ask(&now, &query).await), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_issued_over_a_certificate_is_useless_without_it() {
    let (ours, other) = ([1; 32], [2; 32]);
    let certificates = Certificates { mode: CertificateMode::Required, sha256: vec![ours, other] };
    let spec = SystemSpec { certificates, ..SystemSpec::verify(10, 10) };
    let world = TestWorld::build().with_system(spec).start().await;
    let gate = world.gate();
    let now = world.now();
    let issue = async |shown: Option<&[u8; 32]>| {
        let snapshot = gate.snapshot();
        let client = by_secret(snapshot.by_id(SYSTEM.id()).unwrap().clone());
        let (token, _) = gate.issue_token(&client, shown, SOURCE, now, MACHINE).await.unwrap();
        format!("Bearer {token}")
    };
    let used = async |token: &str, shown: Option<&[u8; 32]>| {
        let proved = gate.authenticate_bearer(Some(token), shown, &arrival(now)).await;
        proved.map(|s| s.id.0)
    };
    let bound = issue(Some(&ours)).await;
    assert_eq!(used(&bound, Some(&ours)).await, Ok(SYSTEM.0));
    // The other one is registered too, and yet not the one that the token was issued over.
    for wrong in [None, Some(&other), Some(&[3; 32])] {
        assert_eq!(used(&bound, wrong).await, Err(AuthFailure::ForeignCertificate));
    }
    let entries = world.entries();
    let Body::Act(act) = &entries.last().unwrap().body else { panic!("no act") };
    assert_eq!(act.detail, format!("10.1.2.3 x5t#S256={}", "01".repeat(32)));
    // A token of nobody's certificate does not help where one has to be shown.
    let loose = issue(None).await;
    assert_eq!(used(&loose, None).await, Err(AuthFailure::ForeignCertificate));
    assert_eq!(used(&loose, Some(&ours)).await, Ok(SYSTEM.0));
    // One kind of token cannot be made into the other.
    let text = bound.replace("dcu2.", "dcu1.");
    assert_eq!(used(&text, Some(&ours)).await, Err(AuthFailure::Malformed));
    // New registrations end the tokens of the old ones, also for the certificate that stays.
    let keys = world.store().keys().clone();
    let renewed = Certificates { mode: CertificateMode::Optional, sha256: vec![ours] };
    let act = world.store().ledger().act(now, move |tx, _| {
        write::change_certificates(tx, &keys, SYSTEM.id(), |_| Ok(renewed))?;
        let (kind, actor) = ("system.certificates".into(), "thử nghiệm".into());
        Ok(Body::Act(Act { kind, actor, system: 1, detail: String::new() }))
    });
    act.await.unwrap();
    assert_eq!(used(&bound, Some(&ours)).await, Err(AuthFailure::Wrong));
    let fresh = issue(None).await;
    assert_eq!(used(&fresh, None).await, Ok(SYSTEM.0));
    assert_eq!(used(&fresh, Some(&other)).await, Err(AuthFailure::ForeignCertificate));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_after_an_act_see_it() {
    let world = world().await;
    let token = token(&world).await.unwrap();
    for _ in 0..5 {
        world.act("nothing", |_, _| Ok(())).await;
        let gate = world.gate().clone();
        let (token, now) = (token.clone(), world.now());
        let asked: Vec<_> = (0..50)
            .map(|_| {
                let (gate, token) = (gate.clone(), token.clone());
                tokio::spawn(async move {
                    let proved = gate.authenticate_bearer(Some(&token), None, &arrival(now)).await;
                    proved.map(|_| gate.snapshot().epoch)
                })
            })
            .collect();
        let epoch = world.store().ledger().epoch();
        for task in asked {
            assert_eq!(task.await.unwrap(), Ok(epoch));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_f1_a_token_is_journaled_before_it_is_told() {
    let world = world().await;
    token(&world).await.unwrap();
    let entries = world.entries();
    let Body::Act(act) = &entries.last().unwrap().body else { panic!("no act") };
    assert_eq!((act.kind.as_str(), act.system), ("token.issued", SYSTEM.0));
    assert_eq!((act.actor.as_str(), act.detail.as_str()), ("SYSTEM1", "10.1.2.3"));
    world.commits_fail().await;
    assert!(token(&world).await.is_err());
    world.commits_work().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e3_a_token_ends_with_the_secret_that_it_was_given_for() {
    let world = world().await;
    let (gate, now) = (world.gate(), world.now());
    let client = by_secret(gate.snapshot().by_id(SYSTEM.id()).unwrap().clone());
    for (left_ms, life_ms) in
        [(None, 3_600_000), (Some(7_200_000), 3_600_000), (Some(600_999), 600_999), (Some(1), 1)]
    {
        let until = left_ms.map(|ms| now.plus_ms(ms));
        let client = ProvedClient { until, ..client.clone() };
        let issued = gate.issue_token(&client, None, SOURCE, now, MACHINE).await;
        let (token, seconds) = issued.unwrap();
        assert_eq!(i64::from(seconds), life_ms / 1_000, "{left_ms:?}");
        let shown = async |machine: i64| {
            let arrival = Arrival { machine, ..arrival(now) };
            let token = format!("Bearer {token}");
            gate.authenticate_bearer(Some(&token), None, &arrival).await.map(drop)
        };
        assert_eq!(shown(MACHINE + life_ms - 1).await, Ok(()), "{left_ms:?}");
        assert_eq!(shown(MACHINE + life_ms).await, Err(AuthFailure::Stale), "{left_ms:?}");
    }
    let entries = world.entries().len();
    let ended = ProvedClient { until: Some(now), ..client };
    let issued = gate.issue_token(&ended, None, SOURCE, now, MACHINE).await;
    assert_eq!(issued.unwrap_err(), AuthFailure::Wrong);
    assert_eq!(world.entries().len(), entries);
}

fn proof(world: &TestWorld, triple: u8) -> SoapProof {
    let system = world.gate().snapshot().by_id(SYSTEM.id()).unwrap().clone();
    SoapProof { system, triple: [triple; 16], until: MACHINE + 300_000, secret: 0 }
}

fn used(world: &TestWorld, triple: u8, body: u8) -> Result<UsedHeader, AuthFailure> {
    world.gate().use_header(&proof(world, triple), [body; 16], SOURCE, MACHINE)
}

/// A triple stays bound to its first body, whatever came of it, also over a restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_used_header_is_bound_to_its_body_over_a_restart() {
    let mut world = world().await;
    let account = SYSTEM.plan();
    let bad = Unreadable {
        errors: vec![FieldError { field: "body".into(), message_vi: "sai".into() }],
        ..Unreadable::default()
    };
    // 1: a body that could not be read. 2: a question.
    let caller = |world: &TestWorld, header| Caller { header, ..world.caller(&account) };
    let one = used(&world, 1, 7).unwrap();
    world.gate().refuse_unreadable(&caller(&world, Some(one)), &bad).await;
    let mut query = world.verify(&account, &world.people[0]);
    query.body = [7; 16];
    let two = used(&world, 2, 7).unwrap();
    assert_eq!(reason(&world.gate().ask(&caller(&world, Some(two)), &query).await), None);
    // 3: no body was read at all: the header is not used up.
    world.gate().refuse_unreadable(&caller(&world, None), &bad).await;
    for stage in ["before", "after"] {
        for triple in [1, 2] {
            assert!(used(&world, triple, 7).is_ok(), "{stage}: the same body of {triple}");
            assert_eq!(used(&world, triple, 8), Err(AuthFailure::Replayed), "{stage} {triple}");
        }
        world.reopen();
    }
    assert!(used(&world, 3, 7).is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn digests_of_bodies_are_kept_under_a_key() {
    let world = world().await;
    let query = world.verify(&SYSTEM.plan(), &world.people[0]);
    assert_eq!(reason(&world.ask(&SYSTEM.plan(), &query).await), None);
    assert_ne!(world.last_query().body, query.body);
    let again = world.ask(&SYSTEM.plan(), &query).await;
    assert_eq!(reason(&again), None);
    assert_eq!(world.last_query().decision, dancu_journal::Decision::Repeat);
    let sql = "SELECT items FROM request_batch";
    let rows: Vec<Vec<u8>> = world.core().tx().query(sql, &[], |r| r.get(0)).unwrap();
    for items in rows {
        assert!(!items.windows(16).any(|w| w == query.body));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_f3_a_match_that_tells_of_life_names_the_field() {
    for (fields, expected) in [
        (FieldSet::ALL, FieldSet::of(&[Field::VitalStatus])),
        (FieldSet::of(&[Field::FullName]), FieldSet::EMPTY),
    ] {
        let spec = SystemSpec { fields, ..SystemSpec::verify(10, 10) };
        let world = TestWorld::build().with_system(spec).start().await;
        let reply = world.ask_verify(&SYSTEM.plan(), &world.people[0]).await;
        assert_eq!(reason(&reply), None);
        assert_eq!(world.last_query().fields, expected.bits());
    }
}
