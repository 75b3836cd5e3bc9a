//! The command line of `chlom dev`.

use std::{net::IpAddr, path::PathBuf, str::FromStr, time::Duration};

use chlom_blobs::archive::ArchivePlace;
use chlom_store::History;
use clap::Args;

/// Arguments of `chlom dev`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  chlom dev                                 a fresh chain in memory on http://127.0.0.1:8545
  chlom dev --automine --block-time 5s      a block as soon as a transaction arrives, and every 5 s
  chlom dev --data-dir ./chain              a chain that goes on where it stopped
  chlom dev --genesis genesis.json --json   your allocation; one line of JSON when ready
  forge create src/Counter.sol:Counter --rpc-url http://127.0.0.1:8545 --broadcast --private-key 0x…

The accounts come from the mnemonic \"test test test test test test test test test test test junk\", which Foundry and
Hardhat use: their keys are public. Never send anything of value to them on another chain.")]
pub(crate) struct DevArgs {
    /// Port of JSON-RPC over HTTP and WebSocket; 0 picks a free one.
    #[arg(long, default_value_t = 8545)]
    pub(crate) port: u16,
    /// Address to listen on. Anything but a loopback address lets others use the accounts' keys.
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) host: IpAddr,
    /// Time between blocks, as 1.2s or 500ms. Blocks are made empty or not [default: the genesis parameter, 1.2s].
    #[arg(long, value_parser = parse_duration, value_name = "TIME")]
    pub(crate) block_time: Option<Duration>,
    /// Gas that one block may use [default: the genesis parameter, 200000000].
    #[arg(long, value_name = "N")]
    pub(crate) gas_limit: Option<u64>,
    /// How long the proposer executes transactions for one block; those that do not fit wait for the next one
    /// [default: the genesis parameter, 400ms].
    #[arg(long, value_parser = parse_duration, value_name = "TIME")]
    pub(crate) build_budget: Option<Duration>,
    /// Also make a block at once when a transaction arrives.
    #[arg(long)]
    pub(crate) automine: bool,
    /// Keep the chain in this directory; without it the chain lives in memory and ends with the process.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Ethereum genesis JSON with `alloc`; CHLOM's parameters under `config.chlom`.
    #[arg(long, value_name = "FILE")]
    pub(crate) genesis: Option<PathBuf>,
    /// How many accounts of the mnemonic get 10,000 CHM each.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=10_000), value_name = "N")]
    pub(crate) accounts: u32,
    /// Print one line of JSON when ready: {"chainId","http","ws","accounts":[{"address","privateKey"}]}.
    #[arg(long)]
    pub(crate) json: bool,
    /// Heights whose balances, storage, code and calls can be asked for: a number or `all`
    /// [default: the genesis parameter, 10000].
    #[arg(long, value_parser = parse_history, value_name = "all|N")]
    pub(crate) history: Option<History>,
    /// Heights that eth_getProof answers for [default: the genesis parameter, 256].
    #[arg(long, value_name = "N")]
    pub(crate) proof_history: Option<u64>,
    /// Least fee cap per gas of a transaction that the pool takes, wei. Below the chain's least base fee no block can include
    /// it [default: the genesis parameter min_base_fee_wei, 10000000].
    #[arg(long, value_name = "WEI")]
    pub(crate) min_fee_cap: Option<u128>,
    /// Memory for caches of state, MiB.
    #[arg(long, default_value_t = 256, value_name = "MIB")]
    pub(crate) cache: usize,
    /// Memory that large requests and answers of all JSON-RPC connections may take together, MiB.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(8..=1_048_576), value_name = "MIB")]
    pub(crate) rpc_memory: u32,
    /// Keep the data of available blobs beyond their expiry too, in 6 shards of which any 4 suffice: in a folder, or in a bucket
    /// that speaks S3. Its service and key come from the environment: AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and
    /// AWS_SECRET_ACCESS_KEY, or a file of mode 0600 with the last two that CHLOM_ARCHIVE_CREDENTIALS names.
    #[arg(long, value_name = "DIR|s3://BUCKET/PREFIX")]
    pub(crate) archive: Option<ArchivePlace>,
    /// Disk space for blobs' cells, MiB.
    #[arg(long, default_value_t = 16_384, value_name = "MIB")]
    pub(crate) blob_quota: u64,
    /// Origins that browsers may call from, or `*`.
    #[arg(long, default_value = "*", value_name = "ORIGIN", value_delimiter = ',')]
    pub(crate) cors: Vec<String>,
}

fn parse_history(text: &str) -> Result<History, String> {
    if text == "all" {
        return Ok(History::All);
    }
    u64::from_str(text).map(History::Heights).map_err(|_| format!("{text:?} is neither a number nor `all`"))
}

/// Least and most time between blocks.
const BLOCK_TIME_MS: std::ops::RangeInclusive<u64> = 10..=3_600_000;

/// `1.2s`, `500ms`, `1m`, or a plain number of seconds.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let scale: u64 = match unit {
        "ms" => 1,
        "s" | "" => 1_000,
        "m" => 60_000,
        other => return Err(format!("unknown unit {other:?}; use ms, s or m")),
    };
    let millis = decimal_times(number, scale).ok_or_else(|| format!("{number:?} is not a number"))?;
    if !BLOCK_TIME_MS.contains(&millis) {
        return Err("must be between 10ms and 60m".into());
    }
    Ok(Duration::from_millis(millis))
}

/// A decimal of at most three places times `scale`, rounded down.
fn decimal_times(number: &str, scale: u64) -> Option<u64> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if part.len() > 3 || !part.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let part: u64 = format!("{part:0<3}").parse().ok()?;
    whole.checked_mul(1_000)?.checked_add(part)?.checked_mul(scale).map(|scaled| scaled / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_times_are_read_with_their_units() {
        assert_eq!(parse_duration("1.2s"), Ok(Duration::from_millis(1_200)));
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_duration("2"), Ok(Duration::from_secs(2)));
        assert_eq!(parse_duration("1m"), Ok(Duration::from_secs(60)));
    }

    #[test]
    fn nonsense_block_times_are_refused() {
        for text in ["", "s", "-1s", "1h", "1.2345s", "0s", "1ms", "99999999999999999999s", "1.x s"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn history_is_a_number_or_all() {
        assert!(matches!(parse_history("all"), Ok(History::All)));
        assert!(matches!(parse_history("128"), Ok(History::Heights(128))));
        assert!(parse_history("some").is_err());
    }
}
