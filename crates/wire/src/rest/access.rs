//! Tokens, the sandbox clock and the health of the program.

use dancu_domain::moment::Moment;
use serde::Serialize;
use utoipa::ToSchema;

use super::Rendered;
use super::views::{moment, renders, to_json};

renders!(TokenView, ClockView);

/// Mã truy cập (RFC 6749) · An access token.
#[derive(Clone, Serialize, ToSchema)]
pub struct TokenView {
    /// Mã truy cập · The token
    pub access_token: String,
    /// Loại mã · `Bearer`
    #[schema(value_type = String, examples("Bearer"))]
    pub token_type: &'static str,
    /// Số giây còn hiệu lực · Life time, seconds
    pub expires_in: u32,
}

impl TokenView {
    /// A bearer token that lives this many seconds.
    pub fn bearer(access_token: String, expires_in: u32) -> Self {
        Self { access_token, token_type: "Bearer", expires_in }
    }
}

/// Mã lỗi của điểm cấp mã truy cập · Errors of the token endpoint (RFC 6749 section 5.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OauthError {
    /// A parameter is missing, doubled or not readable.
    InvalidRequest,
    /// Client authentication failed.
    InvalidClient,
    /// The grant is not valid for this client.
    InvalidGrant,
    /// The client may not use this grant.
    UnauthorizedClient,
    /// Only `client_credentials` is offered.
    UnsupportedGrantType,
    /// The scope is unknown.
    InvalidScope,
}

/// Lỗi của điểm cấp mã truy cập · An error of the token endpoint.
#[derive(Clone, Serialize, ToSchema)]
pub struct OauthErrorView {
    /// Mã lỗi RFC 6749 · RFC 6749 error code
    pub error: OauthError,
    /// Giải thích · In words
    #[schema(value_type = String)]
    pub error_description: &'static str,
}

impl OauthError {
    /// 400, or 401 with a challenge where the client could not be authenticated.
    pub fn render(self) -> Rendered {
        // RFC 6749 allows ASCII only in error_description.
        let error_description = match self {
            Self::InvalidRequest => "A parameter is missing, doubled or malformed.",
            Self::InvalidClient => "Client authentication failed.",
            Self::InvalidGrant => "The grant is not valid for this client.",
            Self::UnauthorizedClient => "The client may not use this grant.",
            Self::UnsupportedGrantType => "Only client_credentials is offered.",
            Self::InvalidScope => "The scope is unknown.",
        };
        let is_client = self == Self::InvalidClient;
        let body = to_json(&OauthErrorView { error: self, error_description });
        let www_authenticate = is_client.then_some("Basic realm=\"dancu\"");
        let status = if is_client { 401 } else { 400 };
        Rendered { www_authenticate, ..Rendered::json(status, body) }
    }
}

/// Đồng hồ môi trường thử · The sandbox clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClockView {
    /// Giờ của sản phẩm · The product's time
    #[serde(serialize_with = "moment")]
    #[schema(value_type = String, format = DateTime)]
    pub now: Moment,
    /// Chênh so với giờ máy, mili giây · Offset from the machine's clock, ms
    pub offset_ms: i64,
}

/// Trạng thái vận hành · Health of the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Health {
    /// Trạng thái · `ok` or `unavailable`
    #[schema(value_type = String, examples("ok"))]
    pub status: &'static str,
}

impl Health {
    /// 200 `{"status":"ok"}`, or 503 `{"status":"unavailable"}`.
    pub fn render(ok: bool) -> Rendered {
        let (status, word) = if ok { (200, "ok") } else { (503, "unavailable") };
        Rendered::json(status, to_json(&Self { status: word }))
    }
}
