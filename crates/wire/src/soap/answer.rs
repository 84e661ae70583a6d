//! Answers in exactly the shapes that known clients read.

use dancu_domain::birth::{BirthDate, Precision};
use dancu_domain::geo;
use dancu_domain::ids::{OldId, PersonalId, SubjectId};
use dancu_domain::person::{Address, BloodGroup, Dataset, MaritalStatus, Relative, Sex};
use dancu_domain::registration::{System, VerifyShape};
use dancu_gate::query::{Answer, ClaimResult, Disclosed, DisclosedHousehold};

use super::chars::push_escaped;
use super::operation::Operation;
use super::{NS_ANSWER, NS_REQUEST, NS_SOAP, SoapAnswer, SoapCall, XRoadEcho};

/// Bytes of a CongDan with every field, rounded up; longer ones grow.
pub(super) const CITIZEN_BYTES: usize = 4096;
/// Bytes of an envelope around a short answer.
const ENVELOPE_BYTES: usize = 640;

/// Writes an answer as HTTP 200.
pub(super) fn render(call: &SoapCall, system: &System, answer: &Answer) -> SoapAnswer {
    let citizens = match answer {
        Answer::Citizen { .. } | Answer::Blood { .. } => 1,
        Answer::Household { household, .. } => household.as_ref().map_or(0, |h| h.members.len()),
        _ => 0,
    };
    let mut xml = Xml::new(ENVELOPE_BYTES + citizens * CITIZEN_BYTES, call.echo.as_ref());
    match answer {
        Answer::NoMatch => no_match(&mut xml, call.operation, system),
        Answer::Match { precision, .. } => exists(&mut xml, system, Some(*precision)),
        Answer::Checked { precision, result } => {
            checked(&mut xml, *result == ClaimResult::Match, Some(*precision));
        }
        Answer::Citizen { precision, citizen } => {
            xml.root("CongdanCollection", Some(*precision));
            congdan(&mut xml, citizen);
            xml.end("CongdanCollection");
        }
        Answer::Household { precision, household } => {
            xml.root("CongdanCollection", Some(*precision));
            if let Some(household) = household {
                members(&mut xml, household);
            }
            xml.end("CongdanCollection");
        }
        Answer::Blood { precision, group } => {
            xml.root("CongdanCollection", Some(*precision));
            blood(&mut xml, call.query.subject.id, *group);
            xml.end("CongdanCollection");
        }
    }
    SoapAnswer { status: 200, body: xml.finish() }
}

/// The same shape as a match has, so that clients need no second way to read.
fn no_match(xml: &mut Xml, operation: Operation, system: &System) {
    match operation.answer() {
        "CongdanCollection" => xml.root_empty("CongdanCollection"),
        "KetQuaXacMinh" => checked(xml, false, None),
        _ => exists(xml, system, None),
    }
}

/// The verification: `precision` only where the keys agree.
fn exists(xml: &mut Xml, system: &System, precision: Option<Precision>) {
    let tells = if precision.is_some() { "true" } else { "false" };
    let tag = |out: &mut String| {
        out.push_str("<ns2:TonTai>");
        out.push_str(tells);
        out.push_str("</ns2:TonTai>");
    };
    let root = match system.verify_shape {
        VerifyShape::KetQuaXacThuc => "ns2:KetQuaXacThucResponse",
        VerifyShape::Both => "ns1:XacThucThongTinCongDanResponse",
    };
    let out = &mut xml.out;
    out.push('<');
    out.push_str(root);
    if system.verify_shape == VerifyShape::Both {
        push_namespace(out, "ns1", NS_ANSWER);
    }
    push_namespace(out, "ns2", NS_REQUEST);
    push_precision(out, precision);
    out.push('>');
    tag(out);
    if system.verify_shape == VerifyShape::Both {
        let count = if precision.is_some() { "1" } else { "0" };
        xml.leaf("SoLuongCongDan", count);
    }
    xml.out.push_str("</");
    xml.out.push_str(root);
    xml.out.push('>');
}

fn checked(xml: &mut Xml, agrees: bool, precision: Option<Precision>) {
    xml.root("KetQuaXacMinh", precision);
    xml.leaf("KhopDuLieu", if agrees { "true" } else { "false" });
    xml.end("KetQuaXacMinh");
}

fn members(xml: &mut Xml, household: &DisclosedHousehold) {
    for member in &household.members {
        congdan(xml, member);
    }
    xml.leaf("SoCongDan", &household.members.len().to_string());
    let (told, size) = (household.members.len(), household.size);
    if told < size {
        xml.leaf("GhiChu", &format!("Hộ có {size} thành viên; câu trả lời nêu {told} người đầu."));
    }
}

