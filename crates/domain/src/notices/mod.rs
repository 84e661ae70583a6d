//! Notices: what people are told without asking (D2, D3, D6 "notified at once", B9, E3, J3), to
//! whom, how soon, and where it leads. The sentences stand in the texts of the portal.
//!
//! **Invariant:** a notice holds no personal data of citizens, and no id and no login of anybody:
//! whoever may see more finds it behind the link.
//! **Invariant:** what is urgent waits for nobody's hours; nothing ordinary is mailed outside the
//! hours of the profile.
//!
//! To add a kind: a variant **at the end** of [`Notice`] (its place stands in the store), its row
//! in [`Notice::row`], and its texts `notice-{code}` in both languages.

mod account;
mod audience;
mod dossier;
mod plan;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use crate::appeals::AppealStep;
use crate::ids::SystemCode;
use crate::moment::Moment;
use crate::plans::Deed;
use crate::rule::RuleId;
use crate::service::{Service, Window};

pub use self::account::AccountChange;
pub use self::audience::{Audience, Side};
pub use self::dossier::{CampaignDeed, DossierDeed};
pub use self::plan::{
    DIGEST_MINUTE, MAILS_A_DAY, Ordinary, Preference, RETRY_FOR_MS, When, capped, is_address, plan,
    retry_after_ms,
};

/// A registered row.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LineAt {
    /// The system.
    pub system: SystemCode,
    /// Service.
    pub service: Service,
    /// Window.
    pub window: Window,
}

/// Something that somebody is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Notice {
    /// A line came near its count, or reached it (D2).
    LineWarned {
        /// Which.
        line: LineAt,
        /// The threshold that was passed, percent.
        percent: u8,
        /// The count in force.
        count: u32,
    },
    /// The first exceedance of a line (D3).
    LineExceeded {
        /// Which.
        line: LineAt,
        /// The count in force.
        count: u32,
    },
    /// A line was locked (D3).
    LineLocked {
        /// Which.
        line: LineAt,
        /// Whether the whole connection stops with it.
        connection: bool,
        /// When it ends by itself.
        until: Option<Moment>,
    },
    /// A named person ended the lock of a line (D3).
    LineLifted {
        /// Which.
        line: LineAt,
    },
    /// A person's account changed (D6, E2, E3).
    Account(AccountChange),
    /// A raise is asked for (D8).
    RaiseAsked {
        /// The system.
        system: SystemCode,
        /// Requests in this one act.
        requests: u32,
    },
    /// A raise was granted (D8).
    RaiseGranted {
        /// The line.
        line: LineAt,
        /// Its end.
        to: Moment,
    },
    /// A raise was refused (D8).
    RaiseRefused {
        /// The line.
        line: LineAt,
    },
    /// A raise ends soon (D8).
    RaiseEnding {
        /// The line.
        line: LineAt,
        /// When.
        to: Moment,
    },
    /// A secret or certificate ends soon (C5).
    CredentialEnding {
        /// The system.
        system: SystemCode,
        /// Number of the credential within the system.
        number: u32,
        /// When.
        until: Moment,
    },
    /// The account list of a system changed (B9, E4).
    ListChanged {
        /// The system.
        system: SystemCode,
    },
    /// A revocation is to be confirmed in the agency's own software (E3).
    RevocationToConfirm {
        /// The system.
        system: SystemCode,
    },
    /// The centre announces something (J2).
    Announced {
        /// Heading, public.
        title: String,
        /// Whether something is wrong now.
        incident: bool,
    },
    /// A step of a dossier (B3, J3).
    DossierStep {
        /// Number of the dossier.
        number: String,
        /// The step in words.
        step: String,
        /// Whose turn it is, in words.
        turn: String,
        /// What to do.
        text: String,
        /// Where it stands, a path of the portal.
        link: String,
    },
    /// A campaign has a deadline (B4, B9).
    CampaignReminder {
        /// Its name.
        name: String,
        /// Last day.
        due: Date,
        /// What to do.
        text: String,
        /// Where it is done, a path of the portal.
        link: String,
    },
    /// Mail to a person's address came back.
    MailFailing {
        /// Whether it is the reader's own address.
        own: bool,
    },
    /// A named person locked a connection, or ended its lock (D6).
    Connection {
        /// The system.
        system: SystemCode,
        /// Whether it is locked now.
        locked: bool,
    },
    /// An account list that a system sent waits for the head (B6, E1).
    ListWaits {
        /// The system.
        system: SystemCode,
    },
    /// A step of a job plan (D5).
    Plan {
        /// The system that runs.
        system: SystemCode,
        /// What was done.
        deed: Deed,
    },
    /// A step of a dossier, after which it is somebody's turn (B3).
    Dossier {
        /// Number of the dossier.
        number: String,
        /// What was done.
        deed: DossierDeed,
    },
    /// An account came near its declared average, or passed it (D2).
    AccountWarned {
        /// The system.
        system: SystemCode,
        /// The threshold that was passed, percent.
        percent: u8,
    },
    /// A monthly statement is there (A7).
    Statement {
        /// The system.
        system: SystemCode,
        /// `YYYY-MM`.
        month: String,
    },
    /// A focal point urges the unit (B8).
    Urged {
        /// The focal point's unit, by name.
        by: String,
        /// What it says.
        text: String,
        /// Where it is done, a path of the portal.
        link: String,
    },
    /// A step of an appeal against a lock (D6).
    Appeal {
        /// The system.
        system: SystemCode,
        /// What is locked, as addresses name it.
        lock: String,
        /// The step.
        step: AppealStep,
    },
    /// A webhook of a system could not be reached for long, or was switched off.
    WebhookFailing {
        /// The system.
        system: SystemCode,
        /// Whether it is switched off now.
        off: bool,
    },
    /// A step of a dossier's part in a campaign (B4).
    Campaign {
        /// Name of the campaign.
        name: String,
        /// Number of the dossier.
        number: String,
        /// Last day.
        due: Date,
        /// What was done.
        deed: CampaignDeed,
    },
    /// A summary was handed up (B8).
    HandedUp {
        /// The focal point's unit, by name.
        by: String,
        /// Number of the receipt.
        number: String,
        /// Code of the unit that receives it; empty: the centre.
        to: String,
    },
}

