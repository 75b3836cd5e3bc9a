//! Progress on standard error, where that is a terminal.

use std::io::{IsTerminal, Write};

/// Characters of a bar.
const WIDTH: usize = 30;

/// One line that is written over; nothing at all where nobody watches.
pub(crate) struct Progress {
    shown: bool,
    last: String,
}

impl Progress {
    /// Shows progress on a terminal, unless `quiet`.
    pub(crate) fn new(quiet: bool) -> Self {
        Self { shown: !quiet && std::io::stderr().is_terminal(), last: String::new() }
    }

    /// Shows how far something is.
    pub(crate) fn at(&mut self, what: &str, done: usize, all: usize) {
        self.show(bar(what, done, all));
    }

    /// Shows that something is waited for.
    pub(crate) fn waiting(&mut self, what: &str) {
        self.show(what.to_owned());
    }

    fn show(&mut self, line: String) {
        if self.shown && line != self.last {
            let _closed =
                write!(std::io::stderr(), "\r\x1b[K{line}").and_then(|()| std::io::stderr().flush());
            self.last = line;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown && !self.last.is_empty() {
            let _closed = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

fn bar(what: &str, done: usize, all: usize) -> String {
    let done = done.min(all);
    let filled = done.saturating_mul(WIDTH).checked_div(all).unwrap_or(WIDTH);
    let percent = done.saturating_mul(100).checked_div(all).unwrap_or(100);
    format!("{what:<12} [{}{}] {percent:>3} %", "#".repeat(filled), " ".repeat(WIDTH - filled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_fills_from_nothing_to_all() {
        assert_eq!(bar("sending", 0, 10), format!("sending      [{}]   0 %", " ".repeat(30)));
        assert_eq!(
            bar("sending", 5, 10),
            format!("sending      [{}{}]  50 %", "#".repeat(15), " ".repeat(15))
        );
        assert_eq!(bar("sending", 11, 10), format!("sending      [{}] 100 %", "#".repeat(30)));
        assert_eq!(bar("sending", 0, 0), format!("sending      [{}] 100 %", "#".repeat(30)));
    }
}
