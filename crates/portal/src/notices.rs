//! What people are told: the page of notices, where a person is mailed, and the mails themselves.

use askama::Template;

use crate::parts::{Choice, FieldError, SavedView};
use crate::shell::Shell;
use crate::text::Text;

/// A notice as it is read.
pub struct NoticeRow {
    /// Icon of the sprite.
    pub icon: &'static str,
    /// What happened, and why.
    pub what: String,
    /// What to do; empty where nothing is to be done.
    pub do_now: String,
    /// When, `HH:MM dd/mm/yyyy`.
    pub time: String,
    /// The rule that asks for it.
    pub rule: &'static str,
    /// Whether it was read.
    pub read: bool,
    /// Number for the form that opens it.
    pub id: String,
}

/// The page of notices.
#[derive(Template)]
#[template(path = "notices/inbox.html")]
pub struct Inbox {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Rows, the newest first.
    pub rows: Vec<NoticeRow>,
    /// Filters by topic.
    pub topics: Vec<SavedView>,
    /// The newest notice shown, for the form that marks all as read; empty where all are.
    pub last: String,
    /// Address of what is older.
    pub older: Option<String>,
    /// Mails that could not be sent, for the operators of the centre: when, and which.
    pub given_up: Vec<(String, String)>,
    /// How many events wait to be sent to systems, for the operators of the centre; else 0.
    pub waiting: u64,
}

/// Where the person is mailed, and how.
#[derive(Template)]
#[template(path = "account/contact.html")]
pub struct ContactPage {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// The address in use; empty where there is none.
    pub address: String,
    /// An address that waits for its code; empty where none does.
    pub pending: String,
    /// Since when mail to the address comes back.
    pub failing: Option<String>,
    /// What was typed as a new address.
    pub typed: String,
    /// What becomes of ordinary mail.
    pub ordinary: Vec<Choice>,
    /// The hour of the day's one mail.
    pub hours: Vec<Choice>,
    /// Whether this centre sends mail.
    pub mails: bool,
    /// What is wrong with the last form.
    pub errors: Vec<FieldError>,
    /// Key of what was done.
    pub told: Option<&'static str>,
}

/// One thing that a mail tells.
pub struct Item {
    /// What happened, and why.
    pub what: String,
    /// What to do.
    pub do_now: String,
    /// Where more stands, a whole address; empty where nowhere.
    pub href: String,
}

/// A mail as HTML: no image, no style, no script; what plain text cannot is a link.
#[derive(Template)]
#[template(path = "mail/mail.html")]
pub struct MailHtml<'a> {
    /// Texts.
    pub t: &'a Text,
    /// The recipient's own name.
    pub name: &'a str,
    /// What it tells.
    pub items: &'a [Item],
    /// Telephone of the centre's support.
    pub phone: &'a str,
    /// Where mail is turned off, a whole address.
    pub settings: &'a str,
}

/// The same as plain text.
#[derive(Template)]
#[template(path = "mail/mail.txt", escape = "none")]
pub struct MailText<'a> {
    /// Texts.
    pub t: &'a Text,
    /// The recipient's own name.
    pub name: &'a str,
    /// What it tells.
    pub items: &'a [Item],
    /// Telephone of the centre's support.
    pub phone: &'a str,
    /// Where mail is turned off, a whole address.
    pub settings: &'a str,
}
