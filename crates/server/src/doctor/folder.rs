//! The data folder from outside: its disk, space, file modes, and the size of its write-ahead logs.

use std::io::{Seek as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{Check, State};
use crate::clock::steady;
use crate::telemetry::process;

/// Free space below which the doctor warns: a day of 1.4 million entries at 0.8 KB, times ten.
const FREE_BYTES: u64 = 12 << 30;
/// Free space that is gone within an hour at 5,000 entries a second.
const FREE_BYTES_LEAST: u64 = 1 << 30;
/// A commit waits for one fdatasync: above this, answers take longer than a clerk expects.
const SLOW_SYNC_MS: f64 = 20.0;
/// Syncs that are timed.
const SYNCS: usize = 21;
/// Write-ahead logs are copied back every 16 MiB: far above, something keeps them from it.
const LOG_BYTES: u64 = 256 << 20;
/// File systems in memory: nothing of them survives the machine (statfs(2), `f_type`).
const IN_MEMORY: [i64; 2] = [0x0102_1994, 0x8584_58f6];
/// File systems over a network, where locks and shared memory of the database do not hold.
const OVER_NETWORK: [i64; 3] = [0x6969, 0xff53_4d42, 0xfe53_4d42];
/// Files whose content is secret in itself; the database is sealed.
const SECRET: [&str; 2] = [dancu_store::keys::MASTER_KEY_FILE, "demo.json"];

const DISK: [&str; 3] = [
    "disk",
    "đĩa (disk)",
    "Dùng đĩa SSD gắn trực tiếp, không phải tmpfs hay ổ mạng; kiểm tra quyền ghi (use a local SSD, \
     check that the folder can be written).",
];

/// The nearest folder above that exists: a centre that was never started has no data folder.
fn existing(data: &Path) -> &Path {
    data.ancestors().find(|p| p.is_dir()).unwrap_or(Path::new("."))
}

/// Writes and syncs a page a few times: what each commit waits for.
pub fn disk(data: &Path) -> Check {
    if !data.is_dir() {
        let found = format!("{} chưa có (does not exist yet)", data.display());
        return Check::new(DISK, State::Warn, found);
    }
    let kind = rustix::fs::statfs(data).map_or(0, |s| s.f_type);
    match sync_times(data) {
        Ok(times) => {
            let (median, longest) = (times[SYNCS / 2], times[SYNCS - 1]);
            let mut found = format!("fdatasync {median:.2} ms, lâu nhất {longest:.2} ms (longest)");
            let state = if IN_MEMORY.contains(&kind) {
                found.push_str(", hệ tệp trong bộ nhớ (in memory)");
                State::Fail
            } else if OVER_NETWORK.contains(&kind) {
                found.push_str(", hệ tệp qua mạng (over a network)");
                State::Fail
            } else if median > SLOW_SYNC_MS {
                State::Warn
            } else {
                State::Ok
            };
            Check::new(DISK, state, found)
        }
        Err(error) => Check::new(DISK, State::Fail, crate::cli::causes(&error.into())),
    }
}

/// Milliseconds of each sync, rising.
fn sync_times(data: &Path) -> std::io::Result<[f64; SYNCS]> {
    let path = data.join("doctor.tmp");
    let mut file = std::fs::File::create(&path)?;
    let mut times = [0.0; SYNCS];
    let outcome = times.iter_mut().try_for_each(|time| {
        file.rewind()?;
        file.write_all(&[0; 4096])?;
        let began = steady();
        file.sync_data()?;
        *time = began.elapsed().as_secs_f64() * 1e3;
        Ok(())
    });
    // The page goes also where a sync failed.
    std::fs::remove_file(&path)?;
    outcome.and_then(|()| std::fs::File::open(data)?.sync_all())?;
    times.sort_by(f64::total_cmp);
    Ok(times)
}

const SPACE: [&str; 3] = [
    "space",
    "chỗ trống (free space)",
    "Thêm đĩa: mười ngày nhật ký cần khoảng 12 GiB; hết chỗ thì mọi yêu cầu nhận 503 (add disk: \
     ten days of journal take about 12 GiB).",
];

/// Space that is left for the journal.
pub fn space(data: &Path) -> Check {
    match dancu_store::free_bytes(existing(data)) {
        Ok(free) => {
            let state = match free {
                ..FREE_BYTES_LEAST => State::Fail,
                FREE_BYTES_LEAST..FREE_BYTES => State::Warn,
                _ => State::Ok,
            };
            let gib = free as f64 / f64::from(1 << 30);
            Check::new(SPACE, state, format!("{gib:.1} GiB"))
        }
        Err(error) => Check::new(SPACE, State::Fail, error.to_string()),
    }
}

const MODES: [&str; 3] = [
    "modes",
    "quyền tệp (file modes)",
    "chmod 700 thư mục dữ liệu, chmod 600 các tệp trong đó; chủ sở hữu là tài khoản chạy dancu \
     (owned by the account that runs dancu).",
];

/// Nobody but the owner may read the folder; files that are secret in themselves fail.
pub fn modes(data: &Path) -> Check {
    let open_to_others = |path: &Path| {
        let mode = std::fs::metadata(path).map_or(0, |m| m.permissions().mode());
        (mode & 0o077 != 0).then_some(mode & 0o777)
    };
    if !data.is_dir() {
        return Check::new(MODES, State::Ok, "chưa có thư mục (no folder yet)");
    }
    let Some(mode) = open_to_others(data) else {
        return Check::new(MODES, State::Ok, "chỉ chủ sở hữu đọc được (owner only)");
    };
    let mut found = vec![format!("{} {mode:03o}", data.display())];
    let mut state = State::Warn;
    for file in SECRET {
        if let Some(mode) = open_to_others(&data.join(file)) {
            found.push(format!("{file} {mode:03o}"));
            state = State::Fail;
        }
    }
    Check::new(MODES, state, found.join(", "))
}

const LOGS: [&str; 3] = [
    "databaseFiles",
    "tệp cơ sở dữ liệu (database files)",
    "Khởi động lại dancu để nhật ký ghi trước được chép về; nếu vẫn lớn, xem cảnh báo \
     store.checkpoint trong nhật ký kỹ thuật (restart, then look for store.checkpoint in the log).",
];

/// Size of the database, and of its write-ahead logs: a log that grows is not copied back.
pub fn log_files(data: &Path) -> Check {
    let files = process::database_files(data);
    let sum = |logs: bool| -> u64 {
        files.iter().filter(|(name, _)| name.ends_with("-wal") == logs).map(|f| f.1).sum()
    };
    let (data, logs) = (sum(false), sum(true));
    let state = if logs > LOG_BYTES { State::Warn } else { State::Ok };
    let found = format!(
        "{:.1} MiB, nhật ký ghi trước {:.1} MiB (write-ahead logs)",
        data as f64 / f64::from(1 << 20),
        logs as f64 / f64::from(1 << 20)
    );
    Check::new(LOGS, state, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(std::path::PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("dancu-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn chmod(&self, file: &str, mode: u32) {
            let path = self.0.join(file);
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn modes_are_told_by_how_secret_a_file_is() {
        let folder = Folder::new("modes");
        std::fs::write(folder.0.join("master.key"), "x").unwrap();
        folder.chmod("", 0o700);
        folder.chmod("master.key", 0o644);
        assert_eq!(modes(&folder.0).state, State::Ok, "nobody else gets into the folder");
        folder.chmod("", 0o755);
        assert_eq!(modes(&folder.0).state, State::Fail);
        folder.chmod("master.key", 0o600);
        assert_eq!(modes(&folder.0).state, State::Warn);
    }

    #[test]
    fn a_disk_is_timed_and_left_clean() {
        let folder = Folder::new("disk");
        let found = disk(&folder.0);
        assert!(found.found.contains("fdatasync"), "{}", found.found);
        assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 0);
        assert_eq!(disk(&folder.0.join("none")).state, State::Warn);
        assert!(space(&folder.0.join("none/deeper")).found.ends_with("GiB"));
    }

    #[test]
    fn a_log_that_grew_is_told() {
        let folder = Folder::new("logs");
        let file = std::fs::File::create(folder.0.join("core.db-wal")).unwrap();
        assert_eq!(log_files(&folder.0).state, State::Ok);
        // A sparse file: it takes no space.
        file.set_len(LOG_BYTES + 1).unwrap();
        assert_eq!(log_files(&folder.0).state, State::Warn);
    }
}
