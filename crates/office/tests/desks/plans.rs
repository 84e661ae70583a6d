//! Job plans from their announcement to their end (D4, D5).

use dancu_domain::decide::{Question, decide};
use dancu_domain::ids::{ProcedureCode, SystemId, UnitCode};
use dancu_domain::moment::{DAY_MS, Moment};
use dancu_domain::name::FullName;
use dancu_domain::notices::Notice;
use dancu_domain::people::PersonId;
use dancu_domain::people::may::Ground;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::plans::{ClockRange, Contact, Deed, Standing, Terms};
use dancu_domain::refusal::Reason;
use dancu_domain::registration::{AccountKind, Channel, SharedOfficer};
use dancu_domain::rule::RuleId;
use dancu_domain::service::{FieldSet, Service, ServiceSet, Window};
use dancu_office::Refused;
use dancu_office::officers::HeadDesk;
use dancu_office::plans::{self, Verdict};
use dancu_store::desks::Filed;
use dancu_store::policy;
use jiff::civil::Date;

use super::officers::Place;
use super::world::*;

/// In hours of tomorrow and the day after, under a new account.
fn terms(world: &World) -> Terms {
    let hours = &world.store.profiles().at(clock()).hours;
    let day = |n: i64| hours.duty(clock().plus_ms(n * DAY_MS)).day.date();
    Terms {
        system: SYSTEM,
        services: ServiceSet::of(&[Service::CitizenVerify]),
        hours: [Some(ClockRange::of_window(hours, Window::InHours)), None],
        from: day(1),
        to: day(2),
        daily: 5_000,
        own_count: true,
        account: login("kehoach.mau"),
        contact: Contact::new(FullName::parse("Người Mẫu").unwrap(), "0900000000").unwrap(),
        purpose: Ground::parse("Làm sạch dữ liệu mẫu").unwrap(),
        reason: Ground::parse("Đối soát hằng ngày theo lô").unwrap(),
    }
}

async fn announce(world: &World, terms: Terms) -> Result<i64, Refused> {
    let place = Place::new(&world.store, HEAD);
    plans::announce(&place.desk(&world.store), terms).await.map(|(_, id)| id)
}

async fn verdict(world: &World, by: PersonId, id: i64, what: Verdict) -> Result<(), Refused> {
    let (snapshot, by) = (world.snapshot(), actor(by));
    plans::decide(&desk(world, &snapshot, &by), id, what).await.map(drop)
}

async fn plan(world: &World, id: i64) -> Filed {
    world.store.desks().job_plan(id).await.unwrap().unwrap()
}

fn field(refused: Refused) -> &'static str {
    match refused {
        Refused::Field { field, .. } => field,
        other => panic!("{other}"),
    }
}

/// Noon of a day in Viet Nam.
fn noon(day: Date) -> Moment {
    Moment::parse_rfc3339(&format!("{day}T12:00:00+07:00")).unwrap()
}

async fn with_procedure(world: &World) {
    world
        .change(|tx, _| {
            tx.execute(
                "INSERT INTO procedure (system, code, purpose, services, fields, case_required) \
                 VALUES (1, '1.000001', 'mau', 4095, 0, 0)",
                &[],
            )
            .map(drop)
        })
        .await;
}

/// Questions of the system name the officer's account by this value too.
async fn share(world: &World, value: &'static str) {
    world
        .change(move |tx, keys| {
            let shared = SharedOfficer {
                value: value.to_owned(),
                account: ACCOUNT,
                until: jiff::civil::date(2099, 1, 1),
            };
            policy::write::insert_shared(tx, keys, SYSTEM, &shared)
        })
        .await;
}

