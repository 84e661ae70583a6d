//! Papers of the unit: what the dossier asks for (B2), filled from what is registered, as PDF.

use axum::extract::Query;
use dancu_domain::editions::{Edition, Form};
use dancu_domain::ids::AccountId;
use dancu_domain::people::powers::Power;
use dancu_domain::people::roles::Role;
use dancu_domain::registration::System;
use dancu_office::Refused;
use dancu_office::papers::{self, COMMITMENTS_MAX, Draft, Whose};
use dancu_papers::forms::{Contact, Signer};
use dancu_portal::papers::{Paper, Papers, Spreadsheet, SystemPapers};
use dancu_portal::text::Text;
use serde::Deserialize;

use super::import::{XLSX, editions};
use super::{Unit, allowed, answered};
use crate::portal::signed::Signed;
use crate::portal::{frame, words};
use crate::stop::Handled;

/// What a paper is sent as.
const PDF: &str = "application/pdf";

/// Which paper.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Which {
    system: String,
    account: String,
    part: String,
}

/// `GET /unit/papers`.
pub(super) async fn show(signed: Signed) -> Handled {
    let unit = allowed(&signed, Power::SeeDossiers).await?;
    let t = signed.text();
    let mut systems = vec![];
    for system in unit.systems() {
        let parts = match papers::commitment_parts(&unit.desk(), system.id).await {
            Ok(parts) => parts,
            Err(refused) => return Ok(answered(&signed, &refused)),
        };
        systems.push(listed(&signed, &t, &system, parts));
    }
    let unit_papers = paper(&signed, &t, "organisation", Form::OrganisationCommitment, "");
    Ok(frame::page(&Papers {
        unit: unit_papers.into_iter().collect(),
        systems,
        s: signed.shell(),
        t,
    }))
}

fn listed(signed: &Signed, t: &Text, system: &System, parts: usize) -> SystemPapers {
    let of = format!("?system={}", system.id.0);
    let mut rows: Vec<Paper> =
        paper(signed, t, "registration", Form::ServiceRegistration, &of).into_iter().collect();
    // Whoever only sees dossiers is not offered what holds personal data.
    if signed.holds(Power::ExportAccounts) {
        rows.extend(paper(signed, t, "accounts", Form::AccountList, &of));
        for part in 0..parts {
            let query = format!("{of}&part={part}");
            let named = paper(signed, t, "individual", Form::IndividualCommitment, &query);
            rows.extend(named.map(|paper| Paper {
                part: (parts > 1).then(|| {
                    let first = part * COMMITMENTS_MAX + 1;
                    format!("{first}–{}", first + COMMITMENTS_MAX - 1)
                }),
                ..paper
            }));
        }
    }
    let sheet = |key, href: String, edition: &Edition| Spreadsheet {
        key,
        href,
        edition: t.with("papers-edition", "letter", edition.letter),
    };
    let registration = Edition::at(Form::ServiceRegistration, signed.today()).map(|edition| {
        sheet("papers-registration", format!("/unit/papers/registration.xlsx{of}"), edition)
    });
    let of_list = |edition: &Edition| {
        let href = format!("/unit/officers.xlsx{of}&edition={}", edition.name);
        sheet("papers-accounts", href, edition)
    };
    let lists = editions(signed.today()).filter(|_| signed.holds(Power::ExportAccounts));
    let sheets = registration.into_iter().chain(lists.map(of_list)).collect();
    SystemPapers { system: system.code.as_str().to_owned(), rows, sheets }
}

/// A paper of today's edition; none before its first.
fn paper(signed: &Signed, t: &Text, name: &str, form: Form, query: &str) -> Option<Paper> {
    let day = signed.today();
    let edition = Edition::at(form, day)?;
    let expired = edition.expired_citations(day).map(|law| {
        t.with_two("papers-expired-law", "law", law.name, "by", law.replaced_by.unwrap_or("–"))
    });
    Some(Paper {
        name: t.get(format!("papers-{name}")),
        href: format!("/unit/papers/{name}.pdf{query}"),
        edition: t.with("papers-edition", "letter", edition.letter),
        expired: expired.collect(),
        part: None,
    })
}

/// `GET /unit/papers/registration.pdf`.
pub(super) async fn registration(signed: Signed, Query(which): Query<Which>) -> Handled {
    let unit = allowed(&signed, Power::SeeDossiers).await?;
    let Some(system) = unit.system(&which.system) else { return Ok(frame::missing(&signed)) };
    let t = frame::text(dancu_portal::text::Language::Vietnamese);
    let name = |service| words::service(&t, service);
    let draft = papers::service_registration(&unit.desk(), system.id, contact(&signed), name).await;
    sent(&signed, &unit, draft, "phieu-dang-ky-dich-vu", Some(system.as_ref())).await
}

