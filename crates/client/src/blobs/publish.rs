//! From a payload to a blob that is available: body to the node, cells stored there, then the publication, then attestations.
//! Interrupted and begun again it goes on where it stopped.

use std::{
    io::Read,
    time::{Duration, Instant},
};

use alloy_primitives::{Address, B256, Bytes, FixedBytes, U64, U256};
use chlom_chain::blobs::{
    IDataAvailability::{feeCall, publishCall},
    blob_id,
};
use chlom_crypto::kzg::{self, BlobHeader, Cancel, DataRows, RowCommitments};
use chlom_primitives::address::DATA_AVAILABILITY;

use super::{BlobStatus, OnChain, Stage, Uploaded};
use crate::{Chain, ClientError, Request, Signer};

/// Between two looks at how far it is.
const PAUSE: Duration = Duration::from_millis(150);
/// Without a step forward for this long, waiting ends.
const PATIENCE: Duration = Duration::from_secs(120);

/// Why a payload is no available blob.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The node or the chain refuse, or do not answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// What the node says of a blob is not about that blob.
    #[error("the node's answer is not about blob {id}: {why}")]
    OtherBlob {
        /// The blob.
        id: B256,
        /// What does not fit.
        why: String,
    },
    /// The node's header or commitments are not the payload's.
    #[error("the node committed to something else than was sent: {0}")]
    OtherPayload(String),
    /// The node has nothing of it.
    #[error("the node has nothing of blob {0}: put it again")]
    Lost(B256),
    /// The node could not store the cells.
    #[error("the node could not store the cells: {0}")]
    Cells(String),
    /// No step forward for long.
    #[error("{what} for {} s; run the command again to go on", PATIENCE.as_secs())]
    Stalled {
        /// What was waited for.
        what: &'static str,
    },
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The body is sent: bytes so far, bytes in all.
    Sending(usize, usize),
    /// The node makes cells: per cent.
    Cells(usize),
    /// The publication is sent.
    Publishing,
    /// It is in a block.
    Published,
}

/// A header and commitments that stand for each other, and for the id.
#[derive(Debug)]
pub struct Known {
    /// The header.
    pub header: BlobHeader,
    /// One a row of data.
    pub commitments: RowCommitments,
}

impl Known {
    /// Checks what a node says of a blob. The id is hashed from the root over the commitments, so nobody can give others.
    ///
    /// # Errors
    /// What does not fit.
    pub fn check(id: B256, header: &Bytes, commitments: &[FixedBytes<48>]) -> Result<Self, PublishError> {
        let wrong = |why: String| PublishError::OtherBlob { id, why };
        let header = BlobHeader::decode(header).map_err(|error| wrong(error.to_string()))?;
        let commitments = RowCommitments::new(commitments.iter().map(|bytes| bytes.0).collect());
        let commitments = commitments.map_err(|error| wrong(error.to_string()))?;
        commitments.check_header(&header).map_err(|error| wrong(error.to_string()))?;
        let lane = FixedBytes(header.lane_id.into_array());
        let found = blob_id(&lane, header.period, &header.merkle_root);
        if found != id {
            return Err(wrong(format!("its header and commitments are those of {found}")));
        }
        Ok(Self { header, commitments })
    }

    /// Asks a node.
    ///
    /// # Errors
    /// A node that has nothing of the blob, or something else.
    pub fn ask(chain: &Chain, id: B256) -> Result<(Self, BlobStatus), PublishError> {
        let status = chain.rpc().blob_status(id)?;
        let node = status.node.as_ref().filter(|node| !node.header.is_empty());
        let node = node.ok_or(PublishError::Lost(id))?;
        Ok((Self::check(id, &node.header, &node.commitments)?, status))
    }
}

/// A blob to publish.
#[derive(Clone, Copy, Debug)]
pub struct Publication<'a> {
    /// Its lane.
    pub lane: Address,
    /// Its period.
    pub period: u32,
    /// What it holds.
    pub payload: &'a [u8],
    /// Publish again what is available already, for a later expiry.
    pub extend: bool,
    /// Second until which it must be kept; published again where it is not. 0: however long.
    pub until: u64,
}

/// Publishes and waits until it is available. `said` is told of every step.
///
/// # Errors
/// [`PublishError`].
pub fn publish(
    chain: &Chain,
    signer: &Signer,
    blob: &Publication<'_>,
    said: &mut dyn FnMut(Step),
) -> Result<(Uploaded, OnChain), PublishError> {
    let uploaded = upload(chain, blob, said)?;
    check(&uploaded, blob)?;
    let before = held(chain, uploaded.id, said)?;
    let short = |on_chain: &OnChain| on_chain.expires_at.to::<u64>() < blob.until;
    let settled = |status: &BlobStatus| status.status == Stage::Available && pending(status).is_zero();
    let published = match &before.chain {
        Some(on_chain) if settled(&before) && !blob.extend && !short(on_chain) => None,
        Some(on_chain) if before.status == Stage::Announced || !on_chain.pending_expiry.is_zero() => None,
        _ => {
            said(Step::Publishing);
            Some(chain.send_one(signer, &request(chain, &uploaded)?)?)
        }
    };
    let height = published.map(|receipt| receipt.height);
    let on_chain = available(chain, uploaded.id, height, said)?;
    Ok((uploaded, on_chain))
}

