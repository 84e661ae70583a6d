//! The debugger of integrators: what a system sent and was refused for, taken apart into checks in
//! the order in which authentication makes them, each right or wrong with what was expected.
//!
//! The verdict is that of the very code which authenticates ([`crate::soap::authenticate`],
//! [`crate::client::authenticate`], [`crate::token::read`]); the checks only say why.
//!
//! **Invariant:** nothing that was pasted is kept, and nothing of it that proves anything is told
//! again: no secret, wherever it was put; of a hash and a token the beginning only; an expected one
//! would be a credential.
//! **Invariant:** what belongs to another system is not told apart from what belongs to nobody.

mod bearer;
mod client;
mod jwt;
mod paste;
mod soap;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::constant_time;
use dancu_domain::moment::Moment;
use dancu_domain::network::Network;
use dancu_domain::registration::{CertificateMode, ConnectionState, Snapshot, System};
use dancu_store::keys::Key;

use crate::certificate::{self, Fingerprint};
use crate::{Arrival, AuthFailure};

pub use paste::PASTE_MAX;

/// Characters of a value that is told again: longer ones are cut.
const VALUE_MAX: usize = 120;
/// Characters of the name of a user or client that is told again, where it is not the expected one:
/// generated secrets are longer, and one may stand where the name belongs.
const NAME_MAX: usize = 32;
/// Bytes of a registered secret from which on a text that contains it is not told; a shorter one
/// would be found everywhere, and counts only alone.
const SECRET_MIN: usize = 8;
/// In place of what is not told.
const HIDDEN: &str = "••••";

/// Whose request is explained, and by which clocks.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    /// The system that is meant.
    pub system: &'a Arc<System>,
    /// URLs of the token endpoint, as authentication takes them.
    pub audience: &'a [String],
    /// The address that the request came from, where it was told.
    pub source: Option<IpAddr>,
    /// Product's clock.
    pub at: Moment,
    /// Machine's clock, ms.
    pub machine: i64,
}

