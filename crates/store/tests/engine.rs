//! Both engines behind `Tx`: the same functions, the same answers, and what differs is told.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "engine/faults.rs"]
mod faults;
#[path = "engine/reads.rs"]
mod reads;
#[path = "engine/texts.rs"]
mod texts;

use dancu_store::Result;
use dancu_store::engine::{Db, Kind, Mode, Postgres, Settings, Tx, migrate};
use dancu_store::values;
use dancu_testdb::{Database, Server};
use rusqlite::Connection;

/// A migrated database on the shared server.
fn database() -> Database {
    Server::shared().database("store", |url| {
        let mut db = Db::from(connect(url));
        for area in migrate::AREAS {
            migrate::migrate(&mut db, area).map_err(|e| e.to_string())?;
        }
        Ok(())
    })
}

fn connect(url: &str) -> Postgres {
    Postgres::connect(&Settings::new(url).unwrap()).unwrap()
}

/// Every engine and mode, each with a migrated core area.
fn engines(test: impl Fn(&str, &mut Db)) {
    let mut file = Connection::open_in_memory().unwrap();
    dancu_store::sqlite::migrate(&mut file, dancu_store::sqlite::Area::Core).unwrap();
    test("sqlite", &mut Db::from(file));
    let place = database();
    test("postgresql", &mut Db::from(connect(&place.url())));
    let place = database();
    let mut settings = Settings::new(&place.url()).unwrap();
    settings.prepared_statements = false;
    test("postgresql, unnamed", &mut Db::from(Postgres::connect(&settings).unwrap()));
}

