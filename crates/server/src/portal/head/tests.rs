//! The head's desk over the router: what other units, other roles and old sessions get.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use dancu_domain::dossier::{Clearance, Ground};
use dancu_domain::editions::{Edition, Form};
use dancu_domain::ids::{AccountId, LineId, Login, SystemCode, SystemId, UnitCode};
use dancu_domain::people::roles::Role;
use dancu_domain::registration::{
    Account, AccountKind, AccountList, ConnectionState, Group, Line, ServiceGrant, System,
};
use dancu_domain::service::{FieldSet, Service, ServiceSet};
use dancu_journal::{Act, Body as EntryBody};
use dancu_papers::sheet::{self, Column, Contact, Raw};
use dancu_store::people::{self, EventKind};
use dancu_store::policy;

use crate::portal::tests::site::{Answer, Browser, CHOSEN, Site, login};

mod centre;
mod days;
mod invitations;
mod papers;
mod plans;
mod sent;
mod statements;

fn clearance() -> Clearance {
    Clearance::exempt(Ground::SyntheticPeople, "thử nghiệm", "Người Mẫu").unwrap()
}

/// A system of a unit with one line and one officer.
fn system(number: u32, unit: &str, officer: &str) -> System {
    let service = Service::CitizenVerify;
    let code = SystemCode::parse(&format!("HT{number}")).unwrap();
    let mut system =
        System::new(SystemId(number), code, UnitCode::parse(unit).unwrap(), Group::State);
    system.state = ConnectionState::Live;
    system.accounts = AccountList::new(vec![Account {
        daily: 30,
        services: ServiceSet::of(&[service]),
        ..Account::new(AccountId(number), Login::parse(officer).unwrap(), AccountKind::Officer)
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
pub(super) async fn site() -> Site {
    let site = Site::new().await;
    let store = site.app.gate.store();
    let keys = store.keys().clone();
    let (own, other) =
        (system(1, "H26.001", &login(Role::Officer)), system(2, "H26.002", "nguoikhac.mau"));
    let made = store.ledger().act(site.app.clock.now(), move |tx, _| {
        for system in [own, other] {
            let names = &["Cán Bộ Mẫu".to_owned()];
            policy::write::insert_cleared(tx, &keys, (&system, names), &clearance())?;
        }
        let (kind, actor) = ("test".into(), "test".into());
        Ok(EntryBody::Act(Act { kind, actor, system: 1, detail: String::new() }))
    });
    made.await.unwrap();
    site
}

pub(super) async fn upload(browser: &mut Browser, file: &[u8]) -> Answer {
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
    let day = jiff::civil::date(2026, 11, 24);
    let form = sheet::Form {
        edition: Edition::at(Form::AccountList, day).unwrap(),
        unit: "H26.001",
        system: "HT1",
        contact: Contact::default(),
        day,
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
    // The list of another unit's system is never given, the own one without a name.
    for path in ["/unit/officers.xlsx?system=2", "/unit/usage?system=2"] {
        assert_eq!(head.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let file = head.get("/unit/officers.xlsx").await;
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
    assert_eq!(twice.to(), "/unit/officers/a1?told=given");
    let told = head.get(twice.to()).await;
    assert!(told.body.contains("không hiện lại") && told.body.contains("note warn"));
    // Another form of the same page is not told as done: it is looked at, and refused here.
    let other = [("once", once.as_str()), ("seen", "known")];
    let other = head.post("/unit/officers/a1/vouch", &other).await;
    assert_eq!(other.status, StatusCode::CONFLICT);
    assert_eq!(head.get(path).await.to(), "/unit/officers/a1");
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
    // What changes nothing is not offered, and holds no place.
    let same = upload(&mut head, &list(&["canbo.moi01", "canbo.moi02", "canbo.moi03"])).await;
    assert!(same.body.contains("Danh sách đã đúng như tệp"), "{}", same.body);
    assert!(!same.body.contains("Áp dụng danh sách"));
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
    let found = |page: Answer| {
        let who = page.body.split("href=\"/unit/officers/p").nth(1).unwrap();
        format!("/unit/officers/p{}", who.split('"').next().unwrap())
    };
    let own = found(head.get("/unit/officers?q=head").await);
    let other = found(head.get("/unit/officers?q=deputy").await);
    // Nobody stops or lets in themselves: it is refused, and not offered.
    let page = head.get(&own).await;
    for offer in ["/state\"", "/password\"", "/vouch\""] {
        assert!(!page.body.contains(&format!("{own}{offer}")), "{offer}");
    }
    assert!(page.body.contains(&format!("{own}/training\"")));
    let act = format!("{own}/state");
    let answer = head.post(&act, &[("act", "left"), ("reason", "thử")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("Không tự tạm ngừng hay thu hồi"), "{}", answer.body);
    let act = format!("{other}/state");
    let answer = head.post(&act, &[("act", ""), ("reason", "thử")]).await;
    // Beside its own field, and nowhere beside the other.
    let beside = |answer: &Answer, field: &str| {
        let from = answer.body.split(&format!("<fieldset id=\"{field}\">")).nth(1).unwrap();
        from.split("</fieldset>").next().unwrap().to_owned()
    };
    assert!(beside(&answer, "act").contains("Chọn một việc cần thực hiện"), "{}", answer.body);
    assert!(!beside(&answer, "seen").contains("class=\"wrong\""));
    assert!(beside(&answer, "act").contains("value=\"transferred\""));
    let answer = head.post(&format!("{other}/vouch"), &[("seen", ""), ("once", "s")]).await;
    assert!(beside(&answer, "seen").contains("Chọn cách nhận biết"), "{}", answer.body);
    assert!(!beside(&answer, "act").contains("class=\"wrong\""));
    let answer = head.post(&act, &[("act", "suspend"), ("reason", "")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    // Nobody vouches for themselves; a deputy names no substitutes.
    let answer = head.post(&format!("{own}/vouch"), &[("seen", "known"), ("once", "v")]).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    // A form that was not given by a page of ours is not done, and not told as done.
    let answer = head.post(&format!("{own}/vouch"), &[("seen", "known")]).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let mut deputy = site.signed_in(Role::Deputy, 0).await;
    assert_eq!(deputy.get("/unit/substitutes").await.status, StatusCode::OK);
    let answer = deputy.post("/unit/substitutes", &[]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let fields = [("absent", "x"), ("substitute", ""), ("from", "31/02/2030"), ("to", "")];
    let answer = head.post("/unit/substitutes", &fields).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_was_refused_is_not_told_as_done_when_it_comes_again() {
    let site = site().await;
    let mut head = site.signed_in(Role::Head, 0).await;
    let ask = |wanted: &'static str| {
        [
            ("once", "r1"),
            ("line", "1"),
            ("from", "01/01/2030"),
            ("to", "02/01/2030"),
            ("wanted", wanted),
            ("reason", "Tuyển sinh đầu cấp, 800 hồ sơ mỗi ngày"),
        ]
    };
    for _ in 0..2 {
        let answer = head.post("/unit/raises", &ask("900")).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.to());
    }
    let login = login(Role::Officer);
    let add = [
        ("once", "n1"),
        ("system", "1"),
        ("service", "0"),
        ("login", login.as_str()),
        ("name", "Trần Thị Thử"),
        ("personalId", "099301012345"),
        ("daily", "20"),
    ];
    for _ in 0..2 {
        let answer = head.post("/unit/officers/new", &add).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.to());
    }
    // Mended, the same form is done, once.
    let mended =
        add.map(|(name, value)| if name == "login" { (name, "canbo.moi1") } else { (name, value) });
    for _ in 0..2 {
        let answer = head.post("/unit/officers/new", &mended).await;
        assert!(answer.to().starts_with("/unit/officers"), "{}", answer.body);
    }
    let count = || async { site.app.gate.store().account_list(SystemId(1)).await.unwrap().len() };
    assert_eq!(count().await, 2);
    // Typed over after the Back button, it is somebody else.
    let other = mended.map(|(name, value)| match name {
        "login" => (name, "canbo.moi2"),
        "personalId" => (name, "099301012346"),
        _ => (name, value),
    });
    for _ in 0..2 {
        let answer = head.post("/unit/officers/new", &other).await;
        assert!(answer.to().starts_with("/unit/officers"), "{}", answer.body);
    }
    assert_eq!(count().await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_with_several_systems_says_which_one() {
    let site = site().await;
    let store = site.app.gate.store();
    let (keys, third) = (store.keys().clone(), system(3, "H26.001", "canbo.ba.mau"));
    let made = store.ledger().act(site.app.clock.now(), move |tx, _| {
        let names = &["Cán Bộ Mẫu".to_owned()];
        policy::write::insert_cleared(tx, &keys, (&third, names), &clearance())?;
        let (kind, actor) = ("test".into(), "test".into());
        Ok(EntryBody::Act(Act { kind, actor, system: 3, detail: String::new() }))
    });
    made.await.unwrap();
    let mut head = site.signed_in(Role::Head, 0).await;
    let choose = head.get("/unit/officers/new").await;
    assert!(!choose.body.contains("name=\"login\"") && choose.body.contains("HT3"));
    let page = head.get("/unit/officers/new?system=3").await;
    assert!(page.body.contains("name=\"login\"") && page.hidden("system") == "3");
    let add = |system: &'static str| {
        [
            ("once", "n2"),
            ("system", system),
            ("service", "0"),
            ("login", "canbo.moi1"),
            ("name", "Trần Thị Thử"),
            ("personalId", "099301012345"),
            ("daily", "20"),
        ]
    };
    // None named, another unit's, none at all: nothing is guessed.
    for system in ["", "2", "x"] {
        let answer = head.post("/unit/officers/new", &add(system)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{system:?}");
    }
    assert_eq!(head.get("/unit/officers.xlsx").await.status, StatusCode::NOT_FOUND);
    assert!(head.get("/unit/officers/import").await.body.contains("HT3"));
    assert_eq!(head.get("/unit/usage").await.status, StatusCode::OK, "one of them is shown");
    head.post("/unit/officers/new", &add("3")).await;
    let lists = [1, 3].map(SystemId);
    let counts = [store.account_list(lists[0]).await, store.account_list(lists[1]).await];
    assert_eq!(counts.map(|list| list.unwrap().len()), [1, 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e2_what_was_done_for_an_account_is_told_at_every_sign_in_of_a_week() {
    let site = site().await;
    let mut officer = site.signed_in(Role::Officer, -1).await;
    let mut head = site.signed_in(Role::Head, 0).await;
    let given = head.post("/unit/officers/a1/password", &[("once", "p1")]).await;
    assert_eq!(given.status, StatusCode::OK);
    let refused = head.post("/unit/officers/a1/vouch", &[("seen", "known"), ("once", "v1")]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.body.contains("cần hai người làm"), "{}", refused.body);
    let password = given.body.split("id=\"given\">").nth(1).unwrap().split('<').next().unwrap();
    let told = officer.sign_in_given(&login(Role::Officer), password, 0).await;
    assert!(told.to().starts_with("/welcome?") && told.to().contains("helped=yes"), "{told:?}");
    let page = officer.get(told.to()).await;
    assert!(page.body.contains("đơn vị đã cấp lại mật khẩu"), "{}", page.body);
    // Whoever signed in first, the next one reads it too, whatever happened meanwhile.
    let store = site.app.gate.store();
    let (keys, now) = (store.keys().clone(), site.app.clock.now());
    let name = Login::parse(&login(Role::Officer)).unwrap();
    let person = store.people().person_by_login(&name).await.unwrap().unwrap().id;
    let done = store.ledger().note(now, move |tx| {
        for _ in 0..people::EVENTS_KEPT {
            people::note_event(tx, &keys, person, now, EventKind::ScreenUnlocked, None, "")?;
        }
        let (kind, actor) = ("test".into(), "test".into());
        Ok(EntryBody::Act(Act { kind, actor, system: 0, detail: String::new() }))
    });
    done.await.unwrap();
    let mut other = site.browser();
    let again = other.with_password(&login(Role::Officer), CHOSEN, 1).await;
    assert!(again.status == StatusCode::SEE_OTHER && again.to().contains("helped"), "{again:?}");
    let page = other.get(again.to()).await;
    assert_eq!(page.body.matches("đơn vị đã cấp lại mật khẩu").count(), 1, "{}", page.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resumption_says_what_it_did_not_resume() {
    let site = site().await;
    let mut head = site.signed_in(Role::Head, 0).await;
    head.get("/unit/officers/a1").await;
    let path = "/unit/officers/a1/state";
    let stopped = head.post(path, &[("act", "suspend"), ("reason", "nghỉ phép")]).await;
    assert!(stopped.body.contains("Đã tạm ngừng tài khoản của"), "{}", stopped.body);
    for what in ["Tài khoản trong danh sách đăng ký: HT1", "Phiên đăng nhập: "] {
        assert!(stopped.body.contains(what), "{what}: {}", stopped.body);
    }
    let mut operator = site.signed_in(Role::Operator, 0).await;
    operator.get("/operate/systems/HT1").await;
    let officer = login(Role::Officer);
    let lock = [("what", "account"), ("login", officer.as_str()), ("reason", "báo mất")];
    assert_eq!(operator.post("/operate/systems/HT1/lock", &lock).await.status, StatusCode::OK);
    let done = head.post(path, &[("act", "resume"), ("reason", "đã về")]).await;
    assert_eq!(done.to(), "/unit/officers/a1?told=resumedLocked", "{}", done.body);
    let page = head.get(done.to()).await;
    assert!(page.body.contains("tài khoản vẫn bị khóa") && page.body.contains("note warn"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_revoked_is_stood_in_for_by_nobody_and_counts_in_no_sum() {
    let site = site().await;
    let mut head = site.signed_in(Role::Head, 0).await;
    let absent = |page: &str| {
        let form = page.split("id=\"absent\"").nth(1).unwrap().split("id=\"substitute\"");
        form.clone().next().unwrap().matches("value=").count()
    };
    let declared = async |head: &mut Browser| {
        let page = head.get("/unit/officers?q=vai.officer").await.body;
        page.split("<tfoot>").nth(1).unwrap().contains(">30</td>")
    };
    assert!(declared(&mut head).await);
    let before = absent(&head.get("/unit/substitutes").await.body);
    head.post("/unit/officers/a1/state", &[("act", "left"), ("reason", "nghỉ việc")]).await;
    let after = absent(&head.get("/unit/substitutes").await.body);
    assert_eq!(after + 1, before);
    assert!(!declared(&mut head).await, "what was declared for who is revoked counts no more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e5_a_training_is_recorded_on_the_officers_page() {
    let site = site().await;
    let mut head = site.signed_in(Role::Head, 0).await;
    assert!(head.get("/unit/officers/a1").await.body.contains("/unit/officers/a1/training"));
    let path = "/unit/officers/a1/training";
    for day in ["", "31/02/2026", "01/01/2099"] {
        let wrong = head.post(path, &[("trained", day)]).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{day}");
        assert!(wrong.body.contains("trained-error") || wrong.body.contains("class=\"wrong\""));
    }
    let today = crate::portal::frame::day(site.app.clock.now());
    let done = head.post(path, &[("trained", &today)]).await;
    assert_eq!(done.to(), "/unit/officers/a1?told=trained");
}
