//! Tickets: a sign-in in progress, carried by the page. The server keeps nothing of it, so that
//! nobody fills its memory, and any node goes on with what another began.
//!
//! A ticket is sealed, so nobody reads or changes it; it names its purpose and the browser it was
//! made for, and is good for five minutes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dancu_domain::moment::MINUTE_MS;
use dancu_domain::people::factors::FactorKind;
use dancu_domain::people::sign_in::First;
use dancu_domain::people::{Epoch, MachineTime, PersonId};
use dancu_store::Error;
use dancu_store::keys::{SealKey, random};
use serde::{Deserialize, Serialize};

use super::Trouble;
use super::marks::Mark;

/// A ticket is good for so long, ms (brief of people): time to find the phone, too short for
/// somebody who comes to a page that was left.
pub const TICKET_MS: i64 = 5 * MINUTE_MS;

/// Longest ticket that is looked at, characters; ours have some 400.
const TEXT_MAX: usize = 2_048;
/// Another version's tickets do not open.
const LABEL: &[u8] = b"dancu ticket 1 ";

/// What a ticket is for: none serves another purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    /// A sign-in whose first factor was proved.
    SignIn = 1,
    /// A passkey is asked for as the first factor.
    Passkey = 2,
    /// A factor is enrolled, or proved again, in a session.
    Session = 3,
}

/// What was proved so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Proved {
    first: u8,
    second: Option<u8>,
    /// Whether the person wants this device enrolled.
    pub(super) remember: bool,
}

impl Proved {
    pub(super) fn new(first: First, remember: bool) -> Self {
        let first = match first {
            First::Nothing => 0,
            First::Wrong => 1,
            First::Password => 2,
            First::Passkey => 3,
            First::Identity { strong: false } => 4,
            First::Identity { strong: true } => 5,
        };
        Self { first, second: None, remember }
    }

    pub(super) fn with(mut self, second: FactorKind) -> Self {
        self.second = Some(second as u8);
        self
    }

    pub(super) fn first(self) -> First {
        match self.first {
            0 => First::Nothing,
            2 => First::Password,
            3 => First::Passkey,
            4 => First::Identity { strong: false },
            5 => First::Identity { strong: true },
            _ => First::Wrong,
        }
    }

    pub(super) fn second(self) -> Option<FactorKind> {
        FactorKind::ALL.into_iter().find(|k| Some(*k as u8) == self.second)
    }
}

/// What a page was made for and waits for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Pending {
    /// The next step.
    Step,
    /// The first code of a new secret.
    Totp(Vec<u8>),
    /// A new key.
    NewKey {
        /// What it has to sign.
        challenge: [u8; 32],
        /// A hardware key, not a passkey.
        security_key: bool,
    },
    /// A signature by a key that is enrolled.
    Key {
        /// What it has to sign.
        challenge: [u8; 32],
    },
}

/// A ticket.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ticket {
    /// Random; a ticket that led to a session leads to no second one.
    pub(super) id: [u8; 16],
    /// Whose; 0 before a passkey told.
    pub(super) person: PersonId,
    /// In any other the ticket is dead.
    pub(super) epoch: Epoch,
    /// When the sign-in began: going on does not prolong it.
    pub(super) issued: MachineTime,
    /// The browser's cookie, or that of the session.
    holder: [u8; 32],
    /// What was proved.
    pub(super) proved: Proved,
    /// What the page waits for.
    pub(super) pending: Pending,
    /// The person's session number when a second factor was proved already: a session that began
    /// since, on whichever node, ends the ticket.
    pub(super) number: Option<u64>,
}

impl Ticket {
    /// A new one for a holder.
    pub(super) fn new(
        holder: Mark,
        (person, epoch): (PersonId, Epoch),
        proved: Proved,
        now: MachineTime,
    ) -> Result<Self, Trouble> {
        let mut id = [0; 16];
        random(&mut id)?;
        let (holder, issued, pending) = (holder.0, now, Pending::Step);
        Ok(Self { id, person, epoch, issued, holder, proved, pending, number: None })
    }

    /// When it is out of date.
    pub(super) fn until(&self) -> MachineTime {
        self.issued.plus_ms(TICKET_MS)
    }