impl Case<'_> {
    /// The arrival that authentication is asked about. An address that was not told is one from
    /// which the system may call.
    fn arrival(&self) -> Arrival {
        let assumed = self.system.facts.sources.first().map(Network::address);
        let source = self.source.or(assumed).unwrap_or(IpAddr::from([127, 0, 0, 1]));
        Arrival { source, at: self.at, machine: self.machine }
    }

    /// The certificate that authentication is asked about: what was shown is not in a paste, so
    /// that a registered one is assumed where one is needed.
    fn certificate(&self) -> Option<Fingerprint> {
        let certificates = &self.system.certificates;
        let needed = certificates.mode == CertificateMode::Required;
        certificates.sha256.first().copied().filter(|_| needed)
    }

    /// Whether a registered secret of the system stands in a text.
    fn holds_secret(&self, text: &str) -> bool {
        let (soap, oauth) = (&self.system.soap, &self.system.oauth);
        let soap = soap.iter().flat_map(|access| &access.secrets);
        let mut all = soap.chain(oauth.iter().flat_map(|access| &access.secrets));
        let is = |part: &[u8], secret: &[u8]| {
            constant_time::verify_slices_are_equal(part, secret).is_ok()
        };
        all.any(|secret| match &*secret.0 {
            short if short.len() < SECRET_MIN => !short.is_empty() && is(text.as_bytes(), short),
            long => text.as_bytes().windows(long.len()).any(|part| is(part, long)),
        })
    }

    /// A value as it may be told: none that holds a secret, and short.
    fn told(&self, value: &str) -> String {
        if self.holds_secret(value) { HIDDEN.to_owned() } else { shown(value) }
    }

    /// The name of a user or client as it came, where it is the expected one or cannot be a secret
    /// in its place. A colon separates the two.
    fn name<'v>(&self, sent: &'v str, expected: &str) -> &'v str {
        let odd = || sent.chars().count() > NAME_MAX || sent.contains(':');
        if sent != expected && (odd() || self.holds_secret(sent)) { HIDDEN } else { sent }
    }

    /// The beginning of what proves something, where its form is that of a hash or a token: enough
    /// to compare, too little to use. Whatever else stands there may be a secret.
    fn beginning(&self, value: &str, is_known: bool) -> String {
        const LETTERS: usize = 8;
        let short = value.chars().count() <= 2 * LETTERS;
        if short || !is_known || self.holds_secret(value) {
            return HIDDEN.to_owned();
        }
        let begin: String = value.chars().take(LETTERS).collect();
        format!("{begin}…")
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident: $($(#[$of:meta])* $word:ident = $code:literal,)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum $name { $($(#[$of])* $word),* }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$word),*];

            /// Its word, by which texts are found.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$word => $code),* }
            }
        }
    };
}
words! {
    /// What is checked.
    Name:
    /// There are credentials of a known form.
    Credentials = "credentials",
    /// `Timestamp` can be read.
    Timestamp = "timestamp",
    /// User of the SOAP header.
    User = "user",
    /// The hash has the form of a lower-case hex SHA-256.
    HashForm = "hash-form",
    /// The hash is right.
    Hash = "hash",
    /// client_id.
    ClientId = "client-id",
    /// client_secret.
    ClientSecret = "client-secret",
    /// grant_type.
    Grant = "grant",
    /// client_assertion_type.
    AssertionType = "assertion-type",
    /// `alg` of an assertion.
    Algorithm = "algorithm",
    /// `kid` of an assertion.
    KeyId = "key-id",
    /// `iss` and `sub`.
    Subject = "subject",
    /// `aud`.
    Audience = "audience",
    /// Signature.
    Signature = "signature",
    /// `exp` of an assertion, or the end of a token.
    Expiry = "expiry",
    /// `jti`.
    TokenId = "token-id",
    /// A token of this centre.
    Token = "token",
    /// The token's system, and whether its credentials are those of now.
    TokenOf = "token-of",
    /// Client certificate.
    Certificate = "certificate",
    /// Address.
    Source = "source",
    /// The machine's clock against the time stamp.
    Clock = "clock",
    /// `X-Road-Client`.
    Subsystem = "subsystem",
    /// State of the connection.
    State = "state",
}
words! {
    /// What is probably the matter.
    Hint:
    /// Nothing that can be read was pasted.
    NothingFound = "nothing-found",
    /// The envelope alone: credentials are in HTTP headers.
    EnvelopeOnly = "envelope-only",
    /// `Timestamp` is missing.
    NoTimestamp = "no-timestamp",
    /// `Authorization` is no Base64 of `user:hash`.
    NotBasic = "not-basic",
    /// Neither seconds nor milliseconds since 1970.
    NoEpoch = "no-epoch",
    /// In microseconds or nanoseconds.
    TooFine = "too-fine",
    /// The hash is upper case.
    UpperCase = "upper-case",
    /// The hash is Base64 of the digest.
    Base64 = "base64",
    /// As long as an MD5.
    Md5 = "md5",
    /// As long as a SHA-1.
    Sha1 = "sha1",
    /// As long as a SHA-512.
    Sha512 = "sha512",
    /// The hash was made with the time stamp in the other unit.
    OtherUnit = "other-unit",
    /// With another service_url, which is told.
    OtherUrl = "other-url",
    /// Without any service_url.
    NoUrl = "no-url",
    /// In another order.
    OtherOrder = "other-order",
    /// With the user in other letters.
    OtherUser = "other-user",
    /// With a secret that has ended.
    EndedSecret = "ended-secret",
    /// With the secret of the OAuth client, or the other way round.
    OtherSecret = "other-secret",
    /// With a line break or blanks after the secret.
    BlankAtEnd = "blank-at-end",
    /// None of the usual ways: secret or service_url.
    SecretOrUrl = "secret-or-url",
    /// In seconds of the past or future by hours: a time zone.
    TimeZone = "time-zone",
    /// In milliseconds where seconds belong.
    InMilliseconds = "in-milliseconds",
    /// Lasts longer than ten minutes.
    TooLong = "too-long",
    /// No key of this kind is registered.
    NoSuchKey = "no-such-key",
    /// A token of somebody else: it looks like a JWT.
    ForeignToken = "foreign-token",
    /// A token with blanks, quotes or parts missing.
    BrokenToken = "broken-token",
    /// The credentials were changed since the token was issued.
    ChangedSince = "changed-since",
    /// Bound to a certificate, which has to be shown.
    BoundToken = "bound-token",
    /// It is over since the time told: a proof that was pasted late looks the same.
    MayBeOld = "may-be-old",
    /// Only looked at by the server itself.
    NotInPaste = "not-in-paste",
}

/// How a check ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// As it should be.
    Right,
    /// Not so.
    Wrong,
    /// It could not be looked at, or says nothing by itself.
    Open,
}

/// One check. Values are data, as they were expected and as they came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// What was checked.
    pub name: Name,
    /// How it ended.
    pub state: State,
    /// What was expected; empty where nothing is to be said.
    pub expected: String,
    /// What came.
    pub got: String,
    /// What is probably the matter, and a value that belongs to it.
    pub hint: Option<(Hint, String)>,
}

