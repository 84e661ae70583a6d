//! What reviewers, assessors and approvers do with a dossier (B2, B3, A3, A4, C2, C3).

use dancu_domain::dossier::{
    Blocked, Dossier, Evidence, Exemption, ExemptionGround, Part, Refusal, Remark, Stage, Step,
};
use dancu_domain::ids::{SystemCode, SystemId};
use dancu_domain::registration::{Certificates, Channel, ConnectionState, System};
use dancu_domain::rule::RuleId;
use dancu_store::engine::Tx;
use dancu_store::policy::{accounts, credentials, setup, write};
use dancu_store::{campaigns, dossiers};

use super::live::client;
use super::{At, DossierDesk, Inside, Went, living, only_centre};
use crate::act::Refused;
use crate::campaigns::Became;

/// Receives a dossier: its system is registered as being prepared, so that it has credentials to be
/// tested with (B3). It answers nothing before it is live. The campaign of a dossier that ended
/// before it while the connection went on follows this one from here on, not from its submission:
/// which system a dossier is about is settled when it is received.
///
/// # Errors
/// [`Refused::Gone`]; [`Blocked::CodeTaken`], and what the stage says.
pub async fn accept(desk: &DossierDesk<'_>, at: At) -> Result<Went, Refused> {
    only_centre(desk)?;
    // A sandbox is asked without TLS, where nobody can show a certificate; a centre asks for one.
    let sandbox = desk.store.is_sandbox()?;
    let certificates = if sandbox { Certificates::OFF } else { Certificates::default() };
    let accepted = desk.settle(at, "dossier.accepted", move |tx, dossier, inside| {
        let (unit, _) = living(tx, &inside.keys, inside.mark.at, dossier.unit())?;
        let dossier = dossier.handed_over(unit);
        let (system, taken_over) = if let Some(system) = dossier.system() {
            (system, None)
        } else {
            let system = prepared(tx, &dossier, inside, certificates)?;
            // B4: what a campaign asks of a connection is asked of its newest dossier.
            (system, campaigns::pass_on(tx, &inside.keys, system, dossier.number())?)
        };
        let taken_over = taken_over.map(|t| format!("; {} thay {}", t.campaign, t.dossier));
        let taken_over = taken_over.unwrap_or_default();
        let campaign = inside.follow(tx, &dossier, Became::Received)?;
        let code = dossier.content().system_code.trim();
        let receipt = inside.issuing().receipt(tx, &dossier)?;
        let what = format!("hệ thống #{} {code}{receipt}{taken_over}{campaign}", system.0);
        Ok((dossier.accept(inside.mark, system)?, what))
    });
    accepted.await
}

/// Registers the system of a dossier. One of the same unit that no other dossier is about is taken
/// up: it was live before there were dossiers (B4), or a dossier that was refused or withdrawn left
/// it behind.
fn prepared(
    tx: &mut Tx<'_>,
    dossier: &Dossier,
    inside: &Inside,
    certificates: Certificates,
) -> Result<SystemId, Refused> {
    let code = SystemCode::parse(dossier.content().system_code.trim());
    let code = code.map_err(|_| Blocked::Incomplete)?;
    // Case does not count: the codes of two systems, and the clients named after them, differ.
    if let Some(id) = setup::by_code(tx, &code)? {
        let owner = accounts::owner(tx, id)?.ok_or(Refused::Gone)?;
        let goes_on = owner.state != ConnectionState::Closed && owner.code == code;
        if goes_on && owner.unit == *dossier.unit() && !dossiers::any_of_system(tx, id)? {
            return Ok(id);
        }
        return Err(Blocked::CodeTaken.into());
    }
    let (highest, ..) = write::highest_ids(tx)?;
    let id = SystemId(highest.0 + 1);
    let mut system = System::new(id, code, dossier.unit().clone(), dossier.group());
    system.certificates = certificates;
    if dossier.channel() == Channel::Api {
        let client = client(&system.code);
        if credentials::names(tx, &inside.keys)?.clients.contains_key(&client.client_id) {
            return Err(Blocked::CodeTaken.into());
        }
        system.oauth = Some(client);
    }
    write::insert_system(tx, &inside.keys, &system, &[])?;
    Ok(id)
}

/// Sends it back with comments by field.
///
/// # Errors
/// [`Refused::Gone`], [`Refused::Dossier`].
pub async fn ask_changes(
    desk: &DossierDesk<'_>,
    at: At,
    remarks: Vec<Remark>,
) -> Result<Went, Refused> {
    only_centre(desk)?;
    let asked = desk.step(at, "dossier.changesAsked", move |dossier, inside| {
        let items: Vec<&str> = remarks.iter().map(|r| r.item.code()).collect();
        let what = format!("{} góp ý: {}", items.len(), items.join(" "));
        Ok((dossier.ask_changes(inside.mark, remarks)?, what))
    });
    asked.await
}

