//! Stopping long work from another thread, and watching how far it is.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::KzgError;

/// A flag that work looks at between rows and between columns. It only ever ends work early: no result depends on it.
#[derive(Debug, Default)]
pub struct Cancel {
    raised: AtomicBool,
    looks: AtomicUsize,
}

impl Cancel {
    /// A flag that is not raised.
    pub const fn new() -> Self {
        Self { raised: AtomicBool::new(false), looks: AtomicUsize::new(0) }
    }

    /// Raises the flag. Work that sees it returns [`KzgError::Cancelled`].
    pub fn cancel(&self) {
        self.raised.store(true, Ordering::Relaxed);
    }

    /// Whether it is raised, for work around the work.
    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Relaxed)
    }

    /// How often work has looked at the flag: rows and columns begun so far, for a progress bar.
    pub fn looks(&self) -> usize {
        self.looks.load(Ordering::Relaxed)
    }

    pub(super) fn check(&self) -> Result<(), KzgError> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        if self.raised.load(Ordering::Relaxed) { Err(KzgError::Cancelled) } else { Ok(()) }
    }
}
