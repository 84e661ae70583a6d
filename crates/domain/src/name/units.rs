//! A name as a row of comparable units: one upper-case letter with its accents each.
//!
//! To accept another letter that callers write for a Vietnamese one, add it to `letter`.

use std::sync::LazyLock;

use unicode_normalization::char::{decompose_canonical, is_combining_mark};

/// A letter: 21 bits of upper-case base, then one bit per accent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit(u32);

/// Whether word boundaries count when a tone looks for its place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// A tone never moves into the next word.
    Apart,
    /// The text is read as one word, as callers who drop spaces write it.
    Joined,
}

const BASE: u32 = (1 << 21) - 1;
/// Grave, acute, tilde, hook above, dot below: the five written tones.
const TONES: u32 = 0b1_1111 << 21;
/// The stroke of Đ.
const STROKE: u32 = 1 << 29;
/// A mark that stands as a unit of its own because no Vietnamese letter carries it.
const MARK: u32 = 1 << 30;
/// In the table only: the character is more than one unit.
const SEVERAL: Unit = Unit(u32::MAX);

impl Unit {
    /// Anything that is not a letter: space, apostrophe, hyphen, full stop.
    const BREAK: Self = Self(0);

    /// Whether it has a tone, circumflex, breve, horn, stroke or foreign mark.
    pub(super) const fn is_accented(self) -> bool {
        self.0 & !BASE != 0
    }

    /// The letter without accents; none for breaks and for marks that stand alone.
    pub(super) fn plain(self) -> Option<char> {
        if self.0 & MARK != 0 || self == Self::BREAK {
            return None;
        }
        char::from_u32(self.0 & BASE)
    }

    const fn tone(self) -> u32 {
        self.0 & TONES
    }

    /// The base as an ASCII letter, 0 for all others.
    const fn ascii(self) -> u8 {
        let base = self.0 & BASE;
        if base < 128 && self.0 & MARK == 0 { base as u8 } else { 0 }
    }
}

/// Combining marks of Latin, Greek and Cyrillic letters. Marks of other scripts are vowels, hence
/// letters of the name. The Greek iota subscript becomes a letter in upper case.
pub(super) const fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{344}' | '\u{346}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Whether the character is one of those that Vietnamese text in NFC is made of: none of them is
/// a mark and none combines with another, which spares two look-ups in Unicode's tables each.
pub(super) const fn is_precomposed(c: char) -> bool {
    matches!(c, '\0'..='\u{2ff}' | '\u{1e00}'..='\u{1eff}' | '\u{2019}')
}

/// Any combining mark of any script.
pub(super) fn is_mark(c: char) -> bool {
    !is_precomposed(c) && is_combining_mark(c)
}

/// A letter of any script; the modifier letter apostrophe is an apostrophe, and letters that are
/// numbers (Ⅷ) are not.
pub(super) fn is_letter(c: char) -> bool {
    match slot(c) {
        Some(slot) => TABLE[slot] != Unit::BREAK,
        None => !is_break(c) && !is_mark(c),
    }
}

/// How many characters are no letters.
pub(super) fn breaks(text: &str) -> usize {
    text.chars().filter(|c| !is_letter(*c) && !is_mark(*c)).count()
}

/// Gives each unit of an NFC text in order, until `sink` says false. True when all were taken.
pub(super) fn each_unit(text: &str, sink: &mut impl FnMut(Unit) -> bool) -> bool {
    let table = &*TABLE;
    for c in text.chars() {
        let unit = slot(c).map_or(SEVERAL, |slot| table[slot]);
        let going = if unit == SEVERAL {
            let mut going = true;
            expand(c, &mut |unit| going = going && sink(unit));
            going
        } else {
            sink(unit)
        };
        if !going {
            return false;
        }
    }
    true
}

