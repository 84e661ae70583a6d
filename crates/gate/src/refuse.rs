//! Questions that could not be read, and refusals asked about later.

use dancu_domain::ids::SystemId;
use dancu_domain::refusal::{Reason, Refusal};
use dancu_journal::{Body, Decision, Entry};
use dancu_store::ledger::{Decided, Draft, Verdict};

use crate::draft;
use crate::failures::Cause;
use crate::pace::REFUSALS;
use crate::path::{Caller, Gate, ROUNDS_MAX, correlation, told_of, unavailable};
use crate::query::{CorrelationId, Denied, Reply, Unreadable};

impl Gate {
    /// The reply to a refusal that comes too fast to be journaled by itself (D7, F1): it is counted
    /// in the minute's aggregate. Refusals that count towards a lock (D3) never come here.
    pub(crate) fn flood(&self, caller: &Caller, is_refusal: bool) -> Option<Reply> {
        if !is_refusal {
            return None;
        }
        let refusal =
            self.refusals.admit(caller.system.0, REFUSALS, caller.arrival, [0; 4]).err()?;
        self.failures.note(caller.arrival, caller.source, Cause::Refusals);
        Some(Reply { result: Err(Denied { refusal, errors: vec![] }), ..unavailable() })
    }

    /// Refuses a question that could not be read, and journals it.
    pub async fn refuse_unreadable(&self, caller: &Caller, u: &Unreadable) -> Reply {
        if let Some(reply) = self.flood(caller, true) {
            return reply;
        }
        let mut tell: fn() -> Reply = unavailable;
        for _ in 0..ROUNDS_MAX {
            match self.round_unreadable(caller, u).await {
                Ok(Some(reply)) => return reply,
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(error = %error, "gate.refuse could not be journaled");
                    tell = told_of(&error);
                    break;
                }
            }
        }
        self.failures.note(caller.arrival, caller.source, Cause::Shed);
        tell()
    }

    async fn round_unreadable(
        &self,
        caller: &Caller,
        u: &Unreadable,
    ) -> dancu_store::Result<Option<Reply>> {
        let snapshot = self.snapshot.load_full();
        let Some(system) = self.still_known(&snapshot, caller) else {
            return Ok(Some(unavailable()));
        };
        let profile = self.store.profiles().at(caller.arrival);
        let duty = profile.hours.duty(caller.arrival);
        let account =
            u.officer.as_ref().and_then(|o| system.accounts.find(o.as_str())).map(|a| a.id);
        let pseudonyms = self.pseudonyms_at(caller.arrival).await?;
        let (entry, search) = draft::unreadable(caller, system, u, duty, account, &pseudonyms);
        let usage = u.service.and_then(|s| self.usage_of_line(system, s, caller.arrival, duty));
        let refusal: Refusal = u.reason.unwrap_or(Reason::InvalidInput).into();
        let draft = Draft {
            query: entry,
            arrival: caller.arrival,
            epoch: snapshot.epoch,
            decided: Decided::Refused(refusal),
            request_key: [0; 16],
            answered: None,
            header: caller.header.map(|h| Box::new(h.of_draft())),
            guard: None,
            search,
        };
        match self.store.ledger().submit(draft).await? {
            Verdict::Settled(settled) => Ok(Some(Reply {
                correlation: correlation(&settled),
                journal_index: Some(settled.index),
                usage,
                result: Err(Denied { refusal, errors: u.errors.clone() }),
            })),
            // `unless_replayed` tells it to the caller.
            Verdict::Replayed | Verdict::HeaderUsed => Ok(Some(unavailable())),
            Verdict::ReadFirst | Verdict::Stale | Verdict::Held(_) => {
                Box::pin(self.reload(caller.arrival)).await?;
                Ok(None)
            }
        }
    }

    /// The entry of a refusal, for the system it belonged to; nobody else learns that it exists.
    pub fn refusal(
        &self,
        system: SystemId,
        id: CorrelationId,
    ) -> dancu_store::Result<Option<Entry>> {
        let (index, nonce) = id.0.split_at(8);
        let mut bytes = [0; 8];
        bytes.copy_from_slice(index);
        let Some(entry) = self.store.entry(u64::from_be_bytes(bytes) & i64::MAX as u64)? else {
            return Ok(None);
        };
        let own = match &entry.body {
            Body::Query(q) => q.system == system.0 && q.decision == Decision::Refused,
            _ => false,
        };
        Ok(Some(entry).filter(|e| own && e.nonce == *nonce))
    }
}
