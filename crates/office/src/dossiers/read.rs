//! What pages read of dossiers. The account list is given to the unit alone (A6).

use dancu_domain::dossier::{
    self, Content, Difference, Dossier, DossierNumber, Mark, Missing, Part, Stage, Step, Turn,
};
use dancu_domain::editions::Law;
use dancu_domain::files::PaperCopy;
use dancu_domain::ids::UnitCode;
use dancu_domain::moment::{DAY_MS, Moment};
use dancu_domain::people::approval::Approvers;
use dancu_domain::people::powers::Power;
use dancu_domain::registration::ConnectionState;
use dancu_store::dossiers::{After, Event, LISTED, Summary};
use dancu_store::files::{Issued, Kept};

use super::{DossierDesk, Side, beyond_group, only_centre};
use crate::act::Refused;

/// Dossiers at one stage, those that stand there longest first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Queue {
    /// At most [`LISTED`].
    pub rows: Vec<Summary>,
    /// Where the next page begins; none: this was the last.
    pub next: Option<After>,
}

/// Days that a dossier has stood at its stage.
#[must_use]
pub const fn age_days(row: &Summary, now: Moment) -> i64 {
    (now.0 - row.since.0).div_euclid(DAY_MS)
}

/// The queue of the centre at a stage.
///
/// # Errors
/// Of the store; nobody but the centre reads it.
pub async fn queue(desk: &DossierDesk<'_>, stage: u8, after: After) -> Result<Queue, Refused> {
    only_centre(desk)?;
    let rows = desk.store.dossiers().at_stage(stage, after).await?;
    let last = rows.last().filter(|_| rows.len() == LISTED as usize);
    let next = last.map(|row| After { since: row.since, number: row.number });
    Ok(Queue { rows, next })
}

/// How many stand at each stage ([`Stage::CODES`]).
///
/// # Errors
/// Of the store; nobody but the centre reads it.
pub async fn counts(desk: &DossierDesk<'_>) -> Result<[u64; 9], Refused> {
    only_centre(desk)?;
    Ok(desk.store.dossiers().counts().await?)
}

/// Dossiers of a unit, the newest first, before a number (none: from the newest on).
///
/// # Errors
/// Of the store; [`Refused::Gone`] for another unit's.
pub async fn of_unit(
    desk: &DossierDesk<'_>,
    unit: &UnitCode,
    before: Option<DossierNumber>,
) -> Result<Vec<Summary>, Refused> {
    if !desk.side.covers(unit) {
        return Err(Refused::Gone);
    }
    let before = before.unwrap_or(DossierNumber(u32::MAX));
    Ok(desk.store.dossiers().of_unit(unit, before).await?)
}

/// What may be done with a dossier.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Act {
    /// Save, attach, answer.
    Edit,
    /// Sign a paper that is not signed.
    Sign(Part),
    /// Hand it in.
    Submit,
    /// Take it back.
    Withdraw,
    /// Receive it.
    Accept,
    /// Check a paper.
    Check(Part),
    /// Send it back, or find a comment done.
    Comment,
    /// Refuse it.
    Refuse,
    /// Close a step.
    CloseStep(Step),
    /// Hand the report of a conformance run in.
    HandReport,
    /// Record an exemption of a step.
    Exempt(Step),
    /// Approve it.
    Approve,
    /// Set it live.
    GoLive,
    /// Open it again.
    Reopen,
    /// End it.
    Close,
}

impl Act {
    /// The power that it needs.
    #[must_use]
    pub const fn power(self) -> Power {
        match self {
            Self::Edit | Self::HandReport => Power::EditDossier,
            // What an integrator may not do: it binds the unit.
            Self::Sign(_) | Self::Submit | Self::Withdraw | Self::Reopen => Power::SignDossier,
            // C2: the assessment is closed by who assesses.
            Self::CloseStep(Step::Assessment) => Power::RecordAssessment,
            Self::Accept
            | Self::Check(_)
            | Self::Comment
            | Self::Refuse
            | Self::CloseStep(Step::Documents | Step::Sandbox) => Power::ReviewDossier,
            Self::Exempt(_) => Power::RecordExemption,
            Self::Approve => Power::ApproveDossier,
            Self::GoLive | Self::Close => Power::ManageSystems,
        }
    }
}

