//! Through which system an officer asks, and what is left there.

use std::sync::Arc;

use dancu_domain::people::may::Target;
use dancu_domain::people::powers::Power;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::registration::{Account, Line, Procedure, System};
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

/// A count that may end.
struct Count {
    /// Key of what it is.
    key: &'static str,
    left: u64,
    of: u64,
}

impl Count {
    fn new(key: &'static str, of: u32, used: u32) -> Self {
        Self { key, left: of.saturating_sub(used).into(), of: of.into() }
    }

    fn line(self, text: &Text) -> String {
        let left = format!("{}/{}", text.num(self.left), text.num(self.of));
        text.with_two("meter-other", "what", text.get(self.key), "left", left)
    }
}

/// Key of what a line counts.
const fn key(service: Service, window: Window) -> &'static str {
    match (service, window) {
        (Service::CitizenLookup, Window::InHours) => "meter-lookup-in",
        (Service::CitizenLookup, Window::OffHours) => "meter-lookup-off",
        (_, Window::InHours) => "meter-verify-in",
        (_, Window::OffHours) => "meter-verify-off",
    }
}

/// What is left now for a service: the count that ends first in large, of the line, of the
/// system off hours or of the account (D2, D4), and each other one in a line. Who verifies sees
/// what is left of look-ups too, since opening a field takes one.
pub(super) fn meter(signed: &Signed, desk: &Desk, service: Service, text: &Text) -> Meter {
    let now = signed.app.clock.now();
    let store = signed.app.gate.store();
    let profile = store.profiles().at(now);
    let duty = profile.hours.duty(now);
    let line = |service| desk.system.service(service).and_then(|grant| grant.line(duty.window));
    let account = &desk.account;
    let opens = service != Service::CitizenLookup
        && account.services.contains(Service::CitizenLookup)
        && signed.holds(Power::LookUpCitizen);
    let (asked, beside) = (line(service), line(Service::CitizenLookup).filter(|_| opens));
    let (used, used_beside, own, off_hours) = store.ledger().lines(|counts| {
        let used =
            |line: Option<&Line>| line.map_or(0, |line| counts.line_day(line.id, duty.day).used);
        let own = counts.account_used(account.id, duty.day);
        (used(asked), used(beside), own, counts.off_hours_used(desk.system.id, duty.day))
    });
    let limit = |line: &Line| line.limit(now).count;
    let mut counts = vec![Count::new(key(service, duty.window), asked.map_or(0, limit), used)];
    if duty.window == Window::OffHours {
        counts.push(Count::new("meter-cap", profile.counts.off_hours_cap, off_hours));
    }
    let stop = account.daily.saturating_mul(profile.counts.account_hard_stop_factor);
    counts.push(Count::new("meter-account", stop, own));
    // Of two that end together the unit's line is named, not the account.
    let first = (0..counts.len()).min_by_key(|at| counts[*at].left).unwrap_or_default();
    let binds = counts.remove(first);
    counts.push(Count::new("meter-own", account.daily, own));
    let look_ups = key(Service::CitizenLookup, duty.window);
    counts.extend(beside.map(|line| Count::new(look_ups, limit(line), used_beside)));
    Meter {
        left: binds.left,
        of: binds.of,
        binds: text.get(binds.key),
        resets: frame::stamp(duty.resets_at),
        others: counts.into_iter().map(|count| count.line(text)).collect(),
    }
}
