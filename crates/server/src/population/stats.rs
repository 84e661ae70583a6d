pub fn run(_: &dancu_store::Store, today: jiff::civil::Date) -> anyhow::Result<dancu_world::Stats> { Ok(dancu_world::Stats::new(today)) }
pub fn json(_: &dancu_world::Stats) -> String { String::new() }
