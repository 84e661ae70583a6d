//! From an envelope to a question, with every input error and not only the first.

use std::ops::RangeInclusive;

use aws_lc_rs::digest::{SHA256, digest};
use dancu_domain::birth::{BirthDate, BirthError};
use dancu_domain::ids::{
    CaseCode, IdError, Login, OfficerRef, OldId, PersonalId, ProcedureCode, RequestId, SubjectId,
    UnitCode,
};
use dancu_domain::name::NameQuery;
use dancu_domain::refusal::Reason;
use dancu_domain::registration::System;
use dancu_gate::query::{Ask, FieldError, Query, Subject, Unreadable};
use jiff::civil::Date;

use super::envelope::{Called, Envelope, Trouble, is_utf8};
use super::operation::Operation;
use super::slots::Slot;
use super::{SoapCall, SoapUnreadable, XRoadEcho, input};

/// Longest service code (MaTichHop), in digits.
const MAX_CODE: usize = 20;
/// Most errors that one refusal lists, as in REST: a body of 64 KiB could hold thousands.
const ERRORS_MAX: usize = 50;

/// What a request is read by, beside its system.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The day in Viet Nam: for dates of birth and for the list of units in force.
    pub today: Date,
    /// Lengths of a login account (TaiKhoan), in characters (B6).
    pub logins: RangeInclusive<usize>,
}

/// A day alone: logins of any length that there can be.
impl From<Date> for Reading {
    fn from(today: Date) -> Self {
        Self { today, logins: Login::LENGTH }
    }
}

/// Reads one SOAP request of `system`.
///
/// Any bytes give a question or a complete list of what is wrong, of which 50 errors are told.
pub fn parse(
    body: &[u8],
    content_type: Option<&str>,
    system: &System,
    reading: impl Into<Reading>,
) -> Result<SoapCall, Box<SoapUnreadable>> {
    let mut opened = open(body, content_type, reading.into(), |form, head, operation| {
        match operation {
            // Lists and jobs are no question about a citizen: whoever called goes on with
            // `parse_job`.
            Some(Operation::List) if form.envelope.trouble.is_none() => {
                form.errors = vec![input::error("Body", "Danh sách và công việc được gọi riêng.")];
                None
            }
            Some(operation) => form.question(operation, system, head),
            None => None,
        }
    })?;
    if let (true, Some(question)) = (opened.errors.is_empty(), opened.asked.take()) {
        let Opened { mut envelope, echo, head, .. } = opened;
        let operation = question.operation;
        return Ok(SoapCall { operation, query: head.complete(question, &mut envelope), echo });
    }
    let list = opened.operation == Some(Operation::List) && opened.envelope.trouble.is_none();
    Err(opened.unreadable(list.then_some(Reason::NotOffered)))
}

/// What a request begins with, whatever it asks.
pub(super) struct Opened<'a, T> {
    pub(super) envelope: Envelope<'a>,
    pub(super) echo: Option<XRoadEcho>,
    pub(super) head: Head,
    pub(super) operation: Option<Operation>,
    /// Everything that is wrong so far.
    pub(super) errors: Vec<FieldError>,
    /// What its operation asks, where that could be read.
    pub(super) asked: Option<T>,
}

/// Reads envelope, head and operation, and with `ask` what the operation asks.
pub(super) fn open<'a, T>(
    body: &'a [u8],
    content_type: Option<&str>,
    reading: Reading,
    ask: impl FnOnce(&mut Form<'_>, &Head, Option<Operation>) -> Option<T>,
) -> Result<Opened<'a, T>, Box<SoapUnreadable>> {
    let text = decode(body, content_type).map_err(undecoded)?;
    let mut envelope = Envelope::read(text);
    let echo = envelope.take_echo();
    let mut form = Form::new(&envelope, reading);
    let head = form.head();
    let operation = form.operation();
    let asked = ask(&mut form, &head, operation);
    let errors = form.errors;
    Ok(Opened { envelope, echo, head, operation, errors, asked })
}

