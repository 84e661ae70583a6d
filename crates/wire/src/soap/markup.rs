//! What the tokenizer leaves unchecked of XML's grammar: white space between attributes, the XML
//! declaration, targets of instructions, the end of a CDATA section in text.
//!
//! Headers are sent back as they came, so what is not well-formed must not get past here.

use quick_xml::events::{BytesDecl, BytesPI};

use super::chars::split_name;
use super::envelope::{Trouble, is_utf8};

const fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r')
}

/// Reads `name="value"` pairs as they stand after a tag's name, each after white space.
pub(super) struct Pairs<'a> {
    rest: &'a str,
}

impl<'a> Pairs<'a> {
    pub(super) const fn new(rest: &'a str) -> Self {
        Self { rest }
    }

    /// Leaves white space out; whether there was any.
    fn skip_space(&mut self) -> bool {
        let end = self.rest.bytes().position(|b| !is_space(b)).unwrap_or(self.rest.len());
        self.rest = &self.rest[end..];
        end > 0
    }

    fn pair(&mut self) -> Option<(&'a str, &'a str)> {
        let end = self.rest.bytes().position(|b| is_space(b) || b == b'=')?;
        let (key, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.skip_space();
        self.rest = self.rest.strip_prefix('=')?;
        self.skip_space();
        let quote = self.rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, rest) = self.rest[1..].split_once(quote)?;
        self.rest = rest;
        (!key.is_empty()).then_some((key, value))
    }
}

/// Ends after the first error.
impl<'a> Iterator for Pairs<'a> {
    type Item = Result<(&'a str, &'a str), Trouble>;

    fn next(&mut self) -> Option<Self::Item> {
        let spaced = self.skip_space();
        if self.rest.is_empty() {
            return None;
        }
        let pair = if spaced { self.pair() } else { None };
        if pair.is_none() {
            self.rest = "";
        }
        Some(pair.ok_or(Trouble::Malformed))
    }
}

/// The XML declaration: version, then encoding, then standalone, and nothing else.
pub(super) fn declaration(declared: &BytesDecl<'_>) -> Result<(), Trouble> {
    let text: &str = declared;
    let mut pairs = Pairs::new(text.strip_prefix("xml").ok_or(Trouble::Malformed)?);
    let Some(Ok(("version", version))) = pairs.next() else {
        return Err(Trouble::Malformed);
    };
    let minor = version.strip_prefix("1.").unwrap_or_default();
    if minor.is_empty() || !minor.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Trouble::Malformed);
    }
    let mut next = pairs.next().transpose()?;
    if let Some(("encoding", name)) = next {
        if !is_utf8(name) {
            return Err(Trouble::Charset);
        }
        next = pairs.next().transpose()?;
    }
    if let Some(("standalone", "yes" | "no")) = next {
        next = pairs.next().transpose()?;
    }
    if next.is_none() { Ok(()) } else { Err(Trouble::Malformed) }
}

/// A processing instruction: its target is a name without a prefix, and not `xml`.
pub(super) fn instruction(pi: &BytesPI<'_>) -> Result<(), Trouble> {
    let target = pi.target();
    if split_name(target) == Some(("", target)) && !target.eq_ignore_ascii_case("xml") {
        Ok(())
    } else {
        Err(Trouble::Malformed)
    }
}

/// Text never holds `]]>`.
pub(super) fn text_ends_no_section(text: &str) -> Result<(), Trouble> {
    if text.contains("]]>") { Err(Trouble::Malformed) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_need_white_space_between() {
        let read = |text| Pairs::new(text).collect::<Result<Vec<_>, _>>();
        assert_eq!(read(" a=\"1\"\n b = 'x\"y' "), Ok(vec![("a", "1"), ("b", "x\"y")]));
        assert_eq!(read("  "), Ok(vec![]));
        for bad in ["a=\"1\"", " a=\"1\"b=\"2\"", " a", " a=1", " a=\"1", " =\"1\"", " a=\"1\"/"] {
            assert_eq!(read(bad), Err(Trouble::Malformed), "{bad}");
        }
    }
}
