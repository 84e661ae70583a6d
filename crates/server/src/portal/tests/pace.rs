//! What is read from whom, and how fast one sends (C5b).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use dancu_domain::people::PersonId;
use dancu_domain::people::roles::Role;
use futures_util::stream;
use serde_json::{Value, json};

use super::site::{Answer, Browser, Site};

const IMPORT: &str = "/unit/officers/import";
/// More than anybody sends within the time of a test without being asked for a proof.
const MANY: usize = 400;

/// Sends a file of a mebibyte; how much of it was read.
async fn upload(browser: &mut Browser) -> (Answer, usize) {
    let read = Arc::new(AtomicUsize::new(0));
    let counted = read.clone();
    let pieces = (0..64).map(move |_| {
        let piece = Bytes::from(vec![b'a'; 16 * 1024]);
        counted.fetch_add(piece.len(), Ordering::Relaxed);
        Ok::<_, std::io::Error>(piece)
    });
    let request = Request::post(IMPORT)
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b")
        .body(Body::from_stream(stream::iter(pieces)))
        .unwrap();
    let answer = browser.send(request).await;
    (answer, read.load(Ordering::Relaxed))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_read_from_who_may_not_send_it() {
    let site = Site::new().await;
    let mut nobody = site.browser();
    nobody.get("/sign-in").await;
    let (answer, read) = upload(&mut nobody).await;
    assert_eq!((answer.status, read), (StatusCode::SEE_OTHER, 0));
    assert!(answer.to().starts_with("/sign-in"));
    let mut officer = site.signed_in(Role::Officer, 0).await;
    let (answer, read) = upload(&mut officer).await;
    assert_eq!((answer.status, read), (StatusCode::FORBIDDEN, 0));
    assert!(answer.body.contains("Vai trò của tài khoản không có quyền"), "{}", answer.body);
    let mut head = site.signed_in(Role::Head, 0).await;
    let (answer, read) = upload(&mut head).await;
    assert!(answer.status.is_client_error() && read > 0, "{read}");
    head.get("/account/factors").await;
    head.post("/lock", &[]).await;
    let (answer, read) = upload(&mut head).await;
    assert_eq!((answer.status, read), (StatusCode::LOCKED, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_read_a_few_at_a_time() {
    let site = Site::new().await;
    let mut head = site.signed_in(Role::Head, 0).await;
    let places = &site.app.portal.as_ref().unwrap().uploads;
    let all =
        |first: u32| -> Vec<_> { (first..).map_while(|n| places.take(PersonId(n)).ok()).collect() };
    let taken = all(1_000_000);
    assert!(taken.len() > 1);
    let (answer, read) = upload(&mut head).await;
    assert_eq!((answer.status, read), (StatusCode::SERVICE_UNAVAILABLE, 0));
    assert!(answer.header("retry-after").parse::<u32>().unwrap() >= 1);
    assert_eq!(head.get(IMPORT).await.status, StatusCode::OK, "nothing else waits");
    let many = taken.len();
    drop(taken);
    let (answer, read) = upload(&mut head).await;
    assert!(answer.status.is_client_error() && read > 0);
    assert_eq!(all(1_000_000).len(), many, "given back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_person_sends_one_file_at_a_time() {
    let site = Site::new().await;
    let mut head = site.signed_in(Role::Head, 0).await;
    let mut beside = head.clone();
    let (sender, receiver) = tokio::sync::mpsc::channel::<std::io::Result<Bytes>>(1);
    let pieces = stream::unfold(receiver, |mut r| async { r.recv().await.map(|p| (p, r)) });
    let slow = Request::post(IMPORT)
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b")
        .body(Body::from_stream(pieces))
        .unwrap();
    let slow = tokio::spawn(async move { head.send(slow).await });
    sender.send(Ok(Bytes::from_static(b"--b"))).await.unwrap();
    sender.send(Ok(Bytes::from_static(b"\r\n"))).await.unwrap();
    // The first piece was taken: the place is held.
    let (answer, read) = upload(&mut beside).await;
    assert_eq!((answer.status, read), (StatusCode::SERVICE_UNAVAILABLE, 0));
    drop(sender);
    assert!(slow.await.unwrap().status.is_client_error());
    let (answer, read) = upload(&mut beside).await;
    assert!(answer.status.is_client_error() && read > 0);
}

/// E3: what was allowed when a body began is not when it ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e3_who_leaves_while_a_form_comes_slowly_does_nothing_more() {
    let site = Site::new().await;
    let mut officer = site.signed_in(Role::Officer, 0).await;
    officer.get("/account/sessions").await;
    let (mut beside, csrf) = (officer.clone(), officer.csrf.clone());
    let (sender, receiver) = tokio::sync::mpsc::channel::<std::io::Result<Bytes>>(1);
    let pieces = stream::unfold(receiver, |mut r| async { r.recv().await.map(|p| (p, r)) });
    let slow = Request::post("/account/sessions/end")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from_stream(pieces))
        .unwrap();
    let slow = tokio::spawn(async move { officer.send(slow).await });
    sender.send(Ok(Bytes::from(format!("csrf={csrf}&")))).await.unwrap();
    sender.send(Ok(Bytes::from_static(b"session=x&"))).await.unwrap();
    assert_eq!(beside.post("/sign-out", &[]).await.status, StatusCode::SEE_OTHER);
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    drop(sender);
    let answer = slow.await.unwrap();
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(answer.to().starts_with("/sign-in"), "{}", answer.to());
}

/// Solves the task of a page as its script does.
fn solved(page: &Answer) -> String {
    let task = page.body.split("data-captcha=\"").nth(1).unwrap().split('"').next().unwrap();
    let task: Value = serde_json::from_str(&task.replace("&#34;", "\"")).unwrap();
    let salt = task["salt"].as_str().unwrap();
    let hash = |n: &u64| hex::encode(digest(&SHA256, format!("{salt}{n}").as_bytes()));
    let most = task["maxnumber"].as_u64().unwrap();
    let number = (0..=most).find(|n| task["challenge"] == json!(hash(n))).unwrap();
    let proof = json!({
        "algorithm": "SHA-256",
        "challenge": task["challenge"],
        "number": number,
        "salt": salt,
        "signature": task["signature"],
    });
    STANDARD.encode(proof.to_string())
}

/// Sends again and again until the page asks for a proof: one goes through each second.
async fn asked(browser: &mut Browser, path: &str, fields: Option<&[(&str, &str)]>) -> Answer {
    for _ in 0..MANY {
        let page = match fields {
            Some(fields) => browser.post(path, fields).await,
            None => browser.get(path).await,
        };
        if page.body.contains("action=\"/pace\"") {
            return page;
        }
    }
    panic!("no proof was asked for");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_c5_who_sends_much_proves_it_and_goes_on() {
    let site = Site::new().await;
    let mut browser = site.signed_in(Role::Officer, 0).await;
    let mut other = site.signed_in(Role::Head, 0).await;
    let page = asked(&mut browser, "/account/sessions", None).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(page.header("retry-after").parse::<u32>().unwrap() >= 1);
    assert_eq!(other.get("/account/sessions").await.status, StatusCode::OK, "not the address");
    // A part of a page is answered by the whole one.
    browser.headers.push(("hx-request", "true".into()));
    let part = asked(&mut browser, "/account/sessions", None).await;
    assert_eq!((part.header("hx-retarget"), part.header("hx-reselect")), ("body", "unset"));
    browser.headers.clear();
    // What was sent is kept, sealed, and goes on once the proof is there.
    let fields = [("session", "<b>abc"), ("password", "bí mật")];
    let page = asked(&mut browser, "/account/sessions/end", Some(&fields)).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(!page.body.contains("abc") && !page.body.contains("bí mật"));
    let (kept, proof) = (page.hidden("kept"), solved(&page));
    for wrong in ["", "e30="] {
        let again = browser.post("/pace", &[("kept", &kept), ("altcha", wrong)]).await;
        assert_eq!(again.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(again.hidden("kept"), kept);
    }
    let go_on = browser.post("/pace", &[("kept", &kept), ("altcha", &proof)]).await;
    assert_eq!(go_on.status, StatusCode::OK, "{}", go_on.body);
    assert!(go_on.body.contains("action=\"/account/sessions/end\""), "{}", go_on.body);
    assert_eq!(go_on.hidden("session"), "&#60;b&#62;abc");
    assert!(go_on.body.contains("data-send-now") && !go_on.body.contains("bí mật"));
    assert_eq!(browser.get("/account/sessions").await.status, StatusCode::OK);
    let again = browser.post("/pace", &[("kept", &kept), ("altcha", &proof)]).await;
    assert_eq!(again.status, StatusCode::TOO_MANY_REQUESTS, "a proof works once");
    // The page that asks tells nothing on a locked screen, and nobody is kept from leaving.
    browser.post("/lock", &[]).await;
    let fields = [("kept", kept.as_str()), ("altcha", &solved(&again))];
    let locked = browser.post("/pace", &fields).await;
    assert_eq!(locked.status, StatusCode::LOCKED);
    assert!(!locked.body.contains("abc"));
    assert_eq!(browser.post("/sign-out", &[]).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_c5_an_account_has_a_limit_that_no_proof_lifts() {
    let site = Site::new().await;
    let mut browser = site.signed_in(Role::Officer, 0).await;
    let mut other = site.signed_in(Role::Head, 0).await;
    let (mut went, mut refused) = (0, None);
    for _ in 0..2 * MANY {
        let answer = browser.post("/preferences", &[("lang", "vi")]).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            refused = Some(answer);
            break;
        }
        went += 1;
    }
    assert!(went > 300, "{went}");
    let page = refused.unwrap();
    assert!(page.header("retry-after").parse::<u32>().unwrap() >= 1);
    assert!(page.body.contains("Quá nhiều lần trong thời gian ngắn"), "{}", page.body);
    assert!(!page.body.contains("action=\"/pace\""));
    assert_eq!(other.post("/preferences", &[("lang", "vi")]).await.status, StatusCode::SEE_OTHER);
}
