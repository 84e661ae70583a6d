//! One unit: what is known of it, what happened, and the forms that write down what happens.

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use dancu_domain::ids::{SystemId, UnitCode};
use dancu_domain::people::account::Phase;
use dancu_domain::people::may::Target;
use dancu_domain::people::powers::Power;
use dancu_domain::people::roles::Role;
use dancu_domain::units::{AgencyCode, Contact, Event, Unit, UnitRefusal};
use dancu_office::officers::Who;
use dancu_office::units::{self, Known, UnitsDesk};
use dancu_office::{Refused, act};
use dancu_portal::centre::{EventForm, EventRow, Unit as Page, states};
use dancu_portal::parts::{FieldError, states as common};
use dancu_store::people::Person;
use serde::Deserialize;

use super::{acts, event, known, name_of, preview};
use crate::portal::form::{self, Form};
use crate::portal::frame;
use crate::portal::once::Sent;
use crate::portal::operator::{actor, store};
use crate::portal::signed::Signed;
use crate::portal::words;
use crate::stop::{Handled, Stop};

/// Events and units below that one page shows at most, the latest first.
const SHOWN: usize = 200;

/// Which form is chosen, and what was done a moment ago.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Chosen {
    r#do: String,
    event: String,
    heir: String,
    told: String,
}

/// For whom the page is, and what stands in it besides the unit.
pub(super) struct Shown<'a> {
    /// Its own head looks at it.
    pub(super) own: bool,
    /// The form that is chosen; empty: none.
    pub(super) act: &'a str,
    /// What was typed.
    pub(super) typed: Form,
    /// What is wrong with it.
    pub(super) errors: Vec<FieldError>,
    /// What a merge would move.
    pub(super) preview: Vec<String>,
    /// What the preview was of, as it is sent along.
    pub(super) seen: String,
    /// Whether something was written down a moment ago.
    pub(super) told: bool,
}

impl<'a> Shown<'a> {
    fn none() -> Self {
        Self {
            own: false,
            act: "",
            typed: Form::default(),
            errors: vec![],
            preview: vec![],
            seen: String::new(),
            told: false,
        }
    }

    pub(super) fn plain(own: bool, chosen: &'a Chosen) -> Self {
        let given = [("event", &chosen.event), ("heir", &chosen.heir)];
        let given = given.into_iter().filter(|(_, value)| !value.is_empty());
        let typed = given.map(|(name, value)| (name.to_owned(), value.clone()));
        Self {
            own,
            act: &chosen.r#do,
            typed: Form::of(typed.collect()),
            told: chosen.told == "written",
            ..Self::none()
        }
    }
}

/// `GET /centre/units/{code}`
pub(super) async fn show(
    signed: Signed,
    Path(code): Path<String>,
    Query(chosen): Query<Chosen>,
) -> Handled {
    let known = of_code(&signed, &code).await?;
    match unit_of(&known, &code) {
        Some(unit) => page(&signed, &known, unit, Shown::plain(false, &chosen)).await,
        None => Ok(frame::missing(&signed)),
    }
}

/// Units of today; of one that is founded later, as they are on that day.
async fn of_code(signed: &Signed, code: &str) -> Result<Known, Stop> {
    let today = known(signed).await?;
    let Ok(code) = UnitCode::parse(code) else { return Ok(today) };
    let there = today.tree.get(&code).is_some();
    Ok(if there { None } else { today.ahead(&code) }.unwrap_or(today))
}

fn unit_of<'a>(known: &'a Known, code: &str) -> Option<&'a Unit> {
    UnitCode::parse(code).ok().and_then(|code| known.tree.get(&code))
}

/// `GET /centre/units/new`
pub(super) async fn new(signed: Signed) -> Handled {
    Ok(founding(&signed, &Form::default(), vec![]))
}

fn founding(signed: &Signed, typed: &Form, errors: Vec<FieldError>) -> axum::response::Response {
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let form = EventForm {
        act: "founded",
        head: "unit-found",
        fields: acts::fields(signed, "founded", None, typed, false),
        preview: vec![],
        previewed: false,
        seen: String::new(),
        once: form::once(),
        to: "/centre/units/new".into(),
    };
    let page = Page {
        errors,
        told: None,
        own: false,
        code: String::new(),
        name: String::new(),
        state: common::ACTIVE,
        facts: vec![],
        names: vec![],
        below: vec![],
        systems: vec![],
        waiting: vec![],
        twice: vec![],
        events: vec![],
        acts: vec![],
        form: Some(form),
        s: signed.shell(),
        t: signed.text(),
    };
    frame::page_with(status, &page)
}

