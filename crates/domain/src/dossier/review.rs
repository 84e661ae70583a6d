//! Comments of reviewers, field by field, and what the unit answers.

use serde::{Deserialize, Serialize};

use super::content::is_text;
use super::{Blocked, Dossier, Item, Mark, Stage};

/// Comments of one dossier: some twenty a round (*ours*).
pub const COMMENTS_MAX: usize = 500;
/// Characters of a comment or an answer: half a page. With the most comments a dossier grows by
/// some 6 MB, at three bytes for a letter with two marks.
const REMARK_MAX: usize = 2_000;

/// What a reviewer says of a field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remark {
    /// The field.
    pub item: Item,
    /// The row of its table, from 0.
    pub row: Option<u16>,
    /// What is to change.
    pub text: String,
}

/// A comment that was made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Comment {
    /// The field.
    pub item: Item,
    /// The row of its table, from 0.
    pub row: Option<u16>,
    /// What is to change.
    pub text: String,
    /// Who said it, and when.
    pub made: Mark,
    /// Which submission it is about.
    pub version: u16,
    /// What the unit answered.
    pub answer: Option<(String, Mark)>,
    /// Who found that it is done.
    pub resolved: Option<Mark>,
}

impl Dossier {
    /// Sends it back with comments by field; whatever was checked or approved is judged anew.
    ///
    /// # Errors
    /// [`Blocked::NotInThisStage`], [`Blocked::OwnDossier`], [`Blocked::ReasonMissing`] where
    /// nothing is said, [`Blocked::TooLong`].
    pub fn ask_changes(mut self, mark: Mark, remarks: Vec<Remark>) -> Result<Self, Blocked> {
        self.at_stage(|s| matches!(s, Stage::Submitted | Stage::Accepted | Stage::Approved))?;
        self.not_own(mark)?;
        if remarks.is_empty() || remarks.iter().any(|r| !is_text(&r.text, REMARK_MAX)) {
            return Err(Blocked::ReasonMissing);
        }
        if self.comments.len() + remarks.len() > COMMENTS_MAX {
            return Err(Blocked::TooLong);
        }
        for part in remarks.iter().map(|r| r.item.part()) {
            let paper = self.last(part);
            (paper.checked, paper.carried_over) = (None, None);
        }
        let version = self.version;
        self.comments.extend(remarks.into_iter().map(|r| Comment {
            item: r.item,
            row: r.row,
            text: r.text.trim().to_owned(),
            made: mark,
            version,
            answer: None,
            resolved: None,
        }));
        self.approvals.clear();
        self.steps[super::Step::Documents as usize] = None;
        Ok(self.to(Stage::Changes, mark))
    }

    /// Answers a comment, by its place in [`Dossier::comments`].
    ///
    /// # Errors
    /// [`Blocked::NotInThisStage`], [`Blocked::NoSuchComment`], [`Blocked::ReasonMissing`].
    pub fn answer(mut self, mark: Mark, comment: usize, text: &str) -> Result<Self, Blocked> {
        self.at_stage(|s| *s == Stage::Changes)?;
        if !is_text(text, REMARK_MAX) {
            return Err(Blocked::ReasonMissing);
        }
        let found = self.comments.get_mut(comment).filter(|c| c.resolved.is_none());
        found.ok_or(Blocked::NoSuchComment)?.answer = Some((text.trim().to_owned(), mark));
        self.hand(mark);
        Ok(self)
    }

    /// Finds that what a comment asked for is done.
    ///
    /// # Errors
    /// [`Blocked::NotInThisStage`], [`Blocked::OwnDossier`], [`Blocked::NoSuchComment`].
    pub fn resolve(mut self, mark: Mark, comment: usize) -> Result<Self, Blocked> {
        self.at_stage(|s| matches!(s, Stage::Submitted | Stage::Accepted))?;
        self.not_own(mark)?;
        let found = self.comments.get_mut(comment).filter(|c| c.resolved.is_none());
        found.ok_or(Blocked::NoSuchComment)?.resolved = Some(mark);
        Ok(self)
    }
}
