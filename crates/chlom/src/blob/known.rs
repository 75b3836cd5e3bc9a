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
