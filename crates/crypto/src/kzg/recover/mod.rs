//! Rebuilding a square from what is left of it, in the field and without proofs.
//!
//! Any 64 cells of a row give the row, any R cells of a column the column. [`plan`] goes back and forth between the two
//! on the pattern of what is there alone, before a single element is read: it ends with the whole square or with the
//! cells that nothing can rebuild. The steps are then carried out, rows or columns of one step in parallel.
//!
//! Cells that are left over beyond the necessary half are checked on the way for free, but only for being consistent:
//! whether the result is what was committed to, the caller asks [`super::check_square`] or [`super::check_data`].

mod column;
mod erasure;
mod partial;
mod plan;
mod row;

use std::fmt;

use rayon::prelude::*;

use super::{BYTES_PER_CELL, COLUMNS, Cancel, KzgError, Square};
pub use partial::PartialSquare;
use plan::Step;
pub use plan::{Unrecoverable, check_recoverable};

/// A row or a column of a square.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// A row.
    Row(usize),
    /// A column.
    Column(usize),
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(row) => write!(f, "row {row}"),
            Self::Column(column) => write!(f, "column {column}"),
        }
    }
}

/// Why a square was not rebuilt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecoverError {
    /// Too much is missing.
    #[error(transparent)]
    Unrecoverable(#[from] Unrecoverable),
    /// Cells at hand are not all of one square: at least one is wrong. Verify them with their proofs to find it.
    #[error("the cells at hand of {0} contradict each other: at least one is wrong")]
    Contradiction(Line),
    /// The work was cancelled.
    #[error(transparent)]
    Kzg(#[from] KzgError),
}

/// Rebuilds all cells of a square. Upholds [DA-16], [DA-17] and [DA-18].
///
/// # Errors
/// See [`RecoverError`].
pub fn recover(partial: PartialSquare, cancel: &Cancel) -> Result<Square, RecoverError> {
    let steps = plan::plan(partial.rows(), partial.known())?;
    let (rows, mut known, mut cells) = partial.into_parts();
    for step in steps {
        match step {
            Step::Rows(chosen) => {
                cells.par_chunks_exact_mut(COLUMNS * BYTES_PER_CELL).enumerate().try_for_each(
                    |(row, cells)| {
                        if chosen & (1 << row) == 0 {
                            return Ok(());
                        }
                        cancel.check()?;
                        row::recover(row, known[row], cells)
                    },
                )?;
            }
            Step::Columns(chosen) => {
                let columns: Vec<usize> = (0..COLUMNS).filter(|column| chosen & (1 << column) != 0).collect();
                let rebuild = |column: &usize| {
                    cancel.check()?;
                    column::recover(*column, rows, &known, &cells)
                };
                let rebuilt = columns.par_iter().map(rebuild).collect::<Result<Vec<_>, RecoverError>>()?;
                for (column, found) in columns.iter().zip(rebuilt) {
                    column::write(*column, &found, &mut cells);
                }
            }
        }
        plan::apply(step, &mut known);
    }
    Ok(Square::new(rows, cells))
}
