//! What bounds guessing over all nodes: wrong one-time codes of a person, and challenges that a
//! key answered.

use dancu_domain::people::codes::CodeFailures;
use dancu_domain::people::{MachineTime, PersonId};

use crate::engine::{Row, Tx};
use crate::error::{Error, Result};
use crate::used;
use crate::values;

/// In the order that [`read`] reads.
pub(super) const OF_PERSON: &str =
    "SELECT code_failures, code_failed_at FROM portal_person WHERE id = $1";

/// Wrong one-time codes of a person of late. The row stays locked until the transaction ends: of
/// codes that are tried at one instant, on whichever nodes, each is decided after the one before.
///
/// # Errors
/// [`Error::Final`] where there is no such person.
pub fn code_failures(tx: &mut Tx<'_>, person: PersonId) -> Result<CodeFailures> {
    let found = tx.lock_row(OF_PERSON, values![person.0], read)?;
    found.ok_or(Error::Final("không có người này (no such person)"))
}

/// Stores them; the person's document and its revision stay as they are.
pub fn save_code_failures(tx: &mut Tx<'_>, person: PersonId, failures: CodeFailures) -> Result<()> {
    let sql = "UPDATE portal_person SET code_failures = $1, code_failed_at = $2 WHERE id = $3";
    tx.execute(sql, values![failures.failures, failures.last.0, person.0]).map(drop)
}

pub(super) fn read(r: &Row<'_>) -> Result<CodeFailures> {
    Ok(CodeFailures { failures: r.get(0)?, last: MachineTime(r.get(1)?) })
}

/// Notes that a key answered a challenge; whether it is the first answer, on whichever node.
/// `until`: when the challenge is out of date.
pub fn answer_challenge(tx: &mut Tx<'_>, mark: [u8; 16], until: MachineTime) -> Result<bool> {
    used::first(tx, used::CHALLENGE, mark, until.0)
}
