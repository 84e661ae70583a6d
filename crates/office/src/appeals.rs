//! Appeals against locks (D6): a head appeals with words, the centre acknowledges and decides, and
//! what is late is told to who stands above the operators.

use std::collections::HashSet;

use dancu_domain::appeals::{Appeal, Clocks, Stage, Step, WORDS_MAX};
use dancu_domain::ids::{SystemCode, UnitCode};
use dancu_domain::moment::Moment;
use dancu_domain::notices::{AppealStep, Audience, Notice};
use dancu_domain::people::PersonId;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::registration::{Snapshot, System};
use dancu_domain::units::UnitKind;
use dancu_journal::{Act, Body};
use dancu_store::desks::appeals::{self, Stored};
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::policy::accounts;
use dancu_store::{Error, Store, units};

use crate::act::{Actor, Done, Entry, Refused, note, places};
use crate::locks::{self, LockKey, Today};
use crate::notices::tell;

/// Who appeals or answers, and when.
#[derive(Clone, Copy)]
pub struct AppealDesk<'a> {
    /// The open data.
    pub store: &'a Store,
    /// What is registered.
    pub snapshot: &'a Snapshot,
    /// The product's time.
    pub now: Moment,
    /// Who.
    pub by: &'a Actor,
}

/// The system that a lock belongs to; a person's lock belongs to none, and is the centre's matter.
#[must_use]
pub fn system_of(snapshot: &Snapshot, key: LockKey) -> Option<&System> {
    let mut all = snapshot.systems().iter().map(|system| &**system);
    match key {
        LockKey::Line(id) => all.find(|system| places(system).any(|place| place.line.id == id)),
        LockKey::Account(id) => all.find(|system| system.accounts.by_id(id).is_some()),
        LockKey::Connection(id) => all.find(|system| system.id == id),
        LockKey::Person(_) => None,
    }
}

/// Appeals against a lock that stands on a system of the unit (D6).
///
/// # Errors
/// [`Refused::Field`] of `words` where nothing or too much is said, or an appeal is open;
/// [`Refused::Gone`] where the lock is not of the unit; [`Refused::NotLocked`].
pub async fn appeal(
    desk: &AppealDesk<'_>,
    unit: &UnitCode,
    key: LockKey,
    words: &str,
) -> Result<Done, Refused> {
    let words = said(words)?;
    let by = desk.by.person().ok_or(PortalReason::NoPower)?;
    let system = system_of(desk.snapshot, key).filter(|s| s.unit == *unit);
    let system = system.ok_or(Refused::Gone)?;
    let today = Today::of(desk.store, desk.now);
    let standing = desk.store.ledger().lines(|lines| locks::of_system(system, lines, today));
    if !standing.iter().any(|lock| lock.key == key) {
        return Err(Refused::NotLocked);
    }
    let (now, keys) = (desk.now, desk.store.keys().clone());
    let made = Appeal {
        lock: key.code(),
        system: system.id,
        unit: unit.clone(),
        words,
        made: Step { by: by.0, at: now },
        clocks: Clocks::from(desk.store.profiles().at(now), now),
        acknowledged: None,
        decided: None,
    };
    let (code, entry) = (system.code.clone(), Entry::new("appeal.made", desk.by, Some(system.id)));
    let done = note((desk.store, now), entry, move |tx| {
        let before = appeals::of_lock(tx, &keys, &made.lock)?;
        if before.is_some_and(|b| b.appeal.stage() != Stage::Decided) {
            return Err(words_wrong(
                "Khóa này đang có khiếu nại chờ trả lời.",
                "An appeal against this lock waits already.",
            ));
        }
        let number = appeals::insert(tx, &keys, &made)?;
        let to = [Audience::Operators(Some(by))];
        told(tx, &keys, now, &to, (&code, &made.lock, AppealStep::Made))?;
        Ok((format!("{code} {} khiếu nại #{number}", made.lock), ()))
    });
    done.await.map(|(done, ())| done)
}

