//! Campaigns and the tasks of their dossiers (B4).
//!
//! Nothing is decided here. Writes run inside a transaction of the ledger; reads outside of one go
//! through [`Store::campaigns`](crate::Store::campaigns).
//!
//! **Invariant:** a dossier has one task at most that is not over. **Invariant:** what a campaign
//! asks for, and who extended what and why, stands sealed, bound to its row.

use dancu_domain::campaigns::{Campaign, CampaignId, Standing, Task, TaskState};
use dancu_domain::dossier::{DossierNumber, Stage};
use dancu_domain::ids::{SystemId, UnitCode};
use dancu_domain::moment::Moment;
use dancu_domain::registration::ConnectionState;

use crate::engine::{Row, Tx};
use crate::error::{Error, Result};
use crate::keys::{Key, Keyring, Purpose};
use crate::people::sealed::Place;
use crate::store::Store;
use crate::values;

const ALL: &str = "SELECT id, sealed FROM campaign ORDER BY id DESC";
const BY_ID: &str = "SELECT id, sealed FROM campaign WHERE id = $1";
const OF_DOSSIER: &str = "SELECT t.campaign, t.dossier, t.state, t.deadline, t.sealed, t.system, \
    d.unit, d.stage, d.since FROM campaign_task t JOIN dossier d ON d.id = t.dossier \
    WHERE t.dossier = $1 AND t.state < 3";
const OF_CAMPAIGN: &str = "SELECT t.campaign, t.dossier, t.state, t.deadline, t.sealed, t.system, \
    d.unit, d.stage, d.since FROM campaign_task t JOIN dossier d ON d.id = t.dossier \
    WHERE t.campaign = $1 ORDER BY t.dossier";
const OF_UNIT: &str = "SELECT t.campaign, t.dossier, t.state, t.deadline, t.sealed, t.system, \
    d.unit, d.stage, d.since FROM campaign_task t JOIN dossier d ON d.id = t.dossier \
    WHERE d.unit = $1 AND t.state < 3 ORDER BY t.dossier";
const HOLDING: &str = "SELECT t.campaign, t.dossier, t.state, t.deadline, t.sealed, t.system, \
    d.unit, d.stage, d.since FROM campaign_task t JOIN dossier d ON d.id = t.dossier \
    WHERE t.system = $1 AND t.state = $2 ORDER BY t.campaign LIMIT 1";
// Of a dossier that has come to its end; the newest campaign where there were several.
const LEFT_BEHIND: &str = "SELECT t.campaign, t.dossier, t.state, t.deadline, t.sealed, t.system, \
    d.unit, d.stage, d.since FROM campaign_task t JOIN dossier d ON d.id = t.dossier \
    WHERE t.system = $1 AND t.state < 3 AND d.stage > $2 ORDER BY t.campaign DESC LIMIT 1";
const COUNTS: &str = "SELECT t.campaign, t.state, d.stage, COUNT(*) FROM campaign_task t \
    JOIN dossier d ON d.id = t.dossier GROUP BY t.campaign, t.state, d.stage";
const RUNNING: &str = "SELECT t.campaign, t.dossier, t.state, t.deadline, t.sealed, t.system, \
    d.unit, d.stage, d.since FROM campaign_task t JOIN dossier d ON d.id = t.dossier \
    WHERE t.state < 2 ORDER BY t.campaign, t.dossier";
// What went live by its dossier, or has one from before: a connection that only prepares has none.
const CANDIDATES: &str = "SELECT d.id, d.unit, d.system, c.ground, t.campaign FROM dossier d \
    JOIN system s ON s.id = d.system LEFT JOIN system_clearance c ON c.system = d.system \
    LEFT JOIN campaign_task t ON t.dossier = d.id AND t.state < 3 \
    WHERE d.stage < $1 AND s.state IN ($2, $3, $4) ORDER BY d.id";
const _: () = assert!(TaskState::Done as u8 == 3 && TaskState::Locked as u8 == 2);

/// The word of the ground of what was live before there were dossiers, in `system_clearance`.
const BEFORE: &str = "liveBefore";

/// A dossier that a campaign may be for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// Which.
    pub dossier: DossierNumber,
    /// Its unit.
    pub unit: UnitCode,
    /// Its system.
    pub system: SystemId,
    /// Whether it was live before there were dossiers.
    pub imported: bool,
    /// The campaign that it is in, not over there.
    pub within: Option<CampaignId>,
}

/// A task with its dossier as it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Followed {
    /// Of which campaign.
    pub campaign: CampaignId,
    /// Which dossier.
    pub dossier: DossierNumber,
    /// Its system.
    pub system: SystemId,
    /// The task.
    pub task: Task,
    /// The dossier's unit.
    pub unit: UnitCode,
    /// Where the dossier stands.
    pub standing: Standing,
}

