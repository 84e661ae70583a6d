//! The head's desk: officers, their list as a spreadsheet, stand-ins, use, requests for a raise;
//! and the page where the operator of the agency's own software confirms revocations (E3).
//!
//! Every page is about the own unit of who is signed in; [`allowed`] asks for it.

mod access;
mod centre;
mod commitments;
mod import;
mod officer;
mod officers;
mod papers;
mod plans;
mod raises;
mod revocations;
mod sent;
mod statements;
mod substitutes;
#[cfg(test)]
mod tests;
mod usage;
mod ways;

use std::sync::Arc;

use dancu_domain::ids::UnitCode;
use dancu_domain::people::may::Target;
use dancu_domain::people::powers::Power;
use dancu_domain::registration::{Snapshot, System};
use dancu_domain::service::{Service, ServiceSet};
use dancu_office::hours::HourlyUse;
use dancu_office::officers::HeadDesk;
use dancu_office::{Actor, Refused};
use dancu_papers::sheet::FILE_BYTES_MAX;
use dancu_portal::parts::{Choice, FieldError};
use dancu_portal::text::{Language, Text};
use dancu_store::Store;

use super::dossiers::PAPER_MAX;
use super::form::Form;
use super::frame;
use super::signed::Signed;
use super::table::Table;
use super::words::{self, answered};
use crate::stop::Stop;

/// Bytes of a form around its file: the fields beside it and the parts' heads.
pub const AROUND_FILE: usize = 64 * 1024;

/// What this desk holds beside the store.
#[derive(Default)]
pub struct Kept {
    /// Use per hour, as far as it was counted.
    pub hours: Arc<HourlyUse>,
    imports: import::Imports,
}

/// Its routes.
pub fn routes(table: Table) -> Table {
    let manage = Power::ManageOfficers;
    let table = table
        .entry("/unit/officers", "users", "nav-officers", manage)
        .entry("/unit/usage", "chart-column", "nav-usage", Power::SeeUnitUse)
        .entry("/unit/raises", "trending-up", "nav-raises", Power::RequestRaise)
        .entry("/unit/plans", "clock", "nav-plans", Power::AnnounceJobPlan)
        .entry("/unit/substitutes", "user-check", "nav-substitutes", manage)
        .entry("/unit/revocations", "ban", "nav-revocations", Power::ConfirmRevocation)
        .get("/unit/officers", manage, officers::show)
        .get("/unit/officers/new", manage, officer::new)
        .post("/unit/officers/new", manage, officer::add)
        .get("/unit/officers/import", manage, import::choose)
        .upload("/unit/officers/import", manage, FILE_BYTES_MAX + AROUND_FILE, import::read)
        .post("/unit/officers/import/apply", manage, import::apply)
        .get("/unit/officers/commitments", Power::ConfirmCommitments, commitments::show)
        .get("/unit/officers/commitments/{file}", Power::ConfirmCommitments, commitments::list)
        .upload(
            "/unit/officers/commitments",
            Power::ConfirmCommitments,
            PAPER_MAX,
            commitments::confirm,
        )
        .get("/unit/officers.xlsx", Power::ExportAccounts, import::export)
        .get("/unit/officers/{who}", manage, officer::show)
        .post("/unit/officers/{who}", manage, officer::change)
        .post("/unit/officers/{who}/state", manage, access::state)
        .post("/unit/officers/{who}/invite", manage, access::invite)
        .post("/unit/officers/{who}/password", manage, access::password)
        .post("/unit/officers/{who}/reenable", Power::ReenableAccount, access::reenable)
        .post("/unit/officers/{who}/vouch", Power::VouchForFactor, access::vouch)
        .post("/unit/officers/{who}/training", manage, access::train);
    table
        .get("/unit/usage", Power::SeeUnitUse, usage::show)
        .get("/unit/raises", Power::RequestRaise, raises::list)
        .get("/unit/raises/new", Power::RequestRaise, raises::form)
        .post("/unit/raises", Power::RequestRaise, raises::ask)
        .post("/unit/raises/withdraw", Power::RequestRaise, raises::withdraw)
        .get("/unit/accounts-by-api", Power::ApproveAccountChanges, sent::show)
        .post("/unit/accounts-by-api/{id}/approve", Power::ApproveAccountChanges, sent::approve)
        .post("/unit/accounts-by-api/{id}/refuse", Power::ApproveAccountChanges, sent::refuse)
        .get("/unit/plans", Power::AnnounceJobPlan, plans::list)
        .get("/unit/plans/new", Power::AnnounceJobPlan, plans::form)
        .post("/unit/plans", Power::AnnounceJobPlan, plans::announce)
        .get("/unit/plans/{id}", Power::AnnounceJobPlan, plans::show)
        .post("/unit/plans/{id}/end", Power::AnnounceJobPlan, plans::end)
        .get("/unit/substitutes", manage, substitutes::show)
        .post("/unit/substitutes", Power::AppointSubstitute, substitutes::appoint)
        .post("/unit/substitutes/end", Power::AppointSubstitute, substitutes::end)
        .get("/unit/papers", Power::SeeDossiers, papers::show)
        .get("/unit/papers/registration.pdf", Power::SeeDossiers, papers::registration)
        .get("/unit/papers/registration.xlsx", Power::SeeDossiers, papers::registration_sheet)
        .get("/unit/papers/organisation.pdf", Power::SeeDossiers, papers::organisation)
        .get("/unit/papers/accounts.pdf", Power::ExportAccounts, papers::accounts)
        .get("/unit/papers/individual.pdf", Power::ExportAccounts, papers::individual)
        .get("/unit/statements", Power::SeeStatements, statements::list)
        .get("/unit/statements/{file}", Power::SeeStatements, statements::file)
        .get("/unit/revocations", Power::ConfirmRevocation, revocations::show)
        .post("/unit/revocations", Power::ConfirmRevocation, revocations::confirm)
}

