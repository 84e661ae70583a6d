//! A person of the registry: the record that is sealed, and its parts.

use std::fmt;
use std::sync::LazyLock;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::birth::BirthDate;
use crate::ids::{OldId, PersonalId};
use crate::name::FullName;
use crate::service::Field;

/// Longest house, street and hamlet of an address, characters: what a record may hold, a caller may
/// ask about. The longest of the forms' fields; the longest on paper forms is about 120.
pub const DETAIL_MAX: usize = 250;
/// Longest household number, characters: twice the longest that is printed on household books.
pub const HOUSEHOLD_NUMBER_MAX: usize = 40;

/// The part of a record that every question compares: the first fields of [`Person`], in its
/// order, so that a verification need not decode the rest.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct PersonKeys {
    /// Số định danh cá nhân.
    pub personal_id: PersonalId,
    /// Số CMND, the current one first.
    pub old_ids: Vec<OldId>,
    /// Họ, chữ đệm và tên.
    pub full_name: FullName,
    /// Ngày sinh, or only the year.
    pub birth: BirthDate,
    /// Sống, chết, mất tích.
    pub vital: VitalStatus,
}

/// One citizen's record. Everything here is personal data and leaves the store sealed. The first
/// five fields are those of [`PersonKeys`] and keep that order.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Số định danh cá nhân.
    pub personal_id: PersonalId,
    /// Số CMND, the current one first; usually none or one.
    pub old_ids: Vec<OldId>,
    /// Họ, chữ đệm và tên.
    pub full_name: FullName,
    /// Ngày sinh, or only the year.
    pub birth: BirthDate,
    /// Sống, chết, mất tích.
    pub vital: VitalStatus,
    /// Tên gọi khác.
    pub other_name: Option<FullName>,
    /// Giới tính.
    pub sex: Sex,
    /// Dân tộc, code list of QĐ 121-TCTK (1-55, 99); other codes pass through.
    pub ethnicity: u8,
    /// Tôn giáo, code 0-14; other codes pass through.
    pub religion: u8,
    /// Quốc tịch, ISO 3166-1 alpha-2.
    pub nationality: Country,
    /// Tình trạng hôn nhân.
    pub marital: MaritalStatus,
    /// Nhóm máu.
    pub blood: BloodGroup,
    /// Nơi sinh.
    pub birth_place: Option<Address>,
    /// Nơi đăng ký khai sinh.
    pub birth_registration: Option<Address>,
    /// Quê quán.
    pub origin: Option<Address>,
    /// Nơi thường trú.
    pub permanent: Option<Address>,
    /// Nơi tạm trú.
    pub temporary: Option<Address>,
    /// Nơi ở hiện tại.
    pub current: Option<Address>,
    /// Cha.
    pub father: Option<Relative>,
    /// Mẹ.
    pub mother: Option<Relative>,
    /// Vợ hoặc chồng.
    pub spouse: Option<Relative>,
    /// Người giám hộ, người đại diện.
    pub guardian: Option<Relative>,
    /// The household the person belongs to.
    pub household: Option<HouseholdRef>,
    /// Where each field came from and when (G1).
    pub sources: Sources,
}

/// Giới tính: 1 nam, 2 nữ, 3 other, 0 unknown.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[repr(u8)]
pub enum Sex {
    /// 0.
    Unknown = 0,
    /// 1, nam.
    Male = 1,
    /// 2, nữ.
    Female = 2,
    /// 3.
    Other = 3,
}

/// Tình trạng hôn nhân: 1 chưa kết hôn, 2 đang có vợ/chồng, 3 đã ly hôn hoặc góa.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[repr(u8)]
pub enum MaritalStatus {
    /// 0.
    Unknown = 0,
    /// 1, chưa kết hôn.
    Single = 1,
    /// 2, đang có vợ/chồng.
    Married = 2,
    /// 3, đã ly hôn hoặc góa.
    DivorcedOrWidowed = 3,
}

/// Nhóm máu: 00 unknown, 01 A, 02 B, 03 AB, 04 O.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[repr(u8)]
pub enum BloodGroup {
    /// 00.
    Unknown = 0,
    /// 01.
    A = 1,
    /// 02.
    B = 2,
    /// 03.
    Ab = 3,
    /// 04.
    O = 4,
}

