//! The whole system as real processes: one chain; two lanes, one with receipts in SQLite, one in Postgres with two instances; two watchers,
//! one of them away for a while; a database that crashes. Operators and watchers are killed at every step in turn, frauds of every kind are planted. In the end every
//! fraud is punished, every honest unit is paid, nothing is paid twice, and no unit is missing.

#![allow(clippy::unwrap_used, clippy::disallowed_types, clippy::disallowed_methods, missing_docs)]

mod accounts;
mod chain;
#[path = "../../../../l2-lanes/operator/tests/operator/postgres.rs"]
#[expect(dead_code, reason = "the operator's tests share one cluster")]
mod postgres;
mod process;
#[path = "../watch/process.rs"]
#[expect(dead_code, reason = "the watchers' tests use more of it")]
mod watch;

use alloy_primitives::B256;
use chlom_client::lanes::{
    batches::{self, Status},
    challenges,
};
use chlom_lane::lane::{ADLUXE, MEDIA_OTT};
use chlom_watcher::drill::Plant;
use serde_json::Value;

use chain::{OPERATORS, PAYERS, WATCHERS, World};
use process::{Logged, Operator, PATIENCE, chlom, done, until};
use watch::WatchProcess;

const LANES: [&str; 2] = [ADLUXE, MEDIA_OTT];
/// What a sequencer logs when it begins a step, and when the step is done and not written down yet.
const TO_THE_CHAIN: [&str; 6] = ["building", "built", "publishing", "published", "submitting", "accepted"];
const TO_THE_PAYEES: [&str; 4] = ["finalising", "final", "settling", "settled"];
/// Of a watcher, with the step that it names.
const TO_THE_PROOF: [(&str, &str); 7] = [
    ("accepted", ""),
    ("fetched", ""),
    ("FRAUD", ""),
    ("sending", "Commit"),
    ("done", "Commit"),
    ("sending", "Reveal"),
    ("done", "Reveal"),
];
/// After how many frauds the second lane's database crashes.
const OUTAGE: usize = 1;
/// How many frauds pass while the second watcher is away.
const AWAY: usize = 8;
/// Receipts of a lane's two files.
const FILES: [u32; 2] = [600, 240];

/// Kills an operator's process at each of these steps, one after the other. What the life before did all the same is passed over.
fn killed_at(operator: &Operator, steps: &[&str], goal: &str) {
    let all = operator.receipts("receipts");
    for step in steps {
        let mut process = operator.run();
        until(&format!("{step:?} in a log"), || process.has(step) || operator.receipts(goal) == all);
        process.kill();
    }
}

/// Plants a fraud by the command for it; the wrong batch's root.
fn planted(world: &World, lane: usize, what: Plant) -> B256 {
    let drill =
        ["drill", "fraud", "--kind", what.name(), "--lane", LANES[lane], "--json", "--rpc", &world.url];
    let said = done(chlom().args(drill));
    // The drill's submitter took the lane's place.
    let operator = world.accounts[OPERATORS[lane]].to_string();
    world.send(chain::GOVERNOR, &["lane", "submitter", "appoint", &operator, "--lane", LANES[lane]]);
    let last: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    last["batch"].as_str().unwrap().parse().unwrap()
}

fn status(world: &World, root: B256) -> Status {
    Status::of(&batches::batch(&world.chain, root).unwrap())
}

