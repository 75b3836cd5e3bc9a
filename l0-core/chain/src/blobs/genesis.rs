//! The storage to begin with.

use std::collections::BTreeMap;

use alloy_primitives::U256;
use chlom_module::MapStorage;
use chlom_primitives::params::DaParams;
use chlom_state::StateError;

use super::state_key::{PRICE, Price, TERMS, Terms};

/// What genesis fixes about blobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobsGenesis {
    /// Checked parameters.
    pub params: DaParams,
}

impl BlobsGenesis {
    /// The module's storage at height 0.
    ///
    /// # Errors
    /// Never: a map answers every read. The type is that of storage in general.
    pub fn allocate(&self) -> Result<BTreeMap<U256, U256>, StateError> {
        let mut storage = MapStorage::default();
        let params = &self.params;
        let terms = Terms {
            retention_seconds: params.retention_seconds,
            target_rows: params.target_rows_per_block,
            max_rows_per_block: params.max_rows_per_block,
            max_rows: params.max_rows,
        };
        TERMS.set(&mut storage, &terms)?;
        let price = Price {
            min_fee_per_row: u128::from(params.min_fee_per_row_wei),
            update_fraction: params.fee_update_rows,
        };
        PRICE.set(&mut storage, &price)?;
        Ok(storage.0)
    }
}
