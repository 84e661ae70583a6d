//! The shapes of households: who lives together, and who is the head.

use dancu_domain::person::{HouseholdRole, MaritalStatus, Sex, VitalStatus};

use crate::family::{Family, Kin, day_between};

/// Ages of the adult whom a household is built around, in bands of five years from 18, with the
/// weights that give the age pyramid of 2025 together with children and elders.
const AGES: &[(i32, u32)] = &[
    (18, 65),
    (23, 100),
    (28, 145),
    (33, 150),
    (38, 135),
    (43, 112),
    (48, 95),
    (53, 75),
    (58, 62),
    (63, 44),
    (68, 30),
    (73, 19),
    (78, 16),
    (83, 18),
    (88, 12),
    (93, 4),
];

/// Builds a household of a common shape; returns its head. `None` when ids ran out on the way:
/// the caller starts again.
pub(crate) fn common(f: &mut Family<'_>) -> Option<usize> {
    let total = AGES.iter().map(|a| a.1).sum();
    let age = f.dice.part(AGES, total).unwrap_or(33) + f.dice.between(0, 4);
    let lot = f.dice.below(1000);
    match age {
        ..25 => match lot {
            0..360 => single(f, age),
            360..770 => nuclear(f, age, true),
            770..950 => flatmates(f, age),
            _ => lone_parent(f, age),
        },
        25..50 => match lot {
            0..580 => nuclear(f, age, true),
            580..870 => three_generations(f, age),
            870..940 => lone_parent(f, age),
            940..985 => single(f, age),
            _ => flatmates(f, age),
        },
        50..65 => match lot {
            0..720 => nuclear(f, age, true),
            720..780 => grandparents(f, age),
            780..850 => single(f, age),
            850..930 => lone_parent(f, age),
            _ => childless(f, age),
        },
        _ => match lot {
            0..250 => childless(f, age),
            250..480 => single(f, age),
            480..600 => grandparents(f, age),
            _ => nuclear(f, age, false),
        },
    }
}

/// A couple and the children who live with them; either may have died.
pub(crate) fn nuclear(f: &mut Family<'_>, wife_age: i32, leave: bool) -> Option<usize> {
    let (husband, wife) = f.couple(f.year() - wife_age, i32::MAX / 2)?;
    let children = f.children(Some(husband), Some(wife), leave);
    parents_on_record(f, husband);
    parents_on_record(f, wife);
    losses(f, husband, wife);
    missing(f, &children);
    Some(couple_head(f, husband, wife))
}

/// A couple whose children live elsewhere.
fn childless(f: &mut Family<'_>, wife_age: i32) -> Option<usize> {
    let (husband, wife) = f.couple(f.year() - wife_age, i32::MAX / 2)?;
    losses(f, husband, wife);
    Some(couple_head(f, husband, wife))
}

/// Either of a couple may have died, not both.
fn losses(f: &mut Family<'_>, husband: usize, wife: usize) {
    if f.has_died(husband) {
        f.dies(husband);
    } else if f.has_died(wife) {
        f.dies(wife);
    }
}

/// Names the head of a couple and the role of the other.
fn couple_head(f: &mut Family<'_>, husband: usize, wife: usize) -> usize {
    let man_heads = f.dice.chance(730);
    let (head, other) = if (man_heads && f.members[husband].alive()) || !f.members[wife].alive() {
        (husband, wife)
    } else {
        (wife, husband)
    };
    f.members[head].role = HouseholdRole::Head;
    f.members[other].role = HouseholdRole::Spouse;
    head
}

