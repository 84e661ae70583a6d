//! Names true to people, region, sex and period of birth.

// The tables read better in full lines than with one name per line.
#[rustfmt::skip]
mod kinh;
#[rustfmt::skip]
mod peoples;

use dancu_domain::name::FullName;
use dancu_domain::person::Sex;

use crate::dice::Dice;
use peoples::Pattern;
pub(crate) use peoples::matrilineal;

/// The name of the `i`-th synthetic officer: the same seed and number give the same name.
pub fn officer_name(seed: u64, i: u64) -> FullName {
    let mut dice = Dice::new(seed, i, OFFICERS);
    let sex = if dice.chance(550) { Sex::Male } else { Sex::Female };
    let birth_year = dice.between(1970, 2000);
    let family = family(&mut dice, KINH, i.is_multiple_of(2));
    full_name(&mut dice, KINH, sex, birth_year, family)
}

/// Purpose of the stream, so that officers do not share draws with the population.
const OFFICERS: u64 = 2;

/// Code of the Kinh people.
pub(crate) const KINH: u8 = 1;

/// A name that fills the registry's form to the brim; the showcase needs one.
pub(crate) const VERY_LONG: &str = "Công Tằng Tôn Nữ Hoàng Diệp Ngọc Phương Thảo Nguyên Khánh \
                                    Huyền Trân";

/// Draws a surname or clan of a people; empty where the people has none.
pub(crate) fn family(dice: &mut Dice, ethnicity: u8, southern: bool) -> &'static str {
    if ethnicity != KINH {
        let families = peoples::naming(ethnicity).families;
        return if families.is_empty() { "" } else { dice.front(families) };
    }
    let surname =
        dice.part(kinh::SURNAMES, 10_000).unwrap_or_else(|| dice.front(kinh::RARE_SURNAMES));
    if southern { kinh::southern(surname) } else { surname }
}

/// Draws a full name within a family.
pub(crate) fn full_name(
    dice: &mut Dice,
    ethnicity: u8,
    sex: Sex,
    birth_year: i32,
    family: &str,
) -> FullName {
    let mut text = String::with_capacity(40);
    compose(dice, ethnicity, sex, birth_year, family, &mut text);
    parsed(&text)
}

/// Parses a text that was put together from the tables.
#[expect(clippy::expect_used, reason = "every part stands in tables whose names a test parses")]
pub(crate) fn parsed(text: &str) -> FullName {
    FullName::parse(text).expect("a name from the tables")
}

fn compose(d: &mut Dice, ethnicity: u8, sex: Sex, year: i32, family: &str, out: &mut String) {
    let woman = sex == Sex::Female;
    let tables = (ethnicity != KINH).then(|| peoples::naming(ethnicity));
    match tables {
        Some(t) if t.pattern != Pattern::Vietnamese => {
            let given = d.front(if woman { t.women } else { t.men });
            let particle = t.particles[usize::from(woman)];
            if t.pattern == Pattern::SurnameFirst {
                word(out, family);
            }
            word(out, particle);
            // H'Bia is one word in most records and two in some.
            if particle.ends_with('\'') && !d.chance(150) {
                out.push_str(given);
            } else {
                word(out, given);
            }
            if t.pattern == Pattern::ClanLast {
                word(out, family);
            }
        }
        _ => {
            word(out, family);
            vietnamese(d, woman, kinh::period(year), family, out);
        }
    }
}

/// Appends middle and given name.
fn vietnamese(d: &mut Dice, woman: bool, period: usize, family: &str, out: &mut String) {
    let (popular, rare) = if woman {
        (kinh::WOMEN[period], kinh::WOMEN_RARE)
    } else {
        (kinh::MEN[period], kinh::MEN_RARE)
    };
    let given = if d.chance(110) { d.pick(rare) } else { d.front(popular) };
    let young = usize::from(period >= 3);
    let middles = if woman { kinh::WOMEN_MIDDLE[young] } else { kinh::MEN_MIDDLE[young] };
    let mut middle = d.front(middles);
    if middle == given {
        middle = d.pick(middles);
    }
    let (common, share) =
        if woman { ("Thị", kinh::THI[period]) } else { ("Văn", kinh::VAN[period]) };
    if d.chance(share) {
        word(out, common);
        // "Thị Thu Hà": the second middle name is a women's fashion of 1970 to 2000.
        if woman && period >= 1 && middle != given && d.chance(330) {
            word(out, middle);
        }
    } else if middle != given {
        if d.chance([10, 20, 40, 150, 340][period]) {
            let first = d.front(kinh::FIRST_MIDDLE);
            if first != middle && first != given && first != family {
                word(out, first);
            }
        }
        word(out, middle);
    }
    word(out, given);
}

fn word(out: &mut String, word: &str) {
    if word.is_empty() {
        return;
    }
    if !out.is_empty() {
        out.push(' ');
    }
    out.push_str(word);
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn at_least_150_given_names_per_sex() {
        for (periods, rare) in [(kinh::MEN, kinh::MEN_RARE), (kinh::WOMEN, kinh::WOMEN_RARE)] {
            let all: HashSet<&str> =
                periods.iter().copied().flatten().chain(rare).copied().collect();
            assert!(all.len() >= 150, "{}", all.len());
        }
        assert!(kinh::SURNAMES.iter().map(|s| s.1).sum::<u32>() < 10_000);
    }

    #[test]
    fn every_table_parses() {
        let mut dice = Dice::new(1, 0, 9);
        for ethnicity in (1..=54).chain([99]) {
            for i in 0..400 {
                let sex = if i % 2 == 0 { Sex::Male } else { Sex::Female };
                let family = family(&mut dice, ethnicity, i % 3 == 0);
                let _ = full_name(&mut dice, ethnicity, sex, 1940 + i % 85, family);
            }
        }
        for surname in kinh::RARE_SURNAMES {
            let _ = parsed(&format!("{surname} Văn An"));
        }
        let _ = parsed(VERY_LONG);
        assert_eq!(officer_name(1, 2), officer_name(1, 2));
        assert_ne!(officer_name(1, 2), officer_name(1, 3));
    }
}
