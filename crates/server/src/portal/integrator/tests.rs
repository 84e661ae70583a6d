//! The integrator's desk over its routes.

mod webhooks;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dancu_access::debugger::{Hint, Name, Way};
use dancu_domain::credentials::CredentialKind;
use dancu_domain::dossier::{Clearance, Ground};
use dancu_domain::ids::{SystemCode, SystemId, UnitCode};
use dancu_domain::moment::Moment;
use dancu_domain::network::Network;
use dancu_domain::people::roles::Role;
use dancu_domain::registration::{
    Certificates, ConnectionState, Group, OauthAccess, Secret, SoapAccess, System,
};
use dancu_journal::{Act, Body as Entry};
use dancu_portal::text::Language;
use dancu_store::policy;

use crate::clock::machine_ms;
use crate::portal::frame;
use crate::portal::tests::site::{Answer, Browser, Site};

const SECRET: &str = "soap-secret-of-these-tests";
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
    MCowBQYDK2VwAyEAFfrsT8WmpDXczwocR47+smBeu70wwrSpHlAkuwNh+4M=\n\
    -----END PUBLIC KEY-----\n";

fn system(number: u32, code: &str, unit: &str) -> System {
    System {
        state: ConnectionState::Live,
        certificates: Certificates::OFF,
        soap: Some(SoapAccess {
            user: format!("{code}_SOAP"),
            secrets: vec![Secret(SECRET.as_bytes().into())],
            service_urls: vec![],
            hosts: vec![],
            reuse_from: vec![],
            x_road_client: None,
        }),
        oauth: Some(OauthAccess {
            client_id: code.to_lowercase(),
            secrets: vec![],
            public_keys: vec![],
        }),
        ..System::new(
            SystemId(number),
            SystemCode::parse(code).unwrap(),
            UnitCode::parse(unit).unwrap(),
            Group::State,
        )
    }
}

/// A site with a system of the people's unit and one of another.
async fn site() -> Site {
    let site = Site::new().await;
    let store = site.app.gate.store();
    let keys = store.keys().clone();
    let clearance = Clearance::exempt(Ground::SyntheticPeople, "thử nghiệm", "Người Mẫu").unwrap();
    let made = store.ledger().act(Moment(machine_ms()), move |tx, _| {
        for system in [system(1, "MAU", "H26.001"), system(2, "KHAC", "H26.777")] {
            policy::write::insert_cleared(tx, &keys, (&system, &[]), &clearance)?;
        }
        let (kind, actor) = ("test".into(), "dancu".into());
        Ok(Entry::Act(Act { kind, actor, system: 0, detail: String::new() }))
    });
    made.await.unwrap();
    site
}

fn registered(site: &Site) -> std::sync::Arc<System> {
    let snapshot = site.app.gate.store().snapshot(Moment(machine_ms())).unwrap();
    snapshot.by_id(SystemId(1)).unwrap().clone()
}

/// What stands in the page after a mark, up to the next tag.
fn after<'a>(page: &'a Answer, mark: &str) -> &'a str {
    page.body.split(mark).nth(1).unwrap().split('<').next().unwrap()
}

