//! The journal's months on PostgreSQL: each has a partition of its own, which goes as a whole when
//! its time is over. SQLite keeps the months in one table.
//!
//! A partition is made ahead by housekeeping, or by the first transaction of its month. Attaching
//! one takes no lock that a commit or a read has to wait for. There is no default partition: what
//! it held would have to be moved before its month could get one.

use dancu_domain::moment::Moment;

use crate::engine::{Engine, Tx};
use crate::entries::month_of;
use crate::error::Result;

/// Number of the advisory lock of whoever makes a partition, so that two do not make one at once.
const LOCK: i64 = 0x6d_6f_6e_74_68;

/// Makes the partition of a month (yyyymm of Viet Nam time) where there is none: before rows of
/// that month are inserted.
pub(crate) fn make_ready(tx: &mut Tx<'_>, month: u32) -> Result<()> {
    if tx.engine() == Engine::Sqlite || exists(tx, month)? {
        return Ok(());
    }
    tx.batch(&format!("SELECT pg_advisory_xact_lock({LOCK})"))?;
    if exists(tx, month)? {
        return Ok(());
    }
    tx.batch(&format!(
        "CREATE TABLE entry_chunk_{month} (LIKE entry_chunk INCLUDING ALL); \
         ALTER TABLE entry_chunk ATTACH PARTITION entry_chunk_{month} FOR VALUES IN ({month})"
    ))
}

fn exists(tx: &mut Tx<'_>, month: u32) -> Result<bool> {
    let sql = format!("SELECT to_regclass('entry_chunk_{month}') IS NOT NULL");
    tx.one(&sql, &[], |r| r.get(0))
}

/// The month of a moment and the one after it.
pub(crate) fn this_and_next(at: Moment) -> [u32; 2] {
    let month = month_of(at);
    [month, if month % 100 == 12 { month + 89 } else { month + 1 }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn december_is_followed_by_january() {
        // 1 December 2026, 00:00 and 1 January 2027, 00:00 in Viet Nam.
        let december = Moment(1_796_058_000_000);
        assert_eq!(this_and_next(december), [202_612, 202_701]);
        assert_eq!(this_and_next(december.plus_ms(-1)), [202_611, 202_612]);
        assert_eq!(this_and_next(december.plus_ms(31 * 86_400_000)), [202_701, 202_702]);
    }
}
