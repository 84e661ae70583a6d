//! Cookies: five, each with one purpose. Over TLS their names begin with `__Host-`, so that no
//! other host of the domain can set them and none travels in clear; on loopback HTTP, where a
//! browser would not keep such names, they are plain.

use axum::http::{HeaderMap, HeaderValue, header};

/// Longest value that is read, bytes; tokens have 43, the longest codes of the counter 126.
const VALUE_MAX: usize = 128;
/// Enrolled devices are kept by the browser as long as by us, s: 90 days
/// ([`DEVICE_IDLE_MS`](dancu_domain::people::factors::DEVICE_IDLE_MS)).
const DEVICE_S: u32 = 90 * 24 * 3_600;
/// Language and theme are kept for a year, s.
const LOOK_S: u32 = 365 * 24 * 3_600;

/// A cookie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cookie {
    /// The session. `SameSite=Strict`: a link on another site does not open what is signed in; the
    /// first page after an identity provider reloads itself once ([`super::guard`]).
    Session,
    /// The enrolled device, `SameSite=Strict`.
    Device,
    /// The browser before sign-in: tickets and tokens against forged posts are bound to it.
    /// `SameSite=Lax`, because the way back from an identity provider needs it.
    Browser,
    /// Language and theme.
    Look,
    /// What the counter was asked with last, `SameSite=Strict`.
    Counter,
}

impl Cookie {
    fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Session, true) => "__Host-dancu",
            (Self::Session, false) => "dancu",
            (Self::Device, true) => "__Host-dancu-device",
            (Self::Device, false) => "dancu-device",
            (Self::Browser, true) => "__Host-dancu-browser",
            (Self::Browser, false) => "dancu-browser",
            (Self::Look, true) => "__Host-dancu-look",
            (Self::Look, false) => "dancu-look",
            (Self::Counter, true) => "__Host-dancu-counter",
            (Self::Counter, false) => "dancu-counter",
        }
    }

    fn same_site(self) -> &'static str {
        match self {
            Self::Session | Self::Device | Self::Counter => "Strict",
            Self::Browser | Self::Look => "Lax",
        }
    }

    /// Seconds that the browser keeps it; `None`: until it is closed.
    fn kept_s(self) -> Option<u32> {
        match self {
            Self::Session | Self::Browser | Self::Counter => None,
            Self::Device => Some(DEVICE_S),
            Self::Look => Some(LOOK_S),
        }
    }

    /// Its value in a request. The same name twice is none: one of the two was planted.
    pub fn read(self, headers: &HeaderMap, secure: bool) -> Option<&str> {
        let name = self.name(secure);
        let mut found = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value);
        let value = found.next()?;
        (found.next().is_none() && value.len() <= VALUE_MAX).then_some(value)
    }

    /// The header that sets it. `value` is one of ours: no separators.
    pub fn set(self, value: &str, secure: bool) -> Option<HeaderValue> {
        let age = self.kept_s().map_or_else(String::new, |s| format!("; Max-Age={s}"));
        self.header(value, &age, secure)
    }

    /// The header that takes it away.
    pub fn clear(self, secure: bool) -> Option<HeaderValue> {
        self.header("", "; Max-Age=0", secure)
    }

    fn header(self, value: &str, age: &str, secure: bool) -> Option<HeaderValue> {
        let (name, site) = (self.name(secure), self.same_site());
        let tls = if secure { "; Secure" } else { "" };
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite={site}{age}{tls}");
        HeaderValue::from_str(&text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::COOKIE, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_cookie_that_stands_twice_is_none() {
        let one = headers(&["a=1; dancu=x; b=2"]);
        assert_eq!(Cookie::Session.read(&one, false), Some("x"));
        assert_eq!(Cookie::Session.read(&one, true), None, "the plain name does not do over TLS");
        assert_eq!(Cookie::Session.read(&headers(&["dancu=x; dancu=y"]), false), None);
        assert_eq!(Cookie::Session.read(&headers(&["dancu=x", "dancu=y"]), false), None);
        let long = format!("dancu={}", "x".repeat(VALUE_MAX + 1));
        assert_eq!(Cookie::Session.read(&headers(&[&long]), false), None);
    }

    #[test]
    fn attributes() {
        let text = |value: Option<HeaderValue>| value.unwrap().to_str().unwrap().to_owned();
        let session = text(Cookie::Session.set("v", true));
        assert_eq!(session, "__Host-dancu=v; Path=/; HttpOnly; SameSite=Strict; Secure");
        let plain = text(Cookie::Browser.set("v", false));
        assert_eq!(plain, "dancu-browser=v; Path=/; HttpOnly; SameSite=Lax");
        assert!(text(Cookie::Device.set("v", true)).contains("Max-Age=7776000; Secure"));
        assert!(text(Cookie::Session.clear(true)).contains("Max-Age=0"));
        assert!(Cookie::Look.set("a\nb", true).is_none(), "no header is split");
        let counter = text(Cookie::Counter.set("v", true));
        assert_eq!(counter, "__Host-dancu-counter=v; Path=/; HttpOnly; SameSite=Strict; Secure");
    }
}
