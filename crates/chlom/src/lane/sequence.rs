//! `chlom lane batch`, `publish`, `submit` and `run`: receipts that wait, to the chain and on to their payees.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use chlom_client::{Chain, Signer, keystore};
use chlom_crypto::AccountKey;
use chlom_operator::{
    Store, StoreError,
    sequence::{Config, Did, Obstacle, SequenceError, Sequencer, Turn},
    store::Lane,
};
use clap::Args;
use serde_json::{Value, json};

use super::{
    data::DataArgs,
    retention::{self, Keeper, RetentionArgs},
};
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
    /// here consent by an allowance (chlom lane allowance set). Several times for several payers.
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
do now (a node that does not answer, collateral that is short) it says, and tries again. While another process leads the
lane it stands by, and takes over when that one ends."
)]
pub(crate) struct RunArgs {
    /// Seconds between two turns.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u64).range(1..=86_400), value_name = "SECONDS")]
    every: u64,
    /// One turn, and end.
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    retention: RetentionArgs,
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

/// What a sequencer works with.
struct Tools {
    store: Store,
    lane: Lane,
    chain: Chain,
    signer: Signer,
    payers: Vec<AccountKey>,
    config: Config,
}

impl Tools {
    fn new(args: &StepArgs) -> Result<Self> {
        // The node makes the proofs.
        chlom_crypto::kzg::expect_no_proofs();
        let payers = args.payer_key_file.iter().map(|path| keystore::from_key_file(path));
        let payers = payers.collect::<Result<Vec<_>, _>>().map_err(|error| Usage(error.to_string()))?;
        let signer = args.signer.signer()?;
        let (store, lane) = args.data.lane()?;
        let chain = args.node.chain()?;
        let config = Config { unfinished_periods: args.unfinished_periods };
        Ok(Self { store, lane, chain, signer, payers, config })
    }

    fn lead(&self) -> Result<Sequencer<'_>, SequenceError> {
        let Self { store, lane, chain, signer, payers, config } = self;
        Sequencer::lead(store, lane.clone(), chain, signer, payers, *config)
    }
}

/// # Errors
/// What kept the step from being done.
pub(crate) fn step(args: &StepArgs, step: Step) -> Result<()> {
    let tools = Tools::new(args)?;
    let mut sequencer = tools.lead()?;
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
}

/// # Errors
/// What keeps a lane from being led at all; with `--once`, whatever went wrong.
pub(crate) fn run(args: &RunArgs) -> Result<()> {
    let tools = Tools::new(&args.step)?;
    if args.once {
        retention::look(&tools.store, &tools.lane, args.retention);
        let Turn { did, faults } = tools.lead()?.turn();
        did.iter().for_each(|did| tell(args.step.json, did));
        return faults.into_iter().next().map_or(Ok(()), |fault| Err(fault.into()));
    }
    let stop = Arc::new(AtomicBool::new(false));
    stop_when_told(stop.clone())?;
    let _retention = Keeper::start(&tools.store, args.retention)?;
    let every = Duration::from_secs(args.every);
    let mut stands_by = false;
    while !stop.load(Ordering::Acquire) {
        let begun = Instant::now();
        match tools.lead() {
            Ok(sequencer) => {
                stands_by = false;
                tracing::info!(lane = %tools.lane.name, "leading the lane");
                lead(sequencer, args.step.json, every, &stop);
            }
            Err(SequenceError::Led(lane)) => {
                if !stands_by {
                    tracing::info!(%lane, "another process leads the lane; standing by");
                }
                stands_by = true;
            }
            Err(error) if is_passing(&error) => {
                tracing::warn!(%error, "the lane cannot be led now; it is tried again");
            }
            Err(error) => return Err(error.into()),
        }
        pause(begun, every, &stop);
    }
    Ok(())
}

/// Turn after turn, until it is told to stop or the lead is lost.
fn lead(mut sequencer: Sequencer<'_>, json: bool, every: Duration, stop: &AtomicBool) {
    // What goes on and on being wrong is said once, until it is mended.
    let mut told = BTreeSet::new();
    while !stop.load(Ordering::Acquire) {
        let begun = Instant::now();
        let Turn { did, faults } = sequencer.turn();
        did.iter().for_each(|did| tell(json, did));
        let lost = faults.iter().any(|f| matches!(f, SequenceError::Store(StoreError::LeadLost(_))));
        let new: BTreeSet<String> = faults.iter().map(ToString::to_string).collect();
        for error in new.difference(&told) {
            tracing::warn!(%error, "a step failed; it is tried again");
        }
        if new.is_empty() && !told.is_empty() {
            tracing::info!("every step goes again");
        }
        told = new;
        if lost {
            return;
        }
        pause(begun, every, stop);
    }
}

fn pause(begun: Instant, every: Duration, stop: &AtomicBool) {
    while begun.elapsed() < every && !stop.load(Ordering::Acquire) {
        std::thread::sleep(LOOK);
    }
}

/// What a later try can mend.
fn is_passing(error: &SequenceError) -> bool {
    match error {
        SequenceError::Client(_) => true,
        SequenceError::Store(error) => error.is_passing(),
        _ => false,
    }
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
        Did::SetAside { obstacle, receipts } => {
            let alarm = if matches!(obstacle, Obstacle::Convicted(_)) { "ALARM " } else { "" };
            format!("{alarm}{receipts} receipts set aside: {obstacle}")
        }
        Did::Adopted { batch, root, receipts } => {
            format!("batch {batch}: {root} was made elsewhere; its {receipts} receipts are known now")
        }
        Did::Unreadable { root, period, why } => format!(
            "ALARM batch {root} was made elsewhere and its blob cannot be had ({why}): no batch of {} is built until it can",
            period.code()
        ),
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
        Did::SetAside { obstacle, receipts } => json!({
            "did": "set aside", "obstacle": obstacle.word(), "reason": obstacle.to_string(), "receipts": receipts,
        }),
        Did::Adopted { batch, root, receipts } => {
            json!({ "did": "adopted", "batch": batch, "root": root, "receipts": receipts })
        }
        Did::Unreadable { root, period, why } => {
            json!({ "did": "unreadable", "root": root, "period": period.code(), "why": why })
        }
        Did::Published(batch) => json!({ "did": "published", "batch": batch }),
        Did::Submitted(batch) => json!({ "did": "submitted", "batch": batch }),
        Did::Finalized(batch) => json!({ "did": "finalized", "batch": batch }),
        Did::Settled(batch) => json!({ "did": "settled", "batch": batch }),
        Did::Void { batch, why } => json!({ "did": "void", "batch": batch, "why": why }),
    }
}
