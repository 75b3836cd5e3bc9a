//! What random programs should do, without an EVM: maps, and a copy of them to go back to.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::{SolCall, SolError, SolValue};
use chlom_module::error::{DelegateCall, InsufficientBalance, NotPayable, StaticCall};

use crate::{
    assembler::Scheme,
    probe::{IProbe, PROBE, stamp_of},
};

/// What a contract does, in order.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    /// Stores to the storage that it runs on.
    Store { slot: u64, value: u64 },
    /// Calls another contract, by its number.
    Contract { scheme: Scheme, to: usize, value: u64, must: bool },
    /// Calls the probe.
    Probe { scheme: Scheme, call: ProbeCall, value: u64, must: bool },
}

/// A call of the probe.
#[derive(Clone, Debug)]
pub(crate) enum ProbeCall {
    Get { slot: u64 },
    Set { slot: u64, value: u64 },
    Stamp { slot: u64 },
    Note { topic: u8 },
    Pay { to: usize, amount: u64 },
    Held,
    Refuse { slot: u64, code: u64 },
}

/// How a contract ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    Return,
    Revert,
    Invalid,
}

#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) ops: Vec<Op>,
    pub(crate) end: End,
}

pub(crate) fn contract_address(index: usize) -> Address {
    Address::repeat_byte(0xc0 + u8::try_from(index).unwrap())
}

impl ProbeCall {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let n = |value: &u64| U256::from(*value);
        match self {
            Self::Get { slot } => IProbe::getCall { slot: n(slot) }.abi_encode(),
            Self::Set { slot, value } => IProbe::setCall { slot: n(slot), value: n(value) }.abi_encode(),
            Self::Stamp { slot } => IProbe::stampCall { slot: n(slot) }.abi_encode(),
            Self::Note { topic } => IProbe::noteCall { topic: B256::repeat_byte(*topic) }.abi_encode(),
            Self::Pay { to, amount } => {
                IProbe::payCall { to: contract_address(*to), amount: n(amount) }.abi_encode()
            }
            Self::Held => IProbe::heldCall {}.abi_encode(),
            Self::Refuse { slot, code } => IProbe::refuseCall { slot: n(slot), code: n(code) }.abi_encode(),
        }
    }
}

/// Everything that a revert must bring back.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct World {
    pub(crate) storage: BTreeMap<(Address, u64), U256>,
    pub(crate) balances: BTreeMap<Address, u64>,
    pub(crate) notes: Vec<B256>,
}

/// Success, and return data.
type Answer = (bool, Bytes);

pub(crate) struct Model<'a> {
    pub(crate) programs: &'a [Program],
    pub(crate) world: World,
}

/// A frame, as code sees it.
#[derive(Clone, Copy)]
struct Frame {
    this: Address,
    is_static: bool,
}

fn word(data: &Bytes) -> U256 {
    let mut word = [0; 32];
    let len = data.len().min(32);
    word[..len].copy_from_slice(&data[..len]);
    U256::from_be_bytes(word)
}

