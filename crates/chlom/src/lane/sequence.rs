//! `chlom lane batch`, `publish`, `submit` and `run`: receipts that wait, to the chain and on to their payees.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use chlom_client::keystore;
use chlom_operator::sequence::{Config, Did, SequenceError, Sequencer};
use clap::Args;
use serde_json::{Value, json};

use super::data::DataArgs;
use crate::{
    connection::{NodeArgs, SignerArgs},
    exit::Usage,
    output,
};

/// Between two looks at whether to stop.
const LOOK: Duration = Duration::from_millis(100);

/// Arguments of `chlom lane batch`, `publish` and `submit`.
#[derive(Args, Debug)]
pub(crate) struct StepArgs {
    /// One line of JSON for each thing that was done.
    #[arg(long)]
    json: bool,
    /// A payer's key, 64 hex digits in a file of mode 0600: its consent to each batch is signed with it. Payers whose keys are not
    /// here consent by an allowance (LaneRegistry.setAllowance). Several times for several payers.
    #[arg(long, value_name = "FILE")]
    payer_key_file: Vec<PathBuf>,
    /// Batch receipts of the period that is not over yet, too.
    #[arg(long)]
    unfinished_periods: bool,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    signer: SignerArgs,
}

/// Arguments of `chlom lane run`.
#[derive(Args, Debug)]
#[command(
    after_help = "Every turn settles and finalises what is due, submits, publishes, and builds the next batch of a period that is over.
Stopped or killed at any moment and run again, it goes on where it was: nothing is on the chain twice. What it cannot
do now (a node that does not answer, collateral that is short) it says, and tries again."
)]
pub(crate) struct RunArgs {
    /// Seconds between two turns.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u64).range(1..=86_400), value_name = "SECONDS")]
    every: u64,
    /// One turn, and end.
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    step: StepArgs,
}

/// A step of the sequencer, as a command.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Batch,
    Publish,
    Submit,
}

/// # Errors
/// What kept the step from being done.
pub(crate) fn step(args: &StepArgs, step: Step) -> Result<()> {
    sequence(args, |sequencer| {
        let did = match step {
            Step::Batch => sequencer.batch(),
            Step::Publish => sequencer.publish(),
            Step::Submit => sequencer.submit(),
        }?;
        if did.is_empty() && !args.json {
            output::line("nothing to do");
        }
        did.iter().for_each(|did| tell(args.json, did));
        Ok(())
    })
}

/// # Errors
/// What keeps a lane from being led at all; with `--once`, whatever went wrong.
pub(crate) fn run(args: &RunArgs) -> Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    if !args.once {
        stop_when_told(stop.clone())?;
    }
    sequence(&args.step, |sequencer| {
        loop {
            let begun = Instant::now();
            match sequencer.turn() {
                Ok(did) => did.iter().for_each(|did| tell(args.step.json, did)),
                Err(error) if args.once || is_final(&error) => return Err(error.into()),
                Err(error) => tracing::warn!(%error, "a step failed; it is tried again"),
            }
            while !args.once && begun.elapsed() < Duration::from_secs(args.every) {
                if stop.load(Ordering::Acquire) {
                    return Ok(());
                }
                std::thread::sleep(LOOK);
            }
            if args.once || stop.load(Ordering::Acquire) {
                return Ok(());
            }
        }
    })
}

fn sequence(args: &StepArgs, work: impl FnOnce(&mut Sequencer<'_>) -> Result<()>) -> Result<()> {
    // The node makes the proofs.
    chlom_crypto::kzg::expect_no_proofs();
    let payers = args.payer_key_file.iter().map(|path| keystore::from_key_file(path));
    let payers = payers.collect::<Result<Vec<_>, _>>().map_err(|error| Usage(error.to_string()))?;
    let signer = args.signer.signer()?;
    let (store, lane) = args.data.lane()?;
    let chain = args.node.chain()?;
    let config = Config { unfinished_periods: args.unfinished_periods };
    work(&mut Sequencer::lead(&store, lane, &chain, &signer, &payers, config)?)
}

/// What no later turn can mend.
fn is_final(error: &SequenceError) -> bool {
    use SequenceError as E;
    matches!(error, E::Led(_) | E::Currency { .. } | E::Damaged { .. } | E::Wrong(_))
}

fn stop_when_told(stop: Arc<AtomicBool>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let wait = move || {
        runtime.block_on(crate::stop::signalled());
        stop.store(true, Ordering::Release);
    };
    std::thread::Builder::new().name("stop".into()).spawn(wait).context("starting a thread")?;
    Ok(())
}

fn tell(as_json: bool, did: &Did) {
    if as_json {
        output::line(json_of(did));
        return;
    }
    output::line(match did {
        Did::Built { batch, receipts } => format!("batch {batch}: built of {receipts} receipts"),
        Did::SetAside { reason, receipts } => format!("{receipts} receipts set aside: {reason}"),
        Did::Published(batch) => format!("batch {batch}: its blob is available"),
        Did::Submitted(batch) => format!("batch {batch}: the chain has accepted it"),
        Did::Finalized(batch) => format!("batch {batch}: final"),
        Did::Settled(batch) => format!("batch {batch}: every row is settled"),
        Did::Void { batch, why } => format!("batch {batch}: void, its receipts wait again: {why}"),
    });
}

fn json_of(did: &Did) -> Value {
    match did {
        Did::Built { batch, receipts } => json!({ "did": "built", "batch": batch, "receipts": receipts }),
        Did::SetAside { reason, receipts } => {
            json!({ "did": "set aside", "reason": reason, "receipts": receipts })
        }
        Did::Published(batch) => json!({ "did": "published", "batch": batch }),
        Did::Submitted(batch) => json!({ "did": "submitted", "batch": batch }),
        Did::Finalized(batch) => json!({ "did": "finalized", "batch": batch }),
        Did::Settled(batch) => json!({ "did": "settled", "batch": batch }),
        Did::Void { batch, why } => json!({ "did": "void", "batch": batch, "why": why }),
    }
}
