//! Campaigns and the import of what is live over their pages (B4).

use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use dancu_domain::dossier::{Content, Dossier, LineRow, Mark};
use dancu_domain::ids::{SystemCode, SystemId, UnitCode};
use dancu_domain::moment::{DAY_MS, Moment};
use dancu_domain::people::PersonId;
use dancu_domain::people::roles::Role;
use dancu_domain::registration::{Channel, ConnectionState, Group, System};
use dancu_domain::service::{Service, Window};
use dancu_office::campaigns::keep;
use dancu_office::imports::SHEETS;
use dancu_papers::book;
use dancu_store::policy::{setup, write};

use super::site::{Answer, Browser, Site};
use crate::clock::machine_ms;
use crate::portal::frame;

fn later(days: i64) -> Moment {
    Moment(machine_ms()).plus_ms(days * DAY_MS)
}

/// A connection of before, with its dossier.
async fn live(site: &Site) {
    let store = site.app.gate.store();
    let keys = store.keys().clone();
    let now = later(0);
    let act = store.ledger().act(now, move |tx, _| {
        let (id, unit) = (SystemId(1), UnitCode::parse("H26.001").unwrap());
        let code = SystemCode::parse("CU").unwrap();
        let row = System::new(id, code, unit.clone(), Group::State);
        write::insert_system(tx, &keys, &row, &[])?;
        let (service, purpose) = (Service::CitizenVerify, "Một cửa".to_owned());
        let content = Content {
            system_code: "CU".into(),
            lines: vec![LineRow { service, window: Window::InHours, daily: 50, purpose }],
            ..Content::default()
        };
        let number = dancu_store::dossiers::next_number(tx)?;
        let (dossier, registration, clearance) = Dossier::live_before(
            (number, id),
            (unit, Group::State, Channel::Api),
            Mark { by: PersonId(0), at: now },
            content,
            ("12/TTDL", now.viet_nam_date(), "Người Mẫu"),
        )
        .unwrap();
        setup::register(tx, &keys, id, &registration)?;
        setup::go_live(tx, &keys, id, &clearance)?;
        dancu_store::dossiers::insert(tx, &keys, &dossier)?;
        let (kind, actor) = ("test".into(), "test".into());
        let act = dancu_journal::Act { kind, actor, system: 1, detail: String::new() };
        Ok(dancu_journal::Body::Act(act))
    });
    act.await.unwrap();
}

async fn post(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
    let once = browser.get(path).await.hidden("once");
    let mut all = vec![("once", once.as_str())];
    all.extend_from_slice(fields);
    browser.post(path, &all).await
}

