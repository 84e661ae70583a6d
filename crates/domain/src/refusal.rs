//! Refusals: a reason with its rule id, a plain text and what to do (A3).
//!
//! To add a reason: add the variant, its row in [`Reason::text`], and a test that reaches it.

use crate::rule::RuleId;

/// Why a question is not answered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Reason {
    /// The connection is not live.
    ConnectionNotLive = 1,
    /// The connection is locked by D3 with scope connection.
    ConnectionLocked = 2,
    /// The group may not use this channel.
    ChannelNotAllowed = 3,
    /// Unknown, foreign or dead account: the three are indistinguishable.
    AccountUnknown = 4,
    /// The service is not registered for this system.
    ServiceNotGranted = 5,
    /// A field that was asked for is not granted.
    FieldNotGranted = 6,
    /// The procedure is unknown or out of date.
    ProcedureUnknown = 7,
    /// The procedure may not use this service.
    ProcedureWithoutService = 8,
    /// The procedure has no registered purpose.
    ProcedureWithoutPurpose = 9,
    /// The stated purpose is not the registered one.
    PurposeNotRegistered = 10,
    /// The registration requires a case code.
    CaseCodeMissing = 11,
    /// A system account asked for more than a verify.
    SystemAccountVerifiesOnly = 12,
    /// The account's functions do not include the service.
    AccountWithoutService = 13,
    /// The service has no line in this window.
    WindowNotRegistered = 14,
    /// The line's count is used up.
    LineUsedUp = 15,
    /// The line is locked.
    LineLocked = 16,
    /// The off-hours total is used up.
    OffHoursUsedUp = 17,
    /// The account's hard stop.
    AccountHardStop = 18,
    /// Too many requests at once.
    PaceRequests = 19,
    /// Too many distinct persons within a minute.
    PacePersons = 20,
    /// The job plan does not cover this.
    PlanDoesNotCover = 21,
    /// The same request id with another body.
    RequestIdConflict = 22,
    /// The question could not be read.
    InvalidInput = 23,
    /// The job plan's own count is used up.
    PlanUsedUp = 24,
    /// The operation is not offered.
    NotOffered = 25,
    /// It could not be journaled, so nothing was answered.
    CannotJournal = 26,
    /// The body is larger than allowed.
    TooLarge = 27,
    /// Too many jobs of the system are not over yet, or kept.
    JobsOpen = 28,
    /// The file of a job has too many rows or bytes.
    JobTooLarge = 29,
    /// No answer shape of provincial JSON is registered for the system.
    ShapeNotRegistered = 30,
    /// What is stored about the person asked for, or of a job, cannot be opened.
    RecordDamaged = 31,
    /// It may be journaled or not: the answer to the commit was lost.
    JournalInDoubt = 32,
}

/// What a refusal looks like on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// HTTP 403.
    Forbidden,
    /// HTTP 409.
    Conflict,
    /// HTTP 413.
    TooLarge,
    /// HTTP 422.
    Input,
    /// HTTP 429.
    Count,
    /// HTTP 501 for provincial JSON; a Fault for SOAP. REST has no such operation.
    NotOffered,
    /// HTTP 503.
    Unavailable,
}

impl Kind {
    /// The HTTP status of JSON answers.
    pub const fn http_status(self) -> u16 {
        match self {
            Self::Forbidden => 403,
            Self::Conflict => 409,
            Self::TooLarge => 413,
            Self::Input => 422,
            Self::Count => 429,
            Self::NotOffered => 501,
            Self::Unavailable => 503,
        }
    }
}

/// The texts and codes of a reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Text {
    /// The rule.
    pub rule: RuleId,
    /// Kind of answer.
    pub kind: Kind,
    /// The facade code of SOAP faults: 004 procedure not licensed, 005 officer has no right are
    /// known to clients; the others are ours.
    pub soap_code: &'static str,
    /// One sentence in Vietnamese.
    pub title_vi: &'static str,
    /// The same in English.
    pub title: &'static str,
    /// What to do, in Vietnamese.
    pub what_to_do_vi: &'static str,
    /// The same in English.
    pub what_to_do: &'static str,
}

const OPERATOR: &str = "Liên hệ đầu mối kết nối của đơn vị hoặc Trung tâm dữ liệu quốc gia về dân \
                        cư, nêu mã tra cứu của lần từ chối này.";

