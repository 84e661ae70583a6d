//! Transitions of a dossier (B3).

use super::check::{Turn, missing, of_content};
use super::content::{SHORT_MAX, TEXT_MAX, is_text};
use super::papers::ATTACHMENTS_MAX;
use super::{
    Attachment, Blocked, Clearance, Closing, Content, Dossier, Evidence, Exemption, Ground,
    InForce, Mark, Paper, Part, Refusal, Registration, ServiceUse, Stage, Step,
};
use jiff::civil::Date;

use crate::ids::SystemId;
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
            if self.closing(Step::Assessment).is_some() {
                self.cleared = Some(mark.at);
            }
            if self.closing(Step::Sandbox).is_some() {
                self.untested = Some(mark.at);
            }
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
        let today = mark.at.viet_nam_date();
        let lacks = || of_content(&self.content, profile, today).iter().any(|m| m.part == part);
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
        let day = mark.at.viet_nam_date();
        self.whole(profile, day)?;
        if self.comments.iter().any(|c| c.resolved.is_none() && c.answer.is_none()) {
            return Err(Blocked::CommentsUnanswered);
        }
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

    /// Receives it; `system` is the row that was registered as being prepared. An assessment of
    /// this round that is older than a year by now is open again (C3).
    ///
    /// # Errors
    /// [`Blocked::NotInThisStage`], [`Blocked::OwnDossier`].
    pub fn accept(mut self, mark: Mark, system: SystemId) -> Result<Self, Blocked> {
        self.at_stage(|s| *s == Stage::Submitted)?;
        self.not_own(mark)?;
        self.system.get_or_insert(system);
        if !self.assessment_holds(mark) {
            self.steps[Step::Assessment as usize] = None;
        }
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
        if let (Evidence::Confirmation { date, .. }, Some(cleared)) = (&evidence, self.cleared) {
            // C2: what confirmed the design of before says nothing of this one.
            if *date < cleared.viet_nam_date() {
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
        let first = self.in_force.is_none() && self.cleared.is_none();
        exemption.fits(step, first, mark.at.viet_nam_date())?;
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
    /// What the unit filled in is judged again by the figures of the day.
    ///
    /// # Errors
    /// [`Blocked::NotInThisStage`], [`Blocked::StepsOpen`], [`Blocked::Incomplete`],
    /// [`Blocked::NotWithinYear`].
    pub fn go_live(
        mut self,
        mark: Mark,
        profile: &Profile,
    ) -> Result<(Self, Registration, Clearance), Blocked> {
        self.at_stage(|s| *s == Stage::Approved)?;
        if self.steps.iter().any(Option::is_none) || self.approvals.is_empty() {
            return Err(Blocked::StepsOpen);
        }
        self.whole(profile, mark.at.viet_nam_date())?;
        if !self.assessment_holds(mark) {
            return Err(Blocked::NotWithinYear);
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

    /// Whether the unit has done all of its own.
    fn whole(&self, profile: &Profile, day: Date) -> Result<(), Blocked> {
        let unit = |m: &super::Missing| matches!(m.turn, Turn::Unit | Turn::Integrator);
        let lacks = missing(self, profile, day).iter().any(unit);
        if lacks { Err(Blocked::Incomplete) } else { Ok(()) }
    }

    /// Whether the assessment of this round is still within its year; that of a connection that
    /// goes on is looked at year by year elsewhere (C3).
    fn assessment_holds(&self, mark: Mark) -> bool {
        let before =
            self.in_force.as_ref().and_then(|f| f.steps[Step::Assessment as usize].as_ref());
        let now = self.closing(Step::Assessment);
        now == before || now.is_none_or(|closing| closing.holds(mark.at.viet_nam_date()))
    }

    pub(super) fn editable(&self) -> Result<(), Blocked> {
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
    pub(super) fn touch(&mut self, part: Part, mark: Mark) -> Result<&mut Paper, Blocked> {
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