/// The transaction that publishes what a node has. The price may rise by an eighth a block: half more is sent, and what is
/// beyond the fee comes back.
///
/// # Errors
/// [`ClientError`].
pub fn request(chain: &Chain, uploaded: &Uploaded) -> Result<Request, ClientError> {
    let rows = U256::from(uploaded.commitments.len());
    let value = chain.view(DATA_AVAILABILITY, &feeCall { rows })?;
    let call =
        publishCall { header: uploaded.header.clone(), commitments: uploaded.commitments.concat().into() };
    let value = value.saturating_mul(U256::from(3)) / U256::from(2);
    Ok(Request { value, ..Request::call("publishing the blob", DATA_AVAILABILITY, &call) })
}

/// Sends the body.
///
/// # Errors
/// What the node refuses.
pub fn upload(
    chain: &Chain,
    blob: &Publication<'_>,
    said: &mut dyn FnMut(Step),
) -> Result<Uploaded, PublishError> {
    let all = blob.payload.len();
    let body = Watched { left: blob.payload, all, said };
    Ok(chain.rpc().put_blob(blob.lane, blob.period, all as u64, body)?)
}

/// Tells how much has been read.
struct Watched<'a> {
    left: &'a [u8],
    all: usize,
    said: &'a mut dyn FnMut(Step),
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.left.read(buffer)?;
        (self.said)(Step::Sending(self.all - self.left.len(), self.all));
        Ok(read)
    }
}

/// Whoever signs makes sure of what: the node's header must be of this lane and period, its commitments of this payload.
///
/// # Errors
/// What does not fit.
pub fn check(uploaded: &Uploaded, blob: &Publication<'_>) -> Result<(), PublishError> {
    let known = Known::check(uploaded.id, &uploaded.header, &uploaded.commitments)?;
    if known.header.lane_id != blob.lane || known.header.period != blob.period {
        return Err(PublishError::OtherPayload("another lane or period".into()));
    }
    let wrong = |error: kzg::KzgError| PublishError::OtherPayload(error.to_string());
    let data = DataRows::from_payload(blob.payload, known.header.rows).map_err(wrong)?;
    kzg::check_data(&known.commitments, &data, &Cancel::new()).map_err(wrong)
}

/// Waits until the node has every cell.
///
/// # Errors
/// When it loses the body, cannot store them, or makes no progress.
pub fn held(chain: &Chain, id: B256, said: &mut dyn FnMut(Step)) -> Result<BlobStatus, PublishError> {
    let mut patience = Patience::new();
    loop {
        let status = chain.rpc().blob_status(id)?;
        let node = status.node.as_ref().ok_or(PublishError::Lost(id))?;
        match node.state.as_str() {
            "held" => return Ok(status),
            "failed" | "partial" => {
                let reason = node.reason.as_deref().unwrap_or("cells are missing");
                return Err(PublishError::Cells(reason.to_owned()));
            }
            _ => {}
        }
        let percent = node.percent.unwrap_or_default().to::<usize>();
        said(Step::Cells(percent));
        patience.wait((node.state.clone(), percent), "the node makes no progress with the cells")?;
    }
}

/// Waits until the publication is attested. `since` is its height, where it was made now.
///
/// # Errors
/// When nobody attests it.
pub fn available(
    chain: &Chain,
    id: B256,
    since: Option<u64>,
    said: &mut dyn FnMut(Step),
) -> Result<OnChain, PublishError> {
    let mut patience = Patience::new();
    loop {
        let status = chain.rpc().blob_status(id)?;
        let new = |on_chain: &OnChain| since.is_none_or(|height| on_chain.available_at.to::<u64>() > height);
        if status.status == Stage::Available
            && pending(&status).is_zero()
            && let Some(on_chain) = status.chain.filter(new)
        {
            return Ok(on_chain);
        }
        said(Step::Published);
        patience.wait(status.status, "the blob is published and nobody attests it")?;
    }
}

fn pending(status: &BlobStatus) -> U64 {
    status.chain.as_ref().map(|on_chain| on_chain.pending_expiry).unwrap_or_default()
}

/// Waits between looks, until nothing has changed for long.
struct Patience<T> {
    last: Option<T>,
    end: Instant,
}

impl<T: PartialEq> Patience<T> {
    fn new() -> Self {
        Self { last: None, end: Instant::now() + PATIENCE }
    }

    fn wait(&mut self, now: T, what: &'static str) -> Result<(), PublishError> {
        if self.last.as_ref() != Some(&now) {
            self.last = Some(now);
            self.end = Instant::now() + PATIENCE;
        }
        if Instant::now() >= self.end {
            return Err(PublishError::Stalled { what });
        }
        std::thread::sleep(PAUSE);
        Ok(())
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
            Known::check(id, &header, commitments).expect_err("refused").to_string()
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
