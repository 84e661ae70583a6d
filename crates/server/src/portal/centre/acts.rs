//! Events as forms: which fields each has, and what was typed as a change.

use dancu_domain::ids::UnitCode;
use dancu_domain::person::Dataset;
use dancu_domain::registration::Group;
use dancu_domain::units::{
    About, AgencyCode, Change, Contact, ContactKind, Event, Proposal, Representative, Seat, Unit,
    UnitKind, UnitName, UnitRefusal, proposals,
};
use dancu_office::Refused;
use dancu_office::units::{Known, merging, refused};
use dancu_portal::centre::{EventRow, Field};
use dancu_portal::parts::Choice;
use jiff::civil::Date;

use super::list::kinds;
use crate::portal::form::Form;
use crate::portal::frame;
use crate::portal::signed::Signed;

/// Forms of the centre: word, key of the name.
pub(super) const OF_CENTRE: [(&str, &str); 11] = [
    ("renamed", "unit-act-renamed"),
    ("moved", "unit-act-moved"),
    ("described", "unit-act-described"),
    ("gathered", "unit-act-gathered"),
    ("represented", "unit-act-represented"),
    ("contacts", "unit-act-contacts"),
    ("merged", "unit-act-merged"),
    (ABSORBED, "unit-act-absorbed"),
    ("split", "unit-act-split"),
    ("dissolved", "unit-act-dissolved"),
    (ANNULLED, "unit-act-annulled"),
];
/// The form by which a unit takes over several at once.
pub(super) const ABSORBED: &str = "absorbed";
/// The form that annuls what is dated ahead.
pub(super) const ANNULLED: &str = "annulled";
/// Those of a unit for itself (B9).
pub(super) const OF_UNIT: [(&str, &str); 2] =
    [("represented", "unit-act-represented"), ("contacts", "unit-act-contacts")];

/// What may be annulled, the event of the address or of the form chosen.
pub(super) fn ahead(events: &[EventRow], chosen: &str) -> Field {
    let choices = events.iter().filter(|row| row.annul.is_some()).map(|row| Choice {
        value: row.number.clone(),
        label: format!("{} · {}", row.day, row.what),
        chosen: row.number == chosen,
    });
    let (id, key, hint) = ("event", "unit-event", "");
    Field { id, key, hint, value: String::new(), choices: choices.collect() }
}

/// The fields of a form, filled with what was typed, else with what is known.
pub(super) fn fields(
    signed: &Signed,
    act: &str,
    unit: Option<&Unit>,
    typed: &Form,
    own: bool,
) -> Vec<Field> {
    let line = |id: &'static str, key, hint, known: String| {
        let value = if typed.has(id) { typed.get(id).to_owned() } else { known };
        Field { id, key, hint, value, choices: vec![] }
    };
    let none = String::new;
    let mut all = match act {
        "founded" => vec![
            line("unit", "unit-code", "unit-code-hint", none()),
            line("name", "unit-name", "", none()),
            line("parent", "unit-above", "unit-above-hint", none()),
        ],
        "renamed" => vec![line("name", "unit-name", "", none())],
        "moved" => vec![line("parent", "unit-above", "unit-above-hint", above(unit))],
        "gathered" => {
            let known = unit.map(|u| codes(&u.focal_points)).unwrap_or_default();
            vec![line("focal", "unit-focal", "unit-focal-hint", known)]
        }
        "represented" => {
            let known = unit.and_then(|u| u.representative.as_ref()).map(|(_, who)| who);
            vec![
                line("person", "unit-person", "", known.map_or_else(none, |w| w.name().into())),
                line(
                    "position",
                    "unit-position",
                    "",
                    known.map_or_else(none, |w| w.position().into()),
                ),
            ]
        }
        "contacts" => vec![
            contact_kinds(signed, typed),
            line("person", "unit-person", "", none()),
            line("position", "unit-position", "", none()),
            line("phone", "unit-phone", "", none()),
            line("email", "unit-email", "", none()),
        ],
        ABSORBED => vec![line("merged", "unit-merged", "unit-merged-hint", none())],
        "merged" => vec![line("heir", "unit-heir", "unit-heir-hint", none())],
        "split" => vec![
            line("parts", "unit-parts", "unit-parts-hint", none()),
            line("heir", "unit-heir", "unit-heir-hint", none()),
        ],
        _ => vec![],
    };
    if matches!(act, "founded" | "described") {
        all.extend(about_fields(signed, unit, typed));
    }
    if act != ANNULLED {
        all.push(line("day", "unit-day", "common-date-hint", frame::date(signed.today())));
    }
    if !own {
        all.push(line("reason", "unit-reason", "", none()));
    }
    all
}

