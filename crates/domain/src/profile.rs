//! The regulation profile: every figure of rules A-E, typed, versioned and effective-dated.
//!
//! Several versions live at once; the one in force on a request's day of arrival decides it. An
//! invalid file is refused whole, with the line and the reason.

use jiff::civil::{Date, Time};
use serde::Deserialize;
use toml::Spanned;

use crate::moment::{Hours, MINUTE_MS, Moment};
use crate::registration::{AccountKind, Channel, Group};

/// The profile that ships with the product.
pub const DEFAULT_PROFILE: &str = include_str!("../regulation.toml");

/// A profile file that was not accepted.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("regulation.toml, dòng {line}: {reason}")]
pub struct ProfileError {
    /// 1-based line.
    pub line: usize,
    /// What is wrong and what is expected.
    pub reason: String,
}

/// Every version of the profile, oldest first; never empty.
#[derive(Clone, Debug)]
pub struct Profiles(Vec<Profile>);

/// One version of the figures.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Position in the file, as journal entries name it beside [`Profile::version`].
    pub number: u16,
    /// Name of the version, e.g. VN-2025.10.
    pub version: String,
    /// First day of force.
    pub valid_from: Date,
    /// The instant at which that day's first duty day begins.
    pub in_force_from: Moment,
    /// D1.
    pub hours: Hours,
    /// D2, D4.
    pub counts: Counts,
    /// D3.
    pub exceedance: ExceedanceRule,
    /// D8: above this factor of the registered count a raise needs two approvers.
    pub two_approvers_above: u32,
    /// D7, by [`AccountKind`].
    pub pace: [Pace; 3],
    /// A2, by group 1-4.
    pub channels: [Vec<Channel>; 4],
    /// B6, B9, E2, E5.
    pub accounts: AccountsRaw,
    /// E2.
    pub sign_in: SignInRaw,
    /// C1, C3.
    pub security: SecurityRaw,
    /// How long request ids are remembered, ms.
    pub remember_requests_ms: i64,
}

/// D2 and D4.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Counts {
    /// Warnings, in percent of a line's or account's count.
    pub warn_at_percent: Vec<u8>,
    /// An account stops at this many times its daily count.
    pub account_hard_stop_factor: u32,
    /// Off-hours lines of a form together, queries a day.
    pub off_hours_cap: u32,
}

/// Readings of "vượt quá ngưỡng 02 lần/ngày" (6383, form note 2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reading {
    /// Two exhaustions, or going on well after the warning.
    TwoEpisodes,
    /// Each refused request is an exceedance.
    EveryRefusal,
    /// Twice the registered volume.
    TwiceVolume,
}

/// What the second exceedance locks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LockScope {
    /// That line.
    Line,
    /// The whole connection.
    Connection,
}

/// What ends a line lock by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LockEnds {
    /// The next 07:00 (also a named person or a raise).
    NextDutyDay,
    /// Only a named person or a raise.
    NamedPerson,
}

/// D3.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExceedanceRule {
    /// Reading.
    pub reading: Reading,
    /// Scope.
    pub scope: LockScope,
    /// Refusals this long after the first belong to it, ms.
    pub grace_ms: i64,
    /// Refused requests after the grace that are always allowed.
    pub refused_floor: u32,
    /// The same, in percent of the line.
    pub refused_percent: u32,
    /// End.
    pub lock_ends: LockEnds,
}

/// D7: the pace of one kind of account.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pace {
    /// Requests at once.
    pub burst: u32,
    /// Sustained requests a minute.
    pub per_minute: u32,
    /// Distinct persons asked about within any minute; 0 = not limited.
    pub persons_per_minute: u32,
}

/// B6, B7, B9, E2, E5.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountsRaw {
    /// Shortest login.
    pub login_min: u8,
    /// Longest login.
    pub login_max: u8,
    /// Review of the account list, months (B9, E4).
    pub review_months: u8,
    /// Grace after the review was due, days.
    pub review_grace_days: u16,
    /// Unused accounts are disabled after this many days (E2).
    pub idle_days: u16,
    /// Training, months (E5).
    pub training_months: u8,
    /// Individual commitment (B7).
    pub individual_commitment: CommitmentRule,
}

