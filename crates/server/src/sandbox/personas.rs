//! Synthetic persons for every edge, chosen from the showcase of the population: the same ones
//! whenever the folder is used.

use anyhow::Context as _;
use dancu_domain::birth::BirthDate;
use dancu_domain::ids::{OldId, PersonalId, SubjectId};
use dancu_domain::person::Person;
use dancu_store::Store;
use dancu_wire::rest::PersonaView;
use serde_json::json;

/// What a persona shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Edge {
    /// Nothing unusual.
    Ordinary,
    /// No old identity card.
    NoOldId,
    /// Year of birth alone.
    YearOnly,
    /// Has died.
    Deceased,
    /// One of two with the same old id.
    SharedOldId,
    /// Cut off with 503 at first, during a conformance run.
    Outage,
    /// Asking about it counts as abnormal use.
    Abnormal,
    /// Nobody has the id.
    Nobody,
}

impl Edge {
    /// The word in JSON.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::NoOldId => "noOldId",
            Self::YearOnly => "yearOnly",
            Self::Deceased => "deceased",
            Self::SharedOldId => "sharedOldId",
            Self::Outage => "outage",
            Self::Abnormal => "abnormal",
            Self::Nobody => "nobody",
        }
    }

    /// Name and what comes back, in Vietnamese and in English.
    pub const fn texts(self) -> [(&'static str, &'static str); 2] {
        match self {
            Self::Ordinary => [
                ("Thường", "Đúng ba thông tin: khớp, còn sống. Sai họ tên: không khớp."),
                ("Ordinary", "Three right keys: a match, alive. A wrong name: no match."),
            ],
            Self::NoOldId => [
                ("Không có số CMND", "Chỉ hỏi được bằng số định danh; trường số CMND rỗng."),
                ("No old id", "Asked for by personal id only; the old id comes empty."),
            ],
            Self::YearOnly => [
                ("Chỉ có năm sinh", "Khớp theo năm, trả lời kèm độ chính xác là năm."),
                ("Year only", "A match by the year; the answer says precision year."),
            ],
            Self::Deceased => [
                ("Đã mất", "Khớp, và báo không còn sống."),
                ("Deceased", "A match, and not alive."),
            ],
            Self::SharedOldId => [
                (
                    "Trùng số CMND",
                    "Hai người một số CMND: họ tên và ngày sinh phân biệt hai người.",
                ),
                (
                    "Shared old id",
                    "Two people, one old id: name and date of birth tell them apart.",
                ),
            ],
            Self::Outage => [
                (
                    "Gián đoạn",
                    "Trong lượt kiểm thử: mỗi mã yêu cầu mới nhận 503 ở lần đầu; gửi lại cùng mã \
                     yêu cầu thì được trả lời.",
                ),
                (
                    "Outage",
                    "During a conformance run each new request id gets 503 at first; sent again \
                     with the same id it is answered.",
                ),
            ],
            Self::Abnormal => [
                (
                    "Khai thác bất thường",
                    "Hệ thống thử hỏi người này thì tài khoản hỏi bị khóa ngay (D6): trả 403, mã \
                     005, kể cả khi hỏi người khác. Bắt đầu lượt kiểm thử mới thì tài khoản được \
                     mở.",
                ),
                (
                    "Abnormal use",
                    "The account of a test system that asks about this person is locked at once \
                     (D6): 403, code 005, whomever it asks about. A new conformance run opens it.",
                ),
            ],
            Self::Nobody => [
                ("Không có", "Xác thực: không khớp. Tra cứu: không có công dân."),
                ("Nobody", "Verify: no match. Look-up: no citizen."),
            ],
        }
    }
}

/// A persona. Its keys are those of a synthetic person, or made up for nobody.
#[derive(Clone)]
pub struct Persona {
    /// What it shows.
    pub edge: Edge,
    /// Số định danh.
    pub personal_id: PersonalId,
    /// Số CMND.
    pub old_id: Option<OldId>,
    /// Họ và tên.
    pub full_name: String,
    /// `YYYY-MM-DD` or `YYYY`.
    pub birth: String,
}

impl Persona {
    fn of(edge: Edge, person: &Person) -> Self {
        Self {
            edge,
            personal_id: person.personal_id,
            old_id: person.old_ids.first().copied(),
            full_name: person.full_name.as_str().to_owned(),
            birth: person.birth.to_string(),
        }
    }

    /// The ids that a question may name it by.
    pub fn ids(&self) -> impl Iterator<Item = SubjectId> + use<> {
        let old = self.old_id.map(SubjectId::Old);
        [Some(SubjectId::Personal(self.personal_id)), old].into_iter().flatten()
    }

