//! How this centre proves itself to a provider when it exchanges a code (OpenID Connect Core, 9):
//! a secret in the header, a secret in the form, or an assertion signed with a private key.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use dancu_domain::people::MachineTime;
use dancu_store::keys::random;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::Serialize;
use zeroize::Zeroizing;

use super::Failure;
use super::discovery::Discovery;
use super::request::{escaped, form};
use crate::client::JWT_BEARER;

/// An assertion is good for so long, seconds: it is used at once.
const ASSERTION_S: i64 = 60;

/// A way of proving oneself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Method {
    /// client_secret_basic.
    Basic,
    /// client_secret_post.
    Post,
    /// private_key_jwt.
    PrivateKey,
    /// A client without a secret: PKCE alone.
    Public,
}

impl Method {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "client_secret_basic" => Some(Self::Basic),
            "client_secret_post" => Some(Self::Post),
            "private_key_jwt" => Some(Self::PrivateKey),
            "none" => Some(Self::Public),
            _ => None,
        }
    }
}

/// What this centre proves itself with.
pub enum ClientKey {
    /// Nothing: only PKCE.
    None,
    /// A secret.
    Secret(Zeroizing<String>),
    /// A private key, with the id that the provider knows it by.
    Private {
        /// For signing.
        key: EncodingKey,
        /// Algorithms that it can sign with, the preferred one first.
        algorithms: Vec<Algorithm>,
        /// `kid` of the assertion.
        id: Option<String>,
    },
}

impl ClientKey {
    /// A private key from PEM (PKCS#8): RSA, P-256, P-384 or Ed25519.
    ///
    /// # Errors
    /// [`Failure::Client`] where it is none of them.
    pub fn private(pem: &[u8], id: Option<&str>) -> Result<Self, Failure> {
        let made = |key: EncodingKey, algorithms: &[Algorithm]| {
            // A key of another curve fails when it signs.
            let works = |a: &Algorithm| encode(&Header::new(*a), &(), &key).is_ok();
            let algorithms: Vec<_> = algorithms.iter().copied().filter(works).collect();
            (!algorithms.is_empty()).then(|| Self::Private {
                key,
                algorithms,
                id: id.map(ToOwned::to_owned),
            })
        };
        let rsa = || {
            let key = EncodingKey::from_rsa_pem(pem).ok()?;
            made(key, &[Algorithm::RS256, Algorithm::PS256])
        };
        let curve =
            || made(EncodingKey::from_ec_pem(pem).ok()?, &[Algorithm::ES256, Algorithm::ES384]);
        let edwards = || made(EncodingKey::from_ed_pem(pem).ok()?, &[Algorithm::EdDSA]);
        let key = edwards().or_else(curve).or_else(rsa);
        key.ok_or(Failure::Client("not a private key that is known"))
    }
}

/// This centre as a provider knows it.
pub struct Client {
    /// Its id.
    pub id: String,
    /// What it proves itself with.
    pub key: ClientKey,
    /// Where answers go: registered at the provider.
    pub redirect_uri: String,
}

/// A request to exchange a code.
pub struct TokenRequest {
    /// `Authorization` header, where the secret goes there.
    pub authorization: Option<Zeroizing<String>>,
    /// application/x-www-form-urlencoded.
    pub body: Zeroizing<String>,
}

#[derive(Serialize)]
struct Assertion<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    jti: &'a str,
    iat: i64,
    exp: i64,
}

