//! What became of a try, and what follows from it for the address.

use super::{GONE, OFF_AFTER_MS, TOLD_AFTER_MS, rest_ms};
use crate::moment::Moment;

/// Why there was no answer. Stored by its number: causes are added at the end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Cause {
    /// The name leads nowhere.
    Name = 1,
    /// It leads to a network to which nothing is sent.
    Network = 2,
    /// Nobody takes the connection.
    Connection = 3,
    /// The certificate is not trusted, or there is no common protocol.
    Tls = 4,
    /// No answer in time.
    Slow = 5,
    /// No HTTP, or the connection broke.
    Broken = 6,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 6] =
        [Self::Name, Self::Network, Self::Connection, Self::Tls, Self::Slow, Self::Broken];

    /// The word in the keys of texts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Network => "network",
            Self::Connection => "connection",
            Self::Tls => "tls",
            Self::Slow => "slow",
            Self::Broken => "broken",
        }
    }
}

/// What became of a try.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// It was answered with this status of HTTP.
    Status(u16),
    /// It was not answered.
    Failed(Cause),
}

impl Outcome {
    /// As it stands in the store: a status of HTTP has three digits, a cause fewer.
    pub const fn number(self) -> u16 {
        match self {
            Self::Status(status) => status,
            Self::Failed(cause) => cause as u16,
        }
    }

    /// From its number in the store.
    pub fn from_number(number: u16) -> Option<Self> {
        match number {
            100.. => Some(Self::Status(number)),
            _ => Cause::ALL.into_iter().find(|c| *c as u16 == number).map(Self::Failed),
        }
    }

    /// Whether the receiver has it.
    pub const fn is_taken(self) -> bool {
        matches!(self, Self::Status(200..300))
    }
}

/// How an address does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Health {
    /// Since when every try failed.
    pub failing: Option<Moment>,
    /// Tries that failed one after the other.
    pub failures: u32,
    /// Nothing is sent before.
    pub rest_until: Moment,
    /// Whether the integrators were told that it fails.
    pub told: bool,
}

/// What follows from a try.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Follows {
    /// Nothing more.
    Nothing,
    /// The integrators are told that it fails.
    Tell,
    /// It is switched off, and the integrators are told.
    Off,
}

impl Health {
    /// How it does after a try, and what follows.
    #[must_use]
    pub fn after(self, outcome: Outcome, now: Moment) -> (Self, Follows) {
        if outcome.is_taken() {
            return (Self::default(), Follows::Nothing);
        }
        let since = self.failing.unwrap_or(now);
        let failures = self.failures.saturating_add(1);
        let failed_ms = now.0.saturating_sub(since.0);
        let follows = if outcome == Outcome::Status(GONE) || failed_ms >= OFF_AFTER_MS {
            Follows::Off
        } else if failed_ms >= TOLD_AFTER_MS && !self.told {
            Follows::Tell
        } else {
            Follows::Nothing
        };
        let after = Self {
            failing: Some(since),
            failures,
            rest_until: now.plus_ms(rest_ms(failures)),
            told: self.told || follows != Follows::Nothing,
        };
        (after, follows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::DAY_MS;

    const DOWN: Outcome = Outcome::Failed(Cause::Connection);

    #[test]
    fn outcomes_read_back() {
        for cause in Cause::ALL {
            let outcome = Outcome::Failed(cause);
            assert_eq!(Outcome::from_number(outcome.number()), Some(outcome));
        }
        assert_eq!(Outcome::from_number(204), Some(Outcome::Status(204)));
        assert_eq!((Outcome::from_number(0), Outcome::from_number(99)), (None, None));
        let taken = |status| Outcome::Status(status).is_taken();
        assert!(taken(200) && taken(299) && !taken(199) && !taken(301) && !taken(500));
        assert!(!DOWN.is_taken());
    }

    #[test]
    fn integrators_are_told_once_after_a_day_and_it_is_off_after_a_week() {
        let (mut health, mut at, mut told) = (Health::default(), Moment(0), vec![]);
        loop {
            let (after, follows) = health.after(DOWN, at);
            health = after;
            match follows {
                Follows::Nothing => {}
                Follows::Tell => told.push(at),
                Follows::Off => break,
            }
            at = at.plus_ms(DAY_MS / 4);
        }
        assert_eq!(told, [Moment(TOLD_AFTER_MS)]);
        assert_eq!((at, health.failing), (Moment(OFF_AFTER_MS), Some(Moment(0))));
        // One that works forgets all of it.
        let (after, follows) = health.after(Outcome::Status(204), at);
        assert_eq!((after, follows), (Health::default(), Follows::Nothing));
        assert_eq!(Health::default().after(Outcome::Status(GONE), at).1, Follows::Off);
        let (down, _) = Health::default().after(DOWN, at);
        assert_eq!(down.rest_until, at.plus_ms(rest_ms(1)));
    }
}