fn set_meta(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<u64> {
    let sql = "INSERT INTO meta (name, value) VALUES ($1, $2) \
               ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    tx.execute(sql, values![name, value])
}

fn meta(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>> {
    tx.optional("SELECT value FROM meta WHERE name = $1", values![name], |r| r.get(0))
}

#[test]
fn values_come_back_as_they_went_in() {
    engines(|engine, db| {
        let mut tx = db.tx();
        let sealed = vec![0u8, 255, 7];
        // BIGINT: id; INTEGER: state and the flags.
        let insert = "INSERT INTO system (id, code, unit, user_group, state, channel_exceptions, \
                      request_ids, verify_shape, lgsp_shape, credential_version, access) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        let (shape, code) = (None::<String>, String::from("Hệ thống 1"));
        let values =
            values![u32::MAX, code, "U", 3u8, -5i32, "", true, false, shape, i32::MAX, sealed];
        assert_eq!(tx.execute(insert, values).unwrap(), 1, "{engine}");
        let select = "SELECT id, code, state, request_ids, verify_shape, lgsp_shape, \
                      credential_version, access FROM system WHERE id = $1";
        tx.one(select, values![i64::from(u32::MAX)], |r| {
            assert_eq!(r.get::<u32>(0)?, u32::MAX);
            assert_eq!(r.get::<&str>(1)?, code);
            assert_eq!(r.get::<i64>(2)?, -5);
            assert!(r.get::<bool>(3)? && !r.get::<bool>(4)?);
            assert_eq!(r.get::<Option<String>>(5)?, None);
            assert_eq!(r.get::<u32>(6)?, i32::MAX as u32);
            assert_eq!(r.get::<&[u8]>(7)?, sealed);
            assert_eq!(r.get::<[u8; 3]>(7)?, [0, 255, 7]);
            // What does not fit is an error that tells the column, not the value.
            let error = r.get::<u32>(2).unwrap_err().to_string();
            assert!(error.contains("column 2") && !error.contains("-5"), "{error}");
            assert!(r.get::<i64>(1).is_err() && r.get::<String>(7).is_err());
            assert!(r.get::<i64>(5).is_err() && r.get::<i64>(99).is_err());
            Ok(())
        })
        .unwrap();
        let gone = tx.optional(select, values![1u32], |_| Ok(())).unwrap();
        assert!(gone.is_none() && tx.one(select, values![1u32], |_| Ok(())).is_err());
    });
}

#[test]
fn an_integer_beyond_its_column_is_refused() {
    let place = database();
    for prepared in [true, false] {
        let mut settings = Settings::new(&place.url()).unwrap();
        settings.prepared_statements = prepared;
        let mut db = Db::from(Postgres::connect(&settings).unwrap());
        let sql = "INSERT INTO crypto_key (purpose, period, wrapped) VALUES ($1, $2, $3)";
        let error = db.tx().execute(sql, values!["data", i64::MAX, [1u8]]).unwrap_err();
        assert_eq!(error.kind(), Some(Kind::Other));
        assert!(!error.to_string().contains(&i64::MAX.to_string()));
        let purpose = format!("data {prepared}");
        assert_eq!(db.tx().execute(sql, values![purpose, 7i64, [1u8]]).unwrap(), 1);
    }
}

#[test]
fn transactions_keep_or_undo_everything() {
    engines(|engine, db| {
        db.write(|tx| set_meta(tx, "a", "1")).unwrap();
        let failed = db.write(|tx| {
            set_meta(tx, "a", "2")?;
            tx.execute("INSERT INTO meta (name, value) VALUES ('a', 'x')", &[])
        });
        assert_eq!(failed.unwrap_err().kind(), Some(Kind::Constraint), "{engine}");
        assert_eq!(meta(&mut db.tx(), "a").unwrap().as_deref(), Some("1"), "{engine}");
        db.begin(Mode::Write).unwrap();
        set_meta(&mut db.tx(), "a", "3").unwrap();
        db.rollback();
        assert_eq!(meta(&mut db.tx(), "a").unwrap().as_deref(), Some("1"), "{engine}");
        assert_eq!(db.read(|tx| meta(tx, "a")).unwrap().as_deref(), Some("1"), "{engine}");
        db.write(|_| Ok(())).unwrap();
    });
}

#[test]
fn queued_statements_run_in_order_and_before_what_follows() {
    engines(|engine, db| {
        let insert = "INSERT INTO request_batch (first_idx, at, items) VALUES ($1, $2, $3)";
        let count = "SELECT COUNT(*) FROM request_batch";
        db.write(|tx| {
            for i in 0..3_000i64 {
                tx.queue(insert, values![i, 202_611, vec![2u8; 300]])?;
            }
            tx.queue("UPDATE request_batch SET at = 1 WHERE first_idx < $1", values![10i64])?;
            tx.queue("DELETE FROM request_batch WHERE at = 1 AND first_idx > $1", values![4i64])?;
            assert_eq!(tx.one(count, &[], |r| r.get::<i64>(0))?, 2_995, "{engine}");
            tx.queue("DELETE FROM request_batch WHERE first_idx >= $1", values![1_000i64])
        })
        .unwrap();
        assert_eq!(db.tx().one(count, &[], |r| r.get::<i64>(0)).unwrap(), 995, "{engine}");
        let failed = db.write(|tx| {
            tx.queue(insert, values![5_000i64, 1, [1u8; 1]])?;
            tx.queue(insert, values![0i64, 1, [1u8; 1]])?;
            tx.queue(insert, values![5_001i64, 1, [1u8; 1]])
        });
        assert_eq!(failed.unwrap_err().kind(), Some(Kind::Constraint), "{engine}");
        assert_eq!(db.tx().one(count, &[], |r| r.get::<i64>(0)).unwrap(), 995, "{engine}");
    });
}

#[test]
fn many_rows_are_loaded_at_once() {
    engines(|engine, db| {
        let columns = "line, system, since, until_at, connection";
        let loaded = db.write(|tx| {
            tx.load("line_lock", columns, |row| {
                (0..10_000u32)
                    .try_for_each(|i| row(values![i, 7, 5, (i % 2 == 0).then_some(9), i % 3 == 0]))
            })
        });
        assert_eq!(loaded.unwrap(), 10_000, "{engine}");
        // PostgreSQL adds up BIGINT as NUMERIC: a sum is always cast.
        let sql = "SELECT COUNT(*), COUNT(until_at), CAST(SUM(connection) AS BIGINT) \
                   FROM line_lock WHERE system = 7 AND since = 5";
        let found = db.tx().one(sql, &[], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).unwrap();
        assert_eq!(found, (10_000, 5_000, 3_334), "{engine}");
        let failed = db.write(|tx| {
            tx.load("line_lock", columns, |row| {
                row(values![20_000, 7, 5, None::<i64>, false])?;
                Err(dancu_store::Error::Damaged("source"))
            })
        });
        assert!(matches!(failed, Err(dancu_store::Error::Damaged("source"))), "{engine}");
        let doubled = db.write(|tx| {
            tx.load("line_lock", columns, |row| row(values![1, 7, 5, None::<i64>, false]))
        });
        assert_eq!(doubled.unwrap_err().kind(), Some(Kind::Constraint), "{engine}");
        let sql = "SELECT COUNT(*) FROM line_lock";
        assert_eq!(db.tx().one(sql, &[], |r| r.get::<i64>(0)).unwrap(), 10_000, "{engine}");
    });
}

#[test]
fn a_long_result_can_be_left_early() {
    engines(|engine, db| {
        db.write(|tx| {
            (0..5_000i64).try_for_each(|i| {
                let sql = "INSERT INTO account_day (duty_day, account, used) VALUES ($1, $2, $3)";
                tx.queue(sql, values![1, i, i * 2])
            })
        })
        .unwrap();
        let sql = "SELECT account, used FROM account_day WHERE duty_day = $1 ORDER BY account";
        let mut seen = 0;
        db.tx()
            .each(sql, values![1], |r| {
                assert_eq!(r.get::<i64>(1)?, r.get::<i64>(0)? * 2);
                seen += 1;
                Ok(seen < 700)
            })
            .unwrap();
        assert_eq!(seen, 700, "{engine}");
        let all = db.tx().query(sql, values![1], |r| r.get::<u32>(0)).unwrap();
        assert_eq!((all.len(), all[4_999]), (5_000, 4_999), "{engine}");
        let first = db.tx().lock_row(sql, values![1], |r| r.get::<u32>(0)).unwrap();
        assert_eq!(first, Some(0), "{engine}");
    });
}

#[test]
fn a_row_without_its_number_gets_one() {
    engines(|engine, db| {
        let mut tx = db.tx();
        tx.batch(
            "INSERT INTO system VALUES (1, 'S', 'U', 1, 1, '', 0, 0, NULL, 1, ''); \
             INSERT INTO line VALUES (1, 1, 1, 0, 10)",
        )
        .unwrap();
        let sql = "INSERT INTO raise (line, extra, approved_at, from_at, to_at) \
                   VALUES (1, 1, 1, 1, 1) RETURNING id";
        let ids: Vec<i64> = (0..2).map(|_| tx.one(sql, &[], |r| r.get(0)).unwrap()).collect();
        assert_eq!(ids, [1, 2], "{engine}");
    });
}

#[test]
fn a_read_transaction_sees_one_state_and_changes_nothing() {
    let place = database();
    let (mut one, mut two) = (Db::from(connect(&place.url())), Db::from(connect(&place.url())));
    one.write(|tx| set_meta(tx, "epoch", "1")).unwrap();
    two.begin(Mode::Read).unwrap();
    assert_eq!(meta(&mut two.tx(), "epoch").unwrap().as_deref(), Some("1"));
    one.write(|tx| set_meta(tx, "epoch", "2")).unwrap();
    assert_eq!(meta(&mut two.tx(), "epoch").unwrap().as_deref(), Some("1"));
    assert!(set_meta(&mut two.tx(), "epoch", "3").is_err());
    two.rollback();
    assert_eq!(meta(&mut two.tx(), "epoch").unwrap().as_deref(), Some("2"));
}

#[test]
fn behind_a_pooler_nothing_stays_on_the_server() {
    let place = database();
    let mut settings = Settings::new(&place.url()).unwrap();
    settings.prepared_statements = false;
    let mut db = Db::from(Postgres::connect(&settings).unwrap());
    let facts = "SELECT COUNT(*), current_setting('statement_timeout') FROM \
                 pg_prepared_statements";
    let outside = db.tx().one(facts, &[], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
    assert_eq!(outside, (0i64, "0".to_owned()));
    let inside = db.write(|tx| tx.one(facts, &[], |r| Ok((r.get(0)?, r.get(1)?)))).unwrap();
    assert_eq!(inside, (0i64, "10s".to_owned()));
    let named = |db: &mut Db| db.tx().one(facts, &[], |r| r.get::<i64>(0)).unwrap();
    assert_eq!(named(&mut db), 0);
    let mut usual = Db::from(connect(&place.url()));
    assert!(named(&mut usual) > 0);
}

#[test]
fn the_only_thread_of_a_runtime_is_not_blocked() {
    let place = database();
    let settings = Settings::new(&place.url()).unwrap();
    let one = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let refused = one.block_on(async { Postgres::connect(&settings).map(drop).unwrap_err() });
    assert_eq!((refused.kind(), refused.code()), (Kind::Other, "blocking"));
    let many = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let found = many.block_on(async {
        let mut db = Db::from(Postgres::connect(&settings).unwrap());
        db.write(|tx| set_meta(tx, "a", "1")).unwrap();
        tokio::task::spawn_blocking(move || meta(&mut db.tx(), "a").unwrap()).await.unwrap()
    });
    assert_eq!(found.as_deref(), Some("1"));
}

#[test]
fn a_url_that_cannot_be_read_is_not_repeated() {
    let error = Settings::new("postgres://dancu:geheim@:bad:/x?y=z").err().unwrap();
    assert!(!error.to_string().contains("geheim"));
}
