//! What the demo plays with: licences and receipts, from files or its own. Whatever is wrong is told before a chain begins.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use alloy_primitives::{Address, B256};
use anyhow::{Context as _, Result};
use chlom_lane::{
    Receipt,
    receipt::{Intake, Name},
};
use chlom_operator::ingest::{Bounds, FileFault, Format, ReceiptReader};
use chlom_royalty::{Period, period::SUBMISSION_WINDOW};
use serde_json::{Map, Value};

use super::generate;
use crate::{
    exit::Usage,
    license::{self, Document},
};

/// The licences where no file is given: those of the worked example.
const LICENCES: &str = include_str!("../../../../devnet/data/demo/licenses.json");
/// Three quarters of a gigabyte of memory for receipts; who has more runs an operator (`chlom lane`).
const MOST_BYTES: u64 = 128 * 1024 * 1024;
/// Mistakes that are shown.
const SHOWN: usize = 10;
/// The demo's one source.
pub(super) const SOURCE: &str = "demo";
/// Places of the lane's minor unit, as the token's.
pub(super) const DECIMALS: u8 = 6;
pub(super) const CURRENCY: &str = "USD";

/// Licences and receipts.
pub(super) struct Input {
    pub(super) documents: Vec<Document>,
    /// Payees of each licence as its file writes them, in that order; beside their addresses.
    pub(super) payees: BTreeMap<B256, Vec<(String, Address)>>,
    pub(super) receipts: Vec<Line>,
}

/// A receipt and its line in the file.
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) receipt: Receipt,
}

impl Input {
    /// Reads both files. `seed`: for receipts where no file has them.
    pub(super) fn read(licences: Option<&Path>, receipts: Option<&Path>, seed: u64) -> Result<Self> {
        let entries = match licences {
            Some(path) => license::read(path).map_err(Usage)?,
            None => license::from_json("licenses.json", LICENCES).map_err(Usage)?,
        };
        let documents = license::check_all(&entries).map_err(|wrong| mistakes("licences", &wrong))?;
        let payees = documents.iter().zip(&entries).map(|(document, entry)| {
            let splits = entry.object.get("splits").and_then(Value::as_array);
            let shares = splits.into_iter().flatten().filter_map(Value::as_object).filter_map(share);
            (document.id(), shares.collect::<Vec<_>>())
        });
        let payees: BTreeMap<_, Vec<_>> = payees.collect();
        let undivided: Vec<String> = documents
            .iter()
            .filter(|document| payees.get(&document.id()).is_none_or(Vec::is_empty))
            .map(|document| {
                format!("{}: splits: missing; the demo's chain knows no splits yet", document.place)
            })
            .collect();
        if !undivided.is_empty() {
            return Err(mistakes("licences", &undivided).into());
        }
        let (name, text) = match receipts {
            Some(path) => (path.display().to_string(), read_bytes(path)?),
            None => ("generated".to_owned(), generate::csv(&documents, seed).map_err(Usage)?.into_bytes()),
        };
        let receipts = parse(&name, &text)?;
        let input = Self { documents, payees, receipts };
        input.check(&name, &text)?;
        Ok(input)
    }

    /// What receipts and licences say of each other, and of time.
    fn check(&self, name: &str, text: &[u8]) -> Result<()> {
        let known: BTreeMap<B256, &Document> =
            self.documents.iter().map(|document| (document.id(), document)).collect();
        let (mut wrong, mut ids) = (Vec::new(), BTreeSet::new());
        for Line { number, receipt } in &self.receipts {
            let place = format!("{name} line {number}");
            if !ids.insert(receipt.id.to_string()) {
                wrong.push(format!("{place}: {} is there twice; a sale is reported once", receipt.id));
            }
            match known.get(&receipt.licence) {
                None => wrong.push(format!(
                    "{place}: license_id: the licences' file has no such licence: {}",
                    shortened(text, *number)
                )),
                Some(licence) if receipt.time < licence.start || receipt.time >= licence.end => {
                    let (from, until) =
                        (license::date::shown(licence.start), license::date::shown(licence.end));
                    wrong.push(format!(
                        "{place}: ts: licence {} is in force from {from} until before {until}",
                        licence.name
                    ));
                }
                Some(_) => {}
            }
        }
        if !wrong.is_empty() {
            return Err(mistakes("receipts", &wrong).into());
        }
        let (first, last) = (self.periods()?.first().copied(), self.last_period()?);
        match first {
            Some(first) if last.end() >= first.end() + SUBMISSION_WINDOW => Err(Usage(format!(
                "{name}: the receipts are of {} to {}; a period takes batches until 60 days after its end: give files of less time",
                first.code(),
                last.code()
            ))
            .into()),
            _ => Ok(()),
        }
    }

