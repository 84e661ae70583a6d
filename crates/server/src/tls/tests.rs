//! The front door in one process: what handlers are told of a caller, renewals as time passes,
//! and what is counted.

use std::net::SocketAddr;
use std::process::{Command, Output};

use axum::extract::ConnectInfo;
use axum::routing::get;
use axum::{Extension, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, DnType, KeyPair};
use tokio::net::TcpListener;

use super::client::ClientCertificate;
use super::config::{ForwardedHeader, HttpConfig};
use super::connection::{self, Door, Drain};
use super::*;
use crate::proxy::Proxies;

const DAY: i64 = DAY_MS;

/// A folder that goes when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("dancu-door-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn development() -> TlsConfig {
    TlsConfig { mode: TlsMode::Development, ..TlsConfig::default() }
}

fn facts_of(path: &Path) -> Facts {
    material::facts(&material::chain(path).unwrap()[0]).unwrap()
}

/// A certificate that signs itself, with its key, PEM.
fn own(name: &str) -> (rcgen::Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.self_signed(&key).unwrap(), key)
}

/// The same that is good from a moment on, ms since 1970.
fn beginning(name: &str, from_ms: i64) -> (rcgen::Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    let date = Moment(from_ms).viet_nam_date();
    params.not_before =
        rcgen::date_time_ymd(date.year().into(), date.month() as u8, date.day() as u8);
    (params.self_signed(&key).unwrap(), key)
}

fn owner_only(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

// --- renewal -------------------------------------------------------------------------------------

#[test]
fn the_development_certificate_is_renewed_before_it_ends() {
    let scratch = Scratch::new("renewal");
    let now = machine_ms();
    let prepare = |at: i64| authority::prepare(&scratch.0, &["dancu.test".into()], at).unwrap();
    let path = prepare(now);
    let ca = std::fs::read(scratch.0.join("ca.crt")).unwrap();
    let first = facts_of(&path);
    assert!((88 * DAY..=91 * DAY).contains(&(first.until_ms - now)));
    prepare(now + 55 * DAY);
    assert_eq!(facts_of(&path), first, "two thirds of its life are not over");
    prepare(now + 65 * DAY);
    let second = facts_of(&path);
    assert!(second.until_ms >= now + 150 * DAY);
    assert_eq!(std::fs::read(scratch.0.join("ca.crt")).unwrap(), ca);
    // The authority ends too: a new one before it cannot sign for a whole life any more.
    prepare(now + 3_600 * DAY);
    assert_ne!(std::fs::read(scratch.0.join("ca.crt")).unwrap(), ca);
    let config = TlsConfig { names: vec!["dancu.test".into()], ..development() };
    let files =
        Files { certificate: path.clone(), key: path, trust_anchors: None, revocation_lists: None };
    assert!(material::load(&config, &files, now + 3_650 * DAY).is_ok());
}

#[test]
fn a_damaged_development_authority_says_how_to_mend_it() {
    let scratch = Scratch::new("damaged");
    let now = machine_ms();
    authority::prepare(&scratch.0, &[], now).unwrap();
    let path = scratch.0.join("authority.pem");
    let whole = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &whole[..200]).unwrap();
    let said = format!("{:#}", authority::prepare(&scratch.0, &[], now).unwrap_err());
    assert!(said.contains("xóa") && said.contains("truncated"), "{said}");
    // A damaged server file is simply made anew.
    std::fs::write(&path, whole).unwrap();
    std::fs::write(scratch.0.join("server.pem"), "x").unwrap();
    let made = authority::prepare(&scratch.0, &[], now).unwrap();
    assert!(facts_of(&made).until_ms > now);
}

#[test]
fn a_running_door_renews_by_itself_and_keeps_what_works() {
    let scratch = Scratch::new("look");
    let now = machine_ms();
    let tls = Tls::open(&development(), &scratch.0).unwrap().unwrap();
    let first = tls.facts();
    let before = counts::counts();
    tls.look(false, now);
    assert_eq!(tls.facts(), first);
    tls.look(false, now + 70 * DAY);
    let second = tls.facts();
    assert!(second.until_ms > first.until_ms);
    // A renewal that cannot be written: the one in use stays.
    std::fs::write(scratch.0.join("tls/authority.pem"), "-----BEGIN").unwrap();
    tls.look(true, now + 70 * DAY);
    assert_eq!(tls.facts(), second);
    let after = counts::counts();
    assert!(after.reloads > before.reloads && after.reloads_refused > before.reloads_refused);
    assert_eq!(inspect(&TlsConfig::default(), &scratch.0, now).unwrap(), None);
    std::fs::remove_dir_all(scratch.0.join("tls")).unwrap();
    assert_eq!(inspect(&development(), &scratch.0, now).unwrap(), None);
}

