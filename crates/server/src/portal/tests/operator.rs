//! The operator's and the auditor's desks over their routes.

use axum::http::StatusCode;
use dancu_domain::dossier::{Clearance, Ground};
use dancu_domain::ids::{AccountId, LineId, Login, SystemCode, SystemId, UnitCode};
use dancu_domain::moment::{DAY_MS, Moment};
use dancu_domain::people::PersonId;
use dancu_domain::people::roles::Role;
use dancu_domain::registration::{
    Account, AccountKind, AccountList, AccountState, ConnectionState, Group, Line, ServiceGrant,
    System,
};
use dancu_domain::service::{FieldSet, Service};
use dancu_journal::{Act, Body};
use dancu_store::desks::{self, RaiseRequest, RequestState};
use dancu_store::policy;

use super::site::{INVITED, Site, login};
use crate::clock::machine_ms;

const ACCOUNT: AccountId = AccountId(1);

/// A system of another unit than the people's, with one line and one account.
async fn with_system() -> Site {
    let site = Site::new().await;
    let service = Service::CitizenVerify;
    let code = SystemCode::parse("MAU").unwrap();
    let unit = UnitCode::parse("H26.777").unwrap();
    let mut system = System::new(SystemId(1), code, unit, Group::State);
    system.state = ConnectionState::Live;
    system.accounts = AccountList::new(vec![Account {
        daily: 10,
        ..Account::new(ACCOUNT, Login::parse("mau.canbo1").unwrap(), AccountKind::Officer)
    }]);
    let line = Line { id: LineId(1), daily: 100, raises: vec![] };
    system.services[service.index()] = Some(ServiceGrant {
        service,
        ma_tich_hop: "001".into(),
        fields: FieldSet::ALL,
        lines: [Some(line), None],
    });
    let keys = site.app.gate.store().keys().clone();
    let clearance = Clearance::exempt(Ground::SyntheticPeople, "thử nghiệm", "Người Mẫu").unwrap();
    let made = site.app.gate.store().ledger().act(Moment(machine_ms()), move |tx, _| {
        let names = &["Cán Bộ Mẫu".to_owned()];
        policy::write::insert_cleared(tx, &keys, (&system, names), &clearance)?;
        let (kind, actor) = ("test".into(), "dancu".into());
        Ok(Body::Act(Act { kind, actor, system: 1, detail: String::new() }))
    });
    made.await.unwrap();
    site
}