fn about_fields(signed: &Signed, unit: Option<&Unit>, typed: &Form) -> Vec<Field> {
    let about = unit.map(|u| &u.about);
    let kind = UnitKind::from_code(typed.get("kind")).or_else(|| about.map(|a| a.kind));
    let seat = about.and_then(|a| a.seat);
    let known = [
        about.map(|a| a.agency.iter().map(AgencyCode::as_str).collect::<Vec<_>>().join(" ")),
        seat.map(|s| s.province.to_string()),
        seat.and_then(|s| s.commune).map(|commune| format!("{commune:05}")),
    ];
    let rows = [
        ("agency", "unit-agency", "unit-agency-hint"),
        ("province", "unit-province", "unit-province-hint"),
        ("commune", "unit-commune", "unit-commune-hint"),
    ];
    let first = Field {
        id: "kind",
        key: "unit-kind",
        hint: "",
        value: String::new(),
        choices: kinds(signed, "–", kind),
    };
    let lines = rows.into_iter().zip(known).map(|((id, key, hint), known)| {
        let value =
            if typed.has(id) { typed.get(id).to_owned() } else { known.unwrap_or_default() };
        Field { id, key, hint, value, choices: vec![] }
    });
    [first, groups(about, typed)].into_iter().chain(lines).collect()
}

/// Groups of A1, after the words for that of the kind; citizens are no unit.
fn groups(about: Option<&About>, typed: &Form) -> Field {
    let chosen = match typed.get("group") {
        "" => about.map(|a| (a.group as u8).to_string()).unwrap_or_default(),
        typed => typed.to_owned(),
    };
    let choices = ["", "1", "2", "4"].map(|value| Choice {
        value: value.to_owned(),
        label: if value.is_empty() { "–".to_owned() } else { value.to_owned() },
        chosen: value == chosen,
    });
    let (id, key, hint) = ("group", "col-group", "unit-group-hint");
    Field { id, key, hint, value: String::new(), choices: choices.into() }
}

fn contact_kinds(signed: &Signed, typed: &Form) -> Field {
    let t = signed.text();
    let choices = ContactKind::ALL.into_iter().map(|kind| Choice {
        value: kind.code().to_owned(),
        label: t.get(contact_key(kind)),
        chosen: typed.get("contact") == kind.code(),
    });
    let (id, key, hint) = ("contact", "unit-contact", "unit-contact-hint");
    Field { id, key, hint, value: String::new(), choices: choices.collect() }
}

/// Key of the words for what a contact is for (J2).
pub(super) const fn contact_key(kind: ContactKind) -> &'static str {
    match kind {
        ContactKind::Dossier => "unit-contact-dossier",
        ContactKind::Security => "unit-contact-security",
    }
}

fn above(unit: Option<&Unit>) -> String {
    unit.and_then(Unit::parent).map(ToString::to_string).unwrap_or_default()
}

fn codes(all: &[UnitCode]) -> String {
    all.iter().map(UnitCode::as_str).collect::<Vec<_>>().join(" ")
}

/// What was typed: from which day, and what.
///
/// # Errors
/// [`Refused::Field`].
pub(super) fn read(form: &Form, act: &str) -> Result<(Date, Change), Refused> {
    let day = day_of(form)?;
    Ok((day, change(form, act).map_err(refused)?))
}

fn day_of(form: &Form) -> Result<Date, Refused> {
    frame::parse_day(form.get("day")).ok_or_else(|| Refused::Field {
        field: "day",
        vi: "Nhập ngày dạng dd/mm/yyyy.".into(),
        en: "Type a day as dd/mm/yyyy.".into(),
    })
}

/// What was typed as events: most forms are about the unit of the page, one about those that it
/// takes over.
///
/// # Errors
/// [`Refused::Field`].
pub(super) fn events(form: &Form, act: &str, unit: &Unit) -> Result<Vec<Event>, Refused> {
    if act == ABSORBED {
        let mut merged = several(form.get("merged"), UnitRefusal::Unknown).map_err(in_list)?;
        merged.sort_unstable();
        merged.dedup();
        return merging(&merged, &unit.code, day_of(form)?);
    }
    let (day, change) = read(form, act)?;
    Ok(vec![Event { unit: unit.code.clone(), day, change }])
}

/// A wrong code among several.
fn in_list(why: UnitRefusal) -> Refused {
    match refused(why) {
        Refused::Field { vi, en, .. } => Refused::Field { field: "merged", vi, en },
        other => other,
    }
}

/// Codes of the units whose whole commune of before lies in that of a unit, by the official list of
/// changes: to begin with, not to decide by.
pub(super) fn within(known: &Known, unit: &Unit) -> String {
    let proposed = proposals(&known.tree).into_iter().filter(|(code, proposal)| {
        *code != unit.code && *proposal == Proposal::Whole(unit.code.clone())
    });
    proposed.map(|(code, _)| code.to_string()).collect::<Vec<_>>().join("\n")
}

