//! Names of the peoples other than Kinh.

/// How a people forms names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pattern {
    /// Own surname, Vietnamese middle and given names.
    Vietnamese,
    /// Own surname, a particle, own given name: Giàng A Páo, Ksor H'Bia.
    SurnameFirst,
    /// Particle, given name, clan: H' Lan Niê, Y Thim Mlô.
    ClanLast,
    /// Particle and given name, no surname: A Blưn, K' Brọt, Điểu Lên.
    Particle,
}

/// The name tables of a people.
pub(super) struct Naming {
    /// The order of the parts.
    pub(super) pattern: Pattern,
    /// Surnames or clans, the most frequent first; empty for [`Pattern::Particle`].
    pub(super) families: &'static [&'static str],
    /// Particle of men and of women; one that ends in an apostrophe is written together.
    pub(super) particles: [&'static str; 2],
    /// Given names of men; empty for [`Pattern::Vietnamese`].
    pub(super) men: &'static [&'static str],
    /// Given names of women.
    pub(super) women: &'static [&'static str],
}

const fn vietnamese(families: &'static [&'static str]) -> Naming {
    Naming {
        pattern: Pattern::Vietnamese,
        families,
        particles: ["", ""],
        men: &[],
        women: &[],
    }
}

/// Given names shared by the peoples of the central highlands.
const HIGHLAND_MEN: &[&str] = &[
    "Blưn", "Thim", "Brọt", "Hlốt", "Nhơn", "Tlơi", "Bhăm", "Djoan", "Khem", "Wit", "Thuên", "Jút",
    "Blơ", "Hyưk", "Krang", "Phiên", "Đuin", "Yông", "Thuk", "Bêl", "Kíp", "Lúp", "Mút", "Phơn",
    "Sâm", "Tuân", "Ngơi", "Lem", "Hoan", "Duy",
];
const HIGHLAND_WOMEN: &[&str] = &[
    "Bia", "Lan", "Nhiêm", "Blưk", "Juin", "Thương", "Yêm", "Ngăm", "Mlơi", "Rin", "Hoa", "Dung",
    "Luyên", "Liên", "Blen", "Nuôn", "Djhan", "Wel", "Lê", "Phương", "Ngọc", "Trin", "Tuyết",
    "Bơm", "Đuên", "Gên", "Hương", "Jer", "Khuyên", "Nga",
];

