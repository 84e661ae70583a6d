//! One-time codes by time (RFC 6238 over RFC 4226): SHA-1, six digits, 30 seconds, because that is
//! what every application on a phone makes. Which step is accepted is decided by
//! [`dancu_domain::people::totp`].

use aws_lc_rs::hmac;
use dancu_domain::people::MachineTime;
use dancu_domain::people::totp::{OneTimeCode, Step};
use dancu_store::keys::random;

use super::Trouble;
use super::qr::{Qr, qr};

/// Bytes of a secret (RFC 4226, 4: 160 bits are recommended).
const SECRET: usize = 20;
/// Six digits.
const CODES: u32 = 1_000_000;
/// RFC 4648, 6.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A new secret.
///
/// # Errors
/// No randomness.
pub fn secret() -> Result<Vec<u8>, Trouble> {
    let mut secret = vec![0; SECRET];
    random(&mut secret)?;
    Ok(secret)
}

/// The number of the code of a step, below 10^6.
fn number(secret: &[u8], step: Step) -> u32 {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.0.to_be_bytes());
    let tag = tag.as_ref();
    // Dynamic truncation (RFC 4226, 5.3).
    let at = usize::from(tag[tag.len() - 1] & 0x0f);
    let four = u32::from_be_bytes([tag[at], tag[at + 1], tag[at + 2], tag[at + 3]]);
    (four & 0x7fff_ffff) % CODES
}

/// The code of a step, six digits.
pub fn code(secret: &[u8], step: Step) -> String {
    format!("{:06}", number(secret, step))
}

/// The step whose code was typed, among those that may be accepted. All of them are compared: the
/// time taken does not tell which one it was.
pub fn matched(
    secret: &[u8],
    last: Option<Step>,
    code: OneTimeCode,
    now: MachineTime,
) -> Option<Step> {
    let mut found = None;
    for step in Step::candidates(last, now) {
        if number(secret, step) == code.number() {
            found = Some(step);
        }
    }
    found
}

/// Base32 without padding (RFC 4648, 6), as applications on phones read it.
pub fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut buffer, mut bits) = (0u32, 0);
    for byte in bytes {
        buffer = buffer << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(ALPHABET[(buffer >> bits & 31) as usize]));
        }
        buffer &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(char::from(ALPHABET[(buffer << (5 - bits) & 31) as usize]));
    }
    text
}

/// Reads it again; blanks and either case are allowed.
pub fn from_base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut buffer, mut bits) = (0u32, 0);
    for c in text.bytes().filter(|c| !matches!(c, b' ' | b'=')) {
        let value = ALPHABET.iter().position(|a| *a == c.to_ascii_uppercase())?;
        buffer = buffer << 5 | value as u32;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((buffer >> bits & 0xff) as u8);
            buffer &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

/// What a person needs to take a secret over to a phone.
pub struct TotpEnrolment {
    /// Base32 in groups of four, to be typed by hand.
    pub secret: String,
    /// The address that the code holds.
    pub uri: String,
    /// The code.
    pub qr: Option<Qr>,
}

impl TotpEnrolment {
    /// Of a secret, named by site and login in the application.
    pub fn new(secret: &[u8], site: &str, login: &str) -> Self {
        let secret = base32(secret);
        let (site, login) = (escaped(site), escaped(login));
        let uri = format!(
            "otpauth://totp/{site}:{login}?secret={secret}&issuer={site}\
             &algorithm=SHA1&digits=6&period=30"
        );
        Self { secret: grouped(&secret, ' '), qr: qr(&uri), uri }
    }
}

/// In groups of four.
pub(super) fn grouped(text: &str, between: char) -> String {
    let mut out = String::with_capacity(text.len() * 5 / 4);
    for (i, c) in text.chars().enumerate() {
        if i > 0 && i % 4 == 0 {
            out.push(between);
        }
        out.push(c);
    }
    out
}

/// Percent-encoding of everything but unreserved characters (RFC 3986, 2.3).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            other => {
                const HEX: &[u8; 16] = b"0123456789ABCDEF";
                out.push('%');
                out.push(char::from(HEX[usize::from(other >> 4)]));
                out.push(char::from(HEX[usize::from(other & 15)]));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: time in seconds and the last six of the eight digits, SHA-1.
    #[test]
    fn vectors_of_the_standard() {
        let secret = b"12345678901234567890";
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let now = MachineTime(seconds * 1000);
            assert_eq!(code(secret, Step::at(now)), expected, "{seconds}");
            let typed = OneTimeCode::parse(expected).unwrap();
            assert_eq!(matched(secret, None, typed, now), Some(Step::at(now)));
            assert_eq!(matched(secret, Some(Step::at(now)), typed, now), None, "used");
        }
    }

    /// RFC 4648, 10.
    #[test]
    fn base32_both_ways() {
        for (plain, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(plain.as_bytes()), text);
            assert_eq!(from_base32(text).unwrap(), plain.as_bytes());
        }
        assert_eq!(from_base32("mzxw 6ytb oi==").unwrap(), b"foobar");
        assert_eq!(from_base32("MZXW1"), None);
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(from_base32(&base32(&all)).unwrap(), all);
    }

    #[test]
    fn what_a_phone_reads() {
        let made = TotpEnrolment::new(b"12345678901234567890", "Dân cư", "a@b.canbo1");
        assert_eq!(made.secret, "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        assert!(made.uri.starts_with("otpauth://totp/D%C3%A2n%20c%C6%B0:a%40b.canbo1?secret=GEZD"));
        assert!(made.uri.contains("issuer=D%C3%A2n%20c%C6%B0&"));
        assert!(made.qr.is_some_and(|qr| qr.size > 40));
    }
}
