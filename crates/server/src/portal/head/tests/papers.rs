//! Papers of the unit (B2): who gets which, and that nobody gets another unit's.

use axum::http::StatusCode;
use dancu_domain::people::roles::Role;

use super::site;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b2_papers_are_of_the_own_unit_and_a6_lists_for_its_head() {
    let site = site().await;
    let mut head = site.signed_in(Role::Head, 0).await;
    let page = head.get("/unit/papers").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    for paper in ["registration.pdf?system=1", "accounts.pdf?system=1", "organisation.pdf"] {
        assert!(page.body.contains(&format!("/unit/papers/{paper}")), "{paper}");
    }
    for (path, name) in [
        ("/unit/papers/registration.pdf?system=1", "phieu-dang-ky-dich-vu-HT1-"),
        ("/unit/papers/accounts.pdf", "danh-sach-tai-khoan-HT1-"),
        ("/unit/papers/organisation.pdf", "cam-ket-to-chuc-"),
        ("/unit/papers/individual.pdf?system=1&part=0", "cam-ket-ca-nhan-HT1-"),
        ("/unit/papers/individual.pdf?account=1", "cam-ket-ca-nhan-HT1-"),
    ] {
        let file = head.get(path).await;
        assert_eq!(file.status, StatusCode::OK, "{path}: {}", file.body);
        assert_eq!(file.header("content-type"), "application/pdf", "{path}");
        assert!(file.header("content-disposition").contains(name), "{path}");
        assert!(file.header("cache-control").contains("no-store"), "{path}");
    }
    let sheet = head.get("/unit/papers/registration.xlsx?system=1").await;
    assert!(sheet.header("content-disposition").contains(".xlsx"), "{:?}", sheet.headers);
    // The list in the layout of either form, each as its own file.
    for (edition, name) in [("2025", "HT1-2025-"), ("2021", "HT1-2021-"), ("", "HT1-2026-")] {
        let href = format!("/unit/officers.xlsx?system=1&edition={edition}");
        let offered = page.body.contains(&format!("{}\"", href.replace('&', "&#38;")));
        assert_eq!(offered, !edition.is_empty(), "{href}: {}", page.body);
        let sheet = head.get(&href).await;
        let sent = sheet.header("content-disposition");
        assert!(sent.contains(&format!("danh-sach-tai-khoan-{name}")), "{sent}");
    }
    for path in [
        "/unit/officers.xlsx?system=1&edition=2019",
        "/unit/papers/registration.xlsx?system=2",
        "/unit/papers/registration.pdf?system=2",
        "/unit/papers/accounts.pdf?system=2",
        "/unit/papers/individual.pdf?system=2",
        "/unit/papers/individual.pdf?account=2",
        "/unit/papers/individual.pdf?account=x",
        "/unit/papers/individual.pdf?system=1&part=1",
    ] {
        assert_eq!(head.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    // Who builds the unit's software sees the dossier, and no list of officers.
    let mut builder = site.signed_in(Role::Integrator, 0).await;
    let page = builder.get("/unit/papers").await;
    assert!(page.body.contains("registration.pdf") && !page.body.contains("accounts.pdf"));
    let list = builder.get("/unit/papers/accounts.pdf?system=1").await;
    assert_eq!(list.status, StatusCode::FORBIDDEN);
}
