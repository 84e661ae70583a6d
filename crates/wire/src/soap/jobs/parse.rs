//! From an envelope to a request about lists, with every input error.

use std::ops::RangeInclusive;
use std::str::FromStr;

use dancu_domain::moment::{DAY_MS, Moment};
use dancu_domain::person::{BloodGroup, Dataset, Sex};
use dancu_domain::registration::System;
use dancu_gate::jobs::lists::{AGE_MAX, Impossible, impossible};
use dancu_gate::jobs::types::{JobHead, JobId, ListFilter, ListPlace};

use super::{FILE_RECORDS_MAX, JOBS_MAX, JobAsk, JobCall, JobOperation, Paging, RECORDS_MAX};
use crate::batch::Format;
use crate::soap::SoapUnreadable;
use crate::soap::input;
use crate::soap::operation::Operation;
use crate::soap::parse::{Form, Head, Opened, Reading, digest_of, open};
use crate::soap::slots::Slot;

/// Highest page number: the rows of a job fit seven digits.
const PAGES_MAX: u32 = 1_000_000;

/// Reads a request of `system` about lists and jobs, of which [`super::super::parse`] said that it
/// is one. Any bytes give a request or everything that is wrong with it.
pub fn parse_job(
    body: &[u8],
    content_type: Option<&str>,
    system: &System,
    reading: impl Into<Reading>,
) -> Result<JobCall, Box<SoapUnreadable>> {
    let mut operation = None;
    let mut opened = open(body, content_type, reading.into(), |form, _, called| {
        operation = form.envelope.job.filter(|_| called == Some(Operation::List));
        let known = operation.filter(|_| form.envelope.trouble.is_none())?;
        form.code(Operation::List, system);
        form.job(known)
    })?;
    let asked = opened.asked.take().filter(|_| opened.errors.is_empty());
    let Head { request_id, officer, procedure, .. } = &opened.head;
    if let (Some(operation), Some(ask), Some(request_id), Some(officer), Some(procedure)) =
        (operation, asked, request_id.clone(), officer.clone(), procedure.clone())
    {
        let Opened { mut envelope, echo, head, .. } = opened;
        let Head { second_name, case, unit, .. } = head;
        let x_road_user = envelope.user.take();
        let head =
            JobHead { request_id, officer, procedure, purpose: None, case, unit, x_road_user };
        let body = digest_of(&envelope);
        return Ok(JobCall { operation, head, second_name, ask, body, echo });
    }
    Err(opened.unreadable(None))
}

