//! Vietnamese name tables: surnames by frequency, middle and given names by sex and period.

/// Kinh surnames, in parts of 10,000; what is left over goes to [`RARE_SURNAMES`]. The shares are
/// those of the whole people raised by the share of peoples with surnames of their own.
/// `Hoàng` and `Vũ` stand for `Huỳnh` and `Võ` as well: [`southern`].
pub(super) const SURNAMES: &[(&str, u32)] = &[
    ("Nguyễn", 4260),
    ("Trần", 1190),
    ("Lê", 1040),
    ("Phạm", 755),
    ("Hoàng", 490),
    ("Phan", 460),
    ("Vũ", 400),
    ("Đặng", 210),
    ("Bùi", 165),
    ("Đỗ", 150),
    ("Ngô", 135),
    ("Hồ", 125),
    ("Dương", 100),
    ("Trương", 55),
    ("Đinh", 35),
    ("Đoàn", 38),
    ("Trịnh", 38),
    ("Đào", 38),
    ("Mai", 32),
    ("Lương", 22),
    ("Lâm", 30),
    ("Cao", 28),
    ("Hà", 18),
    ("Tạ", 20),
    ("Lý", 8),
    ("Thái", 16),
    ("Châu", 14),
    ("Lưu", 14),
];

/// The long tail.
pub(super) const RARE_SURNAMES: &[&str] = &[
    "Phùng", "Tô", "Kiều", "Chu", "Vương", "Quách", "Tăng", "Từ", "Hứa", "Nghiêm", "Thân", "Doãn",
    "Lại", "Khổng", "Bạch", "Tống", "La", "Diệp", "Ninh", "Văn", "Cù", "Đàm", "Triệu", "Giang",
    "Thạch", "Mạc", "Vi", "Nông", "Hàn", "Đường", "Ông", "Ứng", "Đồng", "Biện", "Cấn", "Khuất",
    "Lục", "Mã", "Nhâm", "Phí", "Quản", "Tào", "Thiều", "Tiêu", "Trà", "Uông", "Viên", "Yên", "Âu",
    "Bế", "Chử", "Cung", "Giáp", "Hồng", "Kim", "Lã", "Lường", "Ngụy", "Sầm", "Thi", "Tôn",
    "Tôn Thất", "Tưởng", "Vòng",
];

