//! Rows as bytes: each with its length in front, values with a byte for their kind.

use crate::engine::{Row, Value};
use crate::error::Result;

/// A row is at most this long: a sealed chunk of the journal is about 14 KiB, and 64 MiB keep a
/// damaged length from asking for all of the memory.
pub(super) const ROW_MAX: usize = 64 << 20;

const NULL: u8 = 0;
const INT: u8 = 1;
const TEXT: u8 = 2;
const BYTES: u8 = 3;

/// Appends the first `columns` values of a row with the row's length in front (4 bytes).
pub(super) fn encode(row: &Row<'_>, columns: usize, out: &mut Vec<u8>) -> Result<()> {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    for column in 0..columns {
        match row.value(column)? {
            Value::Null => out.push(NULL),
            Value::Int(n) => int(n, out),
            Value::Bool(b) => int(b.into(), out),
            Value::Text(text) => bytes(TEXT, text.as_bytes(), out),
            Value::Bytes(b) => bytes(BYTES, b, out),
        }
    }
    let length = (out.len() - start - 4) as u32;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

fn int(n: i64, out: &mut Vec<u8>) {
    out.push(INT);
    out.extend_from_slice(&n.to_be_bytes());
}

fn bytes(kind: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(kind);
    out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// The values of a row without its length; `None` = these are not the bytes of a row with so many
/// columns.
pub(super) fn decode(mut rest: &[u8], columns: usize) -> Option<Vec<Value<'_>>> {
    let mut out = Vec::with_capacity(columns);
    while let Some((kind, after)) = rest.split_first() {
        let value;
        (value, rest) = match *kind {
            NULL => (Value::Null, after),
            INT => {
                let (n, after) = after.split_first_chunk::<8>()?;
                (Value::Int(i64::from_be_bytes(*n)), after)
            }
            TEXT | BYTES => {
                let (length, after) = after.split_first_chunk::<4>()?;
                let (held, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
                let value = match *kind {
                    TEXT => Value::Text(std::str::from_utf8(held).ok()?),
                    _ => Value::Bytes(held),
                };
                (value, after)
            }
            _ => return None,
        };
        out.push(value);
    }
    (out.len() == columns).then_some(out)
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::engine::Tx;

    #[test]
    fn rows_come_back_and_damage_is_seen() {
        let db = Connection::open_in_memory().unwrap();
        let mut out = vec![];
        let sql = "SELECT NULL, -5, 'Đỗ', x'00ff', 9223372036854775807, '', x''";
        Tx::from(&db).one(sql, &[], |r| encode(r, 7, &mut out)).unwrap();
        let (length, row) = out.split_first_chunk::<4>().unwrap();
        assert_eq!(u32::from_be_bytes(*length) as usize, row.len());
        let values = decode(row, 7).unwrap();
        let wanted = [
            Value::Null,
            Value::Int(-5),
            Value::Text("Đỗ"),
            Value::Bytes(&[0, 255]),
            Value::Int(i64::MAX),
            Value::Text(""),
            Value::Bytes(&[]),
        ];
        assert!(values == wanted);
        assert!(decode(row, 6).is_none() && decode(row, 8).is_none());
        for cut in 1..row.len() {
            assert!(decode(&row[..cut], 7).is_none(), "cut at {cut}");
        }
        assert!(decode(&[9], 1).is_none());
        assert!(decode(&[TEXT, 0, 0, 0, 1, 0xff], 1).is_none());
    }
}
