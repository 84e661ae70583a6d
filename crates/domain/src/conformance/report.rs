//! What the report of a run says. Its text is one line of JSON in a signed note (C2SP), so that a
//! centre can tell which sandbox wrote it.

use serde::{Deserialize, Serialize};

/// The format that is written and read.
pub const FORMAT: &str = "dancu-conformance/2";

/// A report.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// [`FORMAT`].
    pub format: String,
    /// Number of the run, `KT-<index>`.
    pub run: String,
    /// Code of the unit.
    pub unit_code: String,
    /// Code, as in the dossier, of the system that the software is for.
    pub for_system: String,
    /// Code of the test system that it was tried with.
    pub system_code: String,
    /// Codes of the services that the test system has.
    pub services: Vec<String>,
    /// Name and version of the software, as stated.
    pub client: String,
    /// Who began it: a login, or the test system.
    pub begun_by: String,
    /// Begin by the sandbox's clock, RFC 3339.
    pub from: String,
    /// End by the same clock.
    pub to: String,
    /// When it was signed, by the machine's clock, RFC 3339.
    pub signed_at: String,
    /// The cases.
    pub cases: Vec<ReportCase>,
    /// How many refusals no case asked for.
    pub other_refusals: usize,
}

/// A case in a report.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportCase {
    /// Its word.
    pub case: String,
    /// Its name in Vietnamese.
    pub name_vi: String,
    /// Whether it was shown.
    pub passed: bool,
    /// Indexes of the entries that show it, in the sandbox's journal.
    pub entries: Vec<u64>,
}