/// The form of a surname south of the pass.
pub(super) fn southern(surname: &'static str) -> &'static str {
    match surname {
        "Hoàng" => "Huỳnh",
        "Vũ" => "Võ",
        other => other,
    }
}

/// The period of a birth year: before 1960, 1960-1979, 1980-1994, 1995-2009, from 2010.
pub(super) fn period(birth_year: i32) -> usize {
    [1960, 1980, 1995, 2010]
        .iter()
        .filter(|start| birth_year >= **start)
        .count()
}

/// Share of the middle name Văn (men) and Thị (women) per period, per mille.
pub(super) const VAN: [u32; 5] = [600, 500, 360, 180, 40];
/// See [`VAN`].
pub(super) const THI: [u32; 5] = [860, 740, 540, 260, 45];

/// Given names of men per period, the most popular first.
pub(super) const MEN: [&[&str]; 5] = [
    &[
        "Minh", "Sơn", "Thành", "Bình", "Hải", "Long", "Thắng", "Hùng", "Lợi", "Tiến", "Hòa",
        "Quý", "Phúc", "Lộc", "Thọ", "Tài", "Đức", "Nhân", "Nghĩa", "Trí", "Tín", "Khánh", "Cường",
        "Tám", "Sáu", "Năm", "Ba", "Tư", "Bảy", "Mười", "Hai", "Chín", "Kỳ", "Tuất", "Tý", "Sửu",
        "Dần", "Mão", "Thìn", "Tỵ", "Ngọ", "Mùi", "Thân", "Dậu", "Hợi", "Ất", "Bính",
    ],
    &[
        "Hùng", "Dũng", "Tuấn", "Sơn", "Hải", "Minh", "Thắng", "Cường", "Bình", "Thành", "Long",
        "Chiến", "Quang", "Hòa", "Hưng", "Toàn", "Tiến", "Dương", "Vinh", "Lâm", "Đức", "Nam",
        "Việt", "Trung", "Thanh", "Tùng", "Phương", "Lợi", "Khánh", "Phong", "Kiên", "Quyết",
        "Nhất", "Định", "Công", "Chính", "Mạnh", "Luân", "Thái", "Ngọc", "Trường", "Lực", "Thuận",
        "Quân", "Tân", "Hiền", "Hạnh", "Điệp", "Khải",
    ],
    &[
        "Tuấn", "Hùng", "Anh", "Nam", "Cường", "Hải", "Dũng", "Tùng", "Thành", "Đức", "Long",
        "Trung", "Hưng", "Quang", "Minh", "Sơn", "Hiếu", "Huy", "Linh", "Thắng", "Kiên", "Phong",
        "Việt", "Tú", "Khoa", "Vũ", "Duy", "Phương", "Hoàng", "Giang", "Mạnh", "Đạt", "Lâm",
        "Tiến", "Thịnh", "Trường", "Bảo", "Vinh", "Nghĩa", "Phúc", "Quân", "Quyền", "Toàn", "Thái",
        "Nhật", "Tâm", "Luân", "Đông", "Hà", "Khánh",
    ],
    &[
        "Anh", "Huy", "Đức", "Hiếu", "Minh", "Hoàng", "Đạt", "Nam", "Long", "Duy", "Khánh", "Quân",
        "Phúc", "Bảo", "Dương", "Tuấn", "Thành", "Nhật", "Phong", "Khang", "Khoa", "Kiên", "Hưng",
        "Thịnh", "Tùng", "Hải", "Vũ", "Quang", "Lâm", "Sơn", "Trường", "Thắng", "Việt", "Trung",
        "Nguyên", "Bách", "An", "Tài", "Lộc", "Thiện", "Vinh", "Tâm", "Tú", "Trí", "Hào", "Luân",
        "Cường", "Dũng", "Linh", "Đăng", "Thái", "Nghĩa",
    ],
    &[
        "Khang", "Bảo", "Minh", "Phúc", "Anh", "Khoa", "Phát", "Đạt", "Khôi", "Long", "Nam", "Duy",
        "Quân", "Kiệt", "Thịnh", "Tuấn", "Hưng", "Hoàng", "Hiếu", "Nhân", "Trí", "Tài", "Phong",
        "Nguyên", "An", "Phú", "Thành", "Đức", "Dũng", "Lâm", "Khánh", "Thiên", "Nghĩa", "Đăng",
        "Huy", "Sơn", "Vinh", "Nhật", "Tùng", "Bách", "Quang", "Thiện", "Lộc", "Hải", "Kiên",
        "Vương", "Bình", "Trung", "Quốc", "Việt", "Thái", "Tiến", "Cường", "Tâm", "Tú", "Hào",
        "Dương", "Vũ", "Toàn", "Đan", "Tường", "Uy", "Khải", "Hy",
    ],
];

/// Given names of men found in every period.
pub(super) const MEN_RARE: &[&str] = &[
    "Bắc", "Cảnh", "Châu", "Chung", "Danh", "Diện", "Doanh", "Đoàn", "Đồng", "Đỉnh", "Giáp", "Hậu",
    "Hiển", "Hiệp", "Hoan", "Hoạt", "Hợp", "Huân", "Huấn", "Khương", "Khiêm", "Kha", "Liêm",
    "Lịch", "Lương", "Mẫn", "Nghiêm", "Nhu", "Nhuận", "Ninh", "Phi", "Phước", "Sang", "Sinh",
    "Tấn", "Tạo", "Thạch", "Thao", "Thông", "Thuyết", "Thức", "Thương", "Thụy", "Tính", "Toản",
    "Triết", "Triều", "Trọng", "Trực", "Tuyên", "Văn", "Vĩ", "Xuân", "Yên", "Bằng", "Biên",
    "Chương", "Đại", "Hoài", "Hữu", "Khuê", "Lân", "Phụng", "Quảng", "Soạn", "Tuân", "Từ", "Ước",
    "Vượng",
];

/// Given names of women per period, the most popular first.
pub(super) const WOMEN: [&[&str]; 5] = [
    &[
        "Lan", "Hoa", "Hồng", "Mai", "Cúc", "Liên", "Sen", "Đào", "Mận", "Lý", "Huệ", "Nga",
        "Hương", "Loan", "Phượng", "Tuyết", "Xuân", "Thu", "Hà", "Bích", "Minh", "Nhàn", "Lành",
        "Hiền", "Thảo", "Hạnh", "Vân", "Oanh", "Yến", "Hai", "Ba", "Tư", "Năm", "Sáu", "Bảy",
        "Tám", "Chín", "Mười", "Út", "Thìn", "Tý", "Tỵ", "Ngọ", "Dậu", "Hợi", "Thơm", "Bé", "Gái",
        "Nhỏ", "Chắt", "Nụ", "Bưởi", "Kim", "Ngân", "Vàng", "Cam", "Thắm", "Mơ", "Mến",
    ],
    &[
        "Hương", "Hoa", "Lan", "Hồng", "Hà", "Thủy", "Nga", "Hạnh", "Mai", "Hằng", "Liên", "Thanh",
        "Thu", "Oanh", "Vân", "Yến", "Loan", "Huệ", "Bình", "Phương", "Dung", "Tuyết", "Lý",
        "Hiền", "Nguyệt", "Xuân", "Tâm", "Thảo", "Minh", "Ngọc", "Hải", "Hòa", "Phượng", "Cúc",
        "Đào", "Sâm", "Thoa", "Lệ", "Chi", "Luyến", "Nhung", "Tình", "Bích", "Sương", "Diệp",
        "Diệu", "Kiều", "Nương", "Mận", "Hường", "Vinh", "Thắm",
    ],
    &[
        "Hương", "Huyền", "Trang", "Hà", "Hằng", "Thủy", "Linh", "Thảo", "Lan", "Phương", "Ngọc",
        "Nhung", "Hoa", "Hiền", "Nga", "Hồng", "Thu", "Mai", "Yến", "Vân", "Hạnh", "Oanh", "Dung",
        "Giang", "Quỳnh", "Anh", "Hường", "Thúy", "Loan", "Liên", "Thùy", "Ngân", "Chi", "Nguyệt",
        "Tâm", "Tuyết", "Trâm", "Diễm", "Bích", "Thương", "Duyên", "Hải", "Trinh", "Tú", "Ly",
        "My", "Lệ", "Hòa", "Xuân", "Phượng", "Uyên", "Như",
    ],
    &[
        "Linh", "Trang", "Anh", "Hương", "Thảo", "Huyền", "Ngọc", "Nhi", "Phương", "Quỳnh", "Trâm",
        "Ngân", "Mai", "Hà", "Vy", "Như", "My", "Hằng", "Chi", "Duyên", "Yến", "Thư", "Uyên", "Ly",
        "Giang", "Vân", "Thùy", "Hiền", "Nhung", "Trinh", "Châu", "Tiên", "Trúc", "Lan", "Nguyên",
        "Khánh", "Oanh", "Thủy", "Thanh", "Diệp", "Hân", "Dung", "Hoa", "Ánh", "Tuyền", "Thương",
        "Hạnh", "Loan", "Tâm", "Đào", "Nga", "Phượng", "Kiều", "Vi", "Minh",
    ],
    &[
        "Anh", "Vy", "Ngọc", "Nhi", "Hân", "Thư", "Linh", "Như", "Ngân", "Phương", "Thảo", "My",
        "Trân", "Quỳnh", "Nghi", "Trang", "Trâm", "An", "Thy", "Châu", "Trúc", "Uyên", "Yến", "Ý",
        "Tiên", "Mai", "Hà", "Vân", "Nguyên", "Hương", "Quyên", "Duyên", "Kim", "Trinh", "Thanh",
        "Tuyền", "Hằng", "Dương", "Chi", "Giang", "Tâm", "Lam", "Tường", "Ân", "Ly", "Khánh",
        "Minh", "Huyền", "Thùy", "Vi", "Lan", "Dung", "Nhã", "San", "Khuê", "Đan", "Diệp", "Diễm",
        "Hạ", "Băng", "Ánh", "Tú", "Di", "Đoan", "Thiên", "Bình", "Cát", "Mỹ",
    ],
];

/// Given names of women found in every period.
pub(super) const WOMEN_RARE: &[&str] = &[
    "Ái", "Ấm", "Cẩm", "Chinh", "Chuyên", "Dịu", "Điểm", "Đài", "Hiên", "Hiếu", "Hoàn", "Hoài",
    "Hợp", "Huế", "Hậu", "Khương", "Lài", "Lâm", "Lụa", "Lựu", "Lương", "Miên", "Mùi", "Mừng",
    "Na", "Ngát", "Ngoan", "Ngần", "Nhạn", "Nhài", "Nhâm", "Nhiên", "Ninh", "Nữ", "Phi", "Quế",
    "Quý", "Sáng", "Sim", "Soan", "Thái", "Thêu", "Thi", "Thiện", "Thơ", "Thuận", "Thục", "Thường",
    "Toan", "Tố", "Trà", "Tươi", "Vui", "Xoan", "Xuyến", "Yên",
];

/// Middle names of men, other than Văn: the older periods and the younger ones.
pub(super) const MEN_MIDDLE: [&[&str]; 2] = [
    &[
        "Đình", "Hữu", "Đức", "Xuân", "Công", "Quang", "Ngọc", "Bá", "Duy", "Trọng", "Thế", "Viết",
        "Minh", "Thanh", "Sỹ", "Danh", "Như", "Khắc", "Huy", "Đăng", "Tiến", "Quốc", "Hồng", "Chí",
        "Tấn", "Mạnh", "Anh",
    ],
    &[
        "Minh", "Đức", "Gia", "Quang", "Hoàng", "Anh", "Tuấn", "Ngọc", "Bảo", "Duy", "Thành",
        "Việt", "Hải", "Nhật", "Quốc", "Đình", "Trung", "Thiên", "Xuân", "Hữu", "Tiến", "Mạnh",
        "Thanh", "Công", "Khánh", "Tấn", "Chí", "Phúc", "An", "Nguyên", "Đăng", "Hồng",
    ],
];

/// Middle names of women, alone or after Thị: the older periods and the younger ones.
pub(super) const WOMEN_MIDDLE: [&[&str]; 2] = [
    &[
        "Thanh", "Ngọc", "Thu", "Kim", "Hồng", "Bích", "Minh", "Mỹ", "Tuyết", "Xuân", "Mai", "Lan",
        "Phương", "Thúy", "Thùy", "Hoài", "Diệu", "Cẩm", "Hải", "Vân", "Ánh", "Kiều",
    ],
    &[
        "Bảo", "Minh", "Ngọc", "Gia", "Khánh", "Thảo", "Anh", "Phương", "Hà", "Quỳnh", "Tuệ", "An",
        "Mai", "Như", "Yến", "Thanh", "Kim", "Thiên", "Diệu", "Hải", "Linh", "Thùy", "Nhã",
        "Tường", "Cát", "Hoài", "Kiều", "Tú", "Trúc", "Huyền",
    ],
];

/// First part of the two-part middle names of the young; often the mother's surname.
pub(super) const FIRST_MIDDLE: &[&str] = &[
    "Ngọc", "Hoàng", "Minh", "Trần", "Lê", "Phạm", "Vũ", "Đức", "Đặng", "Phan", "Nguyễn", "Quang",
    "Hồng", "Bùi", "Thanh", "Đỗ",
];
