//! Passwords: how they are read, which new ones are too easy, and one-time ones for people who
//! begin or begin again (E2).
//!
//! A list of the most common passwords of the world knows little of Vietnamese habits: names
//! written without accents, telephone numbers, days of birth, `matkhau` with a year. So instead of
//! whole passwords there is a list of their parts, our own (`words.txt`), and a reading of how they
//! are put together: up to three parts, digits and signs around them, letters written as digits.
//! That covers far more than a list of that size could hold. The world's habits stand beside it in
//! a list of what leaked most often (`common.txt`), with digits and signs around.

use std::collections::HashSet;
use std::sync::LazyLock;

use dancu_domain::ids::Login;
use dancu_domain::people::password::{PASSWORD_MAX, PasswordHistory, check_new};
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::profile::SignInRaw;
use dancu_domain::text::{composed, fold};
use dancu_store::keys::random;
use dancu_store::people::Person;
use zeroize::Zeroizing;

use super::Trouble;

/// Bytes that are read at all: a character of NFC takes at most 4 bytes, and at most three times
/// as many before it is composed.
const BYTES_MAX: usize = 12 * PASSWORD_MAX;
/// Parts that an easy password is put together from: `nguyen` `ngoc` `trinh`.
const PARTS: usize = 3;
/// Digits around parts that make them no harder: a day of birth is 8.
const DIGITS: usize = 8;
/// Only digits and signs: fewer digits than this are a telephone, a day, an identity number.
const NUMBER_DIGITS: usize = 16;
/// The parts, lower case, without accents.
static WORDS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| listed(include_str!("words.txt")));
/// What leaked most often, without the digits and signs around it.
static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| listed(include_str!("common.txt")));
/// Longest part, bytes.
static LONGEST: LazyLock<usize> =
    LazyLock::new(|| WORDS.iter().map(|w| w.len()).max().unwrap_or_default());

