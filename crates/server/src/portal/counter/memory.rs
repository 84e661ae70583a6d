//! Procedure, case and purpose are kept for the next person in a cookie: codes only, until the
//! browser is closed. So nothing has to be kept on each node, and nothing of it outlives its
//! session: the value names the session it was set in, and is nothing in any other.

use axum::http::{HeaderMap, HeaderValue};
use dancu_domain::ids::{CaseCode, ProcedureCode, SystemCode};

use super::question::Typed;
use crate::portal::cookies::Cookie;
use crate::portal::signed::Signed;

/// Stands between the parts: no code holds it.
const BETWEEN: char = '~';
/// Hex digits by which a value knows its session: enough to tell two officers of one machine
/// apart, too few to say anything of the session's cookie.
const SESSION_DIGITS: usize = 8;

fn session(signed: &Signed) -> String {
    let mut digits = hex::encode(signed.mark);
    digits.truncate(SESSION_DIGITS);
    digits
}

/// What was remembered in this session; nothing where the cookie is another's or no codes.
pub(super) fn read(headers: &HeaderMap, signed: &Signed) -> Typed {
    let value = Cookie::Counter.read(headers, signed.secure);
    value.and_then(|value| parse(value, &session(signed))).unwrap_or_default()
}

fn parse(value: &str, session: &str) -> Option<Typed> {
    let parts: Vec<&str> = value.split(BETWEEN).collect();
    let [of, system, procedure, case] = parts.as_slice() else { return None };
    let known = *of == session
        && SystemCode::parse(system).is_ok()
        && ProcedureCode::parse(procedure).is_ok()
        && (case.is_empty() || CaseCode::parse(case).is_ok());
    known.then(|| Typed {
        system: (*system).to_owned(),
        procedure: (*procedure).to_owned(),
        case: (*case).to_owned(),
        ..Typed::default()
    })
}

/// The header that remembers what a question was asked with: its codes were read before.
pub(super) fn write(signed: &Signed, typed: &Typed) -> Option<HeaderValue> {
    let session = session(signed);
    let Typed { system, procedure, case, .. } = typed;
    let value = [session.as_str(), system, procedure, case].join(&BETWEEN.to_string());
    parse(&value, &session)?;
    Cookie::Counter.set(&value, signed.secure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_codes_of_this_session_are_remembered() {
        let typed = parse("0a1b2c3d~ONESTOP~1.004194~H26.001/7", "0a1b2c3d").unwrap();
        let Typed { system, procedure, case, subject, .. } = typed;
        assert_eq!([system, procedure, case], ["ONESTOP", "1.004194", "H26.001/7"]);
        assert_eq!(subject, "");
        assert!(parse("0a1b2c3d~ONESTOP~1.004194~", "0a1b2c3d").is_some());
        for value in [
            "",
            "0a1b2c3e~ONESTOP~1.004194~",
            "0a1b2c3d~ONESTOP~1.004194",
            "0a1b2c3d~ONESTOP~1.004194~x~y",
            "0a1b2c3d~<b>~1.004194~",
            "0a1b2c3d~ONESTOP~~",
            "0a1b2c3d~ONESTOP~1.004194~Nguyễn Văn Mẫu",
        ] {
            assert!(parse(value, "0a1b2c3d").is_none(), "{value}");
        }
    }
}
