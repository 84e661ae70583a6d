//! Answers about lists and jobs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use dancu_domain::moment::Moment;
use dancu_gate::jobs::types::{ItemOutcome, JobKind, JobState, JobStatus, ListFilter, Page};

use super::{JobAnswer, JobAsk, JobCall, JobOperation, Paging};
use crate::batch::{self, Format};
use crate::soap::SoapAnswer;
use crate::soap::answer::{self, Xml};

/// Bytes around an answer, a job included, rounded up.
const JOB_BYTES: usize = 2048;
/// Page size by which `GetRequestResult` counts pages.
const DEFAULT: Paging = Paging { page: 1, size: 100 };

/// Writes an answer as HTTP 200.
pub(super) fn render(call: &JobCall, answer: &JobAnswer) -> SoapAnswer {
    let rows = match answer {
        JobAnswer::Page(_, page) => page.results.len(),
        _ => 0,
    };
    let mut xml = Xml::new(JOB_BYTES + rows * answer::CITIZEN_BYTES, call.echo.as_ref());
    let name = call.operation.answer();
    xml.root(name, None);
    match (answer, &call.ask) {
        (JobAnswer::Job(job), _) => one(&mut xml, call.operation, job),
        (JobAnswer::Pages(status, last_row), _) => {
            job(&mut xml, status);
            xml.leaf("SoBanGhi", &DEFAULT.size.to_string());
            xml.leaf("SoTrang", &DEFAULT.pages(*last_row).to_string());
        }
        (JobAnswer::Jobs(jobs, total), JobAsk::Jobs { paging, .. }) => {
            xml.leaf("TongSo", &total.to_string());
            xml.leaf("Trang", &paging.page.to_string());
            for status in jobs {
                job(&mut xml, status);
            }
        }
        (JobAnswer::Page(job, page), JobAsk::Records(_, paging)) => {
            head(&mut xml, job, *paging, page);
            for result in &page.results {
                if let ItemOutcome::Listed(citizen) = &result.outcome {
                    answer::congdan(&mut xml, citizen);
                }
            }
        }
        (JobAnswer::Page(job, page), JobAsk::File(_, paging, format)) => {
            head(&mut xml, job, *paging, page);
            file(&mut xml, job, *paging, page, *format);
        }
        // Each question has its own kind of answer; another one tells nothing.
        _ => {}
    }
    xml.end(name);
    SoapAnswer { status: 200, body: xml.finish() }
}

fn one(xml: &mut Xml, operation: JobOperation, status: &JobStatus) {
    job(xml, status);
    match operation {
        JobOperation::Detail => detail(xml, status),
        JobOperation::History => history(xml, status),
        _ => {}
    }
}

/// `CongViec`: where a job stands.
fn job(xml: &mut Xml, status: &JobStatus) {
    let counts = &status.counts;
    xml.start("CongViec");
    xml.leaf("MaCongViec", &status.id.to_string());
    xml.leaf("MaYeuCau", status.head.request_id.as_str());
    xml.leaf(
        "LoaiCongViec",
        match status.kind {
            JobKind::BatchVerify => "XAC_THUC_THEO_LO",
            JobKind::List(_) => "DANH_SACH",
        },
    );
    xml.leaf("TrangThai", word(&status.state));
    if let Some(reason) = status.state.reason() {
        xml.leaf("MaQuyTac", reason.rule().code());
        xml.leaf("LyDo", reason.text().title_vi);
    }
    if let JobState::Paused { until: Some(until), .. } = status.state {
        xml.leaf("TiepTucLuc", &until.rfc3339());
    }
    for (name, count) in [
        ("TongSoBanGhi", counts.rows),
        ("DaXuLy", counts.done),
        ("SoCongDan", counts.matched),
        ("SoKhongKhop", counts.no_match),
        ("SoTuChoi", counts.refused),
        ("SoDongLoi", counts.bad),
        ("DungTruoc", status.position),
    ] {
        xml.leaf(name, &count.to_string());
    }
    let mut moment = |name, at: Option<Moment>| {
        if let Some(at) = at {
            xml.leaf(name, &at.rfc3339());
        }
    };
    moment("ThoiDiemNhan", Some(status.submitted_at));
    moment("ThoiDiemBatDau", status.started_at);
    moment("ThoiDiemThayDoi", Some(status.changed_at));
    moment("ThoiDiemKetThuc", status.ended_at);
    moment("ThoiDiemXoa", status.deleted_at);
    xml.end("CongViec");
}

