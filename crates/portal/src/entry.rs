//! Sign-in, second factor, forced change, enrolment, recovery codes, lock screen, and the page that
//! asks for a fresh factor.
//!
//! A sign-in under way is a sealed text, the `ticket`, that goes from page to page in a hidden
//! field; nothing of it can be read or made in the browser.

use askama::Template;

use crate::parts::{FieldError, Refusal};
use crate::shell::Shell;
use crate::text::Text;

/// Ways to an identity provider.
pub struct ProviderLinks {
    /// What it is called.
    pub name: String,
    /// For staff, where they may.
    pub staff: Option<String>,
    /// For citizens, where they may.
    pub citizens: Option<String>,
    /// Whether somebody has just signed out here and may want to sign out there.
    pub out: bool,
}

/// The way to an identity provider that asks somebody anew who it is.
pub struct Again {
    /// What the provider is called.
    pub name: String,
    /// Path of this portal that leads there.
    pub href: String,
}

/// First page: login and password, or a passkey; or the way to an identity provider.
#[derive(Template)]
#[template(path = "entry/sign_in.html")]
pub struct SignIn {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong; the same sentence for every cause (an unknown login is not told apart).
    pub errors: Vec<FieldError>,
    /// The login typed before.
    pub login: String,
    /// Proof of work that is asked for, as JSON for the script.
    pub captcha: Option<String>,
    /// Seconds until the next try, where one has to wait.
    pub wait: Option<u64>,
    /// Ways to the identity provider, when one is set up.
    pub provider: Option<ProviderLinks>,
    /// Why the person stands here again, in a sentence or two (signed out, ended elsewhere).
    pub reason: Option<String>,
    /// Where one wanted to go, a path of this portal; empty: the desk.
    pub next: String,
}

/// Which second factors a page offers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Offered {
    /// The code of an app.
    pub app: bool,
    /// A passkey or hardware key.
    pub key: bool,
    /// A recovery code.
    pub recovery: bool,
}

impl Offered {
    /// For a field of the form, so that the page can be drawn again.
    #[must_use]
    pub fn words(self) -> String {
        let named = [(self.app, "app"), (self.key, "key"), (self.recovery, "recovery")];
        named
            .into_iter()
            .filter_map(|(has, word)| has.then_some(word))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// As the page itself said: it decides nothing.
    #[must_use]
    pub fn said(text: &str) -> Self {
        let has = |word| text.split(' ').any(|w| w == word);
        Self { app: has("app"), key: has("key"), recovery: has("recovery") }
    }
}

/// Second factor: a code of an app, a passkey or hardware key, or a recovery code.
#[derive(Template)]
#[template(path = "entry/second_factor.html")]
pub struct SecondFactor {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// Proof of work that is asked for, as JSON for the script.
    pub captcha: Option<String>,
    /// Seconds until the next try, where one has to wait.
    pub wait: Option<u64>,
    /// What is enrolled and left.
    pub offered: Offered,
    /// The sign-in under way.
    pub ticket: String,
    /// Where one wanted to go.
    pub next: String,
}

/// Why a password is changed (rule E2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// Somebody else gave it.
    Given,
    /// It is past the days that a password of the person's class is good for.
    Aged(u16),
    /// By choice; with the days that a password is good for, where it ages.
    Chosen(Option<u16>),
}

impl Why {
    /// The sentence.
    #[must_use]
    pub fn sentence(self, t: &Text) -> String {
        match self {
            Self::Given => t.get("password-first"),
            Self::Aged(days) => t.with("password-aged", "days", days),
            Self::Chosen(Some(days)) => t.with("password-chosen", "days", days),
            Self::Chosen(None) => t.get("password-chosen-any"),
        }
    }

    /// For a field of the form, so that the page can be drawn again: the days of one that is too
    /// old.
    #[must_use]
    pub fn word(self) -> String {
        match self {
            Self::Aged(days) => days.to_string(),
            Self::Given | Self::Chosen(_) => String::new(),
        }
    }

    /// As the page in the middle of a sign-in itself said: it decides nothing.
    #[must_use]
    pub fn said(text: &str) -> Self {
        text.parse().map_or(Self::Given, Self::Aged)
    }
}

/// Change of password, at first sign-in, after ageing, or by choice.
#[derive(Template)]
#[template(path = "entry/change_password.html")]
pub struct ChangePassword {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// Why.
    pub why: Why,
    /// Fewest characters (rule E2).
    pub shortest: u64,
    /// The sign-in under way; none where the person is signed in and gives the current one too.
    pub ticket: Option<String>,
    /// Seconds until the next try, where one has to wait.
    pub wait: Option<u64>,
    /// Where one wanted to go.
    pub next: String,
}

