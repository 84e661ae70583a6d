//! What comes next in a sign-in, as a pure function of what is known so far (E2).
//!
//! Whoever checks passwords, codes and passkeys says what was proved; whoever counts failures has
//! let the try through ([`failures`](super::failures)). Each answer here is one page.
//!
//! **Invariant:** what an account is like is told only to who proved the password, a passkey or
//! the electronic identity; before that an unknown login gives the same steps.

use jiff::civil::Date;

use super::account::{Account, Phase, Standing};
use super::factors::{Device, FactorKind, Factors, Kinds, RECOVERY_CODES_LOW, Voucher};
use super::password::{ChangeDue, REMIND_DAYS};
use super::reasons::PortalReason;
use crate::moment::Moment;
use crate::profile::{MfaRule, Profile};

/// What was proved first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum First {
    /// Nothing yet.
    Nothing,
    /// The password, and it was wrong, or there is no such login: the two are not told apart.
    Wrong,
    /// The password.
    Password,
    /// A passkey with user verification: both factors at once.
    Passkey,
    /// An electronic identity (OpenID Connect).
    Identity {
        /// Whether its assurance level (`acr`) stands for a second factor.
        strong: bool,
    },
}

/// What is known of a sign-in so far.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The account of the login, where there is one.
    pub account: Option<&'a Account>,
    /// What the person has enrolled; nothing for an unknown login.
    pub factors: Factors,
    /// The enrolled device that it comes from, where it is this person's.
    pub device: Option<&'a Device>,
    /// The head's word for a lost factor, where given and not spent.
    pub voucher: Option<&'a Voucher>,
    /// What was proved first.
    pub first: First,
    /// The second factor that was proved.
    pub second: Option<FactorKind>,
}

/// What comes next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Ask for the password; a passkey or electronic identity may come instead.
    Password,
    /// Ask for one of these.
    SecondFactor(Kinds),
    /// A new password is needed.
    ChangePassword(ChangeDue),
    /// A factor is to be enrolled, one of these; two of them need no phone.
    Enrol {
        /// Which may be chosen.
        kinds: Kinds,
        /// Whether the head's voucher gives this, and is spent by it.
        by_voucher: bool,
    },
    /// The session may begin.
    Done(Done),
    /// It does not go on.
    Refused(PortalReason),
}

/// How the second factor was satisfied.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Second {
    /// Given in this sign-in: it is fresh.
    Given(FactorKind),
    /// The electronic identity stands for it.
    Identity,
    /// Given earlier on this working day, on this enrolled device.
    Today,
}

/// A sign-in that is complete.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Done {
    /// How the second factor was satisfied.
    pub second: Second,
    /// Whether it was the first one: the account is activated with it.
    pub activates: bool,
    /// Whether to offer to enrol this device.
    pub offer_device: bool,
    /// What to tell the person.
    pub notices: Vec<Notice>,
}

/// Something that a person is told after signing in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Notice {
    /// The password has to be changed within so many days.
    PasswordDays(i64),
    /// The training lapsed after this day (E5, profile: warn).
    TrainingLapsed(Date),
    /// So few recovery codes are left, none among them.
    RecoveryCodes(u8),
}

impl Notice {
    /// One sentence in Vietnamese.
    pub fn text_vi(self) -> String {
        match self {
            Self::PasswordDays(days) => format!("Mật khẩu còn {days} ngày là phải đổi."),
            Self::TrainingLapsed(day) => {
                format!("Đã quá hạn tập huấn định kỳ (hạn {}).", day.strftime("%d/%m/%Y"))
            }
            Self::RecoveryCodes(0) => "Không còn mã khôi phục nào; hãy tạo bộ mã mới.".to_owned(),
            Self::RecoveryCodes(left) => {
                format!("Chỉ còn {left} mã khôi phục; nên tạo bộ mã mới.")
            }
        }
    }

    /// The same in English.
    pub fn text(self) -> String {
        match self {
            Self::PasswordDays(days) => format!("The password must be changed in {days} days."),
            Self::TrainingLapsed(day) => {
                format!("The periodic training was due by {}.", day.strftime("%d/%m/%Y"))
            }
            Self::RecoveryCodes(0) => "No recovery code is left; make a new set.".to_owned(),
            Self::RecoveryCodes(left) => {
                format!("Only {left} recovery codes are left; make a new set.")
            }
        }
    }
}

