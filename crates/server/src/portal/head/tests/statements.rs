//! Monthly statements over the pages and the interface (A7): who gets which.

use axum::http::StatusCode;
use dancu_domain::ids::SystemId;
use dancu_domain::moment::{DAY_MS, Moment};
use dancu_domain::people::roles::Role;
use dancu_domain::statements::{Month, READY_MS};
use dancu_store::statements::Stored;

use super::site;
use crate::log_key::{LogKey, sha256};
use crate::portal::tests::site::Site;
use crate::statements::check::fits;
use crate::statements::{catch_up, paper, parse};

/// Makes the statements of the month in which a site was opened; gives that month.
async fn made(site: &Site) -> Month {
    let store = site.app.gate.store();
    let opened = site.app.clock.now();
    let month = Month::of(store.profiles().at(opened).hours.duty(opened).day);
    let [after, _] = month.next().days();
    let begins = dancu_office::raise_requests::duty_day(after);
    let now = Moment(i64::from(begins.0) * DAY_MS + READY_MS);
    assert!(catch_up(store, now, false).await.unwrap() > 0);
    assert_eq!(catch_up(store, now, false).await.unwrap(), 0, "once");
    month
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_a7_statements_are_of_the_own_unit_and_open_to_the_centre() {
    let site = site().await;
    let mut head = site.signed_in(Role::Head, 0).await;
    let page = head.get("/unit/statements").await;
    assert!(page.body.contains("Chưa có bản xác nhận nào"), "{}", page.body);
    let month = made(&site).await;
    let store = site.app.gate.store();
    let own = store.statements().of_month(SystemId(1), month).await.unwrap().unwrap();
    let other = store.statements().of_month(SystemId(2), month).await.unwrap().unwrap();
    let page = head.get("/unit/statements").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let (mine, theirs) = (own.number.to_string(), other.number.to_string());
    assert!(page.body.contains(&mine) && !page.body.contains(&theirs), "{}", page.body);
    for (kind, sent) in [("pdf", "application/pdf"), ("json", "application/json")] {
        let file = head.get(&format!("/unit/statements/{mine}.{kind}")).await;
        assert_eq!(file.status, StatusCode::OK, "{kind}: {}", file.body);
        assert_eq!(file.header("content-type"), sent);
        assert!(file.header("content-disposition").contains(&format!("{mine}.{kind}")));
    }
    let json = head.get(&format!("/unit/statements/{mine}.json")).await;
    assert_eq!(json.body, own.document.json);
    let note = head.get(&format!("/unit/statements/{mine}.note")).await;
    assert_eq!(note.body, own.document.note);
    for path in [
        format!("/unit/statements/{theirs}.json"),
        format!("/unit/statements/{mine}.txt"),
        format!("/unit/statements/{mine}"),
        "/unit/statements/XN-2026-99999.pdf".to_owned(),
        "/unit/statements?system=2".to_owned(),
    ] {
        assert_eq!(head.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let mut operator = site.signed_in(Role::Operator, 0).await;
    let page = operator.get("/operate/systems/HT2/statements").await;
    assert!(page.body.contains(&theirs), "{}", page.body);
    let file = operator.get(&format!("/operate/systems/HT2/statements/{theirs}.note")).await;
    assert_eq!(file.body, other.document.note);
    let wrong = operator.get(&format!("/operate/systems/HT1/statements/{theirs}.note")).await;
    assert_eq!(wrong.status, StatusCode::NOT_FOUND);
    let mut officer = site.signed_in(Role::Officer, 0).await;
    let refused = officer.get(&format!("/unit/statements/{mine}.json")).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    // Whoever checks a signature needs no account.
    let key = site.browser().get("/log/key").await;
    assert!(key.body.starts_with("dancu.centre/log+"), "{}", key.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_a7_a_statement_is_checked_without_the_centre() {
    let site = site().await;
    let month = made(&site).await;
    let store = site.app.gate.store();
    let own = store.statements().of_month(SystemId(1), month).await;
    let other = store.statements().of_month(SystemId(2), month).await;
    let (own, other): (Stored, Stored) = (own.unwrap().unwrap(), other.unwrap().unwrap());
    let key = LogKey::of(store).unwrap().line();
    let (json, note) = (&own.document.json, &own.document.note);
    let statement = fits(json, note, &key).unwrap();
    assert_eq!(statement, parse(json).unwrap());
    assert_eq!((statement.system.code.as_str(), statement.repeats), ("HT1", 0));
    assert_eq!(own.document.sha256, sha256(json.as_bytes()));
    assert!(statement.services.is_empty() && statement.journal.end > 0);
    for (json, note) in [
        (json.replace("HT1", "HT2"), note.clone()),
        (json.clone(), other.document.note.clone()),
        (json.clone(), note.replace("XN-", "XM-")),
        (format!("{json} "), note.clone()),
    ] {
        assert!(fits(&json, &note, &key).is_err());
    }
    let stranger = key.replace("dancu.centre", "khac.centre");
    assert!(fits(json, note, &stranger).is_err());
    // The paper names what it shows, and is the same whenever it is printed.
    let first = paper::print(&own).unwrap();
    assert!(first.bytes.starts_with(b"%PDF") && first == paper::print(&own).unwrap());
}
