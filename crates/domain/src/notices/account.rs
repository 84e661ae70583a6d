//! What became of a person's account, as a notice tells it.

use serde::{Deserialize, Serialize};

use crate::rule::RuleId;

/// What became of a person's account of the portal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum AccountChange {
    /// Locked for security (D6).
    Locked,
    /// The lock ended.
    Unlocked,
    /// Suspended (E3).
    Suspended,
    /// A suspension ended.
    Resumed,
    /// Revoked (E3).
    Revoked,
    /// In use again after idleness (E2).
    Reenabled,
    /// Invited.
    Invited,
    /// The invitation was withdrawn.
    InvitationWithdrawn,
    /// Roles were given or taken (E3).
    RolesChanged,
    /// A password was given in the person's name (E2).
    PasswordGiven,
    /// The password was changed.
    PasswordChanged,
    /// A factor was enrolled.
    FactorAdded,
    /// A factor was removed.
    FactorRemoved,
    /// The loss of a factor was told.
    FactorLost,
    /// The head vouched for who lost a factor.
    Vouched,
    /// New recovery codes.
    RecoveryMade,
}

impl AccountChange {
    /// The word in the keys of texts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::Unlocked => "unlocked",
            Self::Suspended => "suspended",
            Self::Resumed => "resumed",
            Self::Revoked => "revoked",
            Self::Reenabled => "reenabled",
            Self::Invited => "invited",
            Self::InvitationWithdrawn => "withdrawn",
            Self::RolesChanged => "roles",
            Self::PasswordGiven => "password-given",
            Self::PasswordChanged => "password",
            Self::FactorAdded => "factor",
            Self::FactorRemoved => "factor-removed",
            Self::FactorLost => "factor-lost",
            Self::Vouched => "vouched",
            Self::RecoveryMade => "recovery",
        }
    }

    /// Whether the head of the unit is told too: what stops or opens an account (D6, E3).
    pub const fn concerns_head(self) -> bool {
        matches!(
            self,
            Self::Locked | Self::Unlocked | Self::Suspended | Self::Resumed | Self::Revoked
        )
    }

    pub(super) const fn rule(self) -> RuleId {
        match self {
            Self::Locked | Self::Unlocked => RuleId::D6,
            Self::Suspended | Self::Resumed | Self::Revoked | Self::RolesChanged => RuleId::E3,
            Self::Invited | Self::InvitationWithdrawn => RuleId::J3,
            _ => RuleId::E2,
        }
    }
}
