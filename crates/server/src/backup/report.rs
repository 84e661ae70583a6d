//! What the commands tell, for people and for machines.

use std::path::Path;
use std::time::Duration;

use dancu_store::anchor::Accepted;
use dancu_store::backup::{Checked, Made, Restored};
use serde::Serialize;
use serde_json::{Value, json};

use crate::cli::say;

/// Bytes as people read them.
fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// One JSON object: what was done, and how long it took.
fn machine(what: &impl Serialize, took: Duration) {
    let mut out = serde_json::to_value(what).unwrap_or(Value::Null);
    if let Value::Object(fields) = &mut out {
        fields.insert("seconds".to_owned(), json!(took.as_secs_f64()));
    }
    say!("{out}");
}

/// A finished backup.
pub(super) fn made(made: &Made, to: &Path, keys: Option<&Path>, took: Duration, json: bool) {
    for warning in &made.warnings {
        eprintln!("dancu: {warning}");
    }
    if json {
        return machine(made, took);
    }
    say!(
        "Đã sao lưu vào {} (backed up): {} phần, {} dùng lại của bản trước (parts, shared), {} \
         dòng (rows), {} (ghi mới {} written), nhật ký đến mục {} (journal), {:.1} s.",
        to.display(),
        made.parts,
        made.shared,
        made.rows,
        mebibytes(made.bytes),
        mebibytes(made.written),
        made.next_index,
        took.as_secs_f64()
    );
    match keys {
        Some(path) => say!(
            "Khóa đã bọc ở {}: để nơi khác với bản sao lưu và với master.key (keep the wrapped \
             keys apart from the backup and from the master key).",
            path.display()
        ),
        None => say!(
            "CHƯA CÓ KHÓA: bản sao lưu không chứa khóa. Chạy lại với --keys TỆP, để tệp đó và \
             master.key ở nơi khác; thiếu một trong hai thì không khôi phục được (NO KEYS IN IT: \
             run it with --keys FILE and keep that file and master.key elsewhere; without both \
             nothing can be restored)."
        ),
    }
}

/// A check.
pub(super) fn checked(checked: &Checked, took: Duration, json: bool) {
    if json {
        return machine(checked, took);
    }
    for problem in &checked.problems {
        say!("HỎNG (broken)  {problem}");
    }
    if !checked.months_without_key.is_empty() {
        say!("Tháng không có khóa (months without a key): {:?}", checked.months_without_key);
    }
    let depth = if checked.opened {
        format!(
            "mọi khung và dòng, {} mục nhật ký khớp cam kết (every frame and row, entries fit \
             their commitments)",
            checked.entries
        )
    } else {
        "chỉ tổng kiểm các tệp, không có --keys (sums of the files only, without --keys)".to_owned()
    };
    say!(
        "{}: bản {} lúc {}: {} phần (parts), {} dòng (rows), {}, nhật ký {}..{}; {depth}; {:.1} s.",
        if checked.is_sound() { "Tốt (sound)" } else { "KHÔNG DÙNG ĐƯỢC (not sound)" },
        checked.id,
        checked.made_at,
        checked.parts,
        checked.rows,
        mebibytes(checked.bytes),
        checked.first_index,
        checked.next_index,
        took.as_secs_f64()
    );
}

/// A restored copy.
pub(super) fn restored(restored: &Restored, took: Duration, json: bool) {
    if json {
        return machine(restored, took);
    }
    say!(
        "Đã khôi phục bản {} lúc {} (restored): {} dòng (rows), {}, nhật ký đến mục {} (journal), \
         {:.1} s.\nChưa phục vụ được: chạy `dancu restore accept` để chấp nhận bản này và ghi vào \
         nhật ký (not served before it is accepted with `dancu restore accept`).",
        restored.id,
        restored.made_at,
        restored.rows,
        mebibytes(restored.bytes),
        restored.next_index,
        took.as_secs_f64()
    );
}

/// An accepted copy.
pub(super) fn accepted(accepted: &Accepted, json: bool) {
    if json {
        return machine(accepted, Duration::ZERO);
    }
    say!(
        "Đã chấp nhận, mục nhật ký #{} (accepted, journal entry); thế hệ nhật ký {} (generation); \
         mục đã mất: {} (entries lost).",
        accepted.index,
        accepted.generation,
        accepted.lost.map_or("không rõ (unknown)".to_owned(), |n| n.to_string())
    );
}
