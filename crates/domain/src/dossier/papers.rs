//! The four parts of a complete dossier (B2), each in versions: who filled it in, who signed, who
//! checked, and in which edition of its form.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Mark;
use crate::editions::{self, Edition, Form};

/// Files that one paper carries at most: a commitment of many pages scanned one by one (*ours*).
pub const ATTACHMENTS_MAX: usize = 30;

/// A part of the dossier (6383-1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[repr(u8)]
pub enum Part {
    /// Bản cam kết của tổ chức.
    Commitment = 0,
    /// Phiếu đăng ký sử dụng dịch vụ.
    Registration = 1,
    /// Danh sách tài khoản.
    Accounts = 2,
    /// Văn bản xác nhận hoặc biên bản kiểm tra theo cấp độ.
    Security = 3,
}

impl Part {
    /// Every part, in the order of the letter.
    pub const ALL: [Self; 4] =
        [Self::Commitment, Self::Registration, Self::Accounts, Self::Security];

    /// The word in addresses and entries of the journal.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Commitment => "commitment",
            Self::Registration => "registration",
            Self::Accounts => "accounts",
            Self::Security => "security",
        }
    }

    /// From its word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.code() == code)
    }

    /// Its name for people.
    #[must_use]
    pub const fn name_vi(self) -> &'static str {
        match self {
            Self::Commitment => "Bản cam kết của tổ chức",
            Self::Registration => "Phiếu đăng ký sử dụng dịch vụ",
            Self::Accounts => "Danh sách tài khoản",
            Self::Security => "Xác nhận bảo đảm an ninh, an toàn theo cấp độ",
        }
    }

    /// The form of the letter; the security confirmation has none.
    #[must_use]
    pub const fn form(self) -> Option<Form> {
        match self {
            Self::Commitment => Some(Form::OrganisationCommitment),
            Self::Registration => Some(Form::ServiceRegistration),
            Self::Accounts => Some(Form::AccountList),
            Self::Security => None,
        }
    }
}

/// A file that belongs to a paper; its bytes are kept under its number
/// ([`FileId`](crate::files::FileId)).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Attachment {
    /// Where it is found.
    pub id: u64,
    /// What it is by its content, e.g. `pdf`.
    pub kind: String,
    /// Digest of its bytes.
    pub sha256: [u8; 32],
    /// Bytes.
    pub size: u64,
}

/// One version of a part.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Paper {
    /// 1, 2, …
    pub version: u16,
    /// Name of the form's edition, kept from when the version was begun; empty without a form.
    pub edition: String,
    /// Who filled it in last, and when.
    pub filled: Mark,
    /// Who signed (B7), and when.
    pub signed: Option<Mark>,
    /// Who checked it, and when.
    pub checked: Option<Mark>,
    /// Who confirmed that what was filled in on an older edition is handed in now, and when.
    pub carried_over: Option<Mark>,
    /// Files.
    pub attachments: Vec<Attachment>,
}

impl Paper {
    pub(super) fn begin(part: Part, version: u16, mark: Mark, day: Date) -> Self {
        let edition = part.form().and_then(|form| Edition::at(form, day));
        Self {
            version,
            edition: edition.map(|e| e.name.to_owned()).unwrap_or_default(),
            filled: mark,
            signed: None,
            checked: None,
            carried_over: None,
            attachments: vec![],
        }
    }

    /// The edition of its form.
    pub(super) fn of_edition(&self, part: Part) -> Option<&'static Edition> {
        let form = part.form()?;
        editions::ALL.iter().find(|e| e.form == form && e.name == self.edition)
    }

    /// Whether its edition is not the one in force on a day.
    #[must_use]
    pub fn is_outdated(&self, part: Part, day: Date) -> bool {
        let now = part.form().and_then(|form| Edition::at(form, day));
        now.is_some_and(|edition| edition.name != self.edition)
    }
}
