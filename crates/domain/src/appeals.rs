//! Appeals (khiếu nại) against a lock (D6): acknowledged in minutes, decided in hours, by a named
//! person with a reason; what is late goes to who stands above.
//!
//! **Invariant:** who appeals does not decide, and what is decided stays decided.

use serde::{Deserialize, Serialize};

use crate::ids::{SystemId, UnitCode};
use crate::moment::{MINUTE_MS, Moment};
use crate::people::PersonId;
use crate::people::reasons::PortalReason;
use crate::profile::Profile;
use crate::service::Window;

/// Characters of what a head says: a page of a letter (*ours*).
pub const WORDS_MAX: usize = 1_000;

/// Who did something, and when by the product's clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Step {
    /// Who; 0 for the command line.
    pub by: u32,
    /// When.
    pub at: Moment,
}

/// How an appeal ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Decision {
    /// Who and when.
    pub step: Step,
    /// Whether the lock was lifted.
    pub lifted: bool,
    /// Why.
    pub reason: String,
}

/// An appeal. Debug output leaves out what people wrote.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appeal {
    /// What is locked, as addresses name it: `line-12`.
    pub lock: String,
    /// The system.
    pub system: SystemId,
    /// Its unit.
    pub unit: UnitCode,
    /// What the head says.
    pub words: String,
    /// Who appealed.
    pub made: Step,
    /// When it has to be acknowledged, and decided.
    pub clocks: Clocks,
    /// Who acknowledged it.
    pub acknowledged: Option<Step>,
    /// How it ended.
    pub decided: Option<Decision>,
}

/// Until when an appeal waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Clocks {
    /// For being acknowledged.
    pub acknowledge: Moment,
    /// For being decided.
    pub decide: Moment,
}

impl Clocks {
    /// Both run from the moment of the appeal; off hours, from the beginning of the next hours. D6
    /// says "acknowledged in 15 min in hours, decided in 2 h", which leaves open what becomes of a
    /// clock that hours end upon: here (*ours*) it runs on, since the lock stops the unit's work
    /// meanwhile and somebody of the centre was there when it began.
    #[must_use]
    pub fn from(profile: &Profile, made: Moment) -> Self {
        let mut begins = made;
        // Holidays in a row: at most as many as a year has days.
        for _ in 0..366 {
            let duty = profile.hours.duty(begins);
            if duty.window == Window::InHours {
                break;
            }
            begins = duty.resets_at;
        }
        let after = |minutes: u16| begins.plus_ms(i64::from(minutes) * MINUTE_MS);
        Self {
            acknowledge: after(profile.abnormal.acknowledge_minutes),
            decide: after(profile.abnormal.decide_minutes),
        }
    }
}

/// What became of an appeal (D6).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum AppealStep {
    /// A head appealed.
    Made,
    /// The centre looks into it.
    Acknowledged,
    /// The lock was lifted.
    Lifted,
    /// The lock stays.
    Kept,
    /// A step of it is late.
    Late,
}

impl AppealStep {
    /// Every step.
    pub const ALL: [Self; 5] =
        [Self::Made, Self::Acknowledged, Self::Lifted, Self::Kept, Self::Late];
}

/// Where an appeal stands; the numbers are those of the store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Stage {
    /// Nobody has seen it yet.
    Made = 0,
    /// Somebody looks into it.
    Acknowledged = 1,
    /// It ended.
    Decided = 2,
}

