//! **oidc**: signing in through an identity provider (OpenID Connect Core 1.0, authorisation code
//! with PKCE): what is asked of it, and what of its answers is believed.
//!
//! Nothing here talks to anybody: documents and answers come as bytes, time as an argument.
//!
//! **Invariant:** what a provider says is believed only as far as its signature, this client, this
//! browser and this sign-in go: issuer, audience, nonce, age and algorithm are checked before a
//! claim is looked at. **Invariant:** no claim of a person stands in an error.

mod claims;
mod client;
mod discovery;
mod request;
mod state;
mod token;

pub use self::claims::{Identity, Kind};
pub use self::client::{Client, ClientKey, TokenRequest};
pub use self::discovery::{Discovery, is_address, is_loopback};
pub use self::request::{Asking, authorization, sign_out};
pub use self::state::{Begun, STATE_MS, State, Wanted};
pub use self::token::{Answer, Expected, KeySet, Verified, refusal, user_info, verify};

/// Bytes of a document or an answer of a provider that are looked at: discovery documents and key
/// sets have some 10 KB.
pub const ANSWER_MAX: usize = 256 * 1024;

/// Why an answer is not believed. Texts name the part, never what stood in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failure {
    /// The provider's description of itself cannot be used.
    #[error("discovery document: {0}")]
    Discovery(&'static str),
    /// Its answer to a request cannot be used.
    #[error("answer: {0}")]
    Answer(&'static str),
    /// The identity token is not one for this sign-in.
    #[error("identity token: {0}")]
    Token(&'static str),
    /// It is signed with a key that is not in the set as we have it: a new one may have it.
    #[error("identity token: unknown key")]
    UnknownKey,
    /// Claims that do not have their shape.
    #[error("claims: {0}")]
    Claims(&'static str),
    /// What this centre proves itself with, or asks, is not taken.
    #[error("client: {0}")]
    Client(&'static str),
}

/// How sure the provider is of the person: authentication context classes (`acr`), of which those
/// from one on stand for a second factor (E2).
#[derive(Clone, Default, Debug)]
pub struct Levels {
    /// From the weakest to the strongest.
    all: Vec<String>,
    /// Where the strong ones begin.
    strong_from: usize,
}

impl Levels {
    /// From the weakest to the strongest, and the first that is strong; `None`: it is not among
    /// them. Without a strong one, none is.
    pub fn new(all: Vec<String>, strong: Option<&str>) -> Option<Self> {
        let strong_from = match strong {
            Some(strong) => all.iter().position(|level| level == strong)?,
            None => all.len(),
        };
        Some(Self { all, strong_from })
    }

    /// Whether a level stands for a second factor. One that is missing or not known never does.
    pub fn is_strong(&self, acr: Option<&str>) -> bool {
        self.strong().iter().any(|level| Some(level.as_str()) == acr)
    }

    /// The strong ones, to ask for.
    pub fn strong(&self) -> &[String] {
        self.all.get(self.strong_from..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_ordered_by_the_configuration() {
        let all = || vec!["thap".to_owned(), "2".to_owned(), "3".to_owned()];
        let levels = Levels::new(all(), Some("2")).unwrap();
        assert!(levels.is_strong(Some("2")) && levels.is_strong(Some("3")));
        for weak in [None, Some("thap"), Some("4"), Some(""), Some("02")] {
            assert!(!levels.is_strong(weak), "{weak:?}");
        }
        assert_eq!(levels.strong(), ["2", "3"]);
        let none = Levels::new(all(), None).unwrap();
        assert!(!none.is_strong(Some("3")) && none.strong().is_empty());
        assert!(Levels::new(all(), Some("4")).is_none());
    }
}
