//! Passkeys and security keys: the relying party's side of Web Authentication (W3C, level 2),
//! sections 7.1 and 7.2, without attestation.
//!
//! Written here over the one provider of cryptography: the crates that do it bring a second one.
//! A passkey has to verify its user (its own PIN, finger or face) and so stands for both factors;
//! a security key has to be touched and stands for the second.

mod cbor;
mod public_key;

use aws_lc_rs::constant_time;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dancu_domain::people::PersonId;
use dancu_store::people::{Passkey, Person};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::cbor::Item;
use self::public_key::{ALGORITHMS, PublicKey};

/// Longest answer of a browser that is read, bytes: certificates of some keys come along.
const RESPONSE_MAX: usize = 32 * 1024;
/// Longest credential id (level 2, 5.8.3).
const ID_MAX: usize = 1_023;
/// A browser asks the person for so long, ms: as long as the ticket is good.
const TIMEOUT_MS: i64 = super::TICKET_MS;

/// Flags of authenticator data (6.1).
const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const ATTESTED: u8 = 0x40;
const EXTENDED: u8 = 0x80;

/// Where the portal is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Site {
    /// The name that applications and browsers show.
    pub name: String,
    /// Scheme, host and port as browsers name them: `https://dancu.example.gov.vn`. Keys are bound
    /// to its host.
    pub origin: String,
}

impl Site {
    /// The host alone: what keys are bound to.
    fn host(&self) -> &str {
        let rest = self.origin.split_once("://").map_or(&*self.origin, |(_, rest)| rest);
        let rest = rest.split('/').next().unwrap_or(rest);
        match rest.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => rest,
        }
    }
}

/// What is stored of a key.
#[derive(Serialize, Deserialize)]
struct Credential {
    key: PublicKey,
    counter: u32,
}

// --- what a browser is asked ---------------------------------------------------------------------

/// Options for a new key, as JSON with bytes in base64url.
pub(super) fn creation(
    site: &Site,
    challenge: &[u8; 32],
    person: &Person,
    security_key: bool,
) -> String {
    let algorithms: Vec<Value> =
        ALGORITHMS.iter().map(|alg| json!({ "type": "public-key", "alg": alg })).collect();
    let selection = if security_key {
        json!({
            "authenticatorAttachment": "cross-platform",
            "residentKey": "discouraged",
            "userVerification": "discouraged",
        })
    } else {
        json!({
            "residentKey": "required",
            "requireResidentKey": true,
            "userVerification": "required",
        })
    };
    json!({
        "rp": { "id": site.host(), "name": site.name },
        "user": {
            "id": text(&person.id.0.to_be_bytes()),
            "name": person.login.as_str(),
            "displayName": person.login.as_str(),
        },
        "challenge": text(challenge),
        "pubKeyCredParams": algorithms,
        "timeout": TIMEOUT_MS,
        "excludeCredentials": named(&person.secrets.passkeys),
        "authenticatorSelection": selection,
        "attestation": "none",
    })
    .to_string()
}

/// Options to ask for a key: one of these, or any passkey of this site.
pub(super) fn request(site: &Site, challenge: &[u8; 32], keys: Option<&[Passkey]>) -> String {
    // Where a security key is among them it cannot verify: what has to be is checked of each.
    let all_verify = keys.is_none_or(|keys| keys.iter().all(|key| !key.security_key));
    json!({
        "rpId": site.host(),
        "challenge": text(challenge),
        "timeout": TIMEOUT_MS,
        "allowCredentials": named(keys.unwrap_or_default()),
        "userVerification": if all_verify { "required" } else { "preferred" },
    })
    .to_string()
}

fn named(keys: &[Passkey]) -> Vec<Value> {
    keys.iter().map(|key| json!({ "type": "public-key", "id": text(&key.id) })).collect()
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

// --- what it answers -----------------------------------------------------------------------------

/// Bytes as browsers send them: base64url, with or without padding.
fn bytes(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    id: String,
    /// The same once more, as `PublicKeyCredential.toJSON()` writes it.
    raw_id: Option<String>,
    response: Response,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    attestation_object: Option<String>,
    authenticator_data: Option<String>,
    signature: Option<String>,
    user_handle: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    r#type: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
}

fn answer(response: &str) -> Option<Answer> {
    let short = response.len() <= RESPONSE_MAX;
    let read: Option<Answer> = short.then(|| serde_json::from_str(response).ok()).flatten();
    read.filter(|read| read.raw_id.as_deref().is_none_or(|raw| bytes(raw) == bytes(&read.id)))
}

/// Checks what the browser says it signed (7.1 steps 5-11, 7.2 steps 7-13).
fn is_ours(site: &Site, kind: &str, challenge: &[u8; 32], client_data: &[u8]) -> bool {
    let Ok(said) = serde_json::from_slice::<ClientData>(client_data) else { return false };
    let sent = bytes(&said.challenge).unwrap_or_default();
    said.r#type == kind
        && constant_time::verify_slices_are_equal(&sent, challenge).is_ok()
        && said.origin == site.origin
        && !said.cross_origin
}

/// Authenticator data (6.1).
struct Data<'a> {
    flags: u8,
    counter: u32,
    rest: &'a [u8],
}

