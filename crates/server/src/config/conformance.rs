//! Whose conformance reports are believed: the section `[conformance]`.

use super::keys::section;
use crate::log_key::VerifierKey;

section! {
    /// `[conformance]`: sandboxes whose signed reports close the sandbox step of dossiers (B3).
    ConformanceConfig {
        trusted = "trusted": Vec<String> = vec![],
            "[\"dancu.sandbox/log+1620949d+AVDYWOCYXsx/YEGKrwzFq1h/QsJXCohAlanozKzQ9lRc\"]",
            "Khóa công khai của các môi trường thử được tin: logVkey trong demo.json của từng nơi. \
             Danh sách rỗng: không báo cáo nào được nhận.",
            "Public keys of the sandboxes that are trusted: logVkey in the demo.json of each. An \
             empty list: no report is taken.";
    }
}

impl ConformanceConfig {
    /// The keys; none where one cannot be read.
    pub fn keys(&self) -> Option<Vec<VerifierKey>> {
        self.trusted.iter().map(|line| VerifierKey::parse(line)).collect()
    }

    /// Values that have the right type and are wrong all the same: key and why.
    pub fn wrong(&self) -> Vec<(&'static str, String)> {
        let text = "cần dòng khóa tên+mã+khóa như logVkey (a verifier key line)";
        let wrong = self.keys().is_none().then(|| ("trusted", text.to_owned()));
        wrong.into_iter().collect()
    }
}
