//! The host's calls at block boundaries.

use std::sync::{Arc, Mutex};

use alloy_primitives::{Address, B256, Bytes, LogData, U256};
use chlom_evm::BlockExecutor;
use chlom_module::{ModuleContext, ModuleError, ModuleSet, Slot, SystemModule, stub::stub_code};
use chlom_primitives::Params;
use chlom_state::{MemoryState, StateError};

use crate::machine::{ENV, contract, tx};

/// Writes down when it was called.
#[derive(Debug)]
struct Clerk {
    address: Address,
    diary: Arc<Mutex<Vec<String>>>,
    fails: bool,
}

impl Clerk {
    fn write(&self, ctx: &mut dyn ModuleContext, event: &str) -> Result<(), ModuleError> {
        self.diary.lock().unwrap().push(format!("{event} {}", self.address.0[19]));
        let counter: Slot<u64> = Slot::new(0);
        let count = counter.get(ctx)?;
        counter.set(ctx, &(count + 1))?;
        ctx.emit_log(LogData::new_unchecked(vec![B256::ZERO], Bytes::new()))
    }
}

impl SystemModule for Clerk {
    fn address(&self) -> Address {
        self.address
    }
    fn name(&self) -> &'static str {
        "Clerk"
    }
    fn call(&self, ctx: &mut dyn ModuleContext, _: &[u8]) -> Result<Bytes, ModuleError> {
        self.write(ctx, "call")?;
        Ok(Bytes::new())
    }
    fn begin_block(&self, ctx: &mut dyn ModuleContext) -> Result<(), ModuleError> {
        if self.fails {
            return Err(ModuleError::Revert(Bytes::new()));
        }
        self.write(ctx, "begin")
    }
    fn end_block(&self, ctx: &mut dyn ModuleContext) -> Result<(), ModuleError> {
        self.write(ctx, "end")
    }
}

fn clerks(fails: bool) -> (ModuleSet, Arc<Mutex<Vec<String>>>, MemoryState) {
    let diary = Arc::new(Mutex::new(Vec::new()));
    let mut state = crate::machine::genesis();
    let clerk = |last: u8, fails| {
        Arc::new(Clerk { address: Address::with_last_byte(last), diary: diary.clone(), fails })
            as Arc<dyn SystemModule>
    };
    let modules = ModuleSet::new([clerk(0x52, fails), clerk(0x51, false)]).unwrap();
    for module in modules.iter() {
        contract(&mut state, module.address(), 0, stub_code());
    }
    (modules, diary, state)
}

#[test]
fn mod_8_hooks_run_in_the_order_of_addresses_before_and_after_all_transactions() {
    let (modules, diary, state) = clerks(false);
    let params = Params::default();
    let mut executor = BlockExecutor::new(&state, &params, &modules, ENV).unwrap();
    let to = Address::with_last_byte(0x51);
    assert!(executor.execute(&tx(to, U256::ZERO, vec![], 100_000, 0)).unwrap().success);
    let outcome = executor.finish().unwrap();
    assert_eq!(*diary.lock().unwrap(), ["begin 81", "begin 82", "call 81", "end 81", "end 82"]);
    let counted = outcome.diff.accounts[&to].storage[&U256::ZERO];
    assert_eq!((counted.before, counted.after), (U256::ZERO, U256::from(3)));
    assert_eq!(outcome.receipts.len(), 1);
    assert_eq!(outcome.receipts[0].logs.len(), 1, "only the call's log has a receipt");
    assert!(outcome.gas_used < 60_000, "hooks cost the block no gas");
}

#[test]
fn mod_8_a_hook_that_fails_is_a_broken_invariant() {
    let (modules, _, state) = clerks(true);
    let params = Params::default();
    let failed = BlockExecutor::new(&state, &params, &modules, ENV).map(|_| ());
    assert_eq!(failed, Err(StateError::Corrupt("a block hook of Clerk failed: reverted with 0x".into())));
}