/// Deceased parents of a grown person, with records of their own.
fn parents_on_record(f: &mut Family<'_>, of: usize) {
    let year = f.members[of].year();
    let share = match f.year() - year {
        ..35 => 10,
        35..50 => 34,
        50..60 => 80,
        60..70 => 95,
        _ => 30,
    };
    let family = f.members[of].family;
    let (mut father, mut mother) = (None, None);
    if f.dice.chance(share) {
        let wanted = year - f.dice.between(22, 36);
        father = f.person(Sex::Male, wanted, (year - 58, year - 18), Some(family));
    }
    if f.dice.chance(share * 6 / 10) {
        let wanted = year - f.dice.between(20, 34);
        mother = f.person(Sex::Female, wanted, (year - 45, year - 17), None);
    }
    // The other parent is the spouse: by record, or by the name that the child's record has.
    let (named_father, named_mother) = (f.members[of].father.clone(), f.members[of].mother.clone());
    if let Some(i) = father {
        f.members[of].father = Kin::Member(i);
        buried(f, i, mother.map_or(named_mother, Kin::Member));
    }
    if let Some(i) = mother {
        f.members[of].mother = Kin::Member(i);
        buried(f, i, father.map_or(named_father, Kin::Member));
    }
    if let (Some(father), Some(mother)) = (father, mother) {
        widow(f, father, mother);
    }
}

/// Who has died: still married to `spouse` then, or divorced or widowed before.
fn buried(f: &mut Family<'_>, who: usize, spouse: Kin) {
    f.named_parents(who);
    let alone = f.dice.chance(450);
    let married = match spouse {
        Kin::None => false,
        Kin::Named(_) => !alone,
        Kin::Member(_) => true,
    };
    if married {
        f.members[who].marital = MaritalStatus::Married;
        f.members[who].spouse = spouse;
    } else {
        f.members[who].marital = MaritalStatus::DivorcedOrWidowed;
    }
    // The spouse, where on record, has died too: nobody is widowed by this death yet.
    let kept = std::mem::replace(&mut f.members[who].spouse, Kin::None);
    f.dies(who);
    f.members[who].spouse = kept;
}

/// Of a couple that has died the later one was widowed.
fn widow(f: &mut Family<'_>, one: usize, other: usize) {
    let died = |who: usize| match f.members[who].vital {
        VitalStatus::Dead(day) => day,
        _ => None,
    };
    let later = if died(one) > died(other) { one } else { other };
    f.members[later].marital = MaritalStatus::DivorcedOrWidowed;
    f.members[later].spouse = Kin::None;
}

/// A couple, its children, and the parents of one of the two.
pub(crate) fn three_generations(f: &mut Family<'_>, wife_age: i32) -> Option<usize> {
    let (husband, wife) = f.couple(f.year() - wife_age, i32::MAX / 2)?;
    let children = f.children(Some(husband), Some(wife), true);
    let via_husband = f.dice.chance(840);
    let (heir, in_law) = if via_husband { (husband, wife) } else { (wife, husband) };
    let year = f.members[heir].year();
    let wanted = year - f.dice.between(20, 26) - f.dice.between(0, 7);
    let (elder, elder_wife) = f.couple(wanted.min(year - 18), year - 18)?;
    // A mother is at least 15 years older, whatever the ids left over.
    if f.members[elder_wife].year() > year - 16 {
        return None;
    }
    f.members[heir].father = Kin::Member(elder);
    f.members[heir].mother = Kin::Member(elder_wife);
    rename_heir(f, heir, elder, elder_wife, &children, via_husband);
    losses(f, elder, elder_wife);
    if f.dice.chance(150) && f.members[elder].alive() != f.members[elder_wife].alive() {
        f.dies(if f.members[elder].alive() { elder } else { elder_wife });
    }
    let elder_alive = f.members[elder].alive() || f.members[elder_wife].alive();
    if elder_alive && f.dice.chance(480) {
        let head = couple_head(f, elder, elder_wife);
        f.members[heir].role = HouseholdRole::Child;
        f.members[in_law].role = HouseholdRole::Other;
        for child in children {
            f.members[child].role = HouseholdRole::Grandchild;
        }
        return Some(head);
    }
    f.members[heir].role = HouseholdRole::Head;
    f.members[in_law].role = HouseholdRole::Spouse;
    f.members[elder].role = HouseholdRole::Parent;
    f.members[elder_wife].role = HouseholdRole::Parent;
    Some(heir)
}

