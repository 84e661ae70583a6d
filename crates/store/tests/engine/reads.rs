//! Look-ups from asynchronous code, the way by TLS, and what a server must be.

use std::sync::Arc;
use std::time::Duration;

use dancu_domain::moment::Moment;
use dancu_store::engine::checks::{Finding, Wanted, clock_offset, examine, pooler};
use dancu_store::engine::{Db, Kind, PoolSettings, Postgres, Reads, Settings, Tls};
use dancu_store::values;
use dancu_testdb::{Options, Server};

use super::{connect, database};

const LOOK_UP: &str = "SELECT p.id, p.key_number, p.sealed FROM person_key k \
                       JOIN person p ON p.id = k.person \
                       WHERE k.kind = $1 AND k.epoch = $2 AND k.digest = $3";

fn people(db: &mut Db, n: i64) {
    db.write(|tx| {
        for id in 0..n {
            let person = "INSERT INTO person (id, key_number, sealed) VALUES ($1, 0, $2)";
            tx.queue(person, values![id, vec![7u8; 600]])?;
            let key = "INSERT INTO person_key (kind, epoch, digest, person) VALUES (1, 0, $1, $2)";
            tx.queue(key, values![digest(id), id])?;
        }
        Ok(())
    })
    .unwrap();
}

fn digest(id: i64) -> [u8; 16] {
    let mut out = [9; 16];
    out[..8].copy_from_slice(&id.to_be_bytes());
    out
}

