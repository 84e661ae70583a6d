//! Tables about the loaded population, to compare with the published ones.

use std::collections::BTreeMap;

use dancu_domain::person::HouseholdRole;
use dancu_store::Store;
use dancu_world::Stats;
use jiff::civil::Date;
use serde::Serialize;

/// Counts every person and household; ages are counted to the year of `today`.
pub fn run(store: &Store, today: Date) -> anyhow::Result<Stats> {
    let mut stats = Stats::new(today);
    let registry = store.registry();
    registry.scan(|person| {
        stats.add(&person);
        // A household has one head, so it is counted once.
        if let Some(reference) = &person.household
            && reference.role == HouseholdRole::Head
            && let Some(household) = registry.household(reference.key)?
        {
            stats.add_household(&household);
        }
        Ok(())
    })?;
    Ok(stats)
}

/// The counts for machines: one JSON object, without line end.
pub fn json(stats: &Stats) -> String {
    serde_json::to_string(&Summary::of(stats)).unwrap_or_default()
}

/// What `--json` prints; all of it counts.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    persons: u64,
    living_men: u64,
    living_women: u64,
    deceased: u64,
    missing: u64,
    median_age: u64,
    year_only_births: u64,
    without_old_id: u64,
    shared_old_ids: u64,
    corrected_sex: u64,
    temporary_residence: u64,
    households: u64,
    /// Living men and women by age, from 0-4 to 100 and more.
    age_bands: &'a [[u64; 2]],
    /// Households by members.
    household_sizes: &'a BTreeMap<usize, u64>,
    /// Permanent residence by province of 2026.
    provinces: &'a BTreeMap<u8, u64>,
    ethnicities: &'a BTreeMap<u8, u64>,
    religions: &'a BTreeMap<u8, u64>,
}

impl<'a> Summary<'a> {
    fn of(stats: &'a Stats) -> Self {
        Self {
            persons: stats.persons,
            living_men: stats.living[0],
            living_women: stats.living[1],
            deceased: stats.deceased,
            missing: stats.missing,
            median_age: stats.median_age(),
            year_only_births: stats.year_only,
            without_old_id: stats.without_old_id,
            shared_old_ids: stats.shared_old_ids,
            corrected_sex: stats.corrected_sex,
            temporary_residence: stats.temporary,
            households: stats.households,
            age_bands: &stats.pyramid,
            household_sizes: &stats.sizes,
            provinces: &stats.provinces,
            ethnicities: &stats.ethnicities,
            religions: &stats.religions,
        }
    }
}
