//! Sign-ins of systems that were refused, on this node since it started: for the integrators of the
//! system that they name. The journal has them by minute and source only, because whoever is
//! refused has proved nothing; here they are told apart by system, and forgotten with the process.
//!
//! **Invariant:** no secret, token, header or name of a person is kept: which way, why, from where,
//! how often, and how far the clock was off.
//! **Invariant:** strangers cannot flood it: same refusals are counted in one row, each system has
//! [`ROWS`] rows of its own, and what names no registered system shares those of nobody.

use dancu_access::client::{self, ClientProof};
use dancu_access::{Arrival, AuthFailure, soap};
use dancu_domain::ids::SystemId;
use dancu_domain::moment::{HOUR_MS, Moment};
use dancu_domain::network::Network;
use dancu_gate::Gate;
use parking_lot::Mutex;
use std::collections::HashMap;

/// Rows of one system: what an integrator reads. 100 × about 100 bytes for some thousand systems
/// are tens of megabytes when every one of them is attacked from a hundred places.
pub const ROWS: usize = 100;
/// A row that was last added to before this gives its place to a new one; until then refusals from
/// further addresses are counted together.
const SETTLED_MS: i64 = HOUR_MS;

/// No system has this number.
const NOBODY: SystemId = SystemId(0);

/// How somebody tried to sign in as a system.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Way {
    /// By the SOAP header.
    Soap,
    /// With a token.
    Token,
    /// At the token endpoint.
    Client,
}

/// What was shown, to find the system that it names; nothing of it is kept.
#[derive(Clone, Copy)]
pub enum By<'a> {
    /// `Authorization` and `Timestamp` of the SOAP header.
    Soap(Option<&'a str>, Option<&'a str>),
    /// `Authorization` with a token.
    Token(Option<&'a str>),
    /// A token request.
    Client(&'a ClientProof<'a>),
}

/// A refused sign-in.
#[derive(Clone, Copy)]
pub struct SignIn<'a> {
    /// By what.
    pub by: By<'a>,
    /// Why it was refused.
    pub failure: AuthFailure,
}

/// Same refusals.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Which way.
    pub way: Way,
    /// Why.
    pub failure: AuthFailure,
    /// From where: what one connection has; `None`: from several places beyond those that have
    /// rows.
    pub source: Option<Network>,
    /// How often.
    pub count: u64,
    /// The first time, product's clock.
    pub first: Moment,
    /// The last time.
    pub last: Moment,
    /// How far the time of the last SOAP header was from the machine's clock, ms; above 0: behind.
    pub clock_off_ms: Option<i64>,
}

/// The memory.
#[derive(Default)]
pub struct RefusedSignIns(Mutex<HashMap<SystemId, Vec<Row>>>);

impl RefusedSignIns {
    /// Notes a refused sign-in for the system that it names. What names none is noted for nobody:
    /// so that its answer takes the same time.
    pub fn note(&self, gate: &Gate, sign_in: &SignIn<'_>, arrival: &Arrival) {
        if sign_in.failure == AuthFailure::Unavailable {
            return;
        }
        let snapshot = gate.snapshot();
        let named = match sign_in.by {
            By::Soap(authorization, _) => soap::named(&snapshot, authorization).map(|s| s.id),
            By::Client(proof) => client::named(&snapshot, proof).map(|s| s.id),
            By::Token(authorization) => gate.named_by_token(authorization).map(|s| s.id),
        };
        let (way, clock_off_ms) = match sign_in.by {
            By::Soap(_, timestamp) => (Way::Soap, soap::clock_off(timestamp, arrival.machine)),
            By::Token(_) => (Way::Token, None),
            By::Client(_) => (Way::Client, None),
        };
        let system = named.unwrap_or(NOBODY);
        let row = Row {
            way,
            failure: sign_in.failure,
            // Whoever has a /64 has more addresses than there are rows.
            source: Some(Network::of_connection(arrival.source)),
            count: 1,
            first: arrival.at,
            last: arrival.at,
            clock_off_ms,
        };
        self.add(system, row);
    }

    /// What was refused to a system, the latest first.
    pub fn of(&self, system: SystemId) -> Vec<Row> {
        let mut rows = self.0.lock().get(&system).cloned().unwrap_or_default();
        rows.sort_by_key(|row| std::cmp::Reverse(row.last));
        rows
    }

