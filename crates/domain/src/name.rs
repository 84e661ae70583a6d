//! Names of people: the text on record, a caller's spelling of it, and when the two are the same.
//!
//! Names arrive in four habits: proper case with accents, upper case with accents, upper case
//! without accents, and that without spaces; in NFC or NFD; with the tone of `oa`, `oe`, `uy` on
//! the first vowel or on the second (Hòa, Hoà). All of them are the same name.
//!
//! **Invariant:** a question with at least one accent must have all right; without any, accents
//! are not compared. Case, spaces, apostrophes and hyphens are never compared.

mod units;

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::{UnicodeNormalization, is_nfc};

use units::{Unit, Words, breaks, each_unit, is_letter, is_mark, is_precomposed, placed};

/// Longest name, in characters after NFC. The longest on public record has under 40; the forms
/// allow 100.
const MAX_CHARACTERS: usize = 100;

/// Why a text is not a name. The text for people stands with the caller's answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NameError {
    /// Nothing but white space.
    #[error("empty")]
    Empty,
    /// More than 100 characters after NFC.
    #[error("too long")]
    Length,
    /// A control character, a digit, a sign that no name has, or no letter at all.
    #[error("character not allowed")]
    Character,
}

/// Họ, chữ đệm và tên as on record: NFC, trimmed, single spaces, 1-100 characters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FullName(Box<str>);

impl FullName {
    /// Parses: letters of any script with their marks, space, `'`, `’`, `ʼ`, `-`, `.`, `·`; at
    /// least one letter. White space is trimmed and its inner runs become one space.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        clean(text).map(Self)
    }

    /// The text on record, NFC.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Upper case with accents, NFC: how many old systems print names.
    pub fn upper(&self) -> String {
        let upper: String = self.0.chars().flat_map(char::to_uppercase).collect();
        if is_nfc(&upper) { upper } else { upper.nfc().collect() }
    }

    /// Registry key: upper-case letters only, without accents, spaces, apostrophes and hyphens
    /// (`NGUYENTHIBINH`). Letters with no ASCII base stay, upper-cased.
    pub fn fold(&self) -> String {
        fold(&self.0)
    }
}

/// A caller's spelling of a name, with what matching needs worked out once.
#[derive(Clone)]
pub struct NameQuery {
    text: Box<str>,
    fold: Box<str>,
    /// Letters with accents, tones moved within words only; empty when there is no accent.
    apart: Vec<Unit>,
}

impl NameQuery {
    /// Parses by the rules of [`FullName::parse`].
    pub fn parse(text: &str) -> Result<Self, NameError> {
        clean(text).map(Self::of)
    }

    /// The key to look up by; equal to [`FullName::fold`] for every habit of the same name.
    pub fn fold(&self) -> &str {
        &self.fold
    }

    /// Whether the caller wrote any accent: then all of them must be right.
    pub fn has_accents(&self) -> bool {
        !self.apart.is_empty()
    }

    /// Whether this spelling names the person on record. Allocates only where an accented name
    /// differs and one side joins words.
    pub fn matches(&self, on_record: &FullName) -> bool {
        if self.text == on_record.0 {
            return true;
        }
        if !self.has_accents() {
            return folds_to(&on_record.0, &self.fold);
        }
        if is_spelled(&on_record.0, Words::Apart, &self.apart) {
            return true;
        }
        // Where words are joined on one side only, a tone may have moved over the lost boundary
        // (THỌAN), so both sides are read without boundaries.
        breaks(&self.text) != breaks(&on_record.0)
            && is_spelled(&on_record.0, Words::Joined, &spelling(&self.text, Words::Joined))
    }

    fn of(text: Box<str>) -> Self {
        let fold = fold(&text).into_boxed_str();
        let mut apart = spelling(&text, Words::Apart);
        if !apart.iter().any(|unit| unit.is_accented()) {
            apart.clear();
        }
        Self { text, fold, apart }
    }
}

