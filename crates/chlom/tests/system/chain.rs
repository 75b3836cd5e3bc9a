//! A chain with licences and people: who governs, who pays, who submits, who watches, and who lends collateral.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    process::{Child, Stdio},
};

use alloy_primitives::{Address, U256};
use chlom_client::Chain;
use serde_json::{Value, json};

use crate::process::{answer, chlom, done};

/// 1 CHM in wei.
pub(crate) const CHM: u128 = 1_000_000_000_000_000_000;
/// What each payer puts into its pot, CHM.
pub(crate) const POT: u128 = 4_000;
/// Accounts of the node. Drills take theirs from the first: 10,000 CHM a batch.
const ACCOUNTS: usize = 64;
pub(crate) const GOVERNOR: usize = 0;
pub(crate) const OPERATORS: [usize; 2] = [50, 51];
pub(crate) const PAYERS: [usize; 2] = [52, 53];
pub(crate) const WATCHERS: [usize; 2] = [54, 55];
/// Four for each operator: three batches may be open.
const LENDERS: usize = 56;

/// `chlom dev` as a process, and its people.
pub(crate) struct World {
    node: Child,
    pub(crate) url: String,
    pub(crate) chain: Chain,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) accounts: Vec<Address>,
    keys: Vec<String>,
    /// The last period that was over when it began.
    pub(crate) period: u32,
}

impl Drop for World {
    fn drop(&mut self) {
        let _gone = self.node.kill();
        let _reaped = self.node.wait();
    }
}

impl World {
    /// A chain with a policy and six licences, submitters with collateral, payers with money.
    pub(crate) fn new(lanes: [&str; 2]) -> Self {
        let accounts = ACCOUNTS.to_string();
        let args =
            ["dev", "--automine", "--block-time", "300ms", "--port", "0", "--json", "--accounts", &accounts];
        let mut node = chlom().args(args).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(node.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let of = |name: &str| -> Vec<String> {
            let all = ready["accounts"].as_array().unwrap().iter();
            all.map(|account| account[name].as_str().unwrap().to_owned()).collect()
        };
        let url = ready["http"].as_str().unwrap().to_owned();
        let mut world = Self {
            node,
            chain: Chain::connect(&url).unwrap(),
            url,
            folder: tempfile::tempdir().unwrap(),
            accounts: of("address").iter().map(|address| address.parse().unwrap()).collect(),
            keys: of("privateKey"),
            period: 0,
        };
        world.period =
            done(chlom().args(["lane", "period", "--last", "--rpc", &world.url])).trim().parse().unwrap();
        world.license();
        for (number, lane) in lanes.into_iter().enumerate() {
            world.people(number, lane);
        }
        world
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command that an account signs, through the node.
    pub(crate) fn send(&self, account: usize, arguments: &[&str]) -> String {
        let from = self.accounts[account].to_string();
        done(chlom().args(arguments).args(["--rpc", &self.url, "--from", &from]))
    }

    /// An account's key in a file that only its owner may read.
    pub(crate) fn key_file(&self, account: usize) -> PathBuf {
        let path = self.path(&format!("key-{account}"));
        let mut file =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
        file.write_all(self.keys[account].trim_start_matches("0x").as_bytes()).unwrap();
        path
    }

    fn license(&self) {
        let (pack, made) = (self.path("pack.json"), self.path("made"));
        std::fs::write(&pack, "{}").unwrap();
        let policy = self.send(GOVERNOR, &["policy", "activate", pack.to_str().unwrap()]);
        let period = self.period.to_string();
        let generate =
            ["lane", "generate", "--receipts", "1", "--licenses", "6", "--seed", "11", "--period", &period];
        done(chlom().args(generate).arg("--out").arg(&made));
        let file = self.licences();
        let import = ["license", "import", file.to_str().unwrap(), "--policy", policy.trim()];
        self.send(GOVERNOR, &import);
    }

    /// The licences' file.
    pub(crate) fn licences(&self) -> PathBuf {
        self.path("made").join("licenses.json")
    }

    fn people(&self, number: usize, lane: &str) {
        let (operator, payer) = (OPERATORS[number], PAYERS[number]);
        let address = self.accounts[operator].to_string();
        self.send(GOVERNOR, &["lane", "submitter", "register", &address, "--lane", lane]);
        for lender in 0..4 {
            let lend = ["lane", "collateral", "add", "--chm", "9900", "--account", &address];
            self.send(LENDERS + 4 * number + lender, &lend);
        }
        self.send(payer, &["lane", "pot", "deposit", "--lane", lane, "--amount", &POT.to_string()]);
    }

    /// A file of receipts for all licences, and what they sum up to in the token's unit, by licence.
    pub(crate) fn receipts(&self, name: &str, count: u32) -> (PathBuf, Vec<u128>) {
        let (year, month, week) = (self.period / 10_000, self.period / 100 % 100, self.period % 100);
        let mut text = "event,ts,campaign,license_id,value,currency,txid\n".to_owned();
        let mut revenue = vec![0; 6];
        for number in 0..count {
            let (minute, second, licence) = (number / 60 % 60, number % 60, number % 6);
            let time = format!("{year:04}-{month:02}-{:02}T07:{minute:02}:{second:02}Z", week * 7 - 6);
            let cents = u128::from(number * 37 % 901 + 1);
            revenue[licence as usize] += cents * (CHM / 100);
            let value = format!("{}.{:02}", cents / 100, cents % 100);
            text.push_str(&format!(
                "ad_conversion,{time},C-1,AST-{},{value},USD,{name}-{number}\n",
                9_000 + licence
            ));
        }
        let path = self.path(&format!("{name}.csv"));
        std::fs::write(&path, text).unwrap();
        (path, revenue)
    }

    /// Lets time pass, and blocks.
    pub(crate) fn travel(&self, seconds: u64, blocks: u64) {
        let _: Value = self.chain.rpc().ask("evm_increaseTime", json!([seconds])).unwrap();
        let blocks = json!([{ "blocks": format!("{blocks:#x}") }]);
        let _: Value = self.chain.rpc().ask("evm_mine", blocks).unwrap();
    }

    pub(crate) fn balance(&self, account: Address) -> U256 {
        self.chain.rpc().ask("eth_getBalance", json!([account, "latest"])).unwrap()
    }

    /// Pays out everything that payees of the licences are owed; who got what.
    pub(crate) fn withdraw(&self, lane: &str) -> Vec<(Address, u128)> {
        let (from, period) = (self.accounts[GOVERNOR].to_string(), self.period.to_string());
        let mut withdraw = chlom();
        withdraw.args(["royalty", "withdraw", "--lane", lane, "--period", &period, "--json", "--licenses"]);
        withdraw.arg(self.licences()).args(["--rpc", &self.url, "--from", &from]);
        let said = answer(&mut withdraw);
        let one = |paid: &Value| {
            let text = |name: &str| paid[name].as_str().unwrap().to_owned();
            (text("payee").parse().unwrap(), text("amount").parse().unwrap())
        };
        said["paid"].as_array().unwrap().iter().map(one).collect()
    }
}
