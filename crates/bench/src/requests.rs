//! Requests as prepared bytes with places of fixed width for what differs each time.

use std::fs;
use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

use crate::demo::{Caller, Citizen, Demo};
use crate::http;
use crate::machine;
use crate::stamps::Stamps;

/// Length of a request id, in characters.
pub const ID_LENGTH: usize = 19;
/// Stands in a template where the request id belongs; as long as one, and in no other text.
const ID_PLACE: &str = "~~request~id~place~";
/// Stands in a template where the 13 digits of the timestamp belong.
const TIMESTAMP_PLACE: &str = "~~timestamp~~";
/// What stands for the request id in bodies that are not rendered yet.
pub const ID_IN_FILES: &str = "{{requestId}}";

/// A request id: `b`, eight hexadecimal digits of the run, ten of a counter.
pub type RequestId = [u8; ID_LENGTH];

/// Request ids that do not repeat within a run nor, by the run's number, across runs.
pub struct RequestIds {
    run: u32,
    counter: u64,
}

impl RequestIds {
    /// Ids of run number `run`.
    pub fn new(run: u32) -> Self {
        Self { run, counter: 0 }
    }

    /// Ids of a run that is numbered by the time it starts at, in units of 65.5 microseconds.
    pub fn of_now() -> Self {
        Self::new((machine::since_1970().as_nanos() >> 16) as u32)
    }

    /// The next id.
    pub fn next_id(&mut self) -> RequestId {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut id = [b'b'; ID_LENGTH];
        let number = u128::from(self.run) << 40 | u128::from(self.counter);
        for (place, byte) in id[1..].iter_mut().rev().enumerate() {
            *byte = DIGITS[(number >> (4 * place)) as usize & 15];
        }
        self.counter += 1;
        id
    }
}

/// One prepared request.
pub struct Template {
    bytes: Vec<u8>,
    id_at: Option<usize>,
    stamp_at: Option<StampPlaces>,
}

struct StampPlaces {
    timestamp: usize,
    credentials: usize,
}

impl Template {
    /// A request without a SOAP stamp; `{{requestId}}` in the body becomes the id's place.
    pub fn plain(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Self {
        let body = body.replace(ID_IN_FILES, ID_PLACE);
        let bytes = http::render(method, path, headers, &body);
        let id_at = http::find(&bytes, ID_PLACE.as_bytes());
        Self { bytes, id_at, stamp_at: None }
    }

    /// A SOAP request whose `Timestamp` and credentials are filled in each time. Credentials
    /// have one length per user: base64 of the user, a colon and 64 digits.
    fn stamped(path: &str, user: &str, body: &str) -> Self {
        let length = (user.len() + 65).div_ceil(3) * 4;
        let authorization = format!("Basic {}", "~".repeat(length));
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Timestamp", TIMESTAMP_PLACE),
            ("Content-Type", "text/xml; charset=utf-8"),
            ("SOAPAction", "\"\""),
        ];
        let mut template = Self::plain("POST", path, &headers, body);
        let timestamp = http::find(&template.bytes, TIMESTAMP_PLACE.as_bytes());
        let credentials = http::find(&template.bytes, b"Basic ").map(|at| at + 6);
        template.stamp_at = timestamp
            .zip(credentials)
            .map(|(timestamp, credentials)| StampPlaces { timestamp, credentials });
        template
    }
}

/// What every answer of a load must hold.
#[derive(Clone)]
pub enum Expect {
    /// Any body.
    Anything,
    /// This text.
    Text(String),
    /// This text, and the request's own id.
    TextAndId(String),
}

impl Expect {
    /// Whether a body is as expected.
    pub fn holds(&self, body: &[u8], id: &RequestId) -> bool {
        match self {
            Self::Anything => true,
            Self::Text(text) => http::find(body, text.as_bytes()).is_some(),
            Self::TextAndId(text) => {
                http::find(body, text.as_bytes()).is_some() && http::find(body, id).is_some()
            }
        }
    }
}

/// Templates in rotation, with fresh ids and stamps.
pub struct RequestSet {
    templates: Vec<Template>,
    next: usize,
    ids: RequestIds,
    stamps: Option<Stamps>,
    /// What every answer must hold.
    pub expect: Expect,
}

