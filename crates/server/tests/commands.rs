//! Where commands find their data, and what an operator is told who makes a mistake.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside the test functions")]

use std::io::Read as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, chown};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A folder that goes when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("dancu-told-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn command(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dancu"));
        let ours = std::env::vars().map(|(name, _)| name).filter(|n| n.starts_with("DANCU_"));
        ours.for_each(|name| _ = command.env_remove(name));
        command.current_dir(&self.0).args(arguments).envs(variables.iter().copied());
        command.stdin(Stdio::null());
        command
    }

    fn dancu(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        self.command(arguments, variables).output().unwrap()
    }

    /// What a command that fails says, on stdout and stderr.
    fn refused(&self, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let output = self.dancu(arguments, variables);
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(!output.status.success(), "{arguments:?}: {text}");
        text
    }

    fn ok(&self, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let output = self.dancu(arguments, variables);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {text}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn generate(&self, data: &str, people: &str) {
        self.ok(&["population", "generate", "--data", data, "--population", people], &[]);
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).unwrap();
    }

    fn has(&self, name: &str) -> bool {
        self.0.join(name).exists()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const DEMO: [&str; 6] = ["demo", "--once", "--port", "0", "--population", "200"];
const WHO: [&str; 6] = ["--system", "A", "--reason", "thử", "--by", "A"];

/// Every command that reads data which has to be there.
fn readers() -> Vec<Vec<&'static str>> {
    let on_line = ["--service", "citizen.verify", "--window", "inHours"];
    let people = vec![
        vec!["population", "stats"],
        vec!["population", "export", "out.csv"],
        vec!["doctor"],
        vec!["keys", "list"],
        vec!["keys", "status"],
        vec!["keys", "rotate", "data"],
        vec!["keys", "resume"],
        vec!["restore", "accept", "--actor", "A", "--reason", "thử"],
    ];
    let acts = [
        [&["operate", "lift"][..], &WHO, &on_line].concat(),
        [&["operate", "raise", "--extra", "1"][..], &WHO, &on_line].concat(),
        [&["operate", "connection", "--state", "live"][..], &WHO].concat(),
        [&["operate", "account", "--login", "a.b", "--state", "live"][..], &WHO].concat(),
        [&["operate", "certificates", "--mode", "off"][..], &WHO].concat(),
    ];
    people.into_iter().chain(acts).collect()
}

#[test]
fn every_command_finds_its_folder_in_the_same_order() {
    let scratch = Scratch::new("places");
    scratch.write("dancu.toml", "data = \"of-file\"\nlisten = \"127.0.0.1:0\"\n");
    let variable = [("DANCU_DATA", "of-variable")];
    let (file, flag) = (["--config", "dancu.toml"], ["--data", "of-flag"]);
    for command in readers() {
        let told = |more: &[&str], variables: &[(&str, &str)], place: &str| {
            let text = scratch.refused(&[&command, more].concat(), variables);
            assert!(text.contains(&format!("{place} chưa có")), "{command:?} {more:?}: {text}");
            assert!(!scratch.has(place), "{command:?} {more:?} made the folder");
        };
        told(&[], &[], "dancu-data");
        told(&file, &[], "of-file");
        told(&[], &variable, "of-variable");
        told(&file, &variable, "of-variable");
        told(&[&file[..], &flag].concat(), &variable, "of-flag");
    }
    // As `serve` does it.
    let text = scratch.refused(&["serve", "--config", "dancu.toml"], &variable);
    assert!(text.contains("of-variable chưa có dữ liệu (no data"), "{text}");
    let text = scratch.refused(&["serve", "--config", "dancu.toml"], &[]);
    assert!(text.contains("of-file chưa có dữ liệu (no data"), "{text}");
}

#[test]
fn the_variable_is_where_data_is_made_and_read() {
    let scratch = Scratch::new("variable");
    scratch.write("dancu.toml", "data = \"other\"\n");
    let here = [("DANCU_DATA", "here")];
    scratch.ok(&["population", "generate", "--population", "300"], &here);
    let told = scratch.ok(&["population", "stats", "--json"], &here);
    assert!(told.starts_with("{\"persons\":300,"), "{told}");
    let told = scratch.ok(&["population", "stats", "--json", "--config", "dancu.toml"], &here);
    assert!(told.starts_with("{\"persons\":300,"), "{told}");
    scratch.ok(&["population", "export", "people.csv"], &here);
    let into = [("DANCU_DATA", "imported")];
    scratch.ok(&["population", "import", "people.csv"], &into);
    let told = scratch.ok(&["population", "stats", "--json", "--data", "imported"], &here);
    assert!(told.starts_with("{\"persons\":300,"), "{told}");
    assert!(scratch.ok(&["keys", "list"], &here).contains("data"));
    assert!(scratch.ok(&["doctor"], &here).contains("khóa chủ đúng"));
    scratch
        .ok(&["demo", "--once", "--port", "0", "--population", "200"], &[("DANCU_DATA", "demo")]);
    assert!(scratch.has("demo/demo.json"));
    assert!(!scratch.has("dancu-data") && !scratch.has("other"));
    // A variable that is wrong is told as `serve` tells it.
    for wrong in [("DANCU_DATA", ""), ("DANCU_DATA", "people.csv"), ("DANCU_DAT", "x")] {
        let text = scratch.refused(&["population", "stats"], &[wrong]);
        let served = scratch.refused(&["serve", "--config", "dancu.toml"], &[wrong]);
        assert!(text.contains(wrong.0) && text.contains("(environment)"), "{text}");
        let problem = text.lines().nth(1).unwrap();
        assert!(served.contains(problem), "{text} {served}");
    }
}

