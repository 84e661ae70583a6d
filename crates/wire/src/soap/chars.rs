//! Characters, names and escapes of XML 1.0.

/// Whether XML 1.0 allows the character in a document.
pub(super) const fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// Whether every character is allowed. Surrogates cannot occur in UTF-8.
pub(super) fn all_xml(text: &str) -> bool {
    /// Bytes looked at before the first early return, so that the inner loop needs no branch.
    const STRIDE: usize = 64;
    let bytes = text.as_bytes();
    let bad = |b: &u8| matches!(b, 0..=0x08 | 0x0b | 0x0c | 0x0e..=0x1f);
    let clean = |chunk: &[u8]| chunk.iter().fold(0, |found, b| found | u8::from(bad(b))) == 0;
    bytes.chunks(STRIDE).all(clean)
        && !(bytes.contains(&0xef) && text.contains(['\u{fffe}', '\u{ffff}']))
}

/// NameStartChar of XML 1.0 (fifth edition) beyond ASCII.
const fn starts_name(c: char) -> bool {
    matches!(c,
        '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}'
        | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}'
        | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

/// What NameChar has beyond NameStartChar and ASCII.
const fn goes_on_in_name(c: char) -> bool {
    matches!(c, '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

/// Splits a qualified name into prefix (empty where none) and local name; `None` for what is no
/// name of XML 1.0 with namespaces.
pub(super) fn split_name(name: &str) -> Option<(&str, &str)> {
    let mut colon = None;
    let mut first = true;
    for (at, c) in name.char_indices() {
        match c {
            'a'..='z' | 'A'..='Z' | '_' => first = false,
            '0'..='9' | '.' | '-' if !first => {}
            ':' if !first && colon.is_none() => {
                colon = Some(at);
                first = true;
            }
            _ if starts_name(c) => first = false,
            _ if !first && goes_on_in_name(c) => {}
            _ => return None,
        }
    }
    if first {
        return None;
    }
    Some(colon.map_or(("", name), |at| (&name[..at], &name[at + 1..])))
}

/// Whether the text is nothing but the white space of XML.
pub(super) fn is_blank(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r'))
}

/// Appends text with `\r\n` and `\r` read as `\n`, as XML 1.0 section 2.11 has it.
pub(super) fn push_lines(out: &mut String, text: &str) {
    if !text.as_bytes().contains(&b'\r') {
        out.push_str(text);
        return;
    }
    let mut rest = text.split('\r');
    out.push_str(rest.next().unwrap_or_default());
    for part in rest {
        out.push('\n');
        out.push_str(part.strip_prefix('\n').unwrap_or(part));
    }
}

/// Appends text for an element or a quoted attribute. Characters that XML does not allow cannot
/// be escaped either: they are dropped, so that an answer is well-formed whatever it holds.
pub(super) fn push_escaped(out: &mut String, text: &str) {
    if !all_xml(text) {
        let allowed: String = text.chars().filter(|c| is_xml(*c)).collect();
        return push_escaped(out, &allowed);
    }
    let mut from = 0;
    for (at, b) in text.bytes().enumerate() {
        let with = match b {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\r' => "&#13;",
            _ => continue,
        };
        out.push_str(&text[from..at]);
        out.push_str(with);
        from = at + 1;
    }
    out.push_str(&text[from..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters() {
        assert!(all_xml("Nguyễn\t\r\n\u{85}\u{10ffff}") && all_xml(""));
        for bad in ["\0", "a\u{1}", "\u{1f}", "\u{fffe}", "x\u{ffff}"] {
            assert!(!all_xml(bad), "{bad:?}");
            assert!(!all_xml(&("x".repeat(100) + bad)), "{bad:?}");
            assert!(!bad.chars().all(is_xml), "{bad:?}");
        }
        assert!("\u{7f}\u{d7ff}\u{e000}\u{fffd}\u{10000}".chars().all(is_xml));
    }

    #[test]
    fn names() {
        assert_eq!(split_name("a"), Some(("", "a")));
        assert_eq!(split_name("a:b-1.x"), Some(("a", "b-1.x")));
        assert_eq!(split_name("tên"), Some(("", "tên")));
        assert_eq!(split_name("ế:a\u{b7}\u{301}"), Some(("ế", "a\u{b7}\u{301}")));
        for bad in ["", ":", ":a", "a:", "a:b:c", "1a", "-a", "a b", "a\"", "a:1", "a\u{d7}"] {
            assert_eq!(split_name(bad), None, "{bad}");
        }
        for bad in ["\u{b7}a", "\u{301}a", "a\u{a0}b", "a\u{2019}", "a\u{3000}b", "a\u{f0000}"] {
            assert_eq!(split_name(bad), None, "{bad}");
        }
    }

    #[test]
    fn lines_and_escapes() {
        let mut out = String::new();
        push_lines(&mut out, "a\r\nb\rc\r\r\n\n");
        assert_eq!(out, "a\nb\nc\n\n\n");
        out.clear();
        push_escaped(&mut out, "<a & \"b\">\rẻ");
        assert_eq!(out, "&lt;a &amp; &quot;b&quot;&gt;&#13;ẻ");
        out.clear();
        push_escaped(&mut out, "a\u{ffff}<\u{fffe}\u{1}ế");
        assert_eq!(out, "a&lt;ế");
    }
}
