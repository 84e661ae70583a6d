//! Monthly statements (A7): their figures against a naive recount of the journal.

use std::collections::BTreeMap;
use std::sync::Arc;

use dancu_domain::ids::{LineId, SystemCode, SystemId, UnitCode};
use dancu_domain::lines::Intent;
use dancu_domain::moment::{DAY_MS, DutyDay, HOUR_MS, MINUTE_MS, Moment};
use dancu_domain::registration::{ConnectionState, Group, LineLimit, System};
use dancu_domain::statements::{Month, READY_MS, Statement};
use dancu_journal::tree::Frontier;
use dancu_journal::{Body, Decision, Query};
use dancu_office::raise_requests::{begins, duty_day};
use dancu_office::statements::{self, Pass, Signed, Signing};
use dancu_office::{Refused, states};
use dancu_store::Error;
use dancu_store::ledger::{Decided, Draft};
use parking_lot::Mutex;

use super::world::*;

/// What was signed, as it was given.
#[derive(Clone, Default)]
struct Desk_(Arc<Mutex<Vec<Statement>>>);

impl Desk_ {
    fn signing(&self) -> Signing {
        let all = self.0.clone();
        Arc::new(move |statement| {
            all.lock().push(statement.clone());
            let json = format!("{statement:?}");
            Ok(Signed { json, note: String::new(), sha256: statement.number.clone() })
        })
    }

    fn last(&self) -> Statement {
        self.0.lock().last().unwrap().clone()
    }
}

/// The month that follows this one: everything here happens from its beginning on.
fn month_of(world: &World) -> Month {
    Month::of(world.store.profiles().at(clock()).hours.duty(clock()).day).next()
}

/// A time of a day of a month, counted from 0, after its 07:00.
fn at(world: &World, month: Month, day: i32, ms: i64) -> Moment {
    let [first, _] = month.days();
    let hours = &world.store.profiles().at(clock()).hours;
    begins(hours, DutyDay(duty_day(first).0 + day)).plus_ms(ms)
}

fn draft(world: &World, n: u64, at: Moment, (purpose, answer): (&str, u8), items: u32) -> Draft {
    let duty = world.store.profiles().at(at).hours.duty(at);
    let intent = Intent {
        at,
        duty,
        system: SYSTEM,
        line: LineId(1),
        limit: LineLimit { count: 5, raise_began: None, raise_approved: None },
        account: ACCOUNT,
        account_daily: 1_000_000,
        own_plan: None,
        items,
        repeat: false,
        unread: false,
    };
    let mut request_key = [7; 16];
    request_key[..8].copy_from_slice(&n.to_be_bytes());
    let query = Query {
        system: SYSTEM.0,
        system_code: "MAU".into(),
        account: ACCOUNT.0,
        line: 1,
        purpose: purpose.into(),
        answer,
        window: duty.window as u8,
        duty_day: duty.day.0,
        ..Query::default()
    };
    Draft {
        query: Box::new(query),
        arrival: at,
        epoch: world.store.ledger().epoch(),
        decided: Decided::Count(intent),
        request_key,
        answered: None,
        header: None,
        guard: None,
        search: vec![],
    }
}

fn read(world: &World, pass: Option<Pass>) -> Pass {
    let mut pass = pass.expect("a month is due");
    while !pass.step(&world.store).unwrap() {}
    pass
}

async fn make(world: &World, now: Moment, pass: Pass, sign: &Signing) -> Result<usize, Error> {
    let ready = statements::ready((&world.store, now), pass)?;
    statements::make((&world.store, now), ready, sign, None).await
}

/// By service, window and purpose: questions, persons, matches; and refusals by rule and reason.
type Naive = (BTreeMap<(u8, u8, String), [u64; 3]>, BTreeMap<(String, u8), u64>);

/// Every entry of the journal, one by one.
fn recount(world: &World, month: Month) -> Naive {
    let (mut served, mut refused) = (BTreeMap::new(), BTreeMap::new());
    let counted = world.store.scan_entries(0, |entry| {
        if let Body::Query(q) = &entry.body
            && DutyDay(q.duty_day).date().strftime("%Y-%m").to_string() == month.to_string()
        {
            if q.decision == Decision::Accepted {
                let key = (q.service, q.window, q.purpose.clone());
                let sum: &mut [u64; 3] = served.entry(key).or_default();
                sum[0] += 1;
                sum[1] += u64::from(q.counted);
                sum[2] += u64::from(q.answer == 1);
            } else if q.decision == Decision::Refused {
                *refused.entry((q.rule.clone(), q.reason)).or_default() += 1;
            }
        }
        Ok(true)
    });
    counted.unwrap();
    (served, refused)
}

