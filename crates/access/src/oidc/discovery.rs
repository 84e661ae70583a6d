//! What a provider says of itself (OpenID Connect Discovery 1.0, RFC 8414, RFC 9207).

use std::net::IpAddr;

use jsonwebtoken::Algorithm;
use serde::Deserialize;

use super::Failure;
use super::client::Method;

/// Longest address that is followed: what servers and proxies take as well.
const ADDRESS_MAX: usize = 2_000;

/// A provider's description of itself, as far as it is used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Discovery {
    /// The issuer, exactly as configured.
    pub issuer: String,
    /// Where people are sent.
    pub authorization: String,
    /// Where codes are exchanged.
    pub token: String,
    /// Its keys.
    pub keys: String,
    /// Where claims are read that stand in no token.
    pub user_info: Option<String>,
    /// Where people sign out of the provider.
    pub end_session: Option<String>,
    /// Whether each answer names its issuer (RFC 9207).
    pub names_itself: bool,
    /// How clients may prove themselves to it.
    pub(super) methods: Vec<Method>,
    /// Algorithms of client assertions that it takes; empty: it does not say.
    pub(super) assertions: Vec<Algorithm>,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    end_session_endpoint: Option<String>,
    response_types_supported: Vec<String>,
    code_challenge_methods_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    token_endpoint_auth_signing_alg_values_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Discovery {
    /// Where the description of an issuer lies.
    pub fn address(issuer: &str) -> String {
        format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
    }

    /// Reads a description. It has to be the issuer's own, to know codes and PKCE with S256, and to
    /// name addresses that are followed: https, or this machine where the issuer is on it.
    ///
    /// # Errors
    /// [`Failure::Discovery`].
    pub fn parse(body: &[u8], issuer: &str) -> Result<Self, Failure> {
        let wrong = Failure::Discovery;
        let d: Document = serde_json::from_slice(body).map_err(|_| wrong("not one"))?;
        if d.issuer != issuer {
            return Err(wrong("of another issuer"));
        }
        if !d.response_types_supported.iter().any(|kind| kind == "code") {
            return Err(wrong("no authorisation code"));
        }
        // Where it is not said, PKCE is sent all the same and checked by whoever knows it.
        let pkce = d.code_challenge_methods_supported;
        if pkce.is_some_and(|methods| !methods.iter().any(|method| method == "S256")) {
            return Err(wrong("no PKCE with S256"));
        }
        let named = [&d.authorization_endpoint, &d.token_endpoint, &d.jwks_uri];
        let further = [d.userinfo_endpoint.as_ref(), d.end_session_endpoint.as_ref()];
        let followed = named
            .into_iter()
            .chain(further.into_iter().flatten())
            .all(|address| follows(address, issuer));
        if !followed {
            return Err(wrong("an address that is not followed"));
        }
        let basic = || vec!["client_secret_basic".to_owned()];
        let methods = d.token_endpoint_auth_methods_supported.unwrap_or_else(basic);
        let algorithms = d.token_endpoint_auth_signing_alg_values_supported.unwrap_or_default();
        Ok(Self {
            issuer: d.issuer,
            authorization: d.authorization_endpoint,
            token: d.token_endpoint,
            keys: d.jwks_uri,
            user_info: d.userinfo_endpoint,
            end_session: d.end_session_endpoint,
            names_itself: d.authorization_response_iss_parameter_supported,
            methods: methods.iter().filter_map(|name| Method::from_name(name)).collect(),
            assertions: algorithms.iter().filter_map(|name| name.parse().ok()).collect(),
        })
    }
}

/// Whether an address of an issuer's description is followed.
fn follows(address: &str, issuer: &str) -> bool {
    is_address(address) && (address.starts_with("https://") || is_loopback(issuer))
}

/// Whether a text is an address that is asked at all: https, or http on this machine; no user, no
/// fragment, nothing that readers of addresses read differently.
pub fn is_address(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_graphic() && !b"\"'<>\\^`{|}#".contains(&b);
    let fits = text.len() <= ADDRESS_MAX && text.bytes().all(plain);
    let scheme = text.starts_with("https://") || is_loopback(text);
    fits && scheme && host(text).is_some()
}

