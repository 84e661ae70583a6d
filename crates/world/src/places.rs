//! Communes and addresses: homes by the list of 2024 and what became of them in 2025.

use std::sync::LazyLock;

use dancu_domain::geo::{self, Successors};
use dancu_domain::person::{Address, Country, Dataset};

use crate::dice::Dice;

/// A commune of 2024 and the commune that took over its place on 2025-07-01.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// Province and commune by the list of 2024.
    pub(crate) old: (u8, u32),
    /// Province and commune by the list of 2026.
    pub(crate) new: (u8, u32),
    /// Phường or thị trấn by the list of 2024: streets instead of hamlets.
    pub(crate) urban: bool,
}

impl Place {
    /// The address by one of the lists.
    pub(crate) fn address(self, dataset: Dataset, detail: &str) -> Address {
        let (province, commune) = match dataset {
            Dataset::Y2024 => self.old,
            Dataset::Y2026 => self.new,
        };
        Address { province, commune, detail: detail.to_owned(), country: Country::VN, dataset }
    }
}

/// Draws a commune of a province of 2024; peoples of the hills seldom live in towns.
pub(crate) fn draw(dice: &mut Dice, province: u8, prefer_rural: bool) -> Place {
    let places = &PLACES[usize::from(province.min(99))];
    if places.is_empty() {
        return HANOI;
    }
    let first = dice.pick(places);
    if prefer_rural && first.urban && dice.chance(800) { dice.pick(places) } else { first }
}

/// Phường Ba Đình: where a code without communes would fall back to.
const HANOI: Place = Place { old: (1, 4), new: (1, 4), urban: true };

/// House, street, hamlet, as written in the residence register.
pub(crate) fn detail(dice: &mut Dice, place: Place) -> String {
    let number = 1 + dice.below(400).min(dice.below(400));
    if place.urban {
        let street = dice.front(STREETS);
        return match dice.below(10) {
            0..=4 => format!("Số {number}, đường {street}"),
            5 => {
                let lane = if place.old.0 >= 48 { "hẻm" } else { "ngõ" };
                format!("Số {}, {lane} {number}, đường {street}", 1 + dice.below(90))
            }
            6 if place.old.0 >= 48 => format!("{number}/{} đường {street}", 1 + dice.below(60)),
            6 => format!("Số {}, ngách {number}/{}", 1 + dice.below(60), 1 + dice.below(40)),
            _ => format!("Tổ dân phố {}", 1 + dice.below(24)),
        };
    }
    let ordinal = 1 + dice.below(14);
    match place.old.0 {
        62..=67 if dice.chance(500) => format!("Buôn {}", dice.pick(HIGHLAND_VILLAGES)),
        2 | 10..=17 if dice.chance(600) => format!("Bản {}", dice.pick(NORTHERN_VILLAGES)),
        70..=96 => match dice.below(3) {
            0 => format!("Ấp {ordinal}"),
            1 => format!("Ấp {}", dice.pick(HAMLETS)),
            _ => format!("Số {number}, ấp {}", dice.pick(HAMLETS)),
        },
        4..=8 | 19..=25 | 36..=40 if dice.chance(500) => format!("Xóm {ordinal}"),
        _ if dice.chance(400) => format!("Thôn {}", dice.pick(HAMLETS)),
        _ => format!("Thôn {ordinal}"),
    }
}

/// Where births happen, by period.
pub(crate) fn maternity(dice: &mut Dice, birth_year: i32) -> &'static str {
    match birth_year {
        ..1975 => dice.pick(&["", "", "Tại nhà", "Nhà hộ sinh xã"]),
        1975..1998 => dice.pick(&["Trạm y tế xã", "Bệnh viện huyện", "Trạm xá xã", "Tại nhà"]),
        _ => dice.pick(&[
            "Bệnh viện Đa khoa tỉnh",
            "Bệnh viện Phụ sản",
            "Trung tâm y tế",
            "Bệnh viện Đa khoa khu vực",
            "Bệnh viện Sản - Nhi",
        ]),
    }
}