impl Client {
    /// The request that exchanges a code, proved in a way that the provider takes.
    ///
    /// # Errors
    /// [`Failure::Client`] where it takes none that this centre can.
    pub fn exchange(
        &self,
        discovery: &Discovery,
        (code, verifier): (&str, &str),
        now: MachineTime,
    ) -> Result<TokenRequest, Failure> {
        let takes = |method| discovery.methods.contains(&method);
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.redirect_uri.as_str()),
            ("code_verifier", verifier),
        ];
        let mut authorization = None;
        let assertion;
        match &self.key {
            ClientKey::Secret(secret) if takes(Method::Basic) => {
                let pair = Zeroizing::new(format!("{}:{}", escaped(&self.id), escaped(secret)));
                let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
                authorization = Some(Zeroizing::new(format!("Basic {}", *encoded)));
            }
            ClientKey::Secret(secret) if takes(Method::Post) => {
                fields.extend([("client_id", self.id.as_str()), ("client_secret", secret)]);
            }
            ClientKey::Private { key, algorithms, id } if takes(Method::PrivateKey) => {
                assertion = self.assertion(discovery, (key, algorithms, id.clone()), now)?;
                fields.extend([
                    ("client_id", self.id.as_str()),
                    ("client_assertion_type", JWT_BEARER),
                    ("client_assertion", &assertion),
                ]);
            }
            ClientKey::None if takes(Method::Public) => fields.push(("client_id", &self.id)),
            _ => return Err(Failure::Client("the provider takes no proof that we have")),
        }
        Ok(TokenRequest { authorization, body: Zeroizing::new(form(&fields)) })
    }

    fn assertion(
        &self,
        discovery: &Discovery,
        (key, algorithms, id): (&EncodingKey, &[Algorithm], Option<String>),
        now: MachineTime,
    ) -> Result<String, Failure> {
        let said = &discovery.assertions;
        let algorithm = algorithms.iter().find(|a| said.is_empty() || said.contains(a));
        let algorithm = *algorithm.ok_or(Failure::Client("no algorithm of ours is taken"))?;
        let mut drawn = [0; 16];
        random(&mut drawn).map_err(|_| Failure::Client("no randomness"))?;
        let seconds = now.0.div_euclid(1_000);
        let assertion = Assertion {
            iss: &self.id,
            sub: &self.id,
            aud: &discovery.token,
            jti: &URL_SAFE_NO_PAD.encode(drawn),
            iat: seconds,
            exp: seconds + ASSERTION_S,
        };
        let header = Header { kid: id, ..Header::new(algorithm) };
        encode(&header, &assertion, key).map_err(|_| Failure::Client("cannot sign"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{DecodingKey, Validation, decode};
    use serde_json::Value;

    // A key made for this test: it proves nothing anywhere else.
    const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEICVHgzUuZXCrMcahajxP/mDnNXxEJ3Vmg9XVNv0kUenc\n\
        -----END PRIVATE KEY-----";
    const PUBLIC: &str = "FfrsT8WmpDXczwocR47-smBeu70wwrSpHlAkuwNh-4M";
    const NOW: MachineTime = MachineTime(1_772_416_800_000);

    fn discovery(methods: &[Method]) -> Discovery {
        Discovery {
            issuer: "https://a.vn".into(),
            authorization: "https://a.vn/auth".into(),
            token: "https://a.vn/token".into(),
            keys: "https://a.vn/keys".into(),
            user_info: None,
            end_session: None,
            names_itself: false,
            methods: methods.to_vec(),
            assertions: vec![],
        }
    }

    fn client(key: ClientKey) -> Client {
        Client { id: "dân:cư".into(), key, redirect_uri: "https://d.vn/cb".into() }
    }

    fn secret() -> ClientKey {
        ClientKey::Secret(Zeroizing::new("a b&c".into()))
    }

    #[test]
    fn a_secret_goes_where_the_provider_takes_it() {
        let common = "grant_type=authorization_code&code=c%2Fd&redirect_uri=https%3A%2F%2Fd.vn\
                      %2Fcb&code_verifier=v";
        let asked =
            |methods: &[Method]| client(secret()).exchange(&discovery(methods), ("c/d", "v"), NOW);
        let basic = asked(&[Method::Post, Method::Basic]).unwrap();
        assert_eq!(*basic.body, common);
        let header = basic.authorization.unwrap();
        let pair = STANDARD.decode(header.strip_prefix("Basic ").unwrap()).unwrap();
        // RFC 6749, 2.3.1: both are form-encoded before they are joined.
        assert_eq!(pair, b"d%C3%A2n%3Ac%C6%B0:a%20b%26c");
        let post = asked(&[Method::Post]).unwrap();
        assert!(post.authorization.is_none());
        let expected = format!("{common}&client_id=d%C3%A2n%3Ac%C6%B0&client_secret=a%20b%26c");
        assert_eq!(*post.body, expected);
        let none = asked(&[Method::PrivateKey, Method::Public]);
        assert!(matches!(none, Err(Failure::Client(_))), "a secret is never left out");
    }

    #[test]
    fn a_private_key_signs_for_this_provider_and_minute() {
        let key = ClientKey::private(PRIVATE.as_bytes(), Some("k1")).unwrap();
        let client = client(key);
        let asked = client.exchange(&discovery(&[Method::PrivateKey]), ("c", "v"), NOW).unwrap();
        let field = |name: &str| {
            let mark = format!("&{name}=");
            asked.body.split(&mark).nth(1).unwrap().split('&').next().unwrap().to_owned()
        };
        assert_eq!(field("client_assertion_type"), escaped(JWT_BEARER));
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&["https://a.vn/token"]);
        validation.validate_exp = false;
        let key = DecodingKey::from_ed_components(PUBLIC).unwrap();
        let read = decode::<Value>(field("client_assertion"), &key, &validation).unwrap();
        assert_eq!(read.header.kid.as_deref(), Some("k1"));
        assert_eq!(
            (&read.claims["iss"], &read.claims["sub"]),
            (&"dân:cư".into(), &"dân:cư".into())
        );
        assert_eq!(read.claims["exp"], NOW.0 / 1_000 + ASSERTION_S);
        let again = client.exchange(&discovery(&[Method::PrivateKey]), ("c", "v"), NOW).unwrap();
        assert!(*again.body != *asked.body, "no assertion is sent twice");
        // Only an algorithm that the provider takes.
        let mut picky = discovery(&[Method::PrivateKey]);
        picky.assertions = vec![Algorithm::RS256];
        assert!(client.exchange(&picky, ("c", "v"), NOW).is_err());
        let other = client.exchange(&discovery(&[Method::Basic]), ("c", "v"), NOW);
        assert!(matches!(other, Err(Failure::Client(_))));
    }

    #[test]
    fn what_is_no_private_key_is_refused_at_once() {
        for text in ["", "x", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"] {
            assert!(ClientKey::private(text.as_bytes(), None).is_err(), "{text}");
        }
    }
}
