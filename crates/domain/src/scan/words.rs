//! Pieces and words of a paste or of typing.

use jiff::civil::Date;

use super::{Flaw, Scanned, day_first, others};
use crate::birth::{BirthDate, BirthError};
use crate::ids::{OldId, PersonalId};
use crate::name::FullName;
use crate::text::fold;

/// Fewer digits than these stand in addresses; more were meant to be an id or a date.
const LONG_NUMBER: usize = 5;

/// Sorts text that is no card.
pub(super) fn sort(text: &str, today: Date) -> Scanned {
    let mut reader = Reader { today, found: Scanned::default(), births: vec![], names: vec![] };
    for piece in text.split(['\t', '\n', '\r', ',', ';', '|']) {
        // A label may stand before its value.
        reader.piece(piece.rsplit(':').next().unwrap_or(piece));
    }
    reader.finish()
}

struct Reader {
    today: Date,
    found: Scanned,
    births: Vec<BirthDate>,
    /// Letters of each piece, and whether numbers stood among them.
    names: Vec<(String, bool)>,
}

impl Reader {
    fn piece(&mut self, piece: &str) {
        let words: Vec<&str> = piece.split_whitespace().collect();
        let (mut letters, mut numbers) = (vec![], false);
        let mut at = 0;
        while let Some(word) = words.get(at) {
            let run = words[at..].iter().take_while(|w| is_number(w)).count();
            if run > 0 {
                let run_words: Vec<String> =
                    words[at..at + run].iter().map(|w| w.replace('.', "")).collect();
                numbers |= self.run(&run_words);
                at += run;
                continue;
            }
            at += 1;
            if word.chars().any(char::is_alphabetic) {
                numbers |= word.contains(|c: char| c.is_numeric());
                letters.push(*word);
            } else if word.starts_with(|c: char| c.is_ascii_digit()) {
                self.date(word);
            } else if word.chars().any(|c| !matches!(c, '-' | '–' | '/' | '.')) {
                // A sign that stands alone in a name is one that a scanner could not type.
                letters.push(*word);
            }
        }
        if !letters.is_empty() {
            self.names.push((letters.join(" "), numbers));
        } else if numbers {
            self.found.note(Flaw::Number);
        }
    }

    /// Numbers that follow each other; whether short ones were left over.
    fn run(&mut self, words: &[String]) -> bool {
        let (mut at, mut left, mut short) = (0, 0, false);
        while let Some(word) = words.get(at) {
            let taken = self.take(&words[at..]);
            if taken == 0 {
                left += word.len();
            } else {
                short |= self.left_over(std::mem::take(&mut left));
            }
            at += taken.max(1);
        }
        short | self.left_over(left)
    }

    fn left_over(&mut self, digits: usize) -> bool {
        if digits >= LONG_NUMBER {
            self.found.note(Flaw::Digits(digits));
        }
        (1..LONG_NUMBER).contains(&digits)
    }

    /// Reads what begins with the first word; how many words that took, 0 for none. What stands in
    /// one word comes first: a year is no group of an id.
    fn take(&mut self, words: &[String]) -> usize {
        let word = words[0].as_str();
        match word.len() {
            12 => return self.personal(word, 1),
            9 => return self.old(word, 1),
            4 | 8 => match day_first(word, self.today) {
                Ok(birth) => {
                    self.births.push(birth);
                    return 1;
                }
                // A year to come is told as such; a group of an id is no year at all.
                Err(BirthError::Future) if word.starts_with("20") => {
                    self.found.note(Flaw::Birth(BirthError::Future));
                    return 1;
                }
                Err(_) => {}
            },
            _ => {}
        }
        if let Some(count) = grouped(words, 12) {
            return self.personal(&words[..count].concat(), count);
        }
        // Nine digits may be the beginning of a longer number that was cut.
        if let Some(count) = grouped(words, 9).filter(|count| stands_alone(&words[*count..])) {
            return self.old(&words[..count].concat(), count);
        }
        self.spaced_date(words)
    }

    /// `1 2 1990`.
    fn spaced_date(&mut self, words: &[String]) -> usize {
        let [day, month, year, ..] = words else { return 0 };
        if day.len() > 2 || month.len() > 2 || year.len() != 4 {
            return 0;
        }
        self.day(day, month, year);
        3
    }

