//! Pages as they fill up.

use super::text::Line;
use super::{BOTTOM, Block, HEIGHT, LEADING, LEFT, MM, RIGHT, SIZE, TOP, WIDTH};
use crate::font::Face;

/// What is drawn. Points from the upper left corner; texts stand on their base line.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Paint {
    Text {
        x: f32,
        y: f32,
        size: f32,
        face: Face,
        text: String,
        /// Points more for every blank.
        stretch: f32,
    },
    Rule {
        from: (f32, f32),
        to: (f32, f32),
        width: f32,
    },
}

/// A page.
pub(crate) type Page = Vec<Paint>;

/// Of a line's height, what stands above its base line: the ascent of the font, 0.891 of the size.
const ASCENT: f32 = 0.891;

/// Lays a document out; its pages are numbered from the second on, in the middle of the margin
/// above (annex I, part II, 7).
pub(crate) fn lay_out(blocks: &[Block]) -> Vec<Page> {
    let mut flow = Flow { pages: vec![vec![]], y: TOP };
    for (at, block) in blocks.iter().enumerate() {
        // Who signs stands below words that are signed: the last paragraph goes with them.
        if let (Block::Text { spans, indent, .. }, Some(Block::Signatures(sides))) =
            (block, blocks.get(at + 1))
        {
            let together = Flow::high(spans, *indent) + Flow::high_signed(sides);
            if together <= Flow::END - TOP {
                flow.need(together);
            }
        }
        flow.block(block);
    }
    let mut pages = flow.pages;
    for (at, page) in pages.iter_mut().enumerate().skip(1) {
        let text = (at + 1).to_string();
        let x =
            f32::midpoint(LEFT, WIDTH - RIGHT) - Face::Regular.loaded().width(&text) * SIZE / 2.0;
        page.push(Paint::Text {
            x,
            y: TOP / 2.0 + 2.0 * MM,
            size: SIZE,
            face: Face::Regular,
            text,
            stretch: 0.0,
        });
    }
    pages
}

/// The pages so far, and how far down the last one is full.
pub(super) struct Flow {
    pages: Vec<Page>,
    pub(super) y: f32,
}

impl Flow {
    /// Points between the margins.
    pub(super) const ROOM: f32 = WIDTH - LEFT - RIGHT;
    /// The lowest point.
    pub(super) const END: f32 = HEIGHT - BOTTOM;

    pub(super) fn paint(&mut self, paint: Paint) {
        if let Some(page) = self.pages.last_mut() {
            page.push(paint);
        }
    }

    pub(super) fn rule(&mut self, from: (f32, f32), to: (f32, f32), width: f32) {
        self.paint(Paint::Rule { from, to, width });
    }

    /// A new page, where the one there is holds so many points less.
    pub(super) fn need(&mut self, height: f32) {
        if self.y + height > Self::END && self.y > TOP {
            self.turn();
        }
    }

    pub(super) fn turn(&mut self) {
        self.pages.push(vec![]);
        self.y = TOP;
    }

    /// Nothing stands at the top of a page but what is told.
    pub(super) fn gap(&mut self, height: f32) {
        if self.y > TOP {
            self.y += height;
        }
    }

    /// One line whose top is at `y`.
    pub(super) fn line(&mut self, line: &Line, (mut x, y): (f32, f32), size: f32, stretch: f32) {
        for piece in &line.pieces {
            self.paint(Paint::Text {
                x,
                y: y + (LEADING - 1.0) / 2.0 * size + ASCENT * size,
                size,
                face: piece.face,
                text: piece.text.clone(),
                stretch,
            });
            x += piece.width + piece.text.matches(' ').count() as f32 * stretch;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Align;
    use crate::layout::text::Span;

    #[test]
    fn who_signs_never_stands_alone() {
        let say = |text: &str| vec![Span::new(Face::Regular, text)];
        let text = |text: &str| Block::Text { spans: say(text), align: Align::Left, indent: 0.0 };
        let signed = Block::Signatures([vec![say("Nơi nhận:")], vec![say("GIÁM ĐỐC")]]);
        let on = |page: &Page, word: &str| {
            page.iter().any(|paint| matches!(paint, Paint::Text { text, .. } if text == word))
        };
        for before in 0..60 {
            let mut blocks = vec![text("Một dòng"); before];
            blocks.extend([text("Dòng cuối"), signed.clone()]);
            let pages = lay_out(&blocks);
            let last = pages.last().unwrap();
            assert!(on(last, "Dòng cuối") && on(last, "GIÁM ĐỐC"), "{before}");
        }
    }
}
