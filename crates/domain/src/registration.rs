//! What is registered: systems, services, lines, accounts, procedures, plans - the immutable
//! snapshot that decisions are taken over.

mod account;

use hashbrown::HashMap;
use std::sync::Arc;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use self::account::{Account, AccountKind, AccountList, AccountState};
pub use crate::credentials::{
    CertificateMode, Certificates, Facts, OauthAccess, Secret, SoapAccess,
};
use crate::ids::{
    AccountId, LineId, PlanId, ProcedureCode, Purpose, SystemCode, SystemId, UnitCode,
};
use crate::moment::Moment;
use crate::plans::ClockRange;
use crate::service::{FieldSet, Service, ServiceSet, Window};

/// Groups of users (A1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[repr(u8)]
pub enum Group {
    /// State agencies and their databases.
    State = 1,
    /// Credit, telecoms, certification, notaries, public services.
    PublicService = 2,
    /// Citizens.
    Citizen = 3,
    /// Any other.
    Other = 4,
}

impl Group {
    /// From its number.
    pub const fn from_number(n: u8) -> Option<Self> {
        match n {
            1 => Some(Self::State),
            2 => Some(Self::PublicService),
            3 => Some(Self::Citizen),
            4 => Some(Self::Other),
            _ => None,
        }
    }
}

/// Ways to use the database (A2). SOAP, REST and provincial JSON are all [`Channel::Api`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[repr(u8)]
pub enum Channel {
    /// Giao diện lập trình ứng dụng (T46 art. 5.2).
    Api = 0,
    /// Public-service portals.
    Portal = 1,
    /// One-stop systems.
    OneStop = 2,
    /// Văn bản yêu cầu.
    WrittenRequest = 3,
    /// Trục liên thông văn bản quốc gia.
    DocumentAxis = 4,
    /// Tin nhắn.
    Sms = 5,
}

/// The state of a connection (B3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[repr(u8)]
pub enum ConnectionState {
    /// Not yet live.
    Preparing = 0,
    /// In use.
    Live = 1,
    /// Administrative stop that ends with its cause.
    Suspended = 2,
    /// Stop for security or count, ended by a named act.
    Locked = 3,
    /// Final.
    Closed = 4,
}

impl ConnectionState {
    /// From its number.
    pub const fn from_number(n: u8) -> Option<Self> {
        match n {
            0 => Some(Self::Preparing),
            1 => Some(Self::Live),
            2 => Some(Self::Suspended),
            3 => Some(Self::Locked),
            4 => Some(Self::Closed),
            _ => None,
        }
    }

    /// The word in demo.json and answers.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Live => "live",
            Self::Suspended => "suspended",
            Self::Locked => "locked",
            Self::Closed => "closed",
        }
    }
}

/// Days from `from` to `to`, both inclusive; open ends where `None`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct DateRange {
    /// First day.
    pub from: Option<Date>,
    /// Last day.
    pub to: Option<Date>,
}

impl DateRange {
    /// Whether the day lies in the range.
    pub fn contains(self, day: Date) -> bool {
        self.from.is_none_or(|f| f <= day) && self.to.is_none_or(|t| day <= t)
    }
}

/// A registered service with its grant and its two lines (A4, B5).
#[derive(Clone, Debug)]
pub struct ServiceGrant {
    /// Which service.
    pub service: Service,
    /// Its code on the wire for this system (MaTichHop).
    pub ma_tich_hop: String,
    /// Fields granted; a grant starts empty (A4).
    pub fields: FieldSet,
    /// The lines, by window; `None`: not registered for that window.
    pub lines: [Option<Line>; 2],
}

impl ServiceGrant {
    /// The line of a window.
    pub fn line(&self, window: Window) -> Option<&Line> {
        self.lines[window as usize].as_ref()
    }
}

/// A line: system × service × window, with its daily count.
#[derive(Clone, Debug)]
pub struct Line {
    /// Row id.
    pub id: LineId,
    /// Số lượt truy vấn (theo ngày).
    pub daily: u32,
    /// Temporary raises (D8), past ones left out.
    pub raises: Vec<Raise>,
}