/// B7.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CommitmentRule {
    /// From everybody.
    Required,
    /// From new accounts.
    NewAccounts,
    /// Not asked.
    Off,
}

/// E2.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignInRaw {
    /// Shortest password, characters.
    pub password_min: u8,
    /// Password age, days.
    pub password_days: u16,
    /// The same for administrators.
    pub administrator_password_days: u16,
    /// Idle minutes until the screen locks.
    pub idle_lock_minutes: u16,
    /// The same for administration.
    pub administrator_idle_lock_minutes: u16,
}

/// C1, C3.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecurityRaw {
    /// Level of the consumer's system (T46 art. 6.1).
    pub system_level: u8,
    /// Periodic assessment, months (T46 art. 6.4c).
    pub assessment_months: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRaw {
    profile: Vec<Spanned<ProfileRaw>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ProfileRaw {
    version: Spanned<String>,
    valid_from: Spanned<String>,
    #[serde(rename = "source")]
    _source: String,
    status: Spanned<String>,
    hours: HoursRaw,
    counts: Spanned<Counts>,
    exceedance: ExceedanceRaw,
    raise: RaiseRaw,
    pace: PaceRaw,
    channels: ChannelsRaw,
    accounts: Spanned<AccountsRaw>,
    sign_in: Spanned<SignInRaw>,
    security: Spanned<SecurityRaw>,
    request_ids: RequestIdsRaw,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HoursRaw {
    in_hours_from: Spanned<String>,
    in_hours_to: Spanned<String>,
    weekends: Spanned<String>,
    off_days: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ExceedanceRaw {
    reading: Reading,
    scope: LockScope,
    grace_minutes: Spanned<u32>,
    refused_floor: u32,
    refused_percent: Spanned<u32>,
    lock_ends: LockEnds,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RaiseRaw {
    two_approvers_above_factor: Spanned<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PaceRaw {
    officer: Spanned<Pace>,
    system: Spanned<Pace>,
    plan: Spanned<Pace>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChannelsRaw {
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "status")]
    _status: String,
    group1: Vec<Channel>,
    group2: Vec<Channel>,
    group3: Vec<Channel>,
    group4: Vec<Channel>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RequestIdsRaw {
    remember_hours: Spanned<u32>,
}

impl Profiles {
    /// Reads and checks a profile file.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let line_of = |offset: usize| {
            text.as_bytes().iter().take(offset).filter(|b| **b == b'\n').count() + 1
        };
        let file: FileRaw = toml::from_str(text).map_err(|e| ProfileError {
            line: line_of(e.span().map_or(0, |s| s.start)),
            reason: e.message().to_owned(),
        })?;
        let check = Check { line_of: &line_of };
        let mut profiles = Vec::with_capacity(file.profile.len());
        for raw in file.profile {
            let profile = check.profile(profiles.len() as u16, raw.as_ref())?;
            let at = raw.span().start;
            check.that(
                profiles.last().is_none_or(|p: &Profile| p.valid_from < profile.valid_from),
                at,
                "các phiên bản phải xếp theo validFrom tăng dần (versions must be in order)",
            )?;
            check.that(
                profiles.iter().all(|p| p.version != profile.version),
                at,
                "hai phiên bản trùng tên (two versions of one name)",
            )?;
            profiles.push(profile);
        }
        check.that(!profiles.is_empty(), 0, "cần ít nhất một [[profile]] (none found)")?;
        Ok(Self(profiles))
    }

    /// The version in force at an instant; before the first, the first.
    pub fn at(&self, at: Moment) -> &Profile {
        let n = self.0.partition_point(|p| p.in_force_from <= at);
        &self.0[n.saturating_sub(1)]
    }

    /// All versions, oldest first.
    pub fn versions(&self) -> &[Profile] {
        &self.0
    }
}

struct Check<'a> {
    line_of: &'a dyn Fn(usize) -> usize,
}

impl Check<'_> {
    fn fail<T>(&self, at: usize, reason: impl Into<String>) -> Result<T, ProfileError> {
        Err(ProfileError { line: (self.line_of)(at), reason: reason.into() })
    }

    fn that(&self, ok: bool, at: usize, reason: &str) -> Result<(), ProfileError> {
        if ok { Ok(()) } else { self.fail(at, reason) }
    }

    fn range(&self, v: &Spanned<u32>, min: u32, max: u32) -> Result<u32, ProfileError> {
        let n = *v.as_ref();
        self.that(
            (min..=max).contains(&n),
            v.span().start,
            &format!("{n} nằm ngoài {min}..{max} (out of range)"),
        )?;
        Ok(n)
    }

    fn date(&self, v: &Spanned<String>) -> Result<Date, ProfileError> {
        match v.as_ref().parse() {
            Ok(date) => Ok(date),
            Err(_) => self.fail(v.span().start, "ngày phải có dạng YYYY-MM-DD (a date)"),
        }
    }

    fn minute(&self, v: &Spanned<String>) -> Result<u16, ProfileError> {
        match v.as_ref().parse::<Time>() {
            Ok(t) => {
                let (hour, minute) = (t.hour().unsigned_abs(), t.minute().unsigned_abs());
                Ok(u16::from(hour) * 60 + u16::from(minute))
            }
            Err(_) => self.fail(v.span().start, "giờ phải có dạng HH:MM (a time)"),
        }
    }

    fn profile(&self, number: u16, raw: &ProfileRaw) -> Result<Profile, ProfileError> {
        let valid_from = self.date(&raw.valid_from)?;
        self.that(
            matches!(raw.status.as_ref().as_str(), "inForce" | "draft"),
            raw.status.span().start,
            "status là inForce hoặc draft (unknown status)",
        )?;
        self.that(
            (1..=40).contains(&raw.version.as_ref().len()),
            raw.version.span().start,
            "version dài 1..40 ký tự (length)",
        )?;
        let hours = self.hours(&raw.hours)?;
        let midnight = valid_from.duration_since(jiff::civil::date(1970, 1, 1)).as_secs() * 1000;
        let start = i64::from(hours.from_minute) * MINUTE_MS;
        let c = &raw.channels;
        Ok(Profile {
            number,
            version: raw.version.as_ref().clone(),
            valid_from,
            in_force_from: Moment(midnight + start - crate::moment::VIET_NAM_OFFSET_MS),
            hours,
            counts: self.counts(&raw.counts)?,
            exceedance: self.exceedance(&raw.exceedance)?,
            two_approvers_above: self.range(&raw.raise.two_approvers_above_factor, 1, 100)?,
            pace: [
                self.pace(&raw.pace.officer)?,
                self.pace(&raw.pace.system)?,
                self.pace(&raw.pace.plan)?,
            ],
            channels: [c.group1.clone(), c.group2.clone(), c.group3.clone(), c.group4.clone()],
            accounts: self.accounts(&raw.accounts)?,
            sign_in: self.sign_in(&raw.sign_in)?,
            security: raw.security.as_ref().clone(),
            remember_requests_ms: i64::from(self.range(
                &raw.request_ids.remember_hours,
                1,
                24 * 31,
            )?) * crate::moment::HOUR_MS,
        })
    }

    fn hours(&self, raw: &HoursRaw) -> Result<Hours, ProfileError> {
        let from_minute = self.minute(&raw.in_hours_from)?;
        let to_minute = self.minute(&raw.in_hours_to)?;
        self.that(
            from_minute < to_minute,
            raw.in_hours_to.span().start,
            "inHoursTo phải sau inHoursFrom (must be later)",
        )?;
        let weekends_off = match raw.weekends.as_ref().as_str() {
            "same" => false,
            "offHours" => true,
            _ => return self.fail(raw.weekends.span().start, "weekends là same hoặc offHours"),
        };
        let mut off_days =
            raw.off_days.iter().map(|d| self.date(d)).collect::<Result<Vec<_>, _>>()?;
        off_days.sort_unstable();
        Ok(Hours { from_minute, to_minute, weekends_off, off_days })
    }

    fn counts(&self, raw: &Spanned<Counts>) -> Result<Counts, ProfileError> {
        let (c, at) = (raw.as_ref(), raw.span().start);
        let rising = c.warn_at_percent.is_sorted_by(|a, b| a < b);
        self.that(
            rising && c.warn_at_percent.iter().all(|p| (1..=100).contains(p)),
            at,
            "warnAtPercent phải tăng dần trong 1..100 (must rise within 1..100)",
        )?;
        self.that(
            (1..=100).contains(&c.account_hard_stop_factor),
            at,
            "accountHardStopFactor trong 1..100 (out of range)",
        )?;
        self.that(
            c.off_hours_cap <= 1000,
            at,
            "offHoursCap không được quá 1000 truy vấn/ngày (D4: 6383, ghi chú 3)",
        )?;
        Ok(c.clone())
    }

    fn exceedance(&self, raw: &ExceedanceRaw) -> Result<ExceedanceRule, ProfileError> {
        Ok(ExceedanceRule {
            reading: raw.reading,
            scope: raw.scope,
            grace_ms: i64::from(self.range(&raw.grace_minutes, 0, 24 * 60)?) * MINUTE_MS,
            refused_floor: raw.refused_floor,
            refused_percent: self.range(&raw.refused_percent, 0, 1000)?,
            lock_ends: raw.lock_ends,
        })
    }

    fn pace(&self, raw: &Spanned<Pace>) -> Result<Pace, ProfileError> {
        let p = *raw.as_ref();
        self.that(
            (1..=100_000_000).contains(&p.burst) && (1..=100_000_000).contains(&p.per_minute),
            raw.span().start,
            "burst và perMinute trong 1..100000000 (out of range)",
        )?;
        Ok(p)
    }

    fn accounts(&self, raw: &Spanned<AccountsRaw>) -> Result<AccountsRaw, ProfileError> {
        let a = raw.as_ref();
        self.that(
            (8..=a.login_max).contains(&a.login_min) && a.login_max <= 60,
            raw.span().start,
            "tên đăng nhập dài 8..60 ký tự (B6: loginMin, loginMax)",
        )?;
        self.that(
            a.review_months >= 1 && a.review_months <= 3,
            raw.span().start,
            "rà soát tài khoản ít nhất 3 tháng một lần (B9: reviewMonths 1..3)",
        )?;
        Ok(a.clone())
    }

    fn sign_in(&self, raw: &Spanned<SignInRaw>) -> Result<SignInRaw, ProfileError> {
        let s = raw.as_ref();
        self.that(
            s.password_min >= 8 && s.password_days >= 1 && s.administrator_password_days >= 1,
            raw.span().start,
            "mật khẩu ít nhất 8 ký tự, có hạn (E2)",
        )?;
        Ok(s.clone())
    }
}

impl Profile {
    /// The pace of a kind of account (D7).
    pub const fn pace_of(&self, kind: AccountKind) -> Pace {
        self.pace[kind as usize]
    }

    /// Whether a group may use a channel by default (A2).
    pub fn group_may(&self, group: Group, channel: Channel) -> bool {
        self.channels[group as usize - 1].contains(&channel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_profile_is_valid_and_dated() {
        let p = Profiles::parse(DEFAULT_PROFILE).unwrap();
        let at = |t: &str| p.at(Moment::parse_rfc3339(t).unwrap()).version.clone();
        assert_eq!(at("2025-10-01T06:59:59+07:00"), "VN-2022.12");
        assert_eq!(at("2025-10-01T07:00:00+07:00"), "VN-2025.10");
        assert_eq!(at("2020-01-01T00:00:00+07:00"), "VN-2022.12");
    }

    #[test]
    fn errors_name_line_and_reason() {
        let cases = [
            ("inHoursTo = \"18:00\"", "inHoursTo = \"06:00\"", "inHoursFrom"),
            ("offHoursCap = 1000 ", "offHoursCap = 1001 ", "D4"),
            ("reading = \"twoEpisodes\" ", "reading = \"sometimes\" ", "sometimes"),
            ("burst = 10\n", "burst = 0\n", "burst"),
            ("graceMinutes = 15 ", "graceMinuets = 15 ", "graceMinuets"),
            ("validFrom = \"2025-10-01\"", "validFrom = \"2021-10-01\"", "validFrom"),
        ];
        for (good, bad, word) in cases {
            assert!(DEFAULT_PROFILE.contains(good), "{good}");
            let text = DEFAULT_PROFILE.replacen(good, bad, 1);
            let error = Profiles::parse(&text).unwrap_err();
            assert!(error.line > 1, "{error}");
            assert!(error.to_string().contains(word), "{error}");
        }
        assert_eq!(Profiles::parse("").unwrap_err().line, 1);
    }
}