fn told(of: &Statement) -> Naive {
    let number = |code: &str| dancu_domain::service::Service::from_code(code).unwrap() as u8;
    let window = |code: &str| u8::from(code == "offHours");
    let served = of.services.iter().map(|row| {
        let key = (number(&row.service), window(&row.window), row.purpose.clone());
        (key, [row.count.questions, row.count.persons, row.count.matches])
    });
    let refused = of.refused.iter().map(|row| ((row.rule.clone(), row.reason), row.questions));
    (served.collect(), refused.collect())
}

async fn ask_all(world: &World, month: Month) {
    let mut n = 0;
    let mut ask = async |day, ms, what, items| {
        n += 1;
        let draft = draft(world, n, at(world, month, day, ms), what, items);
        world.store.ledger().submit(draft).await.unwrap();
    };
    // The last moment of the month before is none of it.
    ask(0, -1, ("Một cửa", 1), 1).await;
    ask(0, 0, ("Một cửa", 1), 1).await;
    ask(0, HOUR_MS, ("Một cửa", 2), 1).await;
    ask(0, 2 * HOUR_MS, ("Hộ tịch", 1), 3).await;
    // No room is left: the first exceedance, then one that locks the line.
    ask(0, 3 * HOUR_MS, ("Một cửa", 1), 1).await;
    for _ in 0..101 {
        ask(0, 3 * HOUR_MS + 20 * MINUTE_MS, ("Một cửa", 1), 1).await;
    }
    ask(1, 12 * HOUR_MS, ("Một cửa", 1), 1).await;
}

/// A question at the month's end, or after it.
async fn ask_late(world: &World, month: Month, ms: i64) {
    let n = ms.unsigned_abs() + 1_000;
    let draft = draft(world, n, at(world, month.next(), 0, ms), ("Một cửa", 1), 1);
    world.store.ledger().submit(draft).await.unwrap();
}

