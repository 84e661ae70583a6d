//! Older copies are recognised by the anchor, whatever brought them back.

use std::sync::atomic::AtomicU32;

use dancu_store::anchor::ANCHOR_FILE;
use dancu_store::ledger::health::Trouble;

use super::*;

fn copy_dir(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    std::fs::create_dir_all(to).unwrap();
    for file in files(from) {
        std::fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
    }
}

/// Where the data stands now, so that it can be brought back later by other means than a backup.
struct Saved {
    folder: PathBuf,
    database: Option<String>,
}

fn save(world: &World) -> Saved {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = world.folder.0.join(format!("saved-{n}"));
    copy_dir(&world.dir(), &folder);
    let database = world.url().map(|url| {
        let name = url.rsplit('/').next().unwrap().to_owned();
        let saved = format!("saved_{n}");
        copy_database(&name, &saved);
        saved
    });
    Saved { folder, database }
}

/// Connections of a store that was stopped go a moment later.
fn copy_database(from: &str, to: &str) {
    let end = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname IN ('{from}', '{to}') AND pid <> pg_backend_pid()"
    );
    Server::durable().sql("postgres", &end);
    Server::durable().sql("postgres", &format!("DROP DATABASE IF EXISTS {to} WITH (FORCE)"));
    Server::durable().sql("postgres", &format!("CREATE DATABASE {to} TEMPLATE {from}"));
}

