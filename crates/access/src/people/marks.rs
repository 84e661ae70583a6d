//! Cookies: 32 random bytes that only the browser has. What is stored, or named in a ticket, is
//! their SHA-256, so that nobody becomes somebody by reading a database.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dancu_store::keys::random;

use super::Trouble;

/// Bytes of a cookie's value: nobody guesses one of 2^256.
const BYTES: usize = 32;
/// The same as base64url.
const CHARACTERS: usize = 43;

/// A new value for a cookie: 32 random bytes as base64url, 43 characters.
///
/// # Errors
/// No randomness.
pub fn new_cookie() -> Result<String, Trouble> {
    let mut bytes = [0; BYTES];
    random(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// SHA-256 of a cookie's value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Mark(pub [u8; 32]);

impl Mark {
    /// Of a value that a browser sent; `None`: it is not one of ours.
    pub fn of(cookie: &str) -> Option<Self> {
        let shaped = cookie.len() == CHARACTERS
            && cookie.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        shaped.then(|| {
            let mut mark = [0; 32];
            mark.copy_from_slice(digest(&SHA256, cookie.as_bytes()).as_ref());
            Self(mark)
        })
    }

    /// As text for forms: 64 hex digits. A mark opens nothing.
    pub fn text(self) -> String {
        hex::encode(self.0)
    }

    /// Reads it again.
    pub fn parse(text: &str) -> Option<Self> {
        let mut mark = [0; 32];
        hex::decode_to_slice(text, &mut mark).ok()?;
        Some(Self(mark))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_have_one_shape() {
        let cookie = new_cookie().unwrap();
        assert_eq!(cookie.len(), CHARACTERS);
        assert_ne!(new_cookie().unwrap(), cookie);
        let mark = Mark::of(&cookie).unwrap();
        assert_eq!(Mark::parse(&mark.text()), Some(mark));
        let (short, long) = (&cookie[1..], format!("{cookie}A"));
        let foreign = format!("{}=", &cookie[1..]);
        for other in ["", short, &long, &foreign, &"é".repeat(CHARACTERS / 2)] {
            assert_eq!(Mark::of(other), None, "{other}");
        }
    }
}
