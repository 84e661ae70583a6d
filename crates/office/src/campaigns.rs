//! Campaigns (B4): dossiers of connections that go on are opened again in bulk; what is not brought
//! up to date by its deadline is locked until it is.
//!
//! Beginning one only writes down which dossiers it is for; they are opened slice by slice, so
//! that thousands of them hold up no question, by [`keep`], which housekeeping calls too. There
//! deadlines are looked at: reminders are told, and connections locked, one entry each.
//!
//! **Invariant:** a connection that a campaign locked goes on by an extension, by the acceptance of
//! its updated dossier, or with the end of the campaign; each in the act that causes it.

mod keep;
pub mod read;

use std::sync::Arc;

use dancu_domain::campaigns::{Campaign, CampaignId, CampaignRefusal, Plan, Task, TaskState};
use dancu_domain::dossier::{Dossier, DossierNumber, Mark, Part};
use dancu_domain::ids::SystemId;
use dancu_domain::moment::Moment;
use dancu_domain::notices::{Audience, CampaignDeed, Notice};
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::registration::ConnectionState;
use dancu_store::campaigns::{self, Candidate, Followed};
use dancu_store::dossiers::{self, Event};
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::policy::{accounts, write};
use dancu_store::{Store, units};
use jiff::civil::Date;

use self::keep::SLICE;
pub use self::keep::keep;
pub(crate) use self::keep::open_waiting;
pub use crate::act::refused;
use crate::act::{Actor, Done, Entry, Refused, carry_out, note, reason};
use crate::notices::tell;

/// Who runs campaigns.
#[derive(Clone, Copy)]
pub struct CampaignDesk<'a> {
    /// The open data.
    pub store: &'a Store,
    /// The product's time.
    pub now: Moment,
    /// Who acts.
    pub by: &'a Actor,
}

impl CampaignDesk<'_> {
    fn mark(&self) -> Mark {
        Mark { by: self.by.number(), at: self.now }
    }
}

/// A campaign that was begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Begun {
    /// Its number.
    pub id: CampaignId,
    /// Dossiers in it.
    pub dossiers: usize,
}

/// Begins a campaign; its dossiers are opened before this returns.
///
/// # Errors
/// [`Refused::Field`] with the sentence of a [`CampaignRefusal`].
pub async fn begin(desk: &CampaignDesk<'_>, plan: Plan) -> Result<(Done, Begun), Refused> {
    let (keys, mark) = (desk.store.keys().clone(), desk.mark());
    let entry = Entry::new("campaign.begun", desk.by, None);
    let begun = note((desk.store, desk.now), entry, move |tx| {
        let campaign = Campaign::begin(plan, mark).map_err(refused)?;
        let written = units::all(tx, &keys)?;
        let tree = crate::units::tree(&written, mark.at.viet_nam_date())?;
        let Plan { scope, deadline, .. } = campaign.plan();
        let mut chosen = campaigns::candidates(tx)?;
        chosen.retain(|c| scope.covers(&tree, &c.unit, c.imported));
        free(&chosen)?;
        let id = campaigns::insert(tx, &keys, &campaign)?;
        for one in &chosen {
            let task = Task::new(*deadline);
            campaigns::insert_task(tx, &keys, id, (one.dossier, one.system), &task)?;
        }
        let dossiers = chosen.len();
        Ok((format!("{id} {}; {dossiers} hồ sơ", campaign.because()), Begun { id, dossiers }))
    });
    let begun = begun.await?;
    keep::open_waiting(desk.store, desk.now).await?;
    Ok(begun)
}

/// Whether dossiers can be taken into a campaign.
fn free(chosen: &[Candidate]) -> Result<(), Refused> {
    if chosen.is_empty() {
        return Err(refused(CampaignRefusal::Nobody));
    }
    let taken: Vec<String> = chosen
        .iter()
        .filter_map(|c| Some(format!("{} ({})", c.dossier, c.within?)))
        .take(NAMED_MAX)
        .collect();
    if taken.is_empty() {
        return Ok(());
    }
    let text = CampaignRefusal::Overlap.text();
    Err(Refused::Field {
        field: text.field,
        vi: format!("{} {} (B4)", text.text_vi, taken.join(", ")),
        en: format!("{} {} (B4)", text.text, taken.join(", ")),
    })
}

/// Dossiers that a sentence names: what a person looks through.
const NAMED_MAX: usize = 10;

