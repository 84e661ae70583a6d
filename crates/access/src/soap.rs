//! The SOAP header of existing clients:
//! `hash = lowercase hex SHA-256(service_url + user + timestamp + secret)`.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::{constant_time, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dancu_domain::credentials::CredentialKind;
use dancu_domain::registration::{Snapshot, SoapAccess, System};
use parking_lot::Mutex;

use crate::certificate::{self, Fingerprint};
use crate::{Arrival, AuthFailure};

/// Timestamps may be this far from the machine's clock, ms.
pub const FRESH_MS: i64 = 5 * 60 * 1000;
/// Below this a timestamp is in seconds: 10^11 ms is March 1973, 10^11 s is the year 5138.
const SECONDS_BELOW: i64 = 100_000_000_000;
/// Triples remembered at most: 2 × 5 min × 5,000/s, the freshness window at the planned rate.
const USED_MAX: usize = 3_000_000;
/// Independent parts of the memory of used triples.
const SHARDS: usize = 16;
/// Header parts longer than this are not even looked at.
const HEADER_MAX: usize = 1_024;

/// The parts of a request that the header check looks at. Debug output shows nothing of them.
#[derive(Clone, Copy)]
pub struct SoapHeaders<'a> {
    /// `Timestamp`.
    pub timestamp: Option<&'a str>,
    /// `Authorization`.
    pub authorization: Option<&'a str>,
    /// `X-Road-Client`.
    pub x_road_client: Option<&'a str>,
    /// Path of the request.
    pub path: &'a str,
    /// The verified client certificate, where one was shown.
    pub certificate: Option<&'a Fingerprint>,
}

impl fmt::Debug for SoapHeaders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SoapHeaders(***)")
    }
}

/// A header that proved its system.
pub struct SoapProof {
    /// Who.
    pub system: Arc<System>,
    /// Digest of (user, timestamp, hash).
    pub triple: [u8; 16],
    /// Until when the triple counts as used, machine clock ms.
    pub until: i64,
    /// Number of the secret.
    pub secret: u32,
}

/// Checks a header against the registered credentials.
pub fn authenticate(
    snapshot: &Snapshot,
    h: &SoapHeaders<'_>,
    arrival: &Arrival,
) -> Result<SoapProof, AuthFailure> {
    let authorization = h.authorization.ok_or(AuthFailure::Missing)?;
    let timestamp = h.timestamp.ok_or(AuthFailure::Missing)?;
    let (user, hash) = basic(authorization).ok_or(AuthFailure::Malformed)?;
    let ms = milliseconds(timestamp).ok_or(AuthFailure::Malformed)?;
    let system = snapshot.by_soap_user(&user);
    let access = system.and_then(|s| s.soap.as_ref());
    let input = Input { path: h.path, user: &user, timestamp };
    let secret = match (system, access) {
        (Some(system), Some(access)) => {
            let valid =
                |place: usize| system.facts.is_valid(CredentialKind::Soap, place, arrival.at);
            check(access, &input, &hash, valid)
        }
        _ => check(&nobody(), &input, &hash, |_| true).and(None),
    };
    let (Some(system), Some(access), Some(place)) = (system, access, secret) else {
        return Err(AuthFailure::Wrong);
    };
    // Before anything is told of the rest: a right secret without the certificate looks wrong.
    if !certificate::admits(&system.certificates, h.certificate) {
        return Err(AuthFailure::ForeignCertificate);
    }
    if !system.facts.admits(arrival.source) {
        return Err(AuthFailure::ForeignSource);
    }
    if !is_fresh(ms, arrival.machine) {
        return Err(AuthFailure::Stale);
    }
    check_subsystem(access, h.x_road_client)?;
    let triple = sha256_16(&[user.as_bytes(), b":", timestamp.as_bytes(), b":", hash.as_bytes()]);
    let secret = system.facts.number(CredentialKind::Soap, place);
    Ok(SoapProof { system: system.clone(), triple, until: ms + FRESH_MS, secret })
}