/// Which factor to enrol.
#[derive(Template)]
#[template(path = "entry/enrol.html")]
pub struct Enrol {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// Path of its forms: `/sign-in/enrol` or `/account/factors/add`.
    pub base: &'static str,
    /// Key of the sentence that says why it must be now.
    pub reason_key: &'static str,
    /// Whether an app may be chosen.
    pub app: bool,
    /// Whether a passkey or a hardware key may be chosen.
    pub keys: bool,
    /// The sign-in under way; empty where the person is signed in.
    pub ticket: String,
    /// Where one wanted to go.
    pub next: String,
}

/// An authenticator app is enrolled: the code to scan, the secret to type, the first code.
#[derive(Template)]
#[template(path = "entry/enrol_app.html")]
pub struct EnrolApp {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// Path of its forms.
    pub base: &'static str,
    /// Modules of the code on one side, quiet zone included.
    pub qr_size: u32,
    /// Its dark modules as a path.
    pub qr_path: String,
    /// The secret in groups of four.
    pub secret: String,
    /// What the code says; like the secret it comes back with a wrong first code, so that the page
    /// can be drawn again.
    pub uri: String,
    /// The enrolment under way.
    pub ticket: String,
    /// Where one wanted to go.
    pub next: String,
}

/// Recovery codes, shown once.
#[derive(Template)]
#[template(path = "entry/recovery_codes.html")]
pub struct RecoveryCodes {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// The codes.
    pub codes: Vec<String>,
    /// Where the form leads once they are kept.
    pub action: &'static str,
    /// The sign-in under way; empty where the person is signed in.
    pub ticket: String,
    /// Where one wanted to go.
    pub next: String,
}

/// What a person is told after signing in, before the desk.
#[derive(Template)]
#[template(path = "entry/welcome.html")]
pub struct Welcome {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Sentences, each a note; the second of a pair says whether it is a warning.
    pub notes: Vec<(String, bool)>,
    /// Where the work goes on.
    pub next: String,
}

/// Locked screen: what was being typed is sealed in it and comes back.
#[derive(Template)]
#[template(path = "entry/lock.html")]
pub struct Lock {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// Seconds until the next try, where one has to wait.
    pub wait: Option<u64>,
    /// Who has to come back.
    pub name: String,
    /// Since when, `HH:MM`.
    pub since: String,
    /// Whether a passkey opens it.
    pub passkey: bool,
    /// Whether the person has a password.
    pub password: bool,
    /// The way back of somebody without one.
    pub again: Option<Again>,
    /// What was being done, sealed.
    pub kept: String,
}

/// Asks for the second factor again, before an act that needs a fresh one.
#[derive(Template)]
#[template(path = "entry/confirm.html")]
pub struct Confirm {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// Seconds until the next try, where one has to wait.
    pub wait: Option<u64>,
    /// What is enrolled and left.
    pub offered: Offered,
    /// The way of somebody who has no factor here.
    pub again: Option<Again>,
    /// What was being done, sealed.
    pub kept: String,
    /// Where to go back without it.
    pub back: String,
}

/// Asks for a proof of work of an account that sends much; what was being done comes back.
#[derive(Template)]
#[template(path = "entry/prove.html")]
pub struct Prove {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// The task, as JSON for the script.
    pub captcha: String,
    /// What was being done, sealed.
    pub kept: String,
}

/// What was sent while the screen was locked, or before the factor was fresh: it is sent again by
/// the person's own hand.
#[derive(Template)]
#[template(path = "entry/go_on.html")]
pub struct GoOn {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Where it goes.
    pub action: String,
    /// Its fields, name and value.
    pub fields: Vec<(String, String)>,
    /// Whether the script sends it without being asked: the person has just confirmed it.
    pub at_once: bool,
}

/// A refusal as a page of its own (rule A3).
#[derive(Template)]
#[template(path = "entry/refused.html")]
pub struct Refused {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What, why, what to do, whom to call.
    pub refusal: Refusal,
}

/// Brings a browser that came from another site's link to a page with its session: cookies of a
/// session do not travel with such a link, but they do from here.
#[derive(Template)]
#[template(path = "entry/bounce.html")]
pub struct Bounce {
    /// Texts.
    pub t: Text,
    /// Path of this portal.
    pub to: String,
}