#[test]
fn a_mistake_is_told_with_its_cure() {
    let scratch = Scratch::new("mistakes");
    scratch.generate("data", "200");
    scratch.write("a-file", "x = 1\n");
    scratch.write("dancu.toml", "data = \"data\"\nlisten = \"127.0.0.1:0\"\n");
    scratch.write("kinds.toml", "data = 3\nlisten = \"8080\"\nregulation = \"none.toml\"\n");
    let kinds =
        ["dòng 1", "data = \"dancu-data\"", "dòng 2", "listen = \"127.0.0.1:8080\"", "dòng 3"];
    let on = |more: &[&'static str]| {
        [&["operate", "connection", "--data", "data", "--state", "live"][..], more].concat()
    };
    let pem =
        |path| [&["operate", "certificates", "--data", "data", "--add", path][..], &WHO].concat();
    for (arguments, words) in [
        (vec!["serve", "--config", "nofile"], &["không có tệp", "os error 2", "→ Kiểm tra"][..]),
        (vec!["serve", "--config", "."], &["là thư mục", "Is a directory", "→ Kiểm tra"]),
        (vec!["serve", "--config", "a-file"], &["không có khóa `x`", "dòng 1"]),
        (vec!["serve", "--config", "kinds.toml"], &kinds),
        (vec!["serve"], &["thiếu tham số bắt buộc", "--config"]),
        (vec!["opeate"], &["không có lệnh này", "operate"]),
        (vec!["doctor", "--dat", "x"], &["không có tham số này", "--data"]),
        (vec!["population", "stats", "--data", "a-file"], &["--data a-file: là tệp"]),
        (vec!["population", "generate", "--data", "a-file"], &["--data a-file: là tệp"]),
        (vec!["population", "import", "no.csv", "--data", "new"], &["no.csv", "không có tệp"]),
        (vec!["population", "import", ".", "--data", "new"], &["phải là tệp thường"]),
        (vec!["population", "stats", "--data", "data/core.db/x"], &["đi qua một tệp"]),
        (on(&WHO), &["không có hệ thống \"A\"", "unknown system"]),
        (on(&["--system", "A B", "--reason", "x", "--by", "y"]), &["không có hệ thống \"A B\""]),
        (on(&["--system", "A", "--reason", " ", "--by", "y"]), &["cần lý do"]),
        (pem("no.pem"), &["no.pem", "không có tệp", "→ Kiểm tra"]),
        (pem("dancu.toml"), &["không phải chứng thư PEM"]),
        (pem("data"), &["là thư mục"]),
        (vec!["restore", "--data", "x"], &["thiếu tham số bắt buộc", "--from"]),
    ] {
        let text = scratch.refused(&arguments, &[]);
        for word in words {
            assert!(text.contains(word), "{arguments:?}: {word:?} is not in {text}");
        }
        assert!(text.starts_with("dancu: ") && text.contains('('), "{arguments:?}: {text}");
        assert!(text.matches("os error").count() <= 1, "told twice: {text}");
    }
    assert!(!scratch.has("new/core.db") && !scratch.has("x"));
}

#[test]
fn nobody_has_to_read_to_the_end() {
    let scratch = Scratch::new("unread");
    scratch.generate("data", "200");
    for command in [&["population", "stats"][..], &["keys", "list"], &["doctor"]] {
        let arguments = [command, &["--data", "data"]].concat();
        let mut child = scratch.command(&arguments, &[]);
        let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && text.is_empty(), "{arguments:?}: {text}");
        // A full disk is another matter.
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = scratch.command(&arguments, &[]).stdout(full).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains("hết chỗ trống (No space left"), "{text}");
    }
}

