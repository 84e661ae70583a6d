//! The 54 peoples: shares of the population, where they live, and religions. Rough figures after
//! the 2019 census; provinces are those of 2024, which still tell the highlands from the coast.

use std::sync::LazyLock;

use crate::dice::Dice;
use crate::names::KINH;

/// Share of a people in 100,000, and its provinces with their parts.
type People = (u8, u32, &'static [(u8, u32)]);

const PEOPLES: &[People] = &[
    (
        2,
        1920,
        &[
            (20, 15),
            (8, 12),
            (4, 11),
            (2, 10),
            (6, 9),
            (15, 8),
            (19, 8),
            (10, 6),
            (24, 3),
            (66, 3),
            (22, 2),
            (68, 1),
            (1, 1),
        ],
    ),
    (3, 1890, &[(14, 37), (40, 19), (38, 14), (11, 12), (12, 8), (15, 4), (17, 3)]),
    (6, 1510, &[(17, 38), (38, 26), (25, 15), (14, 6), (1, 4), (37, 2), (66, 1)]),
    (
        8,
        1450,
        &[
            (2, 21),
            (11, 16),
            (14, 14),
            (10, 13),
            (12, 8),
            (15, 8),
            (4, 5),
            (40, 3),
            (66, 3),
            (67, 3),
            (8, 2),
            (6, 2),
            (38, 1),
        ],
    ),
    (
        5,
        1370,
        &[
            (94, 31),
            (84, 26),
            (91, 18),
            (89, 7),
            (95, 6),
            (79, 4),
            (96, 2),
            (74, 2),
            (86, 2),
            (93, 1),
        ],
    ),
    (
        7,
        1130,
        &[
            (20, 31),
            (4, 15),
            (24, 9),
            (2, 8),
            (66, 7),
            (19, 7),
            (6, 3),
            (10, 3),
            (67, 3),
            (8, 2),
            (75, 1),
        ],
    ),
    (
        9,
        930,
        &[
            (2, 14),
            (8, 12),
            (10, 11),
            (15, 11),
            (22, 7),
            (6, 6),
            (12, 6),
            (4, 5),
            (20, 3),
            (19, 3),
            (17, 2),
            (14, 2),
            (25, 2),
            (66, 2),
        ],
    ),
    (
        4,
        780,
        &[
            (79, 48),
            (75, 12),
            (94, 9),
            (91, 3),
            (95, 3),
            (74, 3),
            (68, 2),
            (92, 2),
            (60, 2),
            (24, 2),
            (89, 1),
            (84, 1),
        ],
    ),
    (10, 530, &[(64, 90), (62, 5), (66, 4)]),
    (12, 410, &[(66, 88), (54, 6), (67, 2), (56, 2)]),
    (13, 300, &[(64, 66), (62, 24), (52, 7), (54, 2)]),
    (14, 220, &[(62, 64), (49, 22), (51, 9), (66, 5)]),
    (15, 210, &[(8, 35), (19, 19), (24, 16), (22, 7), (25, 2), (20, 2)]),
    (16, 210, &[(68, 87), (60, 7), (56, 3), (58, 2)]),
    (17, 190, &[(58, 38), (60, 22), (54, 13), (89, 7), (79, 5), (52, 4), (72, 2)]),
    (18, 190, &[(19, 32), (26, 25), (24, 18), (22, 12), (8, 8)]),
    (19, 155, &[(51, 90), (52, 8)]),
    (21, 152, &[(58, 47), (56, 38), (60, 13)]),
    (20, 132, &[(67, 40), (66, 39), (68, 9), (70, 9)]),
    (22, 104, &[(70, 96), (72, 2)]),
    (23, 98, &[(45, 74), (44, 20), (66, 5)]),
    (24, 95, &[(40, 83), (38, 12)]),
    (29, 94, &[(40, 50), (11, 20), (14, 16), (12, 9)]),
    (26, 77, &[(49, 75), (46, 22)]),
    (25, 70, &[(10, 50), (2, 25), (12, 20)]),
    (27, 66, &[(62, 60), (49, 38)]),
    (31, 54, &[(46, 65), (45, 33)]),
    (28, 52, &[(68, 77), (67, 15), (75, 5)]),
    (30, 42, &[(51, 83), (49, 15)]),
    (32, 30, &[(75, 55), (77, 28)]),
    (34, 30, &[(14, 85), (11, 12)]),
    (35, 26, &[(12, 60), (11, 20), (10, 18)]),
    (36, 24, &[(68, 95)]),
    (37, 18, &[(12, 40), (11, 35), (14, 20)]),
    (33, 16, &[(14, 60), (11, 30)]),
    (38, 16, &[(2, 93)]),
    (40, 13, &[(10, 80)]),
    (41, 13, &[(12, 98)]),
    (39, 10, &[(14, 98)]),
    (46, 8, &[(2, 80), (8, 18)]),
    (44, 8, &[(44, 95)]),
    (42, 7, &[(12, 98)]),
    (43, 5, &[(4, 60), (2, 35)]),
    (45, 5, &[(12, 95)]),
    (47, 4, &[(2, 98)]),
    (48, 3, &[(12, 55), (11, 40)]),
    (49, 3, &[(10, 60), (2, 35)]),
    (11, 2, &[(19, 50), (60, 30)]),
    (50, 1, &[(12, 98)]),
    (51, 1, &[(2, 98)]),
    (52, 1, &[(62, 98)]),
    (53, 1, &[(40, 98)]),
    (54, 1, &[(62, 98)]),
];

/// Population of the provinces of 2024, in thousands.
const PROVINCES: &[(u8, u32)] = &[
    (1, 8587),
    (2, 899),
    (4, 548),
    (6, 326),
    (8, 813),
    (10, 781),
    (11, 646),
    (12, 489),
    (14, 1313),
    (15, 855),
    (17, 880),
    (19, 1350),
    (20, 807),
    (22, 1381),
    (24, 1922),
    (25, 1530),
    (26, 1211),
    (27, 1517),
    (30, 1957),
    (31, 2105),
    (33, 1302),
    (34, 1882),
    (35, 885),
    (36, 1887),
    (37, 1018),
    (38, 3739),
    (40, 3442),
    (42, 1324),
    (44, 918),
    (45, 654),
    (46, 1166),
    (48, 1245),
    (49, 1526),
    (51, 1248),
    (52, 1505),
    (54, 876),
    (56, 1260),
    (58, 601),
    (60, 1258),
    (62, 591),
    (64, 1613),
    (66, 1931),
    (67, 680),
    (68, 1345),
    (70, 1045),
    (72, 1194),
    (74, 2823),
    (75, 3310),
    (77, 1187),
    (79, 9457),
    (80, 1744),
    (82, 1791),
    (83, 1301),
    (84, 1020),
    (86, 1029),
    (87, 1601),
    (89, 1906),
    (91, 1756),
    (92, 1259),
    (93, 729),
    (94, 1198),
    (95, 925),
    (96, 1208),
];

/// Draws the people of a household and the province of 2024 it lives in.
pub(crate) fn people_and_province(dice: &mut Dice) -> (u8, u8) {
    let mut drawn = dice.below(100_000);
    for (code, share, homes) in PEOPLES {
        if drawn < *share {
            let total = homes.iter().map(|h| h.1).sum();
            return (*code, dice.part(homes, total).unwrap_or(1));
        }
        drawn -= share;
    }
    (KINH, kinh_province(dice))
}

/// Draws a province by its Kinh population.
pub(crate) fn kinh_province(dice: &mut Dice) -> u8 {
    PROVINCES[dice.weighted(&KINH_WEIGHTS)].0
}

/// Provinces that draw workers from the whole country, the largest first.
pub(crate) const MAGNETS: &[u8] = &[79, 74, 1, 75, 27, 24, 80, 31, 48, 77, 22];

/// Whether surnames have their southern form: Huỳnh, Võ. Where settlers came from the north the
/// family decides by lot.
pub(crate) fn southern(dice: &mut Dice, province: u8) -> bool {
    match province {
        0..=38 => false,
        62..=68 | 70 | 75 | 77 => dice.chance(550),
        79 => dice.chance(750),
        40..=46 => dice.chance(300),
        _ => dice.chance(960),
    }
}

/// Kinh population per province, cumulative: the population less the other peoples, and at least
/// three per cent of it.
static KINH_WEIGHTS: LazyLock<Vec<u32>> = LazyLock::new(|| {
    let population: u32 = PROVINCES.iter().map(|p| p.1).sum();
    let mut sum = 0;
    PROVINCES
        .iter()
        .map(|(province, thousands)| {
            let others: u32 = PEOPLES
                .iter()
                .map(|(_, share, homes)| {
                    let all: u32 = homes.iter().map(|h| h.1).sum();
                    let here: u32 = homes.iter().filter(|h| h.0 == *province).map(|h| h.1).sum();
                    // In thousands: share of 100,000 × population × part of the people.
                    share * (population / 100) * here / all / 1000
                })
                .sum();
            sum += thousands.saturating_sub(others).max(thousands * 3 / 100);
            sum
        })
        .collect()
});

/// Draws the religion of a household: code 0-14, per mille after the 2019 census.
pub(crate) fn religion(dice: &mut Dice, ethnicity: u8, province: u8) -> u8 {
    let shares: &[(u8, u32)] = match ethnicity {
        5 => &[(1, 420), (2, 10)],
        8 => &[(8, 260), (2, 20)],
        10 => &[(8, 280), (2, 60)],
        12 | 20 | 22 => &[(8, 330), (2, 60)],
        13 | 14 | 27 => &[(2, 350), (8, 90)],
        16 | 28 | 36 => &[(2, 330), (8, 330)],
        17 if matches!(province, 58 | 60) => &[(13, 480), (4, 330)],
        17 => &[(4, 600)],
        9 => &[(8, 60)],
        4 => &[(1, 170), (2, 60)],
        KINH => return kinh_religion(dice, province),
        _ => &[(2, 20), (8, 10), (1, 3)],
    };
    dice.part(shares, 1000).unwrap_or(0)
}

fn kinh_religion(dice: &mut Dice, province: u8) -> u8 {
    let catholic = match province {
        75 => 310,
        68 | 77 => 230,
        36 | 37 => 170,
        62..=67 | 70 => 130,
        42 | 79 => 100,
        34 | 35 | 40 | 91 | 60 => 80,
        1 | 31 | 38 | 44 | 56 | 74 => 35,
        _ => 20,
    };
    let buddhist = match province {
        46 => 200,
        79 | 82 | 84 => 100,
        48..=60 | 72..=80 | 83..=96 => 55,
        _ => 8,
    };
    let (hoa_hao, cao_dai, small) = match province {
        89 => (390, 20, 20),
        87 | 92 => (110, 15, 5),
        72 => (2, 330, 0),
        80 | 82 | 83 | 91 => (5, 25, 6),
        _ => (0, 1, 0),
    };
    let small_code = dice.pick(&[10, 11, 9, 10]);
    let shares =
        [(2, catholic), (1, buddhist), (3, hoa_hao), (5, cao_dai), (8, 3), (small_code, small)];
    dice.part(&shares, 1000).unwrap_or(0)
}
