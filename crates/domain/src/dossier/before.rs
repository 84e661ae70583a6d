//! The dossier of a connection that was live before there were dossiers (B4).

use super::{
    Blocked, Clearance, Closing, Content, Dossier, DossierNumber, Exemption, ExemptionGround,
    Ground, InForce, Mark, Part, Registration, Stage, Step,
};
use crate::ids::{SystemId, UnitCode};
use crate::registration::{Channel, Group};

impl Dossier {
    /// Enters a connection that is live already: what is registered of it, and the clearance by
    /// the recorded exemption. Sandbox and assessment are exempt on that ground; the documents are
    /// open, and nothing is signed: the dossier is to be completed by a campaign.
    ///
    /// # Errors
    /// [`Blocked::TooLong`]; [`Blocked::Incomplete`] where a row cannot be registered; what
    /// [`Exemption::fits`] and [`Clearance::exempt`] say.
    pub fn live_before(
        (number, system): (DossierNumber, SystemId),
        (unit, group, channel): (UnitCode, Group, Channel),
        mark: Mark,
        content: Content,
        (evidence, date, approver): (&str, jiff::civil::Date, &str),
    ) -> Result<(Self, Registration, Clearance), Blocked> {
        content.bounded()?;
        let registration = content.registration().ok_or(Blocked::Incomplete)?;
        let clearance = Clearance::exempt(Ground::LiveBefore, evidence, approver)?;
        let ground = ExemptionGround::LiveBefore;
        let exemption = Exemption { ground, evidence: evidence.trim().to_owned(), date };
        let mut dossier = Self::begin(number, unit, (group, channel), mark);
        for step in [Step::Sandbox, Step::Assessment] {
            exemption.fits(step, true, mark.at.viet_nam_date())?;
            dossier.steps[step as usize] = Some(Closing::Exempt(exemption.clone(), mark));
        }
        // Whoever entered it has not filled it in for the unit.
        dossier.filled.clear();
        dossier.system = Some(system);
        dossier.content = content.clone();
        let papers = Part::ALL.map(|part| dossier.papers(part).len() as u16);
        let steps = dossier.steps.clone();
        dossier.in_force = Some(Box::new(InForce { content, papers, steps }));
        dossier.stage = Stage::Live;
        Ok((dossier, registration, clearance))
    }
}
