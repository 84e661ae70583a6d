//! Units (B4, B8, B9): what happened to them is written down, and what is live follows its unit.
//!
//! A merge hands systems with their lines and accounts, and the people of the old unit with their
//! roles and dossiers, to the heir: at once, or on its day by [`keep`], which housekeeping calls.
//! Connections go on; entries of the journal keep the old code.
//!
//! **Invariant:** an event is written only if with it all that is known makes a tree on each day.

mod carry;
mod load;
mod preview;

use std::sync::Arc;

use dancu_domain::dossier::Mark;
use dancu_domain::ids::{SystemId, UnitCode};
use dancu_domain::moment::Moment;
use dancu_domain::people::PersonId;
use dancu_domain::units::{
    About, Change, Event, Tree, Unit, UnitKind, UnitName, UnitRefusal, standing,
};
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::people::Person;
use dancu_store::policy::accounts;
use dancu_store::units::{self, Written};
use dancu_store::{Error, Store};
use jiff::civil::Date;

use self::carry::hand_over;
pub use self::carry::{Moved, keep};
pub use self::load::{Loaded, load};
pub use self::preview::{Live, Preview, Wider, preview};
pub use crate::act::refused;
use crate::act::{Actor, Done, Entry, Refused, carry_out, note, refused_with};

/// Units that one act merges (*ours*: more than any commune of 2026 was made of).
pub const MERGED_MAX: usize = 30;
/// An event may be dated so many days ahead (*ours*): reorganisations are decided within a year.
pub const AHEAD_DAYS: i64 = 366;

/// Who acts on units, and why.
#[derive(Clone, Copy)]
pub struct UnitsDesk<'a> {
    /// The open data.
    pub store: &'a Store,
    /// The product's time.
    pub now: Moment,
    /// Who acts.
    pub actor: &'a Actor,
    /// Why ([`reason`](crate::act::reason)); empty where a unit tells something of itself.
    pub reason: &'a str,
    /// Whether the unit itself tells it (B9).
    pub own: bool,
}

/// The tree of today, with what is dated ahead.
#[derive(Clone, Default)]
pub struct Known {
    /// Everything that was written down.
    pub written: Arc<[Written]>,
    /// The tree of the day.
    pub tree: Arc<Tree>,
    /// Numbers of the events that were annulled before their day.
    pub annulled: Arc<[i64]>,
}

impl Known {
    /// As it will be on the day on which a unit is founded that is not there yet.
    #[must_use]
    pub fn ahead(&self, unit: &UnitCode) -> Option<Self> {
        let founding = |w: &&Written| {
            let founds = matches!(w.event.change, Change::Founded { .. });
            founds && w.event.unit == *unit && !self.annulled.contains(&w.id)
        };
        let day = self.written.iter().find(founding)?.event.day;
        let tree = tree(&self.written, day).ok()?;
        Some(Self { tree: Arc::new(tree), ..self.clone() })
    }
}

/// The tree of a day.
///
/// # Errors
/// The store could not be read, or what it holds makes no tree.
pub async fn known(store: &Store, day: Date) -> Result<Known, Error> {
    let written = store.units().all().await?;
    let tree = tree(&written, day)?;
    let annulled = annulled(&written)?;
    Ok(Known { written: written.into(), tree: Arc::new(tree), annulled: annulled.into() })
}

/// Numbers of events that were annulled; almost never there is one.
fn annulled(written: &[Written]) -> Result<Vec<i64>, Error> {
    let is_annulment = |w: &Written| matches!(w.event.change, Change::Annulled { .. });
    if !written.iter().any(is_annulment) {
        return Ok(vec![]);
    }
    let standing = standing(&events(written)).map_err(|_| Error::Damaged("unit_event"))?;
    let out =
        written.iter().enumerate().filter(|(place, _)| standing.binary_search(place).is_err());
    Ok(out.filter(|(_, w)| !is_annulment(w)).map(|(_, w)| w.id).collect())
}

fn events(written: &[Written]) -> Vec<Event> {
    written.iter().map(|w| w.event.clone()).collect()
}

pub(crate) fn tree(written: &[Written], day: Date) -> Result<Tree, Error> {
    Tree::on(&events(written), day).map_err(|_| Error::Damaged("unit_event"))
}

