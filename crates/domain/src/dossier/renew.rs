//! Dossiers of connections that go on: opened again, papers begun anew, the account list brought up
//! to date (B4, B6, B9, E3).

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::content::{TEXT_MAX, is_text};
use super::{AccountRow, Blocked, Cause, Content, Dossier, Mark, Part, Reopening, Stage, Step};
use crate::ids::{Login, UnitCode};
use crate::registration::{Account, AccountKind};

/// A registered account with name and telephone.
pub type Registered = (Account, String, String);

/// A paper that a campaign asks for anew, as it stood when its dossier was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Asked {
    /// Which.
    pub part: Part,
    /// The version that was in force; 0: none was.
    in_force: u16,
    /// The signature that it had already.
    signed: Option<Mark>,
}

impl Dossier {
    /// A paper as it stands, to be asked for anew.
    #[must_use]
    pub fn ask_for(&self, part: Part) -> Asked {
        let in_force = self.in_force.as_ref().map_or(0, |f| f.papers[part as usize]);
        Asked { part, in_force, signed: self.paper(part).signed }
    }

    /// Whether a paper that was asked for is signed anew, in a version of after.
    #[must_use]
    pub fn answers(&self, asked: &Asked) -> bool {
        let paper = self.paper(asked.part);
        paper.version > asked.in_force && paper.signed.is_some() && paper.signed != asked.signed
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
            self.cleared = Some(mark.at);
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
        let open = match self.stage {
            Stage::Live => self.reopen(mark, Cause::Campaign, reason)?,
            _ => self,
        };
        if open.editable().is_err() { Ok(open) } else { open.begin_anew(mark, parts) }
    }

    /// Begins new versions of papers in the edition of the day; who filled them in stays who did.
    ///
    /// # Errors
    /// [`Blocked::NotInThisStage`], [`Blocked::TooLong`].
    pub fn begin_anew(mut self, mark: Mark, parts: &[Part]) -> Result<Self, Blocked> {
        self.editable()?;
        for part in parts {
            let filled = self.paper(*part).filled;
            self.touch(*part, mark)?.filled = filled;
        }
        Ok(self)
    }

    /// The same dossier in the unit that took over (B4).
    #[must_use]
    pub fn handed_over(self, to: UnitCode) -> Self {
        Self { unit: to, ..self }
    }

    /// Brings the account list up to date with the accounts that are registered and not revoked
    /// (B6, B9, E3); what has not been live yet has no others than its own.
    ///
    /// # Errors
    /// As [`Self::begin_anew`].
    pub fn with_accounts(mut self, mark: Mark, known: &[Registered]) -> Result<Self, Blocked> {
        if self.in_force.is_none() || self.editable().is_err() {
            return Ok(self);
        }
        let accounts = self.content.listing(known);
        if accounts != self.content.accounts {
            self = self.begin_anew(mark, &[Part::Accounts])?;
            self.content.accounts = accounts;
        }
        Ok(self)
    }
}

impl Content {
    /// The account list as it is registered: rows that say so already stay as they are, others
    /// keep their role. Accounts of job plans are opened by their plans.
    #[must_use]
    pub fn listing(&self, known: &[Registered]) -> Vec<AccountRow> {
        let folded = |row: &AccountRow| Login::parse(row.login.trim()).ok().map(|l| l.folded());
        let rows: HashMap<String, &AccountRow> =
            self.accounts.iter().filter_map(|row| Some((folded(row)?, row))).collect();
        let listed = known.iter().filter(|(a, ..)| a.kind != AccountKind::Plan);
        listed
            .map(|one| AccountRow::of(one, rows.get(&one.0.login.folded()).copied(), self))
            .collect()
    }
}

impl AccountRow {
    fn of(one: &Registered, before: Option<&Self>, content: &Content) -> Self {
        let (account, name, phone) = one;
        let says = |row: &&Self| {
            row.account(content).is_some_and(|(a, n, p)| {
                (&n, &p, a.kind, a.daily) == (name, phone, account.kind, account.daily)
                    && (a.services, a.officer_code, a.citizen_id)
                        == (account.services, account.officer_code.clone(), account.citizen_id)
            })
        };
        if let Some(same) = before.filter(says) {
            return same.clone();
        }
        Self {
            login: account.login.as_str().to_owned(),
            full_name: name.clone(),
            citizen_id: account.citizen_id.map(|id| id.to_string()).unwrap_or_default(),
            officer_code: account
                .officer_code
                .as_ref()
                .map(|c| c.as_str().into())
                .unwrap_or_default(),
            phone: phone.clone(),
            role: before.map(|row| row.role.clone()).unwrap_or_default(),
            kind: account.kind,
            daily: account.daily,
            services: account.services,
        }
    }
}
