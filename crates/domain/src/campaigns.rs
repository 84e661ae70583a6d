//! Campaigns (đợt cập nhật hồ sơ): dossiers of connections that go on are opened again in bulk, and
//! what is not brought up to date by the deadline is locked until it is (B4; 6383 set 2025-10-01).
//!
//! A [`Plan`] says what, for whom and until when; each dossier of it has a [`Task`] with a deadline
//! of its own, which a named person may extend.
//!
//! **Invariant:** nothing is locked before the end of its deadline's day, and nothing of a dossier
//! that is in the centre's hands. **Invariant:** a task ends done, with its campaign, or with its
//! dossier or connection; done only where every paper that was asked for is signed anew.

mod refusal;
mod task;
#[cfg(test)]
mod tests;

use hashbrown::HashSet;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use self::refusal::CampaignRefusal;
pub use self::task::{Due, Extension, Standing, Task, TaskState};
use crate::dossier::{Mark, Part};
use crate::geo;
use crate::ids::UnitCode;
use crate::people::days_between;
use crate::person::Dataset;
use crate::text::is_storable;
use crate::units::{Tree, UnitKind};

/// Characters of a name, of a document's number (*ours*).
const SHORT_MAX: usize = 200;
/// A deadline lies at most so many days ahead (*ours*): two years.
pub const AHEAD_DAYS: i64 = 731;
/// Reminders of one campaign at most (*ours*).
pub const REMINDERS_MAX: usize = 10;
/// Days after a dossier was sent back in which it is not locked, though its deadline has passed
/// (*ours*): a working week and its weekend.
pub const SENT_BACK_DAYS: i64 = 7;

/// The number of a campaign.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct CampaignId(pub u32);

impl std::fmt::Display for CampaignId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DCN-{:03}", self.0)
    }
}

/// Which dossiers a campaign is for: those to which everything that is named applies.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Scope {
    /// Units of a province of the present list.
    pub province: Option<u8>,
    /// Units of a kind.
    pub kind: Option<UnitKind>,
    /// Only what was live before there were dossiers.
    pub imported: bool,
}

impl Scope {
    /// Whether a dossier of a unit is in it.
    #[must_use]
    pub fn covers(&self, tree: &Tree, unit: &UnitCode, imported: bool) -> bool {
        let is = |kind| tree.resolve(unit).is_some_and(|u| u.about.kind == kind);
        (imported || !self.imported)
            && self.kind.is_none_or(is)
            && self.province.is_none_or(|wanted| province_of(tree, unit) == Some(wanted))
    }
}

/// The province of the present list where a unit works: its own, else that of the unit above.
#[must_use]
pub fn province_of(tree: &Tree, unit: &UnitCode) -> Option<u8> {
    let seat = tree.path(unit).into_iter().find_map(|u| u.about.seat)?;
    match seat.dataset {
        Dataset::Y2026 => Some(seat.province),
        Dataset::Y2024 => geo::province_successor(seat.province),
    }
}

/// What a campaign asks for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// Tên đợt.
    pub name: String,
    /// Number of the document that it is based on.
    pub document: String,
    /// Date of that document.
    pub dated: Date,
    /// Which dossiers.
    pub scope: Scope,
    /// The last day.
    pub deadline: Date,
    /// Days before the deadline on which units are reminded.
    pub remind: Vec<u16>,
    /// What has to be brought up to date and signed anew; nothing: what is missing only.
    pub parts: Vec<Part>,
}

/// A campaign that was begun.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Campaign {
    plan: Plan,
    begun: Mark,
}

impl Campaign {
    /// Begins a campaign.
    ///
    /// # Errors
    /// What of the plan is wrong, first things first.
    pub fn begin(mut plan: Plan, mark: Mark) -> Result<Self, CampaignRefusal> {
        let today = mark.at.viet_nam_date();
        for text in [&mut plan.name, &mut plan.document] {
            *text = String::from(text.trim());
        }
        is_text(&plan.name).ok_or(CampaignRefusal::Name)?;
        let numbered = plan.document.chars().any(|c| c.is_ascii_digit());
        (numbered && is_text(&plan.document).is_some())
            .then_some(())
            .ok_or(CampaignRefusal::Document)?;
        if plan.dated > today {
            return Err(CampaignRefusal::DocumentAhead);
        }
        ahead(plan.deadline, today)?;
        let reaches = 1..=days_between(today, plan.deadline);
        let fits = |days: &u16| reaches.contains(&i64::from(*days));
        if plan.remind.len() > REMINDERS_MAX || !plan.remind.iter().all(fits) {
            return Err(CampaignRefusal::Reminders);
        }
        plan.remind.sort_unstable();
        plan.remind.dedup();
        let mut seen = HashSet::new();
        plan.parts.retain(|part| seen.insert(*part));
        if plan.scope.province.is_some_and(|code| geo::province(Dataset::Y2026, code).is_none()) {
            return Err(CampaignRefusal::Province);
        }
        Ok(Self { plan, begun: mark })
    }

    /// What it asks for.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Who began it, and when.
    #[must_use]
    pub const fn begun(&self) -> Mark {
        self.begun
    }

    /// What it was begun for, as reasons of re-opened dossiers say it.
    #[must_use]
    pub fn because(&self) -> String {
        let Plan { name, document, dated, .. } = &self.plan;
        format!("{name} (văn bản {document} ngày {dated}), hạn {}", self.plan.deadline)
    }
}

/// Whether a day can be a deadline.
fn ahead(deadline: Date, today: Date) -> Result<(), CampaignRefusal> {
    match days_between(today, deadline) {
        ..=0 => Err(CampaignRefusal::DeadlinePast),
        days if days > AHEAD_DAYS => Err(CampaignRefusal::DeadlineFar),
        _ => Ok(()),
    }
}

fn is_text(text: &str) -> Option<()> {
    let text = text.trim();
    let fits = !text.is_empty()
        && text.chars().count() <= SHORT_MAX
        && text.chars().all(|c| is_storable(c) && !c.is_control());
    fits.then_some(())
}
