//! Roles as they are given to a person, with scope and days, and the one question that every
//! route asks: may this person do this here, now? (A6, E1, E3)

use jiff::civil::Date;

use super::PersonId;
use super::powers::{Mfa, Power, Shows};
use super::reasons::PortalReason;
use super::roles::{Class, Home, Reach, Role, Sight, Term};
use crate::ids::UnitCode;
use crate::registration::DateRange;
use crate::text::{composed, is_storable};

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

    fn covers(&self, target: Target<'_>, actor: PersonId) -> bool {
        match (self, target) {
            (_, Target::Person(person)) => person == actor,
            (Self::All, _) => true,
            (Self::Unit(unit), Target::Unit(path)) => path.first() == Some(unit),
            (Self::Below(unit), Target::Unit(path)) => path.contains(unit),
            (Self::Person, _) | (Self::Unit(_) | Self::Below(_), Target::Centre) => false,
        }
    }
}

/// What an act is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target<'a> {
    /// What belongs to a person as such: the own account, the citizen's own data.
    Person(PersonId),
    /// A unit, with the units above it: the unit itself first, the root last.
    Unit(&'a [UnitCode]),
    /// What belongs to no unit: announcements, staff, the journal as a whole.
    Centre,
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

/// The ground that an auditor states (A6): 10-500 characters, journaled with the act. It may name
/// people, so debug output never shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Ground(Box<str>);

impl Ground {
    /// Characters of a ground: fewer state nothing, more is a letter.
    pub const LENGTH: std::ops::RangeInclusive<usize> = 10..=500;

    /// Parses; blanks at the ends do not count.
    pub fn parse(text: &str) -> Result<Self, PortalReason> {
        // A character takes at most 4 bytes, and a composed one at most three before composing.
        if text.len() > Self::LENGTH.end() * 12 {
            return Err(PortalReason::GroundMissing);
        }
        let text = composed(text.trim());
        let length = text.chars().count();
        if !Self::LENGTH.contains(&length) || !text.chars().all(is_storable) {
            return Err(PortalReason::GroundMissing);
        }
        Ok(Self(text.as_ref().into()))
    }

    /// The text, in NFC.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Ground {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ground(***)")
    }
}

/// Who acts, and what is known of them just now.
#[derive(Clone, Copy, Debug)]
pub struct Actor<'a> {
    /// Who.
    pub person: PersonId,
    /// The roles.
    pub grants: &'a Grants,
    /// Whether the person stands on the account list of the unit, with a live account (A6, B6).
    pub on_account_list: bool,
    /// Whether the second factor is fresh
    /// ([`Session::is_fresh`](super::session::Session::is_fresh)).
    pub fresh: bool,
    /// The ground that was stated.
    pub ground: Option<&'a Ground>,
}

/// Whether the actor may do this, about this, on this Viet Nam day of the product's clock; the
/// grant that gives it, for the journal.
///
/// # Errors
/// The nearest reason: what the person can mend comes before what others would have to.
pub fn may<'a>(
    power: Power,
    actor: &Actor<'a>,
    target: Target<'_>,
    day: Date,
) -> Result<&'a Grant, PortalReason> {
    let row = power.row();
    let mut nearest = PortalReason::NoPower;
    for grant in actor.grants.on(day).filter(|g| row.roles.contains(g.role)) {
        match through(power, grant, actor, target) {
            Ok(()) => return Ok(grant),
            Err(reason) => nearest = nearer(nearest, reason),
        }
    }
    Err(nearest)
}

/// Whether one grant gives the power.
fn through(
    power: Power,
    grant: &Grant,
    actor: &Actor<'_>,
    target: Target<'_>,
) -> Result<(), PortalReason> {
    if !grant.scope.covers(target, actor.person) {
        return Err(PortalReason::OutsideScope);
    }
    let row = power.row();
    let mut fresh = row.mfa == Mfa::Fresh;
    if row.shows == Shows::Persons {
        match grant.role.row().sight {
            // A6; the tables hold no such row, and if one did it would give nothing.
            Sight::Never | Sight::Unnamed => return Err(PortalReason::NoPower),
            Sight::OnList if !actor.on_account_list => return Err(PortalReason::NotOnAccountList),
            Sight::Own if target != Target::Person(actor.person) => {
                return Err(PortalReason::OutsideScope);
            }
            Sight::WithGround => {
                fresh = true;
                if actor.ground.is_none() {
                    return Err(PortalReason::GroundMissing);
                }
            }
            Sight::OnList | Sight::Own | Sight::Head | Sight::Administrator => {}
        }
    }
    if fresh && !actor.fresh { Err(PortalReason::FreshMfaNeeded) } else { Ok(()) }
}

