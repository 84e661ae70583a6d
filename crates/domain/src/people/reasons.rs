//! Why a sign-in does not go on, or a power is not given: one sentence in Vietnamese, the rule,
//! and what to do (A3).
//!
//! To add a reason: add its row here, and a test that reaches it.

use crate::rule::RuleId;

/// What a reason looks like on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Answer {
    /// HTTP 401: sign in.
    SignIn,
    /// HTTP 403.
    Forbidden,
    /// HTTP 409: somebody else has to do it.
    Conflict,
    /// HTTP 422: the person can mend it in the form.
    Input,
    /// HTTP 429: later, with Retry-After.
    Later,
    /// HTTP 503: we are busy, with Retry-After.
    Busy,
}

impl Answer {
    /// The HTTP status.
    pub const fn http_status(self) -> u16 {
        match self {
            Self::SignIn => 401,
            Self::Forbidden => 403,
            Self::Conflict => 409,
            Self::Input => 422,
            Self::Later => 429,
            Self::Busy => 503,
        }
    }
}

/// The texts of a reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PortalText {
    /// The rule.
    pub rule: RuleId,
    /// Kind of answer.
    pub answer: Answer,
    /// One sentence in Vietnamese.
    pub text_vi: &'static str,
    /// The same in English.
    pub text: &'static str,
    /// What to do, in Vietnamese.
    pub what_to_do_vi: &'static str,
    /// What to do, in English.
    pub what_to_do: &'static str,
}

