//! Calls and transactions.

use std::time::{Duration, Instant};

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, TxKind, U64, U256, keccak256};
use alloy_sol_types::SolCall;
use serde::Deserialize;
use serde_json::json;

use crate::{ClientError, Rpc, Signer};

/// Osaka's limit for one transaction (EIP-7825).
const MOST_GAS: u64 = 1 << 24;
/// How long a transaction is waited for.
const DEADLINE: Duration = Duration::from_secs(60);
/// Transactions sent before the next are estimated: a node holds so many of one account.
const AT_ONCE: usize = 32;
/// Between two looks for a receipt.
const PAUSE: Duration = Duration::from_millis(100);
const METHOD_NOT_FOUND: i64 = -32601;
/// EIP-7966: the transaction was taken, its receipt did not come in time.
const SYNC_TIMEOUT: i64 = 4;

/// A chain behind a node.
#[derive(Debug)]
pub struct Chain {
    rpc: Rpc,
    id: u64,
}

/// One transaction to send.
#[derive(Clone, Debug)]
pub struct Request {
    /// What it does, for errors: `mint AST-120`.
    pub what: String,
    /// The contract that is called, or a new one.
    pub to: TxKind,
    /// The call; of a new contract its creation code.
    pub data: Bytes,
    /// Wei.
    pub value: U256,
}

impl Request {
    /// A call of a contract's function, without value.
    pub fn call<C: SolCall>(what: impl Into<String>, to: Address, call: &C) -> Self {
        Self { what: what.into(), to: TxKind::Call(to), data: call.abi_encode().into(), value: U256::ZERO }
    }

    /// A new contract. `code`: creation code with the constructor's arguments behind it.
    pub fn create(what: impl Into<String>, code: Bytes) -> Self {
        Self { what: what.into(), to: TxKind::Create, data: code, value: U256::ZERO }
    }
}

/// A transaction that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The transaction.
    pub hash: B256,
    /// Its block.
    pub height: u64,
    /// What it used.
    pub gas_used: u64,
    /// The contract that it made, if it made one.
    pub created: Option<Address>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RpcReceipt {
    transaction_hash: B256,
    block_number: U64,
    gas_used: U64,
    status: U64,
    contract_address: Option<Address>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    base_fee_per_gas: U64,
    timestamp: U64,
}

/// What a transaction may cost, wei for each gas.
#[derive(Clone, Copy)]
struct Fees {
    most: u128,
    tip: u128,
}

impl Chain {
    /// The chain of the node at `url`.
    ///
    /// # Errors
    /// When no node answers there.
    pub fn connect(url: &str) -> Result<Self, ClientError> {
        let rpc = Rpc::new(url)?;
        let id: U64 = rpc.ask("eth_chainId", json!([]))?;
        Ok(Self { rpc, id: id.to() })
    }

    /// EIP-155 chain id.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The node.
    pub fn rpc(&self) -> &Rpc {
        &self.rpc
    }

