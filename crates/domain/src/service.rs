//! The service catalogue: services, windows, fields, and the codes they have on the wire.

use serde::{Deserialize, Serialize};

/// A service of the database, as registered in a connection dossier (dịch vụ đăng ký, B5).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[repr(u8)]
pub enum Service {
    /// Verify: exists and matches (003, 033).
    #[serde(rename = "citizen.verify")]
    CitizenVerify = 0,
    /// Look up one citizen (037).
    #[serde(rename = "citizen.lookup")]
    CitizenLookup = 1,
    /// Provide citizen information.
    #[serde(rename = "citizen.provide")]
    CitizenProvide = 2,
    /// Household.
    #[serde(rename = "household.lookup")]
    HouseholdLookup = 3,
    /// Verify a relation: parents, spouse, guardian, head of household.
    #[serde(rename = "relation.verify")]
    RelationVerify = 4,
    /// Verify the current address.
    #[serde(rename = "residence.verify")]
    ResidenceVerify = 5,
    /// Verify marital status.
    #[serde(rename = "marital.verify")]
    MaritalVerify = 6,
    /// Verify death or missing.
    #[serde(rename = "vitalStatus.verify")]
    VitalStatusVerify = 7,
    /// Blood group.
    #[serde(rename = "bloodGroup.provide")]
    BloodGroupProvide = 8,
    /// Asynchronous lists.
    #[serde(rename = "citizen.list")]
    CitizenList = 9,
    /// Asynchronous batch verify.
    #[serde(rename = "citizen.batchVerify")]
    CitizenBatchVerify = 10,
    /// Feed of changes.
    #[serde(rename = "citizen.changes")]
    CitizenChanges = 11,
}

impl Service {
    /// Every service, in catalogue order.
    pub const ALL: [Self; 12] = [
        Self::CitizenVerify,
        Self::CitizenLookup,
        Self::CitizenProvide,
        Self::HouseholdLookup,
        Self::RelationVerify,
        Self::ResidenceVerify,
        Self::MaritalVerify,
        Self::VitalStatusVerify,
        Self::BloodGroupProvide,
        Self::CitizenList,
        Self::CitizenBatchVerify,
        Self::CitizenChanges,
    ];

    /// The code in claims, registrations and journal exports.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CitizenVerify => "citizen.verify",
            Self::CitizenLookup => "citizen.lookup",
            Self::CitizenProvide => "citizen.provide",
            Self::HouseholdLookup => "household.lookup",
            Self::RelationVerify => "relation.verify",
            Self::ResidenceVerify => "residence.verify",
            Self::MaritalVerify => "marital.verify",
            Self::VitalStatusVerify => "vitalStatus.verify",
            Self::BloodGroupProvide => "bloodGroup.provide",
            Self::CitizenList => "citizen.list",
            Self::CitizenBatchVerify => "citizen.batchVerify",
            Self::CitizenChanges => "citizen.changes",
        }
    }

    /// Its name on papers and pages.
    pub const fn name_vi(self) -> &'static str {
        match self {
            Self::CitizenVerify => "Xác thực thông tin công dân",
            Self::CitizenLookup => "Tra cứu thông tin công dân",
            Self::CitizenProvide => "Cung cấp thông tin công dân",
            Self::HouseholdLookup => "Tra cứu hộ gia đình",
            Self::RelationVerify => "Xác thực quan hệ nhân thân",
            Self::ResidenceVerify => "Xác thực nơi ở hiện tại",
            Self::MaritalVerify => "Xác thực tình trạng hôn nhân",
            Self::VitalStatusVerify => "Xác thực tình trạng chết, mất tích",
            Self::BloodGroupProvide => "Cung cấp nhóm máu",
            Self::CitizenList => "Lập danh sách công dân",
            Self::CitizenBatchVerify => "Xác thực theo lô",
            Self::CitizenChanges => "Cung cấp thay đổi thông tin",
        }
    }

    /// From its code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.code() == code)
    }

    /// From its position in [`Service::ALL`].
    pub fn from_index(index: u8) -> Option<Self> {
        Self::ALL.get(usize::from(index)).copied()
    }

    /// Its position in [`Service::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The service code (MaTichHop) used by default; codes that are not public are ours and a
    /// registration may replace them.
    pub const fn default_ma_tich_hop(self) -> &'static str {
        match self {
            Self::CitizenVerify => "003",
            Self::CitizenLookup => "037",
            Self::CitizenProvide => "038",
            Self::HouseholdLookup => "039",
            Self::RelationVerify => "040",
            Self::ResidenceVerify => "041",
            Self::MaritalVerify => "042",
            Self::VitalStatusVerify => "043",
            Self::BloodGroupProvide => "044",
            Self::CitizenList => "045",
            Self::CitizenBatchVerify => "046",
            Self::CitizenChanges => "047",
        }
    }

    /// Services that only confirm: all that a system account may use (B6).
    pub const fn verifies_only(self) -> bool {
        matches!(
            self,
            Self::CitizenVerify
                | Self::RelationVerify
                | Self::ResidenceVerify
                | Self::MaritalVerify
                | Self::VitalStatusVerify
        )
    }
}

/// The two windows of the registration form (B5, D1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[repr(u8)]
pub enum Window {
    /// Giờ hành chính, [07:00, 18:00).
    InHours = 0,
    /// Ngoài giờ hành chính, [18:00, 07:00 next day).
    OffHours = 1,
}

