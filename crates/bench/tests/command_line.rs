//! The tools as they are started, against a stand-in that answers as the program would.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};

/// What the stand-in has seen.
#[derive(Default)]
struct Seen {
    request_ids: HashSet<String>,
    stamps: HashSet<(String, String)>,
    doubled: bool,
}

#[test]
fn verify_prints_the_ratio_last() {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let folder = stand_in("ratio", "match", seen.clone());
    let output = verify(&folder);
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    let ratio = text.lines().last().unwrap().strip_prefix("ratio REST CPU governed/empty: ");
    assert!(ratio.unwrap().parse::<f64>().unwrap() > 0.0, "{text}");
    assert_eq!(text.matches("| REST |").count(), 4, "{text}");
    assert_eq!(text.matches("| SOAP |").count(), 4, "{text}");
    let figures = std::fs::read(folder.join("figures.json")).unwrap();
    let figures: serde_json::Value = serde_json::from_slice(&figures).unwrap();
    assert_eq!(figures["protocols"][1]["open"]["rate"], 500);
    let seen = seen.lock().unwrap();
    assert!(!seen.doubled, "a request id or a stamp was used twice");
    assert!(seen.request_ids.len() > 1000 && seen.stamps.len() > 500);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_wrong_answer_is_a_failure() {
    let folder = stand_in("wrong", "noMatch", Arc::default());
    let output = verify(&folder);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("noMatch"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_load_comes_from_a_file_and_stays_here() {
    let folder = stand_in("file", "match", Arc::default());
    let requests = folder.join("requests");
    let line = r#"{"method": "GET", "path": "/readyz"}"#;
    std::fs::write(&requests, format!("{line}\n\n{line}\n")).unwrap();
    let demo = std::fs::read_to_string(folder.join("demo.json")).unwrap();
    let demo: serde_json::Value = serde_json::from_str(&demo).unwrap();
    let load = |url: &str| {
        bench()
            .args(["load", "--url", url, "--requests", requests.to_str().unwrap()])
            .args(["--rate", "300", "--arrivals", "even", "--seconds", "1"])
            .output()
            .unwrap()
    };
    let output = load(demo["baseUrl"].as_str().unwrap());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(text.contains("requests      300 "), "{text}");
    assert_eq!(load("http://192.0.2.1:80").status.code(), Some(1));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn bad_use_is_told_apart() {
    assert_eq!(bench().arg("verify").output().unwrap().status.code(), Some(2));
}

fn bench() -> Command {
    Command::new(env!("CARGO_BIN_EXE_dancu-bench"))
}

fn verify(folder: &Path) -> Output {
    bench()
        .arg("verify")
        .arg("--demo-json")
        .arg(folder.join("demo.json"))
        .arg("--json")
        .arg(folder.join("figures.json"))
        .args(["--server-pid", &std::process::id().to_string(), "--connections", "4"])
        .args(["--seconds", "1", "--rounds", "1", "--rate", "500", "--open-seconds", "1"])
        .args(["--disk-samples", "20"])
        .output()
        .unwrap()
}

/// Serves on a free port for as long as the test lives; gives a folder with its demo.json.
fn stand_in(name: &str, result: &'static str, seen: Arc<Mutex<Seen>>) -> PathBuf {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    listener.set_nonblocking(true).unwrap();
    let router = Router::new()
        .route("/readyz", get(|| async { "ready" }))
        .route("/oauth/token", post(token))
        .route(
            "/api/v1/citizens/verify",
            post({
                let seen = seen.clone();
                async move |headers: HeaderMap, body: String| rest(result, &seen, &headers, &body)
            }),
        )
        .route(
            "/soap/dancu",
            post(async move |headers: HeaderMap, body: String| soap(&seen, &headers, &body)),
        );
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
    });
    let folder = std::env::temp_dir().join(format!("dancu-bench-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let demo = include_str!("demo.json").replace("http://127.0.0.1:8080", &url);
    std::fs::write(folder.join("demo.json"), demo).unwrap();
    folder
}

async fn token(headers: HeaderMap, body: String) -> (StatusCode, &'static str) {
    let basic = "Basic YmlnOmZlZGNiYTk4NzY1NDMyMTBmZWRjYmE5ODc2NTQzMjEw";
    if headers["authorization"] == basic && body == "grant_type=client_credentials" {
        (StatusCode::OK, r#"{"access_token":"t0ken","token_type":"Bearer","expires_in":900}"#)
    } else {
        (StatusCode::UNAUTHORIZED, "")
    }
}

fn rest(result: &str, seen: &Mutex<Seen>, headers: &HeaderMap, body: &str) -> String {
    assert_eq!(headers["authorization"], "Bearer t0ken");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(
        (&body["account"], &body["procedureCode"]),
        (&"big.plan".into(), &"1.004194".into())
    );
    let id = body["requestId"].as_str().unwrap();
    let mut seen = seen.lock().unwrap();
    seen.doubled |= !seen.request_ids.insert(id.to_owned());
    format!(r#"{{"requestId":"{id}","result":"{result}","journal":{{"index":1}}}}"#)
}

fn soap(seen: &Mutex<Seen>, headers: &HeaderMap, body: &str) -> String {
    let (_, rest) = body.split_once("<dc:MaYeuCau>").unwrap();
    let (id, _) = rest.split_once("</").unwrap();
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    let mut seen = seen.lock().unwrap();
    seen.doubled |= !seen.request_ids.insert(id.to_owned());
    seen.doubled |= !seen.stamps.insert((text("timestamp"), text("authorization")));
    "<ns1:TonTai>true</ns1:TonTai>".to_owned()
}
