//! The report of a run: one line of JSON, signed by the key of the sandbox's log as a C2SP signed
//! note, so that whoever knows that key can tell it is the sandbox's; and how a centre reads one.

use anyhow::Context as _;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dancu_domain::conformance::{FORMAT, Report, ReportCase};
use dancu_domain::dossier::{Blocked, Proven};
use dancu_domain::moment::Moment;
use dancu_domain::registration::System;
use dancu_store::Store;
use dancu_store::keys::Purpose;

use super::Running;
use crate::app::App;

/// Name of the log, as its key line carries it.
pub const LOG_ORIGIN: &str = "dancu.sandbox/log";
/// Bytes of a report that is handed in: thirteen cases take 3 KiB.
pub const REPORT_MAX: usize = 32 * 1024;
/// What a signature line begins with (C2SP signed-note).
const DASH: &str = "\u{2014} ";
/// Kind of a key, before its bytes: Ed25519.
const KIND: u8 = 1;

/// The text that is signed.
pub(super) fn text(
    running: &Running,
    system: &System,
    (now, machine): (Moment, Moment),
) -> anyhow::Result<String> {
    let cases = running.run.cases().iter().map(|shown| ReportCase {
        case: shown.case.code().to_owned(),
        name_vi: shown.case.text().name_vi.to_owned(),
        passed: !shown.entries.is_empty(),
        entries: shown.entries.clone(),
    });
    let services = system.services.iter().flatten().map(|g| g.service.code().to_owned());
    let report = Report {
        format: FORMAT.to_owned(),
        run: running.name(),
        unit_code: system.unit.as_str().to_owned(),
        for_system: running.for_system.clone(),
        system_code: system.code.as_str().to_owned(),
        services: services.collect(),
        client: running.client.clone(),
        begun_by: running.by.clone(),
        from: running.began.rfc3339(),
        to: now.rfc3339(),
        signed_at: machine.rfc3339(),
        cases: cases.collect(),
        other_refusals: running.run.unexpected().len(),
    };
    Ok(serde_json::to_string(&report)? + "\n")
}

/// A text that ends with a line feed, with the signature below it (C2SP signed-note).
pub(super) fn signed(store: &Store, text: &str) -> anyhow::Result<String> {
    let pair = pair(store)?;
    let mut line = VerifierKey::of(LOG_ORIGIN, pair.public_key().as_ref()).hash.to_vec();
    line.extend_from_slice(pair.sign(text.as_bytes()).as_ref());
    Ok(format!("{text}\n{DASH}{LOG_ORIGIN} {}\n", STANDARD.encode(line)))
}

/// SHA-256, hex.
pub(super) fn sha256(text: &str) -> String {
    hex::encode(digest(&SHA256, text.as_bytes()))
}

/// The verifier key line of the log (C2SP signed-note): name, key hash, type 1 = Ed25519, key.
pub fn log_key(store: &Store) -> anyhow::Result<String> {
    Ok(own_key(store)?.line())
}

fn own_key(store: &Store) -> anyhow::Result<VerifierKey> {
    Ok(VerifierKey::of(LOG_ORIGIN, pair(store)?.public_key().as_ref()))
}

fn pair(store: &Store) -> anyhow::Result<Ed25519KeyPair> {
    let key = store.keys().get(Purpose::Log, 0).context("thiếu khóa nhật ký (log key)")?;
    Ed25519KeyPair::from_seed_unchecked(key.raw())
        .map_err(|_| anyhow::anyhow!("khóa nhật ký hỏng (log key)"))
}

/// The key that tells whether a note is a sandbox's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifierKey {
    name: String,
    hash: [u8; 4],
    key: Vec<u8>,
}

impl VerifierKey {
    fn of(name: &str, key: &[u8]) -> Self {
        let whole = digest(&SHA256, &[name.as_bytes(), b"\n", &[KIND], key].concat());
        let mut hash = [0; 4];
        hash.copy_from_slice(&whole.as_ref()[..4]);
        Self { name: name.to_owned(), hash, key: key.to_vec() }
    }

    /// Reads a verifier key line, `name+hash+key`, as `logVkey` in a sandbox's `demo.json` has it.
    pub fn parse(line: &str) -> Option<Self> {
        let (name, rest) = line.split_once('+')?;
        let (_, key) = rest.split_once('+')?;
        let raw = STANDARD.decode(key).ok()?;
        let key = Self::of(name, raw.strip_prefix(&[KIND])?);
        (!name.is_empty() && key.key.len() == 32 && key.line() == line).then_some(key)
    }

    fn line(&self) -> String {
        let key = STANDARD.encode([&[KIND][..], &self.key].concat());
        format!("{}+{}+{key}", self.name, hex::encode(self.hash))
    }

    /// Name and hash, as entries and pages name it.
    fn told(&self) -> String {
        format!("{}+{}", self.name, hex::encode(self.hash))
    }

