//! Keys of signing in, each derived for its own use from the store's token key, which no command
//! rotates: a code on paper outlives years.

use std::net::IpAddr;

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::{constant_time, hmac};
use dancu_domain::network::Network;
use dancu_domain::people::failures::LoginDigest;
use dancu_store::Error;
use dancu_store::keys::{Key, SealKey};

/// Every key of this room.
pub(super) struct Keys {
    /// Seals tickets.
    pub(super) ticket: SealKey,
    /// CSRF tokens.
    csrf: hmac::Key,
    /// Digests of recovery codes.
    recovery: hmac::Key,
    /// Challenges of the captcha.
    pub(super) captcha: hmac::Key,
    /// Logins and networks in memory.
    tally: hmac::Key,
    /// Seals the state of sign-ins at an identity provider.
    pub(super) state: SealKey,
    /// Who somebody is to an identity provider.
    identity: hmac::Key,
}

/// What is guessed at: a wrong code is counted apart from a wrong password, so that who knows the
/// password cannot forget wrong codes by typing it again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Guess {
    /// A password.
    Password = 1,
    /// A second factor.
    Code = 2,
}

struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        32
    }
}

impl Keys {
    /// Derived from the token key (RFC 5869).
    pub(super) fn derived(token: &Key) -> Result<Self, Error> {
        let secret = Salt::new(HKDF_SHA256, b"dancu people").extract(token.raw());
        let derived = |label: &'static str| {
            let mut out = [0; 32];
            let failed = |_| Error::Crypto("hkdf");
            let label = [label.as_bytes()];
            let key = secret.expand(&label, Length).map_err(failed)?;
            key.fill(&mut out).map_err(failed)?;
            Ok::<_, Error>(out)
        };
        let mac = |label| Ok::<_, Error>(hmac::Key::new(hmac::HMAC_SHA256, &derived(label)?));
        Ok(Self {
            ticket: SealKey::new(&derived("sign-in ticket 1")?)?,
            csrf: mac("csrf 1")?,
            recovery: mac("recovery code 1")?,
            captcha: mac("captcha 1")?,
            tally: mac("failures 1")?,
            state: SealKey::new(&derived("oidc state 1")?)?,
            identity: mac("oidc subject 1")?,
        })
    }

    /// The CSRF token of a mark: 32 bytes.
    pub(super) fn csrf(&self, mark: &[u8; 32]) -> [u8; 32] {
        tag(&self.csrf, &[mark])
    }

    /// Whether what was sent is the token of a mark, compared in constant time.
    pub(super) fn csrf_fits(&self, mark: &[u8; 32], sent: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&self.csrf(mark), sent).is_ok()
    }

    /// The digest of a recovery code of a person, as stored.
    pub(super) fn recovery(&self, person: u32, code: &str) -> [u8; 32] {
        tag(&self.recovery, &[&person.to_be_bytes(), code.as_bytes()])
    }

    /// Who somebody is to an identity provider, as their account is called.
    pub(super) fn identity(&self, issuer: &str, subject: &str) -> [u8; 16] {
        let tag = tag(&self.identity, &[issuer.as_bytes(), b"\0", subject.as_bytes()]);
        tag.first_chunk().copied().unwrap_or_default()
    }

    /// A login as it was typed, known or not.
    pub(super) fn login(&self, typed: &str, guess: Guess) -> LoginDigest {
        let folded = typed.trim().to_ascii_lowercase();
        LoginDigest(short(&self.tally, &[&[guess as u8], folded.as_bytes()]))
    }

    /// The network that failures from an address are counted by.
    pub(super) fn network(&self, source: IpAddr) -> u64 {
        let network = String::from(Network::of_neighbours(source));
        short(&self.tally, &[&[0], network.as_bytes()])
    }
}

fn tag(key: &hmac::Key, parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.sign().as_ref());
    out
}

fn short(key: &hmac::Key, parts: &[&[u8]]) -> u64 {
    let tag = tag(key, parts);
    u64::from_be_bytes([tag[0], tag[1], tag[2], tag[3], tag[4], tag[5], tag[6], tag[7]])
}
