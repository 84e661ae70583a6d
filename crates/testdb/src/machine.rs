//! What is installed on this machine, and how a server's files and processes are made on it.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::USER;

/// The newest installed PostgreSQL from 15 on.
pub(crate) fn binaries() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|v| v.file_name().to_str().and_then(|n| n.parse::<u32>().ok()))
        .filter(|v| *v >= 15)
        .map(|v| (v, PathBuf::from(format!("/usr/lib/postgresql/{v}/bin"))))
        .filter(|(_, bin)| bin.join("initdb").exists())
        .max();
    match newest {
        Some((_, bin)) => bin,
        None => panic!(
            "these tests need PostgreSQL 15 or newer under /usr/lib/postgresql: \
             apt-get install postgresql. Skipping them would be failing unseen."
        ),
    }
}

/// The user and group that the server runs as, when this process is root: PostgreSQL refuses root.
pub(crate) fn other_user() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").map_or(1, |m| m.uid()) != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let find = |name: &str| {
        users.lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next() == Some(name)).then_some(())?;
            Some((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?))
        })
    };
    let found = find("postgres").or_else(|| find("nobody"));
    assert!(found.is_some(), "no user to run PostgreSQL as: it refuses root");
    found
}

pub(crate) fn as_user(program: PathBuf, user: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    if let Some((user, group)) = user {
        command.uid(user).gid(group);
    }
    command.current_dir("/").env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
    command
}

/// A data folder made by `initdb`, once per version and user of this machine.
pub(crate) fn initialised(bin: &Path, user: Option<(u32, u32)>) -> PathBuf {
    let version = run(Command::new(bin.join("postgres")).arg("--version"));
    let version: String = version.chars().filter(|c| c.is_ascii_digit() || *c == '.').collect();
    let owner = user.map_or_else(|| "self".to_owned(), |(u, _)| u.to_string());
    let cache = PathBuf::from(format!("/tmp/dancu-testdb-{version}-{owner}"));
    let ready = cache.join("data");
    if ready.exists() {
        return ready;
    }
    make_dir(&cache, user);
    // Several processes may be at it: each makes its own, the first one to finish is kept.
    let mine = cache.join(format!("new-{}", std::process::id()));
    let mut initdb = as_user(bin.join("initdb"), user);
    initdb.arg("-D").arg(&mine).args(["-U", USER, "-A", "trust", "-E", "UTF8"]);
    run(initdb.args(["--locale=C.UTF-8", "--data-checksums", "-N"]));
    if fs::rename(&mine, &ready).is_err() {
        let _ = fs::remove_dir_all(&mine);
    }
    assert!(ready.exists(), "{} could not be made", ready.display());
    ready
}

/// A shell that waits, then tidies up: `read _` ends with this process, whatever way.
pub(crate) fn keeper(bin: &Path, dir: &Path, user: Option<(u32, u32)>, wait: &str) -> Child {
    let script = "\"$1/pg_ctl\" -s -D \"$2/data\" -m immediate stop >/dev/null 2>&1; \
                  rm -rf \"$2\"/* ; rmdir \"$2\" 2>/dev/null; exit 0";
    let mut shell = as_user("/bin/sh".into(), user);
    shell.arg("-c").arg(format!("{wait}; {script}")).arg("keeper").arg(bin).arg(dir);
    // Its own group, so that an interrupt from the keyboard does not end it first.
    shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    match shell.spawn() {
        Ok(child) => child,
        Err(error) => panic!("/bin/sh: {error}"),
    }
}

pub(crate) fn make_dir(dir: &Path, user: Option<(u32, u32)>) {
    let done = fs::create_dir_all(dir).and_then(|()| own(dir, user));
    if let Err(error) = done {
        panic!("{}: {error}", dir.display());
    }
}

pub(crate) fn own(path: &Path, user: Option<(u32, u32)>) -> std::io::Result<()> {
    match user {
        Some((user, group)) => chown(path, Some(user), Some(group)),
        None => Ok(()),
    }
}

pub(crate) fn free_port() -> u16 {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).map(|a| a.port());
    match port {
        Ok(port) => port,
        Err(error) => panic!("no free port: {error}"),
    }
}

pub(crate) fn run(command: &mut Command) -> String {
    let output = match command.stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(error) => panic!("{command:?}: {error}"),
    };
    if !output.status.success() {
        let _ = std::io::stderr().write_all(&output.stderr);
        panic!("{} failed: {}", command.get_program().display(), output.status);
    }
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}
