//! Dossiers in words: names of people, items and what they say, comments.

use std::collections::HashMap;

use dancu_domain::dossier::{Content, Item, Mark, Missing, Turn};
use dancu_domain::people::PersonId;
use dancu_domain::service::{FieldSet, Window};
use dancu_office::dossiers::read::{Act, Open};
use dancu_portal::dossier::{Lack, Remark, states};
use dancu_portal::text::Text;

use super::Place;
use crate::portal::signed::Signed;
use crate::portal::{frame, words};
use crate::stop::Stop;

/// Names of the people of a dossier.
pub(super) struct Names(HashMap<PersonId, String>);

impl Names {
    /// Reads them.
    ///
    /// # Errors
    /// The page that answers instead.
    pub(super) async fn of(signed: &Signed, place: &Place, open: &Open) -> Result<Self, Stop> {
        let dossier = &open.dossier;
        let mut all: Vec<PersonId> = vec![dossier.begun().by];
        for part in dancu_domain::dossier::Part::ALL {
            let paper = dossier.paper(part);
            all.push(paper.filled.by);
            all.extend(paper.signed.iter().chain(&paper.checked).map(|m| m.by));
        }
        for comment in dossier.comments() {
            all.push(comment.made.by);
            all.extend(comment.answer.iter().map(|(_, mark)| mark.by));
        }
        all.extend(dossier.approvals().iter().map(|m| m.by));
        for (_, copy) in &open.copies {
            all.push(copy.told.by);
            all.extend(copy.received.iter().map(|(mark, _)| mark.by));
        }
        all.sort_unstable();
        all.dedup();
        let found = place.store.people().by_ids(&all).await;
        let found = found.map_err(|error| Stop::from(words::unread(signed, &error)))?;
        // Of an account that is gone the number is left.
        let mut names: HashMap<_, _> = all.iter().map(|id| (*id, format!("#{}", id.0))).collect();
        names.extend(found.into_iter().map(|person| (person.id, person.name)));
        Ok(Self(names))
    }

    /// Who, and when.
    pub(super) fn mark(&self, mark: Mark) -> String {
        let name = self.0.get(&mark.by).map_or("", String::as_str);
        format!("{name}, {}", frame::stamp(mark.at))
    }

    /// The same where there is one.
    pub(super) fn or_empty(&self, mark: Option<Mark>) -> String {
        mark.map(|mark| self.mark(mark)).unwrap_or_default()
    }
}

/// Key of an item's name.
pub(super) fn item_key(item: Item) -> String {
    format!("dossier-item-{}", item.code())
}

/// Whose turn it is, in words; empty where it is nobody's.
pub(super) fn turns(t: &Text, turns: &[Turn]) -> String {
    let all: Vec<String> = turns.iter().map(|turn| t.get(turn_key(*turn))).collect();
    all.join("; ")
}

/// Key of whose turn it is.
pub(super) const fn turn_key(turn: Turn) -> &'static str {
    match turn {
        Turn::Unit => "dossier-turn-unit",
        Turn::Integrator => "dossier-turn-integrator",
        Turn::Reviewer => "dossier-turn-reviewer",
        Turn::Assessor => "dossier-turn-assessor",
        Turn::Operator => "dossier-turn-operator",
    }
}

/// Word of the sheet that an item is filled in on.
pub(super) const fn sheet_of(item: Item) -> &'static str {
    match item {
        Item::Representative | Item::RepresentativePosition | Item::CommitmentFile => "commitment",
        Item::InHours | Item::OffHours | Item::Procedures => "services",
        Item::Fields | Item::Sensitive => "fields",
        Item::Accounts => "accounts",
        Item::SecurityLevel
        | Item::ConfirmationNumber
        | Item::ConfirmationDate
        | Item::ConfirmationBody
        | Item::Mfa
        | Item::Captcha
        | Item::Limits
        | Item::Scraping
        | Item::SecurityFile => "security",
        _ => "about",
    }
}

/// Where an item is, for this person: on its sheet, at the centre on the page that is read.
pub(super) fn href(place: &Place, base: &str, item: Item) -> String {
    if place.unit.is_none() {
        return format!("{base}/review#{}", item.code());
    }
    let closed = place.integrator && !item.is_technical();
    if closed {
        String::new()
    } else {
        format!("{base}/{}?check=1#{}", sheet_of(item), item.code())
    }
}

/// Something missing, as a list shows it.
pub(super) fn lack(
    signed: &Signed,
    place: &Place,
    base: &str,
    content: &Content,
    m: &Missing,
) -> Lack {
    let t = signed.text();
    let row = m.row.map(|row| row_name(&t, content, m.item, row)).unwrap_or_default();
    let mine = match m.turn {
        Turn::Unit | Turn::Integrator => place.unit.is_some(),
        Turn::Reviewer | Turn::Assessor | Turn::Operator => place.unit.is_none(),
    };
    Lack {
        place: format!("{}{row}", t.get(item_key(m.item))),
        sentence: signed.say(m.vi, m.en).to_owned(),
        rule: m.rule.code(),
        turn: t.get(turn_key(m.turn)),
        href: if mine { href(place, base, m.item) } else { String::new() },
    }
}