macro_rules! from_code {
    ($($name:ident { $($n:literal => $variant:ident),* }),*) => {$(
        impl $name {
            /// From its code on the wire; unknown codes are `None`.
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $($n => Some(Self::$variant),)* _ => None }
            }

            /// Its code on the wire.
            pub const fn code(self) -> u8 {
                self as u8
            }
        }
    )*};
}
from_code!(
    Sex { 0 => Unknown, 1 => Male, 2 => Female, 3 => Other },
    MaritalStatus { 0 => Unknown, 1 => Single, 2 => Married, 3 => DivorcedOrWidowed },
    BloodGroup { 0 => Unknown, 1 => A, 2 => B, 3 => Ab, 4 => O }
);

/// Sống, chết, mất tích. TinhTrang of the vital check: 1 alive, 2 dead, 3 missing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum VitalStatus {
    /// 1.
    Alive,
    /// 2, with the date of death where known.
    Dead(Option<Date>),
    /// 3, declared missing.
    Missing(Option<Date>),
}

impl VitalStatus {
    /// 1 alive, 2 dead, 3 missing.
    pub const fn code(self) -> u8 {
        match self {
            Self::Alive => 1,
            Self::Dead(_) => 2,
            Self::Missing(_) => 3,
        }
    }

    /// The claim `alive`: missing people are neither.
    pub const fn alive(self) -> Option<bool> {
        match self {
            Self::Alive => Some(true),
            Self::Dead(_) => Some(false),
            Self::Missing(_) => None,
        }
    }
}

/// ISO 3166-1 alpha-2 country code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Country([u8; 2]);

impl Country {
    /// Việt Nam.
    pub const VN: Self = Self(*b"VN");

    /// Two ASCII letters, any case.
    pub fn parse(text: &str) -> Option<Self> {
        match text.as_bytes() {
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Some(Self([a.to_ascii_uppercase(), b.to_ascii_uppercase()]))
            }
            _ => None,
        }
    }

    /// The two letters, upper case.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("VN")
    }
}

/// Which list of administrative units a commune code is read by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Dataset {
    /// 63 provinces with districts, before 2025-07-01.
    Y2024,
    /// 34 provinces without districts, from 2025-07-01 (as amended 2026-04-30).
    Y2026,
}

impl Dataset {
    /// The date that answers carry as `datasetDate`.
    pub const fn date(self) -> &'static str {
        match self {
            Self::Y2024 => "2024-12-31",
            Self::Y2026 => "2026-04-30",
        }
    }

    /// The list in force on a date: commune codes changed meaning on 2025-07-01.
    pub fn in_force_on(date: Date) -> Self {
        if date < jiff::civil::date(2025, 7, 1) { Self::Y2024 } else { Self::Y2026 }
    }
}

/// An address. A commune code means nothing without its dataset.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Mã tỉnh, thành phố: 1-99 (two digits on the wire); 0 = abroad or unknown.
    pub province: u8,
    /// Mã phường, xã (five digits on the wire); 0 = unknown.
    pub commune: u32,
    /// House, street, hamlet.
    pub detail: String,
    /// Quốc gia.
    pub country: Country,
    /// The list that `province` and `commune` are read by.
    pub dataset: Dataset,
}

/// A relative as written in a person's record.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relative {
    /// Họ tên.
    pub full_name: FullName,
    /// Số định danh, where known.
    pub personal_id: Option<PersonalId>,
    /// Số CMND, where known.
    pub old_id: Option<OldId>,
    /// Quốc tịch.
    pub nationality: Country,
}

/// A person's place in a household.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HouseholdRef {
    /// Key of the household in the registry.
    pub key: u64,
    /// Số sổ hộ khẩu, số hộ.
    pub number: String,
    /// Quan hệ với chủ hộ, e.g. CH01 = chủ hộ.
    pub role: HouseholdRole,
    /// Chủ hộ.
    pub head: Relative,
}

/// Quan hệ với chủ hộ. CH01 is public; the other codes that have a name here are ours, and codes
/// of other lists pass through. New variants go to the end: records hold the position.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum HouseholdRole {
    /// Chủ hộ.
    Head,
    /// Vợ hoặc chồng.
    Spouse,
    /// Con.
    Child,
    /// Cha hoặc mẹ.
    Parent,
    /// Ông hoặc bà.
    Grandparent,
    /// Cháu.
    Grandchild,
    /// Anh, chị, em.
    Sibling,
    /// Khác.
    Other,
    /// A code without a name here, by its two digits; made by [`HouseholdRole::from_code`] only.
    Unlisted(u8),
}

/// The texts of all codes, `CH00` to `CH99`.
static ROLE_CODES: LazyLock<Vec<String>> =
    LazyLock::new(|| (0..100).map(|n| format!("CH{n:02}")).collect());

