//! Ethereum's precompiles and the system modules, as one revm provider.

use std::sync::Arc;

use alloy_primitives::{Address, Bytes};
use chlom_module::{
    ModuleError, ModuleSet, SystemModule, call,
    error::{DelegateCall, NotPayable},
    gas,
};
use revm::{
    context::{Cfg, ContextTr},
    context_interface::context::ContextError,
    handler::{EthPrecompiles, PrecompileProvider},
    interpreter::{CallInputs, Gas, InstructionResult, InterpreterResult},
    primitives::{AddressSet, hardfork::SpecId},
};

use super::context::AdapterContext;

/// Ethereum's precompiles and the system modules. All of their addresses are warm.
#[derive(Clone, Debug)]
pub struct ChlomPrecompiles {
    ethereum: EthPrecompiles,
    modules: ModuleSet,
    warm: Arc<AddressSet>,
}

impl ChlomPrecompiles {
    /// The precompiles of a fork, and modules.
    pub fn new(spec: SpecId, modules: ModuleSet) -> Self {
        let ethereum = EthPrecompiles::new(spec);
        let warm = Arc::new(warm_addresses(&ethereum, &modules));
        Self { ethereum, modules, warm }
    }
}

fn warm_addresses(ethereum: &EthPrecompiles, modules: &ModuleSet) -> AddressSet {
    let mut warm = ethereum.warm_addresses().clone();
    warm.extend(modules.iter().map(|module| module.address()));
    warm
}

impl<CTX: ContextTr<Cfg: Cfg<Spec = SpecId>>> PrecompileProvider<CTX> for ChlomPrecompiles {
    type Output = InterpreterResult;

    fn set_spec(&mut self, spec: SpecId) -> bool {
        let changed = PrecompileProvider::<CTX>::set_spec(&mut self.ethereum, spec);
        if changed {
            self.warm = Arc::new(warm_addresses(&self.ethereum, &self.modules));
        }
        changed
    }

    fn run(&mut self, ctx: &mut CTX, inputs: &CallInputs) -> Result<Option<InterpreterResult>, String> {
        match self.modules.get(&inputs.bytecode_address) {
            Some(module) => Ok(Some(run_module(module.as_ref(), ctx, inputs))),
            None => self.ethereum.run(ctx, inputs),
        }
    }

    fn warm_addresses(&self) -> &AddressSet {
        &self.warm
    }

    fn contains(&self, address: &Address) -> bool {
        self.ethereum.contains(address) || self.modules.get(address).is_some()
    }
}

/// Runs one call of a module and turns its end into a frame's.
fn run_module<CTX: ContextTr>(
    module: &dyn SystemModule,
    ctx: &mut CTX,
    inputs: &CallInputs,
) -> InterpreterResult {
    let input = inputs.input.bytes(ctx);
    let mut context = AdapterContext::for_call(ctx, inputs);
    let answer = if inputs.bytecode_address == inputs.target_address {
        call_module(module, &mut context, &input)
    } else {
        Err(ModuleError::revert(&DelegateCall {}))
    };
    let (answer, gas) = context.finish(answer);
    frame_result(ctx, answer, gas)
}

fn call_module(
    module: &dyn SystemModule,
    ctx: &mut dyn chlom_module::ModuleContext,
    input: &[u8],
) -> Result<Bytes, ModuleError> {
    gas::charge_input(ctx, input.len())?;
    let selector = call::selector(input);
    let value = ctx.value();
    if !value.is_zero() && !module.is_payable(selector) {
        return Err(ModuleError::revert(&NotPayable { selector: selector.into(), value }));
    }
    let output = module.call(ctx, input)?;
    gas::charge_output(ctx, output.len())?;
    Ok(output)
}

fn frame_result<CTX: ContextTr>(
    ctx: &mut CTX,
    answer: Result<Bytes, ModuleError>,
    mut gas: Gas,
) -> InterpreterResult {
    match answer {
        Ok(output) => InterpreterResult::new(InstructionResult::Return, output, gas),
        Err(ModuleError::Revert(output)) => InterpreterResult::new(InstructionResult::Revert, output, gas),
        Err(ModuleError::OutOfGas) => {
            gas.spend_all();
            InterpreterResult::new(InstructionResult::PrecompileOOG, Bytes::new(), gas)
        }
        Err(ModuleError::Fatal(fault)) => {
            // A fault of the database is there already, with its type; one that the module itself found goes by its words.
            if ctx.error().is_ok() {
                *ctx.error() = Err(ContextError::Custom(fault.to_string()));
            }
            InterpreterResult::new(InstructionResult::FatalExternalError, Bytes::new(), gas)
        }
    }
}
