//! The sandbox step, closed by the signed report of a conformance run (B3): it is judged here, the
//! signature by who read it.

use super::{Blocked, Closing, Content, Dossier, Evidence, Mark, Stage, Step};
use crate::conformance::{FORMAT, Report, Run};
use crate::moment::{DAY_MS, Moment};
use crate::profile::Profile;
use crate::service::{Service, ServiceSet, Window};

/// A report whose signature is that of a sandbox which this centre trusts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proven {
    /// What it says.
    pub report: Report,
    /// SHA-256 of the signed text, hex.
    pub sha256: String,
    /// Name and hash of the key that signed it.
    pub signer: String,
    /// When the run was passed.
    pub at: Moment,
}

impl Dossier {
    /// Closes the sandbox step by a report. Whoever hands it in decides nothing: it is for this
    /// system with these services, young enough, and every case passed, or it is refused.
    ///
    /// # Errors
    /// [`Blocked::NotInThisStage`], [`Blocked::StepClosed`], [`Blocked::ReportForeign`],
    /// [`Blocked::ReportServices`], [`Blocked::ReportOld`], [`Blocked::ConformanceFailed`].
    pub fn tested(
        mut self,
        mark: Mark,
        proven: &Proven,
        profile: &Profile,
    ) -> Result<Self, Blocked> {
        self.at_stage(|s| *s == Stage::Accepted)?;
        if self.closing(Step::Sandbox).is_some() {
            return Err(Blocked::StepClosed);
        }
        let report = &proven.report;
        let is_ours = report.unit_code == self.unit().as_str()
            && report.for_system == self.content().system_code.trim();
        if !is_ours {
            return Err(Blocked::ReportForeign);
        }
        // C2: a report of before a change of design says nothing of the new one.
        let reopened = self.reopening().map(|r| r.mark.at);
        let since = reopened.max(self.untested).unwrap_or(Moment(i64::MIN));
        let oldest = Moment(mark.at.0 - i64::from(profile.dossier.report_days) * DAY_MS);
        if proven.at < since.max(oldest) || proven.at > Moment(mark.at.0 + DAY_MS) {
            return Err(Blocked::ReportOld);
        }
        let passed = passed(report, self.content())?;
        let evidence = Evidence::Report {
            number: report.run.clone(),
            sha256: proven.sha256.clone(),
            signer: proven.signer.clone(),
            passed,
        };
        evidence.fits(Step::Sandbox, mark.at.viet_nam_date())?;
        self.steps[Step::Sandbox as usize] = Some(Closing::Done(evidence, mark));
        Ok(self)
    }
}

/// How many cases passed: every one that a system with these services and lines has to show.
fn passed(report: &Report, content: &Content) -> Result<u32, Blocked> {
    let tried: Vec<Service> =
        report.services.iter().filter_map(|code| Service::from_code(code)).collect();
    if !content.services().iter().all(|service| tried.contains(&service)) {
        return Err(Blocked::ReportServices);
    }
    let windows = [Window::InHours, Window::OffHours]
        .map(|window| content.lines.iter().any(|line| line.window == window));
    let needed = Run::new(ServiceSet::of(&tried), windows);
    let is_shown = |code: &str| report.cases.iter().any(|c| c.case == code && c.passed);
    let all = needed.cases().iter().all(|shown| is_shown(shown.case.code()));
    if report.format != FORMAT || !all || report.cases.iter().any(|c| !c.passed) {
        return Err(Blocked::ConformanceFailed);
    }
    Ok(u32::try_from(report.cases.len()).unwrap_or(u32::MAX))
}