async fn lock(world: &World, now: Moment, locked: bool) {
    let (snapshot, by) = (world.snapshot(), operator());
    let desk = dancu_office::act::Desk { now, ..desk(world, &snapshot, &by) };
    let done = if locked {
        states::lock_connection(&desk).await
    } else {
        states::unlock_connection(&desk).await
    };
    done.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_a7_figures_are_those_of_the_journal() {
    for world in World::both("statements").await {
        let (desk, month) = (Desk_::default(), month_of(&world));
        let sign = desk.signing();
        ask_all(&world, month).await;
        lock(&world, at(&world, month, 3, 0), true).await;
        lock(&world, at(&world, month, 3, HOUR_MS), false).await;
        ask_late(&world, month, -1).await;
        let end = at(&world, month.next(), 0, 0);
        lock(&world, end.plus_ms(-1), true).await;
        ask_late(&world, month, 0).await;
        // The month before: nothing but its last question and the making of this world.
        let early = end.plus_ms(READY_MS - 1);
        let before = statements::next(&world.store, early).await.unwrap();
        let before = read(&world, before);
        assert_eq!(before.month.next(), month);
        assert_eq!(make(&world, early, before, &sign).await.unwrap(), 1);
        let first = desk.last();
        assert_eq!((first.services.len(), first.services[0].count.questions), (1, 1));
        assert!(statements::next(&world.store, early).await.unwrap().is_none(), "not over yet");

        let now = end.plus_ms(READY_MS);
        let pass = read(&world, statements::next(&world.store, now).await.unwrap());
        let other = read(&world, statements::next(&world.store, now).await.unwrap());
        assert_eq!(make(&world, now, pass, &sign).await.unwrap(), 1);
        // Another node that read the same month makes no second one.
        let again = make(&world, now, other, &sign).await.unwrap();
        assert_eq!((again, desk.0.lock().len()), (0, 2));
        assert!(statements::next(&world.store, now).await.unwrap().is_none());

        let made = desk.0.lock()[1].clone();
        assert_eq!(told(&made), recount(&world, month));
        assert_eq!(made.services.len(), 3, "{:?}", made.services);
        let persons: u64 = made.services.iter().map(|row| row.count.persons).sum();
        assert_eq!(persons, 7, "two at its edges, not those beside them");
        assert_eq!((made.month.clone(), made.version), (month.to_string(), 1));
        let [times] = made.exceedances.as_slice() else { panic!("{:?}", made.exceedances) };
        assert_eq!(times.times, 2);
        let held: Vec<_> = made.locks.iter().map(|l| (l.scope.as_str(), l.to.clone())).collect();
        let morning = at(&world, month, 1, 0).rfc3339();
        let lifted = at(&world, month, 3, HOUR_MS).rfc3339();
        let expected =
            [("line", Some(morning)), ("connection", Some(lifted)), ("connection", None)];
        assert_eq!(held, expected);
        tree(&world, &made);

        let act = world.store.last_acts((SYSTEM.0, "statement.made"), u64::MAX, 1).unwrap();
        assert!(act_of(&act[0]).detail.contains(&made.number), "{:?}", act[0].body);
        let stored = world.store.statements().of_month(SYSTEM, month).await.unwrap().unwrap();
        assert_eq!(stored.document.json, format!("{made:?}"));
        assert_eq!(stored.number.to_string(), made.number);
        corrected(&world, month, &desk, now).await;
        empty(&world, month.next(), &desk).await;
    }
}

/// The tree that a statement names, from the commitments themselves.
fn tree(world: &World, of: &Statement) {
    let (mut all, mut tree) = (vec![], Frontier::default());
    let size = of.journal.tree_size as usize;
    let read = world.store.commitments(0, |commitment| {
        all.push(*commitment);
        tree.push(commitment);
        Ok(all.len() < size)
    });
    read.unwrap();
    assert_eq!((all.len(), of.journal.end), (size, of.journal.tree_size));
    assert_eq!(of.journal.root_hash, hex::encode(tree.root()));
    // From the middle on it is the same.
    let mut rest = vec![];
    let read = world.store.commitments(3, |commitment| {
        rest.push(*commitment);
        Ok(rest.len() < size - 3)
    });
    read.unwrap();
    assert_eq!(rest, all[3..]);
}

/// A correction is another statement that names the old one, which stays.
async fn corrected(world: &World, month: Month, desk: &Desk_, now: Moment) {
    let (store, by, sign) = (&world.store, operator(), desk.signing());
    let old = store.statements().of_month(SYSTEM, month).await.unwrap().unwrap();
    let pass = statements::again(store, now, month).await.unwrap();
    let pass = read(world, Some(pass));
    let counted = statements::recounted((store, now), SYSTEM, pass).unwrap();
    assert!(statements::agree(&counted, &desk.0.lock()[1]));
    let mut other = counted.clone();
    other.repeats += 1;
    assert!(!statements::agree(&counted, &other));
    let pass = read(world, Some(statements::again(store, now, month).await.unwrap()));
    let empty = statements::correct((store, now), SYSTEM, (&by, " "), pass, &sign).await;
    assert!(matches!(empty, Err(Refused::NoReason)), "{empty:?}");
    let pass = read(world, Some(statements::again(store, now, month).await.unwrap()));
    let why = (&by, "nhầm đơn vị");
    let done = statements::correct((store, now), SYSTEM, why, pass, &sign).await.unwrap();
    let new = store.statements().of_month(SYSTEM, month).await.unwrap().unwrap();
    assert_eq!((new.version, desk.last().replaces.unwrap().number), (2, old.number.to_string()));
    assert!(done.detail.contains("nhầm đơn vị") && done.detail.contains(&new.number.to_string()));
    let kept = store.statements().by_number(old.number).await.unwrap();
    assert_eq!(kept.as_ref(), Some(&old));
    assert_eq!(store.statements().of_system(SYSTEM).await.unwrap().len(), 3);
    let unknown = statements::again(store, now, month.next()).await;
    assert!(matches!(unknown, Err(Refused::Gone)));
}

/// A month in which one question was asked, with a lock that goes on; and what gets none.
async fn empty(world: &World, month: Month, desk: &Desk_) {
    world
        .change(|tx, keys| {
            let (code, unit) = (SystemCode::parse("MOI").unwrap(), UnitCode::parse("H26").unwrap());
            let system = System::new(SystemId(2), code, unit, Group::State);
            dancu_store::policy::write::insert_system(tx, keys, &system, &[])?;
            // One that was prepared and closed without ever being live.
            let (code, unit) = (SystemCode::parse("CU").unwrap(), UnitCode::parse("H26").unwrap());
            let system = System::new(SystemId(3), code, unit, Group::State);
            dancu_store::policy::write::insert_system(tx, keys, &system, &[])
        })
        .await;
    let (snapshot, by) = (world.snapshot(), operator());
    let closed = snapshot.by_id(SystemId(3)).unwrap();
    let closing = dancu_office::act::Desk {
        now: at(world, month, 1, 0),
        ..word(world, &snapshot, &by).on(closed)
    };
    states::connection(&closing, ConnectionState::Closed).await.unwrap();
    let now = at(world, month.next(), 0, DAY_MS);
    let pass = read(world, statements::next(&world.store, now).await.unwrap());
    let made = make(world, now, pass, &desk.signing()).await.unwrap();
    assert_eq!(made, 1, "what only prepares has none, nor what was closed before it was live");
    let last = desk.last();
    assert_eq!(told(&last), recount(world, month));
    let [lock] = last.locks.as_slice() else { panic!("{:?}", last.locks) };
    let answered = at(world, month, 0, 0).rfc3339();
    assert_eq!((lock.scope.as_str(), lock.to.as_ref()), ("connection", Some(&answered)));
}
