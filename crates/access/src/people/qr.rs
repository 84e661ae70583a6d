//! QR codes as one SVG path, so that a page needs no image and no script.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};

/// Free modules around the code that readers need (ISO/IEC 18004).
const QUIET: usize = 4;

/// A code, to be drawn dark on white in `viewBox="0 0 size size"`.
#[derive(Clone, PartialEq, Eq)]
pub struct Qr {
    /// Side with the free border, modules.
    pub size: u32,
    /// The `d` of the path.
    pub path: String,
}

/// The code of a text; `None` where it is longer than a code holds.
pub fn qr(text: &str) -> Option<Qr> {
    let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::M).ok()?;
    let width = code.width();
    let colours = code.to_colors();
    let mut path = String::with_capacity(8 * colours.len() / 2);
    for (y, row) in colours.chunks(width).enumerate() {
        let mut x = 0;
        while x < width {
            let run = row[x..].iter().take_while(|c| **c == Color::Dark).count();
            if run > 0 {
                // Writing into a string does not fail.
                let _ = write!(path, "M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET);
            }
            x += run + 1;
        }
    }
    Some(Qr { size: u32::try_from(width + 2 * QUIET).ok()?, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws the path again and compares it with the code, module by module.
    #[test]
    fn the_path_is_the_code() {
        let text = "otpauth://totp/dancu:onestop.canbo1?secret=GEZDGNBVGY3TQOJQ";
        let Qr { size, path } = qr(text).unwrap();
        let code = QrCode::with_error_correction_level(text, EcLevel::M).unwrap();
        let mut dark = std::collections::HashSet::new();
        for run in path.split('M').skip(1) {
            let (x, rest) = run.split_once(' ').unwrap();
            let (y, rest) = rest.split_once('h').unwrap();
            let (n, _) = rest.split_once('v').unwrap();
            let (x, y, n): (usize, usize, usize) =
                (x.parse().unwrap(), y.parse().unwrap(), n.parse().unwrap());
            dark.extend((x..x + n).map(|x| (x, y)));
        }
        assert_eq!(size as usize, code.width() + 8);
        for (i, colour) in code.to_colors().into_iter().enumerate() {
            let place = (i % code.width() + QUIET, i / code.width() + QUIET);
            assert_eq!(dark.contains(&place), colour == Color::Dark, "{place:?}");
        }
        assert!(qr(&"x".repeat(5_000)).is_none());
    }
}