#[test]
fn the_folder_of_another_account_is_left_alone() {
    let scratch = Scratch::new("account");
    scratch.generate("data", "200");
    let data = scratch.0.join("data");
    let before = std::fs::read_dir(&data).unwrap().count();
    if chown(&data, Some(65_534), None).is_ok() {
        // What root wrote there, the service could neither read nor replace.
        for command in [&["population", "stats"][..], &["keys", "rotate", "data"]] {
            let text = scratch.refused(&[command, &["--data", "data"]].concat(), &[]);
            assert!(text.contains("65534") && text.contains("runuser"), "{text}");
        }
        chown(&data, Some(0), None).unwrap();
        // A sandbox has no service that needs its files: root is told, and goes on.
        std::fs::DirBuilder::new().mode(0o700).create(scratch.0.join("demo")).unwrap();
        chown(scratch.0.join("demo"), Some(65_534), None).unwrap();
        let output = scratch.dancu(&[&DEMO[..], &["--data", "demo"]].concat(), &[]);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && text.contains("runuser"), "{text}");
    } else {
        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o000)).unwrap();
        let text = scratch.refused(&["population", "stats", "--data", "data"], &[]);
        assert!(text.contains("không có quyền") && text.contains("runuser"), "{text}");
        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
    assert_eq!(std::fs::read_dir(&data).unwrap().count(), before);
}

#[test]
fn a_demo_takes_no_data_of_a_centre() {
    let scratch = Scratch::new("centre");
    scratch.generate("made", "200");
    scratch.ok(&["population", "export", "people.csv", "--data", "made"], &[]);
    scratch.write("dancu.toml", "data = \"migrated\"\nlisten = \"127.0.0.1:0\"\n");
    let migrate = ["migrate", "--config", "dancu.toml"];
    scratch.ok(&migrate, &[]);
    scratch.ok(&["population", "import", "people.csv", "--data", "imported"], &[]);
    for data in ["migrated", "imported"] {
        let place = [("DANCU_DATA", data)];
        let text = scratch.refused(&DEMO, &place);
        assert!(text.contains("một trung tâm"), "{data}: {text}");
        // It is a centre's still.
        let mut serving = scratch.command(&["serve", "--config", "dancu.toml"], &place);
        let mut serving = serving.stdout(Stdio::piped()).spawn().unwrap();
        let mut said = vec![0; 64];
        let read = serving.stdout.as_mut().unwrap().read(&mut said).unwrap();
        serving.kill().unwrap();
        serving.wait().unwrap();
        assert!(String::from_utf8_lossy(&said[..read]).contains("phục vụ tại"), "{data}");
    }
    // One that was killed before its first entry goes on, and so does one on made-up people.
    scratch.ok(&migrate, &[("DANCU_DATA", "begun")]);
    scratch.write("begun/demo.begun", "");
    for data in ["begun", "made", "begun"] {
        scratch.ok(&DEMO, &[("DANCU_DATA", data)]);
        assert!(scratch.has(&format!("{data}/demo.json")));
        assert!(!scratch.has(&format!("{data}/demo.begun")));
    }
}

#[test]
fn a_folder_that_others_may_write_into_is_closed_before_it_is_served() {
    let scratch = Scratch::new("open");
    let open = scratch.0.join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o775)).unwrap();
    scratch.ok(&DEMO, &[("DANCU_DATA", "open")]);
    let mode = std::fs::metadata(&open).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn one_folder_and_one_port_are_served_once() {
    let scratch = Scratch::new("twice");
    scratch.generate("data", "200");
    scratch.generate("other", "200");
    scratch.write("dancu.toml", "data = \"data\"\nlisten = \"127.0.0.1:0\"\n");
    let serve = ["serve", "--config", "dancu.toml"];
    let mut first = scratch.command(&serve, &[]).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = vec![0; 64];
    let read = first.stdout.as_mut().unwrap().read(&mut said).unwrap();
    let said = String::from_utf8_lossy(&said[..read]).into_owned();
    let address = said.split("http://").nth(1).unwrap().split(' ').next().unwrap();
    let text = scratch.refused(&serve, &[]);
    assert!(text.contains(&first.id().to_string()) && text.contains("→ Dừng"), "{text}");
    let text = scratch.refused(&["population", "generate", "--data", "data"], &[]);
    assert!(text.contains("→ Dừng"), "{text}");
    let text = scratch.refused(&serve, &[("DANCU_DATA", "other"), ("DANCU_LISTEN", address)]);
    assert!(text.contains("address in use") && text.contains("`listen`"), "{text}");
    let text = scratch.refused(&serve, &[("DANCU_DATA", "other"), ("DANCU_LISTEN", "127.0.0.1:x")]);
    assert!(text.contains("DANCU_LISTEN"), "{text}");
    // A demo would move a centre's clock and register made-up systems: one that has journaled
    // something keeps it out. Rotating a key is journaled.
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(scratch.has("data/control.sock"), "left by the process that was killed");
    scratch.ok(&["keys", "rotate", "data", "--data", "data"], &[]);
    let text = scratch.refused(&["demo", "--once", "--port", "0", "--data", "data"], &[]);
    assert!(text.contains("một trung tâm") && text.contains("(a centre's data"), "{text}");
}
