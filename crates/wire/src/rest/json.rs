//! Writing JSON straight into the answer: the hot path builds no tree.

use std::fmt::Write;

use dancu_domain::moment::Moment;
use dancu_gate::query::CorrelationId;

/// An object being written; the closing brace comes with [`Object::end`].
pub(super) struct Object<'o> {
    out: &'o mut String,
    empty: bool,
}

impl<'o> Object<'o> {
    pub(super) fn begin(out: &'o mut String) -> Self {
        out.push('{');
        Self { out, empty: true }
    }

    /// Writes a key, one of ours that needs no escaping, and hands out the place of its value.
    pub(super) fn key(&mut self, key: &str) -> &mut String {
        self.out.push_str(if self.empty { "\"" } else { ",\"" });
        self.empty = false;
        self.out.push_str(key);
        self.out.push_str("\":");
        self.out
    }

    pub(super) fn text(&mut self, key: &str, value: &str) {
        text(self.key(key), value);
    }

    pub(super) fn optional(&mut self, key: &str, value: Option<&str>) {
        match value {
            Some(value) => self.text(key, value),
            None => self.raw(key, "null"),
        }
    }

    /// A value of ours that is JSON already.
    pub(super) fn raw(&mut self, key: &str, value: &str) {
        self.key(key).push_str(value);
    }

    pub(super) fn number(&mut self, key: &str, value: u64) {
        number(self.key(key), value);
    }

    pub(super) fn moment(&mut self, key: &str, value: Moment) {
        let out = self.key(key);
        out.push('"');
        out.push_str(&value.rfc3339());
        out.push('"');
    }

    pub(super) fn correlation(&mut self, id: CorrelationId) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let out = self.key("correlationId");
        out.push('"');
        for byte in id.0 {
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        out.push('"');
    }

    pub(super) fn end(self) {
        self.out.push('}');
    }
}

/// A whole number.
pub(super) fn number(out: &mut String, value: u64) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{value}");
}

/// A quoted and escaped text.
pub(super) fn text(out: &mut String, value: &str) {
    out.push('"');
    let mut from = 0;
    for (at, byte) in value.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&value[from..at]);
        from = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            _ => {
                let _ = write!(out, "\\u{byte:04x}");
            }
        }
    }
    out.push_str(&value[from..]);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_read_back() {
        proptest::proptest!(|(value: String)| {
            let mut out = String::new();
            text(&mut out, &value);
            assert_eq!(serde_json::from_str::<String>(&out).unwrap(), value);
        });
    }
}
