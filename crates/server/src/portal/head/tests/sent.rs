//! Lists that a system sent, on the head's page.

use super::*;
use dancu_office::officers::sent::{self, Sent};
use dancu_store::desks::SentRow;

fn row(login: &str, id: &str) -> SentRow {
    let cells = [login, "Trần Thị Thử", id, "", "0900000000", "20"];
    let cells = cells.map(str::to_owned).into();
    SentRow { cells, role: "Tiếp nhận".into(), purpose: "Hộ tịch".into() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b6_a_list_is_approved_row_by_row() {
    let site = site().await;
    let store = site.app.gate.store();
    let now = site.app.clock.now();
    let snapshot = store.snapshot(now).unwrap();
    let own = login(Role::Officer);
    let rows = vec![
        row(&own, "099301010001"),
        row("canbo.moi1", "099301010002"),
        row("canbo.moi2", "099301010003"),
    ];
    let sent = sent::send((store.as_ref(), now), snapshot.by_id(SystemId(1)).unwrap(), rows).await;
    let Ok(Sent::Waits(changes, difference)) = sent else { panic!("{sent:?}") };
    let mut head = site.signed_in(Role::Head, 0).await;
    let page = head.get("/unit/accounts-by-api").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        page.body.contains("canbo.moi2")
            && !page.body.split("</title>").next().unwrap().contains("canbo"),
        "{}",
        page.body
    );
    let (over, path) =
        (hex::encode(difference.over), format!("/unit/accounts-by-api/{}", changes.id));
    let approve = format!("{path}/approve");
    let stale = "0".repeat(32);
    let wrong = [("over", stale.as_str()), ("row", "2"), ("service", "0"), ("act", "chosen")];
    let wrong = head.post(&approve, &wrong).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("vừa thay đổi"));
    let ticked = |value| wrong.body.contains(&format!("name=\"row\" value=\"{value}\" aria-label"));
    let on = |value| {
        let mark = format!("name=\"row\" value=\"{value}\"");
        let rest = wrong.body.split(&mark).nth(1).unwrap();
        rest.split('>').next().unwrap().contains("checked")
    };
    assert!(ticked(2) && ticked(3) && on(2) && !on(3), "what was left out stays out");
    let fields = [("over", over.as_str()), ("row", "2"), ("service", "0"), ("act", "chosen")];
    let done = head.post(&approve, &fields).await;
    assert_eq!(done.to(), "/unit/accounts-by-api?told=approved");
    let list = store.account_list(SystemId(1)).await.unwrap();
    let logins: Vec<_> = list.iter().map(|k| k.account.login.as_str()).collect();
    assert_eq!(logins, [own.as_str(), "canbo.moi1"]);
    let again = head.post(&approve, &fields).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    let none = head.post(&format!("{path}9/refuse"), &[("reason", "thử")]).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
}
