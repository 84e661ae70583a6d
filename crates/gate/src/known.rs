//! What is registered now, and whether a caller still is.

use std::sync::Arc;

use dancu_access::AuthFailure;
use dancu_domain::moment::Moment;
use dancu_domain::registration::{Snapshot, System};

use crate::failures::Cause;
use crate::path::{Caller, Gate};

impl Gate {
    /// Loads the snapshot of the epoch in force; cheap if somebody else did. One loads, away from
    /// the threads that queries run on, and the others wait.
    pub async fn reload(&self, now: Moment) -> dancu_store::Result<()> {
        // A snapshot is read from the database, so it may be newer than what the ledger has taken
        // over: only an older one is out of date. Settling compares exactly, with the head locked.
        let is_current = || self.snapshot.load().epoch >= self.store.ledger().epoch();
        if is_current() {
            return Ok(());
        }
        let _loading = self.loading.lock().await;
        if !is_current() {
            let store = self.store.clone();
            let loaded = tokio::task::spawn_blocking(move || store.snapshot(now)).await;
            let loaded = loaded.map_err(|_| dancu_store::Error::Unavailable("snapshot"))??;
            self.snapshot.store(Arc::new(loaded));
        }
        Ok(())
    }

    /// A system as it is registered now, on whichever node it was changed last (E3): before what
    /// was journaled or told earlier is read, which passes no ledger. Costs one small read on
    /// PostgreSQL.
    ///
    /// # Errors
    /// [`AuthFailure::Wrong`] where its credentials were changed since it proved itself.
    pub async fn fresh(&self, known: &System, now: Moment) -> Result<Arc<System>, AuthFailure> {
        if let Err(error) = Box::pin(self.catch_up(now)).await {
            tracing::error!(error = %error, "gate.fresh could not read what is registered");
            return Err(AuthFailure::Unavailable);
        }
        let snapshot = self.snapshot.load();
        let system = snapshot.by_id(known.id);
        let system = system.filter(|s| s.credential_version == known.credential_version);
        system.cloned().ok_or(AuthFailure::Wrong)
    }

    /// Takes over what is registered in the database, on whichever node it was changed last.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn catch_up(&self, now: Moment) -> dancu_store::Result<()> {
        if self.store.policy_moved().await? {
            // A transaction without a change: it takes over what the other nodes committed.
            self.store.ledger().tidy(now, |_| Ok(())).await?;
        }
        self.reload(now).await
    }

    /// The caller's system, unless its credentials were changed since it proved itself (E3).
    pub(crate) fn still_known<'a>(
        &self,
        snapshot: &'a Snapshot,
        caller: &Caller,
    ) -> Option<&'a Arc<System>> {
        let known = snapshot.by_id(caller.system);
        let known = known.filter(|s| s.credential_version == caller.credential_version);
        if known.is_none() {
            let cause = Cause::of(caller.header.is_some());
            self.failures.note(caller.arrival, caller.source, cause);
        }
        known
    }
}
