//! What a person proves with besides the password: factors, recovery codes, enrolled devices, and
//! the head's word for somebody who lost theirs (E2).

use super::reasons::PortalReason;
use super::{CLOCKS_DIFFER_MS, Epoch, PersonId};
use crate::moment::{DAY_MS, HOUR_MS, Hours, Moment};

/// Recovery codes of a set: ten fit on a slip of paper, and one a month lasts most of a year
/// (*ours*).
pub const RECOVERY_CODES: u8 = 10;

/// A person is reminded to make new codes when so many or fewer are left (*ours*).
pub const RECOVERY_CODES_LOW: u8 = 3;

/// Within this time after the head vouched a new factor is enrolled, ms (*ours*).
pub const VOUCHER_MS: i64 = DAY_MS;

/// Devices that one person may have enrolled: a desk, a counter, a laptop, two spare (*ours*).
pub const DEVICES_MAX: usize = 5;

/// A device on which nobody signed in for so long is forgotten, ms (*ours*): twice the 45 days
/// after which an idle account is disabled.
pub const DEVICE_IDLE_MS: i64 = 90 * DAY_MS;

/// Kinds of second factor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum FactorKind {
    /// Mã một lần theo thời gian, from an application on a phone (RFC 6238).
    Totp = 0,
    /// Khóa truy cập: WebAuthn with user verification, on a phone or in the office PC.
    Passkey = 1,
    /// Khóa bảo mật phần cứng: WebAuthn, a thing to plug in.
    SecurityKey = 2,
    /// Mã khôi phục: printed, once each. It stands in for a factor, it is none to enrol first.
    RecoveryCode = 3,
}

impl FactorKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Totp, Self::Passkey, Self::SecurityKey, Self::RecoveryCode];

    /// Whether it works without a phone: one such factor must exist (E2).
    pub const fn without_phone(self) -> bool {
        !matches!(self, Self::Totp)
    }
}

/// A set of kinds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Kinds(u8);

impl Kinds {
    /// None.
    pub const NONE: Self = Self(0);

    /// What can be enrolled; two of them need no phone.
    pub const ENROLLABLE: Self =
        Self::NONE.with(FactorKind::Totp).with(FactorKind::Passkey).with(FactorKind::SecurityKey);

    /// With one more.
    #[must_use]
    pub const fn with(self, kind: FactorKind) -> Self {
        Self(self.0 | 1 << kind as u8)
    }

    /// Whether it is in the set.
    pub const fn contains(self, kind: FactorKind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    /// Whether nothing is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The kinds, in order.
    pub fn iter(self) -> impl Iterator<Item = FactorKind> {
        FactorKind::ALL.into_iter().filter(move |k| self.contains(*k))
    }
}

/// What a person has enrolled.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Factors {
    /// Kinds of which at least one is enrolled; recovery codes are not named here.
    pub enrolled: Kinds,
    /// The recovery codes.
    pub recovery: RecoveryCodes,
}

impl Factors {
    /// Kinds that can be asked for now. Recovery codes help who has a factor that is not at hand;
    /// alone, after every factor was lost, they are not enough (E2: the head vouches).
    pub fn usable(self) -> Kinds {
        let enrolled = Kinds(self.enrolled.0 & Kinds::ENROLLABLE.0);
        let spare = !enrolled.is_empty() && self.recovery.left() > 0;
        if spare { enrolled.with(FactorKind::RecoveryCode) } else { enrolled }
    }
}

/// Which codes of the set are still good. Before a set is made none is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct RecoveryCodes {
    good: u16,
}

impl RecoveryCodes {
    /// A new set; the old one is void.
    pub const fn issued() -> Self {
        Self { good: (1 << RECOVERY_CODES) - 1 }
    }

    /// From the store: bit n = code n is good. Bits beyond the set do not count.
    pub const fn from_bits(bits: u16) -> Self {
        Self { good: bits & Self::issued().good }
    }

