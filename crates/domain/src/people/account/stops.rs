//! What stops an account, and what ends it.

use crate::moment::Moment;
use crate::people::PersonId;

/// What stops an open account. They are independent: each ends for its own reason.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Stops {
    /// Suspended: ends when its causes end.
    pub causes: Causes,
    /// Disabled since it was idle for too long (E2): the head re-enables.
    pub idle: Option<Moment>,
    /// Locked for security: ends by a named act (D6).
    pub lock: Option<Lock>,
}

/// Why an account is suspended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Cause {
    /// The head said so (E3).
    Head = 0,
    /// It was not confirmed in the review (B9).
    Unreviewed = 1,
    /// The training lapsed and the profile suspends for it (E5).
    Untrained = 2,
    /// The centre said so: no head ends it.
    Centre = 3,
}

/// A set of causes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Causes(u8);

impl Causes {
    /// From the store: bit n = the cause of that number. Others do not count.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 0b1111)
    }

    /// For the store.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether it is one of them.
    pub const fn contains(self, cause: Cause) -> bool {
        self.0 & (1 << cause as u8) != 0
    }

    pub(super) const fn with(self, cause: Cause) -> Self {
        Self(self.0 | 1 << cause as u8)
    }

    pub(super) const fn without(self, cause: Cause) -> Self {
        Self(self.0 & !(1 << cause as u8))
    }

    /// The one that a person is told first.
    pub(super) fn first(self) -> Option<Cause> {
        let order = [Cause::Centre, Cause::Head, Cause::Unreviewed, Cause::Untrained];
        order.into_iter().find(|cause| self.contains(*cause))
    }
}

/// A security lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lock {
    /// Why.
    pub cause: LockCause,
    /// Who locked; `None`: a detector, with its evidence (D6).
    pub by: Option<PersonId>,
    /// When, by the product's clock.
    pub at: Moment,
}

/// Why an account is locked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum LockCause {
    /// Abnormal use (D6).
    AbnormalUse = 0,
    /// Reported lost, stolen or leaked (E6).
    Reported = 1,
    /// A named person's decision.
    Decision = 2,
}

/// The end of an account (E3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Revocation {
    /// Why.
    pub cause: RevokeCause,
    /// The head who revoked it.
    pub by: PersonId,
    /// When, by the product's clock.
    pub at: Moment,
    /// Who operates the agency's own software and confirmed that it is closed there too, and when.
    pub confirmed: Option<(PersonId, Moment)>,
}

/// Why an account was revoked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum RevokeCause {
    /// The person left.
    Left = 0,
    /// The person went to another unit; the new account begins there.
    Transferred = 1,
    /// One officer, one account (E1): this was a second one.
    Duplicate = 2,
    /// It was misused.
    Misused = 3,
}

impl RevokeCause {
    /// Every cause.
    pub const ALL: [Self; 4] = [Self::Left, Self::Transferred, Self::Duplicate, Self::Misused];

    /// From its word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.code() == code)
    }

    /// The word in entries of the journal, in forms and on the command line.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Transferred => "transferred",
            Self::Duplicate => "duplicate",
            Self::Misused => "misused",
        }
    }
}
