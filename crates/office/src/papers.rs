//! Papers of a unit, filled from what is registered (B2, B5, B6, B7).
//!
//! A paper is drafted, printed and handed out: what holds personal data is journaled before
//! anybody has it.

use dancu_domain::dossier::AccountRow;
use dancu_domain::editions::{Edition, Form};
use dancu_domain::ids::{AccountId, Purpose, SystemId};
use dancu_domain::registration::{AccountKind, AccountState, ServiceGrant, System};
use dancu_domain::service::{Service, ServiceSet, Window};
use dancu_papers::Pdf;
use dancu_papers::forms::{self, About, Account, Contact, Registered, Signer};
use dancu_papers::sheet::services;
use dancu_store::policy::accounts::Listed;
use hashbrown::HashMap;
use jiff::civil::Date;

use crate::act::{Entry, Refused, note};
use crate::officers::HeadDesk;

/// Commitments of one file: 200 officers are 600 pages (*ours*).
pub const COMMITMENTS_MAX: usize = 200;

/// A paper before it is printed. Printing takes a moment of a core and needs no store.
pub struct Draft {
    edition: &'static Edition,
    day: Date,
    filled: Filled,
    /// What the journal says of it, where it holds personal data.
    told: Option<Told>,
}

enum Filled {
    Services { about: About, lines: [Vec<Registered>; 2] },
    Accounts { about: About, accounts: Vec<Account> },
    Organisation(Signer),
    Individuals(Vec<Signer>),
}

struct Told {
    kind: &'static str,
    system: SystemId,
    detail: String,
}

/// A paper that nobody has yet.
pub struct Printed {
    pdf: Pdf,
    told: Option<Told>,
}

impl Draft {
    /// The file.
    ///
    /// # Errors
    /// It could not be made.
    pub fn print(self) -> Result<Printed, Refused> {
        let (edition, day) = (self.edition, self.day);
        let pdf = match &self.filled {
            Filled::Services { about, lines: [in_hours, off_hours] } => {
                forms::service_registration(edition, about, [in_hours, off_hours], day)
            }
            Filled::Accounts { about, accounts } => {
                forms::account_list(edition, about, accounts, day)
            }
            Filled::Organisation(signer) => forms::organisation_commitment(edition, signer, day),
            Filled::Individuals(signers) => forms::individual_commitments(edition, signers, day),
        };
        let damaged = |_| Refused::Store(dancu_store::Error::Damaged("paper"));
        Ok(Printed { pdf: pdf.map_err(damaged)?, told: self.told })
    }
}

impl Printed {
    /// Journals it where it holds personal data, and gives it.
    ///
    /// # Errors
    /// Nothing could be journaled: nobody gets it.
    pub async fn hand_out(self, desk: &HeadDesk<'_>) -> Result<Pdf, Refused> {
        if let Some(Told { kind, system, detail }) = self.told {
            let entry = Entry::new(kind, desk.by, Some(system));
            note((desk.store, desk.now), entry, move |_| Ok((detail, ()))).await?;
        }
        Ok(self.pdf)
    }
}

/// The service registration form of a system, from its lines (B5). `name` gives a service in words.
///
/// # Errors
/// The unit has no such system; the store could not be read.
pub async fn service_registration(
    desk: &HeadDesk<'_>,
    system: SystemId,
    contact: Contact,
    name: impl Fn(Service) -> String,
) -> Result<Draft, Refused> {
    let system = own(desk, system)?;
    let about = about(desk, system, contact).await?;
    let filled = Filled::Services { about, lines: lines(desk, system, name) };
    draft(desk, Form::ServiceRegistration, filled, None)
}

/// The same as a spreadsheet, to be changed and sent back.
///
/// # Errors
/// The unit has no such system; the file could not be made.
pub async fn service_sheet(
    desk: &HeadDesk<'_>,
    system: SystemId,
    contact: Contact,
    name: impl Fn(Service) -> String,
) -> Result<Vec<u8>, Refused> {
    let system = own(desk, system)?;
    let [in_hours, off_hours] = lines(desk, system, name);
    let (about, day) = (about(desk, system, contact).await?, desk.now.viet_nam_date());
    services::write(&about, [&in_hours, &off_hours], day)
        .map_err(|_| Refused::Store(dancu_store::Error::Damaged("registration form")))
}

