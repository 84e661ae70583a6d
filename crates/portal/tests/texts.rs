//! No text in a template, every key in both languages, every icon in the sprite.
#![expect(clippy::unwrap_used, reason = "a file that cannot be read fails the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

fn read_all(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
    found.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

fn keys(language: &str) -> Vec<String> {
    let path = format!("{}/locales/{language}.ftl", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
        .map(|line| line.split_once(" =").unwrap().0.to_owned())
        .collect()
}

/// Words in quotation marks that look like a key or an icon: `counter-head`.
fn quoted(text: &str) -> BTreeSet<String> {
    text.split('"')
        .skip(1)
        .filter(|word| word.contains('-') && !word.starts_with('-') && !word.ends_with('-'))
        .filter(|word| word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
        .map(ToOwned::to_owned)
        .collect()
}

#[test]
fn both_languages_have_the_same_keys_once_each_in_the_same_order() {
    let (vi, en) = (keys("vi"), keys("en"));
    assert_eq!(vi, en);
    assert_eq!(vi.iter().collect::<BTreeSet<_>>().len(), vi.len(), "a key stands twice");
}

#[test]
fn what_templates_and_views_ask_for_is_there() {
    let prefixes: BTreeSet<String> =
        keys("vi").iter().map(|key| key.split('-').next().unwrap().to_owned()).collect();
    let known: BTreeSet<String> = keys("vi").into_iter().collect();
    let sprite =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/static/icons.svg")).unwrap();
    // Values of `autocomplete` and names of icons that begin like a key.
    let others = ["current-password", "new-password", "one-time-code"];
    for (path, text) in read_all("templates").into_iter().chain(read_all("src")) {
        for word in quoted(&text) {
            let icon = sprite.contains(&format!("id=\"{word}\""));
            let prefix = word.split('-').next().unwrap().to_owned();
            let plain = !prefixes.contains(&prefix) || others.contains(&word.as_str());
            assert!(known.contains(&word) || icon || plain, "{}: {word}", path.display());
        }
        for call in ["icon(\"", "m::empty(\"", "icon: \""] {
            for name in text.split(call).skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(sprite.contains(&format!("id=\"{name}\"")), "{}: {name}", path.display());
            }
        }
    }
}

/// What the program asks for: words in quotation marks, and texts with a gap (`rule-{id}`,
/// `{verdict}-why`) as what stands before and after it.
fn asked_for() -> (BTreeSet<String>, Vec<(String, String)>) {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut paths = Vec::new();
    for entry in fs::read_dir(crates).unwrap() {
        let source = entry.unwrap().path().join("src");
        if source.is_dir() {
            files(&source, &mut paths);
        }
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let sources = paths.iter().map(|path| fs::read_to_string(path).unwrap());
    let templates = read_all("templates").into_iter().map(|(_, text)| text);
    let (mut words, mut gaps) = (BTreeSet::new(), Vec::new());
    for text in sources.chain(templates) {
        for piece in text.split('"').filter(|piece| !piece.contains(char::is_whitespace)) {
            match (piece.split_once('{'), piece.rsplit_once('}')) {
                (Some((before, _)), Some((_, after))) => {
                    gaps.push((before.to_owned(), after.to_owned()));
                }
                _ => drop(words.insert(piece.to_owned())),
            }
        }
    }
    (words, gaps)
}

#[test]
fn every_text_is_asked_for() {
    let (words, gaps) = asked_for();
    let fits = |key: &str, (before, after): &(String, String)| {
        if before.is_empty() {
            // A gap at the beginning holds a key that stands somewhere itself.
            let rest = key.strip_suffix(after.as_str());
            return after.starts_with('-') && rest.is_some_and(|rest| words.contains(rest));
        }
        before.ends_with('-') && key.starts_with(before.as_str()) && key.ends_with(after.as_str())
    };
    let idle: Vec<String> = keys("vi")
        .into_iter()
        .filter(|key| !words.contains(key) && !gaps.iter().any(|gap| fits(key, gap)))
        .collect();
    assert!(idle.is_empty(), "nobody asks for {idle:?}");
}

#[test]
fn templates_hold_no_words_no_scripts_and_no_styles() {
    for (path, text) in read_all("templates") {
        let visible: String = strip(&strip(&text, "{#", "#}"), "{%", "%}");
        let visible = strip(&visible, "{{", "}}");
        for banned in ["<style", " style=", " onclick=", " onload=", " hx-on", "javascript:"] {
            assert!(!visible.contains(banned), "{}: {banned}", path.display());
        }
        for (at, _) in visible.match_indices("<script") {
            let tag = visible[at..].split('>').next().unwrap();
            assert!(tag.contains(" src="), "{}: inline script", path.display());
        }
        let accents = visible.chars().find(|c| c.is_alphabetic() && !c.is_ascii());
        assert_eq!(accents, None, "{}: a text stands in the template", path.display());
    }
}

fn strip(text: &str, open: &str, close: &str) -> String {
    let mut out = String::new();
    for (at, part) in text.split(open).enumerate() {
        let rest = if at == 0 { part } else { part.split_once(close).map_or("", |(_, rest)| rest) };
        out.push_str(rest);
    }
    out
}
