//! The SOAP header taken apart, and the usual ways to make a wrong hash tried out.

use dancu_domain::credentials::CredentialKind;
use dancu_domain::registration::{Secret, Snapshot, SoapAccess};

use super::paste::Pasted;
use super::{Case, Check, HIDDEN, Hint, Name, State, Told, Way, certificate_check, source_check};
use crate::AuthFailure;
use crate::soap::{
    FRESH_MS, SoapHeaders, authenticate, basic, check_subsystem, hash_of, is_fresh, is_hash,
    milliseconds, service_urls,
};

/// Viet Nam's offset from UTC: a local time that was taken for UTC is as much ahead.
const ZONE_MS: i64 = dancu_domain::moment::VIET_NAM_OFFSET_MS;
/// Beyond this a time stamp is in a finer unit than milliseconds: the year 5138.
const TOO_FINE: i64 = 100_000_000_000_000;
/// Length of a hex SHA-256.
const HASH_LEN: usize = 64;
/// Lengths of hex MD5, SHA-1, SHA-256 and SHA-512.
const HEX_LENS: [usize; 4] = [32, 40, HASH_LEN, 128];

pub(super) fn explain(snapshot: &Snapshot, case: &Case<'_>, pasted: &Pasted<'_>) -> Told {
    let certificate = case.certificate();
    let headers = SoapHeaders {
        timestamp: pasted.timestamp,
        authorization: pasted.authorization.as_deref(),
        x_road_client: pasted.x_road_client,
        path: pasted.path(),
        certificate: certificate.as_ref(),
    };
    let mut told =
        Told { way: Way::Soap, verdict: Err(AuthFailure::Wrong), checks: vec![], envelope: None };
    let Some(access) = &case.system.soap else {
        told.checks.push(Check::of(Name::User, false, "", ""));
        return told;
    };
    let proof = headers.authorization.and_then(basic);
    let checks = &mut told.checks;
    checks.push(match (headers.authorization, &proof) {
        (None, _) => Check::of(Name::Credentials, false, "Authorization: Basic", ""),
        (Some(_), None) => {
            Check::of(Name::Credentials, false, "Basic base64(user:hash)", "").hint(Hint::NotBasic)
        }
        _ => Check::of(Name::Credentials, true, "Basic base64(user:hash)", "Basic"),
    });
    checks.push(timestamp_check(headers.timestamp));
    let Some((user, hash)) = &proof else {
        told.verdict = authenticate(snapshot, &headers, &case.arrival()).map(drop);
        return told;
    };
    let sent = case.name(user, &access.user);
    checks.push(Check::of(Name::User, *user == access.user, &access.user, sent));
    if *user == access.user {
        // Another user may be another system, about which nothing is told here.
        told.verdict = authenticate(snapshot, &headers, &case.arrival()).map(drop);
    }
    if let Some(timestamp) = headers.timestamp {
        let made = Made { case, access, pasted, user, timestamp, hash };
        checks.push(made.form_check());
        checks.push(made.hash_check());
    }
    checks.extend([certificate_check(case), source_check(case)]);
    if let Some(ms) = headers.timestamp.and_then(milliseconds) {
        checks.push(clock_check(ms, case.machine));
    }
    checks.extend(subsystem_check(access, headers.x_road_client));
    told
}

/// `None`: none is registered.
pub(super) fn subsystem_check(access: &SoapAccess, sent: Option<&str>) -> Option<Check> {
    let expected = access.x_road_client.as_ref()?;
    let right = check_subsystem(access, sent).is_ok();
    let check = Check::of(Name::Subsystem, right, expected, sent.unwrap_or_default());
    // One that is not sent is not compared.
    let state = if sent.is_none() { State::Open } else { check.state };
    Some(Check { state, ..check })
}

fn timestamp_check(timestamp: Option<&str>) -> Check {
    const UNITS: &str = "ms | s";
    let Some(text) = timestamp else {
        return Check::of(Name::Timestamp, false, UNITS, "").hint(Hint::NoTimestamp);
    };
    match milliseconds(text) {
        None if text.len() > 16 && text.bytes().all(|b| b.is_ascii_digit()) => {
            Check::of(Name::Timestamp, false, UNITS, text).hint(Hint::TooFine)
        }
        None => Check::of(Name::Timestamp, false, UNITS, text).hint(Hint::NoEpoch),
        Some(ms) => {
            let unit = if ms.to_string() == text.trim_start_matches('0') { "ms" } else { "s" };
            Check::of(Name::Timestamp, true, UNITS, &format!("{text} ({unit})"))
        }
    }
}