impl Check {
    fn new(name: Name, state: State, expected: impl Into<String>, got: &str) -> Self {
        Self { name, state, expected: expected.into(), got: got.to_owned(), hint: None }
    }

    fn of(name: Name, right: bool, expected: impl Into<String>, got: &str) -> Self {
        Self::new(name, if right { State::Right } else { State::Wrong }, expected, got)
    }

    fn hint(self, hint: Hint) -> Self {
        self.hint_with(hint, "")
    }

    fn hint_with(self, hint: Hint, value: &str) -> Self {
        Self { hint: Some((hint, value.to_owned())), ..self }
    }
}

/// What was found out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// How it was read.
    pub way: Way,
    /// Whether authentication lets it in; `Err`: what it says instead.
    pub verdict: Result<(), AuthFailure>,
    /// The checks in the order in which authentication makes them.
    pub checks: Vec<Check>,
    /// The SOAP envelope or the body beside the headers, as it was pasted, for whoever reads it:
    /// it may hold personal data, and is never told again.
    pub envelope: Option<Envelope>,
}

/// An envelope that was pasted; debug output never shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope(pub String);

impl std::fmt::Debug for Envelope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Envelope(***)")
    }
}

words! {
    /// Ways to prove oneself.
    Way:
    /// The SOAP header.
    Soap = "soap",
    /// An access token.
    Token = "token",
    /// client_id and client_secret.
    Secret = "secret",
    /// private_key_jwt.
    Assertion = "assertion",
    /// Nothing that is known.
    None = "none",
}

/// Explains what a system sent.
pub fn explain(snapshot: &Snapshot, token_key: &Key, case: &Case<'_>, text: &str) -> Told {
    let pasted = paste::read(text);
    let mut told = match pasted.way() {
        Way::Soap => soap::explain(snapshot, case, &pasted),
        Way::Token => bearer::explain(token_key, case, &pasted),
        Way::Secret => client::explain(snapshot, case, &pasted),
        Way::Assertion => jwt::explain(snapshot, case, &pasted),
        Way::None => {
            let hint = match pasted.envelope {
                Some(_) => Hint::EnvelopeOnly,
                None => Hint::NothingFound,
            };
            let check = Check::of(Name::Credentials, false, "", "").hint(hint);
            Told {
                way: Way::None,
                verdict: Err(AuthFailure::Missing),
                checks: vec![check],
                envelope: None,
            }
        }
    };
    if told.way != Way::None {
        told.checks.push(state(case.system));
    }
    for check in &mut told.checks {
        check.got = case.told(&check.got);
        if let Some((_, value)) = &mut check.hint {
            *value = case.told(value);
        }
    }
    told.envelope = pasted.envelope.map(|text| Envelope(text.to_owned()));
    told
}

/// What authentication does not look at and the gate does next (B3).
fn state(system: &System) -> Check {
    let live = system.state == ConnectionState::Live;
    Check::of(Name::State, live, ConnectionState::Live.code(), system.state.code())
}

fn certificate_check(case: &Case<'_>) -> Check {
    let certificates = &case.system.certificates;
    if certificates.mode == CertificateMode::Off {
        return Check::new(Name::Certificate, State::Right, certificates.mode.code(), "");
    }
    let known = certificates.sha256.iter().map(|f| certificate::text(f)[..16].to_owned());
    let expected = known.collect::<Vec<_>>().join(", ");
    // Nobody is let in while none is registered: that can be said without seeing one.
    let none = certificates.mode == CertificateMode::Required && certificates.sha256.is_empty();
    let state = if none { State::Wrong } else { State::Open };
    let expected = format!("{}: {expected}", certificates.mode.code());
    Check::new(Name::Certificate, state, expected, "").hint(Hint::NotInPaste)
}

fn source_check(case: &Case<'_>) -> Check {
    let facts = &case.system.facts;
    let listed: Vec<String> = facts.sources.iter().map(ToString::to_string).collect();
    let expected = listed.join(", ");
    match case.source {
        _ if facts.sources.is_empty() => Check::new(Name::Source, State::Right, "", ""),
        Some(source) => {
            let source = source.to_canonical();
            Check::of(Name::Source, facts.admits(source), expected, &source.to_string())
        }
        None => Check::new(Name::Source, State::Open, expected, "").hint(Hint::NotInPaste),
    }
}

/// A value as it may be told: short, without what no text holds.
fn shown(value: &str) -> String {
    let clean = value.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c });
    let mut out: String = clean.take(VALUE_MAX).collect();
    if value.chars().count() > VALUE_MAX {
        out.push('…');
    }
    out
}