/// Brings the databases back; the anchor, where it lies in the folder, stays as it is.
fn bring_back(world: &World, saved: &Saved) {
    match &saved.database {
        Some(database) => {
            let name = world.url().unwrap().rsplit('/').next().unwrap().to_owned();
            copy_database(database, &name);
        }
        None => {
            for file in files(&saved.folder) {
                let name = file.file_name().unwrap().to_owned();
                if name != ANCHOR_FILE {
                    std::fs::copy(&file, world.dir().join(&name)).unwrap();
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_is_refused_until_it_is_accepted() {
    for engine in BOTH {
        let (world, store) = filled(engine).await;
        store.stop();
        drop(store);
        let saved = save(&world);
        let store = world.open();
        let older = store.ledger().next_index();
        write(&store, 3_000, 40, APRIL).await;
        store.stop();
        drop(store);
        world.open().stop();
        bring_back(&world, &saved);
        let told = world.refused();
        for word in [older.to_string(), (older + 40).to_string(), "dancu restore accept".into()] {
            assert!(told.contains(&word), "{word}: {told}");
        }
        // It is refused again and again, and the anchor stays as it was.
        assert_eq!(world.refused(), told);
        let copy = world.try_open(true).unwrap();
        let at = BEGIN.plus_ms(APRIL);
        let accepted = copy.accept_copy(at, "A", "mất đĩa").await.unwrap();
        assert_eq!((accepted.lost, accepted.generation, accepted.index), (Some(40), 1, older));
        assert!(copy.accept_copy(at, "A", "lần nữa").await.is_err());
        copy.stop();
        drop(copy);
        let store = world.open();
        write(&store, 4_000, 5, APRIL).await;
        assert_eq!(entries(&store).len() as u64, older + 6);
        store.stop();
        drop(store);
        world.open().stop();
        // The copy from before the acceptance comes back once more: its generation is older.
        bring_back(&world, &saved);
        world.refused();
        let copy = world.try_open(true).unwrap();
        assert_eq!(copy.accept_copy(at, "A", "mất đĩa").await.unwrap().generation, 2);
        copy.stop();
        drop(copy);
        world.open().stop();
    }
}

/// A copy that went on by itself has as many entries, but others.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_went_on_elsewhere_is_recognised() {
    for engine in BOTH {
        let (world, store) = filled(engine).await;
        store.stop();
        drop(store);
        let saved = save(&world);
        let anchor = world.dir().join(ANCHOR_FILE);
        let store = world.open();
        write(&store, 3_000, 10, APRIL).await;
        store.stop();
        drop(store);
        let newest = std::fs::read(&anchor).unwrap();
        bring_back(&world, &saved);
        // Without an anchor nothing is known of the other entries.
        std::fs::remove_file(&anchor).unwrap();
        let store = world.open();
        write(&store, 6_000, 30, APRIL).await;
        store.stop();
        drop(store);
        std::fs::write(&anchor, &newest).unwrap();
        assert!(world.refused().contains("another entry"));
        // An anchor that was changed by hand is nobody's.
        let text = String::from_utf8(newest).unwrap();
        let index = text.split("\"nextIndex\":").nth(1).unwrap().split(',').next().unwrap();
        let forged = text.replace(&format!("\"nextIndex\":{index}"), "\"nextIndex\":1");
        for broken in [forged.as_str(), "{}", ""] {
            std::fs::write(&anchor, broken).unwrap();
            assert!(world.refused().contains("another database, or damaged"), "{broken}");
        }
    }
}

/// Put elsewhere, the anchor recognises an older copy of the whole folder too.
#[tokio::test(flavor = "multi_thread")]
async fn an_anchor_elsewhere_recognises_an_older_folder() {
    for elsewhere in [true, false] {
        let (mut world, store) = filled(Engine::Sqlite).await;
        store.stop();
        drop(store);
        if elsewhere {
            world.anchor = Some(world.folder.0.join("other.anchor"));
        }
        world.open().stop();
        let saved = save(&world);
        let store = world.open();
        write(&store, 3_000, 40, APRIL).await;
        store.stop();
        drop(store);
        copy_dir(&saved.folder, &world.dir());
        if elsewhere {
            assert!(world.refused().contains("dancu restore accept"));
        } else {
            // What lies beside the data comes back with it: this cannot be known.
            world.open().stop();
        }
    }
}

/// While it serves the anchor follows the journal, and it never claims what is not durable.
#[tokio::test(flavor = "multi_thread")]
async fn the_anchor_follows_what_is_durable() {
    for engine in BOTH {
        let (world, store) = filled(engine).await;
        let anchor = world.dir().join(ANCHOR_FILE);
        assert!(!anchor.exists());
        store.refresh_anchor().unwrap();
        let first = std::fs::read(&anchor).unwrap();
        store.refresh_anchor().unwrap();
        assert_eq!(std::fs::read(&anchor).unwrap(), first);
        let writer = store.clone();
        let writing = tokio::spawn(async move {
            for n in 0..40 {
                write(&writer, 20_000 + n * 10, 10, APRIL).await;
            }
        });
        let mut seen = vec![];
        while !writing.is_finished() {
            tokio::task::block_in_place(|| store.refresh_anchor()).unwrap();
            let text: serde_json::Value =
                serde_json::from_slice(&std::fs::read(&anchor).unwrap()).unwrap();
            let claimed = text["nextIndex"].as_u64().unwrap();
            let mut db = world.connect(Area::Core);
            let sql = "SELECT next_index FROM ledger_head WHERE id = 1";
            let durable: i64 = db.tx().one(sql, &[], |r| r.get(0)).unwrap();
            assert!(claimed <= durable.cast_unsigned(), "{claimed} {durable}");
            seen.push(claimed);
        }
        writing.await.unwrap();
        assert!(seen.is_sorted() && seen.last() > seen.first(), "{seen:?}");
        store.stop();
        let text = String::from_utf8(std::fs::read(&anchor).unwrap()).unwrap();
        assert!(text.contains(&format!("\"nextIndex\":{}", store.ledger().next_index())));
        // No name, no id: it may lie on another machine's disk.
        assert!(text.len() < 400, "{text}");
    }
}

/// A standby that was promoted without the last commits, or a copy that took the database's place
/// while it was served: nothing more is journaled over it.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_falls_behind_while_it_serves_is_not_written_to() {
    for engine in BOTH {
        let (world, store) = filled(engine).await;
        store.refresh_anchor().unwrap();
        let anchor = std::fs::read(world.dir().join(ANCHOR_FILE)).unwrap();
        let next = store.ledger().next_index();
        let mut db = match world.url() {
            None => Db::from(sqlite::writer(&world.dir().join(Area::Core.file())).unwrap()),
            Some(_) => world.connect(Area::Core),
        };
        let lost = "UPDATE ledger_head SET next_index = next_index - 100";
        assert_eq!(db.tx().execute(lost, &[]).unwrap(), 1);
        let refused = tokio::task::block_in_place(|| store.refresh_anchor()).unwrap_err();
        assert!(matches!(refused, dancu_store::Error::OlderCopy(_)), "{refused}");
        assert!(refused.to_string().contains(&next.to_string()), "{refused}");
        assert!(
            store
                .ledger()
                .submit(draft(&store, 50_000, BEGIN.plus_ms(APRIL), LINE_MAX))
                .await
                .is_err()
        );
        store.stop();
        drop(store);
        assert_eq!(std::fs::read(world.dir().join(ANCHOR_FILE)).unwrap(), anchor);
        world.refused();
    }
}

/// The anchor is written each second, so that it may be older than what was lost: what the node saw
/// stands in it from then on, and a start without a person's word is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_saw_a_lost_transaction_does_not_start_again_by_itself() {
    for way_out in ["brought back", "accepted"] {
        let (world, store) = filled(Engine::Postgres).await;
        store.refresh_anchor().unwrap();
        write(&store, 30_000, 5, APRIL).await;
        let next = store.ledger().next_index();
        let mut db = world.connect(Area::Core);
        let newest = "(SELECT MAX(generation) FROM ledger_batch)";
        let id = format!("SELECT id FROM ledger_batch WHERE generation = {newest}");
        let id: Vec<u8> = db.tx().one(&id, &[], |r| r.get(0)).unwrap();
        let change = format!("UPDATE ledger_batch SET id = $1 WHERE generation = {newest}");
        db.tx().execute(&change, values![vec![9u8; 16]]).unwrap();
        while store.ledger().trouble() != Some(Trouble::OlderCopy) {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        for _ in 0..3 {
            let refused = tokio::task::block_in_place(|| store.refresh_anchor()).unwrap_err();
            assert!(matches!(refused, dancu_store::Error::OlderCopy(_)), "{refused}");
        }
        store.stop();
        drop(store);
        assert!(world.refused().contains(&next.to_string()), "{way_out}");
        assert!(world.refused().contains("dancu restore accept"), "{way_out}");
        if way_out == "brought back" {
            db.tx().execute(&change, values![id]).unwrap();
        } else {
            let copy = world.try_open(true).unwrap();
            let at = BEGIN.plus_ms(APRIL);
            let accepted = copy.accept_copy(at, "A", "máy dự phòng thiếu").await.unwrap();
            assert_eq!(accepted.generation, 1);
            copy.stop();
        }
        let store = world.open();
        write(&store, 40_000, 5, APRIL).await;
        tokio::task::block_in_place(|| store.refresh_anchor()).unwrap();
        store.stop();
        drop(store);
        world.open().stop();
    }
}
