//! What a caller asks to have executed: the transaction object of eth_call and its kin, with every member optional.

use alloy_eips::{eip2930::AccessList, eip7702::SignedAuthorization};
use alloy_primitives::{Address, B256, Bytes, U256};
use serde::Deserialize;

use crate::error::RpcError;

/// A transaction object. Members that no method here needs (blobs' sidecars) are not looked at, as geth does with
/// members that it does not know.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CallRequest {
    /// Sender; the zero address where absent.
    pub(crate) from: Option<Address>,
    /// Receiver; a contract is created where absent.
    pub(crate) to: Option<Address>,
    /// Gas limit.
    #[serde(with = "alloy_serde::quantity::opt")]
    pub(crate) gas: Option<u64>,
    /// Price of a legacy or EIP-2930 transaction, wei.
    #[serde(with = "alloy_serde::quantity::opt")]
    pub(crate) gas_price: Option<u128>,
    /// EIP-1559's fee cap, wei.
    #[serde(with = "alloy_serde::quantity::opt")]
    pub(crate) max_fee_per_gas: Option<u128>,
    /// EIP-1559's tip, wei.
    #[serde(with = "alloy_serde::quantity::opt")]
    pub(crate) max_priority_fee_per_gas: Option<u128>,
    /// Wei to transfer.
    pub(crate) value: Option<U256>,
    /// The sender's nonce.
    #[serde(with = "alloy_serde::quantity::opt")]
    pub(crate) nonce: Option<u64>,
    /// Input under its older name.
    pub(crate) data: Option<Bytes>,
    /// Input.
    pub(crate) input: Option<Bytes>,
    /// EIP-2930 access list.
    pub(crate) access_list: Option<AccessList>,
    /// Chain id; must be ours where given.
    pub(crate) chain_id: Option<U256>,
    /// EIP-7702 authorizations.
    pub(crate) authorization_list: Option<Vec<SignedAuthorization>>,
    /// EIP-4844 blobs, which this chain does not carry.
    pub(crate) blob_versioned_hashes: Option<Vec<B256>>,
    /// Refused for the same reason.
    pub(crate) max_fee_per_blob_gas: Option<U256>,
}

impl CallRequest {
    /// The sender.
    pub(crate) fn sender(&self) -> Address {
        self.from.unwrap_or_default()
    }

    /// Input; `input` wins over `data`.
    pub(crate) fn calldata(&self) -> Bytes {
        self.input.clone().or_else(|| self.data.clone()).unwrap_or_default()
    }

    /// Refuses what contradicts itself or this chain.
    ///
    /// # Errors
    /// [`crate::error::SERVER_ERROR`], with geth's messages.
    pub(crate) fn check(&self, chain_id: u64) -> Result<(), RpcError> {
        if self.gas_price.is_some()
            && (self.max_fee_per_gas.is_some() || self.max_priority_fee_per_gas.is_some())
        {
            return Err(RpcError::server(
                "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified",
            ));
        }
        if let Some(given) = self.chain_id
            && given != U256::from(chain_id)
        {
            return Err(RpcError::server(format!(
                "chainId does not match node's (have={given}, want={chain_id})"
            )));
        }
        if self.blob_versioned_hashes.is_some() || self.max_fee_per_blob_gas.is_some() {
            return Err(RpcError::server(
                "transaction type not supported: this chain carries no blob transactions",
            ));
        }
        Ok(())
    }
}
