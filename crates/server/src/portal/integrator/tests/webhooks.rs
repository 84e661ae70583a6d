//! Where a system is told of events, over its routes.

use super::*;

const AT: &str = "/integrator/MAU/webhooks";
const ADDRESS: &str = "https://webhook.coquan.example.vn/duong-dan-rieng";

async fn add(browser: &mut Browser, address: &str, once: &str) -> Answer {
    let fields = [("address", address), ("kind", "line.locked"), ("once", once)];
    browser.post(AT, &fields).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_registered_and_its_secret_shown_once() {
    let site = site().await;
    let mut browser = site.signed_in(Role::Integrator, 0).await;
    let page = browser.get(AT).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert!(page.body.contains("value=\"announcement.published\" checked"));
    for (place, wrong, told) in [
        (0, "http://169.254.169.254/latest", "bắt đầu bằng https://"),
        (1, "ftp://x.vn/", "bắt đầu bằng https://"),
        (2, "https://user:pw@x.vn/", "tên hoặc mật khẩu"),
        (3, "https://10.0.0.1/", "mạng nội bộ"),
        (4, "https://localhost/", "mạng nội bộ"),
    ] {
        let refused = add(&mut browser, wrong, &place.to_string()).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
        assert!(refused.body.contains(told), "{wrong}: {}", refused.body);
    }
    let none = [("address", ADDRESS), ("once", "none")];
    assert!(browser.post(AT, &none).await.body.contains("ít nhất một loại"));
    let made = add(&mut browser, ADDRESS, "5").await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    let secret = after(&made, "id=\"secret\" translate=\"no\">").to_owned();
    let bytes = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    assert_eq!(bytes.len(), 32);
    // Two clicks are one address, and nobody sees the secret again.
    let again = add(&mut browser, ADDRESS, "5").await;
    assert_eq!(
        (again.status, again.to()),
        (StatusCode::SEE_OTHER, "/integrator/MAU/webhooks?told=made")
    );
    let here = format!("{AT}/1");
    for path in [AT, &here] {
        let page = browser.get(path).await;
        assert!(page.body.contains(ADDRESS) && !page.body.contains(&secret), "{path}");
    }
    site.app
        .gate
        .store()
        .scan_entries(0, |entry| {
            let text = format!("{entry:?}");
            assert!(!text.contains(&secret) && !text.contains("duong-dan-rieng"), "{text}");
            Ok(true)
        })
        .unwrap();
    let act = async |browser: &mut Browser, fields: &[(&str, &str)]| {
        browser.post(&here, fields).await.to().to_owned()
    };
    assert_eq!(act(&mut browser, &[("act", "test")]).await, format!("{here}?told=tested"));
    let page = browser.get(&here).await;
    assert!(page.body.contains("Sự kiện thử") && page.body.contains("Chờ gửi"), "{}", page.body);
    assert_eq!(act(&mut browser, &[("act", "pause")]).await, format!("{here}?told=paused"));
    assert_eq!(act(&mut browser, &[("act", "resume")]).await, format!("{here}?told=resumed"));
    let renewed = browser.post(&here, &[("act", "secret"), ("once", "6")]).await;
    assert_ne!(after(&renewed, "id=\"secret\" translate=\"no\">"), secret);
    assert!(renewed.body.contains("Khóa ký cũ còn dùng được đến"));
    let unsure = browser.post(&here, &[("act", "remove")]).await;
    assert_eq!(unsure.status, StatusCode::UNPROCESSABLE_ENTITY);
    let gone = [("act", "remove"), ("sure", "yes")];
    assert_eq!(act(&mut browser, &gone).await, format!("{AT}?told=removed"));
    assert_eq!(browser.get(&here).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_of_other_systems_are_not_there_and_the_head_sees_hosts_alone() {
    let site = site().await;
    let mut browser = site.signed_in(Role::Integrator, 0).await;
    browser.get(AT).await;
    assert_eq!(add(&mut browser, ADDRESS, "1").await.status, StatusCode::OK);
    assert_eq!(browser.get("/integrator/KHAC/webhooks").await.status, StatusCode::NOT_FOUND);
    let fields = [("address", ADDRESS), ("kind", "line.locked"), ("once", "2")];
    let foreign = browser.post("/integrator/KHAC/webhooks", &fields).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    for none in ["2", "0", "x", "-1"] {
        assert_eq!(browser.get(&format!("{AT}/{none}")).await.status, StatusCode::NOT_FOUND);
    }
    // The operator sees both systems; an address is found under its own system alone.
    let mut operator = site.signed_in(Role::Operator, 0).await;
    assert_eq!(operator.get("/integrator/KHAC/webhooks/1").await.status, StatusCode::NOT_FOUND);
    for mut other in [operator, site.signed_in(Role::Head, 0).await] {
        for path in [AT.to_owned(), format!("{AT}/1")] {
            let page = other.get(&path).await;
            assert_eq!(page.status, StatusCode::OK, "{}", page.body);
            assert!(page.body.contains("webhook.coquan.example.vn"), "{path}");
            assert!(!page.body.contains("duong-dan-rieng") && !page.body.contains("name=\"act\""));
        }
        let refused = other.post(&format!("{AT}/1"), &[("act", "remove"), ("sure", "yes")]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
    }
}
