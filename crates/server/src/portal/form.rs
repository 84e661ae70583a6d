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
use super::kept::NOT_KEPT;
use super::once::Sent;
use super::signed::Signed;
use crate::app::Shared;
use crate::stop::Stop;

/// Fields that are read: the largest form, a bulk choice over a list, has fewer.
const FIELDS_MAX: usize = 2_000;
/// Bytes of the head of one part of a form with a file: name, file name, type.
const PART_HEAD_MAX: usize = 2_048;

/// A form's fields in the order in which they came.
#[derive(Clone, Default)]
pub struct Form {
    /// Name, value as it came, value without blanks at its ends and in NFC.
    fields: Arc<Vec<(String, String, String)>>,
    /// The file that came with them; empty where none did.
    file: Bytes,
}

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
        Self { fields: Arc::new(fields.into_iter().map(with_clean).collect()), file: Bytes::new() }
    }

    /// The first value, without blanks at its ends, in NFC; empty where there is none.
    pub fn get(&self, name: &str) -> &str {
        self.fields.iter().find(|(key, ..)| key == name).map_or("", |(.., clean)| clean)
    }

    /// The first value as it came.
    pub fn raw(&self, name: &str) -> &str {
        self.fields.iter().find(|(key, ..)| key == name).map_or("", |(_, raw, _)| raw)
    }

    /// Every value of a name, as [`get`](Self::get) gives them.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.fields
            .iter()
            .filter(|(key, ..)| key == name)
            .map(|(.., clean)| clean.as_str())
            .collect()
    }

    /// Whether the field came.
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(key, ..)| key == name)
    }

    /// Digest of what was filled in and of what was shown for it, in hex: whoever carries out what
    /// was looked at sends it back. Tokens and buttons are no part of it.
    pub fn digest(&self, shown: &[String]) -> String {
        let shown = shown.iter().map(String::as_bytes);
        hex::encode(self.hashed(&["csrf", "once", "look", "seen"], shown))
    }

    /// Digest of all that was sent: `once`, the fields and the file. What the session's own steps
    /// add or leave out when a form is sent again after them is no part of it.
    fn content(&self) -> [u8; 32] {
        self.hashed(&NOT_KEPT, std::iter::once(self.file.as_ref()))
    }

    fn hashed<'a>(&self, without: &[&str], more: impl Iterator<Item = &'a [u8]>) -> [u8; 32] {
        let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        let mut add = |bytes: &[u8]| {
            digest.update(&(bytes.len() as u64).to_be_bytes());
            digest.update(bytes);
        };
        for (name, _, clean) in self.fields.iter().filter(|f| !without.contains(&f.0.as_str())) {
            add(name.as_bytes());
            add(clean.as_bytes());
        }
        more.for_each(add);
        let mut hash = [0; 32];
        hash.copy_from_slice(digest.finish().as_ref());
        hash
    }

    /// Names and values as they came.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, raw, _)| (name.as_str(), raw.as_str()))
    }

    /// Carries an act out once for what this form sends on this path in this session
    /// ([`Once::carry_out`]): a double click and a page that is sent again are the same post. With
    /// another content, as after the Back button, it is a new act and not told as done: the person
    /// who changed it means it, and whether it is allowed still (a revision, a state, a day) is
    /// asked by every act of what stands in the store. This node remembers; where an act must be
    /// done once over all nodes, what stands in the store decides.
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
        // A file of 20 MiB is hashed away from the threads that questions run on.
        let form = self.clone();
        let Ok(content) = tokio::task::spawn_blocking(move || form.content()).await else {
            return Err(frame::unavailable(signed).into());
        };
        let path = signed.here.split('?').next().unwrap_or_default();
        match signed.portal().once.carry_out((&signed.mark, path, &content), act).await {
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
        let bytes = file.as_ref().map(|file: &Part| file.bytes.clone()).unwrap_or_default();
        Some(Self { form: Form { file: bytes, ..Form::of(fields) }, file })
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

    #[test]
    fn a_post_is_known_by_all_that_it_sends() {
        let of = |body: &[u8]| Form::parse(body).unwrap().content();
        let sent = of(b"csrf=1&once=2&reason=A&act=ok");
        assert_eq!(sent, of(b"once=2&reason=A&act=ok"), "again after the second factor");
        assert_eq!(sent, of(b"csrf=1&once=2&reason=+A&act=ok&code=123456"));
        for other in ["once=3&reason=A&act=ok", "once=2&reason=B&act=ok", "once=2&reason=A&act=no"]
        {
            assert_ne!(sent, of(other.as_bytes()), "{other}");
        }
        let with = |name: &str, bytes: &str| {
            let head = "--XX\nContent-Disposition: form-data; name=\"once\"\n\n2\n--XX\n\
                        Content-Disposition: form-data; name=\"file\"; filename=";
            upload(&format!("{head}\"{name}\"\n\n{bytes}\n--XX--\n")).unwrap().form.content()
        };
        assert_eq!(with("a.pdf", "PK1"), with("a.pdf", "PK1"));
        assert_ne!(with("a.pdf", "PK1"), with("a.pdf", "PK2"), "another file");
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
