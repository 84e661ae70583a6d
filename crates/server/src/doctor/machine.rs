//! The machine: clock, regulation profile, port, memory, open files.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use dancu_domain::moment::Moment;

use super::{Check, State};
use crate::clock::machine_ms;
use crate::config;
use crate::serve::OTHER_FILES;
use crate::telemetry::process;

/// Before this the machine's clock is surely wrong: 2026-01-01 UTC.
const CLOCK_FLOOR_MS: i64 = 1_767_225_600_000;
/// systemd-timesyncd leaves this file when it has set the clock.
const SYNCHRONIZED: &str = "/run/systemd/timesync/synchronized";
/// Memory below which a centre should not start: four times the idle demo, in bytes.
const MEMORY_BYTES: u64 = 512 << 20;

const CLOCK: [&str; 3] = [
    "clock",
    "đồng hồ (clock)",
    "Bật đồng bộ thời gian: chrony hoặc systemd-timesyncd (turn on time synchronisation).",
];

/// The machine's clock by itself; the journal's last entry is compared in `store`.
pub fn clock() -> Check {
    let now = machine_ms();
    let state = if now > CLOCK_FLOOR_MS { State::Ok } else { State::Fail };
    let synchronized = if Path::new(SYNCHRONIZED).exists() {
        ", systemd-timesyncd đã đồng bộ (synchronised)"
    } else {
        ""
    };
    Check::new(CLOCK, state, Moment(now).rfc3339() + synchronized)
}

const PROFILE: [&str; 3] = [
    "profile",
    "quy định (regulation profile)",
    "Sửa dòng được nêu trong tệp quy định (mend the line named).",
];

/// The regulation profile: valid, and which version is in force today.
pub fn profile(path: Option<&Path>) -> Check {
    match config::profiles(path) {
        Ok(profiles) => {
            let version = profiles.at(Moment(machine_ms())).version.clone();
            Check::new(PROFILE, State::Ok, format!("{version} đang có hiệu lực (in force)"))
        }
        Err(error) => Check::new(PROFILE, State::Fail, format!("{error:#}")),
    }
}

const PORT: [&str; 3] = [
    "port",
    "cổng (port)",
    "Dừng chương trình đang dùng cổng, hoặc đổi khóa listen (free the port or change listen).",
];

/// Whether the address can be listened on; a centre that is running holds it rightly.
pub fn port(listen: SocketAddr, served: bool) -> Check {
    match TcpListener::bind(listen) {
        Ok(_) => Check::new(PORT, State::Ok, format!("{listen} còn trống (free)")),
        Err(_) if served => {
            Check::new(PORT, State::Ok, format!("{listen}: đang phục vụ (being served)"))
        }
        Err(error) => Check::new(PORT, State::Fail, format!("{listen}: {error}")),
    }
}

const MEMORY: [&str; 3] = [
    "memory",
    "bộ nhớ (memory)",
    "Thêm bộ nhớ hoặc nới giới hạn của dịch vụ (add memory or raise the limit of the service).",
];

/// Memory that is left on the machine or in the container.
pub fn memory() -> Check {
    match process::available_bytes() {
        Some(bytes) => {
            let state = if bytes < MEMORY_BYTES { State::Warn } else { State::Ok };
            Check::new(MEMORY, state, format!("{} MiB còn trống (available)", bytes >> 20))
        }
        None => Check::new(MEMORY, State::Ok, "hệ điều hành không cho biết (not told)"),
    }
}

const FILES: [&str; 3] = [
    "openFiles",
    "số tệp được mở (open files)",
    "Đặt LimitNOFILE=65536 cho dịch vụ, hoặc giảm http.maxConnections (raise the limit, or lower \
     http.maxConnections).",
];

/// How many files and sockets the process may open, for as many connections as configured. Serving
/// raises its own limit up to the hard one.
pub fn open_files(connections: u32) -> Check {
    match process::open_files_hard_max() {
        Some(max) => {
            let short = max < u64::from(connections) + OTHER_FILES;
            let state = if short { State::Warn } else { State::Ok };
            let found = format!("tối đa {max} cho {connections} kết nối (at most, connections)");
            Check::new(FILES, state, found)
        }
        None => Check::new(FILES, State::Ok, "không giới hạn (unlimited)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_fails_unless_the_centre_holds_it() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        assert_eq!(port(address, false).state, State::Fail);
        assert!(port(address, false).mend.is_some());
        assert_eq!(port(address, true).state, State::Ok);
        drop(taken);
        assert_eq!(port(address, false).state, State::Ok);
    }

    #[test]
    fn a_broken_profile_fails_with_its_line() {
        let file = std::env::temp_dir().join(format!("dancu-profile-{}", std::process::id()));
        std::fs::write(&file, "nothing = 1\n").unwrap();
        let found = profile(Some(&file));
        std::fs::remove_file(&file).unwrap();
        assert_eq!(found.state, State::Fail);
        assert!(found.found.contains("dòng"), "{}", found.found);
        assert_eq!(profile(None).state, State::Ok);
    }
}