/// Gives a dossier more time; a connection that was locked for it goes on with that.
///
/// # Errors
/// [`Refused::Gone`] where the dossier is not in the campaign any more; [`Refused::NoReason`],
/// [`Refused::Field`].
pub async fn extend(
    desk: &CampaignDesk<'_>,
    (id, dossier): (CampaignId, DossierNumber),
    to: Date,
    why: &str,
) -> Result<Done, Refused> {
    let why = reason(why)?.to_owned();
    let all = desk.store.campaigns().of_campaign(id).await?;
    let system = all.iter().find(|f| f.dossier == dossier).ok_or(Refused::Gone)?.system;
    let inside = Inside::of(desk);
    let entry = Entry::new("campaign.extended", desk.by, Some(system));
    let extended = carry_out((desk.store, desk.now), entry, move |tx, _| {
        let found = campaigns::of_dossier(tx, &inside.keys, dossier)?;
        let found = found.filter(|f| f.campaign == id).ok_or(Refused::Gone)?;
        let from = found.task.deadline();
        let (task, unlocked) = found.task.clone().extend(inside.mark, to, &why).map_err(refused)?;
        campaigns::save_task(tx, &inside.keys, (id, dossier), &task)?;
        let unlocked = if unlocked { inside.unlock(tx, &found)? } else { "" };
        let detail = format!("{id} {dossier}: hạn {from} → {to}{unlocked}; lý do: {why}");
        inside.event(tx, dossier, "campaign.extended", &detail)?;
        inside.tell_unit(tx, &found, to, CampaignDeed::Extended)?;
        Ok((detail, ()))
    });
    Ok(extended.await?.0)
}

/// Stops a campaign: nothing more is due of its dossiers, and connections that it locked go on.
/// Slice by slice, an entry each; where it was broken off, called again it ends the rest.
///
/// # Errors
/// [`Refused::Gone`] where nothing of it is open; [`Refused::NoReason`].
pub async fn stop(desk: &CampaignDesk<'_>, id: CampaignId, why: &str) -> Result<Done, Refused> {
    let why = reason(why)?;
    let mut open = desk.store.campaigns().of_campaign(id).await?;
    open.retain(|f| !f.task.state().is_over());
    let mut stopped = Err(Refused::Gone);
    for some in open.chunks(SLICE) {
        match stop_some(desk, id, some, why).await {
            // What has ended meanwhile is passed over.
            Err(Refused::Gone) => {}
            done => stopped = Ok(done?),
        }
    }
    stopped
}

async fn stop_some(
    desk: &CampaignDesk<'_>,
    id: CampaignId,
    some: &[Followed],
    why: &str,
) -> Result<Done, Refused> {
    let (inside, why) = (Inside::of(desk), why.to_owned());
    let dossiers: Vec<DossierNumber> = some.iter().map(|f| f.dossier).collect();
    let entry = Entry::new("campaign.stopped", desk.by, None);
    let stopped = carry_out((desk.store, desk.now), entry, move |tx, _| {
        let (mut open, mut unlocked) = (0, 0);
        for dossier in dossiers {
            let found = campaigns::of_dossier(tx, &inside.keys, dossier)?;
            let Some(found) = found.filter(|f| f.campaign == id) else { continue };
            let (task, locked) = found.task.clone().ended();
            campaigns::save_task(tx, &inside.keys, (id, dossier), &task)?;
            if locked {
                inside.unlock(tx, &found)?;
                unlocked += 1;
            }
            open += 1;
        }
        if open == 0 {
            return Err(Refused::Gone);
        }
        let detail = format!("{id}: {open} hồ sơ chưa xong, mở khóa {unlocked}; lý do: {why}");
        Ok((detail, ()))
    });
    Ok(stopped.await?.0)
}

/// What became of the dossier of a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Became {
    /// Received by the centre.
    Received,
    /// In force as it was brought up to date.
    InForce,
    /// Ended with its connection.
    Ended,
}

