//! Places that are held for a while: a few at a time in all, and fewer for each who asks.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places, and who holds one.
pub struct Places<K> {
    free: Arc<Semaphore>,
    each: usize,
    held: Arc<Mutex<HashMap<K, usize>>>,
}

/// Why there is no place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoPlace {
    /// Whoever asks holds as many as one may.
    Held,
    /// None is free.
    Full,
}

/// A place; dropped, it is free.
pub struct Place<K: Eq + Hash> {
    _permit: OwnedSemaphorePermit,
    held: Arc<Mutex<HashMap<K, usize>>>,
    by: K,
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut held = self.held.lock();
        if let Some(count) = held.get_mut(&self.by).filter(|count| **count > 1) {
            *count -= 1;
        } else {
            held.remove(&self.by);
        }
    }
}

impl<K: Eq + Hash + fmt::Debug> fmt::Debug for Place<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Place").field(&self.by).finish()
    }
}

impl<K: Eq + Hash + Copy> Places<K> {
    /// So many places, all free, of which one is for each who asks.
    pub fn new(count: usize) -> Self {
        Self::with_each(count, 1)
    }

    /// So many places, all free, of which `each` are for each who asks.
    pub fn with_each(count: usize, each: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(count)), each, held: Arc::default() }
    }

    /// A place for one who may hold a further one.
    ///
    /// # Errors
    /// Where they may not, or none is free.
    pub fn take(&self, by: K) -> Result<Place<K>, NoPlace> {
        self.take_of(by, self.each)
    }

    /// The same for one who may hold so many at once, whatever is said of the others.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub fn take_of(&self, by: K, each: usize) -> Result<Place<K>, NoPlace> {
        let mut held = self.held.lock();
        if held.get(&by).is_some_and(|count| *count >= each) {
            return Err(NoPlace::Held);
        }
        let permit = self.free.clone().try_acquire_owned().map_err(|_| NoPlace::Full)?;
        *held.entry(by).or_default() += 1;
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

    #[test]
    fn each_takes_some_places_and_leaves_the_others() {
        let places = Places::with_each(4, 2);
        let (first, second) = (places.take(1).unwrap(), places.take(1).unwrap());
        assert_eq!(places.take(1).unwrap_err(), NoPlace::Held);
        let other = places.take(2).unwrap();
        drop(first);
        let first = places.take(1).unwrap();
        assert_eq!(places.take(1).unwrap_err(), NoPlace::Held, "one came back, not two");
        drop((first, second, other));
        assert!(places.held.lock().is_empty(), "nobody who holds none is remembered");
    }
}
