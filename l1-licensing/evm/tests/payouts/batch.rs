//! A batch as an operator makes it: built, committed to, its cells and proofs at hand.

use alloy_primitives::{B256, keccak256};
use alloy_sol_types::SolValue;
use chlom_crypto::kzg::{
    self, BYTES_PER_CELL, BlobHeader, Cancel, CellId, DATA_COLUMNS, DataRows, ROW_DATA_BYTES, RowCommitments,
    RowCount, commit,
};
use chlom_lane::{
    Blob, Draft, Header, blob,
    fraud::{self, Fraud},
    page::Page,
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
        Self::committed(draft, said, elements, rows, commitments)
    }

    /// With other pages, under a header that says what `said` says. Only rows of the blob that change are committed to again.
    pub(crate) fn changed(&self, said: &Header, pages: &[(u32, Page)]) -> Self {
        let mut elements = self.elements.clone();
        let mut commitments = self.commitments.as_slice().to_vec();
        for (index, page) in pages {
            let at = *index as usize * BYTES_PER_CELL;
            let cell = blob::elements(&[*page], RowCount::new(1).unwrap());
            elements[at..at + BYTES_PER_CELL].copy_from_slice(&cell[..BYTES_PER_CELL]);
            let row = *index as usize / DATA_COLUMNS;
            let bytes = &elements[row * ROW_DATA_BYTES..][..ROW_DATA_BYTES];
            let row_alone = DataRows::from_elements(bytes, RowCount::new(1).unwrap()).unwrap();
            commitments[row] = commit(&row_alone, &Cancel::new()).unwrap().as_slice()[0];
        }
        let rows = DataRows::from_elements(&elements, said.blob.rows).unwrap();
        Self::committed(self.draft.clone(), said, elements, rows, RowCommitments::new(commitments).unwrap())
    }

    fn committed(
        draft: Draft,
        said: &Header,
        elements: Vec<u8>,
        rows: DataRows,
        commitments: RowCommitments,
    ) -> Self {
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

    /// The data rows.
    pub(crate) fn rows(&self) -> &DataRows {
        &self.rows
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
        let ids: Vec<_> =
            proof.cells.iter().map(|cell| CellId { row: cell.row, column: cell.column }).collect();
        let opened = kzg::prove_cells(&self.rows, &ids, &Cancel::new()).unwrap();
        let cells = opened.iter().map(|cell| DataCell {
            row: cell.id.row,
            column: cell.id.column,
            data: cell.cell.to_vec().into(),
            proof: cell.proof.to_vec().into(),
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