    /// For scripts.
    pub fn view(&self) -> PersonaView {
        let [(name_vi, expect_vi), (name, expect)] = self.edge.texts();
        PersonaView {
            persona: self.edge.code(),
            name_vi,
            name,
            expect_vi,
            expect,
            personal_id: self.personal_id.to_string(),
            old_id: self.old_id.map(|id| id.to_string()),
            full_name: self.full_name.clone(),
            date_of_birth: self.birth.clone(),
        }
    }

    /// A body for `POST /api/v1/citizens/verify`; `account`: of the caller's system.
    pub fn rest(&self, account: &str) -> String {
        let body = json!({
            "requestId": format!("mau-{}-0001", self.edge.code()),
            "procedureCode": PROCEDURE,
            "caseCode": CASE,
            "account": account,
            "subject": {
                "personalId": self.personal_id.to_string(),
                "fullName": self.full_name,
                "dateOfBirth": self.birth,
            },
        });
        serde_json::to_string_pretty(&body).unwrap_or_default()
    }

    /// An envelope for `POST /soap/dancu`.
    pub fn soap(&self, account: &str) -> String {
        let birth = match self.birth.len() {
            4 => format!("<Nam>{}</Nam>", self.birth),
            _ => format!("<NgayThangNam>{}</NgayThangNam>", self.birth.replace('-', "")),
        };
        format!(
            r#"<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">
  <soapenv:Body>
    <XacThucThongTinCongDan xmlns="{}">
      <MaYeuCau>mau-{}-0002</MaYeuCau>
      <MaDVC>{PROCEDURE}</MaDVC>
      <MaTichHop>{}</MaTichHop>
      <MaCanBo>{account}</MaCanBo>
      <MaHoSo>{CASE}</MaHoSo>
      <SoDinhDanh>{}</SoDinhDanh>
      <HoVaTen>{}</HoVaTen>
      <NgayThangNamSinh>{birth}</NgayThangNamSinh>
    </XacThucThongTinCongDan>
  </soapenv:Body>
</soapenv:Envelope>"#,
            dancu_wire::soap::NS_REQUEST,
            self.edge.code(),
            dancu_domain::service::Service::CitizenVerify.default_ma_tich_hop(),
            self.personal_id,
            self.full_name,
        )
    }
}

/// Procedure and case of the samples.
const PROCEDURE: &str = "1.004194";
/// See [`PROCEDURE`].
const CASE: &str = "HS.2026-0001";
/// Numbers that are tried for one that nobody has.
const TRIED_MAX: u64 = 10_000;

/// Chooses them. Every edge is there, the shared old id twice.
pub fn choose(store: &Store, people: &[Person]) -> anyhow::Result<Vec<Persona>> {
    let shares = |p: &Person| {
        let others = people.iter().filter(|o| o.personal_id != p.personal_id);
        others.flat_map(|o| &o.old_ids).any(|id| p.old_ids.contains(id))
    };
    let is_year = |p: &Person| matches!(p.birth, BirthDate::Year(_));
    let alive = |p: &Person| p.vital.alive() == Some(true);
    let plain = |p: &&Person| alive(p) && !is_year(p) && !p.old_ids.is_empty() && !shares(p);
    let mut ordinary = people.iter().filter(plain);
    let (first, second, third) = (ordinary.next(), ordinary.next(), ordinary.next());
    let no_old = people.iter().find(|p| alive(p) && !is_year(p) && p.old_ids.is_empty());
    let year = people.iter().find(|p| alive(p) && is_year(p));
    let dead = people.iter().find(|p| p.vital.alive() == Some(false) && !is_year(p));
    let mut all = vec![];
    for (edge, person) in [
        (Edge::Ordinary, first),
        (Edge::NoOldId, no_old),
        (Edge::YearOnly, year),
        (Edge::Deceased, dead),
        (Edge::Outage, second),
        (Edge::Abnormal, third),
    ] {
        all.push(Persona::of(edge, person.context(edge.code())?));
    }
    let both = people.iter().filter(|p| shares(p)).take(2);
    all.extend(both.map(|p| Persona::of(Edge::SharedOldId, p)));
    all.push(nobody(store, &all[0])?);
    Ok(all)
}

/// The next number after a person's that nobody has, under a name of its own.
fn nobody(store: &Store, beside: &Persona) -> anyhow::Result<Persona> {
    for more in 1..TRIED_MAX {
        let id = PersonalId::from_number(beside.personal_id.number() + more);
        let id = id.context("số định danh (personal id)")?;
        if store.registry().by_personal_id(id)?.is_none() {
            let full_name = "Không Có Ai".to_owned();
            let (edge, birth) = (Edge::Nobody, beside.birth.clone());
            return Ok(Persona { edge, personal_id: id, old_id: None, full_name, birth });
        }
    }
    anyhow::bail!("không còn số định danh trống (no free personal id)")
}
