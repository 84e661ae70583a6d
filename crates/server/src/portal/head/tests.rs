//! The head's desk over the router: what other units, other roles and old sessions get.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use dancu_domain::ids::{AccountId, LineId, Login, SystemCode, SystemId, UnitCode};
use dancu_domain::people::roles::Role;
use dancu_domain::registration::{
    Account, AccountKind, AccountList, AccountState, ConnectionState, DateRange, Group, Line,
    ServiceGrant, System,
};
use dancu_domain::service::{FieldSet, Service, ServiceSet};
use dancu_journal::{Act, Body as EntryBody};
use dancu_office::sheet::{self, Column, Contact, Raw};
use dancu_store::policy;

use crate::portal::tests::site::{Answer, Browser, Site, login};

/// A system of a unit with one line and one officer.
fn system(number: u32, unit: &str, officer: &str) -> System {
    let service = Service::CitizenVerify;
    let code = SystemCode::parse(&format!("HT{number}")).unwrap();
    let mut system =
        System::new(SystemId(number), code, UnitCode::parse(unit).unwrap(), Group::State);
    system.state = ConnectionState::Live;
    system.accounts = AccountList::new(vec![Account {
        id: AccountId(number),
        login: Login::parse(officer).unwrap(),
        kind: AccountKind::Officer,
        state: AccountState::Live,
        daily: 30,
        services: ServiceSet::of(&[service]),
        officer_code: None,
        citizen_id: None,
        valid: DateRange::default(),
        plan: None,
    }]);
    system.services[service.index()] = Some(ServiceGrant {
        service,
        ma_tich_hop: "001".into(),
        fields: FieldSet::ALL,
        lines: [Some(Line { id: LineId(number), daily: 100, raises: vec![] }), None],
    });
    system
}

/// The unit's system 1 with the officer of the site, and system 2 of another unit.
async fn site() -> Site {
    let site = Site::new().await;
    let store = site.app.gate.store();
    let keys = store.keys().clone();
    let (own, other) =
        (system(1, "H26.001", &login(Role::Officer)), system(2, "H26.002", "nguoikhac.mau"));
    let made = store.ledger().act(site.app.clock.now(), move |tx, _| {
        for system in [own, other] {
            policy::write::insert_system(tx, &keys, &system, &["Cán Bộ Mẫu".to_owned()])?;
        }
        let (kind, actor) = ("test".into(), "test".into());
        Ok(EntryBody::Act(Act { kind, actor, system: 1, detail: String::new() }))
    });
    made.await.unwrap();
    site
}

