//! What the centre did to an account, as the head reads it, and what reading it takes.

use dancu_domain::people::PersonId;
use dancu_domain::people::grants::{Grant, Scope};
use dancu_domain::registration::DateRange;

use super::*;

/// Acts are looked for in the few places for long reads, and the page stands without them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d6_the_head_reads_what_the_centre_did_to_an_account() {
    let site = site().await;
    let (mut operator, mut head) =
        (site.signed_in(Role::Operator, 0).await, site.signed_in(Role::Head, 0).await);
    let places = &site.app.portal.as_ref().unwrap().acts;
    let take_all =
        || -> Vec<_> { (1_000_u32..).map_while(|n| places.take(PersonId(n)).ok()).collect() };
    operator.get("/operate/systems/HT1").await;
    let officer = login(Role::Officer);
    let lock = [("what", "account"), ("login", officer.as_str()), ("reason", "báo mất")];
    operator.post("/operate/systems/HT1/lock", &lock).await;
    let (page, told) = ("/unit/officers/a1", "Trung tâm khóa tài khoản lúc");
    let shown = head.get(page).await.body;
    assert!(shown.contains(told) && shown.contains("Lý do: báo mất"), "{shown}");
    // Beside a refusal as well.
    let refused = head.post("/unit/officers/a1/training", &[("trained", "")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains(told));
    let taken = take_all();
    let busy = head.get(page).await;
    assert_eq!(busy.status, StatusCode::OK);
    assert!(busy.body.contains("Chưa đọc được việc Trung tâm"), "{}", busy.body);
    // A list without a lock looks for none.
    for (path, status) in [
        ("/operate/locks", StatusCode::SERVICE_UNAVAILABLE),
        ("/operate/locks/account-1", StatusCode::SERVICE_UNAVAILABLE),
        ("/operate/locks?system=HT2", StatusCode::OK),
    ] {
        assert_eq!(operator.get(path).await.status, status, "{path}");
    }
    drop(taken);
    let unlock = [("lock", "account-1"), ("reason", "nhầm")];
    operator.get("/operate/locks").await;
    operator.post("/operate/locks/unlock", &unlock).await;
    let live = head.get(page).await.body;
    assert!(live.contains("Trung tâm mở khóa tài khoản lúc") && live.contains("Lý do: nhầm"));
}

/// Roles that ended or have not begun are none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e3_a_role_that_ended_is_not_listed() {
    let site = site().await;
    let keys = site.app.gate.store().keys().clone();
    let given = site.app.gate.store().ledger().act(site.app.clock.now(), move |tx, _| {
        let known = Login::parse(&login(Role::Officer)).unwrap();
        let mut person = people::by_login(tx, &keys, &known)?.unwrap();
        let days = DateRange {
            from: Some(jiff::civil::date(2020, 1, 1)),
            to: Some(jiff::civil::date(2020, 1, 31)),
        };
        let past = Grant::new(Role::Deputy, Scope::Unit(person.unit.clone()), days, None).unwrap();
        person.grants = person.grants.clone().with(past).unwrap();
        people::save(tx, &keys, &person)?;
        let (kind, actor) = ("test".into(), "test".into());
        Ok(EntryBody::Act(Act { kind, actor, system: 1, detail: String::new() }))
    });
    given.await.unwrap();
    let mut head = site.signed_in(Role::Head, 0).await;
    let list = head.get("/unit/officers?q=vai.officer").await.body;
    assert!(list.contains(Role::Officer.row().name_vi), "{list}");
    assert!(!list.contains(Role::Deputy.row().name_vi), "{list}");
}

/// The head appeals against a lock, the centre answers, and both see the clocks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d6_a_head_appeals_against_a_lock_and_reads_the_answer() {
    let site = site().await;
    let (mut operator, mut head) =
        (site.signed_in(Role::Operator, 0).await, site.signed_in(Role::Head, 0).await);
    operator.get("/operate/systems/HT1").await;
    let officer = login(Role::Officer);
    let lock = [("what", "account"), ("login", officer.as_str()), ("reason", "bất thường")];
    operator.post("/operate/systems/HT1/lock", &lock).await;
    let page = "/operate/locks/account-1";
    let once = head.get(page).await.hidden("once");
    let silent = [("once", once.as_str()), ("lock", "account-1"), ("words", " ")];
    let wrong = head.post("/unit/appeals", &silent).await;
    assert!(wrong.body.contains("id=\"words-wrong\""), "{}", wrong.body);
    let said = [("once", once.as_str()), ("lock", "account-1"), ("words", "Nhập tay cả ngày")];
    let sent = head.post("/unit/appeals", &said).await;
    assert_eq!(sent.to(), format!("{page}?told=sent"), "{}", sent.body);
    let shown = head.get(page).await.body;
    assert!(shown.contains("Nhập tay cả ngày") && shown.contains("Phải trả lời trước"));
    assert!(!shown.contains("/unit/appeals"), "one waits");
    assert!(!shown.contains("/operate/locks/appeals/keep"), "not the head's to answer");
    assert!(operator.get("/operate/locks").await.body.contains("Có khiếu nại"));
    operator.get(page).await;
    let seen = operator.post("/operate/locks/appeals/acknowledge", &[("lock", "account-1")]).await;
    assert_eq!(seen.to(), format!("{page}?told=seen"), "{}", seen.body);
    let keep = "/operate/locks/appeals/keep";
    let reasonless = operator.post(keep, &[("lock", "account-1"), ("keep", " ")]).await;
    assert!(reasonless.body.contains("id=\"keep-wrong\""), "{}", reasonless.body);
    let kept = operator.post(keep, &[("lock", "account-1"), ("keep", "đúng là máy")]).await;
    assert_eq!(kept.to(), format!("{page}?told=answered"), "{}", kept.body);
    let answer = head.get(page).await.body;
    assert!(answer.contains("đúng là máy") && answer.contains("/unit/appeals"), "{answer}");
}
