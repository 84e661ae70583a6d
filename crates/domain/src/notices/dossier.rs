//! What was done with a dossier, as notices tell it: each says whose turn it is (B3).

use serde::{Deserialize, Serialize};

/// What was done. Stored by its place: variants are added at the end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum DossierDeed {
    /// Handed in: the reviewers' turn.
    Submitted,
    /// Received: documents, sandbox and assessment run beside each other.
    Accepted,
    /// Sent back with comments: the unit's turn.
    ChangesAsked,
    /// Every step is closed: whoever approves.
    StepsClosed,
    /// Approved: the operators' turn.
    Approved,
    /// The connection is live.
    Live,
    /// Refused by a rule.
    Refused,
    /// Taken back by the unit.
    Withdrawn,
}

impl DossierDeed {
    /// Every deed.
    pub const ALL: [Self; 8] = [
        Self::Submitted,
        Self::Accepted,
        Self::ChangesAsked,
        Self::StepsClosed,
        Self::Approved,
        Self::Live,
        Self::Refused,
        Self::Withdrawn,
    ];

    /// The word in the keys of texts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Submitted => "dossier-submitted",
            Self::Accepted => "dossier-accepted",
            Self::ChangesAsked => "dossier-changes",
            Self::StepsClosed => "dossier-steps",
            Self::Approved => "dossier-approved",
            Self::Live => "dossier-live",
            Self::Refused => "dossier-refused",
            Self::Withdrawn => "dossier-withdrawn",
        }
    }
}

/// What was done about a dossier that a campaign waits for (B4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum CampaignDeed {
    /// Opened again: the unit brings it up to date.
    Opened,
    /// Reminded of.
    Reminded,
    /// Given more time.
    Extended,
    /// Overdue: its connection was locked.
    Locked,
}

impl CampaignDeed {
    /// Every deed.
    pub const ALL: [Self; 4] = [Self::Opened, Self::Reminded, Self::Extended, Self::Locked];

    /// The word in the keys of texts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Opened => "campaign-opened",
            Self::Reminded => "campaign-reminded",
            Self::Extended => "campaign-extended",
            Self::Locked => "campaign-locked",
        }
    }
}
