//! Use per hour of today for the operators' pages: the counting is `dancu_office`'s, here it is
//! asked for beside the requests. Where one look was not enough, a thread goes on; so neither a
//! page nor the gate pays for how much was asked today.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dancu_domain::ids::SystemId;
use dancu_domain::moment::{DAY_MS, Moment};
use dancu_office::hours::{DayHours, Today};
use dancu_portal::chart::HOURS;
use dancu_store::{Result, Store};

/// The counts of today, shared by every page.
#[derive(Clone, Default)]
pub struct Hours(Arc<Shared>);

#[derive(Default)]
struct Shared {
    today: Today,
    /// A thread is reading on.
    working: AtomicBool,
}

/// Today of one system.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Day {
    /// Persons answered in each hour from 07:00; none for hours that have not come or were not
    /// read yet.
    pub used: [Option<u64>; HOURS],
    /// Persons answered.
    pub answered: u64,
    /// Questions refused.
    pub refused: u64,
    /// Up to when today was read, where there is more to read.
    pub until: Option<Moment>,
}

impl Day {
    fn of(counted: &DayHours, began: Moment, now: Moment) -> Self {
        Self {
            used: counted.shown(began),
            answered: counted.all.iter().sum(),
            refused: counted.refused.iter().sum(),
            until: (counted.until < now).then_some(counted.until),
        }
    }
}

impl Hours {
    /// Today of some systems, in their order.
    ///
    /// # Errors
    /// The journal could not be read.
    pub async fn of(
        &self,
        store: &Arc<Store>,
        now: Moment,
        systems: &[SystemId],
    ) -> Result<Vec<Day>> {
        let (hours, journal) = (self.clone(), store.clone());
        let read = tokio::task::spawn_blocking(move || hours.0.today.look(&journal, now));
        let all = read.await.map_err(|_| dancu_store::Error::Unavailable("hours"))??;
        if !all {
            self.go_on(store, now);
        }
        let duty = store.profiles().at(now).hours.duty(now);
        let began = duty.resets_at.plus_ms(-DAY_MS);
        let day = |system: &SystemId| Day::of(&self.0.today.of(*system, now), began, now);
        Ok(systems.iter().map(day).collect())
    }

    /// Reads on until the end of the journal, in a thread of its own; one at a time does.
    fn go_on(&self, store: &Arc<Store>, now: Moment) {
        if self.0.working.swap(true, Ordering::AcqRel) {
            return;
        }
        let (hours, store) = (self.clone(), store.clone());
        tokio::task::spawn_blocking(move || {
            let mut more = true;
            while more && !store.is_stopped() {
                more = match hours.0.today.look(&store, now) {
                    Ok(all) => !all,
                    Err(error) => {
                        tracing::warn!(error = %error, "hours could not be counted");
                        false
                    }
                };
            }
            hours.0.working.store(false, Ordering::Release);
        });
    }
}
