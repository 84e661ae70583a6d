//! What rows of before lack is told once, in slices, when a folder is opened.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use dancu_domain::moment::Moment;
use dancu_domain::people::PersonId;

use super::rows;
use crate::error::Result;
use crate::facts;
use crate::keys::Purpose;
use crate::store::Store;

/// The fact that says that it was done.
const MENDED: &str = "people.centre";
/// Rows of one transaction: some ms of opening them.
const SLICE: u32 = 200;

impl Store {
    /// Tells of every row of people of the portal whether they hold a role that the centre gives.
    /// Rows that were saved before heads and auditors counted say no, so that nobody would find
    /// them (E3). Done once; cheap ever after.
    ///
    /// # Errors
    /// The store could not be read or written.
    pub async fn mend_people(&self, at: Moment) -> Result<()> {
        if self.meta(MENDED)?.is_some() || self.keys.get(Purpose::Policy, 0).is_none() {
            return Ok(());
        }
        let mut after = PersonId(0);
        loop {
            let (keys, last) = (self.keys.clone(), Arc::new(AtomicU32::new(0)));
            let told = last.clone();
            self.ledger()
                .tidy(at, move |tx| {
                    match rows::mend_centre(tx, &keys, after, SLICE)? {
                        // Nobody is numbered 0.
                        Some(person) => told.store(person.0, Ordering::Relaxed),
                        None => facts::set_core(tx, MENDED, "1")?,
                    }
                    Ok(())
                })
                .await?;
            match last.load(Ordering::Relaxed) {
                0 => return Ok(()),
                number => after = PersonId(number),
            }
        }
    }
}
