//! What a dossier says (B1, B5, B6, B10, C1, C5, A4). A draft may say anything within bounds;
//! what is wrong with it is listed by [`missing`](super::missing).

use hashbrown::HashSet;
use serde::{Deserialize, Serialize};

use super::{Blocked, Part};
use crate::ids::{
    AccountId, LineId, Login, OfficerCode, PersonalId, ProcedureCode, Purpose, SystemCode,
};
use crate::registration::{Account, AccountKind, DateRange, Line, Procedure, ServiceGrant};
use crate::service::{FieldSet, Service, ServiceSet, Window};
use crate::text::is_storable;

/// Characters of a short text: a name, a position, a document's number.
pub const SHORT_MAX: usize = 200;
/// Characters of a long text: two pages (*ours*).
pub const TEXT_MAX: usize = 6_000;
/// Rows of the two tables: 12 services in two windows.
const LINES_MAX: usize = 24;
/// Procedures of one system: the national catalogue has some 5,000, a unit runs a part of them.
pub const PROCEDURES_MAX: usize = 1_000;
/// Accounts of one list: the whole dossier is sealed as one document, at about 250 bytes each.
pub const ACCOUNTS_MAX: usize = 5_000;

/// Who answers for the system at the unit.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Contact {
    /// Họ tên.
    pub name: String,
    /// Chức vụ.
    pub position: String,
    /// Số điện thoại.
    pub phone: String,
    /// Email.
    pub email: String,
    /// Đơn vị công tác.
    pub workplace: String,
}

/// A row of the two tables of the registration form (B5).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LineRow {
    /// Dịch vụ đăng ký.
    pub service: Service,
    /// Which table.
    pub window: Window,
    /// Số lượt truy vấn (theo ngày); 0 while it is not given.
    pub daily: u32,
    /// Mục đích sử dụng.
    pub purpose: String,
}

/// Fields that are wanted of a service, for what, in which procedures (A4, B10).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ServiceUse {
    /// The service.
    pub service: Service,
    /// Fields.
    pub fields: FieldSet,
    /// What for.
    pub purpose: String,
    /// Codes of procedures of [`Content::procedures`].
    pub procedures: Vec<String>,
}

/// A procedure in which the system asks (B10, A5).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProcedureRow {
    /// Mã thủ tục.
    pub code: String,
    /// Registered purpose (A5).
    pub purpose: String,
    /// Cases a day.
    pub cases: u32,
    /// Queries that a case needs.
    pub queries: u32,
    /// Whether a case code is required.
    pub case_required: bool,
}

/// A row of the account list (B6): personal data.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRow {
    /// Tên tài khoản đăng nhập.
    pub login: String,
    /// Họ và tên; of a system account who answers for it.
    pub full_name: String,
    /// Số CCCD.
    pub citizen_id: String,
    /// Mã cán bộ (nếu có).
    pub officer_code: String,
    /// Số điện thoại.
    pub phone: String,
    /// Vai trò.
    pub role: String,
    /// Kind; a job plan opens its account itself.
    pub kind: AccountKind,
    /// Số lần truy vấn trong ngày.
    pub daily: u32,
    /// Services it may use; none: every one that is registered and that its kind may use.
    pub services: ServiceSet,
}

/// The written confirmation or minutes of the level-based security check (B2).
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Confirmation {
    /// Số văn bản.
    pub number: String,
    /// Its day, dd/mm/yyyy.
    pub date: String,
    /// Who issued it.
    pub body: String,
}

/// What a dossier says.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Content {
    /// Chức năng, nhiệm vụ, quyền hạn.
    pub functions: String,
    /// Mã hệ thống.
    pub system_code: String,
    /// Tên hệ thống thông tin, cơ sở dữ liệu.
    pub system_name: String,
    /// Cán bộ đầu mối.
    pub officer: Contact,
    /// Người đại diện: who signs the commitment (B7).
    pub representative: String,
    /// Chức vụ của người đại diện.
    pub representative_position: String,
    /// Mục đích.
    pub purpose: String,
    /// Phạm vi.
    pub scope: String,
    /// Nội dung.
    pub matter: String,
    /// Technical description of the connecting parts.
    pub technical: String,
    /// Cấp độ an toàn of the system; 0 while it is not given (C1).
    pub security_level: u8,
    /// What confirms that the level's measures were checked (B2).
    pub confirmation: Confirmation,
    /// How the unit's own system does multi-factor sign-in, captcha, limits per IP and account,
    /// protection against exhaustive scraping, with evidence (C5a), in this order.
    pub protection: [String; 4],
    /// Both tables (B5).
    pub lines: Vec<LineRow>,
    /// Wanted fields by service.
    pub uses: Vec<ServiceUse>,
    /// Procedures.
    pub procedures: Vec<ProcedureRow>,
    /// The account list.
    pub accounts: Vec<AccountRow>,
}

