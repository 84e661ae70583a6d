//! Names: every habit of writing a name is the same name, and what matches has the same key.

use dancu_domain::name::{FullName, NameQuery};
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

/// Reads one name, and a second one after a line break.
///
/// # Panics
/// Where a law is broken.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (first, second) = text.split_once('\n').unwrap_or((text, ""));
    let (one, other) = (FullName::parse(first), FullName::parse(second));
    assert_eq!(one.is_ok(), NameQuery::parse(first).is_ok());
    let Ok(one) = one else { return };
    shape(&one);
    habits(first, &one);
    if let Ok(other) = other {
        pair(&one, &other);
    }
}

fn shape(name: &FullName) {
    let text = name.as_str();
    assert_eq!(FullName::parse(text).as_ref(), Ok(name));
    assert!(is_nfc(text) && (1..=100).contains(&text.chars().count()));
    assert!(!text.contains("  ") && text.trim() == text && !text.contains(char::is_control));
}

fn habits(as_sent: &str, name: &FullName) {
    let text = name.as_str();
    let swapped: String = text.chars().map(|c| if c == '\'' { '\u{2019}' } else { c }).collect();
    let spellings = [
        ("as sent", as_sent.to_owned()),
        ("NFC", text.to_owned()),
        ("NFD", text.nfd().collect()),
        ("upper case", name.upper()),
        ("without spaces", text.replace(' ', "")),
        ("upper case without spaces", name.upper().replace(' ', "")),
        ("more spaces", text.replace(' ', " \u{a0} ")),
        ("another apostrophe", swapped),
        ("folded", name.fold()),
    ];
    for (habit, spelling) in spellings {
        if habit.starts_with("upper") && upper_case_joins(text) {
            continue;
        }
        // Upper case may be longer than a name may be, a folded name may have no letter left.
        let Ok(query) = NameQuery::parse(&spelling) else { continue };
        assert!(query.matches(name), "{habit}: {spelling:?} is not {text:?}");
        assert_eq!(query.fold(), name.fold(), "{habit}: {spelling:?} has another key");
    }
}

/// Whether the name has a letter that two upper-case letters stand for (ß, ŉ), or the dotless i,
/// whose upper case is that of i: a mark may join another letter there. No name in use has these.
fn upper_case_joins(text: &str) -> bool {
    text.chars().any(|c| c == '\u{131}' || c.to_uppercase().count() > 1)
}

fn pair(one: &FullName, other: &FullName) {
    let (Ok(a), Ok(b)) = (NameQuery::parse(one.as_str()), NameQuery::parse(other.as_str())) else {
        panic!("a name on record can be asked");
    };
    if a.matches(other) {
        assert_eq!(a.fold(), other.fold(), "what matches is found by its key");
    }
    if a.has_accents() && b.has_accents() {
        assert_eq!(a.matches(other), b.matches(one), "{one:?} and {other:?} disagree");
    }
    if !a.has_accents() {
        assert_eq!(a.matches(other), a.fold() == other.fold());
    }
}
