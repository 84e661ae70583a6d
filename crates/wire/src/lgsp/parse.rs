//! From a JSON body to a question, by way of the SOAP request that it stands for.

use dancu_domain::registration::System;
use dancu_gate::query::{FieldError, Query, Unreadable};
use quick_xml::escape::escape;

use super::json::{self, Object, Value};
use super::members::{BIRTH, Kind, Member, REQUEST};
use super::spelled::{lower_first, upper_first};
use crate::body::{Unfit, json_text};
use crate::soap::{self, NS_REQUEST, NS_SOAP, Operation, Reading, SoapCall, SoapUnreadable};

/// The path under which errors of the whole body are listed.
const WHOLE: &str = "body";

/// Reads the body of `POST /lgsp/v1/{operation_name}` of `system`, by what SOAP is read by.
///
/// Any bytes give a question or a complete list of what is wrong, by the JSON names.
pub fn parse(
    operation_name: &str,
    body: &[u8],
    system: &System,
    reading: impl Into<Reading>,
) -> Result<SoapCall, Box<SoapUnreadable>> {
    let element = upper_first(operation_name);
    let Some(operation) = Operation::from_name(&element) else {
        return Err(Box::new(unknown_operation(operation_name)));
    };
    let (object, doubled) = match decode(body) {
        Ok(read) => read,
        Err(unfit) => {
            let (message, reason) = (unfit.message_vi(), unfit.reason());
            return Err(Box::new(super::unread(operation_name, WHOLE, &message, reason)));
        }
    };
    let mut form = Form { errors: doubled, xml: String::with_capacity(body.len() + 512) };
    form.envelope(&element, operation, &object);
    let Form { errors, xml } = form;
    let digest = digest_of(&element, &object);
    match soap::parse(xml.as_bytes(), None, system, reading) {
        Ok(mut call) if errors.is_empty() => {
            call.query.body = digest;
            Ok(call)
        }
        Ok(call) => Err(Box::new(SoapUnreadable {
            unreadable: partly(call.query, errors),
            operation: Some(operation),
            echo: None,
        })),
        Err(mut unread) => {
            unread.unreadable.errors = merged(errors, &unread.unreadable.errors, &object);
            Err(unread)
        }
    }
}

/// The body as an object with the keys that came twice; or what is wrong with all of it.
fn decode(body: &[u8]) -> Result<(Object, Vec<FieldError>), Unfit> {
    let (object, flaws) = json::read(json_text(body)?)?;
    let doubled = flaws.doubled.iter().map(|key| error(key, "Trường này xuất hiện hai lần."));
    Ok((object, doubled.collect()))
}

/// A body being spelled as SOAP.
struct Form {
    errors: Vec<FieldError>,
    xml: String,
}

impl Form {
    fn envelope(&mut self, element: &str, operation: Operation, object: &Object) {
        self.push(&["<e:Envelope xmlns:e=\"", NS_SOAP, "\"><e:Body><"]);
        self.push(&[element, " xmlns=\"", NS_REQUEST, "\">"]);
        self.members("", REQUEST, object);
        // The path names the service, so JSON clients send no code; the public one is as good.
        let coded = ["maTichHop", "maDichVu"].iter().any(|key| match object.get(*key) {
            None | Some(Value::Null) => false,
            Some(Value::Text(text)) => !text.trim().is_empty(),
            Some(_) => true,
        });
        if let Some(code) = operation.public_codes().first().filter(|_| !coded) {
            self.push(&["<MaTichHop>", code, "</MaTichHop>"]);
        }
        self.push(&["</", element, "></e:Body></e:Envelope>"]);
    }

    fn push(&mut self, parts: &[&str]) {
        self.xml.extend(parts.iter().copied());
    }

    fn members(&mut self, up: &str, members: &[Member], object: &Object) {
        let mut birth = false;
        for member in members {
            let Some(value) = object.get(member.name) else { continue };
            let path = format!("{up}{}", member.name);
            if member.element == BIRTH && !matches!(value, Value::Null) {
                if birth {
                    self.errors.push(error(&path, "Chỉ gửi một trong hai tên của ngày sinh."));
                    continue;
                }
                birth = true;
            }
            self.member(&path, *member, value);
        }
    }

