//! Old master keys that were not put away yet.

use std::path::Path;

use dancu_store::keys::master::unnamed_files;

use super::{Check, State};
use crate::keys::folder::old_keys;

const OLD: [&str; 3] = [
    "oldMasterKeys",
    "khóa chủ cũ (old master keys)",
    "Cất các tệp này vào két rồi xóa khỏi máy: chỉ những bản sao lưu làm trước lần đổi khóa chủ \
     còn cần đến chúng (put these files away, then delete them here: backups from before the \
     change need them, and nothing else).",
];

/// A change of the master leaves the key before it in the folder, and removes none.
pub fn check(data: &Path) -> Check {
    let mut found = old_keys(data);
    let unnamed = unnamed_files(data).unwrap_or_default().into_iter();
    found.extend(unnamed.map(|name| {
        format!("{name} (không đúng tên khóa cũ nên không được đọc; not read: no key's name)")
    }));
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
        std::fs::write(dir.join("master.key.old.bak"), "x").unwrap();
        let told = check(&dir).found;
        assert!(told.contains("0011223344556677, master.key.old.bak (không đúng tên"), "{told}");
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
