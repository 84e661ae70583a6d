//! Whose fault it is that nobody signs in, what goes on meanwhile, and who may try how often.

use std::task::{Context, Waker};

use dancu_domain::people::reasons::PortalReason;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::super::told;
use super::*;

/// Nobody listens there.
const NOBODY: &str = "http://127.0.0.1:1";
const TODAY: Date = Date::constant(2026, 3, 2);

fn provider() -> Provider {
    let config = IdentityConfig {
        issuer: Some(NOBODY.into()),
        client_id: Some("dancu".into()),
        ..IdentityConfig::default()
    };
    Provider::open(&config, "http://localhost:8080").unwrap().unwrap()
}

/// Of a provider whose tokens and keys are at some address.
fn discovery(address: &str) -> Discovery {
    let text = json!({
        "issuer": NOBODY,
        "authorization_endpoint": NOBODY,
        "token_endpoint": address,
        "jwks_uri": address,
        "response_types_supported": ["code"],
        "token_endpoint_auth_methods_supported": ["none"],
    });
    Discovery::parse(text.to_string().as_bytes(), NOBODY).unwrap()
}

/// Answers every request in one way; where.
async fn answering(status: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4_096]).await;
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
        }
    });
    address
}

fn state(n: u8) -> State {
    let (id, drawn) = ([n; 16], [0; 32]);
    let text = json!({
        "id": id, "holder": drawn, "nonce": drawn, "verifier": drawn,
        "wanted": "Citizen", "next": "", "again": false, "issued": machine_ms(),
    });
    serde_json::from_value(text).unwrap()
}

#[tokio::test]
async fn only_a_code_that_is_not_taken_is_the_visitors_fault() {
    let provider = provider();
    for (status, reason) in [
        ("400 Bad Request", PortalReason::IdentityFailed),
        ("401 Unauthorized", PortalReason::IdentityUnavailable),
        ("403 Forbidden", PortalReason::IdentityUnavailable),
        ("404 Not Found", PortalReason::IdentityUnavailable),
        ("429 Too Many Requests", PortalReason::IdentityUnavailable),
        ("500 Internal Server Error", PortalReason::IdentityUnavailable),
    ] {
        let address = answering(status, "").await;
        let sent = Sent { address: &address, authorization: None, form: Some("code=x") };
        let wrong = provider.exchanged(sent).await.unwrap_err();
        assert_eq!(told(&wrong), reason, "{status}");
    }
}

#[tokio::test]
async fn keys_are_believed_for_a_day_while_newer_ones_cannot_be_had() {
    let provider = provider();
    let (up, down) = (discovery(&answering("200 OK", r#"{"keys":[]}"#).await), discovery(NOBODY));
    let (ages, now) = ((KEPT_MS, KEYS_BELIEVED_MS), MachineTime(machine_ms()));
    assert!(provider.keys(&down, ages, now).await.is_err(), "none are known");
    // Nobody asks again at once after a failure.
    let now = now.plus_ms(FAILED_MS + 60_000);
    let read = provider.keys(&up, ages, now).await.unwrap();
    let last = provider.keys(&down, ages, now.plus_ms(KEYS_BELIEVED_MS - 1)).await.unwrap();
    assert!(Arc::ptr_eq(&last, &read));
    assert!(provider.keys(&down, ages, now.plus_ms(KEYS_BELIEVED_MS)).await.is_err());
    // A key that they lack is not looked for in them.
    let newer = (KEYS_EVERY_MS, KEYS_EVERY_MS);
    assert!(provider.keys(&down, newer, now.plus_ms(KEYS_EVERY_MS)).await.is_err());
}

#[tokio::test]
async fn one_place_shuts_the_door_for_nobody_else() {
    // It takes connections and answers nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", silent.local_addr().unwrap());
    let provider = provider();
    let now = MachineTime(machine_ms());
    provider.known.lock().await.discovery = Some((Arc::new(discovery(&address)), now));
    let states: Vec<State> = (0..8).map(state).collect();
    let [one, beside, other] = ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"]
        .map(|source| source.parse::<IpAddr>().unwrap());
    let identify = |n: usize, source| Box::pin(provider.identify((&states[n], source), "x", TODAY));
    let mut context = Context::from_waker(Waker::noop());
    let mut begun: Vec<_> = (0..EXCHANGES_OF_A_PLACE).map(|n| identify(n, one)).collect();
    for exchange in &mut begun {
        assert!(exchange.as_mut().poll(&mut context).is_pending());
    }
    assert!(matches!(identify(6, beside).await, Err(Wrong::Waiting)), "the same place");
    assert!(identify(6, other).as_mut().poll(&mut context).is_pending());
    drop(begun);
    assert!(identify(7, beside).as_mut().poll(&mut context).is_pending());
    // Of one state a second exchange is the last, from wherever it comes.
    assert!(identify(0, other).as_mut().poll(&mut context).is_pending());
    let spent = identify(0, one).await.unwrap_err();
    assert_eq!(told(&spent), PortalReason::SignInExpired);
}
