//! The first stage of a batch: count, encode, hash, seal. It touches no database.

use std::sync::Arc;

use dancu_domain::lines::{Event, Outcome};
use dancu_domain::moment::{DAY_MS, DutyDay, Moment};
use dancu_domain::refusal::Reason;
use dancu_journal::{Body, Decision, Entry};

use super::changes::Changes;
use super::rows::Head;
use super::{
    COUNT_DAYS_KEPT, Decided, Draft, LedgerParts, Replies, Settled, Shared, Verdict, Waiter,
};
use crate::NONCE_BYTES;
use crate::charges::Charges;
use crate::entries::{Chunk, Sealer, SearchKind, month_of};
use crate::error::Result;
use crate::keys::random;
use crate::requests::{InFlight, RequestItem};
use crate::used::Used;

/// A batch that is counted and sealed, and has to be made durable.
pub(super) struct Prepared {
    /// The head that it was counted on.
    pub(super) before: Head,
    /// The head after it.
    pub(super) after: Head,
    /// Its entries.
    pub(super) chunks: Vec<Chunk>,
    /// Its request ids, packed.
    pub(super) packed: Vec<u8>,
    /// What other nodes take over: the counts that it changed, SOAP headers without an entry, and
    /// what its questions took of their pace.
    pub(super) changes: Changes,
    /// What becomes known once it is durable.
    pub(super) effects: Effects,
    /// Who waits, with what they are told once it is durable.
    pub(super) replies: Replies,
}

impl Prepared {
    /// Whether there is nothing to bring to disk.
    pub(super) fn is_void(&self) -> bool {
        self.chunks.is_empty() && self.changes.rows.is_empty() && self.changes.used.is_empty()
    }
}

/// What a batch adds to the memory once it is durable.
#[derive(Default)]
pub(super) struct Effects {
    pub(super) requests: Vec<RequestItem>,
    used: Vec<Used>,
    charges: Charges,
    pub(super) search: Vec<(u8, [u8; 16], u64)>,
    /// Request ids stay taken until what they stand for is remembered.
    pub(super) guards: Vec<Arc<InFlight>>,
}

/// Counts and seals batches on top of each other, the earlier ones perhaps not durable yet.
pub(super) struct Preparer {
    pub(super) parts: LedgerParts,
    pub(super) head: Head,
    pub(super) sealer: Sealer,
    shared: Arc<Shared>,
    entropy: Entropy,
    /// Whether other nodes write to the same ledger.
    nodes: bool,
    /// Request ids may have become known since a draft was decided without its own guard knowing:
    /// other nodes answer, or what a failed commit left was read.
    compares: bool,
    /// Day (UTC+7) whose month's keys are known to be there.
    day: i64,
    /// Duty day at which old counts were last forgotten.
    today: DutyDay,
}

impl Preparer {
    pub(super) fn new(parts: LedgerParts, shared: Arc<Shared>, head: Head, nodes: bool) -> Self {
        let sealer = Sealer::new(parts.keys.clone());
        let entropy = Entropy::default();
        let (compares, day, today) = (nodes, i64::MIN, DutyDay(0));
        Self { parts, head, sealer, shared, entropy, nodes, compares, day, today }
    }

    /// Goes on from a head that is durable.
    pub(super) fn restart(&mut self, head: Head) {
        self.head = head;
        self.compares = true;
        self.sealer.forget();
        self.day = i64::MIN;
    }

    /// The month whose keys have to be made before an entry of this arrival is sealed.
    pub(super) fn missing_keys(&mut self, arrival: Moment) -> Option<u32> {
        let at = arrival.max(self.head.last_at);
        let day = at.plus_ms(7 * dancu_domain::moment::HOUR_MS).0.div_euclid(DAY_MS);
        if day == self.day {
            return None;
        }
        let month = month_of(at);
        if !self.sealer.has_keys(month) {
            return Some(month);
        }
        self.day = day;
        None
    }

