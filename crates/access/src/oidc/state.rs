//! The state of a sign-in at a provider: it goes with the person and comes back, sealed. The server
//! keeps nothing of it meanwhile.
//!
//! It is bound to the browser's cookie, so that nobody is signed in by a link that somebody else
//! began; it carries nonce and PKCE verifier, which the provider can neither read nor change.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dancu_domain::moment::MINUTE_MS;
use dancu_domain::people::MachineTime;
use dancu_store::keys::{SealKey, random};
use dancu_store::{Error, Result};
use serde::{Deserialize, Serialize};

/// A sign-in at a provider may take so long, ms: time to find the phone and type what it shows.
pub const STATE_MS: i64 = 10 * MINUTE_MS;
/// Longest path that one comes back to, bytes: the whole address has to fit where providers take
/// it. From a longer one one comes to the desk.
const NEXT_MAX: usize = 600;
/// Longest state that is looked at, characters; the longest of ours have some 1,000.
const TEXT_MAX: usize = 2_048;
/// Two nodes' clocks may differ by this, ms: each is at most 2 s off the database's.
const CLOCKS_DIFFER_MS: i64 = 4_000;
/// Another version's states do not open.
const LABEL: &[u8] = b"dancu oidc state 1";

/// As whom somebody wants to sign in. It chooses where is looked, and gives nothing by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Wanted {
    /// As staff: found by the personal id.
    Officer,
    /// As a citizen: found by issuer and subject.
    Citizen,
}

impl Wanted {
    /// From the word in an address.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Officer, Self::Citizen].into_iter().find(|wanted| wanted.word() == word)
    }

    /// The word in an address.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Officer => "officer",
            Self::Citizen => "citizen",
        }
    }
}

/// A sign-in that is at the provider.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Random; it is answered once.
    pub(crate) id: [u8; 16],
    /// Digest of the browser's cookie.
    holder: [u8; 32],
    /// Of what the identity token has to repeat.
    nonce: [u8; 32],
    /// Of what is shown for the code.
    verifier: [u8; 32],
    /// As whom.
    pub wanted: Wanted,
    /// Where one wanted to go; empty: the desk.
    pub next: String,
    /// Whether somebody was signed in here: a session goes on, a locked screen opens.
    pub signed_in: bool,
    /// When it began.
    pub issued: MachineTime,
}

/// What goes with the person, in clear but for the state.
pub struct Begun {
    /// The sealed state.
    pub state: String,
    /// What the identity token has to repeat.
    pub nonce: String,
    /// Digest of what is shown for the code.
    pub challenge: String,
}

impl State {
    /// Begins one for a browser.
    ///
    /// # Errors
    /// No randomness.
    pub(crate) fn begin(
        key: &SealKey,
        holder: [u8; 32],
        (wanted, next, signed_in): (Wanted, &str, bool),
        issued: MachineTime,
    ) -> Result<Begun> {
        let mut drawn = [0; 16 + 32 + 32 + 12];
        random(&mut drawn)?;
        let mut rest = drawn.as_slice();
        let state = Self {
            id: take(&mut rest),
            holder,
            nonce: take(&mut rest),
            verifier: take(&mut rest),
            wanted,
            next: if next.len() <= NEXT_MAX { next.to_owned() } else { String::new() },
            signed_in,
            issued,
        };
        let plain = postcard::to_allocvec(&state).map_err(|_| Error::Crypto("state"))?;
        let sealed = key.seal(take(&mut rest), LABEL, &plain)?;
        Ok(Begun {
            state: URL_SAFE_NO_PAD.encode(sealed),
            nonce: state.nonce(),
            challenge: URL_SAFE_NO_PAD.encode(digest(&SHA256, state.verifier().as_bytes())),
        })
    }

