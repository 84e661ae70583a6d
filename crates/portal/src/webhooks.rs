//! Where a system is told of events: its addresses, one of them with what was sent, and a secret
//! that was made. Integrators change, the head and the operator see.

use askama::Template;

use crate::integrator::Tabs;
use crate::parts::{Choice, FieldError, State};
use crate::shell::Shell;
use crate::text::Text;

/// States of addresses and of what is sent there.
pub mod states {
    use crate::parts::State;

    /// It is sent to.
    pub const IN_USE: State = State { class: "good", icon: "circle-check", key: "hook-in-use" };
    /// It is sent to, and does not work of late.
    pub const FAILING: State = State { class: "warn", icon: "triangle-alert", key: "hook-failing" };
    /// Its integrator paused it.
    pub const PAUSED: State = State { class: "", icon: "circle-minus", key: "hook-paused" };
    /// It was switched off.
    pub const OFF: State = State { class: "bad", icon: "circle-x", key: "hook-off" };
    /// A delivery that was not tried yet.
    pub const WAITING: State = State { class: "info", icon: "clock", key: "hook-waiting" };
    /// One that is tried again.
    pub const AGAIN: State = State { class: "warn", icon: "refresh-cw", key: "hook-again" };
    /// One that the receiver has.
    pub const TAKEN: State = State { class: "good", icon: "check", key: "hook-taken" };
    /// One that was given up.
    pub const GIVEN_UP: State = State { class: "bad", icon: "x", key: "hook-given-up" };
}

/// An address in the list.
pub struct Row {
    /// Whole for whoever may change it; for others the host alone.
    pub address: String,
    /// In use, failing, paused, off.
    pub state: State,
    /// Of what it is told, in words.
    pub kinds: String,
    /// Registered, `dd/mm/yyyy`.
    pub since: String,
    /// Its page.
    pub href: String,
}

/// The addresses of a system.
#[derive(Template)]
#[template(path = "integrator/webhooks.html")]
pub struct Webhooks {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Parts of the desk.
    pub tabs: Tabs,
    /// What is wrong with the form.
    pub errors: Vec<FieldError>,
    /// Key of what was done a moment ago.
    pub told: Option<&'static str>,
    /// Addresses.
    pub rows: Vec<Row>,
    /// How many there may be.
    pub most: u64,
    /// Whether the person may add another one.
    pub may_add: bool,
    /// Address as typed.
    pub address: String,
    /// Kinds of events.
    pub kinds: Vec<Choice>,
    /// Token against a doubled post.
    pub once: String,
}

/// Something that was or is to be sent.
pub struct Delivery {
    /// Number.
    pub id: String,
    /// What it is about, in words.
    pub what: String,
    /// Its kind as software reads it.
    pub code: &'static str,
    /// When it happened, `HH:MM dd/mm/yyyy`.
    pub time: String,
    /// Waiting, again, taken, given up.
    pub state: State,
    /// What became of the last try; empty before the first.
    pub outcome: String,
    /// How long that took, ms; empty before the first.
    pub ms: String,
    /// Tries.
    pub attempts: u64,
    /// When it is tried next; empty where it is not.
    pub next: String,
}

/// One address.
#[derive(Template)]
#[template(path = "integrator/webhook.html")]
pub struct Webhook {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Code of the system.
    pub code: String,
    /// Number of the address.
    pub id: String,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// Key of what was done a moment ago.
    pub told: Option<&'static str>,
    /// Whole for whoever may change it; for others the host alone.
    pub address: String,
    /// In use, failing, paused, off.
    pub state: State,
    /// Since when it fails; empty where it does not.
    pub failing: String,
    /// Of what it is told, in words.
    pub kinds: String,
    /// Registered, `dd/mm/yyyy`.
    pub since: String,
    /// Until when the secret before signs too; empty where there is none.
    pub before: String,
    /// Whether the person may change it.
    pub manage: bool,
    /// Whether it is sent to.
    pub in_use: bool,
    /// The last deliveries, the newest first.
    pub rows: Vec<Delivery>,
    /// How many are listed at most.
    pub listed: u64,
    /// Token against a doubled post.
    pub once: String,
}

/// A secret, shown this once.
#[derive(Template)]
#[template(path = "integrator/webhook_secret.html")]
pub struct Secret {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Code of the system.
    pub code: String,
    /// Number of the address.
    pub id: String,
    /// The address.
    pub address: String,
    /// The secret.
    pub secret: String,
    /// Until when the one before signs too, `HH:MM dd/mm/yyyy`; empty where there was none.
    pub before: String,
}
