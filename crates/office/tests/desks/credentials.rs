//! Credentials of a system on both engines: two secrets while one is replaced, keys, certificates,
//! addresses, and revoking.

use std::sync::Arc;

use dancu_access::public_key::PublicKey;
use dancu_domain::credentials::CredentialKind::{self, Certificate, Client, Key, Soap};
use dancu_domain::moment::{DAY_MS, Moment};
use dancu_domain::registration::{CertificateMode, OauthAccess, SoapAccess, System};
use dancu_office::Refused;
use dancu_office::credentials::{
    self, Desk, NewCertificate, OVERLAP_DAYS, Wanted, parse_sources, set_sources, would_end,
};
use dancu_store::credential_use::Use;
use dancu_store::policy::credentials::{Earlier, change};
use dancu_store::{Error, Store, policy};

use crate::world::*;

const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
    MCowBQYDK2VwAyEAFfrsT8WmpDXczwocR47+smBeu70wwrSpHlAkuwNh+4M=\n\
    -----END PUBLIC KEY-----\n";

/// Registers the system for both ways to connect, as the centre does, without a credential.
async fn connected(world: &World) {
    let done = world.change(|tx, keys| {
        let changed = change(tx, keys, SYSTEM, |all| {
            all.soap = Some(SoapAccess {
                user: "MAU_SOAP".into(),
                secrets: vec![],
                service_urls: vec![],
                hosts: vec![],
                reuse_from: vec![],
                x_road_client: None,
            });
            let (client_id, secrets) = ("mau".into(), vec![]);
            all.oauth = Some(OauthAccess { client_id, secrets, public_keys: vec![] });
            all.certificates.mode = CertificateMode::Optional;
            Ok::<_, Error>((Earlier::Stays, ()))
        });
        changed.map(drop)
    });
    done.await;
}

fn registered(store: &Store) -> Arc<System> {
    store.snapshot(clock()).unwrap().by_id(SYSTEM).unwrap().clone()
}

