//! House rules that the compiler does not hold: doors between rooms, sizes, forbidden words,
//! machine paths, dead documents. Each rule lists everything it finds at once.
//!
//! To add a room: a line in [`DOORS`], and one in ARCHITECTURE.md. To add a heavy dependency: a
//! line in [`HEAVY`].
#![expect(clippy::unwrap_used, reason = "a file that cannot be read fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A room and the rooms it may use (ARCHITECTURE.md, code map).
const DOORS: &[(&str, &[&str])] = &[
    ("dancu-domain", &[]),
    ("dancu-journal", &["dancu-domain"]),
    ("dancu-world", &["dancu-domain"]),
    ("dancu-store", &["dancu-journal", "dancu-domain"]),
    ("dancu-access", &["dancu-store", "dancu-journal", "dancu-domain"]),
    // The gate fills journal entries, so it names their types.
    ("dancu-gate", &["dancu-store", "dancu-access", "dancu-journal", "dancu-domain"]),
    ("dancu-wire", &["dancu-gate", "dancu-domain"]),
    ("dancu-papers", &["dancu-domain"]),
    // Acts fill journal entries, so it names their types.
    (
        "dancu-office",
        &["dancu-store", "dancu-access", "dancu-journal", "dancu-papers", "dancu-domain"],
    ),
    // Pages alone.
    ("dancu-portal", &["dancu-gate", "dancu-access", "dancu-domain"]),
    // A PostgreSQL for tests: it knows no room.
    ("dancu-testdb", &[]),
    // The measuring tools talk HTTP; a ledger loop of theirs may use the store, and one of sign-ins
    // the room that checks them.
    ("dancu-bench", &["dancu-store", "dancu-access", "dancu-journal", "dancu-domain"]),
];
/// The room that may use every other one.
const SERVER: &str = "dancu";

/// Dependencies that only some rooms may name: engines, HTTP, XML, runtimes, command lines.
const HEAVY: &[(&str, &[&str])] = &[
    ("rusqlite", &["dancu-store"]),
    ("tokio-postgres", &["dancu-store"]),
    ("cryptoki", &["dancu-store"]),
    ("deadpool-postgres", &["dancu-store"]),
    ("axum", &[SERVER, "dancu-bench"]),
    ("hyper", &[SERVER, "dancu-bench"]),
    ("hyper-util", &[SERVER, "dancu-bench"]),
    ("quick-xml", &["dancu-wire"]),
    ("utoipa", &["dancu-wire"]),
    ("krilla", &["dancu-papers"]),
    ("calamine", &["dancu-papers"]),
    ("rust_xlsxwriter", &["dancu-papers"]),
    ("zip", &["dancu-papers"]),
    ("askama", &["dancu-portal"]),
    ("fluent-bundle", &["dancu-portal"]),
    ("jsonwebtoken", &["dancu-access"]),
    ("clap", &[SERVER, "dancu-bench"]),
    ("indicatif", &[SERVER]),
    ("anyhow", &[SERVER, "dancu-bench"]),
    ("lettre", &[SERVER]),
    ("mimalloc", &[SERVER, "dancu-bench"]),
    ("argon2", &["dancu-access"]),
    ("tokio", &["dancu-store", "dancu-access", "dancu-gate", SERVER, "dancu-bench"]),
    ("rand", &["dancu-world", "dancu-bench"]),
];

/// Lines of a file before its tests.
const FILE_LINES: usize = 500;
/// Lines of a function, from its `fn` to its last brace.
const FUNCTION_LINES: usize = 70;
/// Columns of a line.
const COLUMNS: usize = 100;

/// Marks of unfinished work and of rules switched off; written in parts, so that this file does
/// not find itself.
const FORBIDDEN: &[(&str, &str)] = &[
    (concat!("#[al", "low("), "use #[expect(.., reason = ..)]"),
    (concat!("#![al", "low("), "use #![expect(.., reason = ..)]"),
    (concat!("to", "do!"), "unfinished"),
    (concat!("unimpl", "emented!"), "unfinished"),
    (concat!("db", "g!("), "left over"),
    (concat!("FIX", "ME"), "unfinished"),
    (concat!("TO", "DO"), "unfinished"),
];

