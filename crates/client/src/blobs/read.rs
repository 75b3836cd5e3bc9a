//! A blob's data and cells as a node gives them, checked: nothing that a node says of a blob is believed.

use alloy_primitives::B256;
use chlom_crypto::{
    kzg::{
        self, BYTES_PER_CELL, BYTES_PER_ELEMENT, Cancel, CellId, DataRows, PAYLOAD_PER_ELEMENT, ProvenCell,
        ROW_DATA_BYTES, SquareCommitments,
    },
    sampling::{Confidence, SampleError, check_answers},
};

use super::{
    Body, CELLS_AT_ONCE, CellAnswer,
    publish::{Known, PublishError},
};
use crate::{Chain, ClientError};

/// Why a node's data is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The node refuses, or does not answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Its header or commitments are another blob's.
    #[error(transparent)]
    Blob(#[from] PublishError),
    /// The data is not what was committed to.
    #[error("the node's data is not the blob's: {0}")]
    Data(#[from] kzg::KzgError),
    /// Another cell than was asked for.
    #[error("asked for {0}, the node answered with another cell")]
    OtherCell(CellId),
    /// A cell of another length.
    #[error("{id} has {length} bytes in the node's answer, not {BYTES_PER_CELL}")]
    CellLength {
        /// The cell.
        id: CellId,
        /// Its bytes.
        length: usize,
    },
    /// Samples are missing or wrong.
    #[error("{came} of {asked} samples came: {error}")]
    Samples {
        /// Answers.
        came: usize,
        /// Cells asked for.
        asked: usize,
        /// What is wrong.
        error: SampleError,
    },
}

/// A blob's data, checked against its commitments, and those against its id.
#[derive(Debug)]
pub struct Read {
    /// Header and commitments.
    pub known: Known,
    /// The data rows.
    pub data: DataRows,
    /// As the node sent it.
    pub body: Body,
}

impl Read {
    /// The elements of the data rows as [`chlom_lane::Blob`] takes them: a payload's 31 bytes each, behind a zero.
    pub fn elements(&self) -> Vec<u8> {
        let mut elements = vec![0; self.known.header.rows.data() * ROW_DATA_BYTES];
        let all = elements.chunks_exact_mut(BYTES_PER_ELEMENT);
        for (element, payload) in all.zip(self.body.payload.chunks(PAYLOAD_PER_ELEMENT)) {
            element.iter_mut().skip(1).zip(payload).for_each(|(to, from)| *to = *from);
        }
        elements
    }
}

/// A blob's data.
///
/// # Errors
/// [`ReadError`].
pub fn data(chain: &Chain, id: B256) -> Result<Read, ReadError> {
    let body = chain.rpc().get_blob(id)?;
    let known = Known::check(id, &body.header, &body.commitments)?;
    let data = DataRows::from_payload(&body.payload, known.header.rows)?;
    kzg::check_data(&known.commitments, &data, &Cancel::new())?;
    Ok(Read { known, data, body })
}

/// Asks for cells that the caller chose by entropy that nobody knows, and says how sure they make that the blob can be
/// rebuilt. `said`: how many were answered.
///
/// # Errors
/// When one is missing or wrong.
pub fn sample(
    chain: &Chain,
    id: B256,
    known: &Known,
    chosen: &[CellId],
    said: &mut dyn FnMut(usize),
) -> Result<Confidence, ReadError> {
    let mut answers = Vec::with_capacity(chosen.len());
    for some in chosen.chunks(CELLS_AT_ONCE) {
        said(answers.len());
        let places: Vec<_> = some.iter().map(|at| (at.row, at.column)).collect();
        for (at, answer) in some.iter().zip(chain.rpc().get_cells(id, &places)?) {
            if let Some(answer) = answer {
                answers.push(proven(*at, &answer)?);
            }
        }
    }
    let commitments = SquareCommitments::derive(&known.commitments);
    check_answers(&commitments, chosen, &answers, &Cancel::new()).map_err(|error| ReadError::Samples {
        came: answers.len(),
        asked: chosen.len(),
        error,
    })
}

/// A node's answer for a place.
///
/// # Errors
/// When it is another cell's, or none.
pub fn proven(at: CellId, answer: &CellAnswer) -> Result<ProvenCell, ReadError> {
    let place = (answer.row.to::<u64>(), answer.column.to::<u64>());
    if place != (at.row.into(), at.column.into()) {
        return Err(ReadError::OtherCell(at));
    }
    let cell: [u8; BYTES_PER_CELL] = answer.cell[..]
        .try_into()
        .map_err(|_| ReadError::CellLength { id: at, length: answer.cell.len() })?;
    Ok(ProvenCell { id: at, cell: Box::new(cell), proof: answer.proof.0 })
}
