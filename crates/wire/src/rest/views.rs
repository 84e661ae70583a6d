//! What a system reads about itself: usage, refusals, its own journal.
//!
//! The server fills these structs; they serialize and document themselves.

use dancu_domain::ids::{AccountId, Login};
use dancu_domain::moment::Moment;
use dancu_domain::refusal::Reason;
use dancu_domain::service::{Service, Window};
use dancu_gate::query::CorrelationId;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
pub(super) fn moment<S: Serializer>(at: &Moment, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.rfc3339())
}

#[expect(clippy::ref_option, reason = "serde hands out references")]
pub(super) fn some_moment<S: Serializer>(
    at: &Option<Moment>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => moment(at, serializer),
        None => serializer.serialize_none(),
    }
}

fn correlation<S: Serializer>(id: &CorrelationId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

/// Serializing plain structs into memory cannot fail; an empty object would show if it did.
pub(super) fn to_json<T: Serialize>(view: &T) -> String {
    serde_json::to_string(view).unwrap_or_else(|_| "{}".to_owned())
}

macro_rules! renders {
    ($($name:ident),*) => {$(
        impl $name {
            /// 200 with this body.
            pub fn render(&self) -> $crate::rest::Rendered {
                $crate::rest::Rendered::ok($crate::rest::views::to_json(self))
            }
        }
    )*};
}
pub(super) use renders;
renders!(UsageView, RefusalView, JournalPage);

/// Số lượt đã dùng trong ngày trực · `GET /api/v1/usage`: the caller's lines of both windows.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsageView {
    /// Ngày trực, bắt đầu 07:00 · Duty day, `YYYY-MM-DD`
    #[schema(value_type = String, format = Date, examples("2026-03-02"))]
    pub duty_day: String,
    /// Khung giờ hiện tại · The window now
    #[schema(value_type = WindowWord)]
    pub window: Window,
    /// Các dòng đăng ký · Registered lines
    pub lines: Vec<LineUse>,
    /// Tổng ngoài giờ · All off-hours lines together
    pub off_hours_total: OffHoursTotal,
    /// Tài khoản · Accounts
    pub accounts: Vec<AccountUse>,
}

/// Một dòng đăng ký: dịch vụ và khung giờ · A registered line.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LineUse {
    /// Dịch vụ · Service
    #[schema(value_type = ServiceWord)]
    pub service: Service,
    /// Khung giờ · Window
    #[schema(value_type = WindowWord)]
    pub window: Window,
    /// Số lượt đăng ký, gồm phần tăng tạm thời · Count a day, temporary raises included
    pub registered: u32,
    /// Đã dùng · Used
    pub used: u32,
    /// Còn lại · Left
    pub left: u32,
    /// Giờ tính lại · When the count begins anew
    #[serde(serialize_with = "moment")]
    #[schema(value_type = String, format = DateTime)]
    pub resets_at: Moment,
    /// Số lần vượt trong ngày (D3) · Exceedances of the day
    pub exceedances: u32,
    /// Khóa, nếu có · The lock in force
    #[schema(required = true)]
    pub locked: Option<LockView>,
}

/// Khóa của một dòng · A line's lock.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LockView {
    /// Từ lúc · Since
    #[serde(serialize_with = "moment")]
    #[schema(value_type = String, format = DateTime)]
    pub since: Moment,
    /// Quy tắc · Rule
    #[schema(value_type = String, examples("D3"))]
    pub rule_id: &'static str,
    /// Đến lúc; null = đến khi có người mở · Until; null = until a named person lifts it
    #[serde(serialize_with = "some_moment")]
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub until: Option<Moment>,
}

/// Tổng số lượt ngoài giờ (D4) · The off-hours total.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OffHoursTotal {
    /// Mức trần · Cap
    pub cap: u32,
    /// Đã dùng · Used
    pub used: u32,
}

