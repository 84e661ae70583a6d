//! The folder of the master key and of the operator's door, seen from outside: who may write there,
//! and which old keys lie in it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use dancu_store::keys::master::old_files;

/// Refuses a folder in which others may put a key or a socket of their own in the place of ours;
/// says it in the log where they may only look into it. The folder is made 0700.
pub fn is_ours(dir: &Path) -> anyhow::Result<()> {
    let shown = dir.display();
    let about = fs::metadata(dir).with_context(|| format!("{shown}"))?;
    let mode = about.permissions().mode() & 0o777;
    ensure!(
        mode & 0o022 == 0,
        "{shown} có quyền {mode:03o}, tài khoản khác ghi vào được: chmod 700 {shown} (others may \
         write into the data folder, and take the place of the control socket)"
    );
    if mode & 0o077 != 0 {
        tracing::warn!(mode = format!("{mode:03o}"), "the data folder should be 0700");
    }
    Ok(())
}

/// Names of old master keys that still lie in a folder.
pub fn old_keys(dir: &Path) -> Vec<String> {
    old_files(dir).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_others_may_write_to_is_refused() {
        let name = format!("dancu-keys-folder-{}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        fs::create_dir_all(&dir).unwrap();
        for (mode, fine) in [(0o700, true), (0o755, true), (0o775, false), (0o707, false)] {
            fs::set_permissions(&dir, fs::Permissions::from_mode(mode)).unwrap();
            let found = is_ours(&dir);
            assert_eq!(found.is_ok(), fine, "{mode:o}");
            if let Err(error) = found {
                assert!(error.to_string().contains("chmod 700"), "{error}");
            }
        }
        fs::remove_dir_all(&dir).unwrap();
        assert!(is_ours(&dir).is_err());
    }
}