    fn member(&mut self, path: &str, member: Member, value: &Value) {
        match (member.kind, value) {
            // The same as missing.
            (_, Value::Null) => {}
            (Kind::Object(members) | Kind::TextOr(members), Value::Object(object)) => {
                self.push(&["<", member.element, ">"]);
                self.members(&format!("{path}."), members, object);
                self.push(&["</", member.element, ">"]);
            }
            (Kind::Text | Kind::Whole | Kind::TextOr(_), Value::Text(text)) => {
                self.leaf(path, member.element, text);
            }
            (Kind::Whole, Value::Whole(number)) => {
                self.leaf(path, member.element, &number.to_string());
            }
            (Kind::Object(_), other) => {
                let kind = other.kind();
                let message = format!("Phải là đối tượng {{…}}, không phải {kind}.");
                self.errors.push(error(path, message));
            }
            (_, other) => {
                let message = format!("Phải là chuỗi ký tự, không phải {}.", other.kind());
                self.errors.push(error(path, message));
            }
        }
    }

    fn leaf(&mut self, path: &str, element: &str, text: &str) {
        // Line ends and tabs are white space in SOAP texts; no name or code has them in JSON.
        let fits = |c: char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
        if !text.chars().all(fits) {
            self.errors.push(error(path, "Có ký tự không được phép."));
        } else if !element.is_empty() && !text.trim_ascii().is_empty() {
            self.push(&["<", element, ">", &escape(text), "</", element, ">"]);
        }
    }
}

/// The operation and the JSON value, whatever its spelling.
fn digest_of(element: &str, object: &Object) -> [u8; 16] {
    let mut canonical = Vec::with_capacity(1024);
    canonical.extend_from_slice(element.as_bytes());
    json::write_object(&mut canonical, object);
    crate::body::digest16(&canonical)
}

/// What a question that could be read leaves of itself where something else is wrong.
fn partly(query: Query, errors: Vec<FieldError>) -> Unreadable {
    Unreadable {
        errors,
        reason: None,
        service: Some(query.service),
        request_id: Some(query.request_id),
        officer: Some(query.officer),
        procedure: Some(query.procedure),
        case: query.case,
        x_road_user: None,
    }
}

/// Errors of the structure, then those of the values under their JSON names; one per field.
fn merged(mut errors: Vec<FieldError>, spelled: &[FieldError], object: &Object) -> Vec<FieldError> {
    for found in spelled {
        let field = json_path(&found.field, object);
        if errors.iter().all(|known| known.field != field) {
            let message = found.message_vi.replace("SoDinhDanh", "soDinhDanh");
            errors.push(error(&field, message.replace("SoCMND", "soCMND")));
        }
    }
    errors
}

/// The JSON name of an element's path; a date of birth is called as the caller called it.
fn json_path(path: &str, object: &Object) -> String {
    let birth = |object: Option<&Object>| {
        let sent = object.is_some_and(|o| o.contains_key("ngayThangNamSinh"));
        if sent { "ngayThangNamSinh" } else { "ngayThangNam" }
    };
    match path.split('/').collect::<Vec<_>>().as_slice() {
        ["Envelope"] => WHOLE.to_owned(),
        ["Body"] => "operation".to_owned(),
        [BIRTH] => birth(Some(object)).to_owned(),
        [relative, BIRTH] => {
            let relative = lower_first(relative);
            let inner = match object.get(&relative) {
                Some(Value::Object(inner)) => Some(inner),
                _ => None,
            };
            format!("{relative}.{}", birth(inner))
        }
        parts => parts.iter().map(|part| lower_first(part)).collect::<Vec<_>>().join("."),
    }
}

fn unknown_operation(name: &str) -> SoapUnreadable {
    let names = Operation::OFFERED.iter().map(|o| super::path_name(*o)).collect::<Vec<_>>();
    let message = format!("Không có thao tác này. Các thao tác: {}.", names.join(", "));
    super::unread(name, "operation", &message, None)
}

fn error(field: &str, message_vi: impl Into<String>) -> FieldError {
    FieldError { field: field.to_owned(), message_vi: message_vi.into() }
}