    /// For the store.
    pub const fn bits(self) -> u16 {
        self.good
    }

    /// Codes left.
    pub const fn left(self) -> u8 {
        self.good.count_ones() as u8
    }

    /// Uses the code that matched, 0-9.
    ///
    /// # Errors
    /// [`PortalReason::RecoveryCodeUsed`]; for a number beyond the set
    /// [`PortalReason::WrongCode`].
    pub const fn redeem(self, code: u8) -> Result<Self, PortalReason> {
        if code >= RECOVERY_CODES {
            return Err(PortalReason::WrongCode);
        }
        if self.good & (1 << code) == 0 {
            return Err(PortalReason::RecoveryCodeUsed);
        }
        Ok(Self { good: self.good & !(1 << code) })
    }
}

/// A device that a person enrolled: one second factor a working day is enough on it (E2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Device {
    /// Whose.
    pub person: PersonId,
    /// The epoch it was enrolled in, carried on only by acts of the person on this very device
    /// ([`Account::password_changed`](super::account::Account::password_changed)).
    pub epoch: Epoch,
    /// The last sign-in on it, by the product's clock.
    pub used: Moment,
    /// When a second factor was last given on it, by the product's clock.
    pub mfa: Option<Moment>,
}

impl Device {
    /// Whether it counts as known: this person's, of this epoch, not idle for too long.
    pub fn is_known(&self, person: PersonId, epoch: Epoch, at: Moment) -> bool {
        self.person == person && self.epoch == epoch && at.0 - self.used.0 < DEVICE_IDLE_MS
    }

    /// Whether a second factor was given on it on the same working day: the duty day, 07:00 to
    /// 07:00 (D1), so that a night shift is one. A day off is a day of its own: what was given
    /// before Tết does not hold during it.
    pub fn mfa_today(&self, hours: &Hours, at: Moment) -> bool {
        self.mfa.is_some_and(|mfa| {
            mfa.0 - at.0 <= CLOCKS_DIFFER_MS && hours.duty(mfa).day == hours.duty(at).day
        })
    }

    /// After a sign-in on it; `mfa`: a second factor was given.
    #[must_use]
    pub fn signed_in(self, epoch: Epoch, at: Moment, mfa: bool) -> Self {
        Self { epoch, used: at, mfa: if mfa { Some(at) } else { self.mfa }, ..self }
    }
}

/// How the head made sure who stood there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum SeenInPerson {
    /// Thẻ căn cước.
    CitizenCard = 0,
    /// Thẻ cán bộ, công chức, giấy chứng minh của ngành.
    ServiceCard = 1,
    /// Known to the head from daily work.
    KnownInPerson = 2,
}

impl SeenInPerson {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::CitizenCard, Self::ServiceCard, Self::KnownInPerson];

    /// The word in forms and in entries of the journal.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CitizenCard => "citizenCard",
            Self::ServiceCard => "serviceCard",
            Self::KnownInPerson => "known",
        }
    }
}

/// The head's word, given in person, that somebody lost a factor and may enrol a new one (E2).
/// There is no other way: no question, no mail, no telephone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Voucher {
    person: PersonId,
    by: PersonId,
    at: Moment,
    seen: SeenInPerson,
}

impl Voucher {
    /// Vouches. Whether `by` may is [`Power::VouchForFactor`](super::powers::Power), with a fresh
    /// factor.
    ///
    /// # Errors
    /// [`PortalReason::OwnVoucher`].
    pub fn given(
        person: PersonId,
        by: PersonId,
        at: Moment,
        seen: SeenInPerson,
    ) -> Result<Self, PortalReason> {
        if person == by {
            return Err(PortalReason::OwnVoucher);
        }
        Ok(Self { person, by, at, seen })
    }

    /// Who vouched, when by the product's clock, and how identity was made sure of.
    pub const fn word(&self) -> (PersonId, Moment, SeenInPerson) {
        (self.by, self.at, self.seen)
    }

