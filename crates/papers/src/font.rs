//! The fonts of papers: Liberation Serif, which has the widths of Times New Roman that Decree
//! 30/2020/NĐ-CP (annex I, part I) asks for.

use std::collections::HashMap;
use std::sync::LazyLock;

use krilla::text::Font;
use skrifa::MetadataProvider as _;
use skrifa::instance::{LocationRef, Size};

/// What is drawn where a font lacks a letter: names come from everywhere, and an archive may hold
/// no empty glyph.
const UNKNOWN: char = '□';

/// A face of the family.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) enum Face {
    #[default]
    Regular,
    Bold,
    Italic,
    BoldItalic,
}

impl Face {
    pub(crate) const fn of(bold: bool, italic: bool) -> Self {
        match (bold, italic) {
            (false, false) => Self::Regular,
            (true, false) => Self::Bold,
            (false, true) => Self::Italic,
            (true, true) => Self::BoldItalic,
        }
    }

    pub(crate) fn loaded(self) -> &'static Loaded {
        &FACES[self as usize]
    }
}

/// A letter as it is drawn.
#[derive(Clone, Copy)]
pub(crate) struct Letter {
    pub(crate) glyph: u32,
    /// Advance in parts of the font's size.
    pub(crate) advance: f32,
}

/// A face with its letters.
pub(crate) struct Loaded {
    pub(crate) font: Font,
    letters: HashMap<char, Letter>,
    unknown: Letter,
}

impl Loaded {
    /// # Panics
    /// Where the program was built with a file that is no font: every test finds out.
    #[expect(clippy::expect_used, reason = "the font is part of the program")]
    fn new(file: &'static [u8]) -> Self {
        let font = Font::new(file.into(), 0).expect("a font");
        let read = skrifa::FontRef::new(file).expect("a font");
        let metrics = read.glyph_metrics(Size::new(1.0), LocationRef::default());
        let letters: HashMap<char, Letter> = read
            .charmap()
            .mappings()
            .filter_map(|(code, glyph)| {
                let advance = metrics.advance_width(glyph)?;
                Some((char::from_u32(code)?, Letter { glyph: glyph.to_u32(), advance }))
            })
            .collect();
        let unknown = letters[&UNKNOWN];
        Self { font, letters, unknown }
    }

    pub(crate) fn letter(&self, c: char) -> Letter {
        self.letters.get(&c).copied().unwrap_or(self.unknown)
    }

    /// Width of a text in parts of the font's size.
    pub(crate) fn width(&self, text: &str) -> f32 {
        text.chars().map(|c| self.letter(c).advance).sum()
    }
}

static FACES: LazyLock<[Loaded; 4]> = LazyLock::new(|| {
    [
        Loaded::new(include_bytes!("../fonts/LiberationSerif-Regular.ttf")),
        Loaded::new(include_bytes!("../fonts/LiberationSerif-Bold.ttf")),
        Loaded::new(include_bytes!("../fonts/LiberationSerif-Italic.ttf")),
        Loaded::new(include_bytes!("../fonts/LiberationSerif-BoldItalic.ttf")),
    ]
});

#[cfg(test)]
mod tests {
    use super::*;

    /// Every letter that Vietnamese is written with, and what the forms hold beside it.
    #[test]
    fn every_vietnamese_letter_is_drawn() {
        let vowels = "aăâeêioôơuưy";
        let marks = ['\u{300}', '\u{301}', '\u{303}', '\u{309}', '\u{323}'];
        let mut text: String = "đĐ…“”–—¹²³⁴⁵⁶ﬀ0123456789.,;:()/-_@".replace('ﬀ', "");
        for vowel in vowels.chars() {
            for mark in marks {
                text.extend(dancu_domain::text::composed(&format!("{vowel}{mark}")).chars());
            }
        }
        text.push_str(&text.to_uppercase());
        for face in [Face::Regular, Face::Bold, Face::Italic, Face::BoldItalic] {
            let loaded = face.loaded();
            let lacks: String = text.chars().filter(|c| !loaded.letters.contains_key(c)).collect();
            assert_eq!(lacks, "", "{face:?}");
        }
    }
}