/// The system that a header names, whether it proves it or not.
pub fn named<'a>(snapshot: &'a Snapshot, authorization: Option<&str>) -> Option<&'a Arc<System>> {
    let (user, _) = basic(authorization?)?;
    snapshot.by_soap_user(&user)
}

/// How far the time of a header is from the machine's clock, ms; above 0: it lies in the past.
pub fn clock_off(timestamp: Option<&str>, machine: i64) -> Option<i64> {
    Some(machine - milliseconds(timestamp?)?)
}

/// Whether a time stamp is near enough to the machine's clock.
pub(crate) fn is_fresh(ms: i64, machine: i64) -> bool {
    (machine - ms).abs() <= FRESH_MS
}

/// A sender that names its subsystem (`X-Road-Client`) must name the registered one, however it
/// proved itself.
pub fn check_subsystem(access: &SoapAccess, sent: Option<&str>) -> Result<(), AuthFailure> {
    match (access.x_road_client.as_deref(), sent) {
        (Some(registered), Some(sent)) if registered != sent => Err(AuthFailure::ForeignSubsystem),
        _ => Ok(()),
    }
}

/// Whether a sender at this address may use a triple with several bodies: the system is registered
/// with addresses from which clients with second-granular timestamps send. An IPv4 address mapped
/// into IPv6 is the IPv4 one.
pub fn may_reuse(system: &System, source: IpAddr) -> bool {
    let source = source.to_canonical();
    let registered = system.soap.as_ref().map_or(&[][..], |a| &a.reuse_from);
    registered.iter().any(|address| address.to_canonical() == source)
}

/// What a client hashes, but for its secret.
#[derive(Clone, Copy)]
pub(crate) struct Input<'a> {
    pub(crate) path: &'a str,
    pub(crate) user: &'a str,
    pub(crate) timestamp: &'a str,
}

/// The place of the valid secret by which the hash is right, without an early way out.
fn check(
    access: &SoapAccess,
    input: &Input<'_>,
    hash: &str,
    valid: impl Fn(usize) -> bool,
) -> Option<usize> {
    let mut right = None;
    for (place, secret) in access.secrets.iter().enumerate().filter(|(place, _)| valid(*place)) {
        for url in service_urls(access, input.path) {
            let [scheme, host, path] = url;
            let parts = [scheme, host, path, input.user, input.timestamp];
            let expected = hash_of(&parts, &secret.0);
            if is_hash(&expected, hash) {
                right = Some(place);
            }
        }
    }
    right
}

/// Every string that the client may have hashed as `service_url`, in parts.
pub(crate) fn service_urls<'a>(
    access: &'a SoapAccess,
    path: &'a str,
) -> impl Iterator<Item = [&'a str; 3]> {
    let registered = access.service_urls.iter().map(|url| ["", "", url.as_str()]);
    let hosts = access.hosts.iter();
    let whole = hosts.flat_map(move |host| ["http://", "https://"].map(|s| [s, host, path]));
    std::iter::once(["", "", path]).chain(registered).chain(whole)
}

/// Lower-case hex SHA-256 over the parts and the secret.
pub(crate) fn hash_of(parts: &[&str], secret: &[u8]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part.as_bytes());
    }
    context.update(secret);
    hex::encode(context.finish())
}

/// Whether a hash is the one that was sent, in the same time for each.
pub(crate) fn is_hash(expected: &str, sent: &str) -> bool {
    constant_time::verify_slices_are_equal(expected.as_bytes(), sent.as_bytes()).is_ok()
}

/// A stand-in for an unknown user, as costly as a usual registration.
fn nobody() -> SoapAccess {
    SoapAccess {
        user: String::new(),
        secrets: vec![dancu_domain::registration::Secret([0; 32].into())],
        service_urls: vec!["/dancu".into()],
        hosts: vec!["localhost".into()],
        reuse_from: vec![],
        x_road_client: None,
    }
}

