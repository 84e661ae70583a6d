//! Connection dossiers (hồ sơ kết nối) as states (B1-B3, B5-B7, B10, C1, C2, C5, D4, A4).
//!
//! A transition consumes the dossier and gives the next one, or says why there is none
//! ([`Blocked`]). A draft may be half-filled: what is wrong with it is listed ([`missing`]), not
//! thrown. What a page may show of it to whom is the caller's to ask.
//!
//! **Invariant:** nothing is approved before documents, sandbox and assessment are closed, each by
//! being done or by a recorded exemption. **Invariant:** who filled or signed checks, closes and
//! approves nothing of it. **Invariant:** a [`Clearance`], without which the store sets nothing
//! live, is made here only.

mod before;
mod blocked;
mod check;
mod clearance;
mod compare;
mod content;
mod moves;
mod papers;
mod renew;
mod review;
mod steps;
mod tested;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use self::blocked::Blocked;
pub use self::check::{Cell, Missing, Turn, missing, turns, unscanned, warnings};
pub use self::clearance::{Clearance, Ground};
pub use self::compare::{Difference, compare};
pub use self::content::{
    ACCOUNTS_MAX, AccountRow, Confirmation, Contact, Content, Item, LineRow, PROCEDURES_MAX,
    ProcedureRow, Registration, SHORT_MAX, ServiceUse, TEXT_MAX, named_by, suggested_count,
};
pub use self::moves::Editor;
pub use self::papers::{ATTACHMENTS_MAX, Attachment, Paper, Part};
pub use self::renew::{Asked, Registered};
pub use self::review::{COMMENTS_MAX, Comment, Remark};
pub use self::steps::{Closing, Evidence, Exemption, ExemptionGround, Step};
pub use self::tested::Proven;
use crate::ids::{SystemId, UnitCode};
use crate::moment::Moment;
use crate::people::PersonId;
use crate::registration::{Channel, Group};
use crate::rule::RuleId;

/// The number of a dossier.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct DossierNumber(pub u32);

impl std::fmt::Display for DossierNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HS-{:05}", self.0)
    }
}

impl DossierNumber {
    /// From its written form, `HS-00012`, or its digits alone.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("HS-").unwrap_or(text);
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| digits.parse().ok().map(Self)).flatten()
    }
}

/// Who did something, and when by the product's clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Mark {
    /// Who.
    pub by: PersonId,
    /// When.
    pub at: Moment,
}

/// Where a dossier stands (B3). Whether its connection is suspended or locked is the connection's
/// own state ([`ConnectionState`](crate::registration::ConnectionState)).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Stage {
    /// Being filled in, also anew while the connection goes on.
    Draft,
    /// Handed in.
    Submitted,
    /// Sent back, with comments by field.
    Changes,
    /// Received: documents, sandbox and assessment run beside each other.
    Accepted,
    /// Approved, not live yet.
    Approved,
    /// Its connection is set up as it says.
    Live,
    /// Refused (A3). Final.
    Refused(Refusal),
    /// Taken back by the unit. Final.
    Withdrawn,
    /// The connection has ended. Final.
    Closed,
}

impl Stage {
    /// The number of [`Self::Refused`].
    pub const REFUSED: u8 = 6;

    /// Words, by number.
    pub const CODES: [&'static str; 9] = [
        "draft",
        "submitted",
        "changes",
        "accepted",
        "approved",
        "live",
        "refused",
        "withdrawn",
        "closed",
    ];

    /// Its number in the store.
    #[must_use]
    pub const fn number(&self) -> u8 {
        match self {
            Self::Draft => 0,
            Self::Submitted => 1,
            Self::Changes => 2,
            Self::Accepted => 3,
            Self::Approved => 4,
            Self::Live => 5,
            Self::Refused(_) => Self::REFUSED,
            Self::Withdrawn => 7,
            Self::Closed => 8,
        }
    }

    /// The word in addresses and entries of the journal.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        Self::CODES[self.number() as usize]
    }

    /// Its name for people.
    #[must_use]
    pub const fn name_vi(&self) -> &'static str {
        match self {
            Self::Draft => "Đang lập",
            Self::Submitted => "Đã nộp",
            Self::Changes => "Cần bổ sung",
            Self::Accepted => "Đã tiếp nhận",
            Self::Approved => "Đã phê duyệt",
            Self::Live => "Đang kết nối",
            Self::Refused(_) => "Bị từ chối",
            Self::Withdrawn => "Đã rút",
            Self::Closed => "Đã chấm dứt",
        }
    }

    /// Whether nothing more becomes of it.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Withdrawn | Self::Closed)
    }
}

/// Why a dossier was refused, and what the unit may do (A3).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Refusal {
    /// The rule.
    #[serde(with = "rule_code")]
    pub rule: RuleId,
    /// Why.
    pub reason: String,
    /// What to do.
    pub what_to_do: String,
    /// Who refused, and when.
    pub mark: Mark,
}

/// Why a live dossier was opened again (B4, B9).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reopening {
    /// What kind of.
    pub cause: Cause,
    /// In words.
    pub reason: String,
    /// By whom, and when.
    pub mark: Mark,
}

/// What re-opens a live dossier.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Cause {
    /// A change of contact, counts, services or accounts (B9).
    Change,
    /// A change of the system's design: it is tested and assessed anew (C2).
    Design,
    /// A campaign or a reorganisation (B4).
    Campaign,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 3] = [Self::Change, Self::Design, Self::Campaign];

    /// The word in forms and entries of the journal.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Design => "design",
            Self::Campaign => "campaign",
        }
    }
}

