//! Transitions of a dossier (B3).

use super::check::{Turn, missing, of_content};
use super::content::{SHORT_MAX, TEXT_MAX, is_text};
use super::papers::ATTACHMENTS_MAX;
use super::{
    AccountRow, Attachment, Blocked, Cause, Clearance, Closing, Content, Dossier, Evidence,
    Exemption, Ground, InForce, Mark, Paper, Part, Refusal, Registration, Reopening, ServiceUse,
    Stage, Step,
};
use crate::ids::{SystemId, UnitCode};
use crate::people::PersonId;
use crate::people::approval::Approvers;
use crate::profile::Profile;
use crate::rule::RuleId;

/// Versions of one paper: hundreds of changes over the years (*ours*).
const VERSIONS_MAX: usize = 1_000;

/// In which role somebody edits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Editor {
    /// As head or deputy: everything.
    Unit,
    /// As integrator: the technical items (A6).
    Integrator,
}

impl Dossier {
    /// Saves what a draft says; of an integrator only the technical items are taken. Papers whose
    /// content changes are to be signed and checked anew.
    ///
    /// # Errors
    /// [`Blocked::NotInThisStage`], [`Blocked::TooLong`], [`Blocked::CodeFixed`],
    /// [`Blocked::ListKept`].
    pub fn save(mut self, mark: Mark, editor: Editor, content: Content) -> Result<Self, Blocked> {
        self.editable()?;
        let next = match editor {
            Editor::Unit => content,
            Editor::Integrator => self.content.clone().with_technical_of(content),
        };
        next.bounded()?;
        // The code of a system that is registered stays what it is.
        if self.system.is_some() && next.system_code != self.content.system_code {
            return Err(Blocked::CodeFixed);
        }
        // Accounts come and go meanwhile: an older list does not undo that.
        if self.in_force.is_some() && next.accounts != self.content.accounts {
            return Err(Blocked::ListKept);
        }
        for part in Part::ALL {
            if !self.content.same_in(&next, part) {
                self.touch(part, mark)?;
            }
        }
        // C2: another design is tested and assessed anew; ours: so is another description of it.
        if next.technical != self.content.technical {
            self.steps[Step::Sandbox as usize] = None;
            self.steps[Step::Assessment as usize] = None;
        }
        self.content = next;
        self.hand(mark);
        Ok(self)
    }

    /// Puts a file to a paper.
    ///
    /// # Errors
    /// [`Blocked::NotInThisStage`], [`Blocked::TooLong`] where it has too many.
    pub fn attach(mut self, mark: Mark, part: Part, file: Attachment) -> Result<Self, Blocked> {
        self.editable()?;
        let many = self.paper(part).attachments.len() >= ATTACHMENTS_MAX;
        if many || !is_text(&file.kind, SHORT_MAX) {
            return Err(Blocked::TooLong);
        }
        self.touch(part, mark)?.attachments.push(file);
        self.hand(mark);
        Ok(self)
    }

    /// Takes a file away from a paper.
    ///
    /// # Errors
    /// [`Blocked::NotInThisStage`].
    pub fn detach(mut self, mark: Mark, part: Part, id: u64) -> Result<Self, Blocked> {
        self.editable()?;
        if self.paper(part).attachments.iter().all(|a| a.id != id) {
            return Err(Blocked::NotInThisStage);
        }
        self.touch(part, mark)?.attachments.retain(|a| a.id != id);
        self.hand(mark);
        Ok(self)
    }

    /// Signs a paper that is whole (B7).
    ///
    /// # Errors
    /// [`Blocked::NotInThisStage`], [`Blocked::Incomplete`].
    pub fn sign(mut self, mark: Mark, part: Part, profile: &Profile) -> Result<Self, Blocked> {
        self.editable()?;
        let file = part == Part::Security && self.paper(part).attachments.is_empty();
        let kept = part == Part::Accounts && self.in_force.is_some();
        let lacks = || of_content(&self.content, profile).iter().any(|m| m.part == part);
        if file || (!kept && lacks()) {
            return Err(Blocked::Incomplete);
        }
        self.last(part).signed = Some(mark);
        self.hand(mark);
        Ok(self)
    }

