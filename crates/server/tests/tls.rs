//! The front door from outside: `dancu serve` over TLS and plain HTTP, asked by curl, openssl and
//! raw sockets.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside the test functions")]
#![expect(clippy::disallowed_methods, reason = "how long a running program takes is what is held")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};

// --- the program ---------------------------------------------------------------------------------

/// A folder that goes when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("dancu-tls-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        // As an operator's tool would: whole files appear.
        let new = self.0.join("new");
        fs::write(&new, text).unwrap();
        fs::rename(&new, &path).unwrap();
        path
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    /// Writes a configuration on a free port and makes its data folder ready.
    fn configure(&self, sections: &str) -> PathBuf {
        let data = self.path("data");
        let text = format!("data = \"{data}\"\nlisten = \"127.0.0.1:0\"\n{sections}");
        let config = self.file("dancu.toml", &text);
        if !Path::new(&data).exists() {
            let plain = self.file("plain.toml", &format!("data = \"{data}\"\n"));
            let made = dancu(&["migrate", "--config"]).arg(plain).output().unwrap();
            assert!(made.status.success(), "{}", text_of(&made.stderr));
        }
        config
    }

    fn serve(&self, sections: &str) -> Server {
        Server::start(&self.configure(sections))
    }

    /// What `serve` says when it does not begin.
    fn refusal(&self, sections: &str) -> String {
        let config = self.configure(sections);
        let mut child = dancu(&["serve", "--config"])
            .arg(config)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let end = Instant::now() + Duration::from_secs(20);
        while child.try_wait().unwrap().is_none() {
            if Instant::now() > end {
                child.kill().unwrap();
                panic!("it serves");
            }
            std::thread::yield_now();
        }
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        text_of(&output.stderr)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn dancu(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dancu"));
    command.args(arguments);
    command
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A running `dancu serve`; killed when dropped.
struct Server {
    child: Child,
    url: String,
    address: SocketAddr,
}

impl Server {
    fn start(config: &Path) -> Self {
        let mut child = dancu(&["serve", "--config"])
            .arg(config)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split(' ').find(|w| w.starts_with("http")).unwrap().to_owned();
        let address = url.split("//").nth(1).unwrap().parse().unwrap();
        Self { child, url, address }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Whether it ends with 0 within the time.
    fn ends_within(&mut self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.success();
            }
            std::thread::yield_now();
        }
        false
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
        stream
    }

    /// curl's answer as (exit code, status and headers and body).
    fn curl(&self, path: &str, arguments: &[&str]) -> (i32, String) {
        let url = format!("{}{path}", self.url);
        let output = Command::new("curl")
            .args(["--silent", "--include", "--noproxy", "*", "--max-time", "10"])
            .args(arguments)
            .arg(url)
            .output()
            .unwrap();
        (output.status.code().unwrap(), text_of(&output.stdout))
    }

    fn s_client(&self, arguments: &[&str]) -> Output {
        Command::new("openssl")
            .args(["s_client", "-connect", &self.address.to_string()])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// The serial number of the certificate that a new connection is shown.
    fn serial(&self) -> String {
        let shown = text_of(&self.s_client(&["-showcerts"]).stdout);
        let begin = shown.find("-----BEGIN CERTIFICATE-----").unwrap();
        let end = shown.find("-----END CERTIFICATE-----").unwrap() + 25;
        let mut reader = Command::new("openssl")
            .args(["x509", "-noout", "-serial"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        reader.stdin.take().unwrap().write_all(&shown.as_bytes()[begin..end]).unwrap();
        text_of(&reader.wait_with_output().unwrap().stdout)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads until the peer closes; what came and how long it took.
fn until_closed(mut stream: TcpStream) -> (String, Duration) {
    let began = Instant::now();
    let mut bytes = vec![];
    let _ = stream.read_to_end(&mut bytes);
    (text_of(&bytes), began.elapsed())
}

// --- certificates --------------------------------------------------------------------------------

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate and its key, PEM.
struct Made {
    certificate: String,
    key: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate in force between two years.
    fn issue_between(&self, name: &str, serial: u64, years: (i32, i32)) -> Made {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned(), "127.0.0.1".into()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.serial_number = Some(SerialNumber::from(serial));
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Made { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    fn issue(&self, name: &str, serial: u64) -> Made {
        self.issue_between(name, serial, (2024, 2090))
    }

    fn revoke(&self, serials: &[u64]) -> String {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2025, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2025, 1, 1),
            next_update: date_time_ymd(2090, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap().pem().unwrap()
    }
}

fn tls_files(scratch: &Scratch, more: &str) -> String {
    format!(
        "[tls]\nmode = \"files\"\ncertificate = \"{}\"\nkey = \"{}\"\n{more}\n",
        scratch.path("server.crt"),
        scratch.path("server.key")
    )
}

fn install(scratch: &Scratch, made: &Made) {
    scratch.file("server.crt", &made.certificate);
    scratch.file("server.key", &made.key);
}

// --- TLS -----------------------------------------------------------------------------------------

#[test]
fn a_development_authority_is_made_once_and_kept_private() {
    let scratch = Scratch::new("development");
    let sections = "[tls]\nmode = \"development\"\nnames = [\"dancu.test\"]\n";
    let server = scratch.serve(sections);
    let folder = scratch.0.join("data/tls");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for file in fs::read_dir(&folder).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
    let ca = folder.join("ca.crt").display().to_string();
    let port = server.address.port();
    for name in ["localhost", "127.0.0.1", "dancu.test"] {
        let url = format!("https://{name}:{port}/healthz");
        let to = format!("dancu.test:{port}:127.0.0.1");
        let output = Command::new("curl")
            .args(["--silent", "--include", "--noproxy", "*", "--cacert", &ca, "--resolve", &to])
            .arg(url)
            .output()
            .unwrap();
        let answer = text_of(&output.stdout);
        assert!(answer.starts_with("HTTP/1.1 200"), "{name}: {answer}");
        assert!(answer.contains("strict-transport-security: max-age=300\r\n"), "{answer}");
    }
    assert!(server.curl("/nowhere", &["--cacert", &ca]).1.starts_with("HTTP/1.1 404"));
    assert_eq!(server.curl("/healthz", &[]).0, 60, "curl knows no such authority");
    let (serial, authority) = (server.serial(), fs::read(&ca).unwrap());
    drop(server);
    let server = scratch.serve(sections);
    assert_eq!((server.serial(), fs::read(&ca).unwrap()), (serial.clone(), authority.clone()));
    drop(server);
    // Another name: another certificate of the same authority.
    let server = scratch.serve("[tls]\nmode = \"development\"\nnames = [\"dancu2.test\"]\n");
    assert_ne!(server.serial(), serial);
    assert_eq!(fs::read(&ca).unwrap(), authority);
}

#[test]
fn only_versions_1_2_and_1_3_are_spoken() {
    let scratch = Scratch::new("versions");
    install(&scratch, &Authority::new("ca").issue("dancu.test", 7));
    let server = scratch.serve(&tls_files(&scratch, ""));
    // Level 0 lets this openssl offer what it would not offer itself.
    let offer = |version: &str| {
        server.s_client(&[version, "-cipher", "ALL:@SECLEVEL=0", "-legacy_renegotiation"])
    };
    for (version, named) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let shown = text_of(&offer(version).stdout);
        assert!(shown.contains(named), "{shown}");
        assert!(!shown.contains("Cipher is (NONE)"), "{shown}");
        assert!(shown.contains("Compression: NONE") || version == "-tls1_3", "{shown}");
    }
    for version in ["-tls1", "-tls1_1"] {
        let output = offer(version);
        assert!(!output.status.success());
        let shown = text_of(&output.stdout) + &text_of(&output.stderr);
        assert!(shown.contains(" alert ") && shown.contains("Cipher is (NONE)"), "{shown}");
    }
    for cipher in ["AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "aNULL"] {
        let cipher = format!("{cipher}:@SECLEVEL=0");
        assert!(!server.s_client(&["-tls1_2", "-cipher", &cipher]).status.success(), "{cipher}");
    }
    // Plain HTTP on this port is no request.
    let mut stream = server.connect();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert!(!until_closed(stream).0.contains("200"));
    let ok = server.curl("/readyz", &["--insecure"]).1;
    assert!(ok.contains("strict-transport-security: max-age=31536000\r\n"), "{ok}");
}

#[test]
fn wrong_files_are_refused_at_start_with_their_reason() {
    let scratch = Scratch::new("wrong");
    let ca = Authority::new("ca");
    let good = ca.issue("dancu.test", 1);
    let other = ca.issue("dancu.test", 2);
    let old = ca.issue_between("dancu.test", 3, (2020, 2024));
    let early = ca.issue_between("dancu.test", 4, (2080, 2090));
    let cut = |pem: &str| pem[..pem.len() / 2].to_owned();
    let locked =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAo=\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let cases: Vec<(String, String, &str)> = vec![
        (old.certificate.clone(), old.key, "hết hạn lúc 2024-01-01T07:00:00+07:00 (expired)"),
        (early.certificate, early.key, "chưa có hiệu lực"),
        (good.certificate.clone(), other.key, "the key does not fit the certificate"),
        (good.key.clone(), good.certificate.clone(), "are the two files swapped?"),
        (cut(&good.certificate), good.key.clone(), "truncated or damaged PEM"),
        (good.certificate.clone(), cut(&good.key), "truncated or damaged PEM"),
        (String::new(), good.key.clone(), "no PEM certificate"),
        (good.certificate.clone(), String::new(), "no PEM key"),
        (good.certificate.clone(), locked.into(), "the key has a password"),
        (good.certificate.clone() + &old.certificate, good.key.clone(), "chứng thư thứ 2"),
    ];
    for (certificate, key, reason) in cases {
        install(&scratch, &Made { certificate, key });
        let said = scratch.refusal(&tls_files(&scratch, ""));
        assert!(said.contains(reason), "{reason}: {said}");
        assert!(!said.contains("BEGIN"), "no content of a file is shown: {said}");
    }
    install(&scratch, &good);
    let said = scratch.refusal(&tls_files(&scratch, "names = [\"khac.test\"]"));
    assert!(said.contains("không có tên `khac.test`"), "{said}");
    let said = scratch.refusal(&tls_files(&scratch, "clientCertificates = \"required\""));
    assert!(said.contains("tls.trustAnchors"), "{said}");
    fs::remove_file(scratch.path("server.key")).unwrap();
    let said = scratch.refusal(&tls_files(&scratch, ""));
    assert!(said.contains("server.key") && said.contains("cannot be read"), "{said}");
}

#[test]
fn client_certificates_are_verified() {
    let scratch = Scratch::new("clients");
    let (ca, other) = (Authority::new("clients"), Authority::new("others"));
    install(&scratch, &Authority::new("ca").issue("dancu.test", 1));
    scratch.file("anchors.crt", &ca.pem);
    scratch.file("revoked.crl", &ca.revoke(&[66]));
    let clients = [
        ("good", ca.issue("h26", 11), true),
        ("expired", ca.issue_between("h26", 12, (2020, 2024)), false),
        ("revoked", ca.issue("h26", 66), false),
        ("foreign", other.issue("h26", 11), false),
    ];
    for (name, made, _) in &clients {
        scratch.file(&format!("{name}.pem"), &(made.certificate.clone() + &made.key));
    }
    let lists = format!(
        "trustAnchors = \"{}\"\nrevocationLists = \"{}\"\n",
        scratch.path("anchors.crt"),
        scratch.path("revoked.crl")
    );
    for mode in ["required", "optional"] {
        let more = format!("clientCertificates = \"{mode}\"\n{lists}");
        let server = scratch.serve(&tls_files(&scratch, &more));
        for version in ["1.2", "1.3"] {
            let ask = |certificate: Option<&str>| {
                let mut arguments = vec!["--insecure", "--tls-max", version];
                let path = certificate.map(|name| scratch.path(&format!("{name}.pem")));
                if let Some(path) = &path {
                    arguments.extend(["--cert", path]);
                }
                let (code, answer) = server.curl("/healthz", &arguments);
                code == 0 && answer.starts_with("HTTP/1.1 200")
            };
            assert_eq!(ask(None), mode == "optional", "{mode} {version}");
            for (name, _, welcome) in &clients {
                assert_eq!(ask(Some(name)), *welcome, "{name} {mode} {version}");
            }
        }
    }
}

// --- reload --------------------------------------------------------------------------------------

/// Asks again and again, by new connections and by one that stays; counts and gives failures.
fn ask_until(stop: &AtomicBool, server: &Server, asked: &AtomicUsize) -> Vec<String> {
    let mut failures = vec![];
    while !stop.load(Ordering::Relaxed) {
        let both = format!("{}/readyz", server.url);
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--insecure", "--noproxy", "*", "--fail"])
            .args(["--output", "/dev/null", "--output", "/dev/null", &both, &both])
            .output()
            .unwrap();
        asked.fetch_add(2, Ordering::Relaxed);
        if !output.status.success() {
            failures.push(text_of(&output.stderr));
        }
    }
    failures
}

#[test]
fn certificates_are_replaced_under_load_without_a_failed_request() {
    let scratch = Scratch::new("reload");
    let ca = Authority::new("ca");
    install(&scratch, &ca.issue("dancu.test", 100));
    let server = scratch.serve(&tls_files(&scratch, "reloadSeconds = 1"));
    assert!(server.serial().contains("64"));
    let (stop, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let load = [(); 2].map(|()| scope.spawn(|| ask_until(&stop, &server, &asked)));
        let shows = |serial: u64, hangup: bool| {
            if hangup {
                server.signal("HUP");
            }
            let wanted = format!("{serial:X}");
            let end = Instant::now() + Duration::from_secs(10);
            while !server.serial().contains(&wanted) {
                assert!(Instant::now() < end, "{wanted} is not shown");
            }
        };
        for serial in 101..105 {
            install(&scratch, &ca.issue("dancu.test", serial));
            shows(serial, serial % 2 == 0);
        }
        // A broken file keeps the old certificate, by SIGHUP and by itself.
        let good = ca.issue("dancu.test", 200);
        scratch.file("server.crt", &good.certificate[..100]);
        server.signal("HUP");
        let end = Instant::now() + Duration::from_millis(2_500);
        while Instant::now() < end {
            shows(104, false);
        }
        install(&scratch, &good);
        shows(200, false);
        stop.store(true, Ordering::Relaxed);
        for failures in load.map(|l| l.join().unwrap()) {
            assert_eq!(failures, Vec::<String>::new());
        }
    });
    assert!(asked.load(Ordering::Relaxed) > 50);
}

#[test]
fn a_connection_under_way_outlives_a_reload() {
    let scratch = Scratch::new("underway");
    let ca = Authority::new("ca");
    install(&scratch, &ca.issue("dancu.test", 100));
    let mut server = scratch.serve(&tls_files(&scratch, ""));
    let mut client = Command::new("openssl")
        .args(["s_client", "-quiet", "-connect", &server.address.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut to = client.stdin.take().unwrap();
    let mut from = BufReader::new(client.stdout.take().unwrap());
    let mut ask = || {
        to.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        let mut line = String::new();
        while !line.contains("HTTP/1.1") {
            line.clear();
            assert!(from.read_line(&mut line).unwrap() > 0, "closed");
        }
        assert!(line.contains("200"), "{line}");
    };
    ask();
    install(&scratch, &ca.issue("dancu.test", 101));
    server.signal("HUP");
    let end = Instant::now() + Duration::from_secs(10);
    while !server.serial().contains("65") {
        assert!(Instant::now() < end);
    }
    ask();
    // It is idle when the program stops: the drain does not wait for it.
    server.signal("TERM");
    assert!(server.ends_within(Duration::from_secs(5)));
    let _ = client.kill();
    let _ = client.wait();
}

// --- limits --------------------------------------------------------------------------------------

#[test]
fn slow_and_idle_connections_are_ended_while_others_are_served() {
    let scratch = Scratch::new("slow");
    let server = scratch.serve("[http]\nheaderSeconds = 1\nidleSeconds = 2\n");
    // Sends a byte every 100 ms for ever.
    let drip = server.connect();
    let mut writer = drip.try_clone().unwrap();
    std::thread::spawn(move || {
        let pause = std::sync::mpsc::channel::<()>().1;
        for byte in b"GET /healthz HTTP/1.1\r\nHost: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".iter().cycle()
        {
            if writer.write_all(&[*byte]).is_err() {
                return;
            }
            let _ = pause.recv_timeout(Duration::from_millis(100));
        }
    });
    let silent = server.connect();
    let mut idle = server.connect();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let mut half = server.connect();
    half.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /he").unwrap();
    assert!(server.curl("/healthz", &[]).1.starts_with("HTTP/1.1 200"));
    for (name, stream, answers) in
        [("drip", drip, 0), ("silent", silent, 0), ("idle", idle, 1), ("half", half, 1)]
    {
        let (text, took) = until_closed(stream);
        assert!(took < Duration::from_secs(6), "{name}: {took:?}");
        assert_eq!(text.matches("HTTP/1.1 200").count(), answers, "{name}: {text}");
    }
}

#[test]
fn a_handshake_that_stands_still_is_ended_and_holds_nobody_up() {
    let scratch = Scratch::new("handshake");
    install(&scratch, &Authority::new("ca").issue("dancu.test", 1));
    let server = scratch.serve(&tls_files(&scratch, "handshakeSeconds = 1"));
    let stalled: Vec<TcpStream> = (0..50).map(|_| server.connect()).collect();
    let began = Instant::now();
    assert!(server.curl("/healthz", &["--insecure"]).1.starts_with("HTTP/1.1 200"));
    assert!(began.elapsed() < Duration::from_secs(1));
    for stream in stalled {
        assert!(until_closed(stream).1 < Duration::from_secs(5));
    }
}

#[test]
fn connections_above_the_limit_wait() {
    let scratch = Scratch::new("limit");
    let server = scratch.serve("[http]\nmaxConnections = 2\n");
    let held = [server.connect(), server.connect()];
    let mut waiting = server.connect();
    waiting.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    waiting.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    assert!(waiting.read(&mut [0; 16]).is_err(), "it was answered above the limit");
    drop(held);
    waiting.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    assert!(until_closed(waiting).0.starts_with("HTTP/1.1 200"));
}

#[test]
fn a_header_that_is_too_large_is_answered_431() {
    let scratch = Scratch::new("header");
    let server = scratch.serve("[http]\nmaxHeaderBytes = 8192\n");
    let header = |bytes: usize| format!("X-Long: {}", "a".repeat(bytes));
    assert!(server.curl("/healthz", &["-H", &header(7_000)]).1.starts_with("HTTP/1.1 200"));
    assert!(server.curl("/healthz", &["-H", &header(9_000)]).1.starts_with("HTTP/1.1 431"));
    assert!(!server.curl("/healthz", &[]).1.to_lowercase().contains("strict-transport"));
}

#[test]
fn plain_http_leaves_loopback_only_when_asked_to() {
    let scratch = Scratch::new("plain");
    let config = scratch.configure("");
    let anywhere = |more: &str| {
        let text = fs::read_to_string(scratch.path("dancu.toml")).unwrap();
        let text = text.split("[http]").next().unwrap().replace("127.0.0.1:0", "0.0.0.0:0");
        scratch.file("dancu.toml", &(text + more));
    };
    anywhere("");
    let output = dancu(&["serve", "--config"]).arg(&config).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text_of(&output.stderr).contains("plain HTTP listens on loopback only"));
    anywhere("[http]\nplainHttp = \"anywhere\"\n");
    let server = Server::start(&config);
    let mut stream = TcpStream::connect(("127.0.0.1", server.address.port())).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    assert!(until_closed(stream).0.starts_with("HTTP/1.1 200"));
}

#[test]
fn a_stop_lets_a_request_finish_and_waits_for_nobody_else() {
    let scratch = Scratch::new("drain");
    let mut server = scratch.serve("");
    let _silent = server.connect();
    let mut stream = server.connect();
    // The token endpoint reads the whole body before it answers.
    stream
        .write_all(b"POST /oauth/token HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
        .unwrap();
    assert!(server.curl("/readyz", &[]).1.starts_with("HTTP/1.1 200"));
    server.signal("TERM");
    let end = Instant::now() + Duration::from_secs(5);
    while TcpStream::connect(server.address).is_ok() {
        assert!(Instant::now() < end, "it still listens");
    }
    stream.write_all(b"cd").unwrap();
    let (answer, _) = until_closed(stream);
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(server.ends_within(Duration::from_secs(5)));
}
