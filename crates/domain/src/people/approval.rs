//! Decisions that need another person, or two (A4, D8): who asked does not decide, and two
//! approvers are two people.

use super::PersonId;
use super::reasons::PortalReason;
use crate::moment::Moment;

/// How many people a decision needs besides the one who asked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Approvers {
    /// One.
    One = 1,
    /// Two: sensitive fields (A4), a raise above the profile's factor (D8).
    Two = 2,
}

/// Who approved, and when by the product's clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signature {
    /// Who.
    pub by: PersonId,
    /// When.
    pub at: Moment,
}

/// A matter on its way to being decided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Approval {
    asked_by: PersonId,
    needed: Approvers,
    given: Vec<Signature>,
}

impl Approval {
    /// A matter that somebody asks for.
    pub const fn asked(by: PersonId, needed: Approvers) -> Self {
        Self { asked_by: by, needed, given: vec![] }
    }

    /// Approves it once more.
    ///
    /// # Errors
    /// [`PortalReason::OwnRequest`], [`PortalReason::SameApprover`],
    /// [`PortalReason::AlreadyDecided`]; nothing has changed then.
    pub fn approve(mut self, by: PersonId, at: Moment) -> Result<Self, PortalReason> {
        if self.is_granted() {
            return Err(PortalReason::AlreadyDecided);
        }
        if by == self.asked_by {
            return Err(PortalReason::OwnRequest);
        }
        if self.given.iter().any(|s| s.by == by) {
            return Err(PortalReason::SameApprover);
        }
        self.given.push(Signature { by, at });
        Ok(self)
    }

    /// Whether everybody who is needed has approved.
    pub const fn is_granted(&self) -> bool {
        self.given.len() >= self.needed as usize
    }

    /// Who asked.
    pub const fn asked_by(&self) -> PersonId {
        self.asked_by
    }

    /// Who approved so far, in order.
    pub fn given(&self) -> &[Signature] {
        &self.given
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: PersonId = PersonId(1);
    const FIRST: PersonId = PersonId(2);
    const SECOND: PersonId = PersonId(3);

    #[test]
    fn rule_d8_who_asks_does_not_grant() {
        let asked = Approval::asked(HEAD, Approvers::One);
        let refused = asked.clone().approve(HEAD, Moment(1));
        assert_eq!(refused, Err(PortalReason::OwnRequest));
        let granted = asked.approve(FIRST, Moment(1)).unwrap();
        assert!(granted.is_granted());
        let late = granted.approve(SECOND, Moment(2));
        assert_eq!(late, Err(PortalReason::AlreadyDecided));
    }

    #[test]
    fn rule_a4_two_approvers_are_two_people() {
        let once = Approval::asked(HEAD, Approvers::Two).approve(FIRST, Moment(1)).unwrap();
        assert!(!once.is_granted());
        assert_eq!(once.clone().approve(FIRST, Moment(2)), Err(PortalReason::SameApprover));
        assert_eq!(once.clone().approve(HEAD, Moment(2)), Err(PortalReason::OwnRequest));
        let twice = once.approve(SECOND, Moment(2)).unwrap();
        assert!(twice.is_granted());
        let by: Vec<_> = twice.given().iter().map(|s| s.by).collect();
        assert_eq!((by.as_slice(), twice.asked_by()), ([FIRST, SECOND].as_slice(), HEAD));
    }
}
