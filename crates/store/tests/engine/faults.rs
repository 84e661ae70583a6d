//! What an engine answers instead of a result: kinds, no data, servers that go away.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use dancu_store::engine::{ATTEMPTS, Db, Kind, Mode, Postgres, Settings, retry};
use dancu_store::{Error, values};
use dancu_testdb::{Options, Server};

use super::{connect, database, engines, meta, set_meta};

#[test]
fn a_constraint_is_named_without_the_data() {
    engines(|engine, db| {
        let insert = "INSERT INTO system VALUES ($1, $2, 'U', 1, 1, '', 0, 0, NULL, 1, '')";
        db.tx().execute(insert, values![1, "BÍ-MẬT-099"]).unwrap();
        let error = db.tx().execute(insert, values![2, "BÍ-MẬT-099"]).unwrap_err();
        assert_eq!(error.kind(), Some(Kind::Constraint), "{engine}");
        let text = format!("{error} {error:?}");
        assert!(text.contains("code") && text.contains("system"), "{text}");
        assert!(!text.contains("099"), "{text}");
        let error = db.tx().execute("SELECT nothing FROM system", &[]).unwrap_err();
        assert_eq!(error.kind(), Some(Kind::Other), "{engine}");
        assert!(error.to_string().contains("nothing"), "{error}");
    });
}

#[test]
fn an_error_of_the_server_does_not_quote_data() {
    let place = database();
    let mut db = Db::from(connect(&place.url()));
    let error = db.tx().execute("SELECT CAST($1 AS BIGINT) + 1", values!["099secret"]);
    assert!(error.is_err());
    let sql = "SELECT CAST(CAST($1 AS TEXT) AS BIGINT)";
    let error = db.tx().one(sql, values!["099secret"], |r| r.get::<i64>(0)).unwrap_err();
    assert!(error.to_string().contains("22P02") && !error.to_string().contains("099secret"));
}

#[test]
fn a_deadlock_is_run_again() {
    let place = database();
    let mut first = Db::from(connect(&place.url()));
    first.write(|tx| set_meta(tx, "a", "0").and(set_meta(tx, "b", "0"))).unwrap();
    let conflicts = Arc::new(AtomicU32::new(0));
    let meet = Arc::new(std::sync::Barrier::new(2));
    std::thread::scope(|scope| {
        for (one, two) in [("a", "b"), ("b", "a")] {
            let (conflicts, meet) = (conflicts.clone(), meet.clone());
            let url = place.url();
            scope.spawn(move || {
                let mut db = Db::from(connect(&url));
                let mut first = true;
                let add = "UPDATE meta SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT) \
                           WHERE name = $1";
                retry(
                    |_| {
                        conflicts.fetch_add(1, Ordering::Relaxed);
                    },
                    || {
                        db.write(|tx| {
                            tx.execute(add, values![one])?;
                            if std::mem::take(&mut first) {
                                meet.wait();
                            }
                            tx.execute(add, values![two])
                        })
                    },
                )
                .unwrap();
            });
        }
    });
    assert!(conflicts.load(Ordering::Relaxed) >= 1);
    for name in ["a", "b"] {
        assert_eq!(meta(&mut first.tx(), name).unwrap().as_deref(), Some("2"));
    }
}

#[test]
fn a_conflict_is_given_up_after_a_bounded_number_of_runs() {
    let place = database();
    let mut holder = Db::from(connect(&place.url()));
    holder.write(|tx| set_meta(tx, "a", "0")).unwrap();
    holder.begin(Mode::Write).unwrap();
    set_meta(&mut holder.tx(), "a", "1").unwrap();
    let mut settings = Settings::new(&place.url()).unwrap();
    settings.lock_timeout = Duration::from_millis(20);
    let mut db = Db::from(Postgres::connect(&settings).unwrap());
    let (mut runs, mut waits) = (0, vec![]);
    let given_up = retry(
        |wait| waits.push(wait.as_millis()),
        || {
            runs += 1;
            db.write(|tx| set_meta(tx, "a", "2"))
        },
    );
    assert_eq!(given_up.unwrap_err().kind(), Some(Kind::Retryable));
    assert_eq!((runs, waits), (ATTEMPTS, vec![5, 10, 20, 40, 80]));
    let other = retry(|_| panic!("not to be repeated"), || Err::<(), _>(Error::Damaged("x")));
    assert!(other.is_err());
}

#[test]
fn a_statement_that_takes_too_long_is_ended() {
    let place = database();
    let mut settings = Settings::new(&place.url()).unwrap();
    settings.statement_timeout = Duration::from_millis(50);
    let mut db = Db::from(Postgres::connect(&settings).unwrap());
    let error = db.tx().execute("SELECT pg_sleep(20)", &[]).unwrap_err();
    assert_eq!(error.kind(), Some(Kind::Unavailable), "{error}");
    assert!(set_meta(&mut db.tx(), "a", "1").is_ok() && !db.is_lost());
}

