//! What is said of a unit: kind, identifiers, seat, who signs for it and who is called.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::UnitRefusal;
use crate::geo;
use crate::notices::is_address;
use crate::person::Dataset;
use crate::registration::Group;
use crate::text::{composed, is_storable, phone};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident: $code:literal $group:ident $vi:literal, $en:literal;)*) => {
        /// What a unit is. The order is that of the store: add at the end.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
        pub enum UnitKind { $($(#[$doc])* $kind),* }

        impl UnitKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The word in commands and addresses.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$kind => $code),* }
            }

            /// The group of its kind (A1), unless it is told otherwise.
            pub const fn group(self) -> Group {
                match self { $(Self::$kind => Group::$group),* }
            }

            /// Its name in Vietnamese and English.
            pub const fn names(self) -> (&'static str, &'static str) {
                match self { $(Self::$kind => ($vi, $en)),* }
            }
        }
    };
}
// A1: group 1 state agencies, political and socio-political organisations; group 2 credit
// institutions, telecoms, notaries and others charged with public services; group 4 the rest.
kinds! {
    /// Bộ, cơ quan ngang bộ.
    Ministry: "ministry" State "Bộ, cơ quan ngang bộ", "Ministry";
    /// UBND cấp tỉnh.
    Province: "province" State "Ủy ban nhân dân cấp tỉnh", "Province people's committee";
    /// Sở, ban, ngành.
    Department: "department" State "Sở, ban, ngành", "Department";
    /// UBND cấp xã.
    Commune: "commune" State "Ủy ban nhân dân cấp xã", "Commune people's committee";
    /// Công an.
    Police: "police" State "Công an", "Police";
    /// Tòa án, viện kiểm sát.
    Court: "court" State "Tòa án, viện kiểm sát", "Court or procuracy";
    /// Đảng, tổ chức chính trị - xã hội.
    Party: "party" State
        "Cơ quan Đảng, tổ chức chính trị - xã hội", "Party or socio-political organisation";
    /// Tổ chức tín dụng.
    Bank: "bank" PublicService "Tổ chức tín dụng", "Credit institution";
    /// Doanh nghiệp viễn thông.
    Telecom: "telecom" PublicService "Doanh nghiệp viễn thông", "Telecoms operator";
    /// Đơn vị cung cấp dịch vụ công.
    PublicService: "publicService" PublicService
        "Tổ chức cung cấp dịch vụ công", "Public-service body";
    /// Trung tâm dữ liệu quốc gia về dân cư.
    Centre: "centre" State "Trung tâm dữ liệu quốc gia về dân cư", "The data centre";
    /// Khác.
    Other: "other" Other "Tổ chức khác", "Other organisation";
    /// Not told yet: founded from the code that a system was registered with.
    Untold: "untold" Other "Chưa khai loại đơn vị", "Kind not told yet";
}

impl UnitKind {
    /// From its word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.code() == code)
    }
}

/// A text of so many characters in NFC, without blanks at its ends.
fn text(raw: &str, length: std::ops::RangeInclusive<usize>) -> Option<Box<str>> {
    // A character has at most 4 bytes, and a composed one at most three before composing.
    let raw = raw.trim();
    let fits = raw.len() <= length.end() * 12 && raw.chars().all(is_storable);
    let text = fits.then(|| composed(raw))?;
    length.contains(&text.chars().count()).then(|| text.as_ref().into())
}

/// The name of a unit: 3-200 characters, kept in NFC.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UnitName(Box<str>);

