//! People's committees of the official list, and what the units of before 2025-07-01 became.

use jiff::civil::Date;

use super::{About, Change, Event, Seat, Tree, UnitKind, UnitName};
use crate::geo::{self, Commune, Province, Successors};
use crate::ids::{IdError, UnitCode};
use crate::person::Dataset;

/// From this day on there are the provinces and communes of the present list (NQ 202/2025/QH15).
const REORGANISED: Date = jiff::civil::date(2025, 7, 1);

/// The code of a province's People's Committee, e.g. `UBND-T01`. *Ours*, stable: by the province's
/// code of the official list.
///
/// # Errors
/// None for a code of the list.
pub fn province_unit(province: u8) -> Result<UnitCode, IdError> {
    UnitCode::parse(&format!("UBND-T{province:02}"))
}

/// The code of a commune's People's Committee, e.g. `UBND-X00004`; see [`province_unit`].
///
/// # Errors
/// None for a code of the list.
pub fn commune_unit(commune: u32) -> Result<UnitCode, IdError> {
    UnitCode::parse(&format!("UBND-X{commune:05}"))
}

/// The founding of every People's Committee of the present list, provinces first.
pub fn official() -> Vec<Event> {
    let provinces = geo::provinces(Dataset::Y2026).iter().filter_map(of_province);
    provinces.chain(geo::communes(Dataset::Y2026).iter().filter_map(of_commune)).collect()
}

fn of_province(province: &Province) -> Option<Event> {
    let seat = Seat { dataset: Dataset::Y2026, province: province.code, commune: None };
    let unit = province_unit(province.code).ok()?;
    founded(unit, UnitKind::Province, province.name, None, seat)
}

fn of_commune(commune: &Commune) -> Option<Event> {
    let seat =
        Seat { dataset: Dataset::Y2026, province: commune.province, commune: Some(commune.code) };
    let (unit, above) = (commune_unit(commune.code).ok()?, province_unit(commune.province).ok()?);
    founded(unit, UnitKind::Commune, commune.name, Some(above), seat)
}

fn founded(
    unit: UnitCode,
    kind: UnitKind,
    place: &str,
    parent: Option<UnitCode>,
    seat: Seat,
) -> Option<Event> {
    // "Phường Ba Đình" → "Ủy ban nhân dân phường Ba Đình".
    let mut letters = place.chars();
    let small: String = letters.next()?.to_lowercase().chain(letters).collect();
    let name = UnitName::parse(&format!("Ủy ban nhân dân {small}")).ok()?;
    let about = About { seat: Some(seat), ..About::of(kind) };
    Some(Event { unit, day: REORGANISED, change: Change::Founded { name, parent, about } })
}

/// What is proposed for a living unit whose commune is one of before 2025-07-01 (B4). A divided
/// commune is never resolved by guessing: its candidates are shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Proposal {
    /// All of its commune lies in the commune of this unit.
    Whole(UnitCode),
    /// Its commune was divided among those of these units.
    Divided(Vec<UnitCode>),
    /// The lists do not say.
    Unknown,
}

/// Units of communes of before, each with what is proposed.
pub fn proposals(tree: &Tree) -> Vec<(UnitCode, Proposal)> {
    let of_before = tree.all().filter(|unit| unit.lives()).filter_map(|unit| {
        let seat = unit.about.seat.filter(|seat| seat.dataset == Dataset::Y2024)?;
        Some((unit, seat.commune?))
    });
    let proposed = of_before.map(|(unit, commune)| {
        let proposal = match geo::successors(commune) {
            Successors::Whole(new) => commune_unit(new).ok().map(Proposal::Whole),
            Successors::Divided { candidates, .. } => Some(Proposal::Divided(
                candidates.into_iter().filter_map(|new| commune_unit(new).ok()).collect(),
            )),
            Successors::Unknown => None,
        };
        (unit.code.clone(), proposal.unwrap_or(Proposal::Unknown))
    });
    proposed.collect()
}
