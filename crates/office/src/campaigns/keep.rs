//! What housekeeping does for campaigns: opens dossiers, reminds, locks.

use std::collections::BTreeMap;
use std::sync::Arc;

use dancu_domain::campaigns::{Campaign, CampaignId, Due, TaskState};
use dancu_domain::dossier::{DossierNumber, Mark};
use dancu_domain::moment::Moment;
use dancu_domain::notices::CampaignDeed;
use dancu_domain::people::PersonId;
use dancu_domain::registration::ConnectionState;
use dancu_journal::Body;
use dancu_store::campaigns::{self, Followed};
use dancu_store::dossiers::{self, Stored};
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::policy::{accounts, write};
use dancu_store::{Error, Store};

use super::Inside;
use crate::act::Refused;
use crate::documents::Issuing;
use crate::dossiers::listed_anew;
use crate::program::{PROGRAM, body, nothing, nothing_is_fine, store_error};

/// Dossiers of one transaction: each is opened, sealed anew and told of, some milliseconds
/// together; nothing else is written meanwhile.
pub(super) const SLICE: usize = 50;

/// Opens what still waits, reminds, and locks what is overdue. Cheap where nothing runs. What
/// cannot be done with one dossier is logged and tried again the next time; the others go on.
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
            Due::Lock => {
                let one = found.dossier;
                go_on(one, lock(store, now, found).await)?;
            }
        }
    }
    for (id, all) in remind {
        for some in all.chunks(SLICE) {
            in_part((store, now), id, some, What::Remind).await?;
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
            let id = slice[0].campaign;
            in_part((store, now), id, slice, What::Open).await?;
        }
    }
    Ok(())
}

/// What is done with several dossiers at once.
#[derive(Clone, Copy)]
enum What {
    Open,
    Remind,
}

/// Does something with some dossiers in one transaction; where that fails, with each by itself, so
/// that one that is damaged holds no other up.
async fn in_part(
    at: (&Store, Moment),
    id: CampaignId,
    some: &[Followed],
    what: What,
) -> Result<(), Error> {
    match at_once(at, id, some, what).await {
        Err(Error::Refused(_) | Error::Damaged(_) | Error::Final(_)) => {
            for one in some {
                go_on(one.dossier, at_once(at, id, std::slice::from_ref(one), what).await)?;
            }
            Ok(())
        }
        other => other,
    }
}

async fn at_once(
    (store, now): (&Store, Moment),
    id: CampaignId,
    some: &[Followed],
    what: What,
) -> Result<(), Error> {
    let (program, some) = (Program::of(store, now), some.to_vec());
    let done = store.ledger().note(now, move |tx| match what {
        What::Open => program.some(tx, "campaign.opened", id, &some, Program::open),
        What::Remind => program.some(tx, "campaign.reminded", id, &some, Program::remind),
    });
    nothing_is_fine(done.await)
}

/// Logs what cannot be done with one dossier; of a lost connection the others would fail too.
fn go_on(dossier: DossierNumber, done: Result<(), Error>) -> Result<(), Error> {
    match done {
        Err(error @ (Error::Refused(_) | Error::Damaged(_) | Error::Final(_))) => {
            tracing::warn!(%dossier, %error, "a dossier of a campaign is looked at again");
            Ok(())
        }
        other => other,
    }
}

/// Locks a connection whose dossier is overdue, with an entry of its own.
async fn lock(store: &Store, now: Moment, found: Followed) -> Result<(), Error> {
    let program = Program::of(store, now);
    let locked = store.ledger().act(now, move |tx, _| program.lock(tx, &found));
    nothing_is_fine(locked.await)
}

