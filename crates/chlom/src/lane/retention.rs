//! Retention as a schedule: whoever runs or serves a lane removes what is too old, once a day.

use std::{
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Context as _, Result};
use chlom_operator::{
    Store,
    store::{Lane, MONTHS_KEPT},
};
use clap::Args;

/// Between two looks at whether a day is over; which day it is says the store, whatever is started again and again.
const LOOK: Duration = Duration::from_secs(600);

/// For how long contents are kept.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct RetentionArgs {
    /// Once a day, remove the contents of receipts whose period is so many months ago, and write down that it was done.
    #[arg(long, value_name = "N", default_value_t = MONTHS_KEPT, value_parser = clap::value_parser!(u64).range(3..=600))]
    retain_months: u64,
}

/// Does what is due of a lane. A database that does not answer is asked again later: nothing else waits for this.
pub(crate) fn look(store: &Store, lane: &Lane, args: RetentionArgs) {
    match store.retire_daily(lane, chlom_operator::now(), args.retain_months) {
        Ok(None) => {}
        Ok(Some(gone)) => {
            let (receipts, before) = (gone.receipts, gone.before.code());
            tracing::info!(lane = lane.name, receipts, before, "contents of old receipts removed");
        }
        Err(error) => tracing::warn!(lane = lane.name, %error, "retention failed; it is tried again"),
    }
}

/// A thread that does it for all lanes of a store, until it is dropped.
pub(crate) struct Keeper {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// # Errors
    /// A store that cannot be opened again, or no thread.
    pub(crate) fn start(store: &Store, args: RetentionArgs) -> Result<Self> {
        let store = store.again()?;
        let (stop, stopped) = channel::<()>();
        let work = move || {
            loop {
                match store.lanes() {
                    Ok(lanes) => lanes.iter().for_each(|lane| look(&store, lane, args)),
                    Err(error) => {
                        tracing::warn!(%error, "retention cannot read the lanes; it is tried again")
                    }
                }
                if stopped.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("retention".into()).spawn(work);
        Ok(Self { stop: Some(stop), thread: Some(thread.context("starting a thread")?) })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.stop.take());
        // A thread that panicked has said so.
        let _ended = self.thread.take().map(JoinHandle::join);
    }
}