/// What is wrong with a file need not be in it: a certificate whose day has come is taken without
/// being touched, and told as refused once.
#[test]
fn a_refused_file_is_tried_again_at_each_look() {
    let scratch = Scratch::new("again");
    let now = machine_ms();
    let (certificate, key) = own("dancu.test");
    let config = TlsConfig {
        mode: TlsMode::Files,
        certificate: Some(scratch.file("server.crt", &certificate.pem())),
        key: Some(scratch.file("server.key", &key.serialize_pem())),
        ..TlsConfig::default()
    };
    owner_only(&scratch.0.join("server.key"));
    let tls = Tls::open(&config, &scratch.0).unwrap().unwrap();
    let first = tls.facts();
    let (tomorrow, key) = beginning("dancu.test", now + DAY);
    scratch.file("server.crt", &tomorrow.pem());
    scratch.file("server.key", &key.serialize_pem());
    let before = counts::counts().reloads_refused;
    tls.look(false, now);
    assert!(counts::counts().reloads_refused > before);
    assert_eq!((tls.facts(), tls.seen.lock().refused), (first.clone(), true));
    // Each error of a look is one line of the log: there is no second for the same files.
    for _ in 0..3 {
        assert!(!tls.reload(false, now).unwrap());
        assert!(tls.seen.lock().refused, "it was tried again");
    }
    assert!(tls.reload(true, now).is_err(), "whoever asks for it is told again");
    assert_eq!(tls.facts(), first);
    tls.look(false, now + 2 * DAY);
    assert!(tls.facts().from_ms > now, "its day has come");
    assert!(!tls.seen.lock().refused);
}

#[test]
fn a_configuration_that_does_not_fit_together_names_the_key() {
    let listen: SocketAddr = "10.0.0.1:443".parse().unwrap();
    let said = |text: &str| toml::from_str::<HttpConfig>(text).unwrap_err().to_string();
    assert!(said("maxConnection = 5").contains("maxConnection"));
    assert!(said("trustedProxies = [\"10.0.0.0/40\"]").contains("10.0.0.0/40"));
    let http = |text: &str| toml::from_str::<HttpConfig>(text).unwrap();
    let tls = development();
    let check = |text: &str| http(text).check(listen, &tls).map_err(|e| e.to_string());
    assert_eq!(check(""), Ok(()));
    assert!(check("maxHeaderBytes = 100").unwrap_err().contains("http.maxHeaderBytes"));
    assert!(check("headerSeconds = 0").unwrap_err().contains("http.headerSeconds"));
    let header = check("clientCertificateHeader = \"Client-Cert\"").unwrap_err();
    assert!(header.contains("http.trustedProxies"));
    let off = TlsConfig::default();
    assert!(http("").check(listen, &off).is_err());
    assert!(http("plainHttp = \"anywhere\"").check(listen, &off).is_ok());
    let tls = |text: &str| toml::from_str::<TlsConfig>(text).unwrap().check();
    assert!(tls("mode = \"files\"\ncertificate = \"a\"").is_err());
    assert!(tls("certificate = \"a\"").is_err());
    assert!(tls("clientCertificates = \"optional\"").is_err());
    assert!(tls("mode = \"development\"\nclientCertificates = \"optional\"").is_err());
    assert!(tls("mode = \"development\"\nreloadSeconds = 0").is_err());
    // Defaults are what the explained keys say, and each key is explained.
    let table = toml::Table::try_from(TlsConfig::default()).unwrap();
    for (name, example, vi, en) in TlsConfig::ROWS {
        assert!(table.contains_key(*name) || !example.is_empty(), "{name}");
        assert!(!vi.is_empty() && !en.is_empty(), "{name}");
    }
}

#[test]
fn a_client_certificate_is_held_against_what_is_in_use_now() {
    let scratch = Scratch::new("admits");
    let (tls, _, _) = with_client(&scratch);
    let anchors = scratch.0.join("anchors.crt");
    let chain = material::chain(&anchors).unwrap();
    let (now, before) = (machine_ms(), tls.looks());
    assert!(tls.still_admits(&chain, now));
    assert!(!tls.still_admits(&chain, i64::MAX), "it has ended by then");
    // Its authority is not trusted any more.
    std::fs::write(&anchors, own("h27").0.pem()).unwrap();
    assert!(tls.still_admits(&chain, now), "nobody looked yet");
    tls.look(true, now);
    assert!(tls.looks() > before && !tls.still_admits(&chain, now));
    // A file that cannot be read leaves what is in use.
    std::fs::write(&anchors, "-----BEGIN").unwrap();
    tls.look(true, now);
    assert!(!tls.still_admits(&chain, now));
}

// --- what handlers are told ----------------------------------------------------------------------

async fn told(
    ConnectInfo(caller): ConnectInfo<SocketAddr>,
    certificate: Option<Extension<ClientCertificate>>,
) -> String {
    let shown = certificate.map(|Extension(c)| format!("{} {}", hex::encode(c.sha256), c.subject));
    format!("{} {}", caller.ip(), shown.unwrap_or_else(|| "none".into()))
}

