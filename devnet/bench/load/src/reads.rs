//! One read method asked again and again on many connections.

use crate::accounts::{self, announce_data, balance_data};
use crate::asking;
use crate::http::Endpoint;
use crate::machine::{self, Machine};
use crate::rpc::{Rpc, parse_quantity, to_hex};
use crate::tx::{Address, Call};
use anyhow::{Result, ensure};
use serde::Serialize;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Accounts that the reads ask about in turn.
const READ_ACCOUNTS: usize = 200;
/// Logs of the block that `eth_getLogs` asks for.
const LOGS: u64 = 1_000;

/// The methods that can be measured.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Method {
    #[value(name = "eth_getBalance")]
    GetBalance,
    #[value(name = "eth_call")]
    Call,
    #[value(name = "eth_getLogs")]
    GetLogs,
}

/// What to read, and how.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Options {
    /// The method; `eth_call` asks an ERC-20 balance, `eth_getLogs` a block with 1,000 logs.
    #[arg(long)]
    method: Method,
    /// Where the node listens (loopback only).
    #[arg(long, default_value = "http://127.0.0.1:8545")]
    http: String,
    /// Private key of a rich account, which prepares what is read.
    #[arg(long, default_value = crate::DEV_KEY)]
    key: String,
    /// Process id of the node, to count its CPU time.
    #[arg(long)]
    pid: Option<u32>,
    /// Connections.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    connections: u64,
    /// Seconds of measuring, after half a second of warming up.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// Print JSON, not text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What the reads measured.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    method: String,
    connections: u64,
    seconds: f64,
    answers: u64,
    /// Answers that were errors; more than one in a hundred end the run.
    errors: u64,
    per_s: f64,
    p50_us: u32,
    p99_us: u32,
    answer_bytes: usize,
    node_cpu_us_per_answer: Option<f64>,
    generator_cpu_us_per_answer: f64,
    machine: Machine,
}

/// Prepares what is read and reads it.
pub(crate) async fn run(options: &Options) -> Result<Figures> {
    let endpoint = Endpoint::parse(&options.http)?;
    let mut rpc = Rpc::connect(&endpoint).await?;
    let (method, bodies) = prepare(&mut rpc, options).await?;
    let requests: Vec<Vec<u8>> =
        bodies.iter().map(|body| endpoint.request(body.to_string().as_bytes())).collect();

    let warm = asking::ask_all(&endpoint, &requests, options.connections, Duration::from_millis(500)).await?;
    ensure!(!warm.latencies.is_empty(), "no answer while warming up");
    let (node_cpu, own_cpu) = (machine::cpu_us(options.pid)?, machine::own_cpu_us()?);
    let start = Instant::now();
    let measured =
        asking::ask_all(&endpoint, &requests, options.connections, Duration::from_secs(options.seconds))
            .await?;
    let seconds = start.elapsed().as_secs_f64();
    let node_cpu = machine::cpu_us(options.pid)?.zip(node_cpu).map(|(after, before)| after - before);
    let own_cpu = machine::own_cpu_us()? - own_cpu;

    let mut latencies = measured.latencies;
    ensure!(
        measured.errors * 100 <= latencies.len() as u64,
        "{} errors, such as {}",
        measured.errors,
        measured.an_error
    );
    ensure!(!latencies.is_empty(), "no answer");
    latencies.sort_unstable();
    let answers = latencies.len() as f64;
    let quantile = |q: f64| latencies[((answers * q) as usize).min(latencies.len() - 1)];
    Ok(Figures {
        method: method.into(),
        connections: options.connections,
        seconds,
        answers: latencies.len() as u64,
        errors: measured.errors,
        per_s: answers / seconds,
        p50_us: quantile(0.5),
        p99_us: quantile(0.99),
        answer_bytes: measured.answer_bytes,
        node_cpu_us_per_answer: node_cpu.map(|us| us / answers),
        generator_cpu_us_per_answer: own_cpu / answers,
        machine: Machine::read()?,
    })
}

/// Funds accounts or creates logs, and gives the requests; each is sent once and its answer understood.
async fn prepare(rpc: &mut Rpc, options: &Options) -> Result<(&'static str, Vec<Value>)> {
    let rich = accounts::signer(&options.key)?;
    let fees = accounts::fees(rpc).await?;
    let senders = accounts::senders(READ_ACCOUNTS)?;
    let call =
        |method: &str, params: Value| json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let (method, params): (_, Vec<Value>) = match options.method {
        Method::GetBalance => {
            accounts::fund(rpc, &rich, &senders, fees, 1).await?;
            ("eth_getBalance", senders.iter().map(|who| json!([to_hex(&who.address), "latest"])).collect())
        }
        Method::Call => {
            let token = to_hex(&accounts::deploy_token(rpc, &rich, &senders, fees).await?);
            let ask = |who: &Address| json!([{"to": token, "data": to_hex(&balance_data(who))}, "latest"]);
            ("eth_call", senders.iter().map(|who| ask(&who.address)).collect())
        }
        Method::GetLogs => {
            let token = accounts::deploy_token(rpc, &rich, &[], fees).await?;
            let nonce = accounts::nonce(rpc, &rich.address).await?;
            let data = announce_data(LOGS);
            let announce = Call { nonce, gas: 5_000_000, to: Some(token), value: 0, data }.sign(fees, &rich);
            let receipt = accounts::send_and_wait(rpc, &[announce]).await?;
            let height = format!("{:#x}", parse_quantity(&receipt["blockNumber"])?);
            let filter = json!([{"fromBlock": height, "toBlock": height, "address": to_hex(&token)}]);
            ("eth_getLogs", vec![filter])
        }
    };
    let first = rpc.call(method, params[0].clone()).await?;
    match options.method {
        Method::GetBalance => ensure!(parse_quantity(&first)? > 0, "the account has a balance"),
        Method::Call => ensure!(first.as_str().is_some_and(|word| word.len() == 66), "a balance is one word"),
        Method::GetLogs => {
            let logs = first.as_array().map_or(0, Vec::len) as u64;
            ensure!(logs == LOGS, "the block has {logs} logs, not {LOGS}");
        }
    }
    Ok((method, params.into_iter().map(|params| call(method, params)).collect()))
}
