//! Why something is not done in a campaign, in sentences.

use crate::forms::refusals;

refusals! {
    /// Why nothing was done in a campaign (B4).
    CampaignRefusal;

    /// No name, or too long.
    Name: B4 "name"
        "Nhập tên đợt, tối đa 200 ký tự.",
        "Type a name of at most 200 characters.";
    /// The document has no number.
    Document: B4 "document"
        "Nhập số văn bản làm căn cứ của đợt.",
        "Type the number of the document that the campaign is based on.";
    /// The document is of a day that has not come.
    DocumentAhead: B4 "dated"
        "Ngày văn bản ở sau hôm nay; ghi đúng ngày ban hành.",
        "The document's date has not come yet; enter the date on it.";
    /// The deadline is not after today.
    DeadlinePast: B4 "deadline"
        "Hạn phải sau hôm nay; chọn ngày khác.",
        "The deadline has to be after today; choose another day.";
    /// The deadline is too far ahead.
    DeadlineFar: B4 "deadline"
        "Hạn không quá hai năm kể từ hôm nay.",
        "The deadline is at most two years ahead.";
    /// Reminders that cannot be sent.
    Reminders: B4 "remind"
        "Ngày nhắc là số ngày trước hạn, từ 1 đến số ngày còn lại, tối đa 10 lần.",
        "Reminders are days before the deadline, from 1 to the days that are left, at most 10.";
    /// No province of the list.
    Province: B4 "province"
        "Không có tỉnh, thành phố mang mã này.",
        "No province has this code.";
    /// No dossier is in the scope.
    Nobody: B4 "scope"
        "Không có hồ sơ nào của kết nối đang dùng thuộc phạm vi đã chọn.",
        "No dossier of a connection in use is in this scope.";
    /// A dossier is in another campaign.
    Overlap: B4 "scope"
        "Có hồ sơ đang thuộc đợt khác chưa xong; thu hẹp phạm vi, hoặc chờ đợt đó kết thúc.",
        "Dossiers are in another campaign that is not over; narrow the scope, or wait for its end.";
    /// The task is over.
    Over: B4 "dossier"
        "Hồ sơ này đã xong trong đợt.",
        "The dossier is done with in this campaign.";
    /// The new deadline is not later.
    NotLater: B4 "deadline"
        "Hạn mới phải sau hạn đang có.",
        "The new deadline has to be later than the one before.";
    /// A campaign locked the connection.
    Held: B4 "state"
        "Kết nối bị khóa vì hồ sơ chưa được cập nhật theo đợt; mở khóa bằng gia hạn trong đợt, \
         hoặc tiếp nhận hồ sơ đã cập nhật.",
        "A campaign locked the connection because its dossier is not up to date; it is unlocked by \
         an extension in the campaign, or when the updated dossier is accepted.";
}
