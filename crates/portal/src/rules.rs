//! The rules that pages cite, each in a sentence.

use askama::Template;

use crate::shell::Shell;
use crate::text::Text;

/// What the links beside refusals and figures lead to.
#[derive(Template)]
#[template(path = "rules.html")]
pub struct Rules {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Ids; the words of each stand under `rule-<id>`.
    pub ids: Vec<&'static str>,
}
