//! The roles of people (E1, E3, B8, A6): where each belongs, how far it may reach, and whether
//! personal data may be seen in it. What each may do stands in [`powers`](super::powers).

use super::powers::Power;

/// How far a role may reach at most; a grant says how far it does
/// ([`Scope`](super::grants::Scope)).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reach {
    /// Oneself.
    Person,
    /// One unit.
    Unit,
    /// A unit with every unit below it.
    Below,
    /// Every unit, and what belongs to none.
    All,
}

/// Why personal data may be seen in a role (A6).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Sight {
    /// The citizen's own.
    Own,
    /// As an officer who stands on the account list of the unit.
    OnList,
    /// As the head of the unit, or who stands in for the head with dates.
    Head,
    /// As an administrator of the centre.
    Administrator,
    /// As an auditor: with a stated ground and a fresh sign-in.
    WithGround,
    /// Never: A6 names who may, and this role is not among them.
    Unnamed,
    /// Never, and in no second role of the same person either: A6 names this role so.
    Never,
}

/// Where the people of a role belong.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Home {
    /// A unit that uses the database.
    Unit,
    /// The data centre itself.
    Centre,
    /// A body that watches or assesses both.
    Outside,
    /// Nobody's staff.
    Citizen,
}

/// Whether a grant of the role must name its last day.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Term {
    /// It may go on until it is ended.
    Open,
    /// It has a first and a last day and ends by itself (E3).
    Dated,
}

/// What the table says of a role.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RoleRow {
    /// The word in demo.json, commands and journal entries.
    pub code: &'static str,
    /// Widest reach.
    pub reach: Reach,
    /// Personal data.
    pub sight: Sight,
    /// Where its people belong.
    pub home: Home,
    /// Whether it must have an end.
    pub term: Term,
    /// Its name in Vietnamese.
    pub name_vi: &'static str,
    /// Its name in English.
    pub name: &'static str,
}

