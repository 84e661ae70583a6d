//! What the figures of a profile file have to be: their ranges by rule, and how they go together.

use jiff::civil::{Date, Time};
use toml::Spanned;

use super::{
    AbnormalRaw, AccountsRaw, ChannelsOrigin, ChannelsStatus, Counts, DRAFT, DossierRaw,
    DossierRule, ExceedanceRaw, ExceedanceRule, HoursRaw, IncidentsRaw, Pace, Profile,
    ProfileError, ProfileRaw, SecurityRaw, SignInRaw,
};
use crate::ids::Login;
use crate::moment::{Hours, MINUTE_MS, Moment};
use crate::pace::PERSONS_PER_MINUTE_MAX;
use crate::people::approval::Approvers;

/// Checks a file as it was read; `line_of` tells the line of a place in it.
pub(super) struct Check<'a> {
    pub(super) line_of: &'a dyn Fn(usize) -> usize,
}

impl Check<'_> {
    fn fail<T>(&self, at: usize, reason: impl Into<String>) -> Result<T, ProfileError> {
        Err(ProfileError { line: (self.line_of)(at), reason: reason.into() })
    }

    pub(super) fn that(&self, ok: bool, at: usize, reason: &str) -> Result<(), ProfileError> {
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

    pub(super) fn profile(&self, number: u16, raw: &ProfileRaw) -> Result<Profile, ProfileError> {
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
