//! The Merkle tree over the log, as far as its root: RFC 6962 over the leaves of [`leaf`].
//!
//! What is kept of a tree is the root of each complete subtree at its right edge, at most 64 of
//! them, so that it goes on from any size without the leaves before.

use sha2::{Digest as _, Sha256};

use crate::commit::leaf;

/// A hash of the tree.
pub type Hash = [u8; 32];

/// The right edge of a tree of some size: roots of its complete subtrees, the largest first.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// One that was kept; `None` where there are not as many roots as the size has bits set.
    pub fn new(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }

    /// How many entries it covers: the index of the next one.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Roots of the complete subtrees, the largest first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Adds the commitment of the next entry.
    pub fn push(&mut self, commitment: &[u8; 32]) {
        let mut hash = leaf(commitment);
        for _ in 0..self.size.trailing_ones() {
            hash = self.peaks.pop().map_or(hash, |left| node(&left, &hash));
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The root hash; of an empty tree SHA-256 of nothing.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return Sha256::digest([]).into() };
        peaks.fold(*last, |right, left| node(left, &right))
    }
}

/// `SHA-256(0x01 ‖ left ‖ right)`.
fn node(left: &Hash, right: &Hash) -> Hash {
    let mut hash = Sha256::new();
    hash.update([1]);
    hash.update(left);
    hash.update(right);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition of RFC 6962, section 2.1.
    fn defined(commitments: &[[u8; 32]]) -> Hash {
        match commitments {
            [] => Sha256::digest([]).into(),
            [one] => leaf(one),
            all => {
                let split = all.len().next_power_of_two() / 2;
                node(&defined(&all[..split]), &defined(&all[split..]))
            }
        }
    }

    #[test]
    fn roots_are_as_the_definition_has_them() {
        let all: Vec<[u8; 32]> = (0..70u8).map(|n| [n; 32]).collect();
        let mut tree = Frontier::default();
        for size in 0..all.len() {
            assert_eq!(tree.root(), defined(&all[..size]), "{size}");
            let kept = Frontier::new(tree.size(), tree.peaks().to_vec());
            assert_eq!(kept.as_ref(), Some(&tree));
            tree.push(&all[size]);
        }
        assert_eq!(Frontier::new(3, vec![[0; 32]]), None);
        assert_ne!(tree.root(), defined(&all[..69]));
    }
}
