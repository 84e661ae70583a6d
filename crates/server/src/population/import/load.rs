//! The second reading: right rows become sealed records, their households follow.

use std::fs::File;

use anyhow::anyhow;
use dancu_domain::ids::PersonalId;
use dancu_domain::person::{Household, HouseholdRef, HouseholdRole};
use dancu_store::Store;
use dancu_store::registry::load::{Loader, Sealed, Sealer};
use jiff::civil::Date;

use super::CHANGED;
use super::check::{Checked, Verdict};
use super::lines::{self, Batch};
use crate::population::csv::Header;
use crate::population::csv::read;

/// A person of a household: its position, the person, the role.
type Member = (u32, PersonalId, HouseholdRole);

/// A sealed row.
struct Loaded {
    person: Sealed,
    /// Its household and the household's number, kept on the head's row only.
    member: Option<(Member, Option<String>)>,
}

/// Loads the right rows; the caller finishes the load.
pub fn run(
    store: &Store,
    file: &File,
    checked: &Checked,
    today: Date,
    progress: &dyn Fn(u64),
) -> anyhow::Result<Loader> {
    let mut loader = store.registry().loader()?;
    loader.fact("imported", &today.to_string())?;
    loader.fact("persons", &checked.good().to_string())?;
    let (header, mut lines) = lines::open(file)?;
    let sealer = loader.sealer();
    let (mut members, mut numbers) = (vec![], vec![]);
    let (mut next_id, mut persons) = (1, 0);
    lines::in_order(
        || {
            let Some(mut batch) = lines.batch()? else {
                return Ok(None);
            };
            batch.tag = next_id;
            next_id += checked.good_among(batch.first, batch.len());
            Ok(Some(batch))
        },
        |batch| seal(&header, &sealer, checked, batch, today),
        |loaded| {
            for Loaded { person, member } in loaded? {
                loader.person(person)?;
                persons += 1;
                if let Some((member, number)) = member {
                    members.push(member);
                    numbers.extend(number.map(|n| (member.0, n.into_boxed_str())));
                }
            }
            progress(persons);
            Ok(())
        },
    )?;
    if persons != checked.good() {
        return Err(anyhow!(CHANGED));
    }
    households(&mut loader, members, numbers)?;
    Ok(loader)
}

/// Reads and seals the right rows of a batch; the tag is the first one's row id.
fn seal(
    header: &Header,
    sealer: &Sealer,
    checked: &Checked,
    batch: &Batch,
    today: Date,
) -> anyhow::Result<Vec<Loaded>> {
    let mut loaded = Vec::with_capacity(batch.len() as usize);
    for (number, line) in batch.lines() {
        let verdict = checked.verdict(number).ok_or_else(|| anyhow!(CHANGED))?;
        if matches!(verdict, Verdict::Skip) {
            continue;
        }
        let draft = lines::row(header, line).and_then(|row| read::draft(&row, today));
        let mut draft = draft.map_err(|_| anyhow!(CHANGED))?;
        let member = match (verdict, draft.household) {
            (Verdict::Member(position, head), Some(place)) => {
                draft.person.household = Some(HouseholdRef {
                    key: key(position),
                    number: place.number.clone(),
                    role: place.role,
                    head: head.clone(),
                });
                let number = (place.role == HouseholdRole::Head).then_some(place.number);
                Some(((position, draft.person.personal_id, place.role), number))
            }
            (Verdict::Alone, None) => None,
            _ => return Err(anyhow!(CHANGED)),
        };
        let id = batch.tag + loaded.len() as u64;
        loaded.push(Loaded { person: sealer.person(id, &draft.person)?, member });
    }
    Ok(loaded)
}

/// Households are numbered from 1, in the order of their first rows.
fn key(position: u32) -> u64 {
    u64::from(position) + 1
}

/// Writes the households in order of their keys: the head first, the others as in the file.
fn households(
    loader: &mut Loader,
    mut members: Vec<Member>,
    mut numbers: Vec<(u32, Box<str>)>,
) -> anyhow::Result<()> {
    members.sort_by_key(|(household, _, role)| (*household, *role != HouseholdRole::Head));
    numbers.sort_unstable_by_key(|(household, _)| *household);
    let groups = members.chunk_by(|a, b| a.0 == b.0);
    let sealer = loader.sealer();
    for (group, (position, number)) in groups.zip(numbers) {
        if group.first().is_none_or(|first| first.0 != position) {
            return Err(anyhow!(CHANGED));
        }
        let household = Household {
            key: key(position),
            number: number.into(),
            members: group.iter().map(|(_, id, role)| (*id, *role)).collect(),
        };
        loader.household(sealer.household(&household)?)?;
    }
    Ok(())
}
