//! When each credential of a system was last used. Questions only note it in memory; a node writes
//! what it noted now and then, so that nobody waits for it.

use dancu_domain::ids::SystemId;
use dancu_domain::moment::Moment;

use crate::error::Result;
use crate::store::Store;
use crate::values;

/// A credential's last use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Use {
    /// Whose.
    pub system: SystemId,
    /// Number of the credential in its system.
    pub number: u32,
    /// When, product's clock.
    pub at: Moment,
}

/// Uses written in one transaction: about 2 ms of work for the writer.
const AT_ONCE: usize = 500;

impl Store {
    /// Writes what was noted; of two nodes the later use stays.
    ///
    /// # Errors
    /// The store failed: what was not written is to be written again.
    pub async fn write_uses(&self, now: Moment, uses: &[Use]) -> Result<()> {
        for some in uses.chunks(AT_ONCE) {
            let some = some.to_vec();
            let written = self.ledger.tidy(now, move |tx| {
                some.iter().try_for_each(|used| {
                    tx.queue(
                        "INSERT INTO credential_use (system, number, used_at) VALUES ($1, $2, $3) \
                         ON CONFLICT (system, number) DO UPDATE SET used_at = excluded.used_at \
                         WHERE credential_use.used_at < excluded.used_at",
                        values![used.system.0, used.number, used.at.0],
                    )
                })
            });
            written.await?;
        }
        Ok(())
    }

    /// What was written of a system.
    ///
    /// # Errors
    /// The store failed.
    pub async fn uses_of(&self, system: SystemId) -> Result<Vec<Use>> {
        let sql = "SELECT number, used_at FROM credential_use WHERE system = $1 ORDER BY number";
        let read = |r: &crate::engine::Row<'_>| {
            Ok(Use { system, number: r.get(0)?, at: Moment(r.get(1)?) })
        };
        self.look(sql, values![system.0], read).await
    }
}