/// What a question of the plan's account gets at a time.
fn ask(world: &World, at: Moment) -> Result<Option<(u32, u32)>, Reason> {
    let snapshot = world.snapshot();
    let procedure = ProcedureCode::parse("1.000001").unwrap();
    let question = Question {
        at,
        channel: Channel::Api,
        service: Service::CitizenVerify,
        officer: "kehoach.mau",
        procedure: &procedure,
        purpose: None,
        case: None,
        fields: FieldSet::EMPTY,
        items: 1,
    };
    let system = snapshot.by_id(SYSTEM).unwrap();
    let granted = decide(world.store.profiles().at(at), system, &question);
    granted.map(|g| g.intent.own_plan.map(|(id, n)| (id.0, n))).map_err(|(reason, _)| reason)
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_d5_an_announcement_opens_nothing_until_a_named_person_agrees() {
    for world in World::both("plan").await {
        with_procedure(&world).await;
        let wanted = terms(&world);
        let noon = noon(wanted.from);
        let id = announce(&world, wanted).await.unwrap();
        assert_eq!(ask(&world, noon), Err(Reason::AccountUnknown));
        verdict(&world, FIRST, id, Verdict::Acknowledge).await.unwrap();
        assert_eq!(world.last_act().kind, "plan.acknowledged");
        assert_eq!(ask(&world, noon), Err(Reason::AccountUnknown));
        let own = verdict(&world, HEAD, id, Verdict::Agree).await;
        assert!(matches!(own, Err(Refused::Reason(PortalReason::OwnRequest))), "{own:?}");
        verdict(&world, SECOND, id, Verdict::Agree).await.unwrap();
        let act = world.last_act();
        assert_eq!((act.kind.as_str(), act.actor.as_str()), ("plan.agreed", "vanhanh2.mau"));
        assert!(act.detail.contains("5000 người/ngày, số lượt riêng"), "{}", act.detail);
        // In force for the next question, with its own count (D4), at its hours and days only.
        assert_eq!(ask(&world, noon), Ok(Some((1, 5_000))));
        assert_eq!(ask(&world, noon.plus_ms(7 * 3_600_000)), Err(Reason::PlanDoesNotCover));
        assert_eq!(ask(&world, noon.plus_ms(2 * DAY_MS)), Err(Reason::PlanDoesNotCover));
        let filed = plan(&world, id).await;
        let (_, account) = filed.plan.runs_as.unwrap();
        let snapshot = world.snapshot();
        let account = snapshot.by_id(SYSTEM).unwrap().accounts.by_id(account).unwrap();
        assert_eq!((account.kind, account.daily), (AccountKind::Plan, 5_000));
        let deeds: Vec<Deed> = filed.plan.steps().iter().map(|s| s.deed).collect();
        assert_eq!(deeds, [Deed::Announced, Deed::Acknowledged, Deed::Agreed]);
        let again = verdict(&world, FIRST, id, Verdict::Agree).await;
        assert!(matches!(again, Err(Refused::Reason(PortalReason::AlreadyDecided))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_d5_a_plan_that_was_ended_covers_nothing_more() {
    for world in World::both("plan-end").await {
        with_procedure(&world).await;
        let wanted = terms(&world);
        let noon = noon(wanted.from);
        let id = announce(&world, wanted.clone()).await.unwrap();
        // Nobody acknowledged it: who agrees has seen it.
        verdict(&world, FIRST, id, Verdict::Agree).await.unwrap();
        assert!(ask(&world, noon).is_ok());
        let place = Place::new(&world.store, HEAD);
        plans::give_up(&place.desk(&world.store), id, "chạy xong sớm").await.unwrap();
        assert_eq!(world.last_act().kind, "plan.ended");
        assert_eq!(ask(&world, noon), Err(Reason::PlanDoesNotCover));
        let hours = &world.store.profiles().at(clock()).hours;
        let ended = plan(&world, id).await;
        assert_eq!(ended.plan.standing(hours, clock()), Standing::Ended);
        // The same account runs under the next plan: the first one holds no more.
        let next = announce(&world, wanted).await.unwrap();
        verdict(&world, FIRST, next, Verdict::Agree).await.unwrap();
        assert_eq!(plan(&world, next).await.plan.runs_as.unwrap().1, ended.plan.runs_as.unwrap().1);
        assert_eq!(ask(&world, noon), Ok(Some((2, 5_000))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_an_announcement_is_told_by_its_field() {
    for world in World::both("plan-wrong").await {
        let good = terms(&world);
        share(&world, "dung.chung").await;
        let wrong = |change: &dyn Fn(&mut Terms)| {
            let mut terms = good.clone();
            change(&mut terms);
            announce(&world, terms)
        };
        let off = ServiceSet::of(&[Service::CitizenLookup]);
        let before = world.store.ledger().next_index();
        assert_eq!(field(wrong(&|t| t.daily = 0).await.unwrap_err()), "daily");
        let hours = &world.store.profiles().at(clock()).hours;
        let today = hours.duty(clock()).day.date();
        assert_eq!(field(wrong(&|t| t.from = today).await.unwrap_err()), "from");
        assert_eq!(field(wrong(&|t| t.services = off).await.unwrap_err()), "services");
        let officer = wrong(&|t| t.account = login("canbo.mau")).await;
        assert_eq!(field(officer.unwrap_err()), "account");
        let shared = wrong(&|t| t.account = login("dung.chung")).await;
        assert_eq!(field(shared.unwrap_err()), "account", "questions name another's by it");
        let elsewhere = wrong(&|t| t.system = SystemId(9)).await;
        assert!(matches!(elsewhere, Err(Refused::Gone)));
        // More than the centre has room for in an hour of eleven.
        assert_eq!(field(wrong(&|t| t.daily = 22_000_001).await.unwrap_err()), "daily");
        assert_eq!(world.store.ledger().next_index(), before, "refusals left no entry");
        announce(&world, good.clone()).await.unwrap();
        let twice = announce(&world, Terms { account: login("kehoach.hai"), ..good.clone() }).await;
        assert_eq!(field(twice.unwrap_err()), "services");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_d5_a_plan_that_could_not_be_agreed_is_not_announced_and_steps_are_told() {
    for world in World::both("plan-next").await {
        let first = terms(&world);
        let id = announce(&world, first.clone()).await.unwrap();
        verdict(&world, FIRST, id, Verdict::Agree).await.unwrap();
        let after = |day: Date| day.checked_add(jiff::Span::new().days(2)).unwrap();
        let next = Terms { from: after(first.from), to: after(first.to), ..first };
        assert_eq!(field(announce(&world, next.clone()).await.unwrap_err()), "account");
        announce(&world, Terms { account: login("kehoach.hai"), ..next }).await.unwrap();
        dancu_office::notices::spread::spread(&world.store, clock()).await.unwrap();
        let told = async |person| {
            let inbox = world.store.notices().inbox(person, i64::MAX).await.unwrap();
            inbox
                .iter()
                .rev()
                .filter_map(|letter| match letter.notice {
                    Notice::Plan { deed, .. } => Some(deed),
                    _ => None,
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(told(FIRST).await, [Deed::Announced, Deed::Announced]);
        assert_eq!(told(HEAD).await, [Deed::Agreed]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_refused_under_a_rule_and_withdrawn_by_its_unit_only() {
    for world in World::both("plan-refused").await {
        let first = announce(&world, terms(&world)).await.unwrap();
        verdict(&world, FIRST, first, Verdict::Refuse(RuleId::D4)).await.unwrap();
        let act = world.last_act();
        assert!(act.detail.contains("quy tắc D4") && act.detail.ends_with("cao điểm"));
        let last = plan(&world, first).await.plan.steps().last().cloned().unwrap();
        assert_eq!((last.rule, last.reason.as_str()), (Some(RuleId::D4), "cao điểm"));
        // Refused, it is in nobody's way.
        let second = announce(&world, terms(&world)).await.unwrap();
        let place = Place::new(&world.store, HEAD);
        let elsewhere = UnitCode::parse("H26.002").unwrap();
        let own = place.desk(&world.store);
        let other = HeadDesk { unit: &elsewhere, ..own };
        assert!(matches!(plans::give_up(&other, second, "thử").await, Err(Refused::Gone)));
        plans::give_up(&own, second, "không chạy nữa").await.unwrap();
        assert_eq!(world.last_act().kind, "plan.withdrawn");
        let late = verdict(&world, FIRST, second, Verdict::Agree).await;
        assert!(matches!(late, Err(Refused::Reason(PortalReason::AlreadyDecided))));
    }
}
