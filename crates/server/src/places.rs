//! Places that are held for a while: a few at a time in all, and one for each who asks.

use std::collections::HashSet;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places, and who holds one.
pub struct Places<K> {
    free: Arc<Semaphore>,
    held: Arc<Mutex<HashSet<K>>>,
}

/// Why there is no place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoPlace {
    /// Whoever asks holds one.
    Held,
    /// None is free.
    Full,
}

/// A place; dropped, it is free.
pub struct Place<K: Eq + Hash> {
    _permit: OwnedSemaphorePermit,
    held: Arc<Mutex<HashSet<K>>>,
    by: K,
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        self.held.lock().remove(&self.by);
    }
}

impl<K: Eq + Hash + fmt::Debug> fmt::Debug for Place<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Place").field(&self.by).finish()
    }
}

impl<K: Eq + Hash + Copy> Places<K> {
    /// So many places, all free.
    pub fn new(count: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(count)), held: Arc::default() }
    }

    /// A place for one who holds none.
    ///
    /// # Errors
    /// Where they hold one, or none is free.
    pub fn take(&self, by: K) -> Result<Place<K>, NoPlace> {
        let mut held = self.held.lock();
        if held.contains(&by) {
            return Err(NoPlace::Held);
        }
        let permit = self.free.clone().try_acquire_owned().map_err(|_| NoPlace::Full)?;
        held.insert(by);
        Ok(Place { _permit: permit, held: self.held.clone(), by })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_takes_one_place_and_gives_it_back() {
        let places = Places::new(4);
        let first = places.take(1).unwrap();
        assert_eq!(places.take(1).unwrap_err(), NoPlace::Held);
        let others: Vec<_> = (2..=4).map(|n| places.take(n).unwrap()).collect();
        assert_eq!(places.take(5).unwrap_err(), NoPlace::Full);
        drop(first);
        let again = places.take(1).unwrap();
        assert_eq!(places.take(5).unwrap_err(), NoPlace::Full, "none was taken twice");
        drop((again, others));
        assert!(places.take(5).is_ok());
    }
}
