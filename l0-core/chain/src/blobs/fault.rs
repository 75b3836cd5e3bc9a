//! From the library's reasons to the numbers that a contract sees. No wording reaches consensus: return data costs gas, so a
//! better sentence would be a fork.

use chlom_crypto::kzg::{HeaderError, HeaderMismatch, KzgError, PointFault as Point, PointKind};
use chlom_module::ModuleError;
use chlom_state::StateError;

use super::interface::IDataAvailability::{self, CellFault, HeaderFault, PointFault};

/// A revert with `HeaderInvalid(fault)`.
pub(super) fn header(fault: HeaderFault) -> ModuleError {
    ModuleError::revert(&IDataAvailability::HeaderInvalid { fault })
}

/// A revert with `CellMalformed(row, column, fault)`.
pub(super) fn cell(row: u16, column: u16, fault: CellFault) -> ModuleError {
    ModuleError::revert(&IDataAvailability::CellMalformed { row, column, fault })
}

/// A revert with `PointMalformed(fault)`.
pub(super) fn point(fault: PointFault) -> ModuleError {
    ModuleError::revert(&IDataAvailability::PointMalformed { fault })
}

/// Why bytes are no header.
pub(super) fn of_decoding(error: &HeaderError) -> ModuleError {
    header(match error {
        HeaderError::Length(_) => HeaderFault::Length,
        HeaderError::Version(_) => HeaderFault::Version,
        HeaderError::Rows(_) => HeaderFault::Rows,
        HeaderError::Columns(_) => HeaderFault::Columns,
    })
}

/// What a header says that its commitments do not.
pub(super) fn of_mismatch(mismatch: &HeaderMismatch) -> ModuleError {
    header(match mismatch {
        HeaderMismatch::Rows { .. } => HeaderFault::CommitmentsLength,
        HeaderMismatch::Root { .. } => HeaderFault::RootMismatch,
        HeaderMismatch::Fold { .. } => HeaderFault::FoldMismatch,
    })
}

/// Why bytes are no commitments.
pub(super) fn of_commitments(error: KzgError) -> ModuleError {
    match error {
        KzgError::Point { kind: PointKind::Commitment { .. }, fault } => header(match fault {
            Point::Encoding => HeaderFault::CommitmentEncoding,
            Point::OffCurve => HeaderFault::CommitmentOffCurve,
            Point::WrongSubgroup => HeaderFault::CommitmentSubgroup,
        }),
        KzgError::RowCount(_) => header(HeaderFault::CommitmentsLength),
        other => broken(&other),
    }
}

/// What a batch of cells says of them: a verdict, or why there is none.
pub(super) fn of_cells(verdict: Result<(), KzgError>) -> Result<bool, ModuleError> {
    match verdict {
        Ok(()) => Ok(true),
        Err(KzgError::WrongCells { .. }) => Ok(false),
        Err(KzgError::NonCanonical { cell: id, .. }) => Err(cell(id.row, id.column, CellFault::NotCanonical)),
        Err(KzgError::DuplicateCell(id)) => Err(cell(id.row, id.column, CellFault::Duplicate)),
        Err(KzgError::Point { kind: PointKind::Proof(id), fault }) => {
            let fault = match fault {
                Point::Encoding => CellFault::ProofEncoding,
                Point::OffCurve => CellFault::ProofOffCurve,
                Point::WrongSubgroup => CellFault::ProofSubgroup,
            };
            Err(cell(id.row, id.column, fault))
        }
        Err(other) => Err(broken(&other)),
    }
}

/// What a point evaluation says.
pub(super) fn of_point(verdict: Result<(), KzgError>) -> Result<bool, ModuleError> {
    match verdict {
        Ok(()) => Ok(true),
        Err(KzgError::WrongOpening) => Ok(false),
        Err(KzgError::NonCanonicalScalar(_)) => Err(point(PointFault::NotCanonical)),
        Err(KzgError::Point { kind: PointKind::PointProof, fault }) => Err(point(match fault {
            Point::Encoding => PointFault::ProofEncoding,
            Point::OffCurve => PointFault::ProofOffCurve,
            Point::WrongSubgroup => PointFault::ProofSubgroup,
        })),
        Err(other) => Err(broken(&other)),
    }
}

/// A reason that checked input cannot have: this node's memory or library failed, so it must not go on.
fn broken(error: &KzgError) -> ModuleError {
    ModuleError::Fatal(StateError::Backend(format!("KZG failed on checked input: {error}")))
}
