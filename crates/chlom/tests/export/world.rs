//! A chain with settled rows: three licences, each below the other, receipts of two weeks.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
};

use alloy_primitives::{Address, B256, U256, aliases::U120, keccak256};
use chlom_client::{
    Chain, Request, Signer,
    contracts::{
        policy_registry::IPolicyRegistry::activateCall,
        royalty_ledger::IRoyaltyLedger::{Payout, payoutReceiptCall},
    },
    lanes::{
        money,
        registry::{self, Consent},
    },
};
use chlom_lane::{
    LaneId,
    lane::{ADLUXE, lane_id, source_id},
};
use chlom_primitives::address::{POLICY_REGISTRY, ROYALTY_LEDGER};
use chlom_royalty::Period;
use serde_json::{Value, json};

const CHM: u128 = 1_000_000_000_000_000_000;
const SOURCE: &str = "shop";
/// From the root down: name, parent, weights of the payees that follow from it.
const LICENCES: [(&str, Option<&str>, &[u64]); 3] =
    [("TOP-1", None, &[1, 2]), ("MID-1", Some("TOP-1"), &[3, 3, 1]), ("LOW-1", Some("MID-1"), &[1, 5])];

pub(crate) fn chlom() -> Command {
    Command::new(env!("CARGO_BIN_EXE_chlom"))
}

fn done(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {out}{err}");
    out.into_owned()
}

/// Ascending, as the chain keeps them; one of them is a payee of two licences.
fn payee(licence: usize, index: usize) -> Address {
    if (licence, index) == (2, 0) {
        return payee(1, 0);
    }
    Address::from_word(B256::left_padding_from(&[1, licence as u8, 7, index as u8]))
}

pub(crate) struct World {
    node: Child,
    pub(crate) url: String,
    chain: Chain,
    folder: tempfile::TempDir,
    accounts: Vec<Address>,
    keys: Vec<PathBuf>,
    pub(crate) periods: [Period; 2],
    lane: LaneId,
}

impl Drop for World {
    fn drop(&mut self) {
        let _gone = self.node.kill();
        let _reaped = self.node.wait();
    }
}

