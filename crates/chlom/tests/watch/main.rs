//! Watchers as processes against a chain as a process: every kind of fraud is planted; one watcher is killed at each step in turn, the
//! other is away for a while. In the end every fraud is punished and paid for, no right batch was touched, and no coin is missing.

#![allow(clippy::unwrap_used, clippy::disallowed_types, clippy::disallowed_methods, missing_docs)]

mod process;

use std::time::Duration;

use alloy_primitives::{Address, B256, U256};
use chlom_client::{
    Chain,
    contracts::claims_pool::IClaimsPool::heldForCall,
    lanes::{
        Lane,
        batches::{self, Status},
        challenges, money,
    },
};
use chlom_lane::lane::{ADLUXE, lane_id};
use chlom_primitives::address::{CLAIMS_POOL, PAYOUT_PROOFS};
use chlom_watcher::drill::{Plant, Planted, plant, world::CHM};
use process::{Node, WatchProcess, until};
use serde_json::json;

/// Where the watcher is killed: a line of its log, and the step that it names.
const KILLS: [(&str, &str); 7] = [
    ("accepted", ""),
    ("fetched", ""),
    ("FRAUD", ""),
    ("sending", "Commit"),
    ("done", "Commit"),
    ("sending", "Reveal"),
    ("done", "Reveal"),
];

/// The submitter of drills: the node's second account.
const SUBMITTER: usize = 1;

fn status(chain: &Chain, root: B256) -> Status {
    Status::of(&batches::batch(chain, root).unwrap())
}

/// Plants a fraud; the batch that is wrong comes last.
fn planted(chain: &Chain, what: Plant) -> (Vec<Planted>, B256) {
    let all = plant(chain, lane_id(ADLUXE), what).unwrap();
    let root = all.last().unwrap().root;
    (all, root)
}

fn travel(chain: &Chain, seconds: u64, blocks: u64) {
    let _: serde_json::Value = chain.rpc().ask("evm_increaseTime", json!([seconds])).unwrap();
    let _: serde_json::Value =
        chain.rpc().ask("evm_mine", json!([{ "blocks": format!("{blocks:#x}") }])).unwrap();
}