/// Finds that what a comment asked for is done.
///
/// # Errors
/// As [`ask_changes`].
pub async fn resolve(desk: &DossierDesk<'_>, at: At, comment: usize) -> Result<Went, Refused> {
    only_centre(desk)?;
    let resolved = desk.step(at, "dossier.commentResolved", move |dossier, inside| {
        Ok((dossier.resolve(inside.mark, comment)?, format!("góp ý {}", comment + 1)))
    });
    resolved.await
}

/// Finds a paper right.
///
/// # Errors
/// As [`ask_changes`].
pub async fn check(desk: &DossierDesk<'_>, at: At, part: Part) -> Result<Went, Refused> {
    only_centre(desk)?;
    let checked = desk.step(at, "dossier.checked", move |dossier, inside| {
        let what = format!("{} bản {}", part.code(), dossier.paper(part).version);
        Ok((dossier.check(inside.mark, part)?, what))
    });
    checked.await
}

/// Refuses it by a rule (A3); of one that is live only the change, and the connection goes on.
///
/// # Errors
/// As [`ask_changes`].
pub async fn refuse(
    desk: &DossierDesk<'_>,
    at: At,
    rule: RuleId,
    (reason, what_to_do): (&str, &str),
) -> Result<Went, Refused> {
    let (reason, what_to_do) = (reason.to_owned(), what_to_do.to_owned());
    only_centre(desk)?;
    let refused = desk.look_and_step(at, "dossier.refused", move |tx, dossier, inside| {
        let after = dossier.clone().refuse(inside.mark, rule, (&reason, &what_to_do))?;
        let (reason, what_to_do) = (reason.trim().to_owned(), what_to_do.trim().to_owned());
        let told = format!("quy tắc {rule}; lý do: {reason}");
        let refusal = Refusal { rule, reason, what_to_do, mark: inside.mark };
        let paper = inside.issuing().refusal(tx, &dossier, &refusal)?;
        Ok((after, format!("{told}{paper}")))
    });
    refused.await
}

/// Closes a step as done; the assessment only by the police's numbered confirmation (C2), the
/// sandbox not here but by its report ([`super::tested`]).
///
/// # Errors
/// As [`ask_changes`]; [`Blocked::ReportNeeded`].
pub async fn close_step(
    desk: &DossierDesk<'_>,
    at: At,
    step: Step,
    evidence: Evidence,
) -> Result<Went, Refused> {
    only_centre(desk)?;
    if step == Step::Sandbox {
        return Err(Blocked::ReportNeeded.into());
    }
    let closed = desk.step(at, "dossier.stepDone", move |dossier, inside| {
        let shown = match &evidence {
            Evidence::Confirmation { number, date } => format!("văn bản {number} ngày {date}"),
            _ => "đủ bốn thành phần".to_owned(),
        };
        let what = format!("{}: {shown}", step.code());
        Ok((dossier.close_step(inside.mark, step, evidence)?, what))
    });
    closed.await
}

/// Records that a step is left out (C3): as live before there were dossiers only where the system
/// was, on synthetic people only in a sandbox.
///
/// # Errors
/// As [`ask_changes`]; [`Blocked::GroundUnfit`].
pub async fn exempt(
    desk: &DossierDesk<'_>,
    at: At,
    step: Step,
    exemption: Exemption,
) -> Result<Went, Refused> {
    only_centre(desk)?;
    let sandbox = desk.store.is_sandbox()?;
    let exempted = desk.look_and_step(at, "dossier.exempted", move |tx, dossier, inside| {
        // A dossier in process sets nothing live: what is live was so when it was received.
        let state = dossier.system().map(|id| write::system_state(tx, id)).transpose()?.flatten();
        let fits = match exemption.ground {
            ExemptionGround::LiveBefore => {
                state.is_some_and(|state| state != ConnectionState::Preparing)
            }
            ExemptionGround::SyntheticPeople => sandbox,
            _ => true,
        };
        if !fits {
            return Err(Blocked::GroundUnfit.into());
        }
        let Exemption { ground, evidence, date } = &exemption;
        let what = format!("{}: {}, {evidence} ngày {date}", step.code(), ground.code());
        Ok((dossier.exempt(inside.mark, step, exemption)?, what))
    });
    exempted.await
}

/// Approves it, alone or as one of two (A4). The route asks for a fresh factor.
///
/// # Errors
/// As [`ask_changes`].
pub async fn approve(desk: &DossierDesk<'_>, at: At) -> Result<Went, Refused> {
    only_centre(desk)?;
    let approved = desk.look_and_step(at, "dossier.approved", |tx, dossier, inside| {
        let needed = dossier.approvers(&inside.profile) as usize;
        let after = dossier.approve(inside.mark, &inside.profile)?;
        let given = after.approvals().len();
        let whole = if *after.stage() == Stage::Approved {
            format!("đủ{}", inside.issuing().consent(tx, &after)?)
        } else {
            "chưa đủ".to_owned()
        };
        Ok((after, format!("người duyệt {given}/{needed}, {whole}")))
    });
    approved.await
}
