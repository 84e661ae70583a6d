//! Monthly statements of the calling system (A7). The documents themselves are sent byte for byte
//! as they were signed.

use dancu_domain::moment::Moment;
use serde::Serialize;
use utoipa::ToSchema;

use super::views::{moment, renders};

/// Các bản xác nhận của hệ thống gọi · `GET /api/v1/statements`: the newest first, corrections too.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatementsView {
    /// Bản xác nhận · Statements
    pub statements: Vec<StatementRef>,
    /// Dòng khóa công khai của nhật ký · The public key line of the log (C2SP signed-note)
    pub log_key: String,
}

/// Một bản xác nhận tháng · A monthly statement.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatementRef {
    /// Số · Number
    #[schema(examples("XN-2026-00012"))]
    pub number: String,
    /// Tháng · Month of duty days, `YYYY-MM`
    #[schema(examples("2026-03"))]
    pub month: String,
    /// Phiên bản; bản sau thay bản trước · Version; a later one replaces the earlier
    pub version: u32,
    /// Lập lúc · When it was made
    #[serde(serialize_with = "moment")]
    #[schema(value_type = String, format = DateTime)]
    pub made_at: Moment,
    /// SHA-256 của tệp JSON · SHA-256 of the JSON, hex
    pub sha256: String,
}

renders!(StatementsView);