macro_rules! texts {
    ($($(#[$doc:meta])* $reason:ident = $number:literal: $rule:ident $answer:ident
        $vi:literal, $en:literal, $do_vi:literal, $do_en:literal;
    )*) => {
        /// Why not.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum PortalReason { $($(#[$doc])* $reason = $number),* }

        impl PortalReason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$reason),*];

            /// Rule, kind and texts.
            pub const fn text(self) -> PortalText {
                match self {
                    $(Self::$reason => PortalText {
                        rule: RuleId::$rule, answer: Answer::$answer,
                        text_vi: $vi, text: $en, what_to_do_vi: $do_vi, what_to_do: $do_en,
                    },)*
                }
            }

            /// Its name in journal entries.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$reason => stringify!($reason)),* }
            }
        }
    };
}
texts! {
    /// Unknown login, wrong password, revoked account: the three look alike.
    WrongCredentials = 1: E2 SignIn
        "Tên đăng nhập hoặc mật khẩu không đúng.",
        "The login or the password is not right.",
        "Kiểm tra lại cả hai rồi thử lại; quên mật khẩu thì nhờ thủ trưởng đơn vị đặt lại.",
        "Check both and try again; if the password is forgotten, the head of the unit resets it.";
    /// Wrong, empty, used or stale code.
    WrongCode = 2: E2 SignIn
        "Mã xác thực không đúng, đã dùng hoặc đã hết hạn.",
        "The code is not right, was used, or is too old.",
        "Chờ mã kế tiếp rồi nhập lại; nếu vẫn sai, đặt giờ điện thoại về chế độ tự động.",
        "Wait for the next code; if it fails again, set the phone's clock to automatic.";
    /// Too many failures of this login from here.
    TooSoon = 3: C5 Later
        "Đăng nhập sai nhiều lần nên phải chờ trước khi thử lại.",
        "After several failed sign-ins you have to wait before the next try.",
        "Chờ hết số giây hiện trên trang; máy đã đăng ký hoặc khóa truy cập thì vào được ngay.",
        "Wait for the seconds shown; an enrolled device or a passkey gets in at once.";
    /// A captcha has to be solved first.
    CaptchaNeeded = 4: C5 Later
        "Cần xác nhận không phải máy tự động trước khi đăng nhập.",
        "Please show that you are not a program before you sign in.",
        "Bấm ô xác nhận rồi gửi lại; máy đã đăng ký không phải làm bước này.",
        "Tick the box and send again; an enrolled device is not asked.";
    /// The bounded pool of password checks is full.
    Busy = 5: C5 Busy
        "Nhiều người đang đăng nhập cùng lúc nên chưa xử lý được.",
        "Many people are signing in just now.",
        "Chờ hết số giây hiện trên trang rồi gửi lại; lần này không tính là đăng nhập sai.",
        "Send again after the seconds shown; this try does not count as a failure.";
    /// The page of a sign-in in progress is too old, or was not made for this browser.
    SignInExpired = 6: E2 SignIn
        "Lượt đăng nhập này đã quá thời hạn hoặc không thuộc trình duyệt này.",
        "This sign-in took too long, or began in another browser.",
        "Bắt đầu đăng nhập lại từ đầu.",
        "Begin again with the login.";

    /// Suspended by the head.
    SuspendedByHead = 10: E3 Forbidden
        "Tài khoản đang tạm ngừng theo quyết định của thủ trưởng đơn vị.",
        "The head of the unit has suspended the account.",
        "Hỏi thủ trưởng đơn vị để được mở lại.",
        "Ask the head of the unit to end the suspension.";
    /// Suspended because the list was not confirmed.
    SuspendedUnreviewed = 11: B9 Forbidden
        "Tài khoản đang tạm ngừng vì chưa được rà soát, xác nhận trong kỳ.",
        "The account is suspended because it was not confirmed in the review.",
        "Nhờ thủ trưởng đơn vị xác nhận tài khoản trong danh sách rà soát.",
        "Ask the head of the unit to confirm it in the review.";
    /// Suspended because the training lapsed and the profile says so.
    SuspendedUntrained = 12: E5 Forbidden
        "Tài khoản đang tạm ngừng vì quá hạn tập huấn định kỳ.",
        "The account is suspended because the periodic training has lapsed.",
        "Hoàn thành tập huấn; thủ trưởng đơn vị ghi nhận là tài khoản hoạt động lại ngay.",
        "Complete the training; once recorded, the account works again at once.";
    /// Suspended by the centre.
    SuspendedByCentre = 27: E3 Forbidden
        "Tài khoản đang tạm ngừng theo quyết định của Trung tâm.",
        "The centre has suspended the account.",
        "Nhờ thủ trưởng đơn vị hỏi Trung tâm theo số hỗ trợ ở cuối trang.",
        "Ask the head of the unit to call the centre.";
    /// A security lock by a named act or a detector.
    LockedForSecurity = 13: D6 Forbidden
        "Tài khoản đang bị khóa vì lý do an ninh.",
        "The account is locked for security.",
        "Nhờ thủ trưởng đơn vị gọi số hỗ trợ ở cuối trang để khiếu nại.",
        "Ask the head of the unit to call the centre, who can appeal.";
    /// Not used for so long that it was disabled.
    DisabledIdle = 14: E2 Forbidden
        "Tài khoản bị vô hiệu vì lâu không sử dụng.",
        "The account was disabled because it was not used for a long time.",
        "Nhờ thủ trưởng đơn vị mở lại tài khoản.",
        "Ask the head of the unit to re-enable it.";
    /// The invitation was not taken up in time.
    InvitationExpired = 15: E2 Forbidden
        "Lời mời kích hoạt tài khoản đã hết hạn.",
        "The invitation to this account has expired.",
        "Nhờ thủ trưởng đơn vị gửi lại lời mời.",
        "Ask the head of the unit for a new invitation.";
    /// No factor is enrolled and nobody has vouched.
    FactorMissing = 16: E2 Forbidden
        "Tài khoản chưa có yếu tố xác thực thứ hai đang dùng được.",
        "The account has no second factor that works.",
        "Gặp trực tiếp thủ trưởng đơn vị để được xác nhận, rồi đăng ký yếu tố mới trong 24 giờ.",
        "See the head of the unit in person; enrol a new factor within 24 hours.";
    /// The head vouched, but longer ago than allowed.
    VoucherExpired = 17: E2 Forbidden
        "Đã quá 24 giờ kể từ khi thủ trưởng đơn vị xác nhận.",
        "More than 24 hours have gone by since the head vouched.",
        "Gặp lại thủ trưởng đơn vị để được xác nhận lần nữa.",
        "See the head of the unit again.";
    /// The identity provider vouches for less than needed.
    AssuranceTooLow = 18: E2 Forbidden
        "Mức định danh điện tử dùng để đăng nhập chưa đủ.",
        "The electronic identity used is not strong enough.",
        "Đăng nhập bằng tài khoản định danh điện tử mức độ 2.",
        "Sign in with an electronic identity of level 2.";
    /// Every recovery code is used, or this one is.
    RecoveryCodeUsed = 19: E2 SignIn
        "Mã khôi phục này đã được dùng.",
        "This recovery code was used before.",
        "Dùng mã khác trong danh sách, mỗi mã một lần.",
        "Use another one of the list; each works once.";

    /// The provider vouches for somebody who has no account of this kind here, or a revoked one.
    IdentityUnknown = 20: E2 Forbidden
        "Không có tài khoản cán bộ nào mang số định danh này.",
        "No staff account has this personal id.",
        "Nhờ thủ trưởng đơn vị ghi số định danh vào tài khoản, hoặc đăng nhập bằng mật khẩu.",
        "Ask the head of the unit to enter the id in the account, or sign in with the password.";
    /// More than one account has the personal id: which one is meant is not guessed.
    IdentityTwice = 21: E1 Conflict
        "Có hơn một tài khoản cán bộ mang số định danh này.",
        "More than one staff account has this personal id.",
        "Đăng nhập bằng tên đăng nhập và mật khẩu của tài khoản cần dùng.",
        "Sign in with the login and password of the account that is needed.";
    /// An organisation's electronic identity names nobody.
    IdentityOrganisation = 22: E1 Forbidden
        "Tài khoản định danh điện tử của tổ chức không dùng để đăng nhập ở đây.",
        "An organisation's electronic identity does not sign in here.",
        "Đăng nhập bằng tài khoản định danh điện tử của cá nhân.",
        "Sign in with the electronic identity of a person.";
    /// What came back from the provider is not what was asked for, or not from the provider.
    IdentityFailed = 23: E2 SignIn
        "Không xác nhận được kết quả do nơi định danh điện tử gửi về.",
        "What the identity provider sent back could not be verified.",
        "Bắt đầu đăng nhập lại từ đầu; nếu vẫn vậy, gọi số hỗ trợ ở cuối trang.",
        "Begin the sign-in again; if it fails again, call support.";
    /// The person stopped at the provider.
    IdentityDeclined = 24: E2 SignIn
        "Việc đăng nhập đã dừng tại nơi định danh điện tử.",
        "The sign-in was stopped at the identity provider.",
        "Bắt đầu lại, hoặc chọn cách đăng nhập khác.",
        "Begin again, or sign in another way.";
    /// The provider does not answer, or not in time.
    IdentityUnavailable = 25: C5 Busy
        "Nơi định danh điện tử hiện không trả lời.",
        "The identity provider does not answer at the moment.",
        "Thử lại sau ít phút; cán bộ đăng nhập được ngay bằng mật khẩu hoặc khóa truy cập.",
        "Try again in a few minutes; staff can sign in with password or passkey at once.";
    /// The provider's name or birth date is not the registry's, or the registry has no such person.
    IdentityDiffers = 26: G3 Forbidden
        "Họ tên hoặc ngày sinh của tài khoản định danh điện tử không khớp với dữ liệu dân cư.",
        "Name or birth date of the electronic identity are not those of the population data.",
        "Mang thẻ căn cước đến công an cấp xã nơi cư trú để được kiểm tra, điều chỉnh.",
        "Take the citizen card to the police of the commune, who check and correct the record.";

    /// Shorter than the profile says.
    PasswordTooShort = 30: E2 Input
        "Mật khẩu mới quá ngắn.",
        "The new password is too short.",
        "Dùng đủ số ký tự nêu cạnh ô nhập; một câu dài dễ nhớ thì tốt hơn.",
        "Use as many characters as the form says; a long sentence is better.";
    /// Longer than is read.
    PasswordTooLong = 31: E2 Input
        "Mật khẩu mới quá dài.",
        "The new password is too long.",
        "Dùng tối đa 128 ký tự.",
        "Use at most 128 characters.";
    /// On the list of common passwords.
    PasswordCommon = 32: E2 Input
        "Mật khẩu mới nằm trong danh sách mật khẩu dễ đoán.",
        "The new password is on the list of common ones.",
        "Chọn mật khẩu khác, không theo năm sinh, tên hay dãy phím.",
        "Choose another one, not a year, a name or a row of keys.";
    /// One of the last ones.
    PasswordReused = 33: E2 Input
        "Mật khẩu mới trùng với một trong 10 mật khẩu gần nhất.",
        "The new password is one of the last 10.",
        "Chọn mật khẩu chưa từng dùng.",
        "Choose one that was not used before.";
    /// Holds the login.
    PasswordHoldsLogin = 34: E2 Input
        "Mật khẩu mới có chứa tên đăng nhập.",
        "The new password contains the login.",
        "Chọn mật khẩu không có tên đăng nhập.",
        "Choose one without the login.";

    /// After idle time or by wish.
    ScreenLocked = 40: E2 SignIn
        "Màn hình đã khóa vì không thao tác.",
        "The screen is locked.",
        "Nhập mật khẩu hoặc dùng khóa truy cập; nội dung đang nhập vẫn còn.",
        "Enter the password or use the passkey; what you typed is kept.";
    /// The absolute end.
    SessionOver = 41: E2 SignIn
        "Phiên làm việc đã hết 12 giờ.",
        "The session has reached its 12 hours.",
        "Đăng nhập lại.",
        "Sign in again.";
    /// The same person signed in elsewhere.
    SessionReplaced = 42: E2 SignIn
        "Tài khoản vừa đăng nhập ở nơi khác nên phiên này đã kết thúc.",
        "The account signed in elsewhere, which ended this session.",
        "Đăng nhập lại nếu đó là mình; nếu không, đổi mật khẩu ngay và báo thủ trưởng đơn vị.",
        "Sign in again if that was you; if not, change the password and tell the head.";
    /// The rights changed or were revoked.
    SessionRevoked = 43: E3 SignIn
        "Phiên làm việc đã kết thúc vì quyền của tài khoản vừa thay đổi.",
        "The session ended because the rights of the account changed.",
        "Đăng nhập lại; nếu không được, hỏi thủ trưởng đơn vị.",
        "Sign in again; if that fails, ask the head of the unit.";
    /// The person left.
    SignedOut = 44: E2 SignIn
        "Đã đăng xuất.",
        "Signed out.",
        "Đăng nhập lại khi cần.",
        "Sign in again when needed.";
    /// A power that needs the second factor again.
    FreshMfaNeeded = 45: E2 SignIn
        "Việc này cần xác thực lại bằng yếu tố thứ hai.",
        "This needs the second factor again.",
        "Xác thực lại; nội dung đang làm vẫn còn.",
        "Confirm with the second factor; your work is kept.";

    /// No role gives it.
    NoPower = 60: E1 Forbidden
        "Vai trò của tài khoản không có quyền làm việc này.",
        "No role of the account gives this power.",
        "Nhờ thủ trưởng đơn vị giao vai trò nếu công việc cần.",
        "Ask the head of the unit for the role if the work needs it.";
    /// A role gives it, for other units.
    OutsideScope = 61: E1 Forbidden
        "Việc này thuộc đơn vị ngoài phạm vi được giao.",
        "This belongs to a unit outside what was given.",
        "Chuyển cho người phụ trách đơn vị đó.",
        "Pass it to who answers for that unit.";
    /// Only people on the account list see personal data in this role.
    NotOnAccountList = 62: A6 Forbidden
        "Chỉ người có tên trong danh sách tài khoản mới được xem dữ liệu cá nhân.",
        "Only people on the account list see personal data.",
        "Nhờ thủ trưởng đơn vị bổ sung vào danh sách tài khoản.",
        "Ask the head of the unit to add the account to the list.";
    /// An auditor states a ground.
    GroundMissing = 63: A6 Input
        "Cần nêu căn cứ trước khi xem dữ liệu cá nhân.",
        "A ground has to be stated before personal data is shown.",
        "Ghi số, ngày quyết định hoặc vụ việc; căn cứ được ghi vào nhật ký.",
        "Write the decision or the case; the ground is journaled.";
    /// Who asked does not decide.
    OwnRequest = 64: D8 Conflict
        "Người đề nghị không được tự duyệt đề nghị của mình.",
        "Who asks does not decide.",
        "Để người khác duyệt.",
        "Leave it to somebody else.";
    /// The second approver is the first.
    SameApprover = 65: D8 Conflict
        "Cần hai người duyệt khác nhau.",
        "Two different approvers are needed.",
        "Để người thứ hai duyệt.",
        "Leave it to a second person.";
    /// Everything that is needed was given.
    AlreadyDecided = 66: A3 Conflict
        "Việc này đã được quyết định.",
        "This was decided already.",
        "Tải lại trang để xem kết quả.",
        "Reload the page to see the outcome.";
    /// Staff would look into their own unit or themselves.
    OwnAudit = 67: F3 Forbidden
        "Không được tự kiểm tra mình hoặc đơn vị của mình.",
        "Nobody audits themselves or their own unit.",
        "Chuyển cho kiểm toán viên khác hoặc kiểm toán viên độc lập.",
        "Pass it to another or the independent auditor.";
    /// The two roles do not stand beside each other.
    RolesConflict = 68: A6 Conflict
        "Một người không được giữ đồng thời hai vai trò này.",
        "One person does not hold both roles at a time.",
        "Kết thúc vai trò kia trước, hoặc giao cho người khác.",
        "End the other role first, or give it to somebody else.";
    /// A role that stands in for another has to end.
    TermMissing = 69: E3 Input
        "Người thay phải có ngày bắt đầu và ngày kết thúc.",
        "A stand-in needs a first and a last day.",
        "Ghi đủ hai ngày, ngày kết thúc không trước ngày bắt đầu.",
        "Give both days, the last not before the first.";
    /// Wider than the role may reach.
    ScopeTooWide = 70: E1 Input
        "Phạm vi rộng hơn mức vai trò này được giao.",
        "The scope is wider than this role may reach.",
        "Chọn phạm vi hẹp hơn.",
        "Choose a narrower one.";
    /// More roles than one person can hold.
    TooManyRoles = 71: E1 Input
        "Tài khoản đã có quá nhiều vai trò.",
        "The account has too many roles.",
        "Kết thúc vai trò không còn cần rồi giao lại.",
        "End the roles that are no longer needed.";
    /// Nobody vouches for themselves.
    OwnVoucher = 72: E2 Conflict
        "Không được tự xác nhận cho mình.",
        "Nobody vouches for themselves.",
        "Nhờ thủ trưởng đơn vị cấp trên hoặc Trung tâm xác nhận trực tiếp.",
        "Ask the head of the unit above or the centre.";
    /// The account is not in a state in which this can be done.
    NotInThisState = 73: E3 Conflict
        "Trạng thái hiện tại của tài khoản không cho phép làm việc này.",
        "The account is not in a state in which this can be done.",
        "Tải lại trang để xem trạng thái hiện tại.",
        "Reload the page to see its state.";
    /// A new password and the word for a lost factor from one hand: whoever gives both could become
    /// the person.
    TwoHandsNeeded = 74: E2 Conflict
        "Cấp lại mật khẩu và xác nhận mất yếu tố cho một người trong 24 giờ cần hai người làm.",
        "A new password and the word for a lost factor within 24 hours need two people.",
        "Để thủ trưởng khác hoặc cấp phó làm việc còn lại, hoặc chờ đủ 24 giờ.",
        "Leave the other one to another head or a deputy, or wait for 24 hours.";
    /// A head would end what the centre decided.
    HeldByCentre = 75: E3 Conflict
        "Tài khoản do Trung tâm tạm ngừng nên đơn vị không tự mở lại được.",
        "The centre suspended the account; the unit does not end that.",
        "Gọi số hỗ trợ ở cuối trang, nêu quyết định tạm ngừng.",
        "Call the centre and name the decision.";
    /// A head would invite somebody whose account is locked for security.
    InviteLocked = 76: D6 Conflict
        "Tài khoản đang bị khóa vì lý do an toàn nên chưa mời vào cổng được.",
        "The account is locked for security: nobody is invited into the portal with it.",
        "Gọi số hỗ trợ ở cuối trang; Trung tâm mở khóa rồi mời.",
        "Call the centre; invite once it is unlocked.";
    /// A head would invite somebody whose account the unit suspended.
    InviteSuspended = 77: E3 Conflict
        "Tài khoản đang tạm ngừng nên chưa mời vào cổng được.",
        "The account is suspended: nobody is invited into the portal with it.",
        "Mở lại tài khoản trước, rồi mời.",
        "End the suspension first, then invite.";
}

