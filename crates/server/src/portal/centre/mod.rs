//! Units and the centre's staff (B4, B9, E3): the operator's pages, and a head's page of the own
//! unit. Everything is carried out by `dancu_office`.

mod acts;
mod campaign;
mod campaigns;
mod import;
mod list;
mod own;
mod preview;
mod proposals;
mod staff;
mod tree;
mod unit;

use dancu_domain::people::powers::Power;
use dancu_domain::units::Unit;
use dancu_office::units::Known;
use dancu_papers::sheet::FILE_BYTES_MAX;
use dancu_portal::centre::{EventRow, states};
use dancu_store::units::Written;

pub use self::import::Kept;
pub(super) use self::list::provinces;
use super::frame;
use super::head::AROUND_FILE;
use super::signed::Signed;
use super::table::Table;
use crate::stop::Stop;

/// Its routes.
pub fn routes(table: Table) -> Table {
    // Reading needs no fresh factor, writing does.
    let (look, units) = (Power::ManageSystems, Power::ManageUnits);
    table
        .get("/centre/units", look, list::show)
        .get("/centre/units/new", look, unit::new)
        .post("/centre/units/new", units, unit::found)
        .get("/centre/units/tree", look, tree::show)
        .get("/centre/units/proposals", look, proposals::show)
        .get("/centre/units/{code}", look, unit::show)
        .post("/centre/units/{code}", units, unit::write)
        .get("/centre/campaigns", Power::RunCampaigns, campaigns::show)
        .post("/centre/campaigns", Power::RunCampaigns, campaigns::write)
        .get("/centre/campaigns/{id}", Power::RunCampaigns, campaign::show)
        .post("/centre/campaigns/{id}", Power::RunCampaigns, campaign::write)
        .get("/centre/import", Power::ImportLive, import::choose)
        .upload("/centre/import", Power::ImportLive, FILE_BYTES_MAX + AROUND_FILE, import::read)
        .post("/centre/import/apply", Power::ImportLive, import::apply)
        .get("/centre/import/export.xlsx", Power::ImportLive, import::export)
        .get("/centre/import/template.xlsx", Power::ImportLive, import::template)
        .get("/centre/staff", Power::ManageStaff, staff::show)
        .post("/centre/staff", Power::ManageStaff, staff::invite)
        .post("/centre/staff/invite-again", Power::ManageStaff, staff::invite_again)
        .post("/centre/staff/end", Power::ManageStaff, staff::end)
        .get("/unit", Power::TellOfUnit, own::show)
        .post("/unit", Power::TellOfUnit, own::write)
}

/// Units as they are now.
async fn known(signed: &Signed) -> Result<Known, Stop> {
    let read = signed.app.units.now(signed.app.gate.store(), signed.now).await;
    read.map_err(|error| super::words::unread(signed, &error).into())
}

/// The name of a unit as lists show it.
fn name_of(unit: Option<&Unit>) -> String {
    unit.map_or_else(String::new, |unit| unit.name().to_owned())
}

/// An event as pages show it; what may be annulled has the address of the form for it.
fn event(signed: &Signed, known: &Known, written: &Written) -> EventRow {
    let annulled = known.annulled.contains(&written.id);
    let ahead = written.event.day > signed.today() && !annulled;
    let annul = || format!("/centre/units/{}?do=annulled&event={}", written.event.unit, written.id);
    EventRow {
        number: written.id.to_string(),
        unit: written.event.unit.to_string(),
        day: frame::date(written.event.day),
        what: acts::told(signed, &written.event.change),
        written: frame::stamp(written.at),
        state: if annulled { Some(states::ANNULLED) } else { ahead.then_some(states::AHEAD) },
        annul: ahead.then(annul),
    }
}
