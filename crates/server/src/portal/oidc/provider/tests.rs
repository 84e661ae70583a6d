//! Whose fault it is that nobody signs in, what goes on meanwhile, and who may try how often.

use std::task::{Context, Waker};

use dancu_domain::people::reasons::PortalReason;
use serde_json::json;
use tokio::net::TcpListener;

use super::super::tests::{answering, document};
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
    Discovery::parse(document(NOBODY, address).as_bytes(), NOBODY).unwrap()
}

fn state(n: u8) -> State {
    let (id, drawn) = ([n; 16], [0; 32]);
    let text = json!({
        "id": id, "holder": drawn, "nonce": drawn, "verifier": drawn,
        "wanted": "Citizen", "next": "", "signed_in": false, "issued": machine_ms(),
    });
    serde_json::from_value(text).unwrap()
}

#[tokio::test]
async fn only_a_code_that_is_not_taken_is_the_visitors_fault() {
    let provider = provider();
    let told_by = async |status: &'static str, body: &'static str| {
        let address = answering(move |_, _| (status, body.to_owned())).await;
        let sent = Sent { address: &address, authorization: None, form: Some("code=x") };
        let wrong = provider.exchanged(sent).await.unwrap_err();
        (told(&wrong), wrong.to_string())
    };
    let code = r#"{"error":"invalid_grant","error_description":"x"}"#;
    assert_eq!(told_by("400 Bad Request", code).await.0, PortalReason::IdentityFailed);
    for (status, body, logged) in [
        ("400 Bad Request", r#"{"error":"invalid_client"}"#, "client: invalid_client"),
        ("400 Bad Request", r#"{"error":"invalid_scope"}"#, "client: invalid_scope"),
        ("400 Bad Request", r#"{"error":"099301012345"}"#, "client: refused without"),
        ("400 Bad Request", r#"{"error":["invalid_grant"]}"#, "client: refused without"),
        ("400 Bad Request", "invalid_grant", "client: refused without"),
        ("400 Bad Request", "", "client: refused without"),
        ("401 Unauthorized", code, "status 401"),
        ("403 Forbidden", code, "status 403"),
        ("404 Not Found", "", "status 404"),
        ("429 Too Many Requests", "", "status 429"),
        ("500 Internal Server Error", "", "status 500"),
    ] {
        let (reason, log) = told_by(status, body).await;
        assert_eq!(reason, PortalReason::IdentityUnavailable, "{status} {body}");
        assert!(log.contains(logged), "{log}");
    }
}

#[tokio::test]
async fn keys_are_believed_for_a_day_while_newer_ones_cannot_be_had() {
    let provider = provider();
    let keys = answering(|_, _| ("200 OK", r#"{"keys":[]}"#.into()));
    let (up, down) = (discovery(&keys.await), discovery(NOBODY));
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
    let state = state(1);
    let [one, beside, other] =
        ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"].map(|source| source.parse().unwrap());
    let identify = async |source: IpAddr| {
        let place = provider.admit("x", source, &[])?;
        provider.identify((&state, "x"), &place, TODAY).await
    };
    let mut context = Context::from_waker(Waker::noop());
    let mut begun: Vec<_> =
        (0..EXCHANGES_OF_A_CONNECTION).map(|_| Box::pin(identify(one))).collect();
    for exchange in &mut begun {
        assert!(exchange.as_mut().poll(&mut context).is_pending());
    }
    assert!(matches!(identify(beside).await, Err(Wrong::Waiting)), "the same connection");
    assert!(Box::pin(identify(other)).as_mut().poll(&mut context).is_pending());
    drop(begun);
    assert!(Box::pin(identify(beside)).as_mut().poll(&mut context).is_pending());
}

#[test]
fn rule_c5_a_registered_network_has_more_and_leaves_the_others_theirs() {
    let provider = provider();
    let registered: Vec<Network> =
        ["10.9.0.0/16", "10.9.8.7/24"].map(|network| network.parse().unwrap()).into();
    let admit = |source: &str| provider.admit("x", source.parse().unwrap(), &registered);
    let unit = |n: usize| admit(&format!("10.9.8.{}", n % 2));
    let held: Vec<_> = (0..EXCHANGES_OF_A_NETWORK).map(|n| unit(n).unwrap()).collect();
    assert!(matches!(unit(0), Err(Wrong::Waiting)));
    // The wider one around it, and strangers, hold what they hold by themselves.
    let wider: Vec<_> = (0..12).map(|_| admit("::ffff:10.9.7.7").unwrap()).collect();
    let strangers: Vec<_> = (0..4).map(|_| admit("203.0.113.9").unwrap()).collect();
    assert!(matches!(admit("203.0.113.10"), Err(Wrong::Waiting)), "there are no more");
    drop((held, wider));
    assert!(matches!(admit("203.0.113.9"), Err(Wrong::Waiting)), "a stranger has few");
    assert!(unit(0).is_ok() && admit("203.0.113.10").is_ok());
    drop(strangers);
    for code in ["", &"x".repeat(CODE_MAX + 1)] {
        assert!(provider.admit(code, "203.0.113.9".parse().unwrap(), &[]).is_err());
    }
}
