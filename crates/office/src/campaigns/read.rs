//! What pages read of campaigns.

use std::collections::BTreeMap;

use dancu_domain::campaigns::{Campaign, CampaignId, Scope, Standing, TaskState, province_of};
use dancu_domain::dossier::DossierNumber;
use dancu_domain::moment::Moment;
use dancu_domain::registration::ConnectionState::{Closed, Preparing};
use dancu_domain::registration::Snapshot;
use dancu_domain::units::Tree;
use dancu_store::Store;
use dancu_store::campaigns::Followed;
use hashbrown::HashSet;

use crate::act::Refused;

/// How far a campaign is, in dossiers.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Tally {
    /// In the campaign; those that left it are not counted.
    pub total: u64,
    /// Up to date.
    pub done: u64,
    /// Handed in: the centre's turn.
    pub centre: u64,
    /// The unit's turn.
    pub unit: u64,
    /// Overdue, the connection locked.
    pub locked: u64,
}

impl Tally {
    /// Percent that is up to date; all of nothing.
    #[must_use]
    pub const fn share(&self) -> u64 {
        match (self.done * 100).checked_div(self.total) {
            Some(share) => share,
            None => 100,
        }
    }

    fn add(&mut self, state: TaskState, units_turn: bool, count: u64) {
        let slot = match state {
            TaskState::Ended => return,
            TaskState::Done => &mut self.done,
            TaskState::Locked => &mut self.locked,
            _ if units_turn => &mut self.unit,
            _ => &mut self.centre,
        };
        *slot += count;
        self.total += count;
    }
}

/// A campaign and how far it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Progress {
    /// The campaign.
    pub campaign: Campaign,
    /// All of it.
    pub whole: Tally,
    /// By province of the present list; none: of units without a place.
    pub provinces: BTreeMap<Option<u8>, Tally>,
    /// Dossiers that are not done with, by the number of their stage.
    pub stages: [u64; 9],
    /// Its dossiers.
    pub dossiers: Vec<Followed>,
}

/// How far a campaign is; none where it is not there.
///
/// # Errors
/// Of the store.
pub async fn progress(
    store: &Store,
    tree: &Tree,
    id: CampaignId,
) -> Result<Option<Progress>, Refused> {
    let Some(campaign) = store.campaigns().by_id(id).await? else { return Ok(None) };
    let dossiers = store.campaigns().of_campaign(id).await?;
    let mut provinces: BTreeMap<Option<u8>, Tally> = BTreeMap::new();
    let (mut whole, mut stages) = (Tally::default(), [0; 9]);
    for found in &dossiers {
        let province = provinces.entry(province_of(tree, &found.unit)).or_default();
        for tally in [&mut whole, province] {
            tally.add(found.task.state(), found.standing.is_units_turn(), 1);
        }
        let open = !found.task.state().is_over();
        if let Some(slot) = stages.get_mut(usize::from(found.standing.stage)).filter(|_| open) {
            *slot += 1;
        }
    }
    Ok(Some(Progress { campaign, whole, provinces, stages, dossiers }))
}

/// Every campaign, the newest first.
///
/// # Errors
/// Of the store.
pub async fn list(store: &Store) -> Result<Vec<(CampaignId, Campaign, Tally)>, Refused> {
    let mut tallies: BTreeMap<CampaignId, Tally> = BTreeMap::new();
    for (id, state, stage, count) in store.campaigns().counts().await? {
        let standing = Standing { stage, since: Moment(0) };
        tallies.entry(id).or_default().add(state, standing.is_units_turn(), count);
    }
    let all = store.campaigns().all().await?.into_iter();
    Ok(all.map(|(id, campaign)| (id, campaign, tallies.remove(&id).unwrap_or_default())).collect())
}

/// What a campaign would be for.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Preview {
    /// Dossiers in the scope.
    pub dossiers: u64,
    /// Units that they are of.
    pub units: u64,
    /// Those of them that are in another campaign, which refuses this one.
    pub within: Vec<DossierNumber>,
    /// Connections in use that have no dossier: no campaign reaches them.
    pub without: u64,
}

/// Looks at what a campaign would be for.
///
/// # Errors
/// Of the store.
pub async fn preview(
    store: &Store,
    snapshot: &Snapshot,
    tree: &Tree,
    scope: Scope,
) -> Result<Preview, Refused> {
    let all = store.campaigns().candidates().await?;
    let have: HashSet<_> = all.iter().map(|c| c.system).collect();
    let used = snapshot.systems().iter().filter(|s| !matches!(s.state, Preparing | Closed));
    let without = used.filter(|s| !have.contains(&s.id)).count() as u64;
    let chosen: Vec<_> = all.iter().filter(|c| scope.covers(tree, &c.unit, c.imported)).collect();
    let units: HashSet<_> = chosen.iter().map(|c| &c.unit).collect();
    Ok(Preview {
        dossiers: chosen.len() as u64,
        units: units.len() as u64,
        within: chosen.iter().filter(|c| c.within.is_some()).map(|c| c.dossier).collect(),
        without,
    })
}
