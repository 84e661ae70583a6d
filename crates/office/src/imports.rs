//! What is live already enters at once (B3, B4): systems with their lines, accounts and procedures
//! from one workbook, or its sheets as CSV files. It is looked at first, row by row; then all of it
//! enters in one transaction, or nothing does. A system that has entered before is left as it is.
//!
//! Each system is live by the recorded exemption "live before", has a dossier that is incomplete,
//! and stands in a campaign: it is served until the campaign's deadline.

mod export;
mod layout;
mod read;

use std::sync::Arc;

use dancu_domain::campaigns::{Campaign, CampaignId, Plan, Task};
use dancu_domain::credentials::SoapAccess;
use dancu_domain::dossier::{Blocked, Content, Dossier, Mark};
use dancu_domain::ids::{SystemCode, SystemId, UnitCode};
use dancu_domain::moment::Moment;
use dancu_domain::registration::{Channel, Group, System};
use dancu_domain::rule::RuleId;
use dancu_domain::units::Tree;
use dancu_store::dossiers::{self, Event};
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::policy::credentials::{self, Names};
use dancu_store::policy::{setup, write};
use dancu_store::{Store, campaigns};

pub use self::export::export;
pub use self::layout::{SHEETS, template};
pub use self::read::{Book, look, open};
use crate::act::{Actor, Done, Entry, Refused, carry_out};
use crate::dossiers::live::client;
use crate::dossiers::{living_in, today};

/// What is wrong in the workbook.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    /// Name of the sheet.
    pub sheet: &'static str,
    /// The row, from 1.
    pub line: u32,
    /// Head of the column; where the row as a whole is meant, that of its key.
    pub column: &'static str,
    /// One sentence in Vietnamese; it holds nothing that stands in the row.
    pub vi: &'static str,
    /// The same in English.
    pub en: &'static str,
    /// The rule.
    pub rule: RuleId,
}

impl Wrong {
    /// Where, what and by which rule, in Vietnamese and in English.
    #[must_use]
    pub fn sentence(&self) -> (String, String) {
        let Self { sheet, line, column, vi, en, rule } = self;
        let at = |word: &str| {
            if column.is_empty() { String::new() } else { format!(", {word} “{column}”") }
        };
        (
            format!("{sheet}, dòng {line}{}: {vi} ({rule})", at("cột")),
            format!("{sheet}, row {line}{}: {en} ({rule})", at("column")),
        )
    }
}

/// A system that would enter.
#[derive(Clone)]
pub struct Entering {
    /// Code.
    pub code: SystemCode,
    /// Its unit.
    pub unit: UnitCode,
    /// The unit's group (A1).
    pub group: Group,
    /// Channel that it uses.
    pub channel: Channel,
    /// What its dossier says.
    pub content: Content,
    /// The SOAP user and secret that it has already.
    pub soap: Option<SoapAccess>,
}

/// It names people.
impl std::fmt::Debug for Entering {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Entering({})", self.code)
    }
}

/// A workbook that was looked at; nothing has been changed.
#[derive(Clone, Default, Debug)]
pub struct Look {
    /// Systems that would enter.
    pub entering: Vec<Entering>,
    /// Systems that have entered before.
    pub known: Vec<SystemCode>,
    /// What is wrong; nothing enters while there is any.
    pub wrong: Vec<Wrong>,
}

impl Look {
    /// Lines and accounts that would enter.
    #[must_use]
    pub fn sums(&self) -> (usize, usize) {
        let sum = |of: fn(&Content) -> usize| self.entering.iter().map(|e| of(&e.content)).sum();
        (sum(|c| c.lines.len()), sum(|c| c.accounts.len()))
    }
}

/// Who lets systems enter.
#[derive(Clone, Copy)]
pub struct ImportDesk<'a> {
    /// The open data.
    pub store: &'a Store,
    /// The product's time.
    pub now: Moment,
    /// Who acts, and approves the exemption.
    pub by: &'a Actor,
    /// Why ([`reason`](crate::act::reason)).
    pub reason: &'a str,
}

/// What entered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entered {
    /// Systems.
    pub systems: usize,
    /// The campaign that their dossiers are in.
    pub campaign: CampaignId,
}

