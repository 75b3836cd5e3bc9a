//! The tracers by name, under the limits of time and size.

use alloy_rpc_types_trace::geth::{
    GethDebugBuiltInTracerType, GethDebugTracerConfig, GethDebugTracingOptions,
};
use revm::{
    Inspector,
    context::{BlockEnv, ContextTr, TxEnv, result::ResultAndState},
    handler::FrameResult,
    inspector::JournalExt,
    interpreter::{CallInputs, CallOutcome, CreateInputs, CreateOutcome, FrameInput, Interpreter},
    primitives::{Address, Log, U256},
};
use revm_inspectors::tracing::{DebugInspector, TraceLimitBehavior, TraceLimits, TransactionContext};

use super::{config::TraceConfig, struct_log::StructLogger};
use crate::{
    dispatch::budget::Room,
    error::RpcError,
    eth::{
        code_cache::CallDb,
        deadline::{Deadline, STEPS_A_LOOK, halt},
    },
};

/// Names that callers may use.
const NAMES: &str = "callTracer, prestateTracer, 4byteTracer, flatCallTracer, muxTracer, noopTracer";

/// Bytes of result that a frame has at least; with the result's limit it bounds how many frames a tracer remembers.
const FRAME_BYTES: usize = 256;

/// A tracer at work on one transaction.
pub(super) struct Tracer {
    kind: Kind,
    deadline: Deadline,
    /// Bytes of result.
    most: usize,
    room: Room,
    steps: u32,
    frames: usize,
    stopped: Option<RpcError>,
}

enum Kind {
    Steps(StructLogger),
    Named(Box<DebugInspector>),
}

/// Where a traced transaction stands; nothing for a call.
pub(super) type Position = TransactionContext;

impl Tracer {
    /// The tracer that a caller names.
    ///
    /// # Errors
    /// An unknown name, or options that it does not have.
    pub(super) fn new(
        config: &TraceConfig,
        deadline: Deadline,
        most: usize,
        room: Room,
    ) -> Result<Self, RpcError> {
        let kind = match config.tracer.as_deref().filter(|name| !name.is_empty()) {
            None => Kind::Steps(StructLogger::new(config)),
            Some(name) => Kind::Named(Box::new(named(name, config, most)?)),
        };
        Ok(Self { kind, deadline, most, room, steps: 0, frames: 0, stopped: None })
    }

    /// Why the trace was stopped, when it was.
    pub(super) fn stopped(&mut self) -> Option<RpcError> {
        self.stopped.take()
    }

    /// The trace as JSON text; `db` is the state before the transaction.
    ///
    /// # Errors
    /// Faults of the store; a trace larger than a response may be.
    pub(super) fn result(
        &mut self,
        position: Option<Position>,
        tx: &TxEnv,
        block: &BlockEnv,
        outcome: &ResultAndState,
        db: &mut CallDb,
    ) -> Result<Vec<u8>, RpcError> {
        let text = match &mut self.kind {
            Kind::Steps(logger) => logger.result(&outcome.result).into_bytes(),
            Kind::Named(inspector) => {
                let trace =
                    inspector.get_result(position, tx, block, outcome, db).map_err(RpcError::internal)?;
                serde_json::to_vec(&trace).map_err(RpcError::internal)?
            }
        };
        if text.len() > self.most { Err(too_large(self.most)) } else { Ok(text) }
    }

    /// Ends execution, once.
    fn stop<CTX: ContextTr>(&mut self, error: RpcError, interp: &mut Interpreter, ctx: &mut CTX) {
        halt(&error, interp, ctx);
        self.stopped.get_or_insert(error);
    }

    fn look<CTX: ContextTr>(&mut self, interp: &mut Interpreter, ctx: &mut CTX) -> bool {
        self.steps += 1;
        if self.steps.is_multiple_of(STEPS_A_LOOK) && self.deadline.passed() {
            self.stop(RpcError::server("execution timeout"), interp, ctx);
            return false;
        }
        let size = match &self.kind {
            Kind::Steps(logger) => logger.len(),
            Kind::Named(_) => self.frames * FRAME_BYTES,
        };
        if size > self.most {
            self.stop(too_large(self.most), interp, ctx);
            return false;
        }
        // The steps are copied into the result.
        if let Err(busy) = self.room.cover(size.saturating_mul(2)) {
            self.stop(busy, interp, ctx);
            return false;
        }
        true
    }
}

fn too_large(most: usize) -> RpcError {
    RpcError::limit(format!(
        "the trace is larger than {most} bytes; leave out stack, storage or memory, set a limit, or use callTracer"
    ))
}