/// Waits until all receipts of an operator are where they must be, or says what was in the way.
fn all_are(operator: &Operator, place: &str, process: &Logged) {
    let all = u64::from(FILES[0] + FILES[1]);
    let end = std::time::Instant::now() + PATIENCE;
    while operator.receipts(place) != all {
        let status = operator.status();
        assert!(std::time::Instant::now() < end, "not {place}: {status:#} {:#?}", process.warnings());
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
}

#[test]
fn every_fraud_is_punished_every_honest_unit_is_paid_and_nothing_twice() {
    let world = World::new(LANES);
    let payers = PAYERS.map(|payer| world.accounts[payer].to_string());
    let operator = |name: &str, lane: usize, key: &std::path::Path| Operator {
        data: world.path(name),
        lane: LANES[lane],
        rpc: world.url.clone(),
        key: key.into(),
        payer_keys: Vec::new(),
    };

    // The first lane: SQLite, and a payer that consents by an allowance.
    let key = world.key_file(OPERATORS[0]);
    let one = operator("one", 0, &key);
    one.init(None);
    let period = world.period.to_string();
    let allow = [
        "lane",
        "allowance",
        "set",
        "--lane",
        ADLUXE,
        "--period",
        &period,
        "--limit",
        "4000",
        "--source",
        "shop",
        "--unsigned-sources",
    ];
    world.send(PAYERS[0], &allow);
    // The second: two instances on Postgres, and a payer whose key signs each batch.
    let (cluster, key) = (postgres::Cluster::new(), world.key_file(OPERATORS[1]));
    let payer_keys = vec![world.key_file(PAYERS[1])];
    let two =
        ["two", "three"].map(|name| Operator { payer_keys: payer_keys.clone(), ..operator(name, 1, &key) });
    two.iter().for_each(|operator| operator.init(Some(&cluster.url())));

    let files: Vec<_> = ["A", "B", "C", "D"]
        .iter()
        .zip([FILES, FILES].concat())
        .map(|(name, count)| world.receipts(name, count))
        .collect();
    assert_eq!(one.ingest(&payers[0], &files[0].0), u64::from(FILES[0]));
    assert_eq!(two[0].ingest(&payers[1], &files[2].0), u64::from(FILES[0]));
    assert_eq!(two[1].ingest(&payers[1], &files[2].0), 0, "the other instance knows them");

    let keys = WATCHERS.map(|watcher| world.key_file(watcher));
    let watch = |number: usize| {
        WatchProcess::start(&world.url, &world.path(&format!("watch-{number}")), &keys[number])
    };
    let mut watcher = watch(0);
    // The other one has seen the chain, and is away now.
    drop(watch(1));

    killed_at(&one, &TO_THE_CHAIN, "submitted");
    let mut first = one.run();
    let mut leader = two[0].run();
    leader.wait_for("leading the lane");
    let standby = two[1].run();
    standby.wait_for("another process leads the lane; standing by");
    leader.wait_for("submitting");
    leader.kill();
    standby.wait_for("leading the lane");
    until("the first lane has submitted", || one.receipts("submitted") == u64::from(FILES[0]));
    until("the second lane has submitted", || two[1].receipts("submitted") == u64::from(FILES[0]));

    // Frauds on both lanes, while the operators go on with more receipts.
    let mut frauds = Vec::new();
    let mut second = None;
    for (number, what) in Plant::FRAUDS.into_iter().enumerate() {
        if number == 2 {
            assert_eq!(one.ingest(&payers[0], &files[1].0), u64::from(FILES[1]));
            assert_eq!(two[1].ingest(&payers[1], &files[3].0), u64::from(FILES[1]));
        }
        if number == OUTAGE {
            // The database crashes and comes back: whoever leads loses the lead with its connection.
            cluster.stop();
            cluster.start();
        }
        if number == AWAY {
            second = Some(watch(1));
        }
        let root = planted(&world, number % 2, what);
        if let Some((message, step)) = TO_THE_PROOF.get(number) {
            watcher.wait_for(message, step, root);
            watcher.kill();
            watcher = watch(0);
        }
        until(&format!("{what} is void"), || status(&world, root) == Status::Void);
        frauds.push((what, root));
    }
    let second = second.unwrap();
    all_are(&one, "submitted", &first);
    all_are(&two[0], "submitted", &standby);

    // Ten minutes and 250 heights on, rewards are paid.
    world.travel(700, 256);
    for (what, root) in &frauds {
        until(&format!("{what}: the award is paid and the payers' money released"), || {
            challenges::award(&world.chain, *root).unwrap().paid
                && batches::batch(&world.chain, *root).unwrap().released
        });
        let winner = challenges::award(&world.chain, *root).unwrap().winner;
        assert!(WATCHERS.map(|watcher| world.accounts[watcher]).contains(&winner), "{what}: {winner}");
    }
    for watcher in [&watcher, &second] {
        until("a watcher has judged all", || {
            watcher.report().batches.iter().all(|batch| batch.stage != "seen" && batch.stage != "fetched")
        });
        assert_eq!(watcher.health(), 200);
    }

    // T is over.
    first.kill();
    world.travel(7 * 86_400, 1);
    killed_at(&one, &TO_THE_PAYEES, "settled");
    let mut first = one.run();
    all_are(&one, "settled", &first);
    all_are(&two[0], "settled", &standby);
    for operator in [&one, &two[0]] {
        until("what others made is settled too", || {
            let status = operator.status();
            let batches = status["batches"].as_array().unwrap();
            batches.iter().all(|batch| batch["state"] == "settled" || batch["state"] == "void")
        });
        assert_eq!(operator.status()["alarms"].as_array().unwrap().len(), 0);
    }
    first.kill();

    let paid = world.withdraw(ADLUXE);
    assert!(world.withdraw(ADLUXE).is_empty(), "nothing is paid twice");
    let roots: Vec<B256> = frauds.iter().map(|(_, root)| *root).collect();
    accounts::agree(&world, LANES, &files, &roots, &paid);

    // A database that is lost: the new one finds out what the chain has, and pays nothing again.
    let anew = Operator { data: world.path("anew"), ..one };
    anew.init(None);
    for (file, _) in &files[..2] {
        anew.ingest(&payers[0], file);
    }
    let (more, _) = world.receipts("E", 5);
    anew.ingest(&payers[0], &more);
    let did = anew.turn();
    let built: Vec<&Value> = did.iter().filter(|did| did["did"] == "built").collect();
    assert_eq!(built.len(), 1, "{did:#?}");
    assert_eq!(built[0]["receipts"], 5);
    assert_eq!(anew.receipts("aside"), u64::from(FILES[0] + FILES[1]));
    let status = anew.status();
    let kinds: Vec<&str> =
        status["asides"].as_array().unwrap().iter().map(|a| a["kind"].as_str().unwrap()).collect();
    assert!(kinds.iter().all(|kind| *kind == "accepted"), "{kinds:?}");
}
