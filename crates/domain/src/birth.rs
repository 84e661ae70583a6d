//! Dates of birth: a day, or only the year as many of the old have it.

use std::fmt;

use jiff::civil::Date;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Earliest year of birth that is accepted; the registry holds nobody older.
pub const FIRST_YEAR: i16 = 1850;

/// Ngày, tháng, năm sinh, or only năm sinh.
///
/// Serialized as its [`Display`](fmt::Display) text in readable formats, as one number `yyyymmdd`
/// or `yyyy0000` in the sealed record.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum BirthDate {
    /// Full date.
    Day(Date),
    /// Only the year.
    Year(i16),
}

/// Why a text is not a date of birth.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BirthError {
    /// Not written in one of the accepted forms.
    #[error("not a date form")]
    Format,
    /// A day that no calendar has, e.g. 2023-02-29.
    #[error("no such day")]
    Impossible,
    /// After today.
    #[error("in the future")]
    Future,
    /// Before [`FIRST_YEAR`].
    #[error("too long ago")]
    TooOld,
}

/// How far two dates of birth could be compared.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Precision {
    /// Both were compared as they are, two bare years included.
    Day,
    /// One has only a year: the answer says `precision: "year"`.
    Year,
}

impl BirthDate {
    /// Parses `yyyyMMdd`, `yyyy-MM-dd` or `yyyy`; white space around it is ignored.
    pub fn parse(text: &str, today: Date) -> Result<Self, BirthError> {
        read(text.trim())?.not_after(today)
    }

    /// Parses a full date only (NgayThangNam).
    pub fn parse_day(text: &str, today: Date) -> Result<Self, BirthError> {
        match read(text.trim())? {
            day @ Self::Day(_) => day.not_after(today),
            Self::Year(_) => Err(BirthError::Format),
        }
    }

    /// Parses a bare year only (Nam).
    pub fn parse_year(text: &str, today: Date) -> Result<Self, BirthError> {
        match read(text.trim())? {
            year @ Self::Year(_) => year.not_after(today),
            Self::Day(_) => Err(BirthError::Format),
        }
    }

    /// The year of birth.
    pub fn year(self) -> i16 {
        match self {
            Self::Day(date) => date.year(),
            Self::Year(year) => year,
        }
    }

    /// `yyyyMMdd` or `yyyy`, as SOAP answers have it.
    pub fn compact(self) -> String {
        match self {
            Self::Day(d) => format!("{:04}{:02}{:02}", d.year(), d.month(), d.day()),
            Self::Year(year) => format!("{year:04}"),
        }
    }

    /// Compares a question with the record; `None` when they differ. Where one side has only a
    /// year, years are compared and the precision is [`Precision::Year`].
    pub fn matches(self, on_record: Self) -> Option<Precision> {
        match (self, on_record) {
            (Self::Day(_), Self::Day(_)) | (Self::Year(_), Self::Year(_)) => {
                (self == on_record).then_some(Precision::Day)
            }
            _ => (self.year() == on_record.year()).then_some(Precision::Year),
        }
    }

    /// The part of the registry key: the year, since a bare year must find a full date.
    pub fn folded_key(self) -> i16 {
        self.year()
    }

    fn not_after(self, today: Date) -> Result<Self, BirthError> {
        let future = match self {
            Self::Day(date) => date > today,
            Self::Year(year) => year > today.year(),
        };
        if future { Err(BirthError::Future) } else { Ok(self) }
    }

    fn to_number(self) -> u32 {
        let (year, month, day) = match self {
            Self::Day(date) => (date.year(), date.month(), date.day()),
            Self::Year(year) => (year, 0, 0),
        };
        u32::from(year.unsigned_abs()) * 10_000 + month as u32 * 100 + day as u32
    }

    fn from_number(number: u32) -> Result<Self, BirthError> {
        let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
        let year = i16::try_from(year).map_err(|_| BirthError::Impossible)?;
        if year < FIRST_YEAR {
            Err(BirthError::TooOld)
        } else if month == 0 && day == 0 {
            Ok(Self::Year(year))
        } else {
            let date = Date::new(year, month as i8, day as i8);
            date.map(Self::Day).map_err(|_| BirthError::Impossible)
        }
    }
}

/// Reads any of the three forms, without the question of today.
fn read(text: &str) -> Result<BirthDate, BirthError> {
    let bytes = text.as_bytes();
    let year = number(bytes.get(..4))?;
    let (month, day) = match bytes.len() {
        4 => return BirthDate::from_number(year * 10_000),
        8 => (number(bytes.get(4..6))?, number(bytes.get(6..))?),
        10 if bytes[4] == b'-' && bytes[7] == b'-' => {
            (number(bytes.get(5..7))?, number(bytes.get(8..))?)
        }
        _ => return Err(BirthError::Format),
    };
    match BirthDate::from_number(year * 10_000 + month * 100 + day)? {
        BirthDate::Year(_) => Err(BirthError::Impossible),
        day @ BirthDate::Day(_) => Ok(day),
    }
}

