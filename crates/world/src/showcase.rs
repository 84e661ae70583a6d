//! The first households of block 0: one of each kind of record that a demonstration asks for.

use dancu_domain::person::{HouseholdRole, MaritalStatus, Sex};

use crate::family::{Family, Wish};
use crate::names::{self, KINH};
use crate::shapes;

/// A household of the showcase.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Special {
    /// A couple with two children or more.
    Couple,
    /// A widow born in a year without a day, and her late husband with a record.
    Widow,
    /// A grown person who never had an old identity card.
    NoOldId,
    /// Two living people of different households who share one old number.
    FirstHolder,
    /// The second of the two.
    SecondHolder,
    /// The id says the other sex.
    CorrectedSex,
    /// A family with H' and Y names.
    Ede,
    /// A very long name.
    LongName,
    /// A household of three generations.
    ThreeGenerations,
    /// A child without parents, and the guardian.
    Guardian,
    /// A grown child who was declared missing.
    Missing,
}

const ORDER: [Special; 11] = [
    Special::Couple,
    Special::Widow,
    Special::NoOldId,
    Special::FirstHolder,
    Special::SecondHolder,
    Special::CorrectedSex,
    Special::Ede,
    Special::LongName,
    Special::ThreeGenerations,
    Special::Guardian,
    Special::Missing,
];

/// The kind of the household with this number in block 0, if it is one of the showcase.
pub(crate) fn special(household: u64) -> Option<Special> {
    ORDER.get(usize::try_from(household).ok()?).copied()
}

impl Special {
    pub(crate) fn ethnicity(self) -> u8 {
        if self == Self::Ede { 12 } else { KINH }
    }

    /// Province of 2024.
    pub(crate) fn province(self) -> u8 {
        match self {
            Self::Ede => 66,
            Self::LongName => 46,
            Self::SecondHolder | Self::Guardian => 79,
            Self::FirstHolder | Self::ThreeGenerations => 36,
            Self::Missing => 48,
            _ => 1,
        }
    }

    /// Builds the household; returns its head.
    pub(crate) fn build(self, f: &mut Family<'_>) -> Option<usize> {
        match self {
            Self::Couple => couple_with_children(f, 38),
            Self::Widow => {
                f.wish = Wish { year_only: Some(true), old_id: Some(true), ..Wish::default() };
                let widow = person(f, Sex::Female, 82)?;
                f.wish = Wish { year_only: Some(false), ..Wish::default() };
                shapes::late_spouse(f, widow);
                Some(widow)
            }
            Self::NoOldId => {
                f.wish = Wish { old_id: Some(false), ..Wish::default() };
                person(f, Sex::Male, 27)
            }
            Self::FirstHolder => {
                f.wish = Wish { old_id: Some(true), year_only: Some(false), ..Wish::default() };
                *f.twice = None;
                person(f, Sex::Male, 52)
            }
            Self::SecondHolder => second_holder(f),
            Self::CorrectedSex => {
                f.wish = Wish { corrected_sex: true, ..Wish::default() };
                person(f, Sex::Female, 33)
            }
            Self::Ede => couple_with_children(f, 40),
            Self::LongName => {
                let one = person(f, Sex::Female, 45)?;
                f.members[one].full_name = names::parsed(names::VERY_LONG);
                Some(one)
            }
            Self::ThreeGenerations => shapes::three_generations(f, 34),
            Self::Guardian => {
                let head = person(f, Sex::Female, 63)?;
                f.members[head].marital = MaritalStatus::DivorcedOrWidowed;
                let family = names::family(f.dice, f.home.ethnicity, f.home.southern);
                shapes::grandchildren(f, head, family, true)?;
                Some(head)
            }
            Self::Missing => missing(f),
        }
    }
}

fn person(f: &mut Family<'_>, sex: Sex, age: i32) -> Option<usize> {
    let wanted = f.year() - age;
    let one = f.person(sex, wanted, (wanted - 3, wanted + 3), None)?;
    f.named_parents(one);
    f.members[one].role = HouseholdRole::Head;
    Some(one)
}

fn couple_with_children(f: &mut Family<'_>, wife_age: i32) -> Option<usize> {
    let now = f.year();
    let (husband, wife) = f.couple(now - wife_age, now - wife_age + 1)?;
    for (age, boy) in [(13, false), (9, true)] {
        f.child(Some(husband), Some(wife), boy, now - age, (now - age, now - age))?;
    }
    f.members[husband].role = HouseholdRole::Head;
    f.members[wife].role = HouseholdRole::Spouse;
    Some(husband)
}

fn second_holder(f: &mut Family<'_>) -> Option<usize> {
    let first = f.twice.take()?;
    f.wish = Wish { old_id: Some(false), year_only: Some(false), ..Wish::default() };
    let one = loop {
        let one = person(f, Sex::Male, 47)?;
        if f.members[one].full_name != first.name && f.members[one].birth != first.birth {
            break one;
        }
        f.members.pop();
    };
    f.members[one].old_ids = vec![first.old];
    Some(one)
}

fn missing(f: &mut Family<'_>) -> Option<usize> {
    let now = f.year();
    let (husband, wife) = f.couple(now - 58, now - 58)?;
    let child = f.child(Some(husband), Some(wife), true, now - 31, (now - 32, now - 30))?;
    f.members[child].marital = MaritalStatus::Single;
    shapes::declare_missing(f, child);
    f.members[husband].role = HouseholdRole::Head;
    f.members[wife].role = HouseholdRole::Spouse;
    Some(husband)
}