/// Of two reasons the one that is nearer to being mended by the person.
fn nearer(a: PortalReason, b: PortalReason) -> PortalReason {
    let rank = |r: PortalReason| match r {
        PortalReason::FreshMfaNeeded => 4,
        PortalReason::GroundMissing => 3,
        PortalReason::NotOnAccountList => 2,
        PortalReason::OutsideScope => 1,
        _ => 0,
    };
    if rank(b) > rank(a) { b } else { a }
}

/// Whether an auditor may look into what somebody did: never into their own acts, and never into
/// those of the unit they belong to. The journal of the centre's staff is therefore closed to
/// whoever belongs to the centre.
///
/// # Errors
/// [`PortalReason::OwnAudit`].
pub fn may_audit(
    (auditor, auditors_unit): (PersonId, &UnitCode),
    (audited, audited_unit): (PersonId, &UnitCode),
) -> Result<(), PortalReason> {
    if auditor == audited || auditors_unit == audited_unit {
        return Err(PortalReason::OwnAudit);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const ME: PersonId = PersonId(7);

    fn unit(code: &str) -> UnitCode {
        UnitCode::parse(code).unwrap()
    }

    fn open(role: Role, scope: Scope) -> Grant {
        Grant::new(role, scope, DateRange::default(), None).unwrap()
    }

    fn days(from: Date, to: Date) -> DateRange {
        DateRange { from: Some(from), to: Some(to) }
    }

    fn actor(grants: &Grants) -> Actor<'_> {
        Actor { person: ME, grants, on_account_list: true, fresh: false, ground: None }
    }

    #[test]
    fn rule_e1_scopes() {
        let path = [unit("H26.001.03"), unit("H26.001"), unit("H26")];
        let day = date(2026, 3, 2);
        let try_it = |scope: Scope, target: Target<'_>| {
            let grants = Grants::default().with(open(Role::Head, scope)).unwrap();
            may(Power::RequestRaise, &actor(&grants), target, day).map(|g| g.role)
        };
        let here = Target::Unit(&path);
        assert_eq!(try_it(Scope::Unit(unit("H26.001.03")), here), Ok(Role::Head));
        assert_eq!(try_it(Scope::Below(unit("H26.001.03")), here), Ok(Role::Head));
        assert_eq!(try_it(Scope::Below(unit("H26")), here), Ok(Role::Head));
        let outside = Err(PortalReason::OutsideScope);
        assert_eq!(try_it(Scope::Unit(unit("H26")), here), outside);
        assert_eq!(try_it(Scope::Below(unit("H27")), here), outside);
        assert_eq!(try_it(Scope::Below(unit("H26")), Target::Centre), outside);
        assert_eq!(try_it(Scope::Below(unit("H26")), Target::Unit(&[])), outside);
        let wide = Grant::new(Role::Head, Scope::All, DateRange::default(), None);
        assert_eq!(wide, Err(PortalReason::ScopeTooWide));
    }

    #[test]
    fn rule_e3_a_stand_in_ends_by_itself() {
        let scope = || Scope::Unit(unit("H26"));
        let path = [unit("H26")];
        for dates in [DateRange::default(), DateRange { from: None, to: Some(date(2026, 3, 1)) }] {
            let undated = Grant::new(Role::Deputy, scope(), dates, None);
            assert_eq!(undated, Err(PortalReason::TermMissing));
            let undated = Grant::new(Role::Officer, scope(), dates, Some(PersonId(1)));
            assert_eq!(undated, Err(PortalReason::TermMissing));
        }
        let backwards = days(date(2026, 3, 2), date(2026, 3, 1));
        let backwards = Grant::new(Role::Officer, scope(), backwards, None);
        assert_eq!(backwards, Err(PortalReason::TermMissing));
        // A leap day is a last day like any other.
        let term = days(date(2028, 2, 1), date(2028, 2, 29));
        let deputy = Grant::new(Role::Deputy, scope(), term, Some(PersonId(1))).unwrap();
        let grants = Grants::default().with(deputy).unwrap();
        let on = |day| may(Power::RequestRaise, &actor(&grants), Target::Unit(&path), day).is_ok();
        assert!(on(date(2028, 2, 1)) && on(date(2028, 2, 29)));
        assert!(!on(date(2028, 1, 31)) && !on(date(2028, 3, 1)));
        assert_eq!(grants.class(date(2028, 3, 1)), Class::Citizen);
    }

    #[test]
    fn rule_a6_officers_stand_on_the_list() {
        let grants = Grants::default().with(open(Role::Officer, Scope::Unit(unit("H26")))).unwrap();
        let (path, day) = ([unit("H26")], date(2026, 3, 2));
        let mut me = actor(&grants);
        assert!(may(Power::VerifyCitizen, &me, Target::Unit(&path), day).is_ok());
        me.on_account_list = false;
        let refused = may(Power::VerifyCitizen, &me, Target::Unit(&path), day);
        assert_eq!(refused.unwrap_err(), PortalReason::NotOnAccountList);
        assert!(may(Power::SeeOwnUse, &me, Target::Unit(&path), day).is_ok());
    }

    #[test]
    fn rule_a6_auditors_state_a_ground_and_sign_in_afresh() {
        let grants = Grants::default().with(open(Role::Auditor, Scope::All)).unwrap();
        let (path, day) = ([unit("H26")], date(2026, 3, 2));
        let ground = Ground::parse("  Quyết định 12/QĐ-TTr  ").unwrap();
        assert_eq!(ground.as_str(), "Quyết định 12/QĐ-TTr");
        assert_eq!(format!("{ground:?}"), "Ground(***)");
        for (fresh, ground, expected) in [
            (false, None, Some(PortalReason::GroundMissing)),
            (true, None, Some(PortalReason::GroundMissing)),
            (false, Some(&ground), Some(PortalReason::FreshMfaNeeded)),
            (true, Some(&ground), None),
        ] {
            let me = Actor { fresh, ground, ..actor(&grants) };
            let got = may(Power::SearchJournal, &me, Target::Unit(&path), day).err();
            assert_eq!(got, expected);
        }
    }

    #[test]
    fn grounds_are_texts_that_state_something() {
        for text in ["", "ok", "          ", "căn cứ\u{0}theo quyết định", &"x".repeat(501)]
        {
            assert_eq!(Ground::parse(text), Err(PortalReason::GroundMissing), "{text:?}");
        }
        let longest = "e\u{302}\u{301}".repeat(500);
        assert_eq!(Ground::parse(&longest).unwrap().as_str(), "ế".repeat(500));
        assert!(Ground::parse(&"x".repeat(100_000)).is_err());
    }

    #[test]
    fn rule_i1_a_citizen_sees_nobody_else() {
        let grants = Grants::default().with(open(Role::Citizen, Scope::Person)).unwrap();
        let (me, day) = (actor(&grants), date(2026, 3, 2));
        assert!(may(Power::SeeOwnData, &me, Target::Person(ME), day).is_ok());
        for target in [Target::Person(PersonId(8)), Target::Centre, Target::Unit(&[unit("H26")])] {
            let refused = may(Power::SeeOwnData, &me, target, day);
            assert_eq!(refused.unwrap_err(), PortalReason::OutsideScope);
        }
        let wide = Grant::new(Role::Citizen, Scope::All, DateRange::default(), None);
        assert_eq!(wide, Err(PortalReason::ScopeTooWide));
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
    fn nobody_audits_themselves() {
        let scope = || Scope::All;
        let operator = Grants::default().with(open(Role::Operator, scope())).unwrap();
        for role in [Role::Auditor, Role::IndependentAuditor] {
            let refused = operator.clone().with(open(role, scope()));
            assert_eq!(refused, Err(PortalReason::RolesConflict));
        }
        let (centre, ministry) = (unit("G01.C06"), unit("G01.TT"));
        let other = PersonId(8);
        assert!(may_audit((ME, &ministry), (other, &centre)).is_ok());
        for (audited, of) in [(ME, &centre), (other, &ministry)] {
            let refused = may_audit((ME, &ministry), (audited, of));
            assert_eq!(refused, Err(PortalReason::OwnAudit));
        }
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

    #[test]
    fn the_nearest_reason_is_told() {
        let grants = Grants::default()
            .with(open(Role::Head, Scope::Unit(unit("H27"))))
            .unwrap()
            .with(open(Role::Head, Scope::Unit(unit("H26"))))
            .unwrap();
        let refused =
            may(Power::SignDossier, &actor(&grants), Target::Unit(&[unit("H26")]), Date::MIN);
        assert_eq!(refused.unwrap_err(), PortalReason::FreshMfaNeeded);
        let refused = may(Power::Unlock, &actor(&grants), Target::Centre, Date::MIN);
        assert_eq!(refused.unwrap_err(), PortalReason::NoPower);
    }
}