    /// Whether it still holds for the person.
    ///
    /// # Errors
    /// [`PortalReason::FactorMissing`] for somebody else's or one of the future;
    /// [`PortalReason::VoucherExpired`] after 24 hours.
    pub fn holds(&self, person: PersonId, at: Moment) -> Result<(), PortalReason> {
        if self.person != person || self.at.0 - at.0 > CLOCKS_DIFFER_MS {
            return Err(PortalReason::FactorMissing);
        }
        if at.0 - self.at.0 >= VOUCHER_MS { Err(PortalReason::VoucherExpired) } else { Ok(()) }
    }

    /// Spends it on one enrolment: a voucher is consumed, so none is used twice.
    ///
    /// # Errors
    /// As [`Voucher::holds`].
    pub fn spend(self, person: PersonId, at: Moment) -> Result<Signed, PortalReason> {
        self.holds(person, at).map(|()| Signed { by: self.by, at: self.at, seen: self.seen })
    }
}

/// A spent voucher, for the journal entry of the enrolment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signed {
    /// Who vouched.
    pub by: PersonId,
    /// When.
    pub at: Moment,
    /// How identity was made sure of.
    pub seen: SeenInPerson,
}

/// The texts name the time in hours.
const _: () = assert!(VOUCHER_MS == 24 * HOUR_MS);

#[cfg(test)]
mod tests {
    use super::*;

    const ME: PersonId = PersonId(7);
    const HEAD: PersonId = PersonId(1);

    fn at(text: &str) -> Moment {
        Moment::parse_rfc3339(text).unwrap()
    }

    fn hours() -> Hours {
        Hours { from_minute: 420, to_minute: 1080, weekends_off: true, off_days: vec![] }
    }

    #[test]
    fn rule_e2_a_factor_without_a_phone_exists() {
        assert!(Kinds::ENROLLABLE.iter().filter(|k| k.without_phone()).count() >= 2);
        assert!(!Kinds::ENROLLABLE.contains(FactorKind::RecoveryCode));
        assert!(!FactorKind::Totp.without_phone());
    }

    #[test]
    fn rule_e2_recovery_codes_work_once_each() {
        let mut codes = RecoveryCodes::issued();
        assert_eq!(codes.left(), 10);
        assert_eq!(RecoveryCodes::default().left(), 0);
        for n in 0..RECOVERY_CODES {
            codes = codes.redeem(n).unwrap();
            assert_eq!(codes.redeem(n), Err(PortalReason::RecoveryCodeUsed));
            assert_eq!(codes.left(), 9 - n);
            assert_eq!(RecoveryCodes::from_bits(codes.bits()), codes);
        }
        assert_eq!(codes.redeem(10), Err(PortalReason::WrongCode));
        assert_eq!(codes.redeem(255), Err(PortalReason::WrongCode));
        assert_eq!(RecoveryCodes::from_bits(u16::MAX).left(), 10);
    }

    #[test]
    fn rule_e2_recovery_codes_alone_are_not_a_factor() {
        let mut factors = Factors { enrolled: Kinds::NONE, recovery: RecoveryCodes::issued() };
        assert!(factors.usable().is_empty());
        factors.enrolled = Kinds::NONE.with(FactorKind::Totp);
        assert!(factors.usable().contains(FactorKind::RecoveryCode));
        factors.recovery = RecoveryCodes::default();
        assert_eq!(factors.usable(), Kinds::NONE.with(FactorKind::Totp));
    }

