//! What changed for integrators, newest first: `docs/changes.md` in the reader's language.

use askama::Template;

use crate::shell::Shell;
use crate::text::{Language, Text};

/// The text, one for both languages.
const CHANGES: &str = include_str!("../../../docs/changes.md");
/// What stands between Vietnamese and English.
const BETWEEN: &str = " · ";

/// A version.
pub struct Release {
    /// Version and day, `0.1.0 · 23/11/2026`.
    pub head: String,
    /// What changed, a sentence or two each.
    pub items: Vec<String>,
}

/// The page.
#[derive(Template)]
#[template(path = "changes.html")]
pub struct Changes {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Versions, the newest first.
    pub releases: Vec<Release>,
}

/// Every version in a language.
#[must_use]
pub fn releases(language: Language) -> Vec<Release> {
    let sections = CHANGES.split("\n## ").skip(1);
    let release = |section: &'static str| {
        let (head, body) = section.split_once('\n').unwrap_or((section, ""));
        let items = body.split("- ").skip(1).map(|item| {
            let line = item.split_whitespace().collect::<Vec<_>>().join(" ");
            let (vi, en) = line.split_once(BETWEEN).unwrap_or((&line, &line));
            let text = if language == Language::Vietnamese { vi } else { en };
            text.to_owned()
        });
        let (version, day) = head.trim().split_once(BETWEEN).unwrap_or((head, ""));
        let day = day.split('-').rev().collect::<Vec<_>>().join("/");
        Release { head: format!("{version}{BETWEEN}{day}"), items: items.collect() }
    };
    sections.map(release).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_stands_in_both_languages_the_newest_first() {
        let [vi, en] = [Language::Vietnamese, Language::English].map(releases);
        assert!(vi.len() == en.len() && vi.len() > 1);
        let heads: Vec<_> = CHANGES.lines().filter_map(|l| l.strip_prefix("## ")).collect();
        let days: Vec<_> = heads.iter().map(|head| head.rsplit(' ').next()).collect();
        assert!(days.windows(2).all(|two| two[0] > two[1]), "{days:?}");
        assert!(vi.iter().all(|r| r.head.split('/').count() == 3), "days as people write them");
        for (vi, en) in vi.iter().zip(&en) {
            assert!(!vi.items.is_empty() && vi.items.len() == en.items.len(), "{}", vi.head);
            for (vi, en) in vi.items.iter().zip(&en.items) {
                assert!(vi.ends_with('.') && en.ends_with('.'), "{vi} | {en}");
                assert!(vi != en && !vi.is_ascii() && !en.contains(BETWEEN), "{vi} | {en}");
            }
        }
    }
}