    fn personal(&mut self, digits: &str, words: usize) -> usize {
        let id = PersonalId::parse(digits).ok();
        if self.found.personal_id.is_some_and(|known| Some(known) != id) {
            self.found.note(Flaw::TwoIds);
        }
        self.found.personal_id = self.found.personal_id.or(id);
        words
    }

    fn old(&mut self, digits: &str, words: usize) -> usize {
        let id = OldId::parse(digits).ok();
        if self.found.old_id.is_some_and(|known| Some(known) != id) {
            self.found.note(Flaw::TwoIds);
        }
        self.found.old_id = self.found.old_id.or(id);
        words
    }

    /// A word of digits and signs: `1/2/1990`, `1990-02-01`, `2/1990`.
    fn date(&mut self, word: &str) {
        let parts: Vec<&str> = word.split(['/', '.', '-']).collect();
        let digits = parts.iter().all(|p| p.bytes().all(|b| b.is_ascii_digit()));
        let sizes: Vec<usize> = parts.iter().map(|p| p.len()).collect();
        match (sizes.as_slice(), parts.as_slice()) {
            ([1 | 2, 1 | 2, 4], [day, month, year]) if digits => self.day(day, month, year),
            ([4, 1 | 2, 1 | 2], [year, month, day]) if digits => self.day(day, month, year),
            ([1 | 2, 4], _) if digits => self.found.note(Flaw::MonthOnly),
            _ => {
                let count = word.chars().filter(char::is_ascii_digit).count();
                if count >= LONG_NUMBER {
                    self.found.note(Flaw::Digits(count));
                } else {
                    self.found.note(Flaw::Number);
                }
            }
        }
    }

    fn day(&mut self, day: &str, month: &str, year: &str) {
        match BirthDate::parse_day(&format!("{year}-{month:0>2}-{day:0>2}"), self.today) {
            Ok(birth) => self.births.push(birth),
            Err(error) => self.found.note(Flaw::Birth(error)),
        }
    }

    fn finish(mut self) -> Scanned {
        self.birth();
        self.name();
        if self.found.flaws.contains(&Flaw::TwoIds) {
            (self.found.personal_id, self.found.old_id) = (None, None);
        }
        self.found
    }

    /// The date wins over its own year beside it.
    fn birth(&mut self) {
        let full = |b: &&BirthDate| matches!(b, BirthDate::Day(_));
        let best = self.births.iter().find(full).or(self.births.first()).copied();
        let Some(best) = best else { return };
        let same = |b: &BirthDate| *b == best || *b == BirthDate::Year(best.year());
        if self.births.iter().all(same) {
            self.found.birth = Some(best);
        } else {
            self.found.note(Flaw::TwoBirths);
        }
    }

    /// The one piece of letters that can be a name. Where several can, none is taken.
    fn name(&mut self) {
        let mut names = std::mem::take(&mut self.names);
        if names.len() > 1 {
            names.retain(|(text, numbers)| !numbers && !others::is_known(text));
            names.dedup_by_key(|(text, _)| fold(text));
            if names.is_empty() {
                self.found.note(Flaw::Name);
            }
        }
        match names.as_slice() {
            [] => {}
            [(text, numbers)] => match FullName::parse(text) {
                Ok(_) if *numbers => self.found.note(Flaw::Number),
                Ok(name) => self.found.name = Some(name),
                Err(_) => self.found.note(Flaw::Name),
            },
            _ => self.found.note(Flaw::TwoNames),
        }
    }
}

/// Digits, perhaps grouped by full stops as ids are; a date with full stops is none.
fn is_number(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    if digits == 0 || !word.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return false;
    }
    !word.contains('.') || matches!(digits, 9 | 12)
}

/// Whether what follows a group of digits is a number of its own.
fn stands_alone(rest: &[String]) -> bool {
    let sizes: Vec<usize> = rest.iter().take(3).map(String::len).collect();
    matches!(sizes.as_slice(), [] | [4 | 8 | 12, ..] | [1 | 2, 1 | 2, 4])
}

/// How many words together have so many digits.
fn grouped(words: &[String], digits: usize) -> Option<usize> {
    let mut sum = 0;
    for (at, word) in words.iter().enumerate() {
        sum += word.len();
        if sum >= digits {
            return (sum == digits).then_some(at + 1);
        }
    }
    None
}