/// The lines of a system, in hours and off hours.
fn lines(
    desk: &HeadDesk<'_>,
    system: &System,
    name: impl Fn(Service) -> String,
) -> [Vec<Registered>; 2] {
    [Window::InHours, Window::OffHours].map(|window| {
        let row = |grant: &ServiceGrant| {
            Some(Registered {
                service: name(grant.service),
                daily: grant.line(window)?.daily,
                purpose: purposes(
                    system,
                    ServiceSet::of(&[grant.service]),
                    desk.now.viet_nam_date(),
                ),
            })
        };
        system.services.iter().flatten().filter_map(row).collect()
    })
}

/// Purposes of the procedures that use one of the services (A5), each once.
fn purposes(system: &System, services: ServiceSet, day: Date) -> String {
    let used = system.procedures.values();
    let used = used.filter(|p| p.services.0 & services.0 != 0 && p.valid.contains(day));
    let mut all: Vec<&str> = used.filter_map(|p| p.purpose.as_ref()).map(Purpose::as_str).collect();
    all.sort_unstable();
    all.dedup();
    all.join("; ")
}

/// The account list of a system (B6).
///
/// # Errors
/// The unit has no such system; the store could not be read.
pub async fn account_list(
    desk: &HeadDesk<'_>,
    system: SystemId,
    contact: Contact,
) -> Result<Draft, Refused> {
    let of = own(desk, system)?;
    let known = desk.store.account_list(system).await?;
    let further = Further::of(desk, system).await?;
    let accounts = known.iter().filter(|k| is_officer(k)).map(|k| account(k, &further));
    let accounts: Vec<Account> = accounts.collect();
    let detail = format!("{}: {} tài khoản, PDF", of.code.as_str(), accounts.len());
    let told = Told { kind: "accounts.exported", system, detail };
    let about = about(desk, of, contact).await?;
    draft(desk, Form::AccountList, Filled::Accounts { about, accounts }, Some(told))
}

/// The organisation's commitment (B7), with what is known of whoever signs.
///
/// # Errors
/// No edition is in force yet; the store could not be read.
pub async fn organisation_commitment(
    desk: &HeadDesk<'_>,
    signer: Signer,
) -> Result<Draft, Refused> {
    let signer = Signer { unit: unit(desk).await?, ..signer };
    draft(desk, Form::OrganisationCommitment, Filled::Organisation(signer), None)
}

/// Whose commitments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// Of one account.
    One(AccountId),
    /// A part of the list, from 0, of [`COMMITMENTS_MAX`] officers.
    Part(usize),
}

/// Individual commitments of officers of a system (B7), each on pages of its own.
///
/// # Errors
/// The unit has no such system, or it no such officers; the store could not be read.
pub async fn individual_commitments(
    desk: &HeadDesk<'_>,
    system: SystemId,
    whose: Whose,
) -> Result<Draft, Refused> {
    let of = own(desk, system)?;
    let known = desk.store.account_list(system).await?;
    let officers = known.iter().filter(|k| is_officer(k));
    let chosen: Vec<&Listed> = match whose {
        Whose::One(id) => officers.filter(|k| k.account.id == id).collect(),
        Whose::Part(part) => {
            officers.skip(part.saturating_mul(COMMITMENTS_MAX)).take(COMMITMENTS_MAX).collect()
        }
    };
    if chosen.is_empty() {
        return Err(Refused::Gone);
    }
    let detail = match (whose, chosen.as_slice()) {
        (Whose::One(_), [one]) => format!("{}: #{}", of.code.as_str(), one.account.id.0),
        _ => format!("{}: {} cán bộ", of.code.as_str(), chosen.len()),
    };
    let unit = unit(desk).await?;
    let signers = chosen.into_iter().map(|listed| signer(&unit, listed)).collect();
    let told = Told { kind: "commitments.exported", system, detail };
    draft(desk, Form::IndividualCommitment, Filled::Individuals(signers), Some(told))
}