/// `POST /centre/units/new`
pub(super) async fn found(signed: Signed, form: Form) -> Handled {
    allowed(&signed)?;
    let code = acts::code(form.get("unit"), UnitRefusal::Unknown).map_err(units::refused);
    let read = code.and_then(|code| Ok((code, acts::read(&form, "founded")?)));
    let done = match read {
        Ok((code, (day, change))) => {
            let to = format!("/centre/units/{code}?told=written");
            let events = vec![Event { unit: code, day, change }];
            written(&signed, &form, false, events).await?.map(|()| to)
        }
        Err(refused) => Err(refused),
    };
    match done {
        Ok(to) => Ok(frame::to(&to)),
        Err(refused) => Ok(founding(&signed, &form, errors(&signed, &refused)?)),
    }
}

/// Whether the person may keep the tree, which belongs to no unit.
fn allowed(signed: &Signed) -> Result<(), Stop> {
    let may = signed.may(Power::ManageUnits, Target::Centre).map(drop);
    may.map_err(|reason| frame::refused(signed, reason).into())
}

/// `POST /centre/units/{code}`
pub(super) async fn write(signed: Signed, Path(code): Path<String>, form: Form) -> Handled {
    allowed(&signed)?;
    let known = of_code(&signed, &code).await?;
    let Some(unit) = unit_of(&known, &code) else { return Ok(frame::missing(&signed)) };
    save(&signed, &known, unit, &form, false).await
}

/// Writes down what a form says of a unit, or shows first what it would move.
pub(super) async fn save(
    signed: &Signed,
    known: &Known,
    unit: &Unit,
    form: &Form,
    own: bool,
) -> Handled {
    let act = form.get("act");
    let shown =
        |errors, preview| Shown { own, act, typed: form.clone(), errors, preview, ..Shown::none() };
    if act == acts::ANNULLED && !own {
        return match annulled(signed, form).await? {
            // A unit whose founding was annulled has no page any more.
            Ok(()) => match of_code(signed, unit.code.as_str()).await?.tree.get(&unit.code) {
                Some(unit) => Ok(frame::to(&format!("{}?told=written", here(unit, own)))),
                None => Ok(frame::to("/centre/units?told=annulled")),
            },
            Err(refused) => {
                let errors = errors(signed, &refused)?;
                page(signed, known, unit, shown(errors, vec![])).await
            }
        };
    }
    let read = acts::events(form, act, unit);
    let refused = match read {
        Ok(events) if previewed(act) && form.get("seen") != seen(&events) => {
            match preview::lines(signed, known, &events).await? {
                Ok(preview) => {
                    let shown = Shown { seen: seen(&events), ..shown(vec![], preview) };
                    return page(signed, known, unit, shown).await;
                }
                Err(refused) => refused,
            }
        }
        Ok(events) => match written(signed, form, own, events).await? {
            Ok(()) => return Ok(frame::to(&format!("{}?told=written", here(unit, own)))),
            Err(refused) => refused,
        },
        Err(refused) => refused,
    };
    let errors = errors(signed, &refused)?;
    page(signed, known, unit, shown(errors, vec![])).await
}

async fn annulled(signed: &Signed, form: &Form) -> Result<Result<(), Refused>, Stop> {
    let (open, now, by) = (store(signed).clone(), signed.now, actor(signed));
    let (reason, number) = (form.get("reason").to_owned(), form.get("event").parse());
    let act = async move {
        let reason = act::reason(&reason)?;
        let number = number.map_err(|_| units::refused(UnitRefusal::NotAhead))?;
        let desk = UnitsDesk { store: &open, now, actor: &by, reason, own: false };
        units::annul(&desk, number).await.map(drop)
    };
    let done = match form.carry_out(signed, act).await? {
        Sent::First(done) => done,
        _ => Ok(()),
    };
    known(signed).await?;
    Ok(done)
}

