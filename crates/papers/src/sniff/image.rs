//! Sizes of pictures, from their heads.

use super::{Pixels, Refusal};

/// A JPEG: its frame's head (ITU-T T.81, B.2.2), which the segments before it lead to.
pub(super) fn jpeg(bytes: &[u8]) -> Result<Pixels, Refusal> {
    let mut rest = &bytes[2..];
    loop {
        let [0xff, marker, after @ ..] = rest else { return Err(Refusal::Damaged) };
        match marker {
            // Filling.
            0xff => rest = &rest[1..],
            // Markers without a segment.
            0x01 | 0xd0..=0xd7 => rest = after,
            // A frame, but for tables and arithmetic conditioning (C4, C8, CC).
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                let [_, _, _, h1, h2, w1, w2, ..] = after else { return Err(Refusal::Damaged) };
                return Ok(Pixels {
                    width: u16::from_be_bytes([*w1, *w2]).into(),
                    height: u16::from_be_bytes([*h1, *h2]).into(),
                });
            }
            // The end, or the picture itself before any frame.
            0xd8..=0xda | 0x00 => return Err(Refusal::Damaged),
            _ => {
                let [a, b, ..] = after else { return Err(Refusal::Damaged) };
                let length = usize::from(u16::from_be_bytes([*a, *b])).max(2);
                rest = after.get(length..).ok_or(Refusal::Damaged)?;
            }
        }
    }
}

/// A PNG: its first chunk is the head (PNG specification, 11.2.2).
pub(super) fn png(bytes: &[u8]) -> Result<Pixels, Refusal> {
    let head = bytes.get(8..24).ok_or(Refusal::Damaged)?;
    let [0, 0, 0, 13, b'I', b'H', b'D', b'R', w @ .., h1, h2, h3, h4] = head else {
        return Err(Refusal::Damaged);
    };
    let width = <[u8; 4]>::try_from(w).map_err(|_| Refusal::Damaged)?;
    Ok(Pixels {
        width: u32::from_be_bytes(width),
        height: u32::from_be_bytes([*h1, *h2, *h3, *h4]),
    })
}
