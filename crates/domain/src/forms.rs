//! Refusals of forms: what is wrong, in one sentence of each language, with its rule and the field
//! that mends it.

use crate::rule::RuleId;

/// What a form says of a refusal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FormText {
    /// The rule.
    pub rule: RuleId,
    /// The field of the form that mends it.
    pub field: &'static str,
    /// One sentence in Vietnamese.
    pub text_vi: &'static str,
    /// The same in English.
    pub text: &'static str,
}

/// An enum of refusals: each with its rule, its field and its sentences.
macro_rules! refusals {
    ($(#[$about:meta])* $all:ident;
     $($(#[$doc:meta])* $name:ident: $rule:ident $field:literal $vi:literal, $en:literal;)*) => {
        $(#[$about])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum $all { $($(#[$doc])* $name),* }

        impl $all {
            /// Every refusal.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Rule, field and texts.
            #[must_use]
            pub const fn text(self) -> $crate::forms::FormText {
                match self {
                    $(Self::$name => $crate::forms::FormText {
                        rule: $crate::rule::RuleId::$rule, field: $field, text_vi: $vi, text: $en,
                    },)*
                }
            }
        }

        impl From<$all> for $crate::forms::FormText {
            fn from(why: $all) -> Self {
                why.text()
            }
        }
    };
}
pub(crate) use refusals;
