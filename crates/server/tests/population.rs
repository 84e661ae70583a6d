//! `dancu population` from the command line: generate, export, import, stats.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside the test functions")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder that goes when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("dancu-cli-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn population(&self, command: &str, data: &str, others: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_dancu"))
            .current_dir(&self.0)
            .args(["population", command, "--data", data])
            .args(others)
            .output()
            .unwrap()
    }

    fn ok(&self, command: &str, data: &str, others: &[&str]) -> String {
        let output = self.population(command, data, others);
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.0.join(Path::new(name))).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn there_and_back() {
    let scratch = Scratch::new("there-and-back");
    scratch.ok("generate", "a", &["--population", "500", "--seed", "7"]);
    scratch.ok("export", "a", &["people.csv"]);
    scratch.ok("export", "a", &["people.csv.zst"]);
    let report = scratch.ok("import", "b", &["people.csv.zst", "--json"]);
    assert!(report.contains("\"loaded\":500,\"bad\":0"), "{report}");
    scratch.ok("export", "b", &["again.csv"]);
    assert!(scratch.read("people.csv") == scratch.read("again.csv"));
    assert!(scratch.read("people.csv.zst").len() * 3 < scratch.read("people.csv").len());
    assert_eq!(scratch.ok("stats", "a", &["--json"]), scratch.ok("stats", "b", &["--json"]));
    // A registry with people is not written over.
    let refused = scratch.population("import", "a", &["people.csv"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("thư mục mới"));
}

#[test]
fn wrong_rows_are_listed_and_decide_the_exit_code() {
    let scratch = Scratch::new("wrong-rows");
    let text = "personal_id,full_name,date_of_birth,sex\n\
                099184000001,Nguyễn Thị Bình,1984-02-30,2\n\
                099084000002,Lê Văn An,1981,1\n";
    std::fs::write(scratch.0.join("in.csv"), text).unwrap();
    let all = scratch.population("import", "a", &["in.csv"]);
    let shown = String::from_utf8(all.stdout).unwrap();
    assert_eq!(all.status.code(), Some(1));
    assert!(
        shown.contains("dòng 2, cột date_of_birth") && shown.contains("chưa nạp gì"),
        "{shown}"
    );
    assert!(!shown.contains("1984") && !shown.contains("099184000001"));
    let good = scratch.population("import", "a", &["in.csv", "--skip-bad"]);
    assert_eq!(good.status.code(), Some(1));
    assert!(String::from_utf8(good.stdout).unwrap().contains("Đã nạp 1 trong 2 dòng"));
    assert!(scratch.ok("stats", "a", &["--json"]).starts_with("{\"persons\":1,"));
}