/// What is of one kind on the page of notices.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Topic {
    /// Counts and locks of lines.
    Lines,
    /// Accounts, passwords, factors, lists.
    Accounts,
    /// Raises.
    Raises,
    /// Secrets, certificates, revocations to confirm.
    Connection,
    /// Announcements.
    News,
    /// Dossiers and campaigns.
    Dossiers,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 6] =
        [Self::Lines, Self::Accounts, Self::Raises, Self::Connection, Self::News, Self::Dossiers];

    /// The word in addresses and in the keys of texts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Accounts => "accounts",
            Self::Raises => "raises",
            Self::Connection => "connection",
            Self::News => "news",
            Self::Dossiers => "dossiers",
        }
    }

    /// From its word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.code() == code)
    }
}

/// How soon a notice is mailed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Urgency {
    /// At once, whatever the hour (D3, D6).
    AtOnce,
    /// With others, once a day.
    Ordinary,
}

/// What the table says of a notice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// The word in the keys of texts: `notice-{code}`.
    pub code: &'static str,
    /// The rule that asks for it.
    pub rule: RuleId,
    /// How soon.
    pub urgency: Urgency,
    /// Where it is listed.
    pub topic: Topic,
}

impl Notice {
    /// Its row.
    pub const fn row(&self) -> Row {
        use RuleId::{A7, B3, B4, B6, B8, B9, C5, D2, D3, D5, D6, D8, E3, J2};
        use Topic::{Accounts, Connection, Dossiers, Lines, News, Raises};
        use Urgency::{AtOnce, Ordinary};
        let (code, rule, urgency, topic) = match self {
            // At the count itself refusals begin: that does not wait for tomorrow.
            Self::LineWarned { percent: 100.., .. } => ("line-full", D2, AtOnce, Lines),
            Self::LineWarned { .. } => ("line-warned", D2, Ordinary, Lines),
            Self::LineExceeded { .. } => ("line-exceeded", D3, AtOnce, Lines),
            Self::LineLocked { connection: false, .. } => ("line-locked", D3, AtOnce, Lines),
            Self::LineLocked { .. } => ("connection-locked", D3, AtOnce, Lines),
            Self::LineLifted { .. } => ("line-lifted", D3, AtOnce, Lines),
            Self::Account(change) => ("account", change.rule(), AtOnce, Accounts),
            Self::RaiseAsked { .. } => ("raise-asked", D8, AtOnce, Raises),
            Self::RaiseGranted { .. } => ("raise-granted", D8, AtOnce, Raises),
            Self::RaiseRefused { .. } => ("raise-refused", D8, AtOnce, Raises),
            Self::RaiseEnding { .. } => ("raise-ending", D8, Ordinary, Raises),
            Self::CredentialEnding { .. } => ("credential-ending", C5, Ordinary, Connection),
            Self::ListChanged { .. } => ("list-changed", B9, Ordinary, Accounts),
            Self::RevocationToConfirm { .. } => ("revocation", E3, AtOnce, Connection),
            Self::Announced { incident: true, .. } => ("incident", J2, AtOnce, News),
            Self::Announced { .. } => ("announced", J2, Ordinary, News),
            Self::DossierStep { .. } => ("dossier", B3, Ordinary, Dossiers),
            Self::CampaignReminder { .. } => ("campaign", B4, Ordinary, Dossiers),
            Self::MailFailing { own: true } => ("mail-failing-own", J2, Ordinary, Accounts),
            Self::MailFailing { .. } => ("mail-failing", J2, Ordinary, Accounts),
            Self::Connection { locked: true, .. } => ("connection-stopped", D6, AtOnce, Connection),
            Self::Connection { .. } => ("connection-opened", D6, AtOnce, Connection),
            Self::ListWaits { .. } => ("list-waits", B6, AtOnce, Accounts),
            Self::Plan { deed, .. } => (plan_code(*deed), D5, AtOnce, Lines),
            Self::Dossier { deed, .. } => (deed.code(), B3, Ordinary, Dossiers),
            // Beyond the average questions are still answered, up to the hard stop.
            Self::AccountWarned { percent: 100.., .. } => ("count-full", D2, AtOnce, Lines),
            Self::AccountWarned { .. } => ("count-warned", D2, Ordinary, Lines),
            Self::Statement { .. } => ("statement", A7, Ordinary, Connection),
            Self::Urged { .. } => ("urged", B8, Ordinary, Dossiers),
            Self::Appeal { step, .. } => (appeal_code(*step), D6, AtOnce, Lines),
            Self::WebhookFailing { off: true, .. } => ("webhook-off", J2, AtOnce, Connection),
            Self::WebhookFailing { .. } => ("webhook-failing", J2, Ordinary, Connection),
            Self::Campaign { deed, .. } => (deed.code(), B4, Ordinary, Dossiers),
            Self::HandedUp { .. } => ("handed-up", B8, Ordinary, Dossiers),
        };
        Row { code, rule, urgency, topic }
    }

