//! Who acts, and acts at the same time, on both engines.

/// The acts' own tests open a store like these.
#[path = "../../../office/tests/desks/open.rs"]
mod open;

use std::sync::Arc;

use dancu_domain::ids::{LineId, SystemId, UnitCode};
use dancu_domain::registration::{CertificateMode, Certificates, Group, Line, ServiceGrant};
use dancu_domain::service::FieldSet;
use dancu_journal::{Act, Body};
use dancu_store::policy;
use serde_json::{Value, json};

use self::open::{Opened, clock};
use super::*;

/// Registered count of the only line.
const DAILY: u32 = 100;

fn args(by: &[&str]) -> WhoArgs {
    WhoArgs {
        place: cli::DataArgs::default(),
        system: "ONESTOP".into(),
        reason: " cao điểm ".into(),
        by: by.iter().map(|&name| name.to_owned()).collect(),
    }
}

#[test]
fn rule_d8_one_person_is_not_two_approvers() {
    let spellings = args(&["Trần Văn A", " trần văn a ", "TRAN VAN A"]);
    let who = Who::of(&spellings).unwrap();
    assert_eq!((who.by.as_slice(), who.reason), (&["Trần Văn A"][..], "cao điểm"));
    assert_eq!(Who::of(&args(&["A", "B"])).unwrap().by.len(), 2);
}

#[test]
fn acts_of_nobody_are_refused() {
    for by in [&[""][..], &["  "], &["A", ""], &["."]] {
        assert!(Who::of(&args(by)).is_err(), "{by:?}");
    }
    assert!(Who::of(&WhoArgs { reason: " ".into(), ..args(&["A"]) }).is_err());
}

/// A store with one system that has one line.
struct World(Opened);

impl std::ops::Deref for World {
    type Target = Opened;

    fn deref(&self) -> &Opened {
        &self.0
    }
}

impl World {
    /// The same on SQLite and on PostgreSQL.
    async fn both(name: &str) -> [Self; 2] {
        let [one, two] = Opened::both(&format!("operate-{name}"));
        [Self::new(one).await, Self::new(two).await]
    }

    async fn new(opened: Opened) -> Self {
        let line = Line { id: LineId(1), daily: DAILY, raises: vec![] };
        let service = Service::CitizenVerify;
        let mut system = System::new(
            SystemId(1),
            SystemCode::parse("MAU").unwrap(),
            UnitCode::parse("H26.001").unwrap(),
            Group::State,
        );
        system.certificates = Certificates::OFF;
        system.services[service.index()] = Some(ServiceGrant {
            service,
            ma_tich_hop: "001".into(),
            fields: FieldSet::ALL,
            lines: [Some(line), None],
        });
        let keys = opened.store.keys().clone();
        let made = opened.store.ledger().act(clock(), move |tx, _| {
            policy::write::insert_system(tx, &keys, &system, &[])?;
            let (kind, actor) = ("test".into(), "thử nghiệm".into());
            Ok(Body::Act(Act { kind, actor, system: 1, detail: String::new() }))
        });
        made.await.unwrap();
        Self(opened)
    }

    fn system(&self) -> Arc<System> {
        let snapshot = self.store.snapshot(clock()).unwrap();
        snapshot.by_id(SystemId(1)).unwrap().clone()
    }

    /// Registered count and raises of the line, now.
    fn limit(&self) -> u32 {
        let system = self.system();
        let grant = system.service(Service::CitizenVerify).unwrap();
        grant.line(Window::InHours).unwrap().limit(clock()).count
    }

    /// Over a snapshot that may be overtaken.
    async fn act(&self, snapshot: &Snapshot, command: &Command) -> anyhow::Result<Done> {
        let who = Who::of(command.who()).unwrap();
        act(&self.store, snapshot, clock(), &who, command).await
    }
}

/// As it comes through the socket.
fn command(body: Value) -> Command {
    serde_json::from_value(body).unwrap()
}

fn on_line(by: &[&str]) -> Value {
    let who = json!({ "system": "MAU", "reason": "thử", "by": by });
    json!({ "who": who, "service": "citizen.verify", "window": "inHours" })
}

fn raise(extra: u32, by: &[&str]) -> Command {
    command(json!({ "raise": { "line": on_line(by), "extra": extra, "days": 1 } }))
}