    fn add(&self, system: SystemId, row: Row) {
        let mut all = self.0.lock();
        let rows = all.entry(system).or_default();
        if again(rows, &row, row.source) {
            return;
        }
        if rows.len() < ROWS - OTHERS {
            rows.push(row);
            return;
        }
        let settled = |old: &&mut Row| {
            old.source.is_some() && row.last.0.saturating_sub(old.last.0) >= SETTLED_MS
        };
        if let Some(oldest) = rows.iter_mut().filter(settled).min_by_key(|old| old.last) {
            *oldest = row;
        } else if !again(rows, &row, None) && rows.len() < ROWS {
            rows.push(Row { source: None, ..row });
        }
    }
}

/// Rows kept free for refusals from further addresses: three ways, of each what can be wrong.
const OTHERS: usize = 24;

/// Counts it in the row that it belongs to, if there is one.
fn again(rows: &mut [Row], new: &Row, source: Option<Network>) -> bool {
    let same =
        |old: &&mut Row| old.way == new.way && old.failure == new.failure && old.source == source;
    let Some(old) = rows.iter_mut().find(same) else { return false };
    old.count = old.count.saturating_add(1);
    old.last = old.last.max(new.last);
    old.clock_off_ms = new.clock_off_ms;
    true
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    const T0: Moment = Moment(1_772_416_800_000);

    fn row(source: u32, at: Moment) -> Row {
        Row {
            way: Way::Soap,
            failure: AuthFailure::Wrong,
            source: Some(Network::of_connection(IpAddr::V4(source.into()))),
            count: 1,
            first: at,
            last: at,
            clock_off_ms: None,
        }
    }

    #[test]
    fn same_refusals_are_counted_in_one_row() {
        let memory = RefusedSignIns::default();
        for n in 0..1_000 {
            memory.add(SystemId(1), row(7, T0.plus_ms(n)));
        }
        let stale = Row { failure: AuthFailure::Stale, clock_off_ms: Some(9), ..row(7, T0) };
        memory.add(SystemId(1), stale.clone());
        let rows = memory.of(SystemId(1));
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].count, rows[0].first, rows[0].last), (1_000, T0, T0.plus_ms(999)));
        assert_eq!(rows[1], stale);
        assert_eq!(memory.of(SystemId(2)), []);
    }

    #[test]
    fn a_place_of_ipv6_has_one_row() {
        let memory = RefusedSignIns::default();
        let from = |text: &str| {
            let source = Some(Network::of_connection(text.parse().unwrap()));
            Row { source, ..row(0, T0) }
        };
        for n in 0..1_000 {
            memory.add(SystemId(1), from(&format!("2001:db8:0:1:{n:x}::{n:x}")));
        }
        memory.add(SystemId(1), from("2001:db8:0:2::1"));
        memory.add(SystemId(1), from("::ffff:192.0.2.1"));
        let rows = memory.of(SystemId(1));
        let rows = rows.iter().map(|row| (row.source.unwrap().to_string(), row.count));
        let mut rows: Vec<_> = rows.collect();
        rows.sort_unstable();
        let expected = [("192.0.2.1", 1), ("2001:db8:0:1::/64", 1_000), ("2001:db8:0:2::/64", 1)];
        assert_eq!(rows, expected.map(|(text, count)| (text.to_owned(), count)));
    }

    #[test]
    fn strangers_cannot_push_the_systems_own_rows_out() {
        let memory = RefusedSignIns::default();
        let own = Row { failure: AuthFailure::Stale, ..row(1, T0) };
        memory.add(SystemId(1), own.clone());
        for stranger in 100..50_000 {
            memory.add(SystemId(1), row(stranger, T0.plus_ms(1)));
        }
        let rows = memory.of(SystemId(1));
        assert!(rows.len() <= ROWS && rows.contains(&own));
        let others: Vec<_> = rows.iter().filter(|row| row.source.is_none()).collect();
        assert_eq!(others.len(), 1);
        assert_eq!(rows.iter().map(|row| row.count).sum::<u64>(), 49_901);
        // An hour later new ones have places again.
        memory.add(SystemId(1), row(60_000, T0.plus_ms(2 * HOUR_MS)));
        let rows = memory.of(SystemId(1));
        assert_eq!((rows.len() <= ROWS, &rows[0]), (true, &row(60_000, T0.plus_ms(2 * HOUR_MS))));
    }
}