impl HouseholdRole {
    /// Roles that have a name here, with the digits of their codes.
    const LISTED: [(Self, u8); 8] = [
        (Self::Head, 1),
        (Self::Spouse, 2),
        (Self::Child, 3),
        (Self::Parent, 4),
        (Self::Grandparent, 5),
        (Self::Grandchild, 6),
        (Self::Sibling, 7),
        (Self::Other, 9),
    ];

    /// The code on the wire: `CH` and two digits.
    pub fn code(self) -> &'static str {
        let digits = match self {
            Self::Unlisted(digits) => digits,
            named => Self::LISTED.into_iter().find(|(r, _)| *r == named).map_or(0, |(_, d)| d),
        };
        ROLE_CODES.get(usize::from(digits)).map_or("", String::as_str)
    }

    /// From its code. One without a name here is kept as it is; any other text is `None`.
    pub fn from_code(code: &str) -> Option<Self> {
        let digits = code.strip_prefix("CH")?;
        if digits.len() != 2 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let digits = digits.parse().ok()?;
        let listed = Self::LISTED.into_iter().find(|(_, d)| *d == digits);
        Some(listed.map_or(Self::Unlisted(digits), |(role, _)| role))
    }

    /// Whether the code has a name here.
    pub const fn is_listed(self) -> bool {
        !matches!(self, Self::Unlisted(_))
    }
}

/// A household as the registry keeps it: the head first.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Household {
    /// Key in the registry.
    pub key: u64,
    /// Số sổ hộ khẩu, số hộ.
    pub number: String,
    /// Members with their roles; all of them are persons of the registry.
    pub members: Vec<(PersonalId, HouseholdRole)>,
}

/// Where a field's value came from (G1: each database authoritative for its own fields).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[repr(u8)]
pub enum Source {
    /// Hộ tịch.
    CivilStatus = 1,
    /// Cư trú.
    Residence = 2,
    /// Căn cước.
    IdentityCard = 3,
    /// Y tế.
    Health = 4,
    /// Entered by hand.
    Manual = 5,
}

/// Source and day of a value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Stamp {
    /// Who gave it.
    pub source: Source,
    /// On which day.
    pub on: Date,
}

/// Source and day of every field: one stamp for all, and the fields that differ.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Sources {
    /// For every field not named below.
    pub default: Stamp,
    /// Fields with a stamp of their own.
    pub own: Vec<(Field, Stamp)>,
}

impl Sources {
    /// The stamp of a field.
    pub fn of(&self, field: Field) -> Stamp {
        self.own.iter().find(|(f, _)| *f == field).map_or(self.default, |(_, s)| *s)
    }
}

/// What a record holds never stands in debug output.
macro_rules! redacted {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(***)"))
            }
        }
    )*};
}
redacted!(PersonKeys, Person, Address, Relative, HouseholdRef, Household);

/// Whether the list of peoples (QĐ 121-TCTK/PPCĐ) has the code.
pub const fn is_ethnicity(code: u8) -> bool {
    matches!(code, 1..=55 | 99)
}

/// Whether the list of religions has the code.
pub const fn is_religion(code: u8) -> bool {
    code <= 14
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_of_a_record_tells_nothing() {
        let detail = "Số 17, đường Hoa Ban".to_owned();
        let (country, dataset) = (Country::VN, Dataset::Y2026);
        let home = Address { province: 1, commune: 4, detail, country, dataset };
        assert_eq!(format!("{home:?}"), "Address(***)");
        let relative = Relative {
            full_name: FullName::parse("Nguyễn Văn Mẫu").unwrap(),
            personal_id: None,
            old_id: None,
            nationality: country,
        };
        assert_eq!(format!("{relative:?}"), "Relative(***)");
        let (number, role) = ("HK-0001".to_owned(), HouseholdRole::Child);
        let place = HouseholdRef { key: 7, number: number.clone(), role, head: relative };
        assert_eq!(format!("{:?}", Some(place)), "Some(HouseholdRef(***))");
        let household = Household { key: 7, number, members: vec![] };
        assert_eq!(format!("{household:?}"), "Household(***)");
    }

    #[test]
    fn roles_without_a_name_pass_through() {
        for digits in 0..100 {
            let code = format!("CH{digits:02}");
            let role = HouseholdRole::from_code(&code).unwrap();
            assert_eq!(role.code(), code);
            assert_eq!(role.is_listed(), matches!(digits, 1..=7 | 9), "{code}");
        }
        for wrong in ["", "CH", "CH1", "CH001", "CH+1", "ch01", "Con"] {
            assert_eq!(HouseholdRole::from_code(wrong), None, "{wrong}");
        }
    }
}
