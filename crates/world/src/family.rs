//! People of one household while it is being put together.

use dancu_domain::ids::{OldId, PersonalId};
use dancu_domain::name::FullName;
use dancu_domain::person::{HouseholdRole, MaritalStatus, Sex, VitalStatus};
use jiff::Span;
use jiff::civil::{Date, date};

use crate::dice::Dice;
use crate::names;
use crate::numbers::Numbers;
use crate::places::Place;

/// A relative of a draft.
#[derive(Clone)]
pub(crate) enum Kin {
    /// None or unknown.
    None,
    /// Somebody with a record in the same household, by index.
    Member(usize),
    /// Known by name only.
    Named(FullName),
}

/// One person before addresses and stamps.
pub(crate) struct Draft {
    pub(crate) sex: Sex,
    pub(crate) birth: Date,
    pub(crate) year_only: bool,
    pub(crate) family: &'static str,
    pub(crate) full_name: FullName,
    pub(crate) id: PersonalId,
    pub(crate) old_ids: Vec<OldId>,
    pub(crate) role: HouseholdRole,
    pub(crate) marital: MaritalStatus,
    pub(crate) vital: VitalStatus,
    pub(crate) father: Kin,
    pub(crate) mother: Kin,
    pub(crate) spouse: Kin,
    pub(crate) guardian: Kin,
}

impl Draft {
    pub(crate) fn year(&self) -> i32 {
        i32::from(self.birth.year())
    }

    pub(crate) fn alive(&self) -> bool {
        self.vital == VitalStatus::Alive
    }
}

/// What a household has in common.
#[derive(Clone, Copy)]
pub(crate) struct Home {
    pub(crate) ethnicity: u8,
    pub(crate) religion: u8,
    pub(crate) place: Place,
    pub(crate) southern: bool,
}

/// Deviations asked for by the showcase.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wish {
    /// The id carries the other sex: corrected after birth registration.
    pub(crate) corrected_sex: bool,
    /// Whether only the year of birth is known; by lot where not said.
    pub(crate) year_only: Option<bool>,
    /// Whether there is an old identity card; by lot where not said.
    pub(crate) old_id: Option<bool>,
}

/// Somebody whose old number may be issued a second time.
pub(crate) struct Twice {
    pub(crate) old: OldId,
    pub(crate) birth: Date,
    pub(crate) name: FullName,
}

/// A household being put together, with the means to draw people for it.
pub(crate) struct Family<'a> {
    pub(crate) dice: &'a mut Dice,
    pub(crate) numbers: &'a mut Numbers,
    pub(crate) twice: &'a mut Option<Twice>,
    pub(crate) today: Date,
    pub(crate) home: Home,
    pub(crate) wish: Wish,
    pub(crate) members: Vec<Draft>,
}

/// First day on which deaths are on record here: ids were given to everybody from 2016.
const REGISTRY_START: Date = date(2016, 1, 1);