/// The elders take over the family name of their heir, not the other way round: the
/// grandchildren have it already.
fn rename_heir(
    f: &mut Family<'_>,
    heir: usize,
    elder: usize,
    elder_wife: usize,
    children: &[usize],
    via_husband: bool,
) {
    let matrilineal = crate::names::matrilineal(f.home.ethnicity);
    let giver = if matrilineal { elder_wife } else { elder };
    let family = f.members[heir].family;
    let year = f.members[giver].year();
    let sex = f.members[giver].sex;
    f.members[giver].family = family;
    f.members[giver].full_name =
        crate::names::full_name(f.dice, f.home.ethnicity, sex, year, family);
    f.members[giver].father = Kin::None;
    f.members[giver].mother = Kin::None;
    f.named_parents(giver);
    debug_assert!(children.iter().all(|c| f.members[*c].year() > f.members[heir].year()));
    debug_assert!(via_husband == (f.members[heir].sex == Sex::Male));
}

/// One person.
pub(crate) fn single(f: &mut Family<'_>, age: i32) -> Option<usize> {
    let men = match age {
        ..30 => 640,
        30..55 => 620,
        _ => 240,
    };
    let sex = if f.dice.chance(men) { Sex::Male } else { Sex::Female };
    let wanted = f.year() - age;
    let one = f.person(sex, wanted, (wanted - 8, (wanted + 8).min(f.year() - 18)), None)?;
    f.named_parents(one);
    parents_on_record(f, one);
    f.members[one].role = HouseholdRole::Head;
    let ever_married = match age {
        ..28 => 15,
        28..40 => 180,
        40..60 => 520,
        _ => 860,
    };
    if f.dice.chance(ever_married) {
        f.members[one].marital = MaritalStatus::DivorcedOrWidowed;
        if age >= 60 && f.dice.chance(420) {
            late_spouse(f, one);
        }
    }
    Some(one)
}

/// The deceased spouse of somebody who lives alone, with a record.
pub(crate) fn late_spouse(f: &mut Family<'_>, of: usize) {
    let year = f.members[of].year();
    let (sex, wanted) = if f.members[of].sex == Sex::Male {
        (Sex::Female, year + f.dice.between(-1, 6))
    } else {
        (Sex::Male, year - f.dice.between(-1, 7))
    };
    if let Some(late) = f.person(sex, wanted, (year - 14, year + 14), None) {
        f.named_parents(late);
        f.members[late].marital = MaritalStatus::Married;
        f.members[late].spouse = Kin::Member(of);
        f.dies(late);
        f.members[of].marital = MaritalStatus::DivorcedOrWidowed;
        f.members[of].spouse = Kin::None;
    }
}

/// One parent with children: divorced, widowed, or never married.
fn lone_parent(f: &mut Family<'_>, age: i32) -> Option<usize> {
    let woman = f.dice.chance(800);
    let sex = if woman { Sex::Female } else { Sex::Male };
    let wanted = f.year() - age;
    let parent = f.person(sex, wanted, (wanted - 8, (wanted + 8).min(f.year() - 19)), None)?;
    f.named_parents(parent);
    f.members[parent].role = HouseholdRole::Head;
    let children = if woman {
        f.children(None, Some(parent), true)
    } else {
        f.children(Some(parent), None, true)
    };
    let unmarried = woman && f.dice.chance(220);
    if unmarried || children.is_empty() {
        return Some(parent);
    }
    f.members[parent].marital = MaritalStatus::DivorcedOrWidowed;
    let other_sex = if woman { Sex::Male } else { Sex::Female };
    let (ethnicity, southern) = (f.home.ethnicity, f.home.southern);
    let family = crate::names::family(f.dice, ethnicity, southern);
    let year = f.members[parent].year();
    let name = crate::names::full_name(f.dice, ethnicity, other_sex, year, family);
    for child in children {
        let fathers_name = woman && !crate::names::matrilineal(ethnicity);
        if fathers_name {
            f.rename(child, family);
        }
        let draft = &mut f.members[child];
        let other = if woman { &mut draft.father } else { &mut draft.mother };
        *other = Kin::Named(name.clone());
    }
    Some(parent)
}