/// Street names found in nearly every town, the most frequent first.
const STREETS: &[&str] = &[
    "Trần Phú",
    "Lê Lợi",
    "Nguyễn Huệ",
    "Quang Trung",
    "Trần Hưng Đạo",
    "Lý Thường Kiệt",
    "Hùng Vương",
    "Nguyễn Trãi",
    "Lê Duẩn",
    "Hai Bà Trưng",
    "Phan Đình Phùng",
    "Nguyễn Du",
    "Lê Hồng Phong",
    "Phan Chu Trinh",
    "Ngô Quyền",
    "Bà Triệu",
    "Điện Biên Phủ",
    "30 Tháng 4",
    "Cách Mạng Tháng Tám",
    "Nguyễn Văn Cừ",
    "Hoàng Văn Thụ",
    "Võ Thị Sáu",
    "Lý Tự Trọng",
    "Trường Chinh",
    "Phạm Văn Đồng",
    "Nguyễn Thị Minh Khai",
    "Lê Thánh Tông",
    "Hàm Nghi",
    "Đinh Tiên Hoàng",
    "Phan Bội Châu",
    "Yết Kiêu",
    "Nguyễn Công Trứ",
    "Tôn Đức Thắng",
    "Võ Văn Kiệt",
    "Nguyễn Tất Thành",
    "Chu Văn An",
    "Lạc Long Quân",
    "Âu Cơ",
    "Hoàng Hoa Thám",
    "Tô Hiệu",
];
/// Names of hamlets in the plains.
const HAMLETS: &[&str] = &[
    "Đông",
    "Trung",
    "Đoài",
    "Thượng",
    "Hạ",
    "Bình An",
    "Tân Lập",
    "Phú Mỹ",
    "Hòa Bình",
    "Tân Thành",
    "Mỹ Hòa",
    "Long Thạnh",
    "Tân Tiến",
    "Thống Nhất",
    "Đoàn Kết",
    "Quyết Thắng",
    "Phước Lộc",
    "An Thịnh",
    "Tân Hòa",
    "Đồng Tâm",
    "Thạnh Lợi",
    "Vĩnh Phước",
    "Nam Sơn",
    "Bắc Sơn",
];
/// Names of villages in the northern hills.
const NORTHERN_VILLAGES: &[&str] = &[
    "Nà Pồng",
    "Pá Khoang",
    "Huổi Lóng",
    "Nậm Cang",
    "Phiêng Ban",
    "Tà Lèng",
    "Nà Ớt",
    "Mới",
    "Pom Lót",
    "Nà Sài",
    "Co Mạ",
    "Mường Pia",
    "Bó Mười",
    "Nong Ten",
    "Chiềng Xôm",
    "Nà Khoa",
];
/// Names of villages in the central highlands.
const HIGHLAND_VILLAGES: &[&str] = &[
    "Kon Tu",
    "Ea Bông",
    "Cư Blang",
    "Dliê",
    "Ia Nan",
    "Krông",
    "Tơ Lơ",
    "Mang La",
    "Ea Sin",
    "Cư Mblim",
    "Kram",
    "Jung",
    "Tơng Jú",
    "Dhung",
    "Kmrơng",
    "Sut",
    "Pốk",
    "Niêng",
];

/// The communes of each province of 2024. A commune that was divided counts for the part that the
/// change list marks as the default; one that the list does not know is left out.
static PLACES: LazyLock<Vec<Vec<Place>>> = LazyLock::new(|| {
    let mut places = vec![Vec::new(); 100];
    for old in geo::communes(Dataset::Y2024) {
        let (Successors::Whole(new) | Successors::Divided { default: new, .. }) =
            geo::successors(old.code)
        else {
            continue;
        };
        if let Some(new) = geo::commune(Dataset::Y2026, new)
            && let Some(of_province) = places.get_mut(usize::from(old.province))
        {
            let urban = old.name.starts_with("Phường") || old.name.starts_with("Thị trấn");
            of_province.push(Place {
                old: (old.province, old.code),
                new: (new.province, new.code),
                urban,
            });
        }
    }
    places
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearly_every_commune_of_2024_is_used() {
        let all = PLACES.iter().flatten().count();
        assert!(all > 9_900, "{all}");
    }
}