/// Which row, where a table has several; nothing of the account list but its number (A6).
fn row_name(t: &Text, content: &Content, item: Item, row: usize) -> String {
    let name = match item {
        Item::InHours | Item::OffHours => {
            content.lines.get(row).map(|line| words::service(t, line.service))
        }
        Item::Fields | Item::Sensitive => {
            content.uses.get(row).map(|of| words::service(t, of.service))
        }
        Item::Procedures => content.procedures.get(row).map(|p| p.code.trim().to_owned()),
        _ => None,
    };
    let name = name.filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| t.with("dossier-row", "row", row + 1));
    format!(" – {name}")
}

/// Comments that fit, as pages show them.
pub(super) fn remarks(
    signed: &Signed,
    (place, names): (&Place, &Names),
    (base, open): (&str, &Open),
    fits: impl Fn(Item) -> bool,
) -> Vec<Remark> {
    let t = signed.text();
    let answers = open.acts.contains(&Act::Edit)
        && *open.dossier.stage() == dancu_domain::dossier::Stage::Changes;
    let resolves = open.acts.contains(&Act::Comment);
    let all = open.dossier.comments().iter().enumerate().filter(|(_, c)| fits(c.item));
    all.map(|(at, c)| {
        let waits = c.resolved.is_none();
        let state = match (&c.answer, waits) {
            (_, false) => states::RESOLVED,
            (Some(_), true) => states::ANSWERED,
            (None, true) => states::OPEN,
        };
        let (answer, answered) = match &c.answer {
            Some((text, mark)) => (text.clone(), names.mark(*mark)),
            None => <_>::default(),
        };
        Remark {
            index: at as u64,
            place: t.get(item_key(c.item)),
            href: href(place, base, c.item),
            text: c.text.clone(),
            made: names.mark(c.made),
            answer,
            answered,
            typed: String::new(),
            state,
            answers: waits && answers && (!place.integrator || c.item.is_technical()),
            resolves: waits && resolves,
        }
    })
    .collect()
}

/// What an item says, line by line.
pub(super) fn value(t: &Text, c: &Content, item: Item) -> Vec<String> {
    let o = &c.officer;
    let text = match item {
        Item::Functions => &c.functions,
        Item::SystemCode => &c.system_code,
        Item::SystemName => &c.system_name,
        Item::OfficerName => &o.name,
        Item::OfficerPosition => &o.position,
        Item::OfficerPhone => &o.phone,
        Item::OfficerEmail => &o.email,
        Item::OfficerWorkplace => &o.workplace,
        Item::Representative => &c.representative,
        Item::RepresentativePosition => &c.representative_position,
        Item::Purpose => &c.purpose,
        Item::Scope => &c.scope,
        Item::Matter => &c.matter,
        Item::Technical => &c.technical,
        Item::ConfirmationNumber => &c.confirmation.number,
        Item::ConfirmationDate => &c.confirmation.date,
        Item::ConfirmationBody => &c.confirmation.body,
        Item::Mfa => &c.protection[0],
        Item::Captcha => &c.protection[1],
        Item::Limits => &c.protection[2],
        Item::Scraping => &c.protection[3],
        Item::SecurityLevel if c.security_level > 0 => return vec![c.security_level.to_string()],
        Item::InHours => return lines(t, c, Window::InHours),
        Item::OffHours => return lines(t, c, Window::OffHours),
        Item::Fields => return uses(t, c, FieldSet::ALL.without(FieldSet::SENSITIVE)),
        Item::Sensitive => return uses(t, c, FieldSet::SENSITIVE),
        Item::Procedures => return procedures(t, c),
        Item::SecurityLevel | Item::Accounts | Item::CommitmentFile | Item::SecurityFile => {
            return vec![];
        }
    };
    text.lines().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
}

fn lines(t: &Text, c: &Content, window: Window) -> Vec<String> {
    let rows = c.lines.iter().filter(|line| line.window == window);
    rows.map(|line| {
        let count = t.with("dossier-a-day", "count", t.num(u64::from(line.daily)));
        format!("{}: {count} · {}", words::service(t, line.service), line.purpose)
    })
    .collect()
}

/// Names of fields.
pub(super) fn field_names(t: &Text, fields: FieldSet) -> String {
    let names: Vec<String> =
        fields.iter().map(|field| t.get(format!("field-{}", field.code()))).collect();
    names.join(", ")
}

fn uses(t: &Text, c: &Content, of: FieldSet) -> Vec<String> {
    let rows = c.uses.iter().filter(|u| !u.fields.and(of).is_empty());
    rows.map(|u| {
        let (service, names) = (words::service(t, u.service), field_names(t, u.fields.and(of)));
        format!("{service}: {names} · {} · {}", u.purpose, u.procedures.join(", "))
    })
    .collect()
}

fn procedures(t: &Text, c: &Content) -> Vec<String> {
    let told = c.procedures.iter().map(|p| {
        let case = if p.case_required { t.get("dossier-case-needed") } else { String::new() };
        let (cases, queries) = (t.num(u64::from(p.cases)), t.num(u64::from(p.queries)));
        format!("{}: {} · {cases} × {queries} {case}", p.code, p.purpose).trim_end().to_owned()
    });
    told.collect()
}
