//! Generates a population and prints its tables and the rate: `figures [persons] [seed]`.

use std::io::Write as _;

use dancu_world::{PopulationSpec, Stats, block, block_count};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1).filter_map(|a| a.parse::<u64>().ok());
    let persons = arguments.next().unwrap_or(200_000);
    let seed = arguments.next().unwrap_or(1);
    let spec = PopulationSpec { seed, persons, today: jiff::civil::date(2026, 6, 1) };
    let mut stats = Stats::new(spec.today);
    #[expect(clippy::disallowed_methods, reason = "an example measures, it is no library")]
    let start = std::time::Instant::now();
    let mut generating = std::time::Duration::ZERO;
    for number in 0..block_count(&spec) {
        let before = start.elapsed();
        let households = block(&spec, number);
        generating += start.elapsed().saturating_sub(before);
        for household in &households {
            stats.add_household(&household.household);
            for person in &household.members {
                stats.add(person);
            }
        }
    }
    let rate = persons as f64 / generating.as_secs_f64();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{stats}\n{rate:.0} persons/s, {:.2} s", generating.as_secs_f64())
}