/// Lets what was looked at enter; `plan` is the campaign, whose document is the ground of the
/// exemption. None where every system has entered before: then nothing is changed.
///
/// # Errors
/// [`Refused::Field`] where something is wrong in the workbook or the plan; a system with one of
/// the codes was registered meanwhile.
pub async fn import(
    desk: &ImportDesk<'_>,
    look: Look,
    plan: Plan,
) -> Result<Option<(Done, Entered)>, Refused> {
    if let Some(first) = look.wrong.first() {
        let (vi, en) = first.sentence();
        return Err(Refused::Field { field: "file", vi, en });
    }
    if look.entering.is_empty() {
        return Ok(None);
    }
    let inside = Inside {
        keys: desk.store.keys().clone(),
        mark: Mark { by: desk.by.number(), at: desk.now },
        approver: desk.by.journaled(),
        told: desk.by.told(),
        profile: desk.store.profiles().at(desk.now).clone(),
    };
    let reason = desk.reason.to_owned();
    let entry = Entry::new("system.imported", desk.by, None);
    let (sums, known) = (look.sums(), look.known.len());
    let entered = carry_out((desk.store, desk.now), entry, move |tx, _| {
        let campaign = Campaign::begin(plan, inside.mark).map_err(crate::campaigns::refused)?;
        let id = campaigns::insert(tx, &inside.keys, &campaign)?;
        let tree = today(tx, &inside.keys, inside.mark.at)?;
        let mut names = credentials::names(tx, &inside.keys)?;
        for one in &look.entering {
            let one = as_it_stands(tx, &tree, &names, one)?;
            let system = inside.enter(tx, (id, &campaign), &one)?;
            names.users.extend(one.soap.map(|soap| (soap.user, system)));
        }
        let systems = look.entering.len();
        let (lines, accounts) = sums;
        let codes: Vec<&str> = look.entering.iter().map(|e| e.code.as_str()).collect();
        let detail = format!(
            "{systems} hệ thống, {lines} dòng dịch vụ, {accounts} tài khoản: {}; {known} hệ thống \
             đã có; {id} {}; lý do: {reason}",
            codes.join(" "),
            campaign.because()
        );
        Ok((detail, Entered { systems, campaign: id }))
    });
    let entered = entered.await?;
    crate::campaigns::open_waiting(desk.store, desk.now).await?;
    Ok(Some(entered))
}

/// What is needed on the writer's thread.
struct Inside {
    keys: Arc<Keyring>,
    mark: Mark,
    approver: String,
    /// As units read who did it (A6).
    told: String,
    profile: dancu_domain::profile::Profile,
}

impl Inside {
    fn enter(
        &self,
        tx: &mut Tx<'_>,
        (id, campaign): (CampaignId, &Campaign),
        one: &Entering,
    ) -> Result<SystemId, Refused> {
        let keys = &self.keys;
        let (highest, ..) = write::highest_ids(tx)?;
        let system = SystemId(highest.0 + 1);
        let mut row = System::new(system, one.code.clone(), one.unit.clone(), one.group);
        row.soap.clone_from(&one.soap);
        row.oauth = (one.channel == Channel::Api).then(|| client(&one.code));
        // A2: what is live beyond its group's channels is approved with the exemption.
        if !self.profile.channels[one.group as usize - 1].contains(&one.channel) {
            row.channel_exceptions = vec![one.channel];
        }
        write::insert_system(tx, keys, &row, &[])?;
        let plan = campaign.plan();
        let (dossier, registration, clearance) = Dossier::live_before(
            (dossiers::next_number(tx)?, system),
            (one.unit.clone(), one.group, one.channel),
            self.mark,
            one.content.clone(),
            (&plan.document, plan.dated, &self.approver),
        )?;
        setup::register(tx, keys, system, &registration)?;
        setup::go_live(tx, keys, system, &clearance)?;
        dossiers::insert(tx, keys, &dossier)?;
        let event = Event {
            at: self.mark.at,
            kind: "system.imported".to_owned(),
            actor: self.told.clone(),
            detail: format!("{id} {}", campaign.because()),
        };
        dossiers::note_event(tx, keys, dossier.number(), &event)?;
        let task = Task::new(plan.deadline);
        campaigns::insert_task(tx, keys, id, (dossier.number(), system), &task)?;
        Ok(system)
    }
}

/// A system that was looked at, with the unit that stands for its unit now: meanwhile units
/// were merged, and codes and SOAP users given.
fn as_it_stands(
    tx: &mut Tx<'_>,
    tree: &Tree,
    names: &Names,
    one: &Entering,
) -> Result<Entering, Refused> {
    if setup::by_code(tx, &one.code)?.is_some() {
        return Err(Blocked::CodeTaken.into());
    }
    if one.soap.as_ref().is_some_and(|soap| names.users.contains_key(&soap.user)) {
        return Err(Refused::Field {
            field: "file",
            vi: format!("{}: tên truy cập SOAP này đã thuộc hệ thống khác (H1).", one.code),
            en: format!("{}: the SOAP user belongs to another system (H1).", one.code),
        });
    }
    let client = client(&one.code).client_id;
    if one.channel == Channel::Api && names.clients.contains_key(&client) {
        return Err(Blocked::CodeTaken.into());
    }
    let (unit, group) = living_in(tree, &one.unit)?;
    Ok(Entering { unit, group: group.unwrap_or(one.group), ..one.clone() })
}
