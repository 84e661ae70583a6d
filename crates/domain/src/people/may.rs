//! The one question that every route asks: may this person do this here, now? (A6, E1, E3)

use jiff::civil::Date;

use super::PersonId;
use super::grants::{Grant, Grants};
use super::powers::{Mfa, Power, Shows};
use super::reasons::PortalReason;
use super::roles::Sight;
use crate::ids::UnitCode;
use crate::text::{composed, is_storable};

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
    use super::super::grants::Scope;
    use super::super::roles::{Class, Role};
    use super::*;
    use crate::registration::DateRange;
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
