//! How an officer gets back in: after idleness, a forgotten password, a lost factor (E2); and what
//! is recorded of them, a training (E5).
//!
//! **Invariant:** nobody gives a new password and takes the factor away for the same person within
//! a day: whoever could do both could become the person. The person reads of either at
//! every sign-in of a week.

use dancu_domain::moment::{DAY_MS, Moment};
use dancu_domain::people::PersonId;
use dancu_domain::people::account::Phase;
use dancu_domain::people::factors::{SeenInPerson, Voucher};
use dancu_domain::people::reasons::PortalReason;
use dancu_store::desks::{self, Help};
use dancu_store::engine::Tx;
use dancu_store::people::{self, EventKind, Person};
use jiff::civil::Date;

use super::{HeadDesk, Inside, Who};
use crate::act::{Done, Entry, Refused, note};

/// Between a new password and the word for a lost factor by the same hand, ms (*ours*): as long as
/// that word holds, so that the two never meet.
pub const APART_MS: i64 = DAY_MS;

/// Re-enables a person whose account was disabled because it was not used (E2).
///
/// # Errors
/// For oneself, and where it is not disabled.
pub async fn reenable(desk: &HeadDesk<'_>, who: Who) -> Result<Done, Refused> {
    let change = |inside: &Inside, _: &mut Tx<'_>, person: &mut Person| {
        let account = person.account.clone();
        person.account = account.reenable(inside.by, inside.now, &inside.profile)?;
        Ok(EventKind::Reenabled)
    };
    let act = OnPerson { kind: "officer.reenabled", help: None };
    of_person(desk, who, act, change).await.map(|(done, _)| done)
}

/// Records a training that the officer had (E5); it ends a suspension for its lapse.
///
/// # Errors
/// [`Refused::Field`] of `trained` for a day to come; where the account is revoked.
pub async fn train(desk: &HeadDesk<'_>, who: Who, on: Date) -> Result<Done, Refused> {
    if on > desk.now.viet_nam_date() {
        return Err(Refused::Field {
            field: "trained",
            vi: "Ngày tập huấn chưa đến.".into(),
            en: "The day of the training has not come.".into(),
        });
    }
    let change = move |inside: &Inside, _: &mut Tx<'_>, person: &mut Person| {
        let account = person.account.clone();
        person.account = account.train(on, inside.now, &inside.profile)?;
        Ok(EventKind::Trained)
    };
    let act = OnPerson { kind: "officer.trained", help: None };
    of_person(desk, who, act, change).await.map(|(done, _)| done)
}

/// Gives a new password, to be changed at the next sign-in; for who was invited and never came, a
/// new invitation with it. Sessions and devices die with the old one. `phc` is its hash. Returns
/// how many sessions were alive.
///
/// # Errors
/// For oneself, and where the account is revoked; [`PortalReason::TwoHandsNeeded`] where the same
/// head vouched for the person a day ago or less; for who never came as [`invite`](super::invite).
pub async fn give_password(
    desk: &HeadDesk<'_>,
    who: Who,
    phc: String,
) -> Result<(Done, usize), Refused> {
    let change = move |inside: &Inside, tx: &mut Tx<'_>, person: &mut Person| {
        let account = person.account.clone();
        let invited = matches!(account.phase, Phase::Invited { .. });
        person.account = if invited {
            inside.may_invite(tx, &person.login, Some(&*person))?;
            account.reinvite(inside.by, inside.now)?
        } else {
            account.password_given(inside.by, inside.now.viet_nam_date())?
        };
        dancu_access::people::set_password(person, phc);
        Ok(if invited { EventKind::Invited } else { EventKind::PasswordGiven })
    };
    let act = OnPerson { kind: "officer.passwordGiven", help: Some(Help::Password) };
    of_person(desk, who, act, change).await
}

/// Vouches for a person who lost every factor and was seen in person: factors, codes, sessions and
/// devices die, and within 24 hours a new factor may be enrolled (E2). Returns how many sessions
/// were alive.
///
/// # Errors
/// For oneself, and where the account is not in use; [`PortalReason::TwoHandsNeeded`] where the
/// same head gave the person a password a day ago or less.
pub async fn vouch(
    desk: &HeadDesk<'_>,
    who: Who,
    seen: SeenInPerson,
) -> Result<(Done, usize), Refused> {
    let change = move |inside: &Inside, _: &mut Tx<'_>, person: &mut Person| {
        let voucher = Voucher::given(person.id, inside.by, inside.now, seen)?;
        person.account = person.account.clone().factor_lost()?;
        dancu_access::people::forget_factors(person);
        person.secrets.voucher = Some(voucher);
        Ok(EventKind::Vouched)
    };
    let act = OnPerson { kind: "officer.vouched", help: Some(Help::Factor) };
    of_person(desk, who, act, change).await
}

/// An act on the person alone.
#[derive(Clone, Copy)]
struct OnPerson {
    /// Kind of its entry.
    kind: &'static str,
    /// Whether it lets the person in again.
    help: Option<Help>,
}

/// Refuses the second of the two ways in from one hand within [`APART_MS`], and writes down the
/// first. A given password never ends by itself: while it is `unused`, its hand opens no other way.
fn helped(
    tx: &mut Tx<'_>,
    (person, unused): (PersonId, bool),
    help: Help,
    (by, now): (PersonId, Moment),
) -> Result<(), Refused> {
    let other = match help {
        Help::Password => Help::Factor,
        Help::Factor => Help::Password,
    };
    let near = |at: Moment| now.0 - at.0 < APART_MS;
    let given = |at: Moment| near(at) || (help == Help::Factor && unused);
    if desks::last_help(tx, person, other)?.is_some_and(|(who, at)| who == by && given(at)) {
        return Err(PortalReason::TwoHandsNeeded.into());
    }
    Ok(desks::note_help(tx, person, help, (by, now))?)
}

/// An act on the person alone; how many sessions were alive before.
async fn of_person(
    desk: &HeadDesk<'_>,
    who: Who,
    act: OnPerson,
    change: impl FnOnce(&Inside, &mut Tx<'_>, &mut Person) -> Result<EventKind, Refused>
    + Send
    + 'static,
) -> Result<(Done, usize), Refused> {
    let inside = desk.inside()?;
    let entry = Entry::new(act.kind, desk.by, None);
    let done = note((desk.store, desk.now), entry, move |tx| {
        let mut person = inside.find(tx, who)?.person.ok_or(Refused::Gone)?;
        inside.may_touch(tx, &person)?;
        let alive = inside.alive(tx, &person)?;
        let epoch = person.account.epoch;
        let unused = person.account.password.is_some_and(|password| password.given);
        let event = change(&inside, tx, &mut person)?;
        if let Some(help) = act.help {
            helped(tx, (person.id, unused), help, (inside.by, inside.now))?;
        }
        let ended = if person.account.epoch == epoch { 0 } else { alive };
        people::save(tx, &inside.keys, &person)?;
        people::note_event(tx, &inside.keys, person.id, inside.now, event, None, "")?;
        let detail = match person.secrets.voucher.as_ref().filter(|_| event == EventKind::Vouched) {
            Some(voucher) => {
                let seen = voucher.word().2.code();
                format!("cổng #{}, {seen}, {ended} phiên", person.id.0)
            }
            None => format!("cổng #{}, {ended} phiên", person.id.0),
        };
        Ok((detail, ended))
    });
    done.await
}
