//! What happened to a person's account lately, as the person sees it. The record of it is the
//! journal; this is a list that forgets.

use std::net::IpAddr;

use dancu_domain::moment::Moment;
use dancu_domain::notices::{AccountChange, Audience, Notice};
use dancu_domain::people::PersonId;
use serde::{Deserialize, Serialize};

use super::rows::constrained;
use super::sealed::{self, Place};
use super::{Event, EventKind, agent};
use crate::engine::{Row, Tx};
use crate::error::Result;
use crate::keys::{Key, Keyring, Purpose};
use crate::{notices, values};

/// Events kept of a person besides failures: half a year of working days (*ours*).
pub const EVENTS_KEPT: i64 = 200;
/// Failures kept of a person (*ours*). Anybody who knows a login causes them: they have a place of
/// their own, so that they push nothing else out.
pub const FAILURES_KEPT: i64 = 50;

/// Events of a person, the newest first, in the order that [`read`] reads.
pub(super) const OF_PERSON: &str = "SELECT person, failure, number, at, sealed FROM portal_event \
    WHERE person = $1 ORDER BY at DESC, number DESC, failure LIMIT $2";

/// An event as it is sealed in `portal_event.sealed`.
#[derive(Serialize, Deserialize)]
struct EventRecord {
    kind: u8,
    source: Option<IpAddr>,
    agent: String,
}

/// Notes an event, with the notice of it where there is one. What somebody else did has no source
/// and no agent.
pub fn note_event(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    person: PersonId,
    at: Moment,
    kind: EventKind,
    source: impl Into<Option<IpAddr>>,
    from: &str,
) -> Result<()> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let failure = u8::from(kind.is_failure());
    let sql = "SELECT COALESCE(MAX(number), 0) + 1 FROM portal_event \
               WHERE person = $1 AND failure = $2";
    let number: i64 = tx.one(sql, values![person.0, failure], |r| r.get(0))?;
    let record =
        EventRecord { kind: kind as u8, source: source.into(), agent: agent(from).to_owned() };
    let sealed = place(person.0, failure, number).seal(&key, &record, &[])?;
    let inserted = tx.execute(
        "INSERT INTO portal_event (person, failure, number, at, sealed) \
         VALUES ($1, $2, $3, $4, $5)",
        values![person.0, failure, number, at.0, sealed],
    );
    inserted.map_err(|error| constrained(error, "không có người này (no such person)"))?;
    let kept = if kind.is_failure() { FAILURES_KEPT } else { EVENTS_KEPT };
    let sql = "DELETE FROM portal_event WHERE person = $1 AND failure = $2 AND number <= $3";
    tx.execute(sql, values![person.0, failure, number - kept])?;
    match kind.told() {
        Some(change) => tell(tx, keys, person, at, change),
        None => Ok(()),
    }
}

/// Tells the person of it, and the head of what stops or opens an account (D6, E3).
fn tell(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    person: PersonId,
    at: Moment,
    change: AccountChange,
) -> Result<()> {
    let mut to = vec![Audience::Person(person)];
    to.extend(change.concerns_head().then_some(Audience::HeadsOf(person)));
    notices::insert(tx, keys, at, None, (&to, &Notice::Account(change)))?;
    Ok(())
}

/// Events of a person, failures among them, the newest first, at most `limit`.
pub fn events(tx: &mut Tx<'_>, keys: &Keyring, person: PersonId, limit: u32) -> Result<Vec<Event>> {
    let key = sealed::key(keys)?;
    let found = tx.query(OF_PERSON, values![person.0, limit], |r| read(r, &key))?;
    Ok(found.into_iter().flatten().collect())
}

/// `None`: a kind that only a later version knows.
pub(super) fn read(r: &Row<'_>, key: &Key) -> Result<Option<Event>> {
    let place = place(r.get(0)?, r.get(1)?, r.get(2)?);
    let EventRecord { kind, source, agent } = place.open(key, r, 4)?.record;
    let at = Moment(r.get(3)?);
    Ok(EventKind::from_number(kind).map(|kind| Event { at, kind, source, agent }))
}

fn place(person: u32, failure: u8, number: i64) -> Place {
    let row = format!("{person} {failure} {number}");
    Place::marked("portal_event.sealed", row.as_bytes())
}
