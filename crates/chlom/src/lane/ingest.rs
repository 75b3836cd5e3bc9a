//! `chlom lane ingest`.

use std::path::{Path, PathBuf};

use alloy_primitives::Address;
use anyhow::Result;
use chlom_lane::receipt::{Intake, Name};
use chlom_operator::{
    Store,
    ingest::{Bounds, ImportError, Imported, Refusal, RejectFile, import},
    store::Lane,
};
use chlom_royalty::Period;
use clap::Args;
use serde_json::{Value, json};

use super::data::DataArgs;
use crate::{
    exit::{Incomplete, Usage},
    output, place,
    progress::Progress,
    table::table,
};

/// A receipt may be this much ahead of this machine's clock.
const AHEAD: u64 = 3_600;

/// Arguments of `chlom lane ingest`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  chlom lane ingest --data ./op --payer 0x… --source shop receipts.csv
  chlom lane ingest --data ./op monday.ndjson tuesday.json          payer and source in every receipt

A file is CSV (a line of columns, then a receipt a line), NDJSON (a JSON object a line) or a JSON array; its first character
says which. CSV has these columns, in any order:
  event,ts,campaign,license_id,value,currency,txid                  event is ad_conversion
  event,ts,order_id,license_id,gross,discount,net,currency          event is order
and payer, source, signature where they differ from line to line. Times are 2025-09-01T12:00:00Z, amounts 84.00.

What is refused is listed in the file of rejects, by file, line, field and reason; everything else is taken. Correct those lines
and read the file again: what was taken before is known, and changes nothing. Exit code 7 says that something was refused.")]
pub(crate) struct IngestArgs {
    /// The files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Whose receipts these are: the address of whoever owes the royalties.
    #[arg(long, value_name = "ADDRESS")]
    payer: Option<Address>,
    /// Which of the payer's sources they are from, by name.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Refuse receipts of other periods than this one: 2025-09-W01.
    #[arg(long, value_name = "PERIOD", value_parser = place::period)]
    period: Option<u32>,
    /// Where to list what is refused [default: rejects.csv in the data directory].
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArgs,
}

/// # Errors
/// A store that cannot be used, or [`Incomplete`] when something was refused.
pub(crate) fn run(args: &IngestArgs) -> Result<()> {
    let source = args.source.as_deref().map(Name::new).transpose();
    let source = source.map_err(|error| Usage(format!("--source: {error}")))?;
    let period = args.period.map(Period::new).transpose();
    let period = period.map_err(|error| Usage(format!("--period: {error}")))?;
    let (store, lane) = args.data.lane()?;
    let currency = lane.currency.clone();
    let intake = Intake { currency, decimals: lane.decimals, payer: args.payer, source };
    let bounds = Bounds { period, latest: chlom_operator::now().saturating_add(AHEAD) };
    let path = args.rejects.clone().unwrap_or_else(|| args.data.path("rejects.csv"));
    // What an earlier run refused is no longer said once this one has begun.
    if args.rejects.is_none() && path.exists() {
        std::fs::remove_file(&path)?;
    }
    let mut rejects = RejectFile::new(&path);
    let mut all = Vec::new();
    for file in &args.files {
        let done = read(&store, &lane, file, &intake, bounds, &mut rejects, args.json)?;
        all.push((file.display().to_string(), done));
    }
    rejects.finish()?;
    let refused = rejects.count();
    report(args, &all, (refused > 0).then_some(path.as_path()));
    match refused {
        0 => Ok(()),
        _ => Err(Incomplete(format!("{refused} refused; {} says which and why", path.display())).into()),
    }
}

fn read(
    store: &Store,
    lane: &Lane,
    file: &Path,
    intake: &Intake,
    bounds: Bounds,
    rejects: &mut RejectFile<'_>,
    quiet: bool,
) -> Result<Imported> {
    let mut bar = Progress::new(quiet);
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let result = import(store, lane, file, intake, bounds, rejects, |at| {
        let part = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        bar.at(&name, part(at.read), part(at.of));
    });
    match result {
        // One file that is no list of receipts does not keep the others out.
        Err(ImportError::File { path, fault }) => {
            let refusal = Refusal { line: 1, field: String::new(), reason: fault.to_string() };
            rejects.push(&path.display().to_string(), &refusal)?;
            Ok(Imported { refused: 1, ..Imported::default() })
        }
        Err(ImportError::Read { path, source }) if source.kind() == std::io::ErrorKind::NotFound => {
            Err(Usage(format!("{}: {source}", path.display())).into())
        }
        other => Ok(other?),
    }
}

fn report(args: &IngestArgs, all: &[(String, Imported)], rejects: Option<&Path>) {
    if args.json {
        let of = |(file, done): &(String, Imported)| -> Value {
            json!({"file": file, "accepted": done.accepted, "known": done.known, "refused": done.refused})
        };
        output::line(json!({"files": all.iter().map(of).collect::<Vec<_>>(), "rejects": rejects}));
        return;
    }
    let row = |(file, done): &(String, Imported)| {
        let Imported { accepted, known, refused } = done;
        vec![file.clone(), accepted.to_string(), known.to_string(), refused.to_string()]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    output::print(&table(&["file", "new", "known", "refused"], &rows));
}