macro_rules! role_table {
    ($($(#[$doc:meta])* $role:ident = $number:literal:
        $code:literal, $reach:ident, $sight:ident, $home:ident, $term:ident,
        $vi:literal, $en:literal;
    )*) => {
        /// A role of a person.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum Role { $($(#[$doc])* $role = $number),* }

        impl Role {
            /// Every role.
            pub const ALL: &'static [Self] = &[$(Self::$role),*];

            /// Its row.
            pub const fn row(self) -> RoleRow {
                match self {
                    $(Self::$role => RoleRow {
                        code: $code, reach: Reach::$reach, sight: Sight::$sight,
                        home: Home::$home, term: Term::$term, name_vi: $vi, name: $en,
                    },)*
                }
            }
        }
    };
}
role_table! {
    /// Cán bộ khai thác: on the account list, asks about citizens (E1, B6).
    Officer = 0: "officer", Unit, OnList, Unit, Open,
        "Cán bộ khai thác", "Officer";
    /// Thủ trưởng đơn vị: answers for the unit's accounts, lines and dossier (E3, E4).
    Head = 1: "head", Below, Head, Unit, Open,
        "Thủ trưởng đơn vị", "Head of unit";
    /// Stands in for the head between two days (E3). Stands-in for others hold the role of the
    /// person they stand in for, with dates.
    Deputy = 2: "deputy", Below, Head, Unit, Dated,
        "Người thay thủ trưởng có thời hạn", "Deputy or substitute of the head";
    /// Đầu mối tổng hợp: sees states, urges, exports the summary (B8).
    FocalPoint = 3: "focalPoint", Below, Unnamed, Unit, Open,
        "Đầu mối tổng hợp", "Gathering focal point";
    /// Đơn vị tích hợp phần mềm: the operator of the agency's own software (E3).
    Integrator = 4: "integrator", Below, Never, Unit, Open,
        "Cán bộ tích hợp hệ thống", "Integrator";
    /// Quản trị của Trung tâm dữ liệu quốc gia về dân cư.
    Operator = 5: "operator", All, Administrator, Centre, Open,
        "Quản trị viên của Trung tâm", "Operator of the centre";
    /// Người thẩm định hồ sơ kết nối (B3).
    DossierReviewer = 6: "dossierReviewer", All, Never, Centre, Open,
        "Cán bộ thẩm định hồ sơ", "Dossier reviewer";
    /// Người duyệt kế hoạch chạy tự động (D5).
    JobPlanApprover = 7: "jobPlanApprover", All, Unnamed, Centre, Open,
        "Người duyệt kế hoạch chạy tự động", "Job-plan approver";
    /// Đơn vị kiểm tra an ninh, an toàn (C2, C3).
    SecurityAssessor = 8: "securityAssessor", All, Never, Outside, Open,
        "Cán bộ kiểm tra an ninh, an toàn", "Security assessor";
    /// Kiểm tra, thanh tra việc khai thác (F3).
    Auditor = 9: "auditor", All, WithGround, Outside, Open,
        "Kiểm toán viên", "Auditor";
    /// Reviews every withheld look and attests completeness (I3).
    IndependentAuditor = 10: "independentAuditor", All, WithGround, Outside, Open,
        "Kiểm toán viên độc lập", "Independent auditor";
    /// Đầu mối công an tiếp nhận báo cáo sự cố và vi phạm (E6).
    PoliceFocalPoint = 11: "policeFocalPoint", All, Unnamed, Outside, Open,
        "Đầu mối công an", "Police focal point";
    /// Cán bộ của cơ sở dữ liệu nguồn: answers errors in its own fields (G1, G3).
    SourceOfficer = 12: "sourceOfficer", Unit, OnList, Unit, Open,
        "Cán bộ cơ sở dữ liệu nguồn", "Source officer";
    /// Handles written requests and notices (I1, I2).
    RecordsClerk = 13: "recordsClerk", All, OnList, Centre, Open,
        "Cán bộ tiếp nhận văn bản yêu cầu", "Records clerk";
    /// Người chỉ huy ứng cứu sự cố (E6).
    IncidentLead = 14: "incidentLead", All, Unnamed, Centre, Open,
        "Người chỉ huy xử lý sự cố", "Incident lead";
    /// Cán bộ hỗ trợ (J2).
    Support = 15: "support", All, Never, Centre, Open,
        "Cán bộ hỗ trợ", "Support";
    /// Công dân (I1, I3, I4).
    Citizen = 16: "citizen", Person, Own, Citizen, Open,
        "Công dân", "Citizen";
}

impl Role {
    /// Roles that the centre gives and ends: of its own and of who watches it, the focal points of
    /// gathering (B8), and the head of a unit, who then invites everybody else there.
    pub const GIVEN: [Self; 11] = [
        Self::Head,
        Self::FocalPoint,
        Self::Operator,
        Self::DossierReviewer,
        Self::JobPlanApprover,
        Self::SecurityAssessor,
        Self::Auditor,
        Self::IndependentAuditor,
        Self::RecordsClerk,
        Self::IncidentLead,
        Self::Support,
    ];

    /// From its word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|r| r.row().code == code)
    }

    /// From its number in the store.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|r| *r as u8 == number)
    }

    /// What may be done in it.
    pub fn powers(self) -> impl Iterator<Item = Power> {
        Power::ALL.iter().copied().filter(move |p| p.row().roles.contains(self))
    }

    /// Whether a power in it needs the tighter figures of administration (E2: 60 days, 5 min):
    /// it has one that changes what others' people or systems may do.
    pub fn administers(self) -> bool {
        self.powers().any(Power::administers)
    }

    /// Whether one person may hold both at a time.
    ///
    /// - A6: integrators, support, reviewers, assessors never see personal data, so they hold no
    ///   role beside it in which they would. *Ours*: "never" is read of the person.
    /// - The centre's staff do not audit the centre, and an independent auditor is nothing else.
    /// - Who builds a system does not assess it (C2).
    /// - A citizen's account is the citizen's own, not an officer's (E1, I1).
    pub fn stands_beside(self, other: Self) -> bool {
        let one_way = |a: Self, b: Self| {
            let (x, y) = (a.row(), b.row());
            let sees = !matches!(y.sight, Sight::Never | Sight::Unnamed);
            let a6 = x.sight == Sight::Never && sees;
            let own_audit = a.audits() && y.home == Home::Centre;
            let independent = a == Self::IndependentAuditor;
            let own_work = a == Self::SecurityAssessor && b == Self::Integrator;
            let citizen = x.home == Home::Citizen;
            !(a6 || own_audit || independent || own_work || citizen)
        };
        self == other || (one_way(self, other) && one_way(other, self))
    }

    /// Whether it looks into what others did.
    pub const fn audits(self) -> bool {
        matches!(self, Self::Auditor | Self::IndependentAuditor)
    }
}

