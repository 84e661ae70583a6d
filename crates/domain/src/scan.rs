//! What an officer's one field holds: the QR text of a citizen card as a scanner types it, a row
//! pasted from a sheet, or typing. Sorted into the three keys of a question, in whatever order.
//!
//! The card's text is `id|old id|name|ddMMyyyy|sex|address|issue date ddMMyyyy`; parts may be
//! empty. **Invariant:** nothing is guessed: what can be read in two ways is a [`Flaw`].

mod others;
mod words;

use jiff::civil::Date;

use crate::birth::{BirthDate, BirthError};
use crate::ids::{OldId, PersonalId, SubjectId};
use crate::name::FullName;

/// Characters that are read: three times the longest text of a card.
pub const TEXT_MAX: usize = 600;

/// Fields of a card up to the address; what follows them is not looked at.
const CARD_FIELDS: usize = 6;

/// What was understood. Debug output shows none of it.
#[derive(Clone, Default, Debug)]
pub struct Scanned {
    /// Số định danh.
    pub personal_id: Option<PersonalId>,
    /// Số CMND.
    pub old_id: Option<OldId>,
    /// Họ, chữ đệm và tên.
    pub name: Option<FullName>,
    /// Ngày sinh, or only the year.
    pub birth: Option<BirthDate>,
    /// What stands there and could not be read.
    pub flaws: Vec<Flaw>,
}

/// One of the three keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// Personal or old id.
    Id,
    /// Name.
    Name,
    /// Date or year of birth.
    Birth,
}

/// Something that could not be read. Never holds what stands there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// More than [`TEXT_MAX`] characters.
    TooLong,
    /// Two different ids of one kind.
    TwoIds,
    /// So many digits are no id and no date.
    Digits(usize),
    /// No date of birth.
    Birth(BirthError),
    /// A month and a year: either the day or only the year.
    MonthOnly,
    /// Two different dates or years.
    TwoBirths,
    /// Several pieces of letters that can be a name.
    TwoNames,
    /// Signs that no name has, as where a scanner lost the accents.
    Name,
    /// A short number beside the name.
    Number,
}

impl Flaw {
    /// The key that it stands in the way of.
    pub const fn part(self) -> Option<Part> {
        match self {
            Self::TwoIds | Self::Digits(_) => Some(Part::Id),
            Self::Birth(_) | Self::MonthOnly | Self::TwoBirths => Some(Part::Birth),
            Self::Name | Self::TwoNames => Some(Part::Name),
            Self::TooLong | Self::Number => None,
        }
    }
}

impl Scanned {
    /// The id to ask by: the personal one where both stand there.
    pub fn id(&self) -> Option<SubjectId> {
        let personal = self.personal_id.map(SubjectId::Personal);
        personal.or(self.old_id.map(SubjectId::Old))
    }

    /// The keys that are not there, but for those that a flaw stands in the way of.
    pub fn missing(&self) -> Vec<Part> {
        let there = |part| match part {
            Part::Id => self.id().is_some(),
            Part::Name => self.name.is_some(),
            Part::Birth => self.birth.is_some(),
        };
        let flawed = |part| self.flaws.iter().any(|flaw| flaw.part() == Some(part));
        let parts = [Part::Id, Part::Name, Part::Birth];
        parts.into_iter().filter(|part| !there(*part) && !flawed(*part)).collect()
    }

    fn note(&mut self, flaw: Flaw) {
        if !self.flaws.contains(&flaw) {
            self.flaws.push(flaw);
        }
    }
}

/// Sorts a scan, a paste or typing. `today` is the day in Viet Nam. The text is taken as it was
/// typed, not normalised: a Vietnamese keyboard layout types digits as marks.
pub fn sort(text: &str, today: Date) -> Scanned {
    // A character has at most four bytes: a longer text need not be counted.
    if text.len() > 4 * TEXT_MAX || text.chars().count() > TEXT_MAX {
        return Scanned { flaws: vec![Flaw::TooLong], ..Scanned::default() };
    }
    let text: String = text.chars().filter_map(plain).collect();
    let text = text.replace("\r\n", "\n");
    let text = text.trim();
    match card(text) {
        Some(fields) => of_card(&fields, today),
        None => words::sort(text, today),
    }
}