impl RequestSet {
    /// A set of at least one template.
    pub fn new(
        templates: Vec<Template>,
        ids: RequestIds,
        stamps: Option<Stamps>,
        expect: Expect,
    ) -> Self {
        Self { templates, next: 0, ids, stamps, expect }
    }

    /// Computes SOAP stamps ahead of a round, where the set needs any.
    pub fn prepare(&mut self, count: usize) {
        if let Some(stamps) = &mut self.stamps {
            stamps.prepare(count);
        }
    }

    /// Lets SOAP stamps come again: for a server that looks at none of them, which would otherwise
    /// run out of fresh ones long before the program that is measured beside it.
    pub fn repeat_stamps(&mut self) {
        if let Some(stamps) = &mut self.stamps {
            stamps.repeat();
        }
    }

    /// Appends the next request to `out`; `None` when its stamps are used up.
    pub fn render(&mut self, out: &mut Vec<u8>) -> Option<RequestId> {
        let template = self.templates.get(self.next)?;
        self.next = (self.next + 1) % self.templates.len();
        let start = out.len();
        out.extend_from_slice(&template.bytes);
        let request = &mut out[start..];
        let id = self.ids.next_id();
        if let Some(at) = template.id_at {
            request[at..at + ID_LENGTH].copy_from_slice(&id);
        }
        if let (Some(places), Some(stamps)) = (&template.stamp_at, &mut self.stamps) {
            let stamp = stamps.take()?;
            let timestamp = format!("{:013}", stamp.millis);
            let credentials = stamp.credentials.as_bytes();
            request[places.timestamp..places.timestamp + 13].copy_from_slice(timestamp.as_bytes());
            request[places.credentials..places.credentials + credentials.len()]
                .copy_from_slice(credentials);
        }
        Some(id)
    }
}

/// The body of `POST /api/v1/citizens/verify`, the id left open as `{{requestId}}`.
pub fn rest_body(caller: &Caller, citizen: &Citizen) -> String {
    serde_json::json!({
        "requestId": ID_IN_FILES,
        "procedureCode": caller.procedure.code,
        "purpose": caller.procedure.purpose,
        "caseCode": "BENCH-1",
        "account": caller.account,
        "subject": {
            "personalId": citizen.personal_id,
            "fullName": citizen.full_name,
            "dateOfBirth": citizen.date_of_birth,
        },
    })
    .to_string()
}

/// REST verification of every citizen in turn, with a bearer token.
pub fn rest_verify(demo: &Demo, caller: &Caller, token: &str, ids: RequestIds) -> RequestSet {
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    let templates = demo
        .citizens
        .iter()
        .map(|citizen| {
            let body = rest_body(caller, citizen);
            Template::plain("POST", "/api/v1/citizens/verify", &headers, &body)
        })
        .collect();
    let expect = Expect::TextAndId("\"result\":\"match\"".to_owned());
    RequestSet::new(templates, ids, None, expect)
}

/// SOAP verification (XacThucThongTinCongDan) of every citizen in turn.
pub fn soap_verify(demo: &Demo, caller: &Caller, ids: RequestIds) -> anyhow::Result<RequestSet> {
    let (_, path) = http::local_address(&demo.soap_url).context("soapUrl")?;
    let soap = &caller.system.soap;
    let templates = demo
        .citizens
        .iter()
        .map(|citizen| Template::stamped(&path, &soap.user, &soap_body(caller, citizen)))
        .collect();
    let mut service_urls = vec![path];
    if let Some(registered) = &soap.service_url
        && !service_urls.contains(registered)
    {
        service_urls.push(registered.clone());
    }
    let stamps = Stamps::new(&soap.user, &soap.secret, &service_urls);
    let expect = Expect::Text("TonTai>true<".to_owned());
    Ok(RequestSet::new(templates, ids, Some(stamps), expect))
}

