//! What happened to a dossier, for who works on it. The record of it is the journal.

use dancu_domain::dossier::DossierNumber;
use dancu_domain::moment::Moment;
use serde::{Deserialize, Serialize};

use crate::engine::{Row, Tx};
use crate::error::Result;
use crate::keys::{Key, Keyring, Purpose};
use crate::people::sealed::Place;
use crate::values;

/// Events that one look gives, the newest first: years of a dossier's life.
pub const HISTORY_READ: u32 = 500;

pub(super) const OF: &str = "SELECT dossier, number, at, sealed FROM dossier_event \
    WHERE dossier = $1 ORDER BY number DESC LIMIT $2";

/// Something that happened to a dossier. Debug output leaves the texts out.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    /// When, by the product's clock.
    pub at: Moment,
    /// Kind of its journal entry, e.g. `dossier.submitted`.
    pub kind: String,
    /// Who, as the journal names them.
    pub actor: String,
    /// What the entry says.
    pub detail: String,
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Event({}, {})", self.kind, self.at.0)
    }
}

/// As it is sealed in `dossier_event.sealed`.
#[derive(Serialize, Deserialize)]
struct EventRecord {
    kind: String,
    actor: String,
    detail: String,
}

/// Notes what happened.
pub fn note_event(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    number: DossierNumber,
    event: &Event,
) -> Result<()> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let sql = "SELECT COALESCE(MAX(number), 0) + 1 FROM dossier_event WHERE dossier = $1";
    let next: i64 = tx.one(sql, values![number.0], |r| r.get(0))?;
    let Event { at, kind, actor, detail } = event;
    let record = EventRecord { kind: kind.clone(), actor: actor.clone(), detail: detail.clone() };
    let sealed = place(number, next).seal(&key, &record, &[])?;
    tx.execute(
        "INSERT INTO dossier_event (dossier, number, at, sealed) VALUES ($1, $2, $3, $4)",
        values![number.0, next, at.0, sealed],
    )?;
    Ok(())
}

pub(super) fn read(r: &Row<'_>, key: &Key) -> Result<Event> {
    let place = place(DossierNumber(r.get(0)?), r.get(1)?);
    let EventRecord { kind, actor, detail } = place.open(key, r, 3)?.record;
    Ok(Event { at: Moment(r.get(2)?), kind, actor, detail })
}

fn place(number: DossierNumber, event: i64) -> Place {
    Place::marked("dossier_event.sealed", format!("{} {event}", number.0).as_bytes())
}
