//! Values that go into a statement and come out of a row, the same for both engines.

use std::fmt;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};

/// One bound or read value, borrowed from where it lies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// SQL NULL.
    Null,
    /// Any integer column: INTEGER and BIGINT.
    Int(i64),
    /// TEXT.
    Text(&'a str),
    /// BLOB or BYTEA.
    Bytes(&'a [u8]),
    /// A flag; flags are kept in INTEGER columns as 0 and 1.
    Bool(bool),
}

/// Only the kind is shown: values may be personal data or secrets.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Int(_) => "Int(***)",
            Self::Text(_) => "Text(***)",
            Self::Bytes(_) => "Bytes(***)",
            Self::Bool(_) => "Bool(***)",
        })
    }
}

impl Value<'_> {
    /// An upper bound of the memory that the value takes when it is kept, in bytes.
    pub(super) fn size(&self) -> usize {
        size_of::<OwnedValue>()
            + match self {
                Self::Text(t) => t.len(),
                Self::Bytes(b) => b.len(),
                _ => 0,
            }
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Self::Null => ValueRef::Null,
            Self::Int(n) => ValueRef::Integer(n),
            Self::Text(t) => ValueRef::Text(t.as_bytes()),
            Self::Bytes(b) => ValueRef::Blob(b),
            Self::Bool(b) => ValueRef::Integer(b.into()),
        }))
    }
}

/// A value that outlives its source: what is queued for a pipeline.
pub(super) enum OwnedValue {
    Null,
    Int(i64),
    Text(Box<str>),
    Bytes(Box<[u8]>),
    Bool(bool),
}

impl From<Value<'_>> for OwnedValue {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Int(n) => Self::Int(n),
            Value::Text(t) => Self::Text(t.into()),
            Value::Bytes(b) => Self::Bytes(b.into()),
            Value::Bool(b) => Self::Bool(b),
        }
    }
}

impl OwnedValue {
    pub(super) fn borrow(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Int(n) => Value::Int(*n),
            Self::Text(t) => Value::Text(t),
            Self::Bytes(b) => Value::Bytes(b),
            Self::Bool(b) => Value::Bool(*b),
        }
    }
}

/// What can be bound. `u64` is left out on purpose: say `cast_signed`, as both engines keep i64.
pub trait ToValue {
    /// The value, borrowed.
    fn value(&self) -> Value<'_>;
}

macro_rules! integers {
    ($($t:ty),*) => {$(
        impl ToValue for $t {
            fn value(&self) -> Value<'_> {
                Value::Int(i64::from(*self))
            }
        }
        impl From<$t> for Value<'_> {
            fn from(n: $t) -> Self {
                Value::Int(i64::from(n))
            }
        }
        impl FromValue<'_> for $t {
            const EXPECTED: &'static str = stringify!($t);
            fn from_value(value: Value<'_>) -> Option<Self> {
                match value {
                    Value::Int(n) => n.try_into().ok(),
                    Value::Bool(b) => Some(b.into()),
                    _ => None,
                }
            }
        }
    )*};
}

/// What a column can be read as. Integers are checked for their range.
pub trait FromValue<'a>: Sized {
    /// The type's name, for the error of a value that does not fit.
    const EXPECTED: &'static str;

    /// The value as this type; `None` = it does not fit.
    fn from_value(value: Value<'a>) -> Option<Self>;
}

integers!(i8, i16, i32, i64, u8, u16, u32);

impl ToValue for bool {
    fn value(&self) -> Value<'_> {
        Value::Bool(*self)
    }
}

impl ToValue for str {
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl ToValue for String {
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl ToValue for [u8] {
    fn value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl ToValue for Vec<u8> {
    fn value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl<const N: usize> ToValue for [u8; N] {
    fn value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, T::value)
    }
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn value(&self) -> Value<'_> {
        (**self).value()
    }
}

impl ToValue for Value<'_> {
    fn value(&self) -> Value<'_> {
        *self
    }
}

impl From<bool> for Value<'_> {
    fn from(b: bool) -> Self {
        Value::Bool(b)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::Text(text)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Value::Bytes(bytes)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl FromValue<'_> for bool {
    const EXPECTED: &'static str = "bool";
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Int(n) => Some(n != 0),
            Value::Bool(b) => Some(b),
            _ => None,
        }
    }
}

impl<'a> FromValue<'a> for &'a str {
    const EXPECTED: &'static str = "text";
    fn from_value(value: Value<'a>) -> Option<Self> {
        if let Value::Text(t) = value { Some(t) } else { None }
    }
}

impl FromValue<'_> for String {
    const EXPECTED: &'static str = "text";
    fn from_value(value: Value<'_>) -> Option<Self> {
        if let Value::Text(t) = value { Some(t.to_owned()) } else { None }
    }
}

impl<'a> FromValue<'a> for &'a [u8] {
    const EXPECTED: &'static str = "bytes";
    fn from_value(value: Value<'a>) -> Option<Self> {
        if let Value::Bytes(b) = value { Some(b) } else { None }
    }
}

impl FromValue<'_> for Vec<u8> {
    const EXPECTED: &'static str = "bytes";
    fn from_value(value: Value<'_>) -> Option<Self> {
        if let Value::Bytes(b) = value { Some(b.to_vec()) } else { None }
    }
}

impl<const N: usize> FromValue<'_> for [u8; N] {
    const EXPECTED: &'static str = "bytes of a fixed length";
    fn from_value(value: Value<'_>) -> Option<Self> {
        if let Value::Bytes(b) = value { b.try_into().ok() } else { None }
    }
}

impl<'a, T: FromValue<'a>> FromValue<'a> for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    fn from_value(value: Value<'a>) -> Option<Self> {
        if value == Value::Null { Some(None) } else { T::from_value(value).map(Some) }
    }
}

/// The values of a statement in the order of `$1…$n`, borrowed: `values![id, name, sealed]`.
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        &[$($crate::engine::ToValue::value(&$value)),*] as &[$crate::engine::Value<'_>]
    };
}
