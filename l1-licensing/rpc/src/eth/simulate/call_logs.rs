//! Collects the logs of a call in order; with transfers, each movement of CHM as a log of the ERC-7528 address. What a
//! failed call logged is forgotten. Looks at the clock while it is there.

use alloy_primitives::{Address, B256, Bytes, Log, LogData, U256, address, b256};
use revm::{
    Inspector,
    context::{ContextTr, JournalTr},
    interpreter::{CallInputs, CallOutcome, CallScheme, CreateInputs, CreateOutcome, Interpreter},
};

use crate::{
    error::RpcError,
    eth::deadline::{Deadline, STEPS_A_LOOK, halt},
};

/// Emitter of transfers that no contract logs (ERC-7528).
const NATIVE: Address = address!("eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");
/// `Transfer(address,address,uint256)`
const TRANSFER: B256 = b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");

/// The inspector.
#[derive(Clone, Debug)]
pub(super) struct CallLogs {
    transfers: bool,
    deadline: Deadline,
    steps: u32,
    late: bool,
    /// Logs of the frames in execution, outermost first.
    frames: Vec<Vec<Log>>,
    /// Logs of the last finished call.
    done: Vec<Log>,
}

impl CallLogs {
    /// With transfers or without.
    pub(super) fn new(transfers: bool, deadline: Deadline) -> Self {
        Self { transfers, deadline, steps: 0, late: false, frames: Vec::new(), done: Vec::new() }
    }

    /// # Errors
    /// The time was up within a call.
    pub(super) fn in_time(&self) -> Result<(), RpcError> {
        if self.late { Err(self.deadline.error()) } else { Ok(()) }
    }

    /// The logs of the call that just ended.
    pub(super) fn take(&mut self) -> Vec<Log> {
        self.frames.clear();
        std::mem::take(&mut self.done)
    }

    fn push(&mut self, log: Log) {
        match self.frames.last_mut() {
            Some(frame) => frame.push(log),
            None => self.done.push(log),
        }
    }

    fn transfer(&mut self, from: Address, to: Address, value: U256) {
        if self.transfers && !value.is_zero() {
            let topics = vec![TRANSFER, from.into_word(), to.into_word()];
            let data = Bytes::copy_from_slice(&value.to_be_bytes::<32>());
            self.push(Log { address: NATIVE, data: LogData::new_unchecked(topics, data) });
        }
    }

    fn leave(&mut self, success: bool) {
        let Some(frame) = self.frames.pop() else { return };
        if success {
            match self.frames.last_mut() {
                Some(outer) => outer.extend(frame),
                None => self.done.extend(frame),
            }
        }
    }
}

impl<CTX: ContextTr> Inspector<CTX> for CallLogs {
    fn step(&mut self, interp: &mut Interpreter, ctx: &mut CTX) {
        self.steps = self.steps.wrapping_add(1);
        if self.steps.is_multiple_of(STEPS_A_LOOK) && self.deadline.passed() {
            self.late = true;
            halt(&self.deadline.error(), interp, ctx);
        }
    }

    fn log(&mut self, _: &mut CTX, log: Log) {
        self.push(log);
    }

    fn call(&mut self, _: &mut CTX, inputs: &mut CallInputs) -> Option<CallOutcome> {
        self.frames.push(Vec::new());
        if inputs.scheme == CallScheme::Call
            && let Some(value) = inputs.transfer_value()
        {
            self.transfer(inputs.caller, inputs.target_address, value);
        }
        None
    }

    fn call_end(&mut self, _: &mut CTX, _: &CallInputs, outcome: &mut CallOutcome) {
        self.leave(outcome.result.result.is_ok());
    }

    fn create(&mut self, ctx: &mut CTX, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        self.frames.push(Vec::new());
        let caller = inputs.caller();
        if let Ok(account) = ctx.journal_mut().load_account(caller) {
            let created = inputs.created_address(account.data.info.nonce);
            self.transfer(caller, created, inputs.value());
        }
        None
    }

    fn create_end(&mut self, _: &mut CTX, _: &CreateInputs, outcome: &mut CreateOutcome) {
        self.leave(outcome.result.result.is_ok());
    }

    fn selfdestruct(&mut self, contract: Address, target: Address, value: U256) {
        self.transfer(contract, target, value);
    }
}
