//! Where things stand on the page: paragraphs, prompts with dotted lines, tables, signatures and
//! notes, laid out as Decree 30/2020/NĐ-CP (annex I) has documents of the administration.

mod blocks;
mod page;
mod table;
pub(crate) mod text;

use text::Span;

pub(crate) use page::{Page, Paint, lay_out};

/// A millimetre in points.
pub(crate) const MM: f32 = 72.0 / 25.4;
/// A4 (annex I, part I, 1), mm.
pub(crate) const WIDTH: f32 = 210.0 * MM;
/// The same.
pub(crate) const HEIGHT: f32 = 297.0 * MM;
/// Margins (annex I, part I, 4): top and bottom 20-25 mm, left 30-35, right 15-20.
pub(crate) const TOP: f32 = 20.0 * MM;
/// The same.
pub(crate) const BOTTOM: f32 = 20.0 * MM;
/// The same.
pub(crate) const LEFT: f32 = 30.0 * MM;
/// The same.
pub(crate) const RIGHT: f32 = 17.0 * MM;
/// Body text: 13-14 points (annex I, part II, 6).
pub(crate) const SIZE: f32 = 13.0;
/// Tables and notes: small enough for seven columns beside each other (*ours*).
pub(crate) const SMALL: f32 = 11.0;
/// From line to line: at least single (annex I, part II, 6), as the fonts have it.
pub(crate) const LEADING: f32 = 1.17;
/// Between paragraphs: at least 6 points (annex I, part II, 6).
pub(crate) const GAP: f32 = 6.0;
/// A first line is moved in by 1 cm or 1.27 cm (annex I, part II, 6).
pub(crate) const INDENT: f32 = 10.0 * MM;

/// How lines stand between the margins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Align {
    Left,
    Centre,
    /// Even on both sides.
    Even,
}

/// A column's text of a line with prompts: before the value, the value, behind it.
#[derive(Clone, Debug)]
pub(crate) struct Prompt {
    pub(crate) before: Vec<Span>,
    /// None: there is nothing to fill in. Empty: a dotted line, for the pen.
    pub(crate) value: Option<String>,
    pub(crate) behind: String,
}

/// A table.
#[derive(Clone, Default, Debug)]
pub(crate) struct Table {
    /// Heads and their shares of the width.
    pub(crate) columns: Vec<(String, f32)>,
    /// Whether a column's texts stand in its middle.
    pub(crate) centred: Vec<bool>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// What a paper is made of, from top to bottom.
#[derive(Clone, Debug)]
pub(crate) enum Block {
    /// Quốc hiệu and Tiêu ngữ alone, in the middle.
    Motto,
    /// Agency, number and subject on the left; motto, place and date on the right.
    Head { agency: Vec<String>, number: String, subject: String, dated: String },
    /// Lines in the middle.
    Title { lines: Vec<String>, size: f32 },
    /// A heading within the text.
    Heading(Vec<Span>),
    /// A paragraph.
    Text { spans: Vec<Span>, align: Align, indent: f32 },
    /// Prompts beside each other.
    Prompts(Vec<Prompt>),
    /// A table, its head repeated on each page.
    Table(Table),
    /// Who signs, on the left and on the right; kept together.
    Signatures([Vec<Vec<Span>>; 2]),
    /// Notes, at the foot of the last page.
    Notes(Vec<String>),
}
