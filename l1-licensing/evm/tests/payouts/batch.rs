//! A batch as an operator makes it: built, committed to, its cells and proofs at hand.

use alloy_primitives::{B256, keccak256};
use alloy_sol_types::SolValue;
use chlom_crypto::kzg::{self, BlobHeader, Cancel, DataRows, RowCommitments, commit};
use chlom_lane::{
    Blob, Draft, Header,
    fraud::{self, Fraud},
};

use crate::bindings::{DataCell, FraudProof, TableRow};

pub(crate) struct Batch {
    pub(crate) draft: Draft,
    pub(crate) header: Header,
    pub(crate) elements: Vec<u8>,
    rows: DataRows,
    commitments: RowCommitments,
}

impl Batch {
    /// Commits to `elements` under a header that says what `said` says otherwise.
    pub(crate) fn new(draft: Draft, said: &Header, elements: Vec<u8>) -> Self {
        let rows = DataRows::from_elements(&elements, said.blob.rows).unwrap();
        let commitments = commit(&rows, &Cancel::new()).unwrap();
        let blob = BlobHeader {
            kzg_commitment: commitments.fold(),
            merkle_root: commitments.merkle_root(),
            ..said.blob.clone()
        };
        let header = Header { blob, ..said.clone() };
        Self { draft, header, elements, rows, commitments }
    }

    /// As the draft has it.
    pub(crate) fn right(draft: Draft) -> Self {
        let (said, elements) = (draft.header([0; 48], B256::ZERO), draft.elements());
        Self::new(draft, &said, elements)
    }

    pub(crate) fn root(&self) -> B256 {
        keccak256(self.header.encode())
    }

    /// The rows' commitments as the module takes them.
    pub(crate) fn commitments(&self) -> Vec<u8> {
        self.commitments.as_slice().concat()
    }

    pub(crate) fn blob(&self) -> Blob<'_> {
        Blob::new(&self.header, &self.elements).unwrap()
    }

    /// The bytes that `challenge` takes for a fraud.
    pub(crate) fn proof_of(&self, fraud: &Fraud) -> Vec<u8> {
        let proof = fraud::prove(self.blob(), fraud);
        let square = kzg::extend(&self.rows, &Cancel::new()).unwrap();
        let cells = proof.cells.iter().map(|cell| {
            let proofs = kzg::prove_rows(&square, &[cell.row], &Cancel::new()).unwrap();
            let proof = proofs[0][usize::from(cell.column)];
            DataCell {
                row: cell.row,
                column: cell.column,
                data: cell.data.clone().into(),
                proof: proof.to_vec().into(),
            }
        });
        FraudProof {
            header: self.header.encode().into(),
            kind: proof.kind as u8,
            commitments: self.commitments().into(),
            cells: cells.collect(),
            evidence: proof.evidence.clone().into(),
        }
        .abi_encode()
    }

    /// A row as `settle` takes it.
    pub(crate) fn table_row(&self, index: usize) -> TableRow {
        let row = self.draft.rows[index];
        TableRow {
            payer: row.payer,
            licence: row.licence,
            firstRecord: row.first_record,
            count: row.count,
            revenue: row.revenue,
            royaltyBps: row.royalty_bps,
            owed: row.owed,
        }
    }
}
