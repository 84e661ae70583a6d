//! Personal and old identification numbers, unique without coordination between blocks.
//!
//! A personal id has six free digits within century, sex and year: 10^6 numbers. Each block owns an
//! equal share of them, so that blocks never meet; a keyed permutation of the million hides the
//! order. When a block has used up its share of a year, a person is moved to the nearest year with
//! numbers left, within the bounds that the family allows. Up to 90 million people that is rare:
//! the largest cell takes 0.8 % of a block, its share is 1.1 %. At [`crate::MAX_PERSONS`] the two
//! are nearly equal.

use dancu_domain::ids::{OldId, PersonalId};
use dancu_domain::person::Sex;

/// Numbers per century, sex and year.
const SUFFIXES: u32 = 1_000_000;
/// Prefix that no place of registration has: synthetic people only.
const PREFIX: u64 = 99;
/// First and last year that the tables cover.
pub(crate) const YEARS: std::ops::RangeInclusive<i32> = 1900..=2099;

/// The numbers that one block may give out.
pub(crate) struct Numbers {
    seed: u64,
    /// Where the block's share of each million begins, and how long it is.
    base: u32,
    share: u32,
    used: Vec<u32>,
    old_base: u32,
    old_used: u32,
}

impl Numbers {
    /// The share of block `block` of `blocks`, each of at most `block_persons` people.
    pub(crate) fn new(seed: u64, block: u64, blocks: u64, block_persons: u64) -> Self {
        let share = (u64::from(SUFFIXES) / blocks.max(1)) as u32;
        Self {
            seed,
            base: share * block as u32,
            share,
            used: vec![0; 400],
            // At most two old numbers per person are ever given out.
            old_base: (block * block_persons * 2) as u32,
            old_used: 0,
        }
    }

    /// A number for a birth in `wanted`, or in the nearest year of `years` with numbers left;
    /// returns the year as well. `None` when all of them are used up.
    pub(crate) fn personal(
        &mut self,
        sex: Sex,
        wanted: i32,
        years: (i32, i32),
    ) -> Option<(PersonalId, i32)> {
        let (low, high) = (years.0.max(*YEARS.start()), years.1.min(*YEARS.end()));
        let wanted = wanted.clamp(low, high.max(low));
        for distance in 0..=(high - low).max(-1) {
            for year in [wanted - distance, wanted + distance] {
                if (low..=high).contains(&year)
                    && let Some(id) = self.in_year(sex, year)
                {
                    return Some((id, year));
                }
            }
        }
        None
    }

    fn in_year(&mut self, sex: Sex, year: i32) -> Option<PersonalId> {
        let woman = u32::from(sex == Sex::Female);
        let cell = (year - YEARS.start()) as u32 * 2 + woman;
        let used = self.used.get_mut(cell as usize)?;
        if *used >= self.share {
            return None;
        }
        let key = self.seed ^ (u64::from(cell) << 48);
        let suffix = permuted(key, self.base + *used, 1000, 1000);
        *used += 1;
        let digit = (year as u64 / 100 - 19) * 2 + u64::from(woman);
        PersonalId::from_number(
            PREFIX * 1_000_000_000
                + digit * 100_000_000
                + (year as u64 % 100) * 1_000_000
                + u64::from(suffix),
        )
    }

    /// A new old number.
    pub(crate) fn old(&mut self) -> Option<OldId> {
        let number = permuted(self.seed ^ 0x01d, self.old_base + self.old_used, 10_000, 100_000);
        self.old_used += 1;
        OldId::from_number(number)
    }
}

/// A number of a household: nine digits, unique among households.
pub(crate) fn household_number(seed: u64, index: u32) -> u32 {
    permuted(seed ^ 0x40, index, 10_000, 100_000)
}

/// A keyed permutation of `0..left*right`: an additive Feistel network over two mixed digits, which
/// is a bijection whatever the round function is.
fn permuted(key: u64, x: u32, left: u32, right: u32) -> u32 {
    let (mut l, mut r) = (x / right, x % right);
    for round in 0..3 {
        l = (l + mixed(key, round * 2, r) % left) % left;
        r = (r + mixed(key, round * 2 + 1, l) % right) % right;
    }
    l * right + r
}

/// The splitmix64 finisher.
fn mixed(key: u64, round: u64, half: u32) -> u32 {
    let mut z = key ^ (round << 56) ^ u64::from(half).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z >> 33) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permutation_is_a_bijection() {
        let mut seen = vec![false; SUFFIXES as usize];
        for x in 0..SUFFIXES {
            let y = permuted(7, x, 1000, 1000) as usize;
            assert!(!std::mem::replace(&mut seen[y], true));
        }
    }

    #[test]
    fn full_years_move_to_neighbours_and_then_end() {
        let mut numbers = Numbers::new(1, 0, 500_000, 16);
        let mut years = Vec::new();
        while let Some((id, year)) = numbers.personal(Sex::Female, 2000, (1999, 2001)) {
            assert_eq!(i32::from(id.birth_year()), year);
            assert_eq!(id.sex(), Sex::Female);
            assert_eq!(id.prefix(), 99);
            years.push(year);
        }
        assert_eq!(years, [2000, 2000, 1999, 1999, 2001, 2001]);
    }
}
