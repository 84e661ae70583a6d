//! The master key in a device, with SoftHSM in its place.

use std::path::PathBuf;
use std::process::Command;

use dancu_store::engine::Engine;
use dancu_store::keys::pkcs11::Token;
use dancu_store::keys::{MASTER_KEY_FILE, MASTER_KEY_OLD_FILE, MasterSource};
use dancu_store::rotation::{self, MasterTarget};

use crate::world::{BEGIN, Folder, World, note};

const MODULES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
];
/// Tells the process that runs below which library to use.
const MODULE_VARIABLE: &str = "DANCU_TEST_MODULE";
const PIN: &str = "735912";

/// SoftHSM reads where its tokens are from the environment of its process: so this test runs
/// itself once more in one.
#[test]
fn a_device_holds_the_master_key() {
    let Some(module) = MODULES.into_iter().find(|m| PathBuf::from(m).exists()) else {
        println!("skipped: SoftHSM is not installed (Debian package softhsm2)");
        return;
    };
    let folder = Folder::new();
    let conf = folder.0.join("softhsm2.conf");
    std::fs::create_dir(folder.0.join("tokens")).unwrap();
    let text = format!("directories.tokendir = {}\n", folder.0.join("tokens").display());
    std::fs::write(&conf, text).unwrap();
    let made = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", "dancu", "--so-pin", "111111", "--pin", PIN])
        .env("SOFTHSM2_CONF", &conf)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "token::in_a_process_of_its_own", "--ignored", "--nocapture"])
        .env("SOFTHSM2_CONF", &conf)
        .env(MODULE_VARIABLE, module)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}\n{}", String::from_utf8_lossy(&run.stderr));
    assert!(said.contains("1 passed"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by a_device_holds_the_master_key"]
async fn in_a_process_of_its_own() {
    let token = |pin: &str| Token {
        module: std::env::var(MODULE_VARIABLE).unwrap().into(),
        token: "dancu".into(),
        label: "dancu-master".into(),
        pin: pin.to_owned().into(),
    };
    let with = |token| MasterSource { token: Some(token), ..MasterSource::default() };
    assert!(!format!("{:?}", token(PIN)).contains(PIN));

    // From a file to the device and back.
    let mut world = World::filled(Engine::Sqlite, 120);
    let file = std::fs::read_to_string(world.file(MASTER_KEY_FILE)).unwrap();
    let store = world.open();
    let refused = rotation::change_master(&store, BEGIN, MasterTarget::Device, "t").await;
    assert!(refused.unwrap_err().to_string().contains("keys.module"));
    drop(store);
    world.masters = with(token(PIN));
    let store = world.open();
    let first = rotation::change_master(&store, BEGIN, MasterTarget::Device, "t").await.unwrap();
    assert!(!world.file(MASTER_KEY_FILE).exists());
    assert_eq!(std::fs::read_to_string(world.file(MASTER_KEY_OLD_FILE)).unwrap(), file);
    std::fs::remove_file(world.file(MASTER_KEY_OLD_FILE)).unwrap();
    // A key made later is wrapped by the device too, and a new start unwraps all of them.
    note(&store, BEGIN.plus_ms(40 * 86_400_000)).await;
    drop(store);
    let store = world.open();
    world.people.check(&store).await;
    assert_eq!(rotation::status(&store).unwrap().master, Some(first.new));
    // Another key of the same device.
    let second = rotation::change_master(&store, BEGIN, MasterTarget::Device, "t").await.unwrap();
    assert_eq!(second.old, first.new);
    drop(store);
    let store = world.open();
    let back = rotation::change_master(&store, BEGIN, MasterTarget::Local, "t").await.unwrap();
    assert_eq!(back.old, second.new);
    drop(store);
    world.masters = MasterSource::default();
    world.people.check(&world.open()).await;

    // New data begins in the device; without it, and with a wrong PIN, it says so.
    let mut fresh = World::new(Engine::Sqlite);
    fresh.masters = with(token(PIN));
    let store = fresh.open();
    assert!(!fresh.file(MASTER_KEY_FILE).exists());
    let place = &rotation::status(&store).unwrap().masters[0].place;
    assert!(place.starts_with("PKCS#11 dancu"), "{place}");
    drop(store);
    fresh.masters = MasterSource::default();
    assert!(fresh.refused().contains("no master key"));
    let refused = |fresh: &mut World, token: Token| {
        fresh.masters = with(token);
        fresh.refused()
    };
    let wrong = refused(&mut fresh, token("000000"));
    assert!(wrong.contains("PIN sai") && !wrong.contains("000000"), "{wrong}");
    // Told apart, so that nobody starts again by itself; the device is not asked a second time.
    assert!(matches!(fresh.try_open(), Err(dancu_store::Error::Pin(_))));
    let elsewhere = Token { token: "khac".into(), ..token(PIN) };
    assert!(refused(&mut fresh, elsewhere).contains("khac"));
    let missing = Token { module: "/nowhere/libp11.so".into(), ..token(PIN) };
    assert!(refused(&mut fresh, missing).contains("/nowhere/libp11.so"));
    fresh.masters = with(token(PIN));
    drop(fresh.open());
}