#[test]
fn a_server_that_stops_is_unavailable_and_found_again() {
    let server = Server::start(&Options { durable: true, ..Options::default() });
    let url = server.url("postgres");
    let mut db = Db::from(connect(&url));
    db.tx().batch("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)").unwrap();
    db.write(|tx| set_meta(tx, "kept", "1")).unwrap();
    db.begin(Mode::Write).unwrap();
    set_meta(&mut db.tx(), "open", "1").unwrap();
    server.stop_immediate();
    let error = set_meta(&mut db.tx(), "open", "2").unwrap_err();
    assert_eq!(error.kind(), Some(Kind::Unavailable), "{error}");
    db.rollback();
    let error = db.write(|tx| set_meta(tx, "later", "1")).unwrap_err();
    assert_eq!(error.kind(), Some(Kind::Unavailable), "{error}");
    assert!(db.is_lost());
    let none = Postgres::connect(&Settings::new(&url).unwrap()).map(drop).unwrap_err();
    assert_eq!(none.kind(), Kind::Unavailable);
    server.start_again();
    db.reconnect().unwrap();
    assert_eq!(meta(&mut db.tx(), "kept").unwrap().as_deref(), Some("1"));
    assert_eq!(meta(&mut db.tx(), "open").unwrap(), None);
    // A server that went and came between two transactions is noticed before the next.
    server.stop_fast();
    server.start_again();
    db.write(|tx| set_meta(tx, "later", "1")).unwrap();
    assert_eq!(meta(&mut db.tx(), "later").unwrap().as_deref(), Some("1"));
}

#[test]
fn too_many_connections_are_unavailable_and_a_wrong_user_is_not() {
    let settings = ("max_connections", "8");
    let options = Options {
        settings: vec![(settings.0.into(), settings.1.into())],
        hba: vec!["local all refused reject".into()],
        ..Options::default()
    };
    let server = Server::start(&options);
    let url = server.url("postgres");
    let settings = Settings::new(&url).unwrap();
    let mut open = vec![];
    let full = loop {
        match Postgres::connect(&settings) {
            Ok(db) => open.push(db),
            Err(fault) => break fault,
        }
    };
    assert_eq!((full.kind(), full.code()), (Kind::Unavailable, "53300"));
    drop(open);
    let refused = Settings::new(&url.replace("dancu@", "refused@")).unwrap();
    assert_eq!(Postgres::connect(&refused).map(drop).unwrap_err().kind(), Kind::Other);
}

#[test]
fn a_full_disk_is_told_apart() {
    let place = database();
    let mut db = Db::from(connect(&place.url()));
    let raise = "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '53100'; END $$";
    assert_eq!(db.tx().batch(raise).unwrap_err().kind(), Some(Kind::DiskFull));
}

/// Passes bytes on until the client sends COMMIT; passes that on too and cuts the line at once.
fn cutting_proxy(port: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let (mut back, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut back, &mut to));
            std::thread::spawn(move || cut_at_commit(client, server));
        }
    });
    own
}

fn cut_at_commit(mut client: TcpStream, mut server: TcpStream) {
    let mut buffer = [0; 8_192];
    while let Ok(n @ 1..) = client.read(&mut buffer) {
        let commit = buffer[..n].windows(6).any(|w| w == b"COMMIT");
        if commit {
            // The answer must not come through: the way back is closed first.
            client.shutdown(std::net::Shutdown::Both).unwrap();
        }
        if server.write_all(&buffer[..n]).is_err() || commit {
            return;
        }
    }
}

#[test]
fn a_commit_whose_answer_is_lost_is_in_doubt() {
    let server = Server::start(&Options { tcp: true, durable: true, ..Options::default() });
    let mut direct = Db::from(connect(&server.tcp_url("postgres")));
    direct.tx().batch("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)").unwrap();
    let port = cutting_proxy(server.port());
    let url = server.tcp_url("postgres").replace(&server.port().to_string(), &port.to_string());
    let mut db = Db::from(connect(&url));
    let error = db.write(|tx| set_meta(tx, "batch", "7")).unwrap_err();
    assert_eq!(error.kind(), Some(Kind::InDoubt), "{error}");
    assert!(db.is_lost());
    // It was durable after all, and asking finds it; the server may still be at it.
    let found = (0..200).any(|_| {
        direct.tx().batch("SELECT pg_sleep(0.01)").unwrap();
        meta(&mut direct.tx(), "batch").unwrap().is_some()
    });
    assert!(found);
}

#[test]
fn a_cancelled_wait_for_the_standby_is_in_doubt() {
    let options = Options {
        durable: true,
        settings: vec![("synchronous_standby_names".into(), "nobody".into())],
        ..Options::default()
    };
    let server = Server::start(&options);
    let mut settings = Settings::new(&server.url("postgres")).unwrap();
    // COMMIT is exempt from the limit: otherwise it would be answered as durable on the standby.
    settings.statement_timeout = Duration::from_millis(100);
    let mut db = Db::from(Postgres::connect(&settings).unwrap());
    let mut other = Db::from(connect(&server.url("postgres")));
    let waiting = std::thread::spawn(move || {
        db.write(|tx| tx.batch("CREATE TABLE t (a INTEGER)")).unwrap_err()
    });
    let cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity \
                  WHERE wait_event = 'SyncRep' AND now() - state_change > interval '0.5 s'";
    while other.tx().optional(cancel, &[], |r| r.get::<bool>(0)).unwrap().is_none() {
        other.tx().batch("SELECT pg_sleep(0.02)").unwrap();
    }
    let error = waiting.join().unwrap();
    assert_eq!(error.kind(), Some(Kind::InDoubt), "{error}");
}
