//! In and out: sign-in, lock, confirmation, sign-out.

use axum::http::StatusCode;
use dancu_domain::moment::{DAY_MS, Moment};
use dancu_domain::people::password::PasswordAge;
use dancu_domain::people::roles::Role;
use dancu_store::people;

use super::site::{Browser, INVITED, PASSWORD, Site, code, code_of, login};

const SEE: StatusCode = StatusCode::SEE_OTHER;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_in_and_out() {
    let site = Site::new().await;
    let mut browser = site.browser();
    assert_eq!(browser.get("/").await.to(), "/sign-in");
    let asked = browser.get("/account/sessions?x=1").await;
    assert_eq!((asked.status, asked.to()), (SEE, "/sign-in?next=/account/sessions%3Fx%3D1"));
    let page = browser.get(asked.to()).await;
    assert_eq!(page.hidden("next"), "/account/sessions?x=1");
    let officer = login(Role::Officer);

    // Wrong password and unknown login look alike.
    let mut wrong = vec![];
    for (login, password) in [(officer.as_str(), "sai"), ("khong.co", PASSWORD)] {
        let fields = [("login", login), ("password", password)];
        let answer = browser.clone().post("/sign-in", &fields).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        let body = answer.body.replace(&format!("value=\"{login}\""), "");
        let (before, after) = body.split_once("<time").unwrap();
        wrong.push((before.to_owned(), after.split_once("</time>").unwrap().1.to_owned()));
    }
    assert_eq!(wrong[0], wrong[1]);

    // A cookie that the browser brings is never taken as new.
    browser.cookies.insert("dancu".into(), "A".repeat(43));
    let next = ("next", "/account/sessions?x=1");
    let asked =
        browser.post("/sign-in", &[("login", &officer), ("password", PASSWORD), next]).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.body);
    assert!(asked.body.contains("name=\"code\"") && asked.body.contains("name=\"recovery\""));
    let (ticket, has) = (asked.hidden("ticket"), asked.hidden("has"));
    let given =
        |code: &str| [("ticket", ticket.clone()), ("has", has.clone()), ("code", code.to_owned())];
    let again = post(&mut browser, "/sign-in/factor", &given("000000"), next).await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED);
    assert!(again.body.contains("id=\"code-wrong\""), "{}", again.body);
    let done = post(&mut browser, "/sign-in/factor", &given(&code(0)), next).await;
    assert_eq!((done.status, done.to()), (SEE, "/account/sessions?x=1"), "{}", done.body);
    let set = done.header("set-cookie");
    assert!(set.starts_with("dancu=") && set.contains("HttpOnly; SameSite=Strict"), "{set}");
    assert!(!set.contains(&"A".repeat(43)) && !set.contains("Secure"));

    let page = browser.get(done.to()).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("Người Mẫu 1") && page.body.contains("Cán bộ khai thác"));
    assert_eq!(browser.get("/sign-in").await.status, SEE, "nobody signs in twice");

    let mut stolen = browser.clone();
    let out = browser.post("/sign-out", &[]).await;
    assert_eq!((out.status, out.to()), (SEE, "/sign-in?why=SignedOut"));
    assert!(!browser.cookies.contains_key("dancu"));
    assert!(browser.get(out.to()).await.body.contains("Đã đăng xuất."));
    assert!(stolen.get("/account/sessions").await.to().starts_with("/sign-in"), "it is over");
}

async fn post(
    browser: &mut Browser,
    path: &str,
    fields: &[(&str, String)],
    more: (&str, &str),
) -> super::site::Answer {
    let mut all: Vec<_> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    all.push(more);
    browser.post(path, &all).await
}