impl Line {
    /// The count in force at an instant, and what raises have to do with it (D8).
    pub fn limit(&self, at: Moment) -> LineLimit {
        let mut limit = LineLimit { count: self.daily, raise_began: None, raise_approved: None };
        for raise in self.raises.iter().filter(|r| r.begins() <= at && r.is_raise()) {
            limit.raise_began = limit.raise_began.max(Some(raise.begins()));
            limit.raise_approved = limit.raise_approved.max(Some(raise.approved_at));
            if at < raise.to {
                limit.count = limit.count.saturating_add(raise.extra);
            }
        }
        limit
    }
}

/// The count of a line at an instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LineLimit {
    /// Registered count plus the raises in force.
    pub count: u32,
    /// When the latest raise that has begun came into force.
    pub raise_began: Option<Moment>,
    /// The latest approval among the raises that have begun: it ends an earlier lock (D3).
    pub raise_approved: Option<Moment>,
}

/// A temporary raise of a line (D8): in force at once, ends by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Raise {
    /// Queries a day on top of the registered count.
    pub extra: u32,
    /// When the operator granted it.
    pub approved_at: Moment,
    /// Start.
    pub from: Moment,
    /// End, exclusive.
    pub to: Moment,
}

impl Raise {
    /// When it comes into force: not before it was approved.
    pub fn begins(&self) -> Moment {
        self.approved_at.max(self.from)
    }

    /// Whether it gives anything: more than nothing, for longer than nothing.
    pub fn is_raise(&self) -> bool {
        self.extra > 0 && self.begins() < self.to
    }
}

/// A procedure of the catalogue with its purpose, services and fields (A5, B10).
#[derive(Clone, Debug)]
pub struct Procedure {
    /// Mã thủ tục.
    pub code: ProcedureCode,
    /// Registered purpose; none: a question is refused (A5).
    pub purpose: Option<Purpose>,
    /// Services it may use.
    pub services: ServiceSet,
    /// Fields it may use; granted fields outside are not answered.
    pub fields: FieldSet,
    /// Validity.
    pub valid: DateRange,
    /// Whether a case code is required (A5).
    pub case_required: bool,
}

/// An approved job plan (D5).
#[derive(Clone, Debug)]
pub struct Plan {
    /// Row id.
    pub id: PlanId,
    /// Services it covers.
    pub services: ServiceSet,
    /// When within each window it covers, by [`Window`]; `None`: not in that window.
    pub hours: [Option<ClockRange>; 2],
    /// Its own daily count outside the lines and the off-hours total (D4); `None`: it counts on
    /// the ordinary lines.
    pub own_count: Option<u32>,
    /// Validity.
    pub valid: DateRange,
}

/// How request ids of a system are read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[repr(u8)]
pub enum RequestIdMode {
    /// Unique per system for 24 hours.
    Strict = 0,
    /// For clients that re-use MaYeuCau: an id is unique with its body.
    Lenient = 1,
}

/// Which verify answer a system is pinned to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[repr(u8)]
pub enum VerifyShape {
    /// `XacThucThongTinCongDanResponse` with both `TonTai` and `SoLuongCongDan`.
    Both = 0,
    /// `KetQuaXacThucResponse/TonTai` only.
    KetQuaXacThuc = 1,
}

/// One shared MaCanBo of an older client, mapped to a system account until a day (E1).
#[derive(Clone, Debug)]
pub struct SharedOfficer {
    /// The value that the client sends for everybody, lower case.
    pub value: String,
    /// The system account it stands for.
    pub account: AccountId,
    /// Last day.
    pub until: Date,
}

