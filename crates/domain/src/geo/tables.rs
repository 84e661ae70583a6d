//! The lists of units and changes, read from the embedded files at first use.
//!
//! Names stay slices of the embedded text; look-ups are binary searches in sorted vectors.

use std::array;
use std::sync::OnceLock;

use super::{Commune, District, Province};
use crate::person::Dataset;

static UNITS_2024: &str = include_str!("../../data/administrative-units-2024.csv");
static UNITS_2026: &str = include_str!("../../data/administrative-units-2026.csv");
static CHANGES: &str = include_str!("../../data/commune-changes-2025.csv");

/// One list of units.
pub(super) struct Units {
    pub(super) provinces: Vec<Province>,
    pub(super) districts: Vec<District>,
    pub(super) communes: Vec<Commune>,
    /// Positions in `communes`, by province and code.
    pub(super) by_province: Vec<u16>,
}

/// One row of the changes: a commune of 2024 that lies wholly or partly in one of 2026.
#[derive(Clone, Copy)]
pub(super) struct Change {
    pub(super) old: u32,
    pub(super) new: u32,
    pub(super) whole: bool,
    /// The larger part of a divided commune.
    pub(super) default: bool,
}

/// The changes of 2025-07-01.
pub(super) struct Changes {
    /// By old code, then new code.
    rows: Vec<Change>,
    /// Positions in `rows`, by new code, then old code.
    by_new: Vec<u16>,
    /// Old and new code of each province of 2024.
    pub(super) provinces: Vec<(u8, u8)>,
}

pub(super) fn units(dataset: Dataset) -> &'static Units {
    static TABLES: [OnceLock<Units>; 2] = [OnceLock::new(), OnceLock::new()];
    match dataset {
        Dataset::Y2024 => TABLES[0].get_or_init(|| Units::read(rows_of_2024())),
        Dataset::Y2026 => TABLES[1].get_or_init(|| Units::read(rows_of_2026())),
    }
}

pub(super) fn changes() -> &'static Changes {
    static TABLE: OnceLock<Changes> = OnceLock::new();
    TABLE.get_or_init(Changes::read)
}

/// Province and, where the row names them, district and commune.
type UnitRow = (Province, Option<District>, Option<Commune>);

fn rows_of_2024() -> impl Iterator<Item = UnitRow> {
    rows(UNITS_2024).filter_map(|[code, name, district, district_name, commune, commune_name]| {
        let province = Province { code: code.parse().ok()?, name };
        let district: u16 = district.parse().ok()?;
        let commune = commune.parse().ok().map(|code| Commune {
            code,
            province: province.code,
            district: Some(district),
            name: commune_name,
        });
        let district = District { code: district, province: province.code, name: district_name };
        Some((province, Some(district), commune))
    })
}

fn rows_of_2026() -> impl Iterator<Item = UnitRow> {
    rows(UNITS_2026).filter_map(|[code, name, commune, commune_name, _kind]| {
        let province = Province { code: code.parse().ok()?, name };
        let commune = Commune {
            code: commune.parse().ok()?,
            province: province.code,
            district: None,
            name: commune_name,
        };
        Some((province, None, Some(commune)))
    })
}

impl Units {
    fn read(rows: impl Iterator<Item = UnitRow>) -> Self {
        let (mut provinces, mut districts, mut communes) = (Vec::new(), Vec::new(), Vec::new());
        for (province, district, commune) in rows {
            // Rows stand grouped by province and district, so most repeats are neighbours.
            if provinces.last() != Some(&province) {
                provinces.push(province);
            }
            if let Some(district) = district.filter(|d| districts.last() != Some(d)) {
                districts.push(district);
            }
            communes.extend(commune);
        }
        provinces.sort_unstable_by_key(|p| p.code);
        provinces.dedup_by_key(|p| p.code);
        districts.sort_unstable_by_key(|d| d.code);
        districts.dedup_by_key(|d| d.code);
        communes.sort_unstable_by_key(|c| c.code);
        communes.shrink_to_fit();
        let mut by_province: Vec<u16> = (0..communes.len() as u16).collect();
        by_province.sort_by_key(|at| communes[usize::from(*at)].province);
        Self { provinces, districts, communes, by_province }
    }
}

impl Changes {
    /// The parts of an old commune, by new code.
    pub(super) fn of_old(&self, old: u32) -> &[Change] {
        let start = self.rows.partition_point(|row| row.old < old);
        let end = self.rows.partition_point(|row| row.old <= old);
        &self.rows[start..end]
    }

    /// The parts that make up a new commune, by old code.
    pub(super) fn of_new(&self, new: u32) -> impl Iterator<Item = &Change> {
        let of = |at: &u16| self.rows[usize::from(*at)].new;
        let start = self.by_new.partition_point(|at| of(at) < new);
        let end = self.by_new.partition_point(|at| of(at) <= new);
        self.by_new[start..end].iter().map(|at| &self.rows[usize::from(*at)])
    }

    fn read() -> Self {
        let (mut kept, mut provinces, mut dropped) = (Vec::new(), Vec::new(), Vec::new());
        for [old_province, _, old, _, _, _, new_province, new, _, new_name, relation] in
            rows(CHANGES)
        {
            let (Ok(old_province), Ok(new_province)) = (old_province.parse(), new_province.parse())
            else {
                continue;
            };
            provinces.push((old_province, new_province));
            // Five island districts had no commune in 2024, hence no code to look up.
            let Ok(old) = old.parse() else { continue };
            if super::commune(Dataset::Y2024, old).is_none() {
                continue;
            }
            // An old commune with an unknown part is dropped whole: unknown instead of wrong.
            let Some(new) = listed(new, new_province, new_name) else {
                dropped.push(old);
                continue;
            };
            let (whole, default) = (relation == "whole", relation == "divided-default");
            kept.push(Change { old, new, whole, default });
        }
        kept.retain(|row| !dropped.contains(&row.old));
        kept.sort_unstable_by_key(|row| (row.old, row.new));
        kept.shrink_to_fit();
        provinces.sort_unstable();
        provinces.dedup();
        let mut by_new: Vec<u16> = (0..kept.len() as u16).collect();
        by_new.sort_by_key(|at| kept[usize::from(*at)].new);
        Self { rows: kept, by_new, provinces }
    }
}

/// The code of a commune of 2026, by code or else by its name in its province: the list was
/// corrected after the file of changes was made (Xã Ba Chẽ, 06970 → 06978).
fn listed(code: &str, province: u8, name: &str) -> Option<u32> {
    let code: Option<u32> = code.parse().ok();
    if let Some(code) = code.filter(|code| super::commune(Dataset::Y2026, *code).is_some()) {
        return Some(code);
    }
    let mut named = super::communes_of(Dataset::Y2026, province).filter(|c| c.name == name);
    let only = named.next().filter(|_| named.next().is_none())?;
    Some(only.code)
}

/// The rows below the heading with exactly `N` columns; the files quote nothing.
pub(super) fn rows<const N: usize>(text: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    text.lines().skip(1).filter_map(|line| {
        let mut columns = line.split(',');
        let mut missing = false;
        let row = array::from_fn(|_| {
            columns.next().unwrap_or_else(|| {
                missing = true;
                ""
            })
        });
        (!missing && columns.next().is_none()).then_some(row)
    })
}
