//! The folder of the master key and of the operator's door, seen from outside: who may write there,
//! and which old keys lie in it.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, ensure};
use dancu_store::keys::master::old_files;

/// Before anybody is told that the folder is served: one of our account that others may write into,
/// as with umask 0002, is made 0700, and the log says so.
///
/// # Errors
/// It belongs to another account, and others may write into it; or it cannot be changed.
pub fn make_ours(dir: &Path) -> anyhow::Result<()> {
    let about = fs::metadata(dir).with_context(|| format!("{}", dir.display()))?;
    let mode = about.permissions().mode() & 0o777;
    if mode & 0o022 != 0 && about.uid() == rustix::process::geteuid().as_raw() {
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700))
            .with_context(|| format!("{}", dir.display()))?;
        tracing::warn!(
            mode = format!("{mode:03o}"),
            "others could write into the data folder: made 0700 (đã đặt lại quyền 0700)"
        );
    }
    is_ours(dir)
}

/// Refuses a folder in which others may put a key or a socket of their own in the place of ours;
/// says it in the log where they may only look into it.
pub fn is_ours(dir: &Path) -> anyhow::Result<()> {
    let shown = dir.display();
    let about = fs::metadata(dir).with_context(|| format!("{shown}"))?;
    let mode = about.permissions().mode() & 0o777;
    ensure!(
        mode & 0o022 == 0,
        "{shown} có quyền {mode:03o}, tài khoản khác ghi vào được: chmod 700 {shown}, hoặc dùng \
         một thư mục con của nó (others may write into the data folder, and take the place of the \
         control socket: close it to them, or use a folder in it)"
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
        assert!(is_ours(&dir).is_err() && make_ours(&dir).is_err());
    }

    #[test]
    fn a_folder_of_ours_is_closed_and_one_of_others_refused() {
        let name = format!("dancu-keys-ours-{}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        fs::create_dir_all(&dir).unwrap();
        let mode = || fs::metadata(&dir).unwrap().permissions().mode() & 0o7777;
        for (before, after) in [(0o2775, 0o700), (0o707, 0o700), (0o750, 0o750), (0o700, 0o700)] {
            fs::set_permissions(&dir, fs::Permissions::from_mode(before)).unwrap();
            make_ours(&dir).unwrap();
            assert_eq!(mode(), after, "{before:o}");
        }
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o775)).unwrap();
        // Only root gives a folder away.
        if std::os::unix::fs::chown(&dir, Some(65_534), None).is_ok() {
            assert!(make_ours(&dir).unwrap_err().to_string().contains("chmod 700"));
            assert_eq!(mode(), 0o775);
        }
        fs::remove_dir_all(&dir).unwrap();
    }
}