/// E2: what somebody else gave is changed first, then a factor is enrolled, then codes are kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e2_the_first_sign_in_changes_the_password_and_enrols_a_factor() {
    let site = Site::new().await;
    let mut browser = site.browser();
    browser.get("/sign-in").await;
    let fields = [("login", INVITED), ("password", PASSWORD), ("next", "/account/history")];
    let change = browser.post("/sign-in", &fields).await;
    assert!(change.body.contains("action=\"/sign-in/password\""), "{}", change.body);
    assert!(change.body.contains("Mật khẩu được cấp"), "{}", change.body);
    assert!(!change.body.contains("name=\"current\""));
    let ticket = change.hidden("ticket");
    let next = ("next", "/account/history");
    for (fresh, again, field) in [
        ("một câu dài dễ nhớ", "một câu dài dễ nhơ", "again-wrong"),
        ("ngắn", "ngắn", "fresh-wrong"),
        ("matkhau123", "matkhau123", "fresh-wrong"),
        (PASSWORD, PASSWORD, "fresh-wrong"),
    ] {
        let fields = [("ticket", ticket.as_str()), ("fresh", fresh), ("again", again), next];
        let wrong = browser.post("/sign-in/password", &fields).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{fresh}");
        assert!(wrong.body.contains(&format!("id=\"{field}\"")), "{fresh}");
        assert_eq!(wrong.hidden("ticket"), ticket);
    }
    let new = "một câu dài dễ nhớ";
    let fields = [("ticket", ticket.as_str()), ("fresh", new), ("again", new), next];
    let enrol = browser.post("/sign-in/password", &fields).await;
    assert!(enrol.body.contains("action=\"/sign-in/enrol/app\""), "{}", enrol.body);
    let ticket = enrol.hidden("ticket");
    let app = browser.post("/sign-in/enrol/app", &[("ticket", &ticket), next]).await;
    let uri = app.hidden("uri").replace("&#38;", "&");
    let secret = uri.split("secret=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    assert!(app.body.contains("<path d=\"M") && app.body.contains(&secret[..4]));
    let ticket = app.hidden("ticket");
    let typed = app.hidden("secret");
    assert_eq!(typed.replace(' ', ""), secret);
    let shown = [("uri", uri.as_str()), ("secret", typed.as_str())];
    let fields = [("ticket", ticket.as_str()), ("code", "000000"), shown[0], shown[1], next];
    let wrong = browser.post("/sign-in/enrol/app/done", &fields).await;
    assert!(wrong.body.contains("id=\"code-wrong\"") && wrong.body.contains("<path d=\"M"));
    assert!(wrong.body.contains(&format!("translate=\"no\">{typed}<")), "{}", wrong.body);
    let code = code_of(&secret, 0);
    let fields = [("ticket", ticket.as_str()), ("code", &code), shown[0], shown[1], next];
    let codes = browser.post("/sign-in/enrol/app/done", &fields).await;
    assert!(codes.body.contains("action=\"/sign-in/codes\""), "{}", codes.body);
    assert_eq!(codes.body.matches("<li>").count(), 10);
    assert!(!browser.cookies.contains_key("dancu"), "not in yet");
    let fields = [("ticket", codes.hidden("ticket")), ("kept", "yes".into())];
    let done = post(&mut browser, "/sign-in/codes", &fields, next).await;
    assert_eq!((done.status, done.to()), (SEE, "/account/history"), "{}", done.body);
    let history = browser.get(done.to()).await;
    assert!(history.body.contains("Kích hoạt tài khoản"), "{}", history.body);
}

/// E2: one that is too old says so, with the days of the person's class; also after a mistake.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e2_a_password_past_its_days_says_how_many_they_are() {
    let site = Site::new().await;
    for (role, days) in [(Role::Officer, 90), (Role::Operator, 60)] {
        let login = login(role);
        aged(&site, &login, days).await;
        let mut browser = site.browser();
        let change = browser.with_password(&login, PASSWORD, 0).await;
        let told = format!("chỉ dùng được {days} ngày");
        assert!(change.body.contains(&told), "{}", change.body);
        let (ticket, aged) = (change.hidden("ticket"), change.hidden("aged"));
        let fields = [("ticket", ticket.as_str()), ("aged", &aged), ("fresh", "a"), ("again", "b")];
        let wrong = browser.post("/sign-in/password", &fields).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.body.contains(&told) && !wrong.body.contains("Mật khẩu được cấp"));
    }
}