pub(crate) fn basic(authorization: &str) -> Option<(String, String)> {
    if authorization.len() > HEADER_MAX {
        return None;
    }
    let (scheme, value) = authorization.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let plain = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    let (user, hash) = plain.rsplit_once(':')?;
    Some((user.to_owned(), hash.to_owned()))
}

pub(crate) fn milliseconds(timestamp: &str) -> Option<i64> {
    let digits =
        (1..=16).contains(&timestamp.len()) && timestamp.bytes().all(|b| b.is_ascii_digit());
    let n: i64 = digits.then(|| timestamp.parse().ok()).flatten()?;
    Some(if n < SECONDS_BELOW { n * 1000 } else { n })
}

pub(crate) fn sha256_16(parts: &[&[u8]]) -> [u8; 16] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut out = [0; 16];
    out.copy_from_slice(&context.finish().as_ref()[..16]);
    out
}

/// Triples that were used within the freshness window, each with the body it came with.
pub struct UsedTriples {
    shards: Vec<Mutex<Shard>>,
}

#[derive(Default)]
struct Shard {
    used: HashMap<[u8; 16], ([u8; 16], i64)>,
    swept_at: i64,
}

impl Default for UsedTriples {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::new(Shard::default())).collect() }
    }
}

impl UsedTriples {
    /// Notes a use. A triple used with another body is refused, unless its sender [`may_reuse`]
    /// it.
    pub fn use_once(
        &self,
        proof: &SoapProof,
        body: [u8; 16],
        may_reuse: bool,
        now: i64,
    ) -> Result<(), AuthFailure> {
        let mut shard = self.shards[usize::from(proof.triple[0]) % SHARDS].lock();
        shard.sweep(now);
        match shard.used.get(&proof.triple) {
            Some((known, _)) if *known != body && !may_reuse => Err(AuthFailure::Replayed),
            Some(_) => Ok(()),
            None if shard.used.len() >= USED_MAX / SHARDS => Err(AuthFailure::Replayed),
            None => {
                shard.used.insert(proof.triple, (body, proof.until));
                Ok(())
            }
        }
    }

    /// Puts back a use from before a restart. The first use that is put back binds, as the first
    /// use of all did: give them in the order of the journal.
    pub fn restore(&self, triple: [u8; 16], body: [u8; 16], until: i64) {
        let shard = &self.shards[usize::from(triple[0]) % SHARDS];
        shard.lock().used.entry(triple).or_insert((body, until));
    }
}

impl Shard {
    /// Forgets what is stale, at most once a second or when full.
    fn sweep(&mut self, now: i64) {
        if now - self.swept_at >= 1_000 {
            self.swept_at = now;
            // Whoever comes later is refused for the age of the header itself.
            self.used.retain(|_, (_, until)| *until >= now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_by_magnitude() {
        assert_eq!(milliseconds("1772000000"), Some(1_772_000_000_000));
        assert_eq!(milliseconds("1772000000123"), Some(1_772_000_000_123));
        assert_eq!(milliseconds("-5"), None);
        assert_eq!(milliseconds(""), None);
        assert_eq!(milliseconds("99999999999999999999"), None);
    }

    #[test]
    fn hash_vector() {
        let access = SoapAccess {
            secrets: vec![dancu_domain::registration::Secret(b"secret".as_slice().into())],
            ..nobody()
        };
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(b"/soap/dancuuser1772000000123secret");
        let hash = hex::encode(hash.finish());
        let checked = |timestamp: &str, hash: &str| {
            let input = Input { path: "/soap/dancu", user: "user", timestamp };
            check(&access, &input, hash, |_| true)
        };
        assert_eq!(checked("1772000000123", &hash), Some(0));
        assert_eq!(checked("1772000000124", &hash), None);
        assert_eq!(checked("1772000000123", &hash.to_uppercase()), None);
    }
}
