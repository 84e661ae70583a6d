use std::path::PathBuf;

use super::*;

fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("dancu-control-{name}-{}", std::process::id()));
    fs::create_dir_all(&path).unwrap();
    path
}

#[test]
fn nobody_serves_a_folder_without_a_living_socket() {
    let dir = folder("nobody");
    assert_eq!(call(&dir, "GET", "/keys", None).unwrap(), None);
    // What a killed process leaves behind: a socket that nobody listens on.
    drop(std::os::unix::net::UnixListener::bind(dir.join(SOCKET)).unwrap());
    assert_eq!(call(&dir, "GET", "/keys", None).unwrap(), None);
    fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn an_answer_is_whole_or_refused() {
    let parse = client::parse;
    let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nX: y\r\n\r\n{\"a\": 1}\n";
    let answer = parse(whole).unwrap();
    assert_eq!((answer.status, answer.body["a"].as_i64()), (200, Some(1)));
    assert!(parse(&whole[..whole.len() - 2]).is_err(), "cut in its body");
    assert!(parse(b"HTTP/1.1 200 OK\r\nContent-").is_err(), "cut in its head");
    let no = parse(b"HTTP/1.1 409 Conflict\r\n\r\n{\"error\":\"why\"}").unwrap();
    assert_eq!(no.into_body().unwrap_err().to_string(), "why");
    assert!(
        parse(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").unwrap().into_body().is_err()
    );
}

#[test]
fn a_long_folder_has_an_address_too() {
    let dir = folder("long").join("x".repeat(120));
    fs::create_dir_all(&dir).unwrap();
    let (open, address) = address(&dir, SOCKET).unwrap();
    let _listener = std::os::unix::net::UnixListener::bind(address).unwrap();
    assert!(open.is_some() && dir.join(SOCKET).exists());
    fs::remove_dir_all(dir.parent().unwrap()).unwrap();
}
