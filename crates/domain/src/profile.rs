//! The regulation profile: every figure of rules A-E, typed, versioned and effective-dated.
//!
//! Several versions live at once; the one in force on a request's day of arrival decides it.
//! Versions that are drafts are checked like the others and then left out. An invalid file is
//! refused whole, with the line and the reason.

mod figures;

use jiff::civil::{Date, Time};
use serde::Deserialize;
use toml::Spanned;

pub use self::figures::{
    AbnormalRaw, AccountsRaw, ChannelsOrigin, ChannelsStatus, CommitmentRule, Counts, DossierRule,
    ExceedanceRule, IncidentsRaw, LockEnds, LockScope, MfaRule, OverdueRule, Pace, Reading,
    SecurityRaw, SignInRaw, TrainingLapse,
};
use self::figures::{PlansRaw, RequestIdsRaw};
use crate::ids::Login;
use crate::moment::{Hours, MINUTE_MS, Moment};
use crate::pace::PERSONS_PER_MINUTE_MAX;
use crate::people::approval::Approvers;
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

/// Every version of the profile that is no draft, oldest first; never empty.
#[derive(Clone, Debug)]
pub struct Profiles(Vec<Profile>);

/// One version of the figures.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Position in the file, drafts counted.
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
    /// D5: persons an hour that all agreed job plans together may ask about.
    pub plans_per_hour: u32,
    /// D7, by [`AccountKind`].
    pub pace: [Pace; 3],
    /// A2, by group 1-4.
    pub channels: [Vec<Channel>; 4],
    /// A2: where that table comes from.
    pub channels_origin: ChannelsOrigin,
    /// B1, B3, B4.
    pub dossier: DossierRule,
    /// B6, B7, B9, E2, E4, E5.
    pub accounts: AccountsRaw,
    /// E2.
    pub sign_in: SignInRaw,
    /// C1, C3, C4.
    pub security: SecurityRaw,
    /// D6.
    pub abnormal: AbnormalRaw,
    /// E6.
    pub incidents: IncidentsRaw,
    /// How long request ids are remembered, ms.
    pub remember_requests_ms: i64,
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
    plans: PlansRaw,
    channels: ChannelsRaw,
    dossier: DossierRaw,
    accounts: Spanned<AccountsRaw>,
    sign_in: Spanned<SignInRaw>,
    security: Spanned<SecurityRaw>,
    abnormal: Spanned<AbnormalRaw>,
    incidents: Spanned<IncidentsRaw>,
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
    source: String,
    status: Spanned<ChannelsStatus>,
    group1: Vec<Channel>,
    group2: Vec<Channel>,
    group3: Vec<Channel>,
    group4: Vec<Channel>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DossierRaw {
    system_name_pattern: Spanned<String>,
    approvers: Spanned<u32>,
    complete_by: Spanned<String>,
    report_days: Spanned<u32>,
    scanned_files: bool,
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
        let mut drafts = vec![];
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
            if raw.as_ref().status.as_ref().as_str() == DRAFT {
                drafts.push(profile.number);
            }
            profiles.push(profile);
        }
        profiles.retain(|profile| !drafts.contains(&profile.number));
        check.that(
            !profiles.is_empty(),
            0,
            "cần ít nhất một [[profile]] có status inForce (none is in force)",
        )?;
        Ok(Self(profiles))
    }

    /// The version in force at an instant; before the first, the first.
    pub fn at(&self, at: Moment) -> &Profile {
        let n = self.0.partition_point(|p| p.in_force_from <= at);
        &self.0[n.saturating_sub(1)]
    }

    /// All versions but drafts, oldest first.
    pub fn versions(&self) -> &[Profile] {
        &self.0
    }
}

