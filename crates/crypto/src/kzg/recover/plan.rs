//! Which rows and columns to rebuild, and in which order, from the pattern of missing cells alone.

use crate::kzg::{COLUMNS, CellId, DATA_COLUMNS, RowCount};

/// Lines to rebuild at once, a bit for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Rows(u64),
    Columns(u128),
}

/// What is missing and cannot be rebuilt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unrecoverable: {} cells in {rows} rows and {columns} columns cannot be rebuilt{}",
    .missing.len(),
    if *.smallest { ", the smallest set that can be lost" } else { "" }
)]
pub struct Unrecoverable {
    /// The cells that stay missing after every row and column that can be rebuilt was, in row-major order.
    pub missing: Vec<CellId>,
    /// Rows that miss cells.
    pub rows: usize,
    /// Columns that miss cells.
    pub columns: usize,
    /// True when they are a full sub-square of R + 1 rows and 65 columns: with one cell of it, all could be rebuilt.
    pub smallest: bool,
}

/// Says whether the cells that `known` names (a bit per column, for each of the 2R rows) rebuild the square. Needs none
/// of their bytes, so whoever collects cells knows when to stop. Upholds [DA-17].
///
/// # Errors
/// [`Unrecoverable`], with what would stay missing. Rows that are not given are missing, bits of rows beyond the square
/// are not looked at.
pub fn check_recoverable(rows: RowCount, known: &[u128]) -> Result<(), Unrecoverable> {
    let mut all = vec![0; rows.square()];
    all.iter_mut().zip(known).for_each(|(row, known)| *row = *known);
    plan(rows, &all).map(drop)
}

/// The steps that complete a square.
pub(super) fn plan(rows: RowCount, known: &[u128]) -> Result<Vec<Step>, Unrecoverable> {
    let mut known = known.to_vec();
    let mut steps = Vec::new();
    loop {
        if known.iter().all(|row| *row == u128::MAX) {
            return Ok(steps);
        }
        let found = [row_step(rows, &known), column_step(rows, &known)].into_iter().flatten().next();
        let Some(step) = found else { return Err(lost(rows, &known)) };
        apply(step, &mut known);
        steps.push(step);
    }
}

/// Marks as known what a step rebuilds.
pub(super) fn apply(step: Step, known: &mut [u128]) {
    match step {
        Step::Rows(chosen) => {
            let chosen = known.iter_mut().enumerate().filter(|(row, _)| chosen & (1 << row) != 0);
            chosen.for_each(|(_, row)| *row = u128::MAX);
        }
        Step::Columns(chosen) => known.iter_mut().for_each(|row| *row |= chosen),
    }
}

/// Rows that have half of their cells. R complete rows give every column, so no more than that many are rebuilt.
fn row_step(rows: RowCount, known: &[u128]) -> Option<Step> {
    let complete = known.iter().filter(|row| **row == u128::MAX).count();
    let wanted = rows.data().checked_sub(complete).filter(|wanted| *wanted > 0)?;
    let can = |row: &u128| (DATA_COLUMNS..COLUMNS).contains(&(row.count_ones() as usize));
    let chosen = known.iter().enumerate().filter(|(_, row)| can(row)).take(wanted);
    let chosen = chosen.fold(0, |chosen, (row, _)| chosen | 1 << row);
    (chosen != 0).then_some(Step::Rows(chosen))
}

/// Columns that have half of their cells.
fn column_step(rows: RowCount, known: &[u128]) -> Option<Step> {
    let count = |column: usize| known.iter().filter(|row| **row & (1 << column) != 0).count();
    let can = |column: &usize| (rows.data()..rows.square()).contains(&count(*column));
    let chosen = (0..COLUMNS).filter(can).fold(0, |chosen, column| chosen | 1 << column);
    (chosen != 0).then_some(Step::Columns(chosen))
}

fn lost(rows: RowCount, known: &[u128]) -> Unrecoverable {
    let places = (0..rows.square()).flat_map(|row| (0..COLUMNS).map(move |column| (row, column)));
    let missing: Vec<_> = places
        .filter(|(row, column)| known[*row] & (1 << column) == 0)
        .map(|(row, column)| CellId::at(row, column))
        .collect();
    let lines = known.iter().filter(|row| **row != u128::MAX).count();
    let columns = (!known.iter().fold(u128::MAX, |all, row| all & row)).count_ones() as usize;
    let size = [rows.data() + 1, DATA_COLUMNS + 1];
    let smallest = [lines, columns] == size && missing.len() == size[0] * size[1];
    Unrecoverable { missing, rows: lines, columns, smallest }
}
