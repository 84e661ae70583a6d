//! Access tokens of the OAuth client-credentials grant: opaque to clients, checked by one MAC.
//!
//! A token that was issued over a client certificate is bound to it (RFC 8705, `cnf` with
//! `x5t#S256`): whoever steals it without the certificate's key has nothing.

use std::net::IpAddr;

use aws_lc_rs::constant_time;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dancu_domain::ids::SystemId;
use dancu_domain::moment::Moment;
use dancu_domain::registration::System;
use dancu_store::keys::Key;

use crate::AuthFailure;
use crate::certificate::{self, Fingerprint};

/// Life of a token, seconds; less where the secret that it is given for ends before
/// ([`life_ms`]).
pub const TOKEN_SECONDS: u32 = 3_600;
/// A token for whoever holds it, and one that is bound to a certificate. The prefix is part of
/// what the MAC covers: neither can be made into the other.
const PREFIX: &str = "dcu1.";
const BOUND_PREFIX: &str = "dcu2.";
const BODY: usize = 4 + 4 + 8 + 8;
const BOUND_BODY: usize = BODY + 32;
const MAC: usize = 16;

/// What a token proves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Claims {
    /// The system.
    pub system: SystemId,
    /// Version of its credentials when the token was made.
    pub credential_version: u32,
    /// Machine clock, ms.
    pub expires_at: i64,
    /// The certificate that it is bound to; `None`: whoever holds it may use it.
    pub certificate: Option<Fingerprint>,
}

impl Claims {
    /// Whether a caller with this certificate, or with none, may use the token.
    pub fn admit(&self, shown: Option<&Fingerprint>) -> bool {
        self.certificate.is_none() || self.certificate.as_ref() == shown
    }
}

/// Makes a token. `nonce` is random.
pub fn mint(key: &Key, claims: Claims, nonce: [u8; 8]) -> String {
    let prefix = if claims.certificate.is_some() { BOUND_PREFIX } else { PREFIX };
    let mut bytes = Vec::with_capacity(BOUND_BODY + MAC);
    bytes.extend_from_slice(&claims.system.0.to_be_bytes());
    bytes.extend_from_slice(&claims.credential_version.to_be_bytes());
    bytes.extend_from_slice(&claims.expires_at.to_be_bytes());
    bytes.extend_from_slice(&nonce);
    bytes.extend_from_slice(claims.certificate.as_ref().map_or(&[], |c| &c[..]));
    let mac = key.digest16(&[prefix.as_bytes(), &bytes]);
    bytes.extend_from_slice(&mac);
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// Checks a token. `now` is the machine's clock, ms. Whose certificate was shown is for the caller
/// to compare: [`Claims::admit`].
pub fn verify(key: &Key, token: &str, now: i64) -> Result<Claims, AuthFailure> {
    let claims = read(key, token)?;
    if claims.expires_at <= now {
        return Err(AuthFailure::Stale);
    }
    Ok(claims)
}

/// Life of a token that is made at a moment of the product's clock, ms: never beyond the end of the
/// secret that it is given for.
pub fn life_ms(until: Option<Moment>, at: Moment) -> i64 {
    let longest = i64::from(TOKEN_SECONDS) * 1_000;
    until.map_or(longest, |until| until.0.saturating_sub(at.0).min(longest))
}

/// Whether a text begins as tokens of ours do.
pub(crate) fn is_ours(text: &str) -> bool {
    text.starts_with(PREFIX) || text.starts_with(BOUND_PREFIX)
}

/// The token of an `Authorization` header.
pub fn of_header(header: &str) -> Option<&str> {
    let (scheme, text) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| text.trim())
}

/// Whether the token lets its system in: by the credentials of now (E3), over a certificate that is
/// registered where one is needed, and from where the system calls. Its end is looked at by
/// [`verify`].
///
/// # Errors
/// What is in the way.
pub fn admit(
    claims: &Claims,
    system: &System,
    shown: Option<&Fingerprint>,
    source: IpAddr,
) -> Result<(), AuthFailure> {
    if system.credential_version != claims.credential_version {
        return Err(AuthFailure::Wrong);
    }
    if !claims.admit(shown) || !certificate::admits(&system.certificates, shown) {
        return Err(AuthFailure::ForeignCertificate);
    }
    if !system.facts.admits(source) {
        return Err(AuthFailure::ForeignSource);
    }
    Ok(())
}

/// What a token of ours says, also one that is expired.
///
/// # Errors
/// [`AuthFailure::Malformed`], [`AuthFailure::Wrong`] where it is none of ours.
pub fn read(key: &Key, token: &str) -> Result<Claims, AuthFailure> {
    let plain = token.strip_prefix(PREFIX).map(|text| (PREFIX, BODY, text));
    let bound = || token.strip_prefix(BOUND_PREFIX).map(|text| (BOUND_PREFIX, BOUND_BODY, text));
    let (prefix, length, text) = plain.or_else(bound).ok_or(AuthFailure::Malformed)?;
    let mut bytes = [0; BOUND_BODY + MAC];
    let n = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).map_err(|_| AuthFailure::Malformed)?;
    if n != length + MAC {
        return Err(AuthFailure::Malformed);
    }
    let (body, mac) = bytes[..n].split_at(length);
    let expected = key.digest16(&[prefix.as_bytes(), body]);
    constant_time::verify_slices_are_equal(&expected, mac).map_err(|_| AuthFailure::Wrong)?;
    let u32_at = |i: usize| u32::from_be_bytes([body[i], body[i + 1], body[i + 2], body[i + 3]]);
    let expires_at = (i64::from(u32_at(8)) << 32) | i64::from(u32_at(12));
    Ok(Claims {
        system: SystemId(u32_at(0)),
        credential_version: u32_at(4),
        expires_at,
        certificate: body[BODY..].try_into().ok(),
    })
}
