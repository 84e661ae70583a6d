//! Tables: cells of several lines, ruled, the head again on every page.

use super::page::Flow;
use super::text::{Line, Span, lines};
use super::{GAP, LEADING, LEFT, MM, SMALL, TOP, Table};
use crate::font::Face;

/// Between a rule and a text.
const PAD: f32 = 1.2 * MM;
/// Thickness of rules.
const RULE: f32 = 0.5;
/// From line to line.
const STEP: f32 = SMALL * LEADING;

/// A row as it stands: lines by cell.
type Cells = Vec<Vec<Line>>;

impl Flow {
    pub(super) fn table(&mut self, table: &Table) {
        let whole: f32 = table.columns.iter().map(|(_, share)| share).sum();
        let widths: Vec<f32> =
            table.columns.iter().map(|(_, share)| share / whole * Self::ROOM).collect();
        let cells = |texts: &mut dyn Iterator<Item = &str>, face: Face| -> Cells {
            let each = texts.zip(&widths);
            each.map(|(t, w)| lines(&[Span::new(face, t)], SMALL, w - 2.0 * PAD, 0.0)).collect()
        };
        let head = cells(&mut table.columns.iter().map(|(text, _)| text.as_str()), Face::Bold);
        let all_centred = vec![true; widths.len()];
        self.gap(GAP / 2.0);
        // A head alone at the foot of a page says nothing.
        self.need(height(&head) + 2.0 * (STEP + 2.0 * PAD));
        self.row(&head, &widths, &all_centred, true);
        for row in &table.rows {
            let mut rest = cells(&mut row.iter().map(String::as_str), Face::Regular);
            loop {
                let fits = Self::END - TOP - height(&head) - 2.0 * PAD;
                let part = split(&mut rest, (fits / STEP) as usize);
                if self.y + height(&part) > Self::END {
                    self.turn();
                    self.row(&head, &widths, &all_centred, true);
                }
                self.row(&part, &widths, &table.centred, false);
                if rest.iter().all(Vec::is_empty) {
                    break;
                }
            }
        }
        self.y += GAP;
    }

    fn row(&mut self, cells: &Cells, widths: &[f32], centred: &[bool], head: bool) {
        let (top, bottom) = (self.y, self.y + height(cells));
        let mut x = LEFT;
        for ((lines, width), centred) in cells.iter().zip(widths).zip(centred) {
            let high = lines.len() as f32 * STEP;
            // Heads stand in the middle of their cell, values at its top.
            let mut y = if head { f32::midpoint(top, bottom) - high / 2.0 } else { top + PAD };
            for line in lines {
                let at = if *centred { (width - line.width) / 2.0 } else { PAD };
                self.line(line, (x + at, y), SMALL, 0.0);
                y += STEP;
            }
            self.rule((x, top), (x, bottom), RULE);
            x += width;
        }
        self.rule((x, top), (x, bottom), RULE);
        if head || top <= TOP {
            self.rule((LEFT, top), (x, top), RULE);
        }
        self.rule((LEFT, bottom), (x, bottom), RULE);
        self.y = bottom;
    }
}

fn height(cells: &Cells) -> f32 {
    cells.iter().map(Vec::len).max().unwrap_or(0).max(1) as f32 * STEP + 2.0 * PAD
}

/// The first lines of each cell, taken off.
fn split(cells: &mut Cells, most: usize) -> Cells {
    let take = |lines: &mut Vec<Line>| lines.drain(..lines.len().min(most.max(1))).collect();
    cells.iter_mut().map(take).collect()
}
