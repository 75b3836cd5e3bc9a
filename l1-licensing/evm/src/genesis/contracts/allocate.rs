//! The system contracts' accounts, made as their creation would make them: constructors and initialisers run, in the EVM,
//! under the chain's rules, at the addresses that the contracts will have.
//!
//! No transaction can create a contract at an address of one's choice. So the creation code with its arguments is put *at*
//! the address and called, by the timelock's address; what it returns becomes the code there. Immutables, `address(this)`
//! and storage are then what a creation at that address would give. What differs: `address(this)` has code while its
//! constructor runs.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolValue;
use chlom_module::ModuleSet;
use chlom_primitives::address::{PAYOUT_PROOFS, TIMELOCK};
use chlom_state::MemoryState;
use revm::{
    ExecuteEvm, SystemCallEvm,
    context::{
        ContextTr, JournalTr,
        result::{EVMError, ExecutionResult, Output},
    },
    primitives::eip170::MAX_CODE_SIZE,
    state::{Account, Bytecode},
};

use super::{
    governance::Governance,
    list::{SYSTEM_CONTRACTS, SystemContract, grants, proxy},
};
use crate::{
    env::BlockEnv,
    genesis::{account::GenesisAccount, error::GenesisError, spec::GenesisSpec},
    machine::{ChlomEvm, build_evm},
    state_db::{DbError, StateDb},
};

/// Accounts by address, each with nonce 1. Depends on nothing but the specification. Upholds [GEN-5].
///
/// # Errors
/// When a constructor or initialiser refuses: then this build is broken, or governance is not what they take.
pub(in crate::genesis) fn allocate(
    spec: &GenesisSpec,
    governance: &Governance,
) -> Result<BTreeMap<Address, GenesisAccount>, GenesisError> {
    run(spec, governance, SYSTEM_CONTRACTS)
}

pub(super) fn run(
    spec: &GenesisSpec,
    governance: &Governance,
    contracts: &[SystemContract],
) -> Result<BTreeMap<Address, GenesisAccount>, GenesisError> {
    let mut yard = Yard::new(spec);
    let proxy = proxy()?.bytecode;
    for contract in contracts {
        let code = joined(&contract.artifact()?.bytecode, &contract.constructor(governance));
        yard.construct(contract.name, contract.implementation.unwrap_or(contract.address), code)?;
    }
    // Once every implementation is there: an initialiser may call another contract's, never the other way round.
    for contract in contracts {
        if let Some(implementation) = contract.implementation {
            let arguments = (implementation, contract.initializer(governance)).abi_encode_params();
            yard.construct(contract.name, contract.address, joined(&proxy, &arguments))?;
        }
    }
    if contracts.iter().any(|contract| contract.address == PAYOUT_PROOFS) {
        for (name, address, call) in grants() {
            yard.call(name, address, call)?;
        }
    }
    yard.finish()
}

fn joined(code: &Bytes, arguments: &[u8]) -> Bytes {
    [code.as_ref(), arguments].concat().into()
}

/// Where contracts are built: an EVM on an empty state, in the environment of block 0.
pub(super) struct Yard {
    evm: ChlomEvm<StateDb<MemoryState>>,
    built: BTreeMap<Address, &'static str>,
}

impl Yard {
    pub(super) fn new(spec: &GenesisSpec) -> Self {
        let env = BlockEnv {
            height: 0,
            timestamp: spec.timestamp,
            beneficiary: Address::ZERO,
            gas_limit: spec.params.gas.block_gas_limit,
            base_fee: spec.params.gas.initial_base_fee_wei,
            mix_hash: spec.mix_hash,
            parent_hash: B256::ZERO,
        };
        let db = StateDb::new(MemoryState::default(), &env);
        Self { evm: build_evm(db, &env, &spec.params, &ModuleSet::empty(), ()), built: BTreeMap::new() }
    }

    /// Runs creation code at `address`; what it returns is the code from then on.
    pub(super) fn construct(
        &mut self,
        name: &'static str,
        address: Address,
        creation: Bytes,
    ) -> Result<(), GenesisError> {
        let refused = |why: String| GenesisError::Contract { name, address, why };
        let fault = |error: EVMError<DbError>| refused(error.to_string());
        self.place(address, creation).map_err(&fault)?;
        let result = self.evm.system_call_one_with_caller(TIMELOCK, address, Bytes::new()).map_err(&fault)?;
        let code = match result {
            ExecutionResult::Success { output: Output::Call(code), .. } => code,
            ExecutionResult::Revert { output, .. } => return Err(refused(reason(&output))),
            other => return Err(refused(format!("{other:?}"))),
        };
        if code.is_empty() || code.len() > MAX_CODE_SIZE || code.first() == Some(&0xef) {
            return Err(refused(format!(
                "{} bytes are no code of a contract (EIP-170, EIP-3541)",
                code.len()
            )));
        }
        self.place(address, code).map_err(&fault)?;
        self.built.insert(address, name);
        Ok(())
    }

    /// Calls a contract that is there, as the timelock. It may change what was built, and nothing else.
    fn call(&mut self, name: &'static str, address: Address, data: Bytes) -> Result<(), GenesisError> {
        let refused = |why: String| GenesisError::Contract { name, address, why };
        let result = self.evm.system_call_one_with_caller(TIMELOCK, address, data);
        match result.map_err(|error| refused(error.to_string()))? {
            ExecutionResult::Success { .. } => {}
            ExecutionResult::Revert { output, .. } => return Err(refused(reason(&output))),
            other => return Err(refused(format!("{other:?}"))),
        }
        self.evm.ctx.journal_mut().commit_tx();
        Ok(())
    }

    fn place(&mut self, address: Address, code: Bytes) -> Result<(), EVMError<DbError>> {
        let journal = self.evm.ctx.journal_mut();
        journal.load_account(address)?;
        journal.set_code(address, Bytecode::new_legacy(code));
        journal.commit_tx();
        Ok(())
    }

    /// What was built, and nothing else: a constructor that changes another account would be lost unseen.
    pub(super) fn finish(mut self) -> Result<BTreeMap<Address, GenesisAccount>, GenesisError> {
        let state = self.evm.finalize();
        let changed =
            |account: &Account| !account.info.is_empty() || account.changed_storage_slots().next().is_some();
        let stray = state.iter().filter(|(at, account)| changed(account) && !self.built.contains_key(*at));
        if let Some((address, _)) = stray.min_by_key(|(address, _)| **address) {
            return Err(GenesisError::Stray { address: *address });
        }
        Ok(self
            .built
            .keys()
            .filter_map(|address| Some((*address, genesis_account(state.get(address)?))))
            .collect())
    }
}

fn genesis_account(account: &Account) -> GenesisAccount {
    let values = account.storage.iter().map(|(slot, value)| (*slot, value.present_value));
    let storage: BTreeMap<U256, U256> = values.filter(|(_, value)| !value.is_zero()).collect();
    let code = account.info.code.as_ref().map(Bytecode::original_bytes).unwrap_or_default();
    GenesisAccount { balance: U256::ZERO, nonce: 1, code, storage }
}

fn reason(output: &Bytes) -> String {
    match alloy_sol_types::decode_revert_reason(output) {
        Some(reason) if !reason.is_empty() => format!("reverted: {reason}"),
        _ => format!("reverted with {output}"),
    }
}
