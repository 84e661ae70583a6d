//! What a form sends. The guard has read and checked it before a handler sees it; here it is taken
//! apart.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use bytes::Bytes;
use dancu_access::client::form_decoded;
use dancu_domain::text::composed;
use dancu_office::Refused;
use dancu_portal::error::Wrong;

use super::frame;
use super::once::{Post, Sent};
use super::signed::Signed;
use crate::app::Shared;
use crate::stop::Stop;

/// Fields that are read: the largest form, a bulk choice over a list, has fewer.
const FIELDS_MAX: usize = 2_000;
/// Bytes of the head of one part of a form with a file: name, file name, type.
const PART_HEAD_MAX: usize = 2_048;

/// A form's fields in the order in which they came.
#[derive(Clone, Default)]
pub struct Form(Arc<Vec<(String, String, String)>>);

impl Form {
    /// Reads `application/x-www-form-urlencoded`; `None` where it is malformed.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let mut fields = vec![];
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            if fields.len() == FIELDS_MAX {
                return None;
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            fields.push((form_decoded(name)?, form_decoded(value)?));
        }
        Some(Self::of(fields))
    }

    /// From names and values.
    pub fn of(fields: Vec<(String, String)>) -> Self {
        let with_clean = |(name, raw): (String, String)| {
            let clean = composed(raw.trim()).into_owned();
            (name, raw, clean)
        };
        Self(Arc::new(fields.into_iter().map(with_clean).collect()))
    }

    /// The first value, without blanks at its ends, in NFC; empty where there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, ..)| key == name).map_or("", |(.., clean)| clean)
    }

    /// The first value as it came.
    pub fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(key, ..)| key == name).map_or("", |(_, raw, _)| raw)
    }

    /// Every value of a name, as [`get`](Self::get) gives them.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(key, ..)| key == name).map(|(.., clean)| clean.as_str()).collect()
    }

    /// Whether the field came.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, ..)| key == name)
    }

    /// Digest of what was filled in and of what was shown for it, in hex: whoever carries out what
    /// was looked at sends it back. Tokens and buttons are no part of it.
    pub fn digest(&self, shown: &[String]) -> String {
        let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        let tokens = ["csrf", "once", "look", "seen"];
        let filled = self.0.iter().filter(|(name, ..)| !tokens.contains(&name.as_str()));
        let filled = filled.flat_map(|(name, _, clean)| [name, clean]);
        for text in filled.chain(shown) {
            digest.update(&(text.len() as u64).to_be_bytes());
            digest.update(text.as_bytes());
        }
        hex::encode(digest.finish())
    }

    /// Names and values as they came.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, raw, _)| (name.as_str(), raw.as_str()))
    }

    /// This form of the session, as it is remembered.
    fn post<'a>(&'a self, signed: &'a Signed) -> Post<'a> {
        let path = signed.here.split('?').next().unwrap_or_default();
        (&signed.mark, path, self.get("once"))
    }

    /// Carries an act out once for the form's `once` on this path in this session
    /// ([`Once::carry_out`]). This node remembers; where an act must be done once over all nodes,
    /// what stands in the store decides.
    ///
    /// # Errors
    /// The page that answers instead: the form has no `once`, or the same form is under way.
    ///
    /// [`Once::carry_out`]: super::once::Once::carry_out
    pub async fn carry_out<T: Send + 'static>(
        &self,
        signed: &Signed,
        act: impl Future<Output = Result<T, Refused>> + Send + 'static,
    ) -> Result<Sent<Result<T, Refused>>, Stop> {
        if self.get("once").is_empty() {
            return Err(frame::wrong_page(signed, Wrong::Unreadable, None).into());
        }
        match signed.portal().once.carry_out(self.post(signed), act).await {
            Sent::Busy => Err(frame::unavailable(signed).into()),
            sent => Ok(sent),
        }
    }
}

/// A value for a hidden field `once`: 32 hex digits. Empty where the machine gives no randomness:
/// then no act is done twice, because none is done.
pub fn once() -> String {
    let mut bytes = [0; 16];
    match dancu_store::keys::random(&mut bytes) {
        Ok(()) => hex::encode(bytes),
        Err(_) => String::new(),
    }
}

