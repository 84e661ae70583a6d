//! Identifiers that exist only when valid: parse, do not validate.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::{composed, is_storable};

/// Why an identifier was not accepted. Texts for people are written where it came in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IdError {
    /// Fewer or more characters than allowed.
    #[error("wrong length")]
    Length,
    /// A character outside the allowed set.
    #[error("character not allowed")]
    Character,
}

/// Personal identification number (số định danh cá nhân): 12 digits, no check digit.
///
/// Shape: 3 province or country of birth registration, 1 century and sex, 2 year, 6 random.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PersonalId(u64);

impl PersonalId {
    /// Parses exactly 12 ASCII digits.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        digits(text, 12).map(Self)
    }

    /// From a number below 10^12.
    pub fn from_number(number: u64) -> Option<Self> {
        (number < 1_000_000_000_000).then_some(Self(number))
    }

    /// The number itself, for compact storage.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The first three digits: place of birth registration.
    pub const fn prefix(self) -> u16 {
        (self.0 / 1_000_000_000) as u16
    }

    /// The fourth digit: century and sex. 0/1 = 1900s male/female, 2/3 = 2000s, …
    pub const fn century_and_sex(self) -> u8 {
        (self.0 / 100_000_000 % 10) as u8
    }

    /// The year of birth that the number carries.
    pub const fn birth_year(self) -> i16 {
        1900 + (self.century_and_sex() / 2) as i16 * 100 + (self.0 / 1_000_000 % 100) as i16
    }

    /// The sex that the number carries; it may differ from the record after a correction.
    pub const fn sex(self) -> crate::person::Sex {
        if self.century_and_sex().is_multiple_of(2) {
            crate::person::Sex::Male
        } else {
            crate::person::Sex::Female
        }
    }
}

impl fmt::Display for PersonalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

/// Old identity-card number (số CMND): 9 digits. Not unique: some were issued twice.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OldId(u32);

impl OldId {
    /// Parses exactly 9 ASCII digits.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        digits(text, 9).map(|n| Self(n as u32))
    }

    /// From a number below 10^9.
    pub fn from_number(number: u32) -> Option<Self> {
        (number < 1_000_000_000).then_some(Self(number))
    }

    /// The number itself, for compact storage.
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Display for OldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:09}", self.0)
    }
}

/// The id a question is asked by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum SubjectId {
    /// By personal identification number.
    Personal(PersonalId),
    /// By old identity-card number.
    Old(OldId),
}

/// Ids are personal data: debug output never shows them.
macro_rules! redacted_debug {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(***)"))
            }
        }
    )*};
}
redacted_debug!(PersonalId, OldId, Login);

fn digits(text: &str, length: usize) -> Result<u64, IdError> {
    if text.len() != length {
        return Err(if text.bytes().all(|b| b.is_ascii_digit()) {
            IdError::Length
        } else {
            IdError::Character
        });
    }
    text.bytes().try_fold(0u64, |n, b| {
        if b.is_ascii_digit() { Ok(n * 10 + u64::from(b - b'0')) } else { Err(IdError::Character) }
    })
}

/// A validated short text with its own type. Where letters beyond ASCII are allowed the text is
/// kept in NFC, so that two spellings of one text are one identifier.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $min:literal ..= $max:literal, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// Parses; lengths are counted in characters of NFC.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                let allowed: fn(char) -> bool = $allowed;
                // Most ids are short words of ASCII: one look per byte, then no more.
                let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
                if ($min..=$max).contains(&text.len()) && text.as_bytes().iter().all(plain) {
                    return Ok(Self(text.into()));
                }
                let text = composed(text);
                let mut count = 0usize;
                for c in text.chars() {
                    count += 1;
                    if count > $max {
                        return Err(IdError::Length);
                    }
                    if !allowed(c) {
                        return Err(IdError::Character);
                    }
                }
                if count < $min { Err(IdError::Length) } else { Ok(Self(text.as_ref().into())) }
            }

            /// The text as parsed, in NFC.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }
    };
}

macro_rules! plain_debug {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    )*};
}

fn word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

text_id!(
    /// Login account (tài khoản đăng nhập): B6, 6383 form. Compare with [`Login::folded`]. The
    /// length is the form's; the profile may narrow it for new logins (`loginMin`, `loginMax`).
    Login, 8..=60, |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@')
);
text_id!(
    /// How an officer is named on the wire: login, officer code or citizen id, at most 60
    /// characters (MaCanBo ≤ 20 by the official document, ≤ 60 accepted).
    OfficerRef, 1..=60, is_storable
);
text_id!(
    /// Case file (mã hồ sơ): 3-60 characters of letters, digits, `. - / _`.
    CaseCode, 3..=60, |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/')
);
text_id!(
    /// Administrative-procedure code (mã thủ tục hành chính, MaDVC), e.g. 1.004194.
    ProcedureCode, 1..=20, word
);
text_id!(
    /// Registered purpose of use (mục đích sử dụng).
    Purpose, 1..=60, |c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | ' ' | '/')
);
text_id!(
    /// The caller's request id (MaYeuCau): 1-40 printable characters.
    RequestId, 1..=40, |c| is_storable(c) && c != '\u{feff}'
);
text_id!(
    /// Code of a connected system (mã hệ thống), e.g. ONESTOP.
    SystemCode, 1..=35, word
);
text_id!(
    /// Agency identifier (MaDonVi), e.g. H26.001.
    UnitCode, 1..=35, word
);
plain_debug!(OfficerCode, CaseCode, ProcedureCode, Purpose, RequestId, SystemCode, UnitCode);
text_id!(
    /// Officer code (mã cán bộ) as issued by the unit.
    OfficerCode, 1..=20, is_storable
);
redacted_debug!(OfficerRef);

