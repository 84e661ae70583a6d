//! Dossiers over their routes (B1-B3, A6).

use axum::http::StatusCode;
use dancu_domain::people::roles::Role;

use super::site::{Browser, Site};

pub async fn begun(head: &mut Browser) -> String {
    let once = head.get("/unit/dossiers").await.hidden("once");
    let fields = [("channel", "api"), ("once", once.as_str())];
    let done = head.post("/unit/dossiers", &fields).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    done.to().split('?').next().unwrap().to_owned()
}

/// Sends a sheet as it was opened, with these fields in place of what stood there.
async fn save(browser: &mut Browser, sheet: &str, fields: &[(&str, &str)]) -> super::site::Answer {
    let page = browser.get(sheet).await;
    let (once, revision) = (page.hidden("once"), page.hidden("revision"));
    let mut all = vec![("once", once.as_str())];
    if fields.iter().all(|(name, _)| *name != "revision") {
        all.push(("revision", &revision));
    }
    all.extend_from_slice(fields);
    browser.post(sheet, &all).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b1_half_of_a_dossier_is_saved_and_what_is_wrong_stands_beside_it() {
    let site = Site::new().await;
    let mut head = site.signed_in(Role::Head, 0).await;
    let page = begun(&mut head).await;
    let about = format!("{page}/about");
    let typed = [("systemName", "Hệ thống <i>mẫu</i>"), ("officerEmail", "không phải thư")];
    let done = save(&mut head, &about, &typed).await;
    assert_eq!(done.to(), format!("{about}?told=saved"));
    let shown = head.get(done.to()).await.body;
    assert!(shown.contains("Hệ thống &#60;i&#62;mẫu") && shown.contains("thư điện tử chưa đúng"));
    // D4: the sum is judged, and saved all the same.
    let services = format!("{page}/services");
    let typed = [("off-0-daily", "1.200"), ("off-0-purpose", "Trực"), ("p0-cases", "4")];
    let done = save(&mut head, &services, &typed).await;
    assert_eq!(done.to(), format!("{services}?told=saved"));
    assert!(head.get(done.to()).await.body.contains("vượt mức cho phép mỗi ngày"));
    let wrong = save(&mut head, &services, &[("off-0-daily", "nhiều")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("value=\"nhiều\""), "what was typed stays");
    // Somebody else was faster: nothing is lost, and sent again it is saved.
    let late = save(&mut head, &about, &[("scope", "Một xã"), ("revision", "0")]).await;
    assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(late.body.contains("vừa được người khác thay đổi") && late.body.contains("Một xã"));
    let again = [("scope", "Một xã"), ("revision", &late.hidden("revision"))];
    assert_eq!(save(&mut head, &about, &again).await.to(), format!("{about}?told=saved"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_a6_nobody_but_the_unit_sees_the_account_list() {
    let site = Site::new().await;
    let mut head = site.signed_in(Role::Head, 0).await;
    let page = begun(&mut head).await;
    let accounts = format!("{page}/accounts");
    let typed = [("login", "mau.quay1"), ("name", "Nguyễn Thị Quầy"), ("id", "099300000001")];
    assert_eq!(save(&mut head, &accounts, &typed).await.to(), format!("{accounts}?told=saved"));
    assert!(head.get(&accounts).await.body.contains("Nguyễn Thị Quầy"));
    let number = page.rsplit('/').next().unwrap();
    for role in [Role::DossierReviewer, Role::SecurityAssessor, Role::Operator, Role::Integrator] {
        let mut browser = site.signed_in(role, 0).await;
        let own = role == Role::Integrator;
        let from = if own { "/unit" } else { "/centre" };
        // A page that is not there would show nothing either.
        for (end, is_there) in [
            ("", true),
            ("/accounts", false),
            ("/commitment", false),
            ("/review", !own),
            ("/about", own),
            ("/security", own),
            ("/compare", true),
        ] {
            let shown = browser.get(&format!("{from}/dossiers/{number}{end}")).await;
            let wanted = if is_there { StatusCode::OK } else { StatusCode::NOT_FOUND };
            assert_eq!(shown.status, wanted, "{role:?} {end}");
            let named = ["Nguyễn Thị Quầy", "mau.quay1"];
            assert!(named.iter().all(|name| !shown.body.contains(name)), "{role:?} {end}");
        }
    }
    // A unit sees its own.
    let mut focal = site.signed_in(Role::FocalPoint, 0).await;
    let shown = focal.get(&format!("/centre/dossiers/{number}")).await;
    assert_eq!(shown.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b6_a_row_that_was_refused_is_not_another_one_afterwards() {
    let site = Site::new().await;
    let mut head = site.signed_in(Role::Head, 0).await;
    let accounts = format!("{}/accounts", begun(&mut head).await);
    for login in ["mau.quay1", "mau.quay2"] {
        let done = save(&mut head, &accounts, &[("login", login), ("name", "Người Mẫu")]).await;
        assert_eq!(done.to(), format!("{accounts}?told=saved"), "{}", done.body);
    }
    // Typed over a page of before: the list is shown as it is stored, the row stays in its form.
    let late = [("login", "mau.quay3"), ("name", "Người Ba"), ("revision", "0")];
    let late = save(&mut head, &accounts, &late).await;
    assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
    let button = |login: &str| format!("value=\"{login}\"");
    assert!(late.body.contains(&button("1 mau.quay2")) && late.body.contains("Người Ba"));
    assert!(!late.body.contains(&button("2 mau.quay3")), "it was not saved");
    let gone = save(&mut head, &accounts, &[("remove", "0 mau.quay9")]).await;
    assert_eq!(gone.status, StatusCode::UNPROCESSABLE_ENTITY, "no other row goes in its place");
    let done = save(&mut head, &accounts, &[("remove", "0 mau.quay2")]).await;
    assert_eq!(done.to(), format!("{accounts}?told=saved"), "by its login wherever it stands");
    let left = head.get(&accounts).await.body;
    assert!(left.contains("mau.quay1") && !left.contains("mau.quay2"));
    let half = save(&mut head, &accounts, &[("login", "mau.quay4"), ("daily", "1,5")]).await;
    assert_eq!(half.status, StatusCode::UNPROCESSABLE_ENTITY, "half a query is none");
    assert!(half.body.contains("value=\"1,5\""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_c1_enter_in_the_security_sheet_saves_it() {
    let site = Site::new().await;
    let mut head = site.signed_in(Role::Head, 0).await;
    let page = begun(&mut head).await;
    let sheet = head.get(&format!("{page}/security")).await.body;
    let form = sheet.split("<form").find(|form| form.contains("name=\"mfa\"")).unwrap();
    let first = form.split("<button").nth(1).unwrap();
    assert!(!first.split('>').next().unwrap().contains("detach"), "the first button saves");
    // C1: an integrator fills in technical items, and the file is one: it is read, not missing.
    let mut integrator = site.signed_in(Role::Integrator, 0).await;
    let sent = integrator.post(&format!("{page}/security/file"), &[("revision", "0")]).await;
    assert_eq!(sent.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", sent.body);
    let sent = integrator.post(&format!("{page}/accounts/file"), &[("revision", "0")]).await;
    assert_eq!(sent.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b3_a_comment_on_the_account_list_is_answered_and_no_account_goes() {
    let site = Site::new().await;
    let store = site.app.gate.store();
    let at = (&**store, site.app.clock.now());
    let (unit, centre) = (person(&site, Role::Head).await, person(&site, Role::Operator).await);
    crate::demo::dossiers::sent_back(at, (&unit, &centre)).await.unwrap();
    let mut head = site.signed_in(Role::Head, 0).await;
    let sheet = "/unit/dossiers/HS-00001/accounts";
    let shown = head.get(sheet).await.body;
    let form = shown.split("<form").find(|form| form.contains("name=\"answer-2\"")).unwrap();
    assert!(form.contains("<button") && !form.contains("name=\"remove\""), "a form of its own");
    // Not taken: what was typed stays.
    let late = [("answer-2", "Hai người trực thay phiên"), ("revision", "0")];
    let late = save(&mut head, sheet, &late).await;
    assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(late.body.contains("Hai người trực thay phiên</textarea>"), "{}", late.body);
    let done = save(&mut head, sheet, &[("answer-2", "Hai người trực thay phiên")]).await;
    assert_eq!(done.to(), format!("{sheet}?told=saved"));
    let shown = head.get(sheet).await.body;
    assert!(shown.contains("answer-to\">Hai người trực thay phiên"));
    assert!(["tralai.canbo1", "tralai.canbo2"].iter().all(|login| shown.contains(login)));
}

async fn person(site: &Site, role: Role) -> dancu_store::people::Person {
    let login = dancu_domain::ids::Login::parse(&super::site::login(role)).unwrap();
    site.app.gate.store().people().person_by_login(&login).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b3_a_report_that_no_trusted_sandbox_signed_is_refused_beside_its_field() {
    let site = Site::new().await;
    let mut head = site.signed_in(Role::Head, 0).await;
    let page = begun(&mut head).await;
    let shown = head.get(&page).await;
    let number = page.rsplit('/').next().unwrap().to_owned();
    let forged = "{\"run\":\"KT-1\"}\n\n\u{2014} dancu.sandbox/log AAAA\n";
    let (once, revision) = (shown.hidden("once"), shown.hidden("revision"));
    let fields = [("once", once.as_str()), ("revision", &revision), ("report", forged)];
    let refused = head.post(&format!("{page}/report"), &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("không có chữ ký đúng của môi trường thử"), "{}", refused.body);
    assert!(refused.body.contains("(B3)"));
    // The centre's own form asks for the same.
    let mut reviewer = site.signed_in(Role::DossierReviewer, 0).await;
    let fields = [("once", "1"), ("revision", revision.as_str()), ("act", "sandbox")];
    let fields = [&fields[..], &[("report", forged)]].concat();
    let refused = reviewer.post(&format!("/centre/dossiers/{number}/step"), &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);
    assert!(refused.body.contains("không có chữ ký đúng của môi trường thử"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_are_told_in_the_readers_language() {
    let site = Site::new().await;
    let mut browser = site.browser();
    let page = browser.get("/docs/changes").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("Thay đổi cho hệ thống kết nối"));
    assert!(page.body.contains("báo cáo đã ký của môi trường thử"));
    assert!(!page.body.contains("signed report"));
    browser.post("/preferences", &[("lang", "en"), ("theme", "light")]).await;
    let page = browser.get("/docs/changes").await.body;
    assert!(page.contains("Changes for integrators") && page.contains("signed report"));
}
