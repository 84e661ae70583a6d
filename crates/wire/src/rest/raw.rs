//! JSON values as they came: nothing is judged here, so that every error can be reported at once.
//!
//! Texts are borrowed from the body where no escape stands in them.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Most structural errors that one object reports; a body of 64 KiB could hold thousands.
const ISSUES_MAX: usize = 20;

/// A value where a text or a code is expected.
#[derive(Default)]
pub(super) enum Raw<'a> {
    /// The key is missing.
    #[default]
    Absent,
    /// `null`: the same as missing, but another JSON value.
    Null,
    /// A text.
    Text(Cow<'a, str>),
    /// A whole number.
    Number(u64),
    /// Anything else: what it is, in Vietnamese.
    Other(&'static str),
}

/// A value where an object is expected.
#[derive(Default)]
pub(super) enum Nested<T> {
    /// The key is missing.
    #[default]
    Absent,
    /// `null`.
    Null,
    /// Not an object: what it is, in Vietnamese.
    Other(&'static str),
    /// The object.
    Given(T),
}

/// What is wrong with the keys of an object.
#[derive(Default)]
pub(super) struct Issues(pub(super) Vec<Issue>);

/// One wrong key.
pub(super) enum Issue {
    /// No such field; the name as it may be shown, empty where it may not.
    Unknown(String),
    /// The key stands twice.
    Doubled(&'static str),
}

impl Issues {
    pub(super) fn unknown(&mut self, key: &str) {
        if self.0.len() < ISSUES_MAX {
            self.0.push(Issue::Unknown(if showable(key) { key.to_owned() } else { String::new() }));
        }
    }

    pub(super) fn doubled(&mut self, key: &'static str) {
        if self.0.len() < ISSUES_MAX {
            self.0.push(Issue::Doubled(key));
        }
    }
}

/// A key that a caller made up is repeated only where it looks like a name of a field: it could
/// be a person's data set in the wrong place.
fn showable(key: &str) -> bool {
    let bytes = key.as_bytes();
    (1..=40).contains(&bytes.len())
        && bytes[0].is_ascii_alphabetic()
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        && bytes.iter().filter(|b| b.is_ascii_digit()).count() < 4
}

/// A place that a key fills once.
pub(super) trait Slot {
    /// Whether the key has not come yet.
    fn is_absent(&self) -> bool;
    /// Appends the value to the canonical bytes; equal bytes, equal JSON value.
    fn write(&self, out: &mut Vec<u8>);
}

impl Slot for Raw<'_> {
    fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Absent | Self::Other(_) => out.push(0),
            Self::Null => out.push(1),
            Self::Text(text) => {
                out.push(2);
                out.extend_from_slice(&(text.len() as u32).to_le_bytes());
                out.extend_from_slice(text.as_bytes());
            }
            Self::Number(n) => {
                out.push(3);
                out.extend_from_slice(&n.to_le_bytes());
            }
        }
    }
}

/// An object with its fields in the order of its declaration.
pub(super) trait Canonical {
    /// Appends all fields.
    fn write_fields(&self, out: &mut Vec<u8>);
}

impl<T: Canonical> Slot for Nested<T> {
    fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Absent | Self::Other(_) => out.push(0),
            Self::Null => out.push(1),
            Self::Given(fields) => {
                out.push(4);
                fields.write_fields(out);
            }
        }
    }
}

/// Reads a value into its slot, or notes that the key came twice.
pub(super) fn put<'de, A, T>(
    map: &mut A,
    slot: &mut T,
    key: &'static str,
    issues: &mut Issues,
) -> Result<(), A::Error>
where
    A: MapAccess<'de>,
    T: Slot + Deserialize<'de>,
{
    if slot.is_absent() {
        *slot = map.next_value()?;
    } else {
        map.next_value::<IgnoredAny>()?;
        issues.doubled(key);
    }
    Ok(())
}

/// A key, borrowed where it can be.
pub(super) struct Key<'a>(pub(super) Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

const ARRAY: &str = "mảng";
const OBJECT: &str = "đối tượng";
const BOOLEAN: &str = "giá trị đúng/sai";
const NUMBER: &str = "số";
const TEXT: &str = "chuỗi ký tự";

fn skip_array<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<(), A::Error> {
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

fn skip_object<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

impl<'de> Deserialize<'de> for Raw<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Raw::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Raw::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Raw::Number(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Raw::Other(NUMBER))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Raw::Other(NUMBER))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Raw::Other(BOOLEAN))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Raw::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        skip_array(seq).map(|()| Raw::Other(ARRAY))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        skip_object(map).map(|()| Raw::Other(OBJECT))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Nested<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NestedVisitor(std::marker::PhantomData))
    }
}

struct NestedVisitor<T>(std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for NestedVisitor<T> {
    type Value = Nested<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Nested::Given)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Nested::Other(TEXT))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Nested::Other(NUMBER))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Nested::Other(NUMBER))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Nested::Other(NUMBER))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Nested::Other(BOOLEAN))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Nested::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        skip_array(seq).map(|()| Nested::Other(ARRAY))
    }
}

/// Declares an object of the wire once: the struct that is read, the canonical order of its
/// fields and what the OpenAPI document says about them.
macro_rules! body {
    ($(#[$doc:meta])* $name:ident<$lt:lifetime> {
        $($(#[$fdoc:meta])* $field:ident: $key:literal, $type:ty, $need:ident, $schema:path;)*
    }) => {
        $(#[$doc])*
        #[derive(Default)]
        pub(super) struct $name<$lt> {
            $($(#[$fdoc])* pub(super) $field: $type,)*
            /// What is wrong with the keys.
            pub(super) issues: $crate::rest::raw::Issues,
        }

        impl $name<'_> {
            /// Name, whether required, and schema of each field.
            pub(super) const FIELDS: &'static [$crate::rest::shapes::FieldDoc] =
                &[$(($key, $crate::rest::shapes::Need::$need, $schema)),*];
        }

        impl $crate::rest::raw::Canonical for $name<'_> {
            fn write_fields(&self, out: &mut Vec<u8>) {
                $($crate::rest::raw::Slot::write(&self.$field, out);)*
            }
        }

        impl<$lt> serde::Deserialize<$lt> for $name<$lt> {
            fn deserialize<D: serde::Deserializer<$lt>>(deserializer: D) -> Result<Self, D::Error> {
                struct Fields;
                impl<$lt> serde::de::Visitor<$lt> for Fields {
                    type Value = $name<$lt>;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: serde::de::MapAccess<$lt>>(
                        self,
                        mut map: A,
                    ) -> Result<Self::Value, A::Error> {
                        use $crate::rest::raw::{Key, put};
                        let mut body = $name::default();
                        while let Some(Key(key)) = map.next_key()? {
                            match key.as_ref() {
                                $($key => {
                                    put(&mut map, &mut body.$field, $key, &mut body.issues)?;
                                })*
                                other => {
                                    map.next_value::<serde::de::IgnoredAny>()?;
                                    body.issues.unknown(other);
                                }
                            }
                        }
                        Ok(body)
                    }
                }
                deserializer.deserialize_map(Fields)
            }
        }
    };
}
pub(super) use body;
