//! Pages for what went wrong as a whole: what the form sent cannot be used, 404, 429, 503.

use askama::Template;

use crate::shell::Shell;
use crate::text::Text;

/// What went wrong; the words follow from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wrong {
    /// A form that cannot be read.
    Unreadable,
    /// A post that is not from a page of this session: forged, or from before a sign-in.
    Forged,
    /// No such page.
    Missing,
    /// The page takes no such request.
    Method,
    /// More than is read.
    TooLarge,
    /// Too many requests before sign-in from one address.
    TooMany,
    /// We cannot answer just now.
    Busy,
    /// Plain HTTP over a network: passwords would be readable on the way.
    Insecure,
}

impl Wrong {
    /// The HTTP status.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Unreadable => 400,
            Self::Forged | Self::Insecure => 403,
            Self::Missing => 404,
            Self::Method => 405,
            Self::TooLarge => 413,
            Self::TooMany => 429,
            Self::Busy => 503,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Forged => "forged",
            Self::Missing => "404",
            Self::Method => "method",
            Self::TooLarge => "too-large",
            Self::TooMany => "429",
            Self::Busy => "503",
            Self::Insecure => "insecure",
        }
    }
}

/// One page for all of it.
#[derive(Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What went wrong.
    pub wrong: Wrong,
    /// When it is worth trying again, `HH:MM`.
    pub again: Option<String>,
    /// Code under which the centre finds it.
    pub code: String,
}

impl ErrorPage {
    /// The key `error-<what>-<part>`.
    #[must_use]
    pub fn key(&self, part: &str) -> String {
        format!("error-{}-{part}", self.wrong.word())
    }

    /// Where its button leads: to the page itself where trying again makes sense.
    #[must_use]
    pub fn leads(&self) -> &str {
        match self.wrong {
            Wrong::TooMany | Wrong::Busy => &self.s.here,
            _ => "/",
        }
    }

    /// Icon of the sprite.
    #[must_use]
    pub fn icon(&self) -> &'static str {
        match self.wrong {
            Wrong::Unreadable | Wrong::TooLarge => "circle-alert",
            Wrong::Forged | Wrong::Method | Wrong::Insecure => "ban",
            Wrong::Missing => "search",
            Wrong::TooMany => "clock",
            Wrong::Busy => "cloud-off",
        }
    }
}
