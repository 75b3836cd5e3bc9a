//! Standard output of the commands that print and end.

use std::io::Write;

/// Prints. A reader that has seen enough, such as `head`, is no fault.
pub(crate) fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _closed = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints, and ends the line.
pub(crate) fn line(text: impl std::fmt::Display) {
    print(&format!("{text}\n"));
}