impl Window {
    /// The code in contract.md.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InHours => "inHours",
            Self::OffHours => "offHours",
        }
    }

    /// From its number, 0 or 1.
    pub const fn from_index(index: u8) -> Option<Self> {
        match index {
            0 => Some(Self::InHours),
            1 => Some(Self::OffHours),
            _ => None,
        }
    }
}

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident = $bit:literal, $code:literal;)*) => {
        /// A field of a person that can be granted, claimed or answered (A4).
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum Field { $($(#[$doc])* #[serde(rename = $code)] $name = $bit,)* }

        impl Field {
            /// Every field, in the order of contract.md.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The field's name in REST grants, claims and answers.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// From its name.
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$name),)* _ => None }
            }
        }
    };
}
fields! {
    /// Số định danh cá nhân.
    PersonalId = 0, "personalId";
    /// Số CMND.
    OldId = 1, "oldId";
    /// Họ, chữ đệm và tên.
    FullName = 2, "fullName";
    /// Tên gọi khác.
    OtherName = 3, "otherName";
    /// Ngày, tháng, năm sinh.
    DateOfBirth = 4, "dateOfBirth";
    /// Giới tính.
    Sex = 5, "sex";
    /// Dân tộc.
    Ethnicity = 6, "ethnicity";
    /// Tôn giáo.
    Religion = 7, "religion";
    /// Quốc tịch.
    Nationality = 8, "nationality";
    /// Tình trạng hôn nhân.
    MaritalStatus = 9, "maritalStatus";
    /// Nhóm máu.
    BloodGroup = 10, "bloodGroup";
    /// Nơi sinh.
    BirthPlace = 11, "birthPlace";
    /// Nơi đăng ký khai sinh.
    BirthRegistration = 12, "birthRegistration";
    /// Quê quán.
    Origin = 13, "origin";
    /// Nơi thường trú.
    PermanentResidence = 14, "permanentResidence";
    /// Nơi tạm trú.
    TemporaryResidence = 15, "temporaryResidence";
    /// Nơi ở hiện tại.
    CurrentResidence = 16, "currentResidence";
    /// Cha.
    Father = 17, "father";
    /// Mẹ.
    Mother = 18, "mother";
    /// Vợ hoặc chồng.
    Spouse = 19, "spouse";
    /// Người đại diện hợp pháp, người giám hộ.
    Guardian = 20, "guardian";
    /// Chủ hộ.
    HouseholdHead = 21, "householdHead";
    /// Quan hệ với chủ hộ.
    HouseholdRole = 22, "householdRole";
    /// Số sổ hộ khẩu, số hộ.
    HouseholdNumber = 23, "householdNumber";
    /// Tình trạng sống, chết, mất tích.
    VitalStatus = 24, "vitalStatus";
}

/// A set of fields, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug, Serialize, Deserialize)]
pub struct FieldSet(u32);

impl FieldSet {
    /// No field: where every grant starts (A4).
    pub const EMPTY: Self = Self(0);
    /// Every field.
    pub const ALL: Self = Self((1 << 25) - 1);
    /// Sensitive fields (A4): two approvers grant them, and they are shown apart.
    pub const SENSITIVE: Self = Self::of(&[
        Field::Ethnicity,
        Field::Religion,
        Field::BloodGroup,
        Field::Father,
        Field::Mother,
        Field::Spouse,
        Field::Guardian,
        Field::HouseholdHead,
    ]);

    /// The set of these fields.
    pub const fn of(fields: &[Field]) -> Self {
        let mut bits = 0;
        let mut i = 0;
        while i < fields.len() {
            bits |= 1 << fields[i] as u8;
            i += 1;
        }
        Self(bits)
    }

    /// From its bits; unknown bits are dropped.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits & Self::ALL.0)
    }

    /// Its bits.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether the field is in the set.
    pub const fn contains(self, field: Field) -> bool {
        self.0 & (1 << field as u8) != 0
    }

    /// Whether every field of `other` is in this set.
    pub const fn contains_all(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Adds a field.
    pub const fn insert(&mut self, field: Field) {
        self.0 |= 1 << field as u8;
    }

    /// Fields in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Fields in either.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Fields of this set that are not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether no field is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The fields, in the order of contract.md.
    pub fn iter(self) -> impl Iterator<Item = Field> {
        Field::ALL.iter().copied().filter(move |f| self.contains(*f))
    }
}

/// A set of services, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug, Serialize, Deserialize)]
pub struct ServiceSet(pub u16);

impl ServiceSet {
    /// Every service.
    pub const ALL: Self = Self((1 << 12) - 1);

    /// The set of these services.
    pub fn of(services: &[Service]) -> Self {
        Self(services.iter().fold(0, |bits, s| bits | 1 << s.index()))
    }

    /// Whether the service is in the set.
    pub const fn contains(self, service: Service) -> bool {
        self.0 & (1 << service.index()) != 0
    }

    /// The services, in catalogue order.
    pub fn iter(self) -> impl Iterator<Item = Service> {
        Service::ALL.into_iter().filter(move |s| self.contains(*s))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_round_trip() {
        for s in Service::ALL {
            assert_eq!(Service::from_code(s.code()), Some(s));
            assert_eq!(Service::from_index(s as u8), Some(s));
        }
        for f in Field::ALL {
            assert_eq!(Field::from_code(f.code()), Some(*f));
        }
        assert_eq!(FieldSet::of(Field::ALL), FieldSet::ALL);
        assert_eq!(FieldSet::ALL.iter().count(), 25);
    }
}
