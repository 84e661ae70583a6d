//! What can happen to a person's account.

use dancu_domain::notices::AccountChange;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $number:literal, $word:literal;)*) => {
        /// What happened to a person's account. Numbers stand in the store: none is given twice.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        pub enum EventKind {
            $($(#[$doc])* $kind = $number,)*
        }

        impl EventKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The key of its name in the texts of pages.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$kind => $word,)*
                }
            }
        }
    };
}

kinds! {
    /// Signed in.
    SignedIn = 1, "signedIn";
    /// A sign-in with a wrong password.
    WrongPassword = 2, "wrongPassword";
    /// A right password and a wrong second factor.
    WrongFactor = 3, "wrongFactor";
    /// Signed out.
    SignedOut = 4, "signedOut";
    /// A sign-in elsewhere ended the session before (E2).
    SessionReplaced = 5, "sessionReplaced";
    /// The person ended a session or signed out everywhere.
    SessionsEnded = 6, "sessionsEnded";
    /// A locked screen was opened again.
    ScreenUnlocked = 7, "screenUnlocked";
    /// The person changed the password.
    PasswordChanged = 8, "passwordChanged";
    /// The head gave a new password.
    PasswordGiven = 9, "passwordGiven";
    /// A factor was enrolled.
    FactorAdded = 10, "factorAdded";
    /// A factor was removed.
    FactorRemoved = 11, "factorRemoved";
    /// The loss of a factor was told: factors, codes, sessions and devices are dead.
    FactorLost = 12, "factorLost";
    /// The head vouched for the person who lost a factor.
    Vouched = 13, "vouched";
    /// New recovery codes were made.
    RecoveryMade = 14, "recoveryMade";
    /// A recovery code was used.
    RecoveryUsed = 15, "recoveryUsed";
    /// A device was enrolled.
    DeviceAdded = 16, "deviceAdded";
    /// A device was forgotten.
    DeviceForgotten = 17, "deviceForgotten";
    /// The head invited the person, or did so again.
    Invited = 18, "invited";
    /// The first sign-in was complete.
    Activated = 19, "activated";
    /// Suspended.
    Suspended = 20, "suspended";
    /// A suspension ended.
    Resumed = 21, "resumed";
    /// Locked for security.
    Locked = 22, "locked";
    /// Unlocked.
    Unlocked = 23, "unlocked";
    /// Re-enabled after idleness.
    Reenabled = 24, "reenabled";
    /// Revoked (E3).
    Revoked = 25, "revoked";
    /// Roles were given or taken.
    RolesChanged = 26, "rolesChanged";
    /// A training was recorded (E5).
    Trained = 27, "trained";
    /// Somebody tried to open a locked screen and could not.
    WrongUnlock = 28, "wrongUnlock";
    /// The invitation was withdrawn before it was taken up.
    InvitationWithdrawn = 29, "invitationWithdrawn";
}

impl EventKind {
    /// From its number in the store.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| *kind as u8 == number)
    }

    /// What the person is told of it besides, in a notice; none for what the person does every day.
    pub const fn told(self) -> Option<AccountChange> {
        Some(match self {
            Self::Locked => AccountChange::Locked,
            Self::Unlocked => AccountChange::Unlocked,
            Self::Suspended => AccountChange::Suspended,
            Self::Resumed => AccountChange::Resumed,
            Self::Revoked => AccountChange::Revoked,
            Self::Reenabled => AccountChange::Reenabled,
            Self::Invited => AccountChange::Invited,
            Self::InvitationWithdrawn => AccountChange::InvitationWithdrawn,
            Self::RolesChanged => AccountChange::RolesChanged,
            Self::PasswordGiven => AccountChange::PasswordGiven,
            Self::PasswordChanged => AccountChange::PasswordChanged,
            Self::FactorAdded => AccountChange::FactorAdded,
            Self::FactorRemoved => AccountChange::FactorRemoved,
            Self::FactorLost => AccountChange::FactorLost,
            Self::Vouched => AccountChange::Vouched,
            Self::RecoveryMade => AccountChange::RecoveryMade,
            _ => return None,
        })
    }

    /// Whether it is a failure, which anybody who knows the login can cause.
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::WrongPassword | Self::WrongFactor | Self::WrongUnlock)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn numbers_and_words_are_given_once() {
        let words: HashSet<_> = EventKind::ALL.iter().map(|kind| kind.word()).collect();
        assert_eq!(words.len(), EventKind::ALL.len());
        for kind in EventKind::ALL {
            assert_eq!(EventKind::from_number(*kind as u8), Some(*kind));
        }
        assert_eq!(EventKind::from_number(0), None);
    }
}
