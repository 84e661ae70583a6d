//! Rows of jobs and parts, read and opened.

use dancu_domain::moment::Moment;

use super::{Counts, JobRow, Part, PartKind, SCANNED, State, aad};
use crate::engine::{Row, Tx};
use crate::error::{Error, Result};
use crate::keys::Key;
use crate::values;

/// Everything of a job, in the order that [`read_job`] reads.
pub(super) const JOB: &str = "SELECT id, system, state, reason, until_at, request, body, head, \
    row_count, items, bad, matched, no_match, refused, scan, submitted_at, started_at, \
    changed_at, ended_at, journal_index, journal_from, lease_until FROM job";

pub(super) fn read_job(r: &Row<'_>, key: &Key) -> Result<JobRow> {
    let id: [u8; 16] = r.get(0)?;
    let mut sealed: Vec<u8> = r.get(7)?;
    // One head that cannot be opened must not hide every other job.
    let opened = key.seal.open(&aad(&id, 0, 0), &mut sealed);
    let head = opened.map_or(vec![], <[u8]>::to_vec);
    let moment = |column| Ok::<_, Error>(r.get::<Option<i64>>(column)?.map(Moment));
    Ok(JobRow {
        id,
        system: r.get(1)?,
        state: State::from_number(r.get(2)?).ok_or(Error::Damaged("job.state"))?,
        reason: r.get(3)?,
        until: moment(4)?,
        request: r.get(5)?,
        body: r.get(6)?,
        head,
        counts: Counts {
            rows: r.get(8)?,
            items: r.get(9)?,
            bad: r.get(10)?,
            matched: r.get(11)?,
            no_match: r.get(12)?,
            refused: r.get(13)?,
        },
        scan: Some(r.get(14)?).filter(|n| *n != SCANNED),
        submitted_at: Moment(r.get(15)?),
        started_at: moment(16)?,
        changed_at: Moment(r.get(17)?),
        ended_at: moment(18)?,
        journal_index: r.get::<i64>(19)?.cast_unsigned(),
        journal_from: r.get::<i64>(20)?.cast_unsigned(),
        lease_until: Moment(r.get(21)?),
    })
}

pub(super) fn read_part(r: &Row<'_>, key: &Key, id: &[u8; 16], kind: PartKind) -> Result<Part> {
    let (first, last) = (r.get(0)?, r.get(1)?);
    let mut sealed: Vec<u8> = r.get(2)?;
    let plain = key.seal.open(&aad(id, kind as u8, first), &mut sealed)?.to_vec();
    Ok(Part { first, last, plain })
}

/// Where a job stands, if this holder still has it; the row is locked until the transaction ends.
pub(super) fn lease_of(tx: &mut Tx<'_>, id: &[u8; 16], holder: &[u8; 16]) -> Result<Option<State>> {
    let sql = "SELECT state FROM job WHERE id = $1 AND holder = $2 AND lease_until > 0 \
               AND state > 1 AND state < 7";
    let state = tx.lock_row(sql, values![id, holder], |r| r.get::<u8>(0))?;
    Ok(state.and_then(State::from_number))
}