async fn written(
    signed: &Signed,
    form: &Form,
    own: bool,
    events: Vec<Event>,
) -> Result<Result<(), Refused>, Stop> {
    let (open, now, by) = (store(signed).clone(), signed.now, actor(signed));
    let reason = form.get("reason").to_owned();
    let act = async move {
        let reason = if own { "" } else { act::reason(&reason)? };
        let desk = UnitsDesk { store: &open, now, actor: &by, reason, own };
        units::record_all(&desk, events).await.map(drop)
    };
    let done = match form.carry_out(signed, act).await? {
        Sent::First(done) => done,
        _ => Ok(()),
    };
    // Names on the next page are those of now.
    known(signed).await?;
    Ok(done)
}

fn errors(signed: &Signed, refused: &Refused) -> Result<Vec<FieldError>, Stop> {
    let field = match refused {
        Refused::Field { field, .. } => *field,
        Refused::NoReason => "reason",
        _ => "day",
    };
    match words::refused(signed, refused) {
        Some(sentence) => Ok(vec![frame::wrong(field, sentence)]),
        None => Err(words::failed(signed, refused).into()),
    }
}

/// Whether what a form does is looked at before it is done.
fn previewed(act: &str) -> bool {
    matches!(act, "merged" | "split" | acts::ABSORBED)
}

/// What was looked at: only that is written down, and whatever was typed since is looked at first.
fn seen(events: &[Event]) -> String {
    let told = events.iter().map(|e| format!("{} {} {:?}", e.unit, e.day, e.change));
    let told = told.collect::<Vec<_>>().join(" ");
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, told.as_bytes());
    hex::encode(&digest.as_ref()[..16])
}

/// The page of a unit.
pub(super) async fn page(signed: &Signed, known: &Known, unit: &Unit, shown: Shown<'_>) -> Handled {
    let people = store(signed).people().of_unit(&unit.code).await;
    let people = people.map_err(|error| Stop::from(words::unread(signed, &error)))?;
    let href = |code: &UnitCode| {
        if shown.own { String::new() } else { format!("/centre/units/{code}") }
    };
    let of_unit = known
        .written
        .iter()
        .rev()
        .filter(|w| w.event.unit == unit.code || w.event.change.heir() == Some(&unit.code));
    let events: Vec<EventRow> =
        of_unit.take(SHOWN).map(|w| of_page(event(signed, known, w), shown.own)).collect();
    let below = known.tree.children(&unit.code).take(SHOWN);
    let snapshot = signed.app.gate.snapshot();
    let mut systems: Vec<(SystemId, String)> = snapshot
        .systems()
        .iter()
        .filter(|s| s.unit == unit.code)
        .map(|s| (s.id, s.code.to_string()))
        .collect();
    systems.sort();
    let failed = !shown.errors.is_empty();
    let status = if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = Page {
        told: shown.told.then_some("unit-written-done"),
        own: shown.own,
        code: unit.code.to_string(),
        name: unit.name().to_owned(),
        state: match unit.names.first() {
            Some((founded, _)) if *founded > signed.today() => states::AHEAD,
            _ if unit.lives() => common::ACTIVE,
            _ => states::ENDED,
        },
        facts: facts(signed, known, unit, &people),
        names: unit
            .names
            .iter()
            .rev()
            .map(|(day, name)| (frame::date(*day), name.as_str().to_owned()))
            .collect(),
        below: below.map(|u| (u.name().to_owned(), href(&u.code))).collect(),
        systems: systems
            .into_iter()
            .map(|(_, code)| {
                let to = if shown.own { String::new() } else { format!("/operate/systems/{code}") };
                (code, to)
            })
            .collect(),
        waiting: waiting(signed, unit, &people, shown.own),
        twice: units::twice(&people),
        acts: acts_of(unit, &shown, &events),
        form: form_of(signed, known, unit, &shown, &events),
        events,
        errors: shown.errors,
        s: signed.shell(),
        t: signed.text(),
    };
    Ok(frame::page_with(status, &page))
}

