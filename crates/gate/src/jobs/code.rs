//! What of a job is stored: heads and parts as bytes, to be sealed by the store.

use std::net::IpAddr;

use dancu_store::jobs::{JobRow, State};
use dancu_store::{Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::types::{JobCounts, JobHead, JobId, JobKind, JobState, JobStatus};
use crate::path::Protocol;

/// The head of a job with how it came in.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredHead {
    pub(super) kind: JobKind,
    pub(super) head: JobHead,
    protocol: u8,
    pub(super) source: IpAddr,
}

impl StoredHead {
    pub(super) fn new(kind: JobKind, head: JobHead, protocol: Protocol, source: IpAddr) -> Self {
        Self { kind, head, protocol: protocol as u8, source }
    }

    pub(super) fn of(row: &JobRow) -> Result<Self> {
        decode(&row.head)
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

/// A job as its system sees it; `before` = jobs before it that have not begun.
pub(super) fn status(row: &JobRow, before: u32) -> Result<JobStatus> {
    let stored = StoredHead::of(row)?;
    let c = row.counts;
    let accepted = c.matched + c.no_match;
    Ok(JobStatus {
        id: JobId(row.id),
        system: dancu_domain::ids::SystemId(row.system),
        protocol: stored.protocol(),
        source: stored.source,
        kind: stored.kind,
        head: stored.head,
        state: state(row),
        counts: JobCounts {
            rows: c.rows,
            items: c.items,
            bad: c.bad,
            done: accepted + c.refused,
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
