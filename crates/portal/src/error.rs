//! Pages for what went wrong as a whole: 403, 404, 429, 503.

use askama::Template;

use crate::shell::Shell;
use crate::text::Text;

/// One page, four causes; the words follow from `status`.
#[derive(Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// HTTP status: 403, 404, 429 or 503.
    pub status: u16,
    /// Rule behind it, where there is one.
    pub rule: Option<String>,
    /// When it is worth trying again, `HH:MM`.
    pub again: Option<String>,
    /// Code under which the centre finds it.
    pub code: String,
}

impl ErrorPage {
    /// The key `error-<status>-<part>`.
    #[must_use]
    pub fn key(&self, part: &str) -> String {
        format!("error-{}-{part}", self.status)
    }

    /// Icon of the sprite.
    #[must_use]
    pub fn icon(&self) -> &'static str {
        match self.status {
            403 => "ban",
            404 => "search",
            429 => "clock",
            _ => "cloud-off",
        }
    }
}