/// What an entry says of a dossier behind its number; none: nothing was done with it.
type Told = Result<Option<&'static str>, Refused>;

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

    /// Does something with each of some tasks as they stand now; one entry names the dossiers, each
    /// with what `each` says of it.
    fn some(
        &self,
        tx: &mut Tx<'_>,
        kind: &'static str,
        id: CampaignId,
        some: &[Followed],
        each: impl Fn(&Self, &mut Tx<'_>, &Campaign, Followed) -> Told,
    ) -> Result<Body, Error> {
        let campaign = campaigns::by_id(tx, &self.keys, id)?.ok_or(Error::Damaged("campaign"))?;
        let mut told = vec![];
        for found in some {
            let dossier = found.dossier;
            let now = campaigns::of_dossier(tx, &self.keys, dossier)?;
            let Some(now) = now.filter(|f| f.campaign == id) else { continue };
            if let Some(how) = each(self, tx, &campaign, now).map_err(store_error)? {
                told.push(format!("{dossier}{how}"));
            }
        }
        if told.is_empty() {
            return Err(nothing());
        }
        Ok(body(kind, None, format!("{id} {} hồ sơ: {}", told.len(), told.join(" "))))
    }

    fn open(&self, tx: &mut Tx<'_>, campaign: &Campaign, found: Followed) -> Told {
        let (id, number) = (found.campaign, found.dossier);
        if found.task.state() != TaskState::Waiting {
            return Ok(None);
        }
        let stored = dossiers::by_number(tx, &self.keys, number)?.ok_or(Refused::Gone)?;
        // What has ended meanwhile is left out.
        if stored.dossier.stage().is_final() {
            campaigns::save_task(tx, &self.keys, (id, number), &found.task.ended().0)?;
            return Ok(Some(" (đã kết thúc, không còn trong đợt)"));
        }
        let because = campaign.because();
        let mark = Mark { by: campaign.begun().by, at: self.inside.mark.at };
        let parts = &campaign.plan().parts;
        let again = !found.task.asked().is_empty();
        let owed = if again { found.task.owed(&stored.dossier) } else { parts.clone() };
        // One that has not been live by itself yet, of a connection that was, goes on as it is.
        let renewed = stored.dossier.clone().renew(mark, &because, &owed);
        let dossier = renewed.unwrap_or_else(|_| stored.dossier.clone());
        let dossier = listed_anew(tx, &self.keys, dossier, mark)?;
        let asked = parts.iter().map(|part| dossier.ask_for(*part)).collect();
        if dossier != stored.dossier {
            dossiers::save(tx, &self.keys, &Stored { dossier, revision: stored.revision })?;
        }
        let due = found.task.deadline();
        campaigns::save_task(tx, &self.keys, (id, number), &found.task.clone().opened(asked))?;
        self.inside.event(tx, number, "campaign.opened", &format!("{id} {because}"))?;
        self.inside.tell_unit(tx, &found, due, CampaignDeed::Opened)?;
        Ok(Some(""))
    }

    fn remind(&self, tx: &mut Tx<'_>, campaign: &Campaign, found: Followed) -> Told {
        let (id, number) = (found.campaign, found.dossier);
        let today = self.inside.mark.at.viet_nam_date();
        let due = found.task.due(&campaign.plan().remind, found.standing, today);
        let Due::Remind(days) = due else { return Ok(None) };
        let last = found.task.deadline();
        self.inside.event(tx, number, "campaign.reminded", &format!("{id} hạn {last}"))?;
        self.inside.tell_unit(tx, &found, last, CampaignDeed::Reminded)?;
        campaigns::save_task(tx, &self.keys, (id, number), &found.task.reminded(days))?;
        Ok(Some(""))
    }

    fn lock(&self, tx: &mut Tx<'_>, found: &Followed) -> Result<Body, Error> {
        let (id, number, system) = (found.campaign, found.dossier, found.system);
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
        let told = self
            .inside
            .event(tx, number, "campaign.locked", &detail)
            .and_then(|()| self.inside.tell_connection(tx, &found, true))
            .and_then(|()| self.inside.tell_unit(tx, &found, last, CampaignDeed::Locked));
        told.map_err(store_error)?;
        Ok(body("campaign.locked", Some(system), detail))
    }
}