    /// The sealed text for a hidden field.
    pub(super) fn seal(&self, key: &SealKey, purpose: Purpose) -> Result<String, Trouble> {
        let plain = postcard::to_allocvec(self).map_err(|_| Error::Crypto("ticket"))?;
        let mut nonce = [0; 12];
        random(&mut nonce)?;
        Ok(URL_SAFE_NO_PAD.encode(key.seal(nonce, &aad(purpose), &plain)?))
    }

    /// Opens a text; `None`: forged, for another purpose, of another browser, too old, or from a
    /// future that no clock of ours has.
    pub(super) fn open(
        key: &SealKey,
        purpose: Purpose,
        text: &str,
        holder: Mark,
        now: MachineTime,
    ) -> Option<Self> {
        if text.len() > TEXT_MAX {
            return None;
        }
        let mut sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let plain = key.open(&aad(purpose), &mut sealed).ok()?;
        let ticket: Self = postcard::from_bytes(plain).ok()?;
        let fresh = now < ticket.until() && ticket.issued.since(now) <= CLOCKS_DIFFER_MS;
        (ticket.holder == holder.0 && fresh).then_some(ticket)
    }
}

/// Two nodes' clocks may differ by this, ms: each is at most 2 s off the database's.
const CLOCKS_DIFFER_MS: i64 = 4_000;

fn aad(purpose: Purpose) -> Vec<u8> {
    [LABEL, &[purpose as u8]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: MachineTime = MachineTime(1_772_409_600_000);
    const MINE: Mark = Mark([1; 32]);

    fn ticket() -> Ticket {
        let proved = Proved::new(First::Password, true).with(FactorKind::Totp);
        Ticket::new(MINE, (PersonId(7), Epoch(3)), proved, NOW).unwrap()
    }

    #[test]
    fn a_ticket_says_what_was_proved() {
        let key = SealKey::new(&[9; 32]).unwrap();
        let text = ticket().seal(&key, Purpose::SignIn).unwrap();
        let opened = Ticket::open(&key, Purpose::SignIn, &text, MINE, NOW).unwrap();
        assert_eq!((opened.person, opened.epoch), (PersonId(7), Epoch(3)));
        assert_eq!(opened.proved.first(), First::Password);
        assert_eq!(opened.proved.second(), Some(FactorKind::Totp));
        assert!(opened.proved.remember);
        let strong = First::Identity { strong: true };
        for first in [First::Nothing, First::Wrong, First::Passkey, strong] {
            assert_eq!(Proved::new(first, false).first(), first);
        }
    }

    #[test]
    fn nobody_else_has_a_use_for_it() {
        let key = SealKey::new(&[9; 32]).unwrap();
        let text = ticket().seal(&key, Purpose::SignIn).unwrap();
        let open = |purpose, text: &str, holder, now| {
            Ticket::open(&key, purpose, text, holder, now).is_some()
        };
        assert!(open(Purpose::SignIn, &text, MINE, NOW.plus_ms(TICKET_MS - 1)));
        assert!(!open(Purpose::SignIn, &text, MINE, NOW.plus_ms(TICKET_MS)), "too old");
        assert!(open(Purpose::SignIn, &text, MINE, NOW.plus_ms(-4_000)), "of another node");
        assert!(!open(Purpose::SignIn, &text, MINE, NOW.plus_ms(-4_001)), "of the future");
        assert!(!open(Purpose::SignIn, &text, Mark([2; 32]), NOW), "another browser");
        assert!(!open(Purpose::Session, &text, MINE, NOW), "another purpose");
        let other = SealKey::new(&[8; 32]).unwrap();
        assert!(Ticket::open(&other, Purpose::SignIn, &text, MINE, NOW).is_none(), "forged");
        // No character can be changed.
        for i in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[i] = if changed[i] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(!open(Purpose::SignIn, &changed, MINE, NOW), "{i}");
        }
        for text in ["", "AAAA", "é", &"A".repeat(1 << 20)] {
            assert!(!open(Purpose::SignIn, text, MINE, NOW));
        }
    }
}