fn certificates(change: &Value) -> Command {
    let who = json!({ "system": "MAU", "reason": "thử", "by": ["A"] });
    command(json!({ "certificates": { "who": who, "change": change } }))
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_d8_raises_at_the_same_time_are_summed() {
    for world in World::both("raises").await {
        let snapshot = world.store.snapshot(clock()).unwrap();
        let done = world.act(&snapshot, &raise(60, &["A"])).await.unwrap();
        assert!(done.detail.starts_with("MAU citizen.verify inHours +60"), "{done:?}");
        assert_eq!(world.limit(), 160);
        // Over the registration of before this is 160 too; with the other it is 220, above twice.
        let refused = world.act(&snapshot, &raise(60, &["A"])).await.unwrap_err().to_string();
        assert!(refused.contains("220") && refused.contains("--by A --by B"), "{refused}");
        assert_eq!(world.limit(), 160);
        world.act(&snapshot, &raise(60, &["A", "B"])).await.unwrap();
        assert_eq!(world.limit(), 220);
        // Both at once, from two callers that each wait for the other's commit.
        let (one, two) = (raise(1, &["A"]), raise(2, &["A", "B"]));
        let now = clock();
        let (one, two) = tokio::join!(
            carry_out((&world.store, now), &one, "root"),
            carry_out((&world.store, now.plus_ms(5)), &two, "root")
        );
        assert!(one.is_err() && two.is_ok(), "{one:?} {two:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_d8_of_two_raises_at_once_one_needs_a_second_approver() {
    for world in World::both("at-once").await {
        // The earlier clock may be the later commit: two nodes differ by milliseconds.
        let (one, two) = (raise(70, &["A"]), raise(70, &["B"]));
        let now = clock();
        let (one, two) = tokio::join!(
            carry_out((&world.store, now.plus_ms(5)), &one, "root"),
            carry_out((&world.store, now), &two, "root")
        );
        assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1, "{one:?} {two:?}");
        let refused = one.and(two).unwrap_err().to_string();
        assert!(refused.contains("240") && refused.contains("D8"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_registered_at_the_same_time_all_stay() {
    for world in World::both("certificates").await {
        let snapshot = world.store.snapshot(clock()).unwrap();
        let (one, two) = ("01".repeat(32), "02".repeat(32));
        for print in [&one, &two] {
            let add = certificates(&json!({ "mode": null, "add": [print], "remove": [] }));
            let done = world.act(&snapshot, &add).await.unwrap();
            assert!(done.detail.contains(print.as_str()), "{done:?}");
        }
        assert_eq!(world.system().certificates.sha256, [[1; 32], [2; 32]]);
        // Over the registration of before there is one left for the mode; now there is none.
        let snapshot = world.store.snapshot(clock()).unwrap();
        let all = certificates(&json!({ "mode": null, "add": [], "remove": [one, two] }));
        world.act(&snapshot, &all).await.unwrap();
        let required = certificates(&json!({ "mode": "required", "add": [], "remove": [] }));
        let refused = world.act(&snapshot, &required).await.unwrap_err().to_string();
        assert!(refused.contains("--add"), "{refused}");
        assert_eq!(world.system().certificates.mode, CertificateMode::Off);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_leaves_no_entry_and_says_what_there_is() {
    for world in World::both("refused").await {
        let before = world.store.ledger().next_index();
        let lift = command(json!({ "lift": { "line": on_line(&["A"]) } }));
        let told = carry_out((&world.store, clock()), &lift, "root").await.unwrap_err().to_string();
        assert!(told.contains("not locked"), "{told}");
        let who = json!({ "system": "MAUU", "reason": "thử", "by": ["A"] });
        let other = command(json!({ "connection": { "who": who, "state": "live" } }));
        let told =
            carry_out((&world.store, clock()), &other, "root").await.unwrap_err().to_string();
        assert!(told.contains("\"MAUU\"") && told.contains("known): MAU"), "{told}");
        assert_eq!(world.store.ledger().next_index(), before);
    }
}

/// B3: a connection that is prepared goes live by its dossier, whatever way round is tried.
#[tokio::test(flavor = "multi_thread")]
async fn rule_b3_what_was_never_live_is_only_closed() {
    for world in World::both("prepared").await {
        let set = async |state: &str| {
            let who = json!({ "system": "MAU", "reason": "thử", "by": ["A"] });
            let command = command(json!({ "connection": { "who": who, "state": state } }));
            carry_out((&world.store, clock()), &command, "root").await
        };
        for state in ["live", "suspended", "locked"] {
            let told = set(state).await.unwrap_err().to_string();
            assert!(told.contains("B3"), "{state}: {told}");
            assert_eq!(world.system().state, ConnectionState::Preparing);
        }
        set("closed").await.unwrap();
        assert_eq!(world.system().state, ConnectionState::Closed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_names_the_account_of_the_machine_beside_what_by_says() {
    for world in World::both("account").await {
        let command = raise(1, &["dancu demo", "onestop.canbo1"]);
        let done = carry_out((&world.store, clock()), &command, "vanhanh").await.unwrap();
        let entry = world.store.entry(done.index.unwrap()).unwrap().unwrap();
        let Body::Act(act) = entry.body else { panic!("an act") };
        assert_eq!(act.actor, "dancu demo, onestop.canbo1 [vanhanh]");
    }
}

#[test]
fn words_of_the_body_that_are_not_known_are_refused_and_old_bodies_still_read() {
    let who = json!({ "system": "MAU", "reason": "thử", "by": ["A"] });
    let body = json!({ "account": { "who": who, "login": "mau.canbo1", "state": "revoked" } });
    let Command::Account { cause, .. } = command(body) else { panic!("an account") };
    assert_eq!(cause, "left");
}

/// A command line with these acts.
#[derive(clap::Parser)]
struct Typed {
    #[command(subcommand)]
    command: Command,
}

fn typed(what: &[&str]) -> Result<Command, clap::Error> {
    let who = ["--system", "MAU", "--reason", "thử", "--by", "A"];
    let all = ["dancu"].iter().chain(what).chain(&who);
    <Typed as clap::Parser>::try_parse_from(all).map(|line| line.command)
}

#[test]
fn words_of_the_command_line_stay_what_they_are() {
    for word in ["live", "suspended", "locked", "closed"] {
        let read = typed(&["connection", "--state", word]);
        assert!(matches!(read, Ok(Command::Connection { state, .. }) if state == word), "{word}");
    }
    assert!(typed(&["connection", "--state", "preparing"]).is_err());
    let account = ["account", "--login", "mau.canbo1", "--state"];
    for word in ["live", "suspended", "locked", "revoked"] {
        let read = typed(&[&account[..], &[word]].concat());
        let Ok(Command::Account { state, cause, .. }) = read else { panic!("{word}") };
        assert_eq!((state.as_str(), cause.as_str()), (word, "left"));
    }
    for word in ["left", "transferred", "duplicate", "misused"] {
        let read = typed(&[&account[..], &["revoked", "--cause", word]].concat());
        assert!(matches!(read, Ok(Command::Account { cause, .. }) if cause == word), "{word}");
    }
    assert!(typed(&[&account[..], &["revoked", "--cause", "transfer"]].concat()).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b4_units_are_loaded_merged_and_listed_by_command() {
    for world in World::both("units").await {
        let who = json!({ "reason": "NQ mẫu", "by": ["A"] });
        let act = async |what: Value| {
            let command = command(json!({ "units": { "command": what } }));
            carry_out((&world.store, clock()), &command, "root").await
        };
        let loaded = act(json!({ "load": { "who": who } })).await.unwrap();
        assert!(loaded.index.is_some() && loaded.detail.contains("3355"), "{loaded:?}");
        let again = act(json!({ "load": { "who": who } })).await.unwrap();
        assert_eq!(again.index, None, "nothing is changed twice");
        let merge = json!({ "merge": {
            "who": who, "unit": ["H26.001"], "into": "UBND-X00004", "on": null
        } });
        let merged = act(merge).await.unwrap();
        assert!(merged.detail.contains("chuyển 1 hệ thống"), "{merged:?}");
        assert_eq!(world.system().unit.as_str(), "UBND-X00004");
        let list = act(json!({ "list": { "who": who, "search": "h26" } })).await.unwrap().detail;
        assert!(list.contains("→ UBND-X00004") && list.ends_with("1 đơn vị (units)"), "{list}");
        let wrong = json!({ "rename": {
            "who": who, "unit": "KHONG-CO", "name": "Tên khác", "on": null
        } });
        let refused = act(wrong).await.unwrap_err().to_string();
        assert!(refused.contains("(B4)"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e1_who_is_invited_by_command_gets_a_code_that_stands_nowhere_else() {
    for world in World::both("invite").await {
        let invite = command(json!({ "invite": {
            "who": { "reason": "QĐ mẫu", "by": ["A"] }, "unit": "H26.001", "role": "head",
            "login": "thutruong.mau", "name": "Người Mẫu", "citizenId": "099301012345"
        } }));
        let done = carry_out((&world.store, clock()), &invite, "root").await.unwrap();
        let secret = done.secret.unwrap();
        assert_eq!(secret.len(), 14);
        assert!(!done.detail.contains(&secret) && done.detail.contains("head tại H26.001"));
        let again = carry_out((&world.store, clock()), &invite, "root").await;
        assert!(again.unwrap_err().to_string().contains("(B6)"));
    }
}
