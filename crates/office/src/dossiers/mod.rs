//! Connection dossiers (B1-B3): what the unit does with one. Reviewers act in [`review`], what sets
//! a connection up or ends it stands in [`live`], what pages read in [`read`].
//!
//! Each act loads the dossier as it stands in its transaction, lets `domain` decide, and saves it
//! with one journal entry `dossier.*` and one event of its history. Whoever acts names the revision
//! that they looked at: of two at once the second is refused and has lost nothing.

mod copies;
mod files;
pub mod live;
pub mod read;
pub mod review;
pub mod tested;
mod told;

use std::sync::Arc;

pub use self::copies::{NewCopy, receive_copy, tell_of_copy};
pub(crate) use self::files::told;
pub use self::files::{Brought, Fetched, attach, detach, fetch, refused_by_scanner};
use dancu_domain::dossier::{
    Blocked, Comment, Content, Dossier, DossierNumber, Editor, Mark, Part, Registered, Stage,
};
use dancu_domain::ids::{SystemId, UnitCode};
use dancu_domain::moment::Moment;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::profile::Profile;
use dancu_domain::registration::{AccountState, Channel, Group};
use dancu_domain::units::{Tree, UnitKind, UnitRefusal};
use dancu_store::dossiers::{self, Event, Stored};
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::policy::accounts::{self, Listed};
use dancu_store::{Error, Store, units};

use crate::act::{Actor, Done, Entry, Refused, carry_out, note};
use crate::campaigns::{self, Became};
use crate::documents::Issuing;
use crate::units::refused;

/// Dossiers of one unit that are under way at a time: twice the systems that a large unit runs
/// (*ours*).
pub const UNDER_WAY_MAX: u32 = 50;

/// From which side somebody works on dossiers. Whether they may is asked of `domain` by who calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side<'a> {
    /// Head or deputy of a unit.
    Unit(&'a UnitCode),
    /// Integrator of a unit: technical items only (A6).
    Integrator(&'a UnitCode),
    /// Reviewers, assessors and operators.
    Centre,
}

impl Side<'_> {
    fn covers(&self, whose: &UnitCode) -> bool {
        match self {
            Self::Unit(unit) | Self::Integrator(unit) => whose == *unit,
            Self::Centre => true,
        }
    }
}

/// Where somebody works on dossiers.
#[derive(Clone, Copy)]
pub struct DossierDesk<'a> {
    /// The open data.
    pub store: &'a Store,
    /// The product's time.
    pub now: Moment,
    /// Who acts: a signed-in person.
    pub by: &'a Actor,
    /// From which side.
    pub side: Side<'a>,
}

/// The dossier of an act, as who acts looked at it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct At {
    /// Which.
    pub number: DossierNumber,
    /// At which revision.
    pub revision: i64,
}

/// What an act gave: its entry, and the revision to go on from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Went {
    /// The entry.
    pub done: Done,
    /// The revision that the dossier has now.
    pub revision: i64,
}

/// A transition as an act hands it over: the dossier and what the entry says.
type Moved = Result<(Dossier, String), Refused>;

/// What acts share inside their transaction.
struct Inside {
    keys: Arc<Keyring>,
    at: At,
    mark: Mark,
    kind: &'static str,
    actor: String,
    unit: Option<UnitCode>,
    profile: Profile,
}

impl Inside {
    /// Loads the dossier, if it is still as it was looked at.
    fn load(&self, tx: &mut Tx<'_>) -> Result<Stored, Refused> {
        let found = dossiers::by_number(tx, &self.keys, self.at.number)?.ok_or(Refused::Gone)?;
        if self.unit.as_ref().is_some_and(|unit| found.dossier.unit() != unit) {
            return Err(Refused::Gone);
        }
        if found.revision != self.at.revision {
            return Err(Blocked::ChangedMeanwhile.into());
        }
        Ok(found)
    }

    /// Saves what became of it, with the event; gives the detail of the entry and the revision.
    fn keep(
        &self,
        tx: &mut Tx<'_>,
        (dossier, what): (Dossier, String),
    ) -> Result<(String, i64), Refused> {
        let head = format!("{} {} {}", self.at.number, dossier.unit(), dossier.stage().code());
        let detail = if what.is_empty() { head } else { format!("{head}; {what}") };
        let stored = Stored { dossier, revision: self.at.revision };
        dossiers::save(tx, &self.keys, &stored)?;
        let Stored { dossier, .. } = stored;
        self.tell(tx, &detail)?;
        self.notify(tx, &dossier)?;
        Ok((detail, self.at.revision + 1))
    }