const fn word(state: &JobState) -> &'static str {
    match state {
        JobState::Waiting => "CHO_XU_LY",
        JobState::Running => "DANG_XU_LY",
        JobState::Paused { .. } => "TAM_DUNG",
        JobState::Done => "HOAN_THANH",
        JobState::Cancelled => "DA_HUY",
        JobState::Failed { .. } => "KHONG_THANH",
    }
}

/// What was asked, as far as it is no personal data.
fn detail(xml: &mut Xml, status: &JobStatus) {
    let head = &status.head;
    xml.leaf("MaDVC", head.procedure.as_str());
    xml.leaf("MaCanBo", head.officer.as_str());
    xml.leaf("MaHoSo", head.case.as_ref().map_or("", |c| c.as_str()));
    xml.leaf("MaDonVi", head.unit.as_ref().map_or("", |u| u.as_str()));
    xml.leaf("ChiSoNhatKy", &status.journal_index.to_string());
    if let JobKind::List(filter) = &status.kind {
        criteria(xml, filter);
    }
}

/// `DieuKien`: the filter of a list.
fn criteria(xml: &mut Xml, filter: &ListFilter) {
    xml.start("DieuKien");
    if let Some(place) = filter.place {
        xml.start("DiaChi");
        xml.number("MaTinhThanh", u32::from(place.province), 2);
        if place.commune > 0 {
            xml.number("MaPhuongXa", place.commune, 5);
        }
        xml.leaf("NgayDuLieu", place.dataset.date());
        xml.end("DiaChi");
    }
    if let Some((first, last)) = filter.ages {
        xml.number("TuTuoi", u32::from(first), 1);
        xml.number("DenTuoi", u32::from(last), 1);
    }
    for (name, code, digits) in [
        ("NhomMau", filter.blood.map(dancu_domain::person::BloodGroup::code), 2),
        ("GioiTinh", filter.sex.map(dancu_domain::person::Sex::code), 1),
        ("DanToc", filter.ethnicity, 2),
        ("TonGiao", filter.religion, 2),
    ] {
        if let Some(code) = code {
            xml.number(name, u32::from(code), digits);
        }
    }
    xml.end("DieuKien");
}

/// `LichSu`: each state and when it began.
fn history(xml: &mut Xml, status: &JobStatus) {
    let mut steps = vec![(status.submitted_at, &JobState::Waiting)];
    if let Some(at) = status.started_at {
        steps.push((at, &JobState::Running));
    }
    match (&status.state, status.ended_at) {
        (state, Some(at)) => steps.push((at, state)),
        (state @ JobState::Paused { .. }, None) => steps.push((status.changed_at, state)),
        _ => {}
    }
    for (at, state) in steps {
        xml.start("LichSu");
        xml.leaf("ThoiDiem", &at.rfc3339());
        xml.leaf("TrangThai", word(state));
        if let Some(reason) = state.reason() {
            xml.leaf("MaQuyTac", reason.rule().code());
            xml.leaf("LyDo", reason.text().title_vi);
        }
        xml.end("LichSu");
    }
}

/// What both forms of a page begin with. `ConTrang` says whether another page has results now.
fn head(xml: &mut Xml, status: &JobStatus, paging: Paging, page: &Page) {
    xml.leaf("MaCongViec", &status.id.to_string());
    xml.leaf("TrangThai", word(&status.state));
    xml.leaf("Trang", &paging.page.to_string());
    xml.leaf("SoBanGhi", &page.results.len().to_string());
    xml.leaf("ConTrang", if page.next.is_some() { "true" } else { "false" });
}

fn file(xml: &mut Xml, status: &JobStatus, paging: Paging, page: &Page, format: Format) {
    let list = matches!(status.kind, JobKind::List(_));
    let mut text = match (format, list) {
        (Format::Csv, true) => batch::list_csv_header(),
        (Format::Csv, false) => batch::BATCH_CSV_HEADER.to_owned(),
        (Format::Ndjson, _) => String::new(),
    };
    for result in &page.results {
        match format {
            Format::Csv => batch::result_csv(&mut text, result, list),
            Format::Ndjson => batch::result_ndjson(&mut text, result),
        }
    }
    let ending = match format {
        Format::Csv => "csv",
        Format::Ndjson => "ndjson",
    };
    xml.leaf("TenTep", &format!("{}-{}.{ending}", status.id, paging.page));
    xml.leaf("KieuNoiDung", format.content_type());
    xml.leaf("NoiDung", &BASE64.encode(text));
}
