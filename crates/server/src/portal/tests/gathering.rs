//! Gathering over its pages (B8).

use axum::http::StatusCode;
use dancu_domain::ids::{Login, UnitCode};
use dancu_domain::moment::Moment;
use dancu_domain::people::PersonId;
use dancu_domain::people::roles::Role;
use dancu_domain::registration::{Channel, Group};
use dancu_domain::units::{About, Change, UnitKind, UnitName};
use dancu_office::Actor;
use dancu_office::dossiers::{self, DossierDesk, Side};
use dancu_office::units::{UnitsDesk, keep, record};

use super::site::{Answer, Browser, Site};
use crate::clock::machine_ms;

fn by() -> Actor {
    Actor::Named { names: vec!["Trần Văn A".into()], account: "root".into() }
}

async fn write(site: &Site, unit: &str, change: Change) {
    let (by, now) = (by(), Moment(machine_ms()));
    let store = site.app.gate.store();
    let desk = UnitsDesk { store, now, actor: &by, reason: "QĐ mẫu", own: false };
    let unit = UnitCode::parse(unit).unwrap();
    record(&desk, &unit, now.viet_nam_date(), change).await.unwrap();
}

/// The focal point's unit with three below it, of which one has a dossier; one of another line.
async fn units(site: &Site) {
    let (store, now) = (site.app.gate.store(), Moment(machine_ms()));
    keep(store, now).await.unwrap();
    for (unit, name, parent) in [
        ("H26.001.01", "UBND phường Chậm", Some("H26.001")),
        ("H26.001.02", "UBND phường Nhập", Some("H26.001")),
        ("H26.001.03", "UBND phường Thôi", Some("H26.001")),
        ("H27.001", "UBND xã Khác", None),
    ] {
        let name = UnitName::parse(name).unwrap();
        let parent = parent.map(|parent| UnitCode::parse(parent).unwrap());
        let about = About::of(UnitKind::Commune);
        write(site, unit, Change::Founded { name, parent, about }).await;
    }
    write(site, "H26.001.02", Change::Merged(UnitCode::parse("H26.001.01").unwrap())).await;
    write(site, "H26.001.03", Change::Dissolved).await;
    for unit in ["H26.001.01", "H27.001"] {
        let by = Actor::Person(PersonId(2), Login::parse("vai.head").unwrap());
        let unit = UnitCode::parse(unit).unwrap();
        let desk = DossierDesk { store, now, by: &by, side: Side::Unit(&unit) };
        dossiers::begin(&desk, (Group::State, Channel::Api)).await.unwrap();
    }
}

async fn post(browser: &mut Browser, from: &str, to: &str, fields: &[(&str, &str)]) -> Answer {
    let once = browser.get(from).await.hidden("once");
    let mut all = vec![("once", once.as_str())];
    all.extend_from_slice(fields);
    browser.post(to, &all).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b8_a_focal_point_sees_urges_and_hands_up() {
    let site = Site::new().await;
    let mut focal = site.signed_in(Role::FocalPoint, 0).await;
    assert_eq!(focal.get("/gathering").await.status, StatusCode::FORBIDDEN, "no unit is told yet");
    units(&site).await;
    let page = focal.get("/gathering").await;
    assert!(page.body.contains("UBND phường Chậm"), "{}", page.body);
    assert!(!page.body.contains("UBND xã Khác") && !page.body.contains("H27"));
    assert!(!page.body.contains("UBND phường Thôi"));
    let filtered = focal.get("/gathering?level=fine").await.body;
    assert!(!filtered.contains("UBND phường Chậm"));
    let searched = focal.get("/gathering?q=phuong+cham&level=behind").await.body;
    assert!(searched.contains("UBND phường Chậm"), "without accents");
    // What is not of the line is not there; an old code leads to the unit that took over.
    for gone in ["H27.001", "H26.001.03", "ZZZ", "1"] {
        let answer = focal.get(&format!("/gathering/{gone}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{gone}");
    }
    assert_eq!(focal.get("/gathering?at=H27.001").await.status, StatusCode::NOT_FOUND);
    assert_eq!(focal.get("/gathering/H26.001.02").await.to(), "/gathering/H26.001.01");
    let (detail_of, urge) = ("/gathering/H26.001.01", "/gathering/urge");
    let detail = focal.get(detail_of).await.body;
    assert!(detail.contains("HS-00001") && detail.contains("Đơn vị còn phải làm"), "{detail}");
    let said = |unit| [("unit", unit), ("words", "Nộp hồ sơ trước thứ Sáu"), ("confirmed", "1")];
    for (fields, sentence) in [
        (&said("H26.001.01")[..2], "Đánh dấu xác nhận"),
        (&[("unit", "H26.001.01"), ("words", " "), ("confirmed", "1")], "Nhập nội dung"),
    ] {
        let wrong = post(&mut focal, detail_of, urge, fields).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{sentence}");
        assert!(wrong.body.contains(sentence), "{}", wrong.body);
    }
    let other = post(&mut focal, detail_of, urge, &said("H27.001")).await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
    let done = post(&mut focal, detail_of, urge, &said("H26.001.01")).await;
    assert_eq!(done.to(), "/gathering/H26.001.01?told=urged", "{}", done.body);
    let once = focal.get("/gathering").await.hidden("once");
    let mut again = said("H26.001.01").to_vec();
    again.push(("once", &once));
    let again = focal.post(urge, &again).await;
    assert!(again.body.contains("mỗi ngày một lần. (B8)"), "{}", again.body);
    let all = [("words", "Nộp"), ("confirmed", "1")];
    let nobody = post(&mut focal, "/gathering", urge, &all).await;
    assert!(nobody.body.contains("Không còn đơn vị nào"), "{}", nobody.body);
    hands_up(&site, &mut focal).await;
}

/// Hands the summary up twice, takes it away, and looks at it as the centre.
async fn hands_up(site: &Site, focal: &mut Browser) {
    let up = "/gathering/hand-up";
    let wrong = post(focal, "/gathering", up, &[]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    for number in 1..=2 {
        let handed = post(focal, "/gathering", up, &[("confirmed", "1")]).await;
        assert_eq!(handed.to(), format!("/gathering/handed/{number}?told=handed"));
    }
    assert!(focal.get("/gathering/handed/2").await.body.contains("TH-00002"));
    assert_eq!(focal.get("/gathering/handed/3").await.status, StatusCode::NOT_FOUND);
    for (path, kind) in [
        ("/gathering/export.xlsx?level=behind", "spreadsheetml"),
        ("/gathering/export.pdf", "application/pdf"),
        ("/gathering/handed/1/export.xlsx", "spreadsheetml"),
        ("/gathering/handed/1/export.pdf", "application/pdf"),
    ] {
        let file = focal.get(path).await;
        assert_eq!(file.status, StatusCode::OK, "{path}");
        assert!(file.header("content-type").contains(kind), "{path}");
    }
    // The centre sees every unit and what was handed up; it urges nobody.
    let mut centre = site.signed_in(Role::Operator, 0).await;
    let page = centre.get("/gathering").await.body;
    assert!(page.contains("UBND phường Chậm") && page.contains("UBND xã Khác"));
    assert!(page.contains("TH-00002") && !page.contains("value=\"urge\""));
    assert!(centre.get("/gathering/handed/1").await.body.contains("TH-00001"));
    assert_eq!(centre.post(up, &[("confirmed", "1")]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(centre.get("/gathering/export.pdf").await.status, StatusCode::OK);
}
