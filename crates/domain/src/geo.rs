//! Administrative units (đơn vị hành chính) before and after 2025-07-01, and how they map.
//!
//! A commune code means nothing without its [`Dataset`]: most codes name another place now than
//! they did. Old communes that were divided are never resolved by guessing.
//!
//! **Invariant:** [`PlaceMatch::Same`] is said only where the lists prove it.

mod id_prefix;
mod tables;

pub use id_prefix::{BirthPrefix, IdWarning, birth_prefix, id_warnings};

use crate::person::{Address, Country, Dataset};
use tables::{changes, units};

/// Tỉnh, thành phố trực thuộc trung ương.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Province {
    /// Mã tỉnh, 1-96; two digits on the wire.
    pub code: u8,
    /// Full name, e.g. "Tỉnh Cà Mau".
    pub name: &'static str,
}

/// Quận, huyện, thị xã, thành phố thuộc tỉnh: until 2025-06-30 only.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct District {
    /// Mã huyện; three digits on the wire.
    pub code: u16,
    /// Its province of 2024.
    pub province: u8,
    /// Full name, e.g. "Quận Ba Đình".
    pub name: &'static str,
}

/// Phường, xã, thị trấn, đặc khu.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Commune {
    /// Mã xã; five digits on the wire, unique in its dataset.
    pub code: u32,
    /// Its province in the same dataset.
    pub province: u8,
    /// Its district; none from 2025-07-01.
    pub district: Option<u16>,
    /// Full name, e.g. "Phường Ba Đình".
    pub name: &'static str,
}

/// What became of a commune of 2024 on 2025-07-01.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Successors {
    /// All of it now lies in this commune.
    Whole(u32),
    /// Its parts lie in several communes.
    Divided {
        /// All communes that took a part, ascending.
        candidates: Vec<u32>,
        /// The one that took the larger part: to propose to people, never to decide by.
        default: u32,
    },
    /// Not in the list of changes.
    Unknown,
}

/// Whether a place that was asked about is the place on record.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PlaceMatch {
    /// The same, as far as the question goes.
    Same,
    /// Another place.
    Different,
    /// Cannot be told from the lists or from the record.
    Unknown,
}

/// A province by its code.
pub fn province(dataset: Dataset, code: u8) -> Option<Province> {
    let provinces = provinces(dataset);
    let at = provinces.binary_search_by_key(&code, |p| p.code).ok()?;
    provinces.get(at).copied()
}

/// All provinces, by code: 63 in 2024, 34 in 2026.
pub fn provinces(dataset: Dataset) -> &'static [Province] {
    &units(dataset).provinces
}

/// A district of 2024 by its code.
pub fn district(code: u16) -> Option<District> {
    let districts = &units(Dataset::Y2024).districts;
    let at = districts.binary_search_by_key(&code, |d| d.code).ok()?;
    districts.get(at).copied()
}

/// A commune by its code.
pub fn commune(dataset: Dataset, code: u32) -> Option<Commune> {
    let communes = communes(dataset);
    let at = communes.binary_search_by_key(&code, |c| c.code).ok()?;
    communes.get(at).copied()
}

/// All communes, by code: 10,035 in 2024 (five island districts had none), 3,321 in 2026.
pub fn communes(dataset: Dataset) -> &'static [Commune] {
    &units(dataset).communes
}

/// The communes of a province, by code; empty for an unknown province.
pub fn communes_of(
    dataset: Dataset,
    province: u8,
) -> impl ExactSizeIterator<Item = &'static Commune> {
    let units = units(dataset);
    let of = |at: &u16| units.communes[usize::from(*at)].province;
    let start = units.by_province.partition_point(|at| of(at) < province);
    let end = units.by_province.partition_point(|at| of(at) <= province);
    units.by_province[start..end].iter().map(|at| &units.communes[usize::from(*at)])
}

/// What became of a commune of 2024.
pub fn successors(old_commune: u32) -> Successors {
    let rows = changes().of_old(old_commune);
    match rows {
        [only] if only.whole => Successors::Whole(only.new),
        _ => rows.iter().find(|row| row.default).map_or(Successors::Unknown, |row| {
            Successors::Divided {
                candidates: rows.iter().map(|row| row.new).collect(),
                default: row.new,
            }
        }),
    }
}

/// The communes of 2024 that lie wholly or partly in a commune of 2026, ascending.
pub fn predecessors(new_commune: u32) -> Vec<u32> {
    changes().of_new(new_commune).map(|row| row.old).collect()
}

