//! The figures themselves, by rule. What a file may say of them is checked where it is read.

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use crate::people::approval::Approvers;

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

/// B6, B7, B9, E2, E4, E5.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountsRaw {
    /// Shortest login, characters (B6).
    pub login_min: u8,
    /// Longest login, characters (B6).
    pub login_max: u8,
    /// Review of the account list, months (B9, E4).
    pub review_months: u8,
    /// Grace after the review was due, days (B9).
    pub review_grace_days: u16,
    /// Unused accounts are disabled after this many days (E2).
    pub idle_days: u16,
    /// Training, months (E5).
    pub training_months: u8,
    /// What a lapse of the training does (E5).
    pub training_lapse: TrainingLapse,
    /// Individual commitment (B7).
    pub individual_commitment: CommitmentRule,
}

impl AccountsRaw {
    /// Lengths of logins, characters (B6).
    pub fn logins(&self) -> std::ops::RangeInclusive<usize> {
        usize::from(self.login_min)..=usize::from(self.login_max)
    }
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

/// E5: what a lapse of the training does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TrainingLapse {
    /// The officer and the head are reminded.
    Warn,
    /// The account is suspended until the training is recorded.
    Suspend,
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
    /// How often a second factor is asked for on an enrolled device; elsewhere every time.
    pub mfa_on_enrolled_device: MfaRule,
    /// Sessions that one person may have at a time.
    pub sessions_per_person: u8,
}

/// E2: when a second factor is asked for on an enrolled device.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MfaRule {
    /// Once per working day.
    WorkingDay,
    /// At every sign-in.
    EverySignIn,
}

/// B1, B3, B4.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DossierRule {
    /// How many people approve a dossier; where sensitive fields are wanted always two (B3, A4).
    pub approvers: Approvers,
    /// Pattern that names of systems follow, `*` for any run of characters; `None`: any name (B1).
    pub system_name_pattern: Option<String>,
    /// Last day on which dossiers are completed or brought up to date; `None`: no campaign (B4).
    pub complete_by: Option<Date>,
    /// Days after a conformance run in which its report closes the sandbox step (B3).
    pub report_days: u32,
    /// Whether a file counts only when the scanner of the centre found nothing in it (B2, *ours*).
    pub scanned_files: bool,
}

/// C1, C3, C4.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecurityRaw {
    /// Level of the consumer's system (T46 art. 6.1).
    pub system_level: u8,
    /// Periodic assessment, months (T46 art. 6.4c).
    pub assessment_months: u8,
    /// What an overdue assessment does (C4).
    pub overdue_assessment: OverdueRule,
}

/// C4: what an overdue assessment does beside the due item, warning and escalation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OverdueRule {
    /// A named person decides on a suspension.
    NamedDecision,
    /// The connection is suspended.
    Suspend,
}

/// D6: clocks of an appeal against an automatic lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AbnormalRaw {
    /// An appeal is acknowledged within this many minutes, in hours.
    pub acknowledge_minutes: u16,
    /// It is decided within this many minutes.
    pub decide_minutes: u16,
}

/// E6: clocks of incidents.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IncidentsRaw {
    /// First notice of a serious cyber incident, hours.
    pub first_notice_hours: u16,
    /// Its report, hours.
    pub report_hours: u16,
    /// Notice of a breach of personal data, hours.
    pub personal_data_hours: u16,
}

/// A2: where the table of groups and channels comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChannelsOrigin {
    /// The texts it rests on.
    pub source: String,
    /// What they are worth.
    pub status: ChannelsStatus,
}

/// A2: what the table of groups and channels is worth. A draft's table is none in force.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChannelsStatus {
    /// Our choice until the authority decides.
    Default,
    /// Decided by the authority.
    InForce,
    /// Of a text that is not in force: only in a version that is a draft itself.
    Draft,
}

/// How long request ids are remembered.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RequestIdsRaw {
    pub(super) remember_hours: Spanned<u32>,
}

/// D5: capacity of job plans.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PlansRaw {
    pub(super) per_hour: Spanned<u32>,
}
