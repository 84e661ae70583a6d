//! The operations: the element directly under soap:Body.

use dancu_domain::service::Service;

use super::jobs::JobOperation;

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident = $element:literal, $service:ident, $answer:literal;)*) => {
        /// An operation, by its element.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Operation {
            $($(#[$doc])* $name,)*
            /// The asynchronous lists and their jobs: [`super::parse_job`] tells which.
            List,
        }

        impl Operation {
            /// The operations that ask about a citizen, in the order of the WSDL.
            pub const OFFERED: &'static [Self] = &[$(Self::$name),*];

            /// The element's local name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $element,)* Self::List => "CungCapDanhSach" }
            }

            /// The service it asks: the operation fixes it, whatever code is sent.
            pub const fn service(self) -> Service {
                match self {
                    $(Self::$name => Service::$service,)*
                    Self::List => Service::CitizenList,
                }
            }

            /// The local name of its answer's element.
            pub const fn answer(self) -> &'static str {
                match self { $(Self::$name => $answer,)* Self::List => "CongdanCollection" }
            }

            /// From the local name of an element; both spellings of the verification.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($element => Some(Self::$name),)*
                    "XacThucThongTinCongDanRequest" => Some(Self::Verify),
                    _ if JobOperation::from_name(name).is_some() => Some(Self::List),
                    _ => None,
                }
            }
        }
    };
}
operations! {
    /// Verify: exists and matches (003, 033).
    Verify = "XacThucThongTinCongDan", CitizenVerify, "XacThucThongTinCongDanResponse";
    /// Look up one citizen (037).
    Lookup = "TraCuuThongTinCongDan", CitizenLookup, "CongdanCollection";
    /// Provide citizen information.
    Provide = "CungCapThongTinCongDan", CitizenProvide, "CongdanCollection";
    /// Provide a household.
    Household = "CungCapThongTinHoGiaDinh", HouseholdLookup, "CongdanCollection";
    /// Verify a parent or the spouse.
    Kin = "XacMinhThongTinNhanThan", RelationVerify, "KetQuaXacMinh";
    /// Verify the guardian.
    Guardian = "XacMinhThongTinNguoiGiamHo", RelationVerify, "KetQuaXacMinh";
    /// Verify the head of household.
    HouseholdHead = "XacMinhThongTinChuHo", RelationVerify, "KetQuaXacMinh";
    /// Verify the current address.
    Residence = "XacMinhThongTinNoiOHienTai", ResidenceVerify, "KetQuaXacMinh";
    /// Verify the marital status.
    Marital = "XacMinhTinhTrangHonNhan", MaritalVerify, "KetQuaXacMinh";
    /// Verify that the citizen is alive, dead or missing.
    Vital = "XacMinhTinhTrangChetMatTich", VitalStatusVerify, "KetQuaXacMinh";
    /// Provide the blood group.
    BloodGroup = "CungCapThongTinNhomMau", BloodGroupProvide, "CongdanCollection";
}

impl Operation {
    /// Codes (MaTichHop, MaDichVu) that are public for the operation; every client may send them.
    pub const fn public_codes(self) -> &'static [&'static str] {
        match self {
            Self::Verify => &["003", "033"],
            Self::Lookup => &["037"],
            _ => &[],
        }
    }
}