fn change(form: &Form, act: &str) -> Result<Change, UnitRefusal> {
    let who = || Representative::parse(form.get("person"), form.get("position"));
    Ok(match act {
        "founded" => Change::Founded {
            name: UnitName::parse(form.get("name"))?,
            parent: optional(form.get("parent"), UnitRefusal::NoParent)?,
            about: about(form)?,
        },
        "renamed" => Change::Renamed(UnitName::parse(form.get("name"))?),
        "moved" => Change::Moved(optional(form.get("parent"), UnitRefusal::NoParent)?),
        "described" => Change::Described(about(form)?),
        "gathered" => Change::Gathered(several(form.get("focal"), UnitRefusal::FocalPoints)?),
        "represented" => Change::Represented(who()?),
        "contacts" => {
            let kind = ContactKind::from_code(form.get("contact"));
            let kind = kind.ok_or(UnitRefusal::TooManyContacts)?;
            let new = Contact::parse(kind, who()?, form.get("phone"), form.get("email"))?;
            Change::Called(new)
        }
        "merged" => Change::Merged(code(form.get("heir"), UnitRefusal::NoHeir)?),
        "split" => Change::Split {
            into: several(form.get("parts"), UnitRefusal::Parts)?,
            heir: code(form.get("heir"), UnitRefusal::NoHeir)?,
        },
        "dissolved" => Change::Dissolved,
        _ => return Err(UnitRefusal::Unknown),
    })
}

fn about(form: &Form) -> Result<About, UnitRefusal> {
    let kind = UnitKind::from_code(form.get("kind")).unwrap_or(UnitKind::Untold);
    let words = form.get("agency").split_whitespace();
    let number = |text: &str| text.parse::<u32>().map_err(|_| UnitRefusal::Seat);
    let seat = match (form.get("province"), form.get("commune")) {
        ("", "") => None,
        (province, commune) => {
            let province = province.parse().map_err(|_| UnitRefusal::Seat)?;
            let commune = if commune.is_empty() { None } else { Some(number(commune)?) };
            // Codes of before are read by the list of before, where the present one has none such.
            let now = Seat::new(Dataset::Y2026, province, commune);
            Some(now.or_else(|_| Seat::new(Dataset::Y2024, province, commune))?)
        }
    };
    let group = form.get("group").parse().ok().and_then(Group::from_number);
    Ok(About {
        kind,
        group: group.unwrap_or(kind.group()),
        agency: words.map(AgencyCode::parse).collect::<Result<_, _>>()?,
        seat,
    })
}

/// A code of a unit; what is no code is a unit that is not there.
pub(super) fn code(text: &str, why: UnitRefusal) -> Result<UnitCode, UnitRefusal> {
    UnitCode::parse(text.trim()).map_err(|_| why)
}

fn optional(text: &str, why: UnitRefusal) -> Result<Option<UnitCode>, UnitRefusal> {
    if text.trim().is_empty() { Ok(None) } else { code(text, why).map(Some) }
}

fn several(text: &str, why: UnitRefusal) -> Result<Vec<UnitCode>, UnitRefusal> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'));
    words.filter(|word| !word.is_empty()).map(|word| code(word, why)).collect()
}

/// An event in words; names of people are left to the unit's own facts.
pub(super) fn told(signed: &Signed, change: &Change) -> String {
    let t = signed.text();
    let named = |code: &UnitCode| signed.unit_named(code);
    match change {
        Change::Founded { name, .. } => t.with("unit-told-founded", "name", name.as_str()),
        Change::Renamed(name) => t.with("unit-told-renamed", "name", name.as_str()),
        Change::Moved(Some(parent)) => t.with("unit-told-moved", "unit", named(parent)),
        Change::Moved(None) => t.get("unit-told-root"),
        Change::Described(about) => {
            let (vi, en) = about.kind.names();
            t.with("unit-told-described", "kind", signed.say(vi, en))
        }
        Change::Gathered(focal) => {
            let focal: Vec<String> = focal.iter().map(named).collect();
            t.with("unit-told-gathered", "units", focal.join(", "))
        }
        Change::Represented(_) => t.get("unit-told-represented"),
        Change::Contacts(_) | Change::Called(_) => t.get("unit-told-contacts"),
        Change::Merged(heir) => t.with("unit-told-merged", "unit", named(heir)),
        Change::Split { heir, .. } => t.with("unit-told-split", "unit", named(heir)),
        Change::Dissolved => t.get("unit-told-dissolved"),
        Change::Annulled { day, change } => {
            let what = told(signed, change);
            t.with_two("unit-told-annulled", "what", what, "day", frame::date(*day))
        }
    }
}
