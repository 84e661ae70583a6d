//! The three steps that run beside each other after receipt (B3), and how each is closed: by being
//! done, with evidence, or by a recorded exemption.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::content::{SHORT_MAX, is_text};
use super::{Blocked, Mark};

/// A step of the work after receipt.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[repr(u8)]
pub enum Step {
    /// The authority looks through the documents and issues its own.
    Documents = 0,
    /// The system is tested against the sandbox, on synthetic people.
    Sandbox = 1,
    /// Kiểm tra, đánh giá an ninh, an toàn (C2).
    Assessment = 2,
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 3] = [Self::Documents, Self::Sandbox, Self::Assessment];

    /// The word in addresses and entries of the journal.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Documents => "documents",
            Self::Sandbox => "sandbox",
            Self::Assessment => "assessment",
        }
    }

    /// From its word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.code() == code)
    }

    /// Its name for people.
    #[must_use]
    pub const fn name_vi(self) -> &'static str {
        match self {
            Self::Documents => "Tài liệu",
            Self::Sandbox => "Kiểm thử kết nối",
            Self::Assessment => "Kiểm tra an ninh, an toàn",
        }
    }
}

/// What shows that a step is done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Evidence {
    /// The four parts are checked.
    Checked,
    /// A report of the conformance suite that was only named, as before reports were checked.
    Conformance {
        /// Its name or number.
        report: String,
        /// Cases that passed.
        passed: u32,
        /// Cases that failed.
        failed: u32,
    },
    /// The police's written confirmation.
    Confirmation {
        /// Số văn bản.
        number: String,
        /// Its date.
        date: Date,
    },
    /// The signed report of a conformance run, checked.
    Report {
        /// Number of the run.
        number: String,
        /// SHA-256 of the signed text, hex.
        sha256: String,
        /// Name and hash of the key that signed it.
        signer: String,
        /// Cases, all passed.
        passed: u32,
    },
}

impl Evidence {
    /// Judges it for a step on a day.
    ///
    /// # Errors
    /// [`Blocked::WrongEvidence`], [`Blocked::ReportNeeded`], [`Blocked::ConformanceFailed`],
    /// [`Blocked::ConfirmationNeeded`], [`Blocked::DateAhead`], [`Blocked::NotWithinYear`].
    pub fn fits(&self, step: Step, today: Date) -> Result<(), Blocked> {
        match (self, step) {
            (Self::Checked, Step::Documents) => Ok(()),
            (Self::Conformance { .. }, Step::Sandbox) => Err(Blocked::ReportNeeded),
            (Self::Report { number, sha256, passed, .. }, Step::Sandbox) => {
                let whole = is_text(number, SHORT_MAX) && !sha256.is_empty() && *passed > 0;
                whole.then_some(()).ok_or(Blocked::ConformanceFailed)
            }
            (Self::Confirmation { number, date }, Step::Assessment) => {
                // C2: a confirmation has a number.
                if !is_text(number, SHORT_MAX) || !number.chars().any(|c| c.is_ascii_digit()) {
                    Err(Blocked::ConfirmationNeeded)
                } else if *date > today {
                    Err(Blocked::DateAhead)
                } else if within_year(*date, today) {
                    Ok(())
                } else {
                    Err(Blocked::NotWithinYear)
                }
            }
            (_, Step::Assessment) => Err(Blocked::ConfirmationNeeded),
            _ => Err(Blocked::WrongEvidence),
        }
    }
}

/// Grounds on which a step may be left out. Those of the assessment are C3's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum ExemptionGround {
    /// Bộ Quốc phòng.
    Defence,
    /// The system shares monitoring data online.
    SharesMonitoring,
    /// Confirmed within the year.
    ConfirmedWithinYear,
    /// First check: connected to the eID platform already.
    ConnectedToEid,
    /// The connection is live today and its dossier is entered after the fact (B4).
    LiveBefore,
    /// The sandbox works on synthetic people only.
    SyntheticPeople,
    /// A numbered decision of the authority (*ours*); never of the assessment.
    Decision,
}

