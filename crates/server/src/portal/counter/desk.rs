//! Through which system an officer asks, and what is left there.

use std::sync::Arc;

use dancu_domain::people::grants::Target;
use dancu_domain::people::powers::Power;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::registration::Account;
use dancu_domain::registration::{Procedure, System};
use dancu_domain::service::{FieldSet, Service, Window};
use dancu_portal::parts::Meter;
use dancu_portal::text::Text;

use crate::portal::frame;
use crate::portal::signed::Signed;
use crate::stop::Stop;

/// A live system of the officer's unit in which an account of the same login is live (A6, B6).
pub(super) struct Desk {
    pub(super) system: Arc<System>,
    pub(super) account: Account,
}

impl Desk {
    /// Procedures under which this officer may verify today, by code.
    pub(super) fn procedures(&self, signed: &Signed) -> Vec<&Procedure> {
        let today = signed.today();
        let fits = |p: &&Procedure| {
            p.valid.contains(today)
                && p.purpose.is_some()
                && p.services.contains(Service::CitizenVerify)
        };
        let mut found: Vec<_> = self.system.procedures.values().filter(fits).collect();
        found.sort_by(|a, b| a.code.cmp(&b.code));
        found
    }

    /// One of them by its code.
    pub(super) fn procedure(&self, signed: &Signed, code: &str) -> Option<&Procedure> {
        self.procedures(signed).into_iter().find(|p| p.code.as_str() == code)
    }

    /// Fields that a service may tell or compare under a procedure (A4); none where the system,
    /// the procedure or the account has not the service.
    pub(super) fn fields(&self, service: Service, procedure: &Procedure) -> FieldSet {
        let may = procedure.services.contains(service) && self.account.services.contains(service);
        match self.system.service(service) {
            Some(grant) if may => grant.fields.and(procedure.fields),
            _ => FieldSet::EMPTY,
        }
    }
}

/// The officer's desks; the refusal where the officer may not, or has none.
pub(super) fn open(signed: &Signed, power: Power) -> Result<Vec<Desk>, Stop> {
    let refused = |reason| Stop::from(frame::refused(signed, reason));
    signed.may(power, Target::Unit(&signed.own_unit())).map_err(refused)?;
    let desks = of(signed);
    if desks.is_empty() { Err(refused(PortalReason::NotOnAccountList)) } else { Ok(desks) }
}

/// The desks by the code of their systems.
fn of(signed: &Signed) -> Vec<Desk> {
    signed.listed().into_iter().map(|(system, account)| Desk { system, account }).collect()
}

/// The desk of a system code, else the first.
pub(super) fn chosen<'a>(desks: &'a [Desk], code: &str) -> &'a Desk {
    let named = desks.iter().find(|desk| desk.system.code.as_str() == code);
    named.unwrap_or(&desks[0])
}

/// What is left now, of the line or of the account, whichever ends first (D2, D4).
pub(super) fn meter(signed: &Signed, desk: &Desk, text: &Text) -> Meter {
    let now = signed.app.clock.now();
    let store = signed.app.gate.store();
    let profile = store.profiles().at(now);
    let duty = profile.hours.duty(now);
    let line = desk.system.service(Service::CitizenVerify).and_then(|g| g.line(duty.window));
    let of = line.map_or(0, |line| line.limit(now).count);
    let (system, account) = (desk.system.id, &desk.account);
    let (used, own, off_hours) = store.ledger().lines(|counts| {
        let used = line.map_or(0, |line| counts.line_day(line.id, duty.day).used);
        let own = counts.account_used(account.id, duty.day);
        (used, own, counts.off_hours_used(system, duty.day))
    });
    let mut left = of.saturating_sub(used);
    let mut service = "meter-line-in";
    if duty.window == Window::OffHours {
        service = "meter-line-off";
        left = left.min(profile.counts.off_hours_cap.saturating_sub(off_hours));
    }
    let stop = account.daily.saturating_mul(profile.counts.account_hard_stop_factor);
    let own_stop = stop.saturating_sub(own);
    let mut words = text.get(service);
    let (line_left, line_of) = (u64::from(left), u64::from(of));
    let (left, of) = if own_stop < left {
        // The ring shows what ends first; what the unit has left stands beside it all the same.
        let (unit, whole) = (text.num(line_left), text.num(line_of));
        words = text.with_two("meter-account", "left", unit, "of", whole);
        (own_stop, stop)
    } else {
        (left, of)
    };
    Meter {
        left: left.into(),
        of: of.into(),
        service: words,
        resets: frame::stamp(duty.resets_at),
        own_left: account.daily.saturating_sub(own).into(),
        own_of: account.daily.into(),
    }
}
