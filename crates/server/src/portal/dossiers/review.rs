//! A dossier as it is read at the centre, item by item, and changes asked for beside each (B3).

use std::collections::HashSet;

use axum::extract::Path;
use axum::http::StatusCode;
use dancu_domain::dossier::{Item, Part, Remark};
use dancu_domain::people::powers::Power;
use dancu_office::dossiers::read::{self, Act, Open, Which};
use dancu_office::dossiers::review;
use dancu_portal::dossier::{Item as Shown, Review};
use dancu_portal::parts::FieldError;

use super::told::{self, Names};
use super::{Place, at, at_centre, carried, errors, kept, open, opened};
use crate::portal::form::{self, Form};
use crate::portal::frame;
use crate::portal::signed::Signed;
use crate::stop::Handled;

/// `GET /centre/dossiers/{number}/review`
pub(super) async fn show(signed: Signed, Path(number): Path<String>) -> Handled {
    let place = at_centre(&signed, Power::SeeDossiers)?;
    let open = opened(&signed, &place, &number).await?;
    page(&signed, &place, &open, &Form::default(), vec![]).await
}

/// `POST /centre/dossiers/{number}/review`: sends it back with what was typed beside the items.
pub(super) async fn ask(signed: Signed, Path(number): Path<String>, form: Form) -> Handled {
    let place = at_centre(&signed, Power::ReviewDossier)?;
    let found = opened(&signed, &place, &number).await?;
    let at = at(found.dossier.number(), &form);
    let all = Item::ALL.iter().map(|item| (*item, form.get(&field(*item)).to_owned()));
    let remarks: Vec<Remark> = all
        .filter(|(_, text)| !text.is_empty())
        .map(|(item, text)| Remark { item, row: None, text })
        .collect();
    let doing = place.clone();
    let act = async move { review::ask_changes(&doing.desk(), at, remarks).await };
    match carried(&signed, &form, act).await? {
        Ok(()) => Ok(frame::to(&format!("{}?told=asked", place.page(found.dossier.number())))),
        Err(refused) => {
            let errors = errors(&signed, &refused, "items")?;
            let found = opened(&signed, &place, &number).await?;
            page(&signed, &place, &found, &form, errors).await
        }
    }
}

fn field(item: Item) -> String {
    format!("say-{}", item.code())
}

async fn page(
    signed: &Signed,
    place: &Place,
    found: &Open,
    typed: &Form,
    errors: Vec<FieldError>,
) -> Handled {
    let names = Names::of(signed, place, found).await?;
    let dossier = &found.dossier;
    let base = place.page(dossier.number());
    let changed = changed(place, found).await;
    let t = signed.text();
    let item = |item: Item| {
        let mut lines = told::value(&t, dossier.content(), item);
        if item == Item::Accounts {
            lines.push(t.with_two(
                "dossier-accounts-sum",
                "count",
                t.num(found.accounts.count as u64),
                "daily",
                t.num(found.accounts.daily),
            ));
        }
        let part = match item {
            Item::SecurityFile => Some(Part::Security),
            Item::CommitmentFile => Some(Part::Commitment),
            _ => None,
        };
        let files = part.map(|part| kept::rows(signed, place, found, part));
        Shown {
            code: item.code(),
            files: files.unwrap_or_default(),
            key: told::item_key(item),
            lines,
            changed: changed.contains(&item),
            remarks: told::remarks(signed, (place, &names), (&base, found), |of| of == item),
            typed: typed.get(&field(item)).to_owned(),
        }
    };
    let parts = Part::ALL.map(|part| {
        let items = Item::ALL.iter().copied().filter(|item| item.part() == part);
        (open::part_key(part), items.map(item).collect())
    });
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = Review {
        errors,
        number: dossier.number().to_string(),
        name: open::named(signed, dossier),
        parts: parts.into(),
        asks: found.acts.contains(&Act::Comment),
        revision: found.revision,
        once: form::once(),
        base,
        s: signed.shell(),
        t,
    };
    Ok(frame::page_with(status, &page))
}

/// Items that differ from what was submitted before, or from what is in force.
async fn changed(place: &Place, found: &Open) -> HashSet<Item> {
    let dossier = &found.dossier;
    let before = match dossier.version() {
        0 | 1 if dossier.in_force().is_some() => Which::InForce,
        0 | 1 => return HashSet::new(),
        version => Which::Submitted(version - 1),
    };
    // What cannot be compared is marked as unchanged: the page of both versions tells why.
    let compared = read::compare(&place.desk(), dossier.number(), (before, Which::Now)).await;
    let differences = compared.ok().flatten().map(|c| c.differences).unwrap_or_default();
    differences.into_iter().map(|difference| difference.item).collect()
}
