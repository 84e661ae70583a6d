//! Access tokens of the OAuth client-credentials grant: opaque to clients, checked by one MAC.

use aws_lc_rs::constant_time;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dancu_domain::ids::SystemId;
use dancu_store::keys::Key;

use crate::AuthFailure;

/// Life of a token, seconds.
pub const TOKEN_SECONDS: u32 = 3_600;
const PREFIX: &str = "dcu1.";
const BODY: usize = 4 + 4 + 8 + 8;

/// What a token proves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Claims {
    /// The system.
    pub system: SystemId,
    /// Version of its credentials when the token was made.
    pub credential_version: u32,
    /// Machine clock, ms.
    pub expires_at: i64,
}

/// Makes a token. `nonce` is random.
pub fn mint(key: &Key, claims: Claims, nonce: [u8; 8]) -> String {
    let mut bytes = Vec::with_capacity(BODY + 16);
    bytes.extend_from_slice(&claims.system.0.to_be_bytes());
    bytes.extend_from_slice(&claims.credential_version.to_be_bytes());
    bytes.extend_from_slice(&claims.expires_at.to_be_bytes());
    bytes.extend_from_slice(&nonce);
    let mac = key.digest16(&[PREFIX.as_bytes(), &bytes]);
    bytes.extend_from_slice(&mac);
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// Checks a token. `now` is the machine's clock, ms.
pub fn verify(key: &Key, token: &str, now: i64) -> Result<Claims, AuthFailure> {
    let text = token.strip_prefix(PREFIX).ok_or(AuthFailure::Malformed)?;
    let mut bytes = [0; BODY + 16];
    let n = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).map_err(|_| AuthFailure::Malformed)?;
    if n != bytes.len() {
        return Err(AuthFailure::Malformed);
    }
    let (body, mac) = bytes.split_at(BODY);
    let expected = key.digest16(&[PREFIX.as_bytes(), body]);
    constant_time::verify_slices_are_equal(&expected, mac).map_err(|_| AuthFailure::Wrong)?;
    let u32_at = |i: usize| u32::from_be_bytes([body[i], body[i + 1], body[i + 2], body[i + 3]]);
    let expires_at = (i64::from(u32_at(8)) << 32) | i64::from(u32_at(12));
    if expires_at <= now {
        return Err(AuthFailure::Stale);
    }
    Ok(Claims { system: SystemId(u32_at(0)), credential_version: u32_at(4), expires_at })
}