macro_rules! texts {
    ($(
        $reason:ident: $rule:ident, $kind:ident, $code:literal, $vi:literal, $en:literal, $do:expr,
            $do_en:expr;
    )*) => {
        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$reason),*];

            /// Rule, kind and texts.
            pub const fn text(self) -> Text {
                match self {
                    $(Self::$reason => Text {
                        rule: RuleId::$rule, kind: Kind::$kind, soap_code: $code,
                        title_vi: $vi, title: $en, what_to_do_vi: $do,
                        what_to_do: $do_en,
                    },)*
                }
            }

            /// The reason's name in journals and exports.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$reason => stringify!($reason)),* }
            }
        }
    };
}
texts! {
    ConnectionNotLive: B3, Forbidden, "006",
        "Kết nối của hệ thống chưa hoạt động hoặc đang tạm ngừng.",
        "The connection of this system is not live.",
        "Hoàn thiện hồ sơ kết nối hoặc chờ hết thời hạn tạm ngừng; hỏi đầu mối kết nối của đơn vị.",
        "Complete the connection dossier or wait for the suspension to end; ask the unit's \
         contact for connections.";
    ConnectionLocked: D3, Forbidden, "007",
        "Kết nối đang bị khóa vì vượt số lượt đăng ký hai lần trong ngày.",
        "The connection is locked: its count was exceeded twice in a day.",
        "Có retryAfter thì chờ hết số giây đó; hoặc đề nghị Trung tâm mở khóa kèm lý do.",
        "Where retryAfter is given, wait that many seconds; or ask the centre to end the \
         lock, with a reason.";
    ChannelNotAllowed: A2, Forbidden, "008",
        "Nhóm đơn vị này không được khai thác qua hình thức đang dùng.",
        "This group may not use this channel.",
        "Dùng hình thức được phép của nhóm, hoặc xin Trung tâm chấp thuận bằng văn bản.",
        "Use a channel that the group has, or ask the centre for approval in writing.";
    AccountUnknown: E1, Forbidden, "005",
        "Tài khoản cán bộ không có quyền khai thác.",
        "The officer's account has no right to ask.",
        "Kiểm tra tài khoản đã đăng ký cho đúng hệ thống và còn hiệu lực; nhờ thủ trưởng \
         đơn vị rà soát.",
        "See that the account is registered for this system and still valid; ask the head of \
         the unit to review it.";
    ServiceNotGranted: A4, Forbidden, "004",
        "Hệ thống chưa được cấp phép dùng dịch vụ này.",
        "The service is not granted to this system.",
        "Bổ sung dịch vụ vào Phiếu đăng ký sử dụng dịch vụ và chờ phê duyệt.",
        "Add the service to the registration form and wait for approval.";
    FieldNotGranted: A4, Forbidden, "004",
        "Có trường thông tin được hỏi mà hệ thống chưa được cấp phép.",
        "A field that was asked for is not granted.",
        "Bỏ trường chưa được cấp khỏi yêu cầu, hoặc đăng ký bổ sung kèm mục đích.",
        "Leave out the field that is not granted, or register it with its purpose.";
    ProcedureUnknown: B10, Forbidden, "004",
        "Mã thủ tục hành chính chưa đăng ký hoặc đã hết hiệu lực.",
        "The procedure is not registered or no longer valid.",
        "Kiểm tra mã thủ tục; đăng ký thủ tục cho hệ thống trước khi khai thác.",
        "Check the code of the procedure; register the procedure for this system before \
         asking.";
    ProcedureWithoutService: B10, Forbidden, "004",
        "Thủ tục hành chính này không được dùng dịch vụ đang hỏi.",
        "This procedure may not use this service.",
        "Dùng đúng thủ tục của hồ sơ, hoặc đăng ký bổ sung dịch vụ cho thủ tục.",
        "Use the procedure of the case, or register the service for this procedure.";
    ProcedureWithoutPurpose: A5, Forbidden, "004",
        "Thủ tục hành chính chưa có mục đích sử dụng đã đăng ký.",
        "The procedure has no registered purpose.",
        "Đăng ký mục đích sử dụng cho thủ tục này.",
        "Register what this procedure is for.";
    PurposeNotRegistered: A5, Forbidden, "004",
        "Mục đích nêu trong yêu cầu không phải mục đích đã đăng ký của thủ tục.",
        "The stated purpose is not the registered purpose of the procedure.",
        "Nêu đúng mục đích đã đăng ký hoặc bỏ trống để lấy theo thủ tục.",
        "State the registered purpose, or none: then that of the procedure is taken.";
    CaseCodeMissing: A5, Input, "009",
        "Thủ tục này bắt buộc có mã hồ sơ.",
        "A case code is required for this procedure.",
        "Gửi mã hồ sơ (caseCode, MaHoSo hoặc X-Road issue).",
        "Send the case code (caseCode, MaHoSo or X-Road issue).";
    SystemAccountVerifiesOnly: B6, Forbidden, "005",
        "Tài khoản hệ thống chỉ được dùng dịch vụ xác thực.",
        "A system account may only use verify services.",
        "Dùng tài khoản của cán bộ được giao nhiệm vụ.",
        "Use the account of the officer whose task it is.";
    AccountWithoutService: E1, Forbidden, "005",
        "Tài khoản cán bộ không có quyền khai thác.",
        "The officer's account has no right to ask.",
        "Kiểm tra tài khoản đã đăng ký cho đúng hệ thống và còn hiệu lực; nhờ thủ trưởng \
         đơn vị rà soát.",
        "See that the account is registered for this system and still valid; ask the head of \
         the unit to review it.";
    WindowNotRegistered: B5, Forbidden, "004",
        "Dịch vụ này chưa đăng ký cho khung giờ hiện tại.",
        "The service is not registered for the current window.",
        "Đăng ký bổ sung ở bảng trong giờ hoặc ngoài giờ của Phiếu đăng ký.",
        "Register the service in the table of this window, in hours or off hours.";
    LineUsedUp: D2, Count, "010",
        "Đã hết số lượt truy vấn đăng ký trong ngày của dịch vụ này.",
        "The registered daily count of this line is used up.",
        "Chờ đến giờ tính lại, hoặc thủ trưởng đơn vị đề nghị tăng tạm thời.",
        "Wait until the count begins anew, or let the head ask for a temporary raise.";
    LineLocked: D3, Forbidden, "011",
        "Dòng dịch vụ đang bị khóa vì vượt số lượt đăng ký hai lần trong ngày.",
        "The line is locked: its count was exceeded twice in a day.",
        "Có retryAfter thì chờ hết số giây đó; hoặc đề nghị tăng tạm thời, hoặc đề nghị Trung tâm \
         mở khóa kèm lý do.",
        "Where retryAfter is given, wait that many seconds; or ask for a temporary raise, or \
         ask the centre to end the lock, with a reason.";
    OffHoursUsedUp: D4, Count, "012",
        "Đã hết tổng số lượt ngoài giờ trong ngày của đơn vị.",
        "The off-hours total of the day is used up.",
        "Chờ đến giờ tính lại, hoặc đăng ký kế hoạch chạy tự động có số lượt riêng.",
        "Wait until the count begins anew, or register a job plan with a count of its own.";
    AccountHardStop: D2, Count, "013",
        "Tài khoản đã đến mức dừng tính theo số lượt trung bình đăng ký trong ngày.",
        "The account reached the hard stop above its declared daily average.",
        "Chờ đến giờ tính lại; thủ trưởng đơn vị rà soát số lượt của tài khoản.",
        "Wait until the count begins anew; the head reviews the count of the account.";
    PaceRequests: D7, Count, "014",
        "Yêu cầu gửi nhanh hơn nhịp cho phép của loại tài khoản này.",
        "Requests come faster than this kind of account may send.",
        "Chờ số giây nêu trong retryAfter rồi gửi lại; chạy tự động phải có kế hoạch được duyệt.",
        "Wait the seconds of retryAfter and send again; automation needs an approved plan.";
    PacePersons: D7, Count, "014",
        "Tài khoản hỏi về quá nhiều người khác nhau trong một phút.",
        "The account asked about too many different persons within a minute.",
        "Chờ số giây nêu trong retryAfter rồi gửi lại; đối khớp hàng loạt phải có \
         kế hoạch được duyệt.",
        "Wait the seconds of retryAfter and send again; bulk matching needs an approved plan.";
    PlanDoesNotCover: D5, Forbidden, "015",
        "Kế hoạch chạy tự động không bao gồm dịch vụ hoặc khung giờ này.",
        "The job plan does not cover this service or window.",
        "Chạy trong phạm vi kế hoạch đã duyệt, hoặc đề nghị điều chỉnh kế hoạch.",
        "Stay within the approved plan, or ask for a change of it.";
    PlanUsedUp: D5, Count, "015",
        "Đã hết số lượt riêng của kế hoạch chạy tự động trong ngày.",
        "The job plan's own daily count is used up.",
        "Chờ đến giờ tính lại, hoặc đề nghị điều chỉnh kế hoạch.",
        "Wait until the count begins anew, or ask for a change of the plan.";
    RequestIdConflict: A3, Conflict, "016",
        "Mã yêu cầu đã dùng cho một nội dung khác.",
        "The request id was used with another body.",
        "Mỗi yêu cầu mới dùng một mã yêu cầu mới.",
        "Use a new request id for each new request.";
    InvalidInput: A3, Input, "017",
        "Yêu cầu có nội dung không hợp lệ.",
        "The request could not be read.",
        "Sửa các mục nêu trong errors rồi gửi lại.",
        "Mend what errors names and send again.";
    NotOffered: B5, NotOffered, "018",
        "Thao tác này chưa được cung cấp.",
        "This operation is not offered yet.",
        "Dùng các thao tác có trong WSDL; danh sách bất đồng bộ cần kế hoạch được duyệt.",
        "Use the operations of the WSDL; asynchronous lists need an approved plan.";
    CannotJournal: F1, Unavailable, "019",
        "Hệ thống tạm thời không ghi được nhật ký nên không trả lời.",
        "The request cannot be journaled now, so nothing is answered.",
        "Gửi lại sau ít giây với cùng mã yêu cầu; lần này không bị tính lượt.",
        "Send again in a few seconds with the same request id; this time is not counted.";
    TooLarge: A3, TooLarge, "020",
        "Nội dung yêu cầu lớn hơn mức cho phép.",
        "The body is larger than allowed.",
        "Giữ nội dung yêu cầu trong 64 KiB.",
        "Keep the body within 64 KiB.";
    JobsOpen: D5, Count, "021",
        "Hệ thống đang có quá nhiều lô chưa xong hoặc chưa xóa.",
        "Too many jobs of this system are not over, or kept.",
        "Chờ một lô xong, hủy hoặc xóa lô không còn cần, rồi gửi lại với cùng mã yêu cầu.",
        "Wait until a job is over, cancel or delete one that is not needed, then send again \
         with the same request id.";
    JobTooLarge: A3, TooLarge, "022",
        "Tệp của lô lớn hơn mức cho phép.",
        "The file of the job is larger than allowed.",
        "Mỗi lô tối đa 1.000.000 dòng và 512 MiB; chia tệp thành nhiều lô.",
        "A job has at most 1,000,000 rows and 512 MiB; divide the file.";
    ShapeNotRegistered: B1, Forbidden, "023",
        "Hệ thống chưa đăng ký dạng trả lời cho giao diện JSON của nền tảng cấp tỉnh (LGSP).",
        "No answer shape of provincial JSON (LGSP) is registered for this system.",
        "Dùng SOAP hay REST, hoặc bổ sung dạng trả lời (data, envelope hoặc soap) vào hồ sơ kết \
         nối.",
        "Use SOAP or REST, or add the answer shape (data, envelope or soap) to the connection \
         dossier.";
    RecordDamaged: A3, Unavailable, "024",
        "Không mở được dữ liệu đã lưu của người được hỏi hoặc của lô.",
        "What is stored about this person, or of this job, cannot be opened.",
        "Báo Trung tâm kèm mã tra cứu hoặc mã lô; sau khi dữ liệu được khôi phục thì gửi lại bằng \
         mã yêu cầu mới.",
        "Tell the centre the correlation id or the number of the job; once the data are \
         restored, send again with a new request id.";
    JournalInDoubt: F1, Unavailable, "025",
        "Không biết chắc yêu cầu đã được ghi nhật ký hay chưa nên không trả lời.",
        "It is not known whether the request was journaled, so nothing is answered.",
        "Gửi lại sau ít giây với cùng mã yêu cầu và nội dung: nếu đã ghi thì không bị tính lượt \
         lần nữa.",
        "Send again in a few seconds with the same request id and body: if it was journaled, \
         it is not counted again.";
}

impl Reason {
    /// From the number in a journal entry.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|r| *r as u8 == number)
    }

    /// The rule it cites.
    pub const fn rule(self) -> RuleId {
        self.text().rule
    }

    /// Whom to call where nothing else is said.
    pub const fn contact_vi() -> &'static str {
        OPERATOR
    }
}

/// A refusal as it leaves a decision.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// Seconds after which the same may be accepted.
    pub retry_after_s: Option<u32>,
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self { reason, retry_after_s: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_have_numbers_of_their_own() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_number(*reason as u8), Some(*reason));
            let text = reason.text();
            let whole = [text.title_vi, text.title, text.what_to_do_vi, text.what_to_do];
            assert!(whole.iter().all(|t| t.ends_with('.') && !t.contains("  ")), "{reason:?}");
        }
    }

    #[test]
    fn unknown_foreign_and_dead_accounts_look_alike() {
        let (a, b) = (Reason::AccountUnknown.text(), Reason::AccountWithoutService.text());
        assert_eq!(a, b);
    }
}
