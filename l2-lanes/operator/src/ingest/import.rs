//! A file into the store: one thread reads and parses, the caller's writes.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use chlom_lane::{Receipt, receipt::Intake};

use super::{Bounds, FileFault, Format, ReceiptReader, Refusal, RejectFile};
use crate::{
    Store, StoreError,
    store::{Lane, Outcome},
};

/// Receipts of one commit. More are no faster; fewer wait more often for the disk.
const AT_ONCE: usize = 20_000;
/// Parts that are read while one is written.
const AHEAD: usize = 2;
const BUFFER: usize = 256 * 1_024;

/// Why an import ended early. What came before is in the store; run again, it goes on.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Nothing of it can be read as receipts.
    #[error("{path}: {fault}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        fault: FileFault,
    },
    /// The file of refusals cannot be written.
    #[error("cannot write the refusals: {0}")]
    Rejects(io::Error),
    /// The store's.
    #[error("what was read could not be kept")]
    Store(#[from] StoreError),
}

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// New receipts.
    pub accepted: u64,
    /// Receipts that had been there.
    pub known: u64,
    /// What was refused.
    pub refused: u64,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that were read.
    pub read: u64,
    /// Bytes of the file.
    pub of: u64,
    /// What was done with them.
    pub so_far: Imported,
}

/// What the reading thread hands over.
struct Part {
    lines: Vec<u64>,
    receipts: Vec<Receipt>,
    refusals: Vec<Refusal>,
}

/// Counts the bytes that go through.
struct Counted<R>(R, Arc<AtomicU64>);

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(to)?;
        self.1.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Takes all receipts of a file.
///
/// # Errors
/// See [`ImportError`].
pub fn import(
    store: &Store,
    lane: &Lane,
    path: &Path,
    intake: &Intake,
    bounds: Bounds,
    rejects: &mut RejectFile<'_>,
    mut progress: impl FnMut(Progress),
) -> Result<Imported, ImportError> {
    let unread = |source| ImportError::Read { path: path.into(), source };
    let file = File::open(path).map_err(unread)?;
    let of = file.metadata().map_err(unread)?.len();
    let read = Arc::new(AtomicU64::new(0));
    let mut from = BufReader::with_capacity(BUFFER, Counted(file, Arc::clone(&read)));
    let name = path.display().to_string();
    let unfit = |fault| ImportError::File { path: path.into(), fault };
    let format = Format::detect(&mut from).map_err(unread)?.map_err(unfit)?;
    let reader = ReceiptReader::new(from, format, intake, bounds).map_err(unread)?.map_err(unfit)?;
    let number = store.begin_import(lane, &name)?;
    let mut done = Imported::default();
    let (to, parts) = sync_channel(AHEAD);
    thread::scope(|scope| -> Result<(), ImportError> {
        let reading = scope.spawn(move || read_all(reader, &to));
        let written = write_all(store, lane, &name, parts, rejects, |so_far| {
            done = so_far;
            progress(Progress { read: read.load(Ordering::Relaxed), of, so_far });
        });
        // If writing failed, the channel is closed and reading ends by itself.
        let read = reading.join().unwrap_or_else(|_| Err(io::Error::other("the reading thread ended")));
        written?;
        read.map_err(unread)
    })?;
    rejects.finish().map_err(ImportError::Rejects)?;
    store.end_import(number, done.accepted, done.known, done.refused)?;
    Ok(done)
}

fn read_all<R: io::BufRead>(mut reader: ReceiptReader<'_, R>, to: &SyncSender<Part>) -> io::Result<()> {
    loop {
        let mut part = Part { lines: Vec::new(), receipts: Vec::new(), refusals: Vec::new() };
        let mut more = true;
        while part.receipts.len() < AT_ONCE && part.refusals.len() < AT_ONCE {
            match reader.read()? {
                Some(Ok((line, receipt))) => {
                    part.lines.push(line);
                    part.receipts.push(receipt);
                }
                Some(Err(refusal)) => part.refusals.push(refusal),
                None => {
                    more = false;
                    break;
                }
            }
        }
        if to.send(part).is_err() || !more {
            return Ok(());
        }
    }
}

fn write_all(
    store: &Store,
    lane: &Lane,
    file: &str,
    parts: Receiver<Part>,
    rejects: &mut RejectFile<'_>,
    mut progress: impl FnMut(Imported),
) -> Result<(), ImportError> {
    let mut done = Imported::default();
    for Part { lines, receipts, mut refusals } in parts {
        let outcomes = if receipts.is_empty() { Vec::new() } else { store.add(lane, &receipts)? };
        for ((outcome, line), receipt) in outcomes.into_iter().zip(lines).zip(&receipts) {
            match outcome {
                Outcome::New => done.accepted += 1,
                Outcome::Known => done.known += 1,
                refused => refusals.push(refusal_of(refused, line, receipt)),
            }
        }
        refusals.sort_by_key(|refusal| refusal.line);
        done.refused += refusals.len() as u64;
        for refusal in &refusals {
            rejects.push(file, refusal).map_err(ImportError::Rejects)?;
        }
        progress(done);
    }
    Ok(())
}

/// What the store refuses, in words.
pub(crate) fn refusal_of(outcome: Outcome, line: u64, receipt: &Receipt) -> Refusal {
    let field = match receipt.body.kind() {
        chlom_lane::receipt::Kind::AdConversion => "txid",
        chlom_lane::receipt::Kind::Order => "order_id",
        chlom_lane::receipt::Kind::Booking => "booking_id",
        chlom_lane::receipt::Kind::View => "view_id",
    };
    let (id, source) = (&receipt.id, &receipt.source);
    match outcome {
        Outcome::NoPeriod => Refusal::new(line, "ts", "ts: the time is in no period"),
        Outcome::Retired => {
            let reason =
                format!("{field}: {id} of source {source} was taken long ago; its content is kept no longer");
            Refusal::new(line, field, reason)
        }
        _ => {
            let reason = format!(
                "{field}: {id} of source {source} is there with another content; what was taken once stays as it was, so give a correction its own id"
            );
            Refusal::new(line, field, reason)
        }
    }
}
