//! Roles as they are given to a person, with scope and days (A6, E1, E3).

use jiff::civil::Date;

use super::PersonId;
use super::may::Target;
use super::reasons::PortalReason;
use super::roles::{Class, Home, Reach, Role, Term};
use crate::ids::UnitCode;
use crate::registration::DateRange;

/// Roles that one person may hold, past and future ones counted: an officer with four roles and a
/// year of monthly substitutions holds 16, and checking one request looks at each.
pub const GRANTS_MAX: usize = 32;

/// Where a grant holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scope {
    /// What concerns oneself.
    Person,
    /// One unit.
    Unit(UnitCode),
    /// A unit with every unit below it.
    Below(UnitCode),
    /// Every unit, and what belongs to none.
    All,
}

impl Scope {
    /// How far it reaches.
    pub const fn reach(&self) -> Reach {
        match self {
            Self::Person => Reach::Person,
            Self::Unit(_) => Reach::Unit,
            Self::Below(_) => Reach::Below,
            Self::All => Reach::All,
        }
    }

    pub(super) fn covers(&self, target: Target<'_>, actor: PersonId) -> bool {
        match (self, target) {
            (_, Target::Person(person)) => person == actor,
            (Self::All, _) => true,
            (Self::Unit(unit), Target::Unit(path)) => path.first() == Some(unit),
            (Self::Below(unit), Target::Unit(path)) => path.contains(unit),
            (Self::Person, _) | (Self::Unit(_) | Self::Below(_), Target::Centre) => false,
        }
    }
}

/// A role as it was given to a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    /// Which.
    pub role: Role,
    /// Where.
    pub scope: Scope,
    /// Viet Nam days of the product's clock, both inclusive; it ends by itself (E3).
    pub valid: DateRange,
    /// Whom the person stands in for (E3).
    pub in_place_of: Option<PersonId>,
}

impl Grant {
    /// Checks what the table says of the role.
    ///
    /// # Errors
    /// [`PortalReason::ScopeTooWide`]; [`PortalReason::TermMissing`] where a stand-in has no two
    /// days, or where the last day is before the first.
    pub fn new(
        role: Role,
        scope: Scope,
        valid: DateRange,
        in_place_of: Option<PersonId>,
    ) -> Result<Self, PortalReason> {
        let row = role.row();
        if scope.reach() > row.reach {
            return Err(PortalReason::ScopeTooWide);
        }
        let both = valid.from.zip(valid.to);
        let needed = row.term == Term::Dated || in_place_of.is_some();
        if (needed && both.is_none()) || both.is_some_and(|(from, to)| to < from) {
            return Err(PortalReason::TermMissing);
        }
        Ok(Self { role, scope, valid, in_place_of })
    }

    fn overlaps(&self, other: &Self) -> bool {
        let ends_before = |a: &DateRange, b: &DateRange| match (a.to, b.from) {
            (Some(to), Some(from)) => to < from,
            _ => false,
        };
        !ends_before(&self.valid, &other.valid) && !ends_before(&other.valid, &self.valid)
    }
}

/// The roles of one person.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Grants(Vec<Grant>);

impl Grants {
    /// Adds a role.
    ///
    /// # Errors
    /// [`PortalReason::RolesConflict`] where a role that it may not stand beside is held on one of
    /// its days; [`PortalReason::TooManyRoles`].
    pub fn with(mut self, grant: Grant) -> Result<Self, PortalReason> {
        let clash = |held: &Grant| !held.role.stands_beside(grant.role) && held.overlaps(&grant);
        if self.0.iter().any(clash) {
            return Err(PortalReason::RolesConflict);
        }
        if self.0.len() >= GRANTS_MAX {
            return Err(PortalReason::TooManyRoles);
        }
        self.0.push(grant);
        Ok(self)
    }

    /// Those in force on a day.
    pub fn on(&self, day: Date) -> impl Iterator<Item = &Grant> {
        self.0.iter().filter(move |g| g.valid.contains(day))
    }

    /// All of them, past and future ones too.
    pub fn all(&self) -> &[Grant] {
        &self.0
    }

    /// Those in force on a day or later: what a person who is let in on that day may come to do.
    pub fn since(&self, day: Date) -> impl Iterator<Item = &Grant> {
        self.0.iter().filter(move |g| g.valid.to.is_none_or(|to| to >= day))
    }