#[test]
fn every_fraud_is_punished_whenever_a_watcher_dies() {
    let node = Node::start(40);
    let chain = Chain::connect(&node.url).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (key_a, key_b) = (node.key_file(folder.path(), 38), node.key_file(folder.path(), 39));
    let (address_a, address_b) = (node.accounts[38], node.accounts[39]);
    let start_a = || WatchProcess::start(&node.url, &folder.path().join("a"), &key_a);
    let start_b = || WatchProcess::start(&node.url, &folder.path().join("b"), &key_b);

    let mut a = start_a();
    let (right, honest) = planted(&chain, Plant::Right);
    let mut rights = vec![right[0].root];
    until("a heartbeat names the right batch", || {
        Lane::new(&chain, lane_id(ADLUXE)).heartbeat_of(address_a).unwrap().checked == honest
    });

    // One watcher alone, killed at each step in turn: it must be the one that is rewarded in the end.
    let mut frauds = Vec::new();
    for (what, (message, step)) in Plant::FRAUDS.into_iter().zip(KILLS) {
        let (all, root) = planted(&chain, what);
        rights.extend(all.iter().filter(|batch| batch.plant == Plant::Right).map(|batch| batch.root));
        a.wait_for(message, step, root);
        a.kill();
        a = start_a();
        until(&format!("{what} is void, after a kill at {message} {step}"), || {
            status(&chain, root) == Status::Void
        });
        assert_eq!(challenges::award(&chain, root).unwrap().winner, address_a, "{what}: {message} {step}");
        frauds.push((what, root));
    }

    // The other one comes back to a chain with a history, and both race.
    let b = start_b();
    for what in Plant::FRAUDS.into_iter().skip(KILLS.len()) {
        let (all, root) = planted(&chain, what);
        rights.extend(all.iter().filter(|batch| batch.plant == Plant::Right).map(|batch| batch.root));
        until(&format!("{what} is void"), || status(&chain, root) == Status::Void);
        frauds.push((what, root));
    }
    assert_eq!(frauds.len(), Plant::FRAUDS.len());
    until("both watchers have judged all", || {
        [&a, &b]
            .iter()
            .all(|w| w.report().batches.iter().all(|batch| batch.stage != "seen" && batch.stage != "fetched"))
    });

    // Ten minutes and 250 heights on, rewards are paid; the first is killed once more while it asks for them.
    travel(&chain, 700, 256);
    a.wait_for("sending", "PayAward", B256::ZERO);
    a.kill();
    let a = start_a();
    for (what, root) in &frauds {
        until(&format!("the award of {what} is paid"), || challenges::award(&chain, *root).unwrap().paid);
        until(&format!("what {what} reserved is its payer's again"), || {
            batches::batch(&chain, *root).unwrap().released
        });
        let award = challenges::award(&chain, *root).unwrap();
        assert!([address_a, address_b].contains(&award.winner), "{what}: {}", award.winner);
        let held = heldForCall { batch: *root, token: Address::ZERO };
        assert_eq!(chain.view(CLAIMS_POOL, &held).unwrap(), U256::from(6_000 * CHM), "{what}");
    }

    // Right batches stand, and become final with their window.
    for root in &rights {
        assert_eq!(status(&chain, *root), Status::Open, "a right batch was challenged");
    }
    assert_eq!(rights.len(), 2);
    let accounts = [node.accounts[SUBMITTER], address_a, address_b];
    let collateral = |chain: &Chain| accounts.map(|account| money::collateral(chain, account).unwrap());
    let [submitter, of_a, of_b] = collateral(&chain);
    assert_eq!(submitter.locked, 10_000 * CHM * rights.len() as u128, "only right batches are stood for");
    assert_eq!(of_a.free + of_b.free, 4_000 * CHM * frauds.len() as u128, "four units a fraud");
    assert!(of_a.free >= 4_000 * CHM * KILLS.len() as u128);
    let balance: U256 = chain.rpc().ask("eth_getBalance", json!([PAYOUT_PROOFS, "latest"])).unwrap();
    let all: u128 = [submitter, of_a, of_b].iter().map(|c| c.free + c.locked).sum();
    assert_eq!(balance, U256::from(all), "no coin is missing, none came from nowhere");

    travel(&chain, 7 * 86_400, 1);
    let requests: Vec<_> = rights.iter().map(|root| batches::finalize(*root)).collect();
    chain.send_all(&chlom_client::Signer::Unlocked(node.accounts[SUBMITTER]), &requests).unwrap();
    for watcher in [&a, &b] {
        until("the watchers know that it is over", || {
            let report = watcher.report();
            let over = |root: &B256| {
                report.batches.iter().any(|batch| batch.root == *root && batch.stage == "final")
            };
            rights.iter().all(over) && report.counts.missed == 0
        });
        let stages: Vec<_> =
            watcher.report().batches.into_iter().map(|batch| (batch.order, batch.stage)).collect();
        assert_eq!(stages.iter().filter(|(_, stage)| stage == "void").count(), frauds.len(), "{stages:?}");
        assert_eq!(watcher.health(), 200);
    }
}

#[test]
fn a_watcher_whose_node_is_gone_or_begins_anew_says_that_it_is_blind() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(3);
    let key = node.key_file(folder.path(), 2);
    let watcher = WatchProcess::start(&node.url, &folder.path().join("w"), &key);
    until("it has looked", || watcher.report().head > 0);
    assert_eq!(watcher.health(), 200);
    let chain = Chain::connect(&node.url).unwrap();
    let snapshot: serde_json::Value = chain.rpc().ask("evm_snapshot", json!([])).unwrap();
    travel(&chain, 10, 50);
    until("it has seen the blocks", || watcher.report().reached >= 50);
    // A node that takes back what was final.
    let _: serde_json::Value = chain.rpc().ask("evm_revert", json!([snapshot])).unwrap();
    until("it does not believe that", || watcher.health() == 503);
    assert!(
        watcher.report().troubles["blind"].contains("cannot be trusted"),
        "{:?}",
        watcher.report().troubles
    );
    drop(node);
    until("the node is gone", || watcher.report().troubles["blind"].contains("no answer"));
    assert_eq!(watcher.health(), 503);
    watcher.stop(Duration::from_secs(60));
}

#[test]
fn a_watcher_believes_no_node_that_a_witness_contradicts() {
    let folder = tempfile::tempdir().unwrap();
    // The same genesis, and blocks of their own.
    let (node, other) = (Node::start(3), Node::start(3));
    travel(&Chain::connect(&other.url).unwrap(), 60, 1);
    let key = node.key_file(folder.path(), 2);
    let watcher =
        WatchProcess::start_with(&node.url, &folder.path().join("w"), &key, &["--witness", &other.url]);
    until("it sees that they differ", || watcher.health() == 503);
    let blind = watcher.report().troubles["blind"].clone();
    assert!(blind.contains("cannot be trusted") && blind.contains(&other.url), "{blind}");
    // A witness that is silent is an alarm, and no reason to stop.
    drop(other);
    until("it goes on without", || watcher.report().troubles.keys().eq(["witness"]));
}