    /// Whether its mail goes by itself however many were sent that day: what stops somebody's work,
    /// or is about the security of an account.
    pub const fn is_pressing(&self) -> bool {
        matches!(self, Self::Account(_) | Self::LineLocked { .. } | Self::Connection { .. })
    }

    /// Where the reader finds more: a path of the portal.
    pub fn link(&self, side: Side) -> String {
        let of_system = |system: &SystemCode| match side {
            Side::Operator => format!("/operate/systems/{system}"),
            Side::Integrator => format!("/integrator/{system}"),
            _ => "/unit/usage".to_owned(),
        };
        let desk = |operator: &str, other: &str| {
            if side == Side::Operator { operator.to_owned() } else { other.to_owned() }
        };
        match self {
            Self::LineWarned { line, .. } | Self::LineLifted { line } => of_system(&line.system),
            // An officer has no page of the unit's lines.
            Self::LineExceeded { .. } if side == Side::Person => "/counter".to_owned(),
            Self::LineExceeded { .. } => desk("/operate/exceedances", "/unit/usage"),
            Self::LineLocked { .. } | Self::Appeal { step: AppealStep::Lifted, .. } => {
                desk("/operate/locks", "/unit/usage")
            }
            Self::Account(_) | Self::ListChanged { .. } | Self::MailFailing { own: false } => {
                let path = if side == Side::Head { "/unit/officers" } else { "/account/history" };
                path.to_owned()
            }
            Self::RaiseAsked { .. }
            | Self::RaiseGranted { .. }
            | Self::RaiseRefused { .. }
            | Self::RaiseEnding { .. } => desk("/operate/raises", "/unit/raises"),
            Self::CredentialEnding { system, .. } | Self::Connection { system, .. } => {
                of_system(system)
            }
            Self::RevocationToConfirm { .. } => "/unit/revocations".to_owned(),
            Self::Announced { .. } => "/status".to_owned(),
            Self::DossierStep { link, .. }
            | Self::CampaignReminder { link, .. }
            | Self::Urged { link, .. } => link.clone(),
            Self::MailFailing { .. } => "/account/contact".to_owned(),
            Self::ListWaits { .. } => "/unit/accounts-by-api".to_owned(),
            Self::Plan { .. } => desk("/centre/plans", "/unit/plans"),
            Self::Dossier { number, .. } | Self::Campaign { number, .. } => {
                desk("/centre/dossiers", "/unit/dossiers") + "/" + number
            }
            Self::AccountWarned { .. } => {
                let path = if side == Side::Head { "/unit/usage" } else { "/counter" };
                path.to_owned()
            }
            Self::Statement { .. } => "/unit/statements".to_owned(),
            // A lock that was lifted has no page.
            Self::Appeal { lock, .. } => format!("/operate/locks/{lock}"),
            Self::WebhookFailing { system, .. } => format!("/integrator/{system}/webhooks"),
            Self::HandedUp { number, to, .. } => format!("/gathering/handed/{number}?at={to}"),
        }
    }
}

const fn appeal_code(step: AppealStep) -> &'static str {
    match step {
        AppealStep::Made => "appeal-made",
        AppealStep::Acknowledged => "appeal-acknowledged",
        AppealStep::Lifted => "appeal-lifted",
        AppealStep::Kept => "appeal-kept",
        AppealStep::Late => "appeal-late",
    }
}

const fn plan_code(deed: Deed) -> &'static str {
    match deed {
        Deed::Announced => "plan-announced",
        Deed::Acknowledged => "plan-acknowledged",
        Deed::Agreed => "plan-agreed",
        Deed::Refused => "plan-refused",
        Deed::Withdrawn => "plan-withdrawn",
        Deed::Ended => "plan-ended",
    }
}

#[cfg(test)]
mod tests;