/// Asking the machine for the time: only the server's clock and the measuring tools.
const CLOCKS: &[&str] = &[concat!("SystemTime::", "now"), concat!("Instant::", "now")];

/// Folders of one machine: nothing that others read may name them.
const MACHINE_PATHS: &[&str] =
    &[concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Us", "ers/"), concat!("/wo", "rk/")];

/// Folders that are not ours or not kept.
const SKIPPED: &[&str] = &[
    "target",
    "node_modules",
    ".venv",
    ".git",
    "__pycache__",
    "dancu-data",
    ".cache",
    ".pytest_cache",
    ".hypothesis",
    ".schemathesis",
];

// --- doors ---------------------------------------------------------------------------------------

#[test]
fn rooms_use_only_their_doors() {
    let mut found = vec![];
    for (room, dependencies) in rooms() {
        if room == SERVER {
            continue;
        }
        let Some((_, allowed)) = DOORS.iter().find(|(r, _)| *r == room) else {
            found.push(format!("{room}: no line in DOORS"));
            continue;
        };
        let ours = dependencies.iter().filter(|d| *d == SERVER || d.starts_with("dancu-"));
        let closed = ours.filter(|d| !allowed.contains(&d.as_str()));
        found.extend(closed.map(|d| format!("{room} uses {d}")));
    }
    none(&found);
}

#[test]
fn heavy_dependencies_stay_in_their_rooms() {
    let mut found = vec![];
    for (room, dependencies) in rooms() {
        for (heavy, allowed) in HEAVY {
            if dependencies.contains(*heavy) && !allowed.contains(&room.as_str()) {
                found.push(format!("{room} names {heavy}"));
            }
        }
    }
    none(&found);
}

/// Every package of the workspace with its ordinary dependencies; those of tests are free.
fn rooms() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let name = |v: &serde_json::Value| v["name"].as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > DOORS.len());
    packages
        .iter()
        .map(|p| {
            let all = p["dependencies"].as_array().unwrap();
            (name(p), all.iter().filter(|d| d["kind"] != "dev").map(name).collect())
        })
        .collect()
}

/// A comment above each dependency, or above the first of a family (`rand`, `rand_chacha`).
#[test]
fn dependencies_say_why_they_are_here() {
    let manifest = read(&root().join("Cargo.toml"));
    let section = manifest.split("[workspace.dependencies]").nth(1).unwrap();
    let section = section.split("\n[").next().unwrap();
    let (mut explained, mut found) = (String::new(), vec![]);
    let mut commented = false;
    for line in section.lines().filter(|l| !l.trim().is_empty()) {
        if line.starts_with('#') {
            commented = true;
            continue;
        }
        let family = line.split(['-', '_', ' ']).next().unwrap_or(line).to_owned();
        if !commented && family != explained {
            found.push(format!("Cargo.toml: no comment above `{line}`"));
        }
        explained = family;
        commented = false;
    }
    none(&found);
}

// --- sizes ---------------------------------------------------------------------------------------

#[test]
fn files_are_short() {
    let mut found = vec![];
    for (path, text) in sources(&["src"]) {
        let lines = before_tests(&text).lines().count();
        if lines > FILE_LINES {
            found.push(format!("{path}: {lines} lines without tests"));
        }
    }
    none(&found);
}

#[test]
fn lines_are_short() {
    let mut found = vec![];
    for (path, text) in sources(&["src", "tests", "examples"]) {
        for (i, line) in text.lines().enumerate() {
            let columns = line.chars().count();
            if columns > COLUMNS {
                found.push(format!("{path}:{}: {columns} columns", i + 1));
            }
        }
    }
    none(&found);
}