/// Follows an act on a dossier, in its transaction; gives what its entry says of it besides.
pub(crate) fn follow(
    tx: &mut Tx<'_>,
    (keys, mark): (&Arc<Keyring>, Mark),
    dossier: &Dossier,
    became: Became,
) -> Result<String, Refused> {
    let number = dossier.number();
    let Some(found) = campaigns::of_dossier(tx, keys, number)? else { return Ok(String::new()) };
    let before = found.task.clone();
    let (task, unlocked) = match became {
        Became::Received => before.received(),
        Became::InForce => before.in_force(dossier),
        Became::Ended => before.ended(),
    };
    if task == found.task {
        return Ok(String::new());
    }
    campaigns::save_task(tx, keys, (found.campaign, number), &task)?;
    let inside = Inside { keys: keys.clone(), mark, actor: String::new() };
    let unlocked = if unlocked { inside.unlock(tx, &found)? } else { "" };
    let over = match task.state() {
        TaskState::Done => ", đã cập nhật",
        TaskState::Waiting => ", còn giấy tờ phải ký lại",
        _ => "",
    };
    Ok(format!("; {}{over}{unlocked}", found.campaign))
}

/// Papers of a dossier that the campaign that it is in still waits for.
pub(crate) fn owed(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    dossier: &Dossier,
) -> Result<Vec<Part>, Refused> {
    let found = campaigns::of_dossier(tx, keys, dossier.number())?;
    Ok(found.map_or_else(Vec::new, |f| f.task.owed(dossier)))
}

/// Whether a campaign holds the connection of a system: nothing else ends that lock.
pub(crate) fn held(tx: &mut Tx<'_>, system: SystemId) -> Result<(), Refused> {
    if campaigns::holds(tx, system)? { Err(refused(CampaignRefusal::Held)) } else { Ok(()) }
}

/// Writes down that a connection which a campaign holds is locked for security besides, or not any
/// more (D6): it goes on when both have ended. False where no campaign holds it.
pub(crate) fn secured(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    system: SystemId,
    locked: bool,
) -> Result<bool, Refused> {
    if !campaigns::holds(tx, system)? {
        return Ok(false);
    }
    let found = campaigns::holding(tx, keys, system)?.ok_or(Refused::Gone)?;
    let Some(task) = found.task.clone().secured(locked) else {
        let held = || refused(CampaignRefusal::Held);
        return Err(if locked { PortalReason::NotInThisState.into() } else { held() });
    };
    campaigns::save_task(tx, keys, (found.campaign, found.dossier), &task)?;
    Ok(true)
}

/// What is needed on the writer's thread.
struct Inside {
    keys: Arc<Keyring>,
    mark: Mark,
    actor: String,
}

impl Inside {
    fn of(desk: &CampaignDesk<'_>) -> Self {
        let actor = desk.by.told();
        Self { keys: desk.store.keys().clone(), mark: desk.mark(), actor }
    }

    /// Sets a connection that was locked live again; gives what the entry says of it.
    fn unlock(&self, tx: &mut Tx<'_>, found: &Followed) -> Result<&'static str, Refused> {
        if write::system_state(tx, found.system)? != Some(ConnectionState::Locked) {
            return Ok("");
        }
        write::set_system_state(tx, found.system, ConnectionState::Live)?;
        self.tell_connection(tx, found, false)?;
        Ok(", mở khóa kết nối")
    }

    fn tell_connection(
        &self,
        tx: &mut Tx<'_>,
        found: &Followed,
        locked: bool,
    ) -> Result<(), Refused> {
        let system = accounts::owner(tx, found.system)?.ok_or(Refused::Gone)?.code;
        let to = [
            Audience::Heads(found.unit.clone(), None),
            Audience::Integrators(found.unit.clone()),
            Audience::Operators(Some(self.mark.by)),
        ];
        tell(tx, &self.keys, self.mark.at, &to, &Notice::Connection { system, locked })
    }

    fn tell_unit(
        &self,
        tx: &mut Tx<'_>,
        found: &Followed,
        due: Date,
        deed: CampaignDeed,
    ) -> Result<(), Refused> {
        let campaign = campaigns::by_id(tx, &self.keys, found.campaign)?.ok_or(Refused::Gone)?;
        let notice = Notice::Campaign {
            name: campaign.plan().name.clone(),
            number: found.dossier.to_string(),
            due,
            deed,
        };
        let to = [Audience::Heads(found.unit.clone(), None)];
        tell(tx, &self.keys, self.mark.at, &to, &notice)
    }

    fn event(
        &self,
        tx: &mut Tx<'_>,
        dossier: DossierNumber,
        kind: &str,
        detail: &str,
    ) -> Result<(), Refused> {
        let event = Event {
            at: self.mark.at,
            kind: kind.to_owned(),
            actor: self.actor.clone(),
            detail: detail.to_owned(),
        };
        Ok(dossiers::note_event(tx, &self.keys, dossier, &event)?)
    }
}
