//! What a connection needs to go live.

use super::content::{SHORT_MAX, is_text};
use super::{Blocked, DossierNumber};

/// Why a connection may go live.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ground {
    /// Its dossier is approved, every step closed.
    Dossier(DossierNumber),
    /// A sandbox on synthetic people.
    SyntheticPeople,
    /// It was live before there were dossiers (B4).
    LiveBefore,
}

impl Ground {
    /// The word in the store and in entries of the journal.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Dossier(_) => "dossier",
            Self::SyntheticPeople => "syntheticPeople",
            Self::LiveBefore => "liveBefore",
        }
    }
}

/// The permission to set one connection live (B3). It is made by
/// [`Dossier::go_live`](super::Dossier::go_live), or by a recorded exemption, and by nothing else.
#[derive(PartialEq, Eq, Debug)]
pub struct Clearance {
    ground: Ground,
    evidence: String,
    approver: String,
}

impl Clearance {
    pub(super) fn of(ground: Ground, evidence: &str, approver: &str) -> Self {
        Self { ground, evidence: evidence.trim().into(), approver: approver.trim().into() }
    }

    /// By an exemption: on which ground, what shows it, and who approved. It stands in the store
    /// beside the system.
    ///
    /// # Errors
    /// [`Blocked::EvidenceMissing`]; [`Blocked::GroundUnfit`] for a dossier, which clears itself.
    pub fn exempt(ground: Ground, evidence: &str, approver: &str) -> Result<Self, Blocked> {
        if matches!(ground, Ground::Dossier(_)) {
            return Err(Blocked::GroundUnfit);
        }
        if !is_text(evidence, SHORT_MAX) || !is_text(approver, SHORT_MAX) {
            return Err(Blocked::EvidenceMissing);
        }
        Ok(Self::of(ground, evidence, approver))
    }

    /// On which ground.
    #[must_use]
    pub const fn ground(&self) -> Ground {
        self.ground
    }

    /// What shows it; empty for a dossier, which has its own.
    #[must_use]
    pub fn evidence(&self) -> &str {
        &self.evidence
    }

    /// Who approved: names, or numbers of people.
    #[must_use]
    pub fn approver(&self) -> &str {
        &self.approver
    }
}