#[test]
fn functions_are_short() {
    let mut found = vec![];
    for (path, text) in sources(&["src"]) {
        for (line, name, length) in functions(before_tests(&text)) {
            if length > FUNCTION_LINES {
                found.push(format!("{path}:{line}: {name} has {length} lines"));
            }
        }
    }
    none(&found);
}

/// Line, name and length of every function: from the line with `fn` to the one where its braces
/// are even again. Texts are left out as far as they end on the line they begin on.
fn functions(text: &str) -> Vec<(usize, String, usize)> {
    let lines: Vec<String> = text.lines().map(without_texts).collect();
    let mut out = vec![];
    for (first, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else {
            continue;
        };
        let (mut depth, mut opened) = (0i64, false);
        for (last, line) in lines.iter().enumerate().skip(first) {
            let opening = line.matches('{').count() as i64;
            depth += opening - line.matches('}').count() as i64;
            opened |= opening > 0;
            let declared = !opened && line.trim_end().ends_with(';');
            if declared || (opened && depth <= 0) {
                out.push((first + 1, name, last - first + 1));
                break;
            }
        }
    }
    out
}

fn function_name(line: &str) -> Option<String> {
    let words = ["pub ", "pub(crate) ", "pub(super) ", "const ", "async "];
    let mut rest = line.trim_start();
    while let Some(next) = words.iter().find_map(|w| rest.strip_prefix(w)) {
        rest = next;
    }
    let name = rest.strip_prefix("fn ")?;
    Some(name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
}

/// The line without its comment and without what stands between quotes.
fn without_texts(line: &str) -> String {
    let (mut out, mut in_text, mut escaped) = (String::new(), false, false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_text => escaped = true,
            '"' => in_text = !in_text,
            // A brace or a quote as a character literal.
            '\'' if !in_text && matches!(chars.peek(), Some('{' | '}' | '"')) => {
                chars.next();
            }
            '/' if !in_text && chars.peek() == Some(&'/') => break,
            _ if in_text => {}
            _ => out.push(c),
        }
    }
    out
}

#[test]
fn functions_are_measured() {
    let text = "pub(crate) fn a(\n) -> &'static str {\n    \"}}\" // }\n}\nfn b();\n";
    let found = functions(text);
    assert_eq!(found, [(1, "a".to_owned(), 4), (5, "b".to_owned(), 1)]);
}

// --- words ---------------------------------------------------------------------------------------

#[test]
fn every_room_says_what_it_is() {
    let mut found = vec![];
    for (path, text) in sources(&["src"]) {
        if !path.ends_with("/src/lib.rs") {
            continue;
        }
        let head: String = text.lines().take_while(|l| l.starts_with("//!")).collect();
        if head.is_empty() {
            found.push(format!("{path} does not open with a description"));
        }
        if !head.contains("**Invariant:**") {
            found.push(format!("{path} names no **Invariant:**"));
        }
    }
    none(&found);
}

#[test]
fn nothing_is_unfinished_or_switched_off() {
    let mut found = vec![];
    for (path, text) in sources(&["src", "tests", "examples"]) {
        for (i, line) in text.lines().enumerate() {
            for (word, why) in FORBIDDEN.iter().filter(|(w, _)| line.contains(w)) {
                found.push(format!("{path}:{}: {word} ({why})", i + 1));
            }
        }
    }
    none(&found);
}

#[test]
fn only_the_clock_asks_for_the_time() {
    let mut found = vec![];
    for (path, text) in sources(&["src"]) {
        if path == "crates/server/src/clock.rs" || path.starts_with("crates/bench/") {
            continue;
        }
        for (i, line) in before_tests(&text).lines().enumerate() {
            if CLOCKS.iter().any(|c| line.contains(c)) {
                found.push(format!("{path}:{}: asks the machine for the time", i + 1));
            }
        }
    }
    none(&found);
}