fn state(site: &Site) -> AccountState {
    let snapshot = site.app.gate.store().snapshot(Moment(machine_ms())).unwrap();
    snapshot.by_id(SystemId(1)).unwrap().accounts.by_id(ACCOUNT).unwrap().state
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_locked_at_once_and_unlocked_for_a_reason() {
    let site = with_system().await;
    let mut browser = site.signed_in(Role::Operator, 0).await;
    let list = browser.get("/operate/systems?q=m%C3%A1u").await;
    assert!(list.body.contains("/operate/systems/MAU") && list.body.contains("H26.777"));
    let page = browser.get("/operate/systems/MAU").await;
    assert_eq!(page.status, StatusCode::OK);
    let to = "/operate/systems/MAU/lock";
    for (login, reason, field) in [
        ("mau.canbo1", " ", "reason"),
        ("mau.canbo2", "báo mất", "login"),
        // Officer codes and ids name nobody here.
        ("", "báo mất", "login"),
    ] {
        let fields = [("what", "account"), ("login", login), ("reason", reason)];
        let wrong = browser.post(to, &fields).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
        assert!(wrong.body.contains(&format!("id=\"{field}-wrong\"")), "{field}");
        assert_eq!(state(&site), AccountState::Live);
    }
    let markup = "<script>alert(1)</script>";
    let fields = [("what", "account"), ("login", "MAU.canbo1"), ("reason", markup)];
    let locked = browser.post(to, &fields).await;
    assert_eq!((locked.status, state(&site)), (StatusCode::OK, AccountState::Locked));
    let page = browser.get("/operate/locks/account-1").await;
    assert!(page.body.contains("mau.canbo1: đã khóa"), "{}", page.body);
    assert!(!page.body.contains("#1 locked") && !page.body.contains("<svg class=\"chart"));
    assert!(!page.body.contains(markup) && page.body.contains("&#60;script&#62;"));
    // The list says who and why, and since when.
    let list = browser.get("/operate/locks").await.body;
    let by = format!("{} đã khóa. Lý do: &#60;script&#62;", login(Role::Operator));
    assert!(list.contains(&by) && !list.contains("không rõ"), "{list}");
    let wrong = browser.post("/operate/locks/unlock", &[("lock", "account-1")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let fields = [("lock", "account-1"), ("reason", "báo động nhầm")];
    let lifted = browser.post("/operate/locks/unlock", &fields).await;
    assert_eq!((lifted.status, state(&site)), (StatusCode::OK, AccountState::Live));
    // Back and again: it stands no more, nothing is done.
    let before = site.app.gate.store().ledger().next_index();
    let again = browser.post("/operate/locks/unlock", &fields).await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(site.app.gate.store().ledger().next_index(), before);
    let gone = browser.get("/operate/locks/line-0-1").await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_lock_does_not_unlock() {
    let site = with_system().await;
    let mut lead = site.signed_in(Role::IncidentLead, 0).await;
    lead.get("/operate/locks").await;
    let fields = [("login", "mau.canbo1"), ("why", "nghi lộ mật khẩu")];
    let locked = lead.post("/operate/locks/account", &fields).await;
    assert_eq!((locked.status, state(&site)), (StatusCode::OK, AccountState::Locked));
    let page = lead.get("/operate/locks/account-1").await;
    assert!(!page.body.contains("/operate/locks/unlock"), "no form that would be refused");
    let fields = [("lock", "account-1"), ("reason", "báo động nhầm")];
    for to in ["/operate/locks/unlock", "/operate/locks/bulk"] {
        assert_eq!(lead.post(to, &fields).await.status, StatusCode::FORBIDDEN, "{to}");
    }
    // A head sees the locks of the own unit only.
    let mut head = site.signed_in(Role::Head, 0).await;
    assert!(!head.get("/operate/locks").await.body.contains("mau.canbo1"));
    let mut operator = site.signed_in(Role::Operator, 0).await;
    operator.get("/operate/locks").await;
    let none = operator.post("/operate/locks/bulk", &[("reason", "báo động nhầm")]).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
    let fields = [("lock", "account-1"), ("lock", "line-1"), ("reason", "báo động nhầm")];
    let lifted = operator.post("/operate/locks/bulk", &fields).await;
    assert_eq!((lifted.status, state(&site)), (StatusCode::OK, AccountState::Live));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d8_a_request_is_granted_over_its_route() {
    let site = with_system().await;
    let (now, keys) = (Moment(machine_ms()), site.app.gate.store().keys().clone());
    let request = RaiseRequest {
        id: 0,
        system: SystemId(1),
        line: LineId(1),
        extra: 50,
        from: now.plus_ms(-DAY_MS),
        to: now.plus_ms(DAY_MS),
        reason: "Tuyển sinh đầu cấp".into(),
        asked_by: PersonId(2),
        asked_at: now,
        state: RequestState::Waiting,
        approvals: vec![],
        decided_at: None,
        answer: String::new(),
    };
    let made = site.app.gate.store().ledger().note(now, move |tx| {
        desks::insert_raise_request(tx, &keys, &request)?;
        let (kind, actor) = ("test".into(), "dancu".into());
        Ok(Body::Act(Act { kind, actor, system: 1, detail: String::new() }))
    });
    made.await.unwrap();
    let mut browser = site.signed_in(Role::Operator, 0).await;
    let page = browser.get("/operate/raises").await;
    assert!(page.body.contains("Tuyển sinh đầu cấp") && page.body.contains("/operate/raises/1"));
    let wrong = browser.post("/operate/raises/1", &[("act", "refuse"), ("reason", "")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let granted = browser.post("/operate/raises/1", &[("act", "grant")]).await;
    assert_eq!(granted.to(), "/operate/raises?told=granted");
    let snapshot = site.app.gate.store().snapshot(now).unwrap();
    let grant = snapshot.by_id(SystemId(1)).unwrap().service(Service::CitizenVerify).unwrap();
    let later = Moment(machine_ms());
    assert_eq!(grant.lines[0].as_ref().unwrap().limit(later).count, 150, "in force at once");
    browser.get("/operate/raises").await;
    let again = browser.post("/operate/raises/1", &[("act", "grant")]).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "decided already");
    let none = browser.post("/operate/raises/9", &[("act", "grant")]).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_announcement_is_public_once_whatever_is_posted_twice() {
    let site = with_system().await;
    let mut browser = site.signed_in(Role::Operator, 0).await;
    let page = browser.get("/operate/announcements").await;
    let once = page.hidden("once");
    let fields = [
        ("once", once.as_str()),
        ("kind", "incident"),
        ("heading", "Tra cứu <b>chậm</b>"),
        ("text", "Đang khắc phục.\r\nXin chờ."),
        ("from", ""),
        ("to", ""),
    ];
    let posted = browser.post("/operate/announcements", &fields).await;
    assert_eq!(posted.to(), "/operate/announcements?told=published", "{}", posted.body);
    let twice = browser.post("/operate/announcements", &fields).await;
    assert_eq!(twice.to(), "/operate/announcements?told=published");
    let mut anybody = site.browser();
    let status = anybody.get("/status").await;
    assert_eq!(status.status, StatusCode::OK);
    assert_eq!(status.body.matches("Tra cứu &#60;b&#62;chậm").count(), 1, "{}", status.body);
    assert!(!status.body.contains("action=\"/operate"), "nobody ends it from here");
    let ended = browser.post("/operate/announcements/1/end", &[]).await;
    assert_eq!(ended.to(), "/operate/announcements?told=ended");
    assert!(anybody.get("/status").await.body.contains("verdict good"));
    let wrong = [("once", "x"), ("heading", "A"), ("text", "B"), ("to", "25:00 1/1/2026")];
    let wrong = browser.post("/operate/announcements", &wrong).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_a6_auditors_state_a_ground_and_nobody_of_the_unit_sees_the_staff() {
    let site = with_system().await;
    let mut browser = site.signed_in(Role::Auditor, 0).await;
    browser.get("/audit").await;
    let ledger = site.app.gate.store().ledger();
    let before = ledger.next_index();
    let fields = [("ground", "ngắn"), ("kind", "subject"), ("term", "099090000123")];
    let wrong = browser.post("/audit", &fields).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!wrong.body.contains("099090000123"), "an id is never shown again");
    assert_eq!(ledger.next_index(), before, "nothing was looked at");
    let ground = "Quyết định kiểm tra 12/QĐ-TTr";
    let fields = [("ground", ground), ("kind", "subject"), ("term", "099090000123")];
    let found = browser.post("/audit", &fields).await;
    assert_eq!((found.status, ledger.next_index()), (StatusCode::OK, before + 1));
    assert!(!found.body.contains("099090000123"));
    // A ticket of nobody's: the ground is asked for again.
    let forged = browser.post("/audit/more", &[("ticket", "00ff"), ("from", "0")]).await;
    assert_eq!(forged.status, StatusCode::UNPROCESSABLE_ENTITY);
    // The operator of this site belongs to the auditor's own unit.
    browser.get("/audit/staff").await;
    let staff = browser.post("/audit/staff", &[("ground", ground)]).await;
    assert_eq!(staff.status, StatusCode::FORBIDDEN);
    assert!(staff.body.contains("Không được tự kiểm tra"), "{}", staff.body);
    assert!(!browser.get("/audit").await.body.contains(&login(Role::Operator)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_a6_locks_show_no_citizens_id_to_whoever_looks() {
    let site = with_system().await;
    let store = site.app.gate.store();
    let keys = store.keys().clone();
    let made = store.ledger().act(Moment(machine_ms()), move |tx, _| {
        let list = policy::accounts::of_system(tx, &keys, SystemId(1))?;
        let mut listed = list[0].clone();
        listed.account.login = Login::parse("099301012345").unwrap();
        policy::accounts::insert(tx, &keys, SystemId(1), &[listed])?;
        let (kind, actor) = ("test".into(), "dancu".into());
        Ok(Body::Act(Act { kind, actor, system: 1, detail: String::new() }))
    });
    made.await.unwrap();
    let mut operator = site.signed_in(Role::Operator, 0).await;
    operator.get("/operate/systems/MAU").await;
    let fields = [("what", "account"), ("login", "099301012345"), ("reason", "báo mất")];
    let locked = operator.post("/operate/systems/MAU/lock", &fields).await;
    assert!(locked.status == StatusCode::OK && locked.body.contains("••• ••• ••• 345"));
    let mut lead = site.signed_in(Role::IncidentLead, 0).await;
    for path in ["/operate/locks", "/operate/locks/account-2"] {
        let page = lead.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(page.body.contains("••• ••• ••• 345") && !page.body.contains("099301012345"));
    }
    assert!(!locked.body.contains("099301012345"));
}

/// Of who was invited, never came and is on no list nothing can be locked, and the page says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d6_a_withdrawn_invitation_is_told_as_what_it_is() {
    let site = with_system().await;
    let mut operator = site.signed_in(Role::Operator, 0).await;
    operator.get("/operate/locks").await;
    let fields = [("login", INVITED), ("why", "báo mất")];
    let done = operator.post("/operate/locks/account", &fields).await;
    assert_eq!(done.status, StatusCode::OK);
    let told = format!("Đã thu hồi lời mời vào cổng của {INVITED}");
    assert!(done.body.contains(&told) && !done.body.contains("Đã khóa"), "{}", done.body);
    // Once more there is nothing to withdraw.
    let again = operator.post("/operate/locks/account", &fields).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    // The officer of the site is in, and locked.
    let officer = login(Role::Officer);
    let fields = [("login", officer.as_str()), ("why", "báo mất")];
    let done = operator.post("/operate/locks/account", &fields).await;
    assert!(done.body.contains(&format!("Đã khóa {officer}")), "{}", done.body);
    assert!(!done.body.contains("thu hồi lời mời"));
}