/// Like [`each_unit`], without breaks and with every tone in its modern place.
pub(super) fn placed(text: &str, words: Words, sink: &mut impl FnMut(Unit) -> bool) -> bool {
    let (mut before, mut held) = (Unit::BREAK, Unit::BREAK);
    let all = each_unit(text, &mut |mut unit| {
        if unit == Unit::BREAK && words == Words::Joined {
            return true;
        }
        if held.tone() != 0 && tone_moves(before, held, unit) {
            unit.0 |= held.tone();
            held.0 &= !TONES;
        }
        let going = held == Unit::BREAK || sink(held);
        (before, held) = (held, unit);
        going
    });
    all && (held == Unit::BREAK || sink(held))
}

/// Hòa → hoà, thúy → thuý; and u after q, i after g are part of the consonant: qúy → quý,
/// gìa → già.
const fn tone_moves(before: Unit, held: Unit, next: Unit) -> bool {
    let plain = held.0 & !(BASE | TONES) == 0;
    if !plain || next.tone() != 0 {
        return false;
    }
    match (held.ascii(), next.ascii()) {
        (b'O', b'A' | b'E') | (b'U', b'Y') => true,
        (b'U', b'A' | b'E' | b'I' | b'O') => before.ascii() == b'Q',
        (b'I', b'A' | b'E' | b'I' | b'O' | b'U' | b'Y') => before.ascii() == b'G',
        _ => false,
    }
}

/// Latin letters up to Latin Extended-B, then Latin Extended Additional: all of Vietnamese.
const LATIN: usize = 0x250;
const ADDITIONAL: usize = 0x1e00;

static TABLE: LazyLock<[Unit; LATIN + 0x100]> = LazyLock::new(|| {
    let mut table = [SEVERAL; LATIN + 0x100];
    for c in ('\0'..='\u{24f}').chain('\u{1e00}'..='\u{1eff}') {
        let (mut units, mut last) = (0, SEVERAL);
        expand(c, &mut |unit| (units, last) = (units + 1, unit));
        if let (1, Some(slot)) = (units, slot(c)) {
            table[slot] = last;
        }
    }
    table
});

const fn slot(c: char) -> Option<usize> {
    match c as usize {
        code @ 0..LATIN => Some(code),
        code @ ADDITIONAL..0x1f00 => Some(code - ADDITIONAL + LATIN),
        _ => None,
    }
}

fn is_break(c: char) -> bool {
    c == '\u{2bc}' || c.is_numeric() || !(c.is_alphabetic() || is_mark(c))
}

/// The units of one character of an NFC text.
fn expand(c: char, sink: &mut impl FnMut(Unit)) {
    if is_break(c) {
        return sink(Unit::BREAK);
    }
    let mut held: Option<Unit> = None;
    decompose_canonical(c, |part| match (accent(part), held) {
        (Some(bit), Some(unit)) => held = Some(Unit(unit.0 | bit)),
        _ if is_accent(part) => {
            held.take().into_iter().for_each(&mut *sink);
            sink(Unit(MARK | u32::from(part)));
        }
        _ => {
            for upper in part.to_uppercase().filter(|c| !is_break(*c)) {
                held.take().into_iter().for_each(&mut *sink);
                held = Some(letter(upper));
            }
        }
    });
    held.into_iter().for_each(sink);
}

/// Eth is what old Vietnamese fonts and code pages put where Đ was meant; the two look alike.
fn letter(upper: char) -> Unit {
    match upper {
        'Đ' | 'Ð' => Unit(u32::from('D') | STROKE),
        _ => Unit(u32::from(upper)),
    }
}

/// The bit of a mark that Vietnamese letters carry.
const fn accent(mark: char) -> Option<u32> {
    let bit = match mark {
        '\u{300}' => 21,
        '\u{301}' => 22,
        '\u{303}' => 23,
        '\u{309}' => 24,
        '\u{323}' => 25,
        '\u{302}' => 26,
        '\u{306}' => 27,
        '\u{31b}' => 28,
        _ => return None,
    };
    Some(1 << bit)
}