impl FromRequestParts<Shared> for Form {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

/// A file of a form.
#[derive(Clone)]
pub struct Part {
    /// Its name as the browser says it, without folders.
    pub name: String,
    /// Its bytes.
    pub bytes: Bytes,
}

/// A form with a file.
#[derive(Clone, Default)]
pub struct Upload {
    /// The fields beside it.
    pub form: Form,
    /// The first file that has a name or bytes.
    pub file: Option<Part>,
}

impl Upload {
    /// Reads `multipart/form-data` (RFC 7578); `None` where it is malformed.
    pub fn parse(kind: &str, body: &Bytes) -> Option<Self> {
        let boundary = boundary(kind)?;
        let delimiter = [b"--", boundary.as_bytes()].concat();
        let mut at = find(body, &delimiter, 0)? + delimiter.len();
        let (mut fields, mut file) = (vec![], None);
        let between = [b"\r\n".as_slice(), &delimiter].concat();
        while body.get(at..at + 2)? != b"--" {
            let head_from = at + 2;
            let head_to = find(body, b"\r\n\r\n", at)?;
            if head_to > head_from + PART_HEAD_MAX || fields.len() == FIELDS_MAX {
                return None;
            }
            let head =
                std::str::from_utf8(body.get(head_from..head_to).unwrap_or_default()).ok()?;
            let from = head_to + 4;
            let to = find(body, &between, from)?;
            at = to + between.len();
            let name = parameter(head, "name")?;
            match parameter(head, "filename") {
                Some(path) if file.is_none() && !(path.is_empty() && to == from) => {
                    let last = path.rsplit(['/', '\\']).next().unwrap_or_default();
                    file = Some(Part { name: last.to_owned(), bytes: body.slice(from..to) });
                }
                Some(_) => {}
                None => {
                    fields.push((name, String::from_utf8(body[from..to].to_vec()).ok()?));
                }
            }
        }
        Some(Self { form: Form::of(fields), file })
    }
}

impl FromRequestParts<Shared> for Upload {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

/// The boundary of a content type, 1-70 characters (RFC 2046).
fn boundary(kind: &str) -> Option<&str> {
    let rest = kind.strip_prefix("multipart/form-data")?;
    let value = rest.split(';').find_map(|part| part.trim().strip_prefix("boundary="))?;
    let value = value.trim_matches('"');
    (1..=70).contains(&value.len()).then_some(value)
}

/// A parameter of `Content-Disposition: form-data; name="x"; filename="y"`. Browsers escape quotes
/// in names as `%22`.
fn parameter(head: &str, name: &str) -> Option<String> {
    let line = head.lines().find(|line| {
        line.get(..20).is_some_and(|start| start.eq_ignore_ascii_case("content-disposition:"))
    })?;
    let mark = format!("; {name}=\"");
    let from = line.find(&mark)? + mark.len();
    let value = line[from..].split('"').next()?;
    Some(value.replace("%22", "\""))
}

fn find(within: &[u8], what: &[u8], from: usize) -> Option<usize> {
    let rest = within.get(from..)?;
    let first = *what.first()?;
    let mut at = 0;
    while let Some(next) = rest.get(at..)?.iter().position(|b| *b == first) {
        at += next;
        if rest[at..].starts_with(what) {
            return Some(from + at);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_they_came_and_clean() {
        let form = Form::parse("a=+1%20&b=&a=2&c&ng=nguye%CC%82%CC%83n".as_bytes()).unwrap();
        assert_eq!((form.get("a"), form.raw("a")), ("1", " 1 "));
        assert_eq!(form.all("a"), ["1", "2"]);
        assert!(form.has("b") && form.has("c") && !form.has("d"));
        assert_eq!((form.get("ng"), form.get("none")), ("nguyễn", ""));
        assert!(Form::parse(b"a=%zz").is_none() && Form::parse(b"a=%ff").is_none());
        let many = "a=1&".repeat(FIELDS_MAX + 1);
        assert!(Form::parse(many.as_bytes()).is_none());
    }

    #[test]
    fn what_was_looked_at_is_known_again_and_nothing_else() {
        let of = |body: &[u8], shown: &str| Form::parse(body).unwrap().digest(&[shown.to_owned()]);
        let seen = of(b"csrf=1&once=2&heir=A&look=1", "10");
        assert_eq!(seen, of(b"csrf=3&once=4&seen=5&heir=A", "10"));
        assert_ne!(seen, of(b"heir=B", "10"), "another heir");
        assert_ne!(seen, of(b"heir=A", "11"), "more would be moved by now");
        assert_ne!(of(b"a=bc", ""), of(b"ab=c", ""));
    }

    fn upload(body: &str) -> Option<Upload> {
        let bytes = Bytes::from(body.replace('\n', "\r\n"));
        Upload::parse("multipart/form-data; boundary=\"XX\"", &bytes)
    }

    #[test]
    fn a_form_with_a_file() {
        let body = "--XX\nContent-Disposition: form-data; name=\"csrf\"\n\nabc\n--XX\n\
                    content-disposition: form-data; name=\"list\"; filename=\"C:\\a\\x.xlsx\"\n\
                    Content-Type: application/octet-stream\n\nPK\n--X\nrest\n--XX--\n";
        let upload = upload(body).unwrap();
        assert_eq!(upload.form.get("csrf"), "abc");
        let file = upload.file.unwrap();
        assert_eq!((file.name.as_str(), &file.bytes[..]), ("x.xlsx", &b"PK\r\n--X\r\nrest"[..]));
    }

    #[test]
    fn broken_forms_with_files_are_none() {
        for body in [
            "",
            "--XX",
            "--XX\n",
            "--XX\nContent-Disposition: form-data; name=\"a\"\n\nno end",
            "--XX\nno name\n\nx\n--XX--",
            "--YY\nContent-Disposition: form-data; name=\"a\"\n\nx\n--YY--",
        ] {
            assert!(upload(body).is_none(), "{body}");
        }
        let bytes = Bytes::from_static(b"--XX--");
        assert!(Upload::parse("multipart/form-data", &bytes).is_none());
        assert!(Upload::parse("text/plain; boundary=XX", &bytes).is_none());
        assert!(Upload::parse("multipart/form-data; boundary=XX", &bytes).unwrap().file.is_none());
    }

    #[test]
    fn no_body_breaks_the_reader() {
        let mut state = 7_u32;
        for length in 0..3_000 {
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                b"-\r\n=&%;:a\xff\"name"[(state >> 16) as usize % 15]
            };
            let body: Vec<u8> = (0..length % 300).map(|_| next()).collect();
            let _ = Form::parse(&body);
            let _ = Upload::parse("multipart/form-data; boundary=-", &Bytes::from(body));
        }
    }
}
