//! Job plans over the router: announced by who looks after the systems, agreed by somebody else.

use super::*;
use dancu_domain::moment::DAY_MS;
use dancu_store::desks::Plans;

/// What an integrator sends: in hours, from tomorrow to the day after.
fn form(site: &Site, daily: &'static str) -> Vec<(&'static str, String)> {
    let day = |n: i64| crate::portal::frame::day(site.app.clock.now().plus_ms(n * DAY_MS));
    let fields = [
        ("act", "send"),
        ("once", "một lần"),
        ("system", "1"),
        ("service", "0"),
        ("window", "in"),
        ("inFrom", "08:00"),
        ("inTo", "11:00"),
        ("daily", daily),
        ("own", "1"),
        ("account", "kehoach.thue"),
        ("contact", "Lê Tích Hợp Mẫu"),
        ("phone", "0900 000 000"),
        ("purpose", "Đối soát mã số thuế cá nhân"),
        ("reason", "Chạy lô mỗi sáng trong tuần"),
    ];
    let fields = fields.into_iter().map(|(name, value)| (name, value.to_owned()));
    fields.chain([("from", day(1)), ("to", day(2))]).collect()
}

async fn send(browser: &mut Browser, fields: &[(&'static str, String)]) -> Answer {
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.post("/unit/plans", &fields).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d5_a_plan_goes_from_hand_to_hand() {
    let site = site().await;
    let mut builder = site.signed_in(Role::Integrator, 0).await;
    let blank = builder.get("/unit/plans/new").await;
    assert_eq!(blank.status, StatusCode::OK, "{}", blank.body);
    assert!(blank.body.contains("2.000.000") && blank.body.contains("value=\"18:00\""));
    let wrong = send(&mut builder, &form(&site, "0")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("id=\"daily-wrong\"") && wrong.body.contains("kehoach.thue"));
    let full = send(&mut builder, &form(&site, "6.000.001")).await;
    assert!(full.body.contains("Có giờ đã hết chỗ"), "{}", full.body);
    let mut look = form(&site, "600");
    look[0].1 = "look".into();
    let seen = send(&mut builder, &look).await;
    assert_eq!((seen.status, seen.body.contains(">200<")), (StatusCode::OK, true));
    let sent = form(&site, "600");
    assert_eq!(send(&mut builder, &sent).await.to(), "/unit/plans?told=announced");
    // The same form once more is the same announcement.
    assert_eq!(send(&mut builder, &sent).await.to(), "/unit/plans?told=announced");
    let stored = site.app.gate.store().desks().job_plans(Plans::Newest, 9).await.unwrap();
    assert_eq!(stored.len(), 1);
    let list = builder.get("/unit/plans").await;
    assert!(list.body.contains("Trong giờ 08:00–11:00") && list.body.contains("Đã thông báo"));

    let mut operator = site.signed_in(Role::Operator, 0).await;
    assert!(operator.get("/centre/plans").await.body.contains("/centre/plans/1"));
    let page = operator.get("/centre/plans/1").await;
    assert!(!page.body.contains("/1/agree"), "no form that would be refused");
    let seen = operator.post("/centre/plans/1/acknowledge", &[]).await;
    assert_eq!(seen.to(), "/centre/plans/1?told=acknowledged");
    assert_eq!(operator.post("/centre/plans/1/agree", &[]).await.status, StatusCode::FORBIDDEN);

    let mut approver = site.signed_in(Role::JobPlanApprover, 0).await;
    let page = approver.get("/centre/plans/1").await;
    assert!(page.body.contains("/centre/plans/1/agree"), "{}", page.body);
    let nothing = approver.post("/centre/plans/1/refuse", &[("rule", "D5")]).await;
    assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        nothing.body.contains("id=\"why-not-wrong\"") && nothing.body.contains("<details open")
    );
    assert!(nothing.body.contains("<option value=\"D5\" selected"), "what was chosen stays");
    let agreed = approver.post("/centre/plans/1/agree", &[]).await;
    assert_eq!(agreed.to(), "/centre/plans/1?told=agreed");
    let again = approver.post("/centre/plans/1/agree", &[]).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    let snapshot = site.app.gate.store().snapshot(site.app.clock.now()).unwrap();
    let account = snapshot.by_id(SystemId(1)).unwrap().accounts.find("kehoach.thue").cloned();
    assert_eq!(account.map(|a| (a.kind, a.daily)), Some((AccountKind::Plan, 600)));

    let why = approver.post("/centre/plans/1/end", &[("reason", " ")]).await;
    assert!(why.body.contains("id=\"reason-wrong\"") && !why.body.contains("quy tắc và nêu"));
    let mut head = site.signed_in(Role::Head, 0).await;
    assert!(head.get("/unit/plans/1").await.body.contains("Trung tâm duyệt"));
    let why = head.post("/unit/plans/1/end", &[("reason", " ")]).await;
    assert_eq!(why.status, StatusCode::UNPROCESSABLE_ENTITY);
    let ended = head.post("/unit/plans/1/end", &[("reason", "xong sớm")]).await;
    assert_eq!(ended.to(), "/unit/plans/1?told=ended");
    for path in ["/unit/plans/2", "/centre/plans/2"] {
        let browser = if path.starts_with("/unit") { &mut head } else { &mut approver };
        assert_eq!(browser.get(path).await.status, StatusCode::NOT_FOUND);
    }
}