/// What is in force: the content that went live, and how many versions each paper had.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct InForce {
    content: Content,
    papers: [u16; 4],
    steps: [Option<Closing>; 3],
}

/// A connection dossier.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dossier {
    number: DossierNumber,
    unit: UnitCode,
    group: Group,
    channel: Channel,
    begun: Mark,
    stage: Stage,
    since: Moment,
    version: u16,
    content: Content,
    papers: [Vec<Paper>; 4],
    filled: Vec<PersonId>,
    steps: [Option<Closing>; 3],
    comments: Vec<Comment>,
    approvals: Vec<Mark>,
    system: Option<SystemId>,
    in_force: Option<Box<InForce>>,
    reopening: Option<Reopening>,
    turned_down: Option<Refusal>,
    /// When a change of design last cleared the assessment (C2).
    cleared: Option<Moment>,
    /// When it last cleared the sandbox step, which is shown anew (B3, C2).
    untested: Option<Moment>,
}

/// Its content names people.
impl std::fmt::Debug for Dossier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dossier({}, {}, v{})", self.number, self.stage.code(), self.version)
    }
}

impl Dossier {
    /// Begins a dossier of a unit with four empty papers in the editions of the day (B2).
    #[must_use]
    pub fn begin(
        number: DossierNumber,
        unit: UnitCode,
        (group, channel): (Group, Channel),
        mark: Mark,
    ) -> Self {
        let day = mark.at.viet_nam_date();
        Self {
            number,
            unit,
            group,
            channel,
            begun: mark,
            stage: Stage::Draft,
            since: mark.at,
            version: 0,
            content: Content::default(),
            papers: Part::ALL.map(|part| vec![Paper::begin(part, 1, mark, day)]),
            filled: vec![mark.by],
            steps: [const { None }; 3],
            comments: vec![],
            approvals: vec![],
            system: None,
            in_force: None,
            reopening: None,
            turned_down: None,
            cleared: None,
            untested: None,
        }
    }

    /// Its number.
    #[must_use]
    pub const fn number(&self) -> DossierNumber {
        self.number
    }

    /// The unit that asks.
    #[must_use]
    pub const fn unit(&self) -> &UnitCode {
        &self.unit
    }

    /// Group of the unit (A1).
    #[must_use]
    pub const fn group(&self) -> Group {
        self.group
    }

    /// Channel that is asked for (A2).
    #[must_use]
    pub const fn channel(&self) -> Channel {
        self.channel
    }

    /// Who began it, and when.
    #[must_use]
    pub const fn begun(&self) -> Mark {
        self.begun
    }

    /// Where it stands.
    #[must_use]
    pub const fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Since when it stands there.
    #[must_use]
    pub const fn since(&self) -> Moment {
        self.since
    }

    /// How often it was submitted.
    #[must_use]
    pub const fn version(&self) -> u16 {
        self.version
    }

    /// What it says now.
    #[must_use]
    pub const fn content(&self) -> &Content {
        &self.content
    }

    /// What its connection is set up as; none before it is live.
    #[must_use]
    pub fn in_force(&self) -> Option<&Content> {
        self.in_force.as_deref().map(|f| &f.content)
    }

    /// Versions of a paper, the newest last; never empty.
    #[must_use]
    pub fn papers(&self, part: Part) -> &[Paper] {
        &self.papers[part as usize]
    }

    /// Whether a version of a paper names a file. Of a round that was turned back none does.
    #[must_use]
    pub fn names(&self, file: u64) -> bool {
        self.papers.iter().flatten().flat_map(|paper| &paper.attachments).any(|a| a.id == file)
    }

    /// The newest version of a paper.
    #[must_use]
    pub fn paper(&self, part: Part) -> &Paper {
        let all = &self.papers[part as usize];
        &all[all.len() - 1]
    }

    /// How a step was closed; none while it is open.
    #[must_use]
    pub fn closing(&self, step: Step) -> Option<&Closing> {
        self.steps[step as usize].as_ref()
    }

    /// Comments, in the order in which they were made.
    #[must_use]
    pub fn comments(&self) -> &[Comment] {
        &self.comments
    }

    /// Who has approved this round, in order.
    #[must_use]
    pub fn approvals(&self) -> &[Mark] {
        &self.approvals
    }

    /// The system that was registered for it.
    #[must_use]
    pub const fn system(&self) -> Option<SystemId> {
        self.system
    }

    /// Why it was opened again, while that is under way.
    #[must_use]
    pub const fn reopening(&self) -> Option<&Reopening> {
        self.reopening.as_ref()
    }

    /// The refusal of the last change of a live dossier.
    #[must_use]
    pub const fn turned_down(&self) -> Option<&Refusal> {
        self.turned_down.as_ref()
    }

    /// Without account lists, as whoever may not see personal data reads it (A6).
    #[must_use]
    pub fn without_people(mut self) -> Self {
        self.content = self.content.without_people();
        if let Some(in_force) = &mut self.in_force {
            in_force.content.accounts.clear();
        }
        self
    }

    /// Whether somebody filled in or signed any of it: who did decides nothing about it.
    #[must_use]
    pub fn is_hand(&self, person: PersonId) -> bool {
        self.filled.contains(&person)
            || self.papers.iter().flatten().any(|p| p.signed.is_some_and(|s| s.by == person))
    }
}

mod rule_code {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use crate::rule::RuleId;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
    pub(super) fn serialize<S: Serializer>(rule: &RuleId, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(rule.code())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<RuleId, D::Error> {
        let code = String::deserialize(from)?;
        RuleId::from_code(&code).ok_or_else(|| D::Error::custom("unknown rule"))
    }
}