/// A CongDan that holds nothing but the key that the caller sent and the blood group.
fn blood(xml: &mut Xml, asked: SubjectId, group: BloodGroup) {
    xml.start("CongDan");
    let (personal, old) = match asked {
        SubjectId::Personal(id) => (Some(id), None),
        SubjectId::Old(id) => (None, Some(id)),
    };
    xml.ids(personal, old);
    for name in ["HoVaTen", "GioiTinh", "DanToc", "TonGiao", "TinhTrangHonNhan"] {
        xml.empty(name);
    }
    xml.code("NhomMau", Some(group.code()), 2);
    for name in [
        "NgayThangNamSinh",
        "NoiDangKyKhaiSinh",
        "QuocTich",
        "QueQuan",
        "ThuongTru",
        "NoiOHienTai",
        "Cha",
        "Me",
        "VoChong",
        "NguoiDaiDien",
        "ChuHo",
        "SoSoHoKhau",
    ] {
        xml.empty(name);
    }
    xml.end("CongDan");
}

/// A citizen in the order of the known shape; what is not granted or not known is empty.
pub(super) fn congdan(xml: &mut Xml, citizen: &Disclosed) {
    xml.start("CongDan");
    xml.ids(citizen.personal_id(), citizen.old_id());
    full_name(xml, citizen.full_name());
    xml.code("GioiTinh", citizen.sex().map(Sex::code), 1);
    xml.code("DanToc", citizen.ethnicity(), 2);
    xml.code("TonGiao", citizen.religion(), 2);
    xml.code("TinhTrangHonNhan", citizen.marital().map(MaritalStatus::code), 1);
    xml.code("NhomMau", citizen.blood().map(BloodGroup::code), 2);
    birth(xml, citizen.birth());
    address(xml, "NoiDangKyKhaiSinh", citizen.birth_registration());
    xml.leaf("QuocTich", citizen.nationality().unwrap_or_default());
    address(xml, "QueQuan", citizen.origin());
    address(xml, "ThuongTru", citizen.permanent());
    address(xml, "NoiOHienTai", citizen.current());
    relative(xml, "Cha", citizen.father());
    relative(xml, "Me", citizen.mother());
    relative(xml, "VoChong", citizen.spouse());
    relative(xml, "NguoiDaiDien", citizen.guardian());
    household_head(xml, citizen);
    xml.leaf("SoSoHoKhau", citizen.household_number().unwrap_or_default());
    xml.end("CongDan");
}

/// The whole name stands in Ten, as the registry cannot tell where a family name ends.
fn full_name(xml: &mut Xml, name: Option<&str>) {
    let Some(name) = name else {
        return xml.empty("HoVaTen");
    };
    xml.start("HoVaTen");
    xml.empty("Ho");
    xml.empty("ChuDem");
    xml.upper("Ten", name);
    xml.end("HoVaTen");
}

fn birth(xml: &mut Xml, birth: Option<BirthDate>) {
    let Some(birth) = birth else {
        return xml.empty("NgayThangNamSinh");
    };
    xml.start("NgayThangNamSinh");
    xml.number("Nam", u32::from(birth.year().unsigned_abs()), 4);
    match birth {
        BirthDate::Day(_) => xml.leaf("NgayThangNam", &birth.compact()),
        BirthDate::Year(_) => xml.empty("NgayThangNam"),
    }
    xml.end("NgayThangNamSinh");
}

fn address(xml: &mut Xml, name: &'static str, address: Option<&Address>) {
    let Some(address) = address else {
        return xml.empty(name);
    };
    xml.start(name);
    xml.code("MaTinhThanh", Some(address.province).filter(|p| *p > 0), 2);
    if address.dataset == Dataset::Y2024 {
        // The record holds no district, but a commune of that list lies in exactly one.
        let commune = geo::commune(address.dataset, address.commune);
        match commune.and_then(|c| c.district) {
            Some(district) => xml.number("MaQuanHuyen", u32::from(district), 3),
            None => xml.empty("MaQuanHuyen"),
        }
    }
    match address.commune {
        0 => xml.empty("MaPhuongXa"),
        commune => xml.number("MaPhuongXa", commune, 5),
    }
    xml.leaf("ChiTiet", &address.detail);
    xml.leaf("QuocGia", address.country.as_str());
    xml.end(name);
}

fn relative(xml: &mut Xml, name: &'static str, relative: Option<&Relative>) {
    let Some(relative) = relative else {
        return xml.empty(name);
    };
    xml.start(name);
    xml.upper("HoVaTen", relative.full_name.as_str());
    xml.leaf("QuocTich", relative.nationality.as_str());
    xml.ids(relative.personal_id, relative.old_id);
    xml.end(name);
}

