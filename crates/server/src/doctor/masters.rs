//! Old master keys that were not put away yet.

use std::path::Path;

use super::{Check, State};
use crate::keys::folder::old_keys;

const OLD: [&str; 3] = [
    "oldMasterKeys",
    "khóa chủ cũ (old master keys)",
    "Cất các tệp này vào két rồi xóa khỏi máy: chỉ bản sao lưu có trước lần đổi khóa chủ mới cần \
     (put these files away, then delete them here: backups from before the change need them, and \
     nothing else).",
];

/// A change of the master leaves the key before it in the folder, and removes none.
pub fn check(data: &Path) -> Check {
    let found = old_keys(data);
    if found.is_empty() {
        return Check::new(OLD, State::Ok, "không có trong thư mục (none in the folder)");
    }
    Check::new(OLD, State::Warn, found.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_old_key_is_told() {
        let name = format!("dancu-doctor-masters-{}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("master.key"), "x").unwrap();
        assert_eq!(check(&dir).state, State::Ok);
        for name in ["master.key.old", "master.key.old.0011223344556677"] {
            std::fs::write(dir.join(name), "x").unwrap();
        }
        let told = check(&dir);
        assert_eq!(told.state, State::Warn);
        assert_eq!(told.found, "master.key.old, master.key.old.0011223344556677");
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