impl Login {
    /// Lengths in characters that a login can have at all (B6).
    pub const LENGTH: std::ops::RangeInclusive<usize> = 8..=60;

    /// What the logins of citizens begin with.
    const CITIZEN: &str = "citizen-";
    /// Digits after it.
    const CITIZEN_DIGITS: usize = 32;

    /// The login of a citizen's account: nobody types it, it stands for the identity that the
    /// digest was made of.
    pub fn of_citizen(digest: [u8; 16]) -> Self {
        Self(format!("{}{:032x}", Self::CITIZEN, u128::from_be_bytes(digest)).into())
    }

    /// Whether a login, as the journal names actors, is that of a citizen's account.
    pub fn is_of_citizen(text: &str) -> bool {
        text.strip_prefix(Self::CITIZEN).is_some_and(|digits| {
            digits.len() == Self::CITIZEN_DIGITS && digits.bytes().all(|b| b.is_ascii_hexdigit())
        })
    }

    /// Logins are case-insensitive (B6): the form to compare and to key by.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// A 12-digit login is a citizen id, hence personal data (B6).
    pub fn is_personal_data(&self) -> bool {
        PersonalId::parse(&self.0).is_ok()
    }
}

/// A number that the store gave to a row; each kind has its own type.
macro_rules! row_id {
    ($($(#[$doc:meta])* $name:ident),*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
        pub struct $name(pub u32);
    )*};
}
row_id!(
    /// A connected system.
    SystemId,
    /// An account of a connected system.
    AccountId,
    /// A registered row: system × service × window.
    LineId,
    /// A job plan (D5).
    PlanId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_of_citizens_are_told_apart() {
        let login = Login::of_citizen([0xab; 16]);
        assert_eq!(login.as_str(), format!("citizen-{}", "ab".repeat(16)));
        assert_eq!(Login::parse(login.as_str()).as_ref(), Ok(&login));
        assert!(Login::is_of_citizen(login.as_str()));
        assert!(Login::is_of_citizen(Login::of_citizen([0; 16]).as_str()));
        for other in ["citizen-1", "onestop.canbo1", &format!("citizen-{}", "g".repeat(32)), ""] {
            assert!(!Login::is_of_citizen(other), "{other}");
        }
    }

    #[test]
    fn personal_id_parts() {
        let id = PersonalId::parse("099301012345").unwrap();
        assert_eq!(id.prefix(), 99);
        assert_eq!(id.birth_year(), 2001);
        assert_eq!(id.sex(), crate::person::Sex::Female);
        assert_eq!(id.to_string(), "099301012345");
        assert_eq!(format!("{id:?}"), "PersonalId(***)");
    }

    #[test]
    fn wrong_ids() {
        assert_eq!(PersonalId::parse("09930101234"), Err(IdError::Length));
        assert_eq!(PersonalId::parse("0993010123456"), Err(IdError::Length));
        assert_eq!(PersonalId::parse("09930101234x"), Err(IdError::Character));
        assert_eq!(PersonalId::parse("٠٩٩٣٠١"), Err(IdError::Character));
        assert_eq!(OldId::parse("12345678"), Err(IdError::Length));
        assert_eq!(Login::parse("short"), Err(IdError::Length));
        assert!(Login::parse("nguyenvana.sttt").is_ok());
        assert!(Login::parse("052082123456").unwrap().is_personal_data());
        assert!(CaseCode::parse("H26.001/2025-01_a").is_ok());
        assert_eq!(CaseCode::parse("a b"), Err(IdError::Character));
        let shortest = "a".repeat(*Login::LENGTH.start());
        let longest = "a".repeat(*Login::LENGTH.end());
        assert!(Login::parse(&shortest).is_ok() && Login::parse(&longest).is_ok());
        assert_eq!(Login::parse(&(longest + "a")), Err(IdError::Length));
    }

    #[test]
    fn texts_are_kept_in_nfc() {
        let decomposed = Purpose::parse("xa\u{301}c minh").unwrap();
        assert_eq!(decomposed, Purpose::parse("xác minh").unwrap());
        let longest = OfficerCode::parse(&"e\u{302}\u{301}".repeat(20)).unwrap();
        assert_eq!(longest.as_str(), "ế".repeat(20));
        assert_eq!(OfficerRef::parse("a\u{ffff}"), Err(IdError::Character));
    }
}
