//! Individual commitments that heads confirmed, by list and account (B7).

use dancu_domain::files::CommitmentList;
use dancu_domain::ids::{AccountId, SystemId};

use crate::engine::{Row, Tx};
use crate::error::Result;
use crate::keys::Keyring;
use crate::people::sealed::{self, Place};
use crate::store::Store;
use crate::values;

const OF_SYSTEM: &str = "SELECT c.account, l.id, l.sealed FROM commitment c \
    JOIN commitment_list l ON l.id = c.list WHERE l.system = $1 ORDER BY c.account";

/// The last commitment of an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListedCommitment {
    /// Whose.
    pub account: AccountId,
    /// Number of its list.
    pub number: i64,
    /// The list.
    pub list: CommitmentList,
}

impl Store {
    /// Commitments of a system's accounts.
    pub async fn commitments_of(&self, system: SystemId) -> Result<Vec<ListedCommitment>> {
        let key = sealed::key(&self.keys)?;
        let read = |r: &Row<'_>| {
            let number = r.get(1)?;
            let list = place(number).open(&key, r, 2)?.record;
            Ok(ListedCommitment { account: AccountId(r.get(0)?), number, list })
        };
        self.look(OF_SYSTEM, values![system.0], read).await
    }
}

/// Stores a list and what it confirms; gives its number. An account that was on a list before is on
/// this one now.
pub fn confirm(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    system: SystemId,
    list: &CommitmentList,
    accounts: &[AccountId],
) -> Result<i64> {
    let key = sealed::key(keys)?;
    let id = tx.one("SELECT COALESCE(MAX(id), 0) + 1 FROM commitment_list", &[], |r| r.get(0))?;
    let sealed = place(id).seal(&key, list, &[])?;
    let sql = "INSERT INTO commitment_list (id, system, sealed) VALUES ($1, $2, $3)";
    tx.execute(sql, values![id, system.0, sealed])?;
    for account in accounts {
        tx.queue(
            "INSERT INTO commitment (account, list) VALUES ($1, $2) \
             ON CONFLICT (account) DO UPDATE SET list = excluded.list",
            values![account.0, id],
        )?;
    }
    Ok(id)
}

fn place(id: i64) -> Place {
    Place::numbered("commitment_list.sealed", id)
}
