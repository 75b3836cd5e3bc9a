//! The time that one call may take.

use std::time::{Duration, Instant};

use revm::{
    context::ContextTr,
    context_interface::context::ContextError,
    interpreter::{Interpreter, interpreter_types::LoopControl},
};

use crate::{context::Context, error::RpcError};

/// How many steps of an execution pass between two looks at the clock.
pub(crate) const STEPS_A_LOOK: u32 = 1024;

/// When a call must have its answer. A single call is bounded by its gas; work of many parts looks at this between
/// the parts, traces and simulations at every few steps too.
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

/// Ends an execution within a step, once; whoever runs it asks the inspector why.
pub(crate) fn halt<CTX: ContextTr>(why: &RpcError, interp: &mut Interpreter, ctx: &mut CTX) {
    if ctx.error().is_ok() {
        *ctx.error() = Err(ContextError::Custom(why.message.clone()));
    }
    interp.bytecode.action().take();
    interp.bytecode.reset_action();
    interp.halt_fatal();
}
