//! Randomness as an argument: one ChaCha stream per block, and the few draws that are needed.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A seeded stream. The same seed, block and purpose always give the same draws.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of one block; `purpose` keeps streams for different uses apart.
    pub(crate) fn new(seed: u64, block: u64, purpose: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&block.to_le_bytes());
        key[16..24].copy_from_slice(&purpose.to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// A number in `0..n`; 0 when `n` is 0.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(n)) >> 32) as u32
    }

    /// A number in `low..=high`; `low` when the range is empty.
    pub(crate) fn between(&mut self, low: i32, high: i32) -> i32 {
        if high <= low { low } else { low + self.below((high - low + 1) as u32) as i32 }
    }

    /// True in `per_mille` of a thousand cases.
    pub(crate) fn chance(&mut self, per_mille: u32) -> bool {
        self.below(1000) < per_mille
    }

    /// True once in `n` cases on average.
    pub(crate) fn one_in(&mut self, n: u32) -> bool {
        self.below(n) == 0
    }

    /// An element, each as likely.
    pub(crate) fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u32) as usize]
    }

    /// An element, those in front likelier: lists of names are ordered by popularity.
    pub(crate) fn front<T: Copy>(&mut self, list: &[T]) -> T {
        let n = list.len() as u32;
        let (a, b) = (self.below(n), self.below(n));
        list[a.min(b) as usize]
    }

    /// The index of a part by cumulative weights (ascending, the last one is the total).
    pub(crate) fn weighted(&mut self, cumulative: &[u32]) -> usize {
        let total = cumulative.last().copied().unwrap_or(0);
        let drawn = self.below(total);
        cumulative.partition_point(|c| *c <= drawn)
    }

    /// The part that a number below the total of the weights falls into; the last part takes what
    /// is left over.
    pub(crate) fn part<T: Copy>(&mut self, parts: &[(T, u32)], total: u32) -> Option<T> {
        let mut drawn = self.below(total);
        for (value, weight) in parts {
            if drawn < *weight {
                return Some(*value);
            }
            drawn -= weight;
        }
        None
    }
}
