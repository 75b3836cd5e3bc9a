//! The genesis state in an EVM, whose clock the test sets.

use alloy_primitives::{Address, B256, Bytes, Log, LogData, U256};
use alloy_sol_types::SolCall;
use chlom_chain::staking::Validator;
use chlom_evm::{
    BlockEnv, GenesisSpec, StateDb, build_evm, genesis::GenesisAccount, machine::ChlomEvm, system_modules,
};
use chlom_primitives::address::{ROYALTY_LEDGER, TIMELOCK};
use chlom_state::{MemoryState, StateDiff, trie};
use revm::{
    ExecuteEvm,
    context::{
        ContextTr, JournalTr, TxEnv,
        result::{ExecutionResult, Output},
    },
};

use crate::bindings::Timelock;

/// Governs, settles, enforces and owns every licence.
pub(crate) const AUTHORITY: Address = Address::repeat_byte(0xa1);
/// 2026-01-01T00:00:00Z.
pub(crate) const START: u64 = 1_767_225_600;
const GAS: u64 = 16_000_000;

/// What a call answered and logged, or the bytes it reverted with.
pub(crate) type Answer = Result<(Bytes, Vec<Log>), Bytes>;

pub(crate) struct Machine {
    evm: ChlomEvm<StateDb<MemoryState>>,
    pub(crate) now: u64,
}

impl Machine {
    /// `rich` have 2¹⁰⁰ wei each; `contracts` are there with their code.
    pub(crate) fn new(rich: &[Address], contracts: [(Address, Bytes); 2]) -> Self {
        let consensus_key = chlom_crypto::ValidatorKey::from_seed(&[1; 32]).consensus_key().to_bytes().into();
        let validator = Validator { consensus_key, account: AUTHORITY, power: 1 };
        let mut spec = GenesisSpec::dev([], vec![validator], START);
        for address in rich {
            spec.alloc.insert(*address, GenesisAccount::with_balance(U256::ONE << 100));
        }
        for (address, code) in contracts {
            spec.alloc.insert(address, GenesisAccount { code, nonce: 1, ..GenesisAccount::default() });
        }
        let env = BlockEnv {
            height: 1,
            timestamp: START,
            beneficiary: Address::repeat_byte(0xbe),
            gas_limit: 1 << 40,
            base_fee: 0,
            mix_hash: B256::ZERO,
            parent_hash: B256::ZERO,
        };
        let db = StateDb::new(committed(spec.state().unwrap()), &env);
        let mut evm = build_evm(db, &env, &spec.params, &system_modules(), ());
        evm.ctx.cfg.disable_nonce_check = true;
        Self { evm, now: START }
    }

    pub(crate) fn advance(&mut self, seconds: u64) {
        self.now += seconds;
        self.evm.ctx.block.timestamp = U256::from(self.now);
        self.evm.ctx.block.number += U256::ONE;
    }

    pub(crate) fn height(&self) -> u64 {
        self.evm.ctx.block.number.to()
    }

    /// Has the timelock, which owns it, tell the ledger.
    pub(crate) fn govern<C: SolCall>(&mut self, call: &C) {
        let (target, value, payload) = (ROYALTY_LEDGER, U256::ZERO, Bytes::from(call.abi_encode()));
        let (predecessor, salt, delay) = (B256::ZERO, B256::ZERO, U256::ONE);
        let schedule =
            Timelock::scheduleCall { target, value, payload: payload.clone(), predecessor, salt, delay };
        self.send(AUTHORITY, TIMELOCK, 0, &schedule).unwrap();
        self.advance(2);
        let execute = Timelock::executeCall { target, value, payload, predecessor, salt };
        self.send(AUTHORITY, TIMELOCK, 0, &execute).unwrap();
    }

    pub(crate) fn send<C: SolCall>(&mut self, from: Address, to: Address, value: u128, call: &C) -> Answer {
        self.send_bytes(from, to, value, call.abi_encode())
    }

    pub(crate) fn send_bytes(&mut self, from: Address, to: Address, value: u128, call: Vec<u8>) -> Answer {
        let tx = TxEnv::builder()
            .caller(from)
            .call(to)
            .value(U256::from(value))
            .data(call.into())
            .gas_limit(GAS)
            .gas_price(0)
            .chain_id(Some(self.evm.ctx.cfg.chain_id))
            .build()
            .unwrap();
        match self.evm.transact_one(tx).unwrap() {
            ExecutionResult::Success { output: Output::Call(data), logs, .. } => Ok((data, logs)),
            ExecutionResult::Revert { output, .. } => Err(output),
            other => panic!("{other:?}"),
        }
    }

    /// A view that answers.
    pub(crate) fn read<C: SolCall>(&mut self, to: Address, call: &C) -> C::Return {
        let (data, _) = self.send(AUTHORITY, to, 0, call).unwrap_or_else(|revert| panic!("{revert}"));
        C::abi_decode_returns(&data).unwrap()
    }

    pub(crate) fn slot(&mut self, address: Address, slot: U256) -> U256 {
        let journal = self.evm.ctx.journal_mut();
        journal.load_account(address).unwrap();
        journal.sload(address, slot).unwrap().data
    }

    pub(crate) fn balance(&mut self, address: Address) -> U256 {
        self.evm.ctx.journal_mut().load_account(address).unwrap().data.info.balance
    }
}

fn committed(mut diff: StateDiff) -> MemoryState {
    let mut state = MemoryState::default();
    let updates = trie::apply(&state, &mut diff).unwrap();
    state.commit(&diff, &updates);
    state
}

/// The logs of one contract, without its address.
pub(crate) fn logs_of(address: Address, logs: Vec<Log>) -> Vec<LogData> {
    logs.into_iter().filter(|log| log.address == address).map(|log| log.data).collect()
}
