//! A process that commits blocks is killed at random moments, many times over the same directory.
//!
//! The chain is a function of its height, so that parent and child know it without talking: the child only says what is
//! acknowledged.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
};

use chlom_state::{NodeReader, TrieId};
use chlom_store::Store;

use crate::chain::{Model, Op, assert_same, disk, keeping};

/// Set for the child: the directory to work on, and a seed for what it does.
const DIRECTORY: &str = "CHLOM_STORE_KILLED_DIRECTORY";
const SEED: &str = "CHLOM_STORE_KILLED_SEED";

const HISTORY: u64 = 12;
const PROOFS: u64 = 3;

/// Numbers from a seed (xorshift64*), so that a failure can be run again.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }
}

fn block_of(height: u64) -> Vec<Op> {
    let mut numbers = Numbers(height + 1);
    let mut byte = |bound| numbers.below(bound) as u8;
    let mut ops: Vec<_> = (0..12)
        .map(|_| match byte(8) {
            0..3 => Op::Pay { account: byte(24), amount: 5 },
            3..7 => Op::Write { account: byte(24), slot: byte(12), value: byte(4) },
            _ => Op::Rebirth { account: byte(24), slot: byte(12) },
        })
        .collect();
    if height % 5 == 4 {
        ops.push(Op::Kill { account: byte(24) });
    }
    ops
}

fn model_to(height: u64) -> Model {
    let mut model = Model::default();
    for at in 0..=height {
        model.extend(&block_of(at));
    }
    model
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{line}").and_then(|()| out.flush()).unwrap();
}

/// The child: does nothing unless it is started by a test below.
#[test]
fn child_commits_until_it_is_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let mut numbers = Numbers(std::env::var(SEED).unwrap().parse().unwrap());
    let store = Store::open(keeping(disk(Path::new(&directory)), HISTORY, PROOFS)).unwrap();
    let mut model = store.head().map_or_else(Model::default, |head| model_to(head.block.height()));
    loop {
        match numbers.below(20) {
            0 => store.flush().unwrap(),
            1 if model.blocks.len() > 20 => {
                let height = model.height() - numbers.below(8);
                say(&format!("rewinding {height}"));
                store.rewind(height).unwrap();
                say(&format!("at {height}"));
                model.rewind(height);
            }
            _ => {
                let tickets: Vec<_> = (0..=numbers.below(3))
                    .map(|_| store.stage(model.extend(&block_of(model.blocks.len() as u64))).unwrap())
                    .collect();
                for ticket in tickets {
                    let height = ticket.height();
                    ticket.wait().unwrap();
                    say(&format!("at {height}"));
                }
            }
        }
    }
}

fn start(directory: &Path, seed: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::child_commits_until_it_is_killed", "--nocapture"])
        .env(DIRECTORY, directory)
        .env(SEED, seed.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// What the child said last: the height that it stands at, and the one that it is going back to.
#[derive(Default)]
struct Said {
    at: Option<u64>,
    rewinding: Option<u64>,
}

impl Said {
    fn hear(&mut self, line: &str) -> bool {
        if let Some(height) = line.strip_prefix("at ") {
            *self = Self { at: height.parse().ok(), rewinding: None };
        } else if let Some(height) = line.strip_prefix("rewinding ") {
            self.rewinding = height.parse().ok();
        } else {
            return false;
        }
        true
    }
}

/// Kills a child after it has said `lines` things, and checks what it leaves.
fn kill_once(directory: &Path, seed: u64, lines: u64, stood: &mut Option<u64>) {
    let mut child = start(directory, seed);
    let mut said = Said { at: *stood, rewinding: None };
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut heard = 0;
    while heard < lines {
        let line = out.next().expect("the child goes on until it is killed").unwrap();
        heard += u64::from(said.hear(&line));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it said before it died counts as well.
    for line in out.map_while(Result::ok) {
        said.hear(&line);
    }
    let store = Store::open(keeping(disk(directory), HISTORY, PROOFS)).unwrap();
    let head = store.head().map(|head| head.block.height());
    let kept = match said.rewinding {
        Some(back) => head >= Some(back),
        None => head >= said.at,
    };
    assert!(kept, "acknowledged {:?}, found {head:?}", said.at);
    if let Some(height) = head {
        let root = store.head().unwrap().state.root(&TrieId::Accounts).unwrap();
        let want = store.head().unwrap().block.header.state_root;
        assert_eq!(root.map(|root| root.root_hash()), Some(want));
        assert_same(&store, &model_to(height), HISTORY, PROOFS);
    }
    *stood = head;
}

fn kill_many(rounds: u64, seed: u64) {
    println!("seed {seed}");
    let directory = tempfile::tempdir().unwrap();
    let (mut numbers, mut stood) = (Numbers(seed), None);
    for round in 0..rounds {
        kill_once(directory.path(), numbers.below(u64::MAX >> 33) + 1, numbers.below(25), &mut stood);
        println!("round {round}: height {stood:?}");
    }
}

fn any_seed() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64 | 1
}

#[test]
fn a_killed_store_has_every_acknowledged_block_and_its_root() {
    kill_many(6, any_seed());
}

#[test]
fn a_killed_store_has_every_acknowledged_block_and_its_root_slow() {
    kill_many(100, any_seed());
}
