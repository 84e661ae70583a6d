//! What housekeeping does for campaigns: opens dossiers, reminds, locks.

use std::collections::BTreeMap;
use std::sync::Arc;

use dancu_domain::campaigns::{Campaign, CampaignId, Due, TaskState};
use dancu_domain::dossier::Mark;
use dancu_domain::ids::SystemId;
use dancu_domain::moment::Moment;
use dancu_domain::people::PersonId;
use dancu_domain::registration::ConnectionState;
use dancu_journal::{Act, Body};
use dancu_store::campaigns::{self, Followed};
use dancu_store::dossiers::{self, Stored};
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::policy::{accounts, write};
use dancu_store::{Error, Store};

use super::Inside;
use crate::act::Refused;
use crate::documents::Issuing;

/// Who the journal names for what the program does by itself.
const PROGRAM: &str = "dancu";
/// Dossiers of one transaction: each is opened, sealed anew and told of, some milliseconds
/// together; nothing else is written meanwhile.
const SLICE: usize = 50;
/// What is undone because there was nothing to do: another node was faster.
const NOTHING: &str = "không có việc gì (nothing to do)";

/// Opens what still waits, reminds, and locks what is overdue. Cheap where nothing runs.
///
/// # Errors
/// The store could not be read or written.
pub async fn keep(store: &Store, now: Moment) -> Result<(), Error> {
    open_waiting(store, now).await?;
    let running = store.campaigns().running().await?;
    if running.is_empty() {
        return Ok(());
    }
    let plans: BTreeMap<CampaignId, Campaign> =
        store.campaigns().all().await?.into_iter().collect();
    let today = now.viet_nam_date();
    let mut remind: BTreeMap<CampaignId, Vec<Followed>> = BTreeMap::new();
    for found in running {
        let Some(campaign) = plans.get(&found.campaign) else { continue };
        match found.task.due(&campaign.plan().remind, found.standing, today) {
            Due::Nothing => {}
            Due::Remind(_) => remind.entry(found.campaign).or_default().push(found),
            Due::Lock => lock(store, now, found).await?,
        }
    }
    for (id, all) in remind {
        for some in all.chunks(SLICE) {
            self::remind(store, now, id, some.to_vec()).await?;
        }
    }
    Ok(())
}

/// Opens the dossiers of campaigns that were begun.
pub(crate) async fn open_waiting(store: &Store, now: Moment) -> Result<(), Error> {
    let mut waiting = store.campaigns().running().await?;
    waiting.retain(|f| f.task.state() == TaskState::Waiting);
    for some in waiting.chunk_by(|a, b| a.campaign == b.campaign) {
        for slice in some.chunks(SLICE) {
            let (id, slice) = (slice[0].campaign, slice.to_vec());
            let program = Program::of(store, now);
            let opened = store.ledger().note(now, move |tx| {
                program.some(tx, "campaign.opened", id, &slice, |program, tx, campaign, found| {
                    program.open(tx, campaign, found)
                })
            });
            nothing_is_fine(opened.await)?;
        }
    }
    Ok(())
}

async fn remind(
    store: &Store,
    now: Moment,
    id: CampaignId,
    some: Vec<Followed>,
) -> Result<(), Error> {
    let program = Program::of(store, now);
    let reminded = store.ledger().note(now, move |tx| {
        program.some(tx, "campaign.reminded", id, &some, |program, tx, campaign, found| {
            program.remind(tx, campaign, found)
        })
    });
    nothing_is_fine(reminded.await)
}

/// Locks a connection whose dossier is overdue, with an entry of its own.
async fn lock(store: &Store, now: Moment, found: Followed) -> Result<(), Error> {
    let program = Program::of(store, now);
    let locked = store.ledger().act(now, move |tx, _| program.lock(tx, &found));
    nothing_is_fine(locked.await)
}

fn nothing_is_fine(done: Result<u64, Error>) -> Result<(), Error> {
    match done {
        Err(Error::Refused(text)) if text == NOTHING => Ok(()),
        other => other.map(drop),
    }
}

fn store_error(refused: Refused) -> Error {
    match refused {
        Refused::Store(error) => error,
        other => Error::Refused(other.to_string()),
    }
}

/// The program as it acts by itself.
struct Program {
    keys: Arc<Keyring>,
    inside: Inside,
}

impl Program {
    fn of(store: &Store, now: Moment) -> Self {
        let (keys, mark) = (store.keys().clone(), Mark { by: PersonId(0), at: now });
        Self { inside: Inside { keys: keys.clone(), mark, actor: PROGRAM.into() }, keys }
    }

