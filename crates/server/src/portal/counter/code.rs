//! Codes of results for paper and telephone, and the mark of a result slip.
//!
//! A code is the correlation id in letters that nobody mistakes for others; it names one entry of
//! the journal. A slip's mark adds what the slip says, with a MAC: whoever opens its address
//! learns whether a line of the paper was altered, and the server keeps nothing for it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dancu_domain::service::Field;
use dancu_gate::query::{ClaimResult, CorrelationId};
use dancu_portal::counter::{Answer, Verdict};
use dancu_store::keys::Key;

/// Digits and letters without I, L, O and U (Crockford's alphabet).
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Before each code.
const PREFIX: &str = "DC-";
/// Bytes of a journal index in a code: 2^40 entries are some centuries.
const INDEX_BYTES: usize = 5;
/// Symbols of a code: 40 bits of index, 64 random ones and one that is 0.
const SYMBOLS: usize = 21;
/// Rows that a slip has at most: the three keys and what may be compared.
const ROWS_MAX: usize = 16;
/// Bytes of the MAC of a slip: 64 bits cannot be tried out at a page with a pace.
const MAC_BYTES: usize = 8;
/// Another version is another slip.
const LABEL: &[u8] = b"dancu slip 1 ";

/// The code of a result; ids that no code has room for stay as they are.
pub(super) fn of(id: CorrelationId) -> String {
    let CorrelationId(bytes) = id;
    if bytes[..8 - INDEX_BYTES].iter().any(|byte| *byte != 0) {
        return id.to_string();
    }
    let mut bits: u128 = 0;
    for byte in &bytes[8 - INDEX_BYTES..] {
        bits = bits << 8 | u128::from(*byte);
    }
    bits <<= 1;
    let mut text = PREFIX.to_owned();
    for at in 0..SYMBOLS {
        if at > 0 && at % 4 == 0 && at < SYMBOLS - 1 {
            text.push('-');
        }
        let symbol = bits >> (5 * (SYMBOLS - 1 - at)) & 31;
        text.push(char::from(LETTERS[symbol as usize]));
    }
    text
}

/// A code as somebody typed it: any case, any breaks, O for 0, I and L for 1. Ids in hexadecimal
/// digits, as systems are told them, are codes too.
pub(super) fn parse(text: &str) -> Option<CorrelationId> {
    let text = text.trim().to_ascii_uppercase();
    let mut id = [0; 16];
    if text.len() == 32 && hex::decode_to_slice(&text, &mut id).is_ok() {
        return Some(CorrelationId(id));
    }
    let rest = text.strip_prefix("DC").unwrap_or(&text);
    let (mut bits, mut count) = (0u128, 0);
    for symbol in rest.chars().filter(|c| !matches!(c, '-' | '–' | ' ')) {
        let symbol = match symbol {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        let value = LETTERS.iter().position(|letter| char::from(*letter) == symbol)?;
        count += 1;
        if count > SYMBOLS {
            return None;
        }
        bits = bits << 5 | value as u128;
    }
    if count != SYMBOLS || bits & 1 != 0 {
        return None;
    }
    let bits = (bits >> 1).to_be_bytes();
    id[8 - INDEX_BYTES..].copy_from_slice(&bits[16 - INDEX_BYTES - 8..]);
    Some(CorrelationId(id))
}

/// Index and random part of an id.
pub(super) fn parts(id: CorrelationId) -> (u64, [u8; 8]) {
    let (mut index, mut nonce) = ([0; 8], [0; 8]);
    index.copy_from_slice(&id.0[..8]);
    nonce.copy_from_slice(&id.0[8..]);
    // The journal counts from 0 to the largest signed number.
    (u64::from_be_bytes(index) & i64::MAX.cast_unsigned(), nonce)
}

/// What a slip says, without whom it is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Said {
    pub(super) id: CorrelationId,
    pub(super) verdict: Verdict,
    pub(super) deceased: bool,
    pub(super) rows: Vec<(Field, Answer)>,
}

/// How a claim's result is shown.
pub(super) const fn answer(result: ClaimResult) -> Answer {
    match result {
        ClaimResult::Match => Answer::Match,
        ClaimResult::Mismatch => Answer::Mismatch,
        ClaimResult::Unknown => Answer::Unknown,
    }
}

