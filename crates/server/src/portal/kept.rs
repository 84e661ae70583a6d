//! What was being done when the screen locked or a fresh factor was needed, sealed into the page
//! that asks: the browser gives it back, and neither the person at a locked screen nor anybody
//! else can read it there. The server keeps nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dancu_store::Store;
use dancu_store::keys::{Purpose, SealKey, random};
use serde::{Deserialize, Serialize};

use super::form::Form;
use super::paths;

/// Names that are not kept: tokens, and what only the person may type.
pub(super) const NOT_KEPT: [&str; 7] =
    ["csrf", "password", "code", "recovery", "current", "fresh", "again"];

/// What was being done.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Path of the page, or of the form's action.
    pub to: String,
    /// Whether it was sent: it is sent again by hand. Otherwise it was being typed.
    pub sent: bool,
    /// Names and values.
    pub fields: Vec<(String, String)>,
}

impl Kept {
    /// A page that was asked for.
    pub fn page(to: &str) -> Self {
        let to = paths::back(to).unwrap_or("/").to_owned();
        Self { to, sent: false, fields: vec![] }
    }

    /// A form that was sent.
    pub fn sent(to: &str, form: &Form) -> Self {
        Self { sent: true, fields: fields(form), ..Self::page(to) }
    }

    /// A form that was being typed on a page.
    pub fn typed(page: &str, form: &Form) -> Self {
        Self { fields: fields(form), ..Self::page(page) }
    }

    /// Sealed for the session's page; `None` without randomness or key, and nothing is kept.
    pub fn seal(&self, store: &Store, mark: &[u8; 32]) -> Option<String> {
        let plain = serde_json::to_vec(self).ok()?;
        let mut nonce = [0; 12];
        random(&mut nonce).ok()?;
        let sealed = key(store)?.seal(nonce, mark, &plain).ok()?;
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// What a page of this session gave back; `None` for anything else.
    pub fn open(text: &str, store: &Store, mark: &[u8; 32]) -> Option<Self> {
        let mut sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let key = key(store)?;
        let plain = key.open(mark, &mut sealed).ok()?;
        serde_json::from_slice(plain).ok()
    }
}

fn fields(form: &Form) -> Vec<(String, String)> {
    let kept = form.fields().filter(|(name, _)| !NOT_KEPT.contains(name));
    kept.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A key of its own, made from the key of tokens: every node of a centre has the same.
fn key(store: &Store) -> Option<SealKey> {
    let token = store.keys().get(Purpose::Token, 0)?;
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(&token.digest16(&[b"portal kept form", &[0]]));
    bytes[16..].copy_from_slice(&token.digest16(&[b"portal kept form", &[1]]));
    SealKey::new(&bytes).ok()
}
