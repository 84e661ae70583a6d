//! What may be used once, on every node and after a restart: SOAP headers whose request leaves no
//! entry, client assertions (RFC 7523), and challenges that a person's key answers. Each is a row
//! until the machine's clock has passed its end; its primary key decides who came first.
//!
//! Headers of journaled questions stand in `request_batch` beside their entries and need no row.

use dancu_domain::ids::SystemId;
use dancu_domain::moment::Moment;
use dancu_journal::{Body, Query};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::engine::Tx;
use crate::error::{Error, Result};
use crate::ledger::{Decided, Draft};
use crate::requests::{HeaderUse, RequestItem, SKEW_MS};
use crate::store::Store;
use crate::values;

/// Kinds of what is used once, as stored.
const HEADER: i32 = 1;
const ASSERTION: i32 = 2;
pub(crate) const CHALLENGE: i32 = 3;

/// Rows deleted in one transaction: about 2 ms of work for the writer.
const FORGET_AT_ONCE: i64 = 1_000;

/// A SOAP header used by a request that leaves no entry, as the ledger brings it to disk and tells
/// it to other nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Used {
    /// Digest of (user, timestamp, hash).
    pub(crate) triple: [u8; 16],
    /// Keyed digest of the body that it is bound to.
    pub(crate) body: [u8; 16],
    /// Until when (machine clock, ms) it counts as used.
    pub(crate) until: i64,
}

impl Used {
    /// As headers of journaled questions are remembered.
    pub(crate) fn item(&self) -> RequestItem {
        let Self { triple, body, until } = *self;
        let none = [0; 16];
        let (header, header_until) = (triple, until);
        RequestItem { index: 0, answered: false, key: none, body, header, header_until }
    }
}

impl Draft {
    /// What only uses up a SOAP header: a request that reads what a system was told before. It is
    /// counted and journaled nowhere. `body` is the keyed digest of the request's body; `epoch` the
    /// policy epoch of the snapshot by which its sender is known.
    pub fn of_header(header: HeaderUse, body: [u8; 16], arrival: Moment, epoch: u64) -> Self {
        Self {
            query: Box::new(Query { body, ..Query::default() }),
            arrival,
            epoch,
            decided: Decided::HeaderOnly,
            request_key: [0; 16],
            answered: None,
            header: Some(Box::new(header)),
            guard: None,
            search: vec![],
        }
    }
}

/// Keeps the headers of a batch. One that is there already came with the same body, or from an
/// address that may use it with several: the first body binds it.
pub(crate) fn save(tx: &mut Tx<'_>, used: &[Used]) -> Result<()> {
    used.iter().try_for_each(|u| {
        tx.queue(
            "INSERT INTO used_once (kind, mark, body, until_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (kind, mark) DO NOTHING",
            values![HEADER, u.triple, u.body, u.until],
        )
    })
}

/// Every header that is kept.
pub(crate) fn load(tx: &mut Tx<'_>) -> Result<Vec<Used>> {
    let sql = "SELECT mark, body, until_at FROM used_once WHERE kind = $1";
    tx.query(sql, values![HEADER], |r| {
        Ok(Used { triple: r.get(0)?, body: r.get(1)?, until: r.get(2)? })
    })
}

/// A client assertion that a token is issued for (RFC 7523, section 3, `jti`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UsedAssertion {
    /// Digest of client and `jti`.
    pub mark: [u8; 16],
    /// Until when (machine clock, ms) it counts as used.
    pub until: i64,
}

impl UsedAssertion {
    /// Notes the use; whether it is the first.
    fn note(&self, tx: &mut Tx<'_>) -> Result<bool> {
        first(tx, ASSERTION, self.mark, self.until)
    }
}

/// Notes a use of what has no body; whether it is the first.
pub(crate) fn first(tx: &mut Tx<'_>, kind: i32, mark: [u8; 16], until: i64) -> Result<bool> {
    let sql = "INSERT INTO used_once (kind, mark, body, until_at) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (kind, mark) DO NOTHING";
    let none: [u8; 0] = [];
    Ok(tx.execute(sql, values![kind, mark, none, until])? == 1)
}

/// What became of an entry that stands for a client's proof.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proof {
    /// Journaled: it held at the moment of the entry.
    Held,
    /// The client's credentials were changed since it proved itself. Nothing was journaled.
    Changed,
    /// Its assertion was used before, on whichever node. Nothing was journaled.
    Used,
}

impl Store {
    /// Journals what a client gets for its proof, if the proof still holds in that transaction: its
    /// system has the credentials of this version, and its assertion is used for the first time.
    pub async fn note_proved(
        &self,
        at: Moment,
        (system, credential_version): (SystemId, u32),
        assertion: Option<UsedAssertion>,
        entry: Body,
    ) -> Result<Proof> {
        let (told, mut found) = oneshot::channel();
        let change = move |tx: &mut Tx<'_>| {
            let sql = "SELECT credential_version FROM system WHERE id = $1";
            let current: Option<u32> = tx.optional(sql, values![system.0], |r| r.get(0))?;
            let proof = if current != Some(credential_version) {
                Proof::Changed
            } else if assertion.map_or(Ok(true), |used| used.note(tx))? {
                Proof::Held
            } else {
                Proof::Used
            };
            // Whoever waits is still there: this call holds the other end.
            let _ = told.send(proof);
            Ok((proof == Proof::Held).then_some(entry))
        };
        self.ledger.attempt(at, change).await?;
        found.try_recv().map_err(|_| Error::Unavailable("the proof was not looked at"))
    }

    /// Whether what is registered was changed in the database since this node last looked. One
    /// small read on PostgreSQL; with SQLite nobody else changes anything.
    pub async fn policy_moved(&self) -> Result<bool> {
        let Some(reads) = &self.reads else { return Ok(false) };
        let sql = "SELECT policy_epoch FROM ledger_head WHERE id = 1";
        let found = reads.optional(sql, &[], |r| r.get::<i64>(0)).await?;
        let epoch = found.ok_or(Error::Damaged("ledger_head"))?;
        Ok(epoch.cast_unsigned() != self.ledger.epoch())
    }

    /// Forgets what was used once and could not be used any more at `machine_now` (machine clock,
    /// ms), a little at a time. Returns how many rows went.
    pub async fn forget_used(&self, now: Moment, machine_now: i64) -> Result<u64> {
        let mut all = 0;
        loop {
            let (told, mut found) = oneshot::channel();
            let tidied = self.ledger.tidy(now, move |tx| {
                let gone = tx.execute(
                    "DELETE FROM used_once WHERE (kind, mark) IN (SELECT kind, mark \
                     FROM used_once WHERE until_at < $1 ORDER BY until_at LIMIT $2)",
                    values![machine_now - SKEW_MS, FORGET_AT_ONCE],
                )?;
                let _ = told.send(gone);
                Ok(())
            });
            tidied.await?;
            let gone = found.try_recv().unwrap_or(0);
            all += gone;
            if gone < FORGET_AT_ONCE.cast_unsigned() {
                return Ok(all);
            }
        }
    }
}