/// What comes next, at an instant of the product's clock.
pub fn next_step(facts: &Facts<'_>, at: Moment, profile: &Profile) -> Step {
    // 1. Who is it? Nothing about the account is looked at before this is proved.
    match facts.first {
        First::Nothing => return Step::Password,
        First::Wrong => return Step::Refused(PortalReason::WrongCredentials),
        First::Password | First::Passkey | First::Identity { .. } => {}
    }
    let Some(account) = facts.account else {
        return Step::Refused(PortalReason::WrongCredentials);
    };

    // 2. Does anything stop the account?
    let standing = account.standing(at, profile);
    if let Some(reason) = standing.reason() {
        return Step::Refused(reason);
    }

    // 3. The second factor, or a first one.
    let second = match second(facts, account, at, profile) {
        Ok(second) => second,
        Err(Missing::Ask(kinds)) => return Step::SecondFactor(kinds),
        Err(Missing::Enrol) => return enrol(facts, account, standing, at, profile),
    };

    // 4. The password's age, where it was the password that proved.
    if let Some(due) = change_due(facts, account, at, profile) {
        return Step::ChangePassword(due);
    }
    let device = facts.device.filter(|d| d.is_known(account.person, account.epoch, at));
    Step::Done(Done {
        second,
        activates: standing == Standing::Invited,
        offer_device: device.is_none(),
        notices: notices(facts, account, at, profile),
    })
}

enum Missing {
    /// One of the enrolled factors.
    Ask(Kinds),
    /// There is none.
    Enrol,
}

fn second(
    facts: &Facts<'_>,
    account: &Account,
    at: Moment,
    profile: &Profile,
) -> Result<Second, Missing> {
    match facts.first {
        First::Passkey => return Ok(Second::Given(FactorKind::Passkey)),
        First::Identity { strong: true } => return Ok(Second::Identity),
        _ => {}
    }
    let usable = facts.factors.usable();
    // A recovery code that was just redeemed may have been the last: it counts all the same.
    let spare = FactorKind::RecoveryCode;
    let proved =
        |kind: &FactorKind| usable.contains(*kind) || (*kind == spare && !usable.is_empty());
    if let Some(kind) = facts.second.filter(proved) {
        return Ok(Second::Given(kind));
    }
    if usable.is_empty() {
        return Err(Missing::Enrol);
    }
    let once_a_day = profile.sign_in.mfa_on_enrolled_device == MfaRule::WorkingDay;
    let today = |d: &&Device| {
        d.is_known(account.person, account.epoch, at) && d.mfa_today(&profile.hours, at)
    };
    if once_a_day && facts.device.is_some_and(|d| today(&d)) {
        return Ok(Second::Today);
    }
    Err(Missing::Ask(usable))
}

/// No factor is enrolled: at the first sign-in one is, later only on the head's word.
fn enrol(
    facts: &Facts<'_>,
    account: &Account,
    standing: Standing,
    at: Moment,
    profile: &Profile,
) -> Step {
    if facts.first == (First::Identity { strong: false }) {
        // An identity of low assurance could be anybody's: it does not enrol factors.
        return Step::Refused(PortalReason::AssuranceTooLow);
    }
    let by_voucher = standing != Standing::Invited;
    if by_voucher {
        let holds = facts
            .voucher
            .map_or(Err(PortalReason::FactorMissing), |voucher| voucher.holds(account.person, at));
        if let Err(reason) = holds {
            return Step::Refused(reason);
        }
    }
    // The password that somebody else gave is changed before anything is tied to it.
    match change_due(facts, account, at, profile) {
        Some(due) => Step::ChangePassword(due),
        None => Step::Enrol { kinds: Kinds::ENROLLABLE, by_voucher },
    }
}

fn change_due(
    facts: &Facts<'_>,
    account: &Account,
    at: Moment,
    profile: &Profile,
) -> Option<ChangeDue> {
    let password = account.password.filter(|_| facts.first == First::Password)?;
    password.due(account.class, at.viet_nam_date(), &profile.sign_in)
}

fn notices(facts: &Facts<'_>, account: &Account, at: Moment, profile: &Profile) -> Vec<Notice> {
    let today = at.viet_nam_date();
    let left = account.password.filter(|p| !p.given).and_then(|p| {
        let left = p.days_left(account.class, today, &profile.sign_in);
        left.filter(|days| (1..=REMIND_DAYS).contains(days))
    });
    let lapsed = account
        .trained_until(profile)
        .filter(|_| matches!(account.phase, Phase::Open(_)))
        .filter(|until| *until < today);
    let codes = facts.factors.recovery.left();
    let few = codes <= RECOVERY_CODES_LOW && !facts.factors.enrolled.is_empty();
    let all = [
        left.map(Notice::PasswordDays),
        lapsed.map(Notice::TrainingLapsed),
        few.then_some(Notice::RecoveryCodes(codes)),
    ];
    all.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests;
