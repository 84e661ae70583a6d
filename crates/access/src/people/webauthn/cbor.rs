//! As much of CBOR (RFC 8949) as authenticators write: definite lengths, few types, shallow.

/// Items inside each other at most: an attestation has four.
const DEPTH: u8 = 8;
/// Items of one array or map at most: what follows could not be in an answer of that size.
const ITEMS: u64 = 256;

/// An item, borrowed from its bytes.
#[derive(PartialEq, Debug)]
pub(super) enum Item<'a> {
    /// A whole number, positive or negative.
    Number(i64),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A text.
    Text(&'a str),
    /// A list.
    List(Vec<Item<'a>>),
    /// Pairs.
    Map(Vec<(Item<'a>, Item<'a>)>),
    /// True, false, null.
    Simple(u8),
}

impl<'a> Item<'a> {
    /// The value of a text key.
    pub(super) fn get_text(&self, key: &str) -> Option<&Item<'a>> {
        self.get(|k| matches!(k, Item::Text(text) if *text == key))
    }

    /// The value of a number key.
    pub(super) fn get_number(&self, key: i64) -> Option<&Item<'a>> {
        self.get(|k| *k == Item::Number(key))
    }

    fn get(&self, is: impl Fn(&Item<'a>) -> bool) -> Option<&Item<'a>> {
        let Item::Map(pairs) = self else { return None };
        let mut found = pairs.iter().filter(|(k, _)| is(k)).map(|(_, value)| value);
        let value = found.next()?;
        // A key that stands twice could be read as either.
        found.next().is_none().then_some(value)
    }
}

/// The one item that all these bytes are.
pub(super) fn whole(bytes: &[u8]) -> Option<Item<'_>> {
    first(bytes).filter(|(_, rest)| rest.is_empty()).map(|(item, _)| item)
}

/// The first item, and the bytes after it.
pub(super) fn first(bytes: &[u8]) -> Option<(Item<'_>, &[u8])> {
    item(bytes, DEPTH)
}

fn item(bytes: &[u8], depth: u8) -> Option<(Item<'_>, &[u8])> {
    let depth = depth.checked_sub(1)?;
    let (head, rest) = bytes.split_first()?;
    let (value, rest) = argument(head & 0x1f, rest)?;
    let length = usize::try_from(value).ok()?;
    Some(match head >> 5 {
        0 => (Item::Number(i64::try_from(value).ok()?), rest),
        1 => (Item::Number(-1 - i64::try_from(value).ok()?), rest),
        2 => {
            let (bytes, rest) = rest.split_at_checked(length)?;
            (Item::Bytes(bytes), rest)
        }
        3 => {
            let (text, rest) = rest.split_at_checked(length)?;
            (Item::Text(str::from_utf8(text).ok()?), rest)
        }
        4 => {
            let (mut list, mut rest) = (vec![], rest);
            for _ in 0..Some(value).filter(|n| *n <= ITEMS)? {
                let (next, after) = item(rest, depth)?;
                list.push(next);
                rest = after;
            }
            (Item::List(list), rest)
        }
        5 => {
            let (mut pairs, mut rest) = (vec![], rest);
            for _ in 0..Some(value).filter(|n| *n <= ITEMS)? {
                let (key, after) = item(rest, depth)?;
                let (value, after) = item(after, depth)?;
                pairs.push((key, value));
                rest = after;
            }
            (Item::Map(pairs), rest)
        }
        7 if head & 0x1f < 24 => (Item::Simple(head & 0x1f), rest),
        _ => return None,
    })
}

/// The number of a head: in it, or in the 1, 2, 4 or 8 bytes after it.
fn argument(low: u8, rest: &[u8]) -> Option<(u64, &[u8])> {
    let length = match low {
        0..24 => return Some((u64::from(low), rest)),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => return None,
    };
    let (bytes, rest) = rest.split_at_checked(length)?;
    Some((bytes.iter().fold(0, |n, b| n << 8 | u64::from(*b)), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8949, appendix A.
    #[test]
    fn vectors_of_the_standard() {
        let read = |hex: &str| {
            let bytes = hex::decode(hex).unwrap();
            whole(&bytes).map(|item| format!("{item:?}"))
        };
        for (hex, expected) in [
            ("00", "Number(0)"),
            ("17", "Number(23)"),
            ("1818", "Number(24)"),
            ("1903e8", "Number(1000)"),
            ("1b000000e8d4a51000", "Number(1000000000000)"),
            ("20", "Number(-1)"),
            ("3903e7", "Number(-1000)"),
            ("f5", "Simple(21)"),
            ("4401020304", "Bytes([1, 2, 3, 4])"),
            ("62c3bc", "Text(\"ü\")"),
            ("83010203", "List([Number(1), Number(2), Number(3)])"),
            ("a201020304", "Map([(Number(1), Number(2)), (Number(3), Number(4))])"),
        ] {
            assert_eq!(read(hex).as_deref(), Some(expected), "{hex}");
        }
        for hex in [
            "",
            "18",
            "1b00",
            "62c3",
            "62c328",
            "5f",
            "9f01ff",
            "c1",
            "0000",
            "a101",
            "a1",
            "9a7fffffff",
            "bb7fffffffffffffff",
            "1bffffffffffffffff",
            "5b7fffffffffffffff",
        ] {
            assert_eq!(read(hex), None, "{hex}");
        }
        let deep = "81".repeat(10_000) + "00";
        assert_eq!(read(&deep), None);
    }

    #[test]
    fn a_key_stands_once() {
        let bytes = hex::decode("a201020103").unwrap();
        assert_eq!(whole(&bytes).unwrap().get_number(1), None);
        let bytes = hex::decode("a2010203f5").unwrap();
        assert_eq!(whole(&bytes).unwrap().get_number(3), Some(&Item::Simple(21)));
    }
}
