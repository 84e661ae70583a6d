//! **world**: a seeded synthetic population, true to life in its figures and to nobody in person.
//!
//! It knows no store, no sealing, no clock: a spec goes in, households come out, the same ones for
//! the same spec. To generate on several cores, share out the block numbers.
//!
//! **Invariant:** every personal id has prefix 099, which no place of registration has.
//! **Invariant:** exactly [`PopulationSpec::persons`] people come out, and no two share a personal
//! id. **Invariant:** a relative with a personal id has a record in the same household's members.
//!
//! ```
//! let today = jiff::civil::date(2026, 6, 1);
//! let spec = dancu_world::PopulationSpec { seed: 7, persons: 1_000, today };
//! let people: usize = dancu_world::households(&spec).map(|h| h.members.len()).sum();
//! assert_eq!(people, 1_000);
//! ```
//!
//! One more shape of household: a function in `shapes`, a line in `shapes::common`. One more
//! people: a line in `peoples::PEOPLES`, its names in `names::peoples::naming`.

mod block;
mod dice;
mod family;
pub mod names;
mod numbers;
mod peoples;
mod places;
mod record;
mod shapes;
mod showcase;
mod stats;

use dancu_domain::ids::PersonalId;
use dancu_domain::person::{Household, Person};
use jiff::civil::Date;

use block::{BLOCK_PERSONS, Block};
pub use stats::Stats;

/// Fewest people of a population: the showcase has to fit.
pub const MIN_PERSONS: u64 = 100;

/// Most people of a population. A personal id has 10^6 numbers per century, sex and year of birth,
/// and prefix 099 is the only one used. Up to about 90 million people every year has enough; up to
/// this limit births of the largest years move to neighbouring years; beyond it the age pyramid
/// would be bent out of shape, so [`PopulationSpec::check`] refuses.
pub const MAX_PERSONS: u64 = 120_000_000;

/// What population to generate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PopulationSpec {
    /// Seed of every draw.
    pub seed: u64,
    /// How many records, those of deceased people included:
    /// [`MIN_PERSONS`]`..=`[`MAX_PERSONS`].
    pub persons: u64,
    /// The day that ages are counted to, 2020-2099; nothing is dated after it.
    pub today: Date,
}

/// Why a population cannot be generated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpecError {
    /// Fewer than [`MIN_PERSONS`].
    TooFew,
    /// More than [`MAX_PERSONS`]: personal ids would run out.
    TooMany,
    /// `today` lies outside 2020-2099.
    Today,
}

impl std::fmt::Display for SpecError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooFew => write!(f, "a population has at least {MIN_PERSONS} people"),
            Self::TooMany => {
                write!(f, "prefix 099 has ids for a population of at most {MAX_PERSONS} people")
            }
            Self::Today => f.write_str("the population's day must lie in 2020-2099"),
        }
    }
}

impl std::error::Error for SpecError {}

impl PopulationSpec {
    /// Whether the population can be generated.
    pub fn check(&self) -> Result<(), SpecError> {
        if self.persons < MIN_PERSONS {
            Err(SpecError::TooFew)
        } else if self.persons > MAX_PERSONS {
            Err(SpecError::TooMany)
        } else if !(2020..=2099).contains(&self.today.year()) {
            Err(SpecError::Today)
        } else {
            Ok(())
        }
    }

    fn assert_valid(&self) {
        if let Err(error) = self.check() {
            panic!("PopulationSpec::check: {error}");
        }
    }
}

/// A household and its people.
#[derive(Clone, PartialEq, Eq)]
pub struct GeneratedHousehold {
    /// The household as the registry keeps it: the living members, head first.
    pub household: Household,
    /// The records: the living members in the household's order, then deceased and missing people
    /// who belonged to it or to whom its members refer.
    pub members: Vec<Person>,
}

/// Generates all households in order, block after block; memory does not grow with the population.
///
/// # Panics
/// When [`PopulationSpec::check`] refuses the spec.
pub fn households(
    spec: &PopulationSpec,
) -> impl Iterator<Item = GeneratedHousehold> + Send + use<> {
    spec.assert_valid();
    let spec = *spec;
    (0..block_count(&spec)).flat_map(move |number| Block::new(&spec, number))
}

/// The households of one block; none from [`block_count`] on.
///
/// # Panics
/// When [`PopulationSpec::check`] refuses the spec.
pub fn block(spec: &PopulationSpec, block_no: u64) -> Vec<GeneratedHousehold> {
    spec.assert_valid();
    Block::new(spec, block_no).collect()
}

/// How many blocks the population has.
pub fn block_count(spec: &PopulationSpec) -> u64 {
    spec.persons.div_ceil(BLOCK_PERSONS)
}

/// People whom a demonstration shows, 60 to 80 ids of the population. Among them: a couple with
/// children in one household, people without old id, a year-only birth, a deceased person, two
/// living people who share an old id, an id that says the other sex, H' names, a very long name,
/// a child with a guardian, a missing person.
///
/// # Panics
/// When [`PopulationSpec::check`] refuses the spec.
pub fn showcase(spec: &PopulationSpec) -> Vec<PersonalId> {
    const ENOUGH: usize = 60;
    spec.assert_valid();
    let mut ids = Vec::with_capacity(80);
    for household in Block::new(spec, 0) {
        ids.extend(household.members.iter().map(|p| p.personal_id));
        if ids.len() >= ENOUGH {
            break;
        }
    }
    ids
}