static TAY: Naming = vietnamese(&[
    "Hoàng", "Nông", "Lý", "Ma", "Nguyễn", "Triệu", "Bế", "Đinh", "Lương", "Hà", "Vi", "Chu",
    "Lục", "Dương", "Mông", "Quan", "Bàn", "Đàm",
]);
static NUNG: Naming = vietnamese(&[
    "Nông", "Hoàng", "Lương", "Vi", "Lý", "Triệu", "Lâm", "Mông", "Lộc", "Phương", "Chu", "Lục",
    "Hứa", "Sầm", "Linh", "Tô",
]);
static THAI: Naming = vietnamese(&[
    "Lò", "Quàng", "Lường", "Cà", "Hoàng", "Tòng", "Vì", "Cầm", "Lô", "Vi", "Lương", "Hà", "Bạc",
    "Đèo", "Ngần", "Lữ", "Mè", "Kha",
]);
static MUONG: Naming = vietnamese(&[
    "Bùi", "Đinh", "Nguyễn", "Quách", "Hà", "Phạm", "Trương", "Bạch", "Cao", "Xa", "Phùng",
]);
static HMONG: Naming = Naming {
    pattern: Pattern::SurnameFirst,
    families: &[
        "Giàng", "Vàng", "Sùng", "Lý", "Thào", "Mùa", "Hạng", "Hờ", "Lầu", "Vừ", "Cứ", "Lù", "Má",
        "Ly", "Tráng", "Cháng", "Phàng", "Chá",
    ],
    particles: ["A", "Thị"],
    men: &[
        "Páo", "Chư", "Sử", "Dơ", "Tủa", "Lử", "Vàng", "Phử", "Chu", "Nhè", "Sình", "Dế", "Khua",
        "Thống", "Súa", "Sáu", "Tông", "Cở", "Minh", "Chống", "Lềnh", "Tỏa", "Dính", "Vảng",
    ],
    women: &[
        "Mỷ", "Dở", "Sua", "Mái", "Chía", "Pà", "Ly", "Máy", "Dua", "Chư", "Mo", "Sy", "Vừ",
        "Nhìa", "Xúa", "Giống", "Cở", "Mị", "Dợ", "Hoa", "Sáng", "Bầu",
    ],
};
static DAO: Naming = vietnamese(&[
    "Triệu", "Bàn", "Đặng", "Lý", "Phùng", "Chảo", "Tẩn", "Phàn", "Lò", "Dương", "Trương", "Tằng",
    "Chíu", "Phượng",
]);
static KHMER: Naming = Naming {
    pattern: Pattern::SurnameFirst,
    families: &[
        "Thạch", "Sơn", "Danh", "Kim", "Châu", "Lâm", "Trần", "Lý", "Kiên", "Tăng",  
        "Chau", "Liêu", "Đào",
    ],
    particles: ["", "Thị"],
    men: &[
        "Sóc Kha", "Phi Rum", "Sà Rây", "Hoàng Sươl", "Sol", "Rinh", "Ươl", "Sa Rết", "Minh Tâm",
        "Sang", "Đa Ra", "Rane", "Thươl", "Sô Phanh", "Ngọc Sáng", "Hiền", "Đước", "Khên", "Ni",
        "Chanh Đa", "Sâm Bô", "Phước",
    ],
    women: &[
        "Sa Rươl", "Phal Ly", "So Phia", "Chanh Tha", "Ry", "Sa Vy", "Đa Ni", "Thia", "Sà Quy",
        "Ngọc Ánh", "Phượng", "Srây Mum", "Hồng", "Thu Nga", "Mỹ Linh", "Rí", "Sóc Khum", "Xuân",
    ],
};
static HOA: Naming = vietnamese(&[
    "Trần", "Lâm", "Lý", "Huỳnh", "Trương", "Quách", "Lưu", "Vương", "Tăng", "Tô", "Diệp", "Mã",
    "La", "Lữ", "Giang", "Thái", "Vòng", "Phùng", "Dương", "Hứa", "Ông", "Quan",
]);
static JARAI: Naming = Naming {
    pattern: Pattern::SurnameFirst,
    families: &[
        "Rơ Chăm", "Ksor", "Siu", "Kpă", "Rah Lan", "Nay", "Rơ Mah", "Puih", "R'com", "Rơ Châm",
        "Rơ Lan", "Kpuih", "Rcom",
    ],
    particles: ["", "H'"],
    men: HIGHLAND_MEN,
    women: HIGHLAND_WOMEN,
};
static EDE: Naming = Naming {
    pattern: Pattern::ClanLast,
    families: &[
        "Niê", "Mlô", "Êban", "Byă", "Niê Kđăm", "Kbuôr", "Hmok", "Ktla", "Hđơk", "Buôn Krông",
        "Kriêng", "Knul", "Bkrông", "Ksơr", "Hwing",
    ],
    particles: ["Y", "H'"],
    men: HIGHLAND_MEN,
    women: HIGHLAND_WOMEN,
};
static MNONG: Naming = Naming {
    pattern: Pattern::ClanLast,
    families: &[
        "Du", "Bkrông", "Rlik", "Liêng", "Triêk", "Buôn Dap", "Pang Ting", "Ông", "Knul",
    ],
    particles: ["Y", "H'"],
    men: HIGHLAND_MEN,
    women: HIGHLAND_WOMEN,
};
/// Xơ-Đăng, Gié Triêng, Brâu, Rơ măm and half of the Ba na.
static A_AND_Y: Naming = Naming {
    pattern: Pattern::Particle,
    families: &[],
    particles: ["A", "Y"],
    men: HIGHLAND_MEN,
    women: HIGHLAND_WOMEN,
};
static BAHNAR: Naming = Naming {
    pattern: Pattern::SurnameFirst,
    families: &["Đinh"],
    particles: ["", ""],
    men: HIGHLAND_MEN,
    women: HIGHLAND_WOMEN,
};
/// Cơ-ho and Mạ.
static K_AND_KA: Naming = Naming {
    pattern: Pattern::Particle,
    families: &[],
    particles: ["K'", "Ka"],
    men: HIGHLAND_MEN,
    women: HIGHLAND_WOMEN,
};
/// Xtiêng and Chơ-ro.
static DIEU: Naming = Naming {
    pattern: Pattern::Particle,
    families: &[],
    particles: ["Điểu", "Thị"],
    men: &[
        "Lên", "Hai", "Đức", "Sơn", "Krá", "Mưn", "Hùng", "Nhơn", "Bách", "Đố", "Khuê", "Giá",
        "Phúc", "Ron", "Liếp", "Ngân", "Bình", "Út", "Lợi", "Thành",
    ],
    women: &[
        "Hoa", "Mai", "Đêm", "Bích", "Lan", "Nga", "Krí", "Hương", "Út", "Linh", "Plai", "Rum",
        "Sa Rinh", "Mỹ", "Điệp", "Ngọc", "Thơm", "Vân",
    ],
};
static CHAM: Naming = vietnamese(&[
    "Đàng", "Bá", "Thành", "Lưu", "Từ", "Quảng", "Hán", "Kiều", "Trượng", "Châu", "Não", "Dương",
    "Báo", "Phú", "Thiên", "Mang", "Lộ",
]);
static RAGLAI: Naming = vietnamese(&[
    "Mang", "Pinăng", "Chamaléa", "Katơr", "Cao", "Tro", "Mấu", "Bo Bo", "Tà Yên", "Pi Năng",
]);
static CO_TU: Naming = Naming {
    pattern: Pattern::SurnameFirst,
    families: &[
        "Alăng", "Bríu", "Zơrâm", "Arất", "Coor", "Pơloong", "Hốih", "Bnướch", "Ating",
    ],
    particles: ["", "Thị"],
    men: HIGHLAND_MEN,
    women: HIGHLAND_WOMEN,
};
static HRE: Naming = vietnamese(&["Phạm", "Đinh", "Nguyễn"]);
/// Bru-Vân Kiều, Tà-ôi and Co share one surname.
static HO: Naming = vietnamese(&["Hồ", "Hồ", "Hồ", "Lê", "Nguyễn"]);
static KHMU: Naming = vietnamese(&["Moong", "Cụt", "Lữ", "Quàng", "Lò", "Xeo", "Vì", "Lường"]);
static HA_NHI: Naming = Naming {
    pattern: Pattern::SurnameFirst,
    families: &[
        "Lỳ", "Chu", "Phà", "Sừng", "Pờ", "Vù", "Chang", "Giàng", "Ly", "Vàng",
    ],
    particles: ["", ""],
    men: &[
        "Gó Xá", "Hà Chừ", "Xè Pư", "Khừ Xá", "Gạ Tư", "Lòng Xá", "Phí Hừ", "Chừ Po", "Xá Hừ",
        "Ha Xó", "Cà Lóng", "Gì Cà",
    ],
    women: &[
        "Mé Sơ", "Go Mé", "Xó Mé", "Phì Nu", "Khờ Nu", "Pứ De", "Gạ Mé", "Lò Nu", "Xú Mé", "Cà Mé",
        "Hừ Nu",
    ],
};
static SAN_CHAY: Naming = vietnamese(&[
    "Hoàng", "Trần", "Ninh", "La", "Lâm", "Tô", "Nịnh", "Vi", "Chu", "Lý", "Đặng", "Tống",
]);
static SAN_DIU: Naming = vietnamese(&[
    "Lưu", "Trương", "Từ", "Diệp", "Ôn", "Lê", "Đỗ", "Trần", "Tạ", "Lục", "Lý",
]);
static THO: Naming = vietnamese(&[
    "Trương", "Lê", "Nguyễn", "Hoàng", "Cao", "Lang", "Vi", "Đinh",
]);
static GIAY: Naming = vietnamese(&["Vàng", "Lò", "Lù", "Hoàng", "Nông", "Lục", "Sần", "Vùi"]);
static NORTH_WEST: Naming = vietnamese(&[
    "Lò", "Vàng", "Lý", "Tao", "Chìn", "Pàn", "Giàng", "Lù", "Long", "Ly", "Min", "Phù", "Sìn",
]);

