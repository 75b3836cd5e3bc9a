//! Random contracts that call the probe and each other, revert or not, against [`crate::model`].

use alloy_primitives::{Bytes, U256};
use chlom_state::{MemoryState, StateReader};
use proptest::prelude::*;

use crate::{
    assembler::{Assembler, Scheme},
    machine::{self, SENDER},
    model::{End, Model, Op, ProbeCall, Program, World, contract_address},
    probe::PROBE,
};

/// Contracts call only contracts after them, so every program ends.
const CONTRACTS: usize = 4;
const OPS: usize = 3;
const SLOTS: u64 = 3;

/// Gas for a frame of contract `index`: each of its calls may burn all of the next one's (INVALID does), and enough is left
/// for what it does itself and for the 64th that EIP-150 holds back. So no frame is ever short.
fn frame_gas(index: usize) -> u64 {
    (index + 1..CONTRACTS).fold(400_000, |gas, _| 3 * gas + 200_000)
}

/// Gas for a call of the probe: more than any of its functions takes.
const PROBE_GAS: u64 = 90_000;

fn scheme() -> impl Strategy<Value = Scheme> {
    prop_oneof![
        6 => Just(Scheme::Call),
        1 => Just(Scheme::CallCode),
        1 => Just(Scheme::DelegateCall),
        2 => Just(Scheme::StaticCall),
    ]
}

fn probe_call() -> impl Strategy<Value = ProbeCall> {
    prop_oneof![
        (0..SLOTS).prop_map(|slot| ProbeCall::Get { slot }),
        (0..SLOTS, 0_u64..4).prop_map(|(slot, value)| ProbeCall::Set { slot, value }),
        (0..SLOTS).prop_map(|slot| ProbeCall::Stamp { slot }),
        any::<u8>().prop_map(|topic| ProbeCall::Note { topic }),
        (0..CONTRACTS, 0_u64..300).prop_map(|(to, amount)| ProbeCall::Pay { to, amount }),
        Just(ProbeCall::Held),
        (0..SLOTS, 0_u64..4).prop_map(|(slot, code)| ProbeCall::Refuse { slot, code }),
    ]
}

/// Value goes with CALL only: CALLCODE's goes nowhere, the others have none.
fn value_for(scheme: Scheme, value: u64) -> u64 {
    if scheme == Scheme::Call { value } else { 0 }
}

fn op(index: usize) -> BoxedStrategy<Op> {
    let value = prop_oneof![3 => Just(0), 1 => 1_u64..200];
    let store = (0..SLOTS, 0_u64..4).prop_map(|(slot, value)| Op::Store { slot, value });
    let probe =
        (scheme(), probe_call(), value.clone(), any::<bool>()).prop_map(|(scheme, call, value, must)| {
            Op::Probe { scheme, call, value: value_for(scheme, value), must }
        });
    if index + 1 == CONTRACTS {
        return prop_oneof![1 => store, 3 => probe].boxed();
    }
    let contract =
        (scheme(), index + 1..CONTRACTS, value, any::<bool>()).prop_map(|(scheme, to, value, must)| {
            Op::Contract { scheme, to, value: value_for(scheme, value), must }
        });
    prop_oneof![1 => store, 3 => probe, 2 => contract].boxed()
}

fn program(index: usize) -> impl Strategy<Value = Program> {
    let end = prop_oneof![5 => Just(End::Return), 2 => Just(End::Revert), 1 => Just(End::Invalid)];
    (proptest::collection::vec(op(index), 0..=OPS), end).prop_map(|(ops, end)| Program { ops, end })
}

fn compile(program: &Program) -> Bytes {
    let mut code = Assembler::default();
    for op in &program.ops {
        code = match op {
            Op::Store { slot, value } => code.sstore(U256::from(*slot), U256::from(*value)),
            Op::Contract { scheme, to, value, must } => {
                code.call(*scheme, contract_address(*to), frame_gas(*to), U256::from(*value), &[], *must)
            }
            Op::Probe { scheme, call, value, must } => {
                code.call(*scheme, PROBE, PROBE_GAS, U256::from(*value), &call.encode(), *must)
            }
        };
    }
    match program.end {
        End::Return => code.return_sum(),
        End::Revert => code.revert_sum(),
        End::Invalid => code.invalid(),
    }
}

/// The accounts of the model, read back from a state.
fn world_of(state: &MemoryState, notes: Vec<alloy_primitives::B256>) -> World {
    let mut world = World { notes, ..World::default() };
    let contracts = (0..CONTRACTS).map(contract_address);
    for address in contracts.chain([PROBE, SENDER]) {
        let balance = state.account(&address).unwrap().unwrap_or_default().balance;
        world.balances.insert(address, balance.to());
        for slot in 0..SLOTS {
            let value = state.storage(&address, &U256::from(slot)).unwrap();
            if !value.is_zero() {
                world.storage.insert((address, slot), value);
            }
        }
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// [MOD-7] Whatever contracts make of calls and reverts, a module's storage, money and logs are what a contract's
    /// would be.
    #[test]
    fn theorem_modules_obey_the_journal(
        programs in (program(0), program(1), program(2), program(3)),
        value in 0_u64..50,
    ) {
        let programs = [programs.0, programs.1, programs.2, programs.3];
        let mut state = machine::genesis();
        for (index, program) in programs.iter().enumerate() {
            machine::contract(&mut state, contract_address(index), 150, compile(program));
        }
        let mut model = Model { programs: &programs, world: world_of(&state, vec![]) };
        let (success, output) = model.call_contract(SENDER, 0, value);
        model.world.storage.retain(|_, value| !value.is_zero());

        let tx = machine::tx(contract_address(0), U256::from(value), vec![], 16_700_000, 0);
        let ran = machine::run(&state, &tx).unwrap();
        prop_assert_eq!(ran.executed.success, success);
        prop_assert_eq!(&ran.executed.output, &output);
        let notes = ran.logs.iter().map(|log| log.data.topics()[0]).collect();
        prop_assert_eq!(world_of(&ran.state, notes), model.world);
    }
}