    /// The periods that have receipts, the earliest first.
    pub(super) fn periods(&self) -> Result<BTreeSet<Period>> {
        let period =
            |line: &Line| Period::containing(line.receipt.time).context("a receipt beyond all periods");
        self.receipts.iter().map(period).collect()
    }

    pub(super) fn last_period(&self) -> Result<Period> {
        self.periods()?.last().copied().context("no receipts")
    }
}

fn share(split: &Map<String, Value>) -> Option<(String, Address)> {
    let to = split.get("to")?.as_str()?;
    Some((to.to_owned(), to.parse().ok()?))
}

fn mistakes(what: &str, wrong: &[String]) -> Usage {
    let more = wrong.len().saturating_sub(SHOWN);
    let shown: Vec<&str> = wrong.iter().take(SHOWN).map(String::as_str).collect();
    let rest = if more == 0 { String::new() } else { format!("\n  and {more} more") };
    Usage(format!("{} mistakes in the {what}:\n  {}{rest}", wrong.len(), shown.join("\n  ")))
}

/// A line of a text, or its beginning.
fn shortened(text: &[u8], number: u64) -> String {
    let mut lines = text.split(|byte| *byte == b'\n');
    let line = usize::try_from(number).ok().and_then(|number| lines.nth(number.saturating_sub(1)));
    String::from_utf8_lossy(line.unwrap_or_default()).trim().chars().take(120).collect()
}

fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    let shown = path.display();
    let unreadable = |error: std::io::Error| Usage(format!("{shown}: {error}"));
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > MOST_BYTES {
        return Err(
            Usage(format!("{shown}: {size} bytes, at most {MOST_BYTES}; `chlom lane` takes more")).into()
        );
    }
    Ok(std::fs::read(path).map_err(unreadable)?)
}

/// Every line as a receipt, read as an operator reads it (`chlom lane ingest`); what that refuses, the demo refuses whole.
fn parse(name: &str, text: &[u8]) -> Result<Vec<Line>> {
    let intake = Intake {
        currency: CURRENCY.into(),
        decimals: DECIMALS,
        payer: Some(super::stage::payer_address()?),
        source: Some(Name::new(SOURCE).map_err(|error| Usage(error.to_string()))?),
    };
    let mut bytes = text;
    let unfit = |fault: FileFault| Usage(format!("{name}: {fault}"));
    let format = Format::detect(&mut bytes)?.map_err(unfit)?;
    let bounds = Bounds { period: None, latest: u64::MAX };
    let mut reader = ReceiptReader::new(bytes, format, &intake, bounds)?.map_err(unfit)?;
    let (mut lines, mut wrong) = (Vec::new(), Vec::new());
    while let Some(read) = reader.read()? {
        match read {
            Ok((number, receipt)) => lines.push(Line { number, receipt }),
            Err(refusal) => wrong.push(format!("{name} line {}: {}", refusal.line, refusal.reason)),
        }
    }
    if !wrong.is_empty() {
        return Err(mistakes("receipts", &wrong).into());
    }
    if lines.is_empty() {
        return Err(Usage(format!("{name}: no receipts in it")).into());
    }
    Ok(lines)
}