async fn look_up(reads: &Reads, id: i64) -> dancu_store::Result<Option<(i64, usize)>> {
    reads
        .optional(LOOK_UP, values![1u8, 0u32, digest(id)], |r| {
            Ok((r.get(0)?, r.get::<&[u8]>(2)?.len()))
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_reads_share_few_connections() {
    let place = database();
    let mut db = Db::from(connect(&place.url()));
    people(&mut db, 500);
    for prepared in [true, false] {
        let mut settings = Settings::new(&place.url()).unwrap().application_name("pool");
        settings.prepared_statements = prepared;
        let sizes = PoolSettings { connections: 3, ..PoolSettings::default() };
        let reads = Arc::new(Reads::new(settings, sizes));
        let tasks: Vec<_> = (0..600i64)
            .map(|id| {
                let reads = reads.clone();
                tokio::spawn(async move { look_up(&reads, id).await.unwrap() })
            })
            .collect();
        for (id, task) in tasks.into_iter().enumerate() {
            let expected = (id < 500).then_some((id as i64, 600));
            assert_eq!(task.await.unwrap(), expected);
        }
        let sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = 'pool'";
        let connections: i64 = db.tx().one(sql, &[], |r| r.get(0)).unwrap();
        assert!((1..=3).contains(&connections), "{connections}");
        drop(reads);
        while db.tx().one(sql, &[], |r| r.get::<i64>(0)).unwrap() > 0 {
            db.tx().batch("SELECT pg_sleep(0.01)").unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_outlives_its_server_and_says_when_it_is_full() {
    let server = Server::start(&Options::default());
    let mut settings = Settings::new(&server.url("postgres")).unwrap();
    settings.statement_timeout = Duration::from_millis(300);
    let wait = Duration::from_millis(200);
    let reads = Reads::new(settings, PoolSettings { connections: 2, under_way: 2, wait });
    let one = async || reads.query("SELECT 1", &[], |r| r.get::<i64>(0)).await;
    assert_eq!(one().await.unwrap(), [1]);
    // Both places are taken by reads that the server ends after their time.
    let slow = async || reads.query("SELECT pg_sleep(20)", &[], |_| Ok(())).await;
    let (a, b, full) = tokio::join!(slow(), slow(), async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        one().await
    });
    for refused in [a.unwrap_err(), b.unwrap_err(), full.unwrap_err()] {
        assert_eq!(refused.kind(), Some(Kind::Unavailable), "{refused}");
    }
    assert_eq!(one().await.unwrap(), [1]);
    server.stop_immediate();
    assert_eq!(one().await.unwrap_err().kind(), Some(Kind::Unavailable));
    server.start_again();
    assert_eq!(one().await.unwrap(), [1]);
    server.stop_fast();
    server.start_again();
    // The lost connection is noticed by the read itself, which is then sent again.
    assert_eq!(one().await.unwrap(), [1]);
}

fn ids(found: &[Finding]) -> Vec<&'static str> {
    found.iter().map(|f| f.id).collect()
}

#[test]
fn a_server_unfit_for_the_journal_is_found_out() {
    let place = database();
    let mut db = Db::from(connect(&place.url()));
    let now = Moment(db.tx().one(NOW, &[], |r| r.get(0)).unwrap());
    let careless = examine(&mut db.tx(), ONE, || now).unwrap().findings;
    assert_eq!(ids(&careless), ["fsync", "full_page_writes", "synchronous_commit"]);
    assert!(careless.iter().all(|f| f.refuses && !f.vi.is_empty() && !f.mend.is_empty()));
    let server = Server::start(&Options { durable: true, ..Options::default() });
    let mut db = Db::from(connect(&server.url("postgres")));
    let fit = |db: &mut Db, nodes, ahead| {
        let now: i64 = db.tx().one(NOW, &[], |r| r.get(0)).unwrap();
        ids(&examine(&mut db.tx(), Wanted { nodes, ..ONE }, || Moment(now + ahead))
            .unwrap()
            .findings)
    };
    assert_eq!(fit(&mut db, 1, 0), [""; 0]);
    assert_eq!(fit(&mut db, 3, 0), ["synchronous_standby_names"]);
    assert_eq!(fit(&mut db, 1, 3_000), ["clock"]);
    assert_eq!(fit(&mut db, 1, -3_000), ["clock"]);
    db.tx().batch("SET default_transaction_read_only = on").unwrap();
    assert_eq!(fit(&mut db, 1, 0), ["primary"]);
    let now: i64 = db.tx().one(NOW, &[], |r| r.get(0)).unwrap();
    let offset = clock_offset(&mut db.tx(), || Moment(now - 60_000)).unwrap();
    assert!((59_990..70_000).contains(&offset), "{offset}");
}

const ONE: Wanted = Wanted { nodes: 1, connections: 22 };

#[test]
fn a_synchronous_standby_and_room_are_looked_for() {
    let sync = [("synchronous_standby_names".to_owned(), "ANY 1 (*)".to_owned())];
    let server = Server::start(&Options {
        durable: true,
        tcp: true,
        settings: sync.into(),
        ..Options::default()
    });
    let mut db = Db::from(connect(&server.url("postgres")));
    let mut found = |wanted: Wanted| {
        let now = Moment(db.tx().one(NOW, &[], |r| r.get(0)).unwrap());
        let report = examine(&mut db.tx(), wanted, || now).unwrap();
        assert!(report.told.starts_with("PostgreSQL 1"), "{}", report.told);
        assert!(report.findings.iter().all(|f| !f.refuses));
        ids(&report.findings)
    };
    assert_eq!(found(Wanted { nodes: 2, ..ONE }), ["standby"], "named, but not there");
    assert_eq!(found(Wanted { connections: 198, ..ONE }), ["connections"]);
    let standby = server.synchronous_standby();
    assert_eq!(found(Wanted { nodes: 2, ..ONE }), [""; 0]);
    let settings = Settings::new(&server.url("postgres")).unwrap();
    assert_eq!(pooler(&settings).unwrap().map(|f| f.id), None, "a server of its own");
    drop(standby);
}

const NOW: &str = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)";

#[test]
fn a_standby_is_not_taken_for_the_primary() {
    let primary = Server::start(&Options { tcp: true, durable: true, ..Options::default() });
    let follow = Options {
        tcp: true,
        durable: true,
        standby_of: Some(primary.port()),
        ..Options::default()
    };
    let standby = Server::start(&follow);
    let settings = Settings::new(&standby.url("postgres")).unwrap();
    let refused = Postgres::connect(&settings).map(drop).unwrap_err();
    assert_eq!(refused.kind(), Kind::Unavailable, "{refused}");
    let mut db = Db::from(Postgres::connect(&settings.clone().any_server()).unwrap());
    let now = Moment(db.tx().one(NOW, &[], |r| r.get(0)).unwrap());
    let found = examine(&mut db.tx(), ONE, || now).unwrap().findings;
    assert_eq!(ids(&found), ["primary"]);
    let error = db.tx().batch("CREATE TABLE t (a INTEGER)").unwrap_err();
    assert_eq!(error.kind(), Some(Kind::Unavailable));
    // With both hosts named, whichever takes writes is found, also after a failover.
    let both = format!(
        "postgres://dancu@127.0.0.1:{},127.0.0.1:{}/postgres",
        standby.port(),
        primary.port()
    );
    let both = Settings::new(&both).unwrap();
    let port = "SELECT CAST(current_setting('port') AS BIGINT)";
    let at = |db: &mut Db| db.tx().one(port, &[], |r| r.get::<u16>(0)).unwrap();
    let mut db = Db::from(Postgres::connect(&both).unwrap());
    assert_eq!(at(&mut db), primary.port());
    primary.stop_immediate();
    standby.promote();
    db.reconnect().unwrap();
    assert_eq!(at(&mut db), standby.port());
}

/// A root, and a server's certificate for a name, as PEM files: root, chain, key.
fn certificates(name: &str) -> (String, String, String) {
    let mut authority = rcgen::CertificateParams::new(vec![]).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root_key = rcgen::KeyPair::generate().unwrap();
    let root = authority.self_signed(&root_key).unwrap();
    let issuer = rcgen::Issuer::new(authority, root_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    let chain = params.signed_by(&key, &issuer).unwrap();
    (root.pem(), chain.pem(), key.serialize_pem())
}

#[test]
fn the_way_to_the_database_is_encrypted_and_checked() {
    let (root, chain, key) = certificates("127.0.0.1");
    let server = Server::start(&Options {
        tcp: true,
        hba: vec![
            "hostssl all all 127.0.0.1/32 trust".into(),
            "hostnossl all all all reject".into(),
        ],
        ..Options::default()
    });
    server.write("server.crt", &chain);
    server.write("server.key", &key);
    server.sql("postgres", "ALTER SYSTEM SET ssl = on");
    server.stop_fast();
    server.start_again();
    let file = server.dir().join("root.pem");
    std::fs::write(&file, root).unwrap();
    let mut settings = Settings::new(&server.tcp_url("postgres")).unwrap();
    assert_eq!(Postgres::connect(&settings).map(drop).unwrap_err().code(), "28000");
    settings.tls = Some(Tls { root_certificates: file.clone(), client: None });
    let mut db = Db::from(Postgres::connect(&settings).unwrap());
    let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    assert!(db.tx().one(sql, &[], |r| r.get::<bool>(0)).unwrap());
    let version = "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let version: String = db.tx().one(version, &[], |r| r.get(0)).unwrap();
    assert_eq!(version, "TLSv1.3");
    // Another root: the handshake fails, and nothing is sent in clear instead.
    std::fs::write(&file, certificates("127.0.0.1").0).unwrap();
    let refused = Postgres::connect(&settings).map(drop).unwrap_err();
    assert!(refused.to_string().contains("certificate"), "{refused}");
    std::fs::write(&file, "no certificate").unwrap();
    assert_eq!(Postgres::connect(&settings).map(drop).unwrap_err().code(), "tls");
}
