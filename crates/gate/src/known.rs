//! What is registered now, and whether a caller still is.

use std::sync::Arc;

use dancu_domain::moment::Moment;
use dancu_domain::registration::{Snapshot, System};

use crate::failures::Cause;
use crate::path::{Caller, Gate};

impl Gate {
    /// Loads the snapshot of the epoch in force; cheap if somebody else did. One loads, away from
    /// the threads that queries run on, and the others wait.
    pub async fn reload(&self, now: Moment) -> dancu_store::Result<()> {
        let is_current = || self.snapshot.load().epoch == self.store.ledger().epoch();
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
