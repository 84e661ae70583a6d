//! What was being done when the screen locked or a fresh factor was needed, sealed into the page
//! that asks: the browser gives it back, and neither the person at a locked screen nor anybody
//! else can read it there. The server keeps nothing.

use serde::{Deserialize, Serialize};

use super::form::Form;
use super::signed::Signed;
use super::{paths, sealed};

/// Another version does not open.
const LABEL: &str = "dancu portal kept 2";

/// Names that are not kept: tokens, and what only the person may type.
pub(super) const NOT_KEPT: [&str; 7] =
    ["csrf", "password", "code", "recovery", "current", "fresh", "again"];

/// What was being done.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Path of the page, or of the form's action.
    pub to: String,
    /// Whether it was sent: it is sent again by hand. Otherwise it was being typed.
    pub sent: bool,
    /// Names and values.
    pub fields: Vec<(String, String)>,
}

impl Kept {
    /// A page that was asked for.
    pub fn page(to: &str) -> Self {
        let to = paths::back(to).unwrap_or("/").to_owned();
        Self { to, sent: false, fields: vec![] }
    }

    /// A form that was sent.
    pub fn sent(to: &str, form: &Form) -> Self {
        Self { sent: true, fields: fields(form), ..Self::page(to) }
    }

    /// A form that was being typed on a page.
    pub fn typed(page: &str, form: &Form) -> Self {
        Self { fields: fields(form), ..Self::page(page) }
    }

    /// Sealed for the session's page; `None` without randomness, and nothing is kept.
    pub fn seal(&self, signed: &Signed) -> Option<String> {
        sealed::seal(signed, LABEL, self)
    }

    /// What a page of this session gave back; `None` for anything else.
    pub fn open(signed: &Signed, text: &str) -> Option<Self> {
        sealed::open(signed, LABEL, text)
    }
}

fn fields(form: &Form) -> Vec<(String, String)> {
    let kept = form.fields().filter(|(name, _)| !NOT_KEPT.contains(name));
    kept.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