    /// Does something with each of some tasks as they stand now; one entry names the dossiers.
    fn some(
        &self,
        tx: &mut Tx<'_>,
        kind: &'static str,
        id: CampaignId,
        some: &[Followed],
        each: impl Fn(&Self, &mut Tx<'_>, &Campaign, Followed) -> Result<bool, Refused>,
    ) -> Result<Body, Error> {
        let campaign = campaigns::by_id(tx, &self.keys, id)?.ok_or(Error::Damaged("campaign"))?;
        let mut told = vec![];
        for found in some {
            let dossier = found.dossier;
            let now = campaigns::of_dossier(tx, &self.keys, dossier)?;
            let Some(now) = now.filter(|f| f.campaign == id) else { continue };
            if each(self, tx, &campaign, now).map_err(store_error)? {
                told.push(dossier.to_string());
            }
        }
        if told.is_empty() {
            return Err(Error::Refused(NOTHING.into()));
        }
        Ok(body(kind, None, format!("{id} {} hồ sơ: {}", told.len(), told.join(" "))))
    }

    fn open(&self, tx: &mut Tx<'_>, campaign: &Campaign, found: Followed) -> Result<bool, Refused> {
        let (id, number) = (found.campaign, found.dossier);
        if found.task.state() != TaskState::Waiting {
            return Ok(false);
        }
        let stored = dossiers::by_number(tx, &self.keys, number)?.ok_or(Refused::Gone)?;
        let because = campaign.because();
        let (mark, parts) = (campaign.begun().by, &campaign.plan().parts);
        let mark = Mark { by: mark, at: self.inside.mark.at };
        // What has ended meanwhile is left out.
        let Ok(dossier) = stored.dossier.clone().renew(mark, &because, parts) else {
            campaigns::save_task(tx, &self.keys, (id, number), &found.task.ended().0)?;
            return Ok(false);
        };
        if dossier != stored.dossier {
            dossiers::save(tx, &self.keys, &Stored { dossier, revision: stored.revision })?;
        }
        let due = found.task.deadline();
        campaigns::save_task(tx, &self.keys, (id, number), &found.task.opened())?;
        self.inside.event(tx, number, "campaign.opened", &format!("{id} {because}"))?;
        let text = format!("Hồ sơ {number} được mở lại: cập nhật, ký và nộp lại trước hết ngày.");
        self.inside.tell_unit(tx, &found.unit, id, due, &text)?;
        Ok(true)
    }

    fn remind(
        &self,
        tx: &mut Tx<'_>,
        campaign: &Campaign,
        found: Followed,
    ) -> Result<bool, Refused> {
        let (id, number) = (found.campaign, found.dossier);
        let today = self.inside.mark.at.viet_nam_date();
        let due = found.task.due(&campaign.plan().remind, found.standing, today);
        let Due::Remind(days) = due else { return Ok(false) };
        let last = found.task.deadline();
        campaigns::save_task(tx, &self.keys, (id, number), &found.task.reminded(days))?;
        self.inside.event(tx, number, "campaign.reminded", &format!("{id} hạn {last}"))?;
        let text = format!(
            "Hồ sơ {number} chưa được nộp lại; hết ngày hạn, kết nối bị khóa đến khi hồ sơ đủ."
        );
        self.inside.tell_unit(tx, &found.unit, id, last, &text)?;
        Ok(true)
    }

    fn lock(&self, tx: &mut Tx<'_>, found: &Followed) -> Result<Body, Error> {
        let (id, number, system) = (found.campaign, found.dossier, found.system);
        let nothing = || Error::Refused(NOTHING.into());
        let found = campaigns::of_dossier(tx, &self.keys, number)?;
        let found = found.filter(|f| f.campaign == id).ok_or_else(nothing)?;
        let today = self.inside.mark.at.viet_nam_date();
        if found.task.due(&[], found.standing, today) != Due::Lock {
            return Err(nothing());
        }
        let (task, last) = (found.task.clone(), found.task.deadline());
        match write::system_state(tx, system)? {
            Some(ConnectionState::Live) => {}
            Some(ConnectionState::Closed) | None => {
                campaigns::save_task(tx, &self.keys, (id, number), &task.ended().0)?;
                let detail = format!("{id} {number}: kết nối đã đóng, không còn trong đợt");
                return Ok(body("campaign.left", Some(system), detail));
            }
            // Stopped for another reason: it is looked at again when that has ended.
            Some(_) => return Err(nothing()),
        }
        write::set_system_state(tx, system, ConnectionState::Locked)?;
        campaigns::save_task(tx, &self.keys, (id, number), &task.locked())?;
        let owner = accounts::owner(tx, system)?.ok_or_else(nothing)?;
        let issuing = Issuing { keys: &self.keys, mark: self.inside.mark };
        let why = (
            format!("hồ sơ {number} không được cập nhật đến hết ngày {last} (B4)."),
            "khi hồ sơ được nộp đủ và Trung tâm tiếp nhận.",
        );
        let what = (owner.code.as_str(), "khóa cả kết nối");
        let paper = issuing.lock(tx, (system, &owner.unit), what, (&why.0, why.1));
        let paper = paper.map_err(store_error)?;
        let detail = format!(
            "{id} {number} {} {}: quá hạn {last}, khóa kết nối đến khi hồ sơ đủ{paper}",
            owner.unit, owner.code
        );
        let text = format!(
            "Hồ sơ {number} quá hạn: kết nối {} bị khóa đến khi hồ sơ được nộp đủ và tiếp nhận.",
            owner.code
        );
        let told = self
            .inside
            .event(tx, number, "campaign.locked", &detail)
            .and_then(|()| self.inside.tell_connection(tx, &found, true))
            .and_then(|()| self.inside.tell_unit(tx, &found.unit, id, last, &text));
        told.map_err(store_error)?;
        Ok(body("campaign.locked", Some(system), detail))
    }
}

fn body(kind: &str, system: Option<SystemId>, detail: String) -> Body {
    let system = system.map_or(0, |s| s.0);
    Body::Act(Act { kind: kind.into(), actor: PROGRAM.into(), system, detail })
}