impl Appeal {
    /// Where it stands.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        match (&self.decided, &self.acknowledged) {
            (Some(_), _) => Stage::Decided,
            (None, Some(_)) => Stage::Acknowledged,
            (None, None) => Stage::Made,
        }
    }

    /// Until when the next step is due; none where it ended.
    #[must_use]
    pub const fn due(&self) -> Option<Moment> {
        match self.stage() {
            Stage::Made => Some(self.clocks.acknowledge),
            Stage::Acknowledged => Some(self.clocks.decide),
            Stage::Decided => None,
        }
    }

    /// Somebody of the centre looks into it.
    ///
    /// # Errors
    /// [`PortalReason::AlreadyDecided`]; [`PortalReason::OwnRequest`].
    pub fn acknowledge(mut self, by: PersonId, at: Moment) -> Result<Self, PortalReason> {
        if self.stage() != Stage::Made {
            return Err(PortalReason::AlreadyDecided);
        }
        self.other(by)?;
        self.acknowledged = Some(Step { by: by.0, at });
        Ok(self)
    }

    /// Ends it: the lock was lifted, or stays.
    ///
    /// # Errors
    /// As [`acknowledge`](Self::acknowledge).
    pub fn decide(
        mut self,
        (by, at): (PersonId, Moment),
        lifted: bool,
        reason: &str,
    ) -> Result<Self, PortalReason> {
        if self.stage() == Stage::Decided {
            return Err(PortalReason::AlreadyDecided);
        }
        self.other(by)?;
        let step = Step { by: by.0, at };
        self.acknowledged = self.acknowledged.or(Some(step));
        self.decided = Some(Decision { step, lifted, reason: reason.to_owned() });
        Ok(self)
    }

    fn other(&self, by: PersonId) -> Result<(), PortalReason> {
        if by.0 == self.made.by { Err(PortalReason::OwnRequest) } else { Ok(()) }
    }
}

impl std::fmt::Debug for Appeal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Appeal({}, {:?})", self.lock, self.stage())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{DEFAULT_PROFILE, Profiles};

    fn at(text: &str) -> Moment {
        Moment::parse_rfc3339(text).unwrap()
    }

    fn appeal(made: Moment) -> Appeal {
        let profiles = Profiles::parse(DEFAULT_PROFILE).unwrap();
        Appeal {
            lock: "line-1".into(),
            system: SystemId(1),
            unit: UnitCode::parse("H26.001").unwrap(),
            words: "Không phải chương trình tự động".into(),
            made: Step { by: 1, at: made },
            clocks: Clocks::from(profiles.at(made), made),
            acknowledged: None,
            decided: None,
        }
    }

    #[test]
    fn rule_d6_clocks_run_in_hours() {
        for (made, acknowledge, decide) in [
            ("2026-03-02T09:00:00+07:00", "2026-03-02T09:15:00+07:00", "2026-03-02T11:00:00+07:00"),
            ("2026-03-02T17:59:00+07:00", "2026-03-02T18:14:00+07:00", "2026-03-02T19:59:00+07:00"),
            ("2026-03-02T18:00:00+07:00", "2026-03-03T07:15:00+07:00", "2026-03-03T09:00:00+07:00"),
            ("2026-03-03T03:00:00+07:00", "2026-03-03T07:15:00+07:00", "2026-03-03T09:00:00+07:00"),
        ] {
            let clocks = appeal(at(made)).clocks;
            assert_eq!(
                (clocks.acknowledge, clocks.decide),
                (at(acknowledge), at(decide)),
                "{made}"
            );
        }
    }

    #[test]
    fn rule_d6_who_appeals_does_not_decide_and_a_decision_stays() {
        let now = at("2026-03-02T09:00:00+07:00");
        let (head, operator) = (PersonId(1), PersonId(2));
        let made = appeal(now);
        assert_eq!(made.due(), Some(made.clocks.acknowledge));
        let own = made.clone().decide((head, now), true, "vì thế").unwrap_err();
        assert_eq!(own, PortalReason::OwnRequest);
        let seen = made.clone().acknowledge(operator, now).unwrap();
        assert_eq!((seen.stage(), seen.due()), (Stage::Acknowledged, Some(seen.clocks.decide)));
        let twice = seen.clone().acknowledge(operator, now).unwrap_err();
        assert_eq!(twice, PortalReason::AlreadyDecided);
        let over = seen.decide((operator, now), false, "đúng là chương trình").unwrap();
        assert_eq!((over.stage(), over.due()), (Stage::Decided, None));
        let again = over.decide((operator, now), true, "nhầm").unwrap_err();
        assert_eq!(again, PortalReason::AlreadyDecided);
        // One that is decided at once was seen by that.
        assert!(made.decide((operator, now), true, "nhầm").unwrap().acknowledged.is_some());
    }
}