/// The tables of a people by its code, 2-54.
pub(super) fn naming(ethnicity: u8) -> &'static Naming {
    match ethnicity {
        2 => &TAY,
        3 | 37 => &THAI,
        4 | 11 => &HOA,
        5 => &KHMER,
        6 => &MUONG,
        7 => &NUNG,
        8 => &HMONG,
        9 | 46 => &DAO,
        10 => &JARAI,
        12 => &EDE,
        13 => &BAHNAR,
        14 | 27 | 52 | 54 => &A_AND_Y,
        15 => &SAN_CHAY,
        16 | 28 => &K_AND_KA,
        17 => &CHAM,
        18 => &SAN_DIU,
        19 => &HRE,
        20 => &MNONG,
        21 | 36 => &RAGLAI,
        22 | 32 => &DIEU,
        23 | 30 | 31 | 44 => &HO,
        24 | 53 => &THO,
        25 | 49 => &GIAY,
        26 => &CO_TU,
        29 | 33 | 34 | 39 => &KHMU,
        35 | 41 | 48 | 50 => &HA_NHI,
        _ => &NORTH_WEST,
    }
}

/// Peoples whose children belong to the mother's family: Gia-rai, Ê-đê, Cơ-ho, Chăm, Mnông,
/// Ra-glai, Mạ, Chu ru.
pub(crate) const fn matrilineal(ethnicity: u8) -> bool {
    matches!(ethnicity, 10 | 12 | 16 | 17 | 20 | 21 | 28 | 36)
}
