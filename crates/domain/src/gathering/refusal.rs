//! Why something is not done in gathering, in sentences.

/// The texts of a refusal; its rule is B8.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GatherText {
    /// The field of the form that mends it.
    pub field: &'static str,
    /// One sentence in Vietnamese.
    pub text_vi: &'static str,
    /// The same in English.
    pub text: &'static str,
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident: $field:literal $vi:literal, $en:literal;)*) => {
        /// Why nothing was done in gathering (B8).
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum GatherRefusal { $($(#[$doc])* $name),* }

        impl GatherRefusal {
            /// Every refusal.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Field and texts.
            #[must_use]
            pub const fn text(self) -> GatherText {
                match self {
                    $(Self::$name => GatherText { field: $field, text_vi: $vi, text: $en },)*
                }
            }
        }
    };
}
refusals! {
    /// The unit was urged today.
    Today: "words"
        "Hôm nay đã đôn đốc đơn vị này; mỗi ngày một lần.",
        "The unit was urged today already; once a day.";
    /// The unit has nothing to do.
    NotBehind: "words"
        "Đơn vị này không còn việc gì phải làm.",
        "There is nothing that the unit has to do.";
    /// Nobody is left to urge.
    Nobody: "words"
        "Không còn đơn vị nào cần đôn đốc hôm nay.",
        "No unit is left to urge today.";
    /// One's own unit.
    Own: "words"
        "Đây là đơn vị của đầu mối; chỉ đôn đốc đơn vị khác.",
        "This is the focal point's own unit; others are urged.";
    /// The box was not ticked.
    Unconfirmed: "confirmed"
        "Đánh dấu xác nhận rồi gửi lại.",
        "Tick the box to confirm, then send again.";
    /// Words that are none, or too many.
    Words: "words"
        "Nhập nội dung đôn đốc, tối đa 500 ký tự.",
        "Type what is to be done, at most 500 characters.";
}
