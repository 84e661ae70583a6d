//! Folding of free texts such as address details, for comparison only.

use unicode_normalization::UnicodeNormalization as _;

/// Letters and digits only, lower case, without accents: `Số 12, đường Trần Phú` →
/// `so12duongtranphu`.
pub fn fold(text: &str) -> String {
    text.nfd()
        .filter(|c| c.is_alphanumeric())
        .map(|c| if matches!(c, 'đ' | 'Đ') { 'd' } else { c })
        .flat_map(char::to_lowercase)
        .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn accents_case_and_punctuation_do_not_count() {
        assert_eq!(super::fold("Số 12, đường Trần Phú"), "so12duongtranphu");
        assert_eq!(super::fold("SO 12 DUONG TRAN PHU"), "so12duongtranphu");
        assert_ne!(super::fold("Số 13"), super::fold("Số 12"));
    }
}
