//! What stands around every page: product, sandbox band, unit, person, clock, entries, footer.

use askama::Template;

use crate::text::{Language, Text};

/// One entry of the left column; a role has at most [`MOST_ENTRIES`].
#[derive(Clone, Debug)]
pub struct NavItem {
    /// Where it leads, a path of this portal.
    pub href: String,
    /// Icon of the sprite.
    pub icon: &'static str,
    /// Key of its words.
    pub key: &'static str,
    /// Whether this is the page shown.
    pub current: bool,
}

/// More entries than this are a list to search, not a column to know by heart.
pub const MOST_ENTRIES: usize = 7;

/// Who is signed in, as the top bar shows it.
#[derive(Clone, Debug)]
pub struct Person {
    /// Full name.
    pub name: String,
    /// The roles of today in words, in the page's language.
    pub roles: String,
    /// The unit by name, with its code.
    pub unit: String,
    /// The page of units that this person has; empty where there is none.
    pub unit_href: &'static str,
}

/// The frame of a page.
#[derive(Clone, Debug)]
pub struct Shell {
    /// Language of the page.
    pub language: Language,
    /// `light`, `dark`, or empty for what the device prefers.
    pub theme: &'static str,
    /// Whether the people in this program are synthetic: shown as a loud band.
    pub sandbox: bool,
    /// Who is signed in; none on sign-in, status and error pages.
    pub person: Option<Person>,
    /// The product's time in Viet Nam as `HH:MM`.
    pub clock: String,
    /// The same moment in RFC 3339, from which the page's clock runs on.
    pub moment: String,
    /// The day as `dd/mm/yyyy`, or as the language writes it.
    pub day: String,
    /// Whether the in-hours window is open (rule D1).
    pub in_hours: bool,
    /// When the current window ends, `HH:MM`.
    pub until: String,
    /// The left column.
    pub entries: Vec<NavItem>,
    /// Notices that the person has not read; none where there is no bell.
    pub unread: Option<u64>,
    /// Token against forged posts.
    pub csrf: String,
    /// What was being typed when the screen locked, name and value: the script puts it back.
    pub kept: Vec<(String, String)>,
    /// Seconds without a key until the screen locks (rule E2); 0 where nobody is signed in.
    pub idle_seconds: u32,
    /// This page's path, so that the switches of language and theme come back to it.
    pub here: String,
    /// Telephone of the centre's support (rule J2).
    pub help_phone: String,
    /// Percent of a count from which it is shown as near its end (rule D2).
    pub warn_at: u8,
    /// Release of the program; also the cache key of the static files.
    pub version: String,
}

/// The pieces of `shell.html`, each a block of it and a method of [`Shell`]: what every page shows
/// is compiled once and not with each of them.
macro_rules! pieces {
    ($($(#[$doc:meta])* $name:ident $block:literal $method:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Template)]
            #[template(path = "shell.html", block = $block)]
            pub(crate) struct $name<'a> {
                s: &'a Shell,
                t: &'a Text,
            }
        )*
        impl Shell {
            $(
                $(#[$doc])*
                pub(crate) fn $method<'a>(&'a self, t: &'a Text) -> $name<'a> {
                    $name { s: self, t }
                }
            )*
        }
    };
}

pieces! {
    /// Up to the title: what the page is written in, and its style.
    Opening "opening" opening;
    /// From the script to the end of the bar at the top.
    Bar "bar" bar;
    /// The left column, up to the words of the page.
    Column "column" column;
    /// What stands below.
    Closing "closing" closing;
}
