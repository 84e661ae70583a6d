//! A JSON value as it came, with what is wrong in its structure.
//!
//! Keys that are not known stay in the tree: they are ignored by the reader, as unknown elements
//! are in SOAP, but they are part of the value, so a repeat must bring them again.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::members;
use crate::body::{NESTING_MAX, Unfit};

/// Most doubled keys that one body reports; one of 64 KiB could hold thousands.
const DOUBLED_MAX: usize = 20;

/// A JSON value.
pub(super) enum Value {
    Null,
    Bool(bool),
    /// A whole number that is not negative.
    Whole(u64),
    /// A whole number below zero.
    Negative(i64),
    /// Any other number.
    Fraction(f64),
    Text(String),
    List(Vec<Value>),
    Object(Object),
}

/// Members by key, in the order of the keys: the order of the body is no part of the value.
pub(super) type Object = BTreeMap<String, Value>;

impl Value {
    /// What it is, in Vietnamese.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "giá trị đúng/sai",
            Self::Whole(_) | Self::Negative(_) | Self::Fraction(_) => "số",
            Self::Text(_) => "chuỗi ký tự",
            Self::List(_) => "mảng",
            Self::Object(_) => "đối tượng",
        }
    }

    /// Appends the canonical bytes: equal bytes, equal JSON value.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.push(0),
            Self::Bool(value) => out.push(1 + u8::from(*value)),
            Self::Whole(number) => {
                out.push(3);
                out.extend_from_slice(&number.to_le_bytes());
            }
            Self::Negative(number) => {
                out.push(4);
                out.extend_from_slice(&number.to_le_bytes());
            }
            // A mark of its own: a fraction may have the bytes of a whole number.
            Self::Fraction(number) => {
                out.push(8);
                out.extend_from_slice(&number.to_le_bytes());
            }
            Self::Text(text) => {
                out.push(5);
                write_text(out, text);
            }
            Self::List(items) => {
                out.push(6);
                out.extend_from_slice(&(items.len() as u32).to_le_bytes());
                for item in items {
                    item.write(out);
                }
            }
            Self::Object(object) => {
                out.push(7);
                write_object(out, object);
            }
        }
    }
}

/// Appends the canonical bytes of an object.
pub(super) fn write_object(out: &mut Vec<u8>, object: &Object) {
    out.extend_from_slice(&(object.len() as u32).to_le_bytes());
    for (key, value) in object {
        write_text(out, key);
        value.write(out);
    }
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&(text.len() as u32).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// What is wrong with the structure of a body.
#[derive(Default)]
pub(super) struct Flaws {
    /// Keys that came twice: their names, `?` for one that is not ours, since a key that a
    /// caller made up could be a person's data in the wrong place.
    pub(super) doubled: Vec<&'static str>,
    /// Nested deeper than is read.
    pub(super) too_deep: bool,
}

/// Reads a whole body.
pub(super) fn read(text: &str) -> Result<(Object, Flaws), Unfit> {
    let mut flaws = Flaws::default();
    let mut json = serde_json::Deserializer::from_str(text);
    let seed = Seed { flaws: &mut flaws, depth: 0 };
    let value = seed.deserialize(&mut json).and_then(|value| json.end().map(|()| value));
    match value {
        _ if flaws.too_deep => Err(Unfit::TooDeep),
        Ok(Value::Object(object)) => Ok((object, flaws)),
        Ok(_) => Err(Unfit::NoObject),
        Err(e) => Err(Unfit::of(&e)),
    }
}

struct Seed<'f> {
    flaws: &'f mut Flaws,
    depth: usize,
}

impl Seed<'_> {
    fn inner<E: Error>(&mut self) -> Result<Seed<'_>, E> {
        if self.depth >= NESTING_MAX {
            self.flaws.too_deep = true;
            return Err(E::custom("nested too deep"));
        }
        Ok(Seed { depth: self.depth + 1, flaws: self.flaws })
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Whole(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Negative(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Fraction(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = vec![];
        while let Some(item) = seq.next_element_seed(self.inner()?)? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Object::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(self.inner()?)?;
            match object.entry(key) {
                Entry::Vacant(place) => {
                    place.insert(value);
                }
                Entry::Occupied(first) if self.flaws.doubled.len() < DOUBLED_MAX => {
                    self.flaws.doubled.push(members::shown(first.key()));
                }
                Entry::Occupied(_) => {}
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        let (object, _) = read(text).ok().unwrap();
        let mut out = vec![];
        write_object(&mut out, &object);
        out
    }

    #[test]
    fn equal_values_have_equal_bytes() {
        assert_eq!(bytes(r#"{"a":1,"b":[null,"\u0041"]}"#), bytes(r#" {"b":[null,"A"],"a":1}"#));
        let all = [
            r#"{"a":1}"#,
            r#"{"a":"1"}"#,
            r#"{"a":-1}"#,
            r#"{"a":-1.0}"#,
            // The bytes of -1.0, read as a whole number.
            r#"{"a":-4616189618054758400}"#,
            r#"{"a":null}"#,
            r#"{"a":[]}"#,
            r#"{"a":{}}"#,
            r#"{"a":[[],1]}"#,
            r#"{"a":[[1]]}"#,
            r#"{"a":true}"#,
            r#"{"a":false}"#,
            r#"{"a1":null}"#,
            "{}",
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|other| bytes(one) != bytes(other)), "{one}");
        }
    }

    #[test]
    fn structure() {
        let doubled = |text: &str| read(text).ok().unwrap().1.doubled;
        assert_eq!(doubled(r#"{"maDVC":1,"maDVC":1}"#), ["maDVC"]);
        assert_eq!(doubled(r#"{"x":{"Nguyễn Văn A":1,"Nguyễn Văn A":2}}"#), ["?"]);
        assert!(doubled(r#"{"a":{"b":1},"c":{"b":1}}"#).is_empty());
        let deep = |n: usize| format!("{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n));
        assert!(read(&deep(NESTING_MAX - 1)).is_ok());
        assert!(matches!(read(&deep(NESTING_MAX + 1)), Err(Unfit::TooDeep)));
        assert!(matches!(read(&deep(10_000)), Err(Unfit::TooDeep)));
        assert!(matches!(read("[]"), Err(Unfit::NoObject)));
        assert!(matches!(read(" "), Err(Unfit::Cut)));
        assert!(matches!(read("{\"a\":"), Err(Unfit::Cut)));
        assert!(matches!(read("{} {}"), Err(Unfit::Syntax(..))));
        assert!(matches!(read("{\"a\":1,}"), Err(Unfit::Syntax(..))));
    }
}
