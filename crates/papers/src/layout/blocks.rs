//! Each block, as it fills the page.

use super::page::Flow;
use super::text::{Line, Span, lines};
use super::{Align, Block, GAP, INDENT, LEADING, LEFT, MM, Prompt, SIZE, SMALL, TOP};
use crate::font::Face;

/// Quốc hiệu (annex I, part II, 1): 12-13 points, bold.
const NATION: &str = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM";
/// Tiêu ngữ: 13-14 points, bold, with a rule as long as its text below.
const MOTTO: &str = "Độc lập - Tự do - Hạnh phúc";
/// How the list of receivers begins.
const RECEIVERS: &str = "Nơi nhận:";
/// Space for a signature and a seal.
const SIGNED: f32 = 28.0 * MM;
/// Thickness of the rules of the head.
const RULE: f32 = 0.7;
/// What a dotted line is made of.
const DOT: &str = ".";
/// Share of the width that the first of two prompts has.
const FIRST_OF_TWO: f32 = 0.56;
/// Share of the width that the left side of a head has.
const LEFT_OF_HEAD: f32 = 0.44;

impl Flow {
    pub(super) fn block(&mut self, block: &Block) {
        match block {
            Block::Motto => {
                self.y = self.motto(LEFT, Self::ROOM, self.y, SIZE + 1.0);
                self.y += 3.0 * GAP;
            }
            Block::Head { agency, number, subject, dated } => {
                self.head(agency, number, subject, dated);
            }
            Block::Title { lines, size } => {
                self.need(4.0 * size);
                for line in lines {
                    let spans = [Span::new(Face::Bold, line)];
                    self.text(&spans, *size, Align::Centre, 0.0);
                }
                self.y += GAP;
            }
            Block::Heading(spans) => {
                self.gap(GAP / 2.0);
                self.need(3.0 * SIZE * LEADING);
                self.text(spans, SIZE, Align::Left, INDENT);
                self.y += GAP / 2.0;
            }
            Block::Text { spans, align, indent } => {
                self.text(spans, SIZE, *align, *indent);
                self.y += GAP;
            }
            Block::Prompts(prompts) => self.prompts(prompts),
            Block::Table(table) => self.table(table),
            Block::Signatures(sides) => self.signatures(sides),
            Block::Notes(notes) => self.notes(notes),
        }
    }

    /// A paragraph from margin to margin; one line of several never stands alone at the foot.
    fn text(&mut self, spans: &[Span], size: f32, align: Align, indent: f32) {
        let step = size * LEADING;
        let found = lines(spans, size, Self::ROOM, indent);
        for (at, line) in found.iter().enumerate() {
            let last_two = found.len() > 2 && at + 2 == found.len();
            let first_two = found.len() > 1 && at == 0;
            self.need(if last_two || first_two { 2.0 * step } else { step });
            let indent = if at == 0 { indent } else { 0.0 };
            let free = Self::ROOM - indent - line.width;
            let (x, stretch) = match align {
                Align::Centre => (LEFT + free / 2.0, 0.0),
                Align::Even if line.goes_on && line.blanks() > 0 => {
                    (LEFT + indent, free / line.blanks() as f32)
                }
                Align::Left | Align::Even => (LEFT + indent, 0.0),
            };
            let y = self.y;
            self.line(line, (x, y), size, stretch);
            self.y += step;
        }
    }

    /// How high a paragraph is, with the gap below it.
    pub(super) fn high(spans: &[Span], indent: f32) -> f32 {
        lines(spans, SIZE, Self::ROOM, indent).len() as f32 * SIZE * LEADING + GAP
    }

    /// How high signatures are, with the gap above them.
    pub(super) fn high_signed(sides: &[Vec<Vec<Span>>; 2]) -> f32 {
        let longest = sides.iter().map(Vec::len).max().unwrap_or(0) as f32;
        GAP + longest * SIZE * LEADING + SIGNED
    }

    /// Lines in the middle of a column; gives where they end.
    fn centred(&mut self, all: &[Vec<Span>], x: f32, width: f32, mut y: f32, size: f32) -> f32 {
        for spans in all {
            for line in lines(spans, size, width, 0.0) {
                self.line(&line, (x + (width - line.width) / 2.0, y), size, 0.0);
                y += size * LEADING;
            }
        }
        y
    }

    /// Lines at the margin.
    fn listed(&mut self, all: &[Vec<Span>], width: f32, mut y: f32) -> f32 {
        for spans in all {
            for line in lines(spans, SMALL, width, 0.0) {
                self.line(&line, (LEFT, y), SMALL, 0.0);
                y += SMALL * LEADING;
            }
        }
        y
    }

    fn motto(&mut self, x: f32, width: f32, y: f32, size: f32) -> f32 {
        let y = self.centred(&[vec![Span::new(Face::Bold, NATION)]], x, width, y, size - 1.0);
        let y = self.centred(&[vec![Span::new(Face::Bold, MOTTO)]], x, width, y, size);
        let half = Face::Bold.loaded().width(MOTTO) * size / 2.0;
        let (middle, y) = (x + width / 2.0, y + 2.0);
        self.rule((middle - half, y), (middle + half, y), RULE);
        y
    }

