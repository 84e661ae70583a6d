//! The ids of the rules that decisions and refusals cite.

macro_rules! rules {
    ($($name:ident)*) => {
        /// A rule of the regulation, by its id.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        pub enum RuleId { $(#[doc = concat!("Rule ", stringify!($name), ".")] $name),* }

        impl RuleId {
            /// Every rule id.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The id as written in decisions, e.g. `D2`.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }

            /// From its written form.
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $(stringify!($name) => Some(Self::$name),)* _ => None }
            }
        }
    };
}
// T46 = circular 46/2022/TT-BCA; 6383 = letter of 2025; 6318 = 2021; 1666 = 2022.
rules! {
    A1 A2 A3 A4 A5 A6 A7
    B1 B2 B3 B4 B5 B6 B7 B8 B9 B10
    C1 C2 C3 C4 C5
    D1 D2 D3 D4 D5 D6 D7 D8
    E1 E2 E3 E4 E5 E6
    F1 F2 F3
    G1 G2 G3 H1
    I1 I2 I3 I4
    J1 J2 J3
}

impl std::fmt::Display for RuleId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}