/// A connected system with everything that a decision needs.
#[derive(Clone)]
pub struct System {
    /// Row id.
    pub id: SystemId,
    /// Code.
    pub code: SystemCode,
    /// The unit it belongs to.
    pub unit: UnitCode,
    /// Group (A1).
    pub group: Group,
    /// State (B3).
    pub state: ConnectionState,
    /// Channels approved for this unit beyond its group's (A2).
    pub channel_exceptions: Vec<Channel>,
    /// Registered services, by [`Service::index`].
    pub services: [Option<ServiceGrant>; 12],
    /// Procedures by code.
    pub procedures: HashMap<ProcedureCode, Procedure>,
    /// Accounts; see [`System::account`].
    pub accounts: AccountList,
    /// Job plans.
    pub plans: Vec<Plan>,
    /// Shared officer values (E1).
    pub shared_officers: Vec<SharedOfficer>,
    /// How request ids are read.
    pub request_ids: RequestIdMode,
    /// Shape of the verify answer.
    pub verify_shape: VerifyShape,
    /// Shape of the provincial JSON answer, by name.
    pub lgsp_shape: Option<String>,
    /// SOAP header, where registered.
    pub soap: Option<SoapAccess>,
    /// OAuth client, where registered.
    pub oauth: Option<OauthAccess>,
    /// Client certificates, which stand beside the secrets.
    pub certificates: Certificates,
    /// What is known of each credential, and from where the system calls.
    pub facts: Facts,
    /// Version of the credentials: tokens name it and die when it changes.
    pub credential_version: u32,
}

impl System {
    /// A system as it begins: being prepared, nothing granted, no way in (A4). It will have to
    /// show a registered client certificate.
    pub fn new(id: SystemId, code: SystemCode, unit: UnitCode, group: Group) -> Self {
        Self {
            id,
            code,
            unit,
            group,
            state: ConnectionState::Preparing,
            channel_exceptions: vec![],
            services: Default::default(),
            procedures: HashMap::new(),
            accounts: AccountList::new(vec![]),
            plans: vec![],
            shared_officers: vec![],
            request_ids: RequestIdMode::Strict,
            verify_shape: VerifyShape::Both,
            lgsp_shape: None,
            soap: None,
            oauth: None,
            certificates: Certificates::default(),
            facts: Facts::default(),
            credential_version: 1,
        }
    }

    /// The registered service.
    pub fn service(&self, service: Service) -> Option<&ServiceGrant> {
        self.services[service.index()].as_ref()
    }
}

/// Everything registered at one policy epoch. Decisions are taken over one such value.
pub struct Snapshot {
    /// Raised by every change to systems, accounts, grants, locks and profile.
    pub epoch: u64,
    systems: Vec<Arc<System>>,
    by_code: HashMap<SystemCode, usize>,
    by_soap_user: HashMap<String, usize>,
    by_client_id: HashMap<String, usize>,
    by_id: HashMap<SystemId, usize>,
}

impl Snapshot {
    /// Indexes the systems.
    pub fn new(epoch: u64, systems: Vec<System>) -> Self {
        let systems: Vec<_> = systems.into_iter().map(Arc::new).collect();
        let mut s = Self {
            epoch,
            by_code: HashMap::new(),
            by_soap_user: HashMap::new(),
            by_client_id: HashMap::new(),
            by_id: HashMap::new(),
            systems: vec![],
        };
        for (i, system) in systems.iter().enumerate() {
            s.by_code.insert(system.code.clone(), i);
            s.by_id.insert(system.id, i);
            if let Some(soap) = &system.soap {
                s.by_soap_user.insert(soap.user.clone(), i);
            }
            if let Some(oauth) = &system.oauth {
                s.by_client_id.insert(oauth.client_id.clone(), i);
            }
        }
        s.systems = systems;
        s
    }

    /// All systems.
    pub fn systems(&self) -> &[Arc<System>] {
        &self.systems
    }

    /// By row id.
    pub fn by_id(&self, id: SystemId) -> Option<&Arc<System>> {
        self.by_id.get(&id).map(|i| &self.systems[*i])
    }

    /// By code.
    pub fn by_code(&self, code: &SystemCode) -> Option<&Arc<System>> {
        self.by_code.get(code).map(|i| &self.systems[*i])
    }

    /// By the user of the SOAP header.
    pub fn by_soap_user(&self, user: &str) -> Option<&Arc<System>> {
        self.by_soap_user.get(user).map(|i| &self.systems[*i])
    }

    /// By OAuth client id.
    pub fn by_client_id(&self, client_id: &str) -> Option<&Arc<System>> {
        self.by_client_id.get(client_id).map(|i| &self.systems[*i])
    }
}
