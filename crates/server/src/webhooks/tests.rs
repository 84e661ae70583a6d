//! Signatures against the specification's own example, and to where is connected.

use std::net::{IpAddr, Ipv4Addr};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

fn sender(policy: Policy) -> Sender {
    Sender { policy, trust: Trust::open(None).unwrap(), wait: Duration::from_secs(5) }
}

fn sandbox() -> Sender {
    sender(Policy { own_machine: true, networks: vec![] })
}

fn message() -> Message {
    let secret = Secret([7; 32]);
    Message::signed("msg_1".into(), 1_614_265_330, "{}".into(), &[&secret])
}

/// Answers one request with these bytes; what was asked.
async fn receiver(answer: Vec<u8>) -> (u16, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (mut read, mut all) = (vec![0; 4_096], vec![]);
        while !all.ends_with(b"{}") {
            let n = stream.read(&mut read).await.unwrap();
            all.extend_from_slice(&read[..n]);
        }
        let _ = stream.write_all(&answer).await;
        String::from_utf8_lossy(&all).into_owned()
    });
    (port, asked)
}

#[test]
fn signatures_are_those_of_the_specification() {
    // The example that the libraries of Standard Webhooks are tested with.
    let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let content = "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}";
    assert_eq!(signature(&key, content), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    let (new, old) = (Secret([1; 32]), Secret([2; 32]));
    let both = Message::signed("m".into(), 1, "{}".into(), &[&new, &old]).signatures;
    let of = |secret: &Secret| signature(&secret.0, "m.1.{}");
    assert_eq!(both, format!("{} {}", of(&new), of(&old)));
    let text = secret_text(&new);
    assert_eq!(text, format!("whsec_{}", STANDARD.encode([1; 32])));
}

#[tokio::test]
async fn a_request_goes_out_with_its_headers_and_its_status_counts() {
    for (answer, status) in [
        ("HTTP/1.1 204 No Content\r\n\r\n".to_owned(), 204),
        ("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n".to_owned(), 500),
        // Not followed, and more than is read is left.
        ("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n".to_owned(), 302),
        (format!("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{}", "x".repeat(9_999)), 200),
        // The answer breaks off behind its head: the receiver has it all the same.
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx".to_owned(), 200),
    ] {
        let (port, asked) = receiver(answer.into_bytes()).await;
        let to = format!("http://localhost:{port}/hook?a=1");
        assert_eq!(sandbox().send(&to, message()).await, Outcome::Status(status));
        let asked = asked.await.unwrap();
        assert!(asked.starts_with("POST /hook?a=1 HTTP/1.1\r\n"), "{asked}");
        let signatures = message().signatures;
        for header in [
            &format!("host: localhost:{port}"),
            "content-type: application/json",
            "webhook-id: msg_1",
            "webhook-timestamp: 1614265330",
            &format!("webhook-signature: {signatures}"),
        ] {
            assert!(asked.contains(&format!("\r\n{header}\r\n")), "{header}: {asked}");
        }
    }
}

#[tokio::test]
async fn what_gives_no_answer_is_told_by_its_cause() {
    let failed = |cause| Outcome::Failed(cause);
    let (port, _asked) = receiver(b"\0\0\0\0".to_vec()).await;
    let to = format!("http://127.0.0.1:{port}/");
    assert_eq!(sandbox().send(&to, message()).await, failed(Cause::Broken));
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let to = format!("http://127.0.0.1:{free}/");
    assert_eq!(sandbox().send(&to, message()).await, failed(Cause::Connection));
    let nowhere = "https://khong-co.invalid/";
    assert_eq!(sandbox().send(nowhere, message()).await, failed(Cause::Name));
    // It takes the connection and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = format!("http://{}/", listener.local_addr().unwrap());
    let slow = Sender { wait: Duration::from_millis(50), ..sandbox() };
    assert_eq!(slow.send(&to, message()).await, failed(Cause::Slow));
    // TLS to one that speaks none.
    let (port, _asked) = receiver(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()).await;
    let to = format!("https://127.0.0.1:{port}/");
    let quick = Sender { wait: Duration::from_millis(500), ..sandbox() };
    let silent = quick.send(&to, message()).await;
    assert!(silent == failed(Cause::Tls) || silent == failed(Cause::Slow), "{silent:?}");
}

/// C5: a name that leads inside is not connected to, whatever it is called.
#[tokio::test]
async fn rule_c5_a_name_that_leads_inside_is_not_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // As a name of the outside that a resolver answers with an address of this machine.
    let inside = |secure| Address {
        secure,
        host: "localhost".into(),
        port,
        authority: format!("localhost:{port}"),
        path: "/".into(),
    };
    let centre = sender(Policy::default());
    assert_eq!(centre.connect(&inside(true)).await.err(), Some(Cause::Network));
    let text = format!("https://localhost:{port}/");
    assert_eq!(centre.send(&text, message()).await, Outcome::Failed(Cause::Network));
    let accepted = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(accepted.is_err(), "nobody was connected to");
    // Without TLS only to this machine, also where a network is open.
    let own = IpAddr::V4(Ipv4Addr::LOCALHOST).to_string();
    let open = Policy { networks: vec![own.parse().unwrap()], own_machine: false };
    assert!(sender(open).connect(&inside(true)).await.is_ok());
    assert!(sandbox().connect(&inside(false)).await.is_ok());
}