    /// The head's time, seconds.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn time(&self) -> Result<u64, ClientError> {
        Ok(self.head()?.timestamp.to())
    }

    /// The head's height.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn height(&self) -> Result<u64, ClientError> {
        Ok(self.rpc.ask::<U64>("eth_blockNumber", json!([]))?.to())
    }

    /// The first block's hash: with it two chains of one id are told apart.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn genesis(&self) -> Result<B256, ClientError> {
        #[derive(Deserialize)]
        struct First {
            hash: B256,
        }
        Ok(self.rpc.ask::<First>("eth_getBlockByNumber", json!(["0x0", false]))?.hash)
    }

    /// Calls a view of a contract, at the head.
    ///
    /// # Errors
    /// [`ClientError`]; what a contract refuses is [`ClientError::Revert`].
    pub fn view<C: SolCall>(&self, to: Address, call: &C) -> Result<C::Return, ClientError> {
        let data = Bytes::from(call.abi_encode());
        let answer: Bytes = self
            .rpc
            .ask("eth_call", json!([{ "to": to, "input": data }, "latest"]))
            .map_err(|error| named(error, C::SIGNATURE))?;
        returned::<C>(to, &answer)
    }

    /// Calls a view of a contract with many arguments, in few requests; answers come in the order of the calls.
    ///
    /// # Errors
    /// As [`Chain::view`]; the first refusal stands for all.
    pub fn view_all<C: SolCall>(&self, to: Address, calls: &[C]) -> Result<Vec<C::Return>, ClientError> {
        let ask = |call: &C| json!([{ "to": to, "input": Bytes::from(call.abi_encode()) }, "latest"]);
        let params = calls.iter().map(ask).collect();
        let answers: Vec<Bytes> =
            self.rpc.ask_all("eth_call", params).map_err(|error| named(error, C::SIGNATURE))?;
        answers.iter().map(|answer| returned::<C>(to, answer)).collect()
    }

    /// As [`Chain::view_all`], of the state after the block at `height`, where each call may be refused by itself.
    ///
    /// # Errors
    /// When the node does not answer, or refuses all.
    pub fn view_each_at<C: SolCall>(
        &self,
        height: u64,
        to: Address,
        calls: &[C],
    ) -> Result<Vec<Result<C::Return, ClientError>>, ClientError> {
        let at = U64::from(height);
        let ask = |call: &C| json!([{ "to": to, "input": Bytes::from(call.abi_encode()) }, at]);
        let answers = self.rpc.ask_each::<Bytes>("eth_call", calls.iter().map(ask).collect())?;
        let read = |answer: Result<Bytes, ClientError>| match answer {
            Ok(answer) => returned::<C>(to, &answer),
            Err(error) => Err(named(error, C::SIGNATURE)),
        };
        Ok(answers.into_iter().map(read).collect())
    }

    /// Sends one transaction and waits for it.
    ///
    /// # Errors
    /// When it was refused or failed.
    pub fn send_one(&self, signer: &Signer, request: &Request) -> Result<Receipt, ClientError> {
        let receipts = self.send_some(signer, std::slice::from_ref(request))?;
        receipts.first().copied().ok_or_else(|| ClientError::Answer {
            method: "eth_getTransactionReceipt",
            why: format!("{}: no receipt", request.what),
        })
    }

    /// Sends transactions one after the other, without waiting between them, then waits for all; of many, 32 at a time.
    /// They are estimated on top of those before, so that one which must fail is not sent; then those sent already are waited
    /// for.
    ///
    /// # Errors
    /// The first that was refused or failed.
    pub fn send_all(&self, signer: &Signer, requests: &[Request]) -> Result<Vec<Receipt>, ClientError> {
        let mut receipts = Vec::with_capacity(requests.len());
        for some in requests.chunks(AT_ONCE) {
            receipts.extend(self.send_some(signer, some)?);
        }
        Ok(receipts)
    }

    fn send_some(&self, signer: &Signer, requests: &[Request]) -> Result<Vec<Receipt>, ClientError> {
        let fees = self.fees()?;
        let count: U64 = self.rpc.ask("eth_getTransactionCount", json!([signer.address(), "pending"]))?;
        let mut sent = Vec::with_capacity(requests.len());
        let mut refused = None;
        for (index, request) in requests.iter().enumerate() {
            let nonce = count.to::<u64>().saturating_add(index as u64);
            let last = index.saturating_add(1) == requests.len();
            match self.send(signer, request, nonce, fees, last) {
                Ok(hash) => sent.push((hash, request)),
                Err(error) => {
                    refused = Some(error);
                    break;
                }
            }
        }
        let deadline = Instant::now() + DEADLINE;
        let receipts: Result<Vec<_>, _> =
            sent.iter().map(|(hash, request)| self.wait(*hash, request, deadline)).collect();
        let receipts = receipts?;
        refused.map_or(Ok(receipts), Err)
    }

    fn send(
        &self,
        signer: &Signer,
        request: &Request,
        nonce: u64,
        fees: Fees,
        last: bool,
    ) -> Result<B256, ClientError> {
        let from = signer.address();
        let named = |error| named(error, &request.what);
        let call = json!({ "from": from, "to": request.to, "input": request.data, "value": request.value });
        let estimate: U64 = self.rpc.ask("eth_estimateGas", json!([call, "pending"])).map_err(named)?;
        // A quarter more: state may have moved when the block is made.
        let gas = estimate.to::<u64>().saturating_mul(5).saturating_div(4).min(MOST_GAS);
        match signer {
            Signer::Unlocked(_) => {
                let tx = json!({
                    "from": from, "to": request.to, "input": request.data, "value": request.value,
                    "gas": U64::from(gas), "nonce": U64::from(nonce),
                });
                self.rpc.ask("eth_sendTransaction", json!([tx])).map_err(named)
            }
            Signer::Key(key) => {
                let tx = TxEip1559 {
                    chain_id: self.id,
                    nonce,
                    gas_limit: gas,
                    max_fee_per_gas: fees.most,
                    max_priority_fee_per_gas: fees.tip,
                    to: request.to,
                    value: request.value,
                    access_list: Default::default(),
                    input: request.data.clone(),
                };
                let signature = key.sign_hash(tx.signature_hash());
                let raw: Bytes = TxEnvelope::from(tx.into_signed(signature)).encoded_2718().into();
                let sent = if last { self.send_and_wait(&raw) } else { self.send_raw(&raw) };
                sent.map_err(named)
            }
        }
    }

    fn send_raw(&self, raw: &Bytes) -> Result<B256, ClientError> {
        self.rpc.ask("eth_sendRawTransaction", json!([raw]))
    }

    /// The node waits for the block where it can (EIP-7966): sooner than asking again and again.
    fn send_and_wait(&self, raw: &Bytes) -> Result<B256, ClientError> {
        match self.rpc.ask::<RpcReceipt>("eth_sendRawTransactionSync", json!([raw])) {
            Ok(receipt) => Ok(receipt.transaction_hash),
            Err(ClientError::Refused { code: SYNC_TIMEOUT, .. }) => Ok(keccak256(raw)),
            Err(ClientError::Refused { code: METHOD_NOT_FOUND, .. }) => self.send_raw(raw),
            Err(other) => Err(other),
        }
    }

    fn wait(&self, hash: B256, request: &Request, deadline: Instant) -> Result<Receipt, ClientError> {
        loop {
            let found: Option<RpcReceipt> = self.rpc.ask("eth_getTransactionReceipt", json!([hash]))?;
            match found {
                Some(receipt) => return succeeded(receipt, request),
                None if Instant::now() >= deadline => {
                    return Err(ClientError::Late { hash, seconds: DEADLINE.as_secs() });
                }
                None => std::thread::sleep(PAUSE),
            }
        }
    }

    /// Twice the base fee: six full blocks may come first.
    fn fees(&self) -> Result<Fees, ClientError> {
        let base: u128 = self.head()?.base_fee_per_gas.to();
        let tip: U64 = self.rpc.ask("eth_maxPriorityFeePerGas", json!([]))?;
        let tip = tip.to::<u128>();
        Ok(Fees { most: base.saturating_mul(2).saturating_add(tip), tip })
    }

    fn head(&self) -> Result<Head, ClientError> {
        self.rpc.ask("eth_getBlockByNumber", json!(["latest", false]))
    }
}

fn succeeded(receipt: RpcReceipt, request: &Request) -> Result<Receipt, ClientError> {
    let (hash, height) = (receipt.transaction_hash, receipt.block_number.to());
    if receipt.status.is_zero() {
        return Err(ClientError::Failed { what: request.what.clone(), hash, height });
    }
    Ok(Receipt { hash, height, gas_used: receipt.gas_used.to(), created: receipt.contract_address })
}

fn returned<C: SolCall>(to: Address, answer: &Bytes) -> Result<C::Return, ClientError> {
    C::abi_decode_returns(answer).map_err(|error| ClientError::Answer {
        method: "eth_call",
        why: format!("{} at {to}: {error}; is there such a contract on this chain?", C::SIGNATURE),
    })
}

/// A revert says what was called, not by which method.
fn named(error: ClientError, what: &str) -> ClientError {
    match error {
        ClientError::Revert { revert, .. } => ClientError::Revert { what: what.into(), revert },
        other => other,
    }
}
