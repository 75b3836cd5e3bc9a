//! The time that one call may take.

use std::time::{Duration, Instant};

use crate::{context::Context, error::RpcError};

/// When a call must have its answer. A single execution is bounded by its gas; work of many parts looks at this between
/// the parts, and traces at every few steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    end: Instant,
    allowed: Duration,
}

impl Deadline {
    /// From now, as long as the limits allow.
    pub(crate) fn start(ctx: &Context) -> Self {
        Self::after(ctx.limits.call_time)
    }

    /// From now, `allowed` long.
    pub(crate) fn after(allowed: Duration) -> Self {
        Self { end: Instant::now() + allowed, allowed }
    }

    /// True once the time is up.
    pub(crate) fn passed(&self) -> bool {
        Instant::now() >= self.end
    }

    /// What a caller is told.
    pub(crate) fn error(&self) -> RpcError {
        RpcError::server(format!("execution aborted (timeout = {:?})", self.allowed))
    }

    /// # Errors
    /// The time is up.
    pub(crate) fn check(&self) -> Result<(), RpcError> {
        if self.passed() { Err(self.error()) } else { Ok(()) }
    }
}
