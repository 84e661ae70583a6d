//! A job as its system sees it, in JSON.

use dancu_domain::moment::Moment;
use dancu_domain::refusal::Reason;
use dancu_domain::service::Service;
use dancu_gate::jobs::types::{JobState, JobStatus};
use serde::Serialize;
use utoipa::ToSchema;

use super::BATCHES;
use crate::rest::Rendered;
use crate::rest::views::{JournalRef, ServiceWord, moment, public_reason, some_moment, to_json};

/// Một lô · A batch of questions and where it stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchJob {
    /// Mã lô · Its id, 32 hex digits
    #[schema(pattern = "^[0-9a-f]{32}$")]
    pub id: String,
    /// Dịch vụ: citizen.batchVerify hoặc citizen.list · Service
    #[schema(value_type = ServiceWord)]
    pub service: Service,
    /// Trạng thái: waiting chờ, running đang chạy, paused tạm dừng, done xong, cancelled đã hủy,
    /// failed dừng hẳn · State
    #[schema(value_type = String, examples("running"))]
    pub state: &'static str,
    /// Vì sao tạm dừng hoặc dừng hẳn · What holds or ended it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<BatchReason>,
    /// Muộn nhất đến lúc này thì chạy tiếp, nếu biết · When it goes on at the latest, if known
    #[serde(serialize_with = "some_moment", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Moment>,
    /// Mã yêu cầu · The request id as sent
    pub request_id: String,
    /// Mã thủ tục · Procedure
    pub procedure_code: String,
    /// Mã hồ sơ · Case code
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_code: Option<String>,
    /// Số dòng · Rows
    pub rows: u32,
    /// Số dòng đọc được · Readable rows: each is one question
    pub items: u32,
    /// Số dòng lỗi, xem errorsUrl · Rows that could not be read
    pub bad: u32,
    /// Số dòng đã có kết quả · Items with a result
    pub done: u32,
    /// Số lượt đã trả lời và tính (D2) · Answered and counted
    pub accepted: u32,
    /// Khớp · Matches
    pub matched: u32,
    /// Không khớp · No matches
    pub no_match: u32,
    /// Bị từ chối theo quy tắc · Refused by a rule
    pub refused: u32,
    /// Số lô xếp trước chưa bắt đầu · Jobs before it that have not begun
    pub position: u32,
    /// Nhận lúc · Submitted
    #[serde(serialize_with = "moment")]
    #[schema(value_type = String, format = DateTime)]
    pub submitted_at: Moment,
    /// Bắt đầu lúc · Began
    #[serde(serialize_with = "some_moment")]
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub started_at: Option<Moment>,
    /// Thay đổi gần nhất · Last change
    #[serde(serialize_with = "moment")]
    #[schema(value_type = String, format = DateTime)]
    pub changed_at: Moment,
    /// Kết thúc lúc · Over since
    #[serde(serialize_with = "some_moment")]
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub ended_at: Option<Moment>,
    /// Xóa lúc: 7 ngày sau khi kết thúc · Deleted: 7 days after its end
    #[serde(serialize_with = "some_moment")]
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub deleted_at: Option<Moment>,
    /// Mục nhật ký của lần gửi · Journal entry of its submission
    pub journal: JournalRef,
    /// Địa chỉ xem trạng thái · This status
    pub status_url: String,
    /// Kết quả theo trang; thêm .csv hoặc .ndjson để lấy tệp · Results by page; with .csv or
    /// .ndjson as a file
    pub results_url: String,
    /// Các dòng lỗi · Rows that could not be read
    pub errors_url: String,
}

/// Vì sao · What holds or ended a job.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchReason {
    /// Quy tắc · Rule
    #[schema(value_type = String, examples("D2"))]
    pub rule_id: &'static str,
    /// Tên lý do · Name of the reason
    #[schema(value_type = String, examples("LineUsedUp"))]
    pub code: &'static str,
    /// Lý do, tiếng Anh · Reason in English
    #[schema(value_type = String)]
    pub title: &'static str,
    /// Lý do · Reason in Vietnamese
    #[schema(value_type = String)]
    pub title_vi: &'static str,
    /// Cần làm gì · What to do, in Vietnamese
    #[schema(value_type = String)]
    pub what_to_do_vi: &'static str,
}

impl BatchReason {
    fn of(reason: Reason) -> Self {
        let text = reason.text();
        Self {
            rule_id: text.rule.code(),
            code: public_reason(reason),
            title: text.title,
            title_vi: text.title_vi,
            what_to_do_vi: text.what_to_do_vi,
        }
    }
}

/// Các lô của hệ thống gọi, mới nhất trước · The caller's jobs, the newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchList {
    /// Mọi lô đang giữ · All jobs that are kept
    pub jobs: Vec<BatchJob>,
}

impl BatchJob {
    /// From its status.
    pub fn of(job: &JobStatus) -> Self {
        let url = format!("{BATCHES}/{}", job.id);
        let until = if let JobState::Paused { until, .. } = job.state { until } else { None };
        let c = job.counts;
        Self {
            id: job.id.to_string(),
            service: job.kind.service(),
            state: job.state.code(),
            reason: job.state.reason().map(BatchReason::of),
            until,
            request_id: job.head.request_id.to_string(),
            procedure_code: job.head.procedure.to_string(),
            case_code: job.head.case.as_ref().map(ToString::to_string),
            rows: c.rows,
            items: c.items,
            bad: c.bad,
            done: c.done,
            accepted: c.accepted,
            matched: c.matched,
            no_match: c.no_match,
            refused: c.refused,
            position: job.position,
            submitted_at: job.submitted_at,
            started_at: job.started_at,
            changed_at: job.changed_at,
            ended_at: job.ended_at,
            deleted_at: job.deleted_at,
            journal: JournalRef { index: job.journal_index },
            results_url: format!("{url}/results"),
            errors_url: format!("{url}/errors"),
            status_url: url,
        }
    }

    /// Under this status: 202 for a new job, 200 for one that was there.
    pub fn render(&self, status: u16) -> Rendered {
        Rendered::json(status, to_json(self))
    }
}

impl BatchList {
    /// From their status.
    pub fn of(jobs: &[JobStatus]) -> Self {
        Self { jobs: jobs.iter().map(BatchJob::of).collect() }
    }

    /// 200 with this body.
    pub fn render(&self) -> Rendered {
        Rendered::ok(to_json(self))
    }
}