    /// Whether every role held on a day or later is one of a unit. The people of the centre, and
    /// of who watches or assesses it, are no unit's to manage or to vouch for (E1, E3).
    pub fn are_of_units(&self, day: Date) -> bool {
        self.since(day).all(|g| g.role.row().home == Home::Unit)
    }

    /// The same roles where a unit was taken over by another (B4): what was given for the one holds
    /// for the other.
    #[must_use]
    pub fn handed_over(mut self, from: &UnitCode, to: &UnitCode) -> Self {
        for grant in &mut self.0 {
            match &mut grant.scope {
                Scope::Unit(unit) | Scope::Below(unit) if unit == from => unit.clone_from(to),
                _ => {}
            }
        }
        self
    }

    /// Which figures of E2 hold on a day.
    pub fn class(&self, day: Date) -> Class {
        Class::of(self.on(day).map(|g| g.role))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn unit(code: &str) -> UnitCode {
        UnitCode::parse(code).unwrap()
    }

    fn open(role: Role, scope: Scope) -> Grant {
        Grant::new(role, scope, DateRange::default(), None).unwrap()
    }

    fn days(from: Date, to: Date) -> DateRange {
        DateRange { from: Some(from), to: Some(to) }
    }

    #[test]
    fn rule_e3_the_people_of_units_are_told_from_all_others() {
        use Role as R;
        let of_units =
            [R::Officer, R::Head, R::Deputy, R::FocalPoint, R::Integrator, R::SourceOfficer];
        let (first, last) = (date(2026, 3, 2), date(2026, 3, 31));
        let scope = |role: R| match role.row().reach {
            Reach::Person => Scope::Person,
            Reach::Unit | Reach::Below => Scope::Unit(unit("H26")),
            Reach::All => Scope::All,
        };
        for role in Role::ALL {
            let grant = Grant::new(*role, scope(*role), days(first, last), None).unwrap();
            let grants = Grants::default().with(grant).unwrap();
            for day in [date(2026, 1, 1), first, last] {
                assert_eq!(grants.are_of_units(day), of_units.contains(role), "{role:?} {day}");
                assert_eq!(grants.since(day).count(), 1);
            }
            assert!(grants.are_of_units(date(2026, 4, 1)), "{role:?} has ended");
            assert_eq!(grants.since(date(2026, 4, 1)).count(), 0);
        }
        // One other role is enough, whatever stands beside it.
        let grants = Grants::default().with(open(Role::Officer, scope(Role::Officer))).unwrap();
        assert!(grants.are_of_units(first));
        let grants = grants.with(open(Role::Operator, Scope::All)).unwrap();
        assert!(!grants.are_of_units(first));
    }

    #[test]
    fn rule_a6_never_holds_for_the_person() {
        let scope = || Scope::Unit(unit("H26"));
        let officer = Grants::default().with(open(Role::Officer, scope())).unwrap();
        for role in [Role::Integrator, Role::Support, Role::DossierReviewer, Role::SecurityAssessor]
        {
            let refused = officer.clone().with(open(role, scope()));
            assert_eq!(refused, Err(PortalReason::RolesConflict), "{role:?}");
        }
        assert!(officer.clone().with(open(Role::Head, scope())).is_ok());
        // One after the other is no conflict; a shared day is.
        let first = days(date(2026, 1, 1), date(2026, 1, 31));
        let dated = |role, range| Grant::new(role, scope(), range, None).unwrap();
        let was = Grants::default().with(dated(Role::Officer, first)).unwrap();
        let later = DateRange { from: Some(date(2026, 2, 1)), to: None };
        assert!(was.clone().with(dated(Role::Integrator, later)).is_ok());
        let touching = DateRange { from: Some(date(2026, 1, 31)), to: None };
        let refused = was.with(dated(Role::Integrator, touching));
        assert_eq!(refused, Err(PortalReason::RolesConflict));
    }

    #[test]
    fn grants_are_bounded() {
        let mut grants = Grants::default();
        for _ in 0..GRANTS_MAX {
            grants = grants.with(open(Role::Officer, Scope::Unit(unit("H26")))).unwrap();
        }
        let refused = grants.with(open(Role::Officer, Scope::Unit(unit("H26"))));
        assert_eq!(refused, Err(PortalReason::TooManyRoles));
    }
}
