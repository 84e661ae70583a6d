//! The members of a request: their names, the SOAP elements they stand for, their kinds.

/// What stands under a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text.
    Text,
    /// A text, or a whole number: clients take request ids from a clock and states from a list.
    Whole,
    /// A text, or an object with these members.
    TextOr(&'static [Member]),
    /// An object with these members.
    Object(&'static [Member]),
}

/// One member.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Member {
    /// Its key.
    pub(crate) name: &'static str,
    /// Its element; empty where SOAP has none.
    pub(crate) element: &'static str,
    /// What it holds.
    pub(crate) kind: Kind,
}

const fn text(name: &'static str, element: &'static str) -> Member {
    Member { name, element, kind: Kind::Text }
}

/// Every member of a request. The first eight are what public clients send.
pub(crate) const REQUEST: &[Member] = &[
    Member { name: "maYeuCau", element: "MaYeuCau", kind: Kind::Whole },
    text("maDVC", "MaDVC"),
    text("maCanBo", "MaCanBo"),
    text("soDinhDanh", "SoDinhDanh"),
    text("soCMND", "SoCMND"),
    text("hoVaTen", "HoVaTen"),
    text("ngayThangNam", BIRTH),
    // The platform's own service account: the token says already which system asks.
    text("userNameService", ""),
    Member { name: "ngayThangNamSinh", element: BIRTH, kind: Kind::TextOr(BIRTH_PARTS) },
    text("maTichHop", "MaTichHop"),
    text("maDichVu", "MaDichVu"),
    text("maDonVi", "MaDonVi"),
    text("maHoSo", "MaHoSo"),
    text("taiKhoan", "TaiKhoan"),
    text("soDienThoai", "SoDienThoai"),
    Member { name: "nguoiLienQuan", element: "NguoiLienQuan", kind: Kind::Object(RELATIVE) },
    Member { name: "diaChi", element: "DiaChi", kind: Kind::Object(ADDRESS) },
    Member { name: "tinhTrang", element: "TinhTrang", kind: Kind::Whole },
    text("ngayDuLieu", "NgayDuLieu"),
];

/// The element of the date of birth, which JSON clients call by two names.
pub(crate) const BIRTH: &str = "NgayThangNamSinh";

/// The parts of a date of birth, for clients that copy the SOAP structure.
pub(crate) const BIRTH_PARTS: &[Member] =
    &[text("nam", "Nam"), text("ngayThangNam", "NgayThangNam")];

/// Người liên quan.
pub(crate) const RELATIVE: &[Member] = &[
    text("soDinhDanh", "SoDinhDanh"),
    text("soCMND", "SoCMND"),
    text("hoVaTen", "HoVaTen"),
    text("quocTich", "QuocTich"),
    text("ngayThangNam", BIRTH),
    Member { name: "ngayThangNamSinh", element: BIRTH, kind: Kind::TextOr(BIRTH_PARTS) },
];

/// Địa chỉ.
pub(crate) const ADDRESS: &[Member] = &[
    text("maTinhThanh", "MaTinhThanh"),
    text("maQuanHuyen", "MaQuanHuyen"),
    text("maPhuongXa", "MaPhuongXa"),
    text("chiTiet", "ChiTiet"),
    text("quocGia", "QuocGia"),
    text("ngayDuLieu", "NgayDuLieu"),
];

/// A key as an error may name it: one of ours, else `?`.
pub(super) fn shown(key: &str) -> &'static str {
    let groups = [REQUEST, BIRTH_PARTS, RELATIVE, ADDRESS];
    let mut all = groups.into_iter().flatten();
    all.find(|member| member.name == key).map_or("?", |member| member.name)
}
