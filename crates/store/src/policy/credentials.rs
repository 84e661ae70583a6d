//! Credentials of a system as an act changes them: secrets, keys, certificates, and what is known
//! of each. They stand sealed together, so one change reads and writes all of them.

use hashbrown::HashMap;

use dancu_domain::credentials::{CredentialKind, Facts};
use dancu_domain::ids::SystemId;
use dancu_domain::registration::{Certificates, ConnectionState, OauthAccess, SoapAccess};

use super::access;
use super::{aad, write::nonce};
use crate::engine::{Row, Tx};
use crate::error::{Error, Result};
use crate::keys::{Keyring, Purpose};
use crate::values;

/// Everything by which a system proves itself. The facts fit the lists when it is handed out, and
/// are made to when it is taken back.
#[derive(Clone)]
pub struct Credentials {
    /// SOAP header.
    pub soap: Option<SoapAccess>,
    /// OAuth client.
    pub oauth: Option<OauthAccess>,
    /// Client certificates.
    pub certificates: Certificates,
    /// What is known of each.
    pub facts: Facts,
}

impl Credentials {
    /// How many there are of a kind.
    pub fn count(&self, kind: CredentialKind) -> usize {
        match kind {
            CredentialKind::Soap => self.soap.as_ref().map_or(0, |a| a.secrets.len()),
            CredentialKind::Client => self.oauth.as_ref().map_or(0, |a| a.secrets.len()),
            CredentialKind::Key => self.oauth.as_ref().map_or(0, |a| a.public_keys.len()),
            CredentialKind::Certificate => self.certificates.sha256.len(),
        }
    }

    /// Takes one away with what is known of it; nothing where there is none at this place.
    pub fn remove(&mut self, kind: CredentialKind, place: usize) {
        if place >= self.count(kind) {
            return;
        }
        match (kind, &mut self.soap, &mut self.oauth) {
            (CredentialKind::Soap, Some(access), _) => {
                access.secrets.remove(place);
            }
            (CredentialKind::Client, _, Some(access)) => {
                access.secrets.remove(place);
            }
            (CredentialKind::Key, _, Some(access)) => {
                access.public_keys.remove(place);
            }
            (CredentialKind::Certificate, ..) => {
                self.certificates.sha256.remove(place);
            }
            _ => {}
        }
        let known = self.facts.of_mut(kind);
        if place < known.len() {
            known.remove(place);
        }
    }

    /// Brings what is known to the length of what there is.
    pub(super) fn fit(&mut self) {
        for kind in CredentialKind::ALL {
            self.facts.fit(kind, self.count(kind));
        }
    }
}

/// Names by which systems call themselves, each one system's.
#[derive(Clone, Default)]
pub struct Names {
    /// Users of the SOAP header.
    pub users: HashMap<String, SystemId>,
    /// OAuth clients.
    pub clients: HashMap<String, SystemId>,
}

/// The names of all systems, closed ones too, as they stand in this transaction.
pub fn names(tx: &mut Tx<'_>, keys: &Keyring) -> Result<Names> {
    let Some(key) = keys.get(Purpose::Policy, 0) else { return Ok(Names::default()) };
    let mut names = Names::default();
    let read = |r: &Row<'_>| {
        let (system, mut sealed) = (SystemId(r.get(0)?), r.get::<Vec<u8>>(1)?);
        Ok((system, access::open(key.seal.open(&aad("system", system.0), &mut sealed)?)?))
    };
    for (system, known) in tx.query("SELECT id, access FROM system", &[], read)? {
        names.users.extend(known.soap.map(|soap| (soap.user, system)));
        names.clients.extend(known.oauth.map(|oauth| (oauth.client_id, system)));
    }
    Ok(names)
}

/// What a change does to who proved himself before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Earlier {
    /// It stays proved: something was added.
    Stays,
    /// It has to be proved again, and tokens end (E3): something was taken away.
    Ends,
}

/// Changes the credentials of a system; `change` is told those that are registered in this
/// transaction, and says what it does to earlier proofs and what the caller wants of it.
///
/// # Errors
/// [`Error::Final`] where the connection is closed or there is none, and what `change` says: the
/// act is undone with it.
pub fn change<T, E: From<Error>>(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    system: SystemId,
    change: impl FnOnce(&mut Credentials) -> std::result::Result<(Earlier, T), E>,
) -> std::result::Result<T, E> {
    let gone = || Error::Final("kết nối đã đóng (closed)");
    let sql = "SELECT access FROM system WHERE id = $1 AND state <> $2";
    let closed = ConnectionState::Closed as u8;
    let found = tx.optional(sql, values![system.0, closed], |r| r.get::<Vec<u8>>(0))?;
    let mut sealed = found.ok_or_else(gone)?;
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let aad = aad("system", system.0);
    let mut credentials = access::open(key.seal.open(&aad, &mut sealed)?)?;
    let (earlier, given) = change(&mut credentials)?;
    credentials.fit();
    let sealed = key.seal.seal(nonce()?, &aad, &access::close(&credentials)?)?;
    // Versions stand in 32 bits; beyond half of them they begin anew.
    let sql = "UPDATE system SET access = $1, credential_version = CASE WHEN $2 = 0 THEN \
               credential_version WHEN credential_version < 2147483647 THEN \
               credential_version + 1 ELSE 1 END WHERE id = $3";
    let ends = i64::from(earlier == Earlier::Ends);
    let changed = tx.execute(sql, values![sealed, ends, system.0])?;
    if changed == 1 { Ok(given) } else { Err(gone().into()) }
}

/// Changes the client certificates of a system; `change` is told those that are registered in this
/// transaction. Who proved himself by what was registered before has to do so again (E3).
///
/// # Errors
/// As [`change`].
pub fn change_certificates(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    system: SystemId,
    change: impl FnOnce(&Certificates) -> Result<Certificates>,
) -> Result<()> {
    self::change(tx, keys, system, |credentials| {
        let after = change(&credentials.certificates)?;
        let before = std::mem::replace(&mut credentials.certificates, after);
        let known = std::mem::take(&mut credentials.facts.certificates);
        for fingerprint in &credentials.certificates.sha256 {
            let place = before.sha256.iter().position(|f| f == fingerprint);
            let kept = place.and_then(|place| known.get(place).cloned());
            let facts = kept.unwrap_or_else(|| dancu_domain::credentials::CredentialFacts {
                number: credentials.facts.give_number(),
                ..Default::default()
            });
            credentials.facts.certificates.push(facts);
        }
        Ok((Earlier::Ends, ()))
    })
}