impl ExemptionGround {
    /// Every ground.
    pub const ALL: [Self; 7] = [
        Self::Defence,
        Self::SharesMonitoring,
        Self::ConfirmedWithinYear,
        Self::ConnectedToEid,
        Self::LiveBefore,
        Self::SyntheticPeople,
        Self::Decision,
    ];

    /// The word in addresses and entries of the journal.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Defence => "defence",
            Self::SharesMonitoring => "sharesMonitoring",
            Self::ConfirmedWithinYear => "confirmedWithinYear",
            Self::ConnectedToEid => "connectedToEid",
            Self::LiveBefore => "liveBefore",
            Self::SyntheticPeople => "syntheticPeople",
            Self::Decision => "decision",
        }
    }

    /// From its word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ground| ground.code() == code)
    }

    /// In words.
    #[must_use]
    pub const fn name_vi(self) -> &'static str {
        match self {
            Self::Defence => "Hệ thống của Bộ Quốc phòng",
            Self::SharesMonitoring => "Có chia sẻ dữ liệu giám sát trực tuyến",
            Self::ConfirmedWithinYear => "Đã được xác nhận trong vòng một năm",
            Self::ConnectedToEid => "Đã kết nối nền tảng định danh, kiểm tra lần đầu",
            Self::LiveBefore => "Đang kết nối từ trước khi lập hồ sơ trên hệ thống",
            Self::SyntheticPeople => "Chỉ chạy trên dữ liệu giả của môi trường thử",
            Self::Decision => "Theo quyết định của cơ quan quản lý",
        }
    }

    /// Whether it exempts from a step; `first`: no change of design cleared the step. After one
    /// nothing of before counts (C2).
    #[must_use]
    pub const fn exempts(self, step: Step, first: bool) -> bool {
        match (self, step) {
            (Self::Defence | Self::SharesMonitoring, step) => matches!(step, Step::Assessment),
            (Self::ConnectedToEid | Self::ConfirmedWithinYear, Step::Assessment)
            | (Self::LiveBefore, Step::Sandbox | Step::Assessment) => first,
            (Self::SyntheticPeople, Step::Sandbox | Step::Assessment)
            | (Self::Decision, Step::Documents | Step::Sandbox) => true,
            _ => false,
        }
    }
}

/// A recorded exemption of a step.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Exemption {
    /// On which ground.
    pub ground: ExemptionGround,
    /// What shows it: number and date of the document or decision.
    pub evidence: String,
    /// Date of that document.
    pub date: Date,
}

impl Exemption {
    /// Judges it for a step on a day.
    ///
    /// # Errors
    /// [`Blocked::GroundUnfit`], [`Blocked::EvidenceMissing`], [`Blocked::DateAhead`],
    /// [`Blocked::NotWithinYear`].
    pub fn fits(&self, step: Step, first: bool, today: Date) -> Result<(), Blocked> {
        if !self.ground.exempts(step, first) {
            return Err(Blocked::GroundUnfit);
        }
        if !is_text(&self.evidence, SHORT_MAX) {
            return Err(Blocked::EvidenceMissing);
        }
        if self.date > today {
            return Err(Blocked::DateAhead);
        }
        let dated = self.ground == ExemptionGround::ConfirmedWithinYear;
        if dated && !within_year(self.date, today) {
            return Err(Blocked::NotWithinYear);
        }
        Ok(())
    }
}

/// Whether a confirmation still holds: C3 asks for one each year.
fn within_year(date: Date, today: Date) -> bool {
    crate::people::months_later(date, 12) >= today
}

/// How a step was closed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Closing {
    /// Done.
    Done(Evidence, Mark),
    /// Left out.
    Exempt(Exemption, Mark),
}

impl Closing {
    /// Whether a confirmation that it rests on is within its year on a day (C3).
    pub(super) fn holds(&self, today: Date) -> bool {
        match self {
            Self::Done(Evidence::Confirmation { date, .. }, _) => within_year(*date, today),
            Self::Exempt(exemption, _) => {
                exemption.ground != ExemptionGround::ConfirmedWithinYear
                    || within_year(exemption.date, today)
            }
            Self::Done(..) => true,
        }
    }
}
