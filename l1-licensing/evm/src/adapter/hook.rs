//! The host's calls of modules at block boundaries.

use alloy_primitives::Bytes;
use chlom_module::{ModuleContext, ModuleError, SystemModule};
use revm::{
    Database,
    context::{ContextTr, JournalTr, result::EVMError},
    context_interface::context::take_error,
    handler::SYSTEM_ADDRESS,
};

use super::context::AdapterContext;

type Fault<CTX> = EVMError<<<CTX as ContextTr>::Db as Database>::Error>;

/// Runs a hook as a transaction of its own: unmetered, and its logs are dropped, since no receipt could carry them.
///
/// # Errors
/// Faults of the database. A hook that fails in any other way is a broken invariant: [`EVMError::Custom`] names it.
pub(crate) fn run_hook<CTX: ContextTr>(
    ctx: &mut CTX,
    module: &dyn SystemModule,
    hook: impl FnOnce(&dyn SystemModule, &mut dyn ModuleContext) -> Result<(), ModuleError>,
) -> Result<(), Fault<CTX>> {
    let address = module.address();
    ctx.journal_mut().load_account(address)?;
    let mut context = AdapterContext::for_hook(ctx, address, SYSTEM_ADDRESS);
    let answer = hook(module, &mut context).map(|()| Bytes::new());
    let (answer, _) = context.finish(answer);
    take_error::<Fault<CTX>, _>(ctx.error())?;
    if let Err(error) = answer {
        ctx.journal_mut().discard_tx();
        return Err(EVMError::Custom(format!("a block hook of {} failed: {error}", module.name())));
    }
    ctx.journal_mut().commit_tx();
    Ok(())
}
