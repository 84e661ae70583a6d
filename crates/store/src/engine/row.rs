//! One row of a result, borrowed from the engine.

use rusqlite::types::ValueRef;

use super::fault::{Fault, Kind};
use super::value::{FromValue, Value};
use crate::error::Result;

/// A row of a result; columns count from 0.
pub struct Row<'r>(Source<'r>);

enum Source<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r tokio_postgres::Row),
}

impl<'r> Row<'r> {
    pub(super) fn sqlite(row: &'r rusqlite::Row<'r>) -> Self {
        Self(Source::Sqlite(row))
    }

    pub(super) fn postgres(row: &'r tokio_postgres::Row) -> Self {
        Self(Source::Postgres(row))
    }

    /// A column as a type of Rust; bytes and text may be borrowed from the row.
    ///
    /// # Errors
    /// The column is missing or its value does not fit the type. The value is not told.
    pub fn get<'c, T: FromValue<'c>>(&'c self, column: usize) -> Result<T> {
        T::from_value(self.value(column)?).ok_or_else(|| {
            let text = format!("column {column}: {} expected", T::EXPECTED);
            Fault::new(Kind::Other, "value", text).into()
        })
    }

    /// A column as it is.
    pub fn value(&self, column: usize) -> Result<Value<'_>> {
        let odd = || Fault::new(Kind::Other, "value", format!("column {column} cannot be read"));
        match &self.0 {
            Source::Sqlite(row) => Ok(match row.get_ref(column).map_err(|_| odd())? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(n) => Value::Int(n),
                ValueRef::Text(t) => Value::Text(std::str::from_utf8(t).map_err(|_| odd())?),
                ValueRef::Blob(b) => Value::Bytes(b),
                ValueRef::Real(_) => return Err(odd().into()),
            }),
            Source::Postgres(row) => Ok(row.try_get(column).map_err(|_| odd())?),
        }
    }
}