    fn signs(&self, text: &str, signature: &str) -> bool {
        let told = signature.strip_prefix(DASH).and_then(|rest| rest.rsplit_once(' '));
        let Some((name, line)) = told else { return false };
        let raw = STANDARD.decode(line).unwrap_or_default();
        let Some((hash, signature)) = raw.split_at_checked(4) else { return false };
        let key = UnparsedPublicKey::new(&ED25519, &self.key);
        name == self.name && hash == self.hash && key.verify(text.as_bytes(), signature).is_ok()
    }
}

impl App {
    /// Reads a signed report, if a sandbox that is trusted here signed it as it stands. This
    /// program's own sandbox is, by its own clock; of others the day of signing counts.
    ///
    /// # Errors
    /// [`Blocked::ReportUnsigned`]
    pub fn prove(&self, note: &str) -> Result<Proven, Blocked> {
        let own = self.sandbox.as_ref().and_then(|_| own_key(self.gate.store()).ok());
        let own = own.as_ref();
        prove(note, own, &self.trusted_sandboxes).ok_or(Blocked::ReportUnsigned)
    }
}

fn prove(note: &str, own: Option<&VerifierKey>, trusted: &[VerifierKey]) -> Option<Proven> {
    if note.len() > REPORT_MAX {
        return None;
    }
    // Forms end lines with two characters, and people leave blanks around what they paste.
    let note = note.replace("\r\n", "\n");
    let note = note.trim();
    // The text is one line: where the empty line got lost on the way, the signature still begins
    // with its dash.
    let parts = note.split_once("\n\n").or_else(|| Some(note.split_at(note.rfind(DASH)?)));
    let (text, signatures) = parts.map(|(text, rest)| (text.trim(), rest.trim()))?;
    let text = format!("{text}\n");
    let by = own.into_iter().chain(trusted);
    let by = by.into_iter().find(|key| signatures.lines().any(|line| key.signs(&text, line)))?;
    let report: Report = serde_json::from_str(&text).ok()?;
    let at = if Some(by) == own { &report.to } else { &report.signed_at };
    let at = Moment::parse_rfc3339(at)?;
    let sha256 = sha256(&format!("{text}\n{signatures}\n"));
    Some(Proven { report, sha256, signer: by.told(), at })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(seed: u8) -> (Ed25519KeyPair, VerifierKey) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let key = VerifierKey::of("thu.example/log", pair.public_key().as_ref());
        (pair, key)
    }

    fn note(seed: u8) -> String {
        let report = Report {
            format: FORMAT.into(),
            run: "KT-7".into(),
            unit_code: "H26.001".into(),
            for_system: "HOSO".into(),
            system_code: "THU1-1".into(),
            services: vec!["citizen.verify".into()],
            client: "Một cửa 4.2".into(),
            begun_by: "mau.tichhop".into(),
            from: "2026-03-02T08:00:00+07:00".into(),
            to: "2030-03-02T19:00:00+07:00".into(),
            signed_at: "2026-03-02T08:20:00+07:00".into(),
            cases: vec![],
            other_refusals: 0,
        };
        let text = serde_json::to_string(&report).unwrap() + "\n";
        let (pair, key) = pair(seed);
        let line = [&key.hash[..], pair.sign(text.as_bytes()).as_ref()].concat();
        format!("{text}\n{DASH}{} {}\n", key.name, STANDARD.encode(line))
    }

    #[test]
    fn rule_b3_a_report_is_read_only_under_the_signature_of_a_trusted_sandbox() {
        let (_, key) = pair(1);
        let (_, other) = pair(2);
        assert_eq!(VerifierKey::parse(&key.line()).as_ref(), Some(&key));
        let line = key.line();
        assert!(VerifierKey::parse(&line.replacen("thu.", "xyz.", 1)).is_none(), "the hash tells");
        let trusted = [other.clone(), key.clone()];
        let proven = prove(&note(1), None, &trusted).unwrap();
        assert_eq!((&*proven.report.run, proven.signer), ("KT-7", key.told()));
        assert_eq!(proven.at.rfc3339(), "2026-03-02T08:20:00+07:00", "the day of signing");
        assert_eq!(proven.sha256, sha256(&note(1)));
        let own = prove(&note(1), Some(&key), &[]).unwrap();
        assert_eq!(own.at.rfc3339(), "2030-03-02T19:00:00+07:00", "by its own clock");
        // As a form sends it.
        let pasted = format!("  {}\r\n", note(1).replace('\n', "\r\n"));
        assert_eq!(prove(&pasted, None, &trusted).unwrap().sha256, proven.sha256);
        let flat = note(1).replace('\n', " ");
        assert_eq!(prove(&flat, None, &trusted).unwrap().sha256, proven.sha256, "as one line");
        for bad in [
            note(1).replace("HOSO", "KHAC"),
            note(3),
            note(1).replace("KT-7", "KT-8"),
            note(1).split("\n\n").next().unwrap().to_owned(),
            String::new(),
            "x".repeat(REPORT_MAX + 1),
        ] {
            assert_eq!(prove(&bad, None, &trusted), None);
        }
        assert_eq!(prove(&note(1), None, &[other]), None, "a sandbox that is not trusted");
        assert_eq!(prove(&note(1), None, &[]), None);
    }
}