/// A set of roles.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct RoleSet(u32);

impl RoleSet {
    /// Every role.
    pub const ALL: Self = Self::of(Role::ALL);

    /// These roles.
    pub const fn of(roles: &[Role]) -> Self {
        let (mut bits, mut i) = (0, 0);
        while i < roles.len() {
            bits |= 1 << roles[i] as u8;
            i += 1;
        }
        Self(bits)
    }

    /// The set without a role.
    #[must_use]
    pub const fn without(self, role: Role) -> Self {
        Self(self.0 & !(1 << role as u8))
    }

    /// Whether a role is in it.
    pub const fn contains(self, role: Role) -> bool {
        self.0 & (1 << role as u8) != 0
    }

    /// Its roles, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.iter().copied().filter(move |r| self.contains(*r))
    }
}

/// Which figures of E2 hold for a person.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Class {
    /// Officers and everybody who does not administer.
    Staff,
    /// Administration: shorter password age and idle time.
    Administrator,
    /// Citizens: E1-E5 bind officers, so passwords of citizens do not age and no idleness
    /// disables them (*ours*).
    Citizen,
}

impl Class {
    /// Of a person who holds these roles; the strictest wins.
    pub fn of(roles: impl IntoIterator<Item = Role>) -> Self {
        roles.into_iter().fold(Self::Citizen, |class, role| {
            if role.administers() {
                Self::Administrator
            } else if role != Role::Citizen && class == Self::Citizen {
                Self::Staff
            } else {
                class
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_and_numbers_are_unique_and_read_back() {
        let codes: HashSet<_> = Role::ALL.iter().map(|r| r.row().code).collect();
        assert_eq!((codes.len(), Role::ALL.len()), (17, 17));
        for role in Role::ALL {
            assert_eq!(Role::from_code(role.row().code), Some(*role));
            assert_eq!(Role::from_number(*role as u8), Some(*role));
            assert!(role.powers().count() > 0, "{role:?}");
        }
        assert_eq!(Role::from_code("root"), None);
        assert_eq!(Role::from_number(17), None);
    }

    #[test]
    fn sets_hold_what_was_put_in() {
        let set = RoleSet::of(&[Role::Officer, Role::Citizen]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [Role::Officer, Role::Citizen]);
        assert!(!set.without(Role::Citizen).contains(Role::Citizen));
        assert_eq!(RoleSet::ALL.iter().count(), Role::ALL.len());
    }

    #[test]
    fn rule_e2_classes() {
        assert_eq!(Class::of([Role::Officer]), Class::Staff);
        assert_eq!(Class::of([Role::Officer, Role::Operator]), Class::Administrator);
        assert_eq!(Class::of([Role::Citizen]), Class::Citizen);
        assert_eq!(Class::of([Role::Head]), Class::Staff);
        assert_eq!(Class::of([Role::Auditor]), Class::Staff);
    }

    #[test]
    fn rule_e3_only_stand_ins_of_the_head_must_have_an_end_by_role() {
        for role in Role::ALL {
            assert_eq!(role.row().term == Term::Dated, *role == Role::Deputy, "{role:?}");
        }
    }
}