async fn issue(browser: &mut Browser, kind: &str) -> (Answer, Vec<(&'static str, String)>) {
    let page = browser.get("/integrator/MAU").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let fields = vec![
        ("kind", kind.to_owned()),
        ("name", "Máy <b>1</b>".to_owned()),
        ("overlap", "30".to_owned()),
        ("seen", page.hidden("seen")),
        ("once", page.hidden("once")),
    ];
    let answer = send(browser, &fields).await;
    (answer, fields)
}

async fn send(browser: &mut Browser, fields: &[(&'static str, String)]) -> Answer {
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.post("/integrator/MAU/secrets", &fields).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_shown_once_and_a_doubled_post_gives_no_other() {
    let site = site().await;
    let mut browser = site.signed_in(Role::Integrator, 0).await;
    let (shown, fields) = issue(&mut browser, "client").await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.body);
    let secret = after(&shown, "id=\"secret\" translate=\"no\">").to_owned();
    assert_eq!(secret.len(), 43);
    assert_eq!(shown.header("cache-control"), "no-store");
    // The same form once more, here and where nobody remembers it.
    let again = send(&mut browser, &fields).await;
    assert_eq!((again.status, again.to()), (StatusCode::SEE_OTHER, "/integrator/MAU?told=again"));
    let mut elsewhere = fields.clone();
    elsewhere[4].1 = "of another node".into();
    let refused = send(&mut browser, &elsewhere).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!refused.body.contains("id=\"secret\""));
    let system = registered(&site);
    let secrets = &system.oauth.as_ref().unwrap().secrets;
    assert_eq!((secrets.len(), &*secrets[0].0), (1, secret.as_bytes()));
    // Nowhere else: not in the list, not in the journal, not in the log of the person.
    let page = browser.get("/integrator/MAU").await;
    assert!(!page.body.contains(&secret) && !page.body.contains(SECRET));
    assert!(page.body.contains("Máy &#60;b&#62;1&#60;/b&#62;"), "markup stays text");
    site.app
        .gate
        .store()
        .scan_entries(0, |entry| {
            assert!(!format!("{entry:?}").contains(&secret));
            Ok(true)
        })
        .unwrap();
    // It works at the token endpoint, and its use is seen.
    let form = format!("grant_type=client_credentials&client_id=mau&client_secret={secret}");
    let token = api(&site, "/oauth/token", &[], form).await;
    assert_eq!(token.status, StatusCode::OK, "{}", token.body);
    let number = system.facts.number(CredentialKind::Client, 0);
    assert!(site.app.gate.uses.of(SystemId(1), number).is_some());
}

async fn api(site: &Site, path: &str, headers: &[(&str, String)], body: String) -> Answer {
    let mut browser = site.browser();
    let kind =
        if path == "/oauth/token" { "application/x-www-form-urlencoded" } else { "text/xml" };
    let mut request = Request::post(path).header(header::CONTENT_TYPE, kind);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    browser.send(request.body(Body::from(body)).unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_certificates_and_addresses_with_their_errors() {
    let site = site().await;
    let mut browser = site.signed_in(Role::Integrator, 0).await;
    browser.get("/integrator/MAU").await;
    let to = "/integrator/MAU/material";
    let add = async |browser: &mut Browser, text: &str| {
        browser.post(to, &[("material", text), ("called", "máy 2"), ("once", "1")]).await
    };
    let private = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIE\n-----END PRIVATE KEY-----";
    let wrong = add(&mut browser, private).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("khóa bí mật") && !wrong.body.contains("MC4CAQAw"));
    for (text, told) in [("", "Không đọc được"), ("-----BEGIN CERTIFICATE-----\nAA", "chứng thư")]
    {
        let wrong = add(&mut browser, text).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{text}");
        assert!(wrong.body.contains(told), "{text}");
    }
    assert_eq!(add(&mut browser, PUBLIC).await.to(), "/integrator/MAU?told=material");
    let pair = rcgen::KeyPair::generate().unwrap();
    let made = rcgen::CertificateParams::new(["may-goi".to_owned()]).unwrap();
    let pem = made.self_signed(&pair).unwrap().pem();
    // A form of its own, as the page after the key has it.
    let form = [("material", pem.as_str()), ("called", "máy 2"), ("once", "3")];
    assert_eq!(browser.post(to, &form).await.to(), "/integrator/MAU?told=material");
    // Two clicks: the second ended the request of the first, and both are one.
    let made = rcgen::CertificateParams::new(["may-khac".to_owned()]).unwrap();
    let pem = made.self_signed(&pair).unwrap().pem();
    let form = [("material", pem.as_str()), ("called", "máy 3"), ("once", "4")];
    let (mut first, mut second) = (browser.clone(), browser.clone());
    let (one, two) = tokio::join!(first.post(to, &form), second.post(to, &form));
    for answer in [one, two] {
        assert_eq!(answer.to(), "/integrator/MAU?told=material", "{}", answer.body);
    }
    let unknown = [("material", pem.as_str()), ("called", "máy 3")];
    assert_eq!(browser.post(to, &unknown).await.status, StatusCode::BAD_REQUEST);
    // Sent twice it is told as done; another form with the same key is not, however often it comes.
    let key = [("material", PUBLIC), ("called", "máy 2"), ("once", "1")];
    assert_eq!(browser.post(to, &key).await.to(), "/integrator/MAU?told=material");
    for _ in 0..2 {
        let other = [("material", PUBLIC), ("called", "máy 2"), ("once", "2")];
        assert_eq!(browser.post(to, &other).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let page = browser.get("/integrator/MAU").await;
    assert!(page.body.contains("Ed25519") && page.body.contains("SHA-256 "));
    assert_eq!(registered(&site).certificates.sha256.len(), 2);

    let list = async |browser: &mut Browser, text: &str| {
        browser.post("/integrator/MAU/sources", &[("sources", text)]).await
    };
    let typo = list(&mut browser, "203.0.113.9/24").await;
    assert_eq!(typo.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(typo.body.contains("203.0.113.0/24?"));
    list(&mut browser, "203.0.113.0/24").await;
    assert_eq!(registered(&site).facts.sources.len(), 1);
    // Loopback, from which these tests call, is not listed: it is refused and remembered.
    let refused = soap(&site, SECRET).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let calls = browser.get("/integrator/MAU/calls").await;
    assert!(calls.body.contains("Gọi từ địa chỉ ngoài danh sách."), "{}", calls.body);
    list(&mut browser, "").await;
    assert_ne!(soap(&site, SECRET).await.status, StatusCode::UNAUTHORIZED);
}

/// Timestamp and Authorization of a SOAP header by a secret.
fn soap_headers(secret: &str) -> [(&'static str, String); 2] {
    let now = machine_ms();
    let input = format!("/soap/dancuMAU_SOAP{now}{secret}");
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, input.as_bytes());
    let proof = STANDARD.encode(format!("MAU_SOAP:{}", hex::encode(hash)));
    [("timestamp", now.to_string()), ("authorization", format!("Basic {proof}"))]
}

async fn soap(site: &Site, secret: &str) -> Answer {
    api(site, "/soap/dancu", &soap_headers(secret), "<a/>".into()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e3_the_head_and_the_operator_revoke_at_once() {
    let site = site().await;
    let number = registered(&site).facts.number(CredentialKind::Soap, 0).to_string();
    let mut head = site.signed_in(Role::Head, 0).await;
    let page = head.get("/integrator/MAU").await;
    assert!(page.body.contains("/revoke?kind=soap") && !page.body.contains("MAU/secrets\""));
    assert!(!page.body.contains(SECRET));
    let ask = format!("/integrator/MAU/revoke?kind=soap&number={number}");
    let asked = head.get(&ask).await;
    assert!(asked.body.contains("name=\"sure\""), "it is the last one");
    let fields = [("kind", "soap"), ("number", number.as_str()), ("why", "lộ khóa")];
    let unsure = head.post("/integrator/MAU/revoke", &fields).await;
    assert_eq!(unsure.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(registered(&site).soap.as_ref().unwrap().secrets.len(), 1);
    let mut operator = site.signed_in(Role::Operator, 0).await;
    operator.get(&ask).await;
    let sure = [fields[0], fields[1], fields[2], ("sure", "yes")];
    let done = operator.post("/integrator/MAU/revoke", &sure).await;
    assert_eq!((done.status, done.to()), (StatusCode::SEE_OTHER, "/integrator/MAU?told=revoked"));
    assert!(registered(&site).soap.as_ref().unwrap().secrets.is_empty());
    assert_eq!(soap(&site, SECRET).await.status, StatusCode::UNAUTHORIZED);
    // Sent twice: it is gone, which is what was wanted.
    assert_eq!(operator.post("/integrator/MAU/revoke", &sure).await.to(), done.to());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn systems_of_other_units_are_not_there() {
    let site = site().await;
    for role in [Role::Integrator, Role::Head] {
        let mut browser = site.signed_in(role, 0).await;
        let list = browser.get("/integrator").await;
        assert!(list.body.contains("/integrator/MAU") && !list.body.contains("KHAC"), "{role:?}");
        let (foreign, none) =
            (browser.get("/integrator/KHAC").await, browser.get("/integrator/NONE").await);
        assert_eq!((foreign.status, none.status), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND));
        let revoke = browser.post("/integrator/KHAC/revoke", &[("kind", "soap"), ("number", "1")]);
        assert_eq!(revoke.await.status, StatusCode::NOT_FOUND);
    }
    let mut integrator = site.signed_in(Role::Integrator, 1).await;
    for part in ["debug", "calls"] {
        let path = format!("/integrator/KHAC/{part}");
        assert_eq!(integrator.get(&path).await.status, StatusCode::NOT_FOUND);
    }
    let mut operator = site.signed_in(Role::Operator, 0).await;
    assert_eq!(operator.get("/integrator/KHAC/debug").await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paste_is_explained_and_neither_kept_nor_shown() {
    let site = site().await;
    let mut browser = site.signed_in(Role::Integrator, 0).await;
    browser.get("/integrator/MAU/debug").await;
    let lines = |secret: &str| {
        let [(_, stamp), (_, proof)] = soap_headers(secret);
        let head = "POST /soap/dancu HTTP/1.1";
        format!("{head}\r\nTimestamp: {stamp}\r\nAuthorization: {proof}\r\n\r\n<a>099190000001</a>")
    };
    let explain = async |browser: &mut Browser, text: &str, source: &str| {
        let fields = [("paste", text), ("source", source)];
        browser.post("/integrator/MAU/debug", &fields).await
    };
    let text = lines(SECRET);
    let right = explain(&mut browser, &text, "").await;
    assert!(right.body.contains("Xác thực được"), "{}", right.body);
    assert!(right.body.contains("Phong bì SOAP") && !right.body.contains("099190000001"));
    let proof = text.split("Basic ").nth(1).unwrap().split('\r').next().unwrap();
    assert!(!right.body.contains(proof) && !right.body.contains(SECRET));
    let wrong = explain(&mut browser, &lines("khác"), "203.0.113.9").await;
    assert!(wrong.body.contains("Bị từ chối") && wrong.body.contains("••••"));
    for (text, source) in [("", ""), ("x", "không phải"), (&*"a".repeat(65_537), "")] {
        let refused = explain(&mut browser, text, source).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", text.len());
    }
    let markup = explain(&mut browser, "Timestamp: <script>alert(1)</script>", "").await;
    assert!(!markup.body.contains("<script>alert") && markup.body.contains("&#60;script&#62;"));
    let statuses = [(); 40].map(|()| ());
    let mut busy = 0;
    for () in statuses {
        let answer = explain(&mut browser, "x", "").await;
        busy += u32::from(answer.status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert!(busy > 10, "{busy}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_told_without_whom_they_were_about() {
    let site = site().await;
    // Answered by a refusal: nothing is registered for this system.
    let body = "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\">\
                <soapenv:Body><TraCuuThongTinCongDan xmlns=\"http://dancuquocgia.bca\">\
                <MaYeuCau>yc-77</MaYeuCau><MaDVC>1.004194</MaDVC><MaTichHop>037</MaTichHop>\
                <MaCanBo>mau.canbo1</MaCanBo><SoDinhDanh>099190000001</SoDinhDanh>\
                <HoVaTen>Nguyễn Thị Mẫu</HoVaTen><NgayThangNamSinh>19900101</NgayThangNamSinh>\
                </TraCuuThongTinCongDan></soapenv:Body></soapenv:Envelope>";
    let answer = api(&site, "/soap/dancu", &soap_headers(SECRET), body.into()).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{}", answer.body);
    let correlation = answer.header("x-dancu-correlation-id").to_owned();
    assert!(!correlation.is_empty());
    for _ in 0..3 {
        assert_eq!(soap(&site, "khác").await.status, StatusCode::UNAUTHORIZED);
    }
    let mut browser = site.signed_in(Role::Integrator, 0).await;
    let page = browser.get("/integrator/MAU/calls?show=refused").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert!(page.body.contains(&correlation) && page.body.contains("Từ chối"));
    for personal in ["099190000001", "Mẫu</", "mau.canbo1", "19900101"] {
        assert!(!page.body.contains(personal), "{personal}");
    }
    assert!(page.body.contains("Khóa, chuỗi băm hoặc token không đúng."));
    let rows = site.app.refused.of(SystemId(1));
    let local = Some(Network::of_connection([127, 0, 0, 1].into()));
    assert_eq!((rows.len(), rows[0].count, rows[0].source), (1, 3, local));
    assert_eq!(site.app.refused.of(SystemId(2)), []);
}

#[test]
fn every_word_of_the_debugger_has_its_text() {
    for lang in [Language::Vietnamese, Language::English] {
        let t = frame::text(lang);
        let names = Name::ALL.iter().map(|name| format!("dbgname-{}", name.code()));
        let hints = Hint::ALL.iter().map(|hint| format!("dbghint-{}", hint.code()));
        let ways = Way::ALL.iter().map(|way| format!("dbgway-{}", way.code()));
        for key in names.chain(hints).chain(ways) {
            assert!(t.has(&key), "{key}");
        }
    }
}