impl<T> Opened<'_, T> {
    /// The request as one that could not be read, with everything that is wrong with it.
    pub(super) fn unreadable(mut self, reason: Option<Reason>) -> Box<SoapUnreadable> {
        let (operation, echo) = (self.operation, self.echo);
        let (service, user) = (operation.map(Operation::service), self.envelope.user.take());
        let unreadable = self.head.unreadable(self.errors, reason, service, user);
        Box::new(SoapUnreadable { unreadable, operation, echo })
    }
}

/// A body that is no text.
fn undecoded(trouble: Trouble) -> Box<SoapUnreadable> {
    let errors = vec![input::trouble(trouble)];
    let unreadable = Unreadable { errors, ..Unreadable::default() };
    Box::new(SoapUnreadable { unreadable, operation: None, echo: None })
}

/// Digest of the operation's infoset: same digest = same body.
pub(super) fn digest_of(envelope: &Envelope<'_>) -> [u8; 16] {
    let mut body = [0; 16];
    let hash = digest(&SHA256, envelope.infoset.as_bytes());
    body.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
    body
}

/// UTF-8 without its byte order mark; anything else is refused, by whatever it is recognised.
fn decode<'a>(body: &'a [u8], content_type: Option<&str>) -> Result<&'a str, Trouble> {
    let parameters = content_type.unwrap_or_default().split(';').skip(1);
    for (name, value) in parameters.filter_map(|p| p.split_once('=')) {
        let value = value.trim().trim_matches(['"', '\'']);
        if name.trim().eq_ignore_ascii_case("charset") && !is_utf8(value) {
            return Err(Trouble::Charset);
        }
    }
    if body.starts_with(&[0xff, 0xfe]) || body.starts_with(&[0xfe, 0xff]) {
        return Err(Trouble::Charset);
    }
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    std::str::from_utf8(body).map_err(|_| Trouble::NotUtf8)
}

/// What every question begins with; each part where it is readable.
pub(super) struct Head {
    pub(super) request_id: Option<RequestId>,
    pub(super) officer: Option<OfficerRef>,
    pub(super) second_name: Option<OfficerRef>,
    pub(super) procedure: Option<ProcedureCode>,
    pub(super) case: Option<CaseCode>,
    pub(super) unit: Option<UnitCode>,
}

/// A question before the envelope's digest and user are added.
struct Question {
    head: (RequestId, OfficerRef, ProcedureCode),
    operation: Operation,
    subject: Subject,
    ask: Ask,
}

impl Head {
    fn complete(self, question: Question, envelope: &mut Envelope<'_>) -> Query {
        let body = digest_of(envelope);
        let (request_id, officer, procedure) = question.head;
        Query {
            request_id,
            officer,
            second_name: self.second_name,
            procedure,
            purpose: None,
            case: self.case,
            unit: self.unit,
            x_road_user: envelope.user.take(),
            service: question.operation.service(),
            subject: question.subject,
            ask: question.ask,
            body,
        }
    }

    fn unreadable(
        self,
        errors: Vec<FieldError>,
        reason: Option<Reason>,
        service: Option<dancu_domain::service::Service>,
        x_road_user: Option<String>,
    ) -> Unreadable {
        Unreadable {
            errors,
            reason,
            service,
            request_id: self.request_id,
            officer: self.officer,
            procedure: self.procedure,
            case: self.case,
            x_road_user,
        }
    }
}

/// The slots of a person: the subject, or the relative.
pub(super) struct Keys {
    id: Slot,
    old_id: Slot,
    name: Slot,
    birth: Slot,
    birth_day: Slot,
    birth_year: Slot,
}

const SUBJECT: Keys = Keys {
    id: Slot::SoDinhDanh,
    old_id: Slot::SoCmnd,
    name: Slot::HoVaTen,
    birth: Slot::Birth,
    birth_day: Slot::BirthDay,
    birth_year: Slot::BirthYear,
};

pub(super) const RELATIVE: Keys = Keys {
    id: Slot::RelativeId,
    old_id: Slot::RelativeOldId,
    name: Slot::RelativeName,
    birth: Slot::RelativeBirth,
    birth_day: Slot::RelativeBirthDay,
    birth_year: Slot::RelativeBirthYear,
};