fn listed(file: &'static str) -> HashSet<&'static str> {
    let lines = file.lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(str::split_ascii_whitespace).collect()
}

/// A password as typed, in NFC: two keyboards that write one sentence differently write one
/// password. `None`: longer than any password is.
pub(super) fn read(typed: &str) -> Option<Zeroizing<String>> {
    if typed.len() > BYTES_MAX {
        return None;
    }
    let text = Zeroizing::new(composed(typed).into_owned());
    (text.chars().count() <= PASSWORD_MAX).then_some(text)
}

/// Whether a new password may be this one, as far as its text tells. `name` is the person's.
///
/// # Errors
/// What is wrong with it, to be mended in the form.
pub fn check(
    typed: &str,
    login: &Login,
    name: &str,
    figures: &SignInRaw,
) -> Result<Zeroizing<String>, PortalReason> {
    let text = read(typed).ok_or(PortalReason::PasswordTooLong)?;
    check_new(&text, login, figures, |lower| is_easy(lower, login, name))?;
    Ok(text)
}

/// Puts a new hash into a person's secrets: the present one and the history.
pub fn set_password(person: &mut Person, phc: String) {
    let history = PasswordHistory::new(std::mem::take(&mut person.secrets.history));
    person.secrets.history = history.with(phc.clone()).hashes().to_vec();
    person.secrets.password = Some(phc);
}

// --- easy ones -----------------------------------------------------------------------------------

/// Whether a program would try it early. `lower` is in lower case.
fn is_easy(lower: &str, login: &Login, name: &str) -> bool {
    let digits = lower.chars().filter(char::is_ascii_digit).count();
    let around = |c: char| !c.is_alphabetic();
    let core = lower.trim_matches(around);
    if core.is_empty() {
        return digits < NUMBER_DIGITS;
    }
    if is_repeated(lower) || is_repeated(core) {
        return true;
    }
    let outside = digits - core.chars().filter(char::is_ascii_digit).count();
    let own = own_parts(login, name);
    let plain = letters(core);
    // `p@ssw0rd1` ends with a digit and begins with none: read as letters it is longer.
    let readings = [plain, letters(&unmasked(core)), letters(&unmasked(lower))];
    readings.iter().any(|reading| {
        let is_put_together = || !reading.is_empty() && is_of_parts(reading, &own, PARTS);
        outside <= DIGITS && (COMMON.contains(reading.as_str()) || is_put_together())
    }) || is_run(&readings[0])
}

/// Letters and digits without accents.
fn letters(text: &str) -> String {
    let mut plain = fold(text);
    plain.retain(|c| c != ' ');
    plain
}

/// Letters that were written as something that looks like them.
fn unmasked(text: &str) -> String {
    let letter = |c: char| match c {
        '@' | '4' => 'a',
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '$' | '5' => 's',
        '7' => 't',
        other => other,
    };
    text.chars().map(letter).collect()
}

/// The parts of the person's own names, and of the login: `nguyen`, `an`, `sttt`.
fn own_parts(login: &Login, name: &str) -> Vec<String> {
    let folded = login.folded();
    let of_login = folded.split(|c: char| !c.is_ascii_alphabetic()).map(str::to_owned);
    let of_name = name.split_whitespace().map(letters);
    of_login.chain(of_name).filter(|part| part.len() >= 2).collect()
}

/// Whether the text is at most so many parts, one after the other.
fn is_of_parts(text: &str, own: &[String], parts: usize) -> bool {
    if text.is_empty() {
        return true;
    }
    if parts == 0 {
        return false;
    }
    let longest = (*LONGEST).max(own.iter().map(String::len).max().unwrap_or_default());
    let ends = (1..=text.len().min(longest)).filter(|end| text.is_char_boundary(*end));
    ends.rev().any(|end| {
        let (part, rest) = text.split_at(end);
        (WORDS.contains(part) || own.iter().any(|o| o == part)) && is_of_parts(rest, own, parts - 1)
    })
}

/// Whether it is one short text again and again: `aaaaaaaa`, `abcabcabc`, `12341234`.
fn is_repeated(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let unit_max = chars.len() / 2;
    (1..=unit_max.min(4)).any(|unit| {
        let whole = chars.len() - chars.len() % unit;
        chars[..whole].chunks(unit).all(|c| *c == chars[..unit])
            && chars[whole..] == chars[..chars.len() - whole]
    })
}

/// Whether each character follows or precedes the one before: `abcdefgh`, `87654321`.
fn is_run(text: &str) -> bool {
    let steps: HashSet<i64> =
        text.as_bytes().windows(2).map(|w| i64::from(w[1]) - i64::from(w[0])).collect();
    text.len() >= 4 && (steps == HashSet::from([1]) || steps == HashSet::from([-1]))
}

// --- one-time ones -------------------------------------------------------------------------------

/// Letters and digits of which no two look alike, in any font and in handwriting.
const READABLE: &[u8; 28] = b"abcdefghjkmnpqrtwxyz23456789";
/// Characters of a one-time password, in groups of four: 57 bits, for a week at most.
const GIVEN: usize = 12;

/// A new one-time password, to be written down and typed: `kx7m-2wpr-9htc`.
pub(super) fn given() -> Result<Zeroizing<String>, Trouble> {
    let mut text = Zeroizing::new(String::with_capacity(GIVEN + GIVEN / 4));
    let mut length = 0;
    let whole = u8::MAX - u8::MAX % READABLE.len() as u8;
    while length < GIVEN {
        let mut byte = [0];
        random(&mut byte)?;
        // A byte beyond the last whole multiple would make some characters more likely.
        if byte[0] >= whole {
            continue;
        }
        if length > 0 && length % 4 == 0 {
            text.push('-');
        }
        text.push(char::from(READABLE[usize::from(byte[0]) % READABLE.len()]));
        length += 1;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dancu_domain::profile::{DEFAULT_PROFILE, Profiles};

    fn checked(text: &str) -> Result<(), PortalReason> {
        let figures = Profiles::parse(DEFAULT_PROFILE).unwrap().versions()[0].sign_in.clone();
        let login = Login::parse("thao.sttt01").unwrap();
        check(text, &login, "Đặng Thị Phương Thảo", &figures).map(drop)
    }

    #[test]
    fn rule_e2_what_programs_try_first_is_refused() {
        for text in [
            // The world's.
            "password",
            "Password1!",
            "P@ssw0rd2024",
            "qwertyuiop",
            "1qaz2wsx",
            "zaq12wsx",
            "iloveyou2",
            "letmein!!",
            "football10",
            "Admin@123",
            "welcome2026",
            "superman99",
            // Ours.
            "matkhau123",
            "MatKhau@2026",
            "m4tkh4u1",
            "anhyeuem",
            "emyeuanh1990",
            "khongbiet1",
            "vietnam2025",
            "HaNoi1010",
            "saigon1975",
            "ngoctrinh",
            "NgocTrinh95",
            "nguyenvanan1",
            "tranthihuong",
            "minhtuan1988",
            "congan113",
            "mậtkhẩu1",
            "canbo@2026",
            "123456abc",
            // Numbers: telephones, days, identity numbers, rows of keys.
            "0912345678",
            "+84 912 345 678",
            "19900101",
            "01/01/1990",
            "099123456789",
            "12345678",
            "87654321",
            "11111111",
            "1234554321",
            "!@#$%^&*",
            // Again and again, one after the other.
            "aaaaaaaa",
            "abcabcabc",
            "abcdefgh",
            "zyxwvuts",
            "xoxoxoxo1",
            // The person's own names.
            "PhuongThao90",
            "dangthao1234",
            "thithao2000",
            "sttt2026!",
        ] {
            assert_eq!(checked(text), Err(PortalReason::PasswordCommon), "{text}");
        }
        assert_eq!(checked("Thao.STTT01x"), Err(PortalReason::PasswordHoldsLogin));
        assert_eq!(checked("matkhau"), Err(PortalReason::PasswordTooShort));
    }

    #[test]
    fn rule_e2_what_people_can_keep_is_taken() {
        for text in [
            "ba con vịt qua cầu",
            "trời mưa bong bóng phập phồng",
            "xanh-lam-tím-48",
            "kx7m-2wpr-9htc",
            "Gió đưa cành trúc",
            "qK7#vR2!mZ",
            "tủ lạnh kêu to quá",
            "3 chén chè chiều thứ 7",
        ] {
            assert_eq!(checked(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn the_parts_make_far_more_than_several_thousand() {
        assert!(WORDS.len() > 600, "{}", WORDS.len());
        for word in WORDS.iter() {
            assert_eq!(letters(word), *word, "a part is lower case without accents");
        }
        // One part with the years alone.
        let login = Login::parse("khac.login").unwrap();
        let common = WORDS
            .iter()
            .filter(|w| w.len() >= 4)
            .flat_map(|w| (1960..=2026).map(move |year| format!("{w}{year}")));
        let mut n = 0;
        for text in common {
            assert!(is_easy(&text, &login, ""), "{text}");
            n += 1;
        }
        assert!(n > 20_000, "{n}");
    }

    #[test]
    fn what_leaked_most_often_is_refused_whatever_stands_around_it() {
        assert!(COMMON.len() > 20_000, "{}", COMMON.len());
        for word in ["butterfly", "slipknot", "metallica", "maverick", "corvette", "bigdaddy"] {
            for text in [format!("{word}12"), format!("!{word}2024"), word.replace('e', "3") + "#1"]
            {
                assert_eq!(checked(&text), Err(PortalReason::PasswordCommon), "{text}");
            }
        }
    }

    #[test]
    fn accents_count_and_their_spelling_does_not() {
        assert_eq!(*read("ba\u{301}").unwrap(), "bá");
        assert_ne!(*read("bá").unwrap(), "ba");
        assert_eq!(read(&"a".repeat(128)).unwrap().len(), 128);
        assert!(read(&"a".repeat(129)).is_none());
        assert!(read(&"a\u{301}".repeat(128)).is_some());
        assert!(read(&"x".repeat(1 << 20)).is_none());
    }

    #[test]
    fn given_passwords_can_be_read_aloud_and_pass_the_rules() {
        let one = given().unwrap();
        assert_eq!(one.len(), 14);
        assert!(one.bytes().all(|b| b == b'-' || READABLE.contains(&b)));
        assert!("il1o0uvs".bytes().all(|b| !READABLE.contains(&b)));
        for _ in 0..200 {
            assert_eq!(checked(&given().unwrap()), Ok(()));
        }
        assert_ne!(given().unwrap(), one);
    }
}