fn soap_body(caller: &Caller, citizen: &Citizen) -> String {
    let service = caller.system.services.iter().find(|service| service.code == "citizen.verify");
    let code = service.and_then(|service| service.ma_tich_hop.as_deref()).unwrap_or("003");
    let birth = match citizen.date_of_birth.split('-').collect::<Vec<_>>().as_slice() {
        [year] => format!("<dc:Nam>{year}</dc:Nam>"),
        parts => format!("<dc:NgayThangNam>{}</dc:NgayThangNam>", parts.concat()),
    };
    let element = |name: &str, text: &str| format!("<dc:{name}>{}</dc:{name}>", escape(text));
    [
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" ",
        "xmlns:dc=\"http://dancuquocgia.bca\"><soapenv:Header/><soapenv:Body>",
        "<dc:XacThucThongTinCongDan>",
        &element("MaYeuCau", ID_IN_FILES),
        &element("MaDVC", &caller.procedure.code),
        &element("MaTichHop", code),
        &element("MaDonVi", &caller.system.unit_code),
        &element("MaCanBo", &caller.account),
        &element("SoDinhDanh", &citizen.personal_id),
        &element("HoVaTen", &citizen.full_name),
        "<dc:NgayThangNamSinh>",
        &birth,
        "</dc:NgayThangNamSinh>",
        "</dc:XacThucThongTinCongDan></soapenv:Body></soapenv:Envelope>",
    ]
    .concat()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Requests of a file: one JSON object per line, `{"method", "path", "headers"?: {name: value},
/// "body"?: text}`; `{{requestId}}` in a body is replaced by a fresh id of 19 characters.
pub fn from_file(path: &Path, ids: RequestIds) -> anyhow::Result<RequestSet> {
    #[derive(Deserialize)]
    struct Line {
        method: String,
        path: String,
        #[serde(default)]
        headers: std::collections::BTreeMap<String, String>,
        #[serde(default)]
        body: String,
    }
    let text = fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
    let mut templates = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let line: Line = serde_json::from_str(line)
            .with_context(|| format!("{}, line {}", path.display(), number + 1))?;
        let headers: Vec<(&str, &str)> =
            line.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        templates.push(Template::plain(&line.method, &line.path, &headers, &line.body));
    }
    anyhow::ensure!(!templates.is_empty(), "{} holds no request", path.display());
    Ok(RequestSet::new(templates, ids, None, Expect::Anything))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demo() -> Demo {
        serde_json::from_str(include_str!("../tests/demo.json")).unwrap()
    }

    fn text(set: &mut RequestSet) -> String {
        let mut bytes = Vec::new();
        set.render(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn content_length_agrees(request: &str) -> bool {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        head.contains(&format!("Content-Length: {}", body.len()))
    }

    #[test]
    fn ids_count_up_in_a_fixed_width() {
        let mut ids = RequestIds::new(0xab);
        assert_eq!(&ids.next_id(), b"b000000ab0000000000");
        assert_eq!(&ids.next_id(), b"b000000ab0000000001");
    }

    #[test]
    fn rest_requests_rotate_over_the_citizens() {
        let demo = demo();
        let caller = demo.caller("BIG").unwrap();
        let mut set = rest_verify(&demo, &caller, "t0ken", RequestIds::new(1));
        let (first, second, third) = (text(&mut set), text(&mut set), text(&mut set));
        assert!(first.starts_with("POST /api/v1/citizens/verify HTTP/1.1\r\n"));
        assert!(first.contains("Authorization: Bearer t0ken\r\n"));
        assert!(first.contains("\"requestId\":\"b000000010000000000\""));
        assert!(first.contains("Nguyễn Thị Mẫu") && second.contains("Trần Văn Thử"));
        assert!(third.contains("Nguyễn Thị Mẫu") && third.contains("b000000010000000002"));
        assert!(content_length_agrees(&first) && content_length_agrees(&second));
    }

    #[test]
    fn soap_requests_carry_their_own_stamp() {
        let demo = demo();
        let caller = demo.caller("BIG").unwrap();
        let mut set = soap_verify(&demo, &caller, RequestIds::new(1)).unwrap();
        let (first, second) = (text(&mut set), text(&mut set));
        assert!(!first.contains('~') && !second.contains('~'), "a place was not filled");
        assert!(first.contains("<dc:MaYeuCau>b000000010000000000</dc:MaYeuCau>"));
        assert!(first.contains("<dc:NgayThangNam>19900215</dc:NgayThangNam>"));
        assert!(second.contains("<dc:Nam>1951</dc:Nam>"));
        let stamp = |request: &str| {
            let lines = request.lines().take_while(|line| !line.is_empty());
            let kept = |line: &&str| line.starts_with("Auth") || line.starts_with("Timest");
            lines.filter(kept).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(stamp(&first).len(), 2);
        assert_ne!(stamp(&first), stamp(&second));
        assert!(content_length_agrees(&first) && content_length_agrees(&second));
    }
}