/// Số lượt của một tài khoản · An account's use.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountUse {
    /// Tên đăng nhập · Login
    pub login: String,
    /// Số lượt trung bình đăng ký một ngày · Declared daily average
    pub daily: u32,
    /// Đã dùng · Used
    pub used: u32,
    /// Mức dừng cứng (D2) · Hard stop
    pub hard_stop: u32,
}

/// Logins may be citizen ids: debug output never shows them.
impl std::fmt::Debug for AccountUse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AccountUse(***, {} of {})", self.used, self.hard_stop)
    }
}

/// Vị trí trong nhật ký · A place in the journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JournalRef {
    /// Số thứ tự · Index
    pub index: u64,
}

/// `GET /api/v1/refusals/{correlationId}`: why, and what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefusalView {
    /// The refusal's id.
    pub correlation: CorrelationId,
    /// Why it was refused.
    pub reason: Reason,
    /// When, by the product's clock.
    pub at: Moment,
    /// The service that was asked for; `None` where it could not be read.
    pub service: Option<Service>,
    /// Its journal entry.
    pub journal_index: u64,
}

/// Giải thích một lần từ chối · A refusal explained.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Refusal)]
pub(super) struct RefusalJson {
    /// Mã tra cứu · Correlation id, 32 hex digits
    #[serde(serialize_with = "correlation")]
    #[schema(value_type = String, pattern = "^[0-9a-f]{32}$")]
    correlation_id: CorrelationId,
    /// Quy tắc · Rule
    #[schema(value_type = String, examples("D2"))]
    rule_id: &'static str,
    /// Lý do, tiếng Anh · Reason in English
    #[schema(value_type = String)]
    title: &'static str,
    /// Lý do · Reason in Vietnamese
    #[schema(value_type = String)]
    title_vi: &'static str,
    /// Cần làm gì · What to do, in Vietnamese
    #[schema(value_type = String)]
    what_to_do_vi: &'static str,
    /// Lúc · When
    #[serde(serialize_with = "moment")]
    #[schema(value_type = String, format = DateTime)]
    at: Moment,
    /// Dịch vụ · Service
    #[schema(value_type = Option<ServiceWord>, required = true)]
    service: Option<Service>,
    /// Mục nhật ký · Journal entry
    journal: JournalRef,
    /// Liên hệ · Whom to call, in Vietnamese
    #[schema(value_type = String)]
    contact_vi: &'static str,
}

impl Serialize for RefusalView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.reason.text();
        RefusalJson {
            correlation_id: self.correlation,
            rule_id: text.rule.code(),
            title: text.title,
            title_vi: text.title_vi,
            what_to_do_vi: text.what_to_do_vi,
            at: self.at,
            service: self.service,
            journal: JournalRef { index: self.journal_index },
            contact_vi: Reason::contact_vi(),
        }
        .serialize(serializer)
    }
}

/// An account as a journal page names it. A login that is a citizen id is personal data (B6):
/// then the number of the account's row stands for it.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountLabel(String);

impl AccountLabel {
    /// The login, or `#<id>`.
    pub fn of(login: &Login, id: AccountId) -> Self {
        if login.is_personal_data() { Self::row(id) } else { Self(login.as_str().to_owned()) }
    }

    /// `#<id>`, for an account whose login is not known any more.
    pub fn row(id: AccountId) -> Self {
        Self(format!("#{}", id.0))
    }
}

impl std::fmt::Debug for AccountLabel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccountLabel(***)")
    }
}

impl Serialize for AccountLabel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Trang nhật ký của chính hệ thống gọi · The caller's own entries, oldest first (F1).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JournalPage {
    /// Các mục · Entries, by rising index
    pub entries: Vec<JournalEntryView>,
    /// `from` của trang sau; null = hết · `from` of the next page; null = no more
    #[schema(required = true)]
    pub next: Option<u64>,
}