    #[test]
    fn rule_e2_one_factor_per_working_day() {
        let device =
            |mfa: &str| Device { person: ME, epoch: Epoch(1), used: at(mfa), mfa: Some(at(mfa)) };
        let mut hours = hours();
        hours.off_days = vec![jiff::civil::date(2026, 2, 16), jiff::civil::date(2026, 2, 17)];
        for (mfa, now, holds) in [
            ("2026-03-02T07:00:00+07:00", "2026-03-02T17:59:00+07:00", true),
            // Midnight is no edge: a night shift is one working day.
            ("2026-03-02T19:00:00+07:00", "2026-03-03T00:00:00+07:00", true),
            ("2026-03-02T19:00:00+07:00", "2026-03-03T06:59:59.999+07:00", true),
            ("2026-03-02T19:00:00+07:00", "2026-03-03T07:00:00+07:00", false),
            ("2026-03-03T06:59:59.999+07:00", "2026-03-03T07:00:00+07:00", false),
            // Month end, leap day.
            ("2028-02-29T08:00:00+07:00", "2028-02-29T16:00:00+07:00", true),
            ("2028-02-29T08:00:00+07:00", "2028-03-01T08:00:00+07:00", false),
            ("2026-04-30T22:00:00+07:00", "2026-05-01T02:00:00+07:00", true),
            // The last day before Tết Bính Ngọ, Tết, the weekend: each a day of its own.
            ("2026-02-13T08:00:00+07:00", "2026-02-16T08:00:00+07:00", false),
            ("2026-02-16T08:00:00+07:00", "2026-02-17T08:00:00+07:00", false),
            ("2026-02-17T08:00:00+07:00", "2026-02-17T15:00:00+07:00", true),
            ("2026-03-06T16:00:00+07:00", "2026-03-07T08:00:00+07:00", false),
            // A factor of the future is none, but for what two nodes' clocks may differ.
            ("2026-03-02T09:00:04+07:00", "2026-03-02T09:00:00+07:00", true),
            ("2026-03-02T09:00:05+07:00", "2026-03-02T09:00:00+07:00", false),
        ] {
            assert_eq!(device(mfa).mfa_today(&hours, at(now)), holds, "{mfa} {now}");
        }
    }

    #[test]
    fn devices_are_forgotten() {
        let used = at("2026-03-02T08:00:00+07:00");
        let device = Device { person: ME, epoch: Epoch(3), used, mfa: None };
        assert!(device.is_known(ME, Epoch(3), used.plus_ms(DEVICE_IDLE_MS - 1)));
        assert!(!device.is_known(ME, Epoch(3), used.plus_ms(DEVICE_IDLE_MS)));
        assert!(!device.is_known(ME, Epoch(4), used));
        assert!(!device.is_known(HEAD, Epoch(3), used));
        let later = used.plus_ms(5);
        let without = device.signed_in(Epoch(4), later, false);
        assert_eq!((without.epoch, without.used, without.mfa), (Epoch(4), later, None));
        assert_eq!(without.signed_in(Epoch(4), later, true).mfa, Some(later));
    }

    #[test]
    fn rule_e2_the_head_vouches_in_person_for_24_hours() {
        let when = at("2026-12-31T10:00:00+07:00");
        let seen = SeenInPerson::CitizenCard;
        assert_eq!(Voucher::given(ME, ME, when, seen), Err(PortalReason::OwnVoucher));
        let voucher = Voucher::given(ME, HEAD, when, seen).unwrap();
        assert_eq!(voucher.word(), (HEAD, when, seen));
        assert_eq!(voucher.holds(ME, at("2027-01-01T09:59:59.999+07:00")), Ok(()));
        let late = at("2027-01-01T10:00:00+07:00");
        assert_eq!(voucher.holds(ME, late), Err(PortalReason::VoucherExpired));
        assert_eq!(voucher.spend(ME, late), Err(PortalReason::VoucherExpired));
        assert_eq!(voucher.holds(PersonId(8), when), Err(PortalReason::FactorMissing));
        assert_eq!(voucher.holds(ME, when.plus_ms(-5_000)), Err(PortalReason::FactorMissing));
        assert_eq!(voucher.spend(ME, when), Ok(Signed { by: HEAD, at: when, seen }));
    }
}