impl Form<'_> {
    fn job(&mut self, operation: JobOperation) -> Option<JobAsk> {
        use JobOperation as Op;
        Some(match operation {
            Op::ByPlace
            | Op::ByAge
            | Op::ByBlood
            | Op::BySex
            | Op::ByEthnicity
            | Op::ByReligion => JobAsk::List(self.filter(operation)?),
            Op::Jobs => {
                let from = self.instant(Slot::TuNgay, 0);
                let to = self.instant(Slot::DenNgay, DAY_MS);
                JobAsk::Jobs { from, to, paging: self.paging(JOBS_MAX)? }
            }
            Op::Status | Op::Result | Op::Detail | Op::History | Op::Delete => {
                JobAsk::Job(self.job_id()?)
            }
            Op::Records => {
                let (id, paging) = (self.job_id(), self.paging(RECORDS_MAX));
                JobAsk::Records(id?, paging?)
            }
            Op::File => {
                let (id, paging) = (self.job_id(), self.paging(FILE_RECORDS_MAX));
                let format = self.format();
                JobAsk::File(id?, paging?, format?)
            }
        })
    }

    /// The operation's own criterion is required; the others narrow it.
    fn filter(&mut self, operation: JobOperation) -> Option<ListFilter> {
        let own = match operation {
            JobOperation::ByPlace => Slot::Address,
            JobOperation::ByAge => Slot::TuTuoi,
            JobOperation::ByBlood => Slot::NhomMau,
            JobOperation::BySex => Slot::GioiTinh,
            JobOperation::ByEthnicity => Slot::DanToc,
            _ => Slot::TonGiao,
        };
        let before = self.errors.len();
        let filter = ListFilter {
            place: self.place(),
            ages: self.ages(own == Slot::TuTuoi),
            blood: self.list_code(Slot::NhomMau, 0..=4).and_then(BloodGroup::from_code),
            sex: self.list_code(Slot::GioiTinh, 0..=3).and_then(Sex::from_code),
            ethnicity: self.list_code(Slot::DanToc, 0..=99),
            religion: self.list_code(Slot::TonGiao, 0..=99),
        };
        let stated = match own {
            Slot::Address => filter.place.is_some(),
            slot => self.text(slot).is_some(),
        };
        if self.errors.len() == before && !stated {
            self.fail(input::required(own.path()));
        }
        if self.errors.len() > before {
            return None;
        }
        for wrong in impossible(&filter) {
            let (slot, message) = match wrong {
                Impossible::Nothing => (own, "Bắt buộc phải có."),
                Impossible::Place => (
                    Slot::Address,
                    "Không có tỉnh, xã này trong danh mục, hoặc xã thuộc tỉnh khác.",
                ),
                Impossible::Ages => (Slot::TuTuoi, "TuTuoi phải không lớn hơn DenTuoi."),
                Impossible::Ethnicity => (Slot::DanToc, "Không có mã này trong danh mục dân tộc."),
                Impossible::Religion => (Slot::TonGiao, "Không có mã này trong danh mục tôn giáo."),
            };
            self.fail(input::error(slot.path(), message));
        }
        (self.errors.len() == before).then_some(filter)
    }

    /// DiaChi: a province, and one of its communes where stated.
    fn place(&mut self) -> Option<ListPlace> {
        if !self.envelope.slots.seen(Slot::Address) {
            return None;
        }
        for slot in [Slot::District, Slot::Detail, Slot::Country] {
            if self.text(slot).is_some() {
                self.fail(input::error(slot.path(), "Danh sách chỉ lọc theo tỉnh và xã."));
            }
        }
        let province = self.number(Slot::Province, 2);
        let commune = self.number(Slot::Commune, 5);
        if self.text(Slot::Province).is_none() {
            self.fail(input::required(Slot::Province.path()));
        }
        let dataset = self.dataset().unwrap_or_else(|| Dataset::in_force_on(self.today));
        let province = u8::try_from(province?).ok()?;
        Some(ListPlace { province, commune: commune.unwrap_or_default(), dataset })
    }

    fn ages(&mut self, required: bool) -> Option<(u8, u8)> {
        let slots = [Slot::TuTuoi, Slot::DenTuoi];
        let any = slots.iter().any(|slot| self.text(*slot).is_some());
        let [first, last] = slots.map(|slot| {
            if self.text(slot).is_none() && (any || required) {
                self.fail(input::required(slot.path()));
            }
            self.whole(slot, 0..=u32::from(AGE_MAX)).and_then(|age| u8::try_from(age).ok())
        });
        Some((first?, last?))
    }

    /// A code of one or two digits.
    fn list_code(&mut self, slot: Slot, codes: RangeInclusive<u32>) -> Option<u8> {
        u8::try_from(self.whole(slot, codes)?).ok()
    }

    /// A whole number within bounds, where stated.
    fn whole(&mut self, slot: Slot, bounds: RangeInclusive<u32>) -> Option<u32> {
        let text = self.text(slot)?;
        let shaped = text.len() <= 7 && text.bytes().all(|b| b.is_ascii_digit());
        let number = text.parse().ok().filter(|n| shaped && bounds.contains(n));
        if number.is_none() {
            let (from, to) = (bounds.start(), bounds.end());
            self.fail(input::error(slot.path(), format!("Phải là số nguyên từ {from} đến {to}.")));
        }
        number
    }

    fn paging(&mut self, largest: u32) -> Option<Paging> {
        let before = self.errors.len();
        let page = self.whole(Slot::Trang, 1..=PAGES_MAX).unwrap_or(1);
        let size = self.whole(Slot::SoBanGhi, 1..=largest).unwrap_or(largest.min(100));
        (self.errors.len() == before).then_some(Paging { page, size })
    }

    fn job_id(&mut self) -> Option<JobId> {
        let slot = Slot::MaCongViec;
        let Some(text) = self.text(slot) else {
            self.fail(input::required(slot.path()));
            return None;
        };
        let id = JobId::from_str(text).ok();
        if id.is_none() {
            self.fail(input::error(slot.path(), "Phải là 32 chữ số thập lục phân, chữ thường."));
        }
        id
    }

    fn format(&mut self) -> Option<Format> {
        match self.text(Slot::DinhDang) {
            None | Some("CSV" | "csv") => Some(Format::Csv),
            Some("NDJSON" | "ndjson") => Some(Format::Ndjson),
            Some(_) => {
                self.fail(input::error(Slot::DinhDang.path(), "Phải là CSV hoặc NDJSON."));
                None
            }
        }
    }

    /// Epoch milliseconds, or a day in Viet Nam of which `after` ms are passed.
    fn instant(&mut self, slot: Slot, after: i64) -> Option<Moment> {
        let text = self.text(slot)?;
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        let found = match text.len() {
            12..=15 if digits => text.parse().ok().map(Moment),
            8 if digits => day(&text[..4], &text[4..6], &text[6..]),
            10 if text.is_ascii() => day(&text[..4], &text[5..7], &text[8..])
                .filter(|_| text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-'),
            _ => None,
        };
        let found = found.map(|m| if text.len() >= 12 { m } else { m.plus_ms(after) });
        if found.is_none() {
            let message = "Phải là epoch mili giây, yyyyMMdd hoặc yyyy-MM-dd.";
            self.fail(input::error(slot.path(), message));
        }
        found
    }
}

/// The start of a day in Viet Nam.
fn day(year: &str, month: &str, day: &str) -> Option<Moment> {
    Moment::parse_rfc3339(&format!("{year}-{month}-{day}T00:00:00+07:00"))
}