/// Một mục nhật ký, không có dữ liệu cá nhân · A journal entry without personal data.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JournalEntryView {
    /// Số thứ tự · Index in the journal
    pub index: u64,
    /// Lúc · When it arrived
    #[serde(serialize_with = "moment")]
    #[schema(value_type = String, format = DateTime)]
    pub at: Moment,
    /// Quyết định · Decision
    pub decision: EntryDecision,
    /// Quy tắc, khi từ chối · Rule of a refusal
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, examples("D2"))]
    pub rule_id: Option<&'static str>,
    /// Lý do, khi từ chối · Name of a refusal's reason
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, examples("LineUsedUp"))]
    pub reason: Option<&'static str>,
    /// Dịch vụ; null = không đọc được · Service; null = could not be read
    #[schema(value_type = Option<ServiceWord>, required = true)]
    pub service: Option<Service>,
    /// Khung giờ · Window
    #[schema(value_type = WindowWord)]
    pub window: Window,
    /// Ngày trực · Duty day, `YYYY-MM-DD`
    #[schema(value_type = String, format = Date)]
    pub duty_day: String,
    /// Tài khoản: tên đăng nhập hoặc `#số`; null = không rõ · Account; null = unknown
    #[schema(value_type = Option<String>, required = true)]
    pub account: Option<AccountLabel>,
    /// Mã thủ tục · Procedure
    #[schema(required = true)]
    pub procedure: Option<String>,
    /// Mã hồ sơ · Case code, where stated
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_code: Option<String>,
    /// Mục đích · Purpose, stated or derived
    #[schema(required = true)]
    pub purpose: Option<String>,
    /// Số lượt đã tính · How many queries it counted
    pub counted: u32,
    /// Kênh · Channel: `soap`, `rest` or `lgsp`
    #[schema(value_type = String, examples("rest"))]
    pub channel: &'static str,
    /// SHA-256 rút gọn của mã yêu cầu · First 16 bytes of SHA-256 of the request id, hex
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id_digest: Option<String>,
    /// Loại câu trả lời; không có khi từ chối · Class of answer; missing on refusals
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<EntryAnswer>,
    /// Mã tra cứu · Correlation id
    #[serde(serialize_with = "correlation")]
    #[schema(value_type = String, pattern = "^[0-9a-f]{32}$")]
    pub correlation_id: CorrelationId,
}

/// The reason's name as callers may see it: unknown, foreign and dead accounts look alike.
pub const fn public_reason(reason: Reason) -> &'static str {
    match reason {
        Reason::AccountWithoutService => Reason::AccountUnknown.name(),
        reason => reason.name(),
    }
}

/// Quyết định · What was decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum EntryDecision {
    /// Answered and counted.
    Accepted,
    /// Refused.
    Refused,
    /// Answered again, not counted.
    Repeat,
}

/// Loại câu trả lời · Class of answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum EntryAnswer {
    /// The keys agreed; of a check: it holds.
    Match,
    /// No such citizen, or the keys did not agree.
    NoMatch,
    /// The keys agreed, the check does not hold.
    Mismatch,
    /// The keys agreed, the record says nothing.
    Unknown,
    /// Data was delivered.
    Delivered,
}

/// Khung giờ · Window: in hours 07:00-18:00, off hours 18:00-07:00.
#[derive(ToSchema)]
#[schema(as = Window, rename_all = "camelCase")]
#[expect(dead_code, reason = "it only documents the words that Window serializes to")]
pub(super) enum WindowWord {
    InHours,
    OffHours,
}

/// Dịch vụ · Service code.
pub(super) struct ServiceWord;

impl utoipa::PartialSchema for ServiceWord {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some("Dịch vụ · Service"))
            .enum_values(Some(Service::ALL.map(Service::code)))
            .into()
    }
}

impl ToSchema for ServiceWord {
    fn name() -> std::borrow::Cow<'static, str> {
        "Service".into()
    }
}
