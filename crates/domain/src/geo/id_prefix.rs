//! What a personal identification number says about its holder, and when to wonder at it.

use std::sync::OnceLock;

use super::tables::rows;
use crate::ids::PersonalId;
use crate::person::Sex;

/// Prefixes of TT 59/2021/TT-BCA, annex.
static PREFIXES: &str = include_str!("../../data/personal-id-province-prefixes.csv");

/// Synthetic people's prefix: unassigned, so that no generated number can be a real one.
const SYNTHETIC: u16 = 99;

/// A province where a birth was registered, by the first three digits of the number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct BirthPrefix {
    /// Name as of 2024, without its kind: "Cà Mau".
    pub name: &'static str,
    /// Code of the province it belongs to from 2025-07-01.
    pub province_2025: u8,
}

/// Something odd about a number. Warnings never refuse: births are registered abroad, and a sex
/// is corrected without a new number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum IdWarning {
    /// The first three digits are no province's: registered abroad, or mistyped.
    UnknownPrefix,
    /// The fourth digit says another sex than the record.
    SexDiffers,
}

/// The province of a prefix, 1-96.
pub fn birth_prefix(prefix: u16) -> Option<BirthPrefix> {
    static TABLE: OnceLock<Vec<(u16, BirthPrefix)>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let mut table: Vec<_> = rows(PREFIXES)
            .filter_map(|[prefix, name, code, _new_name]| {
                let province_2025 = code.parse().ok()?;
                Some((prefix.parse().ok()?, BirthPrefix { name, province_2025 }))
            })
            .collect();
        table.sort_unstable_by_key(|(prefix, _)| *prefix);
        table
    });
    let at = table.binary_search_by_key(&prefix, |(prefix, _)| *prefix).ok()?;
    table.get(at).map(|(_, province)| *province)
}

/// What is odd about a number. The sex is compared only where the record says male or female.
pub fn id_warnings(id: PersonalId, sex_on_record: Option<Sex>) -> Vec<IdWarning> {
    let mut warnings = Vec::new();
    if id.prefix() != SYNTHETIC && birth_prefix(id.prefix()).is_none() {
        warnings.push(IdWarning::UnknownPrefix);
    }
    let told = sex_on_record.filter(|sex| matches!(sex, Sex::Male | Sex::Female));
    if told.is_some_and(|sex| sex != id.sex()) {
        warnings.push(IdWarning::SexDiffers);
    }
    warnings
}
