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
        let from = if role == Role::Integrator { "/unit" } else { "/centre" };
        for end in ["", "/accounts", "/review", "/compare", "/about"] {
            let shown = browser.get(&format!("{from}/dossiers/{number}{end}")).await.body;
            assert!(!shown.contains("Nguyễn Thị Quầy") && !shown.contains("mau.quay1"), "{role:?}");
        }
    }
    // A unit sees its own.
    let mut focal = site.signed_in(Role::FocalPoint, 0).await;
    let shown = focal.get(&format!("/centre/dossiers/{number}")).await;
    assert_eq!(shown.status, StatusCode::FORBIDDEN);
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
