//! The one table of powers: what a person may do in the portal and its API, in which roles, and
//! whether it needs a fresh second factor. Every route names the power it takes.

use super::roles::{Role, RoleSet};
use crate::rule::RuleId;

/// How recent the second factor must be.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mfa {
    /// That of the sign-in is enough.
    SignIn,
    /// It was given within [`FRESH_MFA_MS`](super::session::FRESH_MFA_MS): before unlocking,
    /// approving, exporting, revealing.
    Fresh,
}

/// Whether what is shown holds personal data.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Shows {
    /// None: ids, if any, are masked.
    Nothing,
    /// Data about citizens, or whole citizen ids: A6 says who.
    Persons,
}

/// Whose matter it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Area {
    /// One's own work or one's own unit.
    Ordinary,
    /// It changes what the people or systems of others may do: administration (E2).
    Administration,
}

/// What the table says of a power.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PowerRow {
    /// The rule that gives or bounds it.
    pub rule: RuleId,
    /// Second factor.
    pub mfa: Mfa,
    /// Personal data.
    pub shows: Shows,
    /// Whose matter.
    pub area: Area,
    /// In which roles.
    pub roles: RoleSet,
    /// What it is, in Vietnamese.
    pub name_vi: &'static str,
    /// What it is, in English.
    pub name: &'static str,
}

macro_rules! roles {
    (all) => { RoleSet::ALL };
    (staff) => { RoleSet::ALL.without(Role::Citizen) };
    ([$($role:ident)+]) => { RoleSet::of(&[$(Role::$role),+]) };
}