/// It names people.
impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Content({}, {} accounts)", self.system_code, self.accounts.len())
    }
}

macro_rules! items {
    ($($name:ident = $code:literal, $part:ident, $technical:literal, $vi:literal;)*) => {
        /// What comments and missing things name.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
        pub enum Item { $(#[doc = $vi] $name),* }

        impl Item {
            /// Every item.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word in forms.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// The part of the dossier that it stands in.
            #[must_use]
            pub const fn part(self) -> Part {
                match self { $(Self::$name => Part::$part),* }
            }

            /// Whether integrators edit it (A6: it names nobody).
            #[must_use]
            pub const fn is_technical(self) -> bool {
                match self { $(Self::$name => $technical),* }
            }

            /// Its name for people.
            #[must_use]
            pub const fn name_vi(self) -> &'static str {
                match self { $(Self::$name => $vi),* }
            }
        }
    };
}
items! {
    Functions = "functions", Registration, false, "Chức năng, nhiệm vụ, quyền hạn";
    SystemCode = "systemCode", Registration, false, "Mã hệ thống";
    SystemName = "systemName", Registration, false, "Tên hệ thống";
    OfficerName = "officerName", Registration, false, "Cán bộ đầu mối: họ tên";
    OfficerPosition = "officerPosition", Registration, false, "Cán bộ đầu mối: chức vụ";
    OfficerPhone = "officerPhone", Registration, false, "Cán bộ đầu mối: điện thoại";
    OfficerEmail = "officerEmail", Registration, false, "Cán bộ đầu mối: thư điện tử";
    OfficerWorkplace = "officerWorkplace", Registration, false, "Cán bộ đầu mối: nơi công tác";
    Representative = "representative", Commitment, false, "Người đại diện";
    RepresentativePosition = "representativePosition", Commitment, false,
        "Chức vụ của người đại diện";
    Purpose = "purpose", Registration, false, "Mục đích";
    Scope = "scope", Registration, false, "Phạm vi";
    Matter = "matter", Registration, false, "Nội dung";
    Technical = "technical", Registration, true, "Mô tả kỹ thuật phần kết nối";
    SecurityLevel = "securityLevel", Security, true, "Cấp độ an toàn của hệ thống";
    ConfirmationNumber = "confirmationNumber", Security, false, "Số văn bản xác nhận";
    ConfirmationDate = "confirmationDate", Security, false, "Ngày văn bản xác nhận";
    ConfirmationBody = "confirmationBody", Security, false, "Cơ quan xác nhận";
    Mfa = "mfa", Security, true, "Xác thực đa nhân tố";
    Captcha = "captcha", Security, true, "Ngăn tra cứu tự động (captcha)";
    Limits = "limits", Security, true, "Giới hạn lượt theo IP, tài khoản";
    Scraping = "scraping", Security, true, "Chống vét cạn dữ liệu";
    InHours = "inHours", Registration, false, "Dịch vụ trong giờ hành chính";
    OffHours = "offHours", Registration, false, "Dịch vụ ngoài giờ hành chính";
    Fields = "fields", Registration, false, "Trường thông tin theo dịch vụ";
    Sensitive = "sensitive", Registration, false, "Trường thông tin nhạy cảm";
    Procedures = "procedures", Registration, false, "Thủ tục hành chính";
    Accounts = "accounts", Accounts, false, "Danh sách tài khoản";
    CommitmentFile = "commitmentFile", Commitment, false, "Bản cam kết";
    SecurityFile = "securityFile", Security, false, "Văn bản xác nhận an ninh, an toàn";
}

impl Item {
    /// From its word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|item| item.code() == code)
    }
}

/// Queries a day that procedures need: cases per day × queries per case (B6, B10).
#[must_use]
pub fn suggested_count(rows: impl IntoIterator<Item = (u32, u32)>) -> u32 {
    let products = rows.into_iter().map(|(cases, queries)| cases.saturating_mul(queries));
    products.fold(0, u32::saturating_add)
}

/// Whether a text says something within so many characters, and nothing that no text holds.
pub(super) fn is_text(text: &str, max: usize) -> bool {
    !text.trim().is_empty() && fits(text, max)
}

fn fits(text: &str, max: usize) -> bool {
    text.chars().count() <= max && text.chars().all(|c| is_storable(c) || matches!(c, '\n' | '\r'))
}

