//! Many pre-signed transactions at once: send, wait until all are included, check every receipt.

use crate::accounts::{self, TOKEN_GAS, TRANSFER_GAS};
use crate::batches::{self, Lane};
use crate::http::Endpoint;
use crate::machine::{self, Machine};
use crate::receipts;
use crate::rpc::{Rpc, to_hex};
use crate::tx::Signed;
use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// What to send, and how.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Options {
    /// Where the node listens (loopback only).
    #[arg(long, default_value = "http://127.0.0.1:8545")]
    http: String,
    /// Private key of a rich account, which funds the senders.
    #[arg(long, default_value = crate::DEV_KEY)]
    key: String,
    /// Process id of the node, to count its CPU time.
    #[arg(long)]
    pid: Option<u32>,
    /// Senders.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=5_000))]
    accounts: u64,
    /// Transactions.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    count: u64,
    /// Transactions per JSON-RPC batch.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    batch: u64,
    /// Connections; each carries its own senders, in nonce order.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=64))]
    connections: u64,
    /// Seconds until the run is given up.
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
    /// Print JSON, not text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a flood measured.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    kind: &'static str,
    count: u64,
    accounts: u64,
    batch: u64,
    connections: u64,
    gas_limit: u64,
    /// First send to the moment the last inclusion was seen.
    seconds: f64,
    included_per_s: f64,
    /// First send to the last answer.
    sending_s: f64,
    node_cpu_us_per_tx: Option<f64>,
    generator_cpu_us_per_tx: f64,
    receipts_checked: u64,
    txs_per_block: Vec<u64>,
    machine: Machine,
}

/// Runs the flood; `tokens` moves ERC-20 tokens, not coins.
pub(crate) async fn run(options: &Options, tokens: bool) -> Result<Figures> {
    let endpoint = Endpoint::parse(&options.http)?;
    let mut rpc = Rpc::connect(&endpoint).await?;
    let rich = accounts::signer(&options.key)?;
    let senders = accounts::senders(options.accounts as usize)?;
    let fees = accounts::fees(&mut rpc).await?;
    let each = options.count.div_ceil(options.accounts);
    let gas = if tokens { TOKEN_GAS } else { TRANSFER_GAS };
    let amount = u128::from(each) * (u128::from(gas) * u128::from(fees.max_fee) + 1);
    accounts::fund(&mut rpc, &rich, &senders, fees, amount).await?;
    let token = match tokens {
        true => Some(accounts::deploy_token(&mut rpc, &rich, &senders, fees).await?),
        false => None,
    };
    let signed = batches::sign(&mut rpc, &senders, fees, token, options.count).await?;
    let connections = options.connections.min(options.accounts) as usize;
    let lanes = batches::lanes(&endpoint, &signed, senders.len(), connections, options.batch as usize);

    let first = rpc.quantity("eth_blockNumber", json!([])).await?;
    let (node_cpu, own_cpu) = (machine::cpu_us(options.pid)?, machine::own_cpu_us()?);
    let start = Instant::now();
    let polling = receipts::wait(&mut rpc, first, options.count, Duration::from_secs(options.timeout));
    let (sent, waited) = tokio::join!(send(&endpoint, &lanes), polling);
    let (answers, sending) = sent?;
    check_answers(&answers, &signed)?;
    let blocks = waited?;
    let seconds = blocks.done.duration_since(start).as_secs_f64();
    let node_cpu = machine::cpu_us(options.pid)?.zip(node_cpu).map(|(after, before)| after - before);
    let own_cpu = machine::own_cpu_us()? - own_cpu;

    let block = rpc.call("eth_getBlockByNumber", json!(["latest", false])).await?;
    let receipts_checked = receipts::check(&mut rpc, &blocks, &signed, token).await?;
    let per = options.count as f64;
    Ok(Figures {
        kind: if tokens { "erc20" } else { "transfers" },
        count: options.count,
        accounts: options.accounts,
        batch: options.batch,
        connections: options.connections,
        gas_limit: crate::rpc::parse_quantity(&block["gasLimit"])?,
        seconds,
        included_per_s: per / seconds,
        sending_s: sending.as_secs_f64(),
        node_cpu_us_per_tx: node_cpu.map(|us| us / per),
        generator_cpu_us_per_tx: own_cpu / per,
        receipts_checked,
        txs_per_block: blocks.counts,
        machine: Machine::read()?,
    })
}

/// Sends every lane on its own connection; the answers, unread, and the time until the last came.
async fn send(endpoint: &Endpoint, lanes: &[Lane]) -> Result<(Vec<Vec<u8>>, Duration)> {
    let start = Instant::now();
    let mut running = Vec::new();
    for lane in lanes {
        let (endpoint, lane) = (endpoint.clone(), lane.clone());
        running.push(tokio::spawn(async move {
            let mut connection = endpoint.connect().await?;
            let mut answers = Vec::with_capacity(lane.len());
            for request in &lane {
                answers.push(connection.send(request).await?.to_vec());
            }
            anyhow::Ok(answers)
        }));
    }
    let mut answers = Vec::new();
    for lane in running {
        answers.extend(lane.await??);
    }
    Ok((answers, start.elapsed()))
}

/// Every transaction must have been accepted under the hash that we computed.
fn check_answers(answers: &[Vec<u8>], signed: &[Signed]) -> Result<()> {
    let mut accepted = 0;
    for answer in answers {
        let answer: Vec<Value> = serde_json::from_slice(answer).context("a batch is answered by an array")?;
        for one in answer {
            let id = one["id"].as_u64().context("an answer carries its id")? as usize;
            let expected = to_hex(&signed.get(id).context("an id that was sent")?.hash);
            ensure!(one["result"] == expected, "transaction {id} was refused: {one}");
            accepted += 1;
        }
    }
    ensure!(accepted == signed.len(), "{accepted} of {} transactions were answered", signed.len());
    Ok(())
}
