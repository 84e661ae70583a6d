//! Every SQL text of the store is prepared on both engines; the schema is the same on both.

use std::collections::BTreeSet;
use std::path::Path;

use dancu_store::Error;
use dancu_store::engine::{Db, migrate};
use dancu_store::sqlite::{Area, for_sqlite};
use dancu_testdb::Server;
use rusqlite::Connection;

use super::{connect, database};

/// Words that a text of SQL begins with.
const STARTS: &[&str] = &["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "];

/// Literals of a source that are SQL, as the compiler reads them; tests are left out.
fn texts_of(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]").next().unwrap();
    let mut found = vec![];
    let mut rest = source;
    while let Some(start) = rest.find('"') {
        let (mut text, mut chars) = (String::new(), rest[start + 1..].char_indices());
        let mut end = rest.len() - start - 1;
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    end = at;
                    break;
                }
                '\\' => match chars.next() {
                    // A broken line goes on at its first letter.
                    Some((_, '\n')) => {
                        while chars.as_str().starts_with(char::is_whitespace) {
                            chars.next();
                        }
                    }
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, other)) => text.push(other),
                    None => {}
                },
                other => text.push(other),
            }
        }
        if STARTS.iter().any(|s| text.starts_with(s)) {
            found.push(text);
        }
        rest = rest.get(start + 1 + end + 1..).unwrap_or("");
    }
    found
}

fn all_texts(dir: &Path, out: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            // The engine's own texts are each for one engine; its tests run them.
            if path.file_name().is_some_and(|n| n != "engine") {
                all_texts(&path, out);
            }
        } else if path.extension().is_some_and(|e| e == "rs") {
            let place = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
            let texts = texts_of(&std::fs::read_to_string(&path).unwrap());
            out.extend(texts.into_iter().map(|t| (place.display().to_string(), t)));
        }
    }
}

#[test]
fn every_text_of_the_store_is_prepared_on_both_engines() {
    let mut texts = vec![];
    all_texts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut texts);
    assert!(texts.len() > 40, "only {} texts found", texts.len());
    let file = Connection::open_in_memory().unwrap();
    for area in migrate::AREAS {
        file.execute_batch(&for_sqlite(area.latest())).unwrap();
    }
    let place = database();
    let mut engines = [Db::from(file), Db::from(connect(&place.url()))];
    let mut found = vec![];
    for (source, text) in &texts {
        for db in &mut engines {
            let engine = db.engine();
            // Texts put together at run time hold a place: they are checked where they run.
            if text.contains('{') {
                continue;
            }
            if let Err(error) = db.tx().check(text) {
                found.push(format!("{source} on {engine:?}: {error}\n    {text}"));
            }
        }
    }
    assert!(found.is_empty(), "{} of {} texts:\n{}", found.len(), texts.len(), found.join("\n"));
    println!("{} texts prepared on both engines", texts.len());
}

/// SQLite numbers `$n` by its first place in the text, PostgreSQL by `n`: only where both are the
/// same do both bind the same value.
#[test]
fn places_are_numbered_in_the_order_of_the_text() {
    let mut texts = vec![];
    all_texts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut texts);
    let mut found = vec![];
    for (source, text) in &texts {
        let mut highest = 0;
        for place in text.split('$').skip(1) {
            let digits = place.split(|c: char| !c.is_ascii_digit()).next().unwrap();
            let Ok(number) = digits.parse::<u32>() else { continue };
            if number > highest + 1 {
                found.push(format!("{source}: ${number} after ${highest}\n    {text}"));
            }
            highest = highest.max(number);
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn texts_are_read_as_the_compiler_reads_them() {
    let source = "f(\"no\", \"SELECT a, \\\n    \\\"b\\\" FROM t\"); #[cfg(test)] \"SELECT x\"";
    assert_eq!(texts_of(source), ["SELECT a, \"b\" FROM t"]);
}

#[test]
fn no_two_areas_share_a_table() {
    let tables = |area: Area| -> BTreeSet<String> {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(&for_sqlite(area.latest())).unwrap();
        let mut names = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").unwrap();
        names.query_map([], |r| r.get(0)).unwrap().map(|r| r.unwrap()).collect()
    };
    let mut all = BTreeSet::from(["schema_version".to_owned()]);
    for area in migrate::AREAS {
        for table in tables(area) {
            assert!(all.insert(table.clone()), "{table} stands in two areas");
        }
    }
}

/// Columns, constraints, indexes and sequences, one line each.
fn schema(db: &mut Db) -> Vec<String> {
    let sql = "SELECT c.relname || ' ' || CAST(c.relkind AS TEXT) || ' ' || a.attname || ' ' || \
               format_type(a.atttypid, a.atttypmod) || ' ' || CAST(a.attnotnull AS TEXT) || ' ' || \
               CAST(a.attidentity AS TEXT) || CAST(a.attstorage AS TEXT) || ' ' || \
               COALESCE(pg_get_expr(d.adbin, d.adrelid), '') \
               FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 \
               LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum \
               WHERE c.relnamespace = 'public'::regnamespace AND c.relname <> 'schema_version' \
               AND c.relname <> 'schema_version_pkey' \
               UNION ALL SELECT conrelid::regclass::text || ' ' || conname || ' ' || \
               pg_get_constraintdef(oid) FROM pg_constraint \
               WHERE connamespace = 'public'::regnamespace \
               AND conrelid::regclass::text <> 'schema_version' \
               UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index \
               JOIN pg_class c ON c.oid = indrelid \
               WHERE c.relnamespace = 'public'::regnamespace AND c.relname <> 'schema_version' \
               ORDER BY 1";
    db.tx().query(sql, &[], |r| r.get(0)).unwrap()
}

#[test]
fn migrations_lead_to_latest_on_postgresql() {
    let place = database();
    let mut migrated = Db::from(connect(&place.url()));
    let empty = Server::shared().database("empty", |_| Ok(()));
    let mut latest = Db::from(connect(&empty.url()));
    for area in migrate::AREAS {
        assert_eq!(migrate::version(&mut latest, area).unwrap(), 0);
        let missing = migrate::check(&mut latest, area).unwrap_err();
        assert!(matches!(missing, Error::Schema { found: 0, .. }));
        latest.tx().batch(&migrate::latest(area)).unwrap();
        migrate::check(&mut migrated, area).unwrap();
    }
    let (migrated, latest) = (schema(&mut migrated), schema(&mut latest));
    assert!(latest.len() > 100);
    assert_eq!(migrated, latest);
}

#[test]
fn nodes_that_migrate_at_once_run_each_step_once() {
    let place = Server::shared().database("empty", |_| Ok(()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut db = Db::from(connect(&place.url()));
                for area in migrate::AREAS {
                    migrate::migrate(&mut db, area).unwrap();
                }
            });
        }
    });
    let mut db = Db::from(connect(&place.url()));
    for area in migrate::AREAS {
        assert_eq!(migrate::migrate(&mut db, area).unwrap(), area.version());
    }
    db.tx().execute("UPDATE schema_version SET version = 99", &[]).unwrap();
    assert_eq!(migrate::migrate(&mut db, Area::Core).unwrap(), 99, "newer by what only adds");
    migrate::check(&mut db, Area::Core).unwrap();
    db.tx().execute("UPDATE schema_version SET oldest = 99", &[]).unwrap();
    assert!(migrate::check(&mut db, Area::Core).is_err());
    let newer = migrate::migrate(&mut db, Area::Core).unwrap_err();
    assert!(matches!(newer, Error::Schema { found: 99, .. }));
}