    fn head(&mut self, agency: &[String], number: &str, subject: &str, dated: &str) {
        let (left, top) = (LEFT_OF_HEAD * Self::ROOM, self.y);
        // The agency's own name is the last line, bold; above it stands the one it belongs to.
        let name = |(at, text): (usize, &String)| {
            let last = at + 1 == agency.len();
            vec![Span::new(if last { Face::Bold } else { Face::Regular }, text)]
        };
        let names: Vec<_> = agency.iter().enumerate().map(name).collect();
        let y = self.centred(&names, LEFT, left, top, SIZE - 1.0) + 2.0;
        // A rule of a third to a half of the line's length (annex I, part II, 2).
        let (middle, half) = (LEFT + left / 2.0, left / 6.0);
        self.rule((middle - half, y), (middle + half, y), RULE);
        let below =
            [vec![Span::new(Face::Regular, number)], vec![Span::new(Face::Regular, subject)]];
        let left_end = self.centred(&below, LEFT, left, y + GAP, SIZE - 1.0);
        let x = LEFT + left;
        let y = self.motto(x, Self::ROOM - left, top, SIZE);
        let place = [vec![Span::new(Face::Italic, dated)]];
        let right_end = self.centred(&place, x, Self::ROOM - left, y + GAP, SIZE);
        self.y = left_end.max(right_end) + 3.0 * GAP;
    }

    fn prompts(&mut self, prompts: &[Prompt]) {
        let step = SIZE * LEADING;
        let widths = match prompts.len() {
            2 => vec![FIRST_OF_TWO * Self::ROOM, (1.0 - FIRST_OF_TWO) * Self::ROOM],
            n => vec![Self::ROOM / n.max(1) as f32; n],
        };
        let columns: Vec<Vec<Line>> =
            prompts.iter().zip(&widths).map(|(p, width)| prompt(p, *width)).collect();
        let high = columns.iter().map(Vec::len).max().unwrap_or(0);
        self.need(high as f32 * step);
        let mut x = LEFT;
        for (lines, width) in columns.iter().zip(&widths) {
            for (at, line) in lines.iter().enumerate() {
                let y = self.y + at as f32 * step;
                self.line(line, (x, y), SIZE, 0.0);
            }
            x += width;
        }
        self.y += high as f32 * step + GAP / 2.0;
    }

    fn signatures(&mut self, sides: &[Vec<Vec<Span>>; 2]) {
        let half = Self::ROOM / 2.0;
        self.gap(GAP);
        self.need(Self::high_signed(sides) - GAP);
        let top = self.y;
        let dated = |lines: &[Vec<Span>]| {
            lines.first().and_then(|l| l.first()).is_some_and(|s| s.face == Face::Italic)
        };
        for (at, lines) in sides.iter().enumerate() {
            // A side without place and date begins beside the line below that of the other.
            let below = !dated(lines) && dated(&sides[1 - at]);
            let y = top + if below { SIZE * LEADING } else { 0.0 };
            // Nơi nhận: a list, at the margin and small (annex I, part II, 9).
            let list = lines.first().and_then(|l| l.first()).is_some_and(|s| s.text == RECEIVERS);
            let end = if list {
                self.listed(lines, half, y)
            } else {
                self.centred(lines, LEFT + at as f32 * half, half, y, SIZE)
            };
            self.y = self.y.max(end);
        }
        self.y += SIGNED;
    }

    /// At the foot of the page where there is room, below a short rule.
    fn notes(&mut self, notes: &[String]) {
        let step = (SMALL - 1.0) * LEADING;
        let found: Vec<Vec<Line>> = notes
            .iter()
            .map(|note| lines(&[Span::new(Face::Regular, note)], SMALL - 1.0, Self::ROOM, 0.0))
            .collect();
        let high = found.iter().map(Vec::len).sum::<usize>() as f32 * step
            + found.len() as f32 * 2.0
            + GAP;
        // Below a signature the space for the seal may be used up.
        if self.y + high > Self::END && self.y - SIGNED / 2.0 + high <= Self::END {
            self.y = Self::END - high;
        }
        self.need(high.min(Self::END - TOP));
        self.y = self.y.max(Self::END - high);
        let y = self.y;
        self.rule((LEFT, y), (LEFT + Self::ROOM / 3.0, y), RULE / 2.0);
        self.y += GAP;
        for line in found.iter().flat_map(|lines| lines.iter().chain([&EMPTY])) {
            if line.pieces.is_empty() {
                self.y += 2.0;
                continue;
            }
            self.need(step);
            let stretch = match line.blanks() {
                0 => 0.0,
                _ if !line.goes_on => 0.0,
                blanks => (Self::ROOM - line.width) / blanks as f32,
            };
            let y = self.y;
            self.line(line, (LEFT, y), SMALL - 1.0, stretch);
            self.y += step;
        }
    }
}

/// Between two notes.
static EMPTY: Line = Line { pieces: vec![], width: 0.0, goes_on: false };

/// A prompt with its value, or with dots to the end of its column.
fn prompt(prompt: &Prompt, width: f32) -> Vec<Line> {
    let mut spans = prompt.before.clone();
    match prompt.value.as_deref() {
        None => {}
        Some("") => {
            let regular = Face::Regular.loaded();
            let used: f32 = spans.iter().map(|s| s.face.loaded().width(&s.text)).sum();
            let taken = used + regular.width(&prompt.behind) + 2.0 * regular.width(" ");
            let dots = ((width / SIZE - taken) / regular.width(DOT)) as usize;
            spans.push(Span::new(Face::Regular, DOT.repeat(dots)));
        }
        Some(value) => spans.push(Span::new(Face::Regular, value)),
    }
    spans.push(Span::new(Face::Regular, &prompt.behind));
    lines(&spans, SIZE, width - SIZE / 2.0, 0.0)
}
