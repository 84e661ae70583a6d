//! A SOAP header used on one node and sent to another.

use std::collections::HashMap;
use std::net::IpAddr;

use dancu_access::AuthFailure;
use dancu_access::soap::SoapProof;
use dancu_gate::query::Unreadable;
use dancu_gate::{Caller, Gate};
use dancu_journal::Body;

use super::*;

const SOURCE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// A header that proved the system; senders at `reuse_from` may use it with several bodies.
fn proof(world: &TestWorld, triple: u8, reuse_from: Vec<IpAddr>) -> SoapProof {
    let system = with_soap(world.gate().snapshot().by_id(SYSTEM.id()).unwrap(), reuse_from);
    SoapProof { system, triple: [triple; 16], until: clock().0 + 300_000, secret: 0 }
}

/// Sends a body with a header, as the handler does.
async fn send(
    gate: &Gate,
    caller: Caller,
    query: &Query,
    proof: &SoapProof,
) -> Result<Reply, AuthFailure> {
    let header = Some(gate.use_header(proof, query.body, SOURCE, clock().0)?);
    let caller = Caller { header, ..caller };
    let reply = gate.ask(&caller, query).await;
    gate.unless_replayed(&caller, reply)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_used_on_one_node_is_refused_with_another_body_on_another() {
    let world = TestWorld::build().with_system(SystemSpec::verify(500, 10)).start().await;
    let node = Node::of(&world);
    let gates = [world.gate().clone(), node.gate.clone()];
    let question = || world.verify(&SYSTEM.plan(), &world.people[0]);
    let caller = || world.caller(&SYSTEM.plan());
    // At once, before the other node has looked by itself: settling finds it.
    let proof_of = |triple| proof(&world, triple, vec![]);
    let first = question();
    assert!(send(&gates[0], caller(), &first, &proof_of(1)).await.is_ok());
    let entries = world.entries().len();
    let other = send(&gates[1], caller(), &question(), &proof_of(1)).await;
    assert_eq!(other.unwrap_err(), AuthFailure::Replayed);
    let unread = Caller {
        header: Some(dancu_gate::UsedHeader {
            triple: [1; 16],
            until: clock().0 + 300_000,
            body: [9; 16],
            may_reuse: false,
        }),
        ..caller()
    };
    let reply = gates[1].refuse_unreadable(&unread, &Unreadable::default()).await;
    assert_eq!(reply.journal_index, None, "nor with a body that cannot be read");
    assert!(gates[1].unless_replayed(&unread, reply).is_err());
    assert_eq!(world.entries().len(), entries, "whoever proved nothing leaves no entry");
    // The body that it is bound to is answered there, again and again.
    for _ in 0..2 {
        let repeat = send(&gates[1], caller(), &first, &proof_of(1)).await.unwrap();
        assert_eq!(reason(&repeat), None);
    }
    // A sender with timestamps of whole seconds may use it with several.
    for gate in &gates {
        let free = proof(&world, 1, vec![SOURCE]);
        assert!(send(gate, caller(), &question(), &free).await.is_ok());
    }
    // Both at once, another body each: the journal's order decides, one is refused.
    let mut refused = 0;
    for triple in 2..40 {
        let (a, b) = (question(), question());
        let (used_a, used_b) = (proof_of(triple), proof_of(triple));
        let (one, two) = tokio::join!(
            send(&gates[0], caller(), &a, &used_a),
            send(&gates[1], caller(), &b, &used_b)
        );
        refused += [&one, &two].into_iter().filter(|r| r.is_err()).count();
        assert!(one.is_ok() || two.is_ok(), "round {triple}");
        // Whoever lost is refused on both nodes from then on, whoever won on none.
        let (won, lost) = if one.is_ok() { (&a, &b) } else { (&b, &a) };
        for gate in &gates {
            assert!(send(gate, caller(), won, &proof_of(triple)).await.is_ok(), "round {triple}");
            let again = send(gate, caller(), lost, &proof_of(triple)).await;
            assert_eq!(again.unwrap_err(), AuthFailure::Replayed, "round {triple}");
        }
    }
    assert_eq!(refused, 38);
    let mut bodies: HashMap<String, usize> = HashMap::new();
    for entry in world.entries() {
        if let Body::Query(q) = &entry.body {
            *bodies.entry(q.request_id.clone()).or_default() += 1;
        }
    }
    // The first question with both repeats, two by the free header, each round's with two.
    assert_eq!(bodies.len(), 1 + 2 + 38);
    caught_up(&world).await;
}
