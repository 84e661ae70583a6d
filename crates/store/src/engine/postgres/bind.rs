//! Values on PostgreSQL's wire. The schema knows INTEGER, BIGINT, TEXT and BYTEA: an integer takes
//! the width of its column, so that callers know only i64.

use std::error::Error;

use bytes::{BufMut as _, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::engine::value::Value;

type Boxed = Box<dyn Error + Sync + Send>;

impl ToSql for Value<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
        match *self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Bool(b) if *ty == Type::BOOL => out.put_u8(b.into()),
            Self::Bool(b) => integer(b.into(), ty, out)?,
            Self::Int(n) => integer(n, ty, out)?,
            Self::Text(t) => t.to_sql(ty, out).map(|_| ())?,
            Self::Bytes(b) if *ty == Type::BYTEA => out.put_slice(b),
            Self::Bytes(_) => return Err("bytes for a column of another type".into()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn integer(n: i64, ty: &Type, out: &mut BytesMut) -> Result<(), Boxed> {
    match *ty {
        Type::INT8 => out.put_i64(n),
        Type::INT4 => out.put_i32(n.try_into().map_err(|_| "an integer beyond its column")?),
        Type::INT2 => out.put_i16(n.try_into().map_err(|_| "an integer beyond its column")?),
        _ => return Err("an integer for a column of another type".into()),
    }
    Ok(())
}

/// The type that a value is sent as where nothing was prepared. Flags are integers in the schema;
/// the server works out the type of a NULL.
pub(super) fn type_of(value: Value<'_>) -> Type {
    match value {
        Value::Null => Type::UNKNOWN,
        Value::Int(_) | Value::Bool(_) => Type::INT8,
        Value::Text(_) => Type::TEXT,
        Value::Bytes(_) => Type::BYTEA,
    }
}

impl<'a> FromSql<'a> for Value<'a> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Boxed> {
        Ok(match *ty {
            Type::INT8 => Self::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Self::Int(i32::from_sql(ty, raw)?.into()),
            Type::INT2 => Self::Int(i16::from_sql(ty, raw)?.into()),
            Type::OID => Self::Int(u32::from_sql(ty, raw)?.into()),
            Type::BOOL => Self::Bool(bool::from_sql(ty, raw)?),
            Type::BYTEA => Self::Bytes(raw),
            _ => Self::Text(std::str::from_utf8(raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Boxed> {
        Ok(Self::Null)
    }

    fn accepts(ty: &Type) -> bool {
        [
            Type::INT8,
            Type::INT4,
            Type::INT2,
            Type::OID,
            Type::BOOL,
            Type::BYTEA,
            Type::TEXT,
            Type::VARCHAR,
            Type::NAME,
        ]
        .contains(ty)
    }
}
