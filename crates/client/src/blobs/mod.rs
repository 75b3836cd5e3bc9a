//! Blobs of a node: bodies to it, what it and the chain know of them, and back.
//!
//! - [`publish`]: from a payload to an available blob. [`read`]: data and cells of one, checked.

pub mod publish;
pub mod read;

use std::{io::Read, time::Duration};

use alloy_primitives::{Address, B256, Bytes, FixedBytes, U64};
use serde::Deserialize;
use serde_json::json;

use crate::{ClientError, Rpc};

/// For one body to be sent and answered: a node gives a slow one up sooner.
const UPLOAD: Duration = Duration::from_secs(180);
/// Cells that a node gives in one call.
pub const CELLS_AT_ONCE: usize = 512;

/// What a node answers to a body: everything that publishing needs.
#[derive(Clone, Debug, Deserialize)]
pub struct Uploaded {
    /// The blob's id.
    pub id: B256,
    /// The packed header, 109 bytes.
    pub header: Bytes,
    /// One commitment a row.
    pub commitments: Vec<FixedBytes<48>>,
}

/// How a blob stands on chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Never published.
    Unknown,
    /// Published, not attested.
    Announced,
    /// Attested by more than two thirds of power, and kept.
    Available,
    /// Past its time.
    Expired,
}

impl Stage {
    /// As the node has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Announced => "announced",
            Self::Available => "available",
            Self::Expired => "expired",
        }
    }
}

/// `chlom_blobStatus`.
#[derive(Clone, Debug, Deserialize)]
pub struct BlobStatus {
    /// How it stands at the node's head.
    pub status: Stage,
    /// What the chain keeps; `None` when it was never published.
    pub chain: Option<OnChain>,
    /// What the node has; `None` when it has nothing.
    pub node: Option<OnNode>,
}

/// What the chain keeps of a blob. Heights and seconds are 0 where there is none.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OnChain {
    /// The lane.
    pub lane_id: Address,
    /// The period.
    pub period: U64,
    /// Rows of data.
    pub rows: U64,
    /// Root over the rows' commitments.
    pub merkle_root: B256,
    /// Their fold.
    pub kzg_commitment: FixedBytes<48>,
    /// Height of the last publication.
    pub announced_at: U64,
    /// Height at which it last became available.
    pub available_at: U64,
    /// Second until which it is kept, as attested.
    pub expires_at: U64,
    /// Second until which it will be kept once the last publication is attested.
    pub pending_expiry: U64,
}

/// What a node has of a blob.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OnNode {
    /// `held`, `queued`, `building`, `repairing`, `partial` or `failed`.
    pub state: String,
    /// Cells that are stored.
    #[serde(default)]
    pub cells: U64,
    /// Cells of the square.
    #[serde(default)]
    pub of: U64,
    /// How far building is.
    pub percent: Option<U64>,
    /// Why it failed.
    pub reason: Option<String>,
    /// The packed header.
    #[serde(default)]
    pub header: Bytes,
    /// One commitment a row.
    #[serde(default)]
    pub commitments: Vec<FixedBytes<48>>,
}

/// `chlom_getBlob`.
#[derive(Clone, Debug, Deserialize)]
pub struct Body {
    /// The packed header.
    pub header: Bytes,
    /// One commitment a row.
    pub commitments: Vec<FixedBytes<48>>,
    /// The payload with the zeros behind it. Nothing about it is proven: check it against the commitments.
    pub payload: Bytes,
    /// Cells that the node had to rebuild.
    pub rebuilt: U64,
}

/// One cell of `chlom_getCells`.
#[derive(Clone, Debug, Deserialize)]
pub struct CellAnswer {
    /// Its row.
    pub row: U64,
    /// Its column.
    pub column: U64,
    /// 2,048 bytes.
    pub cell: Bytes,
    /// Its proof.
    pub proof: FixedBytes<48>,
}

impl Rpc {
    /// Sends a body of `length` bytes: `POST /chlom_putBlob`.
    ///
    /// # Errors
    /// [`ClientError`]; what the node refuses is [`ClientError::Refused`].
    pub fn put_blob(
        &self,
        lane: Address,
        period: u32,
        length: u64,
        mut body: impl Read,
    ) -> Result<Uploaded, ClientError> {
        let path = format!("/chlom_putBlob?lane={lane:#x}&period={period}");
        self.upload("chlom_putBlob", &path, length, &mut body, UPLOAD)
    }

    /// How a blob stands.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn blob_status(&self, id: B256) -> Result<BlobStatus, ClientError> {
        self.ask("chlom_blobStatus", json!([id]))
    }

    /// A blob's payload.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn get_blob(&self, id: B256) -> Result<Body, ClientError> {
        self.ask("chlom_getBlob", json!([id]))
    }

    /// Cells by row and column, [`CELLS_AT_ONCE`] at most; `None` where the node has none.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn get_cells(&self, id: B256, places: &[(u16, u16)]) -> Result<Vec<Option<CellAnswer>>, ClientError> {
        self.ask("chlom_getCells", json!([id, places]))
    }

    /// Has a `chlom dev` node lose cells; how many it had.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn drop_cells(&self, id: B256, places: &[(u16, u16)]) -> Result<u64, ClientError> {
        Ok(self.ask::<U64>("chlom_dropCells", json!([id, places]))?.to())
    }
}