/// The status of a version that is not in force.
const DRAFT: &str = "draft";

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
            matches!(raw.status.as_ref().as_str(), "inForce" | DRAFT),
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
            plans_per_hour: self.range(&raw.plans.per_hour, 1, 1_000_000_000)?,
            pace: [
                self.pace(&raw.pace.officer)?,
                self.pace(&raw.pace.system)?,
                self.pace(&raw.pace.plan)?,
            ],
            channels: [c.group1.clone(), c.group2.clone(), c.group3.clone(), c.group4.clone()],
            channels_origin: self.channels_origin(raw)?,
            dossier: self.dossier(&raw.dossier)?,
            accounts: self.accounts(&raw.accounts)?,
            sign_in: self.sign_in(&raw.sign_in)?,
            security: self.security(&raw.security)?,
            abnormal: self.abnormal(&raw.abnormal)?,
            incidents: self.incidents(&raw.incidents)?,
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
        self.that(
            p.persons_per_minute <= PERSONS_PER_MINUTE_MAX,
            raw.span().start,
            &format!("personsPerMinute trong 0..{PERSONS_PER_MINUTE_MAX}, 0 = không hạn chế (D7)"),
        )?;
        Ok(p)
    }

    /// A draft's table of channels decides nothing.
    fn channels_origin(&self, raw: &ProfileRaw) -> Result<ChannelsOrigin, ProfileError> {
        let c = &raw.channels;
        let status = *c.status.as_ref();
        self.that(
            status != ChannelsStatus::Draft || raw.status.as_ref().as_str() == DRAFT,
            c.status.span().start,
            "bảng hình thức khai thác còn là draft thì phiên bản không thể inForce (A2)",
        )?;
        Ok(ChannelsOrigin { source: c.source.clone(), status })
    }

    fn dossier(&self, raw: &DossierRaw) -> Result<DossierRule, ProfileError> {
        let text = raw.system_name_pattern.as_ref();
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '*' | '.' | '_' | '-' | ' ' | '/');
        self.that(
            text.chars().count() <= 100 && text.chars().all(fits),
            raw.system_name_pattern.span().start,
            "systemNamePattern gồm chữ, số, . _ - / dấu cách và *, tối đa 100 ký tự (B1)",
        )?;
        let by = &raw.complete_by;
        let complete_by = if by.as_ref().is_empty() { None } else { Some(self.date(by)?) };
        let system_name_pattern = (!text.is_empty()).then(|| text.clone());
        let two = self.range(&raw.approvers, 1, 2)? == 2;
        let approvers = if two { Approvers::Two } else { Approvers::One };
        let report_days = self.range(&raw.report_days, 1, 3_660)?;
        let scanned_files = raw.scanned_files;
        Ok(DossierRule { approvers, system_name_pattern, complete_by, report_days, scanned_files })
    }

    fn accounts(&self, raw: &Spanned<AccountsRaw>) -> Result<AccountsRaw, ProfileError> {
        let a = raw.as_ref();
        self.that(
            a.login_min <= a.login_max
                && Login::LENGTH.contains(&usize::from(a.login_min))
                && Login::LENGTH.contains(&usize::from(a.login_max)),
            raw.span().start,
            "tên đăng nhập dài 8..60 ký tự (B6: loginMin, loginMax)",
        )?;
        self.that(
            a.review_months >= 1 && a.review_months <= 3,
            raw.span().start,
            "rà soát tài khoản ít nhất 3 tháng một lần (B9: reviewMonths 1..3)",
        )?;
        self.that(
            (1..=45).contains(&a.idle_days) && (1..=12).contains(&a.training_months),
            raw.span().start,
            "idleDays trong 1..45 (E2), trainingMonths trong 1..12 (E5)",
        )?;
        Ok(a.clone())
    }

    fn sign_in(&self, raw: &Spanned<SignInRaw>) -> Result<SignInRaw, ProfileError> {
        let s = raw.as_ref();
        self.that(
            s.password_min >= 8
                && (1..=90).contains(&s.password_days)
                && (1..=60).contains(&s.administrator_password_days),
            raw.span().start,
            "mật khẩu ít nhất 8 ký tự; passwordDays trong 1..90, administratorPasswordDays trong \
             1..60 (E2)",
        )?;
        self.that(
            (1..=15).contains(&s.idle_lock_minutes)
                && (1..=5).contains(&s.administrator_idle_lock_minutes),
            raw.span().start,
            "idleLockMinutes trong 1..15, administratorIdleLockMinutes trong 1..5 (E2)",
        )?;
        self.that(
            s.sessions_per_person == 1,
            raw.span().start,
            "sessionsPerPerson phải là 1: mỗi người một phiên (E2)",
        )?;
        Ok(s.clone())
    }

    fn security(&self, raw: &Spanned<SecurityRaw>) -> Result<SecurityRaw, ProfileError> {
        let s = raw.as_ref();
        self.that(
            (3..=5).contains(&s.system_level) && (1..=12).contains(&s.assessment_months),
            raw.span().start,
            "systemLevel trong 3..5 (C1), assessmentMonths trong 1..12 (C3)",
        )?;
        Ok(s.clone())
    }

    fn abnormal(&self, raw: &Spanned<AbnormalRaw>) -> Result<AbnormalRaw, ProfileError> {
        let a = *raw.as_ref();
        self.that(
            (1..=15).contains(&a.acknowledge_minutes)
                && (a.acknowledge_minutes..=120).contains(&a.decide_minutes),
            raw.span().start,
            "acknowledgeMinutes trong 1..15, decideMinutes từ đó đến 120 (D6)",
        )?;
        Ok(a)
    }

    fn incidents(&self, raw: &Spanned<IncidentsRaw>) -> Result<IncidentsRaw, ProfileError> {
        let i = *raw.as_ref();
        self.that(
            (1..=24).contains(&i.first_notice_hours)
                && (i.first_notice_hours..=72).contains(&i.report_hours)
                && (1..=72).contains(&i.personal_data_hours),
            raw.span().start,
            "firstNoticeHours trong 1..24, reportHours từ đó đến 72, personalDataHours trong \
             1..72 (E6)",
        )?;
        Ok(i)
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
mod tests;
