//! Credentials of a system, by its integrators: secrets, public keys, client certificates, and from
//! where it calls (C5, E3). Each act is one transaction with its journal entry, which names the
//! credential by kind and number and never holds what it is.
//!
//! What is added leaves earlier proofs as they are; what is taken away ends them, and tokens with
//! them, from the next question on.

mod revoke;
mod sources;

use dancu_access::certificate::Fingerprint;
use dancu_access::public_key::PublicKey;
use dancu_domain::credentials::{CredentialFacts, CredentialKind};
use dancu_domain::moment::{DAY_MS, Moment};
use dancu_domain::registration::{Secret, Snapshot, System};
use dancu_store::keys::random;
use dancu_store::policy::credentials::{Credentials, Earlier, change};
use dancu_store::{Error, Store};

pub use self::revoke::{revoke, would_end};
pub use self::sources::{SOURCES_MAX, parse_sources, set_sources};
use crate::act::{Actor, Done, Entry, Refused, carry_out};

/// Secrets of one kind that are valid at a time: one, and the one before while it is replaced.
pub const SECRETS_MAX: usize = 2;
/// Days for which the secret before stays valid, unless the integrator says otherwise (*ours*).
pub const OVERLAP_DAYS: u32 = 30;
/// Days for which it may stay valid at most (*ours*): a secret that is to be replaced is.
pub const OVERLAP_DAYS_MAX: u32 = 90;
/// Public keys of one system: its nodes with one each, all of them while they are renewed.
pub const KEYS_MAX: usize = 16;
/// Client certificates of one system, as many.
pub const CERTIFICATES_MAX: usize = crate::certificates::CERTIFICATES_MAX;
/// Characters of a credential's name.
pub const NAME_MAX: usize = 60;
/// Random bytes of a secret: 256 bits.
const SECRET_BYTES: usize = 32;

/// Who changes the credentials of which system, now.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    /// The open data.
    pub store: &'a Store,
    /// The system.
    pub system: &'a System,
    /// The product's time.
    pub now: Moment,
    /// Who acts.
    pub actor: &'a Actor,
}

impl Desk<'_> {
    /// Changes the credentials with the act's entry; `with` says what it did to earlier proofs,
    /// what the entry tells, and what the caller is given.
    async fn carry_out<T, C>(&self, kind: &'static str, with: C) -> Result<(Done, T), Refused>
    where
        T: Send + 'static,
        C: FnOnce(&mut Credentials) -> Result<(Earlier, (String, T)), Refused> + Send + 'static,
    {
        let entry = Entry::new(kind, self.actor, Some(self.system.id));
        let (keys, id) = (self.store.keys().clone(), self.system.id);
        let code = self.system.code.clone();
        carry_out((self.store, self.now), entry, move |tx, _| {
            let (what, given) = change(tx, &keys, id, with)?;
            Ok((format!("{code} {what}"), given))
        })
        .await
    }
}

/// A secret that was made, to be shown this once.
pub struct Issued {
    /// The secret: 43 characters of base64url.
    pub secret: String,
    /// Its number.
    pub number: u32,
    /// Until when the secret before is valid; `None` where there was none.
    pub before_until: Option<Moment>,
}

/// It is told to one person only.
impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Issued(#{})", self.number)
    }
}

/// What to make.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// [`CredentialKind::Soap`] or [`CredentialKind::Client`].
    pub kind: CredentialKind,
    /// What the integrator calls it.
    pub name: &'a str,
    /// Days for which the secret before stays valid.
    pub overlap_days: u32,
    /// The last number that was given when the integrator saw the list: who asks twice, on
    /// whichever node, is given one secret.
    pub seen: u32,
}

