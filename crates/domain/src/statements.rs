//! Monthly statements (bản xác nhận dịch vụ đã cung cấp, A7): the authority confirms to each
//! connected system what it was given in a month of duty days (D1).
//!
//! [`Statement`] is the document itself; its JSON shape is described in `docs/statements.md` and
//! only ever grows. A month is one of duty days: from 07:00 on its first day to 07:00 on the first
//! day of the next, so that an off-hours window belongs to the date that it began on.
//!
//! **Invariant:** a statement holds no personal data: counts, times, rows and indexes alone.

use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};

use crate::moment::{DutyDay, MINUTE_MS, Moment};

/// Name and version of the shape.
pub const FORMAT: &str = "dancu-statement/1";
/// What the log's key signs begins with this line.
pub const NOTE: &str = "dancu-statement-note/1";
/// How long after its end a month is counted, ms (*ours*): what arrived in it is journaled by then.
pub const READY_MS: i64 = 20 * MINUTE_MS;

/// A month of duty days.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Month(Date);

impl Month {
    /// The month of a duty day.
    pub fn of(day: DutyDay) -> Self {
        Self(day.date().first_of_month())
    }

    /// From `YYYY-MM`.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        let digits = |t: &str, n| t.len() == n && t.bytes().all(|b| b.is_ascii_digit());
        (digits(year, 4) && digits(month, 2)).then_some(())?;
        Self::from_number(format!("{year}{month}").parse().ok()?)
    }

    /// From `yyyymm` as a number.
    pub fn from_number(number: u32) -> Option<Self> {
        let (year, month) = (i16::try_from(number / 100).ok()?, (number % 100) as i8);
        let known = (1970..9999).contains(&year) && (1..=12).contains(&month);
        known.then(|| Self(date(year, month, 1)))
    }

    /// `yyyymm`.
    pub fn number(self) -> u32 {
        u32::from(self.0.year().unsigned_abs()) * 100 + u32::from(self.0.month().unsigned_abs())
    }

    /// Its first and last duty day.
    pub fn days(self) -> [Date; 2] {
        [self.0, self.0.last_of_month()]
    }

    /// The month after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.last_of_month().tomorrow().unwrap_or(self.0))
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

/// The number of a statement: counted within the year in which it was made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StatementNumber {
    /// The year.
    pub year: u16,
    /// Counted from 1.
    pub number: u32,
}

impl StatementNumber {
    /// From its written form.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, number) = text.strip_prefix("XN-")?.split_once('-')?;
        let found = Self { year: year.parse().ok()?, number: number.parse().ok()? };
        (found.to_string() == text).then_some(found)
    }
}

impl std::fmt::Display for StatementNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "XN-{:04}-{:05}", self.year, self.number)
    }
}

/// A statement, as its JSON is written. Times are RFC 3339 with the offset of Viet Nam, days
/// `YYYY-MM-DD`, hashes hex.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// [`FORMAT`].
    pub format: String,
    /// Its number.
    pub number: String,
    /// 1; a correction has the next one.
    pub version: u32,
    /// What it replaces, where it is a correction.
    pub replaces: Option<Replaced>,
    /// When it was made.
    pub made_at: String,
    /// Whose.
    pub system: Holder,
    /// `YYYY-MM`.
    pub month: String,
    /// First duty day.
    pub first_day: String,
    /// Last duty day.
    pub last_day: String,
    /// Accepted questions by service, window and purpose.
    pub services: Vec<Served>,
    /// Refused questions by rule and reason.
    pub refused: Vec<RefusedFor>,
    /// Questions answered again to the same request id, which count nothing (D2).
    pub repeats: u64,
    /// Exceedances of lines by duty day (D3).
    pub exceedances: Vec<Exceeded>,
    /// Locks that were in force in the month (D3, D6).
    pub locks: Vec<Locked>,
    /// What it was counted from.
    pub journal: Covered,
}

/// The statement that a correction replaces.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Replaced {
    /// Its number.
    pub number: String,
    /// SHA-256 of its JSON.
    pub sha256: String,
    /// Why it was corrected.
    pub reason: String,
}

/// Whose statement it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Holder {
    /// System code.
    pub code: String,
    /// Unit code.
    pub unit_code: String,
    /// The unit's name when the statement was made.
    pub unit_name: String,
}

