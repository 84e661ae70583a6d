//! The report of a run: one line of JSON, signed by the key of the sandbox's log as a C2SP signed
//! note, so that whoever knows that key can tell it is the sandbox's; and how a centre reads one.

use dancu_domain::conformance::{FORMAT, Report, ReportCase};
use dancu_domain::dossier::{Blocked, Proven};
use dancu_domain::moment::Moment;
use dancu_domain::registration::System;

use super::Running;
use crate::app::App;
use crate::log_key::{LogKey, VerifierKey, sha256};

/// Bytes of a report that is handed in: thirteen cases take 3 KiB.
pub const REPORT_MAX: usize = 32 * 1024;

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

impl App {
    /// Reads a signed report, if a sandbox that is trusted here signed it as it stands. This
    /// program's own sandbox is, by its own clock; of others the day of signing counts.
    ///
    /// # Errors
    /// [`Blocked::ReportUnsigned`]
    pub fn prove(&self, note: &str) -> Result<Proven, Blocked> {
        let own = self.sandbox.as_ref().and_then(|_| LogKey::of(self.gate.store()).ok());
        let own = own.map(|key| key.verifier());
        prove(note, own.as_ref(), &self.trusted_sandboxes).ok_or(Blocked::ReportUnsigned)
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
    let sha256 = sha256(format!("{text}\n{signatures}\n").as_bytes());
    Some(Proven { report, sha256, signer: by.told(), at })
}

#[cfg(test)]
mod tests {
    use super::*;

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
        LogKey::made_of(seed).signed(&text)
    }

    #[test]
    fn rule_b3_a_report_is_read_only_under_the_signature_of_a_trusted_sandbox() {
        let [key, other] = [1, 2].map(|seed| LogKey::made_of(seed).verifier());
        let trusted = [other.clone(), key.clone()];
        let proven = prove(&note(1), None, &trusted).unwrap();
        assert_eq!((&*proven.report.run, proven.signer), ("KT-7", key.told()));
        assert_eq!(proven.at.rfc3339(), "2026-03-02T08:20:00+07:00", "the day of signing");
        assert_eq!(proven.sha256, sha256(note(1).as_bytes()));
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