fn number(digits: Option<&[u8]>) -> Result<u32, BirthError> {
    digits.unwrap_or(b"-").iter().try_fold(0, |n, b| match b {
        b'0'..=b'9' => Ok(n * 10 + u32::from(b - b'0')),
        _ => Err(BirthError::Format),
    })
}

/// `YYYY-MM-DD` or `YYYY`.
impl fmt::Display for BirthDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(d) => write!(f, "{:04}-{:02}-{:02}", d.year(), d.month(), d.day()),
            Self::Year(year) => write!(f, "{year:04}"),
        }
    }
}

/// Personal data: debug output never shows it.
impl fmt::Debug for BirthDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BirthDate(***)")
    }
}

impl Serialize for BirthDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_u32(self.to_number())
        }
    }
}

impl<'de> Deserialize<'de> for BirthDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            read(&String::deserialize(deserializer)?).map_err(D::Error::custom)
        } else {
            Self::from_number(u32::deserialize(deserializer)?).map_err(D::Error::custom)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const TODAY: Date = date(2026, 3, 10);

    fn parse(text: &str) -> Result<BirthDate, BirthError> {
        BirthDate::parse(text, TODAY)
    }

    #[test]
    fn forms() {
        let day = BirthDate::Day(date(1984, 2, 29));
        for text in ["19840229", "1984-02-29", " 1984-02-29\n"] {
            assert_eq!(parse(text), Ok(day), "{text}");
        }
        assert_eq!(parse("1950"), Ok(BirthDate::Year(1950)));
        assert_eq!((day.to_string(), day.compact()), ("1984-02-29".into(), "19840229".into()));
        assert_eq!(BirthDate::Year(1950).to_string(), "1950");
        assert_eq!(BirthDate::Year(1950).compact(), "1950");
        assert_eq!(day.folded_key(), 1984);
        assert_eq!(format!("{day:?}"), "BirthDate(***)");
    }

    #[test]
    fn refusals() {
        use BirthError::{Format, Future, Impossible, TooOld};
        for (text, error) in [
            ("", Format),
            ("19", Format),
            ("195", Format),
            ("198402", Format),
            ("1984/02/29", Format),
            ("29-02-1984", Format),
            ("1984-2-291", Format),
            ("1984022x", Format),
            ("+1984022", Format),
            ("19840229T00:00:00", Format),
            ("١٩٥٠", Format),
            ("năm1", Format),
            ("2023-02-29", Impossible),
            ("19000229", Impossible),
            ("19841301", Impossible),
            ("19840100", Impossible),
            ("19840001", Impossible),
            ("19840000", Impossible),
            ("1849", TooOld),
            ("00000000", TooOld),
            ("18491231", TooOld),
            ("2026-03-11", Future),
            ("2027", Future),
            ("9999-12-31", Future),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
        assert!(parse("2026-03-10").is_ok() && parse("2026").is_ok() && parse("1850").is_ok());
    }

    #[test]
    fn nested_forms_are_strict() {
        assert_eq!(BirthDate::parse_day("1950", TODAY), Err(BirthError::Format));
        assert_eq!(BirthDate::parse_year("19500101", TODAY), Err(BirthError::Format));
        assert_eq!(BirthDate::parse_year("1950", TODAY), Ok(BirthDate::Year(1950)));
        assert!(BirthDate::parse_day("19500101", TODAY).is_ok());
        assert_eq!(BirthDate::parse_day("20260311", TODAY), Err(BirthError::Future));
    }

    #[test]
    fn years_match_days_and_say_so() {
        let (day, other) = (BirthDate::Day(date(1950, 1, 1)), BirthDate::Day(date(1950, 1, 2)));
        let (year, next) = (BirthDate::Year(1950), BirthDate::Year(1951));
        assert_eq!(day.matches(day), Some(Precision::Day));
        assert_eq!(year.matches(year), Some(Precision::Day));
        assert_eq!(year.matches(day), Some(Precision::Year));
        assert_eq!(day.matches(year), Some(Precision::Year));
        assert_eq!(day.matches(other), None);
        assert_eq!(next.matches(day), None);
        assert_eq!(day.matches(next), None);
        assert_eq!(year.matches(next), None);
    }

    #[test]
    fn serialized_short_and_readable() {
        for birth in [BirthDate::Day(date(1984, 2, 29)), BirthDate::Year(1950)] {
            let json = serde_json::to_string(&birth).unwrap();
            assert_eq!(json, format!("\"{birth}\""));
            assert_eq!(serde_json::from_str::<BirthDate>(&json).unwrap(), birth);
            let bytes = postcard::to_stdvec(&birth).unwrap();
            assert_eq!(bytes.len(), 4);
            assert_eq!(postcard::from_bytes::<BirthDate>(&bytes).unwrap(), birth);
        }
        assert!(postcard::from_bytes::<BirthDate>(&[1]).is_err());
    }

    #[test]
    fn arbitrary_texts_do_not_panic() {
        proptest::proptest!(|(text in "\\PC{0,12}")| { let _ = parse(&text); });
        proptest::proptest!(|(text in "[0-9-]{0,11}")| { let _ = parse(&text); });
    }
}