#[test]
fn no_text_names_a_machine() {
    let mut found = vec![];
    for (path, text) in tracked() {
        for (i, line) in text.lines().enumerate() {
            if MACHINE_PATHS.iter().any(|p| names_path(line, p)) {
                found.push(format!("{path}:{}: a path of one machine", i + 1));
            }
        }
    }
    none(&found);
}

/// Whether the line has this path from the root on, not as a part of a longer one.
fn names_path(line: &str, path: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '}' | '~');
    line.match_indices(path).any(|(at, _)| !line[..at].chars().next_back().is_some_and(inside))
}

// --- documents -----------------------------------------------------------------------------------

/// Every path in backticks that begins with a folder of ours exists, and so does every link.
#[test]
fn documents_name_files_that_exist() {
    let mut found = vec![];
    for (path, text) in tracked() {
        if Path::new(&path).extension().is_none_or(|e| e != "md") {
            continue;
        }
        for named in text.split('`').skip(1).step_by(2).filter(|n| is_path(n)) {
            let file = named.split([':', '#']).next().unwrap_or(named);
            if !root().join(file).exists() {
                found.push(format!("{path}: `{named}` does not exist"));
            }
        }
        let folder = root().join(&path).parent().unwrap().to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or(link);
            let elsewhere = file.contains("://") || file.starts_with("mailto:");
            if !file.is_empty() && !elsewhere && !folder.join(file).exists() {
                found.push(format!("{path}: the link to {link} leads nowhere"));
            }
        }
    }
    none(&found);
}

fn is_path(text: &str) -> bool {
    let ours = ["crates/", "docs/", "bench/", "tests/"];
    ours.iter().any(|p| text.starts_with(p)) && !text.contains([' ', '*', '{', '<', '…', '\n'])
}

/// Each rule id stands once as a row of the glossary, in the order of the regulation.
#[test]
fn the_glossary_has_every_rule() {
    let glossary = read(&root().join("docs/glossary.md"));
    let is_id = |id: &&str| {
        let mut bytes = id.bytes();
        let group = bytes.next().is_some_and(|b| (b'A'..=b'J').contains(&b));
        group && id.len() > 1 && bytes.all(|b| b.is_ascii_digit())
    };
    let cells = glossary.lines().filter_map(|l| l.strip_prefix("| ")?.split(" |").next());
    let rows: Vec<&str> = cells.filter(is_id).collect();
    let expected: Vec<&str> = dancu_domain::rule::RuleId::ALL.iter().map(|r| r.code()).collect();
    assert_eq!(rows, expected);
}

// --- files ---------------------------------------------------------------------------------------

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// The text before its first test module.
fn before_tests(text: &str) -> &str {
    text.split_once("#[cfg(test)]\n").map_or(text, |(code, _)| code)
}

/// Rust files in these folders of every room, with their paths from the root.
fn sources(folders: &[&str]) -> Vec<(String, String)> {
    let mut out = vec![];
    for room in std::fs::read_dir(root().join("crates")).unwrap() {
        let room = room.unwrap().path();
        for folder in folders {
            collect(&room.join(folder), &mut out);
        }
    }
    out.retain(|(path, _)| Path::new(path).extension().is_some_and(|e| e == "rs"));
    assert!(!out.is_empty());
    out.sort();
    out
}

/// Every text file that is kept.
fn tracked() -> Vec<(String, String)> {
    let mut out = vec![];
    collect(&root(), &mut out);
    assert!(out.len() > 50);
    out
}

/// Text files under a folder, sorted; what is not UTF-8 is not text.
fn collect(folder: &Path, out: &mut Vec<(String, String)>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let mut paths: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !SKIPPED.contains(&name.as_str()) {
                collect(&path, out);
            }
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            let path = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            out.push((path, text));
        }
    }
}

fn none(found: &[String]) {
    let mut text = String::new();
    for line in found {
        writeln!(text, "  {line}").unwrap();
    }
    assert!(found.is_empty(), "{} found:\n{text}", found.len());
}