impl Model<'_> {
    /// Moves value and runs a body; undoes both when the body fails.
    fn frame(
        &mut self,
        from: Address,
        to: Address,
        value: u64,
        body: impl FnOnce(&mut Self) -> Answer,
    ) -> Answer {
        let before = self.world.clone();
        let Some(left) = self.world.balances.get(&from).copied().unwrap_or_default().checked_sub(value)
        else {
            return (false, Bytes::new());
        };
        self.world.balances.insert(from, left);
        *self.world.balances.entry(to).or_default() += value;
        let answer = body(self);
        if !answer.0 {
            self.world = before;
        }
        answer
    }

    /// Calls a contract from outside.
    pub(crate) fn call_contract(&mut self, from: Address, index: usize, value: u64) -> Answer {
        let this = contract_address(index);
        self.frame(from, this, value, |model| model.run(Frame { this, is_static: false }, index))
    }

    fn run(&mut self, frame: Frame, index: usize) -> Answer {
        let program = self.programs[index].clone();
        let mut sum = U256::ZERO;
        for op in &program.ops {
            let (answer, must) = match op {
                Op::Store { .. } if frame.is_static => return (false, Bytes::new()),
                Op::Store { slot, value } => {
                    self.world.storage.insert((frame.this, *slot), U256::from(*value));
                    continue;
                }
                // CALL with value in a static frame is an exception of the caller.
                Op::Contract { scheme: Scheme::Call, value, .. }
                | Op::Probe { scheme: Scheme::Call, value, .. }
                    if frame.is_static && *value > 0 =>
                {
                    return (false, Bytes::new());
                }
                Op::Contract { scheme, to, value, must } => {
                    (self.contract(frame, *scheme, *to, *value), *must)
                }
                Op::Probe { scheme, call, value, must } => (self.probe(frame, *scheme, call, *value), *must),
            };
            let success = U256::from(u8::from(answer.0));
            sum = sum.wrapping_mul(U256::from(31)).wrapping_add(success << 1).wrapping_add(word(&answer.1));
            if must && !answer.0 {
                return (false, sum.abi_encode().into());
            }
        }
        match program.end {
            End::Return => (true, sum.abi_encode().into()),
            End::Revert => (false, sum.abi_encode().into()),
            End::Invalid => (false, Bytes::new()),
        }
    }

    fn contract(&mut self, frame: Frame, scheme: Scheme, to: usize, value: u64) -> Answer {
        let target = contract_address(to);
        match scheme {
            Scheme::Call => self.frame(frame.this, target, value, |model| {
                model.run(Frame { this: target, is_static: frame.is_static }, to)
            }),
            Scheme::StaticCall => self
                .frame(frame.this, target, 0, |model| model.run(Frame { this: target, is_static: true }, to)),
            Scheme::DelegateCall | Scheme::CallCode => {
                self.frame(frame.this, frame.this, 0, |model| model.run(frame, to))
            }
        }
    }

    fn probe(&mut self, frame: Frame, scheme: Scheme, call: &ProbeCall, value: u64) -> Answer {
        let is_static = frame.is_static || scheme == Scheme::StaticCall;
        match scheme {
            Scheme::DelegateCall | Scheme::CallCode => (false, DelegateCall {}.abi_encode().into()),
            Scheme::Call => self.frame(frame.this, PROBE, value, |model| {
                model.probe_body(frame.this, call, value, is_static)
            }),
            Scheme::StaticCall => {
                self.frame(frame.this, PROBE, 0, |model| model.probe_body(frame.this, call, 0, is_static))
            }
        }
    }

    fn probe_body(&mut self, caller: Address, call: &ProbeCall, value: u64, is_static: bool) -> Answer {
        let selector: [u8; 4] = call.encode()[..4].try_into().unwrap();
        let amount = U256::from(value);
        let fail = |data: Vec<u8>| (false, data.into());
        if value > 0 && !matches!(call, ProbeCall::Stamp { .. }) {
            return fail(NotPayable { selector: selector.into(), value: amount }.abi_encode());
        }
        let is_view = matches!(call, ProbeCall::Get { .. } | ProbeCall::Held);
        let is_nothing = matches!(call, ProbeCall::Pay { amount: 0, .. });
        if is_static && !is_view {
            return fail(StaticCall {}.abi_encode());
        }
        let held = self.world.balances.get(&PROBE).copied().unwrap_or_default();
        let output = match call {
            ProbeCall::Get { slot } => self.read(*slot).abi_encode(),
            ProbeCall::Set { slot, value } => {
                let before = self.read(*slot);
                self.world.storage.insert((PROBE, *slot), U256::from(*value));
                before.abi_encode()
            }
            ProbeCall::Stamp { slot } => {
                let stamp = stamp_of(caller, amount);
                self.world.storage.insert((PROBE, *slot), stamp);
                stamp.abi_encode()
            }
            ProbeCall::Note { topic } => {
                self.world.notes.push(B256::repeat_byte(*topic));
                Vec::new()
            }
            ProbeCall::Pay { .. } if is_nothing => Vec::new(),
            ProbeCall::Pay { to, amount } => {
                let Some(left) = held.checked_sub(*amount) else {
                    let (available, needed) = (U256::from(held), U256::from(*amount));
                    return fail(InsufficientBalance { available, needed }.abi_encode());
                };
                self.world.balances.insert(PROBE, left);
                *self.world.balances.entry(contract_address(*to)).or_default() += amount;
                Vec::new()
            }
            ProbeCall::Held => U256::from(held).abi_encode(),
            ProbeCall::Refuse { code, .. } => {
                return fail(IProbe::Refused { code: U256::from(*code) }.abi_encode());
            }
        };
        (true, output.into())
    }

    fn read(&self, slot: u64) -> U256 {
        self.world.storage.get(&(PROBE, slot)).copied().unwrap_or_default()
    }
}
