//! Unauthenticated failures and shed load: one journal entry per minute, source and cause
//! (architecture, step 5), so that a flood cannot fill the journal.

use std::collections::HashMap;
use std::net::IpAddr;

use dancu_domain::moment::{MINUTE_MS, Moment};
use dancu_journal::Aggregate;
use parking_lot::Mutex;

/// Sources told apart within a minute; further ones share the entry of "many sources".
const SOURCES_MAX: usize = 1_000;

/// Causes of an aggregate, as numbered in the journal format.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Cause {
    /// Wrong SOAP header.
    SoapHeader = 1,
    /// Wrong token.
    Token = 2,
    /// Wrong client at the token endpoint.
    Client = 3,
    /// Shed load: it could not be journaled.
    Shed = 4,
    /// Unreadable before anybody was authenticated.
    Unreadable = 5,
    /// Refused to an authenticated system faster than refusals are journaled one by one.
    Refusals = 6,
    /// Wrong password, code or key of a person at the portal.
    SignIn = 7,
}

impl Cause {
    /// The cause of a credential that is not, or no longer, good: a SOAP header, else a token.
    pub const fn of(soap_header: bool) -> Self {
        if soap_header { Self::SoapHeader } else { Self::Token }
    }
}

/// Minute, source and cause; no source: the rest of a full table.
type Key = (i64, Option<IpAddr>, u8);

/// Failures counted by minute, source and cause.
#[derive(Default)]
pub struct Failures(Mutex<HashMap<Key, u32>>);

impl Failures {
    /// Counts one failure.
    pub fn note(&self, at: Moment, source: IpAddr, cause: Cause) {
        let minute = at.0 - at.0.rem_euclid(MINUTE_MS);
        self.add((minute, Some(source), cause as u8), 1);
    }

    /// Puts back an aggregate that could not be journaled; it is taken again with its minute.
    pub fn put_back(&self, aggregate: &Aggregate) {
        let source = match *aggregate.source {
            [a, b, c, d] => Some(IpAddr::from([a, b, c, d])),
            _ => <[u8; 16]>::try_from(&*aggregate.source).ok().map(IpAddr::from),
        };
        self.add((aggregate.minute, source, aggregate.cause), aggregate.count);
    }

    fn add(&self, key: Key, more: u32) {
        let mut map = self.0.lock();
        let full = map.len() >= SOURCES_MAX && !map.contains_key(&key);
        let key = if full { (key.0, None, key.2) } else { key };
        let count = map.entry(key).or_default();
        *count = count.saturating_add(more);
    }

    /// Takes the minutes that are over at `now`; all of them at the end.
    pub fn take(&self, now: Option<Moment>) -> Vec<Aggregate> {
        let mut map = self.0.lock();
        let over = |minute: i64| now.is_none_or(|n| minute + MINUTE_MS <= n.0);
        let mut keys: Vec<_> = map.keys().copied().filter(|(m, ..)| over(*m)).collect();
        keys.sort_unstable();
        keys.into_iter()
            .filter_map(|key| {
                let count = map.remove(&key)?;
                let source = match key.1 {
                    None => vec![],
                    Some(IpAddr::V4(v4)) => v4.octets().to_vec(),
                    Some(IpAddr::V6(v6)) => v6.octets().to_vec(),
                };
                Some(Aggregate { minute: key.0, source, cause: key.2, count })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_entry_per_minute_source_and_cause() {
        let failures = Failures::default();
        let local = IpAddr::from([127, 0, 0, 1]);
        for ms in [0, 5, 59_999, 60_000] {
            failures.note(Moment(ms), local, Cause::Token);
        }
        failures.note(Moment(1), local, Cause::SoapHeader);
        assert_eq!(failures.take(Some(Moment(60_000))).len(), 2);
        assert_eq!(failures.take(Some(Moment(60_000))).len(), 0);
        assert_eq!(failures.take(None).len(), 1);
    }

    #[test]
    fn what_could_not_be_journaled_is_kept() {
        let failures = Failures::default();
        let sources = [IpAddr::from([127, 0, 0, 1]), IpAddr::from([7; 16])];
        for source in sources {
            failures.note(Moment(5), source, Cause::Shed);
        }
        let first = failures.take(None);
        for aggregate in &first {
            failures.put_back(aggregate);
        }
        failures.note(Moment(6), sources[0], Cause::Shed);
        let again = failures.take(None);
        assert_eq!(again.len(), 2);
        assert_eq!(again.iter().map(|a| a.count).sum::<u32>(), 3);
        assert_eq!(again[0].source, first[0].source);
    }

    #[test]
    fn many_sources_share_one_entry() {
        let failures = Failures::default();
        for i in 0..5_000u32 {
            failures.note(Moment(0), IpAddr::from(i.to_be_bytes()), Cause::Token);
        }
        assert_eq!(failures.take(None).len(), SOURCES_MAX + 1);
    }
}
