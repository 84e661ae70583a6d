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
    /// Where reading ends: what is journaled later is young.
    until: u64,
    /// Whether the first entry was looked at and is so old that the others must be read.
    is_old: bool,
}

impl Earlier {
    /// What there is to be found out about a job as it stood before it was claimed: nothing where
    /// it was never begun. To be begun once it is claimed, so that the ledger has taken over what
    /// its last holder journaled.
    pub(super) fn begin(gate: &Gate, before: &JobRow) -> Self {
        Self {
            answered: HashSet::new(),
            from: before.started_at.map(|_| before.journal_from),
            until: gate.store.ledger().next_index(),
            is_old: false,
        }
    }

    /// Reads on in the journal, unless everything is young enough to be known by its request id.
    /// Whether there was anything to read.
    ///
    /// # Errors
    /// The store failed; the same may be read again.
    pub(super) async fn read(
        &mut self,
        gate: &Gate,
        at: Moment,
        row: &JobRow,
        of: Service,
    ) -> Result<bool> {
        let Some(from) = self.from else { return Ok(false) };
        if !self.is_old {
            let keep = gate.store.profiles().at(at).remember_requests_ms - FORGOTTEN_MS;
            let first = gate.away(move |store| store.entry(from)).await?;
            if first.is_none_or(|entry| at.0 - entry.at < keep) {
                self.from = None;
                return Ok(false);
            }
            self.is_old = true;
        }
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
        let next = entries.last().map(|last| last.index + 1);
        // However fast its system asks meanwhile, there is an end.
        self.from = next.filter(|next| *next < self.until);
        Ok(true)
    }

    /// Whether a row was answered with this keyed digest of what it asks.
    pub(super) fn has(&self, row: u32, body: [u8; 16]) -> bool {
        self.answered.contains(&(row, body))
    }
}