/// Writes down what happened to one unit; what is due is in force at once.
///
/// # Errors
/// [`Refused::Field`] with the sentence of [`UnitRefusal`].
pub async fn record(
    desk: &UnitsDesk<'_>,
    unit: &UnitCode,
    day: Date,
    change: Change,
) -> Result<(Done, Moved), Refused> {
    record_all(desk, vec![Event { unit: unit.clone(), day, change }]).await
}

/// Merges units into another.
///
/// # Errors
/// As [`record`].
pub async fn merge(
    desk: &UnitsDesk<'_>,
    merged: &[UnitCode],
    heir: &UnitCode,
    day: Date,
) -> Result<(Done, Moved), Refused> {
    record_all(desk, merging(merged, heir, day)?).await
}

/// The events of a merge; the heir may be one of the units: it goes on, and takes over the others.
///
/// # Errors
/// [`Refused::Field`] of `merged` for none, or for more than [`MERGED_MAX`].
pub fn merging(merged: &[UnitCode], heir: &UnitCode, day: Date) -> Result<Vec<Event>, Refused> {
    let others = merged.iter().filter(|unit| *unit != heir);
    let events: Vec<Event> = others
        .map(|unit| Event { unit: unit.clone(), day, change: Change::Merged(heir.clone()) })
        .collect();
    if events.is_empty() || events.len() > MERGED_MAX {
        return Err(Refused::Field {
            field: "merged",
            vi: format!("Chọn từ 1 đến {MERGED_MAX} đơn vị để sáp nhập (B4)."),
            en: format!("Choose 1 to {MERGED_MAX} units to merge (B4)."),
        });
    }
    Ok(events)
}

/// Annuls what is written down for a day that has not come (B4); both stay in the history.
///
/// # Errors
/// [`Refused::Gone`] for a number that is nobody's; [`Refused::Field`] of `event` where it is in
/// force, was annulled before, or another event needs it.
pub async fn annul(desk: &UnitsDesk<'_>, number: i64) -> Result<Done, Refused> {
    let inside = Inside::of(desk);
    let entry = Entry::new("unit.annulled", desk.actor, None);
    let done = note((desk.store, desk.now), entry, move |tx| {
        let known = units::all(tx, &inside.keys)?;
        let meant = known.iter().find(|w| w.id == number).ok_or(Refused::Gone)?;
        let Event { unit, day, change } = meant.event.clone();
        let change = Change::Annulled { day, change: Box::new(change) };
        let annulment = Event { unit, day: inside.today, change };
        let mut all = events(&known);
        all.push(annulment.clone());
        Tree::check(&all).map_err(|(event, why)| needed(&annulment, &event, why))?;
        let what = sentence(&annulment);
        units::insert(tx, &inside.keys, &[inside.written(annulment, true)])?;
        units::set_carried(tx, number)?;
        Ok((inside.because(&what), ()))
    });
    done.await.map(|(done, ())| done)
}

/// Why an annulment is refused: by itself, or because of what then would not go together.
fn needed(annulment: &Event, event: &Event, why: UnitRefusal) -> Refused {
    let refused = refused(why);
    let Refused::Field { vi, en, .. } = refused else { return refused };
    if event == annulment {
        return Refused::Field { field: "event", vi, en };
    }
    let other = sentence(event);
    Refused::Field {
        field: "event",
        vi: format!("Hủy việc ghi sau trước: {other}. {vi}"),
        en: format!("Annul what needs it first: {other}. {en}"),
    }
}

/// Writes down what happened to several units: all of it or nothing.
///
/// # Errors
/// As [`record`].
pub async fn record_all(
    desk: &UnitsDesk<'_>,
    events: Vec<Event>,
) -> Result<(Done, Moved), Refused> {
    let today = desk.now.viet_nam_date();
    let Some(first) = events.first() else { return Err(Refused::Gone) };
    let kind = kind_of(&first.change);
    let due = first.day <= today && first.change.heir().is_some();
    check_day(first.day, today)?;
    let inside = Inside::of(desk);
    let entry = Entry::new(kind, desk.actor, None);
    if due {
        // Rights and registrations move: in force for the next question.
        let act = carry_out((desk.store, desk.now), entry, move |tx, _| inside.write(tx, &events));
        return act.await;
    }
    note((desk.store, desk.now), entry, move |tx| inside.write(tx, &events)).await
}

