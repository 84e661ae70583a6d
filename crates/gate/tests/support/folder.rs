//! A data folder that is gone with the test.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// Folders made by this process so far.
static MADE: AtomicU32 = AtomicU32::new(0);

/// A folder of its own; removed when dropped.
pub struct Folder {
    path: PathBuf,
    mounted: bool,
}

impl Folder {
    pub fn new() -> Self {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("dancu-gate-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self { path, mounted: false }
    }

    /// A small disk of its own, in memory; the reason where this machine does not allow one.
    pub fn small_disk(megabytes: u32) -> Result<Self, String> {
        let mut folder = Self::new();
        let output = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
            .arg(&folder.path)
            .output()
            .map_err(|e| e.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        }
        folder.mounted = true;
        Ok(folder)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.mounted {
            let _ = Command::new("umount").arg(&self.path).status();
        }
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
