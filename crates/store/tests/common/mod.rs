//! What several tests of the store begin with: a time, and a folder that goes with the test.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use dancu_domain::moment::Moment;

/// Monday 2 March 2026, 09:00 in Viet Nam.
pub const BEGIN: Moment = Moment(1_772_416_800_000);

/// A folder that goes with the test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("dancu-{}-{}-{n}", env!("CARGO_CRATE_NAME"), std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
