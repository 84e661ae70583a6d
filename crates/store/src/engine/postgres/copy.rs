//! Many rows at once: PostgreSQL's COPY in its binary form.

use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::SinkExt as _;
use tokio_postgres::types::{IsNull, ToSql as _, Type};

use super::Postgres;
use crate::engine::fault::{Fault, Kind};
use crate::engine::value::Value;
use crate::error::Result;

/// What begins a binary COPY: signature, no flags, no extension (PostgreSQL's documentation of
/// COPY, file formats).
const HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// The number of fields that says that no row follows.
const END: i16 = -1;
/// Bytes that are gathered before they are sent.
const CHUNK: usize = 256 << 10;

/// Takes one row of a load, its values in the order of the columns.
pub(in crate::engine) type TakeRow<'a> = dyn FnMut(&[Value<'_>]) -> Result<()> + 'a;

pub(in crate::engine) fn load(
    db: &mut Postgres,
    table: &str,
    columns: &str,
    rows: &mut dyn FnMut(&mut TakeRow<'_>) -> Result<()>,
) -> Result<u64> {
    db.flush()?;
    let types = db.wait(db.session.types(&format!("SELECT {columns} FROM {table} LIMIT 0")))??;
    let copy = format!("COPY {table} ({columns}) FROM STDIN (FORMAT binary)");
    let mut sink = Box::pin(db.wait(db.session.copy_in(&copy))??);
    let mut buffer = BytesMut::with_capacity(CHUNK + (CHUNK >> 2));
    buffer.put_slice(HEAD);
    rows(&mut |values| {
        row(&mut buffer, &types, values)?;
        if buffer.len() >= CHUNK {
            let full: Bytes = buffer.split().freeze();
            db.wait(sink.send(full))?.map_err(Fault::from)?;
        }
        Ok(())
    })?;
    buffer.put_i16(END);
    db.wait(sink.send(buffer.freeze()))?.map_err(Fault::from)?;
    Ok(db.wait(sink.as_mut().finish())?.map_err(Fault::from)?)
}

fn row(out: &mut BytesMut, types: &[Type], values: &[Value<'_>]) -> Result<(), Fault> {
    let odd = |text: &str| Fault::new(Kind::Other, "copy", text);
    if types.len() != values.len() {
        return Err(odd("wrong number of values"));
    }
    out.put_i16(values.len() as i16);
    for (ty, value) in types.iter().zip(values) {
        let at = out.len();
        out.put_i32(-1);
        let written = value.to_sql(ty, out).map_err(|e| odd(&e.to_string()))?;
        if matches!(written, IsNull::No) {
            let length = (out.len() - at - 4) as i32;
            out[at..at + 4].copy_from_slice(&length.to_be_bytes());
        }
    }
    Ok(())
}