/// The province of 2026 that a province of 2024 became or joined; none was divided.
pub fn province_successor(old_province: u8) -> Option<u8> {
    let provinces = &changes().provinces;
    let at = provinces.binary_search_by_key(&old_province, |(old, _)| *old).ok()?;
    provinces.get(at).map(|(_, new)| *new)
}

/// A place as somebody asks about it: parts that are 0 are not stated and not compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AskedPlace {
    /// Mã tỉnh.
    pub province: u8,
    /// Mã huyện: always of the list of 2024, the last one with districts.
    pub district: u16,
    /// Mã xã.
    pub commune: u32,
    /// The list that `province` and `commune` are read by.
    pub dataset: Dataset,
}

/// Compares a place asked about with an address on record. Every part that is stated must agree;
/// nothing stated is unknown. A province missing on record is left to the commune.
///
/// What the record does not hold is never confirmed.
pub fn same_place(asked: AskedPlace, on_record: &Address) -> PlaceMatch {
    let AskedPlace { province, district, commune, dataset } = asked;
    if (province, district, commune) == (0, 0, 0) {
        return PlaceMatch::Unknown;
    }
    if on_record.country != Country::VN {
        return PlaceMatch::Different;
    }
    let mut parts = Vec::with_capacity(3);
    if province != 0 {
        let found = same_province((province, dataset), (on_record.province, on_record.dataset));
        // A province that cannot be told adds nothing to a commune that can.
        if commune == 0 || found == PlaceMatch::Different {
            parts.push(found);
        }
    }
    if district != 0 {
        parts.push(same_district(asked, on_record));
    }
    if commune != 0 {
        parts.push(same_commune(commune, dataset, on_record));
    }
    [PlaceMatch::Different, PlaceMatch::Unknown]
        .into_iter()
        .find(|verdict| parts.contains(verdict))
        .unwrap_or(PlaceMatch::Same)
}

fn same_commune(asked: u32, dataset: Dataset, on_record: &Address) -> PlaceMatch {
    if on_record.commune == 0 {
        return PlaceMatch::Unknown;
    }
    match (dataset, on_record.dataset) {
        (Dataset::Y2024, Dataset::Y2026) => became(asked, on_record.commune),
        (Dataset::Y2026, Dataset::Y2024) => became(on_record.commune, asked),
        _ => equal(asked, on_record.commune),
    }
}

/// The district of the commune asked about, else of the place on record. A place recorded by the
/// list of 2026 lies in one of the communes that its commune was made of.
fn same_district(asked: AskedPlace, on_record: &Address) -> PlaceMatch {
    let district_of = |code| commune(Dataset::Y2024, code).and_then(|c| c.district);
    if asked.dataset == Dataset::Y2024
        && let Some(own) = district_of(asked.commune)
    {
        return equal(asked.district, own);
    }
    let possible: Vec<_> = match on_record.dataset {
        Dataset::Y2024 => district_of(on_record.commune).into_iter().collect(),
        Dataset::Y2026 => {
            predecessors(on_record.commune).into_iter().filter_map(district_of).collect()
        }
    };
    let fitting = possible.iter().filter(|own| **own == asked.district).count();
    match fitting {
        _ if possible.is_empty() => PlaceMatch::Unknown,
        0 => PlaceMatch::Different,
        all if all == possible.len() => PlaceMatch::Same,
        _ => PlaceMatch::Unknown,
    }
}

fn same_province(asked: (u8, Dataset), on_record: (u8, Dataset)) -> PlaceMatch {
    if asked.0 == 0 || on_record.0 == 0 {
        return PlaceMatch::Unknown;
    }
    if asked.1 == on_record.1 {
        return equal(asked.0, on_record.0);
    }
    let in_2026 = |(code, dataset)| match dataset {
        Dataset::Y2024 => province_successor(code),
        Dataset::Y2026 => Some(code),
    };
    match (in_2026(asked), in_2026(on_record)) {
        (Some(asked), Some(on_record)) => equal(asked, on_record),
        _ => PlaceMatch::Unknown,
    }
}

/// Whether a place in the old commune is a place in the new one.
fn became(old: u32, new: u32) -> PlaceMatch {
    match changes().of_old(old) {
        [] => PlaceMatch::Unknown,
        [only] if only.whole => equal(only.new, new),
        parts if parts.iter().any(|part| part.new == new) => PlaceMatch::Unknown,
        _ => PlaceMatch::Different,
    }
}

fn equal<T: PartialEq + Copy>(asked: T, on_record: T) -> PlaceMatch {
    if asked == on_record { PlaceMatch::Same } else { PlaceMatch::Different }
}