/// Whether a system's name follows a pattern (B1): `*` stands for any run of characters.
#[must_use]
pub fn named_by(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

impl Content {
    /// Whether everything stays within its bounds.
    ///
    /// # Errors
    /// [`Blocked::TooLong`].
    pub(super) fn bounded(&self) -> Result<(), Blocked> {
        let contact = &self.officer;
        let short = [
            &self.system_code,
            &self.system_name,
            &contact.name,
            &contact.position,
            &contact.phone,
            &contact.email,
            &contact.workplace,
            &self.representative,
            &self.representative_position,
            &self.confirmation.number,
            &self.confirmation.date,
            &self.confirmation.body,
        ];
        let long = [&self.functions, &self.purpose, &self.scope, &self.matter, &self.technical];
        let rows = self.lines.len() <= LINES_MAX
            && self.uses.len() <= Service::ALL.len()
            && self.procedures.len() <= PROCEDURES_MAX
            && self.accounts.len() <= ACCOUNTS_MAX
            && self.uses.iter().all(|u| u.procedures.len() <= PROCEDURES_MAX);
        let of_accounts = self.accounts.iter().flat_map(|a| {
            [&a.login, &a.full_name, &a.citizen_id, &a.officer_code, &a.phone, &a.role]
        });
        let of_rows = self.lines.iter().map(|l| &l.purpose);
        let of_rows = of_rows
            .chain(self.uses.iter().map(|u| &u.purpose))
            .chain(self.uses.iter().flat_map(|u| &u.procedures))
            .chain(self.procedures.iter().flat_map(|p| [&p.code, &p.purpose]));
        let all_short = short.into_iter().chain(of_accounts).chain(of_rows);
        let whole = rows
            && all_short.into_iter().all(|text| fits(text, SHORT_MAX))
            && long.into_iter().chain(&self.protection).all(|text| fits(text, TEXT_MAX));
        if whole { Ok(()) } else { Err(Blocked::TooLong) }
    }

    /// This content with the technical items of another (A6).
    #[must_use]
    pub(super) fn with_technical_of(self, other: Self) -> Self {
        Self {
            technical: other.technical,
            security_level: other.security_level,
            protection: other.protection,
            ..self
        }
    }

    /// Without the account list, as whoever may not see personal data reads it (A6).
    #[must_use]
    pub fn without_people(mut self) -> Self {
        self.accounts.clear();
        self
    }

    /// Whether two contents say the same in a part.
    pub(super) fn same_in(&self, other: &Self, part: Part) -> bool {
        match part {
            Part::Accounts => self.accounts == other.accounts,
            Part::Commitment => {
                (&self.representative, &self.representative_position)
                    == (&other.representative, &other.representative_position)
            }
            Part::Security => {
                (self.security_level, &self.confirmation, &self.protection)
                    == (other.security_level, &other.confirmation, &other.protection)
            }
            Part::Registration => {
                let only = |c: &Self| Self {
                    representative: String::new(),
                    representative_position: String::new(),
                    security_level: 0,
                    confirmation: Confirmation::default(),
                    protection: Default::default(),
                    accounts: vec![],
                    ..c.clone()
                };
                only(self) == only(other)
            }
        }
    }

    /// Queries a day that the procedures of a service need.
    #[must_use]
    pub fn suggested(&self, service: Service) -> u32 {
        let uses = self.uses.iter().filter(|u| u.service == service);
        let codes: HashSet<&str> = uses.flat_map(ServiceUse::codes).collect();
        let rows = self.procedures.iter().filter(|p| codes.contains(p.code.trim()));
        suggested_count(rows.map(|p| (p.cases, p.queries)))
    }

    /// Off-hours lines together, queries a day (D4).
    #[must_use]
    pub fn off_hours_total(&self) -> u32 {
        let off = self.lines.iter().filter(|l| l.window == Window::OffHours);
        off.fold(0, |sum, line| sum.saturating_add(line.daily))
    }

    /// Sensitive fields that are wanted (A4).
    #[must_use]
    pub fn sensitive(&self) -> FieldSet {
        self.uses.iter().fold(FieldSet::EMPTY, |all, u| all.or(u.fields)).and(FieldSet::SENSITIVE)
    }

    /// Services of the two tables.
    #[must_use]
    pub fn services(&self) -> ServiceSet {
        ServiceSet::of(&self.lines.iter().map(|l| l.service).collect::<Vec<_>>())
    }

    /// What is registered when it goes live; none where something of it cannot be read.
    pub(super) fn registration(&self) -> Option<Registration> {
        let grants = self.services().iter().map(|service| self.grant(service)).collect();
        let uses: Vec<(&ServiceUse, HashSet<&str>)> =
            self.uses.iter().map(|u| (u, u.codes().collect())).collect();
        let procedures =
            self.procedures.iter().map(|row| row.procedure(&uses)).collect::<Option<_>>()?;
        let accounts = self.accounts.iter().map(|row| row.account(self)).collect::<Option<_>>()?;
        let code = SystemCode::parse(self.system_code.trim()).ok()?;
        Some(Registration { code, grants, procedures, accounts })
    }

    fn grant(&self, service: Service) -> ServiceGrant {
        let mut lines = [None, None];
        for row in self.lines.iter().filter(|row| row.service == service) {
            lines[row.window as usize] =
                Some(Line { id: LineId(0), daily: row.daily, raises: vec![] });
        }
        let fields = self.uses.iter().filter(|u| u.service == service);
        let fields = fields.fold(FieldSet::EMPTY, |all, u| all.or(u.fields));
        let ma_tich_hop = service.default_ma_tich_hop().to_owned();
        ServiceGrant { service, ma_tich_hop, fields, lines }
    }
}

impl ServiceUse {
    /// Codes of procedures, as they are compared.
    pub(super) fn codes(&self) -> impl Iterator<Item = &str> {
        self.procedures.iter().map(|code| code.trim())
    }

    /// Whether everything sensitive of another use of the service is granted by this one, for the
    /// same purpose and in no other procedure (A4).
    pub(super) fn covers(&self, other: &Self) -> bool {
        let codes: HashSet<&str> = self.codes().collect();
        self.service == other.service
            && other.sensitive().without(self.fields).is_empty()
            && self.purpose.trim() == other.purpose.trim()
            && other.codes().all(|code| codes.contains(code))
    }

    /// Sensitive fields that are wanted (A4).
    pub(super) const fn sensitive(&self) -> FieldSet {
        self.fields.and(FieldSet::SENSITIVE)
    }
}

impl ProcedureRow {
    fn procedure(&self, uses: &[(&ServiceUse, HashSet<&str>)]) -> Option<Procedure> {
        let code = self.code.trim();
        let uses = uses.iter().filter(|(_, codes)| codes.contains(code));
        let uses: Vec<&ServiceUse> = uses.map(|(of, _)| *of).collect();
        Some(Procedure {
            code: ProcedureCode::parse(code).ok()?,
            purpose: Some(Purpose::parse(self.purpose.trim()).ok()?),
            services: ServiceSet::of(&uses.iter().map(|u| u.service).collect::<Vec<_>>()),
            fields: uses.iter().fold(FieldSet::EMPTY, |all, u| all.or(u.fields)),
            valid: DateRange::default(),
            case_required: self.case_required,
        })
    }
}

impl AccountRow {
    /// The account as it is registered, with name and telephone; none where it cannot be read.
    #[must_use]
    pub(super) fn account(&self, content: &Content) -> Option<(Account, String, String)> {
        let login = Login::parse(self.login.trim()).ok()?;
        let id = self.citizen_id.trim();
        let code = self.officer_code.trim();
        let account = Account {
            daily: self.daily,
            services: self.granted(content),
            officer_code: match code {
                "" => None,
                code => Some(OfficerCode::parse(code).ok()?),
            },
            citizen_id: match id {
                "" => None,
                id => Some(PersonalId::parse(id).ok()?),
            },
            ..Account::new(AccountId(0), login, self.kind)
        };
        Some((account, self.full_name.trim().to_owned(), self.phone.trim().to_owned()))
    }

    /// What it may use: of what is registered, what is named or all, and verify only as a system
    /// account (B6).
    fn granted(&self, content: &Content) -> ServiceSet {
        let registered = content.services();
        let asked = if self.services.0 == 0 { registered } else { self.services };
        let only = |s: &Service| self.kind != AccountKind::System || s.verifies_only();
        let both = asked.iter().filter(|s| registered.contains(*s)).filter(only);
        ServiceSet::of(&both.collect::<Vec<_>>())
    }
}

/// What a dossier registers when it goes live. Ids are the store's to give.
#[derive(Clone)]
pub struct Registration {
    /// Mã hệ thống.
    pub code: SystemCode,
    /// Services with their fields and lines.
    pub grants: Vec<ServiceGrant>,
    /// Procedures.
    pub procedures: Vec<Procedure>,
    /// Accounts, each with name and telephone.
    pub accounts: Vec<(Account, String, String)>,
}
