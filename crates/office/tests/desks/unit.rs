//! Stand-ins, requests for a raise, and use per hour (E3, D8, D1).

use dancu_domain::ids::{LineId, PersonalId, SubjectId, UnitCode};
use dancu_domain::moment::{DAY_MS, HOUR_MS};
use dancu_domain::people::account::{Phase, Stops};
use dancu_domain::people::powers::Power;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::roles::Role;
use dancu_journal::{Act, Body};
use dancu_office::Refused;
use dancu_office::hours::{HourlyUse, Today};
use dancu_office::officers::{HeadDesk, Who};
use dancu_office::raise_requests::{self, Wanted, begins};
use dancu_office::substitutes::{self, appoint, end};
use dancu_store::desks::{RaiseRequest, RequestState, Requests, insert_raise_request};
use jiff::civil::Date;

use super::officers::{Place, added, stop, with};
use super::world::*;

fn field<T: std::fmt::Debug>(result: Result<T, Refused>) -> &'static str {
    match result.unwrap_err() {
        Refused::Field { field, .. } => field,
        other => panic!("{other}"),
    }
}

fn day(from_today: i64) -> Date {
    clock().plus_ms(from_today * DAY_MS).viet_nam_date()
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e3_stand_ins_have_days() {
    for world in World::both("standins").await {
        let place = Place::new(&world.store, HEAD);
        let desk = place.desk(&world.store);
        let days = (day(0), day(7));
        assert_eq!(field(appoint(&desk, HEAD, OFFICER, (day(-1), day(7))).await), "from");
        assert_eq!(field(appoint(&desk, HEAD, OFFICER, (day(3), day(2))).await), "to");
        assert_eq!(field(appoint(&desk, HEAD, OFFICER, (day(0), day(400))).await), "to");
        assert_eq!(field(appoint(&desk, HEAD, HEAD, days).await), "substitute");
        let elsewhere = appoint(&desk, HEAD, FIRST, days).await;
        assert!(matches!(elsewhere, Err(Refused::Gone)));
        // Today: the deputy may what a deputy may, and what was open before ends.
        world.begin_session(OFFICER).await;
        let epoch = world.person(OFFICER).await.account.epoch;
        appoint(&desk, HEAD, OFFICER, days).await.unwrap();
        let person = world.person(OFFICER).await;
        assert_ne!(person.account.epoch, epoch);
        let may = |p: &dancu_store::people::Person, on: Date| {
            let roles = Power::RequestRaise.row().roles;
            p.grants.on(on).any(|g| roles.contains(g.role))
        };
        assert!(may(&person, day(0)) && may(&person, day(7)) && !may(&person, day(8)));
        let all = substitutes::of(std::slice::from_ref(&person), day(0));
        assert_eq!((all.len(), all[0].role, all[0].absent), (1, Role::Deputy, HEAD));
        // Nobody is stood in for twice on a day.
        assert_eq!(field(appoint(&desk, HEAD, OFFICER, (day(7), day(9))).await), "absent");
        // Planned: it ends nothing now.
        let epoch = person.account.epoch;
        appoint(&desk, HEAD, OFFICER, (day(8), day(9))).await.unwrap();
        assert_eq!(world.person(OFFICER).await.account.epoch, epoch);
        // Ended: at once, and once.
        end(&desk, OFFICER, HEAD, day(0)).await.unwrap();
        let person = world.person(OFFICER).await;
        assert!(!may(&person, day(0)) && may(&person, day(8)));
        assert_ne!(person.account.epoch, epoch);
        assert!(matches!(end(&desk, OFFICER, HEAD, day(0)).await, Err(Refused::Gone)));
        end(&desk, OFFICER, HEAD, day(8)).await.unwrap();
        assert_eq!(world.person(OFFICER).await.grants.all().len(), 1);
        assert_eq!(world.last_act().kind, "person.substituteEnded");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e3_who_is_revoked_holds_no_place_as_a_stand_in() {
    for world in World::both("goneaway").await {
        let new = added(&world.store, "canbo.moi1", "099301012345").await.unwrap();
        let next = new.invited.unwrap();
        with(&world, next, |p| p.account.phase = Phase::Open(Stops::default())).await;
        let place = Place::new(&world.store, HEAD);
        let desk = place.desk(&world.store);
        let days = (day(0), day(7));
        appoint(&desk, HEAD, OFFICER, days).await.unwrap();
        assert_eq!(field(appoint(&desk, HEAD, next, days).await), "absent");
        stop(&world, HEAD, Who::Person(OFFICER)).await.unwrap();
        // Somebody else takes over, and the one who is gone is struck out.
        appoint(&desk, HEAD, next, days).await.unwrap();
        end(&desk, OFFICER, HEAD, day(0)).await.unwrap();
        let gone = world.person(OFFICER).await;
        assert!(
            substitutes::is_gone(&gone)
                && gone.grants.on(day(0)).all(|g| { g.in_place_of.is_none() })
        );
        assert!(matches!(end(&desk, OFFICER, HEAD, day(0)).await, Err(Refused::Gone)));
        // Nobody is named for who is gone.
        assert_eq!(field(appoint(&desk, OFFICER, next, (day(8), day(9))).await), "absent");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_d8_heads_ask_and_withdraw() {
    for world in World::both("asked").await {
        let place = Place::new(&world.store, HEAD);
        let desk = place.desk(&world.store);
        let wanted = |from, to, count, reason: &str| Wanted {
            system: SYSTEM,
            lines: vec![LineId(1)],
            count,
            from,
            to,
            reason: reason.into(),
        };
        let why = "Tuyển sinh đầu cấp, 800 hồ sơ mỗi ngày";
        let tries = [
            (wanted(day(-2), day(1), 500, why), "from"),
            (wanted(day(200), day(201), 500, why), "from"),
            (wanted(day(2), day(1), 500, why), "to"),
            (wanted(day(1), day(100), 500, why), "to"),
            (wanted(day(1), day(2), DAILY, why), "wanted"),
            (wanted(day(1), day(2), 500, "vì cần"), "reason"),
            (Wanted { lines: vec![], ..wanted(day(1), day(2), 500, why) }, "lines"),
        ];
        for (wanted, expected) in tries {
            assert_eq!(field(raise_requests::ask(&desk, wanted).await), expected);
        }
        let other = Wanted { lines: vec![LineId(9)], ..wanted(day(1), day(2), 500, why) };
        assert!(matches!(raise_requests::ask(&desk, other).await, Err(Refused::Gone)));
        let epoch = world.store.ledger().epoch();
        let asked = wanted(day(1), day(3), 500, why);
        let (_, ids) = raise_requests::ask(&desk, asked.clone()).await.unwrap();
        assert_eq!(world.store.ledger().epoch(), epoch, "asking changes no policy");
        let request = world.store.desks().raise_request(ids[0]).await.unwrap().unwrap();
        assert_eq!((request.extra, request.asked_by), (500 - DAILY, HEAD));
        let hours = world.store.profiles().at(clock()).hours.clone();
        assert_eq!(request.to.0 - request.from.0, 3 * DAY_MS);
        assert_eq!(hours.duty(request.from).day.date(), day(1));
        assert_eq!(begins(&hours, hours.duty(request.from).day), request.from);
        // Sent twice it waits once.
        assert_eq!(field(raise_requests::ask(&desk, asked).await), "lines");
        assert_eq!(raise_requests::list(&desk).await.unwrap().len(), 1);
        raise_requests::withdraw(&desk, ids[0]).await.unwrap();
        let all = Requests::Waiting { now: clock(), after: 0 };
        let waiting = world.store.desks().raise_requests(all, 9).await.unwrap();
        assert!(waiting.is_empty());
        assert_eq!(raise_requests::list(&desk).await.unwrap()[0].state, RequestState::Withdrawn);
        match raise_requests::withdraw(&desk, ids[0]).await {
            Err(Refused::Reason(reason)) => assert_eq!(reason, PortalReason::AlreadyDecided),
            other => panic!("{other:?}"),
        }
        // Another unit's desk knows nothing of it.
        let elsewhere = UnitCode::parse("H26.002").unwrap();
        let other = HeadDesk { unit: &elsewhere, ..desk };
        let theirs = raise_requests::withdraw(&other, ids[0]).await;
        assert!(matches!(theirs, Err(Refused::Gone)), "{theirs:?}");
        assert!(raise_requests::list(&other).await.unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_d8_what_nobody_answered_in_time_holds_up_nothing() {
    for world in World::both("unanswered").await {
        let place = Place::new(&world.store, HEAD);
        let desk = place.desk(&world.store);
        let wanted = Wanted {
            system: SYSTEM,
            lines: vec![LineId(1)],
            count: 500,
            from: day(0),
            to: day(0),
            reason: "Tuyển sinh đầu cấp, 800 hồ sơ mỗi ngày".into(),
        };
        // As many as may wait, all of them of long ago.
        let old = clock().plus_ms(-30 * DAY_MS);
        let keys = world.store.keys().clone();
        let made = world.store.ledger().note(clock(), move |tx| {
            for _ in 0..raise_requests::WAITING_MAX {
                let request = RaiseRequest {
                    id: 0,
                    system: SYSTEM,
                    line: LineId(1),
                    extra: 9,
                    from: old,
                    to: old.plus_ms(DAY_MS),
                    reason: String::new(),
                    asked_by: HEAD,
                    asked_at: old,
                    state: RequestState::Waiting,
                    approvals: vec![],
                    decided_at: None,
                    answer: String::new(),
                };
                insert_raise_request(tx, &keys, &request)?;
            }
            let (kind, actor) = ("raise.asked".into(), "thutruong.mau".into());
            Ok(Body::Act(Act { kind, actor, system: 1, detail: String::new() }))
        });
        made.await.unwrap();
        let (_, ids) = raise_requests::ask(&desk, wanted).await.unwrap();
        let all = Requests::Waiting { now: clock(), after: 0 };
        let waiting = world.store.desks().raise_requests(all, 9).await.unwrap();
        assert_eq!(waiting.iter().map(|r| r.id).collect::<Vec<_>>(), ids, "alone in the queue");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_failed_loses_no_counts() {
    for world in World::both("failed").await {
        let citizen = SubjectId::Personal(PersonalId::parse("099301012345").unwrap());
        let today = Today::default();
        let refused = |world: &World| {
            let all = today.look(&world.store, clock())?;
            assert!(all);
            let day = today.of(SYSTEM, clock());
            Ok::<_, dancu_store::Error>(day.refused.iter().sum::<u64>())
        };
        assert_eq!(refused(&world).unwrap(), 0);
        let first = world.ask(citizen, "H26.001-1").await;
        let second = world.ask(citizen, "H26.001-2").await;
        assert!(second > first);
        turn(&world, second).await;
        assert!(refused(&world).is_err(), "the second question cannot be opened");
        turn(&world, second).await;
        assert_eq!(refused(&world).unwrap(), 2);
        assert_eq!(refused(&world).unwrap(), 2, "and each once");
        // A page of before 07:00 that comes late does not throw the day away.
        today.look(&world.store, clock().plus_ms(-DAY_MS)).unwrap();
        assert_eq!(refused(&world).unwrap(), 2);
        let hours = world.store.profiles().at(clock()).hours.clone();
        let duty = hours.duty(clock()).day;
        let one = HourlyUse::default().look(&world.store, (SYSTEM, duty), &hours, clock()).unwrap();
        assert_eq!(one.refused, today.of(SYSTEM, clock()).refused, "both ways come to the same");
    }
}

/// Turns one bit of the chunk that begins with an entry; a second time it is as it was.
async fn turn(world: &World, entry: u64) {
    let done = world.change(move |tx, _| {
        let first = entry.cast_signed();
        let sql = "SELECT sealed FROM entry_chunk WHERE first_idx = $1";
        let mut sealed: Vec<u8> = tx.one(sql, dancu_store::values![first], |r| r.get(0))?;
        sealed[0] ^= 1;
        let sql = "UPDATE entry_chunk SET sealed = $1 WHERE first_idx = $2";
        tx.execute(sql, dancu_store::values![sealed, first]).map(drop)
    });
    done.await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hours_are_counted_from_the_journal_once() {
    for world in World::both("hours").await {
        let (kept, now) = (HourlyUse::default(), clock());
        let hours = world.store.profiles().at(now).hours.clone();
        let day = hours.duty(now).day;
        let hour = usize::try_from((now.0 - begins(&hours, day).0) / HOUR_MS).unwrap();
        let citizen = SubjectId::Personal(PersonalId::parse("099301012345").unwrap());
        let look = |at| kept.look(&world.store, (SYSTEM, day), &hours, at).unwrap();
        assert_eq!(look(now).refused, [0; 24]);
        let mut asked = vec![];
        for n in 1..=3 {
            asked.push(world.ask(citizen, "H26.001-1").await);
            let seen = look(clock());
            assert_eq!((seen.refused[hour], seen.refused.iter().sum::<u64>()), (n, n));
            assert_eq!(seen.all, [0; 24], "refused questions count nobody");
        }
        // What was counted is not read again, even where it could not be.
        turn(&world, asked[0]).await;
        assert_eq!(look(clock()).refused[hour], 3);
        let whole = HourlyUse::default().look(&world.store, (SYSTEM, day), &hours, clock());
        assert!(whole.is_err(), "the first question cannot be opened");
        turn(&world, asked[0]).await;
        // Another process, or this one after a restart, comes to the same.
        let anew = HourlyUse::default().look(&world.store, (SYSTEM, day), &hours, clock()).unwrap();
        assert_eq!(anew.refused[hour], 3);
        let before = HourlyUse::default();
        let yesterday = dancu_domain::moment::DutyDay(day.0 - 1);
        let seen = before.look(&world.store, (SYSTEM, yesterday), &hours, clock()).unwrap();
        assert_eq!(seen.refused, [0; 24]);
    }
}
