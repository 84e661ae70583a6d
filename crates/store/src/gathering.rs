//! Gathering (B8): what is known of units in few statements however many there are, when a focal
//! point urged a unit, and summaries that were handed up the line.
//!
//! Nothing is decided here. Writes run inside a transaction of the ledger; reads outside of one go
//! through [`Store::gathering`](crate::Store::gathering).
//!
//! **Invariant:** a summary that was handed up stays what it is: it is sealed, bound to its row,
//! and read only where its digest is that of the receipt.

use dancu_domain::campaigns::TaskState;
use dancu_domain::dossier::{Dossier, DossierNumber, Stage};
use dancu_domain::gathering::{Summary, TaskAt};
use dancu_domain::ids::UnitCode;
use dancu_domain::moment::Moment;
use dancu_domain::people::PersonId;
use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

use crate::dossiers::{self, rows};
use crate::engine::{Row, Tx};
use crate::error::{Error, Result};
use crate::keys::{Key, Keyring, Purpose};
use crate::people::sealed::Place;
use crate::store::Store;
use crate::values;

/// Summaries that one look lists: two years of one a week to one receiver (*ours*).
pub const HANDED_READ: u32 = 100;

const OPEN: &str = "SELECT id, unit, system, stage, since, summary FROM dossier WHERE stage <= $1 \
    ORDER BY id";
// Draft and sent back: what the unit has still to do stands in the dossier alone.
const LACKING: &str = "SELECT id, stage, revision, sealed, unit FROM dossier \
    WHERE stage IN ($1, $2) ORDER BY id";
const TASKS: &str = "SELECT d.unit, t.dossier, t.state, t.deadline FROM campaign_task t \
    JOIN dossier d ON d.id = t.dossier WHERE t.state < 3 ORDER BY t.dossier";
const _: () = assert!(TaskState::Done as u8 == 3);
const URGED: &str = "SELECT unit, MAX(day) FROM gathering_urged WHERE focal = $1 GROUP BY unit";
const HANDED: &str = "SELECT id, focal, day, version, at, made_by, digest FROM gathering_handed \
    WHERE focal = $1 ORDER BY id DESC LIMIT $2";
const RECEIVED: &str = "SELECT h.id, h.focal, h.day, h.version, h.at, h.made_by, h.digest \
    FROM gathering_receiver r JOIN gathering_handed h ON h.id = r.handed \
    WHERE r.receiver = $1 ORDER BY r.handed DESC LIMIT $2";
const BY_ID: &str = "SELECT id, focal, day, version, at, made_by, digest, sealed \
    FROM gathering_handed WHERE id = $1";
const RECEIVERS: &str = "SELECT receiver FROM gathering_receiver WHERE handed = $1 \
    ORDER BY receiver";

/// Stands for the centre among receivers.
const CENTRE: &str = "";

/// The receipt of a summary that was handed up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// Its number.
    pub id: i64,
    /// Who handed it up.
    pub focal: UnitCode,
    /// The day of the summary.
    pub day: Date,
    /// Which one of that day, from 1.
    pub version: u32,
    /// When it was handed up.
    pub at: Moment,
    /// By whom: 0 for who has no number.
    pub by: PersonId,
    /// SHA-256 of [`Summary::text`].
    pub digest: [u8; 32],
}

/// A summary with its receipt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Handed {
    /// The receipt.
    pub receipt: Receipt,
    /// What was handed up.
    pub summary: Summary,
    /// To whom; none among them: the centre.
    pub to: Vec<Option<UnitCode>>,
}

/// The digest of a summary.
pub fn digest(summary: &Summary) -> [u8; 32] {
    Sha256::digest(summary.text()).into()
}

/// Marks a unit as urged on a day; false where it was already.
pub fn urge(
    tx: &mut Tx<'_>,
    (focal, unit): (&UnitCode, &UnitCode),
    (day, at): (Date, Moment),
    by: PersonId,
) -> Result<bool> {
    let sql = "INSERT INTO gathering_urged (focal, unit, day, at, made_by) \
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT (focal, unit, day) DO NOTHING";
    let day = day.to_string();
    Ok(tx.execute(sql, values![focal.as_str(), unit.as_str(), day, at.0, by.0])? == 1)
}

/// Stores a summary for its receivers, as the next version of its day; gives its receipt.
pub fn hand_up(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    (focal, to): (&UnitCode, &[UnitCode]),
    summary: &Summary,
    (at, by): (Moment, PersonId),
) -> Result<Receipt> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let next = "SELECT COALESCE(MAX(id), 0) + 1 FROM gathering_handed";
    let id: i64 = tx.one(next, &[], |r| r.get(0))?;
    let day = summary.day.to_string();
    let last = "SELECT COALESCE(MAX(version), 0) + 1 FROM gathering_handed \
                WHERE focal = $1 AND day = $2";
    let version: u32 = tx.one(last, values![focal.as_str(), day], |r| r.get(0))?;
    let digest = digest(summary);
    tx.execute(
        "INSERT INTO gathering_handed (id, focal, day, version, at, made_by, digest, sealed) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        values![
            id,
            focal.as_str(),
            day,
            version,
            at.0,
            by.0,
            digest.to_vec(),
            place(id).seal(&key, summary, &[])?
        ],
    )?;
    let receivers: Vec<&str> =
        if to.is_empty() { vec![CENTRE] } else { to.iter().map(UnitCode::as_str).collect() };
    for receiver in receivers {
        let sql = "INSERT INTO gathering_receiver (receiver, handed) VALUES ($1, $2)";
        tx.execute(sql, values![receiver, id])?;
    }
    Ok(Receipt { id, focal: focal.clone(), day: summary.day, version, at, by, digest })
}