/// Makes a secret. The one before ends by a date, so that both are valid while the agency's
/// software is changed.
///
/// # Errors
/// [`Refused::Field`]: two are valid already, the name or the days are out of range, the list has
/// changed since it was looked at; a closed connection.
pub async fn issue(desk: &Desk<'_>, wanted: Wanted<'_>) -> Result<(Done, Issued), Refused> {
    let name = named(wanted.name)?;
    let Wanted { kind, overlap_days, seen, .. } = wanted;
    if !(1..=OVERLAP_DAYS_MAX).contains(&overlap_days) {
        return Err(field(
            "overlap",
            format!("Số ngày từ 1 đến {OVERLAP_DAYS_MAX}."),
            format!("From 1 to {OVERLAP_DAYS_MAX} days."),
        ));
    }
    let (secret, now) = (new_secret()?, desk.now);
    let given = secret.clone();
    let issued = desk.carry_out("credential.issued", move |all| {
        if all.facts.last != seen {
            return Err(changed_since());
        }
        drop_ended(all, kind, now);
        let until = now.plus_ms(i64::from(overlap_days) * DAY_MS);
        let number = all.facts.give_number();
        let secrets = match kind {
            CredentialKind::Soap => all.soap.as_mut().map(|access| &mut access.secrets),
            CredentialKind::Client => all.oauth.as_mut().map(|access| &mut access.secrets),
            CredentialKind::Key | CredentialKind::Certificate => None,
        };
        let secrets = secrets.ok_or_else(not_registered)?;
        if secrets.len() >= SECRETS_MAX {
            return Err(field(
                "kind",
                "Đang có hai khóa còn hiệu lực: thu hồi khóa cũ trước.".into(),
                "Two secrets are valid already: revoke the older one first.".into(),
            ));
        }
        secrets.insert(0, Secret(given.into_bytes().into()));
        let known = all.facts.of_mut(kind);
        let mut before_until = None;
        for older in known.iter_mut() {
            let end = older.until.map_or(until, |known| known.min(until));
            older.until = Some(end);
            before_until = Some(end);
        }
        known.insert(0, CredentialFacts { number, name, since: Some(now), until: None });
        let ends = before_until.map(|end| format!(", số trước đến {} (before)", end.rfc3339()));
        let what = format!("{} #{number}{}", kind.code(), ends.unwrap_or_default());
        Ok((Earlier::Stays, (what, (number, before_until))))
    });
    let (done, (number, before_until)) = issued.await?;
    Ok((done, Issued { secret, number, before_until }))
}

/// Registers a public key for private_key_jwt.
///
/// # Errors
/// [`Refused::Field`]: it is registered, there are too many, the name; a closed connection.
pub async fn add_key(desk: &Desk<'_>, key: PublicKey, name: &str) -> Result<Done, Refused> {
    let (name, now) = (named(name)?, desk.now);
    let added = desk.carry_out("credential.keyAdded", move |all| {
        let number = all.facts.give_number();
        let known = all.oauth.as_mut().map(|access| &mut access.public_keys);
        let keys = known.ok_or_else(not_registered)?;
        // Kept keys may have been registered with other line breaks.
        let same = |known: &String| PublicKey::parse(known).is_ok_and(|known| known == key);
        if keys.iter().any(same) {
            return Err(registered_already("key"));
        }
        if keys.len() >= KEYS_MAX {
            return Err(too_many("key", KEYS_MAX));
        }
        keys.push(key.pem);
        let facts = CredentialFacts { number, name, since: Some(now), until: None };
        all.facts.keys.push(facts);
        Ok((Earlier::Stays, (format!("key #{number} {}", key.kind), ())))
    });
    Ok(added.await?.0)
}

/// A client certificate to be registered.
#[derive(Clone, Copy, Debug)]
pub struct NewCertificate {
    /// SHA-256 of its DER.
    pub sha256: Fingerprint,
    /// Its first moment.
    pub from: Moment,
    /// Its end.
    pub until: Moment,
}

