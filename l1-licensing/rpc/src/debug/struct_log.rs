//! The opcode logger: one entry a step, written as it happens, so that a long trace costs its text and nothing more.

use std::collections::BTreeMap;

use alloy_primitives::{Address, Bytes, U256};
use revm::{
    bytecode::opcode::{self, OpCode},
    context::{ContextTr, JournalTr, result::ExecutionResult},
    interpreter::{
        InstructionResult, Interpreter,
        interpreter_types::{InputsTr, Jumps, LoopControl, ReturnData},
    },
};

use super::config::TraceConfig;
use crate::eth::json::Json;

/// The logger. Entries have the state before their step; what is known after it (cost, loaded values, failure) is added
/// when it ends.
#[derive(Debug)]
pub(super) struct StructLogger {
    disable_storage: bool,
    disable_stack: bool,
    enable_memory: bool,
    enable_return_data: bool,
    /// Steps that may still be written; the rest execute without a trace.
    left: usize,
    entries: Json,
    /// Slots seen so far, by contract.
    storage: BTreeMap<Address, BTreeMap<U256, U256>>,
    /// Refunds by depth; the sum is the transaction's.
    refunds: Vec<i64>,
    step: Option<Step>,
}

/// A step that has begun.
#[derive(Clone, Copy, Debug)]
struct Step {
    gas: u64,
    /// Slot and, for a store, value.
    slot: Option<(U256, Option<U256>)>,
}

impl StructLogger {
    pub(super) fn new(config: &TraceConfig) -> Self {
        Self {
            disable_storage: config.disable_storage,
            disable_stack: config.disable_stack,
            enable_memory: config.enable_memory,
            enable_return_data: config.enable_return_data,
            left: if config.limit > 0 { config.limit } else { usize::MAX },
            entries: Json::default(),
            storage: BTreeMap::new(),
            refunds: Vec::new(),
            step: None,
        }
    }

    /// Bytes written.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The trace. A halt returns nothing; a revert its data.
    pub(super) fn result(&self, result: &ExecutionResult) -> Json {
        let mut json = Json::with_capacity(self.entries.len() + 256);
        let output = result.output().cloned().unwrap_or_else(Bytes::new);
        json.open_object();
        json.key("gas").number(result.tx_gas_used());
        json.key("failed").bool(!result.is_success());
        json.key("returnValue").hex(&output);
        json.key("structLogs").open_array();
        json.raw(self.entries.as_bytes());
        json.close_array();
        json.close_object();
        json
    }

    /// Before an instruction.
    pub(super) fn begin<CTX: ContextTr>(&mut self, interp: &mut Interpreter, ctx: &mut CTX) {
        self.step = None;
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        let op = interp.bytecode.opcode();
        let depth = ctx.journal().depth();
        let refund = self.refund(depth, interp.gas.refunded());
        let json = &mut self.entries;
        json.item().open_object();
        json.key("pc").number(interp.bytecode.pc() as u64);
        match OpCode::new(op) {
            Some(known) => json.key("op").text(known.as_str()),
            None => json.key("op").text(&format!("opcode {op:#x} not defined")),
        }
        json.key("gas").number(interp.gas.remaining());
        json.key("depth").number(depth as u64);
        json.key("refund").number(refund);
        if !self.disable_stack {
            json.key("stack").open_array();
            for word in interp.stack.data() {
                json.item().quantity256(word);
            }
            json.close_array();
        }
        if self.enable_return_data && !interp.return_data.buffer().is_empty() {
            json.key("returnData").hex(interp.return_data.buffer());
        }
        if self.enable_memory {
            write_memory(json, &interp.memory.context_memory());
        }
        self.step = Some(Step { gas: interp.gas.remaining(), slot: slot_of(op, interp) });
    }

    /// After an instruction.
    pub(super) fn end(&mut self, interp: &mut Interpreter) {
        let Some(step) = self.step.take() else { return };
        let failure = interp.bytecode.action().as_ref().and_then(|action| action.instruction_result());
        let failure = failure.filter(|result| result.is_halt());
        self.entries.key("gasCost").number(step.gas.saturating_sub(interp.gas.remaining()));
        if let Some(result) = failure {
            self.entries.key("error").text(error_text(result));
        } else if !self.disable_storage
            && let Some((slot, stored)) = step.slot
        {
            let loaded = || interp.stack.data().last().copied().unwrap_or_default();
            let contract = self.storage.entry(interp.input.target_address()).or_default();
            contract.insert(slot, stored.unwrap_or_else(loaded));
            write_storage(&mut self.entries, contract);
        }
        self.entries.close_object();
    }

    /// The transaction's refund so far: each frame's own counter, the callers' included.
    fn refund(&mut self, depth: usize, refunded: i64) -> u64 {
        self.refunds.resize(depth + 1, 0);
        self.refunds[depth] = refunded;
        u64::try_from(self.refunds.iter().sum::<i64>()).unwrap_or_default()
    }
}

fn slot_of(op: u8, interp: &Interpreter) -> Option<(U256, Option<U256>)> {
    let stack = interp.stack.data().as_slice();
    match (op, stack) {
        (opcode::SLOAD, [.., slot]) => Some((*slot, None)),
        (opcode::SSTORE, [.., value, slot]) => Some((*slot, Some(*value))),
        _ => None,
    }
}

fn write_memory(json: &mut Json, memory: &[u8]) {
    if memory.is_empty() {
        return;
    }
    json.key("memory").open_array();
    for word in memory.chunks(32) {
        let mut padded = [0; 32];
        padded[..word.len()].copy_from_slice(word);
        json.item().hex(&padded);
    }
    json.close_array();
}

fn write_storage(json: &mut Json, slots: &BTreeMap<U256, U256>) {
    json.key("storage").open_object();
    for (slot, value) in slots {
        json.key(&format!("{slot:#066x}")).hex(&value.to_be_bytes::<32>());
    }
    json.close_object();
}

/// Why a step failed, in geth's words.
fn error_text(result: InstructionResult) -> &'static str {
    use InstructionResult as R;
    match result {
        R::OutOfGas | R::MemoryOOG | R::MemoryLimitOOG | R::PrecompileOOG | R::InvalidOperandOOG => {
            "out of gas"
        }
        R::ReentrancySentryOOG => "not enough gas for reentrancy sentry",
        R::OpcodeNotFound | R::NotActivated => "invalid opcode",
        R::InvalidFEOpcode => "invalid opcode: INVALID",
        R::InvalidJump => "invalid jump destination",
        R::StackUnderflow => "stack underflow",
        R::StackOverflow => "stack limit reached 1024 (1023)",
        R::OutOfOffset => "return data out of bounds",
        R::StateChangeDuringStaticCall | R::CallNotAllowedInsideStatic => "write protection",
        R::CreateInitCodeSizeLimit => "max initcode size exceeded",
        R::CreateContractSizeLimit => "max code size exceeded",
        R::CreateContractStartingWithEF => "invalid code: must not begin with 0xef",
        R::CreateCollision => "contract address collision",
        R::NonceOverflow => "nonce uint64 overflow",
        R::OutOfFunds => "insufficient balance for transfer",
        R::CallTooDeep => "max call depth exceeded",
        _ => "execution failed",
    }
}
