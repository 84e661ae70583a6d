//! The lists of administrative units are whole, fit each other, and are compared without guessing.

use Dataset::{Y2024, Y2026};
use PlaceMatch::{Different, Same, Unknown};
use dancu_domain::geo::{self, AskedPlace, IdWarning, PlaceMatch, Successors};
use dancu_domain::ids::PersonalId;
use dancu_domain::person::{Address, Country, Dataset, Sex};

#[test]
fn lists_are_whole() {
    assert_eq!(geo::provinces(Y2024).len(), 63);
    assert_eq!(geo::provinces(Y2026).len(), 34);
    assert_eq!(geo::communes(Y2024).len(), 10_035);
    assert_eq!(geo::communes(Y2026).len(), 3_321);
    for dataset in [Y2024, Y2026] {
        let communes = geo::communes(dataset);
        assert!(communes.windows(2).all(|pair| pair[0].code < pair[1].code));
        let mut total = 0;
        for province in geo::provinces(dataset) {
            let of = geo::communes_of(dataset, province.code);
            total += of.len();
            assert!(of.len() > 0 && of.into_iter().all(|c| c.province == province.code));
            assert_eq!(geo::province(dataset, province.code), Some(*province));
        }
        assert_eq!(total, communes.len());
        assert_eq!(geo::communes_of(dataset, 0).len() + geo::communes_of(dataset, 99).len(), 0);
        for commune in communes {
            assert_eq!(geo::commune(dataset, commune.code), Some(*commune));
            assert!(!commune.name.is_empty() && !commune.name.ends_with('\r'));
            let district = commune.district.map(|code| geo::district(code).unwrap());
            assert_eq!(district.is_some(), dataset == Y2024);
            assert!(district.is_none_or(|d| d.province == commune.province));
        }
    }
    assert_eq!(geo::province(Y2024, 46).unwrap().name, "Thành phố Huế");
    assert_eq!(geo::province(Y2026, 2), None);
    assert_eq!(geo::commune(Y2024, 4).unwrap().name, "Phường Trúc Bạch");
    assert_eq!(geo::commune(Y2026, 4).unwrap().name, "Phường Ba Đình");
    assert_eq!(geo::district(318).unwrap().name, "Huyện Bạch Long Vĩ");
}

#[test]
fn changes_fit_the_lists() {
    // Counted facts of the file: five of its 10,602 rows are island districts without a commune;
    // five name Xã Ba Chẽ by a code (06970) that the list of 2026 has corrected to 06978.
    let rows = 10_602 - 5;
    let (mut whole, mut divided, mut links) = (0, 0, 0);
    for old in geo::communes(Y2024) {
        let candidates = match geo::successors(old.code) {
            Successors::Whole(new) => {
                whole += 1;
                vec![new]
            }
            Successors::Divided { candidates, default } => {
                divided += 1;
                assert!(candidates.contains(&default) && candidates.len() > 1);
                candidates
            }
            Successors::Unknown => panic!("{} became nothing", old.code),
        };
        links += candidates.len();
        for code in candidates {
            let new = geo::commune(Y2026, code).unwrap();
            assert!(geo::predecessors(code).contains(&old.code));
            assert_eq!(geo::province_successor(old.province), Some(new.province));
        }
    }
    assert_eq!((whole, divided, links), (9_564, 471, rows));
    let islands: Vec<_> = geo::communes(Y2026)
        .iter()
        .filter(|c| geo::predecessors(c.code).is_empty())
        .map(|c| c.name)
        .collect();
    assert_eq!(islands.len(), 5, "{islands:?}");
    assert!(islands.iter().all(|name| name.starts_with("Đặc khu")));
}

#[test]
fn changes_by_hand() {
    assert_eq!(geo::successors(1), Successors::Whole(97));
    let divided = Successors::Divided { candidates: vec![8, 25], default: 8 };
    assert_eq!(geo::successors(7), divided);
    assert_eq!(geo::successors(6_970), Successors::Whole(6_978));
    assert_eq!(geo::successors(99_999), Successors::Unknown);
    assert!(geo::predecessors(4).contains(&13));
    assert_eq!(geo::predecessors(99_999), vec![]);
    assert_eq!(geo::province_successor(2), Some(8));
    assert_eq!(geo::province_successor(99), None);
}

fn address(province: u8, commune: u32, dataset: Dataset) -> Address {
    Address { province, commune, detail: String::new(), country: Country::VN, dataset }
}

