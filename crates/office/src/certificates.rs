//! The client certificates that a system may show, and whether it has to (C4).

use dancu_access::certificate::{Fingerprint, text};
use dancu_domain::registration::{CertificateMode, Certificates};
use dancu_store::{Error, policy};

use crate::act::{Desk, Done, Refused};

/// Certificates of one system: its nodes with one each, all of them while they are being renewed.
pub(crate) const CERTIFICATES_MAX: usize = 16;

/// What to change: certificates by their SHA-256.
#[derive(Clone, Default, Debug)]
pub struct Change {
    /// Whether the system has to show one; none: as it is.
    pub mode: Option<CertificateMode>,
    /// Registered from now on.
    pub add: Vec<Fingerprint>,
    /// Not registered any more.
    pub remove: Vec<Fingerprint>,
}

/// Registers them with a journal entry. Tokens of the system issued so far end with it.
///
/// # Errors
/// What [`Change::over`] says; a closed connection.
pub async fn set(desk: &Desk<'_>, change: Change) -> Result<Done, Refused> {
    let (id, keys) = (desk.system.id, desk.store.keys().clone());
    let set = desk.carry_out("system.certificates", move |tx, _| {
        let mut detail = String::new();
        policy::write::change_certificates(tx, &keys, id, |before| {
            let after = change.over(before).map_err(|e| Error::Refused(e.to_string()))?;
            let known: Vec<String> = after.sha256.iter().map(text).collect();
            detail = format!("{} [{}]", after.mode.code(), known.join(" "));
            Ok(after)
        })?;
        Ok((detail, ()))
    });
    Ok(set.await?.0)
}

/// Why certificates are not changed so.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Wrong {
    /// One to be removed is not there.
    #[error("{0}: chứng thư chưa đăng ký (certificate not registered)")]
    NotRegistered(String),
    /// More than are kept.
    #[error("tối đa {CERTIFICATES_MAX} chứng thư mỗi hệ thống (at most, per system)")]
    TooMany,
    /// The system would have no way in.
    #[error(
        "chế độ required cần ít nhất một chứng thư, nếu không hệ thống không vào được: \
         --add tệp.pem (required needs a certificate)"
    )]
    NoneLeft,
}

impl Change {
    /// The registration after the change.
    ///
    /// # Errors
    /// [`Wrong`]; nothing is to be changed then.
    pub fn over(&self, before: &Certificates) -> Result<Certificates, Wrong> {
        let mut after = before.clone();
        after.mode = self.mode.unwrap_or(before.mode);
        for gone in &self.remove {
            let at = after.sha256.iter().position(|known| known == gone);
            after.sha256.remove(at.ok_or_else(|| Wrong::NotRegistered(text(gone)))?);
        }
        for new in &self.add {
            if !after.sha256.contains(new) {
                after.sha256.push(*new);
            }
        }
        if after.sha256.len() > CERTIFICATES_MAX {
            return Err(Wrong::TooMany);
        }
        if after.mode == CertificateMode::Required && after.sha256.is_empty() {
            return Err(Wrong::NoneLeft);
        }
        Ok(after)
    }
}