fn household_head(xml: &mut Xml, citizen: &Disclosed) {
    let (role, head) = (citizen.household_role(), citizen.household_head());
    if role.is_none() && head.is_none() {
        return xml.empty("ChuHo");
    }
    xml.start("ChuHo");
    xml.leaf("QuanHe", role.map_or("", |r| r.code()));
    xml.ids(head.and_then(|h| h.personal_id), head.and_then(|h| h.old_id));
    xml.upper("HoVaTen", head.map_or("", |h| h.full_name.as_str()));
    xml.end("ChuHo");
}

/// An envelope that is being written.
pub(super) struct Xml {
    pub(super) out: String,
}

impl Xml {
    pub(super) fn new(capacity: usize, echo: Option<&XRoadEcho>) -> Self {
        let echo = echo.map_or("", |e| e.0.as_str());
        let mut out = String::with_capacity(capacity + echo.len());
        out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope");
        push_namespace(&mut out, "soapenv", NS_SOAP);
        out.push('>');
        out.push_str(echo);
        out.push_str("<soapenv:Body>");
        Self { out }
    }

    pub(super) fn finish(mut self) -> String {
        self.out.push_str("</soapenv:Body></soapenv:Envelope>");
        self.out
    }

    pub(super) fn root(&mut self, name: &str, precision: Option<Precision>) {
        self.out.push_str("<ns1:");
        self.out.push_str(name);
        push_namespace(&mut self.out, "ns1", NS_ANSWER);
        push_precision(&mut self.out, precision);
        self.out.push('>');
    }

    fn root_empty(&mut self, name: &str) {
        self.root(name, None);
        self.out.pop();
        self.out.push_str("/>");
    }

    pub(super) fn start(&mut self, name: &str) {
        self.out.push_str("<ns1:");
        self.out.push_str(name);
        self.out.push('>');
    }

    pub(super) fn end(&mut self, name: &str) {
        self.out.push_str("</ns1:");
        self.out.push_str(name);
        self.out.push('>');
    }

    fn empty(&mut self, name: &str) {
        self.out.push_str("<ns1:");
        self.out.push_str(name);
        self.out.push_str("/>");
    }

    pub(super) fn leaf(&mut self, name: &str, text: &str) {
        if text.is_empty() {
            return self.empty(name);
        }
        self.start(name);
        push_escaped(&mut self.out, text);
        self.end(name);
    }

    /// Upper case with accents.
    fn upper(&mut self, name: &str, text: &str) {
        if text.is_empty() {
            return self.empty(name);
        }
        self.start(name);
        // No sign that needs an escape is allowed in names.
        self.out.extend(text.chars().flat_map(char::to_uppercase));
        self.end(name);
    }

    /// A number of at least so many digits.
    pub(super) fn number(&mut self, name: &str, number: u32, digits: usize) {
        self.start(name);
        push_digits(&mut self.out, u64::from(number), digits);
        self.end(name);
    }

    fn code(&mut self, name: &str, code: Option<u8>, digits: usize) {
        match code {
            Some(code) => self.number(name, u32::from(code), digits),
            None => self.empty(name),
        }
    }

    fn ids(&mut self, personal: Option<PersonalId>, old: Option<OldId>) {
        for (name, id, digits) in [
            ("SoDinhDanh", personal.map(PersonalId::number), 12),
            ("SoCMND", old.map(|id| u64::from(id.number())), 9),
        ] {
            match id {
                Some(id) => {
                    self.start(name);
                    push_digits(&mut self.out, id, digits);
                    self.end(name);
                }
                None => self.empty(name),
            }
        }
    }
}

fn push_namespace(out: &mut String, prefix: &str, uri: &str) {
    out.push_str(" xmlns:");
    out.push_str(prefix);
    out.push_str("=\"");
    out.push_str(uri);
    out.push('"');
}

/// Only an answer that rests on the year alone says so.
fn push_precision(out: &mut String, precision: Option<Precision>) {
    if precision == Some(Precision::Year) {
        out.push_str(" precision=\"year\"");
    }
}

fn push_digits(out: &mut String, number: u64, digits: usize) {
    /// Digits of the largest number.
    const MOST: usize = 20;
    let mut text = [b'0'; MOST];
    let (mut rest, mut at) = (number, MOST);
    while at > 0 && (rest > 0 || MOST - at < digits) {
        at -= 1;
        text[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.extend(text[at..].iter().map(|b| char::from(*b)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_padded() {
        let text = |number, digits| {
            let mut out = String::new();
            push_digits(&mut out, number, digits);
            out
        };
        assert_eq!(text(4, 5), "00004");
        assert_eq!(text(99_301_012_345, 12), "099301012345");
        assert_eq!(text(0, 2), "00");
        assert_eq!(text(1234, 1), "1234");
        assert_eq!(text(u64::MAX, 1), u64::MAX.to_string());
    }
}