macro_rules! power_table {
    ($($power:ident: $rule:ident $mfa:ident $shows:ident $area:ident $roles:tt
        $vi:literal, $en:literal;
    )*) => {
        /// Something a person may do.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Power { $(#[doc = $en] $power),* }

        impl Power {
            /// Every power.
            pub const ALL: &'static [Self] = &[$(Self::$power),*];

            /// Its row.
            pub const fn row(self) -> PowerRow {
                match self {
                    $(Self::$power => const { PowerRow {
                        rule: RuleId::$rule, mfa: Mfa::$mfa, shows: Shows::$shows,
                        area: Area::$area, roles: roles!($roles), name_vi: $vi, name: $en,
                    } },)*
                }
            }

            /// Its name in journal entries.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$power => stringify!($power)),* }
            }
        }
    };
}
power_table! {
    // Everybody.
    SeeOwnAccount: E2 SignIn Nothing Ordinary all
        "Xem tài khoản, phiên và lịch sử đăng nhập của mình", "See one's own account and sessions";
    ChangeOwnFactors: E2 Fresh Nothing Ordinary all
        "Đổi mật khẩu và yếu tố xác thực của mình", "Change one's own password and factors";
    ReportMisuse: E6 SignIn Nothing Ordinary all
        "Phản ánh kín về việc sử dụng sai", "Report misuse confidentially, past one's superior";
    ReportIncident: E6 SignIn Nothing Ordinary staff
        "Báo lộ, mất dữ liệu hoặc tài khoản", "Report a leak, loss, theft or lost account";
    OpenTicket: J2 SignIn Nothing Ordinary all
        "Gửi yêu cầu hỗ trợ", "Ask for support";

    // The officer's counter.
    VerifyCitizen: A5 SignIn Persons Ordinary [Officer]
        "Xác thực thông tin công dân", "Verify a citizen";
    LookUpCitizen: A5 SignIn Persons Ordinary [Officer]
        "Tra cứu thông tin công dân", "Look a citizen up";
    SeeSensitiveFields: A4 Fresh Persons Ordinary [Officer]
        "Xem trường thông tin nhạy cảm đã được cấp", "See granted sensitive fields, shown apart";
    PrintResultSlip: A4 SignIn Nothing Ordinary [Officer]
        "In phiếu kết quả không có dữ liệu cá nhân", "Print a result slip without personal data";
    ExportPersonalData: A4 Fresh Persons Ordinary [Officer Head Deputy]
        "Kết xuất, in theo cho phép có thời hạn", "Export or print under a dated permission";
    SeeOwnUse: D2 SignIn Nothing Ordinary [Officer]
        "Xem số lượt còn lại của mình", "See one's own remaining count";
    ReportWrongRecord: G3 SignIn Persons Ordinary [Officer RecordsClerk]
        "Báo sai lệch dữ liệu", "Report an error in a record";

    // The head's desk.
    ManageOfficers: E3 SignIn Persons Ordinary [Head Deputy]
        "Thêm, tạm ngừng, chuyển, thu hồi tài khoản cán bộ",
        "Add, suspend, transfer and revoke officers";
    AppointSubstitute: E3 Fresh Nothing Ordinary [Head]
        "Cử người thay có thời hạn", "Appoint deputies and substitutes with dates";
    ReenableAccount: E2 Fresh Nothing Ordinary [Head Deputy]
        "Mở lại tài khoản bị vô hiệu do không sử dụng", "Re-enable an idle account";
    VouchForFactor: E2 Fresh Nothing Ordinary [Head Deputy Operator]
        "Xác nhận trực tiếp người bị mất yếu tố xác thực", "Vouch in person for a lost factor";
    ReviewAccounts: B9 Fresh Persons Ordinary [Head Deputy]
        "Rà soát và ký danh sách tài khoản", "Review and sign the account list";
    ApproveAccountChanges: E1 Fresh Persons Ordinary [Head Deputy]
        "Duyệt thay đổi tài khoản gửi qua API", "Approve account changes sent by API";
    ExportAccounts: B6 Fresh Persons Ordinary [Head Deputy]
        "Kết xuất danh sách tài khoản theo mẫu", "Export the account list in the form's layout";
    ConfirmCommitments: B7 Fresh Nothing Ordinary [Head Deputy]
        "Xác nhận một lần nhiều cam kết cá nhân", "Confirm a batch of individual commitments";
    SeeUnitUse: D2 SignIn Nothing Ordinary [Head Deputy Operator]
        "Xem mức sử dụng theo cán bộ và dòng dịch vụ", "See use per officer and line";
    RequestRaise: D8 SignIn Nothing Ordinary [Head Deputy]
        "Đề nghị tăng tạm thời số lượt", "Ask for a temporary raise";
    RequestExport: A4 SignIn Nothing Ordinary [Head Deputy]
        "Đề nghị cho phép kết xuất có thời hạn", "Ask for a dated permission to export";
    AppealLock: D6 SignIn Nothing Ordinary [Head Deputy]
        "Khiếu nại việc khóa tự động", "Appeal against an automatic lock";
    SeeStatements: A7 SignIn Nothing Ordinary [Head Deputy Operator]
        "Xem bản xác nhận dịch vụ hằng tháng", "See monthly statements";

    // Dossiers.
    SeeDossiers: B3 SignIn Nothing Ordinary
        [Head Deputy FocalPoint Integrator Operator DossierReviewer SecurityAssessor]
        "Xem hồ sơ kết nối", "See connection dossiers";
    EditDossier: B1 SignIn Nothing Ordinary [Head Deputy Integrator]
        "Lập, bổ sung hồ sơ kết nối", "Fill in a dossier";
    SignDossier: B2 Fresh Nothing Ordinary [Head Deputy]
        "Ký, nộp hồ sơ kết nối", "Sign and submit a dossier";
    ReviewDossier: B3 SignIn Nothing Administration [DossierReviewer]
        "Thẩm định, yêu cầu sửa, từ chối hồ sơ", "Review a dossier, ask for changes, refuse";
    ApproveDossier: B3 Fresh Nothing Administration [DossierReviewer]
        "Phê duyệt hồ sơ kết nối", "Approve a dossier";
    RecordExemption: B3 Fresh Nothing Administration [DossierReviewer]
        "Ghi nhận miễn một bước, có căn cứ", "Record an exemption of a stage";
    GrantFields: A4 Fresh Nothing Administration [DossierReviewer]
        "Cấp trường thông tin theo mục đích", "Grant fields with their ground";
    GrantSensitiveFields: A4 Fresh Nothing Administration [DossierReviewer]
        "Cấp trường nhạy cảm, hai người duyệt", "Grant sensitive fields, two approvers";
    ReviewProcedures: B10 SignIn Nothing Administration [DossierReviewer]
        "Rà soát danh mục thủ tục", "Review the catalogue of procedures";
    RunCampaigns: B4 SignIn Nothing Administration [Operator]
        "Mở đợt rà soát, bổ sung hồ sơ", "Run campaigns that re-open dossiers";
    ManageUnits: B4 Fresh Nothing Administration [Operator]
        "Cập nhật cây đơn vị, sáp nhập, chia tách", "Keep the tree of units";
    TellOfUnit: B9 SignIn Nothing Ordinary [Head Deputy]
        "Báo thay đổi người đại diện, đầu mối liên hệ của đơn vị",
        "Tell of changes of one's own unit";
    ImportLive: B3 Fresh Persons Administration [Operator]
        "Nhập hệ thống đang kết nối", "Import what is live today";

    // Security assessments.
    SeeAssessments: C2 SignIn Nothing Ordinary [Head Deputy Operator SecurityAssessor]
        "Xem kết quả kiểm tra an ninh, an toàn", "See security assessments";
    RecordAssessment: C2 Fresh Nothing Administration [SecurityAssessor]
        "Xác nhận bằng văn bản kết quả kiểm tra", "Confirm an assessment in writing";

    // Job plans.
    AnnounceJobPlan: D5 SignIn Nothing Ordinary [Head Deputy Integrator]
        "Thông báo kế hoạch chạy tự động", "Announce a job plan";
    AcknowledgeJobPlan: D5 SignIn Nothing Administration [Operator JobPlanApprover]
        "Ghi nhận kế hoạch chạy tự động", "Acknowledge a job plan";
    ApproveJobPlan: D5 Fresh Nothing Administration [JobPlanApprover]
        "Duyệt kế hoạch chạy tự động", "Approve a job plan";

    // Gathering.
    SeeGathering: B8 SignIn Nothing Ordinary [FocalPoint Operator]
        "Xem tiến độ của các đơn vị", "See how far the units are";
    UrgeUnits: B8 SignIn Nothing Ordinary [FocalPoint]
        "Đôn đốc đơn vị", "Urge units";
    ExportGathering: B8 Fresh Nothing Ordinary [FocalPoint Operator]
        "Kết xuất bảng tổng hợp", "Export the summary";

    // Integrators.
    ManageCredentials: C5 Fresh Nothing Ordinary [Integrator]
        "Cấp, đổi khóa và chứng thư của hệ thống", "Issue and rotate a system's credentials";
    RevokeCredentials: E3 SignIn Nothing Ordinary [Head Deputy Integrator Operator]
        "Thu hồi ngay khóa và chứng thư của hệ thống", "Revoke a system's credentials at once";
    DebugCalls: J2 SignIn Nothing Ordinary [Integrator Operator]
        "Xem giải thích các lời gọi bị lỗi", "See failing calls explained";
    RunConformance: B3 SignIn Nothing Ordinary [Integrator]
        "Chạy kiểm thử kết nối", "Run the conformance suite";
    ManageWebhooks: B9 Fresh Nothing Ordinary [Integrator]
        "Đăng ký nơi nhận thông báo của hệ thống", "Register webhooks";
    ConfirmRevocation: E3 SignIn Nothing Ordinary [Integrator]
        "Xác nhận đã thu hồi trong phần mềm của đơn vị",
        "Confirm a revocation in the agency's own software";

    // The operator's desk.
    ManageSystems: B3 SignIn Nothing Administration [Operator]
        "Quản lý hệ thống và dòng dịch vụ", "Manage systems and lines";
    SeeLocks: D3 SignIn Nothing Ordinary [Head Deputy Operator IncidentLead]
        "Xem các lần khóa và bằng chứng", "See locks with their evidence";
    LockAccounts: D6 SignIn Nothing Administration [Operator IncidentLead]
        "Khóa tài khoản, kết nối", "Lock accounts or a connection";
    Unlock: D6 Fresh Nothing Administration [Operator]
        "Mở khóa, nêu lý do", "Unlock with a reason";
    BulkUnlock: D6 Fresh Nothing Administration [Operator]
        "Mở khóa hàng loạt sau báo động nhầm", "Unlock in bulk after a false alarm";
    DecideAppeal: D6 Fresh Nothing Administration [Operator]
        "Giải quyết khiếu nại việc khóa", "Decide an appeal";
    GrantRaise: D8 Fresh Nothing Administration [Operator]
        "Duyệt tăng tạm thời số lượt", "Grant a temporary raise";
    GrantExport: A4 Fresh Nothing Administration [Operator]
        "Cho phép kết xuất có thời hạn", "Give a dated permission to export";
    RecordConsent: A4 SignIn Nothing Administration [Operator]
        "Ghi nhận văn bản đồng ý của cơ quan quản lý", "Record the authority's written consent";
    Announce: J2 SignIn Nothing Administration [Operator]
        "Đăng thông báo và lịch bảo trì", "Announce, plan maintenance, write the status page";
    ManageStaff: E3 Fresh Nothing Administration [Operator]
        "Giao và thu hồi vai trò của Trung tâm", "Give and end the centre's roles";
    SignStatement: A7 Fresh Nothing Administration [Operator]
        "Ký bản xác nhận dịch vụ hằng tháng", "Sign monthly statements";
    SeePersonalData: A6 Fresh Persons Ordinary
        [Officer Head Deputy Operator Auditor IndependentAuditor SourceOfficer RecordsClerk]
        "Mở dữ liệu cá nhân đang che", "Reveal personal data that is masked";

    // Audit.
    SearchJournal: F3 Fresh Persons Ordinary [Auditor IndependentAuditor]
        "Tìm trong nhật ký theo tài khoản, hồ sơ, người", "Search the journal";
    SeeStaffJournal: F3 Fresh Persons Ordinary [Auditor IndependentAuditor]
        "Xem nhật ký của cán bộ Trung tâm", "See what the centre's own staff did";
    ExportJournal: F3 Fresh Persons Ordinary [Auditor IndependentAuditor]
        "Kết xuất nhật ký", "Export journal entries";
    ReviewWithheld: I3 Fresh Persons Ordinary [IndependentAuditor]
        "Soát xét các lần xem được giữ kín", "Review withheld looks";
    AttestWithheld: I3 Fresh Nothing Ordinary [IndependentAuditor]
        "Xác nhận đã soát xét đầy đủ", "Attest that the review is complete";

    // Incidents.
    SeeIncidents: E6 SignIn Nothing Ordinary [Operator PoliceFocalPoint IncidentLead]
        "Xem sự cố và thời hạn báo cáo", "See incidents and their clocks";
    GatherIncidents: E6 SignIn Nothing Ordinary [PoliceFocalPoint]
        "Tổng hợp báo cáo sự cố", "Gather incident reports";
    SeeMisuseReports: E6 SignIn Nothing Ordinary [PoliceFocalPoint]
        "Xem phản ánh kín", "See confidential reports of misuse";
    LeadIncident: E6 SignIn Nothing Administration [IncidentLead]
        "Chỉ huy xử lý sự cố", "Lead the handling of an incident";

    // Sources, written requests, support, citizens.
    ShareIn: G1 SignIn Persons Ordinary [SourceOfficer]
        "Chia sẻ dữ liệu nguồn", "Share data in";
    AnswerCorrections: G3 SignIn Persons Ordinary [SourceOfficer]
        "Trả lời báo sai lệch dữ liệu", "Answer reports of errors";
    HandleWrittenRequests: I2 SignIn Persons Ordinary [RecordsClerk]
        "Xử lý văn bản yêu cầu", "Handle written requests";
    IssueNotice: I1 Fresh Persons Ordinary [RecordsClerk]
        "Cấp Thông báo theo Mẫu số 01", "Issue a Notice";
    AnswerTickets: J2 SignIn Nothing Ordinary [Support]
        "Trả lời yêu cầu hỗ trợ", "Answer tickets";
    SeeOwnData: I1 SignIn Persons Ordinary [Citizen]
        "Xem dữ liệu của mình", "See one's own data";
    SeeOwnLooks: I3 SignIn Persons Ordinary [Citizen]
        "Xem ai đã tra cứu về mình", "See who looked";
    ExerciseRights: I4 SignIn Persons Ordinary [Citizen]
        "Yêu cầu sửa, hạn chế, phản đối, xóa", "Ask to correct, restrict, object, delete";
}

