//! The person whom the next form is about, carried by the page and sealed: nobody reads it there,
//! nothing of it is kept on the server, and any node goes on with it. It opens in the session it
//! was made in, for a quarter of an hour.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dancu_domain::moment::MINUTE_MS;
use dancu_domain::people::MachineTime;
use dancu_gate::query::Subject;
use dancu_store::NONCE_BYTES;
use dancu_store::keys::{Key, Purpose, SealKey, random};
use serde::{Deserialize, Serialize};

use crate::portal::signed::Signed;

/// A page is gone on with for so long, ms (*ours*): as long as an officer deals with one person,
/// and no longer than the screen stays open by itself.
const KEPT_MS: i64 = 15 * MINUTE_MS;
/// Another version does not open.
const LABEL: &[u8] = b"dancu counter 1";
/// Longest text that is looked at, characters: the longest name and codes take some 700.
const TEXT_MAX: usize = 4_096;

/// About whom, and why.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    /// System code.
    pub(super) system: String,
    /// Procedure code.
    pub(super) procedure: String,
    /// Case code; empty where none was given.
    pub(super) case: String,
    /// The three keys.
    pub(super) subject: Subject,
    /// The name as it was asked.
    pub(super) name: String,
    /// When it was sealed, ms of the machine's clock.
    pub(super) at: i64,
}

/// A key of this session alone, so that no nonce can ever meet another's.
fn session_key(key: &Key, mark: &[u8; 32]) -> Option<SealKey> {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(&key.digest16(&[LABEL, b"a", mark]));
    bytes[16..].copy_from_slice(&key.digest16(&[LABEL, b"b", mark]));
    SealKey::new(&bytes).ok()
}

fn key(signed: &Signed) -> Option<SealKey> {
    let key = signed.app.gate.store().keys().get(Purpose::Token, 0)?;
    session_key(&key, &signed.mark)
}

/// Seals it for a hidden field; none where the machine gives no randomness.
pub(super) fn seal(signed: &Signed, kept: &Kept) -> Option<String> {
    seal_with(&key(signed)?, kept)
}

fn seal_with(key: &SealKey, kept: &Kept) -> Option<String> {
    let mut nonce = [0; NONCE_BYTES];
    random(&mut nonce).ok()?;
    let sealed = key.seal(nonce, LABEL, &serde_json::to_vec(kept).ok()?).ok()?;
    Some(URL_SAFE_NO_PAD.encode(sealed))
}

/// Opens what this session sealed a short while ago.
pub(super) fn open(signed: &Signed, text: &str) -> Option<Kept> {
    open_with(&key(signed)?, text, signed.machine)
}

fn open_with(key: &SealKey, text: &str, now: MachineTime) -> Option<Kept> {
    if text.len() > TEXT_MAX {
        return None;
    }
    let mut sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
    let kept: Kept = serde_json::from_slice(key.open(LABEL, &mut sealed).ok()?).ok()?;
    (now.since(MachineTime(kept.at)) < KEPT_MS).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dancu_domain::birth::BirthDate;
    use dancu_domain::ids::{PersonalId, SubjectId};
    use dancu_domain::name::NameQuery;

    const NOW: MachineTime = MachineTime(1_772_409_600_000);

    fn kept() -> Kept {
        let id = SubjectId::Personal(PersonalId::parse("099303000417").unwrap());
        let name = NameQuery::parse("Nguyễn Văn Mẫu").unwrap();
        Kept {
            system: "ONESTOP".into(),
            procedure: "1.004194".into(),
            case: String::new(),
            subject: Subject { id, name, birth: BirthDate::Year(1990) },
            name: "Nguyễn Văn Mẫu".into(),
            at: NOW.0,
        }
    }

    #[test]
    fn it_opens_in_its_session_for_a_while_and_says_nothing() {
        let (mine, others) = (SealKey::new(&[1; 32]).unwrap(), SealKey::new(&[2; 32]).unwrap());
        let text = seal_with(&mine, &kept()).unwrap();
        let opened = |key, text: &str, after| {
            open_with(key, text, NOW.plus_ms(after)).map(|k| (k.system, k.subject.birth))
        };
        let whole = Some(("ONESTOP".to_owned(), BirthDate::Year(1990)));
        assert_eq!(opened(&mine, &text, 0), whole);
        assert_eq!(opened(&mine, &text, KEPT_MS - 1), whole);
        assert_eq!(opened(&mine, &text, KEPT_MS), None);
        assert_eq!(opened(&others, &text, 0), None);
        let bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        assert!(!bytes.windows(6).any(|w| w == b"099303") && text.len() < TEXT_MAX / 4);
        // Any change is seen.
        for at in [0, NONCE_BYTES, bytes.len() - 1] {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(opened(&mine, &URL_SAFE_NO_PAD.encode(&changed), 0), None);
        }
        for text in ["", "*", &"A".repeat(TEXT_MAX + 1)] {
            assert_eq!(opened(&mine, text, 0), None);
        }
        assert_ne!(text, seal_with(&mine, &kept()).unwrap());
    }
}