/// `GET /unit/papers/registration.xlsx`.
pub(super) async fn registration_sheet(signed: Signed, Query(which): Query<Which>) -> Handled {
    let unit = allowed(&signed, Power::SeeDossiers).await?;
    let Some(system) = unit.system(&which.system) else { return Ok(frame::missing(&signed)) };
    let t = frame::text(dancu_portal::text::Language::Vietnamese);
    let name = |service| words::service(&t, service);
    let made = papers::service_sheet(&unit.desk(), system.id, contact(&signed), name).await;
    Ok(match made {
        Ok(bytes) => {
            let name = named(&signed, "phieu-dang-ky-dich-vu", Some(system.as_ref()));
            frame::file(&format!("{name}.xlsx"), XLSX, bytes)
        }
        Err(refused) => answered(&signed, &refused),
    })
}

/// `GET /unit/papers/accounts.pdf`; journaled.
pub(super) async fn accounts(signed: Signed, Query(which): Query<Which>) -> Handled {
    let unit = allowed(&signed, Power::ExportAccounts).await?;
    let Some(system) = unit.system(&which.system) else { return Ok(frame::missing(&signed)) };
    let draft = papers::account_list(&unit.desk(), system.id, contact(&signed)).await;
    sent(&signed, &unit, draft, "danh-sach-tai-khoan", Some(system.as_ref())).await
}

/// `GET /unit/papers/organisation.pdf`: the head is who represents the unit; for anybody else who
/// signs stays open.
pub(super) async fn organisation(signed: Signed) -> Handled {
    let unit = allowed(&signed, Power::SeeDossiers).await?;
    let person = &signed.person;
    let today = signed.app.clock.now().viet_nam_date();
    let heads = person.grants.on(today).any(|grant| grant.role == Role::Head);
    let represents = if heads {
        Signer {
            name: person.name.clone(),
            personal_id: person.personal_id.map(|id| id.to_string()).unwrap_or_default(),
            phone: person.phone.clone(),
            ..Signer::default()
        }
    } else {
        Signer::default()
    };
    let draft = papers::organisation_commitment(&unit.desk(), represents).await;
    sent(&signed, &unit, draft, "cam-ket-to-chuc", None).await
}

/// `GET /unit/papers/individual.pdf`: of one account, or of a part of the list; journaled.
pub(super) async fn individual(signed: Signed, Query(which): Query<Which>) -> Handled {
    let unit = allowed(&signed, Power::ExportAccounts).await?;
    let found = match which.account.parse().ok().map(AccountId) {
        Some(id) => {
            let of = unit.systems().into_iter().find(|s| s.accounts.iter().any(|a| a.id == id));
            of.map(|system| (system, Whose::One(id)))
        }
        None if which.account.is_empty() => {
            let part = if which.part.is_empty() { Some(0) } else { which.part.parse().ok() };
            unit.system(&which.system).zip(part.map(Whose::Part))
        }
        None => None,
    };
    let Some((system, whose)) = found else { return Ok(frame::missing(&signed)) };
    let draft = papers::individual_commitments(&unit.desk(), system.id, whose).await;
    sent(&signed, &unit, draft, "cam-ket-ca-nhan", Some(system.as_ref())).await
}

fn contact(signed: &Signed) -> Contact {
    Contact {
        name: signed.person.name.clone(),
        phone: signed.person.phone.clone(),
        ..Contact::default()
    }
}

/// Prints beside the threads that answer, journals, sends.
async fn sent(
    signed: &Signed,
    unit: &Unit,
    draft: Result<Draft, Refused>,
    name: &str,
    system: Option<&System>,
) -> Handled {
    let made = match draft {
        Ok(draft) => tokio::task::spawn_blocking(move || draft.print()).await,
        Err(refused) => return Ok(answered(signed, &refused)),
    };
    let Ok(printed) = made else { return Ok(frame::unavailable(signed)) };
    let handed = match printed {
        Ok(printed) => printed.hand_out(&unit.desk()).await,
        Err(refused) => Err(refused),
    };
    Ok(match handed {
        Ok(pdf) => frame::file(&format!("{}.pdf", named(signed, name, system)), PDF, pdf.bytes),
        Err(refused) => answered(signed, &refused),
    })
}

/// A file's name without its ending.
fn named(signed: &Signed, name: &str, system: Option<&System>) -> String {
    let code = system.map_or("", |s| s.code.as_str()).chars();
    let code: String = code.filter(char::is_ascii_alphanumeric).collect();
    let dash = if code.is_empty() { "" } else { "-" };
    format!("{name}{dash}{code}-{}", signed.today())
}
