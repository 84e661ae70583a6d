//! Generates a synthetic population into an empty registry, on all cores.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;

use anyhow::{Context as _, bail};
use dancu_store::Store;
use dancu_store::registry::load::{Sealed, Sealer};
use dancu_world::{GeneratedHousehold, PopulationSpec, block, block_count};

/// Sealed blocks that may wait for the writer: 4 × 16,384 people × ~1 KB = 64 MiB.
const BLOCKS_WAITING: usize = 4;
/// Persons of a block: their row ids are the block's number times this, plus their place.
const BLOCK_IDS: u64 = 16_384;

struct SealedBlock {
    persons: Vec<Sealed>,
    households: Vec<Sealed>,
}

/// Fills the registry and returns how many people it holds. `progress` gets the count so far.
pub fn run(
    store: &Store,
    spec: &PopulationSpec,
    progress: &(dyn Fn(u64) + Sync),
) -> anyhow::Result<u64> {
    spec.check().context("thông số dân số không hợp lệ (population spec)")?;
    if store.registry().count()? > 0 {
        bail!("kho dân cư đã có dữ liệu: dùng thư mục mới (the registry is not empty)");
    }
    let mut loader = store.registry().loader()?;
    loader.fact("seed", &spec.seed.to_string())?;
    loader.fact("persons", &spec.persons.to_string())?;
    loader.fact("today", &spec.today.to_string())?;
    let (blocks, next) = (block_count(spec), AtomicU64::new(0));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let (sender, receiver) = sync_channel(BLOCKS_WAITING);
    std::thread::scope(|scope| -> anyhow::Result<()> {
        for _ in 0..threads {
            let (sender, sealer, next) = (sender.clone(), loader.sealer(), &next);
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    // The writer is gone only after an error, which it reports.
                    if number >= blocks || sender.send(sealed(spec, &sealer, number)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut persons = 0;
        for block in &receiver {
            let block = block?;
            persons += block.persons.len() as u64;
            block.persons.into_iter().try_for_each(|p| loader.person(p))?;
            block.households.into_iter().try_for_each(|h| loader.household(h))?;
            progress(persons);
        }
        Ok(())
    })?;
    let persons = loader.finish()?;
    store.registry().reopen();
    Ok(persons)
}

fn sealed(spec: &PopulationSpec, sealer: &Sealer, number: u64) -> dancu_store::Result<SealedBlock> {
    let households: Vec<GeneratedHousehold> = block(spec, number);
    let persons = households
        .iter()
        .flat_map(|h| &h.members)
        .zip(number * BLOCK_IDS + 1..)
        .map(|(person, id)| sealer.person(id, person))
        .collect::<dancu_store::Result<_>>()?;
    let households = households
        .iter()
        .filter(|h| !h.household.members.is_empty())
        .map(|h| sealer.household(&h.household))
        .collect::<dancu_store::Result<_>>()?;
    Ok(SealedBlock { persons, households })
}