impl<'a> Data<'a> {
    /// Reads it; `None`: malformed, for another site, without presence, or without verification
    /// where that is asked for.
    fn read(site: &Site, data: &'a [u8], verified: bool) -> Option<Self> {
        let (site_digest, rest) = data.split_first_chunk::<32>()?;
        let (flags, rest) = rest.split_first()?;
        let (counter, rest) = rest.split_first_chunk::<4>()?;
        let expected = digest(&SHA256, site.host().as_bytes());
        let wanted = if verified { PRESENT | VERIFIED } else { PRESENT };
        (site_digest == expected.as_ref() && flags & wanted == wanted).then(|| Self {
            flags: *flags,
            counter: u32::from_be_bytes(*counter),
            rest,
        })
    }
}

/// Checks the answer of a new key; its credential id and what is to be stored of it.
pub(super) fn register(
    site: &Site,
    challenge: &[u8; 32],
    response: &str,
    verified: bool,
) -> Option<(Vec<u8>, Vec<u8>)> {
    let Answer { id, response, .. } = answer(response)?;
    let client_data = bytes(&response.client_data)?;
    if !is_ours(site, "webauthn.create", challenge, &client_data) {
        return None;
    }
    let object = bytes(&response.attestation_object?)?;
    let object = cbor::whole(&object)?;
    let Item::Bytes(data) = object.get_text("authData")? else { return None };
    let data = Data::read(site, data, verified)?;
    if data.flags & ATTESTED == 0 {
        return None;
    }
    // The model of the key, which nobody vouches for here, then the credential.
    let (length, rest) = data.rest.get(16..)?.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_be_bytes(*length));
    if length == 0 || length > ID_MAX || bytes(&id)? != rest.get(..length)? {
        return None;
    }
    let (key, after) = cbor::first(rest.get(length..)?)?;
    let after = if data.flags & EXTENDED == 0 { after } else { cbor::first(after)?.1 };
    if !after.is_empty() {
        return None;
    }
    let credential = Credential { key: PublicKey::of_cose(&key)?, counter: data.counter };
    Some((rest[..length].to_vec(), postcard::to_allocvec(&credential).ok()?))
}

/// The answer of a key that is enrolled.
pub(super) struct Assertion {
    /// Its credential id.
    pub(super) id: Vec<u8>,
    /// Whose it says it is; a claim until the signature was checked with that person's key.
    pub(super) user: Option<PersonId>,
    client_data: Vec<u8>,
    data: Vec<u8>,
    signature: Vec<u8>,
}

impl Assertion {
    /// Reads a browser's JSON.
    pub(super) fn read(response: &str) -> Option<Self> {
        let Answer { id, response, .. } = answer(response)?;
        let user = response.user_handle.as_deref().and_then(bytes);
        let user = user.and_then(|handle| <[u8; 4]>::try_from(&*handle).ok());
        Some(Self {
            id: bytes(&id)?,
            user: user.map(|id| PersonId(u32::from_be_bytes(id))),
            client_data: bytes(&response.client_data)?,
            data: bytes(&response.authenticator_data?)?,
            signature: bytes(&response.signature?)?,
        })
    }

    /// Checks it with what is stored of the key; the counter that it signed.
    pub(super) fn verify(
        &self,
        site: &Site,
        challenge: &[u8; 32],
        stored: &[u8],
        verified: bool,
    ) -> Option<u32> {
        let credential: Credential = postcard::from_bytes(stored).ok()?;
        if !is_ours(site, "webauthn.get", challenge, &self.client_data) {
            return None;
        }
        let data = Data::read(site, &self.data, verified)?;
        let hash = digest(&SHA256, &self.client_data);
        let signed = [&self.data, hash.as_ref()].concat();
        let right = credential.key.verifies(&signed, &self.signature);
        (right && !goes_back(credential.counter, data.counter)).then_some(data.counter)
    }
}

/// A key counts what it signs, or never does and says 0. A counter that does not rise is that of a
/// copy (7.2 step 21).
const fn goes_back(stored: u32, counter: u32) -> bool {
    (stored != 0 || counter != 0) && counter <= stored
}

/// What is to be stored after a use; `None`: the counter went back, in this transaction or another.
pub(super) fn counted(stored: &[u8], counter: u32) -> Option<Vec<u8>> {
    let mut credential: Credential = postcard::from_bytes(stored).ok()?;
    if goes_back(credential.counter, counter) {
        return None;
    }
    credential.counter = counter;
    postcard::to_allocvec(&credential).ok()
}

#[cfg(test)]
mod tests;
