//! Wordings: the texts of the forms with their blanks, in the files of `wording/`.
//!
//! A line is a paragraph, unless it begins with `=`: `motto`; `title`, its lines parted by ` / `;
//! `sub`; `h`, a heading; `line`, prompts parted by ` | `; `table`, by name; `sign`, left `||`
//! right, lines parted by ` / `; `note`. `{key}` is a blank, `{key|…}` with what stands there
//! while nobody knows; `*italic*`, `**bold**`.

use std::collections::BTreeMap;

use crate::font::Face;
use crate::layout::text::Span;
use crate::layout::{Align, Block, INDENT, Prompt, SIZE, Table};

/// What is known, by blank.
#[derive(Clone, Default)]
pub(crate) struct Known(BTreeMap<&'static str, String>);

impl Known {
    /// With a value more, where there is one.
    pub(crate) fn with(mut self, key: &'static str, value: &str) -> Self {
        let value = value.trim();
        if !value.is_empty() {
            self.0.insert(key, value.to_owned());
        }
        self
    }

    fn get(&self, key: &str) -> &str {
        self.0.get(key).map_or("", String::as_str)
    }
}

/// The blocks of a wording; `table` gives the one of a name.
pub(crate) fn blocks(
    wording: &str,
    known: &Known,
    mut table: impl FnMut(&str) -> Option<Table>,
) -> Vec<Block> {
    let mut out = vec![];
    let mut notes = vec![];
    for line in wording.lines().filter(|line| !line.is_empty()) {
        let Some(line) = line.strip_prefix('=') else {
            out.push(paragraph(line, known));
            continue;
        };
        let (what, rest) = line.split_once(' ').unwrap_or((line, ""));
        match what {
            "motto" => out.push(Block::Motto),
            "title" => {
                let lines = rest.split(" / ").map(|l| filled(l, known)).collect();
                out.push(Block::Title { lines, size: SIZE + 1.0 });
            }
            "sub" => out.push(Block::Title { lines: vec![filled(rest, known)], size: SIZE }),
            "h" => out.push(Block::Heading(spans(rest, known, Face::Bold))),
            "line" => {
                let prompts = rest.split(" | ").map(|part| prompt(part, known)).collect();
                out.push(Block::Prompts(prompts));
            }
            "table" => out.extend(table(rest).map(Block::Table)),
            "sign" => out.push(signatures(rest, known)),
            _ => notes.push(rest.to_owned()),
        }
    }
    if !notes.is_empty() {
        out.push(Block::Notes(notes));
    }
    out
}

/// A paragraph of the text.
pub(crate) fn paragraph(line: &str, known: &Known) -> Block {
    let spans = spans(line, known, Face::Regular);
    Block::Text { spans, align: Align::Even, indent: INDENT }
}

/// Who signs.
pub(crate) fn signatures(line: &str, known: &Known) -> Block {
    let side = |text: &str| -> Vec<Vec<Span>> {
        let lines = text.split(" / ").map(str::trim).filter(|l| !l.is_empty());
        lines.map(|l| spans(l, known, Face::Regular)).collect()
    };
    let (left, right) = line.split_once("||").unwrap_or(("", line));
    Block::Signatures([side(left), side(right)])
}

/// A text with its blanks filled.
pub(crate) fn filled(line: &str, known: &Known) -> String {
    spans(line, known, Face::Regular).into_iter().map(|s| s.text).collect()
}

/// A prompt: its one blank without a text of its own is dotted to the end.
fn prompt(part: &str, known: &Known) -> Prompt {
    let dotted = |key: &str| !key.contains('|');
    let found = part.match_indices('{').find_map(|(at, _)| {
        let end = at + part[at..].find('}')?;
        dotted(&part[at + 1..end]).then_some((at, end))
    });
    match found {
        None => {
            Prompt { before: spans(part, known, Face::Regular), value: None, behind: String::new() }
        }
        Some((at, end)) => Prompt {
            before: spans(&part[..at], known, Face::Regular),
            value: Some(known.get(&part[at + 1..end]).to_owned()),
            behind: part[end + 1..].trim().to_owned(),
        },
    }
}

/// A line of a wording in its faces: marks are looked for in the wording only, never in a value.
fn spans(line: &str, known: &Known, base: Face) -> Vec<Span> {
    let (mut bold, mut italic) = (base == Face::Bold, false);
    let (mut out, mut text) = (vec![], String::new());
    let mut rest = line;
    while let Some(at) = rest.find(['*', '{']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(blank) = rest.strip_prefix('{') {
            let (blank, behind) = blank.split_once('}').unwrap_or((blank, ""));
            let (key, while_unknown) = blank.split_once('|').unwrap_or((blank, "……………"));
            match known.get(key) {
                "" => text.push_str(while_unknown),
                value => text.push_str(value),
            }
            rest = behind;
            continue;
        }
        out.push(Span::new(Face::of(bold, italic), std::mem::take(&mut text)));
        if let Some(behind) = rest.strip_prefix("**") {
            bold = !bold;
            rest = behind;
        } else {
            italic = !italic;
            rest = &rest[1..];
        }
    }
    text.push_str(rest);
    out.push(Span::new(Face::of(bold, italic), text));
    out.retain(|span| !span.text.is_empty());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_taken_from_the_wording_and_not_from_values() {
        let known = Known::default().with("name", "A *b* {c}");
        let found = spans("x {name} *y {none|…}* **z**", &known, Face::Regular);
        let shown: Vec<_> = found.iter().map(|s| (s.face, s.text.as_str())).collect();
        assert_eq!(
            shown,
            [
                (Face::Regular, "x A *b* {c} "),
                (Face::Italic, "y …"),
                (Face::Regular, " "),
                (Face::Bold, "z"),
            ]
        );
    }
}