    /// Hands it in; `carry_over` confirms that what was filled in on an older edition is meant.
    ///
    /// # Errors
    /// [`Blocked::NotInThisStage`], [`Blocked::Incomplete`], [`Blocked::CommentsUnanswered`],
    /// [`Blocked::EditionChanged`].
    pub fn submit(
        mut self,
        mark: Mark,
        carry_over: bool,
        profile: &Profile,
    ) -> Result<Self, Blocked> {
        self.editable()?;
        let unit = |m: &super::Missing| matches!(m.turn, Turn::Unit | Turn::Integrator);
        if missing(&self, profile).iter().any(unit) {
            return Err(Blocked::Incomplete);
        }
        if self.comments.iter().any(|c| c.resolved.is_none() && c.answer.is_none()) {
            return Err(Blocked::CommentsUnanswered);
        }
        let day = mark.at.viet_nam_date();
        for part in Part::ALL {
            let paper = self.last(part);
            if paper.is_outdated(part, day) && paper.carried_over.is_none() {
                if !carry_over {
                    return Err(Blocked::EditionChanged);
                }
                paper.carried_over = Some(mark);
            }
        }
        self.version = self.version.checked_add(1).ok_or(Blocked::TooLong)?;
        self.hand(mark);
        Ok(self.to(Stage::Submitted, mark))
    }

    /// Takes it back. Of one that is live only the change under way ends.
    ///
    /// # Errors
    /// [`Blocked::NotInThisStage`].
    pub fn withdraw(self, mark: Mark) -> Result<Self, Blocked> {
        self.at_stage(|s| !s.is_final() && *s != Stage::Live)?;
        Ok(self.turned_back(Stage::Withdrawn, mark))
    }

    /// Receives it; `system` is the row that was registered as being prepared.
    ///
    /// # Errors
    /// [`Blocked::NotInThisStage`], [`Blocked::OwnDossier`].
    pub fn accept(mut self, mark: Mark, system: SystemId) -> Result<Self, Blocked> {
        self.at_stage(|s| *s == Stage::Submitted)?;
        self.not_own(mark)?;
        self.system.get_or_insert(system);
        Ok(self.to(Stage::Accepted, mark))
    }

    /// Finds a paper right.
    ///
    /// # Errors
    /// [`Blocked::NotInThisStage`], [`Blocked::OwnDossier`].
    pub fn check(mut self, mark: Mark, part: Part) -> Result<Self, Blocked> {
        self.at_stage(|s| matches!(s, Stage::Submitted | Stage::Accepted))?;
        self.not_own(mark)?;
        self.last(part).checked = Some(mark);
        Ok(self)
    }

    /// Refuses it by a rule, with a reason and what the unit may do (A3). Of one that is live only
    /// the change is refused.
    ///
    /// # Errors
    /// [`Blocked::NotInThisStage`], [`Blocked::OwnDossier`], [`Blocked::ReasonMissing`].
    pub fn refuse(
        mut self,
        mark: Mark,
        rule: RuleId,
        (reason, what_to_do): (&str, &str),
    ) -> Result<Self, Blocked> {
        let open = |s: &Stage| matches!(s, Stage::Submitted | Stage::Accepted | Stage::Approved);
        self.at_stage(open)?;
        self.not_own(mark)?;
        if !is_text(reason, TEXT_MAX) || !is_text(what_to_do, TEXT_MAX) {
            return Err(Blocked::ReasonMissing);
        }
        let (reason, what_to_do) = (reason.trim().to_owned(), what_to_do.trim().to_owned());
        let refusal = Refusal { rule, reason, what_to_do, mark };
        if self.in_force.is_some() {
            self.turned_down = Some(refusal.clone());
        }
        Ok(self.turned_back(Stage::Refused(refusal), mark))
    }

    /// Closes a step as done.
    ///
    /// # Errors
    /// [`Blocked::NotInThisStage`], [`Blocked::OwnDossier`], [`Blocked::StepClosed`],
    /// [`Blocked::PartsUnchecked`], [`Blocked::BeforeChange`], and what [`Evidence::fits`] says.
    pub fn close_step(
        mut self,
        mark: Mark,
        step: Step,
        evidence: Evidence,
    ) -> Result<Self, Blocked> {
        self.step_open(mark, step)?;
        evidence.fits(step, mark.at.viet_nam_date())?;
        if let (Evidence::Confirmation { date, .. }, Some(reopening)) = (&evidence, &self.reopening)
        {
            // C2: of a connection that goes on only a change of design opens this step.
            if *date < reopening.mark.at.viet_nam_date() {
                return Err(Blocked::BeforeChange);
            }
        }
        let unchecked = |part: &Part| self.paper(*part).checked.is_none();
        if step == Step::Documents && Part::ALL.iter().any(unchecked) {
            return Err(Blocked::PartsUnchecked);
        }
        self.steps[step as usize] = Some(Closing::Done(evidence, mark));
        Ok(self)
    }

    /// Records that a step is left out.
    ///
    /// # Errors
    /// [`Blocked::NotInThisStage`], [`Blocked::OwnDossier`], [`Blocked::StepClosed`], and what
    /// [`Exemption::fits`] says.
    pub fn exempt(mut self, mark: Mark, step: Step, exemption: Exemption) -> Result<Self, Blocked> {
        self.step_open(mark, step)?;
        exemption.fits(step, self.in_force.is_none(), mark.at.viet_nam_date())?;
        self.steps[step as usize] = Some(Closing::Exempt(exemption, mark));
        Ok(self)
    }