const VERDICTS: [Verdict; 4] =
    [Verdict::Match, Verdict::Partly, Verdict::Unknown, Verdict::NoMatch];
const ANSWERS: [Answer; 3] = [Answer::Match, Answer::Mismatch, Answer::Unknown];

fn place<T: PartialEq>(list: &[T], value: &T) -> u8 {
    list.iter().position(|known| known == value).unwrap_or_default() as u8
}

/// The mark of a slip, for its address.
pub(super) fn slip(key: &Key, said: &Said) -> String {
    let mut bytes = said.id.0.to_vec();
    bytes.push(place(&VERDICTS, &said.verdict));
    bytes.push(u8::from(said.deceased));
    for (field, answer) in said.rows.iter().take(ROWS_MAX) {
        bytes.push(*field as u8);
        bytes.push(place(&ANSWERS, answer));
    }
    let mac = key.digest16(&[LABEL, &bytes]);
    bytes.extend_from_slice(&mac[..MAC_BYTES]);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What a slip says, where its mark is ours and unchanged.
pub(super) fn said(key: &Key, mark: &str) -> Option<Said> {
    let longest = 18 + 2 * ROWS_MAX + MAC_BYTES;
    if mark.len() > longest.div_ceil(3) * 4 {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(mark).ok()?;
    let (body, mac) = bytes.split_at_checked(bytes.len().checked_sub(MAC_BYTES)?)?;
    let expected = key.digest16(&[LABEL, body]);
    aws_lc_rs::constant_time::verify_slices_are_equal(mac, &expected[..MAC_BYTES]).ok()?;
    let (id, rest) = body.split_first_chunk::<16>()?;
    let [verdict, deceased, rows @ ..] = rest else { return None };
    let row = |row: &[u8]| {
        let [field, answer] = row else { return None };
        let field = Field::ALL.iter().copied().find(|f| *f as u8 == *field)?;
        Some((field, *ANSWERS.get(usize::from(*answer))?))
    };
    Some(Said {
        id: CorrelationId(*id),
        verdict: *VERDICTS.get(usize::from(*verdict))?,
        deceased: *deceased == 1,
        rows: rows.chunks(2).map(row).collect::<Option<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(index: u64, nonce: u64) -> CorrelationId {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&index.to_be_bytes());
        bytes[8..].copy_from_slice(&nonce.to_be_bytes());
        CorrelationId(bytes)
    }

    #[test]
    fn codes_are_read_as_they_are_typed() {
        for (index, nonce) in [(0, 0), (1, 1), (1_204_417, u64::MAX), ((1 << 40) - 1, 0x1234_5678)]
        {
            let code = of(id(index, nonce));
            assert_eq!((code.len(), &code[..3]), (28, "DC-"), "{code}");
            for typed in [
                code.clone(),
                code.to_lowercase(),
                code.replace('-', " "),
                code.replace('-', ""),
                code.replace('0', "o"),
                code.replace('1', "l"),
                format!("  {} ", code.trim_start_matches("DC-")),
            ] {
                assert_eq!(parse(&typed).map(parts), Some((index, nonce.to_be_bytes())), "{typed}");
            }
        }
        // Ids of answers without an entry, and those of other interfaces.
        let loose = id(u64::MAX, 7);
        assert_eq!(of(loose), loose.to_string());
        assert_eq!(parse(&loose.to_string()), Some(loose));
        for wrong in
            ["", "DC-", "DC-0000", "U", "DC-0000-0000-0000-0000-0000é", "x".repeat(99).as_str()]
        {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn texts_of_any_signs_are_read_or_not() {
        let signs: Vec<char> = "0123456789abcdEFGHJKMNPQRSTVWXYZoil-– DCuế\u{0}".chars().collect();
        let mut state = 7_u64;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..state % 33 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                text.push(signs[(state >> 33) as usize % signs.len()]);
            }
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            if let Some(id) = parse(&text) {
                assert_eq!(parse(&of(id)), Some(id), "{text:?}");
            }
        }
    }
}