/// What was given of a service in a window for a purpose.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Served {
    /// Service code.
    pub service: String,
    /// `inHours`, `offHours`.
    pub window: String,
    /// Purpose that was applied (A5).
    pub purpose: String,
    /// Registered count a day when the statement was made; null: no such line then.
    pub registered_daily: Option<u32>,
    /// How often.
    #[serde(flatten)]
    pub count: Count,
}

/// Accepted questions by their class of answer.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Count {
    /// Accepted questions.
    pub questions: u64,
    /// Persons that they counted (D2).
    pub persons: u64,
    /// The keys agreed, or the checked fact did.
    pub matches: u64,
    /// They did not.
    pub no_matches: u64,
    /// Data was delivered.
    pub delivered: u64,
    /// Nothing was found, or what was asked is not known.
    pub other: u64,
}

/// Refused questions for one reason.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusedFor {
    /// Rule id.
    pub rule: String,
    /// Number of the reason (`docs/journal-format.md`).
    pub reason: u8,
    /// The reason in Vietnamese.
    pub text_vi: String,
    /// How many.
    pub questions: u64,
}

/// Exceedances of a line on a duty day.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exceeded {
    /// Service code.
    pub service: String,
    /// Window.
    pub window: String,
    /// Duty day.
    pub day: String,
    /// When the first was.
    pub at: String,
    /// How many that day.
    pub times: u32,
    /// Journal entry of the first.
    pub entry: u64,
}

/// A lock.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Locked {
    /// `line`, `connection` or `account`.
    pub scope: String,
    /// Service code, of a line.
    pub service: Option<String>,
    /// Window, of a line.
    pub window: Option<String>,
    /// Row of the account, of an account.
    pub account: Option<u32>,
    /// The rule that locked.
    pub rule: String,
    /// Since when.
    pub from: String,
    /// Until when; null: it went on after the month.
    pub to: Option<String>,
    /// Journal entry of its beginning.
    pub entry: u64,
}

/// A lock that went on after a month, as the count of the next month begins with it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Open {
    /// The lock.
    pub lock: Locked,
    /// When it ends by itself.
    pub until: Option<Moment>,
    /// Service and window of the line whose count locked a whole connection: they end together.
    pub line: Option<(String, String)>,
    /// The campaign that locked it (B4); empty where none did.
    pub campaign: String,
}

/// The part of the journal that a statement was counted from, and the tree that covers it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Covered {
    /// Index of the first entry that was read.
    pub first: u64,
    /// Index after the last entry that was read.
    pub end: u64,
    /// Entries of the tree from index 0.
    pub tree_size: u64,
    /// Root hash of the tree of that size (RFC 6962).
    pub root_hash: String,
}

/// What the log's key signs: the number, and the SHA-256 of the JSON file in hex.
pub fn note(number: &str, sha256: &str) -> String {
    format!("{NOTE}\n{number}\n{sha256}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_d1_months_are_of_duty_days() {
        let month = Month::parse("2026-02").unwrap();
        assert_eq!(month.days(), [date(2026, 2, 1), date(2026, 2, 28)]);
        assert_eq!((month.number(), month.to_string().as_str()), (202_602, "2026-02"));
        assert_eq!(Month::from_number(202_612).unwrap().next(), Month::parse("2027-01").unwrap());
        for day in 0..28 {
            // 2026-02-01 is day 20,485.
            assert_eq!(Month::of(DutyDay(20_485 + day)), month);
        }
        assert_eq!(Month::of(DutyDay(20_484)).to_string(), "2026-01");
        for wrong in ["2026-13", "2026-00", "26-01", "2026-1", "2026-01-01", "+026-01", ""] {
            assert_eq!(Month::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn rule_a7_a_number_has_one_form() {
        let number = StatementNumber { year: 2026, number: 12 };
        assert_eq!(number.to_string(), "XN-2026-00012");
        assert_eq!(StatementNumber::parse("XN-2026-00012"), Some(number));
        for wrong in ["XN-2026-12", "XN-2026-+0012", "xn-2026-00012", "XN-2026-00012 ", "XN-2026"] {
            assert_eq!(StatementNumber::parse(wrong), None, "{wrong}");
        }
    }
}