    /// How many people approve it: the profile's figure, two where sensitive fields are wanted
    /// that the service is not granted yet for that purpose and in those procedures (A4).
    #[must_use]
    pub fn approvers(&self, profile: &Profile) -> Approvers {
        let granted = |wanted: &ServiceUse| {
            self.in_force().is_some_and(|c| c.uses.iter().any(|granted| granted.covers(wanted)))
        };
        let new = |u: &ServiceUse| !u.sensitive().is_empty() && !granted(u);
        if self.content.uses.iter().any(new) {
            return Approvers::Two;
        }
        profile.dossier.approvers
    }

    /// Whether somebody left out a step in this round: who did does not approve it.
    #[must_use]
    pub fn exempted_by(&self, person: PersonId) -> bool {
        let since = self.reopening.as_ref().map(|r| r.mark.at);
        self.steps.iter().flatten().any(|closing| match closing {
            Closing::Exempt(_, mark) => mark.by == person && since.is_none_or(|at| at <= mark.at),
            Closing::Done(..) => false,
        })
    }

    /// Approves it; it is approved when everybody who is needed has.
    ///
    /// # Errors
    /// [`Blocked::NotInThisStage`], [`Blocked::OwnDossier`], [`Blocked::SameApprover`],
    /// [`Blocked::OwnExemption`], [`Blocked::StepsOpen`], [`Blocked::CommentsOpen`].
    pub fn approve(mut self, mark: Mark, profile: &Profile) -> Result<Self, Blocked> {
        self.at_stage(|s| *s == Stage::Accepted)?;
        self.not_own(mark)?;
        if self.approvals.iter().any(|a| a.by == mark.by) {
            return Err(Blocked::SameApprover);
        }
        if self.exempted_by(mark.by) {
            return Err(Blocked::OwnExemption);
        }
        if self.steps.iter().any(Option::is_none) {
            return Err(Blocked::StepsOpen);
        }
        if self.comments.iter().any(|c| c.resolved.is_none()) {
            return Err(Blocked::CommentsOpen);
        }
        self.approvals.push(mark);
        let granted = self.approvals.len() >= self.approvers(profile) as usize;
        Ok(if granted { self.to(Stage::Approved, mark) } else { self })
    }

    /// Goes live: the next dossier, what is registered, and the clearance that the store asks for.
    ///
    /// # Errors
    /// [`Blocked::NotInThisStage`], [`Blocked::StepsOpen`], [`Blocked::Incomplete`].
    pub fn go_live(mut self, mark: Mark) -> Result<(Self, Registration, Clearance), Blocked> {
        self.at_stage(|s| *s == Stage::Approved)?;
        if self.steps.iter().any(Option::is_none) || self.approvals.is_empty() {
            return Err(Blocked::StepsOpen);
        }
        let registration = self.content.registration().ok_or(Blocked::Incomplete)?;
        let by = self.approvals.iter().map(|a| format!("#{}", a.by.0)).collect::<Vec<_>>();
        let clearance = Clearance::of(Ground::Dossier(self.number), "", &by.join(", "));
        let papers = Part::ALL.map(|part| self.papers(part).len() as u16);
        let (content, steps) = (self.content.clone(), self.steps.clone());
        self.in_force = Some(Box::new(InForce { content, papers, steps }));
        (self.reopening, self.turned_down) = (None, None);
        Ok((self.to(Stage::Live, mark), registration, clearance))
    }

    /// Opens a live dossier again while its connection goes on (B4, B9). Documents and approvals
    /// begin anew, after a change of design sandbox and assessment too (C2).
    ///
    /// # Errors
    /// [`Blocked::NotInThisStage`], [`Blocked::ReasonMissing`].
    pub fn reopen(mut self, mark: Mark, cause: Cause, reason: &str) -> Result<Self, Blocked> {
        self.at_stage(|s| *s == Stage::Live)?;
        if !is_text(reason, TEXT_MAX) {
            return Err(Blocked::ReasonMissing);
        }
        self.approvals.clear();
        self.steps[Step::Documents as usize] = None;
        for part in Part::ALL {
            let paper = self.last(part);
            (paper.checked, paper.carried_over) = (None, None);
        }
        if cause == Cause::Design {
            self.steps = [const { None }; 3];
        }
        self.reopening = Some(Reopening { cause, reason: reason.trim().to_owned(), mark });
        Ok(self.to(Stage::Draft, mark))
    }

