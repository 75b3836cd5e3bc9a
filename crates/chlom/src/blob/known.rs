//! A blob's header and commitments as a node gives them, checked against its id.

use alloy_primitives::{B256, Bytes, FixedBytes};
use anyhow::Result;
use chlom_chain::blobs::blob_id;
use chlom_client::{Chain, blobs::BlobStatus};
use chlom_crypto::kzg::{BlobHeader, RowCommitments};

use crate::exit::Refused;

/// A header and commitments that stand for each other, and for the id.
pub(super) struct Known {
    pub(super) header: BlobHeader,
    pub(super) commitments: RowCommitments,
}

impl Known {
    /// Checks what a node says of a blob. The id is hashed from the root over the commitments, so nobody can give others.
    ///
    /// # Errors
    /// What does not fit.
    pub(super) fn check(id: B256, header: &Bytes, commitments: &[FixedBytes<48>]) -> Result<Self> {
        let wrong = |why: String| Refused(format!("the node's answer is not about blob {id}: {why}"));
        let header = BlobHeader::decode(header).map_err(|error| wrong(error.to_string()))?;
        let commitments = RowCommitments::new(commitments.iter().map(|bytes| bytes.0).collect());
        let commitments = commitments.map_err(|error| wrong(error.to_string()))?;
        commitments.check_header(&header).map_err(|error| wrong(error.to_string()))?;
        let lane = FixedBytes(header.lane_id.into_array());
        let found = blob_id(&lane, header.period, &header.merkle_root);
        if found != id {
            return Err(wrong(format!("its header and commitments are those of {found}")).into());
        }
        Ok(Self { header, commitments })
    }

    /// Asks a node.
    ///
    /// # Errors
    /// A node that has nothing of the blob, or something else.
    pub(super) fn ask(chain: &Chain, id: B256) -> Result<(Self, BlobStatus)> {
        let status = chain.rpc().blob_status(id)?;
        let node = status.node.as_ref().filter(|node| !node.header.is_empty());
        let node = node.ok_or_else(|| Refused(format!("the node has nothing of blob {id}")))?;
        Ok((Self::check(id, &node.header, &node.commitments)?, status))
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Address;

    use super::*;

    /// A row of zeros commits to infinity.
    fn zeros(rows: usize) -> (B256, Bytes, Vec<FixedBytes<48>>) {
        let mut infinity = [0; 48];
        infinity[0] = 0xc0;
        let commitments = RowCommitments::new(vec![infinity; rows]).unwrap();
        let header = BlobHeader {
            lane_id: Address::repeat_byte(7),
            period: 20_250_901,
            rows: commitments.rows(),
            kzg_commitment: commitments.fold(),
            merkle_root: commitments.merkle_root(),
        };
        let id = blob_id(&FixedBytes([7; 20]), 20_250_901, &header.merkle_root);
        (id, header.encode().into(), vec![infinity.into(); rows])
    }

    #[test]
    fn what_a_node_says_of_a_blob_is_taken_only_when_it_hashes_to_the_id() {
        let (id, header, commitments) = zeros(2);
        assert!(Known::check(id, &header, &commitments).is_ok());
        let said = |id, header: &[u8], commitments: &[FixedBytes<48>]| {
            let header = Bytes::copy_from_slice(header);
            Known::check(id, &header, commitments).err().expect("refused").to_string()
        };
        assert!(said(B256::repeat_byte(1), &header, &commitments).contains("are those of 0x"));
        let (_, other, more) = zeros(4);
        assert!(said(id, &other, &more).contains("are those of 0x"), "another blob, whole and consistent");
        assert!(said(id, &header, &more).contains("4 row commitments"));
        assert!(said(id, &header[..108], &commitments).contains("109 bytes"));
        let mut changed = header.to_vec();
        changed[24] ^= 1;
        assert!(said(id, &changed, &commitments).contains("are those of 0x"), "another period");
        changed = header.to_vec();
        changed[50] ^= 1;
        assert!(said(id, &changed, &commitments).contains("fold"), "another fold");
        assert!(said(id, &header, &[FixedBytes::ZERO; 2]).contains("commitment of row 0"), "no point");
    }
}