    /// Counts a batch in its order and seals its entries. The keys of its months must be there.
    pub(super) fn prepare(&mut self, jobs: Vec<(Draft, Waiter)>) -> Result<Prepared> {
        let before = self.head;
        let outcomes = self.settle(&jobs);
        let mut effects = Effects::default();
        let mut replies: Replies = Vec::with_capacity(jobs.len());
        for ((draft, waiter), outcome) in jobs.into_iter().zip(outcomes) {
            let verdict = match outcome {
                Settling::Stale => Verdict::Stale,
                Settling::Replayed => Verdict::Replayed,
                Settling::ReadFirst => Verdict::ReadFirst,
                Settling::Held(reason) => Verdict::Held(reason),
                Settling::HeaderOnly => {
                    let body = draft.query.body;
                    let used =
                        draft.header.map(|h| Used { triple: h.triple, body, until: h.until });
                    effects.used.extend(used);
                    Verdict::HeaderUsed
                }
                Settling::Done(outcome, account_used) => {
                    Verdict::Settled(self.journal(draft, outcome, account_used, &mut effects)?)
                }
            };
            replies.push((waiter, Ok(verdict)));
        }
        let chunks = self.sealer.finish()?;
        let mut packed = Vec::with_capacity(effects.requests.len() * 35);
        effects.requests.iter().for_each(|r| r.pack(before.next_index, &mut packed));
        let changes = Changes {
            keys: false,
            rows: self.shared.lines.read().touched(),
            used: std::mem::take(&mut effects.used),
            charges: std::mem::take(&mut effects.charges).into_vec(),
        };
        self.forget_days();
        Ok(Prepared { before, after: self.head, chunks, packed, changes, effects, replies })
    }

    /// Seals the entry of an act on its own.
    pub(super) fn act(&mut self, at: Moment, body: Body) -> Result<(u64, Vec<Chunk>)> {
        let entry = Entry {
            index: self.head.next_index,
            at: at.max(self.head.last_at).0,
            arrival: at.0,
            nonce: self.entropy.take()?,
            profile: self.parts.profiles.at(at).version.clone(),
            epoch: self.head.policy_epoch,
            body,
        };
        self.append(&entry)?;
        Ok((entry.index, self.sealer.finish()?))
    }

    /// Counts the batch in memory, in its order.
    fn settle(&self, jobs: &[(Draft, Waiter)]) -> Vec<Settling> {
        let mut lines = self.shared.lines.write();
        lines.begin();
        jobs.iter()
            .map(|(draft, _)| {
                if self.replays(draft) {
                    return Settling::Replayed;
                }
                if draft.epoch != self.head.policy_epoch || self.answered_elsewhere(draft) {
                    return Settling::Stale;
                }
                match &draft.decided {
                    Decided::Refused(_) => Settling::Done(None, 0),
                    Decided::HeaderOnly => Settling::HeaderOnly,
                    Decided::Count(intent) | Decided::Hold(intent) => {
                        let profile = self.parts.profiles.at(intent.at);
                        if matches!(draft.decided, Decided::Hold(_))
                            && let Some(reason) = lines.peek(profile, intent)
                        {
                            return Settling::Held(reason);
                        }
                        match lines.one(profile, intent) {
                            Outcome::ReadFirst => Settling::ReadFirst,
                            outcome => {
                                let used = lines.account_used(intent.account, intent.duty.day);
                                Settling::Done(Some(outcome), used)
                            }
                        }
                    }
                }
            })
            .collect()
    }

    /// Whether another node answered the draft's request id since it was decided.
    fn answered_elsewhere(&self, draft: &Draft) -> bool {
        self.compares
            && matches!(draft.decided, Decided::Count(_) | Decided::Hold(_))
            && draft.request_key != [0; 16]
            && self.parts.requests.answered(&draft.request_key) != draft.answered
    }

    /// Whether another node journaled the draft's SOAP header with another body. Its own node knows
    /// what it was used with there.
    fn replays(&self, draft: &Draft) -> bool {
        let header = draft.header.as_ref().filter(|h| self.nodes && !h.may_reuse);
        header
            .and_then(|h| self.parts.requests.bound_elsewhere(&h.triple))
            .is_some_and(|body| body != draft.query.body)
    }

    /// Random bytes for a name that is used once.
    pub(super) fn random_id(&mut self) -> Result<[u8; 16]> {
        self.entropy.take()
    }

