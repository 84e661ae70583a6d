//! What stands beside a name in rows of a sheet and is none: sex, people, nationality, address.
//! A word that is also a surname without its accents (`Ngo`, `Duong`) says nothing without them.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::geo::provinces;
use crate::lists::ethnicity;
use crate::person::Dataset;
use crate::text::{composed, fold};

/// Words with which a part of an address begins, in lower case; none begins a name.
const PLACES: [&str; 22] = [
    "ấp",
    "bản",
    "buôn",
    "đường",
    "huyện",
    "khóm",
    "khu",
    "ngách",
    "ngõ",
    "phố",
    "phường",
    "quận",
    "số",
    "thành phố",
    "thị trấn",
    "thị xã",
    "thôn",
    "tỉnh",
    "tổ",
    "xã",
    "xóm",
    "đặc khu",
];
/// The same without accents, but for those that are surnames so.
const BARE_PLACES: [&str; 7] = ["huyen", "khom", "thanh pho", "thi tran", "thi xa", "thon", "xom"];
/// Whole pieces that say the sex or the nationality, folded.
const WORDS: [&str; 4] = ["khac", "nam", "nu", "vietnam"];

/// Folded names of provinces, with and without their kind, and of peoples.
static NAMES: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let provinces = [Dataset::Y2024, Dataset::Y2026].into_iter().flat_map(provinces);
    let provinces = provinces.flat_map(|province| {
        let bare = ["Thành phố ", "Tỉnh "].iter().find_map(|kind| province.name.strip_prefix(kind));
        [Some(province.name), bare].into_iter().flatten()
    });
    provinces.chain((0..=u8::MAX).filter_map(ethnicity)).map(fold).collect()
});

/// Whether the piece is known to be something else than a name.
pub(super) fn is_known(piece: &str) -> bool {
    let folded = fold(piece);
    WORDS.contains(&folded.as_str()) || NAMES.contains(&folded) || is_place(piece)
}

fn is_place(piece: &str) -> bool {
    let piece = composed(piece).to_lowercase();
    let words: &[&str] = if piece.is_ascii() { &BARE_PLACES } else { &PLACES };
    words.iter().any(|place| {
        piece.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    })
}
