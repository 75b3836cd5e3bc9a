//! The senders: made from numbers, funded by one rich key, given tokens when tokens are to move.

use crate::rpc::{Rpc, from_hex, parse_quantity, to_hex};
use crate::tx::{Address, Call, Fees, Signed, Signer, created, keccak};
use anyhow::{Context, Result, ensure};
use secp256k1::SecretKey;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Gas of a plain transfer.
pub(crate) const TRANSFER_GAS: u64 = 21_000;
/// Gas allowed for a token transfer; it needs at most 52,000.
pub(crate) const TOKEN_GAS: u64 = 65_000;
/// The token that each sender gets: more than it can ever send.
const TOKENS: u128 = 1 << 64;
/// How long funding may take.
const FUNDING: Duration = Duration::from_secs(60);
const TOKEN_CODE: &str = include_str!("../token/Token.hex");

/// A key from its 32 bytes in hexadecimal.
pub(crate) fn signer(key: &str) -> Result<Signer> {
    let bytes: [u8; 32] = from_hex(key)?.try_into().ok().context("a key has 32 bytes")?;
    Ok(Signer::new(SecretKey::from_byte_array(bytes)?))
}

/// The first `count` senders: always the same ones.
pub(crate) fn senders(count: usize) -> Result<Vec<Signer>> {
    (0..count)
        .map(|index| {
            let secret = keccak(format!("chlom load sender {index}").as_bytes());
            Ok(Signer::new(SecretKey::from_byte_array(secret).context("a hash below the curve order")?))
        })
        .collect()
}

/// Chain id, and fees ten times the base fee of the moment: enough for a run of full blocks.
pub(crate) async fn fees(rpc: &mut Rpc) -> Result<Fees> {
    let chain_id = rpc.quantity("eth_chainId", json!([])).await?;
    let block = rpc.call("eth_getBlockByNumber", json!(["latest", false])).await?;
    let base = parse_quantity(&block["baseFeePerGas"])?.max(1_000_000_000);
    Ok(Fees { chain_id, tip: 1_000_000_000, max_fee: base * 10 + 1_000_000_000 })
}

/// The next nonce of an account.
pub(crate) async fn nonce(rpc: &mut Rpc, address: &Address) -> Result<u64> {
    rpc.quantity("eth_getTransactionCount", json!([to_hex(address), "latest"])).await
}

/// Sends transactions of one account one by one and waits until the last is included; its receipt.
pub(crate) async fn send_and_wait(rpc: &mut Rpc, signed: &[Signed]) -> Result<Value> {
    for tx in signed {
        let hash = rpc.call("eth_sendRawTransaction", json!([to_hex(&tx.raw)])).await?;
        ensure!(hash == to_hex(&tx.hash), "the node computed another hash: {hash}");
    }
    let last = to_hex(&signed.last().context("nothing to send")?.hash);
    let start = Instant::now();
    while start.elapsed() < FUNDING {
        let receipt = rpc.call("eth_getTransactionReceipt", json!([last])).await?;
        if !receipt.is_null() {
            ensure!(receipt["status"] == "0x1", "a preparing transaction failed: {receipt}");
            return Ok(receipt);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("{last} was not included within {FUNDING:?}")
}

/// Gives every sender `amount` wei.
pub(crate) async fn fund(
    rpc: &mut Rpc,
    rich: &Signer,
    senders: &[Signer],
    fees: Fees,
    amount: u128,
) -> Result<()> {
    let first = nonce(rpc, &rich.address).await?;
    let signed: Vec<Signed> = (first..)
        .zip(senders)
        .map(|(nonce, sender)| {
            let call =
                Call { nonce, gas: TRANSFER_GAS, to: Some(sender.address), value: amount, data: Vec::new() };
            call.sign(fees, rich)
        })
        .collect();
    send_and_wait(rpc, &signed).await?;
    Ok(())
}

/// Creates the token and gives every sender some; its address.
pub(crate) async fn deploy_token(
    rpc: &mut Rpc,
    rich: &Signer,
    senders: &[Signer],
    fees: Fees,
) -> Result<Address> {
    let first = nonce(rpc, &rich.address).await?;
    let token = created(&rich.address, first);
    let mut data = from_hex(TOKEN_CODE)?;
    data.extend_from_slice(&word(u128::MAX));
    let mut signed = vec![Call { nonce: first, gas: 2_000_000, to: None, value: 0, data }.sign(fees, rich)];
    for (nonce, sender) in (first + 1..).zip(senders) {
        let data = transfer_data(&sender.address, TOKENS);
        signed.push(Call { nonce, gas: TOKEN_GAS, to: Some(token), value: 0, data }.sign(fees, rich));
    }
    send_and_wait(rpc, &signed).await?;
    Ok(token)
}

/// A number as a 32-byte word.
pub(crate) fn word(number: u128) -> [u8; 32] {
    let mut word = [0; 32];
    word[16..].copy_from_slice(&number.to_be_bytes());
    word
}

fn call_data(signature: &str, words: &[[u8; 32]]) -> Vec<u8> {
    let mut data = keccak(signature.as_bytes())[..4].to_vec();
    words.iter().for_each(|word| data.extend_from_slice(word));
    data
}

fn address_word(address: &Address) -> [u8; 32] {
    let mut word = [0; 32];
    word[12..].copy_from_slice(address);
    word
}

/// `transfer(to, value)`.
pub(crate) fn transfer_data(to: &Address, value: u128) -> Vec<u8> {
    call_data("transfer(address,uint256)", &[address_word(to), word(value)])
}

/// `balanceOf(owner)`.
pub(crate) fn balance_data(owner: &Address) -> Vec<u8> {
    call_data("balanceOf(address)", &[address_word(owner)])
}

/// `announce(count)`: that many logs in one transaction.
pub(crate) fn announce_data(count: u64) -> Vec<u8> {
    call_data("announce(uint256)", &[word(u128::from(count))])
}