/// Stores a new campaign; gives its number.
pub fn insert(tx: &mut Tx<'_>, keys: &Keyring, campaign: &Campaign) -> Result<CampaignId> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let highest: u32 = tx.one("SELECT COALESCE(MAX(id), 0) FROM campaign", &[], |r| r.get(0))?;
    let id = highest.checked_add(1).map(CampaignId).ok_or(Error::Damaged("campaign.id"))?;
    let sealed = place(id).seal(&key, campaign, &[])?;
    tx.execute("INSERT INTO campaign (id, sealed) VALUES ($1, $2)", values![id.0, sealed])?;
    Ok(id)
}

/// Takes a dossier into a campaign.
pub fn insert_task(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    id: CampaignId,
    (dossier, system): (DossierNumber, SystemId),
    task: &Task,
) -> Result<()> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let sealed = task_place(id, dossier).seal(&key, task, &[])?;
    tx.queue(
        "INSERT INTO campaign_task (campaign, dossier, system, state, deadline, sealed) \
         VALUES ($1, $2, $3, $4, $5, $6)",
        values![id.0, dossier.0, system.0, task.state() as u8, task.deadline().to_string(), sealed],
    )
}

/// Stores a task that was read in this transaction.
pub fn save_task(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    (id, dossier): (CampaignId, DossierNumber),
    task: &Task,
) -> Result<()> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let sealed = task_place(id, dossier).seal(&key, task, &[])?;
    tx.execute(
        "UPDATE campaign_task SET state = $1, deadline = $2, sealed = $3 \
         WHERE campaign = $4 AND dossier = $5",
        values![task.state() as u8, task.deadline().to_string(), sealed, id.0, dossier.0],
    )?;
    Ok(())
}

/// Hands the task that a dossier of a system left open at its end on to the dossier that takes its
/// place; which task it was.
pub fn pass_on(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    system: SystemId,
    to: DossierNumber,
) -> Result<Option<Followed>> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let live = Stage::Live.number();
    let found = tx.optional(LEFT_BEHIND, values![system.0, live], |r| followed(r, &key))?;
    let Some(found) = found else { return Ok(None) };
    let sealed = task_place(found.campaign, to).seal(&key, &found.task, &[])?;
    tx.execute(
        "UPDATE campaign_task SET dossier = $1, sealed = $2 WHERE campaign = $3 AND dossier = $4",
        values![to.0, sealed, found.campaign.0, found.dossier.0],
    )?;
    Ok(Some(found))
}

/// A campaign.
pub fn by_id(tx: &mut Tx<'_>, keys: &Keyring, id: CampaignId) -> Result<Option<Campaign>> {
    let Some(key) = keys.get(Purpose::Policy, 0) else { return Ok(None) };
    tx.optional(BY_ID, values![id.0], |r| Ok(read(r, &key)?.1))
}

/// The task of a dossier that is not over.
pub fn of_dossier(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    dossier: DossierNumber,
) -> Result<Option<Followed>> {
    let Some(key) = keys.get(Purpose::Policy, 0) else { return Ok(None) };
    tx.optional(OF_DOSSIER, values![dossier.0], |r| followed(r, &key))
}

/// The tasks of a campaign.
pub fn of_campaign(tx: &mut Tx<'_>, keys: &Keyring, id: CampaignId) -> Result<Vec<Followed>> {
    let Some(key) = keys.get(Purpose::Policy, 0) else { return Ok(vec![]) };
    tx.query(OF_CAMPAIGN, values![id.0], |r| followed(r, &key))
}

/// Dossiers of connections that are in use or stopped, for campaigns to choose from.
pub fn candidates(tx: &mut Tx<'_>) -> Result<Vec<Candidate>> {
    tx.query(CANDIDATES, &candidate_values(), candidate)
}

/// Whether a campaign locked the connection of a system.
pub fn holds(tx: &mut Tx<'_>, system: SystemId) -> Result<bool> {
    let sql = "SELECT COUNT(*) FROM campaign_task WHERE system = $1 AND state = $2";
    let locked: i64 = tx.one(sql, values![system.0, TaskState::Locked as u8], |r| r.get(0))?;
    Ok(locked > 0)
}

/// The task of a system whose connection a campaign locked.
pub fn holding(tx: &mut Tx<'_>, keys: &Keyring, system: SystemId) -> Result<Option<Followed>> {
    let Some(key) = keys.get(Purpose::Policy, 0) else { return Ok(None) };
    let values = values![system.0, TaskState::Locked as u8];
    tx.optional(HOLDING, values, |r| followed(r, &key))
}

/// Campaigns as they stand now, read from asynchronous code: each read is one statement.
#[derive(Clone, Copy)]
pub struct Campaigns<'a> {
    store: &'a Store,
}