/// Minutes and seconds, with a sign: `+` where the sender's clock is ahead.
fn difference(ms: i64) -> String {
    let seconds = ms.unsigned_abs() / 1_000;
    let sign = if ms < 0 { '-' } else { '+' };
    format!("{sign}{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

pub(super) fn clock_check(ms: i64, machine: i64) -> Check {
    let ahead = ms.saturating_sub(machine);
    let expected = format!("±0:{:02}:00", FRESH_MS / 60_000);
    let check = Check::of(Name::Clock, is_fresh(ms, machine), expected, &difference(ahead));
    if check.state == State::Right {
        return check;
    }
    if ms > TOO_FINE {
        check.hint(Hint::TooFine)
    } else if (ahead.abs() - ZONE_MS).abs() <= FRESH_MS {
        check.hint(Hint::TimeZone)
    } else {
        check.hint(Hint::MayBeOld)
    }
}

/// A hash as it was made.
struct Made<'a> {
    case: &'a Case<'a>,
    access: &'a SoapAccess,
    pasted: &'a Pasted<'a>,
    user: &'a str,
    timestamp: &'a str,
    hash: &'a str,
}

impl Made<'_> {
    fn form_check(&self) -> Check {
        let lower = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        let right = self.hash.len() == HASH_LEN && self.hash.bytes().all(lower);
        let got = format!("{} · {}", self.beginning(), self.hash.len());
        let check = Check::of(Name::HashForm, right, "64 · 0-9 a-f", &got);
        let is_hex = self.is_hex();
        match (right, self.hash.len(), is_hex) {
            (true, ..) => check,
            (_, HASH_LEN, true) => check.hint(Hint::UpperCase),
            (_, 43 | 44, _) => check.hint(Hint::Base64),
            (_, 32, true) => check.hint(Hint::Md5),
            (_, 40, true) => check.hint(Hint::Sha1),
            (_, 128, true) => check.hint(Hint::Sha512),
            _ => check,
        }
    }

    fn is_hex(&self) -> bool {
        self.hash.bytes().all(|b| b.is_ascii_hexdigit())
    }

    fn beginning(&self) -> String {
        let is_known = HEX_LENS.contains(&self.hash.len()) && self.is_hex();
        self.case.beginning(self.hash, is_known)
    }

    fn hash_check(&self) -> Check {
        let case = self.case;
        let [scheme, host, path] =
            service_urls(self.access, self.pasted.path()).last().unwrap_or_default();
        let first = self.pasted.path();
        let registered = self.access.service_urls.first().map_or(first, String::as_str);
        let (user, stamp) = (case.name(self.user, &self.access.user), case.told(self.timestamp));
        let input = |url: &str| format!("{}{user}{stamp}{HIDDEN}", case.told(url));
        let mut expected = input(first);
        if registered != first {
            expected = format!("{expected} | {}", input(registered));
        } else if !host.is_empty() {
            expected = format!("{expected} | {}", input(&[scheme, host, path].concat()));
        }
        let facts = &case.system.facts;
        let secrets = self.access.secrets.iter().enumerate();
        let valid =
            secrets.filter(|(place, _)| facts.is_valid(CredentialKind::Soap, *place, case.at));
        let right = valid.map(|(_, secret)| secret).any(|secret| {
            self.urls().any(|url| {
                is_hash(&hash_of(&[&url, self.user, self.timestamp], &secret.0), self.hash)
            })
        });
        let expected = format!("SHA-256({expected})");
        let check = Check::of(Name::Hash, right, expected, &self.beginning());
        if right {
            return check;
        }
        let (hint, value) = self.reason();
        check.hint_with(hint, &value)
    }

    /// The strings that authentication takes for service_url.
    fn urls(&self) -> impl Iterator<Item = String> {
        service_urls(self.access, self.pasted.path()).map(|parts| parts.concat())
    }

    fn fits(&self, parts: &[&str], secret: &[u8]) -> bool {
        is_hash(&hash_of(parts, secret), &self.digest())
    }

    /// The hash in the form that ours have.
    fn digest(&self) -> String {
        use base64::Engine as _;
        use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
        let bare = self.hash.trim_end_matches('=');
        let raw = STANDARD_NO_PAD.decode(bare).or_else(|_| URL_SAFE_NO_PAD.decode(bare));
        match raw {
            Ok(raw) if raw.len() * 2 == HASH_LEN && self.hash.len() < HASH_LEN => hex::encode(raw),
            _ => self.hash.to_ascii_lowercase(),
        }
    }

    /// The first of the usual ways by which the hash would have come out so.
    fn reason(&self) -> (Hint, String) {
        let none = String::new();
        let usual = [self.user, self.timestamp];
        let with = |secrets: &[Secret]| -> bool {
            let urls: Vec<String> = self.urls().collect();
            secrets
                .iter()
                .any(|s| urls.iter().any(|url| self.fits(&[url, usual[0], usual[1]], &s.0)))
        };
        if with(&self.access.secrets) {
            // Right but for its form, or by a secret that has ended.
            let is_plain = self.hash == self.digest();
            return match (is_plain, self.hash.len()) {
                (true, _) => (Hint::EndedSecret, none),
                (false, HASH_LEN) => (Hint::UpperCase, none),
                _ => (Hint::Base64, none),
            };
        }
        let oauth = self.case.system.oauth.as_ref();
        if oauth.is_some_and(|access| with(&access.secrets)) {
            return (Hint::OtherSecret, none);
        }
        let blanks = ["\n", "\r\n", " "];
        let padded: Vec<Secret> = self
            .access
            .secrets
            .iter()
            .flat_map(|s| blanks.map(|b| Secret([&s.0[..], b.as_bytes()].concat().into())))
            .collect();
        if with(&padded) {
            return (Hint::BlankAtEnd, none);
        }
        self.other_parts().unwrap_or((Hint::SecretOrUrl, none))
    }

    /// Other time stamps, addresses, orders, users.
    fn other_parts(&self) -> Option<(Hint, String)> {
        let secrets = &self.access.secrets;
        let any = |parts: &[&str]| secrets.iter().any(|s| self.fits(parts, &s.0));
        let urls: Vec<String> = self.urls().collect();
        let (user, stamp) = (self.user, self.timestamp);
        let whole = stamp.len().saturating_sub(3);
        let seconds = stamp.get(..whole).unwrap_or_default();
        for other in [seconds.to_owned(), format!("{stamp}000")] {
            if urls.iter().any(|url| any(&[url, user, &other])) {
                return Some((Hint::OtherUnit, other));
            }
        }
        for url in self.other_urls() {
            if any(&[&url, user, stamp]) {
                return Some((Hint::OtherUrl, url));
            }
        }
        if any(&[user, stamp]) {
            return Some((Hint::NoUrl, String::new()));
        }
        for other in [user.to_lowercase(), user.to_uppercase()] {
            if urls.iter().any(|url| any(&[url, &other, stamp])) {
                return Some((Hint::OtherUser, other));
            }
        }
        for url in &urls {
            for order in [[1, 0, 2], [0, 2, 1], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
                let parts = order.map(|place| [url.as_str(), user, stamp][place]);
                let behind = secrets.iter().any(|s| {
                    let Ok(secret) = std::str::from_utf8(&s.0) else { return false };
                    let first = [secret, parts[0], parts[1], parts[2]];
                    self.fits(&parts, &s.0) || self.fits(&first, &[])
                });
                if behind {
                    return Some((Hint::OtherOrder, String::new()));
                }
            }
            let first = |s: &Secret| {
                std::str::from_utf8(&s.0)
                    .is_ok_and(|secret| self.fits(&[secret, url, user, stamp], &[]))
            };
            if secrets.iter().any(first) {
                return Some((Hint::OtherOrder, String::new()));
            }
        }
        None
    }

    /// Addresses near the right ones that authentication does not take.
    fn other_urls(&self) -> Vec<String> {
        let path = self.pasted.path();
        let bare = path.trim_end_matches('/');
        let known: Vec<String> = self.urls().collect();
        let mut all: Vec<String> = known
            .iter()
            .flat_map(|url| {
                let bare = url.trim_end_matches('/');
                [bare.to_owned(), format!("{bare}/"), format!("{bare}?wsdl"), bare.to_lowercase()]
            })
            .collect();
        if let Some(host) = self.pasted.host {
            let name = host.split(':').next().unwrap_or(host);
            for host in [host, name] {
                for scheme in ["http://", "https://", ""] {
                    all.push([scheme, host, bare].concat());
                    all.push([scheme, host].concat());
                    all.push([scheme, host, "/"].concat());
                }
            }
        }
        all.push(bare.trim_start_matches('/').to_owned());
        all.push("/".to_owned());
        all.retain(|url| !known.contains(url) && !url.is_empty());
        all
    }
}
