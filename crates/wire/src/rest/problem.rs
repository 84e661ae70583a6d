//! Refusals as RFC 9457 problems (A3): the rule, a plain reason and what to do.

use dancu_domain::refusal::Reason;
use dancu_domain::rule::RuleId;
use dancu_gate::query::{CorrelationId, Denied, FieldError, Unreadable, Usage};

use super::json::Object;
use super::render::{journal, quoted, usage};
use super::{PROBLEM_JSON, Rendered};

/// Where problems point: the catalogue of refusals on the reference pages.
const CATALOGUE: &str = "/docs/errors";

/// Renders a refusal of the gate.
pub fn denied(
    why: &Denied,
    correlation: CorrelationId,
    left: Option<Usage>,
    journal_index: Option<u64>,
) -> Rendered {
    let status = why.refusal.reason.text().kind.http_status();
    denied_as(status, why, correlation, left, journal_index)
}

/// Renders a refusal of the gate under another HTTP status: what HTTP itself refuses (400, 415) is
/// journaled as input that could not be read.
pub fn denied_as(
    status: u16,
    why: &Denied,
    correlation: CorrelationId,
    left: Option<Usage>,
    journal_index: Option<u64>,
) -> Rendered {
    let (text, retry_after) = (why.refusal.reason.text(), why.refusal.retry_after_s);
    let mut body = String::with_capacity(768);
    let mut object = Object::begin(&mut body);
    kind(&mut object, Some(text.rule));
    head(&mut object, status, text.title, text.title_vi);
    object.text("ruleId", text.rule.code());
    object.text("code", text.soap_code);
    object.text("whatToDoVi", text.what_to_do_vi);
    object.correlation(correlation);
    if let Some(seconds) = retry_after {
        object.number("retryAfter", u64::from(seconds));
    }
    if let Some(left) = left {
        usage(&mut object, left);
    }
    if let Some(index) = journal_index {
        journal(&mut object, index);
    }
    if !why.errors.is_empty() {
        errors(object.key("errors"), &why.errors);
    }
    object.end();
    Rendered { status, content_type: PROBLEM_JSON, body, retry_after, www_authenticate: None }
}

/// Renders input that was not journaled: parameters of the caller's own reports, the sandbox clock.
pub fn input_problem(unreadable: &Unreadable, correlation: CorrelationId) -> Rendered {
    let reason = unreadable.reason.unwrap_or(Reason::InvalidInput);
    let why = Denied { errors: unreadable.errors.clone(), ..Denied::from(reason) };
    denied(&why, correlation, None, None)
}

/// The type of a problem: the rule's entry in the catalogue, where a rule applies.
fn kind(object: &mut Object<'_>, rule: Option<RuleId>) {
    let Some(rule) = rule else { return object.raw("type", "\"about:blank\"") };
    let kind = object.key("type");
    kind.push('"');
    kind.push_str(CATALOGUE);
    kind.push('#');
    kind.push_str(rule.code());
    kind.push('"');
}

fn head(object: &mut Object<'_>, status: u16, title: &str, title_vi: &str) {
    object.text("title", title);
    object.text("titleVi", title_vi);
    object.number("status", u64::from(status));
}

fn errors(out: &mut String, errors: &[FieldError]) {
    out.push('[');
    for (i, error) in errors.iter().enumerate() {
        out.push_str(if i > 0 { ",{\"field\":" } else { "{\"field\":" });
        quoted(out, &error.field);
        out.push_str(",\"messageVi\":");
        quoted(out, &error.message_vi);
        out.push('}');
    }
    out.push(']');
}

/// Refusals of the HTTP layer, before any rule is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HttpProblem {
    /// 400: the request is no HTTP that we read.
    BadRequest,
    /// 401: no credential, or not a valid one.
    Unauthorized,
    /// 404: no such thing, or not the caller's to know.
    NotFound,
    /// 405.
    MethodNotAllowed,
    /// 409: the sandbox clock only moves forward.
    ClockBackwards,
    /// 413.
    TooLarge,
    /// 415.
    UnsupportedMediaType,
    /// 429: what a system reads about itself, too often.
    TooOften,
    /// 500: our fault.
    Internal,
    /// 503: starting, draining or overloaded.
    Unavailable,
}

