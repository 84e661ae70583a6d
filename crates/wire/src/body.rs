//! What every JSON body has to be, whichever facade it comes to: its content type, its size, its
//! characters, and how deep it may nest.

use std::borrow::Cow;

use aws_lc_rs::digest;
use dancu_domain::refusal::Reason;

use crate::rest::BODY_MAX;

/// Deepest nesting that is read, levels; our bodies need three.
pub(crate) const NESTING_MAX: usize = 32;

/// Whether a body of this content type is read: JSON, in UTF-8 wherever a charset is named.
pub fn is_json(content_type: Option<&str>) -> bool {
    let Some(value) = content_type else { return false };
    let mut parts = value.split(';');
    let kind = parts.next().unwrap_or_default().trim();
    let utf8 = |charset: &str| {
        let charset = charset.trim().trim_matches('"');
        // The second is no registered name, but clients that exist send it.
        charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
    };
    kind.eq_ignore_ascii_case("application/json")
        && parts
            .filter_map(|p| p.split_once('='))
            .all(|(name, value)| !name.trim().eq_ignore_ascii_case("charset") || utf8(value))
}

/// The first half of SHA-256: by it a body is told from another under the same request id.
pub(crate) fn digest16(canonical: &[u8]) -> [u8; 16] {
    let hash = digest::digest(&digest::SHA256, canonical);
    let mut short = [0; 16];
    short.copy_from_slice(&hash.as_ref()[..16]);
    short
}

/// Why a body is no JSON object that is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unfit {
    /// Over [`BODY_MAX`].
    TooLarge,
    /// A byte order mark at its beginning (RFC 8259, 8.1).
    Bom,
    /// Not UTF-8.
    NotUtf8,
    /// Empty or cut off.
    Cut,
    /// Wrong at this line and column.
    Syntax(usize, usize),
    /// Nested deeper than [`NESTING_MAX`].
    TooDeep,
    /// Some other value.
    NoObject,
}

impl Unfit {
    /// What the JSON reader said.
    pub(crate) fn of(error: &serde_json::Error) -> Self {
        if error.is_eof() { Self::Cut } else { Self::Syntax(error.line(), error.column()) }
    }

    /// The same in Vietnamese.
    pub(crate) fn message_vi(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::TooLarge => "Nội dung vượt quá 64 KiB.",
            Self::Bom => "Nội dung không được bắt đầu bằng BOM.",
            Self::NotUtf8 => "Nội dung không phải UTF-8 hợp lệ.",
            Self::Cut => "JSON trống hoặc bị cắt cụt.",
            Self::Syntax(line, column) => {
                return format!("JSON sai cú pháp ở dòng {line}, cột {column}.").into();
            }
            Self::TooDeep => return format!("Lồng nhau quá {NESTING_MAX} mức.").into(),
            Self::NoObject => "Nội dung phải là một đối tượng JSON {…}.",
        })
    }

    /// The reason of a refusal that is not simply bad input.
    pub(crate) fn reason(self) -> Option<Reason> {
        (self == Self::TooLarge).then_some(Reason::TooLarge)
    }
}

/// The text of a body that may hold JSON.
pub(crate) fn json_text(body: &[u8]) -> Result<&str, Unfit> {
    json_text_within(body, BODY_MAX)
}

/// The same of a body of at most `most` bytes.
pub(crate) fn json_text_within(body: &[u8], most: usize) -> Result<&str, Unfit> {
    if body.len() > most {
        return Err(Unfit::TooLarge);
    }
    if body.starts_with(b"\xef\xbb\xbf") {
        return Err(Unfit::Bom);
    }
    std::str::from_utf8(body).map_err(|_| Unfit::NotUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types() {
        for good in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;a=b",
            "application/json; charset=\"utf-8\"",
            "application/json; charset=utf8",
        ] {
            assert!(is_json(Some(good)), "{good}");
        }
        for bad in [
            None,
            Some("text/xml"),
            Some(""),
            Some("application/json2"),
            Some("application/json; charset=utf-16"),
            Some("application/json; charset=utf-8; charset=utf-16"),
        ] {
            assert!(!is_json(bad), "{bad:?}");
        }
    }

    #[test]
    fn texts() {
        let large = vec![b' '; BODY_MAX + 1];
        for (body, expected) in [
            (&b"{}"[..], Ok("{}")),
            (&large[1..], Ok(" ".repeat(BODY_MAX).as_str())),
            (&large, Err(Unfit::TooLarge)),
            (b"\xef\xbb\xbf{}", Err(Unfit::Bom)),
            (b"{\xff}", Err(Unfit::NotUtf8)),
        ] {
            assert_eq!(json_text(body), expected);
        }
        assert_eq!(Unfit::TooDeep.message_vi(), "Lồng nhau quá 32 mức.");
        assert_eq!(Unfit::TooLarge.reason(), Some(Reason::TooLarge));
        assert_eq!(Unfit::Cut.reason(), None);
    }
}
