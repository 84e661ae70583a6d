//! Access tokens: a token that was made is accepted until it expires, and nothing else is.

use std::sync::{Arc, LazyLock};

use arbitrary::{Result, Unstructured};
use dancu_access::AuthFailure;
use dancu_access::token::{Claims, mint, verify};
use dancu_domain::ids::SystemId;
use dancu_store::engine::Tx;
use dancu_store::keys::{Key, Keyring, Purpose};
use dancu_store::sqlite::{Area, migrate};

static KEY: LazyLock<Arc<Key>> = LazyLock::new(|| {
    let mut db = rusqlite::Connection::open_in_memory().expect("a database");
    migrate(&mut db, Area::Core).expect("a schema");
    let keys = Keyring::new(&[7; 32]).expect("a keyring");
    keys.get_or_make(&mut Tx::from(&db), Purpose::Token, 0).expect("a key")
});

/// Reads a token; then makes one and changes it.
///
/// # Panics
/// Where a law is broken.
pub fn run(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        // No law here: the engine sees what is compared below and sends a token that was made.
        let _ = verify(&KEY, text, 0);
    }
    let _ = made(&mut Unstructured::new(data));
}

fn made(u: &mut Unstructured<'_>) -> Result<()> {
    let claims = Claims {
        system: SystemId(u.arbitrary()?),
        credential_version: u.arbitrary()?,
        expires_at: u.arbitrary()?,
        certificate: u.arbitrary()?,
    };
    let now = u.arbitrary()?;
    let token = mint(&KEY, claims, u.arbitrary()?);
    let expected = if claims.expires_at > now { Ok(claims) } else { Err(AuthFailure::Stale) };
    assert_eq!(verify(&KEY, &token, now), expected);
    let (at, with) = (u.choose_index(token.len())?, char::from(u.int_in_range(0..=127)?));
    let mut other = token.clone();
    other.replace_range(at..=at, &with.to_string());
    if other != token {
        assert!(verify(&KEY, &other, i64::MIN).is_err(), "a changed token was accepted");
    }
    Ok(())
}
