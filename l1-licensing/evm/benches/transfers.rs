//! What a block of plain transfers costs in the EVM alone: 5,000 transfers between 10,000 accounts of a state in memory,
//! from recovered transactions to the diff. `cargo bench -p chlom-evm`.

use std::{sync::Arc, time::Instant};

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use chlom_evm::{BlockEnv, BlockExecutor, system_modules};
use chlom_primitives::{Params, Tx};
use chlom_state::{Account, StateError, StateReader};

const TRANSFERS: u64 = 5_000;
const BLOCKS: u32 = 40;

/// Every account exists and is rich: reads cost next to nothing, so that what is measured is execution.
struct Rich;

impl StateReader for Rich {
    fn account(&self, _: &Address) -> Result<Option<Account>, StateError> {
        Ok(Some(Account { balance: U256::from(u128::MAX), ..Account::default() }))
    }
    fn storage(&self, _: &Address, _: &U256) -> Result<U256, StateError> {
        Ok(U256::ZERO)
    }
    fn code(&self, _: &B256) -> Result<Bytes, StateError> {
        Ok(Bytes::new())
    }
    fn storage_entries(&self, _: &B256) -> Result<Vec<(B256, U256)>, StateError> {
        Ok(Vec::new())
    }
}

fn address(index: u64) -> Address {
    Address::from_word(alloy_primitives::keccak256(index.to_be_bytes()))
}

fn transfer(index: u64) -> Arc<Tx> {
    let tx = TxEip1559 {
        chain_id: 7272,
        gas_limit: 21_000,
        max_fee_per_gas: 2_000_000_000,
        max_priority_fee_per_gas: 1,
        to: TxKind::Call(address(TRANSFERS + index)),
        value: U256::from(1),
        ..TxEip1559::default()
    };
    let envelope = TxEnvelope::from(tx.into_signed(Signature::test_signature()));
    Arc::new(Tx::new(envelope, address(index)))
}

fn main() {
    let txs: Vec<_> = (0..TRANSFERS).map(transfer).collect();
    let (params, modules) = (Params::default(), system_modules());
    let env = BlockEnv { height: 1, gas_limit: 200_000_000, base_fee: 1_000_000_000, ..BlockEnv::default() };
    let (mut execute, mut finish) = (Vec::new(), Vec::new());
    for _ in 0..BLOCKS {
        let start = Instant::now();
        let mut executor = BlockExecutor::new(&Rich, &params, &modules, env).expect("a block begins");
        for tx in &txs {
            executor.execute(tx).expect("a transfer executes");
        }
        execute.push(start.elapsed());
        let start = Instant::now();
        let outcome = executor.finish().expect("a block ends");
        finish.push(start.elapsed());
        assert_eq!(outcome.gas_used, 21_000 * TRANSFERS);
    }
    for (name, mut times) in [("execute", execute), ("finish", finish)] {
        times.sort();
        let median = times[times.len() / 2];
        println!(
            "{name:8} median {:6} us a block, {:5} ns a transfer",
            median.as_micros(),
            median.as_nanos() / u128::from(TRANSFERS)
        );
    }
}
