//! What has been done so far, on standard error: one line a step, with its time.

use std::{
    io::Write,
    time::{Duration, Instant},
};

/// Tells steps as they are done; nothing at all where a program reads.
pub(super) struct Steps {
    quiet: bool,
    begun: Instant,
    last: Instant,
}

impl Steps {
    pub(super) fn new(quiet: bool) -> Self {
        let now = Instant::now();
        Self { quiet, begun: now, last: now }
    }

    /// A step is done.
    pub(super) fn done(&mut self, what: impl AsRef<str>) {
        let now = Instant::now();
        let took = now.duration_since(self.last);
        self.last = now;
        self.say(&format!("  {:>6}  {}", seconds(took), what.as_ref()));
    }

    /// A part of the story begins.
    pub(super) fn part(&mut self, what: &str) {
        self.say(&format!("\n{what}"));
    }

    /// How long everything took.
    pub(super) fn total(&self) -> String {
        seconds(self.begun.elapsed())
    }

    fn say(&self, line: &str) {
        if !self.quiet {
            let _closed = writeln!(std::io::stderr(), "{line}");
        }
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