/// The field that an act was refused for.
fn field<T: std::fmt::Debug>(result: Result<T, Refused>) -> &'static str {
    match result {
        Err(Refused::Field { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}

async fn issue(
    world: &World,
    kind: CredentialKind,
    at: Moment,
) -> Result<credentials::Issued, Refused> {
    let system = registered(&world.store);
    let by = actor(HEAD);
    let desk = Desk { store: &world.store, system: &system, now: at, actor: &by };
    let wanted =
        Wanted { kind, name: "Máy chủ", overlap_days: OVERLAP_DAYS, seen: system.facts.last };
    credentials::issue(&desk, wanted).await.map(|(_, issued)| issued)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_secrets_are_valid_while_one_is_replaced() {
    for world in World::both("secrets").await {
        connected(&world).await;
        let start = clock();
        let version = registered(&world.store).credential_version;
        for kind in [Soap, Client] {
            let first = issue(&world, kind, start).await.unwrap();
            assert_eq!((first.secret.len(), first.before_until), (43, None));
            let entry = world.last_act();
            assert_eq!((entry.kind.as_str(), entry.system), ("credential.issued", 1));
            assert!(!entry.detail.contains(&first.secret), "{}", entry.detail);
            let second = issue(&world, kind, start).await.unwrap();
            let end = start.plus_ms(i64::from(OVERLAP_DAYS) * DAY_MS);
            assert_eq!(second.before_until, Some(end));
            let system = registered(&world.store);
            let secrets = match kind {
                Soap => &system.soap.as_ref().unwrap().secrets,
                _ => &system.oauth.as_ref().unwrap().secrets,
            };
            assert_eq!(&*secrets[0].0, second.secret.as_bytes());
            assert_eq!(&*secrets[1].0, first.secret.as_bytes());
            assert!(system.facts.is_valid(kind, 1, end.plus_ms(-1)));
            assert!(!system.facts.is_valid(kind, 1, end) && system.facts.is_valid(kind, 0, end));
            assert!(system.facts.of(kind)[1].ends_soon(start));
            assert_eq!(field(issue(&world, kind, start).await), "kind", "two are enough");
            // Once the first has ended there is a place again.
            issue(&world, kind, end).await.unwrap();
            let system = registered(&world.store);
            assert_eq!(system.facts.of(kind).len(), 2);
            assert_ne!(system.facts.number(kind, 0), system.facts.number(kind, 1));
        }
        let system = registered(&world.store);
        assert_eq!(system.credential_version, version, "tokens go on");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_doubled_request_gives_one_secret_also_over_two_nodes() {
    for world in World::both("doubled").await {
        connected(&world).await;
        let system = registered(&world.store);
        let by = actor(HEAD);
        let desk = Desk { store: &world.store, system: &system, now: clock(), actor: &by };
        let wanted = Wanted { kind: Soap, name: "", overlap_days: 30, seen: system.facts.last };
        let second = world.another();
        let other = Desk { store: second.as_ref().unwrap_or(&world.store), ..desk };
        let (one, two) =
            tokio::join!(credentials::issue(&desk, wanted), credentials::issue(&other, wanted));
        assert_ne!(one.is_ok(), two.is_ok());
        assert_eq!(registered(&world.store).soap.as_ref().unwrap().secrets.len(), 1);
        for days in [0, 91] {
            let wanted = Wanted { overlap_days: days, ..wanted };
            assert_eq!(field(credentials::issue(&desk, wanted).await), "overlap");
        }
        if let Some(second) = second {
            second.stop();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e3_a_revoked_credential_ends_at_once_and_tokens_with_it() {
    for world in World::both("revoked").await {
        connected(&world).await;
        let now = clock();
        issue(&world, Client, now).await.unwrap();
        let by = actor(FIRST);
        let system = registered(&world.store);
        let desk = Desk { store: &world.store, system: &system, now, actor: &by };
        let key = PublicKey::parse(PUBLIC).unwrap();
        credentials::add_key(&desk, key.clone(), "<b>Máy A</b>").await.unwrap();
        assert_eq!(field(credentials::add_key(&desk, key, "").await), "key");
        let before = registered(&world.store);
        let number = |kind| before.facts.number(kind, 0);
        assert_eq!(before.facts.keys[0].name, "<b>Máy A</b>");
        // The secret is not the last one, because the client has a key as well.
        assert!(!would_end(&before, Client, number(Client), now));
        let gone = credentials::revoke(&desk, (Client, 77), "", true).await;
        assert!(matches!(gone, Err(Refused::Gone)));
        credentials::revoke(&desk, (Client, number(Client)), "lộ khóa", false).await.unwrap();
        let entry = world.last_act();
        assert_eq!(entry.kind, "credential.revoked");
        assert!(entry.detail.contains("client #") && entry.detail.contains("lý do: lộ khóa"));
        let after = registered(&world.store);
        assert!(after.oauth.as_ref().unwrap().secrets.is_empty());
        assert_eq!(after.credential_version, before.credential_version + 1);
        assert!(would_end(&after, Key, number(Key), now));
        let last = (Key, number(Key));
        assert_eq!(field(credentials::revoke(&desk, last, "", false).await), "sure");
        assert_eq!(registered(&world.store).oauth.as_ref().unwrap().public_keys.len(), 1);
        let long = "ế".repeat(501);
        assert_eq!(field(credentials::revoke(&desk, last, &long, true).await), "why");
        credentials::revoke(&desk, last, "", true).await.unwrap();
        assert!(registered(&world.store).oauth.as_ref().unwrap().public_keys.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_and_addresses() {
    for world in World::both("certificates").await {
        connected(&world).await;
        let (now, by) = (clock(), actor(HEAD));
        let system = registered(&world.store);
        let snapshot = world.snapshot();
        let desk = Desk { store: &world.store, system: &system, now, actor: &by };
        let new = NewCertificate {
            sha256: [7; 32],
            from: now.plus_ms(-DAY_MS),
            until: now.plus_ms(20 * DAY_MS),
        };
        let add = async |new| credentials::add_certificate(&desk, &snapshot, new, "một").await;
        assert_eq!(field(add(NewCertificate { until: now, ..new }).await), "certificate");
        let early = NewCertificate { from: now.plus_ms(1), ..new };
        assert_eq!(field(add(early).await), "certificate");
        add(new).await.unwrap();
        assert_eq!(field(add(new).await), "certificate");
        let known = registered(&world.store);
        assert_eq!(known.certificates.sha256, [[7; 32]]);
        assert!(known.facts.certificates[0].ends_soon(now));
        // The certificate of another system.
        let code = dancu_domain::ids::SystemCode::parse("KHAC").unwrap();
        let mut other = System::new(
            dancu_domain::ids::SystemId(9),
            code,
            known.unit.clone(),
            dancu_domain::registration::Group::State,
        );
        other.certificates.sha256 = vec![[9; 32]];
        let with_other = dancu_domain::registration::Snapshot::new(1, vec![other]);
        let foreign = NewCertificate { sha256: [9; 32], ..new };
        let refused = credentials::add_certificate(&desk, &with_other, foreign, "").await;
        assert_eq!(field(refused), "certificate");
        // `dancu operate certificates` keeps what is known of those that stay.
        let keys = world.store.keys().clone();
        let act = world.store.ledger().act(now, move |tx, _| {
            policy::write::change_certificates(tx, &keys, SYSTEM, |before| {
                let mut after = before.clone();
                after.sha256.insert(0, [8; 32]);
                Ok(after)
            })?;
            let (kind, actor) = ("system.certificates".into(), "test".into());
            let (system, detail) = (1, String::new());
            Ok(dancu_journal::Body::Act(dancu_journal::Act { kind, actor, system, detail }))
        });
        act.await.unwrap();
        let renewed = registered(&world.store);
        assert_eq!(renewed.facts.certificates[1], known.facts.certificates[0]);
        assert_ne!(renewed.facts.number(Certificate, 0), renewed.facts.number(Certificate, 1));

        let networks = parse_sources("203.0.113.0/24\n2001:db8::/32").unwrap();
        set_sources(&desk, networks).await.unwrap();
        assert_eq!(world.last_act().kind, "credential.sources");
        let facts = registered(&world.store).facts.clone();
        assert!(facts.admits("203.0.113.200".parse().unwrap()));
        assert!(!facts.admits("198.51.100.1".parse().unwrap()));
        set_sources(&desk, vec![]).await.unwrap();
        assert!(registered(&world.store).facts.admits("198.51.100.1".parse().unwrap()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uses_are_written_and_the_latest_stays() {
    for world in World::both("uses").await {
        let used = |number, ms| Use { system: SYSTEM, number, at: Moment(ms) };
        let write = async |uses: &[Use]| world.store.write_uses(clock(), uses).await.unwrap();
        assert_eq!(world.store.uses_of(SYSTEM).await.unwrap(), []);
        write(&[used(1, 50), used(2, 60)]).await;
        write(&[used(1, 40), used(2, 70)]).await;
        assert_eq!(world.store.uses_of(SYSTEM).await.unwrap(), [used(1, 50), used(2, 70)]);
        let many: Vec<Use> = (10..1_300).map(|number| used(number, 1)).collect();
        write(&many).await;
        assert_eq!(world.store.uses_of(SYSTEM).await.unwrap().len(), 1_292);
    }
}
