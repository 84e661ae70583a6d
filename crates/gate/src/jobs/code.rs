//! What of a job is stored: heads and parts as bytes, to be sealed by the store.

use std::net::IpAddr;

use dancu_store::jobs::{JobRow, State};
use dancu_store::{Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::types::{JobCounts, JobHead, JobId, JobKind, JobState, JobStatus};
use crate::path::Protocol;

/// The layout of stored heads, raised by every change of it: a job may stand for weeks, and a
/// program that does not know its layout leaves it to one that does.
const HEAD_VERSION: u8 = 1;

/// The head of a job with how it came in.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredHead {
    /// The first byte of what is stored.
    version: u8,
    pub(super) kind: JobKind,
    pub(super) head: JobHead,
    protocol: u8,
    pub(super) source: IpAddr,
}

impl StoredHead {
    pub(super) fn new(kind: JobKind, head: JobHead, protocol: Protocol, source: IpAddr) -> Self {
        Self { version: HEAD_VERSION, kind, head, protocol: protocol as u8, source }
    }

    /// The head of a stored job.
    ///
    /// # Errors
    /// [`is_damage`]: it cannot be opened or read. Else a later program wrote it.
    pub(super) fn of(row: &JobRow) -> Result<Self> {
        match row.head.first() {
            Some(&HEAD_VERSION) => decode(&row.head),
            Some(&version) if version > HEAD_VERSION => {
                Err(Error::Unavailable("the head of the job is of a later version"))
            }
            _ => Err(Error::Damaged("job.head")),
        }
    }

    pub(super) fn protocol(&self) -> Protocol {
        match self.protocol {
            1 => Protocol::Soap,
            3 => Protocol::ProvincialJson,
            _ => Protocol::Rest,
        }
    }
}

/// A value as bytes.
pub(super) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    postcard::to_stdvec(value).map_err(|_| Error::Damaged("job"))
}

/// A value from its bytes.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    postcard::from_bytes(bytes).map_err(|_| Error::Damaged("job"))
}

/// Whether what is stored cannot be opened or read: it will not be so either when it is read again.
pub(crate) fn is_damage(error: &Error) -> bool {
    matches!(error, Error::Crypto(_) | Error::Damaged(_))
}

/// A job as its system sees it; `before` = jobs before it that have not begun.
pub(super) fn status(row: &JobRow, before: u32) -> Result<JobStatus> {
    let stored = StoredHead::of(row)?;
    let c = row.counts;
    let accepted = c.matched + c.no_match;
    let done = accepted + c.refused;
    // How many fit is itself told by the registry: a list shows whom it has told (D2, F1), and not
    // whom it has only found.
    let (rows, items) = match stored.kind {
        JobKind::BatchVerify => (c.rows, c.items),
        JobKind::List(_) => (done + c.bad, done),
    };
    Ok(JobStatus {
        id: JobId(row.id),
        system: dancu_domain::ids::SystemId(row.system),
        protocol: stored.protocol(),
        source: stored.source,
        kind: stored.kind,
        head: stored.head,
        state: state(row),
        counts: JobCounts {
            rows,
            items,
            bad: c.bad,
            done,
            accepted,
            matched: c.matched,
            no_match: c.no_match,
            refused: c.refused,
        },
        position: if row.state == State::Waiting { before } else { 0 },
        submitted_at: row.submitted_at,
        started_at: row.started_at,
        changed_at: row.changed_at,
        ended_at: row.ended_at,
        deleted_at: row.ended_at.map(|at| at.plus_ms(super::types::KEPT_MS)),
        journal_index: row.journal_index,
    })
}

fn state(row: &JobRow) -> JobState {
    use dancu_domain::refusal::Reason;
    let reason = || Reason::from_number(row.reason).unwrap_or(Reason::PlanDoesNotCover);
    match row.state {
        State::Receiving | State::Waiting => JobState::Waiting,
        State::Running => JobState::Running,
        State::Paused => JobState::Paused { reason: reason(), until: row.until },
        State::Done => JobState::Done,
        State::Cancelled | State::Gone => JobState::Cancelled,
        State::Failed => JobState::Failed { reason: reason() },
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use dancu_domain::ids::{OfficerRef, ProcedureCode, RequestId};
    use dancu_domain::moment::Moment;
    use dancu_store::jobs::Counts;

    use super::*;

    fn row(head: Vec<u8>) -> JobRow {
        JobRow {
            id: [1; 16],
            system: 1,
            state: State::Waiting,
            reason: 0,
            until: None,
            request: [2; 16],
            body: [3; 16],
            head,
            counts: Counts::default(),
            scan: None,
            submitted_at: Moment(1),
            started_at: None,
            changed_at: Moment(1),
            ended_at: None,
            journal_index: 1,
            journal_from: 1,
            lease_until: Moment(0),
        }
    }

    #[test]
    fn a_head_of_a_later_program_is_no_damage() {
        let head = JobHead {
            request_id: RequestId::parse("LO-1").unwrap(),
            officer: OfficerRef::parse("onestop.kehoach").unwrap(),
            procedure: ProcedureCode::parse("1.004194").unwrap(),
            purpose: None,
            case: None,
            unit: None,
            x_road_user: None,
        };
        let source = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let stored = StoredHead::new(JobKind::BatchVerify, head, Protocol::Soap, source);
        let mut bytes = encode(&stored).unwrap();
        let back = StoredHead::of(&row(bytes.clone())).unwrap();
        assert_eq!(
            (back.protocol(), back.head.officer.as_str()),
            (Protocol::Soap, "onestop.kehoach")
        );
        bytes.truncate(4);
        let damaged = |head| StoredHead::of(&row(head)).err().is_some_and(|e| is_damage(&e));
        assert!(damaged(bytes.clone()) && damaged(vec![]) && damaged(vec![0, 1, 2]));
        bytes[0] = HEAD_VERSION + 1;
        assert!(!damaged(bytes));
    }
}