fn check_day(day: Date, today: Date) -> Result<(), Refused> {
    let last = today.checked_add(jiff::Span::new().days(AHEAD_DAYS)).unwrap_or(Date::MAX);
    if day <= last {
        return Ok(());
    }
    Err(Refused::Field {
        field: "day",
        vi: format!("Ngày hiệu lực không quá {AHEAD_DAYS} ngày kể từ hôm nay (B4)."),
        en: format!("The day is at most {AHEAD_DAYS} days ahead (B4)."),
    })
}

/// Gives one system, with its lines and accounts, to another living unit: after a split the heir
/// hands over what belongs to the other parts (B4). The people of the unit who are on the list of
/// this system only go with it.
///
/// # Errors
/// [`Refused::Gone`] where there is no such system; as [`record`] where the unit is not there.
pub async fn give(
    desk: &UnitsDesk<'_>,
    system: SystemId,
    to: &UnitCode,
) -> Result<(Done, Moved), Refused> {
    let (inside, to) = (Inside::of(desk), to.clone());
    let entry = Entry::new("unit.given", desk.actor, Some(system));
    let given = carry_out((desk.store, desk.now), entry, move |tx, _| {
        let known = units::all(tx, &inside.keys)?;
        let tree = tree(&known, inside.today)?;
        if !tree.get(&to).is_some_and(Unit::lives) {
            return Err(refused(UnitRefusal::NoHeir));
        }
        let owner = accounts::owner(tx, system)?.ok_or(Refused::Gone)?;
        if owner.unit == to {
            return Err(refused(UnitRefusal::OwnHeir));
        }
        accounts::give(tx, system, &to)?;
        let people = carry::follow(tx, &inside.keys, system, &owner.unit, &to)?;
        let dossiers = carry::give_dossier(tx, &inside.keys, system, &to, inside.mark())?;
        let moved = Moved { systems: 1, people, dossiers, ..Moved::default() };
        let told = format!("{} từ {} sang {to}, {moved}", owner.code, owner.unit);
        Ok((inside.because(&told), moved))
    });
    given.await
}

/// What is needed on the writer's thread.
struct Inside {
    keys: Arc<Keyring>,
    now: Moment,
    today: Date,
    by: PersonId,
    own: bool,
    reason: String,
}

impl Inside {
    fn of(desk: &UnitsDesk<'_>) -> Self {
        Self {
            keys: desk.store.keys().clone(),
            now: desk.now,
            today: desk.now.viet_nam_date(),
            by: desk.actor.number(),
            own: desk.own,
            reason: desk.reason.to_owned(),
        }
    }

    const fn mark(&self) -> Mark {
        Mark { by: self.by, at: self.now }
    }

    fn because(&self, what: &str) -> String {
        if self.reason.is_empty() {
            return what.to_owned();
        }
        format!("{what}; lý do: {}", self.reason)
    }

    /// Writes events down if they go with all that is known, and carries out those that are due.
    fn write(&self, tx: &mut Tx<'_>, events: &[Event]) -> Result<(String, Moved), Refused> {
        let mut known: Vec<Event> =
            units::all(tx, &self.keys)?.into_iter().map(|w| w.event).collect();
        let from = known.len();
        known.extend(events.iter().cloned());
        Tree::check(&known).map_err(|(event, why)| about(&event, why))?;
        let now = Tree::on(&known, self.today).map_err(|(event, why)| about(&event, why))?;
        let mut ended = 0;
        for event in known[from..].iter().filter(|e| e.change == Change::Dissolved) {
            // One that is dated ahead is asked on its day, by `keep`.
            if event.day > self.today {
                continue;
            }
            if !carry::is_empty(tx, &event.unit)? {
                return Err(Refused::Field {
                    field: "unit",
                    vi: "Đơn vị còn hệ thống kết nối hoặc hồ sơ chưa kết thúc; sáp nhập đơn vị \
                         hoặc chuyển hệ thống trước (B4)."
                        .into(),
                    en: "The unit has connected systems or open dossiers; merge it or hand them \
                         over first (B4)."
                        .into(),
                });
            }
            ended += carry::end_roles(tx, &self.keys, &event.unit, self.now)?;
        }
        let due = |e: &Event| {
            let at_once = e.change.heir().is_none() && e.change != Change::Dissolved;
            at_once || e.day <= self.today
        };
        let rows: Vec<Written> = events.iter().map(|e| self.written(e.clone(), due(e))).collect();
        units::insert(tx, &self.keys, &rows)?;
        let mut moved = Moved::default();
        for event in events.iter().filter(|e| e.change.heir().is_some() && due(e)) {
            moved = moved.and(hand_over(tx, &self.keys, &now, &event.unit, self.mark())?);
        }
        let told: Vec<String> = events.iter().map(sentence).collect();
        let mut what = told.join("; ");
        if moved != Moved::default() {
            what = format!("{what}; {moved}");
        }
        if ended > 0 {
            what = format!("{what}; kết thúc vai trò của {ended} người");
        }
        Ok((self.because(&what), moved))
    }

