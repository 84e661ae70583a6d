//! The head of a batch, from the query of its address.

use std::borrow::Cow;

use dancu_domain::ids::PersonalId;
use dancu_domain::service::Service;
use dancu_gate::jobs::types::{JobKind, NewJob, PAGE_MAX};
use dancu_gate::query::{FieldError, Unreadable};
use jiff::civil::Date;

use crate::batch::Format;
use crate::rest::fields::{At, Reader};
use crate::rest::head::{Head, RawHead};
use crate::rest::raw::Raw;
use crate::rest::shapes::{self, FieldDoc, Need};

/// The path of batches.
pub const BATCHES: &str = "/api/v1/batches";

/// The parameters of a submission.
pub(in crate::rest) const PARAMETERS: [FieldDoc; 5] = [
    ("requestId", Need::Required, shapes::request_id),
    ("account", Need::Required, shapes::account),
    ("procedureCode", Need::Required, shapes::procedure_code),
    ("purpose", Need::Optional, shapes::purpose),
    ("caseCode", Need::Optional, shapes::case_code),
];

/// Reads the head of a batch from the query of its address (without `?`).
///
/// # Errors
/// Everything that is wrong, by parameter; never a value.
pub fn parse_batch(query: &str, format: Format) -> Result<NewJob, Box<Unreadable>> {
    let mut reader = Reader { today: Date::MIN, errors: vec![] };
    let mut values: [Raw<'_>; PARAMETERS.len()] = Default::default();
    for pair in query.split('&').filter(|p| !p.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let place = PARAMETERS.iter().position(|(known, ..)| *known == name);
        match place.map(|n| (&mut values[n], decoded(value))) {
            None => reader.error(At::root("?"), "Có tham số không được hỗ trợ."),
            Some((slot @ Raw::Absent, Some(text))) => *slot = Raw::Text(Cow::Owned(text)),
            Some((Raw::Absent, None)) => {
                reader.error(At::root(name), "Mã hóa phần trăm (%) không đúng hoặc không UTF-8.");
            }
            Some(_) => reader.error(At::root(name), "Tham số này xuất hiện hai lần."),
        }
    }
    let [request_id, account, procedure, purpose, case] = &values;
    let raw = RawHead { request_id, procedure, purpose, case, account };
    let head = Head::read(&mut reader, &raw);
    if head.officer().is_some_and(|o| PersonalId::parse(o.as_str()).is_ok()) {
        // Addresses are logged on the way: no personal id may stand in one.
        let message = "Nêu tên đăng nhập hoặc mã cán bộ, không nêu số định danh.";
        reader.error(At::root("account"), message);
    }
    let service = Some(Service::CitizenBatchVerify);
    let unreadable = |_: &mut Reader| Unreadable { service, ..Unreadable::default() };
    let (head, ()) = head.with(Some(()), reader, unreadable)?;
    Ok(NewJob { kind: JobKind::BatchVerify, head, digest: digest_of(format, &values) })
}

/// Reads `from` (a row, 1 where missing) and `limit` (rows, [`PAGE_MAX`] where missing) of a page.
///
/// # Errors
/// A parameter that is no number in its range.
pub fn parse_page(query: &str) -> Result<(u32, u32), Box<Unreadable>> {
    let mut errors = vec![];
    let mut number = |name: &str, missing: u32, most: u32| {
        let mut given = query.split('&').filter_map(|p| p.strip_prefix(name)?.strip_prefix('='));
        let Some(text) = given.next() else { return missing };
        let valid = (1..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        match text.parse() {
            Ok(n) if valid && (1..=most).contains(&n) => n,
            _ => {
                let message_vi = format!("Số nguyên từ 1 đến {most}.");
                errors.push(FieldError { field: name.to_owned(), message_vi });
                missing
            }
        }
    };
    let page = (number("from", 1, 99_999_999), number("limit", PAGE_MAX, PAGE_MAX));
    if errors.is_empty() {
        Ok(page)
    } else {
        Err(Box::new(Unreadable { errors, ..Unreadable::default() }))
    }
}

/// A value of a query: `+` is a space, `%XX` a byte of UTF-8. `None` = it is neither.
fn decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                (digit()? * 16 + digit()?) as u8
            }
            other => other,
        });
    }
    String::from_utf8(out).ok()
}

/// The form of the file and the values, whatever their spelling and order.
fn digest_of(format: Format, values: &[Raw<'_>]) -> [u8; 16] {
    let mut canonical = vec![b'B', format as u8];
    for value in values {
        let text = if let Raw::Text(text) = value { text.as_ref() } else { "" };
        canonical.extend_from_slice(&(text.len() as u32).to_be_bytes());
        canonical.extend_from_slice(text.as_bytes());
    }
    crate::body::digest16(&canonical)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "requestId=LO-1&account=onestop.kehoach&procedureCode=1.004194";

    fn wrong(query: &str) -> Vec<String> {
        let unreadable = parse_batch(query, Format::Csv).unwrap_err();
        unreadable.errors.into_iter().map(|e| e.field).collect()
    }

    #[test]
    fn a_head_is_read_whatever_its_order_and_spelling() {
        let one = parse_batch(&format!("{GOOD}&purpose=%C4%90%C4%83ng+k%C3%BD"), Format::Csv);
        let other = "purpose=%C4%90%C4%83ng%20k%C3%BD&procedureCode=1.004194&requestId=LO%2D1\
                     &account=onestop.kehoach";
        let (one, other) = (one.unwrap(), parse_batch(other, Format::Csv).unwrap());
        assert_eq!(one.head.purpose.as_ref().unwrap().as_str(), "Đăng ký");
        assert_eq!(one.digest, other.digest);
        assert_ne!(one.digest, parse_batch(GOOD, Format::Csv).unwrap().digest);
        let csv = parse_batch(GOOD, Format::Csv).unwrap().digest;
        assert_ne!(csv, parse_batch(GOOD, Format::Ndjson).unwrap().digest);
    }

    #[test]
    fn everything_wrong_is_named_at_once() {
        assert_eq!(wrong(""), ["requestId", "procedureCode", "account"]);
        assert_eq!(wrong(&format!("{GOOD}&requestId=LO-2")), ["requestId"]);
        assert_eq!(wrong(&format!("{GOOD}&x=1&caseCode=a%20b&purpose=%ff")).len(), 3);
        let personal = GOOD.replace("onestop.kehoach", "099200012345");
        assert_eq!(wrong(&personal), ["account"]);
    }

    #[test]
    fn pages_are_bounded() {
        assert_eq!(parse_page("").unwrap(), (1, PAGE_MAX));
        assert_eq!(parse_page("from=7&limit=5").unwrap(), (7, 5));
        for wrong in ["from=0", "limit=0", "limit=1001", "from=-1", "from=", "from=1e3"] {
            assert!(parse_page(wrong).is_err(), "{wrong}");
        }
    }
}
