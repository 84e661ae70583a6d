//! **access**: who is asking. Systems by the SOAP header, access tokens, client authentication and
//! client certificates; people by what [`people`] checks, or by an identity provider ([`oidc`]).
//!
//! It knows credentials and the machine's clock as an argument; it knows no counts and no rules.
//!
//! **Invariant:** a wrong credential and an unknown one cost the same and look the same.

pub mod certificate;
pub mod client;
pub mod debugger;
pub mod oidc;
pub mod people;
pub mod public_key;
pub mod soap;
pub mod token;

use std::net::IpAddr;

use dancu_domain::moment::Moment;

/// From where and when a system proves itself.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Its address.
    pub source: IpAddr,
    /// Product's clock: the end of a secret.
    pub at: Moment,
    /// Machine's clock, ms: how fresh a proof is.
    pub machine: i64,
}

/// Why a caller was not authenticated. What the caller is told is one sentence for all of them;
/// the cause goes into the aggregate of the minute (architecture, step 5).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AuthFailure {
    /// No credential at all.
    #[error("missing credential")]
    Missing,
    /// Cannot be read.
    #[error("malformed credential")]
    Malformed,
    /// Unknown user or client, wrong hash or secret.
    #[error("wrong credential")]
    Wrong,
    /// Timestamp outside ±5 minutes of the machine's clock, or an expired token.
    #[error("stale credential")]
    Stale,
    /// The triple was used with another body.
    #[error("replayed credential")]
    Replayed,
    /// It could not be looked up what is registered now: nobody is let in on what was.
    #[error("registrations cannot be read")]
    Unavailable,
    /// `X-Road-Client` is not the registered subsystem.
    #[error("foreign subsystem")]
    ForeignSubsystem,
    /// The client certificate is missing or not a registered one.
    #[error("foreign certificate")]
    ForeignCertificate,
    /// Not from a network that is registered for the system.
    #[error("foreign source")]
    ForeignSource,
}

impl AuthFailure {
    /// What may be told to a caller who has not proved anything.
    pub const fn message_vi(self) -> &'static str {
        match self {
            Self::Missing => "Thiếu thông tin xác thực.",
            Self::Malformed => "Thông tin xác thực sai định dạng.",
            Self::Wrong
            | Self::ForeignSubsystem
            | Self::ForeignCertificate
            | Self::ForeignSource => "Thông tin xác thực không đúng.",
            Self::Stale => "Thông tin xác thực đã hết hạn hoặc đồng hồ máy gửi bị lệch.",
            Self::Replayed => "Thông tin xác thực đã dùng cho một nội dung khác.",
            Self::Unavailable => "Hệ thống tạm thời chưa xác thực được, hãy gửi lại sau ít giây.",
        }
    }

    /// The same in English.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Missing => "Credentials are missing.",
            Self::Malformed => "Credentials cannot be read.",
            Self::Wrong
            | Self::ForeignSubsystem
            | Self::ForeignCertificate
            | Self::ForeignSource => "Credentials are wrong.",
            Self::Stale => "Credentials are stale, or the sender's clock is off.",
            Self::Replayed => "Credentials were used with another body.",
            Self::Unavailable => "Credentials cannot be checked at the moment; try again shortly.",
        }
    }
}
