//! How an officer gets back in: after idleness, a forgotten password, a lost factor (E2).

use dancu_domain::people::account::Phase;
use dancu_domain::people::factors::{SeenInPerson, Voucher};
use dancu_store::people::{self, EventKind, Person};

use super::{HeadDesk, Inside, Who};
use crate::act::{Done, Entry, Refused, carry_out};

/// Re-enables a person whose account was disabled because it was not used (E2).
///
/// # Errors
/// For oneself, and where it is not disabled.
pub async fn reenable(desk: &HeadDesk<'_>, who: Who) -> Result<Done, Refused> {
    let change = |inside: &Inside, person: &mut Person| {
        let account = person.account.clone();
        person.account = account.reenable(inside.by, inside.now, &inside.profile)?;
        Ok(EventKind::Reenabled)
    };
    of_person(desk, who, "officer.reenabled", change).await.map(|(done, _)| done)
}

/// Gives a new password, to be changed at the next sign-in; for who was invited and never came, a
/// new invitation with it. Sessions and devices die with the old one. `phc` is its hash. Returns
/// how many sessions were alive.
///
/// # Errors
/// For oneself, and where the account is revoked.
pub async fn give_password(
    desk: &HeadDesk<'_>,
    who: Who,
    phc: String,
) -> Result<(Done, usize), Refused> {
    let change = move |inside: &Inside, person: &mut Person| {
        let account = person.account.clone();
        let invited = matches!(account.phase, Phase::Invited { .. });
        person.account = if invited {
            account.reinvite(inside.by, inside.now)?
        } else {
            account.password_given(inside.by, inside.now.viet_nam_date())?
        };
        dancu_access::people::set_password(person, phc);
        Ok(if invited { EventKind::Invited } else { EventKind::PasswordGiven })
    };
    of_person(desk, who, "officer.passwordGiven", change).await
}

/// Vouches for a person who lost every factor and was seen in person: factors, codes, sessions and
/// devices die, and within 24 hours a new factor may be enrolled (E2). Returns how many sessions
/// were alive.
///
/// # Errors
/// For oneself, and where the account is not in use.
pub async fn vouch(
    desk: &HeadDesk<'_>,
    who: Who,
    seen: SeenInPerson,
) -> Result<(Done, usize), Refused> {
    let change = move |inside: &Inside, person: &mut Person| {
        let voucher = Voucher::given(person.id, inside.by, inside.now, seen)?;
        person.account = person.account.clone().factor_lost()?;
        dancu_access::people::forget_factors(person);
        person.secrets.voucher = Some(voucher);
        Ok(EventKind::Vouched)
    };
    of_person(desk, who, "officer.vouched", change).await
}

/// An act on the person alone; how many sessions were alive before.
async fn of_person(
    desk: &HeadDesk<'_>,
    who: Who,
    kind: &'static str,
    change: impl FnOnce(&Inside, &mut Person) -> Result<EventKind, Refused> + Send + 'static,
) -> Result<(Done, usize), Refused> {
    let inside = desk.inside()?;
    let entry = Entry::new(kind, desk.by, None);
    let done = carry_out((desk.store, desk.now), entry, move |tx, _| {
        let mut person = inside.find(tx, who)?.person.ok_or(Refused::Gone)?;
        inside.may_touch(tx, &person)?;
        let alive = inside.alive(tx, &person)?;
        let epoch = person.account.epoch;
        let event = change(&inside, &mut person)?;
        let ended = if person.account.epoch == epoch { 0 } else { alive };
        people::save(tx, &inside.keys, &person)?;
        people::note_event(tx, &inside.keys, person.id, inside.now, event, None, "")?;
        let detail = match person.secrets.voucher.as_ref().filter(|_| event == EventKind::Vouched) {
            Some(voucher) => {
                format!("cổng #{}, {:?}, {ended} phiên", person.id.0, voucher.word().2)
            }
            None => format!("cổng #{}, {ended} phiên", person.id.0),
        };
        Ok((detail, ended))
    });
    done.await
}
