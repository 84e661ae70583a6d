//! A block: the households of 16,384 people, generated on their own from seed and block number.

use dancu_domain::person::HouseholdRole;

use crate::dice::Dice;
use crate::family::{Family, Home, Twice, Wish};
use crate::names;
use crate::numbers::{Numbers, household_number};
use crate::{GeneratedHousehold, PopulationSpec, peoples, places, record, shapes, showcase};

/// People per block: enough for each block's share of the ids of a year to even out (at 100
/// million people 163 numbers for 131 births in the largest), and about 30 MB as records.
pub(crate) const BLOCK_PERSONS: u64 = 16_384;

/// Purpose of the stream of draws.
const POPULATION: u64 = 1;

/// The households of one block, one after the other.
pub(crate) struct Block {
    spec: PopulationSpec,
    number: u64,
    /// People still to come.
    left: u64,
    households: u64,
    dice: Dice,
    numbers: Numbers,
    twice: Option<Twice>,
}

impl Block {
    pub(crate) fn new(spec: &PopulationSpec, number: u64) -> Self {
        let start = number.saturating_mul(BLOCK_PERSONS).min(spec.persons);
        Self {
            spec: *spec,
            number,
            left: (spec.persons - start).min(BLOCK_PERSONS),
            households: 0,
            dice: Dice::new(spec.seed, number, POPULATION),
            numbers: Numbers::new(spec.seed, number, crate::block_count(spec), BLOCK_PERSONS),
            twice: None,
        }
    }

    /// One attempt; `None` when the ids of a year ran out on the way.
    fn household(&mut self) -> Option<GeneratedHousehold> {
        let (ethnicity, province) = peoples::people_and_province(&mut self.dice);
        let special = (self.number == 0).then(|| showcase::special(self.households)).flatten();
        let (ethnicity, province) =
            special.map_or((ethnicity, province), |s| (s.ethnicity(), s.province()));
        let home = Home {
            ethnicity,
            religion: peoples::religion(&mut self.dice, ethnicity, province),
            place: places::draw(&mut self.dice, province, ethnicity != names::KINH),
            southern: peoples::southern(&mut self.dice, province),
        };
        let mut family = Family {
            dice: &mut self.dice,
            numbers: &mut self.numbers,
            twice: &mut self.twice,
            today: self.spec.today,
            home,
            wish: Wish::default(),
            members: Vec::with_capacity(8),
        };
        let head = match special {
            Some(special) => special.build(&mut family)?,
            None => shapes::common(&mut family)?,
        };
        let head = living_head(&mut family, head);
        let index = self.number * BLOCK_PERSONS + self.households;
        let key = (self.number << 20) + self.households + 1;
        let serial = household_number(self.spec.seed, index as u32);
        let number = format!("{:02}{serial:09}", home.place.new.0);
        let room = usize::try_from(self.left).unwrap_or(usize::MAX);
        Some(record::finish(&mut family, head, key, number, room))
    }

    /// Offers the head's old number for a second issue, to somebody of a later household.
    fn offer(&mut self, household: &GeneratedHousehold) {
        if self.twice.is_none()
            && let Some(head) = household.members.first()
            && let (Some(old), dancu_domain::birth::BirthDate::Day(birth)) =
                (head.old_ids.first(), head.birth)
        {
            self.twice = Some(Twice { old: *old, birth, name: head.full_name.clone() });
        }
    }
}

/// The head must live: where the chosen one does not, the eldest living member is head.
fn living_head(family: &mut Family<'_>, head: usize) -> usize {
    if family.members[head].alive() {
        return head;
    }
    let living = (0..family.members.len()).filter(|i| family.members[*i].alive());
    let head = living.min_by_key(|i| family.members[*i].birth).unwrap_or(head);
    family.members[head].role = HouseholdRole::Head;
    head
}

impl Iterator for Block {
    type Item = GeneratedHousehold;

    fn next(&mut self) -> Option<GeneratedHousehold> {
        if self.left == 0 {
            return None;
        }
        // Ends because a block has more ids than people, see MAX_PERSONS: an attempt fails only
        // when the years around the one it wants are used up.
        loop {
            if let Some(household) = self.household() {
                self.left -= household.members.len() as u64;
                self.households += 1;
                self.offer(&household);
                return Some(household);
            }
        }
    }
}
