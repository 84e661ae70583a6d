//! Files that units send: taken with bounded figures, or refused with a sentence.

use dancu_papers::sniff::{Kind, PAGES_MAX, SIDE_MAX, sniff};

/// Reads a file.
///
/// # Panics
/// Where a law is broken.
pub fn run(data: &[u8]) {
    match sniff(data) {
        Ok(Kind::Pdf(document)) => assert!((1..=PAGES_MAX).contains(&document.pages)),
        Ok(Kind::Jpeg(pixels) | Kind::Png(pixels)) => {
            assert!(pixels.width.max(pixels.height) <= SIDE_MAX && pixels.width > 0);
        }
        Ok(Kind::Xlsx) => {}
        Err(refusal) => {
            let (vi, en) = refusal.sentence();
            assert!(vi.ends_with('.') && en.ends_with('.'));
        }
    }
}