    /// Documents that the act issues.
    fn issuing(&self) -> Issuing<'_> {
        Issuing { keys: &self.keys, mark: self.mark }
    }

    /// What the campaign that the dossier is in makes of it (B4).
    fn follow(
        &self,
        tx: &mut Tx<'_>,
        dossier: &Dossier,
        became: Became,
    ) -> Result<String, Refused> {
        campaigns::follow(tx, (&self.keys, self.mark), dossier, became)
    }

    fn tell(&self, tx: &mut Tx<'_>, detail: &str) -> Result<(), Refused> {
        let event = Event {
            at: self.mark.at,
            kind: self.kind.to_owned(),
            actor: self.actor.clone(),
            detail: detail.to_owned(),
        };
        Ok(dossiers::note_event(tx, &self.keys, self.at.number, &event)?)
    }
}

impl DossierDesk<'_> {
    fn mark(&self) -> Result<Mark, Refused> {
        let by = self.by.person().ok_or(PortalReason::NoPower)?;
        Ok(Mark { by, at: self.now })
    }

    fn profile(&self) -> Profile {
        self.store.profiles().at(self.now).clone()
    }

    fn inside(&self, at: At, kind: &'static str) -> Result<Inside, Refused> {
        let unit = match self.side {
            Side::Unit(unit) | Side::Integrator(unit) => Some(unit.clone()),
            Side::Centre => None,
        };
        let (keys, actor) = (self.store.keys().clone(), self.by.told());
        let (mark, profile) = (self.mark()?, self.profile());
        Ok(Inside { keys, at, mark, kind, actor, unit, profile })
    }

    /// The entry of an act on a dossier, found by its system too once there is one.
    async fn entry(&self, at: At, kind: &'static str) -> Result<Entry, Refused> {
        let found = self.store.dossiers().by_number(at.number).await?.ok_or(Refused::Gone)?;
        if !self.side.covers(found.dossier.unit()) {
            return Err(Refused::Gone);
        }
        Ok(Entry::new(kind, self.by, found.dossier.system()))
    }

    /// A transition that changes no policy.
    async fn step(
        &self,
        at: At,
        kind: &'static str,
        change: impl FnOnce(Dossier, &Inside) -> Moved + Send + 'static,
    ) -> Result<Went, Refused> {
        self.look_and_step(at, kind, |_, dossier, inside| change(dossier, inside)).await
    }

    /// The same, of what stands beside the dossier too.
    async fn look_and_step(
        &self,
        at: At,
        kind: &'static str,
        change: impl FnOnce(&mut Tx<'_>, Dossier, &Inside) -> Moved + Send + 'static,
    ) -> Result<Went, Refused> {
        let (entry, inside) = (self.entry(at, kind).await?, self.inside(at, kind)?);
        let done = note((self.store, self.now), entry, move |tx| {
            let found = inside.load(tx)?;
            let moved = change(tx, found.dossier, &inside)?;
            inside.keep(tx, moved)
        });
        done.await.map(|(done, revision)| Went { done, revision })
    }

    /// A transition that changes policy, in force for the next question.
    async fn settle(
        &self,
        at: At,
        kind: &'static str,
        change: impl FnOnce(&mut Tx<'_>, Dossier, &Inside) -> Moved + Send + 'static,
    ) -> Result<Went, Refused> {
        let (entry, inside) = (self.entry(at, kind).await?, self.inside(at, kind)?);
        let done = carry_out((self.store, self.now), entry, move |tx, _| {
            let found = inside.load(tx)?;
            let moved = change(tx, found.dossier, &inside)?;
            inside.keep(tx, moved)
        });
        done.await.map(|(done, revision)| Went { done, revision })
    }
}

/// Begins a dossier of the unit; gives its number.
///
/// # Errors
/// [`PortalReason::NoPower`] where no unit's people act; [`Refused::Field`] where too many are
/// under way.
pub async fn begin(
    desk: &DossierDesk<'_>,
    (group, channel): (Group, Channel),
) -> Result<(Done, DossierNumber), Refused> {
    let Side::Unit(unit) = desk.side else { return Err(PortalReason::NoPower.into()) };
    let (mark, unit, kind) = (desk.mark()?, unit.clone(), "dossier.begun");
    let (keys, actor) = (desk.store.keys().clone(), desk.by.told());
    let begun = note((desk.store, desk.now), Entry::new(kind, desk.by, None), move |tx| {
        if dossiers::under_way(tx, &unit)? >= UNDER_WAY_MAX {
            return Err(Refused::Field {
                field: "unit",
                vi: "Đơn vị có quá nhiều hồ sơ chưa xong; rút bớt rồi lập lại (B3).".into(),
                en: "Too many dossiers of the unit are under way; withdraw some first (B3).".into(),
            });
        }
        let (unit, told) = living(tx, &keys, mark.at, &unit)?;
        let group = told.unwrap_or(group);
        let number = dossiers::next_number(tx)?;
        let dossier = Dossier::begin(number, unit.clone(), (group, channel), mark);
        dossiers::insert(tx, &keys, &dossier)?;
        let detail = format!("{number} {unit} {}; nhóm {}", Stage::Draft.code(), group as u8);
        let event = Event { at: mark.at, kind: kind.into(), actor, detail: detail.clone() };
        dossiers::note_event(tx, &keys, number, &event)?;
        Ok((detail, number))
    });
    begun.await
}

/// Saves a draft as far as it is; of an integrator the technical items are taken (A6). What is
/// wrong with it is listed by [`read::open`].
///
/// # Errors
/// [`Refused::Gone`], [`Refused::Dossier`].
pub async fn save(desk: &DossierDesk<'_>, at: At, content: Content) -> Result<Went, Refused> {
    let editor = match desk.side {
        Side::Unit(_) => Editor::Unit,
        Side::Integrator(_) => Editor::Integrator,
        Side::Centre => return Err(PortalReason::NoPower.into()),
    };
    let saved = desk.step(at, "dossier.saved", move |dossier, inside| {
        let before = dossier.content().clone();
        let after = dossier.save(inside.mark, editor, content)?;
        let changed = dancu_domain::dossier::compare(&before, after.content());
        let items: Vec<&str> = changed.iter().map(|d| d.item.code()).collect();
        Ok((after, format!("mục: {}", items.join(" "))))
    });
    saved.await
}

/// Signs a paper (B7). The route asks for a fresh factor.
///
/// # Errors
/// As [`save`]; nobody but head and deputies signs.
pub async fn sign(desk: &DossierDesk<'_>, at: At, part: Part) -> Result<Went, Refused> {
    only_unit(desk)?;
    let signed = desk.step(at, "dossier.signed", move |dossier, inside| {
        let after = dossier.sign(inside.mark, part, &inside.profile)?;
        let what = format!("{} bản {}", part.code(), after.paper(part).version);
        Ok((after, what))
    });
    signed.await
}

/// Hands it in. `carry_over`: what was filled in on an older edition of a form is meant (B2).
///
/// # Errors
/// As [`sign`].
pub async fn submit(desk: &DossierDesk<'_>, at: At, carry_over: bool) -> Result<Went, Refused> {
    only_unit(desk)?;
    let submitted = desk.look_and_step(at, "dossier.submitted", move |tx, dossier, inside| {
        files::scanned(tx, &dossier, inside)?;
        let after = dossier.submit(inside.mark, carry_over, &inside.profile)?;
        let carried = if carry_over { ", chuyển nội dung từ mẫu cũ" } else { "" };
        let what = format!("lần nộp {}{carried}", after.version());
        Ok((after, what))
    });
    submitted.await
}

/// Takes it back; of one that is live the change under way ends and the connection goes on.
///
/// # Errors
/// As [`sign`]; [`Refused::NoReason`].
pub async fn withdraw(desk: &DossierDesk<'_>, at: At, reason: &str) -> Result<Went, Refused> {
    only_unit(desk)?;
    let what = format!("lý do: {}", crate::act::reason(reason)?);
    let withdrawn = desk.look_and_step(at, "dossier.withdrawn", move |tx, dossier, inside| {
        let after = dossier.clone().withdraw(inside.mark)?;
        let files = files::take_back(tx, (&dossier, &after), inside)?;
        Ok((after, format!("{what}{files}")))
    });
    withdrawn.await
}

/// Answers a comment, by its place in the dossier.
///
/// # Errors
/// As [`save`].
pub async fn answer(
    desk: &DossierDesk<'_>,
    at: At,
    comment: usize,
    text: &str,
) -> Result<Went, Refused> {
    if desk.side == Side::Centre {
        return Err(PortalReason::NoPower.into());
    }
    let (text, integrator) = (text.to_owned(), matches!(desk.side, Side::Integrator(_)));
    let answered = desk.step(at, "dossier.answered", move |dossier, inside| {
        let technical = |c: &Comment| c.item.is_technical();
        if integrator && !dossier.comments().get(comment).is_some_and(technical) {
            return Err(Blocked::TechnicalOnly.into());
        }
        Ok((dossier.answer(inside.mark, comment, &text)?, format!("góp ý {}", comment + 1)))
    });
    answered.await
}

/// A dossier with its account list as it is registered now (B6, B9, E3), where it can be changed
/// while its connection goes on.
pub(crate) fn listed_anew(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    dossier: Dossier,
    mark: Mark,
) -> Result<Dossier, Refused> {
    match dossier.system() {
        Some(system) if dossier.in_force().is_some() => {
            let known = registered(accounts::of_system(tx, keys, system)?);
            Ok(dossier.with_accounts(mark, &known)?)
        }
        _ => Ok(dossier),
    }
}

/// Accounts of a list that are not revoked.
pub(crate) fn registered(listed: Vec<Listed>) -> Vec<Registered> {
    let kept = listed.into_iter().filter(|l| l.account.state != AccountState::Revoked);
    kept.map(|l| (l.account, l.full_name, l.phone)).collect()
}

/// Whether the channel that a dossier asks for lies beyond a group's (A2).
fn beyond_group(dossier: &Dossier, group: Group, profile: &Profile) -> bool {
    !profile.channels[group as usize - 1].contains(&dossier.channel())
}

/// The living unit that a code stands for (B4), and its group (A1) where its kind is told. A unit
/// that housekeeping has not founded yet stands for itself.
///
/// # Errors
/// [`UnitRefusal::Ended`] where it is no more and nobody took over.
fn living(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    now: Moment,
    unit: &UnitCode,
) -> Result<(UnitCode, Option<Group>), Refused> {
    living_in(&today(tx, keys, now)?, unit)
}

/// The units of the day, as they stand in this transaction.
pub(crate) fn today(tx: &mut Tx<'_>, keys: &Keyring, now: Moment) -> Result<Tree, Refused> {
    let known: Vec<_> = units::all(tx, keys)?.into_iter().map(|w| w.event).collect();
    let tree = Tree::on(&known, now.viet_nam_date());
    Ok(tree.map_err(|_| Error::Damaged("unit_event"))?)
}

/// [`living`] among the units of the day.
pub(crate) fn living_in(
    tree: &Tree,
    unit: &UnitCode,
) -> Result<(UnitCode, Option<Group>), Refused> {
    if tree.get(unit).is_none() {
        return Ok((unit.clone(), None));
    }
    let found = tree.resolve(unit).ok_or_else(|| refused(UnitRefusal::Ended))?;
    let told = found.about.kind != UnitKind::Untold;
    Ok((found.code.clone(), told.then_some(found.about.group)))
}

/// Files are the unit's; an integrator brings those of the technical papers (A6).
fn only_files_of(desk: &DossierDesk<'_>, part: Part) -> Result<(), Refused> {
    match desk.side {
        Side::Unit(_) => Ok(()),
        Side::Integrator(_) if matches!(part, Part::Security | Part::Registration) => Ok(()),
        Side::Integrator(_) => Err(Blocked::TechnicalOnly.into()),
        Side::Centre => Err(PortalReason::NoPower.into()),
    }
}

fn only_unit(desk: &DossierDesk<'_>) -> Result<(), Refused> {
    match desk.side {
        Side::Unit(_) => Ok(()),
        Side::Integrator(_) | Side::Centre => Err(PortalReason::NoPower.into()),
    }
}

fn only_centre(desk: &DossierDesk<'_>) -> Result<(), Refused> {
    match desk.side {
        Side::Centre => Ok(()),
        Side::Unit(_) | Side::Integrator(_) => Err(PortalReason::NoPower.into()),
    }
}

/// The system of a dossier that has come so far.
fn system_of(dossier: &Dossier) -> Result<SystemId, Refused> {
    dossier.system().ok_or(Refused::Dossier(Blocked::NotInThisStage))
}
