//! Names of the codes that answers carry: peoples (QĐ 121-TCTK/PPCĐ) and religions, from the
//! embedded lists. They are names, the same in every language.

use std::sync::LazyLock;

/// The lists as they are kept for every room: one line each, `- Name: 01 word, 02 word.`
static LISTS: &str = include_str!("../data/code-lists.md");

/// Codes have two digits, so a list has at most so many.
const CODES: usize = 100;

type Names = [Option<&'static str>; CODES];

static RELIGIONS: LazyLock<Names> = LazyLock::new(|| read("- TonGiao"));
static ETHNICITIES: LazyLock<Names> = LazyLock::new(|| read("- DanToc"));

/// Tôn giáo by its code; none for a code of another list.
pub fn religion(code: u8) -> Option<&'static str> {
    *RELIGIONS.get(usize::from(code))?
}

/// Dân tộc by its code; none for a code of another list.
pub fn ethnicity(code: u8) -> Option<&'static str> {
    *ETHNICITIES.get(usize::from(code))?
}

/// The line that begins so. A damaged list names nothing, which the tests would see.
fn read(name: &str) -> Names {
    let mut names = [None; CODES];
    let line = LISTS.lines().find(|line| line.starts_with(name));
    let rows = line.and_then(|line| line.split_once(": ")).map_or("", |(_, rows)| rows);
    for row in rows.trim_end_matches('.').split(", ") {
        let Some((code, word)) = row.split_once(' ') else { continue };
        if let Some(place) = code.parse().ok().and_then(|code: usize| names.get_mut(code)) {
            *place = Some(word);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::person::{is_ethnicity, is_religion};

    #[test]
    fn every_code_of_the_lists_has_a_name_and_no_other() {
        for code in 0..=u8::MAX {
            assert_eq!(religion(code).is_some(), is_religion(code), "{code}");
            assert_eq!(ethnicity(code).is_some(), is_ethnicity(code), "{code}");
        }
        assert_eq!((religion(0), religion(14)), (Some("Không"), Some("Mặc Môn")));
        assert_eq!((ethnicity(1), ethnicity(23)), (Some("Kinh"), Some("Bru-Vân Kiều")));
        assert_eq!((ethnicity(55), ethnicity(99)), (Some("người nước ngoài"), Some("không rõ")));
    }
}
