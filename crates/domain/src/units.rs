//! Units (đơn vị) as a dated tree: what happened to each of them stands as events, and the tree of
//! a day is what the events up to that day lead to (A1, B4, B8, B9).
//!
//! **Invariant:** the tree of every day has no cycle, and a living unit has exactly one name.
//! **Invariant:** an old code leads to the unit that took over, as long as there is one.
//!
//! To add an event: a variant at the end of [`Change`] (its place is its number in the store), its
//! effect in `tree.rs`, its refusals in `refusal.rs`.

mod official;
mod refusal;
#[cfg(test)]
mod tests;
mod tree;
mod words;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use self::official::{Proposal, commune_unit, official, proposals, province_unit};
pub use self::refusal::UnitRefusal;
pub use self::tree::{Ending, Tree, Unit, standing};
pub use self::words::{AgencyCode, Contact, ContactKind, Representative, Seat, UnitKind, UnitName};
use crate::ids::UnitCode;
use crate::registration::Group;

/// Focal points of a unit: "may be two", police and culture office (B8).
pub const FOCAL_POINTS_MAX: usize = 2;
/// Contacts of a unit: two kinds (J2), each with a stand-in for every shift of three (*ours*).
pub const CONTACTS_MAX: usize = 12;
/// Units that one splits into (*ours*: the lists divide a commune among a handful).
pub const SPLIT_MAX: usize = 12;
/// Identifiers of a unit: one of its own, and those of bodies it took over (*ours*).
pub const AGENCY_CODES_MAX: usize = 8;

/// Something that happened to a unit, in force from the beginning of a Viet Nam day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// The unit it happened to.
    pub unit: UnitCode,
    /// From which day.
    pub day: Date,
    /// What.
    pub change: Change,
}

/// What happened. The order is that of the store: add at the end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Change {
    /// Thành lập.
    Founded {
        /// Its first name.
        name: UnitName,
        /// The unit above it; none: a root.
        parent: Option<UnitCode>,
        /// What it is.
        about: About,
    },
    /// Đổi tên.
    Renamed(UnitName),
    /// Chuyển: another unit above it, or none.
    Moved(Option<UnitCode>),
    /// What it is was told anew.
    Described(About),
    /// Where its papers are gathered, when not at the unit above it (B8).
    Gathered(Vec<UnitCode>),
    /// Người đại diện, who signs commitments (B7).
    Represented(Representative),
    /// Đầu mối liên hệ (J2).
    Contacts(Vec<Contact>),
    /// Sáp nhập vào một đơn vị khác.
    Merged(UnitCode),
    /// Chia tách.
    Split {
        /// What it was split into.
        into: Vec<UnitCode>,
        /// Which of them takes over what is live.
        heir: UnitCode,
    },
    /// Giải thể.
    Dissolved,
    /// Hủy: what was written down for a day that had not come does not happen.
    Annulled {
        /// For which day it stood.
        day: Date,
        /// What it was.
        change: Box<Self>,
    },
    /// Đầu mối liên hệ of one kind (J2): takes the place of those of its kind before.
    Called(Contact),
}

/// What a unit is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct About {
    /// Kind.
    pub kind: UnitKind,
    /// Group of users (A1).
    pub group: Group,
    /// Mã định danh cơ quan.
    pub agency: Vec<AgencyCode>,
    /// Where it works.
    pub seat: Option<Seat>,
}

impl About {
    /// A unit of a kind about which no more is known.
    pub const fn of(kind: UnitKind) -> Self {
        Self { kind, group: kind.group(), agency: vec![], seat: None }
    }
}

impl Change {
    /// The word in entries of the journal and in forms.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Founded { .. } => "founded",
            Self::Renamed(_) => "renamed",
            Self::Moved(_) => "moved",
            Self::Described(_) => "described",
            Self::Gathered(_) => "gathered",
            Self::Represented(_) => "represented",
            Self::Contacts(_) | Self::Called(_) => "contacts",
            Self::Merged(_) => "merged",
            Self::Split { .. } => "split",
            Self::Dissolved => "dissolved",
            Self::Annulled { .. } => "annulled",
        }
    }

    /// The unit that takes over what is live.
    pub const fn heir(&self) -> Option<&UnitCode> {
        match self {
            Self::Merged(heir) | Self::Split { heir, .. } => Some(heir),
            _ => None,
        }
    }

    /// Whether the unit is no more from that day on.
    pub const fn ends(&self) -> bool {
        matches!(self, Self::Merged(_) | Self::Split { .. } | Self::Dissolved)
    }

    /// Among the events of one day units are founded first and end last.
    const fn rank(&self) -> u8 {
        match self {
            Self::Founded { .. } => 0,
            _ if self.ends() => 2,
            _ => 1,
        }
    }
}