async fn upload(browser: &mut Browser, file: &[u8]) -> Answer {
    browser.get("/unit/officers/import").await;
    let mut body = vec![];
    for (name, value) in [("csrf", browser.csrf.as_str()), ("system", "1"), ("service", "0")] {
        let part =
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    body.extend_from_slice(
        b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.xlsx\"\r\n\r\n",
    );
    body.extend_from_slice(file);
    body.extend_from_slice(b"\r\n--b--\r\n");
    let request = Request::post("/unit/officers/import")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b");
    browser.send(request.body(Body::from(body)).unwrap()).await
}

fn list(logins: &[&str]) -> Vec<u8> {
    let rows: Vec<Raw> = (10..)
        .zip(logins)
        .map(|(n, login)| {
            Raw::default()
                .with(Column::Login, *login)
                .with(Column::Name, "Trần Thị Thử")
                .with(Column::PersonalId, format!("0993010123{n}"))
                .with(Column::Daily, "20")
        })
        .collect();
    let form = sheet::Form {
        unit: "H26.001",
        system: "HT1",
        contact: Contact::default(),
        day: jiff::civil::date(2026, 11, 24),
        rows: &rows,
    };
    sheet::write(&form).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e3_a_revocation_ends_a_session_in_mid_click() {
    let site = site().await;
    let mut officer = site.signed_in(Role::Officer, 0).await;
    let mut head = site.signed_in(Role::Head, 0).await;
    assert_eq!(officer.get("/account/sessions").await.status, StatusCode::OK);
    let fields = [("act", "left"), ("reason", "nghỉ việc")];
    let done = head.post("/unit/officers/a1/state", &fields).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    assert!(done.body.contains("Đã thu hồi tài khoản của"), "{}", done.body);
    assert!(done.body.contains("HT1"));
    // The next click, whatever it is.
    let click = officer.clone().get("/account/sessions").await;
    assert_eq!(click.status, StatusCode::SEE_OTHER);
    assert!(click.to().starts_with("/sign-in"), "{}", click.to());
    let click = officer.post("/account/sessions/end-all", &[]).await;
    assert!(matches!(click.status, StatusCode::SEE_OTHER | StatusCode::FORBIDDEN));
    // Sent twice.
    let again = head.post("/unit/officers/a1/state", &fields).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    // The operator of the agency's own software confirms, once.
    let mut builder = site.signed_in(Role::Integrator, 0).await;
    let page = builder.get("/unit/revocations").await;
    assert!(page.body.contains(&login(Role::Officer)));
    let notice = page.body.split("name=\"notice\" value=\"").nth(1).unwrap();
    let notice = notice.split('"').next().unwrap().to_owned();
    let confirmed = builder.post("/unit/revocations", &[("notice", &notice)]).await;
    assert_eq!(confirmed.to(), "/unit/revocations?told=confirmed");
    let twice = builder.post("/unit/revocations", &[("notice", &notice)]).await;
    assert_eq!(twice.status, StatusCode::CONFLICT);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_units_are_not_there() {
    let site = site().await;
    let mut head = site.signed_in(Role::Head, 0).await;
    let page = head.get("/unit/officers").await;
    assert!(page.body.contains(&login(Role::Officer)) && !page.body.contains("nguoikhac.mau"));
    for path in
        ["/unit/officers/a2", "/unit/officers/a99", "/unit/officers/p999", "/unit/officers/x"]
    {
        assert_eq!(head.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
        let fields = [("act", "left"), ("reason", "thử")];
        let act = head.post(&format!("{path}/state"), &fields).await;
        assert_eq!(act.status, StatusCode::NOT_FOUND, "{path}");
    }
    // The list of another unit's system is never given: the own one comes instead.
    let file = head.get("/unit/officers.xlsx?system=2").await;
    assert!(file.header("content-disposition").contains("HT1"), "{:?}", file.headers);
    let raise = [("line", "2"), ("from", "01/01/2030"), ("to", "02/01/2030"), ("wanted", "900")];
    let answer = head.post("/unit/raises", &raise).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    // The centre's people stand in the same unit here and are not the head's to end.
    let page = head.get("/unit/officers?q=operator").await;
    let who = page.body.split("href=\"/unit/officers/p").nth(1).unwrap();
    let who = who.split('"').next().unwrap().to_owned();
    let fields = [("act", "left"), ("reason", "thử")];
    let act = head.post(&format!("/unit/officers/p{who}/state"), &fields).await;
    assert_eq!(act.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_is_shown_once_and_a_doubled_post_makes_no_second_one() {
    let site = site().await;
    let mut head = site.signed_in(Role::Head, 0).await;
    let page = head.get("/unit/officers/a1").await;
    let once = page.hidden("once");
    let path = "/unit/officers/a1/password";
    let given = head.post(path, &[("once", &once)]).await;
    assert_eq!(given.status, StatusCode::OK);
    let password = given.body.split("id=\"given\">").nth(1).unwrap();
    let password = password.split('<').next().unwrap().to_owned();
    assert!(password.len() >= 10, "{password}");
    assert_eq!(given.header("cache-control"), "no-store");
    let twice = head.post(path, &[("once", &once)]).await;
    assert_eq!(twice.to(), "/unit/officers/a1");
    assert_eq!(head.get(path).await.to(), "/unit/officers");
    assert!(!head.get("/unit/officers/a1").await.body.contains(&password));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_is_previewed_and_applied_once_by_who_sent_it() {
    let site = site().await;
    let mut head = site.signed_in(Role::Head, 0).await;
    let page = upload(&mut head, &list(&["canbo.moi01", "canbo.moi02"])).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert!(page.body.contains("Thêm 2"), "{}", page.body);
    let count = || async { site.app.gate.store().account_list(SystemId(1)).await.unwrap().len() };
    assert_eq!(count().await, 1, "nothing before it is applied");
    let token = page.hidden("file");
    // Somebody else's desk does not know the token.
    let mut deputy = site.signed_in(Role::Deputy, 0).await;
    let other = deputy.post("/unit/officers/import/apply", &[("file", &token)]).await;
    assert_eq!((other.status, count().await), (StatusCode::CONFLICT, 1));
    for _ in 0..2 {
        let done = head.post("/unit/officers/import/apply", &[("file", &token)]).await;
        assert_eq!(done.to(), "/unit/officers?told=imported");
        assert_eq!(count().await, 3);
    }
    // Two at the same time.
    let page = upload(&mut head, &list(&["canbo.moi01", "canbo.moi02", "canbo.moi03"])).await;
    let token = page.hidden("file");
    let (mut a, mut b) = (head.clone(), head.clone());
    let fields = [("file", token.as_str())];
    let (a, b) = tokio::join!(
        a.post("/unit/officers/import/apply", &fields),
        b.post("/unit/officers/import/apply", &fields),
    );
    assert!(a.status == StatusCode::SEE_OTHER || b.status == StatusCode::SEE_OTHER);
    assert_eq!(count().await, 4);
    let wrong = upload(&mut head, b"PK\x03\x04 no").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let markup = upload(&mut head, &list(&["<i>markup</i>"])).await;
    assert!(!markup.body.contains("<i>markup"), "{}", markup.body);
    assert!(!markup.body.contains("Áp dụng danh sách"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_says_so_beside_the_form() {
    let site = site().await;
    let mut head = site.signed_in(Role::Head, 0).await;
    let page = head.get("/unit/officers?q=head").await;
    let who = page.body.split("href=\"/unit/officers/p").nth(1).unwrap();
    let own = format!("/unit/officers/p{}", who.split('"').next().unwrap());
    let act = format!("{own}/state");
    let answer = head.post(&act, &[("act", "left"), ("reason", "thử")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("Không tự tạm ngừng hay thu hồi"), "{}", answer.body);
    let answer = head.post(&act, &[("act", ""), ("reason", "thử")]).await;
    assert!(answer.body.contains("Chọn một việc cần thực hiện"));
    let answer = head.post(&act, &[("act", "suspend"), ("reason", "")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    // Nobody vouches for themselves; a deputy names no substitutes.
    let answer = head.post(&format!("{own}/vouch"), &[("seen", "known")]).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    let mut deputy = site.signed_in(Role::Deputy, 0).await;
    assert_eq!(deputy.get("/unit/substitutes").await.status, StatusCode::OK);
    let answer = deputy.post("/unit/substitutes", &[]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let fields = [("absent", "x"), ("substitute", ""), ("from", "31/02/2030"), ("to", "")];
    let answer = head.post("/unit/substitutes", &fields).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
}