/// How many files the individual commitments of a system take.
///
/// # Errors
/// The store could not be read.
pub async fn commitment_parts(desk: &HeadDesk<'_>, system: SystemId) -> Result<usize, Refused> {
    let known = desk.store.account_list(system).await?;
    Ok(known.iter().filter(|k| is_officer(k)).count().div_ceil(COMMITMENTS_MAX))
}

fn draft(
    desk: &HeadDesk<'_>,
    form: Form,
    filled: Filled,
    told: Option<Told>,
) -> Result<Draft, Refused> {
    let day = desk.now.viet_nam_date();
    let edition = Edition::at(form, day).ok_or(Refused::Gone)?;
    Ok(Draft { edition, day, filled, told })
}

fn own<'a>(desk: &'a HeadDesk<'_>, system: SystemId) -> Result<&'a System, Refused> {
    let found = desk.snapshot.by_id(system).filter(|s| s.unit == *desk.unit);
    found.map(|system| &**system).ok_or(Refused::Gone)
}

async fn about(desk: &HeadDesk<'_>, system: &System, contact: Contact) -> Result<About, Refused> {
    Ok(About { unit: unit(desk).await?, system: system.code.as_str().to_owned(), contact })
}

/// The unit's name today, as papers are signed with it; its code where it has none.
async fn unit(desk: &HeadDesk<'_>) -> Result<String, Refused> {
    let units = crate::units::known(desk.store, desk.now.viet_nam_date()).await?;
    let name = units.tree.get(desk.unit).map_or(desk.unit.as_str(), |unit| unit.name());
    Ok(name.to_owned())
}

/// Whether an account stands on the list: of an officer, not revoked.
fn is_officer(listed: &Listed) -> bool {
    let account = &listed.account;
    account.kind == AccountKind::Officer && account.state != AccountState::Revoked
}

/// What only the form of 2021 asks of accounts.
pub(crate) struct Further<'a> {
    system: &'a System,
    day: Date,
    /// By folded login.
    roles: HashMap<String, String>,
}

impl<'a> Further<'a> {
    /// Of a system of the unit.
    pub(crate) async fn of(desk: &'a HeadDesk<'_>, system: SystemId) -> Result<Self, Refused> {
        let stored = desk.store.dossiers().of_system(system).await?;
        let content = stored.as_ref().and_then(|s| s.dossier.in_force());
        let rows = content.map(|c| c.accounts.as_slice()).unwrap_or_default();
        let role = |row: &AccountRow| (row.login.trim().to_ascii_lowercase(), row.role.clone());
        let roles = rows.iter().map(role).collect();
        Ok(Self { system: own(desk, system)?, day: desk.now.viet_nam_date(), roles })
    }

    /// Its role, as the dossier in force has it.
    pub(crate) fn role(&self, listed: &Listed) -> &str {
        self.roles.get(&listed.account.login.folded()).map_or("", String::as_str)
    }

    /// What the procedures are for that use its services (A5).
    pub(crate) fn purpose(&self, listed: &Listed) -> String {
        purposes(self.system, listed.account.services, self.day)
    }
}

fn account(listed: &Listed, further: &Further<'_>) -> Account {
    let account = &listed.account;
    Account {
        login: account.login.as_str().to_owned(),
        name: listed.full_name.clone(),
        personal_id: account.citizen_id.map(|id| id.to_string()).unwrap_or_default(),
        officer_code: account.officer_code.as_ref().map_or("", |c| c.as_str()).to_owned(),
        phone: listed.phone.clone(),
        daily: account.daily,
        role: further.role(listed).to_owned(),
        purpose: further.purpose(listed),
    }
}

fn signer(unit: &str, listed: &Listed) -> Signer {
    Signer {
        name: listed.full_name.clone(),
        personal_id: listed.account.citizen_id.map(|id| id.to_string()).unwrap_or_default(),
        phone: listed.phone.clone(),
        position: String::new(),
        unit: unit.to_owned(),
    }
}