fn said(words: &str) -> Result<String, Refused> {
    let words = words.trim();
    let fits = (1..=WORDS_MAX).contains(&words.chars().count());
    if fits && words.chars().all(|c| !c.is_control() || c == '\n' || c == '\r') {
        return Ok(words.to_owned());
    }
    Err(words_wrong(
        "Nêu lý do khiếu nại, tối đa 1.000 ký tự (D6).",
        "Say why you appeal, in at most 1,000 characters (D6).",
    ))
}

fn words_wrong(vi: &str, en: &str) -> Refused {
    Refused::Field { field: "words", vi: vi.into(), en: en.into() }
}

/// Somebody of the centre looks into it.
///
/// # Errors
/// [`Refused::Gone`] where there is none; the reason where it was seen already, or is one's own.
pub async fn acknowledge(desk: &AppealDesk<'_>, key: LockKey) -> Result<Done, Refused> {
    let (by, now) = (desk.by.number(), desk.now);
    change(desk, key, "appeal.acknowledged", move |appeal| {
        Ok((appeal.acknowledge(by, now)?, AppealStep::Acknowledged, String::new()))
    })
    .await
}

/// Ends an appeal: the lock was lifted just now, or stays.
///
/// # Errors
/// As [`acknowledge`].
pub async fn decide(
    desk: &AppealDesk<'_>,
    key: LockKey,
    lifted: bool,
    reason: &str,
) -> Result<Done, Refused> {
    let (by, now, why) = (desk.by.number(), desk.now, reason.to_owned());
    change(desk, key, "appeal.decided", move |appeal| {
        let decided = appeal.decide((by, now), lifted, &why)?;
        let step = if lifted { AppealStep::Lifted } else { AppealStep::Kept };
        let what = if lifted { "mở khóa" } else { "giữ khóa" };
        Ok((decided, step, format!(": {what}; lý do: {why}")))
    })
    .await
}

/// After a lock was lifted: an open appeal against it ended by that. None is fine.
///
/// # Errors
/// Of the store; who appealed does not end it.
pub async fn lifted(desk: &AppealDesk<'_>, key: LockKey, reason: &str) -> Result<(), Refused> {
    let open = desk.store.desks().appeal_of(&key.code()).await?;
    if open.is_none_or(|stored| stored.appeal.stage() == Stage::Decided) {
        return Ok(());
    }
    decide(desk, key, true, reason).await.map(drop)
}

async fn change<C>(
    desk: &AppealDesk<'_>,
    key: LockKey,
    kind: &'static str,
    with: C,
) -> Result<Done, Refused>
where
    C: FnOnce(Appeal) -> Result<(Appeal, AppealStep, String), Refused> + Send + 'static,
{
    let (now, keys, by) = (desk.now, desk.store.keys().clone(), desk.by.person());
    let known = desk.store.desks().appeal_of(&key.code()).await?.ok_or(Refused::Gone)?;
    let entry = Entry::new(kind, desk.by, Some(known.appeal.system));
    let done = note((desk.store, now), entry, move |tx| {
        let found = appeals::of_lock(tx, &keys, &key.code())?.ok_or(Refused::Gone)?;
        let (id, escalated) = (found.id, found.escalated);
        let (appeal, step, what) = with(found.appeal)?;
        let owner = accounts::owner(tx, appeal.system)?.ok_or(Refused::Gone)?;
        // Who appealed is among the heads of the unit.
        let to = [Audience::Heads(owner.unit.clone(), by)];
        told(tx, &keys, now, &to, (&owner.code, &appeal.lock, step))?;
        let detail = format!("{} {} khiếu nại #{id}{what}", owner.code, appeal.lock);
        appeals::save(tx, &keys, &Stored { id, escalated, appeal })?;
        Ok((detail, ()))
    });
    done.await.map(|(done, ())| done)
}