/// Heads and others with a role of the centre who were invited and never came: a new code is given
/// on the page that is linked.
fn waiting(signed: &Signed, unit: &Unit, people: &[Person], own: bool) -> Vec<(String, String)> {
    let waits = |p: &&Person| {
        matches!(p.account.phase, Phase::Invited { .. })
            && p.grants.since(signed.today()).any(|g| Role::GIVEN.contains(&g.role))
    };
    let href = |p: &Person| {
        if own {
            format!("/unit/officers/{}", Who::Person(p.id))
        } else {
            format!("/centre/staff?unit={}", unit.code)
        }
    };
    people.iter().filter(waits).map(|p| (p.name.clone(), href(p))).collect()
}

/// A head annuls nothing: the centre does.
fn of_page(row: EventRow, own: bool) -> EventRow {
    if own { EventRow { annul: None, ..row } } else { row }
}

fn here(unit: &Unit, own: bool) -> String {
    if own { "/unit".to_owned() } else { format!("/centre/units/{}", unit.code) }
}

const fn list(own: bool) -> &'static [(&'static str, &'static str)] {
    if own { &acts::OF_UNIT } else { &acts::OF_CENTRE }
}

fn acts_of(
    unit: &Unit,
    shown: &Shown<'_>,
    events: &[EventRow],
) -> Vec<(&'static str, String, bool)> {
    if !unit.lives() {
        return vec![];
    }
    let to = here(unit, shown.own);
    let ahead = events.iter().any(|row| row.annul.is_some());
    let all = list(shown.own).iter().filter(|(act, _)| ahead || *act != acts::ANNULLED);
    all.map(|(act, key)| (*key, format!("{to}?do={act}"), *act == shown.act)).collect()
}

fn form_of(
    signed: &Signed,
    known: &Known,
    unit: &Unit,
    shown: &Shown<'_>,
    events: &[EventRow],
) -> Option<EventForm> {
    let (act, head) = list(shown.own).iter().find(|(act, _)| *act == shown.act)?;
    let mut fields = acts::fields(signed, act, Some(unit), &shown.typed, shown.own);
    if *act == acts::ABSORBED && !shown.typed.has("merged") {
        fields[0].value = acts::within(known, unit);
    }
    if *act == acts::ANNULLED {
        fields.insert(0, acts::ahead(events, shown.typed.get("event")));
    }
    Some(EventForm {
        act,
        head,
        fields,
        preview: shown.preview.clone(),
        previewed: previewed(act),
        seen: shown.seen.clone(),
        once: form::once(),
        to: here(unit, shown.own),
    })
}

fn facts(
    signed: &Signed,
    known: &Known,
    unit: &Unit,
    people: &[Person],
) -> Vec<(&'static str, String)> {
    let (t, today) = (signed.text(), signed.today());
    let heads = people.iter().filter(|p| p.grants.on(today).any(|g| g.role == Role::Head));
    let heads: Vec<&str> = heads.map(|p| p.name.as_str()).collect();
    let (vi, en) = unit.about.kind.names();
    let mut facts = vec![
        ("unit-kind", signed.say(vi, en).to_owned()),
        ("col-group", (unit.about.group as u8).to_string()),
        ("unit-above", name_of(unit.parent().and_then(|parent| known.tree.resolve(parent)))),
    ];
    if !unit.about.agency.is_empty() {
        let all: Vec<&str> = unit.about.agency.iter().map(AgencyCode::as_str).collect();
        facts.push(("unit-agency", all.join(", ")));
    }
    let gathered: Vec<String> =
        known.tree.gathered_at(&unit.code).iter().map(|u| u.name().to_owned()).collect();
    facts.push(("unit-focal", gathered.join(", ")));
    facts.push(("unit-heads", heads.join(", ")));
    facts.push(("unit-people", t.num(people.len() as u64)));
    if let Some((since, who)) = &unit.representative {
        let who = format!("{}, {} · {}", who.name(), who.position(), frame::date(*since));
        facts.push(("unit-signer", who));
    }
    for contact in &unit.contacts {
        facts.push((acts::contact_key(contact.kind()), called(contact)));
    }
    if let Some((day, ending)) = &unit.end {
        let day = frame::date(*day);
        let told = match ending.heir() {
            Some(heir) => {
                t.with_two("unit-heir-since", "unit", signed.unit_named(heir), "day", day)
            }
            None => day,
        };
        facts.push(("unit-ended", told));
    }
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

fn called(contact: &Contact) -> String {
    let who = contact.who();
    format!("{}, {} · {} · {}", who.name(), who.position(), contact.phone(), contact.email())
}