/// Registers a client certificate. Whether one has to be shown stays as it is.
///
/// # Errors
/// [`Refused::Field`]: another system has it, it is not valid now, it is registered already, there
/// are too many, the name; a closed connection.
pub async fn add_certificate(
    desk: &Desk<'_>,
    snapshot: &Snapshot,
    new: NewCertificate,
    name: &str,
) -> Result<Done, Refused> {
    let (name, now) = (named(name)?, desk.now);
    let others = snapshot.systems().iter().filter(|system| system.id != desk.system.id);
    if others.into_iter().any(|system| system.certificates.sha256.contains(&new.sha256)) {
        return Err(field(
            "certificate",
            "Chứng thư này đã đăng ký cho một hệ thống khác: mỗi hệ thống dùng chứng thư riêng."
                .into(),
            "This certificate is registered for another system: each has one of its own.".into(),
        ));
    }
    if now < new.from || new.until <= now {
        return Err(field(
            "certificate",
            "Chứng thư chưa có hiệu lực hoặc đã hết hạn.".into(),
            "The certificate is not valid yet, or has expired.".into(),
        ));
    }
    let added = desk.carry_out("credential.certificateAdded", move |all| {
        if all.certificates.sha256.contains(&new.sha256) {
            return Err(registered_already("certificate"));
        }
        if all.certificates.sha256.len() >= CERTIFICATES_MAX {
            return Err(too_many("certificate", CERTIFICATES_MAX));
        }
        let number = all.facts.give_number();
        all.certificates.sha256.push(new.sha256);
        let (since, until) = (Some(now), Some(new.until));
        all.facts.certificates.push(CredentialFacts { number, name, since, until });
        let print = dancu_access::certificate::text(&new.sha256);
        Ok((Earlier::Stays, (format!("certificate #{number} {print}"), ())))
    });
    Ok(added.await?.0)
}

/// Takes away secrets that have ended: they prove nothing any more.
fn drop_ended(all: &mut Credentials, kind: CredentialKind, now: Moment) {
    for place in (0..all.count(kind)).rev() {
        if !all.facts.is_valid(kind, place, now) {
            all.remove(kind, place);
        }
    }
}

/// What an integrator calls a credential.
///
/// # Errors
/// [`Refused::Field`] of the field `name`.
fn named(name: &str) -> Result<String, Refused> {
    let name = name.trim();
    if name.chars().count() <= NAME_MAX && !name.chars().any(char::is_control) {
        return Ok(name.to_owned());
    }
    Err(field(
        "name",
        format!("Tên dài tối đa {NAME_MAX} ký tự, trên một dòng."),
        format!("A name has at most {NAME_MAX} characters on one line."),
    ))
}

/// 256 random bits as base64url.
pub(crate) fn new_secret() -> Result<String, Error> {
    let mut bytes = [0; SECRET_BYTES];
    random(&mut bytes)?;
    Ok(base64url(&bytes))
}

/// RFC 4648, section 5, without padding.
fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
        let group = group << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            out.push(char::from(LETTERS[(group >> (18 - 6 * place)) as usize & 63]));
        }
    }
    out
}

pub(crate) fn field(field: &'static str, vi: String, en: String) -> Refused {
    Refused::Field { field, vi, en }
}

fn changed_since() -> Refused {
    field(
        "kind",
        "Danh sách đã thay đổi từ khi trang này được mở: tải lại trang rồi thử lại.".into(),
        "The list has changed since this page was opened: reload it and try again.".into(),
    )
}

fn not_registered() -> Refused {
    field(
        "kind",
        "Hệ thống chưa đăng ký cách kết nối này: liên hệ Trung tâm.".into(),
        "The system is not registered for this way to connect: ask the centre.".into(),
    )
}

fn registered_already(what: &'static str) -> Refused {
    field(
        what,
        "Đã đăng ký cho hệ thống này rồi.".into(),
        "It is registered for this system already.".into(),
    )
}

fn too_many(what: &'static str, most: usize) -> Refused {
    field(
        what,
        format!("Mỗi hệ thống có tối đa {most}: thu hồi bớt trước."),
        format!("A system has at most {most}: revoke one first."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_have_256_bits_and_read_as_base64url() {
        assert_eq!(base64url(b"\xfb\xff\xfe"), "-__-");
        assert_eq!((base64url(b"f"), base64url(b"fo")), ("Zg".into(), "Zm8".into()));
        assert_eq!((base64url(b"foo"), base64url(b"")), ("Zm9v".into(), String::new()));
        let (one, two) = (new_secret().unwrap(), new_secret().unwrap());
        assert_eq!((one.len(), one == two), (43, false));
    }

    #[test]
    fn names_are_short_and_stand_on_one_line() {
        assert_eq!(named("  Máy chủ A ").unwrap(), "Máy chủ A");
        assert!(named(&"ế".repeat(NAME_MAX)).is_ok());
        for wrong in ["ế".repeat(NAME_MAX + 1), "a\nb".into(), "a\u{0}".into()] {
            assert!(matches!(named(&wrong), Err(Refused::Field { field: "name", .. })));
        }
    }
}