impl UnitName {
    /// Parses; blanks at the ends do not count.
    ///
    /// # Errors
    /// [`UnitRefusal::Name`].
    pub fn parse(raw: &str) -> Result<Self, UnitRefusal> {
        text(raw, 3..=200).map(Self).ok_or(UnitRefusal::Name)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for UnitName {
    type Error = UnitRefusal;
    fn try_from(text: String) -> Result<Self, UnitRefusal> {
        Self::parse(&text)
    }
}

impl From<UnitName> for String {
    fn from(name: UnitName) -> Self {
        name.0.into()
    }
}

impl fmt::Display for UnitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Mã định danh điện tử của cơ quan, tổ chức (QĐ 20/2020/QĐ-TTg), e.g. `H26.01.02`: levels of
/// letters and digits with dots between them, the first one a letter and two digits, at most 35
/// characters in all. Small letters are read as capitals.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AgencyCode(Box<str>);

impl AgencyCode {
    /// Characters at most.
    pub const LENGTH_MAX: usize = 35;

    /// Parses; blanks at the ends do not count.
    ///
    /// # Errors
    /// [`UnitRefusal::Agency`].
    pub fn parse(raw: &str) -> Result<Self, UnitRefusal> {
        let code = raw.trim().to_ascii_uppercase();
        let level = |l: &str| !l.is_empty() && l.bytes().all(|b| b.is_ascii_alphanumeric());
        let first = |l: &str| {
            matches!(l.as_bytes(), [a, b, c]
                if a.is_ascii_alphabetic() && b.is_ascii_digit() && c.is_ascii_digit())
        };
        let fits = code.len() <= Self::LENGTH_MAX
            && code.split('.').all(level)
            && code.split('.').next().is_some_and(first);
        if fits { Ok(Self(code.into())) } else { Err(UnitRefusal::Agency) }
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AgencyCode {
    type Error = UnitRefusal;
    fn try_from(text: String) -> Result<Self, UnitRefusal> {
        Self::parse(&text)
    }
}

impl From<AgencyCode> for String {
    fn from(code: AgencyCode) -> Self {
        code.0.into()
    }
}

/// Where a unit works, by an official list.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Seat {
    /// The list that the codes are read by.
    pub dataset: Dataset,
    /// Mã tỉnh.
    pub province: u8,
    /// Mã xã.
    pub commune: Option<u32>,
}

impl Seat {
    /// A place that is on the list.
    ///
    /// # Errors
    /// [`UnitRefusal::Seat`].
    pub fn new(dataset: Dataset, province: u8, commune: Option<u32>) -> Result<Self, UnitRefusal> {
        let known = geo::province(dataset, province).is_some();
        let within = |code| geo::commune(dataset, code).is_some_and(|c| c.province == province);
        if known && commune.is_none_or(within) {
            Ok(Self { dataset, province, commune })
        } else {
            Err(UnitRefusal::Seat)
        }
    }
}

/// Who signs for a unit (B7). Debug output leaves the person out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Representative {
    name: Box<str>,
    position: Box<str>,
}

impl Representative {
    /// Parses what was typed.
    ///
    /// # Errors
    /// [`UnitRefusal::PersonName`], [`UnitRefusal::Position`].
    pub fn parse(name: &str, position: &str) -> Result<Self, UnitRefusal> {
        Ok(Self {
            name: text(name, 2..=100).ok_or(UnitRefusal::PersonName)?,
            position: text(position, 2..=100).ok_or(UnitRefusal::Position)?,
        })
    }

    /// Full name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Chức vụ.
    pub fn position(&self) -> &str {
        &self.position
    }
}

/// What a contact is for (J2). The order is that of the store: add at the end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum ContactKind {
    /// Hồ sơ, kỹ thuật.
    Dossier,
    /// An ninh, an toàn.
    Security,
}

impl ContactKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Dossier, Self::Security];

    /// The word in forms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Dossier => "dossier",
            Self::Security => "security",
        }
    }

    /// From its word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// Who is called (J2). Debug output leaves the person out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    kind: ContactKind,
    who: Representative,
    phone: Box<str>,
    email: Box<str>,
}

impl Contact {
    /// Characters of an e-mail address at most.
    const EMAIL_MAX: usize = 100;

    /// Parses what was typed; blanks, dots, hyphens and brackets in a telephone number do not
    /// count.
    ///
    /// # Errors
    /// As [`Representative::parse`]; [`UnitRefusal::Phone`], [`UnitRefusal::Email`].
    pub fn parse(
        kind: ContactKind,
        who: Representative,
        number: &str,
        email: &str,
    ) -> Result<Self, UnitRefusal> {
        let email = email.trim();
        if !is_address(email) || email.len() > Self::EMAIL_MAX {
            return Err(UnitRefusal::Email);
        }
        let phone = phone(number).ok_or(UnitRefusal::Phone)?;
        Ok(Self { kind, who, phone: phone.into(), email: email.into() })
    }

    /// What for.
    pub const fn kind(&self) -> ContactKind {
        self.kind
    }

    /// Name and position.
    pub const fn who(&self) -> &Representative {
        &self.who
    }

    /// Telephone.
    pub fn phone(&self) -> &str {
        &self.phone
    }

    /// E-mail.
    pub fn email(&self) -> &str {
        &self.email
    }
}

impl fmt::Debug for Representative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Representative(***)")
    }
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Contact({:?}, ***)", self.kind)
    }
}
