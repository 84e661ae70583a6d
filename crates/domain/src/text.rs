//! Free texts: which characters they may hold, and their folding for comparison.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization as _, is_nfc};

/// Whether a free text may hold the character: no control character, neither of the two
/// noncharacters that XML 1.0 forbids, because an answer with one would not be well-formed, and no
/// byte order mark, which nobody sees.
pub fn is_storable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Digits of a telephone number: an extension of a small exchange has 7, E.164 at most 15.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// A telephone number as it is kept: digits, with a plus in front where it names the country.
/// Blanks, dots, hyphens and brackets do not count; none where it is none.
#[must_use]
pub fn phone(text: &str) -> Option<String> {
    let kept: String = text.chars().filter(|c| !matches!(c, ' ' | '.' | '-' | '(' | ')')).collect();
    let digits = kept.strip_prefix('+').unwrap_or(&kept);
    let fits = PHONE_DIGITS.contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    fits.then_some(kept)
}

/// The text in NFC, the form that texts are kept and compared in.
pub fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc(text) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

/// Letters and digits only, lower case, without accents: `Số 12, đường Trần Phú` →
/// `so12duongtranphu`. Between two digits one break is kept where anything stood, because
/// house `27/51` is not house `2/751`.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let (mut after_digit, mut separated) = (false, false);
    for c in text.nfd() {
        if unicode_normalization::char::is_combining_mark(c) {
            continue;
        }
        if !c.is_alphanumeric() {
            separated = true;
            continue;
        }
        let digit = c.is_numeric();
        if after_digit && separated && digit {
            folded.push(' ');
        }
        (after_digit, separated) = (digit, false);
        match c {
            'đ' | 'Đ' => folded.push('d'),
            _ => folded.extend(c.to_lowercase()),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_case_and_punctuation_do_not_count() {
        assert_eq!(fold("Số 12, đường Trần Phú"), "so12duongtranphu");
        assert_eq!(fold("SO 12 DUONG TRAN PHU"), "so12duongtranphu");
        assert_ne!(fold("Số 13"), fold("Số 12"));
        assert_eq!(fold("12A"), fold("12 a"));
    }

    #[test]
    fn numbers_stay_apart() {
        assert_ne!(fold("27/51 Trần Phú"), fold("2/751 Trần Phú"));
        assert_ne!(fold("27/51"), fold("2751"));
        assert_eq!(fold("27/51"), fold(" 27 - 51."));
        assert_eq!(fold("Số 2, ngách 7/51"), "so2ngach7 51");
    }

    #[test]
    fn telephones() {
        let kept = ["0900 000 001", "(084) 900.000-001", "+84900000001", "1234567"].map(phone);
        let wanted = ["0900000001", "084900000001", "+84900000001", "1234567"];
        assert_eq!(kept, wanted.map(|text| Some(text.to_owned())));
        for wrong in ["", "123456", "1234567890123456", "0900+000001", "0900x00001"] {
            assert_eq!(phone(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn texts() {
        assert!("Số 12 Trần Phú".chars().all(is_storable));
        assert!(
            ["\n", "\u{85}", "\u{fffe}", "\u{ffff}"].iter().all(|t| !t.chars().all(is_storable))
        );
        assert!(matches!(composed("xác minh"), Cow::Borrowed(_)));
        assert_eq!(composed("xa\u{301}c minh"), "xác minh");
    }
}
