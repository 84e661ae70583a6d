//! What a sandbox answers beside the questions (B3): its personas, and conformance runs.

use serde::Serialize;
use utoipa::ToSchema;

/// Người mẫu của môi trường thử · A persona of the sandbox.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersonaView {
    /// Từ của trường hợp · The word of the edge
    #[schema(value_type = String, examples("yearOnly"))]
    pub persona: &'static str,
    /// Tên trường hợp · Its name in Vietnamese
    #[schema(value_type = String)]
    pub name_vi: &'static str,
    /// Tên tiếng Anh · Its name
    #[schema(value_type = String)]
    pub name: &'static str,
    /// Kết quả nhận được · What comes back, in Vietnamese
    #[schema(value_type = String)]
    pub expect_vi: &'static str,
    /// Kết quả nhận được, tiếng Anh · What comes back
    #[schema(value_type = String)]
    pub expect: &'static str,
    /// Số định danh · Personal id
    pub personal_id: String,
    /// Số CMND, nếu có · Old id, where there is one
    pub old_id: Option<String>,
    /// Họ và tên · Full name
    pub full_name: String,
    /// Ngày sinh yyyy-mm-dd, hoặc năm sinh · Date or year of birth
    pub date_of_birth: String,
}

/// Một trường hợp của lượt kiểm thử · A case of a run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConformanceCase {
    /// Từ của trường hợp · Its word
    #[schema(value_type = String, examples("repeat"))]
    pub case: &'static str,
    /// Tên · Its name in Vietnamese
    #[schema(value_type = String)]
    pub name_vi: &'static str,
    /// Tên tiếng Anh · Its name
    #[schema(value_type = String)]
    pub name: &'static str,
    /// Đã đạt · Whether it was shown
    pub passed: bool,
    /// Các mục nhật ký chứng tỏ · Indexes of the entries that show it
    pub entries: Vec<u64>,
    /// Còn phải gửi gì · What is still to be sent, in Vietnamese
    #[schema(value_type = Option<String>)]
    pub to_send_vi: Option<&'static str>,
    /// Còn phải gửi gì, tiếng Anh · What is still to be sent
    #[schema(value_type = Option<String>)]
    pub to_send: Option<&'static str>,
}

/// Từ chối ngoài dự kiến · A refusal that no case asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OtherRefusal {
    /// Mục nhật ký · Index of its entry
    pub index: u64,
    /// Quy tắc · Rule
    #[schema(value_type = String, examples("E1"))]
    pub rule_id: &'static str,
    /// Lý do bằng tiếng Việt · Reason in Vietnamese
    #[schema(value_type = String)]
    pub title_vi: &'static str,
    /// Lý do bằng tiếng Anh · Reason
    #[schema(value_type = String)]
    pub title: &'static str,
    /// Cần làm gì · What to do, in Vietnamese
    #[schema(value_type = String)]
    pub what_to_do_vi: &'static str,
}

/// Lượt kiểm thử của hệ thống gọi · The caller's conformance run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConformanceView {
    /// Số lượt, KT- và chỉ số nhật ký · Number of the run
    pub run: String,
    /// Phần mềm được kiểm thử · Name and version of the software
    pub client: String,
    /// Mã hệ thống ghi trong hồ sơ; rỗng: chưa nêu · The system that it is for; empty: not stated
    pub system: String,
    /// Hồ sơ mà báo cáo đã hoàn thành bước kiểm thử · The dossier whose step the report closed
    pub dossier: Option<String>,
    /// Bắt đầu, theo đồng hồ môi trường thử · When it began, by the sandbox clock
    #[schema(format = DateTime)]
    pub from: String,
    /// Số phút còn lại · Minutes that are left
    pub minutes_left: i64,
    /// Đã đạt mọi trường hợp · Whether every case was shown
    pub passed: bool,
    /// Các trường hợp · The cases
    pub cases: Vec<ConformanceCase>,
    /// Từ chối ngoài dự kiến · Refusals that no case asked for
    pub other_refusals: Vec<OtherRefusal>,
    /// Báo cáo đã ký, khi đạt · The signed report, once it is passed
    pub report: Option<String>,
}
