//! Individual commitments that the head confirms in one batch (B7).

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use dancu_domain::dossier::Blocked;
use dancu_domain::editions::{Edition, Form as Paper};
use dancu_domain::files::{FileId, list_number};
use dancu_domain::ids::AccountId;
use dancu_domain::people::powers::Power;
use dancu_office::Refused;
use dancu_office::commitments::{self, Committed};
use dancu_portal::dossier::kept::{Commitments, OfficerRow, committed};
use dancu_portal::parts::FieldError;
use serde::Deserialize;

use super::{Unit, allowed, answered, as_errors, system_choices};
use crate::portal::dossiers::{Unfit, sent, turn};
use crate::portal::form::{self, Upload};
use crate::portal::once::Sent;
use crate::portal::signed::Signed;
use crate::portal::{frame, words};
use crate::stop::Handled;

/// Which system, and what was done a moment ago.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Which {
    system: String,
    list: String,
}

/// `GET /unit/officers/commitments`
pub(super) async fn show(signed: Signed, Query(which): Query<Which>) -> Handled {
    let unit = allowed(&signed, Power::ConfirmCommitments).await?;
    page(&signed, &unit, &which, vec![]).await
}

async fn page(signed: &Signed, unit: &Unit, which: &Which, errors: Vec<FieldError>) -> Handled {
    let Some(system) = unit.shown(&which.system) else { return Ok(frame::missing(signed)) };
    let found = match commitments::of_system(&unit.desk(), system.id).await {
        Ok(found) => found,
        Err(refused) => return Ok(answered(signed, &refused)),
    };
    let t = signed.text();
    let edition = Edition::at(Paper::IndividualCommitment, signed.today());
    let told = which.list.parse::<i64>().ok();
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = Commitments {
        errors,
        told: told.map(|list| t.with("commitments-told", "list", list_number(list))),
        systems: system_choices(&unit.systems(), system.id.0),
        system: system.id.0,
        edition: edition.map_or("", |edition| edition.letter).to_owned(),
        papers: "/unit/papers",
        none: found.iter().filter(|c| c.commitment.is_none()).count() as u64,
        rows: found.iter().map(|c| row(signed, c)).collect(),
        once: form::once(),
        s: signed.shell(),
        t,
    };
    Ok(frame::page_with(status, &page))
}

fn row(signed: &Signed, found: &Committed) -> OfficerRow {
    let account = &found.officer.account;
    let told = found.commitment.as_ref().map(|of| {
        let (number, day) = (list_number(of.number), frame::day(of.list.mark.at));
        let told = signed.text().with_two("commitments-of", "list", number, "day", day);
        format!("{told} · {}", of.list.edition)
    });
    OfficerRow {
        id: account.id.0,
        name: found.officer.full_name.clone(),
        login: words::login(&account.login),
        state: if told.is_some() { committed::YES } else { committed::NO },
        told: told.unwrap_or_default(),
        href: found
            .commitment
            .as_ref()
            .and_then(|of| of.list.file)
            .map(|file| format!("/unit/officers/commitments/{}", file.0))
            .unwrap_or_default(),
    }
}

/// `GET /unit/officers/commitments/{file}`: a signed list; journaled.
pub(super) async fn list(signed: Signed, Path(file): Path<String>) -> Handled {
    let unit = allowed(&signed, Power::ConfirmCommitments).await?;
    let Some(file) = file.parse().ok().map(FileId) else { return Ok(frame::missing(&signed)) };
    let _turn = turn(&signed)?;
    Ok(match commitments::fetch(&unit.desk(), file).await {
        Ok((kept, bytes)) => sent("commitments", &kept, bytes),
        Err(refused) => answered(&signed, &refused),
    })
}

/// `POST /unit/officers/commitments`
pub(super) async fn confirm(signed: Signed, upload: Upload) -> Handled {
    let unit = allowed(&signed, Power::ConfirmCommitments).await?;
    let Upload { form, file } = upload;
    let which = Which { system: form.get("system").to_owned(), list: String::new() };
    let Some(system) = unit.system(&which.system) else { return Ok(frame::missing(&signed)) };
    let chosen: Vec<AccountId> =
        form.all("officer").iter().filter_map(|id| id.parse().ok()).map(AccountId).collect();
    let brought = match file.filter(|sent| !sent.bytes.is_empty()) {
        None => None,
        Some(sent) => {
            let kept = &signed.portal().dossiers;
            match kept.looked_at(&signed, sent.name, sent.bytes).await? {
                Ok(brought) => Some(brought),
                Err(Unfit::Sentence(sentence)) => {
                    let errors = vec![frame::wrong("file", sentence)];
                    return page(&signed, &unit, &which, errors).await;
                }
                Err(Unfit::Scanner(sha256)) => {
                    let desk = unit.desk();
                    let told = commitments::refused_by_scanner(&desk, system.id, sha256).await;
                    let refused = told.err().unwrap_or(Refused::Dossier(Blocked::FileRefused));
                    let errors = as_errors(&signed, &refused, "file")?;
                    return page(&signed, &unit, &which, errors).await;
                }
            }
        }
    };
    let doing = unit.clone();
    let act = async move { commitments::confirm(&doing.desk(), system.id, chosen, brought).await };
    let to = |list: &str| format!("/unit/officers/commitments?system={}{list}", which.system);
    match Box::pin(form.carry_out(&signed, act)).await? {
        Sent::First(Ok((_, list))) => Ok(frame::to(&to(&format!("&list={list}")))),
        Sent::First(Err(refused)) => {
            let errors = as_errors(&signed, &refused, "officers")?;
            page(&signed, &unit, &which, errors).await
        }
        _ => Ok(frame::to(&to(""))),
    }
}
