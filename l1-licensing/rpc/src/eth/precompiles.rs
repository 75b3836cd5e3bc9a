//! Precompiles where a caller has moved or covered some (`movePrecompileToAddress`, overridden code).

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::Address;
use chlom_evm::ChlomPrecompiles;
use revm::{
    context::{Cfg, ContextTr},
    handler::PrecompileProvider,
    interpreter::{CallInputs, InterpreterResult},
    primitives::{AddressSet, hardfork::SpecId},
};

/// Which precompiles answer elsewhere, or not at all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Moves {
    /// New address to the address that the precompile had.
    pub(crate) moved: BTreeMap<Address, Address>,
    /// Addresses where none answers any more.
    pub(crate) gone: BTreeSet<Address>,
}

/// The chain's precompiles and modules, as a call sees them. The warm addresses stay the chain's, as geth has it.
#[derive(Clone, Debug)]
pub(crate) struct CallPrecompiles {
    pub(crate) chain: ChlomPrecompiles,
    pub(crate) moves: Moves,
}

impl<CTX: ContextTr<Cfg: Cfg<Spec = SpecId>>> PrecompileProvider<CTX> for CallPrecompiles {
    type Output = InterpreterResult;

    fn set_spec(&mut self, spec: SpecId) -> bool {
        PrecompileProvider::<CTX>::set_spec(&mut self.chain, spec)
    }

    fn run(&mut self, ctx: &mut CTX, inputs: &CallInputs) -> Result<Option<InterpreterResult>, String> {
        if let Some(origin) = self.moves.moved.get(&inputs.bytecode_address) {
            let mut inputs = inputs.clone();
            inputs.bytecode_address = *origin;
            return self.chain.run(ctx, &inputs);
        }
        if self.moves.gone.contains(&inputs.bytecode_address) {
            return Ok(None);
        }
        self.chain.run(ctx, inputs)
    }

    fn warm_addresses(&self) -> &AddressSet {
        PrecompileProvider::<CTX>::warm_addresses(&self.chain)
    }

    fn contains(&self, address: &Address) -> bool {
        self.moves.moved.contains_key(address)
            || (!self.moves.gone.contains(address)
                && PrecompileProvider::<CTX>::contains(&self.chain, address))
    }
}