    fn journal(
        &mut self,
        draft: Draft,
        outcome: Option<Outcome>,
        account_used: u32,
        effects: &mut Effects,
    ) -> Result<Settled> {
        let mut query = draft.query;
        effects.guards.extend(draft.guard);
        fill(&mut query, &draft.decided, outcome.as_ref());
        query.features.account_used = account_used;
        if self.nodes {
            let early = matches!(draft.decided, Decided::Refused(_));
            effects.charges.note(early, &query, draft.arrival);
        }
        let answered = query.decision == Decision::Accepted;
        let body = query.body;
        let at = draft.arrival.max(self.head.last_at);
        let nonce = self.entropy.take()?;
        let entry = Entry {
            index: self.head.next_index,
            at: at.0,
            arrival: draft.arrival.0,
            nonce,
            profile: self.parts.profiles.at(draft.arrival).version.clone(),
            epoch: draft.epoch,
            body: Body::Query(query),
        };
        self.append(&entry)?;
        let zero = [0; 16];
        if (answered && draft.request_key != zero) || draft.header.is_some() {
            let (header, header_until) = draft.header.map_or((zero, 0), |h| (h.triple, h.until));
            effects.requests.push(RequestItem {
                index: entry.index,
                answered,
                key: draft.request_key,
                body,
                header,
                header_until,
            });
        }
        effects.search.extend(draft.search.into_iter().map(|(k, d)| (k, d, entry.index)));
        if let Body::Query(query) = &entry.body {
            let subject = SearchKind::Subject as u8;
            let subjects = query.subjects.iter().map(|s| (subject, s.pseudonym, entry.index));
            effects.search.extend(subjects);
        }
        Ok(Settled { index: entry.index, nonce, at, outcome })
    }

    fn append(&mut self, entry: &Entry) -> Result<()> {
        let Self { sealer, entropy, .. } = self;
        sealer.add(entry, || entropy.take::<NONCE_BYTES>())?;
        self.head.next_index += 1;
        self.head.last_at = Moment(entry.at);
        Ok(())
    }

    /// Counts of days that no arrival can name any more leave the memory; the file keeps them.
    fn forget_days(&mut self) {
        let at = self.head.last_at;
        let today = self.parts.profiles.at(at).hours.duty(at).day;
        if today != self.today {
            self.today = today;
            let oldest = DutyDay(today.0 - COUNT_DAYS_KEPT);
            self.shared.lines.write().forget_before(oldest);
        }
    }
}

enum Settling {
    /// Decided over an older policy epoch.
    Stale,
    /// Its SOAP header came with another body before.
    Replayed,
    ReadFirst,
    /// No room for what may be held.
    Held(Reason),
    /// Only a SOAP header is used up.
    HeaderOnly,
    /// What became of it, and the account's count right after it.
    Done(Option<Outcome>, u32),
}

/// Writes what settling found out into the entry.
fn fill(query: &mut dancu_journal::Query, decided: &Decided, outcome: Option<&Outcome>) {
    let refusal = match (decided, outcome) {
        (Decided::Refused(refusal), _) => Some(*refusal),
        (
            Decided::Count(_) | Decided::Hold(_),
            Some(Outcome::Refused { refusal, remaining, event }),
        ) => {
            query.features.line_left = *remaining;
            query.event = match event {
                None => 0,
                Some(Event::Exceeded) => 1,
                Some(Event::Locked) => 2,
            };
            Some(*refusal)
        }
        (
            Decided::Count(intent) | Decided::Hold(intent),
            Some(Outcome::Accepted { remaining, .. }),
        ) => {
            query.features.line_left = *remaining;
            query.decision = if intent.repeat { Decision::Repeat } else { Decision::Accepted };
            query.counted = if intent.repeat { 0 } else { intent.items };
            None
        }
        (Decided::Count(_) | Decided::Hold(_) | Decided::HeaderOnly, _) => None,
    };
    if let Some(refusal) = refusal {
        query.decision = Decision::Refused;
        query.reason = refusal.reason as u8;
        refusal.reason.rule().code().clone_into(&mut query.rule);
        // A refusal discloses nothing: what was looked up is dropped, also from the journal.
        query.answer = 0;
        query.fields = 0;
        query.counted = 0;
        query.subjects.truncate(1);
        query.subjects.iter_mut().for_each(|s| s.delivered = false);
    }
}

/// Random bytes for nonces, drawn in blocks of [`ENTROPY_BYTES`].
struct Entropy {
    bytes: Vec<u8>,
    at: usize,
}

/// 4 KiB: an entry takes 8 bytes and a chunk of entries 12, so that one call to the generator
/// serves 204 entries that are sealed alone, or 489 of full chunks.
const ENTROPY_BYTES: usize = 4_096;

impl Default for Entropy {
    fn default() -> Self {
        Self { bytes: vec![0; ENTROPY_BYTES], at: ENTROPY_BYTES }
    }
}

impl Entropy {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        if self.at + N > self.bytes.len() {
            random(&mut self.bytes)?;
            self.at = 0;
        }
        let mut out = [0; N];
        out.copy_from_slice(&self.bytes[self.at..self.at + N]);
        self.at += N;
        Ok(out)
    }
}