/// As if the password had been set so many days ago.
async fn aged(site: &Site, login: &str, days: i64) {
    let store = site.app.gate.store();
    let login = dancu_domain::ids::Login::parse(login).unwrap();
    let mut person = store.people().person_by_login(&login).await.unwrap().unwrap();
    let now = site.app.clock.now();
    let set_on = Moment(now.0 - days * DAY_MS).viet_nam_date();
    person.account.password = Some(PasswordAge { set_on, given: false });
    let keys = store.keys().clone();
    store.ledger().tidy(now, move |tx| people::save(tx, &keys, &person)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_of_another_browser_opens_nothing() {
    let site = Site::new().await;
    let mut browser = site.browser();
    browser.get("/sign-in").await;
    let officer = login(Role::Officer);
    let asked = browser.post("/sign-in", &[("login", &officer), ("password", PASSWORD)]).await;
    let mut thief = site.browser();
    thief.get("/sign-in").await;
    let code = code(0);
    let fields = [("ticket", asked.hidden("ticket")), ("has", "app".into()), ("code", code)];
    let answer = post(&mut thief, "/sign-in/factor", &fields, ("next", "")).await;
    assert!(answer.status.is_client_error() && !thief.cookies.contains_key("dancu"));
    assert!(answer.body.contains("name=\"login\""), "back to the beginning");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e2_a_second_session_ends_the_first_and_both_are_told() {
    let site = Site::new().await;
    let mut first = site.signed_in(Role::Head, -1).await;
    let mut second = site.browser();
    let done = second.sign_in(&login(Role::Head), 0).await;
    assert_eq!(done.to(), "/welcome?replaced=yes&next=/");
    assert!(second.get(done.to()).await.body.contains("vừa kết thúc"));
    let over = first.get("/account/factors").await;
    assert_eq!(over.to(), "/sign-in?next=/account/factors&why=SessionReplaced");
    let told = first.get(over.to()).await;
    assert!(told.body.contains("đăng nhập ở nơi khác"), "{}", told.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e2_a_locked_screen_shows_nothing_and_keeps_what_was_typed() {
    let site = Site::new().await;
    let mut browser = site.signed_in(Role::Officer, 0).await;
    let mut tab = browser.clone();
    let typed = "case=H40-099&subject=099303000417&csrf=x&password=y";
    let locked = browser.post("/lock", &[("back", "/account/sessions"), ("kept", typed)]).await;
    assert_eq!(locked.status, StatusCode::OK);
    assert!(locked.body.contains("name=\"password\""));
    assert!(!locked.body.contains("099303000417") && !locked.body.contains("H40-099"));
    let kept = locked.hidden("kept");
    assert_eq!(tab.get("/").await.to(), "/account", "the lock screen, not the way in");

    // Nothing else is answered, in no window, whoever asks.
    for path in ["/account/sessions", "/account/factors", "/confirm"] {
        let answer = tab.get(path).await;
        assert!(matches!(answer.status.as_u16(), 423 | 303), "{path}: {}", answer.status);
        assert!(!answer.body.contains("Tài khoản của tôi"), "{path}: {}", answer.body);
    }
    assert_eq!(tab.get("/account/history").await.status, StatusCode::LOCKED);
    tab.headers.push(("hx-request", "true".into()));
    let part = tab.get("/account/history").await;
    assert_eq!((part.status, part.header("hx-retarget")), (StatusCode::LOCKED, "body"));
    tab.headers.clear();
    let sent = tab.post("/account/sessions/end", &[("session", "abc")]).await;
    assert_eq!(sent.status, StatusCode::LOCKED);
    let sent_kept = sent.hidden("kept");

    let fields = [("kept", kept.as_str()), ("password", "sai")];
    let wrong = browser.post("/unlock", &fields).await;
    assert_eq!(wrong.status, StatusCode::LOCKED);
    assert!(wrong.body.contains("id=\"password-wrong\""));
    assert!(!wrong.body.contains("Tên đăng nhập"), "none was typed");
    assert_eq!(wrong.hidden("kept"), kept, "it goes on being kept");
    let fields = [("kept", kept.as_str()), ("password", PASSWORD)];
    let back = browser.post("/unlock", &fields).await;
    assert_eq!(back.status, StatusCode::OK, "{}", back.body);
    assert!(back.body.contains("data-restore") && back.body.contains("value=\"H40-099\""));
    assert!(back.body.contains("name=\"back\" value=\"/account/sessions\""));
    assert!(!back.body.contains("name=\"password\""), "secrets are not kept");

    // The other window: open again without a password, and its form is sent again by hand.
    let again = tab.post("/unlock", &[("kept", &sent_kept)]).await;
    assert_eq!(again.status, StatusCode::OK);
    assert!(again.body.contains("action=\"/account/sessions/end\""), "{}", again.body);
    assert_eq!(again.hidden("session"), "abc");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_person_in_the_same_browser_ends_the_session_before() {
    let site = Site::new().await;
    let mut browser = site.signed_in(Role::Officer, 0).await;
    let mut before = browser.clone();
    let head = login(Role::Head);
    let asked = browser.post("/sign-in", &[("login", &head), ("password", PASSWORD)]).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.body);
    let fields = [("ticket", asked.hidden("ticket")), ("code", code(0))];
    let done = post(&mut browser, "/sign-in/factor", &fields, ("has", "app")).await;
    assert_eq!(done.status, SEE, "{}", done.body);
    assert!(browser.get("/account/factors").await.body.contains("Thủ trưởng đơn vị"));
    assert!(before.get("/account/factors").await.to().starts_with("/sign-in"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_kept_in_one_session_opens_in_no_other() {
    let site = Site::new().await;
    let mut browser = site.signed_in(Role::Officer, 0).await;
    let fields = [("back", "/account/sessions"), ("kept", "a=099303000417")];
    let locked = browser.post("/lock", &fields).await;
    let mut other = site.signed_in(Role::Operator, 0).await;
    let answer = other.post("/unlock", &[("kept", &locked.hidden("kept"))]).await;
    assert_eq!(answer.status, SEE);
    assert!(!answer.body.contains("099303000417"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e2_an_act_that_needs_a_fresh_factor_asks_for_it_and_goes_on() {
    let site = Site::new().await;
    let mut browser = site.signed_in(Role::Operator, -1).await;
    assert_eq!(browser.get("/account/factors/add").await.status, StatusCode::OK);
    forget_factor(&site, &login(Role::Operator)).await;
    assert_eq!(browser.get("/account/factors").await.status, StatusCode::OK);
    let asked = browser.get("/account/factors/add").await;
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
    let kept = asked.hidden("kept");
    let wrong = browser.post("/confirm", &[("kept", &kept), ("code", "000000")]).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    let done = browser.post("/confirm", &[("kept", &kept), ("code", &code(0))]).await;
    assert_eq!((done.status, done.to()), (SEE, "/account/factors/add"), "{}", done.body);
    assert_eq!(browser.get(done.to()).await.status, StatusCode::OK);

    // A form that was sent meanwhile is kept and goes on its way at once.
    forget_factor(&site, &login(Role::Operator)).await;
    let fields = [("factor", "khóa <b>x</b>"), ("current", "bí mật")];
    let asked = browser.post("/account/factors/remove", &fields).await;
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
    assert!(!asked.body.contains("khóa"), "sealed");
    let fields = [("kept", asked.hidden("kept")), ("code", code(1))];
    let done = post(&mut browser, "/confirm", &fields, ("x", "")).await;
    assert!(done.body.contains("data-send-now"), "{}", done.body);
    assert!(done.body.contains("action=\"/account/factors/remove\""));
    assert_eq!(done.hidden("factor"), "khóa &#60;b&#62;x&#60;/b&#62;");
    assert!(!done.body.contains("bí mật"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_goes_on_after_the_second_factor_is_done_once() {
    let site = Site::new().await;
    dancu_office::units::keep(site.app.gate.store(), site.app.clock.now()).await.unwrap();
    let mut browser = site.signed_in(Role::Operator, -1).await;
    let once = browser.get("/centre/staff").await.hidden("once");
    let fields = [
        ("once", once.as_str()),
        ("role", "support"),
        ("unit", "H26.001"),
        ("name", "Người Mới"),
        ("login", "hotro.moi1"),
        ("personalId", "099301012345"),
        ("phone", ""),
        ("reason", "Thêm\r\nngười "),
    ];
    forget_factor(&site, &login(Role::Operator)).await;
    let asked = browser.post("/centre/staff", &fields).await;
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
    let kept = asked.hidden("kept");
    let go_on = browser.post("/confirm", &[("kept", &kept), ("code", &code(0))]).await;
    let sent = fields.map(|(name, _)| (name, go_on.hidden(name)));
    let sent = sent.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(go_on.hidden("name"), "Người Mới", "{}", go_on.body);
    let done = browser.post("/centre/staff", &sent).await;
    assert!(done.body.contains("id=\"given\""), "{}", done.body);
    // Sent again by both pages, it is the same.
    for again in [&sent, &fields] {
        let told = browser.post("/centre/staff", again).await;
        assert_eq!(told.to(), "/centre/staff?told=invited", "{}", told.body);
    }
}

/// As if the second factor had been given long ago.
async fn forget_factor(site: &Site, login: &str) {
    let store = site.app.gate.store();
    let login = dancu_domain::ids::Login::parse(login).unwrap();
    let person = store.people().person_by_login(&login).await.unwrap().unwrap();
    let rows = store.people().sessions_of(person.id).await.unwrap();
    let mark = rows[0].mark;
    let keys = store.keys().clone();
    let changed = store.ledger().tidy(site.app.clock.now(), move |tx| {
        let (mut row, _) = people::session(tx, &keys, &mark)?.unwrap();
        row.session.mfa = None;
        people::save_session(tx, &keys, &row)
    });
    changed.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn language_and_theme_are_remembered() {
    let site = Site::new().await;
    let mut browser = site.browser();
    assert!(browser.get("/sign-in").await.body.contains("<html lang=\"vi\">"));
    let fields = [("lang", "en"), ("back", "/sign-in?next=/counter")];
    let answer = browser.post("/preferences", &fields).await;
    assert_eq!(answer.to(), "/sign-in?next=/counter");
    browser.post("/preferences", &[("theme", "dark"), ("back", "/sign-in")]).await;
    let page = browser.get("/sign-in").await;
    assert!(page.body.contains("<html lang=\"en\" data-theme=\"dark\">"));
    browser.post("/preferences", &[("theme", "\"><script>"), ("lang", "xx")]).await;
    assert!(browser.get("/sign-in").await.body.contains("<html lang=\"en\" data-theme=\"dark\">"));
}
