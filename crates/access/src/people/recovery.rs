//! Recovery codes: ten, of 80 random bits each, shown once and kept as keyed digests (E2).

use aws_lc_rs::constant_time;
use dancu_domain::people::PersonId;
use dancu_domain::people::factors::RECOVERY_CODES;
use dancu_store::keys::random;

use super::Trouble;
use super::keys::Keys;
use super::totp::grouped;

/// Random bytes of a code: 80 bits, which nobody guesses even from the digests.
const BYTES: usize = 10;
/// Characters of a code without its groups: five bits each.
const CHARACTERS: usize = BYTES * 8 / 5;
/// Characters that are read at all: a code with something between any two.
const TYPED_MAX: usize = 4 * CHARACTERS;
/// Digits and letters of which no two look alike, whatever the font (Crockford's base 32: no I, L,
/// O, U).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A new set: the codes as shown, in groups of four, and their digests as stored.
pub(super) fn issue(
    keys: &Keys,
    person: PersonId,
) -> Result<(Vec<String>, Vec<[u8; 32]>), Trouble> {
    let mut shown = Vec::with_capacity(RECOVERY_CODES.into());
    let mut digests = Vec::with_capacity(RECOVERY_CODES.into());
    for _ in 0..RECOVERY_CODES {
        let mut bytes = [0; BYTES];
        random(&mut bytes)?;
        let code = text(&bytes);
        digests.push(keys.recovery(person.0, &code));
        shown.push(grouped(&code, '-'));
    }
    Ok((shown, digests))
}

fn text(bytes: &[u8; BYTES]) -> String {
    let mut out = String::with_capacity(CHARACTERS);
    for five in bytes.chunks(5) {
        let forty = five.iter().fold(0u64, |n, b| n << 8 | u64::from(*b));
        for i in (0..8).rev() {
            out.push(char::from(ALPHABET[(forty >> (5 * i) & 31) as usize]));
        }
    }
    out
}

/// What was typed, as the code is digested: upper case, without groups, look-alikes read as what
/// they stand for. `None`: no code.
pub(super) fn read(typed: &str) -> Option<String> {
    if typed.len() > TYPED_MAX {
        return None;
    }
    let mut code = String::with_capacity(CHARACTERS);
    for c in typed.chars().filter(|c| !matches!(c, ' ' | '-' | '\t')) {
        let c = match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        if !c.is_ascii() || !ALPHABET.contains(&(c as u8)) {
            return None;
        }
        code.push(c);
    }
    (code.len() == CHARACTERS).then_some(code)
}

/// The number of the code with this digest. All are compared: the time taken does not tell which.
pub(super) fn find(codes: &[[u8; 32]], digest: &[u8; 32]) -> Option<u8> {
    let mut found = None;
    for (number, code) in (0u8..).zip(codes) {
        if constant_time::verify_slices_are_equal(code, digest).is_ok() {
            found = Some(number);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_people_type_them() {
        let code = text(&[0, 68, 50, 20, 199, 66, 84, 182, 53, 207]);
        assert_eq!(code, "01234567".to_owned() + "89ABCDEF");
        let shown = grouped(&code, '-');
        assert_eq!(shown, "0123-4567-89AB-CDEF");
        for typed in [&shown, "0123456789abcdef", "o i23 4567-89ab cdef", " 0l23-4567-89AB-CDEF\t"]
        {
            assert_eq!(read(typed).as_deref(), Some(&*code), "{typed:?}");
        }
        let long = "0".repeat(10_000);
        for typed in
            ["", "0123-4567-89AB-CDE", "0123-4567-89AB-CDEFG", "0123-4567-89AB-CDEÉ", &long]
        {
            assert_eq!(read(typed), None, "{typed:?}");
        }
    }

    #[test]
    fn the_number_of_a_code_is_found() {
        let codes = [[1; 32], [2; 32], [3; 32]];
        assert_eq!(find(&codes, &[3; 32]), Some(2));
        assert_eq!(find(&codes, &[4; 32]), None);
        assert_eq!(find(&[], &[0; 32]), None);
    }
}