fn named(name: &str, config: &TraceConfig, most: usize) -> Result<DebugInspector, RpcError> {
    use GethDebugBuiltInTracerType as Name;
    let name = match name {
        "callTracer" => Name::CallTracer,
        "prestateTracer" => Name::PreStateTracer,
        "4byteTracer" => Name::FourByteTracer,
        "flatCallTracer" => Name::FlatCallTracer,
        "muxTracer" => Name::MuxTracer,
        "noopTracer" => Name::NoopTracer,
        other => {
            let shown: String = other.chars().take(64).collect();
            return Err(RpcError::server(format!(
                "tracer {shown:?} is not available; this node has {NAMES}"
            )));
        }
    };
    let options = GethDebugTracingOptions {
        tracer: Some(name.into()),
        tracer_config: GethDebugTracerConfig(config.tracer_config.clone()),
        ..Default::default()
    };
    let inspector = DebugInspector::new(options)
        .map_err(|error| RpcError::invalid_params(format!("tracerConfig: {error}")))?;
    let limits =
        TraceLimits::default().set_max_recorded_bytes(Some(most)).set_behavior(TraceLimitBehavior::Halt);
    Ok(match inspector {
        DebugInspector::CallTracer(tracing, own) => {
            DebugInspector::CallTracer(tracing.with_limits(limits), own)
        }
        DebugInspector::FlatCallTracer(tracing) => {
            DebugInspector::FlatCallTracer(tracing.with_limits(limits))
        }
        DebugInspector::PreStateTracer(tracing, own) => {
            DebugInspector::PreStateTracer(tracing.with_limits(limits), own)
        }
        other => other,
    })
}

impl<CTX> Inspector<CTX> for Tracer
where
    CTX: ContextTr<Journal: JournalExt>,
{
    fn initialize_interp(&mut self, interp: &mut Interpreter, ctx: &mut CTX) {
        if let Kind::Named(inner) = &mut self.kind {
            inner.initialize_interp(interp, ctx);
        }
    }

    fn step(&mut self, interp: &mut Interpreter, ctx: &mut CTX) {
        if !self.look(interp, ctx) {
            return;
        }
        match &mut self.kind {
            Kind::Steps(logger) => logger.begin(interp, ctx),
            Kind::Named(inner) => inner.step(interp, ctx),
        }
    }

    fn step_end(&mut self, interp: &mut Interpreter, ctx: &mut CTX) {
        match &mut self.kind {
            Kind::Steps(logger) => logger.end(interp),
            Kind::Named(inner) => inner.step_end(interp, ctx),
        }
    }

    fn log(&mut self, ctx: &mut CTX, log: Log) {
        if let Kind::Named(inner) = &mut self.kind {
            inner.log(ctx, log);
        }
    }

    fn log_full(&mut self, interp: &mut Interpreter, ctx: &mut CTX, log: Log) {
        if let Kind::Named(inner) = &mut self.kind {
            inner.log_full(interp, ctx, log);
        }
    }

    fn frame_start(&mut self, ctx: &mut CTX, input: &mut FrameInput) -> Option<FrameResult> {
        self.frames += 1;
        match &mut self.kind {
            Kind::Steps(_) => None,
            Kind::Named(inner) => inner.frame_start(ctx, input),
        }
    }

    fn frame_end(&mut self, ctx: &mut CTX, input: &FrameInput, result: &mut FrameResult) {
        if let Kind::Named(inner) = &mut self.kind {
            inner.frame_end(ctx, input, result);
        }
    }

    fn call(&mut self, ctx: &mut CTX, inputs: &mut CallInputs) -> Option<CallOutcome> {
        match &mut self.kind {
            Kind::Steps(_) => None,
            Kind::Named(inner) => inner.call(ctx, inputs),
        }
    }

    fn call_end(&mut self, ctx: &mut CTX, inputs: &CallInputs, outcome: &mut CallOutcome) {
        if let Kind::Named(inner) = &mut self.kind {
            inner.call_end(ctx, inputs, outcome);
        }
    }

    fn create(&mut self, ctx: &mut CTX, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        match &mut self.kind {
            Kind::Steps(_) => None,
            Kind::Named(inner) => inner.create(ctx, inputs),
        }
    }

    fn create_end(&mut self, ctx: &mut CTX, inputs: &CreateInputs, outcome: &mut CreateOutcome) {
        if let Kind::Named(inner) = &mut self.kind {
            inner.create_end(ctx, inputs, outcome);
        }
    }

    fn selfdestruct(&mut self, contract: Address, target: Address, value: U256) {
        if let Kind::Named(inner) = &mut self.kind {
            Inspector::<CTX>::selfdestruct(inner.as_mut(), contract, target, value);
        }
    }
}
