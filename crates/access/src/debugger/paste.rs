//! Reading what was pasted: an HTTP request or its headers, a command of curl, a form, an envelope,
//! a token or an assertion alone. Everything is a part of the text; nothing is kept.

use std::borrow::Cow;

use super::Way;
use super::bearer::is_jwt;
use crate::client::{ClientProof, Grant, form_decoded};

/// Bytes of a paste at most: the body limit of a request with its headers.
pub const PASTE_MAX: usize = 64 * 1024;
/// Headers that are looked at.
const HEADERS_MAX: usize = 100;
/// The path of the SOAP service, where none was pasted.
const SOAP_PATH: &str = "/soap/dancu";
/// Where the paths of the other services begin.
const OTHER_PATHS: [&str; 2] = ["/api/", "/lgsp/"];

/// A request as far as it could be read.
#[derive(Default)]
pub(super) struct Pasted<'a> {
    pub(super) authorization: Option<Cow<'a, str>>,
    pub(super) timestamp: Option<&'a str>,
    pub(super) x_road_client: Option<&'a str>,
    pub(super) host: Option<&'a str>,
    path: Option<&'a str>,
    pub(super) envelope: Option<&'a str>,
    /// Whether anything of a form of the token endpoint was pasted.
    pub(super) has_form: bool,
    pub(super) grant_type: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<String>,
    pub(super) assertion: Option<String>,
    pub(super) assertion_type: Option<String>,
}

impl Pasted<'_> {
    /// The path of the request, or that of the service.
    pub(super) fn path(&self) -> &str {
        self.path.unwrap_or(SOAP_PATH)
    }

    /// Whether it is one for the SOAP service: behind a gateway its path may be any but those of
    /// the other services.
    pub(super) fn is_to_soap(&self) -> bool {
        OTHER_PATHS.iter().all(|other| !self.path().starts_with(other))
    }

    /// What it asks the token endpoint for.
    pub(super) fn grant(&self) -> Grant<'_> {
        Grant {
            grant_type: self.grant_type.as_deref(),
            by_assertion: self.assertion.is_some(),
            assertion_type: self.assertion_type.as_deref(),
        }
    }

    /// What it proves itself by.
    pub(super) fn way(&self) -> Way {
        let scheme = self.authorization.as_deref().and_then(|a| a.split(' ').next());
        let is = |name: &str| scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(name));
        let to_token = self.path.is_some_and(|path| path.contains("/oauth/"));
        let form = self.grant_type.is_some() || self.client_id.is_some();
        if self.assertion.is_some() {
            Way::Assertion
        } else if is("bearer") {
            Way::Token
        } else if form || to_token {
            Way::Secret
        } else if self.authorization.is_some() || self.timestamp.is_some() {
            Way::Soap
        } else {
            Way::None
        }
    }

    /// As authentication at the token endpoint takes it.
    pub(super) fn proof(&self) -> ClientProof<'_> {
        ClientProof {
            authorization: self.authorization.as_deref(),
            client_id: self.client_id.as_deref(),
            client_secret: self.client_secret.as_deref(),
            assertion: self.assertion.as_deref(),
            certificate: None,
        }
    }
}

/// Reads a paste.
pub(super) fn read(text: &str) -> Pasted<'_> {
    let text = text.trim();
    let mut pasted = Pasted::default();
    if text.starts_with('<') {
        pasted.envelope = Some(text);
        return pasted;
    }
    if alone(text, &mut pasted) {
        return pasted;
    }
    let mut rest = text;
    for _ in 0..HEADERS_MAX {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let bare = unquoted(line);
        if bare.starts_with('<') {
            pasted.envelope = Some(rest.trim());
            break;
        }
        line_of(bare, &mut pasted);
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    pasted
}

/// A token, an assertion or a form without anything else.
fn alone(text: &str, pasted: &mut Pasted<'_>) -> bool {
    if text.contains("grant_type=") && !text.contains(['\n', ':']) {
        form(text, pasted);
        return true;
    }
    if text.is_empty() || text.contains(char::is_whitespace) || text.contains([':', '=']) {
        return false;
    }
    if is_jwt(text) {
        pasted.assertion = Some(text.to_owned());
    } else {
        pasted.authorization = Some(format!("Bearer {text}").into());
    }
    true
}

/// A line of a command without the option and the quotation marks around it.
fn unquoted(line: &str) -> &str {
    let line = line.trim().trim_end_matches('\\').trim();
    let options = ["-H", "--header", "-d", "--data", "--data-raw", "--data-urlencode"];
    let bare = options.iter().find_map(|option| line.strip_prefix(option));
    bare.unwrap_or(line).trim().trim_matches(['\'', '"'])
}

fn line_of<'a>(line: &'a str, pasted: &mut Pasted<'a>) {
    if let Some((name, value)) = line.split_once(':')
        && !name.contains(|c: char| c.is_whitespace() || c == '/' || c == '=')
    {
        header(name, value.trim(), pasted);
    } else if line.contains('=') && !line.contains(' ') && !line.contains("://") {
        form(line, pasted);
    } else {
        target(line, pasted);
    }
}

fn header<'a>(name: &str, value: &'a str, pasted: &mut Pasted<'a>) {
    // The first of doubled headers counts, as on the wire.
    let text = |slot: &mut Option<&'a str>| {
        slot.get_or_insert(value);
    };
    match name.to_ascii_lowercase().as_str() {
        "authorization" if pasted.authorization.is_none() => {
            pasted.authorization = Some(Cow::Borrowed(value));
        }
        "timestamp" => text(&mut pasted.timestamp),
        "x-road-client" => text(&mut pasted.x_road_client),
        "host" => text(&mut pasted.host),
        _ => {}
    }
}

/// `POST /soap/dancu HTTP/1.1`, or an address somewhere in a command.
fn target<'a>(line: &'a str, pasted: &mut Pasted<'a>) {
    for word in line.split_whitespace() {
        let word = word.trim_matches(['\'', '"']);
        let path = match word.split_once("://") {
            Some((_, rest)) => {
                let (host, _) = rest.split_once('/').unwrap_or((rest, ""));
                pasted.host.get_or_insert(host);
                Some(&rest[host.len()..])
            }
            None if word.starts_with('/') => Some(word),
            None => None,
        };
        if let Some(path) = path {
            let path = path.split(['?', '#']).next().unwrap_or(path);
            pasted.path.get_or_insert(if path.is_empty() { "/" } else { path });
        }
    }
}

fn form(text: &str, pasted: &mut Pasted<'_>) {
    for (name, value) in text.trim().split('&').filter_map(|pair| pair.split_once('=')) {
        let Some(value) = form_decoded(value) else { continue };
        let slot = match name {
            "grant_type" => &mut pasted.grant_type,
            "client_id" => &mut pasted.client_id,
            "client_secret" => &mut pasted.client_secret,
            "client_assertion" => &mut pasted.assertion,
            "client_assertion_type" => &mut pasted.assertion_type,
            _ => continue,
        };
        *slot = Some(value);
        pasted.has_form = true;
    }
}