/// Grandparents who bring up grandchildren; in one of five such households the parents have died
/// and a grandparent is guardian (người giám hộ).
pub(crate) fn grandparents(f: &mut Family<'_>, wife_age: i32) -> Option<usize> {
    let (husband, wife) = f.couple(f.year() - wife_age, i32::MAX / 2)?;
    losses(f, husband, wife);
    let head = couple_head(f, husband, wife);
    let orphans = f.dice.chance(200);
    let family = f.members[husband].family;
    grandchildren(f, head, family, orphans);
    Some(head)
}

/// Adds one or two grandchildren of a son's family; `orphans` have a guardian.
pub(crate) fn grandchildren(
    f: &mut Family<'_>,
    head: usize,
    family: &'static str,
    orphans: bool,
) -> Option<()> {
    let now = f.year();
    let child_age = f.dice.between(3, 15);
    let mother = if orphans {
        let year = now - child_age - f.dice.between(20, 32);
        let mother = f.person(Sex::Female, year, (year - 4, year), None)?;
        f.named_parents(mother);
        f.members[mother].marital = MaritalStatus::Married;
        Some(mother)
    } else {
        None
    };
    let father_year = now - child_age - 29;
    let late_father =
        crate::names::full_name(f.dice, f.home.ethnicity, Sex::Male, father_year, family);
    for i in 0..=i32::from(f.dice.chance(400)) {
        let wanted = now - child_age + i * 2;
        let boy = f.boy(wanted);
        let child = f.child(None, mother, boy, wanted, (now - 17, now))?;
        f.rename(child, family);
        f.members[child].role = HouseholdRole::Grandchild;
        if orphans {
            f.members[child].guardian = Kin::Member(head);
            f.members[child].father = Kin::Named(late_father.clone());
        } else {
            f.named_parents(child);
        }
    }
    if let Some(mother) = mother {
        f.members[mother].spouse = Kin::Named(late_father);
        f.dies(mother);
    }
    Some(())
}

/// Brothers and sisters, or young workers, under one roof.
fn flatmates(f: &mut Family<'_>, age: i32) -> Option<usize> {
    let siblings = f.dice.chance(600);
    let mut year = f.year() - age;
    let mut head: Option<usize> = None;
    for _ in 0..2 + f.dice.below(2) {
        let sex = if f.dice.chance(510) { Sex::Male } else { Sex::Female };
        let family = head.filter(|_| siblings).map(|h| f.members[h].family);
        let next = f.person(sex, year, (year - 3, (year + 3).min(f.year() - 18)), family)?;
        year = (year + f.dice.between(1, 3)).min(f.year() - 18);
        match head {
            None => {
                f.named_parents(next);
                f.members[next].role = HouseholdRole::Head;
                head = Some(next);
            }
            Some(first) if siblings => {
                f.members[next].father = f.members[first].father.clone();
                f.members[next].mother = f.members[first].mother.clone();
                f.rename_namesake(next);
                f.members[next].role = HouseholdRole::Sibling;
            }
            Some(_) => f.named_parents(next),
        }
    }
    head
}

/// A grown child in a thousand has been declared missing (tuyên bố mất tích).
pub(crate) fn missing(f: &mut Family<'_>, children: &[usize]) {
    for &child in children {
        if f.year() - f.members[child].year() >= 22 && f.dice.chance(2) {
            declare_missing(f, child);
        }
    }
}

/// Marks a person as missing since some day of the last years.
pub(crate) fn declare_missing(f: &mut Family<'_>, who: usize) {
    let from = f.members[who].birth.max(jiff::civil::date(2017, 1, 1));
    let day = day_between(f.dice, from, f.today);
    f.members[who].vital = VitalStatus::Missing(Some(day));
}