fn told(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    now: Moment,
    to: &[Audience],
    (system, lock, step): (&SystemCode, &str, AppealStep),
) -> Result<(), Refused> {
    tell(tx, keys, now, to, &Notice::Appeal { system: system.clone(), lock: lock.to_owned(), step })
}

/// What housekeeping does: tells the head of the centre, and the operators, of appeals whose next
/// step is late, each step once; and ends those whose lock ended by itself. Cheap where none waits.
///
/// # Errors
/// The store could not be read or written.
pub async fn keep(store: &Store, now: Moment) -> Result<(), Error> {
    let open = store.desks().open_appeals().await?;
    if open.is_empty() {
        return Ok(());
    }
    let mut gone: HashSet<i64> = HashSet::new();
    for stored in &open {
        let key = LockKey::parse(&stored.appeal.lock);
        if !locks::stands(store, key.ok_or(Error::Damaged("lock_appeal.lock_key"))?, now).await? {
            gone.insert(stored.id);
        }
    }
    if gone.is_empty() && !open.iter().any(|stored| is_late(stored, now)) {
        return Ok(());
    }
    let keys = store.keys().clone();
    let noted = store.ledger().attempt(now, move |tx| {
        let to = above(tx, &keys, now)?;
        let mut names = vec![];
        // As they are now: another node may have been faster.
        for stored in appeals::open(tx, &keys)? {
            let (id, late) = (stored.id, is_late(&stored, now));
            let Some(owner) = accounts::owner(tx, stored.appeal.system)? else { continue };
            let what = format!("{} {} #{id}", owner.code, stored.appeal.lock);
            if gone.contains(&id) {
                // At 07:00, with a raise (D3), or lifted elsewhere: nothing is left to decide.
                let over = stored.appeal.decide((PersonId(0), now), true, ENDED);
                let Ok(appeal) = over else { continue };
                let heads = [Audience::Heads(owner.unit.clone(), None)];
                let step = (&owner.code, appeal.lock.as_str(), AppealStep::Lifted);
                told(tx, &keys, now, &heads, step).map_err(of_store)?;
                appeals::save(tx, &keys, &Stored { id, escalated: stored.escalated, appeal })?;
                names.push(format!("{what}: {ENDED}"));
            } else if late {
                let step = (&owner.code, stored.appeal.lock.as_str(), AppealStep::Late);
                told(tx, &keys, now, &to, step).map_err(of_store)?;
                let escalated = stored.appeal.stage() as u8 + 1;
                appeals::save(tx, &keys, &Stored { escalated, ..stored })?;
                names.push(what);
            }
        }
        if names.is_empty() {
            return Ok(None);
        }
        let detail = names.join("; ");
        let (kind, actor) = ("appeal.escalated".into(), "dancu".into());
        Ok(Some(Body::Act(Act { kind, actor, system: 0, detail })))
    });
    noted.await
}

/// Whether the next step is late and nobody was told of it.
fn is_late(stored: &Stored, now: Moment) -> bool {
    let late = stored.appeal.due().is_some_and(|due| due < now);
    late && stored.escalated <= stored.appeal.stage() as u8
}

/// Why an appeal ended without a word of whoever decides appeals.
const ENDED: &str = "khóa không còn, xem nhật ký";

/// Heads of the centre's own unit, and its operators.
fn above(tx: &mut Tx<'_>, keys: &Keyring, now: Moment) -> Result<Vec<Audience>, Error> {
    let tree = crate::units::tree(&units::all(tx, keys)?, now.viet_nam_date())?;
    let centre = tree.all().filter(|u| u.lives() && u.about.kind == UnitKind::Centre);
    let heads = centre.map(|unit| Audience::Heads(unit.code.clone(), None));
    Ok(heads.chain([Audience::Operators(None)]).collect())
}

fn of_store(refused: Refused) -> Error {
    match refused {
        Refused::Store(error) => error,
        other => Error::Refused(other.to_string()),
    }
}
