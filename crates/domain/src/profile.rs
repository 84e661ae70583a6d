//! The regulation profile: every figure of rules A-E, typed, versioned and effective-dated.
//!
//! Several versions live at once; the one in force on a request's day of arrival decides it.
//! Versions that are drafts are checked like the others and then left out. An invalid file is
//! refused whole, with the line and the reason.

mod check;
mod figures;

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use self::check::Check;
pub use self::figures::{
    AbnormalRaw, AccountsRaw, ChannelsOrigin, ChannelsStatus, CommitmentRule, Counts, DossierRule,
    ExceedanceRule, IncidentsRaw, LockEnds, LockScope, MfaRule, OverdueRule, Pace, Reading,
    SecurityRaw, SignInRaw, TrainingLapse,
};
use self::figures::{PlansRaw, RequestIdsRaw};
use crate::moment::{Hours, Moment};
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