impl PortalReason {
    /// From the number in a journal entry.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|r| *r as u8 == number)
    }

    /// The rule it cites.
    pub const fn rule(self) -> RuleId {
        self.text().rule
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn reasons_are_whole_sentences_of_their_own() {
        let texts: HashSet<_> = PortalReason::ALL.iter().map(|r| r.text().text_vi).collect();
        assert_eq!(texts.len(), PortalReason::ALL.len());
        for reason in PortalReason::ALL {
            let text = reason.text();
            assert_eq!(PortalReason::from_number(*reason as u8), Some(*reason));
            for sentence in [text.text_vi, text.text, text.what_to_do_vi, text.what_to_do] {
                assert!(sentence.ends_with('.'), "{reason:?}: {sentence}");
                assert!(!sentence.contains("  "), "{reason:?}: {sentence}");
                assert!(crate::text::composed(sentence) == sentence, "{reason:?}: not NFC");
            }
            // A Vietnamese sentence without a single mark was written without its diacritics.
            assert!(!text.text_vi.is_ascii() && !text.what_to_do_vi.is_ascii(), "{reason:?}");
            // The portal's words (portal.md): no English words, nobody called anh or chị.
            assert!(!text.text_vi.contains("anh/chị"));
        }
    }

    #[test]
    fn statuses() {
        assert_eq!(PortalReason::WrongCredentials.text().answer.http_status(), 401);
        assert_eq!(PortalReason::TooSoon.text().answer.http_status(), 429);
        assert_eq!(PortalReason::Busy.text().answer.http_status(), 503);
        assert_eq!(PortalReason::NoPower.text().answer.http_status(), 403);
        assert_eq!(PortalReason::PasswordTooShort.text().answer.http_status(), 422);
        assert_eq!(PortalReason::SameApprover.text().answer.http_status(), 409);
    }
}