/// The account list in numbers, for who does not see it (A6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Accounts {
    /// Rows.
    pub count: usize,
    /// Their daily counts together.
    pub daily: u64,
}

/// A dossier as somebody works on it.
#[derive(Clone, Debug)]
pub struct Open {
    /// The dossier; its account list is empty for everybody but the unit's head and deputies.
    pub dossier: Dossier,
    /// The revision that an act has to name.
    pub revision: i64,
    /// The account list in numbers.
    pub accounts: Accounts,
    /// What it lacks.
    pub missing: Vec<Missing>,
    /// Whose turn it is.
    pub turns: Vec<Turn>,
    /// What papers cite that is out of force.
    pub warnings: Vec<(Part, &'static Law)>,
    /// Whether its channel lies beyond those of its group: approving it approves that too (A2).
    pub beyond_group: bool,
    /// How many people have to approve it.
    pub approvers: Approvers,
    /// The connection's own state, where its system is registered.
    pub connection: Option<ConnectionState>,
    /// What happened, the newest first.
    pub history: Vec<Event>,
    /// Kept files: papers that were brought and documents of the centre.
    pub files: Vec<Kept>,
    /// Documents that the centre issued, the newest first.
    pub documents: Vec<Issued>,
    /// Paper copies with their numbers.
    pub copies: Vec<(i64, PaperCopy)>,
    /// What may be done now by who looks.
    pub acts: Vec<Act>,
}

/// Opens a dossier; `may` says which powers the person has, fresh factor aside. None where it is
/// not there, or of another unit.
///
/// # Errors
/// Of the store.
pub async fn open(
    desk: &DossierDesk<'_>,
    number: DossierNumber,
    may: impl Fn(Power) -> bool,
) -> Result<Option<Open>, Refused> {
    let dossiers = desk.store.dossiers();
    let found = dossiers.by_number(number).await?.filter(|f| desk.side.covers(f.dossier.unit()));
    let Some(found) = found else { return Ok(None) };
    let history = dossiers.history(number).await?;
    let snapshot = desk.store.snapshot(desk.now)?;
    let (dossier, profile) = (found.dossier, desk.profile());
    let system = dossier.system().and_then(|id| snapshot.by_id(id).cloned());
    let content = dossier.content();
    let daily = content.accounts.iter().fold(0, |sum, a| sum + u64::from(a.daily));
    let files = desk.store.files_of(number).await?;
    let mut missing = dossier::missing(&dossier, &profile);
    missing.extend(dossier::unscanned(&dossier, &super::files::scans(&files), &profile));
    let mut acts = acts(&dossier, desk.mark()?, &missing);
    let centre = desk.side == Side::Centre;
    acts.retain(|act| may(act.power()) && !(centre && *act == Act::HandReport));
    Ok(Some(Open {
        revision: found.revision,
        accounts: Accounts { count: content.accounts.len(), daily },
        turns: dossier::turns(&dossier),
        warnings: dossier::warnings(&dossier, desk.now.viet_nam_date()),
        beyond_group: beyond_group(&dossier, dossier.group(), &profile),
        approvers: dossier.approvers(&profile),
        connection: system.map(|s| s.state),
        dossier: match desk.side {
            Side::Unit(_) => dossier,
            Side::Integrator(_) | Side::Centre => dossier.without_people(),
        },
        documents: desk.store.documents_of(number).await?,
        copies: desk.store.paper_copies(number).await?,
        missing,
        files,
        history,
        acts,
    }))
}

/// What the stage and the rule of many eyes leave to a person.
fn acts(dossier: &Dossier, mark: Mark, missing: &[Missing]) -> Vec<Act> {
    let stage = dossier.stage();
    let draft = matches!(stage, Stage::Draft | Stage::Changes);
    let review = matches!(stage, Stage::Submitted | Stage::Accepted);
    let decides = !dossier.is_hand(mark.by);
    let open = |step| *stage == Stage::Accepted && dossier.closing(step).is_none();
    let closed = Step::ALL.into_iter().all(|step| dossier.closing(step).is_some());
    let approved = dossier.approvals().iter().any(|a| a.by == mark.by);
    let may_approve = decides && !approved && !dossier.exempted_by(mark.by);
    let lacks = missing.iter().any(|m| matches!(m.turn, Turn::Unit | Turn::Integrator));
    let parts = Part::ALL.into_iter();
    let signs = parts.clone().map(|part| (Act::Sign(part), dossier.paper(part).signed.is_none()));
    let checks = parts.map(|part| (Act::Check(part), dossier.paper(part).checked.is_none()));
    let steps = Step::ALL.into_iter();
    let table = [
        (Act::Edit, draft),
        (Act::Submit, draft && !lacks),
        (Act::Withdraw, !stage.is_final() && *stage != Stage::Live),
        (Act::Accept, *stage == Stage::Submitted && decides),
        (Act::HandReport, open(Step::Sandbox)),
        (Act::Comment, (review || *stage == Stage::Approved) && decides),
        (Act::Refuse, (review || *stage == Stage::Approved) && decides),
        (Act::Approve, *stage == Stage::Accepted && closed && may_approve),
        (Act::GoLive, *stage == Stage::Approved),
        (Act::Reopen, *stage == Stage::Live),
        (Act::Close, !stage.is_final() && dossier.in_force().is_some()),
    ];
    let all = signs
        .map(|(act, open)| (act, open && draft))
        .chain(checks.map(|(act, open)| (act, open && review && decides)))
        .chain(steps.clone().map(|step| (Act::CloseStep(step), open(step) && decides)))
        .chain(steps.map(|step| (Act::Exempt(step), open(step) && decides)))
        .chain(table);
    all.filter(|(_, may)| *may).map(|(act, _)| act).collect()
}

/// Which text of a dossier is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// As it was submitted so many times ago, from 1.
    Submitted(u16),
    /// As it stands.
    Now,
    /// What its connection is set up as.
    InForce,
}