/// Who acts, and for which unit; [`Unit::desk`] is what the office's functions take.
#[derive(Clone)]
pub(super) struct Unit {
    store: Arc<Store>,
    by: Actor,
    code: UnitCode,
    snapshot: Arc<Snapshot>,
    now: dancu_domain::moment::Moment,
    machine: dancu_domain::people::MachineTime,
}

impl Unit {
    /// For the office.
    pub(super) fn desk(&self) -> HeadDesk<'_> {
        HeadDesk {
            store: &self.store,
            now: self.now,
            machine: self.machine,
            by: &self.by,
            unit: &self.code,
            snapshot: &self.snapshot,
        }
    }

    /// Systems of the unit that are not closed, by their code.
    fn systems(&self) -> Vec<Arc<System>> {
        let open = dancu_domain::registration::ConnectionState::Closed;
        let own = self.snapshot.systems().iter();
        let mut own: Vec<_> =
            own.filter(|s| s.unit == self.code && s.state != open).cloned().collect();
        own.sort_by(|a, b| a.code.cmp(&b.code));
        own
    }

    /// The system of a number among them; the only one where none is named. Of several none is
    /// guessed: what is done there, or handed out, is about the one that was named.
    fn system(&self, number: &str) -> Option<Arc<System>> {
        let all = self.systems();
        if let ("", [only]) = (number, all.as_slice()) {
            return Some(only.clone());
        }
        let number = number.parse::<u32>().ok()?;
        all.into_iter().find(|s| s.id.0 == number)
    }

    /// For a page that shows one at a time and lets choose: the named one, else the first.
    fn shown(&self, number: &str) -> Option<Arc<System>> {
        if number.is_empty() { self.systems().into_iter().next() } else { self.system(number) }
    }
}

/// The unit of who is signed in, where they may do this in it.
///
/// # Errors
/// The page that refuses.
async fn allowed(signed: &Signed, power: Power) -> Result<Unit, Stop> {
    let unit = signed.own_unit();
    if let Err(reason) = signed.may(power, Target::Unit(&unit)) {
        return Err(frame::refused(signed, reason).into());
    }
    let store = signed.app.gate.store().clone();
    let mut snapshot = signed.app.gate.snapshot();
    if snapshot.epoch != store.ledger().epoch() {
        // An act changed what is registered, and no question has come since.
        let (from, now) = (store.clone(), signed.now);
        let loaded = tokio::task::spawn_blocking(move || from.snapshot(now)).await;
        snapshot = match loaded {
            Ok(Ok(loaded)) => Arc::new(loaded),
            Ok(Err(error)) => return Err(words::unread(signed, &error).into()),
            Err(_) => return Err(frame::unavailable(signed).into()),
        };
    }
    let [code] = unit;
    Ok(Unit {
        store,
        by: Actor::Person(signed.person.id, signed.person.login.clone()),
        code,
        snapshot,
        now: signed.now,
        machine: signed.machine,
    })
}

/// What was refused, as errors of a form: beside its field where it names one, else beside
/// `field`.
///
/// # Errors
/// The page that answers instead: not found, a fresh factor is asked for, the store failed.
fn as_errors(
    signed: &Signed,
    refused: &Refused,
    field: &'static str,
) -> Result<Vec<FieldError>, Stop> {
    let field = match refused {
        Refused::Gone => return Err(frame::missing(signed).into()),
        Refused::Field { field, .. } => *field,
        Refused::NoReason => "reason",
        _ => field,
    };
    match words::refused(signed, refused) {
        Some(sentence) => Ok(vec![frame::wrong(field, sentence)]),
        None => Err(words::failed(signed, refused).into()),
    }
}

/// One of two sentences.
pub(super) fn say(lang: Language, (vi, en): (String, String)) -> String {
    match lang {
        Language::Vietnamese => vi,
        Language::English => en,
    }
}

/// Services of a system to tick; `chosen` are those that are.
fn services(t: &Text, system: &System, chosen: ServiceSet) -> Vec<Choice> {
    let granted = system.services.iter().flatten().map(|grant| grant.service);
    granted
        .map(|service| Choice {
            value: service.index().to_string(),
            label: words::service(t, service),
            chosen: chosen.contains(service),
        })
        .collect()
}

/// What a new account begins with, until the head ticks more: an account has the functions of the
/// task (E1), and every counter verifies.
fn usual() -> ServiceSet {
    ServiceSet::of(&[Service::CitizenVerify])
}

/// Services that were ticked.
fn ticked(form: &Form) -> ServiceSet {
    let read = |text: &str| text.parse().ok().and_then(Service::from_index);
    let all: Vec<Service> = form.all("service").into_iter().filter_map(read).collect();
    ServiceSet::of(&all)
}

/// Systems to choose from.
fn system_choices(systems: &[Arc<System>], chosen: u32) -> Vec<Choice> {
    let choice = |s: &Arc<System>| Choice {
        value: s.id.0.to_string(),
        label: s.code.as_str().to_owned(),
        chosen: s.id.0 == chosen,
    };
    systems.iter().map(choice).collect()
}
