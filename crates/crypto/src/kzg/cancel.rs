//! Stopping long work from another thread.

use std::sync::atomic::{AtomicBool, Ordering};

use super::KzgError;

/// A flag that work looks at between rows and between columns. It only ever ends work early: no result depends on it.
#[derive(Debug, Default)]
pub struct Cancel(AtomicBool);

impl Cancel {
    /// A flag that is not raised.
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Raises the flag. Work that sees it returns [`KzgError::Cancelled`].
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn check(&self) -> Result<(), KzgError> {
        if self.0.load(Ordering::Relaxed) { Err(KzgError::Cancelled) } else { Ok(()) }
    }
}