/// The character as it is read: full-width forms are their ASCII, spaces are spaces, a control
/// character parts fields, and what nobody sees is left out.
fn plain(c: char) -> Option<char> {
    match c {
        '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' => None,
        '\t' | '\n' | '\r' => Some(c),
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0),
        c if c.is_control() => Some('\t'),
        c if c.is_whitespace() => Some(' '),
        c => Some(c),
    }
}

/// Id, old id, name and birth of a card; none where the text has not its shape. Whatever sign
/// stands after the id parts the fields: a scanner types `|` by the layout it was set to.
fn card(text: &str) -> Option<[String; 4]> {
    let (_, rest) = twelve_digits(text)?;
    let separator = rest.chars().next().filter(|c| !c.is_alphanumeric() && *c != ' ')?;
    let mut fields = text.split(separator).map(str::trim);
    let mut next = || fields.next().unwrap_or_default();
    let [id, old, name, birth] = [next(), next(), next(), next()];
    if fields.count() + 4 < CARD_FIELDS {
        return None;
    }
    let (id, old, birth) = (digits(id)?, digits(old)?, digits(birth)?);
    let fits = id.len() == 12 && matches!(old.len(), 0 | 9) && matches!(birth.len(), 4 | 8);
    fits.then(|| [id, old, name.to_owned(), birth])
}

/// The first twelve digits, as they are or by the layout, and what follows them.
fn twelve_digits(text: &str) -> Option<(String, &str)> {
    let end = text.char_indices().nth(12).map_or(text.len(), |(at, _)| at);
    let (id, rest) = text.split_at(end);
    digits(id).filter(|id| id.len() == 12).map(|id| (id, rest))
}

/// A field of digits: all as they are, or all as the Vietnamese keyboard layout types the number
/// row (1 to 9, 0: ă â ê ô and the five tones, đ). None where anything else stands there.
fn digits(field: &str) -> Option<String> {
    if field.bytes().all(|b| b.is_ascii_digit()) {
        return Some(field.to_owned());
    }
    let digit = |c| match c {
        'ă' => Some('1'),
        'â' => Some('2'),
        'ê' => Some('3'),
        'ô' => Some('4'),
        '\u{300}' => Some('5'),
        '\u{309}' => Some('6'),
        '\u{303}' => Some('7'),
        '\u{301}' => Some('8'),
        '\u{323}' => Some('9'),
        'đ' => Some('0'),
        _ => None,
    };
    field.chars().map(digit).collect()
}

fn of_card([id, old, name, birth]: &[String; 4], today: Date) -> Scanned {
    let mut found = Scanned {
        personal_id: PersonalId::parse(id).ok(),
        old_id: OldId::parse(old).ok(),
        ..Scanned::default()
    };
    match FullName::parse(name) {
        Ok(name) => found.name = Some(name),
        Err(_) if name.is_empty() => {}
        Err(_) => found.note(Flaw::Name),
    }
    // Whoever has only a year of birth has zeros for day and month.
    let birth = birth.strip_prefix("0000").unwrap_or(birth);
    match day_first(birth, today) {
        Ok(birth) => found.birth = Some(birth),
        Err(error) => found.note(Flaw::Birth(error)),
    }
    found
}

/// A date of birth without signs: `ddMMyyyy`, `yyyyMMdd` where it is no `ddMMyyyy`, or the year.
/// No text is both: a month of 18 to 20 does not exist.
fn day_first(text: &str, today: Date) -> Result<BirthDate, BirthError> {
    if text.len() != 8 || !text.is_ascii() {
        return BirthDate::parse(text, today);
    }
    let turned = format!("{}{}{}", &text[4..], &text[2..4], &text[..2]);
    BirthDate::parse(&turned, today)
        .or_else(|error| BirthDate::parse_day(text, today).map_err(|_| error))
}

#[cfg(test)]
mod tests;