impl Store {
    /// Campaigns.
    pub const fn campaigns(&self) -> Campaigns<'_> {
        Campaigns { store: self }
    }
}

impl Campaigns<'_> {
    /// Every campaign, the newest first.
    pub async fn all(self) -> Result<Vec<(CampaignId, Campaign)>> {
        let Some(key) = self.store.keys.get(Purpose::Policy, 0) else { return Ok(vec![]) };
        self.store.look(ALL, &[], |r| read(r, &key)).await
    }

    /// [`by_id`].
    pub async fn by_id(self, id: CampaignId) -> Result<Option<Campaign>> {
        let Some(key) = self.store.keys.get(Purpose::Policy, 0) else { return Ok(None) };
        Ok(self.store.look(BY_ID, values![id.0], |r| read(r, &key)).await?.pop().map(|(_, c)| c))
    }

    /// [`of_campaign`].
    pub async fn of_campaign(self, id: CampaignId) -> Result<Vec<Followed>> {
        self.followed(OF_CAMPAIGN, values![id.0]).await
    }

    /// How many dossiers of each campaign stand at each stage, by the state of their task.
    pub async fn counts(self) -> Result<Vec<(CampaignId, TaskState, u8, u64)>> {
        let read = |r: &Row<'_>| {
            let state = TaskState::from_number(r.get(1)?);
            let state = state.ok_or(Error::Damaged("campaign_task.state"))?;
            Ok((CampaignId(r.get(0)?), state, r.get(2)?, r.get::<i64>(3)?.unsigned_abs()))
        };
        self.store.look(COUNTS, &[], read).await
    }

    /// Tasks of a unit's dossiers that are not over.
    pub async fn of_unit(self, unit: &UnitCode) -> Result<Vec<Followed>> {
        self.followed(OF_UNIT, values![unit.as_str()]).await
    }

    /// Every task that waits to be opened or to be brought up to date, by campaign.
    pub async fn running(self) -> Result<Vec<Followed>> {
        self.followed(RUNNING, &[]).await
    }

    /// [`candidates`].
    pub async fn candidates(self) -> Result<Vec<Candidate>> {
        self.store.look(CANDIDATES, &candidate_values(), candidate).await
    }

    async fn followed(
        self,
        sql: &'static str,
        values: &[crate::engine::Value<'_>],
    ) -> Result<Vec<Followed>> {
        let Some(key) = self.store.keys.get(Purpose::Policy, 0) else { return Ok(vec![]) };
        self.store.look(sql, values, |r| followed(r, &key)).await
    }
}

fn candidate_values() -> [crate::engine::Value<'static>; 4] {
    [
        // Refused, withdrawn and closed ones stand behind the live ones.
        (Stage::Live.number() + 1).into(),
        (ConnectionState::Live as u8).into(),
        (ConnectionState::Suspended as u8).into(),
        (ConnectionState::Locked as u8).into(),
    ]
}

fn candidate(r: &Row<'_>) -> Result<Candidate> {
    Ok(Candidate {
        dossier: DossierNumber(r.get(0)?),
        unit: unit(r, 1)?,
        system: SystemId(r.get(2)?),
        imported: r.get::<Option<String>>(3)?.as_deref() == Some(BEFORE),
        within: r.get::<Option<u32>>(4)?.map(CampaignId),
    })
}

fn read(r: &Row<'_>, key: &Key) -> Result<(CampaignId, Campaign)> {
    let id = CampaignId(r.get(0)?);
    Ok((id, place(id).open::<Campaign>(key, r, 1)?.record))
}

/// The task of a row; what stands beside it says the same.
fn followed(r: &Row<'_>, key: &Key) -> Result<Followed> {
    let (campaign, dossier) = (CampaignId(r.get(0)?), DossierNumber(r.get(1)?));
    let place = task_place(campaign, dossier);
    let task = place.open::<Task>(key, r, 4)?.record;
    if (task.state() as u8, task.deadline().to_string()) != (r.get(2)?, r.get(3)?) {
        return Err(place.damaged());
    }
    Ok(Followed {
        campaign,
        dossier,
        system: SystemId(r.get(5)?),
        task,
        unit: unit(r, 6)?,
        standing: Standing { stage: r.get(7)?, since: Moment(r.get(8)?) },
    })
}

fn unit(r: &Row<'_>, column: usize) -> Result<UnitCode> {
    UnitCode::parse(&r.get::<String>(column)?).map_err(|_| Error::Damaged("dossier.unit"))
}

fn place(id: CampaignId) -> Place {
    Place::numbered("campaign.sealed", i64::from(id.0))
}

fn task_place(id: CampaignId, dossier: DossierNumber) -> Place {
    Place::marked("campaign_task.sealed", format!("{} {}", id.0, dossier.0).as_bytes())
}