impl World {
    /// A chain on which nothing happened.
    pub(crate) fn bare(args: &[&str]) -> Self {
        let common =
            ["dev", "--automine", "--block-time", "200ms", "--port", "0", "--json", "--accounts", "4"];
        // Blocks come whether or not anything is asked: a slow machine must find the proofs all the same.
        let common = [&common[..], &["--proof-history", "10000"]].concat();
        let mut node = chlom().args(common).args(args).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(node.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let url = ready["http"].as_str().unwrap().to_owned();
        let folder = tempfile::tempdir().unwrap();
        let (mut accounts, mut keys) = (Vec::new(), Vec::new());
        for (number, account) in ready["accounts"].as_array().unwrap().iter().enumerate() {
            accounts.push(account["address"].as_str().unwrap().parse().unwrap());
            let path = folder.path().join(format!("key-{number}"));
            let mut file =
                std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
            let key = account["privateKey"].as_str().unwrap().trim_start_matches("0x");
            file.write_all(key.as_bytes()).unwrap();
            keys.push(path);
        }
        let chain = Chain::connect(&url).unwrap();
        // Genesis is older than now.
        let _: Value = chain.rpc().ask("evm_mine", json!([])).unwrap();
        let current = Period::containing(chain.time().unwrap()).unwrap();
        let before = |period: Period| Period::containing(period.start() - 1).unwrap();
        let last = before(current);
        let periods = [before(last), last];
        Self { node, url, chain, folder, accounts, keys, periods, lane: lane_id(ADLUXE) }
    }

    /// Two batches settled, of a week each.
    pub(crate) fn settled() -> Self {
        let world = Self::bare(&[]);
        world.prepare_chain();
        world.prepare_operator();
        world.turns("submitted");
        let _: Value = world.chain.rpc().ask("evm_increaseTime", json!([604_800])).unwrap();
        world.mine();
        world.turns("settled");
        world
    }

    fn mine(&self) {
        let _: Value = self.chain.rpc().ask("evm_mine", json!([])).unwrap();
    }

    fn signer(&self, account: usize) -> Signer {
        Signer::Unlocked(self.accounts[account])
    }

    /// Account 0 governs and owns the licences, 1 pays, 2 submits.
    fn prepare_chain(&self) {
        let policy = keccak256("policy");
        let height = self.chain.height().unwrap() + 10;
        let activate = activateCall { policyHash: policy, activationHeight: height };
        let activate = Request::call("activating", POLICY_REGISTRY, &activate);
        self.chain.send_one(&self.signer(0), &activate).unwrap();
        for _ in 0..10 {
            self.mine();
        }
        let file = self.file("licences.json", &self.licences().to_string());
        let mut import = chlom();
        import.args(["license", "import", &file, "--policy", &policy.to_string(), "--rpc", &self.url]);
        done(import.args(["--from", &self.accounts[0].to_string()]));
        let submitter = self.accounts[2];
        self.chain.send_one(&self.signer(0), &registry::register_submitter(self.lane, submitter)).unwrap();
        let consent = |period: Period| {
            registry::set_allowance(&Consent {
                lane: self.lane,
                period: period.code(),
                submitter,
                limit: U120::from(2_000 * CHM),
                unsigned_sources: true,
                sources: vec![source_id(&self.lane, &self.accounts[1], SOURCE)],
            })
        };
        let pot = money::deposit(self.lane, Address::ZERO, self.accounts[1], U256::from(4_000 * CHM));
        let [first, second] = self.periods.map(consent);
        self.chain.send_all(&self.signer(1), &[pot, first, second]).unwrap();
        // Ten units are 10,000 CHM for each of two batches, and an account has that much with its gas.
        for (account, chm) in [(0, 9_000), (2, 6_000), (3, 9_000)] {
            let add = money::add_collateral(submitter, U256::from(chm * CHM));
            self.chain.send_one(&self.signer(account), &add).unwrap();
        }
    }

    fn licences(&self) -> Value {
        let year = self.periods[0].code() / 10_000;
        let owner = self.accounts[0];
        let licence = |(index, (name, parent, weights)): (usize, &(&str, Option<&str>, &[u64]))| {
            let split = |(at, weight): (usize, &u64)| json!({ "to": payee(index, at), "weight": weight });
            let mut licence = json!({
                "id": name, "owner": owner, "licensee": self.accounts[3],
                "rights_granted": ["use"], "channels": ["web", "ads"], "territories": ["US-VA"], "languages": ["EN"],
                "exclusivity": "NonExclusive", "start": format!("{}-01-01", year - 1), "end": format!("{}-12-31", year + 2),
                "royalty": { "type": "percent", "value": 33.33 },
                "audit_rights": true, "privacy_flags": { "rates_private": false },
                "splits": weights.iter().enumerate().map(split).collect::<Vec<_>>(), "denom": weights.iter().sum::<u64>(),
            });
            if let Some(parent) = parent {
                licence["parent"] = json!({ "id": parent, "rate": [333, 1_000] });
            }
            licence
        };
        LICENCES.iter().enumerate().map(licence).collect()
    }

    fn lane_command(&self, name: &str) -> Command {
        let mut command = chlom();
        command.args(["lane", name, "--data"]).arg(self.path("op"));
        command
    }

    fn prepare_operator(&self) {
        done(self.lane_command("init").args(["--lane", ADLUXE, "--decimals", "2"]));
        let mut text = "event,ts,campaign,license_id,value,currency,txid\n".to_owned();
        for (week, period) in self.periods.iter().enumerate() {
            for number in 0..30 {
                let code = period.code();
                let (year, month, day) = (code / 10_000, code / 100 % 100, code % 100 * 7 - 6);
                let (licence, cents) = (LICENCES[number % 3].0, 101 + number * 7 + week);
                text.push_str(&format!(
                    "ad_conversion,{year:04}-{month:02}-{day:02}T00:00:{number:02}Z,C-1,{licence},{}.{:02},USD,T-{week}-{number}\n",
                    cents / 100,
                    cents % 100
                ));
            }
        }
        let file = self.file("receipts.csv", &text);
        let payer = self.accounts[1].to_string();
        done(self.lane_command("ingest").args(["--payer", &payer, "--source", SOURCE, &file]));
    }

    /// `chlom lane run --once`, until both batches are as far as wanted.
    fn turns(&self, wanted: &str) {
        let mut told = String::new();
        for _ in 0..20 {
            let mut command = self.lane_command("run");
            told += &done(command.args(["--once", "--rpc", &self.url]).arg("--key-file").arg(&self.keys[2]));
            let status: Value =
                serde_json::from_str(&done(self.lane_command("status").arg("--json"))).unwrap();
            let batches = status["lanes"][0]["batches"].as_array().cloned().unwrap_or_default();
            if batches.len() == 2 && batches.iter().all(|batch| batch["state"] == wanted) {
                return;
            }
        }
        panic!("the batches are not {wanted}: {told}");
    }

    pub(crate) fn export_output(&self, folder: &str, args: &[&str]) -> Output {
        let mut command = self.lane_command("export");
        command.args(["--json", "--rpc", &self.url, "--out"]).arg(self.path(folder));
        command.arg("--licenses").arg(self.path("licences.json")).args(args).output().unwrap()
    }

    pub(crate) fn export(&self, folder: &str, args: &[&str]) -> String {
        let output = self.export_output(folder, args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What the ledger's own receipts say that each payee is owed.
    pub(crate) fn owed(&self) -> BTreeMap<Address, U256> {
        let mut owed: BTreeMap<Address, U256> = BTreeMap::new();
        for (name, ..) in LICENCES {
            let key = money::route_key(&self.chain, keccak256(name), self.periods[0].code()).unwrap();
            let call = payoutReceiptCall { token: Address::ZERO, key };
            for share in self.chain.view(ROYALTY_LEDGER, &call).unwrap().allocations {
                *owed.entry(share.to).or_default() += share.amount;
            }
        }
        owed
    }

    /// Of the licence at the top.
    pub(crate) fn override_payee(&self) -> Address {
        payee(0, 1)
    }

    /// Pays that payee out.
    pub(crate) fn withdraw(&self, to: Address) {
        assert_eq!(to, payee(0, 1));
        let key = money::route_key(&self.chain, keccak256(LICENCES[0].0), self.periods[0].code()).unwrap();
        let payout = Payout { key, token: Address::ZERO, index: 1 };
        self.chain.send_one(&self.signer(3), &money::withdraw(payout)).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file with this text; where it is.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(crate) fn block(&self, hash: &str) -> Value {
        self.chain.rpc().ask("eth_getBlockByHash", json!([hash, false])).unwrap()
    }

    pub(crate) fn block_at(&self, height: u64) -> Value {
        self.chain.rpc().ask("eth_getBlockByNumber", json!([format!("{height:#x}"), false])).unwrap()
    }
}