/// As it was spelled: a question that waits is sealed and read again.
impl Serialize for NameQuery {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for NameQuery {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Names are personal data: debug output never shows them.
macro_rules! redacted_debug {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(***)"))
            }
        }
    )*};
}
redacted_debug!(FullName, NameQuery);

fn clean(text: &str) -> Result<Box<str>, NameError> {
    let text = text.trim();
    if text.is_empty() {
        Err(NameError::Empty)
    } else if text.chars().all(is_precomposed) || is_nfc(text) {
        collect(text.chars(), text.len())
    } else {
        collect(text.nfc(), text.len())
    }
}

/// Stops at the first character too many, so a long text costs no more than a name.
fn collect(chars: impl Iterator<Item = char>, bytes: usize) -> Result<Box<str>, NameError> {
    let mut text = String::with_capacity(bytes.min(4 * MAX_CHARACTERS));
    let (mut count, mut letters) = (0usize, 0usize);
    let mut after_letter = false;
    let mut after_space = true;
    for c in chars {
        let space = c.is_whitespace() && !c.is_control();
        if space && after_space {
            continue;
        }
        let mark = is_mark(c);
        let letter = is_letter(c);
        // A mark needs a letter to stand on.
        let allowed = letter
            || (mark && after_letter)
            || space
            || matches!(c, '\'' | '\u{2019}' | '\u{2bc}' | '-' | '.' | '\u{b7}');
        if !allowed {
            return Err(NameError::Character);
        }
        count += 1;
        if count > MAX_CHARACTERS {
            return Err(NameError::Length);
        }
        text.push(if space { ' ' } else { c });
        letters += usize::from(letter);
        after_letter = letter || mark;
        after_space = space;
    }
    if letters == 0 { Err(NameError::Character) } else { Ok(text.into_boxed_str()) }
}

fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    each_unit(text, &mut |unit| {
        folded.extend(unit.plain());
        true
    });
    folded
}

fn folds_to(text: &str, expected: &str) -> bool {
    let mut rest = expected.chars();
    each_unit(text, &mut |unit| unit.plain().is_none_or(|letter| rest.next() == Some(letter)))
        && rest.next().is_none()
}

fn spelling(text: &str, words: Words) -> Vec<Unit> {
    let mut units = Vec::with_capacity(text.len());
    placed(text, words, &mut |unit| {
        units.push(unit);
        true
    });
    units
}

fn is_spelled(text: &str, words: Words, expected: &[Unit]) -> bool {
    let mut rest = expected.iter();
    placed(text, words, &mut |unit| rest.next() == Some(&unit)) && rest.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_and_serde_show_no_more_than_they_should() {
        let name = FullName::parse("Nguyễn Văn Đức").unwrap();
        assert_eq!(format!("{name:?}"), "FullName(***)");
        let query = NameQuery::parse("Nguyễn Văn Đức").unwrap();
        assert_eq!(format!("{query:?}"), "NameQuery(***)");
        let json = serde_json::to_string(&name).unwrap();
        assert_eq!(json, "\"Nguyễn Văn Đức\"");
        assert_eq!(serde_json::from_str::<FullName>(&json).unwrap(), name);
    }

    #[test]
    fn accents_are_marks_of_latin_letters() {
        assert!(units::is_accent('\u{301}') && units::is_accent('\u{31b}'));
        assert!(!units::is_accent('\u{e31}'), "a Thai vowel sign is a letter of the name");
    }

    #[test]
    fn shortcuts_agree_with_unicode() {
        for c in '\0'..=char::MAX {
            assert_eq!(is_mark(c), unicode_normalization::char::is_combining_mark(c), "{c:?}");
            // Neither these characters nor any row of them can be composed further.
            let quick = unicode_normalization::is_nfc_quick([c].into_iter());
            let yes = quick == unicode_normalization::IsNormalized::Yes;
            assert!(!is_precomposed(c) || (yes && !is_mark(c)), "{c:?}");
        }
    }
}
