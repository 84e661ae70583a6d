//! Questions for the ledger.

use dancu_domain::ids::{AccountId, LineId, SystemId};
use dancu_domain::lines::Intent;
use dancu_domain::moment::Moment;
use dancu_domain::registration::LineLimit;
use dancu_journal::Query;
use dancu_store::Store;
use dancu_store::ledger::{Decided, Draft};

/// The line of every question.
pub const LINE: LineId = LineId(1);

/// The `n`th question of one account, asked at a time, on one line of `count` persons.
pub fn draft(store: &Store, n: u64, at: Moment, count: u32) -> Draft {
    let duty = store.profiles().at(at).hours.duty(at);
    let intent = Intent {
        at,
        duty,
        system: SystemId(1),
        line: LINE,
        limit: LineLimit { count, raise_began: None, raise_approved: None },
        account: AccountId(1),
        account_daily: u32::MAX,
        own_plan: None,
        items: 1,
        repeat: false,
        unread: false,
    };
    let mut request_key = [7; 16];
    request_key[..8].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    request_key[15] = n as u8;
    Draft {
        query: Box::new(Query { system: 1, account: 1, line: 1, ..Query::default() }),
        arrival: at,
        epoch: store.ledger().epoch(),
        decided: Decided::Count(intent),
        request_key,
        answered: None,
        header: None,
        guard: None,
        search: vec![],
    }
}
