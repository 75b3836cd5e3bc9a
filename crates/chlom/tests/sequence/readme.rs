//! The README's path from receipts to payees, its commands run as they stand there, against a chain of the test's own.

use std::{
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use alloy_primitives::{Address, U256};
use chlom_client::{
    Chain,
    contracts::royalty_ledger::IRoyaltyLedger::{accountedCall, feesOwedCall},
};
use chlom_primitives::address::ROYALTY_LEDGER;
use serde_json::Value;

use crate::process::{PATIENCE, chlom, done};

/// The first commands of the README's section on receipts.
fn commands() -> String {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let text = std::fs::read_to_string(readme).unwrap();
    let section = text.split_once("\n## Receipts\n").unwrap().1;
    let block = section.split_once("```sh\n").unwrap().1;
    block.split_once("```\n").unwrap().0.to_owned()
}

/// A process group that ends with the test.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        // The shell has ended; what it left in the background has not.
        let group = format!("-{}", self.0.id());
        let _gone = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _reaped = self.0.wait();
    }
}

struct Node(Child);

impl Drop for Node {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn the_readmes_path_goes_from_receipts_to_payees() {
    let args = ["dev", "--automine", "--accounts", "20", "--port", "0", "--json", "--block-time", "300ms"];
    let mut node = Node(chlom().args(args).stdout(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(node.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let url = ready["http"].as_str().unwrap();

    let home = tempfile::tempdir().unwrap();
    let (port, binary) = (free_port(), Path::new(env!("CARGO_BIN_EXE_chlom")));
    let path = format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", &commands()]).current_dir(home.path()).process_group(0);
    // No other chlom is found: the README looks for one under the home folder.
    shell.env("PATH", path).env("HOME", home.path()).env("ETH_RPC_URL", url);
    shell.env("CHLOM_WATCH_LISTEN", format!("127.0.0.1:{port}"));
    shell.env_remove("CHLOM_LANE_DATA").env_remove("CHLOM_DATABASE").env_remove("CHLOM_LOG");
    let log = |name: &str| std::fs::File::create(home.path().join(name)).unwrap();
    let said = |name: &str| std::fs::read_to_string(home.path().join(name)).unwrap();
    let mut group = Group(shell.stdout(log("out")).stderr(log("err")).spawn().unwrap());
    let end = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = group.0.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < end, "{}{}", said("out"), said("err"));
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(status.success(), "{}{}", said("out"), said("err"));

    let mut status = chlom();
    status.args(["lane", "status", "--json", "--data"]).arg(home.path().join("op"));
    let status: Value = serde_json::from_str(&done(&mut status)).unwrap();
    let period = &status["lanes"][0]["periods"][0];
    assert_eq!((&period["receipts"], &period["settled"]), (&40.into(), &40.into()), "{status:#}");
    assert!(said("out").contains("AST-9000"), "payees are listed: {}", said("out"));
    let paid = said("out");
    // What is left of the payer's money is its own; of what it owed, the fee and what flooring leaves is all that the ledger has.
    let chain = Chain::connect(url).unwrap();
    let payer: Address = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8".parse().unwrap();
    let lane = chlom_client::lanes::Lane::new(&chain, chlom_lane::lane::lane_id("adluxe"));
    let pot = lane.pot(Address::ZERO, payer).unwrap();
    let view = |token| chain.view(ROYALTY_LEDGER, &accountedCall { token }).unwrap();
    let fees = chain.view(ROYALTY_LEDGER, &feesOwedCall { token: Address::ZERO }).unwrap();
    let left = view(Address::ZERO) - pot.free - fees;
    assert!(pot.reserved.is_zero() && left < U256::from(1_000), "{left} units are nobody's: {paid}");
    assert!(!fees.is_zero());

    // The watcher has found the batch right.
    let watcher = format!("http://127.0.0.1:{port}");
    loop {
        let report: Value =
            serde_json::from_str(&done(chlom().args(["watch", "status", "--json", "--url", &watcher])))
                .unwrap();
        if report["batches"].as_array().unwrap().iter().any(|batch| batch["stage"] == "final") {
            break;
        }
        assert!(Instant::now() < end, "{report:#}");
        std::thread::sleep(Duration::from_millis(100));
    }
}