impl HttpProblem {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::BadRequest,
        Self::Unauthorized,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::ClockBackwards,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::TooOften,
        Self::Internal,
        Self::Unavailable,
    ];

    /// HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::ClockBackwards => 409,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::TooOften => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }

    /// The rule behind it; `None`: HTTP itself refuses, before any rule is asked.
    pub const fn rule(self) -> Option<RuleId> {
        match self {
            Self::TooOften => Some(RuleId::D7),
            _ => None,
        }
    }

    /// English title, Vietnamese title, what to do in Vietnamese.
    pub const fn texts(self) -> [&'static str; 3] {
        match self {
            Self::BadRequest => [
                "The request is malformed.",
                "Yêu cầu HTTP không đúng dạng.",
                "Kiểm tra dòng yêu cầu và các tiêu đề HTTP.",
            ],
            Self::Unauthorized => [
                "A valid access token is needed.",
                "Cần mã truy cập hợp lệ.",
                "Lấy mã truy cập mới tại /oauth/token rồi gửi trong tiêu đề Authorization: Bearer.",
            ],
            Self::NotFound => [
                "Not found.",
                "Không có mục này, hoặc mục này không thuộc hệ thống của bạn.",
                "Kiểm tra đường dẫn và mã tra cứu.",
            ],
            Self::MethodNotAllowed => [
                "Method not allowed.",
                "Đường dẫn này không nhận phương thức HTTP đang dùng.",
                "Dùng phương thức nêu trong tiêu đề Allow.",
            ],
            Self::ClockBackwards => [
                "The sandbox clock only moves forward.",
                "Đồng hồ môi trường thử chỉ chỉnh tới, không chỉnh lùi.",
                "Gửi một thời điểm sau giờ hiện tại của sản phẩm.",
            ],
            Self::TooLarge => [
                "The body is larger than allowed.",
                "Nội dung yêu cầu lớn hơn mức cho phép.",
                "Giữ nội dung yêu cầu trong 64 KiB.",
            ],
            Self::UnsupportedMediaType => [
                "Unsupported media type.",
                "Kiểu nội dung không được hỗ trợ.",
                "Gửi nội dung với kiểu nêu trong tài liệu, mã hóa UTF-8.",
            ],
            Self::TooOften => [
                "Too many requests beside the questions themselves.",
                "Hệ thống đọc thông tin của chính mình hoặc xin mã truy cập quá dày.",
                "Chờ số giây nêu trong retryAfter; dùng lại mã truy cập còn hạn.",
            ],
            Self::Internal => [
                "Something went wrong on our side.",
                "Hệ thống gặp lỗi khi xử lý.",
                "Gửi lại với cùng mã yêu cầu; nếu còn lỗi, báo mã tra cứu cho Trung tâm.",
            ],
            Self::Unavailable => [
                "Not available at the moment.",
                "Hệ thống tạm thời chưa phục vụ được.",
                "Gửi lại sau ít giây với cùng mã yêu cầu; lần này không bị tính lượt.",
            ],
        }
    }
}

/// Renders a refusal of the HTTP layer. Without a correlation id there is nothing to ask about.
pub fn http_problem(problem: HttpProblem, correlation: Option<CorrelationId>) -> Rendered {
    let [title, title_vi, what_to_do_vi] = problem.texts();
    let mut body = String::with_capacity(384);
    let mut object = Object::begin(&mut body);
    kind(&mut object, problem.rule());
    head(&mut object, problem.status(), title, title_vi);
    if let Some(rule) = problem.rule() {
        object.text("ruleId", rule.code());
    }
    object.text("whatToDoVi", what_to_do_vi);
    if let Some(correlation) = correlation {
        object.correlation(correlation);
    }
    let retry_after = match problem {
        HttpProblem::Unavailable => Some(2),
        HttpProblem::TooOften => Some(1),
        _ => None,
    };
    if let Some(seconds) = retry_after {
        object.number("retryAfter", u64::from(seconds));
    }
    object.end();
    Rendered {
        status: problem.status(),
        content_type: PROBLEM_JSON,
        body,
        retry_after,
        www_authenticate: (problem == HttpProblem::Unauthorized)
            .then_some("Bearer realm=\"dancu\""),
    }
}