impl Family<'_> {
    /// The current year.
    pub(crate) fn year(&self) -> i32 {
        i32::from(self.today.year())
    }

    /// Adds a person born in `wanted` or in the nearest year of `years` with ids left.
    pub(crate) fn person(
        &mut self,
        sex: Sex,
        wanted: i32,
        years: (i32, i32),
        family: Option<&'static str>,
    ) -> Option<usize> {
        let corrected = self.wish.corrected_sex || self.dice.one_in(10_000);
        let id_sex = match sex {
            Sex::Male if corrected => Sex::Female,
            Sex::Female if corrected => Sex::Male,
            as_recorded => as_recorded,
        };
        let (id, year) =
            self.numbers.personal(id_sex, wanted, (years.0, years.1.min(self.year())))?;
        let Home { ethnicity, southern, .. } = self.home;
        let family = family.unwrap_or_else(|| names::family(self.dice, ethnicity, southern));
        let full_name = names::full_name(self.dice, ethnicity, sex, year, family);
        let birth = self.day_in(year);
        let year_only = match year {
            ..1955 => self.dice.chance(80),
            1955..1970 => self.dice.chance(20),
            1970..1985 => self.dice.chance(3),
            _ => false,
        };
        let old_ids = self.old_ids(birth, &full_name);
        self.members.push(Draft {
            sex,
            birth,
            year_only: self.wish.year_only.unwrap_or(year_only),
            family,
            full_name,
            id,
            old_ids,
            role: HouseholdRole::Other,
            marital: MaritalStatus::Single,
            vital: VitalStatus::Alive,
            father: Kin::None,
            mother: Kin::None,
            spouse: Kin::None,
            guardian: Kin::None,
        });
        Some(self.members.len() - 1)
    }

    /// The old cards ended in 2021 and were given from the age of 14.
    fn old_ids(&mut self, birth: Date, name: &FullName) -> Vec<OldId> {
        let share = match birth.year() {
            ..1990 => 930,
            1990..2001 => 860,
            2001..2005 => 450,
            2005..2007 => 150,
            _ => 0,
        };
        let by_lot = self.dice.chance(share);
        if !self.wish.old_id.unwrap_or(by_lot) {
            return Vec::new();
        }
        let mut ids = Vec::with_capacity(1);
        if self.dice.one_in(20_000)
            && let Some(first) = self.twice.take_if(|t| t.birth != birth && t.name != *name)
        {
            ids.push(first.old);
        } else {
            ids.extend(self.numbers.old());
            if self.dice.one_in(120) {
                ids.extend(self.numbers.old());
            }
        }
        ids
    }

    /// A day of a year, each as likely, not after today.
    fn day_in(&mut self, year: i32) -> Date {
        let first = Date::new(year as i16, 1, 1).unwrap_or(self.today);
        let last = Date::new(year as i16, 12, 31).unwrap_or(self.today).min(self.today);
        day_between(self.dice, first, last)
    }

    /// Husband and wife: the wife's year is wanted, the husband is born in `husband_until` or
    /// before.
    pub(crate) fn couple(&mut self, wanted: i32, husband_until: i32) -> Option<(usize, usize)> {
        let youngest = self.year() - 18;
        let wife = self.person(
            Sex::Female,
            wanted,
            (wanted - 6, (wanted + 6).min(youngest).min(husband_until + 5)),
            None,
        )?;
        let wife_year = self.members[wife].year();
        let gap = self.dice.between(-1, 4) + self.dice.between(-1, 4);
        let until = (wife_year + 6).min(youngest - 2).min(husband_until);
        let husband =
            self.person(Sex::Male, (wife_year - gap).min(until), (wife_year - 14, until), None)?;
        for (one, other) in [(husband, wife), (wife, husband)] {
            self.members[one].spouse = Kin::Member(other);
            self.members[one].marital = MaritalStatus::Married;
            self.named_parents(one);
        }
        Some((husband, wife))
    }

    /// Gives parents by name to somebody whose parents have no record here.
    pub(crate) fn named_parents(&mut self, of: usize) {
        let (year, family) = (self.members[of].year(), self.members[of].family);
        // Civil status books of the old often lack the parents.
        if year < 1945 && self.dice.chance(300) {
            return;
        }
        let Home { ethnicity, southern, .. } = self.home;
        let other = names::family(self.dice, ethnicity, southern);
        let (of_father, of_mother) =
            if names::matrilineal(ethnicity) { (other, family) } else { (family, other) };
        if !self.dice.chance(25) {
            let name = names::full_name(self.dice, ethnicity, Sex::Male, year - 28, of_father);
            self.members[of].father = Kin::Named(name);
        }
        let name = names::full_name(self.dice, ethnicity, Sex::Female, year - 25, of_mother);
        self.members[of].mother = Kin::Named(name);
    }

    /// Adds the children of two people, of whom one may be missing, that still live with them;
    /// `leave` is whether grown children leave.
    pub(crate) fn children(
        &mut self,
        father: Option<usize>,
        mother: Option<usize>,
        leave: bool,
    ) -> Vec<usize> {
        let mut children = Vec::new();
        let now = self.year();
        let father_year = father.map(|i| self.members[i].year());
        let mother_year = mother.map(|i| self.members[i].year());
        let Some(base) = mother_year.or(father_year.map(|year| year + 3)) else {
            return children;
        };
        let low = mother_year.map_or(0, |y| y + 17).max(father_year.map_or(0, |y| y + 18));
        let high =
            mother_year.map_or(now, |y| y + 45).min(father_year.map_or(now, |y| y + 58)).min(now);
        let mut wanted = base + 18 + self.dice.between(0, 7) + self.dice.between(0, 8);
        let mut after = low;
        for _ in 0..self.wanted_children(base) {
            wanted = wanted.max(after);
            if wanted > high {
                break;
            }
            let stays = match now - wanted {
                ..18 => 970,
                _ if !leave => 1000,
                18..23 => 720,
                23..28 => 540,
                28..35 => 250,
                _ => 70,
            };
            let boy = self.boy(wanted);
            // Sons stay longer than daughters.
            let stays = if boy || stays > 900 { stays * 5 / 4 } else { stays * 17 / 20 };
            if self.dice.chance(stays)
                && let Some(child) = self.child(father, mother, boy, wanted, (after, high))
            {
                wanted = self.members[child].year();
                children.push(child);
            }
            after = wanted + 2;
            wanted += 2 + self.dice.between(0, 3) + self.dice.between(0, 2);
        }
        children
    }

    /// How many children a woman born in `year` has in her life, if she has any.
    fn wanted_children(&mut self, year: i32) -> u32 {
        let many = u32::from(self.home.ethnicity == 8 && self.dice.chance(500));
        many + match year {
            ..1955 => 3 + self.dice.below(4),
            1955..1968 => 2 + self.dice.below(3),
            1968..1980 => 1 + u32::from(self.dice.chance(900)) + u32::from(self.dice.chance(250)),
            _ => 1 + u32::from(self.dice.chance(860)) + u32::from(self.dice.chance(300)),
        }
    }

    /// 111 boys to 100 girls since the early 2000s, 105 or 106 before.
    pub(crate) fn boy(&mut self, year: i32) -> bool {
        self.dice.chance(if year >= 2004 { 526 } else { 514 })
    }

    /// Adds one child.
    pub(crate) fn child(
        &mut self,
        father: Option<usize>,
        mother: Option<usize>,
        boy: bool,
        wanted: i32,
        years: (i32, i32),
    ) -> Option<usize> {
        let sex = if boy { Sex::Male } else { Sex::Female };
        let mothers =
            names::matrilineal(self.home.ethnicity) || father.is_none() || self.dice.chance(35);
        let source = if mothers { mother.or(father) } else { father };
        let family = source.map(|i| self.members[i].family);
        let child = self.person(sex, wanted, years, family)?;
        self.rename_namesake(child);
        let draft = &mut self.members[child];
        draft.father = father.map_or(Kin::None, Kin::Member);
        draft.mother = mother.map_or(Kin::None, Kin::Member);
        draft.role = HouseholdRole::Child;
        let age = i32::from(self.today.year()) - draft.year();
        if age >= 30 && self.dice.chance(180) {
            draft.marital = MaritalStatus::DivorcedOrWidowed;
        }
        Some(child)
    }

    /// Gives somebody a name of another family, which no other member has.
    pub(crate) fn rename(&mut self, who: usize, family: &'static str) {
        let draft = &self.members[who];
        let (sex, year, ethnicity) = (draft.sex, draft.year(), self.home.ethnicity);
        let name = names::full_name(self.dice, ethnicity, sex, year, family);
        self.members[who].family = family;
        self.members[who].full_name = name;
        self.rename_namesake(who);
    }

    /// Children are not given the name of a parent, brother or sister. The most frequent names are
    /// drawn once in ten times, so that a few rounds are enough.
    pub(crate) fn rename_namesake(&mut self, child: usize) {
        for _ in 0..30 {
            let given = given_name(&self.members[child]);
            let taken = |(i, m): (usize, &Draft)| i != child && given_name(m) == given;
            if !self.members.iter().enumerate().any(taken) {
                return;
            }
            let Draft { sex, family, .. } = self.members[child];
            let year = self.members[child].year();
            self.members[child].full_name =
                names::full_name(self.dice, self.home.ethnicity, sex, year, family);
        }
    }

    /// Makes a member a deceased one, who died since 2016 and after the last child was born; the
    /// spouse is widowed.
    pub(crate) fn dies(&mut self, who: usize) {
        let is_who = |kin: &Kin| matches!(kin, Kin::Member(i) if *i == who);
        let last_child = self
            .members
            .iter()
            .filter(|m| is_who(&m.father) || is_who(&m.mother))
            .map(|m| m.birth)
            .max()
            .unwrap_or(REGISTRY_START);
        let from = last_child.max(REGISTRY_START).max(self.members[who].birth);
        let day = day_between(self.dice, from, self.today);
        self.members[who].vital = VitalStatus::Dead(Some(day));
        if let Kin::Member(spouse) = self.members[who].spouse
            && self.members[spouse].alive()
        {
            self.members[spouse].marital = MaritalStatus::DivorcedOrWidowed;
            self.members[spouse].spouse = Kin::None;
        }
    }

    /// Whether an elder has died by now: per mille by age, men earlier.
    pub(crate) fn has_died(&mut self, who: usize) -> bool {
        let draft = &self.members[who];
        let man = draft.sex == Sex::Male;
        let share = match i32::from(self.today.year()) - draft.year() {
            ..45 => 4,
            45..55 => 12,
            55..65 => 55,
            65..75 => 150,
            75..85 => 360,
            _ => 640,
        };
        self.dice.chance(if man { share * 13 / 10 } else { share * 11 / 20 })
    }
}

/// The last word of a name, before the family name where a people writes that last.
fn given_name(draft: &Draft) -> &str {
    let name = draft.full_name.as_str();
    let rest = name.strip_suffix(draft.family).filter(|_| !name.starts_with(draft.family));
    rest.unwrap_or(name).trim_end().rsplit(' ').next().unwrap_or_default()
}

/// A day of `from..=to`; `to` when the range is empty.
pub(crate) fn day_between(dice: &mut Dice, from: Date, to: Date) -> Date {
    let days = from.duration_until(to).as_hours() / 24;
    if days <= 0 {
        return to;
    }
    from.saturating_add(Span::new().days(i64::from(dice.below(days as u32 + 1))))
}