/// Whether an address is http on this machine: for trials only.
pub fn is_loopback(text: &str) -> bool {
    let Some(host) = host(text).filter(|_| text.starts_with("http://")) else { return false };
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The host of an address, an IPv6 one in its brackets; `None` where there is none, or a user
/// before it.
fn host(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("://")?;
    let place = rest.split(['/', '?']).next()?;
    let end = match place.find(']') {
        Some(end) if place.starts_with('[') => end + 1,
        _ => place.find(':').unwrap_or(place.len()),
    };
    let (host, port) = place.split_at(end);
    let number = port.strip_prefix(':').map_or(port.is_empty(), |n| n.parse::<u16>().is_ok());
    (!host.is_empty() && !host.contains('@') && number).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const ISSUER: &str = "https://dinhdanh.example.vn/oidc";

    fn document() -> Value {
        json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://dinhdanh.example.vn/auth?x=1",
            "token_endpoint": "https://dinhdanh.example.vn/token",
            "jwks_uri": "https://dinhdanh.example.vn/jwks",
            "userinfo_endpoint": "https://dinhdanh.example.vn/me",
            "response_types_supported": ["id_token", "code"],
            "code_challenge_methods_supported": ["plain", "S256"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt", "tls_client_auth"],
            "token_endpoint_auth_signing_alg_values_supported": ["ES256", "none"],
            "authorization_response_iss_parameter_supported": true,
        })
    }

    fn parsed(change: impl FnOnce(&mut Value)) -> Result<Discovery, Failure> {
        let mut document = document();
        change(&mut document);
        Discovery::parse(document.to_string().as_bytes(), ISSUER)
    }

    #[test]
    fn a_description_is_read() {
        let read = parsed(|_| {}).unwrap();
        assert_eq!(read.methods, [Method::PrivateKey]);
        assert_eq!(read.assertions, [Algorithm::ES256]);
        assert!(read.names_itself && read.end_session.is_none());
        let silent = parsed(|d| {
            let d = d.as_object_mut().unwrap();
            d.retain(|name, _| !name.ends_with("_supported") || name.starts_with("response"));
        });
        let silent = silent.unwrap();
        assert_eq!((silent.methods, silent.names_itself), (vec![Method::Basic], false));
        assert_eq!(
            Discovery::address("https://a.vn/x/"),
            "https://a.vn/x/.well-known/openid-configuration"
        );
    }

    #[test]
    fn a_description_of_another_or_of_less_is_refused() {
        let wrong = |why| Err(Failure::Discovery(why));
        for issuer in ["https://khac.example.vn", "https://dinhdanh.example.vn/oidc/"] {
            assert_eq!(parsed(|d| d["issuer"] = json!(issuer)), wrong("of another issuer"));
        }
        let kinds = parsed(|d| d["response_types_supported"] = json!(["id_token"]));
        assert_eq!(kinds, wrong("no authorisation code"));
        let pkce = parsed(|d| d["code_challenge_methods_supported"] = json!(["plain"]));
        assert_eq!(pkce, wrong("no PKCE with S256"));
        for name in ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"] {
            for address in ["http://dinhdanh.example.vn/a", "http://127.0.0.1/a", "//a.vn/b", ""] {
                let read = parsed(|d| d[name] = json!(address));
                assert_eq!(read, wrong("an address that is not followed"), "{name} {address}");
            }
        }
        for body in ["", "<html>", "[]", "{}", "\"x\""] {
            assert_eq!(Discovery::parse(body.as_bytes(), ISSUER), wrong("not one"), "{body}");
        }
    }

    #[test]
    fn only_tls_or_this_machine_is_asked() {
        for good in [
            "https://a.vn",
            "https://a.vn:8443/x?y=z",
            "http://127.0.0.1:9000/x",
            "http://[::1]:9/",
            "http://localhost/",
        ] {
            assert!(is_address(good), "{good}");
        }
        let long = format!("https://a.vn/{}", "a".repeat(ADDRESS_MAX));
        for bad in [
            "http://a.vn",
            "http://localhost.evil.vn/",
            "http://127.0.0.1@evil.vn/",
            "http://127.0.0.1:80@evil.vn/",
            "https://user@a.vn/",
            "https://",
            "https:///x",
            "https://a.vn:99999/",
            "https://a.vn/#x",
            "https://a.vn/\\x",
            "https://a.vn/ x",
            "ftp://a.vn",
            "javascript:alert(1)",
            &long,
        ] {
            assert!(!is_address(bad), "{bad}");
        }
        // An issuer on this machine may have its addresses there.
        let issuer = "http://127.0.0.1:9000";
        assert!(follows("http://127.0.0.1:9000/token", issuer));
        assert!(!follows("http://127.0.0.1:9000/token", ISSUER));
    }
}
