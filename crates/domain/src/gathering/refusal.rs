//! Why something is not done in gathering, in sentences.

use crate::forms::refusals;

refusals! {
    /// Why nothing was done in gathering (B8).
    GatherRefusal;

    /// The unit was urged today.
    Today: B8 "words"
        "Hôm nay đã đôn đốc đơn vị này; mỗi ngày một lần.",
        "The unit was urged today already; once a day.";
    /// The unit has nothing to do.
    NotBehind: B8 "words"
        "Đơn vị này không còn việc gì phải làm.",
        "There is nothing that the unit has to do.";
    /// Nobody is left to urge.
    Nobody: B8 "words"
        "Không còn đơn vị nào cần đôn đốc hôm nay.",
        "No unit is left to urge today.";
    /// One's own unit.
    Own: B8 "words"
        "Đây là đơn vị của đầu mối; chỉ đôn đốc đơn vị khác.",
        "This is the focal point's own unit; others are urged.";
    /// The box was not ticked.
    Unconfirmed: B8 "confirmed"
        "Đánh dấu xác nhận rồi gửi lại.",
        "Tick the box to confirm, then send again.";
    /// Words that are none, or too many.
    Words: B8 "words"
        "Nhập nội dung đôn đốc, tối đa 500 ký tự.",
        "Type what is to be done, at most 500 characters.";
}
