//! Keys and the operator's acts from outside, while `dancu demo` serves.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside the test functions")]
#![expect(clippy::disallowed_methods, reason = "how long a running program takes is what is held")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Longest time for anything that is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("dancu-keys-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn data(&self) -> String {
        self.0.join("data").display().to_string()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join("data").join(name)
    }

    fn try_dancu(&self, arguments: &[&str]) -> Result<String, String> {
        let output = Command::new(env!("CARGO_BIN_EXE_dancu"))
            .args(arguments)
            .args(["--data", &self.data()])
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    fn dancu(&self, arguments: &[&str]) -> String {
        self.try_dancu(arguments).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let arguments = [arguments, &["--json"]].concat();
        serde_json::from_str(&self.dancu(&arguments)).unwrap()
    }

    /// Waits for the rotation under way.
    fn until_rotated(&self) {
        let end = Instant::now() + PATIENCE;
        while !self.json(&["keys", "status"])["rotation"].is_null() {
            assert!(Instant::now() < end, "the rotation does not end");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The keys of a purpose: period, and whether it is retired.
    fn keys(&self, purpose: &str) -> Vec<(u64, bool)> {
        let listed = self.json(&["keys", "list"]);
        let of = listed["keys"].as_array().unwrap().iter().filter(|k| k["purpose"] == purpose);
        of.map(|k| (k["period"].as_u64().unwrap(), !k["retiredAt"].is_null())).collect()
    }

    fn demo(&self) -> Demo {
        let mut child = Command::new(env!("CARGO_BIN_EXE_dancu"))
            .args(["demo", "--port", "0", "--population", "3000", "--data", &self.data()])
            .args(["--clock", "2026-03-02T09:00:00+07:00"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.find_map(|line| {
            let line = line.unwrap();
            line.contains("(ready)").then(|| line.split("http://").nth(1).unwrap().to_owned())
        });
        let address = ready.unwrap().split(' ').next().unwrap().to_owned();
        // Its output is read on: a full pipe would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        let facts = fs::read_to_string(self.file("demo.json")).unwrap();
        Demo { child, address, facts: serde_json::from_str(&facts).unwrap() }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Demo {
    child: Child,
    address: String,
    facts: Value,
}

impl Demo {
    fn post(&self, path: &str, headers: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: {}\r\n{headers}Content-Length: {length}\r\n\
             Connection: close\r\n\r\n{body}",
            self.address
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", "TERM", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn keys_are_rotated_while_the_centre_serves() {
    let scratch = Scratch::new("rotate");
    let demo = scratch.demo();
    // The socket is made a moment after the first query is answered.
    let bound = (0..500).any(|_| {
        let there = scratch.file("control.sock").exists();
        there || {
            std::thread::sleep(std::time::Duration::from_millis(10));
            false
        }
    });
    assert!(bound, "no control socket");
    let mode = fs::metadata(scratch.file("control.sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(scratch.keys("data"), [(0, false)]);
    let begun = scratch.json(&["keys", "rotate", "data", "--by", "Trần Văn A"]);
    assert_eq!(
        (&begun["rotation"]["kind"], &begun["rotation"]["new"]),
        (&json!("data"), &json!(1))
    );
    scratch.until_rotated();
    assert_eq!(scratch.keys("data"), [(0, true), (1, false)]);
    scratch.dancu(&["keys", "rotate", "month"]);
    scratch.until_rotated();
    assert_eq!(scratch.keys("journal"), [(202_603, true), (1_202_603, false)]);
    let refused = scratch.try_dancu(&["keys", "rotate", "month", "--month", "202513"]);
    assert!(refused.unwrap_err().contains("YYYYMM"));
    let before = scratch.json(&["keys", "status"])["master"]["inForce"].clone();
    let done = scratch.json(&["keys", "rotate", "master"]);
    assert_eq!(done["master"]["old"], before);
    assert_eq!(scratch.json(&["keys", "status"])["master"]["inForce"], done["master"]["new"]);
    // Killed in the middle: the next start goes on by itself.
    scratch.dancu(&["keys", "rotate", "blind"]);
    demo.kill();
    let demo = scratch.demo();
    scratch.until_rotated();
    assert_eq!(scratch.keys("blind"), [(0, true), (1, false)]);
    demo.stop();
    assert!(!scratch.file("control.sock").exists());
    // Without a process that serves, the command works to the end itself.
    scratch.dancu(&["keys", "rotate", "data"]);
    assert_eq!(scratch.keys("data"), [(0, true), (1, true), (2, false)]);
    scratch.dancu(&["keys", "resume"]);
}

#[test]
fn an_operators_act_is_in_force_for_the_next_query() {
    let scratch = Scratch::new("operate");
    let demo = scratch.demo();
    let code = "ONESTOP";
    let systems = demo.facts["systems"].as_array().unwrap();
    let system = systems.iter().find(|s| s["systemCode"] == code).unwrap();
    let oauth = |name: &str| system["oauth"][name].as_str().unwrap();
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let body = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        oauth("clientId"),
        oauth("clientSecret")
    );
    let (status, token) = demo.post("/oauth/token", form, &body);
    assert_eq!(status, 200, "{token}");
    let verifies =
        |p: &&Value| p["services"].as_array().unwrap().contains(&json!("citizen.verify"));
    let procedure = system["procedures"].as_array().unwrap().iter().find(verifies).unwrap();
    let account = system["accounts"].as_array().unwrap().iter().find(|a| a["state"].is_null());
    let citizen = &demo.facts["citizens"][0];
    let ask = |n: u32| {
        let headers = format!(
            "Authorization: Bearer {}\r\nContent-Type: application/json\r\n",
            token["access_token"].as_str().unwrap()
        );
        let body = json!({
            "requestId": format!("keys-test-{n:08}"),
            "procedureCode": procedure["code"],
            "purpose": procedure["purpose"],
            "caseCode": "KEYS-1",
            "account": account.unwrap()["login"],
            "subject": {
                "personalId": citizen["personalId"],
                "fullName": citizen["fullName"],
                "dateOfBirth": citizen["dateOfBirth"],
            },
        });
        demo.post("/api/v1/citizens/verify", &headers, &body.to_string())
    };
    let (status, answer) = ask(1);
    assert_eq!(status, 200, "{answer}");
    let act = |state: &str| {
        scratch.try_dancu(&[
            "operate",
            "connection",
            "--system",
            code,
            "--state",
            state,
            "--reason",
            "thử",
            "--by",
            "Trần Văn A",
        ])
    };
    let said = act("suspended").unwrap();
    assert!(said.contains("mục nhật ký #"), "{said}");
    let (status, answer) = ask(2);
    assert!(matches!(status, 401 | 403), "{status} {answer}");
    act("live").unwrap();
    let (status, answer) = ask(3);
    assert_eq!(status, 200, "{answer}");
    act("closed").unwrap();
    // What is refused is refused with the reason.
    assert!(act("live").unwrap_err().contains("trạng thái cuối cùng"));
    demo.stop();
}

#[test]
fn a_certificate_file_is_read_by_the_command_and_not_by_the_centre() {
    let scratch = Scratch::new("certificate");
    let demo = scratch.demo();
    let key = rcgen::KeyPair::generate().unwrap();
    let made = rcgen::CertificateParams::new(["one-stop".to_owned()]).unwrap();
    let made = made.self_signed(&key).unwrap();
    // Only the command itself has this file: the serving process has another standard input.
    let act = |change: &[&str]| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_dancu"))
            .args(["operate", "certificates", "--system", "SMALL", "--reason", "thử"])
            .args(["--by", "Trần Văn A", "--data", &scratch.data()])
            .args(change)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that reads nothing has closed it.
        let _ = child.stdin.take().unwrap().write_all(made.pem().as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    };
    let (done, said) = act(&["--mode", "required", "--add", "/dev/stdin"]);
    assert!(done && said.contains("mục nhật ký #"), "{said}");
    let shown = said.split('[').nth(1).unwrap().split(']').next().unwrap().to_owned();
    assert!(shown.len() == 64 && said.starts_with("SMALL required ["), "{said}");
    // What does not fit what is registered is refused by the centre, with its words.
    let (done, said) = act(&["--remove", "/dev/stdin"]);
    assert!(!done && said.contains("required needs a certificate"), "{said}");
    let (done, said) = act(&["--mode", "off", "--remove", "/dev/stdin"]);
    assert!(done && said.starts_with("SMALL off []"), "{said}");
    let (done, said) = act(&["--remove", &shown]);
    assert!(!done && said.contains(&shown), "{said}");
    demo.stop();
}

/// A wrong PIN ends the command with a code of its own, which the unit of systemd does not answer
/// with another start: devices lock after a few wrong PINs.
#[test]
fn a_refused_pin_has_its_own_exit_code() {
    let modules = ["/usr/lib/softhsm", "/usr/lib/x86_64-linux-gnu/softhsm"];
    let module = modules.iter().map(|m| format!("{m}/libsofthsm2.so"));
    let Some(module) = module.into_iter().find(|m| fs::exists(m).unwrap()) else {
        println!("skipped: SoftHSM is not installed (Debian package softhsm2)");
        return;
    };
    let scratch = Scratch::new("pin");
    let (conf, tokens) = (scratch.0.join("softhsm2.conf"), scratch.0.join("tokens"));
    fs::create_dir(&tokens).unwrap();
    fs::write(&conf, format!("directories.tokendir = {}\n", tokens.display())).unwrap();
    let made = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", "dancu", "--so-pin", "111111"])
        .args(["--pin", "735912"])
        .env("SOFTHSM2_CONF", &conf)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let config = scratch.0.join("dancu.toml");
    let data = scratch.data();
    fs::write(&config, format!("data = \"{data}\"\n[keys]\nmodule = \"{module}\"\n")).unwrap();
    let run = |arguments: &[&str], pin: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_dancu"))
            .args(arguments)
            .arg("--config")
            .arg(&config)
            .env("SOFTHSM2_CONF", &conf)
            .env("DANCU_MASTER_PIN", pin)
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = run(&["migrate"], "735912");
    assert_eq!(code, Some(0), "{said}");
    for command in [&["serve"][..], &["migrate"], &["keys", "status"]] {
        let (code, said) = run(command, "111222");
        assert_eq!(code, Some(77), "{said}");
        assert!(said.contains("PIN sai") && !said.contains("111222"), "{said}");
    }
    let unit = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging/systemd/dancu.service");
    let unit = fs::read_to_string(unit).unwrap();
    assert!(unit.lines().any(|line| line == "RestartPreventExitStatus=77"));
    // Another failure is not taken for it, and the right PIN works as before.
    let (code, said) = run(&["keys", "rotate", "month", "--month", "200001"], "735912");
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(run(&["keys", "status"], "735912").0, Some(0));
}

/// Each change of the master leaves the key before it; the doctor says which still lie here.
#[test]
fn old_master_keys_are_told_by_the_doctor() {
    let scratch = Scratch::new("old");
    scratch.demo().stop();
    let rotate = || scratch.json(&["keys", "rotate", "master", "--by", "t"]);
    let first = rotate()["master"]["old"].as_str().unwrap().to_owned();
    rotate();
    let doctor = Command::new(env!("CARGO_BIN_EXE_dancu"))
        .args(["doctor", "--json", "--data", &scratch.data()])
        .output()
        .unwrap();
    let told: Value = serde_json::from_slice(&doctor.stdout).unwrap();
    let checks = told["checks"].as_array().unwrap();
    let found = checks.iter().find(|c| c["name"] == "oldMasterKeys").unwrap();
    assert_eq!(found["state"], "warn");
    assert_eq!(found["found"], format!("master.key.old, master.key.old.{first}"));
    assert!(scratch.file(&format!("master.key.old.{first}")).exists());
}
