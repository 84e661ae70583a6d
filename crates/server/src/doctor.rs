//! `dancu doctor`: checks a data folder and says how to mend what is wrong.

use std::path::Path;
use std::process::ExitCode;

use dancu_domain::moment::Moment;
use serde::Serialize;

use crate::cli;
use crate::clock::{machine_ms, steady};
use crate::config::{self, Config};

/// Free space below which the doctor warns: a day of 1.4 million entries at 0.8 KB, times ten.
const FREE_BYTES: u64 = 12 << 30;
/// A commit waits for one fdatasync: above this, answers take longer than a clerk expects.
const SLOW_SYNC_MS: f64 = 20.0;
/// Before this the machine's clock is surely wrong: 2026-01-01 UTC.
const CLOCK_FLOOR_MS: i64 = 1_767_225_600_000;

#[derive(Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    detail: String,
    mend: Option<&'static str>,
}

/// Runs every check; exit 1 if one failed.
pub fn run(data: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let checks = [clock(), profile(), disk(data), space(data), store(data)];
    let failed = checks.iter().any(|c| !c.ok);
    if json {
        println!("{}", serde_json::to_string_pretty(&checks)?);
    } else {
        for c in &checks {
            println!("{} {}: {}", if c.ok { "✓" } else { "✗" }, c.name, c.detail);
            if let (false, Some(mend)) = (c.ok, c.mend) {
                println!("    → {mend}");
            }
        }
    }
    Ok(ExitCode::from(u8::from(failed)))
}

fn clock() -> Check {
    let now = machine_ms();
    Check {
        name: "đồng hồ (clock)",
        ok: now > CLOCK_FLOOR_MS,
        detail: Moment(now).rfc3339(),
        mend: Some("Bật đồng bộ thời gian (chrony, systemd-timesyncd)."),
    }
}

fn profile() -> Check {
    match config::profiles(None) {
        Ok(p) => Check {
            name: "quy định (regulation profile)",
            ok: true,
            detail: p.at(Moment(machine_ms())).version.clone(),
            mend: None,
        },
        Err(e) => Check {
            name: "quy định (regulation profile)",
            ok: false,
            detail: e.to_string(),
            mend: Some("Sửa dòng được nêu trong regulation.toml."),
        },
    }
}

/// Writes and syncs a page a few times: what each commit waits for.
fn disk(data: &Path) -> Check {
    let result = sync_time(data);
    let (ok, detail) = match result {
        Ok(ms) => (ms < SLOW_SYNC_MS, format!("fdatasync {ms:.2} ms")),
        Err(e) => (false, e.to_string()),
    };
    Check {
        name: "đĩa (disk)",
        ok,
        detail,
        mend: Some("Dùng SSD gắn trực tiếp; kiểm tra quyền ghi của thư mục dữ liệu."),
    }
}

fn sync_time(data: &Path) -> anyhow::Result<f64> {
    use std::io::{Seek as _, Write as _};
    std::fs::create_dir_all(data)?;
    let path = data.join("doctor.tmp");
    let mut file = std::fs::File::create(&path)?;
    let mut times = vec![];
    for _ in 0..21 {
        file.rewind()?;
        file.write_all(&[0; 4096])?;
        let started = steady();
        file.sync_data()?;
        times.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    std::fs::remove_file(&path)?;
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

fn space(data: &Path) -> Check {
    let (ok, detail) = match dancu_store::free_bytes(data) {
        Ok(free) => {
            (free >= FREE_BYTES, format!("{:.1} GiB trống", free as f64 / f64::from(1 << 30)))
        }
        Err(e) => (false, e.to_string()),
    };
    Check {
        name: "chỗ trống (free space)",
        ok,
        detail,
        mend: Some("Thêm đĩa: mười ngày nhật ký cần khoảng 12 GiB."),
    }
}

/// Opens the folder as serving would: lock, master key, schema, keys, counts, last entries.
fn store(data: &Path) -> Check {
    let name = "kho dữ liệu (store)";
    if !data.join(dancu_store::CORE_FILE).exists() {
        let detail = "thư mục chưa có dữ liệu (empty folder)".into();
        let mend = Some("Chạy `dancu demo` hoặc `dancu population generate` trước.");
        return Check { name, ok: false, detail, mend };
    }
    let opened = cli::open(data, &Config::default(), false).and_then(|store| {
        let persons = store.registry().count()?;
        let end = store.ledger().next_index();
        let mut entries = 0u64;
        store.scan_entries(end.saturating_sub(1_000), |_| {
            entries += 1;
            Ok(true)
        })?;
        anyhow::ensure!(entries == end.min(1_000), "nhật ký thiếu mục (gap in the journal)");
        store.stop();
        Ok(format!("{persons} người, {end} mục nhật ký, {entries} mục cuối mở được"))
    });
    match opened {
        Ok(detail) => Check { name, ok: true, detail, mend: None },
        Err(e) => Check {
            name,
            ok: false,
            detail: format!("{e:#}"),
            mend: Some("Dừng tiến trình đang dùng thư mục; kiểm tra master.key và phiên bản."),
        },
    }
}
