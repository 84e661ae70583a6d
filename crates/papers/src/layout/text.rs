//! Words, lines and their widths.

use crate::font::Face;
use dancu_domain::text::composed;

/// A stretch of text in one face.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Span {
    pub(crate) face: Face,
    pub(crate) text: String,
}

impl Span {
    pub(crate) fn new(face: Face, text: impl AsRef<str>) -> Self {
        // A line break or a tab in a value is a blank: where lines end is decided here. What is no
        // letter at all cannot stand in a PDF/A.
        let plain = |c: char| if c.is_control() { ' ' } else { c };
        let is_none = |c: &char| matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}');
        let text = composed(text.as_ref()).chars().filter(|c| !is_none(c)).map(plain).collect();
        Self { face, text }
    }
}

/// A piece of a line, in one face.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Piece {
    pub(crate) face: Face,
    pub(crate) text: String,
    /// Points.
    pub(crate) width: f32,
}

/// A line.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Line {
    pub(crate) pieces: Vec<Piece>,
    /// Points, without what stretches it.
    pub(crate) width: f32,
    /// Whether the paragraph goes on: such a line is stretched where lines are even.
    pub(crate) goes_on: bool,
}

impl Line {
    pub(crate) fn blanks(&self) -> usize {
        self.pieces.iter().map(|p| p.text.matches(' ').count()).sum()
    }

    fn push(&mut self, face: Face, text: &str, width: f32) {
        self.width += width;
        match self.pieces.last_mut() {
            Some(last) if last.face == face => {
                last.text.push_str(text);
                last.width += width;
            }
            _ => self.pieces.push(Piece { face, text: text.to_owned(), width }),
        }
    }
}

/// A word: what stands between two blanks, in one face or several.
type Word = Vec<Piece>;

/// Lines of a paragraph, at most `width` points each; the first is shorter by `indent`.
pub(crate) fn lines(spans: &[Span], size: f32, width: f32, indent: f32) -> Vec<Line> {
    let mut out = vec![];
    let mut line = Line::default();
    let mut room = width - indent;
    for word in words(spans, size) {
        let wide: f32 = word.iter().map(|p| p.width).sum();
        let blank = word.first().map_or(0.0, |p| p.face.loaded().width(" ") * size);
        let begins = line.pieces.is_empty();
        if !begins && line.width + blank + wide > room {
            line.goes_on = true;
            out.push(std::mem::take(&mut line));
            room = width;
        } else if let (false, Some(first)) = (begins, word.first()) {
            let face = line.pieces.last().map_or(first.face, |p| p.face);
            line.push(face, " ", blank);
        }
        if wide <= room {
            for p in &word {
                line.push(p.face, &p.text, p.width);
            }
            continue;
        }
        // Longer than a line: it is broken wherever the line is full.
        for piece in &word {
            for c in piece.text.chars() {
                let advance = piece.face.loaded().letter(c).advance * size;
                if line.width + advance > room && !line.pieces.is_empty() {
                    out.push(std::mem::take(&mut line));
                    room = width;
                }
                line.push(piece.face, c.encode_utf8(&mut [0; 4]), advance);
            }
        }
    }
    if !line.pieces.is_empty() {
        out.push(line);
    }
    out
}

fn words(spans: &[Span], size: f32) -> Vec<Word> {
    let mut words: Vec<Word> = vec![];
    let mut open = false;
    for span in spans {
        for (at, part) in span.text.split(' ').enumerate() {
            open &= at == 0;
            if part.is_empty() {
                continue;
            }
            let width = span.face.loaded().width(part) * size;
            let piece = Piece { face: span.face, text: part.to_owned(), width };
            match words.last_mut() {
                Some(word) if open => word.push(piece),
                _ => words.push(vec![piece]),
            }
            open = true;
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_letter_is_not_printed() {
        let span = Span::new(Face::Regular, "\u{feff}Một\u{ffff} cửa\n1");
        assert_eq!(span.text, "Một cửa 1");
    }

    proptest! {
        /// Nothing is lost but blanks, and no line is wider than it may be, unless one letter is.
        #[test]
        fn lines_hold_every_word_and_keep_the_width(
            texts in prop::collection::vec(("[a-zđ ]{0,30}|\\PC{0,20}", 0..4usize), 1..6),
            width in 8.0f32..300.0,
        ) {
            let faces = [Face::Regular, Face::Bold, Face::Italic, Face::BoldItalic];
            let spans: Vec<_> = texts.iter().map(|(t, f)| Span::new(faces[*f], t)).collect();
            let bare = |t: &str| t.chars().filter(|c| *c != ' ').collect::<String>();
            let asked: String = spans.iter().map(|s| bare(&s.text)).collect();
            let found = lines(&spans, 13.0, width, 0.0);
            let pieces = found.iter().flat_map(|l| &l.pieces);
            prop_assert_eq!(asked, pieces.map(|p| bare(&p.text)).collect::<String>());
            for line in &found {
                let letters: usize = line.pieces.iter().map(|p| p.text.chars().count()).sum();
                prop_assert!(line.width <= width + 0.01 || letters == 1, "{line:?}");
            }
        }
    }
}
