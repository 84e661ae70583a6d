//! A value that a page of a session carries in a form and gives back: sealed, so that nobody reads
//! or changes it there, by a key of the session and of its use, so that it opens nowhere else. The
//! server keeps nothing of it, and any node of a centre opens what another sealed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dancu_store::NONCE_BYTES;
use dancu_store::keys::{Purpose, SealKey, random};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::signed::Signed;

/// Seals a value for a hidden field. `label` names the use and its version: another one does not
/// open it. `None` where the machine gives no randomness.
pub fn seal(signed: &Signed, label: &'static str, value: &impl Serialize) -> Option<String> {
    seal_with(&key(signed, label)?, label, value)
}

/// Opens what this session sealed under this label; `None` for anything else.
pub fn open<T: DeserializeOwned>(signed: &Signed, label: &'static str, text: &str) -> Option<T> {
    open_with(&key(signed, label)?, label, text)
}

/// Of the key of tokens, which every node has. No nonce meets another session's.
fn key(signed: &Signed, label: &str) -> Option<SealKey> {
    let token = signed.app.gate.store().keys().get(Purpose::Token, 0)?;
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(&token.digest16(&[label.as_bytes(), b"a", &signed.mark]));
    bytes[16..].copy_from_slice(&token.digest16(&[label.as_bytes(), b"b", &signed.mark]));
    SealKey::new(&bytes).ok()
}

fn seal_with(key: &SealKey, label: &str, value: &impl Serialize) -> Option<String> {
    let mut nonce = [0; NONCE_BYTES];
    random(&mut nonce).ok()?;
    let sealed = key.seal(nonce, label.as_bytes(), &serde_json::to_vec(value).ok()?).ok()?;
    Some(URL_SAFE_NO_PAD.encode(sealed))
}

fn open_with<T: DeserializeOwned>(key: &SealKey, label: &str, text: &str) -> Option<T> {
    let mut sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
    serde_json::from_slice(key.open(label.as_bytes(), &mut sealed).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABEL: &str = "dancu test 1";

    #[test]
    fn it_opens_with_its_key_and_label_and_says_nothing() {
        let (mine, others) = (SealKey::new(&[1; 32]).unwrap(), SealKey::new(&[2; 32]).unwrap());
        let value = vec!["099303000417".to_owned()];
        let text = seal_with(&mine, LABEL, &value).unwrap();
        let opened = |key, label, text: &str| open_with::<Vec<String>>(key, label, text);
        assert_eq!(opened(&mine, LABEL, &text), Some(value.clone()));
        assert_eq!(opened(&others, LABEL, &text), None);
        assert_eq!(opened(&mine, "dancu test 2", &text), None);
        let bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        assert!(!bytes.windows(6).any(|w| w == b"099303"));
        // Any change is seen.
        for at in [0, NONCE_BYTES, bytes.len() - 1] {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(opened(&mine, LABEL, &URL_SAFE_NO_PAD.encode(&changed)), None);
        }
        for text in ["", "*", "AAAA"] {
            assert_eq!(opened(&mine, LABEL, text), None);
        }
        assert_ne!(text, seal_with(&mine, LABEL, &value).unwrap());
    }
}