/// Gathering as it stands now, read from asynchronous code: each read is one statement, whatever
/// the number of units.
#[derive(Clone, Copy)]
pub struct Gathering<'a> {
    store: &'a Store,
}

impl Store {
    /// Gathering.
    pub const fn gathering(&self) -> Gathering<'_> {
        Gathering { store: self }
    }
}

impl Gathering<'_> {
    /// Dossiers of some units that have not come to their end. `wanted` is asked by the unit's
    /// code; nothing of the others is opened.
    pub async fn dossiers(
        self,
        wanted: impl Fn(&str) -> bool + Send,
    ) -> Result<Vec<dossiers::Summary>> {
        let Some(key) = rows::key(&self.store.keys) else { return Ok(vec![]) };
        let read = |r: &Row<'_>| {
            if wanted(&r.get::<String>(1)?) { rows::summary(r, &key).map(Some) } else { Ok(None) }
        };
        let last = Stage::Live.number();
        Ok(self.store.look(OPEN, values![last], read).await?.into_iter().flatten().collect())
    }

    /// Dossiers of some units that the unit has to do something about, whole.
    pub async fn lacking(self, wanted: impl Fn(&str) -> bool + Send) -> Result<Vec<Dossier>> {
        let Some(key) = rows::key(&self.store.keys) else { return Ok(vec![]) };
        let read = |r: &Row<'_>| {
            let wanted = wanted(&r.get::<String>(4)?);
            if wanted { rows::stored(r, &key).map(|s| Some(s.dossier)) } else { Ok(None) }
        };
        let [draft, changes] = [Stage::Draft.number(), Stage::Changes.number()];
        Ok(self
            .store
            .look(LACKING, values![draft, changes], read)
            .await?
            .into_iter()
            .flatten()
            .collect())
    }

    /// Tasks of campaigns that are not over, with the unit of each.
    pub async fn tasks(self) -> Result<Vec<(UnitCode, TaskAt)>> {
        let read = |r: &Row<'_>| {
            let state = TaskState::from_number(r.get(2)?);
            let task = TaskAt {
                dossier: DossierNumber(r.get(1)?),
                state: state.ok_or(Error::Damaged("campaign_task.state"))?,
                deadline: day(r, 3, "campaign_task.deadline")?,
            };
            Ok((unit(r, 0, "dossier.unit")?, task))
        };
        self.store.look(TASKS, &[], read).await
    }

    /// When a focal point urged each unit last.
    pub async fn urged(self, focal: &UnitCode) -> Result<Vec<(UnitCode, Date)>> {
        let read = |r: &Row<'_>| {
            Ok((unit(r, 0, "gathering_urged.unit")?, day(r, 1, "gathering_urged.day")?))
        };
        self.store.look(URGED, values![focal.as_str()], read).await
    }

    /// What a focal point handed up, the newest first; at most [`HANDED_READ`].
    pub async fn handed(self, focal: &UnitCode) -> Result<Vec<Receipt>> {
        self.store.look(HANDED, values![focal.as_str(), HANDED_READ], receipt).await
    }

    /// What a unit, or with none the centre, received, the newest first; at most [`HANDED_READ`].
    pub async fn received(self, receiver: Option<&UnitCode>) -> Result<Vec<Receipt>> {
        let receiver = receiver.map_or(CENTRE, UnitCode::as_str);
        self.store.look(RECEIVED, values![receiver, HANDED_READ], receipt).await
    }

    /// A summary that was handed up.
    ///
    /// # Errors
    /// [`Error::Damaged`] where it is not what its receipt says.
    pub async fn by_id(self, id: i64) -> Result<Option<Handed>> {
        let Some(key) = self.store.keys.get(Purpose::Policy, 0) else { return Ok(None) };
        let mut found = self.store.look(BY_ID, values![id], |r| handed(r, &key)).await?;
        let Some((receipt, summary)) = found.pop() else { return Ok(None) };
        let read = |r: &Row<'_>| match r.get::<String>(0)?.as_str() {
            CENTRE => Ok(None),
            _ => unit(r, 0, "gathering_receiver.receiver").map(Some),
        };
        let to = self.store.look(RECEIVERS, values![id], read).await?;
        Ok(Some(Handed { receipt, summary, to }))
    }
}

fn receipt(r: &Row<'_>) -> Result<Receipt> {
    let digest: Vec<u8> = r.get(6)?;
    Ok(Receipt {
        id: r.get(0)?,
        focal: unit(r, 1, "gathering_handed.focal")?,
        day: day(r, 2, "gathering_handed.day")?,
        version: r.get(3)?,
        at: Moment(r.get(4)?),
        by: PersonId(r.get(5)?),
        digest: digest.try_into().map_err(|_| Error::Damaged("gathering_handed.digest"))?,
    })
}

fn handed(r: &Row<'_>, key: &Key) -> Result<(Receipt, Summary)> {
    let receipt = receipt(r)?;
    let place = place(receipt.id);
    let summary = place.open::<Summary>(key, r, 7)?.record;
    let same = (summary.at.as_ref(), summary.day) == (Some(&receipt.focal), receipt.day);
    if !same || digest(&summary) != receipt.digest {
        return Err(place.damaged());
    }
    Ok((receipt, summary))
}

fn unit(r: &Row<'_>, column: usize, name: &'static str) -> Result<UnitCode> {
    UnitCode::parse(&r.get::<String>(column)?).map_err(|_| Error::Damaged(name))
}

fn day(r: &Row<'_>, column: usize, name: &'static str) -> Result<Date> {
    r.get::<String>(column)?.parse().map_err(|_| Error::Damaged(name))
}

fn place(id: i64) -> Place {
    Place::numbered("gathering_handed.sealed", id)
}
