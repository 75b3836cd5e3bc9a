//! `chlom lane run` against a chain of its own, killed again and again within every step: at the end every receipt was in exactly one accepted
//! batch, every row was settled once, and the payer paid what the licence asks. Beside it the README's path, and a node that lies.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, clippy::disallowed_types)]

mod commands;
mod liar;
#[path = "../system/process.rs"]
#[expect(dead_code, reason = "the system's test uses more of it")]
mod process;
mod readme;

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use alloy_primitives::{Address, B256, U256, aliases::U120, keccak256};
use chlom_client::{
    Chain, Signer,
    contracts::royalty_ledger::IRoyaltyLedger::accrualOfCall,
    lanes::{
        Lane,
        events::{Follower, Happening},
        money,
        registry::{self, Consent},
        word,
    },
};
use chlom_lane::{
    LaneId,
    lane::{ADLUXE, lane_id, source_id},
};
use chlom_primitives::address::ROYALTY_LEDGER;
use chlom_royalty::Period;
use serde_json::{Value, json};

use process::{Logged, chlom, done, until};

const CHM: u128 = 1_000_000_000_000_000_000;
const SOURCE: &str = "shop";
const RECEIPTS: u32 = 500;
/// What a sequencer logs in the course of a batch, up to its acceptance and from the end of its window on.
const TO_THE_CHAIN: [&str; 6] = ["building", "built", "publishing", "published", "submitting", "accepted"];
const TO_THE_PAYEES: [&str; 4] = ["finalising", "final", "settling", "settled"];

struct World {
    node: Child,
    url: String,
    chain: Chain,
    folder: tempfile::TempDir,
    accounts: Vec<Address>,
    keys: Vec<PathBuf>,
    period: Period,
    lane: LaneId,
}

impl Drop for World {
    fn drop(&mut self) {
        let _gone = self.node.kill();
        let _reaped = self.node.wait();
    }
}

impl World {
    /// A chain with a licence, a funded payer that consents by allowance, a submitter with collateral; an operator with receipts of the
    /// last period that is over.
    fn new() -> Self {
        let args = ["dev", "--automine", "--block-time", "200ms", "--port", "0", "--json", "--accounts", "4"];
        let mut node = chlom().args(args).stdout(Stdio::piped()).spawn().unwrap();
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
        let current = Period::containing(chain.time().unwrap()).unwrap();
        let period = Period::containing(current.start() - 1).unwrap();
        let world = Self { node, url, chain, folder, accounts, keys, period, lane: lane_id(ADLUXE) };
        world.prepare_chain();
        world.prepare_operator();
        world
    }

    fn signer(&self, account: usize) -> Signer {
        Signer::Unlocked(self.accounts[account])
    }

    /// Account 0 governs and owns the licence, 1 pays, 2 submits.
    fn prepare_chain(&self) {
        let governor = self.accounts[0].to_string();
        let policy = keccak256("policy").to_string();
        let signed = ["--rpc", &self.url, "--from", &governor];
        done(chlom().args(["policy", "activate", &policy]).args(signed));
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../devnet/data/first-licence.csv");
        done(chlom().args(["license", "import", "--policy", &policy]).arg(file).args(signed));
        let submitter = self.accounts[2];
        let consent = Consent {
            lane: self.lane,
            period: self.period.code(),
            submitter,
            limit: U120::from(2_000 * CHM),
            unsigned_sources: true,
            sources: vec![source_id(&self.lane, &self.accounts[1], SOURCE)],
        };
        let register = registry::register_submitter(self.lane, submitter);
        self.chain.send_one(&self.signer(0), &register).unwrap();
        let pot = money::deposit(self.lane, Address::ZERO, self.accounts[1], U256::from(2_000 * CHM));
        self.chain.send_all(&self.signer(1), &[pot, registry::set_allowance(&consent)]).unwrap();
        // Others chip in: ten units are 10,000 CHM, and an account has that much with its gas.
        let collateral = |account: usize, chm: u128| {
            let add = money::add_collateral(submitter, U256::from(chm * CHM));
            self.chain.send_one(&self.signer(account), &add).unwrap();
        };
        collateral(0, 9_000);
        collateral(3, 9_000);
    }

    fn lane_command(&self, name: &str) -> Command {
        let mut command = chlom();
        command.args(["lane", name, "--data"]).arg(self.folder.path().join("op"));
        command
    }

