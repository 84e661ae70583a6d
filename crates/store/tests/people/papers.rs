//! Job plans on their way, and account lists that systems sent.

use dancu_domain::ids::{Login, SystemId};
use dancu_domain::moment::DAY_MS;
use dancu_domain::name::FullName;
use dancu_domain::people::PersonId;
use dancu_domain::people::may::Ground;
use dancu_domain::plans::{ClockRange, Contact, Deed, JobPlan, Step, Terms};
use dancu_domain::rule::RuleId;
use dancu_domain::service::ServiceSet;
use dancu_store::desks::{self, AccountChanges, ChangesState, Filed, Plans, SentRow};
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::{Error, Result, Store};

use crate::common::BEGIN;
use crate::world::{BOTH, World, note};

const SYSTEM: SystemId = SystemId(3);
const SECRET: &str = "Nguyễn Thị Kín";

fn announced() -> JobPlan {
    let day = |n: i64| BEGIN.plus_ms(n * DAY_MS).viet_nam_date();
    let terms = Terms {
        system: SYSTEM,
        services: ServiceSet::ALL,
        hours: [None, ClockRange::new(900, 1320)],
        from: day(1),
        to: day(3),
        daily: 70_000,
        own_count: true,
        account: Login::parse("kehoach.thue").unwrap(),
        contact: Contact::new(FullName::parse(SECRET).unwrap(), "+84900000000").unwrap(),
        purpose: Ground::parse("Làm sạch dữ liệu").unwrap(),
        reason: Ground::parse("Đối soát hằng đêm").unwrap(),
    };
    JobPlan::announce(terms, PersonId(2), BEGIN)
}

fn refused(mut plan: JobPlan) -> JobPlan {
    let reason = "trùng giờ".to_owned();
    let (rule, by) = (Some(RuleId::D7), PersonId(7));
    plan.step(Step { deed: Deed::Refused, rule, by, at: BEGIN, reason }).unwrap();
    plan
}

async fn save(store: &Store, filed: Filed) -> Result<()> {
    note(store, move |tx, keys| desks::save_job_plan(tx, keys, &filed)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d5_a_plan_keeps_every_step() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        let insert =
            |tx: &mut Tx<'_>, keys: &Keyring| desks::insert_job_plan(tx, keys, &announced());
        let id = note(&store, insert).await.unwrap();
        let filed = store.desks().job_plan(id).await.unwrap().unwrap();
        assert_eq!(filed.plan, announced());
        let open = |day| store.desks().job_plans(Plans::Open(day), 10);
        let last = announced().terms.last_day();
        let after = dancu_domain::moment::DutyDay(last.0 + 1);
        assert_eq!((open(last).await.unwrap().len(), open(after).await.unwrap().len()), (1, 0));
        let decided = Filed { id, plan: refused(filed.plan.clone()) };
        save(&store, decided.clone()).await.unwrap();
        let mut stale = filed.clone();
        let (deed, by) = (Deed::Withdrawn, PersonId(2));
        let withdrawn = Step { deed, rule: None, by, at: BEGIN, reason: String::new() };
        stale.plan.step(withdrawn).unwrap();
        assert!(
            matches!(save(&store, stale).await, Err(Error::Refused(_))),
            "a step would be lost"
        );
        let none = Filed { id: 99, ..decided.clone() };
        assert!(matches!(save(&store, none).await, Err(Error::Final(_))));
        let of = store.desks().job_plans(Plans::Of(SYSTEM), 10).await.unwrap();
        assert_eq!(of, [decided]);
        assert_eq!(open(last).await.unwrap(), []);
        let forged = note(&store, move |tx, keys| {
            tx.execute("UPDATE job_plan SET state = 2 WHERE id = 1", &[])?;
            desks::job_plan(tx, keys, id)
        });
        assert!(matches!(forged.await, Err(Error::Damaged(_))));
        let sealed: Vec<u8> = {
            let mut db = world.connect();
            db.tx().one("SELECT sealed FROM job_plan", &[], |r| r.get(0)).unwrap()
        };
        assert!(!sealed.windows(SECRET.len()).any(|w| w == SECRET.as_bytes()));
    }
}

fn changes() -> AccountChanges {
    let cells = ["canbo.moi1", SECRET, "099301012345", "", "0900000000", "20"];
    let cells = cells.map(str::to_owned).into();
    AccountChanges {
        id: 0,
        system: SYSTEM,
        sent_at: BEGIN,
        rows: vec![SentRow { cells, role: "cán bộ".into(), purpose: "hộ tịch".into() }],
        over: [7; 16],
        state: ChangesState::Waiting,
        decided: None,
        answer: String::new(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_list_takes_the_place_of_the_one_that_waits() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        let insert = |tx: &mut Tx<'_>, keys: &Keyring| {
            let insert = |tx: &mut Tx<'_>, c| desks::insert_account_changes(tx, keys, c);
            let other = AccountChanges { system: SystemId(4), ..changes() };
            Ok([insert(tx, &changes())?, insert(tx, &other)?, insert(tx, &changes())?])
        };
        let [first, other, newest] = note(&store, insert).await.unwrap();
        let found = async |id| store.desks().account_changes(id).await.unwrap().unwrap();
        let old = found(first).await;
        assert_eq!((old.state, old.rows.len()), (ChangesState::Replaced, 0), "rows are forgotten");
        assert_eq!(found(other).await.state, ChangesState::Waiting);
        let waiting = store.desks().newest_changes(SYSTEM).await.unwrap().unwrap();
        assert_eq!(waiting, AccountChanges { id: newest, ..changes() });
        let save = |changes: AccountChanges| {
            note(&store, move |tx, keys| desks::save_account_changes(tx, keys, &changes))
        };
        let decided = AccountChanges { state: ChangesState::Refused, rows: vec![], ..waiting };
        save(decided.clone()).await.unwrap();
        assert!(matches!(save(decided).await, Err(Error::Final(_))), "decided once");
        assert_eq!(store.desks().account_changes(99).await.unwrap(), None);
    }
}
