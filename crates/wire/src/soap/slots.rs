//! The elements that requests may hold, and where each one's text was found.

macro_rules! slots {
    ($($group:ident { $($slot:ident = $name:literal, $path:literal;)* })*) => {
        /// A known element, by its place in the request.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub(super) enum Slot { $($($slot),*),* }

        impl Slot {
            /// The element of this name inside a group.
            pub(super) fn of(group: Group, name: &str) -> Option<Self> {
                match group {
                    $(Group::$group => match name { $($name => Some(Self::$slot),)* _ => None },)*
                }
            }

            /// How errors name it.
            pub(super) const fn path(self) -> &'static str {
                match self { $($(Self::$slot => $path),*),* }
            }
        }

        /// Number of slots; each has a bit of [`Slots`].
        const COUNT: usize = [$($(Slot::$slot),*),*].len();
        const _: () = assert!(COUNT <= 64, "one bit each");
    };
}

/// An element whose children are known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Group {
    /// The operation.
    Operation,
    /// NgayThangNamSinh of the subject.
    Birth,
    /// NguoiLienQuan.
    Relative,
    /// NgayThangNamSinh of the relative.
    RelativeBirth,
    /// DiaChi.
    Address,
}
slots! {
    Operation {
        MaYeuCau = "MaYeuCau", "MaYeuCau";
        MaDvc = "MaDVC", "MaDVC";
        MaTichHop = "MaTichHop", "MaTichHop";
        MaDichVu = "MaDichVu", "MaDichVu";
        MaDonVi = "MaDonVi", "MaDonVi";
        MaCanBo = "MaCanBo", "MaCanBo";
        MaHoSo = "MaHoSo", "MaHoSo";
        TaiKhoan = "TaiKhoan", "TaiKhoan";
        SoDienThoai = "SoDienThoai", "SoDienThoai";
        SoDinhDanh = "SoDinhDanh", "SoDinhDanh";
        SoCmnd = "SoCMND", "SoCMND";
        HoVaTen = "HoVaTen", "HoVaTen";
        Birth = "NgayThangNamSinh", "NgayThangNamSinh";
        Relative = "NguoiLienQuan", "NguoiLienQuan";
        Address = "DiaChi", "DiaChi";
        TinhTrang = "TinhTrang", "TinhTrang";
        NgayDuLieu = "NgayDuLieu", "NgayDuLieu";
        TuTuoi = "TuTuoi", "TuTuoi";
        DenTuoi = "DenTuoi", "DenTuoi";
        NhomMau = "NhomMau", "NhomMau";
        GioiTinh = "GioiTinh", "GioiTinh";
        DanToc = "DanToc", "DanToc";
        TonGiao = "TonGiao", "TonGiao";
        MaCongViec = "MaCongViec", "MaCongViec";
        TuNgay = "TuNgay", "TuNgay";
        DenNgay = "DenNgay", "DenNgay";
        Trang = "Trang", "Trang";
        SoBanGhi = "SoBanGhi", "SoBanGhi";
        DinhDang = "DinhDang", "DinhDang";
    }
    Birth {
        BirthDay = "NgayThangNam", "NgayThangNamSinh/NgayThangNam";
        BirthYear = "Nam", "NgayThangNamSinh/Nam";
    }
    Relative {
        RelativeId = "SoDinhDanh", "NguoiLienQuan/SoDinhDanh";
        RelativeOldId = "SoCMND", "NguoiLienQuan/SoCMND";
        RelativeName = "HoVaTen", "NguoiLienQuan/HoVaTen";
        RelativeBirth = "NgayThangNamSinh", "NguoiLienQuan/NgayThangNamSinh";
        RelativeNationality = "QuocTich", "NguoiLienQuan/QuocTich";
    }
    RelativeBirth {
        RelativeBirthDay = "NgayThangNam", "NguoiLienQuan/NgayThangNamSinh/NgayThangNam";
        RelativeBirthYear = "Nam", "NguoiLienQuan/NgayThangNamSinh/Nam";
    }
    Address {
        Province = "MaTinhThanh", "DiaChi/MaTinhThanh";
        District = "MaQuanHuyen", "DiaChi/MaQuanHuyen";
        Commune = "MaPhuongXa", "DiaChi/MaPhuongXa";
        Detail = "ChiTiet", "DiaChi/ChiTiet";
        Country = "QuocGia", "DiaChi/QuocGia";
        AddressDate = "NgayDuLieu", "DiaChi/NgayDuLieu";
    }
}

impl Slot {
    /// The group that the element opens, if any.
    pub(super) const fn group(self) -> Option<Group> {
        match self {
            Self::Birth => Some(Group::Birth),
            Self::Relative => Some(Group::Relative),
            Self::RelativeBirth => Some(Group::RelativeBirth),
            Self::Address => Some(Group::Address),
            _ => None,
        }
    }
}

/// Where the texts of the known elements stand in the infoset; empty where there is none.
pub(super) struct Slots {
    texts: [(u32, u32); COUNT],
    seen: u64,
}

impl Default for Slots {
    fn default() -> Self {
        Self { texts: [(0, 0); COUNT], seen: 0 }
    }
}

impl Slots {
    /// Notes an element; false when there was one already.
    pub(super) fn see(&mut self, slot: Slot) -> bool {
        let bit = 1 << slot as u8;
        let first = self.seen & bit == 0;
        self.seen |= bit;
        first
    }

    /// Whether there was such an element.
    pub(super) fn seen(&self, slot: Slot) -> bool {
        self.seen & (1 << slot as u8) != 0
    }

    /// Keeps where its text stands; bodies are far below 4 GiB.
    pub(super) fn keep(&mut self, slot: Slot, text: std::ops::Range<usize>) {
        self.texts[slot as usize] = (text.start as u32, text.end as u32);
    }

    /// Its text without the white space around it; `None` where there is none.
    pub(super) fn text<'a>(&self, slot: Slot, infoset: &'a str) -> Option<&'a str> {
        let (start, end) = self.texts[slot as usize];
        let text = infoset.get(start as usize..end as usize)?.trim_ascii();
        (!text.is_empty()).then_some(text)
    }
}
