//! What happens without a provider that answers; the way with one: `tests/clients/oidc`.

use axum::http::StatusCode;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::super::tests::site::{Browser, Site};
use crate::config::identity::IdentityConfig;

/// What a provider says of itself, with its tokens and keys at some address.
pub fn document(issuer: &str, address: &str) -> String {
    let text = json!({
        "issuer": issuer,
        "authorization_endpoint": issuer,
        "token_endpoint": address,
        "jwks_uri": address,
        "response_types_supported": ["code"],
        "token_endpoint_auth_methods_supported": ["none"],
    });
    text.to_string()
}

/// Answers requests with a status and a body, told the own address and the request; where.
pub async fn answering(
    answer: impl Fn(&str, &str) -> (&'static str, String) + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let own = address.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut read = vec![0; 4_096];
            let n = stream.read(&mut read).await.unwrap_or(0);
            let (status, body) = answer(&own, &String::from_utf8_lossy(&read[..n]));
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
        }
    });
    address
}

/// A provider on a port of this machine where nobody listens.
async fn silent() -> IdentityConfig {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    at(format!("http://{}", listener.local_addr().unwrap()))
}

fn at(issuer: String) -> IdentityConfig {
    IdentityConfig {
        issuer: Some(issuer),
        client_id: Some("dancu".into()),
        name: "Định Danh Mẫu".into(),
        levels: vec!["1".into(), "2".into()],
        strong_level: Some("2".into()),
        citizens: true,
        staff: true,
        ..IdentityConfig::default()
    }
}

async fn browser(config: &IdentityConfig) -> (Site, Browser) {
    let site = Site::with_identity(config).await;
    let mut browser = site.browser();
    browser.get("/sign-in").await;
    (site, browser)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_provider_there_is_no_button_and_no_way() {
    let (_site, mut browser) = browser(&IdentityConfig::default()).await;
    assert!(!browser.get("/sign-in").await.body.contains("/sign-in/oidc"));
    for path in ["/sign-in/oidc?as=officer", "/sign-in/oidc/callback", "/sign-in/oidc/out"] {
        assert_eq!(browser.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_does_not_answer_is_told_and_the_password_stays() {
    let (_site, mut browser) = browser(&silent().await).await;
    let page = browser.get("/sign-in?next=/counter").await;
    assert!(page.body.contains("Cán bộ: đăng nhập bằng Định Danh Mẫu"));
    assert!(page.body.contains("/sign-in/oidc?as=citizen&#38;next=/counter"), "{}", page.body);
    assert!(!page.body.contains("/sign-in/oidc/out"));
    let left = browser.get("/sign-in?why=SignedOut").await;
    assert!(left.body.contains("/sign-in/oidc/out"), "a shared computer");
    let answer = browser.get("/sign-in/oidc?as=officer&next=/counter").await;
    assert_eq!(answer.to(), "/sign-in?why=IdentityUnavailable&next=/counter");
    let page = browser.get(answer.to()).await;
    assert!(page.body.contains("Nơi định danh điện tử hiện không trả lời."));
    assert!(page.body.contains("name=\"password\""));
    assert_eq!(browser.get("/sign-in/oidc/out").await.to(), "/sign-in");
    for odd in ["/sign-in/oidc", "/sign-in/oidc?as=operator", "/sign-in/oidc?as=%FF"] {
        assert_eq!(browser.get(odd).await.to(), "/sign-in", "{odd}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_whom_the_centre_lets_may_go_there() {
    let config = IdentityConfig { citizens: false, ..silent().await };
    let (_site, mut browser) = browser(&config).await;
    assert!(!browser.get("/sign-in").await.body.contains("as=citizen"));
    assert_eq!(browser.get("/sign-in/oidc?as=citizen").await.to(), "/sign-in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_nobody_asked_for_is_refused() {
    let (_site, mut browser) = browser(&silent().await).await;
    let long = format!("/sign-in/oidc/callback?state={}", "A".repeat(8_000));
    for answer in [
        "/sign-in/oidc/callback",
        "/sign-in/oidc/callback?code=x",
        "/sign-in/oidc/callback?state=x&code=x&iss=http://evil",
        "/sign-in/oidc/callback?error=access_denied&state=%00",
        "/sign-in/oidc/callback?state=%FF%FE",
        &long,
    ] {
        assert_eq!(browser.get(answer).await.to(), "/sign-in?why=SignInExpired", "{answer}");
    }
    let twice = browser.get("/sign-in/oidc/callback?state=x&state=y").await;
    assert_eq!(twice.to(), "/sign-in?why=IdentityFailed");
    let post = browser.post("/sign-in/oidc/callback", &[("state", "x")]).await;
    assert_eq!(post.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_whose_code_is_not_taken_is_tried_twice() {
    let issuer = answering(|own, request| {
        if request.starts_with("POST ") {
            ("400 Bad Request", r#"{"error":"invalid_grant"}"#.into())
        } else {
            ("200 OK", document(own, own))
        }
    });
    let (_site, mut browser) = browser(&at(issuer.await)).await;
    let [failed, expired] = ["/sign-in?why=IdentityFailed", "/sign-in?why=SignInExpired"];
    for _ in 0..2 {
        let begun = browser.get("/sign-in/oidc?as=officer").await;
        let state = begun.to().split("state=").nth(1).unwrap().split('&').next().unwrap();
        let way = format!("/sign-in/oidc/callback?state={state}&code=");
        // Without a code nobody is asked, and nothing is used up.
        assert_eq!(browser.get(&way).await.to(), failed);
        for told in [failed, failed, expired, expired] {
            assert_eq!(browser.get(&format!("{way}x")).await.to(), told);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_goes_there_all_the_time_waits() {
    let (_site, mut browser) = browser(&silent().await).await;
    let mut waits = 0;
    for _ in 0..3_000 {
        let answer = browser.get("/sign-in/oidc/callback").await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            assert!(answer.header("retry-after").parse::<u32>().unwrap() >= 1);
            waits += 1;
        }
    }
    assert!(waits > 0);
}
