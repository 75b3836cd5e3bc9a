//! `chlom blob verify`.

use std::collections::BTreeSet;

use alloy_primitives::B256;
use anyhow::Result;
use chlom_client::{
    Chain,
    blobs::{
        CELLS_AT_ONCE, OnChain,
        publish::Known,
        read::{self, proven},
    },
};
use chlom_crypto::kzg::{self, COLUMNS, Cancel, CellId, RowCount, SquareCommitments};
use clap::Args;
use serde_json::json;

use crate::progress::Progress;
use crate::{connection::NodeArgs, exit::Refused, output};

/// Arguments of `chlom blob verify`.
#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// The blob.
    id: B256,
    /// Every cell with its proof too, data and parity.
    #[arg(long)]
    cells: bool,
    /// JSON instead of text.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    node: NodeArgs,
}

/// What every cell of a node turned out to be.
#[derive(Default)]
struct Cells {
    right: usize,
    wrong: Vec<CellId>,
    missing: Vec<CellId>,
}

/// # Errors
/// What is wrong with the blob.
pub(crate) fn run(args: &VerifyArgs) -> Result<()> {
    let chain = args.node.chain()?;
    let mut progress = Progress::new(args.json);
    let (known, status) = Known::ask(&chain, args.id)?;
    if let Some(on_chain) = &status.chain {
        same(&known, on_chain)?;
    }
    progress.waiting("checking all data");
    read::data(&chain, args.id)?;
    let cells = args.cells.then(|| every_cell(&chain, args.id, &known, &mut progress)).transpose()?;
    drop(progress);
    report(args, &known, status.status.word(), cells.as_ref());
    match cells.filter(|cells| !cells.wrong.is_empty()) {
        Some(cells) => {
            Err(Refused(format!("{} cells are wrong, the first is {}", cells.wrong.len(), cells.wrong[0]))
                .into())
        }
        None => Ok(()),
    }
}

fn report(args: &VerifyArgs, known: &Known, status: &str, cells: Option<&Cells>) {
    let rows = known.header.rows.data();
    if args.json {
        let cells = cells.map(|cells| {
            json!({ "right": cells.right, "wrong": cells.wrong.len(), "missing": cells.missing.len() })
        });
        output::line(
            json!({ "id": args.id, "rows": rows, "status": status, "data": "right", "cells": cells }),
        );
        return;
    }
    output::line(format!("blob {} ({status}): all {rows} rows of data are what was committed to", args.id));
    if let Some(cells) = cells {
        let (right, wrong, missing) = (cells.right, cells.wrong.len(), cells.missing.len());
        output::line(format!("cells of the node: {right} right, {wrong} wrong, {missing} missing"));
        if let Err(lost) = recoverable(known.header.rows, cells) {
            output::line(format!("from the node's right cells alone: {lost}"));
        }
    }
}

/// The chain's record is of the same commitments.
fn same(known: &Known, on_chain: &OnChain) -> Result<()> {
    let header = &known.header;
    let same = on_chain.merkle_root == header.merkle_root
        && on_chain.kzg_commitment.0 == header.kzg_commitment
        && on_chain.rows.to::<usize>() == header.rows.data()
        && on_chain.lane_id == header.lane_id;
    if same { Ok(()) } else { Err(Refused("the chain has another header under this id".into()).into()) }
}

fn every_cell(chain: &Chain, id: B256, known: &Known, progress: &mut Progress) -> Result<Cells> {
    let commitments = SquareCommitments::derive(&known.commitments);
    let rows = known.header.rows.square() as u16;
    let places: Vec<_> =
        (0..rows).flat_map(|row| (0..COLUMNS as u16).map(move |column| (row, column))).collect();
    let mut cells = Cells::default();
    for (done, some) in places.chunks(CELLS_AT_ONCE).enumerate() {
        progress.at("cells", done * CELLS_AT_ONCE, places.len());
        let answers = chain.rpc().get_cells(id, some)?;
        let mut found = Vec::new();
        for (place, answer) in some.iter().zip(answers) {
            let at = CellId { row: place.0, column: place.1 };
            match answer {
                Some(answer) => found.push(proven(at, &answer)?),
                None => cells.missing.push(at),
            }
        }
        let wrong = kzg::find_wrong_cells(&commitments, &found, &Cancel::new())
            .map_err(|error| Refused(error.to_string()))?;
        cells.right += found.len() - wrong.len();
        cells.wrong.extend(wrong);
    }
    Ok(cells)
}

fn recoverable(rows: RowCount, cells: &Cells) -> Result<(), kzg::Unrecoverable> {
    let gone: BTreeSet<CellId> = cells.missing.iter().chain(&cells.wrong).copied().collect();
    let row = |row: usize| {
        let there = |column: &usize| !gone.contains(&CellId { row: row as u16, column: *column as u16 });
        (0..COLUMNS).filter(there).fold(0_u128, |known, column| known | 1 << column)
    };
    let known: Vec<u128> = (0..rows.square()).map(row).collect();
    kzg::check_recoverable(rows, &known)
}
