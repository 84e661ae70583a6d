//! One-time codes by time (RFC 6238): which step is accepted, never one twice. Whoever computes
//! codes says which step the code matched; what is accepted is decided here, by the machine's
//! clock (contract, "Clocks").

use super::MachineTime;
use super::reasons::PortalReason;

/// Length of a step, ms (RFC 6238, default X = 30 s).
pub const STEP_MS: i64 = 30_000;

/// Steps before and after the current one that are accepted: a phone may be half a minute off,
/// and typing takes time. Three codes of 10^6 are good at a time.
pub const WINDOW: i64 = 1;

/// A step: the number of 30-second intervals since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Step(pub i64);

impl Step {
    /// The step of an instant.
    pub const fn at(now: MachineTime) -> Self {
        Self(now.0.div_euclid(STEP_MS))
    }

    /// The steps whose codes are worth comparing: those of the window that are later than the last
    /// one accepted. All of them are compared, so that the time taken does not tell which matched.
    pub fn candidates(last: Option<Self>, now: MachineTime) -> impl Iterator<Item = Self> {
        let current = Self::at(now).0;
        let window = current.saturating_sub(WINDOW)..=current.saturating_add(WINDOW);
        window.map(Self).filter(move |step| last.is_none_or(|l| *step > l))
    }
}

/// Accepts the step that a code matched, or not; the step to store as the last one accepted, in
/// the transaction that lets the person in.
///
/// # Errors
/// [`PortalReason::WrongCode`]: outside the window, or not later than the last one. After the
/// machine's clock went back the codes of the repeated time stay used.
pub fn accept(last: Option<Step>, matched: Step, now: MachineTime) -> Result<Step, PortalReason> {
    Step::candidates(last, now).find(|step| *step == matched).ok_or(PortalReason::WrongCode)
}

/// A code as typed: six digits, blanks between them allowed. Debug output never shows it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct OneTimeCode(u32);

impl OneTimeCode {
    /// Digits of a code.
    pub const DIGITS: usize = 6;
    /// Characters that are read at all: a code with a blank around each digit.
    const TYPED_MAX: usize = 3 * Self::DIGITS;

    /// Parses.
    ///
    /// # Errors
    /// [`PortalReason::WrongCode`], for an empty one too: it is no code.
    pub fn parse(text: &str) -> Result<Self, PortalReason> {
        if text.len() > Self::TYPED_MAX {
            return Err(PortalReason::WrongCode);
        }
        let (mut number, mut digits) = (0, 0);
        for byte in text.bytes().filter(|b| *b != b' ') {
            if !byte.is_ascii_digit() {
                return Err(PortalReason::WrongCode);
            }
            number = number * 10 + u32::from(byte - b'0');
            digits += 1;
            if digits > Self::DIGITS {
                return Err(PortalReason::WrongCode);
            }
        }
        if digits == Self::DIGITS { Ok(Self(number)) } else { Err(PortalReason::WrongCode) }
    }

    /// The number, below 10^6.
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl std::fmt::Debug for OneTimeCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OneTimeCode(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-02T00:00:00Z, the first millisecond of a step.
    const NOW: MachineTime = MachineTime(1_772_409_600_000);

    #[test]
    fn rule_e2_a_step_is_accepted_once() {
        let now = Step::at(NOW);
        let stored = accept(None, now, NOW).unwrap();
        assert_eq!(accept(Some(stored), now, NOW), Err(PortalReason::WrongCode));
        let next = NOW.plus_ms(STEP_MS);
        assert_eq!(accept(Some(stored), now, next), Err(PortalReason::WrongCode));
        assert_eq!(accept(Some(stored), Step(now.0 + 1), NOW), Ok(Step(now.0 + 1)));
        // An earlier one of the window is used too once a later one was.
        assert_eq!(accept(Some(now), Step(now.0 - 1), NOW), Err(PortalReason::WrongCode));
    }

    #[test]
    fn rule_e2_clock_skew() {
        let now = Step::at(NOW).0;
        for (off, good) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            assert_eq!(accept(None, Step(now + off), NOW).is_ok(), good, "{off}");
        }
        // The last millisecond of a step, and the first of the next.
        assert_eq!(Step::at(NOW.plus_ms(STEP_MS - 1)).0, now);
        assert_eq!(Step::at(NOW.plus_ms(STEP_MS)).0, now + 1);
        assert_eq!(Step::at(MachineTime(-1)).0, -1);
    }

    #[test]
    fn after_the_clock_went_back_used_codes_stay_used() {
        let later = Step::at(NOW.plus_ms(10 * STEP_MS));
        assert_eq!(Step::candidates(Some(later), NOW).count(), 0);
        assert_eq!(Step::candidates(None, NOW).count(), 3);
        assert_eq!(Step::candidates(None, MachineTime(i64::MAX)).count(), 3);
    }

    #[test]
    fn codes_are_six_digits() {
        assert_eq!(OneTimeCode::parse("012 345").unwrap().number(), 12_345);
        assert_eq!(OneTimeCode::parse(" 0 1 2 3 4 5 ").unwrap().number(), 12_345);
        for text in
            ["", "      ", "12345", "1234567", "12345a", "-12345", "１２３４５６", "000000\n"]
        {
            assert_eq!(OneTimeCode::parse(text), Err(PortalReason::WrongCode), "{text:?}");
        }
        assert_eq!(format!("{:?}", OneTimeCode::parse("123456").unwrap()), "OneTimeCode(***)");
    }
}