    /// Opens a dossier whose connection goes on for a campaign or a reorganisation (B4): the papers
    /// of `parts` begin a new version in the edition of the day and are signed anew. What is being
    /// changed already goes on, and what the centre has in hand stays there.
    ///
    /// # Errors
    /// [`Blocked::NotInThisStage`] where it never was live or has ended,
    /// [`Blocked::ReasonMissing`], [`Blocked::TooLong`].
    pub fn renew(self, mark: Mark, reason: &str, parts: &[Part]) -> Result<Self, Blocked> {
        self.at_stage(|s| !s.is_final())?;
        if self.in_force.is_none() {
            return Err(Blocked::NotInThisStage);
        }
        let mut open = match self.stage {
            Stage::Live => self.reopen(mark, Cause::Campaign, reason)?,
            _ => self,
        };
        if open.editable().is_err() {
            return Ok(open);
        }
        for part in parts {
            let filled = open.paper(*part).filled;
            open.touch(*part, mark)?.filled = filled;
        }
        Ok(open)
    }

    /// The same dossier in the unit that took over (B4).
    #[must_use]
    pub fn handed_over(self, to: UnitCode) -> Self {
        Self { unit: to, ..self }
    }

    /// Strikes rows off the account list whose account is gone for good (E3).
    ///
    /// # Errors
    /// As [`Self::save`].
    pub fn without_accounts(
        mut self,
        mark: Mark,
        gone: impl Fn(&AccountRow) -> bool,
    ) -> Result<Self, Blocked> {
        self.editable()?;
        if self.content.accounts.iter().any(&gone) {
            self.touch(Part::Accounts, mark)?;
            self.content.accounts.retain(|row| !gone(row));
        }
        Ok(self)
    }

    /// Ends it with its connection.
    ///
    /// # Errors
    /// [`Blocked::NotInThisStage`] where it never was live.
    pub fn close(self, mark: Mark) -> Result<Self, Blocked> {
        self.at_stage(|s| !s.is_final())?;
        if self.in_force.is_none() {
            return Err(Blocked::NotInThisStage);
        }
        Ok(self.to(Stage::Closed, mark))
    }

    pub(super) fn at_stage(&self, fits: impl FnOnce(&Stage) -> bool) -> Result<(), Blocked> {
        if fits(&self.stage) { Ok(()) } else { Err(Blocked::NotInThisStage) }
    }

    pub(super) fn not_own(&self, mark: Mark) -> Result<(), Blocked> {
        if self.is_hand(mark.by) { Err(Blocked::OwnDossier) } else { Ok(()) }
    }

    pub(super) fn to(mut self, stage: Stage, mark: Mark) -> Self {
        (self.stage, self.since) = (stage, mark.at);
        self
    }

    pub(super) fn hand(&mut self, mark: Mark) {
        if !self.filled.contains(&mark.by) {
            self.filled.push(mark.by);
        }
    }

    fn editable(&self) -> Result<(), Blocked> {
        self.at_stage(|s| matches!(s, Stage::Draft | Stage::Changes))
    }

    fn step_open(&self, mark: Mark, step: Step) -> Result<(), Blocked> {
        self.at_stage(|s| *s == Stage::Accepted)?;
        self.not_own(mark)?;
        if self.closing(step).is_some() { Err(Blocked::StepClosed) } else { Ok(()) }
    }

    /// Ends a round: what is in force stays so, what never was ends.
    fn turned_back(mut self, end: Stage, mark: Mark) -> Self {
        let Some(in_force) = self.in_force.clone() else { return self.to(end, mark) };
        self.content = in_force.content;
        self.steps = in_force.steps;
        for (papers, kept) in self.papers.iter_mut().zip(in_force.papers) {
            papers.truncate(usize::from(kept));
        }
        for comment in self.comments.iter_mut().filter(|c| c.resolved.is_none()) {
            comment.resolved = Some(mark);
        }
        self.approvals.clear();
        self.reopening = None;
        self.to(Stage::Live, mark)
    }

    pub(super) fn last(&mut self, part: Part) -> &mut Paper {
        let papers = &mut self.papers[part as usize];
        let last = papers.len() - 1;
        &mut papers[last]
    }

    /// The version of a paper that is being filled in: a new one where the last was signed, checked
    /// or is in force.
    fn touch(&mut self, part: Part, mark: Mark) -> Result<&mut Paper, Blocked> {
        let kept = self.in_force.as_ref().map_or(0, |f| f.papers[part as usize]);
        let paper = self.paper(part);
        if paper.signed.is_some() || paper.checked.is_some() || paper.version <= kept {
            let attachments = paper.attachments.clone();
            let papers = &mut self.papers[part as usize];
            if papers.len() >= VERSIONS_MAX {
                return Err(Blocked::TooLong);
            }
            let next = Paper::begin(part, papers.len() as u16 + 1, mark, mark.at.viet_nam_date());
            papers.push(Paper { attachments, ..next });
        }
        let paper = self.last(part);
        paper.filled = mark;
        Ok(paper)
    }
}
