//! The demo's units: made up names, kinds and parents, and one that was merged.

use dancu_domain::ids::UnitCode;
use dancu_domain::moment::Moment;
use dancu_domain::people::PersonId;
use dancu_domain::person::Dataset;
use dancu_domain::units::{About, Change, Event, Seat, UnitKind, UnitName};
use dancu_journal::{Act, Body};
use dancu_store::Store;
use dancu_store::units::{Written, insert};
use jiff::civil::Date;

/// From this day on they are there: that of the present list of provinces and communes.
const FROM: Date = jiff::civil::date(2025, 7, 1);
/// The day of the merge.
const MERGED: Date = jiff::civil::date(2026, 1, 1);
/// Code, name, kind, unit above, province.
const UNITS: [(&str, &str, UnitKind, &str, u8); 15] = [
    ("H26", "Ủy ban nhân dân thành phố Mẫu", UnitKind::Province, "", 1),
    ("H26.001", "Trung tâm Phục vụ hành chính công thành phố Mẫu", UnitKind::Department, "H26", 1),
    ("H26.002", "Ủy ban nhân dân phường Mẫu Đông", UnitKind::Commune, "H26", 1),
    ("H26.003", "Sở Nội vụ thành phố Mẫu", UnitKind::Department, "H26", 1),
    ("H26.004", "Sở Tư pháp thành phố Mẫu", UnitKind::Department, "H26", 1),
    ("H26.005", "Ủy ban nhân dân phường Mẫu Tây", UnitKind::Commune, "H26", 1),
    ("B01.001", "Ngân hàng Thương mại cổ phần Mẫu", UnitKind::Bank, "", 0),
    ("G01", "Bộ Mẫu", UnitKind::Ministry, "", 0),
    ("G01.001", "Cục Công nghệ thông tin, Bộ Mẫu", UnitKind::Department, "G01", 0),
    ("G01.002", "Cục Xử lý ban đêm, Bộ Mẫu", UnitKind::Department, "G01", 0),
    ("G01.900", "Trung tâm dữ liệu quốc gia về dân cư (mẫu)", UnitKind::Centre, "", 0),
    ("G01.902", "Thanh tra Mẫu", UnitKind::Other, "", 0),
    ("K01.001", "Hội Nghiên cứu Mẫu", UnitKind::Other, "", 0),
    ("H26.006", "Công an thành phố Mẫu", UnitKind::Police, "H26", 1),
    ("C01.001", "Tòa án nhân dân thành phố Mẫu", UnitKind::Court, "", 1),
];

/// Founds them where nothing of units is known yet.
pub async fn found(store: &Store, now: Moment) -> anyhow::Result<()> {
    if store.units().last().await? > 0 {
        return Ok(());
    }
    let row = |event| Written { id: 0, event, by: PersonId(0), at: now, own: false, carried: true };
    let events = UNITS.iter().map(founding).chain([merge()]);
    let events = events.map(|event| Ok(row(event?))).collect::<anyhow::Result<Vec<_>>>()?;
    let keys = store.keys().clone();
    let count = UNITS.len();
    let written = store.ledger().note(now, move |tx| {
        insert(tx, &keys, &events)?;
        Ok(Body::Act(Act {
            kind: "unit.founded".into(),
            actor: "dancu demo".into(),
            system: 0,
            detail: format!("{count} đơn vị mẫu (units)"),
        }))
    });
    written.await?;
    Ok(())
}

fn founding(
    (code, name, kind, above, province): &(&str, &str, UnitKind, &str, u8),
) -> anyhow::Result<Event> {
    let parent = if above.is_empty() { None } else { Some(UnitCode::parse(above)?) };
    let seat =
        if *province == 0 { None } else { Some(Seat::new(Dataset::Y2026, *province, None)?) };
    let about = About { seat, ..About::of(*kind) };
    let change = Change::Founded { name: UnitName::parse(name)?, parent, about };
    Ok(Event { unit: UnitCode::parse(code)?, day: FROM, change })
}

/// The west ward went into the east one; it has no system, so nothing had to move.
fn merge() -> anyhow::Result<Event> {
    let (unit, heir) = (UnitCode::parse("H26.005")?, UnitCode::parse("H26.002")?);
    Ok(Event { unit, day: MERGED, change: Change::Merged(heir) })
}

#[cfg(test)]
mod tests {
    use dancu_domain::units::Tree;

    use super::super::systems::templates;
    use super::*;

    #[test]
    fn rule_b4_the_demos_units_are_a_tree_with_every_system_in_it() {
        let events = UNITS.iter().map(founding).chain([merge()]);
        let events = events.collect::<anyhow::Result<Vec<_>>>().unwrap();
        let tree = Tree::on(&events, Date::MAX).unwrap();
        for template in templates() {
            let unit = tree.resolve(&UnitCode::parse(template.unit).unwrap());
            assert!(unit.is_some_and(|unit| unit.name() != template.unit), "{}", template.unit);
        }
        let old = UnitCode::parse("H26.005").unwrap();
        assert_eq!(tree.resolve(&old).unwrap().code.as_str(), "H26.002");
    }
}
