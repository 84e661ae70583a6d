//! What questions took of their pace (D7), told from node to node with the transactions of the
//! ledger: what an account may ask, it may ask of all nodes together.

use dancu_domain::moment::Moment;
use dancu_domain::refusal::Reason;
use dancu_journal::Query;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// Four bytes of a person's keyed pseudonym: enough to tell the persons of a minute apart (of 1,200
/// one in a million is taken for another), and nothing that names anybody.
pub type PersonMark = [u8; 4];

/// What one account, or the refusals to one system, took within a transaction of another node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Charge {
    /// Row id of the system.
    pub system: u32,
    /// Row id of the account; 0: refusals to the system.
    pub account: u32,
    /// Arrival of the first, ms.
    pub at: i64,
    /// How many requests.
    pub requests: u32,
    /// Whom they asked about, each once.
    pub persons: Vec<PersonMark>,
}

/// The charges of a batch, one for each account and system.
#[derive(Default)]
pub(crate) struct Charges(HashMap<(u32, u32), Charge>);

impl Charges {
    /// Charges an entry as its own node did when it decided: a question to its account, and one
    /// that was refused `early`, before its count was looked at, or for a lock to the system's
    /// refusals.
    pub(crate) fn note(&mut self, early: bool, query: &Query, arrival: Moment) {
        let locked = [Reason::LineLocked as u8, Reason::ConnectionLocked as u8];
        let refused = early || locked.contains(&query.reason);
        let account = if refused { 0 } else { query.account };
        let charge = self.0.entry((query.system, account)).or_insert_with(|| Charge {
            system: query.system,
            account,
            at: arrival.0,
            requests: 0,
            persons: vec![],
        });
        charge.requests += 1;
        charge.at = charge.at.min(arrival.0);
        if let Some(asked) = query.subjects.first().filter(|_| !refused) {
            charge.persons.push(mark(&asked.pseudonym));
        }
    }

    /// All of them, in an order that does not hang on chance.
    pub(crate) fn into_vec(self) -> Vec<Charge> {
        let mut all: Vec<Charge> = self.0.into_values().collect();
        all.sort_unstable_by_key(|c| (c.system, c.account));
        for charge in &mut all {
            charge.persons.sort_unstable();
            charge.persons.dedup();
        }
        all
    }
}

/// The mark of a person by the pseudonym of the year.
pub fn mark(pseudonym: &[u8; 16]) -> PersonMark {
    let [a, b, c, d, ..] = *pseudonym;
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use dancu_journal::Subject;

    use super::*;

    fn query(account: u32, person: u8) -> Query {
        let subject = Subject { delivered: false, epoch: 2026, pseudonym: [person; 16] };
        Query { system: 7, account, subjects: vec![subject], ..Query::default() }
    }

    #[test]
    fn an_account_and_the_refusals_of_its_system_are_charged_apart() {
        let mut charges = Charges::default();
        for (at, person) in [(9, 1), (5, 1), (6, 2)] {
            charges.note(false, &query(3, person), Moment(at));
        }
        charges.note(true, &query(3, 4), Moment(8));
        let locked = Query { reason: Reason::LineLocked as u8, ..query(3, 5) };
        charges.note(false, &locked, Moment(9));
        let persons = vec![[1; 4], [2; 4]];
        assert_eq!(
            charges.into_vec(),
            [
                Charge { system: 7, account: 0, at: 8, requests: 2, persons: vec![] },
                Charge { system: 7, account: 3, at: 5, requests: 3, persons },
            ]
        );
    }
}
