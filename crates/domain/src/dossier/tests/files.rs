//! Files that count only when they were scanned (B2).

use super::*;
use crate::files::Scan;

#[test]
fn rule_b2_an_unscanned_file_is_missing_only_where_the_profile_asks() {
    let dossier = begun().attach(mark(HEAD), Part::Security, file()).unwrap();
    let other = Attachment { id: 2, ..file() };
    let dossier = dossier.attach(mark(HEAD), Part::Commitment, other).unwrap();
    let parts = |scans: &[(u64, Scan)], asks: bool| -> Vec<Part> {
        let mut profile = profile();
        profile.dossier.scanned_files = asks;
        unscanned(&dossier, scans, &profile).iter().map(|m| m.part).collect()
    };
    assert!(parts(&[], false).is_empty(), "the default");
    // What nothing is known of was not scanned.
    assert_eq!(parts(&[], true), [Part::Commitment, Part::Security]);
    let some = [(1, Scan::Clean), (2, Scan::Undecided)];
    assert_eq!(parts(&some, true), [Part::Commitment]);
    let some = [(1, Scan::Unasked), (2, Scan::Clean)];
    assert_eq!(parts(&some, true), [Part::Security]);
    assert!(parts(&[(1, Scan::Clean), (2, Scan::Clean)], true).is_empty());
    // A file of another dossier's number says nothing.
    assert_eq!(parts(&[(1, Scan::Clean), (3, Scan::Clean)], true), [Part::Commitment]);
}