    fn prepare_operator(&self) {
        done(self.lane_command("init").args(["--lane", ADLUXE, "--rpc", &self.url]));
        let mut text = "event,ts,campaign,license_id,value,currency,txid\n".to_owned();
        for number in 0..RECEIPTS {
            let time = stamp(self.period.start() + u64::from(number));
            text.push_str(&format!("ad_conversion,{time},C-1,FIRST-1,10.01,USD,T-{number}\n"));
        }
        let file = self.folder.path().join("receipts.csv");
        std::fs::write(&file, text).unwrap();
        let payer = self.accounts[1].to_string();
        done(self.lane_command("ingest").args(["--payer", &payer, "--source", SOURCE]).arg(file));
    }

    fn run(&self) -> Logged {
        let mut command = self.lane_command("run");
        command.args(["--every", "1", "--rpc", &self.url]).arg("--key-file").arg(&self.keys[2]);
        Logged::start(&mut command)
    }

    /// Of the one lane's last batch.
    fn state(&self) -> String {
        let status: Value = serde_json::from_str(&done(self.lane_command("status").arg("--json"))).unwrap();
        let batches = status["lanes"][0]["batches"].as_array().cloned().unwrap_or_default();
        batches.first().map(|batch| batch["state"].as_str().unwrap().to_owned()).unwrap_or_default()
    }

    /// Runs the sequencer until it is at each of these steps in turn, and kills it within that. What the life before did all the same is passed
    /// over.
    fn killed_at(&self, steps: &[&str], goal: &str) {
        for (number, step) in steps.iter().enumerate() {
            let mut process = self.run();
            until(&format!("{step:?} in a log"), || process.has(step) || self.state() == goal);
            // Somewhere within the step: its transaction is on its way, or in a block, or not written down.
            std::thread::sleep(Duration::from_millis(37 * number as u64 % 100));
            process.kill();
        }
        let _process = self.run();
        until(goal, || self.state() == goal);
    }

    fn accepted(&self) -> Vec<(B256, Happening)> {
        let (mut follower, mut all) = (Follower::from(0), Vec::new());
        loop {
            let (events, head) = follower.poll(&self.chain).unwrap();
            all.extend(events.into_iter().map(|event| (event.batch, event.what)));
            if follower.next() > head {
                return all;
            }
        }
    }
}

/// `2025-09-01T00:00:00Z`, by the days of the calendar.
fn stamp(time: u64) -> String {
    let (mut days, second, mut year) = (time / 86_400, time % 86_400, 1970);
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", month + 1, days + 1)
}

#[test]
fn killed_within_every_step_the_sequencer_does_everything_once() {
    let world = World::new();
    world.killed_at(&TO_THE_CHAIN, "submitted");
    // T is over.
    let _: Value = world.chain.rpc().ask("evm_increaseTime", json!([604_800])).unwrap();
    let _: Value = world.chain.rpc().ask("evm_mine", json!([])).unwrap();
    world.killed_at(&TO_THE_PAYEES, "settled");

    let events = world.accepted();
    let accepted = events.iter().filter(|(_, what)| matches!(what, Happening::Accepted { .. })).count();
    let finished = events.iter().filter(|(_, what)| *what == Happening::Done).count();
    assert_eq!((accepted, finished), (1, 1), "one batch, and it is done");
    // 500 sales of 10.01 at 12.5 %, in the token's units: 10¹⁶ of them are a cent.
    let accrual = world
        .chain
        .view(
            ROYALTY_LEDGER,
            &accrualOfCall {
                token: Address::ZERO,
                licence: keccak256("FIRST-1"),
                lane: word(world.lane),
                period: world.period.code(),
            },
        )
        .unwrap();
    let revenue = U256::from(RECEIPTS) * U256::from(1_001) * U256::from(CHM / 100);
    assert_eq!(U256::from(accrual.revenue), revenue);
    let base = revenue * U256::from(1_250) / U256::from(10_000);
    assert_eq!(U256::from(accrual.base), base);
    let pot = Lane::new(&world.chain, world.lane).pot(Address::ZERO, world.accounts[1]).unwrap();
    assert_eq!((pot.free, pot.reserved), (U256::from(2_000 * CHM) - base, U256::ZERO));
    assert_eq!(money::collateral(&world.chain, world.accounts[2]).unwrap().locked, 0);
}