/// The texts of an envelope, being read into types.
pub(super) struct Form<'a> {
    pub(super) envelope: &'a Envelope<'a>,
    pub(super) errors: Vec<FieldError>,
    pub(super) today: Date,
    logins: RangeInclusive<usize>,
}

impl<'a> Form<'a> {
    pub(super) fn new(envelope: &'a Envelope<'a>, reading: Reading) -> Self {
        let Reading { today, logins } = reading;
        Self { envelope, errors: vec![], today, logins }
    }

    pub(super) fn text(&self, slot: Slot) -> Option<&'a str> {
        self.envelope.text(slot)
    }

    pub(super) fn fail(&mut self, error: FieldError) {
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(error);
        }
    }

    /// An identifier that may be missing.
    fn id<T>(
        &mut self,
        slot: Slot,
        parse: impl Fn(&str) -> Result<T, IdError>,
        shape: &str,
    ) -> Option<T> {
        match parse(self.text(slot)?) {
            Ok(id) => Some(id),
            Err(problem) => {
                self.fail(input::id(slot.path(), problem, shape));
                None
            }
        }
    }

    fn required<T>(
        &mut self,
        slot: Slot,
        parse: fn(&str) -> Result<T, IdError>,
        shape: &str,
    ) -> Option<T> {
        if self.text(slot).is_none() {
            self.fail(input::required(slot.path()));
        }
        self.id(slot, parse, shape)
    }

    pub(super) fn head(&mut self) -> Head {
        let request_id = self.required(Slot::MaYeuCau, RequestId::parse, "1-40 ký tự in được");
        let shape = "1-20 chữ, số hoặc dấu . - _";
        let procedure = self.required(Slot::MaDvc, ProcedureCode::parse, shape);
        let (officer, second_name) = self.officer();
        let shape = "1-35 chữ, số hoặc dấu . - _";
        let unit = self.id(Slot::MaDonVi, UnitCode::parse, shape);
        let shape = "3-60 chữ, số hoặc dấu . - / _";
        let case = self.id(Slot::MaHoSo, CaseCode::parse, shape).or_else(|| {
            // X-Road's issue is free text, so one that is no case code is none.
            CaseCode::parse(self.envelope.issue.as_deref()?).ok()
        });
        Head { request_id, officer, second_name, procedure, case, unit }
    }

    /// The officer's name, and MaCanBo where TaiKhoan is the name: the gate sees that both name one
    /// account. MaCanBo is required; where TaiKhoan names the officer it may be missing.
    fn officer(&mut self) -> (Option<OfficerRef>, Option<OfficerRef>) {
        let shape = "1-60 ký tự in được";
        if self.text(Slot::TaiKhoan).is_none() {
            return (self.required(Slot::MaCanBo, OfficerRef::parse, shape), None);
        }
        let logins = self.logins.clone();
        let login = |text: &str| {
            if logins.contains(&text.chars().count()) {
                OfficerRef::parse(text)
            } else {
                Err(IdError::Length)
            }
        };
        let lengths = format!("{}-{} ký tự", logins.start(), logins.end());
        let account = self.id(Slot::TaiKhoan, login, &lengths);
        (account, self.id(Slot::MaCanBo, OfficerRef::parse, shape))
    }

    /// The operation; where the envelope itself is wrong, nothing else is told.
    pub(super) fn operation(&mut self) -> Option<Operation> {
        let (operation, problem) = match self.envelope.called {
            Called::Operation(operation) => (Some(operation), None),
            Called::Nothing => (None, Some("Thiếu phần tử thao tác trong soap:Body.")),
            Called::Unknown => {
                (None, Some("Không có thao tác này, hoặc không gian tên không đúng."))
            }
            Called::Several => (None, Some("Chỉ được có một thao tác trong soap:Body.")),
        };
        if let Some(trouble) = self.envelope.trouble {
            self.errors = vec![input::trouble(trouble)];
        } else if let Some(problem) = problem {
            self.errors = vec![input::no_operation(problem)];
        } else {
            for path in &self.envelope.doubled {
                self.fail(input::doubled(path));
            }
        }
        operation
    }

    fn question(&mut self, operation: Operation, system: &System, head: &Head) -> Option<Question> {
        if self.envelope.trouble.is_some() {
            return None;
        }
        self.code(operation, system);
        let subject = self.subject();
        let ask = self.ask(operation);
        let head = (head.request_id.clone()?, head.officer.clone()?, head.procedure.clone()?);
        Some(Question { head, operation, subject: subject?, ask: ask? })
    }

    /// The code (MaTichHop, MaDichVu) must be the operation's. It may be missing where it is not
    /// public; and where the service is not registered, because no code could be right then and
    /// the gate says so better.
    pub(super) fn code(&mut self, operation: Operation, system: &System) {
        let registered = system.service(operation.service()).map(|s| s.ma_tich_hop.as_str());
        let mut sent = false;
        for slot in [Slot::MaTichHop, Slot::MaDichVu] {
            let Some(code) = self.text(slot) else {
                continue;
            };
            sent = true;
            if code.len() > MAX_CODE || !code.bytes().all(|b| b.is_ascii_digit()) {
                self.fail(input::error(slot.path(), "Mã dịch vụ phải là 1-20 chữ số."));
            } else if registered.is_some_and(|r| r != code)
                && !operation.public_codes().contains(&code)
            {
                let message = "Mã dịch vụ không phải mã đã đăng ký cho thao tác này.";
                self.fail(input::error(slot.path(), message));
            }
        }
        if !sent && registered.is_some() && !operation.public_codes().is_empty() {
            self.fail(input::required(Slot::MaTichHop.path()));
        }
    }

    fn subject(&mut self) -> Option<Subject> {
        let (personal, old) = self.ids(&SUBJECT);
        if self.text(SUBJECT.id).is_none() && self.text(SUBJECT.old_id).is_none() {
            let message = "Phải có SoDinhDanh (12 chữ số) hoặc SoCMND (9 chữ số).";
            self.fail(input::error(SUBJECT.id.path(), message));
        }
        let name = self.name(&SUBJECT);
        let birth = self.birth(&SUBJECT, true);
        // Both sent: the personal id decides; a wrong one is never passed over for the old id.
        let id = match personal {
            Some(id) => Some(SubjectId::Personal(id)),
            None => old.map(SubjectId::Old),
        };
        Some(Subject { id: id?, name: name?, birth: birth? })
    }

    pub(super) fn ids(&mut self, keys: &Keys) -> (Option<PersonalId>, Option<OldId>) {
        let personal = self.id(keys.id, PersonalId::parse, "12 chữ số");
        (personal, self.id(keys.old_id, OldId::parse, "9 chữ số"))
    }

    pub(super) fn name(&mut self, keys: &Keys) -> Option<NameQuery> {
        let path = keys.name.path();
        match self.text(keys.name).map(NameQuery::parse) {
            Some(Ok(name)) => return Some(name),
            Some(Err(problem)) => self.fail(input::name(path, problem)),
            None => self.fail(input::required(path)),
        }
        None
    }

    /// NgayThangNam decides where it is there; an empty one leaves it to Nam. Plain text may be
    /// any of the forms.
    pub(super) fn birth(&mut self, keys: &Keys, required: bool) -> Option<BirthDate> {
        type Read = fn(&str, Date) -> Result<BirthDate, BirthError>;
        let forms: [(Slot, Read); 3] = [
            (keys.birth_day, BirthDate::parse_day),
            (keys.birth_year, BirthDate::parse_year),
            (keys.birth, BirthDate::parse),
        ];
        let mut found = None;
        for (slot, read) in forms {
            let Some(text) = self.text(slot) else {
                continue;
            };
            match read(text, self.today) {
                Ok(birth) => {
                    if found.is_some_and(|day: BirthDate| day.year() != birth.year()) {
                        self.fail(input::error(slot.path(), "Nam không khớp NgayThangNam."));
                    }
                    found = found.or(Some(birth));
                }
                Err(problem) => {
                    self.fail(input::birth(slot.path(), problem));
                    return None;
                }
            }
        }
        if found.is_none() && required {
            self.fail(input::required(keys.birth.path()));
        }
        found
    }
}
