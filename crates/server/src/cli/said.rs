//! What commands say on standard output. Whoever closed the other end (`dancu keys list | head`)
//! wants no more of it; any other output that cannot be written is an error of the command.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether something that was to be said could not be written.
static UNSAID: AtomicBool = AtomicBool::new(false);

/// Says a line, as `println!` does but without a panic where nobody reads it.
macro_rules! say {
    ($($text:tt)*) => { $crate::cli::said::line(format_args!($($text)*)) };
}
pub(crate) use say;

/// Writes a line to standard output; see [`say!`].
pub fn line(text: Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    let Err(error) = written else { return };
    if error.kind() != ErrorKind::BrokenPipe && !UNSAID.swap(true, Ordering::Relaxed) {
        let error = super::causes(&error.into());
        let _ = writeln!(
            std::io::stderr(),
            "dancu: không ghi được kết quả ra stdout (the result could not be written): {error}"
        );
    }
}

/// Whether everything was said that somebody wanted to read.
pub fn all() -> bool {
    !UNSAID.load(Ordering::Relaxed)
}
