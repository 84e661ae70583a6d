//! Rows that were answered before: found in the journal, which forgets nothing, where their
//! request ids may be forgotten.
//!
//! **Invariant:** a row counts nothing only where the journal says that the same service answered
//! the same row under the same request id. A single question that used the id stands for no row.

use dancu_domain::moment::{HOUR_MS, Moment};
use dancu_domain::service::Service;
use dancu_journal::Body;
use dancu_store::Result;
use dancu_store::jobs::JobRow;
use hashbrown::HashSet;

use super::types::JobId;
use crate::path::Gate;

/// Request ids may be forgotten this much before their time, ms: clocks of nodes, and the hour in
/// which they are forgotten.
const FORGOTTEN_MS: i64 = HOUR_MS;
/// Entries looked at in one step: below 100 ms, so that the lease is renewed between two of them
/// however many questions its system asked meanwhile.
pub const ENTRIES_READ: usize = 500;

/// Rows of a job that were answered before, read step by step under the job's lease.
pub(super) struct Earlier {
    /// Row, and the keyed digest of what was asked.
    answered: HashSet<(u32, [u8; 16])>,
    /// Where the journal is to be read on; `None` = everything is known.
    from: Option<u64>,
}

impl Earlier {
    /// What has to be found out about a job as it stood before it was claimed: nothing where it
    /// was never begun, or where everything is young enough to be known by its request id.
    pub(super) async fn begin(gate: &Gate, at: Moment, before: &JobRow) -> Result<Self> {
        let mut earlier = Self { answered: HashSet::new(), from: None };
        if before.started_at.is_none() {
            return Ok(earlier);
        }
        let keep = gate.store.profiles().at(at).remember_requests_ms - FORGOTTEN_MS;
        let from = before.journal_from;
        let first = gate.away(move |store| store.entry(from)).await?;
        if first.is_some_and(|entry| at.0 - entry.at >= keep) {
            earlier.from = Some(from);
        }
        Ok(earlier)
    }

    /// Reads on in the journal. Whether there was anything to read.
    pub(super) async fn read(&mut self, gate: &Gate, row: &JobRow, of: Service) -> Result<bool> {
        let Some(from) = self.from else { return Ok(false) };
        let system = row.system;
        let entries = gate.away(move |s| s.entries_of_system(system, from, ENTRIES_READ)).await?;
        let prefix = format!("{}-", JobId(row.id));
        for entry in &entries {
            let Body::Query(q) = &entry.body else { continue };
            let number = q.request_id.strip_prefix(&prefix).and_then(|r| r.parse().ok());
            if let Some(number) = number.filter(|_| q.counted > 0 && q.service == of as u8) {
                self.answered.insert((number, q.body));
            }
        }
        // Fewer than were asked for is no end: the search may name entries that are none.
        self.from = entries.last().map(|last| last.index + 1);
        Ok(true)
    }

    /// Whether a row was answered with this keyed digest of what it asks.
    pub(super) fn has(&self, row: u32, body: [u8; 16]) -> bool {
        self.answered.contains(&(row, body))
    }
}