#[test]
fn districts() {
    let of = |code| geo::commune(Y2024, code).unwrap().district.unwrap();
    let of_new = |code| geo::predecessors(code).into_iter().map(of).collect::<Vec<_>>();
    let find = |fits: fn(&[u16]) -> bool| {
        let mut communes = geo::communes(Y2026).iter();
        communes.find(|c| fits(&of_new(c.code))).unwrap()
    };
    let one = find(|d| d.len() > 1 && d.iter().all(|other| *other == d[0]));
    let several = find(|d| d.len() > 1 && d.iter().any(|other| *other != d[0]));
    let island = find(<[u16]>::is_empty);
    let asked =
        |province, district, commune, dataset| AskedPlace { province, district, commune, dataset };
    let on = |c: &geo::Commune| address(c.province, c.code, Y2026);
    for (asked, record, expected) in [
        // The commune asked about lies in that district, or the question contradicts itself.
        (asked(1, of(4), 4, Y2024), address(1, 4, Y2024), Same),
        (asked(1, of(4) + 1, 4, Y2024), address(1, 4, Y2024), Different),
        (asked(1, of(1), 1, Y2024), address(1, 97, Y2026), Same),
        (asked(1, of(1) + 1, 1, Y2024), address(1, 97, Y2026), Different),
        // The district alone, or with its province, against each list.
        (asked(0, of(4), 0, Y2024), address(1, 4, Y2024), Same),
        (asked(1, of(4), 0, Y2024), address(1, 4, Y2024), Same),
        (asked(1, of(4) + 1, 0, Y2024), address(1, 4, Y2024), Different),
        (asked(1, of(4), 0, Y2024), address(1, 0, Y2024), Unknown),
        (asked(0, of_new(one.code)[0], 0, Y2024), on(one), Same),
        (asked(0, 999, 0, Y2024), on(one), Different),
        (asked(0, of_new(several.code)[0], 0, Y2024), on(several), Unknown),
        (asked(0, of(4), 0, Y2024), on(island), Unknown),
        // A district of 2024 beside a commune of 2026.
        (asked(1, of(8), 8, Y2026), address(1, 6, Y2024), Same),
        (asked(1, 999, 8, Y2026), address(1, 6, Y2024), Different),
    ] {
        assert_eq!(geo::same_place(asked, &record), expected, "{asked:?} {record:?}");
    }
}

#[test]
fn places() {
    for (asked, on_record, expected) in [
        // One dataset: codes.
        ((1, 4, Y2026), (1, 4, Y2026), Same),
        ((1, 4, Y2026), (1, 8, Y2026), Different),
        ((1, 4, Y2024), (1, 4, Y2024), Same),
        ((2, 4, Y2024), (1, 4, Y2024), Different),
        // Two datasets: 00001 became 00097 as a whole, and equal codes are different places.
        ((1, 1, Y2024), (1, 97, Y2026), Same),
        ((1, 97, Y2026), (1, 1, Y2024), Same),
        ((1, 6, Y2024), (1, 4, Y2026), Different),
        ((1, 8, Y2026), (1, 6, Y2024), Same),
        ((22, 6_970, Y2024), (22, 6_978, Y2026), Same),
        // Divided: 00007 went to 00008 and 00025.
        ((1, 7, Y2024), (1, 8, Y2026), Unknown),
        ((1, 25, Y2026), (1, 7, Y2024), Unknown),
        ((1, 7, Y2024), (1, 4, Y2026), Different),
        ((1, 4, Y2026), (1, 7, Y2024), Different),
        // Provinces: Hà Giang (02) joined Tuyên Quang (08).
        ((2, 0, Y2024), (8, 691, Y2026), Same),
        ((8, 0, Y2026), (2, 691, Y2024), Same),
        ((2, 0, Y2024), (2, 691, Y2024), Same),
        ((2, 0, Y2024), (1, 4, Y2026), Different),
        ((2, 0, Y2024), (8, 0, Y2026), Same),
        // The commune alone decides where a province is missing.
        ((0, 1, Y2024), (1, 97, Y2026), Same),
        ((1, 1, Y2024), (0, 97, Y2026), Same),
        // The record does not say, or the code is in no list.
        ((1, 4, Y2026), (1, 0, Y2026), Unknown),
        ((1, 4, Y2026), (2, 0, Y2026), Different),
        ((1, 0, Y2026), (0, 0, Y2026), Unknown),
        ((0, 0, Y2026), (1, 4, Y2026), Unknown),
        ((1, 99_999, Y2024), (1, 4, Y2026), Unknown),
        ((99, 0, Y2024), (1, 4, Y2026), Unknown),
    ] {
        let record = address(on_record.0, on_record.1, on_record.2);
        let (province, commune, dataset) = asked;
        let asked = AskedPlace { province, district: 0, commune, dataset };
        assert_eq!(geo::same_place(asked, &record), expected, "{asked:?} {on_record:?}");
    }
    let abroad = Address { country: Country::parse("LA").unwrap(), ..address(0, 0, Y2026) };
    let asked = AskedPlace { province: 1, district: 0, commune: 4, dataset: Y2026 };
    assert_eq!(geo::same_place(asked, &abroad), Different);
}

#[test]
fn numbers_are_wondered_at_never_refused() {
    let known = (0..1_000).filter(|prefix| geo::birth_prefix(*prefix).is_some()).count();
    assert_eq!(known, 63);
    let prefix = geo::birth_prefix(2).unwrap();
    assert_eq!((prefix.name, prefix.province_2025), ("Hà Giang", 8));

    let warnings = |id, sex| geo::id_warnings(PersonalId::parse(id).unwrap(), sex);
    assert_eq!(warnings("099301000001", Some(Sex::Female)), []);
    assert_eq!(warnings("099301000001", Some(Sex::Male)), [IdWarning::SexDiffers]);
    assert_eq!(warnings("099301000001", Some(Sex::Other)), []);
    assert_eq!(warnings("099301000001", None), []);
    // Numbers with other prefixes are looked at by prefix only; no such person is meant.
    let unassigned = PersonalId::from_number(100_000_000_000).unwrap();
    assert_eq!(geo::id_warnings(unassigned, None), [IdWarning::UnknownPrefix]);
    let assigned = PersonalId::from_number(1_000_000_000).unwrap();
    assert_eq!(geo::id_warnings(assigned, None), []);
    let both = geo::id_warnings(unassigned, Some(Sex::Female));
    assert_eq!(both, [IdWarning::UnknownPrefix, IdWarning::SexDiffers]);
}