/// Two texts of a dossier, field by field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Compare {
    /// Which.
    pub of: (Which, Which),
    /// Both, without account lists (A6).
    pub texts: (Content, Content),
    /// Fields that differ; of the account list only numbers.
    pub differences: Vec<Difference>,
}

/// Compares two texts; none where one is not there.
///
/// # Errors
/// Of the store.
pub async fn compare(
    desk: &DossierDesk<'_>,
    number: DossierNumber,
    of: (Which, Which),
) -> Result<Option<Compare>, Refused> {
    let found = desk.store.dossiers().by_number(number).await?;
    let Some(now) = found.map(|f| f.dossier).filter(|d| desk.side.covers(d.unit())) else {
        return Ok(None);
    };
    let (Some(before), Some(after)) =
        (text(desk, &now, of.0).await?, text(desk, &now, of.1).await?)
    else {
        return Ok(None);
    };
    let differences = dossier::compare(&before, &after);
    let texts = (before.without_people(), after.without_people());
    Ok(Some(Compare { of, texts, differences }))
}

async fn text(
    desk: &DossierDesk<'_>,
    now: &Dossier,
    which: Which,
) -> Result<Option<Content>, Refused> {
    Ok(match which {
        Which::Now => Some(now.content().clone()),
        Which::InForce => now.in_force().cloned(),
        Which::Submitted(version) => {
            let found = desk.store.dossiers().version(now.number(), version).await?;
            found.map(|d| d.content().clone())
        }
    })
}
