//! The genesis state in an EVM, whose clock and heights the test sets.

use alloy_primitives::{Address, B256, Bytes, Log, U256};
use alloy_sol_types::SolCall;
use chlom_chain::{
    blobs::{Statement, attest},
    staking::Validator,
};
use chlom_evm::{
    BlockEnv, GenesisSpec, StateDb, build_evm, genesis::GenesisAccount, machine::ChlomEvm, system_modules,
};
use chlom_module::{Load, Store};
use chlom_primitives::address::DATA_AVAILABILITY;
use chlom_state::{MemoryState, StateError, trie};
use revm::{
    ExecuteEvm,
    context::{
        ContextTr, JournalTr, TxEnv,
        result::{ExecutionResult, Output},
    },
};

/// Governs, mints and keeps the lanes' submitters.
pub(crate) const AUTHORITY: Address = Address::repeat_byte(0xa1);
/// 2025-09-01T00:00:00Z.
pub(crate) const START: u64 = 1_756_684_800;
const GAS: u64 = 16_000_000;

/// What a call answered, logged and used.
pub(crate) struct Done {
    pub(crate) data: Bytes,
    pub(crate) logs: Vec<Log>,
    pub(crate) gas: u64,
}

pub(crate) struct Machine {
    evm: ChlomEvm<StateDb<MemoryState>>,
}

impl Machine {
    /// `rich` have 2¹⁰⁰ wei each.
    pub(crate) fn new(rich: &[Address]) -> Self {
        let consensus_key = chlom_crypto::ValidatorKey::from_seed(&[1; 32]).consensus_key().to_bytes().into();
        let validator = Validator { consensus_key, account: AUTHORITY, power: 1 };
        let mut spec = GenesisSpec::dev([], vec![validator], START);
        for address in rich {
            spec.alloc.insert(*address, GenesisAccount::with_balance(U256::ONE << 100));
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
        let mut diff = spec.state().unwrap();
        let mut state = MemoryState::default();
        let updates = trie::apply(&state, &mut diff).unwrap();
        state.commit(&diff, &updates);
        let mut evm = build_evm(StateDb::new(state, &env), &env, &spec.params, &system_modules(), ());
        evm.ctx.cfg.disable_nonce_check = true;
        Self { evm }
    }

    pub(crate) fn now(&self) -> u64 {
        self.evm.ctx.block.timestamp.to()
    }

    /// A later block.
    pub(crate) fn wait(&mut self, seconds: u64, blocks: u64) {
        self.evm.ctx.block.timestamp += U256::from(seconds);
        self.evm.ctx.block.number += U256::from(blocks);
    }

    /// A transaction that may be refused: then the bytes it reverted with.
    pub(crate) fn attempt<C: SolCall>(
        &mut self,
        from: Address,
        to: Address,
        value: u128,
        call: &C,
    ) -> Result<Done, Bytes> {
        let tx = TxEnv::builder()
            .caller(from)
            .call(to)
            .value(U256::from(value))
            .data(call.abi_encode().into())
            .gas_limit(GAS)
            .gas_price(0)
            .chain_id(Some(self.evm.ctx.cfg.chain_id))
            .build()
            .unwrap();
        let result = self.evm.transact_one(tx).unwrap();
        let gas = result.tx_gas_used();
        match result {
            ExecutionResult::Success { output: Output::Call(data), logs, .. } => Ok(Done { data, logs, gas }),
            ExecutionResult::Revert { output, .. } => Err(output),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn send<C: SolCall>(&mut self, from: Address, to: Address, value: u128, call: &C) -> Done {
        self.attempt(from, to, value, call).unwrap_or_else(|revert| panic!("{}: {revert}", C::SIGNATURE))
    }

    pub(crate) fn read<C: SolCall>(&mut self, to: Address, call: &C) -> C::Return {
        C::abi_decode_returns(&self.send(AUTHORITY, to, 0, call).data).unwrap()
    }

    pub(crate) fn balance(&mut self, address: Address) -> u128 {
        self.evm.ctx.journal_mut().load_account(address).unwrap().data.info.balance.to()
    }

    /// The whole validator set says that it holds a blob: what entry 0's evidence brings at a block's begin.
    pub(crate) fn attest(&mut self, blob: B256) {
        let (height, time) = (self.evm.ctx.block.number.to(), self.now());
        let said = Statement { consensus_key: B256::repeat_byte(1), power: 1, blobs: vec![blob] };
        self.evm.ctx.journal_mut().load_account(DATA_AVAILABILITY).unwrap();
        attest(&mut Storage(self), height, time, 1, &[said]).unwrap();
        self.evm.ctx.journal_mut().commit_tx();
    }
}

/// Storage of the DataAvailability module.
struct Storage<'a>(&'a mut Machine);

impl Load for Storage<'_> {
    type Error = StateError;
    fn load(&mut self, slot: U256) -> Result<U256, StateError> {
        Ok(self.0.evm.ctx.journal_mut().sload(DATA_AVAILABILITY, slot).unwrap().data)
    }
}

impl Store for Storage<'_> {
    fn store(&mut self, slot: U256, value: U256) -> Result<(), StateError> {
        self.0.evm.ctx.journal_mut().sstore(DATA_AVAILABILITY, slot, value).unwrap();
        Ok(())
    }
}