    fn written(&self, event: Event, carried: bool) -> Written {
        Written { id: 0, event, by: self.by, at: self.now, own: self.own, carried }
    }
}

/// The kind of the entry of an event.
const fn kind_of(change: &Change) -> &'static str {
    match change {
        Change::Founded { .. } => "unit.founded",
        Change::Renamed(_) => "unit.renamed",
        Change::Moved(_) => "unit.moved",
        Change::Described(_) => "unit.described",
        Change::Gathered(_) => "unit.gathered",
        Change::Represented(_) => "unit.represented",
        Change::Contacts(_) | Change::Called(_) => "unit.contacts",
        Change::Merged(_) => "unit.merged",
        Change::Split { .. } => "unit.split",
        Change::Dissolved => "unit.dissolved",
        Change::Annulled { .. } => "unit.annulled",
    }
}

/// What an entry tells of an event; names of people stand in the sealed event only.
fn sentence(event: &Event) -> String {
    let Event { unit, day, change } = event;
    let above = |parent: &Option<UnitCode>| {
        parent.as_ref().map_or("không trực thuộc".to_owned(), |p| format!("trực thuộc {p}"))
    };
    let list =
        |codes: &[UnitCode]| codes.iter().map(UnitCode::as_str).collect::<Vec<_>>().join(" ");
    let what = match change {
        Change::Founded { name, parent, .. } => format!("thành lập “{name}”, {}", above(parent)),
        Change::Renamed(name) => format!("đổi tên thành “{name}”"),
        Change::Moved(parent) => above(parent),
        Change::Described(about) => format!("loại đơn vị {}", about.kind.code()),
        Change::Gathered(focal) => format!("đầu mối tổng hợp [{}]", list(focal)),
        Change::Represented(_) => "đổi người đại diện".to_owned(),
        Change::Contacts(all) => format!("{} đầu mối liên hệ", all.len()),
        Change::Merged(heir) => format!("sáp nhập vào {heir}"),
        Change::Split { into, heir } => {
            format!("chia tách thành {}, {heir} tiếp nhận", list(into))
        }
        Change::Dissolved => "giải thể".to_owned(),
        Change::Called(contact) => format!("đổi đầu mối {}", contact.kind().code()),
        Change::Annulled { day, change } => {
            let (unit, change) = (unit.clone(), Box::as_ref(change).clone());
            return format!("hủy: {}", sentence(&Event { unit, day: *day, change }));
        }
    };
    format!("{unit} {what}, từ {day}")
}

/// A refusal with its unit, where several are at stake.
fn about(event: &Event, why: UnitRefusal) -> Refused {
    refused_with(why, &format!("{}: ", event.unit))
}

/// The founding of a unit of which only the code is known.
fn untold(code: UnitCode) -> Option<Event> {
    let name = UnitName::parse(code.as_str());
    let name = name.or_else(|_| UnitName::parse(&format!("Đơn vị {code}"))).ok()?;
    let change = Change::Founded { name, parent: None, about: About::of(UnitKind::Untold) };
    Some(Event { unit: code, day: load::FIRST_DAY, change })
}

/// People of a unit who have two accounts in it, by their names.
#[must_use]
pub fn twice(people: &[Person]) -> Vec<String> {
    carry::twice(people).into_iter().map(|p| p.name.clone()).collect()
}
