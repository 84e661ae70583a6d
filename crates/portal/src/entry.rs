//! Sign-in, second factor, forced change, recovery codes, lock screen.

use askama::Template;

use crate::parts::FieldError;
use crate::shell::Shell;
use crate::text::Text;

/// First page: login and password, or a passkey; citizens go to their eID provider.
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
    /// Whether proof of work is asked for; the handler's own part fills its place.
    pub captcha: bool,
    /// Name of the citizens' identity provider, when one is set up.
    pub provider: Option<String>,
    /// Why the person stands here again: key of a sentence (signed out, ended elsewhere).
    pub reason_key: Option<&'static str>,
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
    /// Whether a passkey or hardware key is enrolled.
    pub passkey: bool,
    /// Whether this device may be enrolled until the end of the working day (rule E2).
    pub may_enrol: bool,
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
    /// Key of the sentence that says why it must be now.
    pub reason_key: &'static str,
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
}

/// Locked screen: the form under it is kept by the server and comes back.
#[derive(Template)]
#[template(path = "entry/lock.html")]
pub struct Lock {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// Who has to come back.
    pub name: String,
    /// Since when, `HH:MM`.
    pub since: String,
    /// Whether a passkey opens it.
    pub passkey: bool,
}