impl Power {
    /// Whether it changes what others' people or systems may do.
    pub fn administers(self) -> bool {
        self.row().area == Area::Administration
    }

    /// From its name.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|p| p.code() == code)
    }

    /// The power that starts what this one approves: one person does not do both in one matter.
    pub const fn approves(self) -> Option<Self> {
        match self {
            Self::GrantRaise => Some(Self::RequestRaise),
            Self::GrantExport => Some(Self::RequestExport),
            Self::ApproveDossier | Self::GrantFields | Self::GrantSensitiveFields => {
                Some(Self::SignDossier)
            }
            Self::ApproveJobPlan => Some(Self::AnnounceJobPlan),
            Self::DecideAppeal => Some(Self::AppealLock),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::roles::Sight;
    use std::collections::HashSet;

    /// A6 by name: "integrators, support, reviewers, assessors never".
    #[test]
    fn rule_a6_who_never_sees_personal_data_has_no_such_power() {
        let never =
            [Role::Integrator, Role::Support, Role::DossierReviewer, Role::SecurityAssessor];
        for power in Power::ALL.iter().filter(|p| p.row().shows == Shows::Persons) {
            for role in power.row().roles.iter() {
                assert!(!never.contains(&role), "{power:?} in {role:?}");
                assert!(
                    !matches!(role.row().sight, Sight::Never | Sight::Unnamed),
                    "{power:?} in {role:?}: A6 does not name it"
                );
                if role.audits() {
                    assert_eq!(power.row().mfa, Mfa::Fresh, "{power:?}: auditors sign in afresh");
                }
            }
        }
        for role in never {
            assert_eq!(role.row().sight, Sight::Never);
        }
    }

    #[test]
    fn rule_a6_a_role_that_may_see_has_something_to_see() {
        for role in Role::ALL {
            let sees = role.powers().any(|p| p.row().shows == Shows::Persons);
            let may = !matches!(role.row().sight, Sight::Never | Sight::Unnamed);
            assert_eq!(sees, may, "{role:?}");
        }
    }

    /// Issue of people: before unlocking, approving, exporting, revealing.
    #[test]
    fn rule_e2_unlocking_approving_exporting_revealing_need_a_fresh_factor() {
        let words =
            ["Unlock", "Approve", "Export", "Grant", "SeePersonal", "SeeSensitive", "Vouch"];
        // Asking for a permission to export exports nothing.
        let asked = |p: &Power| words.iter().any(|w| p.code().contains(w)) && !asks(*p);
        for power in Power::ALL.iter().filter(|p| asked(p)) {
            assert_eq!(power.row().mfa, Mfa::Fresh, "{power:?}");
        }
        for power in Power::ALL.iter().filter(|p| p.approves().is_some()) {
            assert_eq!(power.row().mfa, Mfa::Fresh, "{power:?}");
        }
        assert!(Power::ALL.iter().filter(|p| asked(p)).count() > 10);
    }

    fn asks(power: Power) -> bool {
        power.code().starts_with("Request")
    }

    /// What stops harm must not wait for a factor: revoking and locking act at once (E3).
    #[test]
    fn rule_e3_stopping_somebody_needs_no_second_look_for_a_phone() {
        for power in [Power::ManageOfficers, Power::RevokeCredentials, Power::LockAccounts] {
            assert_eq!(power.row().mfa, Mfa::SignIn);
        }
    }

    #[test]
    fn rule_e6_everybody_can_report_past_the_superior() {
        for role in Role::ALL {
            assert!(Power::ReportMisuse.row().roles.contains(*role));
        }
        let readers = Power::SeeMisuseReports.row().roles;
        assert!(!readers.contains(Role::Head) && !readers.contains(Role::Deputy));
    }

    #[test]
    fn rule_e3_who_stands_in_for_the_head_does_what_the_head_does_but_name_another() {
        let head: HashSet<_> = Role::Head.powers().collect();
        let deputy: HashSet<_> = Role::Deputy.powers().collect();
        assert!(deputy.is_subset(&head));
        let missing: Vec<_> = head.difference(&deputy).collect();
        assert_eq!(missing, [&Power::AppointSubstitute]);
    }

    #[test]
    fn who_asks_and_who_decides_are_different_roles() {
        for power in Power::ALL {
            if let Some(asking) = power.approves() {
                let deciding = power.row().roles;
                assert!(asking.row().roles.iter().all(|r| !deciding.contains(r)), "{power:?}");
            }
        }
    }

    #[test]
    fn powers_have_names_and_somebody_to_hold_them() {
        let names: HashSet<_> = Power::ALL.iter().map(|p| p.row().name_vi).collect();
        assert_eq!(names.len(), Power::ALL.len());
        for power in Power::ALL {
            assert!(power.row().roles.iter().count() > 0, "{power:?}");
            assert_eq!(Power::from_code(power.code()), Some(*power));
            assert!(!power.row().name.is_empty());
        }
    }
}
