//! `chlom lane generate`.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use chlom_operator::generate::{Event, Recipe};
use chlom_royalty::Period;
use clap::{Args, ValueEnum};
use serde_json::json;

use crate::{exit::Usage, output, place};

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    AdConversion,
    Order,
}

/// Arguments of `chlom lane generate`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  chlom lane generate --receipts 1000000 --licenses 200 --seed 7 --out ./data
  chlom lane ingest --data ./op --payer 0x… --source shop ./data/receipts.csv

The same arguments give the same bytes. Licences have splits of 1 to 11 payees, and some have parents that take a share of
what they earn.")]
pub(crate) struct GenerateArgs {
    /// How many receipts.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    receipts: u64,
    /// How many licences.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    licenses: u32,
    /// What everything is drawn from.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// The period of all receipts: 2025-09-W01.
    #[arg(long, value_name = "PERIOD", default_value = "2025-09-W01", value_parser = place::period)]
    period: u32,
    /// What is reported.
    #[arg(long, value_enum, default_value_t = Kind::AdConversion)]
    event: Kind,
    /// Directory for receipts.csv and licenses.json, which are written over.
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// JSON.
    #[arg(long)]
    json: bool,
}

/// # Errors
/// A period that is none, or a directory that cannot be written to.
pub(crate) fn run(args: &GenerateArgs) -> Result<()> {
    let recipe = Recipe {
        receipts: args.receipts,
        licences: args.licenses,
        seed: args.seed,
        period: Period::new(args.period).map_err(|error| Usage(format!("--period: {error}")))?,
        event: match args.event {
            Kind::AdConversion => Event::AdConversion,
            Kind::Order => Event::Order,
        },
    };
    std::fs::create_dir_all(&args.out).with_context(|| format!("making {}", args.out.display()))?;
    let (receipts, licences) = (args.out.join("receipts.csv"), args.out.join("licenses.json"));
    write(&receipts, |out| recipe.write_receipts(out))?;
    write(&licences, |out| recipe.write_licences(out))?;
    if args.json {
        output::line(json!({"receipts": receipts, "licenses": licences}));
    } else {
        output::line(format!("{} and {}", receipts.display(), licences.display()));
    }
    Ok(())
}

fn write(path: &Path, content: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>) -> Result<()> {
    let written = File::create(path).map(BufWriter::new).and_then(|mut out| {
        content(&mut out)?;
        out.flush()
    });
    written.with_context(|| format!("writing {}", path.display()))
}
