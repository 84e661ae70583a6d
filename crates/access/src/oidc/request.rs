//! Addresses that people are sent to.

use super::discovery::Discovery;

/// What is asked of a provider.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    /// This centre, as the provider knows it.
    pub client_id: &'a str,
    /// Where the answer goes.
    pub redirect_uri: &'a str,
    /// Scopes, with blanks between them.
    pub scope: &'a str,
    /// Levels that are wished for.
    pub levels: &'a [String],
    /// The sealed state.
    pub state: &'a str,
    /// What the identity token has to repeat.
    pub nonce: &'a str,
    /// Digest of the PKCE verifier (RFC 7636, S256).
    pub challenge: &'a str,
}

/// The address at which a provider asks the person.
pub fn authorization(discovery: &Discovery, asking: &Asking<'_>) -> String {
    let levels = asking.levels.join(" ");
    let mut fields = vec![
        ("response_type", "code"),
        ("client_id", asking.client_id),
        ("redirect_uri", asking.redirect_uri),
        ("scope", asking.scope),
        ("state", asking.state),
        ("nonce", asking.nonce),
        ("code_challenge", asking.challenge),
        ("code_challenge_method", "S256"),
        // Everybody proves anew who it is, whatever the provider remembers.
        ("prompt", "login"),
        ("max_age", "0"),
    ];
    if !levels.is_empty() {
        fields.push(("acr_values", &levels));
    }
    with_query(&discovery.authorization, &fields)
}

/// The address at which the person signs out of the provider (RP-Initiated Logout 1.0), where it
/// has one. No identity token is kept for it: the provider asks the person.
pub fn sign_out(discovery: &Discovery, client_id: &str, back: &str) -> Option<String> {
    let fields = [("client_id", client_id), ("post_logout_redirect_uri", back)];
    discovery.end_session.as_ref().map(|address| with_query(address, &fields))
}

fn with_query(address: &str, fields: &[(&str, &str)]) -> String {
    let first = if address.contains('?') { '&' } else { '?' };
    format!("{address}{first}{}", form(fields))
}

/// Fields as application/x-www-form-urlencoded.
pub(super) fn form(fields: &[(&str, &str)]) -> String {
    let pairs = fields.iter().map(|(name, value)| format!("{name}={}", escaped(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// A value in a form or a query: everything but what no reader mistakes is escaped.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&hex::encode_upper([byte]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::client::Method;
    use super::*;

    fn discovery() -> Discovery {
        Discovery {
            issuer: "https://a.vn".into(),
            authorization: "https://a.vn/auth?tenant=1".into(),
            token: "https://a.vn/token".into(),
            keys: "https://a.vn/keys".into(),
            user_info: None,
            end_session: Some("https://a.vn/out".into()),
            names_itself: false,
            methods: vec![Method::Basic],
            assertions: vec![],
        }
    }

    #[test]
    fn people_are_sent_with_everything_that_is_checked_later() {
        let levels = ["2".to_owned(), "urn:3".to_owned()];
        let asking = Asking {
            client_id: "dancu & co",
            redirect_uri: "https://dancu.vn/sign-in/oidc/callback",
            scope: "openid profile",
            levels: &levels,
            state: "st",
            nonce: "no",
            challenge: "ch",
        };
        assert_eq!(
            authorization(&discovery(), &asking),
            "https://a.vn/auth?tenant=1&response_type=code&client_id=dancu%20%26%20co\
             &redirect_uri=https%3A%2F%2Fdancu.vn%2Fsign-in%2Foidc%2Fcallback\
             &scope=openid%20profile&state=st&nonce=no&code_challenge=ch\
             &code_challenge_method=S256&prompt=login&max_age=0&acr_values=2%20urn%3A3"
        );
        let plain = authorization(&discovery(), &Asking { levels: &[], ..asking });
        assert!(plain.ends_with("&prompt=login&max_age=0"));
    }

    #[test]
    fn people_sign_out_where_the_provider_knows_it() {
        let mut discovery = discovery();
        assert_eq!(
            sign_out(&discovery, "dancu", "https://d.vn/sign-in").as_deref(),
            Some(
                "https://a.vn/out?client_id=dancu\
                 &post_logout_redirect_uri=https%3A%2F%2Fd.vn%2Fsign-in"
            )
        );
        discovery.end_session = None;
        assert_eq!(sign_out(&discovery, "dancu", "https://d.vn/sign-in"), None);
    }
}
