//! A captcha that nobody has to read: the browser searches a number by SHA-256, which costs it
//! about a second and a program that tries thousands of passwords as many. The texts have the
//! shape of ALTCHA version 1, so its widget works too. Nothing is kept but what was solved.

use aws_lc_rs::constant_time;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dancu_domain::moment::MINUTE_MS;
use dancu_domain::people::MachineTime;
use dancu_store::Error;
use dancu_store::keys::random;
use serde::{Deserialize, Serialize};

use super::Trouble;
use super::once::Once;

/// The number is looked for up to here: half of it on average, a second on an old office PC at
/// some 25,000 digests a second in a browser.
pub const NUMBER_MAX: u32 = 50_000;
/// A challenge is good for so long, ms: a form may be filled slowly.
pub const CHALLENGE_MS: i64 = 10 * MINUTE_MS;
/// The one algorithm.
const ALGORITHM: &str = "SHA-256";
/// Longest solution that is looked at, characters; ours have some 300.
const PAYLOAD_MAX: usize = 1_024;

/// What the browser is given.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Challenge {
    /// Always `SHA-256`.
    pub algorithm: &'static str,
    /// SHA-256 of salt and number, hex.
    pub challenge: String,
    /// Random, with the end of its life: `<hex>?expires=<seconds since 1970>`.
    pub salt: String,
    /// Ours over the challenge, hex.
    pub signature: String,
    /// The number is at most this.
    pub maxnumber: u32,
}

/// What it sends back, as base64 of JSON.
#[derive(Deserialize)]
struct Solution {
    algorithm: String,
    challenge: String,
    number: u32,
    salt: String,
    signature: String,
}

/// Makes challenges and checks solutions.
pub struct Captcha {
    key: hmac::Key,
    used: Once,
}

impl Captcha {
    pub(super) fn new(key: hmac::Key) -> Self {
        Self { key, used: Once::default() }
    }

    /// A new challenge.
    ///
    /// # Errors
    /// No randomness.
    pub fn challenge(&self, now: MachineTime) -> Result<Challenge, Trouble> {
        let mut bytes = [0; 20];
        random(&mut bytes)?;
        let expires = now.plus_ms(CHALLENGE_MS).0.div_euclid(1_000);
        let salt = format!("{}?expires={expires}", hex::encode(&bytes[..16]));
        let number = u32::from_be_bytes([bytes[16], bytes[17], bytes[18], bytes[19]]);
        let challenge = hashed(&salt, number % (NUMBER_MAX + 1));
        let signature = hex::encode(hmac::sign(&self.key, challenge.as_bytes()));
        Ok(Challenge { algorithm: ALGORITHM, challenge, salt, signature, maxnumber: NUMBER_MAX })
    }

    /// Whether a solution is right, in time and new. It is used up by it.
    pub fn verify(&self, payload: &str, now: MachineTime) -> bool {
        let Ok(solution) = read(payload) else { return false };
        let Some((nonce, until)) = life(&solution.salt) else { return false };
        let expected = hashed(&solution.salt, solution.number);
        let same = |a: &[u8], b: &[u8]| constant_time::verify_slices_are_equal(a, b).is_ok();
        let signed = hex::encode(hmac::sign(&self.key, expected.as_bytes()));
        solution.algorithm == ALGORITHM
            && until > now
            && same(solution.challenge.as_bytes(), expected.as_bytes())
            && same(solution.signature.as_bytes(), signed.as_bytes())
            && self.used.first(nonce, until, now)
    }
}

fn hashed(salt: &str, number: u32) -> String {
    hex::encode(digest(&SHA256, format!("{salt}{number}").as_bytes()))
}

fn read(payload: &str) -> Result<Solution, Error> {
    let unreadable = Error::Crypto("captcha");
    if payload.len() > PAYLOAD_MAX {
        return Err(unreadable);
    }
    let json = STANDARD.decode(payload).map_err(|_| Error::Crypto("captcha"))?;
    serde_json::from_slice(&json).map_err(|_| unreadable)
}

/// The random part of a salt and the end of its life. A salt has one way of being written, because
/// the number follows it without a break: a digit more would be another number.
fn life(salt: &str) -> Option<([u8; 16], MachineTime)> {
    let (nonce, expires) = salt.split_once("?expires=")?;
    let mut id = [0; 16];
    hex::decode_to_slice(nonce, &mut id).ok()?;
    let seconds: i64 = expires.parse().ok()?;
    // Ten digits until the year 2286: fewer or more make room to move digits from salt to number.
    (expires.len() == 10 && nonce.bytes().all(|b| !b.is_ascii_uppercase()))
        .then(|| (id, MachineTime(seconds.saturating_mul(1_000))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: MachineTime = MachineTime(1_772_409_600_000);

    fn captcha() -> Captcha {
        Captcha::new(hmac::Key::new(hmac::HMAC_SHA256, b"test"))
    }

    fn payload(c: &Challenge, salt: &str, number: u32) -> String {
        let json = format!(
            r#"{{"algorithm":"{}","challenge":"{}","number":{number},"salt":"{salt}",
                "signature":"{}","took":3}}"#,
            c.algorithm, c.challenge, c.signature
        );
        STANDARD.encode(json)
    }

    fn solved(c: &Challenge) -> u32 {
        (0..=c.maxnumber).find(|n| hashed(&c.salt, *n) == c.challenge).unwrap()
    }

    #[test]
    fn a_solution_works_once() {
        let captcha = captcha();
        let c = captcha.challenge(NOW).unwrap();
        let right = payload(&c, &c.salt, solved(&c));
        assert!(captcha.verify(&right, NOW.plus_ms(CHALLENGE_MS - 1_000)));
        assert!(!captcha.verify(&right, NOW), "used");
    }

    /// Digits moved from the number into the salt hash to the same, and would be a longer life.
    #[test]
    fn a_number_is_a_number() {
        let captcha = captcha();
        let (c, head, tail) = loop {
            let c = captcha.challenge(NOW).unwrap();
            let number = solved(&c).to_string();
            let (head, tail) = number.split_at(1);
            if let Some(tail) = tail.parse().ok().filter(|n: &u32| n.to_string() == tail) {
                break (c, head.to_owned(), tail);
            }
        };
        let longer = format!("{}{head}", c.salt);
        assert_eq!(hashed(&longer, tail), c.challenge);
        assert!(!captcha.verify(&payload(&c, &longer, tail), NOW));
    }

    #[test]
    fn wrong_late_forged_and_unreadable_ones_do_not() {
        let captcha = captcha();
        let c = captcha.challenge(NOW).unwrap();
        let number = solved(&c);
        let right = payload(&c, &c.salt, number);
        assert!(!captcha.verify(&right, NOW.plus_ms(CHALLENGE_MS)), "late");
        assert!(!captcha.verify(&payload(&c, &c.salt, number + 1), NOW));
        let other = Captcha::new(hmac::Key::new(hmac::HMAC_SHA256, b"other"));
        assert!(!other.verify(&right, NOW), "forged");
        for text in ["", "é", "e30=", &STANDARD.encode("[]"), &"A".repeat(1 << 20)] {
            assert!(!captcha.verify(text, NOW));
        }
        assert!(captcha.verify(&right, NOW), "none of these used it up");
    }
}
