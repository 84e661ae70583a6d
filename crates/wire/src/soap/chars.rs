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

/// Splits a qualified name into prefix (empty where none) and local name; `None` for what is no
/// name. Letters beyond ASCII are not told apart: no name of ours has any.
pub(super) fn split_name(name: &str) -> Option<(&str, &str)> {
    let mut colon = None;
    let mut first = true;
    for (at, b) in name.bytes().enumerate() {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => first = false,
            b'0'..=b'9' | b'.' | b'-' if !first => {}
            b':' if !first && colon.is_none() => {
                colon = Some(at);
                first = true;
            }
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

/// Appends text for an element or a quoted attribute.
pub(super) fn push_escaped(out: &mut String, text: &str) {
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
        for bad in ["", ":", ":a", "a:", "a:b:c", "1a", "-a", "a b", "a\"", "a:1"] {
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
    }
}
