//! Latencies by size, in buckets that are never wider than 1/128 of their value.

use std::time::Duration;

/// Buckets of one octave, as a power of two.
const PRECISION_BITS: u32 = 7;
/// 64 octaves less the ones that the first, exact row covers: 58 × 128 buckets, 59 KB.
const BUCKETS: usize = (64 - PRECISION_BITS as usize + 1) << PRECISION_BITS;

/// Counts of durations, kept in nanoseconds.
#[derive(Clone)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    largest: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS], total: 0, largest: 0 }
    }
}

impl Histogram {
    /// Adds one duration.
    pub fn record(&mut self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.counts[bucket(nanos)] += 1;
        self.total += 1;
        self.largest = self.largest.max(nanos);
    }

    /// Adds everything another histogram holds.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.total += other.total;
        self.largest = self.largest.max(other.largest);
    }

    /// How many durations were recorded.
    pub fn count(&self) -> u64 {
        self.total
    }

    /// The largest duration, exact.
    pub fn max(&self) -> Duration {
        Duration::from_nanos(self.largest)
    }

    /// The duration that `share` (0 to 1) of the recorded ones do not exceed; zero when empty.
    pub fn quantile(&self, share: f64) -> Duration {
        let rank = ((self.total as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_nanos(upper_bound(index).min(self.largest));
            }
        }
        self.max()
    }
}

fn bucket(nanos: u64) -> usize {
    if nanos < 1 << PRECISION_BITS {
        return nanos as usize;
    }
    let exponent = nanos.ilog2();
    let row = (exponent - PRECISION_BITS + 1) as usize;
    let column = (nanos >> (exponent - PRECISION_BITS)) as usize & ((1 << PRECISION_BITS) - 1);
    (row << PRECISION_BITS) + column
}

fn upper_bound(index: usize) -> u64 {
    let row = index >> PRECISION_BITS;
    if row == 0 {
        return index as u64;
    }
    let column = (index & ((1 << PRECISION_BITS) - 1)) as u128;
    let bound = ((1 << PRECISION_BITS) + column + 1) << (row - 1);
    u64::try_from(bound - 1).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_a_bucket_at_most_one_part_in_128_wide() {
        for shift in 0..64 {
            for offset in [0, 1, 3] {
                let value = (1_u64 << shift).saturating_add(offset << (shift / 2));
                let bound = upper_bound(bucket(value));
                assert!(bound >= value, "{value} lies above its bucket");
                assert!(bound - value <= value >> PRECISION_BITS, "{value} has a wide bucket");
            }
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_of_a_known_series() {
        let mut histogram = Histogram::default();
        for micros in 1..=1000 {
            histogram.record(Duration::from_micros(micros));
        }
        let near = |share: f64, micros: u64| {
            let found = histogram.quantile(share).as_micros() as i64;
            assert!((found - micros as i64).abs() <= micros as i64 / 100 + 1, "{share}: {found}");
        };
        near(0.5, 500);
        near(0.99, 990);
        near(1.0, 1000);
        assert_eq!(histogram.count(), 1000);
        assert_eq!(Histogram::default().quantile(0.99), Duration::ZERO);
    }
}