/// Serves `told` as long as `ask` runs, which gets the port.
fn serving<T: Send>(http: &HttpConfig, tls: Option<Tls>, ask: impl FnOnce(u16) -> T + Send) -> T {
    let runtime = crate::serve::runtime().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let port = listener.local_addr().unwrap().port();
    let door = Arc::new(Door {
        router: Router::new().route("/", get(told)),
        http: http.clone(),
        proxies: Proxies::new(http),
        tls: tls.map(Arc::new),
        hsts: None,
        drain: Drain::default(),
    });
    runtime.spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            let door = door.clone();
            tokio::spawn(async move { connection::serve(&door, stream, peer).await });
        }
    });
    ask(port)
}

fn curl(url: &str, arguments: &[&str]) -> Output {
    let quiet = ["--silent", "--insecure", "--noproxy", "*", "--max-time", "10"];
    Command::new("curl").args(quiet).args(arguments).arg(url).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn behind_proxies(networks: &[&str]) -> HttpConfig {
    HttpConfig {
        trusted_proxies: networks.iter().map(|n| n.parse().unwrap()).collect(),
        client_certificate_header: Some("Client-Cert".into()),
        forwarded_header: ForwardedHeader::XForwardedFor,
        ..HttpConfig::default()
    }
}

/// A door that takes the given client certificate, and a file with certificate and key.
fn with_client(scratch: &Scratch) -> (Tls, PathBuf, ClientCertificate) {
    let (certificate, key) = own("h26");
    let client = scratch.file("client.pem", &(certificate.pem() + &key.serialize_pem()));
    let config = TlsConfig {
        client_certificates: ClientsMode::Optional,
        trust_anchors: Some(scratch.file("anchors.crt", &certificate.pem())),
        ..development()
    };
    let expected = ClientCertificate::of_der(certificate.der()).unwrap();
    (Tls::open(&config, &scratch.0).unwrap().unwrap(), client, expected)
}

#[test]
fn handlers_see_the_certificate_that_the_handshake_verified() {
    let scratch = Scratch::new("handlers");
    let (tls, client, expected) = with_client(&scratch);
    let before = counts::counts();
    serving(&behind_proxies(&["203.0.113.0/24"]), Some(tls), |port| {
        let url = format!("https://127.0.0.1:{port}/");
        assert_eq!(said(&curl(&url, &[])), "127.0.0.1 none");
        let cert = ["--cert", client.to_str().unwrap()];
        let shown = format!("127.0.0.1 {} {}", hex::encode(expected.sha256), expected.subject);
        assert_eq!(said(&curl(&url, &cert)), shown);
        // What somebody says who is no trusted proxy changes nothing.
        let forged = ["-H", "X-Forwarded-For: 198.51.100.1", "-H", "Client-Cert: :AAAA:"];
        assert_eq!(said(&curl(&url, &forged)), "127.0.0.1 none");
        assert!(!curl(&url, &["--tls-max", "1.1"]).status.success());
        assert!(!curl(&format!("http://127.0.0.1:{port}/"), &[]).status.success());
    });
    let after = counts::counts();
    assert!(after.handshakes >= before.handshakes + 3);
    assert!(after.handshakes_broken > before.handshakes_broken);
    assert!(expected.subject.contains("h26") && !format!("{expected:?}").contains("h26"));
}

#[test]
fn handlers_see_the_caller_behind_a_trusted_proxy_and_not_the_proxy() {
    let scratch = Scratch::new("proxied");
    let (tls, client, _) = with_client(&scratch);
    let (passed_on, _) = own("h27");
    let expected = ClientCertificate::of_der(passed_on.der()).unwrap();
    serving(&behind_proxies(&["127.0.0.0/8"]), Some(tls), |port| {
        let url = format!("https://127.0.0.1:{port}/");
        let cert = client.to_str().unwrap();
        let forwarded = "X-Forwarded-For: 192.0.2.1, 198.51.100.1";
        // The proxy's own certificate is not its caller's.
        let shown = curl(&url, &["--cert", cert, "-H", forwarded]);
        assert_eq!(said(&shown), "198.51.100.1 none");
        let der = STANDARD.encode(passed_on.der());
        let shown = curl(&url, &["-H", forwarded, "-H", &format!("Client-Cert: :{der}:")]);
        let hash = hex::encode(expected.sha256);
        assert_eq!(said(&shown), format!("198.51.100.1 {hash} {}", expected.subject));
        assert_eq!(said(&curl(&url, &[])), "127.0.0.1 none");
    });
}

#[test]
fn many_requests_on_one_plain_connection_are_answered_in_order() {
    serving(&HttpConfig::default(), None, |port| {
        let url = format!("http://127.0.0.1:{port}/");
        let urls: Vec<&str> = vec![url.as_str(); 20];
        let output = curl(&url, &urls);
        assert_eq!(said(&output), "127.0.0.1 none".repeat(21));
    });
}
