//! Figures of what is registered and counted today: how many lines are locked or near their count.
//! No line, system or account is named.

use dancu_domain::credentials::CredentialKind;
use dancu_domain::moment::Moment;
use dancu_domain::registration::{ConnectionState, Snapshot};
use dancu_domain::service::Service;

use crate::app::App;

/// Lines looked at while the counts are held: settling waits for some microseconds at most.
const CHUNK: usize = 256;
/// From this share of the day's count on a line is near it, in percent.
const NEAR_PERCENT: u64 = 80;

/// Figures over all connections.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct LineFigures {
    /// Systems by the state of their connection.
    pub systems: Vec<(&'static str, u64)>,
    /// Registered lines.
    pub lines: u64,
    /// Lines with a lock in force, of their own or of the whole connection.
    pub locked: u64,
    /// Locks in force: of one line each, of a whole connection each.
    pub locks: (u64, u64),
    /// Lines at [`NEAR_PERCENT`] of the day's count or more, also those used up, by service: the
    /// twelve services are the only names that are told.
    pub near: [u64; Service::ALL.len()],
    /// Lines with nothing left today.
    pub used_up: u64,
    /// Credentials of systems that are not closed: those that end soon, and those that have ended
    /// and stand there still.
    pub credentials: [(&'static str, u64); 2],
}

impl LineFigures {
    /// Counts over the snapshot and the ledger's counts of the present duty day.
    pub fn of(app: &App) -> Self {
        let (store, now) = (app.gate.store(), app.clock.now());
        let day = store.profiles().at(now).hours.duty(now).day;
        let snapshot = app.gate.snapshot();
        let (systems, credentials) = (states(&snapshot), ending(&snapshot, now));
        let mut figures = Self { systems, credentials, ..Self::default() };
        let lines: Vec<_> = snapshot
            .systems()
            .iter()
            .flat_map(|s| s.services.iter().flatten().map(|grant| (s.id, grant)))
            .flat_map(|(system, grant)| {
                let service = grant.service.index();
                grant.lines.iter().flatten().map(move |line| (system, service, line))
            })
            .map(|(s, service, line)| (s, service, line.id, u64::from(line.limit(now).count)))
            .collect();
        figures.lines = lines.len() as u64;
        figures.locks = store.ledger().lines(|counts| counts.locks_in_force(now));
        for chunk in lines.chunks(CHUNK) {
            store.ledger().lines(|counts| {
                for (system, service, line, count) in chunk {
                    let lock = counts.lock_in_force(*system, *line, now);
                    figures.locked += u64::from(lock.is_some());
                    let used = u64::from(counts.line_day(*line, day).used);
                    // A line without a count is never used: it is not near it either.
                    let near = *count > 0 && used * 100 >= count * NEAR_PERCENT;
                    figures.near[*service] += u64::from(near);
                    figures.used_up += u64::from(*count > 0 && used >= *count);
                }
            });
        }
        figures
    }
}

/// How many credentials end soon, and how many have ended.
pub fn ending(snapshot: &Snapshot, now: Moment) -> [(&'static str, u64); 2] {
    let open = snapshot.systems().iter().filter(|s| s.state != ConnectionState::Closed);
    let all = open.flat_map(|s| CredentialKind::ALL.into_iter().flat_map(|kind| s.facts.of(kind)));
    let (mut soon, mut ended) = (0, 0);
    for facts in all {
        soon += u64::from(facts.ends_soon(now));
        ended += u64::from(!facts.is_valid(now));
    }
    [("soon", soon), ("ended", ended)]
}

/// Every state with its number of connections, also where there is none.
fn states(snapshot: &Snapshot) -> Vec<(&'static str, u64)> {
    let all = (0..=u8::MAX).map_while(ConnectionState::from_number);
    let count = |state: ConnectionState| {
        snapshot.systems().iter().filter(|s| s.state == state).count() as u64
    };
    all.map(|state| (state.code(), count(state))).collect()
}
