//! A list looks on through the registry: who fits becomes items of the job, and a record that
//! cannot be opened a bad row.

use dancu_domain::moment::Moment;
use dancu_store::jobs::{Part, PartKind, Progress, SealedPart};
use dancu_store::{Error, Result};

use super::claim::LEASE_MS;
use super::code;
use super::lists::{self, RECORDS_PER_ROW, SCAN_RECORDS};
use super::run::{DAMAGE_TRIES, JobRun, Loaded};
use super::taking::PART_ROWS;
use super::types::{BadRow, BatchItem, JobKind, Scanned};
use crate::path::Gate;

/// What was found since it was last stored. It is stored where it fills a part or after
/// [`SCAN_RECORDS`] records, so that a list that looks at few records at a time makes no commit
/// with each; who loses it looks at the same records once more.
#[derive(Default)]
pub(super) struct Ahead(Option<Scanned>);

impl JobRun {
    /// A list: looks for the next persons who fit, at as many records as take the time of asking
    /// `n` rows.
    pub(super) async fn scan(&mut self, gate: &Gate, at: Moment, n: usize) -> Result<Loaded> {
        let (Some(after), JobKind::List(filter)) = (self.row.scan, &self.stored.kind) else {
            return Ok(Loaded::End);
        };
        let on = self.row.submitted_at.viet_nam_date();
        let so_far = self.ahead.0.take().unwrap_or_else(|| Scanned::after(after));
        let room = SCAN_RECORDS.saturating_sub(so_far.looked);
        let rows = u32::try_from(n.max(1)).unwrap_or(u32::MAX);
        let records = rows.saturating_mul(RECORDS_PER_ROW).min(room.max(1));
        let filter = filter.clone();
        let scanned = gate.away(move |store| {
            lists::scan(store.registry(), &filter, on, so_far, PART_ROWS, records)
        });
        let scanned = scanned.await?;
        if scanned.damaged > 0 && self.tries + 1 < DAMAGE_TRIES {
            // Perhaps only a key is missing yet: the same records are looked at again.
            self.tries += 1;
            return Ok(Loaded::Trouble);
        }
        let is_full = scanned.found.len() >= PART_ROWS || scanned.looked >= SCAN_RECORDS;
        if is_full || scanned.next.is_none() {
            self.keep(gate, at, &scanned).await?;
        } else {
            self.ahead = Ahead(Some(scanned));
        }
        Ok(Loaded::Looked)
    }

    /// Stores who was found, and where the scan stands.
    async fn keep(&mut self, gate: &Gate, at: Moment, scanned: &Scanned) -> Result<()> {
        let (mut parts, mut counts) = (vec![], self.row.counts);
        let items = scanned.found.iter().zip(counts.rows + 1..);
        let items: Vec<BatchItem> = items
            .map(|(subject, row)| BatchItem { row, subject: subject.clone(), claims: vec![] })
            .collect();
        counts.rows += items.len() as u32;
        counts.items += items.len() as u32;
        if let (Some(first), Some(last)) = (items.first(), items.last()) {
            let rows = (first.row, last.row);
            parts.push(self.sealed(gate, PartKind::Input, rows, code::encode(&items)?)?);
        }
        if scanned.damaged > 0 {
            let rows = (counts.rows + 1, counts.rows + scanned.damaged);
            let bad: Vec<BadRow> = (rows.0..=rows.1).map(not_opened).collect();
            parts.push(self.sealed(gate, PartKind::Bad, rows, code::encode(&bad)?)?);
            (counts.rows, counts.bad) = (rows.1, counts.bad + scanned.damaged);
        }
        let progress = Progress { parts, counts, scan: scanned.next, ..Progress::default() };
        let lease = at.plus_ms(LEASE_MS);
        let kept = gate.store.job_store(at, self.row.id, self.holder, lease, progress).await?;
        if kept.is_none() {
            return Err(Error::Unavailable("the job is held elsewhere"));
        }
        // Only now: where it could not be stored, the same persons are looked for once more.
        (self.row.counts, self.row.scan, self.lease) = (counts, scanned.next, lease);
        self.damaged += scanned.damaged;
        self.tries = 0;
        Ok(())
    }

    fn sealed(
        &self,
        gate: &Gate,
        kind: PartKind,
        (first, last): (u32, u32),
        plain: Vec<u8>,
    ) -> Result<SealedPart> {
        gate.store.seal_part(self.row.id, kind, &Part { first, last, plain })
    }
}

/// A record that nobody can open, as a row of the list.
fn not_opened(row: u32) -> BadRow {
    BadRow {
        row,
        field: "row".to_owned(),
        reason_vi: "Không mở được một bản ghi của cơ sở dữ liệu; danh sách có thể thiếu một người."
            .to_owned(),
        reason: "A record of the registry cannot be opened; the list may lack a person.".to_owned(),
    }
}
