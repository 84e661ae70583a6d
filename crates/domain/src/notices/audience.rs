//! Whom notices are for.

use serde::{Deserialize, Serialize};

use crate::ids::UnitCode;
use crate::people::PersonId;

/// Whom a notice is for. Who that is, is found when it is handed out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Audience {
    /// One person.
    Person(PersonId),
    /// Heads and deputies of a unit, but not who did it.
    Heads(UnitCode, Option<PersonId>),
    /// Heads and deputies of a person's unit, but not that person.
    HeadsOf(PersonId),
    /// Operators of the unit's own software.
    Integrators(UnitCode),
    /// Operators of the centre, but not who did it.
    Operators(Option<PersonId>),
    /// All staff: citizens read the status page.
    Everybody,
    /// Operators of the centre and whoever agrees to job plans.
    PlanDesk,
    /// Who reviews dossiers.
    Reviewers,
    /// Who assesses security.
    Assessors,
    /// Focal points that gather at a unit.
    FocalPoints(UnitCode),
}

/// As what a person is told: it decides where the link leads.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Side {
    /// About the own account.
    Person = 0,
    /// As head or deputy.
    Head = 1,
    /// As operator of the unit's own software.
    Integrator = 2,
    /// As operator of the centre.
    Operator = 3,
    /// As everybody.
    Everybody = 4,
}

impl Side {
    /// Every side.
    pub const ALL: [Self; 5] =
        [Self::Person, Self::Head, Self::Integrator, Self::Operator, Self::Everybody];

    /// From its number in the store.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|side| *side as u8 == number)
    }
}

impl Audience {
    /// As what its people are told.
    pub const fn side(&self) -> Side {
        match self {
            Self::Person(_) => Side::Person,
            Self::Heads(..) | Self::HeadsOf(_) => Side::Head,
            Self::Integrators(_) => Side::Integrator,
            Self::Operators(_)
            | Self::PlanDesk
            | Self::Reviewers
            | Self::Assessors
            | Self::FocalPoints(_) => Side::Operator,
            Self::Everybody => Side::Everybody,
        }
    }
}
