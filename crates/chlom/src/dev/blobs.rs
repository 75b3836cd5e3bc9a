//! A dev chain's blobs: where they are kept, how they follow the chain, how the validator learns what it can attest.

use std::sync::Arc;

use alloy_primitives::B256;
use alloy_sol_types::SolEvent;
use anyhow::{Context, Result};
use chlom_abci::{Holdings, chain::Produced};
use chlom_blobs::{
    BlobService, ServiceConfig, ServiceError,
    archive::{ArchivePlace, Sharding},
};
use chlom_chain::blobs::IDataAvailability::BlobPublished;
use chlom_primitives::{Params, Receipt, address::DATA_AVAILABILITY};
use chlom_store::{StateView, Store};
use tempfile::TempDir;

use super::args::DevArgs;

/// Inside the data directory.
const FOLDER: &str = "blobs";

/// The service, and for a chain in memory the folder that goes with it.
pub(super) struct DevBlobs {
    pub(super) service: Arc<BlobService>,
    folder: Option<TempDir>,
}

impl DevBlobs {
    /// Opens the folder of blobs and takes over what the state says of them.
    ///
    /// # Errors
    /// A folder that cannot be used.
    pub(super) fn open(args: &DevArgs, params: &Params, store: &Store) -> Result<Self> {
        let (directory, folder) = match &args.data_dir {
            Some(directory) => (directory.join(FOLDER), None),
            None => {
                let folder = tempfile::Builder::new().prefix("chlom-dev-blobs-").tempdir();
                let folder = folder.context("making a folder for blobs; give a place with --data-dir")?;
                (folder.path().to_path_buf(), Some(folder))
            }
        };
        let open = |place: &ArchivePlace| {
            place.open(Sharding::default()).with_context(|| format!("opening the archive {place}"))
        };
        let config = ServiceConfig {
            archive: args.archive.as_ref().map(open).transpose()?,
            max_rows: usize::try_from(params.da.max_rows)?,
            quota_bytes: args.blob_quota.saturating_mul(1024 * 1024),
            ..ServiceConfig::new(directory)
        };
        let service = Arc::new(BlobService::open(config)?);
        if let Some(place) = &args.archive {
            check_archive(&service, place)?;
        }
        let head = store.head().context("the store has no head after genesis")?;
        service.follow(&head.state, head.block.header.timestamp)?;
        Ok(Self { service, folder })
    }

    /// Ends the work; what a chain in memory kept is gone then.
    pub(super) fn close(self) {
        self.service.stop();
        if let Some(Err(error)) = self.folder.map(TempDir::close) {
            tracing::warn!(%error, "the folder of blobs could not be removed");
        }
    }
}

/// A bucket that refuses is a wrong configuration, and the operator is there to mend it now. One that does not answer may come
/// back: blobs wait for it, and blocks never do.
fn check_archive(service: &BlobService, place: &ArchivePlace) -> Result<()> {
    match service.check_archive() {
        Err(ServiceError::Archive(error)) if error.is_refusal() => {
            Err(error).with_context(|| format!("the archive {place} cannot be used"))
        }
        Err(error) => {
            tracing::warn!(archive = %place, %error, "the archive does not answer; blobs wait for it");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// Follows blocks as they become durable.
pub(super) struct Follower {
    service: Arc<BlobService>,
    store: Store,
    height: u64,
}

impl Follower {
    pub(super) fn new(service: Arc<BlobService>, store: Store) -> Self {
        let height = store.head().map_or(0, |head| head.block.height());
        Self { service, store, height }
    }

    /// Takes over what the block published. Where the chain went back (`evm_revert`), everything is compared anew.
    pub(super) fn on_block(&mut self, made: &Produced) {
        let (height, time) = (made.block.height(), made.block.header.timestamp);
        if height <= self.height
            && let Some(head) = self.store.head()
            && let Err(error) = self.service.follow(&head.state, time)
        {
            tracing::warn!(%error, "what the state says of blobs could not be read");
        }
        self.height = height;
        self.service.on_block(time, &published(&made.receipts));
    }
}

/// Blobs that receipts' logs say were published, and until when each was paid for.
fn published(receipts: &[Receipt]) -> Vec<(B256, u64)> {
    let logs = receipts.iter().flat_map(|receipt| &receipt.logs);
    let ours = logs.filter(|log| log.address == DATA_AVAILABILITY);
    ours.filter_map(|log| BlobPublished::decode_log_data(&log.data).ok())
        .map(|event| (event.id, event.expiresAt))
        .collect()
}

/// What the validator of a dev chain attests.
pub(super) struct Held(pub(super) Arc<BlobService>);

impl Holdings for Held {
    fn attestable(&mut self, state: &StateView) -> Vec<B256> {
        self.0.attestable(state).unwrap_or_else(|error| {
            // Statements are repeated until the state shows them.
            tracing::warn!(%error, "blobs cannot be attested now");
            Vec::new()
        })
    }
}