    /// Opens what came back; `None`: forged, of another browser, too old, or from a future that no
    /// clock of ours has.
    pub(crate) fn open(
        key: &SealKey,
        text: &str,
        holder: [u8; 32],
        now: MachineTime,
    ) -> Option<Self> {
        if text.len() > TEXT_MAX {
            return None;
        }
        let mut sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let state: Self = postcard::from_bytes(key.open(LABEL, &mut sealed).ok()?).ok()?;
        let fresh = now < state.until() && state.issued.since(now) <= CLOCKS_DIFFER_MS;
        (state.holder == holder && fresh).then_some(state)
    }

    /// From when on it is out of date.
    pub(crate) fn until(&self) -> MachineTime {
        self.issued.plus_ms(STATE_MS)
    }

    /// What the identity token has to repeat.
    pub fn nonce(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.nonce)
    }

    /// What is shown for the code (RFC 7636): 43 characters.
    pub fn verifier(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.verifier)
    }
}

/// The next so many random bytes.
fn take<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    let (first, after) = rest.split_first_chunk::<N>().unwrap_or((&[0; N], &[]));
    *rest = after;
    *first
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: MachineTime = MachineTime(1_772_409_600_000);
    const MINE: [u8; 32] = [1; 32];

    fn key() -> SealKey {
        SealKey::new(&[9; 32]).unwrap()
    }

    fn begun(next: &str) -> Begun {
        State::begin(&key(), MINE, (Wanted::Citizen, next, true), NOW).unwrap()
    }

    #[test]
    fn a_state_comes_back_as_it_went() {
        let begun = begun("/me");
        let state = State::open(&key(), &begun.state, MINE, NOW).unwrap();
        assert_eq!(
            (state.wanted, state.next.as_str(), state.signed_in),
            (Wanted::Citizen, "/me", true)
        );
        assert_eq!(state.nonce(), begun.nonce);
        let challenge = digest(&SHA256, state.verifier().as_bytes());
        assert_eq!(begun.challenge, URL_SAFE_NO_PAD.encode(challenge));
        assert!(state.nonce() != state.verifier() && state.verifier().len() == 43);
        let other = super::tests::begun("/me");
        assert!(other.nonce != begun.nonce && other.challenge != begun.challenge);
    }

    #[test]
    fn nobody_else_has_a_use_for_it() {
        let text = begun("").state;
        let opens = |text: &str, holder, now| State::open(&key(), text, holder, now).is_some();
        assert!(opens(&text, MINE, NOW.plus_ms(STATE_MS - 1)));
        assert!(!opens(&text, MINE, NOW.plus_ms(STATE_MS)), "too old");
        assert!(opens(&text, MINE, NOW.plus_ms(-4_000)), "of another node");
        assert!(!opens(&text, MINE, NOW.plus_ms(-4_001)), "of the future");
        assert!(!opens(&text, [2; 32], NOW), "another browser");
        let other = SealKey::new(&[8; 32]).unwrap();
        assert!(State::open(&other, &text, MINE, NOW).is_none(), "another key");
        for i in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[i] = if changed[i] == b'A' { b'B' } else { b'A' };
            assert!(!opens(&String::from_utf8(changed).unwrap(), MINE, NOW), "{i}");
        }
        for text in ["", "AAAA", "é", &"A".repeat(1 << 20)] {
            assert!(!opens(text, MINE, NOW));
        }
    }

    #[test]
    fn a_long_way_back_is_left_out() {
        let longest = format!("/{}", "a".repeat(NEXT_MAX - 1));
        let state = begun(&longest);
        assert!(state.state.len() <= TEXT_MAX);
        assert_eq!(State::open(&key(), &state.state, MINE, NOW).unwrap().next, longest);
        let longer = begun(&format!("{longest}a")).state;
        assert_eq!(State::open(&key(), &longer, MINE, NOW).unwrap().next, "");
    }

    #[test]
    fn who_one_wants_to_be_has_two_words() {
        for wanted in [Wanted::Officer, Wanted::Citizen] {
            assert_eq!(Wanted::from_word(wanted.word()), Some(wanted));
        }
        for other in ["", "operator", "Officer"] {
            assert_eq!(Wanted::from_word(other), None);
        }
    }
}