fn state(site: &Site) -> ConnectionState {
    let snapshot = site.app.gate.store().snapshot(later(0)).unwrap();
    snapshot.by_id(SystemId(1)).unwrap().state
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b4_a_campaign_is_looked_at_begun_followed_extended_and_stopped() {
    let site = Site::new().await;
    live(&site).await;
    let store = site.app.gate.store();
    let mut browser = site.signed_in(Role::Operator, 0).await;
    let (today, deadline) = (frame::day(later(0)), frame::day(later(10)));
    let whole = |deadline| {
        vec![
            ("name", "Cập nhật hồ sơ"),
            ("document", "6383/C06"),
            ("dated", today.as_str()),
            ("scope", "imported"),
            ("deadline", deadline),
            ("remind", "7, 1"),
            ("part", "commitment"),
        ]
    };
    let all = "/centre/campaigns";
    for (name, value, field) in [
        ("name", " ", "name"),
        ("deadline", today.as_str(), "deadline"),
        ("deadline", "mai", "deadline"),
        ("remind", "mười", "remind"),
        ("province", "1", "scope"),
    ] {
        let mut fields = whole(&deadline);
        fields.retain(|(known, _)| *known != name);
        fields.push((name, value));
        let wrong = post(&mut browser, all, &fields).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
        assert!(wrong.body.contains(&format!("id=\"{field}-wrong\"")), "{name} {field}");
        assert!(wrong.body.contains("6383/C06"), "what was typed stays");
    }
    let mut looked = whole(&deadline);
    looked.push(("look", "1"));
    let preview = post(&mut browser, all, &looked).await;
    assert!(preview.body.contains("1 hồ sơ của 1 đơn vị"), "{}", preview.body);
    assert!(store.campaigns().all().await.unwrap().is_empty(), "nothing was begun");
    let seen = preview.hidden("seen");
    let later_on = frame::day(later(12));
    let mut changed = whole(&later_on);
    changed.push(("seen", &seen));
    let changed = post(&mut browser, all, &changed).await;
    assert_eq!(changed.status, StatusCode::OK, "what was not looked at is looked at first");
    assert!(store.campaigns().all().await.unwrap().is_empty(), "nothing was begun");
    let mut known = whole(&deadline);
    known.push(("seen", &seen));
    let begun = post(&mut browser, all, &known).await;
    assert_eq!(begun.to(), "/centre/campaigns/1?told=begun", "{}", begun.body);
    let seen = post(&mut browser, all, &looked).await.hidden("seen");
    known.retain(|(name, _)| *name != "seen");
    known.push(("seen", &seen));
    let again = post(&mut browser, all, &known).await;
    assert!(again.body.contains("HS-00001 (DCN-001)"), "overlap");
    let page = browser.get("/centre/campaigns/1").await.body;
    assert_eq!(page.matches("<li class=\"tile").count(), 35, "34 provinces, and no place");
    assert!(page.contains("HS-00001") && page.contains("Đang lập"));
    assert!(page.contains("href=\"/centre/dossiers/HS-00001\""));
    let listed = |page: &str| page.contains("/centre/dossiers/HS-00001");
    for (only, is_there) in [("draft", true), ("live", false), ("done", false), ("locked", false)] {
        let page = browser.get(&format!("/centre/campaigns/1?only={only}")).await.body;
        assert_eq!(listed(&page), is_there, "{only}");
    }
    keep(store, later(11)).await.unwrap();
    assert_eq!(state(&site), ConnectionState::Locked);
    extended_and_stopped(&site, &mut browser, &deadline).await;
}

/// The rest of it: what is overdue goes on when it is extended, and when the campaign is stopped.
async fn extended_and_stopped(site: &Site, browser: &mut Browser, deadline: &str) {
    let one = "/centre/campaigns/1";
    assert!(browser.get(one).await.body.contains("Quá hạn, đã khóa"));
    let extend = |deadline, reason| {
        [("act", "extend"), ("dossier", "HS-00001"), ("deadline", deadline), ("reason", reason)]
    };
    let to = frame::day(later(20));
    for (deadline, reason, field) in
        [(to.as_str(), " ", "reason"), (deadline, "Chờ dấu", "deadline")]
    {
        let wrong = post(browser, one, &extend(deadline, reason)).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
        assert!(wrong.body.contains(&format!("id=\"{field}-wrong\"")), "{field}");
    }
    let extended = post(browser, one, &extend(&to, "Chờ dấu")).await;
    assert_eq!(extended.to(), "/centre/campaigns/1?told=extended");
    assert_eq!(state(site), ConnectionState::Live);
    let stopped = post(browser, one, &[("act", "stop"), ("why", "Lập nhầm")]).await;
    assert_eq!(stopped.to(), "/centre/campaigns/1?told=stopped");
    let page = browser.get(one).await;
    assert!(!page.body.contains("value=\"extend\""), "nothing of it is open");
    assert_eq!(browser.get("/centre/campaigns/2").await.status, StatusCode::NOT_FOUND);
}

/// Sends a workbook with what is typed beside it.
async fn upload(browser: &mut Browser, typed: &[(&str, &str)], file: &[u8]) -> Answer {
    browser.get("/centre/import").await;
    let csrf = browser.csrf.clone();
    let mut body = vec![];
    for (name, value) in typed.iter().chain(&[("csrf", csrf.as_str())]) {
        let part =
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    body.extend_from_slice(
        b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.xlsx\"\r\n\r\n",
    );
    body.extend_from_slice(file);
    body.extend_from_slice(b"\r\n--b--\r\n");
    let request = Request::post("/centre/import")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b");
    browser.send(request.body(Body::from(body)).unwrap()).await
}

fn workbook(window: &str) -> Vec<u8> {
    let rows = [
        vec!["NHAP", "H26.001"],
        vec!["NHAP", "003", window, "50", "Một cửa"],
        vec!["NHAP", "canbo.nhap1", "Nguyễn Thị Mẫu", "099301012345", "", "0900000001", "", "5"],
        vec![],
    ];
    let tables: Vec<_> = SHEETS
        .iter()
        .zip(rows)
        .map(|(sheet, row)| {
            let head = sheet.columns.iter().map(|c| c.trim_start_matches('*').to_owned());
            (sheet.name, vec![head.collect(), row.iter().map(|c| (*c).to_owned()).collect()])
        })
        .collect();
    book::write(&tables).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b4_what_is_live_enters_by_its_page_after_a_preview() {
    let site = Site::new().await;
    dancu_office::units::keep(site.app.gate.store(), later(0)).await.unwrap();
    let mut browser = site.signed_in(Role::Operator, 0).await;
    let (today, deadline) = (frame::day(later(0)), frame::day(later(10)));
    let typed = [
        ("document", "12/TTDL"),
        ("dated", today.as_str()),
        ("deadline", deadline.as_str()),
        ("reason", "Tiếp nhận"),
    ];
    let mut early = typed;
    early[2].1 = today.as_str();
    let early = upload(&mut browser, &early, &workbook("Trong giờ")).await;
    assert!(early.body.contains("id=\"deadline-wrong\""), "before anything is read");
    let wrong = upload(&mut browser, &typed, &workbook("Buổi trưa")).await;
    assert!(wrong.body.contains("Dịch vụ, dòng 2, cột “Khung giờ”: "), "{}", wrong.body);
    assert!(!wrong.body.contains("/centre/import/apply"), "nothing to apply");
    let nothing = upload(&mut browser, &typed, b"no workbook").await;
    assert!(nothing.body.contains("id=\"file-wrong\""), "{}", nothing.body);
    let looked = upload(&mut browser, &typed, &workbook("Trong giờ")).await;
    assert!(looked.body.contains("1 hệ thống mới"), "{}", looked.body);
    let store = site.app.gate.store();
    assert!(store.campaigns().all().await.unwrap().is_empty(), "nothing has entered");
    let apply = [("once", looked.hidden("once")), ("file", looked.hidden("file"))];
    let apply: Vec<(&str, &str)> = apply.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let done = browser.post("/centre/import/apply", &apply).await;
    assert_eq!(done.to(), "/centre/campaigns/1?told=begun", "{}", done.body);
    assert_eq!(state(&site), ConnectionState::Live);
    let again = upload(&mut browser, &typed, &workbook("Trong giờ")).await;
    assert!(again.body.contains("1 hệ thống đã có"), "{}", again.body);
    for file in ["template.xlsx", "export.xlsx"] {
        let answer = browser.get(&format!("/centre/import/{file}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{file}");
    }
}
