//! What one question carries from round to round, and how it is asked.

use std::sync::Arc;

use dancu_domain::refusal::Reason;
use dancu_domain::registration::System;
use dancu_store::entries::Pseudonyms;
use dancu_store::ledger::{Decided, Draft};
use dancu_store::requests::InFlight;

use crate::answer::Answered;
use crate::draft::DraftParts;
use crate::jobs::is_damage;
use crate::path::Caller;
use crate::query::Query;
use crate::ruling::Ruling;

/// What one question carries from round to round.
pub(crate) struct Round {
    /// Held by the ledger too: a caller that leaves frees the id only when its entry is settled.
    pub(crate) guard: Arc<InFlight>,
    /// Keyed digest of the body.
    pub(crate) body: [u8; 16],
    pub(crate) manner: Manner,
    /// What holds a question of a job.
    pub(crate) held: Option<Reason>,
    pub(crate) paced: bool,
    pub(crate) read_anyway: bool,
}

impl Round {
    /// What holds a question of a job before it is asked. What is wrong with the one row alone is
    /// an ordinary refusal: it would not end by waiting.
    pub(crate) fn held_by(&self, d: &Ruling) -> Option<Reason> {
        let Manner::Job { .. } = self.manner else { return None };
        let own = |r: &Reason| matches!(r, Reason::FieldNotGranted | Reason::RequestIdConflict);
        d.refused.map(|refusal| refusal.reason).filter(|reason| !own(reason))
    }

    /// What a question of a job is told where what it reads cannot be opened: a caller that waits
    /// is told to ask again, a job would do so for ever.
    pub(crate) fn damaged_by(&self, error: &dancu_store::Error) -> Option<Reason> {
        let Manner::Job { .. } = self.manner else { return None };
        is_damage(error).then_some(Reason::RecordDamaged)
    }
}

/// How a question is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Manner {
    /// By a caller that waits for the reply: refused where a rule says so.
    Waiting,
    /// By a job: held where a rule says so, nothing counted and nothing journaled.
    Job {
        /// It was answered before, though its request id may be forgotten: it counts nothing.
        known: bool,
    },
}

/// What is known of a request id.
pub(crate) enum Earlier {
    None,
    SameBody,
    OtherBody,
}

/// One question with its caller.
pub(crate) struct Asked<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) query: &'a Query,
    pub(crate) key: [u8; 16],
    pub(crate) body: [u8; 16],
    pub(crate) system: &'a System,
    pub(crate) guard: &'a Arc<InFlight>,
}

/// What goes to the ledger.
pub(crate) fn draft_of(
    asked: &Asked<'_>,
    epoch: u64,
    d: &Ruling,
    answered: Option<&Answered>,
    pseudonyms: &Pseudonyms,
    manner: Manner,
) -> Draft {
    let parts = DraftParts {
        caller: asked.caller,
        system: asked.system,
        query: asked.query,
        body: asked.body,
        account: d.account,
        duty: d.duty,
        purpose: &d.purpose,
        asked: d.asked,
        told: d.fields,
        intent: d.intent.as_ref(),
        plan: d.plan,
        answer: answered.map(|a| &a.answer),
        delivered: answered.map_or(&[], |a| &a.delivered),
    };
    let (entry, search) = parts.build(pseudonyms);
    let decided = match (d.refused, d.intent) {
        (Some(refusal), _) => Decided::Refused(refusal),
        (None, Some(intent)) if matches!(manner, Manner::Job { .. }) => Decided::Hold(intent),
        (None, Some(intent)) => Decided::Count(intent),
        (None, None) => Decided::Refused(Reason::InvalidInput.into()),
    };
    Draft {
        query: entry,
        arrival: asked.caller.arrival,
        epoch,
        decided,
        request_key: asked.key,
        answered: d.answered,
        header: asked.caller.header.map(|h| Box::new(h.of_draft())),
        guard: Some(asked.guard.clone()),
        search,
    }
}
